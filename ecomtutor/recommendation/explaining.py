"""Which past purchases moved a recommendation.

The engine of `ecomtutor.interpretability` hides parts of a text and asks again. Here the text is a
history: its units are past products, or types of product; a hidden unit's purchases never happened.
What the model learned from all households stays as it is. Any recommender can be asked.
"""

from collections.abc import Callable, Sequence
from inspect import signature
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from ecomtutor.errors import EcomTutorError
from ecomtutor.interpretability.doors import whole
from ecomtutor.interpretability.explain import METHODS
from ecomtutor.interpretability.explanation import Explanation
from ecomtutor.interpretability.game import Game
from ecomtutor.interpretability.trees import Cut, balanced
from ecomtutor.interpretability.units import Unit, Units
from ecomtutor.recommendation.base import Recommender
from ecomtutor.recommendation.baselines import DAYS_A_WEEK
from ecomtutor.recommendation.past import (
    By,
    history_of,
    labels,
    parts_of,
    ranks_of,
    shelves_of,
    with_only,
    without_each,
)
from ecomtutor.recommendation.purchases import Purchases

if TYPE_CHECKING:
    import pandas as pd

Of = Literal["score", "log-odds", "rank"]
Ask = Callable[[Purchases], "np.ndarray[Any, Any]"]

TOP = 40
JOINT = "; "


def explain_recommendation(
    recommender: Recommender,
    household: int,
    product_id: int | Sequence[int],
    by: By = "type",
    method: str = "owen",
    of: Of = "score",
    top: int = TOP,
    history: Purchases | None = None,
    **settings: Any,
) -> Explanation:
    """How much each past purchase moved the score of a product.

    Args:
        recommender: fitted.
        household: its id.
        product_id: the product to explain, or several, one output each.
        by: units are the "type"s that the household bought, or its single "product"s.
        method: one of `ecomtutor.interpretability.METHODS`: "owen" suits most histories, "exact"
            goes up to 16 units, "leave-one-out" costs least and promises no sum. Owen values take
            a history apart by department, category and type.
        of: "score" as the model gives it. "log-odds" of the product among all products, for a model
            whose scores are logits: moving all scores alike then moves nothing. "rank" is minus
            the binary logarithm of the rank in the catalogue, 1 for each halving: right for a model
            that scores candidates only, such as the hybrid, where a product that is no candidate
            any more falls off a cliff.
        top: how many units; those whose removal alone moves the answer most. The other purchases
            stay in every history, and their part is in `base`.
        history: another history of one household than the one that was learned.
        settings: what the method takes: `budget`, `orders`, `samples`, `seed` …

    Returns:
        An explanation whose units' tokens are places in `units.ids`, positions in the catalogue;
        `bars`, `waterfall` and `reasons` show it. `base` is the answer with every unit taken out.

    Raises:
        EcomTutorError: an unknown household, product, method or setting; an empty history.
    """
    _require(method, settings)
    past = history_of(recommender, household, history)
    targets = _targets(past, product_id)
    ask = _question(recommender, targets, of)
    units = _units(past, _strongest(past, parts_of(past, by), whole(top, "top", 1), ask))
    names = labels(past.products, targets)
    game = Game(units, lambda rows: ask(with_only(past, rows)), "delete", outputs=names)
    if method == "owen":
        settings = {"tree": _by_shelf(past, units), **settings}
    return METHODS[method](game, **settings)


def reasons(
    explanation: Explanation,
    history: Purchases,
    k: int = 5,
    output: "str | int | None" = None,
) -> "pd.DataFrame":
    """The k units that moved an output most, either way, in a shopkeeper's words.

    Args:
        explanation: of `explain_recommendation`.
        history: the one that was explained, for example `recommender.purchases.of([household])`.
        k: how many rows.
        output: name or number; None: the one that rose most from base.

    Returns:
        reason, purchases (lines), weeks_ago (of the latest), value.

    Raises:
        EcomTutorError: a history that lacks what was explained, no such output, k below 1.
    """
    import pandas as pd

    values = explanation.values[:, explanation.output(output)]
    product, day = (history.lines[name].to_numpy() for name in ("product", "day"))
    rows = []
    # Rounded, so that values equal but for the last bit keep the order of the shelves.
    for unit in np.argsort(-np.abs(values).round(6), kind="stable")[: whole(k, "k", 1)]:
        held = explanation.units.units[unit]
        days = day[np.isin(product, explanation.units.ids[list(held.tokens)])]
        if not len(days):
            raise EcomTutorError(f"The history that came holds no {held.text}: it is another one.")
        ago = round(float(history.now - days.max()) / DAYS_A_WEEK, 1)
        rows.append((held.text, len(days), ago, values[unit]))
    return pd.DataFrame(rows, columns=["reason", "purchases", "weeks_ago", "value"])


def _require(method: str, settings: dict[str, Any]) -> None:
    if method not in METHODS:
        raise EcomTutorError(f"method is one of {', '.join(METHODS)}; {method!r:.40} came.")
    own = [name for name in signature(METHODS[method]).parameters if name != "game"]
    if unknown := [name for name in settings if name not in own]:
        raise EcomTutorError(
            f"{method} has no setting {unknown[0]!r}; it has {', '.join(own) or 'none'}."
        )


def _targets(past: Purchases, product_id: int | Sequence[int]) -> "np.ndarray[Any, Any]":
    ids = list(product_id) if isinstance(product_id, Sequence | np.ndarray) else [product_id]
    if not ids or len(set(ids)) < len(ids):
        raise EcomTutorError(f"One product or several different ones are explained; {ids} came.")
    return np.array([past.product_at(one) for one in ids], dtype=np.int64)


def _question(recommender: Recommender, targets: "np.ndarray[Any, Any]", of: Of) -> Ask:
    """What is asked of histories: (households, targets), higher is better."""
    if of == "score":
        return lambda histories: recommender.score_products(histories, targets)
    if of == "log-odds":
        return lambda histories: _log_odds(recommender.score_histories(histories), targets)
    if of == "rank":
        return lambda histories: _log_ranks(recommender.score_histories(histories), targets)
    raise EcomTutorError(f"of is 'score', 'log-odds' or 'rank'; {of!r:.40} came.")


def _log_odds(
    scores: "np.ndarray[Any, Any]", targets: "np.ndarray[Any, Any]"
) -> "np.ndarray[Any, Any]":
    """A target's score minus the logarithm of the sum of all others' exponentials."""
    from scipy.special import logsumexp

    odds = []
    for target in targets:
        others = np.delete(scores, target, axis=1).astype(np.float64)
        odds.append(scores[:, target] - logsumexp(others, axis=1))
    return np.stack(odds, axis=1)


def _log_ranks(
    scores: "np.ndarray[Any, Any]", targets: "np.ndarray[Any, Any]"
) -> "np.ndarray[Any, Any]":
    nothing = np.zeros(scores.shape[1], dtype=bool)
    return -np.log2(np.stack([ranks_of(scores, target, nothing) for target in targets], axis=1))


def _strongest(
    past: Purchases, parts: "dict[str, np.ndarray[Any, Any]]", top: int, ask: Ask
) -> "dict[str, np.ndarray[Any, Any]]":
    """The parts whose removal alone moves the answer most, in their order."""
    if len(parts) <= top:
        return parts
    answers = np.concatenate([ask(some) for some in without_each(past, list(parts.values()))])
    moves = np.abs(answers - ask(past)).max(axis=1)
    chosen = set(np.argsort(-moves, kind="stable")[:top].tolist())
    return {name: part for at, (name, part) in enumerate(parts.items()) if at in chosen}


def _units(past: Purchases, parts: "dict[str, np.ndarray[Any, Any]]") -> Units:
    """A history as a text: its parts' names; the tokens are products, the rest in no unit."""
    units: list[Unit] = []
    start = first = 0
    for name, places in parts.items():
        tokens = tuple(range(first, first + len(places)))
        units.append(Unit(name, start, start + len(name), tokens))
        start, first = start + len(name) + len(JOINT), first + len(places)
    in_units = np.concatenate(list(parts.values()))
    others = np.setdiff1d(past.lines["product"].to_numpy(), in_units)
    # Nothing is masked or padded: hidden purchases are taken out.
    return Units(JOINT.join(parts), np.concatenate([in_units, others]), tuple(units), -1, -1)


def _by_shelf(past: Purchases, units: Units) -> Cut:
    """Cuts between departments first, then between categories, then between types."""
    shelves = shelves_of(past, units.ids[[unit.tokens[0] for unit in units.units]])
    changes = shelves[:, 1:] != shelves[:, :-1]  # (levels, units - 1)
    strength = np.where(changes.any(axis=0), changes.argmax(axis=0), len(shelves))

    def cut(start: int, end: int) -> int:
        inside = strength[start : end - 1]
        places = start + 1 + np.flatnonzero(inside == inside.min())
        return int(places[np.abs(places - balanced(start, end)).argmin()])

    return cut
