"""Figures of lesson 06, attention visualisation. Each answers one question, as in the deck."""

import dataclasses
import re
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from ecomtutor import datasets
from ecomtutor.figures.core import (
    BLUE,
    GREEN,
    ORANGE,
    PURPLE,
    Figure,
    drawing,
    finish,
    ink_on,
    shade,
)

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

REVIEWS = 30
LENGTHS = {"en": (60, 160), "zh": (20, 60)}  # characters
NAMED_FROM = 0.3  # a head is named after a pattern that gets this share of its attention or more
LETTERS = {
    "previous": "p",
    "next": "n",
    "itself": "i",
    "first": "C",
    "last": "S",
    "same token": "s",
    "broad": "·",
}
BRANDS = {
    "en": r"\b(?:[Cc]anon|[Nn]ikon|[Nn]okia|[Ii][Pp]od|[Aa]pple|[Cc]reative|[Ss]ony)\b",
    "zh": "华硕|联想|惠普|宏基|戴尔",
}
PRODUCT_WORDS = {
    "en": r"\b(?:player|camera|phone|battery|screen|software|router)\b",
    "zh": "电脑|笔记本|本本|机器|键盘|屏幕|系统",
}
PROMPT = "A customer asks: can I return the headphones after two weeks? The shop answers:"
PRUNED_REVIEWS, PRUNED_LENGTH = 100, {"en": 120, "zh": 40}
_TITLES = {"en": "MiniLM (English)", "zh": "m3e-small (Chinese)"}


@dataclass(frozen=True)
class Read:
    """A review as an encoder read it.

    tokens       their texts, [CLS] first and [SEP] last
    ids          (tokens,)
    weights      (layers, heads, tokens, tokens)
    layer_norms  (layers, tokens, tokens): how much arrives, heads added up
    """

    tokens: list[str]
    ids: "np.ndarray"
    weights: "np.ndarray"
    layer_norms: "np.ndarray"

    @property
    def special(self) -> list[int]:
        """The places of [CLS] and [SEP]."""
        return [0, len(self.tokens) - 1]


def encoded(text: str, language: str) -> "tuple[list[str], np.ndarray]":
    """The tokens of a text and their ids, as the language's encoder takes them."""
    import numpy as np

    from ecomtutor.models import load_encoder

    tokenizer = load_encoder(language).tokenizer
    encoding = tokenizer(text, truncation=True)
    return encoding.tokens(), np.array(encoding["input_ids"])


@cache
def read(language: str) -> tuple[Read, ...]:
    """Thirty short test reviews, read by the bare encoder; computed once in a session."""
    from ecomtutor.interpretability import attention_parts
    from ecomtutor.models import load_encoder

    table = datasets.reviews(language)
    fits = (table["split"] == "test") & table["text"].str.len().between(*LENGTHS[language])
    found = []
    for text in table.loc[fits, "text"].sample(REVIEWS, random_state=0):
        tokens, ids = encoded(text, language)
        parts = attention_parts(load_encoder(language).model, ids)
        found.append(Read(tokens, ids, parts.weights, parts.layer_norms))
    return tuple(found)


def patterns(review: Read) -> "dict[str, np.ndarray]":
    """Where heads of known kinds would look in this review."""
    from ecomtutor.interpretability import heads

    return heads.patterns(review.ids, review.special)


@cache
def looked_at(language: str, words: str, reviews: int = 40) -> "np.ndarray":
    """How many times its fair share each head gives to a word, (reviews, layers, heads).

    Args:
        language: "en" or "zh".
        words: a regular expression; in each review the first place that it matches is measured,
            and looks from that place itself do not count.
        reviews: how many reviews that hold such a word are drawn.
    """
    import numpy as np

    from ecomtutor.interpretability import attention_weights, heads
    from ecomtutor.models import load_encoder

    loaded = load_encoder(language)
    texts = datasets.reviews(language)["text"]
    fits = texts.str.contains(words) & texts.str.len().between(15, 120)
    found = []
    for text in texts[fits].sample(reviews, random_state=0):
        encoding = loaded.tokenizer(text, return_offsets_mapping=True)
        ids, place = np.array(encoding["input_ids"]), re.search(words, text)
        assert place is not None
        offsets = enumerate(encoding["offset_mapping"])
        span = [t for t, (a, b) in offsets if a < place.end() and b > place.start() and b > a]
        table = heads.patterns(ids, [0, len(ids) - 1], {"word": span})["word"]
        share = heads.share(attention_weights(loaded.model, ids), table)
        found.append(share / heads.chance(table))
    return np.stack(found)


@cache
def pruned(language: str) -> "pd.DataFrame":
    """Accuracy of the shipped classifier without some of its heads: order, gone, accuracy.

    Importance is measured on 64 validation reviews, accuracy on 100 others, of the test split.
    The random order is the mean of three.
    """
    import numpy as np
    import pandas as pd

    from ecomtutor.finetuning import load_classifier
    from ecomtutor.interpretability import heads

    classifier = load_classifier(language)
    test = _signed(language, "test").sample(PRUNED_REVIEWS, random_state=0)
    ascending = heads.least_important_first(importance(language))
    dice = np.random.default_rng(0)
    orders = {
        "least important first": [ascending],
        "in random order": [
            [ascending[i] for i in dice.permutation(len(ascending))] for _ in "abc"
        ],
        "most important first": [ascending[::-1]],
    }

    def accuracy(model: Any) -> float:
        said = dataclasses.replace(classifier, model=model).predict(test["text"].tolist())
        return float((np.array(said) == test["label"].to_numpy()).mean())

    many = len(ascending)
    quarters = [many // 4, many // 2, 3 * many // 4]
    ends = heads.pruning_curve(classifier.model, ascending, accuracy, [0, many])
    rows = []
    for name, some in orders.items():
        curves = [heads.pruning_curve(classifier.model, o, accuracy, quarters) for o in some]
        between = np.mean(curves, axis=0)
        points = zip([0, *quarters, many], [ends[0], *between, ends[1]], strict=True)
        rows += [(name, gone, right) for gone, right in points]
    table = pd.DataFrame(rows, columns=["order", "gone", "accuracy"])
    table.attrs["majority"] = float(test["label"].value_counts(normalize=True).max())
    return table


@cache
def importance(language: str) -> "np.ndarray":
    """How much each head of the shipped classifier matters to its loss, (layers, heads)."""
    import torch

    from ecomtutor.finetuning import load_classifier
    from ecomtutor.finetuning.batches import encode, padded
    from ecomtutor.interpretability import heads

    classifier = load_classifier(language)
    some = _signed(language, "validation").sample(64, random_state=0)
    rows, _ = encode(some["text"].tolist(), classifier.tokenizer, classifier.max_tokens)
    ids, mask = padded(rows, int(classifier.tokenizer.pad_token_id or 0))
    answers = torch.tensor([classifier.labels.index(label) for label in some["label"]])
    return heads.head_importance(classifier.model, ids, mask, answers)


def _signed(language: str, split: str) -> "pd.DataFrame":
    """Short reviews of a split that are positive or negative."""
    table = datasets.reviews(language)
    short = table["text"].str.len() <= PRUNED_LENGTH[language]
    return table[(table["split"] == split) & short & (table["label"] != "neutral")]


@cache
def prompt_parts() -> "tuple[list[str], np.ndarray, np.ndarray]":
    """SmolLM2 on a prompt: tokens, weights (layers, heads, tokens, tokens), layer norms."""
    import numpy as np

    from ecomtutor.interpretability import attention_parts
    from ecomtutor.models import load_generator

    loaded = load_generator("en")
    encoding = loaded.tokenizer(PROMPT)
    parts = attention_parts(loaded.model, np.array(encoding["input_ids"]))
    return encoding.tokens(), parts.weights, parts.layer_norms


def few_texts(language: str, many: int = 12) -> list[str]:
    """Short test reviews with a sign, to be explained one after the other."""
    table = _signed(language, "test")
    long = table["text"].str.len() >= PRUNED_LENGTH[language] // 3
    return [str(text) for text in table.loc[long, "text"].sample(many, random_state=1)]


def kinds_of_heads() -> Figure:
    """Which heads have a kind that a measurement can name?"""
    from ecomtutor.interpretability import heads

    told = []
    with drawing(7.4, 3.4, columns=2) as (fig, axes):
        for ax, language in zip(axes, ("en", "zh"), strict=True):
            shares, _ = heads.head_shares([(r.weights, patterns(r)) for r in read(language)])
            names, top = heads.kinds(shares, NAMED_FROM), _largest(shares)
            ax.imshow(top, cmap="Blues", vmin=0, vmax=1, aspect="auto", interpolation="none")
            for layer in range(len(top)):
                for head in range(top.shape[1]):
                    ink = ink_on(shade(top[layer, head]))
                    letter = LETTERS[names[layer, head]]
                    ax.text(head, layer, letter, ha="center", va="center", color=ink)
            ax.set(title=_TITLES[language], xlabel="head", ylabel="layer")
            ax.set_xticks(range(top.shape[1]))
            ax.set_yticks(range(len(top)))
            ax.tick_params(length=0)
            ax.spines[:].set_visible(False)
            counted = ", ".join(f"{(names == kind).sum()} {kind}" for kind in LETTERS)
            told.append(f"{_TITLES[language]}: {counted}")
        fig.supxlabel(
            "p previous · n next · C first, [CLS] · S last, [SEP] · s same token · the darker, "
            "the larger the share",
            fontsize=9,
        )
    return finish(fig, alt="Kinds of heads by measured share of attention. " + "; ".join(told))


def _largest(shares: "dict[str, np.ndarray]") -> "np.ndarray":
    import numpy as np

    return np.stack(list(shares.values())).max(axis=0)


def special_shares(language: str) -> "pd.DataFrame":
    """Share of [CLS] and [SEP] by layer: columns raw, norm and chance; means over reviews."""
    import numpy as np
    import pandas as pd

    from ecomtutor.interpretability import heads

    reviews = read(language)
    raw = np.mean([heads.share_by_layer(r.weights, r.special) for r in reviews], axis=0)
    norm = np.mean([heads.share_by_layer(r.layer_norms, r.special) for r in reviews], axis=0)
    chance = np.mean([2 / len(r.tokens) for r in reviews])
    return pd.DataFrame({"raw": raw, "norm": norm, "chance": chance})


def special_share() -> Figure:
    """How much of the attention goes to [CLS] and [SEP], and how much of what arrives is theirs?"""
    told = []
    with drawing(7.4, 3.2, columns=2) as (fig, axes):
        for ax, language in zip(axes, ("en", "zh"), strict=True):
            table = special_shares(language)
            ax.plot(table.index, table["raw"], "-", color=BLUE, marker="o", label="raw weights")
            ax.plot(
                table.index, table["norm"], "--", color=ORANGE, marker="s", label="what arrives"
            )
            ax.plot(table.index, table["chance"], ":", color=GREEN, label="all tokens alike")
            ax.set(title=_TITLES[language], xlabel="layer", ylim=(0, 0.7))
            ax.set_xticks(table.index)
            told.append(
                f"{_TITLES[language]}: raw up to {table['raw'].max():.2f}, arriving at most "
                f"{table['norm'].max():.2f}, by chance {table['chance'][0]:.2f}"
            )
        axes[0].set_ylabel("share of [CLS] and [SEP]")
        axes[1].legend(loc="upper right")
    return finish(fig, alt="Share of the special tokens by layer. " + "; ".join(told))


def pruning() -> Figure:
    """How many heads can go before the classifier notices?"""
    styles = {
        "least important first": (BLUE, "-", "o"),
        "in random order": (PURPLE, "-.", "^"),
        "most important first": (ORANGE, "--", "s"),
    }
    told = []
    with drawing(7.4, 3.3, columns=2) as (fig, axes):
        for ax, language in zip(axes, ("en", "zh"), strict=True):
            table = pruned(language)
            for name, (colour, line, mark) in styles.items():
                part = table[table["order"] == name]
                ax.plot(part["gone"], part["accuracy"], line, color=colour, marker=mark, label=name)
            ax.axhline(table.attrs["majority"], color=GREEN, linestyle=":", label="majority")
            half = table[table["gone"] == table["gone"].max() // 2].set_index("order")["accuracy"]
            told.append(
                f"{_TITLES[language]}: {table['accuracy'].iloc[0]:.2f} with all heads; half gone: "
                + ", ".join(f"{half[name]:.2f} {name}" for name in styles)
            )
            ax.set(title=_TITLES[language], xlabel="heads taken away", ylim=(0.3, 1.0))
        axes[0].set_ylabel(f"accuracy, {PRUNED_REVIEWS} reviews")
        axes[0].legend(loc="lower left", fontsize=8.5)
    return finish(fig, alt="Accuracy without heads. " + "; ".join(told))


def first_token() -> Figure:
    """How much of a generator's attention goes to the first token, and how much arrives?"""
    from ecomtutor.interpretability import heads

    _, weights, norms = prompt_parts()
    raw, arriving = heads.share_by_layer(weights, [0]), heads.share_by_layer(norms, [0])
    n = weights.shape[-1]
    alike = sum(1 / (i + 1) for i in range(n)) / n
    with drawing(6.6, 3.0) as (fig, ax):
        layers = range(len(raw))
        ax.plot(layers, raw, "-", color=BLUE, marker="o", markersize=4, label="raw weights")
        ax.plot(
            layers, arriving, "--", color=ORANGE, marker="s", markersize=4, label="what arrives"
        )
        ax.axhline(alike, color=GREEN, linestyle=":", label="all tokens so far alike")
        ax.set(xlabel="layer of SmolLM2", ylabel="share of the first token", ylim=(0, 1))
        ax.legend(loc="upper left", ncols=3, fontsize=8.5)
    return finish(
        fig,
        alt=f"The first token's share by layer: raw {raw.mean():.2f} on average, of what arrives "
        f"{arriving.mean():.2f}, by chance {alike:.2f}.",
    )
