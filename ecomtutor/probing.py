"""What a model's states hold: a linear probe on each layer.

A probe is a plain classifier on frozen states. What it finds was there; what it does not find may
still be there in a form that no straight line separates.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from ecomtutor.errors import EcomTutorError

if TYPE_CHECKING:
    import numpy as np

    from ecomtutor.models import Loaded


class LayerStates(NamedTuple):
    """One vector for each text after each layer, in two ways; (layers + 1, texts, width) each.

    cls: the state of the first token, [CLS].
    mean: the mean of the states of all real tokens.
    """

    cls: "np.ndarray"
    mean: "np.ndarray"


def states_by_layer(
    encoder: "Loaded", texts: Sequence[str], *, longest: int = 64, batch: int = 32
) -> LayerStates:
    """Read texts with a BERT and keep, after each layer, two summaries of each text.

    Args:
        encoder: `models.load_encoder(…)`. Layer 0 is the embeddings.
        texts: in any order; texts of like length are read together.
        longest: tokens after which a text is cut.
        batch: texts read at once.

    Raises:
        EcomTutorError: no texts, or a single string in their place.
    """
    import numpy as np
    import torch

    if isinstance(texts, str) or not len(texts):
        raise EcomTutorError(f"A list of one text or more is expected; {texts!r} came.")
    order = np.argsort([len(text) for text in texts], kind="stable")
    rows = []
    for start in range(0, len(texts), batch):
        chosen = [texts[i] for i in order[start : start + batch]]
        inputs = encoder.tokenizer(
            chosen, padding=True, truncation=True, max_length=longest, return_tensors="pt"
        )
        with torch.no_grad():
            outputs = encoder.model(**inputs, output_hidden_states=True)
        states = torch.stack(outputs.hidden_states)  # (layers + 1, batch, tokens, width)
        real = inputs["attention_mask"][..., None]  # (batch, tokens, 1)
        mean = (states * real).sum(dim=2) / real.sum(dim=1)  # (layers + 1, batch, width)
        rows.append(torch.stack([states[:, :, 0], mean]))
    both = torch.cat(rows, dim=2).numpy()[:, :, np.argsort(order)]
    return LayerStates(*both)


def probe(
    train_states: "np.ndarray",
    train_labels: Sequence[str],
    test_states: "np.ndarray",
    test_labels: Sequence[str],
) -> float:
    """Accuracy, 0 to 1, of logistic regression on states, measured on texts that it has not seen.

    Args:
        train_states, test_states: (texts, width).
        train_labels, test_labels: one for each text.

    Raises:
        EcomTutorError: states and labels of different number.

    Source:
        Alain and Bengio (2016), Understanding intermediate layers using linear classifier probes.
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    sizes = [len(train_states), len(train_labels), len(test_states), len(test_labels)]
    if sizes[0] != sizes[1] or sizes[2] != sizes[3]:
        raise EcomTutorError(
            "Each row of states needs one label: for training {} rows and {} labels came, for "
            "testing {} and {}.".format(*sizes)
        )
    # Strong regularisation: there are about as many numbers in a state as texts to learn from.
    classifier = make_pipeline(StandardScaler(), LogisticRegression(C=0.01, max_iter=500))
    return float(classifier.fit(train_states, train_labels).score(test_states, test_labels))
