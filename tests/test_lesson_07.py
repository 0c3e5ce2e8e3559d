"""What the figures of lesson 07 compute, on a small judged table that can be checked by hand."""

import json
import re
import types
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from ecomtutor import finetuning
from ecomtutor.exercises.registry import find_exercise
from ecomtutor.figures import lesson_07

NOTEBOOK = Path(__file__).resolve().parents[1] / "notebooks" / "07_fine_tuning.ipynb"


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


def test_learning_curves_say_how_many_draws_and_where_one_has_no_band(monkeypatch):
    alt = lesson_07.learning_curves().alt
    assert "Bands span the draws: 100 reviews 3 draws, 300 reviews 3 draws, 1,000 " in alt
    assert all(f"{size} reviews 2 draws" in alt for size in ("3,000", "8,000"))
    shipped = finetuning.learning_curves()
    once = shipped[(shipped["reviews"] < 3000) | (shipped["seed"] == 0)]
    monkeypatch.setattr(finetuning, "learning_curves", lambda: once)
    alt = lesson_07.learning_curves().alt
    assert "a single one has no band: 100 reviews 3 draws" in alt
    assert all(f"{size} reviews 1 draw" in alt for size in ("3,000", "8,000"))


@pytest.mark.parametrize("cell", ["l07-worst-zh", "l07-noise-read"])
def test_every_review_that_is_shown_says_in_english_what_it_says(cell):
    cells = json.loads(NOTEBOOK.read_text("utf-8"))["cells"]
    shown = next(each for each in cells if each["id"] == cell)["outputs"][0]["text"]
    lines = "".join(shown).splitlines()
    chinese = [i for i, line in enumerate(lines) if re.search("[一-鿿]{2}", line)]
    assert len(chinese) == {"l07-worst-zh": 6, "l07-noise-read": 10}[cell]
    for i in chinese:
        review = lines[i].split(":  ")[-1].strip()
        assert lines[i + 1].strip() == lesson_07.in_english(review) != "", review


_STEPS = """
def training_step(model, optimizer, inputs, targets):
    {forget}
    loss = torch.nn.functional.cross_entropy(model(inputs), targets)
    {move}
    return float(loss.item())
"""
_PLAIN = "loss.backward()\n    optimizer.step()"
_RIGHT = {
    "the model forgets": ("07.2", _STEPS.format(forget="model.zero_grad()", move=_PLAIN)),
    "each gradient is taken away": (
        "07.2",
        _STEPS.format(forget="for p in model.parameters(): p.grad = None", move=_PLAIN),
    ),
    "autograd.grad": (
        "07.2",
        _STEPS.format(
            forget="ps = list(model.parameters())",
            move="for p, g in zip(ps, torch.autograd.grad(loss, ps)): p.grad = g\n"
            "    optimizer.step()",
        ),
    ),
    "forgotten at the end": (
        "07.2",
        _STEPS.format(forget="pass", move=f"{_PLAIN}\n    optimizer.zero_grad()"),
    ),
    "a closure": (
        "07.2",
        """
def training_step(model, optimizer, inputs, targets):
    def closure():
        optimizer.zero_grad()
        loss = torch.nn.functional.cross_entropy(model(inputs), targets)
        loss.backward()
        return loss
    return optimizer.step(closure).item()
""",
    ),
    "a logarithm by hand": (
        "07.2",
        """
def training_step(model, optimizer, inputs, targets):
    optimizer.zero_grad()
    p = model.forward(inputs).log_softmax(-1)
    loss = -p[torch.arange(len(targets)), targets].mean()
    loss.backward()
    optimizer.step()
    return loss.detach().numpy().item()
""",
    ),
    "a list": ("07.3", "{scores}\ndef scores(h, f, m): return list(plain(h, f, m))"),
    "an array": ("07.3", "{scores}\ndef scores(h, f, m): return np.array(plain(h, f, m))"),
    "lists of counts": (
        "07.6",
        "{confident_counts}\ndef confident_counts(a, p): return plain(a, p).tolist()",
    ),
    "a table of counts": (
        "07.6",
        "{confident_counts}\ndef confident_counts(a, p): return pd.DataFrame(plain(a, p))",
    ),
    "a Series of texts": (
        "07.1",
        """
def honest_accuracy(right, texts, training_texts):
    known = pd.Series(training_texts).map(same_text_key)
    unseen = ~pd.Series(texts).map(same_text_key).isin(known)
    return pd.Series(right)[unseen].mean()
""",
    ),
    "edges and NumPy's mean": (
        "07.4",
        """
def expected_calibration_error(confidence, right, bins=10):
    edges = np.linspace(0, 1, bins + 1)
    place = np.clip(np.digitize(confidence, edges) - 1, 0, bins - 1)
    sums = np.bincount(place, confidence - right, minlength=bins)
    return np.abs(sums).sum() / len(right)
""",
    ),
    "min with a key": (
        "07.5",
        """
def cheapest(probability, is_complaint, thresholds, missed, false_alarm):
    def cost(t):
        m = np.sum(is_complaint & (probability < t))
        f = np.sum(~is_complaint & (probability >= t))
        return missed * m + false_alarm * f
    return min(thresholds, key=cost)
""",
    ),
}


@pytest.mark.parametrize(("number", "source"), _RIGHT.values(), ids=_RIGHT)
def test_right_answers_of_another_shape_pass(number: str, source: str) -> None:
    import torch

    from ecomtutor.datasets.reviews import same_text_key

    exercise = find_exercise(number)
    answer = exercise.answer if isinstance(exercise.answer, str) else exercise.answer[0]
    ready = exercise.solution.replace(f"def {answer}(", "def plain(")
    names = {"np": np, "pd": pd, "torch": torch, "same_text_key": same_text_key}
    exec(source.replace(f"{{{answer}}}", ready), names)
    exercise.check(names[answer])
