"""Judge an answer without ever running it in the judge's own process.

The check runs here. Each time it calls the reader's function, a child is forked that shuts itself
in, runs the answer cell, makes that one call and writes the result as plain data. The child ends
with the call: no thread, no exit handler and no patched module outlives it. Whatever the answer
does to the package, to `check` or to its pipe, it can only ever give back a value, which the check
then compares here, in a process that no line of the reader's has touched.
"""

from __future__ import annotations

import builtins
import contextlib
import dis
import json
import linecache
import os
import select
import signal
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import CodeType, FunctionType
from typing import Any

from ecomtutor.exercises.checking import Elsewhere, Wrong, _copied
from ecomtutor.exercises.comparing import first_difference, is_array, is_table, is_tensor
from ecomtutor.exercises.judging import Verdict, is_untouched, overheard, verdict_on_error
from ecomtutor.exercises.registry import Exercise
from ecomtutor.exercises.sandbox import TimeIsUp, run_guarded
from ecomtutor.teaching.grading import values
from ecomtutor.teaching.grading.confine import Limits, confine

STATUSES = ("pass", "fail", "not attempted", "timed out", "crashed")
NEEDS_LESSON = "needs the lesson's cells"
_STANDINGS = {"wrong": "fail", "not attempted": "not attempted", "right": "pass"}
_REASON_LIMIT = 600
_KNOCK_SECONDS = 0.05
_LOADS = {"LOAD_NAME", "LOAD_GLOBAL", "LOAD_FROM_DICT_OR_GLOBALS"}


@dataclass(frozen=True)
class Finding:
    """What became of one exercise: one of `STATUSES` (or `NEEDS_LESSON`), and why."""

    status: str
    reason: str


@dataclass(frozen=True)
class Ground:
    """What an answer stands on.

    Args:
        names: globals that the trusted cells above the answer have defined.
        lesson_names: names that those cells would define if all of them were run.
        is_whole: whether all of them were run.
    """

    names: Mapping[str, Any]
    lesson_names: frozenset[str] = frozenset()
    is_whole: bool = True


class _Ended(BaseException):
    """The answer's process gave no value: the check cannot go on."""

    def __init__(self, status: str, reason: str) -> None:
        super().__init__(reason)
        self.finding = Finding(status, reason)


class _ReaderError(Exception):
    """An error of a class that the judge does not know."""


def judge_apart(
    exercise: Exercise,
    sources: Mapping[str, str],
    ground: Ground,
    limits: Limits,
    filtered: bool = True,
) -> Finding:
    """Judge one answer.

    Args:
        exercise: the exercise.
        sources: the answer cells of the submission by exercise id; this exercise's own, and others
            that it may use.
        ground: the trusted names below the answer.
        limits: memory and time.
        filtered: whether the kernel filter is set; needs Linux.

    Returns:
        The finding. Nothing that the answer does raises here.
    """
    home = _Home(exercise, dict(sources), ground, limits, filtered)
    try:
        objects = [_Function(home, *kind) if of else kind for of, kind in home.define()]
        exercise.check(*objects)
    except _Ended as ended:
        return ended.finding
    except Wrong as wrong:
        return _with_noise(Finding("fail", str(wrong)), home.noise)
    except BaseException as error:  # the check met a value that it was not written for
        finding = getattr(error, "finding", None)
        if not isinstance(finding, Finding):
            said = f"the check could not work with your answer: {type(error).__name__}: {error}"
            finding = Finding("fail", said)
        return _with_noise(finding, home.noise)
    return Finding("pass", exercise.praise or "that is right.")


def _with_noise(finding: Finding, noise: Sequence[str]) -> Finding:
    text = "\n".join([finding.reason[:_REASON_LIMIT], *noise])
    return Finding(finding.status, text[: 2 * _REASON_LIMIT])


@dataclass
class _Home:
    """The answer of one reader, and the only way to it: a new process for each question."""

    exercise: Exercise
    sources: dict[str, str]
    ground: Ground
    limits: Limits
    filtered: bool
    noise: Sequence[str] = ()
    spent: float = 0.0
    _pid: int = field(default=0)

    @property
    def seconds(self) -> float:
        """Processor seconds for all calls of the check together."""
        return self.exercise.seconds * self.limits.patience

    def define(self) -> list[tuple[bool, Any]]:
        """Run the answer cell: for each name whether it is a function, and its name or value."""
        reply = self._ask(self._defined, self.limits.definition * self.limits.patience)
        return [
            (True, (name, shown)) if shown else (False, values.load(value))
            for name, shown, value in reply["objects"]
        ]

    def call(self, name: str, args: tuple[Any, ...], named: dict[str, Any]) -> Any:
        """Call the reader's function; changes that it made to the arguments are made here too."""
        reply = self._ask(lambda: self._called(name, args, named), self.seconds)
        for place, changed in reply["changed"]:
            given = args[place] if type(place) is int else named[place]
            _overwrite(given, values.load(changed))
        return values.load(reply["value"])

    def run_beside(self, name: str, work: Callable[..., Any], args: tuple[Any, ...]) -> Any:
        """Run our own work next to the reader's function."""
        reply = self._ask(lambda: self._worked(name, work, args), self.seconds)
        return values.load(reply["value"])

    # From here to `_ask`: in the child.

    def _defined(self) -> dict[str, Any]:
        names = self._executed()
        objects = []
        for name in self.exercise.names:
            if name not in names:
                return _ended("not attempted", f"there is no `{name}` in the answer cell.")
            answer = names[name]
            if is_untouched(name, answer, self.exercise.stub):
                return _ended("not attempted", f"`{name}` is still the placeholder.")
            shown = _shown_name(answer) if callable(answer) else ""
            objects.append([name, shown, "" if shown else values.dump(answer)])
        return {"objects": objects}

    def _called(self, name: str, args: tuple[Any, ...], named: dict[str, Any]) -> dict[str, Any]:
        function = self._executed()[name]
        places: list[tuple[Any, Any]] = [*enumerate(args), *named.items()]
        before = {place: _copied(given) for place, given in places if _can_overwrite(given)}
        value = values.dump(function(*args, **named))
        changed = [
            [place, values.dump(given)]
            for place, given in places
            if place in before and first_difference(given, before[place], rel=0, abs=0)
        ]
        return {"value": value, "changed": changed}

    def _worked(self, name: str, work: Callable[..., Any], args: tuple[Any, ...]) -> dict[str, Any]:
        return {"value": values.dump(work(self._executed()[name], *args))}

    def _executed(self) -> dict[str, Any]:
        """Globals after the answer cell, and before it those answers whose names it uses."""
        names = dict(self.ground.names)
        names.update({"__name__": "__main__", "__builtins__": builtins})
        for source in self._with_its_needs(self.exercise.id, names, set()):
            exec(_compiled(source), names)
        return names

    def _with_its_needs(self, own: str, names: Mapping[str, Any], seen: set[str]) -> Iterator[str]:
        seen.add(own)
        code = _compiled(self.sources[own])
        for name in sorted(_used(code) - _stored(code)):
            other = self._answer_that_defines(name, own)
            if other is not None and other not in seen:
                yield from self._with_its_needs(other, names, seen)
            elif other is None and self._is_only_in_lesson(name, names):
                raise _LessonNeeded(name)
        yield self.sources[own]

    def _is_only_in_lesson(self, name: str, names: Mapping[str, Any]) -> bool:
        if self.ground.is_whole or name in names or hasattr(builtins, name):
            return False
        return name in self.ground.lesson_names

    def _answer_that_defines(self, name: str, own: str) -> str | None:
        before = [other for other in self.sources if _number(other) < _number(own)]
        for other in sorted(before, key=_number, reverse=True):
            with contextlib.suppress(Exception):
                if name in _stored(_compiled(self.sources[other])):
                    return other
        return None

    def _ask(self, work: Callable[[], dict[str, Any]], seconds: float) -> dict[str, Any]:
        """The child's reply, which is JSON of our own form, or the end of this judgement."""
        whole = self.seconds + self.limits.definition * self.limits.patience
        if self.spent > whole:
            raise _Ended("timed out", _too_long(self.seconds))
        before = self.spent
        text, status, late = self._forked(work, seconds, whole)
        reply = _parsed(text)
        if late or _was_out_of_time(status, self.spent - before, whole):
            raise _Ended("timed out", _too_long(seconds))
        if len(text) > values.LIMIT:
            raise _Ended("fail", "your answer gives back more than a reply may hold.")
        if reply is None:
            raise _Ended("crashed", _death(status))
        self.noise = [str(line)[:300] for line in reply.get("noise", [])][:3]
        if "ended" in reply:
            ended, reason = (str(each) for each in reply["ended"])
            known = ended if ended in (*STATUSES[1:], NEEDS_LESSON) else "crashed"
            raise _Ended(known, "\n".join([reason[:_REASON_LIMIT], *self.noise]))
        if "raised" in reply:
            raise _raised(*(str(each) for each in reply["raised"]))
        return reply

    def _forked(
        self, work: Callable[[], dict[str, Any]], seconds: float, whole: float
    ) -> tuple[bytes, int, bool]:
        """What the child wrote, how it ended, and whether the clock on the wall ran out."""
        reading, writing = os.pipe()
        pid = os.fork()
        if pid == 0:
            try:
                os.setpgid(0, 0)
                confine(writing, self.limits, whole + 1, self.filtered)
                _write(
                    writing, _guarded(work, seconds, self.exercise, self.ground, self.limits.wall)
                )
            finally:
                os._exit(0)
        os.close(writing)
        try:
            text, late = _read(reading, time.monotonic() + self.limits.wall * whole + 2)
        finally:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(pid, signal.SIGKILL)
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
            os.close(reading)
            _, status, usage = os.wait4(pid, 0)
        self.spent += usage.ru_utime + usage.ru_stime
        return text, status, late


class _Function(Elsewhere):
    """The reader's function, as the check sees it."""

    def __init__(self, home: _Home, name: str, shown: str) -> None:
        self._home, self._name = home, name
        self.__name__ = shown if shown.isidentifier() else "answer"

    def __call__(self, *args: Any, **named: Any) -> Any:
        return self._home.call(self._name, args, named)

    def run_beside(self, work: Callable[..., Any], args: tuple[Any, ...]) -> Any:
        return self._home.run_beside(self._name, work, args)


class _LessonNeeded(BaseException):
    """The answer uses a name that only the lesson's own cells define."""


def _guarded(
    work: Callable[[], dict[str, Any]],
    seconds: float,
    exercise: Exercise,
    ground: Ground,
    wall: float,
) -> dict[str, Any]:
    """Do the work and turn whatever happens into a reply. In the child."""
    late = False

    def ring(_number: int, _frame: Any) -> None:
        nonlocal late
        late = True
        raise TimeIsUp

    def tried() -> dict[str, Any]:
        try:
            return work()
        except TimeIsUp:
            raise
        except _LessonNeeded as needed:
            return _ended(NEEDS_LESSON, str(needed))
        except Wrong as wrong:  # of our own work beside the function
            return _ended("fail", str(wrong))
        except values.TooLarge as large:
            return _ended("fail", f"your answer gives back too much: {large}.")
        except BaseException as error:  # a reader's code may raise anything
            return _error_reply(error, exercise, ground)

    signal.signal(signal.SIGPROF, ring)
    # It repeats: a bare `except:` may swallow the first one.
    signal.setitimer(signal.ITIMER_PROF, seconds, _KNOCK_SECONDS)
    outcome = run_guarded(tried, wall * seconds)
    signal.setitimer(signal.ITIMER_PROF, 0)
    if late or not outcome.in_time or outcome.value is None:
        return _ended("timed out", _too_long(seconds))
    return {**outcome.value, "noise": list(overheard(outcome))}


def _error_reply(error: BaseException, exercise: Exercise, ground: Ground) -> dict[str, Any]:
    frames = _own_globals(error)
    verdict = verdict_on_error(error, exercise.names[0], (), frames)
    if isinstance(error, NameError) and not isinstance(error, UnboundLocalError):
        verdict = Verdict(
            verdict.standing,
            f"{verdict.message}\n   Only the answer cells are graded: is it defined there?",
        )
    status = _STANDINGS[verdict.standing]
    kind = type(error)
    name = kind.__name__ if kind.__module__ == "builtins" else ""
    try:
        text = str(error)[:300]
    except BaseException:  # the reader's own class
        text = ""
    return {"raised": [name, text, status, verdict.message]}


def _own_globals(error: BaseException) -> Mapping[str, Any]:
    """Globals of the answer cells, found by the name that their code goes by."""
    at = error.__traceback__
    while at is not None:
        if at.tb_frame.f_code.co_filename.startswith("<answer"):
            return at.tb_frame.f_globals
        at = at.tb_next
    return {}


def _raised(name: str, text: str, status: str, message: str) -> BaseException:
    """The reader's error again, as a check may expect it: of Python's own class, or nameless."""
    known = status if status in ("fail", "not attempted") else "crashed"
    finding = Finding(known, message[:_REASON_LIMIT])
    kind = getattr(builtins, name, None)
    error: BaseException = _ReaderError(text)
    if isinstance(kind, type) and issubclass(kind, Exception):
        with contextlib.suppress(TypeError):
            error = kind(text)
    error.finding = finding  # type: ignore[attr-defined]
    return error


def _ended(status: str, reason: str) -> dict[str, Any]:
    return {"ended": [status, reason]}


def _compiled(source: str) -> CodeType:
    """Code of an answer cell, with what IPython adds to Python taken out of the way."""
    name = f"<answer {hash(source)}>"
    linecache.cache[name] = (len(source), None, source.splitlines(keepends=True), name)
    try:
        return compile(source, name, "exec", dont_inherit=True)
    except SyntaxError:
        if not any(line.lstrip().startswith(("%", "!", "?")) for line in source.splitlines()):
            raise
    lines = source.splitlines(keepends=True)
    # A magic or a shell command of a notebook does nothing here; line numbers stay.
    plain = [f"{_indent(line)}pass\n" if _is_magic(line) else line for line in lines]
    return compile("".join(plain), name, "exec", dont_inherit=True)


def _is_magic(line: str) -> bool:
    return line.lstrip().startswith(("%", "!", "?"))


def _indent(line: str) -> str:
    return line[: len(line) - len(line.lstrip())]


def _used(code: CodeType) -> set[str]:
    """Global names that the code, or a function in it, may read."""
    inner = [each for each in code.co_consts if isinstance(each, CodeType)]
    own = {str(s.argval) for s in dis.get_instructions(code) if s.opname in _LOADS}
    return own.union(*map(_used, inner))


def _stored(code: CodeType) -> set[str]:
    """Names that the code defines at its top level."""
    stores = ("STORE_NAME", "STORE_GLOBAL")
    return {str(step.argval) for step in dis.get_instructions(code) if step.opname in stores}


def _number(exercise_id: str) -> tuple[int, ...]:
    return tuple(int(part) for part in exercise_id.split("."))


def _shown_name(answer: Any) -> str:
    name = answer.__name__ if type(answer) in (FunctionType, type) else "answer"
    return name if type(name) is str and name.isidentifier() else "answer"


def _can_overwrite(value: Any) -> bool:
    kinds = (list, dict, set, bytearray)
    return type(value) in kinds or is_tensor(value) or is_array(value) or is_table(value)


def _overwrite(given: Any, changed: Any) -> None:
    """Make the judge's argument what the reader's function made of its copy."""
    if type(given) in (list, bytearray):
        given[:] = changed
    elif type(given) in (dict, set):
        given.clear()
        given.update(changed)
    elif is_tensor(given):
        given.detach().set_(changed.detach())
    elif is_array(given) and given.shape == changed.shape:
        given[...] = changed
    elif is_table(given):
        given._update_inplace(changed)


def _write(descriptor: int, reply: dict[str, Any]) -> None:
    rest = json.dumps(reply).encode()
    while rest:
        rest = rest[os.write(descriptor, rest) :]


def _read(descriptor: int, end: float) -> tuple[bytes, bool]:
    """All that comes until the other side closes; and whether time ran out before it did."""
    parts: list[bytes] = []
    size = 0
    while size <= 2 * values.LIMIT:
        ready, _, _ = select.select([descriptor], [], [], max(0.0, end - time.monotonic()))
        if not ready:
            return b"".join(parts), True
        part = os.read(descriptor, 1 << 16)
        if not part:
            break
        parts.append(part)
        size += len(part)
    return b"".join(parts), False


def _parsed(text: bytes) -> dict[str, Any] | None:
    try:
        reply = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return reply if isinstance(reply, dict) else None


def _was_out_of_time(status: int, spent: float, whole: float) -> bool:
    """Whether the kernel ended the process for its processor time, by the mild or the hard way."""
    ended_by = os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0
    return ended_by == signal.SIGXCPU or (ended_by == signal.SIGKILL and spent >= whole)


def _too_long(seconds: float) -> str:
    return (
        f"your code did not finish within {seconds:g} second{'s' * (seconds != 1)}. Is there a "
        "loop that never ends, or work that grows too fast?"
    )


def _death(status: int) -> str:
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        with contextlib.suppress(ValueError):
            return f"your code's process was ended by {signal.Signals(number).name}."
        return f"your code's process was ended by signal {number}."
    return f"your code ended its process (exit code {os.WEXITSTATUS(status)}) before it answered."
