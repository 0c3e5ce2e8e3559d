"""What a browser would load, and what a reader without pictures would miss, in HTML or Markdown."""

import re
from html.parser import HTMLParser
from itertools import pairwise

from markdown_it import MarkdownIt

_LOADING = {"background", "data", "href", "poster", "src", "srcset", "xlink:href"}
_REMOTE = re.compile(r"\s*(?:https?:)?//", re.IGNORECASE)
_REMOTE_IN_CSS = re.compile(
    r"(?:@import\s*[\"']?|url\(\s*[\"']?)\s*(?:https?:)?//[^\s\"')]*", re.IGNORECASE
)
# A script loads in too many ways to list, so any address in quotes counts, save XML namespaces.
_REMOTE_IN_SCRIPT = re.compile(
    r"(?<=[\"'`])(?:https?:|wss?:)?//(?!www\.w3\.org/)[\w-]+\.[^\s\"'`]*", re.IGNORECASE
)


class _Page(HTMLParser):
    """Collects remote addresses that a page loads, and images that say nothing in words."""

    def __init__(self) -> None:
        super().__init__()
        self.remote: list[str] = []
        self.images_without_alt: list[str] = []
        self._inside = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._inside = tag
        values = {name: value or "" for name, value in attrs}
        if tag not in {"a", "area"}:
            loaded = [values[name] for name in sorted(_LOADING & values.keys())]
            self.remote += [url.strip() for url in loaded if _any_remote(url)]
        for value in values.values():
            self.remote += _REMOTE_IN_CSS.findall(value)
        self.remote += remote_loads(values.get("srcdoc", ""))
        if tag == "img" and not values.get("alt", "").strip():
            self.images_without_alt.append(values.get("src", "")[:60])

    def handle_endtag(self, tag: str) -> None:
        self._inside = ""

    def handle_data(self, data: str) -> None:
        if self._inside == "style":
            self.remote += _REMOTE_IN_CSS.findall(data)
        elif self._inside == "script":
            self.remote += remote_in_script(data)


def _any_remote(url: str) -> bool:
    # A srcset holds several addresses, and a data: address holds commas that separate none.
    parts = [url] if url.lstrip().startswith("data:") else url.split(",")
    return any(_REMOTE.match(part) for part in parts)


def remote_loads(html: str) -> list[str]:
    """Addresses that this HTML or SVG fetches; links to follow are not among them."""
    return _page(html).remote if html else []


def remote_in_script(script: str) -> list[str]:
    """Addresses on other machines that a script names."""
    return _REMOTE_IN_SCRIPT.findall(script)


def images_without_alt(html: str) -> list[str]:
    """The sources of `<img>` tags without an alternative text."""
    return _page(html).images_without_alt


def _page(html: str) -> _Page:
    page = _Page()
    page.feed(html)
    page.close()
    return page


def as_html(markdown: str) -> str:
    """Renders Markdown; what stands in code spans and fences is then no longer a tag."""
    return MarkdownIt("commonmark").render(markdown)


def headings(markdown: str) -> list[str]:
    """The texts of the headings of a Markdown cell."""
    tokens = pairwise(MarkdownIt("commonmark").parse(markdown))
    return [text.content for token, text in tokens if token.type == "heading_open"]
