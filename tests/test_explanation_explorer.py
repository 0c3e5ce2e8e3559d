"""The explanation explorer: what it says, what each control changes, what it refuses kindly."""

import re
import sys
from typing import Any

import numpy as np
import pytest
from ipywidgets import Box, Output

from ecomtutor.authoring.outputs import PICTURE_IN_HTML
from ecomtutor.authoring.pages import remote_loads
from ecomtutor.errors import EcomTutorError
from ecomtutor.interpretability import explain
from ecomtutor.models import load_encoder
from ecomtutor.widgets import explanation_explorer
from ecomtutor.widgets.explanation_explorer import (
    BUDGETS,
    COMPARED,
    LONGEST,
    METHODS,
    MOST_TOKENS,
    ExplanationExplorer,
    Settings,
    as_html,
    what_it_shows,
)

TEXTS = {
    "zh": "物流太慢，书很好，但 iPhone 碎了😀！",
    "en": "The battery doesn't last; <b>sad</b>.",
}


class Counting:
    """A classifier whose logits are sums of a weight for each token id: values are known."""

    labels = ("negative", "positive")
    max_tokens = 512

    def __init__(self, language: str):
        self.tokenizer = load_encoder(language).tokenizer
        self.weights = np.random.default_rng(0).normal(size=(len(self.tokenizer), 2))
        self.weights[self.tokenizer.mask_token_id] = 0
        self.rows = 0

    def token_logits(self, rows: Any, *, bf16: bool = False) -> np.ndarray:
        self.rows += len(rows)
        return np.array([self.weights[row].sum(axis=0) for row in rows])


@pytest.fixture(scope="module", params=["zh", "en"])
def language(request: Any) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def classifier(language: str) -> Any:
    return Counting(language)


@pytest.fixture
def explorer(language: str, classifier: Any) -> Any:
    return explanation_explorer(TEXTS[language], classifier)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("unit", ["word", "token"])
def test_each_method_gives_the_known_values(explorer: Any, method: str, unit: str) -> None:
    seen = explorer.explore(Settings(explorer.text, method, unit, budget=2000))
    units = seen.explanation.units
    true = [
        explorer.classifier.weights[units.ids[list(unit.tokens)]].sum(0) for unit in units.units
    ]
    near = 0.5 if method == "lime" else 1e-6  # its ridge and its weights pull a little
    if method == "occlusion":
        assert seen.explanation.values.shape == (len(units), 2)
    else:
        assert np.abs(seen.explanation.values - true).max() < near


def test_it_says_what_explain_says(explorer: Any) -> None:
    seen = explorer.explore(Settings(explorer.text, hiding="pad", budget=500))
    made = explain(explorer.text, explorer.classifier, "owen", "word", "pad", budget=500)
    assert np.array_equal(seen.explanation.values, made.values)
    values = made.values[:, made.output(seen.label)]
    for i, word in ((int(values.argmax()), "for"), (int(values.argmin()), "against")):
        said = f"“{made.units.texts[i]}” ({values[i]:+.2f}) speaks most {word} {seen.label}"
        counts = values[i] > 0 if word == "for" else values[i] < 0
        assert (said.replace("-", "−") in what_it_shows(seen)) == counts
    named = explorer.explore(Settings(explorer.text, label="negative"))
    assert named.label == "negative" and "speaks most for negative" in what_it_shows(named)


def test_units_that_share_a_value_are_named_as_a_block(explorer: Any) -> None:
    text = "good " * 40
    seen = explorer.explore(Settings(text, budget=25))
    assert seen.explanation.resolved == 0
    assert "“good good good …” (" in what_it_shows(seen)


def test_a_small_budget_leaves_units_open_and_says_so(explorer: Any) -> None:
    small = explorer.explore(Settings(explorer.text, unit="token", budget=8))
    assert small.explanation.asked <= 8
    assert re.search(r"; \d+ of \d+ units have no value of their own", what_it_shows(small))
    large = explorer.explore(Settings(explorer.text, unit="token", budget=2000))
    assert large.explanation.resolved == len(large.explanation.units)
    assert "no value of their own" not in what_it_shows(large)


@pytest.mark.parametrize("method", ["owen", "lime", "sampled"])
def test_no_method_spends_more_than_its_budget(explorer: Any, method: str) -> None:
    for budget in BUDGETS[2:]:
        seen = explorer.explore(Settings(explorer.text, method, budget=budget))
        assert seen.explanation.made <= budget + 4 * len(seen.explanation.units)
        assert method == "sampled" or seen.explanation.asked <= budget + 1


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    "text", ["😀😀 👍🏽!!!", "？！。", "好", "a", "iPhone15的电池 dure peu, 但好看"]
)
def test_odd_texts_behave(explorer: Any, method: str, text: str) -> None:
    seen = explorer.explore(Settings(text, method, budget=200))
    assert np.isfinite(seen.explanation.values).all()
    page = as_html(seen)
    assert remote_loads(page) == [] and what_it_shows(seen)


@pytest.mark.parametrize("method", METHODS)
def test_two_thousand_characters_are_explained_within_a_reader_s_patience_or_refused(
    explorer: Any, method: str
) -> None:
    text = (explorer.text * 200)[:LONGEST]
    explorer.classifier.rows = 0
    try:
        seen = explorer.explore(Settings(text, method, "token", budget=2000))
    except EcomTutorError as error:
        assert re.search("Shorten it|16 units|need .* samples", str(error))
        assert method not in ("owen", "lime")
    else:
        assert explorer.classifier.rows * len(seen.explanation.units.ids) <= MOST_TOKENS * 1.05
        assert "The text is long" in as_html(seen)
    assert explorer.classifier.rows <= MOST_TOKENS // 500 + 2


def test_a_long_text_still_has_a_static_view_that_says_what_it_lacks(
    explorer: Any, classifier: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "The text is long" not in repr(explorer)
    module = sys.modules[ExplanationExplorer.__module__]
    monkeypatch.setattr(module, "MOST_TOKENS", 30_000)
    long = ExplanationExplorer(explorer.text * 8, classifier)
    for said in (repr(long), long._repr_html_()):
        assert "The text is long: sampled Shapley would take too many rows" in said
        assert "LIME for" in said.replace("</b>", "") and "Leave one out" in said
    # No row of the table names a budget that was not spent.
    affordable = long._size(Settings(long.text))[1]
    assert all(int(row[0]) <= affordable for row in long._budgets()[1:])


@pytest.mark.parametrize(
    "wrong", [{"label": "neutral"}, {"budget": 0}, {"budget": 9.5}, {"text": None}, {"unit": "x"}]
)
def test_controls_that_cannot_be_are_told(explorer: Any, wrong: Any) -> None:
    with pytest.raises(EcomTutorError):
        explorer.explore(Settings(**({"text": explorer.text} | wrong)))


@pytest.mark.parametrize(
    ("text", "message"),
    [("", "nothing to explain"), ("  \n", "nothing to explain"), ("a" * 2001, "2,001 came")],
)
def test_what_cannot_be_explained_is_told(
    language: str, classifier: Any, text: str, message: str
) -> None:
    with pytest.raises(EcomTutorError, match=message):
        explanation_explorer(text, classifier)


def test_static_views_never_change_and_need_no_script_and_no_web(explorer: Any) -> None:
    page, text = explorer._repr_html_(), repr(explorer)
    again = explanation_explorer(explorer.text, explorer.classifier)
    assert (again._repr_html_(), repr(again)) == (page, text)
    assert page.startswith(PICTURE_IN_HTML)  # compared by its words
    assert not re.search(r"<script|<style|\son\w+=|https?:", page) and remote_loads(page) == []
    assert set(explorer._repr_mimebundle_()) == {"text/html", "text/plain"}
    assert "<b>sad" not in page and len(page.encode()) < 50_000
    names = ("Owen values", "Sampled Shapley", "LIME", "Leave one out")
    assert len(names) == len(COMPARED) and all(name in page and name in text for name in names)
    assert "units resolved" in text and "What the budget changes" in page


def test_every_control_changes_the_live_view(explorer: Any) -> None:
    _, text, row, view = explorer.widget().children
    method, unit, hiding, budget, label = row.children
    chosen = {"text": explorer.text}
    assert view.value == as_html(explorer.explore(Settings(**chosen)))
    for control, name, value in (
        (method, "method", "lime"),
        (unit, "unit", "token"),
        (hiding, "hiding", "pad"),
        (budget, "budget", 100),
        (label, "label", "negative"),
        (text, "text", "好 good!"),
    ):
        before = view.value
        control.value = chosen[name] = value
        assert view.value == as_html(explorer.explore(Settings(**chosen))) != before
    for wrong in ("", "a" * 2001):
        text.value = wrong
        assert re.search("nothing to explain|Shorten the text", view.value)
    text.value = "好"
    assert "<strong>“好”" in view.value


def test_controls_are_reached_by_keyboard_and_named(explorer: Any) -> None:
    box = explorer.widget()
    assert isinstance(box, Box) and not any(isinstance(child, Output) for child in box.children)
    _, text, row, _ = box.children
    for control in (text, *row.children):
        assert control.description and not control.disabled
    assert not text.continuous_update  # one explanation a text, not one a key
