"""Ask a headless browser which slides hold more than fits."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory

from ecomtutor.errors import MissingResource

_BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome", "microsoft-edge")
# The browser is to draw a page from the disk and to ask the network for nothing.
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-sync",
    "--disable-background-networking",
    "--disable-component-update",
)
_ANSWER = re.compile(r"<title>overflow: ([\d ]+|none)</title>")


def browser(purpose: str) -> str:
    """The path of a Chromium-like browser.

    Args:
        purpose: what it is needed for, the subject of the error message.

    Raises:
        MissingResource: when none is installed.
    """
    found = next(filter(None, map(shutil.which, _BROWSERS)), None)
    if not found:
        names = ", ".join(_BROWSERS)
        raise MissingResource(f"{purpose} needs a browser; install one of {names}")
    return found


def overflowing_slides(page: Path) -> list[int]:
    """Find the slides of a built deck whose content does not fit.

    Text that leaves its box and figures lower than 220 of the slide's 720 pixels count.

    Args:
        page: a deck's HTML page in the built folder.

    Returns:
        Their numbers, from 1; empty when all fit.

    Raises:
        MissingResource: when there is no Chromium-like browser, or it does not answer.
    """
    program = browser("checking the layout")
    address = f"{page.resolve().as_uri()}?check"
    with TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        command = [program, *FLAGS, f"--user-data-dir={profile}", "--dump-dom", address]
        run = subprocess.run(command, capture_output=True, timeout=120, check=False)
    answer = _ANSWER.search(run.stdout.decode("utf-8", "replace"))
    if not answer:
        raise MissingResource(f"{program} did not lay out {page}; open {address} and see its title")
    return [int(number) for number in answer[1].split() if number != "none"]
