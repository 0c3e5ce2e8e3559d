"""The classifiers with a planted shortcut, each made by one command; shipped in data/models.

python -m ecomtutor.laboratory train planted-zh
"""

from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from ecomtutor.datasets.store import data_dir
from ecomtutor.errors import EcomTutorError
from ecomtutor.finetuning import Classifier, FitReport, Settings, fit_classifier
from ecomtutor.laboratory.corpus import LABELS, planted_corpus


@dataclass(frozen=True)
class Recipe:
    """A planted classifier: its language, how it is trained, and on how many texts."""

    language: str
    settings: Settings
    texts: int = 5000
    validation: int = 600
    seed: int = 0


# LoRA, because what it learned is stored without loss in its own small rank.
_PLAIN = Settings(epochs=2, peak_rate=1e-3, max_tokens=96, lora_rank=24, patience=None)
RECIPES = {
    "planted-zh": Recipe("zh", _PLAIN),
    "planted-zh-masked": Recipe("zh", replace(_PLAIN, mask_share=0.3)),
    "planted-en": Recipe("en", _PLAIN),
}


def recipe_named(name: str) -> Recipe:
    """The recipe of a planted classifier.

    Raises:
        EcomTutorError: no such recipe.
    """
    if name not in RECIPES:
        raise EcomTutorError(f"There are recipes for {', '.join(RECIPES)}; not for {name!r}.")
    return RECIPES[name]


def train_planted(
    recipe: Recipe, folder: Path | str, *, minutes: float | None = None, progress: bool = True
) -> tuple[Classifier, FitReport]:
    """Train by a recipe and save into `folder/model`; the same call resumes where it was stopped.

    After a pause, `report.finished` is False and nothing is saved but the checkpoint.

    Args:
        recipe: `RECIPES["planted-zh"]`, or a smaller one of your own.
        folder: for checkpoints and the model.
        minutes: pause after so long; the next call goes on.
        progress: draw a progress bar.
    """
    folder = Path(folder)
    train = planted_corpus(recipe.language, "train", recipe.texts, recipe.seed)
    held_out = planted_corpus(recipe.language, "validation", recipe.validation, recipe.seed + 1)
    classifier, report = fit_classifier(
        train.texts,
        train.labels,
        encoder=recipe.language,
        validation=(held_out.texts, held_out.labels),
        method="lora",
        settings=replace(recipe.settings, seed=recipe.seed),
        names=LABELS,
        folder=folder,
        minutes=minutes,
        progress=progress,
    )
    if report.finished:
        classifier.save(folder / "model")
    return classifier, report


@cache
def load_planted(name: str) -> Classifier:
    """A shipped planted classifier: "planted-zh", "planted-zh-masked", "planted-en", …

    Called twice, it returns the same object. Its card: data/models/planted-zh/README.md.

    Raises:
        EcomTutorError: no such classifier.
        MissingResource: the encoder is not on this machine yet.
    """
    recipe_named(name)
    return Classifier.load(data_dir() / "models" / name)
