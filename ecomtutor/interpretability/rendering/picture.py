"""A picture that travels: HTML with inline styles alone, and the same numbers as plain text.

JupyterLab takes <svg>, <style>, scripts, `role` and `aria-…` out of a notebook that is not
trusted yet. So pictures here are tables and spans with inline styles, which it keeps, and what
has to be drawn is an `<img>` that carries its own data. Each keeps its own light paper, so that it
reads in a dark theme, and leaves letters to the reader's fonts, so that no script is missing.
"""

import base64
import html
import re
import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

INK, GREY, PAPER, FAINT = "#1f2933", "#5f6b76", "#ffffff", "#8894a0"
UP, DOWN = "#0072b2", "#d55e00"  # Okabe and Ito (2008): told apart with any colour vision
MARK = '<figure class="ecomtutor-picture"'
"""How the HTML of every picture begins; notebooks compare such a picture by its text alone."""


@dataclass(frozen=True)
class Picture:
    """A finished picture.

    html    one `<figure>` without script, style sheet or address; at home on any page
    text    what it shows, in words and numbers: for terminals, screen readers and comparisons
    """

    html: str
    text: str

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return {"text/html": self.html, "text/plain": self.text}

    def __str__(self) -> str:
        return self.text

    def save(self, path: str | Path) -> None:
        """Write a page of its own that any browser shows, without a network."""
        title = html.escape(re.sub(r"\s+", " ", self.text[:80]))
        Path(path).write_text(
            f'<!DOCTYPE html>\n<html><head><meta charset="utf-8"><title>{title}</title></head>'
            f"<body>\n{self.html}\n</body></html>\n",
            encoding="utf-8",
        )


def paper(body: str, label: str) -> str:
    """The figure around a picture: its own paper and ink in any theme, named for screen readers."""
    style = (
        f"background-color:{PAPER};color:{INK};border:1px solid {FAINT};border-radius:6px;"
        "padding:10px 14px;margin:4px 0;max-width:60em;overflow-x:auto;font-size:14px;"
        "line-height:1.5"
    )
    return f'{MARK} aria-label="{escaped(label)}" style="{style}">{body}</figure>'


def escaped(text: str) -> str:
    """Text that cannot become HTML, in a tag or in an attribute."""
    return html.escape(text, quote=True)


def visible(text: str, most: int = 24) -> str:
    """A unit or token as a label: blanks and line ends shown, long ones shortened, escaped."""
    shown = text.replace("\n", "⏎").replace("\t", "⇥")
    shown = re.sub(r"^\s+|\s+$", lambda blank: "␣" * len(blank[0]), shown)
    return escaped(shown if len(shown) <= most else shown[: most - 1] + "…")


def signed(value: float, decimals: int = 2) -> str:
    """A value with its sign, as a reader sees it; what rounds to zero has none."""
    text = f"{value:+.{decimals}f}"
    return text[1:] if float(text) == 0 else text.replace("-", "−")


def folded(summary: str, head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table behind a line to open it, without a script; cells are escaped already."""
    row = f'<tr style="background-color:{PAPER}">'  # or a notebook's theme stripes it
    top = row + "".join(f'<th scope="col" style="text-align:left">{c}</th>' for c in head)
    body = "".join(row + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>" for cells in rows)
    return (
        f"<details><summary>{escaped(summary)}</summary>"
        f'<table style="font-size:13px;margin:4px 0;color:{INK};border:none">'
        f"<thead>{top}</tr></thead><tbody>{body}</tbody></table></details>"
    )


def drawn(svg: str, width: int, height: int, alt: str) -> str:
    """SVG without letters as an image that carries itself; sizes in pixels."""
    whole = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}">{svg}</svg>'
    data = base64.b64encode(whole.encode()).decode()
    return _image("svg+xml", data, width, height, alt)


def painted(shades: np.ndarray, palette: Sequence[str], pixels: int, alt: str) -> str:
    """A grid of palette numbers (rows, columns) as a PNG that carries itself, drawn pixels wide."""
    data = base64.b64encode(png(shades, palette)).decode()
    return _image("png", data, pixels, pixels, alt)


def png(shades: np.ndarray, palette: Sequence[str]) -> bytes:
    """A PNG of palette numbers (rows, columns), packed into 2 or 4 bits each; up to 16 colours.

    Source:
        PNG Specification, third edition (W3C, 2025), chapters 7, 10 and 11.
    """
    rows, columns = shades.shape
    bits = 2 if len(palette) <= 4 else 4
    each = 8 // bits
    padded = np.zeros((rows, -(-columns // each) * each), dtype=np.uint8)
    padded[:, :columns] = shades
    packed = np.zeros((rows, padded.shape[1] // each), dtype=np.uint8)
    for place in range(each):
        packed |= padded[:, place::each] << (8 - bits * (place + 1))
    scanlines = np.concatenate([np.zeros((rows, 1), np.uint8), packed], axis=1)  # filter type 0
    colours = b"".join(bytes.fromhex(colour[1:]) for colour in palette)
    head = struct.pack(">IIBBBBB", columns, rows, bits, 3, 0, 0, 0)
    parts = [(b"IHDR", head), (b"PLTE", colours)]
    parts += [(b"IDAT", zlib.compress(scanlines.tobytes(), 9)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(*part) for part in parts)


def tint(colour: str, share: float) -> str:
    """A colour on white paper: 0 white, 1 the colour itself, as "#rrggbb"."""
    channels = [int(colour[i : i + 2], 16) for i in (1, 3, 5)]
    return "#" + "".join(f"{round(255 - share * (255 - c)):02x}" for c in channels)


def _chunk(name: bytes, data: bytes) -> bytes:
    check = zlib.crc32(name + data)
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", check)


def _image(kind: str, data: str, width: int, height: int, alt: str) -> str:
    return (
        f'<img src="data:image/{kind};base64,{data}" alt="{escaped(alt)}" '
        f'style="width:{width}px;height:{height}px;max-width:none">'
    )
