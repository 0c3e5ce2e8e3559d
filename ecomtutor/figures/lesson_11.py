"""Figures of lesson 11, LIME. Each answers one question; the deck shows the same."""

from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING

from ecomtutor.figures.core import (
    BLUE,
    COLOURS,
    GREEN,
    INK,
    LINES,
    ORANGE,
    Figure,
    drawing,
    finish,
)
from ecomtutor.text import words

if TYPE_CHECKING:
    import numpy as np
    from matplotlib.axes import Axes

    from ecomtutor.interpretability import Explanation, Game

SHORT = "great buy."
NO_PICTURE = "lots of sound but no picture!"
LONG = "some of the higher pitched rings are very easy to hear, but not easy to listen to."
FLIPS = {"en": "the vibration is not top.", "zh": "2.自带的vista home 不实用"}
PAIRS = {"en": ("not", "top"), "zh": ("不", "实用")}
CLAUSES = "楼很老,房间很大,服务不错."
REPEATS = "3\\地理位置很好,离地铁很近,离商场很近,逛街方便."
SEEDS = 10
SAMPLES = (50, 100, 200, 400)
WIDTHS = (0.1, 0.13, 0.18, 0.25, 0.4, 0.7, 1.0, 2.0)
DEFAULT = 0.25


def in_words(text: str) -> list[str]:
    """The splitter for lime that the lesson uses: our words, in any language."""
    return [word.text for word in words(text)]


@cache
def game(text: str, language: str) -> "Game":
    """The shipped classifier's logits on a text; what was scored once stays for the session."""
    from ecomtutor.finetuning import load_classifier
    from ecomtutor.interpretability import game_of

    return game_of(text, load_classifier(language))


@cache
def runs(samples: int) -> "tuple[Explanation, ...]":
    """LIME on `LONG` with ten seeds; fewer samples are the first ones of more."""
    from ecomtutor.interpretability import lime

    return tuple(lime(game(LONG, "en"), samples, seed=seed) for seed in range(SEEDS))


def values_of(explanations: "Sequence[Explanation]", output: str = "positive") -> "np.ndarray":
    """The values of one output, (explanations, units)."""
    import numpy as np

    return np.stack([each.values[:, each.output(output)] for each in explanations])


def nearness() -> Figure:
    """How much does a text still count when a share of its words is hidden?"""
    import numpy as np

    hidden = np.linspace(0, 1, 101)
    distance = 1 - np.sqrt(1 - hidden)
    said = []
    with drawing(6.6, 3.4) as (fig, ax):
        for width, colour, line in zip((0.1, DEFAULT, 1.0), COLOURS, LINES, strict=False):
            near = np.sqrt(np.exp(-(distance**2) / width**2))
            name = f"width {width:g}" + (" (lime's 25)" if width == DEFAULT else "")
            ax.plot(hidden, near, line, color=colour, label=name)
            said.append(f"{name} {near[50]:.2f}")
        ax.set(xlabel="share of the words hidden", ylabel="nearness, the weight in the fit")
        ax.set(ylim=(-0.02, 1.05))
        ax.legend(loc="lower left")
    return finish(
        fig,
        "Three falling curves of nearness over the share of hidden words. With half of the words "
        f"hidden: {', '.join(said)}.",
    )


def distinct_draws(samples: int = 5000) -> Figure:
    """Of 5,000 samples, how many are texts that were not drawn before?"""
    import numpy as np

    from ecomtutor.interpretability.lime_parity import lime_samples

    lengths = (4, 6, 8, 10, 12, 15, 20, 30, 40)
    found = [len(np.unique(lime_samples(n, samples), axis=0)) for n in lengths]
    with drawing(6.6, 3.3) as (fig, ax):
        ax.plot(lengths, found, "o-", color=BLUE)
        ax.axhline(samples, color=INK, linestyle=":", linewidth=1)
        for n, many in zip(lengths, found, strict=True):
            if n in (8, 15, 30):
                ax.annotate(f"{many:,}", (n, many), (-9, 7), textcoords="offset points", ha="right")
        ax.yaxis.set_major_formatter("{x:,.0f}")
        ax.set(xlabel="words of the text", ylabel="distinct texts", ylim=(0, samples * 1.08))
    told = ", ".join(f"{n} words {many:,}" for n, many in zip(lengths, found, strict=True))
    return finish(fig, f"Distinct texts among {samples:,} samples, rising with length: {told}.")


def ten_seeds(samples: int = 100, top: int = 7) -> Figure:
    """Ten seeds on one review: do they tell the same story?"""
    import numpy as np

    explanations = runs(samples)
    values = values_of(explanations)
    names = explanations[0].units.texts
    heavy = np.argsort(-np.abs(values.mean(axis=0)), kind="stable")[:top]
    with drawing(6.8, 3.5) as (fig, ax):
        for row, unit in enumerate(heavy):
            ax.plot(values[:, unit], np.full(SEEDS, row), "o", color=BLUE, alpha=0.55)
            ax.plot(values[:, unit].mean(), row, "|", color=INK, markersize=16)
        ax.axvline(0, color=INK, linewidth=1, linestyle=":")
        ax.set_yticks(range(top), [f"{names[unit]} ({unit + 1})" for unit in heavy])
        ax.invert_yaxis()
        ax.set(xlabel=f"weight for positive, {samples} samples (logit)")
    told = ", ".join(
        f"{names[unit]} from {values[:, unit].min():.2f} to {values[:, unit].max():.2f}"
        for unit in heavy
    )
    return finish(
        fig,
        f"Ten dots for each of the {top} heaviest words, one for each seed; the number behind a "
        f"word is its place in the text. {told}.",
    )


def spread() -> Figure:
    """How fast does the spread over seeds shrink, and does one run know it?"""
    import numpy as np

    over_seeds, claimed = [], []
    for samples in SAMPLES:
        over_seeds.append(values_of(runs(samples)).std(axis=0, ddof=1).mean())
        errors = [r.errors[:, 1] for r in runs(samples) if r.errors is not None]
        claimed.append(float(np.mean(errors)))
    with drawing(6.6, 3.4) as (fig, ax):
        ax.plot(SAMPLES, over_seeds, "o-", color=BLUE, label="spread over ten seeds")
        ax.plot(SAMPLES, claimed, "s--", color=ORANGE, label="standard error that a run reports")
        half = over_seeds[-1] * np.sqrt(SAMPLES[-1] / np.array(SAMPLES))
        ax.plot(SAMPLES, half, ":", color=INK, linewidth=1.3, label="one over the square root")
        ax.set_xscale("log")
        ax.set_xticks(SAMPLES, [str(n) for n in SAMPLES])
        ax.minorticks_off()
        ax.set(xlabel="samples", ylabel="standard deviation, mean of words", ylim=0)
        ax.legend()
    told = ", ".join(
        f"{n} samples {a:.3f} (reported {b:.3f})"
        for n, a, b in zip(SAMPLES, over_seeds, claimed, strict=True)
    )
    return finish(fig, f"Two falling lines that lie close together. Spread over seeds: {told}.")


def by_width(language: str) -> "np.ndarray":
    """LIME's weights (widths, units) for positive on `FLIPS`, from all texts: without noise."""
    from ecomtutor.interpretability import lime

    return values_of(
        [
            lime(game(FLIPS[language], language), 10_000, width, sampling="exhaustive")
            for width in WIDTHS
        ]
    )


def kernel_widths() -> Figure:
    """Does the verdict on a word depend on how far LIME looks?"""
    said = []
    with drawing(7.6, 3.7, columns=2) as (fig, axes):
        for ax, language in zip(axes, ("en", "zh"), strict=True):
            names = game(FLIPS[language], language).units.texts
            said.append(_widths(ax, by_width(language), names, PAIRS[language]))
            ax.set(title="English" if language == "en" else "Chinese", xlabel="kernel width")
        axes[0].set_ylabel("weight for positive (logit)")
    return finish(
        fig, f"Weights over kernel widths, default {DEFAULT} dashed upright. {' '.join(said)}"
    )


def _widths(ax: "Axes", values: "np.ndarray", names: Sequence[str], pair: tuple[str, str]) -> str:
    """Draws a pair of words in colour and the rest in grey; says how the pair moves."""
    for unit in range(len(names)):
        ax.plot(WIDTHS, values[:, unit], color="#b8c1c9", linewidth=1, linestyle="-")
    told = []
    for name, colour, line, mark in zip(pair, (BLUE, ORANGE), ("-", "--"), "os", strict=True):
        of_name = values[:, names.index(name)]
        ax.plot(WIDTHS, of_name, line, color=colour, marker=mark, label=name)
        told.append(f"{name} goes from {of_name[0]:.2f} to {of_name[-1]:.2f}")
    ax.axhline(0, color=INK, linewidth=1, linestyle=":")
    ax.axvline(DEFAULT, color=GREEN, linewidth=1, linestyle="--")
    ax.set_xscale("log")
    ax.set_xticks([0.1, 0.25, 0.5, 1, 2], ["0.1", "0.25", "0.5", "1", "2"])
    ax.minorticks_off()
    ax.legend(loc="center right", fontsize=9)
    return f"{'; '.join(told)}."
