"""Which labels are probably wrong, and how many: confident learning."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ecomtutor.errors import EcomTutorError
from ecomtutor.finetuning.examples import Examples

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class LabelNoise:
    """joint[i, j] estimates the share of all texts labelled i that are truly j.

    suspects are the numbers of texts that a model with no memory of them confidently calls
    something else, the most doubtful first.
    """

    joint: "pd.DataFrame"
    suspects: np.ndarray

    @property
    def rate(self) -> float:
        """The estimated share of wrong labels. No classifier is measured better than 1 - rate."""
        return float(1 - np.trace(self.joint.to_numpy()))


def find_label_noise(
    answers: "Sequence[int] | np.ndarray", probabilities: np.ndarray, labels: Sequence[str]
) -> LabelNoise:
    """Count where a classifier that never saw a text is confident of another label than given.

    Confident of class j means: at least as sure as it is on average of texts that carry label j.

    Args:
        answers: the given label's number of each text.
        probabilities: shape (texts, classes), from a model that was not trained on that text:
            see `out_of_fold`.
        labels: the names of the classes.

    Raises:
        EcomTutorError: shapes that do not fit, or a label without a text.

    Source:
        Northcutt, Jiang and Chuang (2021), Confident Learning, sections 3.1 and 3.2.
    """
    import pandas as pd

    answers, probabilities = np.asarray(answers), np.asarray(probabilities)
    counts = np.bincount(answers, minlength=len(labels))
    if probabilities.shape != (len(answers), len(labels)) or not counts.all():
        raise EcomTutorError(
            f"{len(answers)} texts of {len(labels)} labels, each with texts, need probabilities of "
            f"shape ({len(answers)}, {len(labels)}); {probabilities.shape} came, labels {counts}."
        )
    thresholds = np.array([probabilities[answers == j, j].mean() for j in range(len(labels))])
    confident = probabilities >= thresholds  # (texts, classes)
    called = np.where(confident, probabilities, -1.0).argmax(axis=1)
    counted = confident.any(axis=1)
    pairs = np.zeros((len(labels), len(labels)))
    np.add.at(pairs, (answers[counted], called[counted]), 1)
    joint = pairs / np.maximum(pairs.sum(axis=1, keepdims=True), 1) * counts[:, None] / counts.sum()
    doubtful = np.flatnonzero(counted & (called != answers))
    margin = probabilities[doubtful, called[doubtful]] - probabilities[doubtful, answers[doubtful]]
    return LabelNoise(
        pd.DataFrame(
            joint,
            index=pd.Index(list(labels), name="given"),
            columns=pd.Index(list(labels), name="estimated"),
        ),
        doubtful[np.argsort(-margin, kind="stable")],
    )


def out_of_fold(
    given: Examples,
    fit: Callable[[Examples], Callable[[list[str]], np.ndarray]],
    *,
    folds: int = 5,
    seed: int = 0,
) -> np.ndarray:
    """For each text the probabilities by a model that was trained without it.

    Args:
        given: the texts and their labels.
        fit: trains on examples and returns a function from texts to probabilities.
        folds: how many models are trained, each without its part of the texts.
        seed: deals the texts into the parts.

    Returns:
        Probabilities, shape (texts, classes).
    """
    if not 2 <= folds <= len(given):
        raise EcomTutorError(
            f"{len(given)} texts can be dealt into 2 … {len(given)} parts; {folds} came."
        )
    part = np.random.default_rng(seed).permutation(len(given)) % folds
    probabilities = np.zeros_like(given.targets)
    for fold in range(folds):
        inside, outside = np.flatnonzero(part != fold), np.flatnonzero(part == fold)
        predict = fit(
            Examples([given.texts[i] for i in inside], given.targets[inside], given.labels)
        )
        probabilities[outside] = predict([given.texts[i] for i in outside])
    return probabilities


def softened(given: Examples, opinion: np.ndarray, trust: float = 0.3) -> Examples:
    """The same texts; each target moves towards what models that never saw the text think of it.

    A label that they contradict becomes doubtful instead of being learned by heart.

    Args:
        given: the texts and their labels.
        opinion: probabilities from `out_of_fold`, shape (texts, classes).
        trust: the opinion's share, between 0 and 1.

    Source:
        Reed et al. (2015), Training Deep Neural Networks on Noisy Labels with Bootstrapping.
    """
    if not 0 <= trust <= 1 or opinion.shape != given.targets.shape:
        raise EcomTutorError(
            f"Opinions of shape {given.targets.shape} and a trust in 0 … 1 are wanted; "
            f"{opinion.shape} and {trust} came."
        )
    targets = ((1 - trust) * given.targets + trust * opinion).astype(np.float32)
    return Examples(given.texts, targets, given.labels)


def second_opinion(given: Examples, features: np.ndarray, language: str) -> np.ndarray:
    """Out-of-fold probabilities of each text by two cheap models that err in different ways.

    One counts characters or words, the other is a logistic regression on an encoder's features;
    their logits are averaged.

    Args:
        given: the texts and their labels.
        features: what an encoder makes of each text, shape (texts, width).
        language: whose pieces are counted, "en" or "zh".
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    from ecomtutor.finetuning.baselines import tfidf_classifier

    row = {text: i for i, text in enumerate(given.texts)}

    def fit(part: Examples) -> Callable[[list[str]], np.ndarray]:
        def seen(texts: list[str]) -> np.ndarray:
            return features[[row[text] for text in texts]]

        counted = tfidf_classifier(language).fit(part.texts, part.answers)
        encoded = make_pipeline(StandardScaler(), LogisticRegression(C=0.01, max_iter=1000))
        encoded.fit(seen(part.texts), part.answers)

        def predict(texts: list[str]) -> np.ndarray:
            logs = counted.predict_log_proba(texts) + encoded.predict_log_proba(seen(texts))
            chances: np.ndarray = np.exp(logs / 2)
            return chances / chances.sum(axis=1, keepdims=True)

        return predict

    return out_of_fold(given, fit)
