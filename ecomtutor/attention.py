"""The mathematics of lessons 01 and 02: scaled dot-product attention, written to be read.

    Attention(Q, K, V) = softmax(Q Kᵀ / √d_k) V        Vaswani et al. (2017), equation 1

Shapes are written (…, tokens, d): any number of leading batch or head dimensions may stand before.
A mask is boolean, True where a query may look at a key, as in torch; a float mask is added to the
scores. Only torch is needed: this module imports nothing else of ours but the errors.
"""

import math
from typing import TYPE_CHECKING, Any, NamedTuple

from ecomtutor.errors import EcomTutorError

if TYPE_CHECKING:
    from torch import Size, Tensor
    from transformers import PreTrainedModel


class ShapeError(EcomTutorError):
    """Tensors whose shapes do not fit together; the message shows them."""


class Attention(NamedTuple):
    """What one attention computes.

    output: (…, queries, d_v), the mixture of values that each query receives.
    weights: (…, queries, keys), each row sums to one, or is all zero where every key is masked.
    """

    output: "Tensor"
    weights: "Tensor"


class QueryKeyValue(NamedTuple):
    """Queries, keys and values of one layer: each (batch, heads, tokens, d_k)."""

    query: "Tensor"
    key: "Tensor"
    value: "Tensor"


def softmax(scores: "Tensor", temperature: float = 1.0) -> "Tensor":
    """Turn scores into weights that are positive and sum to one along the last dimension.

    Args:
        scores: (…, n), any real numbers; -inf gives weight zero.
        temperature: scores are divided by it. Below 1 sharpens, above 1 flattens.

    Returns:
        (…, n). A row whose scores are all -inf has nothing to choose from: it becomes all zeros,
        where the bare formula would give 0/0 = NaN.

    Raises:
        EcomTutorError: the temperature is not a positive, finite number.
    """
    if not 0 < temperature < math.inf:
        raise EcomTutorError(f"The temperature must be above 0 and finite; {temperature!r} came.")
    scores = scores / temperature
    largest = scores.amax(dim=-1, keepdim=True)  # (…, 1): exp never sees a number above zero
    largest = largest.masked_fill(largest == -math.inf, 0.0)
    exponentials = (scores - largest).exp()  # (…, n)
    total = exponentials.sum(dim=-1, keepdim=True)  # (…, 1)
    return exponentials / total.masked_fill(total == 0, 1.0)


def attention_scores(query: "Tensor", key: "Tensor", scale: float | None = None) -> "Tensor":
    """Compare every query with every key: scores[i, j] = query[i] · key[j] × scale.

    Args:
        query: (…, queries, d_k).
        key: (…, keys, d_k).
        scale: 1/√d_k unless given; 1.0 is the unscaled dot product.

    Returns:
        (…, queries, keys).

    Raises:
        ShapeError: queries and keys do not fit together.
    """
    _check_together(query, key)
    d_k = query.shape[-1]
    return query @ key.transpose(-2, -1) * (1 / math.sqrt(d_k) if scale is None else scale)


def scaled_dot_product_attention(
    query: "Tensor",
    key: "Tensor",
    value: "Tensor",
    mask: "Tensor | None" = None,
    scale: float | None = None,
) -> Attention:
    """Equation 1 of Vaswani et al. (2017), with masks.

    Args:
        query: (…, queries, d_k).
        key: (…, keys, d_k).
        value: (…, keys, d_v).
        mask: broadcastable to (…, queries, keys); boolean, True where looking is allowed, or
            floats that are added to the scores.
        scale: 1/√d_k unless given.

    Returns:
        Output and weights. A query that may look at nothing receives the zero vector.

    Raises:
        ShapeError: the shapes do not fit together.
    """
    _check_values(key, value)
    scores = attention_scores(query, key, scale)  # (…, queries, keys)
    if mask is not None:
        scores = apply_mask(scores, mask)
    weights = softmax(scores)  # (…, queries, keys)
    return Attention(weights @ value, weights)  # (…, queries, d_v)


def attention_by_loop(query: "Tensor", key: "Tensor", value: "Tensor") -> Attention:
    """The same, one number at a time: for reading, and to check the fast version against.

    Args:
        query, key, value: (queries, d_k), (keys, d_k) and (keys, d_v); no batch, no mask. Scores
            up to about 700: this softmax subtracts no maximum, and exp(710) is too large a float.

    Raises:
        ShapeError: the shapes do not fit together, or there is a batch dimension.
    """
    import torch

    _check_together(query, key)
    _check_values(key, value)
    if query.dim() > 2 or key.dim() > 2 or value.dim() > 2:
        shapes = ", ".join(str(tuple(each.shape)) for each in (query, key, value))
        raise ShapeError(f"The loop takes matrices, no batch; {shapes} came.")
    queries, d_k = query.shape
    weights = torch.zeros(queries, len(key), dtype=query.dtype)
    output = torch.zeros(queries, value.shape[-1], dtype=query.dtype)
    for i in range(queries):
        scores = [float(query[i] @ key[k]) / math.sqrt(d_k) for k in range(len(key))]
        total = sum(math.exp(score) for score in scores)
        for j in range(len(key)):
            weights[i, j] = math.exp(scores[j]) / total
            output[i] += weights[i, j] * value[j]
    return Attention(output, weights)


def causal_mask(tokens: int) -> "Tensor":
    """(tokens, tokens), True on and below the diagonal: a token sees itself and those before."""
    import torch

    return torch.ones(tokens, tokens, dtype=torch.bool).tril()


def padding_mask(attention_mask: "Tensor") -> "Tensor":
    """A tokenizer's attention mask as (batch, 1, 1, tokens), True where a token is real.

    The two dimensions of size one stand for heads and queries: nobody looks at padding.

    Args:
        attention_mask: (batch, tokens), 1 for a real token, 0 for padding.

    Raises:
        ShapeError: not a batch of rows.
    """
    if attention_mask.dim() != 2:
        shape = tuple(attention_mask.shape)
        raise ShapeError(f"A tokenizer's attention mask is (batch, tokens); {shape} came.")
    return attention_mask.bool()[:, None, None, :]


def apply_mask(scores: "Tensor", mask: "Tensor") -> "Tensor":
    """Scores with -inf where a boolean mask is False, or with a float mask added.

    Raises:
        ShapeError: the mask does not broadcast to the scores.
        EcomTutorError: an integer mask, which torch would read as numbers to add.
    """
    import torch

    if _together(scores.shape, mask.shape) != scores.shape:
        raise ShapeError(f"A mask {tuple(mask.shape)} does not fit scores {tuple(scores.shape)}.")
    if mask.dtype == torch.bool:
        return scores.masked_fill(~mask, -math.inf)
    if mask.is_floating_point():
        return scores + mask
    raise EcomTutorError(f"A mask is boolean or float; {mask.dtype} came. Try mask.bool().")


def split_heads(states: "Tensor", heads: int) -> "Tensor":
    """(…, tokens, width) → (…, heads, tokens, width/heads): each head gets a slice of the width."""
    *leading, tokens, width = states.shape
    if heads < 1 or width % heads:
        raise ShapeError(f"A width of {width} cannot be shared equally by {heads} heads.")
    return states.reshape(*leading, tokens, heads, width // heads).transpose(-3, -2)


def merge_heads(states: "Tensor") -> "Tensor":
    """(…, heads, tokens, d) → (…, tokens, heads·d): the slices side by side again."""
    *leading, heads, tokens, d = states.shape
    return states.transpose(-3, -2).reshape(*leading, tokens, heads * d)


def query_key_value(model: "PreTrainedModel", layer: int, hidden: "Tensor") -> QueryKeyValue:
    """The queries, keys and values that a BERT layer makes of the states that enter it.

    Args:
        model: a transformers `BertModel` (MiniLM, m3e-small).
        layer: 0 to layers - 1.
        hidden: (batch, tokens, width), the states that enter the layer: with
            `output_hidden_states=True` that is `outputs.hidden_states[layer]`.

    Raises:
        EcomTutorError: the model has no such layer.
        ShapeError: the states do not have the model's width.
    """
    encoder: Any = model.encoder  # torch types a submodule as Tensor | Module
    layers = encoder.layer
    if not 0 <= layer < len(layers):
        raise EcomTutorError(f"Layers are 0 to {len(layers) - 1}; {layer} was asked for.")
    width = model.config.hidden_size
    if hidden.shape[-1] != width:
        raise ShapeError(f"This model's states end in {width}; {tuple(hidden.shape)} came.")
    block = layers[layer].attention.self
    heads = model.config.num_attention_heads
    return QueryKeyValue(
        *(split_heads(project(hidden), heads) for project in (block.query, block.key, block.value))
    )


def softmax_jacobian(weights: "Tensor") -> "Tensor":
    """How each weight moves when a score moves: J[i, j] = w_i (δ_ij - w_j).

    Args:
        weights: (…, n), an output of softmax.

    Returns:
        (…, n, n). Near zero everywhere once one weight has nearly all: learning stops there.
    """
    import torch

    return torch.diag_embed(weights) - weights[..., :, None] * weights[..., None, :]


def entropy(weights: "Tensor") -> "Tensor":
    """-Σ w log₂ w along the last dimension, in bits: 0 for one key, log₂ n for n equal ones."""
    import torch

    return torch.special.entr(weights).sum(dim=-1) / math.log(2)


def _check_together(query: "Tensor", key: "Tensor") -> None:
    same_width = min(query.dim(), key.dim()) >= 2 and query.shape[-1] == key.shape[-1] > 0
    if not same_width or _together(query.shape[:-2], key.shape[:-2]) is None:
        raise ShapeError(
            f"Queries {tuple(query.shape)} and keys {tuple(key.shape)} must end in the same d_k "
            "and agree in the dimensions before: (…, queries, d_k) and (…, keys, d_k)."
        )


def _check_values(key: "Tensor", value: "Tensor") -> None:
    same_count = min(key.dim(), value.dim()) >= 2 and key.shape[-2] == value.shape[-2]
    if not same_count or _together(key.shape[:-2], value.shape[:-2]) is None:
        raise ShapeError(
            f"There is one value for each key: keys {tuple(key.shape)} and values "
            f"{tuple(value.shape)} must agree in all dimensions but the last."
        )


def _together(first: "Size", second: "Size") -> "Size | None":
    """The shape to which both broadcast, or None where they do not."""
    import torch

    try:
        return torch.broadcast_shapes(first, second)
    except RuntimeError:
        return None
