"""What lesson 08 stands on: a sample is measured like everybody, and its figures say what is so."""

import numpy as np
import pandas as pd
import pytest

from ecomtutor.errors import EcomTutorError
from ecomtutor.exercises.checking import Wrong
from ecomtutor.exercises.registry import find_exercise
from ecomtutor.figures import lesson_08
from ecomtutor.recommendation import (
    OwnFrequency,
    Popularity,
    evaluate,
    training_purchases,
)


def test_everybody_as_a_sample_gives_what_no_sample_gives() -> None:
    known = training_purchases(42)
    scores = Popularity().fit(known).score()
    assert evaluate(scores, "next", households=known.households) == evaluate(scores, "next")


def test_a_sample_is_judged_by_its_own_purchases() -> None:
    known = training_purchases(42)
    ids = known.households[[5, 17, 400]]
    model = OwnFrequency(26).fit(known)
    found = evaluate(model.score(ids), "next", households=ids)
    one_by_one = [
        evaluate(model.score([household]), "next", households=[household]) for household in ids
    ]
    bought = [each for each in one_by_one if not np.isnan(each["ndcg"])]
    assert found["ndcg"] == pytest.approx(np.mean([each["ndcg"] for each in bought]))
    assert found["novelty"] == pytest.approx(np.mean([each["novelty"] for each in one_by_one]))


def test_a_sample_has_known_households_and_a_row_for_each() -> None:
    known = training_purchases(42)
    with pytest.raises(EcomTutorError, match="no household 999999"):
        evaluate(np.zeros((1, 25_797), np.float32), "next", households=[999_999])
    for task in ("next", "discovery"):
        with pytest.raises(EcomTutorError, match="2 households"):
            evaluate(np.zeros((3, 25_797), np.float32), task, households=known.households[:2])


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two households of a sample whose lists, purchases and truth can be checked by hand."""
    from types import SimpleNamespace

    from scipy.sparse import csr_array

    bought = csr_array(np.array([[1.0, 1, 0, 0, 0], [0, 0, 1, 0, 0]], np.float32))
    truth = csr_array(np.array([[1.0, 0, 1, 0, 0], [0, 0, 1, 0, 1]], np.float32))
    past = SimpleNamespace(counts=lambda: bought, of=lambda _: past, products=range(5))
    monkeypatch.setattr(lesson_08, "EVERY", 1)
    monkeypatch.setattr(lesson_08, "known", lambda: past)
    monkeypatch.setattr(lesson_08, "some", lambda: np.array([1, 2]))
    names = ("popularity", "own frequency", "ALS", "EASE")
    monkeypatch.setattr(lesson_08, "learned", lambda: dict.fromkeys(names))
    shown = {"popularity": [[0, 2], [0, 2]], "own frequency": [[0, 1], [2, 3]],
             "ALS": [[2, 3], [4, 3]], "EASE": [[3, 4], [0, 1]]}  # fmt: skip
    monkeypatch.setattr(lesson_08, "lists", lambda model, task: np.array(shown[model]))
    monkeypatch.setattr("ecomtutor.recommendation.wanted", lambda task, part: truth)


def test_hits_are_told_apart_by_what_was_bought_before(small: None) -> None:
    alt = lesson_08.habits().alt
    # Popularity: the first household's 0 is a habit, its 2 is new; the second's 2 is a habit.
    assert "popularity 1.0 and 0.5; own frequency 1.0 and 0.0; ALS 0.0 and 1.0" in alt
    assert "EASE 0.0 and 0.0" in alt


def test_the_twenty_most_frequent_of_five_products_are_everything(small: None) -> None:
    assert "what is discovered 1.00, lists of popularity 1.00" in lesson_08.popularity_bias().alt


def test_four_products_by_hand() -> None:
    alt = lesson_08.four_cosines().alt
    assert "bread and milk 0.82" in alt and "milk and tea 0.67" in alt
    assert "bread and nappies 0.00" in alt


def test_variety_names_the_likeness_at_both_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lesson_08, "varied", lambda task, balance: (0.3, 0.2 * balance))
    alt = lesson_08.variety().alt
    assert "next: plain order alike 0.2, balance 0.5 alike 0.1; discovery: plain" in alt


def test_feedback_says_what_became_of_the_first_list(monkeypatch: pytest.MonkeyPatch) -> None:
    ways = {True: ([10.0, 9.8], [100, 98]), False: ([10.0, 1.2], [100, 130])}
    monkeypatch.setattr(lesson_08, "loop", ways.__getitem__)
    alt = lesson_08.feedback().alt
    assert "may repeat: 10 of ten are still there in round 2" in alt and "hardly changed" in alt
    assert "what is new: 1 of ten" in alt and "products has grown" in alt


def test_the_fast_linear_model_of_the_simulation_is_ease() -> None:
    dice = np.random.default_rng(0)
    bought = dice.random((6, 9)) * (dice.random((6, 9)) < 0.5)
    gram = bought.T @ bought + 2.0 * np.eye(9)
    inverse = np.linalg.inv(gram)
    weights = -inverse / np.diag(inverse)
    np.fill_diagonal(weights, 0)
    np.testing.assert_allclose(lesson_08._linear(bought, 2.0), bought @ weights, atol=1e-9)


def test_every_feature_of_the_rankers_belongs_to_one_group() -> None:
    for task in ("next", "discovery"):
        shares = lesson_08.gains(task)
        assert sum(shares.values()) == pytest.approx(1)
    assert (
        lesson_08._group_of("due") == lesson_08._group_of("on_offer") == "habits with this product"
    )
    assert lesson_08._group_of("on_offer_21d") == "how the product sells"
    assert lesson_08._group_of("days_since_visit") == "the household"
    assert lesson_08._group_of("type_due") == "habits with its kind"
    assert lesson_08._group_of("ease_binary") == "ALS, EASE"


def test_what_the_lesson_says_of_what_the_rankers_read() -> None:
    nexts, discovery = lesson_08.gains("next"), lesson_08.gains("discovery")
    assert max(nexts, key=nexts.__getitem__) == "habits with this product"
    assert (
        "habits with this product" not in discovery or discovery["habits with this product"] < 0.01
    )
    assert max(discovery, key=discovery.__getitem__) == "ALS, EASE"


def test_the_ladder_takes_each_task_from_its_own_ranker(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [("popularity", 0.2, 0.06), ("hybrid, next", 0.51, 0.01), ("ALS", 0.24, 0.075),
            ("hybrid, discovery", 0.02, 0.09)]  # fmt: skip
    table = pd.DataFrame(rows, columns=["model", "next_ndcg", "discovery_ndcg"])
    monkeypatch.setattr(lesson_08, "recommenders", lambda: lesson_08.one_hybrid(table))
    alt = lesson_08.ladder().alt
    assert "next: popularity 0.200, ALS 0.240, hybrid 0.510" in alt
    assert "discovery: popularity 0.060, ALS 0.075, hybrid 0.090" in alt


_SPLIT = """
def split(lines, last_week, horizon):
    known = {kind}
    new = {{(h, p) for w, h, p in lines if last_week < w <= last_week + horizon}}
    return known, {result}(new - {{(h, p) for _, h, p in known}})
"""
_UNIQUE = """
def decayed(purchases, now, half_life_weeks):
    if not purchases:
        return {}
    days, names = map(np.array, zip(*purchases))
    weights = 0.5 ** ((now - days) / (7 * half_life_weeks))
    products, places = np.unique(names, return_inverse=True)
    return dict(zip(products, np.bincount(places, weights)))
"""
_COUNTER = """
def decayed(purchases, now, half_life_weeks):
    weights = collections.Counter()
    for day, product in purchases:
        weights[product] += 0.5 ** ((now - day) / (7 * half_life_weeks))
    return weights
"""
_MEETS = """
def meets(product, below, water):
    rating = product["attributes_en"].get("water resistance", "")
    known = rating.startswith("IP") and rating[-1].isdigit()
    return np.bool_(known and int(rating[-1]) >= water and product["price_cny"] < below)
"""
_LEFT = """
def mmr(relevance, similarity, k, balance):
    left, chosen = list(range(len(relevance))), []
    while left and len(chosen) < k:
        worth = [balance * relevance[i] - (1 - balance) * max((similarity[i, j] for j in chosen),
                 default=0.0) for i in left]
        chosen.append(left.pop(int(np.argmax(worth))))
    return list(np.array(chosen))
"""
RIGHT = {
    "in order of the weeks": ("08.1", _SPLIT.format(
        kind="sorted(line for line in lines if line[0] <= last_week)", result="frozenset")),
    "weeks of NumPy": ("08.1", _SPLIT.format(
        kind="[(np.int64(w), np.str_(h), p) for w, h, p in lines if w <= last_week]",
        result="set")),
    "keys of NumPy": ("08.3", _UNIQUE),
    "a Counter": ("08.3", _COUNTER),
    "True of NumPy": ("08.5", _MEETS),
    "numbers of NumPy": ("08.6", _LEFT),
}  # fmt: skip


def _judged(exercise: str, source: str) -> None:
    import collections

    names = {"np": np, "collections": collections}
    exec(source, names)
    found = find_exercise(exercise)
    found.check(names[found.names[0]])


@pytest.mark.parametrize(("exercise", "source"), RIGHT.values(), ids=RIGHT)
def test_right_answers_of_another_shape_pass(exercise: str, source: str) -> None:
    _judged(exercise, source)


def test_an_answer_that_fails_everywhere_keeps_its_own_error() -> None:
    with pytest.raises(KeyError, match="price"):
        _judged("08.5", "def meets(product, below, water):\n    return product['price'] < below")
    with pytest.raises(ValueError, match="empty"):
        _judged("08.6", "def mmr(*arguments):\n    return [max([])]")


def test_a_difference_in_the_split_is_said_in_one_sentence() -> None:
    source = _SPLIT.format(kind="[x for x in lines if x[0] <= last_week][1:]", result="set")
    with pytest.raises(Wrong, match=r"differs at key 'known lines', which lacks \"\(41, 'Ann',"):
        _judged("08.1", source)
