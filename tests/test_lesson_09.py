"""Lesson 09: figures, with a retriever and a reader that can be checked by hand; right answers."""

import sys
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from ecomtutor.datasets import passages, questions
from ecomtutor.exercises.judging import import_first, judge
from ecomtutor.exercises.registry import find_exercise
from ecomtutor.figures import lesson_09
from ecomtutor.question_answering.reader import Answer, Reader
from ecomtutor.question_answering.spans import best_spans, separate_argmax
from ecomtutor.teaching.grading.apart import Ground, judge_apart
from ecomtutor.teaching.grading.confine import Limits, has_filter

CACHED = ("asked", "ranks", "read_own", "outcomes")


@pytest.fixture(autouse=True)
def forgotten() -> Any:
    """What one test has computed with small parts is not another's."""
    for name in CACHED:
        getattr(lesson_09, name).cache_clear()
    yield
    for name in CACHED:
        getattr(lesson_09, name).cache_clear()


class Quoting(Reader):
    """Says the first right answer of a question with margin 4; of one without any "that", 2."""

    def answer_all(self, asked: Any, given: Any, **_: Any) -> list[Answer]:  # type: ignore[override]
        table = questions(self.language).drop_duplicates("question").set_index("question")
        answers = []
        for question, pages in zip(asked, given, strict=True):
            gold = table.at[question, "answers"]
            key = table.at[question, "passage_id"]
            text = passages(self.language).set_index("id").at[key, "text"]
            place = next((i for i, page in enumerate(pages) if page.text == text), 0)
            margin = (4.0 if place == 0 else 3.0) if gold else 2.0
            answers.append(Answer(gold[0] if gold else "that", place, 0, 1, margin, 0.0))
        return answers


@pytest.fixture
def quoting(monkeypatch: pytest.MonkeyPatch) -> None:
    room = sys.modules["ecomtutor.question_answering.reader"]
    loaded = {lang: Quoting(None, None, lang, threshold=3.5) for lang in ("en", "zh")}  # type: ignore[arg-type]
    monkeypatch.setattr(room, "load_reader", loaded.__getitem__)


@pytest.fixture
def second(monkeypatch: pytest.MonkeyPatch) -> None:
    """A retriever that puts the right page second, and for every third question nowhere."""

    def search(self: Any, question: str, k: int = 3, way: str = "learned") -> list[Any]:
        table = questions(self.language).drop_duplicates("question").set_index("question")
        key, number = table.at[question, "passage_id"], len(question)
        others = [one for one in passages(self.language)["id"] if one != key][:k]
        ids = others if number % 3 == 0 else [others[0], key, others[1]]
        texts = passages(self.language).set_index("id")["text"]
        return [SimpleNamespace(id=one, text=texts[one]) for one in ids]

    monkeypatch.setattr("ecomtutor.question_answering.retrieve.Retriever.search", search)


def test_the_example_is_what_section_1_says() -> None:
    starts, ends = np.array(lesson_09.STARTS), np.array(lesson_09.ENDS)
    assert separate_argmax(starts, ends) == (5, 1)
    best = best_spans(starts, ends, np.ones(7, dtype=bool), n=2, max_tokens=lesson_09.MOST)
    assert [(b.start, b.end, round(b.score, 1)) for b in best] == [(0, 1, 5.9), (5, 6, 5.6)]
    alt = lesson_09.span_sums().alt
    assert "“7 days” with 5.9" in alt and "first token “15”" in alt


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_sixty_are_test_questions_of_both_kinds(language: str) -> None:
    table = lesson_09.asked(language)
    assert len(table) == lesson_09.QUESTIONS and set(table["split"]) == {"test"}
    assert 0.5 < table["answerable"].mean() < 0.8 and table["id"].is_unique
    key, question = lesson_09.ASKED[language]
    known = questions(language)
    assert known[known["question"] == question]["passage_id"].tolist() == [key]


def test_own_pages_are_right_where_they_have_an_answer(quoting: None) -> None:
    for split in ("test", "validation"):
        table = lesson_09.read_own("en", split)
        assert (table["right"] == table["answerable"]).all()
        assert (table["margin"] == np.where(table["answerable"], 4.0, 2.0)).all()
    assert set(lesson_09.read_own("en", "validation")["split"]) == {"validation"}


def test_costs_by_hand() -> None:
    table = pd.DataFrame({
        "margin": [5.0, 4.0, 3.0, 2.0, 1.0, -1.0],
        "right": [True, True, False, True, False, False],
    })  # fmt: skip
    found = 6 * lesson_09.costs_of(table, np.array([-9, 2.0, 3.5, 9]))
    assert found.round(9).tolist() == [30, 12, 4, 6]


def test_the_cost_figure_ends_at_the_price_of_a_person(quoting: None) -> None:
    alt = lesson_09.cost("en").alt
    table = lesson_09.read_own("en")
    # Right answers have margin 4: from there on only refusals cost.
    cheapest = 1 - table["answerable"].mean()
    assert f"test cheapest at 4.0 with {cheapest:.2f} a question" in alt
    assert "to a person costs 1" in alt


def test_outcomes_name_where_an_answer_was_lost(quoting: None, second: None) -> None:
    table = lesson_09.outcomes("zh")
    assert table["answerable"].all() and len(table) < lesson_09.QUESTIONS
    nowhere = table["question"].str.len() % 3 == 0
    assert (table["found"] == ~nowhere).all()
    # On its own page in second place the margin is 3, below the threshold.
    assert set(table.loc[~nowhere, "outcome"]) == {"refused"}
    # The right words are right, wherever they stand.
    assert set(table.loc[nowhere, "outcome"]) == {"right"}
    alt = lesson_09.outcome_bars().alt
    assert f"and {nowhere.mean():.2f}, wrong words 0.00 and 0.00" in alt


def test_wrong_words_and_another_page_are_told_apart(
    quoting: None, second: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def silly(self: Any, asked: Any, given: Any, **_: Any) -> list[Answer]:
        return [Answer("nonsense", len(q) % 2, 0, 8, 9.0, 0.0) for q in asked]

    monkeypatch.setattr(Quoting, "answer_all", silly)
    table = lesson_09.outcomes("en")
    own = table["page"] == table["passage_id"]
    assert own.any() and set(table.loc[own, "outcome"]) == {"wrong words"}
    assert set(table.loc[~own, "outcome"]) == {"another page"}


def test_recall_counts_ranks_from_one(monkeypatch: pytest.MonkeyPatch) -> None:
    ranks = pd.DataFrame({
        "words": [1, 2, 4, 9], "meaning": [1, 1, 3, 12], "both": [1, 1, 1, 2],
        "taught": [1, 1, 2, 3], "learned": [1, 1, 1, 1],
    })  # fmt: skip
    monkeypatch.setattr(lesson_09, "ranks", lambda language: ranks)
    alt = lesson_09.recall().alt
    assert "English, words (BM25): 0.25, 0.50" in alt
    assert "Chinese, meaning (encoder): 0.50, 0.75" in alt
    assert "both, fused by ranks: 0.75, 1.00" in alt
    assert "words and taught, weighed: 1.00, 1.00" in alt


def test_ranks_find_a_page_by_its_own_words(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever asks with the whole page gets that page, whichever way is used."""
    pages = passages("zh")
    table = pages[pages["kind"] == "policy"].head(3)
    asked = pd.DataFrame({
        "question": table["title"] + table["text"], "passage_id": table["id"], "split": "test",
    })  # fmt: skip
    monkeypatch.setattr("ecomtutor.datasets.questions", lambda language: asked)
    found = lesson_09.ranks("zh")
    assert (found[["words", "both", "learned"]] == 1).all(axis=None)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_logits_are_drawn_around_the_best_span(
    language: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    key, _ = lesson_09.ASKED[language]
    text = passages(language).set_index("id").at[key, "text"]
    window = SimpleNamespace(
        first=2,
        offsets=np.array([[i, i + 1] for i in range(30)]),
        allowed=np.array([False, False] + [True] * 30),
        characters=lambda start, end: (start - 2, end - 1),
    )
    start, end = np.full(32, -2.0), np.full(32, -2.0)
    start[7], end[9] = 3.0, 2.5
    room = sys.modules["ecomtutor.question_answering.reader"]
    fake = SimpleNamespace(logits=lambda question, passage: [(window, start, end)])
    monkeypatch.setattr(room, "load_reader", lambda language: fake)
    alt = lesson_09.logits(language).alt
    assert f"“{text[5:8]}”" in alt and "start logit is 3.0 and the end logit 2.5" in alt


TABLE = """
import numpy as np
def best_span(start_logits, end_logits, max_tokens):
    sums = np.add.outer(start_logits, end_logits)
    i, j = np.indices(sums.shape)
    sums = np.where((i <= j) & (j - i < max_tokens), sums, -np.inf)
    return {}(np.unravel_index(sums.argmax(), sums.shape))
"""
NEW = "(n for n in re.findall(NUMBER, answer) if n not in re.findall(NUMBER, passage))"
NUMBERS = "import numpy as np\ndef invented_numbers(answer, passage):\n    return "
OTHER_SHAPES = {
    "a list": ("09.1", TABLE.format("list")),
    "an array": ("09.1", TABLE.format("np.array")),
    "NumPy's tuple": ("09.1", TABLE.format("")),
    "words taken one by one": (
        "09.2",
        "def word_f1(said, right):\n"
        "    said, right, n = said.split(), right.split(), 0\n"
        "    if not said and not right:\n        return 1\n"
        "    both = len(said) + len(right)\n"
        "    for word in said:\n"
        "        if word in right:\n            right.remove(word)\n            n += 1\n"
        "    return 2 * n / both",
    ),
    "the library's longest match": (
        "09.3",
        "from difflib import SequenceMatcher\n"
        "def run_f1(said, right):\n"
        "    both = SequenceMatcher(None, said, right, autojunk=False)\n"
        "    n = both.find_longest_match(0, len(said), 0, len(right)).size\n"
        "    return 2 * n / (len(said) + len(right))",
    ),
    "a Series": (
        "09.4",
        "import pandas as pd\n"
        "def fused(rankings, constant=10):\n"
        "    rows = [(p, 1 / (constant + r)) for each in rankings for r, p in enumerate(each, 1)]\n"
        "    return pd.DataFrame(rows).groupby(0)[1].sum()",
    ),
    "a Counter": (
        "09.4",
        "from collections import Counter\n"
        "def fused(rankings, constant=10):\n"
        "    scores = Counter()\n"
        "    for each in rankings:\n"
        "        for r, p in enumerate(each, 1):\n            scores[p] += 1 / (constant + r)\n"
        "    return scores",
    ),
    "a loop": (
        "09.5",
        "def mean_cost(margin, right, threshold, wrong=10, refusal=1):\n"
        "    pairs = zip(margin, right)\n"
        "    costs = [refusal if m < threshold else 0 if r else wrong for m, r in pairs]\n"
        "    return sum(costs) / len(costs)",
    ),
    "a tuple of numbers": ("09.6", NUMBERS + f"tuple{NEW}"),
    "an array of numbers": ("09.6", NUMBERS + f"np.array([*{NEW}])"),
    "a generator": ("09.6", NUMBERS + NEW),
    "a filter": (
        "09.6",
        NUMBERS + "filter(lambda n: n not in re.findall(NUMBER, passage), "
        "re.findall(NUMBER, answer))",
    ),
}


@pytest.mark.parametrize(("number", "source"), OTHER_SHAPES.values(), ids=OTHER_SHAPES)
def test_a_right_answer_of_another_shape_passes(number: str, source: str) -> None:
    exercise = find_exercise(number)
    names: dict[str, Any] = {}
    exec(f"{exercise.setup}\n{source}", names)
    verdict = judge(exercise, [names[name] for name in exercise.names], names)
    assert verdict.standing == "right", verdict.message


@pytest.mark.skipif(not has_filter(), reason="the filter is for Linux on x86 and ARM")
@pytest.mark.parametrize("name", ["an array", "a Series", "a generator", "a filter"])
def test_and_in_the_grader_too(name: str) -> None:
    number, source = OTHER_SHAPES[name]
    exercise = find_exercise(number)
    names: dict[str, Any] = {}
    exec(exercise.setup, names)
    import_first(exercise.check)
    limits = Limits(patience=4.0, wall=15)  # others use the processors too
    found = judge_apart(exercise, {number: source}, Ground(names), limits)
    assert found.status == "pass", found
