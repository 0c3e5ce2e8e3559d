"""The classifiers that the course ships, each made by one command.

python -m ecomtutor.finetuning shop-sentiment-zh
python -m ecomtutor.finetuning shop-sentiment-en
"""

import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ecomtutor.datasets import reviews
from ecomtutor.errors import EcomTutorError
from ecomtutor.finetuning.classifier import Classifier, TruncatedText, on_base
from ecomtutor.finetuning.difference import average, difference
from ecomtutor.finetuning.examples import Examples, examples
from ecomtutor.finetuning.fitting import Settings, fit_classifier
from ecomtutor.finetuning.label_noise import second_opinion, softened
from ecomtutor.finetuning.model import lower_case_where_needed, with_head
from ecomtutor.finetuning.report import FitReport

if TYPE_CHECKING:
    import pandas as pd

LABELS = ("negative", "positive")


@dataclass(frozen=True)
class Recipe:
    """Everything that one shipped classifier is made of.

    language says which encoder; split gives the examples. Each of fits is a seed and how far a
    second opinion moves the training labels; they are averaged. rank is what is kept of the
    difference to the encoder.
    """

    language: str
    settings: Settings
    fits: tuple[tuple[int, float], ...]
    rank: int
    split: "Callable[[str], Examples]"


def recipe(name: str) -> Recipe:
    """The recipe of "shop-sentiment-zh" or "shop-sentiment-en"."""
    recipes = {
        "shop-sentiment-zh": Recipe(
            "zh",
            Settings(epochs=2, peak_rate=1e-4, mask_share=0.3),
            fits=((2, 0.3),),
            rank=96,
            split=chinese,
        ),
        "shop-sentiment-en": Recipe(
            "en",
            Settings(epochs=4, batch_size=16, mask_share=0.3, max_tokens=128),
            fits=((0, 0.0), (1, 0.0), (2, 0.0)),
            rank=64,
            split=english,
        ),
    }
    if name not in recipes:
        raise EcomTutorError(f"There are recipes for {' and '.join(recipes)}; not for {name!r}.")
    return recipes[name]


def chinese(split: str) -> Examples:
    """A split of the Chinese reviews with their polarity."""
    table = _rows("zh", split)
    return examples(table["text"].tolist(), table["label"].tolist(), LABELS)


def english(split: str) -> Examples:
    """A split of the English sentences; how positive is how far the readers' mean lies from 0.

    Twenty readers gave values from -4 to 4. A mean of 0 is half and half, ±2 is all but certain:
    the target is 1 / (1 + exp(-2 · valence)).
    """
    table = _rows("en", split)
    if split != "train":
        table = table[table["label"] != "neutral"]
    positive = 1 / (1 + np.exp(-2 * table["valence"].to_numpy()))
    return examples(table["text"].tolist(), np.stack([1 - positive, positive], axis=1), LABELS)


def train_shipped(
    name: str,
    folder: Path | None = None,
    *,
    texts: int | None = None,
    minutes: float | None = None,
) -> tuple[Classifier | None, list[FitReport]]:
    """Train a shipped classifier by its recipe and save it in `folder/model`; resumes.

    Where a fit asks for it, two cheap models give a second opinion on each label, out of fold, and
    the labels move towards it. The fits' weights are averaged, which is about as good as asking
    all of them and costs as much as asking one. Then the difference to the encoder is kept at the
    recipe's rank, and the temperature is set on the validation split.

    Args:
        name: "shop-sentiment-zh" or "shop-sentiment-en".
        folder: for checkpoints and the classifier; unless given, in the cache.
        texts: learn from so many reviews, chosen by so many others; unless given, from all.
        minutes: pause after so long; the next call goes on.

    Returns:
        The classifier, None if it paused; and the reports of the fits so far.
    """
    from ecomtutor.models import load_encoder
    from ecomtutor.resources import cache_dir

    made = recipe(name)
    folder = folder or cache_dir() / "finetuning" / (f"{name}-{texts}" if texts else name)
    train, held_out = made.split("train").some(texts), made.split("validation").some(texts)
    fits: list[tuple[Classifier, FitReport]] = []
    for number, (seed, trust) in enumerate(made.fits):
        fits.append(
            fit_classifier(
                train.texts,
                _targets(train, trust, made.language, folder),
                names=LABELS,
                encoder=made.language,
                validation=(held_out.texts, held_out.targets),
                settings=replace(made.settings, seed=seed),
                folder=folder / f"fit-{number}",
                minutes=minutes,
            )
        )
        if not fits[-1][1].finished:
            return None, [report for _, report in fits]
    mean = average([classifier.model for classifier, _ in fits])
    fresh = with_head(load_encoder(made.language), LABELS)
    small = difference(mean, fresh, made.rank)
    classifier = on_base(weights=small, base=made.language, labels=LABELS)
    calibrate(classifier, held_out)
    classifier.save(folder / "model")
    return classifier, [report for _, report in fits]


def calibrate(classifier: Classifier, held_out: Examples) -> None:
    """Set the temperature under which the held-out labels were likeliest."""
    from ecomtutor.metrics import fit_temperature

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", TruncatedText)
        logits = classifier.logits(held_out.texts)
    classifier.temperature = fit_temperature(logits, held_out.answers)


def _targets(train: Examples, trust: float, language: str, folder: Path) -> np.ndarray:
    if not trust:
        return train.targets
    return softened(train, _opinion(train, language, folder), trust).targets


def _opinion(train: Examples, language: str, folder: Path) -> np.ndarray:
    """The second opinion on the training labels, kept in the folder once it is there."""
    from ecomtutor.models import load_encoder

    path = folder / "opinion.npy"
    if not path.is_file():
        loaded = load_encoder(language)
        plain = Classifier(
            with_head(loaded, LABELS).eval(), lower_case_where_needed(loaded.tokenizer), LABELS
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", TruncatedText)
            features = plain.features(train.texts, bf16=True)
        folder.mkdir(parents=True, exist_ok=True)
        np.save(path, second_opinion(train, features, language))
    opinion: np.ndarray = np.load(path, allow_pickle=False)
    return opinion


def _rows(language: str, split: str) -> "pd.DataFrame":
    table = reviews(language)
    if split not in set(table["split"]):
        raise EcomTutorError(f"split is 'train', 'validation' or 'test'; {split!r} came.")
    return table[table["split"] == split]
