"""Products that go together: the same households buy them, or they lie in the same baskets.

ItemKNN            similar items: cosine of who bought them, k neighbours each
Ease               a linear model from all products to each, in closed form
AssociationRules   related items: what else lies in baskets with this one
"""

from itertools import pairwise
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np

from ecomtutor.errors import EcomTutorError
from ecomtutor.interpretability.doors import whole
from ecomtutor.recommendation.base import Recommender, best
from ecomtutor.recommendation.purchases import Purchases
from ecomtutor.recommendation.threads import one_thread
from ecomtutor.recommendation.weighting import (
    Weighting,
    check_weighting,
    history_matrix,
    positive,
)

if TYPE_CHECKING:
    import pandas as pd
    from scipy.sparse import csr_array

BLOCK = 1024  # rows of products × products at a time: some 50 MB of the real catalogue

Measure = Literal["support", "confidence", "lift"]


class ItemKNN(Recommender):
    """Whoever bought this gets what the same households bought: the sum of similarities.

    The similarity of two products is the cosine of their columns in households × products,
    x·y / (|x| |y| + shrinkage). Each product keeps its k most similar ones, itself among them.

    Args:
        k: how many, the product itself included.
        shrinkage: makes pairs with few buyers less similar; 0 is the plain cosine.
        weighting, half_life_weeks: of a product in a history, see `history_matrix`.

    Source: Sarwar and others (2001), Item-Based Collaborative Filtering.
    """

    name: ClassVar[str] = "item-kNN"

    def __init__(
        self,
        k: int = 200,
        shrinkage: float = 1.0,
        weighting: Weighting = "log",
        half_life_weeks: float | None = 26.0,
    ):
        super().__init__()
        self.k = whole(k, "k, how many neighbours,", 1)
        self.shrinkage = positive(shrinkage, "shrinkage", zero=True)
        check_weighting(weighting, half_life_weeks)
        self.weighting, self.half_life_weeks = weighting, half_life_weeks

    def _learn(self, purchases: Purchases) -> None:
        matrix = history_matrix(purchases, self.weighting, self.half_life_weeks)
        self.similarities = cosine_neighbours(matrix, self.k, self.shrinkage)

    def score_histories(self, histories: Purchases) -> "np.ndarray[Any, Any]":
        """Each history's weights times the similarities: (households, products), float32."""
        weights = history_matrix(histories, self.weighting, self.half_life_weeks)
        return _dense(weights @ self.similarities)

    def score_products(
        self, histories: Purchases, products: "np.ndarray[Any, Any]"
    ) -> "np.ndarray[Any, Any]":
        """The same for some products alone."""
        weights = history_matrix(histories, self.weighting, self.half_life_weeks)
        return _dense(weights @ self.similarities[:, products])

    def similar(self, product_id: int, k: int = 10) -> "pd.DataFrame":
        """The k most similar other products: product_id, text, similarity; the nearest first."""
        at = self.purchases.product_at(product_id)
        row = self.similarities[[at]].toarray()[0]
        row[at] = 0
        return _named(self.purchases, row, k, "similarity")


def cosine_neighbours(matrix: "csr_array", k: int, shrinkage: float = 0.0) -> "csr_array":
    """The k largest cosines of each column with all columns: (products, products), sparse.

    Args:
        matrix: (households, products), nothing negative.
        k: how many each row keeps; of equal ones, those first in the catalogue.
        shrinkage: added to the product of the two lengths.
    """
    from scipy.sparse import csr_array

    by_product = matrix.T.tocsr().astype(np.float32)
    length = np.sqrt(np.asarray(by_product.multiply(by_product).sum(axis=1)).ravel())
    found: list[tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]] = []
    for start in range(0, by_product.shape[0], BLOCK):
        together = (by_product[start : start + BLOCK] @ matrix).tocsr()  # (block, products)
        for row, (first, stop) in enumerate(pairwise(together.indptr)):
            others = together.indices[first:stop]
            shared = together.data[first:stop]
            cosine = shared / (length[start + row] * length[others] + np.float32(shrinkage))
            found.append(_largest(others, cosine, k))
    ends = np.cumsum([0, *(len(others) for others, _ in found)])
    others, cosines = (np.concatenate(part) for part in zip(*found, strict=True))
    return csr_array((cosines, others, ends), shape=(len(length), len(length)))


def _largest(
    places: "np.ndarray[Any, Any]", values: "np.ndarray[Any, Any]", k: int
) -> "tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]":
    """The k largest values with their places, in the order of places; of equal ones the first."""
    if len(values) > k:
        # A partial sort breaks ties as it likes: everything equal to the k-th value competes.
        chosen = np.flatnonzero(values >= np.partition(values, -k)[-k])
        chosen = chosen[np.lexsort((places[chosen], -values[chosen]))[:k]]
        places, values = places[chosen], values[chosen]
    order = np.argsort(places)
    return places[order], values[order]


class Ease(Recommender):
    """A linear model: each product's place in a history, from all other products in it.

    Minimises |X - X B|² + regularization |B|² over B with a diagonal of zeros, so that no product
    explains itself. With P = (XᵀX + regularization · I)⁻¹ the answer is B_ij = -P_ij / P_jj: no
    iterations, no random start. The shop has more products than households, so that the inverse
    is taken on the side of the households, where it is ten times smaller, and equal (Woodbury).

    Args:
        regularization: larger forgets more of single households.
        weighting, half_life_weeks: of a product in a history, see `history_matrix`. "binary" is
            better at what is new to a household, "log" at what it buys again.

    Source: Steck (2019), Embarrassingly Shallow Autoencoders for Sparse Data.
    """

    name: ClassVar[str] = "EASE"

    def __init__(
        self,
        regularization: float = 100.0,
        weighting: Weighting = "binary",
        half_life_weeks: float | None = 26.0,
    ):
        super().__init__()
        self.regularization = positive(regularization, "regularization")
        check_weighting(weighting, half_life_weeks)
        self.weighting, self.half_life_weeks = weighting, half_life_weeks

    def _learn(self, purchases: Purchases) -> None:
        x = history_matrix(
            purchases, self.weighting, self.half_life_weeks
        )  # (households, products)
        gram = (x @ x.T).toarray().astype(np.float64)
        gram[np.diag_indices_from(gram)] += self.regularization
        with one_thread():
            inverse = np.linalg.inv(gram).astype(np.float32)
        # P = (I - Xᵀ solved) / regularization, never written out: it is products × products.
        self._x, self._solved = x, inverse @ x  # (households, products) both
        own = np.asarray(x.multiply(self._solved).sum(axis=0)).ravel()
        self._diagonal = 1 - own  # of P, times the regularization
        self._row_of = {int(household): row for row, household in enumerate(purchases.households)}

    def score_histories(self, histories: Purchases) -> "np.ndarray[Any, Any]":
        """Histories times B: (households, products), float32. Scores may be negative."""
        return self._scores(histories, slice(None))

    def score_products(
        self, histories: Purchases, products: "np.ndarray[Any, Any]"
    ) -> "np.ndarray[Any, Any]":
        """The same for some products alone."""
        return self._scores(histories, products)

    def _scores(self, histories: Purchases, chosen: Any) -> "np.ndarray[Any, Any]":
        h = history_matrix(histories, self.weighting, self.half_life_weeks)
        diagonal = self._diagonal[chosen]
        scores = self._projected(h, histories.households, chosen) / diagonal
        held = h[:, chosen].tocoo()  # its own place in a history adds nothing to a product
        scores[held.row, held.col] += held.data * (1 - 1 / diagonal[held.col])
        return scores

    def _projected(
        self, h: "csr_array", households: "np.ndarray[Any, Any]", chosen: Any
    ) -> "np.ndarray[Any, Any]":
        """h Xᵀ solved: (histories, chosen products).

        For the histories that it learned from that is x - regularization · solved, because
        (X Xᵀ + regularization · I) solved = X: no product of matrices at all.
        """
        rows = [self._row_of.get(int(household), -1) for household in households]
        if min(rows, default=-1) >= 0 and (h != self._x[rows]).nnz == 0:
            known = h[:, chosen].toarray()
            known -= np.float32(self.regularization) * self._solved[rows][:, chosen]
            return known
        with one_thread():
            projected: np.ndarray[Any, Any] = (h @ self._x.T).toarray() @ self._solved[:, chosen]
        return projected

    def weights(self, product_id: int) -> "np.ndarray[Any, Any]":
        """What each product in a history adds to this one's score: (products,), column of B."""
        at = self.purchases.product_at(product_id)
        column = self._x.T @ self._solved[:, at] / self._diagonal[at]
        column[at] = 0
        return column.astype(np.float32)


class AssociationRules(Recommender):
    """Whoever has this in the basket takes that too: pairs of products, counted in baskets.

    Of a rule A → B, support is the share of baskets with both, confidence the share of baskets
    with A that hold B too, lift the confidence over the share of all baskets that hold B: 1 where
    the two have nothing to do with each other.

    A household is offered what follows from its latest baskets: the mean of the rules' measure
    over the products in them.

    Args:
        min_baskets: pairs seen together in fewer baskets make no rule.
        measure: by which households are scored.
        recent: how many of the latest baskets of a history count; None: all.

    Source: Agrawal, Imieliński and Swami (1993); Brin and others (1997) for lift.
    """

    name: ClassVar[str] = "association rules"

    def __init__(
        self, min_baskets: int = 5, measure: Measure = "confidence", recent: int | None = 3
    ):
        super().__init__()
        self.min_baskets = whole(min_baskets, "min_baskets", 1)
        self.recent = recent if recent is None else whole(recent, "recent, of baskets,", 1)
        if measure not in ("support", "confidence", "lift"):
            raise EcomTutorError(f"measure is support, confidence or lift; {measure!r} came.")
        self.measure = measure

    def _learn(self, purchases: Purchases) -> None:
        held = _baskets(purchases)
        self.baskets = held.shape[0]
        self.single = np.asarray(held.sum(axis=0)).ravel()  # baskets with each product
        pairs = (held.T @ held).tocoo()
        kept = (pairs.data >= self.min_baskets) & (pairs.row != pairs.col)
        self._pairs = _square(pairs.row[kept], pairs.col[kept], pairs.data[kept], pairs.shape[0])
        self._strength = self._measured(self.measure)

    def score_histories(self, histories: Purchases) -> "np.ndarray[Any, Any]":
        """The mean measure over the products of the latest baskets: (households, products)."""
        held = latest_baskets(histories, self.recent).counts().sign()
        size = np.maximum(np.asarray(held.sum(axis=1)), 1)
        return _dense(held @ self._strength) / size[:, None].astype(np.float32)

    def rules(self, product_id: int, k: int = 10, by: Measure = "confidence") -> "pd.DataFrame":
        """The k strongest rules from one product.

        Returns:
            A table, strongest first: product_id, text, baskets (with both), households (that had
            both in one basket: a rule of one household is its habit), support, confidence, lift.

        Raises:
            EcomTutorError: a product outside the catalogue, another measure, k below 1.
        """
        at = self.purchases.product_at(product_id)
        row = self._measured(by)[[at]].toarray()[0]
        table = _named(self.purchases, row, k, by).drop(columns=by)
        places = np.array([self.purchases.product_at(i) for i in table["product_id"]], dtype=int)
        both = self._pairs[[at]].toarray()[0][places]
        confidence = both / self.single[at]
        return table.assign(
            baskets=both.astype(int),
            households=_households_with_both(self.purchases, at, places),
            support=both / self.baskets,
            confidence=confidence,
            lift=confidence * self.baskets / self.single[places],
        )

    def _measured(self, measure: Measure) -> "csr_array":
        """The measure of every rule: (products, products), row → column."""
        pairs = self._pairs.tocoo()
        from_a, to_b = self.single[pairs.row], self.single[pairs.col]
        ways = {
            "support": lambda: pairs.data / self.baskets,
            "confidence": lambda: pairs.data / from_a,
            "lift": lambda: pairs.data * (self.baskets / (from_a * to_b)),
        }
        if measure not in ways:
            raise EcomTutorError(f"The measures are {', '.join(ways)}; {measure!r} came.")
        return _square(pairs.row, pairs.col, ways[measure](), pairs.shape[0])


def latest_baskets(histories: Purchases, many: int | None) -> Purchases:
    """Each household's latest baskets only; None: all."""
    from dataclasses import replace

    if many is None:
        return histories
    lines = histories.lines
    ends = lines.groupby(["household", "basket"], sort=False)["day"].max().reset_index()
    # Of baskets at one moment, the one with the higher number came last.
    ends = ends.sort_values(["household", "day", "basket"])
    ends = ends.groupby("household", sort=False).tail(many)
    return replace(histories, lines=lines[lines["basket"].isin(ends["basket"])])


def _baskets(purchases: Purchases) -> "csr_array":
    """What each basket holds: (baskets, products), 1 or nothing."""
    from scipy.sparse import coo_array

    numbers, basket = np.unique(purchases.lines["basket"], return_inverse=True)
    at = (basket, purchases.lines["product"].to_numpy())
    shape = (len(numbers), len(purchases.products))
    return coo_array((np.ones(len(basket), dtype=np.float32), at), shape=shape).tocsr().sign()


def _households_with_both(
    purchases: Purchases, first: int, others: "np.ndarray[Any, Any]"
) -> "np.ndarray[Any, Any]":
    """How many households had `first` and each of `others` in one basket: (others,)."""
    lines = purchases.lines
    with_first = lines["basket"].isin(lines["basket"][lines["product"] == first])
    pairs = lines[with_first][["household", "product"]].drop_duplicates()
    found = pairs["product"].value_counts()
    return found.reindex(others, fill_value=0).to_numpy()


def _square(
    rows: "np.ndarray[Any, Any]", columns: "np.ndarray[Any, Any]", values: Any, size: int
) -> "csr_array":
    from scipy.sparse import coo_array

    return coo_array((values.astype(np.float32), (rows, columns)), shape=(size, size)).tocsr()


def _dense(scores: "csr_array") -> "np.ndarray[Any, Any]":
    dense: np.ndarray[Any, Any] = scores.toarray()
    return dense.astype(np.float32, copy=False)


def _named(
    purchases: Purchases, row: "np.ndarray[Any, Any]", k: int, measure: str
) -> "pd.DataFrame":
    """The k largest positive entries of a row over the catalogue, with their products."""
    order = best(np.where(row > 0, row, -np.inf)[None], whole(k, "k", 1))[0]
    order = order[order >= 0]
    table = purchases.products.iloc[order][["product_id", "text"]].reset_index(drop=True)
    return table.assign(**{measure: row[order]})
