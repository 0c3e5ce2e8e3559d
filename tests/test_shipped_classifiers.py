"""The classifiers that the course ships: small, as good as their cards say, and calibrated."""

import csv
import hashlib
import re
from pathlib import Path

import numpy as np
import pytest

from ecomtutor.errors import EcomTutorError
from ecomtutor.finetuning import Classifier, learning_curves, load_classifier
from ecomtutor.finetuning.baselines import lexicon_scores
from ecomtutor.finetuning.recipes import chinese, english, recipe
from ecomtutor.finetuning.shipped import SHIPPED
from ecomtutor.metrics import calibration_error

MODELS = Path(__file__).resolve().parents[1] / "data" / "models"
ACCURACY = {"zh": 0.84, "en": 0.8}
TRAVELS = 0.85
LANGUAGES = pytest.mark.parametrize("language", SHIPPED)


@LANGUAGES
def test_each_is_small_and_its_card_names_its_bytes(language: str) -> None:
    folder = MODELS / SHIPPED[language]
    weights = folder / "model.safetensors"
    assert sum(file.stat().st_size for file in folder.iterdir()) < 15e6
    card = (folder / "README.md").read_text(encoding="utf-8")
    assert hashlib.sha256(weights.read_bytes()).hexdigest() in card
    for part in ("Data", "Recipe", "Figures", "Limits"):
        assert f"## {part}" in card
    assert f"python -m ecomtutor.finetuning {SHIPPED[language]}" in card
    assert "calibration error" in card


@LANGUAGES
def test_loaded_twice_it_is_the_same_and_both_labels_occur(language: str) -> None:
    classifier = load_classifier(language)
    assert load_classifier(language) is classifier
    assert classifier.labels == ("negative", "positive")
    good, bad = {"zh": ("很好，非常满意", "太差了，要退货"), "en": ("I love it.", "It broke.")}[
        language
    ]
    assert classifier.predict([good, bad, ""])[:2] == ["positive", "negative"]


def test_an_unknown_language_and_an_unknown_recipe_are_told() -> None:
    with pytest.raises(EcomTutorError, match="'zh' and for 'en'"):
        load_classifier("fr")
    with pytest.raises(EcomTutorError, match="shop-sentiment-zh and shop-sentiment-en"):
        recipe("sentiment")


@LANGUAGES
def test_held_out_accuracy_and_calibration(language: str) -> None:
    """A third of the validation split, so that the test split stays for the cards."""
    held_out = {"zh": chinese, "en": english}[language]("validation")
    places = range(0, len(held_out), 3 if language == "zh" else 1)
    chances = load_classifier(language).predict_proba([held_out.texts[i] for i in places])
    answers = held_out.answers[list(places)]
    accuracy = (chances.argmax(axis=1) == answers).mean()
    assert accuracy > ACCURACY[language]
    assert calibration_error(chances, answers, bins=10) < 0.06  # few texts: the error is noisy


def test_english_is_far_ahead_of_the_lexicon() -> None:
    held_out = english("validation")
    said = load_classifier("en").predict_proba(held_out.texts).argmax(axis=1)
    vader = lexicon_scores(held_out.texts, "en") > 0
    gain = (said == held_out.answers).mean() - (vader == (held_out.answers == 1)).mean()
    assert gain > 0.05


def test_chinese_travels_to_other_categories() -> None:
    with (MODELS.parent / "experiments" / "other_categories.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 60 and {row["label"] for row in rows} == {"negative", "positive"}
    said = load_classifier("zh").predict([row["text"] for row in rows])
    assert np.mean([a == row["label"] for a, row in zip(said, rows, strict=True)]) > TRAVELS


def test_half_precision_changes_little() -> None:
    texts = chinese("validation").texts[:64]
    full = load_classifier("zh").predict_proba(texts)
    assert np.abs(full - load_classifier("zh").predict_proba(texts, bf16=True)).max() < 0.05


def test_the_adapter_alone_is_loaded_from_a_copy(tmp_path: Path) -> None:
    original = load_classifier("zh")
    again = Classifier.load(original.save(tmp_path))
    texts = ["物流很快", "iPhone 屏幕碎了"]
    assert (again.predict_proba(texts) == original.predict_proba(texts)).all()


def test_shipped_learning_curves_grow_and_show_what_the_lesson_says() -> None:
    table = learning_curves()
    assert set(table["method"]) == {"tf-idf", "frozen", "lora", "full"}
    assert set(table["reviews"]) == {100, 300, 1000, 3000, 8000}
    assert table["accuracy"].between(0.4, 0.95).all()
    mean = table.groupby(["method", "reviews"])["accuracy"].mean().unstack()
    assert (mean[8000] > mean[100]).all()
    assert ((mean[8000] - mean[100]).drop("frozen") > 0.05).all()
    # What lesson 07 says of them.
    assert mean[100].idxmax() == "frozen" and mean[8000].idxmax() == "full"
    assert mean.loc["full", 8000] - mean.loc["tf-idf", 8000] < 0.02


def test_the_cards_quote_the_targets_that_they_are_measured_against() -> None:
    card = (MODELS / "shop-sentiment-zh" / "README.md").read_text(encoding="utf-8")
    figures = [float(x) for x in re.findall(r"accuracy (0\.\d+)", card)]
    assert len(figures) >= 5 and max(figures) < 1
