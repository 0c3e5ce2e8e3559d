"""Exercises and quiz of lesson 10, Shapley values."""

from __future__ import annotations

from typing import Any

from ecomtutor.exercises.checking import expect_function
from ecomtutor.exercises.registry import Exercise, Option, Question, WrongAnswer, changed

_SHAPLEY = '''
def shapley_value(worth, player, players):
    """Mean gain of a player over all orders; worth[frozenset(…)] is a number."""
    gains = []
    for order in permutations(players):
        before = frozenset(order[: order.index(player)])
        gains.append(worth[before | {player}] - worth[before])
    return sum(gains) / len(gains)
'''


def _table(players: str, seed: int) -> dict[frozenset[str], float]:
    import numpy as np

    dice = np.random.default_rng(seed)
    chosen = [
        frozenset(p for i, p in enumerate(players) if number >> i & 1)
        for number in range(2 ** len(players))
    ]
    return dict(zip(chosen, dice.normal(size=len(chosen)).round(2).tolist(), strict=True))


def _gains(worth: Any, player: Any, players: Any) -> list[float]:
    from itertools import permutations

    found = []
    for order in permutations(players):
        before = frozenset(order[: order.index(player)])
        found.append(worth[before | {player}] - worth[before])
    return found


def _check_shapley(shapley_value: Any) -> None:
    everyone = frozenset

    def mean(numbers: list[float]) -> float:
        return sum(numbers) / len(numbers)

    def unweighted(worth: Any, player: Any, players: Any) -> float:
        return mean([worth[s | {player}] - worth[s] for s in worth if player not in s])

    expect_function(
        shapley_value,
        lambda worth, player, players: mean(_gains(worth, player, players)),
        cases=[
            (_table("abc", 1), "b", ["a", "b", "c"]),
            (_table("abcd", 2), "d", ["a", "b", "c", "d"]),
            (_table("a", 3), "a", ["a"]),
        ],
        mistakes=[
            (
                lambda w, p, ps: w[everyone(ps)] - w[everyone(ps) - {p}],
                "That is leave one out: the gain of the player who comes last. Shapley takes the "
                "mean over all orders.",
            ),
            (
                lambda w, p, ps: w[everyone([p])] - w[everyone()],
                "That is the gain of the player who comes first. Take the mean over all orders.",
            ),
            (
                unweighted,
                "Each coalition counts the same in yours. Among the orders the very small and the "
                "very large coalitions come more often: the mean is over orders.",
            ),
            (
                lambda w, p, ps: sum(_gains(w, p, ps)),
                "That is the sum over the orders. Divide by how many orders there are.",
            ),
            (
                lambda w, p, ps: -mean(_gains(w, p, ps)),
                "The sign is turned round: a gain is the worth with the player minus that without.",
            ),
            (
                lambda w, p, ps: mean(
                    [w[s | {p}] for s in [everyone(o) - {p} for o in _befores(p, ps)]]
                ),
                "You take the mean of the worths with the player there, and forget what the others "
                "were worth before.",
            ),
        ],
    )


def _befores(player: Any, players: Any) -> list[Any]:
    from itertools import permutations

    return [order[: order.index(player)] for order in permutations(players)]


_ORDER = '''
def gains_of_order(worth, order):
    """What each unit added when it came: array (units,), at the unit's place."""
    there = np.zeros(len(order), dtype=bool)
    gains = np.zeros(len(order))
    before = worth(there)
    for unit in order:
        there[unit] = True
        after = worth(there)
        gains[unit] = after - before
        before = after
    return gains
'''


def _check_order(gains_of_order: Any) -> None:
    import numpy as np

    dice = np.random.default_rng(5)
    weights, pairs = dice.normal(size=5).round(1), dice.normal(size=(5, 5)).round(1)

    def worth(there: Any) -> float:
        t = np.asarray(there, dtype=float)
        return float(1.5 + weights[: len(t)] @ t + t @ pairs[: len(t), : len(t)] @ t)

    def walk(worth: Any, order: Any) -> list[float]:
        there = np.zeros(len(order), dtype=bool)
        worths = [worth(there.copy())]
        for unit in order:
            there[unit] = True
            worths.append(worth(there.copy()))
        return worths

    def placed(rule: Any) -> Any:
        def gains(worth: Any, order: Any) -> Any:
            found = np.zeros(len(order))
            found[list(order)] = rule(np.array(walk(worth, order)))
            return found

        return gains

    expect_function(
        gains_of_order,
        placed(np.diff),
        cases=[(worth, [3, 0, 4, 1, 2]), (worth, [1, 0]), (worth, [0])],
        mistakes=[
            (
                lambda worth, order: np.diff(walk(worth, order)),
                "Your gains stand in the order of arrival. Put each at its unit's place: "
                "gains[unit].",
            ),
            (
                placed(lambda worths: worths[1:] - worths[0]),
                "You compare each worth with that of nobody. Compare with the worth just before: "
                "before = after.",
            ),
            (placed(lambda worths: worths[1:]), "You give the worths. A gain is a difference."),
            (
                placed(lambda worths: -np.diff(worths)),
                "The sign is turned round: after minus before.",
            ),
            (
                lambda worth, order: placed(np.diff)(worth, list(order)[::-1]),
                "That is the opposite order: the first in the list comes first.",
            ),
        ],
    )


_ROWS = '''
def rows_of_tree(n):
    """Rows asked on a balanced tree, besides the empty and the whole text."""
    if n == 1:
        return 0
    left = n // 2
    return 2 + 2 * (rows_of_tree(left) + rows_of_tree(n - left))
'''


def _check_rows(rows_of_tree: Any) -> None:
    def tree(asked: int, contexts: int) -> Any:
        def rows(n: int) -> int:
            return 0 if n == 1 else asked + contexts * (rows(n // 2) + rows(n - n // 2))

        return rows

    right = tree(2, 2)
    expect_function(
        rows_of_tree,
        right,
        cases=[(n,) for n in (7, 1, 2, 3, 4, 16, 25, 110)],
        mistakes=[
            (lambda n: 2**n, "These are all coalitions. A tree does not ask for all of them."),
            (
                tree(2, 1),
                "Each part is split once in yours. It is split twice: once without and once with "
                "its neighbour there.",
            ),
            (
                tree(1, 2),
                "A split asks two rows: with the left part there, and with the right part there.",
            ),
            (
                tree(4, 2),
                "A split asks two rows, not four: without both parts and with both are known from "
                "the level above.",
            ),
            (
                lambda n: right(n) + 2,
                "The empty and the whole text are counted. Asked are the rows besides those two.",
            ),
            (
                lambda n: 2 * (n * n - 1) / 3,
                "2/3 (n² - 1) is exact where n is a power of two. Count split by split for other "
                "n, too.",
            ),
            (
                lambda n: 2 * (n * n - 1) // 3,
                "2/3 (n² - 1) is exact where n is a power of two. Count split by split for other "
                "n, too.",
            ),
        ],
    )


_READING = '''
def reading(values):
    """Strength (mean |value|), direction (mean), share above zero."""
    values = np.asarray(values)
    return abs(values).mean(), values.mean(), (values > 0).mean()
'''


def _check_reading(reading: Any) -> None:
    import numpy as np

    def right(values: Any) -> tuple[float, float, float]:
        v = np.asarray(values)
        return float(abs(v).mean()), float(v.mean()), float((v > 0).mean())

    def strength_of_mean(values: Any) -> tuple[float, float, float]:
        return abs(right(values)[1]), *right(values)[1:]

    def doubled(values: Any) -> tuple[float, float, float]:
        return right(values)[0], right(values)[0], right(values)[2]

    def with_zeros(values: Any) -> tuple[float, float, float]:
        return *right(values)[:2], float((np.asarray(values) >= 0).mean())

    expect_function(
        reading,
        right,
        cases=[([2.0, -2.0, 1.0, 0.0],), ([-0.5, -1.5],), (np.array([0.2, -0.4, 0.9]),)],
        mistakes=[
            (
                strength_of_mean,
                "Your strength is the mean made positive: ups and downs cancel before you take it. "
                "First |value|, then the mean.",
            ),
            (doubled, "Your direction has lost its sign: there it is the plain mean."),
            (with_zeros, "A value of exactly 0 moves nothing: above zero is > and not >=."),
            (
                lambda values: (*right(values)[:2], int((np.asarray(values) > 0).sum())),
                "That is how many values are above zero. Asked is the share.",
            ),
            (
                lambda values: (*right(values)[:2], 100 * right(values)[2]),
                "That is a percentage: give a share between 0 and 1.",
            ),
        ],
    )


EXERCISES = [
    Exercise(
        id="10.1",
        title="A Shapley value from a table",
        difficulty=2,
        importance=5,
        minutes=9,
        points=3,
        answer="shapley_value",
        setup="from itertools import permutations",
        stub='''
            def shapley_value(worth, player, players):
                """Mean gain of a player over all orders; worth[frozenset(…)] is a number."""
                ...
        ''',
        solution=_SHAPLEY,
        check=_check_shapley,
        hints=[
            "`permutations(players)` (from itertools) gives all orders. In each one: who is there "
            "already when the player comes?",
            "`before = frozenset(order[: order.index(player)])`; the gain is "
            "`worth[before | {player}] - worth[before]`. Take the mean of the gains.",
        ],
        wrong_answers=[
            WrongAnswer(
                "def shapley_value(worth, player, players):\n"
                "    everyone = frozenset(players)\n"
                "    return worth[everyone] - worth[everyone - {player}]",
                "leave one out",
            ),
            WrongAnswer(
                "def shapley_value(worth, player, players):\n"
                "    return worth[frozenset([player])] - worth[frozenset()]",
                "comes first",
            ),
            WrongAnswer(
                "def shapley_value(worth, player, players):\n"
                "    gains = [worth[s | {player}] - worth[s] for s in worth if player not in s]\n"
                "    return sum(gains) / len(gains)",
                "Each coalition counts the same",
            ),
            WrongAnswer(
                changed(_SHAPLEY, "sum(gains) / len(gains)", "sum(gains)"), "sum over the orders"
            ),
            WrongAnswer(
                changed(
                    _SHAPLEY,
                    "worth[before | {player}] - worth[before]",
                    "worth[before] - worth[before | {player}]",
                ),
                "turned round",
            ),
            WrongAnswer(changed(_SHAPLEY, " - worth[before]", ""), "worth before"),
        ],
        praise="That is the whole definition. Everything else in this lesson is about its cost.",
        explanation="In each order of arrival a player adds something; the value is the mean.",
    ),
    Exercise(
        id="10.2",
        title="One order of arrival",
        difficulty=2,
        importance=4,
        minutes=7,
        points=3,
        answer="gains_of_order",
        setup="import numpy as np",
        stub='''
            def gains_of_order(worth, order):
                """What each unit added when it came: array (units,), at the unit's place."""
                ...
        ''',
        solution=_ORDER,
        check=_check_order,
        hints=[
            "Start with nobody: `there = np.zeros(len(order), dtype=bool)` and "
            "`before = worth(there)`. Then let the units of `order` come, one by one.",
            "After each arrival: `after = worth(there)`, `gains[unit] = after - before`, and then "
            "`before = after`.",
        ],
        wrong_answers=[
            WrongAnswer(
                changed(
                    changed(_ORDER, "for unit in order:", "for i, unit in enumerate(order):"),
                    "gains[unit] =",
                    "gains[i] =",
                ),
                "order of arrival",
            ),
            WrongAnswer(changed(_ORDER, "        before = after\n", ""), "that of nobody"),
            WrongAnswer(changed(_ORDER, "= after - before", "= after"), "difference"),
            WrongAnswer(changed(_ORDER, "= after - before", "= before - after"), "turned round"),
            WrongAnswer(changed(_ORDER, "in order:", "in order[::-1]:"), "opposite order"),
        ],
        praise="Draw many orders, take the mean: that is sampled_shapley.",
        explanation="Each unit's gain is the worth after it came minus the worth just before.",
    ),
    Exercise(
        id="10.3",
        title="What a tree asks for",
        difficulty=3,
        importance=4,
        minutes=9,
        points=4,
        answer="rows_of_tree",
        stub='''
            def rows_of_tree(n):
                """Rows asked on a balanced tree, besides the empty and the whole text."""
                ...
        ''',
        solution=_ROWS,
        check=_check_rows,
        hints=[
            "Begin at the end: one unit needs no split, so no row. Two units: one split. Which two "
            "rows does it ask, if empty and whole are known?",
            "A split asks 2 rows. Then each of the two parts (n // 2 and the rest) has to be split "
            "in two contexts: without its neighbour and with it.",
        ],
        wrong_answers=[
            WrongAnswer(changed(_ROWS, "2 + 2 * (", "2 + ("), "once in yours"),
            WrongAnswer(changed(_ROWS, "2 + 2 * (", "1 + 2 * ("), "two rows: with the left"),
            WrongAnswer(changed(_ROWS, "2 + 2 * (", "4 + 2 * ("), "not four"),
            WrongAnswer("def rows_of_tree(n):\n    return 2 * (n * n - 1) / 3", "power of two"),
            WrongAnswer("def rows_of_tree(n):\n    return 2**n", "all coalitions"),
        ],
        praise="rows_of_tree(27) is 522: with 500 evaluations 27 units are not finished.",
        explanation="Two rows a split, and every part is split in two contexts.",
    ),
    Exercise(
        id="10.4",
        title="Strength is not direction",
        difficulty=1,
        importance=5,
        minutes=5,
        points=2,
        answer="reading",
        setup="import numpy as np",
        stub='''
            def reading(values):
                """Strength (mean |value|), direction (mean), share above zero."""
                ...
        ''',
        solution=_READING,
        check=_check_reading,
        hints=[
            "Three means: of abs(values), of values, and of values > 0 (True counts as 1).",
            "`values = np.asarray(values)`, then `abs(values).mean()`, `values.mean()`, "
            "`(values > 0).mean()`.",
        ],
        wrong_answers=[
            WrongAnswer(
                changed(_READING, "abs(values).mean()", "abs(values.mean())"), "made positive"
            ),
            WrongAnswer(changed(_READING, ", values.mean(),", ", abs(values).mean(),"), "its sign"),
            WrongAnswer(changed(_READING, "values > 0", "values >= 0"), "> and not >="),
            WrongAnswer(changed(_READING, "(values > 0).mean()", "(values > 0).sum()"), "share"),
            WrongAnswer(
                changed(_READING, "(values > 0).mean()", "100 * (values > 0).mean()"), "percentage"
            ),
        ],
        praise="A word with strength 2 and direction 0 matters; its neighbours decide how.",
        explanation="The mean of |value| says how much, the mean says where to.",
    ),
]

QUIZ = [
    Question(
        "The Shapley value of a word for *complaint* is +2 logits. What does it say?",
        options=[
            Option(
                "Without the word the output would be lower by 2.",
                "That is leave one out: the gain of the word when it comes last.",
            ),
            Option(
                "Averaged over all orders in which the words could come, it adds 2.",
                "Early and late arrivals are all in the mean, and most of them are odd texts.",
                right=True,
            ),
            Option(
                "The word alone makes a complaint of 2 logits.",
                "That is its gain when it comes first, one part of the mean.",
            ),
        ],
    ),
    Question(
        "Which properties does *exact* Shapley have, for any model?",
        several=True,
        options=[
            Option(
                "The values add up to the whole text's output minus that of the hidden text.",
                "Efficiency: each order adds up, so their mean does.",
                right=True,
            ),
            Option(
                "A word that never changes the output gets zero.",
                "Dummy: its gain is zero in every order.",
                right=True,
            ),
            Option(
                "The same word at two places gets the same value.",
                "Only if the model treats both alike. Symmetry is about players, not spellings: "
                "place and neighbours differ.",
            ),
            Option(
                "The values do not depend on how words are hidden.",
                "The game itself changes with the mask: another game, other values.",
            ),
        ],
    ),
    Question(
        "Sampling has a standard error of 0.10 with 50 pairs of orders. How many bring 0.05?",
        options=[
            Option("100", "Twice the work divides the error by the square root of two."),
            Option("71", "That is 50 times the square root of two. It has to be four times."),
            Option("200", "Half the error costs four times the orders.", right=True),
            Option("2,500", "That is the square of 50, not four times 50."),
        ],
    ),
    Question(
        "`shap.Explainer(pipeline)` with its default budget explains a review of 110 characters. "
        "Forty characters in a row have exactly the same value. Why?",
        options=[
            Option(
                "They have the same influence on the model.",
                "Nobody has looked: their group was never split.",
            ),
            Option(
                "The budget ended, and their group's credit was divided evenly.",
                "500 evaluations finish about 25 units. No warning tells you.",
                right=True,
            ),
            Option(
                "The figure rounds the numbers.",
                "They are equal to the last digit, before any rounding.",
            ),
        ],
    ),
    Question(
        "In a summary over 1,000 reviews 但 (but) has a mean |value| of 1.2, the largest of all, "
        "and a mean of 0.0. What do you tell the manager?",
        options=[
            Option(
                "It moves the verdict much, up in some reviews and down in others.",
                "Strength without direction: read some of both kinds before you say more.",
                right=True,
            ),
            Option(
                "It is the strongest sign of a complaint.",
                "Its mean is 0: as often a sign of the contrary. |value| has no direction.",
            ),
            Option(
                "It does not matter, its mean is 0.",
                "Ups and downs cancel in the mean. Each of them is as large as 1.2.",
            ),
        ],
    ),
    Question(
        "You made a pipeline without `top_k=None` and gave it to shap. What do its values explain?",
        options=[
            Option(
                "The probability of the label that the review really has.",
                "shap does not know the truth. It takes what the pipeline returns.",
            ),
            Option(
                "The same as with it; top_k only changes what is printed.",
                "shap reads exactly what is returned, and where a label is missing it reads 0.",
            ),
            Option(
                "A number that falls to 0 wherever the other label wins.",
                "The pipeline returns the winner only. Each flip of the verdict is a cliff, and "
                "the cliff is what gets explained.",
                right=True,
            ),
        ],
    ),
]
