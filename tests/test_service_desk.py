"""The service desk: what it shows of a question, its controls, and what it refuses kindly."""

import re
import sys
from dataclasses import replace
from typing import Any

import pytest
from ipywidgets import Box, Output
from tiny_reader import tiny_encoder, tiny_reader

from ecomtutor.authoring.outputs import PICTURE_IN_HTML
from ecomtutor.authoring.pages import remote_loads
from ecomtutor.errors import EcomTutorError
from ecomtutor.question_answering.reader import Reader
from ecomtutor.question_answering.retrieve import Passage
from ecomtutor.widgets import service_desk
from ecomtutor.widgets.service_desk import LONGEST, SIZES, Settings, as_html, as_text

TEXTS = {
    "en": ("The coupon is valid for 14 days.", "A dress costs <b>120</b> yuan.", "Red or blue."),
    "zh": ("满减券领取后十四天内有效。", "退货要七日。", "颜色是红蓝。"),
}
ASKED = {"en": "how long is the coupon valid?", "zh": "满减券多久有效？"}


class Shelf:
    """Finds the first k passages; by "words" none for a question in capitals."""

    def __init__(self, language: str):
        self.texts = TEXTS[language]

    def search(self, question: str, k: int = 3, way: str = "learned") -> list[Passage]:
        if not question.strip():
            raise EcomTutorError("The question is empty.")
        texts = () if way == "words" and question.isupper() else self.texts
        if way == "meaning":
            texts = texts[::-1]
        return [Passage(str(i), f"page {i}", text, 1.0) for i, text in enumerate(texts[:k])]


@pytest.fixture(scope="module")
def reader() -> Reader:
    return tiny_reader(tiny_encoder())


@pytest.fixture(params=["en", "zh"])
def language(request: Any) -> str:
    return str(request.param)


@pytest.fixture
def desk(reader: Reader, language: str) -> Any:
    answering = replace(reader, threshold=-100.0)
    return service_desk(
        language,
        [ASKED[language]],
        reader=answering,
        retriever=Shelf(language),  # type: ignore[arg-type]
    )


def test_it_shows_what_the_reader_said_where_it_stands(desk: Any, language: str) -> None:
    seen = desk.serve(Settings(ASKED[language]))
    answer = desk.reader.answer(ASKED[language], list(seen.passages))
    assert answer and seen.answer == answer and seen.shown.text == answer.text
    page, text = as_html(seen), as_text(seen)
    marked = re.findall(r"<mark[^>]*>(.*?)</mark>", page)
    assert [re.sub(r"&lt;.*?&gt;", "", m) for m in marked] == [re.sub("<.*?>", "", answer.text)]
    assert f"[{answer.text}]" in text and text.count("[") == 1
    for passage in seen.passages:
        assert passage.title in page and passage.title in text
    assert f"“{answer.text}”, from page {answer.passage}" in text
    for rival in answer.alternatives:
        assert f"or “{rival.text}” (page {rival.passage}" in text
    assert "<b>120" not in page


def test_the_explanation_is_of_the_span_that_is_marked(desk: Any, language: str) -> None:
    seen = desk.serve(Settings(ASKED[language]))
    assert seen.explanation.full[0] == pytest.approx(seen.answer.margin, abs=1e-4)
    passage = seen.passages[seen.shown.passage]
    assert seen.explanation.units.text.endswith(f"{passage.title}\n{passage.text}")
    best = seen.explanation.units.texts[int(seen.explanation.ranking(0)[0])]
    assert f"carried by {best} " in as_text(seen)
    without = desk.serve(Settings(ASKED[language], method="none"))
    assert without.explanation is None and "carried" not in as_text(without)


def test_a_refusal_shows_the_span_that_was_not_enough(desk: Any, language: str) -> None:
    seen = desk.serve(Settings(ASKED[language], threshold=1000.0))
    assert not seen.answer and seen.shown is not None
    assert "No answer: the best span" in as_text(seen)
    assert "border-bottom:3px dotted" in as_html(seen)
    assert seen.shown.text in re.sub("<.*?>", "", as_html(seen))


def test_nothing_found_and_nothing_to_read_are_said(desk: Any) -> None:
    seen = desk.serve(Settings("LOUD", way="words"))
    assert "no passage shares a word" in as_text(seen) and "<table" not in as_html(seen)
    seen = desk.serve(Settings("？！🙂"))
    assert "no passage has a span" in as_text(seen) and "<mark" not in as_html(seen)


def test_the_static_view_needs_no_script_and_no_web(desk: Any, language: str) -> None:
    page = desk._repr_html_()
    assert PICTURE_IN_HTML in page
    assert not remote_loads(page) and "<script" not in page and "http" not in page
    assert ASKED[language] in page
    assert page == desk._repr_html_()
    assert set(desk._repr_mimebundle_()) == {"text/html", "text/plain"}
    assert re.search("background-color:#ffffff;color:#1f2933", page)


def test_every_control_changes_the_live_view(desk: Any, language: str) -> None:
    _, question, row, view = desk.widget().children
    way, k, threshold, method = row.children
    chosen: dict[str, Any] = {"question": ASKED[language]}
    for control, name, value in (
        (k, "k", 1),
        (way, "way", "meaning"),
        (threshold, "threshold", 10.0),
        (method, "method", "owen"),
        (method, "method", "none"),
        (question, "question", "120 red 蓝"),
    ):
        before = view.value
        control.value = chosen[name] = value
        assert as_html(desk.serve(Settings(**chosen))) in view.value
        assert view.value != before
    question.value = " "
    assert "The question is empty" in view.value
    question.value = "a" * (LONGEST + 1)
    assert f"{LONGEST + 1:,} came" in view.value


def test_controls_are_reached_by_keyboard_and_named(desk: Any) -> None:
    box = desk.widget()
    assert isinstance(box, Box) and not any(isinstance(child, Output) for child in box.children)
    _, question, row, _ = box.children
    for control in (question, *row.children):
        assert control.description and not control.disabled
    assert not question.continuous_update and row.children[1].options == SIZES
    assert not row.children[2].continuous_update


def test_without_ipywidgets_the_static_view_remains(
    desk: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from types import SimpleNamespace

    monkeypatch.setattr("ecomtutor.widgets.core.live_shell", lambda: SimpleNamespace(kernel=1))
    assert "application/vnd.jupyter.widget-view+json" in desk._repr_mimebundle_()
    monkeypatch.setitem(sys.modules, "ipywidgets", None)
    assert set(desk._repr_mimebundle_()) == {"text/html", "text/plain"}


def test_html_of_a_question_is_shown_not_run(desk: Any) -> None:
    page = as_html(desk.serve(Settings("<script>alert(1)</script> red?", method="none")))
    assert "<script" not in page and "&lt;script&gt;" in page


def test_bad_input_is_told(desk: Any, reader: Reader) -> None:
    with pytest.raises(EcomTutorError, match="method is one of"):
        desk.serve(Settings("red?", method="magic"))
    for language, questions in (("fr", ()), ("en", (" ",)), ("en", (3,))):
        with pytest.raises(EcomTutorError):
            service_desk(language, questions, reader=reader, retriever=Shelf("en"))  # type: ignore
