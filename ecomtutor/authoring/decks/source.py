"""A deck's Markdown source: read it, and say everything that is wrong with it."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ecomtutor.errors import EcomTutorError

SLIDE_COUNT = range(12, 21)
NOTE_WORDS = 25

_FRONT_MATTER_KEYS = ("title", "lesson", "subtitle", "lecture_minutes")
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")
_HEADING = re.compile(r"(#{1,2})\s+(.+?)\s*$")
_TIME = re.compile(r"<!--\s*time:\s*(\S+?)\s*-->")
# Chinese writes about two characters to a word; other scripts are counted by word.
_WORD = re.compile(r"[\u3400-\u9fff]{1,2}|[^\W\u3400-\u9fff]+(?:['’-][^\W\u3400-\u9fff]+)*")


class DeckError(EcomTutorError):
    """A deck cannot be built; the message lists each problem with its file and slide."""


@dataclass(frozen=True)
class Slide:
    """One slide as written: Markdown that is not yet rendered.

    Attributes:
        number: position in the deck, from 1.
        level: 1 for an opening or divider slide, 2 for a content slide, 0 without a heading.
        title: the heading's text, in Markdown.
        minutes: planned speaking time, NaN where the slide does not say.
        body: Markdown between heading and notes.
        notes: Markdown after the ``???`` line.
    """

    number: int
    level: int
    title: str
    minutes: float
    body: str
    notes: str


@dataclass(frozen=True)
class Deck:
    """One deck as written.

    Attributes:
        path: its source file ``NN_slug.md``.
        title: what the lecture is called.
        lesson: the lesson's number.
        subtitle: one line under the title.
        lecture_minutes: what the slides' minutes must add up to.
        slides: in order.
    """

    path: Path
    title: str
    lesson: int
    subtitle: str
    lecture_minutes: float
    slides: tuple[Slide, ...]


def read_deck(path: Path) -> Deck:
    """Read and check a deck's source.

    Args:
        path: a UTF-8 file ``NN_slug.md``.

    Returns:
        The deck, in which every slide has a title, a time and notes.

    Raises:
        DeckError: listing every rule that the deck breaks.
    """
    if not path.is_file():
        raise DeckError(f"{path}: no such deck; expected a file like slides/01_attention_math.md")
    lines = path.read_text(encoding="utf-8").splitlines()
    values, rest = _front_matter(path, lines)
    chunks = _split(rest, "---")
    deck = Deck(
        path=path,
        title=values["title"],
        lesson=int(values["lesson"]),
        subtitle=values["subtitle"],
        lecture_minutes=_minutes(values["lecture_minutes"]),
        slides=tuple(_slide(number, chunk) for number, chunk in enumerate(chunks, start=1)),
    )
    if problems := [*_deck_problems(deck), *_slides_problems(deck)]:
        raise DeckError("\n".join(problems))
    return deck


def _front_matter(path: Path, lines: Sequence[str]) -> tuple[dict[str, str], Sequence[str]]:
    """The ``key: value`` pairs between the first two ``---`` lines, and what follows them."""
    if not lines or lines[0].rstrip() != "---" or "---" not in (ends := _stripped(lines[1:])):
        raise DeckError(f"{path}: expected front matter between two `---` lines at the top")
    end = ends.index("---") + 1
    pairs = (line.partition(":") for line in lines[1:end] if line.strip())
    values = {key.strip(): value.strip().strip("\"'") for key, _, value in pairs}
    if sorted(values) != sorted(_FRONT_MATTER_KEYS) or not all(values.values()):
        raise DeckError(
            f"{path}: front matter has {', '.join(values) or 'nothing'}; "
            f"expected exactly {', '.join(_FRONT_MATTER_KEYS)}, each with a value"
        )
    if not values["lesson"].isdecimal() or math.isnan(_minutes(values["lecture_minutes"])):
        raise DeckError(
            f"{path}: lesson is {values['lesson']!r} and lecture_minutes "
            f"{values['lecture_minutes']!r}; expected a whole number and a positive number"
        )
    return values, lines[end + 1 :]


def _stripped(lines: Sequence[str]) -> list[str]:
    return [line.rstrip() for line in lines]


def _prose(lines: Sequence[str]) -> Iterator[tuple[bool, str]]:
    """Each line, with whether it stands outside of fenced code."""
    fence = ""
    for line in lines:
        mark = _FENCE.match(line)
        if not fence and mark:
            fence = mark[1]
            yield False, line
        elif fence:
            closes = mark and mark[1].startswith(fence) and not line.strip().strip(fence[0])
            fence = "" if closes else fence
            yield False, line
        else:
            yield True, line


def _split(lines: Sequence[str], separator: str) -> list[list[str]]:
    """Split at the lines that are exactly ``separator``, but not inside fenced code."""
    chunks: list[list[str]] = [[]]
    for prose, line in _prose(lines):
        if prose and line.rstrip() == separator:
            chunks.append([])
        else:
            chunks[-1].append(line)
    return chunks


def _slide(number: int, lines: Sequence[str]) -> Slide:
    shown, *notes = _split(lines, "???")
    while shown and not shown[0].strip():
        shown.pop(0)
    heading = _HEADING.match(shown[0]) if shown else None
    body = "\n".join(shown[1:] if heading else shown)
    time = _TIME.search(body)
    return Slide(
        number=number,
        level=len(heading[1]) if heading else 0,
        title=heading[2] if heading else "",
        minutes=_minutes(time[1]) if time else math.nan,
        body=_TIME.sub("", body, count=1).strip(),
        notes="\n".join(line for chunk in notes for line in chunk).strip(),
    )


def _minutes(text: str) -> float:
    """A positive number of minutes, or NaN."""
    try:
        value = float(text)
    except ValueError:
        return math.nan
    return value if 0 < value < math.inf else math.nan


def _deck_problems(deck: Deck) -> Iterator[str]:
    where, slides = deck.path, deck.slides
    if not deck.path.name.startswith(f"{deck.lesson:02d}_"):
        yield f"{where}: lesson is {deck.lesson}; expected a file name {deck.lesson:02d}_slug.md"
    if len(slides) not in SLIDE_COUNT:
        allowed = f"{SLIDE_COUNT.start} to {SLIDE_COUNT.stop - 1}"
        yield f"{where}: {len(slides)} slides; expected {allowed}"
    if (slides[0].level, slides[0].title) != (1, deck.title):
        yield f"{where}, slide 1: expected it to begin with `# {deck.title}`, the deck's title"
    total = math.fsum(slide.minutes for slide in slides if not math.isnan(slide.minutes))
    if not math.isclose(total, deck.lecture_minutes, abs_tol=1e-6):
        yield (
            f"{where}: the times add up to {total:g} minutes; "
            f"lecture_minutes says {deck.lecture_minutes:g}"
        )


def _slides_problems(deck: Deck) -> Iterator[str]:
    for slide in deck.slides:
        for problem in _slide_problems(slide):
            yield f"{deck.path}, slide {slide.number} ({slide.title or 'no title'}): {problem}"


def _slide_problems(slide: Slide) -> Iterator[str]:
    if not slide.level:
        yield "expected a heading `## Title` on its first line"
    prose = [line for outside, line in _prose(slide.body.splitlines()) if outside]
    if any(_HEADING.match(line) for line in prose):
        yield "a second `#` or `##` heading; put a line `---` before it, or write `###`"
    if math.isnan(slide.minutes):
        yield "no planned time; write for example `<!-- time: 3 -->` (minutes) under the heading"
    if any(_TIME.search(line) for line in prose):
        yield "two planned times; a line `---` may be missing"
    if (words := len(_WORD.findall(slide.notes))) < NOTE_WORDS:
        yield f"{words} words of notes after `???`; expected at least {NOTE_WORDS}"
