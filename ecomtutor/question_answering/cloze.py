"""Questions that a text asks about itself: a sentence with a hole, whose filling is the answer.

Public English questions about a shop's rules are few. Any text gives thousands of these, and they
teach what a reader has to do first: find the sentence that the question is about, and take out of
it the part that the question lacks. What customers mean comes later, from real questions.

Source:
    Lewis, Denoyer and Riedel (2019), Unsupervised Question Answering by Cloze Translation;
    Ram et al. (2021), Few-Shot Question Answering by Pretraining Span Selection.
"""

import re
from collections.abc import Iterator, Sequence

import numpy as np

from ecomtutor.question_answering.examples import Example
from ecomtutor.question_answering.retrieve import sentences
from ecomtutor.text import STOP_WORDS, words

_ASKED = ("what", "which", "who", "where", "how", "what about", "what is it")
_AMOUNTS = ("how much", "how many", "when", "how long", "what", "at what")
_LONGEST = 5  # words of an answer
_SHORTEST_SENTENCE = 6
_NUMBER = re.compile(r"\d|^[¥$€%]$")
_SKIPPED = 0.3  # the share of the other words that the question leaves out


def cloze_examples(
    texts: Sequence[str],
    language: str,
    *,
    each: int = 4,
    unanswerable: float = 0.25,
    seed: int = 0,
) -> list[Example]:
    """Examples made from texts: up to `each` a text, some asked of a text that does not answer.

    Args:
        texts: of two sentences or more; others give nothing.
        language: "en" or "zh".
        each: questions a text.
        unanswerable: the share of questions that are put to another text.
        seed: chooses sentences, holes and other texts.
    """
    dice = np.random.default_rng(seed)
    found = []
    for number, text in enumerate(texts):
        for question, answer, start in _of_text(text, language, each, dice):
            if len(texts) > 1 and dice.random() < unanswerable:
                other = texts[(number + int(dice.integers(1, len(texts)))) % len(texts)]
                found.append(Example(question, "", other))
            else:
                found.append(Example(question, "", text, answer, start, (answer,)))
    return found


def _of_text(
    text: str, language: str, each: int, dice: np.random.Generator
) -> Iterator[tuple[str, str, int]]:
    parts = list(dict.fromkeys(sentences(text, language)))
    if len(parts) < 2:
        return
    for i in dice.permutation(len(parts))[:each]:
        made = _of_sentence(parts[int(i)], language, dice)
        if made:
            question, low, high = made
            start = text.index(parts[int(i)]) + low
            yield question, text[start : start + high - low], start


def _of_sentence(
    sentence: str, language: str, dice: np.random.Generator
) -> tuple[str, int, int] | None:
    """A question with its answer's characters in the sentence, or None where there is no hole."""
    cut = [word for word in words(sentence) if not word.text.isspace()]
    if len(cut) < _SHORTEST_SENTENCE:
        return None
    heavy = [not w.is_sign and w.text.lower() not in STOP_WORDS[language] for w in cut]
    holes = [
        (i, j)
        for i in range(len(cut))
        if heavy[i]
        for j in range(i, min(i + _LONGEST, len(cut)))
        if heavy[j] and not any(w.text in ".!?;,。！？；，" for w in cut[i:j])
    ]
    if not holes:
        return None
    # Numbers are what customers ask for most: half of the holes are one where there is one.
    counted = [(i, j) for i, j in holes if any(_NUMBER.search(w.text) for w in cut[i : j + 1])]
    pool = counted if counted and dice.random() < 0.5 else holes
    i, j = pool[int(dice.integers(len(pool)))]
    if i and cut[i - 1].text in "¥$€" and cut[i - 1].end == cut[i].start:
        i -= 1  # an amount includes its currency
    amount = any(_NUMBER.search(w.text) for w in cut[i : j + 1])
    asked = _AMOUNTS if amount else _ASKED
    kept = [w.text.lower() for w in cut[:i] if not w.is_sign and dice.random() > _SKIPPED]
    rest = [w.text.lower() for w in cut[j + 1 :] if not w.is_sign and dice.random() > _SKIPPED]
    hole = asked[int(dice.integers(len(asked)))]
    order = [hole, *rest, *kept] if dice.random() < 0.5 else [*kept, hole, *rest]
    question = ("" if language == "zh" else " ").join(order)
    return question + "?", cut[i].start, cut[j].end
