"""How the shipped recommenders are made: one function for each name in data/models."""

from collections.abc import Callable
from importlib import import_module
from pathlib import Path

from ecomtutor.datasets.store import data_dir
from ecomtutor.errors import EcomTutorError

# name → module:function; the function takes the folder in which the finished model belongs.
RECIPES = {
    "shop-ranker": "ecomtutor.recommendation.recipes:train_ranker",
}


def train(name: str, folder: Path | None = None) -> None:
    """Train a recommender that the course ships.

    Args:
        name: a key of `RECIPES`.
        folder: where the finished model belongs; unless given, its place in data/models.

    Raises:
        EcomTutorError: there is no such recipe.
    """
    if name not in RECIPES:
        raise EcomTutorError(f"There is no recipe {name!r}. There are: {', '.join(RECIPES)}.")
    module, function = RECIPES[name].split(":")
    make: Callable[[Path], None] = getattr(import_module(module), function)
    make(folder or data_dir() / "models" / name)


def train_ranker(folder: Path) -> None:
    """The hybrid for both tasks, from weeks 1–45: labels from the weeks 22–29 … 38–45."""
    from ecomtutor.recommendation.hybrid import Hybrid, save_hybrid
    from ecomtutor.recommendation.purchases import training_purchases

    for task in ("next", "discovery"):
        save_hybrid(Hybrid(task).fit(training_purchases()), folder)
