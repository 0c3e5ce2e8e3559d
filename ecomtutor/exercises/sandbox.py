"""Run a stranger's code for a limited time, and keep what it prints to itself."""

from __future__ import annotations

import builtins
import contextlib
import contextvars
import ctypes
import io
import signal
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, NoReturn

_PRINTED_LIMIT = 2000
_KNOCK_SECONDS = 0.05
_GRACE_SECONDS = 1.0


class TimeIsUp(BaseException):
    """The time limit has passed. Not an `Exception`, so that `except Exception` lets it through."""


class InputAsked(Exception):
    """The code asked for keyboard input, which nobody is there to give."""


@dataclass(frozen=True)
class Outcome:
    """What became of a guarded run: its value, unless time ran out, and what it printed."""

    value: Any
    in_time: bool
    printed: str
    warned: list[str]


def run_guarded(work: Callable[[], Any], seconds: float) -> Outcome:
    """Run `work` with its printing and warnings kept, no keyboard, no exit, and a time limit.

    In the main thread of a POSIX system a signal stops it; elsewhere it runs in a thread of its
    own, which is told to stop, and is left behind if it does not (a long call into C).

    Args:
        work: called without arguments; what it raises goes through to the caller.
        seconds: time limit.

    Returns:
        The outcome; `printed` is cut after 2,000 characters.
    """
    printed = _Excerpt()
    limited = _limit_by_signal if _signals_work() else _limit_by_thread
    with (
        contextlib.redirect_stdout(printed),
        contextlib.redirect_stderr(_Excerpt()),
        _no_keyboard(),
        _no_exit(),
        warnings.catch_warnings(record=True) as caught,
    ):
        in_time, value = limited(work, seconds)
    warned = [f"{each.category.__name__}: {each.message}" for each in caught or ()]
    return Outcome(value, in_time, printed.getvalue(), list(dict.fromkeys(warned)))


def live_shell() -> Any:
    """The running IPython shell, or None; its `kernel` attribute tells a notebook's shell."""
    ipython = sys.modules.get("IPython")
    return ipython.get_ipython() if ipython else None


class _Excerpt(io.StringIO):
    """A stream that keeps the beginning of what is written, and drops the rest."""

    def write(self, text: str, /) -> int:
        super().write(text[: max(0, _PRINTED_LIMIT - self.tell())])
        return len(text)


def _signals_work() -> bool:
    in_main_thread = threading.current_thread() is threading.main_thread()
    return in_main_thread and hasattr(signal, "setitimer")


def _limit_by_signal(work: Callable[[], Any], seconds: float) -> tuple[bool, Any]:
    running, in_time = True, True

    def ring(_number: int, _frame: Any) -> None:
        nonlocal in_time
        if running:
            in_time = False
            raise TimeIsUp

    previous = signal.signal(signal.SIGALRM, ring)
    # The alarm repeats: a bare `except:` may swallow the first ones.
    previous_timer = signal.setitimer(signal.ITIMER_REAL, seconds, _KNOCK_SECONDS)
    value = None
    try:
        value = work()
        running = False
    except TimeIsUp:
        pass
    finally:
        running = False
        signal.setitimer(signal.ITIMER_REAL, *previous_timer)
        signal.signal(signal.SIGALRM, previous)
    return in_time, value


def _limit_by_thread(work: Callable[[], Any], seconds: float) -> tuple[bool, Any]:
    results: list[Any] = []
    errors: list[BaseException] = []

    def run() -> None:
        try:
            results.append(work())
        except BaseException as error:  # raised again in the waiting thread
            errors.append(error)

    worker = threading.Thread(target=contextvars.copy_context().run, args=(run,), daemon=True)
    worker.start()
    try:
        in_time = _wait(worker, seconds)
    except KeyboardInterrupt:
        _stop(worker)
        raise
    if not in_time:
        _stop(worker)
    elif errors:
        raise errors[0]
    return in_time, results[0] if in_time else None


def _wait(worker: threading.Thread, seconds: float) -> bool:
    """Whether the thread ends within the time; short waits, so that Ctrl-C gets in on Windows."""
    end = time.monotonic() + seconds
    while worker.is_alive() and time.monotonic() < end:
        worker.join(_KNOCK_SECONDS)
    return not worker.is_alive()


def _stop(worker: threading.Thread) -> None:
    end = time.monotonic() + _GRACE_SECONDS
    while worker.is_alive() and time.monotonic() < end:
        ctypes.pythonapi.PyThreadState_SetAsyncExc(
            ctypes.c_ulong(worker.ident or 0), ctypes.py_object(TimeIsUp)
        )
        worker.join(_KNOCK_SECONDS)


@contextlib.contextmanager
def _no_keyboard() -> Iterator[None]:
    def refuse(*_args: object) -> NoReturn:
        raise InputAsked

    kept_input, kept_stdin = builtins.input, sys.stdin
    # `exit()` of plain Python closes stdin: let it close this one.
    builtins.input, sys.stdin = refuse, io.StringIO()
    try:
        yield
    finally:
        builtins.input, sys.stdin = kept_input, kept_stdin


@contextlib.contextmanager
def _no_exit() -> Iterator[None]:
    """In a notebook `exit()` asks the shell to end the kernel: make it raise instead."""

    def refuse() -> NoReturn:
        raise SystemExit

    shell = live_shell()
    if shell is None:
        yield
        return
    shell.ask_exit = refuse
    try:
        yield
    finally:
        del shell.ask_exit
