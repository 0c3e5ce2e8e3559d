"""Histories as sequences of weekly baskets, and the questions that a sequence model is asked.

One position of a sequence is everything that a household bought in one week: a set, whose order
says nothing. A question is a household and the end of a week; its answer is what comes after.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ecomtutor.recommendation.purchases import Purchases

if TYPE_CHECKING:
    from torch import Tensor

Array = "np.ndarray[Any, Any]"

HALF_LIVES = (2, 6, 16, 52)  # weeks: how a household's own purchases are counted
HABITS = len(HALF_LIVES) + 2
BUCKETS = 16


@dataclass(frozen=True)
class WeekBaskets:
    """All weekly baskets, household by household, early before late.

    product: (lines,), positions in the catalogue.
    week: (baskets,), the week of each basket.
    first: (baskets + 1,), where its lines start: basket i holds lines first[i] … first[i + 1].
    start: (households + 1,), where a household's baskets start.
    """

    product: "np.ndarray[Any, Any]"
    week: "np.ndarray[Any, Any]"
    first: "np.ndarray[Any, Any]"
    start: "np.ndarray[Any, Any]"

    @classmethod
    def of(cls, purchases: Purchases) -> "WeekBaskets":
        """Sort purchase lines into baskets: only household, week and product are read."""
        lines = purchases.lines
        household, week = lines["household"].to_numpy(), lines["week"].to_numpy()
        product = lines["product"].to_numpy().astype(np.int64)
        order = np.lexsort((product, week, household))
        household, week, product = household[order], week[order], product[order]
        new = np.ones(len(order), dtype=bool)
        new[1:] = (household[1:] != household[:-1]) | (week[1:] != week[:-1])
        at = np.flatnonzero(new)
        start = np.searchsorted(household[at], np.arange(len(purchases.households) + 1))
        return cls(product, week[at].astype(np.int64), np.append(at, len(order)), start)

    def until(self, households: "np.ndarray[Any, Any]", week: int) -> "np.ndarray[Any, Any]":
        """For each household where its baskets after a week begin: (households,)."""
        spans = zip(self.start[households], self.start[households + 1], strict=True)
        return np.array(
            [a + np.searchsorted(self.week[a:b], week, "right") for a, b in spans], dtype=np.int64
        )


class Sequences(NamedTuple):
    """Households' baskets up to a week, as a model reads them.

    product, weight: (lines,), the products of all baskets and 1/√(products of the basket).
    first: (baskets,), where a basket's lines start.
    gap, size: (baskets,), buckets of the weeks since the basket before, and of its products.
    cell: (baskets,), its place in the padded table, row by row.
    week: (households, longest), float; real: the same shape, False where the table is padded.
    """

    product: "Tensor"
    weight: "Tensor"
    first: "Tensor"
    gap: "Tensor"
    size: "Tensor"
    cell: "Tensor"
    week: "Tensor"
    real: "Tensor"


class Questions(NamedTuple):
    """Moments at which households are asked, week by week, and what they had bought by then.

    household: (questions,), row of the batch.
    cell: (questions,), place of the last basket before the moment in the padded table.
    wait: (questions,), bucket of the weeks since that basket.
    weeks: for each week that is asked about (week, number of questions), in order.
    row, product: (pairs,), question and product of everything bought before.
    habit: (pairs, HABITS), logarithms of the own decayed frequencies, weeks since the last
        purchase, number of purchases.
    """

    household: "Tensor"
    cell: "Tensor"
    wait: "Tensor"
    weeks: tuple[tuple[int, int], ...]
    row: "Tensor"
    product: "Tensor"
    habit: "Tensor"


class Answers(NamedTuple):
    """What was bought after each question.

    row, product: (answers,).
    pair: (answers,), which pair of the questions it repeats; -1 where the product is new.
    """

    row: "Tensor"
    product: "Tensor"
    pair: "Tensor"


def sequences_of(
    baskets: WeekBaskets,
    households: "np.ndarray[Any, Any]",
    week: int,
    hide: float = 0.0,
    dice: "np.random.Generator | None" = None,
) -> Sequences:
    """The households' baskets of weeks up to `week`.

    Args:
        hide: mean share of a household's products that are left out at random (training).
        dice: draws them.
    """
    import torch

    first, stop = baskets.start[households], baskets.until(households, week)
    row, basket = spans(first, stop)
    column = basket - first[row]
    longest = max(1, int((stop - first).max(initial=0)))
    owner, line = spans(baskets.first[basket], baskets.first[basket + 1])
    if hide and dice is not None:
        share = dice.uniform(0, 2 * hide, len(households))[row]
        kept = dice.random(len(line)) >= share[owner]
        owner, line = owner[kept], line[kept]
    size = np.bincount(owner, minlength=len(basket))
    before = np.where(column > 0, baskets.week[np.maximum(basket - 1, 0)], baskets.week[basket])
    weeks = np.zeros((len(households), longest), dtype=np.float32)
    real = np.zeros((len(households), longest), dtype=bool)
    weeks[row, column], real[row, column] = baskets.week[basket], True
    weight = (1 / np.sqrt(np.maximum(size, 1))).astype(np.float32)
    return Sequences(
        *map(
            torch.from_numpy,
            (
                baskets.product[line],
                weight[owner],
                np.cumsum(size) - size,
                np.minimum(baskets.week[basket] - before, BUCKETS - 1),
                np.minimum(2 * np.log2(1 + size), BUCKETS - 1).astype(np.int64),
                row * longest + column,
                weeks,
                real,
            ),
        )
    )


def questions_of(
    baskets: WeekBaskets,
    households: "np.ndarray[Any, Any]",
    weeks: "list[int]",
    products: int,
    horizon: int = 0,
) -> tuple[Questions, Answers]:
    """Ask households at the ends of `weeks`; those without a basket by then are not asked.

    Args:
        products: size of the catalogue.
        horizon: weeks after the moment whose purchases are the answers; households that bought
            nothing in them are not asked. 0: ask all, without answers.
    """
    import torch

    start = baskets.start[households]
    longest = max(1, int((baskets.until(households, max(weeks)) - start).max(initial=0)))
    parts: list[tuple[Any, ...]] = []
    asked, pairs = 0, 0
    for week in weeks:
        stop = baskets.until(households, week)
        later = baskets.until(households, week + horizon)
        who = np.flatnonzero((stop > start) & ((later > stop) | (horizon == 0)))
        last = stop[who] - 1
        known, habit = _habits(baskets, start[who], stop[who], week, products)
        answer = _pairs(baskets, stop[who], later[who], products)
        place = np.minimum(np.searchsorted(known, answer), max(len(known) - 1, 0))
        repeats = known[place] == answer if len(known) else np.zeros(len(answer), dtype=bool)
        wait = np.minimum(week - baskets.week[last], BUCKETS - 1)
        answered = answer // products + asked, answer % products
        pair = np.where(repeats, place + pairs, -1)
        bought = known // products + asked, known % products, habit
        cell = who * longest + last - start[who]
        parts.append((who, cell, wait, *bought, *answered, pair))
        asked, pairs = asked + len(who), pairs + len(known)
    joined = [torch.from_numpy(np.concatenate(each)) for each in zip(*parts, strict=True)]
    counted = tuple((week, len(part[0])) for week, part in zip(weeks, parts, strict=True))
    rows, cells, waits, row, product, habits, *answers = joined
    asking = Questions(rows, cells, waits, counted, row, product, habits)
    return asking, Answers(*answers)


def _pairs(
    baskets: WeekBaskets,
    first: "np.ndarray[Any, Any]",
    stop: "np.ndarray[Any, Any]",
    products: int,
) -> "np.ndarray[Any, Any]":
    """Question · products + product of all that stands in baskets first … stop, each once."""
    owner, line = spans(baskets.first[first], baskets.first[stop])
    return np.unique(owner * products + baskets.product[line])


def _habits(
    baskets: WeekBaskets,
    first: "np.ndarray[Any, Any]",
    stop: "np.ndarray[Any, Any]",
    week: int,
    products: int,
) -> tuple["np.ndarray[Any, Any]", "np.ndarray[Any, Any]"]:
    """The pairs bought in baskets first … stop, and how often and when: (pairs, HABITS)."""
    question, basket = spans(first, stop)
    owner, line = spans(baskets.first[basket], baskets.first[basket + 1])
    age = (week - baskets.week[basket])[owner].astype(float)
    key = question[owner] * products + baskets.product[line]
    pairs, inverse, times = np.unique(key, return_inverse=True, return_counts=True)
    counts = [np.bincount(inverse, 0.5 ** (age / half), len(pairs)) for half in HALF_LIVES]
    last = np.full(len(pairs), np.inf)
    np.minimum.at(last, inverse, age)
    habit = [*(np.log(count + 0.05) for count in counts), np.log(last + 0.3), np.log(times)]
    return pairs, np.stack(habit, axis=1).astype(np.float32)


def spans(
    first: "np.ndarray[Any, Any]", stop: "np.ndarray[Any, Any]"
) -> tuple["np.ndarray[Any, Any]", "np.ndarray[Any, Any]"]:
    """Every whole number of the spans first[i] … stop[i], and which span i it belongs to.

    Returns:
        owner, number: both (sum of the spans' lengths,), int64.
    """
    length = stop - first
    owner = np.repeat(np.arange(len(length)), length)
    before = np.cumsum(length) - length
    return owner, np.arange(length.sum()) - (before - first)[owner]
