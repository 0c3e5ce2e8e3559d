"""What many explanations say together: for each word how strong, in which direction, how often."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from ecomtutor.errors import EcomTutorError
from ecomtutor.interpretability.explanation import Explanation

if TYPE_CHECKING:
    import pandas as pd


@dataclass
class _Seen:
    values: list[float] = field(default_factory=list)
    texts: set[int] = field(default_factory=set)


def summarise(
    explanations: Iterable[Explanation], output: str | int, *, at_least: int = 3
) -> "pd.DataFrame":
    """The words of many explained texts, the one with the largest mean |value| first.

    A word counts once for each place where it stands, without regard to capitals. A large
    `strength` gives no direction: read `mean` and `up` beside it.

    Args:
        explanations: of different texts, by one method, so that values can be compared.
        output: whose values, by name or number, the same output for all texts.
        at_least: leave out words that stand in fewer texts: their mean is an anecdote.

    Returns:
        A table with the index `word` and the columns strength (mean |value|), mean (mean value),
        up (share of places with a value above 0), places and texts (counts).

    Raises:
        EcomTutorError: no explanation came, or they are of different methods or outputs.

    Source:
        Lundberg and others (2020), From Local Explanations to Global Understanding.
    """
    import pandas as pd

    seen: dict[str, _Seen] = {}
    kinds: set[tuple[str, tuple[str, ...]]] = set()
    for number, explanation in enumerate(explanations):
        kinds.add((explanation.method, explanation.outputs))
        column = explanation.values[:, explanation.output(output)]
        for unit, value in zip(explanation.units.units, column, strict=True):
            word = seen.setdefault(unit.text.casefold(), _Seen())
            word.values.append(float(value))
            word.texts.add(number)
    if len(kinds) != 1:
        raise EcomTutorError(
            f"A summary is made of explanations by one method, of the same outputs; {len(kinds)} "
            "kinds came."
        )
    rows = [_row(name, word) for name, word in seen.items() if len(word.texts) >= at_least]
    columns = ["word", "strength", "mean", "up", "places", "texts"]
    table = pd.DataFrame(rows, columns=columns).set_index("word")
    return table.sort_values("strength", ascending=False, kind="stable")


def _row(name: str, word: _Seen) -> tuple[str, float, float, float, int, int]:
    values = np.array(word.values)
    up = float((values > 0).mean())
    return name, float(abs(values).mean()), float(values.mean()), up, len(values), len(word.texts)
