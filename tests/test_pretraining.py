"""Pre-training: masks, pairs, losses, exact resumption, baselines, and the two shipped models."""

import hashlib
import json
import math
import os
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from ecomtutor import models
from ecomtutor.errors import EcomTutorError
from ecomtutor.pretraining import (
    IGNORED,
    NO_WORD,
    CausalBatches,
    Document,
    KneserNey,
    MaskedPairs,
    Neighbours,
    Vocabulary,
    bert_hit_rate,
    causal_loss,
    choose_words,
    corpus,
    encode_sentences,
    hide,
    masked_and_next_loss,
    neighbour_heads,
    next_sentence_accuracy,
    perplexity,
    recipe,
    review_texts,
    sentences,
    shipped,
    single_blanks,
    start_near,
    train_byte_bpe,
    train_wordpiece,
    word_blanks,
    word_numbers,
)
from ecomtutor.training import Curve, Plan, length_buckets, train
from ecomtutor.transformer import BertConfig, BertWithHeads, Gpt, GptConfig, sinusoidal_positions

ROOT = Path(__file__).resolve().parents[1]
TEXTS = [
    "这家酒店的早餐很好，服务也很好。房间干净！下次还来。",
    "电池不耐用，两个小时就没电了。客服不理人。",
    "这本书很好看，孩子很喜欢。印刷清楚，送货很快。",
    "房间很小，隔音不好，早餐也一般。",
    "The battery lasts two days. The screen is bright. Delivery was fast.",
] * 4
DOCUMENTS = [Document(text, "store en" if text[0] == "T" else "review") for text in TEXTS]
SIZES = {"width": 16, "layers": 2, "heads": 2}


@pytest.fixture(scope="module")
def wordpiece() -> Any:
    return train_wordpiece(TEXTS, 200)


@pytest.fixture(scope="module")
def bpe() -> Any:
    return train_byte_bpe(TEXTS, 300)


def tiny_bert(tokenizer: Any) -> BertWithHeads:
    return BertWithHeads(BertConfig(len(tokenizer), **SIZES, inner=32, dropout=0.1))


def tiny_gpt(tokenizer: Any, dropout: float = 0.1) -> Gpt:
    config = GptConfig(
        len(tokenizer), **SIZES, positions=64, dropout=dropout, end_id=tokenizer.eos_token_id
    )
    return Gpt(config)


# Texts


@pytest.mark.parametrize("text", [*TEXTS[:5], "好", "", "很好，很好", "！！！好？", "a，"])
def test_sentences_give_the_text_back(text: str) -> None:
    parts = sentences(text)
    assert "".join(parts) == text
    assert all(parts) or not text


def test_a_text_without_full_stops_is_cut_at_its_middle_comma() -> None:
    assert sentences("房间小，隔音不好，早餐一般，服务差") == [
        "房间小，隔音不好，",
        "早餐一般，服务差",
    ]
    assert sentences("好极了") == ["好极了"]


def test_no_text_of_one_split_is_in_another() -> None:
    seen = {split: {d.text for d in corpus(split)} for split in ("train", "validation", "test")}
    assert not seen["train"] & seen["validation"] and not seen["train"] & seen["test"]
    shelves = Counter(document.shelf for document in corpus("test"))
    assert shelves["review"] > 1500
    assert shelves["store zh"] == shelves["store en"] > 10  # a translation never changes sides


def test_an_unknown_split_or_recipe_is_refused() -> None:
    with pytest.raises(EcomTutorError, match=r"train, validation, test; 'dev'"):
        corpus("dev")
    with pytest.raises(EcomTutorError, match="shop-bert-mini and shop-gpt-mini"):
        recipe("shop-bert")


# Tokenizers


def test_wordpiece_is_berts(wordpiece: Any, tmp_path: Path) -> None:
    from transformers import AutoTokenizer

    wordpiece.save_pretrained(tmp_path)
    again = AutoTokenizer.from_pretrained(tmp_path)
    tokens = again.convert_ids_to_tokens(again("早餐很好 battery")["input_ids"])
    assert type(again).__name__.startswith("Bert")
    assert tokens[:5] == ["[CLS]", "早", "餐", "很", "好"] and tokens[-1] == "[SEP]"
    assert "".join(tokens[5:-1]).replace("##", "") == "battery"
    assert again.convert_ids_to_tokens(range(5)) == ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]


@pytest.mark.parametrize("text", ["早餐很好", "no such words", "𠮷😀 IPX7", ""])
def test_byte_bpe_gives_every_text_back(bpe: Any, tmp_path: Path, text: str) -> None:
    from transformers import AutoTokenizer

    bpe.save_pretrained(tmp_path)
    again = AutoTokenizer.from_pretrained(tmp_path)
    assert again.decode(again(text)["input_ids"]) == text
    assert again.eos_token_id == again.pad_token_id == 0


def test_the_same_texts_give_the_same_tokenizer() -> None:
    first, second = (train_byte_bpe(TEXTS, 300).get_vocab() for _ in range(2))
    assert first == second


# Masks


@pytest.fixture(scope="module")
def masked() -> "tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, Vocabulary]":
    """ids, words, what the model sees, labels: 400 rows of [CLS], 60 tokens, [SEP], 8 padding."""
    rng = np.random.default_rng(0)
    vocabulary = Vocabulary(1000, 4, frozenset(range(5)))
    ids = rng.integers(5, 1000, (400, 70))
    words = np.repeat(np.arange(35), 2)[None].repeat(400, axis=0)  # every word has two tokens
    for places in (slice(0, 2), slice(62, 70)):
        words[:, places] = NO_WORD
        ids[:, places] = 2
    seen, labels = hide(ids, choose_words(words, 0.15, rng), vocabulary, rng)
    return ids, words, seen, labels, vocabulary


def test_80_10_10(masked: Any) -> None:
    ids, words, seen, labels, vocabulary = masked
    asked = labels != IGNORED
    share = asked.sum() / (words != NO_WORD).sum()
    assert 0.14 < share < 0.16
    assert 0.78 < (seen[asked] == vocabulary.mask_id).mean() < 0.82
    assert 0.08 < (seen[asked] == ids[asked]).mean() < 0.12
    assert (labels[asked] == ids[asked]).all()
    assert (seen[~asked] == ids[~asked]).all()
    assert not set(np.unique(seen[asked])) & (vocabulary.special_ids - {vocabulary.mask_id})


def test_special_tokens_are_never_masked_and_words_never_split(masked: Any) -> None:
    _, words, _, labels, _ = masked
    asked = labels != IGNORED
    assert not asked[words == NO_WORD].any()
    pairs = asked[:, 2:62].reshape(400, 30, 2)
    assert (pairs[..., 0] == pairs[..., 1]).all()
    assert asked.any(axis=1).mean() > 0.9


def test_chinese_words_are_jiebas(wordpiece: Any) -> None:
    assert word_numbers("酒店早餐很好").tolist() == [0, 0, 1, 1, 2, 3]
    sentence = encode_sentences(["酒店 battery 早餐"], wordpiece)[0]
    tokens = wordpiece.convert_ids_to_tokens(sentence.ids)
    assert sentence.words[0] == sentence.words[1]
    latin = [word for word, token in zip(sentence.words, tokens, strict=True) if token.isascii()]
    assert len(set(latin[:-1] or latin)) == 1
    assert sentence.words[-1] == sentence.words[-2] != sentence.words[0]


@pytest.mark.parametrize("rate", [0, 1, 15])
def test_a_rate_is_a_share(rate: float) -> None:
    with pytest.raises(EcomTutorError, match="between 0 and 1"):
        choose_words(np.zeros((1, 3), int), rate, np.random.default_rng(0))


# Batches


def test_length_buckets_hold_every_row_once_in_even_batches() -> None:
    rng = np.random.default_rng(0)
    lengths = rng.integers(3, 200, 2000)
    buckets = length_buckets(lengths, 40, rng)
    assert sorted(np.concatenate(buckets)) == list(range(2000))
    tokens = [lengths[bucket].sum() for bucket in buckets]
    assert len(buckets) == 40 and max(tokens) < 1.2 * min(tokens)
    padded = sum(lengths[bucket].max() * len(bucket) for bucket in buckets)
    assert padded < 1.2 * lengths.sum()


def test_a_causal_batch_predicts_each_token_once(bpe: Any) -> None:
    long = "很好" * 60
    batches = CausalBatches([*TEXTS, long], bpe, tokens=100, window=16)
    predicted = Counter[int]()
    for batch in batches.epoch(3):
        assert batch["ids"].shape[1] <= 16
        predicted.update(batch["labels"][:, 1:].flatten().tolist())
    predicted.pop(IGNORED)
    expected = Counter(i for text in [*TEXTS, long] for i in bpe(text)["input_ids"])
    expected[bpe.eos_token_id] = len(TEXTS) + 1
    assert predicted == expected


def test_pairs_are_half_true_and_never_leave_their_shelf(wordpiece: Any) -> None:
    batches = MaskedPairs(DOCUMENTS, wordpiece, tokens=200)
    pairs = [pair for epoch in range(40) for pair in batches.pairs(epoch)]
    labels = Counter(pair.next_label for pair in pairs)
    assert 0.4 < labels[0] / len(pairs) < 0.6 and labels[IGNORED] == 0
    latin = {i for t, i in wordpiece.get_vocab().items() if t.strip("#").isalpha() and t.isascii()}
    for pair in pairs:
        assert (pair.ids == wordpiece.sep_token_id).sum() == 2
        assert (pair.segments == (np.cumsum(pair.ids == 3) - (pair.ids == 3) > 0)).all()
        languages = [bool(latin & set(pair.ids[pair.segments == side].tolist())) for side in (0, 1)]
        assert languages[0] == languages[1]


def test_a_true_pair_is_its_text_and_a_false_one_is_not(wordpiece: Any) -> None:
    texts = TEXTS[:4]
    batches = MaskedPairs([Document(t, "review") for t in texts], wordpiece, tokens=200)
    whole = [wordpiece(text, add_special_tokens=False)["input_ids"] for text in texts]
    for epoch in range(10):
        for number, pair in enumerate(batches.pairs(epoch)):
            inside = [i for i in pair.ids.tolist() if i not in (2, 3)]
            assert (inside == whole[number]) == (pair.next_label == 0)


def test_a_pair_fits_the_window(wordpiece: Any) -> None:
    documents = [Document("很好。" * 50, "review"), Document("不好！" * 50, "review")]
    for pair in MaskedPairs(documents, wordpiece, tokens=64, window=32).pairs(0):
        assert len(pair.ids) == len(pair.words) == len(pair.segments) <= 32
        assert (pair.ids == wordpiece.sep_token_id).sum() == 2


@pytest.mark.parametrize(("share", "broken"), [(1.0, False), (0.0, True)])
def test_words_are_broken_only_where_that_is_asked_for(
    wordpiece: Any, share: float, broken: bool
) -> None:
    batches = MaskedPairs(DOCUMENTS, wordpiece, tokens=200, rate=0.3, whole_words=share)
    hotel = wordpiece.convert_tokens_to_ids(["酒", "店"])
    halves = 0
    for step in range(30):
        batch = batches(step)
        asked = batch["labels"] != IGNORED
        original = torch.where(asked, batch["labels"], batch["ids"])
        starts = (original[:, :-1] == hotel[0]) & (original[:, 1:] == hotel[1])
        halves += int((asked[:, :-1] != asked[:, 1:])[starts].sum())
        assert not asked[batch["mask"] == 0].any()
        assert not torch.isin(batch["labels"][asked], torch.arange(5)).any()
    assert (halves > 0) == broken


def test_a_batch_depends_on_its_number_alone(wordpiece: Any) -> None:
    first, second = (MaskedPairs(DOCUMENTS, wordpiece, tokens=100, seed=3) for _ in range(2))
    second(0)
    for step in (7, 2):
        for name, tensor in first(step).items():
            assert torch.equal(tensor, second(step)[name])
    assert not all(torch.equal(first(2)[n], first(2 + first.per_epoch)[n]) for n in ("labels",))


# Losses


def test_mlm_plus_nsp_is_transformers_loss(wordpiece: Any, tmp_path: Path) -> None:
    from transformers import BertForPreTraining

    model = tiny_bert(wordpiece).eval()
    model.save_pretrained(tmp_path)
    theirs = BertForPreTraining.from_pretrained(tmp_path).eval()
    batch = MaskedPairs(DOCUMENTS, wordpiece, tokens=200)(0)
    expected = theirs(
        input_ids=batch["ids"],
        token_type_ids=batch["segments"],
        attention_mask=batch["mask"],
        labels=batch["labels"],
        next_sentence_label=batch["next_labels"],
    ).loss
    torch.testing.assert_close(masked_and_next_loss(model, batch), expected, rtol=1e-5, atol=1e-5)


def test_the_causal_loss_and_perplexity_are_transformers(bpe: Any, tmp_path: Path) -> None:
    from transformers import GPT2LMHeadModel

    model = tiny_gpt(bpe).eval()
    model.save_pretrained(tmp_path)
    theirs = GPT2LMHeadModel.from_pretrained(tmp_path).eval()
    batch = CausalBatches(TEXTS[:5], bpe, tokens=10_000)(0)
    expected = theirs(input_ids=batch["ids"], labels=batch["labels"]).loss
    torch.testing.assert_close(causal_loss(model, batch), expected, rtol=1e-5, atol=1e-5)
    found = perplexity(model, bpe, TEXTS[:5], batch_tokens=50)  # several batches, one figure
    assert math.isclose(found.per_token, math.exp(expected.item()), rel_tol=1e-4)
    assert found.characters == sum(len(text) + 1 for text in TEXTS[:5])


# The trainer

RUN = """
import sys
from pathlib import Path
from tests.test_pretraining import TEXTS, Plan, CausalBatches, causal_loss, tiny_gpt, train
from ecomtutor.pretraining import train_byte_bpe
import torch
torch.set_num_threads(1)
bpe = train_byte_bpe(TEXTS, 300)
def loss_of(model, batch):
    print("step", flush=True)
    return causal_loss(model, batch)
plan = Plan(steps=24, peak_rate=1e-2, warmup=4, muon_rate=1e-2, save_every=5, validate_every=8)
curve = train(tiny_gpt(bpe), loss_of, CausalBatches(TEXTS, bpe, tokens=120), plan,
              Path(sys.argv[1]), validate=lambda model: 1.0, progress=False)
print(curve.losses)
"""


def _start(folder: Path) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-c", RUN, str(folder)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        text=True,
    )


def test_a_killed_run_continues_the_same_curve(tmp_path: Path) -> None:
    plan = Plan(steps=24, peak_rate=1e-2, warmup=4, muon_rate=1e-2, save_every=5, validate_every=8)
    bpe = train_byte_bpe(TEXTS, 300)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        batches = CausalBatches(TEXTS, bpe, tokens=120)
        whole = train(tiny_gpt(bpe), causal_loss, batches, plan, tmp_path / "a", progress=False)
    finally:
        torch.set_num_threads(threads)
    with _start(tmp_path / "b") as process:
        for _ in range(13):  # between the checkpoints at 10 and 15
            assert process.stdout is not None and process.stdout.readline() == "step\n"
        process.send_signal(signal.SIGKILL)
    with _start(tmp_path / "b") as process:
        lines = process.communicate(timeout=60)[0].splitlines()
    assert 24 - 15 <= lines.count("step") <= 24 - 10  # it did go on, not start anew
    assert json.loads(lines[-1]) == whole.losses
    assert whole.losses[-1] < whole.losses[0]


def _train(folder: Path, bpe: Any, plan: Plan, **options: Any) -> Curve:
    batches = CausalBatches(TEXTS, bpe, tokens=120)
    return train(tiny_gpt(bpe), causal_loss, batches, plan, folder, progress=False, **options)


def test_minutes_pause_a_run(bpe: Any, tmp_path: Path) -> None:
    plan = Plan(steps=6, peak_rate=1e-3, warmup=2)
    assert _train(tmp_path, bpe, plan, minutes=0).step == 1
    assert _train(tmp_path, bpe, plan, minutes=0).step == 2
    assert _train(tmp_path, bpe, plan).step == 6


def test_the_best_weights_are_kept(bpe: Any, tmp_path: Path) -> None:
    losses, seen = iter([3.0, 1.0, 2.0]), []

    def validate(model: Any) -> float:
        assert not model.training
        seen.append(model.words.weight.clone())
        return next(losses)

    model = tiny_gpt(bpe)
    plan = Plan(steps=3, peak_rate=1e-2, warmup=1, validate_every=1)
    batches = CausalBatches(TEXTS, bpe, tokens=120)
    curve = train(model, causal_loss, batches, plan, tmp_path, validate=validate, progress=False)
    assert curve.best == (2, 1.0)
    assert torch.equal(model.words.weight, seen[1]) and not torch.equal(seen[1], seen[2])


def test_another_plan_or_a_lost_loss_is_refused(bpe: Any, tmp_path: Path) -> None:
    _train(tmp_path, bpe, Plan(steps=1, peak_rate=1e-3, warmup=1))
    with pytest.raises(EcomTutorError, match="made under another plan"):
        _train(tmp_path, bpe, Plan(steps=2, peak_rate=1e-3, warmup=1))
    with pytest.raises(EcomTutorError, match="loss of step 0 is nan"):
        train(
            tiny_gpt(bpe),
            lambda model, batch: causal_loss(model, batch) * math.nan,
            CausalBatches(TEXTS, bpe, tokens=120),
            Plan(steps=1, peak_rate=1e-3, warmup=1),
            tmp_path / "nan",
            progress=False,
        )


def test_training_leaves_the_readers_dice_alone(bpe: Any, tmp_path: Path) -> None:
    model, batches = tiny_gpt(bpe), CausalBatches(TEXTS, bpe, tokens=120)
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    plan = Plan(steps=2, peak_rate=1e-3, warmup=1)
    train(model, causal_loss, batches, plan, tmp_path, progress=False)
    assert torch.equal(torch.rand(3), expected)


def test_the_rate_warms_up_and_cools_down() -> None:
    plan = Plan(steps=100, peak_rate=1.0, warmup=10)
    rates = [plan.rate(step) for step in range(100)]
    assert rates[0] == 0.1 and rates[9] == rates[10] == max(rates) == 1.0
    assert rates[10:] == sorted(rates[10:], reverse=True)
    assert math.isclose(rates[55], 0.505, rel_tol=1e-9) and rates[99] < 0.02


# Baselines


@pytest.mark.parametrize("order", [1, 2, 3])
def test_kneser_ney_is_a_distribution(order: int) -> None:
    model = KneserNey(["abab", "abc", "cab", "bb"], order)
    symbols = ["a", "b", "c", "<end>", "never seen"]
    for context in (["a"], ["c", "a"], ["b", "b"], ["never seen", "a"]):
        assert math.isclose(sum(model.probability(s, context) for s in symbols), 1.0)


def test_kneser_ney_counts_contexts_not_occurrences() -> None:
    """“Francisco” is frequent but follows only “San”: after anything else it is unlikely."""
    texts = [["san", "francisco"]] * 9 + [[w, "shop"] for w in ("a", "b", "c", "d")] + [["e"]]
    model = KneserNey(texts, 2)
    assert model.probability("francisco", ["san"]) > 0.8
    assert model.probability("shop", ["e"]) > model.probability("francisco", ["e"])


def test_more_context_helps_and_an_order_is_positive() -> None:
    texts = ["这家酒店很好", "这家书店很好", "那家酒店不好"] * 3
    figures = [KneserNey(texts, order).perplexity(["这家酒店不好"]) for order in (1, 2, 3)]
    assert figures == sorted(figures, reverse=True)
    with pytest.raises(EcomTutorError, match="order 0"):
        KneserNey(texts, 0)


def test_neighbours_see_both_sides_and_no_hidden_ones() -> None:
    texts = [[1, 2, 3]] * 5 + [[4, 5, 3]] * 5 + [[1, 6, 7]] * 5 + [[9]] * 30
    for order in (2, 3):
        guesser = Neighbours(texts, order)
        assert guesser.top([1, None, 3], 1)[0] == 2
        assert guesser.top([4, None, 3], 1)[0] == 5
        assert guesser.top([1, None, 7], 1)[0] == 6
        assert set(guesser.top([None, None, 7], 1)[:1]) == {6}
    assert Neighbours(texts, 1).top([1, None, 3], 1, 2) == [9, 1]


# The shipped models: bounds from the figures on their cards

BERT_TOP1, BERT_TOP5, BERT_NSP, GPT_PER_CHARACTER = 0.38, 0.6, 0.75, 40
BERT, GPT = shipped("shop-bert-mini"), shipped("shop-gpt-mini")


@pytest.mark.parametrize("folder", [BERT, GPT], ids=lambda folder: folder.name)
def test_a_shipped_model_is_small_and_its_card_names_its_bytes(folder: Path) -> None:
    weights = folder / "model.safetensors"
    assert weights.stat().st_size <= 20e6
    card = (folder / "README.md").read_text(encoding="utf-8")
    assert hashlib.sha256(weights.read_bytes()).hexdigest() in card
    assert f"python -m ecomtutor.pretraining {folder.name}" in card
    assert f"python -m ecomtutor.pretraining evaluate {folder.name}" in card


# The start


@pytest.mark.parametrize(("head", "offset"), [(0, -1), (1, 1), (2, -2), (3, 2)])
def test_a_head_starts_out_looking_at_its_neighbour(head: int, offset: int) -> None:
    query, key = neighbour_heads(64, 4)
    places = sinusoidal_positions(40, 64)  # (places, width)
    part = slice(16 * head, 16 * head + 16)
    scores = (places @ query.T)[:, part] @ (places @ key.T)[:, part].T  # (from, to)
    assert (scores[5:35].argmax(dim=1) == torch.arange(5, 35) + offset).all()


def test_a_started_bert_guesses_frequent_tokens_first(wordpiece: Any) -> None:
    batches = MaskedPairs(DOCUMENTS, wordpiece, tokens=200)
    fresh, started = tiny_bert(wordpiece).eval(), tiny_bert(wordpiece).eval()
    start_near(started, batches)
    with torch.no_grad():
        losses = [
            np.mean([float(masked_and_next_loss(m, batches(i))) for i in range(20)])
            for m in (started, fresh)
        ]
    assert losses[0] < losses[1] - 0.1


# Figures


class _Repeats(torch.nn.Module):
    """Guesses that a hidden token is the one to its left."""

    def __init__(self, vocabulary: int):
        super().__init__()
        self.vocabulary = vocabulary

    def forward(self, ids: Any, segments: Any, mask: Any, predict_at: Any) -> Any:
        left = torch.roll(ids, 1, dims=1)[predict_at]
        logits = torch.nn.functional.one_hot(left, self.vocabulary).float()
        return SimpleNamespace(mlm_logits=logits)


def test_the_hit_rate_of_a_model_that_repeats(wordpiece: Any) -> None:
    texts = ["很很很很很很", "房间干净", "好好", "早餐早餐早餐早餐"]
    blanks = single_blanks(texts, wordpiece)
    assert len(blanks) == sum(map(len, texts))
    right = sum(b.hidden[0] > 0 and b.ids[b.hidden[0] - 1] == b.answers[0] for b in blanks)
    rate = bert_hit_rate(_Repeats(len(wordpiece)), wordpiece, blanks, rows=3)
    assert rate.top1 == right / len(blanks) == 6 / 20
    assert rate.top5 >= rate.top1 and rate.count == 20


def test_blanks_are_fixed_by_their_seed(wordpiece: Any) -> None:
    first, again, other = (single_blanks(TEXTS, wordpiece, 20, seed) for seed in (0, 0, 1))
    assert first == again != other
    for blank in first:
        assert blank.seen.count(None) == 1 and len(wordpiece.decode(blank.answers)) == 1
    hidden = [place for blank in word_blanks(TEXTS * 10, wordpiece) for place in blank.hidden]
    total = sum(len(sentence.ids) for sentence in encode_sentences(TEXTS * 10, wordpiece))
    assert 0.11 < len(hidden) / total < 0.19


def test_a_trained_bert_beats_an_untrained_one(wordpiece: Any, tmp_path: Path) -> None:
    model = BertWithHeads(BertConfig(len(wordpiece), 32, 2, 2, 64, dropout=0.0))
    blanks = word_blanks(TEXTS[:5], wordpiece)
    before = bert_hit_rate(model.eval(), wordpiece, blanks)
    batches = MaskedPairs(DOCUMENTS, wordpiece, tokens=400)
    plan = Plan(steps=60, peak_rate=1e-2, warmup=6)
    train(model, masked_and_next_loss, batches, plan, tmp_path, progress=False)
    after = bert_hit_rate(model.eval(), wordpiece, blanks)
    assert after.top5 > before.top5 + 0.2
    accuracy, count = next_sentence_accuracy(model, DOCUMENTS, wordpiece, epochs=2)
    assert 0 <= accuracy <= 1 and count == 2 * len(DOCUMENTS)


def test_no_text_no_perplexity(bpe: Any) -> None:
    with pytest.raises(EcomTutorError, match="at least one text"):
        perplexity(tiny_gpt(bpe), bpe, [])


def test_shop_bert_fills_held_out_reviews() -> None:
    loaded = models.load_shop_bert()
    assert type(loaded.model).__name__ == "BertForPreTraining"
    assert (loaded.layers, loaded.heads, loaded.width) == (4, 4, 256)
    model, texts = BertWithHeads.from_pretrained(BERT), review_texts("test")[::20]
    rate = bert_hit_rate(model, loaded.tokenizer, single_blanks(texts, loaded.tokenizer, 200))
    assert rate.top1 > BERT_TOP1 and rate.top5 > BERT_TOP5


def test_shop_bert_tells_next_sentences() -> None:
    loaded = models.load_shop_bert()
    model = BertWithHeads.from_pretrained(BERT)
    documents = [Document(text, "review") for text in review_texts("test")[::20]]
    accuracy, _ = next_sentence_accuracy(model, documents, loaded.tokenizer, epochs=2)
    assert accuracy > BERT_NSP


def test_shop_gpt_is_surprised_by_held_out_reviews_as_transformers_says() -> None:
    loaded = models.load_shop_gpt()
    assert (loaded.layers, loaded.heads, loaded.width) == (4, 4, 256)
    model, texts = Gpt.from_pretrained(GPT), review_texts("test")[::40]
    assert perplexity(model, loaded.tokenizer, texts).per_character < GPT_PER_CHARACTER
    end = loaded.tokenizer.eos_token_id
    ids = torch.tensor([[end, *loaded.tokenizer(texts[0])["input_ids"], end]])
    with torch.no_grad():
        loss = loaded.model(input_ids=ids, labels=ids).loss
    found = perplexity(model, loaded.tokenizer, texts[:1])
    assert math.isclose(found.per_token, math.exp(loss), rel_tol=1e-4)
    assert "shop-gpt-mini: 4 layers" in repr(loaded)
