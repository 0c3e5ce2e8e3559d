"""Only the head: features computed once, then logistic regression, which has one best answer."""

from typing import TYPE_CHECKING

import numpy as np
import torch

from ecomtutor.finetuning.classifier import Classifier, on_base
from ecomtutor.finetuning.difference import difference
from ecomtutor.finetuning.examples import Examples, class_weights
from ecomtutor.finetuning.model import lower_case_where_needed, with_head

if TYPE_CHECKING:
    from ecomtutor.finetuning.fitting import Settings
    from ecomtutor.models import Loaded


# With 512 features and as many texts a weak penalty lets the head learn the noise by heart: 0.76
# with 1,000 reviews where 100 gave 0.80. This one was best on the validation split of the reviews.
STRENGTH = 0.01


def fit_head(
    given: Examples, loaded: "Loaded", base: str | None, settings: "Settings"
) -> Classifier:
    """A classifier whose encoder stays as it is: only the linear layer is fitted.

    Each text counts for each label as much as its row of probabilities says.
    """
    from sklearn.linear_model import LogisticRegression

    classifier = Classifier(
        with_head(loaded, given.labels, seed=settings.seed).eval(),
        lower_case_where_needed(loaded.tokenizer),
        given.labels,
        base=base,
    )
    seen = classifier.features(given.texts, bf16=settings.bf16 is not False)
    rows, classes = np.nonzero(given.targets)
    counts = given.targets[rows, classes]
    by_class = class_weights(given, settings.class_weights)
    if by_class is not None:
        counts = counts * by_class[classes]
    middle, spread = seen.mean(axis=0), np.maximum(seen.std(axis=0), 1e-6)
    scaled = (seen[rows] - middle) / spread
    fitted = LogisticRegression(C=STRENGTH, max_iter=2000).fit(scaled, classes, counts)
    weights = fitted.coef_ / spread
    _set_head(classifier, weights, fitted.intercept_ - weights @ middle, fitted.classes_)
    if base is None:
        return classifier
    fresh = with_head(loaded, given.labels)
    small = difference(classifier.model, fresh, rank=1)  # nothing but the head differs
    return on_base(weights=small, base=base, labels=given.labels)


def _set_head(
    classifier: Classifier, weights: np.ndarray, biases: np.ndarray, classes: np.ndarray
) -> None:
    """Copy scikit-learn's answer into the linear layer; two classes are one row there, two here."""
    if len(weights) == 1:
        weights, biases = np.vstack([-weights, weights]) / 2, np.array([-biases[0], biases[0]]) / 2
    head = classifier.model.classifier
    with torch.no_grad():
        head.weight.zero_()
        head.bias.fill_(-20.0)  # a label that no training text had
        head.weight[classes] = torch.from_numpy(weights).float()
        head.bias[classes] = torch.from_numpy(biases).float()
