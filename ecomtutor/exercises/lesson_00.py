"""Exercises and quiz of lesson 00, the shop and its data."""

from __future__ import annotations

from typing import Any

from ecomtutor.exercises.checking import expect, expect_function
from ecomtutor.exercises.registry import Exercise, Option, Question, WrongAnswer, changed

_SHARE_SEEN = '''
def share_seen(train_texts, test_texts):
    """Share of the test texts, 0 to 1, that stand in the training texts too."""
    known = set(train_texts)
    return sum(text in known for text in test_texts) / len(test_texts)
'''

_FIND = '''
def find(products, words):
    """Ids of the products whose two titles together contain every word (a list)."""
    found = []
    for product in products.itertuples():
        titles = f"{product.title_en} {product.title_zh}".lower()
        if all(word.lower() in titles for word in words):
            found.append(product.id)
    return found
'''


def _check_different_texts(different_texts: Any) -> None:
    expect(
        different_texts,
        5,
        what="different_texts",
        mistakes=[
            (7, "7 is the number of lines. Two of them repeat a text that you have counted."),
            (3, "You left out the texts that have a copy. Such a text still counts once."),
            (2, "2 texts have a copy. The question is how many different texts there are."),
        ],
    )


def _check_share_seen(share_seen: Any) -> None:
    import pandas as pd

    train, test = ["好", "bad", "fine", "ok", "slow"], ["好", "new", "好"]
    expect_function(
        share_seen,
        lambda train, test: sum(text in set(train) for text in test) / len(test),
        cases=[(train, test), (["漂亮"], ["new", "fresh"]), (pd.Series(train), pd.Series(test))],
        mistakes=[
            (
                lambda train, test: sum(text in list(train) for text in test),
                "That is how many test texts were seen. Divide by how many there are.",
            ),
            (
                lambda train, test: 100 * sum(text in list(train) for text in test) / len(test),
                "That is a percentage: give the share itself, between 0 and 1.",
            ),
            (
                lambda train, test: len(set(train) & set(test)) / len(set(test)),
                "A test text that stands twice is scored twice, so count it twice: "
                "a set of the test texts loses that.",
            ),
            (
                lambda train, test: sum(text in list(test) for text in train) / len(train),
                "That is the share of the training texts that stand in the test set. "
                "The question goes the other way round.",
            ),
            (
                lambda train, test: sum(text in list(train) for text in test) / len(train),
                "You divide by the number of training texts. Whose share is asked for?",
            ),
            (
                lambda train, test: sum(text not in list(train) for text in test) / len(test),
                "That is the share that is new. The question is the share that was seen.",
            ),
            (
                lambda train, test: sum(text in train for text in test) / len(test),
                "It works for lists. For a pandas column, `in` looks at the row numbers, "
                "not at the texts: make a set of the training texts first.",
            ),
        ],
    )


def _check_find(find: Any) -> None:
    from ecomtutor.datasets import store

    products = store().products
    few = products[products["id"].str.fullmatch("FRU-00[1-5]|PHO-01[45]|AUD-01[4-8]|AUD-001")]

    def found_by(matches: Any, column: str = "id") -> Any:
        def mistaken(products: Any, words: list[str]) -> list[str]:
            rows = products.itertuples()
            return [getattr(row, column) for row in rows if matches(row, words)]

        return mistaken

    def both(row: Any) -> str:
        return f"{row.title_en} {row.title_zh}".lower()

    right = found_by(lambda row, words: all(word.lower() in both(row) for word in words))
    expect_function(
        find,
        right,
        cases=[
            (few, ["防汗"]),
            (few, ["苹果"]),
            (few, ["headphones"]),
            (few, ["children's", "headphones"]),
            (few, ["无线", "耳机"]),
            (few, ["APPLES"]),
            (few, ["pineapple"]),
            (few, ["Hushwave", "耳机", "wireless"]),
        ],
        mistakes=[
            (
                found_by(
                    lambda row, words: (
                        all(w.lower() in row.title_en.lower() for w in words)
                        or all(w.lower() in row.title_zh.lower() for w in words)
                    )
                ),
                "You demand all words in one title. A customer mixes languages: join both titles.",
            ),
            (
                found_by(lambda row, words: any(word.lower() in both(row) for word in words)),
                "One word of the query is enough for you. Every word must be there: all, not any.",
            ),
            (
                found_by(
                    lambda row, words: all(w in f"{row.title_en} {row.title_zh}" for w in words)
                ),
                "APPLES and apples are one word to a customer: compare in lower case, both sides.",
            ),
            (
                found_by(lambda row, words: " ".join(words).lower() in both(row)),
                "You look for the words side by side. They may stand apart, so look for each.",
            ),
            (
                found_by(lambda row, words: "".join(words).lower() in both(row)),
                "You glue the words together. They may stand apart in a title, so look for each.",
            ),
            (
                found_by(lambda row, words: all(w.lower() in both(row).split() for w in words)),
                "You compare whole words, split at spaces. A Chinese title has none between its "
                "words: look for each word in the text.",
            ),
            (
                found_by(lambda row, words: all(w.lower() in row.title_en.lower() for w in words)),
                "You search the English titles only. The query may be Chinese.",
            ),
            (
                found_by(lambda row, words: all(w.lower() in row.title_zh.lower() for w in words)),
                "You search the Chinese titles only. The query may be English.",
            ),
            (
                found_by(
                    lambda row, words: all(word.lower() in both(row) for word in words), "title_en"
                ),
                "The right products, but the ids are asked for, not the titles.",
            ),
        ],
    )


EXERCISES = [
    Exercise(
        id="00.1",
        title="How many different texts?",
        difficulty=1,
        importance=3,
        minutes=1,
        points=1,
        answer="different_texts",
        stub="different_texts = ...",
        solution="different_texts = 5",
        check=_check_different_texts,
        hints=[
            "Go down the list and tick each text when you meet it for the first time.",
            "len(set(few)) counts them: a set keeps each text once.",
        ],
        wrong_answers=[
            WrongAnswer("different_texts = 7", "number of lines"),
            WrongAnswer("different_texts = 3", "left out the texts that have a copy"),
            WrongAnswer("different_texts = 2", "2 texts have a copy"),
            WrongAnswer("different_texts = 'five'", "a number was expected"),
        ],
        praise="Seven lines, five texts. Keep the two apart: the real file has the same trap.",
        explanation="len(set(few)) gives the same.",
    ),
    Exercise(
        id="00.2",
        title="Measure the leak",
        difficulty=2,
        importance=5,
        minutes=3,
        points=2,
        answer="share_seen",
        stub='''
            def share_seen(train_texts, test_texts):
                """Share of the test texts, 0 to 1, that stand in the training texts too."""
                ...
        ''',
        solution=_SHARE_SEEN,
        check=_check_share_seen,
        hints=[
            "Put the training texts into a set: `text in known` then answers at once.",
            "Count the test texts that are in the set. Divide by how many test texts there are.",
        ],
        wrong_answers=[
            WrongAnswer(changed(_SHARE_SEEN, " / len(test_texts)", ""), "Divide by how many"),
            WrongAnswer(changed(_SHARE_SEEN, "return sum", "return 100 * sum"), "percentage"),
            WrongAnswer(
                changed(
                    _SHARE_SEEN,
                    "return sum(text in known for text in test_texts) / len(test_texts)",
                    "return len(known & set(test_texts)) / len(set(test_texts))",
                ),
                "scored twice",
            ),
            WrongAnswer(
                "def share_seen(train_texts, test_texts):\n"
                "    known = set(test_texts)\n"
                "    return sum(text in known for text in train_texts) / len(train_texts)",
                "other way round",
            ),
            WrongAnswer(
                changed(_SHARE_SEEN, "/ len(test_texts)", "/ len(train_texts)"), "Whose share"
            ),
            WrongAnswer(changed(_SHARE_SEEN, "text in known", "text not in known"), "that is new"),
            WrongAnswer(
                changed(_SHARE_SEEN, "known = set(train_texts)", "known = train_texts"),
                "row numbers",
            ),
        ],
        praise="Run it on every split that you make, before you believe a score.",
        explanation="A set answers `in` at once, for a list and for a pandas column alike.",
    ),
    Exercise(
        id="00.3",
        title="A search that reads both languages",
        difficulty=2,
        importance=3,
        minutes=4,
        points=2,
        answer="find",
        stub='''
            def find(products, words):
                """Ids of the products whose two titles together contain every word (a list)."""
                ...
        ''',
        solution=_FIND,
        check=_check_find,
        hints=[
            "Join the two titles into one text, and turn it into lower case.",
            "all(word.lower() in titles for word in words) says whether every word is there; "
            "if so, append product.id to found.",
        ],
        wrong_answers=[
            WrongAnswer(changed(_FIND, "if all(", "if any("), "all, not any"),
            WrongAnswer(changed(_FIND, " {product.title_zh}", ""), "English titles only"),
            WrongAnswer(changed(_FIND, "{product.title_en} ", ""), "Chinese titles only"),
            WrongAnswer(changed(_FIND, ".lower()\n", ".lower().split()\n"), "compare whole words"),
            WrongAnswer(
                changed(
                    _FIND,
                    "all(word.lower() in titles for word in words)",
                    "all(word.lower() in product.title_en.lower() for word in words) or "
                    "all(word.lower() in product.title_zh.lower() for word in words)",
                ),
                "all words in one title",
            ),
            WrongAnswer(
                changed(
                    changed(_FIND, '{product.title_zh}".lower()', '{product.title_zh}"'),
                    "word.lower() in",
                    "word in",
                ),
                "lower case",
            ),
            WrongAnswer(
                changed(
                    _FIND,
                    "all(word.lower() in titles for word in words)",
                    '"".join(words).lower() in titles',
                ),
                "glue the words together",
            ),
            WrongAnswer(
                changed(
                    _FIND,
                    "all(word.lower() in titles for word in words)",
                    '" ".join(words).lower() in titles',
                ),
                "side by side",
            ),
            WrongAnswer(
                changed(_FIND, "append(product.id)", "append(product.title_en)"), "not the titles"
            ),
        ],
        praise="It still takes 苹果 for fruit and for a cable alike: letters carry no meaning yet.",
        explanation="Lower case on both sides; every word must be found, in whatever order.",
    ),
]

QUIZ = [
    Question(
        "A colleague splits the 35,123 raw lines at random, and the model gets 95 % of the test "
        "lines right. What does this say about reviews that the model has never seen?",
        options=[
            Option(
                "It will get 95 % of them right.",
                "78 % of those test lines stand in the training part, so 95 % may be memory.",
            ),
            Option(
                "Little: most test lines stand in the training part.",
                "78 % of them were seen. Score the model on a split with none seen.",
                right=True,
            ),
            Option(
                "It will get 22 % of them right.",
                "22 % is the share of test lines that are new. It says nothing about the model.",
            ),
        ],
    ),
    Question(
        'What does `"无线耳机".split()` give?',
        options=[
            Option(
                "`['无线', '耳机']`",
                "That is how a person cuts it. `split` knows only spaces, and there are none.",
            ),
            Option(
                "`['无', '线', '耳', '机']`",
                '`split` never cuts between characters. `list("无线耳机")` would.',
            ),
            Option(
                "`['无线耳机']`",
                "One piece: no space, no cut. So a search for its two words must find them itself.",
                right=True,
            ),
        ],
    ),
    Question(
        "The largest quantity in the baskets is 89,638. What do you do first?",
        options=[
            Option(
                "Look at the line, its product and the description of the column.",
                "It is petrol, in thousandths of a gallon: 89.6 gallons for 250 dollars.",
                right=True,
            ),
            Option(
                "Drop it: nobody buys 89,638 of anything.",
                "It is a true purchase in another unit, and thousands of lines are like it.",
            ),
            Option(
                "Divide all quantities by 1,000.",
                "Then a litre of milk becomes a thousandth. Only fuel has that unit.",
            ),
            Option(
                "Replace it by the median quantity.",
                "That invents a purchase, and hides what the column means.",
            ),
        ],
    ),
    Question(
        "Of the products in week 3, households had bought 9 % before; in week 53 it is 49 %. "
        "Why is week 3 so low?",
        options=[
            Option(
                "The households had just moved to this shop.",
                "Nothing in the data says so. The shop's records may be older than this table.",
            ),
            Option(
                "In January people try new things.",
                "The share climbs for months, not only in January.",
            ),
            Option(
                "The weekly number of baskets was lower then.",
                "From week 2 on the weeks are about equally large; only the share climbs.",
            ),
            Option(
                "The table starts in week 1, so it has not seen what was bought before.",
                "A purchase counts as a repeat only if the first one is in the table.",
                right=True,
            ),
        ],
    ),
    Question(
        "What holds for the course's split of the Chinese reviews?",
        several=True,
        options=[
            Option(
                "No test text stands in the training part.",
                "Copies are merged, and near-copies that differ in signs or case share a part.",
                right=True,
            ),
            Option(
                "Every label is right.",
                "“缺点:” (“Drawbacks:”) is still labelled positive. A split mends no label.",
            ),
            Option(
                "It is the same on every machine.",
                "The part is computed from the text itself, not drawn at random.",
                right=True,
            ),
            Option(
                "Half of the texts are in the test part.",
                "About one tenth is: 1,708 of 17,363. Half was the share of copies in the file.",
            ),
        ],
    ),
]
