"""A corner of the real shop that a test fits in a moment: 300 households, what they buy most."""

from dataclasses import replace
from functools import cache

import numpy as np

from ecomtutor.recommendation import Purchases, popularity, training_purchases


@cache
def small_shop(households: int = 300, products: int = 800) -> Purchases:
    """Weeks 1–42 of every eighth household, over the products that most of them bought."""
    whole = training_purchases(42)
    some = whole.of(list(whole.households[::8][:households]))
    chosen = np.sort(np.argsort(-popularity(some), kind="stable")[:products])
    return over(some, chosen)


def over(purchases: Purchases, chosen: np.ndarray) -> Purchases:
    """The same purchases over some products only, given by position in ascending order."""
    lines = purchases.lines[purchases.lines["product"].isin(chosen)]
    return replace(
        purchases,
        lines=lines.assign(product=np.searchsorted(chosen, lines["product"])),
        products=purchases.products.iloc[chosen].reset_index(drop=True),
        _places={},
    )


def bought(*baskets: tuple[int, int, list[int]], last_week: int = 40) -> Purchases:
    """Purchases made by hand: (household, week, products), each a basket, over a real catalogue.

    Households have the ids 100, 101, …; products are positions in `small_shop().products`.
    """
    import pandas as pd

    from ecomtutor.recommendation.purchases import last_day

    rows = [
        (household, product, number, 1, week, last_day(week) - 1, 1, 2.0, 0.0)
        for number, (household, week, products) in enumerate(baskets)
        for product in products
    ]
    names = ["household", "product", "basket", "store", "week", "day", "quantity", "paid",
             "discount"]  # fmt: skip
    lines = pd.DataFrame(rows, columns=names)
    many = max((household for household, _, _ in baskets), default=0) + 1
    return Purchases(lines, 100 + np.arange(many), small_shop().products, last_week)
