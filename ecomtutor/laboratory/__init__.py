"""Classifiers whose reason is known, because it was planted; and every method marked against it.

plants             the cues, and how words are put into a review
corpus             real reviews with cues
recipes            the classifiers: python -m ecomtutor.laboratory train planted-zh
trials             held-out texts in which the model was seen to follow the cue
methods            what is marked: a table to add to
marking            precision, faithfulness, stability, cost: the score card
without_attention  the same training where attention cannot look
card               the classifiers' figures: python -m ecomtutor.laboratory evaluate planted-zh

    trials = verified("zh", load_planted("planted-zh"), "one").trials
    METHODS["Owen values"].run(trials[0], 0).values
"""

from ecomtutor.laboratory.corpus import Corpus, planted_corpus, short_reviews
from ecomtutor.laboratory.marking import Mark, found, mark, measure, read, scorecard
from ecomtutor.laboratory.methods import METHODS, Answer, Method
from ecomtutor.laboratory.plants import KINDS, PLANTS, Plant, Planted, insert, plant_of
from ecomtutor.laboratory.recipes import RECIPES, Recipe, load_planted, recipe_named, train_planted
from ecomtutor.laboratory.trials import Trial, Verified, under, verified, without
from ecomtutor.laboratory.without_attention import read_uniform

__all__ = [
    "KINDS",
    "METHODS",
    "PLANTS",
    "RECIPES",
    "Answer",
    "Corpus",
    "Mark",
    "Method",
    "Plant",
    "Planted",
    "Recipe",
    "Trial",
    "Verified",
    "found",
    "insert",
    "load_planted",
    "mark",
    "measure",
    "plant_of",
    "planted_corpus",
    "read",
    "read_uniform",
    "recipe_named",
    "scorecard",
    "short_reviews",
    "train_planted",
    "under",
    "verified",
    "without",
]
