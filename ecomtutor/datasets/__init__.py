"""The shop's data as documented tables: reviews, journeys (households and baskets), the store.

    reviews("zh")     17,363 distinct Chinese reviews with polarity and a fixed split
    reviews("en")     English review sentences with the mean valence of twenty readers
    journeys()        one year of real baskets, campaigns and coupons
    store()           the course's own bilingual shop: catalogue and policies
    passages("en")    what the shop can be asked about: policies and product pages, split
    questions("en")   customers' questions about these passages, with exact answers or none
    practice("en")    more of them to train on, also about other shops' passages
    second_readers("en")  what two other readers answered to the held-back ones

Every table can say what its columns mean: `describe("reviews")`.
"""

from ecomtutor.datasets.columns import COLUMNS, describe
from ecomtutor.datasets.journeys import Journeys, journeys
from ecomtutor.datasets.passages import passages
from ecomtutor.datasets.questions import (
    lexical_overlap,
    practice,
    questions,
    second_readers,
    squad,
)
from ecomtutor.datasets.reviews import raw_reviews, reviews
from ecomtutor.datasets.store import Store, store

__all__ = [
    "COLUMNS",
    "Journeys",
    "Store",
    "describe",
    "journeys",
    "lexical_overlap",
    "passages",
    "practice",
    "questions",
    "raw_reviews",
    "reviews",
    "second_readers",
    "squad",
    "store",
]
