"""Shuffled passages keep their answers; passages without the answer's sentence have none."""

import pytest

from ecomtutor.question_answering.augmenting import reordered, unanswered
from ecomtutor.question_answering.examples import Example

TEXTS = {
    "en": "Returns cost ¥12. Send them within 7 days.\nWe refund on Friday! A lamp costs more.",
    "zh": "退货收12元。7天之内寄出。\n周五退款！台灯另算；请留好发票。",
}
ANSWERS = {"en": "within 7 days", "zh": "7天之内"}
LANGUAGES = pytest.mark.parametrize("language", ["en", "zh"])


def _asked(language: str, answer: str | None = None) -> Example:
    text, answer = TEXTS[language], ANSWERS[language] if answer is None else answer
    start = text.index(answer) if answer else None
    return Example("when?", "Returns", text, answer, start, (answer,) if answer else ())


@LANGUAGES
def test_sentences_change_places_and_the_answer_goes_along(language: str) -> None:
    given = [_asked(language), _asked(language, "")]
    orders = set()
    for seed in range(20):
        answered, refused = reordered(given, language, seed=seed)
        # Example itself refuses an answer that is not at its place.
        assert answered.answer == ANSWERS[language] and answered.start is not None
        assert refused.start is None
        for made in (answered, refused):
            assert len(made.text) == len(TEXTS[language])
            assert sorted(made.text) == sorted(TEXTS[language])
            assert made.text.count("\n") == 1 and made.title == "Returns"
        orders.add(answered.text)
    assert len(orders) > 10
    assert reordered(given, language, seed=3) == reordered(given, language, seed=3)


@LANGUAGES
def test_without_its_sentence_a_question_has_no_answer(language: str) -> None:
    (made,) = unanswered([_asked(language)], language)
    assert made.start is None and not made.accepted and made.question == "when?"
    assert ANSWERS[language] not in made.text
    before, after = TEXTS[language].split(ANSWERS[language])
    assert made.text.startswith(before[:8]) and made.text.endswith(after[-8:])


@LANGUAGES
def test_what_cannot_be_changed_is_left_out(language: str) -> None:
    text = TEXTS[language]
    assert not unanswered([_asked(language, "")], language)  # nothing to take out
    twice = text + text
    again = Example("q", "", twice, ANSWERS[language], twice.index(ANSWERS[language]))
    again = Example(again.question, "", again.text, again.answer, again.start, (again.answer,))
    assert not unanswered([again], language)  # it would still be there
    whole = Example("q", "", text, text, 0, (text,))
    assert not reordered([whole], language) and not unanswered([whole], language)
    short = Example("q", "", "7.", "7", 0, ("7",))
    assert not reordered([short], language) and not unanswered([short], language)
