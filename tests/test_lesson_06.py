"""What lesson 06 says of the two encoders, and its figures on attention that is made up."""

import numpy as np
import pandas as pd
import pytest

from ecomtutor.exercises.registry import load_lesson
from ecomtutor.figures import lesson_06
from ecomtutor.interpretability import heads, rollout
from ecomtutor.interpretability.attention import AttentionParts


def made_up(kind: str, tokens: int = 6) -> lesson_06.Read:
    """A review read by one layer of two heads: one of a kind, one that looks everywhere alike."""
    alike = np.full((tokens, tokens), 1 / tokens)
    step = {"previous": -1, "next": 1}[kind]
    places = np.clip(np.arange(tokens) + step, 0, tokens - 1)
    weights = np.stack([np.eye(tokens)[places], alike])[None]
    norms = np.ones((1, tokens, tokens))
    ids = np.arange(2, 2 + tokens)
    return lesson_06.Read([str(i) for i in ids], ids, weights, norms)


@pytest.fixture
def small(monkeypatch):
    reviews = {"en": (made_up("previous"),), "zh": (made_up("next", 8),)}
    monkeypatch.setattr(lesson_06, "read", reviews.__getitem__)


def test_kinds_are_told(small):
    alt = lesson_06.kinds_of_heads().alt
    assert "MiniLM (English): 1 previous, 0 next" in alt and "1 broad" in alt
    assert "m3e-small (Chinese): 0 previous, 1 next" in alt


def test_special_tokens_are_told(small):
    """Two of six: a head that looks back gives [CLS] 2/6, the other 2/6; norms are all alike."""
    table = lesson_06.special_shares("en")
    assert table.raw[0] == pytest.approx((2 / 6 + 2 / 6) / 2)
    assert table.norm[0] == table.chance[0] == pytest.approx(2 / 6)
    assert "by chance 0.33" in lesson_06.special_share().alt


def test_pruning_is_told(monkeypatch):
    orders = ["least important first", "in random order", "most important first"]
    falls = {"least important first": 0.85, "in random order": 0.7, "most important first": 0.6}
    rows = [
        (order, gone, {0: 0.9, 4: falls[order], 8: 0.5}[gone])
        for order in orders
        for gone in (0, 4, 8)
    ]
    table = pd.DataFrame(rows, columns=["order", "gone", "accuracy"])
    table.attrs["majority"] = 0.5
    monkeypatch.setattr(lesson_06, "pruned", lambda language: table)
    alt = lesson_06.pruning().alt
    assert "0.90 with all heads; half gone: 0.85 least important first, 0.70 in random order" in alt


def test_the_first_token_is_told(monkeypatch):
    weights = np.zeros((3, 1, 4, 4))
    weights[..., 0] = 1
    monkeypatch.setattr(lesson_06, "prompt_parts", lambda: ([*"abcd"], weights, np.ones((3, 4, 4))))
    assert (
        "raw 1.00 on average, of what arrives 0.25, by chance 0.52" in lesson_06.first_token().alt
    )


@pytest.fixture(scope="module")
def solved():
    """The reference solutions of the lesson, by the name of the function."""
    found = {}
    for exercise in load_lesson("06").exercises:
        space = {}
        exec(exercise.setup + "\n" + exercise.solution, space)
        found[exercise.answer] = space[exercise.answer]
    return found


def test_what_readers_write_is_what_the_package_computes(solved):
    rng = np.random.default_rng(0)
    weights = rng.dirichlet(np.ones(6), size=(3, 2, 6))
    vectors = rng.normal(size=(3, 2, 6, 5))
    table = np.eye(6, k=-1, dtype=bool)
    assert solved["previous_share"](weights[0, 0]) == pytest.approx(
        heads.share(weights, table)[0, 0]
    )
    norms = AttentionParts(weights, vectors).norms[1, 1]
    share = norms / norms.sum(axis=-1, keepdims=True)
    assert np.allclose(solved["what_arrives"](weights[1, 1], vectors[1, 1]), share)
    assert np.allclose(solved["rollout"](weights), rollout(weights)[-1])
    wide = np.exp(heads.entropy(weights))[2, 0]
    assert solved["width"](weights[2, 0], np.ones(6)) == pytest.approx(wide)


def test_what_the_lesson_says_of_the_encoders():
    """Bounds around the findings that the prose of the lesson stands on."""
    english, chinese = (lesson_06.special_shares(language) for language in ("en", "zh"))
    assert english.raw[1:5].min() > 0.4 and (english.norm < 1.2 * english.chance).all()
    assert chinese.raw.max() > 0.4 and (chinese.norm < 2.1 * chinese.chance).all()
    for language, head in (("en", (0, 2)), ("zh", (0, 7))):
        reviews = lesson_06.read(language)
        shares, _ = heads.head_shares([(r.weights, lesson_06.patterns(r)) for r in reviews])
        assert shares["previous"][head] > 0.98
        assert len(reviews) == lesson_06.REVIEWS


def test_the_head_for_names_is_confirmed_and_controlled():
    brand = lesson_06.looked_at("zh", lesson_06.BRANDS["zh"])[20:, 3, 6].mean()
    control = lesson_06.looked_at("zh", lesson_06.PRODUCT_WORDS["zh"])[:, 3, 6].mean()
    assert brand > 5 and control < 2


def test_the_texts_that_are_explained_are_short_and_carry_a_sign():
    for language in ("en", "zh"):
        texts = lesson_06.few_texts(language)
        assert len(set(texts)) == 12
        assert max(map(len, texts)) <= lesson_06.PRUNED_LENGTH[language]
