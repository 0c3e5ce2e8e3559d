"""Extraction against generation on the same questions: what each gets wrong.

python -m ecomtutor.question_answering compare     writes data/experiments/answers_compared.csv

Sixty English questions about test passages, answerable and not. The reader's span is one answer,
SmolLM2's first sentence another, and what is said after the groundedness check the third. All
three see the same retrieved passages.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ecomtutor.errors import MissingResource

if TYPE_CHECKING:
    import pandas as pd

    from ecomtutor.question_answering.reader import Reader
    from ecomtutor.question_answering.retrieve import Retriever

FILE = "answers_compared.csv"
MANY, PASSAGES = 60, 3
BETWEEN = " | "
REFUSED = ""
COLUMNS = (
    "id",  # of the question
    "question",
    "accepted",  # right answers, joined by " | "; "" where it cannot be answered
    "passage",  # the id of the passage that it is about
    "cited",  # the id of the passage that was read from; "" after a refusal
    "span",  # what the reader extracted; "" after a refusal
    "draft",  # the model's first sentence about that passage, unchecked; "" after a refusal
    "said",  # after the check: the draft or the span
    "how",  # "generated", "span" or "refused"
    "reasons",  # why the draft was replaced, joined by " | "
)
ERRORS = (
    "right",
    "refused though answerable",
    "answered though unanswerable",
    "another passage",
    "wrong words",
    "adds what the passage does not say",
)


def compare_answers(
    path: Path | None = None, many: int = MANY, progress: bool = True
) -> "pd.DataFrame":
    """Answer the questions in all three ways; go on where an earlier run stopped; save each.

    Args:
        path: a file elsewhere than in data/experiments.
        many: how many questions, evenly from the test split.
        progress: show a bar.

    Returns:
        The table that `read_answers` reads.
    """
    import pandas as pd
    from tqdm.auto import tqdm

    from ecomtutor.question_answering.reader import load_reader
    from ecomtutor.question_answering.retrieve import Retriever

    path = path or _file()
    path.parent.mkdir(parents=True, exist_ok=True)
    kept = read_answers(path).to_dict("records") if path.is_file() else []
    known = {row["id"]: row for row in kept}
    reader, retriever = load_reader("en"), Retriever("en")
    rows: list[dict[str, Any]] = []
    for asked in tqdm(sample(many).to_dict("records"), unit="question", disable=not progress):
        rows.append(known.get(asked["id"]) or answered(asked, reader, retriever))
        pd.DataFrame(rows, columns=COLUMNS).to_csv(path, index=False)
    return read_answers(path)


def sample(many: int = MANY) -> "pd.DataFrame":
    """Questions of the English test split, evenly over it: every kind of passage."""
    import numpy as np

    from ecomtutor.datasets import questions

    table = questions("en")
    table = table[table["split"] == "test"]
    places = np.linspace(0, len(table) - 1, min(many, len(table))).round().astype(int)
    return table.iloc[places].reset_index(drop=True)


def answered(
    asked: dict[str, Any], reader: "Reader", retriever: "Retriever", write: Any = None
) -> dict[str, str]:
    """One row: a question answered in three ways.

    Args:
        asked: a row of `questions`.
        write: as in `answer_in_words`; None takes SmolLM2.
    """
    from ecomtutor.question_answering.generate import answer_in_words, smollm2

    said = answer_in_words(
        asked["question"],
        retrieve=lambda question: retriever.search(question, PASSAGES),
        read=reader.answer,
        write=write or smollm2,
    )
    return {
        "id": asked["id"],
        "question": asked["question"],
        "accepted": BETWEEN.join(asked["answers"]),
        "passage": asked["passage_id"],
        "cited": said.passage or REFUSED,
        "span": said.span,
        "draft": said.draft,
        "said": said.text,
        "how": said.how,
        "reasons": BETWEEN.join(said.reasons),
    }


def read_answers(path: Path | None = None) -> "pd.DataFrame":
    """The kept answers, `COLUMNS`; all of them text.

    Raises:
        MissingResource: the file is not there.
    """
    import pandas as pd

    path = path or _file()
    if not path.is_file():
        raise MissingResource(
            f"{FILE} is not in data/experiments. Work from a full clone, or write it again: "
            "python -m ecomtutor.question_answering compare"
        )
    return pd.read_csv(path, keep_default_na=False, dtype=str)


def judged(table: "pd.DataFrame") -> "pd.DataFrame":
    """What each way got wrong: counts, a row for each of `ERRORS`, a column for each way.

    Ways: "extraction" (the span), "generation" (the unchecked draft), "generation, checked". An
    answer is right if it holds one of the accepted ones, compared without case, punctuation and
    articles. A draft that holds it and was replaced because it adds something is counted as
    adding. Where words are wrong, what the passage does not say comes before the wrong words.
    """
    import pandas as pd

    ways = {"extraction": "span", "generation": "draft", "generation, checked": "said"}
    counts = {
        way: pd.Series([_error(row, column) for row in table.to_dict("records")]).value_counts()
        for way, column in ways.items()
    }
    return pd.DataFrame(counts).reindex(ERRORS).fillna(0).astype(int)


def lines(table: "pd.DataFrame") -> Iterator[str]:
    """The counts as lines."""
    yield f"{len(table)} questions"
    yield from judged(table).to_string().splitlines()


def _error(row: dict[str, str], column: str) -> str:
    from ecomtutor.metrics.spans import normalise_answer

    said, accepted = row[column], [a for a in row["accepted"].split(BETWEEN) if a]
    if not said:
        return "refused though answerable" if accepted else "right"
    if not accepted:
        return "answered though unanswerable"
    if row["cited"] != row["passage"]:
        return "another passage"
    if column == "draft" and row["reasons"].startswith(_ADDS):
        return "adds what the passage does not say"
    words = f" {normalise_answer(said, 'en')} "
    holds = any(f" {normalise_answer(gold, 'en')} " in words for gold in accepted)
    return "right" if holds else "wrong words"


_ADDS = ("The passage does not say", "The draft promises")


def _file() -> Path:
    from ecomtutor.datasets.store import data_dir

    return data_dir() / "experiments" / FILE
