"""What to offer a household: recommenders with one interface, on a year of real baskets.

purchases      who bought what and when, cut in time: training_purchases, wanted
base           the interface: fit, score, recommend
baselines      popularity, a household's own frequency
evaluate       measures at 10 on the two tasks, next purchases and discovery
"""

from ecomtutor.recommendation.base import Recommendations, Recommender, best, popularity
from ecomtutor.recommendation.baselines import OwnFrequency, Popularity, recency
from ecomtutor.recommendation.evaluate import evaluate, evaluate_by_group, top_lists
from ecomtutor.recommendation.purchases import (
    Purchases,
    all_purchases,
    training_purchases,
    wanted,
    weeks_of,
)

__all__ = [
    "OwnFrequency",
    "Popularity",
    "Purchases",
    "Recommendations",
    "Recommender",
    "all_purchases",
    "best",
    "evaluate",
    "evaluate_by_group",
    "popularity",
    "recency",
    "top_lists",
    "training_purchases",
    "wanted",
    "weeks_of",
]
