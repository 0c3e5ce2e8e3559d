"""The units that moved an output most, as bars from zero, or as steps from base to full."""

from collections.abc import Callable
from dataclasses import dataclass

from ecomtutor.interpretability.doors import whole
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
from ecomtutor.interpretability.rendering.shown import NO_DIRECTION, Shown, shown

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
    what = shown(explanation, output)
    chosen, rest = _chosen(what, top)
    steps = [
        Step(visible(what.texts[i]), 0.0, float(what.values[i]), _value(what, i), _error(what, i))
        for i in chosen
    ]
    if rest:
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
    what = shown(explanation, output)
    chosen, rest = _chosen(what, top)
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


def _chosen(what: Shown, top: int) -> tuple[list[int], list[int]]:
    """The units with a row of their own, and the others; a single other one gets its row too."""
    whole(top, "top, how many units get a row of their own,", 1)
    order = what.by_size
    return (order, []) if len(order) <= top + 1 else (order[:top], order[top:])


def _value(what: Shown, i: int) -> str:
    error = "" if what.errors is None else f" ± {what.errors[i]:.{what.decimals}f}"
    return signed(float(what.values[i]), what.decimals) + error


def _error(what: Shown, i: int) -> float:
    return 0.0 if what.errors is None else _ERRORS * float(what.errors[i])


def _picture(what: Shown, rows: str, note: str) -> Picture:
    ways = f"→ moves {escaped(what.name)} up; ← hatched, down."
    key = f"<div>{ways if what.explanation.signed else NO_DIRECTION} {note}{what.cost}</div>"
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

    style = "padding:0 6px;text-align:"
    rows = []
    for place, step in enumerate(steps):
        after = steps[place + 1] if place + 1 < len(steps) and not zero else None
        picture = drawn(
            _drawn(step, after, x, x(0.0) if zero else None), WIDTH, HEIGHT, _in_words(step)
        )
        rows.append(
            f'<tr style="background-color:{PAPER}"><td style="{style}right">{step.label}</td>'
            f'<td style="padding:0;line-height:0">{picture}</td>'
            f'<td style="{style}left;white-space:nowrap">{step.value}</td></tr>'
        )
    table = (
        f"border-collapse:collapse;margin:6px 0;background-color:{PAPER};color:{INK};border:none"
    )
    return f'<table style="{table}"><tbody>{"".join(rows)}</tbody></table>'


def _in_words(step: Step) -> str:
    if step.kind == "end":
        return "here"
    return "to the right" if step.end >= step.start else "to the left"


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
            f'<rect x="{left}" y="4" width="{wide:.4g}" height="{HEIGHT - 8}" '
            f'fill="{UP if up else DOWN}"/>'
        )
        if not up:
            parts.append(_hatching(left, wide))
    if step.error:
        low, high = x(step.end - step.error), x(step.end + step.error)
        parts.append(f'<path d="M{low} {middle:g}H{high}M{low} 7v8M{high} 7v8" stroke="{INK}"/>')
    if after is not None:
        parts.append(f'<path d="M{x(after.start)} {HEIGHT - 4}v4" stroke="{INK}"/>')
    return "".join(parts)


def _hatching(left: float, wide: float) -> str:
    """White stripes across a bar: a direction that is read without colour."""
    return (
        f'<path d="M{left:g} {HEIGHT / 2:g}h{wide:.1f}" stroke="{PAPER}" '
        f'stroke-width="{HEIGHT - 8}" stroke-dasharray="2 4" stroke-dashoffset="-3"/>'
    )
