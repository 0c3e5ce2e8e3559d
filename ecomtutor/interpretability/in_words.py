"""An explanation as a few sentences that somebody can act on: numbers in, no adjectives."""

from collections.abc import Mapping
from typing import Literal

import numpy as np

from ecomtutor.errors import EcomTutorError
from ecomtutor.interpretability.doors import whole
from ecomtutor.interpretability.explanation import Explanation
from ecomtutor.interpretability.game import Game

Language = Literal["en", "zh"]

_SENTENCES: Mapping[str, Mapping[str, str]] = {
    "en": {
        "verdict": "The model calls this text {label} ({full:.0%} sure).",
        "decides": "It does so because of {words}: with {these} hidden it is {left:.0%} sure.",
        "wide": "No {most} words decide: with {words} hidden it is still {left:.0%} sure.",
        "act": "Would you accept {these} as a reason? If not, read the review yourself, and look "
        "at other reviews with {these} before you trust the verdict.",
        "trust": "The verdict rests on the text as a whole. Read it if much depends on it.",
        "alone": "Hiding {alone} other word{s}, drawn at random, leaves it {chance:.0%} sure.",
        "quote": "“{}”",
        "join": ", ",
        "one": "this word",
        "many": "these words",
    },
    "zh": {
        "verdict": "模型判为“{label}”，把握{full:.0%}。",
        "decides": "依据是{words}：遮住{these}，把握变为{left:.0%}。",
        "wide": "没有哪{most}个词单独起决定作用：遮住{words}，把握仍有{left:.0%}。",
        "act": "您认可{these}作为理由吗？若不认可，请自行阅读该评论，"
        "并先查看其他含有{these}的评论，再采信这一判断。",
        "trust": "判断依据的是整段文字。事关重大时，请阅读原文。",
        "alone": "随机遮住另外{alone}个词，把握为{chance:.0%}。",
        "quote": "“{}”",
        "join": "、",
        "one": "这个词",
        "many": "这些词",
    },
}


def in_words(
    explanation: Explanation,
    chances: Game,
    output: "str | int | None" = None,
    *,
    most: int = 3,
    language: Language = "en",
    label: str | None = None,
    seed: int = 0,
) -> str:
    """What a reader should know of a verdict, each number measured by hiding words.

    Named are the fewest of the strongest units whose absence brings the label below one half; up to
    `most`. Where that does not happen, it says so. Beside it stands what hiding as many other
    units does, the mean of ten draws: without it the first number means little.

    Args:
        explanation: which units matter, from any method.
        chances: the game of the same units with probabilities as outputs; it checks the claim.
        output: the label that the model gives; unless named, found out.
        most: how many units at most may be named.
        language: of the sentences, "en" or "zh".
        label: what the label is called there; unless given, its own name.
        seed: draws the other units.

    Raises:
        EcomTutorError: another language, a game with other units, or another label than the
            model's.
    """
    if language not in _SENTENCES:
        raise EcomTutorError(f"Sentences are in 'en' or 'zh'; {language!r} came.")
    if len(chances) != len(explanation.units):
        raise EcomTutorError(
            f"The explanation has {len(explanation.units)} units, the game {len(chances)}: they "
            "must be of one text, cut the same way."
        )
    whole(most, "most", 1)
    say, column = _SENTENCES[language], _verdict(explanation, chances, output)
    ranking = explanation.ranking(column)
    many, left = _fewest(chances, ranking, column, most)
    texts = [explanation.units.texts[i] for i in ranking[:many]]
    full = float(chances.full[column])
    decides = full >= 0.5 > left
    others = [unit for unit in range(len(chances)) if unit not in set(ranking[:many].tolist())]
    facts = {
        "label": label or explanation.outputs[column],
        "full": full,
        "left": left,
        "words": say["join"].join(say["quote"].format(text) for text in dict.fromkeys(texts)),
        "these": say["one"] if len(set(texts)) == 1 else say["many"],
        "most": many,
        "alone": min(many, len(others)),
        "s": "" if min(many, len(others)) == 1 else "s",
        "chance": _at_random(chances, others, many, column, seed),
    }
    parts = ["verdict", "decides" if decides else "wide", "alone", "act" if decides else "trust"]
    return (" " if language == "en" else "").join(say[part].format(**facts) for part in parts)


def _verdict(explanation: Explanation, chances: Game, output: "str | int | None") -> int:
    """The label that the model gives; a sentence that called it another one would be false."""
    said = int(chances.full.argmax())
    asked = said if output is None else explanation.output(output)
    if chances.full[asked] < chances.full[said]:
        names = explanation.outputs
        raise EcomTutorError(
            f"The model calls this text {names[said]} and not {names[asked]}: a sentence about "
            "its verdict is about that. Leave `output` out."
        )
    return asked


def _fewest(chances: Game, ranking: np.ndarray, column: int, most: int) -> tuple[int, float]:
    """How many of the first units must go until the label falls below one half; and how far."""
    many = min(max(1, most), len(ranking))
    left = 1.0
    for count in range(1, many + 1):
        left = _left(chances, ranking[:count], column)
        if left < 0.5:
            return count, left
    return many, left


def _left(chances: Game, gone: "np.ndarray | list[int]", column: int) -> float:
    present = np.ones(len(chances), dtype=bool)
    present[gone] = False
    return float(chances(present)[0, column])


def _at_random(chances: Game, others: list[int], many: int, column: int, seed: int) -> float:
    if not others:
        return float(chances.empty[column])
    dice = np.random.default_rng(seed)
    size = min(many, len(others))
    draws = [dice.choice(others, size, replace=False) for _ in range(10)]
    return float(np.mean([_left(chances, gone, column) for gone in draws]))
