"""BERT's forward pass written out for reading alone: the same numbers, in less time.

`Classifier` takes it where it knows the network, BERT under a mean of tokens. Any other network,
and one that is hooked, adapted or in training, runs as it is.

- Rows of any lengths stand one behind the other, without padding: products see (tokens, width).
  Attention alone goes row by row, rows of one length together.
- What the first layer makes of a token depends on the token and its place. The masked rows of one
  text share nearly all such pairs, so each pair's query, key and value are computed once.
- Weights are laid out for the processor once and not at each product; query, key and value are
  one product; GELU is part of the product before it.
- In bfloat16 weights are converted once. Sums from layer to layer, LayerNorm and attention's
  scores stay in 32 bits: they cost little, and the error is about that of autocast.
"""

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
import torch
from transformers.activations import GELUActivation
from transformers.models.bert import modeling_bert as bert

from ecomtutor.finetuning.model import EncoderWithHead

KNOWN = {
    EncoderWithHead,
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
_PACKED: "WeakKeyDictionary[torch.nn.Module, dict[torch.dtype, tuple[Any, PackedEncoder]]]"
_PACKED = WeakKeyDictionary()


def packed(model: Any, dtype: torch.dtype) -> "PackedEncoder | None":
    """The encoder under a classifier, ready to read in float32 or bfloat16; None if unknown.

    Packed again after the weights changed: PyTorch counts changes in place. It does not see those
    that go through `parameter.data`.
    """
    if not _is_known(model):
        return None
    state = [(p.data_ptr(), p._version) for p in model.encoder.parameters()]
    made = _PACKED.setdefault(model, {})
    if dtype not in made or made[dtype][0] != state:
        made[dtype] = (state, PackedEncoder(model.encoder, dtype))
    return made[dtype][1]


class PackedEncoder:
    """From token-id rows to the mean of their token vectors, (rows, width), in 32 bits."""

    def __init__(self, encoder: Any, dtype: torch.dtype):
        self.heads, self.embeddings = encoder.config.num_attention_heads, encoder.embeddings
        with torch.inference_mode():
            self.layers = [_Layer(layer, dtype) for layer in encoder.encoder.layer]

    def __call__(self, rows: Sequence[np.ndarray]) -> torch.Tensor:
        """Rows of one length stand together; `TOKENS_AT_ONCE` or a little more at a time."""
        lengths = [len(row) for row in rows]
        with torch.inference_mode():
            distinct, place = self._embedded(rows)
            x, qkv = distinct[place], self.layers[0].qkv(distinct)[place]
            for layer in self.layers:
                qkv = layer.qkv(x) if layer is not self.layers[0] else qkv
                x = layer(x, self._attended(qkv, lengths))
            means = [part.mean(dim=1) for part in _of_one_length(x, lengths)]
            return torch.cat(means)

    def _embedded(self, rows: Sequence[np.ndarray]) -> tuple[torch.Tensor, torch.Tensor]:
        """Vectors (pairs, width) of distinct tokens at places; of each token its pair's number."""
        e = self.embeddings
        most = max(map(len, rows))
        keys = np.concatenate([row * most + np.arange(len(row)) for row in rows])
        pairs, place = np.unique(keys, return_inverse=True)
        tokens, places = map(torch.from_numpy, np.divmod(pairs, most))
        kind = e.token_type_embeddings.weight[0]
        x = e.LayerNorm(e.word_embeddings(tokens) + kind + e.position_embeddings(places))
        return x, torch.from_numpy(place)

    def _attended(self, qkv: torch.Tensor, lengths: Sequence[int]) -> torch.Tensor:
        """Each head's mix of values, (tokens, width), of queries, keys, values (tokens, 3 width).

        Queries come scaled. Written out, because PyTorch's own attention is made for long rows and
        is slower on these.
        """
        mixed = []
        for part in _of_one_length(qkv, lengths):
            rows, n = part.shape[:2]
            split = part.view(rows, n, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
            q, k, v = split.reshape(3, rows * self.heads, n, -1)  # each (rows · heads, n, depth)
            scores = torch.bmm(q.float(), k.float().mT)  # exp() makes much of their rounding
            out = torch.bmm(scores.softmax(dim=-1).to(v.dtype), v)
            mixed.append(out.view(rows, self.heads, n, -1).transpose(1, 2).reshape(rows * n, -1))
        return torch.cat(mixed) if len(mixed) > 1 else mixed[0]


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


def _is_known(model: Any) -> bool:
    """Whether the forward pass above is this model's: its own classes, nothing hooked in."""
    if type(model) is not EncoderWithHead or type(model.encoder) is not bert.BertModel:
        return False
    config = model.encoder.config
    return (
        hasattr(torch.ops.mkldnn, "_linear_pointwise")
        and config._attn_implementation in ("sdpa", "eager")
        and config.hidden_act == "gelu"
        and not config.is_decoder
        and all(map(_is_plain, model.modules()))
        and all(_is_usual(weight) for weight in model.parameters())
    )


def _is_plain(module: torch.nn.Module) -> bool:
    changed = module._forward_hooks or module._forward_pre_hooks or "forward" in vars(module)
    return type(module) in KNOWN and not module.training and not changed


def _is_usual(weight: torch.Tensor) -> bool:
    return weight.dtype == torch.float32 and weight.is_cpu and not weight.is_inference()
