"""The cells of an exercise in a notebook, and whether a notebook shows what the registry says."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

from ecomtutor.exercises.registry import Exercise, load_lesson

Kind = Literal["answer", "check"]


def cell_metadata(exercise: Exercise, kind: Kind) -> dict[str, Any]:
    """nbgrader's metadata (schema 3) for the answer cell or the check cell of an exercise."""
    graded = kind == "check"
    entry = {
        "grade": graded,
        "grade_id": f"exercise-{exercise.id.replace('.', '-')}-{kind}",
        "locked": graded,
        "schema_version": 3,
        "solution": not graded,
        "task": False,
    }
    return {"nbgrader": {**entry, "points": exercise.points} if graded else entry}


def heading(exercise: Exercise) -> str:
    """How the markdown cell above an exercise begins."""
    return (
        f"### Exercise {exercise.id}: {exercise.title}\n\n"
        f"Difficulty {_dots(exercise.difficulty)} · Importance {_dots(exercise.importance)} · "
        f"{exercise.minutes} minute{'s' * (exercise.minutes != 1)}"
    )


def check_source(exercise: Exercise) -> str:
    """The source of the check cell."""
    return f'check("{exercise.id}")'


def exercise_cells(exercise: Exercise, task: str = "") -> list[Any]:
    """The three cells of an exercise, as nbformat nodes: heading, answer, check.

    Args:
        exercise: the exercise.
        task: Markdown that says what to do, set below the heading.
    """
    from nbformat import v4

    lesson, _, number = exercise.id.partition(".")
    name = f"l{lesson}-exercise-{number}"
    text = f"{heading(exercise)}\n\n{task}".strip()
    return [
        v4.new_markdown_cell(text, id=name),
        v4.new_code_cell(
            exercise.stub, id=f"{name}-answer", metadata=cell_metadata(exercise, "answer")
        ),
        v4.new_code_cell(
            check_source(exercise), id=f"{name}-check", metadata=cell_metadata(exercise, "check")
        ),
    ]


def assert_notebook_matches_registry(
    path: str | Path, exercises: Sequence[Exercise] | None = None
) -> None:
    """Demand that a notebook has every exercise of its lesson as the registry defines it, in order.

    Args:
        path: `NN_slug.ipynb`; the number names the lesson.
        exercises: by default those of the lesson.

    Raises:
        AssertionError: with one line for every finding.
    """
    import nbformat

    path = Path(path)
    expected = load_lesson(path.name[:2]).exercises if exercises is None else exercises
    cells = nbformat.read(path, as_version=4).cells
    checks = [place for place, cell in enumerate(cells) if _is_check(cell)]
    sources = [cells[place].source.strip() for place in checks]
    wanted = [check_source(exercise) for exercise in expected]
    findings = []
    if sources != wanted:
        findings.append(f"check cells are {sources}; expected, in this order: {wanted}")
    for exercise in expected:
        if sources.count(check_source(exercise)) == 1:
            place = checks[sources.index(check_source(exercise))]
            findings += _differences(cells[max(0, place - 2) : place + 1], exercise)
    assert not findings, "\n".join(f"{path.name}: {finding}" for finding in findings)


def _differences(cells: Sequence[Any], exercise: Exercise) -> list[str]:
    if [cell.cell_type for cell in cells] != ["markdown", "code", "code"]:
        return [f"{exercise.id}: expected a markdown, an answer and a check cell in a row"]
    above, answer, check = cells
    findings = []
    if not f"{above.source}\n".startswith(f"{heading(exercise)}\n"):
        findings.append(f"{exercise.id}: the cell above must begin with\n{heading(exercise)}")
    if answer.source != exercise.stub:
        findings.append(f"{exercise.id}: the answer cell must be the stub:\n{exercise.stub}")
    for kind, cell in (("answer", answer), ("check", check)):
        metadata = cell_metadata(exercise, kind)  # type: ignore[arg-type]
        if cell.metadata.get("nbgrader") != metadata["nbgrader"]:
            findings.append(f"{exercise.id}: the {kind} cell's metadata must hold {metadata}")
    return findings


def _is_check(cell: Any) -> bool:
    return cell.cell_type == "code" and cell.source.lstrip().startswith("check(")


def _dots(level: int) -> str:
    return "●" * level + "○" * (5 - level)
