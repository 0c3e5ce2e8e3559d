"""What the figures and the prose of lesson 10 say, on games whose answers are known."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from ecomtutor.figures import lesson_10
from ecomtutor.interpretability import Explanation, Game, Unit, Units


def made_up(texts: list[str]) -> Game:
    """Worth 1 for the first unit, and 3 more if the first two and the last are all there."""
    units = tuple(Unit(text, i, i + 1, (i,)) for i, text in enumerate(texts))
    table = Units("".join(texts), np.arange(10, 10 + len(texts)), units, 1, 0)

    def score(rows: list[np.ndarray]) -> np.ndarray:
        return np.array([[(r[0] >= 10) + 3.0 * (min(r[0], r[1], r[-1]) >= 10)] for r in rows])

    return Game(table, score, outputs=("complaint",))


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    games = {lesson_10.FOUR: made_up(list("abcd")), lesson_10.TEN: made_up(list("abcdefgh"))}
    monkeypatch.setattr(lesson_10, "game", lambda text, *_: games[text])


def explained(values: list[float]) -> Explanation:
    units = tuple(Unit("x", i, i + 1, (i,)) for i in range(len(values)))
    found = Units("x" * len(values), np.arange(len(values)), units, 1, 0)
    table, zero = np.array(values)[:, None], np.zeros(1)
    return Explanation(found, table, zero, zero, "Owen values", 0, 0, True)


def test_a_share_is_what_a_neighbour_has_too() -> None:
    values = explained([0.1, 0.1, 0.2, 0.1, 0.3, 0.3, 0.3])
    assert lesson_10.shared(values).tolist() == [True, True, False, False, True, True, True]


def test_distance_is_the_mean_over_units() -> None:
    assert lesson_10.off(explained([1.0, 2.0]), explained([0.0, 5.0])) == 2.0


def test_errors_fall_to_zero_where_all_rows_are_asked(small: None) -> None:
    lesson_10.errors.cache_clear()
    table = lesson_10.errors(seeds=3)
    lesson_10.errors.cache_clear()
    kernel = table[table.method == "Kernel SHAP"]
    assert kernel.error.iloc[-1] < 1e-9 < kernel.error.iloc[0]  # 640 rows: all 256 sets
    sampled = table[table.method == "sampled orders"]
    assert sampled.rows.tolist() == [32, 64, 128, 256, 512, 1024]
    trees = table[table.method.str.startswith("Owen")]
    assert trees.groupby("method").rows.max().tolist() == [44, 44]  # 2/3 (64 - 1) + 2


def test_figures_say_what_was_computed(small: None, monkeypatch: pytest.MonkeyPatch) -> None:
    alt = lesson_10.sixteen().alt
    assert "Nobody 0.00, all 4.00; with b alone 0.00, with c alone 0.00" in alt
    # The first unit keeps its own 1 and a third of the 3 that it makes with two others.
    assert "mask from 0.00: 2.00, 1.00, 0.00, 1.00" in lesson_10.baselines().alt
    long = explained([0.0, 0.5, 0.5, -0.2, 0.3, 0.3, 0.3, 0.0])
    monkeypatch.setattr(lesson_10, "default_budget", lambda: long)
    assert "Bars for 6 tokens. 5 are hatched" in lesson_10.blurred().alt


def test_the_summary_figure_names_strength_and_mean(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [("没有", 1.2, 1.2, 1.0, 4, 4), ("很", 0.6, -0.6, 0.2, 5, 5)]
    columns = ["word", "strength", "mean", "up", "places", "texts"]
    table: Any = pd.DataFrame(rows, columns=columns).set_index("word")
    monkeypatch.setattr(lesson_10, "summary", lambda language: table)
    assert "没有 1.20, mean 1.20; 很 0.60, mean -0.60" in lesson_10.global_words().alt


def test_the_long_review_is_as_long_as_the_lesson_says() -> None:
    from ecomtutor.text import words

    assert len(lesson_10.LONG) == 109 and len(words(lesson_10.LONG)) == 68
