"""The forward pass for reading against the model's own, and when it stands back."""

import copy
from typing import Any

import numpy as np
import pytest
import torch

from ecomtutor.errors import EcomTutorError
from ecomtutor.finetuning import Classifier, load_classifier, with_lora
from ecomtutor.finetuning.model import EncoderWithHead
from ecomtutor.finetuning.packed import LONG, packed
from ecomtutor.metrics import with_temperature
from ecomtutor.question_answering.model import EncoderWithSpans
from ecomtutor.question_answering.reader import Reader, load_reader
from ecomtutor.question_answering.windows import Window
from ecomtutor.training import has_bf16

TEXTS = {
    "zh": "酒店的位置很好，离地铁站走路五分钟，房间也算干净。但是隔音太差，半夜还能听见隔壁说话！",
    "en": "I bought this player (the 30 GB one) for my wife, and she doesn't use it: no sync!",
}


@pytest.fixture(params=["zh", "en"], scope="module")
def shipped(request: pytest.FixtureRequest) -> Classifier:
    return load_classifier(request.param)


@pytest.fixture
def small() -> Classifier:
    """The same as `shipped`, two layers of it, and nobody else's."""
    classifier = copy.deepcopy(load_classifier("zh"))
    encoder: Any = classifier.model.encoder.encoder
    encoder.layer = encoder.layer[:2].eval()
    return classifier


def masked_rows(classifier: Classifier, count: int = 120) -> list[np.ndarray]:
    """A text under random masks, whole and cut, so that rows have several lengths."""
    tokenizer, dice = classifier.tokenizer, np.random.default_rng(0)
    text = TEXTS["zh" if classifier.base == "zh" else "en"]
    ids = np.array(tokenizer(text)["input_ids"])
    hidden = dice.random((count, len(ids))) < 0.5
    rows = np.where(hidden, tokenizer.mask_token_id, ids)
    lengths = dice.choice([1, 5, len(ids) - 1, len(ids)], size=count)
    return [row[:length] for row, length in zip(rows, lengths, strict=True)]


def plain(classifier: Classifier, rows: list[np.ndarray]) -> np.ndarray:
    return np.concatenate([classifier._plainly([row], False, head=True) for row in rows])


def test_in_32_bits_the_numbers_are_the_models(shipped: Classifier) -> None:
    rows = masked_rows(shipped)
    assert packed(shipped.model, EncoderWithHead, torch.float32) is not None
    expected = plain(shipped, rows)
    assert np.ptp(expected) > 0.5  # there is something to be equal to
    assert np.abs(shipped.token_logits(rows) - expected).max() < 1e-5
    features = shipped._of_rows(rows, bf16=False, head=False)
    theirs = np.concatenate([shipped._plainly([row], False, head=False) for row in rows])
    assert np.abs(features - theirs).max() < 1e-5


@pytest.mark.skipif(not has_bf16(), reason="this processor does not multiply bfloat16")
def test_in_bf16_probabilities_are_nearly_those(shipped: Classifier) -> None:
    """Autocast, in its place, is off by 1.2e-3 (zh) and 4e-4 (en): root mean square."""
    rows = masked_rows(shipped)
    exact, ours = (
        with_temperature(logits, 1.0)[:, 1]
        for logits in (plain(shipped, rows), shipped.token_logits(rows, bf16=True))
    )
    assert 0 < np.sqrt(((ours - exact) ** 2).mean()) < 2e-3
    assert np.abs(ours - exact).max() < 0.01


def test_weights_that_change_in_place_are_packed_anew(small: Classifier) -> None:
    rows = masked_rows(small, 8)
    before = small.token_logits(rows)
    with torch.no_grad():
        small.model.encoder.encoder.layer[1].output.dense.weight.mul_(1.5)
        small.model.classifier.bias.add_(1)
    after = small.token_logits(rows)
    assert np.abs(after - before).min() > 1e-2
    assert np.abs(after - plain(small, rows)).max() < 1e-5


def hooked(classifier: Classifier) -> None:
    layer: Any = classifier.model.encoder.encoder.layer[0]
    layer.output.dense.register_forward_hook(lambda _, __, out: 2 * out)


def adapted(classifier: Classifier) -> None:
    classifier.model = with_lora(classifier.model, rank=2).eval()


def with_attention_of_its_own(classifier: Classifier) -> None:
    classifier.model.encoder.config._attn_implementation = "flex_attention"


def with_another_activation(classifier: Classifier) -> None:
    for layer in classifier.model.encoder.encoder.layer:
        layer.intermediate.intermediate_act_fn = torch.nn.ReLU()


def in_training(classifier: Classifier) -> None:
    classifier.model.train()


@pytest.mark.parametrize(
    "change",
    [hooked, adapted, with_attention_of_its_own, with_another_activation, in_training],
)
def test_it_stands_back_from_what_it_does_not_know(small: Classifier, change: Any) -> None:
    assert packed(small.model, EncoderWithHead, torch.float32) is not None
    change(small)
    assert packed(small.model, EncoderWithHead, torch.float32) is None


def test_a_model_that_was_asked_for_attention_is_still_known(small: Classifier) -> None:
    """transformers leaves hooks in it for good; they record, and change nothing."""
    rows = masked_rows(small, 8)
    before = small.token_logits(rows)
    ids = torch.from_numpy(rows[0])[None]
    with torch.inference_mode():
        small.model(ids, output_attentions=True, output_hidden_states=True)
    assert any(module._forward_hooks for module in small.model.modules())
    assert packed(small.model, EncoderWithHead, torch.float32) is not None
    assert np.array_equal(small.token_logits(rows), before)
    assert np.abs(before - plain(small, rows)).max() < 1e-5


def test_a_hook_works_on_what_is_explained(small: Classifier) -> None:
    rows = masked_rows(small, 8)
    before = small.token_logits(rows)
    hooked(small)
    after = small.token_logits(rows)
    assert np.abs(after - before).max() > 1e-2
    assert np.abs(after - plain(small, rows)).max() < 1e-5


def test_a_row_longer_than_the_model_reads_is_refused(small: Classifier) -> None:
    assert packed(small.model, EncoderWithHead, torch.float32) is not None
    with pytest.raises(IndexError):
        small.token_logits([np.full(513, 100)])


QUESTIONS = {
    "zh": ("几天之内可以退货？", "退货须知"),
    "en": ("How many days do I have to send it back?", "Returning goods"),
}


@pytest.fixture(params=["zh", "en"], scope="module")
def reader(request: pytest.FixtureRequest) -> Reader:
    return load_reader(request.param)


def windows_of(reader: Reader) -> list[Window]:
    """One question and pages of several lengths, with a title and without."""
    question, title = QUESTIONS[reader.language]
    page = TEXTS[reader.language]
    pages = [[("", page)], [(title, page)], [(title, page * 3)], [(title, page * 30)]]
    some, _ = reader._windows([question] * len(pages), pages)
    return some


def test_the_reader_reads_as_its_network_does(reader: Reader) -> None:
    some = windows_of(reader)
    rows, segments = [window.ids for window in some], [window.segments for window in some]
    assert packed(reader.model, EncoderWithSpans, torch.float32) is not None
    assert min(map(len, rows)) < LONG < max(map(len, rows)) == reader.max_tokens
    expected = reader._plainly(rows, segments, half=False)
    ours = reader.read(rows, segments)
    for one, other, row in zip(ours, expected, rows, strict=True):
        assert one.shape == other.shape == (len(row), 2)
        assert np.ptp(other) > 1  # there is something to be equal to
        assert np.abs(one - other).max() < 1e-4
    unlike = reader.read(rows, [np.zeros_like(row) for row in rows])
    assert max(np.abs(a - b).max() for a, b in zip(unlike, ours, strict=True)) > 0.1


@pytest.mark.skipif(not has_bf16(), reason="this processor does not multiply bfloat16")
def test_the_readers_logits_in_bf16_are_about_as_far_off_as_autocasts(reader: Reader) -> None:
    some = windows_of(reader)
    rows, segments = [window.ids for window in some], [window.segments for window in some]
    exact = np.concatenate(reader._plainly(rows, segments, half=False))
    ours = np.concatenate(reader.read(rows, segments, bf16=True))
    theirs = np.concatenate(reader._plainly(rows, segments, half=True))
    off, their_off = (np.sqrt(((x - exact) ** 2).mean()) for x in (ours, theirs))
    assert 0 < off < 1.5 * their_off


def test_a_reader_with_a_hook_is_read_plainly(reader: Reader) -> None:
    own = copy.deepcopy(reader)
    some = windows_of(own)
    rows, segments = [window.ids for window in some], [window.segments for window in some]
    before = own.read(rows, segments)[0]
    layer: Any = own.model.encoder.encoder.layer[0]
    layer.output.dense.register_forward_hook(lambda _, __, out: 2 * out)
    assert packed(own.model, EncoderWithSpans, torch.float32) is None
    after = own.read(rows, segments)[0]
    assert np.abs(after - before).max() > 0.1
    assert np.abs(after - own._plainly(rows, segments, half=False)[0]).max() < 1e-4


def test_rows_without_their_segments_are_refused(reader: Reader) -> None:
    row = windows_of(reader)[0]
    assert reader.read([], []) == []
    for segments in ([], [row.segments[:-1]]):
        with pytest.raises(EcomTutorError, match="A segment for each token"):
            reader.read([row.ids], segments)
