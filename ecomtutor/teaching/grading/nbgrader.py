"""A course folder for nbgrader: `source/`, one assignment for each lesson, and its settings.

The lessons carry nbgrader's cell metadata already. What nbgrader must not do is replace our stubs
by its own ("YOUR CODE HERE"), so the settings leave that step out; and its autograder must let a
failed check raise, which `ECOMTUTOR_GRADING=1` says.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from ecomtutor.errors import EcomTutorError
from ecomtutor.exercises.registry import lesson_numbers, load_lesson
from ecomtutor.teaching.grading.server import answer_cell_id

NOTEBOOKS = Path(__file__).resolve().parents[3] / "notebooks"

_SETTINGS = '''\
"""nbgrader's settings for the ecomtutor course. Run nbgrader in this folder."""

import os

c = get_config()  # noqa: F821
c.CourseDirectory.course_id = "ecomtutor"

# A failed check raises, so that its cell scores nothing. Only the autograder runs cells.
os.environ["ECOMTUTOR_GRADING"] = "1"

# The answer cells hold the course's own stubs already: "clear solutions" would replace them.
c.GenerateAssignment.preprocessors = [
    "nbgrader.preprocessors.LockCells",
    "nbgrader.preprocessors.ClearOutput",
    "nbgrader.preprocessors.CheckCellMetadata",
    "nbgrader.preprocessors.ComputeChecksums",
    "nbgrader.preprocessors.SaveCells",
    "nbgrader.preprocessors.ComputeChecksums",
    "nbgrader.preprocessors.CheckCellMetadata",
]

# A lesson may train a small model in one cell.
c.Execute.timeout = 300
'''


def export_course(folder: Path, lesson: str = "") -> Iterator[str]:
    """Write the settings and the source of every lesson, or of one.

    Args:
        folder: of the course, new or written by an earlier export.
        lesson: "01"; by default all that have exercises and a notebook.

    Yields:
        A line for each assignment, and what to run then.

    Raises:
        UnknownExercise: there is no such lesson.
        EcomTutorError: the lessons' notebooks are not beside the package.
    """
    numbers = [load_lesson(lesson).number] if lesson else lesson_numbers()
    found = {n: path for n in numbers for path in sorted(NOTEBOOKS.glob(f"{n}_*.ipynb"))[:1]}
    if not found:
        raise EcomTutorError(f"There is no lesson in {NOTEBOOKS.name}/: export from a clone.")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "nbgrader_config.py").write_text(_SETTINGS, encoding="utf-8")
    for number, path in found.items():
        target = folder / "source" / f"lesson-{number}" / path.name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(_source(path, number), encoding="utf-8")
        points = sum(exercise.points for exercise in load_lesson(number).exercises)
        yield f"lesson-{number}: {path.name}, {points} points"
    first = next(iter(found))
    yield f"Now, in {folder}: nbgrader generate_assignment lesson-{first}"


def _source(path: Path, number: str) -> str:
    """The lesson with each answer cell as its stub, whatever the author's copy holds."""
    notebook = json.loads(path.read_text(encoding="utf-8"))
    stubs = {answer_cell_id(each.id): each.stub for each in load_lesson(number).exercises}
    for cell in notebook["cells"]:
        if cell.get("id") in stubs:
            cell["source"] = stubs[cell["id"]]
        if cell["cell_type"] == "code":
            cell["outputs"], cell["execution_count"] = [], None
    return json.dumps(notebook, ensure_ascii=False, indent=1) + "\n"
