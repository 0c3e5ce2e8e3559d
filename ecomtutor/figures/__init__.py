"""The course's figures: `core` draws them, `lesson_NN` holds those of each lesson.

A notebook and its deck call the same function, so they can never show different pictures.
"""

from importlib import import_module
from types import ModuleType

from ecomtutor.figures.core import Figure, drawing, finish, heat_map

__all__ = ["Figure", "drawing", "finish", "heat_map"]


def __getattr__(name: str) -> ModuleType:
    if name.startswith("lesson_"):
        return import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
