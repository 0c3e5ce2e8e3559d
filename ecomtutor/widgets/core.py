"""What all views of the course share: a static form everywhere, a live one where a kernel runs."""

from __future__ import annotations

import sys
from typing import Any

from ecomtutor.exercises.sandbox import live_shell

# nbclient starts kernels so: for `jupyter nbconvert --execute`, papermill and our own normaliser.
_STARTED_BY_PROGRAM = "--HistoryManager.hist_file=:memory:"


def run_by_a_program() -> bool:
    """Whether a program runs this notebook from top to bottom, with nobody to touch anything.

    nbclient would keep the state of live views, and the exported page would then show them with a
    script from the web, or show nothing where there is no web.
    """
    return _STARTED_BY_PROGRAM in sys.argv


class StaticAndLive:
    """A view that a notebook shows live, and that a page without a kernel shows all the same.

    A subclass gives `_repr_html_` and `__repr__`, both without script and the same every time,
    and `widget`, which builds the live form.
    """

    def widget(self) -> Any:
        """The live form, an ipywidget; raises `ImportError` where ipywidgets is missing."""
        raise NotImplementedError

    def _repr_html_(self) -> str:
        raise NotImplementedError

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, Any]:
        static = {"text/html": self._repr_html_(), "text/plain": repr(self)}
        if getattr(live_shell(), "kernel", None) is None or run_by_a_program():
            return static
        try:
            live = self.widget()._repr_mimebundle_()
        except ImportError:
            return static
        return {**live, **static}
