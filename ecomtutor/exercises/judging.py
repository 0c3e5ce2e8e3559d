"""Judge an answer: not attempted, right, or wrong with a reason."""

from __future__ import annotations

import ast
import contextlib
import dis
import linecache
import re
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from types import CodeType, FunctionType
from typing import Any, Literal

from ecomtutor.exercises.checking import Wrong
from ecomtutor.exercises.comparing import first_difference
from ecomtutor.exercises.registry import Exercise
from ecomtutor.exercises.sandbox import InputAsked, Outcome, TimeIsUp, run_guarded

_IDLE = {"RESUME", "NOP", "LOAD_CONST", "RETURN_CONST", "RETURN_VALUE"}
_ADDRESS = re.compile(r"0x[0-9a-fA-F]{4,}")
_MESSAGE_LIMIT = 600
_EXCERPT_LIMIT = 200

Standing = Literal["not attempted", "wrong", "right"]


@dataclass(frozen=True)
class Verdict:
    """What became of an answer, and the sentence that says so."""

    standing: Standing
    message: str


def judge(exercise: Exercise, answers: Sequence[Any], namespace: Mapping[str, Any]) -> Verdict:
    """Judge the reader's objects, whatever they are and do.

    Args:
        exercise: the exercise.
        answers: the reader's objects, in the order of `exercise.names`.
        namespace: globals of the reader's code, to tell its lines from ours in a traceback.

    Returns:
        The verdict. Only `KeyboardInterrupt`, the reader's own wish, gets through.
    """
    for name, answer in zip(exercise.names, answers, strict=True):
        if is_untouched(name, answer, exercise.stub):
            return Verdict("not attempted", f"`{name}` is still the placeholder.")
    import_first(exercise.check)
    outcome = run_guarded(lambda: _verdict(exercise, answers, namespace), exercise.seconds)
    if not outcome.in_time:
        limit = f"{exercise.seconds:g} second{'s' * (exercise.seconds != 1)}"
        verdict = Verdict(
            "wrong",
            f"your code did not finish within {limit}. Is there a loop that never ends, or work "
            "that grows too fast?",
        )
    else:
        verdict = outcome.value
    if verdict.standing == "wrong":
        return Verdict("wrong", "\n".join([verdict.message, *overheard(outcome)]))
    return verdict


def import_first(check: Callable[..., None]) -> None:
    """Do the imports of a check before the clock starts: a cold `import torch` takes seconds, and
    one that is cut off half-way leaves a broken module behind."""
    for step in dis.get_instructions(check):
        if step.opname == "IMPORT_NAME":
            with contextlib.suppress(Exception):  # the check itself will say what is missing
                import_module(step.argval)


def _verdict(exercise: Exercise, answers: Sequence[Any], namespace: Mapping[str, Any]) -> Verdict:
    try:
        exercise.check(*answers)
    except Wrong as wrong:
        return Verdict("wrong", _shortened(str(wrong), _MESSAGE_LIMIT))
    except (KeyboardInterrupt, TimeIsUp):
        raise
    except BaseException as error:  # a reader's code may raise anything
        return verdict_on_error(error, exercise.names[0], answers, namespace)
    return Verdict("right", exercise.praise or "that is right.")


def verdict_on_error(
    error: BaseException, name: str, answers: Sequence[Any], namespace: Mapping[str, Any]
) -> Verdict:
    """What an error that the reader's code raised says about the answer.

    Args:
        error: the error, with its traceback.
        name: of the answer, for the message.
        answers: the reader's objects.
        namespace: globals of the reader's code.

    Returns:
        Wrong, with the reader's own line; not attempted for a deliberate NotImplementedError.
    """
    frames = list(_reader_frames(error, answers, namespace))
    if type(error) is NotImplementedError and frames and _is_raised_on_purpose(error):
        return Verdict("not attempted", f"{name} raises NotImplementedError.")
    return Verdict("wrong", _explained(error, frames))


def _explained(error: BaseException, frames: Sequence[traceback.FrameSummary]) -> str:
    shown = _shown(error)
    if not frames:
        return f"the check could not work with your answer: {shown}"
    # Where endless recursion is cut off varies; where it was entered does not.
    frame = frames[0] if isinstance(error, RecursionError) else frames[-1]
    where = f"line {frame.lineno}" + (f", `{frame.line}`" if frame.line else "")
    if isinstance(error, SystemExit):
        return f"your code asks Python to exit ({where}): use `return` to leave a function."
    if isinstance(error, InputAsked):
        return f"your code waits for keyboard input ({where}): take the value as an argument."
    if isinstance(error, RecursionError):
        return f"your function calls itself without end ({where}): which case stops it?"
    return f"your code raised {shown}\n   at {where}"


def _shown(error: BaseException) -> str:
    try:
        message = _shortened(str(error), _EXCERPT_LIMIT)
    except Exception:  # the reader's own exception class
        message = "(its message cannot be shown)"
    return f"{type(error).__name__}: {message}" if message else type(error).__name__


def _reader_frames(
    error: BaseException, answers: Sequence[Any], namespace: Mapping[str, Any]
) -> Iterator[traceback.FrameSummary]:
    """The reader's own lines in the traceback, outermost first."""
    owned = [namespace, *(each.__globals__ for each in answers if type(each) is FunctionType)]
    for frame, line in traceback.walk_tb(error.__traceback__):
        if any(frame.f_globals is each for each in owned):
            code = frame.f_code
            text = linecache.getline(code.co_filename, line, frame.f_globals).strip()
            yield traceback.FrameSummary(
                code.co_filename, line, code.co_name, lookup_line=False, line=text
            )


def _is_raised_on_purpose(error: BaseException) -> bool:
    """Whether a `raise` statement raised it, not a call into C: torch has its own reasons."""
    last = error.__traceback__
    while last is not None and last.tb_next is not None:
        last = last.tb_next
    if last is None:
        return False
    return last.tb_frame.f_code.co_code[last.tb_lasti] == dis.opmap["RAISE_VARARGS"]


def overheard(outcome: Outcome) -> Iterator[str]:
    """Lines that say what the reader's code printed and warned."""
    if outcome.printed.strip():
        yield f"   Your code printed: {_shortened(outcome.printed, _EXCERPT_LIMIT)}"
    for warning in outcome.warned[:2]:
        yield f"   Your code warned: {_shortened(warning, _EXCERPT_LIMIT)}"


def _shortened(text: str, limit: int) -> str:
    """Text on one line, cut at the limit, without memory addresses, which differ in every run."""
    text = _ADDRESS.sub("0x…", " ".join(text.split()))
    return text if len(text) <= limit else f"{text[:limit]}…"


def is_untouched(name: str, answer: Any, stub: str) -> bool:
    """Whether an answer is still what the stub gives the name, or a function that does nothing."""
    if answer is ... or answer is NotImplemented:
        return True
    if type(answer) is FunctionType and _does_nothing(answer.__code__):
        return True
    codes = _codes(answer)
    if codes:
        stubs = [each for code in _inner(_compiled(stub)) for each in (code, *_inner(code))]
        return all(any(_same(code, each) for each in stubs) for code in codes)
    return any(
        type(answer) is type(literal) and first_difference(answer, literal, rel=0, abs=0) is None
        for literal in _literals(name, stub)
    )


def _codes(answer: Any) -> list[CodeType]:
    """Code of a function, or of the methods of a class."""
    if type(answer) is FunctionType:
        return [answer.__code__]
    if type(answer) is type:
        return [each.__code__ for each in vars(answer).values() if type(each) is FunctionType]
    return []


def _does_nothing(code: CodeType) -> bool:
    """Whether a body is only `...`, `pass` or a docstring."""
    steps = list(dis.get_instructions(code))
    returned = {step.argval for step in steps if step.opname in ("LOAD_CONST", "RETURN_CONST")}
    return {step.opname for step in steps} <= _IDLE and returned <= {None, ...}


def _compiled(stub: str) -> CodeType:
    return compile(stub, "<stub>", "exec", dont_inherit=True)


def _inner(code: CodeType) -> list[CodeType]:
    return [each for each in code.co_consts if isinstance(each, CodeType)]


def _same(one: CodeType, other: CodeType) -> bool:
    """Whether two pieces of code do the same, wherever they stand."""
    if len(one.co_consts) != len(other.co_consts):
        return False
    constants = zip(one.co_consts, other.co_consts, strict=True)
    return (
        one.co_code == other.co_code
        and one.co_names == other.co_names
        and one.co_varnames == other.co_varnames
        and all(
            _same(a, b)
            if isinstance(a, CodeType) and isinstance(b, CodeType)
            else (type(a), a) == (type(b), b)
            for a, b in constants
        )
    )


def _literals(name: str, stub: str) -> Iterator[Any]:
    """Plain values that the stub itself gives the name, such as None or an empty list."""
    for node in ast.parse(stub).body:
        if isinstance(node, ast.Assign) and any(
            isinstance(target, ast.Name) and target.id == name for target in node.targets
        ):
            try:
                yield ast.literal_eval(node.value)
            except ValueError:
                continue
