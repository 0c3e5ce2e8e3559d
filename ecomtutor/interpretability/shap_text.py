"""How the package shap 0.51 sees a text: its segments, its masked strings, its tree.

Written anew from what shap's text masker and its tree do, so that `shap_parity` can ask the same
questions of a classifier, many at a time.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from ecomtutor.errors import EcomTutorError
from ecomtutor.interpretability.units import Unit, Units, hiding_ids
from ecomtutor.text.checking import require_text

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

_SPACES = re.compile(r"\s+")
_ENDS_A_WORD = re.compile(r"^.*\W$")
_LATIN = re.compile(r"^[A-Za-z]")
_CLOSER = {"(": ")"}
_ENDINGS, _JOINING, _SHORT = (".", "?", "!"), ("but", "and", "or"), ("t", "s")


@dataclass(frozen=True)
class ShapText:
    """A text cut as shap cuts it, one segment for each token, special tokens included.

    A segment reaches to the next one, so that spaces stay with the token before them; the segments
    of special tokens are empty. fixed (tokens,) marks those that shap never hides.
    """

    units: Units
    segments: tuple[str, ...]
    fixed: np.ndarray
    mask: str
    separator: str | None

    def __len__(self) -> int:
        return len(self.segments)

    def shown(self, present: np.ndarray) -> str:
        """The string that shap hands to the pipeline when only these tokens (tokens,) are there."""
        pairs = zip(self.segments, present | self.fixed, strict=True)
        parts = [s if there or s == self.separator else f" {self.mask}" for s, there in pairs]
        return _SPACES.sub(" ", "".join(parts)).strip()


def shap_text(text: str, tokenizer: "PreTrainedTokenizerBase", max_tokens: int = 512) -> ShapText:
    """Cut a text as shap does.

    Args:
        text: at most as long as the model reads: shap itself fails on longer ones.
        tokenizer: a fast one with a mask token, such as an encoder's.
        max_tokens: how many tokens the model reads, special ones included.

    Raises:
        EcomTutorError: an empty or too long text, or a tokenizer without a mask token.
    """
    require_text(text)
    if tokenizer.mask_token is None:
        raise EcomTutorError("shap's way on texts is followed for tokenizers with a mask token.")
    encoded = tokenizer(text, return_offsets_mapping=True, verbose=False)
    ids, places = np.array(encoded["input_ids"], dtype=np.int64), encoded["offset_mapping"]
    if not any(end > start for start, end in places):
        raise EcomTutorError(f"There is nothing to explain in {text!r:.60}: no token carries text.")
    if len(ids) > max_tokens:
        raise EcomTutorError(
            f"The text has {len(ids)} tokens, the model reads {max_tokens}: shap stops with an "
            "error of the model. explain(…) explains what the model reads of it."
        )
    starts = [start for start, _ in places[1:]] + [0]
    segments = [
        text[start : max(end, following)]
        for (start, end), following in zip(places, starts, strict=True)
    ]
    units = Units(text, ids, _tokens_as_units(text, tokenizer, ids, places), *hiding_ids(tokenizer))
    fixed, around = np.zeros(len(ids), dtype=bool), len(tokenizer("")["input_ids"]) // 2
    fixed[:around] = fixed[len(ids) - around :] = True
    return ShapText(units, tuple(segments), fixed, str(tokenizer.mask_token), tokenizer.sep_token)


def _tokens_as_units(
    text: str, tokenizer: "PreTrainedTokenizerBase", ids: np.ndarray, places: Any
) -> tuple[Unit, ...]:
    """One unit for each token; special ones have their name for text, and no width."""
    names = tokenizer.convert_ids_to_tokens(ids.tolist())
    found, here = [], 0
    for t, ((start, end), name) in enumerate(zip(places, names, strict=True)):
        here = max(here, start, end)
        special = end <= start
        start, end = (here, here) if special else (start, end)
        found.append(Unit(name if special else text[start:end], start, end, (t,)))
    return tuple(found)


def shap_tree(segments: Sequence[str], separator: str | None = None) -> np.ndarray:
    """Shap's binary tree over the segments of a text: neighbours that fit best join first.

    Returns:
        (segments - 1, 3) integers: each row joins two nodes (left, right) and says how many
        segments lie below. Nodes count the segments first, then the rows, as in scipy.
    """
    groups = [_Run(word, word, 1, i) for i, word in enumerate(_as_pieces(segments))]
    scores = [_fit(*pair, separator) for pair in pairwise(groups)]
    rows = []
    while scores:
        i = int(np.argmax(scores))  # the first of equals
        left, right = groups[i], groups[i + 1]
        rows.append((left.node, right.node, left.size + right.size))
        groups[i : i + 2] = [left.with_right(right, len(segments) + len(rows) - 1)]
        del scores[i]
        for j in (i - 1, i):
            if 0 <= j < len(scores):
                scores[j] = _fit(groups[j], groups[j + 1], separator)
    return np.array(rows, dtype=int).reshape(-1, 3)


@dataclass(frozen=True)
class _Run:
    """Neighbouring segments that have joined. open_left: it begins with a bracket that is open."""

    first: str
    last: str
    size: int
    node: int
    second: str = ""
    open_left: bool = True
    open_right: bool = True

    def with_right(self, other: "_Run", node: int) -> "_Run":
        closed = _CLOSER.get(self.first) == other.last
        second = self.second if self.size > 1 else other.first
        return _Run(
            self.first,
            other.last,
            self.size + other.size,
            node,
            second,
            self.open_left and not closed,
            other.open_right and not closed,
        )


def _as_pieces(segments: Sequence[str]) -> list[str]:
    """Stripped segments; a Latin one right behind a letter, of any script, is marked by ##."""
    pieces: list[str] = []
    for i, segment in enumerate(segments):
        inside = i > 0 and pieces[-1] != "" and not _ENDS_A_WORD.match(segments[i - 1])
        mark = "##" if inside and _LATIN.match(segment) else ""
        pieces.append(mark + segment.strip())
    return pieces


def _fit(a: _Run, b: _Run, separator: str | None) -> float:
    """How well two neighbouring runs go together, in shap's points."""
    if separator and a.last == b.first == separator:
        return -np.inf
    of_two = b.size == 1 or (b.size == 2 and b.second in _SHORT)
    control = [run.startswith("[") and run.endswith("]") for run in (a.first, b.last)]
    points = (
        20 * b.first.startswith("##")
        + 15 * (b.first == "'" and of_two)
        + 15 * (a.last == "'" and b.first in _SHORT)
        - 1000 * (control[0] != control[1])
        - 100 * (b.first in _CLOSER and b.open_left)
        - 100 * (a.last in _CLOSER.values() and a.open_right)
        - 2 * (a.first in _CLOSER)
        - 2 * (a.last in _JOINING or b.first in _JOINING)
        - 10 * (a.last == ",")
        - (b.first == ",") * (10 if b.size > 1 else 1)
        - 20 * (a.last in _ENDINGS)
        - (b.first in _ENDINGS) * (20 if b.size > 1 else 1)
    )
    return float(points - a.size - b.size)
