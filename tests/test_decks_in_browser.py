"""Every slide of every deck in a real Chromium, at 16:9 and 4:3, from the disk and offline.

Decks that `make slides` built are looked at where they are newer than all that they are made of;
the others are built first, which takes a while because their figures are drawn anew.
"""

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ecomtutor.authoring.decks import build_decks, layout, read_deck
from ecomtutor.authoring.decks.printing import page_count, print_decks
from ecomtutor.errors import MissingResource

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("[0-9][0-9]_*.ipynb"))
SOURCES = [ROOT / "slides" / f"{notebook.stem}.md" for notebook in NOTEBOOKS]
SCREENS = {"16:9": (1280, 720), "4:3": (1024, 768)}
BROWSER = next(filter(None, map(shutil.which, layout._BROWSERS)), None)
needs_browser = pytest.mark.skipif(BROWSER is None, reason="no Chromium on this machine")

# What is wrong with the slide that is shown: text or a drawing outside of the space between the
# slide's edges and its footer, outside of its own block, or cut by a box that hides its overflow.
LOOK = """() => {
  const slide = Reveal.getCurrentSlide();
  const page = slide.querySelector('.page').getBoundingClientRect();
  const scale = page.width / 1280, slack = 3 * scale, found = [];
  const floor = slide.querySelector('footer').getBoundingClientRect().top;
  const say = (what, node) => {
    const words = (node.textContent || node.alt || node.nodeName).trim().slice(0, 40);
    found.push(`${what}: ${words}`);
  };
  if (page.left < -1 || page.top < -1 || page.right > innerWidth + 1 ||
      page.bottom > innerHeight + 1) found.push('the slide is larger than the screen');
  const check = (box, node) => {
    if (!box.width || !box.height) return;
    if (box.left < page.left - slack || box.right > page.right + slack ||
        box.top < page.top - slack) say('leaves the slide', node);
    else if (box.bottom > floor + slack) say('runs into the footer', node);
    const element = node.nodeType === 3 ? node.parentElement : node;
    for (let up = element; up && up !== slide; up = up.parentElement) {
      const edge = up.getBoundingClientRect(), style = getComputedStyle(up);
      const block = up.parentElement.matches('.body, .column, td, th');
      if (style.overflow === 'visible' && !block) continue;
      const room = (block ? 8 : 3) * scale;
      if (box.left < edge.left - room || box.right > edge.right + room ||
          box.top < edge.top - room || box.bottom > edge.bottom + room) {
        say(block ? 'leaves its block' : 'is cut off', node);
        break;
      }
    }
  };
  const walker = document.createTreeWalker(slide.querySelector('.page'), NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const node = walker.currentNode;
    if (!node.textContent.trim() || node.parentElement.closest('footer, style, title')) continue;
    const range = document.createRange();
    range.selectNodeContents(node);
    for (const box of range.getClientRects()) check(box, node);
  }
  for (const node of slide.querySelectorAll('.page img, .page svg, .page table, .page pre')) {
    if (node.closest('svg') === node || !node.closest('svg')) {
      check(node.getBoundingClientRect(), node);
    }
  }
  for (const drawing of slide.querySelectorAll('figure > svg, figure > img')) {
    if (drawing.getBoundingClientRect().height < 200 * scale) say('too small to read', drawing);
  }
  return [...new Set(found)];
}"""


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with every deck as it is now; only those that changed are drawn anew."""
    ready, folder = ROOT / "build" / "slides", tmp_path_factory.mktemp("decks")
    stale = [s for s in SOURCES if not _fresh(ready / f"{s.stem}.html", s)]
    build_decks(stale, folder)
    for source in set(SOURCES) - set(stale):
        shutil.copy(ready / f"{source.stem}.html", folder)
    return folder


def _fresh(page: Path, source: Path) -> bool:
    package = ROOT / "ecomtutor"
    figures = package / "figures"
    parts = [source, figures / "core.py", figures / f"lesson_{source.stem[:2]}.py"]
    parts += [path for path in (package / "authoring" / "decks").rglob("*") if path.is_file()]
    parts = [part for part in parts if part.is_file() and part.suffix != ".pyc"]
    return page.is_file() and page.stat().st_mtime > max(p.stat().st_mtime for p in parts)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as engine:
        browser = engine.chromium.launch(executable_path=BROWSER, args=list(layout.FLAGS[1:]))
        yield browser
        browser.close()


class Watched:
    """A page of a browser that cannot reach a network, and what it did that it should not."""

    def __init__(self, browser: Any, screen: tuple[int, int] = (1280, 720)) -> None:
        self.context = browser.new_context(
            offline=True, viewport={"width": screen[0], "height": screen[1]}
        )
        self.problems: list[str] = []
        self.context.on("request", self._request)
        self.page = self.context.new_page()
        self.page.on("pageerror", lambda error: self.problems.append(f"error: {error}"))
        self.page.on("console", self._console)

    def _request(self, request: Any) -> None:
        if not request.url.startswith(("file:", "data:", "blob:", "about:")):
            self.problems.append(f"request to {request.url}")

    def _console(self, message: Any) -> None:
        if message.type == "error":
            self.problems.append(f"console: {message.text}")

    def open_deck(self, path: Path) -> Any:
        self.page.goto(path.resolve().as_uri())
        self.page.wait_for_function("window.Reveal && Reveal.isReady()")
        self.page.evaluate("document.fonts.ready.then(() => 0)")
        return self.page


def walk(page: Any) -> list[str]:
    """Go through a deck as a speaker does, step by step; what is wrong, by slide."""
    found: list[str] = []
    for number in range(1, 1 + page.evaluate("Reveal.getTotalSlides()")):
        page.evaluate("n => { Reveal.slide(n - 1); while (Reveal.nextFragment()) {} }", number)
        found += [f"slide {number}: {problem}" for problem in page.evaluate(LOOK)]
        if not page.evaluate("Reveal.getSlideNotes()").strip():
            found.append(f"slide {number}: no notes")
    return found


@needs_browser
@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.stem)
def test_every_slide_fits_both_screens_and_asks_for_nothing(
    source: Path, built: Path, chromium: Any
) -> None:
    problems = []
    for name, screen in SCREENS.items():
        watched = Watched(chromium, screen)
        page = watched.open_deck(built / f"{source.stem}.html")
        found = [*walk(page), *watched.problems]
        problems += [f"{name}, {problem}" for problem in found]
        seconds = page.evaluate(
            "[...document.querySelectorAll('.slides > section')].map(s => +s.dataset.timing)"
        )
        deck = read_deck(source)
        assert len(seconds) == len(deck.slides) and 12 <= len(seconds) <= 20
        assert sum(seconds) == pytest.approx(60 * deck.lecture_minutes)
        watched.context.close()
    assert not problems, "\n".join(problems)


@needs_browser
@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ("- a line\n" * 14, "runs into the footer"),
        ("```text\n" + "wide " * 30 + "\n```", "leaves"),
        ("| a | b |\n|---|---|\n| " + "x" * 90 + " | y |", "leaves the slide"),
        ("![f](figure:planted.cut)", "is cut off"),
        ("![f](figure:planted.cut)\n\n" + "- a line\n" * 9, "too small to read"),
    ],
)
def test_what_does_not_fit_is_seen(tmp_path, chromium, monkeypatch, body, problem) -> None:
    import sys
    import types

    svg = (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 300 150"><rect width="9" height="9"/>'
        '<text x="250" y="50" font-size="20">a label that is cut off</text></svg>'
    )
    planted = types.ModuleType("ecomtutor.figures.planted")
    planted.cut = lambda: types.SimpleNamespace(svg=svg, alt="planted")  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "ecomtutor.figures.planted", planted)
    page = build_decks([_deck(tmp_path, body)], tmp_path / "out")[0]
    watched = Watched(chromium)
    found = walk(watched.open_deck(page))
    assert any(line.startswith("slide 2: ") and problem in line for line in found), found
    assert not any(not line.startswith("slide 2: ") for line in found), found
    watched.context.close()


@needs_browser
def test_a_request_and_an_error_would_be_seen(tmp_path, chromium) -> None:
    page = tmp_path / "bad.html"
    page.write_text("<img src='http://192.0.2.1/a.png'><script>nothing.there()</script>")
    watched = Watched(chromium)
    watched.page.goto(page.as_uri())
    said = "\n".join(watched.problems)
    assert "request to http://192.0.2.1/a.png" in said and "error: nothing is not defined" in said
    watched.context.close()


@needs_browser
def test_the_index_leads_to_a_deck_and_its_speaker_window(tmp_path, chromium) -> None:
    build_decks([_deck(tmp_path, "Some text.")], tmp_path / "一 stick")
    watched = Watched(chromium)
    page = watched.page
    page.goto((tmp_path / "一 stick" / "index.html").as_uri())
    page.click("a.deck")
    page.wait_for_function("window.Reveal && Reveal.isReady()")
    with page.expect_popup() as opened:
        page.keyboard.press("s")
    speaker = opened.value
    speaker.wait_for_function(
        "document.querySelector('.speaker-controls-notes .value')?.textContent.includes('Say 1.')"
    )
    speaker.keyboard.press("ArrowRight")
    speaker.wait_for_function(
        "document.querySelector('.speaker-controls-notes .value')?.textContent.includes('Say 2.')"
    )
    assert page.evaluate("Reveal.getIndices().h") == 1
    assert not watched.problems
    watched.context.close()


@needs_browser
def test_a_deck_is_printed_one_page_a_slide(tmp_path) -> None:
    page = build_decks([_deck(tmp_path, "+ one\n+ two")], tmp_path / "out")[0]
    (pdf,) = print_decks([page])
    content = pdf.read_bytes()
    assert page_count(content) == 12
    assert page_count(content[:-40]) == 0  # one that was cut short does not count


def test_without_a_browser_the_pages_are_built_and_the_exit_status_tells(
    tmp_path, monkeypatch, capsys
) -> None:
    from ecomtutor.authoring.decks.__main__ import main

    monkeypatch.setenv("PATH", str(tmp_path))
    path, out = _deck(tmp_path, "Some text."), tmp_path / "out"
    assert main([str(path), "--pdf", "--out", str(out)]) == 3
    assert "their PDFs are not: printing decks as PDF needs a browser" in capsys.readouterr().err
    assert (out / "01_demo.html").is_file() and "PDF" not in (out / "index.html").read_text()
    with pytest.raises(MissingResource):
        print_decks([out / "01_demo.html"])


def test_a_browser_that_prints_nothing_leaves_no_pdf(tmp_path, monkeypatch) -> None:
    fake = tmp_path / "bin" / "chromium"
    fake.parent.mkdir()
    fake.write_text("#!/bin/sh\nexit 0\n")
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", str(fake.parent))
    page = build_decks([_deck(tmp_path, "Some text.")], tmp_path / "out")[0]
    with pytest.raises(MissingResource, match=r"0 pages of .* 12 slides"):
        print_decks([page])
    assert not list((tmp_path / "out").glob("*.pdf*"))


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.stem)
def test_a_deck_shows_figures_of_its_lesson_and_fits_its_minutes(source: Path) -> None:
    deck = read_deck(source)
    notebook = ROOT / "notebooks" / f"{source.stem}.ipynb"
    cells = json.loads(notebook.read_text("utf-8"))["cells"]
    opening = "".join(cells[0]["source"])
    minutes = int(re.search(r"\*\*(?:Time|Minutes)[^0-9]*(\d+)", opening)[1])
    assert deck.lecture_minutes <= minutes, f"a lecture of a lesson of {minutes} minutes"
    bodies = "\n".join(slide.body for slide in deck.slides)
    figures = set(re.findall(r"\(figure:(lesson_\d\d)\.(\w+)\)", bodies))
    assert figures, "no figure"
    assert {module for module, _ in figures} == {f"lesson_{deck.lesson:02d}"}
    assert re.search(r"(?<!\\)\$[^$]*\\?[a-z]", bodies), "no formula"


def _deck(folder: Path, body: str) -> Path:
    slides = []
    for number in range(1, 13):
        heading = "# A demo" if number == 1 else "## A slide"
        text = body if number == 2 else "Text."
        notes = f"Say {number}. " + "Speak slowly and in full sentences to the room. " * 4
        slides.append(f"{heading}\n<!-- time: 1 -->\n\n{text}\n\n???\n{notes}\n")
    front = "---\ntitle: A demo\nlesson: 1\nsubtitle: planted\nlecture_minutes: 12\n---\n\n"
    path = folder / "01_demo.md"
    path.write_text(front + "\n---\n\n".join(slides), encoding="utf-8")
    return path
