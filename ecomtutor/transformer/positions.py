"""How a model knows the order of its tokens: sinusoids, a learned table, rotations."""

from typing import NamedTuple

import torch
from torch import Tensor, nn

from ecomtutor.attention import ShapeError


def sinusoidal_positions(tokens: int, width: int, base: float = 10_000.0) -> Tensor:
    """The table of Vaswani et al. (2017), section 3.5, with sine and cosine in turn.

        PE(pos, 2i) = sin(pos / base^(2i/width))    PE(pos, 2i+1) = cos(pos / base^(2i/width))

    Returns:
        (tokens, width).

    Raises:
        ShapeError: an odd width: sines and cosines come in pairs.
    """
    angles = _angles(torch.arange(tokens), width, base)  # (tokens, width/2)
    return torch.stack([angles.sin(), angles.cos()], dim=-1).flatten(-2)  # (tokens, width)


class SinusoidalPositions(nn.Module):
    """The fixed table as a module, called like a learned one (`nn.Embedding`)."""

    def __init__(self, positions: int, width: int) -> None:
        super().__init__()
        self.register_buffer("table", sinusoidal_positions(positions, width), persistent=False)

    def forward(self, positions: Tensor) -> Tensor:
        """(…) whole numbers → (…, width)."""
        return self.get_buffer("table")[positions]


class Rotation(NamedTuple):
    """Cosines and sines by which queries and keys turn: each (batch, 1, tokens, d_k)."""

    cosine: Tensor
    sine: Tensor


def rotation(positions: Tensor, d_k: int, base: float) -> Rotation:
    """The angle of each pair of coordinates at each position: position / base^(2i/d_k).

    Args:
        positions: (batch, tokens), whole numbers.
        d_k: width of a head, even.
        base: 10,000 in the paper; larger for longer texts (100,000 in SmolLM2).
    """
    angles = _angles(positions, d_k, base)  # (batch, tokens, d_k/2)
    angles = torch.cat([angles, angles], dim=-1)[:, None]  # (batch, 1, tokens, d_k)
    return Rotation(angles.cos(), angles.sin())


def rotate(states: Tensor, by: Rotation) -> Tensor:
    """Turn each pair of coordinates by its angle: Su et al. (2021), section 3.4.2.

    After it, query · key depends on the distance between two tokens and not on where they stand.
    Pair i is (i, i + d_k/2), as Llama stores them; the paper pairs neighbours (2i, 2i+1).

    Args:
        states: (batch, heads, tokens, d_k), queries or keys.
    """
    first, second = states.chunk(2, dim=-1)  # each (batch, heads, tokens, d_k/2)
    quarter_turn = torch.cat([-second, first], dim=-1)  # (batch, heads, tokens, d_k)
    return states * by.cosine + quarter_turn * by.sine


def _angles(positions: Tensor, width: int, base: float) -> Tensor:
    if width % 2:
        raise ShapeError(f"Sines and cosines come in pairs; a width of {width} came.")
    exponents = torch.arange(0, width, 2, device=positions.device).float() / width  # (width/2,)
    return positions.float()[..., None] / base**exponents  # (…, width/2)
