"""BERT's forward pass written out for reading alone: the same numbers, in less time.

`Classifier` and the shop's `Reader` take it where the network is BERT under their own head. Any
other network, and one that is hooked, adapted or in training, runs as it is.

- Rows of any lengths stand one behind the other, without padding: products see (tokens, width).
  Attention alone goes row by row, rows of one length together.
- What the first layer makes of a token depends on the token, its place and its segment. The masked
  rows of one text share nearly all of these, so their query, key and value are computed once.
- Weights are laid out for the processor once and not at each product; query, key and value are
  one product; GELU is part of the product before it.
- In bfloat16 weights are converted once. Sums from layer to layer, LayerNorm and the softmax of
  attention stay in 32 bits: they cost little, and the error is about that of autocast.
"""

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
import torch
from torch.nn.functional import scaled_dot_product_attention
from transformers.activations import GELUActivation
from transformers.models.bert import modeling_bert as bert

KNOWN = {
    bert.BertModel,
    bert.BertEmbeddings,
    bert.BertEncoder,
    bert.BertLayer,
    bert.BertAttention,
    bert.BertSelfAttention,
    bert.BertSelfOutput,
    bert.BertIntermediate,
    bert.BertOutput,
    GELUActivation,
    torch.nn.ModuleList,
    torch.nn.Linear,
    torch.nn.LayerNorm,
    torch.nn.Embedding,
    torch.nn.Dropout,
}
TOKENS_AT_ONCE = 2048  # more are not faster: their widest activations leave the cache
LONG = 128  # tokens; from here on PyTorch's own attention is the faster
_PACKED: "WeakKeyDictionary[torch.nn.Module, dict[torch.dtype, tuple[Any, PackedEncoder]]]"
_PACKED = WeakKeyDictionary()


def packed(model: Any, head: type, dtype: torch.dtype) -> "PackedEncoder | None":
    """The `encoder` of a model, ready to read in float32 or bfloat16; None if it is not known.

    head is the class that the model has to be: its caller writes out what this class does with the
    encoder's vectors, and no other class will do. Packed again after the weights changed: PyTorch
    counts changes in place. It does not see those that go through `parameter.data`.
    """
    if not _is_known(model, head):
        return None
    state = [(p.data_ptr(), p._version) for p in model.encoder.parameters()]
    made = _PACKED.setdefault(model, {})
    if dtype not in made or made[dtype][0] != state:
        made[dtype] = (state, PackedEncoder(model.encoder, dtype))
    return made[dtype][1]


class PackedEncoder:
    """From token-id rows to the last layer's vectors, in 32 bits.

    Rows may have any lengths; those of one length should stand together, and `TOKENS_AT_ONCE` or
    a little more go at a time. segments, where the model reads a pair, are 0 or 1 for each token.
    """

    def __init__(self, encoder: Any, dtype: torch.dtype):
        self.heads, self.embeddings = encoder.config.num_attention_heads, encoder.embeddings
        with torch.inference_mode():
            self.layers = [_Layer(layer, dtype) for layer in encoder.encoder.layer]

    def __call__(
        self, rows: Sequence[np.ndarray], segments: Sequence[np.ndarray] | None = None
    ) -> torch.Tensor:
        """A vector for each token of each row, one behind the other: (tokens, width)."""
        lengths = [len(row) for row in rows]
        with torch.inference_mode():
            distinct, place = self._embedded(rows, segments)
            x, qkv = distinct[place], self.layers[0].qkv(distinct)[place]
            for layer in self.layers:
                qkv = layer.qkv(x) if layer is not self.layers[0] else qkv
                x = layer(x, self._attended(qkv, lengths))
            return x

    def means(self, rows: Sequence[np.ndarray]) -> torch.Tensor:
        """The mean of each row's vectors, (rows, width)."""
        vectors = self(rows)
        with torch.inference_mode():
            parts = _of_one_length(vectors, [len(row) for row in rows])
            return torch.cat([part.mean(dim=1) for part in parts])

    def _embedded(
        self, rows: Sequence[np.ndarray], segments: Sequence[np.ndarray] | None
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Vectors (kinds, width) of distinct tokens, segments and places; each token's kind."""
        e = self.embeddings
        tokens, most = np.concatenate(rows), max(map(len, rows))
        segment = np.zeros_like(tokens) if segments is None else np.concatenate(segments)
        places = np.concatenate([np.arange(len(row)) for row in rows])
        kinds, place = np.unique((tokens * 2 + segment) * most + places, return_inverse=True)
        pairs = kinds // most
        token, kind, at = map(torch.from_numpy, (pairs // 2, pairs % 2, kinds % most))
        x = e.word_embeddings(token) + e.token_type_embeddings(kind) + e.position_embeddings(at)
        return e.LayerNorm(x), torch.from_numpy(place)

    def _attended(self, qkv: torch.Tensor, lengths: Sequence[int]) -> torch.Tensor:
        """Each head's mix of values, (tokens, width), of queries, keys, values (tokens, 3 width).

        Queries come scaled.
        """
        mixed = []
        for part in _of_one_length(qkv, lengths):
            rows, n = part.shape[:2]
            qkv_of_heads = part.view(rows, n, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
            out = _attention(*qkv_of_heads)  # (rows, heads, n, depth)
            mixed.append(out.transpose(1, 2).reshape(rows * n, -1))
        return torch.cat(mixed) if len(mixed) > 1 else mixed[0]


def _attention(q: torch.Tensor, k: torch.Tensor, v: torch.Tensor) -> torch.Tensor:
    """softmax(q kᵀ) v of (rows, heads, n, depth); written out for short rows: faster there."""
    if q.shape[2] >= LONG:
        return scaled_dot_product_attention(q, k, v, scale=1.0)
    shape = q.shape
    q, k, v = (x.flatten(0, 1) for x in (q, k, v))  # (rows · heads, n, depth) each
    scores = torch.bmm(q.float(), k.float().mT)  # exp() makes much of their rounding
    return torch.bmm(scores.softmax(dim=-1).to(v.dtype), v).view(shape)


class _Layer:
    """One encoder layer, its weights in a given precision."""

    def __init__(self, layer: Any, dtype: torch.dtype):
        at = layer.attention
        scaled = [w * at.self.scaling for w in (at.self.query.weight, at.self.query.bias)]
        others = (at.self.key, at.self.value)
        self.qkv = _Product(
            torch.cat([scaled[0], *(linear.weight for linear in others)]),
            torch.cat([scaled[1], *(linear.bias for linear in others)]),
            dtype,
        )
        self.out, self.up, self.down = (
            _Product(linear.weight, linear.bias, dtype)
            for linear in (at.output.dense, layer.intermediate.dense, layer.output.dense)
        )
        self.norms = at.output.LayerNorm, layer.output.LayerNorm

    def __call__(self, x: torch.Tensor, attended: torch.Tensor) -> torch.Tensor:
        """(tokens, width) → (tokens, width), both in 32 bits."""
        x = self.norms[0](self.out(attended) + x)
        y: torch.Tensor = self.norms[1](self.down(self.up(x, "gelu")) + x)
        return y


class _Product:
    """x Wᵀ + b with the weights in the layout of oneDNN, PyTorch's library for products on CPUs.

    These operators are those that torch.compile puts in; without their compilation, which a class
    of students would wait for.
    """

    def __init__(self, weight: torch.Tensor, bias: torch.Tensor, dtype: torch.dtype):
        lay_out = torch.ops.mkldnn._reorder_linear_weight
        self.weight = lay_out(weight.detach().to(dtype).contiguous(), TOKENS_AT_ONCE)
        self.bias = bias.detach().to(dtype)

    def __call__(self, x: torch.Tensor, after: str = "none") -> torch.Tensor:
        product: torch.Tensor = torch.ops.mkldnn._linear_pointwise(
            x.to(self.weight.dtype), self.weight, self.bias, after, [], "none"
        )
        return product


def _of_one_length(x: torch.Tensor, lengths: Sequence[int]) -> Iterator[torch.Tensor]:
    """Vectors (tokens, width) as views (rows, length, width), one for each run of like rows."""
    first = 0
    for length, run in groupby(lengths):
        rows = len(list(run))
        yield x[first : first + rows * length].view(rows, length, -1)
        first += rows * length


def _is_known(model: Any, head: type) -> bool:
    """Whether the forward pass above is its encoder's: its own classes, nothing hooked in."""
    classes = type(model), type(getattr(model, "encoder", None))
    if classes != (head, bert.BertModel):
        return False
    config = model.encoder.config
    return (
        hasattr(torch.ops.mkldnn, "_linear_pointwise")
        and config._attn_implementation in ("sdpa", "eager")
        and config.hidden_act == "gelu"
        and not config.is_decoder
        and all(type(module) in KNOWN for module in model.encoder.modules())
        and all(map(_is_plain, model.modules()))
        and all(_is_usual(weight) for weight in model.parameters())
    )


def _is_plain(module: torch.nn.Module) -> bool:
    hooks = [*module._forward_hooks.values(), *module._forward_pre_hooks.values()]
    changed = "forward" in vars(module) or not all(map(_only_records, hooks))
    return not module.training and not changed


def _only_records(hook: Any) -> bool:
    """Whether transformers left this hook, as it does when a model is first asked for attention.

    It stays in the model and in its copies, and does nothing until the next such call.
    """
    return getattr(hook, "__module__", "") == "transformers.utils.output_capturing"


def _is_usual(weight: torch.Tensor) -> bool:
    return weight.dtype == torch.float32 and weight.is_cpu and not weight.is_inference()
