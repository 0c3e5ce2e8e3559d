"""LIME against the package lime, against its closed form, and against its own standard errors."""

from itertools import pairwise
from typing import Any

import jieba
import numpy as np
import pytest
from lime.lime_text import LimeTextExplainer

from ecomtutor.errors import EcomTutorError
from ecomtutor.finetuning import load_classifier
from ecomtutor.interpretability import Game, Unit, Units, lime, lime_limit, lime_text, lime_words
from ecomtutor.interpretability.lime_parity import lime_samples
from ecomtutor.interpretability.local import every_coalition, expected_draws
from ecomtutor.interpretability.rendering import heat_text

jieba.setLogLevel("ERROR")
EN = "Not bad, the battery is good; but the screen is not good, not at all!"
ZH = "房间不大，但是很干净，服务也很好，下次还来住iPhone15。"


class Pairs:
    """A classifier with an answer for each pair of neighbouring characters: order matters."""

    labels = ("negative", "positive")

    def __init__(self) -> None:
        self.calls: list[list[str]] = []

    def predict_proba(self, texts: list[str]) -> np.ndarray:
        self.calls.append(texts)
        sums = [sum(np.sin(ord(a) * 7 + ord(b)) for a, b in pairwise(t)) for t in texts]
        positive = (1 + np.tanh(np.array(sums) / 2)) / 2
        return np.stack([1 - positive, positive], axis=1)


def by_lime(text: str, classifier: Any, samples: int, most: int, seed: int, **how: Any) -> Any:
    """lime's own answer: weights (words, outputs), intercepts, fits, local predictions."""
    explainer = LimeTextExplainer(random_state=seed, **how)
    said = explainer.explain_instance(
        text, classifier.predict_proba, labels=(0, 1), num_features=most, num_samples=samples
    )
    words = said.domain_mapper.indexed_string
    values = np.zeros((words.num_words(), 2))
    for output in (0, 1):
        for word, weight in said.local_exp[output]:
            values[word, output] = weight
    return said, values, words.inverse_vocab


CUTS = [
    (EN, {}),
    (EN, {"bow": False}),
    (EN, {"bow": False, "mask_string": "[MASK]"}),
    (EN, {"split_expression": r"\s+"}),
    (EN, {"split_expression": str.split}),
    (ZH, {}),
    (ZH, {"split_expression": jieba.lcut}),
    (ZH, {"split_expression": jieba.lcut, "bow": False}),
    (ZH, {"split_expression": list}),
]
SETTINGS = [
    {"most": 10, "seed": 0},
    {"most": 4, "seed": 1},  # "auto" goes forward up to six words
    {"most": 7, "seed": 2, "kernel_width": 5.0},
    {"most": 3, "seed": 3, "feature_selection": "highest_weights"},
    {"most": 8, "seed": 4, "feature_selection": "forward_selection"},
    {"most": 1, "seed": 5, "feature_selection": "none"},
]


@pytest.mark.parametrize(("text", "cut"), CUTS)
@pytest.mark.parametrize("settings", SETTINGS)
def test_the_package_lime_says_the_same(
    text: str, cut: dict[str, Any], settings: dict[str, Any]
) -> None:
    how = dict(settings)
    most, seed = how.pop("most"), how.pop("seed")
    said, values, names = by_lime(text, Pairs(), 300, most, seed, **how, **cut)
    ours_cut = {{"split_expression": "split"}.get(k, k): v for k, v in cut.items()}
    ours = lime_text(text, Pairs(), 300, most, seed=seed, **how, **ours_cut)
    assert ours.units.texts == names
    assert np.abs(ours.values - values).max() < 1e-5
    assert all(text[unit.start : unit.end] == unit.text for unit in ours.units.units)
    for output in (0, 1):
        assert [word for word, _ in said.local_exp[output]] == list(ours.settings["chosen"][output])
        assert said.intercept[output] == pytest.approx(ours.settings["intercept"][output], abs=1e-5)
    assert said.score == pytest.approx(ours.settings["fit"][1], abs=1e-5)
    assert said.local_pred[0] == pytest.approx(ours.settings["local_prediction"][1], abs=1e-5)
    assert np.allclose(said.predict_proba, ours.full)


@pytest.mark.parametrize(
    ("language", "text", "split"),
    [("en", "not bad, but not good.", r"\W+"), ("zh", "楼很老,服务不错.", jieba.lcut)],
)
def test_on_the_shipped_classifiers_too(language: str, text: str, split: Any) -> None:
    classifier = load_classifier(language)
    _, values, _ = by_lime(text, classifier, 400, 10, 0, split_expression=split)
    ours = lime_text(text, classifier, 400, split=split)
    assert np.abs(ours.values - values).max() < 1e-5
    assert np.abs(values).max() > 0.05 and ours.outputs == ("negative", "positive")
    assert ours.made <= 2 ** len(ours.units) < ours.asked


def test_distinct_strings_are_scored_once() -> None:
    classifier = Pairs()
    explanation = lime_text("one two three four", classifier, samples=2000)
    assert [len(call) for call in classifier.calls] == [16] and explanation.made == 16
    assert explanation.asked == 2000


@pytest.mark.parametrize(("words", "distinct"), [(8, (256, 256)), (15, (3100, 3350))])
def test_how_many_of_5000_samples_are_distinct(words: int, distinct: tuple[int, int]) -> None:
    found = len(np.unique(lime_samples(words, 5000), axis=0))
    assert distinct[0] <= found <= distinct[1]


def test_all_occurrences_go_together_in_a_bag_of_words() -> None:
    bag, single = lime_words("很好，很快", list), lime_words("很好，很快", list, bow=False)
    assert bag.places == ((0, 3), (1,), (2,), (4,)) and len(single) == 5
    assert bag.shown(np.array([False, True, True, True])) == "好，快"
    assert single.shown(np.array([False, True, True, True, True])) == "UNKWORDZ好，很快"
    assert lime_words("good, very good").shown(np.array([False, True])) == ", very "


def test_the_default_pattern_takes_a_clause_for_a_word() -> None:
    assert [u.text for u in lime_words("房间很大，服务不错").units.units] == [
        "房间很大",
        "服务不错",
    ]


def test_marks_behind_the_last_word_are_drawn_as_read() -> None:
    """lime has no unit for them, but the classifier reads them in every string."""
    drawn = heat_text(lime_text("good, very good!!", Pairs(), 50))
    assert "!!" in drawn.html and "not read" not in drawn.html


@pytest.mark.parametrize("text", ["", "？！。", "   "])
def test_no_words_are_told(text: str) -> None:
    with pytest.raises(EcomTutorError, match="no word to explain"):
        lime_text(text, Pairs())


def test_settings_out_of_range_are_told() -> None:
    with pytest.raises(EcomTutorError, match="num_features ≥ 1"):
        lime_text(EN, Pairs(), num_features=0)
    with pytest.raises(EcomTutorError, match="'lasso_path' came"):
        lime_text(EN, Pairs(), 20, feature_selection="lasso_path")  # type: ignore[arg-type]
    with pytest.raises(EcomTutorError, match="does not follow in the text"):
        lime_words("很好", lambda text: ["好", "很"])


@pytest.mark.parametrize("text", ["😀😀 great 👍🏽!!!", "好" * 300, "a", "T恤 and\u200bT恤\n"])
def test_odd_texts_are_explained(text: str) -> None:
    explanation = lime_text(text, Pairs(), 50, split=list)
    assert np.isfinite(explanation.values).all()


# ---- our own lime


def units(n: int) -> Units:
    made = tuple(Unit(chr(97 + i), i, i + 1, (i,)) for i in range(n))
    return Units("".join(u.text for u in made), np.arange(10, 10 + n), made, 1, 0)


def game(n: int, worth: Any) -> Game:
    """A game of n units whose worth comes from an array (n,) of who is there."""
    return Game(units(n), lambda rows: np.array([[worth(row != 1)] for row in rows], dtype=float))


@pytest.mark.parametrize("width", [0.05, 0.25, 1.0, 10.0])
def test_of_a_linear_model_lime_finds_its_weights_at_any_width(width: float) -> None:
    weights = np.array([2.0, -1.0, 0.5, 0.0, 3.0, -0.25])
    linear = game(6, lambda there: weights @ there)
    found = lime(linear, kernel_width=width, ridge=0, sampling="exhaustive").values[:, 0]
    assert np.allclose(found, weights, atol=1e-9)
    assert lime_limit(6, 1, width) == pytest.approx((1, 0), abs=1e-9)


@pytest.mark.parametrize("width", [0.1, 0.25, 1.0])
@pytest.mark.parametrize(("n", "together"), [(1, 1), (3, 2), (4, 2), (7, 3), (9, 2), (9, 9)])
def test_lime_with_all_texts_is_its_closed_form(n: int, together: int, width: float) -> None:
    """A billion samples without ridge, so that the one whole text weighs nothing."""
    rule = game(n, lambda there: there[:together].all())
    found = lime(rule, 10**9, kernel_width=width, ridge=0, sampling="exhaustive").values[:, 0]
    member, other = lime_limit(n, together, width)
    expected = np.where(np.arange(n) < together, member, other)
    assert np.allclose(found, expected, atol=1e-5)


def test_drawn_samples_tend_to_the_closed_form() -> None:
    rule = game(8, lambda there: there[0] and there[1])
    member, other = lime_limit(8, 2)
    expected = np.array([member] * 2 + [other] * 6)
    off = {}
    for samples in (200, 20_000):
        found = lime(rule, samples, ridge=1e-6)
        assert found.errors is not None
        assert (np.abs(found.values[:, 0] - expected) < 4.5 * found.errors[:, 0]).all()
        off[samples] = np.abs(found.values[:, 0] - expected).max()
    assert off[20_000] < 0.02 and off[20_000] < off[200] / 3


def test_a_rule_of_nothing_has_no_limit() -> None:
    with pytest.raises(EcomTutorError, match="1 … 4 of 4 words; 5 came"):
        lime_limit(4, 5)
    with pytest.raises(EcomTutorError, match="only texts with one of 4 words hidden"):
        lime_limit(4, 2, 0.01)


def wavy(n: int = 12) -> Game:
    """A game that is far from linear."""
    dice = np.random.default_rng(0)
    inner, outer = dice.normal(size=(n, 5)), dice.normal(size=5)
    return game(n, lambda there: np.tanh(there @ inner * 0.6) @ outer)


def test_standard_errors_are_the_spread_over_seeds() -> None:
    twelve = wavy()
    runs = [lime(twelve, 150, seed=seed) for seed in range(60)]
    values = np.stack([run.values[:, 0] for run in runs])
    errors = np.stack([run.errors[:, 0] for run in runs])  # type: ignore[index]
    assert 0.85 < errors.mean() / values.std(axis=0, ddof=1).mean() < 1.3
    inside = np.abs(values - values.mean(axis=0)) < 1.96 * errors
    assert 0.92 < inside.mean() < 0.99


def test_all_texts_are_the_mean_over_seeds_and_have_no_error() -> None:
    twelve = wavy()
    every = lime(twelve, 400, sampling="exhaustive")
    assert every.errors is None and "seed" not in every.settings and every.made <= 2**12
    runs = [lime(twelve, 400, seed=seed) for seed in range(40)]
    mean = np.mean([run.values for run in runs], axis=0)
    of_mean = np.mean([run.errors for run in runs], axis=0) / np.sqrt(40)
    assert (np.abs(mean - every.values) < 5 * of_mean).all()


def test_expected_draws_are_what_is_drawn() -> None:
    times = expected_draws(5, 20_001)
    assert times.sum() == pytest.approx(20_001) and len(times) == 32 == len(every_coalition(5))
    drawn = lime_samples(5, 20_001)
    counted = np.bincount(drawn @ 2 ** np.arange(5), minlength=32)
    assert (np.abs(counted - times) < 5 * np.sqrt(times) + 1e-9).all()


def test_what_cannot_be_asked_is_told() -> None:
    with pytest.raises(EcomTutorError, match="17 units have 2\\^17 texts"):
        lime(game(17, lambda there: 0.0), sampling="exhaustive")
    with pytest.raises(EcomTutorError, match="'drawn' or 'exhaustive'"):
        lime(game(3, lambda there: 0.0), sampling="all")  # type: ignore[arg-type]
    assert lime(game(9, lambda there: there.sum()), samples=10).errors is None
