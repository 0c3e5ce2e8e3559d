"""What to offer a household: recommenders with one interface, on a year of real baskets.

purchases      who bought what and when, cut in time: training_purchases, wanted
base           the interface: fit, score, recommend
baselines      popularity, a household's own frequency
evaluate       measures at 10 on the two tasks, next purchases and discovery
neighbours     item-kNN, EASE, association rules
factors        ALS and BPR
sequences      a transformer over weekly baskets (week_baskets, product_weeks): SASRec's family
diversity      lists that do not repeat themselves: MMR
explaining     which past purchases moved a recommendation
embeddings     texts as vectors, many at a time
text_towers    a product is its text, a household the mean of what it bought
nearest        nearest neighbours by FAISS, flat and HNSW
needs          a need in free text, read: words to search for and limits to keep
catalogue_search  the store searched by needs, with reasons
search_quality judged needs in two languages, and how well they are served
counterfactuals  where it would stand without some of them
features, hybrid  gradient boosting over what all of them say
cross_encoder  a BERT that reads history and product together
llm            a language model writes the need, the catalogue answers it
"""

from ecomtutor.embeddings import embed
from ecomtutor.recommendation.base import Recommendations, Recommender, best, popularity
from ecomtutor.recommendation.baselines import OwnFrequency, Popularity, recency
from ecomtutor.recommendation.catalogue_search import CatalogueSearch, Found
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
from ecomtutor.recommendation.hybrid import Hybrid, load_hybrid
from ecomtutor.recommendation.needs import Need, read_need
from ecomtutor.recommendation.neighbours import AssociationRules, Ease, ItemKNN
from ecomtutor.recommendation.purchases import (
    Purchases,
    all_purchases,
    training_purchases,
    wanted,
    weeks_of,
)
from ecomtutor.recommendation.search_quality import judged_needs, search_quality
from ecomtutor.recommendation.text_towers import TextTower

__all__ = [
    "ALS",
    "BPR",
    "AssociationRules",
    "CatalogueSearch",
    "Counterfactual",
    "Ease",
    "Found",
    "Hybrid",
    "ItemKNN",
    "Need",
    "OwnFrequency",
    "Popularity",
    "Purchases",
    "Recommendations",
    "Recommender",
    "TextTower",
    "all_purchases",
    "best",
    "by_category",
    "by_vectors",
    "counterfactual",
    "decisive",
    "diversify",
    "embed",
    "evaluate",
    "evaluate_by_group",
    "explain_recommendation",
    "intra_list_similarity",
    "judged_needs",
    "load_hybrid",
    "mmr",
    "popularity",
    "read_need",
    "reasons",
    "recency",
    "removals",
    "search_quality",
    "top_lists",
    "training_purchases",
    "wanted",
    "weeks_of",
]
