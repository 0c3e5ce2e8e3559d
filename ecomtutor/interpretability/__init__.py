"""Which words moved the model, by how much, and whether that can be believed.

units          a text as words or tokens, with exact places
game           the engine: a text with units hidden, scored once each
shapley        exact, Owen, sampled, Kernel SHAP
trees          where a text is cut for Owen values
shap_parity    the package shap's own numbers, in larger batches (shap_text: how it sees a text)
summary        many explanations together: strength, direction, counts
local          LIME, leave one out, occlusion
lime_limit     what LIME tends to, in closed form
lime_parity    the package lime's own numbers, each string scored once
gradients      gradient × input, integrated gradients
attention      weights, norms, rollout, attention × gradient
heads          kinds of heads, how widely they look, what is lost without them
bertviz_offline  BertViz' own views without a network
faithfulness   hide what an explanation names, and see
randomisation  take the learning away, and see
counterfactual_attention  give the model other attention weights, and see
in_words       an explanation as sentences, each number checked

explain        all of it in one call
scores         what is explained besides a classifier: next tokens, contrasts, answers

    explain("物流太慢，书很好", load_classifier("zh"))
"""

from ecomtutor.interpretability.attention import (
    attention_parts,
    attention_received,
    attention_rollout,
    attention_weights,
    attention_x_gradient,
    rollout,
)
from ecomtutor.interpretability.explain import INSIDE, METHODS, explain, game_of
from ecomtutor.interpretability.explanation import Explanation
from ecomtutor.interpretability.faithfulness import (
    Faithfulness,
    faithfulness,
    random_faithfulness,
    rank_agreement,
)
from ecomtutor.interpretability.game import Count, Game
from ecomtutor.interpretability.gradients import gradient_x_input, integrated_gradients
from ecomtutor.interpretability.lime_limit import lime_limit
from ecomtutor.interpretability.lime_parity import lime_samples, lime_text, lime_words
from ecomtutor.interpretability.local import (
    leave_one_out,
    lime,
    lime_kernel,
    occlusion,
    one_alone,
    weighted_ridge,
)
from ecomtutor.interpretability.scores import (
    continuation,
    contrast,
    next_token,
    probabilities,
    span,
)
from ecomtutor.interpretability.shap_parity import shap_partition
from ecomtutor.interpretability.shapley import (
    exact_shapley,
    kernel_shap,
    owen_values,
    sampled_shapley,
)
from ecomtutor.interpretability.summary import summarise
from ecomtutor.interpretability.units import Unit, Units, add_up, units_of

__all__ = [
    "INSIDE",
    "METHODS",
    "Count",
    "Explanation",
    "Faithfulness",
    "Game",
    "Unit",
    "Units",
    "add_up",
    "attention_parts",
    "attention_received",
    "attention_rollout",
    "attention_weights",
    "attention_x_gradient",
    "continuation",
    "contrast",
    "exact_shapley",
    "explain",
    "faithfulness",
    "game_of",
    "gradient_x_input",
    "integrated_gradients",
    "kernel_shap",
    "leave_one_out",
    "lime",
    "lime_kernel",
    "lime_limit",
    "lime_samples",
    "lime_text",
    "lime_words",
    "next_token",
    "occlusion",
    "one_alone",
    "owen_values",
    "probabilities",
    "random_faithfulness",
    "rank_agreement",
    "rollout",
    "sampled_shapley",
    "shap_partition",
    "span",
    "summarise",
    "units_of",
    "weighted_ridge",
]
