"""Exercises and quiz of lesson 08, recommendation."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Any

from ecomtutor.exercises.checking import Wrong, call, expect, expect_function
from ecomtutor.exercises.registry import Exercise, Option, Question, WrongAnswer, changed

_SPLIT = '''
def split(lines, last_week, horizon):
    """The lines known at a week's end, and what is new to each household after it."""
    known = [line for line in lines if line[0] <= last_week]
    before = {(household, product) for _, household, product in known}
    after = {
        (household, product)
        for week, household, product in lines
        if last_week < week <= last_week + horizon
    }
    return known, after - before
'''

_YEAR = [
    (44, "Ann", "tea"),
    (41, "Ann", "rice"),
    (43, "Bo", "tea"),
    (42, "Ann", "milk"),
    (45, "Ann", "rice"),
    (46, "Bo", "soap"),
    (42, "Bo", "milk"),
    (45, "Bo", "rice"),
    (44, "Bo", "milk"),
    (44, "Bo", "milk"),
    (40, "Cai", "soap"),
    (43, "Cai", "milk"),
]


def _check_split(split: Any) -> None:
    def by(
        known: Callable[[int, int], bool] = lambda week, last: week <= last,
        soon: Callable[[int, int, int], bool] = lambda week, last, n: last < week <= last + n,
        drop: Callable[[Any, Any, Any], Any] = lambda after, before, _: after - before,
    ) -> Any:
        def parts(lines: Any, last_week: int, horizon: int) -> Any:
            first = [line for line in lines if known(line[0], last_week)]
            after = {line[1:] for line in lines if soon(line[0], last_week, horizon)}
            return first, drop(after, {line[1:] for line in first}, {line[1:] for line in lines})

        return parts

    cases = [(_YEAR, 42, 3), (_YEAR, 43, 1), (_YEAR, 41, 2)]
    _must_not_know_the_future(split, cases)
    expect_function(
        split,
        by(),
        cases,
        mistakes=[
            (
                by(known=lambda week, last: week < last),
                "Week `last_week` itself is over: it belongs to what is known.",
            ),
            (
                by(soon=lambda week, last, n: week > last),
                "You take everything that comes later. The horizon ends after `horizon` weeks.",
            ),
            (
                by(soon=lambda week, last, n: last < week < last + n),
                "The last of the `horizon` weeks is missing: it counts as well.",
            ),
            (
                by(soon=lambda week, last, n: last <= week <= last + n),
                "Week `last_week` stands on both sides: the weeks to predict begin after it.",
            ),
            (
                by(drop=lambda after, before, _: after),
                "You ask for habits too: take out what the same household had bought before.",
            ),
            (
                by(
                    drop=lambda after, before, _: {
                        pair for pair in after if pair[1] not in {product for _, product in before}
                    }
                ),
                "You took out what anybody had bought before. New means new to this household.",
            ),
            (
                by(drop=lambda after, before, every: after - every),
                "Nothing is new if the weeks to predict count as the past: compare with the known "
                "lines only.",
            ),
        ],
    )


def _must_not_know_the_future(split: Any, cases: Any) -> None:
    for case in cases:
        came = call(split, *case)
        pair = type(came) is tuple and len(came) == 2 and type(came[0]) is list
        if pair and any(type(line) is tuple and line[0] > case[1] for line in came[0]):
            raise Wrong(
                "Your known part holds lines from after `last_week`: the future leaks into the "
                "model. Cut by the week of each line, not by its place in the file or by chance."
            )


_NDCG = '''
def ndcg(ranked, wanted, k=10):
    """NDCG at k of a list, best first, against the set of products bought."""
    found = sum(
        1 / math.log2(place + 1)
        for place, product in enumerate(ranked[:k], start=1)
        if product in wanted
    )
    ideal = sum(1 / math.log2(place + 1) for place in range(1, min(k, len(wanted)) + 1))
    return found / ideal
'''


def _check_ndcg(ndcg: Any) -> None:
    def gain(places: Any, discount: Any) -> float:
        return sum(discount(place) for place in places)

    def by(
        best: Callable[[int, int, int], int] = lambda k, wanted, hits: min(k, wanted),
        discount: Callable[[int], float] = lambda place: 1 / math.log2(place + 1),
        cut: bool = True,
    ) -> Any:
        def value(ranked: Any, wanted: Any, k: int = 10) -> float:
            listed = ranked[:k] if cut else ranked
            places = [n for n, product in enumerate(listed, 1) if product in wanted]
            ideal = best(k, len(wanted), len(places))
            return gain(places, discount) / gain(range(1, ideal + 1), discount)

        return value

    expect_function(
        ndcg,
        by(),
        cases=[
            (["milk", "tea", "rice", "soap"], {"tea", "soap"}, 4),
            (["a", "b", "c", "d", "e"], {"b", "c", "x", "y", "z", "u"}, 3),
            (["a", "b", "c", "d", "e", "f"], {"a", "f", "c"}, 4),
            (list("abcdefghijkl"), set("bdl")),
            (["a", "b"], {"z"}, 2),
        ],
        mistakes=[
            (
                by(best=lambda k, wanted, hits: wanted),
                "Your ideal list is longer than k. No list of k products can hold more than k "
                "that were wanted: the ideal has min(k, number wanted) places.",
            ),
            (
                by(best=lambda k, wanted, hits: k),
                "Your ideal list is full of hits although fewer products were wanted: nobody could "
                "reach 1. The ideal has min(k, number wanted) places.",
            ),
            (
                by(best=lambda k, wanted, hits: hits),
                "Your ideal knows only the hits that this list made, so missing half costs "
                "nothing. The ideal list holds all that were wanted, up to k.",
            ),
            (
                lambda ranked, wanted, k=10: by(best=lambda *_: 1)(ranked, wanted, k),
                "That is DCG. Divide by the DCG of the ideal list.",
            ),
            (
                by(discount=lambda place: 1 / math.log2(place + 2)),
                "Your first place counts 0.63: log2(place + 1) with places from 1, or "
                "log2(place + 2) with places from 0.",
            ),
            (
                by(discount=lambda place: 1 / place),
                "You divide by the place itself. The discount is log2(place + 1), which falls more "
                "slowly.",
            ),
            (
                by(discount=lambda place: 1.0),
                "Your hits count alike wherever they stand. Divide each by log2(place + 1).",
            ),
            (
                by(cut=False),
                "You count hits below place k. Only the first k products are shown.",
            ),
        ],
    )


_DECAYED = '''
def decayed(purchases, now, half_life_weeks):
    """Each product's purchases added up, one half for every half-life of their age."""
    weights = {}
    for day, product in purchases:
        weight = 0.5 ** ((now - day) / (7 * half_life_weeks))
        weights[product] = weights.get(product, 0.0) + weight
    return weights
'''


def _check_decayed(decayed: Any) -> None:
    def by(weight: Callable[[float, float], float], add: bool = True) -> Any:
        def weights(purchases: Any, now: float, half_life_weeks: float) -> dict[str, float]:
            total: dict[str, float] = {}
            for day, product in purchases:
                before = total.get(product, 0.0) if add else 0.0
                total[product] = before + weight(now - day, half_life_weeks)
            return total

        return weights

    four = [(10, "milk"), (80, "tea"), (94, "milk"), (101, "milk")]
    expect_function(
        decayed,
        by(lambda age, half: 0.5 ** (age / (7 * half))),
        cases=[
            (four, 108, 2),
            ([(0.0, "rice"), (182.0, "rice"), (364.0, "soap")], 364.0, 26),
            ([], 50, 4),
        ],
        mistakes=[
            (
                by(lambda age, half: 0.5 ** (age / half)),
                "You divide days by weeks: a half-life of 2 weeks acts like one of 2 days. Bring "
                "both to the same unit.",
            ),
            (
                by(lambda age, half: math.exp(-age / (7 * half))),
                "With e to the minus one a purchase one half-life old counts 0.37, not one half. "
                "The base is 0.5.",
            ),
            (
                by(lambda age, half: 0.5 ** (age / (7 * half)), add=False),
                "Each new purchase of a product overwrites the one before. Add them up.",
            ),
            (
                by(lambda age, half: 2 ** (age / (7 * half))),
                "Your weights grow with age: the oldest purchase counts most. Is a sign turned "
                "round?",
            ),
            (
                by(lambda age, half: 1.0),
                "All purchases count the same: their age is not used.",
            ),
            (
                by(lambda age, half: 0.5 ** (age // (7 * half))),
                "Your weights fall in steps: `//` cuts the age to whole half-lives. Take `/`.",
            ),
            (
                by(lambda age, half: 1 / (1 + age / (7 * half))),
                "That is 1 / (1 + age in half-lives): right at one half-life and wrong at two. "
                "Each half-life halves.",
            ),
        ],
    )


_ITEMS = '''
def item_scores(bought):
    """For each household and product: the sum of cosines with what it bought."""
    lengths = np.maximum(np.sqrt((bought**2).sum(axis=0)), 1e-12)  # (products,)
    unit = bought / lengths  # (households, products)
    similar = unit.T @ unit  # (products, products)
    np.fill_diagonal(similar, 0)
    return bought @ similar  # (households, products)
'''


def _check_item_scores(item_scores: Any) -> None:
    import numpy as np

    def by(
        divide: Callable[[Any], Any] = lambda x: np.maximum(np.sqrt((x**2).sum(axis=0)), 1e-12),
        diagonal: bool = False,
    ) -> Any:
        def scores(bought: Any) -> Any:
            unit = bought / divide(bought)
            similar = unit.T @ unit
            if not diagonal:
                np.fill_diagonal(similar, 0)
            return bought @ similar

        return scores

    def of_households(bought: Any) -> Any:
        unit = bought / np.maximum(np.sqrt((bought**2).sum(axis=1, keepdims=True)), 1e-12)
        similar = unit @ unit.T
        np.fill_diagonal(similar, 0)
        return similar @ bought

    four = np.array(
        [[1.0, 1.0, 0.0, 0.0], [1.0, 1.0, 1.0, 0.0], [0.0, 1.0, 1.0, 1.0], [0.0, 0.0, 1.0, 1.0]]
    )
    unsold = np.array([[1.0, 0.0, 1.0], [1.0, 0.0, 0.0]])
    expect_function(
        item_scores,
        by(),
        cases=[(four,), (unsold,), (four[:3],)],
        mistakes=[
            (
                by(diagonal=True),
                "Each product counts as a neighbour of itself, with cosine 1: what a household has "
                "wins everywhere. Set the diagonal to 0.",
            ),
            (
                by(divide=lambda x: 1.0),
                "You add up how often products were bought together, so the popular ones are "
                "everybody's neighbours. Divide by the lengths of both columns.",
            ),
            (
                by(divide=lambda x: np.maximum((x**2).sum(axis=0), 1e-12)),
                "You divide by the squares of the lengths: the square root is missing.",
            ),
            (
                by(divide=lambda x: np.maximum(np.sqrt((x**2).sum(axis=1, keepdims=True)), 1e-12)),
                "You divide each household's row by its length. For similar products the columns "
                "are compared.",
            ),
            (
                of_households,
                "You compare households with each other. Here products are neighbours: "
                "unit.T @ unit, not unit @ unit.T.",
            ),
            (
                by(divide=lambda x: np.sqrt((x**2).sum(axis=0))),
                "A product that nobody bought has length 0, and 0 / 0 spoils the table. Divide by "
                "np.maximum(length, a tiny number).",
            ),
        ],
    )


_MEETS = '''
def meets(product, below, water):
    """Whether it costs less than `below` yuan and withstood this water test."""
    rating = product["attributes_en"].get("water resistance", "")
    tested = re.fullmatch(r"IP[0-9X]([0-9])", rating)
    return tested is not None and int(tested[1]) >= water and product["price_cny"] < below
'''


def _check_meets(meets: Any) -> None:
    for price, rating, below, water, reason in (
        (199.0, "IPX5", 300, 5, "it costs ¥199 and has exactly the IPX5 that was asked for"),
        (269.0, "IPX7", 300, 5, "IPX7 is better than IPX5: “or better” lets it through"),
        (149.0, "IPX4", 300, 5, "IPX4 is worse than IPX5"),
        (399.0, "IPX7", 300, 5, "¥399 is not under ¥300"),
        (300.0, "IPX7", 300, 5, "under ¥300 does not mean ¥300"),
        (
            189.0,
            "IP67",
            300,
            5,
            "IP67 says dust 6 and water 7. The last digit is the water; compared as text, “IP67” "
            "comes before “IPX5”",
        ),
        (
            189.0,
            "IP54",
            300,
            5,
            "IP54 says dust 5 and water 4. The last digit is the water, not the first",
        ),
        (
            99.0,
            "IP6X",
            300,
            5,
            "IP6X was tested against dust; the X says that nobody knows about water, and unknown "
            "must not pass",
        ),
        (59.0, "splash-proof", 300, 5, "“splash-proof” is no test result: unknown must not pass"),
        (99.0, None, 300, 5, "it says nothing about water: unknown must not pass"),
        (99.0, "IPX4", 100, 4, "the limits are arguments: under ¥100, IPX4 or better"),
    ):
        product = {
            "price_cny": price,
            "attributes_en": {} if rating is None else {"water resistance": rating},
        }
        expected = _meets(price, rating, below, water)
        came = call(meets, product, below, water)
        wanted = f"under ¥{below} with IPX{water} or better"
        said = f"of ¥{price:g} with {rating or 'no rating'}, wanted {wanted}"
        expect(came, expected, what=f"For a product {said}: {reason}. Your answer")


def _meets(price: float, rating: str | None, below: float, water: int) -> bool:
    tested = re.fullmatch(r"IP[0-9X]([0-9])", rating or "")
    return tested is not None and int(tested[1]) >= water and price < below


_MMR = '''
def mmr(relevance, similarity, k, balance):
    """Choose k products one by one: relevant, and unlike those chosen before."""
    chosen = []
    while len(chosen) < min(k, len(relevance)):
        nearest = similarity[:, chosen].max(axis=1, initial=0.0)  # (products,)
        worth = balance * relevance - (1 - balance) * nearest
        worth[chosen] = -np.inf
        chosen.append(int(worth.argmax()))
    return chosen
'''


def _check_mmr(mmr: Any) -> None:
    import numpy as np

    def by(
        near: Callable[[Any, list[int]], Any] = lambda s, chosen: s[:, chosen].max(
            axis=1, initial=0.0
        ),
        swap: bool = False,
        sign: int = -1,
    ) -> Any:
        def choose(relevance: Any, similarity: Any, k: int, balance: float) -> list[int]:
            chosen: list[int] = []
            a, b = (1 - balance, balance) if swap else (balance, 1 - balance)
            while len(chosen) < min(k, len(relevance)):
                worth = a * relevance + sign * b * near(similarity, chosen)
                worth[chosen] = -np.inf
                chosen.append(int(worth.argmax()))
            return chosen

        return choose

    def mean(s: Any, chosen: list[int]) -> Any:
        return s[:, chosen].mean(axis=1) if chosen else np.zeros(len(s))

    relevance = np.array([0.85, 0.8, 0.65, 0.6, 0.5, 0.4])
    # Chosen so that every mistake below gives a list of its own.
    similarity = np.array(
        [
            [1.0, 0.5, 0.1, 0.85, 0.4, 0.65],
            [0.5, 1.0, 0.75, 0.0, 0.55, 0.75],
            [0.1, 0.75, 1.0, 0.15, 0.1, 0.55],
            [0.85, 0.0, 0.15, 1.0, 0.0, 0.7],
            [0.4, 0.55, 0.1, 0.0, 1.0, 0.35],
            [0.65, 0.75, 0.55, 0.7, 0.35, 1.0],
        ]
    )
    expect_function(
        mmr,
        by(),
        cases=[
            (relevance, similarity, 4, 0.6),
            (relevance, similarity, 6, 0.7),
            (relevance, similarity, 3, 1.0),
            (relevance[:3], similarity[:3, :3], 10, 0.5),
        ],
        mistakes=[
            (
                lambda relevance, similarity, k, balance: (
                    (-relevance).argsort(kind="stable")[:k].tolist()
                ),
                "That is the order of relevance: the similarities are not used.",
            ),
            (
                by(near=mean),
                "You subtract the mean similarity to the chosen ones. One twin among four is "
                "hidden by the mean: take the largest.",
            ),
            (
                by(near=lambda s, chosen: s[:, chosen].sum(axis=1)),
                "You add the similarities up, so the penalty grows with every choice. Take the "
                "largest.",
            ),
            (
                by(swap=True),
                "The weights have changed places: `balance` belongs to the relevance.",
            ),
            (
                by(sign=1),
                "You add the similarity: your list seeks twins. Subtract it.",
            ),
            (
                by(near=lambda s, chosen: (s - np.eye(len(s))).max(axis=1)),
                "You compare with all products. Only those that are chosen already count, and at "
                "first there are none.",
            ),
            (
                by(near=lambda s, chosen: s[:, chosen[-1]] if chosen else np.zeros(len(s))),
                "You compare with the last choice only; its predecessors are forgotten.",
            ),
        ],
    )


EXERCISES = [
    Exercise(
        id="08.1",
        title="Split without the future",
        difficulty=2,
        importance=5,
        minutes=8,
        points=3,
        answer="split",
        stub='''
            def split(lines, last_week, horizon):
                """The lines known at a week's end, and what is new to each household after it."""
                ...
        ''',
        solution=_SPLIT,
        check=_check_split,
        hints=[
            "Two conditions on the week of a line: `week <= last_week` for what is known, and "
            "`last_week < week <= last_week + horizon` for what is to be predicted.",
            "Make two sets of pairs (household, product): one from the known lines, one from the "
            "weeks to predict. What is new to a household stands in the second and not in the "
            "first: `after - before`. Return the list of known lines and that set.",
        ],
        wrong_answers=[
            WrongAnswer(
                changed(
                    _SPLIT,
                    "known = [line for line in lines if line[0] <= last_week]",
                    "known = lines[: int(0.8 * len(lines))]",
                ),
                "the future leaks",
            ),
            WrongAnswer(
                changed(_SPLIT, "line[0] <= last_week", "line[0] < last_week"),
                "belongs to what is known",
            ),
            WrongAnswer(
                changed(_SPLIT, "last_week < week <= last_week + horizon", "week > last_week"),
                "horizon ends",
            ),
            WrongAnswer(
                changed(
                    _SPLIT,
                    "last_week < week <= last_week + horizon",
                    "last_week < week < last_week + horizon",
                ),
                "last of the `horizon` weeks",
            ),
            WrongAnswer(changed(_SPLIT, "after - before", "after"), "ask for habits too"),
            WrongAnswer(
                changed(
                    _SPLIT,
                    "after - before",
                    "{pair for pair in after if pair[1] not in {p for _, p in before}}",
                ),
                "New means new to this household",
            ),
        ],
        praise="The same cut for every model, and nothing from behind it: that is the protocol.",
        explanation="Time has one direction. A split by chance lets a model see next week.",
    ),
    Exercise(
        id="08.2",
        title="NDCG of one list",
        difficulty=3,
        importance=5,
        minutes=8,
        points=3,
        answer="ndcg",
        setup="import math",
        stub='''
            def ndcg(ranked, wanted, k=10):
                """NDCG at k of a list, best first, against the set of products bought."""
                ...
        ''',
        solution=_NDCG,
        check=_check_ndcg,
        hints=[
            "`enumerate(ranked[:k], start=1)` gives places from 1. A hit at place 1 counts "
            "1 / log2(2) = 1, at place 2 it counts 1 / log2(3) = 0.63.",
            "The ideal list has hits at places 1 … min(k, len(wanted)), whatever your list found. "
            "Add the same discounts for these places, and divide.",
        ],
        wrong_answers=[
            WrongAnswer(changed(_NDCG, "min(k, len(wanted))", "len(wanted)"), "longer than k"),
            WrongAnswer(changed(_NDCG, "min(k, len(wanted))", "k"), "fewer products were wanted"),
            WrongAnswer(changed(_NDCG, "found / ideal", "found"), "That is DCG"),
            WrongAnswer(
                "def ndcg(ranked, wanted, k=10):\n"
                "    gains = [float(product in wanted) for product in ranked[:k]]\n"
                "    dcg = sum(g / math.log2(n + 2) for n, g in enumerate(gains))\n"
                "    best = sorted(gains, reverse=True)\n"
                "    ideal = sum(g / math.log2(n + 2) for n, g in enumerate(best))\n"
                "    return dcg / ideal if ideal else 0.0",
                "only the hits that this list made",
            ),
            WrongAnswer(changed(_NDCG, "ranked[:k]", "ranked"), "below place k"),
            WrongAnswer(
                "def ndcg(ranked, wanted, k=10):\n"
                "    found = sum(product in wanted for product in ranked[:k])\n"
                "    return found / min(k, len(wanted))",
                "wherever they stand",
            ),
        ],
        praise="Now a number between 0 and 1 means the same for a light and a heavy buyer.",
        explanation="Found, over what the best possible list of k could have found.",
    ),
    Exercise(
        id="08.3",
        title="Old purchases count less",
        difficulty=2,
        importance=4,
        minutes=6,
        points=2,
        answer="decayed",
        stub='''
            def decayed(purchases, now, half_life_weeks):
                """Each product's purchases added up, one half for every half-life of their age."""
                ...
        ''',
        solution=_DECAYED,
        check=_check_decayed,
        hints=[
            "`purchases` are pairs (day, product), `now` is a day too. How many half-lives old is "
            "a purchase? Mind the units: a week has seven days.",
            "Its weight is 0.5 ** half_lives. `weights[product] = weights.get(product, 0.0) + "
            "weight` adds it to what is there.",
        ],
        wrong_answers=[
            WrongAnswer(
                changed(_DECAYED, "(7 * half_life_weeks)", "half_life_weeks"), "days by weeks"
            ),
            WrongAnswer(
                "import math\n"
                + changed(
                    _DECAYED,
                    "0.5 ** ((now - day) / (7 * half_life_weeks))",
                    "math.exp(-(now - day) / (7 * half_life_weeks))",
                ).strip(),
                "The base is 0.5",
            ),
            WrongAnswer(
                changed(_DECAYED, "weights.get(product, 0.0) + weight", "weight"), "overwrites"
            ),
            WrongAnswer(changed(_DECAYED, "(now - day)", "(day - now)"), "grow with age"),
            WrongAnswer(
                changed(_DECAYED, "(now - day) / (7", "(now - day) // (7"), "fall in steps"
            ),
        ],
        praise="Four weights and a sum: this is the model that all others have to beat.",
        explanation="Habits change; a half-life says how fast they are forgotten.",
    ),
    Exercise(
        id="08.4",
        title="Neighbours of what was bought",
        difficulty=3,
        importance=4,
        minutes=9,
        points=3,
        answer="item_scores",
        setup="import numpy as np",
        stub='''
            def item_scores(bought):
                """For each household and product: the sum of cosines with what it bought."""
                ...
        ''',
        solution=_ITEMS,
        check=_check_item_scores,
        hints=[
            "Divide each column by its length, √(sum of squares); `unit.T @ unit` are then the "
            "cosines of all pairs of products. A product that nobody bought has length 0: divide "
            "by np.maximum(length, 1e-12).",
            "A product is no neighbour of itself: `np.fill_diagonal(similar, 0)`. Then "
            "`bought @ similar` adds up, for each household, the rows of what it bought.",
        ],
        wrong_answers=[
            WrongAnswer(
                changed(_ITEMS, "    np.fill_diagonal(similar, 0)\n", ""), "neighbour of itself"
            ),
            WrongAnswer(changed(_ITEMS, "bought / lengths", "bought"), "how often products"),
            WrongAnswer(
                changed(_ITEMS, "np.sqrt((bought**2).sum(axis=0))", "(bought**2).sum(axis=0)"),
                "square root is missing",
            ),
            WrongAnswer(
                changed(_ITEMS, "sum(axis=0))", "sum(axis=1, keepdims=True))"),
                "each household's row",
            ),
            WrongAnswer(
                changed(
                    changed(_ITEMS, "sum(axis=0))", "sum(axis=1, keepdims=True))"),
                    "similar = unit.T @ unit  # (products, products)\n"
                    "    np.fill_diagonal(similar, 0)\n"
                    "    return bought @ similar",
                    "similar = unit @ unit.T\n"
                    "    np.fill_diagonal(similar, 0)\n"
                    "    return similar @ bought",
                ),
                "compare households",
            ),
            WrongAnswer(
                changed(
                    _ITEMS,
                    "np.maximum(np.sqrt((bought**2).sum(axis=0)), 1e-12)",
                    "np.sqrt((bought**2).sum(axis=0))",
                ),
                "0 / 0",
            ),
        ],
        praise="Customers who bought this also bought that, in four lines.",
        explanation="Cosines of columns, without the diagonal, added up over the basket.",
    ),
    Exercise(
        id="08.5",
        title="Under ¥300, IPX5 or better",
        difficulty=2,
        importance=4,
        minutes=6,
        points=2,
        answer="meets",
        setup="import re",
        stub='''
            def meets(product, below, water):
                """Whether it costs less than `below` yuan and withstood this water test."""
                ...
        ''',
        solution=_MEETS,
        check=_check_meets,
        hints=[
            '`product["attributes_en"].get("water resistance", "")` is “IPX5”, “IP67”, “IP6X”, '
            "“splash-proof” or nothing. The first sign after IP is dust, the second water; X means "
            "not tested.",
            '`re.fullmatch(r"IP[0-9X]([0-9])", rating)` is None where there is no result for '
            "water; else its group 1 is the digit. Compare numbers, not text.",
        ],
        wrong_answers=[
            WrongAnswer(
                "def meets(product, below, water):\n"
                '    rating = product["attributes_en"].get("water resistance", "")\n'
                '    return rating == f"IPX{water}" and product["price_cny"] < below',
                "“or better” lets it through",
            ),
            WrongAnswer(
                "def meets(product, below, water):\n"
                '    rating = product["attributes_en"].get("water resistance", "")\n'
                '    return rating >= f"IPX{water}" and product["price_cny"] < below',
                "compared as text",
            ),
            WrongAnswer(
                changed(_MEETS, 'product["price_cny"] < below', 'product["price_cny"] <= below'),
                "does not mean ¥300",
            ),
            WrongAnswer(changed(_MEETS, "IP[0-9X]([0-9])", "IPX?([0-9])[0-9X]?"), "not the first"),
            WrongAnswer(
                changed(
                    _MEETS,
                    "tested is not None and int(tested[1]) >= water",
                    "(tested is None or int(tested[1]) >= water)",
                ),
                "unknown must not pass",
            ),
            WrongAnswer(
                changed(
                    _MEETS,
                    'int(tested[1]) >= water and product["price_cny"] < below',
                    'int(tested[1]) >= 5 and product["price_cny"] < 300',
                ),
                "the limits are arguments",
            ),
        ],
        praise="A filter of numbers never recommends what the shop does not sell.",
        explanation="A need has words, which a model reads, and limits, which a rule must keep.",
    ),
    Exercise(
        id="08.6",
        title="Relevant, and not ten times the same",
        difficulty=3,
        importance=3,
        minutes=8,
        points=3,
        answer="mmr",
        setup="import numpy as np",
        stub='''
            def mmr(relevance, similarity, k, balance):
                """Choose k products one by one: relevant, and unlike those chosen before."""
                ...
        ''',
        solution=_MMR,
        check=_check_mmr,
        hints=[
            "Begin with an empty list. In each round every product is worth balance · relevance "
            "− (1 − balance) · its largest similarity to one that is chosen. At first there is "
            "none: 0.",
            "`similarity[:, chosen].max(axis=1, initial=0.0)` is that largest similarity, for all "
            "products at once, the empty list included. Set `worth[chosen] = -np.inf`, so that "
            "nothing is chosen twice, and append `int(worth.argmax())`.",
        ],
        wrong_answers=[
            WrongAnswer(
                "def mmr(relevance, similarity, k, balance):\n"
                '    return (-relevance).argsort(kind="stable")[:k].tolist()',
                "order of relevance",
            ),
            WrongAnswer(
                changed(
                    _MMR,
                    "similarity[:, chosen].max(axis=1, initial=0.0)",
                    "similarity[:, chosen].mean(axis=1) if chosen else 0.0",
                ),
                "hidden by the mean",
            ),
            WrongAnswer(
                changed(_MMR, ".max(axis=1, initial=0.0)", ".sum(axis=1)"), "grows with every"
            ),
            WrongAnswer(
                changed(
                    _MMR,
                    "balance * relevance - (1 - balance) * nearest",
                    "(1 - balance) * relevance - balance * nearest",
                ),
                "changed places",
            ),
            WrongAnswer(changed(_MMR, "relevance - (1", "relevance + (1"), "seeks twins"),
            WrongAnswer(
                changed(
                    _MMR,
                    "similarity[:, chosen].max(axis=1, initial=0.0)",
                    "similarity[:, chosen[-1]] if chosen else 0.0",
                ),
                "last choice only",
            ),
        ],
        praise="The list loses a little relevance and stops repeating itself.",
        explanation="Greedy: each choice pays for its nearest relative in the list.",
    ),
]

QUIZ = [
    Question(
        "A colleague removes a random tenth of all purchase lines, trains on the rest and predicts "
        "the removed ones. What is wrong?",
        options=[
            Option(
                "A tenth is too little to test on.",
                "With a million lines a tenth is plenty. Look at the dates.",
            ),
            Option(
                "For nearly every removed line the model knows what the household bought later.",
                "Yes. In the shop next week is not known yet; cut by time.",
                right=True,
            ),
            Option(
                "Nothing: random splits are the standard.",
                "For texts without a date, perhaps. Purchases have a direction in time.",
            ),
        ],
    ),
    Question(
        "A list of ten holds three of the forty products that a household then bought, at places "
        "1, 2 and 3. What is its NDCG@10?",
        options=[
            Option(
                "1, because all hits stand at the top.",
                "The ideal list of ten holds ten hits, not three.",
            ),
            Option(
                "3/40.",
                "That is the recall. NDCG looks at places and compares with the best list of ten.",
            ),
            Option(
                "What three hits at the top earn, divided by what ten would earn: 0.47.",
                "2.13 / 4.54: the ideal is over min(k, wanted) places.",
                right=True,
            ),
        ],
    ),
    Question(
        "A new model raises NDCG on next purchases from 0.47 to 0.50. What has the shop gained?",
        options=[
            Option(
                "That is open: most hits are things that the household would have bought anyway.",
                "The measure cannot tell a reminder from a sale. Discovery, and an experiment with "
                "a group that sees no list, can tell more.",
                right=True,
            ),
            Option(
                "About six per cent more sales.",
                "NDCG counts what was bought, not what was bought because of the list.",
            ),
            Option(
                "Nothing, since 0.03 is noise.",
                "With some 2,400 households it need not be noise; the question is what it means.",
            ),
        ],
    ),
    Question(
        "Your own-frequency model has the same discovery NDCG as popularity, to the last digit. "
        "Why?",
        options=[
            Option(
                "A bug: two models never agree so well.",
                "Here they must: read what is left of the scores when own purchases are excluded.",
            ),
            Option(
                "Discovery excludes what the household had bought; behind that its list is "
                "popularity.",
                "Of products that a household never bought a habit knows nothing.",
                right=True,
            ),
            Option(
                "Because popular products are bought frequently.",
                "That would make them alike, not equal.",
            ),
        ],
    ),
    Question(
        "A product came to the shop yesterday. Which of these can recommend it today?",
        options=[
            Option("Item neighbours.", "They need households that bought it."),
            Option(
                "Alternating least squares.",
                "It has no row to learn the product's vector from.",
            ),
            Option(
                "A text tower.",
                "Its vector comes from what is written about the product, not from purchases.",
                right=True,
            ),
            Option("Own frequency.", "Nobody has a habit of it yet."),
        ],
    ),
    Question(
        "A customer writes: 想买个运动耳机，300块以内，防水. Which part should a rule handle, not "
        "an embedding?",
        options=[
            Option(
                "运动耳机, sports earphones.",
                "For the kind of thing an embedding is right: it knows other words for it.",
            ),
            Option(
                "300块以内, within 300 yuan.",
                "Vectors know that 299 and 300 are near, not which side of the limit they are on.",
                right=True,
            ),
            Option(
                "想买个, I want to buy.",
                "That says nothing about the product; neither needs it.",
            ),
        ],
    ),
    Question(
        "A script loads a base BERT into a class with two logits and reads "
        "`logits[0, 1].item()` as similarity. It prints 0.27. What is that?",
        options=[
            Option(
                "A weak similarity.",
                "The head was never trained. Another seed prints another number.",
            ),
            Option(
                "A cosine.",
                "A cosine compares two vectors. This is one output of a random layer.",
            ),
            Option(
                "A probability of 27 %.",
                "A logit is not a probability, and nobody taught this one anything.",
            ),
            Option(
                "One output of a layer of random numbers.",
                "Seed it again and the ranking is another one.",
                right=True,
            ),
        ],
    ),
    Question(
        "Without one past purchase a recommended product drops from place 3 to place 41. What may "
        "you tell the customer?",
        options=[
            Option(
                "“Recommended because you bought that.”",
                "For this model, yes: it was tried without it, and the product was gone from the "
                "list.",
                right=True,
            ),
            Option(
                "“People who buy that want this.”",
                "The experiment was on the model, not on people.",
            ),
            Option(
                "“You will like it.”",
                "Why a model shows something says nothing about whether it is right.",
            ),
        ],
    ),
]
