"""The trusted half inside the sandbox: prepares one lesson once, then judges answers as they come.

`python -m ecomtutor.teaching.grading.server` reads its order as the first message and says when it
is ready; then each message is one answer, and each reply one finding. This process never sees an
answer: it forks a judge that reads the message itself, so that what one reader wrote is in no
memory that the next one's answer could look through.
"""

from __future__ import annotations

import ast
import contextlib
import gc
import io
import json
import os
import shutil
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from ecomtutor.exercises.judging import import_first
from ecomtutor.exercises.registry import Exercise, load_lesson
from ecomtutor.teaching.grading.apart import Ground, judge_apart
from ecomtutor.teaching.grading.confine import Limits, hide_memory

_SERVED, _NO_MORE = 0, 7
_LEFT_OVER_LIMIT = 500
_MESSAGE_LIMIT = 8_000_000


def send(descriptor: int, message: dict[str, Any]) -> None:
    """Write one message: its length, then JSON."""
    body = json.dumps(message).encode()
    rest = len(body).to_bytes(8, "big") + body
    while rest:
        rest = rest[os.write(descriptor, rest) :]


def receive(descriptor: int) -> dict[str, Any] | None:
    """Read one message; None when the other side has closed."""
    head = _exactly(descriptor, 8)
    size = int.from_bytes(head, "big") if head else 0
    if not head or size > _MESSAGE_LIMIT:
        return None
    body = _exactly(descriptor, size)
    return json.loads(body) if body is not None else None


def _exactly(descriptor: int, size: int) -> bytes | None:
    parts = b""
    while len(parts) < size:
        part = os.read(descriptor, size - len(parts))
        if not part:
            return None
        parts += part
    return parts


def main() -> int:
    """Serve one lesson until the other side closes."""
    hide_memory()
    asking, replying = os.dup(0), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):  # what trusted code prints must not end up among the replies
        os.dup2(nothing, standard)
    order = receive(asking)
    if order is None:
        return 1
    lessons = load_lesson(order["lesson"]).exercises
    grounds = _grounds(lessons, order["cells"], order["whole"], frozenset(order["lesson_names"]))
    _settle()
    send(replying, {"ready": True})
    while True:
        pid = os.fork()
        if pid == 0:
            _serve_one(asking, replying, lessons, grounds, order)
        _, status = os.waitpid(pid, 0)
        if os.WIFEXITED(status) and os.WEXITSTATUS(status) == _NO_MORE:
            return 0
        if not os.WIFEXITED(status) or os.WEXITSTATUS(status) != _SERVED:
            return 1  # whatever ended the judge may have left more behind: start afresh
        if not _is_swept(Path(order["scratch"])):
            return 1


def _serve_one(
    asking: int,
    replying: int,
    exercises: Sequence[Exercise],
    grounds: dict[str, Ground],
    order: dict[str, Any],
) -> None:
    """In the judge: one message, one finding, and out."""
    code = 1
    try:
        message = receive(asking)
        if message is None:
            code = _NO_MORE
            return
        exercise = next(each for each in exercises if each.id == message["exercise"])
        finding = judge_apart(
            exercise,
            message["answers"],
            grounds[exercise.id],
            Limits(**order["limits"]),
            order["filtered"],
        )
        reply = {"exercise": exercise.id, "status": finding.status, "reason": finding.reason}
        send(replying, reply)
        code = _SERVED
    finally:
        os._exit(code)


def _settle() -> None:
    """Bring this process into the state in which it is cheap and safe to fork."""
    torch = sys.modules.get("torch")
    if torch is not None:
        torch.set_num_threads(1)
    gc.collect()
    gc.freeze()


def _is_swept(scratch: Path) -> bool:
    """Whether the scratch folder is empty again; False when that is too much work."""
    left = list(scratch.iterdir())
    for entry in left[:_LEFT_OVER_LIMIT]:
        with contextlib.suppress(OSError):
            if entry.is_dir() and not entry.is_symlink():
                shutil.rmtree(entry, ignore_errors=True)
            else:
                entry.unlink()
    return not any(scratch.iterdir())


def _grounds(
    exercises: Sequence[Exercise], cells: Sequence[dict[str, str]], whole: bool, names: frozenset
) -> dict[str, Ground]:
    """For each exercise the names that the trusted cells above its answer define.

    Args:
        exercises: of the lesson.
        cells: its code cells, each with `id` and `source`; the answers mark their places.
        whole: run every cell; otherwise only the imports, which are quick.
        names: all names that the cells would define.
    """
    grounds: dict[str, Ground] = {}
    space: dict[str, Any] = {"__name__": "__main__"}
    answers = {answer_cell_id(exercise.id): exercise for exercise in exercises}
    for cell in cells:
        if cell["id"] in answers:
            exercise = answers[cell["id"]]
            grounds[exercise.id] = Ground(dict(space), names, whole)
        else:
            _run(cell["source"], space, whole)
    for exercise in exercises:
        ground = grounds.setdefault(exercise.id, Ground({}, names, whole))
        own = dict(ground.names)
        _run(exercise.setup, own, True)
        import_first(exercise.check)
        grounds[exercise.id] = Ground(own, names, whole)
    return grounds


def answer_cell_id(exercise_id: str) -> str:
    """The id of the answer cell of an exercise: "l01-exercise-2-answer" for "01.2"."""
    lesson, _, number = exercise_id.partition(".")
    return f"l{lesson}-exercise-{number}-answer"


def _run(source: str, space: dict[str, Any], whole: bool) -> None:
    """Run a trusted cell, or only its imports; an error in it is the lesson's business."""
    from contextlib import redirect_stderr, redirect_stdout

    with contextlib.suppress(SyntaxError):
        for part in _parts(source, whole):
            with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
                try:
                    exec(part, space)
                except Exception:
                    if whole:  # as in a notebook, the rest of the cell is not run
                        return


def _parts(source: str, whole: bool) -> Iterator[Any]:
    if whole:
        yield compile(source, "<lesson>", "exec", dont_inherit=True)
        return
    for node in ast.parse(source).body:
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield compile(ast.Module([node], []), "<lesson>", "exec", dont_inherit=True)


if __name__ == "__main__":
    sys.exit(main())
