"""Matrix factors: each household and each product is a short vector, their product the score.

The fitting is the library implicit's; what is added here is a vector for any history at all.
"""

from typing import Any, ClassVar

import numpy as np

from ecomtutor.interpretability.doors import whole
from ecomtutor.recommendation.base import Recommender
from ecomtutor.recommendation.purchases import Purchases
from ecomtutor.recommendation.threads import one_thread
from ecomtutor.recommendation.weighting import (
    Weighting,
    check_weighting,
    history_matrix,
    positive,
)


class ALS(Recommender):
    """Alternating least squares for purchases: what was not bought counts as a weak zero.

    Minimises Σ c (p - u·v)² + regularization (|u|² + |v|²) over all households and products,
    where p is 1 and the confidence c is alpha times the history's weight for what was bought, and
    p is 0 and c is 1 for everything else. The literature takes an alpha of 15 to 40 and a weak
    regularization. On this shop that is worse than a confidence near 1 and a strong one: then it
    comes close to a plain singular value decomposition.

    Args:
        factors: the vectors' length.
        regularization: how strongly vectors are drawn to zero.
        alpha: confidence for a weight of one.
        iterations: rounds over households and products.
        weighting, half_life_weeks: of a product in a history, see `history_matrix`.
        seed: draws the vectors at the start.

    Source: Hu, Koren and Volinsky (2008), Collaborative Filtering for Implicit Feedback Datasets.
    """

    name: ClassVar[str] = "ALS"

    def __init__(
        self,
        factors: int = 96,
        regularization: float = 20.0,
        alpha: float = 1.5,
        iterations: int = 12,
        weighting: Weighting = "log",
        half_life_weeks: float | None = 26.0,
        seed: int = 0,
    ):
        super().__init__()
        self.factors = whole(factors, "factors", 1)
        self.iterations = whole(iterations, "iterations", 1)
        self.regularization = positive(regularization, "regularization")
        self.alpha = positive(alpha, "alpha")
        check_weighting(weighting, half_life_weeks)
        self.weighting, self.half_life_weeks = weighting, half_life_weeks
        self.seed = whole(seed, "seed")

    def _learn(self, purchases: Purchases) -> None:
        from implicit.cpu.als import AlternatingLeastSquares

        with one_thread():
            self.model = AlternatingLeastSquares(
                factors=self.factors,
                regularization=self.regularization,
                alpha=self.alpha,
                iterations=self.iterations,
                random_state=self.seed,
                num_threads=0,  # all: each vector is solved for alone, to the same last digit
            )
            self.model.fit(self._matrix(purchases), show_progress=False)
        self.product_vectors: np.ndarray[Any, Any] = self.model.item_factors

    def vectors(self, histories: Purchases) -> "np.ndarray[Any, Any]":
        """The best vector for each history, the products' vectors given: (households, factors).

        Solves (VᵀV + Σ (c - 1) v vᵀ + regularization · I) u = Σ c v, the sums over what was bought.
        """
        with one_thread():
            found: np.ndarray[Any, Any] = self.model.recalculate_user(
                np.arange(len(histories.households)), self._matrix(histories)
            )
        return found

    def score_histories(self, histories: Purchases) -> "np.ndarray[Any, Any]":
        """Each history's vector times every product's: (households, products), float32."""
        return _products(self.vectors(histories), self.product_vectors)

    def score_products(
        self, histories: Purchases, products: "np.ndarray[Any, Any]"
    ) -> "np.ndarray[Any, Any]":
        """The same for some products alone."""
        return _products(self.vectors(histories), self.product_vectors[products])

    def _matrix(self, histories: Purchases) -> Any:
        return _library_matrix(histories, self.weighting, self.half_life_weeks)


class BPR(Recommender):
    """Bayesian personalised ranking: what was bought should score above what was not.

    Learns from pairs of a bought and another product by stochastic gradient; products also have
    a bias. The method has no formula for the vector of a new history. Here it is read off those
    that were learned: a linear map, fitted by least squares, from the weighted mean of a
    history's product vectors to the household's vector. Lists made this way are not worse than
    those of the learned vectors. On this shop neither is much better than popularity.

    Args:
        factors: the vectors' length.
        learning_rate: of each step.
        regularization: how strongly vectors are drawn to zero.
        iterations: rounds of as many pairs as there are (household, product) pairs.
        weighting, half_life_weeks: of a product in a history when it is scored; learning only
            sees what was bought at all.
        seed: draws vectors and pairs.

    Source: Rendle and others (2009), BPR: Bayesian Personalized Ranking from Implicit Feedback.
    """

    name: ClassVar[str] = "BPR"

    def __init__(
        self,
        factors: int = 64,
        learning_rate: float = 0.005,
        regularization: float = 0.02,
        iterations: int = 60,
        weighting: Weighting = "log",
        half_life_weeks: float | None = 26.0,
        seed: int = 0,
    ):
        super().__init__()
        self.factors = whole(factors, "factors", 1)
        self.iterations = whole(iterations, "iterations", 1)
        self.learning_rate = positive(learning_rate, "learning_rate")
        self.regularization = positive(regularization, "regularization", zero=True)
        check_weighting(weighting, half_life_weeks)
        self.weighting, self.half_life_weeks = weighting, half_life_weeks
        self.seed = whole(seed, "seed")

    def _learn(self, purchases: Purchases) -> None:
        from implicit.cpu.bpr import BayesianPersonalizedRanking

        with one_thread():
            self.model = BayesianPersonalizedRanking(
                factors=self.factors,
                learning_rate=self.learning_rate,
                regularization=self.regularization,
                iterations=self.iterations,
                random_state=self.seed,
                num_threads=1,  # more write over each other: no two runs would agree
            )
            self.model.fit(_library_matrix(purchases, "binary", None), show_progress=False)
            self.product_vectors: np.ndarray[Any, Any] = self.model.item_factors
            learned = np.flatnonzero(self.model.user_factors.any(axis=1))
            means = self._means(purchases)[learned]
            self._map = np.linalg.lstsq(means, self.model.user_factors[learned], rcond=None)[0]

    def vectors(self, histories: Purchases) -> "np.ndarray[Any, Any]":
        """A vector for each history: (households, factors + 1), the last one the bias' factor."""
        found: np.ndarray[Any, Any] = self._means(histories) @ self._map
        return found.astype(np.float32)

    def score_histories(self, histories: Purchases) -> "np.ndarray[Any, Any]":
        """Each history's vector times every product's: (households, products), float32."""
        return _products(self.vectors(histories), self.product_vectors)

    def score_products(
        self, histories: Purchases, products: "np.ndarray[Any, Any]"
    ) -> "np.ndarray[Any, Any]":
        """The same for some products alone."""
        return _products(self.vectors(histories), self.product_vectors[products])

    def _means(self, histories: Purchases) -> "np.ndarray[Any, Any]":
        """The weighted mean of each history's product vectors, and a 1: (households, …)."""
        weights = history_matrix(histories, self.weighting, self.half_life_weeks)
        total = np.maximum(np.asarray(weights.sum(axis=1)), np.finfo(np.float32).tiny)
        means = (weights @ self.product_vectors) / total[:, None]
        return np.column_stack([means, np.ones(len(means), dtype=np.float32)])


def _library_matrix(
    histories: Purchases, weighting: Weighting, half_life_weeks: float | None
) -> Any:
    """The weights in the older sparse type that implicit takes."""
    from scipy.sparse import csr_matrix

    return csr_matrix(history_matrix(histories, weighting, half_life_weeks))


def _products(
    vectors: "np.ndarray[Any, Any]", products: "np.ndarray[Any, Any]"
) -> "np.ndarray[Any, Any]":
    with one_thread():
        scores: np.ndarray[Any, Any] = vectors @ products.T
    return scores
