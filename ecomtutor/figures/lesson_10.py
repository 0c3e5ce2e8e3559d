"""Figures of lesson 10, Shapley values. Each answers one question; the deck shows the same."""

from functools import cache
from typing import TYPE_CHECKING

from ecomtutor.figures.core import BLUE, GREEN, INK, ORANGE, PAPER, PURPLE, Figure, drawing, finish

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from ecomtutor.interpretability import Explanation, Game
    from ecomtutor.interpretability.game import Hiding

FOUR = "感觉很诡异。。。。"  # "feels very weird …"
TEN = "换内存不是很方便，没有XP操作系统。"
SHORT = "分区不合理，不过也算是各个厂商的通病"
LONG = (
    "服务良好，态度很好，感觉叫舒服。但房间窗子隔音不好，外面的噪音影响较敏感。位置不错，百米处就是"
    "包河。门前交通方便，离火车站飞机场都不算远。早餐一般，午晚餐未品尝过，出门右边不远的一条街上有些"
    "有特色的饭店。以后还会入住。"
)
ENGLISH = "very cheaply made."
HIDINGS: "tuple[Hiding, ...]" = ("mask", "delete", "pad")
REVIEWS, WORDS = 40, (5, 10)  # how many reviews the summary reads, and of what length


@cache
def game(text: str, language: str = "zh", hiding: "Hiding" = "mask", unit: str = "word") -> "Game":
    """How strongly the shipped classifier calls a text a complaint: logit negative - positive.

    What was scored once stays for the session.
    """
    from ecomtutor.finetuning import load_classifier
    from ecomtutor.interpretability import Game, units_of

    classifier = load_classifier(language)

    def complaint(rows: "list[np.ndarray]") -> "np.ndarray":
        logits = classifier.token_logits(rows)  # (rows, 2): negative, positive
        return logits[:, :1] - logits[:, 1:]

    units = units_of(text, classifier.tokenizer, unit, max_tokens=classifier.max_tokens)  # type: ignore[arg-type]
    return Game(units, complaint, hiding, outputs=("complaint",))


def off(one: "Explanation", other: "Explanation") -> float:
    """How far two explanations lie apart: the mean over units of the absolute difference."""
    return float(abs(one.values - other.values).mean())


@cache
def errors(seeds: int = 10) -> "pd.DataFrame":
    """Rows asked and distance from the exact values of `TEN`, for three methods."""
    import numpy as np
    import pandas as pd

    from ecomtutor.interpretability import exact_shapley, kernel_shap, owen_values, sampled_shapley

    the_game = game(TEN)
    exact, found = exact_shapley(the_game), []
    for orders in (2, 4, 8, 16, 32, 64):
        runs = [off(sampled_shapley(the_game, orders, s), exact) for s in range(seeds)]
        found.append(("sampled orders", 2 * orders * len(the_game), float(np.mean(runs))))
    for samples in (40, 80, 160, 320, 640):
        runs = [off(kernel_shap(the_game, samples, s), exact) for s in range(seeds)]
        found.append(("Kernel SHAP", samples, float(np.mean(runs))))
    for tree, name in (("balanced", "Owen, halves"), ("punctuation", "Owen, marks")):
        for budget in (20, 40, 60, None):
            owen = owen_values(the_game, budget, tree)  # type: ignore[arg-type]
            found.append((name, owen.asked, off(owen, exact)))
    return pd.DataFrame(found, columns=["method", "rows", "error"])


@cache
def default_budget() -> "Explanation":
    """What `shap.Explainer(pipeline)` says of `LONG` with its 500 evaluations."""
    from ecomtutor.finetuning import load_classifier
    from ecomtutor.interpretability import shap_partition

    return shap_partition(LONG, load_classifier("zh"))


def shared(explanation: "Explanation") -> "np.ndarray":
    """For each unit (units,) whether a neighbour has the very same value: it got a share."""
    import numpy as np

    same = np.abs(np.diff(explanation.values[:, 0])) < 1e-9
    return np.concatenate([same, [False]]) | np.concatenate([[False], same])


@cache
def summary(language: str) -> "pd.DataFrame":
    """Words of forty short test reviews: strength, direction and counts for *complaint*."""
    from ecomtutor.datasets import reviews
    from ecomtutor.interpretability import owen_values, summarise
    from ecomtutor.text import words

    table = reviews(language)
    texts = table[(table["split"] == "test") & table["label"].isin(("negative", "positive"))][
        "text"
    ]
    short = texts[texts.map(lambda text: WORDS[0] <= len(words(text)) <= WORDS[1])][:REVIEWS]
    return summarise((owen_values(game(text, language)) for text in short), "complaint")


def sixteen() -> Figure:
    """What does each order of arrival add up to, from nobody to the whole review?"""
    import numpy as np

    the_game = game(FOUR)
    everyone = (np.arange(16)[:, None] >> np.arange(4)) & 1 == 1
    worth, names = the_game(everyone)[:, 0], the_game.units.texts
    size = everyone.sum(axis=1)
    with drawing(7.4, 4.0) as (fig, ax):
        for i, one in enumerate(everyone):
            for unit in np.flatnonzero(~one):
                j = i | (1 << int(unit))
                ax.plot(size[[i, j]], worth[[i, j]], "-", color="#c5ced6", linewidth=0.8)
        ax.plot(size, worth, "o", color=BLUE)
        below = -1.0
        for i in np.lexsort((worth, size)):
            # A label too near the one below it goes to the left of its dot.
            crowded = i > 0 and 0 <= worth[i] - below < 0.2
            label = "".join(n for n, t in zip(names, everyone[i], strict=True) if t) or "nobody"
            place, side = ((-6, 4), "right") if crowded else ((6, -3), "left")
            ax.annotate(
                label.replace("。。。。", "…"),
                (size[i], worth[i]),
                place,
                textcoords="offset points",
                ha=side,
                fontsize=8,
            )
            below = np.inf if crowded else worth[i]
        ax.axhline(0, color=INK, linewidth=1, linestyle=":")
        ax.set_xticks(range(5))
        ax.set(xlabel="units that are there", ylabel="complaint (logit)", xlim=(-0.2, 4.9))
    return finish(
        fig,
        f"Sixteen dots, one for each set of the four units, joined where one unit arrives. Nobody "
        f"{worth[0]:.2f}, all {worth[15]:.2f}; with {names[1]} alone {worth[2]:.2f}, with "
        f"{names[2]} alone {worth[4]:.2f}, with both {worth[6]:.2f}.",
    )


def error_by_rows() -> Figure:
    """How fast does the error fall with the rows that are paid for?"""
    import numpy as np

    table = errors()
    styles = {
        "sampled orders": (BLUE, "-", "o"),
        "Kernel SHAP": (ORANGE, "--", "s"),
        "Owen, halves": (GREEN, "-.", "^"),
        "Owen, marks": (PURPLE, ":", "D"),
    }
    told = []
    with drawing(6.8, 3.8) as (fig, ax):
        for method, (colour, line, mark) in styles.items():
            part = table[table["method"] == method]
            ax.plot(part["rows"], part["error"], line, color=colour, marker=mark, label=method)
            a, b = part.iloc[0], part.iloc[-1]
            told.append(f"{method} from {a.error:.2f} at {a.rows} to {b.error:.2f} at {b.rows}")
        sampled = table[table["method"] == "sampled orders"]
        first = sampled.iloc[0]
        root = first.error * np.sqrt(first.rows / sampled["rows"])
        ax.plot(sampled["rows"], root, ":", color=INK, linewidth=1.2, label="1/√rows")
        ax.set(xscale="log", yscale="log", xlabel="rows asked for")
        ax.set_ylabel("mean error against exact (logit)")
        ax.legend(fontsize=9)
    return finish(
        fig, f"Falling lines of error over rows, both axes logarithmic: {'; '.join(told)}."
    )


def blurred() -> Figure:
    """Which characters of a long review did the default budget never reach?"""
    explanation = default_budget()
    values, blur = explanation.values[1:-1, 0], shared(explanation)[1:-1]
    places = range(len(values))
    with drawing(8.0, 3.3) as (fig, ax):
        for which, colour, name in ((blur, ORANGE, "a share"), (~blur, BLUE, "a value of its own")):
            chosen = [i for i in places if which[i]]
            bars = ax.bar(chosen, values[chosen], color=colour, width=1.0, label=name)
            for bar in bars:
                bar.set_hatch("////" if colour == ORANGE else "")
                bar.set_edgecolor(PAPER)
        ax.axhline(0, color=INK, linewidth=1)
        ax.set(xlabel="token of the review", ylabel="value for negative (probability)")
        ax.legend()
    return finish(
        fig,
        f"Bars for {len(values)} tokens. {int(blur.sum())} are hatched: they have exactly the same "
        "value as a neighbour, in steps of two to eight tokens.",
    )


def baselines() -> Figure:
    """Does it matter how a word is hidden?"""
    import numpy as np

    from ecomtutor.interpretability import exact_shapley

    found = {h: exact_shapley(game(FOUR, "zh", h)) for h in HIDINGS}
    names = game(FOUR).units.texts
    told = []
    with drawing(7.0, 3.4) as (fig, ax):
        for i, (h, colour) in enumerate(zip(HIDINGS, (BLUE, ORANGE, GREEN), strict=True)):
            values = found[h].values[:, 0]
            bars = ax.bar(np.arange(4) + 0.27 * (i - 1), values, 0.25, color=colour, label=h)
            for bar in bars:
                bar.set_hatch(("", "//", "..")[i])
                bar.set_edgecolor(PAPER)
            told.append(f"{h} from {found[h].base[0]:.2f}: {', '.join(f'{v:.2f}' for v in values)}")
        ax.axhline(0, color=INK, linewidth=1)
        ax.set_xticks(range(4), names)
        ax.set_ylabel("Shapley value (logit)")
        ax.legend(title="hidden by")
    return finish(fig, f"Bars of four units under three ways to hide. {'; '.join(told)}.")


def global_words(language: str = "zh", top: int = 12) -> Figure:
    """Which words move the classifier most, and in which direction?"""
    table = summary(language)[:top]
    with drawing(7.0, 4.0) as (fig, ax):
        rows = range(len(table))
        ax.barh(rows, table["strength"], color="#d7dee5", label="strength, mean of |value|")
        ax.plot(table["mean"], rows, "D", color=ORANGE, label="direction, mean value")
        labels = [f"{w} ({n})" for w, n in zip(table.index, table["places"], strict=True)]
        ax.set_yticks(rows, labels)
        ax.invert_yaxis()
        ax.axvline(0, color=INK, linewidth=1)
        ax.set(xlabel="complaint (logit)")
        ax.legend()
    told = "; ".join(f"{w} {r.strength:.2f}, mean {r['mean']:.2f}" for w, r in table[:5].iterrows())
    return finish(fig, f"Bars of strength with a mark for the mean, {len(table)} words: {told}.")
