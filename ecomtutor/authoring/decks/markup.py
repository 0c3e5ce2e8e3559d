"""A slide's Markdown as HTML: figures, formulas, code, columns and steps."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from html import escape
from pathlib import Path
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.rules_block import StateBlock
from markdown_it.rules_core import StateCore
from markdown_it.token import Token
from mdit_py_plugins.container import container_plugin
from mdit_py_plugins.dollarmath import dollarmath_plugin

from ecomtutor.authoring.decks.formulas import to_mathml
from ecomtutor.authoring.decks.pictures import figure_svg, image_data_uri
from ecomtutor.authoring.decks.source import DeckError

_ALLOWED_HTML = re.compile(r"</?(?:br|sub|sup|kbd|small)\s*/?>|<!--.*?-->", re.DOTALL)
_HIGHLIGHTED = re.compile(r"(\w+)?\s*(?:\{([\d,\s]+)\})?\s*")
_WEB = re.compile(
    r"""\b(?:src|href|srcset|poster|data)\s*=\s*["']\s*(?:https?:)?//"""
    r"""|url\(\s*["']?\s*(?:https?:)?//|@import|<script""",
    re.IGNORECASE,
)


@dataclass
class Context:
    """Where a piece of Markdown stands.

    Attributes:
        folder: the deck's folder; local images are relative to it.
        prefix: put before every id of an inlined figure, unique to the piece.
        figures: how many figures were inlined so far.
    """

    folder: Path
    prefix: str
    figures: int = 0


def render_markdown(text: str, context: Context) -> str:
    """Render one slide's body or notes.

    Args:
        text: Markdown in the deck format.
        context: the deck's folder and the prefix for figure ids.

    Returns:
        HTML that loads nothing.

    Raises:
        DeckError: for an unknown figure, a broken formula, a missing image, a link,
            raw HTML, or anything that would be loaded from the web.
    """
    html: str = _parser().render(text, {"context": context})
    return _refuse_web(html)


def render_inline(text: str) -> str:
    """Render a heading's Markdown without a paragraph around it."""
    html: str = _parser().renderInline(text, {"context": Context(Path(), "")})
    return _refuse_web(html)


def _refuse_web(html: str) -> str:
    if found := _WEB.search(html):
        around = html[max(0, found.start() - 20) : found.end() + 40]
        raise DeckError(f"loads from the web or runs a script: …{around}…; keep decks offline")
    return html


@cache
def _parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
    dollarmath_plugin(
        parser,
        allow_labels=False,
        allow_space=False,
        allow_digits=False,
        double_inline=True,
        renderer=lambda latex, options: to_mathml(latex, display=options["display_mode"]),
    )
    container_plugin(parser, "columns", render=_render_columns)
    # Both markers are plus signs or dots, which a list or paragraph would swallow.
    for name, line in (("column_break", "+++"), ("pause", ". . .")):
        rule = _line_rule(name, line)
        parser.block.ruler.before("list", name, rule, {"alt": ["paragraph", "list", "blockquote"]})
    parser.core.ruler.push("figures", _mark_figures)
    parser.core.ruler.push("steps", _mark_steps)
    for name, render in _RENDERERS.items():
        parser.add_render_rule(name, render)
    return parser


def _line_rule(name: str, marker: str) -> Any:
    """A block rule for a line that holds ``marker`` and nothing else."""

    def rule(state: StateBlock, start: int, end: int, silent: bool) -> bool:
        if state.getLines(start, start + 1, state.blkIndent, False).strip() != marker:
            return False
        if not silent:
            state.push(name, "", 0).map = [start, start + 1]
            state.line = start + 1
        return True

    return rule


def _mark_figures(state: StateCore) -> None:
    """Turn a paragraph that holds one image, and nothing else, into a figure."""
    for before, token, after in zip(state.tokens, state.tokens[1:], state.tokens[2:], strict=False):
        images = [child for child in token.children or () if child.type == "image"]
        if not images:
            continue
        if len(token.children or ()) > 1 or before.type != "paragraph_open" or before.hidden:
            raise DeckError(f"image {images[0].attrGet('src')} needs a paragraph of its own")
        before.tag = after.tag = "figure"


def _mark_steps(state: StateCore) -> None:
    """Make ``+`` items fragments, and wrap what follows a pause into one."""
    tokens: list[Token] = []
    open_at: list[int] = []
    for token in state.tokens:
        while open_at and _ends_step(token, open_at[-1]):
            tokens.append(Token("step_close", "div", -1, block=True))
            open_at.pop()
        if token.type == "pause":
            tokens.append(Token("step_open", "div", 1, {"class": "fragment"}, block=True))
            open_at.append(token.level)
            continue
        if token.type == "list_item_open" and token.markup == "+":
            token.attrJoin("class", "fragment")
        tokens.append(token)
    tokens.extend(Token("step_close", "div", -1, block=True) for _ in open_at)
    state.tokens = tokens


def _ends_step(token: Token, level: int) -> bool:
    """A step ends where its container closes, or at the next marker beside it."""
    if token.nesting < 0:
        return token.level < level
    return token.type in ("pause", "column_break") and token.level == level


def _render_columns(
    _self: Any, tokens: Sequence[Token], index: int, _options: Any, _env: Any
) -> str:
    token = tokens[index]
    if token.nesting < 0:
        return "</div></div>\n"
    widths = token.info.split()[1:]
    count = 1 + _column_breaks(tokens, index)
    if count < 2:
        raise DeckError("`::: columns` holds one column; separate two by a line `+++`")
    if widths and (len(widths) != count or not all(width.isdecimal() for width in widths)):
        raise DeckError(f"`:::{token.info}` on {count} columns; expected {count} whole numbers")
    template = " ".join(f"minmax(0, {width}fr)" for width in widths or ["1"] * count)
    return f'<div class="columns" style="grid-template-columns: {template}">\n<div class="column">'


def _column_breaks(tokens: Sequence[Token], index: int) -> int:
    breaks = 0
    for token in tokens[index + 1 :]:
        if token.type == "container_columns_close" and token.level == tokens[index].level:
            if not token.markup.startswith(":::"):
                break
            return breaks
        breaks += token.type == "column_break"
    raise DeckError("`::: columns` is not closed by a line `:::`")


def _render_column_break(
    _self: Any, tokens: Sequence[Token], index: int, _options: Any, _env: Any
) -> str:
    if not tokens[index].level:
        raise DeckError("`+++` stands outside of `::: columns`")
    return '</div>\n<div class="column">\n'


def _render_image(self: Any, tokens: Sequence[Token], index: int, options: Any, env: Any) -> str:
    token, context = tokens[index], env["context"]
    source, words = str(token.attrGet("src")), self.renderInlineAsText(token.children, options, env)
    if source.startswith("figure:"):
        context.figures += 1
        drawing = figure_svg(source, f"{context.prefix}-f{context.figures}")
        caption = self.renderInline(token.children or [], options, env)
    else:
        if not words:
            raise DeckError(f"image {source} has no alternative text; write ![what it shows](…)")
        uri = image_data_uri(source, context.folder)
        drawing = f'<img src="{uri}" alt="{escape(words)}">'
        caption = escape(str(token.attrGet("title") or ""))
    return drawing + (f"<figcaption>{caption}</figcaption>" if caption else "")


def _render_code(_self: Any, tokens: Sequence[Token], index: int, _options: Any, _env: Any) -> str:
    from pygments import highlight
    from pygments.formatters import HtmlFormatter
    from pygments.lexers import get_lexer_by_name
    from pygments.util import ClassNotFound

    token = tokens[index]
    info = _HIGHLIGHTED.fullmatch(token.info)
    if not info or not info[1]:
        raise DeckError(f"code fence `{token.info}`: expected a language, as in ```python {{2,4}}")
    try:
        lexer = get_lexer_by_name(info[1])
    except ClassNotFound as error:
        raise DeckError(f"code fence: unknown language {info[1]!r}; try python or text") from error
    lines = [int(number) for number in re.findall(r"\d+", info[2] or "")]
    html: str = highlight(token.content, lexer, HtmlFormatter(cssclass="code", hl_lines=lines))
    return html


def _render_link(self: Any, tokens: Sequence[Token], index: int, options: Any, env: Any) -> str:
    raise DeckError(f"link to {tokens[index].attrGet('href')}; write the address as `code`")


def _render_html(_self: Any, tokens: Sequence[Token], index: int, _options: Any, _env: Any) -> str:
    content = tokens[index].content
    rest = _ALLOWED_HTML.sub("", content).strip()
    if "<" in rest:
        raise DeckError(f"raw HTML {rest[:60]!r}; use Markdown, see slides/README.md")
    return content


_RENDERERS = {
    "column_break": _render_column_break,
    "image": _render_image,
    "fence": _render_code,
    "link_open": _render_link,
    "html_inline": _render_html,
    "html_block": _render_html,
}
