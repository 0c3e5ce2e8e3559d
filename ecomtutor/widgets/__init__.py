"""Views to touch, each with a static form for pages where no kernel runs."""

from ecomtutor.widgets.attention_explorer import attention_explorer
from ecomtutor.widgets.cost_explorer import cost_explorer
from ecomtutor.widgets.decoding_explorer import decoding_explorer
from ecomtutor.widgets.explanation_explorer import explanation_explorer
from ecomtutor.widgets.fill_in_explorer import fill_in_explorer
from ecomtutor.widgets.quiz_view import quiz
from ecomtutor.widgets.recommendation_explorer import recommendation_explorer
from ecomtutor.widgets.service_desk import service_desk
from ecomtutor.widgets.threshold_explorer import threshold_explorer
from ecomtutor.widgets.tokenizer_explorer import tokenizer_explorer

__all__ = [
    "attention_explorer",
    "cost_explorer",
    "decoding_explorer",
    "explanation_explorer",
    "fill_in_explorer",
    "quiz",
    "recommendation_explorer",
    "service_desk",
    "threshold_explorer",
    "tokenizer_explorer",
]
