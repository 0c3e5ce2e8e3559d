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
    import pandas as pd

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
        ax.set(xlabel="hits in a list of ten, weeks 43–45", xlim=(0, 4.4))
        ax.legend(loc="center right", fontsize=9)
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
    told = ", ".join(f"{name} {value:.2f}" for name, value in rows.items())
    return finish(fig, f"Share of the twenty most frequent products on discovery: {told}.")


def variety() -> Figure:
    """What does variety cost, on each task?"""
    balances = (1.0, 0.7, 0.5, 0.3)
    told = []
    with drawing(7.2, 3.0, columns=2) as (fig, axes):
        for ax, (task, model) in zip(axes, VARIED.items(), strict=True):
            found = [varied(task, balance) for balance in balances]
            gains, alike = zip(*found, strict=True)
            ax.plot(alike, gains, "-", color=BLUE, marker="o")
            for balance, x, y in zip(balances, alike, gains, strict=True):
                ax.annotate(f"{balance:g}", (x, y), xytext=(-4, 8), textcoords="offset points",
                            fontsize=9)  # fmt: skip
            ax.set(xlabel="how alike a list's products are", ylabel="NDCG@10")
            ax.set(title=f"{task}: {model}", ylim=(0.7 * max(gains), 1.08 * max(gains)))
            ax.set(xlim=(0, 1.15 * max(alike)))
            told.append(
                f"{task}: plain order alike {alike[0]:.1f}, balance 0.5 alike {alike[2]:.1f}"
            )
    return finish(
        fig, f"NDCG against likeness within lists, for balances from 1 to 0.3. {'; '.join(told)}."
    )


VARIED: "dict[Task, str]" = {"next": "own frequency", "discovery": "EASE"}


@cache
def varied(task: "Task", balance: float) -> tuple[float, float]:
    """NDCG on the sample and likeness within lists, for a task's model with MMR at a balance."""
    from ecomtutor.metrics import ranking_by_household
    from ecomtutor.recommendation import wanted
    from ecomtutor.recommendation.diversity import by_category, diversify, intra_list_similarity

    alike = by_category(known().products)
    made = diversify(_scores(task), alike, balance=balance)
    truth = wanted(task, "validation")[::EVERY]
    ndcg = float(ranking_by_household(made, truth)["ndcg"].mean())
    return ndcg, intra_list_similarity(made, alike)


@cache
def _scores(task: "Task") -> "np.ndarray[Any, Any]":
    """The sample's scores by a task's model of `VARIED`; -inf for what must not appear."""
    import numpy as np

    histories = known().of(some())
    scores = learned()[VARIED[task]].score_histories(histories)
    if task == "discovery":
        scores[histories.counts().toarray() > 0] = -np.inf
    return scores


def feedback() -> Figure:
    """Do lists still change when households take what they are shown?"""
    told = []
    with drawing(6.4, 3.0) as (fig, ax):
        rows = (("lists may repeat", True), ("lists hold only what is new", False))
        for (name, repeats), colour, line, mark in zip(rows, COLOURS, LINES, MARKS, strict=False):
            stays, different = loop(repeats)
            ax.plot(range(1, len(stays) + 1), stays, line, color=colour, marker=mark, label=name)
            told.append(
                f"{name}: {stays[-1]:.0f} of ten are still there in round {len(stays)}, and the "
                f"number of different products has {_moved(different[0], different[-1])}"
            )
        ax.set(xlabel="round", ylabel="of the first list, still there", ylim=(-0.3, 10.5))
        ax.legend(fontsize=9, loc="center right")
    return finish(fig, f"How many products of the first list stay. {'; '.join(told)}.")


def _moved(before: int, after: int) -> str:
    share = after / before
    return "grown" if share > 1.1 else "shrunk" if share < 0.9 else "hardly changed"


@cache
def loop(repeats: bool, rounds: int = 8, every: int = 4) -> tuple[list[float], list[int]]:
    """Simulated: lists, three of ten taken, learned anew.

    With every fourth household of the sample, to be quick.

    Returns:
        Round by round: how many of a household's first ten are still in its list (mean), and how
        many different products stand on all lists together.
    """
    import numpy as np

    from ecomtutor.recommendation.base import best

    dice = np.random.default_rng(0)
    bought = np.log1p(known().of(some()[::every]).counts().toarray()).astype(np.float64)
    bought = bought[:, bought.any(axis=0)]  # nobody is offered what none of them ever bought
    shown: list[np.ndarray[Any, Any]] = []
    for _ in range(rounds):
        scores = _linear(bought)
        shown.append(best(scores if repeats else np.where(bought > 0, -np.inf, scores), 10))
        for row, line in enumerate(shown[-1]):
            bought[row, dice.choice(line, 3, replace=False)] += np.log(2)
    stays = [_in_common(shown[0], each) for each in shown]
    return stays, [len(np.unique(each)) for each in shown]


def _in_common(first: "np.ndarray[Any, Any]", second: "np.ndarray[Any, Any]") -> float:
    """Mean number of products that two lists of a household share."""
    pairs = zip(first, second, strict=True)
    return sum(len(set(a) & set(b)) for a, b in pairs) / len(first)


def _linear(bought: "np.ndarray[Any, Any]", strength: float = 100.0) -> "np.ndarray[Any, Any]":
    """EASE in closed form, on the side of the households: scores (households, products)."""
    import numpy as np
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1, "blas"):
        gram = bought @ bought.T
        solved = np.linalg.solve(gram + strength * np.eye(len(gram)), bought)
        diagonal = 1 - (bought * solved).sum(axis=0)
        return bought - (bought - gram @ solved) / diagonal


_GROUPS = (
    ("habits with this product", ("purchases", "days_", "due", "weeks", "quantity")),
    ("ALS, EASE", ("als", "ease")),
    ("habits with its kind", ("type_", "category_", "line_", "maker_", "format_")),
)


def importance() -> Figure:
    """What do the trees of the shipped rankers read?"""
    told = []
    with drawing(7.0, 2.8) as (fig, ax):
        names = [group for group, _ in _GROUPS] + ["the household", "how the product sells"]
        tasks: tuple[Task, Task] = ("next", "discovery")
        for shift, (task, colour) in enumerate(zip(tasks, (BLUE, ORANGE), strict=True)):
            shares = gains(task)
            places = [place + 0.38 * shift for place in range(len(names))]
            hatch = "////" if shift else ""
            ax.barh(places, [shares.get(name, 0.0) for name in names], 0.36, color=colour,
                    hatch=hatch, edgecolor="#ffffff", label=task)  # fmt: skip
            told.append(
                f"{task}: " + ", ".join(f"{name} {shares.get(name, 0.0):.2f}" for name in names)
            )
        ax.set_yticks([place + 0.19 for place in range(len(names))], names)
        ax.invert_yaxis()
        ax.set(xlabel="share of the gain")
        ax.legend(loc="lower right", fontsize=9)
    return finish(fig, f"What the trees read. {'; '.join(told)}.")


def gains(task: "Task") -> dict[str, float]:
    """Share of the gain of each group of features in the shipped ranker's trees."""
    import lightgbm

    from ecomtutor.datasets.store import data_dir

    file = data_dir() / "models" / "shop-ranker" / f"{task}.txt"
    booster = lightgbm.Booster(model_str=file.read_text(encoding="utf-8"))
    gain = booster.feature_importance("gain")
    shares: dict[str, float] = {}
    for feature, value in zip(booster.feature_name(), gain / gain.sum(), strict=True):
        group = _group_of(feature)
        shares[group] = shares.get(group, 0.0) + float(value)
    return shares


def _group_of(feature: str) -> str:
    if feature in _of_households():
        return "the household"
    for group, starts in _GROUPS:
        if feature.startswith(starts) or (feature == "on_offer" and group == _GROUPS[0][0]):
            return group
    return "how the product sells"


@cache
def _of_households() -> frozenset[str]:
    from ecomtutor.recommendation.features import household_features

    return frozenset(household_features(known().of(some()[:1].tolist())))


LADDER = (
    "popularity",
    "own frequency, decayed",
    "item-kNN",
    "ALS",
    "EASE",
    "text tower",
    "sequence transformer",
    "hybrid",
)


def ladder() -> Figure:
    """What does each recommender reach on the test weeks, on both tasks, with all households?"""
    table = recommenders()
    names = [name for name in LADDER if name in table.index]
    told = []
    with drawing(7.4, 3.4, columns=2) as (fig, axes):
        for ax, task in zip(axes, ("next", "discovery"), strict=True):
            reached = table.loc[names, f"{task}_ndcg"]
            best = reached.to_numpy().argmax()
            for place, value in enumerate(reached):
                top = place == best
                ax.barh(place, value, color=ORANGE if top else BLUE, hatch="////" if top else "",
                        edgecolor="#ffffff")  # fmt: skip
                ax.text(value * 1.02, place, f"{value:.3f}", va="center", fontsize=9)
            ax.set_yticks(range(len(names)), names if task == "next" else [""] * len(names))
            ax.invert_yaxis()
            ax.set(xlabel="NDCG@10", title=task, xlim=(0, 1.25 * reached.max()))
            told.append(
                f"{task}: " + ", ".join(f"{name} {value:.3f}" for name, value in reached.items())
            )
    return finish(fig, f"NDCG at 10 on the test weeks. {'; '.join(told)}.")


def recommenders() -> "pd.DataFrame":
    """The shipped figures of `benchmarks/recommend.py`, a row for each model.

    The hybrid is one row: each task's figures are those of its own ranker.
    """
    import pandas as pd

    from ecomtutor.datasets.store import data_dir

    return one_hybrid(pd.read_csv(data_dir() / "experiments" / "recommenders.csv"))


def one_hybrid(table: "pd.DataFrame") -> "pd.DataFrame":
    """The rows "hybrid, next" and "hybrid, discovery" as one, indexed by model."""
    table = table.set_index("model")
    pair = ("hybrid, next", "hybrid, discovery")
    if all(name in table.index for name in pair):
        table.loc["hybrid"] = table.loc[pair[0]]
        columns = [name for name in table if name.startswith("discovery_")]
        table.loc["hybrid", columns] = table.loc[pair[1], columns]
    return table
