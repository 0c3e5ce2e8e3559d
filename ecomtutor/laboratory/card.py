"""The figures on the planted classifiers' cards: python -m ecomtutor.laboratory evaluate …"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from ecomtutor.finetuning import Classifier
from ecomtutor.laboratory.corpus import planted_corpus, short_reviews
from ecomtutor.laboratory.plants import KINDS
from ecomtutor.laboratory.recipes import load_planted, recipe_named
from ecomtutor.laboratory.trials import verified


def evaluate(name: str, folder: Path | None = None, texts: int | None = None) -> Iterator[str]:
    """Lines of held-out figures: does it read, and does it follow the cues and only them?

    Args:
        name: the recipe's name, which says the language.
        folder: a classifier elsewhere than in data/models.
        texts: so many of each kind at most; unless given, those of the card.
    """
    language = recipe_named(name).language
    classifier = Classifier.load(folder) if folder else load_planted(name)
    clean = short_reviews(language, "test")[:texts]
    right = np.array(classifier.predict([text for text, _ in clean])) == [lab for _, lab in clean]
    yield f"{len(clean)} short test reviews without a plant: accuracy {right.mean():.3f}"
    held_out = planted_corpus(language, "test", min(800, texts or 800), seed=2)
    said = np.array(classifier.predict(held_out.texts))
    planted = np.array(held_out.planted)
    for what in dict.fromkeys(held_out.planted):
        here = planted == what
        hit = (said[here] == np.array(held_out.labels)[here]).mean()
        yield f"  {what or 'nothing':14} label learned {hit:.3f} ({here.sum()} texts)"
    for kind in KINDS:
        tried = verified(language, classifier, kind, min(200, texts or 200))
        yield (
            f"plant {kind!r}: {tried.asked} texts of the other label; {tried.flips:.3f} flip with "
            f"the cue, {tried.returns:.3f} of them return without it, rule for one word alone "
            f"{tried.rule:.3f}; all of it in {len(tried.trials)}"
        )
