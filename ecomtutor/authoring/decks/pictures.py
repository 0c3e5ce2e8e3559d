"""What a slide shows besides text: the notebooks' figures and local images, inlined."""

from __future__ import annotations

import importlib
import re
from base64 import b64encode
from html import escape
from mimetypes import guess_type
from pathlib import Path

from ecomtutor.authoring.decks.source import DeckError

_REFERENCE = re.compile(r"figure:([a-z]\w*)\.([a-z]\w*)")
_ROOT = re.compile(r"<svg\b([^>]*)>", re.IGNORECASE)
_ROOT_SIZE = re.compile(r"""\s(?:width|height|role|aria-[a-z]+)\s*=\s*(?:"[^"]*"|'[^']*')""")
_STYLE = re.compile(r"(<style\b[^>]*>)(.*?)(</style>)", re.DOTALL | re.IGNORECASE)
_ID = re.compile(r"""\bid\s*=\s*["']([^"']+)["']""")


def figure_svg(reference: str, prefix: str) -> str:
    """Draw a figure of the course and make its SVG safe to inline beside others.

    Args:
        reference: ``figure:lesson_01.score_spread`` stands for the call
            ``ecomtutor.figures.lesson_01.score_spread()``.
        prefix: unique in the page; put before the figure's ids.

    Returns:
        An ``<svg>`` element that fills its parent and carries the alternative text.

    Raises:
        DeckError: when there is no such figure, it fails, or it has no text or viewBox.
    """
    figure = _draw(reference)
    svg, alt = getattr(figure, "svg", ""), getattr(figure, "alt", "")
    root = _ROOT.search(svg)
    if not alt or not root or "viewBox" not in root[1]:
        raise DeckError(f"{reference}: expected a figure with .alt and an .svg that has a viewBox")
    size_free = _ROOT_SIZE.sub("", root[1])
    label = f'<svg id="{prefix}" role="img" aria-label="{escape(alt)}"'
    inner = _scoped(_prefixed(svg[root.end() :], prefix), prefix)
    # A figure that carries its own root id would leave two on one element.
    return f"{label}{_ID.sub('', size_free)}>{inner.strip()}"


def _draw(reference: str) -> object:
    match = _REFERENCE.fullmatch(reference)
    if not match:
        raise DeckError(f"{reference}: expected figure:module.function, as figure:lesson_01.spread")
    name = f"ecomtutor.figures.{match[1]}"
    try:
        draw = getattr(importlib.import_module(name), match[2])
    except (ModuleNotFoundError, AttributeError) as error:
        raise DeckError(f"{reference}: no figure {match[2]} in {name} ({error})") from error
    try:
        return draw()
    except Exception as error:  # a figure may fail in any way; say which one it was
        reason = f"{type(error).__name__}: {error}"
        raise DeckError(f"{reference}: the figure cannot be drawn: {reason}") from error


def _prefixed(svg: str, prefix: str) -> str:
    """Put the prefix before each id and before each reference to one."""
    ids = {name: f"{prefix}-{name}" for name in _ID.findall(svg)}
    if not ids:
        return svg
    names = "|".join(re.escape(name) for name in sorted(ids, key=len, reverse=True))
    end = r"(?![\w.-])"
    svg = re.sub(rf"""(\bid\s*=\s*["'])({names})(?=["'])""", rf"\1{prefix}-\2", svg)
    svg = re.sub(rf"""(href\s*=\s*["']#|url\(\s*["']?#)({names}){end}""", rf"\1{prefix}-\2", svg)
    labels = r"""(\baria-(?:labelledby|describedby)\s*=\s*["'])([^"']*)"""
    svg = re.sub(labels, lambda m: m[1] + " ".join(ids.get(n, n) for n in m[2].split()), svg)
    # In a style sheet `#name` is an id only before the braces; inside them it is a colour.
    selector = re.compile(rf"#({names}){end}(?=[^{{}}]*\{{)")
    return _STYLE.sub(lambda m: m[1] + selector.sub(rf"#{prefix}-\1", m[2]) + m[3], svg)


def _scoped(svg: str, scope: str) -> str:
    """Keep a figure's style sheet inside the figure; slides are light in dark mode too."""

    def scoped(match: re.Match[str]) -> str:
        css = re.sub(r"<!\[CDATA\[|\]\]>", "", match[2])
        css = re.sub(r"\(\s*prefers-color-scheme\s*:\s*dark\s*\)", "(max-width: 0)", css)
        css = re.sub(r"(?<![\w.#-])(?:svg|:root)(?=[\s,{.:\[])", "&", css)
        return f"{match[1]}#{scope} {{ {css} }}{match[3]}"

    return _STYLE.sub(scoped, svg)


def image_data_uri(source: str, folder: Path) -> str:
    """Embed a local image.

    Args:
        source: its path, relative to ``folder``.
        folder: where the deck lies.

    Returns:
        A ``data:`` address.

    Raises:
        DeckError: when the address is remote or absolute, or the file does not exist.
    """
    from urllib.parse import unquote, urlsplit

    if urlsplit(source).scheme or source.startswith(("/", "\\")):
        raise DeckError(f"image {source}: expected a path relative to the deck, nothing remote")
    path = folder / unquote(source)
    if not path.is_file():
        raise DeckError(f"image {source}: no such file beside the deck ({path})")
    kind = guess_type(path.name)[0] or ""
    if not kind.startswith("image/"):
        raise DeckError(f"image {source}: not an image file; use .png, .jpg or .svg")
    return f"data:{kind};base64,{b64encode(path.read_bytes()).decode('ascii')}"
