"""What real reviews carry besides words, how to find it, and how to mend it."""

import html
import unicodedata
from functools import cache
from typing import TYPE_CHECKING

import regex

from ecomtutor.text.checking import require_text

if TYPE_CHECKING:
    from opencc import OpenCC

# Only with its semicolon: `html.unescape` would also turn the start of "&notes" into "¬es".
_ENTITY = regex.compile(r"&(?:#\d+|#[xX][\da-fA-F]+|[A-Za-z]\w*);")
# By name, so that a book title written <明朝那些事> or a sum like a<b stays.
_TAG = regex.compile(
    r"</?(?:a|b|br|div|em|font|h[1-6]|hr|i|img|li|ol|p|s|span|strong|table|td|tr|u|ul)"
    r"(?:\s[^<>]*)?/?>",
    regex.IGNORECASE,
)
_INVISIBLE = regex.compile(r"[\u00ad\u200b\u200e\u200f\u2060\ufeff]")
_EMOJI = regex.compile(r"\p{Extended_Pictographic}")
_EMOJI_DRESS = regex.compile(r"[\ufe0f\u200d\U0001f3fb-\U0001f3ff]")

ODDITIES: dict[str, str] = {
    "HTML entity": _ENTITY.pattern,
    "HTML tag": f"(?i){_TAG.pattern}",
    "full-width letter or digit": r"[\uff10-\uff19\uff21-\uff3a\uff41-\uff5a]",
    "emoji or picture sign": _EMOJI.pattern,
    "web address": r"https?://|www\.",
    "bytes read in the wrong encoding": r"[\ue000-\uf8ff]|~\{",
    "one sign six times or more": r"([^\w\s])\1{5}",
    "no Chinese and no English word": r"^(?!.*(?:\p{Han}|[A-Za-z]{2}))",
}


def oddities(text: str) -> list[str]:
    """The names in `ODDITIES` whose pattern the text contains.

    Raises:
        EcomTutorError: something other than text came.
    """
    require_text(text)
    return [name for name, pattern in ODDITIES.items() if regex.search(pattern, text)]


def clean(text: str) -> str:
    """The text as its writer meant it, for reading, counting and training.

    Entities become their characters (twice: "&amp;#34;" was escaped twice), HTML tags become
    spaces, full-width letters and digits become ordinary ones, traditional characters become
    simplified, invisible characters go, each run of white space becomes one space. Case, emoji
    and the punctuation of both languages stay: NFKC, applied to everything, would turn the
    Chinese comma ， into the English one and … into three dots.

    Raises:
        EcomTutorError: something other than text came.

    Source:
        Unicode Standard Annex 15 (NFKC).
    """
    text = require_text(text)
    for _ in range(2):
        text = _ENTITY.sub(lambda entity: html.unescape(entity[0]), text)
    text = _TAG.sub(" ", text)
    text = regex.sub(r"\P{P}+", lambda part: unicodedata.normalize("NFKC", part[0]), text)
    return " ".join(simplified(_INVISIBLE.sub("", text)).split())


def simplified(text: str) -> str:
    """Chinese in simplified characters; every character keeps its place, other text stays.

    There is no way back: 發 "send" and 髮 "hair" both become 发.

    Raises:
        EcomTutorError: something other than text came.

    Source:
        The tables of OpenCC (Apache-2.0).
    """
    require_text(text)
    # One review in a hundred needs it, and OpenCC in Python takes a millisecond for each.
    return text if _traditional().isdisjoint(text) else _opencc().convert(text)


def spell_out_emoji(text: str) -> str:
    """Each emoji as its Unicode name, so that an English model without emoji can read it."""
    undressed = _EMOJI_DRESS.sub("", require_text(text))
    spelt = _EMOJI.sub(lambda emoji: f" {unicodedata.name(emoji[0], '').lower()} ", undressed)
    return " ".join(spelt.split()) if spelt != text else text


@cache
def _traditional() -> frozenset[str]:
    """The characters that have a simplified form."""
    chinese = map(chr, range(0x3400, 0xA000))
    return frozenset(c for c in chinese if _opencc().convert(c) != c)


@cache
def _opencc() -> "OpenCC":
    from opencc import OpenCC

    return OpenCC("t2s")
