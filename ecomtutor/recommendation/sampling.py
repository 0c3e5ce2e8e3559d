"""Measures on some households: models that read text are too slow for all of them."""

from typing import Any

import numpy as np

from ecomtutor.errors import EcomTutorError
from ecomtutor.metrics.ranking import ranking_by_household
from ecomtutor.recommendation.evaluate import top_lists
from ecomtutor.recommendation.purchases import (
    Part,
    Task,
    training_purchases,
    wanted,
    weeks_of,
)


def sample_of_buyers(
    many: int, task: Task, part: Part = "validation", seed: int = 0
) -> "np.ndarray[Any, Any]":
    """Ids of some households that bought what the task asks for, drawn by the seed: (many,).

    Raises:
        EcomTutorError: fewer than one, or more than bought.
    """
    known = training_purchases(weeks_of(part)[0])
    bought = np.flatnonzero(np.diff(wanted(task, part).indptr))
    if not 1 <= many <= len(bought):
        raise EcomTutorError(f"{len(bought):,} households bought; a sample of {many!r} was asked.")
    chosen = np.random.default_rng(seed).choice(bought, many, replace=False)
    ids: np.ndarray[Any, Any] = known.households[np.sort(chosen)]
    return ids


def ndcg_of(
    scores: "np.ndarray[Any, Any]",
    households: "np.ndarray[Any, Any]",
    task: Task,
    part: Part = "validation",
    k: int = 10,
) -> "np.ndarray[Any, Any]":
    """NDCG at k of each household of a sample: (households,); 0 for one that bought nothing.

    Args:
        scores: (households, products), a row for each id.
    """
    known = training_purchases(weeks_of(part)[0])
    truth = wanted(task, part)[[known.household_at(household) for household in households]]
    lists = top_lists(scores, known.of(list(households)), task, k)
    found = ranking_by_household(lists, truth, k)["ndcg"]
    values: np.ndarray[Any, Any] = found.reindex(range(len(households)), fill_value=0).to_numpy()
    return values


def interval(
    values: "np.ndarray[Any, Any]", draws: int = 2000, seed: int = 0
) -> tuple[float, float, float]:
    """A mean over households and its 95 % bootstrap interval: mean, low, high.

    Give differences of two recommenders on the same households to compare them.

    Source: Efron and Tibshirani (1993), An Introduction to the Bootstrap; percentile method.
    """
    dice = np.random.default_rng(seed)
    means = values[dice.integers(0, len(values), (draws, len(values)))].mean(axis=1)
    low, high = np.percentile(means, [2.5, 97.5])
    return float(values.mean()), float(low), float(high)
