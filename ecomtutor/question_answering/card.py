"""Figures of the readers' cards: python -m ecomtutor.question_answering evaluate | retrieval."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from ecomtutor.datasets import questions, second_readers
from ecomtutor.metrics.spans import span_metrics
from ecomtutor.question_answering.examples import (
    FOLDER,
    Example,
    public_examples,
    store_examples,
    unseen_examples,
)
from ecomtutor.question_answering.reader import Answer, Reader, load_reader
from ecomtutor.question_answering.retrieve import WAYS, Retriever, recall_at
from ecomtutor.question_answering.training import recipe


def evaluate(
    name: str,
    folder: Path | None = None,
    split: str = "test",
    data: Path | None = None,
    many: int | None = None,
) -> Iterator[str]:
    """Lines of held-out figures: the right passage given, retrieved passages, other shops, public.

    Before them what refusing everything scores, and what two large language models do.

    Args:
        name: the recipe's name, which says the language.
        folder: a reader elsewhere than in data/models.
        split: "validation" or "test" of the store's questions.
        data: the public sets; without them and without ECOMTUTOR_READER_DATA they are left out.
        many: questions of each kind, at most; unless given, all.
    """
    language = recipe(name).language
    reader = Reader.load(folder) if folder else load_reader(language)
    asked = store_examples(language, split)[:many]
    yield f"{len(asked)} questions of the {split} split; threshold {reader.threshold:.2f}"
    yield _line("refuses everything", [""] * len(asked), asked, language)
    for which, said in _of_others(language, split, many):
        yield _line(f"{which} other reader", said, asked, language)
    given = reader.answer_all([e.question for e in asked], [[e] for e in asked])
    yield _line("the right passage given", [a.text for a in given], asked, language)
    for k in (1, 3):
        yield _line(f"{k} retrieved", _retrieved(reader, asked, language, k), asked, language)
    unseen = unseen_examples(language)[:many]
    others = {f"{len(unseen)} of other shops": unseen}
    if data or os.environ.get(FOLDER):
        others["public, held back"] = public_examples(language, data, held_back=True)[
            : min(400, many or 400)
        ]
    for what, some in others.items():
        answers = reader.answer_all([e.question for e in some], [[e] for e in some])
        yield _line(what, [a.text for a in answers], some, language)


def retrieval(split: str = "test", many: int | None = None) -> Iterator[str]:
    """Lines of recall: how often the right passage is among the first 1, 3 and 5.

    Args:
        split: of the store's questions.
        many: the first so many; unless given, all.
    """
    for language in ("en", "zh"):
        for way in WAYS:
            recall = recall_at(language, split, way, many=many)
            only = recall_at(language, split, way, answerable_only=True, many=many)
            figures = "   ".join(f"recall@{k} {value:.3f}" for k, value in recall.items())
            yield f"{language} {split:10} {way:8} {figures}   answerable: recall@3 {only[3]:.3f}"


def _of_others(language: str, split: str, many: int | None) -> Iterator[tuple[str, list[str]]]:
    """What the two further readers, large language models, said about the same questions."""
    table = questions(language)
    chosen = (table["split"] == split)[table["split"] != "train"].to_numpy()
    others = second_readers(language)[chosen][:many]
    for which in ("first", "second"):
        yield which, others[which].tolist()


def _retrieved(reader: Reader, asked: Sequence[Example], language: str, k: int) -> list[str]:
    """Answers from retrieved passages; one from a passage that is not the question's is marked.

    An exact answer from another passage is luck, and would be cited wrongly.
    """
    retriever = Retriever(language)
    found = [retriever.search(example.question, k) for example in asked]
    answers: list[Answer] = reader.answer_all([e.question for e in asked], found)
    return [
        answer.text
        if answer.passage is None or passages[answer.passage].text == example.text
        else f"[elsewhere] {answer.text}"
        for answer, passages, example in zip(answers, found, asked, strict=True)
    ]


def _line(what: str, said: Sequence[str], asked: Sequence[Example], language: str) -> str:
    found = span_metrics(said, [example.accepted for example in asked], language)
    return (
        f"  {what:24} answerable: exact {found['answerable_exact']:.3f} "
        f"F1 {found['answerable_f1']:.3f}   no answer: precision "
        f"{found['no_answer_precision']:.3f} recall {found['no_answer_recall']:.3f} "
        f"F1 {found['no_answer_f1']:.3f}   all: F1 {found['f1']:.3f}"
    )
