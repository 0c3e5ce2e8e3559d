"""The one interface of all recommenders: fit, score, recommend."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from ecomtutor.errors import EcomTutorError
from ecomtutor.recommendation.purchases import Purchases

if TYPE_CHECKING:
    import pandas as pd

    from ecomtutor.interpretability import Explanation

STRETCH = 64  # neighbouring products of which only the peak counts at first


@dataclass(frozen=True)
class Recommendations:
    """A list for one household.

    table   rank, product_id, text, score; best first
    model   which recommender made it
    note    what a shopkeeper should know about it, such as a fallback; "" if nothing
    """

    household_id: int | None
    table: "pd.DataFrame"
    model: str
    note: str = ""

    def __len__(self) -> int:
        return len(self.table)

    def _repr_html_(self) -> str:
        note = f"<p>{self.note}</p>" if self.note else ""
        return f"<p>{self.model}</p>{note}{self.table.to_html(index=False)}"


class Recommender:
    """Learns from purchases, scores every product for every household.

    A subclass gives `name`, learns in `_learn(purchases)`, and scores any histories in
    `score_histories`. Histories need not be those it learned from: an explanation scores a
    household with some of its past purchases taken out.
    """

    name: ClassVar[str] = ""

    def __init__(self) -> None:
        self._purchases: Purchases | None = None

    def fit(self, purchases: Purchases) -> Self:
        """Learn from purchases. Returns itself.

        Raises:
            EcomTutorError: purchases without a line.
        """
        if purchases.lines.empty:
            raise EcomTutorError(f"{self.name} cannot learn from purchases without a line.")
        self._learn(purchases)
        self._purchases = purchases
        return self

    def _learn(self, purchases: Purchases) -> None:
        raise NotImplementedError

    def score_histories(self, histories: Purchases) -> "np.ndarray[Any, Any]":
        """Scores of all products for each history: (households, products), float32.

        Args:
            histories: over the catalogue that it learned, its `last_week` the moment of asking.
        """
        raise NotImplementedError

    def score_products(
        self, histories: Purchases, products: "np.ndarray[Any, Any]"
    ) -> "np.ndarray[Any, Any]":
        """Scores of some products, given by position: (households, positions), float32.

        A model that can do that for less than the whole catalogue's price does it here.
        """
        return self.score_histories(histories)[:, products]

    @property
    def purchases(self) -> Purchases:
        """What it learned from. Raises `EcomTutorError` before `fit`."""
        if self._purchases is None:
            raise EcomTutorError(
                f"{self.name} has learned nothing yet. Call fit(training_purchases()) first."
            )
        return self._purchases

    def score(self, households: "Sequence[int] | None" = None) -> "np.ndarray[Any, Any]":
        """Scores (households, products), float32; None: all households, in their order.

        Raises:
            EcomTutorError: an unknown household id (`recommend` falls back instead).
        """
        known = self.purchases
        return self.score_histories(known if households is None else known.of(list(households)))

    def recommend(
        self,
        household: int | None,
        k: int = 10,
        exclude: "Iterable[int] | str" = (),
        history: Purchases | None = None,
    ) -> Recommendations:
        """The k best products for a household.

        Args:
            household: its id; None or an unknown one gets what is popular, with a note.
            k: how many; at least one. More than the catalogue holds gives what there is.
            exclude: product ids that must not appear, for example those no longer sold, or
                "bought" for everything in the household's history. Ids that are not in the
                catalogue exclude nothing.
            history: another history than the one it learned from, with one household.

        Raises:
            EcomTutorError: k below one.
        """
        if not isinstance(k, int | np.integer) or k < 1:
            raise EcomTutorError(f"k is a whole number of at least 1; {k!r} came.")
        histories, note = self._histories(household, history)
        if histories is None:
            scores = popularity(self.purchases)
            histories = replace(self.purchases, lines=self.purchases.lines.iloc[:0])
        else:
            scores = self.score_histories(histories)[0]
        out = excluded(histories, exclude)
        order = best(np.where(out, -np.inf, scores)[None], k)[0]
        order = order[order >= 0]
        if len(order) < k:
            note = f"{note} {k} were asked for; only {len(order)} products remain.".strip()
        return Recommendations(household, _table(histories, order, scores), self.name, note)

    def explain(
        self, household: int, product_id: "int | None" = None, **settings: Any
    ) -> "Explanation":
        """Which past purchases moved a household's score of a product; None: its first one.

        `ecomtutor.recommendation.explaining.explain_recommendation` says what the settings are.
        """
        # Imported here: explanations stand above recommenders, and need nothing else of them.
        from ecomtutor.recommendation.explaining import explain_recommendation

        if product_id is None:
            product_id = int(self.recommend(household, k=1).table["product_id"].iloc[0])
        return explain_recommendation(self, household, product_id, **settings)

    def _histories(
        self, household: int | None, history: Purchases | None
    ) -> tuple[Purchases | None, str]:
        """The history to score, or None with the reason why popularity must do."""
        if history is None:
            try:
                history = self.purchases.of([household])  # type: ignore[list-item]
            except EcomTutorError:
                return None, f"Household {household} is unknown: this is what sells most."
        if len(history.households) != 1:
            raise EcomTutorError(
                f"A history of one household was expected; {len(history.households)} came."
            )
        if history.lines.empty:
            return None, "The history is empty: this is what sells most."
        return history, ""


def popularity(purchases: Purchases) -> "np.ndarray[Any, Any]":
    """How many households bought each product: (products,), float32."""
    buyers: np.ndarray[Any, Any] = np.asarray(purchases.counts().sign().sum(axis=0)).ravel()
    return buyers.astype(np.float32)


def best(scores: "np.ndarray[Any, Any]", k: int) -> "np.ndarray[Any, Any]":
    """Positions of the k highest scores of each row, best first; -1 where the score is -inf.

    Equal scores come in the order of the catalogue, so that a list never depends on the machine.

    Args:
        scores: (households, products).

    Returns:
        (households, min(k, products)), int64.
    """
    k = min(k, scores.shape[1])
    tops = np.empty((len(scores), k), dtype=np.int64)
    for row, line in enumerate(scores):
        # A partial sort breaks ties as it likes: everything equal to the k-th score competes.
        places = np.flatnonzero(line >= _reached_by(line, k))
        chosen = places[np.argsort(-line[places], kind="stable")[:k]]
        tops[row] = np.where(np.isneginf(line[chosen]), -1, chosen)
    return tops


def _reached_by(line: "np.ndarray[Any, Any]", k: int) -> Any:
    """A value that k entries or more reach, and not many more: the k-th highest peak of stretches.

    Forty times faster than a partial sort of the whole line where most entries are equal.
    """
    width = min(STRETCH, len(line) // (2 * k))
    if width < 2:
        return np.partition(line, -k)[-k]
    stretches = line[: len(line) // width * width].reshape(-1, width)
    return np.partition(stretches.max(axis=1), -k)[-k]


def excluded(histories: Purchases, exclude: "Iterable[int] | str") -> "np.ndarray[Any, Any]":
    """True for products that must not appear: (products,)."""
    if isinstance(exclude, str):
        if exclude != "bought":
            raise EcomTutorError(f'exclude takes product ids or "bought"; {exclude!r} came.')
        return histories.counts().toarray()[0] > 0
    ids = histories.products["product_id"].to_numpy()
    return np.isin(ids, np.array(list(exclude), dtype=np.int64))


def _table(
    histories: Purchases, order: "np.ndarray[Any, Any]", scores: "np.ndarray[Any, Any]"
) -> "pd.DataFrame":
    table = histories.products.iloc[order][["product_id", "text"]].reset_index(drop=True)
    table.insert(0, "rank", np.arange(1, len(order) + 1))
    return table.assign(score=scores[order])
