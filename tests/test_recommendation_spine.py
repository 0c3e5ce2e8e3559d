"""The cut in time, the one interface and the measures; that nothing from later reaches a model."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_array
from small_shop import bought, small_shop

from ecomtutor.datasets import journeys
from ecomtutor.datasets.journeys import Journeys
from ecomtutor.errors import EcomTutorError
from ecomtutor.metrics.ranking import ranking_by_household, ranking_metrics
from ecomtutor.recommendation import (
    OwnFrequency,
    Popularity,
    Purchases,
    Recommender,
    all_purchases,
    best,
    evaluate,
    evaluate_by_group,
    popularity,
    recency,
    top_lists,
    training_purchases,
    wanted,
    weeks_of,
)
from ecomtutor.recommendation.factors import ALS, BPR
from ecomtutor.recommendation.hybrid import Hybrid
from ecomtutor.recommendation.neighbours import AssociationRules, Ease, ItemKNN
from ecomtutor.recommendation.sequences import SequenceRecommender, SequenceSettings

# Every recommender that learns in a moment: a new one belongs here, for the sake of leakage.
RECOMMENDERS: dict[str, Callable[[], Recommender]] = {
    "popularity": Popularity,
    "own frequency": OwnFrequency,
    "own frequency, decayed": lambda: OwnFrequency(26.0),
    "item-kNN": lambda: ItemKNN(20),
    "EASE": Ease,
    "association rules": AssociationRules,
    "ALS": lambda: ALS(8, iterations=3),
    "BPR": lambda: BPR(8, iterations=3),
    "hybrid": lambda: Hybrid(windows=1, rounds=5),
    "sequence transformer": lambda: SequenceRecommender(
        SequenceSettings(width=8, heads=2, folds=2, steps=3), progress=False
    ),
}


@pytest.fixture(scope="module")
def own() -> Recommender:
    return OwnFrequency().fit(small_shop())


def test_the_sizes_of_the_protocol() -> None:
    known = training_purchases()
    assert (len(known.households), len(known.products)) == (2450, 25797)
    assert known.lines["week"].min() == 1 and known.lines["week"].max() == 45 == known.last_week
    assert not known.products["department"].isin(["FUEL", "MISCELLANEOUS"]).any()
    times = known.lines["product"].value_counts()
    assert len(times) == 25797 and times.min() >= 5
    assert known.products["product_id"].is_monotonic_increasing and known.products["text"].all()


@pytest.mark.parametrize("part", ["validation", "test"])
def test_what_is_wanted_by_brute_force(part: str) -> None:
    """From the raw tables, with sets of pairs."""
    known, first, last = {"validation": (42, 43, 45), "test": (45, 46, 53)}[part]
    assert weeks_of(part) == (known, first, last)
    raw = journeys().transactions
    raw = raw[raw["product_id"].isin(training_purchases().products["product_id"])]
    raw = raw[raw["household_id"].isin(training_purchases().households)]

    def pairs(weeks: tuple[int, int]) -> set[tuple[int, int]]:
        chosen = raw[raw["week"].between(*weeks)]
        return set(zip(chosen["household_id"].tolist(), chosen["product_id"].tolist(), strict=True))

    later, before = pairs((first, last)), pairs((1, known))
    households = training_purchases().households
    ids = training_purchases().products["product_id"].to_numpy()
    for task, expected in (("next", later), ("discovery", later - before)):
        found = wanted(task, part).tocoo()
        assert set(found.data.tolist()) == {1.0}
        got = set(zip(households[found.row].tolist(), ids[found.col].tolist(), strict=True))
        assert got == expected and len(expected) > 30_000


def test_the_published_figures_come_out_again() -> None:
    """Popularity and habits on the test weeks, as the founders measured them."""
    known = training_purchases()
    popular, habits = Popularity().fit(known).score(), OwnFrequency().fit(known).score()
    assert evaluate(popular, "next", "test")["ndcg"] == pytest.approx(0.213, abs=0.0005)
    assert evaluate(popular, "discovery", "test")["ndcg"] == pytest.approx(0.061, abs=0.0005)
    assert evaluate(habits, "next", "test")["ndcg"] == pytest.approx(0.471, abs=0.0005)


def test_training_never_goes_past_its_last_week() -> None:
    for week in (0, 46, 53):
        with pytest.raises(EcomTutorError, match="Training ends with week 45"):
            training_purchases(week)


@pytest.mark.parametrize(
    "call", [lambda: wanted("later", "test"), lambda: wanted("next", "train"), lambda: weeks_of("")]
)
def test_other_tasks_and_parts_are_refused(call: Callable[[], object]) -> None:
    with pytest.raises(EcomTutorError, match="are"):
        call()


def test_purchases_are_cut_and_chosen() -> None:
    shop = bought((0, 1, [0, 1]), (1, 2, [0]), (0, 3, [2, 2]))
    assert len(shop.until(2).lines) == 3 and shop.until(2).last_week == 2
    assert shop.between(2, 3).lines["week"].tolist() == [2, 3, 3]
    assert shop.until(2).now == 8.0  # week 1 is one day long
    swapped = shop.of([101, 100, 101])
    assert swapped.counts().toarray()[:, :3].tolist() == [[1, 0, 0], [1, 1, 2], [1, 0, 0]]
    assert swapped.household_at(100) == 1
    assert shop.of([]).lines.empty
    with pytest.raises(EcomTutorError, match="no household 7 among the 2"):
        shop.of([7])
    with pytest.raises(EcomTutorError, match="no product 'milk'"):
        shop.product_at("milk")  # type: ignore[arg-type]


def test_a_half_life_halves() -> None:
    shop = bought((0, 1, [0]), (0, 14, [0]), (0, 40, [0]), last_week=40)
    age = shop.now - shop.lines["day"].to_numpy()
    np.testing.assert_allclose(recency(shop, 26), 0.5 ** (age / 7 / 26), rtol=1e-6)
    weights = recency(shop, 26)
    assert weights[1] / weights[2] == pytest.approx(0.5)
    assert recency(shop, None).tolist() == [1, 1, 1]
    with pytest.raises(EcomTutorError, match="half-life"):
        OwnFrequency(0)


def test_habits_and_popularity_by_hand() -> None:
    shop = bought((0, 1, [0, 1]), (1, 2, [0]), (0, 3, [2, 2]))
    assert popularity(shop)[:4].tolist() == [2, 1, 1, 0]
    own = OwnFrequency()
    own.fit(shop)
    order = best(own.score([100]), 4)[0]
    assert order[:3].tolist() == [2, 0, 1]  # twice; once and popular; once
    assert best(Popularity().fit(shop).score([101]), 2).tolist() == [[0, 1]]


@pytest.mark.parametrize("k", [1, 3, 5, 9, 40, 170, 400])
@pytest.mark.parametrize("wide", [7, 64, 333])
@pytest.mark.parametrize("values", [2, 4, 1000])
def test_best_is_a_stable_sort(k: int, wide: int, values: int) -> None:
    """Whatever the length, and however many scores are equal."""
    scores = np.random.default_rng(1).integers(0, values, (50, wide)).astype(np.float32)
    expected = np.argsort(-scores, axis=1, kind="stable")[:, :k]
    assert np.array_equal(best(scores, k), expected)


def test_best_leaves_out_what_must_not_appear() -> None:
    scores = np.array([[1.0, -np.inf, 3.0], [-np.inf] * 3])
    assert best(scores, 3).tolist() == [[2, 0, -1], [-1, -1, -1]]


def test_measures_by_hand() -> None:
    lists = np.array([[0, 1, 2], [3, 4, 0], [2, -1, -1], [0, 1, 2]])
    truth = csr_array(np.array([[1, 0, 1, 1, 0], [0, 0, 0, 0, 1], [0, 1, 0, 0, 0], [0] * 5]))
    table = ranking_by_household(lists, truth, 3)
    assert table.index.tolist() == [0, 1, 2]  # the last one bought nothing
    gains = 1 / np.log2([2, 3, 4])
    assert table["ndcg"].tolist() == pytest.approx(
        [(gains[0] + gains[2]) / gains.sum(), gains[1], 0]
    )
    assert table["recall"].tolist() == pytest.approx([2 / 3, 1, 0])
    assert table["hit"].tolist() == [1, 1, 0]
    assert table["rr"].tolist() == [1, 0.5, 0]
    found = ranking_metrics(lists, truth, np.array([3, 1, 0, 0, 0]), 3)
    assert found["ndcg"] == pytest.approx(table["ndcg"].mean())
    assert found["coverage"] == 1.0
    bits = -np.log2(np.array([4, 2, 1, 1, 1]) / 5)
    shown = [0, 1, 2, 3, 4, 0, 2, 0, 1, 2]
    assert found["novelty"] == pytest.approx(bits[shown].mean())


def test_ndcg_is_that_of_scikit_learn() -> None:
    from sklearn.metrics import ndcg_score

    dice = np.random.default_rng(2)
    scores = dice.random((40, 60))
    truth = (dice.random((40, 60)) < 0.08).astype(float)
    table = ranking_by_household(best(scores, 10), csr_array(truth), 10)
    expected = [ndcg_score(truth[[i]], scores[[i]], k=10) for i in table.index]
    np.testing.assert_allclose(table["ndcg"], expected, atol=1e-9)
    assert len(expected) == (truth.sum(axis=1) > 0).sum()


def test_lists_of_the_wrong_size_are_refused() -> None:
    with pytest.raises(EcomTutorError, match=r"\(3, 2\) came"):
        ranking_by_household(np.zeros((3, 2), int), csr_array((3, 9)), 3)
    with pytest.raises(EcomTutorError):
        evaluate(np.zeros((3, 25797)), "next")


def test_a_sample_of_households_is_measured_alone() -> None:
    known = training_purchases(42)
    some = known.households[100:140]
    scores = OwnFrequency().fit(known).score(list(some))
    table = ranking_by_household(best(scores, 10), wanted("next", "validation")[100:140], 10)
    found = evaluate(scores, "next", households=some)
    assert found["ndcg"] == pytest.approx(table["ndcg"].mean())
    with pytest.raises(EcomTutorError, match="no household"):
        evaluate(scores, "next", households=[-1] * 40)


def test_discovery_lists_hold_nothing_bought_before() -> None:
    known = training_purchases(42)
    some = list(known.households[:20])
    lists = top_lists(OwnFrequency().fit(known).score(some), known.of(some), "discovery")
    held = known.of(some).counts().toarray()
    assert not np.take_along_axis(held, lists, axis=1).any()
    assert wanted("discovery", "validation").multiply(known.counts()).nnz == 0


def test_groups_split_households_and_products() -> None:
    known = training_purchases(42)
    table = evaluate_by_group(Popularity().fit(known).score(), "next")
    assert table["group"].tolist() == ["light households", "heavy households", "cold products",
                                       "other products"]  # fmt: skip
    values = dict(zip(table["group"], table["value"], strict=True))
    assert values["cold products"] == 0 < values["other products"]
    light = dict(zip(table["group"], table["households"], strict=True))
    buyers = (wanted("next", "validation").sum(axis=1) > 0).sum()
    assert light["light households"] + light["heavy households"] == buyers


def test_an_unknown_household_gets_what_sells_and_is_told(own: Recommender) -> None:
    shop = small_shop()
    for stranger in (-1, None):
        found = own.recommend(stranger, 5)
        assert "unknown" in found.note
        expected = shop.products["product_id"].iloc[best(popularity(shop)[None], 5)[0]]
        assert found.table["product_id"].tolist() == expected.tolist()
        assert found.table["rank"].tolist() == [1, 2, 3, 4, 5]
    with pytest.raises(EcomTutorError, match="no household -1"):
        own.score([-1])


def test_an_empty_history_gets_what_sells_and_is_told(own: Recommender) -> None:
    shop = small_shop()
    empty = replace(shop.of([shop.households[0]]), lines=shop.lines.iloc[:0])
    found = own.recommend(None, 3, history=empty)
    assert "empty" in found.note and len(found) == 3
    assert "empty" in found._repr_html_()


def test_more_than_the_catalogue_holds_gives_what_there_is(own: Recommender) -> None:
    shop = small_shop()
    found = own.recommend(int(shop.households[0]), 10_000)
    assert len(found) == 800 and "only 800 products remain" in found.note
    assert found.table["product_id"].is_unique
    ids = shop.products["product_id"].tolist()
    assert len(own.recommend(int(shop.households[0]), 5, exclude=ids)) == 0


def test_what_is_no_longer_sold_or_already_bought_is_left_out(own: Recommender) -> None:
    shop = small_shop()
    household = int(shop.households[0])
    first = own.recommend(household, 10).table["product_id"].tolist()
    without = own.recommend(household, 10, exclude=[first[0], first[4], -99]).table["product_id"]
    assert without.tolist()[:8] == first[1:4] + first[5:]
    new = own.recommend(household, 10, exclude="bought").table["product_id"]
    held = shop.products["product_id"].iloc[shop.of([household]).lines["product"]]
    assert not set(new) & set(held)


def test_another_history_is_scored_instead(own: Recommender) -> None:
    visitor = bought((0, 42, [9, 9]), last_week=42)
    found = own.recommend(None, 1, history=visitor)
    assert found.table["product_id"][0] == small_shop().products["product_id"][9]
    with pytest.raises(EcomTutorError, match="one household"):
        own.recommend(None, history=bought((0, 42, [9]), (1, 42, [9]), last_week=42))


@pytest.mark.parametrize("k", [0, -3, 2.5, "ten", None])
def test_a_list_has_a_length(own: Recommender, k: object) -> None:
    with pytest.raises(EcomTutorError, match="whole number of at least 1"):
        own.recommend(int(small_shop().households[0]), k)  # type: ignore[arg-type]


@pytest.mark.parametrize("exclude", ["Bought", "milk"])
def test_a_word_that_excludes_nothing_is_refused(own: Recommender, exclude: str) -> None:
    with pytest.raises(EcomTutorError, match="exclude takes"):
        own.recommend(int(small_shop().households[0]), exclude=exclude)


def test_nothing_can_be_learned_from_nothing() -> None:
    shop = small_shop()
    with pytest.raises(EcomTutorError, match="cannot learn"):
        Popularity().fit(replace(shop, lines=shop.lines.iloc[:0]))
    with pytest.raises(EcomTutorError, match=r"Call fit\(training_purchases\(\)\)"):
        Popularity().score()


def test_the_whole_year_is_there_for_evaluations_alone() -> None:
    assert all_purchases().lines["week"].max() == 53


@cache
def small_journeys() -> SimpleNamespace:
    """The raw tables of 60 households, and the products that they bought."""
    raw = journeys().transactions
    some = np.unique(raw["household_id"])[::40][:60]
    lines = raw[raw["household_id"].isin(some)].reset_index(drop=True)
    table = journeys().products
    sold = table[table["product_id"].isin(lines["product_id"].unique())]
    return SimpleNamespace(transactions=lines, products=sold.reset_index(drop=True))


def poisoned(tables: SimpleNamespace, after: int) -> SimpleNamespace:
    """The same tables, with what was bought after a week made up.

    After the last week of training anything may differ: other products, households, prices, half
    of the lines gone. In weeks 43–45, which say what is in the catalogue, products change places.
    """
    lines, dice = tables.transactions.copy(), np.random.default_rng(0)
    late = (lines["week"] > max(after, 45)).to_numpy()
    for column in ("product_id", "household_id", "quantity", "sales_value", "store_id"):
        lines.loc[late, column] = dice.permutation(lines[column].to_numpy())[late]
    lines["retail_disc"] = np.where(late, 9.0, lines["retail_disc"])
    if after < 45:
        catalogue = training_purchases().products["product_id"]
        mixed = lines["week"].between(after + 1, 45) & lines["product_id"].isin(catalogue)
        for column in ("product_id", "quantity", "sales_value", "store_id"):
            lines.loc[mixed, column] = dice.permutation(lines.loc[mixed, column])
    gone = late & (dice.random(len(lines)) < 0.5)
    return SimpleNamespace(transactions=lines[~gone], products=tables.products)


@pytest.fixture
def become(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[SimpleNamespace], None]]:
    """A function that makes other raw tables the shop's, wherever one looks; the test undoes it."""

    def become(tables: SimpleNamespace) -> None:
        for name in ("transactions", "products"):
            table = getattr(tables, name)
            monkeypatch.setattr(Journeys, name, property(lambda _, table=table: table))
        all_purchases.cache_clear()

    yield become
    all_purchases.cache_clear()


class Peeker(OwnFrequency):
    """What must never be: it looks up what its households buy later."""

    def score_histories(self, histories: Purchases) -> np.ndarray:
        return super().score_histories(all_purchases())


@pytest.mark.parametrize("last_week", [42, 45])
@pytest.mark.parametrize("name", RECOMMENDERS)
def test_nothing_from_later_reaches_a_model(
    become: Callable[[SimpleNamespace], None], name: str, last_week: int
) -> None:
    """What was bought later is made up, and nobody notices: data and scores stay, bit by bit."""
    clean = small_journeys()
    become(clean)
    known = training_purchases(last_week)
    scores = RECOMMENDERS[name]().fit(known).score()
    part = "test" if last_week == 45 else "validation"
    truth = wanted("next", part)
    become(poisoned(clean, last_week))
    again = training_purchases(last_week)
    assert (abs(wanted("next", part) - truth)).nnz > 100  # the poison is there
    assert again.lines["week"].max() <= last_week and again.now == known.now
    pd.testing.assert_frame_equal(
        again.lines.reset_index(drop=True), known.lines.reset_index(drop=True)
    )
    pd.testing.assert_frame_equal(again.products, known.products)
    assert np.array_equal(again.households, known.households)
    assert np.array_equal(RECOMMENDERS[name]().fit(again).score(), scores)


@pytest.mark.parametrize(("make", "last_week"), [(OwnFrequency, 45), (Peeker, 42)])
def test_a_model_that_knows_poisoned_weeks_is_noticed(
    become: Callable[[SimpleNamespace], None], make: type[OwnFrequency], last_week: int
) -> None:
    """The test above can fail: with a model of weeks 43–45, and with one that looks them up."""
    clean = small_journeys()
    become(clean)
    scores = make().fit(training_purchases(last_week)).score()
    become(poisoned(clean, 42))
    assert not np.array_equal(make().fit(training_purchases(last_week)).score(), scores)
