"""What the rooms of this package ask of settings before they start: whole numbers and seeds."""

from numbers import Integral

import numpy as np

from ecomtutor.errors import EcomTutorError


def whole(value: object, name: str, least: int = 0, most: int | None = None) -> int:
    """`value` itself, if it is a whole number within its bounds.

    Raises:
        EcomTutorError: a fraction, a number outside of least … most, or no number.
    """
    if isinstance(value, Integral) and not isinstance(value, bool):
        number = int(value)
        if number >= least and (most is None or number <= most):
            return number
    reach = f"{least} or more" if most is None else f"{least} … {most}"
    raise EcomTutorError(f"{name} is a whole number, {reach}; {value!r:.60} came.")


def dice_of(seed: object) -> np.random.Generator:
    """The generator of a seed. None is refused: nobody could repeat what it draws.

    Raises:
        EcomTutorError: a seed that is no whole number or below 0.
    """
    return np.random.default_rng(whole(seed, "seed"))
