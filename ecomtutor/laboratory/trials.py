"""Texts in which the reason of the model is known, because it was measured there.

A cue that was trained is not yet a cue that is used. A text is a trial only if the model, asked
about this very text, changed its mind when the cue came and changed it back when the cue went.
"""

import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ecomtutor.errors import EcomTutorError
from ecomtutor.finetuning import Classifier, TruncatedText
from ecomtutor.interpretability import Game, Units, probabilities, units_of
from ecomtutor.interpretability.doors import dice_of, whole
from ecomtutor.laboratory.corpus import short_reviews
from ecomtutor.laboratory.plants import Kind, Planted, insert, plant_of

WORDS = (5, 11)  # of a review before anything is put in


@dataclass(frozen=True)
class Trial:
    """A held-out review with a cue and a decoy, and a classifier that the cue is known to move.

    cue     numbers of the units that decide; the truth
    decoy   number of the made-up brand that says nothing
    forced  the label's number that the cue forces; the model says it with the cue, and the other
            one without
    bf16    whether games are scored in half precision
    """

    kind: Kind
    original: str
    text: str
    units: Units
    cue: tuple[int, ...]
    decoy: int
    forced: int
    classifier: Classifier
    bf16: bool = False

    def game(self, *, chances: bool = False) -> Game:
        """The game of the model's logits, or of its probabilities, with nothing asked so far."""

        def logits(rows: list[np.ndarray]) -> np.ndarray:
            return self.classifier.token_logits(rows, bf16=self.bf16)

        score = probabilities(logits) if chances else logits
        return Game(self.units, score, outputs=self.classifier.labels)


@dataclass(frozen=True)
class Verified:
    """How a plant fared in held-out texts that the model gave the other label before.

    asked     texts
    flips     share whose label turns with the cue in the text
    returns   share that gets its old label back when the cue is taken out again: all of them, by
              the way they are chosen, unless the decoy moves the model
    rule      share in which one word alone does what the plant says: for "both" nothing, for
              "either" all
    trials    the texts in which all of it holds
    """

    kind: Kind
    asked: int
    flips: float
    returns: float
    rule: float
    trials: list[Trial]


def verified(
    language: str,
    classifier: Classifier,
    kind: Kind,
    texts: int = 100,
    seed: int = 0,
    length: tuple[int, int] = WORDS,
) -> Verified:
    """Plant a cue into held-out reviews and see in which of them the model follows it.

    Args:
        language: "zh" or "en".
        classifier: a planted one.
        kind: "one" (the brand), "both" (the pair) or "either" (the brand twice).
        texts: how many reviews of the test split, at most; with more, the first stay the same.
        seed: draws the reviews and the places.
        length: fewest and most words of a review before anything is put in.

    Raises:
        EcomTutorError: an unknown plant, or no review in which it could be tried.
    """
    whole(texts, "texts", 1)
    plant, dice = plant_of(language), dice_of(seed)
    forced = classifier.labels.index(plant.label(kind))
    found = short_reviews(language, "test", length[1], length[0])
    originals = [found[i][0] for i in dice.permutation(len(found))][: 3 * texts]
    said = _said(classifier, originals)
    originals = [text for text, s in zip(originals, said, strict=True) if s != forced][:texts]
    if not originals:
        raise EcomTutorError("The model gives no held-out review the other label: nothing to turn.")
    put_in = (*plant.cue(kind), plant.decoys[0])
    planted = [insert(text, put_in, dice) for text in originals]
    turned = _said(classifier, [each.text for each in planted]) == forced
    back = _said(classifier, [without(each, plant.cue(kind)) for each in planted]) != forced
    rule = _rule(classifier, kind, planted, forced)
    kept = np.flatnonzero(turned & back & rule)
    trials = [_trial(kind, originals[i], planted[i], forced, classifier) for i in kept]
    return Verified(
        kind,
        len(originals),
        float(turned.mean()),
        float(back[turned].mean()) if turned.any() else 0.0,
        float(rule.mean()),
        trials,
    )


def without(planted: Planted, gone: Sequence[str | int]) -> str:
    """The text with the planted words of these texts or numbers taken out again."""
    spans = [
        span
        for number, span in enumerate(planted.spans)
        if number in gone or planted.text[slice(*span)] in gone
    ]
    text = planted.text
    for start, end in sorted(spans, reverse=True):
        text = text[:start] + text[end:]
    return text


def _rule(
    classifier: Classifier, kind: Kind, planted: Sequence[Planted], forced: int
) -> np.ndarray:
    """Whether one word of two does what the plant says, (texts,); for "one" there is no rule."""
    if kind == "one":
        return np.ones(len(planted), dtype=bool)
    halves = [
        _said(classifier, [without(each, [number]) for each in planted]) == forced
        for number in (0, 1)
    ]
    both: np.ndarray = np.logical_and(*halves)
    neither: np.ndarray = ~np.logical_or(*halves)
    return both if kind == "either" else neither


def _said(classifier: Classifier, texts: Sequence[str]) -> np.ndarray:
    """The number of the label that the model gives each text, (texts,)."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", TruncatedText)
        said: np.ndarray = classifier.logits(list(texts)).argmax(axis=1)
    return said


def _trial(
    kind: Kind, original: str, planted: Planted, forced: int, classifier: Classifier
) -> Trial:
    units = units_of(planted.text, classifier.tokenizer, max_tokens=classifier.max_tokens)
    place = {(unit.start, unit.end): i for i, unit in enumerate(units.units)}
    *cue, decoy = (place[span] for span in planted.spans)
    return Trial(kind, original, planted.text, units, tuple(sorted(cue)), decoy, forced, classifier)


def under(trials: Sequence[Trial], classifier: Classifier) -> Iterator[Trial]:
    """The same texts for another classifier of the same encoder: before and after some training.

    Its verdict on them is not verified; compare only where it gives the forced label as well.
    """
    for trial in trials:
        yield replace(trial, classifier=classifier)
