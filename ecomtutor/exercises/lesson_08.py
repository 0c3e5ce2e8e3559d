"""Exercises and quiz of lesson 08, recommendation."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Any

from ecomtutor.exercises.checking import Wrong, call, describe, expect, expect_function
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
    (44, "Cai", "soap"),  # stands before the line of the past that makes it a habit
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
        once: bool = False,
    ) -> Any:
        def parts(lines: Any, last_week: int, horizon: int) -> Any:
            first = [line for line in lines if known(line[0], last_week)]
            after = {line[1:] for line in lines if soon(line[0], last_week, horizon)}
            new = drop(after, {line[1:] for line in first}, {line[1:] for line in lines})
            return _parts(list(set(first)) if once else first, new)

        return parts

    expect_function(
        _with_parts(split),
        by(),
        cases=[(_YEAR, 42, 3), (_YEAR, 43, 1), (_YEAR, 41, 2), (_YEAR, 44, 2)],
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
                by(soon=lambda week, last, n: last + 1 < week <= last + 1 + n),
                "Your weeks to predict begin one week late: the first of them is `last_week + 1`.",
            ),
            (
                by(soon=lambda week, last, n: last <= week <= last + n),
                "Week `last_week` stands on both sides: the weeks to predict begin after it.",
            ),
            (
                _while_reading,
                "You judge each line when you meet it, but a line of the past may stand further "
                "down. First collect all that is known, then ask what is new.",
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
            (
                by(once=True),
                "A line that stands twice was bought twice: keep both of them. Do you make a set "
                "of the known lines?",
            ),
        ],
    )


def _while_reading(lines: Any, last_week: int, horizon: int) -> Any:
    """A mistake: new is what no line further up shows to be known."""
    known: list[Any] = []
    new = set()
    for line in lines:
        if line[0] <= last_week:
            known.append(line)
        elif line[0] <= last_week + horizon and line[1:] not in {each[1:] for each in known}:
            new.add(line[1:])
    return _parts(known, new)


def _parts(known: list[Any], new: set[Any]) -> dict[str, set[Any]]:
    """Both parts in a shape that has no order, and that messages can name."""
    lines = set()
    for line in set(known):
        lines |= {f"{line}{', once more' * n}" for n in range(known.count(line))}
    return {"known lines": lines, "new pairs": set(new)}


def _with_parts(split: Any) -> Any:
    """The reader's function, its answer brought to `_parts` or refused for its shape."""

    def parts(lines: Any, last_week: int, horizon: int) -> Any:
        came = split(lines, last_week, horizon)
        if came is None:
            return None
        if type(came) is not tuple or len(came) != 2:
            raise Wrong(
                f"your answer is {describe(came)}. Return the two as a tuple: `return known, new`."
            )
        known, new = came
        first = "the first of the two, what was known,"
        _must_hold(known, (list,), 3, first, "a list of (week, household, product)")
        second = "the second of the two, what was new,"
        _must_hold(new, (set, frozenset), 2, second, "a set of (household, product)")
        if any(line[0] > last_week for line in known):
            raise Wrong(
                "Your known part holds lines from after `last_week`: the future leaks into the "
                "model. Cut by the week of each line, not by its place in the file or by chance."
            )
        return _parts([_unboxed(each) for each in known], {_unboxed(each) for each in new})

    return _named_like(parts, split)


def _must_hold(came: Any, kinds: tuple[type, ...], parts: int, what: str, wanted: str) -> None:
    """Demand a container of tuples: household and product, and before them, of three, a week."""
    if type(came) not in kinds:
        raise Wrong(f"{what} is {describe(came)}; expected: {wanted}.")
    for each in came:
        if type(each) is not tuple or len(each) != parts:
            raise Wrong(f"{what} holds {describe(each)}; expected: {wanted}, each a tuple.")
        *week, household, product = map(_unboxed, each)
        if [type(household), type(product)] != [str, str] or not all(type(n) is int for n in week):
            raise Wrong(f"{what} holds {describe(each)}; expected: {wanted}.")


def _unboxed(value: Any) -> Any:
    """NumPy's numbers and texts as Python's own, in a tuple too."""
    import numpy as np

    if type(value) is tuple:
        return tuple(map(_unboxed, value))
    own = issubclass(type(value), np.generic) and type(value).__module__ == "numpy"
    return value.item() if own else value


def _named_like(function: Any, original: Any) -> Any:
    """Ours around the reader's, called as the reader's in messages; no function stays as it is."""
    if not callable(original):
        return original
    name = getattr(original, "__name__", None)
    function.__name__ = name if type(name) is str else "your function"
    return function


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
        best: Callable[..., int] = lambda k, wanted, hits, listed: min(k, wanted),
        discount: Callable[[int], float] = lambda place: 1 / math.log2(place + 1),
        cut: bool = True,
    ) -> Any:
        def value(ranked: Any, wanted: Any, k: int = 10) -> float:
            listed = ranked[:k] if cut else ranked
            places = [n for n, product in enumerate(listed, 1) if product in wanted]
            ideal = best(k, len(wanted), len(places), len(ranked))
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
            (["tea", "milk"], {"milk", "rice", "soap"}, 10),
        ],
        mistakes=[
            (
                by(best=lambda k, wanted, hits, _: wanted),
                "Your ideal list is longer than k. No list of k products can hold more than k "
                "that were wanted: the ideal has min(k, number wanted) places.",
            ),
            (
                by(best=lambda k, wanted, hits, _: k),
                "Your ideal list is full of hits although fewer products were wanted: nobody could "
                "reach 1. The ideal has min(k, number wanted) places.",
            ),
            (
                by(best=lambda k, wanted, hits, _: hits),
                "Your ideal knows only the hits that this list made, so missing half costs "
                "nothing. The ideal list holds all that were wanted, up to k.",
            ),
            (
                lambda ranked, wanted, k=10: by(best=lambda *_: 1)(ranked, wanted, k),
                "That is DCG. Divide by the DCG of the ideal list.",
            ),
            (
                by(best=lambda k, wanted, hits, listed: min(k, wanted, listed)),
                "Your ideal list is no longer than the list that came, so a list that is too short "
                "loses nothing. The ideal has min(k, number wanted) places, whatever came.",
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
    def by(
        weight: Callable[[float, float], float],
        join: Callable[[float, float], float] = lambda before, new: before + new,
        now_is: Callable[[Any, float], float] = lambda purchases, now: now,
    ) -> Any:
        def weights(purchases: Any, now: float, half_life_weeks: float) -> dict[str, float]:
            total: dict[str, float] = {}
            for day, product in purchases:
                age = now_is(purchases, now) - day
                total[product] = join(total.get(product, 0.0), weight(age, half_life_weeks))
            return total

        return weights

    def right(age: float, half: float) -> float:
        return float(0.5 ** (age / (7 * half)))

    whole_weeks = "You round the age to whole weeks: 3 days are 3/7 of a week. Divide with `/`."
    four = [(10, "milk"), (80, "tea"), (101, "milk"), (94, "milk")]
    expect_function(
        _with_own_keys(decayed),
        by(right),
        cases=[
            (four, 108, 2),
            ([(0.0, "rice"), (182.0, "rice"), (364.0, "soap")], 364.0, 26),
            ([], 50, 4),
            ([(95, "tea"), (86, "milk"), (97, "rice")], 98, 3),
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
                by(right, join=max),
                "You keep the largest weight of a product, that of its newest purchase. Add them "
                "up.",
            ),
            (
                by(right, now_is=lambda purchases, _: max(day for day, _ in purchases)),
                "You count ages from the last purchase. They are counted from `now`.",
            ),
            (
                by(right, join=lambda before, new: new),
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
                by(lambda age, half: 0.5 ** round(age / (7 * half))),
                "Your weights fall in steps: you round the age to whole half-lives.",
            ),
            (by(lambda age, half: 0.5 ** (age // 7 / half)), whole_weeks),
            (by(lambda age, half: 0.5 ** (round(age / 7) / half)), whole_weeks),
            (by(lambda age, half: 0.5 ** (math.ceil(age / 7) / half)), whole_weeks),
            (
                by(lambda age, half: 1 / (1 + age / (7 * half))),
                "That is 1 / (1 + age in half-lives): right at one half-life and wrong at two. "
                "Each half-life halves.",
            ),
        ],
    )


def _with_own_keys(decayed: Any) -> Any:
    """The reader's function, the NumPy texts among its dict's keys made Python's own."""

    def weights(purchases: Any, now: float, half_life_weeks: float) -> Any:
        came = decayed(purchases, now, half_life_weeks)
        if not issubclass(type(came), dict):
            return came
        pairs = [(_unboxed(key), value) for key, value in dict.items(came)]
        return dict(pairs) if all(type(key) is str for key, _ in pairs) else came

    return _named_like(weights, decayed)


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
        after: Callable[[Any, Any], Any] = lambda scores, bought: scores,
    ) -> Any:
        def scores(bought: Any) -> Any:
            with np.errstate(invalid="ignore"):  # or our warning would be told as the reader's
                unit = bought / divide(bought)
            similar = unit.T @ unit
            if not diagonal:
                np.fill_diagonal(similar, 0)
            return after(bought @ similar, bought)

        return scores

    taken_out = (
        "You took out what the household has. Here its own products get a score too, from the "
        "other products in its row."
    )
    mean = "You take a mean. The score is the sum of the cosines."

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
            (by(after=lambda scores, bought: np.where(bought > 0, 0.0, scores)), taken_out),
            (by(after=lambda scores, bought: np.where(bought > 0, -np.inf, scores)), taken_out),
            (by(after=lambda scores, bought: scores / bought.sum(axis=1, keepdims=True)), mean),
            (by(after=lambda scores, bought: scores / bought.shape[1]), mean),
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
        wanted = f"under ¥{below} with IPX{water} or better"
        said = f"For a product of ¥{price:g} with {rating or 'no rating'}, wanted {wanted}"
        came = _true_or_false(meets, (product, below, water), said)
        expect(came, expected, what=f"{said}: {reason}. Your answer")


def _true_or_false(meets: Any, arguments: tuple[Any, ...], said: str) -> Any:
    """What the reader's function says of a product; else `Wrong`, which names the product."""
    import numpy as np

    try:
        came = call(meets, *arguments)
    except (KeyError, ValueError, IndexError, AttributeError, TypeError) as error:
        rating = arguments[0]["attributes_en"].get("water resistance")
        if rating and rating[-1].isdigit():
            raise  # the same would come of every product: the reader's own line says more
        raise Wrong(
            f"{said}, your code raised {type(error).__name__}: {error}. "
            + (
                "Not every rating ends in a digit: first ask whether it is a test result."
                if rating
                else 'Not every product has a rating: `.get("water resistance", "")` gives an '
                "empty text where it is missing."
            )
        ) from error
    if came is None:
        raise Wrong(
            f"{said}, your answer is None. Return True or False: is a `return` missing, or does "
            "an `and` hand on the None of a search that found nothing? `bool(…)` makes it False."
        )
    if type(came) not in (bool, np.bool_):
        raise Wrong(f"{said}, your answer is {describe(came)}. Return True or False.")
    return came


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

    Near = Callable[[Any, list[int]], Any]

    def largest(s: Any, chosen: list[int]) -> Any:
        return s[:, chosen].max(axis=1, initial=0.0)

    def some(of: Near) -> Near:
        return lambda s, chosen: of(s, chosen) if chosen else np.zeros(len(s))

    def by(
        near: Near = largest,
        weights: Callable[[float], tuple[float, float]] = lambda b: (b, b - 1),
        last: bool = False,
    ) -> Any:
        def choose(relevance: Any, similarity: Any, k: int, balance: float) -> list[int]:
            chosen: list[int] = []
            for_relevance, for_near = weights(balance)
            while len(chosen) < min(k, len(relevance)):
                worth = for_relevance * relevance + for_near * near(similarity, chosen)
                worth[chosen] = -np.inf
                best = np.flatnonzero(worth == worth.max())
                chosen.append(int(best[-1 if last else 0]))
            return chosen

        return choose

    one_weight = (
        "One of the two has no weight: balance · relevance − (1 − balance) · largest similarity."
    )
    relevance = np.array([0.9, 0.75, 0.7, 0.6, 0.45, 0.4, 0.35, 0.3])
    # Drawn so that every mistake below, but that of equal ones, gives a list of its own.
    similarity = np.array(
        [
            [1.0, 0.05, 0.7, 0.15, 0.6, 0.2, 0.25, 0.6],
            [0.05, 1.0, 0.85, 0.65, 0.8, 0.55, 0.6, 0.1],
            [0.7, 0.85, 1.0, 0.35, 0.3, 0.6, 0.2, 0.65],
            [0.15, 0.65, 0.35, 1.0, 0.0, 0.8, 0.45, 0.3],
            [0.6, 0.8, 0.3, 0.0, 1.0, 0.25, 0.0, 0.85],
            [0.2, 0.55, 0.6, 0.8, 0.25, 1.0, 0.5, 0.4],
            [0.25, 0.6, 0.2, 0.45, 0.0, 0.5, 1.0, 0.0],
            [0.6, 0.1, 0.65, 0.3, 0.85, 0.4, 0.0, 1.0],
        ]
    )
    expect_function(
        _chosen_once(mmr),
        by(),
        cases=[
            (relevance, similarity, 7, 0.6),
            (relevance, similarity, 4, 0.7),
            (relevance, similarity, 3, 1.0),
            (np.array([0.9, 0.1, 0.1]), np.full((3, 3), 0.9), 3, 0.3),
            (np.array([1.0, 1.0]), np.eye(2), 2, 0.5),
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
                by(near=some(lambda s, chosen: s[:, chosen].mean(axis=1))),
                "You subtract the mean similarity to the chosen ones. One twin among four is "
                "hidden by the mean: take the largest.",
            ),
            (
                by(near=lambda s, chosen: s[:, chosen].sum(axis=1)),
                "You add the similarities up, so the penalty grows with every choice. Take the "
                "largest.",
            ),
            (
                by(near=some(lambda s, chosen: s[:, chosen].min(axis=1))),
                "You subtract the smallest similarity: one unlike product among the chosen excuses "
                "every twin. Take the largest.",
            ),
            (
                by(weights=lambda b: (1 - b, -b)),
                "The weights have changed places: `balance` belongs to the relevance.",
            ),
            (
                by(weights=lambda b: (b, 1 - b)),
                "You add the similarity: your list seeks twins. Subtract it.",
            ),
            (by(weights=lambda b: (1.0, b - 1)), one_weight),
            (by(weights=lambda b: (b, -1.0)), one_weight),
            (
                by(near=lambda s, chosen: (s - np.eye(len(s))).max(axis=1)),
                "You compare with all products. Only those that are chosen already count, and at "
                "first there are none.",
            ),
            (
                by(near=some(lambda s, chosen: s[:, chosen[-1]])),
                "You compare with the last choice only; its predecessors are forgotten.",
            ),
            (
                by(near=some(lambda s, chosen: s[:, chosen[0]])),
                "You compare with the first choice only; its successors are forgotten.",
            ),
            (
                by(last=True),
                "Of equal ones you take the last. The task asks for the first, as `argmax` does.",
            ),
        ],
    )


def _chosen_once(mmr: Any) -> Any:
    """The reader's function; `Wrong` where it chooses twice or asks for more than there are."""

    def choose(relevance: Any, similarity: Any, k: int, balance: float) -> Any:
        count = len(relevance)
        too_many = f"`k` is {k} here, and there are {count} products: then choose all, and stop."
        try:
            came = mmr(relevance, similarity, k, balance)
        except (ValueError, IndexError) as error:
            if k <= count:
                raise
            raise Wrong(f"{too_many} Your code raised {type(error).__name__}: {error}") from error
        plain = type(came) is list and all(type(_unboxed(each)) is int for each in came)
        if plain and len(set(map(int, came))) < len(came):
            if len(came) > count:
                raise Wrong(f"{too_many} Your list has {len(came)} places: {describe(came)}.")
            raise Wrong(
                f"You choose a product twice: {describe(came)}. What is chosen is out: set its "
                "worth to -np.inf. 0 is not low enough, since others may be worth less than 0."
            )
        return came

    return _named_like(choose, mmr)


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
            WrongAnswer(
                changed(
                    _SPLIT,
                    "last_week < week <= last_week + horizon",
                    "last_week + 1 < week <= last_week + 1 + horizon",
                ),
                "one week late",
            ),
            WrongAnswer(
                "def split(lines, last_week, horizon):\n"
                "    known, new = [], set()\n"
                "    for week, household, product in lines:\n"
                "        before = {(h, p) for _, h, p in known}\n"
                "        if week <= last_week:\n"
                "            known.append((week, household, product))\n"
                "        elif week <= last_week + horizon and (household, product) not in before:\n"
                "            new.add((household, product))\n"
                "    return known, new",
                "may stand further down",
            ),
            WrongAnswer(
                changed(_SPLIT, "return known,", "return list(set(known)),"), "bought twice"
            ),
            WrongAnswer(
                changed(_SPLIT, "return known, after - before", "return [known, after - before]"),
                "as a tuple",
            ),
            WrongAnswer(
                changed(
                    _SPLIT, "return known, after - before", "return set(known), after - before"
                ),
                "is a set of 4 elements; expected: a list of (week, household, product)",
            ),
            WrongAnswer(
                changed(_SPLIT, "return known,", "return [str(line) for line in known],"),
                "expected: a list of (week, household, product)",
            ),
            WrongAnswer(
                changed(_SPLIT, "[line for line in lines", "[line[1:] for line in lines").replace(
                    "for _, household, product in known", "for household, product in known"
                ),
                "holds ('Ann', 'rice'); expected: a list of (week, household, product)",
            ),
            WrongAnswer(
                changed(
                    _SPLIT, "return known, after - before", "return known, list(after - before)"
                ),
                "a set of (household, product)",
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
                changed(_NDCG, "min(k, len(wanted))", "min(k, len(wanted), len(ranked))"),
                "no longer than the list that came",
            ),
            WrongAnswer(
                changed(
                    changed(_NDCG, "min(k, len(wanted))", "min(len(ranked), len(wanted))"),
                    "    found = sum(",
                    "    ranked = ranked[:k]\n    found = sum(",
                ),
                "no longer than the list that came",
            ),
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
            WrongAnswer(
                changed(
                    _DECAYED,
                    "weights.get(product, 0.0) + weight",
                    "max(weights.get(product, 0.0), weight)",
                ),
                "keep the largest weight",
            ),
            WrongAnswer(
                changed(
                    _DECAYED,
                    "    weights = {}\n",
                    "    weights = {}\n    now = max((day for day, _ in purchases), default=0)\n",
                ),
                "from the last purchase",
            ),
            *(
                WrongAnswer(
                    changed(_DECAYED, "(now - day) / (7 * half_life_weeks)", whole), "whole weeks"
                )
                for whole in (
                    "(now - day) // 7 / half_life_weeks",
                    "int((now - day) / 7) / half_life_weeks",
                    "round((now - day) / 7) / half_life_weeks",
                    "-(-(now - day) // 7) / half_life_weeks",
                )
            ),
            WrongAnswer(
                changed(
                    _DECAYED,
                    "((now - day) / (7 * half_life_weeks))",
                    "round((now - day) / (7 * half_life_weeks))",
                ),
                "whole half-lives",
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
            *(
                WrongAnswer(changed(_ITEMS, "return bought @ similar", f"return {other}"), named)
                for other, named in (
                    ("np.where(bought > 0, 0, bought @ similar)", "took out what the household"),
                    ("(bought @ similar) * (1 - bought)", "took out what the household"),
                    ("np.where(bought, -np.inf, bought @ similar)", "took out what the household"),
                    ("bought @ similar / bought.sum(axis=1, keepdims=True)", "You take a mean"),
                    ("bought @ similar / len(similar)", "You take a mean"),
                    ("(bought @ similar).tolist()", "expected: an array of shape (4, 4)"),
                )
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
                    "tested is not None and int(tested[1]) >= water and "
                    'product["price_cny"] < below',
                    'product["price_cny"] < below and tested and int(tested[1]) >= water',
                ),
                "`bool(…)` makes it False",
            ),
            WrongAnswer(
                changed(_MEETS, "tested is not None and ", ""),
                "of ¥99 with IP6X, wanted under ¥300",
            ),
            WrongAnswer(
                "def meets(product, below, water):\n"
                '    rating = product["attributes_en"].get("water resistance", "")\n'
                '    return product["price_cny"] < below and int(rating[3]) >= water',
                "with IP6X, wanted under ¥300 with IPX5 or better, your code raised ValueError",
            ),
            WrongAnswer(
                changed(_MEETS, '.get("water resistance", "")', '["water resistance"]'),
                "Not every product has a rating",
            ),
            WrongAnswer(
                changed(_MEETS, '.get("water resistance", "")', '.get("water resistance")'),
                "Not every product has a rating",
            ),
            WrongAnswer(
                changed(_MEETS, "return tested", 'return "yes" if tested').replace(
                    "< below", '< below else "no"'
                ),
                "Return True or False",
            ),
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
            WrongAnswer(
                changed(
                    _MMR,
                    "similarity[:, chosen].max(axis=1, initial=0.0)",
                    "similarity[:, chosen[0]] if chosen else 0.0",
                ),
                "first choice only",
            ),
            WrongAnswer(
                changed(
                    _MMR,
                    "similarity[:, chosen].max(axis=1, initial=0.0)",
                    "similarity[:, chosen].min(axis=1) if chosen else 0.0",
                ),
                "smallest similarity",
            ),
            WrongAnswer(changed(_MMR, "balance * relevance", "relevance"), "has no weight"),
            WrongAnswer(changed(_MMR, "(1 - balance) * nearest", "nearest"), "has no weight"),
            WrongAnswer(
                changed(
                    _MMR, "int(worth.argmax())", "int(np.flatnonzero(worth == worth.max())[-1])"
                ),
                "Of equal ones",
            ),
            WrongAnswer(changed(_MMR, "worth[chosen] = -np.inf", "worth[chosen] = 0"), "twice"),
            WrongAnswer(changed(_MMR, "        worth[chosen] = -np.inf\n", ""), "twice"),
            WrongAnswer(
                changed(_MMR, "while len(chosen) < min(k, len(relevance)):", "for _ in range(k):"),
                "there are 3 products",
            ),
            WrongAnswer(
                "def mmr(relevance, similarity, k, balance):\n"
                "    left, chosen = list(range(len(relevance))), []\n"
                "    for _ in range(k):\n"
                "        nearest = similarity[:, chosen].max(axis=1, initial=0.0)\n"
                "        worth = balance * relevance - (1 - balance) * nearest\n"
                "        chosen.append(left.pop(int(worth[left].argmax())))\n"
                "    return chosen",
                "there are 3 products",
            ),
            WrongAnswer(changed(_MMR, "return chosen", "return np.array(chosen)"), "an array of"),
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
        "A new model raises NDCG on next purchases from 0.47 to 0.50, measured on 2,450 "
        "households. What has the shop gained?",
        options=[
            Option(
                "That is open: most hits are things that the households had bought before.",
                "Whether they would have bought them without the list the measure cannot tell. "
                "Discovery, and an experiment with a group that sees no list, can tell more.",
                right=True,
            ),
            Option(
                "About six per cent more sales.",
                "NDCG counts what was bought, not what was bought because of the list.",
            ),
            Option(
                "Nothing, since 0.03 is noise.",
                "On that many households it is hardly noise: a difference of 0.012 in this lesson "
                "had a standard error of 0.002. The question is what it means.",
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
