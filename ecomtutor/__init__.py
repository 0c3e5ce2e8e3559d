"""ecomtutor: how large language models work, and what they do for a shop.

The package behind the lessons. Import the room that you need, for example
`from ecomtutor import attention, models`; each is loaded when it is first used, so that
`import ecomtutor` itself costs next to nothing.
"""

from importlib import import_module
from types import ModuleType

__version__ = "0.1.0"

_ROOMS = (
    "attention",
    "cli",
    "datasets",
    "errors",
    "exercises",
    "figures",
    "finetuning",
    "interpretability",
    "laboratory",
    "metrics",
    "models",
    "pretraining",
    "probing",
    "resources",
    "text",
    "training",
    "transformer",
    "widgets",
)
__all__ = ["__version__", *_ROOMS]  # noqa: PLE0604 (rooms are loaded by __getattr__)


def __getattr__(name: str) -> ModuleType:
    if name in _ROOMS:
        return import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *_ROOMS])
