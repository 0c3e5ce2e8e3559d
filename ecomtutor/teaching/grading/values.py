"""Plain values as text, so that nothing of the reader's own comes with them.

An answer runs in a process of its own; what it returns is written here as JSON and read by the
judge. Only data crosses: numbers, text, containers, arrays, tensors, tables. Anything else crosses
as "an object of type X", which has that name and nothing more. Reading never runs code: there is
no pickle, and types and sizes are checked against what the bytes hold.
"""

from __future__ import annotations

import base64
import json
import math
import re
from collections.abc import Callable
from typing import Any

from ecomtutor.exercises.comparing import is_array, is_tensor

LIMIT = 16_000_000  # bytes of one reply
_COUNT_LIMIT = 1_000_000  # values in one reply
_BITS_LIMIT = 1_000_000
_ARRAY_TYPE = re.compile(r"[<>|=]?(?:[biufcSU]\d*|[Mm]8(?:\[\w+\])?)")
_COLUMN_TYPES = {"object", "str", "string", "category", "boolean", "Int64", "Float64"}
_SEQUENCES: dict[str, Callable[[Any], Any]] = {
    "list": list,
    "tuple": tuple,
    "set": set,
    "frozenset": frozenset,
}
_SINGLES = {"None": None, "...": ..., "NotImplemented": NotImplemented}


class TooLarge(Exception):
    """The value has more parts than a reply may hold."""


class NotPlain(Exception):
    """The text does not hold what `dump` writes."""


def dump(value: Any) -> str:
    """A value as JSON text.

    Raises:
        TooLarge: it has more than a million parts, or is longer than the limit of a reply.
    """
    try:
        text = json.dumps(_Writer().write(value))
    except RecursionError:
        raise TooLarge("it is nested without end") from None
    if len(text) > LIMIT:
        raise TooLarge(f"it takes {len(text):,} characters")
    return text


def load(text: str) -> Any:
    """The value that `dump` wrote, made of types that Python, NumPy, PyTorch and pandas own.

    Raises:
        NotPlain: the text holds something else.
    """
    try:
        return _read(json.loads(text))
    except Exception as error:  # a stranger wrote the text
        raise NotPlain(f"{type(error).__name__}: {error}"[:200]) from error


class _Writer:
    """Writes nested values, and counts them."""

    def __init__(self) -> None:
        self._count = 0

    def write(self, value: Any) -> list[Any]:
        self._count += 1
        if self._count > _COUNT_LIMIT:
            raise TooLarge(f"it has more than {_COUNT_LIMIT:,} parts")
        kind = type(value)
        for name, single in _SINGLES.items():
            if value is single:
                return [name]
        if kind in (bool, float, str):
            return [kind.__name__, value]
        if kind is int and value.bit_length() <= _BITS_LIMIT:
            return ["int", hex(value)]
        if kind is complex:
            return ["complex", value.real, value.imag]
        if kind is bytes:
            return ["bytes", _packed(value)]
        if kind.__name__ in _SEQUENCES and kind is _SEQUENCES[kind.__name__]:
            self._demand(len(value))
            return [kind.__name__, [self.write(each) for each in value]]
        if issubclass(kind, dict):
            self._demand(dict.__len__(value))
            return ["dict", [[self.write(k), self.write(v)] for k, v in dict.items(value)]]
        return self._of_library(value, kind) or _opaque(value, kind)

    def _demand(self, count: int) -> None:
        if count > _COUNT_LIMIT:
            raise TooLarge(f"it has {count:,} elements")

    def _of_library(self, value: Any, kind: type) -> list[Any] | None:
        if is_tensor(value):
            return _written_tensor(value)
        if is_array(value):
            return self._array(value)
        owner = str(getattr(kind, "__module__", "")).partition(".")[0]
        if owner == "numpy" and hasattr(value, "dtype") and hasattr(value, "item"):
            return self._numpy_scalar(value)
        if owner == "pandas":
            return self._table(value, kind)
        return None

    def _array(self, value: Any) -> list[Any] | None:
        self._demand(value.nbytes // 8)
        if value.dtype.kind == "O":
            items = [self.write(each) for each in value.ravel().tolist()]
            return ["objects", list(value.shape), items]
        if not _ARRAY_TYPE.fullmatch(value.dtype.str):
            return None
        return ["array", value.dtype.str, list(value.shape), _packed(value.tobytes())]

    def _numpy_scalar(self, value: Any) -> list[Any] | None:
        written = self._array(value.reshape(())) if hasattr(value, "reshape") else None
        return ["scalar", *written[1:]] if written and written[0] == "array" else None

    def _table(self, value: Any, kind: type) -> list[Any] | None:
        import pandas as pd

        if value is pd.NA or value is pd.NaT:
            return ["NA" if value is pd.NA else "NaT"]
        if kind is pd.Series:
            return ["series", self.write(value.name), self._index(value.index), self._column(value)]
        if kind is pd.DataFrame and value.columns.is_unique:
            names = [self.write(name) for name in value.columns]
            columns = [self._column(value.iloc[:, place]) for place in range(len(names))]
            return ["frame", names, self._index(value.index), columns]
        if kind in (pd.Index, pd.RangeIndex):
            return ["index", self._index(value)]
        return None

    def _index(self, index: Any) -> list[Any]:
        return [self.write(index.name), self._column(index.to_series())]

    def _column(self, column: Any) -> list[Any]:
        if _ARRAY_TYPE.fullmatch(getattr(column.dtype, "str", "")):
            return ["", self._array(column.to_numpy())]
        self._demand(len(column))
        kind = str(column.dtype) if str(column.dtype) in _COLUMN_TYPES else "object"
        return [kind, [self.write(each) for each in column.tolist()]]


def _opaque(value: Any, kind: type) -> list[Any]:
    if issubclass(kind, type):
        return ["type", str(type.__getattribute__(value, "__name__"))]
    name = type.__getattribute__(kind, "__name__")
    if name in ("function", "builtin_function_or_method"):
        return ["function", str(value.__name__)]
    return ["object", str(name)]


def _written_tensor(value: Any) -> list[Any] | None:
    import torch

    whole = value.detach()
    if type(value) not in (torch.Tensor, torch.nn.Parameter) or whole.layout != torch.strided:
        return None
    if whole.device.type != "cpu" or whole.is_quantized:
        return None
    if whole.numel() * whole.element_size() > LIMIT:
        raise TooLarge(f"it has {whole.numel():,} elements")
    raw = whole.resolve_conj().resolve_neg().contiguous().reshape(-1).view(torch.uint8)
    name = str(whole.dtype).removeprefix("torch.")
    wants = bool(value.requires_grad)
    return ["tensor", name, list(whole.shape), wants, _packed(raw.numpy().tobytes())]


def _packed(raw: bytes) -> str:
    if len(raw) > LIMIT:
        raise TooLarge(f"it takes {len(raw):,} bytes")
    return base64.b64encode(raw).decode()


def _read(node: Any) -> Any:
    tag, *rest = node
    if tag in _SINGLES:
        return _SINGLES[tag]
    if tag in _SEQUENCES:
        return _SEQUENCES[tag](_read(each) for each in rest[0])
    return _READERS[tag](*rest)


def _read_array(kind: str, shape: list[int], packed: str) -> Any:
    import numpy as np

    if not _ARRAY_TYPE.fullmatch(kind):
        raise NotPlain(f"no array of {kind[:20]}")
    return np.frombuffer(base64.b64decode(packed), dtype=kind).reshape(_sizes(shape)).copy()


def _read_objects(shape: list[int], items: list[Any]) -> Any:
    import numpy as np

    array = np.empty(len(items), dtype=object)
    for place, item in enumerate(items):
        array[place] = _read(item)
    return array.reshape(_sizes(shape))


def _read_tensor(name: str, shape: list[int], wants: bool, packed: str) -> Any:
    import torch

    kind = getattr(torch, name)
    if type(kind) is not torch.dtype:
        raise NotPlain(f"no dtype {name[:20]}")
    raw = bytearray(base64.b64decode(packed))
    if len(raw) != math.prod(_sizes(shape)) * kind.itemsize:
        raise NotPlain("the bytes do not fit the shape")
    flat = torch.frombuffer(raw, dtype=torch.uint8) if raw else torch.empty(0, dtype=torch.uint8)
    return flat.view(kind).reshape(shape).clone().requires_grad_(bool(wants))


def _sizes(shape: list[int]) -> list[int]:
    if not all(type(size) is int and size >= 0 for size in shape):
        raise NotPlain("a shape is a list of sizes")
    return shape


def _read_column(column: list[Any], **names: Any) -> Any:
    import pandas as pd

    kind, values = column
    if kind == "":
        return pd.Series(_read(values), **names)
    if kind not in _COLUMN_TYPES:
        raise NotPlain(f"no column of {str(kind)[:20]}")
    return pd.Series([_read(each) for each in values], dtype=kind, **names)


def _read_index(index: list[Any]) -> Any:
    import pandas as pd

    return pd.Index(_read_column(index[1]), name=_read(index[0]))


def _read_frame(names: list[Any], index: list[Any], columns: list[Any]) -> Any:
    import pandas as pd

    rows = _read_index(index)
    frame = pd.DataFrame(
        {place: _read_column(column, index=rows) for place, column in enumerate(columns)},
        index=rows,
    )
    frame.columns = pd.Index([_read(name) for name in names])
    return frame


def _read_missing(name: str) -> Any:
    import pandas as pd

    return getattr(pd, name)


def _named(name: str) -> str:
    return name if type(name) is str and name.isidentifier() else "unnamed"


def _read_function(name: str) -> Any:
    def not_here(*_args: Any, **_named: Any) -> Any:
        raise TypeError("a function that an answer returns cannot be called by the grader")

    not_here.__name__ = _named(name)
    return not_here


_READERS: dict[str, Callable[..., Any]] = {
    "bool": bool,
    "float": float,
    "str": str,
    "int": lambda text: int(text, 16),
    "complex": complex,
    "bytes": base64.b64decode,
    "dict": lambda pairs: {_read(key): _read(value) for key, value in pairs},
    "array": _read_array,
    "scalar": lambda *rest: _read_array(*rest)[()],
    "objects": _read_objects,
    "tensor": _read_tensor,
    "series": lambda name, index, column: _read_column(
        column, index=_read_index(index), name=_read(name)
    ),
    "frame": _read_frame,
    "index": _read_index,
    "NA": lambda: _read_missing("NA"),
    "NaT": lambda: _read_missing("NaT"),
    "type": lambda name: type(_named(name), (), {}),
    "function": _read_function,
    "object": lambda name: type(_named(name), (), {})(),
}
