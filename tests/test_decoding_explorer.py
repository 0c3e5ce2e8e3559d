"""The decoding explorer: its numbers are the model's, its settings those of `sample`."""

import re
import sys
from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch
from ipywidgets import Box, Output

from ecomtutor.authoring.pages import remote_loads
from ecomtutor.errors import EcomTutorError
from ecomtutor.pretraining import train_byte_bpe
from ecomtutor.transformer import Gpt, GptConfig
from ecomtutor.widgets import core, decoding_explorer
from ecomtutor.widgets.decoding_explorer import (
    NEW_TOKENS,
    PROMPTS,
    SHOWN,
    Settings,
    Writer,
    as_html,
    explore,
    what_it_shows,
)

module = sys.modules["ecomtutor.widgets.decoding_explorer"]  # its name is also the function
TEXTS = ["酒店的房间很大。", "The sound is great but the battery is bad.", "<b>&"] * 3


@pytest.fixture(scope="module")
def tiny():
    """A model with random weights that knows a few words of both languages."""
    tokenizer = train_byte_bpe(TEXTS, 320)
    size = GptConfig(len(tokenizer), 16, 2, 2, positions=128, end_id=tokenizer.eos_token_id)
    return Writer(tokenizer, Gpt(size, seed=3).eval(), (tokenizer.eos_token_id,))


@pytest.fixture(autouse=True)
def _tiny_models(tiny, monkeypatch):
    monkeypatch.setattr(module, "_writer", lambda language: tiny)
    explore.cache_clear()
    yield
    explore.cache_clear()


@pytest.mark.parametrize("language", PROMPTS)
def test_probabilities_are_those_of_the_model(tiny, language):
    seen = explore(Settings(language))
    ids = torch.tensor([[*tiny.start, *tiny.tokenizer(PROMPTS[language])["input_ids"]]])
    expected = tiny.model(ids).logits[0, -1].softmax(-1).sort(descending=True).values
    assert [t.before for t in seen.tokens] == pytest.approx(expected[: len(seen.tokens)].tolist())
    assert [t.after for t in seen.tokens] == pytest.approx([t.before for t in seen.tokens])
    assert (seen.kept, seen.held) == (len(tiny.tokenizer), pytest.approx(1))


def test_top_k_keeps_k_and_top_p_the_fewest_that_hold_p():
    assert explore(Settings(top_k=3)).kept == 3
    assert sum(t.after for t in explore(Settings(top_k=3)).tokens) == pytest.approx(1)
    seen, fewer = explore(Settings(top_p=0.6)), explore(Settings(top_p=0.5))
    assert seen.held >= 0.6 > seen.held - min(t.before for t in seen.tokens)
    assert fewer.kept < seen.kept


def test_a_low_temperature_is_greedy_whatever_the_seed():
    cold = Settings(temperature=0.0005)
    assert explore(cold).tokens[0].after == pytest.approx(1, abs=0.01)
    assert explore(cold).continuation == explore(replace(cold, seed=9)).continuation
    assert explore(Settings()).continuation != explore(Settings(seed=9)).continuation
    assert explore(Settings(top_k=1)).continuation == explore(cold).continuation


def test_the_sentence_counts():
    assert what_it_shows(explore(Settings(top_k=1))).startswith("Only “")
    assert what_it_shows(explore(Settings(top_k=7))).startswith("7 of 306 tokens are left")


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"language": "fr"}, "'fr'"),
        ({"temperature": 0.0}, r"0\.0 came"),
        ({"top_p": 1.5}, r"1\.5 came"),
        ({"top_k": -1}, "-1 came"),
        ({"prompt": "很 " * 70}, "at most 64 tokens"),
    ],
)
def test_says_which_setting_is_wrong(wrong, said):
    with pytest.raises(EcomTutorError, match=said):
        explore(replace(Settings(), **wrong))


def test_static_views_show_both_languages_and_all_settings_and_never_change():
    page, text = decoding_explorer()._repr_html_(), repr(decoding_explorer())
    assert (decoding_explorer()._repr_html_(), repr(decoding_explorer())) == (page, text)
    for language, prompt in PROMPTS.items():
        assert prompt in page and prompt in text
        assert f"{explore(Settings(language)).tokens[0].before:.3f}" in text
    for name in SHOWN:
        assert page.count(name) >= 2 and text.count(name) >= 2
    assert not re.search(r"<script|<style|<img|\son\w+=|https?:", page)
    assert remote_loads(page) == []


def test_what_a_reader_types_is_text_and_not_markup():
    page = as_html(explore(Settings(prompt="<b>&")))
    assert "&lt;b&gt;&amp;" in page and "<b>" not in page


def controls_and_view():
    _, row, view = decoding_explorer().widget().children
    names = ("language", "prompt", "temperature", "top_k", "top_p", "seed")
    return dict(zip(names, row.children, strict=True)), view


def test_every_control_changes_the_live_view():
    controls, view = controls_and_view()
    chosen = Settings()
    assert view.value == as_html(explore(chosen))
    moves = {"language": "zh", "prompt": "很", "temperature": 0.5, "top_k": 9, "top_p": 0.5}
    for name, value in {**moves, "seed": 4}.items():
        before = view.value
        controls[name].value = value
        chosen = replace(chosen, **{name: value})
        assert view.value == as_html(explore(chosen))
        assert view.value != before


def test_a_wrong_setting_is_told_in_the_view():
    controls, view = controls_and_view()
    controls["prompt"].value = "很 " * 70
    assert "at most 64 tokens" in view.value


def test_no_output_widget_is_used():
    def family(widget):
        yield widget
        for child in widget.children if isinstance(widget, Box) else ():
            yield from family(child)

    assert not any(isinstance(each, Output) for each in family(decoding_explorer().widget()))


def test_a_notebook_gets_the_live_view_too(monkeypatch):
    assert set(decoding_explorer()._repr_mimebundle_()) == {"text/html", "text/plain"}
    monkeypatch.setattr(core, "live_shell", lambda: SimpleNamespace(kernel=object()))
    assert "application/vnd.jupyter.widget-view+json" in decoding_explorer()._repr_mimebundle_()


def test_continuations_have_their_length(tiny):
    for language, count in NEW_TOKENS.items():
        written = explore(Settings(language, temperature=2.0)).continuation
        assert 0 < len(tiny.tokenizer(written)["input_ids"]) <= 4 * count
