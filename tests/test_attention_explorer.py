"""The attention explorer: what its settings compute, what it says, and what a slider changes."""

import math
import re
import sys
from dataclasses import replace
from itertools import pairwise, product
from statistics import fmean
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from ipywidgets import Box, Output

from ecomtutor.authoring.pages import remote_loads
from ecomtutor.errors import EcomTutorError
from ecomtutor.widgets import attention_explorer, core
from ecomtutor.widgets.attention_explorer import (
    D_K,
    MASKS,
    TOKENS,
    Settings,
    as_html,
    explore,
    what_it_shows,
)

LANGUAGES = list(TOKENS)


@pytest.mark.parametrize("mask", MASKS)
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_setting_gives_rows_that_add_up(language, mask):
    for d_k, temperature, scaled in product((4, 64, 256), (0.1, 1.0, 5.0), (True, False)):
        seen = explore(Settings(language, d_k, temperature, scaled, mask))
        for row, largest, bits, choices in zip(
            seen.weights, seen.largest, seen.entropies, seen.choices, strict=True
        ):
            given = [weight for weight in row if weight is not None]
            assert sum(given) == pytest.approx(1)
            assert max(given) == largest
            assert -1e-12 <= bits <= math.log2(choices) + 1e-12
        page = as_html(seen)
        assert "nan" not in page
        assert "-0.00" not in page


@pytest.mark.parametrize("language", LANGUAGES)
def test_scores_spread_like_the_root_of_d_k_and_the_rows_sharpen(language):
    seen = [explore(Settings(language, d_k, scaled=False)) for d_k in D_K]
    for view, d_k in zip(seen, D_K, strict=True):
        assert view.spread == pytest.approx(math.sqrt(d_k), rel=0.35)
    assert all(a.spread < b.spread for a, b in pairwise(seen))
    assert all(fmean(a.entropies) > fmean(b.entropies) for a, b in pairwise(seen))
    assert fmean(seen[-1].entropies) < 0.2


@pytest.mark.parametrize("language", LANGUAGES)
def test_scaled_scores_keep_their_spread(language):
    seen = [explore(Settings(language, d_k)) for d_k in D_K]
    assert all(0.65 < view.spread < 1.35 for view in seen)
    assert all(1.8 < fmean(view.entropies) < 2.4 for view in seen)


def test_dividing_by_the_root_of_d_k_is_a_temperature():
    by_scale = explore(Settings(d_k=16, scaled=True))
    by_temperature = explore(Settings(d_k=16, scaled=False, temperature=4.0))
    torch.testing.assert_close(torch.tensor(by_scale.weights), torch.tensor(by_temperature.weights))
    assert by_scale.spread == pytest.approx(by_temperature.spread)


def test_weights_are_those_of_torch():
    query, key = torch.from_numpy(np.random.default_rng(152).standard_normal((2, 6, 256)))
    scores = query[:, :8] @ key[:, :8].T / math.sqrt(8) / 0.5
    expected = torch.softmax(scores.masked_fill(torch.ones(6, 6).triu(1) > 0, -math.inf), dim=-1)
    seen = explore(Settings(d_k=8, temperature=0.5, mask="causal"))
    weights = torch.tensor([[weight or 0.0 for weight in row] for row in seen.weights])
    torch.testing.assert_close(weights, expected.float())


def test_masks():
    assert explore(Settings()).choices == (6, 6, 6, 6, 6, 6)
    causal = explore(Settings(mask="causal"))
    assert causal.choices == (1, 2, 3, 4, 5, 6)
    assert causal.weights[0] == (1.0, None, None, None, None, None)
    assert causal.telling == (1, 2, 3, 4, 5)
    padding = explore(Settings("zh", mask="padding"))
    assert padding.tokens == ("音", "质", "很", "好", "[PAD]", "[PAD]")
    assert all(row[4:] == (None, None) for row in padding.weights)
    assert padding.telling == (0, 1, 2, 3)


@pytest.mark.parametrize(
    ("chosen", "said"),
    [
        (Settings(), r"mix their keys: where there is a choice, the largest weight is 0\.60"),
        (Settings(d_k=256, scaled=False), r"In 6 of 6 rows .* \(“\S+” gives 1\.00 to “\S+”\)"),
        (Settings(d_k=64, scaled=False, mask="causal"), r"In 2 of 5 rows .* no longer learn"),
        (Settings("zh", 256, 1.0, False, "padding"), r"In 4 of 4 rows .* no longer learn"),
        (Settings(temperature=5.0), "nearly equal"),
        (Settings(temperature=5.0, mask="causal"), "nearly equal"),
    ],
    ids=str,
)
def test_one_sentence_says_what_the_reader_sees(chosen, said):
    sentence = what_it_shows(explore(chosen))
    assert re.search(said, sentence)
    assert sentence.count(". ") == 0


def test_the_sentence_names_the_row_and_the_key_of_the_largest_weight():
    seen = explore(Settings(d_k=64, scaled=False, mask="causal"))
    assert seen.weights[1][0] == max(seen.largest[i] for i in seen.telling)
    assert "“sound” gives 1.00 to “the”" in what_it_shows(seen)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"language": "fr"}, "'fr'"),
        ({"mask": "all"}, "'all'"),
        ({"d_k": 0}, "0 came"),
        ({"d_k": 257}, "1 to 256; 257 came"),
        ({"temperature": 0.0}, r"0\.0 came"),
    ],
)
def test_says_which_setting_is_wrong(wrong, said):
    with pytest.raises(EcomTutorError, match=said):
        explore(replace(Settings(), **wrong))


def test_static_views_hold_the_table_and_the_grid_and_never_change():
    explorer = attention_explorer()
    page, text = explorer._repr_html_(), repr(explorer)
    assert (attention_explorer()._repr_html_(), repr(attention_explorer())) == (page, text)
    for scaled, d_k in product((False, True), (4, 64, 256)):
        seen = explore(Settings(d_k=d_k, scaled=scaled))
        numbers = [seen.spread, fmean(seen.largest), fmean(seen.entropies)]
        cells = [str(d_k), "yes" if scaled else "no", *(f"{number:.2f}" for number in numbers)]
        assert re.search(r"\s+".join(map(re.escape, cells)), text)
        assert re.search("</td><td[^>]*>".join(map(re.escape, cells)), page)
    for shown in (page, text):
        assert what_it_shows(explore(Settings())) in shown
    assert page.count("<tr>") == 7 + 7


def test_html_needs_no_script_and_no_web_and_reads_in_any_theme():
    page = attention_explorer()._repr_html_()
    assert not re.search(r"<script|<style|<img|\son\w+=|https?:", page)
    assert remote_loads(page) == []
    assert page.count("background-color:") == 36
    assert page.count("background-color:") == len(
        re.findall(r"background-color:#\w+;color:#", page)
    )


def test_masked_cells_show_a_dash_without_a_shade():
    page = as_html(explore(Settings(mask="causal")))
    assert page.count("background-color:") == 21
    assert page.count(">–</td>") == 15
    assert "A dash is a masked key" in page


def controls_and_view():
    _, row, view = attention_explorer().widget().children
    names = ("language", "d_k", "temperature", "scaled", "mask")
    return dict(zip(names, row.children, strict=True)), view


def test_the_live_view_starts_at_the_default_settings():
    controls, view = controls_and_view()
    assert Settings(**{name: control.value for name, control in controls.items()}) == Settings()
    assert view.value == as_html(explore(Settings()))


def test_every_control_changes_the_live_view():
    controls, view = controls_and_view()
    chosen = Settings()
    moves = {"language": "zh", "d_k": 256, "temperature": 0.5, "scaled": False, "mask": "padding"}
    for name, value in moves.items():
        before = view.value
        controls[name].value = value
        chosen = replace(chosen, **{name: value})
        assert view.value == as_html(explore(chosen))
        assert view.value != before


def test_every_choice_of_every_control_works():
    controls, view = controls_and_view()
    assert controls["d_k"].options == D_K
    assert (controls["temperature"].min, controls["temperature"].max) == (0.1, 5)
    for name in ("d_k", "mask", "language"):
        for option in controls[name].options:
            controls[name].value = option[1] if isinstance(option, tuple) else option
            assert "<table" in view.value
    controls["temperature"].value = controls["temperature"].min
    assert "<table" in view.value


def test_descriptions_are_whole_and_controls_can_be_reached():
    controls, _ = controls_and_view()
    for control in controls.values():
        assert control.description
        assert control.tabbable is not False
        assert not control.disabled
        if name := getattr(control.style, "description_width", ""):
            assert name == "initial"


def test_no_output_widget_is_used():
    def family(widget):
        yield widget
        for child in widget.children if isinstance(widget, Box) else ():
            yield from family(child)

    assert not any(isinstance(each, Output) for each in family(attention_explorer().widget()))


def test_a_page_without_a_kernel_gets_the_static_views_only():
    assert set(attention_explorer()._repr_mimebundle_()) == {"text/html", "text/plain"}


def test_a_notebook_gets_the_live_view_too(monkeypatch):
    monkeypatch.setattr(core, "live_shell", lambda: SimpleNamespace(kernel=object()))
    explorer = attention_explorer()
    bundle = explorer._repr_mimebundle_()
    assert "application/vnd.jupyter.widget-view+json" in bundle
    assert bundle["text/html"] == explorer._repr_html_()
    assert bundle["text/plain"] == repr(explorer)


def test_a_notebook_without_ipywidgets_gets_the_static_views(monkeypatch):
    monkeypatch.setattr(core, "live_shell", lambda: SimpleNamespace(kernel=object()))
    monkeypatch.setitem(sys.modules, "ipywidgets", None)
    assert set(attention_explorer()._repr_mimebundle_()) == {"text/html", "text/plain"}
