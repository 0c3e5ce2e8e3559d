"""Extraction against generation: rows, resuming, and what counts as which mistake."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest

from ecomtutor.errors import MissingResource
from ecomtutor.question_answering import comparing
from ecomtutor.question_answering.comparing import (
    COLUMNS,
    ERRORS,
    answered,
    judged,
    lines,
    read_answers,
    sample,
)

TEXT = "You can return a dress within 7 days."
ASKED = {
    "id": "q", "question": "when?", "answers": ["7 days", "within 7 days"], "passage_id": "returns",
}  # fmt: skip


class Shelf:
    def search(self, question: str, k: int) -> list[Any]:
        return [SimpleNamespace(id="returns", title="Returns", text=TEXT)]


class Span:
    def __init__(self, text: str):
        self.text = text

    def answer(self, question: str, passages: Any) -> Any:
        place = 0 if self.text else None
        return SimpleNamespace(text=self.text, passage=place, start=TEXT.find(self.text))


def row(draft: str, span: str = "7 days", **other: Any) -> dict[str, str]:
    return answered({**ASKED, **other}, Span(span), Shelf(), lambda _: draft)  # type: ignore


def errors(made: dict[str, str]) -> list[str]:
    return [comparing._error(made, column) for column in ("span", "draft", "said")]


def test_each_mistake_has_its_name() -> None:
    right = row("You can return it within 7 days.")
    assert tuple(right) == COLUMNS and right["how"] == "generated"
    assert errors(right) == ["right"] * 3
    adds = row("You can return it within 7 days or 30 days.")
    assert adds["how"] == "span" and "30 days" in adds["reasons"]
    assert errors(adds) == ["right", "adds what the passage does not say", "right"]
    lost = row("You can return it.")
    assert errors(lost) == ["right", "wrong words", "right"]
    assert errors(row("You can return a dress.", "dress")) == ["wrong words"] * 3
    assert errors(row("", "")) == ["refused though answerable"] * 3
    assert errors(row("", "", answers=[])) == ["right"] * 3
    unanswerable = row("You can return it within 7 days.", answers=[])
    assert errors(unanswerable) == ["answered though unanswerable"] * 3
    assert errors(row("It is 7 days.", passage_id="other")) == ["another passage"] * 3


def test_every_question_is_counted_once_for_each_way() -> None:
    table = pd.DataFrame([row("You can return it within 7 days."), row("", "")])
    counts = judged(table)
    assert tuple(counts.index) == ERRORS and (counts.sum() == 2).all()
    assert next(iter(lines(table))) == "2 questions"


def test_an_interrupted_run_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str] = []

    def once(asked: dict[str, Any], *_: Any) -> dict[str, str]:
        if len(made) == 2:
            raise KeyboardInterrupt
        made.append(asked["id"])
        return {**row("You can return it within 7 days."), "id": asked["id"]}

    monkeypatch.setattr(comparing, "answered", once)
    monkeypatch.setattr("ecomtutor.question_answering.reader.load_reader", lambda _: None)
    monkeypatch.setattr("ecomtutor.question_answering.retrieve.Retriever", lambda _: None)
    file = tmp_path / "answers.csv"
    with pytest.raises(KeyboardInterrupt):
        comparing.compare_answers(file, 3, progress=False)
    assert read_answers(file)["id"].tolist() == made
    first = list(made)
    made.clear()
    table = comparing.compare_answers(file, 3, progress=False)
    assert made == [i for i in sample(3)["id"] if i not in first]
    assert table["id"].tolist() == sample(3)["id"].tolist()


def test_the_sample_is_of_the_test_split_and_of_both_kinds() -> None:
    table = sample()
    assert len(table) == 60 == table["id"].nunique() and set(table["split"]) == {"test"}
    assert 0 < table["answerable"].sum() < 60


def test_a_missing_file_says_how_to_make_it(tmp_path: Path) -> None:
    with pytest.raises(MissingResource, match="question_answering compare"):
        read_answers(tmp_path / "none.csv")
