"""One recommender against what households then bought."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ecomtutor.errors import EcomTutorError
from ecomtutor.metrics.ranking import ranking_by_household, ranking_metrics
from ecomtutor.recommendation.base import best, popularity
from ecomtutor.recommendation.purchases import (
    Part,
    Purchases,
    Task,
    training_purchases,
    wanted,
    weeks_of,
)

if TYPE_CHECKING:
    import pandas as pd

COLD = 20


def top_lists(
    scores: "np.ndarray[Any, Any]", purchases: Purchases, task: Task, k: int = 10
) -> "np.ndarray[Any, Any]":
    """The lists that scores make: (households, k). For discovery, nothing bought before."""
    if task == "discovery":
        scores = np.where(purchases.counts().toarray() > 0, -np.inf, scores)
    return best(scores, k)


def evaluate(
    scores: "np.ndarray[Any, Any]",
    task: Task,
    part: Part = "validation",
    k: int = 10,
    households: "Sequence[int] | np.ndarray[Any, Any] | None" = None,
) -> dict[str, float]:
    """Measures at k of scores (households, products): `ecomtutor.metrics.ranking_metrics`.

    Args:
        scores: made from what was known at the end of week 42 (validation) or 45 (test).
        task: "next" or "discovery".
        households: whose rows the scores are, by id; None: all of `training_purchases()`, in
            their order. A sample costs less and says less: its means vary with who is in it.

    Raises:
        EcomTutorError: an unknown household, or another number of rows.
    """
    known = training_purchases(weeks_of(part)[0])
    everybody, truth = len(known.households), wanted(task, part)
    buyers = popularity(known)
    if households is not None:
        ids = list(households)
        truth = truth[[known.household_at(household) for household in ids]]
        known = known.of(ids)
    if len(scores) != len(known.households):
        raise EcomTutorError(
            f"Scores of {len(known.households)} households were expected, a row each; "
            f"{np.shape(scores)} came."
        )
    lists = top_lists(scores, known, task, k)
    return ranking_metrics(lists, truth, buyers, k, everybody)


def evaluate_by_group(
    scores: "np.ndarray[Any, Any]", task: Task, part: Part = "validation", k: int = 10
) -> "pd.DataFrame":
    """NDCG for light and heavy households, and recall of cold and other products.

    Light households have bought fewer lines than the median; cold products were bought by fewer
    than `COLD` households before.

    Returns:
        A table: group, households, measure, value.
    """
    import pandas as pd

    known = training_purchases(weeks_of(part)[0])
    lists, truth = top_lists(scores, known, task, k), wanted(task, part)
    lines = np.asarray(known.counts().sum(axis=1)).ravel()
    by_household = ranking_by_household(lists, truth, k)
    light = lines[by_household.index] < np.median(lines)
    rows = [("light households", "ndcg", by_household["ndcg"][light]),
            ("heavy households", "ndcg", by_household["ndcg"][~light])]  # fmt: skip
    cold = popularity(known) < COLD
    for name, chosen in (("cold products", cold), ("other products", ~cold)):
        only = truth.multiply(chosen[None, :]).tocsr()
        only.eliminate_zeros()
        rows.append((name, "recall", ranking_by_household(lists, only, k)["recall"]))
    return pd.DataFrame(
        [(group, len(values), measure, values.mean()) for group, measure, values in rows],
        columns=["group", "households", "measure", "value"],
    )
