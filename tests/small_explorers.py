"""Every explorer over something small, for a kernel that a browser test talks to.

The models are those of the explorers' own tests: random or counting, so that all of them together
take seconds.
"""

import sys
from dataclasses import replace
from typing import Any

from ecomtutor import widgets
from ecomtutor.pretraining import train_byte_bpe
from ecomtutor.transformer import Gpt, GptConfig

TEXTS = ["酒店的房间很大。", "The sound is great but the battery is bad.", "<b>&"] * 3


def decoding_explorer() -> Any:
    module = sys.modules["ecomtutor.widgets.decoding_explorer"]
    tokenizer = train_byte_bpe(TEXTS, 320)
    size = GptConfig(len(tokenizer), 16, 2, 2, positions=128, end_id=tokenizer.eos_token_id)
    tiny = module.Writer(tokenizer, Gpt(size, seed=3).eval(), (tokenizer.eos_token_id,))
    module._writer = lambda language: tiny
    return widgets.decoding_explorer()


def explanation_explorer() -> Any:
    from test_explanation_explorer import Counting

    return widgets.explanation_explorer("房间很干净，早餐太差", Counting("zh"))


def recommendation_explorer() -> Any:
    from test_recommendation_explorer import small_shop

    from ecomtutor.recommendation import OwnFrequency, Popularity
    from ecomtutor.recommendation.catalogue_search import CatalogueSearch

    models = {
        "popularity": Popularity().fit(small_shop()),
        "own frequency": OwnFrequency().fit(small_shop()),
    }
    searches = {"limits kept": CatalogueSearch(dense=False)}
    return widgets.recommendation_explorer(models, [1, 7], ["蓝牙耳机 300元以内"], searches)


def service_desk() -> Any:
    from test_service_desk import ASKED, Shelf
    from tiny_reader import tiny_encoder, tiny_reader

    reader = replace(tiny_reader(tiny_encoder()), threshold=-100.0)
    shelf: Any = Shelf("en")
    return widgets.service_desk("en", [ASKED["en"]], reader=reader, retriever=shelf)


def threshold_explorer() -> Any:
    texts = ["The parcel came late.", "很好，下次再来", "Broken <b>twice</b>.", "Fine."]
    return widgets.threshold_explorer(
        texts, [True, False, True, False], [0.55, 0.1, 0.9, 0.48], missed=5
    )


EXPLORERS = {
    "attention": widgets.attention_explorer,
    "cost": widgets.cost_explorer,
    "tokenizer": widgets.tokenizer_explorer,
    "fill_in": widgets.fill_in_explorer,
    "decoding": decoding_explorer,
    "explanation": explanation_explorer,
    "recommendation": recommendation_explorer,
    "threshold": threshold_explorer,
    "desk": service_desk,
    "quiz": lambda: widgets.quiz("01"),
}
