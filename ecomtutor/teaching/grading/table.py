"""grades.csv: one row for each exercise of each submission, written as they come."""

from __future__ import annotations

import contextlib
import csv
import os
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import astuple, dataclass, fields
from pathlib import Path

from ecomtutor.errors import EcomTutorError

_ENCODING = "utf-8-sig"  # a spreadsheet then reads Chinese as such
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")  # a terminal would obey them
_ACTIVE = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True)
class Row:
    """One exercise of one submission. `version` names what was graded: file, check and limits."""

    submission: str
    lesson: str
    exercise: str
    status: str
    points: int
    of: int
    reason: str
    version: str


HEAD = [each.name for each in fields(Row)]


class Table:
    """The file of grades. A run that is cut off loses at most the submission it was writing."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._rows = _read(path)

    @property
    def rows(self) -> Sequence[Row]:
        """The rows, those of an earlier run first."""
        return self._rows

    def keep(self, versions: Mapping[str, str], counts: Mapping[str, int]) -> set[str]:
        """Drop the rows of what has changed, is gone or is incomplete.

        Args:
            versions: of each submission, as it is now.
            counts: how many rows each submission has when it is complete.

        Returns:
            The submissions whose rows stay.
        """
        rows: dict[str, list[Row]] = defaultdict(list)
        for row in self._rows:
            if versions.get(row.submission) == row.version:
                rows[row.submission].append(row)
        kept = {name for name, own in rows.items() if len(own) == counts[name]}
        self._rows = [row for name in rows if name in kept for row in rows[name]]
        self._replace()
        return kept

    def add(self, rows: Sequence[Row]) -> None:
        """Append the rows of one submission, and have them on the disk before this returns."""
        self._rows += rows
        with open(self.path, "a", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows(_shown(rows))
            file.flush()
            os.fsync(file.fileno())

    def finish(self) -> list[Row]:
        """Sort the file by submission and exercise, and return its rows."""
        self._rows.sort(key=lambda row: (row.submission, row.lesson, row.exercise))
        self._replace()
        return self._rows

    def _replace(self) -> None:
        beside = self.path.with_name(f".{self.path.name}.new")
        with open(beside, "w", encoding=_ENCODING, newline="") as file:
            csv.writer(file).writerows([HEAD, *_shown(self._rows)])
            file.flush()
            os.fsync(file.fileno())
        os.replace(beside, self.path)


def _shown(rows: Iterable[Row]) -> Iterator[list[str]]:
    """Cells that a spreadsheet shows and never runs: readers choose file names and messages."""
    for row in rows:
        cells = [_CONTROL.sub("", str(each)) for each in astuple(row)]
        cells = [cell.encode("utf-8", "replace").decode() for cell in cells]
        yield [f"'{cell}" if cell.startswith(_ACTIVE) else cell for cell in cells]


def _read(path: Path) -> list[Row]:
    """Rows of an earlier run; a last line that was cut off is dropped.

    Raises:
        EcomTutorError: the file is something else.
    """
    if not path.exists() or not path.stat().st_size:
        return []
    csv.field_size_limit(10_000_000)
    with open(path, encoding=_ENCODING, errors="replace", newline="") as file:
        lines = csv.reader(file)
        with contextlib.suppress(csv.Error, StopIteration):
            if next(lines) != HEAD:
                raise EcomTutorError(
                    f"{path} is no file of grades that this command wrote. Choose another --out."
                )
            return list(_rows(lines))
    return []


def _rows(lines: Iterator[list[str]]) -> Iterator[Row]:
    with contextlib.suppress(csv.Error):
        for cells in lines:
            plain = [c[1:] if c[:1] == "'" and c[1:].startswith(_ACTIVE) else c for c in cells]
            with contextlib.suppress(ValueError, TypeError):
                name, lesson, exercise, status, points, of, reason, version = plain
                yield Row(name, lesson, exercise, status, int(points), int(of), reason, version)
