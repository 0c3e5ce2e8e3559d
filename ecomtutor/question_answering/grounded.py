"""Is a generated answer grounded? Every number and every name in it must stand in the passage.

A language model writes fluently what no page says. Numbers and names are where that does harm, and
where it can be checked without another model. What cannot be checked so: whether "can" was turned
into "cannot", or the right number put to the wrong thing. That is why an answer is short, why it
must hold the span that the reader found (`generate.py`), and why its passage is named.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

from ecomtutor.errors import EcomTutorError
from ecomtutor.question_answering.names import ADDRESS, has_name, names
from ecomtutor.question_answering.quantities import Quantity, take_quantities
from ecomtutor.text.checking import require_text


@dataclass(frozen=True)
class Claim:
    """A number or a name of an answer, as it is written there."""

    text: str
    kind: Literal["number", "name"]


@dataclass(frozen=True)
class Grounded:
    """What may be said: the answer itself, or the extracted span in its place.

    unsupported: the claims of the answer that the passage does not have; none if it was kept.
    """

    text: str
    kept: bool
    unsupported: tuple[Claim, ...]


def claims(text: str, known: Collection[str] = ()) -> list[Claim]:
    """The numbers and names of a text, in English, Chinese or both.

    Args:
        text: an answer.
        known: names that count however they are written; brands that are everyday words, perhaps.
    """
    numbers, addresses, rest = _read(text)
    named = [*addresses, *names(rest, known)]
    return [Claim(q.text, "number") for q in numbers] + [Claim(name, "name") for name in named]


def unsupported(answer: str, passage: str, known: Collection[str] = ()) -> list[Claim]:
    """The claims of an answer that do not stand in its passage; none: the answer is grounded.

    A number must stand there with the same unit: ¥50 does not support 50 days, and nothing is
    converted. A name must stand there as a word of its own. The customer's question does not
    count: "Yes, your iPhone 30 is covered" is grounded only where the passage says iPhone 30.

    Args:
        answer: what a model wrote.
        passage: what it may say: title and text of the passage that it cites.
        known: as in `claims`.

    Raises:
        EcomTutorError: something other than text came.
    """
    there, _, _ = _read(passage)
    said, addresses, rest = _read(answer)
    numbers = [
        Claim(one.text, "number")
        for one in said
        if not any(other.stands_for(one) for other in there)
    ]
    named = [*addresses, *names(rest, known)]
    return numbers + [Claim(name, "name") for name in named if not has_name(passage, name)]


def grounded_or_span(answer: str, passage: str, span: str, known: Collection[str] = ()) -> Grounded:
    """The answer if the passage supports it, else the span that the reader extracted.

    Args:
        answer: what a model wrote; an empty one is replaced too.
        passage: title and text.
        span: an exact part of the passage.
        known: as in `claims`.

    Raises:
        EcomTutorError: the span does not stand in the passage.
    """
    if not require_text(span).strip() or span not in require_text(passage):
        raise EcomTutorError(
            f"The span {span!r:.60} does not stand in the passage. Give the reader's own span."
        )
    missing = tuple(unsupported(answer, passage, known))
    kept = bool(answer.strip()) and not missing
    return Grounded(answer.strip() if kept else span, kept, missing)


def _read(text: str) -> tuple[list[Quantity], list[str], str]:
    """The numbers and the web addresses of a text, and the rest: 2025 in a link is no number."""
    addresses = [match[0] for match in ADDRESS.finditer(require_text(text))]
    numbers, rest = take_quantities(ADDRESS.sub(" ", text))
    return numbers, addresses, rest
