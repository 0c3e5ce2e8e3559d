"""The span search: equal to trying every pair, and never in the question."""

import numpy as np
import pytest

from ecomtutor.errors import EcomTutorError
from ecomtutor.question_answering.spans import (
    best_spans,
    no_answer_score,
    separate_argmax,
    span_scores,
)


def _by_hand(start, end, allowed, most):
    """Every span in a loop, best first, the earlier one where two are equal."""
    spans = [
        (start[i] + end[j], -i, -j)
        for i in range(len(start))
        for j in range(i, min(len(start), i + most))
        if allowed[i] and allowed[j]
    ]
    return [(-i, -j, score) for score, i, j in sorted(spans, reverse=True)]


@pytest.mark.parametrize("seed", range(20))
def test_equal_to_a_loop_over_all_pairs(seed: int) -> None:
    dice = np.random.default_rng(seed)
    tokens = int(dice.integers(1, 14))
    # Whole numbers, so that there are ties.
    start, end = dice.integers(-3, 4, tokens), dice.integers(-3, 4, tokens)
    allowed = dice.random(tokens) < 0.7
    most, n = int(dice.integers(1, 6)), int(dice.integers(1, 9))
    found = best_spans(start, end, allowed, n=n, max_tokens=most)
    told = [(span.start, span.end, span.score) for span in found]
    assert told == _by_hand(start, end, allowed, most)[:n]


def test_argmax_twice_gives_an_empty_span_and_the_joint_one_does_not() -> None:
    start, end = np.array([0, 1.0, 2.0, 5.0]), np.array([0, 6.0, 2.0, 1.0])
    assert separate_argmax(start, end) == (3, 1)
    best = best_spans(start, end, np.array([False, True, True, True]))[0]
    assert (best.start, best.end, best.score) == (1, 1, 7.0)


def test_the_question_is_never_the_answer() -> None:
    start, end = np.array([0, 9.0, 9.0, 0, 1.0, 0.5]), np.array([0, 9.0, 9.0, 0, 0.5, 1.0])
    best = best_spans(start, end, np.array([0, 0, 0, 0, 1, 1], bool))[0]
    assert (best.start, best.end) == (4, 5)


def test_scores_have_a_row_for_each_start() -> None:
    scores = span_scores(np.array([1.0, 2.0]), np.array([10.0, 20.0]), np.ones(2, bool))
    assert scores.tolist() == [[11.0, 21.0], [-np.inf, 22.0]]


def test_nothing_allowed_gives_nothing() -> None:
    assert best_spans(np.zeros(3), np.zeros(3), np.zeros(3, bool), n=5) == []


def test_no_answer_is_the_span_of_the_first_token() -> None:
    assert no_answer_score(np.array([1.5, 9.0]), np.array([2.0, 9.0])) == 3.5


@pytest.mark.parametrize(
    ("start", "end", "message"),
    [
        (np.zeros((1, 3)), np.zeros((1, 3)), r"take one row: logits\[0\]"),
        (np.zeros(3), np.zeros(2), r"\(3,\) and \(2,\)"),
        (np.zeros(0), np.zeros(0), "two rows"),
        (np.array([np.nan]), np.zeros(1), "NaN"),
    ],
)
def test_logits_of_another_shape_are_refused(start, end, message: str) -> None:
    with pytest.raises(EcomTutorError, match=message):
        separate_argmax(start, end)


def test_other_doors() -> None:
    with pytest.raises(EcomTutorError, match="max_tokens"):
        span_scores(np.zeros(2), np.zeros(2), np.ones(2, bool), 0)
    with pytest.raises(EcomTutorError, match="truth value"):
        span_scores(np.zeros(2), np.zeros(2), np.ones(3, bool))
    with pytest.raises(EcomTutorError, match="n = 0"):
        best_spans(np.zeros(2), np.zeros(2), np.ones(2, bool), n=0)
