"""Pomelo Street (柚子街), the course's own bilingual shop: its catalogue and its policies."""

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ecomtutor.errors import DamagedResource, MissingResource

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Store:
    """The shop. `products` and `policies` are tables; `describe("store products")` explains."""

    products: "pd.DataFrame"
    policies: "pd.DataFrame"

    def __repr__(self) -> str:
        categories = self.products["category"].nunique()
        return (
            f"Store(Pomelo Street 柚子街: {len(self.products)} products in {categories} "
            f"categories, {len(self.policies)} policies, English and Chinese)"
        )


@cache
def store() -> Store:
    """The shop, read from `data/store/`.

    Raises:
        MissingResource: the folder is not there.
        DamagedResource: a line is not valid JSON; the message names file and line.
    """
    folder = data_dir() / "store"
    return Store(_table(folder / "products"), _table(folder / "policies"))


def data_dir() -> Path:
    """The course's `data/` folder: beside the package in a clone, inside it when installed."""
    here = Path(__file__).resolve()
    for place in (here.parents[2] / "data", here.parents[1] / "_data"):
        if (place / "store").is_dir():
            return place
    raise MissingResource("The course's data/store folder was not found. Work from a full clone.")


def _table(folder: Path) -> "pd.DataFrame":
    import pandas as pd

    rows = [row for path in sorted(folder.glob("*.jsonl")) for row in _rows(path)]
    table = pd.DataFrame(rows)
    if "updated" in table:
        table["updated"] = pd.to_datetime(table["updated"])
    return table


def _rows(path: Path) -> list[dict[str, Any]]:
    rows = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        try:
            rows.append(json.loads(line))
        except ValueError as error:
            raise DamagedResource(
                f"{path.name}, line {number} is not valid JSON: {error}"
            ) from error
    return rows
