"""Figures of lesson 00: what the shop's data look like, and where they mislead."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from ecomtutor.figures.core import BLUE, INK, ORANGE, Figure, drawing, finish

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_CHINESE = {
    "appliances": "家电",
    "audio": "音频",
    "baby": "母婴",
    "beauty": "美妆个护",
    "books": "图书",
    "clothing": "服饰",
    "computers": "电脑",
    "fruit": "生鲜水果",
    "grocery": "食品杂货",
    "kitchen": "厨房用品",
    "phones": "手机配件",
    "sports": "运动户外",
}


def seen_in_training(splits: Mapping[str, tuple[int, int]]) -> Figure:
    """How much of each test set stands in the training part: one bar a split.

    Args:
        splits: name of the split → (test texts that training has too, all test texts).
    """
    shares = {name: 100 * seen / tested for name, (seen, tested) in splits.items()}
    with drawing(height=0.8 + 0.6 * len(shares)) as (fig, ax):
        bars = ax.barh(list(shares), list(shares.values()), color=ORANGE, height=0.6)
        ax.bar_label(bars, fmt="%.0f %% seen", padding=6)
        ax.set(xlim=(0, 100), xlabel="test texts that stand in the training part too, %")
        ax.invert_yaxis()
    told = "; ".join(f"{name}: {share:.1f} %" for name, share in shares.items())
    return finish(fig, alt=f"Bars: share of test texts that training has seen. {told}.")


def when_the_shop_sells(stored: "pd.Series", local: "pd.Series") -> Figure:
    """Baskets by hour, on the stored and on the local clock, and by local day of the week.

    Args:
        stored: one time a basket, as published.
        local: the same on the shop's own clock.
    """
    by_day = 100 * local.dt.dayofweek.value_counts(normalize=True).sort_index()
    with drawing(columns=2, width=9.0) as (fig, (hours, days)):
        before = _by_hour(hours, stored, "as stored", ORANGE, "--", (23.2, 8.5))
        after = _by_hour(hours, local, "local time", BLUE, "-", (6.5, 9.0))
        hours.set(xlabel="hour of the day", ylabel="share of baskets, %", ylim=0)
        hours.set_xticks(range(0, 24, 4))
        days.bar([_DAYS[day] for day in by_day.index], by_day, color=BLUE)
        days.set(xlabel="day of the week, local time", ylabel="share of baskets, %")
    busiest = _DAYS[by_day.idxmax()]
    return finish(fig, alt=f"Two panels. Baskets by hour: {before}; {after}. Most on a {busiest}.")


def _by_hour(
    ax: "Axes", times: "pd.Series", name: str, colour: str, line: str, place: tuple[float, float]
) -> str:
    share = 100 * times.dt.hour.value_counts(normalize=True).sort_index()
    ax.plot(share.index, share, line, color=colour)
    ax.annotate(name, place, color=colour)
    return f"{name}, most at {share.idxmax()} o'clock and fewest at {share.idxmin()}"


def repeat_share(share: "pd.Series") -> Figure:
    """Share of each week's products that the household has bought in an earlier week.

    Args:
        share: between 0 and 1, indexed by week.
    """
    with drawing() as (fig, ax):
        ax.plot(share.index, 100 * share, color=BLUE, marker="o", markersize=3)
        for week, name, side in ((48, "Thanksgiving", "right"), (52, "before Christmas", "center")):
            point = (week, 100 * share[week])
            line = {"arrowstyle": "-", "color": INK}
            below = (week - 1, point[1] - 7) if side == "right" else (week - 2, point[1] - 15)
            ax.annotate(name, point, below, ha=side, arrowprops=line)
        ax.set(xlabel="week of the year", ylabel="bought before by this household, %", ylim=(0, 60))
    return finish(
        fig,
        alt=f"A line that rises from 0 % in week 1 over {100 * share[13]:.0f} % in week 13 to "
        f"{100 * share.iloc[-1]:.0f} % in the last week, with dips at Thanksgiving and before "
        "Christmas.",
    )


def prices_by_category(products: "pd.DataFrame") -> Figure:
    """Each product's price, by category, with the category's median; cheapest category below.

    Args:
        products: the store's table.
    """
    medians = products.groupby("category")["price_cny"].median().sort_values()
    with drawing(height=4.4) as (fig, ax):
        for row, (category, median) in enumerate(medians.items()):
            prices = products.loc[products["category"] == category, "price_cny"]
            ax.plot(prices, [row] * len(prices), "o", color=BLUE, alpha=0.45, markersize=5)
            ax.plot([median], [row], "|", color=ORANGE, markersize=16, markeredgewidth=3)
        ax.set_yticks(range(len(medians)), [f"{name} {_CHINESE[name]}" for name in medians.index])
        ax.set(xscale="log", xlabel="price in yuan (logarithmic); bar: the middle product")
        ax.set_xticks([10, 100, 1000, 10000], ["10", "100", "1,000", "10,000"])
    cheap, dear = medians.index[0], medians.index[-1]
    return finish(
        fig,
        alt=f"Prices of the products in {len(medians)} categories. The middle price runs from "
        f"{medians.iloc[0]:.0f} yuan ({cheap}) to {medians.iloc[-1]:.0f} yuan ({dear}).",
    )


def leak() -> Figure:
    """`seen_in_training` for a random fifth of the Chinese lines and for the course's split."""
    from ecomtutor import datasets

    raw, chinese = datasets.raw_reviews("zh"), datasets.reviews("zh")
    test = raw.sample(frac=0.2, random_state=0)
    train = raw.drop(test.index)
    ours = {name: part.text for name, part in chinese.groupby("split")}
    return seen_in_training(
        {
            "random fifth of the lines": (int(test.text.isin(train.text).sum()), len(test)),
            "the course's split": (int(ours["test"].isin(ours["train"]).sum()), len(ours["test"])),
        }
    )


def shop_hours() -> Figure:
    """`when_the_shop_sells` for the baskets of the Complete Journey."""
    from ecomtutor import datasets

    lines = datasets.journeys().transactions
    stored = lines.drop_duplicates("basket_id").transaction_timestamp
    return when_the_shop_sells(
        stored, stored.dt.tz_localize("UTC").dt.tz_convert("America/New_York")
    )


def habit() -> Figure:
    """`repeat_share` for the households of the Complete Journey."""
    from ecomtutor import datasets

    lines = datasets.journeys().transactions.sort_values("week")
    pairs = lines[["household_id", "product_id", "week"]].drop_duplicates()
    before = pairs.duplicated(["household_id", "product_id"])
    return repeat_share(before.groupby(pairs.week).mean())


def store_prices() -> Figure:
    """`prices_by_category` for the store's own products."""
    from ecomtutor import datasets

    return prices_by_category(datasets.store().products)
