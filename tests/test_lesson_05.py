"""What the figures of lesson 05 compute, against numbers that can be worked out on paper."""

import pytest

from ecomtutor.figures import lesson_05
from ecomtutor.transformer import Gpt, GptConfig

SIZES = GptConfig(vocabulary=50, width=16, layers=3, heads=2, positions=64)


def one_token(seen: int) -> int:
    """Operations of one token that looks at `seen` keys, itself among them; two for each pair."""
    c = SIZES
    block = 4 * c.width * c.width + 2 * c.width * c.inner + 2 * seen * c.width
    return 2 * (c.layers * block + c.width * c.vocabulary)


@pytest.mark.parametrize("tokens", [1, 2, 40])
def test_with_a_cache_one_token_goes_through(tokens):
    assert lesson_05.step_operations(Gpt(SIZES).eval(), tokens, cached=True) == one_token(tokens)


@pytest.mark.parametrize("tokens", [1, 2, 40])
def test_without_a_cache_all_go_through_again(tokens):
    others = (tokens - 1) * (one_token(tokens) - 2 * SIZES.width * SIZES.vocabulary)
    counted = lesson_05.step_operations(Gpt(SIZES).eval(), tokens, cached=False)
    assert counted == one_token(tokens) + others


def test_in_the_tree_greedy_misses_the_most_probable_pair():
    for _, children in lesson_05.TREE.values():
        assert sum(children.values()) == pytest.approx(1)
    assert sum(share for share, _ in lesson_05.TREE.values()) == pytest.approx(1)
    figure = lesson_05.beam_tree()
    assert "Greedy takes very clean, probability 0.20" in figure.alt
    assert "clean and, 0.36" in figure.alt
