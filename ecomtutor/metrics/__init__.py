"""Numbers that say how good an answer is: thin over scikit-learn, written out where it teaches.

texts             how much a text repeats itself
classification    accuracy, precision, recall, F1, ROC and PR areas; confusion; a threshold's cost
ranking           NDCG, recall, hit rate, reciprocal rank; coverage and novelty
calibration       whether 90 % sure means right nine times in ten; temperature scaling
"""

from ecomtutor.metrics.calibration import (
    Reliability,
    calibration_error,
    calibration_error_by_chance,
    fit_temperature,
    reliability,
    with_temperature,
)
from ecomtutor.metrics.classification import (
    cheapest_threshold,
    classification_metrics,
    confusion,
    cost_of_threshold,
)
from ecomtutor.metrics.ranking import ranking_by_household, ranking_metrics
from ecomtutor.metrics.texts import repeated_ngrams

__all__ = [
    "Reliability",
    "calibration_error",
    "calibration_error_by_chance",
    "cheapest_threshold",
    "classification_metrics",
    "confusion",
    "cost_of_threshold",
    "fit_temperature",
    "ranking_by_household",
    "ranking_metrics",
    "reliability",
    "repeated_ngrams",
    "with_temperature",
]
