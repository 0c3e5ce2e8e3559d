"""Submitted notebooks: which files there are, and the answer cells in each.

A file is read as JSON and nothing more: no link is followed, nothing is executed, and a file that
is no notebook is a finding, not an error.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import stat
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ecomtutor.exercises.registry import Exercise, lesson_numbers, load_lesson
from ecomtutor.teaching.grading.server import answer_cell_id

_FILE_LIMIT = 20_000_000
_ANSWER_LIMIT = 200_000
_NUMBER_IN_NAME = re.compile(r"(\d\d)_")
_ANSWER_ID = re.compile(r"l(\d\d)-exercise-\d+-answer")
_GRADE_ID = re.compile(r"exercise-(\d\d)-(\d+)-answer")


@dataclass(frozen=True)
class Submission:
    """One submitted file.

    Args:
        name: its path inside the folder, with forward slashes.
        lesson: "01", or "" when neither name nor cells say which.
        digest: of the file's bytes.
        answers: source of each answer cell by exercise id.
        remarks: by exercise id, a status and a reason that stand before any grading.
        fault: why the file cannot be read as a notebook of the lesson; "" when it can.
    """

    name: str
    lesson: str
    digest: str
    answers: Mapping[str, str] = field(default_factory=dict)
    remarks: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    fault: str = ""


def found_in(folder: Path) -> Iterator[Path]:
    """The notebooks below a folder in order of their names, without Jupyter's own copies."""
    for place, folders, files in os.walk(folder, followlinks=False):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(files):
            if name.lower().endswith(".ipynb") and not name.startswith("."):
                yield Path(place) / name


def read_submission(path: Path, folder: Path, lesson: str = "") -> Submission:
    """Read one file.

    Args:
        path: the notebook.
        folder: the folder of submissions, from which names are told.
        lesson: "01" when the whole folder is for that lesson; by default the file's name says it,
            such as 01_attention_math.ipynb, or else the ids of its cells.

    Returns:
        The submission; what is wrong with it stands in its `fault` and `remarks`.
    """
    name = path.relative_to(folder).as_posix().encode("utf-8", "replace").decode()
    named = _NUMBER_IN_NAME.match(path.name)
    wanted = lesson or (named[1] if named and named[1] in lesson_numbers() else "")
    try:
        raw = _bytes_of(path)
    except OSError as error:
        return Submission(name, wanted, "", fault=f"it cannot be read: {error.strerror or error}")
    digest = hashlib.sha256(raw).hexdigest()
    try:
        cells = _cells(json.loads(raw))
    except (ValueError, RecursionError, MemoryError) as error:
        return Submission(name, wanted, digest, fault=f"it is not a notebook: {error}"[:200])
    lessons = [found[1] for cell in cells if (found := _ANSWER_ID.fullmatch(_answer_id(cell)))]
    number = wanted or (max(sorted(set(lessons)), key=lessons.count) if lessons else "")
    if number not in lesson_numbers():
        fault = "no answer cell of any lesson is in it" if not number else f"no lesson {number}"
        return Submission(name, "", digest, fault=fault)
    if number not in lessons:
        others = ", ".join(sorted(set(lessons)))
        fault = f"it has no answer cell of lesson {number}"
        fault += f", but those of lesson {others}" if others else ""
        return Submission(name, number, digest, fault=fault)
    answers, remarks = _answers(cells, load_lesson(number).exercises)
    return Submission(name, number, digest, answers, remarks)


def _bytes_of(path: Path) -> bytes:
    """The bytes of a regular file; a link could point at another reader's work, a pipe never ends.

    Raises:
        OSError: it is something else, or too large.
    """
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | os.O_NONBLOCK)
    with open(descriptor, "rb") as file:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise OSError(0, "not a regular file")
        if status.st_size > _FILE_LIMIT:
            raise OSError(0, f"{status.st_size:,} bytes; at most {_FILE_LIMIT:,} are read")
        return file.read(_FILE_LIMIT)


def _cells(notebook: Any) -> list[dict[str, Any]]:
    if not isinstance(notebook, dict) or not isinstance(notebook.get("cells"), list):
        raise ValueError("there is no list of cells")
    cells = [cell for cell in notebook["cells"] if isinstance(cell, dict)]
    if not any(_answer_id(cell) for cell in cells):  # ids that another program has lost
        for cell in cells:
            cell["id"] = _id_by_nbgrader(cell)
    return cells


def _answer_id(cell: Mapping[str, Any]) -> str:
    own = cell.get("id")
    return own if isinstance(own, str) and _ANSWER_ID.fullmatch(own) else ""


def _id_by_nbgrader(cell: Mapping[str, Any]) -> str:
    metadata = cell.get("metadata")
    entry = metadata.get("nbgrader") if isinstance(metadata, dict) else None
    grade_id = entry.get("grade_id") if isinstance(entry, dict) else None
    found = _GRADE_ID.fullmatch(grade_id) if isinstance(grade_id, str) else None
    return answer_cell_id(f"{found[1]}.{found[2]}") if found else ""


def _answers(
    cells: Sequence[dict[str, Any]], exercises: Sequence[Exercise]
) -> tuple[dict[str, str], dict[str, tuple[str, str]]]:
    """Sources by exercise id, and what is to be said of those that have none."""
    answers: dict[str, str] = {}
    remarks: dict[str, tuple[str, str]] = {}
    for exercise in exercises:
        wanted = answer_cell_id(exercise.id)
        own = [cell for cell in cells if _answer_id(cell) == wanted]
        code = [_source(cell) for cell in own if cell.get("cell_type") == "code"]
        if not own:
            remarks[exercise.id] = ("not attempted", f"there is no cell {wanted}.")
        elif not code:
            remarks[exercise.id] = ("not attempted", f"the cell {wanted} is no code cell any more.")
        elif len(set(code)) > 1:
            said = f"{len(own)} different cells have the id {wanted}: which is the answer?"
            remarks[exercise.id] = ("fail", said)
        elif len(code[0]) > _ANSWER_LIMIT:
            said = f"the answer has {len(code[0]):,} characters; at most {_ANSWER_LIMIT:,} are run."
            remarks[exercise.id] = ("fail", said)
        else:
            answers[exercise.id] = code[0]
    return answers, remarks


def _source(cell: Mapping[str, Any]) -> str:
    source = cell.get("source", "")
    parts = source if isinstance(source, list) else [source]
    return "".join(part for part in parts if isinstance(part, str))
