"""The explorer of lesson 02: what width, layers, heads, vocabulary and tokens cost."""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ecomtutor.widgets.core import StaticAndLive

if TYPE_CHECKING:
    from ecomtutor.transformer import BertConfig

WIDTHS = (128, 256, 384, 512, 768, 1024, 2048)
LAYERS = (2, 4, 6, 12, 24, 48)
HEADS = (1, 2, 4, 8, 12, 16)
VOCABULARIES = (1_000, 8_000, 21_128, 30_522, 50_257, 128_000)
TOKENS = (16, 64, 128, 256, 512, 1024, 2048, 4096, 8192)

_TITLE = (
    "Cost explorer: an encoder of your size reads one text. Four times the width inside the "
    "feed-forward network, 32-bit numbers, one position for each token, at least 512."
)
_HEAD = ("model", "tokens", "parameters", "weights", "operations", "attention's share", "maps")


@dataclass(frozen=True)
class Size:
    """The controls: the sizes of an encoder, and the length of the text that it reads."""

    width: int = 384
    layers: int = 6
    heads: int = 12
    vocabulary: int = 30_522
    tokens: int = 512

    @property
    def config(self) -> BertConfig:
        """The same in the words of the package; refuses heads that do not share the width."""
        from ecomtutor.transformer import BertConfig

        return BertConfig(
            vocabulary=self.vocabulary,
            width=self.width,
            layers=self.layers,
            heads=self.heads,
            inner=4 * self.width,
            positions=max(512, self.tokens),
        )


KNOWN = {
    "MiniLM": Size(),
    "m3e-small": Size(512, 4, 8, 21_128),
    "BERT-base": Size(768, 12, 12, 30_522),
    "BERT-large": Size(1024, 24, 16, 30_522),
}


@dataclass(frozen=True)
class Cost:
    """What a size costs.

    parameters: part → how many, as `count_parameters` gives them.
    operations: part → how many for one text, as `count_operations` gives them.
    map_bytes: all attention maps of the text together.
    """

    parameters: dict[str, int]
    operations: dict[str, int]
    map_bytes: int

    @property
    def map_share(self) -> float:
        """The share of the operations that grows with the square of the length."""
        return self.operations["attention maps"] / sum(self.operations.values())


def cost_explorer() -> CostExplorer:
    """The explorer of lesson 02, to be shown as the last expression of a cell."""
    return CostExplorer()


def cost(size: Size) -> Cost:
    """Parameters, operations and memory of a size, by formula.

    Raises:
        EcomTutorError: sizes that do not fit together, such as 12 heads for a width of 128.
    """
    from ecomtutor.transformer import count_parameters
    from ecomtutor.transformer.costs import attention_map_bytes, count_operations

    config = size.config
    return Cost(
        parameters=count_parameters(config),
        operations=count_operations(config, size.tokens),
        map_bytes=attention_map_bytes(config, size.tokens),
    )


def what_it_says(size: Size) -> str:
    """One sentence: what costs most at this size."""
    seen = cost(size)
    tables = sum(count for part, count in seen.parameters.items() if "table" in part)
    share = tables / sum(seen.parameters.values())
    dearest = max(seen.operations, key=lambda part: seen.operations[part])
    held = f"The tables hold {share:.0%} of the parameters"
    if dearest == "attention maps":
        return f"{held}; the attention maps cost most: twice the text is four times their work."
    return (
        f"{held}; at {size.tokens:,} tokens the attention maps take {seen.map_share:.0%} of the "
        f"operations, and the {dearest} cost most."
    )


class CostExplorer(StaticAndLive):
    """Controls over `cost` in a live notebook; elsewhere a table of known models."""

    def __repr__(self) -> str:
        rows = [_HEAD, *_known_rows()]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        lines = [
            "  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True))
            for row in rows
        ]
        return "\n".join([_TITLE, "", *lines])

    def _repr_html_(self) -> str:
        return f"<section><p>{_TITLE}</p>{_table(_HEAD, _known_rows())}</section>"

    def widget(self) -> Any:
        """The controls above the numbers, an `ipywidgets.VBox`."""
        from ipywidgets import HTML, HBox, Layout, VBox

        controls = _controls()
        view = HTML(as_html(Size()))

        def show(_: object) -> None:
            view.value = as_html(Size(**{name: each.value for name, each in controls.items()}))

        for control in controls.values():
            control.observe(show, names="value")
        row = HBox(list(controls.values()), layout=Layout(flex_flow="row wrap"))
        return VBox([HTML(f"<p>{_TITLE}</p>"), row, view])


def as_html(size: Size) -> str:
    """The numbers and the sentence of a size, or why there is no such model, as plain HTML."""
    from ecomtutor.errors import EcomTutorError

    try:
        sentence = what_it_says(size)
    except EcomTutorError as error:
        return f"<p><strong>{html.escape(str(error))}</strong></p>"
    table = _table(_HEAD, [_row("yours", size)])
    return f"{table}<p><strong>{html.escape(sentence)}</strong></p>"


def _known_rows() -> list[list[str]]:
    """Each known model on a short text and on a long one."""
    sizes = [(name, size, tokens) for name, size in KNOWN.items() for tokens in (64, 512)]
    return [
        _row(name, Size(size.width, size.layers, size.heads, size.vocabulary, tokens))
        for name, size, tokens in sizes
    ]


def _row(name: str, size: Size) -> list[str]:
    seen = cost(size)
    parameters = sum(seen.parameters.values())
    return [
        name,
        f"{size.tokens:,}",
        f"{parameters / 1e6:,.1f} M",
        f"{4 * parameters / 2**20:,.0f} MiB",
        f"{sum(seen.operations.values()) / 1e9:,.1f} G",
        f"{seen.map_share:.0%}",
        f"{seen.map_bytes / 2**20:,.1f} MiB",
    ]


def _controls() -> dict[str, Any]:
    """One control for each field of `Size`, under its name."""
    from ipywidgets import SelectionSlider

    choices = {
        "width": (WIDTHS, "Width"),
        "layers": (LAYERS, "Layers"),
        "heads": (HEADS, "Heads"),
        "vocabulary": (VOCABULARIES, "Vocabulary"),
        "tokens": (TOKENS, "Tokens"),
    }
    return {
        name: SelectionSlider(
            options=[(f"{value:,}", value) for value in values],
            value=getattr(Size(), name),
            description=label,
            style={"description_width": "initial"},
            layout={"width": "22em", "margin": "0.2em 1.5em 0.2em 0"},
        )
        for name, (values, label) in choices.items()
    }


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    style = "padding:0.3em 0.6em;text-align:right;white-space:nowrap"
    top = "".join(f'<th scope="col" style="{style}">{html.escape(cell)}</th>' for cell in head)
    body = "".join(
        "<tr>" + "".join(f'<td style="{style}">{html.escape(cell)}</td>' for cell in row) + "</tr>"
        for row in rows
    )
    return (
        '<table style="border-collapse:collapse;margin:0.5em 0;color:inherit">'
        f"<thead><tr>{top}</tr></thead><tbody>{body}</tbody></table>"
    )
