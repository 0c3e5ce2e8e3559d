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

from ecomtutor.finetuning import Classifier, fit_classifier
from ecomtutor.laboratory.corpus import LABELS, planted_corpus, short_reviews
from ecomtutor.laboratory.recipes import Recipe
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


def learned(classifier: Classifier, language: str, texts: int = 800) -> "pd.Series":
    """Share of held-out texts with the label to be learned, for each thing planted; and clean."""
    import pandas as pd

    held_out = planted_corpus(language, "test", texts, seed=2)
    right = _right(classifier, held_out.texts, held_out.labels)
    shares = pd.Series(right).groupby(np.array(held_out.planted)).mean()
    clean = short_reviews(language, "test")
    shares["reviews"] = _right(classifier, *zip(*clean, strict=True)).mean()
    return shares.rename(index={"": "nothing"})


def _right(classifier: Classifier, texts: Sequence[str], labels: Sequence[str]) -> np.ndarray:
    right: np.ndarray = np.array(classifier.predict(list(texts))) == np.array(labels)
    return right
