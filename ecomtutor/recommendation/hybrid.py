"""All recommenders at once: gradient boosting decides whom to believe, pair by pair.

Candidates of a household are what it buys most and what factors, linear model and its stores
propose. Each candidate becomes a row of features (`features.py`), and LightGBM learns from
earlier weeks which rows were bought in the eight weeks that followed.
"""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from ecomtutor.datasets.store import data_dir
from ecomtutor.errors import EcomTutorError, MissingResource
from ecomtutor.recommendation.base import Recommender, best
from ecomtutor.recommendation.factors import ALS
from ecomtutor.recommendation.features import (
    GROUPS,
    Grouping,
    StorePopularity,
    household_features,
    pair_features,
    product_features,
)
from ecomtutor.recommendation.neighbours import Ease
from ecomtutor.recommendation.purchases import Purchases, Task, training_purchases

if TYPE_CHECKING:
    import pandas as pd

SHIPPED = "shop-ranker"
AHEAD = 8  # weeks that a label looks ahead: as long as the test
STEP = 4  # weeks between two moments of training
BLOCK = 512  # households at a time: some 60 MB for each matrix of scores
NEXT_OWN = 70
PROPOSED = {"next": {"ease": 15}, "discovery": {"als": 60, "ease": 40, "ease_binary": 40,
                                                "stores": 10, "tried": 20}}  # fmt: skip


class Components:
    """What the ranker listens to, learned at one moment: factors, linear models, sales.

    Args:
        purchases: up to that moment.
    """

    def __init__(self, purchases: Purchases):
        self.purchases = purchases
        # Settings in full: the shipped boosting was trained on these scores and no others.
        self.als = ALS(96, 20.0, 1.5, 12, "log", 26.0).fit(purchases)
        self.ease = Ease(100.0, "log", 26.0).fit(purchases)
        self.ease_binary = Ease(100.0, "binary", None).fit(purchases)
        self.stores = StorePopularity(purchases, 30)
        self.stores_long = StorePopularity(purchases, 180)
        self.products = product_features(purchases)
        self.groupings = {name: Grouping(purchases, GROUPS[name]) for name in GROUPS}

    def table(
        self,
        histories: Purchases,
        task: Task,
        scores: "dict[str, np.ndarray[Any, Any]] | None" = None,
    ) -> "pd.DataFrame":
        """The candidates of some histories with their features, one row a pair.

        `scores` are those of the histories, where they are already there.
        """
        import pandas as pd

        scores = scores or self.scores(histories)
        bought = pair_features(histories)
        pairs = self._candidates(histories, bought, scores, task)
        pairs = pairs.merge(bought, on=["household", "product"], how="left")
        at = (pairs["household"].to_numpy(), pairs["product"].to_numpy())
        theirs = household_features(histories).iloc[at[0]].reset_index(drop=True)
        pairs = pd.concat([pairs, theirs, self.products.iloc[at[1]].reset_index(drop=True)], axis=1)
        for days in (21, 60, 240):
            per = pairs[f"purchases_{days}d"] / np.maximum(pairs[f"baskets_{days}d"], 0.05)
            pairs[f"purchases_a_basket_{days}d"] = per
        usual = pairs["product_days_between"].where(pairs["product_days_between"] > 0)
        pairs["due_for_product"] = pairs["days_since_last"] / usual
        groups = [self.groupings[name].features(histories, pairs, name) for name in GROUPS]
        told = pd.DataFrame({name: values[at] for name, values in scores.items()})
        return pd.concat([pairs, *groups, told], axis=1)

    def scores(self, histories: Purchases) -> dict[str, "np.ndarray[Any, Any]"]:
        """The recommenders' scores, each (households, products)."""
        return {
            "als": self.als.score_histories(histories),
            "ease": self.ease.score_histories(histories),
            "ease_binary": self.ease_binary.score_histories(histories),
            "stores": self.stores.score_histories(histories),
            "stores_long": self.stores_long.score_histories(histories),
        }

    def _candidates(
        self,
        histories: Purchases,
        bought: "pd.DataFrame",
        scores: dict[str, "np.ndarray[Any, Any]"],
        task: Task,
    ) -> "pd.DataFrame":
        """Pairs worth a row: the household's habits (next purchases), and what is proposed."""
        import pandas as pd

        held = np.zeros((len(histories.households), len(histories.products)), dtype=bool)
        held[bought["household"], bought["product"]] = True
        kept = np.zeros_like(held)
        if task == "next":
            habit = bought["purchases_120d"] + 0.02 * bought["purchases"]
            rank = habit.groupby(bought["household"]).rank(ascending=False, method="first")
            own = bought[rank <= NEXT_OWN]
            kept[own["household"], own["product"]] = True
        tried = self.products["new_buyers_8w"].to_numpy(dtype=np.float32)
        for name, count in PROPOSED[task].items():
            new = np.tile(tried, (len(held), 1)) if name == "tried" else scores[name]
            tops = best(np.where(held, -np.inf, new), count)
            row, place = (tops >= 0).nonzero()
            kept[row, tops[row, place]] = True
        household, product = kept.nonzero()
        return pd.DataFrame({"household": household.astype(np.int32),
                             "product": product.astype(np.int32)})  # fmt: skip


class Hybrid(Recommender):
    """Gradient boosting over what all other recommenders and the household's habits say.

    Args:
        task: "next", where habits compete, or "discovery", where only new products do.
        windows: moments of training, `STEP` weeks apart, the last one `AHEAD` weeks before the end.
        rounds, leaves, learning_rate, seed: LightGBM's.

    Products that are no candidates score below all that are, in the order of the ALS factors.

    Source: Ke and others (2017), LightGBM.
    """

    name: ClassVar[str] = "hybrid"

    def __init__(
        self,
        task: Task = "next",
        windows: int = 5,
        rounds: int = 250,
        leaves: int = 31,
        learning_rate: float = 0.05,
        seed: int = 0,
    ):
        super().__init__()
        if task not in PROPOSED:
            raise EcomTutorError(f'The tasks are "next" and "discovery"; {task!r} came.')
        self.task, self.windows, self.rounds = task, windows, rounds
        self.leaves, self.learning_rate, self.seed = leaves, learning_rate, seed
        self.booster: Any = None

    def _learn(self, purchases: Purchases) -> None:
        import lightgbm

        rows = self.examples(purchases)
        columns = feature_names(rows)
        data = lightgbm.Dataset(rows[columns], rows["bought"])
        self.booster = lightgbm.train(self._settings(), data, self.rounds)
        self.listen(purchases)

    def listen(self, purchases: Purchases) -> "Hybrid":
        """Learn the components anew, as of the last week; the boosting stays. Returns itself."""
        self.components = Components(purchases)
        self._purchases = purchases
        return self

    def _settings(self) -> dict[str, Any]:
        return {
            "objective": "binary",
            "learning_rate": self.learning_rate,
            "num_leaves": self.leaves,
            "min_data_in_leaf": 200,
            "feature_fraction": 0.4,
            "bagging_fraction": 0.7,
            "bagging_freq": 1,
            "lambda_l2": 10,
            "max_bin": 127,
            "seed": self.seed,
            "deterministic": True,
            "force_row_wise": True,
            "verbosity": -1,
        }

    def examples(self, purchases: Purchases) -> "pd.DataFrame":
        """Candidates at earlier moments, and whether the next eight weeks brought them.

        Raises:
            EcomTutorError: fewer weeks than a moment and the weeks after it need.
        """
        import pandas as pd
        from tqdm.auto import tqdm

        moments = [purchases.last_week - AHEAD - STEP * i for i in range(self.windows)]
        if moments[-1] <= AHEAD:
            raise EcomTutorError(
                f"{self.windows} windows need more than {purchases.last_week} weeks of purchases. "
                "Take fewer windows."
            )
        tables = []
        for moment in tqdm(moments, desc="moments of training", leave=False):
            known, after = purchases.until(moment), purchases.between(moment + 1, moment + AHEAD)
            components, came = Components(known), after.counts().sign().tocsr()
            for start in range(0, len(known.households), BLOCK):
                table = components.table(known.block(start, start + BLOCK), self.task)
                at = (table["household"].to_numpy() + start, table["product"].to_numpy())
                tables.append(table.assign(bought=np.asarray(came[at]).ravel() > 0))
        return pd.concat(tables, ignore_index=True)

    def score_histories(self, histories: Purchases) -> "np.ndarray[Any, Any]":
        """Log-odds of a purchase for candidates, less for others: (households, products)."""
        if self.booster is None:
            raise EcomTutorError("hybrid has learned nothing yet. Call fit or load_hybrid first.")
        scores = np.empty((len(histories.households), len(histories.products)), dtype=np.float32)
        for start in range(0, len(scores), BLOCK):
            block = histories.block(start, start + BLOCK)
            scores[start : start + BLOCK] = self._block(block)
        return scores

    def _block(self, histories: Purchases) -> "np.ndarray[Any, Any]":
        scores = self.components.scores(histories)
        rows = self.components.table(histories, self.task, scores)
        odds = self.booster.predict(rows[self.booster.feature_name()], raw_score=True)
        rest = scores["als"]
        rest -= rest.max(axis=1, keepdims=True) + 50  # below any log-odds
        rest[rows["household"], rows["product"]] = odds
        return rest


def feature_names(rows: "pd.DataFrame") -> list[str]:
    """The columns that the ranker reads: all but the pair itself and its label."""
    return [name for name in rows if name not in ("household", "product", "bought")]


def save_hybrid(ranker: Hybrid, folder: Path) -> None:
    """The boosting as LightGBM's text, and the settings, in `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{ranker.task}.txt").write_text(ranker.booster.model_to_string(), encoding="utf-8")
    settings = {"task": ranker.task, "windows": ranker.windows, "rounds": ranker.rounds,
                "leaves": ranker.leaves, "learning_rate": ranker.learning_rate,
                "seed": ranker.seed}  # fmt: skip
    (folder / f"{ranker.task}.json").write_text(json.dumps(settings, indent=1) + "\n")


def load_hybrid(
    task: Task = "next",
    purchases: Purchases | None = None,
    components: Components | None = None,
) -> Hybrid:
    """The shipped ranker, listening to components learned here (some twenty seconds).

    Args:
        task: "next" or "discovery".
        purchases: what the components learn from; unless given, all of `training_purchases()`.
        components: those of the ranker for the other task, which have learned already.

    Raises:
        EcomTutorError: another task.
        MissingResource: data/models/shop-ranker is not there.
    """
    import lightgbm

    if task not in PROPOSED:
        raise EcomTutorError(f'The tasks are "next" and "discovery"; {task!r} came.')
    file = data_dir() / "models" / SHIPPED / f"{task}.txt"
    if not file.is_file():
        raise MissingResource(
            f"{file.name} of {SHIPPED} is not in data/models. Work from a full clone, or train it: "
            f"python -m ecomtutor.recommendation train {SHIPPED}"
        )
    settings = json.loads(file.with_suffix(".json").read_text(encoding="utf-8"))
    ranker = Hybrid(**settings)
    ranker.booster = lightgbm.Booster(model_str=file.read_text(encoding="utf-8"))
    if components is None:
        return ranker.listen(purchases or training_purchases())
    ranker.components, ranker._purchases = components, components.purchases
    return ranker
