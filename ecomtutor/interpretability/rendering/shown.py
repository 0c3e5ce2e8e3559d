"""What every picture of an explanation says besides its drawing: heading, cost, table, text."""

from dataclasses import dataclass

import numpy as np

from ecomtutor.errors import EcomTutorError
from ecomtutor.interpretability.explanation import Explanation
from ecomtutor.interpretability.rendering.picture import escaped, folded, signed, visible

PER_LINE = 4
NO_DIRECTION = "These weights say how much, not up or down."
# Five decimals: what another processor rounds differently is then within the allowance of the
# notebook comparison, wherever the edge of rounding lies.
_DECIMALS = 5


@dataclass(frozen=True)
class Shown:
    """One output of an explanation: values (units,), errors (units,) or None, and its words."""

    explanation: Explanation
    output: int

    @property
    def name(self) -> str:
        """The output's name."""
        return self.explanation.outputs[self.output]

    @property
    def texts(self) -> list[str]:
        """The units' texts."""
        return self.explanation.units.texts

    @property
    def values(self) -> np.ndarray:
        """How much each unit moved this output, (units,)."""
        values: np.ndarray = self.explanation.values[:, self.output]
        return values

    @property
    def errors(self) -> np.ndarray | None:
        """Standard errors (units,), where the method draws at random."""
        errors = self.explanation.errors
        return None if errors is None else errors[:, self.output]

    @property
    def base(self) -> float:
        """The output with every unit hidden."""
        return float(self.explanation.base[self.output])

    @property
    def full(self) -> float:
        """The output for the whole text."""
        return float(self.explanation.full[self.output])

    @property
    def gap(self) -> float:
        """What the values leave unexplained of full - base."""
        return float(self.explanation.gap[self.output])

    @property
    def strongest(self) -> float:
        """The largest size of a value; 1 where all are zero, to divide by."""
        return float(np.abs(self.values).max()) or 1.0

    @property
    def decimals(self) -> int:
        """How many decimals show the strongest value with two digits or more."""
        return int(np.clip(1 - np.floor(np.log10(self.strongest)), 2, 6))

    @property
    def by_size(self) -> list[int]:
        """Numbers of the units, the one that moved the output most first, either way."""
        # Rounded, so that values equal but for the last bit keep the order of the text.
        return np.argsort(-np.abs(self.values).round(6), kind="stable").tolist()

    @property
    def runs(self) -> list[tuple[int, int]]:
        """Neighbours with the same value, as (start, end): where a budget ended, they share it."""
        same = np.diff(self.values.round(9)) == 0
        starts = [0, *(np.flatnonzero(~same) + 1).tolist()]
        return list(zip(starts, [*starts[1:], len(self.values)], strict=True))

    @property
    def heading(self) -> str:
        """The line above the drawing, as HTML."""
        return (
            f"<div><b>{escaped(_capital(self.explanation.method))}</b> for "
            f"<b>{escaped(self.name)}</b>: {signed(self.base)} with every unit hidden, "
            f"{signed(self.full)} for the whole text.</div>"
        )

    @property
    def cost(self) -> str:
        """How far the values can be relied on, and what they cost, in one line."""
        made = self.explanation
        parts = []
        if made.resolved is not None:
            parts.append(f"{made.resolved} of {len(made.units)} units resolved")
        again = f" for {made.asked:,} asked" if made.asked > made.made else ""
        parts.append(f"{made.made:,} rows scored{again}")
        if "seed" in made.settings:
            parts.append(f"seed {made.settings['seed']}")
        if not made.adds_up:
            parts.append("values of this method need not add up")
        if made.units.unread:
            parts.append(
                f"the model reads the first {len(made.units.text) - len(made.units.unread):,} of "
                f"{len(made.units.text):,} characters, and only they are explained"
            )
        return "; ".join(parts) + "."

    @property
    def table(self) -> str:
        """All values in the order of the text, folded away, as HTML."""
        head = ["unit", self.name] + ([] if self.errors is None else ["standard error"])
        rows = [
            [visible(t), signed(v, self.decimals + 1)]
            for t, v in zip(self.texts, self.values, strict=True)
        ]
        if self.errors is not None:
            rows = [[*row, f"{e:.3f}"] for row, e in zip(rows, self.errors, strict=True)]
        head = [escaped(cell) for cell in head]
        summary = f"{_capital(self.explanation.method)}: all {len(self.texts)} values as a table"
        return folded(summary, head, rows)

    @property
    def words(self) -> str:
        """The same as plain text: every value, in the order of the text."""
        base, full = (f"{value:+.{_DECIMALS}f}" for value in (self.base, self.full))
        lines = [
            f"{_capital(self.explanation.method)} for {self.name}: {base} with every unit hidden, "
            f"{full} for the whole text",
            self.cost,
        ]
        cells = [self._cell(i) for i in range(len(self.texts))]
        starts = range(0, len(cells), PER_LINE)
        return "\n".join([*lines, *("   ".join(cells[i : i + PER_LINE]) for i in starts)])

    def _cell(self, i: int) -> str:
        text = " ".join(self.texts[i].split()) or "␣"
        error = "" if self.errors is None else f" ±{self.errors[i]:.{_DECIMALS}f}"
        return f"{text} {self.values[i]:+.{_DECIMALS}f}{error}"


def shown(explanation: Explanation, output: "str | int | None") -> Shown:
    """One output of an explanation, ready to be drawn.

    Raises:
        EcomTutorError: no such output, or values that are no finite numbers.
    """
    if not isinstance(explanation, Explanation):
        raise EcomTutorError(
            f"An explanation is drawn; {type(explanation).__name__} came. explain(…) makes one."
        )
    parts = (explanation.values, explanation.base, explanation.full, explanation.errors)
    if not all(np.isfinite(part).all() for part in parts if part is not None):
        raise EcomTutorError("An explanation with NaN or infinite values cannot be drawn.")
    return Shown(explanation, explanation.output(output))


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
