"""MMR against choosing by brute force; how alike lists are."""

import numpy as np
import pytest
from small_shop import small_shop

from ecomtutor.errors import EcomTutorError
from ecomtutor.recommendation import best
from ecomtutor.recommendation.diversity import (
    by_category,
    by_vectors,
    diversify,
    intra_list_similarity,
    mmr,
)

RNG = np.random.default_rng(3)


def alike(n: int) -> np.ndarray:
    vectors = RNG.random((n, 3))
    return by_vectors(vectors)(np.arange(n))


def brute(relevance: np.ndarray, similarity: np.ndarray, k: int, balance: float) -> list[int]:
    """The definition, one candidate at a time."""
    chosen: list[int] = []
    while len(chosen) < min(k, len(relevance)):
        left = [i for i in range(len(relevance)) if i not in chosen]
        worth = [
            balance * relevance[i] - (1 - balance) * max([0.0, *(similarity[i, j] for j in chosen)])
            for i in left
        ]
        chosen.append(left[int(np.argmax(worth))])
    return chosen


@pytest.mark.parametrize("balance", [0, 0.3, 0.7, 1])
@pytest.mark.parametrize("k", [1, 4, 12, 50])
def test_mmr_is_its_definition(balance: float, k: int) -> None:
    for _ in range(5):
        relevance, similarity = RNG.random(12), alike(12)
        assert mmr(relevance, similarity, k, balance) == brute(relevance, similarity, k, balance)


def test_twins_are_not_shown_together() -> None:
    similarity = np.array([[1, 1, 0], [1, 1, 0], [0, 0, 1]], dtype=float)
    assert mmr(np.array([1, 0.9, 0.5]), similarity, 3, 0.5) == [0, 2, 1]
    assert mmr(np.array([1, 0.9, 0.5]), similarity, 3, 1.0) == [0, 1, 2]


def test_lists_with_balance_one_are_the_plain_ones_and_less_is_more_varied() -> None:
    products = small_shop().products
    scores = RNG.normal(size=(20, len(products)))
    similarity = by_category(products)
    plain = diversify(scores, similarity, 10, balance=1.0)
    assert np.array_equal(plain, best(scores, 10))
    varied = diversify(scores, similarity, 10, balance=0.5)
    assert intra_list_similarity(varied, similarity) < intra_list_similarity(plain, similarity)
    assert set(varied.ravel()) <= set(best(scores, 100).ravel())


def test_what_is_left_out_stays_out() -> None:
    scores = np.full((2, 6), -np.inf)
    scores[0, [1, 4]] = 2.0, 1.0
    lists = diversify(scores, by_vectors(RNG.random((6, 2))), 3)
    assert sorted(lists[0].tolist()) == [-1, 1, 4] and lists[1].tolist() == [-1, -1, -1]


def test_equal_scores_are_all_equally_good() -> None:
    lists = diversify(np.zeros((1, 5)), by_vectors(np.eye(5)), 3, balance=1.0)
    assert lists.tolist() == [[0, 1, 2]]


def test_how_alike_a_list_is() -> None:
    vectors = np.array([[1.0, 0], [1, 0], [0, 1]])
    lists = np.array([[0, 1, 2], [0, 1, -1], [2, -1, -1]])
    assert intra_list_similarity(lists, by_vectors(vectors)) == pytest.approx((1 / 3 + 1) / 2)
    with pytest.raises(EcomTutorError, match="no pair"):
        intra_list_similarity(lists[2:], by_vectors(vectors))


def test_categories_agree_in_thirds() -> None:
    import pandas as pd

    table = pd.DataFrame(
        {
            "department": ["GROCERY", "GROCERY", "GROCERY", "DRUG", None],
            "product_category": ["MILK", "MILK", "BREAD", "MILK", None],
            "product_type": ["WHOLE", "SKIM", None, None, None],
        }
    )
    expected = [[3, 2, 1, 1, 0], [2, 3, 1, 1, 0], [1, 1, 3, 0, 0], [1, 1, 0, 3, 0], [0, 0, 0, 0, 3]]
    np.testing.assert_allclose(by_category(table)(np.arange(5)), np.array(expected) / 3)
    np.testing.assert_allclose(by_category(table)(np.array([3, 0])), [[1, 1 / 3], [1 / 3, 1]])


def test_a_vector_of_zeros_is_like_nothing_but_harms_nothing() -> None:
    similarity = by_vectors(np.array([[0.0, 0], [3, 4]]))(np.arange(2))
    np.testing.assert_allclose(similarity, [[0, 0], [0, 1]])


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: mmr(np.ones(3), np.ones((2, 2)), 2), "3, 3"),
        (lambda: mmr(np.ones(2), np.ones((2, 2)), 0), "k is"),
        (lambda: mmr(np.ones(2), np.ones((2, 2)), 1, 1.2), "from 0 to 1"),
        (lambda: mmr(np.ones(2), np.ones((2, 2)), 1, np.nan), "from 0 to 1"),
        (lambda: diversify(np.ones((1, 9)), by_vectors(np.eye(9)), 5, candidates=4), "candidates"),
    ],
)
def test_bad_settings_are_refused(call, says: str) -> None:
    with pytest.raises(EcomTutorError, match=says):
        call()
