"""A need while it is being read: which stretch of it is claimed for what."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import regex

from ecomtutor.recommendation.limits import Limit

Role = Literal["limit", "wish", "query", "left out", "filler"]

CLAUSE_END = r"[,，。;；!！?？、\n]"


@dataclass(frozen=True)
class Part:
    """`text[start:end]` of a need, and what became of it; why, for what was left out."""

    start: int
    end: int
    role: Role
    why: str = ""


def language_of(text: str) -> str:
    """ "zh" if a text has as many Chinese characters as words in Latin letters, else "en"."""
    han = len(regex.findall(r"\p{Han}", text))
    return "zh" if han and han >= len(regex.findall(r"[a-z]+", text.lower())) else "en"


class Claims:
    """The text of a need; what one step of reading has claimed, no later one reads again."""

    def __init__(self, text: str):
        self.text = text
        # Offsets must not move, and a few capitals become two characters in lower case.
        self.lower = "".join(c.lower() if len(c.lower()) == 1 else c for c in text)
        self.claimed: list[Part] = []
        self.limits: list[Limit] = []
        self.cheap = False

    def claim(self, start: int, end: int, role: Role, why: str = "") -> None:
        """Give a stretch a role; what is claimed already keeps its own."""
        for a, b in self._free(start, end):
            self.claimed.append(Part(a, b, role, why))

    def _free(self, start: int, end: int) -> list[tuple[int, int]]:
        pieces = [(start, end)] if start < end else []
        for part in self.claimed:
            pieces = [
                piece
                for a, b in pieces
                for piece in ((a, min(b, part.start)), (max(a, part.end), b))
                if piece[0] < piece[1]
            ]
        return sorted(set(pieces))

    def _is_free(self, start: int, end: int) -> bool:
        return self._free(start, end) == [(start, end)]

    def _finds(self, pattern: str) -> "Iterator[regex.Match[str]]":
        for match in regex.finditer(pattern, self.lower):
            if match.end() > match.start() and self._is_free(match.start(), match.end()):
                yield match

    def parts(self) -> list[Part]:
        """The whole text in order; what nobody claimed is the query."""
        rest = [Part(a, b, "query") for a, b in self._free(0, len(self.text))]
        return sorted([*self.claimed, *rest], key=lambda part: part.start)

    def query(self, parts: tuple[Part, ...]) -> str:
        """The words to search for, without stray signs."""
        kept = [self.text[p.start : p.end] if p.role in ("query", "wish") else " " for p in parts]
        words = regex.sub(r"[^\w\s+%/&.'’-]+|(?<!\w)[-.'’/&]+|[-.'’/&]+(?!\w)", " ", "".join(kept))
        words = regex.sub(r"(?<=\p{Han})\s+(?=\p{Han})|(?<!\w)的|的(?!\w)", " ", words)
        return " ".join(words.split())

    def _limit(self, limit: Limit, start: int, end: int) -> None:
        self.limits.append(limit)
        self.claim(start, end, "limit")
