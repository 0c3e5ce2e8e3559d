"""The cost explorer: its numbers are the models', its static view stands without a kernel."""

import pytest
from ipywidgets import Box, Output

from ecomtutor.authoring.pages import remote_loads
from ecomtutor.errors import EcomTutorError
from ecomtutor.transformer import Bert
from ecomtutor.widgets.cost_explorer import (
    HEADS,
    KNOWN,
    LAYERS,
    TOKENS,
    VOCABULARIES,
    WIDTHS,
    Size,
    as_html,
    cost,
    cost_explorer,
    what_it_says,
)


@pytest.mark.parametrize("name", ["MiniLM", "m3e-small"])
def test_known_models_have_the_sizes_of_the_real_ones(name):
    real = Bert.from_pretrained({"MiniLM": "minilm", "m3e-small": "m3e"}[name])
    counted = sum(cost(KNOWN[name]).parameters.values())
    assert counted == sum(each.numel() for each in real.parameters())


def test_twice_the_text_is_four_times_the_maps():
    short, long = cost(Size(tokens=1024)), cost(Size(tokens=2048))
    assert long.map_bytes == 4 * short.map_bytes
    assert long.operations["attention maps"] == 4 * short.operations["attention maps"]
    assert long.operations["feed-forward"] == 2 * short.operations["feed-forward"]


def test_sentence_names_what_costs_most():
    assert "feed-forward cost most" in what_it_says(Size(tokens=64))
    assert "maps cost most" in what_it_says(Size(tokens=8192))


def test_heads_that_do_not_fit_are_told_and_not_raised():
    with pytest.raises(EcomTutorError, match="cannot be shared"):
        cost(Size(width=128, heads=12))
    assert "cannot be shared" in as_html(Size(width=128, heads=12))


def test_static_view_names_every_model_and_loads_nothing():
    page, text = cost_explorer()._repr_html_(), repr(cost_explorer())
    for name in KNOWN:
        assert page.count(name) == text.count(name) == 2
    assert "22.7 M" in page
    assert remote_loads(page) == []
    assert page == cost_explorer()._repr_html_()


def test_sliders_change_the_numbers():
    box = cost_explorer().widget()
    assert isinstance(box, Box)
    assert not any(isinstance(child, Output) for child in box.children)
    _, row, view = box.children
    sliders = {slider.description: slider for slider in row.children}
    assert set(sliders) == {"Width", "Layers", "Heads", "Vocabulary", "Tokens"}
    before = view.value
    sliders["Tokens"].value = 64
    assert view.value != before
    assert view.value == as_html(Size(tokens=64))


def test_every_choice_starts_where_the_sliders_do():
    start = Size()
    for choices, value in (
        (WIDTHS, start.width),
        (LAYERS, start.layers),
        (HEADS, start.heads),
        (VOCABULARIES, start.vocabulary),
        (TOKENS, start.tokens),
    ):
        assert value in choices
