"""Which words of the question and of the passage carried an answer.

Hidden words become [MASK], and the reader is asked again how much it prefers its span to no answer.
A word's value is what that margin owes to it. A retriever's prior is no part of it: it does not
depend on the hidden words.
"""

from collections.abc import Callable, Iterator
from typing import Any, Literal

import numpy as np
import torch
from transformers.modeling_outputs import QuestionAnsweringModelOutput

from ecomtutor.errors import EcomTutorError
from ecomtutor.interpretability.explain import METHODS
from ecomtutor.interpretability.explanation import Explanation
from ecomtutor.interpretability.game import Game
from ecomtutor.interpretability.scores import span
from ecomtutor.interpretability.trees import Cut, punctuation
from ecomtutor.interpretability.units import Units, units_at
from ecomtutor.question_answering.reader import (
    Answer,
    Candidate,
    HasText,
    Reader,
    bare_question,
    title_and_text,
)
from ecomtutor.question_answering.windows import MAX_QUESTION, MAX_TITLE, Window, pieces_of

BUDGET = 500  # rows that Owen values may ask for: some seconds for a passage of 100 words
NO_ANSWER = "no answer"
_SHOWN = 40  # characters of a span in the output's name


def explain_answer(
    reader: Reader,
    question: str,
    passage: "str | HasText",
    answer: "Answer | Candidate | None" = None,
    rather_than: "Candidate | None" = None,
    *,
    method: str = "owen",
    unit: Literal["word", "token"] = "word",
    hiding: Literal["mask", "pad"] = "mask",
    bf16: bool = False,
    **settings: Any,
) -> Explanation:
    """How much each word of question and passage moved the reader towards an answer.

    The explained number is the margin: the span's start and end logits, less those of no answer,
    or of another span. What stands in the text is question, title and passage, a line each; of a
    long passage the window in which the reader found the span.

    Args:
        reader: with its tokenizer.
        question: as it was asked.
        passage: the one that holds the span.
        answer: what the reader said, or one of its alternatives; unless given, the best span of
            this passage, also where the reader refuses.
        rather_than: another span of the same window: what speaks for the one and not the other.
            Unless given, no answer.
        method: one of `interpretability.METHODS`. "owen" goes by question, title and sentences
            first, and asks for 500 rows unless settings has a budget; "leave-one-out" is cheapest.
        unit: "word" or "token".
        hiding: "mask" or "pad"; the span has to stay at its place.
        bf16: half precision where the processor has it.
        settings: what the method takes: `budget`, `orders`, `samples`, `seed` …

    Returns:
        An explanation with one output, named "“the span” over no answer".

    Raises:
        EcomTutorError: a passage without a span, an answer that does not stand in this passage, a
            span to compare with outside of the answer's window, another method or hiding.
    """
    if method not in METHODS:
        raise EcomTutorError(f"method is one of {', '.join(METHODS)}; {method!r} came.")
    if hiding not in ("mask", "pad"):
        raise EcomTutorError(f"hiding is 'mask' or 'pad', so that spans stay; {hiding!r} came.")
    _, text = title_and_text(passage)
    span_ = answer if isinstance(answer, Candidate) else _best(reader, question, passage, answer)
    _require_in(text, span_)
    window, first, last = _window_of(reader, question, passage, span_)
    units = answer_units(reader, question, passage, window, unit)
    other, name = (0, 0), NO_ANSWER
    if rather_than is not None:
        _require_in(text, rather_than)
        other, name = _place(window, rather_than), f"“{_short(rather_than.text)}”"
    score = span(_quick(reader, bf16), first, last, window.segments, other)
    game = Game(units, score, hiding, outputs=[f"“{_short(span_.text)}” over {name}"])
    if method == "owen":
        settings = {"budget": BUDGET, "tree": _parts_first(units)} | settings
    return METHODS[method](game, **settings)


def _quick(reader: Reader, bf16: bool) -> Callable[..., QuestionAnsweringModelOutput]:
    """The reader's network for rows of one length, by way of `reader.read`, which is faster."""

    def model(
        *, input_ids: torch.Tensor, token_type_ids: torch.Tensor
    ) -> QuestionAnsweringModelOutput:
        logits = reader.read([*input_ids.numpy()], [*token_type_ids.numpy()], bf16=bf16)
        start, end = torch.from_numpy(np.stack(logits)).unbind(dim=-1)  # (rows, tokens) each
        return QuestionAnsweringModelOutput(start_logits=start, end_logits=end)

    return model


def answer_units(
    reader: Reader,
    question: str,
    passage: "str | HasText",
    window: Window,
    unit: Literal["word", "token"] = "word",
) -> Units:
    """The words of a reader's window: question, title and passage as one text, a line each."""
    asked = bare_question(question)
    title, text = title_and_text(passage)
    lines = [line for line in (asked, title) if line]
    heads = pieces_of([asked, title], reader.tokenizer)
    offsets: list[tuple[int, int]] = [(0, 0)]
    offsets += [*_moved(_cut_question(heads[0].offsets), 0), (0, 0)]
    if len(heads[1].ids):
        offsets += [*_moved(heads[1].offsets[:MAX_TITLE], len(asked) + 1), (0, 0)]
    start, end = int(window.offsets[0, 0]), int(window.offsets[-1, 1])
    part = text[start:end]
    before = sum(len(line) + 1 for line in lines)
    offsets += [*_moved(window.offsets - start, before), (0, 0)]
    whole = "\n".join([*lines, part])
    return units_at(whole, window.ids.tolist(), offsets, reader.tokenizer, unit)


def _best(
    reader: Reader, question: str, passage: "str | HasText", answer: Answer | None
) -> Candidate:
    """The answer as a span; the best one where there was none or it was refused."""
    said = answer if answer is not None else reader.answer(question, [passage])
    if said.start is not None and said.end is not None:
        place = said.passage or 0, said.start, said.end
        return Candidate(said.text, *place, said.score, said.no_answer_score, said.prior)
    if not said.alternatives:
        raise EcomTutorError(
            "The reader found no span in this passage: there is nothing to explain."
        )
    return said.alternatives[0]


def _require_in(text: str, one: Candidate) -> None:
    if text[one.start : one.end] != one.text or not one.text:
        raise EcomTutorError(
            f"“{_short(one.text)}” does not stand at characters {one.start} to {one.end} of this "
            "passage. Give the passage that the answer names: passages[answer.passage]."
        )


def _window_of(
    reader: Reader, question: str, passage: "str | HasText", one: Candidate
) -> tuple[Window, int, int]:
    """The window in which the span stands, the best of them, and its first and last token."""
    found = []
    for window, start, end in reader.logits(question, passage):
        if (tokens := window.tokens(one.start, one.end)) is not None:
            first, last = tokens
            margin = start[first] + end[last] - start[0] - end[0]
            found.append((float(margin), window, first, last))
    if not found:
        raise EcomTutorError(
            f"“{_short(one.text)}” is longer than a window's share, or cuts a token in two."
        )
    _, window, first, last = max(found, key=lambda each: each[0])
    return window, first, last


def _place(window: Window, other: Candidate) -> tuple[int, int]:
    tokens = window.tokens(other.start, other.end)
    if tokens is None:
        raise EcomTutorError(
            f"“{_short(other.text)}” is not in the window in which the answer was found. Compare "
            "with a span that stands nearer to it."
        )
    return tokens


def _cut_question(offsets: np.ndarray) -> np.ndarray:
    """The places of the tokens that `windows` keeps of a long question."""
    if len(offsets) <= MAX_QUESTION:
        return offsets
    half = MAX_QUESTION // 2
    return np.concatenate([offsets[:half], offsets[-half:]])


def _moved(offsets: np.ndarray, by: int) -> Iterator[tuple[int, int]]:
    return ((int(start) + by, int(end) + by) for start, end in offsets)


def _parts_first(units: Units) -> Cut:
    """Question | title | passage, then sentences, then clauses, then halves."""
    edges = [i for i, c in enumerate(units.text) if c == "\n"]
    starts = [unit.start for unit in units.units]
    lines = {int(np.searchsorted(starts, edge)) for edge in edges}
    by_marks = punctuation(units)

    def cut(start: int, end: int) -> int:
        inside = [place for place in lines if start < place < end]
        return min(inside) if inside else by_marks(start, end)

    return cut


def _short(text: str) -> str:
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"
