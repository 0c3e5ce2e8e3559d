"""Linear probes: the states are the model's own, and a probe finds what was put there."""

import numpy as np
import pytest
import torch

from ecomtutor import models, probing
from ecomtutor.errors import EcomTutorError

TEXTS = ["服务很好", "酒店位置不错,不过靠近马路有点吵闹", "书很差", "早餐就差远啦！"]


@pytest.fixture(scope="module")
def encoder():
    return models.load_encoder("zh")


def test_states_are_those_of_each_text_alone(encoder):
    states = probing.states_by_layer(encoder, TEXTS, batch=3)
    assert states.cls.shape == states.mean.shape == (encoder.layers + 1, 4, encoder.width)
    for row, text in enumerate(TEXTS):
        with torch.no_grad():
            alone = encoder.model(
                **encoder.tokenizer(text, return_tensors="pt"), output_hidden_states=True
            )
        for layer, hidden in enumerate(alone.hidden_states):
            np.testing.assert_allclose(states.cls[layer, row], hidden[0, 0], atol=2e-5)
            np.testing.assert_allclose(states.mean[layer, row], hidden[0].mean(0), atol=2e-5)


def test_before_the_first_layer_cls_is_the_same_for_every_text(encoder):
    first = probing.states_by_layer(encoder, TEXTS).cls[0]
    assert np.ptp(first, axis=0).max() < 1e-6


def test_long_texts_are_cut(encoder):
    long = probing.states_by_layer(encoder, ["好" * 50], longest=10)
    short = probing.states_by_layer(encoder, ["好" * 8])
    np.testing.assert_allclose(long.mean, short.mean, atol=2e-5)


def test_a_probe_finds_what_is_there_and_nothing_else():
    rng = np.random.default_rng(0)
    states = rng.normal(size=(600, 20))
    labels = np.where(states[:, 3] > 0, "positive", "negative")
    noise = rng.permutation(labels)
    assert probing.probe(states[:400], labels[:400], states[400:], labels[400:]) > 0.9
    assert probing.probe(states[:400], noise[:400], states[400:], noise[400:]) < 0.62


def test_wrong_input_is_told(encoder):
    with pytest.raises(EcomTutorError, match="list of one text or more"):
        probing.states_by_layer(encoder, "服务很好")
    with pytest.raises(EcomTutorError, match="list of one text or more"):
        probing.states_by_layer(encoder, [])
    with pytest.raises(EcomTutorError, match="3 rows and 2 labels"):
        probing.probe(np.zeros((3, 2)), ["a", "b"], np.zeros((1, 2)), ["a"])
