"""Views to touch, each with a static form for pages where no kernel runs."""

from ecomtutor.widgets.attention_explorer import attention_explorer
from ecomtutor.widgets.quiz_view import quiz

__all__ = ["attention_explorer", "quiz"]
