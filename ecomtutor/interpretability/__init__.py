"""Which words moved the model, by how much, and whether that can be believed.

units          a text as words or tokens, with exact places
game           the engine: a text with units hidden, scored once each
shapley        exact, Owen, sampled, Kernel SHAP
local          LIME, leave one out, occlusion
faithfulness   hide what an explanation names, and see

    game = Game(units_of(text, classifier.tokenizer), classifier.token_logits)
    print(owen_values(game))
"""

from ecomtutor.interpretability.explanation import Explanation
from ecomtutor.interpretability.faithfulness import (
    Faithfulness,
    faithfulness,
    random_faithfulness,
    rank_agreement,
)
from ecomtutor.interpretability.game import Count, Game
from ecomtutor.interpretability.local import (
    leave_one_out,
    lime,
    occlusion,
    one_alone,
    weighted_ridge,
)
from ecomtutor.interpretability.shapley import (
    exact_shapley,
    kernel_shap,
    owen_values,
    sampled_shapley,
)
from ecomtutor.interpretability.units import Unit, Units, add_up, units_of

__all__ = [
    "Count",
    "Explanation",
    "Faithfulness",
    "Game",
    "Unit",
    "Units",
    "add_up",
    "exact_shapley",
    "faithfulness",
    "kernel_shap",
    "leave_one_out",
    "lime",
    "occlusion",
    "one_alone",
    "owen_values",
    "random_faithfulness",
    "rank_agreement",
    "sampled_shapley",
    "units_of",
    "weighted_ridge",
]
