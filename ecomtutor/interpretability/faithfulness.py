"""Are the units that an explanation names the ones that the model used? Hide them, and see."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ecomtutor.errors import EcomTutorError
from ecomtutor.interpretability.game import Game

SHARES = (0.01, 0.05, 0.1, 0.2, 0.5)


@dataclass(frozen=True)
class Faithfulness:
    """Figures of one ranking of units, for one output.

    comprehensiveness   mean fall of the output when the first 1, 5, 10, 20, 50 % are hidden:
                        large is good. Also called AOPC
    sufficiency         mean fall when only they are left: small is good
    deletion, insertion areas under the output while units are hidden, or shown, first to last
    """

    comprehensiveness: float
    sufficiency: float
    deletion: float
    insertion: float


def faithfulness(
    game: Game, ranking: "Sequence[int] | np.ndarray", output: int, shares: Sequence[float] = SHARES
) -> Faithfulness:
    """Score a ranking of the units by what hiding them in its order does.

    Args:
        game: the text and the model; let its outputs be probabilities.
        ranking: numbers of the units, the one said to matter most first.
        output: which output the ranking is about.
        shares: of the units that are hidden; at least one unit is.

    Raises:
        EcomTutorError: the ranking does not name each unit once.

    Source:
        DeYoung et al. (2020), ERASER; Samek et al. (2017) for the curves.
    """
    n, ranking = len(game), np.asarray(ranking)
    if sorted(ranking.tolist()) != list(range(n)):
        raise EcomTutorError(f"A ranking names each of {n} units once; {ranking.tolist()} came.")
    place = np.empty(n, dtype=int)
    place[ranking] = np.arange(n)
    gone = place[None, :] < np.arange(n + 1)[:, None]  # (n + 1, n): the first k of the ranking
    hidden, shown = game(~gone)[:, output], game(gone)[:, output]
    many = [min(n, max(1, round(share * n))) for share in shares]
    return Faithfulness(
        float(np.mean([hidden[0] - hidden[k] for k in many])),
        float(np.mean([shown[n] - shown[k] for k in many])),
        float(np.trapezoid(hidden, dx=1 / n)),
        float(np.trapezoid(shown, dx=1 / n)),
    )


def random_faithfulness(game: Game, output: int, rankings: int = 10, seed: int = 0) -> Faithfulness:
    """What rankings without any knowledge come to, in the mean: the floor for every method."""
    dice = np.random.default_rng(seed)
    drawn = [faithfulness(game, dice.permutation(len(game)), output) for _ in range(rankings)]
    names = Faithfulness.__dataclass_fields__
    return Faithfulness(*(float(np.mean([getattr(one, name) for one in drawn])) for name in names))


def rank_agreement(one: np.ndarray, other: np.ndarray) -> float:
    """Spearman's correlation of two methods' values of the same units: 1 same order, 0 unrelated.

    Where all values of one are equal there is no order, and the agreement is 0.
    """
    from scipy.stats import spearmanr

    if one.shape != other.shape or one.ndim != 1 or len(one) < 2:
        raise EcomTutorError(
            f"Two values or more for each of the same units are wanted; {one.shape} and "
            f"{other.shape} came."
        )
    if np.ptp(one) == 0 or np.ptp(other) == 0:
        return 0.0
    return float(spearmanr(one, other).statistic)
