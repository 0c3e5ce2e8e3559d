"""Grade a folder of submitted notebooks: read, judge in parallel, write, and go on after a stop."""

from __future__ import annotations

import ast
import contextlib
import hashlib
import inspect
import json
import queue
import select
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

from ecomtutor import __version__
from ecomtutor.errors import EcomTutorError
from ecomtutor.exercises.registry import Exercise, load_lesson
from ecomtutor.teaching.grading.apart import NEEDS_LESSON, STATUSES, Finding
from ecomtutor.teaching.grading.box import SCRATCH, demand_sandbox, environment, sandboxed
from ecomtutor.teaching.grading.confine import Limits
from ecomtutor.teaching.grading.server import answer_cell_id, receive, send
from ecomtutor.teaching.grading.submissions import Submission, found_in, read_submission
from ecomtutor.teaching.grading.table import Row, Table

_START_SECONDS = 300.0
_LESSON_SECONDS = 1200.0
_SLACK_SECONDS = 60.0
_CLOSE_SECONDS = 1.0
UNREADABLE = "unreadable"


@dataclass(frozen=True)
class Options:
    """How to grade.

    Args:
        lesson: only this lesson, "01"; by default each file says which it is.
        workers: sandboxes at a time.
        limits: memory and time of one answer.
        unsafe: do without the sandbox.
        retry: grade again what timed out or crashed.
        notebooks: folder of the trusted lessons.
    """

    lesson: str = ""
    workers: int = 2
    limits: Limits = field(default_factory=Limits)
    unsafe: bool = False
    retry: bool = False
    notebooks: Path = Path(__file__).resolve().parents[3] / "notebooks"


@dataclass(frozen=True)
class Summary:
    """What a run did: all rows of the table, and how many submissions were graded now."""

    rows: Sequence[Row]
    graded: int
    kept: int

    def __str__(self) -> str:
        names = {row.submission for row in self.rows}
        counts = Counter(row.status for row in self.rows)
        states = [f"{counts[s]} {s}" for s in (*STATUSES, UNREADABLE) if counts[s]]
        lines = [
            f"{len(names)} submissions: {self.graded} graded now, {self.kept} unchanged.",
            f"Exercises: {', '.join(states) or 'none'}.",
        ]
        for exercise in sorted({row.exercise for row in self.rows if row.exercise}):
            own = [row for row in self.rows if row.exercise == exercise]
            passed = sum(row.status == "pass" for row in own)
            lines.append(f"  {exercise}  {passed:>3} of {len(own)} passed")
        return "\n".join(lines)


def grade_folder(
    folder: Path,
    out: Path,
    options: Options | None = None,
    progress: Callable[[int, int], object] = lambda done, total: None,
) -> Summary:
    """Grade every notebook below a folder into one table.

    Args:
        folder: of submissions, at any depth.
        out: the table, CSV; rows of an earlier run whose submission is unchanged are kept.
        options: see `Options`.
        progress: called with how many submissions are done, of how many.

    Returns:
        The summary; the table is complete when this returns.

    Raises:
        NoSandbox: answers cannot be shut in here, and `unsafe` is not set.
        EcomTutorError: there is no such folder, no notebook in it, or `out` is another file.
    """
    options = options or Options()
    if not options.unsafe:
        demand_sandbox()
    if not folder.is_dir():
        raise EcomTutorError(f"There is no folder {folder}.")
    submissions = [read_submission(path, folder, options.lesson) for path in found_in(folder)]
    if not submissions:
        raise EcomTutorError(f"There is no notebook (*.ipynb) in {folder}.")
    with _only_one(out):
        table = Table(out)
        versions = {each.name: _version(each, options) for each in submissions}
        counts = {each.name: len(_exercises(each)) or 1 for each in submissions}
        kept = table.keep(_without(table, versions) if options.retry else versions, counts)
        waiting = [each for each in submissions if each.name not in kept]
        progress(len(kept), len(submissions))
        hidden = [folder.resolve(), out.resolve().parent]
        for done, (submission, findings) in enumerate(_graded(waiting, options, hidden), 1):
            table.add(_rows(submission, findings, versions[submission.name]))
            progress(len(kept) + done, len(submissions))
        return Summary(table.finish(), len(waiting), len(kept))


@contextlib.contextmanager
def _only_one(out: Path) -> Iterator[None]:
    from filelock import FileLock, Timeout

    out.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(out.with_name(f".{out.name}.lock"))
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise EcomTutorError(f"Another run is writing {out} now.") from None
    try:
        yield
    finally:
        lock.release()


def _without(table: Table, versions: dict[str, str]) -> dict[str, str]:
    """Versions without those of submissions in which something timed out or crashed."""
    again = {row.submission for row in table.rows if row.status in ("timed out", "crashed")}
    return {name: version for name, version in versions.items() if name not in again}


def _exercises(submission: Submission) -> Sequence[Exercise]:
    return load_lesson(submission.lesson).exercises if submission.lesson else ()


def _version(submission: Submission, options: Options) -> str:
    parts = [
        submission.digest,
        submission.lesson,
        __version__,
        _source_digest(submission.lesson) if submission.lesson else "",
        json.dumps([asdict(options.limits), options.unsafe]),
    ]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


@cache
def _source_digest(lesson: str) -> str:
    """Of the lesson's checks and of the grader itself: other rules mean another grade."""
    module = import_module(f"ecomtutor.exercises.lesson_{lesson}")
    here = Path(__file__).parent
    shared = [import_module(f"ecomtutor.exercises.{n}") for n in ("checking", "comparing")]
    sources = [inspect.getsource(each) for each in (module, *shared)]
    sources += [path.read_text(encoding="utf-8") for path in sorted(here.glob("*.py"))]
    return hashlib.sha256("".join(sources).encode()).hexdigest()


def _rows(submission: Submission, findings: dict[str, Finding], version: str) -> list[Row]:
    name, lesson = submission.name, submission.lesson
    if not lesson:
        return [Row(name, "", "", UNREADABLE, 0, 0, submission.fault, version)]
    rows = []
    for exercise in _exercises(submission):
        finding = findings[exercise.id]
        points = exercise.points if finding.status == "pass" else 0
        rows.append(
            Row(
                name,
                lesson,
                exercise.id,
                finding.status,
                points,
                exercise.points,
                finding.reason,
                version,
            )
        )
    return rows


Graded = tuple[Submission, dict[str, Finding]]


def _graded(
    waiting: Sequence[Submission], options: Options, hidden: Sequence[Path]
) -> Iterator[Graded]:
    """Judge in `workers` threads, each with a sandbox of its own; in the order of finishing."""
    tasks: queue.SimpleQueue[Submission] = queue.SimpleQueue()
    for submission in sorted(waiting, key=lambda each: (each.lesson, each.name)):
        tasks.put(submission)
    results: queue.SimpleQueue[Graded | BaseException] = queue.SimpleQueue()
    shared = _Shared(options, hidden)
    count = max(1, min(options.workers, len(waiting)))
    threads = [
        threading.Thread(target=_work, args=(tasks, results, shared), daemon=True)
        for _ in range(count)
    ]
    for thread in threads:
        thread.start()
    try:
        for _ in waiting:
            result = results.get()
            if isinstance(result, BaseException):
                raise result
            yield result
    finally:
        shared.stop()
        for thread in threads:
            thread.join(10)


def _work(tasks: Any, results: Any, shared: _Shared) -> None:
    try:
        with contextlib.ExitStack() as stack:
            server: _Server | None = None
            while not shared.stopped:
                submission = tasks.get_nowait()
                if submission.lesson and not submission.fault:
                    if server is None or server.lesson != submission.lesson:
                        server = _Server(shared, submission.lesson, False)
                        stack.callback(server.close)
                    findings = _judge(submission, server, shared)
                else:
                    findings = _all_failed(submission)
                results.put((submission, findings))
    except queue.Empty:
        pass
    except BaseException as error:  # the main thread says it
        results.put(error)


def _all_failed(submission: Submission) -> dict[str, Finding]:
    found = Finding("fail", f"the file was not graded: {submission.fault}.")
    return {exercise.id: found for exercise in _exercises(submission)}


def _judge(submission: Submission, server: _Server, shared: _Shared) -> dict[str, Finding]:
    findings = {}
    for exercise in _exercises(submission):
        if exercise.id in submission.remarks:
            findings[exercise.id] = Finding(*submission.remarks[exercise.id])
            continue
        finding = server.judge(exercise, submission)
        if finding.status == NEEDS_LESSON:
            finding = shared.judge_on_whole_lesson(exercise, submission)
        findings[exercise.id] = finding
    return findings


class _Shared:
    """What the threads have in common: options, the running sandboxes, one whole lesson."""

    def __init__(self, options: Options, hidden: Sequence[Path]) -> None:
        self.options = options
        self.hidden = hidden
        self.stopped = False
        self.servers: set[_Server] = set()
        self._whole: _Server | None = None
        self._lock = threading.Lock()

    def judge_on_whole_lesson(self, exercise: Exercise, submission: Submission) -> Finding:
        """Judge where all cells of the lesson were run: slow to prepare, so once for everybody."""
        with self._lock:
            if self._whole is None or self._whole.lesson != submission.lesson:
                if self._whole is not None:
                    self._whole.close()
                self._whole = _Server(self, submission.lesson, True)
            try:
                return self._whole.judge(exercise, submission)
            except EcomTutorError as error:
                if self.stopped:
                    raise
                said = f"it uses names of the lesson's cells, which cannot be run here: {error}"
                return Finding("fail", said)

    def stop(self) -> None:
        self.stopped = True
        for server in list(self.servers):
            server.close()


class _Server:
    """One sandbox with its server; it is started when needed and again after it was lost."""

    def __init__(self, shared: _Shared, lesson: str, whole: bool) -> None:
        self.lesson = lesson
        self._whole = whole
        self._shared = shared
        self._process: subprocess.Popen[bytes] | None = None
        self._scratch: tempfile.TemporaryDirectory[str] | None = None
        shared.servers.add(self)

    def judge(self, exercise: Exercise, submission: Submission) -> Finding:
        """Send one exercise of a submission in, and wait for what comes out."""
        if self._process is None or self._process.poll() is not None:
            self._start()
        limits = self._shared.options.limits
        whole = (exercise.seconds + limits.definition) * limits.patience
        seconds = 2 * limits.wall * whole + _SLACK_SECONDS
        message = {"exercise": exercise.id, "answers": dict(submission.answers)}
        try:
            send(self._write, message)
            reply = self._reply(seconds)
        except OSError:
            reply = None
        except TimeoutError:
            self.close()
            return Finding("timed out", "the answer was stopped from outside.")
        if self._shared.stopped:
            raise EcomTutorError("Grading was stopped.")
        if not reply or reply.get("exercise") != exercise.id:
            self.close()
            return Finding("crashed", "the sandbox ended before the answer was judged.")
        return Finding(str(reply["status"]), str(reply["reason"]))

    @property
    def _write(self) -> int:
        assert self._process is not None and self._process.stdin is not None
        return self._process.stdin.fileno()

    def _start(self) -> None:
        self.close()
        self._shared.servers.add(self)
        options = self._shared.options
        python = [sys.executable, "-P", "-s", "-m", "ecomtutor.teaching.grading.server"]
        scratch = SCRATCH
        command = sandboxed(python, self._shared.hidden)
        if options.unsafe:
            self._scratch = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
            command, scratch = python, self._scratch.name
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment(scratch),
            cwd="/",
            start_new_session=True,
            bufsize=0,
        )
        cells = _trusted_cells(self.lesson, options.notebooks)
        order = {
            "lesson": self.lesson,
            "cells": cells,
            "whole": self._whole,
            "lesson_names": sorted(_defined_by(cells, self.lesson)),
            "limits": asdict(options.limits),
            "filtered": not options.unsafe,
            "scratch": scratch,
        }
        limit = _LESSON_SECONDS if self._whole else _START_SECONDS
        with contextlib.suppress(OSError):
            send(self._write, order)
        ready = None
        with contextlib.suppress(TimeoutError):
            ready = self._reply(limit * options.limits.patience)
        if not ready:
            said = self._said()
            raise EcomTutorError(f"The sandbox for lesson {self.lesson} does not start: {said}")

    def _said(self) -> str:
        assert self._process is not None and self._process.stderr is not None
        self._process.kill()
        text = self._process.stderr.read(100_000).decode(errors="replace")
        return (text.strip().splitlines() or ["it said nothing."])[-1][:300]

    def _reply(self, seconds: float) -> dict[str, Any] | None:
        """The next message.

        Raises:
            TimeoutError: none came in time.
        """
        assert self._process is not None and self._process.stdout is not None
        descriptor = self._process.stdout.fileno()
        end = time.monotonic() + seconds
        while not self._shared.stopped:
            if select.select([descriptor], [], [], 0.2)[0]:
                return receive(descriptor)
            if time.monotonic() > end:
                raise TimeoutError
        return None

    def close(self) -> None:
        """End the sandbox and all that is in it."""
        process, self._process = self._process, None
        self._shared.servers.discard(self)
        if process is not None:
            assert process.stdin and process.stdout and process.stderr
            process.stdin.close()  # an idle server ends by itself
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(_CLOSE_SECONDS)
            process.kill()
            process.stdout.close()
            process.stderr.close()
            process.wait()
        if self._scratch is not None:
            self._scratch.cleanup()
            self._scratch = None


@cache
def _trusted_cells(lesson: str, notebooks: Path) -> list[dict[str, str]]:
    """Code cells of the lesson as it was published, up to the last answer; none without it."""
    path = next(iter(sorted(notebooks.glob(f"{lesson}_*.ipynb"))), None)
    if path is None:
        return []
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    code = [
        {"id": cell.get("id", ""), "source": "".join(cell["source"])}
        for cell in cells
        if cell["cell_type"] == "code"
    ]
    answers = {answer_cell_id(exercise.id) for exercise in load_lesson(lesson).exercises}
    last = max((n for n, cell in enumerate(code) if cell["id"] in answers), default=-1)
    checks = {answer.replace("-answer", "-check") for answer in answers}
    return [cell for cell in code[: last + 1] if cell["id"] not in checks]


def _defined_by(cells: Sequence[dict[str, str]], lesson: str) -> set[str]:
    answers = {answer_cell_id(exercise.id) for exercise in load_lesson(lesson).exercises}
    names: set[str] = set()
    for cell in cells:
        if cell["id"] in answers:
            continue
        with contextlib.suppress(SyntaxError):
            for node in ast.walk(ast.parse(cell["source"])):
                if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                    names.add(node.id)
                elif isinstance(node, ast.FunctionDef | ast.ClassDef):
                    names.add(node.name)
                elif isinstance(node, ast.Import | ast.ImportFrom):
                    names.update((a.asname or a.name).partition(".")[0] for a in node.names)
    return names
