"""What a fit came to: curves, metrics, confusion, calibration, and what it cost."""

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ecomtutor.finetuning.classifier import Classifier, TruncatedText
from ecomtutor.finetuning.examples import Examples
from ecomtutor.metrics import (
    Reliability,
    classification_metrics,
    confusion,
    fit_temperature,
    reliability,
    with_temperature,
)

if TYPE_CHECKING:
    import pandas as pd

    from ecomtutor.training import Curve


@dataclass(frozen=True)
class Cost:
    """Seconds of training, texts seen (each as often as it was seen), and numbers trained."""

    seconds: float
    texts: int
    trained: int

    @property
    def texts_per_second(self) -> float:
        """How fast it learned."""
        return self.texts / self.seconds if self.seconds else 0.0


@dataclass(frozen=True)
class FitReport:
    """A fit in figures; all but curve and cost are of the validation texts, or None without them.

    before and after are the reliability without and with the temperature, which was fitted on
    the same validation texts: test it on others. finished is False after a pause.
    """

    curve: "Curve"
    cost: Cost
    metrics: "pd.DataFrame | None" = None
    confusion: "pd.DataFrame | None" = None
    before: Reliability | None = None
    after: Reliability | None = None
    temperature: float = 1.0
    finished: bool = True

    @property
    def accuracy(self) -> float | None:
        """The share of validation texts that it got right."""
        return None if self.metrics is None else float(self.metrics.loc["all", "accuracy"])

    def __str__(self) -> str:
        lines = [
            f"trained     {self.cost.trained:,} numbers on {self.cost.texts:,} texts "
            f"in {self.cost.seconds:.0f} s ({self.cost.texts_per_second:.0f} texts/s)"
        ]
        if self.metrics is not None and self.before and self.after:
            overall = self.metrics.loc["all"]
            lines += [
                f"accuracy    {overall['accuracy']:.3f}   F1 {overall['f1']:.3f}   "
                f"ROC area {overall['roc_auc']:.3f}   on {overall['texts']:,.0f} validation texts",
                f"calibration error {self.before.error:.3f}, with temperature "
                f"{self.temperature:.2f}: {self.after.error:.3f}",
            ]
        return "\n".join(lines)


def report_on(
    classifier: Classifier, held_out: Examples | None, curve: "Curve", cost: Cost
) -> FitReport:
    """Set a fitted classifier's temperature by the validation texts, and judge it by them."""
    if held_out is None:
        return FitReport(curve, cost)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", TruncatedText)
        logits = classifier.logits(held_out.texts)
    classifier.temperature = fit_temperature(logits, held_out.answers)
    plain = with_temperature(logits, 1.0)
    tempered = with_temperature(logits, classifier.temperature)
    truth = [classifier.labels[i] for i in held_out.answers]
    return FitReport(
        curve,
        cost,
        classification_metrics(truth, tempered, classifier.labels),
        confusion(truth, tempered, classifier.labels),
        reliability(plain, held_out.answers),
        reliability(tempered, held_out.answers),
        classifier.temperature,
    )
