"""What kind of head is that? Measured: where its attention goes, how widely, what it is worth.

A pattern is a table (tokens, tokens) of true and false: row i says at which tokens a head of that
kind looks from token i. The share of a head's attention that goes there is its score, beside what
the same table would get if the head looked everywhere alike.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ecomtutor.errors import EcomTutorError
from ecomtutor.interpretability.attention import projections, with_own_modules

if TYPE_CHECKING:
    import torch

Head = tuple[int, int]


def patterns(
    ids: np.ndarray,
    special: Sequence[int] = (),
    spans: "Mapping[str, Sequence[int]] | None" = None,
) -> dict[str, np.ndarray]:
    """Where heads of known kinds look: each a table (tokens, tokens) of true and false.

    previous, next, itself, first, last; "same token": elsewhere, where the same token stands again;
    and a pattern for each span, such as a brand, looked at from outside it. Rows of special tokens
    are empty: kinds are about words that look. In BERT "first" is [CLS] and "last" is [SEP].

    Args:
        ids: token ids (tokens,).
        special: places of [CLS], [SEP] and their like.
        spans: places of the tokens of each named span.

    Source:
        Clark, Khandelwal, Levy and Manning (2019), What Does BERT Look At?
    """
    n = len(ids)
    places = np.arange(n)
    step = places[None, :] - places[:, None]  # how far to the right a token stands
    same = ids[None, :] == ids[:, None]
    found = {
        "previous": step == -1,
        "next": step == 1,
        "itself": step == 0,
        "first": np.broadcast_to(places == 0, (n, n)),
        "last": np.broadcast_to(places == n - 1, (n, n)),
        "same token": same & (step != 0),
    }
    for name, span in (spans or {}).items():
        inside = np.isin(places, np.asarray(span, dtype=int))
        found[name] = inside[None, :] & ~inside[:, None]
    looks = ~np.isin(places, np.asarray(special, dtype=int))
    return {name: table & looks[:, None] for name, table in found.items()}


def share(weights: np.ndarray, pattern: np.ndarray) -> np.ndarray:
    """The share of attention that goes where the pattern says, (layers, heads).

    The mean over rows that have a place to look at; NaN where no row has one, since a text without
    a repeated word says nothing about heads that look for repeated words.

    Args:
        weights: (layers, heads, tokens, tokens), rows sum to one.
        pattern: (tokens, tokens) of true and false.
    """
    _require_maps(weights)
    rows = pattern.any(axis=1)
    if not rows.any():
        return np.full(weights.shape[:2], np.nan)
    found: np.ndarray = (weights * pattern).sum(axis=-1)[..., rows].mean(axis=-1)
    return found


def chance(pattern: np.ndarray, causal: bool = False) -> float:
    """The share that a head gets which looks at all tokens alike; causal: at those so far."""
    n = len(pattern)
    seen = np.tril(np.ones((n, n))) if causal else np.ones((n, n))
    alike = seen / seen.sum(axis=1, keepdims=True)
    return float(share(alike[None, None], pattern)[0, 0])


def head_shares(
    texts: Sequence[tuple[np.ndarray, Mapping[str, np.ndarray]]], causal: bool = False
) -> tuple[dict[str, np.ndarray], dict[str, float]]:
    """Each pattern's share (layers, heads) over several texts, and its share by chance.

    Args:
        texts: for each its weights (layers, heads, tokens, tokens) and its `patterns`.
        causal: whether tokens look only at those before them and at themselves.

    Returns:
        Means over the texts in which a pattern has a place to look at; patterns that have none in
        any text are left out.
    """
    if not texts:
        raise EcomTutorError("Heads are measured on one text or more; none came.")
    shares: dict[str, np.ndarray] = {}
    by_chance: dict[str, float] = {}
    for name in texts[0][1]:
        here = [(weights, tables[name]) for weights, tables in texts if tables[name].any()]
        if here:
            shares[name] = np.mean([share(weights, table) for weights, table in here], axis=0)
            by_chance[name] = float(np.mean([chance(table, causal) for _, table in here]))
    return shares, by_chance


def kinds(shares: Mapping[str, np.ndarray], at_least: float = 0.5) -> np.ndarray:
    """Each head's kind (layers, heads): the pattern with the largest share, "broad" where that is
    less than `at_least`."""
    names = np.array(list(shares))
    table = np.stack([shares[name] for name in shares])  # (patterns, layers, heads)
    found: np.ndarray = np.where(
        table.max(axis=0) >= at_least, names[table.argmax(axis=0)], "broad"
    )
    return found


def entropy(weights: np.ndarray) -> np.ndarray:
    """How widely each head looks: mean entropy of its rows in nats, (layers, heads).

    0 is one token, ln(tokens) all alike; exp(entropy) is like a number of tokens.
    """
    _require_maps(weights)
    logs = np.log(np.where(weights > 0, weights, 1.0))
    found: np.ndarray = -(weights * logs).sum(axis=-1).mean(axis=-1)
    return found


def share_by_layer(maps: np.ndarray, places: Sequence[int]) -> np.ndarray:
    """The share of a layer's attention that some tokens get, (layers,).

    Args:
        maps: weights or norms, (layers, heads, tokens, tokens), or (layers, tokens, tokens) as
            `AttentionParts.layer_norms`; rows are brought to a sum of one first.
        places: the tokens, for example those of [CLS] and [SEP].
    """
    rows = maps / maps.sum(axis=-1, keepdims=True)
    axes = tuple(range(1, rows.ndim - 1))
    found: np.ndarray = rows[..., list(places)].sum(axis=-1).mean(axis=axes)
    return found


def without_heads(model: Any, heads: Sequence[Head]) -> Any:
    """A copy of the model in which these heads write nothing; the parameters are shared.

    Args:
        model: BERT- or Llama-like, bare or under a head of ours.
        heads: (layer, head), both from 0; what they bring to the output projection is set to zero.

    Raises:
        EcomTutorError: no such layer or head.
    """
    import torch

    gates = torch.ones(_layers_and_heads(model))
    for layer, head in heads:
        if not (0 <= layer < len(gates) and 0 <= head < gates.shape[1]):
            layers, many = gates.shape
            raise EcomTutorError(
                f"The model has layers 0 … {layers - 1} of heads 0 … {many - 1}; ({layer}, {head}) "
                "was asked for."
            )
        gates[layer, head] = 0
    return _gated(model, gates.expand(1, *gates.shape))


def head_importance(
    model: Any, input_ids: "torch.Tensor", attention_mask: "torch.Tensor", answers: "torch.Tensor"
) -> np.ndarray:
    """How much the loss would move if a head were turned down a little, (layers, heads).

    Each head's contribution is multiplied by a gate of 1; the score is the mean over texts of
    |∂ loss / ∂ gate|: one forward and one backward pass for all heads together.

    Args:
        model: a classifier that answers with `.logits` (texts, outputs), in evaluation mode.
        input_ids, attention_mask: (texts, tokens).
        answers: the number of each text's right output, (texts,).

    Source:
        Michel, Levy and Neubig (2019), Are Sixteen Heads Really Better than One?
    """
    import torch

    gates = torch.ones(len(input_ids), *_layers_and_heads(model), requires_grad=True)
    with torch.enable_grad():
        logits = _gated(model, gates)(input_ids=input_ids, attention_mask=attention_mask).logits
        loss = torch.nn.functional.cross_entropy(logits, answers, reduction="sum")
        (slope,) = torch.autograd.grad(loss, gates)  # (texts, layers, heads)
    return slope.abs().mean(dim=0).double().numpy()


def pruning_curve(
    model: Any, order: Sequence[Head], measure: Callable[[Any], float], counts: Sequence[int]
) -> list[float]:
    """What `measure` says of the model without the first so many heads of an order.

    Args:
        model: as for `without_heads`.
        order: heads, the first to go first.
        measure: from a model to a number, such as its accuracy.
        counts: how many heads are taken away, for each point of the curve.
    """
    if max(counts) > len(order) or min(counts) < 0:
        raise EcomTutorError(f"0 … {len(order)} heads can go; counts {list(counts)} came.")
    return [measure(without_heads(model, order[:count])) for count in counts]


def least_important_first(importance: np.ndarray) -> list[Head]:
    """Heads (layer, head) in the order of a table (layers, heads), the smallest first."""
    flat = np.argsort(importance, axis=None, kind="stable")
    return [(int(i) // importance.shape[1], int(i) % importance.shape[1]) for i in flat]


def _layers_and_heads(model: Any) -> tuple[int, int]:
    config = getattr(getattr(model, "encoder", model), "config", None) or model.config
    return len(projections(model)), int(config.num_attention_heads)


def _gated(model: Any, gates: "torch.Tensor") -> Any:
    """A copy whose heads are multiplied by gates (texts or 1, layers, heads)."""
    copied = with_own_modules(model)
    for layer, (_, output) in enumerate(projections(copied)):
        output.register_forward_pre_hook(_gate(gates[:, layer]))
    return copied


def _gate(gates: "torch.Tensor") -> Callable[[Any, Any], Any]:
    def multiply(module: Any, args: Any) -> Any:
        # What enters the output projection is the heads' results, one beside the other.
        wide = gates.repeat_interleave(module.in_features // gates.shape[1], dim=1)
        return (args[0] * wide[:, None, :], *args[1:])

    return multiply


def _require_maps(weights: np.ndarray) -> None:
    if weights.ndim != 4 or weights.shape[-1] != weights.shape[-2]:
        raise EcomTutorError(
            "Heads are measured on weights (layers, heads, tokens, tokens); shape "
            f"{weights.shape} came."
        )
    if not math.isclose(float(weights.sum(axis=-1).mean()), 1, abs_tol=1e-3):
        raise EcomTutorError("Each row of attention weights sums to one; others came.")
