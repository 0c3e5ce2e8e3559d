"""Fitting, saving, loading and judging classifiers, on an encoder small enough to train here."""

import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import transformers

from ecomtutor.errors import DamagedResource, EcomTutorError, MissingResource
from ecomtutor.finetuning import (
    Classifier,
    LabelError,
    LeakedTexts,
    Settings,
    TrainingBatches,
    TruncatedText,
    class_weights,
    examples,
    find_label_noise,
    fit_classifier,
    out_of_fold,
)
from ecomtutor.finetuning.baselines import lexicon_scores, snownlp_scores, tfidf_classifier
from ecomtutor.finetuning.difference import (
    apply_difference,
    average,
    difference,
    from_bytes,
    in_bytes,
)
from ecomtutor.finetuning.model import lower_case_where_needed, mean_of_tokens, with_head
from ecomtutor.models import Loaded, load_encoder
from ecomtutor.resources import CATALOGUE, Located

GOOD, BAD = ["很 好", "好 用", "喜 欢 好", "很 喜 欢"], ["很 差", "差 用", "坏 了 差", "很 坏"]
TEXTS = [f"{a} {b}" for group in (GOOD, BAD) for a in group for b in ("手 机", "书", "酒 店", "")]
LABELS = ["positive"] * 16 + ["negative"] * 16
FAST = Settings(epochs=12, peak_rate=5e-3, batch_size=8, max_tokens=16, bf16=False, dropout=0.0)


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Loaded:
    """An untrained BERT of width 32 that knows the characters above."""
    folder = tmp_path_factory.mktemp("tiny")
    characters = sorted({c for text in TEXTS for c in text if c != " "})
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *characters, "phone", "iphone"]
    (folder / "vocab.txt").write_text("\n".join(words), encoding="utf-8")
    tokenizer = transformers.BertTokenizerFast(vocab=str(folder / "vocab.txt"), do_lower_case=False)
    torch.manual_seed(0)
    config = transformers.BertConfig(
        vocab_size=len(words),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=64,
    )
    located = Located(CATALOGUE["m3e"], folder, "made here", {})
    return Loaded("tiny", tokenizer, transformers.BertModel(config).eval(), located)


@pytest.fixture(scope="session")
def fitted(tiny: Loaded) -> Classifier:
    return fit_classifier(TEXTS, LABELS, encoder=tiny, settings=FAST, progress=False)[0]


@pytest.mark.parametrize("method", ["full", "lora", "frozen"])
def test_each_method_learns_what_the_characters_say(tiny: Loaded, method: Any) -> None:
    rate = 3e-2 if method == "lora" else 5e-3
    settings = Settings(
        **{**vars(FAST), "peak_rate": rate, "epochs": 40, "lora_rank": 8, "patience": None}
    )
    held_out = ([f"{text} 了" for text in TEXTS], LABELS)
    before = {name: p.clone() for name, p in tiny.model.named_parameters()}
    classifier, report = fit_classifier(
        TEXTS,
        LABELS,
        encoder=tiny,
        validation=held_out,
        method=method,
        settings=settings,
        progress=False,
    )
    assert classifier.labels == ("negative", "positive")
    assert classifier.predict(TEXTS) == LABELS
    assert report.accuracy == 1.0 and "accuracy    1.000" in str(report)
    for name, parameter in tiny.model.named_parameters():
        assert torch.equal(parameter, before[name]), "the given encoder was changed"


def test_probabilities_have_a_row_for_each_text_and_sum_to_one(fitted: Classifier) -> None:
    chances = fitted.predict_proba(["很 好", "", "坏", "很 好", "🙂" * 5])
    assert chances.shape == (5, 2)
    assert np.allclose(chances.sum(axis=1), 1, atol=1e-12)
    assert (chances[0] == chances[3]).all()
    assert fitted.predict_proba([]).shape == (0, 2) and fitted.predict([]) == []


def test_a_text_alone_and_among_others_gets_the_same_probabilities(fitted: Classifier) -> None:
    together = fitted.predict_proba(TEXTS)
    alone = np.vstack([fitted.predict_proba([text]) for text in TEXTS])
    assert np.allclose(together, alone, atol=1e-6)


def test_each_distinct_text_is_computed_once(
    fitted: Classifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = []
    of_rows = Classifier._of_rows
    monkeypatch.setattr(
        Classifier, "_of_rows", lambda self, r, *a: rows.extend(r) or of_rows(self, r, *a)
    )
    fitted.predict_proba(["很 好"] * 50 + ["坏"] * 50)
    assert len(rows) == 2


def test_long_texts_are_cut_with_a_warning_that_counts(fitted: Classifier) -> None:
    fitted.max_tokens = 16
    with pytest.warns(TruncatedText, match=r"1 of 2 texts .* 16 tokens; 26 tokens"):
        chances = fitted.predict_proba(["好 " * 40, "好"])
    assert chances.shape == (2, 2)


def test_what_was_lowered_stays_lowered_after_loading(tiny: Loaded, tmp_path: Path) -> None:
    settings = Settings(**{**vars(FAST), "epochs": 1})
    classifier, _ = fit_classifier(TEXTS, LABELS, encoder=tiny, settings=settings, progress=False)
    again = Classifier.load(classifier.save(tmp_path))
    assert (again.predict_proba(["iPhone 好"]) == classifier.predict_proba(["iphone 好"])).all()
    assert (again.predict_proba(["iPhone 好"]) != classifier.predict_proba(["xyz 好"])).any()


def test_the_real_chinese_tokenizer_is_lowered() -> None:
    tokenizer = lower_case_where_needed(load_encoder("zh").tokenizer)
    assert tokenizer.tokenize("iPhone 很好") == ["iphone", "很", "好"]
    english = load_encoder("en").tokenizer
    assert lower_case_where_needed(english).tokenize("iPhone") == english.tokenize("iPhone")


@pytest.mark.parametrize("whole", [True, False])
def test_saved_and_loaded_it_says_exactly_the_same(
    tiny: Loaded, fitted: Classifier, tmp_path: Path, whole: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    classifier = fitted
    if not whole:
        monkeypatch.setattr("ecomtutor.models.load_encoder", lambda name: tiny)
        settings = Settings(**{**vars(FAST), "lora_rank": 4})
        classifier, _ = fit_classifier(
            TEXTS, LABELS, encoder="zh", method="lora", settings=settings, progress=False
        )
    classifier.temperature = 1.7
    classifier.save(tmp_path / "saved")
    again = Classifier.load(tmp_path / "saved")
    assert again.labels == classifier.labels and again.temperature == 1.7
    assert (again.predict_proba(TEXTS) == classifier.predict_proba(TEXTS)).all()
    if not whole:
        assert (tmp_path / "saved" / "model.safetensors").stat().st_size < 30_000


def test_a_folder_without_a_classifier_is_told(tmp_path: Path) -> None:
    with pytest.raises(MissingResource, match="no folder"):
        Classifier.load(tmp_path / "nothing")
    with pytest.raises(FileNotFoundError, match=r"classifier\.json"):
        Classifier.load(tmp_path)


def test_weights_of_another_model_are_refused(tiny: Loaded) -> None:
    model = with_head(tiny, ("a", "b"))
    with pytest.raises(DamagedResource, match="belong to another model, such as nowhere"):
        apply_difference(model, {"nowhere": torch.zeros(1)})


@pytest.mark.parametrize("levels", [7, 15, 127])
def test_thin_matrices_in_bytes_are_nearly_the_same(levels: int) -> None:
    generator = torch.Generator().manual_seed(0)
    sizes = torch.logspace(0, -3, 6)  # strong and weak directions
    small = {
        "w/up": (torch.randn(50, 6, generator=generator) * sizes).half(),
        "w/down": (torch.randn(6, 40, generator=generator) * sizes[:, None]).half(),
        "bias": torch.randn(50, generator=generator).half(),
    }
    stored = in_bytes(small, levels)
    back = from_bytes(stored)
    assert set(back) == set(small) and torch.equal(back["bias"], small["bias"])
    for name, along in (("w/up", 0), ("w/down", 1)):
        error = (back[name] - small[name].float()).abs()
        most = small[name].float().abs().amax(dim=along, keepdim=True)
        assert stored[name].dtype is torch.int8 and stored[name].abs().max() == levels
        assert (error <= most / (2 * levels) + 1e-7).all()
    again = in_bytes(back, levels)  # what was stored once is stored the same
    assert all(torch.equal(again[name], stored[name]) for name in ("w/up", "w/down"))
    assert all(torch.equal(tensor, from_bytes(small)[name]) for name, tensor in small.items())
    del stored["w/up/scale"]
    with pytest.raises(DamagedResource, match=r"w/up came without its scale"):
        from_bytes(stored)


def test_the_difference_at_full_rank_is_the_model(tiny: Loaded, fitted: Classifier) -> None:
    fresh = with_head(tiny, fitted.labels)
    small = difference(fitted.model, fresh, rank=32)
    apply_difference(fresh, small)
    for name, parameter in fresh.named_parameters():
        assert torch.allclose(parameter, fitted.model.get_parameter(name), atol=2e-3), name


def test_the_average_of_models_lies_between_them(tiny: Loaded) -> None:
    one, two = with_head(tiny, ("a", "b"), seed=1), with_head(tiny, ("a", "b"), seed=2)
    expected = (one.classifier.weight + two.classifier.weight) / 2
    assert torch.allclose(average([one, two]).classifier.weight, expected)


def test_killed_anywhere_it_goes_on_to_the_same_weights(tiny: Loaded, tmp_path: Path) -> None:
    settings = Settings(**{**vars(FAST), "epochs": 3, "mask_share": 0.4, "dropout": 0.1})
    how: Any = {"encoder": tiny, "settings": settings, "progress": False}
    straight, _ = fit_classifier(TEXTS, LABELS, **how)
    for _ in range(40):  # pauses after each step
        stopped, report = fit_classifier(TEXTS, LABELS, folder=tmp_path, minutes=0.0, **how)
        if report.curve.step == 12:
            break
    assert report.curve.step == 12
    assert (stopped.predict_proba(TEXTS) == straight.predict_proba(TEXTS)).all()


def test_pausing_needs_a_folder(tiny: Loaded) -> None:
    with pytest.raises(EcomTutorError, match="give a folder"):
        fit_classifier(TEXTS, LABELS, encoder=tiny, minutes=1)


def test_training_stops_when_validation_no_longer_gets_better(tiny: Loaded) -> None:
    settings = Settings(**{**vars(FAST), "epochs": 200, "patience": 2, "validations": 1})
    held_out = (["好 书", "坏 书"], ["positive", "negative"])
    _, report = fit_classifier(
        TEXTS, LABELS, encoder=tiny, validation=held_out, settings=settings, progress=False
    )
    best, steps = report.curve.best, report.curve.step
    assert best is not None and steps < 200 * 4
    assert sum(step > best[0] for step in report.curve.validation) == 2 or steps == best[0]


def test_a_text_in_both_splits_is_warned_of(tiny: Loaded) -> None:
    with pytest.warns(LeakedTexts, match="1 of 2 validation texts"):
        fit_classifier(
            TEXTS,
            LABELS,
            encoder=tiny,
            validation=(["很好 书！", "坏 书"], ["positive", "negative"]),
            settings=Settings(**{**vars(FAST), "epochs": 1}),
            progress=False,
        )


def test_soft_labels_teach_doubt(tiny: Loaded) -> None:
    doubt = np.where(np.array(LABELS)[:, None] == "positive", [[0.3, 0.7]], [[0.7, 0.3]])
    classifier, _ = fit_classifier(
        TEXTS,
        doubt,
        names=["negative", "positive"],
        encoder=tiny,
        settings=Settings(**{**vars(FAST), "epochs": 30}),
        progress=False,
    )
    assert np.abs(classifier.predict_proba(TEXTS) - doubt).max() < 0.1


@pytest.mark.parametrize(
    ("labels", "names", "message"),
    [
        (["positive"] * 32, None, "All texts are 'positive'"),
        (["positive"] * 31, None, "32 texts came with 31 labels"),
        ([*LABELS[:-1], float("nan")], None, "1 of 32 labels are missing"),
        ([*LABELS[:-1], None], None, "1 of 32 labels are missing"),
        ([*LABELS[:-1], "postive"], ["negative", "positive"], "'postive' .1 times. is not among"),
        ([1, 0] * 16, None, "Labels are names"),
        (np.full((32, 2), 0.7), ["a", "b"], "no row of probabilities"),
        (np.full((32, 2), 0.5), None, "names="),
    ],
)
def test_labels_that_teach_nothing_are_refused(labels: Any, names: Any, message: str) -> None:
    with pytest.raises(LabelError, match=message):
        examples(TEXTS, labels, names)


@pytest.mark.parametrize(
    ("texts", "message"), [("one text", "a list of texts"), (["a", None], r"texts\[1\] is None")]
)
def test_texts_that_are_none_are_refused(fitted: Classifier, texts: Any, message: str) -> None:
    with pytest.raises(EcomTutorError, match=message):
        fitted.predict_proba(texts)


def test_unknown_methods_and_settings_are_refused(tiny: Loaded) -> None:
    wrong: Any = "adapter"
    with pytest.raises(EcomTutorError, match="'full', 'lora' or 'frozen'"):
        fit_classifier(TEXTS, LABELS, encoder=tiny, method=wrong)
    with pytest.raises(EcomTutorError, match="mask_share lies between 0 and 1"):
        Settings(mask_share=3)
    with pytest.raises(EcomTutorError, match="epochs lies between"):
        Settings(epochs=0)


def test_every_text_is_seen_once_an_epoch_and_batches_repeat(tiny: Loaded) -> None:
    given = examples(TEXTS, LABELS)
    batches = TrainingBatches(given, tiny.tokenizer, batch_size=5, max_tokens=16)
    epoch = [batches(step) for step in range(batches.per_epoch)]
    assert sum(len(batch["targets"]) for batch in epoch) == 32
    assert sum(int(batch["attention_mask"].sum()) for batch in epoch) == batches.lengths.sum()
    again = TrainingBatches(given, tiny.tokenizer, batch_size=5, max_tokens=16)(3)
    assert all(torch.equal(again[key], epoch[3][key]) for key in again)


def test_hidden_words_are_whole_and_about_as_many_as_asked(tiny: Loaded) -> None:
    given = examples(["很 好 手 机 酒 店 喜 欢 用 了"] * 400 + ["坏"], ["a"] * 400 + ["b"])
    batches = TrainingBatches(given, tiny.tokenizer, batch_size=401, max_tokens=16, mask_share=0.5)
    ids = batches(0)["input_ids"]
    share = (ids == tiny.tokenizer.mask_token_id).float().sum() / (400 * 10)
    assert 0.09 < share < 0.16  # half of the texts, 0 … 0.5 of their words: an eighth
    assert not (ids[:, 0] == tiny.tokenizer.mask_token_id).any()


def test_class_weights() -> None:
    given = examples(["a", "b", "c", "d"], ["x", "x", "x", "y"])
    assert class_weights(given, None) is None
    balanced = class_weights(given, "balanced")
    assert balanced is not None and np.allclose(balanced, [4 / 6, 2])
    with pytest.raises(LabelError, match="a weight for each of x, y"):
        class_weights(given, {"x": 1.0})


def test_the_mean_leaves_padding_out() -> None:
    hidden = torch.arange(12.0).reshape(1, 3, 4)
    mask = torch.tensor([[1, 1, 0]])
    assert torch.equal(mean_of_tokens(hidden, mask), hidden[:, :2].mean(dim=1))


def test_capitals_are_lowered_for_a_vocabulary_without_any(tiny: Loaded) -> None:
    tokenizer = lower_case_where_needed(tiny.tokenizer)
    encoded = tokenizer("iPhone 好", return_offsets_mapping=True)
    assert tokenizer.convert_ids_to_tokens(encoded["input_ids"])[1] == "iphone"
    assert encoded["offset_mapping"][1] == (0, 6)
    assert tiny.tokenizer.convert_ids_to_tokens(tiny.tokenizer("iPhone")["input_ids"])[1] == "[UNK]"


def test_transformers_own_pipeline_says_the_same(fitted: Classifier) -> None:
    pipe = transformers.pipeline(
        "text-classification", model=fitted.model, tokenizer=fitted.tokenizer, top_k=None
    )
    fitted.temperature = 1.0
    for text, said in zip(TEXTS[::5], pipe(TEXTS[::5]), strict=True):
        chances = dict(zip(fitted.labels, fitted.predict_proba([text])[0], strict=True))
        assert all(abs(chances[part["label"]] - part["score"]) < 1e-5 for part in said)


def test_planted_label_noise_is_found() -> None:
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 2, 2000)
    flipped = rng.random(2000) < np.where(truth == 1, 0.1, 0.0)  # a tenth of class 1 became 0
    given = np.where(flipped, 1 - truth, truth)
    sure = np.where(rng.random(2000) < 0.85, 0.98, 0.7)
    chances = np.where(truth[:, None] == [0, 1], sure[:, None], 1 - sure[:, None])
    noise = find_label_noise(given, chances, ["0", "1"])
    assert abs(noise.rate - flipped.mean()) < 0.01
    assert flipped[noise.suspects].mean() > 0.95 and noise.joint.loc["1", "0"] < 0.01
    with pytest.raises(EcomTutorError, match="each with texts"):
        find_label_noise([0, 0], np.full((2, 2), 0.5), ["0", "1"])


def test_out_of_fold_never_asks_a_model_about_its_own_training() -> None:
    given = examples([str(i) for i in range(20)], ["a", "b"] * 10)

    def fit(inside: Any) -> Any:
        def predict(texts: list[str]) -> np.ndarray:
            assert not set(texts) & set(inside.texts)
            return np.full((len(texts), 2), 0.5)

        return predict

    assert (out_of_fold(given, fit, folds=4) == 0.5).all()


def test_baselines_know_good_from_bad() -> None:
    english = lexicon_scores(["I love it.", "It is not good.", "xyz"], "en")
    chinese = lexicon_scores(["房间很干净", "一点都不好", "天气"], "zh")
    for scores in (english, chinese):
        assert scores[0] > 0 > scores[1] and scores[2] == 0
    assert (snownlp_scores(["", "很好，非常满意", "太差了"]).round() == [0, 1, 0]).all()
    fitted = tfidf_classifier().fit(TEXTS, LABELS)
    assert fitted.score(TEXTS, LABELS) == 1.0


def test_importing_the_package_still_loads_no_torch() -> None:
    code = "import sys, ecomtutor, ecomtutor.metrics; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_no_warning_when_all_is_well(fitted: Classifier) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fitted.predict_proba(["很 好"])
