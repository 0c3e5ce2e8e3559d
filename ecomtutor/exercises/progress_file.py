"""What the reader has done, kept in one small file that no crash loses.

The file is `progress.json` in the reader's data folder (`ECOMTUTOR_DATA` overrides it). It is
written to a temporary file that then takes its place, under a lock, so that a reader may work in
two notebooks at once. The copy before the last write stays beside it as `progress.json.bak`.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from ecomtutor.errors import EcomTutorError

_VERSION = 1
_LOCK_SECONDS = 5.0

Records = dict[str, "Record"]

# What could not be saved, so that hints still advance in this process; saved when that works again.
_unsaved: dict[Path, Records] = {}


class DamagedProgress(EcomTutorError):
    """The progress file does not hold what this package writes."""


class NewerProgress(EcomTutorError):
    """The progress file was written by a later version of the package."""

    def __str__(self) -> str:
        return "the file was written by a newer ecomtutor; update this one"


@dataclass
class Record:
    """One exercise: solved or not, tries that were judged, hints and solution that were shown."""

    done: bool = False
    tries: int = 0
    hints: int = 0
    solution_seen: bool = False


def progress_path() -> Path:
    """Where the progress file is, or will be."""
    folder = os.environ.get("ECOMTUTOR_DATA")
    if folder:
        return Path(folder).expanduser() / "progress.json"
    from platformdirs import user_data_dir

    return Path(user_data_dir("ecomtutor", appauthor=False)) / "progress.json"


def read_records() -> tuple[Records, str]:
    """The records by exercise id, and a note for the reader ("" when there is nothing to say)."""
    path = progress_path()
    waiting = _unsaved.get(path, {})
    try:
        if not path.exists():
            return dict(waiting), ""
        with _locked(path):
            records, note = _read(path)
    except (OSError, NewerProgress) as error:
        return _salvaged(path), f"Progress could not be read ({_reason(error)}): {path}."
    return _merged(records, waiting), note


def update_record(exercise_id: str, change: Callable[[Record], None]) -> str:
    """Apply `change` to the record of an exercise and save it.

    Returns:
        A note for the reader: "" when all went well, else what happened and how to mend it. A
        failure to save never raises.
    """
    path = progress_path()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with _locked(path):
            saved, note = _read(path)
            records = _merged(saved, _unsaved.get(path, {}))
            change(records.setdefault(exercise_id, Record()))
            if records != saved:
                _write(path, records)
    except (OSError, NewerProgress) as error:
        records = _salvaged(path)
        change(records.setdefault(exercise_id, Record()))
        _unsaved[path] = records
        return (
            f"Progress was not saved ({_reason(error)}): {path}. Make room there, or set "
            "ECOMTUTOR_DATA to a folder that you can write to."
        )
    _unsaved.pop(path, None)
    return note


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    from filelock import FileLock

    with FileLock(f"{path}.lock", timeout=_LOCK_SECONDS):
        yield


def _read(path: Path) -> tuple[Records, str]:
    """Records of the file; a damaged one is copied aside and the last good copy put in its place.

    At every moment either the damaged file or the good copy is there, whenever we are killed.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return {}, ""
    try:
        return _parse(content), ""
    except DamagedProgress:
        aside = _free_name(path)
        _replace(aside, content)
        records = _last_good(path)
        _write_records(path, records)
    mended = "the last good copy is used" if records else "it starts anew"
    return records, f"Your progress file was damaged: it is kept as {aside.name}, and {mended}."


def _write(path: Path, records: Records) -> None:
    """Save the records; the file as it was becomes the last good copy."""
    with contextlib.suppress(FileNotFoundError):
        _replace(_backup(path), path.read_bytes())
    _write_records(path, records)


def _write_records(path: Path, records: Records) -> None:
    entries = {exercise_id: asdict(record) for exercise_id, record in sorted(records.items())}
    content = json.dumps({"version": _VERSION, "exercises": entries}, indent=1)
    _replace(path, content.encode())


def _replace(path: Path, content: bytes) -> None:
    """Put the content in the place of the file: the old or the new one is there, never half."""
    temporary = path.with_name(f"{path.name}.new")
    with temporary.open("wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())
    os.replace(temporary, path)


def _parse(content: bytes) -> Records:
    try:
        saved = json.loads(content)
        version, entries = saved["version"], saved["exercises"]
        if type(version) is int and version > _VERSION:
            raise NewerProgress
        records = {exercise_id: Record(**entry) for exercise_id, entry in entries.items()}
    except NewerProgress:
        raise
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise DamagedProgress(f"not a progress file: {error}") from error
    for record in records.values():
        if any(
            type(value) is not type(getattr(Record, key)) for key, value in vars(record).items()
        ):
            raise DamagedProgress(f"expected true/false and counts, got {record}")
    return records


def _last_good(path: Path) -> Records:
    try:
        return _parse(_backup(path).read_bytes())
    except (OSError, DamagedProgress, NewerProgress):
        return {}


def _salvaged(path: Path) -> Records:
    """As much as can be known when the file cannot be written, without touching it."""
    try:
        saved = _parse(path.read_bytes())
    except (OSError, DamagedProgress, NewerProgress):
        saved = _last_good(path)
    return _merged(saved, _unsaved.get(path, {}))


def _merged(saved: Records, waiting: Records) -> Records:
    records = {exercise_id: Record(**vars(record)) for exercise_id, record in saved.items()}
    for exercise_id, late in waiting.items():
        record = records.setdefault(exercise_id, Record())
        for field, value in vars(late).items():
            setattr(record, field, max(getattr(record, field), value))
    return records


def _backup(path: Path) -> Path:
    return path.with_name(f"{path.name}.bak")


def _free_name(path: Path) -> Path:
    number = 1
    while (name := path.with_name(f"{path.name}.damaged-{number}")).exists():
        number += 1
    return name


def _reason(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return "another notebook holds the file"
    return getattr(error, "strerror", None) or str(error)
