"""Figures of lesson 02, the transformer block, and the measurements behind them."""

import math
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from ecomtutor import models
from ecomtutor.figures.core import (
    COLOURS,
    INK,
    LINES,
    MARKS,
    Figure,
    drawing,
    finish,
    heat_map,
    ink_on,
    shade,
)

if TYPE_CHECKING:
    from matplotlib.patches import Rectangle
    from torch import Tensor, nn

    from ecomtutor.transformer import EncoderDecoder
    from ecomtutor.transformer.reversal import Characters

DEPTHS = [2, 4, 8, 16, 32]
# name: (residual, where the norm stands)
STACKS = {
    "neither": (False, "none"),
    "norm only": (False, "post"),
    "residual only": (True, "none"),
    "post-norm": (True, "post"),
    "pre-norm": (True, "pre"),
}
HABITS = {"previous": "P", "next": "N", "itself": "S", "markers": "M"}


@cache
def head_habits(language: str, texts: int = 50) -> dict[str, "Tensor"]:
    """How much of its weight each head gives to four places, on real test reviews.

    Returns:
        For each of HABITS (layers, heads): the mean share of weight on the token before, the token
        after, the token itself, and the markers [CLS] and [SEP].
    """
    import torch

    encoder = models.load_encoder(language)
    shares: dict[str, list[Tensor]] = {habit: [] for habit in HABITS}
    for text in some_reviews(language, texts):
        inputs = encoder.tokenizer(text, return_tensors="pt", truncation=True, max_length=128)
        with torch.no_grad():
            outputs = encoder.model(**inputs, output_attentions=True)
        weights = torch.stack(outputs.attentions)[:, 0]  # (layers, heads, tokens, tokens)
        for habit, offset in (("previous", -1), ("next", 1), ("itself", 0)):
            shares[habit].append(weights.diagonal(offset, -2, -1).mean(dim=-1))
        shares["markers"].append((weights[..., 0] + weights[..., -1]).mean(dim=-1))
    return {habit: torch.stack(each).mean(dim=0) for habit, each in shares.items()}


def some_reviews(language: str, count: int) -> list[str]:
    """Test reviews of middling length, always the same."""
    from ecomtutor.datasets import reviews

    table = reviews(language)
    shortest, longest = (40, 160) if language == "en" else (15, 60)
    fitting = table[(table["split"] == "test") & table["text"].str.len().between(shortest, longest)]
    return [str(text) for text in fitting["text"].sample(count, random_state=0)]


def head_kinds() -> Figure:
    """Do the heads of a real model do different things?"""
    said = []
    with drawing(7.6, 3.2, columns=2) as (fig, axes):
        for ax, language in zip(axes, ("en", "zh"), strict=True):
            shares = head_habits(language)
            layers, heads = shares["markers"].shape
            ax.set(xlim=(-0.5, heads - 0.5), ylim=(layers - 0.5, -0.5))
            ax.set(xticks=range(heads), yticks=range(layers), xlabel="head")
            for layer, head in ((i, j) for i in range(layers) for j in range(heads)):
                habit = max(HABITS, key=lambda name: shares[name][layer, head].item())
                share = shares[habit][layer, head].item()
                ax.add_patch(_square(head, layer, shade(share)))
                text = f"{HABITS[habit]}\n{share:.2f}".replace("0.", ".")
                ink = ink_on(shade(share))
                ax.text(head, layer, text, ha="center", va="center", color=ink, fontsize=7)
            ax.set_title(models.load_encoder(language).name)
            said.append(f"{models.load_encoder(language).name}: {_best_heads(language)}")
        axes[0].set_ylabel("layer")
    return finish(
        fig,
        "For each head of two models the place that gets most of its weight: P the token before, "
        f"N the token after, S itself, M the markers. {' '.join(said)}",
    )


def _square(x: int, y: int, colour: str) -> "Rectangle":
    from matplotlib import patches

    return patches.Rectangle((x - 0.5, y - 0.5), 1, 1, facecolor=colour, edgecolor="white")


def _best_heads(language: str) -> str:
    parts = []
    for habit in ("previous", "next"):
        shares = head_habits(language)[habit]  # (layers, heads)
        layer, head = divmod(int(shares.argmax()), shares.shape[1])
        parts.append(f"layer {layer} head {head} gives {shares.max():.2f} to the {habit} token")
    return ", ".join(parts) + "."


def position_likeness(kind: str, distances: list[int]) -> list[float]:
    """Mean cosine of two position vectors at each distance, over the first 256 positions.

    Args:
        kind: "sinusoidal" (width 384), or the learned table of "minilm" or "m3e".
        distances: in tokens.
    """
    from ecomtutor.transformer import Bert, sinusoidal_positions

    if kind == "sinusoidal":
        table = sinusoidal_positions(256, 384)  # (256, width)
    else:
        table = Bert.from_pretrained(kind).positions.weight.detach()[:256]
    table = table - table.mean(dim=0)  # what all positions share says nothing about where
    table = table / table.norm(dim=-1, keepdim=True)
    cosines = table @ table.T  # (256, 256)
    return [cosines.diagonal(distance).mean().item() for distance in distances]


def positions() -> Figure:
    """What does a position look like, and how alike are neighbours?"""
    from ecomtutor.transformer import sinusoidal_positions

    waves = sinusoidal_positions(64, 32)  # (64, 32)
    distances = [1, 2, 4, 8, 16, 32, 64]
    kinds = ["sinusoidal", "minilm", "m3e"]
    likeness = {kind: position_likeness(kind, distances) for kind in kinds}
    with drawing(7.6, 3.1, columns=2) as (fig, (left, right)):
        for coordinate, line in zip((4, 8, 14), LINES, strict=False):
            left.plot(waves[:, coordinate], line, label=f"number {coordinate}")
        left.set(xlabel="position", ylabel="value", title="three of 32 sinusoids")
        left.set_ylim(-1.1, 2.1)
        left.set_yticks([-1, 0, 1])
        left.legend(loc="upper right", fontsize=8)
        for kind, line, mark in zip(kinds, LINES, MARKS, strict=False):
            right.plot(distances, likeness[kind], line + mark, label=kind)
        right.set_xscale("log", base=2)
        right.set_xticks(distances, [str(d) for d in distances])
        right.set(xlabel="distance in tokens", ylabel="cosine", title="how alike two positions are")
        right.legend(fontsize=8)
    said = "; ".join(f"{k} {likeness[k][0]:.2f} and {likeness[k][-1]:.2f}" for k in kinds)
    return finish(
        fig,
        "Left: three coordinates of the sinusoidal table, a fast, a slower and a slow wave. Right: "
        f"cosine of two position vectors at distance 1 and 64: {said}.",
    )


def fresh_stack(layers: int, residual: bool, norm: str, width: int = 64) -> "nn.ModuleList":
    """Blocks with fresh weights (Glorot and Bengio, 2010), with or without residual and norm.

    Args:
        layers: how many blocks.
        residual: keep the connection around each sub-layer.
        norm: "pre", "post" or "none".
        width: of the states; four heads.
    """
    import torch
    from torch import nn

    from ecomtutor.transformer import EncoderBlock, Residual

    class NoResidual(Residual):
        def leave(self, states: "Tensor", change: "Tensor") -> "Tensor":
            return change if self.pre_norm else self.norm(change)

    kind, draw = (Residual if residual else NoResidual), torch.Generator().manual_seed(0)
    blocks = nn.ModuleList()
    for _ in range(layers):
        block = EncoderBlock(width, 4, 4 * width, pre_norm=norm != "post").double()
        for name in ("first", "second"):
            inside = nn.Identity() if norm == "none" else getattr(block, name).norm
            setattr(block, name, kind(inside, pre_norm=norm != "post"))
        for part in block.modules():
            if isinstance(part, nn.Linear):
                nn.init.xavier_uniform_(part.weight, generator=draw)
                nn.init.zeros_(part.bias)
        blocks.append(block)
    return blocks


class Passage(NamedTuple):
    """What a fresh stack does to a random text on the way up, and to a gradient on the way down.

    size: root mean square of the states after the last block; they enter with 1.
    gradient: length of the gradient that arrives at the input, of a length of 1 at the output.
    last_gradient: length of the gradient of the last block's weights, for the same.
    likeness: mean cosine between the tokens of a text after the last block; they enter with 0.06,
        a token's likeness to itself (1) among 16 random ones.
    """

    size: float
    gradient: float
    last_gradient: float
    likeness: float


@cache
def passage(stack: str, layers: int) -> Passage:
    """Send eight random texts of 16 tokens through one of STACKS, and a gradient back."""
    import torch

    residual, norm = STACKS[stack]
    blocks = fresh_stack(layers, residual, norm)
    draw = torch.Generator().manual_seed(1)
    entered = torch.randn(8, 16, 64, generator=draw, dtype=torch.float64).requires_grad_()
    states = entered
    for block in blocks:
        states, _ = block(states)  # (8, 16, 64)
    # As in GPT-2, pre-norm is followed by one more norm before anything reads the states.
    read = torch.nn.functional.layer_norm(states, (64,)) if norm == "pre" else states
    push = torch.randn(read.shape, generator=draw, dtype=torch.float64)
    (read * push / push.norm()).sum().backward()
    last = torch.cat([p.grad.flatten() for p in blocks[-1].parameters() if p.grad is not None])
    # torch's normalize would take states of 1e-13 for zeros.
    unit = states.detach() / states.detach().norm(dim=-1, keepdim=True)
    return Passage(
        size=states.detach().square().mean().sqrt().item(),
        gradient=_length(entered.grad),
        last_gradient=last.norm().item(),
        likeness=(unit @ unit.mT).mean().item(),
    )


def _length(gradient: "Tensor | None") -> float:
    return 0.0 if gradient is None else gradient.norm().item()


def residual_and_norm() -> Figure:
    """What do residual and norm do for 2 to 32 blocks?"""
    titles = {
        "size": "size of the states",
        "gradient": "gradient at the input",
        "likeness": "likeness of the tokens",
    }
    with drawing(8.2, 3.5, columns=3) as (fig, axes):
        for ax, (measure, title) in zip(axes, titles.items(), strict=True):
            for number, stack in enumerate(STACKS):
                heights = [getattr(passage(stack, depth), measure) for depth in DEPTHS]
                ax.plot(DEPTHS, heights, _line(number), color=_colour(number), label=stack)
            ax.set_xscale("log", base=2)
            ax.set_xticks(DEPTHS, [str(depth) for depth in DEPTHS])
            ax.set(title=title, xlabel="blocks", yscale="linear" if ax is axes[2] else "log")
        fig.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=5)
    deep = {stack: passage(stack, DEPTHS[-1]) for stack in STACKS}
    said = "; ".join(
        f"{stack}: size {_power(p.size)}, gradient {_power(p.gradient)}, likeness {p.likeness:.2f}"
        for stack, p in deep.items()
    )
    return finish(fig, f"Five ways to stack 32 blocks with fresh weights. {said}.")


def pre_and_post() -> Figure:
    """Where do pre-norm and post-norm differ?"""
    stacks = ("post-norm", "pre-norm")
    titles = {"size": "size of the states", "last_gradient": "gradient of the last block"}
    with drawing(7.2, 3.0, columns=2) as (fig, axes):
        for ax, (measure, title) in zip(axes, titles.items(), strict=True):
            for number, stack in enumerate(STACKS):
                if stack in stacks:
                    heights = [getattr(passage(stack, depth), measure) for depth in DEPTHS]
                    ax.plot(DEPTHS, heights, _line(number), color=_colour(number), label=stack)
            ax.set_xscale("log", base=2)
            ax.set_xticks(DEPTHS, [str(depth) for depth in DEPTHS])
            ax.set(title=title, xlabel="blocks")
            ax.set_ylim(bottom=0)
        axes[0].legend()
    said = "; ".join(
        f"{stack}: size {passage(stack, 2).size:.1f} after 2 blocks and "
        f"{passage(stack, 32).size:.1f} after 32, gradient of the last block "
        f"{passage(stack, 2).last_gradient:.1f} and {passage(stack, 32).last_gradient:.1f}"
        for stack in stacks
    )
    return finish(fig, f"Post-norm against pre-norm. {said}.")


def _line(number: int) -> str:
    return ("-", "--", "-.", ":", "-")[number] + ("o", "s", "^", "D", "v")[number]


def _colour(number: int) -> str:
    return (*COLOURS, INK)[number]


def _power(value: float) -> str:
    """The order of magnitude in words: "about 1", "10 to the 6"."""
    power = round(math.log10(value)) if value else -math.inf
    return "about 1" if power == 0 else f"10 to the {power:.0f}"


def reversal_map(model: "EncoderDecoder | None" = None, word: str = "蓝牙耳机防水") -> Figure:
    """Which character does the decoder read while it writes?

    Args:
        model: trained by `train_reversal`; one is trained here unless given (ten seconds).
        word: six characters, each of them in some title's ending.
    """
    import torch

    from ecomtutor.transformer.reversal import START

    characters, trained = reversal_alphabet(), model or trained_reversal()
    source = characters.encode([word])  # (1, 6)
    target = source.flip(1)
    written = torch.cat([torch.full((1, 1), START), target[:, :-1]], dim=1)  # (1, 6)
    with torch.no_grad():
        seen = trained(source, written, attentions=True).attentions[-1]  # (1, heads, 6, 6)
    weights = seen[0].mean(dim=0)  # (6 written, 6 read)
    with drawing(4.6, 3.6) as (fig, ax):
        heat_map(ax, weights, list(word[::-1]), list(word), top=1.0)
        ax.set(xlabel="character that is read", ylabel="character that is written")
    least = weights.flip(1).diagonal().min().item()
    return finish(
        fig,
        f"Cross-attention while {word} is written backwards, mean of the heads. The dark cells run "
        "from the upper right to the lower left: each written character reads its own place in the "
        f"source, with {'at least' if least >= 0.5 else 'sometimes less than'} 0.5 of its weight.",
    )


@cache
def reversal_alphabet() -> "Characters":
    """The characters of the endings of all titles of the shop, in both languages."""
    from ecomtutor.transformer.reversal import Characters

    return Characters.of(shop_endings())


def shop_endings() -> list[str]:
    """The last six characters of each title of the shop, in both languages."""
    from ecomtutor.datasets import store
    from ecomtutor.transformer.reversal import title_endings

    products = store().products
    return title_endings([*products["title_zh"], *products["title_en"]])


@cache
def trained_reversal() -> "EncoderDecoder":
    """The lesson's small encoder-decoder, trained as in the lesson."""
    from ecomtutor.transformer import EncoderDecoder, EncoderDecoderConfig
    from ecomtutor.transformer.reversal import train_reversal

    vocabulary = reversal_alphabet().vocabulary
    config = EncoderDecoderConfig(vocabulary, width=64, layers=1, heads=2, inner=256, positions=16)
    model = EncoderDecoder(config)
    train_reversal(model)
    return model


def learning(losses: list[float], other: list[float] | None = None) -> Figure:
    """How does the loss fall?"""
    with drawing(6.0, 2.8) as (fig, ax):
        ax.plot(losses, "-", label="with causal mask", color=COLOURS[0])
        if other is not None:
            ax.plot(other, "--", label="without", color=COLOURS[1])
            ax.legend()
        ax.set(xlabel="step", ylabel="loss", yscale="log")
    said = f"Training loss by step: from above {math.floor(losses[0])} to below {_above(losses)}"
    end = "." if other is None else f"; without the causal mask to below {_above(other)}."
    return finish(fig, said + end)


def _above(losses: list[float]) -> float:
    """The next of 0.02, 0.05, 0.1 … above the last losses, so that rounding changes no words."""
    last = sum(losses[-20:]) / len(losses[-20:])
    return next((bound for bound in (0.05, 0.1, 0.2, 0.5, 1.0, 2.0) if last < bound), 10.0)


def parameters() -> Figure:
    """Where do the parameters of real models sit?"""
    from ecomtutor.transformer import Bert, GptConfig, count_parameters

    gpt2 = GptConfig(vocabulary=50257, width=768, layers=12, heads=12)
    configs = {
        "MiniLM": Bert.from_pretrained("minilm").config,
        "m3e-small": Bert.from_pretrained("m3e").config,
        "GPT-2 small": gpt2,
    }
    shares = {}
    for name, config in configs.items():
        parts = count_parameters(config)
        shares[name] = {
            "tables": sum(v for part, v in parts.items() if "table" in part),
            "attention": parts["attention"],
            "feed-forward": parts["feed-forward"],
        }
        shares[name]["rest"] = sum(parts.values()) - sum(shares[name].values())
    with drawing(7.2, 2.6) as (fig, ax):
        for row, parts in enumerate(shares.values()):
            left, total = 0.0, sum(parts.values())
            for colour, hatch, (part, count) in zip(
                ("#9ecae1", "#fdd0a2", "#a1d99b", "#dddddd"),
                ("", "//", "..", "xx"),
                parts.items(),
                strict=True,
            ):
                label = part if row == 0 else None
                ax.barh(
                    row,
                    count / total,
                    left=left,
                    color=colour,
                    hatch=hatch,
                    label=label,
                    edgecolor="white",
                )
                if count / total > 0.05:
                    ax.text(
                        left + count / total / 2,
                        row,
                        f"{count / 1e6:.1f} M",
                        ha="center",
                        va="center",
                        fontsize=9,
                        bbox={"facecolor": colour, "pad": 1.5, "edgecolor": "none"},
                    )
                left += count / total
        ax.set_yticks(range(len(shares)), [f"{n}" for n in shares])
        ax.invert_yaxis()
        ax.set(xlabel="share of all parameters", xlim=(0, 1))
        fig.legend(loc="outside upper center", ncols=4)
    said = "; ".join(
        f"{name}, {sum(parts.values()) / 1e6:.1f} million: "
        + ", ".join(f"{part} {count / sum(parts.values()):.2f}" for part, count in parts.items())
        for name, parts in shares.items()
    )
    return finish(fig, f"Shares of the parameters. {said}.")


LENGTHS = [64, 128, 256, 512, 1024, 2048, 4096]


def cost_by_length() -> Figure:
    """From which length on does attention cost more than all else?"""
    from ecomtutor.transformer import Bert
    from ecomtutor.transformer.costs import attention_map_bytes, count_operations

    config = Bert.from_pretrained("minilm").config
    costs = [count_operations(config, n) for n in LENGTHS]
    maps = [cost["attention maps"] / 1e9 for cost in costs]
    rest = [sum(cost.values()) / 1e9 - own for cost, own in zip(costs, maps, strict=True)]
    memory = [attention_map_bytes(config, n) / 2**20 for n in LENGTHS]
    with drawing(7.6, 3.1, columns=2) as (fig, (left, right)):
        left.plot(LENGTHS, maps, "-o", label="attention maps, n²")
        left.plot(LENGTHS, rest, "--s", label="all else, n")
        left.set(title="operations, in billions", xlabel="tokens")
        right.plot(LENGTHS, memory, "-.^", color=COLOURS[2])
        right.set(title="attention maps, in MiB", xlabel="tokens")
        for ax in (left, right):
            ax.set_xscale("log", base=2)
            ax.set_yscale("log")
            ax.set_xticks(LENGTHS[::2], [str(n) for n in LENGTHS[::2]])
        left.legend()
    at = LENGTHS.index(512)
    return finish(
        fig,
        f"MiniLM by length. At 512 tokens attention maps take {maps[at]:.1f} billion operations "
        f"and all else {rest[at]:.1f}; at 4096, {maps[-1]:.0f} and {rest[-1]:.0f}. The maps take "
        f"{memory[at]:.0f} MiB at 512 tokens and {memory[-1]:.0f} at 4096.",
    )
