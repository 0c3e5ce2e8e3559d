"""The classifiers that the course ships: sentiment of shop reviews, in Chinese and in English."""

from functools import cache

from ecomtutor.datasets.store import data_dir
from ecomtutor.errors import EcomTutorError
from ecomtutor.finetuning.classifier import Classifier

SHIPPED = {"zh": "shop-sentiment-zh", "en": "shop-sentiment-en"}


@cache
def load_classifier(language: str) -> Classifier:
    """The shipped sentiment classifier for "zh" (on m3e-small) or "en" (on MiniLM).

    Called twice, it returns the same object: labels "negative" and "positive", `predict(texts)`,
    `predict_proba(texts)`. Their cards, with data, recipe and held-out figures:
    data/models/shop-sentiment-zh/README.md and data/models/shop-sentiment-en/README.md.

    Raises:
        EcomTutorError: another language.
        MissingResource: the encoder is not on this machine yet, or data/models is not there.
    """
    if not isinstance(language, str) or language not in SHIPPED:
        raise EcomTutorError(f"There is a classifier for 'zh' and for 'en'; {language!r} came.")
    return Classifier.load(data_dir() / "models" / SHIPPED[language])
