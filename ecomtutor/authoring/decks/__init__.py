"""Slide decks: Markdown in, one folder of pages out that presents without a network.

``slides/README.md`` describes the format; ``python -m ecomtutor.authoring.decks`` builds.
"""

from ecomtutor.authoring.decks.pages import build_decks
from ecomtutor.authoring.decks.source import Deck, DeckError, Slide, read_deck

__all__ = ["Deck", "DeckError", "Slide", "build_decks", "read_deck"]
