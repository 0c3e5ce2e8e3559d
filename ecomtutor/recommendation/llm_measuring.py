"""What the language model wrote for a fixed sample of customers, and how it fares with it.

python -m ecomtutor.recommendation measure llm     writes data/experiments/llm_needs.csv
python -m ecomtutor.recommendation evaluate llm    prints the figures, from the file
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ecomtutor.errors import EcomTutorError, MissingResource
from ecomtutor.recommendation.base import Recommender
from ecomtutor.recommendation.baselines import OwnFrequency, Popularity
from ecomtutor.recommendation.in_words import profile_texts
from ecomtutor.recommendation.llm import (
    LanguageModelRecommender,
    Need,
    is_sold,
    write_names,
    write_needs,
    write_queries,
)
from ecomtutor.recommendation.purchases import Part, Task, training_purchases
from ecomtutor.recommendation.sampling import interval, ndcg_of, sample_of_buyers

if TYPE_CHECKING:
    import pandas as pd

FILE = "llm_needs.csv"
HOUSEHOLDS, CUSTOMERS, BASKET = 60, 48, 3
BETWEEN = " | "


def measure_llm(path: Path | None = None, many: int | None = None) -> "pd.DataFrame":
    """Let the model write needs, search words and names for its samples; save them.

    baskets: households that bought something new to them in weeks 43–45, their past up to week
    42. store: made-up customers, each with three random products of one category. needs: what
    shoppers type into the store's search, in English.

    Args:
        path: elsewhere than in data/experiments.
        many: of each, at most; unless given, `HOUSEHOLDS`, `CUSTOMERS` and all needs.
    """
    import pandas as pd

    known = training_purchases(42)
    ids = sample_of_buyers(min(HOUSEHOLDS, many or HOUSEHOLDS), "discovery", "validation")
    households = [str(household) for household in ids]
    rows = [
        *_written("baskets", households, profile_texts(known.of(ids))),
        *_written("store", *store_customers(min(CUSTOMERS, many or CUSTOMERS))),
        *_typed_needs(many),
    ]
    path = path or _file()
    path.parent.mkdir(parents=True, exist_ok=True)
    table = pd.DataFrame(rows).fillna("")
    table.to_csv(path, index=False)
    return table


def _written(shop: str, customers: Sequence[str], profiles: Sequence[str]) -> list[dict[str, str]]:
    return [
        {"shop": shop, "customer": customer, "profile": need.profile, "need": need.need,
         "query": need.query}
        for customer, need in zip(customers, write_needs(profiles), strict=True)
    ]  # fmt: skip


def _typed_needs(many: int | None) -> list[dict[str, str]]:
    """Needs as typed, the search words that the model makes of them, and what it would name."""
    from ecomtutor.recommendation.search_quality import judged_needs

    table = judged_needs("en")[:many]
    needs = table["need"].tolist()
    return [
        {"shop": "needs", "customer": number, "need": need, "query": query,
         "names": BETWEEN.join(names)}
        for number, need, query, names in zip(
            table["id"], needs, write_queries(needs), write_names(needs), strict=True
        )
    ]  # fmt: skip


def store_customers(many: int = CUSTOMERS, seed: int = 0) -> tuple[list[str], list[str]]:
    """Made-up customers of Pomelo Street: what each bought (ids with "+"), and that in words."""
    from ecomtutor.datasets import store

    products, dice = store().products, np.random.default_rng(seed)
    categories = products["category"].unique()
    bought, profiles = [], []
    for number in range(many):
        shelf = products[products["category"] == categories[number % len(categories)]]
        chosen = shelf.iloc[dice.choice(len(shelf), BASKET, replace=False)]
        bought.append("+".join(chosen["id"]))
        profiles.append(", ".join(map(short_title, chosen["title_en"], chosen["brand"])))
    return bought, profiles


def short_title(title: str, brand: str) -> str:
    """A title without its brand and its details, as somebody would say it."""
    return title.removeprefix(brand).split(",")[0].strip()


def read_llm(path: Path | None = None) -> "pd.DataFrame":
    """The shipped sample: shop, customer, profile, need, query, names (joined by " | ").

    Raises:
        MissingResource: the file is not there.
    """
    import pandas as pd

    path = path or _file()
    if not path.is_file():
        raise MissingResource(
            f"{FILE} is not in data/experiments. Work from a full clone, or write it again: "
            "python -m ecomtutor.recommendation measure llm"
        )
    return pd.read_csv(path, keep_default_na=False, dtype=str)


def _file() -> Path:
    from ecomtutor.datasets.store import data_dir

    return data_dir() / "experiments" / FILE


def shipped_writer(table: "pd.DataFrame") -> Any:
    """A writer for `LanguageModelRecommender` that looks needs up instead of generating them."""
    known = {row.profile: Need(row.profile, row.need, row.query) for row in table.itertuples()}
    return lambda profiles: [known.get(profile, Need(profile, "", "")) for profile in profiles]


def evaluate_llm(part: Part = "validation", households: int = HOUSEHOLDS) -> Iterator[str]:
    """Lines: NDCG@10 of the language model and of the rest on its sample; and what it names.

    Args:
        part: "validation".
        households: of the sample, at most.

    Raises:
        EcomTutorError: another part than "validation": the needs were written from weeks 1–42.
    """
    if part != "validation":
        raise EcomTutorError(
            f'The needs in {FILE} were written from weeks 1–42, for "validation"; {part!r} came.'
        )
    table = read_llm()
    yield from _baskets(table[table["shop"] == "baskets"][:households])
    yield from _store(table[table["shop"] == "store"])
    yield from _typed(table[table["shop"] == "needs"])
    named = judged_names(table)
    shares = named["verdict"].value_counts(normalize=True)
    said = ", ".join(f"{share:.0%} {verdict}" for verdict, share in shares.items())
    yield f"store: {len(named)} names that it gives freely for the typed needs: {said}"


def contestants(table: "pd.DataFrame") -> "dict[str, Recommender]":
    """What is compared: the rest, and the language model with and without a share of popularity."""
    from ecomtutor.recommendation.text_towers import TextTower

    writer = shipped_writer(table)
    return {
        "popularity": Popularity(),
        "own frequency, half-life 26 weeks": OwnFrequency(26),
        "text tower": TextTower(),
        "profile as query": LanguageModelRecommender(read="profile"),
        "language model: need": LanguageModelRecommender(writer=writer, read="need"),
        "language model: query": LanguageModelRecommender(writer=writer, read="query"),
        "profile as query, text alone": LanguageModelRecommender(0.0, read="profile"),
        "language model: query, text alone": LanguageModelRecommender(0.0, writer=writer),
    }


def _baskets(table: "pd.DataFrame") -> Iterator[str]:
    known, ids = training_purchases(42), table["customer"].astype(int).to_numpy()
    tasks: tuple[Task, Task] = ("next", "discovery")
    yield f"baskets, weeks 43–45: {len(ids)} households, NDCG@10 with its 95 % interval"
    for name, model in contestants(table).items():
        scores = model.fit(known).score(ids.tolist())
        figures = [interval(ndcg_of(scores, ids, task)) for task in tasks]
        said = "   ".join(
            f"{task} {mean:.3f} [{low:.3f}, {high:.3f}]"
            for task, (mean, low, high) in zip(tasks, figures, strict=True)
        )
        yield f"  {name:35} {said}"


def judged_names(table: "pd.DataFrame | None" = None) -> "pd.DataFrame":
    """Each name that the model gave freely for a typed need, and what it is worth to the shop.

    Returns:
        A table: need, name, verdict: "sold here", if one title and brand has all of its words;
        "said again", if it only repeats words of the need; else "not sold here".
    """
    import pandas as pd

    from ecomtutor.datasets import store

    table = read_llm() if table is None else table
    products = store().products
    titles = (products["title_en"] + " " + products["brand"]).tolist()
    rows = []
    for row in table[table["shop"] == "needs"].itertuples():
        for name in filter(None, str(row.names).split(BETWEEN)):
            known = "said again" if is_sold(name, [str(row.need)]) else "not sold here"
            rows.append((row.need, name, "sold here" if is_sold(name, titles) else known))
    return pd.DataFrame(rows, columns=["need", "name", "verdict"])


def _store(table: "pd.DataFrame", k: int = 5) -> Iterator[str]:
    """How much of a list lies in the category that a made-up customer buys from."""
    from ecomtutor.recommendation.catalogue_search import CatalogueSearch
    from ecomtutor.recommendation.vocabulary import pages

    category = {page.row["id"]: page.row["category"] for page in pages()}
    search = CatalogueSearch("en", keep_limits=False)
    yield f"store: {len(table)} made-up customers, share of {k} products in their category"
    for name in ("profile", "need", "query"):
        shares = []
        for row in table.itertuples():
            bought = str(row.customer).split("+")
            found = search.search(getattr(row, name), k + len(bought)).table["product_id"]
            shown = [product for product in found if product not in bought][:k]
            own = category[bought[0]]
            shares.append(np.mean([category[product] == own for product in shown] or [0.0]))
        mean, low, high = interval(np.array(shares))
        yield f"  {name + ' as query':35} {mean:.2f} [{low:.2f}, {high:.2f}]"


def _typed(table: "pd.DataFrame", k: int = 10) -> Iterator[str]:
    """Whether the model's search words find what a typed need asks for, and put it first."""
    from ecomtutor.recommendation.catalogue_search import CatalogueSearch
    from ecomtutor.recommendation.search_quality import judged_needs

    right = judged_needs("en", "test").set_index("id")["right"]
    table = table[table["customer"].isin(right.index)]
    yield f"store: {len(table)} typed needs of the search's test split"
    for name, said in (("need", "as typed"), ("query", "made into search words")):
        recall, first = [], []
        for row in table.itertuples():
            wanted = set(right[row.customer])
            found = CatalogueSearch("en").search(getattr(row, name), k).table["product_id"].tolist()
            recall.append(len(wanted & set(found)) / min(k, len(wanted)))
            first.append(float(bool(wanted & set(found[:1]))))
        figures = [interval(np.array(values)) for values in (recall, first)]
        shown = "   ".join(
            f"{measure} {mean:.2f} [{low:.2f}, {high:.2f}]"
            for measure, (mean, low, high) in zip((f"recall@{k}", "first is right"), figures,
                                                  strict=True)
        )  # fmt: skip
        yield f"  {said:35} {shown}"
