"""Helpers for checks: hold an answer against the right one and against the likely mistakes."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable
from typing import Any

from ecomtutor.exercises.comparing import (
    describe,
    first_difference,
    is_array,
    is_table,
    is_tensor,
)

__all__ = [
    "Elsewhere",
    "Wrong",
    "beside",
    "call",
    "describe",
    "expect",
    "expect_function",
    "expect_type",
]

Mistakes = Iterable[tuple[Any, str]]


class Wrong(Exception):
    """The reader's answer is wrong; the message names the mistake."""


def expect(
    came: Any,
    expected: Any,
    *,
    what: str = "your answer",
    mistakes: Mistakes = (),
    rel: float = 1e-4,
    abs: float = 1e-6,
) -> None:
    """Compare a value with the right one, and name the mistake when it is a known one.

    Args:
        came: what the reader gave.
        expected: number, text, list, tuple, dict, set, array, tensor, Series or DataFrame, nested
            at will. Real numbers are compared within the tolerance, all else exactly.
        what: the value's name in messages.
        mistakes: pairs of the value that a mistaken answer has and the message that names it.
        rel, abs: relative and absolute tolerance.

    Raises:
        Wrong: the value differs.
    """
    difference = first_difference(came, expected, rel=rel, abs=abs)
    if difference is None:
        return
    for mistaken, message in mistakes:
        if first_difference(came, mistaken, rel=rel, abs=abs) is None:
            raise Wrong(message)
    raise Wrong(f"{what} {difference}.")


def expect_function(
    function: Any,
    reference: Callable[..., Any],
    cases: Iterable[tuple[Any, ...]],
    *,
    mistakes: Iterable[tuple[Callable[..., Any], str]] = (),
    rel: float = 1e-4,
    abs: float = 1e-6,
    may_mutate: bool = False,
) -> None:
    """Compare the reader's function with a reference on every case, as `expect` does for a value.

    Args:
        function: the reader's.
        reference: gives the right result for each case.
        cases: tuples of positional arguments; each function works on its own copy.
        mistakes: pairs of a function with a likely mistake and the message that names it. The
            mistake is named when its result on the failing case is the reader's.
        rel, abs: relative and absolute tolerance.
        may_mutate: whether the reader's function is allowed to change its arguments.

    Raises:
        Wrong: not a function, a result differs, or an argument was changed.
    """
    known = list(mistakes)
    for case in cases:
        came = call(function, *case, may_mutate=may_mutate)
        expected = reference(*_copied(case))
        what = f"{_name(function)}({', '.join(describe(each) for each in case)})"
        if came is None and expected is not None:
            raise Wrong(f"{what} is None; expected: {describe(expected)}. Is a `return` missing?")
        expect(
            came,
            expected,
            what=what,
            mistakes=_results(known, case),
            rel=rel,
            abs=abs,
        )


def call(function: Any, *args: Any, may_mutate: bool = False, **kwargs: Any) -> Any:
    """Call the reader's function on copies of the arguments and return its result.

    Raises:
        Wrong: it cannot be called, or it changed an argument although it must not.
    """
    if not callable(function):
        raise Wrong(f"your answer is {describe(function)}; a function was expected.")
    given, given_named = _copied(args), _copied(kwargs)
    result = function(*given, **given_named)
    if not may_mutate:
        before = {**{f"argument {n}": each for n, each in enumerate(args, 1)}, **kwargs}
        after = [*given, *given_named.values()]
        for (place, was), now in zip(before.items(), after, strict=True):
            _expect_unchanged(function, place, was, now)
    return result


class Elsewhere:
    """A reader's function that lives in another process: what the grader hands to a check."""

    def run_beside(self, work: Callable[..., Any], args: tuple[Any, ...]) -> Any:
        """Run `work(function, *args)` in that process and return its result, which is data."""
        raise NotImplementedError


def beside(work: Callable[..., Any], function: Any, *args: Any) -> Any:
    """`work(function, *args)`, run where the reader's function lives.

    For a check that watches what the function does to a model or another object: the grader runs
    answers in a process of their own, from which only results come back.

    Args:
        work: ours; takes the function and `args`, returns data (numbers, text, containers, tensors,
            arrays, tables).
        function: the reader's.
    """
    if isinstance(function, Elsewhere):
        return function.run_beside(work, args)
    return work(function, *args)


def expect_type(came: Any, kinds: type | tuple[type, ...], what: str = "your answer") -> None:
    """Demand an instance of one of the types.

    Raises:
        Wrong: it is something else; the message says what came and what was expected.
    """
    kinds = kinds if isinstance(kinds, tuple) else (kinds,)
    if not issubclass(type(came), kinds):
        wanted = " or ".join(kind.__name__ for kind in kinds)
        raise Wrong(f"{what} is {describe(came)}; expected: {wanted}.")


def _results(mistakes: Iterable[tuple[Callable[..., Any], str]], case: Any) -> Mistakes:
    """Results of the mistaken functions on a case; those that fail on it are passed over."""
    for mistaken, message in mistakes:
        try:
            yield mistaken(*_copied(case)), message
        except Exception:  # a mistake may well crash; the reader's own did not
            continue


def _expect_unchanged(function: Any, place: str, was: Any, now: Any) -> None:
    if not _is_copied(was):
        return
    difference = first_difference(now, was, rel=0.0, abs=0.0)
    if difference is not None:
        raise Wrong(
            f"{_name(function)} changes its input: after the call {place} {difference}. "
            "Work on a copy, or use operations that make a new object."
        )


def _copied(value: Any) -> Any:
    """A copy deep enough that a change to it does not reach the original."""
    if is_tensor(value):
        return value.detach().clone().requires_grad_(value.requires_grad)
    if type(value) in (list, tuple, set, frozenset):
        return type(value)(_copied(each) for each in value)
    if type(value) is dict:
        return {key: _copied(each) for key, each in value.items()}
    return copy.deepcopy(value) if _is_copied(value) else value


def _is_copied(value: Any) -> bool:
    containers = (list, tuple, set, frozenset, dict, bytearray)
    return type(value) in containers or is_tensor(value) or is_array(value) or is_table(value)


def _name(function: Any) -> str:
    name = getattr(function, "__name__", None)
    return name if type(name) is str and name.isidentifier() else "your function"
