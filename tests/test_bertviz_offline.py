"""BertViz without a network: nothing is loaded, and a real browser draws every line."""

import base64
import gzip
import html
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from ecomtutor.authoring.comparison import first_output_difference
from ecomtutor.authoring.decks.layout import _BROWSERS, FLAGS
from ecomtutor.authoring.pages import remote_loads
from ecomtutor.errors import EcomTutorError
from ecomtutor.interpretability.bertviz_offline import OfflineView, offline

TOKENS = ["[CLS]", "不", "错", "</script>", "[SEP]"]
LAYERS, HEADS = 2, 3
BROWSER = next(filter(None, map(shutil.which, _BROWSERS)), None)
COUNT = """<script>
const count = (page) => page.querySelectorAll("svg line").length;
setInterval(() => {
  const frame = document.querySelector("iframe");
  document.title = "lines: " + count(frame ? frame.contentDocument : document);
}, 50);
</script>"""


def weights() -> list[torch.Tensor]:
    rows = np.random.default_rng(0).dirichlet(np.ones(len(TOKENS)), (LAYERS, 1, HEADS, len(TOKENS)))
    return list(torch.from_numpy(rows).float())


def raw(kind: str, **how: Any) -> Any:
    import bertviz

    return getattr(bertviz, kind)(weights(), list(TOKENS), html_action="return", **how)


@pytest.fixture(params=["head_view", "model_view"])
def pair(request: Any) -> tuple[Any, OfflineView]:
    view = raw(request.param)
    return view, offline(view)


def test_bertviz_loads_from_the_web_and_ours_does_not(pair: tuple[Any, OfflineView]) -> None:
    before, after = pair
    assert any("require" in url for url in remote_loads(before.data))
    assert not remote_loads(after.page) and not remote_loads(after.html)
    assert "cdnjs" not in after.page


def test_the_same_each_run_and_compared_by_its_text(pair: tuple[Any, OfflineView]) -> None:
    _, view = pair
    kind = "model_view" if "model" in view.text else "head_view"
    again = offline(raw(kind))
    assert (again.page, again.html) == (view.page, view.html)
    bundle: dict[str, Any] = {"output_type": "display_data", "data": view._repr_mimebundle_()}
    other = {"output_type": "display_data", "data": {**bundle["data"]}}
    other["data"]["text/html"] += " "
    assert first_output_difference([bundle], [other]) is None
    other["data"]["text/plain"] += " more"
    assert first_output_difference([bundle], [other])


def test_what_is_packed_is_the_page(pair: tuple[Any, OfflineView]) -> None:
    _, view = pair
    packed = re.search(r"atob\('([^']*)'\)", html.unescape(view.html))
    assert packed and gzip.decompress(base64.b64decode(packed[1])).decode() == view.page


def test_weights_stand_there_once_and_short() -> None:
    view = offline(raw("head_view"), decimals=2)
    found = re.search(r'"attn":(\[.*?\]),"left_text"', view.page)
    assert found and view.page.count('"attn"') == 1
    drawn = np.array(re.findall(r"[\d.]+(?:e-\d+)?", found[1]), dtype=float)
    assert np.allclose(drawn, torch.cat(weights()).numpy().ravel().round(2))


def test_what_it_shows_in_words(pair: tuple[Any, OfflineView]) -> None:
    _, view = pair
    assert "2 layers of 3 heads" in view.text and "[CLS] 不 错" in view.text


def test_a_token_cannot_end_the_script(pair: tuple[Any, OfflineView]) -> None:
    _, view = pair
    assert view.page.count("</script>") == 3 and "\\u003c/script>" in view.page


def test_other_things_are_refused() -> None:
    for other in (None, "<p>hello</p>", 3):
        with pytest.raises(EcomTutorError, match='html_action="return"'):
            offline(other)


def lines_drawn(page: Path) -> int:
    flags = [*FLAGS, "--virtual-time-budget=4000", f"--user-data-dir={page.parent / 'p'}"]
    command = [str(BROWSER), *flags, "--dump-dom", page.as_uri()]
    run = subprocess.run(command, capture_output=True, timeout=120, check=False)
    found = re.search(r"lines: (\d+)", run.stdout.decode("utf-8", "replace"))
    return int(found[1]) if found else -1


@pytest.mark.skipif(not BROWSER, reason="needs a browser")
@pytest.mark.parametrize("packed", [True, False])
def test_a_browser_draws_every_line(
    pair: tuple[Any, OfflineView], packed: bool, tmp_path: Path
) -> None:
    """A head view draws one layer, a model view all: one line for each head and pair of tokens."""
    _, view = pair
    layers = LAYERS if "model" in view.text else 1
    path = tmp_path / "view.html"
    path.write_text((view.html if packed else view.page) + COUNT, encoding="utf-8")
    assert lines_drawn(path) == layers * HEADS * len(TOKENS) ** 2


@pytest.mark.skipif(not BROWSER, reason="needs a browser")
def test_bertviz_itself_draws_nothing_without_a_network(tmp_path: Path) -> None:
    path = tmp_path / "view.html"
    path.write_text(raw("head_view").data.replace("https://", "file:///none/") + COUNT, "utf-8")
    assert lines_drawn(path) == 0
