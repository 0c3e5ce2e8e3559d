"""Shapley values of a text's units: exact, by a tree (Owen), by sampling, by regression."""

from dataclasses import dataclass
from itertools import combinations
from math import comb

import numpy as np

from ecomtutor.errors import EcomTutorError
from ecomtutor.interpretability.doors import dice_of
from ecomtutor.interpretability.doors import whole as whole_number
from ecomtutor.interpretability.explanation import Explanation, explained
from ecomtutor.interpretability.game import Game
from ecomtutor.interpretability.trees import Cut, Tree, cut_of

EXACT_AT_MOST = 16


def exact_shapley(game: Game) -> Explanation:
    """The mean of what a unit adds, over all orders in which units could arrive: 2^n rows.

    Raises:
        EcomTutorError: more than 16 units, 65,536 rows.

    Source:
        Shapley (1953), A value for n-person games.
    """
    n = len(game)
    if n > EXACT_AT_MOST:
        many = f"{2**n:.0e}" if n < 1000 else f"2^{n}"  # beyond the largest float
        raise EcomTutorError(
            f"{n} units have {many} coalitions; exact values go to {EXACT_AT_MOST} units. Take "
            "owen_values or sampled_shapley."
        )
    asked, made = game.count.asked, game.count.made
    present = (np.arange(2**n)[:, None] >> np.arange(n)) & 1 == 1  # (2^n, n)
    worth = game(present)  # (2^n, outputs)
    size = present.sum(axis=1)
    values = np.zeros((n, worth.shape[1]))
    for unit in range(n):
        without = np.flatnonzero(~present[:, unit])
        weight = 1 / (n * np.array([comb(n - 1, s) for s in size[without]]))
        values[unit] = weight @ (worth[without | (1 << unit)] - worth[without])
    return explained(game, values, "exact Shapley", asked, made, adds_up=True, resolved=n)


def sampled_shapley(game: Game, orders: int = 50, seed: int = 0) -> Explanation:
    """Shapley values from random orders of arrival, each taken forwards and backwards.

    Args:
        game: the text and the model.
        orders: how many pairs of orders; each costs about 2 · units rows.
        seed: draws the orders.

    Returns:
        Values that add up exactly, with the standard error of each.

    Source:
        Castro, Gómez and Tejada (2009); Mitchell et al. (2022) for pairs of opposite orders.
    """
    whole_number(orders, "A standard error needs pairs: orders", 2)
    n, dice = len(game), dice_of(seed)
    asked, made = game.count.asked, game.count.made
    forwards = [dice.permutation(n) for _ in range(orders)]
    arrivals = [_arrivals(order) for pair in forwards for order in (pair, pair[::-1])]
    worth = game(np.concatenate(arrivals)).reshape(2 * orders, n + 1, -1)
    gains = np.empty((orders, n, worth.shape[2]))
    for i, order in enumerate(forwards):
        there, back = np.diff(worth[2 * i], axis=0), np.diff(worth[2 * i + 1], axis=0)
        gains[i, order] = (there + back[::-1]) / 2
    errors = gains.std(axis=0, ddof=1) / np.sqrt(orders)
    return explained(
        game,
        gains.mean(axis=0),
        "sampled Shapley",
        asked,
        made,
        adds_up=True,
        errors=errors,
        settings={"orders": orders, "seed": seed},
    )


def kernel_shap(game: Game, samples: int = 500, seed: int = 0) -> Explanation:
    """Shapley values as a weighted regression on coalitions, sizes near 0 and n first.

    Sizes whose coalitions all fit into the budget are taken whole, with their complements; the
    rest of the budget is drawn. With all 2^n coalitions the values are exact.

    Args:
        game: the text and the model.
        samples: how many coalitions, besides the empty and the full one.
        seed: draws them.

    Source:
        Lundberg and Lee (2017), A Unified Approach to Interpreting Model Predictions, theorem 2.
    """
    n, dice = len(game), dice_of(seed)
    if whole_number(samples, "samples") < 2 * n and samples < 2**n - 2:
        raise EcomTutorError(
            f"{n} units need {2 * n} samples or more, singles and complements; {samples} came."
        )
    asked, made = game.count.asked, game.count.made
    base, full = game.empty, game.full
    if n == 1:
        return explained(game, (full - base)[None], "Kernel SHAP", asked, made, adds_up=True)
    present, weight = _weighted_coalitions(n, samples, dice)
    # The last unit takes what is left of full - base: the sum holds exactly.
    design = (present[:, :-1].astype(float) - present[:, -1:]) * np.sqrt(weight)[:, None]
    target = game(present) - base - present[:, -1:] * (full - base)
    solved = np.linalg.lstsq(design, target * np.sqrt(weight)[:, None], rcond=None)[0]
    values = np.concatenate([solved, [full - base - solved.sum(axis=0)]])
    settings = {"samples": len(present), "seed": seed}
    return explained(game, values, "Kernel SHAP", asked, made, adds_up=True, settings=settings)


def owen_values(
    game: Game, budget: int | None = None, tree: "Tree | Cut" = "balanced"
) -> Explanation:
    """Shapley values in which units come together as a tree says: halves, quarters, and so on.

    Each split shares a group's credit between its two parts, once with and once without the
    neighbouring group there. Where the budget ends, the rest of a group's credit is spread evenly
    over its units, and `resolved` says how many units did not suffer that.

    Args:
        game: the text and the model.
        budget: how many rows may be asked for, two at least, with everything hidden and with
            nothing; None: as many as it takes, about 2/3 · n² on a balanced tree, more on a
            lopsided one.
        tree: "balanced"; "punctuation", which cuts at sentence ends, then at commas, then in
            halves; or a rule (start, end) → place where the units start … end - 1 are cut.

    Source:
        Owen (1977), Values of games with a priori unions; Lundberg's partition explainer (shap)
        for the use on texts.
    """
    n = len(game)
    if budget is not None:
        whole_number(budget, "budget", 2)
    asked, made = game.count.asked, game.count.made
    base, full = game.empty, game.full
    cut = cut_of(game.units, tree)
    values, whole = np.zeros((n, len(base))), np.ones(n, dtype=bool)
    level, spent = [_Group(0, n, np.zeros(n, dtype=bool), base, full, 1.0)], 2
    while level:
        level.sort(key=lambda group: -group.stake)
        splits = []
        for group in level:
            if group.end - group.start == 1:
                values[group.start] += group.weight * (group.after - group.before)
            elif budget is None or spent + 2 <= budget:
                splits.append(group)
                spent += 2
            else:
                values[group.start : group.end] += group.share
                whole[group.start : group.end] = False
        level = _halves(game, splits, cut)
    settings = {"budget": budget, "tree": tree if isinstance(tree, str) else "own rule"}
    return explained(
        game, values, "Owen values", asked, made, True, resolved=int(whole.sum()), settings=settings
    )


@dataclass(frozen=True)
class _Group:
    """Units start … end - 1 that come together, in one context of others.

    context (units,) says who is there besides; before and after (outputs,) are the worths without
    and with the group; weight is the context's share of all contexts.
    """

    start: int
    end: int
    context: np.ndarray
    before: np.ndarray
    after: np.ndarray
    weight: float

    @property
    def stake(self) -> float:
        """How much credit would be blurred if the group were not split."""
        return self.weight * float(np.abs(self.after - self.before).max())

    @property
    def share(self) -> np.ndarray:
        """The credit of each unit if all get the same."""
        share: np.ndarray = self.weight * (self.after - self.before) / (self.end - self.start)
        return share


def _halves(game: Game, groups: list[_Group], cut: Cut) -> list[_Group]:
    """Both parts of each group, each once without and once with the other one there."""
    if not groups:
        return []
    parts = [(g.start, cut(g.start, g.end), g.end) for g in groups]
    with_left = np.stack([g.context for g in groups])
    with_right = with_left.copy()
    for i, (start, middle, end) in enumerate(parts):
        with_left[i, start:middle] = with_right[i, middle:end] = True
    worth = game(np.concatenate([with_left, with_right]))
    halves = []
    for i, (g, (start, middle, end)) in enumerate(zip(groups, parts, strict=True)):
        left, right, weight = worth[i], worth[len(groups) + i], g.weight / 2
        halves += [
            _Group(start, middle, g.context, g.before, left, weight),
            _Group(start, middle, with_right[i], right, g.after, weight),
            _Group(middle, end, g.context, g.before, right, weight),
            _Group(middle, end, with_left[i], left, g.after, weight),
        ]
    return halves


def _arrivals(order: np.ndarray) -> np.ndarray:
    """Coalitions (n + 1, n): nobody, then one unit more at a time, in this order."""
    place = np.empty(len(order), dtype=int)
    place[order] = np.arange(len(order))
    present: np.ndarray = place[None, :] < np.arange(len(order) + 1)[:, None]
    return present


def _weighted_coalitions(
    n: int, samples: int, dice: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Coalitions (rows, n) and their weights: whole sizes while they fit, then drawn ones."""
    present: list[np.ndarray] = []
    weights: list[float] = []
    kernel = {s: (n - 1) / (s * (n - s)) for s in range(1, n)}  # of a size, all its coalitions
    left = samples
    for size in range(1, n // 2 + 1):
        pair = {size, n - size}
        count = sum(comb(n, s) for s in pair)
        if count > left:
            break
        for s in pair:
            for chosen in combinations(range(n), s):
                row = np.zeros(n, dtype=bool)
                row[list(chosen)] = True
                present.append(row)
                weights.append(kernel[s] / comb(n, s))
            del kernel[s]
        left -= count
    if kernel and left > 1:
        sizes = np.array(list(kernel))
        chances = np.array([kernel[s] for s in sizes])
        for size in dice.choice(sizes, left // 2, p=chances / chances.sum()):
            row = np.zeros(n, dtype=bool)
            row[dice.choice(n, size, replace=False)] = True
            present += [row, ~row]
            weights += [chances.sum() / (left // 2 * 2)] * 2
    return np.array(present), np.array(weights)
