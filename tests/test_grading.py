"""Grading: the judge apart agrees with the notebook's, data crosses whole, a stop is no loss."""

from __future__ import annotations

import csv
import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ecomtutor import cli
from ecomtutor.errors import EcomTutorError
from ecomtutor.exercises.comparing import first_difference
from ecomtutor.exercises.judging import import_first
from ecomtutor.exercises.registry import find_exercise, lesson_numbers, load_lesson
from ecomtutor.teaching.grading import box, values
from ecomtutor.teaching.grading.apart import NEEDS_LESSON, Finding, Ground, judge_apart
from ecomtutor.teaching.grading.confine import Limits, has_filter
from ecomtutor.teaching.grading.grade import Options, grade_folder
from ecomtutor.teaching.grading.table import HEAD, Row, Table

NOTEBOOKS = Path(__file__).parents[1] / "notebooks"
# Only the number of seconds differs from a run at home: other tests share the processors.
PATIENT = Limits(patience=4.0, wall=15)

needs_filter = pytest.mark.skipif(not has_filter(), reason="the filter is for Linux on x86 and ARM")
try:
    box.demand_sandbox()
    WHY_NOT = ""
except box.NoSandbox as error:
    WHY_NOT = str(error).partition(" Answers are")[0]
needs_box = pytest.mark.skipif(bool(WHY_NOT), reason=WHY_NOT)


def judged(exercise_id: str, source: str, **others: str) -> Finding:
    exercise = find_exercise(exercise_id)
    names: dict[str, Any] = {}
    exec(exercise.setup, names)
    import_first(exercise.check)
    sources = {exercise_id: source, **{k.replace("_", "."): v for k, v in others.items()}}
    return judge_apart(exercise, sources, Ground(names), PATIENT)


@needs_filter
@pytest.mark.parametrize("lesson", lesson_numbers())
def test_judge_apart_agrees_with_the_check_in_a_notebook(lesson: str) -> None:
    """Every solution, stub and wrong answer of the course, judged without sharing a process."""
    for exercise in load_lesson(lesson).exercises:
        assert judged(exercise.id, exercise.solution).status == "pass", exercise.id
        assert judged(exercise.id, exercise.stub).status == "not attempted", exercise.id
        for wrong in exercise.wrong_answers:
            found = judged(exercise.id, wrong.source)
            said = f"{exercise.id}: {found}. A check that watches objects uses checking.beside."
            assert found.status == "fail" and wrong.names_it in found.reason, said


def _plain_values() -> list[Any]:
    import numpy as np
    import pandas as pd
    import torch

    return [
        [None, ..., True, 3, -(10**400), 2.5, float("inf"), 1j, "新 emoji 🫖 \ud800", b"\0\xff"],
        ([], (), set(), frozenset({1}), {}, {"a": {(1, 2): [3]}}),
        np.arange(6, dtype=np.int16).reshape(2, 3),
        np.array([["a", "新"]]),
        np.array([[1, "x"], [None, (2,)]], dtype=object),
        np.float32(1.5),
        np.array(7.0),
        np.zeros((0, 3)),
        torch.tensor([[1.0, float("-inf")]], requires_grad=True),
        torch.ones(2, 2, dtype=torch.bfloat16).T,
        torch.tensor(True),
        torch.zeros(0, 4),
        pd.Series([1.0, 2.0], index=[5, 7], name="x"),
        pd.DataFrame({"a": [1, 2], "新": ["x", "y"]}, index=["r", "s"]),
        pd.DataFrame({"when": pd.to_datetime(["2026-01-02", "2026-01-03"])}),
    ]


@pytest.mark.parametrize("value", _plain_values(), ids=lambda value: type(value).__name__)
def test_plain_values_cross_whole(value: Any) -> None:
    came = values.load(values.dump(value))
    assert type(came) is type(value)
    assert first_difference(came, value, rel=0, abs=0) is None
    if hasattr(value, "requires_grad"):
        assert came.requires_grad == value.requires_grad and came.dtype == value.dtype
    elif hasattr(value, "dtype"):
        assert came.dtype == value.dtype


def test_other_objects_cross_as_their_type_and_nothing_more() -> None:
    class Evil(list):
        def __reduce__(self) -> Any:
            return os.abort, ()

        def __eq__(self, other: object) -> bool:
            return True

    came = values.load(values.dump([Evil(), Evil, len, (n for n in "ab")]))
    assert [type(each).__name__ for each in came] == ["Evil", "type", "function", "generator"]
    assert type(came[0]).__eq__ is object.__eq__
    with pytest.raises(TypeError, match="cannot be called"):
        came[2]()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "7",
        "[]",
        '["nothing"]',
        '["array", "|O", [1], "AAAAAAAAAAA="]',
        '["array", "<f8", [2], "AAAAAAAAAAA="]',
        '["array", "<f8", [-1], "AAAAAAAAAAA="]',
        '["tensor", "load", [1], false, "AAAA"]',
        '["tensor", "float32", [99], false, "AAAA"]',
        '["series", ["None"], [["None"], ["", ["array", "<i8", [0], ""]]], ["evil", []]]',
        "[" * 100_000,
    ],
)
def test_reading_takes_nothing_else(text: str) -> None:
    with pytest.raises(values.NotPlain):
        values.load(text)


def test_too_much_is_not_written() -> None:
    import numpy as np

    cycle: list[Any] = []
    cycle.append(cycle)
    for value in ([0] * 2_000_000, cycle, np.zeros(20_000_000), "x" * 20_000_000):
        with pytest.raises(values.TooLarge):
            values.dump(value)


@needs_filter
def test_an_answer_may_use_another_answer_and_nothing_else() -> None:
    first = find_exercise("03.1").solution
    cost = "def cost(tokens, rate, limit):\n    {}\n    return total(tokens, limit) / 1000 * rate"
    total = "def total(tokens, limit):\n    return sum(min(n, limit) for n in tokens)\n"
    with_total = first + "\n" + total
    assert judged("03.5", cost.format(""), **{"03_1": with_total}).status == "pass"
    found = judged("03.5", cost.format(""), **{"03_1": first})
    assert found.status == "fail" and "'total' is not defined" in found.reason
    assert "Only the answer cells are graded" in found.reason
    # An answer that nobody needs is not run.
    endless = "while True: pass"
    assert judged("03.5", find_exercise("03.5").solution, **{"03_1": endless}).status == "pass"


@needs_filter
def test_a_changed_argument_is_seen_across_the_border() -> None:
    source = (
        "def cost(tokens, rate, limit):\n    tokens.append(1)\n"
        "    return sum(min(n, limit) for n in tokens[:-1]) / 1000 * rate"
    )
    found = judged("03.5", source)
    assert found.status == "fail" and "changes its input" in found.reason


@needs_filter
def test_names_of_the_lesson_are_asked_for_only_when_they_are_needed() -> None:
    exercise = find_exercise("03.5")
    source = exercise.solution + "\nquestion"
    ground = Ground({}, frozenset({"question"}), is_whole=False)
    found = judge_apart(exercise, {"03.5": source}, ground, PATIENT)
    assert found.status == NEEDS_LESSON and found.reason == "question"
    whole = Ground({"question": 1}, frozenset({"question"}), is_whole=True)
    assert judge_apart(exercise, {"03.5": source}, whole, PATIENT).status == "pass"


def submit(folder: Path, student: str, answers: dict[str, str], lesson: str = "00") -> Path:
    path = next(NOTEBOOKS.glob(f"{lesson}_*.ipynb"))
    content = json.loads(path.read_text(encoding="utf-8"))
    for cell in content["cells"]:
        cell.pop("outputs", None)
        for number, source in answers.items():
            if cell["id"] == f"l{lesson}-exercise-{number}-answer":
                cell["source"] = source
    target = folder / student / path.name
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps(content), encoding="utf-8")
    return target


@needs_box
def test_a_run_goes_on_where_it_was_cut_off(tmp_path: Path) -> None:
    folder, out = tmp_path / "class", tmp_path / "grades.csv"
    for student in ("anna", "ben", "=cleo"):
        submit(folder, student, {"1": "different_texts = 5"})
    options = Options(limits=PATIENT, workers=1)
    first = grade_folder(folder, out, options)
    assert (first.graded, first.kept) == (3, 0)
    found = {(row.submission[:4], row.exercise): row.status for row in first.rows}
    assert found["anna", "00.1"] == "pass" and found["anna", "00.2"] == "not attempted"
    whole = out.read_bytes()
    assert b"'=cleo" in whole and whole.startswith("\ufeffsubmission,".encode())
    assert grade_folder(folder, out, options).graded == 0
    assert out.read_bytes() == whole
    # Killed while it wrote: ben's last row is cut off. Anna has handed in again.
    lines = whole.splitlines(keepends=True)
    out.write_bytes(b"".join(lines[:-1]) + lines[-1][:20])
    submit(folder, "anna", {"1": "different_texts = 7"})
    again = grade_folder(folder, out, options)
    assert (again.graded, again.kept) == (2, 1)
    found = {(row.submission[:4], row.exercise): row.status for row in again.rows}
    assert found["anna", "00.1"] == "fail" and found["ben/", "00.1"] == "pass"
    # Gone from the folder, gone from the table.
    shutil.rmtree(folder / "anna")
    assert not any(r.submission.startswith("anna") for r in grade_folder(folder, out).rows)


@needs_box
def test_names_from_the_lessons_cells_are_there_for_who_uses_them(tmp_path: Path) -> None:
    """`lines` or whatever the lesson defines: found in the trusted notebook, which is then run."""
    folder = tmp_path / "class"
    solution = find_exercise("03.5").solution
    submit(folder, "anna", {"5": solution + "\nquestion_of_the_lesson"}, "03")
    lesson = tmp_path / "notebooks"
    lesson.mkdir()
    content = json.loads(next(NOTEBOOKS.glob("03_*.ipynb")).read_text(encoding="utf-8"))
    cells = [c for c in content["cells"] if "-exercise-" in c["id"]]
    first = {**cells[1], "id": "l03-first", "source": "question_of_the_lesson = 'why?'"}
    (lesson / "03_x.ipynb").write_text(json.dumps({**content, "cells": [first, *cells]}))
    options = Options(limits=PATIENT, notebooks=lesson)
    found = {r.exercise: r for r in grade_folder(folder, tmp_path / "g.csv", options).rows}
    assert found["03.5"].status == "pass", found["03.5"]
    options = Options(limits=PATIENT, notebooks=tmp_path)
    found = {r.exercise: r for r in grade_folder(folder, tmp_path / "h.csv", options).rows}
    assert "question_of_the_lesson" in found["03.5"].reason and found["03.5"].status == "fail"


def test_table_refuses_what_it_did_not_write(tmp_path: Path) -> None:
    path = tmp_path / "grades.csv"
    path.write_text("name,grade\nanna,A\n")
    with pytest.raises(EcomTutorError, match="Choose another --out"):
        Table(path)
    assert path.read_text() == "name,grade\nanna,A\n"


def test_table_keeps_odd_texts(tmp_path: Path) -> None:
    row = Row('-a\n,"新".ipynb', "00", "00.1", "fail", 0, 1, "=cmd|' /C calc'!A0\n\x1b[2Jx", "v")
    table = Table(tmp_path / "g.csv")
    table.keep({}, {})
    table.add([row])
    table.finish()
    shown = replace(row, reason=row.reason.replace("\x1b", ""))  # no orders to a terminal
    assert list(Table(tmp_path / "g.csv").rows) == [shown]
    with open(tmp_path / "g.csv", encoding="utf-8-sig", newline="") as file:
        head, cells = csv.reader(file)
    assert head == HEAD and cells[0].startswith("'-") and cells[6].startswith("'=")


def test_it_refuses_without_a_sandbox(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    submit(tmp_path / "class", "anna", {})
    monkeypatch.setattr(box.shutil, "which", lambda name: None)
    monkeypatch.setattr(box.sys, "platform", "linux")
    box._missing.cache_clear()
    out = tmp_path / "grades.csv"
    assert cli.main(["grade", str(tmp_path / "class"), "--out", str(out)]) == 1
    box._missing.cache_clear()
    said = capsys.readouterr().err
    assert "bubblewrap (the program bwrap) is not installed" in said and "--unsafe" in said
    assert not out.exists()


def test_it_refuses_where_namespaces_are_forbidden(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    forbidding = tmp_path / "bwrap"
    forbidding.write_text("#!/bin/sh\necho 'No permissions to create new namespace' >&2\nexit 1\n")
    forbidding.chmod(0o755)
    monkeypatch.setattr(box, "has_filter", lambda: True)
    monkeypatch.setattr(box.sys, "platform", "linux")
    monkeypatch.setattr(box.shutil, "which", lambda name: str(forbidding))
    box._missing.cache_clear()
    with pytest.raises(box.NoSandbox, match=r"cannot make namespaces here \(No permissions"):
        box.demand_sandbox()
    box._missing.cache_clear()


def test_unsafe_grades_without_bubblewrap(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    submit(tmp_path / "class", "anna", {"1": "different_texts = 5"})
    submit(tmp_path / "class", "ben", {"1": "different_texts = 3"})
    monkeypatch.setattr(box, "sandboxed", lambda *_: pytest.fail("bubblewrap was used"))
    out = tmp_path / "grades.csv"
    words = ["grade", str(tmp_path / "class"), "--out", str(out), "--unsafe", "--patience", "4"]
    assert cli.main(words) == 0
    said = capsys.readouterr().out
    assert "2 submissions: 2 graded now" in said and "00.1    1 of 2 passed" in said


def test_words_are_checked_at_the_door(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "empty").mkdir()
    wrong = {
        "Which folder": ["grade"],
        "--workers is 1 or more": ["grade", str(tmp_path), "--workers", "0"],
        "Lessons that have": ["grade", str(tmp_path), "--lesson", "77"],
        "There is no folder": ["grade", str(tmp_path / "nowhere"), "--unsafe"],
        "There is no notebook": ["grade", str(tmp_path / "empty"), "--unsafe"],
    }
    for said, words in wrong.items():
        assert cli.main(words) == 1
        assert said in capsys.readouterr().err


def test_two_runs_do_not_write_one_table(tmp_path: Path) -> None:
    from filelock import FileLock

    submit(tmp_path / "class", "anna", {})
    with (
        FileLock(tmp_path / ".g.csv.lock"),
        pytest.raises(EcomTutorError, match="Another run is writing"),
    ):
        grade_folder(tmp_path / "class", tmp_path / "g.csv", Options(unsafe=True))


@needs_box
def test_the_folder_stays_hidden_inside_what_is_shown(tmp_path: Path) -> None:
    """Submissions below the package's own folders are covered."""
    inside = Path(sys.prefix) / "share"
    look = f"import os; print(os.listdir({str(inside)!r}))"
    command = box.sandboxed([sys.executable, "-c", look], [inside])
    done = subprocess.run(
        command, capture_output=True, text=True, env=box.environment(box.SCRATCH), timeout=60
    )
    assert done.stdout.strip() == "[]", done.stderr


@needs_box
def test_the_guides_commands_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    guide = (Path(__file__).parents[1] / "docs" / "grading.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```sh\n(.*?)```", guide, re.DOTALL)
    commands = [line for block in blocks for line in block.splitlines()]
    ours = [line.split()[1:] for line in commands if line.startswith("ecomtutor ")]
    # The nbgrader test runs these two, in this order.
    others = [line.split()[1:] for line in commands if not line.startswith("ecomtutor ")]
    assert others == [["generate_assignment", "lesson-00"], ["autograde", "lesson-00"]]
    submit(tmp_path / "submissions", "anna", {"1": "different_texts = 5"})
    monkeypatch.chdir(tmp_path)
    assert len(ours) == 2
    for words in ours:
        assert cli.main(words) == 0
    assert "anna" in (tmp_path / "grades.csv").read_text(encoding="utf-8-sig")
    assert (tmp_path / "course" / "source" / "lesson-00").is_dir()
    for option in re.findall(r"^\| `(--[^`]+)` \|", guide, re.MULTILINE):
        words = ["grade", "submissions", "--out", "grades.csv", *option.split()]
        assert cli._arguments(words).folder == Path("submissions")
