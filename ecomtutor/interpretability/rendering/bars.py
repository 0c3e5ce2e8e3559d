"""The units that moved an output most, as bars from zero, or as steps from base to full."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ecomtutor.errors import EcomTutorError
from ecomtutor.interpretability.explanation import Explanation
from ecomtutor.interpretability.rendering.picture import (
    DOWN,
    FAINT,
    INK,
    PAPER,
    UP,
    Picture,
    drawn,
    escaped,
    paper,
    signed,
    visible,
)
from ecomtutor.interpretability.rendering.shown import Shown, shown

WIDTH, HEIGHT = 360, 22
_ERRORS = 2  # standard errors to each side
_UNEXPLAINED = 0.005  # of the whole drawing: a smaller gap is rounding


@dataclass(frozen=True)
class Step:
    """One row: from where to where it goes on the axis, its words, and its error, if any."""

    label: str
    start: float
    end: float
    value: str
    error: float = 0.0
    kind: str = "step"


def bars(explanation: Explanation, output: "str | int | None" = None, top: int = 12) -> Picture:
    """The units that moved an output most, the strongest first, each a bar from zero.

    Bars to the right moved it up; bars to the left, hatched, moved it down. Whiskers are two
    standard errors to each side, where the method has them.

    Args:
        explanation: of any method.
        output: name or number; None: the one that rose most from base.
        top: how many units have a bar of their own; the others share one.

    Raises:
        EcomTutorError: no such output, or no bar at all.
    """
    what = _at_least_one(shown(explanation, output), top)
    steps = [
        Step(visible(what.texts[i]), 0.0, float(what.values[i]), _value(what, i), _error(what, i))
        for i in what.by_size[:top]
    ]
    if rest := what.by_size[top:]:
        total = float(what.values[rest].sum())
        steps.append(Step(f"{len(rest)} others together", 0.0, total, signed(total, what.decimals)))
    note = f"Whiskers: {_ERRORS} standard errors. " if what.errors is not None else ""
    return _picture(what, _rows(steps, zero=True), note)


def waterfall(
    explanation: Explanation, output: "str | int | None" = None, top: int = 10
) -> Picture:
    """From the output with every unit hidden to that of the whole text, one step a unit.

    The strongest come first, the rest are one step, and what the values of a method leave
    unexplained is a step of its own, so that the last row is always the output itself.

    Args:
        explanation: of any method.
        output: name or number; None: the one that rose most from base.
        top: how many units have a step of their own.

    Raises:
        EcomTutorError: no such output, or no step at all.
    """
    what = _at_least_one(shown(explanation, output), top)
    chosen, rest = what.by_size[:top], what.by_size[top:]
    moves = [(visible(what.texts[i]), float(what.values[i])) for i in chosen]
    if rest:
        moves.append((f"{len(rest)} others together", float(what.values[rest].sum())))
    reach = max(what.strongest, abs(what.full - what.base))
    if abs(what.gap) > _UNEXPLAINED * reach:
        moves.append(("not explained", what.gap))
    place = what.base
    steps = [Step("every unit hidden", place, place, signed(place), kind="end")]
    for label, move in moves:
        steps.append(Step(label, place, place + move, signed(move, what.decimals)))
        place += move
    steps.append(Step("the whole text", what.full, what.full, signed(what.full), kind="end"))
    return _picture(what, _rows(steps, zero=False), "")


def _at_least_one(what: Shown, top: int) -> Shown:
    if top < 1:
        raise EcomTutorError(f"One unit or more gets a row of its own; {top} came.")
    return what


def _value(what: Shown, i: int) -> str:
    error = "" if what.errors is None else f" ± {what.errors[i]:.{what.decimals}f}"
    return signed(float(what.values[i]), what.decimals) + error


def _error(what: Shown, i: int) -> float:
    return 0.0 if what.errors is None else _ERRORS * float(what.errors[i])


def _picture(what: Shown, rows: str, note: str) -> Picture:
    key = f"<div>→ moves {escaped(what.name)} up; ← hatched, down. {note}{what.cost}</div>"
    body = what.heading + rows + key + what.table
    return Picture(paper(body, what.words.split("\n", 1)[0]), what.words)


def _rows(steps: list[Step], zero: bool) -> str:
    ends = [p for s in steps for p in (s.start, s.end, s.end - s.error, s.end + s.error)]
    ends += [0.0] if zero else []
    low, high = min(ends), max(ends)
    room = (high - low) * 0.02 or 1.0
    low, high = low - room, high + room

    def x(value: float) -> float:
        return round((value - low) / (high - low) * WIDTH, 1)

    style = f"color:{INK};background-color:{PAPER};border:none;padding:0 6px;text-align:"
    rows = []
    for place, step in enumerate(steps):
        after = steps[place + 1] if place + 1 < len(steps) and not zero else None
        picture = drawn(_drawn(step, after, x, x(0.0) if zero else None), WIDTH, HEIGHT)
        rows.append(
            f'<tr style="background-color:{PAPER}"><td style="{style}right">{step.label}</td>'
            f'<td style="{style}left;padding:0;line-height:0">{picture}</td>'
            f'<td style="{style}left;white-space:nowrap">{step.value}</td></tr>'
        )
    table = f"border-collapse:collapse;margin:6px 0;background-color:{PAPER};border:none"
    return f'<table style="{table}"><tbody>{"".join(rows)}</tbody></table>'


def _drawn(
    step: Step, after: "Step | None", x: Callable[[float], float], axis: "float | None"
) -> str:
    start, end, middle = x(step.start), x(step.end), HEIGHT / 2
    left, wide = min(start, end), max(abs(end - start), 1.0)
    up = step.end >= step.start
    parts = []
    if axis is not None:
        parts.append(f'<path d="M{axis} 0V{HEIGHT}" stroke="{FAINT}"/>')
    if step.kind == "end":
        parts.append(f'<path d="M{end} 2V{HEIGHT - 2}" stroke="{INK}" stroke-width="3"/>')
    else:
        parts.append(
            f'<rect x="{left}" y="4" width="{wide:.1f}" height="{HEIGHT - 8}" '
            f'fill="{UP if up else DOWN}"/>'
        )
        if not up:
            parts.append(_hatching(left, wide))
    if step.error:
        low, high = x(step.end - step.error), x(step.end + step.error)
        parts.append(
            f'<path d="M{low} {middle}H{high}M{low} 7v8M{high} 7v8" stroke="{INK}" '
            'stroke-width="1.5"/>'
        )
    if after is not None:
        parts.append(f'<path d="M{x(after.start)} {HEIGHT - 4}v4" stroke="{INK}"/>')
    return "".join(parts)


def _hatching(left: float, wide: float) -> str:
    """White lines across a bar: a direction that is read without colour."""
    low, high, slant = HEIGHT - 4, 4, 6
    places = np.arange(left + 2, left + wide - slant, 7)
    lines = "".join(f"M{place:.0f} {low}L{place + slant:.0f} {high}" for place in places)
    return f'<path d="{lines}" stroke="{PAPER}" stroke-width="1.5"/>' if lines else ""
