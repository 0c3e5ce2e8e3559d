"""The methods on the score card, each from a trial and a seed to values of the units.

A new method is one more row of `METHODS`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from ecomtutor.interpretability import (
    Explanation,
    Game,
    exact_shapley,
    kernel_shap,
    leave_one_out,
    lime,
    occlusion,
    one_alone,
    owen_values,
    sampled_shapley,
)
from ecomtutor.interpretability.attention import (
    attention_received,
    attention_rollout,
    attention_x_gradient,
)
from ecomtutor.interpretability.gradients import gradient_x_input, integrated_gradients
from ecomtutor.laboratory.trials import Trial

BUDGET = 150  # rows for each method that draws coalitions: all get the same
EXACT_UNITS = 10
STEPS = 32


@dataclass(frozen=True)
class Answer:
    """What a method says of a trial: values (units,), and what it cost.

    forwards   rows that the model scored
    backwards  rows whose slopes were computed; each costs about two forwards
    """

    values: np.ndarray
    forwards: int
    backwards: int = 0

    @property
    def cost(self) -> int:
        """In forward passes of one text."""
        return self.forwards + 2 * self.backwards


Run = Callable[[Trial, int], Answer]


@dataclass(frozen=True)
class Method:
    """A row of the table.

    run     from a trial and a seed to an answer
    drawn   whether the seed matters
    up_to   the most units it takes
    needs   "answers" (any model, over any wire), "slopes" or "weights" (the model itself)
    """

    name: str
    run: Run
    needs: str
    drawn: bool = False
    up_to: int = 512


def _asked(make: Callable[..., Explanation]) -> Run:
    """A method that asks the model about coalitions."""

    def run(trial: Trial, seed: int) -> Answer:
        game = trial.game()
        made = make(game, **_sized(make, game, seed))
        return Answer(made.values[:, trial.forced], game.count.made)

    return run


def _sized(make: Callable[..., Explanation], game: Game, seed: int) -> dict[str, int]:
    """Settings that give a method the common budget, or the least that it needs; and the seed."""
    n = len(game)
    if make is sampled_shapley:
        return {"orders": max(2, BUDGET // (2 * n)), "seed": seed}
    if make in (lime, kernel_shap):
        return {"samples": max(BUDGET, 2 * n), "seed": seed}
    return {"width": min(3, n)} if make is occlusion else {}


def _gradient(trial: Trial, seed: int) -> Answer:
    model, labels = trial.classifier.model, trial.classifier.labels
    made = gradient_x_input(trial.units, model, outputs=labels)
    return Answer(made.values[:, trial.forced], 1, 1)


def _integrated(trial: Trial, seed: int) -> Answer:
    model, labels = trial.classifier.model, trial.classifier.labels
    made = integrated_gradients(trial.units, model, STEPS, outputs=labels)
    return Answer(made.values[:, trial.forced], STEPS, STEPS)


def _looked(backwards: int, make: Callable[..., Explanation], **settings: object) -> Run:
    """A method that reads the model's attention, with so many backward passes."""

    def run(trial: Trial, seed: int) -> Answer:
        model, labels = trial.classifier.model, trial.classifier.labels
        made = make(trial.units, model, outputs=labels, **settings)
        return Answer(made.values[:, trial.forced], 1, backwards)

    return run


def _random(trial: Trial, seed: int) -> Answer:
    """A ranking without knowledge; the text is in the seed, so that texts differ."""
    dice = np.random.default_rng([seed, *trial.units.ids.tolist()])
    return Answer(dice.permutation(len(trial.units)).astype(float), 0)


METHODS: Mapping[str, Method] = {
    method.name: method
    for method in (
        Method("exact Shapley", _asked(exact_shapley), "answers", up_to=EXACT_UNITS),
        Method("Owen values", _asked(owen_values), "answers"),
        Method("Kernel SHAP", _asked(kernel_shap), "answers", drawn=True),
        Method("sampled Shapley", _asked(sampled_shapley), "answers", drawn=True),
        Method("LIME", _asked(lime), "answers", drawn=True),
        Method("leave one out", _asked(leave_one_out), "answers"),
        Method("occlusion", _asked(occlusion), "answers"),
        Method("one alone", _asked(one_alone), "answers"),
        Method("gradient × input", _gradient, "slopes"),
        Method("integrated gradients", _integrated, "slopes"),
        Method("attention", _looked(0, attention_received), "weights"),
        Method("norm-weighted attention", _looked(0, attention_received, kind="norm"), "weights"),
        Method("attention rollout", _looked(0, attention_rollout), "weights"),
        Method("attention × gradient", _looked(1, attention_x_gradient), "weights"),
        Method("random", _random, "nothing", drawn=True),
    )
}
