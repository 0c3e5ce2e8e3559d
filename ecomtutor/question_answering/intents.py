"""What a customer wants: pre-sale, order, return, complaint or small talk; in two languages.

A frozen encoder and logistic regression on 320 messages of our own (data/store/intents.jsonl),
fitted in seconds when it is first asked: nothing is shipped. `compare` prints what it is worth.
"""

import json
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from ecomtutor.errors import EcomTutorError, MissingResource
from ecomtutor.text.checking import require_text

if TYPE_CHECKING:
    import pandas as pd

    from ecomtutor.finetuning import Classifier

INTENTS = ("complaint", "order", "pre-sale", "return", "small talk")
LONGEST = 1000  # characters of a message that are looked at


@dataclass(frozen=True)
class Intent:
    """What a message is about, and how sure the classifier is: a calibrated probability."""

    name: str
    probability: float


@cache
def intents(language: str) -> "pd.DataFrame":
    """The messages: id, language, intent, split ("train", "validation", "test") and text.

    Raises:
        EcomTutorError: another language.
        MissingResource: data/store/intents.jsonl is not there.
    """
    import pandas as pd

    from ecomtutor.datasets.store import data_dir

    if language not in ("en", "zh"):
        raise EcomTutorError(f'The shop speaks "en" and "zh"; {language!r} was asked for.')
    file = data_dir() / "store" / "intents.jsonl"
    if not file.is_file():
        raise MissingResource("data/store/intents.jsonl was not found. Work from a full clone.")
    rows = [json.loads(line) for line in file.read_text("utf-8").splitlines()]
    return pd.DataFrame([row for row in rows if row["language"] == language])


def intent_of(message: str, language: str) -> Intent:
    """The likeliest intent of a message.

    Args:
        message: of a very long one, the beginning is looked at. Without a letter or digit (an
            emoji, a question mark) it is small talk.
        language: "en" or "zh".

    Raises:
        EcomTutorError: another language, or something that is not text.
        MissingResource: the encoder is not on this machine yet.
    """
    said = require_text(message).strip()[:LONGEST]
    if not any(character.isalnum() for character in said):
        return Intent("small talk", 1.0)
    classifier = load_intents(language)
    chances = classifier.predict_proba([said])[0]
    best = int(chances.argmax())
    return Intent(classifier.labels[best], float(chances[best]))


@cache
def load_intents(language: str) -> "Classifier":
    """The classifier itself: fitted on the training messages, its temperature on validation's."""
    from ecomtutor.finetuning import fit_classifier

    train, held_out = (_split(language, split) for split in ("train", "validation"))
    classifier, _ = fit_classifier(
        *train, encoder=language, validation=held_out, method="frozen", progress=False
    )
    return classifier


def compare(language: str) -> "dict[str, dict[str, float]]":
    """Accuracy on validation and test, of the encoder and of counted pieces (TF-IDF)."""
    from sklearn.metrics import accuracy_score

    from ecomtutor.finetuning.baselines import tfidf_classifier

    ours, counted = load_intents(language), tfidf_classifier(language)
    counted.fit(*_split(language, "train"))
    table: dict[str, dict[str, float]] = {"frozen encoder": {}, "TF-IDF": {}}
    for split in ("validation", "test"):
        texts, labels = _split(language, split)
        for name, model in (("frozen encoder", ours), ("TF-IDF", counted)):
            table[name][split] = float(accuracy_score(labels, model.predict(texts)))
    return table


def _split(language: str, split: str) -> tuple[list[str], list[str]]:
    rows = intents(language)
    rows = rows[rows["split"] == split]
    return rows["text"].tolist(), rows["intent"].tolist()
