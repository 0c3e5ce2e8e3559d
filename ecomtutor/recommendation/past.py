"""One household's past, cut into parts that can be taken out: what all explanations share."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from ecomtutor.errors import EcomTutorError
from ecomtutor.recommendation.base import Recommender
from ecomtutor.recommendation.in_words import type_names
from ecomtutor.recommendation.purchases import Purchases

if TYPE_CHECKING:
    import pandas as pd

By = Literal["type", "product"]

SHELVES = ("department", "product_category", "product_type")  # widest first
COPIES_AT_ONCE = 256  # whose scores are 26 MB for the real catalogue


def history_of(recommender: Recommender, household: int, history: Purchases | None) -> Purchases:
    """The past of one household: what was learned of it, or another history that is given.

    Raises:
        EcomTutorError: an unknown household, an empty history, or more than one.
    """
    past = recommender.purchases.of([household]) if history is None else history
    if len(past.households) != 1:
        raise EcomTutorError(f"A history of one household is explained; {past!r} came.")
    if past.lines.empty:
        raise EcomTutorError(
            f"Household {household} bought nothing yet: there is no purchase to explain with."
        )
    return past


def copies(past: Purchases, kept: "np.ndarray[Any, Any]") -> Purchases:
    """One household many times, each time with some of its lines only.

    Args:
        past: of one household.
        kept: (copies, lines), true for lines that stay.

    Returns:
        As many households of the same id. Baskets are numbered anew, in their old order: no two
        copies share one.
    """
    copy, line = kept.nonzero()
    baskets, number = np.unique(past.lines["basket"], return_inverse=True)
    lines = past.lines.iloc[line].assign(household=copy, basket=copy * len(baskets) + number[line])
    return replace(past, lines=lines, households=np.repeat(past.households, len(kept)), _places={})


def with_only(past: Purchases, rows: "Sequence[np.ndarray[Any, Any]]") -> Purchases:
    """A copy for each row of products (positions), with the purchases of these alone."""
    product = past.lines["product"].to_numpy()
    return copies(past, np.stack([np.isin(product, row) for row in rows]))


def without_each(past: Purchases, sets: "Sequence[np.ndarray[Any, Any]]") -> "Iterator[Purchases]":
    """Copies without each set of products (positions), some at a time."""
    product = past.lines["product"].to_numpy()
    for start in range(0, len(sets), COPIES_AT_ONCE):
        some = sets[start : start + COPIES_AT_ONCE]
        yield copies(past, np.stack([~np.isin(product, gone) for gone in some]))


def parts_of(past: Purchases, by: By) -> "dict[str, np.ndarray[Any, Any]]":
    """What was bought, by product or by type: names and positions, shelf by shelf.

    Raises:
        EcomTutorError: another word for `by`.
    """
    places = np.unique(past.lines["product"])
    shelves = shelves_of(past, places)
    places = places[np.lexsort(shelves[::-1])]
    if by == "product":
        return {name: places[[i]] for i, name in enumerate(labels(past.products, places))}
    if by != "type":
        raise EcomTutorError(f"A history is cut by 'type' or by 'product'; {by!r:.40} came.")
    kinds = type_names(past.products.iloc[places])
    return {str(kind): places[kinds == kind] for kind in dict.fromkeys(kinds)}


def shelves_of(past: Purchases, places: "np.ndarray[Any, Any]") -> "np.ndarray[Any, Any]":
    """Department, category and type of some products, lower case: (3, products)."""
    table = past.products.iloc[places]
    return np.stack([table[level].astype(str).str.lower().to_numpy(str) for level in SHELVES])


def labels(products: "pd.DataFrame", places: "np.ndarray[Any, Any]") -> list[str]:
    """Short names of some products, no two alike: type and size, and the id if that is needed."""
    chosen = products.iloc[places]
    sizes = chosen["package_size"].astype(object).where(chosen["package_size"].notna(), "")
    names = [
        " ".join(f"{kind} {size}".lower().split()) or "product"
        for kind, size in zip(type_names(chosen), sizes, strict=True)
    ]
    twins = {name for name in names if names.count(name) > 1}
    ids = chosen["product_id"]
    return [f"{n} #{i}" if n in twins else n for n, i in zip(names, ids, strict=True)]


def ranks_of(
    scores: "np.ndarray[Any, Any]", target: int, out: "np.ndarray[Any, Any]"
) -> "np.ndarray[Any, Any]":
    """A product's place in each row's list, from 1: (rows,).

    Args:
        scores: (rows, products).
        target: the product's position. Of equal scores the one first in the catalogue ranks
            higher, as in a recommended list.
        out: (products,), true for what is not in the list.
    """
    own = scores[:, [target]]
    ahead = scores > own
    ahead[:, :target] |= scores[:, :target] == own
    ranks: np.ndarray[Any, Any] = 1 + (ahead & ~out).sum(axis=1)
    return ranks
