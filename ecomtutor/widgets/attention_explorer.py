"""The explorer of lesson 01: what d_k, √d_k, temperature and masks do to six rows of weights.

Queries and keys are random here, so which key wins means nothing: the shape of the rows does.
"""

from __future__ import annotations

import html
import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import TYPE_CHECKING, Any

from ecomtutor.errors import EcomTutorError
from ecomtutor.widgets.core import StaticAndLive

if TYPE_CHECKING:
    from torch import Tensor

TOKENS = {
    "en": ("the", "sound", "is", "great", ",", "but"),
    "zh": ("音", "质", "很", "好", "，", "但"),
}
D_K = (4, 8, 16, 32, 64, 128, 256)
MASKS = {"none": "none", "causal": "causal: no look ahead", "padding": "padding: the last two"}
# Draws in which the entropy falls at every step of d_k; in many a step or two stays flat.
_SEEDS = {"en": 152, "zh": 289}
_PAD = "[PAD]"
_PADDED = 2
_STUCK = 0.95  # softmax's derivative w (1 - w) is below 0.05 from here on; at best it is 0.25

_TITLE = (
    "Attention explorer: six random queries and keys. Which key wins means nothing; look at how "
    "even the rows are."
)
_SUMMARY_HEAD = ("d_k", "÷ √d_k", "spread of scores", "mean largest weight", "mean entropy, bits")
_CORNER = "query ↓  key →"


@dataclass(frozen=True)
class Settings:
    """The controls: language "en" or "zh", d_k, temperature, ÷ √d_k or not, and a name of MASKS."""

    language: str = "en"
    d_k: int = 64
    temperature: float = 1.0
    scaled: bool = True
    mask: str = "none"


@dataclass(frozen=True)
class Explored:
    """What settings make of the six tokens.

    weights: for each query its weight on each key, None where the mask forbids to look.
    entropies: one for each query, in bits.
    spread: standard deviation of the scores that reach the softmax.
    """

    tokens: tuple[str, ...]
    weights: tuple[tuple[float | None, ...], ...]
    entropies: tuple[float, ...]
    spread: float

    @property
    def largest(self) -> tuple[float, ...]:
        """The largest weight of each query."""
        return tuple(max(self._given(i)) for i in range(len(self.weights)))

    @property
    def choices(self) -> tuple[int, ...]:
        """How many keys each query may look at."""
        return tuple(len(self._given(i)) for i in range(len(self.weights)))

    @property
    def telling(self) -> tuple[int, ...]:
        """The rows that tell something: not of padding, and with more than one key to look at."""
        rows = zip(self.tokens, self.choices, strict=True)
        return tuple(i for i, (token, n) in enumerate(rows) if token != _PAD and n > 1)

    def _given(self, query: int) -> list[float]:
        return [weight for weight in self.weights[query] if weight is not None]


def attention_explorer() -> AttentionExplorer:
    """The explorer of lesson 01, to be shown as the last expression of a cell."""
    return AttentionExplorer()


def explore(settings: Settings) -> Explored:
    """Attention weights of six tokens whose queries and keys are drawn at random, always the same.

    A longer d_k keeps the numbers of a shorter one and adds more: each score takes a random walk,
    and the spread of the scores grows like √d_k.

    Raises:
        EcomTutorError: an unknown language or mask, or a d_k or temperature out of range.
    """
    from ecomtutor import attention

    _check(settings)
    query, key = _drawn(settings.language, settings.d_k)  # (6, d_k), (6, d_k)
    allowed = _allowed(settings.mask)  # (6, 6)
    scores = attention.attention_scores(query, key, None if settings.scaled else 1.0)  # (6, 6)
    weights = attention.softmax(attention.apply_mask(scores, allowed), settings.temperature)
    return Explored(
        tokens=_tokens(settings),
        weights=tuple(
            tuple(weight if may else None for weight, may in zip(row, mays, strict=True))
            for row, mays in zip(weights.tolist(), allowed.tolist(), strict=True)
        ),
        entropies=tuple(attention.entropy(weights).tolist()),
        spread=(scores[allowed] / settings.temperature).std().item(),
    )


def what_it_shows(seen: Explored) -> str:
    """The one sentence that says what the reader sees now."""
    rows = seen.telling
    sharpest = max(rows, key=lambda i: seen.largest[i])
    weight = seen.largest[sharpest]
    stuck = sum(seen.largest[i] >= _STUCK for i in rows)
    if stuck:
        key = seen.tokens[seen.weights[sharpest].index(weight)]
        return (
            f"In {stuck} of {len(rows)} rows with a choice one key takes {_STUCK} of the weight or "
            f"more (“{seen.tokens[sharpest]}” gives {weight:.2f} to “{key}”): hardly any gradient "
            "passes there, and the other keys no longer learn."
        )
    if all(seen.entropies[i] > 0.95 * math.log2(seen.choices[i]) for i in rows):
        return (
            "The weights of each row are nearly equal: every query receives almost the plain "
            "average of the values that it may look at."
        )
    return (
        "The queries mix their keys: where there is a choice, the largest weight is "
        f"{weight:.2f}, so a gradient reaches the other keys too."
    )


class AttentionExplorer(StaticAndLive):
    """Controls over `explore` in a live notebook; elsewhere a table of settings and one grid."""

    def __repr__(self) -> str:
        seen = explore(Settings())
        grid = [[_CORNER, *seen.tokens, "largest", "entropy"], *_grid(seen)]
        parts = [_TITLE, _text_table(_summary()), _text_table(grid), _facts(seen)]
        return "\n\n".join([*parts, what_it_shows(seen)])

    def _repr_html_(self) -> str:
        return (
            f"<section><p>{_TITLE}</p>{_summary_html()}"
            f"<p>The weights at d_k = {Settings().d_k}, divided by √d_k:</p>"
            f"{as_html(explore(Settings()))}</section>"
        )

    def widget(self) -> Any:
        """The controls above the grid, an `ipywidgets.VBox`."""
        from ipywidgets import HTML, HBox, Layout, VBox

        controls = _controls()
        view = HTML(as_html(explore(Settings())))

        def show(_: object) -> None:
            chosen = {name: control.value for name, control in controls.items()}
            view.value = as_html(explore(Settings(**chosen)))

        for control in controls.values():
            control.observe(show, names="value")
        row = HBox(list(controls.values()), layout=Layout(flex_flow="row wrap"))
        return VBox([HTML(f"<p>{_TITLE}</p>"), row, view])


def as_html(seen: Explored) -> str:
    """The grid, its numbers and the sentence, as HTML that needs no script and no style sheet."""
    head = [_CORNER, *seen.tokens, "largest", "entropy"]
    rows = []
    for weights, (token, *cells) in zip(seen.weights, _grid(seen), strict=True):
        shades = [_shaded(weight) for weight in weights]
        tail = [_cell(text) for text in cells[len(shades) :]]
        rows.append("".join([_heading(token, "row"), *shades, *tail]))
    return (
        f"{_html_table(head, rows)}<p>{html.escape(_facts(seen))}</p>"
        f"<p><strong>{html.escape(what_it_shows(seen))}</strong></p>"
    )


def _check(settings: Settings) -> None:
    if settings.language not in TOKENS or settings.mask not in MASKS:
        raise EcomTutorError(
            f"The language is one of {list(TOKENS)} and the mask one of {list(MASKS)}; "
            f"{settings.language!r} and {settings.mask!r} came."
        )
    if settings.d_k not in range(1, max(D_K) + 1):
        raise EcomTutorError(f"d_k is a whole number, 1 to {max(D_K)}; {settings.d_k!r} came.")


def _drawn(language: str, d_k: int) -> tuple[Tensor, Tensor]:
    import numpy as np
    import torch

    draw = np.random.default_rng(_SEEDS[language]).standard_normal((2, 6, max(D_K)))
    query, key = torch.from_numpy(draw[:, :, :d_k])
    return query, key


def _allowed(mask: str) -> Tensor:
    """(6, 6), True where a query may look at a key."""
    import torch

    from ecomtutor import attention

    if mask == "causal":
        return attention.causal_mask(6)
    real = torch.ones(1, 6)
    if mask == "padding":
        real[:, -_PADDED:] = 0
    return attention.padding_mask(real)[0, 0].expand(6, 6)


def _tokens(settings: Settings) -> tuple[str, ...]:
    tokens = TOKENS[settings.language]
    if settings.mask != "padding":
        return tokens
    return (*tokens[:-_PADDED], *[_PAD] * _PADDED)


def _controls() -> dict[str, Any]:
    """One control for each field of `Settings`, under its name."""
    from ipywidgets import Checkbox, Dropdown, FloatSlider, SelectionSlider

    look: dict[str, Any] = {
        "style": {"description_width": "initial"},
        "layout": {"width": "22em", "margin": "0.2em 1.5em 0.2em 0"},
    }
    languages = [("English", "en"), ("中文", "zh")]
    masks = [(label, name) for name, label in MASKS.items()]
    controls = {
        "language": Dropdown(options=languages, description="Review", **look),
        "d_k": SelectionSlider(options=D_K, description="Length d_k", **look),
        "temperature": FloatSlider(min=0.1, max=5, description="Temperature", **look),
        "scaled": Checkbox(description="Divide the scores by √d_k", indent=False, **look),
        "mask": Dropdown(options=masks, description="Mask", **look),
    }
    for name, control in controls.items():
        control.value = getattr(Settings(), name)
    return controls


def _facts(seen: Explored) -> str:
    largest, bits = _means(seen)
    most = fmean(math.log2(seen.choices[i]) for i in seen.telling)
    where = "of the rows"
    dash = ""
    if min(seen.choices) < len(seen.tokens):
        where = "of the rows of real tokens with a choice"
        dash = " A dash is a masked key: its weight is exactly zero."
    return (
        f"Spread of the scores (standard deviation): {seen.spread:.2f}. Means {where}: largest "
        f"weight {largest:.2f}, entropy {bits:.2f} of at most {most:.2f} bits.{dash}"
    )


def _means(seen: Explored) -> tuple[float, float]:
    """The largest weight and the entropy, each as the mean of the rows that tell something."""
    rows = seen.telling
    return fmean(seen.largest[i] for i in rows), fmean(seen.entropies[i] for i in rows)


def _summary() -> list[list[str]]:
    rows = [list(_SUMMARY_HEAD)]
    for d_k in (4, 64, 256):
        for scaled in (False, True):
            seen = explore(Settings(d_k=d_k, scaled=scaled))
            numbers = map(_number, (seen.spread, *_means(seen)))
            rows.append([str(d_k), "yes" if scaled else "no", *numbers])
    return rows


def _grid(seen: Explored) -> list[list[str]]:
    """For each query its token, its weights, its largest weight and its entropy."""
    return [
        [token, *map(_number, weights), _number(largest), _number(bits)]
        for token, weights, largest, bits in zip(
            seen.tokens, seen.weights, seen.largest, seen.entropies, strict=True
        )
    ]


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"


def _text_table(rows: Sequence[Sequence[str]]) -> str:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [[cell.rjust(w) for cell, w in zip(row, widths, strict=True)] for row in rows]
    return "\n".join("  ".join(line) for line in lines)


def _summary_html() -> str:
    head, *rows = _summary()
    return _html_table(head, ["".join(map(_cell, row)) for row in rows])


def _html_table(head: Sequence[str], rows: Sequence[str]) -> str:
    top = "".join(_heading(text, "col") for text in head)
    body = "".join(f"<tr>{row}</tr>" for row in rows)
    return (
        '<table style="border-collapse:collapse;margin:0.5em 0;color:inherit">'
        f"<thead><tr>{top}</tr></thead><tbody>{body}</tbody></table>"
    )


def _heading(text: str, scope: str) -> str:
    style = "padding:0.3em 0.6em;text-align:center;white-space:nowrap"
    return f'<th scope="{scope}" style="{style}">{html.escape(text)}</th>'


def _cell(text: str, style: str = "") -> str:
    return f'<td style="padding:0.3em 0.6em;text-align:center{style}">{text}</td>'


def _shaded(weight: float | None) -> str:
    """A cell of the grid; background and ink are both set, so that it reads in any theme."""
    from ecomtutor.figures.core import ink_on, shade

    if weight is None:
        return _cell("–")
    paper = shade(weight)
    return _cell(f"{weight:.2f}", f";background-color:{paper};color:{ink_on(paper)}")
