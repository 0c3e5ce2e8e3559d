"""Words of English, Chinese or both, where no space may be trusted, with exact offsets."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING

import regex

from ecomtutor.errors import EcomTutorError
from ecomtutor.text.checking import require_text

if TYPE_CHECKING:
    import jieba

_LETTERS = r"(?:(?!\p{Han})[\p{L}\p{M}\p{N}])++"
# Joined inside a word: don't, USB-C, AT&T; and between digits: 3.5, 10:30, 1,299.
_SPELT = regex.compile(rf"{_LETTERS}(?:(?:['’&_-]|(?<=\d)[.,:](?=\d)){_LETTERS})*+")
_PIECE = regex.compile(
    r"(?P<gap>[\s\p{Cc}\p{Cf}]+)"
    rf"|(?P<block>(?:{_SPELT.pattern}|\p{{Han}}++)++)"
    r"|(?P<sign>(\X)\4*)"  # an emoji with its skin tone is one \X; !!! is one unit
)


@dataclass(frozen=True)
class Word:
    """A word or a sign, and where it stands: `text[start:end]` of the text that was cut."""

    text: str
    start: int
    end: int

    @property
    def is_sign(self) -> bool:
        """True for punctuation, emoji and other things without a letter or digit."""
        return not any(character.isalnum() for character in self.text)


def words(text: str) -> list[Word]:
    """The words of a text in order, whatever its languages.

    Chinese is cut by jieba's dictionary and its model of unknown words. A run of Latin letters
    and digits stays whole, inside Chinese too (iPhone15Pro, USB-C, 3.5mm), and so does a Chinese
    word written with Latin letters (T恤, a T-shirt). A sign, or one sign repeated, is a unit of
    its own. Each character of the text belongs to exactly one word, or to one of the `gaps`:
    white space and invisible characters.

    Raises:
        EcomTutorError: something other than text came.

    Source:
        jieba 0.42.1; Unicode Standard Annex 29 for what one character is to a reader.
    """
    found = []
    for piece in _PIECE.finditer(require_text(text)):
        if piece.lastgroup != "gap":
            cuts = _cuts(piece[0]) if piece.lastgroup == "block" else [0, len(piece[0])]
            first = piece.start()
            found += [Word(piece[0][a:b], first + a, first + b) for a, b in pairwise(cuts)]
    return found


def gaps(text: str, words: Sequence[Word]) -> list[tuple[int, int]]:
    """Where nothing stands: (start, end) of each run of characters that belongs to no word."""
    edges = [0, *(edge for word in words for edge in (word.start, word.end)), len(text)]
    spans = zip(edges[::2], edges[1::2], strict=True)
    return [(start, end) for start, end in spans if start < end]


def token_positions(words: Sequence[Word], offsets: Sequence[tuple[int, int]]) -> list[list[int]]:
    """For each word the positions of the tokens that carry some of its characters.

    A token over two words (byte-level BPE does that in Chinese) is listed with both. A word that
    was cut off at the model's limit, or that the tokenizer drops, has an empty list.

    Args:
        words: from `words(text)`.
        offsets: the tokenizer's (start, end) for each token of the same text:
            `tokenizer(text, return_offsets_mapping=True)["offset_mapping"]`. Special tokens have
            no characters, (0, 0), and belong to no word.

    Raises:
        EcomTutorError: an offset is not a pair with start ≤ end, such as those of a batch.
    """
    spans = [_span(offset) for offset in offsets]
    return [
        [i for i, (start, end) in enumerate(spans) if start < word.end and end > word.start]
        for word in words
    ]


def _span(offset: Sequence[int]) -> tuple[int, int]:
    pair = tuple(offset)
    if len(pair) != 2 or any(isinstance(x, (list, tuple)) for x in pair) or pair[0] > pair[1]:
        raise EcomTutorError(
            f"Each token has one (start, end); {offset!s:.60} came. Give the offsets of one "
            "text, not of a batch: `offset_mapping[0]`."
        )
    start, end = int(pair[0]), int(pair[1])
    return (start, end) if start < end else (-1, -1)


def _cuts(block: str) -> list[int]:
    """Where words begin in a block of letters without spaces, and where the last one ends."""
    inside = {i for spelt in _SPELT.finditer(block) for i in range(spelt.start() + 1, spelt.end())}
    if len(inside) == len(block) - 1:  # nothing but one spelt word: jieba is not needed
        return [0, len(block)]
    return [cut for cut in _jieba_starts(block) if cut not in inside] + [len(block)]


def _jieba_starts(block: str) -> Iterator[int]:
    return (start for _, start, _ in _jieba().tokenize(block))


@cache
def _jieba() -> "jieba.Tokenizer":
    """jieba with its dictionary, read from the package.

    Its own start-up tells its progress on stderr and keeps a cache in the system's temporary
    folder, which any user of the machine may write. This takes half a second longer, once.
    """
    import jieba

    tokenizer = jieba.Tokenizer()
    tokenizer.FREQ, tokenizer.total = tokenizer.gen_pfdict(tokenizer.get_dict_file())
    tokenizer.initialized = True
    return tokenizer
