"""The figures of lesson 00 say in words what they draw."""

import pandas as pd
import pytest

from ecomtutor.datasets import store
from ecomtutor.figures import lesson_00


def test_leak_is_told_for_each_split() -> None:
    figure = lesson_00.seen_in_training({"random": (3, 4), "ours": (0, 10)})
    assert "random: 75.0 %; ours: 0.0 %" in figure.alt


def test_clock_tells_both_peaks() -> None:
    stored = pd.Series(pd.to_datetime(["2017-05-01 22:10", "2017-05-01 22:50", "2017-05-02 08:00"]))
    local = stored.dt.tz_localize("UTC").dt.tz_convert("America/New_York")
    alt = lesson_00.when_the_shop_sells(stored, local).alt
    assert "as stored, most at 22 o'clock and fewest at 8" in alt
    assert "local time, most at 18 o'clock and fewest at 4" in alt
    assert "Most on a Mon" in alt


def test_repeat_share_tells_where_it_ends() -> None:
    share = pd.Series([week / 106 for week in range(53)], index=range(1, 54))
    assert "to 49 % in the last week" in lesson_00.repeat_share(share).alt


@pytest.mark.filterwarnings("ignore:Chinese labels")  # the Chinese font may not have been fetched
def test_prices_know_every_category_of_the_store() -> None:
    products = store().products
    assert f"{products['category'].nunique()} categories" in (
        lesson_00.prices_by_category(products).alt
    )
