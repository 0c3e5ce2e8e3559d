"""The explorer of lesson 07: where to give an alarm, what it costs, and would you agree?

It works on any texts that somebody labelled and some model judged.
"""

from __future__ import annotations

import html
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ecomtutor.errors import EcomTutorError
from ecomtutor.widgets.core import StaticAndLive

if TYPE_CHECKING:
    import numpy as np

THRESHOLDS = (0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 0.9)
_CLOSEST = 5  # texts beside the threshold that the static view shows
_SHOWN = 160  # characters of a text

_TITLE = "Threshold explorer: an alarm is given from this probability of being a complaint on."
_HEAD = ("threshold", "alarms", "found", "missed", "false alarms", "precision", "recall", "cost")


@dataclass(frozen=True)
class Outcome:
    """What a threshold leads to, in numbers of texts."""

    threshold: float
    found: int
    missed: int
    false_alarms: int

    @property
    def alarms(self) -> int:
        """How many texts somebody has to read."""
        return self.found + self.false_alarms

    @property
    def precision(self) -> float:
        """The share of alarms that are right; 0 without alarms."""
        return self.found / self.alarms if self.alarms else 0.0

    @property
    def recall(self) -> float:
        """The share of complaints that are found; 0 without complaints."""
        complaints = self.found + self.missed
        return self.found / complaints if complaints else 0.0

    def cost(self, missed: float, false_alarm: float = 1.0) -> float:
        """What its mistakes cost together."""
        return missed * self.missed + false_alarm * self.false_alarms


@dataclass
class Labelled:
    """What the reader of the live view said of the texts: place → whether it is a complaint."""

    given: dict[int, bool] = field(default_factory=dict)

    def agreement(self, is_complaint: np.ndarray) -> str:
        """One sentence: how often the reader and the published labels agree."""
        if not self.given:
            return "Read the text and say what it is."
        agreed = sum(said == bool(is_complaint[place]) for place, said in self.given.items())
        return f"You labelled {len(self.given)}; the published label agrees on {agreed} of them."


def threshold_explorer(
    texts: Sequence[str],
    is_complaint: Sequence[bool] | np.ndarray,
    probability: Sequence[float] | np.ndarray,
    *,
    missed: float = 10.0,
    translate: Callable[[str], str] = lambda text: "",
) -> ThresholdExplorer:
    """The explorer, to be shown as the last expression of a cell.

    Args:
        texts: one string each.
        is_complaint: the labels, shape (texts,).
        probability: of being a complaint, shape (texts,).
        missed: what a missed complaint costs at first; a false alarm costs 1.
        translate: what a text says in the reader's language, shown below it; "" for nothing.

    Raises:
        EcomTutorError: lengths that differ, no text, or something that is no probability.
    """
    import numpy as np

    truth, chances = np.asarray(is_complaint, bool), np.asarray(probability, float)
    if not len(texts) or truth.shape != (len(texts),) or chances.shape != (len(texts),):
        raise EcomTutorError(
            f"One label and one probability a text, and a text at least; {len(texts)} texts, "
            f"labels {truth.shape} and probabilities {chances.shape} came."
        )
    if not ((chances >= 0) & (chances <= 1)).all():
        raise EcomTutorError("Probabilities lie between 0 and 1; others came, or NaN.")
    return ThresholdExplorer(list(texts), truth, chances, missed, translate)


class ThresholdExplorer(StaticAndLive):
    """A threshold and a price to move in a live notebook; elsewhere a table and the close calls."""

    def __init__(
        self,
        texts: list[str],
        is_complaint: np.ndarray,
        probability: np.ndarray,
        missed: float,
        translate: Callable[[str], str],
    ) -> None:
        self.texts, self.is_complaint, self.probability = texts, is_complaint, probability
        self.missed, self.translate = missed, translate

    def outcome(self, threshold: float) -> Outcome:
        """What happens where an alarm is given from this probability on."""
        alarm = self.probability >= threshold
        return Outcome(
            threshold,
            found=int((alarm & self.is_complaint).sum()),
            missed=int((~alarm & self.is_complaint).sum()),
            false_alarms=int((alarm & ~self.is_complaint).sum()),
        )

    def closest(self, threshold: float) -> list[int]:
        """The places of all texts, the closest calls first."""
        import numpy as np

        return [int(i) for i in np.argsort(abs(self.probability - threshold), kind="stable")]

    def __repr__(self) -> str:
        rows = [_HEAD, *(_row(self.outcome(t), self.missed) for t in THRESHOLDS)]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        lines = [
            "  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True))
            for row in rows
        ]
        calls = [f"{p}  {label:12}  {text}" for p, label, text in self._close_calls()]
        return "\n".join([self._heading(), "", *lines, "", "Close calls at 0.50:", *calls])

    def _repr_html_(self) -> str:
        rows = [_row(self.outcome(t), self.missed) for t in THRESHOLDS]
        calls = _table(("probability", "label", "close calls at 0.50"), self._close_calls(), "left")
        return f"<section><p>{self._heading()}</p>{_table(_HEAD, rows)}{calls}</section>"

    def widget(self) -> Any:
        """Threshold and price above the numbers, and a text to label, an `ipywidgets.VBox`."""
        from ipywidgets import HTML, Button, FloatSlider, HBox, Layout, SelectionSlider, VBox

        threshold = FloatSlider(0.5, min=0.01, max=0.99, step=0.01, description="Threshold")
        prices = [1, 2, 3, 5, 10, 20, 50, 100]
        first = min(prices, key=lambda price: abs(price - self.missed))
        price = SelectionSlider(options=prices, value=first, description="A miss costs")
        price.style = {"description_width": "initial"}
        numbers, text, said = HTML(), HTML(), HTML()
        labelled = Labelled()

        def next_text() -> int | None:
            order = self.closest(threshold.value)
            return next((place for place in order if place not in labelled.given), None)

        def show(_: object = None) -> None:
            numbers.value = as_html(self.outcome(threshold.value), price.value)
            place = next_text()
            text.value = self._card(place)
            said.value = f"<p><strong>{labelled.agreement(self.is_complaint)}</strong></p>"

        def answer(complaint: bool) -> None:
            place = next_text()
            if place is None:
                return
            labelled.given[place] = complaint
            show()
            said.value += self._verdict(place)

        buttons = [Button(description="Complaint"), Button(description="No complaint")]
        buttons[0].on_click(lambda _: answer(True))
        buttons[1].on_click(lambda _: answer(False))
        for control in (threshold, price):
            control.observe(show, names="value")
        show()
        controls = HBox([threshold, price], layout=Layout(flex_flow="row wrap"))
        return VBox([HTML(f"<p>{_TITLE}</p>"), controls, numbers, text, HBox(buttons), said])

    def _heading(self) -> str:
        return (
            f"{_TITLE} {len(self.texts):,} texts, {int(self.is_complaint.sum()):,} complaints; a "
            f"missed one costs {self.missed:g}, a false alarm 1."
        )

    def _close_calls(self) -> list[tuple[str, str, str]]:
        return [
            (f"{self.probability[i]:.2f}", self._label(i), self._in_both(i))
            for i in self.closest(0.5)[:_CLOSEST]
        ]

    def _in_both(self, place: int) -> str:
        translated = self.translate(self.texts[place])
        return _short(self.texts[place]) + (f" [{translated}]" if translated else "")

    def _quoted_in_both(self, place: int) -> str:
        translated = self.translate(self.texts[place])
        return _quoted(self.texts[place]) + (_quoted(translated) if translated else "")

    def _label(self, place: int) -> str:
        return "complaint" if self.is_complaint[place] else "no complaint"

    def _card(self, place: int | None) -> str:
        if place is None:
            return "<p>You have labelled every text.</p>"
        return f"<p>The closest call that you have not labelled:</p>{self._quoted_in_both(place)}"

    def _verdict(self, place: int) -> str:
        return (
            f"{self._quoted_in_both(place)}<p>Published as {self._label(place)}; the model said "
            f"{self.probability[place]:.2f}.</p>"
        )


def as_html(outcome: Outcome, missed: float) -> str:
    """The numbers of a threshold as plain HTML."""
    return _table(_HEAD, [_row(outcome, missed)])


def _row(outcome: Outcome, missed: float) -> tuple[str, ...]:
    return (
        f"{outcome.threshold:.2f}",
        f"{outcome.alarms:,}",
        f"{outcome.found:,}",
        f"{outcome.missed:,}",
        f"{outcome.false_alarms:,}",
        f"{outcome.precision:.2f}",
        f"{outcome.recall:.2f}",
        f"{outcome.cost(missed):,.0f}",
    )


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _SHOWN else line[:_SHOWN] + " …"


def _quoted(text: str) -> str:
    style = "margin:0.4em 0 0.4em 1em;padding-left:0.8em;border-left:3px solid currentColor"
    return f'<blockquote style="{style}">{html.escape(text)}</blockquote>'


def _table(head: Sequence[str], rows: Sequence[Sequence[str]], align: str = "right") -> str:
    style = f"padding:0.3em 0.6em;text-align:{align};vertical-align:top"
    top = "".join(f'<th scope="col" style="{style}">{html.escape(cell)}</th>' for cell in head)
    body = "".join(
        "<tr>" + "".join(f'<td style="{style}">{html.escape(cell)}</td>' for cell in row) + "</tr>"
        for row in rows
    )
    return (
        '<table style="border-collapse:collapse;margin:0.5em 0;color:inherit">'
        f"<thead><tr>{top}</tr></thead><tbody>{body}</tbody></table>"
    )
