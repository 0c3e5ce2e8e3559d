"""How often a classifier is right, in which way it is wrong, and what that costs."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ecomtutor.errors import EcomTutorError

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd


def classification_metrics(
    truth: Sequence[str], probabilities: "np.ndarray", labels: Sequence[str]
) -> "pd.DataFrame":
    """Precision, recall, F1, areas under ROC and PR curves of each label, and how many there are.

    The last row, "all", is the mean over the labels (macro); its accuracy is that of all texts.

    Args:
        truth: the right label of each text.
        probabilities: shape (texts, classes).
        labels: the names of the columns.

    Returns:
        One row a label and one row "all"; columns precision, recall, f1, roc_auc, pr_auc, texts,
        accuracy. An area is NaN where one side of it has no text.

    Source:
        scikit-learn's functions; Davis and Goadrich (2006) on why PR belongs beside ROC.
    """
    import numpy as np
    import pandas as pd
    from sklearn.metrics import average_precision_score, precision_recall_fscore_support
    from sklearn.metrics import roc_auc_score as roc

    answers, probabilities = _numbers(truth, probabilities, labels)
    precision, recall, f1, support = precision_recall_fscore_support(
        answers,
        probabilities.argmax(axis=1),
        labels=range(len(labels)),
        zero_division=0.0,
    )
    areas = [
        (
            roc(answers == i, probabilities[:, i]),
            average_precision_score(answers == i, probabilities[:, i]),
        )
        if 0 < (answers == i).sum() < len(answers)
        else (np.nan, np.nan)
        for i in range(len(labels))
    ]
    table = pd.DataFrame(
        {
            "precision": precision,
            "recall": recall,
            "f1": f1,
            "roc_auc": [a for a, _ in areas],
            "pr_auc": [a for _, a in areas],
        },
        index=list(labels),
    )
    table.loc["all"] = table.mean()
    table["texts"] = [*map(int, support), len(answers)]
    hits = probabilities.argmax(axis=1) == answers
    table["accuracy"] = [
        *(hits[answers == i].mean() if support[i] else np.nan for i in range(len(labels))),
        hits.mean(),
    ]
    return table


def confusion(
    truth: Sequence[str], probabilities: "np.ndarray", labels: Sequence[str]
) -> "pd.DataFrame":
    """Counts of texts, a row for each true label and a column for each predicted one."""
    import pandas as pd
    from sklearn.metrics import confusion_matrix

    answers, probabilities = _numbers(truth, probabilities, labels)
    counts = confusion_matrix(answers, probabilities.argmax(axis=1), labels=range(len(labels)))
    return pd.DataFrame(
        counts,
        index=pd.Index(list(labels), name="true"),
        columns=pd.Index(list(labels), name="predicted"),
    )


def cost_of_threshold(
    is_complaint: "Sequence[bool] | np.ndarray",
    probability: "Sequence[float] | np.ndarray",
    thresholds: "Sequence[float] | np.ndarray",
    *,
    missed: float,
    false_alarm: float,
) -> "np.ndarray":
    """The mean cost of a text at each threshold, if an alarm is given from that probability on.

    Args:
        is_complaint: the truth, shape (texts,).
        probability: of being a complaint, shape (texts,).
        thresholds: the probabilities from which an alarm is given.
        missed: what a complaint without an alarm costs.
        false_alarm: what an alarm without a complaint costs.

    Returns:
        Costs of shape (thresholds,), in the unit of `missed` and `false_alarm`.

    Raises:
        EcomTutorError: lengths differ, or costs are not positive.
    """
    import numpy as np

    truth, probability = np.asarray(is_complaint, bool), np.asarray(probability, float)
    if truth.shape != probability.shape or truth.ndim != 1 or not len(truth):
        raise EcomTutorError(
            f"One truth and one probability a text; {truth.shape} and {probability.shape} came."
        )
    if not (missed > 0 and false_alarm > 0):
        raise EcomTutorError(f"Costs are positive; missed={missed}, false_alarm={false_alarm}.")
    alarm = probability >= np.asarray(thresholds, float)[:, None]  # (thresholds, texts)
    costs: np.ndarray = (missed * (truth & ~alarm) + false_alarm * (~truth & alarm)).mean(axis=1)
    return costs


def cheapest_threshold(
    is_complaint: "Sequence[bool] | np.ndarray",
    probability: "Sequence[float] | np.ndarray",
    *,
    missed: float,
    false_alarm: float,
) -> float:
    """The threshold that would have cost least on these texts; in theory false / (false + missed).

    Only thresholds between two neighbouring probabilities can differ, so those are tried.

    Source:
        Elkan (2001), The Foundations of Cost-Sensitive Learning, for the theory.
    """
    import numpy as np

    seen = np.unique(np.asarray(probability, float))
    tried = np.concatenate([[0.0], (seen[1:] + seen[:-1]) / 2, [1.0]])
    costs = cost_of_threshold(
        is_complaint, probability, tried, missed=missed, false_alarm=false_alarm
    )
    return float(tried[costs.argmin()])


def _numbers(
    truth: Sequence[str], probabilities: Any, labels: Sequence[str]
) -> "tuple[np.ndarray, np.ndarray]":
    import numpy as np

    probabilities = np.asarray(probabilities, float)
    if probabilities.shape != (len(truth), len(labels)):
        raise EcomTutorError(
            f"{len(truth)} texts and {len(labels)} labels need probabilities of shape "
            f"({len(truth)}, {len(labels)}); {probabilities.shape} came."
        )
    if not np.isfinite(probabilities).all():
        raise EcomTutorError("Some probabilities are NaN or infinite.")
    column = {name: i for i, name in enumerate(labels)}
    unknown = {name for name in truth if name not in column}
    if unknown:
        raise EcomTutorError(
            f"{', '.join(map(repr, sorted(map(str, unknown))))} in the truth; the labels are "
            f"{', '.join(map(repr, labels))}."
        )
    return np.array([column[name] for name in truth], int), probabilities
