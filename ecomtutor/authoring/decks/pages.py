"""Decks as one folder of pages that opens from a disk, with nothing from the web."""

from __future__ import annotations

import math
import shutil
from collections.abc import Iterable, Iterator
from html import escape
from importlib.metadata import PackageNotFoundError, distribution
from importlib.resources import files
from itertools import accumulate
from pathlib import Path
from string import Template

from ecomtutor.authoring.decks.markup import Context, render_inline, render_markdown
from ecomtutor.authoring.decks.source import Deck, DeckError, Slide, read_deck
from ecomtutor.errors import MissingResource

_REVEAL = "sphinx_revealjs/_static/revealjs"
# Each asset, by the package that carries it: (distribution, version, file, name in assets/).
_CARRIED = (
    ("sphinx-revealjs", "3.2.1", f"{_REVEAL}/dist/reset.css", "reset.css"),
    ("sphinx-revealjs", "3.2.1", f"{_REVEAL}/dist/reveal.css", "reveal.css"),
    ("sphinx-revealjs", "3.2.1", f"{_REVEAL}/dist/reveal.js", "reveal.js"),
    ("sphinx-revealjs", "3.2.1", f"{_REVEAL}/plugin/notes/notes.js", "notes.js"),
    ("sphinx-revealjs", "3.2.1", f"{_REVEAL}/LICENSE", "reveal-LICENSE.txt"),
    ("ziamath", "0.13", "ziamath/fonts/STIXTwoMath-Regular.ttf", "STIXTwoMath-Regular.ttf"),
)
_OUR_FILES = ("deck.css", "deck.js")


def build_decks(sources: Iterable[Path], out: Path) -> list[Path]:
    """Build decks into one folder: a page for each, an index, and the assets they share.

    The index also names the decks of the same source folder that were built here earlier.

    Args:
        sources: the decks' Markdown files.
        out: the folder to write to; made if missing. Other files in it are left alone, but for
            PDFs of these decks: they are printed anew or would show old slides.

    Returns:
        The pages written, the index last.

    Raises:
        DeckError: listing every problem of every deck; then nothing is written.
        MissingResource: when the package that carries reveal.js is not installed.
    """
    decks, pages, problems = [], [], []
    for source in sorted(sources):
        try:
            deck = read_deck(source)
            pages.append(deck_page(deck))
            decks.append(deck)
        except DeckError as error:
            problems.append(str(error))
    if problems:
        raise DeckError("\n".join(problems))
    _copy_assets(out / "assets")
    written = [out / f"{deck.path.stem}.html" for deck in decks]
    for path, page in zip(written, pages, strict=True):
        path.with_suffix(".pdf").unlink(missing_ok=True)
        path.write_text(page, encoding="utf-8")
    return [*written, write_index([deck.path for deck in decks], out)]


def write_index(sources: Iterable[Path], out: Path) -> Path:
    """Write the page that names every deck of a built folder, with its PDF where there is one.

    Args:
        sources: decks that were built; the others in their folders are named if built too.
        out: the built folder.

    Returns:
        The path of the page.
    """
    folders = {source.parent for source in sources}
    beside = {path for folder in folders for path in folder.glob("[0-9][0-9]_*.md")}
    decks = []
    for source in sorted({*sources, *beside}, key=lambda path: path.name):
        if (out / f"{source.stem}.html").is_file():
            decks.append(read_deck(source))
    path = out / "index.html"
    path.write_text(_index_page(decks, out), encoding="utf-8")
    return path


def deck_page(deck: Deck) -> str:
    """Render a whole deck.

    Args:
        deck: a checked deck.

    Returns:
        An HTML page that expects ``assets/`` beside it.

    Raises:
        DeckError: listing each slide that cannot be rendered, and why.
    """
    sections, problems = [], []
    starts = accumulate((slide.minutes for slide in deck.slides), initial=0.0)
    for slide, start in zip(deck.slides, starts, strict=False):
        try:
            sections.append(_section(deck, slide, start))
        except DeckError as error:
            problems.append(f"{deck.path}, slide {slide.number} ({slide.title}): {error}")
    if problems:
        raise DeckError("\n".join(problems))
    return _template("deck.html").substitute(
        title=escape(deck.title), lesson=f"{deck.lesson:02d}", sections="\n".join(sections)
    )


def _section(deck: Deck, slide: Slide, start: float) -> str:
    body = render_markdown(slide.body, Context(deck.path.parent, f"s{slide.number}"))
    notes = render_markdown(slide.notes, Context(deck.path.parent, f"n{slide.number}"))
    return _template("slide.html").substitute(
        kind="cover" if slide.level == 1 else "content",
        level=slide.level,
        seconds=round(slide.minutes * 60),
        heading=render_inline(slide.title),
        body=_opening(deck) + body if slide.number == 1 else body,
        notes=notes,
        plan=_plan(slide.minutes, start, deck.lecture_minutes),
        lesson=f"{deck.lesson:02d}",
        title=escape(deck.title),
        number=slide.number,
        count=len(deck.slides),
    )


def _opening(deck: Deck) -> str:
    return f'<p class="subtitle">{render_inline(deck.subtitle)}</p>\n'


def _plan(minutes: float, start: float, total: float) -> str:
    """What the speaker reads above the notes: how long, and when it should be over."""
    return f"{minutes:g} min, from {_clock(start)} to {_clock(start + minutes)} of {_clock(total)}"


def _clock(minutes: float) -> str:
    whole, seconds = divmod(round(minutes * 60), 60)
    return f"{whole}:{seconds:02d}"


def _index_page(decks: Iterable[Deck], out: Path) -> str:
    return _template("index.html").substitute(rows="\n".join(_index_rows(decks, out)))


def _index_rows(decks: Iterable[Deck], out: Path) -> Iterator[str]:
    for deck in decks:
        pdf = f"{deck.path.stem}.pdf"
        yield _template("index_row.html").substitute(
            page=f"{deck.path.stem}.html",
            lesson=f"{deck.lesson:02d}",
            title=escape(deck.title),
            subtitle=render_inline(deck.subtitle),
            slides=len(deck.slides),
            minutes=f"{math.ceil(deck.lecture_minutes)}",
            pdf=f'<a class="pdf" href="{pdf}">PDF</a>' if (out / pdf).is_file() else "",
        )


def _template(name: str) -> Template:
    theme = files("ecomtutor.authoring.decks") / "theme"
    return Template((theme / name).read_text(encoding="utf-8"))


def _copy_assets(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for package, version, file, name in _CARRIED:
        shutil.copyfile(_installed(package, version, file), folder / name)
    theme = files("ecomtutor.authoring.decks") / "theme"
    for name in _OUR_FILES:
        (folder / name).write_bytes((theme / name).read_bytes())


def _installed(package: str, version: str, file: str) -> Path:
    """A file of an installed package, found without importing it (Sphinx is large)."""
    advice = f"run `pip install --no-deps {package}=={version}`"
    try:
        path = Path(str(distribution(package).locate_file(file)))
    except PackageNotFoundError as error:
        raise MissingResource(f"slides need {package}, which is not installed; {advice}") from error
    if not path.is_file():
        raise MissingResource(f"slides need {file} of {package}, which it does not hold; {advice}")
    return path
