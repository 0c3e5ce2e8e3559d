"""What a shop can know about a household and a product before it ranks: the hybrid's inputs.

Four tables, joined on pairs of a household and a product that are worth ranking:

    pair        how often and how regularly this household bought this product
    household   how it shops
    product     how it sells, and how often those who bought it come back for it
    group       the pair again, with the product replaced by its type, category, product line …

Histories decide the pair, household and group tables; the product table is learned once.
"""

from typing import TYPE_CHECKING, Any

import numpy as np

from ecomtutor.recommendation.purchases import Purchases

if TYPE_CHECKING:
    import pandas as pd

PAIR_HALF_LIVES = (7, 21, 60, 120, 240)  # days
BASKET_HALF_LIVES = (21, 60, 240)
PRODUCT_HALF_LIVES = (7, 21, 60, 240)
REBUY_WEEKS = 8  # as long as the weeks to predict
GROUPS = {
    "type": ("product_type",),
    "category": ("product_category",),
    "line": ("manufacturer_id", "product_type"),
    "maker": ("manufacturer_id", "product_category"),
    "format": ("product_type", "package_size"),
}


def ages(histories: Purchases) -> "np.ndarray[Any, Any]":
    """Days from each line to the end of the last week: (lines,)."""
    return np.maximum(histories.now - histories.lines["day"].to_numpy(dtype=float), 0)


def decayed(age: "np.ndarray[Any, Any]", half_life_days: float) -> "np.ndarray[Any, Any]":
    """One half for every half-life."""
    weights: np.ndarray[Any, Any] = 0.5 ** (age / half_life_days)
    return weights


def pair_features(histories: Purchases) -> "pd.DataFrame":
    """One row a pair that was bought: household, product (positions), and what the pair did."""
    import pandas as pd

    products = len(histories.products)
    lines, age = histories.lines, ages(histories)
    key = lines["household"].to_numpy().astype(np.int64) * products + lines["product"].to_numpy()
    order = np.lexsort((-age, key))  # each pair's purchases, oldest first
    key, age = key[order], age[order]
    pairs, start, times = np.unique(key, return_index=True, return_counts=True)
    table: dict[str, Any] = {"household": pairs // products, "product": pairs % products}
    if not len(pairs):
        start = np.zeros(0, dtype=int)

    def total(values: "np.ndarray[Any, Any]") -> "np.ndarray[Any, Any]":
        return np.add.reduceat(values, start) if len(start) else np.zeros(0)

    last, first = age[start + times - 1], age[start]
    gap = np.where(times > 1, (first - last) / np.maximum(times - 1, 1), np.nan)
    steps = -np.diff(age, prepend=age[:1])
    steps[start] = 0
    spread = total(steps**2) / np.maximum(times - 1, 1) - np.nan_to_num(gap) ** 2
    week = lines["week"].to_numpy()[order]
    new_week = np.diff(week, prepend=-1) != 0
    new_week[start] = True
    table |= {
        "purchases": times,
        **{f"purchases_{days}d": total(decayed(age, days)) for days in PAIR_HALF_LIVES},
        "days_since_last": last,
        "days_since_first": first,
        "days_between": gap,
        "days_between_deviation": np.where(times > 2, np.sqrt(np.maximum(spread, 0)), np.nan),
        "days_since_previous": np.where(times > 1, age[np.maximum(start + times - 2, 0)], np.nan),
        "due": last / np.maximum(gap, 0.5),  # 1: as long ago as it usually takes
        "weeks": total(new_week.astype(float)),
        "quantity": total(np.minimum(lines["quantity"].to_numpy()[order], 20)),
        "on_offer": total((lines["discount"].to_numpy()[order] > 0).astype(float)) / times,
        "purchases_a_day": times / (first + 7),
    }
    return pd.DataFrame({name: _narrow(values) for name, values in table.items()})


def household_features(histories: Purchases) -> "pd.DataFrame":
    """One row a household: how much, how often, how recently and how loyally it buys."""
    import pandas as pd

    households = len(histories.households)
    lines = histories.lines.assign(age=ages(histories))
    baskets = lines.groupby(["household", "basket"], sort=False).agg(
        age=("age", "min"), size=("product", "size")
    )
    owner, age = baskets.index.get_level_values(0).to_numpy(), baskets["age"].to_numpy()
    of = lines["household"].to_numpy()

    def total(values: Any) -> "np.ndarray[Any, Any]":
        return np.bincount(of, values, minlength=households)

    count = np.bincount(owner, minlength=households)
    bought = total(np.ones(len(of)))
    table: dict[str, Any] = {
        f"baskets_{days}d": np.bincount(owner, decayed(age, days), minlength=households)
        for days in BASKET_HALF_LIVES
    }
    again, before, recent = _came_back(histories)
    table |= {
        "baskets": count,
        "lines_a_basket": bought / np.maximum(count, 1),
        "days_since_visit": _least(owner, age, households),
        "days_since_first_visit": -_least(owner, -age, households),
        "discount_share": total(lines["discount"]) / np.maximum(total(lines["paid"]), 1),
        "paid_a_line": total(lines["paid"]) / np.maximum(bought, 1),
        "different_products": _sums(histories.counts().sign(), 1),
        "household_rebuys": (_sums(again, 1) + 2) / (_sums(before, 1) + 20),
        "household_tries": _sums(recent - again, 1) / np.maximum(_sums(recent, 1), 1),
    }
    return pd.DataFrame({name: _narrow(values) for name, values in table.items()})


def product_features(purchases: Purchases) -> "pd.DataFrame":
    """One row a product: how it sells, to whom it is new, and who comes back for it."""
    import pandas as pd

    products, age = len(purchases.products), ages(purchases)
    of = purchases.lines["product"].to_numpy()
    offer = (purchases.lines["discount"] > 0).to_numpy(dtype=float)
    pairs = pair_features(purchases)
    place = pairs["product"].to_numpy()

    def total(values: Any, at: Any = of) -> "np.ndarray[Any, Any]":
        return np.bincount(at, values, minlength=products)

    sold, buyers = total(np.ones(len(of))), np.bincount(place, minlength=products)
    repeated = (pairs["purchases"] > 1).to_numpy()
    recent = age <= 21
    again, before, _ = _came_back(purchases)
    regular = before.multiply(purchases.until(purchases.last_week - REBUY_WEEKS).counts() >= 3)
    recently = purchases.between(purchases.last_week - REBUY_WEEKS + 1, purchases.last_week)
    table = {f"sold_{days}d": total(decayed(age, days)) for days in PRODUCT_HALF_LIVES}
    table["trend"] = table["sold_21d"] / np.maximum(table["sold_240d"], 0.01)
    table |= {
        "sold": sold,
        "buyers": buyers,
        "repeat_share": total(repeated, place) / np.maximum(buyers, 1),
        "sold_a_buyer": sold / np.maximum(buyers, 1),
        "product_days_between": total(np.nan_to_num(pairs["days_between"]), place)
        / np.maximum(total(repeated, place), 0.5),
        **{f"new_buyers_{days}d": total(pairs["days_since_first"] <= days, place)
           for days in (14, 28, 84)},
        "new_buyers_8w": _sums(recently.counts().sign() - again, 0),
        "product_on_offer": total(offer) / np.maximum(sold, 1),
        "on_offer_21d": total(offer * recent) / np.maximum(total(recent), 1),
        "price": total(purchases.lines["paid"]) / np.maximum(total(purchases.lines["quantity"]), 1),
        "rebought": _smoothed(again, before, 20),
        "rebought_by_regulars": _smoothed(again.multiply(regular), regular, 5),
        "private_brand": (purchases.products["brand"] == "Private").to_numpy(),
        "department": purchases.products["department"].astype("category").cat.codes,
    }  # fmt: skip
    return pd.DataFrame({name: _narrow(values) for name, values in table.items()})


class Grouping:
    """Products by type, category or line: a household may switch flavour and stay loyal.

    Args:
        purchases: for how well each product sells within its group.
        columns: of the catalogue, that products of one group share.
    """

    def __init__(self, purchases: Purchases, columns: tuple[str, ...]):
        import pandas as pd

        texts = purchases.products[list(columns)].astype(object).fillna("").astype(str)
        # By hand: pandas builds a Series for each of the 25,797 rows, which takes a second.
        named = ["|".join(row) for row in zip(*(texts[name] for name in columns), strict=True)]
        self.of = pd.Categorical(named).codes
        self.groups = int(self.of.max()) + 1
        products = len(purchases.products)
        sold = np.bincount(purchases.lines["product"], decayed(ages(purchases), 60), products)
        self.share = sold / np.maximum(np.bincount(self.of, sold), 1e-6)[self.of]

    def features(self, histories: Purchases, pairs: "pd.DataFrame", prefix: str) -> "pd.DataFrame":
        """What the household did with the product's group, one row a pair of `pairs`."""
        import pandas as pd

        shape = (len(histories.households), self.groups)
        group, age = self.of[histories.lines["product"].to_numpy()], ages(histories)
        at = histories.lines["household"].to_numpy() * self.groups + group
        cells = shape[0] * shape[1]
        place = pairs["household"].to_numpy() * self.groups + self.of[pairs["product"].to_numpy()]

        def cell(values: "np.ndarray[Any, Any]") -> "np.ndarray[Any, Any]":
            return values[place]

        times = cell(np.bincount(at, minlength=cells))
        last = cell(_least(at, age, cells))
        first = cell(-_least(at, -age, cells, -0.0))
        gap = np.where(times > 1, (first - last) / np.maximum(times - 1, 1), np.nan)
        slow = cell(np.bincount(at, decayed(age, 120), minlength=cells))
        own = np.nan_to_num(pairs["purchases_120d"].to_numpy())
        share = self.share[pairs["product"].to_numpy()]
        rate = slow / np.maximum(pairs["baskets_240d"].to_numpy(), 1)
        table = {
            "purchases": times,
            "purchases_30d": cell(np.bincount(at, decayed(age, 30), minlength=cells)),
            "purchases_120d": slow,
            "days_since_last": last,
            "days_between": gap,
            "due": last / np.maximum(gap, 0.5),
            "own_share": own / np.maximum(slow, 1e-6),
            "sold_share": share,
            "rate": rate,
            "expected": rate * share,
        }
        return pd.DataFrame({f"{prefix}_{name}": _narrow(v) for name, v in table.items()})


class StorePopularity:
    """How well each product sells in the stores that a household goes to.

    Args:
        purchases: whose sales count.
        half_life_days: an older sale counts less.
    """

    def __init__(self, purchases: Purchases, half_life_days: float):
        from scipy.sparse import coo_array

        self.stores = np.unique(purchases.lines["store"])
        shape = (len(self.stores), len(purchases.products))
        place = np.searchsorted(self.stores, purchases.lines["store"])
        weight = decayed(ages(purchases), half_life_days).astype(np.float32)
        sold = coo_array((weight, (place, purchases.lines["product"])), shape=shape).tocsr()
        self.per_thousand = sold * (1000 / np.maximum(_sums(sold, 1), 1)[:, None])

    def score_histories(self, histories: Purchases) -> "np.ndarray[Any, Any]":
        """Sales per 1,000 lines, stores weighted by recent visits: (households, products)."""
        from scipy.sparse import coo_array

        known = np.isin(histories.lines["store"], self.stores)
        place = np.searchsorted(self.stores, histories.lines["store"][known])
        at = (histories.lines["household"][known], place)
        shape = (len(histories.households), len(self.stores))
        visits = coo_array((decayed(ages(histories), 90)[known], at), shape=shape).tocsr()
        visits = visits * (1 / np.maximum(_sums(visits, 1), 1e-9)[:, None])
        scores: np.ndarray[Any, Any] = (visits @ self.per_thousand).toarray()
        return scores.astype(np.float32)


def _came_back(purchases: Purchases) -> tuple[Any, Any, Any]:
    """Of the last eight weeks: what was bought again, what could have been, what was bought.

    Each (households, products), 1 or 0.
    """
    edge = purchases.last_week - REBUY_WEEKS
    before = purchases.until(edge).counts().sign()
    recent = purchases.between(edge + 1, purchases.last_week).counts().sign()
    return before.multiply(recent).tocsr(), before, recent


def _smoothed(part: Any, whole: Any, prior: float) -> "np.ndarray[Any, Any]":
    """Share by product, drawn towards the share of all products by `prior` pairs."""
    mean = part.sum() / max(whole.sum(), 1)
    share: np.ndarray[Any, Any] = (_sums(part, 0) + prior * mean) / (_sums(whole, 0) + prior)
    return share


def _sums(matrix: Any, axis: int) -> "np.ndarray[Any, Any]":
    return np.asarray(matrix.sum(axis=axis)).ravel()


def _least(
    at: "np.ndarray[Any, Any]", values: "np.ndarray[Any, Any]", size: int, empty: float = 999.0
) -> "np.ndarray[Any, Any]":
    """The least value at each place; `empty` where there is none."""
    least = np.full(size, np.inf)
    np.minimum.at(least, at, values)
    return np.where(np.isinf(least), empty, least)


def _narrow(values: Any) -> "np.ndarray[Any, Any]":
    array = np.asarray(values)
    if np.issubdtype(array.dtype, np.integer):
        return array.astype(np.int32)
    return array.astype(np.float32)
