"""Texts of unequal length as batches that waste little."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np


def length_buckets(
    lengths: "np.ndarray", count: int, rng: "np.random.Generator"
) -> "list[np.ndarray]":
    """Cut examples into `count` batches of like length and nearly equal numbers of tokens.

    A batch is as wide as its longest row, so rows of one length waste nothing on padding. A little
    noise on the lengths lets the neighbours change from one epoch to the next.

    Args:
        lengths: tokens of each example.
        count: how many batches.
        rng: shuffles the neighbours and the order of the batches.

    Returns:
        For each batch the numbers of its examples, in random order of batches.
    """
    import numpy as np

    order = np.argsort(lengths * rng.uniform(0.9, 1.1, len(lengths)))
    tokens_before = np.cumsum(lengths[order]) - lengths[order]
    batch = tokens_before * count // lengths.sum()
    cuts = np.flatnonzero(np.diff(batch)) + 1
    batches = np.split(order, cuts)
    return [batches[i] for i in rng.permutation(len(batches))]


def pad(rows: "Sequence[np.ndarray]", filler: int, multiple: int = 1) -> "np.ndarray":
    """Rows of unequal length as one array, filled up on the right: (batch, width).

    The width is that of the longest row, rounded up to a multiple.
    """
    import numpy as np

    width = -(-max(map(len, rows)) // multiple) * multiple
    return np.stack([np.pad(row, (0, width - len(row)), constant_values=filler) for row in rows])
