"""Kinds of heads by hand on made-up heads, and pruning against weights set to zero."""

import copy
from typing import Any

import numpy as np
import pytest
import torch
from test_attention_methods import IDS, tiny_bert, tiny_llama

from ecomtutor.errors import EcomTutorError
from ecomtutor.interpretability.attention import attention_weights, projections
from ecomtutor.interpretability.heads import (
    chance,
    entropy,
    head_importance,
    head_shares,
    kinds,
    least_important_first,
    patterns,
    pruning_curve,
    share,
    share_by_layer,
    without_heads,
)

N = len(IDS)  # [2, 7, 8, 9, 7, 3]: [CLS], four words, the first and the last alike, [SEP]
TABLES = patterns(IDS, special=[0, 5], spans={"brand": [2, 3]})


def looking(at: dict[int, int]) -> np.ndarray:
    """A head whose row i looks at token at[i] alone."""
    rows = np.zeros((N, N))
    for i in range(N):
        rows[i, at.get(i, i)] = 1
    return rows


MADE = {
    "previous": looking({i: max(0, i - 1) for i in range(N)}),
    "next": looking({i: min(N - 1, i + 1) for i in range(N)}),
    "itself": np.eye(N),
    "first": looking(dict.fromkeys(range(N), 0)),
    "last": looking(dict.fromkeys(range(N), N - 1)),
    "same token": looking({1: 4, 4: 1, 2: 5, 3: 5}),
    "brand": looking({1: 2, 2: 0, 3: 0, 4: 3}),
}
ALIKE = np.full((N, N), 1 / N)


@pytest.mark.parametrize("kind", MADE)
def test_a_made_up_head_is_found(kind: str) -> None:
    weights = np.stack([MADE[kind], ALIKE])[None]
    shares, _ = head_shares([(weights, TABLES)])
    assert shares[kind][0, 0] == 1.0
    # A name is given to the head that has it, and to no head that looks everywhere alike.
    assert kinds(shares).tolist() == [[kind, "broad"]]


def test_special_rows_do_not_count() -> None:
    weights = MADE["previous"].copy()
    weights[[0, 5]] = ALIKE[[0, 5]]
    assert share(weights[None, None], TABLES["previous"])[0, 0] == 1.0


def test_shares_and_chance_by_hand() -> None:
    alike = ALIKE[None, None]
    assert share(alike, TABLES["brand"])[0, 0] == pytest.approx(2 / 6)
    assert share(alike, TABLES["same token"])[0, 0] == pytest.approx(1 / 6)
    for table in TABLES.values():
        assert chance(table) == pytest.approx(share(alike, table)[0, 0])
    # Rows 1 … 4 of a causal head see 2, 3, 4, 5 tokens.
    assert chance(TABLES["first"], causal=True) == pytest.approx(
        (1 / 2 + 1 / 3 + 1 / 4 + 1 / 5) / 4
    )


def test_texts_without_a_place_to_look_at_are_left_out() -> None:
    single = np.array([2, 7, 8, 9, 6, 3])
    none = patterns(single, special=[0, 5])
    assert np.isnan(share(ALIKE[None, None], none["same token"])).all()
    tables = patterns(IDS, special=[0, 5])
    twice, _ = head_shares([(MADE["same token"][None, None], tables), (ALIKE[None, None], none)])
    assert twice["same token"][0, 0] == 1.0
    nowhere, _ = head_shares([(ALIKE[None, None], none)])
    assert "same token" not in nowhere


def test_entropy_by_hand() -> None:
    weights = np.stack([np.eye(N), ALIKE])[None]
    assert np.allclose(entropy(weights), [[0, np.log(N)]])


def test_share_by_layer_by_hand() -> None:
    maps = np.stack([np.stack([MADE["first"], ALIKE]), np.stack([ALIKE, ALIKE])])
    assert np.allclose(share_by_layer(maps, [0]), [(1 + 1 / 6) / 2, 1 / 6])
    norms = np.ones((1, N, N))
    norms[..., 0] = 5
    assert np.allclose(share_by_layer(norms, [0, 5]), [6 / 10])


@pytest.mark.parametrize("made", [tiny_bert, tiny_llama])
def test_a_pruned_head_is_a_part_of_the_output_projection_set_to_zero(made: Any) -> None:
    model = made()
    heads = [(0, 1), (1, 0), (1, 2)]
    other = copy.deepcopy(model)
    for layer, head in heads:
        weight = projections(other)[layer][1].weight
        with torch.no_grad():
            width = weight.shape[1] // model.config.num_attention_heads
            weight[:, head * width : (head + 1) * width] = 0
    rows = torch.from_numpy(IDS)[None]
    with torch.no_grad():
        before, pruned, zeroed = (m(rows)[0] for m in (model, without_heads(model, heads), other))
        assert torch.allclose(pruned, zeroed, atol=1e-6)
        assert not torch.allclose(pruned, before, atol=1e-3)
        assert torch.allclose(model(rows)[0], before), "the model itself is left alone"
        assert torch.allclose(without_heads(model, [])(rows)[0], before, atol=1e-6)


def test_importance_is_a_finite_difference() -> None:
    model = tiny_bert().double()
    rows = torch.tensor([[2, 7, 8, 3], [2, 9, 3, 0]])
    mask = torch.tensor([[1, 1, 1, 1], [1, 1, 1, 0]])
    answers = torch.tensor([1, 0])
    importance = head_importance(model, rows, mask, answers)
    assert importance.shape == (2, 3)

    def losses(changed: Any) -> torch.Tensor:
        logits = changed(input_ids=rows, attention_mask=mask).logits
        return torch.nn.functional.cross_entropy(logits, answers, reduction="none")

    step = 1e-6
    other = copy.deepcopy(model)
    with torch.no_grad():
        projections(other)[1][1].weight[:, 4:8] *= 1 - step
        slope = (losses(model) - losses(other)) / step
    assert importance[1, 1] == pytest.approx(float(slope.abs().mean()), rel=1e-4)


def test_the_curve_takes_heads_away_in_order() -> None:
    model = tiny_bert()
    order = least_important_first(np.array([[3.0, 1.0, 2.0], [0.0, 9.0, 8.0]]))
    assert order == [(1, 0), (0, 1), (0, 2), (0, 0), (1, 2), (1, 1)]
    rows = torch.from_numpy(IDS)[None]

    def first_logit(m: Any) -> float:
        with torch.no_grad():
            return float(m(rows).logits[0, 0])

    curve = pruning_curve(model, order, first_logit, [0, 2, 6])
    assert curve[0] == pytest.approx(first_logit(model))
    assert curve[1] == pytest.approx(first_logit(without_heads(model, order[:2])))
    assert curve[2] == pytest.approx(first_logit(without_heads(model, order)))
    with pytest.raises(EcomTutorError, match="0 … 6 heads can go"):
        pruning_curve(model, order, first_logit, [7])


def test_real_weights_are_taken() -> None:
    weights = attention_weights(tiny_bert(), IDS)
    shares, by_chance = head_shares([(weights, TABLES)])
    assert all(of.shape == (2, 3) and (of >= 0).all() and (of <= 1).all() for of in shares.values())
    assert set(by_chance) == set(TABLES)
    assert (entropy(weights) <= np.log(N) + 1e-6).all()


def test_wrong_questions_are_told() -> None:
    with pytest.raises(EcomTutorError, match=r"layers 0 … 1 of heads 0 … 2; \(2, 0\)"):
        without_heads(tiny_bert(), [(2, 0)])
    with pytest.raises(EcomTutorError, match=r"shape \(6, 6\)"):
        entropy(ALIKE)
    with pytest.raises(EcomTutorError, match="sums to one"):
        share(2 * ALIKE[None, None], TABLES["next"])
    with pytest.raises(EcomTutorError, match="none came"):
        head_shares([])
