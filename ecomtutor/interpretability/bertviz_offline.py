"""BertViz' own views, made to work with no network, on any page, the same bytes each run.

BertViz fetches require.js, d3 and jQuery from a content network: without one its view is blank.
d3 (5.7.0, the version that it asks for) comes with the package mpld3, jQuery with
sphinxcontrib-jquery, and of require.js it needs two calls, which are answered here. It also writes
every weight twice and with up to 17 digits; here once and with three.

    from bertviz import head_view
    offline(head_view(attentions, tokens, html_action="return"))
"""

import base64
import gzip
import html
import json
import math
import re
from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Any

from ecomtutor.errors import EcomTutorError, MissingResource
from ecomtutor.interpretability.rendering.picture import MARK, escaped

_D3 = ("mpld3", "mpld3/js/d3.v5.min.js")
_JQUERY = ("sphinxcontrib-jquery", "sphinxcontrib/jquery/jquery.js")
_BODY = re.compile(r"(<div id=\"bertviz-[0-9a-f]{32}\".*?)<script[^>]*>(.*)</script>", re.DOTALL)
_CONFIG = re.compile(r"require\.config\(\{.*?\}\);", re.DOTALL)
_PARAMS = re.compile(r"const params = (\{.*?\}); // HACK.*?template marker[^\n]*\n", re.DOTALL)
# What is left of require.js: names become the libraries that stand above on the page.
_SHIM = """
const here = {jquery: window.jQuery, d3: window.d3};
function requirejs(names, use) { use(...names.map((name) => here[name])); }
"""
# A page that unpacks itself: d3 and jQuery are 330 KB, and a notebook may hold several views.
_UNPACK = (
    "<script>(async () => {"
    "const bytes = Uint8Array.from(atob('PACKED'), (c) => c.charCodeAt(0));"
    "const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('gzip'));"
    "const page = await new Response(stream).text();"
    "document.open(); document.write(page); document.close();"
    "})();</script>"
)
_SIDES = ("left_text", "right_text")
_HEAD_ROW, _MODEL_ROW, _MODEL_WIDTH = 22.5, 18, 970  # pixels, BertViz' own
_MODEL_ZOOM = 0.85  # a model view is wider than most notebooks' outputs


@dataclass(frozen=True)
class OfflineView:
    """A BertViz view that loads nothing.

    page    a whole HTML page, to save or to open in a browser
    html    the same, packed into one `<iframe>` for a notebook; its own white paper in any theme
    text    what it shows, for terminals, screen readers and comparisons
    """

    page: str
    html: str
    text: str

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return {"text/html": self.html, "text/plain": self.text}

    def __str__(self) -> str:
        return self.text

    def save(self, path: str | Path) -> None:
        """Write the page; any browser shows it without a network."""
        Path(path).write_text(self.page, encoding="utf-8")


def offline(view: Any, *, decimals: int = 3) -> OfflineView:
    """A view of BertViz with its scripts inside, without random names.

    Args:
        view: what `head_view(…, html_action="return")` or `model_view(…)` gave, or its HTML.
        decimals: of each weight; three are more than a line's darkness can show.

    Raises:
        EcomTutorError: something else came, such as nothing, because `html_action` was left out.
        MissingResource: mpld3 or sphinxcontrib-jquery is not installed.
    """
    source = getattr(view, "data", view)
    parts = _BODY.search(source) if isinstance(source, str) else None
    found = _PARAMS.search(parts[2]) if parts else None
    if not parts or not found:
        raise EcomTutorError(
            "This is no view of BertViz: give what head_view or model_view returns with "
            f'html_action="return"; {type(view).__name__} came.'
        )
    params = _rounded(json.loads(found[1]), decimals)
    name, params["root_div_id"] = params["root_div_id"], "bertviz"
    script = parts[2].replace(found[0], f"const params = {_script_safe(params)};\n")
    script = _CONFIG.sub("", script)
    zoom = f"; zoom: {_MODEL_ZOOM}" if "total_heads" in params else ""
    page = (
        '<!DOCTYPE html>\n<html><head><meta charset="utf-8"><title>BertViz</title>\n'
        f"<style>body {{ margin: 8px; background: #fff; color: #000{zoom} }}</style>\n"
        f"<script>{_carried(*_JQUERY)}</script>\n<script>{_carried(*_D3)}</script>\n</head>\n"
        f"<body>{parts[1].replace(name, 'bertviz')}<script>{_SHIM}{script}</script></body></html>\n"
    )
    text = _in_words(params)
    return OfflineView(page, _framed(page, text, *_size(params)), text)


def _rounded(values: Any, decimals: int) -> Any:
    if isinstance(values, float):
        return round(values, decimals)
    if isinstance(values, list):
        return [_rounded(value, decimals) for value in values]
    if isinstance(values, dict):
        return {name: _rounded(value, decimals) for name, value in values.items()}
    return values


def _script_safe(params: dict[str, Any]) -> str:
    """JSON that cannot end the script it stands in, whatever a token says."""
    text = json.dumps(params, ensure_ascii=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


def _size(params: dict[str, Any]) -> tuple[int, int]:
    """Width and height in pixels of what BertViz will draw, as its scripts compute them."""
    tokens = max(len(part[side]) for part in params["attention"] for side in _SIDES)
    if "total_heads" not in params:
        return 400, math.ceil(tokens * _HEAD_ROW + 90)
    thumbnail = tokens * 7 * 12 / params["total_heads"] + 10
    detail = tokens * _MODEL_ROW + 55
    layers = len(params["include_layers"])
    height = max(layers * thumbnail + 38, detail) + 40
    return math.ceil((_MODEL_WIDTH + 20) * _MODEL_ZOOM), math.ceil(height * _MODEL_ZOOM)


def _in_words(params: dict[str, Any]) -> str:
    first = params["attention"][0]
    kind = "model view" if "total_heads" in params else "head view"
    layers, heads = len(first["attn"]), len(first["attn"][0])
    return f"BertViz {kind}: {layers} layers of {heads} heads, tokens {' '.join(first[_SIDES[0]])}"


def _framed(page: str, text: str, width: int, height: int) -> str:
    # Neither the time of day nor the machine stands in the bytes.
    packed = base64.b64encode(gzip.compress(page.encode(), 9, mtime=0)).decode()
    inner = html.escape(_UNPACK.replace("PACKED", packed), quote=True)
    return (
        f'{MARK} aria-label="{escaped(text)}" style="margin:4px 0;overflow-x:auto">'
        f'<iframe title="{escaped(text)}" srcdoc="{inner}" width="{width}" height="{height}" '
        'style="border:0;background-color:#ffffff"></iframe></figure>'
    )


@cache
def _carried(package: str, file: str) -> str:
    """The text of a file of an installed package, found without importing it."""
    try:
        path = Path(str(distribution(package).locate_file(file)))
        return path.read_text("utf-8")
    except (PackageNotFoundError, FileNotFoundError) as error:
        raise MissingResource(
            f"BertViz without a network needs {file}: run `pip install {package}`."
        ) from error
