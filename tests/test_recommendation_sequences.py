"""The sequence transformer: no look ahead, sets without order, resumable; the card's figure."""

import hashlib
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from ecomtutor.errors import EcomTutorError, MissingResource
from ecomtutor.recommendation import evaluate, training_purchases
from ecomtutor.recommendation.product_weeks import product_weeks
from ecomtutor.recommendation.purchases import Purchases
from ecomtutor.recommendation.sequences import (
    NAME,
    Forgetting,
    Scores,
    SequenceRecommender,
    SequenceSettings,
    load_sequence_recommender,
    product_vectors,
    sequence_loss,
)
from ecomtutor.recommendation.week_baskets import (
    WeekBaskets,
    questions_of,
    sequences_of,
    spans,
)

WEEK, HORIZON = 20, 3
SMALL = SequenceSettings(width=16, heads=2, steps=12, households=16, moments=2, folds=2)
FOLDER = Path(__file__).resolve().parents[1] / "data" / "models" / NAME


@pytest.fixture(scope="module")
def some() -> Purchases:
    """Sixty households, twenty weeks, and the two hundred products that they buy most."""
    known = training_purchases(WEEK)
    few = known.of([int(i) for i in known.households[:600:10]])
    often = np.sort(few.lines["product"].value_counts().index[:200].to_numpy())
    lines = few.lines[few.lines["product"].isin(often)]
    lines = lines.assign(product=np.searchsorted(often, lines["product"]))
    products = few.products.iloc[often].reset_index(drop=True)
    return replace(few, lines=lines, products=products, _places={})


@pytest.fixture(scope="module")
def fitted(some: Purchases) -> SequenceRecommender:
    made = SequenceRecommender(SMALL, progress=False)
    made.fit(some)
    return made


def states(model: SequenceRecommender, purchases: Purchases, who: list[int]) -> torch.Tensor:
    """(households, longest, width)."""
    sequences = sequences_of(WeekBaskets.of(purchases), np.array(who), purchases.last_week)
    with torch.no_grad():
        return model.model.reader(model.product_vectors, sequences)


def busy(purchases: Purchases) -> list[int]:
    """Households, from the one with the fewest weeks to the one with the most."""
    weeks = purchases.lines.groupby("household")["week"].nunique().sort_values()
    return [int(household) for household in weeks.index]


def test_baskets_hold_what_was_bought(some: Purchases) -> None:
    baskets = WeekBaskets.of(some)
    assert len(baskets.product) == len(some.lines)
    for household in busy(some)[::20]:
        own = some.lines[some.lines["household"] == household]
        places = range(baskets.start[household], baskets.start[household + 1])
        assert [int(baskets.week[i]) for i in places] == sorted(own["week"].unique())
        for i in places:
            bought = own[own["week"] == baskets.week[i]]["product"]
            there = baskets.product[baskets.first[i] : baskets.first[i + 1]]
            assert sorted(there.tolist()) == sorted(bought)


def test_questions_and_answers_against_plain_pandas(some: Purchases) -> None:
    baskets, who, week = WeekBaskets.of(some), np.array(busy(some)[-8:]), 12
    asked, answers = questions_of(baskets, who, [9, week], len(some.products), HORIZON)
    assert [each for each, _ in asked.weeks] == [9, week]
    first = asked.weeks[0][1]
    lines = some.lines
    for question in range(first, len(asked.household)):
        own = lines[lines["household"] == who[asked.household[question]]]
        before = own[own["week"] <= week]
        after = own[own["week"].between(week + 1, week + HORIZON)]
        pairs = asked.row == question
        assert set(asked.product[pairs].tolist()) == set(before["product"])
        found = answers.row == question
        assert set(answers.product[found].tolist()) == set(after["product"])
        new = answers.product[found & (answers.pair < 0)].tolist()
        assert set(new) == set(after["product"]) - set(before["product"])
    repeated = answers.pair >= 0
    assert repeated.any() and not repeated.all()
    at = answers.pair[repeated]
    assert torch.equal(asked.product[at], answers.product[repeated])
    assert torch.equal(asked.row[at], answers.row[repeated])


def test_habits_are_decayed_counts(some: Purchases) -> None:
    household, week = busy(some)[-1], 15
    asked, _ = questions_of(WeekBaskets.of(some), np.array([household]), [week], 200)
    own = some.lines[(some.lines["household"] == household) & (some.lines["week"] <= week)]
    product = int(own["product"].value_counts().index[0])
    weeks = own[own["product"] == product]["week"].to_numpy()
    habit = asked.habit[asked.product == product][0].numpy()
    count = (0.5 ** ((week - weeks) / 16)).sum()
    assert habit[2] == pytest.approx(np.log(count + 0.05), rel=1e-5)
    assert habit[4] == pytest.approx(np.log(week - weeks.max() + 0.3), rel=1e-5)
    assert habit[5] == pytest.approx(np.log(len(weeks)), rel=1e-5)


def test_product_statistics_know_only_the_weeks_before(some: Purchases) -> None:
    whole, early = product_weeks(some), product_weeks(some.until(11))
    assert torch.equal(whole.sales[:12], early.sales)
    assert torch.equal(whole.returns[:12], early.returns)
    assert not torch.equal(whole.sales[12], whole.sales[11])
    late = whole.at(99)
    assert torch.equal(late[0], whole.sales[-1])


def test_a_later_basket_changes_no_earlier_state(
    some: Purchases, fitted: SequenceRecommender
) -> None:
    household = busy(some)[-1]
    own = np.flatnonzero(some.lines["household"] == household)
    late = some.lines["week"].to_numpy()[own] > 12
    changed = some.lines.copy()
    column = changed.columns.get_loc("product")
    changed.iloc[own[late], column] = (changed.iloc[own[late], column] + 77) % 200
    before = len(set(some.lines.iloc[own[~late]]["week"]))
    ours = states(fitted, some, [household])[0]
    theirs = states(fitted, replace(some, lines=changed), [household])[0]
    assert torch.equal(ours[:before], theirs[:before])
    assert not torch.allclose(ours[before:], theirs[before:], atol=1e-3)


def test_a_question_of_an_earlier_week_sees_what_was_known_then(
    some: Purchases, fitted: SequenceRecommender
) -> None:
    """Training asks about several weeks at once: the same scores as a history that ends there."""
    baskets, who = WeekBaskets.of(some), np.array(busy(some)[-5:])
    asked, _ = questions_of(baskets, who, [10, WEEK], len(some.products))
    sequences = sequences_of(baskets, who, WEEK)
    with torch.no_grad():
        scores = fitted.model(sequences, asked, fitted.statistics, fitted.product_vectors)
    table = scores.table.index_put((asked.row, asked.product), scores.habit)
    alone = fitted.score_histories(some.until(10))[who]
    assert np.allclose(table[: len(who)].numpy(), alone, atol=1e-4)


def test_padding_changes_nothing(some: Purchases, fitted: SequenceRecommender) -> None:
    order = busy(some)
    short, long = order[0], order[-1]
    alone = states(fitted, some, [short])[0]
    together = states(fitted, some, [short, long])
    assert together.shape[1] > len(alone)
    assert torch.allclose(together[0, : len(alone)], alone, atol=1e-5)


def test_order_within_a_week_says_nothing(some: Purchases, fitted: SequenceRecommender) -> None:
    shuffled = replace(some, lines=some.lines.sample(frac=1, random_state=0))
    assert np.array_equal(fitted.score_histories(some), fitted.score_histories(shuffled))


def test_order_of_weeks_says_something(some: Purchases, fitted: SequenceRecommender) -> None:
    turned = replace(some, lines=some.lines.assign(week=WEEK + 1 - some.lines["week"]))
    ours, theirs = states(fitted, some, [busy(some)[-1]]), states(fitted, turned, [busy(some)[-1]])
    assert not torch.allclose(ours[0, -1], theirs[0, -1], atol=1e-3)


def test_empty_histories_get_what_sells(some: Purchases, fitted: SequenceRecommender) -> None:
    nobody = replace(some, lines=some.lines[some.lines["household"] != 3])
    scores = fitted.score_histories(nobody)
    assert np.isfinite(scores).all()
    expected = fitted.model.market(*fitted.statistics.at(WEEK))[0].detach().numpy()[:, 0]
    assert np.allclose(scores[3], expected, atol=1e-5)
    empty = fitted.score_histories(replace(some, lines=some.lines.iloc[:0]))
    assert np.allclose(empty, expected, atol=1e-5)
    answer = fitted.recommend(None, 3)
    assert "unknown" in answer.note and len(answer) == 3


def test_removing_a_purchase_changes_that_household_alone(
    some: Purchases, fitted: SequenceRecommender
) -> None:
    household = busy(some)[-1]
    own = some.lines[some.lines["household"] == household]
    favourite = own["product"].value_counts().index[0]
    gone = (some.lines["household"] == household) & (some.lines["product"] == favourite)
    ours = fitted.score_histories(some)
    theirs = fitted.score_histories(replace(some, lines=some.lines[~gone]))
    others = np.arange(len(ours)) != household
    assert np.allclose(ours[others], theirs[others], atol=1e-4)
    assert theirs[household, favourite] < ours[household, favourite] - 1


@pytest.mark.parametrize("evenness", [0.0, 0.5, 1.0])
def test_the_loss_is_two_plain_cross_entropies(evenness: float) -> None:
    dice = np.random.default_rng(0)
    table = torch.from_numpy(dice.normal(size=(2, 6))).float()
    lines = {"household": [0, 0, 1], "week": [1, 1, 1], "product": [0, 3, 2]}
    later = {"household": [0, 0, 1, 1, 1], "week": [2] * 5, "product": [3, 5, 2, 0, 4]}
    joined = {key: np.array(lines[key] + later[key]) for key in lines}  # type: ignore[operator]
    order = np.lexsort((joined["product"], joined["week"], joined["household"]))
    baskets = WeekBaskets(
        joined["product"][order],
        np.array([1, 2, 1, 2]),
        np.array([0, 2, 4, 5, 8]),
        np.array([0, 2, 4]),
    )
    asked, answers = questions_of(baskets, np.array([0, 1]), [1], 6, 1)
    habit = torch.from_numpy(dice.normal(size=3)).float()
    every = table.clone()
    every[asked.row, asked.product] = habit
    new = table.clone()
    new[asked.row, asked.product] = -torch.inf
    bought, fresh = [[3, 5], [2, 0, 4]], [[5], [0, 4]]
    expected = 0.0
    for logits, wanted in ((every, bought), (new, fresh)):
        surprise = [-logits.log_softmax(1)[i, wanted[i]] for i in (0, 1)]
        weight = [len(each) ** (1 - evenness) for each in wanted]
        means = [float(s.mean()) * w for s, w in zip(surprise, weight, strict=True)]
        expected += sum(means) / sum(weight)
    got = float(sequence_loss(Scores(table, habit), asked, answers, evenness))
    assert got == pytest.approx(expected, rel=1e-5)


def test_vectors_of_a_fold_do_not_know_its_households(some: Purchases) -> None:
    fold = np.arange(len(some.households)) % 2
    ours = product_vectors(some, SMALL, fold)
    assert ours.shape == (3, 200, 16)
    assert torch.isfinite(ours).all()
    assert not torch.allclose(ours[0], ours[-1], atol=1e-2)


def test_heads_forget_and_never_look_ahead(some: Purchases) -> None:
    sequences = sequences_of(WeekBaskets.of(some), np.array([busy(some)[-1]]), WEEK)
    bias = Forgetting(2)(sequences)[0]  # (heads, queries, keys)
    longest = bias.shape[-1]
    assert (bias[:, ~torch.ones(longest, longest, dtype=torch.bool).tril()] < -1e8).all()
    last = bias[:, -1]
    assert (last.diff(dim=-1) > 0).all(), "the older, the less it counts"
    assert (last[:, -1] == 0).all()


def test_resumed_equals_uninterrupted(some: Purchases, tmp_path: Path, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setattr("ecomtutor.training.loop.time.monotonic", iter(range(10**6)).__next__)
    straight = SequenceRecommender(SMALL, progress=False)
    straight.fit(some)
    broken = SequenceRecommender(SMALL, tmp_path, minutes=0.05, progress=False)
    broken.fit(some)
    assert 0 < broken.curve.step < SMALL.steps
    for _ in range(SMALL.steps):
        broken = SequenceRecommender(SMALL, tmp_path, minutes=0.05, progress=False)
        broken.fit(some)
        if broken.curve.step == SMALL.steps:
            break
    assert broken.curve.losses == straight.curve.losses
    assert np.array_equal(broken.score(), straight.score())


def test_a_folder_of_another_run_is_refused(some: Purchases, tmp_path: Path) -> None:
    SequenceRecommender(replace(SMALL, steps=1), tmp_path, progress=False).fit(some)
    with pytest.raises(EcomTutorError, match="Take another folder"):
        SequenceRecommender(replace(SMALL, steps=1), tmp_path, progress=False).fit(some.until(15))


def test_training_lowers_the_loss(some: Purchases) -> None:
    made = SequenceRecommender(replace(SMALL, steps=40, peak_rate=5e-3), progress=False)
    made.fit(some)
    assert np.mean(made.curve.losses[-5:]) < np.mean(made.curve.losses[:5]) - 0.2


def test_bad_settings_are_told(some: Purchases) -> None:
    with pytest.raises(EcomTutorError, match="heads"):
        SequenceSettings(width=30, heads=4)
    with pytest.raises(EcomTutorError, match="dropout"):
        SequenceSettings(dropout=2)
    with pytest.raises(EcomTutorError, match="folds"):
        SequenceSettings(folds=1)
    with pytest.raises(EcomTutorError, match="folder"):
        SequenceRecommender(minutes=3)
    with pytest.raises(EcomTutorError, match="9 weeks"):
        SequenceRecommender(SMALL, progress=False).fit(some.until(8))
    with pytest.raises(EcomTutorError, match="1 households do not fill 2 folds"):
        SequenceRecommender(SMALL, progress=False).fit(some.of([int(some.households[0])]))
    with pytest.raises(EcomTutorError, match="learned nothing"):
        SequenceRecommender().score()


def test_spans() -> None:
    owner, number = spans(np.array([3, 7, 7]), np.array([5, 7, 9]))
    assert owner.tolist() == [0, 0, 2, 2]
    assert number.tolist() == [3, 4, 7, 8]


def test_a_folder_without_weights_is_told(tmp_path: Path) -> None:
    with pytest.raises(MissingResource, match="recommendation train"):
        SequenceRecommender.load(tmp_path)


def test_the_shipped_model_is_small_and_its_card_names_its_bytes() -> None:
    assert sum(file.stat().st_size for file in FOLDER.iterdir()) < 8e6
    card = (FOLDER / "README.md").read_text(encoding="utf-8")
    assert hashlib.sha256((FOLDER / "model.safetensors").read_bytes()).hexdigest() in card
    for part in ("Data", "Recipe", "Figures", "Limits"):
        assert f"## {part}" in card
    assert f"python -m ecomtutor.recommendation train {NAME}" in card
    assert load_sequence_recommender().settings == SequenceSettings(), "the card's recipe"


def test_the_shipped_model_is_as_good_as_its_card_says() -> None:
    """On every tenth household. The weights know weeks 43–45, so only the test weeks can tell."""
    shipped = load_sequence_recommender()
    assert load_sequence_recommender() is shipped
    assert shipped.purchases.last_week == 45
    ids = shipped.purchases.households[::10]
    scores = shipped.score(ids.tolist())
    card = (FOLDER / "README.md").read_text(encoding="utf-8")
    said = re.search(r"test weeks: next ([\d.]+), discovery ([\d.]+)\.", card)
    assert said
    for task, figure in zip(("next", "discovery"), said.groups(), strict=True):
        found = evaluate(scores, task, "test", households=ids)["ndcg"]  # type: ignore[arg-type]
        assert found == pytest.approx(float(figure), abs=0.002)


def test_saved_and_loaded_it_says_the_same(tmp_path: Path) -> None:
    shipped = load_sequence_recommender()
    shipped.save(tmp_path)
    again = SequenceRecommender.load(tmp_path)
    few = shipped.purchases.of(shipped.purchases.households[:5].tolist())
    assert np.allclose(again.score_histories(few), shipped.score_histories(few), atol=1e-5)
    config = (tmp_path / "config.json").read_text().replace("25797", "25796")
    (tmp_path / "config.json").write_text(config)
    with pytest.raises(EcomTutorError, match="Train it anew"):
        SequenceRecommender.load(tmp_path)
