"""Figures that travel: static SVG with alternative text, Chinese labels drawn as outlines.

Letters are drawn as shapes, not left to the reader's fonts, so a figure looks the same in
JupyterLab, in exported HTML and in a deck, on a machine without any Chinese font. Figures keep
their own light paper, so that they read in a dark theme too.
"""

import hashlib
import io
import re
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ecomtutor.errors import EcomTutorError
from ecomtutor.resources import CATALOGUE, find

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as MatplotlibFigure
    from matplotlib.typing import RcKeyType

INK = "#1f2933"
PAPER = "#ffffff"
# Okabe and Ito (2008): told apart with any colour vision. Marks and line styles differ as well.
BLUE, ORANGE, GREEN, RED, PURPLE = "#0072b2", "#d55e00", "#009e73", "#b5362c", "#8f4a8f"
COLOURS = (BLUE, ORANGE, GREEN, PURPLE)
LINES = ("-", "--", "-.", ":")
MARKS = ("o", "s", "^", "D")
_SHADES = "Blues"


_METADATA = re.compile(r"\s*<metadata>.*?</metadata>", re.DOTALL)
_STYLE = re.compile(r"\s*<defs>\s*<style.*?</style>\s*</defs>", re.DOTALL)
_OUTLINE = re.compile(r'(?<= d=")[^"]+')
_LONG_NUMBER = re.compile(r"\d+\.\d{3,}")
_CHINESE = re.compile(r"[\u3000-\u9fff\uff00-\uffef]")


@dataclass(frozen=True)
class Figure:
    """A finished picture: SVG text, and the words that say what it shows."""

    svg: str
    alt: str

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return {"image/svg+xml": self.svg, "text/plain": f"Figure: {self.alt}"}

    def save(self, path: str | Path) -> None:
        """Write the SVG to a file."""
        Path(path).write_text(self.svg, encoding="utf-8")


@contextmanager
def drawing(
    width: float = 7.0, height: float = 3.6, columns: int = 1, rows: int = 1
) -> Iterator[tuple["MatplotlibFigure", Any]]:
    """A matplotlib figure in the course's style; sizes in inches.

    with drawing() as (fig, ax):
        ax.plot(…)
    finish(fig, alt="what the reader should see")
    """
    import matplotlib

    with matplotlib.rc_context(_style()):
        from matplotlib.figure import Figure as MatplotlibFigure

        # Not pyplot: no global state, and nothing is shown twice in a notebook.
        fig = MatplotlibFigure(figsize=(width, height), layout="constrained")
        yield fig, fig.subplots(rows, columns)


def finish(fig: "MatplotlibFigure", alt: str) -> Figure:
    """The figure as SVG. The same figure always gives the same text.

    Raises:
        EcomTutorError: no alternative text; a reader who cannot see the picture needs it.
    """
    if len(alt.split()) < 5 and len(alt) < 15:
        raise EcomTutorError(f"A figure needs a sentence of alternative text; {alt!r} came.")
    svg = _drawn(fig, salt=hashlib.sha256(alt.encode()).hexdigest()[:12])
    if _chinese_font() is None and _CHINESE.search(svg):
        hint = "Chinese labels show as boxes: bring their font with `ecomtutor fetch font-zh`."
        warnings.warn(hint, stacklevel=2)
    return Figure(_with_words(_tidy(svg), alt), alt)


def heat_map(
    ax: "Axes",
    values: Any,
    rows: Sequence[str],
    columns: Sequence[str],
    *,
    numbers: bool = True,
    top: float | None = None,
) -> None:
    """A grid of values, dark for large, with the number in each cell: readable without colour.

    Args:
        ax: where to draw.
        values: (rows, columns), at least zero.
        rows, columns: labels, in any language.
        numbers: write the values into the cells (for up to about 12 columns).
        top: the value of the darkest shade; the largest value unless given.

    Raises:
        EcomTutorError: not one label for each row and column.
    """
    import numpy as np

    grid = np.asarray(values, dtype=float)
    if grid.shape != (len(rows), len(columns)):
        raise EcomTutorError(
            f"{len(rows)} row and {len(columns)} column labels came for values {grid.shape}."
        )
    limit = top or float(np.max(grid)) or 1.0
    # Without interpolation the SVG carries one pixel for each value, which browsers draw sharp.
    ax.imshow(grid, cmap=_SHADES, vmin=0, vmax=limit, aspect="auto", interpolation="none")
    ax.set_xticks(range(len(columns)), columns, rotation=0 if _short(columns) else 45)
    ax.set_yticks(range(len(rows)), rows)
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    if not numbers:
        return
    for (i, j), value in np.ndenumerate(grid):
        ink = ink_on(shade(value / limit))
        ax.text(j, i, f"{value:.2f}", ha="center", va="center", color=ink, fontsize=9)


def shade(share: float) -> str:
    """The blue of a heat map for a share of the largest value, as "#rrggbb": 0 light, 1 dark."""
    from matplotlib import colormaps
    from matplotlib.colors import to_hex

    return to_hex(colormaps[_SHADES](float(share)))


def ink_on(colour: str) -> str:
    """Black or white, whichever reads better on "#rrggbb": a contrast of 4.58 at least.

    The relative luminance of WCAG 2.1; the two inks meet where it is √(1.05 · 0.05) - 0.05.
    """
    channels = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    return "#000000" if luminance > 0.179 else "#ffffff"


def _drawn(fig: "MatplotlibFigure", salt: str) -> str:
    import matplotlib

    stream = io.StringIO()
    with matplotlib.rc_context(_style() | {"svg.hashsalt": salt}), warnings.catch_warnings():
        # One warning for each character; `finish` says it once, with what to do.
        warnings.filterwarnings("ignore", r"Glyph \d+ .* missing from font\(s\) DejaVu Sans\.")
        fig.savefig(stream, format="svg", metadata={"Date": None})
    return stream.getvalue()


def _short(labels: Sequence[str]) -> bool:
    return max(map(len, labels), default=0) * len(labels) <= 60


def _style() -> "dict[RcKeyType, Any]":
    from cycler import cycler  # part of matplotlib

    return {
        "font.family": _font_families(),
        "font.size": 10.5,
        "svg.fonttype": "path",
        "figure.facecolor": PAPER,
        "axes.facecolor": PAPER,
        "savefig.facecolor": PAPER,
        "text.color": INK,
        "axes.labelcolor": INK,
        "axes.edgecolor": "#8894a0",
        "axes.titlesize": 12,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.grid": False,
        "axes.prop_cycle": cycler(color=COLOURS, linestyle=LINES),
        "xtick.color": INK,
        "ytick.color": INK,
        "legend.frameon": False,
        "lines.linewidth": 2.0,
    }


def _font_families() -> list[str]:
    """DejaVu ships with matplotlib; Noto Sans SC is one of our resources. Neither is installed."""
    font = _chinese_font()
    return ["DejaVu Sans"] if font is None else ["DejaVu Sans", _registered(font)]


def _chinese_font() -> Path | None:
    located = find(CATALOGUE["font-zh"])
    return located.path("NotoSansSC-Regular.ttf") if located else None


@cache
def _registered(font: Path) -> str:
    from matplotlib import font_manager

    font_manager.fontManager.addfont(font)
    return font_manager.FontProperties(fname=font).get_name()


def _tidy(svg: str) -> str:
    """Drop the prologue, the metadata and a style for `*`, which would reach the whole page."""
    svg = _STYLE.sub("", _METADATA.sub("", svg[svg.index("<svg") :]))
    return _OUTLINE.sub(lambda outline: _LONG_NUMBER.sub(_rounded, outline[0]), svg)


def _rounded(number: re.Match[str]) -> str:
    return f"{float(number[0]):.2f}"  # a hundredth of a point


def _with_words(svg: str, alt: str) -> str:
    """Let the picture shrink with the page, and name it for screen readers."""
    from xml.sax.saxutils import escape, quoteattr

    head, body = svg.split(">", 1)
    head += f' role="img" aria-label={quoteattr(alt)}'
    head += ' style="max-width:100%;height:auto;stroke-linejoin:round"'
    return f"{head}>\n <title>{escape(alt)}</title>{body}"
