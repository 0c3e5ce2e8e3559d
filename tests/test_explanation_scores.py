"""Scores of next tokens, contrasts, continuations and answers, against transformers alone."""

from typing import Any

import numpy as np
import pytest
import torch
import transformers

from ecomtutor.datasets import store
from ecomtutor.errors import EcomTutorError
from ecomtutor.interpretability import (
    Game,
    continuation,
    contrast,
    leave_one_out,
    next_token,
    owen_values,
    probabilities,
    span,
    units_of,
)
from ecomtutor.models import load_encoder, load_generator, load_shop_gpt

RNG = np.random.default_rng(0)


@pytest.fixture(scope="module")
def writer() -> Any:
    """A tiny random Llama: fast, causal, and far from uniform."""
    torch.manual_seed(0)
    config = transformers.LlamaConfig(
        vocab_size=60,
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        initializer_range=0.5,
    )
    return transformers.LlamaForCausalLM(config).eval()


@pytest.fixture(scope="module")
def reader() -> Any:
    torch.manual_seed(0)
    config = transformers.BertConfig(
        vocab_size=len(load_encoder("zh").tokenizer),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=64,
        initializer_range=0.5,
    )
    return transformers.BertForQuestionAnswering(config).eval()


ROWS = [RNG.integers(0, 60, n) for n in (5, 1, 9, 5, 3, 40)]


def logs_of(model: Any, row: Any) -> Any:
    """Log-probabilities (tokens, vocabulary) of one row on its own: no padding, no batch."""
    with torch.inference_mode():
        return model(input_ids=torch.tensor([list(row)])).logits[0].log_softmax(-1).numpy()


def test_next_tokens_of_rows_of_any_length(writer: Any) -> None:
    ours = next_token(writer, [7, 3, 59])(ROWS)
    expected = [logs_of(writer, row)[-1, [7, 3, 59]] for row in ROWS]
    assert np.allclose(ours, expected, atol=1e-5) and np.ptp(ours) > 1


def test_a_contrast_is_a_difference(writer: Any) -> None:
    ours = contrast(writer, 7, rather_than=3)(ROWS)
    expected = [logs_of(writer, row)[-1] for row in ROWS]
    assert np.allclose(ours[:, 0], [logs[7] - logs[3] for logs in expected], atol=1e-5)
    assert np.allclose(ours, -contrast(writer, 3, rather_than=7)(ROWS), atol=1e-5)


@pytest.mark.parametrize("ending", [[4], [4, 5], [9, 9, 9, 2, 31]])
def test_a_continuation_is_the_chain_of_its_tokens(writer: Any, ending: list[int]) -> None:
    """One step at a time, as a generator writes it."""
    expected = []
    for row in ROWS:
        so_far, total = list(row), 0.0
        for token in ending:
            total += logs_of(writer, so_far)[-1, token]
            so_far.append(token)
        expected.append(total)
    assert np.allclose(continuation(writer, ending)(ROWS)[:, 0], expected, atol=1e-4)


def test_probabilities_are_the_softmax(writer: Any) -> None:
    logits = RNG.normal(size=(4, 3))
    ours = probabilities(lambda rows: logits, temperature=2.0)([])
    assert np.allclose(ours, torch.tensor(logits / 2).softmax(-1).numpy())


def test_a_span_is_scored_at_its_place_with_its_segments(reader: Any) -> None:
    tokenizer = load_encoder("zh").tokenizer
    encoded = tokenizer("几天可以退货？", "签收后七天内可以退货，运费自理。", return_tensors="pt")
    segments = encoded["token_type_ids"][0].numpy()
    row = encoded["input_ids"][0].numpy()
    hidden = row.copy()
    hidden[12] = tokenizer.mask_token_id
    rows = [row, hidden] * 60  # more than one batch
    ours = span(reader, 11, 13, segments)(rows)
    expected = []
    for ids in (row, hidden):
        with torch.inference_mode():
            out = reader(
                input_ids=torch.from_numpy(ids)[None], token_type_ids=encoded["token_type_ids"]
            )
        expected.append(float(out.start_logits[0, 11] + out.end_logits[0, 13]))
    assert np.allclose(ours[:, 0], expected * 60, atol=1e-5)
    assert abs(expected[0] - expected[1]) > 1e-3
    with pytest.raises(EcomTutorError, match="Hide by 'mask' or 'pad'"):
        span(reader, 11, 13, segments)([row[:-1]])


def test_what_has_no_answer_is_told(writer: Any) -> None:
    with pytest.raises(EcomTutorError, match="empty row"):
        next_token(writer, [1])([np.array([], dtype=np.int64)])
    with pytest.raises(EcomTutorError, match="no tokens"):
        continuation(writer, [])


def test_a_game_on_a_chinese_prompt_adds_up() -> None:
    """shop-gpt-mini: which words make the next one; the values make up the whole contrast."""
    loaded = load_shop_gpt()
    units = units_of("酒店的房间很干净，服务", loaded.tokenizer)
    vocabulary = len(loaded.tokenizer)
    made = owen_values(Game(units, next_token(loaded.model, range(vocabulary))))
    assert np.allclose(made.gap, 0, atol=1e-4) and made.resolved == len(units)
    assert made.full == pytest.approx(logs_of(loaded.model, units.ids)[-1], abs=1e-4)


def test_why_refund_rather_than_coupon() -> None:
    """SmolLM2 on the shop's policy of returns: of the policy's words, "return" says most."""
    loaded, policies = load_generator("en"), store().policies
    policy = policies[policies["topic"] == "returns"]["text_en"].iloc[0][:160]
    units = units_of(f"{policy}\nThe customer will get a", loaded.tokenizer)
    # " coupon" is two tokens: they part at the first.
    this, other = (loaded.tokenizer(f" {word}")["input_ids"][0] for word in ("refund", "coupon"))
    game = Game(units, contrast(loaded.model, this, rather_than=other))
    made = leave_one_out(game)
    logs = logs_of(loaded.model, units.ids)[-1]
    assert made.full[0] == pytest.approx(logs[this] - logs[other], abs=1e-3) and made.full[0] > 1
    logs = logs_of(loaded.model, game.row(np.arange(len(units)) != 3))[-1]
    assert made.full[0] - made.values[3, 0] == pytest.approx(logs[this] - logs[other], abs=1e-3)
    of_policy = [i for i in made.ranking(0) if units.units[i].end <= len(policy)]
    assert units.texts[of_policy[0]].strip() == "return"


@pytest.mark.parametrize(
    "make",
    [
        lambda model: next_token(model, []),
        lambda model: next_token(model, [-1]),
        lambda model: next_token(model, [10**7]),
        lambda model: next_token(model, [1.5]),  # type: ignore[list-item]
        lambda model: next_token(model, 5),  # type: ignore[arg-type]
        lambda model: contrast(model, " yes", " no"),  # type: ignore[arg-type]
        lambda model: continuation(model, [10**7, 1]),
        lambda model: next_token(None, [1]),
        lambda model: probabilities(next_token(model, [1, 2]), 0),
        lambda model: probabilities(next_token(model, [1, 2]), float("nan")),
        lambda model: span(model, 0, 9, np.zeros(4, int)),
        lambda model: span(model, 2, 1, np.zeros(4, int)),
        lambda model: span(model, -1, 1, np.zeros(4, int)),
    ],
)
def test_outputs_that_are_not_there_are_told_at_the_door(writer: Any, make: Any) -> None:
    with pytest.raises(EcomTutorError):
        make(writer)


def test_a_continuation_of_nothing_is_told_and_not_scored_at_a_wrong_place(writer: Any) -> None:
    score = continuation(writer, [5, 6, 7])
    with pytest.raises(EcomTutorError, match="hide by 'mask'"):
        score([np.array([3, 4]), np.array([], dtype=int)])


def test_a_continuation_asks_for_its_own_places_only(
    writer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The vocabulary at every place of every row would be gigabytes."""
    shapes = []
    real = torch.Tensor.log_softmax

    def seen(self: torch.Tensor, *args: Any) -> torch.Tensor:
        shapes.append(self.shape[0])
        return real(self, *args)

    monkeypatch.setattr(torch.Tensor, "log_softmax", seen)
    continuation(writer, [5, 6, 7])([np.arange(1, 40), np.arange(1, 9)])
    assert shapes == [3, 3]
