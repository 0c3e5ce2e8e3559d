"""The normaliser writes the same bytes twice, and refuses without touching the file."""

import json
import os
from pathlib import Path

import nbformat
import pytest
from jupytext.cli import jupytext
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from ecomtutor.authoring import normalise as module
from ecomtutor.authoring.normalise import (
    NotebookRefused,
    first_change,
    main,
    normalise,
    normalise_text,
    tidy,
    to_bytes,
    write_text,
)

NBGRADER = {"grade": False, "grade_id": "a", "locked": False, "schema_version": 3, "solution": True}


def code(slug: str, source: str, **metadata: object) -> nbformat.NotebookNode:
    return new_code_cell(source, id=f"l01-{slug}", metadata=metadata)


def save(path: Path, *cells: nbformat.NotebookNode) -> Path:
    metadata = {"kernelspec": {"name": "other", "display_name": "Mine"}, "widgets": {"x": 1}}
    path.write_bytes(to_bytes(new_notebook(cells=list(cells), metadata=metadata)))
    return path


@pytest.fixture
def no_kernel(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_execute", lambda notebook, path: {"l01-a": 1.0})


def lively(path: Path) -> Path:
    return save(
        path,
        new_markdown_cell("# Title\n\n公式 $a_1$", id="l01-title"),
        code("streams", "import sys\nprint(1); print('w', file=sys.stderr); print(2)"),
        code("address", "import tempfile\nprint(tempfile.mkdtemp())\nobject()", collapsed=True),
        code("widget", "import ipywidgets\nipywidgets.IntSlider()"),
        code("raises", "import json\njson.loads('{')", tags=["raises-exception"]),
        code("answer", "def f(x):\n    ...\n\n\nf(1)", nbgrader=NBGRADER),
        code("magic", "%precision 4\n{'a', 'b', 'c'}", tags=["nbval-ignore-output"]),
        code("where", "import os\nos.path.basename(os.getcwd()), os.environ['ECOMTUTOR_DATA']"),
    )


def test_executes_and_writes_the_same_bytes_twice_and_through_text(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ECOMTUTOR_DATA", str(tmp_path / "progress of the author"))
    path = lively(tmp_path / "01_x.ipynb")
    assert main([str(path)]) == 0
    once = path.read_bytes()
    report = capsys.readouterr().out.splitlines()
    assert report[0].startswith(f"{path}: ") and len(report) == 4 and " s  l01-" in report[1]

    assert main(["--text", str(path)]) == 0
    assert main(["--from", str(path.with_suffix(".py"))]) == 0
    assert path.read_bytes() == once
    assert main(["--check", str(path)]) == 0

    notebook = json.loads(once)
    assert notebook["metadata"]["kernelspec"]["name"] == "python3"
    assert notebook["metadata"].keys() == {"kernelspec", "language_info"}
    cells = {cell["id"]: cell for cell in notebook["cells"]}
    counts = [c["execution_count"] for c in notebook["cells"] if c["cell_type"] == "code"]
    assert counts == [1, 2, 3, 4, 5, 6, 7]
    assert [o["name"] for o in cells["l01-streams"]["outputs"]] == ["stdout", "stderr"]
    assert cells["l01-address"]["metadata"] == {}
    assert "0x…" in str(cells["l01-address"]) and "/tmp/…" in str(cells["l01-address"])
    assert cells["l01-widget"]["outputs"][0]["data"].keys() == {"text/plain"}
    assert cells["l01-answer"]["metadata"] == {"nbgrader": NBGRADER}
    assert cells["l01-magic"]["metadata"]["tags"] == ["nbval-ignore-output"]
    assert "progress of the author" not in str(cells["l01-where"])
    frames = cells["l01-raises"]["outputs"][0]["traceback"]
    assert "In[4]" in "".join(frames) and "json/" not in "".join(frames)
    assert once.endswith(b"}\n") and "公式".encode() in once
    assert [p.name for p in tmp_path.iterdir() if p.name.endswith("tmp")] == []


def test_an_error_is_refused_with_id_source_and_traceback(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = save(tmp_path / "01_x.ipynb", code("fine", "1"), code("bad", "cost = 1 / 0"))
    before = path.read_bytes()
    assert main([str(path)]) == 1
    message = capsys.readouterr().err
    assert "cell l01-bad failed" in message
    assert "cost = 1 / 0" in message and "ZeroDivisionError" in message
    assert path.read_bytes() == before


def test_check_changes_nothing_and_sees_what_would_change(tmp_path: Path, no_kernel: None) -> None:
    path = save(tmp_path / "01_x.ipynb", code("a", "1"))
    before = path.read_bytes()
    assert main(["--check", str(path)]) == 1
    assert "execution_count" in (first_change(path) or "")
    assert path.read_bytes() == before

    normalise(path)
    assert main(["--check", str(path)]) == 0
    path.write_bytes(
        path.read_bytes().replace(b'"metadata": {}', b'"metadata": {"scrolled": true}')
    )
    assert "scrolled" in (first_change(path) or "")


def test_check_leaves_other_results_alone(tmp_path: Path, no_kernel: None) -> None:
    cell = code("a", "1")
    cell.outputs = [new_output("stream", name="stdout", text="one\n")]
    path = save(tmp_path / "01_x.ipynb", cell)
    normalise(path)
    path.write_bytes(path.read_bytes().replace(b"one", b"two"))
    assert first_change(path) is None


@pytest.mark.parametrize(
    ("cell_id", "says"),
    [
        (None, "has no id"),
        ("1a2b3c4d", "random id"),
        ("l01-1a2b3c4d", "random id"),
        ("7f0f1a5e-6c1d-4a52-9a3b-1c2d3e4f5a6b", "random id"),
        ("l02-other-lesson", "not of the form l01-slug"),
        ("l01-Upper", "not of the form"),
        ("l01-first", "of an earlier cell"),
    ],
)
def test_ids_are_refused(tmp_path: Path, no_kernel: None, cell_id: str | None, says: str) -> None:
    path = save(tmp_path / "01_x.ipynb", code("first", "1"), code("a", "unlike = 2"))
    notebook = json.loads(path.read_bytes())
    notebook["cells"][1]["id"] = cell_id
    if cell_id is None:
        del notebook["cells"][1]["id"]
    path.write_text(json.dumps(notebook))
    before = path.read_bytes()
    with pytest.raises(NotebookRefused, match=says):
        normalise(path)
    with pytest.raises(NotebookRefused, match=says):
        first_change(path)
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("{", "not a notebook"),
        ("[]", "not a notebook"),
        ("{}", "not a"),
        ('{"nbformat": 3, "nbformat_minor": 0, "worksheets": [], "metadata": {}}', "nbformat 4"),
        ('{"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [{}]}', "not a"),
    ],
)
def test_what_is_no_notebook_is_refused(tmp_path: Path, content: str, says: str) -> None:
    path = tmp_path / "01_x.ipynb"
    path.write_text(content)
    with pytest.raises(NotebookRefused, match=says):
        normalise(path)
    assert path.read_text() == content


def test_names_and_empty_cells_are_refused(tmp_path: Path, no_kernel: None) -> None:
    with pytest.raises(NotebookRefused, match="NN_slug"):
        normalise(save(tmp_path / "untitled.ipynb", code("a", "1")))
    with pytest.raises(NotebookRefused, match="l01-a is an empty code cell"):
        normalise(save(tmp_path / "01_x.ipynb", code("a", " \n")))
    with pytest.raises(NotebookRefused, match="cannot read"):
        normalise(tmp_path / "02_missing.ipynb")


@pytest.mark.parametrize("moment", ["fsync", "replace"])
def test_an_interrupted_write_loses_nothing(
    tmp_path: Path, no_kernel: None, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    path = save(tmp_path / "01_x.ipynb", code("a", "1"))
    before = path.read_bytes()

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, moment, interrupt)
    with pytest.raises(KeyboardInterrupt):
        normalise(path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_an_edit_during_the_run_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = save(tmp_path / "01_x.ipynb", code("a", "1"))

    def edit_meanwhile(notebook: nbformat.NotebookNode, path: Path) -> dict[str, float]:
        save(path, code("a", "my edit"))
        return {}

    monkeypatch.setattr(module, "_execute", edit_meanwhile)
    with pytest.raises(NotebookRefused, match="changed while it ran"):
        normalise(path)
    assert b"my edit" in path.read_bytes()


def test_an_edited_script_brings_new_cells_with_their_ids(tmp_path: Path, no_kernel: None) -> None:
    path = save(
        tmp_path / "01_x.ipynb",
        new_markdown_cell("old words", id="l01-words"),
        code("answer", "x = ...", nbgrader=NBGRADER, tags=["keep"]),
    )
    script = write_text(path)
    text = script.read_text().replace("old words", "new words")
    script.write_text(text + '\n# %% [markdown] id="l01-end"\n# the end\n')
    with pytest.raises(NotebookRefused, match="differs"):
        write_text(path)
    normalise_text(script)
    cells = json.loads(path.read_bytes())["cells"]
    assert [cell["id"] for cell in cells] == ["l01-words", "l01-answer", "l01-end"]
    assert cells[0]["source"] == ["new words"]
    assert cells[1]["metadata"] == {"nbgrader": NBGRADER, "tags": ["keep"]}
    assert cells[2]["metadata"] == {}

    script.write_text(text + "\n# %% [markdown]\n# no name\n")
    with pytest.raises(NotebookRefused, match=r"cell 3 'no name' has a random id"):
        normalise_text(script)


def test_ids_tags_and_nbgrader_survive_plain_jupytext(tmp_path: Path, no_kernel: None) -> None:
    path = save(
        tmp_path / "01_x.ipynb",
        new_markdown_cell("words", id="l01-words"),
        code("answer", "x = ...", nbgrader=NBGRADER, tags=["keep"]),
    )
    jupytext(["--quiet", "--to", "py:percent", str(path)])
    script = path.with_suffix(".py")
    script.write_text(script.read_text().replace("x = ...", "x = None"))
    jupytext(["--quiet", "--update", "--to", "ipynb", str(script)])
    normalise(path)
    cells = json.loads(path.read_bytes())["cells"]
    assert [cell["id"] for cell in cells] == ["l01-words", "l01-answer"]
    assert cells[1]["source"] == ["x = None"]
    assert cells[1]["metadata"] == {"nbgrader": NBGRADER, "tags": ["keep"]}


def test_tidy_keeps_a_widget_view_that_stands_alone() -> None:
    view = {"application/vnd.jupyter.widget-view+json": {"model_id": "a" * 32}}
    alone = code("a", "1")
    alone.outputs = [new_output("display_data", view)]
    notebook = new_notebook(cells=[alone])
    tidy(notebook)
    once = to_bytes(notebook)
    assert b"widget-view" in once and b"aaaa" not in once
    tidy(notebook)
    assert to_bytes(notebook) == once
