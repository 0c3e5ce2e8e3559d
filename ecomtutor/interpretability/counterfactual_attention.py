"""Would the model have said the same with other attention weights? Give it others, and see.

What "Attention is not Explanation" and "Attention is not not Explanation" argue about, as three
experiments on any BERT-like classifier: weights in another order, weights all equal, and weights
sought out to be as different as possible while the answer stays.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from ecomtutor.errors import EcomTutorError

Change = Callable[[Any, int], Any]
_NAME = "ecomtutor-changed"
_CHANGE = "_ecomtutor_change"


@contextmanager
def attention_changed(model: Any, change: Change) -> Iterator[list[Any]]:
    """Inside, every attention weight of the model goes through `change`.

    Args:
        model: a classifier on a BERT-like encoder of transformers, in evaluation mode.
        change: from weights (rows, heads, tokens, tokens) and the layer's number to weights of the
            same shape; each row of a head should sum to 1.

    Yields:
        A list that each forward pass fills with the changed weights, layer by layer; it is emptied
        at the first layer.

    Raises:
        EcomTutorError: no layer of the model attends in a way that can be changed.
    """
    layers = _attending(model)
    if not layers:
        raise EcomTutorError(f"No self-attention of transformers was found in {type(model)!r}.")
    before = layers[0].config._attn_implementation
    used: list[Any] = []

    def noted(weights: Any, layer: int) -> Any:
        if layer == 0:
            used.clear()
        used.append(change(weights, layer))
        return used[-1]

    _register()
    for number, layer in enumerate(layers):
        setattr(layer, _CHANGE, (noted, number))
        layer.config._attn_implementation = _NAME
    try:
        yield used
    finally:
        for layer in layers:
            delattr(layer, _CHANGE)
            layer.config._attn_implementation = before


def unchanged(weights: Any, layer: int) -> Any:
    """The model's own weights: to look at them, or to compare."""
    return weights


def uniform(weights: Any, layer: int) -> Any:
    """Every token that is there gets the same weight: attention that says nothing."""
    there = (weights > 0).to(weights.dtype)
    return there / there.sum(dim=-1, keepdim=True)


def shuffled(seed: int) -> Change:
    """The weights of each row in a random order of the tokens; for texts without padding.

    Source:
        Jain and Wallace (2019), Attention is not Explanation, section 4.2.
    """
    import torch

    dice = torch.Generator().manual_seed(seed)

    def change(weights: Any, layer: int) -> Any:
        order = torch.rand(weights.shape, generator=dice).argsort(dim=-1)
        return weights.gather(-1, order)

    return change


def chances_under(model: Any, ids: np.ndarray, change: Change = unchanged) -> np.ndarray:
    """The model's probabilities (outputs,) for one text of token ids under changed attention."""
    import torch

    with attention_changed(model, change), torch.inference_mode():
        logits = model(torch.from_numpy(np.asarray(ids, dtype=np.int64))[None]).logits
    chances: np.ndarray = logits[0].softmax(-1).double().numpy()
    return chances


@dataclass(frozen=True)
class OtherAttention:
    """Attention that differs from the model's, and what the model says under it.

    before, after   probabilities (outputs,) with the model's own weights and with the others
    distance        mean Jensen–Shannon divergence of the rows, all heads and layers: 0 the same,
                    0.69 (ln 2) not one token in common
    own, other      weights (layers, heads, tokens, tokens)
    """

    before: np.ndarray
    after: np.ndarray
    distance: float
    own: np.ndarray
    other: np.ndarray

    @property
    def moved(self) -> float:
        """How far the probabilities moved: total variation, 0 to 1."""
        return float(abs(self.after - self.before).sum() / 2)


def other_attention(
    model: Any, ids: np.ndarray, steps: int = 80, tolerance: float = 0.02, seed: int = 0
) -> OtherAttention:
    """Search for weights as unlike the model's own as possible under which it says the same.

    Args:
        model: a classifier in evaluation mode; not changed.
        ids: (tokens,), special tokens included.
        steps: of the search; each costs a forward and a backward pass.
        tolerance: how far the probabilities may move without a penalty.
        seed: draws the start.

    Source:
        Jain and Wallace (2019), section 4.3, there for one layer of attention over an LSTM. Here
        all heads of all layers are free at once.
    """
    import torch

    row = torch.from_numpy(np.asarray(ids, dtype=np.int64))[None]
    with attention_changed(model, unchanged) as used, torch.no_grad():
        before = model(row).logits.softmax(-1)  # (1, outputs)
        own = torch.cat(used)  # (layers, heads, tokens, tokens)
    dice = torch.Generator().manual_seed(seed)
    free = (own + 1e-6).log() + torch.randn(own.shape, generator=dice)
    free.requires_grad_()
    optimizer = torch.optim.Adam([free], lr=0.3)
    with attention_changed(model, lambda _, layer: free[layer].softmax(-1)[None]), _still(model):
        for _ in range(steps):
            optimizer.zero_grad()
            moved = (model(row).logits.softmax(-1) - before).abs().sum() / 2
            loss = 50 * (moved - tolerance).clamp(min=0) - divergence(own, free.softmax(-1)).mean()
            loss.backward()
            optimizer.step()
        with torch.no_grad():
            after = model(row).logits.softmax(-1)
    other = free.detach().softmax(-1)
    return OtherAttention(
        before[0].double().numpy(),
        after[0].double().numpy(),
        float(divergence(own, other).mean()),
        own.numpy(),
        other.numpy(),
    )


def divergence(one: Any, other: Any) -> Any:
    """Jensen–Shannon divergence of rows of weights, (…, tokens) → (…); natural logarithm."""
    middle = (one + other) / 2

    def from_middle(part: Any) -> Any:
        return (part * ((part + 1e-12).log() - (middle + 1e-12).log())).sum(-1)

    return (from_middle(one) + from_middle(other)) / 2


@contextmanager
def _still(model: Any) -> Iterator[None]:
    """No gradients for the model's own weights: they are not what is sought."""
    wanted = {name: p.requires_grad for name, p in model.named_parameters()}
    model.requires_grad_(False)
    try:
        yield
    finally:
        for name, parameter in model.named_parameters():
            parameter.requires_grad_(wanted[name])


def _attending(model: Any) -> list[Any]:
    """The self-attention modules from the first layer to the last."""
    return [
        module
        for module in model.modules()
        if all(hasattr(module, part) for part in ("query", "key", "value", "config"))
    ]


def _register() -> None:
    """Tell transformers of a way to attend that lets the weights be changed."""
    from transformers import AttentionInterface, AttentionMaskInterface
    from transformers.masking_utils import eager_mask

    AttentionInterface.register(_NAME, _attend)
    AttentionMaskInterface.register(_NAME, eager_mask)


def _attend(
    module: Any, query: Any, key: Any, value: Any, mask: Any, scaling: float, **_: Any
) -> tuple[Any, Any]:
    """Scaled dot-product attention with the weights changed in between; no dropout."""
    scores = query @ key.transpose(2, 3) * scaling  # (rows, heads, tokens, tokens)
    if mask is not None:
        scores = scores + mask
    change, layer = getattr(module, _CHANGE)
    weights = change(scores.softmax(-1), layer)
    return (weights @ value).transpose(1, 2).contiguous(), weights
