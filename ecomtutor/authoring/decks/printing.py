"""Print a built deck as PDF with a headless browser: one page a slide, every step shown."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterable
from pathlib import Path
from tempfile import TemporaryDirectory

from ecomtutor.authoring.decks.layout import FLAGS, browser
from ecomtutor.errors import MissingResource

_PAGE = re.compile(rb"/Type\s*/Page\b")  # `\b` keeps the page tree, /Pages, out
_SECTION = "<section "
_ATTEMPTS = 3  # a browser may fall over; the page count tells
_PATIENCE = 180.0  # seconds for one deck; a quiet laptop takes two or three


def print_decks(pages: Iterable[Path]) -> list[Path]:
    """Print decks beside their pages, ``01_slug.html`` as ``01_slug.pdf``.

    A PDF appears under its name only when it is whole: it has as many pages as the deck has slides.

    Args:
        pages: built decks, in a folder that holds their assets.

    Returns:
        The PDF files, in the same order.

    Raises:
        MissingResource: when there is no browser, or it gave no whole PDF; those that were
            printed before stay.
    """
    program = browser("printing decks as PDF")
    return [_print_one(program, page) for page in pages]


def _print_one(program: str, page: Path) -> Path:
    slides = page.read_text(encoding="utf-8").count(_SECTION)
    content = b""
    for _ in range(_ATTEMPTS):
        content = _printed(program, page)
        if page_count(content) == slides:
            return _put(content, page.with_suffix(".pdf"))
    raise MissingResource(
        f"{program} printed {page_count(content)} pages of {page}, which has {slides} slides; "
        "open it in the browser with ?print-pdf and print it by hand"
    )


def _printed(program: str, page: Path) -> bytes:
    with TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        arriving = Path(profile) / "deck.pdf"
        command = [program, *FLAGS, f"--user-data-dir={profile}", "--no-pdf-header-footer"]
        command += ["--virtual-time-budget=20000", "--run-all-compositor-stages-before-draw"]
        command += [f"--print-to-pdf={arriving}", f"{page.resolve().as_uri()}?print-pdf"]
        try:
            subprocess.run(command, capture_output=True, timeout=_PATIENCE, check=False)
        except subprocess.TimeoutExpired as error:
            raise MissingResource(f"{program} did not print {page} in {_PATIENCE:g} s") from error
        return arriving.read_bytes() if arriving.is_file() else b""


def page_count(pdf: bytes) -> int:
    """How many pages a PDF of Chromium has; 0 for one that is cut short or is none."""
    whole = pdf.startswith(b"%PDF-") and pdf.rstrip().endswith(b"%%EOF")
    return len(_PAGE.findall(pdf)) if whole else 0


def _put(content: bytes, path: Path) -> Path:
    arriving = path.with_suffix(".pdf.part")
    arriving.write_bytes(content)
    os.replace(arriving, path)
    return path
