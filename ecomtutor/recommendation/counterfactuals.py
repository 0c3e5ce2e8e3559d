"""Where a recommendation would stand if some past purchases had never happened."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from ecomtutor.errors import EcomTutorError
from ecomtutor.recommendation.base import Recommender, excluded
from ecomtutor.recommendation.past import (
    SHELVES,
    By,
    history_of,
    labels,
    parts_of,
    ranks_of,
    shelves_of,
    without_each,
)
from ecomtutor.recommendation.purchases import Purchases

if TYPE_CHECKING:
    import pandas as pd

Language = Literal["en", "zh"]
NAMED = 3  # products that a sentence names

_SENTENCES = {
    "en": {
        "without": "Without {} in the history ({} purchase{}), “{}” ",
        "others": " and {} other product{}",
        "falls": "drops from rank {before:,} to rank {after:,}.",
        "rises": "rises from rank {before:,} to rank {after:,}.",
        "stays": "stays at rank {after:,}.",
        "join": ", ",
        "many": "s",
    },
    "zh": {
        "without": "若历史记录中没有{}（{}次购买{}），“{}”",
        "others": "等，另有{}种商品{}",
        "falls": "从第{before:,}名降到第{after:,}名。",
        "rises": "从第{before:,}名升到第{after:,}名。",
        "stays": "仍排第{after:,}名。",
        "join": "、",
        "many": "",
    },
}


@dataclass(frozen=True)
class Counterfactual:
    """A product's place before and after some purchases are taken out of a history.

    product       its name
    without       names of what is taken out: products, or one shelf
    purchases     lines that this takes out
    rank_…        from 1, in the catalogue without what is excluded
    score_…       the model's
    """

    product: str
    without: tuple[str, ...]
    purchases: int
    rank_before: int
    rank_after: int
    score_before: float
    score_after: float

    def in_words(self, language: Language = "en") -> str:
        """One sentence, "en" or "zh". Raises `EcomTutorError` for another language."""
        if language not in _SENTENCES:
            raise EcomTutorError(f"Sentences are in 'en' or 'zh'; {language!r:.40} came.")
        say = _SENTENCES[language]
        what = say["join"].join(f"“{name}”" for name in self.without[:NAMED])
        rest = len(self.without) - NAMED
        if rest > 0:
            what += say["others"].format(rest, "" if rest == 1 else say["many"])
        many = "" if self.purchases == 1 else say["many"]
        fall = self.rank_after - self.rank_before
        move = say["falls" if fall > 0 else "rises" if fall < 0 else "stays"]
        return say["without"].format(what, self.purchases, many, self.product) + move.format(
            before=self.rank_before, after=self.rank_after
        )

    def __str__(self) -> str:
        return self.in_words()


def counterfactual(
    recommender: Recommender,
    household: int,
    product_id: int,
    without: "str | int | Iterable[int]",
    exclude: "Iterable[int] | str" = (),
    history: Purchases | None = None,
) -> Counterfactual:
    """Where a product would stand if some purchases had never happened.

    Args:
        recommender: fitted; what it learned from all households stays as it is.
        household: its id.
        product_id: the product whose rank is asked for.
        without: product ids of the history, or the name of a type, category or department.
        exclude: products that are not in the list, as for `Recommender.recommend`. "bought" means
            bought in the whole history, before and after alike.
        history: another history of one household than the one that was learned.

    Raises:
        EcomTutorError: an unknown household or product; nothing in the history answers to
            `without`; the product itself is excluded.
    """
    past = history_of(recommender, household, history)
    gone, names = _gone(past, without)
    ranks, scores = _standings(recommender, past, [_NOTHING, gone], product_id, exclude)
    return Counterfactual(
        product=labels(past.products, np.array([past.product_at(product_id)]))[0],
        without=names,
        purchases=int(past.lines["product"].isin(gone).sum()),
        rank_before=int(ranks[0]),
        rank_after=int(ranks[1]),
        score_before=float(scores[0]),
        score_after=float(scores[1]),
    )


def removals(
    recommender: Recommender,
    household: int,
    product_id: int,
    by: By = "type",
    exclude: "Iterable[int] | str" = (),
    history: Purchases | None = None,
) -> "pd.DataFrame":
    """Every single removal from a history, and where it leaves a product; the worst first.

    Returns:
        without (the name), product_ids (what is taken out), purchases (lines), rank, score.
    """
    import pandas as pd

    past = history_of(recommender, household, history)
    parts = parts_of(past, by)
    ranks, scores = _standings(recommender, past, list(parts.values()), product_id, exclude)
    bought = past.lines["product"].value_counts()
    ids = past.products["product_id"].to_numpy()
    table = pd.DataFrame(
        {
            "without": list(parts),
            "product_ids": [ids[places].tolist() for places in parts.values()],
            "purchases": [int(bought[places].sum()) for places in parts.values()],
            "rank": ranks,
            "score": scores,
        }
    )
    table = table.sort_values(["rank", "score"], ascending=[False, True], kind="stable")
    return table.reset_index(drop=True)


def decisive(
    recommender: Recommender,
    household: int,
    product_id: int,
    by: By = "type",
    exclude: "Iterable[int] | str" = (),
    history: Purchases | None = None,
) -> Counterfactual:
    """The one past product, or type of product, without which the product would rank lowest."""
    exclude = exclude if isinstance(exclude, str) else list(exclude)
    worst = removals(recommender, household, product_id, by, exclude, history).iloc[0]
    found = counterfactual(
        recommender, household, product_id, worst["product_ids"], exclude, history
    )
    return replace(found, without=(worst["without"],))


_NOTHING = np.array([], dtype=np.int64)


def _standings(
    recommender: Recommender,
    past: Purchases,
    sets: "list[np.ndarray[Any, Any]]",
    product_id: int,
    exclude: "Iterable[int] | str",
) -> "tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]":
    """Rank and score of a product without each set of past products: (sets,) each."""
    target, out = past.product_at(product_id), excluded(past, exclude)
    if out[target]:
        raise EcomTutorError(
            f"Product {product_id} is itself excluded, so that it has no rank. Take another one, "
            "or exclude less."
        )
    ranks, scores = [], []
    for some in without_each(past, sets):
        answer = recommender.score_histories(some)
        ranks.append(ranks_of(answer, target, out))
        scores.append(answer[:, target].copy())
    return np.concatenate(ranks), np.concatenate(scores)


def _gone(
    past: Purchases, without: "str | int | Iterable[int]"
) -> "tuple[np.ndarray[Any, Any], tuple[str, ...]]":
    """Positions of what is taken out, and its names."""
    if isinstance(without, str):
        return _on_shelf(past, without), (without,)
    ids = list(without) if isinstance(without, Iterable) else [without]
    places = np.array([past.product_at(one) for one in ids], dtype=np.int64)
    strange = [
        one for one, bought in zip(ids, np.isin(places, past.lines["product"]), strict=True)
        if not bought
    ]  # fmt: skip
    if strange or not ids:
        raise EcomTutorError(
            f"Only what was bought can be taken out; {strange or 'nothing'} came. The history "
            f"holds {past.lines['product'].nunique()} products, for example "
            f"{past.products['product_id'].iloc[past.lines['product'].iloc[0]]}."
        )
    return places, tuple(labels(past.products, places))


def _on_shelf(past: Purchases, name: str) -> "np.ndarray[Any, Any]":
    """What was bought of the type, or else the category or department, of that name."""
    from difflib import get_close_matches

    bought, wanted = np.unique(past.lines["product"]), name.strip().lower()
    shelves = shelves_of(past, bought)
    for level in range(len(SHELVES) - 1, -1, -1):  # the narrowest first
        if (shelves[level] == wanted).any():
            found: np.ndarray[Any, Any] = bought[shelves[level] == wanted]
            return found
    known = sorted(set(shelves.ravel().tolist()))
    near = get_close_matches(wanted, known, 3, 0.3) or known[:3]
    raise EcomTutorError(
        f"The history holds nothing of {name!r:.60}. It holds {', '.join(near)}, and others."
    )
