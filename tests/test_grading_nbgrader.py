"""nbgrader itself grades the exported course as we do: the same points for every exercise.

nbgrader is a teacher's tool and no part of the course's environment. It is looked for in
`build/nbgrader`, where `.ci/run` puts it, and then among the installed packages.
"""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from ecomtutor import cli
from ecomtutor.authoring.environment import kernel_environment
from ecomtutor.exercises.registry import load_lesson
from ecomtutor.teaching.grading import box
from ecomtutor.teaching.grading.confine import Limits
from ecomtutor.teaching.grading.grade import Options, grade_folder

ROOT = Path(__file__).parents[1]
BESIDE = ROOT / "build" / "nbgrader"
LESSON = "00"  # the quickest: nbgrader runs the whole lesson for each student
EXERCISES = load_lesson(LESSON).exercises

if not (BESIDE / "nbgrader").is_dir() and importlib.util.find_spec("nbgrader") is None:
    pytest.skip(
        "nbgrader is not here: pip install --no-deps --target build/nbgrader -r tests/nbgrader.txt",
        allow_module_level=True,
    )

POINTS = """
import json, sys
from nbgrader.api import Gradebook

with Gradebook("sqlite:///gradebook.db") as book:
    found = {}
    for submission in book.assignment_submissions(sys.argv[1]):
        grades = [grade for notebook in submission.notebooks for grade in notebook.grades]
        found[submission.student.id] = {each.name: [each.score, each.max_score] for each in grades}
json.dump(found, sys.stdout)
"""


def _answers() -> dict[str, list[str]]:
    """The sources that three students hand in for each exercise."""
    right = [each.solution for each in EXERCISES]
    wrong = [each.wrong_answers[-1].source for each in EXERCISES]
    raising = ["raise KeyError('no')" for _ in EXERCISES]
    stubs = [each.stub for each in EXERCISES]
    mixed = [(right, raising, stubs)[n % 3][n] for n in range(len(EXERCISES))]
    return {"anna": right, "ben": wrong, "cleo": mixed}


def _nbgrader(course: Path, *words: str) -> str:
    environment = {
        **os.environ,
        **kernel_environment(course / ".data"),
        "PYTHONPATH": os.pathsep.join([str(BESIDE), os.environ.get("PYTHONPATH", "")]),
        "PATH": os.pathsep.join(
            [str(BESIDE / "bin"), str(Path(sys.executable).parent), os.environ["PATH"]]
        ),
        "OMP_NUM_THREADS": "1",
    }
    del environment["ECOMTUTOR_GRADING"]  # the exported settings set it
    done = subprocess.run(
        [sys.executable, *words], cwd=course, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


def _hand_in(path: Path, content: dict[str, Any], sources: list[str]) -> None:
    for exercise, source in zip(EXERCISES, sources, strict=True):
        number = exercise.id[3:]
        for cell in content["cells"]:
            if cell["id"] == f"l{LESSON}-exercise-{number}-answer":
                cell["source"] = source
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps(content), encoding="utf-8")


def test_nbgrader_gives_the_same_points(tmp_path: Path) -> None:
    course = tmp_path / "course"
    words = ["grade", "--export-nbgrader", str(course), "--lesson", LESSON]
    assert cli.main(words) == 0
    assignment = f"lesson-{LESSON}"
    _nbgrader(course, "-m", "nbgrader", "generate_assignment", assignment)
    (released,) = (course / "release" / assignment).glob("*.ipynb")
    content = json.loads(released.read_text(encoding="utf-8"))
    stubs = {"".join(cell["source"]) for cell in content["cells"] if "answer" in cell["id"]}
    assert {each.stub for each in EXERCISES} <= stubs, "the release holds our stubs"
    for student, sources in _answers().items():
        _hand_in(course / "submitted" / student / assignment / released.name, content, sources)
    _nbgrader(course, "-m", "nbgrader", "autograde", assignment)
    theirs = json.loads(_nbgrader(course, "-c", POINTS, assignment))

    safe = not box._missing()
    options = Options(limits=Limits(patience=4), unsafe=not safe)
    ours: dict[str, dict[str, list[int]]] = {}
    for row in grade_folder(course / "submitted", tmp_path / "grades.csv", options).rows:
        name = f"exercise-{row.exercise.replace('.', '-')}-check"
        ours.setdefault(row.submission.partition("/")[0], {})[name] = [row.points, row.of]
    assert ours == theirs
    total = sum(exercise.points for exercise in EXERCISES)
    assert sum(points for points, _ in ours["anna"].values()) == total
    assert 0 < sum(points for points, _ in ours["cleo"].values()) < total
    assert not any(points for points, _ in ours["ben"].values())


def test_every_lesson_can_be_exported(tmp_path: Path) -> None:
    assert cli.main(["grade", "--export-nbgrader", str(tmp_path)]) == 0
    exported = {path.name[:2] for path in tmp_path.glob("source/*/*.ipynb")}
    assert exported == {path.name[:2] for path in (ROOT / "notebooks").glob("*.ipynb")} & {
        f"{number:02d}" for number in range(100)
    }
    for path in tmp_path.glob("source/*/*.ipynb"):
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        assert not any(cell.get("outputs") for cell in cells)
