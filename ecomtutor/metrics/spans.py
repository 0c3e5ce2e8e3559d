"""How well an answer was found in a text: exact match, F1, and knowing when there is none.

English is compared word by word as SQuAD does, Chinese character by character as CMRC 2018 does.
"""

import re
import string
from collections import Counter
from collections.abc import Sequence

from ecomtutor.errors import EcomTutorError

# SQuAD takes out ASCII's punctuation only: "¥" and "’" stay.
_ENGLISH_SIGNS = str.maketrans("", "", string.punctuation)
_ARTICLES = re.compile(r"\b(?:a|an|the)\b")
# What CMRC's script takes out; the full stop of 3.5 is not among them.
_CHINESE_SIGNS = str.maketrans("", "", "-:_*^/\\~`+=，。：？！“”；’《》…·、「」（）－～『』")
_HAN = "\u4e00-\u9fa5"
# A run of other letters and digits is one piece, and so is any other sign.
_SEGMENT = re.compile(rf"[{_HAN}]|[^\W{_HAN}]+(?:[.,'&][^\W{_HAN}]+)*|[^\w\s]")


def normalise_answer(text: str, language: str) -> str:
    """What is compared for an exact match.

    English: lower case, without ASCII punctuation, without a, an and the, one space between words.
    Chinese: lower case, without the signs that CMRC takes out.

    Args:
        text: an answer, "" for none.
        language: "en" or "zh".

    Raises:
        EcomTutorError: another language, or something that is not text.

    Source:
        Rajpurkar et al. (2016), SQuAD, section 6.1; Cui et al. (2019), CMRC 2018; both by their
        evaluation scripts.
    """
    _check(text, language)
    if language == "zh":
        return text.lower().strip().translate(_CHINESE_SIGNS)
    bare = text.lower().translate(_ENGLISH_SIGNS)
    return " ".join(_ARTICLES.sub(" ", bare).split())


def segments(text: str, language: str) -> list[str]:
    """What F1 counts: English words after `normalise_answer`; single Chinese characters.

    Inside Chinese a run of Latin letters or digits is one segment. CMRC cuts such runs with
    nltk's tokenizer; for words, prices and measures the result is the same.

    Raises:
        EcomTutorError: as `normalise_answer`.
    """
    bare = normalise_answer(text, language)
    return bare.split() if language == "en" else _SEGMENT.findall(bare)


def exact_match(said: str, accepted: Sequence[str], language: str) -> float:
    """1.0 if an answer equals one of the accepted ones after `normalise_answer`, else 0.0.

    Args:
        said: the answer; "" says that there is none.
        accepted: the right answers; none of them where the question cannot be answered.
        language: "en" or "zh".
    """
    bare = normalise_answer(said, language)
    return float(any(bare == normalise_answer(gold, language) for gold in _golds(accepted)))


def span_f1(said: str, accepted: Sequence[str], language: str) -> float:
    """The best F1 of an answer with one of the accepted ones, 0 to 1.

    English: precision and recall over shared words, each as often as it stands in both. Chinese:
    over the longest run of characters that stands in both. Where one side is empty it is 1.0 if
    both are.

    Args:
        said: the answer; "" says that there is none.
        accepted: the right answers; none of them where the question cannot be answered.
        language: "en" or "zh".

    Source:
        as `normalise_answer`.
    """
    found = segments(said, language)
    return max(_f1(found, segments(gold, language), language) for gold in _golds(accepted))


def span_metrics(
    said: Sequence[str], accepted: Sequence[Sequence[str]], language: str
) -> dict[str, float]:
    """The figures of a reader over many questions.

    Args:
        said: an answer for each question, "" where it was refused.
        accepted: for each question its right answers, none where it cannot be answered.
        language: "en" or "zh".

    Returns:
        exact, f1                  over all questions; a right refusal counts 1
        answerable_exact, _f1      over the questions that have an answer; a refusal counts 0
        no_answer_precision, _recall, _f1
                                   of refusing, as a class: how many refusals were right, how many
                                   questions without an answer were refused. SQuAD's own "NoAns_F1"
                                   is this recall.
        questions, answerable      counts
        A mean over nothing is NaN; refusals that nobody made have precision 0.

    Raises:
        EcomTutorError: no questions, or unequal numbers.
    """
    if not said or len(said) != len(accepted):
        raise EcomTutorError(
            f"One list of accepted answers for each answer is wanted; {len(said)} answers and "
            f"{len(accepted)} lists came."
        )
    exact = [exact_match(s, a, language) for s, a in zip(said, accepted, strict=True)]
    f1 = [span_f1(s, a, language) for s, a in zip(said, accepted, strict=True)]
    has = [bool(a) for a in accepted]
    refused = [not s for s in said]
    both = sum(r and not h for r, h in zip(refused, has, strict=True))
    precision = both / max(1, sum(refused))
    recall = both / (len(has) - sum(has)) if not all(has) else float("nan")
    return {
        "exact": _mean(exact),
        "f1": _mean(f1),
        "answerable_exact": _mean([e for e, h in zip(exact, has, strict=True) if h]),
        "answerable_f1": _mean([f for f, h in zip(f1, has, strict=True) if h]),
        "no_answer_precision": precision,
        "no_answer_recall": recall,
        "no_answer_f1": 2 * precision * recall / (precision + recall) if both else recall * 0,
        "questions": float(len(has)),
        "answerable": float(sum(has)),
    }


def _golds(accepted: Sequence[str]) -> Sequence[str]:
    if isinstance(accepted, str):
        raise EcomTutorError(f"A list of right answers is wanted; one text came: [{accepted!r}].")
    return accepted or [""]


def _f1(said: list[str], gold: list[str], language: str) -> float:
    if not said or not gold:
        return float(said == gold)
    if language == "en":
        shared = sum((Counter(said) & Counter(gold)).values())
    else:
        shared = _longest_run(said, gold)
    # 2PR / (P + R) with P = shared / said and R = shared / gold.
    return 2 * shared / (len(said) + len(gold))


def _longest_run(one: list[str], other: list[str]) -> int:
    """How many neighbouring segments stand in both, in the same order."""
    best, above = 0, [0] * (len(other) + 1)
    for left in one:
        row = [0]
        for j, right in enumerate(other):
            row.append(above[j] + 1 if left == right else 0)
        best, above = max(best, *row), row
    return best


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else float("nan")


def _check(text: object, language: object) -> None:
    if language not in ("en", "zh"):
        raise EcomTutorError(f'Answers are compared in "en" and "zh"; {language!r} came.')
    if not isinstance(text, str):
        raise EcomTutorError(f"An answer is text, '' for none; {text!r:.60} came.")
