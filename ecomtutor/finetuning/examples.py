"""Labelled texts, checked at the door: what training would later choke on is told here."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ecomtutor.errors import EcomTutorError

if TYPE_CHECKING:
    import numpy as np


class LabelError(EcomTutorError):
    """Labels that no classifier can learn from, or that do not fit the texts."""


@dataclass(frozen=True)
class Examples:
    """Texts and what they are.

    targets has shape (texts, classes): a row of probabilities for each text, one-hot where the
    label is a plain name. labels names the columns.
    """

    texts: list[str]
    targets: "np.ndarray"
    labels: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.texts)

    @property
    def answers(self) -> "np.ndarray":
        """The number of each text's likeliest label, shape (texts,)."""
        answers: np.ndarray = self.targets.argmax(axis=1)
        return answers

    def some(self, many: int | None) -> "Examples":
        """So many of them, evenly from first to last, so that every label comes; None: all."""
        import numpy as np

        if many is None or many >= len(self):
            return self
        chosen = np.linspace(0, len(self) - 1, max(1, many)).round().astype(int)
        return Examples([self.texts[i] for i in chosen], self.targets[chosen], self.labels)


def examples(
    texts: Sequence[str], labels: Any, names: Sequence[str] | None = None, *, classes: int = 2
) -> Examples:
    """Check texts and labels, and turn the labels into rows of probabilities.

    Args:
        texts: one string each; empty ones are allowed.
        labels: a name for each text; or an array (texts, classes) of probabilities, whose columns
            `names` must then name.
        names: the labels in the order of the columns; unless given, the names that occur, sorted.
        classes: how many different labels must occur at least. Validation sets may do with 1.

    Raises:
        LabelError: lengths differ, NaN, names that are not in `names`, fewer labels than `classes`,
            rows that are no probabilities.
        EcomTutorError: something other than text among the texts.
    """
    import numpy as np

    texts = require_texts(texts)
    if len(texts) != len(labels):
        raise LabelError(f"{len(texts)} texts came with {len(labels)} labels; each text needs one.")
    if not texts:
        raise LabelError("No text came. Is the split empty?")
    if not isinstance(labels, (list, tuple)):
        labels = np.asarray(labels)
    if getattr(labels, "ndim", 1) == 2:
        targets, names = _soft(np.asarray(labels, dtype=np.float64), names)
    else:
        targets, names = _one_hot(list(labels), names)
    seen = int((np.bincount(targets.argmax(axis=1), minlength=len(names)) > 0).sum())
    if seen < classes:
        raise LabelError(
            f"All texts are {names[targets[0].argmax()]!r}: with one label there is nothing to "
            f"tell apart. Give texts of at least {classes} labels."
        )
    return Examples(texts, targets.astype(np.float32), tuple(names))


def require_texts(texts: Sequence[str]) -> list[str]:
    """The texts as a list; a single string, None and NaN are refused with their place.

    Raises:
        EcomTutorError: a string where a list belongs, or something other than text in the list.
    """
    if isinstance(texts, (str, bytes)):
        raise EcomTutorError(f"One text came, {texts!r:.40}; a list of texts is wanted: [text].")
    texts = list(texts)
    for i, text in enumerate(texts):
        if not isinstance(text, str):
            raise EcomTutorError(
                f"texts[{i}] is {text!r:.40}, of type {type(text).__name__}; text is wanted. "
                'Drop such rows, or write "" for an empty review.'
            )
    return texts


def class_weights(
    given: "Examples", wanted: "str | Mapping[str, float] | None"
) -> "np.ndarray | None":
    """The weight of each class in the loss, or None for all alike.

    Args:
        given: the training examples.
        wanted: None, "balanced" (each class counts as much as any other in sum), or a weight for
            each label by name.

    Raises:
        LabelError: another word, unknown or missing names, weights that are not positive.
    """
    import numpy as np

    if wanted is None:
        return None
    if wanted == "balanced":
        counts = given.targets.sum(axis=0)
        return np.asarray(counts.sum() / (len(counts) * np.maximum(counts, 1e-9)), np.float32)
    if not isinstance(wanted, Mapping) or set(wanted) != set(given.labels):
        raise LabelError(
            f"class_weights = {wanted!r}; give None, 'balanced', or a weight for each of "
            f"{', '.join(given.labels)}."
        )
    weights = np.array([wanted[name] for name in given.labels], np.float32)
    if not (np.isfinite(weights).all() and (weights > 0).all()):
        raise LabelError(f"Weights of classes are positive numbers; {dict(wanted)} came.")
    return weights


def _one_hot(
    labels: list[Any], names: Sequence[str] | None
) -> "tuple[np.ndarray, tuple[str, ...]]":
    import numpy as np

    missing = [i for i, label in enumerate(labels) if label is None or label != label]
    if missing:
        raise LabelError(
            f"{len(missing)} of {len(labels)} labels are missing (None or NaN), the first at "
            f"{missing[0]}. Drop those texts, or label them."
        )
    strangers = [label for label in labels if not isinstance(label, str)]
    if strangers:
        raise LabelError(
            f"Labels are names, such as 'positive'; {strangers[0]!r} of type "
            f"{type(strangers[0]).__name__} came. With numbers: [names[i] for i in labels]."
        )
    if names is None:
        names = sorted(set(labels))
    unknown = Counter(label for label in labels if label not in set(names))
    if unknown:
        label, count = unknown.most_common(1)[0]
        raise LabelError(
            f"The label {label!r} ({count} times) is not among {', '.join(map(repr, names))}."
        )
    column = {name: i for i, name in enumerate(names)}
    return np.eye(len(names))[[column[label] for label in labels]], tuple(names)


def _soft(
    targets: "np.ndarray", names: Sequence[str] | None
) -> "tuple[np.ndarray, tuple[str, ...]]":
    import numpy as np

    if names is None or len(names) != targets.shape[1]:
        raise LabelError(
            f"Probabilities for {targets.shape[1]} classes came; say with names=[…] which they "
            f"are, in order ({names!r} came)."
        )
    rows = np.flatnonzero(
        ~(
            np.isfinite(targets).all(1)
            & (targets >= 0).all(1)
            & np.isclose(targets.sum(1), 1, atol=1e-4)
        )
    )
    if len(rows):
        raise LabelError(
            f"labels[{rows[0]}] = {targets[rows[0]].tolist()} is no row of probabilities: each at "
            "least 0, together 1."
        )
    return targets, tuple(names)
