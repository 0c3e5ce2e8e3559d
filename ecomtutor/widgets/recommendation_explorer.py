"""The explorer of lesson 08: a household or a need, lists of several recommenders, and why.

It works on any fitted recommenders over the same catalogue, and on any searches of the store.
"""

from __future__ import annotations

import html
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from ecomtutor.errors import EcomTutorError
from ecomtutor.widgets.core import StaticAndLive

if TYPE_CHECKING:
    import numpy as np

    from ecomtutor.recommendation import Purchases, Recommender
    from ecomtutor.recommendation.catalogue_search import CatalogueSearch

TASKS = {"next purchases": "next", "discovery: only what is new": "discovery"}
SIZES = (3, 5, 8, 10)
LONGEST = 1000  # characters of a need
FALLS = (10, 20, 100, 1000)  # places that a sentence names: "beyond place 100"
_TYPED = 60  # characters of a need in a heading

_TITLE = "Recommendation explorer: one household or one need, several lists, and why."


@dataclass(frozen=True)
class Settings:
    """The controls. A need, where one is typed, is served instead of the household."""

    household: int
    task: str = "next"
    need: str = ""
    k: int = 5


@dataclass(frozen=True)
class Row:
    """A product in a list, and why it stands there."""

    product: str
    reason: str


@dataclass(frozen=True)
class Explored:
    """The lists side by side: name of the recommender or search → its rows, best first.

    about   what is known of the household, or what was understood of the need
    notes   name → what a reader should know of that list, where there is something
    """

    title: str
    about: str
    lists: Mapping[str, tuple[Row, ...]]
    notes: Mapping[str, str]


def recommendation_explorer(
    recommenders: Mapping[str, Recommender],
    households: Sequence[int],
    needs: Sequence[str] = (),
    searches: Mapping[str, CatalogueSearch] | None = None,
) -> RecommendationExplorer:
    """The explorer, to be shown as the last expression of a cell.

    Args:
        recommenders: name → fitted; all learned from the same purchases.
        households: ids to choose from; the first is in the static view.
        needs: typed in any language; those in the static view.
        searches: name → search of the store; unless given, with limits and without.

    Raises:
        EcomTutorError: no recommender or household, an unknown household, a recommender that has
            not learned, or one that learned from another catalogue.
    """
    if not recommenders or not len(households):
        raise EcomTutorError(
            "An explorer shows at least one recommender and one household; "
            f"{len(recommenders)} and {len(households)} came."
        )
    sizes = {len(model.purchases.products) for model in recommenders.values()}
    if len(sizes) > 1:
        raise EcomTutorError(f"Recommenders of one catalogue are compared; {sizes} products came.")
    explorer = RecommendationExplorer(recommenders, households, needs, searches or _searches())
    for household in households:
        explorer.purchases.household_at(household)
    return explorer


def _searches() -> dict[str, CatalogueSearch]:
    from ecomtutor.recommendation.catalogue_search import CatalogueSearch

    return {
        "limits kept by rules": CatalogueSearch(),
        "everything left to the words": CatalogueSearch(keep_limits=False),
    }


class RecommendationExplorer(StaticAndLive):
    """Controls over lists and reasons in a live notebook; elsewhere one household and the needs."""

    def __init__(
        self,
        recommenders: Mapping[str, Recommender],
        households: Sequence[int],
        needs: Sequence[str],
        searches: Mapping[str, CatalogueSearch],
    ) -> None:
        self.recommenders, self.searches = dict(recommenders), dict(searches)
        self.households, self.needs = [int(household) for household in households], list(needs)
        self.explore = lru_cache(maxsize=64)(self._explore)

    @property
    def purchases(self) -> Purchases:
        """What the first recommender learned from."""
        return next(iter(self.recommenders.values())).purchases

    def __repr__(self) -> str:
        return "\n\n".join([_TITLE, *(as_text(seen) for seen in self._static())])

    def _repr_html_(self) -> str:
        from ecomtutor.interpretability.rendering.picture import paper

        body = "".join(as_html(seen) for seen in self._static())
        return paper(f"<div>{_TITLE}</div>{body}", _TITLE)

    def widget(self) -> Any:
        """The controls above the lists, an `ipywidgets.VBox`."""
        from ipywidgets import HTML, HBox, Layout, VBox

        controls = _controls(self.households)
        view = HTML(self._page(Settings(self.households[0])))

        def show(_: object) -> None:
            chosen = {name: control.value for name, control in controls.items()}
            view.value = self._page(Settings(**chosen))

        for control in controls.values():
            control.observe(show, names="value")
        need, *others = controls.values()
        row = HBox(others, layout=Layout(flex_flow="row wrap"))
        return VBox([HTML(f"<p>{_TITLE}</p>"), row, need, view])

    def _page(self, chosen: Settings) -> str:
        """The live view, on the same light paper as the static one; what is refused is said."""
        from ecomtutor.interpretability.rendering.picture import paper

        try:
            return paper(as_html(self.explore(chosen)), _TITLE)
        except EcomTutorError as error:
            return paper(f"<p><strong>{html.escape(str(error))}</strong></p>", _TITLE)

    def _static(self) -> Iterator[Explored]:
        first = Settings(self.households[0])
        for task in TASKS.values():
            yield self.explore(replace(first, task=task))
        for need in self.needs:
            yield self.explore(replace(first, need=need, k=3))

    def _explore(self, chosen: Settings) -> Explored:
        """The lists that the controls ask for.

        Raises:
            EcomTutorError: an unknown household or task, k below one, a need that says nothing or
                more than `LONGEST` characters.
        """
        if chosen.need.strip():
            return self._by_need(chosen)
        if chosen.task not in TASKS.values():
            raise EcomTutorError(f"task is {' or '.join(TASKS.values())}; {chosen.task!r} came.")
        past = self.purchases.of([chosen.household])
        lists = {
            name: tuple(_rows(model, past, chosen)) for name, model in self.recommenders.items()
        }
        task = next(said for said, task in TASKS.items() if task == chosen.task)
        title = f"Household {chosen.household}, {task}"
        return Explored(title, _about(past), lists, {})

    def _by_need(self, chosen: Settings) -> Explored:
        if len(chosen.need) > LONGEST:
            raise EcomTutorError(
                f"Up to {LONGEST:,} characters fit here; {len(chosen.need):,} came. Shorten the "
                "need."
            )
        found = {
            name: search.search(chosen.need, chosen.k) for name, search in self.searches.items()
        }
        lists = {
            name: tuple(
                Row(f"{row.title} ¥{row.price_cny:g}", row.reasons)
                for row in each.table.itertuples()
            )
            for name, each in found.items()
        }
        understood = next(iter(found.values())).need.in_words()
        short = chosen.need if len(chosen.need) <= _TYPED else chosen.need[: _TYPED - 1] + "…"
        notes = {name: each.note for name, each in found.items() if each.note}
        return Explored(f"“{short}”", understood, lists, notes)


def as_html(seen: Explored) -> str:
    """A heading, what is known, and a column for each list; each cell a product and its reason."""
    from ecomtutor.interpretability.rendering.picture import GREY, INK, PAPER

    cell = f'style="text-align:left;vertical-align:top;padding:4px 10px 4px 0;color:{INK}"'
    row = f'<tr style="background-color:{PAPER}">'
    head = "".join(f'<th scope="col" {cell}>{html.escape(name)}</th>' for name in seen.lists)
    lines = []
    for place in range(max(map(len, seen.lists.values()))):
        cells = "".join(
            f"<td {cell}>{_cell(rows[place], place, GREY) if place < len(rows) else ''}</td>"
            for rows in seen.lists.values()
        )
        lines.append(f"{row}{cells}</tr>")
    notes = "".join(
        f"<div>{html.escape(name)}: {html.escape(note)}</div>" for name, note in seen.notes.items()
    )
    return (
        f'<p style="margin:10px 0 2px"><strong>{html.escape(seen.title)}</strong><br>'
        f"{html.escape(seen.about)}</p>{notes}"
        f'<table style="font-size:13px;border:none;border-collapse:collapse"><thead>{row}{head}'
        f"</tr></thead><tbody>{''.join(lines)}</tbody></table>"
    )


def as_text(seen: Explored) -> str:
    """The same in lines of text."""
    parts = [seen.title, seen.about]
    for name, rows in seen.lists.items():
        parts.append(f"{name}: {seen.notes[name]}" if name in seen.notes else f"{name}:")
        parts += [
            f"  {place}. {row.product}" + (f" ({row.reason})" if row.reason else "")
            for place, row in enumerate(rows, 1)
        ]
    return "\n".join(parts)


def _cell(row: Row, place: int, grey: str) -> str:
    reason = f'<br><span style="color:{grey}">{html.escape(row.reason)}</span>' * bool(row.reason)
    return f"{place + 1}. {html.escape(row.product)}{reason}"


def _about(past: Purchases) -> str:
    """What stands in a household's history, in one line."""
    from ecomtutor.recommendation.in_words import type_names

    if past.lines.empty:
        return "It has bought nothing yet."
    kinds = type_names(past.products)[past.lines["product"].to_numpy()]
    names, counts = _most_frequent(kinds)
    often = ", ".join(f"{name} {count}" for name, count in zip(names, counts, strict=True))
    baskets = past.lines["basket"].nunique()
    return f"{len(past.lines):,} lines in {baskets} baskets, most often {often}."


def _most_frequent(kinds: np.ndarray[Any, Any], most: int = 4) -> tuple[list[str], list[int]]:
    import numpy as np

    names, counts = np.unique(kinds, return_counts=True)
    order = np.argsort(-counts, kind="stable")[:most]
    return names[order].tolist(), counts[order].tolist()


def _rows(model: Recommender, past: Purchases, chosen: Settings) -> Iterator[Row]:
    """A model's list for a household, each product with the best reason that was checked."""
    from ecomtutor.recommendation.past import labels

    exclude = "bought" if chosen.task == "discovery" else ()
    listed = model.recommend(chosen.household, chosen.k, exclude=exclude).table
    places = [past.product_at(product_id) for product_id in listed["product_id"]]
    names = labels(past.products, _array(places))
    why = _reasons(model, past, places, chosen)
    for name, place in zip(names, places, strict=True):
        yield Row(name, why[place])


def _reasons(
    model: Recommender, past: Purchases, places: list[int], chosen: Settings
) -> dict[int, str]:
    """Position of a product → habit, the type of past purchase that it needs, or popularity."""
    from ecomtutor.recommendation import popularity

    buyers = popularity(model.purchases)
    found = {place: _habit(past, place) for place in places}
    new = [place for place in places if not found[place]]
    if new and len(past.lines):
        found |= _needed(model, past, new, chosen)
    return {
        place: said or f"{buyers[place]:.0f} households buy it" for place, said in found.items()
    }


def _habit(past: Purchases, place: int) -> str:
    days = past.lines["day"][past.lines["product"] == place]
    if days.empty:
        return ""
    weeks = int(max(past.now - float(days.max()), 0) // 7)
    times = "once" if len(days) == 1 else f"{len(days)} times"
    ago = "in the last week" if not weeks else f"{weeks} week{'s' * (weeks > 1)} ago"
    return f"bought {times}, last {ago}" if weeks else f"bought {times}, also {ago}"


def _needed(
    model: Recommender, past: Purchases, places: list[int], chosen: Settings
) -> dict[int, str]:
    """For each new product, the type without which it would leave the list, if there is one.

    Every type is taken out of the history once, and the whole catalogue is scored again.
    """
    import numpy as np

    from ecomtutor.recommendation.past import parts_of, ranks_of, without_each

    parts = parts_of(past, "type")
    out = past.counts().toarray()[0] > 0 if chosen.task == "discovery" else np.zeros(
        len(past.products), dtype=bool
    )  # fmt: skip
    ranks = np.concatenate(
        [
            np.stack([ranks_of(scores, place, out) for place in places], axis=1)
            for scores in map(model.score_histories, without_each(past, list(parts.values())))
        ]
    )  # (types, places)
    said = {}
    for column, place in enumerate(places):
        worst = int(ranks[:, column].argmax())
        rank = int(ranks[worst, column])
        beyond = [fall for fall in FALLS if rank > fall >= chosen.k]
        said[place] = (
            f"because of {list(parts)[worst]}: without them beyond place {beyond[-1]:,}"
            if beyond
            else ""
        )
    return said


def _array(places: list[int]) -> np.ndarray[Any, Any]:
    import numpy as np

    return np.array(places, dtype=np.int64)


def _controls(households: Sequence[int]) -> dict[str, Any]:
    """One control for each field of `Settings`, under its name, in the order of the Tab key."""
    from ipywidgets import Dropdown, Text

    look: dict[str, Any] = {"style": {"description_width": "6em"}}
    return {
        "need": Text(
            "",
            description="A need",
            placeholder="or type what you look for: 蓝牙耳机 300元以内 · a gift for a runner",
            continuous_update=False,
            layout={"width": "42em"},
            **look,
        ),
        "household": Dropdown(
            options=[(str(each), each) for each in households], description="Household", **look
        ),
        "task": Dropdown(options=list(TASKS.items()), description="Task", **look),
        "k": Dropdown(options=SIZES, value=5, description="Places", **look),
    }
