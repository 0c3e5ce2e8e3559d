"""A product is the vector of its text, a household the mean of what it bought: two towers."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from ecomtutor.embeddings import embed
from ecomtutor.errors import EcomTutorError
from ecomtutor.recommendation.base import Recommender, popularity
from ecomtutor.recommendation.baselines import recency
from ecomtutor.recommendation.purchases import Purchases

if TYPE_CHECKING:
    import pandas as pd


class TextTower(Recommender):
    """Recommends what reads like the things that a household bought.

    A product's vector is that of its text; a household's is the weighted mean of its products'.
    The score is their cosine, plus a share of popularity: thousands of products have the same few
    words, and only popularity tells them apart. It needs no purchase of a product, only its text:
    `score_texts` scores products that nobody has bought yet.

    Args:
        popularity_weight: 0 is text alone, the only setting that recommends cold products. 4 was
            best for discovery on the validation weeks (NDCG 0.0363; popularity alone 0.0318). For
            next purchases 2 with whitening 0.5 and plain counts was (0.177; popularity 0.152).
        whitening: 0 takes the mean vector off all vectors, 1 also evens out their directions,
            0.5 halfway; None leaves them as the model made them, all within a narrow cone.
        log_counts: a product bought e times as often counts one more, not e times as much.
        half_life_weeks: an older purchase counts less, as in `OwnFrequency`.
        idf: what few households buy counts more.
        bf16: as in `embed`.
    """

    name: ClassVar[str] = "text tower"

    def __init__(
        self,
        popularity_weight: float = 4.0,
        whitening: float | None = 0.0,
        log_counts: bool = True,
        half_life_weeks: float | None = None,
        idf: bool = False,
        bf16: bool = True,
    ):
        super().__init__()
        if whitening is not None and not 0 <= whitening <= 1:
            raise EcomTutorError(f"Whitening is None or 0 … 1; {whitening!r} came.")
        if not popularity_weight >= 0:
            raise EcomTutorError(f"A weight is at least 0; {popularity_weight!r} came.")
        self.popularity_weight, self.whitening = popularity_weight, whitening
        self.log_counts, self.half_life_weeks = log_counts, half_life_weeks
        self.idf, self.bf16 = idf, bf16

    def _learn(self, purchases: Purchases) -> None:
        texts = purchases.products["text"].tolist()
        place = {text: row for row, text in enumerate(dict.fromkeys(texts))}
        self.text_of = np.array([place[text] for text in texts])  # (products,)
        raw = embed(list(place), "en", bf16=self.bf16)  # (distinct texts, 384)
        self._shape_from(raw, np.bincount(self.text_of))
        self.text_vectors = self._shaped(raw)
        buyers = popularity(purchases)
        prior = np.log1p(buyers) / np.log1p(buyers.max())
        self.prior = (self.popularity_weight * prior).astype(np.float32)  # (products,)
        rarity = np.log(len(purchases.households) / (1 + buyers))
        self._rarity = np.maximum(rarity, 0).astype(np.float32) if self.idf else None

    def _shape_from(self, raw: "np.ndarray[Any, Any]", products: "np.ndarray[Any, Any]") -> None:
        """Learn the mean and the directions of the products' vectors."""
        self._mean = np.zeros(raw.shape[1]), np.eye(raw.shape[1])
        if self.whitening is None:
            return
        mean = np.average(raw, axis=0, weights=products)
        spread = (raw - mean).T * products @ (raw - mean) / products.sum()
        sizes, directions = np.linalg.eigh(spread)
        scale = (np.maximum(sizes, 0) + 1e-6) ** (-self.whitening / 2)
        self._mean = mean, directions * scale

    def _shaped(self, raw: "np.ndarray[Any, Any]") -> "np.ndarray[Any, Any]":
        mean, turn = self._mean
        return _unit((raw - mean) @ turn)

    @property
    def product_vectors(self) -> "np.ndarray[Any, Any]":
        """(products, dim + 1): each text's vector and, last, the product's share of popularity.

        The inner product with a row of `household_vectors` is the score: an index can search it.
        """
        return np.column_stack([self.text_vectors[self.text_of], self.prior])

    def household_vectors(self, histories: Purchases) -> "np.ndarray[Any, Any]":
        """(households, dim + 1): the mean of the history, of length 1, and a 1 at the end.

        An empty history is all zeros but for the 1: what is popular.
        """
        mean = self._mean_of(histories)
        return np.column_stack([mean, np.ones(len(mean), dtype=np.float32)])

    def score_histories(self, histories: Purchases) -> "np.ndarray[Any, Any]":
        """Cosine plus popularity: (households, products), float32."""
        scores = (self._mean_of(histories) @ self.text_vectors.T)[:, self.text_of]
        scores += self.prior
        return scores

    def score_texts(self, histories: Purchases, texts: Sequence[str]) -> "np.ndarray[Any, Any]":
        """Cosine of histories and any product texts: (households, texts), float32.

        For products outside the catalogue, which have no purchase and so no popularity. Write
        their texts as `purchases.product_texts` does.
        """
        self.purchases  # noqa: B018 - raises before fit
        vectors = self._shaped(embed(texts, "en", bf16=self.bf16))
        scores: np.ndarray[Any, Any] = self._mean_of(histories) @ vectors.T
        return scores

    def similar_products(
        self, product_id: int, k: int = 10, one_of_each_text: bool = True
    ) -> "pd.DataFrame":
        """The products whose text is nearest to a product's: "similar items" beside a page.

        Args:
            product_id: a product of the catalogue.
            k: how many; more than there are gives what there is.
            one_of_each_text: of products with the same text only the one that most households
                bought, and none with the text of the product itself: ten times the same line
                helps nobody.

        Returns:
            A table: rank, product_id, text, score (cosine); nearest first.

        Raises:
            EcomTutorError: an unknown product, or k below one.
        """
        import pandas as pd

        if not isinstance(k, int | np.integer) or k < 1:
            raise EcomTutorError(f"k is a whole number of at least 1; {k!r} came.")
        purchases = self.purchases
        at = purchases.product_at(product_id)
        cosine = (self.text_vectors @ self.text_vectors[self.text_of[at]])[self.text_of]
        buyers = popularity(purchases)
        order = np.lexsort((-buyers, -cosine.round(6)))
        order = order[order != at]
        if one_of_each_text:
            order = order[self.text_of[order] != self.text_of[at]]
            _, first = np.unique(self.text_of[order], return_index=True)
            order = order[np.sort(first)]
        order = order[:k]
        table = purchases.products.iloc[order][["product_id", "text"]].reset_index(drop=True)
        table.insert(0, "rank", np.arange(1, len(order) + 1))
        return pd.DataFrame(table.assign(score=cosine[order]))

    def _mean_of(self, histories: Purchases) -> "np.ndarray[Any, Any]":
        """Weighted mean of the history's vectors, of length 1: (households, dim)."""
        from scipy.sparse import csr_array

        counts = histories.counts(recency(histories, self.half_life_weeks))
        if self.log_counts:
            counts.data = np.log1p(counts.data)
        if self._rarity is not None:
            counts = csr_array(counts.multiply(self._rarity[None]))
        return _unit(counts @ self.text_vectors[self.text_of])


def _unit(vectors: "np.ndarray[Any, Any]") -> "np.ndarray[Any, Any]":
    """Rows of length 1, float32; a row of zeros stays."""
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    unit: np.ndarray[Any, Any] = vectors / np.maximum(length, 1e-12)
    return unit.astype(np.float32)
