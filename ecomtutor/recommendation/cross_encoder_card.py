"""The figures on the cross-encoder's card: python -m ecomtutor.recommendation evaluate …"""

from collections.abc import Iterator
from typing import Any

import numpy as np

from ecomtutor.recommendation.base import Recommender
from ecomtutor.recommendation.baselines import OwnFrequency
from ecomtutor.recommendation.cross_encoder import CrossEncoder, PairScorer
from ecomtutor.recommendation.purchases import Part, Task, training_purchases, wanted, weeks_of
from ecomtutor.recommendation.sampling import interval, ndcg_of, sample_of_buyers

SHARES = (0.1, 0.2, 0.3, 0.5, 1.0)


def first_stage(task: Task) -> Recommender:
    """Who picks the candidates: a household's own habits, or factors for what is new to it."""
    from ecomtutor.recommendation.factors import ALS

    return OwnFrequency(26) if task == "next" else ALS()


def evaluate_cross_encoder(
    part: Part = "validation", households: int = 200, scorer: PairScorer | None = None
) -> Iterator[str]:
    """Lines: the first stage alone, the cross-encoder alone, and mixed, on the same sample."""
    known = training_purchases(weeks_of(part)[0])
    tasks: tuple[Task, Task] = ("next", "discovery")
    for task in tasks:
        ids = sample_of_buyers(households, task, part)
        new = task == "discovery"
        model = CrossEncoder(first_stage(task), new_only=new, scorer=scorer, bf16=True).fit(known)
        assert isinstance(model, CrossEncoder)
        histories = known.of(ids)
        scores, tops = model.choose(histories)
        says = model.read(histories, tops)
        alone = ndcg_of(scores, ids, task, part)
        yield f"{task}, {part}: {households} households, {model.candidates} candidates each"
        yield f"  first stage ({model.first.name}) alone  {_figure(alone)}"
        yield f"  candidates in random order  {_figure(_shuffled(tops, ids, task, part))}"
        yield f"  candidates in perfect order  {_figure(_perfect(tops, ids, task, part))}"
        for share in SHARES:
            mixed = ndcg_of(model.mix(scores, tops, says, share), ids, task, part)
            yield (
                f"  cross-encoder, share {share:.1f}  {_figure(mixed)}   "
                f"against the first stage {_figure(mixed - alone, signed=True)}"
            )


def _figure(values: "np.ndarray[Any, Any]", signed: bool = False) -> str:
    mean, low, high = interval(values)
    sign = "+" if signed else ""
    return f"NDCG@10 {mean:{sign}.4f} [{low:{sign}.4f}, {high:{sign}.4f}]"


def _shuffled(tops: Any, ids: Any, task: Task, part: Part) -> "np.ndarray[Any, Any]":
    return ndcg_of(_only(tops, np.random.default_rng(0).random(tops.shape)), ids, task, part)


def _perfect(tops: Any, ids: Any, task: Task, part: Part) -> "np.ndarray[Any, Any]":
    """What an order that knew the future would reach: the ceiling of any re-ranker."""
    known = training_purchases(weeks_of(part)[0])
    truth = wanted(task, part)[[known.household_at(household) for household in ids]].toarray()
    bought = np.take_along_axis(truth, np.maximum(tops, 0), axis=1)
    return ndcg_of(_only(tops, bought), ids, task, part)


def _only(tops: "np.ndarray[Any, Any]", values: "np.ndarray[Any, Any]") -> Any:
    """Scores of the candidates alone: (households, products), -inf elsewhere."""
    products = len(training_purchases().products)
    out = np.full((len(tops), products), -np.inf, np.float32)
    household, place = (tops >= 0).nonzero()
    out[household, tops[household, place]] = values[household, place]
    return out
