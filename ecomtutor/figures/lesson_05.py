"""Figures of lesson 05, a GPT from the inside: notebook and deck show the same."""

from functools import cache
from typing import TYPE_CHECKING, Any

from ecomtutor import models
from ecomtutor.figures.core import BLUE, GREEN, INK, ORANGE, Figure, drawing, finish

if TYPE_CHECKING:
    from torch import Tensor

    from ecomtutor.transformer import Gpt

ENGLISH, CHINESE = "The sound is great but", "酒店的房间"
SETTINGS = ("as it is", "temperature 0.5", "top-k 3", "top-p 0.5")
# The two steps of the beam figure: chosen so that the best first word is not on the best path.
TREE = {
    "very": (0.5, {"clean": 0.4, "nice": 0.35, "big": 0.25}),
    "clean": (0.4, {"and": 0.9, ",": 0.1}),
    "old": (0.1, {"and": 0.6, ".": 0.4}),
}
LENGTHS = (1, 32, 64, 128, 256, 512)
HELD_OUT = 5  # every fifth test review: the table is sorted by text, so its first rows are alike


def next_logits(language: str, prompt: str) -> "Tensor":
    """The scores of every token after a prompt, (vocabulary,), by SmolLM2 or shop-gpt-mini."""
    import torch

    loaded = _generator(language)
    start = loaded.tokenizer.eos_token if language == "zh" else ""
    ids = loaded.tokenizer(start + prompt, return_tensors="pt")["input_ids"]
    with torch.no_grad():
        return loaded.model(ids).logits[0, -1]


def next_tokens() -> Figure:
    """What would a model write next, in English and in Chinese?"""
    said = []
    with drawing(7.6, 3.4, columns=2) as (fig, axes):
        for ax, language, prompt in zip(axes, ("en", "zh"), (ENGLISH, CHINESE), strict=True):
            probabilities = next_logits(language, prompt).softmax(dim=-1)
            top = probabilities.topk(8)
            words = [_shown(language, i) for i in top.indices.tolist()]
            _bars(ax, words, top.values.tolist(), BLUE)
            together = top.values.sum().item()
            ax.set_title(f"{prompt} …")
            ax.set_xlabel(f"probability; these eight hold {together:.2f}")
            first = ", ".join(
                f"{w} {p:.2f}" for w, p in zip(words[:3], top.values.tolist(), strict=False)
            )
            said.append(f"After “{prompt}”: {first}; together {together:.2f}.")
    return finish(fig, f"The eight most probable next tokens. {' '.join(said)}")


def filters() -> Figure:
    """What do temperature, top-k and top-p leave of the same probabilities?"""
    from ecomtutor.transformer import keep_top_k, keep_top_p

    logits = next_logits("en", ENGLISH)
    left = [logits, logits / 0.5, keep_top_k(logits, 3), keep_top_p(logits, 0.5)]
    best = logits.topk(8).indices
    words = [_shown("en", i) for i in best.tolist()]
    said = []
    with drawing(8.4, 3.0, columns=4) as (fig, axes):
        for ax, title, scores in zip(axes, SETTINGS, left, strict=True):
            probabilities = scores.softmax(dim=-1)
            heights = probabilities[best].tolist()
            _bars(ax, words if ax is axes[0] else [""] * 8, heights, BLUE, top=0.75)
            kept = int((probabilities > 0).sum())
            ax.set_title(title)
            ax.set_xlabel(f"{kept:,} tokens left")
            said.append(f"{title}: {kept:,} tokens left, the first at {heights[0]:.2f}")
    return finish(fig, f"Next-token probabilities after “{ENGLISH}”. {'; '.join(said)}.")


def beam_tree() -> Figure:
    """When does the greedy path miss the more probable text?"""
    greedy, best = _greedy_path(), _best_path()
    with drawing(6.6, 3.3) as (fig, ax):
        ax.set_axis_off()
        ax.set(xlim=(0, 3.1), ylim=(-0.7, 6.6))
        rows, y = _tree_rows(), {}
        for word, (_, children) in TREE.items():
            y[word] = sum(rows[word, child] for child in children) / len(children)
            _branch(ax, (0.35, 3), (1.1, y[word]), _path_style(greedy, best, word))
            ax.text(1.15, y[word], f"{word}  {TREE[word][0]}", va="center", color=INK)
            for child, share in children.items():
                style = _path_style(greedy, best, word, child)
                _branch(ax, (1.75, y[word]), (2.2, rows[word, child]), style)
                total = TREE[word][0] * share
                label = f"{child}  {share}   → {total:.2f}{style[2]}"
                ax.text(2.25, rows[word, child], label, va="center", color=INK)
        ax.text(0.33, 3, "The room is", va="center", ha="right", color=INK)
    return finish(
        fig,
        f"A tree of two words after The room is. Greedy takes {' '.join(greedy)}, probability "
        f"{_probability(greedy):.2f}; the most probable pair is {' '.join(best)}, "
        f"{_probability(best):.2f}.",
    )


def cache_cost() -> Figure:
    """What does one more token cost, with and without a cache?"""
    model = _shop_model()
    costs = {
        cached: [step_operations(model, n, cached) for n in LENGTHS] for cached in (False, True)
    }
    with drawing(6.4, 3.3) as (fig, ax):
        ax.plot(LENGTHS, [c / 1e6 for c in costs[False]], "-o", color=ORANGE, label="without cache")
        ax.plot(LENGTHS, [c / 1e6 for c in costs[True]], "--s", color=BLUE, label="with cache")
        ax.set(xlabel="tokens in the text", ylabel="million operations for the next token")
        ax.set_yscale("log")
        ax.legend()
    first, last = [c[0] / 1e6 for c in costs.values()], [c[-1] / 1e6 for c in costs.values()]
    return finish(
        fig,
        f"Operations of shop-gpt-mini for one more token, counted by torch. Without a cache from "
        f"{first[0]:.1f} million at 1 token to {last[0]:.0f} million at 512; with it from "
        f"{first[1]:.1f} to {last[1]:.1f} million.",
    )


def step_operations(model: "Gpt", tokens: int, cached: bool) -> int:
    """Additions and multiplications that the scores after `tokens` tokens take, as torch counts.

    Args:
        model: ours.
        tokens: length of the text so far.
        cached: keys and values of all but the last token are there already.
    """
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    text = torch.ones(1, tokens, dtype=torch.long)
    cache = model.new_cache()
    with torch.no_grad():
        if cached and tokens > 1:
            model(text[:, :-1], cache=cache)
        with FlopCounterMode(display=False) as counter:
            # With `attentions` the scores are made by matrix products, which the counter knows.
            unread = text[:, -1:] if cached else text
            model(unread, cache=cache if cached else None, attentions=True, last_only=True)
    return int(counter.get_total_flops())


def perplexities() -> Figure:
    """How surprised are counting and a small GPT by reviews that they never saw?"""
    found = held_out_perplexities()
    with drawing(6.4, 2.6) as (fig, ax):
        colours = [ORANGE] * (len(found) - 1) + [BLUE]
        bars = ax.barh(list(found), list(found.values()), color=colours)
        ax.bar_label(bars, fmt="%.1f", padding=4)
        ax.set_xscale("log")
        ax.set_xlim(1, max(found.values()) * 2)
        ax.invert_yaxis()
        ax.tick_params(length=0)
        ax.set_xlabel("perplexity per character, lower is better (log scale)")
    said = ", ".join(f"{name} {value:.1f}" for name, value in found.items())
    return finish(fig, f"Perplexity per character on held-out Chinese reviews: {said}.")


@cache
def held_out_perplexities() -> dict[str, float]:
    """Perplexity per character on test reviews: n-grams of three orders, and shop-gpt-mini."""
    from ecomtutor.pretraining import KneserNey, perplexity, review_texts

    train, texts = review_texts("train"), review_texts("test")[::HELD_OUT]
    names = {1: "characters alone", 3: "three in a row", 5: "five in a row"}
    found = {name: KneserNey(train, order).perplexity(texts) for order, name in names.items()}
    tokenizer: Any = models.load_shop_gpt().tokenizer
    ours = perplexity(_shop_model(), tokenizer, texts)
    return {**found, "shop-gpt-mini": ours.per_character}


def _generator(language: str) -> models.Loaded:
    return models.load_shop_gpt() if language == "zh" else models.load_generator(language)


@cache
def _shop_model() -> "Gpt":
    from ecomtutor.transformer import Gpt

    return Gpt.from_pretrained(models.load_shop_gpt().located.folder)


def _shown(language: str, token: int) -> str:
    """A token as a label: a space is shown, and bytes of half a character have no picture."""
    text = str(_generator(language).tokenizer.decode([token]))
    if "\ufffd" in text:
        return f"bytes #{token}"
    return f"␣{text[1:]}" if text.startswith(" ") else text.replace("\n", "⏎")


def _bars(ax: Any, words: list[str], heights: list[float], colour: str, top: float = 0.0) -> None:
    places = range(len(words))
    bars = ax.barh(places, heights, color=colour)
    ax.bar_label(bars, [f"{h:.2f}" if h else "–" for h in heights], padding=3, fontsize=9)
    ax.set_yticks(places, words)
    ax.set_xlim(0, top or max(heights) * 1.3)
    ax.set_xticks([])
    ax.tick_params(length=0)
    ax.spines["bottom"].set_visible(False)
    ax.invert_yaxis()


def _greedy_path() -> tuple[str, str]:
    word = max(TREE, key=lambda w: TREE[w][0])
    children = TREE[word][1]
    return word, max(children, key=lambda c: children[c])


def _best_path() -> tuple[str, str]:
    return max(_tree_rows(), key=_probability)


def _probability(path: tuple[str, str]) -> float:
    return TREE[path[0]][0] * TREE[path[0]][1][path[1]]


def _tree_rows() -> dict[tuple[str, str], int]:
    """Each path of two words, and its row, from the top."""
    paths = [(word, child) for word, (_, children) in TREE.items() for child in children]
    return {path: len(paths) - 1 - row for row, path in enumerate(paths)}


def _path_style(greedy: tuple[str, str], best: tuple[str, str], *path: str) -> tuple[str, str, str]:
    """Colour, line and label of a branch: on the greedy path, on the best one, or on neither."""
    if path == greedy[: len(path)]:
        return ORANGE, "--", "   greedy"
    if path == best[: len(path)]:
        return GREEN, "-", "   beam"
    return "#8894a0", ":", ""


def _branch(
    ax: Any, start: tuple[float, float], end: tuple[float, float], style: tuple[str, str, str]
) -> None:
    ax.plot(*zip(start, end, strict=True), color=style[0], linestyle=style[1])
