"""Describe and compare values that a stranger made.

Nothing here calls the `repr`, `==` or `__class__` of the reader's own classes: a value is opened
only when Python, NumPy, PyTorch or pandas owns its type.
"""

from __future__ import annotations

import math
import numbers
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

_TEXT_LIMIT = 60


def describe(value: Any) -> str:
    """Say in a few words what a value is, never calling code that belongs to the reader."""
    kind = type(value)
    if value is None or value is ... or kind in (bool, int, float, complex):
        return _cut(repr(value)) if not _is_huge(value) else "a very large whole number"
    if kind in (str, bytes):
        shown = repr(value[:_TEXT_LIMIT])
        return shown if len(value) <= _TEXT_LIMIT else f"{shown}… ({len(value)} characters)"
    if kind in (list, tuple, set, frozenset, dict):
        return _describe_container(value)
    if is_tensor(value) or is_array(value):
        return _describe_array(value)
    if is_table(value):
        shape = " × ".join(str(size) for size in value.shape)
        return f"a {kind.__name__} of {shape}"
    if _is_number(value):
        return repr(value.item())
    if issubclass(kind, type):
        return f"the class {value.__name__}"
    return f"an object of type {kind.__name__}"


def first_difference(
    came: Any, expected: Any, *, rel: float = 1e-4, abs: float = 1e-6
) -> str | None:
    """Say where a value first differs from the expected one; None when it does not.

    The text reads on after the name of the value: "is None; …", "has shape (2, 3); …".
    """
    if came is None and expected is not None:
        return f"is None; expected: {describe(expected)}"
    if came is ... and expected is not ...:
        return "is still `...`, the placeholder"
    for belongs, compare in _COMPARISONS:
        if belongs(expected):
            return compare(came, expected, rel, abs)
    if type(came) is type(expected) and came == expected:
        return None
    return _other(came, expected)


def _bool(came: Any, expected: Any, rel: float, abs: float) -> str | None:
    if type(came) is bool or (_is_of(came, "numpy") and type(came).__name__ == "bool"):
        return None if bool(came) is expected else f"is {bool(came)}; expected: {expected}"
    if is_tensor(came) and came.ndim == 0 and str(came.dtype) == "torch.bool":
        return _bool(came.item(), expected, rel, abs)
    return f"is {describe(came)}; True or False was expected"


def _number(came: Any, expected: Any, rel: float, abs: float) -> str | None:
    if (is_tensor(came) or is_array(came)) and came.ndim == 0:
        came = came.item()
    if not _is_number(came):
        return f"is {describe(came)}; a number was expected"
    came, expected = _plain(came), _plain(expected)
    if _close(came, expected, rel, abs):
        return None
    return f"is {_figure(came)}; expected: {_figure(expected)}"


def _text(came: Any, expected: Any, rel: float, abs: float) -> str | None:
    if type(came) is not type(expected):
        return (
            f"is {describe(came)}; text was expected"
            if type(expected) is str
            else _other(came, expected)
        )
    if came == expected:
        return None
    place = next(
        (n for n, pair in enumerate(zip(came, expected, strict=False)) if pair[0] != pair[1]),
        min(len(came), len(expected)),
    )
    around = slice(max(0, place - 10), place + 20)
    if max(len(came), len(expected)) <= _TEXT_LIMIT:
        return f"is {came!r}; expected: {expected!r}"
    return (
        f"differs first at character {place}: …{came[around]!r}…; expected: …{expected[around]!r}…"
    )


def _sequence(came: Any, expected: Any, rel: float, abs: float) -> str | None:
    if type(came) is not type(expected):
        return _other(came, expected)
    if len(came) != len(expected):
        return f"has {len(came)} elements; expected: {len(expected)}"
    for place, (one, other) in enumerate(zip(came, expected, strict=True)):
        difference = first_difference(one, other, rel=rel, abs=abs)
        if difference is not None:
            return f"differs first at position {place}, which {difference}"
    return None


def _mapping(came: Any, expected: Any, rel: float, abs: float) -> str | None:
    if not issubclass(type(came), dict):
        return _other(came, expected)
    difference = _set(set(map(_key, dict.keys(came))), set(map(_key, expected)), rel, abs)
    if difference is not None:
        return f"differs in its keys: it {difference}"
    values = {_key(key): value for key, value in dict.items(came)}
    for key, other in expected.items():
        difference = first_difference(values[_key(key)], other, rel=rel, abs=abs)
        if difference is not None:
            return f"differs at key {describe(key)}, which {difference}"
    return None


def _set(came: Any, expected: Any, rel: float, abs: float) -> str | None:
    if type(came) not in (set, frozenset):
        return _other(came, expected)
    came, expected = set(map(_key, came)), set(map(_key, expected))
    lacks, has = expected - came, came - expected
    parts = []
    if lacks:
        parts.append(f"lacks {_listed(lacks)}")
    if has:
        parts.append(f"has {_listed(has)} that should not be there")
    return " and ".join(parts) or None


def _array(came: Any, expected: Any, rel: float, abs: float) -> str | None:
    import numpy as np

    wanted = "tensor" if is_tensor(expected) else "array"
    if not (is_tensor(came) if wanted == "tensor" else is_array(came)):
        return f"is {describe(came)}; expected: {describe(expected)}"
    if tuple(came.shape) != tuple(expected.shape):
        return (
            f"has shape {tuple(came.shape)} ({came.dtype}); "
            f"expected: shape {tuple(expected.shape)} ({expected.dtype})"
        )
    ours, theirs = _as_numpy(expected), _as_numpy(came)
    if ours.dtype.kind not in "biufc" or theirs.dtype.kind not in "biufc":
        return _sequence(theirs.tolist(), ours.tolist(), rel, abs)
    if (ours.dtype.kind == "b") != (theirs.dtype.kind == "b"):
        return f"has the dtype {came.dtype}; expected: {expected.dtype}"
    exact = ours.dtype.kind in "biu" and theirs.dtype.kind in "biu"
    with np.errstate(all="ignore"):
        near = np.isclose(theirs, ours, rtol=rel, atol=abs, equal_nan=True)
    agrees = theirs == ours if exact else near
    if agrees.all():
        return None
    position = tuple(int(each) for each in np.argwhere(~agrees)[0])
    there, here = _figure(theirs[position].item()), _figure(ours[position].item())
    if not position:
        return f"is {there}; expected: {here}"
    count = int((~agrees).sum())
    return (
        f"differs first at position {list(position)}: {there}; expected: {here} "
        f"({count} of {agrees.size} differ)"
    )


def _table(came: Any, expected: Any, rel: float, abs: float) -> str | None:
    kind = type(expected).__name__
    if type(came).__name__ != kind or not is_table(came):
        return f"is {describe(came)}; expected: {describe(expected)}"
    if kind == "DataFrame":
        difference = _sequence(list(came.columns), list(expected.columns), rel, abs)
        if difference is not None:
            return (
                f"has the columns {describe(list(came.columns))}; "
                f"expected: {describe(list(expected.columns))}"
            )
    if len(came) != len(expected):
        return f"has {len(came)} rows; expected: {len(expected)}"
    difference = _sequence(came.index.tolist(), expected.index.tolist(), rel, abs)
    if difference is not None:
        return f"has another index, which {difference} (see reset_index and sort_index)"
    if kind == "Series":
        return _column(came, expected, rel, abs)
    for place, column in enumerate(expected.columns):
        difference = _column(came.iloc[:, place], expected.iloc[:, place], rel, abs)
        if difference is not None:
            return f"differs in column {describe(column)}, which {difference}"
    return None


def _column(came: Any, expected: Any, rel: float, abs: float) -> str | None:
    for row, (one, other) in enumerate(zip(came.tolist(), expected.tolist(), strict=True)):
        if _is_missing(one) and _is_missing(other):
            continue
        difference = first_difference(one, other, rel=rel, abs=abs)
        if difference is not None:
            return f"differs first in row {row}, which {difference}"
    return None


def _other(came: Any, expected: Any) -> str:
    return f"is {describe(came)}; expected: {describe(expected)}"


_COMPARISONS: Sequence[tuple[Callable[[Any], bool], Callable[..., str | None]]] = (
    (lambda value: type(value) is bool, _bool),
    (lambda value: _is_number(value), _number),
    (lambda value: type(value) in (str, bytes), _text),
    (lambda value: type(value) in (list, tuple), _sequence),
    (lambda value: isinstance(value, dict), _mapping),
    (lambda value: type(value) in (set, frozenset), _set),
    (lambda value: is_tensor(value) or is_array(value), _array),
    (lambda value: is_table(value), _table),
)


def _is_of(value: Any, package: str) -> bool:
    """Whether the value's own class is defined by the package, without importing it."""
    return package in sys.modules and type(value).__module__.partition(".")[0] == package


def is_tensor(value: Any) -> bool:
    return _is_of(value, "torch") and isinstance(value, sys.modules["torch"].Tensor)


def is_array(value: Any) -> bool:
    return _is_of(value, "numpy") and isinstance(value, sys.modules["numpy"].ndarray)


def is_table(value: Any) -> bool:
    return _is_of(value, "pandas") and type(value).__name__ in ("DataFrame", "Series")


def _is_number(value: Any) -> bool:
    if type(value) in (int, float):
        return True
    return _is_of(value, "numpy") and isinstance(value, numbers.Real)


def _is_huge(value: Any) -> bool:
    # Python refuses to print whole numbers of more than 4,300 digits.
    return type(value) is int and value.bit_length() > 200


def _is_missing(value: Any) -> bool:
    if value is None or (type(value) is float and math.isnan(value)):
        return True
    return _is_of(value, "pandas") and type(value).__name__ in ("NAType", "NaTType")


def _plain(value: Any) -> Any:
    return value.item() if hasattr(value, "item") else value


def _key(value: Any) -> Any:
    """A stand-in that is safe to hash and compare: the value itself, or what can be said of it."""
    if type(value) in (str, bytes, int, bool, float, type(None)):
        return value
    if type(value) in (tuple, frozenset):
        return type(value)(_key(each) for each in value)
    return _plain(value) if _is_number(value) else describe(value)


def _close(came: Any, expected: Any, rel: float, abs: float) -> bool:
    if type(came) is int and type(expected) is int:
        return came == expected
    try:
        came, expected = float(came), float(expected)
    except OverflowError:
        return False
    if math.isnan(came) or math.isnan(expected):
        return math.isnan(came) and math.isnan(expected)
    return math.isclose(came, expected, rel_tol=rel, abs_tol=abs)


def _figure(value: Any) -> str:
    if _is_huge(value):
        return "a very large whole number"
    return f"{value:.6g}" if type(value) is float else repr(value)


def _as_numpy(value: Any) -> Any:
    if not is_tensor(value):
        return value
    value = value.detach().cpu()
    if not value.is_floating_point():
        return value.to_dense().resolve_conj().numpy()
    return value.to_dense().double().numpy()


def _describe_array(value: Any) -> str:
    word = "a tensor" if is_tensor(value) else "an array"
    return f"{word} of shape {tuple(value.shape)} ({value.dtype})"


def _describe_container(value: Sequence[Any] | Mapping[Any, Any]) -> str:
    kind, size = type(value).__name__, len(value)
    simple = (str, int, float, bool, type(None))
    if size <= 6 and type(value) in (list, tuple) and all(type(each) in simple for each in value):
        shown = ", ".join(describe(each) for each in value)
        if len(shown) <= _TEXT_LIMIT:
            return f"[{shown}]" if kind == "list" else f"({shown}{',' * (size == 1)})"
    return f"a {kind} of {size} element{'s' * (size != 1)}"


def _listed(values: set[Any]) -> str:
    shown = sorted(describe(value) for value in values)
    return ", ".join(shown[:5]) + (f" and {len(shown) - 5} more" if len(shown) > 5 else "")


def _cut(text: str) -> str:
    return text if len(text) <= _TEXT_LIMIT else text[:_TEXT_LIMIT] + "…"
