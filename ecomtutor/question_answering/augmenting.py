"""Two more lessons from one question: its passage in another order, and without the answer.

A small reader learns by heart where the answers of its few passages lie. With the sentences in
another order the place no longer helps. Without the sentence that answers, the same question has no
answer: the two differ in nothing else, so only reading tells them apart.
"""

from collections.abc import Sequence

import numpy as np

from ecomtutor.question_answering.examples import Example
from ecomtutor.question_answering.retrieve import sentences

_FEWEST = 3  # sentences; with fewer there is little to shuffle, or to be left


def reordered(given: Sequence[Example], language: str, *, seed: int = 0) -> list[Example]:
    """The examples with their passages' sentences shuffled; the answer moves with its sentence.

    Left out are those whose answer spans sentences, and passages of fewer than three.

    Args:
        given: with answers or without.
        language: "en" or "zh".
        seed: shuffles.
    """
    dice = np.random.default_rng(seed)
    found = []
    for example in given:
        spans = _spans(example.text, language)
        home = _home(example, spans)
        if len(spans) < _FEWEST or (home is None and example.start is not None):
            continue
        order = dice.permutation(len(spans))
        text, starts = _put(example.text, spans, [int(i) for i in order])
        at = None
        if home is not None and example.start is not None:
            at = starts[home] + example.start - spans[home][0]
        accepted = tuple(answer for answer in example.accepted if answer in text)
        found.append(Example(example.question, example.title, text, example.answer, at, accepted))
    return found


def unanswered(given: Sequence[Example], language: str) -> list[Example]:
    """The examples with an answer, without the sentence that holds it: nothing is to be found.

    Left out are those whose answer stands elsewhere too, or spans sentences, and passages of fewer
    than three.
    """
    found = []
    for example in given:
        spans = _spans(example.text, language)
        home = _home(example, spans)
        if home is None or len(spans) < _FEWEST:
            continue
        start, end = spans[home]
        rest = example.text[:start] + example.text[end:].lstrip()
        if not any(answer.lower() in rest.lower() for answer in example.accepted):
            found.append(Example(example.question, example.title, rest.strip()))
    return found


def _spans(text: str, language: str) -> list[tuple[int, int]]:
    """Where the sentences begin and end; what lies between them is blank."""
    spans, at = [], 0
    for sentence in sentences(text, language):
        bare = sentence.strip()
        start = text.index(bare, at)
        at = start + len(bare)
        spans.append((start, at))
    return spans


def _home(example: Example, spans: Sequence[tuple[int, int]]) -> int | None:
    """The sentence that holds the whole answer; None where there is none."""
    if example.start is None:
        return None
    first, last = example.start, example.start + len(example.answer)
    return next((i for i, (a, b) in enumerate(spans) if a <= first and last <= b), None)


def _put(
    text: str, spans: Sequence[tuple[int, int]], order: Sequence[int]
) -> tuple[str, dict[int, int]]:
    """The sentences in an order, with the blanks where they were; and each one's new beginning."""
    parts = [text[: spans[0][0]]]
    starts, length = {}, len(parts[0])
    for place, i in enumerate(order):
        starts[i] = length
        after = spans[place + 1][0] if place + 1 < len(spans) else len(text)
        parts += [text[slice(*spans[i])], text[spans[place][1] : after]]
        length += len(parts[-2]) + len(parts[-1])
    return "".join(parts), starts
