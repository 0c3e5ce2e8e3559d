"""Curves and agreements on games with known answers; randomisation and changed attention."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from ecomtutor.errors import EcomTutorError
from ecomtutor.interpretability import Game, Unit, Units
from ecomtutor.interpretability.counterfactual_attention import (
    attention_changed,
    chances_under,
    divergence,
    other_attention,
    shuffled,
    unchanged,
    uniform,
)
from ecomtutor.interpretability.faithfulness import (
    agreement_matrix,
    curves,
    faithfulness,
    falls,
    random_curves,
    random_faithfulness,
    random_falls,
    stability,
)
from ecomtutor.interpretability.randomisation import draw_anew, layer_randomisation, layers_of


def game_of_sums(worths: list[float]) -> Game:
    """The worth of a coalition is the sum of its members' worths."""
    n = len(worths)
    units = tuple(Unit(chr(97 + i), i, i + 1, (i + 1,)) for i in range(n))
    text = Units("x" * n, np.array([2, *range(10, 10 + n), 3]), units, 1, 0)

    def score(rows: list[np.ndarray]) -> np.ndarray:
        there = np.array([np.isin(np.arange(10, 10 + n), row) for row in rows])
        return (there @ np.array(worths))[:, None]

    return Game(text, score)


def test_curves_fall_and_rise_by_what_each_unit_is_worth() -> None:
    game = game_of_sums([1.0, 4.0, 2.0])
    drawn = curves(game, [1, 2, 0], 0)
    assert drawn.deletion.tolist() == [7, 3, 1, 0]
    assert drawn.insertion.tolist() == [0, 4, 6, 7]
    assert len(drawn) == 3


def test_falls_at_a_share_count_whole_units_and_at_least_one() -> None:
    drawn = curves(game_of_sums([4.0, 3.0, 2.0, 1.0]), [0, 1, 2, 3], 0)
    assert drawn.falls((0.01, 0.5, 1.0)).tolist() == [4, 7, 10]
    assert drawn.lacks((0.01, 0.5, 1.0)).tolist() == [6, 3, 0]
    # Half of four units are two, in whichever order they come.
    game = game_of_sums([4.0, 3.0, 2.0, 1.0])
    halves = [faithfulness(game, order, 0, (0.5,)) for order in ([0, 1, 2, 3], [1, 0, 2, 3])]
    assert halves[0].comprehensiveness == halves[1].comprehensiveness == 7


def test_falls_are_those_of_the_curve_for_fewer_rows() -> None:
    game, order = game_of_sums([1.0, 4.0, 2.0, 3.0, 9.0, 0.5, 2.5]), [4, 1, 3, 6, 2, 0, 5]
    assert np.allclose(falls(game, order, 0), curves(game, order, 0).falls())
    fresh = game_of_sums([1.0] * 7)
    falls(fresh, order, 0)
    assert fresh.count.made == 3  # all there, one hidden, half hidden: 0.5 · 7 rounds to 4
    assert random_falls(fresh, 0).tolist() == [1, 1, 1, 1, 4]


def test_shares_outside_of_zero_and_one_are_told() -> None:
    with pytest.raises(EcomTutorError, match="between 0 and 1"):
        curves(game_of_sums([1.0, 2.0]), [0, 1], 0).falls((10,))


def test_random_curves_tend_to_the_straight_line_of_a_sum() -> None:
    """In a sum each place of a random order takes the mean away: the line from full to empty."""
    game = game_of_sums([1.0, 4.0, 2.0, 9.0])
    mean = random_curves(game, 0, rankings=4000)
    assert np.allclose(mean.deletion, [16, 12, 8, 4, 0], atol=0.2)
    assert random_faithfulness(game, 0, rankings=5) == random_faithfulness(game, 0, rankings=5)


def test_agreement_is_symmetric_with_ones_and_signs() -> None:
    up = np.array([1.0, 2.0, 3.0, 4.0])
    matrix = agreement_matrix([up, up**3, -up, np.ones(4)])
    assert np.allclose(matrix, matrix.T) and np.allclose(np.diag(matrix), 1)
    assert np.allclose(matrix[0], [1, 1, -1, 0])


def test_stability_is_the_mean_over_pairs_and_needs_two() -> None:
    up = np.array([1.0, 2.0, 3.0])
    assert stability([up, up, -up]) == pytest.approx((1 - 1 - 1) / 3)
    with pytest.raises(EcomTutorError, match="two runs"):
        stability([up])


def small_classifier(classes: int = 2) -> Any:
    """A BERT of two layers and a head, drawn at random: `.encoder`, `.classifier`, `.logits`."""
    from transformers import BertConfig, BertForSequenceClassification

    torch.manual_seed(3)
    config = BertConfig(
        vocab_size=60,
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=48,
        max_position_embeddings=32,
        num_labels=classes,
        initializer_range=0.4,
    )
    return BertForSequenceClassification(config).eval()


IDS = np.array([2, 17, 33, 8, 41, 25, 3])


def test_randomisation_goes_from_the_top_down_and_leaves_the_model_alone() -> None:
    model = small_classifier()
    before = {name: p.clone() for name, p in model.named_parameters()}
    assert layers_of(model) == [
        "classifier",
        "bert.encoder.layer.1",
        "bert.encoder.layer.0",
        "bert.embeddings",
    ]
    seen: list[bool] = []

    def explain(given: Any) -> np.ndarray:
        same = torch.equal(given.bert.encoder.layer[0].output.dense.weight, before_of_layer)
        seen.append(same)
        return given.classifier.weight.detach().double().numpy()[0]

    before_of_layer = before["bert.encoder.layer.0.output.dense.weight"]
    found = layer_randomisation(explain, model)
    # Trained, classifier, layer 1: layer 0 is still itself. From layer 0 on it is not.
    assert seen == [True, True, True, False, False]
    assert [row.layer for row in found] == layers_of(model)
    assert all(torch.equal(p, before[name]) for name, p in model.named_parameters())
    assert all(abs(row.agreement) < 0.9 for row in found)


def test_an_explanation_of_the_text_alone_does_not_notice_the_randomisation() -> None:
    rows = layer_randomisation(lambda model: np.arange(5.0), small_classifier())
    assert [row.agreement for row in rows] == pytest.approx([1, 1, 1, 1])


def test_unknown_layers_and_models_without_blocks_are_told() -> None:
    with pytest.raises(EcomTutorError, match="no module 'head'"):
        layer_randomisation(lambda model: np.arange(3.0), small_classifier(), ["head"])
    with pytest.raises(EcomTutorError, match="give `layers`"):
        layers_of(torch.nn.Linear(2, 2))


def test_drawn_anew_gains_are_one_and_biases_zero() -> None:
    norm, matrix = torch.nn.LayerNorm(4), torch.nn.Linear(50, 50)
    torch.nn.init.constant_(norm.weight, 7.0)
    draw_anew(torch.nn.ModuleList([norm, matrix]), torch.Generator().manual_seed(0))
    assert torch.equal(norm.weight, torch.ones(4)) and not matrix.bias.any()
    assert matrix.weight.std().item() == pytest.approx(0.02, rel=0.1)


def test_unchanged_attention_gives_the_models_own_answer() -> None:
    model = small_classifier()
    with torch.no_grad():
        own = model(torch.from_numpy(IDS)[None]).logits.softmax(-1)[0].double().numpy()
    assert np.allclose(chances_under(model, IDS), own, atol=1e-6)
    assert not np.allclose(chances_under(model, IDS, uniform), own, atol=1e-4)
    with torch.no_grad():  # and afterwards all is as before
        after = model(torch.from_numpy(IDS)[None]).logits.softmax(-1)[0].double().numpy()
    assert np.array_equal(own, after)


@pytest.mark.parametrize("change", [unchanged, uniform, shuffled(4)])
def test_changed_weights_are_still_weights(change: Callable[..., Any]) -> None:
    model = small_classifier()
    with attention_changed(model, change) as used, torch.no_grad():
        model(torch.from_numpy(IDS)[None])
    assert [tuple(weights.shape) for weights in used] == [(1, 4, 7, 7)] * 2
    assert all(torch.allclose(weights.sum(-1), torch.ones(1, 4, 7)) for weights in used)


def test_uniform_leaves_padding_out() -> None:
    weights = torch.tensor([[0.7, 0.3, 0.0]])
    assert torch.allclose(uniform(weights, 0), torch.tensor([[0.5, 0.5, 0.0]]))
    model = small_classifier()
    ids = torch.from_numpy(np.stack([IDS, [*IDS[:-2], 0, 0]]))
    there = torch.ones_like(ids)
    there[1, -2:] = 0
    with attention_changed(model, uniform), torch.no_grad():
        padded = model(ids, attention_mask=there).logits[1].softmax(-1).double().numpy()
    assert np.allclose(padded, chances_under(model, IDS[:-2], uniform), atol=1e-5)


def test_shuffling_keeps_the_weights_and_moves_them() -> None:
    weights = torch.rand(1, 2, 5, 5, generator=torch.Generator().manual_seed(0))
    moved = shuffled(1)(weights, 0)
    assert torch.equal(moved.sort(-1).values, weights.sort(-1).values)
    assert not torch.equal(moved, weights)
    assert torch.equal(shuffled(1)(weights, 0), moved)


def test_the_search_finds_other_attention_under_which_the_answer_stays() -> None:
    model = small_classifier()
    found = other_attention(model, IDS, steps=60, tolerance=0.02)
    assert found.moved < 0.05 and found.distance > 0.2
    assert found.own.shape == found.other.shape == (2, 4, 7, 7)
    assert all(p.requires_grad for p in model.parameters())
    assert np.allclose(found.before, chances_under(model, IDS), atol=1e-6)


def test_divergence_is_zero_for_the_same_and_ln_2_for_nothing_in_common() -> None:
    one, other = torch.tensor([1.0, 0.0]), torch.tensor([0.0, 1.0])
    assert divergence(one, one).item() == pytest.approx(0, abs=1e-6)
    assert divergence(one, other).item() == pytest.approx(np.log(2), abs=1e-5)


def test_a_model_without_attention_is_told() -> None:
    with (
        pytest.raises(EcomTutorError, match="No self-attention"),
        attention_changed(torch.nn.Linear(2, 2), uniform),
    ):
        pass
