"""The shop's texts for pre-training: Chinese reviews, and the store's texts in both languages."""

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ecomtutor.datasets import reviews, store
from ecomtutor.datasets.reviews import split_of
from ecomtutor.errors import EcomTutorError

if TYPE_CHECKING:
    import pandas as pd

SPLITS = ("train", "validation", "test")
_SENTENCE = re.compile(r"[^。！？!?；;…]*[。！？!?；;…]+[”’）)】》]*|[^。！？!?；;…]+")
_COMMA = re.compile(r"[，,、：:~～ ]")


@dataclass(frozen=True)
class Document:
    """One text, with the shelf that it comes from: "review", "store zh" or "store en"."""

    text: str
    shelf: str


def corpus(split: str) -> list[Document]:
    """All texts of one split.

    Reviews keep the split that `reviews("zh")` gives them. A product or policy falls into a split
    by its id, in both languages at once, so that a translation never gives a held-out text away.

    Args:
        split: "train", "validation" or "test".

    Raises:
        EcomTutorError: another split.
        MissingResource: the reviews are not on this machine yet.
    """
    if split not in SPLITS:
        raise EcomTutorError(f"The splits are {', '.join(SPLITS)}; {split!r} was asked for.")
    table = reviews("zh")
    texts = table.loc[table["split"] == split, "text"]
    documents = [Document(one_line(text), "review") for text in texts]
    return (
        documents
        + _shop_texts(store().products, "description", split)
        + _shop_texts(store().policies, "text", split)
    )


def review_texts(split: str) -> list[str]:
    """Only the Chinese reviews of a split: what the held-out figures are measured on."""
    return [document.text for document in corpus(split) if document.shelf == "review"]


def one_line(text: str) -> str:
    """The text with every run of white space, full-width too, as one space."""
    return " ".join(text.split())


def sentences(text: str) -> list[str]:
    """The sentences of a text, each with its closing signs; joined, they give the text back.

    Half of the reviews never use a full stop. One that would be a single sentence is cut in two at
    the comma nearest its middle; with no comma either it stays whole.
    """
    found = _SENTENCE.findall(text) or [text]
    if len(found) > 1:
        return found
    cuts = [match.end() for match in _COMMA.finditer(text) if 0 < match.end() < len(text)]
    if not cuts:
        return [text]
    cut = min(cuts, key=lambda position: abs(position - len(text) / 2))
    return [text[:cut], text[cut:]]


def _shop_texts(table: "pd.DataFrame", body: str, split: str) -> list[Document]:
    return [
        Document(one_line(f"{row[f'title_{side}']}{stop}{row[f'{body}_{side}']}"), f"store {side}")
        for row in table.to_dict("records")
        if split_of(row["id"]) == split
        for side, stop in (("zh", "。"), ("en", ". "))
    ]
