"""Who bought what and when, cut in time: the only form in which a recommender sees the shop.

Protocol: products bought at least five times in weeks 1–45, without fuel and miscellaneous;
households that bought one of them. Models are chosen on weeks 43–45 and tested on weeks 46–53.
"""

from dataclasses import dataclass, field, replace
from functools import cache
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from ecomtutor.datasets import journeys
from ecomtutor.errors import EcomTutorError

if TYPE_CHECKING:
    import pandas as pd
    from scipy.sparse import csr_array

Task = Literal["next", "discovery"]
Part = Literal["validation", "test"]

LAST_FIT_WEEK, LAST_TRAIN_WEEK, LAST_WEEK = 42, 45, 53
MIN_PURCHASES = 5
LEFT_OUT = ("FUEL", "MISCELLANEOUS")


@dataclass(frozen=True)
class Purchases:
    """Purchase lines of some weeks, over a fixed list of households and a fixed catalogue.

    Args:
        lines: one row a product in a basket: household and product (positions, not ids), basket,
            store, week (1–53), day (days since the year began), quantity, paid and discount (US$).
        households: their ids, (households,).
        products: the catalogue, one row a product, position = row: product_id, department,
            product_category, product_type, package_size, brand, text.
        last_week: no line is later; models may know nothing that happened after it.
    """

    lines: "pd.DataFrame"
    households: "np.ndarray[Any, Any]"
    products: "pd.DataFrame"
    last_week: int
    _places: dict[str, Any] = field(default_factory=dict, repr=False, compare=False)

    def __repr__(self) -> str:
        return (
            f"Purchases({len(self.lines):,} lines to week {self.last_week}, "
            f"{len(self.households):,} households × {len(self.products):,} products)"
        )

    def until(self, week: int) -> "Purchases":
        """What was known at the end of a week."""
        return replace(self, lines=self.lines[self.lines["week"] <= week], last_week=week)

    def between(self, first: int, last: int) -> "Purchases":
        """The lines of weeks first … last, both included."""
        chosen = self.lines["week"].between(first, last)
        return replace(self, lines=self.lines[chosen], last_week=last)

    @property
    def now(self) -> float:
        """The moment at which the last week ends, in days since the year began."""
        return last_day(self.last_week)

    def counts(self, weights: "np.ndarray[Any, Any] | None" = None) -> "csr_array":
        """Lines (or their weights) summed: (households, products), sparse, float32."""
        from scipy.sparse import coo_array

        values = np.ones(len(self.lines)) if weights is None else np.asarray(weights)
        at = (self.lines["household"].to_numpy(), self.lines["product"].to_numpy())
        shape = (len(self.households), len(self.products))
        return coo_array((values.astype(np.float32), at), shape=shape).tocsr()

    def of(self, households: "np.ndarray[Any, Any] | list[int]") -> "Purchases":
        """The lines of some households only, given by id, renumbered in the order given."""
        places = np.array([self.household_at(household) for household in households], dtype=int)
        order = np.argsort(self.lines["household"].to_numpy(), kind="stable")
        owner = self.lines["household"].to_numpy()[order]
        first, stop = np.searchsorted(owner, places), np.searchsorted(owner, places, "right")
        rows = [order[a:b] for a, b in zip(first, stop, strict=True)]
        chosen = self.lines.iloc[np.concatenate(rows)] if len(rows) else self.lines.iloc[:0]
        number = np.repeat(np.arange(len(places)), stop - first)
        lines = chosen.assign(household=number)
        return replace(self, lines=lines, households=self.households[places], _places={})

    def block(self, start: int, stop: int) -> "Purchases":
        """The households start … stop - 1, renumbered from zero."""
        stop = min(stop, len(self.households))
        if start == 0 and stop == len(self.households):
            return self
        owner = self.lines["household"]
        lines = self.lines[(owner >= start) & (owner < stop)]
        lines = lines.assign(household=lines["household"] - start)
        return replace(self, lines=lines, households=self.households[start:stop], _places={})

    def household_at(self, household_id: int) -> int:
        """Position of a household. Raises `EcomTutorError` for one that never bought."""
        return self._position("household", self.households, household_id)

    def product_at(self, product_id: int) -> int:
        """Position of a product. Raises `EcomTutorError` for one outside the catalogue."""
        return self._position("product", self.products["product_id"].to_numpy(), product_id)

    def _position(self, kind: str, ids: "np.ndarray[Any, Any]", wanted: int) -> int:
        if kind not in self._places:
            self._places[kind] = {int(known): at for at, known in enumerate(ids)}
        try:
            return int(self._places[kind][int(wanted)])
        except (KeyError, TypeError, ValueError):
            raise EcomTutorError(
                f"There is no {kind} {wanted!r} among the {len(ids):,} known ones "
                f"(for example {int(ids[0])}). Take an id of that list."
            ) from None


def last_day(week: int) -> float:
    """Days from the start of the year to the end of a week; week 1 is 1 January 2017 alone.

    The published timestamps are UTC: a week of the shop, in the eastern United States, ends some
    hours after midnight UTC. Lines are cut by the published week; this clock only measures ages.
    """
    return 1.0 + 7.0 * (week - 1)


@cache
def all_purchases() -> Purchases:
    """The year, over the catalogue and the households of weeks 1–45.

    Only an evaluation may look past week 45; give models `training_purchases()`.
    """
    import pandas as pd

    lines = journeys().transactions
    table = journeys().products
    sold = table[~table["department"].isin(LEFT_OUT)]
    lines = lines[lines["product_id"].isin(sold["product_id"])]
    early = lines[lines["week"] <= LAST_TRAIN_WEEK]
    times = early["product_id"].value_counts()
    catalogue = np.sort(times.index[times >= MIN_PURCHASES].to_numpy())
    lines = lines[lines["product_id"].isin(catalogue)]
    households = np.unique(lines[lines["week"] <= LAST_TRAIN_WEEK]["household_id"])
    lines = lines[lines["household_id"].isin(households)]
    products = sold.set_index("product_id").loc[catalogue].reset_index()
    products["text"] = product_texts(products)
    moments = (lines["transaction_timestamp"] - pd.Timestamp("2017-01-01")).dt.total_seconds()
    return Purchases(
        pd.DataFrame(
            {
                "household": np.searchsorted(households, lines["household_id"]),
                "product": np.searchsorted(catalogue, lines["product_id"]),
                "basket": lines["basket_id"].to_numpy(),
                "store": lines["store_id"].to_numpy(),
                "week": lines["week"].to_numpy(),
                "day": (moments / 86_400).to_numpy(dtype="float32"),
                "quantity": lines["quantity"].to_numpy(),
                "paid": lines["sales_value"].to_numpy(dtype="float32"),
                "discount": lines["retail_disc"].to_numpy(dtype="float32"),
            }
        ),
        households,
        products,
        LAST_WEEK,
    )


def product_texts(products: "pd.DataFrame") -> list[str]:
    """What can be said of each product in words: type, category, size, brand, department.

    Facts that are missing are left out; the table has no product names.
    """
    facts = ("product_type", "product_category", "package_size", "brand", "department")
    columns = [products[fact].astype(object).where(products[fact].notna(), "") for fact in facts]
    columns[3] = columns[3].map(lambda brand: f"{brand} brand" if brand else "")
    return [
        ", ".join(dict.fromkeys(str(word).lower() for word in row if word))
        for row in zip(*columns, strict=True)
    ]


def training_purchases(last_week: int = LAST_TRAIN_WEEK) -> Purchases:
    """What a model may learn from: weeks 1–45, or fewer while it is chosen (1–42)."""
    if not 1 <= last_week <= LAST_TRAIN_WEEK:
        raise EcomTutorError(
            f"Training ends with week {LAST_TRAIN_WEEK}; week {last_week} was asked for. "
            f"Take 1 … {LAST_TRAIN_WEEK}: what comes later is the test."
        )
    return all_purchases().until(last_week)


def wanted(task: Task, part: Part) -> "csr_array":
    """What households bought in the weeks to predict: (households, products), 1 where bought.

    Args:
        task: "next", everything bought; "discovery", only what is new to the household.
        part: "validation" (weeks 43–45) or "test" (weeks 46–53).
    """
    known, first, last = weeks_of(part)
    everything = all_purchases()
    bought = everything.between(first, last).counts().sign()
    if task == "next":
        return bought
    if task != "discovery":
        raise EcomTutorError(f'The tasks are "next" and "discovery"; {task!r} came.')
    before = everything.until(known).counts().sign()
    new = bought - bought.multiply(before)
    new.eliminate_zeros()
    return new.tocsr()


def weeks_of(part: Part) -> tuple[int, int, int]:
    """Last week that a model may know, and the first and last week that it predicts."""
    weeks = {
        "validation": (LAST_FIT_WEEK, LAST_FIT_WEEK + 1, LAST_TRAIN_WEEK),
        "test": (LAST_TRAIN_WEEK, LAST_TRAIN_WEEK + 1, LAST_WEEK),
    }
    if part not in weeks:
        raise EcomTutorError(f'The parts are "validation" and "test"; {part!r} came.')
    return weeks[part]
