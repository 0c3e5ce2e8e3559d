"""Are the units that an explanation names the ones that the model used? Hide them, and see.

A figure of faithfulness means little by itself: in a short text any word that goes takes something
along. So each function here has a twin that does the same with rankings drawn at random.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from ecomtutor.errors import EcomTutorError
from ecomtutor.interpretability.doors import dice_of, whole
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


@dataclass(frozen=True)
class Curves:
    """An output while units go, and while they come, the first of a ranking first.

    deletion   (units + 1,): with none hidden, with the first hidden, …, with all hidden
    insertion  (units + 1,): with none shown, with the first alone, …, with all
    """

    deletion: np.ndarray
    insertion: np.ndarray

    def __len__(self) -> int:
        """How many units."""
        return len(self.deletion) - 1

    def falls(self, shares: Sequence[float] = SHARES) -> np.ndarray:
        """How far the output has fallen once each share of the units is hidden, (shares,)."""
        fallen: np.ndarray = self.deletion[0] - self.deletion[counts(len(self), shares)]
        return fallen

    def lacks(self, shares: Sequence[float] = SHARES) -> np.ndarray:
        """How much the output lacks of its full height when only each share is left, (shares,)."""
        lacking: np.ndarray = self.insertion[-1] - self.insertion[counts(len(self), shares)]
        return lacking


def counts(units: int, shares: Sequence[float] = SHARES) -> list[int]:
    """Units that each share comes to: one at least, for a word cannot be hidden by half.

    Raises:
        EcomTutorError: a share outside of 0 … 1, or none.
    """
    if not len(shares) or not all(0 <= share <= 1 for share in shares):
        raise EcomTutorError(f"Shares of the units lie between 0 and 1; {list(shares)} came.")
    return [min(units, max(1, round(share * units))) for share in shares]


def curves(game: Game, ranking: "Sequence[int] | np.ndarray", output: int) -> Curves:
    """The deletion and the insertion curve of a ranking: 2 · units rows.

    Args:
        game: the text and the model; let its outputs be probabilities.
        ranking: numbers of the units, the one said to matter most first.
        output: which output the ranking is about.

    Raises:
        EcomTutorError: the ranking does not name each unit once.

    Source:
        Samek et al. (2017), Evaluating the Visualization of What a Deep Neural Network Has Learned.
    """
    n, ranking = len(game), _ranking(game, ranking)
    place = np.empty(n, dtype=int)
    place[ranking] = np.arange(n)
    gone = place[None, :] < np.arange(n + 1)[:, None]  # (n + 1, n): the first k of the ranking
    return Curves(_of(game(~gone), output), _of(game(gone), output))


def falls(
    game: Game, ranking: "Sequence[int] | np.ndarray", output: int, shares: Sequence[float] = SHARES
) -> np.ndarray:
    """How far the output falls when each share of the units is hidden, (shares,); AOPC is the mean.

    The same as `curves(…).falls(shares)` for a few rows: one for each share and one for the text.
    """
    ranking = _ranking(game, ranking)
    there = np.ones((1 + len(shares), len(game)), dtype=bool)
    for row, many in zip(there[1:], counts(len(game), shares), strict=True):
        row[ranking[:many]] = False
    outputs = _of(game(there), output)
    fallen: np.ndarray = outputs[0] - outputs[1:]
    return fallen


def _ranking(game: Game, ranking: "Sequence[int] | np.ndarray") -> np.ndarray:
    ranking = np.asarray(ranking)
    if sorted(ranking.ravel().tolist()) != list(range(len(game))) or ranking.ndim != 1:
        raise EcomTutorError(
            f"A ranking names each of {len(game)} units once; {ranking.tolist()!r:.80} came."
        )
    return ranking


def _of(scores: np.ndarray, output: int) -> np.ndarray:
    """One output's column of scores (rows, outputs)."""
    column: np.ndarray = scores[:, whole(output, "The number of an output", 0, scores.shape[1] - 1)]
    return column


def random_falls(
    game: Game, output: int, shares: Sequence[float] = SHARES, rankings: int = 10, seed: int = 0
) -> np.ndarray:
    """The mean of `falls` over rankings without any knowledge, (shares,)."""
    whole(rankings, "rankings", 1)
    dice = dice_of(seed)
    drawn = [falls(game, dice.permutation(len(game)), output, shares) for _ in range(rankings)]
    mean: np.ndarray = np.mean(drawn, axis=0)
    return mean


def random_curves(game: Game, output: int, rankings: int = 10, seed: int = 0) -> Curves:
    """The mean curves of rankings without any knowledge."""
    whole(rankings, "rankings", 1)
    dice = dice_of(seed)
    drawn = [curves(game, dice.permutation(len(game)), output) for _ in range(rankings)]
    return Curves(
        np.mean([each.deletion for each in drawn], axis=0),
        np.mean([each.insertion for each in drawn], axis=0),
    )


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
    return _scored(curves(game, ranking, output), shares)


def random_faithfulness(game: Game, output: int, rankings: int = 10, seed: int = 0) -> Faithfulness:
    """What rankings without any knowledge come to, in the mean: the floor for every method."""
    return _scored(random_curves(game, output, rankings, seed), SHARES)


def _scored(drawn: Curves, shares: Sequence[float]) -> Faithfulness:
    width = 1 / len(drawn)
    return Faithfulness(
        float(drawn.falls(shares).mean()),
        float(drawn.lacks(shares).mean()),
        float(np.trapezoid(drawn.deletion, dx=width)),
        float(np.trapezoid(drawn.insertion, dx=width)),
    )


def rank_agreement(one: np.ndarray, other: np.ndarray) -> float:
    """Spearman's correlation of two methods' values of the same units: 1 same order, 0 unrelated.

    Where all values of one are equal there is no order, and the agreement is 0.
    """
    from scipy.stats import spearmanr

    one, other = np.asarray(one, dtype=float), np.asarray(other, dtype=float)
    if not np.isfinite(one).all() or not np.isfinite(other).all():
        raise EcomTutorError("Values that are NaN or infinite have no order to compare.")
    if one.shape != other.shape or one.ndim != 1 or len(one) < 2:
        raise EcomTutorError(
            f"Two values or more for each of the same units are wanted; {one.shape} and "
            f"{other.shape} came."
        )
    if np.ptp(one) == 0 or np.ptp(other) == 0:
        return 0.0
    return float(spearmanr(one, other).statistic)


def agreement_matrix(values: Sequence[np.ndarray]) -> np.ndarray:
    """How alike several methods rank the same units, (methods, methods), 1 on the diagonal.

    Methods that agree may agree on a mistake: this compares them with each other, not with truth.

    Args:
        values: for each method, (units,).
    """
    many = len(values)
    alike = np.eye(many)
    for i, j in combinations(range(many), 2):
        alike[i, j] = alike[j, i] = rank_agreement(values[i], values[j])
    return alike


def stability(values: Sequence[np.ndarray]) -> float:
    """How alike a method ranks the units when only its seed changes: mean over all pairs of runs.

    1 says that the seed is no matter; a ranking drawn at random comes to 0.

    Args:
        values: for each run, (units,); two runs at least.
    """
    if len(values) < 2:
        raise EcomTutorError(f"Stability compares two runs or more; {len(values)} came.")
    pairs = combinations(values, 2)
    return float(np.mean([rank_agreement(one, other) for one, other in pairs]))
