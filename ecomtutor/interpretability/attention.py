"""What a model's attention can be asked: weights, what they carry, rollout, and with gradients.

Maps have shape (layers, heads, tokens, tokens), row = the token that looks, column = the token that
is looked at. Weights come from the eager implementation alone: PyTorch's fused one (sdpa) never
writes them down. `eager` makes a copy that does, with the same parameters.

As explanations they say where the model looked. Raw weights, norms and rollout know no label: their
values are the same for every output. Whether looking there mattered is for lesson 12 to measure.
"""

import copy
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from ecomtutor.errors import EcomTutorError
from ecomtutor.interpretability.explanation import Explanation
from ecomtutor.interpretability.gradients import hidden_ids, to_units
from ecomtutor.interpretability.units import Units

if TYPE_CHECKING:
    import torch

Rows = Literal["mean", "first"]
_PROJECTIONS = (
    ("attention.self.value", "attention.output.dense"),
    ("self_attn.v_proj", "self_attn.o_proj"),
)


@dataclass(frozen=True)
class AttentionParts:
    """What attention is made of, for one text.

    weights  (layers, heads, tokens, tokens): each row sums to one
    vectors  (layers, heads, tokens, width): each token's value vector, through its head's part of
             the output projection: what a weight multiplies
    """

    weights: np.ndarray
    vectors: np.ndarray

    @property
    def norms(self) -> np.ndarray:
        """‖a · f(x)‖ (layers, heads, tokens, tokens): how much arrives, not how much is asked.

        Source:
            Kobayashi, Kuribayashi, Yokoi and Inui (2020), Attention is Not Only a Weight.
        """
        lengths = np.linalg.norm(self.vectors, axis=-1)  # (layers, heads, tokens)
        norms: np.ndarray = self.weights * lengths[:, :, None, :]
        return norms

    @property
    def layer_norms(self) -> np.ndarray:
        """‖Σ over heads of a · f(x)‖ (layers, tokens, tokens): heads may cancel each other."""
        # The squared norm of a sum over heads is a sum over pairs of heads: no (tokens, tokens,
        # width) array is ever made.
        pairs = np.einsum("lhjw,lgjw->ljhg", self.vectors, self.vectors, optimize=True)
        weights = np.moveaxis(self.weights, 1, -1)  # (layers, tokens, tokens, heads)
        mixed = np.einsum("lijh,ljhg->lijg", weights, pairs, optimize=True)
        norms: np.ndarray = np.sqrt(np.maximum((mixed * weights).sum(axis=-1), 0))
        return norms


def with_own_modules(model: Any) -> Any:
    """A copy of a model that shares all parameters and buffers: hooks and settings are its own."""
    tensors = [*model.parameters(), *model.buffers()]
    return copy.deepcopy(model, {id(tensor): tensor for tensor in tensors})


def eager(model: Any) -> Any:
    """The model itself if it writes its attention weights down, else a copy that does.

    The copy shares the parameters, so that it costs nothing and follows when they change.

    Raises:
        EcomTutorError: not a transformers model, or one in training mode.
    """
    if getattr(model, "training", False):
        raise EcomTutorError("The model is in training mode: call model.eval() before explaining.")
    if not hasattr(_transformer(model), "set_attn_implementation"):
        raise EcomTutorError(
            f"{type(model).__name__} is no transformers model: its attention cannot be asked for."
        )
    if _transformer(model).config._attn_implementation == "eager":
        return model
    model = with_own_modules(model)
    _transformer(model).set_attn_implementation("eager")
    return model


def attention_weights(model: Any, ids: np.ndarray) -> np.ndarray:
    """Attention weights (layers, heads, tokens, tokens) of one text; each row sums to one.

    Args:
        model: an encoder or a generator of transformers, bare or under a head.
        ids: token ids (tokens,), special tokens included, no padding.

    Raises:
        EcomTutorError: several texts at once, a model without weights to show.
    """
    import torch

    with torch.no_grad():
        attentions = _forward(eager(model), ids).attentions
    return torch.cat(list(attentions)).double().numpy()


def attention_parts(model: Any, ids: np.ndarray) -> AttentionParts:
    """Attention weights and the vectors that they multiply, for BERT- and Llama-like models.

    Args and errors: as for `attention_weights`.
    """
    import torch

    model = eager(model)
    caught: list[torch.Tensor] = []
    pairs = projections(model)
    hooks = [
        value.register_forward_hook(lambda _, __, out: caught.append(out.detach()[0]))
        for value, _ in pairs
    ]
    try:
        weights = attention_weights(model, ids)
    finally:
        for hook in hooks:
            hook.remove()
    vectors = [
        _through(output.weight.detach(), out, weights.shape[1])
        for out, (_, output) in zip(caught, pairs, strict=True)
    ]
    return AttentionParts(weights, torch.stack(vectors).double().numpy())


def rollout(weights: np.ndarray, residual: float = 0.5) -> np.ndarray:
    """Where the words stand from which each token's vector came, layer by layer.

    Heads are averaged, the residual path joins as an identity matrix, and the layers' matrices
    are multiplied: R_l = (residual · I + (1 - residual) · A_l) R_(l-1).

    Args:
        weights: (layers, heads, tokens, tokens), rows sum to one.
        residual: the share that passes by attention, 0 … 1.

    Returns:
        (layers, tokens, tokens); rows sum to one.

    Source:
        Abnar and Zuidema (2020), Quantifying Attention Flow in Transformers.
    """
    if weights.ndim != 4 or not 0 <= residual <= 1:
        raise EcomTutorError(
            "Rollout takes weights (layers, heads, tokens, tokens) and a residual share of 0 … 1; "
            f"shape {weights.shape} and {residual} came."
        )
    so_far, steps = np.eye(weights.shape[-1]), []
    for of_layer in weights.mean(axis=1):
        so_far = residual * so_far + (1 - residual) * of_layer @ so_far
        steps.append(so_far)
    return np.stack(steps)


def attention_times_gradient(model: Any, ids: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A ⊙ ∂ logit / ∂ A (outputs, layers, heads, tokens, tokens) and A itself.

    Args:
        model: a classifier that answers with `.logits` (1, outputs), its attention in reach.
        ids: token ids (tokens,).
    """
    import torch

    with torch.enable_grad():
        out = _forward(eager(model), ids)
        logits = _logits_of(out)
        if not all(layer.requires_grad for layer in out.attentions):
            raise EcomTutorError(
                "The attention has no gradient: at least one parameter must require one."
            )
        slopes = [
            torch.cat(torch.autograd.grad(logit, list(out.attentions), retain_graph=True))
            for logit in logits[0]
        ]
    weights = torch.cat([layer.detach() for layer in out.attentions])
    products = torch.stack(slopes) * weights
    return products.double().numpy(), weights.double().numpy()


def attention_received(
    units: Units,
    model: Any,
    kind: Literal["raw", "norm"] = "raw",
    layer: int = -1,
    rows: Rows = "mean",
    *,
    outputs: Sequence[str] = (),
) -> Explanation:
    """How much attention each unit gets in one layer: the mean over heads and rows.

    Args:
        units: the text.
        model: a classifier that answers with `.logits`.
        kind: "raw" weights, or the "norm" of what they carry (heads summed, then the norm).
        layer: the last one, whose outputs the head pools, unless another is wanted.
        rows: which tokens' looks count: "mean" of all, for a head that pools by the mean, as ours
            do; "first" for a head on [CLS].
        outputs: the outputs' names.

    Returns:
        The same values for every output: attention knows no label. `settings["special"]` is what
        [CLS] and [SEP] got. No sum is promised.
    """
    if kind not in ("raw", "norm"):
        raise EcomTutorError(f"kind is 'raw' or 'norm'; {kind!r} came.")
    if kind == "raw":
        maps = attention_weights(model, units.ids).mean(axis=1)
    else:
        maps = attention_parts(model, units.ids).layer_norms
    if not -len(maps) <= layer < len(maps):
        raise EcomTutorError(f"There are layers 0 … {len(maps) - 1}; layer {layer} was asked for.")
    name = "attention" if kind == "raw" else "norm-weighted attention"
    settings = {"layer": range(len(maps))[layer], "rows": rows}
    return _explained(units, model, _pooled(maps[layer], rows), name, settings, outputs)


def attention_rollout(
    units: Units,
    model: Any,
    residual: float = 0.5,
    rows: Rows = "mean",
    *,
    outputs: Sequence[str] = (),
) -> Explanation:
    """How much of each unit the last layer's tokens hold, by `rollout`; one value for all outputs.

    Arguments as for `attention_received` and `rollout`. No sum is promised.
    """
    flow = rollout(attention_weights(model, units.ids), residual)[-1]
    settings = {"residual": residual, "rows": rows}
    return _explained(units, model, _pooled(flow, rows), "attention rollout", settings, outputs)


def attention_x_gradient(
    units: Units,
    model: Any,
    rows: Rows = "mean",
    positive: bool = True,
    *,
    outputs: Sequence[str] = (),
) -> Explanation:
    """Attention times its gradient, head by head, rolled out over the layers; one value per output.

    R = I, then for each layer R ← R + mean over heads of (A ⊙ ∂ logit/∂A) · R. The variant of
    Chefer et al. for encoders; they read the row of [CLS], we read the rows that the head pools.

    Args:
        units, model, rows, outputs: as for `attention_received`.
        positive: only what raises the logit counts in each head, as in the paper: values are then
            never negative. False keeps the signs.

    Source:
        Chefer, Gur and Wolf (2021), Generic Attention-model Explainability, equations 5 and 6.
    """
    products, weights = attention_times_gradient(model, units.ids)
    if positive:
        products = np.maximum(products, 0)
    relevance = []
    for of_output in products.mean(axis=2):  # (layers, tokens, tokens)
        so_far = np.eye(weights.shape[-1])
        for of_layer in of_output:
            so_far = so_far + of_layer @ so_far
        relevance.append(_pooled(so_far - np.eye(len(so_far)), rows))
    settings = {"rows": rows, "positive": positive}
    per_token = np.stack(relevance, axis=1)  # (tokens, outputs)
    return _explained(units, model, per_token, "attention × gradient", settings, outputs)


def projections(model: Any) -> "list[tuple[torch.nn.Linear, torch.nn.Linear]]":
    """Each layer's value projection and output projection, first layer first.

    Raises:
        EcomTutorError: neither BERT's names nor Llama's.
    """
    modules = dict(model.named_modules())
    for value, output in _PROJECTIONS:
        starts = [name.removesuffix(value) for name in modules if name.endswith("." + value)]
        if starts:
            return [(modules[start + value], modules[start + output]) for start in starts]
    raise EcomTutorError(
        f"{type(model).__name__} has no value and output projections under BERT's or Llama's "
        "names; take attention_weights."
    )


def _through(output: "torch.Tensor", value: "torch.Tensor", heads: int) -> "torch.Tensor":
    """Values (tokens, value heads · d) through each head's part of W_O: (heads, tokens, width)."""
    import torch

    weight = output.reshape(len(output), heads, -1)  # (width, heads, d)
    own = value.reshape(len(value), -1, weight.shape[-1])  # (tokens, value heads, d)
    own = own.repeat_interleave(heads // own.shape[1], dim=1)  # heads may share their values
    return torch.einsum("thd,whd->htw", own, weight)


def _transformer(model: Any) -> Any:
    """The transformers model under a head of ours, or the model itself."""
    inner = getattr(model, "encoder", None)
    return inner if hasattr(inner, "set_attn_implementation") else model


def _forward(model: Any, ids: np.ndarray) -> Any:
    import torch

    ids = np.asarray(ids)
    if ids.ndim != 1 or not len(ids):
        raise EcomTutorError(
            "Attention is asked of one text, token ids (tokens,) without padding; shape "
            f"{ids.shape} came."
        )
    row = torch.from_numpy(ids.astype(np.int64))[None]
    out = model(input_ids=row, attention_mask=torch.ones_like(row), output_attentions=True)
    if not out.attentions or out.attentions[0] is None:
        raise EcomTutorError(f"{type(model).__name__} gave no attention weights.")
    return out


def _logits_of(out: Any) -> "torch.Tensor":
    logits = getattr(out, "logits", None)
    if logits is None or logits.ndim != 2:
        raise EcomTutorError(
            "An explanation needs a classifier, whose answer has .logits (texts, outputs). For the "
            "maps of a bare encoder take attention_weights or attention_parts."
        )
    found: torch.Tensor = logits
    return found


def _pooled(map_: np.ndarray, rows: Rows) -> np.ndarray:
    """(tokens, tokens) → (tokens,): what each token gets from the rows that the head reads."""
    if rows not in ("mean", "first"):
        raise EcomTutorError(f"rows is 'mean' or 'first'; {rows!r} came.")
    pooled: np.ndarray = map_.mean(axis=0) if rows == "mean" else map_[0]
    return pooled


def _explained(
    units: Units,
    model: Any,
    per_token: np.ndarray,
    method: str,
    settings: dict[str, Any],
    outputs: Iterable[str],
) -> Explanation:
    import torch

    texts = torch.from_numpy(np.stack([hidden_ids(units, units.mask_id), units.ids]))
    with torch.no_grad():
        base, full = _logits_of(model(input_ids=texts, attention_mask=torch.ones_like(texts)))
    knows_labels = per_token.ndim == 2
    per_token = per_token if knows_labels else np.repeat(per_token[:, None], len(base), 1)
    values, special = to_units(per_token, units)
    return Explanation(
        units,
        values,
        base.double().numpy(),
        full.double().numpy(),
        method,
        asked=1,
        made=1,
        adds_up=False,
        settings={**settings, "special": special},
        outputs=tuple(outputs),
        signed=knows_labels,
    )
