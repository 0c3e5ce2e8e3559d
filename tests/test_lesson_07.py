"""What the figures of lesson 07 compute, on a small judged table that can be checked by hand."""

import types

import numpy as np
import pandas as pd
import pytest

from ecomtutor import finetuning
from ecomtutor.figures import lesson_07


@pytest.fixture
def small(monkeypatch):
    """Ten reviews, five of them complaints, the third and the eighth judged wrong."""
    chance = np.array([0.9, 0.8, 0.2, 0.7, 0.95, 0.1, 0.3, 0.6, 0.05, 0.2])
    complaint = np.array([True] * 5 + [False] * 5)
    texts = ["酒店很脏", "书太贵", "电脑死机", "差", "房间小"] * 2
    table = pd.DataFrame({"text": texts, "complaint": complaint, "probability": chance})
    table["label"] = np.where(complaint, "negative", "positive")
    judged = lesson_07.Judged(table, np.log(np.stack([chance, 1 - chance], axis=1)))
    monkeypatch.setattr(lesson_07, "judged", lambda language: judged)
    fake = types.SimpleNamespace(temperature=2.0)
    monkeypatch.setattr(finetuning, "load_classifier", lambda language: fake)
    return judged


def test_answers_number_the_labels(small):
    assert small.answers.tolist() == [0] * 5 + [1] * 5
    assert [lesson_07.LABELS[i] for i in small.answers] == small.table.label.tolist()


def test_categories_come_from_words():
    texts = pd.Series(
        ["酒店很脏", "这本小说好看", "电脑死机", "送货快", "在酒店看书"], index=[7, 5, 3, 1, 9]
    )
    found = lesson_07.category(texts)
    assert found.tolist() == ["hotel", "book", "computer", "unclear", "book"]
    assert found.index.tolist() == texts.index.tolist()


def test_thinning_leaves_the_wanted_share_and_every_harmless_review():
    many = pd.DataFrame({"complaint": [True] * 500 + [False] * 950})
    thin = lesson_07.thinned(many, 0.05)
    assert thin.complaint.sum() == 50 and (~thin.complaint).sum() == 950


def test_figures_say_what_was_measured(small):
    assert "hotel 1.000" in (alt := lesson_07.slices().alt) and "computer 0.000" in alt
    # Of 25 pairs the complaint at 0.2 loses two and ties one; the others win all.
    assert "Chinese ROC area 0.900" in lesson_07.roc_and_pr().alt
    assert "with temperature 2.00" in lesson_07.reliability().alt
    assert "three ratios of costs" in lesson_07.cost_by_threshold().alt


def test_the_four_cases_are_counted(small):
    alt = lesson_07.confusion().alt
    assert "Of 5 complaints 4 got an alarm and 1 none; of 5 harmless reviews 1 got" in alt
    assert "Precision 0.800, recall 0.800, F1 0.800" in alt


def test_learning_curves_name_every_method(monkeypatch):
    methods = ["full", "lora", "frozen", "tf-idf"]
    rows = [(m, n, s, 0.6 + n / 10_000, 1.0) for m in methods for n in (100, 1000) for s in (0, 1)]
    table = pd.DataFrame(rows, columns=["method", "reviews", "seed", "accuracy", "seconds"])
    monkeypatch.setattr(finetuning, "learning_curves", lambda: table)
    alt = lesson_07.learning_curves().alt
    assert all(f"{method} from 0.61 to 0.70" in alt for method in methods)
