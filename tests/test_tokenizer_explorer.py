"""The tokenizer explorer: what it counts, what it says, and what each control changes."""

import re

import pytest
from ipywidgets import Box, Output

from ecomtutor.authoring.pages import remote_loads
from ecomtutor.errors import EcomTutorError
from ecomtutor.widgets import tokenizer_explorer
from ecomtutor.widgets.tokenizer_explorer import (
    EXAMPLES,
    LONGEST,
    NAMES,
    Settings,
    as_html,
    explore,
    what_it_shows,
)


@pytest.mark.parametrize("name", NAMES)
def test_pieces_cover_every_letter(name):
    for text in EXAMPLES:
        seen = explore(Settings(text, name))
        covered = {i for piece in seen.pieces for i in range(piece.start, piece.end)}
        assert {i for i, c in enumerate(text) if not c.isspace()} <= covered


@pytest.mark.parametrize(
    ("chosen", "said"),
    [
        (Settings(), "1 of 7 tokens is unknown"),
        (Settings(lowercase=True), "Nothing is unknown and no character is broken"),
        (Settings(tokenizer="wordpiece-en"), "4 of 9 tokens are unknown"),
        (Settings("龘", "byte-bpe"), "1 character had to be broken"),
        (Settings(""), "type a text"),
    ],
)
def test_one_sentence_says_what_the_reader_sees(chosen, said):
    assert said in what_it_shows(explore(chosen))


def test_says_what_is_wrong():
    with pytest.raises(EcomTutorError, match="1,001 came"):
        explore(Settings("a" * (LONGEST + 1)))
    with pytest.raises(EcomTutorError, match="'gpt' was asked for"):
        explore(Settings(tokenizer="gpt"))


def test_static_views_never_change_and_need_no_script_and_no_web():
    explorer = tokenizer_explorer()
    page, text = explorer._repr_html_(), repr(explorer)
    assert (tokenizer_explorer()._repr_html_(), repr(tokenizer_explorer())) == (page, text)
    assert not re.search(r"<script|<style|<img|\son\w+=|https?:", page)
    assert remote_loads(page) == []
    assert set(explorer._repr_mimebundle_()) == {"text/html", "text/plain"}
    for shown in (page, text):
        assert what_it_shows(explore(Settings())) in shown
        assert all(example in shown for example in EXAMPLES)


def test_text_of_the_reader_cannot_become_html():
    page = as_html(explore(Settings("<img src=x>", "wordpiece-en")))
    assert "<img" not in page and "<b>&lt;</b>" in page


def test_every_control_changes_the_live_view():
    _, *controls, view = tokenizer_explorer().widget().children
    text, tokenizer, lowercase = controls
    assert view.value == as_html(explore(Settings()))
    lowercase.value = True
    assert view.value == as_html(explore(Settings(lowercase=True)))
    tokenizer.value = "byte-bpe"
    text.value = "Great 👍"
    assert view.value == as_html(explore(Settings("Great 👍", "byte-bpe", True)))
    text.value = "a" * (LONGEST + 1)
    assert "Shorten the text" in view.value
    assert all(control.description for control in controls)


def test_no_output_widget_is_used():
    box = tokenizer_explorer().widget()
    assert isinstance(box, Box)
    assert not any(isinstance(child, Output) for child in box.children)
