"""Small exercises for the tests of the machinery: a function, two names, a class."""

from __future__ import annotations

from typing import Any

from ecomtutor.exercises.checking import call, expect, expect_function
from ecomtutor.exercises.registry import Exercise, Option, Question, WrongAnswer, changed

_DOUBLED = """
def doubled(numbers):
    return [2 * number for number in numbers]
"""


def _check_doubled(doubled: Any) -> None:
    expect_function(
        doubled,
        lambda numbers: [2 * number for number in numbers],
        cases=[([1, 2, 3],), ([],)],
        mistakes=[(lambda numbers: [n * n for n in numbers], "Squared is not doubled.")],
    )


def _check_mean_and_names(mean: Any, names: Any) -> None:
    expect(mean, 2.5, what="mean", mistakes=[(10, "That is the sum: divide by the count.")])
    expect(names, {"ann", "bo"}, what="names")


def _check_basket(basket: Any) -> None:
    filled = basket()
    call(filled.add, "tea")
    expect(filled.count(), 1, what="count() after one add()")


EXERCISES = [
    Exercise(
        id="99.1",
        title="Doubled",
        difficulty=1,
        importance=1,
        minutes=1,
        points=1,
        answer="doubled",
        stub="""
            def doubled(numbers):
                raise NotImplementedError
        """,
        solution=_DOUBLED,
        check=_check_doubled,
        hints=["Two of each.", "A list comprehension."],
        wrong_answers=[
            WrongAnswer(changed(_DOUBLED, "2 * number ", "number * number "), "Squared is not"),
            WrongAnswer(changed(_DOUBLED, "return ", ""), "Is a `return` missing?"),
        ],
    ),
    Exercise(
        id="99.2",
        title="Two <names>",
        difficulty=1,
        importance=1,
        minutes=1,
        points=2,
        answer=("mean", "names"),
        stub="mean = None\nnames = ...",
        solution='mean = 2.5\nnames = {"ann", "bo"}',
        check=_check_mean_and_names,
        hints=["One.", "Two."],
        wrong_answers=[
            WrongAnswer('mean = 10\nnames = {"ann", "bo"}', "divide by the count"),
            WrongAnswer('mean = 2.5\nnames = {"ann"}', "lacks 'bo'"),
        ],
    ),
    Exercise(
        id="99.3",
        title="A class",
        difficulty=1,
        importance=1,
        minutes=1,
        points=1,
        answer="Basket",
        stub="""
            class Basket:
                def __init__(self):
                    self.items = []

                def add(self, item):
                    self.items.append(item)

                def count(self):
                    total = ...
                    return total
        """,
        solution="""
            class Basket:
                def __init__(self):
                    self.items = []

                def add(self, item):
                    self.items.append(item)

                def count(self):
                    return len(self.items)
        """,
        check=_check_basket,
        hints=["One.", "Two."],
        wrong_answers=[
            WrongAnswer("class Basket:\n    def add(self, item):\n        return item", "count"),
            WrongAnswer(
                "class Basket:\n    def add(self, item):\n        pass\n\n"
                "    def count(self):\n        return 0",
                "count() after one add() is 0",
            ),
        ],
    ),
    Exercise(
        id="99.4",
        title="Doubled in a hurry",
        difficulty=1,
        importance=1,
        minutes=1,
        points=1,
        answer="doubled",
        stub="doubled = ...",
        solution=_DOUBLED,
        check=_check_doubled,
        hints=["Two of each.", "A list comprehension."],
        wrong_answers=[
            WrongAnswer("doubled = [2, 4, 6]", "a function was expected"),
            WrongAnswer(
                "def doubled(numbers):\n    while True:\n        pass", "within 0.3 seconds"
            ),
        ],
        seconds=0.3,
    ),
]

QUIZ = [
    Question(
        "Which are `even`, x < 5 & x > 1?",
        options=[
            Option("2 & 4", "Both halve to a whole number.", right=True),
            Option("3", "3 ÷ 2 leaves 1."),
            Option("4 alone, <b>surely</b>", "4 = 2 · 2.", right=True),
        ],
        several=True,
    ),
    Question(
        "What is 雪梨?",
        options=[
            Option("A pear.", "雪 is snow, 梨 is pear.", right=True),
            Option("A plum.", "That is 李."),
        ],
    ),
]
