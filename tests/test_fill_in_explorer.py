"""The fill-in explorer: its guesses are the model's, and a slider changes what is hidden."""

import pytest
import torch

from ecomtutor import models
from ecomtutor.authoring.pages import remote_loads
from ecomtutor.errors import EcomTutorError
from ecomtutor.widgets import fill_in_explorer
from ecomtutor.widgets.fill_in_explorer import EXAMPLES, LONGEST, Explored, Settings, explore
from ecomtutor.widgets.fill_in_explorer import what_it_shows as said


@pytest.mark.parametrize("text", EXAMPLES)
def test_guesses_are_those_of_the_model(text):
    shop = models.load_shop_bert()
    seen = explore(Settings(text, place=3))
    ids = shop.tokenizer(text, return_tensors="pt")["input_ids"]
    assert seen.answer == shop.tokenizer.convert_ids_to_tokens(int(ids[0, 3]))
    right = int(ids[0, 3])
    ids[0, 3] = shop.tokenizer.mask_token_id
    with torch.no_grad():
        p = shop.model(ids).prediction_logits[0, 3].softmax(-1)
    assert seen.shares[2] == pytest.approx(p[right].item(), abs=1e-4)
    assert [share for _, share in seen.guesses] == pytest.approx(
        p.topk(5).values.tolist(), abs=1e-4
    )


def test_a_place_beyond_the_end_is_the_last_one():
    seen = explore(Settings("书不错", place=50))
    assert (seen.place, seen.answer) == (2, "错")


@pytest.mark.parametrize(
    ("answer", "share", "words"),
    [
        ("好", 0.9, "Right: it says 好"),
        ("差", 0.9, "It is sure and wrong: it says 好 (0.90); 差 comes at place 2"),
        ("贵", 0.2, "Wrong: it says 好 (0.20); 贵 is not among the five"),
    ],
)
def test_the_sentence(answer, share, words):
    guesses = (("好", share), ("差", 0.05), ("多", 0.02), ("大", 0.01), ("小", 0.01))
    assert words in said(Explored((answer,), (0.05,), 0, guesses))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (Settings(""), "nothing to hide"),
        (Settings("好" * (LONGEST + 1)), "Shorten"),
        (Settings(place=0), "counted from 1"),
    ],
)
def test_wrong_settings_are_told(settings, message):
    with pytest.raises(EcomTutorError, match=message):
        explore(settings)


def test_the_widget_follows_its_controls_and_survives_an_empty_text():
    _, text, place, view = fill_in_explorer().widget().children
    before = view.value
    place.value = 2
    assert view.value != before
    assert "Token 2 of" in view.value
    text.value = "书不错"
    assert place.max == 3
    text.value = ""
    assert "nothing to hide" in view.value
    text.value = "<b>"
    assert "<b><b>" not in view.value


def test_the_static_view_repeats_itself_and_loads_nothing():
    view = fill_in_explorer()
    page = view._repr_html_()
    assert page == fill_in_explorer()._repr_html_()
    assert not remote_loads(page)
    assert "<script" not in page
    assert repr(view) == repr(fill_in_explorer())
