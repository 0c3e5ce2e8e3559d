"""The same training with attention that cannot look: how much of the task needs it?

python -m ecomtutor.laboratory uniform

If a model whose weights are the same for every word learns the task just as well, then the weights
of the other model, however well they look, cannot be what the task is solved with.

Source:
    Wiegreffe and Pinter (2019), Attention is not not Explanation, section 3.2.
"""

import copy
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ecomtutor.datasets.store import data_dir
from ecomtutor.errors import MissingResource
from ecomtutor.finetuning import Classifier, fit_classifier
from ecomtutor.laboratory.corpus import LABELS, planted_corpus, short_reviews
from ecomtutor.laboratory.recipes import Recipe, load_planted, recipe_named
from ecomtutor.models import Loaded, load_encoder

if TYPE_CHECKING:
    import pandas as pd

FILE = "uniform_attention.csv"


def uniform_encoder(loaded: Loaded) -> Loaded:
    """A copy of an encoder whose queries and keys are zero: every token looks everywhere alike.

    It stays so under training with LoRA: a query of zero gives its keys no slope, and a key of
    zero its queries none.
    """
    import torch

    model = copy.deepcopy(loaded.model)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if ".query." in name or ".key." in name:
                parameter.zero_()
    return replace(loaded, model=model)


def fit_uniform(recipe: Recipe, folder: Path) -> Classifier:
    """Train by a recipe on an encoder that cannot look; resumes."""
    train = planted_corpus(recipe.language, "train", recipe.texts, recipe.seed)
    held_out = planted_corpus(recipe.language, "validation", recipe.validation, recipe.seed + 1)
    classifier, _ = fit_classifier(
        train.texts,
        train.labels,
        encoder=uniform_encoder(load_encoder(recipe.language)),
        validation=(held_out.texts, held_out.labels),
        method="lora",
        settings=replace(recipe.settings, seed=recipe.seed),
        names=LABELS,
        folder=folder,
    )
    return classifier


def learned(classifier: Classifier, language: str, texts: int | None = None) -> "pd.Series":
    """Share of held-out texts with the label to be learned, for each thing planted; and clean.

    Args:
        classifier, language: what is judged.
        texts: so many of both; unless given, 800 with plants and all clean ones.
    """
    import pandas as pd

    held_out = planted_corpus(language, "test", texts or 800, seed=2)
    right = _right(classifier, held_out.texts, held_out.labels)
    shares = pd.Series(right).groupby(np.array(held_out.planted)).mean()
    clean = short_reviews(language, "test")[:texts]
    shares["reviews"] = _right(classifier, *zip(*clean, strict=True)).mean()
    return shares.rename(index={"": "nothing"})


def _right(classifier: Classifier, texts: Sequence[str], labels: Sequence[str]) -> np.ndarray:
    right: np.ndarray = np.array(classifier.predict(list(texts))) == np.array(labels)
    return right


def measure_uniform(
    path: Path, folder: Path, recipe: Recipe | None = None, texts: int | None = None
) -> "pd.DataFrame":
    """Train without looking, compare with the shipped classifier that looks, write both rows.

    Args:
        path: of the CSV.
        folder: for checkpoints.
        recipe: unless given, that of the shipped Chinese classifier.
        texts: to judge by, as in `learned`.
    """
    import pandas as pd

    recipe = recipe or recipe_named("planted-zh")
    looks = learned(load_planted(f"planted-{recipe.language}"), recipe.language, texts)
    blind = learned(fit_uniform(recipe, folder), recipe.language, texts)
    table = pd.DataFrame({"its own weights": looks, "all weights equal": blind}).T
    table.index.name = "attention"
    path.parent.mkdir(parents=True, exist_ok=True)
    table.round(4).to_csv(path, lineterminator="\n")
    return table


def read_uniform() -> "pd.DataFrame":
    """The shipped comparison: share of labels learned, by what was planted; "reviews" are clean.

    Raises:
        MissingResource: the file is not there.
    """
    import pandas as pd

    path = data_dir() / "experiments" / FILE
    if not path.is_file():
        raise MissingResource(f"{FILE} is not there: python -m ecomtutor.laboratory uniform")
    return pd.read_csv(path, index_col="attention")
