"""Exercises and quiz of lesson 12, faithful explanations."""

from __future__ import annotations

from typing import Any

from ecomtutor.exercises.checking import expect_function
from ecomtutor.exercises.registry import Exercise, Option, Question, WrongAnswer, changed

_TWO = '''
def two_words(empty, first, second, both):
    """What each method gives the first word and the second, from the four answers of the model."""
    leave_one_out = (both - second, both - first)
    one_alone = (first - empty, second - empty)
    pairs = zip(leave_one_out, one_alone, strict=True)
    shapley = tuple((out + alone) / 2 for out, alone in pairs)
    return leave_one_out, one_alone, shapley
'''


def _check_two_words(two_words: Any) -> None:
    def variant(
        swap: bool = False, from_empty: bool = False, alone: Any = None, mean: Any = None
    ) -> Any:
        def values(empty: float, first: float, second: float, both: float) -> Any:
            out = (both - first, both - second) if swap else (both - second, both - first)
            if from_empty:
                out = (second - empty, first - empty)
            single = (first - empty, second - empty)
            if alone == "no empty":
                single = (first, second)
            shapley = tuple((o + s) / 2 for o, s in zip(out, single, strict=True))
            if mean == "sum":
                shapley = tuple(2 * each for each in shapley)
            if mean == "half":
                shapley = ((both - empty) / 2,) * 2
            return out, single, shapley

        return values

    expect_function(
        two_words,
        variant(),
        cases=[(0.1, 0.2, 0.5, 1.0), (0.0, 0.0, 0.0, 1.0), (0.0, 1.0, 1.0, 1.0), (2.0, 5.0, 1, 3)],
        mistakes=[
            (
                variant(swap=True),
                "The two words have changed places in leave-one-out. Without the first word the "
                "second is still there: both − second is what the first was worth.",
            ),
            (
                variant(from_empty=True),
                "Leave-one-out starts from the whole text, not from the empty one: how far does "
                "the answer fall when the word goes?",
            ),
            (
                variant(alone="no empty"),
                "One alone is measured from the empty text: subtract what the model says when "
                "nothing is there.",
            ),
            (
                variant(mean="sum"),
                "Your Shapley values add up to twice full − empty: a word comes first in half of "
                "the two orders, and last in the other half. Take the mean.",
            ),
            (
                variant(mean="half"),
                "You share full − empty evenly. That is right only where the two words are alike: "
                "take the mean of what each adds when it comes first and when it comes last.",
            ),
        ],
    )


_PRECISION = '''
def precision_at(k, values, truth):
    """The share of the k units with the largest values that belong to the truth."""
    first = np.argsort(-values, kind="stable")[:k]
    return sum(int(unit) in truth for unit in first) / k
'''


def _check_precision(precision_at: Any) -> None:
    import numpy as np

    def variant(key: Any = lambda v: -v, over: Any = lambda k, truth: k) -> Any:
        def share(k: int, values: Any, truth: Any) -> float:
            first = np.argsort(key(values), kind="stable")[:k]
            return sum(int(unit) in truth for unit in first) / over(k, truth)

        return share

    def by_values(k: int, values: Any, truth: Any) -> float:
        return sum(int(value) in truth for value in sorted(values, reverse=True)[:k]) / k

    values = np.array([0.2, -3.0, 1.5, 0.9, -0.1, 0.4])
    expect_function(
        precision_at,
        variant(),
        cases=[
            (3, values, {2, 3, 4, 5}),
            (1, values, {2}),
            (2, values, {2, 5}),
            (3, values, {3}),
            (1, values, {1}),
            (2, np.array([4.0, 0.0, 1.0, 3.0]), {1, 2}),
        ],
        mistakes=[
            (
                variant(lambda v: -abs(v)),
                "You rank by size and forget the sign. A word that speaks against the label has a "
                "large negative value; it is not what brought the label about.",
            ),
            (
                variant(lambda v: v),
                "Your ranking begins with the smallest value. The largest comes first: argsort of "
                "−values.",
            ),
            (
                variant(over=lambda k, truth: len(truth)),
                "You divide by how many true units there are: that is recall. Precision divides by "
                "k, how many were named.",
            ),
            (
                variant(over=lambda k, truth: 1),
                "That is how many were found. Divide by k.",
            ),
            (
                by_values,
                "You look whether the *values* stand in the truth. The truth holds numbers of "
                "units: argsort gives those.",
            ),
        ],
    )


_AOPC = '''
def aopc(deletion, shares=(0.01, 0.05, 0.1, 0.2, 0.5)):
    """Mean fall of the output when these shares of the units are hidden, at least one unit."""
    n = len(deletion) - 1
    hidden = [max(1, round(share * n)) for share in shares]
    return sum(deletion[0] - deletion[k] for k in hidden) / len(hidden)
'''


def _check_aopc(aopc: Any) -> None:
    import numpy as np

    shares = (0.01, 0.05, 0.1, 0.2, 0.5)

    def variant(least: int = 1, off: int = 1, fall: bool = True, total: bool = False) -> Any:
        def mean(deletion: Any, shares: Any = shares) -> float:
            n = len(deletion) - off
            hidden = [max(least, round(share * n)) for share in shares]
            falls = [deletion[0] - deletion[k] if fall else deletion[k] for k in hidden]
            return float(sum(falls) if total else sum(falls) / len(falls))

        return mean

    slow = np.linspace(0.9, 0.1, 11)
    quick = np.array([0.95, 0.2, 0.15, 0.1, 0.1, 0.08, 0.05])
    five = np.array([1.0, 0.8, 0.5, 0.3, 0.2, 0.0])
    expect_function(
        aopc,
        variant(),
        cases=[(quick,), (slow,), (five, (0.5, 1.0)), (five, (0.3,)), (slow, (0.05, 0.25))],
        mistakes=[
            (
                variant(least=0),
                "In a short text one per cent of the units rounds to none, and hiding none changes "
                "nothing. Hide one unit at least: max(1, …).",
            ),
            (
                variant(fall=False),
                "That is how high the output still is. Asked is how far it has fallen: deletion[0] "
                "minus that.",
            ),
            (
                lambda deletion, shares=shares: -variant()(deletion, shares),
                "The sign is turned round: a fall is what it was at first minus what it is now.",
            ),
            (variant(total=True), "These are the falls added up. Take their mean."),
            (
                lambda deletion, shares=shares: float(np.mean(deletion[0] - deletion[1:])),
                "You take the mean over every number of hidden units. Only the shares that were "
                "asked for count.",
            ),
            (
                variant(off=0),
                "The curve has one point more than there are units, for nothing hidden: n is "
                "len(deletion) − 1.",
            ),
        ],
    )


_SPEARMAN = '''
def rank_agreement(one, other):
    """Spearman's correlation of two lists of values without ties: 1 same order, -1 reversed."""
    first, second = (values.argsort().argsort() for values in (one, other))
    return float(np.corrcoef(first, second)[0, 1])
'''


def _check_spearman(rank_agreement: Any) -> None:
    import numpy as np

    def ranks(values: Any) -> Any:
        return values.argsort().argsort()

    def by(key: Any) -> Any:
        return lambda one, other: float(np.corrcoef(key(one), key(other))[0, 1])

    def squares(one: Any, other: Any, below: Any) -> float:
        gap = ranks(one) - ranks(other)
        return float(1 - 6 * (gap**2).sum() / below(len(one)))

    rng = np.random.default_rng(2)
    one = rng.normal(size=7)
    other = np.exp(2 * one) + rng.normal(size=7) * 0.4
    third = np.array([0.3, -4.0, 0.1, 2.0, 0.9, -0.2])
    fourth = np.array([0.1, 9.0, -0.3, 0.2, 4.0, -2.0])
    expect_function(
        rank_agreement,
        by(ranks),
        cases=[(third, fourth), (one, other), (one, -(one**3))],
        mistakes=[
            (
                by(lambda values: values.argsort()),
                "argsort once gives the unit at each place; the place of each unit is argsort of "
                "that. Correlate the places.",
            ),
            (
                by(lambda values: values),
                "You correlate the values themselves (Pearson): one large value decides. Turn "
                "values into ranks first.",
            ),
            (
                by(lambda values: ranks(abs(values))),
                "You rank by size and forget the signs: for and against a label become alike.",
            ),
            (
                lambda one, other: squares(one, other, lambda n: n * n - 1),
                "In 1 − 6 Σd² / (n (n² − 1)) the factor n is missing.",
            ),
            (
                lambda one, other: float((ranks(one) == ranks(other)).mean()),
                "You count equal ranks. Two orders that differ by one place everywhere are nearly "
                "the same, and have no rank in common.",
            ),
        ],
    )


EXERCISES = [
    Exercise(
        id="12.1",
        title="Three methods, two words",
        difficulty=2,
        importance=5,
        minutes=8,
        points=3,
        answer="two_words",
        stub='''
            def two_words(empty, first, second, both):
                """What each method gives the first word and the second, from the four answers."""
                ...
        ''',
        solution=_TWO,
        check=_check_two_words,
        hints=[
            "Leave-one-out asks how far `both` falls when a word goes. Without the first word the "
            "model says `second`. One alone asks how far `empty` rises when a word comes.",
            "There are two orders of arrival. In one the first word comes first (it adds what it "
            "adds alone), in the other last (it adds what leave-one-out says). Shapley is the mean "
            "of the two. Return three pairs.",
        ],
        wrong_answers=[
            WrongAnswer(
                changed(_TWO, "(both - second, both - first)", "(both - first, both - second)"),
                "changed places",
            ),
            WrongAnswer(
                changed(_TWO, "(both - second, both - first)", "(second - empty, first - empty)"),
                "starts from the whole text",
            ),
            WrongAnswer(
                changed(_TWO, "(first - empty, second - empty)", "(first, second)"),
                "from the empty text",
            ),
            WrongAnswer(changed(_TWO, "(out + alone) / 2", "out + alone"), "Take the mean"),
            WrongAnswer(
                changed(
                    _TWO,
                    "tuple((out + alone) / 2 for out, alone in pairs)",
                    "((both - empty) / 2, (both - empty) / 2)",
                ),
                "evenly",
            ),
        ],
        praise="Each single step sees half of the story. Shapley is the mean of both halves.",
        explanation="What a word adds depends on who is there already; each method picks a moment.",
    ),
    Exercise(
        id="12.2",
        title="Precision against the truth",
        difficulty=1,
        importance=5,
        minutes=6,
        points=2,
        answer="precision_at",
        setup="import numpy as np",
        stub='''
            def precision_at(k, values, truth):
                """The share of the k units with the largest values that belong to the truth."""
                ...
        ''',
        solution=_PRECISION,
        check=_check_precision,
        hints=[
            "`np.argsort(-values)` lists the units' numbers, the largest value first. Take the "
            "first k.",
            "`sum(int(unit) in truth for unit in first)` counts those that belong to the truth. "
            "Of how many that were named?",
        ],
        wrong_answers=[
            WrongAnswer(changed(_PRECISION, "-values", "-abs(values)"), "forget the sign"),
            WrongAnswer(changed(_PRECISION, "-values", "values"), "smallest value"),
            WrongAnswer(changed(_PRECISION, "/ k", "/ len(truth)"), "that is recall"),
            WrongAnswer(changed(_PRECISION, " / k", ""), "how many were found"),
            WrongAnswer(
                "def precision_at(k, values, truth):\n"
                "    first = sorted(values, reverse=True)[:k]\n"
                "    return sum(int(value) in truth for value in first) / k",
                "numbers of units",
            ),
        ],
        praise="With a known truth an explanation is marked like any other prediction.",
        explanation="Precision at k: of the k units that the method names first, how many matter.",
    ),
    Exercise(
        id="12.3",
        title="How far it falls",
        difficulty=2,
        importance=4,
        minutes=8,
        points=3,
        answer="aopc",
        stub='''
            def aopc(deletion, shares=(0.01, 0.05, 0.1, 0.2, 0.5)):
                """Mean fall of the output when these shares of the units are hidden."""
                ...
        ''',
        solution=_AOPC,
        check=_check_aopc,
        hints=[
            "`deletion[k]` is the output with the first k units hidden, so the curve has one point "
            "more than the text has units. Which k belongs to a share?",
            "`max(1, round(share * n))` hides one unit at least. Then the mean of "
            "`deletion[0] - deletion[k]` over the shares.",
        ],
        wrong_answers=[
            WrongAnswer(
                changed(_AOPC, "max(1, round(share * n))", "round(share * n)"), "one unit at least"
            ),
            WrongAnswer(
                changed(_AOPC, "deletion[0] - deletion[k]", "deletion[k]"), "how high the output"
            ),
            WrongAnswer(
                changed(_AOPC, "deletion[0] - deletion[k]", "deletion[k] - deletion[0]"),
                "sign is turned",
            ),
            WrongAnswer(changed(_AOPC, " / len(hidden)", ""), "added up"),
            WrongAnswer(
                changed(
                    _AOPC,
                    "return sum(deletion[0] - deletion[k] for k in hidden) / len(hidden)",
                    "return sum(deletion[0] - d for d in deletion[1:]) / n",
                ),
                "every number of hidden units",
            ),
            WrongAnswer(changed(_AOPC, "len(deletion) - 1", "len(deletion)"), "one point more"),
        ],
        praise="Now compare it with random orders: the number alone says nothing.",
        explanation="Words that mattered take the probability down with them when they go.",
    ),
    Exercise(
        id="12.4",
        title="Do two methods agree?",
        difficulty=3,
        importance=4,
        minutes=8,
        points=3,
        answer="rank_agreement",
        setup="import numpy as np",
        stub='''
            def rank_agreement(one, other):
                """Spearman's correlation of two arrays of values without ties."""
                ...
        ''',
        solution=_SPEARMAN,
        check=_check_spearman,
        hints=[
            "Spearman is the ordinary correlation of the ranks: give the smallest value rank 0, "
            "the next rank 1, and so on, in both arrays.",
            "`values.argsort()` says which unit stands at each place. What does another argsort "
            "of that say? `np.corrcoef(a, b)[0, 1]` is the correlation.",
        ],
        wrong_answers=[
            WrongAnswer(changed(_SPEARMAN, ".argsort().argsort()", ".argsort()"), "argsort once"),
            WrongAnswer(changed(_SPEARMAN, "values.argsort().argsort()", "values"), "Pearson"),
            WrongAnswer(
                changed(_SPEARMAN, "values.argsort().argsort()", "abs(values).argsort().argsort()"),
                "forget the signs",
            ),
            WrongAnswer(
                changed(
                    _SPEARMAN,
                    "return float(np.corrcoef(first, second)[0, 1])",
                    "return float(1 - 6 * ((first - second) ** 2).sum() / (len(one) ** 2 - 1))",
                ),
                "factor n is missing",
            ),
            WrongAnswer(
                changed(
                    _SPEARMAN,
                    "return float(np.corrcoef(first, second)[0, 1])",
                    "return float((first == second).mean())",
                ),
                "count equal ranks",
            ),
        ],
        praise="Agreement says that two methods see the same. It does not say that they see right.",
        explanation="Ranks, and then the ordinary correlation: no value can shout down the others.",
    ),
]

QUIZ = [
    Question(
        "A heat map marks exactly the words that you would have marked yourself. What do you know?",
        options=[
            Option(
                "That it is plausible: it agrees with you.",
                "Yes. Whether the model used these words is another question, and hiding them is "
                "how to ask it.",
                right=True,
            ),
            Option(
                "That it is faithful: model and reader agree.",
                "Only that the picture and the reader agree. The model may have used a brand name.",
            ),
            Option(
                "That the model is a good one.",
                "The map says nothing about how often the model is right.",
            ),
        ],
    ),
    Question(
        "Either of two mentions of a brand would turn the verdict. What does leave-one-out give "
        "the two mentions?",
        options=[
            Option("Half of the credit each.", "That is Shapley's answer."),
            Option(
                "All of the credit each.",
                "That is leave-one-out where both are needed. Here the other mention steps in.",
            ),
            Option(
                "About nothing each.",
                "Hide one and the other still turns the verdict: the answer does not fall.",
                right=True,
            ),
        ],
    ),
    Question(
        "A method has an AOPC of 0.31 on your texts. Is that good?",
        options=[
            Option("Yes, it is above zero.", "Random orders are above zero too."),
            Option(
                "That depends on what random orders reach on the same texts.",
                "In a short text any word takes something along when it goes. The gain over chance "
                "is the figure.",
                right=True,
            ),
            Option(
                "No, it should be near one.",
                "It can only be as high as the probability can fall, and half of its shares hide "
                "a single word.",
            ),
        ],
    ),
    Question(
        "You draw all of a model's weights anew and a method's heat map stays the same. What "
        "follows?",
        options=[
            Option(
                "The method is robust.",
                "Robust against everything that the model has learned: it does not show the model.",
            ),
            Option("The model was never trained.", "The check starts from the trained one."),
            Option(
                "The map shows the text or the architecture, not what was learned.",
                "That is the sanity check of Adebayo and others.",
                right=True,
            ),
        ],
    ),
    Question(
        "All attention weights of a model are replaced by very different ones, and its "
        "probabilities hardly move. What has been shown?",
        options=[
            Option(
                "For this text, the model's own weights were not the only way to this answer.",
                "So “it said so because it looked there” is not proved by the weights. It may "
                "still be so.",
                right=True,
            ),
            Option(
                "Attention is useless and could be left out.",
                "Not shown: trained without it, a model may be worse. That is measured otherwise.",
            ),
            Option(
                "The model is broken.",
                "Its answer stayed the same. Nothing is broken; one reading of its weights is.",
            ),
        ],
    ),
    Question(
        "Two methods agree with a rank correlation of 0.9. Which is right?",
        options=[
            Option(
                "Both, since they confirm each other.",
                "Two methods with the same blind spot agree as well.",
            ),
            Option(
                "That cannot be said from the agreement.",
                "Hide words, or plant a cue: agreement between methods is no truth.",
                right=True,
            ),
            Option(
                "The cheaper one.",
                "Cost matters after both were found faithful, not before.",
            ),
        ],
    ),
]
