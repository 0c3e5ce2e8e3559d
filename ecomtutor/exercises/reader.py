"""What the reader calls: `check`, `hint`, `solution`, `progress`."""

from __future__ import annotations

import html
import os
import sys
from collections import ChainMap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import FrameType
from typing import Any

from ecomtutor.errors import EcomTutorError
from ecomtutor.exercises.judging import Verdict, judge
from ecomtutor.exercises.progress_file import Record, read_records, update_record
from ecomtutor.exercises.registry import (
    BrokenExercise,
    Exercise,
    find_exercise,
    lesson_numbers,
    load_lesson,
)
from ecomtutor.exercises.sandbox import live_shell

_SIGNS = {"not attempted": "⬜", "wrong": "❌", "right": "✅"}
_FROM_NOTEBOOK = object()


def check(exercise_id: str, answer: Any = _FROM_NOTEBOOK) -> None:
    """Check the answer to an exercise and print the verdict.

    Prints ⬜ not attempted, ❌ with a reason and the next step, or ✅, and records it in the
    reader's progress.

    Args:
        exercise_id: such as "01.2".
        answer: the answer itself; by default it is looked up by name where `check` is called.
            A tuple in the exercise's order when the exercise asks for several names.

    Raises:
        AssertionError: the answer is not right, and ECOMTUTOR_GRADING is 1. Else nothing.
    """
    names = _caller_names(sys._getframe(1))
    try:
        exercise = find_exercise(exercise_id)
    except EcomTutorError as error:
        _say(str(error))
        _grade("wrong", str(error))
        return
    verdict = _judged(exercise, names, answer)
    note = _record(exercise, verdict)
    lines = [f"{_SIGNS[verdict.standing]} Exercise {exercise.id}: {verdict.message}"]
    if verdict.standing == "not attempted":
        lines.append("   Fill in the answer cell, run it, then run this cell again.")
    if verdict.standing != "right":
        lines.append(f'   Next: hint("{exercise.id}") shows a first hint.')
    _say("\n".join([*lines, *([note] if note else [])]))
    _grade(verdict.standing, lines[0])


def hint(exercise_id: str, number: int | None = None) -> None:
    """Print the next hint of an exercise, or the hint of a given number.

    Args:
        exercise_id: such as "01.2".
        number: 1 for the first hint; by default the one after the last that was shown.
    """
    try:
        exercise = find_exercise(exercise_id)
    except EcomTutorError as error:
        _say(str(error))
        return
    count = len(exercise.hints)
    records, _ = read_records()
    shown = records.get(exercise.id, Record()).hints
    chosen = min(shown + 1, count) if number is None else number
    if not isinstance(chosen, int) or not 1 <= chosen <= count:
        _say(f'Exercise {exercise.id} has hints 1 to {count}: try hint("{exercise.id}", 1).')
        return

    def count_hint(record: Record) -> None:
        record.hints = max(record.hints, chosen)

    note = update_record(exercise.id, count_hint)
    lines = [f"💡 Exercise {exercise.id}, hint {chosen} of {count}: {exercise.hints[chosen - 1]}"]
    if chosen == count:
        lines.append(f'   That was the last hint. solution("{exercise.id}") shows an answer.')
    _say("\n".join([*lines, *([note] if note else [])]))


def solution(exercise_id: str) -> None:
    """Show the reference solution of an exercise, highlighted in a notebook, as text elsewhere.

    Args:
        exercise_id: such as "01.2".
    """
    try:
        exercise = find_exercise(exercise_id)
    except EcomTutorError as error:
        _say(str(error))
        return

    def count_solution(record: Record) -> None:
        record.solution_seen = True

    note = update_record(exercise.id, count_solution)
    shown = _Solution(exercise)
    if getattr(live_shell(), "kernel", None) is not None:
        from IPython.display import display

        display(shown)
    else:
        _say(repr(shown))
    if note:
        _say(note)


def progress(lesson: str | int | None = None) -> ProgressTable:
    """What is done and what is open, for one lesson or for all.

    Args:
        lesson: such as "01"; by default every lesson that has exercises.

    Returns:
        A table that shows itself in a notebook, and as text when printed.

    Raises:
        UnknownExercise: there is no such lesson.
    """
    records, note = read_records()
    rows, notes = [], [note] if note else []
    for number in lesson_numbers() if lesson is None else [lesson]:
        try:
            exercises = load_lesson(number).exercises
        except BrokenExercise as error:
            notes.append(str(error))
            continue
        rows += [(each, records.get(each.id, Record())) for each in exercises]
    return ProgressTable(rows, " ".join(notes))


@dataclass(frozen=True)
class ProgressTable:
    """Exercises with what the reader did to them; `note` says what went wrong with the file."""

    rows: Sequence[tuple[Exercise, Record]]
    note: str = ""

    _HEAD = ("Exercise", "Title", "State", "Tries", "Hints", "Points")
    _WORDS = ("Title", "State")

    def _cells(self) -> list[tuple[str, ...]]:
        return [
            (
                exercise.id,
                exercise.title,
                _state(record),
                str(record.tries),
                f"{record.hints} of {len(exercise.hints)}",
                str(exercise.points),
            )
            for exercise, record in self.rows
        ]

    def _summary(self) -> str:
        done = [exercise for exercise, record in self.rows if record.done]
        points = sum(exercise.points for exercise in done)
        of_points = sum(exercise.points for exercise, _ in self.rows)
        return f"{len(done)} of {len(self.rows)} exercises done, {points} of {of_points} points."

    def __repr__(self) -> str:
        table = [self._HEAD, *self._cells()]
        widths = [max(len(row[place]) for row in table) for place in range(len(self._HEAD))]
        lines = [
            "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
            for row in table
        ]
        return "\n".join([*lines, self._summary(), *([self.note] if self.note else [])])

    def _repr_html_(self) -> str:
        # JupyterLab sets cells to the right, which is for numbers.
        sides = [' style="text-align:left"' if name in self._WORDS else "" for name in self._HEAD]
        head = "".join(
            f"<th{side}>{cell}</th>" for cell, side in zip(self._HEAD, sides, strict=True)
        )
        rows = [
            "".join(
                f"<td{side}>{html.escape(cell)}</td>" for cell, side in zip(row, sides, strict=True)
            )
            for row in self._cells()
        ]
        body = "".join(f"<tr>{row}</tr>" for row in rows)
        below = " ".join([self._summary(), self.note]).strip()
        return (
            f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
            f"<p>{html.escape(below)}</p>"
        )


class _Solution:
    """A solution as Markdown, which notebooks highlight in their own theme, and as text."""

    def __init__(self, exercise: Exercise) -> None:
        self._exercise = exercise

    def __repr__(self) -> str:
        said = f"\n\n# {self._exercise.explanation}" if self._exercise.explanation else ""
        return f"# Exercise {self._exercise.id}: one solution\n{self._exercise.solution}{said}"

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        return {
            "text/markdown": f"```python\n{self._exercise.solution}\n```\n\n"
            + self._exercise.explanation,
            "text/plain": repr(self),
        }


def _caller_names(frame: FrameType) -> ChainMap[str, Any]:
    """Names as the caller sees them, then those of the notebook (for calls from a thread)."""
    shell = live_shell()
    notebook = shell.user_ns if shell is not None else vars(sys.modules["__main__"])
    return ChainMap(frame.f_locals, frame.f_globals, notebook)


def _judged(exercise: Exercise, names: ChainMap[str, Any], answer: Any) -> Verdict:
    if answer is not _FROM_NOTEBOOK:
        answers = (answer,) if len(exercise.names) == 1 else answer
        if type(answers) is not tuple or len(answers) != len(exercise.names):
            wanted = ", ".join(exercise.names)
            return Verdict("wrong", f"answer= takes a tuple of {len(exercise.names)}: ({wanted}).")
    else:
        missing = [name for name in exercise.names if name not in names]
        if missing:
            return Verdict(
                "not attempted", f"there is no `{missing[0]}` yet. Was the answer cell run?"
            )
        answers = tuple(names[name] for name in exercise.names)
    reader_globals: Mapping[str, Any] = names.maps[1]
    return judge(exercise, answers, reader_globals)


def _record(exercise: Exercise, verdict: Verdict) -> str:
    if verdict.standing == "not attempted":
        return ""

    def count_try(record: Record) -> None:
        record.tries += 1
        record.done = record.done or verdict.standing == "right"

    return update_record(exercise.id, count_try)


def _grade(standing: str, message: str) -> None:
    if os.environ.get("ECOMTUTOR_GRADING") == "1" and standing != "right":
        raise AssertionError(message)


def _state(record: Record) -> str:
    if record.done:
        return "✅ done" + (" (solution seen)" if record.solution_seen else "")
    return "❌ not yet" if record.tries else "⬜ open"


def _say(text: str) -> None:
    """Print, also to a console that lacks our signs."""
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    print(text.encode(encoding, "replace").decode(encoding))
