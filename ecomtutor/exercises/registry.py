"""What an exercise and a quiz question are, and where the lessons' own are found.

Each `ecomtutor/exercises/lesson_NN.py` defines `EXERCISES` and `QUIZ`. A lesson is found by the
name of its module, and the module is loaded when somebody asks for it.
"""

from __future__ import annotations

import difflib
import pkgutil
import re
import sys
import textwrap
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module

from ecomtutor.errors import EcomTutorError

_PACKAGE = __name__.rpartition(".")[0]
_EXERCISE_ID = re.compile(r"\d\d\.[1-9]\d?")
_LESSON_MODULE = re.compile(r"lesson_(\d\d)")


class UnknownExercise(EcomTutorError):
    """No exercise or lesson goes by that name."""


class BrokenExercise(EcomTutorError):
    """The definition of an exercise, question or lesson contradicts itself: its author's slip."""


@dataclass(frozen=True)
class WrongAnswer:
    """An answer that learners really give, and a fragment of the message that names its mistake."""

    source: str
    names_it: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "source", tidy(self.source))


@dataclass(frozen=True, kw_only=True)
class Exercise:
    """One exercise: what stands in the notebook, what solves it, and what tells the reader why not.

    Args:
        id: lesson and number, "01.2".
        title: a few words, shown in headings and in the progress table.
        difficulty: 1 (easy) to 5.
        importance: 1 (a curiosity) to 5 (all later lessons stand on it).
        minutes: how long a reader may need.
        points: what it counts in a graded class.
        answer: name that the reader defines, or several names.
        stub: source of the answer cell, verbatim; it must run and leave the exercise unanswered.
        solution: source of a right answer.
        check: takes the reader's objects in the order of `answer`; raises `Wrong` when one is.
        hints: two or more, each giving away more than the one before.
        wrong_answers: two or more, each with a fragment of the message that must name it.
        setup: source that the notebook runs earlier (imports); used when the exercise is proved.
        praise: one informative line, shown when the answer is right.
        explanation: one sentence, shown with the solution.
        seconds: time limit of the whole check.

    Raises:
        BrokenExercise: a field is out of its range.
    """

    id: str
    title: str
    difficulty: int
    importance: int
    minutes: int
    points: int
    answer: str | Sequence[str]
    stub: str
    solution: str
    check: Callable[..., None]
    hints: Sequence[str]
    wrong_answers: Sequence[WrongAnswer]
    setup: str = ""
    praise: str = ""
    explanation: str = ""
    seconds: float = 5.0

    def __post_init__(self) -> None:
        for source in ("stub", "solution", "setup"):
            object.__setattr__(self, source, tidy(getattr(self, source)))
        demands = [
            (_EXERCISE_ID.fullmatch(self.id), 'id is like "01.2"'),
            (self.difficulty in range(1, 6), "difficulty is 1 to 5"),
            (self.importance in range(1, 6), "importance is 1 to 5"),
            (self.minutes > 0, "minutes is above 0"),
            (self.points > 0, "points is above 0"),
            (self.names and all(name.isidentifier() for name in self.names), "answer is a name"),
            (not isinstance(self.hints, str) and len(self.hints) >= 2, "there are two hints"),
            (len(self.wrong_answers) >= 2, "there are two wrong answers"),
        ]
        for holds, demand in demands:
            if not holds:
                raise BrokenExercise(f"exercise {self.id!r}: expected that {demand}.")

    @property
    def names(self) -> tuple[str, ...]:
        """The names that the reader defines, one or more."""
        return (self.answer,) if isinstance(self.answer, str) else tuple(self.answer)


@dataclass(frozen=True)
class Option:
    """One option of a question, and why it is right or wrong."""

    text: str
    why: str
    right: bool = False


@dataclass(frozen=True)
class Question:
    """A quiz question. Every option says why; one is right, or several when `several` is set.

    `code` between backticks is set as code; formulas are written in plain Unicode.

    Raises:
        BrokenExercise: fewer than two options, an option without its why, or a number of right
            options other than declared.
    """

    prompt: str
    options: Sequence[Option]
    several: bool = False

    def __post_init__(self) -> None:
        right = sum(option.right for option in self.options)
        demands = [
            (len(self.options) >= 2, "there are two options"),
            (all(option.why.strip() for option in self.options), "every option has a why"),
            (right >= 1 if self.several else right == 1, "as many options are right as declared"),
        ]
        for holds, demand in demands:
            if not holds:
                raise BrokenExercise(f"question {self.prompt!r}: expected that {demand}.")


@dataclass(frozen=True)
class Lesson:
    """The exercises and the quiz of one lesson; `number` has two digits, "01"."""

    number: str
    exercises: tuple[Exercise, ...]
    quiz: tuple[Question, ...]


def tidy(source: str) -> str:
    """Source text as it stands in a cell: dedented, without blank lines around it."""
    return textwrap.dedent(source.strip("\n")).strip()


def changed(source: str, old: str, new: str) -> str:
    """`source` with its one occurrence of `old` replaced: a short way to write a wrong answer.

    Raises:
        BrokenExercise: `old` does not occur exactly once.
    """
    if source.count(old) != 1:
        raise BrokenExercise(f"{old!r} occurs {source.count(old)} times in the source, not once.")
    return source.replace(old, new)


def lesson_numbers() -> list[str]:
    """Numbers of the lessons that have exercises, in order, without loading any."""
    modules = (module.name for module in pkgutil.iter_modules(sys.modules[_PACKAGE].__path__))
    return sorted(found[1] for name in modules if (found := _LESSON_MODULE.fullmatch(name)))


def load_lesson(number: str | int) -> Lesson:
    """Load the exercises and the quiz of a lesson.

    Args:
        number: "01"; also "1" or 1.

    Raises:
        UnknownExercise: there is no such lesson.
        BrokenExercise: its module does not load, or its ids are not NN.1, NN.2, … in order.
    """
    wanted, known = str(number).strip().zfill(2), lesson_numbers()
    if wanted not in known:
        listed = ", ".join(known) or "none"
        raise UnknownExercise(f"No lesson {wanted!r} has exercises. Lessons that have: {listed}.")
    try:
        module = import_module(f"{_PACKAGE}.lesson_{wanted}")
        lesson = Lesson(wanted, tuple(module.EXERCISES), tuple(module.QUIZ))
    except Exception as error:
        raise BrokenExercise(
            f"The exercises of lesson {wanted} do not load ({type(error).__name__}: {error}). "
            "`ecomtutor doctor` shows what is missing from this set-up."
        ) from error
    ids = [exercise.id for exercise in lesson.exercises]
    expected = [f"{wanted}.{place}" for place in range(1, len(ids) + 1)]
    if ids != expected:
        raise BrokenExercise(f"lesson {wanted}: ids are {ids}, expected {expected}.")
    return lesson


def find_exercise(exercise_id: object) -> Exercise:
    """The exercise of that id.

    Raises:
        UnknownExercise: there is none; the message names the nearest ids.
        BrokenExercise: its lesson does not load.
    """
    wanted = str(exercise_id).strip()
    number = wanted.partition(".")[0].zfill(2)
    numbers = [number] if number in lesson_numbers() else lesson_numbers()
    found = {exercise.id: exercise for each in numbers for exercise in load_lesson(each).exercises}
    if wanted in found:
        return found[wanted]
    near = difflib.get_close_matches(wanted, found, n=3, cutoff=0.4) or list(found)[:3]
    listed = " or ".join(f'"{each}"' for each in near)
    advice = f"Did you mean {listed}?" if near else "No lesson with exercises is installed."
    raise UnknownExercise(f'There is no exercise "{wanted[:40]}". {advice}')
