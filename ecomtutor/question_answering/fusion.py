"""Ways of finding, fused by weights that were learned: four numbers a language.

Ranks are fused without any knowledge of questions. With the training questions and their pages at
hand, logistic regression over all pages learns how much each way is worth, and that a policy is
asked about more often than any one product. Scores are standardised within a question first.
"""

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import numpy as np

from ecomtutor.errors import EcomTutorError, MissingResource

NAMES = ("words", "whole", "sentence", "product")  # what the weights belong to
_FILE = ("models", "shop-fusion", "weights.json")
_SMALL = 1e-4  # weight decay: it keeps the fit finite where all questions are easy


def features(
    words: np.ndarray, whole: np.ndarray, sentence: np.ndarray, product: np.ndarray
) -> np.ndarray:
    """What a page is judged by, for one question: (pages, 4) in the order of NAMES.

    Args:
        words: BM25 of each page, (pages,).
        whole, sentence: the cosine with the page and the best with a sentence of it, (pages,).
        product: 1 for a product page, 0 for a policy, (pages,).

    Raises:
        EcomTutorError: scores of different pages.
    """
    given = (words, whole, sentence, product)
    if len({np.shape(scores) for scores in given}) > 1:
        raise EcomTutorError("Scores of the same pages are fused: four arrays of one length.")
    standard = [(s - s.mean()) / max(float(s.std()), 1e-9) for s in given[:3]]
    return np.stack([*standard, product], axis=1)


def fitted(rows: np.ndarray, right: np.ndarray) -> np.ndarray:
    """The weights under which the right pages are the likeliest: softmax over a question's pages.

    Args:
        rows: (questions, pages, features).
        right: the number of each question's page, (questions,).

    Returns:
        (features,): the minimum is unique, so that there is no seed.
    """
    from scipy.optimize import minimize
    from scipy.special import log_softmax

    each = np.arange(len(right))

    def loss(weights: np.ndarray) -> tuple[float, np.ndarray]:
        logs = log_softmax(rows @ weights, axis=1)  # (questions, pages)
        expected = np.einsum("qp,qpf->qf", np.exp(logs), rows)
        slope = (expected - rows[each, right]).mean(axis=0) + 2 * _SMALL * weights
        return float(-logs[each, right].mean() + _SMALL * weights @ weights), slope

    found = minimize(loss, np.zeros(rows.shape[-1]), jac=True, method="L-BFGS-B")
    weights: np.ndarray = found.x
    return weights


def fit(language: str, many: int | None = None) -> dict[str, float]:
    """The weights of a language from the store's training questions; about half a minute.

    Args:
        language: "en" or "zh".
        many: learn from the first so many questions; unless given, from all.

    Raises:
        EcomTutorError: another language.
        MissingResource: the encoder is not on this machine yet.
    """
    from ecomtutor.datasets import questions
    from ecomtutor.question_answering.retrieve import Retriever

    retriever = Retriever(language)
    table = questions(language)
    table = table[table["split"] == "train"][:many]
    number = {key: i for i, key in enumerate(retriever.passages["id"])}
    rows = np.stack([retriever.features(question) for question in table["question"]])
    weights = fitted(rows, table["passage_id"].map(number).to_numpy())
    return {name: round(float(weight), 4) for name, weight in zip(NAMES, weights, strict=True)}


def save(weights: Mapping[str, Mapping[str, float]], folder: Path | None = None) -> Path:
    """Write the weights of all languages where `load` finds them, or into another folder."""
    path = _path() if folder is None else Path(folder) / _FILE[-1]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(weights, indent=2) + "\n", "utf-8")
    return path


@cache
def load(language: str) -> np.ndarray:
    """The shipped weights of a language, in the order of NAMES.

    Raises:
        MissingResource: they are not there; the message names the command that makes them.
    """
    try:
        found = json.loads(_path().read_text("utf-8"))[language]
        return np.array([float(found[name]) for name in NAMES])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise MissingResource(
            f"{'/'.join(_FILE)} in data/ does not hold the weights for {language!r}. Work from a "
            "full clone, or make them: python -m ecomtutor.question_answering fuse"
        ) from error


def _path() -> Path:
    from ecomtutor.datasets.store import data_dir

    return data_dir().joinpath(*_FILE)
