"""What to offer a household: recommenders with one interface, on a year of real baskets.

purchases      who bought what and when, cut in time: training_purchases, wanted
base           the interface: fit, score, recommend
baselines      popularity, a household's own frequency
evaluate       measures at 10 on the two tasks, next purchases and discovery
neighbours     item-kNN, EASE, association rules
factors        ALS and BPR
diversity      lists that do not repeat themselves: MMR
explaining     which past purchases moved a recommendation
counterfactuals  where it would stand without some of them
"""

from ecomtutor.recommendation.base import Recommendations, Recommender, best, popularity
from ecomtutor.recommendation.baselines import OwnFrequency, Popularity, recency
from ecomtutor.recommendation.counterfactuals import (
    Counterfactual,
    counterfactual,
    decisive,
    removals,
)
from ecomtutor.recommendation.diversity import (
    by_category,
    by_vectors,
    diversify,
    intra_list_similarity,
    mmr,
)
from ecomtutor.recommendation.evaluate import evaluate, evaluate_by_group, top_lists
from ecomtutor.recommendation.explaining import explain_recommendation, reasons
from ecomtutor.recommendation.factors import ALS, BPR
from ecomtutor.recommendation.neighbours import AssociationRules, Ease, ItemKNN
from ecomtutor.recommendation.purchases import (
    Purchases,
    all_purchases,
    training_purchases,
    wanted,
    weeks_of,
)

__all__ = [
    "ALS",
    "BPR",
    "AssociationRules",
    "Counterfactual",
    "Ease",
    "ItemKNN",
    "OwnFrequency",
    "Popularity",
    "Purchases",
    "Recommendations",
    "Recommender",
    "all_purchases",
    "best",
    "by_category",
    "by_vectors",
    "counterfactual",
    "decisive",
    "diversify",
    "evaluate",
    "evaluate_by_group",
    "explain_recommendation",
    "intra_list_similarity",
    "mmr",
    "popularity",
    "reasons",
    "recency",
    "removals",
    "top_lists",
    "training_purchases",
    "wanted",
    "weeks_of",
]
