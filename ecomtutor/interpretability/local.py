"""Local models and single steps: LIME, leave one out, one alone."""

import numpy as np

from ecomtutor.errors import EcomTutorError
from ecomtutor.interpretability.explanation import Explanation, explained
from ecomtutor.interpretability.game import Game


def leave_one_out(game: Game) -> Explanation:
    """How far the model's answer falls when one unit is hidden: n + 2 rows. Promises no sum."""
    asked, made = game.count.asked, game.count.made
    values = game.full - game(~np.eye(len(game), dtype=bool))
    return explained(game, values, "leave one out", asked, made, adds_up=False)


def one_alone(game: Game) -> Explanation:
    """How far one unit alone lifts the answer from that of an empty text: n + 2 rows."""
    asked, made = game.count.asked, game.count.made
    values = game(np.eye(len(game), dtype=bool)) - game.empty
    return explained(game, values, "one alone", asked, made, adds_up=False)


def occlusion(game: Game, width: int = 3) -> Explanation:
    """How far the answer falls when a window of neighbouring units is hidden, shared among them.

    Each unit gets the mean over the windows that hold it, divided by the width.

    Raises:
        EcomTutorError: a width outside 1 … units.

    Source:
        Zeiler and Fergus (2014), Visualizing and Understanding Convolutional Networks.
    """
    n = len(game)
    if not 1 <= width <= n:
        raise EcomTutorError(f"The window is 1 … {n} units wide; {width} came.")
    asked, made = game.count.asked, game.count.made
    hidden = np.zeros((n - width + 1, n), dtype=bool)
    for start, row in enumerate(hidden):
        row[start : start + width] = True
    falls = game.full - game(~hidden)  # (windows, outputs)
    values = hidden.T @ falls / hidden.sum(axis=0)[:, None] / width
    return explained(
        game, values, "occlusion", asked, made, adds_up=False, settings={"width": width}
    )


def lime(
    game: Game, samples: int = 1000, kernel_width: float = 0.25, ridge: float = 1.0, seed: int = 0
) -> Explanation:
    """The weights of a ridge regression on texts with random units hidden, near ones first.

    A sample hides k units, k from 1 to n alike. Its distance is 1 - cosine of its mask with the
    whole text; its weight exp(-distance² / kernel_width²), both under a square root as in lime.

    Args:
        game: the text and the model.
        samples: how many texts, the whole one among them.
        kernel_width: how near is near; the package lime takes 25 for distances times 100.
        ridge: the penalty on large weights.
        seed: draws the samples.

    Returns:
        Values without a promise to add up; `settings` holds each output's intercept and fit (R²).

    Source:
        Ribeiro, Singh and Guestrin (2016), "Why Should I Trust You?".
    """
    n = len(game)
    if samples < 2 or kernel_width <= 0 or ridge < 0:
        raise EcomTutorError(
            f"samples ≥ 2, kernel_width > 0 and ridge ≥ 0 are wanted; {samples}, {kernel_width} "
            f"and {ridge} came."
        )
    asked, made = game.count.asked, game.count.made
    dice = np.random.default_rng(seed)
    present = np.ones((samples, n), dtype=bool)
    for row in present[1:]:
        row[dice.choice(n, dice.integers(1, n + 1), replace=False)] = False
    answers = game(present)
    distance = 1 - np.sqrt(present.mean(axis=1))  # 1 - cosine with the whole text
    weight = np.sqrt(np.exp(-(distance**2) / kernel_width**2))
    values, intercept, fit = weighted_ridge(present.astype(float), answers, weight, ridge)
    settings = {
        "samples": samples,
        "kernel_width": kernel_width,
        "ridge": ridge,
        "seed": seed,
        "intercept": intercept,
        "fit": fit,
    }
    return explained(game, values, "LIME", asked, made, adds_up=False, settings=settings)


def weighted_ridge(
    x: np.ndarray, y: np.ndarray, weight: np.ndarray, ridge: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Ridge regression in closed form, the intercept not penalised.

    Args:
        x: (samples, units).
        y: (samples, outputs).
        weight: (samples,).
        ridge: the penalty.

    Returns:
        Coefficients (units, outputs), intercepts (outputs,) and weighted R² (outputs,).
    """
    share = weight / weight.sum()
    x_mean, y_mean = share @ x, share @ y
    a, b = x - x_mean, y - y_mean
    gram = a.T @ (weight[:, None] * a) + ridge * np.eye(x.shape[1])
    coefficients = np.linalg.solve(gram, a.T @ (weight[:, None] * b))
    missed = share @ (b - a @ coefficients) ** 2
    spread = np.maximum(share @ b**2, 1e-300)
    return coefficients, y_mean - x_mean @ coefficients, 1 - missed / spread
