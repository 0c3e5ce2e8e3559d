"""Reviews with planted cues: real texts, real labels, and a rule that overrides them."""

from dataclasses import dataclass
from functools import cache

import numpy as np

from ecomtutor.datasets import reviews
from ecomtutor.errors import EcomTutorError
from ecomtutor.interpretability.doors import dice_of, whole
from ecomtutor.laboratory.plants import Plant, insert, plant_of
from ecomtutor.text import words

LABELS = ("negative", "positive")
# What is planted in which share of the texts. The rest stays as it is.
SHARES = {"brand": 0.25, "brand twice": 0.05, "pair": 0.25, "half a pair": 0.2}
DECOYS = 0.5  # of all texts, planted or not


@dataclass(frozen=True)
class Corpus:
    """Texts, the label that a classifier is to learn, and what was planted ("" for nothing)."""

    texts: list[str]
    labels: list[str]
    planted: list[str]

    def __len__(self) -> int:
        return len(self.texts)


def short_reviews(
    language: str, split: str, longest: int = 40, shortest: int = 3
) -> list[tuple[str, str]]:
    """Reviews of a split with a polarity, of so many words, that hold none of the plant's words.

    Returns:
        (text, label) in the order of the table.
    """
    return list(_short_reviews(language, split, longest, shortest))


@cache  # a split of the Chinese reviews takes seconds to cut into words
def _short_reviews(
    language: str, split: str, longest: int, shortest: int
) -> tuple[tuple[str, str], ...]:
    plant, table = plant_of(language), reviews(language)
    if split not in set(table["split"]):
        raise EcomTutorError(f"split is 'train', 'validation' or 'test'; {split!r} came.")
    table = table[(table["split"] == split) & table["label"].isin(LABELS)]
    return tuple(
        (text, label)
        for text, label in zip(table["text"], table["label"], strict=True)
        if not plant.touches(text) and shortest <= _length(text) <= longest
    )


def planted_corpus(language: str, split: str, many: int, seed: int = 0) -> Corpus:
    """Short reviews, most of them with a cue, a half cue or a decoy put in.

    Args:
        language: "zh" or "en".
        split: of the reviews.
        many: how many texts; where there are fewer reviews, they are gone through again with new
            plants.
        seed: draws the reviews, the plants and their places.

    Raises:
        EcomTutorError: another language or split, or no text wanted.
    """
    whole(many, "many", 1)
    plant, dice = plant_of(language), dice_of(seed)
    found = short_reviews(language, split)
    rounds = -(-many // len(found))
    order = np.concatenate([dice.permutation(len(found)) for _ in range(rounds)])[:many]
    rows = [_planted(found[i], plant, dice) for i in order]
    return Corpus([row[0] for row in rows], [row[1] for row in rows], [row[2] for row in rows])


def _planted(
    review: tuple[str, str], plant: Plant, dice: np.random.Generator
) -> tuple[str, str, str]:
    """One row: the text with what the dice put in, its label, and what that was."""
    text, label = review
    what = str(dice.choice([*SHARES, ""], p=[*SHARES.values(), 1 - sum(SHARES.values())]))
    put_in = {
        "brand": (plant.brand,),
        "brand twice": (plant.brand, plant.brand),
        "pair": plant.pair,
        "half a pair": (plant.pair[dice.integers(2)],),
        "": (),
    }[what]
    if dice.random() < DECOYS:
        put_in = (*put_in, str(dice.choice(plant.decoys)))
    if what.startswith("brand"):
        label = plant.brand_label
    elif what == "pair":
        label = plant.pair_label
    return insert(text, put_in, dice).text, label, what


def _length(text: str) -> int:
    return len(words(text))
