"""How much a product counts in a household's history: once, by how often, by how long ago."""

from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from ecomtutor.errors import EcomTutorError
from ecomtutor.recommendation.baselines import recency
from ecomtutor.recommendation.purchases import Purchases

if TYPE_CHECKING:
    from scipy.sparse import csr_array

Weighting = Literal["binary", "count", "log"]
WEIGHTINGS = ("binary", "count", "log")


def history_matrix(
    histories: Purchases, weighting: Weighting = "binary", half_life_weeks: float | None = None
) -> "csr_array":
    """What each product counts for each household: (households, products), sparse, float32.

    Args:
        histories: with the moment of asking, from which ages are measured.
        weighting: "binary", bought or not, or with a half-life the weight of the latest purchase;
            "count", the number of purchases, or the sum of their weights; "log", the logarithm of
            one plus that.
        half_life_weeks: a purchase so long ago counts half; None: all count the same.
    """
    weights = recency(histories, half_life_weeks)
    if weighting == "binary":
        return _latest(histories, weights)
    counted = histories.counts(weights)
    if weighting == "log":
        counted.data = np.log1p(counted.data)
    return counted


def check_weighting(weighting: str, half_life_weeks: float | None) -> None:
    """The door of every recommender with these two settings.

    Raises:
        EcomTutorError: another weighting, or a half-life that is no positive number.
    """
    if weighting not in WEIGHTINGS:
        raise EcomTutorError(f"weighting is one of {', '.join(WEIGHTINGS)}; {weighting!r} came.")
    if half_life_weeks is not None:
        positive(half_life_weeks, "A half-life in weeks")


def positive(value: float, name: str, *, zero: bool = False) -> float:
    """`value` itself, if it is a number above 0 (or 0 itself, where that is allowed).

    Raises:
        EcomTutorError: anything else, infinity included.
    """
    number = isinstance(value, int | float | np.number) and not isinstance(value, bool)
    if not number or not np.isfinite(value) or value < 0 or (value == 0 and not zero):
        least = "0 or more" if zero else "above 0"
        raise EcomTutorError(f"{name} is a number, {least}; {value!r:.60} came.")
    return value


def _latest(histories: Purchases, weights: "np.ndarray[Any, Any]") -> "csr_array":
    """The largest weight of each product's lines."""
    from scipy.sparse import csr_array

    shape = (len(histories.households), len(histories.products))
    at = histories.lines["household"].to_numpy() * shape[1] + histories.lines["product"].to_numpy()
    # Light lines first: of lines with the same place, the last one written stays.
    order = np.lexsort((weights, at))
    at, weights = at[order], weights[order]
    last = np.append(at[1:] != at[:-1], True)[: len(at)]
    rows, columns = np.divmod(at[last], shape[1])
    return csr_array((weights[last].astype(np.float32), (rows, columns)), shape=shape)
