"""One call from a text to its explanation, for those who do not want to set up the game."""

from collections.abc import Callable, Mapping
from functools import partial
from inspect import signature
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from ecomtutor.errors import EcomTutorError
from ecomtutor.interpretability.attention import (
    attention_received,
    attention_rollout,
    attention_x_gradient,
)
from ecomtutor.interpretability.explanation import Explanation
from ecomtutor.interpretability.game import Game, Hiding
from ecomtutor.interpretability.gradients import gradient_x_input, integrated_gradients
from ecomtutor.interpretability.local import leave_one_out, lime, occlusion
from ecomtutor.interpretability.shapley import (
    exact_shapley,
    kernel_shap,
    owen_values,
    sampled_shapley,
)
from ecomtutor.interpretability.units import units_of

if TYPE_CHECKING:
    from ecomtutor.finetuning import Classifier

METHODS: Mapping[str, Callable[..., Explanation]] = {
    "exact": exact_shapley,
    "owen": owen_values,
    "sampled": sampled_shapley,
    "kernel": kernel_shap,
    "lime": lime,
    "leave-one-out": leave_one_out,
    "occlusion": occlusion,
}
INSIDE: Mapping[str, Callable[..., Explanation]] = {
    "gradient-x-input": gradient_x_input,
    "integrated-gradients": integrated_gradients,
    "attention": attention_received,
    "attention-norm": partial(attention_received, kind="norm"),
    "attention-rollout": attention_rollout,
    "attention-x-gradient": attention_x_gradient,
}


_NOT_SETTINGS = ("game", "units", "model", "outputs")


def game_of(
    text: str,
    classifier: "Classifier",
    unit: Literal["word", "token"] = "word",
    hiding: Hiding = "mask",
    *,
    bf16: bool = False,
    progress: bool = False,
) -> Game:
    """The game of a classifier's logits on a text: its units are the players.

    `explain` says what the arguments are; progress shows a bar for what takes over two seconds.
    """
    _require(classifier, "tokenizer", "token_logits", "labels", "max_tokens")
    units = units_of(text, classifier.tokenizer, unit, max_tokens=classifier.max_tokens)
    if isinstance(hiding, np.ndarray) and hiding.max(initial=0) >= len(classifier.tokenizer):
        raise EcomTutorError(
            f"Ids that stand in are below {len(classifier.tokenizer)}; {hiding.max()} came."
        )
    return Game(
        units,
        lambda rows: classifier.token_logits(rows, bf16=bf16),
        hiding,
        outputs=classifier.labels,
        progress=progress,
    )


def explain(
    text: str,
    classifier: "Classifier",
    method: str = "owen",
    unit: Literal["word", "token"] = "word",
    hiding: Hiding = "mask",
    *,
    bf16: bool = False,
    **settings: Any,
) -> Explanation:
    """Which units of a text moved a classifier's logits, by the method of your choice.

    Args:
        text: at least one character that the tokenizer keeps; of more than `max_tokens` tokens the
            beginning is explained, as far as the model reads, and pictures say so.
        classifier: anything with `tokenizer`, `token_logits(rows)`, `labels` and `max_tokens`.
        method: one of `METHODS`, which hide units and ask again: "owen" suits most texts, "exact"
            up to 16 units; or of `INSIDE`, which look into `classifier.model`.
        unit: "word" or "token".
        hiding: how a unit is hidden: "mask", "delete" or "pad". Methods of `INSIDE` hide nothing.
        bf16: half precision, for `METHODS`: faster, equal to about 0.01.
        settings: what the method takes: `budget`, `orders`, `samples`, `seed`, `width`, `steps` …

    Raises:
        EcomTutorError: an unknown method or setting, nothing to explain in the text, or a
            classifier that lacks what the method needs.
    """
    known = {**METHODS, **INSIDE}
    if not isinstance(method, str) or method not in known:
        raise EcomTutorError(f"method is one of {', '.join(known)}; {method!r} came.")
    _require_settings(known[method], method, settings)
    if method in INSIDE:
        _require(classifier, "tokenizer", "model", "labels", "max_tokens")
        units = units_of(text, classifier.tokenizer, unit, max_tokens=classifier.max_tokens)
        return INSIDE[method](units, classifier.model, outputs=classifier.labels, **settings)
    return METHODS[method](game_of(text, classifier, unit, hiding, bf16=bf16), **settings)


def _require(classifier: object, *names: str) -> None:
    """The door for classifiers: what they lack is told, and where to go with what came."""
    lacks = [name for name in names if not hasattr(classifier, name)]
    if not lacks:
        return
    inside = (
        " This method looks inside the model; owen and lime do not." if "model" in lacks else ""
    )
    raise EcomTutorError(
        f"A classifier has {', '.join(names)}; {type(classifier).__name__} lacks "
        f"{', '.join(lacks)}.{inside} load_classifier('zh') gives one; for a function from texts "
        "to probabilities take lime_text, for one from token ids a Game."
    )


def _require_settings(
    make: Callable[..., Explanation], method: str, given: Mapping[str, Any]
) -> None:
    own = [name for name in signature(make).parameters if name not in _NOT_SETTINGS]
    unknown = [name for name in given if name not in own]
    if unknown:
        raise EcomTutorError(
            f"{method} has no setting {unknown[0]!r}; it has {', '.join(own) or 'none'}."
        )
