"""Explaining an answer: the words are the reader's own, and the values are its margin's."""

from itertools import product

import numpy as np
import pytest
from tiny_reader import tiny_encoder, tiny_reader

from ecomtutor.errors import EcomTutorError
from ecomtutor.question_answering.explain import answer_units, explain_answer
from ecomtutor.question_answering.reader import Candidate, Reader
from ecomtutor.question_answering.retrieve import Passage

ENGLISH = Passage(
    "coupon", "store coupon", "The coupon is valid for 14 days. A dress costs 120 yuan.", 1.0
)
CHINESE = Passage("coupon", "满减券", "满减券领取后十四天内有效，退货七日。", 1.0)
ASKED = {"en": ("how long is it valid?", ENGLISH), "zh": ("满减券多久有效？", CHINESE)}


@pytest.fixture(scope="module")
def reader() -> Reader:
    return tiny_reader(tiny_encoder())


@pytest.mark.parametrize("language", ["en", "zh"])
def test_units_are_the_words_of_question_title_and_passage(reader: Reader, language: str) -> None:
    question, passage = ASKED[language]
    window, _, _ = reader.logits(question, passage)[0]
    units = answer_units(reader, question, passage, window)
    assert units.text == f"{question}\n{passage.title}\n{passage.text}"
    assert "".join(units.texts) == "".join(units.text.split())
    np.testing.assert_array_equal(units.ids, window.ids)
    special = set(range(len(window.ids))) - {t for unit in units.units for t in unit.tokens}
    assert {int(window.ids[t]) for t in special} == {
        reader.tokenizer.cls_token_id,
        reader.tokenizer.sep_token_id,
    }
    for unit in units.units:
        said = reader.tokenizer.convert_ids_to_tokens([int(units.ids[t]) for t in unit.tokens])
        assert "[UNK]" in said or "".join(said).replace("##", "") == unit.text.lower()


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_values_add_up_to_the_margin(reader: Reader, language: str) -> None:
    question, passage = ASKED[language]
    answer = reader.answer(question, [passage])
    made = explain_answer(reader, question, passage, budget=60)
    assert made.full[0] == pytest.approx(answer.margin, abs=1e-4)
    assert abs(made.gap[0]) < 1e-4
    assert made.outputs == (f"“{answer.text}” over no answer",)
    assert explain_answer(reader, question, passage, answer, budget=60).full == made.full


def test_a_word_is_hidden_where_the_reader_reads_it(reader: Reader) -> None:
    """Leave one out against the reader's own logits of a text with [MASK] in it."""
    question, passage = ASKED["en"]
    answer = reader.answer(question, [passage])
    made = explain_answer(reader, question, passage, method="leave-one-out")
    for word, i in (("valid", 4), ("dress", made.units.texts.index("dress"))):
        assert made.units.texts[i] == word
        text = passage.text.replace("dress", "[MASK]") if word == "dress" else passage.text
        asked = question.replace("valid", "[MASK]") if word == "valid" else question
        (window, start, end), *_ = reader.logits(asked, Passage("", passage.title, text, 0))
        moved = len("[MASK]") - len("dress") if word == "dress" else 0
        late = moved if answer.start > passage.text.index("dress") else 0  # type: ignore[operator]
        first, last = window.tokens(answer.start + late, answer.end + late)  # type: ignore
        margin = start[first] + end[last] - start[0] - end[0]
        assert made.values[i, 0] == pytest.approx(made.full[0] - margin, abs=1e-4)


def test_rather_than_another_span_is_the_difference_of_two(reader: Reader) -> None:
    question, passage = ASKED["en"]
    answer = reader.answer(question, [passage])
    other = answer.alternatives[0]
    one = explain_answer(reader, question, passage, method="leave-one-out")
    two = explain_answer(reader, question, passage, other, method="leave-one-out")
    both = explain_answer(reader, question, passage, answer, other, method="leave-one-out")
    np.testing.assert_allclose(both.values, one.values - two.values, atol=1e-4)
    assert both.full[0] == pytest.approx(answer.margin - other.margin, abs=1e-4)
    assert both.outputs == (f"“{answer.text}” over “{other.text}”",)


def test_question_title_and_passage_are_taken_apart_first(reader: Reader) -> None:
    question, passage = ASKED["en"]
    made = explain_answer(reader, question, passage, budget=4)
    texts = made.units.text.split("\n")
    ends = np.cumsum([sum(u.start < len("\n".join(texts[: i + 1])) for u in made.units.units)
                      for i in range(1)])  # fmt: skip
    values = made.values[:, 0].round(9)
    first = int(ends[0])
    assert len(set(values[:first])) == 1 and len(set(values[first:])) == 1
    assert values[0] != values[first]


def test_a_refusal_is_explained_by_its_best_span(reader: Reader) -> None:
    strict = Reader(reader.model, reader.tokenizer, "en", threshold=float("inf"))
    question, passage = ASKED["en"]
    refused = strict.answer(question, [passage])
    assert not refused
    made = explain_answer(strict, question, passage, refused, budget=10)
    assert made.full[0] == pytest.approx(refused.margin, abs=1e-4)


def test_the_window_of_a_long_passage_is_explained(reader: Reader) -> None:
    short = Reader(
        reader.model, reader.tokenizer, "en", threshold=float("-inf"), max_tokens=40, stride=8
    )
    text = " ".join(f"{a} {b} dress." for a, b in product(("red", "blue", "store"), repeat=2)) * 4
    answer = short.answer("valid?", [text])
    made = explain_answer(short, "valid?", text, answer, budget=10)
    asked, part = made.units.text.split("\n")
    assert asked == "valid?" and part in text and len(made.units.ids) <= 40
    assert answer.text in part
    assert made.full[0] == pytest.approx(answer.margin, abs=1e-4)


@pytest.mark.filterwarnings("ignore::ecomtutor.question_answering.reader.TruncatedQuestion")
def test_a_long_question_keeps_its_ends(reader: Reader) -> None:
    question = "how long " + "red " * 100 + "is it valid ?"
    made = explain_answer(reader, question, ENGLISH, budget=10)
    texts = made.units.texts
    assert texts[:2] == ["how", "long"] and texts.count("red") == 30 + 28
    assert made.full[0] == pytest.approx(reader.answer(question, [ENGLISH]).margin, abs=1e-4)


def test_bad_input_is_told(reader: Reader) -> None:
    question, passage = ASKED["en"]
    elsewhere = Candidate("parcel", 0, 0, 6, 0.0, 0.0)
    for wrong, said in (
        ({"method": "magic"}, "method is one of"),
        ({"hiding": "delete"}, "so that spans stay"),
        ({"answer": elsewhere}, "does not stand at characters"),
        ({"rather_than": elsewhere}, "does not stand at characters"),
    ):
        with pytest.raises(EcomTutorError, match=said):
            explain_answer(reader, question, passage, **wrong)  # type: ignore[arg-type]
    with pytest.raises(EcomTutorError, match="empty"):
        explain_answer(reader, " ", passage)
    for nothing in ("？！", "🙂"):
        with pytest.raises(EcomTutorError, match="no span"):
            explain_answer(reader, nothing, passage)
