"""What the house asks of every notebook's cells before anything runs: ids that people can read."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

_NUMBER = re.compile(r"(\d\d)_[a-z0-9_]+")
_RANDOM = re.compile(r"(?:l\d\d-)?(?=[0-9a-f]*\d)[0-9a-f]{8}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-.*")


def lesson_number(path: Path) -> str | None:
    """The two digits that open a lesson's file name (`01_attention_math.ipynb`), or None."""
    match = _NUMBER.fullmatch(path.stem)
    return match and match[1]


def id_problems(cells: list[dict[str, Any]], lesson: str) -> Iterator[tuple[str, str]]:
    """Finds cells whose id is missing, repeated, random or not of the form `lNN-slug`.

    Read the cells from the file itself: nbformat gives a cell without an id a random one.

    Args:
        cells: the notebook's cells.
        lesson: two digits, such as "01".

    Yields:
        The cell (its id, or its place and first line where it has none) and what is wrong.
    """
    form = re.compile(rf"l{lesson}-[a-z0-9]+(?:-[a-z0-9]+)*")
    seen: set[str] = set()
    for place, cell in enumerate(cells, start=1):
        name = str(cell.get("id", ""))
        where = _place(place, cell, name)
        if not name:
            yield where, "has no id"
        elif _RANDOM.fullmatch(name):
            yield where, "has a random id"
        elif not form.fullmatch(name):
            yield where, f"has an id that is not of the form l{lesson}-slug (lower case, hyphens)"
        elif name in seen:
            yield where, "has the id of an earlier cell"
        elif len(name) > 64:
            yield where, "has an id of more than 64 characters"
        seen.add(name)


def _place(place: int, cell: dict[str, Any], name: str) -> str:
    if name and not _RANDOM.fullmatch(name):
        return name
    first_line = "".join(cell["source"]).strip().partition("\n")[0][:40]
    return f"cell {place} {first_line!r}"
