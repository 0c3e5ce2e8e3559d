"""What every training run of the course shares.

loop       steps that may be killed at any moment and go on exactly; AdamW, Muon; early stopping
buckets    texts of unequal length as batches that waste little
"""

from ecomtutor.training.buckets import length_buckets, pad
from ecomtutor.training.loop import (
    Batch,
    Curve,
    Plan,
    has_bf16,
    load_weights,
    make_optimizers,
    train,
)

__all__ = [
    "Batch",
    "Curve",
    "Plan",
    "has_bf16",
    "length_buckets",
    "load_weights",
    "make_optimizers",
    "pad",
    "train",
]
