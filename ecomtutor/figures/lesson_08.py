"""Figures of lesson 08, recommendation. Each answers one question; the deck shows the same.

What is computed live is computed on every eighth household, at the end of week 42, and once in a
session. What takes longer was measured once and is read from the shipped table.
"""

from functools import cache
from typing import TYPE_CHECKING, Any

from ecomtutor.figures.core import (
    BLUE,
    COLOURS,
    LINES,
    MARKS,
    ORANGE,
    Figure,
    drawing,
    finish,
    heat_map,
)

if TYPE_CHECKING:
    import numpy as np

    from ecomtutor.recommendation import Purchases, Recommender
    from ecomtutor.recommendation.purchases import Task

EVERY = 8  # households of the sample
FOUR = ("bread", "milk", "tea", "nappies")


@cache
def known() -> "Purchases":
    """What is known at the end of week 42."""
    from ecomtutor.recommendation import training_purchases

    return training_purchases(42)


@cache
def some() -> "np.ndarray[Any, Any]":
    """The sample: ids of every eighth household, (307,)."""
    return known().households[::EVERY]


@cache
def learned() -> "dict[str, Recommender]":
    """The recommenders that take a second or two to learn, fitted at the end of week 42."""
    from ecomtutor.recommendation import OwnFrequency, Popularity
    from ecomtutor.recommendation.factors import ALS
    from ecomtutor.recommendation.neighbours import Ease

    made: dict[str, Recommender] = {
        "popularity": Popularity(),
        "own frequency": OwnFrequency(26),
        "ALS": ALS(),
        "EASE": Ease(),
    }
    return {name: model.fit(known()) for name, model in made.items()}


@cache
def lists(model: str, task: "Task") -> "np.ndarray[Any, Any]":
    """The sample's lists of ten by one of `learned`, positions, (307, 10)."""
    from ecomtutor.recommendation import top_lists

    return top_lists(learned()[model].score(some().tolist()), known().of(some()), task)


def four_cosines() -> Figure:
    """Which of four products are bought by the same households?"""
    import numpy as np

    bought = np.array([[1.0, 1, 0, 0], [1, 1, 1, 0], [0, 1, 1, 1], [0, 0, 1, 1]])
    unit = bought / np.linalg.norm(bought, axis=0)
    cosine = unit.T @ unit
    with drawing(4.4, 3.0) as (fig, ax):
        heat_map(ax, cosine, FOUR, FOUR, top=1.0)
        ax.set_title("cosine of who bought them", fontsize=11)
    told = "; ".join(
        f"{FOUR[i]} and {FOUR[j]} {cosine[i, j]:.2f}" for i in range(4) for j in range(i + 1, 4)
    )
    return finish(fig, f"Cosines of four products: {told}.")


def habits() -> Figure:
    """Are the hits of a list things that the household had bought before?"""
    import numpy as np

    from ecomtutor.recommendation import wanted

    truth = wanted("next", "validation")[::EVERY].toarray() > 0
    before = known().of(some()).counts().toarray() > 0
    rows = np.arange(len(truth))[:, None]
    told = []
    with drawing(6.8, 2.6) as (fig, ax):
        names = list(learned())
        for place, name in enumerate(names):
            shown = lists(name, "next")
            hit, old = truth[rows, shown], before[rows, shown]
            again, new = (hit & old).sum(1).mean(), (hit & ~old).sum(1).mean()
            first = not place
            ax.barh(place, again, color=BLUE, label="bought before" if first else None)
            ax.barh(
                place, new, left=again, color="#ffffff", edgecolor=ORANGE, hatch="////",
                label="new to the household" if first else None,
            )  # fmt: skip
            told.append(f"{name} {again:.1f} and {new:.1f}")
        ax.set_yticks(range(len(names)), names)
        ax.invert_yaxis()
        ax.set(xlabel="hits in a list of ten, weeks 43–45", xlim=(0, 3.6))
        ax.legend(loc="lower right", fontsize=9)
    return finish(
        fig,
        "Mean hits in a list of ten that the household had bought before, and that were new: "
        f"{'; '.join(told)}.",
    )


def popularity_bias() -> Figure:
    """How many of all places on discovery lists go to twenty products?"""
    import numpy as np

    from ecomtutor.recommendation import wanted

    def share(counts: "np.ndarray[Any, Any]") -> float:
        return float(np.sort(counts)[::-1][:20].sum() / counts.sum())

    products = len(known().products)
    bought = np.asarray(wanted("discovery", "validation")[::EVERY].sum(axis=0)).ravel()
    rows = {"what is discovered": share(bought)}
    for name in ("popularity", "ALS", "EASE"):
        shown = np.bincount(lists(name, "discovery").ravel(), minlength=products)
        rows[f"lists of {name}"] = share(shown)
    with drawing(6.4, 2.4) as (fig, ax):
        for place, value in enumerate(rows.values()):
            real = not place
            ax.barh(
                place, value, color=ORANGE if real else BLUE, hatch="////" if real else "",
                edgecolor="#ffffff",
            )  # fmt: skip
            ax.text(value + 0.01, place, f"{value:.2f}", va="center", fontsize=9.5)
        ax.set_yticks(range(len(rows)), list(rows))
        ax.invert_yaxis()
        ax.set(xlabel="share of the twenty most frequent products", xlim=(0, 1.05))
    told = ", ".join(f"{name} {value:.1f}" for name, value in rows.items())
    return finish(fig, f"Share of the twenty most frequent products on discovery: {told}.")


def variety() -> Figure:
    """What does variety cost, on each task?"""
    balances = (1.0, 0.7, 0.5, 0.3)
    told = []
    with drawing(7.2, 3.0, columns=2) as (fig, axes):
        for ax, task, least in zip(axes, ("next", "discovery"), (0.30, 0.03), strict=True):
            found = [varied(task, balance) for balance in balances]
            gains, alike = zip(*found, strict=True)
            ax.plot(alike, gains, "-", color=BLUE, marker="o")
            for balance, x, y in zip(balances, alike, gains, strict=True):
                ax.annotate(f"{balance:g}", (x, y), xytext=(4, -12), textcoords="offset points",
                            fontsize=9)  # fmt: skip
            ax.set(xlabel="how alike a list's products are", ylabel="NDCG@10", title=task)
            ax.set(ylim=(least, max(gains) * 1.04), xlim=(0, 0.26))
            told.append(
                f"{task}: plain order alike {alike[0]:.1f}, balance 0.5 alike {alike[2]:.1f}"
            )
    return finish(
        fig, f"NDCG against likeness within lists, for balances from 1 to 0.3. {'; '.join(told)}."
    )


@cache
def varied(task: "Task", balance: float) -> tuple[float, float]:
    """NDCG on the sample and likeness within lists, for EASE with MMR at a balance."""
    import numpy as np

    from ecomtutor.metrics import ranking_by_household
    from ecomtutor.recommendation import wanted
    from ecomtutor.recommendation.diversity import by_category, diversify, intra_list_similarity

    histories = known().of(some())
    scores = learned()["EASE"].score_histories(histories)
    if task == "discovery":
        scores[histories.counts().toarray() > 0] = -np.inf
    alike = by_category(known().products)
    made = diversify(scores, alike, balance=balance)
    truth = wanted(task, "validation")[::EVERY]
    ndcg = float(ranking_by_household(made, truth)["ndcg"].mean())
    return ndcg, intra_list_similarity(made, alike)


def feedback() -> Figure:
    """Do lists still change when households take what they are shown?"""
    told = []
    with drawing(6.4, 3.0) as (fig, ax):
        rows = (("may repeat", True), ("only what is new", False))
        for (name, repeats), colour, line, mark in zip(rows, COLOURS, LINES, MARKS, strict=False):
            stays = loop(repeats)
            ax.plot(range(2, len(stays) + 2), stays, line, color=colour, marker=mark, label=name)
            told.append(f"{name} from {stays[0]:.1f} to {stays[-1]:.1f}")
        ax.set(xlabel="round", ylabel="of the ten, also there a round before", ylim=(-0.3, 10.3))
        ax.legend(fontsize=9, loc="center right")
    return finish(
        fig, f"Products that stay in a list from one round to the next: {'; '.join(told)}."
    )


@cache
def loop(repeats: bool, rounds: int = 8, every: int = 4) -> "list[float]":
    """Simulated: lists, three of ten taken, learned anew. How many of ten stay, round by round.

    With every fourth household of the sample, to be quick.
    """
    import numpy as np

    from ecomtutor.recommendation.base import best

    dice = np.random.default_rng(0)
    bought = np.log1p(known().of(some()[::every]).counts().toarray()).astype(np.float64)
    bought = bought[:, bought.any(axis=0)]  # nobody is offered what none of them ever bought
    before: np.ndarray[Any, Any] | None = None
    stays: list[float] = []
    for _ in range(rounds):
        scores = _linear(bought)
        shown = best(scores if repeats else np.where(bought > 0, -np.inf, scores), 10)
        if before is not None:
            stays.append(
                float(
                    np.mean([len(np.intersect1d(a, b)) for a, b in zip(shown, before, strict=True)])
                )
            )
        before = shown
        for row, line in enumerate(shown):
            bought[row, dice.choice(line, 3, replace=False)] += np.log(2)
    return stays


def _linear(bought: "np.ndarray[Any, Any]", strength: float = 100.0) -> "np.ndarray[Any, Any]":
    """EASE in closed form, on the side of the households: scores (households, products)."""
    import numpy as np
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1, "blas"):
        gram = bought @ bought.T
        solved = np.linalg.solve(gram + strength * np.eye(len(gram)), bought)
        diagonal = 1 - (bought * solved).sum(axis=0)
        return bought - (bought - gram @ solved) / diagonal
