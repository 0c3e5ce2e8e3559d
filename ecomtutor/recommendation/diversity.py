"""Lists that do not repeat themselves: maximal marginal relevance, and how alike a list is."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from ecomtutor.errors import EcomTutorError
from ecomtutor.interpretability.doors import whole
from ecomtutor.recommendation.base import best

if TYPE_CHECKING:
    import pandas as pd

Similarity = Callable[["np.ndarray[Any, Any]"], "np.ndarray[Any, Any]"]
"""From positions of products (n,) to how alike they are, (n, n), 1 for the same."""

LEVELS = ("department", "product_category", "product_type")


def mmr(
    relevance: "np.ndarray[Any, Any]",
    similarity: "np.ndarray[Any, Any]",
    k: int,
    balance: float = 0.7,
) -> list[int]:
    """Choose k products one by one: relevant, and unlike those chosen before.

    Each round takes the largest balance · relevance - (1 - balance) · the largest similarity to one
    already chosen. Of equal ones the first wins.

    Args:
        relevance: (products,), on the scale of the similarities; `diversify` brings it there.
        similarity: (products, products), at most 1.
        k: how many; more than there are gives all, in the order of choice.
        balance: 1 is the plain order of relevance; 0 looks at the similarities alone.

    Returns:
        Places in `relevance`, the first choice first.

    Raises:
        EcomTutorError: shapes that do not fit, a balance outside 0 … 1, k below 1.

    Source: Carbonell and Goldstein (1998), The Use of MMR, Diversity-Based Reranking.
    """
    n = len(relevance)
    if similarity.shape != (n, n):
        raise EcomTutorError(
            f"Similarities of {n} products are ({n}, {n}); {similarity.shape} came."
        )
    _check(k, balance)
    worth = balance * np.asarray(relevance, dtype=np.float64)
    nearest = np.zeros(n)
    chosen: list[int] = []
    while len(chosen) < min(k, n):
        chosen.append(int(np.argmax(worth - (1 - balance) * nearest)))
        worth[chosen[-1]] = -np.inf
        nearest = np.maximum(nearest, similarity[chosen[-1]])
    return chosen


def diversify(
    scores: "np.ndarray[Any, Any]",
    similarity: Similarity,
    k: int = 10,
    balance: float = 0.7,
    candidates: int = 100,
) -> "np.ndarray[Any, Any]":
    """Lists by `mmr` from each household's best candidates.

    Scores of any model are brought to 0 … 1 first, per household: the best candidate gets 1, the
    last one 0. What balance is right therefore depends on the model and on `candidates`.

    Args:
        scores: (households, products); -inf for what must not appear.
        similarity: such as `by_category(products)` or `by_vectors(vectors)`.
        k: the lists' length.
        balance: see `mmr`.
        candidates: how many of the best compete; at least k.

    Returns:
        Positions (households, min(k, products)), -1 where nothing is left.

    Raises:
        EcomTutorError: fewer candidates than k, or what `mmr` refuses.
    """
    _check(k, balance)
    if whole(candidates, "candidates", 1) < k:
        raise EcomTutorError(f"A list of {k} takes at least {k} candidates; {candidates} came.")
    tops = best(scores, candidates)
    lists = np.full((len(scores), min(k, scores.shape[1])), -1, dtype=np.int64)
    for row, top in enumerate(tops):
        top = top[top >= 0]
        if len(top):
            chosen = mmr(_to_unit(scores[row, top]), similarity(top), k, balance)
            lists[row, : len(chosen)] = top[chosen]
    return lists


def intra_list_similarity(lists: "np.ndarray[Any, Any]", similarity: Similarity) -> float:
    """How alike the products of a list are: the mean over its pairs, and over all lists.

    Args:
        lists: positions (households, k), -1 for none. Lists of fewer than two products have no
            pair and do not count.
        similarity: see `diversify`.

    Returns:
        0 for lists of strangers, 1 for lists of twins.

    Raises:
        EcomTutorError: no list with a pair.

    Source: Ziegler and others (2005), Improving Recommendation Lists Through Topic Diversification.
    """
    means = []
    for line in lists:
        line = line[line >= 0]
        if len(line) > 1:
            alike = similarity(line)
            means.append(float(alike[np.triu_indices(len(line), 1)].mean()))
    if not means:
        raise EcomTutorError("No list holds two products: there is no pair to compare.")
    return float(np.mean(means))


def by_category(products: "pd.DataFrame") -> Similarity:
    """Alike in how many of three: department, category and type. A missing word equals nothing."""
    codes = np.stack([products[level].astype("category").cat.codes for level in LEVELS])

    def similarity(places: "np.ndarray[Any, Any]") -> "np.ndarray[Any, Any]":
        own = codes[:, places]
        same = (own[:, :, None] == own[:, None]) & (own >= 0)[:, :, None]
        alike: np.ndarray[Any, Any] = same.mean(axis=0)
        np.fill_diagonal(alike, 1.0)
        return alike

    return similarity


def by_vectors(vectors: "np.ndarray[Any, Any]") -> Similarity:
    """The cosine of vectors (products, dimensions), such as text embeddings or factors.

    A vector of zeros is like nothing. Cosines may be negative; `mmr` takes them for 0.
    """
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    unit = np.divide(vectors, length, out=np.zeros_like(vectors), where=length > 0)

    def similarity(places: "np.ndarray[Any, Any]") -> "np.ndarray[Any, Any]":
        alike: np.ndarray[Any, Any] = unit[places] @ unit[places].T
        return alike

    return similarity


def _to_unit(values: "np.ndarray[Any, Any]") -> "np.ndarray[Any, Any]":
    low, high = values.min(), values.max()
    return (values - low) / (high - low) if high > low else np.ones_like(values)


def _check(k: int, balance: float) -> None:
    whole(k, "k", 1)
    number = isinstance(balance, int | float | np.number) and not isinstance(balance, bool)
    if not number or not 0 <= balance <= 1:
        raise EcomTutorError(f"balance is a number from 0 to 1; {balance!r:.60} came.")
