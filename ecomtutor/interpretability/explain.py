"""One call from a text to its explanation, for those who do not want to set up the game."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

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
    units = units_of(text, classifier.tokenizer, unit, max_tokens=classifier.max_tokens)
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
        text: at least one character that the tokenizer keeps.
        classifier: anything with `tokenizer`, `token_logits(rows)`, `labels` and `max_tokens`.
        method: one of `METHODS`, which hide units and ask again: "owen" suits most texts, "exact"
            up to 16 units; or of `INSIDE`, which look into `classifier.model`.
        unit: "word" or "token".
        hiding: how a unit is hidden: "mask", "delete" or "pad". Methods of `INSIDE` hide nothing.
        bf16: half precision, for `METHODS`: faster, equal to about 0.01.
        settings: what the method takes: `budget`, `orders`, `samples`, `seed`, `width`, `steps` …

    Raises:
        EcomTutorError: an unknown method, or nothing to explain in the text.
    """
    if method in INSIDE:
        units = units_of(text, classifier.tokenizer, unit, max_tokens=classifier.max_tokens)
        return INSIDE[method](units, classifier.model, outputs=classifier.labels, **settings)
    if method not in METHODS:
        known = ", ".join([*METHODS, *INSIDE])
        raise EcomTutorError(f"method is one of {known}; {method!r} came.")
    return METHODS[method](game_of(text, classifier, unit, hiding, bf16=bf16), **settings)
