"""Figures are the same everywhere, say what they show, and need nothing from the machine."""

import os
import re
import subprocess
import sys
import warnings
from xml.etree import ElementTree

import pytest

from ecomtutor.authoring.pages import remote_loads
from ecomtutor.errors import EcomTutorError
from ecomtutor.figures import Figure, drawing, finish, heat_map
from ecomtutor.figures.core import ink_on, shade

ALT = "Two queries over three keys: 声音 looks at 好 & “bad” <0.75>."
WEIGHTS = [[0.0, 0.25, 0.75], [0.5, 0.4, 0.1]]
DRAW_IN_ANOTHER_PROCESS = """
import sys
sys.path.insert(0, "tests")
from test_figures import grid
print(grid().svg)
"""


def grid(alt: str = ALT) -> Figure:
    with drawing(4, 2) as (fig, ax):
        heat_map(ax, WEIGHTS, ["声音", "很"], ["the", "好", "bad"])
        ax.set_xlabel("keys 键")
    return finish(fig, alt)


def curve() -> Figure:
    with drawing(4, 2) as (fig, ax):
        ax.plot([1, 3, 7], [0.1234567, 0.7654321, 0.3333333], label="first")
        ax.plot([1, 3, 7], [0.3, 0.2, 0.1], label="second")
        ax.legend()
    return finish(fig, "Two lines over three points, one of them falling.")


def run_python(code: str, cache: str | None = None) -> subprocess.CompletedProcess[str]:
    chosen = {"ECOMTUTOR_CACHE": cache} if cache else {}
    environment = {**os.environ, **chosen, "PYTHONIOENCODING": "utf-8", "PYTHONPATH": os.getcwd()}
    return subprocess.run(
        [sys.executable, "-c", code],
        env=environment,
        capture_output=True,
        encoding="utf-8",
        check=True,
    )


def contrast(first: str, second: str) -> float:
    """The contrast ratio of two colours, as WCAG 2.1 defines it."""

    def luminance(colour):
        channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        red, green, blue = (
            c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels
        )
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    dark, light = sorted([luminance(first), luminance(second)])
    return (light + 0.05) / (dark + 0.05)


def test_the_same_figure_is_the_same_text_here_and_in_another_process():
    svg = grid().svg
    assert grid().svg == svg
    assert run_python(DRAW_IN_ANOTHER_PROCESS).stdout.rstrip("\n") == svg.rstrip("\n")


def test_two_figures_on_one_page_share_no_clip_path():
    clips = [set(re.findall(r'clipPath id="(\w+)"', grid(alt).svg)) for alt in (ALT, ALT + " 2")]
    assert clips[0]
    assert not clips[0] & clips[1]


def test_alternative_text_stands_in_the_svg_and_in_plain_text():
    figure = grid()
    root = ElementTree.fromstring(figure.svg)
    assert root.get("role") == "img"
    assert root.get("aria-label") == ALT
    assert root[0].tag.endswith("title")
    assert root[0].text == ALT
    assert figure._repr_mimebundle_() == {
        "image/svg+xml": figure.svg,
        "text/plain": f"Figure: {ALT}",
    }


@pytest.mark.parametrize("alt", ["", "A heat map", "注意力权重"])
def test_refuses_a_figure_without_a_sentence(alt):
    with pytest.raises(EcomTutorError, match=f"alternative text; '{alt}' came"):
        grid(alt)


def test_takes_a_chinese_sentence():
    alt = "两个查询看三个键，声音主要看好这个词。"
    assert grid(alt).alt == alt


def test_letters_are_outlines_and_need_no_font():
    svg = grid().svg
    assert "NotoSansSC" in svg  # the outlines come from our own font
    assert not re.search(r"<text|<tspan|font-family|font:|@font-face", svg)


def test_nothing_is_loaded_and_nothing_runs():
    for svg in (grid().svg, curve().svg):
        assert svg.startswith("<svg")
        assert remote_loads(svg) == []
        assert not re.search(r"<metadata|<script|<style|<foreignObject|\son\w+=", svg)
        targets = re.findall(r'href="([^"]*)"|url\(([^)]*)\)', svg)
        assert all("".join(each).startswith(("#", "data:image/png;base64,")) for each in targets)


def test_figures_stay_small():
    assert len(grid().svg) < 25_000  # nearly all of it the outlines of the letters
    assert len(curve().svg) < 25_000
    outlines = " ".join(re.findall(r' d="([^"]*)"', curve().svg))
    assert re.search(r"\.\d\d ", outlines)
    assert not re.search(r"\.\d{3}", outlines)


def test_saves_the_svg(tmp_path):
    figure = grid()
    figure.save(tmp_path / "grid.svg")
    assert (tmp_path / "grid.svg").read_text(encoding="utf-8") == figure.svg


def test_draws_without_the_chinese_font_and_says_once_how_to_get_it(tmp_path):
    done = run_python(DRAW_IN_ANOTHER_PROCESS, cache=str(tmp_path))
    assert done.stdout.startswith("<svg")
    assert "NotoSansSC" not in done.stdout
    assert done.stderr.count("Warning") == 1
    assert "ecomtutor fetch font-zh" in done.stderr


def test_draws_english_without_the_chinese_font_and_without_a_word(tmp_path, monkeypatch):
    monkeypatch.setenv("ECOMTUTOR_CACHE", str(tmp_path))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert "DejaVu" in curve().svg


@pytest.mark.parametrize("percent", range(0, 101, 4))
def test_ink_reads_on_every_shade(percent):
    paper = shade(percent / 100)
    assert contrast(ink_on(paper), paper) >= 4.5


def test_shades_run_from_light_to_dark():
    against_white = [contrast(shade(i / 20), "#ffffff") for i in range(21)]
    assert against_white == sorted(against_white)
    assert against_white[0] < 1.1
    assert against_white[-1] > 10


def test_heat_map_writes_each_number_in_an_ink_that_reads():
    with drawing() as (_, ax):
        heat_map(ax, WEIGHTS, ["a", "b"], ["c", "d", "e"], top=1.0)
    cells = {text.get_text(): text.get_color() for text in ax.texts}
    assert list(cells) == ["0.00", "0.25", "0.75", "0.50", "0.40", "0.10"]
    drawn = ax.images[0]
    for number, ink in cells.items():
        rgb = drawn.cmap(drawn.norm(float(number)), bytes=True)[:3]
        assert contrast(ink, "#{:02x}{:02x}{:02x}".format(*rgb)) >= 4.5
    assert [label.get_text() for label in ax.get_xticklabels()] == ["c", "d", "e"]
    assert [label.get_text() for label in ax.get_yticklabels()] == ["a", "b"]


def test_heat_map_takes_a_grid_of_zeros_and_no_numbers():
    with drawing() as (_, ax):
        heat_map(ax, [[0.0, 0.0]], ["a"], ["b", "c"], numbers=False)
    assert not ax.texts


def test_heat_map_refuses_labels_that_do_not_fit():
    with (
        drawing() as (_, ax),
        pytest.raises(EcomTutorError, match=r"1 row and 3 column labels .* \(2, 3\)"),
    ):
        heat_map(ax, WEIGHTS, ["a"], ["c", "d", "e"])


def test_style_and_pyplot_are_left_as_they_were():
    code = """
import sys
import matplotlib
before = matplotlib.rcParams.copy()
from ecomtutor.figures import drawing, finish
with drawing() as (fig, ax):
    ax.plot([1, 2])
finish(fig, "A line from one to two, rising.")
print("matplotlib.pyplot" in sys.modules, matplotlib.rcParams.copy() == before)
"""
    assert run_python(code).stdout.split() == ["False", "True"]


def test_lines_differ_in_more_than_colour():
    with drawing() as (_, ax):
        lines = [ax.plot([1, 2])[0] for _ in range(4)]
    assert len({line.get_linestyle() for line in lines}) == 4
    assert len({line.get_color() for line in lines}) == 4


def test_importing_figures_loads_no_matplotlib():
    code = "import sys, ecomtutor.figures; print('matplotlib' in sys.modules)"
    assert run_python(code).stdout.strip() == "False"
