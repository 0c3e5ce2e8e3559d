"""Attention maps and what is made of them: by hand, and against what the layers really put out."""

from typing import Any

import numpy as np
import pytest
import torch

from ecomtutor.errors import EcomTutorError
from ecomtutor.finetuning import load_classifier
from ecomtutor.finetuning.model import EncoderWithHead
from ecomtutor.interpretability import Units, units_of
from ecomtutor.interpretability.attention import (
    AttentionParts,
    attention_parts,
    attention_received,
    attention_rollout,
    attention_times_gradient,
    attention_weights,
    attention_x_gradient,
    eager,
    projections,
    rollout,
)

IDS = np.array([2, 7, 8, 9, 7, 3])
TEXT = "屏幕很清楚，但iPhone15的电池不耐用！"


def tiny_bert() -> Any:
    from transformers import BertConfig, BertModel

    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=12,
        hidden_size=12,
        num_hidden_layers=2,
        num_attention_heads=3,
        intermediate_size=8,
        max_position_embeddings=16,
        initializer_range=0.5,
        attn_implementation="sdpa",
    )
    return EncoderWithHead(BertModel(config, add_pooling_layer=False), 2).eval()


def tiny_llama() -> Any:
    from transformers import LlamaConfig, LlamaModel

    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=12,
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        intermediate_size=8,
        initializer_range=0.5,
        attn_implementation="sdpa",
    )
    return LlamaModel(config).eval()


@pytest.fixture(params=[tiny_bert, tiny_llama])
def model(request: Any) -> Any:
    return request.param()


@pytest.fixture(scope="module")
def shop() -> tuple[Units, Any]:
    classifier = load_classifier("zh")
    return units_of(TEXT, classifier.tokenizer), classifier.model


def test_rows_sum_to_one_and_a_generator_does_not_look_ahead() -> None:
    for made in (tiny_bert(), tiny_llama()):
        weights = attention_weights(made, IDS)
        assert weights.shape == (2, len(weights[0]), 6, 6)
        assert np.allclose(weights.sum(axis=-1), 1, atol=1e-6)
    assert np.allclose(np.triu(weights, 1), 0) and weights[0, 0, 5, 0] > 0


def test_weights_are_softmax_of_scaled_scores_by_hand() -> None:
    bert = tiny_bert()
    layer = bert.encoder.encoder.layer[0].attention.self
    with torch.no_grad():
        x = bert.encoder.embeddings(input_ids=torch.from_numpy(IDS)[None])[0]  # (6, 12)
        q, k = (each(x).reshape(6, 3, 4).transpose(0, 1) for each in (layer.query, layer.key))
        by_hand = torch.softmax(q @ k.transpose(1, 2) / 4**0.5, dim=-1)
    assert np.allclose(attention_weights(bert, IDS)[0], by_hand, atol=1e-6)


def test_the_eager_copy_shares_parameters_and_leaves_the_model_alone() -> None:
    bert = tiny_bert()
    other = eager(bert)
    assert other is not bert and bert.encoder.config._attn_implementation == "sdpa"
    assert all(a is b for a, b in zip(bert.parameters(), other.parameters(), strict=True))
    rows = torch.from_numpy(IDS)[None]
    with torch.no_grad():
        assert torch.allclose(bert(rows).logits, other(rows).logits, atol=1e-6)
        bert.classifier.weight += 1
        assert torch.allclose(bert(rows).logits, other(rows).logits, atol=1e-6)
    assert eager(other) is other


def test_what_the_weights_multiply_makes_the_layers_output(model: Any) -> None:
    """Σ over heads and tokens of a · f(x), plus the bias: what the output projection puts out."""
    seen: list[torch.Tensor] = []
    for _, output in projections(model):
        output.register_forward_hook(lambda _, __, out: seen.append(out.detach()[0]))
    with torch.no_grad():
        model(torch.from_numpy(IDS)[None])
    parts = attention_parts(model, IDS)
    made = np.einsum("lhij,lhjw->liw", parts.weights, parts.vectors)
    for of_layer, (_, output), out in zip(made, projections(model), seen, strict=False):
        bias = 0 if output.bias is None else output.bias.detach().numpy()
        assert np.allclose(of_layer + bias, out.numpy(), atol=1e-5)


def test_norms_by_loop(model: Any) -> None:
    parts = attention_parts(model, IDS)
    layers, heads, tokens, _ = parts.weights.shape
    assert tokens == 6
    for at in np.ndindex(layers, tokens, tokens):
        layer, i, j = at
        moved = [parts.weights[layer, h, i, j] * parts.vectors[layer, h, j] for h in range(heads)]
        assert np.allclose(parts.norms[layer, :, i, j], np.linalg.norm(moved, axis=-1))
        assert np.allclose(parts.layer_norms[layer, i, j], np.linalg.norm(sum(moved)), atol=1e-7)


def test_a_weight_on_a_short_vector_carries_little() -> None:
    """By hand: 0.9 on a vector of length 0.1 carries 0.09; 0.1 on one of length 5 carries 0.5."""
    weights = np.array([[[[0.9, 0.1], [0.9, 0.1]]]])
    vectors = np.array([[[[0.1, 0.0], [3.0, 4.0]]]])
    parts = AttentionParts(weights, vectors)
    assert np.allclose(parts.norms[0, 0], [[0.09, 0.5], [0.09, 0.5]])
    assert np.allclose(parts.layer_norms[0], parts.norms[0, 0])


def test_heads_can_cancel_each_other() -> None:
    weights = np.full((1, 2, 2, 2), 0.5)
    vectors = np.array([[[[1.0, 2.0], [1.0, 0.0]], [[-1.0, -2.0], [1.0, 0.0]]]])
    parts = AttentionParts(weights, vectors)
    assert np.allclose(parts.layer_norms[0], [[0, 1], [0, 1]])


def test_rollout_by_hand() -> None:
    """Two layers that look at the first token: 0.5, then 0.25 stays and 0.75 has arrived."""
    look = np.array([[1.0, 0.0], [1.0, 0.0]])
    steps = rollout(np.stack([look, look])[:, None])
    assert np.allclose(steps[0], [[1, 0], [0.5, 0.5]])
    assert np.allclose(steps[1], [[1, 0], [0.75, 0.25]])
    identity = np.broadcast_to(np.eye(3), (4, 2, 3, 3))
    assert np.allclose(rollout(identity), np.eye(3))
    assert np.allclose(rollout(np.stack([look, look])[:, None], residual=1.0), np.eye(2))
    plain = np.random.default_rng(0).dirichlet(np.ones(3), size=(2, 2, 3))
    assert np.allclose(rollout(plain, 0.0)[1], plain[1].mean(0) @ plain[0].mean(0))
    assert np.allclose(rollout(plain).sum(axis=-1), 1)


def test_attention_gradient_is_a_finite_difference() -> None:
    """Move one weight of one head a little: the logit moves by its gradient."""
    bert = eager(tiny_bert().double())
    products, weights = attention_times_gradient(bert, IDS)
    assert products.shape == (2, 2, 3, 6, 6)
    value, output = projections(bert)[1]
    caught: list[torch.Tensor] = []
    value.register_forward_hook(lambda _, __, out: caught.append(out.detach()))
    rows = torch.from_numpy(IDS)[None]
    with torch.no_grad():
        before = bert(rows).logits
        h, i, j, step = 1, 2, 4, 1e-6
        moved = step * caught[0][0, j].reshape(3, 4)[h]  # what the weight multiplies

        def more(_: Any, args: Any) -> Any:
            args[0][0, i].reshape(3, 4)[h] += moved
            return args

        output.register_forward_pre_hook(more)
        slope = (bert(rows).logits - before)[0] / step
    assert np.allclose(products[:, 1, h, i, j], slope.numpy() * weights[1, h, i, j], atol=1e-6)


def test_received_attention_is_the_mean_over_rows_and_heads(shop: tuple[Units, Any]) -> None:
    units, model = shop
    explanation = attention_received(units, model, outputs=("negative", "positive"))
    column = attention_weights(model, units.ids)[-1].mean(axis=(0, 1))  # (tokens,)
    for unit, value in zip(units.units, explanation.values, strict=True):
        assert np.allclose(value, column[list(unit.tokens)].sum())
    special = explanation.settings["special"]
    assert np.allclose(explanation.values.sum(axis=0) + special, 1)
    assert np.allclose(special, column[[0, -1]].sum()) and explanation.settings["layer"] == 3
    first = attention_received(units, model, rows="first", layer=0)
    assert np.allclose(
        first.values[0, 0],
        attention_weights(model, units.ids)[0, :, 0, list(units.units[0].tokens)].mean(-1).sum(),
    )


def test_norm_weighted_received_attention(shop: tuple[Units, Any]) -> None:
    units, model = shop
    explanation = attention_received(units, model, "norm", layer=1)
    column = attention_parts(model, units.ids).layer_norms[1].mean(axis=0)
    assert np.allclose(
        explanation.values[:, 0].sum() + explanation.settings["special"], column.sum()
    )
    assert "norm" in explanation.method


def test_rollout_as_an_explanation(shop: tuple[Units, Any]) -> None:
    units, model = shop
    explanation = attention_rollout(units, model)
    assert np.allclose(explanation.values.sum(axis=0) + explanation.settings["special"], 1)
    assert np.allclose(explanation.values[:, 0], explanation.values[:, 1])


def test_attention_x_gradient_knows_labels_and_signs(shop: tuple[Units, Any]) -> None:
    units, model = shop
    positive, signed = (attention_x_gradient(units, model, positive=p) for p in (True, False))
    assert (positive.values >= 0).all() and (signed.values < 0).any()
    assert not np.allclose(positive.values[:, 0], positive.values[:, 1], rtol=0.1)
    products, _ = attention_times_gradient(model, units.ids)
    one = np.maximum(products[1], 0).mean(axis=1)  # (layers, tokens, tokens)
    eye = np.eye(one.shape[-1])
    all_layers = (eye + one[3]) @ (eye + one[2]) @ (eye + one[1]) @ (eye + one[0]) - eye
    first = all_layers.mean(axis=0)[list(units.units[0].tokens)].sum()
    assert np.allclose(positive.values[0, 1], first)


def test_every_explanation_stands_on_the_same_answers(shop: tuple[Units, Any]) -> None:
    units, model = shop
    hidden = units.ids.copy()
    hidden[[t for unit in units.units for t in unit.tokens]] = units.mask_id
    with torch.no_grad():
        base, full = (
            model(torch.from_numpy(r)[None]).logits[0].numpy() for r in (hidden, units.ids)
        )
    for method in (attention_received, attention_rollout, attention_x_gradient):
        explanation = method(units, model)
        assert np.allclose(explanation.base, base, atol=1e-5)
        assert np.allclose(explanation.full, full, atol=1e-5) and not explanation.adds_up
        assert explanation.signed == (method is attention_x_gradient)  # that one knows labels


@pytest.mark.parametrize("text", ["😀😀 👍🏽!!!", "？！。", "好" * 600])
def test_odd_texts_behave(text: str, shop: tuple[Units, Any]) -> None:
    classifier = load_classifier("zh")
    units = units_of(text, classifier.tokenizer, max_tokens=classifier.max_tokens)
    explanation = attention_received(units, classifier.model, "norm")
    assert np.isfinite(explanation.values).all() and explanation.values.min() > 0


def test_wrong_questions_are_told(shop: tuple[Units, Any]) -> None:
    units, model = shop
    with pytest.raises(EcomTutorError, match="one text"):
        attention_weights(model, np.stack([IDS, IDS]))
    with pytest.raises(EcomTutorError, match=r"layers 0 … 3; layer 4"):
        attention_received(units, model, layer=4)
    with pytest.raises(EcomTutorError, match="'raw' or 'norm'"):
        attention_received(units, model, "max")  # type: ignore[arg-type]
    with pytest.raises(EcomTutorError, match="'mean' or 'first'"):
        attention_rollout(units, model, rows="last")  # type: ignore[arg-type]
    with pytest.raises(EcomTutorError, match=r"model\.eval"):
        attention_weights(tiny_bert().train(), IDS)
    with pytest.raises(EcomTutorError, match="no transformers model"):
        attention_weights(lambda rows: rows, IDS)
    with pytest.raises(EcomTutorError, match="needs a classifier"):
        attention_received(units, model.encoder)
    with pytest.raises(EcomTutorError, match="residual share"):
        rollout(np.ones((2, 2, 2)))
