"""What was known of each product at the end of each week: how it sells, and whether it returns.

Row w of every table counts weeks 1 … w alone, so that a model trained at week w sees what a shop
knew then.
"""

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ecomtutor.recommendation.purchases import Purchases

if TYPE_CHECKING:
    from torch import Tensor

SALES = 5  # popularity features
RETURNS = 2  # repeat features
SHORT, LONG = 2, 8  # half-lives, weeks
PRIOR = 8  # buyers' worth of its type that a product starts with
TYPE_PRIOR = 20  # buyers' worth of the whole shop that a type starts with


class ProductWeeks(NamedTuple):
    """Statistics week by week; row 0 is before the first.

    sales: (weeks + 1, SALES, products), logarithms of a product's share beside the mean product's:
        of purchases, recent and longer ago, of first purchases, recent and longer ago, of all
        first purchases so far.
    returns: (weeks + 1, RETURNS, products), logarithms of the share of buyers who came back for
        it, and of the weeks in which a buyer bought it; drawn to those of its type.
    """

    sales: "Tensor"
    returns: "Tensor"

    def at(self, week: int) -> tuple["Tensor", "Tensor"]:
        """What is known at the end of a week; of the last week learned from where it is later."""
        week = min(week, len(self.sales) - 1)
        return self.sales[week], self.returns[week]


def product_weeks(purchases: Purchases) -> ProductWeeks:
    """Count a shop's purchases week by week."""
    import torch

    weeks, products = purchases.last_week, len(purchases.products)
    bought, first, second = _counts(purchases)
    recent = [_decayed(each, half) for each in (bought, first) for half in (SHORT, LONG)]
    sales = [_log_share(each, 0.1) for each in recent] + [_log_share(first.cumsum(axis=0), 0.05)]
    kind = purchases.products["product_type"].astype("category").cat.codes.to_numpy() + 1
    returns = np.zeros((weeks + 1, RETURNS, products), dtype=np.float32)
    buyers, times = first.cumsum(axis=0), bought.cumsum(axis=0)
    back = second.cumsum(axis=0)
    for week in range(1, weeks + 1):
        returns[week, 0] = np.log(_drawn_to_type(back[week], buyers[week], kind) + 0.01)
        returns[week, 1] = np.log(_drawn_to_type(times[week], buyers[week], kind))
    return ProductWeeks(
        torch.from_numpy(np.stack(sales, axis=1).astype(np.float32)), torch.from_numpy(returns)
    )


def _counts(purchases: Purchases) -> tuple["np.ndarray[Any, Any]", ...]:
    """Households that bought each product in each week, for the first and for the second time.

    Returns:
        Three arrays (weeks + 1, products).
    """
    lines, products = purchases.lines, len(purchases.products)
    width = purchases.last_week + 1
    pair = lines["household"].to_numpy().astype(np.int64) * products + lines["product"].to_numpy()
    pair, week = np.divmod(np.unique(pair * width + lines["week"].to_numpy()), width)
    first = np.ones(len(pair), dtype=bool)
    first[1:] = pair[1:] != pair[:-1]
    second = np.append(False, first[:-1])[: len(pair)] & ~first
    at = week * products + pair % products
    return tuple(
        np.bincount(at[chosen], minlength=width * products).reshape(width, products).astype(float)
        for chosen in (slice(None), first, second)
    )


def _decayed(counts: "np.ndarray[Any, Any]", half_life: float) -> "np.ndarray[Any, Any]":
    """Sums over the weeks so far, an old week counting less: the shape that came."""
    sums = counts.copy()
    for week in range(1, len(sums)):
        sums[week] += 0.5 ** (1 / half_life) * sums[week - 1]
    return sums


def _log_share(counts: "np.ndarray[Any, Any]", floor: float) -> "np.ndarray[Any, Any]":
    mean = np.maximum(counts.mean(axis=1, keepdims=True), 1e-9)
    shares: np.ndarray[Any, Any] = np.log(counts / mean + floor)
    return shares


def _drawn_to_type(
    counts: "np.ndarray[Any, Any]", buyers: "np.ndarray[Any, Any]", kind: "np.ndarray[Any, Any]"
) -> "np.ndarray[Any, Any]":
    """Counts for each buyer, as if PRIOR buyers had done as the product's type: (products,)."""
    shop = counts.sum() / max(buyers.sum(), 1)
    of_type = (np.bincount(kind, counts) + TYPE_PRIOR * shop) / (
        np.bincount(kind, buyers) + TYPE_PRIOR
    )
    ratio: np.ndarray[Any, Any] = (counts + PRIOR * of_type[kind]) / (buyers + PRIOR)
    return ratio
