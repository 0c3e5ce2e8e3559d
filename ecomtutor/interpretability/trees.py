"""In which order the units of a text are taken apart: where a group of neighbours is cut in two."""

from collections.abc import Callable, Sequence
from typing import Literal

import numpy as np

from ecomtutor.errors import EcomTutorError
from ecomtutor.interpretability.units import Units

Cut = Callable[[int, int], int]
Tree = Literal["balanced", "punctuation"]

# Strongest first. Doubled marks (!!!, ……) are one unit; quotes and brackets end nothing.
MARKS: Sequence[str] = ("。．.！!？?…", "；;：:", "，,、—～~")


def cut_of(units: Units, tree: "Tree | Cut") -> Cut:
    """The rule that cuts the group of units start … end - 1 at a place between the two.

    Args:
        units: the text.
        tree: "balanced" cuts in the middle; "punctuation" behind the strongest mark inside the
            group, sentence ends before semicolons before commas, the one nearest the middle, and
            in the middle where there is no mark; or a rule of your own, such as a parser's.

    Raises:
        EcomTutorError: an unknown name; or, when it is used, a rule that cuts outside the group.
    """
    if callable(tree):
        return _checked(tree)
    if tree == "balanced":
        return balanced
    if tree == "punctuation":
        return punctuation(units)
    raise EcomTutorError(f"tree is 'balanced', 'punctuation' or a rule; {tree!r} came.")


def balanced(start: int, end: int) -> int:
    """Halves, the right one larger if need be."""
    return (start + end) // 2


def punctuation(units: Units) -> Cut:
    """Sentences, then clauses, then halves: a mark stays with what it ends."""
    strength = [_strength(text) for text in units.texts]

    def cut(start: int, end: int) -> int:
        # The last unit is left out: behind it the group is over.
        inside = strength[start : end - 1]
        best = min(inside)
        if best == len(MARKS):
            return balanced(start, end)
        places = [start + i + 1 for i, s in enumerate(inside) if s == best]
        return min(places, key=lambda place: abs(2 * place - start - end))

    return cut


def _strength(text: str) -> int:
    """0 for the end of a sentence, larger for weaker marks, len(MARKS) for no mark."""
    found = (i for i, signs in enumerate(MARKS) if text and set(text) <= set(signs))
    return next(found, len(MARKS))


def _checked(rule: Cut) -> Cut:
    def cut(start: int, end: int) -> int:
        place = rule(start, end)
        if not isinstance(place, int | np.integer) or not start < place < end:
            raise EcomTutorError(
                f"A tree cuts units {start} … {end - 1} in two parts, at a place from {start + 1} "
                f"to {end - 1}; {place!r} came."
            )
        return place

    return cut
