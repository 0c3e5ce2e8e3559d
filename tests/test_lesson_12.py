"""What the figures of lesson 12 say, on marks and answers that can be checked by hand."""

import numpy as np
import pandas as pd
import pytest

from ecomtutor.figures import lesson_12


@pytest.fixture
def marks(monkeypatch: pytest.MonkeyPatch) -> pd.DataFrame:
    """Two methods on one text of each plant, and the random order."""
    rows = [
        ("one", "attention", 1.0, 0.5, 0.9, 1, 0),
        ("both", "attention", 1.0, 0.5, 0.7, 1, 0),
        ("either", "attention", 0.0, 0.0, 0.1, 1, 0),
        ("one", "gradient × input", 0.0, 0.5, 0.3, 1, 1),
        ("both", "gradient × input", 1.0, 1.0, 0.7, 1, 1),
        ("either", "gradient × input", 1.0, 1.0, 0.4, 1, 1),
        ("one", "random", 0.0, 0.0, 0.1, 0, 0),
        ("both", "random", 0.0, 0.0, 0.2, 0, 0),
        ("either", "random", 0.0, 0.5, 0.1, 0, 0),
    ]
    names = ["plant", "method", "found1", "found2", "aopc", "forwards", "backwards"]
    table = pd.DataFrame(rows, columns=names).assign(
        model="planted-zh", chance=0.1, stable=1.0, seconds=0.1, text=0, units=8
    )
    monkeypatch.setattr(lesson_12, "scores", lambda: table)
    return table


def test_the_brand_is_marked_at_one_and_the_others_at_two(marks: pd.DataFrame) -> None:
    alt = lesson_12.found("zh").alt
    assert "attention 1.00, 0.50, 0.00" in alt
    assert "gradient × input 0.00, 1.00, 1.00" in alt and "random 0.00, 0.00, 0.50" in alt


def test_cost_counts_a_backward_pass_twice_and_leaves_random_out(marks: pd.DataFrame) -> None:
    alt = lesson_12.cost("zh").alt
    assert "attention 1: 0.50, gradient × input 3: 0.67." in alt and "random" not in alt


def test_two_words_are_those_of_the_table() -> None:
    alt = lesson_12.two_words().alt
    assert "both needed: leave one out 1, one alone 0, Shapley 0.5" in alt
    assert "either suffices: leave one out 0, one alone 1, Shapley 0.5" in alt


def test_agreement_names_the_most_and_the_least_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    matrix = np.array([[1.0, 0.62, -0.4], [0.62, 1.0, 0.1], [-0.4, 0.1, 1.0]])
    monkeypatch.setattr(lesson_12, "agreement_values", lambda: (["a", "b", "c"], matrix))
    alt = lesson_12.agreement().alt
    assert "Most alike: b and a, 0.6; least: c and a, -0.4" in alt


def test_hiding_figure_gives_both_ends_of_both_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = {False: np.tile([0.9, 0.8, 0.7, 0.6, 0.5, 0.2], (3, 1)), True: np.full((3, 6), 0.72)}
    monkeypatch.setattr(lesson_12, "hidden_at_random", rows.__getitem__)
    alt = lesson_12.before_and_after().alt
    assert "whole texts: 0.9 whole, 0.2 with all hidden" in alt
    assert "words hidden: 0.7 whole, 0.7 with all hidden" in alt


def test_what_the_lesson_says_of_the_shipped_marks() -> None:
    """The sentences of sections 3 and 6, so that new marks cannot contradict them unseen."""
    from ecomtutor.laboratory import scorecard

    before, after, english = (
        scorecard(lesson_12.scores(), f"planted-{name}") for name in ("zh", "zh-masked", "en")
    )
    loud = before["one"].drop(["random", "occlusion"])  # a loud cue does not tell methods apart
    assert (loud == 1).all() and before.loc["occlusion", "one"] == 0.8
    assert before.loc["one alone", "both"] == pytest.approx(0.075)  # 0.08, random 0.20
    assert before.loc["random", "both"] == pytest.approx(0.20, abs=0.005)
    assert after.loc["one alone", "both"] == 1
    assert before.loc["gradient × input", "both"] == pytest.approx(0.275)  # 0.28
    assert before.loc["attention rollout", "both"] == pytest.approx(0.575)  # 0.57
    assert english.loc["gradient × input", "one"] == pytest.approx(0.15)  # three of twenty
    for name in ("Owen values", "Kernel SHAP", "LIME", "integrated gradients", "attention"):
        assert (before.loc[name, ["one", "both", "either"]] == 1).all(), name
    assert (before.loc["leave one out", ["one", "both", "either"]] == 1).all()
    assert english.loc["leave one out", "either"] < 1
    assert abs(before.loc["random", "gain"]) < 0.1 and before.loc["attention", "cost"] == 1
    assert after.loc["Owen values", "gain"] < before.loc["Owen values", "gain"]
    assert before.loc["LIME", "stable"] < before.loc["Kernel SHAP", "stable"]


def test_what_the_lesson_says_of_training_without_looking() -> None:
    from ecomtutor.laboratory import read_uniform

    table = read_uniform()
    own, equal = table.loc["its own weights"], table.loc["all weights equal"]
    assert equal["brand"] == own["brand"] == 1 and equal["pair"] > 0.95
    assert (
        own["reviews"] - equal["reviews"] > 0.04 and own["half a pair"] - equal["half a pair"] > 0.1
    )
