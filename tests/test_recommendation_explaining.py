"""Explanations of recommenders whose truth is known: linear ones, and one that is not linear."""

from itertools import permutations
from typing import Any, ClassVar

import numpy as np
import pytest
from small_shop import bought, small_shop

from ecomtutor.errors import EcomTutorError
from ecomtutor.interpretability.rendering import bars, heat_text, waterfall
from ecomtutor.recommendation import OwnFrequency, Purchases, Recommender, recency
from ecomtutor.recommendation.counterfactuals import counterfactual, decisive, removals
from ecomtutor.recommendation.explaining import _by_shelf, explain_recommendation, reasons
from ecomtutor.recommendation.in_words import type_names
from ecomtutor.recommendation.neighbours import Ease, ItemKNN
from ecomtutor.recommendation.past import copies, labels, parts_of, ranks_of
from ecomtutor.recommendation.weighting import history_matrix


@pytest.fixture(scope="module")
def shop() -> Purchases:
    return small_shop()


@pytest.fixture(scope="module")
def ease(shop: Purchases) -> Ease:
    model = Ease(100.0, "log", 26.0)
    model.fit(shop)
    return model


@pytest.fixture(scope="module")
def household(shop: Purchases) -> int:
    """One with a middling history."""
    sizes = shop.lines.groupby("household")["product"].nunique()
    return int(shop.households[sizes[(sizes > 40) & (sizes < 60)].index[0]])


class Pairs(Recommender):
    """Not linear: a product scores only if the household has both of two others (0 and 1)."""

    name: ClassVar[str] = "pairs"

    def _learn(self, purchases: Purchases) -> None:
        pass

    def score_histories(self, histories: Purchases) -> np.ndarray:
        held = history_matrix(histories).toarray()
        scores = np.zeros_like(held)
        scores[:, 7] = held[:, 0] * held[:, 1] + 0.25 * held[:, 2]
        return scores


def parts(model: Ease, household: int, product_id: int) -> np.ndarray:
    """What each product of a history adds to a score: (products,)."""
    weights = history_matrix(model.purchases.of([household]), "log", 26.0).toarray()[0]
    return weights * model.weights(product_id)


@pytest.mark.parametrize("method", ["owen", "leave-one-out", "sampled"])
def test_a_linear_models_own_parts_come_back(ease: Ease, household: int, method: str) -> None:
    product_id = int(ease.recommend(household, 1, "bought").table["product_id"][0])
    found = explain_recommendation(ease, household, product_id, "product", method, top=1000)
    truth = parts(ease, household, product_id)
    assert len(found.units) == np.count_nonzero(ease.purchases.of([household]).counts().toarray())
    for unit, values in zip(found.units.units, found.values, strict=True):
        (place,) = found.units.ids[list(unit.tokens)]
        assert values[0] == pytest.approx(truth[place], abs=2e-5)
    assert found.full[0] == pytest.approx(truth.sum(), abs=1e-4)
    assert found.base[0] == pytest.approx(0, abs=1e-6)


def test_types_add_up_what_their_products_do(ease: Ease, household: int) -> None:
    product_id = int(ease.recommend(household, 1, "bought").table["product_id"][0])
    found = explain_recommendation(ease, household, product_id, top=1000)
    truth, kinds = parts(ease, household, product_id), type_names(ease.purchases.products)
    assert len(found.units) > 10
    for name, value in zip(found.units.texts, found.values[:, 0], strict=True):
        assert value == pytest.approx(truth[kinds == name].sum(), abs=3e-5)
    np.testing.assert_allclose(found.gap, 0, atol=1e-5)


def test_of_many_units_the_strongest_are_chosen_and_the_rest_is_in_base(
    ease: Ease, household: int
) -> None:
    product_id = int(ease.recommend(household, 1, "bought").table["product_id"][0])
    found = explain_recommendation(ease, household, product_id, "product", top=8)
    truth = parts(ease, household, product_id)
    strongest = set(np.argsort(-np.abs(truth))[:8].tolist())
    assert {int(found.units.ids[unit.tokens[0]]) for unit in found.units.units} == strongest
    rest = truth.sum() - truth[list(strongest)].sum()
    assert found.base[0] == pytest.approx(rest, abs=5e-5)


def test_own_frequency_is_explained_by_the_product_itself(shop: Purchases, household: int) -> None:
    model = OwnFrequency(26.0)
    model.fit(shop)
    product_id = int(model.recommend(household, 1).table["product_id"][0])
    found = model.explain(household, by="product", top=1000)
    past = shop.of([household])
    place = past.product_at(product_id)
    weight = recency(past, 26.0)[past.lines["product"] == place].sum()
    for unit, value in zip(found.units.units, found.values[:, 0], strict=True):
        own = found.units.ids[unit.tokens[0]] == place
        assert value == pytest.approx(weight if own else 0.0, abs=1e-5)
    table = reasons(found, past, 1)
    assert table["value"][0] == pytest.approx(weight, abs=1e-5)
    assert table["purchases"][0] == (past.lines["product"] == place).sum()
    last = past.lines["day"][past.lines["product"] == place].max()
    assert table["weeks_ago"][0] == pytest.approx((past.now - last) / 7, abs=0.06)


@pytest.mark.parametrize("method", ["exact", "owen", "sampled"])
def test_a_model_that_needs_both_gives_each_half(method: str) -> None:
    history = bought((0, 1, [0, 1]), (0, 2, [2, 3]))
    model = Pairs()
    model.fit(history)
    asked = int(history.products["product_id"][7])
    found = explain_recommendation(model, 100, asked, "product", method)
    values = dict(zip(found.units.ids.tolist(), found.values[:, 0].tolist(), strict=True))
    assert values == pytest.approx({0: 0.5, 1: 0.5, 2: 0.25, 3: 0.0}, abs=1e-6)
    alone = explain_recommendation(model, 100, asked, "product", "leave-one-out")
    gone = dict(zip(alone.units.ids.tolist(), alone.values[:, 0].tolist(), strict=True))
    assert gone == pytest.approx({0: 1.0, 1: 1.0, 2: 0.25, 3: 0.0}, abs=1e-6)


def test_exact_values_are_means_over_all_orders(shop: Purchases) -> None:
    """A neighbour model of the logarithm of counts, by type: not linear in purchases."""
    model = ItemKNN(50, weighting="log", half_life_weeks=None)
    model.fit(shop)
    household = int(shop.households[5])
    asked = int(shop.products["product_id"][100])
    found = explain_recommendation(model, household, asked, of="rank", method="exact", top=5)
    past, cut = shop.of([household]), parts_of(shop.of([household]), "type")
    names = found.units.texts
    product = past.lines["product"].to_numpy()

    def worth(present: frozenset[str]) -> float:
        gone = np.concatenate([cut[n] for n in names if n not in present] or [np.array([], int)])
        scores = model.score_histories(copies(past, ~np.isin(product, gone)[None]))[0]
        above = (scores > scores[100]).sum() + (scores[:100] == scores[100]).sum()
        return -float(np.log2(1 + above))

    known = {frozenset(some) for order in permutations(names)
             for some in (order[:i] for i in range(6))}  # fmt: skip
    table = {some: worth(some) for some in known}
    gains = dict.fromkeys(names, 0.0)
    orders = list(permutations(names))
    for order in orders:
        for i, name in enumerate(order):
            gains[name] += table[frozenset(order[: i + 1])] - table[frozenset(order[:i])]
    expected = [gains[name] / len(orders) for name in names]
    np.testing.assert_allclose(found.values[:, 0], expected, atol=1e-9)


def test_log_odds_do_not_move_with_all_scores(shop: Purchases) -> None:
    class Shifted(OwnFrequency):
        """The same ranking, all scores raised by the length of the history."""

        def score_histories(self, histories: Purchases) -> np.ndarray:
            length = histories.counts().sum(axis=1)
            return super().score_histories(histories) + np.asarray(length)[:, None]

    plain, shifted = OwnFrequency(), Shifted()
    plain.fit(shop)
    shifted.fit(shop)
    household, asked = int(shop.households[9]), int(shop.products["product_id"][50])
    first, second = (
        explain_recommendation(model, household, asked, of="log-odds", method="leave-one-out")
        for model in (plain, shifted)
    )
    np.testing.assert_allclose(first.values, second.values, atol=1e-4)
    scores = plain.score([household])[0].astype(float)
    odds = scores[50] - np.log(np.exp(np.delete(scores, 50)).sum())
    assert first.full[0] == pytest.approx(odds, abs=1e-5)


def test_several_products_are_outputs_with_names_of_their_own(ease: Ease, household: int) -> None:
    ids = ease.purchases.products["product_id"][[4, 90]].tolist()
    both = explain_recommendation(ease, household, ids, method="leave-one-out", top=1000)
    alone = explain_recommendation(ease, household, ids[1], method="leave-one-out", top=1000)
    assert len(set(both.outputs)) == 2
    np.testing.assert_allclose(both.values[:, 1], alone.values[:, 0], atol=1e-6)


def test_owen_values_cut_between_departments_first(ease: Ease, household: int) -> None:
    found = explain_recommendation(ease, household, int(ease.purchases.products["product_id"][4]))
    past, n = ease.purchases.of([household]), len(found.units)
    table = past.products.iloc[[found.units.ids[unit.tokens[0]] for unit in found.units.units]]
    departments = table["department"].astype(str).str.lower().tolist()
    categories = table["product_category"].astype(str).str.lower().tolist()
    assert departments == sorted(departments)  # neighbours stand on the same shelf
    cut = _by_shelf(past, found.units)
    place = cut(0, n)
    assert departments[place - 1] != departments[place]
    others = [i for i in range(1, n) if departments[i - 1] != departments[i]]
    assert abs(place - n // 2) == min(abs(i - n // 2) for i in others)
    grocery = [i for i in range(n) if departments[i] == "grocery"]
    place = cut(grocery[0], grocery[-1] + 1)
    assert categories[place - 1] != categories[place]


def test_pictures_draw_it(ease: Ease, household: int) -> None:
    found = ease.explain(household)
    for picture in (bars(found), waterfall(found), heat_text(found)):
        assert found.units.texts[found.ranking(0)[0]].split()[0] in picture.text


def test_copies_are_households_of_their_own(shop: Purchases) -> None:
    past = shop.of([shop.households[3]])
    kept = np.random.default_rng(0).random((4, len(past.lines))) < 0.5
    made = copies(past, kept)
    assert len(made.households) == 4 and made.now == past.now
    for row in range(4):
        own = made.lines[made.lines["household"] == row]
        left = past.lines[kept[row]]
        assert own["product"].tolist() == left["product"].tolist()
        assert (
            own["basket"].rank(method="dense").tolist()
            == left["basket"].rank(method="dense").tolist()
        )
    shared = made.lines.groupby("basket")["household"].nunique()
    assert (shared == 1).all()


def test_parts_hold_every_product_once(shop: Purchases) -> None:
    past = shop.of([shop.households[3]])
    for by in ("product", "type"):
        places = np.concatenate(list(parts_of(past, by).values()))
        assert sorted(places.tolist()) == sorted(past.lines["product"].unique().tolist())


def test_labels_are_told_apart(shop: Purchases) -> None:
    names = labels(shop.products, np.arange(len(shop.products)))
    assert len(set(names)) == len(names) and all(names)


def test_ranks_are_places_in_the_recommended_list(shop: Purchases, household: int) -> None:
    """Ties included: a household's many products bought once."""
    model = OwnFrequency()
    model.fit(shop)
    listed = model.recommend(household, k=60).table
    scores, none = model.score([household]), np.zeros(len(shop.products), dtype=bool)
    for row in listed.itertuples():
        assert ranks_of(scores, shop.product_at(row.product_id), none)[0] == row.rank
    new = model.recommend(household, k=60, exclude="bought").table
    held = shop.of([household]).counts().toarray()[0] > 0
    for row in new.itertuples():
        assert ranks_of(scores, shop.product_at(row.product_id), held)[0] == row.rank


def test_a_counterfactual_is_the_same_list_without_the_purchases(
    ease: Ease, shop: Purchases, household: int
) -> None:
    past = shop.of([household])
    asked = int(ease.recommend(household, 3, "bought").table["product_id"][2])
    kind = type_names(shop.products.iloc[[past.lines["product"].iloc[0]]])[0]
    gone = np.flatnonzero(type_names(shop.products) == kind)
    found = counterfactual(ease, household, asked, kind.upper(), exclude="bought")
    left = copies(past, ~np.isin(past.lines["product"], gone)[None])
    held = past.counts().toarray()[0] > 0
    after = ease.score_histories(left)[0]
    order = np.argsort(-np.where(held, -np.inf, after), kind="stable")
    assert found.rank_before == 3
    assert found.rank_after == 1 + order.tolist().index(past.product_at(asked))
    assert found.score_after == pytest.approx(after[past.product_at(asked)], abs=1e-6)
    assert found.purchases == np.isin(past.lines["product"], gone).sum()
    ids = shop.products["product_id"][gone[held[gone]]].tolist()
    assert counterfactual(ease, household, asked, ids, "bought").rank_after == found.rank_after


def test_the_decisive_purchase_is_found_by_trying_all(
    ease: Ease, shop: Purchases, household: int
) -> None:
    asked = int(ease.recommend(household, 1, "bought").table["product_id"][0])
    for by in ("type", "product"):
        table = removals(ease, household, asked, by, "bought")
        tried = [
            counterfactual(ease, household, asked, ids, "bought").rank_after
            for ids in table["product_ids"].head(12)
        ]
        assert tried == table["rank"].head(12).tolist()
        worst = decisive(ease, household, asked, by, "bought")
        assert worst.rank_after == table["rank"].max() > worst.rank_before == 1
        assert worst.without == (table["without"][0],)
        assert f"from rank 1 to rank {worst.rank_after:,}" in str(worst)
    assert table["purchases"].sum() == len(shop.of([household]).lines)


def test_sentences_in_both_languages() -> None:
    history = bought((0, 1, [0, 1]), (0, 2, [0, 3]))
    model = OwnFrequency()
    model.fit(history)
    ids = history.products["product_id"].tolist()
    falls = counterfactual(model, 100, ids[0], ids[0])
    assert (falls.rank_before, falls.rank_after, falls.purchases) == (1, 3, 2)
    name = falls.without[0]
    assert str(falls) == (
        f"Without “{name}” in the history (2 purchases), “{name}” drops from rank 1 to rank 3."
    )
    assert falls.in_words("zh") == (
        f"若历史记录中没有“{name}”（2次购买），“{name}”从第1名降到第3名。"
    )
    rises = counterfactual(model, 100, ids[3], ids[1])
    assert "(1 purchase)" in str(rises) and "rises from rank 3 to rank 2." in str(rises)
    stays = counterfactual(model, 100, ids[0], ids[1])
    assert str(stays).endswith("stays at rank 1.") and stays.in_words("zh").endswith("仍排第1名。")
    with pytest.raises(EcomTutorError, match="'en' or 'zh'"):
        stays.in_words("fr")  # type: ignore[arg-type]


def test_a_long_list_of_what_is_gone_is_shortened() -> None:
    history = bought((0, 1, [0, 1, 2, 3, 4]))
    model = OwnFrequency()
    model.fit(history)
    ids = history.products["product_id"].tolist()
    found = counterfactual(model, 100, ids[4], ids[:5])
    assert "and 2 other products in the history (5 purchases)" in str(found)
    assert "等，另有2种商品（5次购买）" in found.in_words("zh")


def test_a_history_that_nobody_learned_is_explained_too(shop: Purchases) -> None:
    model = OwnFrequency()
    model.fit(shop)
    visitor = bought((0, 42, [5, 6]), (0, 42, [5]), last_week=42)
    asked = int(shop.products["product_id"][5])
    found = explain_recommendation(model, 7, asked, "product", history=visitor)
    assert found.values[:, 0].max() == pytest.approx(2.0, abs=1e-5)


def everything(shop: Purchases) -> dict[str, Any]:
    model = OwnFrequency()
    model.fit(shop)
    held = shop.of([shop.households[0]]).lines["product"]
    strange = next(p for p in range(800) if p not in set(held))
    return {
        "model": model,
        "home": int(shop.households[0]),
        "asked": int(shop.products["product_id"][held.iloc[0]]),
        "strange": int(shop.products["product_id"][strange]),
    }


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda m, home, asked, strange: explain_recommendation(m, -5, asked), "no household -5"),
        (lambda m, home, asked, strange: explain_recommendation(m, home, -1), "no product -1"),
        (lambda m, home, asked, strange: explain_recommendation(m, home, []), "One product"),
        (
            lambda m, home, asked, strange: explain_recommendation(m, home, [asked, asked]),
            "different",
        ),
        (lambda m, home, asked, strange: m.explain(home, asked, by="shelf"), "'type' or by"),
        (lambda m, home, asked, strange: m.explain(home, asked, method="magic"), "method is one"),
        (lambda m, home, asked, strange: m.explain(home, asked, orders=3), "no setting 'orders'"),
        (lambda m, home, asked, strange: m.explain(home, asked, of="price"), "'log-odds'"),
        (lambda m, home, asked, strange: m.explain(home, asked, top=0), "top"),
        (lambda m, home, asked, strange: counterfactual(m, home, asked, []), "nothing came"),
        (lambda m, home, asked, strange: counterfactual(m, home, asked, strange), "was bought"),
        (lambda m, home, asked, strange: counterfactual(m, home, asked, "uranium"), "uranium"),
        (
            lambda m, home, asked, strange: counterfactual(m, home, asked, asked, "bought"),
            "itself excluded",
        ),
        (lambda m, home, asked, strange: removals(m, home, asked, by="shelf"), "'type' or by"),
    ],
)
def test_bad_input_is_refused_at_the_door(call, says: str, shop: Purchases) -> None:
    with pytest.raises(EcomTutorError, match=says):
        call(*everything(shop).values())


def test_an_empty_history_has_no_reasons(shop: Purchases) -> None:
    model = OwnFrequency()
    model.fit(shop)
    one = bought((0, 1, [0]))
    nobody = copies(one, np.zeros((1, 1), dtype=bool))
    with pytest.raises(EcomTutorError, match="bought nothing"):
        explain_recommendation(model, 100, int(shop.products["product_id"][0]), history=nobody)
