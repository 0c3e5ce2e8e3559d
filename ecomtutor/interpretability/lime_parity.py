"""The weights of `lime.lime_text.LimeTextExplainer` on a text, to the digit, each string once.

The package lime draws 5,000 strings, most of which it has drawn before when the text is short,
and gives all of them to the classifier. Here the same strings are drawn with the same generator,
the distinct ones are scored, and the same regression is solved in closed form.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import numpy as np

from ecomtutor.errors import EcomTutorError
from ecomtutor.interpretability.explanation import Explanation
from ecomtutor.interpretability.local import lime_kernel, weighted_ridge
from ecomtutor.interpretability.units import Unit, Units
from ecomtutor.text.checking import require_text

Split = str | Callable[[str], list[str]]
Selection = Literal["auto", "forward_selection", "highest_weights", "none"]
FEW = 6  # up to so many words lime's "auto" adds one after the other


class TextClassifier(Protocol):
    """What `lime_text` asks of a classifier; `labels` names the columns where there is one."""

    def predict_proba(self, texts: Sequence[str], /) -> np.ndarray:
        """Probabilities (texts, outputs)."""


@dataclass(frozen=True)
class LimeText:
    """A text as lime cuts it: `pieces` joined give the text, and some of them are words.

    places[w] are the numbers of the pieces that word w stands for: all its occurrences in a bag of
    words, else one. mask replaces a hidden piece; None takes it out.
    """

    pieces: tuple[str, ...]
    places: tuple[tuple[int, ...], ...]
    mask: str | None

    def __len__(self) -> int:
        return len(self.places)

    def shown(self, present: np.ndarray) -> str:
        """The string in which only these words (words,) are there."""
        hidden = {place for w in np.flatnonzero(~present) for place in self.places[w]}
        filler = self.mask or ""
        return "".join(filler if i in hidden else piece for i, piece in enumerate(self.pieces))

    @property
    def units(self) -> Units:
        """The words as units, each at its first place, without tokens: lime hides in the string."""
        starts = np.cumsum([0, *map(len, self.pieces)])
        found = []
        for first in (places[0] for places in self.places):
            piece, start = self.pieces[first], int(starts[first])
            found.append(Unit(piece, start, start + len(piece), ()))
        return Units("".join(self.pieces), np.empty(0, dtype=np.int64), tuple(found), -1, -1)


def lime_words(
    text: str, split: Split = r"\W+", bow: bool = True, mask_string: str = "UNKWORDZ"
) -> LimeText:
    """Cut a text as lime does.

    Args:
        text: what is explained.
        split: lime's split_expression: a regular expression of what stands between words, or a
            function from the text to its tokens in order, such as `jieba.lcut`.
        bow: one unit for all occurrences of a word, which are deleted together; False: one for
            each place, replaced by `mask_string`.
        mask_string: lime's, for bow=False.

    Raises:
        EcomTutorError: no word in the text, or a function that gives tokens that are not in it.
    """
    require_text(text)
    pieces, is_word = _by_function(text, split) if callable(split) else _by_pattern(text, split)
    places: dict[Any, list[int]] = {}
    for i, piece in enumerate(pieces):
        if is_word(piece):
            places.setdefault(piece if bow else i, []).append(i)
    if not places:
        raise EcomTutorError(f"There is no word to explain in {text!r:.60} when it is cut so.")
    return LimeText(tuple(pieces), tuple(map(tuple, places.values())), None if bow else mask_string)


def lime_text(
    text: str,
    classifier: TextClassifier,
    samples: int = 5000,
    num_features: int = 10,
    *,
    split: Split = r"\W+",
    bow: bool = True,
    mask_string: str = "UNKWORDZ",
    kernel_width: float = 25.0,
    feature_selection: Selection = "auto",
    seed: int = 0,
    bf16: bool = False,
) -> Explanation:
    r"""What lime's text explainer says, equal to 1e-5 in 32 bits.

    The same as

        explainer = LimeTextExplainer(split_expression=split, bow=bow, mask_string=mask_string,
                                      kernel_width=kernel_width, random_state=seed,
                                      feature_selection=feature_selection)
        explainer.explain_instance(text, classifier.predict_proba, labels=range(outputs),
                                   num_features=num_features, num_samples=samples)

    as the first call on a new explainer: a second call goes on with lime's random numbers.

    Args:
        text, split, bow, mask_string: see `lime_words`. lime's `\W+` takes a Chinese clause for
            one word: give `jieba.lcut`.
        classifier: anything with `predict_proba(texts)`, and `bf16=` where that is wanted.
        samples: strings drawn, the whole text among them; each distinct one is scored once.
        num_features: how many words get a weight.
        kernel_width: of distances between 0 and 100.
        feature_selection: which words get one. "forward_selection" adds the word that helps the
            fit most, one after the other; "highest_weights" takes the heaviest of a fit with all;
            "auto" is the first up to 6 words and the second from 7 on; "none" keeps all.
        seed: of lime's generator, numpy's RandomState.
        bf16: half precision: faster, equal to about 0.01.

    Returns:
        Values (words, outputs) of probabilities, zero for words that were not chosen; without a
        promise to add up. settings["chosen"][k] are the words of output k, the heaviest first;
        there are also intercept, fit (R²) and local_prediction of each output.

    Raises:
        EcomTutorError: no words, or a setting out of its range.

    Source:
        Ribeiro, Singh and Guestrin (2016); the package lime 0.2.0.1.
    """
    if samples < 2 or num_features < 1 or kernel_width <= 0:
        raise EcomTutorError(
            f"samples ≥ 2, num_features ≥ 1 and kernel_width > 0 are wanted; {samples}, "
            f"{num_features} and {kernel_width} came."
        )
    cut = lime_words(text, split, bow, mask_string)
    present = lime_samples(len(cut), samples, seed)
    hidden_all = np.zeros((1, len(cut)), dtype=bool)
    scores, made = _scored(cut, np.concatenate([present, hidden_all]), classifier, bf16)
    answers, base = scores[:-1], scores[-1]
    weight = lime_kernel(present, kernel_width / 100)
    fits = [_fitted(present, y, weight, num_features, feature_selection) for y in answers.T]
    settings = {
        "samples": samples,
        "num_features": num_features,
        "kernel_width": kernel_width,
        "feature_selection": feature_selection,
        "bow": bow,
        "seed": seed,
        "chosen": tuple(fit.chosen for fit in fits),
        "intercept": np.array([fit.intercept for fit in fits]),
        "fit": np.array([fit.r2 for fit in fits]),
        "local_prediction": np.array([fit.intercept + fit.values.sum() for fit in fits]),
    }
    return Explanation(
        cut.units,
        np.stack([fit.values for fit in fits], axis=1),
        base,
        answers[0],
        "lime_text",
        samples,
        made,
        adds_up=False,
        settings=settings,
        outputs=tuple(getattr(classifier, "labels", ())),
    )


def lime_samples(words: int, samples: int, seed: int = 0) -> np.ndarray:
    """The same draws as lime's: (samples, words), true for what is there, the whole text first.

    A sample hides k words, k from 1 to all of them alike.
    """
    dice = np.random.RandomState(seed)
    sizes = dice.randint(1, words + 1, samples - 1)
    present = np.ones((samples, words), dtype=bool)
    for row, size in zip(present[1:], sizes, strict=True):
        # What RandomState.choice(…, replace=False) does, without its overhead.
        row[dice.permutation(words)[:size]] = False
    return present


def _by_pattern(text: str, split: str) -> tuple[list[str], Callable[[str], object]]:
    try:
        separator = re.compile(f"(?:{split})|$")
    except re.error as error:
        raise EcomTutorError(f"split is a regular expression; {split!r:.60}: {error}.") from error
    pieces, here = [], 0
    for gap in separator.finditer(text):
        pieces += [text[here : gap.start()], gap[0]]
        here = gap.end()
    # Like lime: what begins as a gap does is none of the words.
    return [p for p in [*pieces, text[here:]] if p], lambda piece: not separator.match(piece)


def _by_function(
    text: str, split: Callable[[str], list[str]]
) -> tuple[list[str], Callable[[str], object]]:
    tokens, pieces, here = split(text), [], 0
    for token in tokens:
        start = text.find(token, here)
        if start < 0:
            raise EcomTutorError(
                f"The token {token!r:.40} does not follow in the text. A splitter gives pieces of "
                "the text, unchanged and in order."
            )
        pieces += [text[here:start], token]
        here = start + len(token)
    # Like lime: a gap that looks like a token counts as one.
    return [p for p in [*pieces, text[here:]] if p], set(tokens).__contains__


def _scored(
    cut: LimeText, present: np.ndarray, classifier: TextClassifier, bf16: bool
) -> tuple[np.ndarray, int]:
    """Probabilities (samples, outputs), and how many distinct strings that took."""
    if not hasattr(classifier, "predict_proba"):
        raise EcomTutorError(
            f"lime_text asks a classifier's predict_proba(texts); {type(classifier).__name__} has "
            "none. A function fits with types.SimpleNamespace(predict_proba=function)."
        )
    strings = [cut.shown(row) for row in present]
    distinct = {string: i for i, string in enumerate(dict.fromkeys(strings))}
    more = {"bf16": True} if bf16 else {}
    answers = np.asarray(classifier.predict_proba(list(distinct), **more), dtype=np.float64)
    if answers.ndim != 2 or len(answers) != len(distinct) or not np.isfinite(answers).all():
        raise EcomTutorError(
            f"predict_proba of {len(distinct)} texts is an array ({len(distinct)}, outputs) of "
            f"finite numbers; shape {answers.shape} came."
        )
    return answers[[distinct[string] for string in strings]], len(distinct)


@dataclass(frozen=True)
class _Fit:
    values: np.ndarray
    chosen: tuple[int, ...]
    intercept: float
    r2: float


def _fitted(
    present: np.ndarray, y: np.ndarray, weight: np.ndarray, most: int, selection: str
) -> _Fit:
    """Choose words for one output, y (samples,), and weigh them by ridge regression."""
    x = present.astype(float)
    if selection == "auto":
        selection = "forward_selection" if most <= FEW else "highest_weights"
    if selection == "none":
        chosen = list(range(x.shape[1]))
    elif selection == "highest_weights":
        rough = weighted_ridge(x, y[:, None], weight, 0.01)[0][:, 0]
        chosen = np.argsort(-np.abs(rough), kind="stable")[:most].tolist()
    elif selection == "forward_selection":
        chosen = _forward(x, y, weight, most)
    else:
        raise EcomTutorError(
            "feature_selection is 'auto', 'forward_selection', 'highest_weights' or 'none'; "
            f"{selection!r} came."
        )
    weights, intercept, r2 = weighted_ridge(x[:, chosen], y[:, None], weight, 1.0)
    values = np.zeros(x.shape[1])
    values[chosen] = weights[:, 0]
    heaviest = sorted(chosen, key=lambda w: abs(values[w]), reverse=True)
    return _Fit(values, tuple(heaviest), float(intercept[0]), float(r2[0]))


def _forward(x: np.ndarray, y: np.ndarray, weight: np.ndarray, most: int) -> list[int]:
    """Words one after the other, each time the one with which least squares explains most."""
    share = weight / weight.sum()
    a, b = x - share @ x, y - share @ y
    gram, with_y = a.T @ (share[:, None] * a), a.T @ (share * b)
    chosen: list[int] = []

    def explained(word: int) -> float:
        of = [*chosen, word]
        inverse = np.linalg.pinv(gram[np.ix_(of, of)], hermitian=True)
        return float(with_y[of] @ inverse @ with_y[of])

    for _ in range(min(most, x.shape[1])):
        chosen.append(max((w for w in range(x.shape[1]) if w not in chosen), key=explained))
    return chosen
