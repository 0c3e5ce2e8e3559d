"""The quiz works live, in static HTML, and as text."""

from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from ecomtutor.exercises.registry import Option, Question, UnknownExercise
from ecomtutor.widgets import quiz
from ecomtutor.widgets.quiz_view import Quiz

DEMO = str(Path(__file__).parent / "demo_exercises")


@pytest.fixture(autouse=True)
def _demo(monkeypatch: pytest.MonkeyPatch) -> None:
    import ecomtutor.exercises as package

    monkeypatch.setattr(package, "__path__", [*package.__path__, DEMO])


class Balanced(HTMLParser):
    """Collects tags, and fails on one that is closed out of order."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert not attrs, "no style, no class, no link"
        self.open.append(tag)
        self.seen.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def every(widget: Any) -> list[Any]:
    """A widget and all below it, in reading order."""
    return [widget, *(each for child in getattr(widget, "children", ()) for each in every(child))]


def live_parts() -> tuple[Any, list[Any], list[Any]]:
    pytest.importorskip("ipywidgets")
    parts = every(quiz("99").widget())
    buttons = [each for each in parts if type(each).__name__ == "Button"]
    boxes = [each for each in parts if type(each).__name__ == "Checkbox"]
    return parts, buttons, boxes


def shown(parts: list[Any]) -> str:
    return "\n".join(each.value for each in parts if type(each).__name__ == "HTML")


def test_html_needs_no_kernel_no_script_no_colour() -> None:
    html = quiz("99")._repr_html_()
    page = Balanced()
    page.feed(html)
    assert not page.open and page.seen.count("details") == page.seen.count("summary") == 5
    assert "script" not in page.seen and "color" not in html
    assert "<code>even</code>, x &lt; 5 &amp; x &gt; 1?" in html and "<b>" not in html
    assert "<summary>A. A pear.</summary><p>✓ Right. 雪 is snow, 梨 is pear.</p>" in html


def test_text_gives_the_reasons_after_all_questions() -> None:
    text = repr(quiz("99"))
    asked, _, reasons = text.partition("Answers and reasons")
    assert "2. What is 雪梨?\n   A. A pear.\n   B. A plum." in asked
    assert "✓" not in asked and "More than one is right" in asked
    assert "2A. ✓ Right. 雪 is snow" in reasons and "1B. ✗ Wrong. 3 ÷ 2" in reasons


def test_bundle_outside_a_kernel_is_static_and_the_same_every_time() -> None:
    bundle = quiz("99")._repr_mimebundle_()
    assert set(bundle) == {"text/html", "text/plain"}
    assert bundle == quiz(99)._repr_mimebundle_()


def test_unknown_lesson() -> None:
    with pytest.raises(UnknownExercise):
        quiz("77")


def test_buttons_show_the_reason_and_count_the_first_try() -> None:
    parts, buttons, boxes = live_parts()
    show_answers, pear, plum = buttons
    assert [box.description for box in boxes] == ["A", "B", "C"]
    assert pear.tooltip == "A pear." and "✓ Right" not in shown(parts)
    plum.click()
    assert "✗ Wrong. That is 李." in shown(parts) and "first try" not in shown(parts)
    pear.click()
    assert "✓ Right. 雪" in shown(parts)
    boxes[0].value = boxes[2].value = True
    show_answers.click()
    assert "✗ Wrong. 3 ÷ 2 leaves 1." in shown(parts)
    assert "1 of 2 right at the first try." in shown(parts)


def test_all_right_at_the_first_try() -> None:
    parts, (show_answers, pear, _), boxes = live_parts()
    boxes[0].value = boxes[2].value = True
    show_answers.click()
    boxes[0].value = False
    show_answers.click()
    pear.click()
    assert "2 of 2 right at the first try." in shown(parts)


def test_live_texts_are_escaped() -> None:
    parts, _, _ = live_parts()
    assert "&lt;b&gt;surely" in shown(parts) and "<b>" not in shown(parts)


def test_widget_view_is_added_only_in_a_kernel(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("ipywidgets")
    from ecomtutor.widgets import quiz_view

    shell = type("Shell", (), {"kernel": object()})()
    monkeypatch.setattr(quiz_view, "live_shell", lambda: shell)
    question = Question("1 + 1?", [Option("2", "Counted.", right=True), Option("3", "No.")])
    bundle = Quiz([question])._repr_mimebundle_()
    assert "application/vnd.jupyter.widget-view+json" in bundle
    assert bundle["text/plain"] == repr(Quiz([question]))


def test_where_a_program_runs_the_notebook_the_view_is_static(monkeypatch: Any) -> None:
    pytest.importorskip("ipywidgets")
    from ecomtutor.widgets import core, cost_explorer, quiz_view

    shell = type("Shell", (), {"kernel": object()})()
    for module in (core, quiz_view):
        monkeypatch.setattr(module, "live_shell", lambda: shell)
    views = quiz("99"), cost_explorer()
    live = "application/vnd.jupyter.widget-view+json"
    assert all(live in view._repr_mimebundle_() for view in views)
    monkeypatch.setattr("sys.argv", ["kernel", "-f", "x", "--HistoryManager.hist_file=:memory:"])
    assert not any(live in view._repr_mimebundle_() for view in views)
