"""Figures of lesson 12, faithful explanations. Each answers one question; the deck shows the same.

What is computed live is computed once in a session, on the first trials of each plant, which are
the first texts of the shipped score card too.
"""

from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from ecomtutor.figures.core import (
    BLUE,
    COLOURS,
    GREEN,
    INK,
    LINES,
    MARKS,
    ORANGE,
    PURPLE,
    Figure,
    drawing,
    finish,
    heat_map,
    ink_on,
)

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from ecomtutor.interpretability import Explanation
    from ecomtutor.interpretability.counterfactual_attention import OtherAttention
    from ecomtutor.laboratory import Trial
    from ecomtutor.laboratory.plants import Kind

PLANTS: Mapping[str, str] = {"one": "one word", "both": "both needed", "either": "either suffices"}
COMPARED = (
    "exact Shapley",
    "Owen values",
    "Kernel SHAP",
    "LIME",
    "leave one out",
    "one alone",
    "gradient × input",
    "integrated gradients",
    "attention",
    "attention rollout",
)
FOLLOWED = ("Owen values", "gradient × input", "attention", "attention rollout")
_NAMES = {"zh": "Chinese", "en": "English"}


@cache
def trials(language: str, kind: "Kind", masked: bool = False) -> "list[Trial]":
    """The first held-out texts in which the planted classifier was seen to follow this cue."""
    from ecomtutor.laboratory import load_planted, verified

    name = f"planted-{language}" + "-masked" * masked
    return verified(language, load_planted(name), kind, 8).trials


@cache
def values(language: str, kind: "Kind", number: int = 0) -> "dict[str, np.ndarray]":
    """What each method gives the units of one trial, for the label that the cue forces."""
    from ecomtutor.laboratory import METHODS

    trial = trials(language, kind)[number]
    fit = [method for method in METHODS.values() if len(trial.units) <= method.up_to]
    return {method.name: method.run(trial, 0).values for method in fit}


def looked(trial: "Trial") -> "Explanation":
    """The attention that each unit of a trial gets in the last layer, as an explanation."""
    from ecomtutor.interpretability import attention_received

    model, labels = trial.classifier.model, trial.classifier.labels
    return attention_received(trial.units, model, outputs=labels)


@cache
def scores() -> "pd.DataFrame":
    """The shipped marks, a row for each text and method."""
    from ecomtutor.laboratory import read

    return read()


def two_words() -> Figure:
    """What do three methods give one of two words, where both are needed and where either does?"""
    games = {
        "both needed": (0, 0, 0, 1),
        "either suffices": (0, 1, 1, 1),
        "they add": (0, 0.5, 0.5, 1),
    }
    methods = ("leave one out", "one alone", "Shapley")
    told = []
    with drawing(6.8, 3.2) as (fig, ax):
        for place, (name, (empty, first, second, both)) in enumerate(games.items()):
            out, alone = both - second, first - empty
            given = (out, alone, (out + alone) / 2)
            for shift, (value, colour, mark) in enumerate(zip(given, COLOURS, MARKS, strict=False)):
                x = place + 0.22 * (shift - 1)
                label = methods[shift] if not place else None
                ax.plot([x, x], [0, value], color=colour, linewidth=2, linestyle="-")
                ax.plot([x], [value], mark, color=colour, markersize=9, label=label)
            told.append(
                f"{name}: " + ", ".join(f"{m} {v:g}" for m, v in zip(methods, given, strict=True))
            )
        ax.set_xticks(range(3), list(games))
        ax.set(ylabel="given to each word", ylim=(-0.05, 1.35))
        ax.legend(ncols=3, loc="upper center")
    return finish(fig, f"The value of one of two words. {'; '.join(told)}.")


def found(language: str = "zh") -> Figure:
    """Which methods name the planted words first?"""
    from ecomtutor.laboratory import scorecard

    card = scorecard(scores(), f"planted-{language}")[list(PLANTS)]
    with drawing(5.6, 5.2) as (fig, ax):
        heat_map(ax, card.to_numpy(), list(card.index), list(PLANTS.values()), top=1.0)
        ax.set_title(f"Precision against the planted words, {_NAMES[language]}", fontsize=11)
    rows = "; ".join(
        f"{name} " + ", ".join(f"{value:.2f}" for value in row)
        for name, row in zip(card.index, card.to_numpy(), strict=True)
    )
    return finish(fig, f"Precision with {', '.join(PLANTS.values())}. {rows}.")


def deletion(language: str = "zh", kind: "Kind" = "both") -> Figure:
    """How fast does the verdict fall when words go in each method's order?"""
    import numpy as np

    from ecomtutor.interpretability.faithfulness import curves, random_curves

    trial = trials(language, kind)[0]
    judge = trial.game(chances=True)
    chance = random_curves(judge, trial.forced).deletion
    told = []
    with drawing(6.8, 3.4) as (fig, ax):
        for name, colour, line, mark in zip(
            ("Owen values", "attention", "gradient × input", "one alone"),
            COLOURS,
            LINES,
            MARKS,
            strict=True,
        ):
            order = np.argsort(-values(language, kind)[name], kind="stable")
            curve = curves(judge, order, trial.forced).deletion
            ax.plot(curve, line, color=colour, marker=mark, markersize=5, label=name)
            told.append(f"{name} {abs(curve[2]):.1f}")
        ax.plot(
            chance, color=INK, linewidth=1.2, linestyle=(0, (1, 2)), label="random, mean of ten"
        )
        ax.set(xlabel="words hidden, the strongest first", ylabel="probability", ylim=(-0.03, 1.5))
        ax.set_yticks([0, 0.25, 0.5, 0.75, 1])
        ax.legend(fontsize=9, ncols=3, loc="upper center")
    return finish(
        fig,
        "Probability of the forced label while words are hidden in five orders. With two hidden: "
        f"{', '.join(told)}, random {chance[2]:.1f}.",
    )


@cache
def agreement_values() -> "tuple[list[str], np.ndarray]":
    """Methods, and their mean rank agreement over five texts, (methods, methods)."""
    import numpy as np

    from ecomtutor.interpretability.faithfulness import agreement_matrix

    texts = [("zh", "one"), ("zh", "both"), ("zh", "either"), ("en", "one"), ("en", "both")]
    given = [values(language, kind) for language, kind in texts]
    names = [name for name in (*COMPARED, "random") if all(name in each for each in given)]
    return names, np.mean(
        [agreement_matrix([each[name] for name in names]) for each in given], axis=0
    )


def agreement() -> Figure:
    """Which methods say the same?"""
    import numpy as np

    names, matrix = agreement_values()
    with drawing(6.6, 5.0) as (fig, ax):
        ax.imshow(np.abs(matrix), cmap="Blues", vmin=0, vmax=1, aspect="auto", interpolation="none")
        for (i, j), value in np.ndenumerate(matrix):
            ink = ink_on("#08306b" if abs(value) > 0.6 else "#deebf7")
            ax.text(
                j,
                i,
                f"{round(value, 1) + 0.0:.1f}",
                ha="center",
                va="center",
                color=ink,
                fontsize=9,
            )
        ax.set_xticks(range(len(names)), names, rotation=45, ha="right")
        ax.set_yticks(range(len(names)), names)
        ax.tick_params(length=0)
        ax.spines[:].set_visible(False)
    pairs = [(matrix[i, j], names[i], names[j]) for i in range(len(names)) for j in range(i)]
    best, least = max(pairs), min(pairs)
    return finish(
        fig,
        f"Rank agreement of {len(names)} methods over five texts. Most alike: {best[1]} and "
        f"{best[2]}, {best[0]:.1f}; least: {least[1]} and {least[2]}, {least[0]:.1f}.",
    )


@cache
def randomised() -> "dict[str, list[float]]":
    """For each followed method, agreement with the trained model's explanation, layer by layer."""
    from dataclasses import replace

    from ecomtutor.interpretability.randomisation import layer_randomisation
    from ecomtutor.laboratory import METHODS

    found: dict[str, list[float]] = {}
    for name in FOLLOWED:
        method = METHODS[name]
        for trial in (trials("zh", "one")[0], trials("zh", "both")[0]):

            def explain(model: Any, trial: "Trial" = trial, method: Any = method) -> Any:
                other = replace(trial, classifier=replace(trial.classifier, model=model))
                return method.run(other, 0).values

            rows = layer_randomisation(explain, trial.classifier.model)
            so_far = found.setdefault(name, [0.0] * len(rows))
            found[name] = [a + row.sizes / 2 for a, row in zip(so_far, rows, strict=True)]
    return found


def randomisation() -> Figure:
    """Whose picture disappears when the model's learning is taken away, from the top down?"""
    steps = ["head", "layer 4", "layer 3", "layer 2", "layer 1", "embeddings"]
    told = []
    with drawing(6.8, 3.4) as (fig, ax):
        for name, colour, line, mark in zip(FOLLOWED, COLOURS, LINES, MARKS, strict=True):
            row = randomised()[name]
            ax.plot(row, line, color=colour, marker=mark, label=name)
            told.append(f"{name} " + ", ".join(f"{value:.1f}" for value in row))
        ax.axhline(0, color=INK, linewidth=1, linestyle=":")
        ax.set_xticks(range(len(steps)), steps)
        ax.set(xlabel="random from the head down to", ylabel="agreement of sizes", ylim=(-1, 1.1))
        ax.legend(fontsize=9, loc="lower left")
    return finish(
        fig, f"Agreement with the trained model's picture, head to embeddings: {'; '.join(told)}."
    )


@cache
def swapped(kind: "Kind" = "both", texts: int = 3) -> "list[tuple[Trial, float, OtherAttention]]":
    """For some trials: the forced label's probability with uniform attention, and a search."""
    from ecomtutor.interpretability.counterfactual_attention import (
        chances_under,
        other_attention,
        uniform,
    )

    found = []
    for trial in trials("zh", kind)[:texts]:
        model, ids = trial.classifier.model, trial.units.ids
        flat = float(chances_under(model, ids, uniform)[trial.forced])
        found.append((trial, flat, other_attention(model, ids)))
    return found


def swapped_attention() -> Figure:
    """Does the verdict stay when the attention weights are other ones?"""
    from ecomtutor.interpretability.counterfactual_attention import chances_under, shuffled

    told = []
    with drawing(7.2, 3.4) as (fig, ax):
        place = 0
        labels = []
        for kind in ("one", "both"):
            for trial, flat, other in swapped(kind):
                mixed = [
                    float(
                        chances_under(trial.classifier.model, trial.units.ids, shuffled(seed))[
                            trial.forced
                        ]
                    )
                    for seed in range(5)
                ]
                first = not place
                ax.plot(
                    [place],
                    [other.before[trial.forced]],
                    "o",
                    color=BLUE,
                    markersize=9,
                    label="own" if first else None,
                )
                ax.plot(
                    [place + 0.15] * 5,
                    mixed,
                    "x",
                    color=ORANGE,
                    label="shuffled, five times" if first else None,
                )
                ax.plot(
                    [place + 0.3], [flat], "s", color=GREEN, label="all equal" if first else None
                )
                ax.plot(
                    [place + 0.45],
                    [other.after[trial.forced]],
                    "D",
                    color=PURPLE,
                    label="sought: as different as can be" if first else None,
                )
                labels.append(f"{PLANTS[kind]}\n{place % 3 + 1}")
                told.append(
                    f"{PLANTS[kind]}: own {other.before[trial.forced]:.1f}, shuffled "
                    f"{min(mixed):.1f} to {max(mixed):.1f}, equal {flat:.1f}, sought "
                    f"{other.after[trial.forced]:.1f} at divergence {other.distance:.1f}"
                )
                place += 1
        ax.axhline(0.5, color=INK, linewidth=1, linestyle=":")
        ax.set_xticks([i + 0.2 for i in range(place)], labels)
        ax.set(ylabel="probability of the forced label", ylim=(-0.05, 1.45), yticks=[0, 0.5, 1])
        ax.legend(ncols=2, fontsize=9, loc="upper center")
    return finish(fig, f"Six texts under four kinds of attention. {'; '.join(told)}.")


def before_and_after() -> Figure:
    """What does a model say when words are hidden that it never saw hidden?"""
    import numpy as np

    told = []
    with drawing(6.8, 3.4) as (fig, ax):
        for masked, colour, line, mark, name in (
            (False, ORANGE, "--", "s", "trained on whole texts"),
            (True, BLUE, "-", "o", "half of the training texts with words hidden"),
        ):
            curve = np.mean(hidden_at_random(masked), axis=0)
            shares = np.linspace(0, 100, len(curve))
            ax.plot(shares, curve, line, color=colour, marker=mark, label=name)
            told.append(f"{name}: {curve[0]:.1f} whole, {curve[-1]:.1f} with all hidden")
        ax.axhline(0.5, color=INK, linewidth=1, linestyle=":")
        ax.set(
            xlabel="words hidden at random, %", ylabel="probability of “negative”", ylim=(0, 1.05)
        )
        ax.legend(fontsize=9, loc="lower left")
    return finish(fig, f"Mean probability over negative reviews without a cue. {'; '.join(told)}.")


@cache
def hidden_at_random(masked: bool) -> "np.ndarray":
    """Probability of "negative", (texts, 6): 0, 20, … 100 % of the words hidden at random.

    The texts are the negative reviews of the trials before anything was planted.
    """
    import numpy as np

    from ecomtutor.interpretability import Game, probabilities, units_of
    from ecomtutor.laboratory import load_planted

    classifier = load_planted("planted-zh" + "-masked" * masked)
    dice, rows = np.random.default_rng(0), []
    for trial in trials("zh", "one"):
        units = units_of(trial.original, classifier.tokenizer)
        game = Game(units, probabilities(classifier.token_logits))
        n = len(units)
        means = []
        for share in np.linspace(0, 1, 6):
            there = np.ones((6, n), dtype=bool)
            for row in there:
                row[dice.permutation(n)[: round(share * n)]] = False
            means.append(game(there)[:, 0].mean())
        rows.append(means)
    return np.array(rows)


def cost(language: str = "zh") -> Figure:
    """What does a better explanation cost?"""
    from ecomtutor.laboratory import scorecard

    card = scorecard(scores(), f"planted-{language}").drop(index="random").sort_values("cost")
    right = card[list(PLANTS)].mean(axis=1)
    with drawing(7.0, 4.4) as (fig, ax):
        for i, name in enumerate(card.index):
            full = right[name] > 0.995
            ax.plot([0.6, card.loc[name, "cost"]], [i, i], color="#c9d3dd", linewidth=1.2, zorder=1)
            ax.plot(
                [card.loc[name, "cost"]], [i], "o" if full else "X", color=BLUE if full else ORANGE
            )
            ax.text(card.loc[name, "cost"] * 1.25, i, f"{right[name]:.2f}", va="center", fontsize=9)
        ax.set_yticks(range(len(card)), list(card.index))
        ax.invert_yaxis()
        ax.set_xscale("log")
        ax.set(xlabel="cost, forward passes; the number is the mean precision", xlim=(0.6, 2500))
        ax.plot([], [], "o", color=BLUE, label="full marks")
        ax.plot([], [], "X", color=ORANGE, label="not")
        ax.legend(loc="upper right", fontsize=9)
    told = ", ".join(
        f"{name} {card.loc[name, 'cost']:.0f}: {right[name]:.2f}" for name in card.index
    )
    return finish(fig, f"Cost in forward passes, cheapest first, and mean precision. {told}.")
