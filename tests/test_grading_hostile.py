"""A class of attackers and their honest neighbours, graded together: every verdict is right.

One run of the grader for all: each attack stands in exercise 03.2 of a notebook of its own, whose
other exercises are answered honestly and must be graded as if nothing had happened.
"""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hostile_answers import HOSTILE, RIGHT

from ecomtutor.exercises.registry import load_lesson
from ecomtutor.teaching.grading.box import NoSandbox, demand_sandbox
from ecomtutor.teaching.grading.confine import Limits
from ecomtutor.teaching.grading.grade import Options, grade_folder
from ecomtutor.teaching.grading.table import Row

try:
    demand_sandbox()
    WHY_NOT = ""
except NoSandbox as error:
    WHY_NOT = str(error).partition(" Answers are")[0]
pytestmark = pytest.mark.skipif(bool(WHY_NOT), reason=WHY_NOT)

NOTEBOOKS = Path(__file__).parents[1] / "notebooks"
EXERCISES = {each.id: each for each in load_lesson("03").exercises}
ANSWERS = {
    "03.1": EXERCISES["03.1"].solution,
    "03.2": RIGHT,
    "03.3": EXERCISES["03.3"].wrong_answers[0].source,
    "03.4": EXERCISES["03.4"].stub,
    "03.5": EXERCISES["03.5"].solution,
}
NEIGHBOURS = {"03.1": "pass", "03.3": "fail", "03.4": "not attempted", "03.5": "pass"}
# Exercise 03.5 takes no second: a fifth of the usual time is plenty, and attackers wait less long.
LIMITS = Limits(memory=600_000_000, patience=0.3, wall=15)


def notebook(answers: dict[str, str], lesson: str = "03") -> dict[str, Any]:
    path = next(NOTEBOOKS.glob(f"{lesson}_*.ipynb"))
    content = json.loads(path.read_text(encoding="utf-8"))
    for cell in content["cells"]:
        cell.pop("outputs", None)
        for exercise, source in answers.items():
            if cell["id"] == f"l{exercise[:2]}-exercise-{exercise[3:]}-answer":
                cell["source"] = source
    return content


def answer_cell(content: dict[str, Any], number: int) -> dict[str, Any]:
    return next(c for c in content["cells"] if c["id"] == f"l03-exercise-{number}-answer")


def _files() -> dict[str, Callable[[Path], object]]:
    """Attacks by the file itself: name, and what writes it."""

    def changed(change: Callable[[dict[str, Any]], object]) -> Callable[[Path], object]:
        def write(path: Path) -> None:
            content = notebook(ANSWERS)
            change(content)
            path.write_text(json.dumps(content))

        return write

    def twice(content: dict[str, Any]) -> None:
        copy = {**answer_cell(content, 2), "source": "tokens_of = 1"}
        content["cells"].append(copy)

    def without_ids(content: dict[str, Any]) -> None:
        for cell in content["cells"]:
            del cell["id"]

    def replaced(content: dict[str, Any]) -> None:
        for cell in content["cells"]:
            if cell["id"].endswith("-check"):
                cell["source"] = "print('✅')"
            elif not cell["id"].endswith("-answer"):
                cell["source"] = "raise SystemExit"

    def several_wrong(content: dict[str, Any]) -> None:
        content["cells"] += [7, None, [], {"id": 7}, {"id": "l03-exercise-2-answer"}]

    return {
        "reordered": changed(lambda content: content["cells"].reverse()),
        "replaced": changed(replaced),
        "no ids": changed(without_ids),
        "duplicate": changed(twice),
        "markdown": changed(lambda c: answer_cell(c, 2).update(cell_type="markdown")),
        "no source": changed(lambda c: answer_cell(c, 2).update(source=7)),
        "odd cells": changed(several_wrong),
        "no cells": changed(lambda content: content.update(cells=[])),
        "cells is text": changed(lambda content: content.update(cells="x")),
        "other lesson": lambda path: path.write_text(json.dumps(notebook({}, "01"))),
        "invalid": lambda path: path.write_text('{"cells": ['),
        "empty": lambda path: path.write_text(""),
        "number": lambda path: path.write_text("7"),
        "deep": lambda path: path.write_text("[" * 200_000),
        "latin": lambda path: path.write_bytes(b'{"cells": "\xff\xfe"}'),
        "huge": lambda path: path.open("wb").truncate(30_000_000),
        "pipe": os.mkfifo,
        "link": lambda path: path.symlink_to("../honest-1/03_lesson.ipynb"),
        "loop": lambda path: path.symlink_to(path),
        "folder": lambda path: path.mkdir(),
    }


FILES = _files()
WHOLE = {"reordered": "pass", "replaced": "pass", "no ids": "pass"}
ONE = {"duplicate": "fail", "markdown": "not attempted", "no source": "not attempted"}
ONE["odd cells"] = "pass"


@pytest.fixture(scope="module")
def graded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, dict[str, Row]]]:
    """Rows by submission and exercise, after one run over the whole class."""
    folder = tmp_path_factory.mktemp("class")
    out = tmp_path_factory.mktemp("out") / "grades.csv"
    neighbour = folder / "honest-1" / "03_lesson.ipynb"
    with socket.create_server(("127.0.0.1", 0)) as server:
        places = {
            "{neighbour!r}": repr(str(neighbour)),
            "{folder!r}": repr(str(folder)),
            "{grades!r}": repr(str(out)),
            "{port}": str(server.getsockname()[1]),
        }
        for number in range(1, 4):
            _write(folder / f"honest-{number}", notebook(ANSWERS))
        for name, (source, _, _) in HOSTILE.items():
            for place, value in places.items():
                source = source.replace(place, value)
            _write(folder / name, notebook({**ANSWERS, "03.2": source}))
        for name, write in FILES.items():
            (folder / name).mkdir()
            write(folder / name / "03_lesson.ipynb")
        os.environ["GRADING_SECRET"] = "sesame"
        try:
            summary = grade_folder(folder, out, Options(lesson="03", limits=LIMITS))
        finally:
            del os.environ["GRADING_SECRET"]
    rows: dict[str, dict[str, Row]] = {}
    for row in summary.rows:
        rows.setdefault(row.submission.removesuffix("/03_lesson.ipynb"), {})[row.exercise] = row
    assert "sesame" not in out.read_text(encoding="utf-8")
    yield rows


def _write(folder: Path, content: dict[str, Any]) -> None:
    folder.mkdir()
    (folder / "03_lesson.ipynb").write_text(json.dumps(content))


def _statuses(rows: dict[str, Row]) -> dict[str, str]:
    return {exercise: row.status for exercise, row in rows.items()}


def test_there_are_many() -> None:
    assert len(HOSTILE) + len(FILES) >= 25


@pytest.mark.parametrize("name", HOSTILE)
def test_attack_gets_its_verdict(graded: dict[str, dict[str, Row]], name: str) -> None:
    _, statuses, said = HOSTILE[name]
    row = graded[name]["03.2"]
    assert row.status in statuses and said in row.reason, row
    assert len(row.reason) < 2000
    assert row.points == (row.of if row.status == "pass" else 0)


@pytest.mark.parametrize("name", HOSTILE)
def test_rest_of_an_attackers_notebook_is_graded_right(
    graded: dict[str, dict[str, Row]], name: str
) -> None:
    found = _statuses(graded[name])
    del found["03.2"]
    assert found == NEIGHBOURS, graded[name]


@pytest.mark.parametrize("number", [1, 2, 3])
def test_honest_neighbours_are_graded_right(graded: dict[str, dict[str, Row]], number: int) -> None:
    assert _statuses(graded[f"honest-{number}"]) == {**NEIGHBOURS, "03.2": "pass"}


@pytest.mark.parametrize("name", FILES)
def test_bad_file_gets_its_verdict(graded: dict[str, dict[str, Row]], name: str) -> None:
    if name == "folder":
        assert name not in graded
        return
    found = _statuses(graded[name])
    if name in WHOLE or name in ONE:
        assert found == {**NEIGHBOURS, "03.2": {**WHOLE, **ONE}[name]}, graded[name]
        return
    assert set(found.values()) == {"fail"} and len(found) == len(EXERCISES)
    reasons = {row.reason for row in graded[name].values()}
    assert len(reasons) == 1 and reasons.pop().startswith("the file was not graded: ")
