"""The quiz of a lesson: buttons in a live notebook, `<details>` in HTML, a list in plain text."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Sequence
from typing import Any

from ecomtutor.exercises.registry import Option, Question, load_lesson
from ecomtutor.exercises.sandbox import live_shell
from ecomtutor.widgets.core import run_by_a_program

_LETTERS = "ABCDEFGHIJ"
_CODE = re.compile(r"`([^`]+)`")


def quiz(lesson: str | int) -> Quiz:
    """The quiz of a lesson, to be shown as the last expression of a cell.

    Args:
        lesson: such as "01".

    Raises:
        UnknownExercise: there is no such lesson.
    """
    found = load_lesson(lesson)
    return Quiz(found.quiz, name=f"Quiz of lesson {found.number}")


class Quiz:
    """Questions in all their views; a notebook front end takes the richest that it can show."""

    def __init__(self, questions: Sequence[Question], name: str = "Quiz") -> None:
        self.questions = tuple(questions)
        self.name = name

    def __repr__(self) -> str:
        asked = [_as_text(n, question) for n, question in enumerate(self.questions, 1)]
        reasons = [_reasons_as_text(n, question) for n, question in enumerate(self.questions, 1)]
        return "\n\n".join([self.name, *asked, "Answers and reasons", *reasons])

    def _repr_html_(self) -> str:
        asked = "".join(_as_html(n, question) for n, question in enumerate(self.questions, 1))
        return (
            f"<section><p><strong>{html.escape(self.name)}</strong>. "
            f"Open an option to see whether it is right, and why.</p>{asked}</section>"
        )

    def widget(self) -> Any:
        """The live view, an `ipywidgets.VBox`; needs a notebook with ipywidgets."""
        return _live_view(self.name, self.questions)

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, Any]:
        static = {"text/html": self._repr_html_(), "text/plain": repr(self)}
        if getattr(live_shell(), "kernel", None) is None or run_by_a_program():
            return static
        try:
            live = self.widget()._repr_mimebundle_()
        except ImportError:
            return static
        return {**live, **static}


def _verdict(option: Option) -> str:
    return f"{'✓ Right' if option.right else '✗ Wrong'}. {option.why}"


def _task(question: Question) -> str:
    return f"{question.prompt} (More than one is right.)" if question.several else question.prompt


def _as_text(number: int, question: Question) -> str:
    options = zip(_LETTERS, question.options, strict=False)
    lines = [f"   {letter}. {option.text}" for letter, option in options]
    return "\n".join([f"{number}. {_task(question)}", *lines])


def _reasons_as_text(number: int, question: Question) -> str:
    options = zip(_LETTERS, question.options, strict=False)
    return "\n".join(f"{number}{letter}. {_verdict(option)}" for letter, option in options)


def _as_html(number: int, question: Question) -> str:
    options = "".join(
        f"<details><summary>{letter}. {_rich(option.text)}</summary>"
        f"<p>{_rich(_verdict(option))}</p></details>"
        for letter, option in zip(_LETTERS, question.options, strict=False)
    )
    return f"<h4>{number}. {_rich(_task(question))}</h4>{options}"


def _rich(text: str) -> str:
    return _CODE.sub(r"<code>\1</code>", html.escape(text))


def _live_view(name: str, questions: Sequence[Question]) -> Any:
    from ipywidgets import HTML, VBox

    score = HTML()
    first_tries: dict[int, bool] = {}

    def count(number: int, right: bool) -> None:
        first_tries.setdefault(number, right)
        if len(first_tries) == len(questions):
            result = f"{sum(first_tries.values())} of {len(questions)} right at the first try."
            score.value = f"<p><strong>{result}</strong></p>"

    asked = [_live_question(n, question, count) for n, question in enumerate(questions, 1)]
    return VBox([HTML(f"<p><strong>{html.escape(name)}</strong></p>"), *asked, score])


def _live_question(number: int, question: Question, count: Callable[[int, bool], None]) -> Any:
    from ipywidgets import HTML, HBox, Layout, VBox

    verdicts = [HTML() for _ in question.options]
    ask = _checkboxes if question.several else _buttons
    controls, below = ask(question, verdicts, lambda right: count(number, right))
    wide = Layout(flex="1 1 auto", width="auto", min_width="0")
    options = [
        VBox([HBox([control, HTML(_rich(option.text), layout=wide)]), verdict])
        for control, option, verdict in zip(controls, question.options, verdicts, strict=True)
    ]
    prompt = HTML(f"<p><strong>{number}.</strong> {_rich(_task(question))}</p>")
    return VBox([prompt, *options, *below])


def _buttons(
    question: Question, verdicts: Sequence[Any], count: Callable[[bool], None]
) -> tuple[list[Any], list[Any]]:
    """One button for each option; pressing it shows whether it is right, and why."""
    from ipywidgets import Button, Layout

    def show(place: int) -> None:
        option = question.options[place]
        verdicts[place].value = f"<p>{_rich(_verdict(option))}</p>"
        count(option.right)

    controls = []
    for place, option in enumerate(question.options):
        button = Button(
            description=_LETTERS[place], tooltip=option.text, layout=Layout(width="3em")
        )
        button.on_click(lambda _, place=place: show(place))
        controls.append(button)
    return controls, []


def _checkboxes(
    question: Question, verdicts: Sequence[Any], count: Callable[[bool], None]
) -> tuple[list[Any], list[Any]]:
    """A box to tick for each option, and one button that shows all the reasons."""
    from ipywidgets import Button, Checkbox, Layout

    controls = [
        Checkbox(description=letter, indent=False, tooltip=option.text, layout=Layout(width="4em"))
        for letter, option in zip(_LETTERS, question.options, strict=False)
    ]

    def show(_: Any) -> None:
        for verdict, option in zip(verdicts, question.options, strict=True):
            verdict.value = f"<p>{_rich(_verdict(option))}</p>"
        count([box.value for box in controls] == [option.right for option in question.options])

    button = Button(description="Show answers", tooltip="Compare my ticks with the answers")
    button.on_click(show)
    return controls, [button]
