"""How the shipped recommenders are made: one function for each name in data/models."""

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

from ecomtutor.datasets.store import data_dir
from ecomtutor.errors import EcomTutorError

# name → module:function; the function takes the folder in which the finished model belongs.
RECIPES = {
    "shop-ranker": "ecomtutor.recommendation.recipes:train_ranker",
    "shop-sasrec": "ecomtutor.recommendation.sequences:train_shipped",
    "shop-cross-encoder": "ecomtutor.recommendation.cross_encoder_training:train_shipped",
}

# name → module:function; it writes its file in data/experiments.
MEASURES = {"llm": "ecomtutor.recommendation.llm_measuring:measure_llm"}
# name → module:function; it takes "validation" or "test" and yields lines.
EVALUATIONS = {
    "shop-cross-encoder": "ecomtutor.recommendation.cross_encoder_card:evaluate_cross_encoder",
    "llm": "ecomtutor.recommendation.llm_measuring:evaluate_llm",
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
    call(RECIPES[name], folder or data_dir() / "models" / name)


def call(place: str, *arguments: Any) -> Any:
    """Call a function that is named as "module:function"; its module is imported only now."""
    module, function = place.split(":")
    named: Callable[..., Any] = getattr(import_module(module), function)
    return named(*arguments)


def train_ranker(folder: Path) -> None:
    """The hybrid for both tasks, from weeks 1–45: labels from the weeks 22–29 … 38–45."""
    from ecomtutor.recommendation.hybrid import Hybrid, save_hybrid
    from ecomtutor.recommendation.purchases import training_purchases

    for task in ("next", "discovery"):
        save_hybrid(Hybrid(task).fit(training_purchases()), folder)
