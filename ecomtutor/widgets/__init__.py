"""Views to touch, each with a static form for pages where no kernel runs."""

from ecomtutor.widgets.quiz_view import quiz

__all__ = ["quiz"]
