"""The engine and its methods, against brute force, closed forms and games with known answers."""

import tracemalloc
from collections.abc import Callable
from itertools import permutations
from typing import Any

import numpy as np
import pytest

from ecomtutor.errors import EcomTutorError
from ecomtutor.interpretability import (
    INSIDE,
    Explanation,
    Game,
    Unit,
    Units,
    add_up,
    exact_shapley,
    explain,
    faithfulness,
    kernel_shap,
    leave_one_out,
    lime,
    occlusion,
    one_alone,
    owen_values,
    random_faithfulness,
    rank_agreement,
    sampled_shapley,
    units_of,
    weighted_ridge,
)
from ecomtutor.models import load_encoder, load_shop_gpt

MASK, PAD = 1, 0


def made_up(n: int) -> Units:
    """n units with one token each, 10, 11, …, between two special tokens."""
    units = tuple(Unit(chr(97 + i), i, i + 1, (i + 1,)) for i in range(n))
    ids = np.array([2, *range(10, 10 + n), 3])
    return Units("".join(unit.text for unit in units), ids, units, MASK, PAD)


def scored(n: int, worth: Callable[[np.ndarray], list[float]], **how: Any) -> Game:
    """A game whose worth is computed from who is there, (n,) of true and false."""

    def score(rows: list[np.ndarray]) -> np.ndarray:
        return np.array([worth(np.isin(np.arange(10, 10 + n), row)) for row in rows])

    return Game(made_up(n), score, **how)


RNG = np.random.default_rng(0)
TABLE = RNG.normal(size=(2**8, 2))


def wild(n: int = 6) -> Game:
    """A game without any structure: each coalition has a random worth, two outputs."""
    return scored(n, lambda there: list(TABLE[int((there * 2 ** np.arange(n)).sum())]))


def linear(n: int) -> Game:
    return scored(n, lambda there: [float(there @ np.arange(1, n + 1)), -float(there.sum())])


def brute_force(game: Game) -> np.ndarray:
    n = len(game)
    values = np.zeros((n, len(game.empty)))
    orders = list(permutations(range(n)))
    for order in orders:
        there = np.zeros(n, dtype=bool)
        before = game(there)[0]
        for unit in order:
            there[unit] = True
            after = game(there)[0]
            values[unit] += after - before
            before = after
    return values / len(orders)


def test_exact_values_are_those_of_all_orders() -> None:
    game = wild(6)
    explanation = exact_shapley(game)
    assert np.allclose(explanation.values, brute_force(game), atol=1e-12)
    assert np.allclose(explanation.gap, 0, atol=1e-12) and explanation.adds_up
    assert explanation.made == 64 and explanation.resolved == 6


def test_exact_values_refuse_what_they_cannot_count() -> None:
    with pytest.raises(EcomTutorError, match="17 units have 1e"):
        exact_shapley(linear(17))


@pytest.mark.parametrize(
    "method",
    [exact_shapley, owen_values, sampled_shapley, kernel_shap, leave_one_out, one_alone, occlusion],
)
def test_of_a_linear_model_every_method_finds_the_weights(method: Any) -> None:
    explanation = method(linear(8), **({"width": 1} if method is occlusion else {}))
    assert np.allclose(explanation.values[:, 0], np.arange(1, 9), atol=1e-9)
    assert np.allclose(explanation.values[:, 1], -1, atol=1e-9)
    assert np.allclose(explanation.gap, 0, atol=1e-8)


@pytest.mark.parametrize("method", [owen_values, sampled_shapley, kernel_shap])
@pytest.mark.parametrize("n", [1, 2, 5, 8])
def test_values_that_promise_to_add_up_do(method: Any, n: int) -> None:
    explanation = method(wild(n))
    assert explanation.adds_up and np.allclose(explanation.gap, 0, atol=1e-10)
    assert explanation.values.shape == (n, 2)


def test_kernel_shap_with_all_coalitions_is_exact() -> None:
    exact = exact_shapley(wild(6)).values
    assert np.allclose(kernel_shap(wild(6), samples=62).values, exact, atol=1e-9)
    rough = kernel_shap(wild(8), samples=120).values
    assert 1e-6 < np.abs(rough - exact_shapley(wild(8)).values).max() < 1.0


def test_sampling_says_how_wrong_it_may_be() -> None:
    exact = exact_shapley(wild(7)).values
    sampled = sampled_shapley(wild(7), orders=400, seed=3)
    assert sampled.errors is not None and sampled.settings["seed"] == 3
    off = np.abs(sampled.values - exact) / sampled.errors
    assert (off < 4.5).all() and (off < 1).mean() > 0.4
    again = sampled_shapley(wild(7), orders=400, seed=3)
    assert (again.values == sampled.values).all()


def test_owen_values_of_two_by_two_by_hand() -> None:
    """Four units, worth 1 when the first and the third are there: each half gets its half."""
    game = scored(4, lambda there: [float(there[0] and there[2])])
    assert np.allclose(owen_values(game).values[:, 0], [0.5, 0, 0.5, 0])


def test_owen_values_say_what_the_budget_left_open() -> None:
    game = scored(16, lambda there: [float(there[3])])
    short = owen_values(game, budget=8)
    assert short.resolved is not None and short.resolved < 16
    assert short.asked <= 8 and np.allclose(short.gap, 0)
    assert 0 < short.values[3, 0] < 1 and short.values[2, 0] > 0
    whole = owen_values(scored(16, lambda there: [float(there[3])]))
    assert whole.resolved == 16 and whole.values[3, 0] == 1.0
    assert "16 of 16 units resolved" in str(whole)


def test_a_tree_over_m_units_asks_two_thirds_of_m_squared() -> None:
    explanation = owen_values(wild(8))
    assert explanation.asked == 2 * (8**2 - 1) // 3 + 2


def test_lime_is_weighted_ridge_in_closed_form() -> None:
    from sklearn.linear_model import Ridge

    x, y, weight = RNG.random((40, 5)) < 0.5, RNG.normal(size=(40, 2)), RNG.random(40)
    values, intercept, fit = weighted_ridge(x.astype(float), y, weight, 1.0)
    library = Ridge(alpha=1.0).fit(x, y, sample_weight=weight)
    assert np.allclose(values.T, library.coef_) and np.allclose(intercept, library.intercept_)
    each = [
        Ridge(alpha=1.0).fit(x, y[:, k], sample_weight=weight).score(x, y[:, k], weight)
        for k in range(2)
    ]
    assert np.allclose(fit, each)


def test_lime_finds_linear_weights_and_reports_its_fit() -> None:
    explanation = lime(linear(6), samples=2000, ridge=1e-6)
    assert np.allclose(explanation.values[:, 0], np.arange(1, 7), atol=1e-4)
    assert np.allclose(explanation.settings["fit"], 1) and not explanation.adds_up
    assert explanation.made <= 64 < explanation.asked


def test_occlusion_shares_a_window_among_its_units() -> None:
    explanation = occlusion(linear(5), width=2)
    assert np.allclose(explanation.values[:, 1], -1)
    with pytest.raises(EcomTutorError, match="width in units is a whole number, 1 … 5; 6 came"):
        occlusion(linear(5), width=6)


def test_the_same_row_is_scored_once() -> None:
    game = wild(5)
    game(np.ones((7, 5), dtype=bool))
    game(np.ones((3, 5), dtype=bool))
    assert (game.count.asked, game.count.made) == (10, 1)
    assert game.count.hit_rate == 0.9


def test_what_was_scored_before_an_interrupt_stays() -> None:
    calls = []

    def score(rows: list[np.ndarray]) -> np.ndarray:
        calls.append(len(rows))
        if len(calls) == 2:
            raise KeyboardInterrupt
        return np.zeros((len(rows), 1))

    game = Game(made_up(9), score)
    everything = (np.arange(2**9)[:, None] >> np.arange(9)) & 1 == 1
    with pytest.raises(KeyboardInterrupt):
        game(everything)
    game(everything)
    assert calls == [256, 256, 256] and game.count.made == 512


def test_memory_is_bounded() -> None:
    game = scored(8, lambda there: [float(there.sum())], remember=10)
    everything = (np.arange(2**8)[:, None] >> np.arange(8)) & 1 == 1
    assert (game(everything)[:, 0] == everything.sum(axis=1)).all()
    assert len(game._known) == 10


@pytest.mark.parametrize(
    ("hiding", "row"),
    [
        ("mask", [2, 10, MASK, 12, 3]),
        ("pad", [2, 10, PAD, 12, 3]),
        ("delete", [2, 10, 12, 3]),
        (np.array([2, 20, 21, 22, 3]), [2, 10, 21, 12, 3]),
    ],
)
def test_what_the_model_gets_to_see(hiding: Any, row: list[int]) -> None:
    game = scored(3, lambda there: [0.0], hiding=hiding)
    assert game.row(np.array([True, False, True])).tolist() == row


def test_wrong_questions_and_wrong_scores_are_told() -> None:
    with pytest.raises(EcomTutorError, match="of 3 units"):
        linear(3)(np.ones((1, 4), dtype=bool))
    with pytest.raises(EcomTutorError, match=r"finite\s+numbers"):
        Game(made_up(2), lambda rows: np.full((len(rows), 1), np.nan))(np.ones(2, dtype=bool))
    with pytest.raises(EcomTutorError, match="'mask', 'delete', 'pad'"):
        scored(2, lambda there: [0.0], hiding="unknown")
    with pytest.raises(EcomTutorError, match="5 tokens"):
        scored(3, lambda there: [0.0], hiding=np.zeros(4))


TEXTS = [
    "The battery doesn't last; I'm sad.",
    "屏幕很清楚，但iPhone15的电池不耐用！",
    "😀😀 👍🏽!!!",
    "？！。",
    "好" * 600,
]


def tokenizer_of(name: str) -> Any:
    return (load_shop_gpt() if name == "bpe" else load_encoder(name)).tokenizer


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("name", ["en", "zh", "bpe"])
def test_units_cover_each_token_once(text: str, name: str) -> None:
    for by in ("word", "token"):
        units = units_of(text, tokenizer_of(name), by)  # type: ignore[arg-type]
        owned = [t for unit in units.units for t in unit.tokens]
        assert owned == sorted(set(owned)) and len(units.ids) <= 512
        assert all(text[u.start : u.end] == u.text for u in units.units)
        assert by == "token" or all(u.text.strip() for u in units.units)


def test_words_and_signs_are_units_of_their_own() -> None:
    units = units_of(TEXTS[1], tokenizer_of("zh"))
    assert "iPhone15" in units.texts and "，" in units.texts and "电池" in units.texts


def test_values_of_tokens_add_up_to_words() -> None:
    tokenizer = tokenizer_of("zh")
    tokens, words = (units_of(TEXTS[1], tokenizer, by) for by in ("token", "word"))
    values = RNG.normal(size=(len(tokens), 2))
    assert np.allclose(add_up(values, tokens, words).sum(axis=0), values.sum(axis=0))
    with pytest.raises(EcomTutorError, match="one text"):
        add_up(values[1:], tokens, words)


@pytest.mark.parametrize("text", ["", "   ", "\n"])
def test_nothing_to_explain_is_told(text: str) -> None:
    with pytest.raises(EcomTutorError, match="nothing to explain"):
        units_of(text, tokenizer_of("zh"))


def test_a_true_ranking_beats_chance_and_a_reversed_one() -> None:
    game = scored(10, lambda there: [float(there @ np.arange(10)) / 45])
    best = exact_shapley(game).ranking(0)
    true, turned = faithfulness(game, best, 0), faithfulness(game, best[::-1], 0)
    chance = random_faithfulness(game, 0, rankings=50)
    assert true.comprehensiveness > chance.comprehensiveness > turned.comprehensiveness
    assert true.sufficiency < chance.sufficiency < turned.sufficiency
    assert true.deletion < chance.deletion < turned.deletion
    assert true.insertion > chance.insertion > turned.insertion
    with pytest.raises(EcomTutorError, match="each of 10 units once"):
        faithfulness(game, [0, 0], 0)


def test_agreement_of_rankings() -> None:
    values = np.array([3.0, 1.0, 2.0])
    assert rank_agreement(values, values * 10) == pytest.approx(1)
    assert rank_agreement(values, -values) == pytest.approx(-1)
    assert rank_agreement(values, np.ones(3)) == 0.0


WRONG_SCORES = {
    "no outputs": lambda rows: np.ones((len(rows), 0)),
    "other outputs each time": lambda rows: np.ones((len(rows), len(rows))),
    "words": lambda rows: [["good"]] * len(rows),
    "ragged": lambda rows: [[1.0], *[[1.0, 2.0]] * (len(rows) - 1)],
    "complex": lambda rows: np.ones((len(rows), 2)) * 1j,
}


@pytest.mark.parametrize("score", WRONG_SCORES.values(), ids=WRONG_SCORES.keys())
def test_scores_that_are_no_table_of_numbers_are_told(score: Any) -> None:
    with pytest.raises(EcomTutorError, match=r"[Tt]he score"):
        game = Game(made_up(4), score)
        game(np.eye(4))
        game(np.ones(4))


def test_names_fit_the_outputs() -> None:
    two = lambda rows: np.ones((len(rows), 2))  # noqa: E731
    with pytest.raises(EcomTutorError, match="2 outputs here; names: a, b, c"):
        owen_values(Game(made_up(3), two, outputs=("a", "b", "c")))
    with pytest.raises(EcomTutorError, match="a name of its own"):
        Game(made_up(3), two, outputs=("a", "a"))
    values = np.ones((3, 2))
    with pytest.raises(EcomTutorError, match="base of another shape"):
        Explanation(made_up(3), values, np.ones(3), np.ones(2), "mine", 1, 1, False)
    with pytest.raises(EcomTutorError, match="errors of another shape"):
        Explanation(
            made_up(3), values, np.ones(2), np.ones(2), "mine", 1, 1, False, errors=values[:2]
        )


@pytest.mark.parametrize(
    "call",
    [
        lambda game: owen_values(game, budget=1),
        lambda game: owen_values(game, budget=2.5),  # type: ignore[arg-type]
        lambda game: owen_values(game, tree=lambda start, end: (start + end) / 2),  # type: ignore
        lambda game: kernel_shap(game, samples=99.5),  # type: ignore[arg-type]
        lambda game: sampled_shapley(game, orders=2.5),  # type: ignore[arg-type]
        lambda game: sampled_shapley(game, seed=None),  # type: ignore[arg-type]
        lambda game: lime(game, seed=-1),
        lambda game: lime(game, samples=2.5),  # type: ignore[arg-type]
        lambda game: lime(game, kernel_width=float("nan")),
        lambda game: lime(game, ridge=float("nan")),
        lambda game: lime(game, samples=3, ridge=0),
        lambda game: occlusion(game, width=1.5),  # type: ignore[arg-type]
        lambda game: game(np.zeros((0, 5), dtype=bool)),
        lambda game: game([[1], [1, 0]]),
        lambda game: game(np.ones((2, 5, 5))),
        lambda game: faithfulness(game, range(5), 7),
        lambda game: faithfulness(game, range(5), "positive"),  # type: ignore[arg-type]
        lambda game: faithfulness(game, range(5), 0, (float("nan"),)),
        lambda game: random_faithfulness(game, 0, rankings=0),
        lambda game: rank_agreement(np.array([1, np.nan]), np.array([1, 2])),
    ],
)
def test_settings_that_make_no_sense_are_told_at_the_door(call: Any) -> None:
    with pytest.raises(EcomTutorError):
        call(linear(5))


def test_too_many_units_for_exact_values_are_told_however_many() -> None:
    with pytest.raises(EcomTutorError, match=r"2\^1100 coalitions"):
        exact_shapley(linear(1100))


@pytest.mark.parametrize("ids", [np.arange(7) + 0.5, -np.arange(7), np.array(["a"] * 7)])
def test_what_stands_in_is_token_ids(ids: np.ndarray) -> None:
    with pytest.raises(EcomTutorError, match="token ids"):
        Game(made_up(5), lambda rows: np.ones((len(rows), 1)), ids)


def test_a_token_belongs_to_one_unit() -> None:
    units = made_up(2)
    for tokens in ((1,), (9,), (-1,)):
        doubled = Units("ab", units.ids, (units.units[0], Unit("b", 1, 2, tokens)), MASK, PAD)
        with pytest.raises(EcomTutorError, match="one unit at most"):
            Game(doubled, lambda rows: np.ones((len(rows), 1)))


def test_many_coalitions_of_a_long_text_need_little_memory() -> None:
    game = linear(500)
    present = np.random.default_rng(0).integers(0, 2, (4000, 500)).astype(bool)
    tracemalloc.start()
    game(present)
    kept, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert game.count.made == 4000
    # The rows alone are 16 MB, and were kept twice over.
    assert peak < 8e6 and kept < 3e6


@pytest.mark.parametrize("text", [None, 3, ["good"], b"good", "\ud800good"])
@pytest.mark.parametrize("by", ["word", "token"])
def test_what_is_no_text_is_told(text: Any, by: Any) -> None:
    with pytest.raises(EcomTutorError, match=r"Text was expected|half of one"):
        units_of(text, tokenizer_of("en"), by)


def test_what_the_model_does_not_read_is_known() -> None:
    tokenizer = tokenizer_of("en")
    cut = units_of("good book " * 20, tokenizer, max_tokens=12)
    assert cut.unread.strip() == ("good book " * 15).strip()
    # An accent that the tokenizer drops at the end is no unread text.
    assert units_of("cafe\u0301", tokenizer).unread == "" == units_of("good \x07", tokenizer).unread
    for asked in ({"max_tokens": 0}, {"by": "char"}):
        with pytest.raises(EcomTutorError):
            units_of("good", tokenizer, **asked)
    with pytest.raises(EcomTutorError, match="fast tokenizer"):
        units_of("good", None)  # type: ignore[arg-type]


class Asked:
    """A classifier without a model: it answers, and shows nothing else."""

    labels, max_tokens = ("negative", "positive"), 512

    def __init__(self) -> None:
        self.tokenizer = tokenizer_of("en")

    def token_logits(self, rows: list[np.ndarray], *, bf16: bool = False) -> np.ndarray:
        return np.array([[0.0, float(len(set(row.tolist())))] for row in rows])


@pytest.mark.parametrize("method", INSIDE)
def test_methods_that_look_inside_say_what_they_lack(method: str) -> None:
    with pytest.raises(EcomTutorError, match="Asked lacks model"):
        explain("good book", Asked(), method)  # type: ignore[arg-type]


def test_explain_says_what_it_wants() -> None:
    assert explain("good book", Asked()).resolved == 2  # type: ignore[arg-type]
    for wrong in (None, "zh", lambda texts: texts):
        with pytest.raises(EcomTutorError, match="lacks tokenizer"):
            explain("good book", wrong)  # type: ignore[arg-type]
    with pytest.raises(EcomTutorError, match="no setting 'bugdet'; it has budget, tree"):
        explain("good book", Asked(), bugdet=4)  # type: ignore[arg-type]
    with pytest.raises(EcomTutorError, match="method is one of"):
        explain("good book", Asked(), ["owen"])  # type: ignore[arg-type]
    with pytest.raises(EcomTutorError, match="stand in are below"):
        explain("good book", Asked(), hiding=np.full(4, 10**8))  # type: ignore[arg-type]
