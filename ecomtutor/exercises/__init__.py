"""Exercises that answer back: `check("01.2")`, `hint("01.2")`, `solution("01.2")`, `progress()`.

Each lesson's exercises and quiz stand in `lesson_NN.py`, built from `registry` and `checking`.
"""

from ecomtutor.exercises.reader import check, hint, progress, solution

__all__ = ["check", "hint", "progress", "solution"]
