"""The figures on the cards of the shipped classifiers: python -m ecomtutor.finetuning evaluate."""

import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from ecomtutor.datasets import reviews
from ecomtutor.datasets.store import data_dir
from ecomtutor.finetuning.baselines import lexicon_scores, snownlp_scores, tfidf_classifier
from ecomtutor.finetuning.classifier import Classifier, TruncatedText
from ecomtutor.finetuning.examples import Examples
from ecomtutor.finetuning.recipes import recipe
from ecomtutor.finetuning.shipped import load_classifier
from ecomtutor.metrics import (
    calibration_error,
    calibration_error_by_chance,
    classification_metrics,
)


def evaluate(
    name: str, folder: Path | None = None, split: str = "test", texts: int | None = None
) -> Iterator[str]:
    """Lines of held-out figures beside the baselines, which were trained on the same reviews.

    Args:
        name: the recipe's name, which says the language.
        folder: a classifier elsewhere than in data/models.
        split: "validation" or "test".
        texts: so many held-out texts, and as many for the baselines; unless given, all.
    """
    made = recipe(name)
    classifier = Classifier.load(folder) if folder else load_classifier(made.language)
    train, held_out = made.split("train").some(texts), made.split(split).some(texts)
    warnings.simplefilter("ignore", TruncatedText)
    yield f"{len(held_out):,} texts of the {split} split"
    for baseline, positive in _baselines(made.language, train, held_out):
        yield f"  {baseline:24} accuracy {_accuracy(positive, held_out):.3f}"
    chances = classifier.predict_proba(held_out.texts)
    table = classification_metrics(
        [held_out.labels[i] for i in held_out.answers], chances, held_out.labels
    )
    overall = table.loc["all"]
    error = calibration_error(chances, held_out.answers)
    yield (
        f"  {name:24} accuracy {overall['accuracy']:.3f}   F1 {overall['f1']:.3f}   "
        f"ROC area {overall['roc_auc']:.3f}   calibration error {error:.3f}"
    )
    mean, low, high = (calibration_error_by_chance(chances, below=at) for at in (None, 0.05, 0.95))
    yield (
        f"  so many texts of a perfectly calibrated classifier: calibration error {mean:.3f}, nine "
        f"times in ten {low:.3f} to {high:.3f}"
    )
    if made.language == "en":
        yield from _correlations(classifier, split, texts)
    else:
        yield from _travels(classifier, train)


def _baselines(
    language: str, train: Examples, held_out: Examples
) -> Iterator[tuple[str, np.ndarray]]:
    """Names, and whether each held-out text is called positive."""
    most = np.bincount(train.answers).argmax()
    yield "majority", np.full(len(held_out), most == 1)
    yield (
        ("VADER" if language == "en" else "short lexicon"),
        lexicon_scores(held_out.texts, language) > 0,
    )
    if language == "zh":
        yield "SnowNLP (has seen them)", snownlp_scores(held_out.texts) > 0.5
    names = [train.labels[i] for i in train.answers]
    fitted = tfidf_classifier(language).fit(train.texts, names)
    yield "TF-IDF + regression", fitted.predict(held_out.texts) == held_out.labels[1]


def _accuracy(positive: np.ndarray, held_out: Examples) -> float:
    return float((positive == (held_out.answers == 1)).mean())


def _correlations(classifier: Classifier, split: str, many: int | None) -> Iterator[str]:
    from scipy.stats import spearmanr

    table = reviews("en")
    table = table[table["split"] == split].head(many or len(table))
    texts, valence = table["text"].tolist(), table["valence"].to_numpy()
    for name, scores in (
        ("VADER", lexicon_scores(texts, "en")),
        ("shop-sentiment-en", classifier.predict_proba(texts)[:, 1]),
    ):
        rank = spearmanr(scores, valence).statistic
        yield f"  {name:24} Spearman with the valence {rank:.3f} ({len(texts)} sentences)"


def _travels(classifier: Classifier, train: Examples) -> Iterator[str]:
    """Accuracy on reviews of goods that no training review is about; written for the course."""
    import pandas as pd

    table = pd.read_csv(data_dir() / "experiments" / "other_categories.csv")
    texts, truth = table["text"].tolist(), table["label"].to_numpy()
    yield f"{len(table)} reviews of {', '.join(table['category'].unique())}"
    names = [train.labels[i] for i in train.answers]
    counted = tfidf_classifier().fit(train.texts, names)
    for name, said in (
        ("TF-IDF + regression", counted.predict(texts)),
        ("shop-sentiment-zh", np.array(classifier.predict(texts))),
    ):
        yield f"  {name:24} accuracy {(said == truth).mean():.3f}"
