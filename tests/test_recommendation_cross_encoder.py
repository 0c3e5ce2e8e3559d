"""The cross-encoder: packed rows equal pairs read alone; re-ranking; how it was trained."""

import hashlib
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from ecomtutor.errors import EcomTutorError
from ecomtutor.recommendation import OwnFrequency, Popularity, Purchases, training_purchases
from ecomtutor.recommendation import cross_encoder_training as training
from ecomtutor.recommendation.cross_encoder import (
    NAME,
    CrossEncoder,
    PairScorer,
    load_cross_encoder,
    untrained_cross_encoder,
)
from ecomtutor.recommendation.cross_encoder_training import Row, Settings, listwise_loss
from ecomtutor.recommendation.in_words import (
    history_texts,
    products_with_past,
    profile_texts,
    written_out,
)
from ecomtutor.recommendation.sampling import interval, ndcg_of, sample_of_buyers

FOLDER = Path(__file__).resolve().parents[1] / "data" / "models" / NAME
HISTORY = "often: bananas, fluid milk white only; lately: sour creams"
PRODUCTS = ["it never; kind once, this week: bananas, tropical fruit", "soap", "", "🥑 牛油果"]


@pytest.fixture(scope="module")
def scorer() -> PairScorer:
    return untrained_cross_encoder(0)


@pytest.fixture(scope="module")
def few() -> Purchases:
    """Sixty households up to week 42."""
    known = training_purchases(42)
    return known.of(known.households[::41])


class Longest:
    """Likes the longest text, and remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str]] = []

    def score(self, histories: Any, products: Any, *, bf16: bool = False) -> Any:
        self.asked += zip(histories, products, strict=True)
        return np.array([len(text) for text in products], np.float32)


def test_a_pair_is_packed_as_the_tokenizer_writes_it(scorer: PairScorer) -> None:
    row = scorer.collate([(HISTORY, [PRODUCTS[0]])])
    pair = scorer.tokenizer([HISTORY], [PRODUCTS[0]], return_tensors="pt")
    many = pair["input_ids"].shape[1]
    for part in ("input_ids", "token_type_ids"):
        assert torch.equal(row[part][:, :many], pair[part])
    assert row["position_ids"][0, :many].tolist() == list(range(many))
    assert (row["segments"][0, many:] == -1).all()


def test_packed_scores_are_those_of_pairs_read_alone(scorer: PairScorer) -> None:
    histories = [HISTORY, "", "often: soap", HISTORY] * 6
    products = [f"{text} {i % 5}" for i, text in enumerate(PRODUCTS * 6)]
    together = scorer.logits(histories, products)
    alone = [scorer.logits([a], [b])[0] for a, b in zip(histories, products, strict=True)]
    assert together.shape == (24, 2)
    np.testing.assert_allclose(together, alone, atol=2e-6)


def test_scores_equal_a_plain_bert_whose_history_looks_at_itself_only(scorer: PairScorer) -> None:
    """The reference: one pair, the mask written by a loop, the encoder called directly."""
    pair = scorer.tokenizer([HISTORY], [PRODUCTS[0]], return_tensors="pt")
    second = pair["token_type_ids"][0].tolist()
    mask = torch.zeros(1, 1, len(second), len(second), dtype=torch.bool)
    for query, of_product in enumerate(second):
        for key, key_of_product in enumerate(second):
            mask[0, 0, query, key] = bool(of_product) or not key_of_product
    with torch.inference_mode():
        hidden = scorer.model.encoder(
            input_ids=pair["input_ids"],
            token_type_ids=pair["token_type_ids"],
            attention_mask=mask,
        ).last_hidden_state[0]
        logits = scorer.model.classifier(hidden[torch.tensor(second).bool()].mean(dim=0))
    np.testing.assert_allclose(
        scorer.logits([HISTORY], [PRODUCTS[0]])[0], logits.numpy(), atol=2e-6
    )


def test_the_history_counts(scorer: PairScorer) -> None:
    assert scorer.score([HISTORY], ["soap"]) != scorer.score(["often: beer"], ["soap"])


def test_long_texts_are_cut_and_lists_are_checked(scorer: PairScorer) -> None:
    assert np.isfinite(scorer.score(["milk, " * 400], ["soap " * 400])).all()
    assert scorer.score([], []).shape == (0,)
    for wrong in (("milk", "soap"), (["milk"], ["soap", "beer"])):
        with pytest.raises(EcomTutorError, match="equally many texts"):
            scorer.score(*wrong)


def test_two_logits_are_no_number(scorer: PairScorer) -> None:
    """Broken in the wild: `.item()` on the output of a head with two classes."""
    pair = scorer.tokenizer([HISTORY], ["soap"], return_tensors="pt")
    with pytest.raises(RuntimeError, match="2 elements"):
        scorer.model(**pair).logits.item()


def test_untrained_rankings_are_the_seeds() -> None:
    """Some seeds agree by chance, as many disagree: the mean of Kendall's tau is about zero."""
    from scipy.stats import kendalltau

    texts = training_purchases().products["text"].iloc[:: 25_797 // 40].tolist()
    histories = [HISTORY] * len(texts)
    scores = [untrained_cross_encoder(seed).score(histories, texts) for seed in range(12)]
    assert np.array_equal(scores[0], untrained_cross_encoder(0).score(histories, texts))
    agreement = [kendalltau(a, b).statistic for a, b in combinations(scores, 2)]
    assert abs(np.mean(agreement)) < 0.15
    assert min(agreement) < -0.2 and max(agreement) > 0.2


def test_only_candidates_are_read_once_each_and_put_on_top(few: Purchases) -> None:
    reader, first = Longest(), OwnFrequency(26)
    model = CrossEncoder(first, 30, scorer=reader).fit(few)
    ids = few.households[:4].tolist()
    scores, before = model.score(ids), first.score(ids)
    assert scores.shape == before.shape and scores.dtype == np.float32
    assert np.isfinite(scores).all()
    assert len(reader.asked) == 4 * 30
    text = products_with_past(few.of(ids))
    for household, (line, old) in enumerate(zip(scores, before, strict=True)):
        order, earlier = np.argsort(-line, kind="stable"), np.argsort(-old, kind="stable")
        assert set(order[:30]) == set(earlier[:30])
        lengths = [len(text(household, int(product))) for product in order[:30]]
        assert lengths == sorted(lengths, reverse=True)
        assert order[30:200].tolist() == earlier[30:200].tolist()


def test_a_share_of_zero_is_the_first_recommender(few: Purchases) -> None:
    first = OwnFrequency(26)
    model = CrossEncoder(first, 30, share=0.0, scorer=Longest()).fit(few)
    ids = few.households[:3].tolist()
    for new, old in zip(model.score(ids), first.score(ids), strict=True):
        assert np.argsort(-new, kind="stable")[:100].tolist() == (
            np.argsort(-old, kind="stable")[:100].tolist()
        )


def test_for_discovery_nothing_bought_is_read(few: Purchases) -> None:
    model = CrossEncoder(Popularity(), 30, new_only=True, scorer=Longest()).fit(few)
    scores = model.score(few.households[:3].tolist())
    bought = few.of(few.households[:3].tolist()).counts().toarray() > 0
    assert np.isneginf(scores[bought]).all() and np.isfinite(scores[~bought]).all()


def test_lists_may_be_longer_than_the_candidates_and_unknown_households_fall_back(
    few: Purchases,
) -> None:
    model = CrossEncoder(OwnFrequency(26), 20, scorer=Longest()).fit(few)
    assert len(model.recommend(int(few.households[0]), 50)) == 50
    assert "unknown" in model.recommend(-5, 3).note
    with pytest.raises(EcomTutorError, match="At least one candidate"):
        CrossEncoder(OwnFrequency(26), 0)
    with pytest.raises(EcomTutorError, match="share"):
        CrossEncoder(OwnFrequency(26), share=1.5)


def test_the_shipped_weights_refuse_weeks_that_they_were_trained_on() -> None:
    with pytest.raises(EcomTutorError, match="hindsight"):
        CrossEncoder(OwnFrequency(26)).fit(training_purchases(41))


def test_scores_depend_on_the_history_given(few: Purchases) -> None:
    model = CrossEncoder(OwnFrequency(26), 20, scorer=Longest()).fit(few)
    one = few.of([int(few.households[0])])
    fewer = one.until(20)
    assert not np.array_equal(model.score_histories(one), model.score_histories(fewer))


def test_words_of_a_past(few: Purchases) -> None:
    texts = history_texts(few)
    assert len(texts) == len(few.households)
    assert all(text.startswith("often: ") for text in texts if text)
    nothing = Purchases(few.lines.iloc[:0], few.households, few.products, few.last_week)
    assert set(history_texts(nothing)) == {""} == set(profile_texts(nothing))
    assert products_with_past(nothing)(0, 0).startswith("it never; kind never: ")
    line = few.lines.iloc[0]
    assert "it never" not in products_with_past(few)(int(line["household"]), int(line["product"]))
    assert written_out("FRZN MEAT/MEAT DINNERS") == "frozen meat, meat dinners"
    assert all(profile == profile.lower() for profile in profile_texts(few))


def test_the_most_frequent_types_come_first(few: Purchases) -> None:
    one = few.of([int(few.households[1])])
    lines = one.lines[one.lines["product"] == one.lines["product"].iloc[0]]
    often = Purchases(lines, one.households, one.products, one.last_week)
    kind = str(one.products["product_type"].iloc[int(lines["product"].iloc[0])]).lower()
    assert history_texts(often) == [f"often: {kind}"]


def test_the_loss_by_hand() -> None:
    scores = torch.tensor([[2.0, 0.0, 1.0], [0.0, 1.0, 0.0]])
    first = [float(torch.logsumexp(torch.tensor([s, 1.0]), 0)) - s for s in (2.0, 0.0)]
    second = float(torch.logsumexp(torch.tensor([0.0, 1.0, 0.0]), 0))
    found = listwise_loss(scores, torch.tensor([2, 1]))
    assert float(found) == pytest.approx((sum(first) + second) / 3, abs=1e-6)


@pytest.fixture
def small_year(few: Purchases, monkeypatch: pytest.MonkeyPatch) -> Purchases:
    monkeypatch.setattr(training, "training_purchases", lambda week: few.until(week))
    return few


def test_rows_hold_what_was_bought_later_first_and_keep_households_apart(
    small_year: Purchases,
) -> None:
    learn, held_out = training.training_rows(Settings())
    assert learn and held_out
    assert not {row.household for row in learn} & {row.household for row in held_out}
    later = small_year.between(35, 42).counts().toarray() > 0
    for row in [*learn, *held_out]:
        bought = [bool(later[row.household, product]) for product in row.products]
        assert bought == [True] * row.bought + [False] * (len(bought) - row.bought)
        assert len(set(row.products)) == len(row.products)


def test_training_never_sees_a_later_week(
    small_year: Purchases, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Settings(cut=30, until=36)
    before = training.training_rows(settings)
    cut = small_year.until(36)
    monkeypatch.setattr(training, "training_purchases", lambda week: cut.until(week))
    assert training.training_rows(settings) == before


def test_a_short_training_resumes_and_its_weights_load(
    small_year: Purchases, tmp_path: Path
) -> None:
    settings = Settings(steps=2, batch_size=2, warmup=1, validation_rows=2)
    made = training.train_cross_encoder(tmp_path, settings, progress=False)
    again = training.train_cross_encoder(tmp_path, settings, progress=False)
    assert made.labels == ("bought",) and made.base == "en"
    scores = [PairScorer(c.model, c.tokenizer).score([HISTORY], ["soap"]) for c in (made, again)]
    assert scores[0] == scores[1]
    assert (tmp_path / "model" / "model.safetensors").stat().st_size < 5e6


def test_a_batch_depends_on_its_step_alone(small_year: Purchases, scorer: PairScorer) -> None:
    rows = [Row(h, tuple(range(h, h + 8)), 1) for h in range(8)]
    batches = training.RowBatches(rows, small_year, scorer, Settings(batch_size=4))
    first, second = batches(1), batches(0)
    assert torch.equal(batches(1)["input_ids"], first["input_ids"])
    assert second["bought"].tolist() == [1] * 4


def test_samples_and_intervals() -> None:
    ids = sample_of_buyers(20, "next")
    assert len(set(ids.tolist())) == 20 and np.array_equal(ids, sample_of_buyers(20, "next"))
    with pytest.raises(EcomTutorError, match="sample of 0"):
        sample_of_buyers(0, "next")
    known = training_purchases(42)
    values = ndcg_of(OwnFrequency(26).fit(known).score(ids.tolist()), ids, "next")
    mean, low, high = interval(values)
    assert values.shape == (20,) and low < mean < high and mean == pytest.approx(values.mean())


def test_the_shipped_weights_are_small_and_their_card_names_them() -> None:
    weights = FOLDER / "model.safetensors"
    assert weights.stat().st_size < 5e6
    card = (FOLDER / "README.md").read_text(encoding="utf-8")
    assert hashlib.sha256(weights.read_bytes()).hexdigest() in card
    for part in ("Data", "Recipe", "Figures", "Limits"):
        assert f"## {part}" in card
    assert f"python -m ecomtutor.recommendation train {NAME}" in card


def test_the_shipped_order_is_far_better_than_chance() -> None:
    known, ids = training_purchases(42), sample_of_buyers(16, "next", seed=1)
    model = CrossEncoder(OwnFrequency(26), 40).fit(known)
    histories = known.of(ids)
    scores, tops = model.choose(histories)
    says = model.read(histories, tops)
    dice = np.random.default_rng(0)
    read = ndcg_of(model.mix(scores, tops, says, 1.0), ids, "next")
    chance = np.mean([
        ndcg_of(model.mix(scores, tops, [dice.random(40) for _ in says], 1.0), ids, "next")
        for _ in range(5)
    ])  # fmt: skip
    assert read.mean() > chance + 0.08
    assert load_cross_encoder() is load_cross_encoder()
