"""Does an explanation depend on what the model learned? Take the learning away, and see."""

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ecomtutor.errors import EcomTutorError
from ecomtutor.interpretability.faithfulness import rank_agreement

if TYPE_CHECKING:
    import torch

INITIAL_SPREAD = 0.02  # BERT's, for matrices


@dataclass(frozen=True)
class Randomised:
    """A model from its top down to `layer` drawn anew, and its explanation beside the first one.

    agreement   Spearman's correlation of the values with those of the trained model
    sizes       the same of their absolute values: what a heat map without signs shows
    """

    layer: str
    agreement: float
    sizes: float


def layer_randomisation(
    explain: Callable[[Any], np.ndarray],
    model: "torch.nn.Module",
    layers: Sequence[str] | None = None,
    seed: int = 0,
) -> list[Randomised]:
    """Draw a model's layers anew, from the top down, and correlate explanations with the first.

    A method that shows what the model learned loses its explanation along with the learning. One
    that stays the same shows the text, or the architecture.

    Args:
        explain: from a model to values (units,) of one text; called once for each layer and once
            for the trained model.
        model: not changed; a copy is.
        layers: names of modules as in `model.named_modules()`, the topmost first; unless given,
            `layers_of(model)`.
        seed: draws the new weights.

    Returns:
        One row for each layer: everything above it and itself is random there.

    Raises:
        EcomTutorError: a name that is no module of the model.

    Source:
        Adebayo et al. (2018), Sanity Checks for Saliency Maps: the cascading randomisation.
    """
    import torch

    trained = np.asarray(explain(model), dtype=float)
    broken = copy.deepcopy(model)
    modules = dict(broken.named_modules())
    names = list(layers) if layers is not None else layers_of(broken)
    unknown = [name for name in names if name not in modules]
    if unknown:
        raise EcomTutorError(f"The model has no module {unknown[0]!r}: see named_modules().")
    dice = torch.Generator().manual_seed(seed)
    found = []
    for name in names:
        draw_anew(modules[name], dice)
        values = np.asarray(explain(broken), dtype=float)
        alike = rank_agreement(trained, values)
        found.append(Randomised(name, alike, rank_agreement(abs(trained), abs(values))))
    return found


def layers_of(model: "torch.nn.Module") -> list[str]:
    """Names of head, blocks and embeddings, top down, of a classifier on a BERT-like encoder.

    Raises:
        EcomTutorError: nothing of the kind is found; name the layers yourself.
    """
    names = [name for name, _ in model.named_modules()]
    heads = [name for name in names if name in ("classifier", "score")]
    blocks = [
        name for name in names if name.rpartition(".")[2].isdigit() and ".layer." in f".{name}"
    ]
    tables = [name for name in names if name.endswith("embeddings") and name.count(".") <= 2]
    if not blocks:
        raise EcomTutorError("No blocks named …layer.0, …layer.1 were found: give `layers`.")
    by_number = sorted(blocks, key=lambda name: -int(name.rpartition(".")[2]))
    return heads + by_number + tables[:1]


def draw_anew(module: "torch.nn.Module", dice: "torch.Generator") -> None:
    """Weights as before any training: matrices normal, biases zero, gains one. Changes the module.

    A padding row of an embedding table is drawn like the others.
    """
    import torch

    with torch.no_grad():
        for name, parameter in module.named_parameters():
            if parameter.dim() >= 2:
                parameter.normal_(0, INITIAL_SPREAD, generator=dice)
            elif name.endswith("bias"):
                parameter.zero_()
            else:
                parameter.fill_(1)
