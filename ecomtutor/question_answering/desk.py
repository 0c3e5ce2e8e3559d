"""The service desk: intent, then an answer from a passage, guidance to a product, or a human."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from ecomtutor.question_answering.dialogue import (
    ReadNeed,
    Search,
    State,
    step,
    wants_human,
)
from ecomtutor.question_answering.generate import Read, Retrieve, Write, answer_in_words
from ecomtutor.question_answering.intents import Intent
from ecomtutor.question_answering.policy import Action, Reply, ask, brands, hand_over, permitted
from ecomtutor.text.checking import require_text

SURE = 0.4  # below this probability an intent is not acted upon
_ASKS = re.compile(
    r"[?？]|[吗呢么几谁]|多少|哪|怎|啥|是否|能否|可否|"
    r"^\W*(?:who|whose|what|which|when|where|why|how|is|are|was|were|do|does|did|can|could|will|"
    r"would|should|may|has|have)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Desk:
    """A desk in one language. All its parts are callables, and `policy.permitted` is its last word.

    intent: message → Intent, for example `lambda m: intent_of(m, "en")`.
    retrieve, read, write: as in `answer_in_words`; without write it says the reader's span. The
    catalogue's brands count as names there, however they are written.
    read_need, search: as in `dialogue.step`.
    """

    language: str
    intent: Callable[[str], Intent]
    retrieve: Retrieve
    read: Read
    read_need: ReadNeed
    search: Search
    write: Write | None = None
    pages: Mapping[str, tuple[str, str]] = field(default_factory=dict, repr=False)
    products: Mapping[str, Mapping[str, Any]] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        from ecomtutor.datasets import passages, store

        if not self.pages:
            rows = passages(self.language)
            pairs = zip(rows["title"], rows["text"], strict=True)
            object.__setattr__(self, "pages", dict(zip(rows["id"], pairs, strict=True)))
        if not self.products:
            rows = store().products.to_dict("records")
            object.__setattr__(self, "products", {row["id"]: row for row in rows})

    def reply(self, state: State, message: str) -> tuple[State, Reply]:
        """One turn: the new state, and a reply that the desk may give.

        Raises:
            EcomTutorError: something other than text came.
        """
        state, said = self._unchecked(state, require_text(message).strip())
        return state, permitted(said, self.pages, self.products, self.language)

    def _unchecked(self, state: State, message: str) -> tuple[State, Reply]:
        if state.human or wants_human(message):
            why = state.human or "asked"
            return replace(state, human=why), hand_over(why, self.language)
        intent = self.intent(message)
        if intent.name == "complaint" and intent.probability >= SURE:
            return replace(state, human="complaint"), hand_over("complaint", self.language)
        if intent.name == "small talk" and not state.said:
            return state, ask("help", self.language)
        # Who says what they want and asks nothing is helped to choose: a reader finds words for
        # any message, and would answer a wish with some page's sentence.
        wish = intent.name == "pre-sale" and intent.probability >= SURE and not _asks(message)
        guided = wish or (bool(state.said) and intent.name in ("pre-sale", "small talk"))
        if not guided and (answer := self._answer(message)):
            return state, answer
        if guided or (intent.name == "pre-sale" and intent.probability >= SURE):
            parts = {"read_need": self.read_need, "search": self.search, "products": self.products}
            return step(state, message, **parts)  # type: ignore[arg-type]
        why = "order" if intent.name == "order" else "unsure"
        return replace(state, human=why), hand_over(why, self.language)

    def _answer(self, message: str) -> Reply | None:
        if not any(character.isalnum() for character in message):
            return None
        said = answer_in_words(
            message,
            retrieve=self.retrieve,
            read=self.read,
            write=self.write,
            language=self.language,
            known=brands(self.products),
        )
        if said.passage is None:
            return None
        return Reply(Action.ANSWER, said.text, (said.passage,))


def _asks(message: str) -> bool:
    """Whether a message is a question: by its mark, or by how it begins."""
    return bool(_ASKS.search(message))
