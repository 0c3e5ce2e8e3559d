"""The text itself, tinted and underlined by what each of its units did."""

from collections.abc import Sequence

from ecomtutor.errors import EcomTutorError
from ecomtutor.interpretability.explanation import Explanation
from ecomtutor.interpretability.rendering.picture import (
    DOWN,
    GREY,
    UP,
    Picture,
    escaped,
    paper,
    signed,
    tint,
)
from ecomtutor.interpretability.rendering.shown import NO_DIRECTION, Shown, shown
from ecomtutor.interpretability.units import Units

NUMBERED = 8  # units or blocks that carry their number in the text
_DARKEST = 0.55  # the tint of the strongest unit: ink still reads on it
_FAINTEST = 0.04  # of the strongest: below it a unit is left plain
_UNREAD = "The grey end is not read by the model."


def heat_text(explanation: Explanation, output: "str | int | None" = None) -> Picture:
    """The text with each unit tinted by how far it moved an output.

    Up is blue over a solid line, down is orange over a dotted one; the strongest carry their
    numbers. Neighbours that share one value, because a budget ended, are one block.

    Args:
        explanation: of any method.
        output: name or number; None: the one that rose most from base.

    Raises:
        EcomTutorError: no such output.
    """
    what = shown(explanation, output)
    body = what.heading + _text(what) + _legend(what) + what.table
    return Picture(paper(body, what.words.split("\n", 1)[0]), what.words)


def compare(explanations: Sequence[Explanation], output: "str | int | None" = None) -> Picture:
    """Several methods' heat texts of one text under one another, each on its own scale.

    Args:
        explanations: one or more, of the same text and the same model.
        output: name or number; None: the one that rose most from base in the first.

    Raises:
        EcomTutorError: none came, or they are of different texts or outputs.
    """
    if isinstance(explanations, Explanation) or not explanations:
        raise EcomTutorError("There is nothing to compare: give a list of explanations.")
    first = explanations[0]
    if any((e.units.text, e.outputs) != (first.units.text, first.outputs) for e in explanations):
        raise EcomTutorError("Explanations of one text with the same outputs are compared.")
    number = first.output(output)
    views = [shown(explanation, number) for explanation in explanations]
    parts = [view.heading + _text(view) + f"<div>{view.cost}</div>" for view in views]
    line = '<hr style="margin:8px 0;border:none;border-top:1px solid #8894a0">'
    tables = "".join(view.table for view in views)
    words = "\n\n".join(view.words for view in views)
    key = f"<div>{' '.join(dict.fromkeys(map(_key, views)))} Each text has its own scale.</div>"
    label = f"{len(views)} explanations of one text for {views[0].name}"
    return Picture(paper(line.join(parts) + line + key + tables, label), words)


def _text(what: Shown) -> str:
    units, whole, place = what.explanation.units.units, what.explanation.units.text, 0
    loud = set(sorted(what.runs, key=lambda run: -abs(what.values[run[0]]).round(6))[:NUMBERED])
    parts = []
    for run in what.runs:
        start, end = units[run[0]].start, units[run[1] - 1].end
        text = _lines(whole[start:end])
        parts += [_lines(whole[place:start]), _marked(what, run, text, run in loud)]
        place = end
    rest = _lines(whole[place:])
    grey = f'<span style="color:{GREY}" title="{_UNREAD}">{rest}</span>'
    parts.append(grey if _has_unread(what.explanation.units) else rest)
    style = "font-size:16px;line-height:2.1;margin:6px 0;overflow-wrap:break-word"
    return f'<div style="{style}">{"".join(parts)}</div>'


def _marked(what: Shown, run: tuple[int, int], text: str, numbered: bool) -> str:
    value, many = float(what.values[run[0]]), run[1] - run[0]
    share = abs(value) / what.strongest
    if share < _FAINTEST:
        return text
    colour, line = (UP, "solid") if value > 0 else (DOWN, "dotted")
    style = (
        f"background-color:{tint(colour, _DARKEST * share)};"
        f"border-bottom:{1 + round(2 * share)}px {line} {colour}"
    )
    said = signed(value, what.decimals) + (f" each of {many}" if many > 1 else "")
    number = f'<sub style="font-size:10px;white-space:nowrap">{said}</sub>' if numbered else ""
    return f'<span style="{style}" title="{said}">{text}{number}</span>'


def _lines(text: str) -> str:
    return escaped(text).replace("\n", "<br>")


def _legend(what: Shown) -> str:
    note = f" {_UNREAD}" if _has_unread(what.explanation.units) else ""
    return f"<div>{_key(what)} {what.cost}{note}</div>"


def _has_unread(units: Units) -> bool:
    """Whether text stands behind the last unit."""
    return bool(units.unread)


def _key(what: Shown) -> str:
    if not what.explanation.signed:
        return f"{_swatch(UP, 'solid', '+ carries weight')} {NO_DIRECTION}"
    up = _swatch(UP, "solid", f"+ moves {escaped(what.name)} up")
    return f"{up} {_swatch(DOWN, 'dotted', '− moves it down')}"


def _swatch(colour: str, line: str, words: str) -> str:
    style = f"background-color:{tint(colour, 0.3)};border-bottom:3px {line} {colour}"
    return f'<span style="{style}">{words}</span>'
