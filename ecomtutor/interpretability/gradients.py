"""Explanations from a model's own slopes: gradient × input and integrated gradients.

They need the model itself and not only its answers: something that takes `inputs_embeds` and
`attention_mask` and answers with `.logits` of shape (rows, outputs). No word is hidden, so nothing
is asked of the model that it has never read; but they say what an infinitely small step would do,
and a network may bend before the step is taken.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from ecomtutor.errors import EcomTutorError
from ecomtutor.interpretability.doors import whole
from ecomtutor.interpretability.explanation import Explanation
from ecomtutor.interpretability.units import Units

if TYPE_CHECKING:
    import torch

Baseline = Literal["mask", "pad", "zero"]
TOKENS_AT_ONCE = 2048
ADDS_UP_WITHIN = 0.01


def gradient_x_input(units: Units, model: Any, *, outputs: Sequence[str] = ()) -> Explanation:
    """Each token's embedding times the slope of the output along it, added up to units.

    One forward pass and one backward pass for each output. It promises no sum: the model would have
    to be a straight line between an embedding of zeros and the text.

    Args:
        units: the text.
        model: in evaluation mode; takes inputs_embeds and attention_mask, answers with `.logits`
            (rows, outputs).
        outputs: the outputs' names, such as a classifier's labels.

    Returns:
        Values of the units; `settings["special"]`, (outputs,), is what tokens such as [CLS] got,
        which belong to no unit. Its base is the answer with every unit masked, as elsewhere.

    Raises:
        EcomTutorError: a model in training mode, or of another kind.

    Source:
        Shrikumar, Greenside, Shcherbina and Kundaje (2016), Not Just a Black Box.
    """
    table = embeddings_of(model)
    text = _embedded(table, units.ids)  # (tokens, width)
    slopes, logits = _slopes(model, text[None])  # (outputs, 1, tokens, width), (1, outputs)
    per_token = (slopes[:, 0] * text).sum(-1).T.double().numpy()  # (tokens, outputs)
    base = _logits(model, _embedded(table, hidden_ids(units, units.mask_id))[None])[0]
    values, special = to_units(per_token, units)
    return Explanation(
        units,
        values,
        base,
        logits[0],
        "gradient × input",
        asked=1,
        made=1,
        adds_up=False,
        settings={"special": special},
        outputs=tuple(outputs),
    )


def integrated_gradients(
    units: Units,
    model: Any,
    steps: int = 64,
    baseline: "Baseline | np.ndarray" = "mask",
    *,
    outputs: Sequence[str] = (),
) -> Explanation:
    """The slopes along the straight way from a baseline to the text, averaged, times that way.

    values = (x - x′) · ∫₀¹ ∂F/∂x (x′ + a (x - x′)) da, added up over an embedding's numbers and a
    unit's tokens. The integral is a sum over `steps` points (Gauss and Legendre's), so that it
    completes: base + sum of values + special tokens' share = full, but for the error of the sum.

    Args:
        units: the text.
        model: as for `gradient_x_input`; one forward pass for each step and one backward pass for
            each step and output, in batches of at most `TOKENS_AT_ONCE` tokens.
        steps: points on the way; twice as many tell how far the sum is still off.
        baseline: every unit's tokens become "mask" or "pad" tokens, or all tokens embeddings of
            "zero" (the special ones too); or ids (tokens,) that stand in for the text's.
        outputs: the outputs' names.

    Returns:
        `settings["special"]`, (outputs,), is what the special tokens got: nothing unless the
        baseline changes them. `settings["error"]`, (outputs,), is what the sum over steps leaves
        open. `adds_up` is true where units alone make up full - base but for 1 % of the largest
        move of an output.

    Raises:
        EcomTutorError: less than one step, another baseline, a model in training mode.

    Source:
        Sundararajan, Taly and Yan (2017), Axiomatic Attribution for Deep Networks.
    """
    whole(steps, "The way from baseline to text: steps", 1)
    table = embeddings_of(model)
    text, start = _embedded(table, units.ids), _baseline(table, units, baseline)
    base, full = np.concatenate([_logits(model, rows[None]) for rows in (start, text)])
    mean = _mean_slope(model, start, text - start, steps)  # (outputs, tokens, width)
    per_token = (mean * (text - start)).sum(-1).T.double().numpy()  # (tokens, outputs)
    values, special = to_units(per_token, units)
    error = full - base - values.sum(axis=0) - special
    move = np.abs(full - base).max()
    gap = np.abs(full - base - values.sum(axis=0)).max()
    name = baseline if isinstance(baseline, str) else "ids"
    settings = {"steps": steps, "baseline": name, "special": special, "error": error}
    return Explanation(
        units,
        values,
        base,
        full,
        "integrated gradients",
        asked=steps,
        made=steps,
        adds_up=bool(gap <= ADDS_UP_WITHIN * move),
        settings=settings,
        outputs=tuple(outputs),
    )


def embeddings_of(model: Any) -> "torch.nn.Module":
    """The model's table of word embeddings, from ids to vectors.

    Raises:
        EcomTutorError: the model has none, or is in training mode, where dropout makes its answers
            a matter of chance.
    """
    if getattr(model, "training", False):
        raise EcomTutorError("The model is in training mode: call model.eval() before explaining.")
    owner: Any
    for owner in (getattr(model, "encoder", None), model):
        try:
            table: torch.nn.Module = owner.get_input_embeddings()
        except (AttributeError, NotImplementedError):
            continue
        return table
    raise EcomTutorError(
        f"{type(model).__name__} gives no word embeddings (get_input_embeddings): gradients need "
        "the model itself. For a function from texts to scores take owen_values or lime."
    )


def to_units(per_token: np.ndarray, units: Units) -> tuple[np.ndarray, np.ndarray]:
    """Values (tokens, outputs) added up to units (units, outputs), and the rest, (outputs,)."""
    values = np.stack([per_token[list(unit.tokens)].sum(axis=0) for unit in units.units])
    return values, per_token.sum(axis=0) - values.sum(axis=0)


def _embedded(table: "torch.nn.Module", ids: np.ndarray) -> "torch.Tensor":
    import torch

    with torch.no_grad():
        vectors: torch.Tensor = table(torch.from_numpy(np.asarray(ids, dtype=np.int64)))
    return vectors.detach()


def hidden_ids(units: Units, filler: int) -> np.ndarray:
    """The ids with every unit's tokens replaced by a filler; special tokens stay."""
    ids = units.ids.copy()
    ids[[t for unit in units.units for t in unit.tokens]] = filler
    return ids


def _baseline(
    table: "torch.nn.Module", units: Units, baseline: "Baseline | np.ndarray"
) -> "torch.Tensor":
    if isinstance(baseline, np.ndarray):
        if baseline.shape != units.ids.shape:
            raise EcomTutorError(
                f"A baseline has one id for each of {len(units.ids)} tokens; {baseline.shape} came."
            )
        return _embedded(table, baseline)
    if baseline == "zero":
        return _embedded(table, units.ids) * 0
    if baseline not in ("mask", "pad"):
        raise EcomTutorError(f"baseline is 'mask', 'pad', 'zero' or ids; {baseline!r} came.")
    filler = units.mask_id if baseline == "mask" else units.pad_id
    return _embedded(table, hidden_ids(units, filler))


def _mean_slope(
    model: Any, start: "torch.Tensor", way: "torch.Tensor", steps: int
) -> "torch.Tensor":
    """The weighted mean of the slopes at points between 0 and 1, (outputs, tokens, width)."""
    import torch

    points, weights = np.polynomial.legendre.leggauss(steps)
    places = torch.tensor((points + 1) / 2, dtype=start.dtype)[:, None, None]
    shares = torch.tensor(weights / 2, dtype=start.dtype)
    many, mean = max(1, TOKENS_AT_ONCE // len(start)), torch.zeros(1)
    for first in range(0, steps, many):
        part = slice(first, first + many)
        slopes, _ = _slopes(model, start + places[part] * way)  # (outputs, rows, tokens, width)
        mean = mean + torch.einsum("r,ortw->otw", shares[part], slopes)
    return mean


def _slopes(model: Any, rows: "torch.Tensor") -> tuple["torch.Tensor", np.ndarray]:
    """∂ logit / ∂ embedding, (outputs, rows, tokens, width), and logits (rows, outputs)."""
    import torch

    rows = rows.detach().requires_grad_()
    with torch.enable_grad():
        logits = _forward(model, rows)
        slopes = [
            torch.autograd.grad(logits[:, k].sum(), rows, retain_graph=True)[0]
            for k in range(logits.shape[1])
        ]
    return torch.stack(slopes), logits.detach().double().numpy()


def _logits(model: Any, rows: "torch.Tensor") -> np.ndarray:
    import torch

    with torch.no_grad():
        logits: np.ndarray = _forward(model, rows).double().numpy()
    return logits


def _forward(model: Any, rows: "torch.Tensor") -> "torch.Tensor":
    import torch

    there = torch.ones(rows.shape[:2], dtype=torch.long)
    logits: torch.Tensor = model(inputs_embeds=rows, attention_mask=there).logits
    if logits.ndim != 2 or not torch.isfinite(logits).all():
        raise EcomTutorError(
            "The model is to answer with finite logits (rows, outputs); shape "
            f"{tuple(logits.shape)} came. A generator's next token is one of its places."
        )
    return logits
