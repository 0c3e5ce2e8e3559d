"""Learned fusion: the fit finds what made the data, and the weights help on unseen questions."""

import json

import numpy as np
import pytest

from ecomtutor.errors import EcomTutorError, MissingResource
from ecomtutor.question_answering import fusion
from ecomtutor.question_answering.retrieve import Retriever, recall_at

RNG = np.random.default_rng(0)


def test_the_fit_finds_the_weights_that_chose_the_pages() -> None:
    true = np.array([2.0, -1.0, 0.5, 0.0])
    rows = RNG.normal(size=(4000, 30, 4))
    chances = np.exp(rows @ true)
    right = np.array([RNG.choice(30, p=each / each.sum()) for each in chances])
    assert fusion.fitted(rows, right) == pytest.approx(true, abs=0.12)
    assert fusion.fitted(rows, right) == pytest.approx(fusion.fitted(rows, right), abs=1e-12)


def test_questions_that_are_all_easy_leave_the_weights_finite() -> None:
    rows = np.zeros((50, 5, 4))
    rows[:, 2, 0] = 1.0
    weights = fusion.fitted(rows, np.full(50, 2))
    assert np.isfinite(weights).all() and weights[0] > 3 and not weights[1:].any()


def test_scores_are_compared_within_one_question_only() -> None:
    words, whole, sentence = RNG.normal(size=(3, 12))
    product = np.arange(12) % 2.0
    one = fusion.features(words, whole, sentence, product)
    other = fusion.features(words * 40 + 3, whole / 7, sentence - 1, product)
    assert one == pytest.approx(other) and one.shape == (12, len(fusion.NAMES))
    none = fusion.features(np.zeros(12), whole, sentence, product)  # no word of it stands anywhere
    assert np.isfinite(none).all() and not none[:, 0].any()
    with pytest.raises(EcomTutorError, match="same pages"):
        fusion.features(words[:5], whole, sentence, product)


def test_weights_are_kept_and_found(tmp_path, monkeypatch) -> None:
    weights = {"en": dict.fromkeys(fusion.NAMES, 0.5), "zh": dict.fromkeys(fusion.NAMES, 0.25)}
    path = fusion.save(weights, tmp_path)
    assert json.loads(path.read_text("utf-8")) == weights
    monkeypatch.setattr(fusion, "_path", lambda: path)
    assert fusion.load.__wrapped__("zh").tolist() == [0.25] * 4
    for broken in ("{", '{"en": {"words": 1}}', '{"en": 3}'):
        path.write_text(broken, "utf-8")
        with pytest.raises(MissingResource, match="question_answering fuse"):
            fusion.load.__wrapped__("en")


@pytest.mark.parametrize("language", ["en", "zh"])
def test_learned_weights_find_more_unseen_pages_than_ranks(language: str) -> None:
    learned, ranks = (recall_at(language, "validation", way) for way in ("learned", "both"))
    assert learned[3] >= ranks[3] and sum(learned.values()) > sum(ranks.values())
    shop = Retriever(language)
    scores = shop.scores("refund", "learned")
    assert shop.search("refund", 1)[0].score == scores.max()
