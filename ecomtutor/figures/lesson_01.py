"""Figures of lesson 01, attention by hand. Each answers one question; the deck shows the same."""

import math
from typing import TYPE_CHECKING

from ecomtutor import attention, models
from ecomtutor.figures.core import BLUE, INK, ORANGE, Figure, drawing, finish, heat_map

if TYPE_CHECKING:
    from torch import Tensor

WORDS = ["sound", "great", "battery"]
WIDTHS = [4, 16, 64, 256, 1024]


def three_words() -> tuple["Tensor", "Tensor", "Tensor"]:
    """The lesson's toy: queries (3, 4), keys (3, 4) and values (3, 2) of three words."""
    import torch

    query = torch.tensor([[0.0, 2, 0, 0], [2, 0, 1, 0], [1, 2, 0, -1]])
    key = torch.tensor([[2.0, 0, 2, 0], [0, 2, 0, 0], [2, 0, 0, 2]])
    value = torch.tensor([[1.0, 0], [0, 0], [0, 1]])
    return query, key, value


def by_hand_weights() -> Figure:
    """Which word does each of the three words look at?"""
    weights = attention.scaled_dot_product_attention(*three_words()).weights  # (3, 3)
    with drawing(5.2, 3.0) as (fig, ax):
        heat_map(ax, weights, WORDS, WORDS, top=1.0)
        ax.set_xlabel("the word that is looked at (key)")
        ax.set_ylabel("the word that looks (query)")
    great = ", ".join(f"{w:.2f} on {word}" for w, word in zip(weights[1], WORDS, strict=True))
    return finish(
        fig, f"Weights of three words. Row great: {great}. Rows sound and battery look at great."
    )


def temperatures() -> Figure:
    """What does temperature do to the same three scores?"""
    import torch

    scores = torch.tensor([3.0, 0.0, 2.0])
    weights = {t: attention.softmax(scores, t).tolist() for t in (0.25, 1.0, 4.0)}
    with drawing(7.2, 2.6, columns=3) as (fig, axes):
        for ax, (temperature, heights) in zip(axes, weights.items(), strict=True):
            ax.bar_label(ax.bar(WORDS, heights, color=BLUE), fmt="%.2f")
            ax.set(title=f"temperature {temperature:g}", ylim=(0, 1.15), yticks=[0, 0.5, 1])
        axes[0].set_ylabel("weight")
    said = "; ".join(f"at {t:g}: " + ", ".join(f"{w:.2f}" for w in weights[t]) for t in weights)
    return finish(fig, f"Weights of sound, great and battery for scores 3, 0 and 2. {said}.")


def random_pairs(d_k: int, pairs: int = 2000) -> tuple["Tensor", "Tensor"]:
    """Queries (pairs, 1, d_k) and, for each, eight keys (pairs, 8, d_k), standard normal."""
    import torch

    generator = torch.Generator().manual_seed(d_k)
    query = torch.randn(pairs, 1, d_k, generator=generator)
    return query, torch.randn(pairs, 8, d_k, generator=generator)


def score_spread() -> Figure:
    """How far do dot products spread as vectors get longer?"""
    spreads = [attention.attention_scores(*random_pairs(d), 1.0).std().item() for d in WIDTHS]
    scaled = [spread / math.sqrt(d) for spread, d in zip(spreads, WIDTHS, strict=True)]
    with drawing(6.4, 3.3) as (fig, ax):
        ax.plot(WIDTHS, spreads, "-o", color=ORANGE, label="q · k")
        ax.plot(WIDTHS, scaled, "--s", color=BLUE, label="q · k / √d")
        ax.set_xscale("log", base=2)
        ax.set_xticks(WIDTHS, [str(d) for d in WIDTHS])
        ax.set(xlabel="length d of the vectors", ylabel="standard deviation of the score")
        ax.legend()
    return finish(
        fig,
        f"Standard deviation of dot products of random vectors: {spreads[0]:.1f} at length 4, "
        f"{spreads[2]:.1f} at 64, {spreads[-1]:.1f} at 1024. Divided by √d it stays at 1.",
    )


def saturation() -> Figure:
    """What do large scores do to the weights, and to what can still be learned?"""
    rows = {scale: [_saturation(d, scale) for d in WIDTHS] for scale in ("raw", "scaled")}
    with drawing(7.4, 3.1, columns=2) as (fig, axes):
        titles = ["largest of eight weights", "gradient that is left"]
        for panel, (ax, title) in enumerate(zip(axes, titles, strict=True)):
            ax.plot(WIDTHS, [r[panel] for r in rows["raw"]], "-o", color=ORANGE, label="q · k")
            ax.plot(WIDTHS, [r[panel] for r in rows["scaled"]], "--s", color=BLUE, label="/ √d")
            ax.set_xscale("log", base=2)
            ax.set_xticks(WIDTHS, [str(d) for d in WIDTHS])
            ax.set(title=title, xlabel="length d", ylim=(0, 1.02 if panel == 0 else 0.45))
        axes[0].legend()
    raw, scaled = rows["raw"], rows["scaled"]
    return finish(
        fig,
        f"Left: without scaling the largest of eight weights grows from {raw[0][0]:.2f} at d = 4 "
        f"to {raw[-1][0]:.2f} at d = 1024; scaled it stays near {scaled[-1][0]:.2f}. "
        f"Right: the gradient falls from {raw[0][1]:.2f} to {raw[-1][1]:.2f}; "
        f"scaled it stays near {scaled[-1][1]:.2f}.",
    )


def _saturation(d_k: int, scale: str) -> tuple[float, float]:
    """The mean largest weight, and the mean size of the softmax's Jacobian."""
    scores = attention.attention_scores(*random_pairs(d_k), 1.0 if scale == "raw" else None)
    weights = attention.softmax(scores)[:, 0]  # (pairs, 8)
    gradient = attention.softmax_jacobian(weights).flatten(1).norm(dim=1)
    return weights.amax(dim=-1).mean().item(), gradient.mean().item()


def masks() -> Figure:
    """Who may look at whom?"""
    import torch

    words = ["the", "sound", "is", "great", "[PAD]"]
    everyone = torch.ones(5, 5)
    padding = torch.tensor([1, 1, 1, 1, 0]).expand(5, 5)
    grids = {"all": everyone, "padding": padding, "causal": attention.causal_mask(5).float()}
    with drawing(7.6, 3.4, columns=3) as (fig, axes):
        for ax, (title, grid) in zip(axes, grids.items(), strict=True):
            ax.imshow(grid, cmap="Blues", vmin=0, vmax=1.6)
            ax.set_title(title)
            ax.set_xticks(range(5), words, rotation=60)
            ax.set_yticks(range(5), words if ax is axes[0] else [""] * 5)
            ax.tick_params(length=0)
            for i, j in ((i, j) for i in range(5) for j in range(5)):
                ax.text(j, i, "✓" if grid[i, j] else "–", ha="center", va="center", color=INK)
    return finish(
        fig,
        "Three grids of who may look at whom. All: every cell allowed. Padding: the last column, "
        "[PAD], is forbidden. Causal: only the diagonal and what lies left of it is allowed.",
    )


def real_head(language: str, text: str, layer: int, head: int) -> Figure:
    """Where does each token of a real sentence look, in one head of a real model?"""
    import torch

    encoder = models.load_encoder(language)
    inputs = encoder.tokenizer(text, return_tensors="pt")
    with torch.no_grad():
        outputs = encoder.model(**inputs, output_attentions=True)
    tokens = encoder.tokenizer.convert_ids_to_tokens(inputs["input_ids"][0])
    weights = outputs.attentions[layer][0, head]  # (tokens, tokens)
    share = weights.diagonal(-1).mean().item()
    with drawing(6.2, 4.6) as (fig, ax):
        heat_map(ax, weights, tokens, tokens, numbers=False, top=1.0)
        ax.set(xlabel="token that is looked at", ylabel="token that looks")
        ax.set_title(f"{encoder.name}, layer {layer}, head {head}")
    return finish(
        fig,
        f"Attention weights of {encoder.name}, layer {layer}, head {head}, on: {text} A dark line "
        f"lies just below the diagonal: on average {share:.2f} of each token's weight is on the "
        "token before it.",
    )


def english_head() -> Figure:
    """The previous-token head of MiniLM on a review."""
    return real_head("en", "The sound is great but the battery is bad.", layer=0, head=2)


def chinese_head() -> Figure:
    """The previous-token head of m3e-small on a review."""
    return real_head("zh", "音质很好，但是电池不耐用。", layer=0, head=7)
