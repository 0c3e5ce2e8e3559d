"""The threshold explorer: its counts are scikit-learn's, its static view needs no kernel."""

import numpy as np
import pytest
from ipywidgets import Box, Output
from sklearn.metrics import confusion_matrix, precision_score, recall_score

from ecomtutor.authoring.pages import remote_loads
from ecomtutor.errors import EcomTutorError
from ecomtutor.metrics import cost_of_threshold
from ecomtutor.widgets.threshold_explorer import THRESHOLDS, as_html, threshold_explorer

TEXTS = ["太差了，退货", "很好", "一般 <b>般</b>", "not good", "great", "broken on arrival"]
TRUTH = np.array([True, False, False, True, False, True])
CHANCES = np.array([0.97, 0.02, 0.55, 0.4, 0.1, 0.8])


@pytest.fixture
def explorer():
    return threshold_explorer(TEXTS, TRUTH, CHANCES)


@pytest.mark.parametrize("threshold", [*THRESHOLDS, 0.4])
def test_counts_and_cost_are_the_library_s(explorer, threshold):
    seen = explorer.outcome(threshold)
    alarm = np.greater_equal(CHANCES, threshold)
    _, false_alarms, missed, found = confusion_matrix(TRUTH, alarm, labels=[False, True]).ravel()
    assert (seen.found, seen.missed, seen.false_alarms) == (found, missed, false_alarms)
    assert seen.precision == pytest.approx(precision_score(TRUTH, alarm, zero_division=0))
    assert seen.recall == pytest.approx(recall_score(TRUTH, alarm))
    mean = cost_of_threshold(TRUTH, CHANCES, [threshold], missed=10, false_alarm=1)[0]
    assert seen.cost(10) == pytest.approx(6 * mean)


def test_no_alarm_divides_by_nothing(explorer):
    seen = explorer.outcome(0.99)
    assert (seen.alarms, seen.precision, seen.recall) == (0, 0.0, 0.0)


def test_closest_calls_come_first(explorer):
    assert [TEXTS[i] for i in explorer.closest(0.5)[:2]] == ["一般 <b>般</b>", "not good"]


def test_static_view_shows_every_threshold_and_loads_nothing(explorer):
    page, text = explorer._repr_html_(), repr(explorer)
    for threshold in THRESHOLDS:
        assert f"{threshold:.2f}" in page and f"{threshold:.2f}" in text
    assert "6 texts, 3 complaints; a missed one costs 10" in page
    assert "&lt;b&gt;" in page and "<b>" not in page
    assert remote_loads(page) == []
    assert page == explorer._repr_html_()


def test_a_translation_stands_below_its_text_in_both_views():
    said = {TEXTS[2]: "So & <so>."}
    explorer = threshold_explorer(TEXTS, TRUTH, CHANCES, translate=lambda t: said.get(t, ""))
    assert "一般 <b>般</b> [So & <so>.]" in repr(explorer) and "not good\n" in repr(explorer)
    assert "[So &amp; &lt;so&gt;.]" in explorer._repr_html_()
    text = explorer.widget().children[3]
    assert text.value.count("<blockquote") == 2 and "So &amp; &lt;so&gt;." in text.value


def test_sliders_change_the_numbers(explorer):
    box = explorer.widget()
    assert isinstance(box, Box) and not any(isinstance(child, Output) for child in box.children)
    _, controls, numbers, text, _, _ = box.children
    threshold, price = controls.children
    assert numbers.value == as_html(explorer.outcome(0.5), 10)
    threshold.value, price.value = 0.1, 5
    assert numbers.value == as_html(explorer.outcome(0.1), 5)
    assert "great" in text.value  # 0.10 is the closest call now


def test_labelling_compares_with_the_published_label(explorer):
    *_, text, buttons, said = explorer.widget().children
    complaint, harmless = buttons.children
    assert "般" in text.value and "Read the text" in said.value
    complaint.click()
    assert "agrees on 0" in said.value and "no complaint; the model said 0.55" in said.value
    assert "not good" in text.value
    complaint.click()
    assert "You labelled 2; the published label agrees on 1 of them" in said.value
    for _ in range(5):
        harmless.click()
    assert "labelled every text" in text.value


@pytest.mark.parametrize(
    ("texts", "truth", "chances", "message"),
    [
        (TEXTS, TRUTH[:3], CHANCES, "6 texts, labels"),
        ([], [], [], "0 texts"),
        (TEXTS, TRUTH, CHANCES + 0.5, "between 0 and 1"),
        (TEXTS, TRUTH, CHANCES * np.nan, "NaN"),
    ],
)
def test_what_does_not_fit_is_refused(texts, truth, chances, message):
    with pytest.raises(EcomTutorError, match=message):
        threshold_explorer(texts, truth, chances)
