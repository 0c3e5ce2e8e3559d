"""The recommendation explorer: what it shows, the reasons it gives, what it refuses kindly."""

import re
import sys
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from ipywidgets import Box, Output

from ecomtutor.authoring.outputs import PICTURE_IN_HTML
from ecomtutor.authoring.pages import remote_loads
from ecomtutor.errors import EcomTutorError
from ecomtutor.recommendation import OwnFrequency, Popularity, Purchases
from ecomtutor.recommendation.catalogue_search import CatalogueSearch
from ecomtutor.recommendation.neighbours import ItemKNN
from ecomtutor.widgets import recommendation_explorer
from ecomtutor.widgets.recommendation_explorer import (
    LONGEST,
    SIZES,
    Settings,
    as_html,
    as_text,
)

NEEDS = ("蓝牙耳机 300元以内 IPX5以上", "wireless earphones under 300 yuan, <b>IPX5</b>")
KINDS = ("buns", "sausages", "tea", "soap", "rice & <b>beans</b>", "milk")


def small_shop() -> Purchases:
    """Eight households, six products: who buys buns also buys sausages; tea is bought by most."""
    baskets = {
        1: "buns tea", 2: "buns sausages tea", 3: "buns sausages", 4: "buns sausages tea",
        5: "tea soap", 6: "tea soap milk", 7: "tea", 8: "tea milk",
    }  # fmt: skip
    rows = [
        (home - 1, KINDS.index(kind), 10 * home + week, week, 7.0 * (week - 1))
        for home, kinds in baskets.items()
        for kind in kinds.split()
        for week in (1, 2, 4)
    ]
    lines = pd.DataFrame(rows, columns=["household", "product", "basket", "week", "day"])
    lines = lines.assign(store=1, quantity=1, paid=1.0, discount=0.0)
    products = pd.DataFrame(
        {
            "product_id": np.arange(101, 107),
            "department": "GROCERY",
            "product_category": "FOOD",
            "product_type": [kind.upper() for kind in KINDS],
            "package_size": "1 OZ",
            "brand": "National",
            "text": list(KINDS),
        }
    )
    return Purchases(lines, np.arange(1, 9), products, last_week=5)


@pytest.fixture(scope="module")
def explorer() -> Any:
    known = small_shop()
    models = {
        "popularity": Popularity().fit(known),
        "own frequency": OwnFrequency().fit(known),
        "neighbours": ItemKNN(k=6, shrinkage=0, half_life_weeks=None).fit(known),
    }
    searches = {
        "limits": CatalogueSearch(dense=False),
        "words": CatalogueSearch(dense=False, keep_limits=False),
    }
    return recommendation_explorer(models, [1, 7], NEEDS, searches)


def test_lists_are_those_of_the_recommenders(explorer: Any) -> None:
    for task, exclude in (("next", ()), ("discovery", "bought")):
        seen = explorer.explore(Settings(1, task, k=3))
        assert list(seen.lists) == list(explorer.recommenders)
        for name, model in explorer.recommenders.items():
            texts = model.recommend(1, 3, exclude=exclude).table["text"]
            assert [f"{text} 1 oz" for text in texts] == [row.product for row in seen.lists[name]]


def test_a_habit_is_told_as_one(explorer: Any) -> None:
    rows = explorer.explore(Settings(1)).lists["own frequency"]
    assert rows[0].reason == "bought 3 times, last 1 week ago"


def test_a_reason_was_checked_by_taking_it_away(explorer: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(sys.modules[Settings.__module__], "FALLS", (1, 2, 3))
    seen = explorer._explore(Settings(1, "discovery", k=1))
    assert seen.lists["neighbours"][0].product == "sausages 1 oz"
    reason = seen.lists["neighbours"][0].reason
    assert reason.startswith("because of buns: without them beyond place ")
    # Popularity does not look at the history, so nothing in it can be the reason.
    assert re.fullmatch(r"\d households buy it", seen.lists["popularity"][0].reason)


def test_about_a_household(explorer: Any) -> None:
    assert explorer.explore(Settings(1)).about == "6 lines in 3 baskets, most often buns 3, tea 3."


@pytest.mark.parametrize("need", NEEDS)
def test_a_need_is_served_by_every_search(explorer: Any, need: str) -> None:
    seen = explorer.explore(Settings(1, need=need, k=3))
    assert list(seen.lists) == ["limits", "words"]
    for row in seen.lists["limits"]:
        assert float(row.product.rpartition("¥")[2]) <= 300 and "✗" not in row.reason
    found = explorer.searches["words"].search(need, 3).table
    assert [row.product for row in seen.lists["words"]] == [
        f"{row.title} ¥{row.price_cny:g}" for row in found.itertuples()
    ]
    assert seen.about == explorer.searches["limits"].search(need).need.in_words()


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"household": 99}, "no household 99"),
        ({"task": "both"}, "task is next or discovery; 'both' came"),
        ({"k": 0}, "at least 1"),
        ({"need": "？！"}, "no word of either"),
        ({"need": "a" * (LONGEST + 1)}, "1,001 came"),
    ],
)
def test_controls_that_cannot_be_are_told(explorer: Any, wrong: Any, message: str) -> None:
    with pytest.raises(EcomTutorError, match=message):
        explorer.explore(replace(Settings(1), **wrong))


def test_what_cannot_be_compared_is_told() -> None:
    known = small_shop()
    fitted = Popularity().fit(known)
    with pytest.raises(EcomTutorError, match="0 and 1 came"):
        recommendation_explorer({}, [1])
    with pytest.raises(EcomTutorError, match="1 and 0 came"):
        recommendation_explorer({"a": fitted}, [])
    with pytest.raises(EcomTutorError, match="no household 99"):
        recommendation_explorer({"a": fitted}, [1, 99])
    with pytest.raises(EcomTutorError, match="learned nothing"):
        recommendation_explorer({"a": fitted, "b": Popularity()}, [1])
    fewer = replace(known, products=known.products.iloc[:6].copy(), lines=known.lines)
    other = replace(fewer, products=pd.concat([known.products, known.products.iloc[:1]]))
    with pytest.raises(EcomTutorError, match="one catalogue"):
        recommendation_explorer({"a": fitted, "b": Popularity().fit(other)}, [1])


def test_static_views_never_change_and_need_no_script_and_no_web(explorer: Any) -> None:
    page, text = explorer._repr_html_(), repr(explorer)
    again = recommendation_explorer(explorer.recommenders, [1], NEEDS, explorer.searches)
    assert (again._repr_html_(), repr(again)) == (page, text)
    assert page.startswith(PICTURE_IN_HTML)  # compared by its words
    assert not re.search(r"<script|<style|\son\w+=|https?:", page) and remote_loads(page) == []
    assert set(explorer._repr_mimebundle_()) == {"text/html", "text/plain"}
    assert "<b>" not in page and len(page.encode()) < 60_000
    for name in (*explorer.recommenders, *explorer.searches):
        assert name in page and f"{name}:" in text
    assert "Household 1, next purchases" in text and "Household 1, discovery" in text
    assert all(need in text for need in NEEDS)


def test_every_control_changes_the_live_view(explorer: Any) -> None:
    _, row, need, view = explorer.widget().children
    household, task, k = row.children
    chosen: dict[str, Any] = {"household": 1}
    assert as_html(explorer.explore(Settings(**chosen))) in view.value
    for control, name, value in (
        (household, "household", 7),
        (task, "task", "discovery"),
        (k, "k", 3),
        (need, "need", NEEDS[0]),
    ):
        before = view.value
        control.value = chosen[name] = value
        assert as_html(explorer.explore(Settings(**chosen))) in view.value
        assert view.value != before
    need.value = "？！"
    assert "no word of either" in view.value
    need.value = "  "
    assert "Household 7" in view.value


def test_controls_are_reached_by_keyboard_and_named(explorer: Any) -> None:
    box = explorer.widget()
    assert isinstance(box, Box) and not any(isinstance(child, Output) for child in box.children)
    _, row, need, _ = box.children
    for control in (need, *row.children):
        assert control.description and not control.disabled
    assert not need.continuous_update and row.children[2].options == SIZES


def test_a_list_that_is_shorter_than_another_leaves_cells_empty(explorer: Any) -> None:
    seen = explorer.explore(Settings(1, "discovery", k=10))
    one = replace(seen, lists={"long": seen.lists["popularity"], "short": ()})
    assert as_html(one).count("<td") == 2 * len(seen.lists["popularity"])
    assert "short:" in as_text(one)
