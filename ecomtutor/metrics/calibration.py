"""Is a classifier as often right as it says? Measured, and mended with one number."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ecomtutor.errors import EcomTutorError

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True)
class Reliability:
    """What was said and what came true, bin by bin; arrays of shape (bins with texts,).

    confidence is the mean probability of the predicted label, accuracy the share that was right,
    texts how many fell into the bin.
    """

    confidence: "np.ndarray"
    accuracy: "np.ndarray"
    texts: "np.ndarray"

    @property
    def error(self) -> float:
        """The expected calibration error: the gap's mean over all texts."""
        import numpy as np

        return float(np.average(np.abs(self.confidence - self.accuracy), weights=self.texts))


def reliability(
    probabilities: "np.ndarray", answers: "Sequence[int] | np.ndarray", bins: int = 15
) -> Reliability:
    """Sort the predictions by how sure they are, into bins of equal width, and compare with truth.

    Args:
        probabilities: shape (texts, classes).
        answers: the number of the right class of each text.
        bins: how many bins between 0 and 1.

    Raises:
        EcomTutorError: shapes that do not fit.

    Source:
        Naeini et al. (2015); Guo et al. (2017), On Calibration of Modern Neural Networks.
    """
    import numpy as np

    probabilities, answers = np.asarray(probabilities, float), np.asarray(answers)
    _require_fit(probabilities, answers)
    confidence = probabilities.max(axis=1)
    right = probabilities.argmax(axis=1) == answers
    place = np.minimum((confidence * bins).astype(int), bins - 1)
    texts = np.bincount(place, minlength=bins)
    full = texts > 0
    return Reliability(
        np.bincount(place, confidence, bins)[full] / texts[full],
        np.bincount(place, right, bins)[full] / texts[full],
        texts[full],
    )


def calibration_error(
    probabilities: "np.ndarray", answers: "Sequence[int] | np.ndarray", bins: int = 15
) -> float:
    """The expected calibration error (ECE): 0 where 80 % sure is right in 80 of 100 cases."""
    return reliability(probabilities, answers, bins).error


def calibration_error_by_chance(
    probabilities: "np.ndarray",
    bins: int = 15,
    draws: int = 200,
    seed: int = 0,
    below: float | None = None,
) -> float:
    """The calibration error that a perfectly calibrated classifier shows on so many texts.

    With few texts in a bin its accuracy strays by luck alone. Answers are drawn from the
    probabilities themselves, again and again; the mean error of the draws is returned, or, where
    `below` is a share such as 0.95, the error that this share of the draws stays below.
    """
    import numpy as np

    if below is not None and not 0 <= below <= 1:
        raise EcomTutorError(f"below is a share of the draws, from 0 to 1; {below!r} came.")
    probabilities, dice = np.asarray(probabilities, float), np.random.default_rng(seed)
    steps = probabilities.cumsum(axis=1)
    drawn = [
        (dice.random(len(steps))[:, None] > steps).sum(axis=1).clip(max=steps.shape[1] - 1)
        for _ in range(draws)
    ]
    errors = [calibration_error(probabilities, answers, bins) for answers in drawn]
    return float(np.mean(errors) if below is None else np.quantile(errors, below))


def with_temperature(logits: "np.ndarray", temperature: float) -> "np.ndarray":
    """softmax(logits / temperature): above 1 less sure, below 1 surer; the order stays."""
    import numpy as np

    if not temperature > 0:
        raise EcomTutorError(f"A temperature is above 0; {temperature} came.")
    scaled = np.asarray(logits, float) / temperature
    exponentials = np.exp(scaled - scaled.max(axis=1, keepdims=True))
    probabilities: np.ndarray = exponentials / exponentials.sum(axis=1, keepdims=True)
    return probabilities


def fit_temperature(logits: "np.ndarray", answers: "Sequence[int] | np.ndarray") -> float:
    """The temperature under which these answers were likeliest; fit it on validation texts.

    Args:
        logits: shape (texts, classes).
        answers: the number of the right class of each text.

    Returns:
        Between 0.05 and 20.

    Source:
        Guo et al. (2017), section 4.2.
    """
    import numpy as np
    from scipy.optimize import minimize_scalar

    logits, answers = np.asarray(logits, float), np.asarray(answers)
    _require_fit(logits, answers)

    def surprise(log_temperature: float) -> float:
        chosen = with_temperature(logits, np.exp(log_temperature))[np.arange(len(answers)), answers]
        return float(-np.log(np.maximum(chosen, 1e-300)).mean())

    best = minimize_scalar(surprise, bounds=(np.log(0.05), np.log(20)), method="bounded")
    return float(np.exp(best.x))


def _require_fit(values: "np.ndarray", answers: "np.ndarray") -> None:
    if values.ndim != 2 or answers.shape != values.shape[:1] or not len(answers):
        raise EcomTutorError(
            f"Shapes (texts, classes) and (texts,) are wanted; {values.shape} and {answers.shape} "
            "came."
        )
