"""Pictures of explanations: small, static, safe, readable, and their numbers are the right ones."""

import base64
import io
import re
import sys
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from ecomtutor.authoring.comparison import first_output_difference
from ecomtutor.authoring.outputs import PICTURE_IN_HTML
from ecomtutor.authoring.pages import images_without_alt, remote_loads
from ecomtutor.errors import EcomTutorError
from ecomtutor.interpretability import Explanation, Unit, Units
from ecomtutor.interpretability.rendering import (
    Picture,
    attention_arcs,
    bars,
    compare,
    head_grid,
    heat_text,
    waterfall,
)
from ecomtutor.interpretability.rendering.picture import DOWN, GREY, INK, MARK, PAPER, UP, png, tint

RNG = np.random.default_rng(0)
VIEWS = [heat_text, bars, waterfall]
WORDS = ["物流", "太慢", "，", "😀", "<b>", "great", '"', "iPhone15", "!", "客服"]


def made_up(words: list[str], values: Any = None, gap: str = "", **more: Any) -> Explanation:
    """An explanation of words, with values (words, 2) or random ones."""
    ends = np.cumsum([len(word) + len(gap) for word in words]) - len(gap)
    units = tuple(
        Unit(word, int(end) - len(word), int(end), (i + 1,))
        for i, (word, end) in enumerate(zip(words, ends, strict=True))
    )
    whole = Units(gap.join(words), np.arange(len(words) + 2), units, 1, 0)
    if values is None:
        values = np.random.default_rng(1).normal(size=(len(words), 2))
    values, base = np.asarray(values, float), np.array([-0.5, 0.25])
    kept = {"method": "Owen values", "asked": 99, "made": 77, "adds_up": True} | more
    full = kept.pop("full", base + values.sum(axis=0))
    return Explanation(
        whole,
        values,
        base,
        full,
        outputs=("negative", "positive"),
        **kept,  # type: ignore[arg-type]
    )


def images(picture: Picture, kind: str) -> list[bytes]:
    found = re.findall(rf'src="data:image/{re.escape(kind)};base64,([^"]+)"', picture.html)
    return [base64.b64decode(data) for data in found]


def drawings(picture: Picture) -> list[str]:
    return [data.decode() for data in images(picture, "svg+xml")]


def every_picture() -> list[Picture]:
    weights = RNG.dirichlet(np.ones(len(WORDS)), size=(2, 3, len(WORDS)))
    one = made_up(WORDS, errors=np.full((len(WORDS), 2), 0.1), settings={"seed": 3})
    other = made_up(WORDS, adds_up=False, full=np.array([1.0, 2.0]))
    return [
        *(view(one, "negative") for view in VIEWS),
        heat_text(other, 1),
        bars(other, 1, top=3),
        waterfall(other, 1, top=3),
        compare([one, other]),
        attention_arcs(weights[0, 0], WORDS),
        head_grid(weights, WORDS),
    ]


@pytest.mark.parametrize("picture", every_picture())
def test_nothing_runs_and_nothing_is_loaded(picture: Picture) -> None:
    page = picture.html
    assert page.startswith(MARK) and page.endswith("</figure>") and MARK == PICTURE_IN_HTML
    assert not re.search(r"<script|<style|<svg|<link|<iframe|\son\w+=|\sid=|https?:", page)
    assert remote_loads(page) == [] and images_without_alt(page) == []
    for drawing in drawings(picture):
        assert not re.search(r"<script|<text|<image|href", drawing)
    assert picture._repr_mimebundle_() == {"text/html": page, "text/plain": picture.text}


@cache
def jupyterlab() -> tuple[set[str], set[str], dict[str, set[str]]]:
    """What JupyterLab's sanitiser lets through: tags, styles, and attributes of each tag."""
    folder = Path(sys.prefix) / "share/jupyter/lab/static"
    scripts = [path.read_text("utf-8") for path in folder.glob("jlab_core*.js")]
    (script,) = [script for script in scripts if 'allowedStyles:{"*"' in script]
    after = script[script.index("return{allowedTags:") :][:20_000]
    tags = set(re.findall(r'"(\w+)"', after[: after.index("]")]))
    styles = set(re.findall(r'[{,]"?([\w-]+)"?:\[\w+\.[A-Z_]+\]', after))
    attributes = {}
    for tag in [*tags, "*"]:
        own = re.search(rf'[,{{]"?{re.escape(tag)}"?:\[(.*?)\](?=,"?\w+"?:|\}})', after)
        attributes[tag] = set(re.findall(r'"([\w-]+)"', own[1])) if own else set()
    return tags, styles, attributes


@pytest.mark.parametrize("picture", every_picture())
def test_an_untrusted_notebook_in_jupyterlab_keeps_the_picture(picture: Picture) -> None:
    """All but `aria-label` passes the sanitiser, and the heading says what that says."""
    tags, styles, attributes = jupyterlab()
    assert {"table", "img"} <= tags and "svg" not in tags and "width" in styles
    assert "src" in attributes["img"] and "aria-label" not in attributes["*"]
    assert set(re.findall(r"<(\w+)", picture.html)) <= tags
    rules = ";".join(re.findall(r'style="([^"]*)"', picture.html)).split(";")
    assert {rule.split(":")[0] for rule in rules if rule} <= styles
    for tag, given in re.findall(r'<(\w+)((?: [\w-]+="[^"]*")*)', picture.html):
        names = set(re.findall(r' ([\w-]+)="', given)) - {"aria-label"}
        assert names <= attributes["*"] | attributes[tag], tag


def luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("picture", every_picture())
def test_ink_reads_on_its_own_paper_in_any_theme(picture: Picture) -> None:
    """The paper is set with the ink, and table rows, which themes stripe, set it again."""
    frame = picture.html[: picture.html.index(">")]
    assert f"background-color:{PAPER};color:{INK}" in frame
    assert all(f"background-color:{PAPER}" in row for row in re.findall(r"<tr[^>]*>", picture.html))
    for style in re.findall(r'style="([^"]*)">(?!</span>)', picture.html):  # no bare swatches
        rules = dict(rule.split(":") for rule in style.split(";"))
        ink, behind = rules.get("color", INK), rules.get("background-color", PAPER)
        assert contrast(ink, behind) >= 4.5, style


def test_the_strongest_tint_still_reads() -> None:
    assert contrast(INK, tint(UP, 0.55)) > 4.5 and contrast(INK, tint(DOWN, 0.55)) > 4.5
    assert contrast(GREY, PAPER) > 4.5 and tint(UP, 0) == PAPER and tint(UP, 1) == UP


@pytest.mark.parametrize("view", VIEWS)
def test_a_review_of_sixty_words_is_small(view: Any) -> None:
    words = [f"excellent{i}" if i % 2 else "电池寿命" for i in range(60)]
    made = made_up(words, errors=np.full((60, 2), 0.123), gap=" ")
    how = {} if view is heat_text else {"top": 60}
    assert len(view(made, **how).html.encode()) < 50_000


@pytest.mark.parametrize("view", [*VIEWS, lambda made: compare([made, made, made])])
def test_two_thousand_characters_wrap_and_stay_small(view: Any) -> None:
    picture = view(made_up(list("好" * 2000), settings={"budget": None}))
    assert len(picture.html.encode()) < 1_000_000
    assert "overflow-wrap:break-word" in heat_text(made_up(["好" * 2000])).html


def test_units_that_share_a_value_are_one_block() -> None:
    values = np.repeat([[0.5, -0.5], [0.1, -0.1]], 500, axis=0)
    picture = heat_text(made_up(list("好" * 1000), values, resolved=0), "negative")
    assert picture.html.count("<span style") == 2 + 2  # and two in the legend
    assert "+0.50 each of 500" in picture.html and "0 of 1000 units resolved" in picture.html
    assert picture.text.count("好 +0.50000") == 500
    assert len(picture.html.encode()) < 100_000


def test_text_cannot_become_html() -> None:
    evil = ["<img src=x onerror=alert(1)>", "&amp;", '"><script>', "ok"]
    for view in VIEWS:
        page = view(made_up(evil)).html
        assert "<script" not in page and "<img src=x" not in page and "&amp;amp;" in page
    weights = np.full((4, 4), 0.25)
    for picture in (attention_arcs(weights, evil), head_grid(weights[None, None], evil)):
        assert "<script" not in picture.html and "<img src=x" not in picture.html


def test_sign_is_shown_without_colour() -> None:
    made = made_up(["up", "down"], [[1, 0], [-2, 0]])
    page = heat_text(made, "negative").html
    assert re.search(r'px solid #0072b2" title="\+1\.00">up<sub[^>]*>\+1\.00', page)
    assert re.search(r'px dotted #d55e00" title="−2\.00">down<sub[^>]*>−2\.00', page)
    picture = bars(made, "negative")
    down, up = drawings(picture)  # the strongest first
    hatched = f'stroke="{PAPER}"'
    assert hatched in down and hatched not in up
    assert 'alt="to the left"' in picture.html and 'alt="to the right"' in picture.html


def rectangle(drawing: str) -> tuple[float, float]:
    left, wide = re.search(r'<rect x="([\d.]+)" y="4" width="([\d.]+)"', drawing).groups()  # type: ignore[union-attr]
    return float(left), float(left) + float(wide)


def test_bars_are_as_long_as_values_and_whiskers_as_errors() -> None:
    errors = np.array([[0.2, 0], [0.1, 0], [0.05, 0], [0.05, 0]])
    made = made_up(list("abcd"), [[2, 0], [-1, 0], [0.25, 0], [0.25, 0]], errors=errors)
    picture = bars(made, "negative", top=2)
    first, second, rest = map(rectangle, drawings(picture))
    one = first[1] - first[0]
    assert second[1] == pytest.approx(first[0], abs=0.2)  # both stand on zero
    assert (second[1] - second[0]) / one == pytest.approx(0.5, abs=0.01)
    assert (rest[1] - rest[0]) / one == pytest.approx(0.25, abs=0.01)
    low, high = re.search(r"M([\d.]+) 11H([\d.]+)", drawings(picture)[0]).groups()  # type: ignore[union-attr]
    assert (float(high) - float(low)) / one == pytest.approx(2 * 2 * 0.2 / 2, abs=0.01)
    assert "2 others together" in picture.html
    assert "+2.00 ± 0.20" in picture.html and "Whiskers: 2 standard errors" in picture.html


@pytest.mark.parametrize("view", [bars, waterfall])
def test_a_single_other_unit_has_its_own_row(view: Any) -> None:
    assert "together" not in view(made_up(WORDS), top=9).html
    assert "2 others together" in view(made_up(WORDS), top=8).html


def test_a_waterfall_goes_from_base_to_full() -> None:
    made = made_up(WORDS, RNG.normal(size=(10, 2)))
    for top in (1, 4, 10):
        picture = waterfall(made, "positive", top=top)
        steps = [rectangle(d) for d in drawings(picture)[1:-1]]
        values = made.values[:, 1]
        order = np.argsort(-abs(values))
        moves = [*values[order[:top]], *([values[order[top:]].sum()] if top < 9 else [])]
        assert len(steps) == len(moves) and "not explained" not in picture.html
        places = 0.25 + np.concatenate([[0], np.cumsum(moves)])
        scale = (steps[0][1] - steps[0][0]) / abs(moves[0])
        for (left, right), a, b in zip(steps, places, places[1:], strict=False):
            assert right - left == pytest.approx(max(1, abs(b - a) * scale), abs=0.3)
            start = steps[0][0] if moves[0] > 0 else steps[0][1]
            assert left - start == pytest.approx((min(a, b) - 0.25) * scale, abs=0.5)


def test_a_waterfall_says_what_the_values_leave_open() -> None:
    made = made_up(["a", "b"], [[1, 0], [1, 0]], full=np.array([3.5, 0.25]), adds_up=False)
    page = waterfall(made, "negative").html
    assert re.search(r"not explained</td>.*?\+2\.00</td>", page)
    assert "values of this method need not add up" in page


def test_cost_and_resolution_are_said() -> None:
    for view in VIEWS:
        picture = view(made_up(WORDS, resolved=7, settings={"seed": 5}))
        for said in (picture.html, picture.text):
            assert "7 of 10 units resolved; 77 rows scored for 99 asked; seed 5" in said


@pytest.mark.parametrize("view", VIEWS)
def test_the_text_carries_every_number_in_order(view: Any) -> None:
    made = made_up(WORDS)
    text = view(made, "positive").text
    numbers = [float(n) for n in re.findall(r"[+-]\d+\.\d{5}", text)]
    expected = [made.base[1], made.full[1], *made.values[:, 1]]
    assert numbers == pytest.approx(expected, abs=6e-6)
    table = view(made, "positive").html.split("<details>")[1]
    cells = re.findall(r"<td>([^<]*)</td><td>([^<]*)</td>", table)
    assert [float(v.replace("−", "-")) for _, v in cells] == pytest.approx(
        made.values[:, 1], abs=6e-4
    )


def as_output(picture: Picture) -> list[dict]:
    return [{"output_type": "display_data", "data": picture._repr_mimebundle_(), "metadata": {}}]


@pytest.mark.parametrize("view", [*VIEWS, lambda made: compare([made, made])])
def test_rounding_on_another_processor_is_no_difference_and_a_change_is(view: Any) -> None:
    values = np.random.default_rng(2).normal(size=(40, 2)) * 10.0 ** -np.arange(0, 4, 0.1)[:, None]
    words = [f"w{i}" for i in range(40)]
    before = as_output(view(made_up(words, values)))
    for seed in range(20):
        noise = np.random.default_rng(seed).normal(size=values.shape) * 2e-6
        assert (
            first_output_difference(before, as_output(view(made_up(words, values + noise)))) is None
        )
    values = values + np.eye(40, 2) * 0.01
    assert first_output_difference(before, as_output(view(made_up(words, values)))) is not None


def test_an_explanation_shows_itself() -> None:
    made = made_up(WORDS)
    assert made._repr_mimebundle_() == heat_text(made)._repr_mimebundle_()
    assert "0 of 10 units resolved" in str(made_up(WORDS, resolved=0))


def test_the_end_that_the_model_does_not_read_is_grey() -> None:
    made = made_up(["good", "book"], gap=" ")
    units = Units(made.units.text + " and more", made.units.ids, made.units.units, 1, 0)
    longer = Explanation(units, made.values, made.base, made.full, "LIME", 2, 2, False)
    page = heat_text(longer).html
    assert f'<span style="color:{GREY}"' in page and "not read by the model" in page
    assert "not read" not in heat_text(made).html


def test_values_of_zero_have_no_tint_and_divide_by_nothing() -> None:
    made = made_up(WORDS, np.zeros((10, 2)))
    for view in VIEWS:
        assert "nan" not in view(made).html.lower()
    assert heat_text(made).html.count("<span style") == 2


@pytest.mark.parametrize("size", [1e-4, 1.0, 300.0])
def test_the_strongest_value_is_shown_with_two_digits(size: float) -> None:
    page = bars(made_up(["a"], [[size * 1.234, 0]]), "negative").html
    shown = re.search(r"white-space:nowrap\">\+([\d.]+)<", page)
    assert shown and float(shown[1]) == pytest.approx(size * 1.234, rel=0.05)


def test_a_weight_without_direction_is_not_said_to_move_anything() -> None:
    weights = np.abs(np.random.default_rng(2).normal(size=(len(WORDS), 2)))
    attention = made_up(WORDS, weights, adds_up=False, signed=False)
    for view in VIEWS:
        page = view(attention, "positive").html
        assert "not up or down" in page and "moves" not in page, view.__name__
        assert "moves positive" in view(made_up(WORDS), "positive").html
    page = compare([made_up(WORDS), attention, attention], "positive").html
    assert page.count("moves positive up") == 1 and page.count("not up or down") == 1


def test_methods_are_compared_on_one_text_only() -> None:
    one, other = made_up(WORDS), made_up(WORDS[::-1])
    page = compare([one, made_up(WORDS, method="LIME")]).html
    assert page.count("Each text has its own scale") == 1 and "<b>LIME</b>" in page
    with pytest.raises(EcomTutorError, match="one text"):
        compare([one, other])
    with pytest.raises(EcomTutorError, match="nothing to compare"):
        compare([])


def test_lines_are_as_thick_as_weights() -> None:
    weights = np.array([[0.0, 0.8, 0.2], [0.05, 0.4, 0.55], [1 / 3, 1 / 3, 1 / 3]])
    picture = attention_arcs(weights, ["a", "b", "物"], title="Layer 0, head 1")
    (drawing,) = drawings(picture)
    lines = re.findall(r'd="M0 (\d+)C\d+ \d+ \d+ (\d+) \d+ \d+".*?stroke-width="([\d.]+)"', drawing)
    seen = {((int(y) - 10) // 20, (int(z) - 10) // 20): float(w) for y, z, w in lines}
    drawn = {(i, j): weights[i, j] for i, j in zip(*np.nonzero(weights >= 0.1), strict=True)}
    assert seen == pytest.approx({key: 0.5 + 4 * w / 0.8 for key, w in drawn.items()}, abs=0.06)
    assert "1 b → 2 物 0.55000" in picture.text and "2 物 → 0 a 0.33333" in picture.text
    assert "7 weights of 0.1 or more are drawn; the thickest is 0.80" in picture.html
    few = attention_arcs(weights, ["a", "b", "物"], only=[1], least=0.5)
    assert drawings(few)[0].count("<path") == 1 and "0 a →" not in few.text


def random_weights(layers: int, heads: int, n: int) -> np.ndarray:
    return RNG.dirichlet(np.ones(n) * 0.3, size=(layers, heads, n))


def decoded(picture: Picture) -> list[np.ndarray]:
    return [
        np.asarray(Image.open(io.BytesIO(data)).convert("RGB")) for data in images(picture, "png")
    ]


@pytest.mark.parametrize("n", [1, 2, 7, 16, 33])
def test_shades_are_the_weights_to_half_a_step(n: int) -> None:
    weights = random_weights(2, 3, n)
    squares = decoded(head_grid(weights, ["t"] * n))
    assert len(squares) == 6
    palette = {tint("#08306b", k / 15): k / 15 for k in range(16)}
    for square, true in zip(squares, weights.reshape(6, n, n), strict=True):
        roots = np.array([[palette["#" + bytes(p).hex()] for p in row] for row in square])
        assert np.abs(roots - np.sqrt(true)).max() <= 0.5 / 15 + 1e-9


@pytest.mark.parametrize("kind", ["real", "flat", "worst"])
def test_all_heads_of_twelve_layers_on_128_tokens_fit_a_megabyte(kind: str) -> None:
    shape = (12, 12, 128, 128)
    weights = {
        "real": lambda: RNG.dirichlet(np.ones(128) * 0.05, size=shape[:3]),
        "flat": lambda: np.full(shape, 1 / 128),
        "worst": lambda: RNG.random(shape),  # rows of no softmax: nothing to compress
    }[kind]()
    tokens = ["<&>" + "电" * 20] * 128
    picture = head_grid(weights, tokens)
    assert len(picture.html.encode()) <= 1_000_000
    assert ("4 shades, equal" in picture.html) == (kind == "worst")


def test_where_heads_look_is_measured() -> None:
    n = 5
    before = np.eye(n, k=-1)
    before[0, 0] = 1
    last = np.zeros((n, n))
    last[:, -1] = 1
    picture = head_grid(np.stack([before, last])[None], ["t"] * n, layers=[3], heads=[6, 7])
    assert "layer 3 head 6  0.40000  0.20000  0.80000  0.00000  0.00000" in picture.text
    assert "layer 3 head 7  0.00000  0.20000  0.00000  0.20000  1.00000" in picture.text
    assert 'alt="layer 3, head 7"' in picture.html


def test_a_png_of_two_bits() -> None:
    palette = ["#000000", "#ff0000", "#00ff00", "#0000ff"]
    numbers = RNG.integers(0, 4, size=(3, 5)).astype(np.uint8)
    read = np.asarray(Image.open(io.BytesIO(png(numbers, palette))).convert("RGB"))
    assert (read == np.array([list(bytes.fromhex(c[1:])) for c in palette])[numbers]).all()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: heat_text(made_up(WORDS), "neutral"), "no output 'neutral'"),
        (lambda: heat_text(made_up(WORDS, np.full((10, 2), np.nan))), "NaN"),
        (lambda: bars(made_up(WORDS), top=0), "0 came"),
        (lambda: waterfall(made_up(WORDS), top=0), "0 came"),
        (lambda: attention_arcs(np.ones((2, 2)), ["a"]), r"of 1 tokens are drawn; \(2, 2\) came"),
        (lambda: attention_arcs(np.ones((2, 2)), ["a", "b"], only=[2]), "0 … 1"),
        (lambda: attention_arcs(-np.ones((2, 2)), ["a", "b"]), "at least 0"),
        (lambda: head_grid(np.ones((2, 2)), ["a", "b"]), "layers, heads, tokens, tokens"),
        (lambda: head_grid(np.ones((1, 1, 2, 2)) * 3, ["a", "b"]), "3 came"),
        (lambda: head_grid(np.ones((1, 1, 1, 1)), ["a"], layers=[1, 2]), "1 layers"),
        (lambda: bars(made_up(WORDS), top=2.5), "whole number"),  # type: ignore[arg-type]
        (lambda: bars(made_up(WORDS, errors=np.full((10, 2), np.nan))), "NaN"),
        (lambda: waterfall(replace(made_up(WORDS), base=np.full(2, np.nan))), "NaN"),
        (lambda: heat_text(replace(made_up(WORDS), full=np.full(2, np.inf))), "NaN or infinite"),
        (lambda: heat_text("good"), "str came"),  # type: ignore[arg-type]
        (lambda: compare(made_up(WORDS)), "list of explanations"),  # type: ignore[arg-type]
        (lambda: attention_arcs(np.eye(2), [1, 2]), "Tokens are texts"),  # type: ignore[list-item]
        (lambda: attention_arcs([[1.0], [0.5, 0.5]], ["a", "b"]), "array of numbers"),
        (lambda: attention_arcs(np.eye(2), ["a", "b"], least=float("nan")), "larger value"),
        (lambda: attention_arcs(np.ones((99, 99)), ["a"] * 99, least=0), "9,801 lines"),
        (lambda: head_grid(noise(4, 12, 512), ["a"] * 512), "megabytes"),
    ],
)
def test_what_cannot_be_drawn_is_told(call: Any, message: str) -> None:
    with pytest.raises(EcomTutorError, match=message):
        call()


def noise(layers: int, heads: int, n: int) -> np.ndarray:
    return np.random.default_rng(0).random((layers, heads, n, n))


def test_weights_of_zero_are_no_lines() -> None:
    picture = attention_arcs(np.zeros((2, 2)), ["a", "b"], least=0)
    assert "0 weights of 0 or more are drawn" in picture.html
    assert "1 b →" not in attention_arcs(np.eye(2), ["a", "b"], only=0).text  # type: ignore[arg-type]


@pytest.mark.parametrize("picture", every_picture())
def test_tables_set_their_ink_which_jupyterlab_s_dark_theme_would_make_white(
    picture: Picture,
) -> None:
    for table in re.findall(r"<table[^>]*>.*?</table>", picture.html, re.DOTALL):
        own = re.search(r"[;\"]color:#", table[: table.index(">")])
        cells = re.findall("<t[dh][^>]*>", table)
        assert own or all(re.search(r"[;\"]color:#", cell) or "rowspan" in cell for cell in cells)


@pytest.mark.parametrize("view", [*VIEWS, lambda made: compare([made])])
def test_every_picture_says_what_was_not_read(view: Any) -> None:
    made = made_up(["good", "book"], gap=" ")
    units = Units(made.units.text + " and more", made.units.ids, made.units.units, 1, 0)
    longer = view(replace(made, units=units))
    for said in (longer.html, longer.text):
        assert "reads the first 9 of 18 characters" in said
    assert "not read" in str(replace(made, units=units))
    assert "reads the first" not in view(made).html and "not read" not in str(made)


def test_a_page_of_its_own(tmp_path: Path) -> None:
    picture = heat_text(made_up(WORDS))
    picture.save(tmp_path / "page.html")
    page = (tmp_path / "page.html").read_text("utf-8")
    assert picture.html in page and '<meta charset="utf-8">' in page and "<script" not in page


def test_weights_of_torch_are_taken_as_they_come() -> None:
    import torch

    weights = torch.full((2, 2), 0.5, requires_grad=True)
    assert "0 a → 0 a 0.50000" in attention_arcs(weights, ["a", "b"]).text
