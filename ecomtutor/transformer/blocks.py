"""The parts of every transformer: attention with heads, feed-forward, residual, and two blocks.

Shapes are (batch, tokens, width) between the parts. Masks are boolean, True where looking is
allowed, broadcastable to (batch, heads, queries, keys), as in `ecomtutor.attention`.
"""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ecomtutor.attention import (
    ShapeError,
    merge_heads,
    scaled_dot_product_attention,
    split_heads,
)
from ecomtutor.transformer.positions import Rotation, rotate

Activation = Callable[[Tensor], Tensor]


def layer_norm(states: Tensor, gain: Tensor, shift: Tensor, epsilon: float = 1e-5) -> Tensor:
    """Ba et al. (2016): (x - mean) / √(variance + ε) · gain + shift, each token by itself.

    `nn.LayerNorm`, which the blocks use, computes the same in one pass.

    Args:
        states: (…, width).
        gain, shift: (width,).
    """
    centred = states - states.mean(dim=-1, keepdim=True)  # (…, width)
    variance = centred.square().mean(dim=-1, keepdim=True)  # (…, 1): over width, not width - 1
    return centred / (variance + epsilon).sqrt() * gain + shift  # (…, width)


def rms_norm(states: Tensor, gain: Tensor, epsilon: float = 1e-6) -> Tensor:
    """Zhang and Sennrich (2019): x / √(mean(x²) + ε) · gain; no centring, no shift."""
    mean_square = states.square().mean(dim=-1, keepdim=True)  # (…, 1)
    return states * (mean_square + epsilon).rsqrt() * gain  # (…, width)


def gelu_tanh(states: Tensor) -> Tensor:
    """GELU as GPT-2 computes it, by a tanh: Hendrycks and Gimpel (2016), section 2."""
    return F.gelu(states, approximate="tanh")


class KeyValueCache:
    """Keys and values of the tokens that one layer has seen: made once, read at every later step.

    For writing texts, not for training: what it keeps carries no gradient. The room doubles when
    it is full, so that a step copies its own token and not the whole past.
    """

    def __init__(self) -> None:
        self.length = 0
        self._kept = torch.empty(2, 0, 0, 0, 0)  # keys and values, batch, heads, room, d_k

    def extend(self, key: Tensor, value: Tensor) -> tuple[Tensor, Tensor]:
        """Add (batch, heads, new, d_k) each; returns all so far, (batch, heads, length, d_k)."""
        new = torch.stack([key.detach(), value.detach()])  # (2, batch, heads, new, d_k)
        start, self.length = self.length, self.length + key.shape[-2]
        if self.length > self._kept.shape[-2]:
            seen = torch.cat([self._kept[..., :start, :], new], dim=-2) if start else new
            self._kept = torch.cat([seen, torch.empty_like(seen)], dim=-2)  # twice the room
        else:
            self._kept[..., start : self.length, :] = new
        keys, values = self._kept[..., : self.length, :]
        return keys, values

    def reorder(self, rows: Tensor) -> None:
        """Keep the given rows of the batch, in this order, repeated where a row is named twice."""
        self._kept = self._kept[:, rows]


def attend(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    mask: Tensor | None = None,
    dropout: float = 0.0,
    weights: bool = False,
) -> tuple[Tensor, Tensor | None]:
    """Lesson 01's attention; by torch's fused kernel where nobody asks to see the weights.

    The kernel gives the same mixture without ever holding the table of queries × keys.

    Args:
        query: (batch, heads, queries, d_k).
        key, value: (batch, key_value_heads, keys, d_k): each serves heads/key_value_heads queries.
        dropout: share of the weights set to zero (training).
        weights: return the weights too.

    Returns:
        (batch, heads, queries, d_k), and the weights (batch, heads, queries, keys) or None.
    """
    shared = query.shape[1] // key.shape[1]
    if not weights:
        mixture = F.scaled_dot_product_attention(
            query, key, value, mask, dropout_p=dropout, enable_gqa=shared > 1
        )
        return mixture, None
    key, value = key.repeat_interleave(shared, dim=1), value.repeat_interleave(shared, dim=1)
    mixture, seen = scaled_dot_product_attention(query, key, value, mask)
    if dropout:
        mixture = F.dropout(seen, dropout) @ value  # (batch, heads, queries, d_k)
    return mixture, seen


class MultiHeadAttention(nn.Module):
    """“Multi-head attention allows the model to jointly attend to information from different
    representation subspaces at different positions.” Vaswani et al. (2017), section 3.2.2

    With `memory` it is cross-attention: queries from one text, keys and values from another. With
    fewer `key_value_heads` than heads it is grouped-query attention (Ainslie et al., 2023).
    """

    def __init__(
        self,
        width: int,
        heads: int,
        dropout: float = 0.0,
        key_value_heads: int | None = None,
        bias: bool = True,
    ) -> None:
        super().__init__()
        self.heads, self.key_value_heads = heads, key_value_heads or heads
        if heads < 1 or width % heads or heads % self.key_value_heads:
            raise ShapeError(
                f"A width of {width}, {heads} heads and {self.key_value_heads} heads of keys and "
                "values came: each must be a multiple of the next."
            )
        narrow = width // heads * self.key_value_heads
        self.query = nn.Linear(width, width, bias)
        self.key, self.value = nn.Linear(width, narrow, bias), nn.Linear(width, narrow, bias)
        self.output = nn.Linear(width, width, bias)
        self.dropout = dropout

    def forward(
        self,
        states: Tensor,
        memory: Tensor | None = None,
        mask: Tensor | None = None,
        *,
        cache: KeyValueCache | None = None,
        turn: Rotation | None = None,
        weights: bool = False,
    ) -> tuple[Tensor, Tensor | None]:
        """Mix each token's view of the others.

        Args:
            states: (batch, tokens, width), what asks.
            memory: (batch, keys, width), what is looked at; the states themselves unless given.
            mask: broadcastable to (batch, heads, tokens, keys), True where looking is allowed.
            cache: keys and values of the tokens before these, to which these are added.
            turn: rotary positions of the states.
            weights: return the attention weights too.

        Returns:
            (batch, tokens, width), and (batch, heads, tokens, keys) or None.
        """
        source = states if memory is None else memory
        query = split_heads(self.query(states), self.heads)  # (batch, heads, tokens, d_k)
        key = split_heads(self.key(source), self.key_value_heads)  # (batch, kv heads, keys, d_k)
        value = split_heads(self.value(source), self.key_value_heads)  # as the keys
        if turn is not None:
            query, key = rotate(query, turn), rotate(key, turn)
        if cache is not None:
            key, value = cache.extend(key, value)  # (batch, kv heads, past + tokens, d_k)
        dropout = self.dropout if self.training else 0.0
        mixture, seen = attend(query, key, value, mask, dropout, weights)
        return self.output(merge_heads(mixture)), seen  # (batch, tokens, width)


class FeedForward(nn.Module):
    """“Each of the layers in our encoder and decoder contains a fully connected feed-forward
    network, which is applied to each position separately and identically.”
    Vaswani et al. (2017), section 3.3
    """

    def __init__(self, width: int, inner: int, activation: Activation = F.gelu) -> None:
        super().__init__()
        self.expand, self.contract = nn.Linear(width, inner), nn.Linear(inner, width)
        self.activation = activation

    def forward(self, states: Tensor) -> Tensor:
        """(batch, tokens, width) → (batch, tokens, width), through (batch, tokens, inner)."""
        return self.contract(self.activation(self.expand(states)))


class GatedFeedForward(nn.Module):
    """SwiGLU. “Gated Linear Units consist of the component-wise product of two linear projections,
    one of which is first passed through a sigmoid function”; here through swish. Shazeer (2020)
    """

    def __init__(self, width: int, inner: int) -> None:
        super().__init__()
        self.gate = nn.Linear(width, inner, bias=False)
        self.expand = nn.Linear(width, inner, bias=False)
        self.contract = nn.Linear(inner, width, bias=False)

    def forward(self, states: Tensor) -> Tensor:
        """(batch, tokens, width) → (batch, tokens, width), through (batch, tokens, inner)."""
        return self.contract(F.silu(self.gate(states)) * self.expand(states))


class Residual(nn.Module):
    """“We employ a residual connection around each of the two sub-layers, followed by layer
    normalization.” Vaswani et al. (2017), section 3.1

        post-norm (2017, BERT):   norm(states + change(states))
        pre-norm (GPT-2, Llama):  states + change(norm(states))
    """

    def __init__(self, norm: nn.Module, dropout: float = 0.0, pre_norm: bool = False) -> None:
        super().__init__()
        self.norm, self.dropout, self.pre_norm = norm, nn.Dropout(dropout), pre_norm

    def enter(self, states: Tensor) -> Tensor:
        """What the sub-layer gets to see."""
        return self.norm(states) if self.pre_norm else states

    def leave(self, states: Tensor, change: Tensor) -> Tensor:
        """The states with the sub-layer's change added."""
        total = states + self.dropout(change)
        return total if self.pre_norm else self.norm(total)


class EncoderBlock(nn.Module):
    """“Each layer has two sub-layers. The first is a multi-head self-attention mechanism, and the
    second is a simple, position-wise fully connected feed-forward network.”
    Vaswani et al. (2017), section 3.1

    BERT's block as it stands (post-norm); GPT-2's with pre-norm and a causal mask.
    """

    def __init__(
        self,
        width: int,
        heads: int,
        inner: int,
        *,
        dropout: float = 0.0,
        pre_norm: bool = False,
        activation: Activation = F.gelu,
        epsilon: float = 1e-5,
    ) -> None:
        super().__init__()
        self.attention = MultiHeadAttention(width, heads, dropout)
        self.feed_forward = FeedForward(width, inner, activation)
        self.first = Residual(nn.LayerNorm(width, epsilon), dropout, pre_norm)
        self.second = Residual(nn.LayerNorm(width, epsilon), dropout, pre_norm)

    def forward(
        self,
        states: Tensor,
        mask: Tensor | None = None,
        *,
        cache: KeyValueCache | None = None,
        weights: bool = False,
    ) -> tuple[Tensor, Tensor | None]:
        """(batch, tokens, width) → the same, and the weights (batch, heads, tokens, keys)."""
        mixture, seen = self.attention(
            self.first.enter(states), mask=mask, cache=cache, weights=weights
        )
        states = self.first.leave(states, mixture)  # (batch, tokens, width)
        change = self.feed_forward(self.second.enter(states))  # (batch, tokens, width)
        return self.second.leave(states, change), seen


class DecoderBlock(nn.Module):
    """“The decoder inserts a third sub-layer, which performs multi-head attention over the output
    of the encoder stack.” Vaswani et al. (2017), section 3.1
    """

    def __init__(
        self,
        width: int,
        heads: int,
        inner: int,
        *,
        dropout: float = 0.0,
        pre_norm: bool = False,
        activation: Activation = F.relu,
        epsilon: float = 1e-5,
    ) -> None:
        super().__init__()
        self.attention = MultiHeadAttention(width, heads, dropout)
        self.cross_attention = MultiHeadAttention(width, heads, dropout)
        self.feed_forward = FeedForward(width, inner, activation)
        self.first = Residual(nn.LayerNorm(width, epsilon), dropout, pre_norm)
        self.second = Residual(nn.LayerNorm(width, epsilon), dropout, pre_norm)
        self.third = Residual(nn.LayerNorm(width, epsilon), dropout, pre_norm)

    def forward(
        self,
        states: Tensor,
        memory: Tensor,
        mask: Tensor | None = None,
        memory_mask: Tensor | None = None,
        *,
        weights: bool = False,
    ) -> tuple[Tensor, Tensor | None]:
        """One layer of the decoder.

        Args:
            states: (batch, tokens, width), the text being written.
            memory: (batch, source, width), the text being read, as the encoder left it.
            mask: causal, (tokens, tokens).
            memory_mask: (batch, 1, 1, source), True where the source is not padding.
            weights: return the cross-attention too: which source token each written one reads.

        Returns:
            (batch, tokens, width), and (batch, heads, tokens, source) or None.
        """
        mixture, _ = self.attention(self.first.enter(states), mask=mask)
        states = self.first.leave(states, mixture)  # (batch, tokens, width)
        mixture, seen = self.cross_attention(
            self.second.enter(states), memory, memory_mask, weights=weights
        )
        states = self.second.leave(states, mixture)  # (batch, tokens, width)
        change = self.feed_forward(self.third.enter(states))  # (batch, tokens, width)
        return self.third.leave(states, change), seen
