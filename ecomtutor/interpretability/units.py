"""What an explanation is about: the words or tokens of a text, with exact places."""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from ecomtutor.errors import EcomTutorError
from ecomtutor.interpretability.doors import whole
from ecomtutor.text import token_positions, words
from ecomtutor.text.checking import require_text

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


@dataclass(frozen=True)
class Unit:
    """A word, sign or token: `text[start:end]`, and the positions of the tokens that carry it."""

    text: str
    start: int
    end: int
    tokens: tuple[int, ...]


@dataclass(frozen=True)
class Units:
    """A text, tokenised once, cut into units.

    ids has shape (tokens,), special tokens included. No token belongs to two units; the special
    ones belong to none and are never hidden.
    """

    text: str
    ids: np.ndarray
    units: tuple[Unit, ...]
    mask_id: int
    pad_id: int

    def __len__(self) -> int:
        return len(self.units)

    @property
    def texts(self) -> list[str]:
        """The units' texts in order."""
        return [unit.text for unit in self.units]

    @property
    def unread(self) -> str:
        """The end of the text that the model does not read, because it is too long; else "".

        Blanks, accents and control characters that a tokenizer drops do not count; nor do units
        without tokens, which leave out signs that are read all the same.
        """
        last = self.units[-1] if self.units else None
        rest = self.text[last.end :] if last and last.tokens else ""
        return rest if any(unicodedata.category(c)[0] in "LNPS" for c in rest) else ""


def units_of(
    text: str,
    tokenizer: "PreTrainedTokenizerBase",
    by: Literal["word", "token"] = "word",
    *,
    max_tokens: int = 512,
) -> Units:
    """Cut a text into words or tokens, in any language, emoji and pure punctuation included.

    Args:
        text: at least one character that the tokenizer keeps; a longer text than `max_tokens`
            tokens is explained as far as the model reads it.
        tokenizer: a fast one, which tells each token's place; the model's own.
        by: "word" (jieba cuts Chinese, signs are units of their own) or "token". Where two words
            share a token, as with byte-level BPE, they become one unit.
        max_tokens: how many the model reads, special tokens included.

    Raises:
        EcomTutorError: no text, nothing to explain in it, another word for `by`, a tokenizer that
            tells no places.
    """
    whole(max_tokens, "max_tokens", 1)
    _require_characters(require_text(text))
    if not getattr(tokenizer, "is_fast", False):
        raise EcomTutorError(
            f"A fast tokenizer, which tells each token's place, is wanted; {tokenizer!r:.60} came."
        )
    encoded = tokenizer(
        text, truncation=True, max_length=max_tokens, return_offsets_mapping=True, verbose=False
    )
    return units_at(text, encoded["input_ids"], encoded["offset_mapping"], tokenizer, by)


def units_at(
    text: str,
    ids: Sequence[int],
    offsets: Sequence[tuple[int, int]],
    tokenizer: "PreTrainedTokenizerBase",
    by: Literal["word", "token"] = "word",
) -> Units:
    """Units of a row that was put together elsewhere, such as a reader's question and passage.

    Args:
        text: what is read.
        ids: the row as the model gets it, (tokens,), special tokens included.
        offsets: each token's (start, end) in the text, (0, 0) for the special ones.
        tokenizer: tells what tokens are hidden with.
        by: as in `units_of`.

    Raises:
        EcomTutorError: nothing to explain, another word for `by`, other numbers of ids and offsets.
    """
    if by not in ("word", "token"):
        raise EcomTutorError(f"Units are by 'word' or by 'token'; {by!r} came.")
    if len(ids) != len(offsets):
        raise EcomTutorError(
            f"Each token has its place in the text; {len(ids)} ids and {len(offsets)} places came."
        )
    if by == "word":
        places = _joined(token_positions(words(text), offsets))
    else:
        places = _joined([[t] for t, (start, end) in enumerate(offsets) if end > start])
    if not places:
        raise EcomTutorError(f"There is nothing to explain in {text!r:.60}: no token carries text.")
    units = [
        Unit(text[offsets[p[0]][0] : offsets[p[-1]][1]], offsets[p[0]][0], offsets[p[-1]][1], p)
        for p in places
    ]
    return Units(text, np.array(ids, dtype=np.int64), tuple(units), *hiding_ids(tokenizer))


def add_up(values: np.ndarray, tokens: Units, words: Units) -> np.ndarray:
    """Values of tokens, shape (tokens as units, …), added up to the words that they make.

    Raises:
        EcomTutorError: the two do not cut the same text.
    """
    if tokens.text != words.text or len(values) != len(tokens):
        raise EcomTutorError("Values of the tokens of one text are added up to its own words.")
    place = {unit.tokens[0]: i for i, unit in enumerate(tokens.units)}
    return np.array(
        [sum(values[place[t]] for t in word.tokens if t in place) for word in words.units]
    )


def _joined(places: Sequence[Sequence[int]]) -> list[tuple[int, ...]]:
    """Token positions of each unit, ascending; neighbours that share a token are one unit."""
    joined: list[list[int]] = []
    for positions in places:
        if joined and positions and positions[0] <= joined[-1][-1]:
            joined[-1] += [t for t in positions if t > joined[-1][-1]]
        elif positions:
            joined.append(list(positions))
    return [tuple(positions) for positions in joined]


def _require_characters(text: str) -> None:
    """Half a character, which a broken decoding leaves behind, is no text for any tokenizer."""
    broken = next((i for i, c in enumerate(text) if "\ud800" <= c <= "\udfff"), None)
    if broken is not None:
        raise EcomTutorError(
            f"Character {broken} of the text is half of one ({text[broken]!r}): it was decoded "
            "wrongly. Read the file as UTF-8, or drop it: text.encode('utf-8', 'ignore').decode()."
        )


def hiding_ids(tokenizer: "PreTrainedTokenizerBase") -> tuple[int, int]:
    """The ids of [MASK] and [PAD]; a generator, which has none, gets its end-of-text for both."""
    end = tokenizer.eos_token_id
    mask = tokenizer.mask_token_id if tokenizer.mask_token_id is not None else end
    pad = tokenizer.pad_token_id if tokenizer.pad_token_id is not None else end
    if mask is None or pad is None:
        raise EcomTutorError(
            "The tokenizer has no [MASK], no [PAD] and no end of text to hide with."
        )
    return int(mask), int(pad)
