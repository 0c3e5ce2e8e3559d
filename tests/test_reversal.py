"""The reversal task of lesson 02: alphabet, loss, training, exact match."""

import math

import pytest
import torch

from ecomtutor.errors import EcomTutorError
from ecomtutor.transformer import EncoderDecoder, EncoderDecoderConfig
from ecomtutor.transformer.reversal import (
    START,
    Characters,
    exact_match,
    reversal_loss,
    title_endings,
    train_reversal,
)


def small(vocabulary=9):
    sizes = {"width": 32, "layers": 1, "heads": 2, "inner": 64, "positions": 8}
    return EncoderDecoder(EncoderDecoderConfig(vocabulary=vocabulary, **sizes))


def test_characters_go_there_and_back_in_both_scripts():
    words = ["耳机IPX", "防水 75"]
    characters = Characters.of(words)
    ids = characters.encode(words)
    assert ids.shape == (2, 5)
    assert ids.min() > START
    assert characters.vocabulary == len(set("".join(words))) + 1
    assert characters.decode(ids) == words
    assert characters.decode(torch.tensor([[START, 1]]))[0].startswith("_")


def test_unequal_words_and_unknown_characters_are_refused():
    characters = Characters.of(["abc"])
    with pytest.raises(EcomTutorError, match="one length"):
        characters.encode(["ab", "c"])
    with pytest.raises(EcomTutorError, match="not known: 电"):
        characters.encode(["a电"])


def test_loss_is_the_mean_over_the_reversed_characters():
    model, source = small(), torch.tensor([[1, 2, 3], [4, 5, 6]])
    written = torch.tensor([[START, 3, 2], [START, 6, 5]])
    odds = model(source, written).logits.log_softmax(dim=-1)
    expected = -torch.stack(
        [odds[row, step, 3 - step + 3 * row] for row in (0, 1) for step in range(3)]
    ).mean()
    assert reversal_loss(model, source).item() == pytest.approx(expected.item(), rel=1e-5)


def test_training_learns():
    model = small()
    losses = train_reversal(model, steps=200, batch=64, length=3)
    assert losses[0] > math.log(9) - 0.5
    assert losses[-1] < 0.3
    every = torch.cartesian_prod(*[torch.arange(1, 9)] * 3)
    assert exact_match(model, every) > 0.8
    assert exact_match(small(), every) < 0.1


def test_training_repeats():
    losses = [train_reversal(small(), steps=5, batch=8, length=3, seed=1) for _ in range(2)]
    assert losses[0] == losses[1]
    assert losses[0] != train_reversal(small(), steps=5, batch=8, length=3, seed=2)


def test_title_endings_drop_spaces_and_repetitions():
    assert title_endings(["a big red kettle", "a kettle", "蓝牙耳机 降噪版"]) == sorted(
        {"kettle", "牙耳机降噪版"}
    )
    with pytest.raises(EcomTutorError, match="Shorter than 6"):
        title_endings(["cup"])
