"""Exact match and F1 as SQuAD and CMRC define them, on cases worked out by hand."""

import math

import pytest

from ecomtutor.errors import EcomTutorError
from ecomtutor.metrics.spans import (
    exact_match,
    normalise_answer,
    segments,
    span_f1,
    span_metrics,
)


@pytest.mark.parametrize(
    ("given", "left"),
    [
        ("The  Coupon-Centre!", "couponcentre"),
        ("a ¥20 coupon", "¥20 coupon"),
        ("Theatre", "theatre"),
        ("An apple, a day", "apple day"),
        ("the", ""),
        ("1,299.00", "129900"),
    ],
)
def test_english_is_normalised_as_squad_does(given: str, left: str) -> None:
    assert normalise_answer(given, "en") == left


@pytest.mark.parametrize(
    ("given", "left"),
    [
        ("《满减券》。", "满减券"),
        ("iPhone 15", "iphone 15"),
        ("10：00", "1000"),
        ("3.5 kg", "3.5 kg"),
    ],
)
def test_chinese_is_normalised_as_cmrc_does(given: str, left: str) -> None:
    assert normalise_answer(given, "zh") == left


def test_chinese_segments_are_characters_and_runs() -> None:
    assert segments("满199减20", "zh") == ["满", "199", "减", "20"]
    mixed = ["用", "usbc", "充", "电", "3.5", "小", "时"]
    assert segments("用USB-C充电3.5小时", "zh") == mixed


@pytest.mark.parametrize(
    ("said", "gold", "f1"),
    [
        ("within 14 days", "14 days", 0.8),  # P 2/3, R 1
        ("the 14 days", "14 days", 1.0),  # the article does not count
        ("days days", "days", 2 / 3),  # a word counts as often as it stands in both
        ("seven", "14 days", 0.0),
        ("", "14 days", 0.0),
        ("the", "", 1.0),  # nothing is left of it, as in the script
    ],
)
def test_english_f1_by_hand(said: str, gold: str, f1: float) -> None:
    assert span_f1(said, [gold], "en") == pytest.approx(f1)


@pytest.mark.parametrize(
    ("said", "gold", "f1"),
    [
        ("14天内", "14天", 0.8),  # 14, 天 of 14, 天, 内
        ("每季度一张", "每季度", 0.75),
        # CMRC counts the longest run, not all shared characters: 甲乙 of four.
        ("甲乙丙丁", "甲乙丁丙", 0.5),
        ("", "14天", 0.0),
        ("", "", 1.0),
    ],
)
def test_chinese_f1_by_hand(said: str, gold: str, f1: float) -> None:
    assert span_f1(said, [gold] if gold else [], "zh") == pytest.approx(f1)


def test_the_best_accepted_answer_counts() -> None:
    assert exact_match("14 days.", ["two weeks", "14 Days"], "en") == 1.0
    assert exact_match("14 day", ["two weeks", "14 Days"], "en") == 0.0
    assert span_f1("14天内", ["14天", "14天内"], "zh") == 1.0


def test_figures_over_questions_by_hand() -> None:
    said = ["14 days", "within 14 days", "", "¥20", ""]
    accepted = [["14 days"], ["14 days"], ["¥50"], [], []]
    found = span_metrics(said, accepted, "en")
    assert found["answerable_exact"] == pytest.approx(1 / 3)
    assert found["answerable_f1"] == pytest.approx((1 + 0.8 + 0) / 3)
    assert found["exact"] == pytest.approx(2 / 5)
    assert found["f1"] == pytest.approx((1 + 0.8 + 0 + 0 + 1) / 5)
    # Two refusals, one of them right; two questions without an answer, one of them refused.
    assert found["no_answer_precision"] == found["no_answer_recall"] == 0.5
    assert found["no_answer_f1"] == pytest.approx(0.5)
    assert (found["questions"], found["answerable"]) == (5, 3)


def test_no_answer_figures_at_their_edges() -> None:
    never = span_metrics(["x", "y"], [["x"], []], "en")
    assert (never["no_answer_precision"], never["no_answer_f1"]) == (0, 0)
    assert math.isnan(span_metrics(["x"], [["x"]], "en")["no_answer_f1"])
    assert math.isnan(span_metrics([""], [[]], "en")["answerable_f1"])


def test_doors() -> None:
    with pytest.raises(EcomTutorError, match='"en" and "zh"'):
        span_f1("a", ["a"], "fr")
    with pytest.raises(EcomTutorError, match="None came"):
        exact_match(None, ["a"], "en")  # type: ignore[arg-type]
    with pytest.raises(EcomTutorError, match="list of right answers"):
        exact_match("a", "abc", "en")
    with pytest.raises(EcomTutorError, match="2 answers and 1 lists"):
        span_metrics(["a", "b"], [["a"]], "en")
    with pytest.raises(EcomTutorError, match="0 answers"):
        span_metrics([], [], "en")
