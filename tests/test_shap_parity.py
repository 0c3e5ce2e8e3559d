"""Our replay of shap's partition explainer against the package itself, in two languages."""

import warnings
from typing import Any

import numpy as np
import pytest
import torch
import transformers

from ecomtutor.errors import EcomTutorError
from ecomtutor.finetuning import load_classifier
from ecomtutor.interpretability.shap_parity import replay, shap_partition
from ecomtutor.interpretability.shap_text import shap_text, shap_tree

TEXTS = {
    "zh": "物流太慢，包装也破了，书很好！",
    "en": "The sound is great, but the battery doesn't last.",
}
LONG = {
    "zh": "酒店的位置很好，离地铁站走路五分钟，房间也算干净。但是隔音太差，半夜还能听见隔壁说话，"
    "空调声音大得睡不着；早餐品种少，去晚了什么也没有。前台服务员态度冷淡，问iPhone充电线说没有"
    "，退房还等了半个小时。下次不会再来了，不推荐！",
    "en": "I bought this player (the 30 GB one) for my wife, and she doesn't use it: the wheel is "
    "slow, the screen scratches, and it won't sync! Support was kind but couldn't help. Don't buy.",
}
ODD = ["iPhone的屏幕(很)清楚，but it's slow...不好！", "!!! 😀 [SEP] (a) ) b", "好", "a  b\n\nc\td"]


@pytest.fixture(scope="module")
def shap() -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return pytest.importorskip("shap")


class Small:
    """A random network on a real tokenizer: fast, and far from linear."""

    labels, max_tokens = ("negative", "positive"), 512

    def __init__(self, language: str):
        self.tokenizer = load_classifier(language).tokenizer
        torch.manual_seed(0)
        config = transformers.BertConfig(
            vocab_size=len(self.tokenizer),
            hidden_size=32,
            num_hidden_layers=2,
            num_attention_heads=2,
            intermediate_size=64,
            initializer_range=0.4,
            num_labels=2,
        )
        self.model = transformers.BertForSequenceClassification(config).eval()

    def token_logits(self, rows: Any, *, bf16: bool = False) -> np.ndarray:
        by_length: dict[int, list[int]] = {}
        for i, row in enumerate(rows):
            by_length.setdefault(len(row), []).append(i)
        out = np.empty((len(rows), 2))
        for numbers in by_length.values():
            ids = torch.from_numpy(np.stack([rows[i] for i in numbers]))
            with torch.inference_mode():
                out[numbers] = self.model(input_ids=ids).logits.numpy()
        return out


def theirs(shap: Any, classifier: Any, text: str, seed: int = 0, **how: Any) -> Any:
    transformers.logging.set_verbosity_error()
    pipe = transformers.pipeline(
        "text-classification", model=classifier.model, tokenizer=classifier.tokenizer, top_k=None
    )
    np.random.seed(seed)  # shap draws from numpy's global state
    return shap.Explainer(pipe)([text], silent=True, **how)


@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_short_review_gets_shaps_values(shap: Any, language: str) -> None:
    """All resolved. The shipped classifiers have a temperature; pipelines know of none."""
    classifier, text = load_classifier(language), TEXTS[language]
    expected = theirs(shap, classifier, text)
    ours = shap_partition(text, classifier)
    assert np.ptp(expected.values[0]) > 0.05  # there is something to be equal to
    assert np.abs(ours.values - expected.values[0]).max() < 1e-5
    assert np.abs(ours.base - expected.base_values[0]).max() < 1e-5
    assert ours.resolved == len(ours.units) and ours.made < ours.asked < 500
    names = [unit.text for unit in ours.units.units[1:-1]]
    assert names == [segment.strip() for segment in expected.data[0][1:-1]]
    half = shap_partition(text, classifier, bf16=True)
    assert np.abs(half.values - expected.values[0]).max() < 0.02


def test_a_long_review_gets_shaps_values_where_the_budget_ends(shap: Any) -> None:
    classifier = load_classifier("zh")
    expected = theirs(shap, classifier, LONG["zh"], max_evals=90)
    ours = shap_partition(LONG["zh"], classifier, max_evals=90)
    assert np.abs(ours.values - expected.values[0]).max() < 1e-5
    assert ours.resolved is not None and ours.resolved < len(ours.units) / 4
    assert ours.asked == 90 and ours.made <= 90 + 18


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("how", [{}, {"max_evals": 77}, {"batch_size": 1}, {"seed": 7}])
def test_a_long_text_at_several_budgets_and_batches(
    shap: Any, language: str, how: dict[str, int]
) -> None:
    classifier, text = Small(language), LONG[language]
    expected = theirs(shap, classifier, text, **how)
    ours = shap_partition(text, classifier, **how)  # type: ignore[arg-type]
    assert len(text) > 110 and np.ptp(expected.values[0]) > 0.05
    assert np.abs(ours.values - expected.values[0]).max() < 1e-5
    assert ours.resolved is not None and ours.resolved < len(ours.units)
    assert np.allclose(ours.gap, 0) and ours.adds_up


@pytest.mark.parametrize("text", [*ODD, *TEXTS.values()])
def test_strings_trees_and_values_of_odd_texts(shap: Any, text: str) -> None:
    classifier = Small("zh")
    masker = shap.maskers.Text(classifier.tokenizer)
    cut = shap_text(text, classifier.tokenizer)
    assert (
        shap_tree(cut.segments, cut.separator)[:, :2] == masker.clustering(text)[:, :2].astype(int)
    ).all()
    dice = np.random.default_rng(0)
    for present in dice.random((20, len(cut))) < 0.5:
        assert cut.shown(present) == masker(present, text)[0][0]
    expected = theirs(shap, classifier, text)
    assert np.abs(shap_partition(text, classifier).values - expected.values[0]).max() < 1e-5


def test_what_comes_next_is_computed_along_and_little_for_nothing() -> None:
    classifier, calls = Small("zh"), []

    def score(rows: list[np.ndarray]) -> np.ndarray:
        calls.append(len(rows))
        return classifier.token_logits(rows)

    text = shap_text(LONG["zh"], classifier.tokenizer)
    explanation = replay(text, classifier.tokenizer, score)
    assert explanation.asked == 500 and sum(calls) == explanation.made <= 520
    assert len(calls) < 500 / 6 / 2  # shap asks 84 times, six rows each


def test_wrong_texts_and_budgets_are_told() -> None:
    classifier = Small("zh")
    with pytest.raises(EcomTutorError, match="nothing to explain"):
        shap_partition("  ", classifier)  # type: ignore[arg-type]
    with pytest.raises(EcomTutorError, match="602 tokens, the model reads 512"):
        shap_partition("好" * 600, classifier)  # type: ignore[arg-type]
    with pytest.raises(EcomTutorError, match="max_evals ≥ 3"):
        shap_partition("好", classifier, max_evals=2)  # type: ignore[arg-type]
    with pytest.raises(EcomTutorError, match="mask token"):
        from ecomtutor.models import load_shop_gpt

        shap_text("好", load_shop_gpt().tokenizer)
