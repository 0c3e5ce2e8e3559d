"""Classification and calibration figures, against counting by hand and games with known answers."""

import numpy as np
import pytest

from ecomtutor.errors import EcomTutorError
from ecomtutor.metrics import (
    calibration_error,
    calibration_error_by_chance,
    cheapest_threshold,
    classification_metrics,
    confusion,
    cost_of_threshold,
    fit_temperature,
    reliability,
    with_temperature,
)

LABELS = ("bad", "good")
TRUTH = ["good", "good", "good", "bad", "bad"]
CHANCES = np.array([[0.1, 0.9], [0.4, 0.6], [0.8, 0.2], [0.7, 0.3], [0.3, 0.7]])


def test_figures_counted_by_hand() -> None:
    table = classification_metrics(TRUTH, CHANCES, LABELS)
    assert table.loc["good", ["precision", "recall"]].tolist() == pytest.approx([2 / 3, 2 / 3])
    assert table.loc["bad", ["precision", "recall"]].tolist() == [0.5, 0.5]
    assert table.loc["all", "accuracy"] == pytest.approx(0.6)
    assert table.loc["all", "f1"] == pytest.approx((2 / 3 + 1 / 2) / 2)
    # Of the 6 pairs of a good and a bad text the good one is ahead in 3.
    assert table.loc["good", "roc_auc"] == pytest.approx(0.5)
    assert table["texts"].tolist() == [2, 3, 5]
    counts = confusion(TRUTH, CHANCES, LABELS)
    assert counts.loc["bad", "good"] == 1 and counts.to_numpy().sum() == 5


def test_a_label_without_texts_has_no_area_and_breaks_nothing() -> None:
    table = classification_metrics(["good"], np.array([[0.2, 0.8]]), LABELS)
    assert np.isnan(table.loc["bad", "roc_auc"]) and table.loc["all", "accuracy"] == 1


@pytest.mark.parametrize(
    ("truth", "chances", "message"),
    [
        (TRUTH[1:], CHANCES, r"shape \(4, 2\)"),
        (["fine", *TRUTH[1:]], CHANCES, "'fine' in the truth"),
        (TRUTH, CHANCES * np.nan, "NaN"),
    ],
)
def test_what_does_not_fit_is_told(truth: list[str], chances: np.ndarray, message: str) -> None:
    with pytest.raises(EcomTutorError, match=message):
        classification_metrics(truth, chances, LABELS)


def test_costs_by_hand_and_the_cheapest_threshold() -> None:
    complaint, chance = [True, True, False, False], [0.9, 0.2, 0.4, 0.1]
    costs = cost_of_threshold(
        complaint, chance, [0.0, 0.15, 0.3, 0.5, 1.0], missed=5, false_alarm=1
    )
    assert costs.tolist() == [0.5, 0.25, 1.5, 1.25, 2.5]
    assert 0.1 < cheapest_threshold(complaint, chance, missed=5, false_alarm=1) < 0.2
    with pytest.raises(EcomTutorError, match="positive"):
        cost_of_threshold(complaint, chance, [0.5], missed=0, false_alarm=1)
    with pytest.raises(EcomTutorError, match="a text"):
        cost_of_threshold(complaint, chance[1:], [0.5], missed=1, false_alarm=1)


def test_with_calibrated_chances_the_cheapest_threshold_is_that_of_theory() -> None:
    rng = np.random.default_rng(0)
    chance = rng.random(20_000)
    found = cheapest_threshold(rng.random(20_000) < chance, chance, missed=4, false_alarm=1)
    assert abs(found - 1 / 5) < 0.04


def test_reliability_by_hand() -> None:
    chances = np.array([[0.05, 0.95], [0.05, 0.95], [0.35, 0.65]])
    seen = reliability(chances, [1, 0, 1], bins=10)
    assert seen.texts.tolist() == [1, 2]
    assert seen.accuracy.tolist() == [1, 0.5]
    assert seen.error == pytest.approx((0.35 * 1 + 0.45 * 2) / 3)
    assert calibration_error(chances, [1, 0, 1], bins=10) == seen.error
    with pytest.raises(EcomTutorError, match="are wanted"):
        reliability(chances, [1, 0])


def test_a_planted_temperature_is_found_and_mends_the_error() -> None:
    rng = np.random.default_rng(0)
    true = rng.normal(size=(5000, 3)) * 2
    steps = with_temperature(true, 1).cumsum(axis=1)
    answers = (rng.random(5000)[:, None] > steps).sum(axis=1).clip(max=2)
    assert fit_temperature(true * 3, answers) == pytest.approx(3, rel=0.1)
    assert calibration_error(with_temperature(true * 3, 1), answers) > 0.1
    mended = calibration_error(with_temperature(true * 3, 3), answers)
    chance = calibration_error_by_chance(with_temperature(true, 1), draws=50)
    assert mended < 2 * chance < 0.04
    with pytest.raises(EcomTutorError, match="above 0"):
        with_temperature(true, 0)


def test_few_texts_look_badly_calibrated_by_luck() -> None:
    chances = np.tile([[0.3, 0.7]], (40, 1))
    assert calibration_error_by_chance(chances) > 0.04
    assert calibration_error_by_chance(np.tile(chances, (100, 1))) < 0.01
    low, mean, high = (calibration_error_by_chance(chances, below=at) for at in (0.05, None, 0.95))
    assert 0 < low < mean < high
    with pytest.raises(EcomTutorError, match="a share of the draws"):
        calibration_error_by_chance(chances, below=95)
