"""The tokenizers of the course's real models, without the models: a moment, not a gigabyte."""

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from ecomtutor.errors import EcomTutorError
from ecomtutor.resources import CATALOGUE, locate
from ecomtutor.text.checking import require_text

if TYPE_CHECKING:
    from tokenizers import Tokenizer

TOKENIZERS: dict[str, str] = {
    "wordpiece-en": "minilm",
    "wordpiece-zh": "m3e",
    "byte-bpe": "smollm2",
}


@dataclass(frozen=True)
class Piece:
    """A token: what the vocabulary calls it, its number, and `text[start:end]` that it covers."""

    token: str
    id: int
    start: int
    end: int


@cache
def load_tokenizer(name: str) -> "Tokenizer":
    """The tokenizer "wordpiece-en" (MiniLM), "wordpiece-zh" (m3e-small), "byte-bpe" (SmolLM2).

    Called twice, it returns the same object. It neither pads nor truncates.

    Raises:
        EcomTutorError: another name.
        MissingResource: the model is not on this machine yet; the message says how to fetch it.
    """
    if name not in TOKENIZERS:
        raise EcomTutorError(f"The tokenizers are {', '.join(TOKENIZERS)}; {name!r} was asked for.")
    from tokenizers import Tokenizer

    file = locate(CATALOGUE[TOKENIZERS[name]]).path("tokenizer.json")
    tokenizer = Tokenizer.from_file(str(file))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return tokenizer


def pieces(text: str, name: str) -> list[Piece]:
    """The tokens of a text with their offsets, without special tokens."""
    encoding = load_tokenizer(name).encode(require_text(text), add_special_tokens=False)
    rows = zip(encoding.tokens, encoding.ids, encoding.offsets, strict=True)
    return [Piece(token, number, start, end) for token, number, (start, end) in rows]
