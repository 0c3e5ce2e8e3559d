"""Local models and single steps: LIME, leave one out, one alone."""

import math
from typing import Literal

import numpy as np

from ecomtutor.errors import EcomTutorError
from ecomtutor.interpretability.doors import dice_of, whole
from ecomtutor.interpretability.explanation import Explanation, explained
from ecomtutor.interpretability.game import Game

Sampling = Literal["drawn", "exhaustive"]
MOST_UNITS = 16  # whose 65,536 coalitions can all be asked


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
    whole(width, "The window's width in units", 1, n)
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
    game: Game,
    samples: int = 1000,
    kernel_width: float = 0.25,
    ridge: float = 1.0,
    seed: int = 0,
    sampling: Sampling = "drawn",
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
        sampling: "drawn" at random, as lime does; or, up to 16 units, "exhaustive": each of the
            2^n texts once, weighted by how often `samples` draws would meet it on average. That
            is what draws tend to; it has no seed and no error.

    Returns:
        Values without a promise to add up; `errors` says how far another seed may lie (see
        `ridge_errors`), None where nothing is drawn or too little; `settings` holds each output's
        intercept and fit (R²).

    Raises:
        EcomTutorError: a setting out of its range, or too many units for all texts.

    Source:
        Ribeiro, Singh and Guestrin (2016), "Why Should I Trust You?".
    """
    n = len(game)
    _require(n, samples, kernel_width, ridge, sampling)
    asked, made = game.count.asked, game.count.made
    if sampling == "exhaustive":
        present, times = every_coalition(n), expected_draws(n, samples)
    else:
        present, times = _drawn(n, samples, seed), np.ones(samples)
    answers = game(present)
    weight = times * lime_kernel(present, kernel_width)
    x = present.astype(float)
    values, intercept, fit = weighted_ridge(x, answers, weight, ridge)
    errors = None
    if sampling == "drawn" and samples > n + 1:
        errors = ridge_errors(x, answers - intercept - x @ values, weight, ridge)
    settings = {
        "samples": samples,
        "sampling": sampling,
        "kernel_width": kernel_width,
        "ridge": ridge,
        "intercept": intercept,
        "fit": fit,
    } | ({"seed": seed} if sampling == "drawn" else {})
    return explained(
        game, values, "LIME", asked, made, adds_up=False, errors=errors, settings=settings
    )


def lime_kernel(present: np.ndarray, kernel_width: float = 0.25) -> np.ndarray:
    """How near each text with hidden units is to the whole one: (samples,), 1 for the whole text.

    Args:
        present: (samples, units), true for what is there.
        kernel_width: of distances between 0 and 1.
    """
    distance = 1 - np.sqrt(present.mean(axis=1))  # 1 - cosine with the whole text
    weight: np.ndarray = np.sqrt(np.exp(-(distance**2) / kernel_width**2))
    return weight


def every_coalition(n: int) -> np.ndarray:
    """All 2^n coalitions of n units, (2^n, n), from nobody there to everybody."""
    return (np.arange(2**n)[:, None] >> np.arange(n)) & 1 == 1


def expected_draws(n: int, samples: int) -> np.ndarray:
    """How often lime meets each coalition of `every_coalition(n)` in so many samples, on average.

    The whole text comes once. Each other draw hides k of n units, k from 1 to n alike, and then
    each set of k alike: one set is met with probability 1 / (n · C(n, k)).
    """
    hidden = n - every_coalition(n).sum(axis=1)
    chance = np.array([0.0] + [1 / (n * math.comb(n, k)) for k in range(1, n + 1)])
    times = (samples - 1) * chance[hidden]
    times[-1] = 1.0
    return times


def ridge_errors(
    x: np.ndarray, residuals: np.ndarray, weight: np.ndarray, ridge: float
) -> np.ndarray:
    """Standard errors (units, outputs) of `weighted_ridge` where the samples are drawn at random.

    How far the weights would move with other samples: the residuals that each sample leaves,
    carried through the regression, with no assumption that they are alike (the "sandwich", with
    leverage taken out, HC3). Of what ridge itself shrinks they say nothing.

    Args:
        x: (samples, units).
        residuals: (samples, outputs).
        weight: (samples,), how near.
        ridge: the penalty.

    Source:
        MacKinnon and White (1985), Some Heteroskedasticity-Consistent Covariance Matrix
        Estimators with Improved Finite Sample Properties.
    """
    share = weight / weight.sum()
    a = x - share @ x
    gram = a.T @ (weight[:, None] * a) + ridge * np.eye(x.shape[1])
    pull = weight[:, None] * np.linalg.solve(gram, a.T).T  # (samples, units): sample moves weight
    leverage = (pull * a).sum(axis=1) + share
    alone = residuals / np.maximum(1 - leverage, 1e-3)[:, None]
    errors: np.ndarray = np.sqrt((pull**2).T @ alone**2)
    return errors


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
    try:
        coefficients = np.linalg.solve(gram, a.T @ (weight[:, None] * b))
    except np.linalg.LinAlgError as error:
        raise EcomTutorError(
            f"{len(x)} samples do not tell {x.shape[1]} units apart without a penalty. Give ridge "
            "above 0, or more samples."
        ) from error
    missed = share @ (b - a @ coefficients) ** 2
    spread = np.maximum(share @ b**2, 1e-300)
    return coefficients, y_mean - x_mean @ coefficients, 1 - missed / spread


def _drawn(n: int, samples: int, seed: int) -> np.ndarray:
    dice = dice_of(seed)
    present = np.ones((samples, n), dtype=bool)
    for row in present[1:]:
        row[dice.choice(n, dice.integers(1, n + 1), replace=False)] = False
    return present


def _require(n: int, samples: int, kernel_width: float, ridge: float, sampling: str) -> None:
    whole(samples, "samples", 2)
    if not kernel_width > 0 or not 0 <= ridge < math.inf:  # NaN is refused as well
        raise EcomTutorError(
            f"kernel_width > 0 and ridge ≥ 0 are wanted; {kernel_width} and {ridge} came."
        )
    if sampling not in ("drawn", "exhaustive"):
        raise EcomTutorError(f"sampling is 'drawn' or 'exhaustive'; {sampling!r} came.")
    if sampling == "exhaustive" and n > MOST_UNITS:
        raise EcomTutorError(
            f"{n} units have 2^{n} texts. All of them are asked up to {MOST_UNITS} units; give "
            "sampling='drawn' and look at the errors."
        )
