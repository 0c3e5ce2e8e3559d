"""The features against plain pandas, and the hybrid's doors; its figures on its card."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from ecomtutor.errors import EcomTutorError, MissingResource
from ecomtutor.recommendation import hybrid as hybrid_module
from ecomtutor.recommendation import training_purchases
from ecomtutor.recommendation.features import (
    GROUPS,
    Grouping,
    StorePopularity,
    ages,
    household_features,
    pair_features,
    product_features,
)
from ecomtutor.recommendation.hybrid import Hybrid, load_hybrid, save_hybrid
from ecomtutor.recommendation.purchases import Purchases

WEEK = 30


@pytest.fixture(scope="module")
def some() -> Purchases:
    """Sixty households, thirty weeks."""
    known = training_purchases(WEEK)
    return known.of([int(i) for i in known.households[:600:10]])


@pytest.fixture(scope="module")
def pairs(some: Purchases) -> pd.DataFrame:
    return pair_features(some)


def test_pairs_are_the_pairs_that_were_bought(some: Purchases, pairs: pd.DataFrame) -> None:
    counts = some.counts().tocoo()
    assert len(pairs) == counts.nnz
    table = pairs.set_index(["household", "product"])["purchases"]
    for household, product, times in list(zip(counts.row, counts.col, counts.data, strict=True))[
        ::97
    ]:
        assert table[(household, product)] == times


def test_pair_features_equal_plain_pandas(some: Purchases, pairs: pd.DataFrame) -> None:
    lines = some.lines.assign(age=ages(some))
    table = pairs.set_index(["household", "product"])
    often = pairs[pairs["purchases"] >= 4].iloc[::40]
    assert len(often) > 10
    for household, product in often[["household", "product"]].to_numpy():
        own = lines[(lines["household"] == household) & (lines["product"] == product)]
        age = np.sort(own["age"].to_numpy())[::-1]
        row = table.loc[(household, product)]
        assert row["days_since_last"] == pytest.approx(age[-1], abs=1e-3)
        assert row["days_since_previous"] == pytest.approx(age[-2], abs=1e-3)
        assert row["days_between"] == pytest.approx(-np.diff(age).mean(), rel=1e-3, abs=1e-3)
        assert row["days_between_deviation"] == pytest.approx(np.diff(age).std(), rel=0.02, abs=0.1)
        assert row["purchases_60d"] == pytest.approx((0.5 ** (age / 60)).sum(), rel=1e-4)
        assert row["weeks"] == own["week"].nunique()
        assert row["on_offer"] == pytest.approx((own["discount"] > 0).mean(), abs=1e-5)


def test_household_features_equal_plain_pandas(some: Purchases) -> None:
    table, lines = household_features(some), some.lines.assign(age=ages(some))
    assert len(table) == len(some.households)
    for household in range(0, len(table), 7):
        own = lines[lines["household"] == household]
        assert table["baskets"][household] == own["basket"].nunique()
        assert table["days_since_visit"][household] == pytest.approx(own["age"].min(), abs=1e-3)
        assert table["different_products"][household] == own["product"].nunique()
        first = own[own["week"] <= WEEK - 8]["product"].unique()
        recent = own[own["week"] > WEEK - 8]["product"].unique()
        tries = len(np.setdiff1d(recent, first)) / max(len(recent), 1)
        assert table["household_tries"][household] == pytest.approx(tries, abs=1e-5)


def test_product_features_equal_plain_pandas(some: Purchases) -> None:
    table = product_features(some)
    assert len(table) == len(some.products) and np.isfinite(table.to_numpy(dtype=float)).all()
    popular = table["buyers"].nlargest(5).index
    for product in popular:
        own = some.lines[some.lines["product"] == product]
        by_household = own.groupby("household").size()
        assert table["buyers"][product] == len(by_household)
        assert table["repeat_share"][product] == pytest.approx((by_household > 1).mean(), abs=1e-5)
        before = set(own[own["week"] <= WEEK - 8]["household"])
        after = set(own[own["week"] > WEEK - 8]["household"])
        assert table["new_buyers_8w"][product] == len(after - before)


def test_groups_add_up_what_their_products_did(some: Purchases, pairs: pd.DataFrame) -> None:
    grouping = Grouping(some, GROUPS["type"])
    rows = pairs.assign(baskets_240d=10.0)
    table = grouping.features(some, rows, "type")
    kind = some.products["product_type"].to_numpy()
    lines = some.lines.assign(kind=kind[some.lines["product"].to_numpy()])
    for place in range(0, len(rows), len(rows) // 9):
        row = rows.iloc[place]
        same = (lines["household"] == row["household"]) & (
            lines["kind"] == kind[int(row["product"])]
        )
        assert table["type_purchases"][place] == same.sum()
        last = ages(some)[same.to_numpy()].min()
        assert table["type_days_since_last"][place] == pytest.approx(last, abs=1e-3)
        assert table["type_own_share"][place] <= 1 + 1e-5


def test_store_popularity_is_a_mixture_of_the_stores(some: Purchases) -> None:
    scores = StorePopularity(some, 30).score_histories(some)
    assert scores.shape == (len(some.households), len(some.products))
    # A store that hardly sold anything counts for less: 1,000 is the most.
    assert scores.sum(axis=1).max() == pytest.approx(1000, rel=1e-3)
    assert np.median(scores.sum(axis=1)) == pytest.approx(1000, rel=1e-3)


def test_features_of_a_household_depend_on_nobody_else(some: Purchases) -> None:
    """An explanation scores a household alone: its row must not change for that."""
    alone = some.of([int(some.households[3])])
    together = household_features(some).iloc[3].to_numpy()
    np.testing.assert_allclose(household_features(alone).iloc[0].to_numpy(), together, rtol=1e-5)
    whole = pair_features(some)
    mine = whole[whole["household"] == 3].drop(columns="household").to_numpy()
    lonely = pair_features(alone).drop(columns="household").to_numpy()
    np.testing.assert_allclose(lonely, mine, rtol=1e-5)


def test_an_empty_history_has_features(some: Purchases) -> None:
    from dataclasses import replace

    nobody = replace(some, lines=some.lines.iloc[:0], households=some.households[:1])
    assert pair_features(nobody).empty
    assert len(household_features(nobody)) == 1


def test_too_few_weeks_for_the_windows_are_refused() -> None:
    with pytest.raises(EcomTutorError, match="fewer windows"):
        Hybrid("next", windows=9).examples(training_purchases(40))
    with pytest.raises(EcomTutorError, match="next"):
        Hybrid("later")  # type: ignore[arg-type]


def test_without_weights_the_recipe_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hybrid_module, "data_dir", lambda: tmp_path)
    with pytest.raises(MissingResource, match="train shop-ranker"):
        load_hybrid("next")


def test_a_small_hybrid_learns_and_is_kept(some: Purchases, tmp_path: Path) -> None:
    """Fitted on sixty households: candidates above the rest, the saved one scores the same."""
    import lightgbm

    ranker = Hybrid("next", windows=2, rounds=12).fit(some)
    scores = ranker.score()
    assert np.isfinite(scores).all()
    rows = ranker.components.table(some, "next")
    chosen = np.zeros(scores.shape, dtype=bool)
    chosen[rows["household"], rows["product"]] = True
    assert scores[chosen].min() > scores[~chosen].max()
    save_hybrid(ranker, tmp_path)
    again = Hybrid("next")
    again.booster = lightgbm.Booster(model_file=str(tmp_path / "next.txt"))
    np.testing.assert_allclose(again.listen(some).score(), scores, atol=1e-5)


def test_for_discovery_nothing_bought_is_a_candidate(some: Purchases) -> None:
    ranker = Hybrid("discovery", windows=1, rounds=5).fit(some)
    rows = ranker.components.table(some, "discovery")
    assert not some.counts().toarray()[rows["household"], rows["product"]].any()
