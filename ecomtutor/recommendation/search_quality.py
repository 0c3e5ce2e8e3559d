"""How good the search by needs is: judged needs in two languages, by vectors, words and limits."""

import json
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import regex

from ecomtutor.datasets.store import data_dir
from ecomtutor.errors import EcomTutorError, MissingResource
from ecomtutor.recommendation.catalogue_search import CatalogueSearch
from ecomtutor.recommendation.limits import (
    Page,
    PriceLimit,
    is_colour,
    satisfied,
)
from ecomtutor.recommendation.measures import OPEN, Interval, intervals
from ecomtutor.recommendation.needs import read_need
from ecomtutor.recommendation.vocabulary import pages

if TYPE_CHECKING:
    import pandas as pd

WAYS: dict[str, dict[str, Any]] = {
    "vectors": {"words": 0.0, "keep_limits": False},
    "words": {"dense": False, "keep_limits": False},
    "vectors + words": {"keep_limits": False},
    "vectors + words + limits": {},
}


@cache
def judged_needs(language: str | None = None, split: str | None = None) -> "pd.DataFrame":
    """Needs with the products that are right for them, judged from the catalogue by its authors.

    Args:
        language: "en", "zh" or both.
        split: "dev", on which the search was tuned, "test", or both.

    Returns:
        A table: id, language, split, need, right (product ids, in stock), min_price and max_price
        (yuan or none), limits: [attribute, relation, value], what the need asks of attributes.

    Raises:
        EcomTutorError: another language or split.
        MissingResource: the file is not there.
    """
    import pandas as pd

    path = data_dir() / "store" / "needs.jsonl"
    if not path.is_file():
        raise MissingResource("data/store/needs.jsonl was not found. Work from a full clone.")
    table = pd.DataFrame(map(json.loads, path.read_text("utf-8").splitlines()))
    for column, value in (("language", language), ("split", split)):
        if value is not None and value not in set(table[column]):
            raise EcomTutorError(
                f"There are needs of {sorted(set(table[column]))}; {value!r} came."
            )
        table = table if value is None else table[table[column] == value]
    return table.reset_index(drop=True)


def search_quality(
    language: str, split: str = "test", k: int = 10, ways: "dict[str, dict[str, Any]] | None" = None
) -> "pd.DataFrame":
    """Ways of searching, compared on the judged needs.

    Args:
        language: "en" or "zh".
        split: "dev" or "test".
        k: how long the lists are.
        ways: name → arguments of `CatalogueSearch`; unless given, `WAYS`.

    Returns:
        A table, one way a row: recall (share of the right products in the list), ndcg, kept (share
        of what is listed that the judged prices and limits allow), shown (mean length of the list).
        All are means over needs.
    """
    import pandas as pd

    needs = judged_needs(language, split)
    read = [read_need(text) for text in needs["need"]]
    rows = []
    for name, settings in (WAYS if ways is None else ways).items():
        search = CatalogueSearch(**settings)
        lists = [search.search(need, k).table["product_id"].tolist() for need in read]
        measured = [_measured(found, needs.iloc[place], k) for place, found in enumerate(lists)]
        rows.append((name, *np.mean(measured, axis=0)))
    return pd.DataFrame(rows, columns=["way", "recall", "ndcg", "kept", "shown"])


def _measured(found: list[str], need: "pd.Series", k: int) -> tuple[float, float, float, float]:
    right = set(need["right"])
    hits = np.array([product in right for product in found], dtype=float)
    gains = 1 / np.log2(np.arange(2, k + 2))
    kept = [_allowed(product, need) for product in found]
    return (
        hits.sum() / min(k, len(right)),
        float(hits @ gains[: len(hits)]) / gains[: len(right)].sum(),
        float(np.mean(kept)) if kept else 1.0,
        float(len(found)),
    )


def _allowed(product_id: str, need: "pd.Series") -> bool:
    """Whether a product keeps the prices and limits that were judged."""
    page = next(page for page in pages() if page.row["id"] == product_id)
    low, high = (_number(need[name]) for name in ("min_price", "max_price"))
    price = PriceLimit(0.0 if low is None else low, OPEN if high is None else high)
    return satisfied(price, page) and all(_holds(limit, page) for limit in need["limits"])


def _number(value: Any) -> float | None:
    return None if value is None or value != value else float(value)


def _holds(limit: list[str], page: Page) -> bool:
    """One judged limit: attribute, relation (>=, <=, =, covers, has, lacks), value."""
    attribute, relation, value = limit
    said = page.row["attributes_en"].get(attribute)
    if relation in ("has", "lacks"):
        if attribute == "colour":
            shades = regex.split(r",\s*", (said or "").lower())
            has = any(is_colour(shade, value) for shade in shades)
        else:
            has = said is not None and value.lower() in said.lower()
        return has == (relation == "has")
    if said is None:
        return False
    asked = intervals(attribute, value)
    if not asked:
        return said.lower().startswith(value.lower())
    low, high = asked[0].low, asked[0].high
    low = -OPEN if relation == "<=" else low
    high = OPEN if relation == ">=" else high
    wanted = Interval(low, high, asked[0].unit)
    return any(interval.meets(wanted) for interval in page.measures.get(attribute, []))
