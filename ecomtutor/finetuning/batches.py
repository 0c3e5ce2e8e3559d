"""Texts as token ids, and training batches that depend on their number alone."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch

from ecomtutor.finetuning.examples import Examples
from ecomtutor.text import token_positions, words
from ecomtutor.training import pad

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


def encode(
    texts: Sequence[str], tokenizer: "PreTrainedTokenizerBase", max_tokens: int
) -> tuple[list[np.ndarray], list[int]]:
    """Token ids of each text, cut at max_tokens, and how many tokens each one lost by that."""
    full = tokenizer(list(texts), verbose=False)["input_ids"]
    long = [i for i, ids in enumerate(full) if len(ids) > max_tokens]
    lost = [max(0, len(ids) - max_tokens) for ids in full]
    if long:
        cut = tokenizer([texts[i] for i in long], truncation=True, max_length=max_tokens)
        for i, ids in zip(long, cut["input_ids"], strict=True):
            full[i] = ids
    return [np.array(ids, dtype=np.int64) for ids in full], lost


def padded(
    rows: Sequence[np.ndarray], filler: int, multiple: int = 8
) -> tuple[torch.Tensor, torch.Tensor]:
    """Token ids and attention mask, both (texts, tokens), of rows of unequal length.

    Widths are multiples of 8: the processor prepares its code anew for each shape that it meets.
    """
    ids = pad(rows, filler, multiple=multiple)
    lengths = np.array([len(row) for row in rows])
    mask = (np.arange(ids.shape[1]) < lengths[:, None]).astype(np.int64)
    return torch.from_numpy(ids), torch.from_numpy(mask)


class TrainingBatches:
    """Batches of texts of like length: `batches(step)` is the same for the same seed and step.

    A batch is as wide as its longest text, so that little is spent on padding. Where `mask_share`
    is above 0, half of the texts have words replaced by the mask token, up to that share of
    their words and a new choice each time: a classifier that has seen such texts is not
    surprised when an explanation hides words from it.
    """

    def __init__(
        self,
        examples: Examples,
        tokenizer: "PreTrainedTokenizerBase",
        *,
        batch_size: int,
        max_tokens: int,
        mask_share: float = 0.0,
        seed: int = 0,
    ):
        self.rows, _ = encode(examples.texts, tokenizer, max_tokens)
        self.targets = examples.targets
        self.lengths = np.array([len(row) for row in self.rows])
        self.filler, self.mask = tokenizer.pad_token_id, tokenizer.mask_token_id
        self.batch_size, self.mask_share, self.seed = batch_size, mask_share, seed
        self.spans = _word_spans(examples.texts, tokenizer, max_tokens) if mask_share else None
        self._epoch, self._order = -1, list[np.ndarray]()

    @property
    def per_epoch(self) -> int:
        """Batches in which every text is seen once."""
        return -(-len(self.rows) // self.batch_size)

    def __call__(self, step: int) -> dict[str, torch.Tensor]:
        """A step's batch: input_ids, attention_mask (texts, tokens); targets (texts, classes)."""
        epoch, place = divmod(step, self.per_epoch)
        chosen = self._order_of(epoch)[place]
        dice = np.random.default_rng((self.seed, step, 1))
        rows = [self._masked(i, dice) if self.spans else self.rows[i] for i in chosen]
        ids, mask = padded(rows, self.filler)
        targets = torch.from_numpy(self.targets[chosen])
        return {"input_ids": ids, "attention_mask": mask, "targets": targets}

    def _order_of(self, epoch: int) -> list[np.ndarray]:
        """The epoch's batches as numbers of texts; the longest texts' neighbours vary a little."""
        if epoch != self._epoch:
            dice = np.random.default_rng((self.seed, epoch, 0))
            order = np.argsort(self.lengths * dice.uniform(0.9, 1.1, len(self.lengths)))
            batches = np.split(order, range(self.batch_size, len(order), self.batch_size))
            self._order = [batches[i] for i in dice.permutation(len(batches))]
            self._epoch = epoch
        return self._order

    def _masked(self, i: int, dice: np.random.Generator) -> np.ndarray:
        row, spans = self.rows[i], self.spans[i] if self.spans else []
        if not spans or dice.random() < 0.5:
            return row
        hidden = dice.random(len(spans)) < dice.uniform(0, self.mask_share)
        row = row.copy()
        for span, hide in zip(spans, hidden, strict=True):
            if hide:
                row[span] = self.mask
        return row


def _word_spans(
    texts: Sequence[str], tokenizer: "PreTrainedTokenizerBase", max_tokens: int
) -> list[list[list[int]]]:
    """For each text the token positions of each word that has any."""
    offsets = tokenizer(
        list(texts), truncation=True, max_length=max_tokens, return_offsets_mapping=True
    )["offset_mapping"]
    return [
        [span for span in token_positions(words(text), pairs) if span]
        for text, pairs in zip(texts, offsets, strict=True)
    ]
