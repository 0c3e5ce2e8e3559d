"""The one engine under all methods: a text with some units hidden, scored once each.

Shapley values, LIME, deletion curves and all the others ask the same question many times: what
does the model say if only these units are there? A `Game` answers it.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from itertools import islice
from typing import Any, Literal

import numpy as np

from ecomtutor.errors import EcomTutorError
from ecomtutor.interpretability.doors import whole
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
    What was scored before an interrupt stays. Of a row only a digest is kept, so that the memory
    for an answer does not grow with the text.

    Raises:
        EcomTutorError: no such hiding, names that are no names, a token in two units.
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
        self.units, self.score = units, score
        self.remember = whole(remember, "remember")
        self.progress = progress
        self.outputs = _names(outputs)
        self.count = Count()
        self._known: dict[bytes, np.ndarray] = {}
        self._outputs = 0  # how many, once one row was scored
        self._substitute = _substitute(units, hiding)
        self._owner = _owners(units)

    def __len__(self) -> int:
        return len(self.units)

    def __call__(self, present: np.ndarray) -> np.ndarray:
        """Scores (coalitions, outputs) of coalitions (coalitions, units), true for what is there.

        Raises:
            EcomTutorError: another number of units, no coalition at all, or scores that are no
                finite numbers.
        """
        present = self._coalitions(present)
        keys, lengths = [], {}  # rows are made again when their turn comes: all would be many bytes
        for coalition in present:
            row = self.row(coalition)
            keys.append(blake2b(row.tobytes(), digest_size=16).digest())
            lengths[keys[-1]] = len(row)
        self.count.asked += len(keys)
        new = {key: i for i, key in enumerate(keys) if key not in self._known}
        answers = {key: self._known[key] for key in keys if key not in new}
        with self._bar(len(new)) as bar:
            for batch in _batches(sorted(new, key=lengths.__getitem__)):
                answers |= self._scored({key: self.row(present[new[key]]) for key in batch})
                bar.update(len(batch))
        return np.stack([answers[key] for key in keys])

    def _coalitions(self, present: np.ndarray) -> np.ndarray:
        try:
            present = np.atleast_2d(np.asarray(present, dtype=bool))
        except ValueError as error:
            raise EcomTutorError(f"Coalitions are an array (coalitions, units): {error}") from error
        if present.ndim != 2 or present.shape[1] != len(self) or not len(present):
            raise EcomTutorError(
                f"Each of one coalition or more says of {len(self)} units whether they are there; "
                f"an array {present.shape} came."
            )
        return present

    def row(self, present: np.ndarray) -> np.ndarray:
        """The token ids that the model gets to see for one coalition."""
        hidden = ~np.append(present, True)[self._owner]
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
        values = _numbers(self.score(list(rows.values())), len(rows))
        wide = {values.shape[1], self._outputs or values.shape[1]}
        if len(wide) > 1 or (self.outputs and wide != {len(self.outputs)}):
            raise EcomTutorError(
                f"The score has {values.shape[1]} outputs here; "
                + (f"names: {', '.join(self.outputs)}." if self.outputs else f"before: {min(wide)}")
            )
        self._outputs = values.shape[1]
        self.count.made += len(rows)
        answers = dict(zip(rows, values, strict=True))
        self._known |= answers
        for key in list(islice(self._known, max(0, len(self._known) - self.remember))):
            del self._known[key]
        return answers


def _substitute(units: Units, hiding: "Hiding | np.ndarray") -> np.ndarray | None:
    if isinstance(hiding, np.ndarray):
        if hiding.shape != units.ids.shape:
            raise EcomTutorError(
                f"A stand-in has one id for each of {len(units.ids)} tokens; {hiding.shape} came."
            )
        if hiding.dtype.kind not in "iu" or hiding.min(initial=0) < 0:
            raise EcomTutorError(
                f"A stand-in holds token ids, whole numbers from 0 on; {hiding!r:.60} came."
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


def _batches(ordered: Sequence[bytes]) -> Iterator[Sequence[bytes]]:
    """The keys of rows of like length together, ROWS_AT_ONCE at a time."""
    for start in range(0, len(ordered), ROWS_AT_ONCE):
        yield ordered[start : start + ROWS_AT_ONCE]


def _names(outputs: Sequence[str]) -> tuple[str, ...]:
    names = (outputs,) if isinstance(outputs, str) else tuple(outputs)
    if len(set(names)) < len(names) or not all(isinstance(name, str) for name in names):
        raise EcomTutorError(f"Each output has a name of its own, a text; {names!r:.80} came.")
    return names


def _owners(units: Units) -> np.ndarray:
    """For each token the number of its unit, and len(units), which is always there, for none."""
    owner = np.full(len(units.ids), len(units))
    for number, unit in enumerate(units.units):
        places = list(unit.tokens)
        if any(not 0 <= t < len(owner) or owner[t] != len(units) for t in places):
            raise EcomTutorError(
                f"Unit {number}, {unit.text!r:.40}, names tokens {places} of {len(owner)}: each "
                "token belongs to one unit at most, and is there."
            )
        owner[places] = number
    return owner


def _numbers(score: Any, rows: int) -> np.ndarray:
    """What a score gave, as numbers (rows, outputs)."""
    try:
        values = np.asarray(score)
        if values.dtype.kind == "c":
            raise ValueError("complex numbers")
        values = values.astype(np.float64)
    except (TypeError, ValueError) as error:
        raise EcomTutorError(
            f"The score of {rows} rows is an array ({rows}, outputs) of numbers; {error}."
        ) from error
    if values.ndim != 2 or len(values) != rows or not values.size or not np.isfinite(values).all():
        raise EcomTutorError(
            f"The score of {rows} rows is an array ({rows}, outputs) of finite numbers; shape "
            f"{values.shape} came, {np.isfinite(values).sum()} of them finite."
        )
    return values
