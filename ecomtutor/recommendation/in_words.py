"""A household's past in words: what a model of language can read of it."""

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from ecomtutor.recommendation.baselines import DAYS_A_WEEK, recency
from ecomtutor.recommendation.purchases import Purchases

if TYPE_CHECKING:
    import pandas as pd

OFTEN, LATELY, HALF_LIFE_WEEKS = 8, 6, 26
# How often and how long ago, in few words: a model has to learn each of them.
TIMES = ((2, 3, 5, 8, 13, 21), ("once", "twice", "3 times", "5 times", "10 times", "15 times",
                                "30 times"))  # fmt: skip
AGO = ((1, 2, 4, 8, 16), ("this week", "2 weeks ago", "3 weeks ago", "6 weeks ago",
                          "12 weeks ago", "20 weeks ago"))  # fmt: skip
NEVER = "never"
# The shop's own shorthand, for a reader who never worked there.
SHORTHAND = {
    "bkd": "baked", "bn": "bean", "brkfst": "breakfast", "btr": "butter", "cleang": "cleaning",
    "convenient": "quick", "crystl": "crystal", "dnr": "dinner", "dnrs": "dinners", "drnk": "drink",
    "drnks": "drinks", "drsng": "dressing", "fd": "food", "flvrd": "flavoured", "frzn": "frozen",
    "mx": "mix", "mxs": "mixes", "nvlties": "novelties", "pkld": "pickled", "pnt": "peanut",
    "pwdr": "powder", "refrgratd": "refrigerated", "sald": "salad", "sndwch": "sandwich",
    "sprd": "spread", "sply": "supplies", "tiss": "tissue", "trsh": "trash", "bg": "bags",
    "veg": "vegetable", "whlsm": "wholesome", "wtr": "water", "sft": "soft", "misc": "",
}  # fmt: skip


def type_names(products: "pd.DataFrame") -> "np.ndarray[Any, Any]":
    """The kind of each product in lower-case words, (products,): its type, or else its category."""
    kinds = products["product_type"].astype(object)
    kinds = kinds.where(kinds.notna(), products["product_category"].astype(object))
    names: np.ndarray[Any, Any] = kinds.fillna("").astype(str).str.lower().to_numpy(dtype=str)
    return names


def history_texts(histories: Purchases, often: int = OFTEN, lately: int = LATELY) -> list[str]:
    """Each household's most telling purchases: "often: bananas, …; lately: sour creams, …".

    Args:
        histories: any households, up to the moment of asking.
        often: so many types with the highest decayed frequency come first.
        lately: so many other types follow, the latest first.

    Returns:
        One text a household; "" for one that never bought.
    """
    names, kind = np.unique(type_names(histories.products), return_inverse=True)
    weight, last = _by_kind(histories, kind, len(names))
    return [
        _in_words(names[frequent[:often]], names[_latest(frequent[often:], ages)[:lately]])
        for frequent, ages in zip(map(_heaviest, weight), last, strict=True)
    ]


def profile_texts(histories: Purchases, often: int = 5, lately: int = 3) -> list[str]:
    """What each household buys, in words for a reader who does not know the shop's shorthand.

    Categories, not types: "soft drinks, fluid milk products, tropical fruit". Arguments as in
    `history_texts`. Returns one text a household; "" for one that never bought.
    """
    categories = histories.products["product_category"].astype(object).fillna("").astype(str)
    names, kind = np.unique([written_out(name) for name in categories], return_inverse=True)
    weight, last = _by_kind(histories, kind, len(names))
    return [
        ", ".join([*names[frequent[:often]], *names[_latest(frequent[often:], ages)[:lately]]])
        for frequent, ages in zip(map(_heaviest, weight), last, strict=True)
    ]


def written_out(name: str) -> str:
    """A category without shorthand: "FRZN MEAT/MEAT DINNERS" becomes "frozen meat, meat dinners".

    Of what slashes join the first two parts stay.
    """
    parts = [re.findall(r"[a-z]+", part) for part in name.lower().split("/")[:2]]
    plain = [" ".join(filter(None, (SHORTHAND.get(word, word) for word in part))) for part in parts]
    return ", ".join(filter(None, plain))


def products_with_past(histories: Purchases) -> Callable[[int, int], str]:
    """A function (household, product) → the product's text after the household's past with it.

    "it 5 times, 2 weeks ago; kind 10 times, this week: bananas, …": how often and how long ago
    the household bought this product, and any of its kind. Both arguments are positions.
    """
    _, kind = np.unique(type_names(histories.products), return_inverse=True)
    it = _past(histories, np.arange(len(histories.products)))
    of_kind = _past(histories, kind)
    texts = histories.products["text"].tolist()

    def text(household: int, product: int) -> str:
        bought = it.get((household, product), NEVER)
        alike = of_kind.get((household, int(kind[product])), NEVER)
        return f"it {bought}; kind {alike}: {texts[product]}"

    return text


def _past(histories: Purchases, group: "np.ndarray[Any, Any]") -> dict[tuple[int, int], str]:
    """For each household and group of products that it bought from: how often, how long ago."""
    lines = histories.lines
    weeks = np.maximum(histories.now - lines["day"].to_numpy(), 0) / DAYS_A_WEEK
    household, groups = lines["household"].to_numpy().astype(np.int64), int(group.max()) + 1
    keys = household * groups + group[lines["product"].to_numpy()]
    pairs, place, times = np.unique(keys, return_inverse=True, return_counts=True)
    last = np.full(len(pairs), np.inf)
    np.minimum.at(last, place, weeks)
    often = np.searchsorted(TIMES[0], times, side="right")
    ago = np.searchsorted(AGO[0], last, side="right")
    return {
        divmod(int(pair), groups): f"{TIMES[1][n]}, {AGO[1][w]}"
        for pair, n, w in zip(pairs, often, ago, strict=True)
    }


def _by_kind(
    histories: Purchases, kind: "np.ndarray[Any, Any]", kinds: int
) -> "tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]":
    """Decayed frequency, and days since the last purchase: both (households, kinds)."""
    lines, shape = histories.lines, (len(histories.households), kinds)
    at = (lines["household"].to_numpy(), kind[lines["product"].to_numpy()])
    weight, last = np.zeros(shape, np.float32), np.full(shape, np.inf, np.float32)
    np.add.at(weight, at, recency(histories, HALF_LIFE_WEEKS))
    np.minimum.at(last, at, np.maximum(histories.now - lines["day"].to_numpy(), 0))
    return weight, last


def _heaviest(weights: "np.ndarray[Any, Any]") -> "np.ndarray[Any, Any]":
    """The kinds that were bought, the most frequent first."""
    bought = np.flatnonzero(weights)
    return bought[np.argsort(-weights[bought], kind="stable")]


def _latest(kinds: "np.ndarray[Any, Any]", ages: "np.ndarray[Any, Any]") -> Any:
    return kinds[np.argsort(ages[kinds], kind="stable")]


def _in_words(often: "np.ndarray[Any, Any]", lately: "np.ndarray[Any, Any]") -> str:
    parts = (("often", often), ("lately", lately))
    return "; ".join(f"{when}: {', '.join(kinds)}" for when, kinds in parts if len(kinds))
