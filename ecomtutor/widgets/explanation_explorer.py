"""The explorer of explanations: a text of the reader's, a method, a budget, and what comes of it.

It works on any classifier that `interpretability.explain` takes, in any language.
"""

from __future__ import annotations

import html
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from ecomtutor.errors import EcomTutorError
from ecomtutor.text.checking import require_text
from ecomtutor.widgets.core import StaticAndLive

if TYPE_CHECKING:
    import numpy as np

    from ecomtutor.finetuning import Classifier
    from ecomtutor.interpretability import Explanation

METHODS = {
    "owen": "Owen values",
    "sampled": "sampled Shapley",
    "kernel": "Kernel SHAP",
    "exact": "exact Shapley (to 16 units)",
    "lime": "LIME",
    "leave-one-out": "leave one out",
    "occlusion": "occlusion, 3 units wide",
}
COMPARED = ("owen", "sampled", "lime", "leave-one-out")  # in the static view
BUDGETS = (25, 50, 100, 200, 500, 1000, 2000)
LONGEST = 2000  # characters
# Rows times tokens of a row: some ten seconds on two cores, as long as a reader waits.
MOST_TOKENS = 60_000
_NAMED = 16  # characters of a unit or block in the sentence

_TITLE = "Explanation explorer: which words moved the model, by which method, at what price?"


@dataclass(frozen=True)
class Settings:
    """The controls: the text, and how it is explained. budget: how many rows may be asked for."""

    text: str
    method: str = "owen"
    unit: str = "word"
    hiding: str = "mask"
    budget: int = 500
    label: str = ""


@dataclass(frozen=True)
class Explored:
    """An explanation with the label that it is shown for, and the budget that was left of it."""

    explanation: Explanation
    label: str
    budget: int
    asked_budget: int


def explanation_explorer(text: str, classifier: Classifier) -> ExplanationExplorer:
    """The explorer, to be shown as the last expression of a cell.

    Args:
        text: what is explained at first, and in the static view.
        classifier: anything with `tokenizer`, `token_logits(rows)`, `labels` and `max_tokens`.

    Raises:
        EcomTutorError: nothing to explain in the text, or more than `LONGEST` characters.
    """
    explorer = ExplanationExplorer(text, classifier)
    explorer.explore(Settings(text))
    return explorer


def what_it_shows(seen: Explored) -> str:
    """The one sentence that says what the reader sees now."""
    made = seen.explanation
    values = made.values[:, made.output(seen.label)]
    parts = []
    for word, i in (("for", int(values.argmax())), ("against", int(values.argmin()))):
        if (values[i] > 0) == (word == "for") and values[i]:
            parts.append(f"{_named(made, values, i)} speaks most {word} {seen.label}")
    sentence = ", ".join(parts) or f"No unit moves {seen.label}"
    open_units = len(made.units) - (len(made.units) if made.resolved is None else made.resolved)
    if open_units:
        sentence += f"; {open_units} of {len(made.units)} units have no value of their own at this "
        sentence += "budget"
    return sentence + "."


class ExplanationExplorer(StaticAndLive):
    """Controls over `explain` in a live notebook; elsewhere several methods on one text."""

    def __init__(self, text: str, classifier: Classifier) -> None:
        self.text, self.classifier = text, classifier
        self.explore = lru_cache(maxsize=64)(self._explore)

    def __repr__(self) -> str:
        rows = "\n".join("  ".join(row) for row in self._budgets())
        note = f"\n\n{self._left_out()}" if self._left_out() else ""
        return f"{_TITLE}\n\n{self._compared().text}{note}\n\n{rows}"

    def _repr_html_(self) -> str:
        from ecomtutor.interpretability.rendering.picture import folded, paper

        head, *rows = [[html.escape(cell) for cell in row] for row in self._budgets()]
        table = folded("What the budget changes", head, rows)
        note = f"<div>{self._left_out()}</div>" if self._left_out() else ""
        return paper(f"<div>{_TITLE}</div>{self._compared().html}{note}{table}", _TITLE)

    def widget(self) -> Any:
        """The controls above the explanation, an `ipywidgets.VBox`."""
        from ipywidgets import HTML, HBox, Layout, VBox

        controls = _controls(self.text, self.classifier.labels)
        view = HTML(as_html(self.explore(Settings(self.text))))

        def show(_: object) -> None:
            chosen = {name: control.value for name, control in controls.items()}
            try:
                view.value = as_html(self.explore(Settings(**chosen)))
            except EcomTutorError as error:
                view.value = f"<p><strong>{html.escape(str(error))}</strong></p>"

        for control in controls.values():
            control.observe(show, names="value")
        text, *others = controls.values()
        row = HBox(others, layout=Layout(flex_flow="row wrap"))
        return VBox([HTML(f"<p>{_TITLE}</p>"), text, row, view])

    def _explore(self, chosen: Settings) -> Explored:
        """The explanation that the controls ask for.

        Raises:
            EcomTutorError: nothing to explain, too long a text, a method that cannot serve it.
        """
        from ecomtutor.interpretability import explain
        from ecomtutor.interpretability.doors import whole

        if len(require_text(chosen.text)) > LONGEST:
            raise EcomTutorError(
                f"Up to {LONGEST:,} characters fit here; {len(chosen.text):,} came. Shorten the "
                "text."
            )
        whole(chosen.budget, "budget", 8)
        if chosen.method not in METHODS:
            raise EcomTutorError(f"method is one of {', '.join(METHODS)}; {chosen.method!r} came.")
        units, affordable = self._size(chosen)
        budget = min(chosen.budget, affordable)
        made = explain(
            chosen.text,
            self.classifier,
            chosen.method,
            chosen.unit,  # type: ignore[arg-type]
            chosen.hiding,  # type: ignore[arg-type]
            **_spending(chosen.method, units, budget, affordable),
        )
        if chosen.label:
            made.output(chosen.label)  # an unknown one is told here, not when it is drawn
        label = chosen.label or made.outputs[made.output()]
        return Explored(made, label, budget, chosen.budget)

    def _compared(self) -> Any:
        from ecomtutor.interpretability.rendering import compare

        seen = [self.explore(replace(Settings(self.text), method=m)) for m in self._served()]
        return compare([one.explanation for one in seen], seen[0].label)

    def _served(self) -> list[str]:
        """The compared methods that a text so long leaves within a reader's patience."""
        units, affordable = self._size(Settings(self.text))
        return [m for m in COMPARED if _least(m, units) <= affordable]

    def _left_out(self) -> str:
        """Which methods the static view lacks, and why; mostly nothing."""
        lacking = [METHODS[m] for m in COMPARED if m not in self._served()]
        if not lacking:
            return ""
        return f"The text is long: {' and '.join(lacking)} would take too many rows of it."

    def _size(self, chosen: Settings) -> tuple[int, int]:
        """How many units the text has, and how many rows of it a reader waits for."""
        from ecomtutor.interpretability import units_of

        tokens = self.classifier.max_tokens
        units = units_of(chosen.text, self.classifier.tokenizer, chosen.unit, max_tokens=tokens)  # type: ignore[arg-type]
        return len(units), max(8, MOST_TOKENS // len(units.ids))

    def _budgets(self) -> list[list[str]]:
        """Rows of cells: what Owen values resolve at each budget, until they resolve everything."""
        rows = [["budget", "rows scored", "units resolved"]]
        affordable = self._size(Settings(self.text))[1]
        for budget in (b for b in BUDGETS if b <= affordable):
            made = self.explore(Settings(self.text, budget=budget)).explanation
            rows.append([str(budget), str(made.made), f"{made.resolved} of {len(made.units)}"])
            if made.resolved == len(made.units):
                break
        return rows


def as_html(seen: Explored) -> str:
    """The text tinted, the strongest units as bars, and the sentence."""
    from ecomtutor.interpretability.rendering import bars, heat_text

    pictures = (
        heat_text(seen.explanation, seen.label).html
        + bars(seen.explanation, seen.label, top=8).html
    )
    lowered = ""
    if seen.budget < seen.asked_budget:
        lowered = (
            f"<p>The text is long: {seen.budget} rows, not {seen.asked_budget:,}, so that you "
            "need not wait.</p>"
        )
    return f"<p><strong>{html.escape(what_it_shows(seen))}</strong></p>{lowered}{pictures}"


def _named(made: Explanation, values: np.ndarray, i: int) -> str:
    """A unit with its value, or the block of neighbours that share one value, with their sum."""
    same, first, end = values.round(9) == values[i].round(9), i, i + 1
    while first and same[first - 1]:
        first -= 1
    while end < len(values) and same[end]:
        end += 1
    units = made.units.units
    text = made.units.text[units[first].start : units[end - 1].end]
    text = text if len(text) <= _NAMED else text[: _NAMED - 1] + "…"
    return f"“{text}” ({values[first:end].sum():+.2f})".replace("(-", "(−")


def _spending(method: str, units: int, budget: int, affordable: int) -> dict[str, Any]:
    """The settings of a method that keep it within a number of rows.

    Raises:
        EcomTutorError: it needs more than anyone would wait for.
    """
    if _least(method, units) > affordable:
        raise EcomTutorError(
            f"{METHODS[method]} needs {_least(method, units):,} rows of this long text, more than "
            "you would wait for here. Shorten it, or take Owen values or LIME with a budget."
        )
    if method == "sampled":
        return {"orders": max(2, budget // (2 * units)), "seed": 0}
    if method == "occlusion":
        return {"width": min(3, units)}
    if method == "kernel":
        return {"samples": min(budget, 2**units - 2) if units < 30 else budget, "seed": 0}
    if method == "lime":
        return {"samples": budget, "seed": 0}
    return {"budget": budget} if method == "owen" else {}


def _least(method: str, units: int) -> int:
    """The rows that a method needs whatever its budget."""
    least = {"leave-one-out": units + 2, "occlusion": units + 2, "sampled": 4 * units}
    return least.get(method, 0)


def _controls(text: str, labels: tuple[str, ...]) -> dict[str, Any]:
    """One control for each field of `Settings`, under its name, in the order of the Tab key."""
    from ipywidgets import Dropdown, SelectionSlider, Textarea

    wide: dict[str, Any] = {"style": {"description_width": "6em"}, "layout": {"width": "42em"}}
    look: dict[str, Any] = {"style": {"description_width": "6em"}}
    placeholder = "Type a review; the explanation follows when you leave the box (Tab)."
    methods = [(label, name) for name, label in METHODS.items()]
    shown = [("the one that rose", ""), *((label, label) for label in labels)]
    return {
        "text": Textarea(
            text,
            description="Text",
            rows=3,
            placeholder=placeholder,
            continuous_update=False,
            **wide,
        ),
        "method": Dropdown(options=methods, value="owen", description="Method", **look),
        "unit": Dropdown(options=["word", "token"], value="word", description="Units", **look),
        "hiding": Dropdown(
            options=["mask", "delete", "pad"], value="mask", description="Hidden by", **look
        ),
        "budget": SelectionSlider(
            options=BUDGETS, value=500, description="Budget", continuous_update=False, **look
        ),
        "label": Dropdown(options=shown, value="", description="Label", **look),
    }
