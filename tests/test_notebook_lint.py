"""Each rule of the lesson contract fires on what breaks it, and on nothing else."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from ecomtutor.authoring.lint import RULES, Lesson, NotANotebook, lint, main
from ecomtutor.authoring.normalise import to_bytes
from ecomtutor.authoring.pages import as_html, remote_in_script, remote_loads

ROOT = Path(__file__).resolve().parents[1]
LESSONS = sorted((ROOT / "notebooks").glob("*.ipynb"))
ANSWER = {"nbgrader": {"solution": True, "grade": False, "locked": False, "schema_version": 3}}

Book = dict[str, Any]


def test_there_are_lessons_to_lint() -> None:
    assert {path.name[:2] for path in LESSONS} >= {"00", "01"}


@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
def test_lesson_keeps_the_contract(path: Path) -> None:
    findings = lint(path)
    assert not findings, "\n" + "\n".join(map(str, findings))


def exercise(number: str, k: int) -> list[Any]:
    name = f"l{number}-ex{k}"
    return [
        new_markdown_cell(f"### Exercise {k} ●●○○○\n\n**Predict** the answer.", id=f"{name}-ask"),
        new_code_cell(f"answer_{k} = ...", id=f"{name}-answer", metadata=ANSWER),
        new_code_cell(f'check("{number}.{k}")', id=f"{name}-check"),
    ]


def clean(number: str = "01", count: int = 3) -> Book:
    """A lesson with nothing to mend, as the dictionary that the file holds."""
    opening = "# A shop\n\n75 minutes\n\n**Objectives**: one.\n\n**Prerequisites**: none."
    wild = "## Broken in the wild\n\n[A link](https://example.org) and `<img src=//x.org/y>`."
    plot = {"image/png": "aGVsbG8=", "text/plain": "Two bars; the left one is higher."}
    end = "## What to remember\n\n## Recipes\n\n## References"
    cells = [
        new_markdown_cell(opening, id="start"),
        new_code_cell("draw()", id="plot", outputs=[new_output("display_data", plot)]),
        *(cell for k in range(1, count + 1) for cell in exercise(number, k)),
        new_markdown_cell(wild, id="wild"),
        new_code_cell(
            "int('five')",
            id="fails",
            metadata={"tags": ["raises-exception"]},
            outputs=[new_output("error", ename="ValueError", evalue="five", traceback=[])],
        ),
        new_markdown_cell("## Quiz", id="quiz"),
        new_code_cell(f'quiz("{number}")', id="ask"),
        new_markdown_cell(end, id="end"),
    ]
    for cell in cells:
        cell["id"] = f"l{number}-{cell['id'].removeprefix(f'l{number}-')}"
    for place, cell in enumerate((c for c in cells if c.cell_type == "code"), start=1):
        cell["execution_count"] = place
    return json.loads(to_bytes(new_notebook(cells=cells)))


def findings(tmp_path: Path, book: Book, name: str = "01_x.ipynb") -> list[str]:
    path = tmp_path / name
    path.write_text(json.dumps(book), "utf-8")
    return [str(finding) for finding in lint(path)]


def cell(book: Book, slug: str) -> dict[str, Any]:
    return next(c for c in book["cells"] if c["id"][4:] == slug)


def put(slug: str, **values: Any) -> Callable[[Book], None]:
    return lambda book: cell(book, slug).update(values)


def show(slug: str, mime: str, text: str) -> Callable[[Book], None]:
    """Adds an output with alternative text to a cell."""
    data = {mime: text, "text/plain": "in words"}
    return lambda book: cell(book, slug)["outputs"].append(new_output("display_data", data))


def prints(slug: str, text: str) -> Callable[[Book], None]:
    output = new_output("stream", name="stdout", text=text)
    return lambda book: cell(book, slug)["outputs"].append(output)


def says(slug: str, text: str) -> Callable[[Book], None]:
    return lambda book: cell(book, slug)["source"].append("\n\n" + text)


def drop(*slugs: str) -> Callable[[Book], None]:
    """Removes cells and numbers those that remain."""

    def edit(book: Book) -> None:
        for slug in slugs:
            book["cells"].remove(cell(book, slug))
        code = [c for c in book["cells"] if c["cell_type"] == "code"]
        for place, remaining in enumerate(code, start=1):
            remaining["execution_count"] = place

    return edit


def replace(slug: str, old: str, new: str) -> Callable[[Book], None]:
    def edit(book: Book) -> None:
        target = cell(book, slug)
        target["source"] = "".join(target["source"]).replace(old, new)

    return edit


def hide_outputs(book: Book) -> None:
    code = [c for c in book["cells"] if c["cell_type"] == "code" and not c["outputs"]]
    for hidden in code[:4]:
        hidden["metadata"]["tags"] = ["nbval-ignore-output"]
    code[4]["source"] = ["# NBVAL_IGNORE_OUTPUT\n", *code[4]["source"]]


def error_output(book: Book) -> None:
    error = new_output("error", ename="KeyError", evalue="x", traceback=[])
    cell(book, "plot")["outputs"].append(error)


PICTURE = {"image/png": "aGVsbG8=", "text/plain": "<Figure size 640x480 with 1 Axes>"}
SILENT = {"image/svg+xml": "<svg/>"}

CASES: dict[str, tuple[Callable[[Book], None], str]] = {
    "never executed": (put("plot", execution_count=None), "l01-plot: was never executed"),
    "order": (put("plot", execution_count=9), "l01-plot: has execution count 9, expected 1"),
    "empty": (put("plot", source=[]), "l01-plot: is an empty code cell"),
    "missing id": (lambda book: cell(book, "wild").pop("id"), "has no id"),
    "random id": (put("wild", id="0a1b2c3d"), "has a random id"),
    "twice": (put("wild", id="l01-start"), "l01-start: has the id of an earlier cell"),
    "error": (error_output, "l01-plot: ends in an error"),
    "needless tag": (put("fails", outputs=[]), "l01-fails: is tagged raises-exception and"),
    "home": (prints("plot", "/home/me/x.csv"), "'/home/me/x.csv' in its output"),
    "root": (says("wild", "see /" + "root/.cache"), "'/" + "root/.cache' in its source"),
    "mac": (prints("plot", "file:///Users/me"), "/Users/me"),
    "windows": (prints("plot", r"C:\Users\me"), r"'C:\\Users\\me'"),
    "escaped": (prints("plot", r"'C:\\Users\\me'"), "Users"),
    "repository": (prints("plot", f"{ROOT}/data"), f"{str(ROOT)!r:.9}"),
    "warning": (prints("plot", "/opt/lib/site-packages/a.py:3: W"), "site-packages"),
    "trace": (
        lambda book: cell(book, "fails")["outputs"][0].update(traceback=["File /home/me/x.py"]),
        "/home/me/x.py",
    ),
    "script": (show("plot", "text/html", "<script src='https://cdn.x/d3.js'>"), "cdn.x/d3.js"),
    "markdown image": (says("wild", "![alt](https://x.org/a.png)"), "loads 'https://x.org/a.png'"),
    "reference image": (says("wild", "![alt][a]\n\n[a]: http://x.org/a.png"), "x.org/a.png"),
    "raw html": (says("wild", '<link rel="stylesheet" href="//x.org/a.css">'), "//x.org/a.css"),
    "svg": (show("plot", "image/svg+xml", '<image xlink:href="http://x.org/a"/>'), "x.org/a"),
    "javascript": (show("plot", "application/javascript", 'fetch("https://x.org/")'), "x.org"),
    "size": (show("plot", "image/png", "a" * 1_500_000), "allowed 1,500,000"),
    "long cell": (put("plot", source=["x = 1\n"] * 15 + ["x"]), "has 16 lines of code, allowed 15"),
    "no words": (drop("wild"), "l01-fails: has no Markdown before it"),
    "code first": (drop("start"), "l01-plot: has no Markdown before it"),
    "answer without check": (put("ex1-check", source=["x"]), "l01-ex1-check: has no Markdown"),
    "hidden": (hide_outputs, "5 of 9 code cells ignore output, allowed 4"),
    "figure repr": (
        lambda book: cell(book, "plot")["outputs"][0].update(data=PICTURE),
        "l01-plot: shows a figure whose text is '<Figure size",
    ),
    "figure silent": (
        lambda book: cell(book, "plot")["outputs"][0].update(data=SILENT),
        "whose text is 'empty'",
    ),
    "img": (show("plot", "text/html", '<img src="data:,">'), "l01-plot: shows an <img> without"),
    "markdown alt": (says("wild", "![](attachment:a.png)"), "l01-wild: has an image without"),
    "predictions": (replace("ex1-ask", "**Predict**", "Guess"), "has 2 predictions, expected 3"),
    "exercises": (drop("ex1-answer", "ex1-check"), "has 2 check cells, expected 3"),
    "foreign check": (replace("ex1-check", "01.1", "02.1"), "has 2 check cells"),
    "repeated check": (replace("ex1-check", "01.1", "01.2"), "has 2 check cells"),
    "wild": (replace("wild", "## Broken", "Broken"), "no heading"),
    "wild in a fence": (put("wild", source=["```\n# Broken in the wild\n```"]), "no heading"),
    "quiz": (replace("ask", "quiz", "# quiz"), "asks no quiz"),
    "objectives": (replace("start", "Objectives", "Aims"), "names no objectives"),
    "minutes": (replace("start", "75 minutes", "an hour"), "names no minutes"),
    "prerequisites": (replace("start", "Prerequisites", "Before"), "names no prerequisites"),
    "remember": (replace("end", "## What to remember", ""), "no heading 'What to remember'"),
    "recipes": (replace("end", "## Recipes", ""), "no heading 'Recipes'"),
    "references": (replace("end", "## References", ""), "no heading 'References'"),
}
# Without its first or last words a lesson also lacks what those words held.
ALSO = {"code first": 3, "no words": 1, "answer without check": 1}


def test_a_clean_lesson_has_nothing_to_mend(tmp_path: Path) -> None:
    assert findings(tmp_path, clean()) == []


@pytest.mark.parametrize("name", CASES)
def test_a_rule_fires_alone_and_in_one_line(tmp_path: Path, name: str) -> None:
    edit, expected = CASES[name]
    book = clean()
    edit(book)
    found = findings(tmp_path, book)
    assert len(found) == 1 + ALSO.get(name, 0), found
    assert any(expected in line for line in found), found
    assert all("\n" not in line and "; " in line and "01_x.ipynb: " in line for line in found)


def test_every_rule_has_a_case_that_fires_it(tmp_path: Path) -> None:
    fired = set()
    for edit, _ in CASES.values():
        book = clean()
        edit(book)
        (tmp_path / "01_x.ipynb").write_text(json.dumps(book))
        lesson = Lesson(tmp_path / "01_x.ipynb")
        fired |= {rule for rule in RULES if list(rule(lesson))}
    assert fired == set(RULES)


def test_lesson_00_is_lighter(tmp_path: Path) -> None:
    book = clean("00", count=1)
    replace("wild", "Broken in the wild", "A link")(book)
    assert findings(tmp_path, book, "00_start_here.ipynb") == []
    drop("ex1-answer", "ex1-check")(book)
    replace("ex1-ask", "**Predict**", "Guess")(book)
    assert len(findings(tmp_path, book, "00_start_here.ipynb")) == 2


def test_a_misnamed_file_and_no_notebook(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "is not named NN_slug" in findings(tmp_path, clean(), "untitled.ipynb")[0]
    (tmp_path / "01_x.ipynb").write_text("{")
    with pytest.raises(NotANotebook, match="cannot be read"):
        lint(tmp_path / "01_x.ipynb")
    assert main([str(tmp_path / "01_x.ipynb")]) == 1
    assert "cannot be read" in capsys.readouterr().out
    findings(tmp_path, clean())
    assert main([str(tmp_path / "01_x.ipynb")]) == 0


@pytest.mark.parametrize(
    "html",
    [
        "<script\n type=x SRC = //cdn.x.org/a.js></script>",
        "<style>@import 'https://x.org/a.css';</style>",
        "<style>p { background: url( 'http://x.org/a.png' ) }</style>",
        '<p style="background:url(https://x.org/a.png)">',
        '<img alt="a" srcset="a.png 1x, https://x.org/b.png 2x">',
        '<iframe src="https://x.org"></iframe>',
        '<iframe srcdoc="&lt;script src=&quot;https://x.org/a.js&quot;&gt;"></iframe>',
        '<script>require.config({paths: {d3: "//cdnjs.x.com/d3"}})</script>',
        '<svg><use href="https://x.org/a.svg#b"/></svg>',
    ],
)
def test_remote_loads_are_found(html: str) -> None:
    assert remote_loads(html)


@pytest.mark.parametrize(
    "html",
    [
        '<a href="https://x.org">a link</a> to https://x.org',
        '<svg xmlns="http://www.w3.org/2000/svg"><use href="#a"/></svg>',
        '<script>create("http://www.w3.org/2000/svg") // a comment</script>',
        '<img alt="a" src="data:image/png;base64,//aa,//bb">',
        "<pre>&lt;script src='https://x.org'&gt; url(https://x.org)</pre>",
        as_html("```html\n<img src='https://x.org/a.png'>\n```\n`@import 'https://x.org'`"),
        as_html("[words](https://x.org) <https://x.org>"),
    ],
)
def test_links_and_quoted_code_are_fine(html: str) -> None:
    assert not remote_loads(html)


def test_scripts() -> None:
    assert remote_in_script("import('https://x.org/a.js')") == ["https://x.org/a.js"]
    assert not remote_in_script("x = 'a//b'; // https://x.org")
