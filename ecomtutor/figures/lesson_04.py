"""Figures of lesson 04, inside BERT. Each answers one question; the deck shows the same."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ecomtutor import attention, datasets, models
from ecomtutor.figures.core import BLUE, GREEN, INK, ORANGE, PURPLE, Figure, drawing, finish

if TYPE_CHECKING:
    import numpy as np
    from matplotlib.axes import Axes
    from torch import Tensor

_REVIEW = "酒店位置不错,不过靠近马路"  # how the lesson's review begins
_PALE = {"plain": "#ffffff", "mask": "#cfe3f3", "random": "#fbe0cc", "kept": "#d3efe4"}


def review() -> str:
    """The held-out hotel review that the lesson takes apart."""
    table = datasets.reviews("zh")
    return str(table.loc[table["text"].str.startswith(_REVIEW), "text"].item())


def embedding_lengths() -> Figure:
    """Which of the three vectors that enter a model is the longest?"""
    from ecomtutor.pretraining.corpus import sentences

    encoder = models.load_encoder("zh")
    inputs = encoder.tokenizer(*sentences(review()), return_tensors="pt")
    ids, segments = inputs["input_ids"][0], inputs["token_type_ids"][0]
    model: Any = encoder.model
    tables = model.embeddings
    lengths = {
        "word": tables.word_embeddings.weight[ids],
        "segment": tables.token_type_embeddings.weight[segments],
        "position": tables.position_embeddings.weight[: len(ids)],
    }
    lengths = {name: rows.detach().norm(dim=-1).tolist() for name, rows in lengths.items()}
    labels = encoder.tokenizer.convert_ids_to_tokens(ids)
    with drawing(8.2, 3.2) as (fig, ax):
        styles = (("-o", BLUE), ("-s", ORANGE), ("--^", GREEN))
        for (name, values), (style, colour) in zip(lengths.items(), styles, strict=True):
            ax.plot(values, style, color=colour, label=name, markersize=4, linewidth=1.4)
        ax.set_xticks(range(len(labels)), [_short_token(token) for token in labels])
        ax.set(xlabel="token", ylabel="length of the vector", ylim=(0, None))
        ax.legend(ncols=3, loc="upper center", bbox_to_anchor=(0.5, 1.18))
    words = lengths["word"]
    return finish(
        fig,
        "Lengths of the three vectors of each token of a review in m3e-small. Words lie between "
        f"{min(words):.1f} and {max(words):.1f}; the segment has {lengths['segment'][0]:.1f} in "
        f"the first text and {lengths['segment'][-1]:.1f} in the second; positions lie between "
        f"{min(lengths['position']):.1f} and {max(lengths['position']):.1f}.",
    )


def _short_token(token: str) -> str:
    return {"[CLS]": "CLS", "[SEP]": "SEP"}.get(token, token)


def layer_map() -> Figure:
    """What happens in a layer, where are its weights, and how much does each half change?"""
    encoder = models.load_encoder("zh")
    model: Any = encoder.model
    layer = model.encoder.layer[0]
    sizes = [
        _parameters(layer.attention.self, layer.attention.output.dense),
        _parameters(layer.intermediate, layer.output.dense),
    ]
    changes = _relative_changes(encoder)
    share = sizes[0] / sum(sizes)
    with drawing(8.2, 2.5) as (fig, ax):
        ax.set(xlim=(0, 10), ylim=(0, 3))
        ax.axis("off")
        ax.annotate("", (9.9, 1.6), (0.1, 1.6), arrowprops={"arrowstyle": "->", "color": INK})
        names = ["attention\nthen $W_O$", "feed-forward\n$W_1$, GELU, $W_2$"]
        for left, name, size, change, colour in zip(
            (0.9, 5.3), names, sizes, changes, (BLUE, ORANGE), strict=True
        ):
            _box(ax, left, 1.9, name, colour)
            middle = left + 1.9
            ax.text(left + 1, 0.75, f"{size / 1e6:.2f} million weights", ha="center", fontsize=9)
            ax.text(
                left + 1, 0.35, f"adds {change:.2f} of its input's length", ha="center", fontsize=9
            )
            _node(ax, middle + 0.55, "+")
            _node(ax, middle + 1.45, "norm")
        ax.text(0.1, 1.8, "x")
        ax.text(9.75, 1.8, "y")
    return finish(
        fig,
        "A layer of m3e-small from left to right. Attention and its output projection have "
        f"{sizes[0] / 1e6:.2f} million weights, {share:.0%} of the two; what they add is "
        f"{changes[0]:.2f} times as long as what comes in. Plus, norm. The feed-forward part has "
        f"{sizes[1] / 1e6:.2f} million weights and adds {changes[1]:.2f} times. Plus, norm.",
    )


def _parameters(*parts: Any) -> int:
    return sum(weights.numel() for part in parts for weights in part.parameters())


def _relative_changes(encoder: models.Loaded) -> "tuple[float, float]":
    """How long each half's change is, as a share of what enters it: means over a review."""
    import torch
    from torch.nn.functional import gelu

    inputs = encoder.tokenizer(review(), return_tensors="pt")
    model: Any = encoder.model
    layer = model.encoder.layer[0]
    with torch.no_grad():
        states = model(**inputs, output_hidden_states=True).hidden_states[0]
        parts = attention.query_key_value(model, 0, states)
        mixture = attention.merge_heads(attention.scaled_dot_product_attention(*parts).output)
        first = layer.attention.output.dense(mixture)  # (1, tokens, width)
        middle = layer.attention.output.LayerNorm(states + first)
        second = layer.output.dense(gelu(layer.intermediate.dense(middle)))
    return _ratio(first, states), _ratio(second, middle)


def _ratio(change: "Tensor", states: "Tensor") -> float:
    return (change.norm(dim=-1) / states.norm(dim=-1)).mean().item()


def _box(ax: "Axes", left: float, width: float, name: str, colour: str) -> None:
    from matplotlib.patches import FancyBboxPatch

    style = "round,pad=0.05"
    ax.add_patch(
        FancyBboxPatch(
            (left, 1.1), width, 1.0, style, facecolor="#ffffff", edgecolor=colour, lw=2, zorder=4
        )
    )
    ax.text(left + width / 2, 1.6, name, ha="center", va="center", zorder=5)
    # The residual goes around the box, from before it to the plus after it.
    start, end, top = left - 0.35, left + width + 0.55, 2.6
    ax.plot([start, start, end], [1.6, top, top], "-", color=INK, linewidth=1.2)
    ax.annotate("", (end, 1.78), (end, top + 0.02), arrowprops={"arrowstyle": "->", "color": INK})


def _node(ax: "Axes", x: float, name: str) -> None:
    ax.text(
        x,
        1.6,
        name,
        ha="center",
        va="center",
        bbox={"boxstyle": "round", "facecolor": "#eef1f4", "edgecolor": INK},
    )


def masked_review() -> Figure:
    """What does the model see of a review, and what is it asked?"""
    words, ids, seen, labels, tokenizer = _one_draw()
    original = tokenizer.convert_ids_to_tokens(ids)
    shown = [t.replace("[MASK]", "▢") for t in tokenizer.convert_ids_to_tokens(seen)]
    kinds = [
        _kind(*place, tokenizer.mask_token_id) for place in zip(ids, seen, labels, strict=True)
    ]
    asked = [t if kind != "plain" else "" for t, kind in zip(original, kinds, strict=True)]
    rows = {"word": [str(n) for n in words], "written": original, "seen": shown, "asked": asked}
    with drawing(8.2, 2.2) as (fig, ax):
        ax.set(xlim=(-0.5, len(ids) - 0.5), ylim=(3.5, -0.5))
        ax.set_yticks(range(4), list(rows))
        ax.set_xticks([])
        ax.spines[:].set_visible(False)
        ax.tick_params(length=0)
        for i, (name, cells) in enumerate(rows.items()):
            for j, (text, kind) in enumerate(zip(cells, kinds, strict=True)):
                paper = _PALE[kind] if name in ("seen", "asked") else _PALE["plain"]
                ax.text(
                    j,
                    i,
                    text,
                    ha="center",
                    va="center",
                    fontsize=8 if name == "word" else 11,
                    bbox={"facecolor": paper, "edgecolor": "none", "pad": 3},
                )
    said = "; ".join(
        f"{original[i]} is {_SAID[kind]}{shown[i] if kind == 'random' else ''}"
        for i, kind in enumerate(kinds)
        if kind != "plain"
    )
    return finish(fig, f"{''.join(original)}, with the number of each token's word. Asked: {said}.")


_SAID = {"mask": "hidden", "random": "shown as ", "kept": "shown as it is"}


def _kind(token: int, seen: int, label: int, mask_id: int) -> str:
    if label < 0:
        return "plain"
    return "mask" if seen == mask_id else "kept" if seen == token else "random"


def _one_draw() -> "tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, Any]":
    """Words, ids, what is seen and the labels of the review's first part, one row each.

    Two fifths of the words are asked instead of 15 %, so that a short text shows every case.
    """
    import numpy as np

    from ecomtutor.pretraining.batches import encode_sentences
    from ecomtutor.pretraining.corpus import sentences
    from ecomtutor.pretraining.masking import Vocabulary, choose_words, hide

    tokenizer = models.load_shop_bert().tokenizer
    sentence = encode_sentences(sentences(review())[:1], tokenizer)[0]
    rng = np.random.default_rng(_DRAW)
    chosen = choose_words(sentence.words[None], 0.4, rng)
    seen, labels = hide(sentence.ids[None], chosen, Vocabulary.of(tokenizer), rng)
    return sentence.words, sentence.ids, seen[0], labels[0], tokenizer


_DRAW = 41  # a draw in which all three cases occur


def blanks(scores: dict[str, tuple[float, float]]) -> Figure:
    """Who fills in the blanks?

    Args:
        scores: for each guesser the share of blanks where the right token came first, and where
            it was among the first five.
    """
    names = list(scores)
    with drawing(7.2, 2.9) as (fig, ax):
        for shift, label, colour, place in (
            (-0.2, "first", ORANGE, 0),
            (0.2, "among five", BLUE, 1),
        ):
            heights = [scores[name][place] for name in names]
            spots = [i + shift for i in range(len(names))]
            hatch = "" if place else "///"
            bars = ax.barh(
                spots, heights, 0.38, color=colour, label=label, hatch=hatch, edgecolor="#ffffff"
            )
            ax.bar_label(bars, fmt="%.2f", padding=3)
        ax.set_yticks(range(len(names)), names)
        ax.invert_yaxis()
        ax.set(xlabel="share of the blanks with the right token", xlim=(0, 1))
        ax.legend(ncols=2, loc="upper center", bbox_to_anchor=(0.5, 1.18))
    said = "; ".join(f"{name} {one:.2f} and {five:.2f}" for name, (one, five) in scores.items())
    return finish(fig, f"Right token first, and among the first five: {said}.")


def loss_curve(losses: Sequence[float], nothing: float, frequency: float) -> Figure:
    """Which knowledge does half a minute of pre-training reach?

    Args:
        losses: MLM + NSP of each step, in nats.
        nothing: the loss of a model that holds all tokens for equally likely.
        frequency: the loss of one that knows how frequent each token is, and no more.
    """
    smooth = [sum(part := losses[max(0, i - 10) : i + 10]) / len(part) for i in range(len(losses))]
    with drawing(7.2, 3.2) as (fig, ax):
        ax.plot(losses, "-", color=BLUE, alpha=0.25, linewidth=1)
        ax.plot(smooth, "-", color=BLUE, label="loss, mean of 20 steps")
        ax.axhline(nothing, color=ORANGE, linestyle="--", label="knows nothing")
        ax.axhline(frequency, color=PURPLE, linestyle=":", label="knows frequencies only")
        ax.set(xlabel="step", ylabel="MLM + NSP, nats", ylim=(5, math.ceil(nothing)))
        ax.legend(ncols=3, loc="upper center", bbox_to_anchor=(0.5, 1.16), fontsize=9)
    late = sum(losses[-50:]) / 50
    return finish(
        fig,
        f"Loss over {len(losses)} steps: from {losses[0]:.1f}, where a model starts that knows "
        f"nothing ({nothing:.1f}), to {late:.1f}; knowing frequencies only gives {frequency:.1f}.",
    )


def probe_by_layer(
    cls: Sequence[float], mean: Sequence[float], rival: float, majority: float
) -> Figure:
    """At which layer does [CLS] know whether the customer was pleased?

    Args:
        cls, mean: accuracy of a probe on each layer, from layer 0.
        rival: accuracy of TF-IDF.
        majority: the share of the larger class.
    """
    with drawing(6.6, 3.3) as (fig, ax):
        ax.plot(cls, "-o", color=BLUE, label="[CLS]")
        ax.plot(mean, "-s", color=ORANGE, label="mean of all tokens")
        ax.axhline(rival, color=GREEN, linestyle="--", label="TF-IDF")
        ax.axhline(majority, color=PURPLE, linestyle=":", label="majority")
        ax.set_xticks(range(len(cls)))
        ax.set(
            xlabel="layer (0: before the first)", ylabel="accuracy of the probe", ylim=(0.5, 0.9)
        )
        ax.legend(ncols=4, loc="upper center", bbox_to_anchor=(0.5, 1.16), fontsize=9)

    def said(values: Sequence[float]) -> str:
        return ", ".join(f"{value:.2f}" for value in values)

    return finish(
        fig,
        f"Accuracy by layer, from 0: [CLS] {said(cls)}; mean of all tokens {said(mean)}. "
        f"TF-IDF {rival:.2f}, majority {majority:.2f}.",
    )
