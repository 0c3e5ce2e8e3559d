"""The one engine under all methods: a text with some units hidden, scored once each.

Shapley values, LIME, deletion curves and all the others ask the same question many times: what
does the model say if only these units are there? A `Game` answers it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from ecomtutor.errors import EcomTutorError
from ecomtutor.interpretability.units import Units

Score = Callable[[list[np.ndarray]], np.ndarray]
Hiding = Literal["mask", "delete", "pad"]
ROWS_AT_ONCE = 256
PATIENCE = 2.0  # seconds without a bar


@dataclass
class Count:
    """Coalitions that were asked for, and rows that the model really had to score."""

    asked: int = 0
    made: int = 0

    @property
    def hit_rate(self) -> float:
        """The share of questions that were answered without the model."""
        return 1 - self.made / self.asked if self.asked else 0.0


class Game:
    """The units are the players, and what the model says of those that are there is the worth.

    Args:
        units: the text.
        score: from a list of token-id rows, each (tokens,), to an array (rows, outputs): class
            logits, span scores, the next token's, whatever is to be explained. It batches by
            itself or takes up to `ROWS_AT_ONCE` rows at a time.
        hiding: hidden tokens become "mask" tokens or "pad" tokens, or are taken out ("delete");
            or an array (tokens,) of ids that stand in for them.
        outputs: the outputs' names, such as a classifier's labels; unless given, numbers.
        remember: how many answers are kept, the oldest leave first.
        progress: show a bar (on stderr) whenever one question takes more than two seconds.

    The same row is never scored twice while it is remembered, whichever coalition it came from.
    What was scored before an interrupt stays.
    """

    def __init__(
        self,
        units: Units,
        score: Score,
        hiding: "Hiding | np.ndarray" = "mask",
        *,
        outputs: Sequence[str] = (),
        remember: int = 200_000,
        progress: bool = False,
    ):
        self.units, self.score, self.remember = units, score, remember
        self.progress = progress
        self.outputs = tuple(outputs)
        self.count = Count()
        self._known: dict[bytes, np.ndarray] = {}
        self._substitute = _substitute(units, hiding)
        # owns[u, t]: unit u owns token t.
        self._owns = np.zeros((len(units), len(units.ids)), dtype=bool)
        for u, unit in enumerate(units.units):
            self._owns[u, list(unit.tokens)] = True

    def __len__(self) -> int:
        return len(self.units)

    def __call__(self, present: np.ndarray) -> np.ndarray:
        """Scores (coalitions, outputs) of coalitions (coalitions, units), true for what is there.

        Raises:
            EcomTutorError: another number of units, or scores that are no finite numbers.
        """
        present = np.atleast_2d(np.asarray(present, dtype=bool))
        if present.shape[1] != len(self):
            raise EcomTutorError(
                f"Each coalition says of {len(self)} units whether they are there; "
                f"{present.shape[1]} came."
            )
        rows = [self.row(coalition) for coalition in present]
        keys = [row.tobytes() for row in rows]
        self.count.asked += len(keys)
        new = {key: row for key, row in zip(keys, rows, strict=True) if key not in self._known}
        answers = {key: self._known[key] for key in keys if key not in new}
        with self._bar(len(new)) as bar:
            for batch in _batches(new):
                answers |= self._scored(batch)
                bar.update(len(batch))
        return np.stack([answers[key] for key in keys])

    def row(self, present: np.ndarray) -> np.ndarray:
        """The token ids that the model gets to see for one coalition."""
        hidden = (~present) @ self._owns
        if self._substitute is None:
            return self.units.ids[~hidden]
        return np.where(hidden, self._substitute, self.units.ids)

    @property
    def full(self) -> np.ndarray:
        """What the model says of the whole text, shape (outputs,)."""
        answer: np.ndarray = self(np.ones(len(self), dtype=bool))[0]
        return answer

    @property
    def empty(self) -> np.ndarray:
        """What it says when every unit is hidden, shape (outputs,)."""
        answer: np.ndarray = self(np.zeros(len(self), dtype=bool))[0]
        return answer

    def _bar(self, rows: int) -> Any:
        """A bar for so many rows, drawn only if they take longer than a reader likes to wait."""
        from tqdm.auto import tqdm

        quiet = not self.progress or rows <= ROWS_AT_ONCE
        return tqdm(total=rows, unit="row", delay=PATIENCE, leave=False, disable=quiet)

    def _scored(self, rows: dict[bytes, np.ndarray]) -> dict[bytes, np.ndarray]:
        values = np.asarray(self.score(list(rows.values())), dtype=np.float64)
        if values.shape[:1] != (len(rows),) or values.ndim != 2 or not np.isfinite(values).all():
            raise EcomTutorError(
                f"The score of {len(rows)} rows is an array ({len(rows)}, outputs) of finite "
                f"numbers; shape {values.shape} came, {np.isfinite(values).sum()} of them finite."
            )
        self.count.made += len(rows)
        answers = dict(zip(rows, values, strict=True))
        self._known |= answers
        for key in list(self._known)[: max(0, len(self._known) - self.remember)]:
            del self._known[key]
        return answers


def _substitute(units: Units, hiding: "Hiding | np.ndarray") -> np.ndarray | None:
    if isinstance(hiding, np.ndarray):
        if hiding.shape != units.ids.shape:
            raise EcomTutorError(
                f"A stand-in has one id for each of {len(units.ids)} tokens; {hiding.shape} came."
            )
        return hiding.astype(np.int64)
    if hiding == "delete":
        return None
    if hiding not in ("mask", "pad"):
        raise EcomTutorError(
            f"hiding is 'mask', 'delete', 'pad' or an array of ids; {hiding!r} came."
        )
    filler = units.mask_id if hiding == "mask" else units.pad_id
    return np.full(len(units.ids), filler, dtype=np.int64)


def _batches(rows: dict[bytes, np.ndarray]) -> "Sequence[dict[bytes, np.ndarray]]":
    """Rows of like length together, ROWS_AT_ONCE at a time."""
    ordered = sorted(rows.items(), key=lambda item: len(item[1]))
    cuts = range(0, len(ordered), ROWS_AT_ONCE)
    return [dict(ordered[start : start + ROWS_AT_ONCE]) for start in cuts]
