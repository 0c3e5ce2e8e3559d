"""What every recommender has to beat: popularity, and a household's own habits."""

from typing import Any, ClassVar

import numpy as np

from ecomtutor.errors import EcomTutorError
from ecomtutor.recommendation.base import Recommender, popularity
from ecomtutor.recommendation.purchases import Purchases

DAYS_A_WEEK = 7


class Popularity(Recommender):
    """The same list for everybody: the products that most households bought."""

    name: ClassVar[str] = "popularity"

    def _learn(self, purchases: Purchases) -> None:
        self.buyers = popularity(purchases)

    def score_histories(self, histories: Purchases) -> "np.ndarray[Any, Any]":
        """The same scores in every row: (households, products)."""
        return np.tile(self.buyers, (len(histories.households), 1))


class OwnFrequency(Recommender):
    """What the household itself buys: how often, an old purchase counting less.

    A purchase `half_life_weeks` ago counts half; None: all count the same. Products that it never
    bought follow in the order of popularity.
    """

    name: ClassVar[str] = "own frequency"

    def __init__(self, half_life_weeks: float | None = None):
        super().__init__()
        if half_life_weeks is not None and not half_life_weeks > 0:
            raise EcomTutorError(f"A half-life is positive weeks; {half_life_weeks!r} came.")
        self.half_life_weeks = half_life_weeks

    def _learn(self, purchases: Purchases) -> None:
        buyers = popularity(purchases)
        self._tail = 1e-4 * buyers / buyers.max()  # below the weight of any purchase

    def score_histories(self, histories: Purchases) -> "np.ndarray[Any, Any]":
        """Decayed number of purchases: (households, products)."""
        weights = recency(histories, self.half_life_weeks)
        return histories.counts(weights).toarray() + self._tail.astype(np.float32)


def recency(histories: Purchases, half_life_weeks: float | None) -> "np.ndarray[Any, Any]":
    """The weight of each line: one half for every half-life of its age, (lines,)."""
    if half_life_weeks is None:
        return np.ones(len(histories.lines), dtype=np.float32)
    age = np.maximum(histories.now - histories.lines["day"].to_numpy(), 0)
    weights: np.ndarray[Any, Any] = 0.5 ** (age / (DAYS_A_WEEK * half_life_weeks))
    return weights.astype(np.float32)
