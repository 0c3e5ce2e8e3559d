"""An answer in words is said when it keeps the span and adds nothing; else the span is."""

from types import SimpleNamespace
from typing import Any

import pytest

from ecomtutor.errors import EcomTutorError
from ecomtutor.question_answering.generate import (
    InWords,
    answer_in_words,
    first_sentence,
    near,
    prompt,
    smollm2,
    stream_smollm2,
)
from ecomtutor.question_answering.promises import promises, sentences

TEXT = "Coupons last a while. Each is valid for 14 days. New batches open at 10:00."
PAGE = SimpleNamespace(id="coupons", title="Coupons", text=TEXT)
SPAN = SimpleNamespace(text="14 days", passage=0, start=TEXT.index("14 days"))


def answer(draft: str | None, span: Any = SPAN) -> InWords:
    write = None if draft is None else (lambda _: draft)
    return answer_in_words(
        "How long?", retrieve=lambda _: [PAGE], read=lambda *_: span, write=write
    )


def test_a_grounded_draft_is_said_and_its_passage_cited() -> None:
    said = answer("It is valid for fourteen days. And more nonsense for ¥9.")
    assert (said.text, said.how, said.passage) == (
        "It is valid for fourteen days.", "generated", "coupons",
    )  # fmt: skip
    assert str(said) == "It is valid for fourteen days. [coupons]" and not said.reasons


@pytest.mark.parametrize(
    "draft, reason",
    [
        ("It is valid for 15 days.", "does not say 15 days"),
        ("Sony says 14 days.", "does not say Sony"),
        ("It is valid for a while.", "lost 14 days"),
        ("14 days, and I will refund it.", "promises"),
        ("", "wrote nothing"),
        ("   \n", "wrote nothing"),
    ],
)
def test_any_other_draft_is_replaced_by_the_span(draft: str, reason: str) -> None:
    said = answer(draft)
    assert (said.text, said.how, said.passage) == ("14 days", "span", "coupons")
    assert reason in " ".join(said.reasons)


def test_without_an_answer_no_model_is_asked() -> None:
    def never(_: Any) -> str:
        raise AssertionError("asked")

    nothing = SimpleNamespace(text="", passage=None, start=None)
    said = answer_in_words("?", retrieve=lambda _: [], read=lambda *_: nothing, write=never)
    assert (said.text, said.passage, said.how, str(said)) == ("", None, "refused", "—")
    assert answer(None).how == "span"
    with pytest.raises(EcomTutorError, match="question is empty"):
        answer_in_words("  ", retrieve=lambda _: [], read=lambda *_: nothing)


def test_a_span_of_words_alone_must_be_kept_too() -> None:
    span = SimpleNamespace(text="New batches open", passage=0, start=TEXT.index("New"))
    assert answer("New batches open in the morning.", span).how == "generated"
    assert answer("It is nice.", span).how == "span"


def test_the_prompt_holds_the_sentence_around_the_span() -> None:
    assert near(TEXT, SPAN.start) == "Coupons last a while. Each is valid for 14 days."
    assert near("每张14天。领完即止。", 6) == "每张14天。领完即止。"
    messages = prompt("多久？", "优惠券", "每张14天。", "14天", "zh")
    assert [m["role"] for m in messages] == ["system", "user", "assistant", "user"]
    assert "14天" in messages[-1]["content"] and "多久" in messages[-1]["content"]
    with pytest.raises(EcomTutorError, match="prompts for"):
        prompt("?", "", "", "", "fr")


def test_sentences_end_where_readers_think_so() -> None:
    text = "It costs ¥3.50. Open at 10:00! 可以退。满199减20；不叠加"
    assert [text[a:b].strip() for a, b in sentences(text)] == [
        "It costs ¥3.50.", "Open at 10:00!", "可以退。", "满199减20；", "不叠加",
    ]  # fmt: skip
    assert first_sentence("  One. Two.") == "One." and first_sentence("") == ""


@pytest.mark.parametrize(
    "text, made",
    [
        ("I will refund you.", True),
        ("We've sent you a coupon.", True),
        ("Your refund has been approved.", True),
        ("You have been granted Gold.", True),
        ("我已给您退款。", True),
        ("我们马上给您免单。", True),
        ("您的退款已经批准。", True),
        ("Refunds take 3 days.", False),
        ("You can return it within 7 days.", False),
        ("7天内可以退货。", False),
        ("退款三天到账。", False),
        ("", False),
    ],
)
def test_what_counts_as_a_promise(text: str, made: bool) -> None:
    assert bool(promises(text, "")) is made
    assert promises(text, f"Before. {text} After.") == []


def test_smollm2_writes_piece_by_piece_what_it_writes_at_once() -> None:
    messages = prompt("How long?", "Coupons", "Each is valid for 14 days.", "14 days")
    pieces = list(stream_smollm2(messages, 12))
    assert len(pieces) > 3 and "".join(pieces).strip() == smollm2(messages, 12).strip()
    assert "14 days" in "".join(pieces)
