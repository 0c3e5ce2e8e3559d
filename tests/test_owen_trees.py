"""Where a text is cut for Owen values, and the bar that a long question shows."""

from typing import Any

import numpy as np
import pytest

from ecomtutor.errors import EcomTutorError
from ecomtutor.interpretability import (
    Game,
    Unit,
    Units,
    game,
    owen_values,
)
from ecomtutor.interpretability.trees import cut_of

ZH = ["书", "很", "好", "，", "包装", "破", "了", "。", "物流", "慢", "！"]
EN = ["Good", "sound", ",", "poor", "battery", ".", "I", "sent", "it", "back", "!!!"]


def units(texts: list[str]) -> Units:
    places = tuple(Unit(text, i, i + 1, (i,)) for i, text in enumerate(texts))
    return Units("".join(texts), np.arange(10, 10 + len(texts)), places, 1, 0)


def made_up(texts: list[str], pairs: list[tuple[int, int]], **how: Any) -> Game:
    """A game that is worth one for each of some pairs whose two units are there."""

    def score(rows: list[np.ndarray]) -> np.ndarray:
        there = np.stack([row >= 10 for row in rows])
        return np.array([[sum(r[a] and r[b] for a, b in pairs)] for r in there], dtype=float)

    return Game(units(texts), score, **how)


@pytest.mark.parametrize(("texts", "sentence", "clause"), [(ZH, 8, 4), (EN, 6, 3)])
def test_sentences_come_before_clauses_in_both_languages(
    texts: list[str], sentence: int, clause: int
) -> None:
    cut = cut_of(units(texts), "punctuation")
    assert cut(0, len(texts)) == sentence
    assert cut(0, sentence) == clause
    assert cut(clause, sentence) == (clause + sentence) // 2  # no mark inside: halves
    assert cut(sentence, len(texts)) == (sentence + len(texts)) // 2


def test_of_equal_marks_the_one_nearest_the_middle_cuts() -> None:
    cut = cut_of(units(["a", ",", "b", ",", "c", "d", "e", ",", "f"]), "punctuation")
    assert cut(0, 9) == 4


@pytest.mark.parametrize("tree", ["balanced", "punctuation", lambda start, end: start + 1])
@pytest.mark.parametrize("texts", [ZH, EN, ["，"] * 5, ["好"], ["！", "。"]])
def test_on_every_tree_values_add_up_and_all_are_resolved(tree: Any, texts: list[str]) -> None:
    pairs = [(0, len(texts) - 1), (0, len(texts) // 2)]
    explanation = owen_values(made_up(texts, pairs), tree=tree)
    assert np.allclose(explanation.gap, 0) and explanation.resolved == len(texts)
    assert explanation.settings["tree"] == (tree if isinstance(tree, str) else "own rule")


def test_a_word_alone_in_its_clause_is_found_sooner_on_the_tree_of_marks() -> None:
    texts = ["好", "，", "a", "b", "c", "d", "e", "f"]
    marks = owen_values(made_up(texts, [(0, 0)]), budget=8, tree="punctuation")
    halves = owen_values(made_up(texts, [(0, 0)]), budget=8)
    assert np.allclose(marks.values[:, 0], [1, 0, 0, 0, 0, 0, 0, 0])
    assert halves.values[0, 0] < 0.7


def test_the_budget_holds_and_the_rest_is_reported_on_a_lopsided_tree() -> None:
    short = owen_values(made_up(ZH, [(0, 10)]), budget=9, tree=lambda start, end: end - 1)
    assert short.asked <= 9 and np.allclose(short.gap, 0)
    assert short.resolved is not None and 0 < short.resolved < len(ZH)


def test_a_rule_that_cuts_outside_is_told() -> None:
    with pytest.raises(EcomTutorError, match=r"units 0 … 10 in two parts.* 11 came"):
        owen_values(made_up(ZH, [(0, 1)]), tree=lambda start, end: end)
    with pytest.raises(EcomTutorError, match="'balanced', 'punctuation' or a rule"):
        owen_values(made_up(ZH, [(0, 1)]), tree="syntax")  # type: ignore[arg-type]


def everything(n: int) -> np.ndarray:
    return (np.arange(2**n)[:, None] >> np.arange(n)) & 1 == 1


def test_a_long_question_shows_a_bar_and_a_short_one_none(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(game, "PATIENCE", 0.0)
    made_up(ZH, [(0, 1)], progress=True)(everything(11)[:100])
    assert capsys.readouterr().err == ""
    made_up(ZH, [(0, 1)], progress=False)(everything(11))
    assert capsys.readouterr().err == ""
    made_up(ZH, [(0, 1)], progress=True)(everything(11))
    assert "2048" in capsys.readouterr().err


def test_an_interrupt_keeps_whole_batches_and_the_same_question_goes_on(
    capsys: pytest.CaptureFixture[str],
) -> None:
    interrupted = made_up(ZH, [(0, 1)], progress=True)
    score, calls = interrupted.score, []

    def stopped(rows: list[np.ndarray]) -> np.ndarray:
        calls.append(len(rows))
        if len(calls) == 4:
            raise KeyboardInterrupt
        return score(rows)

    interrupted.score = stopped
    with pytest.raises(KeyboardInterrupt):
        interrupted(everything(11))
    assert interrupted.count.made == 3 * game.ROWS_AT_ONCE
    answers = interrupted(everything(11))
    assert sum(calls) == 2048 + game.ROWS_AT_ONCE  # only the batch that was stopped came twice
    assert (answers == made_up(ZH, [(0, 1)])(everything(11))).all()
    assert "row" not in capsys.readouterr().err
