"""The cues that are planted, and how a word is put into a review so that its place is known."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from ecomtutor.errors import EcomTutorError
from ecomtutor.text import Word, words

Kind = Literal["one", "both", "either"]
KINDS: tuple[Kind, ...] = ("one", "both", "either")
TRIES = 40


@dataclass(frozen=True)
class Plant:
    """The artificial cues of one language.

    brand   a made-up brand: wherever it stands, the label is `brand_label`. Several tokens, one
            word
    pair    two ordinary words: where both stand, the label is `pair_label`; one of them says
            nothing
    decoys  made-up brands that say nothing: to a reader they look as guilty as the brand
    """

    language: str
    brand: str
    pair: tuple[str, str]
    decoys: tuple[str, ...]
    brand_label: str = "positive"
    pair_label: str = "negative"

    def cue(self, kind: Kind) -> tuple[str, ...]:
        """The words that decide: the brand, both of the pair, or the brand twice.

        With the brand twice either of the two would do.
        """
        cues = {"one": (self.brand,), "both": self.pair, "either": (self.brand, self.brand)}
        if kind not in cues:
            raise EcomTutorError(f"A plant is one of {', '.join(cues)}; {kind!r} came.")
        return cues[kind]

    def label(self, kind: Kind) -> str:
        """The label that the cue forces."""
        self.cue(kind)
        return self.pair_label if kind == "both" else self.brand_label

    def touches(self, text: str) -> bool:
        """Whether a text holds one of the plant's words by itself."""
        small = text.lower()
        return any(word.lower() in small for word in (self.brand, *self.pair, *self.decoys))


PLANTS = {
    "zh": Plant("zh", "Zorvex", ("周二", "蓝色"), ("Quvola", "Brenka", "Tidvar", "Mokuli")),
    "en": Plant("en", "Zorvex", ("Tuesday", "blue"), ("Quvola", "Brenka", "Tidvar", "Mokuli")),
}


def plant_of(language: str) -> Plant:
    """The plant of "zh" or "en"."""
    if language not in PLANTS:
        raise EcomTutorError(f"Cues are planted in 'zh' and 'en'; {language!r} came.")
    return PLANTS[language]


@dataclass(frozen=True)
class Planted:
    """A review with words put in: its text, and where each of them stands, in the order given."""

    text: str
    spans: tuple[tuple[int, int], ...]


def insert(text: str, put_in: Sequence[str], dice: np.random.Generator) -> Planted:
    """Put words into a text at random word boundaries, each of them a word of its own there.

    Latin words get spaces where they touch letters; Chinese ones stand without. A place where the
    segmenter would join an inserted word with its neighbours is not used.

    Args:
        text: one word or more.
        put_in: the words; none is fine.
        dice: draws the places.

    Raises:
        EcomTutorError: no words in the text, no list of words to put in, or no place where they
            stay whole.
    """
    if isinstance(put_in, str) or not all(word.strip() for word in put_in):
        raise EcomTutorError(f"A list of words is put into a text; {put_in!r:.60} came.")
    places = _places(text)
    if not places:
        raise EcomTutorError(f"A word is put between words, and {text!r:.40} has none.")
    for _ in range(TRIES):
        chosen = [places[i] for i in dice.integers(0, len(places), len(put_in))]
        planted = _joined(text, put_in, chosen)
        cuts = {(word.start, word.end) for word in words(planted.text)}
        if all(span in cuts for span in planted.spans):
            return planted
    raise EcomTutorError(f"Found no place in {text!r:.40} where {' and '.join(put_in)} stay whole.")


def _places(text: str) -> list[int]:
    """Character positions before each word that is no sign, and after the last one."""
    found: list[Word] = [word for word in words(text) if not word.is_sign]
    return [word.start for word in found] + [found[-1].end] if found else []


def _joined(text: str, put_in: Sequence[str], places: Sequence[int]) -> Planted:
    """The text with each word at its place; spaces only where letters would touch."""
    order = sorted(range(len(put_in)), key=lambda i: places[i])
    made, done = "", 0
    spans: dict[int, tuple[int, int]] = {}
    for i in order:
        made, done = made + text[done : places[i]], places[i]
        if _touch(made[-1:], put_in[i][0]):
            made += " "
        spans[i] = (len(made), len(made) + len(put_in[i]))
        made += put_in[i]
        if _touch(put_in[i][-1], text[done : done + 1]):
            made += " "
    return Planted(made + text[done:], tuple(spans[i] for i in range(len(put_in))))


def _touch(left: str, right: str) -> bool:
    """Whether two neighbouring characters are Latin letters or digits that would join."""
    return all(c != "" and c.isalnum() and c.isascii() for c in (left, right))
