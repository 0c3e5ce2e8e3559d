"""Where a masked language model starts: not everything has to be learned from noise.

From random weights a small BERT first spends thousands of steps finding out which tokens stand
beside each other; until then it only guesses frequent ones. A start that already looks around
spares it that. It knows nothing of any text but the counts, and training changes all of it.
"""

import math
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

    from ecomtutor.pretraining.batches import MaskedPairs
    from ecomtutor.transformer import BertWithHeads

BASE = 10_000.0  # of the sinusoids, as in Vaswani et al. (2017), section 3.5


def start_near(model: "BertWithHeads", batches: "MaskedPairs") -> None:
    """Start from sinusoidal positions, heads that look at neighbours, and token frequencies.

    What the first layer's heads see passes on undamped: value and output are rotations at first.

    Args:
        model: fresh; changed in place.
        batches: those that it will be trained on; the first hundred are counted.

    Source:
        Clark et al. (2019) find such heads in the trained BERT; Trockman and Kolter (2023),
        Mimetic initialization, start from what training would arrive at.
    """
    import torch

    from ecomtutor.transformer import sinusoidal_positions

    config = model.config
    with torch.no_grad():
        # Three times the spread of the words: the first layer has to see places before meanings.
        model.bert.positions.weight.copy_(
            0.06 * sinusoidal_positions(config.positions, config.width, BASE)
        )
        first: Any = model.bert.blocks[0]
        query, key = neighbour_heads(config.width, config.heads)
        first.attention.query.weight.copy_(query)
        first.attention.key.weight.copy_(key)
        dice = torch.Generator().manual_seed(batches.seed + 1)
        for layer in (first.attention.value, first.attention.output):
            torch.nn.init.orthogonal_(layer.weight, generator=dice)
        model.mlm.bias.copy_(_log_frequencies(batches, config.vocabulary))


def neighbour_heads(
    width: int, heads: int, sharpness: float = 2.0
) -> "tuple[torch.Tensor, torch.Tensor]":
    """Query and key weights with which head 0 looks one token back, 1 one ahead, 2 two back, ….

    A sinusoid turned by o positions is the sinusoid o positions further on. The key copies each
    sine and cosine; the query turns them by the head's offset; their product is then largest where
    the distance is that offset.

    Returns:
        Two (width, width) matrices for `nn.Linear`.
    """
    import torch

    head_width = width // heads
    query, key = torch.zeros(width, width), torch.zeros(width, width)
    for head in range(heads):
        offset = (head // 2 + 1) * (-1 if head % 2 == 0 else 1)
        for pair in range(head_width // 2):
            angle = offset * BASE ** (-2 * pair / width)
            sine, row = math.sin(angle), head * head_width + 2 * pair
            key[row, 2 * pair] = key[row + 1, 2 * pair + 1] = sharpness
            query[row, 2 * pair] = query[row + 1, 2 * pair + 1] = sharpness * math.cos(angle)
            query[row, 2 * pair + 1] = sharpness * sine
            query[row + 1, 2 * pair] = -sharpness * sine
    return query, key


def _log_frequencies(batches: "MaskedPairs", vocabulary: int) -> "torch.Tensor":
    """The bias with which a model that sees nothing guesses as often as the tokens occur."""
    import torch

    labels = torch.cat([batches(step)["labels"].flatten() for step in range(100)])
    counts = torch.bincount(labels[labels >= 0], minlength=vocabulary) + 0.5
    return torch.log(counts / counts.sum())
