"""A question and a passage as the rows of tokens that a reader sees."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ecomtutor.errors import EcomTutorError

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

MAX_TOKENS, STRIDE = 384, 128
MAX_QUESTION, MAX_TITLE = 64, 48


@dataclass(frozen=True)
class Pieces:
    """A text as token ids (tokens,) and where each token stands in it: offsets (tokens, 2)."""

    ids: np.ndarray
    offsets: np.ndarray


@dataclass(frozen=True)
class Window:
    """One row for the reader: [CLS] question [SEP] title [SEP] part of the passage [SEP].

    Without a title its part and its [SEP] are left out. first is where the passage's part begins;
    offsets (part, 2) are the characters of its tokens in the passage.
    """

    ids: np.ndarray
    segment_from: int
    first: int
    offsets: np.ndarray

    @property
    def segments(self) -> np.ndarray:
        """(tokens,): 0 for the question, 1 from the title or the passage on."""
        return (np.arange(len(self.ids)) >= self.segment_from).astype(np.int64)

    @property
    def allowed(self) -> np.ndarray:
        """(tokens,): true where an answer may lie."""
        open_ = np.zeros(len(self.ids), dtype=bool)
        open_[self.first : self.first + len(self.offsets)] = True
        return open_

    def characters(self, start: int, end: int) -> tuple[int, int]:
        """Characters (start, end) in the passage of the tokens from start to end, both included."""
        return (
            int(self.offsets[start - self.first, 0]),
            int(self.offsets[end - self.first, 1]),
        )

    def tokens(self, start: int, end: int) -> tuple[int, int] | None:
        """Positions of the first and last token of these characters; None if not all are here."""
        touched = np.flatnonzero((self.offsets[:, 1] > start) & (self.offsets[:, 0] < end))
        if not len(touched):
            return None
        left, right = touched[0], touched[-1]
        if self.offsets[left, 0] > start or self.offsets[right, 1] < end:
            return None
        return int(left) + self.first, int(right) + self.first


def pieces_of(texts: Sequence[str], tokenizer: "PreTrainedTokenizerBase") -> list[Pieces]:
    """Texts as tokens without [CLS] and [SEP]; offsets count characters of the text itself."""
    if not texts:
        return []
    coded: Any = tokenizer(
        list(texts), add_special_tokens=False, return_offsets_mapping=True, verbose=False
    )
    return [
        Pieces(np.array(ids, dtype=np.int64), np.array(spans, dtype=np.int64).reshape(-1, 2))
        for ids, spans in zip(coded["input_ids"], coded["offset_mapping"], strict=True)
    ]


def windows(
    question: Pieces,
    title: Pieces,
    passage: Pieces,
    tokenizer: "PreTrainedTokenizerBase",
    *,
    max_tokens: int = MAX_TOKENS,
    stride: int = STRIDE,
) -> Iterator[Window]:
    """The passage in windows that overlap by `stride` tokens; one where it fits.

    A question longer than 64 tokens keeps its first and last 32: what is asked stands at an end.

    Args:
        question, title, passage: from `pieces_of`; a title may have no tokens.
        tokenizer: whose [CLS] and [SEP] are used.
        max_tokens: the length of the longest window.
        stride: tokens that neighbouring windows share, so that an answer at an edge is whole once.

    Raises:
        EcomTutorError: no room for the passage beside the question.
    """
    ids = question.ids
    if len(ids) > MAX_QUESTION:
        half = MAX_QUESTION // 2
        ids = np.concatenate([ids[:half], ids[-half:]])
    cls, sep = [tokenizer.cls_token_id], [tokenizer.sep_token_id]
    named = [title.ids[:MAX_TITLE], sep] if len(title.ids) else []
    head = np.concatenate([cls, ids, sep, *named]).astype(np.int64)
    room = max_tokens - len(head) - 1
    if room <= stride:
        raise EcomTutorError(
            f"Beside a question and a title of {len(head)} tokens a window of {max_tokens} leaves "
            f"{room}, not more than the {stride} that windows share. Give more max_tokens."
        )
    first = 0
    while True:
        part = slice(first, first + room)
        row = np.concatenate([head, passage.ids[part], sep]).astype(np.int64)
        yield Window(row, len(ids) + 2, len(head), passage.offsets[part])
        if first + room >= len(passage.ids):
            return
        first += room - stride
