"""The deck builder: what it refuses, and that what it builds needs nothing but its folder."""

import os
import re
import shutil
import subprocess
import sys
import types
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from ecomtutor.authoring.decks import DeckError, build_decks, layout, read_deck
from ecomtutor.authoring.decks.__main__ import main
from ecomtutor.authoring.decks.formulas import to_mathml
from ecomtutor.authoring.decks.markup import Context, render_markdown
from ecomtutor.authoring.decks.pictures import figure_svg
from ecomtutor.errors import MissingResource

NOTES = "Say this slowly and in full sentences, then wait for a question. " * 3
SVG = """<?xml version="1.0"?>
<svg xmlns="http://www.w3.org/2000/svg" id="own" viewBox="0 0 9 9" width="9" height="9">
<style>#dot{fill:#d0d0d0} svg{color:red}
@media (prefers-color-scheme: dark){text{fill:#fff}}</style>
<defs><linearGradient id="d"/><path id="dot"/></defs>
<rect fill="url(#d)"/><use href="#dot"/><use xlink:href="#d"/></svg>"""
PNG = bytes.fromhex("89504e470d0a1a0a")


class Drawing:
    svg = SVG
    alt = 'Scores "spread" & widen'


@pytest.fixture(autouse=True)
def demo_figures(monkeypatch):
    module = types.ModuleType("ecomtutor.figures.demo")
    module.spread = Drawing
    module.textless = types.SimpleNamespace
    module.failing = lambda: 1 / 0
    monkeypatch.setitem(sys.modules, "ecomtutor.figures.demo", module)


def slide(body="Some text.", *, heading="## A slide", time="<!-- time: 2 -->", notes=NOTES):
    return f"{heading}\n{time}\n\n{body}\n\n???\n{notes}\n"


def deck_text(*changed, minutes="24", count=12, title="Attention"):
    """Twelve good slides of two minutes, of which the second and following may be replaced."""
    slides = [slide("", heading=f"# {title}"), *changed]
    slides += [slide() for _ in range(count - len(slides))]
    front = f"title: {title}\nlesson: 1\nsubtitle: 从点积 to $QK^\\top$\nlecture_minutes: {minutes}"
    return f"---\n{front}\n---\n\n" + "\n---\n\n".join(slides)


def write(folder, text, name="01_demo.md"):
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def render(text, folder=Path()):
    return render_markdown(text, Context(folder, "s1"))


class Addresses(HTMLParser):
    """Collects every src and href of a page, and its ids."""

    def __init__(self, html):
        super().__init__()
        self.addresses, self.ids = [], []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.addresses += [value for name, value in attrs if name in ("src", "href")]
        self.ids += [value for name, value in attrs if name == "id"]


@pytest.fixture
def built(tmp_path):
    """A folder with a space and Chinese characters that holds one built deck."""
    source = tmp_path / "我的 decks"
    (source / "图").mkdir(parents=True)
    (source / "图" / "a b.png").write_bytes(PNG)
    figure = slide("![A *caption*](figure:demo.spread)")
    image = slide("![a shop](<图/a b.png>)")
    build_decks([write(source, deck_text(figure, figure, image))], tmp_path / "输出 out")
    return tmp_path / "输出 out"


def test_deck_is_read_with_titles_times_and_notes(tmp_path):
    code = "```text\n---\n???\n## not a title\n<!-- time: 9 -->\n```"
    deck = read_deck(
        write(tmp_path, deck_text(slide(code, time="<!-- time: 1.5 -->"), minutes="23.5"))
    )
    assert (deck.title, deck.lesson, deck.lecture_minutes) == ("Attention", 1, 23.5)
    second = deck.slides[1]
    assert (second.number, second.level, second.title, second.minutes) == (2, 2, "A slide", 1.5)
    assert second.body == code
    assert second.notes == NOTES.strip()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("# No front matter", "front matter between two `---`"),
        ("---\ntitle: A\n---\n", "expected exactly title, lesson, subtitle, lecture_minutes"),
        (deck_text(minutes="soon"), "lecture_minutes 'soon'"),
        (deck_text(minutes="25"), "add up to 24 minutes; lecture_minutes says 25"),
        (deck_text(count=11, minutes="22"), "11 slides; expected 12 to 20"),
        (deck_text(count=21, minutes="42"), "21 slides; expected 12 to 20"),
        (deck_text().replace("lesson: 1", "lesson: 2"), "expected a file name 02_slug.md"),
        (deck_text().replace("# Attention", "## Attention"), "slide 1: expected it to begin"),
        (deck_text(slide(heading="Text")), "slide 2 (no title): expected a heading"),
        (deck_text(slide("a\n\n## Again")), "slide 2 (A slide): a second `#` or `##` heading"),
        (deck_text(slide(time="")), "slide 2 (A slide): no planned time"),
        (deck_text(slide(time="<!-- time: -2 -->")), "slide 2 (A slide): no planned time"),
        (deck_text(slide("<!-- time: 3 -->")), "slide 2 (A slide): two planned times"),
        (deck_text(slide(notes="Too short.")), "slide 2 (A slide): 2 words of notes"),
        (deck_text(slide(notes="电池" * 24)), "slide 2 (A slide): 24 words of notes"),
    ],
)
def test_source_problem_is_named_with_file_and_slide(tmp_path, text, message):
    path = write(tmp_path, text)
    with pytest.raises(DeckError, match=re.escape(message)) as caught:
        read_deck(path)
    assert str(path) in str(caught.value)


def test_chinese_notes_count_two_characters_as_a_word(tmp_path):
    read_deck(write(tmp_path, deck_text(slide(notes="电池" * 25))))


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("$\\frac{a}{b$", "braces"),
        ("$\\fooo x$", "unknown \\fooo"),
        ("$$ \\begin{aligned} a &= b \\end{aligned} $$", "unknown environment 'aligned'"),
        ("$a & b$", "`&` outside of align*"),
        ("$$ \\left( x $$", "broken formula"),
        ("![](figure:demo.nothing)", "no figure nothing in ecomtutor.figures.demo"),
        ("![](figure:nowhere.spread)", "no figure spread in ecomtutor.figures.nowhere"),
        ("![](figure:demo.failing)", "the figure cannot be drawn: ZeroDivisionError"),
        ("![](figure:demo.textless)", "expected a figure with .alt"),
        ("![](figure:os.path.join)", "expected figure:module.function"),
        ("text ![](figure:demo.spread)", "needs a paragraph of its own"),
        ("- ![](figure:demo.spread)", "needs a paragraph of its own"),
        ("![shop](https://example.com/a.png)", "nothing remote"),
        ("![shop](//example.com/a.png)", "nothing remote"),
        ("![shop](/a.png)", "nothing remote"),
        ("![shop](missing.png)", "no such file"),
        ("![](missing.png)", "no alternative text"),
        ("[paper](https://example.com)", "link to https://example.com"),
        ("<https://example.com>", "link to https://example.com"),
        ("a <img src='https://example.com/a.png'> b", "raw HTML"),
        ("<script>alert(1)</script>", "raw HTML"),
        ("<div>\n\ntext\n\n</div>", "raw HTML"),
        ("```\nplain\n```", "expected a language"),
        ("```pyton\nx\n```", "unknown language 'pyton'"),
        ("::: columns\nalone\n:::", "holds one column"),
        ("::: columns 1 2 3\na\n+++\nb\n:::", "expected 2 whole numbers"),
        ("::: columns\na\n+++\nb", "not closed"),
        ("a\n\n+++\n\nb", "outside of `::: columns`"),
    ],
)
def test_markup_problem_is_named(tmp_path, body, message):
    path = write(tmp_path, deck_text(slide(), slide(body)))
    with pytest.raises(DeckError, match=re.escape(message)) as caught:
        build_decks([path], tmp_path / "out")
    assert f"{path}, slide 3 (A slide): " in str(caught.value)
    assert not (tmp_path / "out").exists()


def test_every_problem_of_every_deck_is_listed(tmp_path):
    first = write(tmp_path, deck_text(slide("$\\fooo$"), slide("[a](b)")))
    second = write(tmp_path, deck_text(minutes="1"), name="01_other.md")
    with pytest.raises(DeckError) as caught:
        build_decks([first, second], tmp_path / "out")
    assert len(str(caught.value).splitlines()) == 3


def test_formulas_become_mathml_and_money_stays_text():
    html = render("Costs \\$5 and $d_k$\n\n$$ \\operatorname{softmax}(x) $$")
    assert "Costs $5 and" in html
    assert "<msub><mi>d</mi><mi>k</mi></msub>" in html
    assert 'display="block"' in html
    assert "<mi>softmax</mi>" in html


@pytest.mark.parametrize("name", ["align*", "split", "cases", "pmatrix", "bmatrix", "matrix"])
def test_each_environment_that_is_promised_makes_a_table(name):
    mathml = to_mathml(rf"\begin{{{name}}} a & b \\ c & d \end{{{name}}}", display=True)
    assert mathml.count("<mtr>") == 2


def test_code_is_highlighted_without_a_script():
    html = render("```python {2}\nx = 1\ny = None  # why\n```")
    assert '<span class="kc">None</span>' in html
    assert html.count('class="hll"') == 1


def test_plus_items_and_pauses_become_steps():
    html = render("- shown\n\n. . .\n\n+ first\n+ second\n\n. . .\n\nlast")
    steps = re.findall(r'<(\w+) class="fragment">', html)
    assert steps == ["div", "li", "li", "div"]
    assert html.index("shown") < html.index("fragment")
    assert html.index("</div>") < html.index("last")
    assert html.count("<div") == html.count("</div>")


def test_columns_hold_blocks_and_end_their_steps():
    html = render(
        "::: columns 3 2\n- a\n\n. . .\n\nb\n+++\n| c |\n|---|\n| d |\n\n. . .\n\ne\n:::\n\nf"
    )
    assert "grid-template-columns: minmax(0, 3fr) minmax(0, 2fr)" in html
    assert html.count('<div class="column">') == 2
    assert html.index("<p>b</p>\n</div>") < html.index("<table>")
    assert re.search(r"</table>\s*<div[^>]*>\s*<p>e</p>\s*</div>\s*</div></div>\s*<p>f</p>", html)


def test_figure_keeps_its_text_and_prefixes_its_ids():
    svg = figure_svg("figure:demo.spread", "s2-f1")
    assert svg.startswith('<svg id="s2-f1" role="img" aria-label="Scores &quot;spread&quot; &amp; ')
    assert Addresses(svg).ids == ["s2-f1", "s2-f1-d", "s2-f1-dot"]
    assert 'url(#s2-f1-d)"' in svg
    assert 'href="#s2-f1-dot"' in svg and 'xlink:href="#s2-f1-d"' in svg
    assert "#s2-f1 { #s2-f1-dot{fill:#d0d0d0} &{color:red}" in svg
    assert "prefers-color-scheme" not in svg
    assert "width=" not in svg.partition(">")[0]


def test_figure_that_loads_from_the_web_is_refused(monkeypatch):
    monkeypatch.setattr(Drawing, "svg", SVG.replace('#dot"', 'https://example.com/a.svg"'))
    with pytest.raises(DeckError, match="loads from the web"):
        render("![](figure:demo.spread)")


def test_local_image_is_embedded_with_its_text(tmp_path):
    (tmp_path / "a.png").write_bytes(PNG)
    html = render('![a "shop" < b](a.png "The caption")', tmp_path)
    assert 'src="data:image/png;base64,iVBORw0KGgo="' in html
    assert 'alt="a &quot;shop&quot; &lt; b"' in html
    assert "<figcaption>The caption</figcaption>" in html


def test_pages_carry_notes_planned_time_and_title(built):
    page = (built / "01_demo.html").read_text(encoding="utf-8")
    assert page.count("<section ") == page.count('<aside class="notes">') == 12
    assert re.findall(r'data-timing="(\d+)"', page) == ["120"] * 12
    assert "2 min, from 2:00 to 4:00 of 24:00" in page
    assert '<p class="subtitle">从点积 to <' in page
    assert "<figcaption>A <em>caption</em></figcaption>" in page
    index = (built / "index.html").read_text(encoding="utf-8")
    assert 'href="01_demo.html"' in index and "12 slides · 24 min" in index


def test_special_characters_in_a_title_are_escaped(tmp_path):
    build_decks([write(tmp_path, deck_text(title="a < b & c"))], tmp_path)
    pages = [(tmp_path / name).read_text("utf-8") for name in ("01_demo.html", "index.html")]
    assert not any("a < b" in page or "& c" in page for page in pages)
    assert all("a &lt; b &amp; c" in page for page in pages)


def test_ids_are_unique_in_a_page(built):
    ids = Addresses((built / "01_demo.html").read_text(encoding="utf-8")).ids
    assert len(ids) == len(set(ids)) == 6


def test_built_folder_loads_only_what_it_holds(built):
    for page in built.rglob("*.html"):
        for address in Addresses(page.read_text(encoding="utf-8")).addresses:
            if not address.startswith(("data:", "#")):
                assert not urlsplit(address).scheme and not address.startswith("/")
                assert (page.parent / unquote(address)).is_file(), address
    for sheet in built.rglob("*.css"):
        css = sheet.read_text(encoding="utf-8")
        assert "@import" not in css
        for address in re.findall(r"url\(\s*[\"']?([^\"')]+)", css):
            assert address.startswith("data:") or (sheet.parent / address).is_file(), address


@pytest.mark.skipif(not any(map(shutil.which, layout._BROWSERS)), reason="needs a browser")
def test_browser_names_the_slides_that_overflow(tmp_path, capsys):
    tall, wide = "- line\n" * 14, "```text\n" + "wide " * 30 + "\n```"
    path = write(tmp_path / "我的 decks", deck_text(slide(tall), slide(), slide(wide)))
    assert main([str(path), "--layout", "--out", str(tmp_path / "out 出")]) == 1
    assert re.findall(r"slide (\d+): more than fits", capsys.readouterr().err) == ["2", "4"]


def test_layout_without_a_browser_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(MissingResource, match="install one of chromium"):
        layout.overflowing_slides(tmp_path / "deck.html")


def test_missing_package_of_assets_says_how_to_install(tmp_path, monkeypatch):
    assets = (("no-such-package", "1.0", "a.js", "a.js"),)
    monkeypatch.setattr("ecomtutor.authoring.decks.pages._CARRIED", assets)
    with pytest.raises(MissingResource, match="no-deps no-such-package==1"):
        build_decks([write(tmp_path, deck_text())], tmp_path / "out")


def test_command_builds_into_the_folder_that_is_named(tmp_path, capsys):
    path = write(tmp_path, deck_text())
    assert main([str(path), "--out", str(tmp_path / "out")]) == 0
    assert (tmp_path / "out" / "01_demo.html").is_file()
    assert str(tmp_path / "out" / "index.html") in capsys.readouterr().out


def test_command_says_what_is_wrong_and_fails(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main([]) == 1
    assert "no decks" in capsys.readouterr().err
    assert main(["slides/01_none.md"]) == 1
    assert "no such deck" in capsys.readouterr().err


def test_reading_decks_imports_neither_torch_nor_sphinx():
    code = "import sys, ecomtutor.authoring.decks; print({'torch', 'sphinx'} & set(sys.modules))"
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=os.environ
    )
    assert run.stdout.strip() == "set()"
