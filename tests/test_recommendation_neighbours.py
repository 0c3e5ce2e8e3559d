"""Neighbours, rules and factors against brute force, other formulas and the library implicit."""

from itertools import pairwise

import numpy as np
import pytest
from scipy.sparse import csr_matrix
from small_shop import bought, small_shop

from ecomtutor.errors import EcomTutorError
from ecomtutor.recommendation import Purchases, recency
from ecomtutor.recommendation.factors import ALS, BPR
from ecomtutor.recommendation.neighbours import (
    AssociationRules,
    Ease,
    ItemKNN,
    cosine_neighbours,
    latest_baskets,
)
from ecomtutor.recommendation.past import copies
from ecomtutor.recommendation.threads import one_thread
from ecomtutor.recommendation.weighting import history_matrix

SETTINGS = [("binary", None), ("count", None), ("log", 26.0), ("binary", 13.0)]


@pytest.fixture(scope="module")
def shop() -> Purchases:
    return small_shop()


@pytest.fixture(scope="module")
def als(shop: Purchases) -> ALS:
    return ALS(factors=16, iterations=40).fit(shop)  # type: ignore[return-value]


@pytest.mark.parametrize(("weighting", "half_life"), SETTINGS)
def test_weights_of_a_history(shop: Purchases, weighting: str, half_life: float | None) -> None:
    lines = shop.lines.assign(weight=recency(shop, half_life))
    grouped = lines.groupby(["household", "product"])["weight"]
    wanted = {"binary": grouped.max(), "count": grouped.sum(), "log": np.log1p(grouped.sum())}
    got = history_matrix(shop, weighting, half_life).tocoo()
    assert got.dtype == np.float32
    at = list(zip(got.row.tolist(), got.col.tolist(), strict=True))
    assert len(at) == len(grouped)
    np.testing.assert_allclose(got.data, wanted[weighting].loc[at], rtol=1e-5)


def test_an_empty_history_weighs_nothing() -> None:
    one = bought((0, 1, [0, 1]))
    nobody = copies(one, np.zeros((2, 2), dtype=bool))
    for weighting, half_life in SETTINGS:
        assert history_matrix(nobody, weighting, half_life).nnz == 0


@pytest.mark.parametrize(("weighting", "half_life"), SETTINGS)
def test_knn_is_that_of_implicit(shop: Purchases, weighting: str, half_life: float | None) -> None:
    from implicit.nearest_neighbours import CosineRecommender

    matrix = history_matrix(shop, weighting, half_life)
    k = 25
    theirs = CosineRecommender(K=k, num_threads=1)
    theirs.fit(csr_matrix(matrix), show_progress=False)
    ours = ItemKNN(k, 0.0, weighting, half_life)
    ours.fit(shop)
    mine, other = ours.similarities.toarray(), theirs.similarity.toarray()
    # Of equally similar products at the edge either may be kept: values are compared, and places
    # above the edge.
    np.testing.assert_allclose(np.sort(mine, 1), np.sort(other, 1), atol=1e-5)
    edge = np.sort(mine, 1)[:, [-k]] + 1e-5
    np.testing.assert_allclose(
        np.where(mine > edge, mine, 0), np.where(mine > edge, other, 0), atol=1e-5
    )


def test_knn_by_hand() -> None:
    matrix = csr_matrix(np.array([[1, 1, 0], [1, 0, 0], [0, 2, 0]], dtype=np.float32))
    expected = np.array([[2 / 3, 1 / (np.sqrt(10) + 1), 0], [1 / (np.sqrt(10) + 1), 5 / 6, 0],
                         [0, 0, 0]])  # fmt: skip
    np.testing.assert_allclose(cosine_neighbours(matrix, 3, 1.0).toarray(), expected, rtol=1e-6)
    np.testing.assert_allclose(
        cosine_neighbours(matrix, 1, 1.0).toarray(), np.diag(np.diag(expected)), rtol=1e-6
    )


def test_equal_neighbours_are_kept_in_the_order_of_the_catalogue() -> None:
    matrix = csr_matrix(np.ones((2, 5), dtype=np.float32))
    kept = cosine_neighbours(matrix, 2)
    assert kept.toarray()[4].tolist() == pytest.approx([1, 1, 0, 0, 0])


def test_similar_leaves_out_the_product_itself(shop: Purchases) -> None:
    model = ItemKNN(k=30).fit(shop)
    asked = int(shop.products["product_id"][5])
    table = model.similar(asked, 7)  # type: ignore[attr-defined]
    assert len(table) == 7 and asked not in set(table["product_id"])
    assert table["similarity"].is_monotonic_decreasing


@pytest.mark.parametrize(("weighting", "half_life"), SETTINGS)
def test_ease_is_the_closed_form(shop: Purchases, weighting: str, half_life: float | None) -> None:
    """The side of the households gives what the published formula gives, 800 × 800."""
    x = history_matrix(shop, weighting, half_life).toarray().astype(np.float64)
    p = np.linalg.inv(x.T @ x + 50 * np.eye(x.shape[1]))
    b = -p / np.diag(p)
    np.fill_diagonal(b, 0)
    model = Ease(50, weighting, half_life)
    model.fit(shop)
    # Single precision: 1e-4 of the largest score; counts have large ones.
    np.testing.assert_allclose(model.score(), x @ b, atol=1e-4 * np.abs(x @ b).max())
    asked = int(shop.products["product_id"][3])
    np.testing.assert_allclose(model.weights(asked), b[:, 3], atol=2e-5)


def test_ease_solves_its_own_problem(shop: Purchases) -> None:
    """Each column is the ridge regression of one product on all others, by scikit-learn."""
    from sklearn.linear_model import Ridge

    x = history_matrix(shop, "binary").toarray().astype(np.float64)
    model = Ease(50, "binary", None)
    model.fit(shop)
    others = np.delete(x, 7, axis=1)
    ridge = Ridge(50, fit_intercept=False).fit(others, x[:, 7])
    own = model.weights(int(shop.products["product_id"][7]))
    np.testing.assert_allclose(np.delete(own, 7), ridge.coef_, atol=1e-4)


def brute_rules(purchases: Purchases, least: int) -> dict[tuple[int, int], tuple[float, ...]]:
    """Support, confidence and lift of all pairs, basket by basket."""
    baskets = [set(b) for _, b in purchases.lines.groupby("basket")["product"]]
    n, items = len(baskets), sorted(set().union(*baskets))
    found = {}
    for a in items:
        for b in items:
            both = sum(a in basket and b in basket for basket in baskets)
            if a != b and both >= least:
                with_a, with_b = (sum(i in basket for basket in baskets) for i in (a, b))
                found[a, b] = both / n, both / with_a, both / with_a / (with_b / n)
    return found


BASKETS = [(0, 1, [0, 1, 2, 2]), (0, 2, [0, 1]), (1, 3, [0, 2]), (1, 4, [1, 2, 3]), (2, 9, [3])]


@pytest.mark.parametrize("least", [1, 2])
def test_rules_are_counted_in_baskets(least: int) -> None:
    purchases = bought(*BASKETS)
    model = AssociationRules(min_baskets=least)
    model.fit(purchases)
    ids = purchases.products["product_id"].tolist()
    seen = {}
    for at in range(4):
        for row in model.rules(ids[at]).itertuples():
            seen[at, ids.index(row.product_id)] = row.support, row.confidence, row.lift
    expected = brute_rules(purchases, least)
    assert expected.keys() == seen.keys() and len(seen) == (12 - 2 if least == 1 else 6)
    for pair, values in expected.items():
        np.testing.assert_allclose(seen[pair], values, rtol=1e-6)


def test_a_rule_says_how_many_households_it_rests_on() -> None:
    purchases = bought(*BASKETS)
    model = AssociationRules(min_baskets=1)
    model.fit(purchases)
    ids = purchases.products["product_id"].tolist()
    table = model.rules(ids[0]).set_index("product_id")
    assert table.loc[ids[1], ["baskets", "households"]].tolist() == [2, 1]
    assert table.loc[ids[2], ["baskets", "households"]].tolist() == [2, 2]


def test_rules_of_the_shop_are_sorted_by_what_was_asked(shop: Purchases) -> None:
    model = AssociationRules()
    model.fit(shop)
    asked = int(shop.products["product_id"][int(model.single.argmax())])
    for by in ("support", "confidence", "lift"):
        table = model.rules(asked, 8, by)
        assert table[by].is_monotonic_decreasing and len(table) == 8
    with pytest.raises(EcomTutorError, match="measures are support"):
        model.rules(asked, by="leverage")


def test_rules_score_the_latest_baskets() -> None:
    purchases = bought(*BASKETS)
    model = AssociationRules(min_baskets=1, measure="confidence", recent=1)
    model.fit(purchases)
    rules = {pair: confidence for pair, (_, confidence, _) in brute_rules(purchases, 1).items()}
    last = {0: [0, 1], 1: [1, 2, 3], 2: [3]}
    expected = [
        [np.mean([rules.get((a, b), 0) for a in held]) for b in range(4)] for held in last.values()
    ]
    np.testing.assert_allclose(model.score()[:, :4], expected, rtol=1e-6)


def test_latest_baskets_of_copies_are_each_copys_own() -> None:
    """Copies of a household share no basket: what one copy lacks, another one keeps."""
    one = bought((0, 1, [0]), (0, 2, [1]), (0, 3, [2]))
    kept = np.array([[True, True, True], [True, True, False], [True, False, False]])
    latest = latest_baskets(copies(one, kept), 1).lines
    found = sorted(zip(latest["household"], latest["product"], strict=True))
    assert found == [(0, 2), (1, 1), (2, 0)]
    assert len(latest_baskets(copies(one, kept), None).lines) == 6


def test_als_vectors_are_the_least_squares_solution(als: ALS, shop: Purchases) -> None:
    """Against the normal equations, solved one by one in double precision."""
    weights = history_matrix(shop, als.weighting, als.half_life_weeks)
    v = als.product_vectors.astype(np.float64)
    found = als.vectors(shop)
    for row, (first, stop) in enumerate(pairwise(weights.indptr[:40])):
        held, c = v[weights.indices[first:stop]], als.alpha * weights.data[first:stop]
        left = v.T @ v + held.T @ ((c - 1)[:, None] * held) + als.regularization * np.eye(16)
        np.testing.assert_allclose(found[row], np.linalg.solve(left, held.T @ c), atol=2e-4)


@pytest.mark.parametrize("threads", [1, 3])
def test_als_is_that_of_implicit_on_any_number_of_threads(shop: Purchases, threads: int) -> None:
    from implicit.cpu.als import AlternatingLeastSquares

    ours = ALS(8, 15.0, 1.25, 4, seed=5)
    ours.fit(shop)
    theirs = AlternatingLeastSquares(
        8, 15.0, 1.25, iterations=4, num_threads=threads, random_state=5
    )
    with one_thread():
        theirs.fit(csr_matrix(history_matrix(shop, "log", 26.0)), show_progress=False)
    assert np.array_equal(ours.product_vectors, theirs.item_factors)


def test_als_folds_in_what_it_would_have_learned(als: ALS, shop: Purchases) -> None:
    """After many rounds the learned vectors are at rest, and equal those of the histories."""
    learned, folded = als.model.user_factors, als.vectors(shop)
    assert np.abs(learned - folded).max() < 0.02 * np.abs(learned).max()
    scores = als.score()
    np.testing.assert_allclose(scores, learned @ als.product_vectors.T, atol=0.02)


def test_bpr_folds_in_vectors_close_to_those_learned(shop: Purchases) -> None:
    model = BPR(factors=16, iterations=60).fit(shop)
    folded = model.score()
    learned = model.model.user_factors @ model.product_vectors.T  # type: ignore[attr-defined]
    same = [np.corrcoef(a, b)[0, 1] for a, b in zip(folded, learned, strict=True)]
    assert np.median(same) > 0.8


@pytest.mark.parametrize("make", [lambda: ALS(8, iterations=3), lambda: BPR(8, iterations=3)])
def test_factors_repeat_exactly(shop: Purchases, make) -> None:
    first, again = make().fit(shop).score(), make().fit(shop).score()
    assert np.array_equal(first, again)


def test_factors_of_another_seed_differ(shop: Purchases) -> None:
    assert not np.array_equal(
        ALS(8, iterations=2, seed=1).fit(shop).score(), ALS(8, iterations=2).fit(shop).score()
    )


MODELS = [ItemKNN(20), Ease(), AssociationRules(), ALS(8, iterations=2), BPR(8, iterations=2)]


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.name)
class TestEveryModel:
    def test_scores_are_those_of_the_history_alone(self, model, shop: Purchases) -> None:
        """In company or alone, by all products or by some, the same household scores the same."""
        model.fit(shop)
        scores = model.score()
        assert scores.dtype == np.float32 and scores.shape == (300, 800)
        assert np.isfinite(scores).all()
        chosen = list(shop.households[[200, 3]])
        np.testing.assert_allclose(model.score(chosen), scores[[200, 3]], rtol=1e-4, atol=1e-5)
        some = np.array([700, 5, 6])
        np.testing.assert_allclose(
            model.score_products(shop.of(chosen), some), scores[[200, 3]][:, some],
            rtol=1e-4, atol=1e-5,
        )  # fmt: skip

    def test_an_empty_history_has_scores(self, model, shop: Purchases) -> None:
        model.fit(shop)
        nobody = copies(shop.of([shop.households[0]]), np.zeros((2, 1), dtype=bool))
        assert np.isfinite(model.score_histories(nobody)).all()

    def test_a_purchase_less_is_another_score(self, model, shop: Purchases) -> None:
        model.fit(shop)
        past = shop.of([shop.households[0]])
        kept = np.ones((2, len(past.lines)), dtype=bool)
        kept[1, past.lines["product"] == past.lines["product"].iloc[-1]] = False
        with_it, without = model.score_histories(copies(past, kept))
        assert not np.array_equal(with_it, without)
        np.testing.assert_allclose(with_it, model.score_histories(past)[0], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    "make",
    [
        lambda: ItemKNN(0),
        lambda: ItemKNN(shrinkage=-1),
        lambda: ItemKNN(weighting="tfidf"),
        lambda: Ease(0),
        lambda: Ease(half_life_weeks=0),
        lambda: Ease(np.nan),
        lambda: AssociationRules(0),
        lambda: AssociationRules(recent=0),
        lambda: AssociationRules(measure="leverage"),
        lambda: ALS(factors=0),
        lambda: ALS(alpha=True),
        lambda: BPR(learning_rate=0),
        lambda: BPR(iterations=1.5),
        lambda: ALS(seed=-1),
    ],
)
def test_bad_settings_are_refused_at_the_door(make) -> None:
    with pytest.raises(EcomTutorError, match="came"):
        make()


def test_unfitted_models_say_what_to_do() -> None:
    with pytest.raises(EcomTutorError, match="fit"):
        ItemKNN().score()


def test_blas_runs_on_one_thread_and_is_let_go_again() -> None:
    from threadpoolctl import threadpool_info

    def threads() -> list[int]:
        return [pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"]

    before = threads()
    with one_thread():
        assert set(threads()) == {1}
    assert threads() == before
