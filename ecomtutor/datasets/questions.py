"""What the shop's customers ask, with answers that stand word for word in a passage."""

import json
from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING, Any

from ecomtutor.datasets.passages import Split, passages
from ecomtutor.datasets.store import data_dir
from ecomtutor.errors import DamagedResource, EcomTutorError, MissingResource
from ecomtutor.text import STOP_WORDS, words

if TYPE_CHECKING:
    import pandas as pd

STYLES = ("plain", "short", "story", "colloquial", "typo", "indirect", "mixed", "keywords")
ELSEWHERE = "else"
_SPLITS = ("train", "validation", "test")


@cache
def questions(language: str) -> "pd.DataFrame":
    """Customers' questions about the shop's passages, one question a row.

    Args:
        language: "en" or "zh". Each was written for itself, not translated from the other.

    Returns:
        A table; `describe("store questions")` explains its columns. `text[start:start +
        len(answer)]` of the question's passage is the answer itself. About a third of the
        questions cannot be answered from their passage: no answers, no starts.

    Raises:
        EcomTutorError: another language.
        MissingResource: the file is not there.
        DamagedResource: a passage or an answer is not where the file says.
    """
    import pandas as pd

    place = passages(language).set_index("id")
    rows = []
    for paragraph in _paragraphs(_read(language)):
        passage = place.loc[_checked(paragraph, place, language)]
        rows += [_row(qa, paragraph["id"], passage) for qa in paragraph["qas"]]
    return pd.DataFrame(rows)


def squad(language: str, split: Split) -> dict[str, Any]:
    """The questions of one split as SQuAD v2 has them: data → paragraphs → qas.

    Args:
        language: "en" or "zh".
        split: "train", "validation" or "test".

    Returns:
        A dictionary of your own, safe to change. Beyond SQuAD, a paragraph has the `id` of its
        passage and a question its `style`.

    Raises:
        EcomTutorError: another language or split, and what `questions` raises.

    Source:
        Rajpurkar, Jia and Liang (2018), Know What You Don't Know, ACL.
    """
    if split not in _SPLITS:
        raise EcomTutorError(f"The splits are {', '.join(_SPLITS)}; {split!r} was asked for.")
    table = passages(language)
    kept = set(table.loc[table["split"] == split, "id"])
    content = _read(language)
    for article in content["data"]:
        article["paragraphs"] = [p for p in article["paragraphs"] if p["id"] in kept]
    content["data"] = [article for article in content["data"] if article["paragraphs"]]
    return content


@cache
def practice(language: str) -> "pd.DataFrame":
    """More questions to train readers on: about the shop's training passages, and other shops'.

    None is about a validation or test passage of the shop.

    Args:
        language: "en" or "zh".

    Returns:
        One question a row: id, passage_id, title and text of its passage, question, answers,
        starts, and whether it is answerable. Passages of other shops have ids that begin "else-".

    Raises:
        EcomTutorError: another language.
        MissingResource: the file is not there.
        DamagedResource: a passage or an answer is not where the file says.
    """
    import pandas as pd

    shop = passages(language)
    place = shop[shop["split"] == "train"].set_index("id")
    content = _read(language, "practice/")
    rows = []
    for article in content["data"]:
        for paragraph in article["paragraphs"]:
            if not paragraph["id"].startswith(ELSEWHERE):
                _checked(paragraph, place, language)
            _check_spans(paragraph, language)
            rows += [
                {
                    "id": qa["id"],
                    "passage_id": paragraph["id"],
                    "title": article["title"],
                    "text": paragraph["context"],
                    "question": qa["question"],
                    "answers": [span["text"] for span in qa["answers"]],
                    "starts": [span["answer_start"] for span in qa["answers"]],
                    "answerable": not qa["is_impossible"],
                }
                for qa in paragraph["qas"]
            ]
    return pd.DataFrame(rows)


@cache
def second_readers(language: str) -> "pd.DataFrame":
    """What two further readers answered: how well can these questions be answered at all?

    Large language models, each of which saw a page and its questions and no answer. Where a small
    reader falls short of them, the reader is to blame and not the question.

    Args:
        language: "en" or "zh".

    Returns:
        One validation or test question a row, in the order of `questions`: id, first and second,
        the two readers' answers, exact pieces of the passage, "" where they found none.

    Raises:
        EcomTutorError: another language.
        MissingResource: the file is not there.
    """
    import pandas as pd

    asked = questions(language)
    asked = asked[asked["split"] != "train"]
    path = data_dir() / "store" / "questions" / "second_readers.csv"
    if not path.is_file():
        raise MissingResource(f"data/store/questions/{path.name} was not found. Work from a clone.")
    table = pd.read_csv(path, keep_default_na=False, dtype=str).set_index("id")
    return table.loc[asked["id"]].reset_index()


def lexical_overlap(question: str, passage: str, language: str) -> float:
    """The share, 0 to 1, of a question's content words that stand in the passage too.

    High for questions that were copied from their passage: a reader could then answer by looking
    for the same words. Case does not count, stop words are left out, each word counts once. A
    question of stop words alone shares nothing: 0.

    Args:
        question: the question.
        passage: its passage.
        language: "en" (words) or "zh" (jieba's words): whose stop words are left out.

    Raises:
        EcomTutorError: another language, or something other than text.
    """
    if language not in STOP_WORDS:
        raise EcomTutorError(f'Overlap is counted in "en" and "zh"; {language!r} was asked for.')
    asked = _vocabulary(question) - STOP_WORDS[language]
    return len(asked & _vocabulary(passage)) / len(asked) if asked else 0.0


def _vocabulary(text: str) -> set[str]:
    return {word.text.lower().replace("’", "'") for word in words(text) if not word.is_sign}


def _read(language: str, part: str = "") -> dict[str, Any]:
    passages(language)  # raises for another language
    path = data_dir() / "store" / "questions" / f"{part}{language}.json"
    if not path.is_file():
        raise MissingResource(
            f"data/store/questions/{part}{path.name} was not found. Work from a full clone."
        )
    try:
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise DamagedResource(
            f"{path.name} is not valid JSON: {error}. Restore it: git checkout {path.name}"
        ) from error
    return content


def _paragraphs(content: dict[str, Any]) -> Iterator[dict[str, Any]]:
    return (paragraph for article in content["data"] for paragraph in article["paragraphs"])


def _checked(paragraph: dict[str, Any], place: "pd.DataFrame", language: str) -> str:
    """The paragraph's id, if its context and all its spans are exact."""
    key: str = paragraph["id"]
    if key not in place.index or paragraph["context"] != place.at[key, "text"]:
        raise DamagedResource(
            f"{language}.json: the context of {key!r} is not that passage of the shop. The shop's "
            "text was changed, or this file: write the passage's text there and mend the offsets."
        )
    _check_spans(paragraph, language)
    return key


def _check_spans(paragraph: dict[str, Any], language: str) -> None:
    for qa in paragraph["qas"]:
        for span in (*qa["answers"], *qa.get("plausible_answers", ())):
            text, start = span["text"], span["answer_start"]
            found = paragraph["context"][start : start + len(text)]
            if found != text:
                raise DamagedResource(
                    f"{language}.json, question {qa['id']}: {text!r} was expected at character "
                    f"{start}, {found!r} stands there. Mend answer_start."
                )


def _row(qa: dict[str, Any], passage_id: str, passage: "pd.Series") -> dict[str, Any]:
    return {
        "id": qa["id"],
        "passage_id": passage_id,
        "question": qa["question"],
        "answers": [span["text"] for span in qa["answers"]],
        "starts": [span["answer_start"] for span in qa["answers"]],
        "answerable": not qa["is_impossible"],
        "plausible": [span["text"] for span in qa.get("plausible_answers", ())],
        "style": qa["style"],
        "split": passage["split"],
        "kind": passage["kind"],
    }
