"""Exercises and quiz of a made-up lesson."""

from __future__ import annotations

from typing import Any

from ecomtutor.exercises.checking import expect, expect_function
from ecomtutor.exercises.registry import Exercise, Option, Question, WrongAnswer, changed

_SOFTMAX_ROWS = '''
def softmax_rows(scores):
    """Turn every row of scores (rows, columns) into weights that sum to 1."""
    shifted = scores - scores.max(dim=-1, keepdim=True).values
    weights = shifted.exp()
    return weights / weights.sum(dim=-1, keepdim=True)
'''


def _check_softmax_rows(softmax_rows: Any) -> None:
    import torch

    small = torch.tensor([[1.0, 2.0, 3.0], [0.0, 0.0, 1.0]])
    large = torch.tensor([[1000.0, 1001.0]])
    expect_function(
        softmax_rows,
        lambda scores: torch.softmax(scores, dim=-1),
        cases=[(small,), (large,)],
        mistakes=[
            (
                lambda scores: torch.softmax(scores, dim=0),
                "The columns sum to 1, not the rows: which dimension does the sum run over?",
            ),
            (
                lambda scores: scores.exp() / scores.exp().sum(dim=-1, keepdim=True),
                "exp(1000) overflows: subtract the largest score of each row first.",
            ),
        ],
    )


def _check_largest_weight(largest_weight: Any) -> None:
    expect(
        largest_weight,
        0.6652,
        abs=5e-4,
        mistakes=[(66.52, "That is a percentage: give the weight itself, between 0 and 1.")],
    )


EXERCISES = [
    Exercise(
        id="98.1",
        title="Softmax, row by row",
        difficulty=2,
        importance=5,
        minutes=10,
        points=2,
        answer="softmax_rows",
        setup="import torch",
        stub='''
            def softmax_rows(scores):
                """Turn every row of scores (rows, columns) into weights that sum to 1."""
                ...
        ''',
        solution=_SOFTMAX_ROWS,
        check=_check_softmax_rows,
        hints=[
            "exp() makes every score positive; what makes a row sum to 1?",
            "Sum over the last dimension, and subtract the maximum of the row before exp().",
        ],
        wrong_answers=[
            WrongAnswer(
                "def softmax_rows(scores):\n    return scores.softmax(dim=0)", "columns sum to 1"
            ),
            WrongAnswer(
                changed(_SOFTMAX_ROWS, " - scores.max(dim=-1, keepdim=True).values", ""),
                "overflows",
            ),
        ],
        praise="Rows sum to 1, and scores of a thousand do not overflow.",
        explanation="A constant taken from every score of a row cancels in the ratio.",
    ),
    Exercise(
        id="98.2",
        title="The largest weight",
        difficulty=1,
        importance=3,
        minutes=3,
        points=1,
        answer="largest_weight",
        stub="largest_weight = ...",
        solution="largest_weight = 0.6652",
        check=_check_largest_weight,
        hints=["Three weights: e¹, e², e³ over their sum.", "e³ / (e¹ + e² + e³)"],
        wrong_answers=[
            WrongAnswer("largest_weight = 66.52", "percentage"),
            WrongAnswer("largest_weight = 'two thirds'", "a number was expected"),
        ],
    ),
]

QUIZ = [
    Question(
        "Why are scores divided by √d before the softmax?",
        options=[
            Option(
                "So that they fit into float16.", "They fit either way; the reason is the spread."
            ),
            Option(
                "So that their spread does not grow with d.",
                "A dot product of d unit-variance terms has variance d; √d brings it back to 1.",
                right=True,
            ),
        ],
    ),
    # at least three more
]
