"""``python -m ecomtutor.authoring.decks [--out DIR] [--layout] [--pdf] [slides/NN_slug.md …]``."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from ecomtutor.authoring.decks.layout import overflowing_slides
from ecomtutor.authoring.decks.pages import build_decks, write_index
from ecomtutor.authoring.decks.printing import print_decks
from ecomtutor.authoring.decks.source import DeckError
from ecomtutor.errors import EcomTutorError, MissingResource

_NO_PDF = 3


def main(arguments: Sequence[str] | None = None) -> int:
    """Build the decks that are named, or all in ``slides/``.

    Args:
        arguments: the command line without the program's name; None reads ``sys.argv``.

    Returns:
        0 when all were built (and fit), 1 when a deck has problems (they are printed), 3 when the
        pages were built and their PDFs were not, for want of a browser.
    """
    parser = argparse.ArgumentParser(
        prog="python -m ecomtutor.authoring.decks", description="Build slide decks."
    )
    parser.add_argument("decks", nargs="*", type=Path, help="default: slides/NN_slug.md, all")
    parser.add_argument(
        "--out", type=Path, default=Path("build/slides"), help="default: %(default)s"
    )
    parser.add_argument(
        "--layout", action="store_true", help="ask a headless browser which slides overflow"
    )
    parser.add_argument("--pdf", action="store_true", help="print each deck as PDF beside its page")
    options = parser.parse_args(arguments)
    sources = options.decks or sorted(Path("slides").glob("[0-9][0-9]_*.md"))
    if not sources:
        print("no decks: slides/ has no NN_slug.md here; name the files", file=sys.stderr)
        return 1
    try:
        pages = build_decks(sources, options.out)
        if options.layout:
            _check_layout(pages[:-1])
    except EcomTutorError as error:
        print(error, file=sys.stderr)
        return 1
    print(f"{len(pages) - 1} decks; open {pages[-1]}")
    return _print(pages[:-1], sources) if options.pdf else 0


def _print(pages: Sequence[Path], sources: Sequence[Path]) -> int:
    try:
        print_decks(pages)
    except MissingResource as error:
        print(f"The pages are built, their PDFs are not: {error}", file=sys.stderr)
        return _NO_PDF
    finally:
        write_index(sources, pages[0].parent)  # now that it can name the PDFs that are there
    print(f"{len(pages)} PDFs beside them")
    return 0


def _check_layout(pages: Sequence[Path]) -> None:
    problems = [
        f"{page}, slide {number}: more than fits; cut text, or split the slide"
        for page in pages
        for number in overflowing_slides(page)
    ]
    if problems:
        raise DeckError("\n".join(problems))


if __name__ == "__main__":
    sys.exit(main())
