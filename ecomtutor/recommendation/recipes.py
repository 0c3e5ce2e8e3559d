"""How the shipped recommenders are made: one function for each name in data/models."""

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

from ecomtutor.datasets.store import data_dir
from ecomtutor.errors import EcomTutorError

# name → module:function; the function takes the folder in which the finished model belongs, and
# says whether it is finished.
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


def train(
    name: str,
    folder: Path | None = None,
    *,
    steps: int | None = None,
    households: int | None = None,
    minutes: float | None = None,
) -> bool:
    """Train a recommender that the course ships.

    Args:
        name: a key of `RECIPES`.
        folder: where the finished model belongs; unless given, its place in data/models.
        steps: another length than the recipe's: steps, or rounds of boosting.
        households: learn from the first so many.
        minutes: pause after so long; the next call goes on.

    Returns:
        Whether it is finished.

    Raises:
        EcomTutorError: there is no such recipe; a shorter run without a folder of its own; a pause
            for the ranker, which cannot make one.
    """
    if name not in RECIPES:
        raise EcomTutorError(f"There is no recipe {name!r}. There are: {', '.join(RECIPES)}.")
    if (steps or households) and folder is None:
        raise EcomTutorError(
            f"A shorter training would write over the shipped {name}. Name a folder for it."
        )
    folder = folder or data_dir() / "models" / name
    return bool(call(RECIPES[name], folder, steps=steps, households=households, minutes=minutes))


def call(place: str, *arguments: Any, **named_arguments: Any) -> Any:
    """Call a function that is named as "module:function"; its module is imported only now."""
    module, function = place.split(":")
    named: Callable[..., Any] = getattr(import_module(module), function)
    return named(*arguments, **named_arguments)


def train_ranker(
    folder: Path,
    *,
    steps: int | None = None,
    households: int | None = None,
    minutes: float | None = None,
) -> bool:
    """The hybrid for both tasks, from weeks 1–45: labels from the weeks 22–29 … 38–45."""
    from ecomtutor.recommendation.hybrid import Hybrid, save_hybrid
    from ecomtutor.recommendation.purchases import training_purchases

    if minutes is not None:
        raise EcomTutorError("Boosting makes no checkpoints: the ranker cannot pause. No minutes.")
    known = training_purchases()
    known = known.block(0, households) if households else known
    for task in ("next", "discovery"):
        ranker = Hybrid(task, rounds=steps) if steps else Hybrid(task)
        save_hybrid(ranker.fit(known), folder)
    return True
