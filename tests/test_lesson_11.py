"""What the figures of lesson 11 compute, on a game whose answers are known."""

import numpy as np
import pytest

from ecomtutor.figures import lesson_11
from ecomtutor.interpretability import Game, Unit, Units, lime_words


def words_game(text: str, worth) -> Game:
    """A game whose units are the words of a text; worth is computed from who is there, by name."""
    names = lesson_11.in_words(text)
    units = tuple(Unit(name, i, i + 1, (i,)) for i, name in enumerate(names))
    ids = np.arange(10, 10 + len(names))

    def score(rows):
        there = [dict(zip(names, row != 1, strict=True)) for row in rows]
        return np.array([[-worth(each), worth(each)] for each in there], dtype=float)

    return Game(Units(text, ids, units, 1, 0), score, outputs=("negative", "positive"))


@pytest.fixture
def known(monkeypatch):
    """Games with one answer for each review: praise alone is good, after its negation bad."""

    def not_top(there):
        return -1.0 if there["not"] and there["top"] else 0.5 * there["top"]

    def not_practical(there):
        return -1.0 if there["不"] and there["实用"] else 0.5 * there["实用"]

    games = {
        lesson_11.FLIPS["en"]: words_game(lesson_11.FLIPS["en"], not_top),
        lesson_11.FLIPS["zh"]: words_game(lesson_11.FLIPS["zh"], not_practical),
        lesson_11.LONG: words_game("good phone, bad wire", lambda there: there["good"] * 2.0),
    }
    monkeypatch.setattr(lesson_11, "game", lambda text, language: games[text])
    lesson_11.runs.cache_clear()
    yield
    lesson_11.runs.cache_clear()


def test_words_of_two_languages():
    assert lesson_11.in_words("用iPhone很好。") == ["用", "iPhone", "很", "好", "。"]
    assert "".join(lesson_11.in_words(lesson_11.CLAUSES)) == lesson_11.CLAUSES


def test_clauses_are_words_to_lime_unless_it_is_told():
    assert lime_words(lesson_11.CLAUSES).units.texts == ["楼很老", "房间很大", "服务不错"]
    assert len(lime_words(lesson_11.CLAUSES, lesson_11.in_words)) > 6


def test_repeated_words_are_one_unit_in_a_bag():
    bag = lime_words(lesson_11.REPEATS, lesson_11.in_words)
    places = lime_words(lesson_11.REPEATS, lesson_11.in_words, bow=False)
    assert len(places) - len(bag) == 4 and bag.units.texts.count("离") == 1


def test_nearness_at_one_half():
    # d = 1 - sqrt(1/2); exp(-d² / (2 · 0.25²)) = 0.2533 ** 0.5
    assert "width 0.25 (lime's 25) 0.50" in lesson_11.nearness().alt


def test_distinct_draws_are_all_masks_of_short_texts():
    alt = lesson_11.distinct_draws().alt
    assert "4 words 16, 6 words 64, 8 words 256" in alt


def test_the_sign_of_a_word_depends_on_the_width(known):
    for language in ("en", "zh"):
        names = lesson_11.game(lesson_11.FLIPS[language], language).units.texts
        praise = lesson_11.by_width(language)[:, names.index(lesson_11.PAIRS[language][1])]
        assert praise[0] < -0.2 and praise[-1] > praise[0] + 0.2
    assert "top goes from -" in lesson_11.kernel_widths().alt


def test_runs_are_ten_and_fewer_samples_are_the_first_ones(known):
    few, many = lesson_11.runs(50), lesson_11.runs(100)
    assert len(few) == len(many) == lesson_11.SEEDS
    values = lesson_11.values_of(many)
    assert values.shape == (10, len(many[0].units))
    assert (values.argmax(axis=1) == many[0].units.texts.index("good")).all()
    assert np.allclose(values, -lesson_11.values_of(many, "negative"))


def test_the_spread_of_a_linear_model_is_what_ridge_leaves(known):
    alt = lesson_11.spread().alt
    assert all(f"{samples} samples 0.0" in alt for samples in lesson_11.SAMPLES)
    assert "good from 1." in lesson_11.ten_seeds(400, top=2).alt
