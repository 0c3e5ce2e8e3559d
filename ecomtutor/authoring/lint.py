"""The lesson contract, as far as a program can check it, over notebooks as they are committed.

    python -m ecomtutor.authoring.lint                            all of notebooks/
    python -m ecomtutor.authoring.lint notebooks/01_attention_math.ipynb

Each rule is a function that yields what it finds; `RULES` lists them, and `lint` runs them all.
"""

import argparse
import json
import re
import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Any

import nbformat
from nbformat import ValidationError as Invalid
from nbval.plugin import find_comment_markers, find_metadata_tags

from ..errors import EcomTutorError
from .cells import id_problems, lesson_number
from .outputs import PICTURES
from .pages import as_html, headings, images_without_alt, remote_in_script, remote_loads

MOST_BYTES = 1_500_000
MOST_CODE_LINES = 15

_NOT_COMMENT = r"(?m)^(?!\s*[#%]).*"
_CHECK = re.compile(_NOT_COMMENT + r"\bcheck\(\s*[\"'](\d\d)\.(\d+)[\"']")
_QUIZ = re.compile(_NOT_COMMENT + r"\bquiz\(")
_PREDICTION = re.compile(r"\*\*Predict[.:]?\*\*")
_DEFAULT_REPR = re.compile(r"\s*(?:<[^<>]*>\s*)?")
_ROOT = Path(__file__).resolve().parents[2]
_MACHINE_PATH = re.compile(
    rf"(?:(?<![\w.])(?:/(?:home|root|Users)/|/[^\s\"'<>]*/site-packages/|{re.escape(str(_ROOT))}\b)"
    r"|\b[A-Za-z]:[\\/]+[Uu]sers\b)[^\s\"'<>]*",
)
_RUN_AGAIN = "run python -m ecomtutor.authoring.normalise on it"

_PAGES: dict[str, Callable[[str], list[str]]] = {
    "text/html": remote_loads,
    "image/svg+xml": remote_loads,
    "text/markdown": lambda text: remote_loads(as_html(text)),
    "application/javascript": remote_in_script,
    "text/javascript": remote_in_script,
}

Cell = dict[str, Any]


@dataclass(frozen=True)
class Finding:
    """One thing to mend, in one line: file, cell id, what it is, how to mend it."""

    path: Path
    cell: str
    what: str
    mend: str

    def __str__(self) -> str:
        return f"{self.path}: {self.cell}: {self.what}; {self.mend}."


class NotANotebook(EcomTutorError):
    """A file that was given to the lint cannot be read as a notebook."""


class Lesson:
    """A notebook as the rules see it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.number = lesson_number(path) or ""
        try:
            # nbformat.read would hide a missing cell id by inventing one.
            self.cells: list[Cell] = nbformat.reader.reads(path.read_text("utf-8"))["cells"]
        except (OSError, ValueError, LookupError, TypeError, AttributeError, Invalid) as error:
            raise NotANotebook(f"{path} cannot be read as a notebook: {error!r:.120}") from None

    @cached_property
    def code(self) -> list[Cell]:
        """The code cells."""
        return [cell for cell in self.cells if cell["cell_type"] == "code"]

    @cached_property
    def markdown(self) -> list[Cell]:
        """The Markdown cells."""
        return [cell for cell in self.cells if cell["cell_type"] == "markdown"]

    @cached_property
    def headings(self) -> list[str]:
        """All headings, in lower case."""
        return [text.lower() for cell in self.markdown for text in headings(cell["source"])]

    def outputs(self) -> Iterator[tuple[Cell, dict[str, Any]]]:
        """Each code cell with each of its outputs."""
        for cell in self.code:
            for output in cell["outputs"]:
                yield cell, output

    def finding(self, cell: Cell | str, what: str, mend: str) -> Finding:
        """A finding in this notebook, at a cell or, given a word, at a place such as "end"."""
        name = cell if isinstance(cell, str) else cell.get("id", "cell without id")
        return Finding(self.path, name, what, mend)


def readable_ids(lesson: Lesson) -> Iterator[Finding]:
    """The file is named NN_slug, the cells lNN-slug."""
    if not lesson.number:
        mend = "rename it, such as 01_attention_math.ipynb"
        yield lesson.finding("file", "is not named NN_slug.ipynb", mend)
        return
    for cell, problem in id_problems(lesson.cells, lesson.number):
        mend = f'write id="l{lesson.number}-slug" in the script of normalise --text, then --from'
        yield lesson.finding(cell, problem, mend)


def executed_in_order(lesson: Lesson) -> Iterator[Finding]:
    """Every code cell ran, once, from top to bottom: nbval compares no other."""
    for number, cell in enumerate(lesson.code, start=1):
        count = cell.get("execution_count")
        if not cell["source"].strip():
            yield lesson.finding(cell, "is an empty code cell", "remove it")
        elif count is None:
            yield lesson.finding(cell, "was never executed", _RUN_AGAIN)
        elif count != number:
            what = f"has execution count {count}, expected {number}"
            yield lesson.finding(cell, what, _RUN_AGAIN)


def expected_errors_only(lesson: Lesson) -> Iterator[Finding]:
    """A cell fails where its tag says so, and nowhere else."""
    for cell in lesson.code:
        tags = cell["metadata"].get("tags", [])
        fails = any(output["output_type"] == "error" for output in cell["outputs"])
        if fails and "raises-exception" not in tags:
            yield lesson.finding(cell, "ends in an error", "mend it or tag it raises-exception")
        if not fails and "raises-exception" in tags:
            yield lesson.finding(cell, "is tagged raises-exception and raised none", "drop the tag")


def no_machine_paths(lesson: Lesson) -> Iterator[Finding]:
    """Nothing names a folder of the author's machine."""
    for cell in lesson.cells:
        texts = {"source": cell["source"], "output": "\n".join(_texts(cell))}
        for place, text in texts.items():
            if match := _MACHINE_PATH.search(text):
                mend = "use a relative path, or silence the warning that shows it"
                yield lesson.finding(cell, f"has the path {match[0]!r} in its {place}", mend)


def _texts(cell: Cell) -> Iterator[str]:
    """All that a code cell's outputs say in text, pictures in base64 left out."""
    for output in cell.get("outputs", []):
        yield from (output.get("text", ""), output.get("evalue", ""))
        yield from output.get("traceback", [])
        for name, value in output.get("data", {}).items():
            if not name.startswith("image/") or name == "image/svg+xml":
                yield value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def nothing_from_the_web(lesson: Lesson) -> Iterator[Finding]:
    """No cell loads a script, style, font or image from the network; links are fine."""
    loads = [(cell, remote_loads(as_html(cell["source"]))) for cell in lesson.markdown]
    for cell, output in lesson.outputs():
        data = output.get("data", {})
        loads += [(cell, search(data[mime])) for mime, search in _PAGES.items() if mime in data]
    for cell, urls in loads:
        for url in urls:
            mend = "put the file into the package and embed it"
            yield lesson.finding(cell, f"loads {url[:80]!r}", mend)


def small_file(lesson: Lesson) -> Iterator[Finding]:
    """The notebook opens fast and GitHub draws it."""
    size = lesson.path.stat().st_size
    if size > MOST_BYTES:
        what = f"has {size:,} bytes, allowed {MOST_BYTES:,}"
        yield lesson.finding("file", what, "draw smaller figures or show fewer rows")


def short_cells(lesson: Lesson) -> Iterator[Finding]:
    """One idea in a code cell."""
    for cell in lesson.code:
        lines = len(cell["source"].strip("\n").split("\n"))
        if lines > MOST_CODE_LINES:
            what = f"has {lines} lines of code, allowed {MOST_CODE_LINES}"
            yield lesson.finding(cell, what, "split it or move code into the package")


def words_before_code(lesson: Lesson) -> Iterator[Finding]:
    """Markdown stands before each code cell; a check may follow its answer cell directly."""
    for previous, cell in pairwise([None, *lesson.cells]):
        if cell is None or cell["cell_type"] != "code" or _is_markdown(previous):
            continue
        if previous is None or not (_is_answer(previous) and _CHECK.search(cell["source"])):
            mend = "put a Markdown cell before it that says what to look at"
            yield lesson.finding(cell, "has no Markdown before it", mend)


def _is_markdown(cell: Cell | None) -> bool:
    return cell is not None and cell["cell_type"] == "markdown"


def _is_answer(cell: Cell) -> bool:
    return bool(cell["metadata"].get("nbgrader", {}).get("solution"))


def outputs_compared(lesson: Lesson) -> Iterator[Finding]:
    """Few cells hide their output from the comparison."""
    hidden = [cell for cell in lesson.code if _hides_output(cell)]
    allowed = max(4, len(lesson.code) // 5)
    if len(hidden) > allowed:
        what = f"{len(hidden)} of {len(lesson.code)} code cells ignore output, allowed {allowed}"
        mend = "round, bound or assert what varies, and drop nbval-ignore-output"
        yield lesson.finding(hidden[-1], what, mend)


def _hides_output(cell: Cell) -> bool:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        options = dict(find_metadata_tags(cell["metadata"]))
        options.update(find_comment_markers(cell["source"]))
    return options.get("check") is False or bool(options.get("skip"))


def figures_in_words(lesson: Lesson) -> Iterator[Finding]:
    """Every picture has an alternative text."""
    for cell, output in lesson.outputs():
        data = output.get("data", {})
        text = data.get("text/plain", "")
        if PICTURES & data.keys() and _DEFAULT_REPR.fullmatch(text):
            what = f"shows a figure whose text is {text.strip() or 'empty'!r}"
            yield lesson.finding(cell, what, "show an ecomtutor.figures Figure with alt=…")
        if images_without_alt(data.get("text/html", "")):
            yield lesson.finding(cell, "shows an <img> without alt", "give it alt=…")
    for cell in lesson.markdown:
        if images_without_alt(as_html(cell["source"])):
            mend = "write what it shows: ![two bars, the left one higher](…)"
            yield lesson.finding(cell, "has an image without alternative text", mend)


def predictions(lesson: Lesson) -> Iterator[Finding]:
    """The reader predicts before the code runs: three times, in lesson 00 once."""
    found = sum(bool(_PREDICTION.search(cell["source"])) for cell in lesson.markdown)
    if found < _at_least(lesson):
        what = f"has {found} predictions, expected {_at_least(lesson)} or more"
        mend = "ask before a code cell, in a Markdown cell with **Predict**"
        yield lesson.finding("file", what, mend)


def exercises(lesson: Lesson) -> Iterator[Finding]:
    """The lesson has three exercises with a check cell each, lesson 00 one."""
    checks = {
        int(number)
        for cell in lesson.code
        for own, number in _CHECK.findall(cell["source"])
        if own == lesson.number
    }
    if len(checks) < _at_least(lesson):
        what = f"has {len(checks)} check cells, expected {_at_least(lesson)} or more"
        mend = f'add an answer cell and, after it, check("{lesson.number}.n")'
        yield lesson.finding("file", what, mend)


def _at_least(lesson: Lesson) -> int:
    return 1 if lesson.number == "00" else 3


def broken_in_the_wild(lesson: Lesson) -> Iterator[Finding]:
    """The lesson mends code that is broken as one finds it; lesson 00 need not."""
    found = any("broken in the wild" in text for text in lesson.headings)
    if not found and lesson.number != "00":
        mend = 'add "## Broken in the wild" with code that fails, its diagnosis and its cure'
        yield lesson.finding("file", 'has no heading "Broken in the wild"', mend)


def quiz_asked(lesson: Lesson) -> Iterator[Finding]:
    """The lesson ends with its quiz."""
    if not any(_QUIZ.search(cell["source"]) for cell in lesson.code):
        mend = f'add a code cell with quiz("{lesson.number}")'
        yield lesson.finding("file", "asks no quiz", mend)


def opening(lesson: Lesson) -> Iterator[Finding]:
    """Before the first code stand objectives, minutes and prerequisites."""
    start = lesson.cells.index(lesson.code[0]) if lesson.code else len(lesson.cells)
    text = "\n".join(c["source"] for c in lesson.cells[:start] if _is_markdown(c)).lower()
    items = {"objectives": r"objectives", "minutes": r"\d+\s+min", "prerequisites": r"prerequisite"}
    for item, pattern in items.items():
        if not re.search(pattern, text):
            example = "75 minutes" if item == "minutes" else f"**{item.capitalize()}**"
            mend = f'write "{example}" before the first code cell'
            yield lesson.finding("opening", f"names no {item}", mend)


def closing(lesson: Lesson) -> Iterator[Finding]:
    """The lesson ends with what to remember, recipes and references."""
    for heading in ("What to remember", "Recipes", "References"):
        if not any(text.startswith(heading.lower()) for text in lesson.headings):
            yield lesson.finding("end", f"has no heading {heading!r}", f'add "## {heading}"')


RULES: tuple[Callable[[Lesson], Iterator[Finding]], ...] = (
    readable_ids,
    executed_in_order,
    expected_errors_only,
    no_machine_paths,
    nothing_from_the_web,
    small_file,
    short_cells,
    words_before_code,
    outputs_compared,
    figures_in_words,
    predictions,
    exercises,
    broken_in_the_wild,
    quiz_asked,
    opening,
    closing,
)


def lint(path: Path) -> list[Finding]:
    """Checks one notebook against the lesson contract.

    Args:
        path: an .ipynb file; it is read, never run.

    Returns:
        What must be mended, in the order of `RULES`; empty for a clean lesson.

    Raises:
        NotANotebook: the file cannot be read.
    """
    lesson = Lesson(path)
    return [finding for rule in RULES for finding in rule(lesson)]


def main(argv: Sequence[str] | None = None) -> int:
    """Prints a line for each finding; returns 1 if there are any."""
    parser = argparse.ArgumentParser(prog="python -m ecomtutor.authoring.lint")
    parser.add_argument("paths", nargs="*", type=Path, help="default: notebooks/*.ipynb")
    paths = parser.parse_args(argv).paths or sorted(Path("notebooks").glob("*.ipynb"))
    if not paths:
        parser.error("no notebooks here: run in the project's root, or name the files")
    findings = []
    for path in paths:
        try:
            findings += [str(finding) for finding in lint(path)]
        except NotANotebook as error:
            findings.append(str(error))
    print("\n".join(findings) or f"{len(paths)} notebooks, nothing to mend")
    return min(len(findings), 1)


if __name__ == "__main__":
    sys.exit(main())
