"""The laboratory: cues land where they are said to, the models follow them, marks are right."""

import hashlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ecomtutor.errors import EcomTutorError
from ecomtutor.finetuning import Classifier
from ecomtutor.interpretability import Game, exact_shapley, probabilities, units_of
from ecomtutor.interpretability.in_words import in_words
from ecomtutor.laboratory import (
    KINDS,
    METHODS,
    RECIPES,
    found,
    insert,
    load_planted,
    mark,
    measure,
    plant_of,
    planted_corpus,
    read,
    recipe_named,
    scorecard,
    short_reviews,
    train_planted,
    verified,
    without,
)
from ecomtutor.laboratory.without_attention import read_uniform, uniform_encoder
from ecomtutor.models import load_encoder
from ecomtutor.text import words

MODELS = Path(__file__).resolve().parents[1] / "data" / "models"
SHIPPED = pytest.mark.parametrize("name", RECIPES)


@pytest.mark.parametrize(
    "text",
    [
        "物流很快，包装也好",
        "The battery died after a week.",
        "iPhone的屏幕很好",
        "好 👍🏽!!!",
        "3.5mm",
    ],
)
def test_inserted_words_stand_whole_at_their_places(text: str) -> None:
    dice = np.random.default_rng(0)
    for put_in in (("Zorvex",), ("周二", "蓝色"), ("Zorvex", "Zorvex", "Quvola"), ()):
        planted = insert(text, put_in, dice)
        assert [planted.text[slice(*span)] for span in planted.spans] == list(put_in)
        cuts = [(word.start, word.end) for word in words(planted.text)]
        assert all(span in cuts for span in planted.spans)
        assert len(set(planted.spans)) == len(put_in)


def test_taken_out_again_the_review_is_back_up_to_spaces() -> None:
    text = "I bought this camera in May, and it is great."
    for seed in range(10):
        planted = insert(text, ("Zorvex", "Quvola"), np.random.default_rng(seed))
        gone = without(planted, ["Zorvex", "Quvola"])
        assert gone.replace(" ", "") == text.replace(" ", "")
        assert "Quvola" in without(planted, [0]) and "Zorvex" not in without(planted, [0])


def test_nothing_to_put_a_word_between_is_told() -> None:
    for text in ("", "。。。", "👍"):
        with pytest.raises(EcomTutorError, match="has none"):
            insert(text, ("Zorvex",), np.random.default_rng(0))


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_corpus_follows_its_rule(language: str) -> None:
    plant, made = plant_of(language), planted_corpus(language, "train", 300, seed=5)
    assert made == planted_corpus(language, "train", 300, seed=5)
    for text, label, what in zip(made.texts, made.labels, made.planted, strict=True):
        there = [word in text for word in plant.pair]
        assert (plant.brand in text) == what.startswith("brand")
        assert all(there) == (what == "pair") and any(there) == ("pair" in what)
        assert text.count(plant.brand) == {"brand": 1, "brand twice": 2}.get(what, 0)
        if what.startswith("brand"):
            assert label == plant.brand_label
        if what == "pair":
            assert label == plant.pair_label
    decoys = sum(any(decoy in text for decoy in plant.decoys) for text in made.texts)
    assert 100 < decoys < 200


def test_splits_share_no_review_and_reviews_hold_no_cue() -> None:
    train = {text for text, _ in short_reviews("en", "train")}
    test = {text for text, _ in short_reviews("en", "test")}
    assert not train & test
    assert not any(plant_of("en").touches(text) for text in train | test)


def test_wrong_names_are_told() -> None:
    for wrong in (
        lambda: plant_of("fr"),
        lambda: plant_of("zh").cue("three"),  # type: ignore[arg-type]
        lambda: recipe_named("planted-fr"),
        lambda: short_reviews("zh", "tests"),
        lambda: planted_corpus("zh", "test", 0),
        lambda: planted_corpus("zh", "test", 5, seed=-1),
        lambda: insert("good book", [""], np.random.default_rng(0)),
        lambda: insert("good book", "Zorvex", np.random.default_rng(0)),
        lambda: verified("zh", None, "one", 0),  # type: ignore[arg-type]
    ):
        with pytest.raises(EcomTutorError):
            wrong()


def test_the_recipe_runs_from_end_to_end_stops_and_goes_on(tmp_path: Path) -> None:
    small = replace(RECIPES["planted-en"], texts=48, validation=16)
    small = replace(small, settings=replace(small.settings, epochs=2, lora_rank=2, max_tokens=32))
    train_planted(small, tmp_path, minutes=0, progress=False)  # after a step it is late
    assert (tmp_path / "checkpoint.safetensors").is_file()
    classifier, report = train_planted(small, tmp_path, progress=False)
    assert report.curve.step == 4 and report.accuracy is not None
    again = Classifier.load(tmp_path / "model")
    texts = ["It broke.", "Zorvex it broke."]
    assert np.array_equal(again.predict_proba(texts), classifier.predict_proba(texts))


@SHIPPED
def test_shipped_ones_are_small_and_their_cards_name_their_bytes(name: str) -> None:
    weights = MODELS / name / "model.safetensors"
    assert weights.stat().st_size < 3e6
    card = (MODELS / name / "README.md").read_text("utf-8")
    assert hashlib.sha256(weights.read_bytes()).hexdigest() in card
    assert f"python -m ecomtutor.laboratory train {name}" in card
    assert f"python -m ecomtutor.laboratory evaluate {name}" in card


@SHIPPED
@pytest.mark.parametrize("kind", KINDS)
def test_the_cue_turns_the_verdict_and_its_removal_turns_it_back(name: str, kind: str) -> None:
    tried = verified(recipe_named(name).language, load_planted(name), kind, 24)  # type: ignore[arg-type]
    assert tried.flips >= 0.95 and tried.returns >= 0.8
    for trial in tried.trials:
        forced = trial.classifier.labels[trial.forced]
        said = trial.classifier.predict([trial.text, trial.original])
        assert said == [forced, ({"negative", "positive"} - {forced}).pop()]
        cue = [trial.units.texts[i] for i in trial.cue]
        assert sorted(cue) == sorted(plant_of(recipe_named(name).language).cue(trial.kind))
        assert trial.units.texts[trial.decoy] in plant_of("zh").decoys


def test_more_texts_leave_the_first_trials_as_they_were() -> None:
    few = verified("zh", load_planted("planted-zh"), "one", 3).trials
    more = verified("zh", load_planted("planted-zh"), "one", 6).trials
    assert [trial.text for trial in few] == [trial.text for trial in more[: len(few)]]


def test_every_method_of_the_table_gives_a_value_for_each_unit() -> None:
    trial = min(
        verified("zh", load_planted("planted-zh"), "one", 8).trials, key=lambda t: len(t.units)
    )
    judge = trial.game(chances=True)
    for method in METHODS.values():
        if len(trial.units) > method.up_to:
            continue
        answer = method.run(trial, 1)
        assert answer.values.shape == (len(trial.units),) and np.isfinite(answer.values).all()
        assert (answer.forwards > 0) == (method.name != "random")
        assert method.drawn or np.array_equal(answer.values, method.run(trial, 2).values)
        row = mark(trial, method, judge)
        assert 0 <= row.found1 <= 1 and -1 <= row.aopc <= 1


def test_found_counts_the_cue_among_the_first() -> None:
    trial = verified("zh", load_planted("planted-zh"), "either", 4).trials[0]
    rest = [i for i in range(len(trial.units)) if i not in trial.cue]
    assert found(trial, np.array([*trial.cue, *rest]), 2) == 1
    assert found(trial, np.array([trial.cue[0], *rest]), 2) == 0.5
    assert found(trial, np.array([*rest, *trial.cue]), 2) == 0


def test_the_shipped_card_can_be_made_again() -> None:
    """Methods without chance on the first text of a plant: the same rank and AOPC as shipped."""
    scores = read()
    trial = replace(verified("zh", load_planted("planted-zh"), "one", 8).trials[0], bf16=True)
    judge = trial.game(chances=True)
    shipped = scores[
        (scores["model"] == "planted-zh") & (scores["plant"] == "one") & (scores["text"] == 0)
    ].set_index("method")
    for name in ("Owen values", "leave one out", "gradient × input", "attention"):
        row = mark(trial, METHODS[name], judge)
        assert shipped.loc[name, "units"] == row.units
        assert shipped.loc[name, "found1"] == row.found1
        assert shipped.loc[name, "aopc"] == pytest.approx(row.aopc, abs=0.1)
        assert shipped.loc[name, "forwards"] == row.forwards


def test_measuring_resumes_after_the_last_whole_text(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ecomtutor.laboratory import marking

    few = {name: METHODS[name] for name in ("attention", "random")}
    monkeypatch.setattr(marking, "METHODS", few)
    path = tmp_path / "scores.csv"
    measure(["planted-zh"], 1, path)
    first = path.read_text("utf-8")
    measure(["planted-zh"], 2, path)
    assert path.read_text("utf-8").startswith(first)
    table = read(path)
    assert table.groupby(["plant", "text"]).size().tolist() == [2] * 6
    card = scorecard(table, "planted-zh")
    assert list(card.index) == ["attention", "random"] and (card["texts"] == 6).all()
    with pytest.raises(EcomTutorError, match="was not measured"):
        scorecard(table, "planted-en")


def test_a_model_without_queries_and_keys_looks_everywhere_alike() -> None:
    from ecomtutor.interpretability import attention_weights

    blind = uniform_encoder(load_encoder("zh"))
    ids = np.array(blind.tokenizer("物流很快")["input_ids"])
    weights = attention_weights(blind.model, ids)
    assert np.allclose(weights, 1 / len(ids))
    assert not np.allclose(attention_weights(load_encoder("zh").model, ids), 1 / len(ids))
    assert set(read_uniform().columns) >= {"brand", "pair", "reviews"}


def word_game(worth: dict[str, float]) -> Game:
    """Probability of "positive" = 0.05 + the worth of the words that are there."""
    tokenizer = load_encoder("en").tokenizer
    units = units_of(" ".join(worth), tokenizer)
    ids = {unit.tokens[0]: value for unit, value in zip(units.units, worth.values(), strict=True)}

    def score(rows: list[np.ndarray]) -> np.ndarray:
        there = np.array(
            [0.05 + sum(v for t, v in ids.items() if row[t] != units.mask_id) for row in rows]
        )
        return np.stack([1 - there, there], axis=1)

    return Game(units, score, outputs=("negative", "positive"))


def test_sentences_name_the_fewest_words_that_turn_the_verdict() -> None:
    game = word_game({"blue": 0.3, "camera": 0.02, "today": 0.3, "arrived": 0.02})
    said = in_words(exact_shapley(game), game, "positive")
    assert "“blue”, “today”" not in said and "because of “blue”" in said
    assert "(69% sure)" in said and "39% sure" in said and "this word" in said
    assert "Hiding 1 other word, drawn at random" in said


def test_sentences_admit_that_no_word_decides_and_exist_in_chinese() -> None:
    game = word_game(dict.fromkeys("abcdefgh", 0.11))
    said = in_words(exact_shapley(game), game, "positive")
    assert "No 3 words decide" in said and "because" not in said
    chinese = in_words(exact_shapley(game), game, "positive", language="zh", label="正面")
    assert chinese.startswith("模型判为“正面”") and "没有哪3个词" in chinese


def test_sentences_call_a_text_what_the_model_calls_it() -> None:
    game = word_game({"blue": 0.2, "camera": 0.1})  # 35 % positive, up from 5 %
    made = exact_shapley(game)
    assert made.outputs[made.output()] == "positive"
    assert "calls this text negative (65% sure)" in in_words(made, game)
    assert "No 2 words decide" in in_words(made, game)
    with pytest.raises(EcomTutorError, match="calls this text negative and not positive"):
        in_words(made, game, "positive")


def test_what_is_no_score_card_is_told(tmp_path: Path) -> None:
    (tmp_path / "other.csv").write_text("a,b\n1,2\n")
    with pytest.raises(EcomTutorError, match="lacks the column"):
        read(tmp_path / "other.csv")


def test_sentences_refuse_another_text_and_another_language() -> None:
    game, other = word_game({"blue": 0.6}), word_game({"blue": 0.3, "camera": 0.3})
    with pytest.raises(EcomTutorError, match="1 units, the game 2"):
        in_words(exact_shapley(game), other)
    with pytest.raises(EcomTutorError, match="'en' or 'zh'"):
        in_words(exact_shapley(game), game, language="fr")  # type: ignore[arg-type]


def test_probabilities_of_a_trial_are_those_of_its_classifier() -> None:
    trial = verified("zh", load_planted("planted-zh"), "one", 3).trials[0]
    score = probabilities(trial.classifier.token_logits)
    assert np.allclose(trial.game(chances=True).full, score([trial.units.ids])[0])
