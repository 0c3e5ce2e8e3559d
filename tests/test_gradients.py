"""Gradients against captum, against closed forms, and against the sum that they promise."""

import types
from typing import Any

import numpy as np
import pytest
import torch

from ecomtutor.errors import EcomTutorError
from ecomtutor.finetuning import load_classifier
from ecomtutor.interpretability import INSIDE, Unit, Units, explain, units_of
from ecomtutor.interpretability import gradients as ours
from ecomtutor.interpretability.gradients import gradient_x_input, integrated_gradients

TEXTS = {
    "zh": "屏幕很清楚，但iPhone15的电池不耐用！",
    "en": "The battery doesn't last; I'm sad.",
}


@pytest.fixture(params=["zh", "en"])
def case(request: Any) -> tuple[Units, Any]:
    classifier = load_classifier(request.param)
    return units_of(TEXTS[request.param], classifier.tokenizer, "token"), classifier.model


class Analytic(torch.nn.Module):
    """logits = (Σ x², Σ w·x) over all numbers of all embeddings: slopes known by hand."""

    def __init__(self) -> None:
        super().__init__()
        self.table = torch.nn.Embedding(20, 3, dtype=torch.float64)
        self.weight = torch.arange(1.0, 4.0, dtype=torch.float64)
        self.eval()

    def get_input_embeddings(self) -> torch.nn.Module:
        return self.table

    def forward(self, inputs_embeds: torch.Tensor, attention_mask: torch.Tensor) -> Any:
        assert attention_mask.shape == inputs_embeds.shape[:2] and attention_mask.all()
        square, line = (inputs_embeds**2).sum((1, 2)), (inputs_embeds @ self.weight).sum(1)
        return types.SimpleNamespace(logits=torch.stack([square, line], 1))


def three_units() -> Units:
    """Three units between two special tokens; the last has two tokens."""
    units = (Unit("a", 0, 1, (1,)), Unit("b", 1, 2, (2,)), Unit("cd", 2, 4, (3, 4)))
    return Units("abcd", np.array([2, 10, 11, 12, 13, 3]), units, 1, 0)


def of_units(per_token: np.ndarray, units: Units) -> np.ndarray:
    return np.stack([per_token[list(unit.tokens)].sum(axis=0) for unit in units.units])


def test_analytic_gradient_x_input_is_2x_squared_and_wx() -> None:
    units, model = three_units(), Analytic()
    x = model.table.weight.detach().numpy()[units.ids]
    per_token = np.stack([2 * (x**2).sum(1), x @ [1, 2, 3]], axis=1)
    explanation = gradient_x_input(units, model, outputs=("square", "line"))
    assert np.allclose(explanation.values, of_units(per_token, units))
    assert np.allclose(explanation.settings["special"], per_token[[0, 5]].sum(axis=0))
    assert explanation.outputs == ("square", "line") and not explanation.adds_up


@pytest.mark.parametrize("baseline", ["mask", "pad", "zero", "ids"])
def test_analytic_integrated_gradients_are_differences(baseline: str) -> None:
    """∫ 2(x′ + a(x - x′)) da · (x - x′) = x² - x′²: two points of Gauss are exact."""
    units, model = three_units(), Analytic()
    ids = np.array([2, 5, 6, 7, 8, 9])
    stand_in = {"mask": [2, 1, 1, 1, 1, 3], "pad": [2, 0, 0, 0, 0, 3], "ids": ids}.get(baseline)
    weight = model.table.weight.detach().numpy()
    x = weight[units.ids]
    start = weight[stand_in] if stand_in is not None else 0 * x
    per_token = np.stack([(x**2 - start**2).sum(1), (x - start) @ [1, 2, 3]], axis=1)
    how: Any = ids if baseline == "ids" else baseline
    explanation = integrated_gradients(units, model, steps=2, baseline=how)
    assert np.allclose(explanation.values, of_units(per_token, units))
    assert np.allclose(explanation.settings["special"], per_token[[0, 5]].sum(axis=0))
    assert np.allclose(explanation.settings["error"], 0, atol=1e-12)
    # Only where the special tokens stay do the units alone make up the whole move.
    assert explanation.adds_up == (baseline in ("mask", "pad"))


def captum_inputs(units: Units, model: Any, filler: int | None) -> tuple[Any, Any]:
    table = model.encoder.get_input_embeddings()
    ids = torch.from_numpy(units.ids)[None]
    other = ids.clone()
    if filler is not None:
        other[:, 1:-1] = filler
    start = table(other).detach() if filler is not None else 0 * table(other).detach()
    return table(ids).detach(), start


def relative(mine: np.ndarray, theirs: np.ndarray) -> float:
    return float(np.abs(mine - theirs).max() / np.abs(theirs).max())


@pytest.mark.parametrize("baseline", ["mask", "zero"])
def test_equals_captum(case: tuple[Units, Any], baseline: Any) -> None:
    from captum.attr import IntegratedGradients

    units, model = case
    text, start = captum_inputs(units, model, units.mask_id if baseline == "mask" else None)
    method = IntegratedGradients(lambda rows: model(inputs_embeds=rows).logits)
    mine = integrated_gradients(units, model, steps=20, baseline=baseline)
    for k in range(2):
        theirs = method.attribute(text, start, target=k, n_steps=20)[0].sum(-1).numpy()
        assert relative(mine.values[:, k], theirs[1:-1]) < 1e-5
        assert abs(mine.settings["special"][k] - theirs[[0, -1]].sum()) < 1e-5


def test_equals_captum_by_layer_and_in_parts(case: tuple[Units, Any], monkeypatch: Any) -> None:
    from captum.attr import LayerIntegratedGradients

    units, model = case
    ids = torch.from_numpy(units.ids)[None]
    other = ids.clone()
    other[:, 1:-1] = units.mask_id
    layer = model.encoder.get_input_embeddings()
    method = LayerIntegratedGradients(lambda ids: model(input_ids=ids).logits, layer)
    theirs = method.attribute(ids, other, target=1, n_steps=16)[0].sum(-1).detach().numpy()
    monkeypatch.setattr(ours, "TOKENS_AT_ONCE", 3 * len(units.ids))  # six batches of up to three
    mine = integrated_gradients(units, model, steps=16)
    assert relative(mine.values[:, 1], theirs[1:-1]) < 1e-5


def test_gradient_x_input_equals_captum(case: tuple[Units, Any]) -> None:
    from captum.attr import InputXGradient

    units, model = case
    text, _ = captum_inputs(units, model, None)
    method = InputXGradient(lambda rows: model(inputs_embeds=rows).logits)
    mine = gradient_x_input(units, model)
    for k in range(2):
        theirs = method.attribute(text.requires_grad_(), target=k)[0].sum(-1).detach().numpy()
        assert relative(mine.values[:, k], theirs[1:-1]) < 1e-5


@pytest.mark.parametrize("baseline", ["mask", "pad", "zero"])
def test_completes_and_says_how_far_it_is_off(case: tuple[Units, Any], baseline: Any) -> None:
    units, model = case
    explanation = integrated_gradients(units, model, steps=128, baseline=baseline)
    whole = explanation.base + explanation.values.sum(axis=0) + explanation.settings["special"]
    assert np.allclose(whole + explanation.settings["error"], explanation.full, atol=1e-9)
    move = np.abs(explanation.full - explanation.base).max()
    assert np.abs(explanation.settings["error"]).max() < 0.01 * move
    assert explanation.adds_up == (np.abs(explanation.gap).max() <= 0.01 * move)


def test_a_single_step_does_not_complete_and_does_not_claim_to(case: tuple[Units, Any]) -> None:
    explanation = integrated_gradients(*case, steps=1)
    assert np.abs(explanation.settings["error"]).max() > 0.02 and not explanation.adds_up


def test_base_and_full_are_what_the_engine_says(case: tuple[Units, Any]) -> None:
    units, model = case
    for explanation in (gradient_x_input(units, model), integrated_gradients(units, model, 2)):
        for ids, said in (
            (units.ids, explanation.full),
            (ours.hidden_ids(units, units.mask_id), explanation.base),
        ):
            with torch.no_grad():
                direct = model(input_ids=torch.from_numpy(ids)[None]).logits[0].numpy()
            assert np.allclose(said, direct, atol=1e-5)


def test_words_are_the_sums_of_their_tokens() -> None:
    from ecomtutor.interpretability import add_up

    classifier = load_classifier("zh")
    tokens, words = (units_of(TEXTS["zh"], classifier.tokenizer, by) for by in ("token", "word"))
    fine, coarse = (integrated_gradients(u, classifier.model, 4).values for u in (tokens, words))
    assert np.allclose(add_up(fine, tokens, words), coarse, atol=1e-6)


def test_the_model_is_left_as_it_was(case: tuple[Units, Any]) -> None:
    units, model = case
    integrated_gradients(units, model, 2)
    gradient_x_input(units, model)
    assert not model.training and all(p.grad is None for p in model.parameters())


@pytest.mark.parametrize("text", ["😀😀 👍🏽!!!", "？！。", "好" * 600])
def test_odd_texts_behave(text: str) -> None:
    classifier = load_classifier("zh")
    units = units_of(text, classifier.tokenizer, max_tokens=classifier.max_tokens)
    explanation = integrated_gradients(units, classifier.model, 2)
    assert explanation.values.shape == (len(units), 2) and np.isfinite(explanation.values).all()


@pytest.mark.parametrize("method", INSIDE)
def test_one_call_from_text_to_explanation(method: str) -> None:
    classifier = load_classifier("en")
    explanation = explain(TEXTS["en"], classifier, method)
    assert explanation.outputs == classifier.labels and explanation.made > 0
    assert explanation.values.shape == (len(explanation.units), 2)
    assert ("norm" in method) == ("norm" in explanation.method)


def test_wrong_questions_are_told() -> None:
    units, model = three_units(), Analytic()
    with pytest.raises(EcomTutorError, match="steps is a whole number, 1 or more; 0"):
        integrated_gradients(units, model, 0)
    with pytest.raises(EcomTutorError, match="'mask', 'pad', 'zero' or ids; 'black'"):
        integrated_gradients(units, model, baseline="black")  # type: ignore[arg-type]
    with pytest.raises(EcomTutorError, match="each of 6 tokens"):
        integrated_gradients(units, model, baseline=np.zeros(4, dtype=int))
    with pytest.raises(EcomTutorError, match=r"model\.eval\(\)"):
        gradient_x_input(units, Analytic().train())
    with pytest.raises(EcomTutorError, match="gives no word embeddings"):
        gradient_x_input(units, lambda rows: rows)
