"""A pytest plugin that lets `pytest --nbval` see the difference between a drift and a mistake.

nbval compares text character by character, so a float that another processor rounds differently
in its seventh digit fails like a wrong result. Here floats are compared within a tolerance, and
everything else exactly. Load it with `pytest_plugins = ["ecomtutor.authoring.comparison"]`.
"""

import json
import os
import re
from collections.abc import Generator, Iterable
from decimal import Decimal
from functools import partial
from itertools import zip_longest
from tempfile import TemporaryDirectory
from typing import Any
from unittest.mock import patch

import nbval.plugin
import pytest

from .environment import kernel_environment
from .outputs import PICTURE_IN_HTML, PICTURES, WIDGET_VIEW, Output, mask, merge_streams

RELATIVE = Decimal("1e-3")
ABSOLUTE = Decimal("1e-5")

_UNITS = r"px|pt|em|ms|s|x|[kMG]?B"
# A float shows a point or a signed exponent. Digits inside a word, a version (2.13.0), a name
# (bert-base-2.5) or a time (12:30:45.1) are text. Spaces beside a float only pad its column.
_FLOAT = re.compile(
    rf""" [ ]* (
        (?<![\w.]) (?<![A-Za-z_]-) (?<!\d:)
        [-+−]?
        (?: (?:\d{{1,3}}(?:,\d{{3}})+ | \d+) \.\d* (?:[eE][-+]\d{{1,3}})?
          | \.\d+ (?:[eE][-+]\d{{1,3}})?
          | \d+[eE][-+]\d{{1,3}} )
        (?: (?=(?:{_UNITS})\b) | (?!\.?\w) )
    ) [ ]* """,
    re.VERBOSE | re.ASCII,
)
# Where a model's bytes came from, as a model prints it: a package, the hub or a teacher's stick.
# They are verified, so that every source gives the same model.
_SOURCE = re.compile(r"\((?:pip|hub|folder)\b[^()\n]*(?:\([^()\n]*\))?\)")


def allowance(expected: str, actual: str) -> Decimal:
    """How far two printed floats may lie apart and still count as the same result.

    Two decimals or fewer are the author's own rounding and must match as printed (0.12 is not
    0.13). Longer numbers may differ by one part in a thousand, by 1e-5 near zero, or by one unit
    of the last place when at least four decimals and two further digits are shown: that is how a
    drift in the seventh digit looks after printing to four decimals (0.0123 and 0.0124).

    Args:
        expected: the number as the notebook shows it, such as "-1,234.5678" or "3.2e-05".
        actual: the number as the new run shows it.

    Returns:
        The largest difference allowed; 0 if they must be equal.
    """
    decimals = [len(re.split("[eE]", text)[0].partition(".")[2]) for text in (expected, actual)]
    if max(decimals) <= 2:
        return Decimal(0)
    size = min(abs(_value(expected)), abs(_value(actual)))
    unit = max(_last_place(expected), _last_place(actual))
    flip = unit if min(decimals) >= 4 and 100 * unit <= size else Decimal(0)
    return max(RELATIVE * size, ABSOLUTE, flip)


def _value(text: str) -> Decimal:
    return Decimal(text.replace(",", "").replace("−", "-"))


def _last_place(text: str) -> Decimal:
    return Decimal(1).scaleb(int(_value(text).as_tuple().exponent))


def first_difference(expected: str, actual: str) -> str | None:
    """Compares two texts: floats within `allowance`, everything else exactly but a model's source.

    Args:
        expected: the text that the notebook holds.
        actual: the text that a new run gave.

    Returns:
        A line that shows the first difference and how large it is, or None if there is none.
    """
    expected, actual = (_SOURCE.sub("(its source)", mask(text)) for text in (expected, actual))
    parts = zip_longest(_FLOAT.split(expected), _FLOAT.split(actual), fillvalue="")
    line = 1
    for place, (old, new) in enumerate(parts):
        if place % 2 == 0:
            if old != new:
                return _text_difference(line, old, new)
            line += old.count("\n")
        elif difference := _float_difference(old, new):
            return f"float {place // 2 + 1}, line {line}: {difference}"
    return None


def _float_difference(old: str, new: str) -> str | None:
    if not (old and new):
        return f"{old or 'nothing'} became {new or 'nothing'}"
    apart, allowed = abs(_value(old) - _value(new)), allowance(old, new)
    if apart <= allowed:
        return None
    share = f" ({float(apart / abs(_value(old))):.2g} of it)" if _value(old) else ""
    limit = f"{float(allowed):.2g}" if allowed else "0, since two decimals or fewer are exact"
    return f"{old} became {new}: off by {float(apart):.6g}{share}, allowed {limit}"


def _text_difference(line: int, old_text: str, new_text: str) -> str:
    pairs = enumerate(zip_longest(old_text.split("\n"), new_text.split("\n")), start=line)
    line, (old, new) = next((place, pair) for place, pair in pairs if pair[0] != pair[1])
    if old is None or new is None:
        old, new = ("the end" if text is None else _shortened(text) for text in (old, new))
        return f"line {line}: {old} became {new}"
    message = f"line {line}: {_shortened(old)} became {_shortened(new)}"
    if re.sub(r"\d+", "#", old) == re.sub(r"\d+", "#", new):
        integers = zip(re.findall(r"\d+", old), re.findall(r"\d+", new), strict=True)
        before, after = next(pair for pair in integers if pair[0] != pair[1])
        message += f" ({before} became {after}: off by {abs(int(after) - int(before))})"
    return message


def _shortened(text: str, limit: int = 160) -> str:
    return repr(text if len(text) <= limit else text[:limit] + "…")


def first_output_difference(reference: Iterable[Output], actual: Iterable[Output]) -> str | None:
    """Compares a cell's committed outputs with those of a new run, in order.

    Of pictures only the presence counts (their text/plain is compared), our own pictures in HTML
    among them; of widget views not even that, of errors the name and the message.

    Args:
        reference: the outputs in the notebook.
        actual: the outputs of the new run.

    Returns:
        A line that shows the first difference, or None if there is none.
    """
    pairs = zip_longest(merge_streams(reference), merge_streams(actual))
    for place, (old, new) in enumerate(pairs, start=1):
        if old is None or new is None:
            fate = "is additional" if old is None else "is missing"
            return f"output {place} {fate}: {_summary(new if old is None else old)}"
        fields, new_fields = _fields(old), _fields(new)
        if (old["output_type"], set(fields)) != (new["output_type"], set(new_fields)):
            return f"output {place}: {_summary(old)} became {_summary(new)}"
        for name, text in fields.items():
            if difference := first_difference(text, new_fields[name]):
                return f"output {place}, {name}, {difference}"
    return None


def _fields(output: Output) -> dict[str, str]:
    if output["output_type"] == "stream":
        return {output["name"]: output["text"]}
    if output["output_type"] == "error":
        return {"error": f"{output['ename']}: {output['evalue']}"}
    data = {name: value for name, value in output["data"].items() if name != WIDGET_VIEW}
    return {
        name: "" if _is_picture(name, value, data) else _as_text(value)
        for name, value in data.items()
    }


def _is_picture(name: str, value: Any, data: dict[str, Any]) -> bool:
    """Whether an image, or one of our pictures in HTML, whose colours round as the drawing does."""
    if name in PICTURES:
        return True
    own = name == "text/html" and _as_text(value).startswith(PICTURE_IN_HTML)
    return own and bool(data.get("text/plain"))


def _as_text(value: Any) -> str:
    if isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False, indent=1, sort_keys=True)


def _summary(output: Output) -> str:
    fields = _fields(output)
    start = next(filter(None, fields.values()), "")
    return f"{output['output_type']} ({', '.join(sorted(fields))}) {_shortened(start, 60)}"


def pytest_configure(config: pytest.Config) -> None:
    """Keeps nbval from joining what a cell prints before a figure with what it prints after."""
    if config.getoption("nbval", default=False):
        nbval.plugin.coalesce_streams = merge_streams


def pytest_itemcollected(item: pytest.Item) -> None:
    """Puts our comparison in the place of nbval's."""
    if isinstance(item, nbval.plugin.IPyNbCell):
        item.compare_outputs = partial(_compare_outputs, item)


def _compare_outputs(item: Any, actual: list[Output], reference: list[Output]) -> bool:
    difference = first_output_difference(reference, actual)
    item.comparison_traceback = [f"cell {item.cell.get('id', '?')}: {difference}"]
    return difference is None


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup(item: pytest.Item) -> Generator[None]:
    """Starts a notebook's kernel in the environment in which the author's run took place."""
    notebook: Any = item.parent
    if not isinstance(item, nbval.plugin.IPyNbCell) or notebook.kernel is not None:
        return (yield)
    data_folder = TemporaryDirectory(ignore_cleanup_errors=True)
    with patch.dict(os.environ, kernel_environment(data_folder.name)):
        result = yield
    notebook.addfinalizer(data_folder.cleanup)
    return result


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: Any) -> Generator[None]:
    """Refuses a cell without an execution count, which nbval would run and never compare."""
    result = yield
    is_compared = isinstance(item, nbval.plugin.IPyNbCell) and item.config.getoption("nbval")
    if is_compared and item.cell.execution_count is None:
        item.raise_cell_error(
            f"cell {item.cell.get('id', '?')} was never executed, so nothing can be compared; "
            "run python -m ecomtutor.authoring.normalise on this notebook"
        )
    return result
