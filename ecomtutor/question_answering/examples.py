"""What the readers learn from: the store's questions, product pages, wrong passages, public sets.

Nothing here touches a validation or test passage of the store, and the public sets keep a tenth of
their contexts for validation.
"""

import ast
import csv
import gzip
import hashlib
import json
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ecomtutor.datasets import passages, practice, questions, store
from ecomtutor.errors import EcomTutorError, MissingResource
from ecomtutor.text import simplified

FOLDER = "ECOMTUTOR_READER_DATA"
HUB = {"subjqa": "megagonlabs/subjqa", "cmrc": "cmrc2018", "drcd": "drcd"}
PUBLIC = {
    "en": ("subjqa_*_train.csv.gz",),
    "zh": ("cmrc2018_dev.json.gz", "drcd_dev.json.gz", "drcd_test.json.gz"),
}
_NOTHING = "ANSWERNOTFOUND"
_HELD_BACK = 0.1
_UNSEEN = 0.15
_LATER_ROUNDS = ("else3-", "else4-", "else5-", "else6-")  # how their passages' ids begin
_WAITING = "else7-"  # for the next training: partly more questions on the last round's passages
_TEMPLATES = {
    "en": (
        "What is the {fact} of the {name}?",
        "{name} {fact}?",
        "{fact} of the {name}",
        "can you tell me the {fact} of {name}",
        "I'm looking at the {name}. What about its {fact}?",
        "for {name}, which {fact} is it",
    ),
    "zh": (
        "{name}的{fact}是多少？",
        "{name} {fact}",
        "请问{name}的{fact}是什么",
        "想买{name}，{fact}怎么样？",
        "{name}这款{fact}是啥",
        "你好，{name}{fact}？",
    ),
}
_PRICES = {
    "en": ("How much is the {name}?", "what does {name} cost", "{name} price?", "price of {name}"),
    "zh": ("{name}多少钱？", "{name}什么价", "{name} 价格", "请问{name}卖多少"),
}


@dataclass(frozen=True)
class Example:
    """A question about a text; start is the answer's first character, None without an answer."""

    question: str
    title: str
    text: str
    answer: str = ""
    start: int | None = None
    accepted: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.start is not None:
            found = self.text[self.start : self.start + len(self.answer)]
            if not self.answer or found != self.answer:
                raise EcomTutorError(
                    f"{self.answer!r:.60} was expected at character {self.start}; {found!r:.60} "
                    "stands there."
                )


def store_examples(language: str, split: str) -> list[Example]:
    """The store's own questions of a split, each with its passage.

    Raises:
        EcomTutorError: another language or split.
    """
    table = questions(language)
    if split not in set(table["split"]):
        raise EcomTutorError(f"split is 'train', 'validation' or 'test'; {split!r} came.")
    place = passages(language).set_index("id")
    return [
        Example(
            row["question"],
            place.at[row["passage_id"], "title"],
            place.at[row["passage_id"], "text"],
            row["answers"][0] if row["answers"] else "",
            row["starts"][0] if row["answers"] else None,
            tuple(row["answers"]),
        )
        for row in table[table["split"] == split].to_dict("records")
    ]


def practice_examples(language: str) -> list[Example]:
    """More questions about the training passages, and the first round about other shops'."""
    return _of_practice(language, lambda key, text: not key.startswith((*_LATER_ROUNDS, _WAITING)))


def further_examples(language: str, *, held_back: bool = False) -> list[Example]:
    """The later rounds of questions about other shops' passages.

    Args:
        language: "en" or "zh".
        held_back: those of the tenth of the passages that is kept for validation, instead of
            those that are learned from.
    """

    def wanted(key: str, text: str) -> bool:
        place = _place_of(text)
        mine = place < _HELD_BACK if held_back else place >= _UNSEEN
        return mine and key.startswith(_LATER_ROUNDS)

    return _of_practice(language, wanted)


def unseen_examples(language: str) -> list[Example]:
    """A twentieth of the later rounds' passages, which no reader is trained on or chosen by."""
    return _of_practice(
        language,
        lambda key, text: key.startswith(_LATER_ROUNDS) and _HELD_BACK <= _place_of(text) < _UNSEEN,
    )


def _of_practice(language: str, wanted: Callable[[str, str], bool]) -> list[Example]:
    return [
        Example(
            row["question"],
            row["title"],
            row["text"],
            row["answers"][0] if row["answers"] else "",
            row["starts"][0] if row["answers"] else None,
            tuple(row["answers"]),
        )
        for row in practice(language).to_dict("records")
        if wanted(row["passage_id"], row["text"])
    ]


def wrong_passages(
    given: Sequence[Example], language: str, *, each: int = 1, seed: int = 0
) -> list[Example]:
    """The same questions with passages that look alike and do not answer: nothing to be found.

    Each question gets passages among its ten nearest training passages by BM25, never its own.
    What retrieval will bring beside the right passage is what the reader has to refuse.
    """
    from ecomtutor.question_answering.retrieve import WordIndex

    table = passages(language)
    table = table[table["split"] == "train"]
    index = WordIndex(table["title"] + "\n" + table["text"], language)
    dice = np.random.default_rng(seed)
    found = []
    for example in given:
        near = [i for i, _ in index.search(example.question, 11)]
        others = [i for i in near if table["text"].iloc[i] != example.text][:10]
        for i in dice.permutation(others)[:each] if others else ():
            row = table.iloc[int(i)]
            found.append(Example(example.question, row["title"], row["text"]))
    return found


def page_examples(language: str, *, seed: int = 0) -> list[Example]:
    """Questions made from the facts on the training product pages, by templates.

    For each fact of a page one question, one for its price, and for half of the facts' number a
    fact that other pages of the category state and this one does not: no answer.
    """
    dice = np.random.default_rng(seed)
    table = passages(language).set_index("id")
    rows = [
        row
        for row in store().products.to_dict("records")
        if table.at[row["id"], "split"] == "train"
    ]
    known: dict[str, dict[str, None]] = {}
    for row in rows:
        known.setdefault(row["category"], {}).update(dict.fromkeys(row[f"attributes_{language}"]))
    found: list[Example] = []
    for row in rows:
        page, facts = table.at[row["id"], "text"], row[f"attributes_{language}"]
        others = [k for k in known[row["category"]] if k.lower() not in page.lower()]
        found += _page(row[f"title_{language}"], page, facts, others, language, dice)
    return found


def public_examples(
    language: str, folder: Path | str | None = None, *, held_back: bool = False
) -> list[Example]:
    """SubjQA for English, CMRC 2018 and DRCD (in simplified characters) for Chinese.

    Args:
        language: "en" or "zh".
        folder: where the files lie; unless given, the one that ECOMTUTOR_READER_DATA names.
        held_back: the tenth of the contexts that is kept for validation, instead of the rest.

    Raises:
        EcomTutorError: another language.
        MissingResource: the files are not there; the message names the sets' hub ids.

    Source:
        Bjerva et al. (2020), SubjQA; Cui et al. (2019), CMRC 2018; Shao et al. (2018), DRCD.
    """
    if language not in PUBLIC:
        raise EcomTutorError(f'There are readers for "en" and "zh"; {language!r} was asked for.')
    place = Path(folder or os.environ.get(FOLDER, ""))
    files = [file for name in PUBLIC[language] for file in sorted(place.glob(name))]
    if not (folder or os.environ.get(FOLDER)) or len(files) < len(PUBLIC[language]):
        wanted = "subjqa" if language == "en" else "cmrc and drcd"
        raise MissingResource(
            f"The public questions for this reader ({', '.join(PUBLIC[language])}) were not found. "
            f"Bring {wanted} from the hub ("
            + ", ".join(HUB[name] for name in wanted.split(" and "))
            + f"), save them under these names, and set {FOLDER} to their folder."
        )
    read = _subjqa if language == "en" else _squad_file
    every = (example for file in files for example in read(file))
    return [example for example in every if _kept_back(example.text) == held_back]


def _kept_back(context: str) -> bool:
    return _place_of(context) < _HELD_BACK


def _place_of(context: str) -> float:
    """A number in [0, 1) that only the text decides: its part of any split is always the same."""
    return int(hashlib.sha256(context.encode()).hexdigest()[:8], 16) / 16**8


def _subjqa(file: Path) -> Iterator[Example]:
    """A review's questions; an answer that is not where the file says is left out."""
    with gzip.open(file, "rt", encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines):
            text = row["review"].removesuffix(_NOTHING).rstrip()
            if row["human_ans_spans"] == _NOTHING:
                yield Example(row["question"], "", text)
                continue
            start, end = ast.literal_eval(row["human_ans_indices"])
            answer = text[start:end]
            if answer and answer == row["human_ans_spans"]:
                yield Example(row["question"], "", text, answer, start, (answer,))


def _squad_file(file: Path) -> Iterator[Example]:
    """A file in the format of SQuAD, in simplified characters, which keep their places."""
    with gzip.open(file, "rt", encoding="utf-8") as lines:
        content: dict[str, Any] = json.load(lines)
    for article in content["data"]:
        for paragraph in article["paragraphs"]:
            text = simplified(paragraph["context"])
            for qa in paragraph["qas"]:
                answers = [simplified(a["text"]) for a in qa["answers"]]
                start = qa["answers"][0]["answer_start"]
                answer = answers[0]
                if answer and text[start : start + len(answer)] == answer:
                    question = simplified(qa["question"])
                    yield Example(question, "", text, answer, start, tuple(dict.fromkeys(answers)))


def _page(
    title: str,
    page: str,
    facts: dict[str, str],
    others: list[str],
    language: str,
    dice: np.random.Generator,
) -> Iterator[Example]:
    """The questions about one product page."""
    line = page.rindex("\n", 0, page.rindex("\n")) + 1  # the facts; the price follows
    asked = list(facts.items())
    for fact, value in asked:
        start = page.index(value, page.index(fact, line) + len(fact))
        question = _question(_TEMPLATES[language], title, fact, language, dice)
        yield Example(question, title, page, value, start, (value,))
    price = page[page.rindex("\n") + 1 :]
    amount = price.split("：" if language == "zh" else " ", 1)[1].rstrip(
        "。" if language == "zh" else "."
    )
    question = _question(_PRICES[language], title, "", language, dice)
    yield Example(question, title, page, amount, page.rindex(amount), (amount,))
    for fact in dice.permutation(others)[: len(asked) // 2] if others else ():
        question = _question(_TEMPLATES[language], title, str(fact), language, dice)
        yield Example(question, title, page)


def _question(
    templates: Sequence[str], title: str, fact: str, language: str, dice: np.random.Generator
) -> str:
    """A template filled in, with as much of the product's title as a customer would say."""
    parts = title.split(" ") if language == "zh" else title.split(", ")[0].split(" ")
    most = min(len(parts), 3 if language == "zh" else 6)
    name = " ".join(parts[: int(dice.integers(min(2, most), most + 1))])
    said = templates[int(dice.integers(len(templates)))].format(name=name, fact=fact)
    return said.lower() if language == "en" and dice.random() < 0.4 else said
