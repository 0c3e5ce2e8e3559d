"""Batches as a function of their number: the same number and seed always give the same batch.

Nothing about the data has to be saved for a training run to be resumed exactly: step 700 draws its
pairs, masks and order from the seed and the number 700 alone.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ecomtutor.pretraining.corpus import Document, sentences
from ecomtutor.pretraining.masking import IGNORED, NO_WORD, Vocabulary, choose_words, hide
from ecomtutor.training.buckets import length_buckets, pad

if TYPE_CHECKING:
    import numpy as np
    import torch
    from transformers import PreTrainedTokenizerBase

Batch = dict[str, "torch.Tensor"]


class CausalBatches:
    """Texts as next-token batches: `<|endoftext|> text <|endoftext|>`, one text a row.

    A text longer than the model's window goes on in the next row.
    """

    def __init__(
        self,
        texts: Sequence[str],
        tokenizer: "PreTrainedTokenizerBase",
        *,
        tokens: int,
        window: int = 512,
        seed: int = 0,
    ):
        import numpy as np

        self.end_id, self.seed = tokenizer.eos_token_id, seed
        encoded = tokenizer(list(texts), verbose=False)["input_ids"]
        framed = [np.array([self.end_id, *ids, self.end_id]) for ids in encoded]
        # Rows overlap by one token, so that each token after the first is predicted once.
        self.rows = [
            ids[start : start + window]
            for ids in framed
            for start in range(0, len(ids) - 1, window - 1)
        ]
        self.lengths = np.array([len(row) for row in self.rows])
        self.per_epoch = max(1, round(self.lengths.sum() / tokens))
        self._kept: tuple[int, list[np.ndarray]] = (-1, [])

    def __call__(self, step: int) -> Batch:
        """Batch number `step`: ids (batch, tokens), and labels, -100 at the padding."""
        epoch, place = divmod(step, self.per_epoch)
        buckets = self._buckets(epoch)
        return self.collate([self.rows[i] for i in buckets[place % len(buckets)]])

    def epoch(self, number: int) -> "Iterator[Batch]":
        """Every row once."""
        return (self.collate([self.rows[i] for i in bucket]) for bucket in self._buckets(number))

    def collate(self, rows: "Sequence[np.ndarray]") -> Batch:
        """Rows as one padded batch."""
        import torch

        return {
            "ids": torch.from_numpy(pad(rows, self.end_id)),
            "labels": torch.from_numpy(pad(rows, IGNORED)),
        }

    def _buckets(self, epoch: int) -> "list[np.ndarray]":
        import numpy as np

        if self._kept[0] != epoch:
            rng = np.random.default_rng([self.seed, epoch])
            self._kept = epoch, length_buckets(self.lengths, self.per_epoch, rng)
        return self._kept[1]


@dataclass(frozen=True)
class Sentence:
    """A sentence as token ids, with the number of the word that each token belongs to."""

    ids: "np.ndarray"
    words: "np.ndarray"


def encode_sentences(texts: Sequence[str], tokenizer: "PreTrainedTokenizerBase") -> list[Sentence]:
    """Token ids of each text, and their words as jieba cuts them: 酒店 is two tokens, one word."""
    import numpy as np

    encoded = tokenizer(
        list(texts), add_special_tokens=False, return_offsets_mapping=True, verbose=False
    )
    result = []
    for text, ids, offsets in zip(
        texts, encoded["input_ids"], encoded["offset_mapping"], strict=True
    ):
        word_at = word_numbers(text)
        starts = [start for start, _ in offsets]
        result.append(
            Sentence(np.array(ids, dtype=np.int64), word_at[np.array(starts, dtype=np.int64)])
        )
    return result


def word_numbers(text: str) -> "np.ndarray":
    """For each character of a text, the number of the jieba word that it stands in."""
    import jieba
    import numpy as np

    jieba.setLogLevel("WARNING")
    lengths = [len(word) for word in jieba.cut(text)]
    return np.repeat(np.arange(len(lengths)), lengths)


@dataclass(frozen=True)
class Pair:
    """`[CLS] A [SEP] B [SEP]`; next_label 0 where B follows A, 1 where not, -100 without a B."""

    ids: "np.ndarray"
    segments: "np.ndarray"
    words: "np.ndarray"
    next_label: int


class MaskedPairs:
    """Texts as MLM + NSP batches: sentence pairs drawn anew each epoch, masks anew each step.

    A pair is a text cut between two sentences. For half of the pairs, B is the end of another text
    from the same shelf: a different language or genre would give the answer away.

    `whole_words` is the share of the pairs in which whole words are hidden; in the others tokens
    are hidden one by one. Who is only ever shown whole words missing never learns to complete 酒□.
    """

    def __init__(
        self,
        documents: Sequence[Document],
        tokenizer: "PreTrainedTokenizerBase",
        *,
        tokens: int,
        window: int = 512,
        rate: float = 0.15,
        whole_words: float = 1.0,
        seed: int = 0,
    ):
        self.whole_words = whole_words
        self.vocabulary = Vocabulary.of(tokenizer)
        self.cls_id, self.sep_id = tokenizer.cls_token_id, tokenizer.sep_token_id
        self.pad_id = tokenizer.pad_token_id
        self.rate, self.seed, self.window = rate, seed, window
        cut = [sentences(document.text) for document in documents]
        flat = iter(encode_sentences([s for text in cut for s in text], tokenizer))
        self.texts = [[next(flat) for _ in text] for text in cut]
        self.shelves = [document.shelf for document in documents]
        total = sum(len(sentence.ids) for text in self.texts for sentence in text)
        self.per_epoch = max(1, round(total / tokens))
        self._kept: tuple[int, list[list[Pair]]] = (-1, [])

    def __call__(self, step: int) -> Batch:
        """Batch number `step`, masked: see `collate`."""
        import numpy as np

        epoch, place = divmod(step, self.per_epoch)
        buckets = self._buckets(epoch)
        rng = np.random.default_rng([self.seed, 1, step])
        return self.collate(buckets[place % len(buckets)], rng)

    def epoch(self, number: int) -> "Iterator[Batch]":
        """Every pair of an epoch once."""
        import numpy as np

        for place, bucket in enumerate(self._buckets(number)):
            step = number * self.per_epoch + place
            yield self.collate(bucket, np.random.default_rng([self.seed, 1, step]))

    def collate(self, pairs: Sequence[Pair], rng: "np.random.Generator") -> Batch:
        """Pairs as one padded batch with masks drawn from `rng`.

        Returns:
            ids, segments, mask (1 at real tokens) and labels, each (batch, tokens), and
            next_labels, (batch,).
        """
        import numpy as np
        import torch

        ids = pad([pair.ids for pair in pairs], self.pad_id)
        words = pad([pair.words for pair in pairs], NO_WORD)
        if self.whole_words < 1:
            alone = rng.random((len(ids), 1)) >= self.whole_words  # (batch, 1)
            each = np.where(words == NO_WORD, NO_WORD, np.arange(ids.shape[1]))
            words = np.where(alone, each, words)
        seen, labels = hide(ids, choose_words(words, self.rate, rng), self.vocabulary, rng)
        arrays = {
            "ids": seen,
            "segments": pad([pair.segments for pair in pairs], 0),
            "mask": pad([np.ones_like(pair.ids) for pair in pairs], 0),
            "labels": labels,
            "next_labels": np.array([pair.next_label for pair in pairs]),
        }
        return {name: torch.from_numpy(array) for name, array in arrays.items()}

    def pairs(self, epoch: int) -> list[Pair]:
        """One pair from each text; the cut, and whether B really follows, change by epoch."""
        import numpy as np

        rng = np.random.default_rng([self.seed, 0, epoch])
        shelves: dict[str, list[int]] = {}
        for number, shelf in enumerate(self.shelves):
            if len(self.texts[number]) > 1:
                shelves.setdefault(shelf, []).append(number)
        return [self._pair(number, shelves, rng) for number in range(len(self.texts))]

    def _pair(self, number: int, shelves: dict[str, list[int]], rng: "np.random.Generator") -> Pair:
        text = self.texts[number]
        if len(text) == 1:
            return self._join(text, [], IGNORED)
        cut = rng.integers(1, len(text))
        shelf = shelves[self.shelves[number]]
        if rng.random() < 0.5 or len(shelf) == 1:
            return self._join(text[:cut], text[cut:], 0)
        other = number
        while other == number:
            other = shelf[rng.integers(len(shelf))]
        return self._join(
            text[:cut], self.texts[other][rng.integers(1, len(self.texts[other])) :], 1
        )

    def _join(self, first: list[Sentence], second: list[Sentence], label: int) -> Pair:
        """Both sides with their special tokens; the longer side is shortened where needed."""
        import numpy as np

        a, b = _glue(first), _glue(second)
        room = self.window - 3
        keep_a = min(len(a.ids), max(room // 2, room - len(b.ids)))
        keep_b = min(len(b.ids), room - keep_a)
        cls, sep = np.array([self.cls_id]), np.array([self.sep_id])
        none = np.array([NO_WORD])
        # A keeps its end and B its beginning: the two sentences that meet.
        parts = [cls, a.ids[len(a.ids) - keep_a :], sep]
        words = [none, a.words[len(a.ids) - keep_a :], none]
        if second:
            parts += [b.ids[:keep_b], sep]
            words += [b.words[:keep_b] + (a.words.max(initial=-1) + 1), none]
        first_length = keep_a + 2
        ids = np.concatenate(parts)
        return Pair(ids, (np.arange(len(ids)) >= first_length) * 1, np.concatenate(words), label)

    def _buckets(self, epoch: int) -> list[list[Pair]]:
        import numpy as np

        if self._kept[0] != epoch:
            pairs = self.pairs(epoch)
            lengths = np.array([len(pair.ids) for pair in pairs])
            rng = np.random.default_rng([self.seed, 2, epoch])
            buckets = length_buckets(lengths, self.per_epoch, rng)
            self._kept = epoch, [[pairs[i] for i in bucket] for bucket in buckets]
        return self._kept[1]


def _glue(parts: list[Sentence]) -> Sentence:
    """Sentences as one, their words numbered on."""
    import numpy as np

    ids, words, offset = [np.array([], dtype=np.int64)], [np.array([], dtype=np.int64)], 0
    for part in parts:
        ids.append(part.ids)
        words.append(part.words + offset)
        offset += part.words.max(initial=-1) + 1
    return Sentence(np.concatenate(ids), np.concatenate(words))
