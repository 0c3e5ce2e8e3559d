"""What the shop can be asked about, as passages: its policies and its product pages."""

import hashlib
from functools import cache
from typing import TYPE_CHECKING, Any, Literal

from ecomtutor.datasets.store import store
from ecomtutor.errors import EcomTutorError

if TYPE_CHECKING:
    import pandas as pd

Split = Literal["train", "validation", "test"]
# Shares of the passages; the rest is for testing.
_TRAIN, _VALIDATION = 0.60, 0.15
_PRICE = {"en": "Price: ¥{:g}.", "zh": "价格：{:g}元。"}
_JOIN = {"en": ("{}: {}", "; ", "."), "zh": ("{}：{}", "；", "。")}


@cache
def passages(language: str) -> "pd.DataFrame":
    """The shop's policies and product pages, one passage a row.

    Args:
        language: "en" or "zh". A passage has the same id and split in both.

    Returns:
        A table of id, kind ("policy" or "product"), group (topic or category), title, text and
        split. The split is by passage: no question about a test passage is ever trained on.

    Raises:
        EcomTutorError: another language.
    """
    import pandas as pd

    if language not in _PRICE:
        raise EcomTutorError(f'The shop speaks "en" and "zh"; {language!r} was asked for.')
    shop = store()
    rows = [
        _row(row, "policy", row["topic"], row[f"text_{language}"], language)
        for row in shop.policies.to_dict("records")
    ] + [
        _row(row, "product", row["category"], _page(row, language), language)
        for row in shop.products.to_dict("records")
    ]
    return pd.DataFrame(rows)


def split_of(passage_id: str) -> Split:
    """The split of a passage: decided by its id, so that a new one moves no other."""
    place = int(hashlib.sha256(passage_id.encode()).hexdigest()[:8], 16) / 16**8
    if place < _TRAIN:
        return "train"
    return "validation" if place < _TRAIN + _VALIDATION else "test"


def _row(row: dict[str, Any], kind: str, group: str, text: str, language: str) -> dict[str, Any]:
    return {
        "id": row["id"],
        "kind": kind,
        "group": group,
        "title": row[f"title_{language}"],
        "text": text,
        "split": split_of(row["id"]),
    }


def _page(row: dict[str, Any], language: str) -> str:
    """A product page as a shopper reads it: description, attributes, price."""
    pair, between, end = _JOIN[language]
    facts = between.join(pair.format(*fact) for fact in row[f"attributes_{language}"].items())
    price = _PRICE[language].format(row["price_cny"])
    return f"{row[f'description_{language}']}\n{facts}{end}\n{price}"
