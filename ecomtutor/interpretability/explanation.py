"""What every method returns: how much each unit moved what the model says."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from ecomtutor.errors import EcomTutorError
from ecomtutor.interpretability.units import Units

if TYPE_CHECKING:
    from ecomtutor.interpretability.game import Game


@dataclass(frozen=True)
class Explanation:
    """A text explained.

    values             (units, outputs): how much each unit moved each output, up or down
    base               (outputs,): what the model says with every unit hidden
    full               (outputs,): what it says of the whole text
    errors             (units, outputs): standard errors, where the method draws at random
    method, settings   how it was made; settings holds the seed where there is one
    asked, made        coalitions asked for, and rows that the model scored
    adds_up            whether the method promises base + sum of values = full
    resolved           units that have a value of their own, not a share of a group's
    outputs            the outputs' names, such as the labels of a classifier
    signed             whether the values say up or down; weights of attention only say how much
    """

    units: Units
    values: np.ndarray
    base: np.ndarray
    full: np.ndarray
    method: str
    asked: int
    made: int
    adds_up: bool
    errors: np.ndarray | None = None
    resolved: int | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    outputs: tuple[str, ...] = ()
    signed: bool = True

    def __post_init__(self) -> None:
        if self.values.ndim != 2:
            raise EcomTutorError(f"Values are (units, outputs); {self.values.shape} came.")
        names = self.outputs or tuple(f"output {i}" for i in range(self.values.shape[1]))
        object.__setattr__(self, "outputs", tuple(names))
        shape = (len(self.units), len(names))
        came = {"values": self.values, "base": self.base[None], "full": self.full[None]}
        wanted = {"values": shape, "base": (1, shape[1]), "full": (1, shape[1])}
        if self.errors is not None:
            came["errors"], wanted["errors"] = self.errors, shape
        wrong = [name for name in came if came[name].shape != wanted[name]]
        if wrong:
            raise EcomTutorError(
                f"An explanation of {shape[0]} units and {shape[1]} outputs "
                f"({', '.join(names)}) has values {shape}; {', '.join(wrong)} of another shape "
                "came."
            )

    def output(self, name: "str | int | None" = None) -> int:
        """The number of an output by name or number; None: the one that rose most from base.

        Raises:
            EcomTutorError: no output of that name or number.
        """
        if name is None:
            return int((self.full - self.base).argmax())
        if isinstance(name, str) and name in self.outputs:
            return self.outputs.index(name)
        if isinstance(name, int | np.integer) and 0 <= name < len(self.outputs):
            return int(name)
        raise EcomTutorError(f"There is no output {name!r} among {', '.join(self.outputs)}.")

    @property
    def gap(self) -> np.ndarray:
        """What the values leave unexplained of full - base, shape (outputs,)."""
        gap: np.ndarray = self.full - self.base - self.values.sum(axis=0)
        return gap

    def ranking(self, output: "str | int | None" = None) -> np.ndarray:
        """Numbers of the units, the one that moved this output up most first."""
        return np.argsort(-self.values[:, self.output(output)], kind="stable")

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        # Imported here: rendering stands above explanations, and draws them where one is shown.
        from ecomtutor.interpretability.rendering import heat_text

        return heat_text(self)._repr_mimebundle_()

    def __str__(self) -> str:
        known = self.resolved is not None
        share = f", {self.resolved} of {len(self.units)} units resolved" if known else ""
        end = ", the text's end not read" if self.units.unread else ""
        return f"{self.method}: {len(self.units)} units, {self.made} rows scored{share}{end}"


def explained(
    game: "Game",
    values: np.ndarray,
    method: str,
    asked: int,
    made: int,
    adds_up: bool,
    **more: Any,
) -> Explanation:
    """The explanation with what it cost since the game had been asked and had made so many rows."""
    base, full = game.empty, game.full
    spent = game.count.asked - asked - 2, game.count.made - made
    more = {"outputs": game.outputs} | more
    return Explanation(game.units, values, base, full, method, *spent, adds_up, **more)
