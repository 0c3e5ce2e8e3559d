"""A need in a shopper's own words, English or Chinese, read against what the store's pages say.

read_need("我想买一款适合运动的蓝牙耳机，300元以内，IPX5以上防水")
read_need("waterproof running earphones under ¥300, not white")

A need has words, which a model may read, and limits, which a rule must keep. Each character of the
need ends up in exactly one part: a limit, the words to search for, something that was left out with
the reason, or a filler such as "I am looking for".
"""

from dataclasses import dataclass, field

from ecomtutor.errors import EcomTutorError
from ecomtutor.recommendation.claims import Part, language_of
from ecomtutor.recommendation.limits import Limit, PriceLimit, merged
from ecomtutor.recommendation.measures import OPEN
from ecomtutor.recommendation.reading import Reading
from ecomtutor.text import clean, spell_out_emoji
from ecomtutor.text.checking import require_text

__all__ = ["LONGEST", "Need", "Part", "language_of", "read_need"]

LONGEST = 1000  # characters of a need that are read

LEFT_OUT = {
    "en": {
        "currency": "prices here are in yuan",
        "unknown unit": "nothing here is measured so",
        "unknown word": "no page says it, so it rules nothing out",
        "open": "left open",
        "vague": "too vague for a limit",
        "long": f"only the first {LONGEST} characters are read",
    },
    "zh": {
        "currency": "本店只用人民币标价",
        "unknown unit": "店里没有这样计量的东西",
        "unknown word": "没有商品写到它，排除不了什么",
        "open": "不作要求",
        "vague": "说得太含糊，不能当条件",
        "long": f"只读前 {LONGEST} 个字",
    },
}


@dataclass(frozen=True)
class Need:
    """What was understood of a need.

    text      as it was read: cleaned (`ecomtutor.text.clean`) and not longer than `LONGEST`
    language  "en" or "zh": the script that most of its words are written in
    query     the words to search for
    limits    what a product must be or must not be, or should be where `strict` is False
    cheap     whether the cheaper of two equally good ones is wanted
    parts     the whole text, part by part
    """

    text: str
    language: str
    query: str
    limits: tuple[Limit, ...]
    cheap: bool
    parts: tuple[Part, ...] = field(repr=False)

    @property
    def min_price(self) -> float | None:
        """In yuan, or None."""
        prices = [limit.low for limit in self.limits if isinstance(limit, PriceLimit)]
        return prices[0] if prices and prices[0] > 0 else None

    @property
    def max_price(self) -> float | None:
        """In yuan, or None."""
        prices = [limit.high for limit in self.limits if isinstance(limit, PriceLimit)]
        return prices[0] if prices and prices[0] < OPEN else None

    @property
    def left_out(self) -> list[tuple[str, str]]:
        """What was said and not used, each with the reason."""
        reasons = LEFT_OUT[self.language]
        return [
            (self.text[part.start : part.end].strip(), reasons[part.why])
            for part in self.parts
            if part.role == "left out"
        ]

    def in_words(self, language: str | None = None) -> str:
        """What was understood, for the shopper to check: one line."""
        language = language or self.language
        zh = language == "zh"
        strict = [limit.in_words(language) for limit in self.limits if limit.strict]
        wishes = [limit.in_words(language) for limit in self.limits if not limit.strict]
        said = [
            (("搜索" if zh else "Looking for"), f"“{self.query}”" if self.query else ""),
            (("必须" if zh else "must be"), ("；" if zh else "; ").join(strict)),
            (("最好" if zh else "better if"), ("；" if zh else "; ").join(wishes)),
            (("价格" if zh else "price"), ("便宜的优先" if zh else "cheaper first") * self.cheap),
            (
                ("没有用上" if zh else "not used"),
                ("；" if zh else "; ").join(f"{words}（{why}）" if zh else f"{words} ({why})"
                          for words, why in self.left_out),
            ),
        ]  # fmt: skip
        joined = " · ".join(f"{name}{'：' if zh else ': '}{text}" for name, text in said if text)
        return joined or ("什么条件也没有读到" if zh else "nothing was understood")


def read_need(text: str, language: str | None = None) -> Need:
    """Read a need.

    Args:
        text: what the shopper typed.
        language: of the explanations, "en" or "zh"; unless given, that of the need.

    Raises:
        EcomTutorError: something other than text came, or another language.
    """
    if language not in (None, "en", "zh"):
        raise EcomTutorError(f'Needs are read in "en" and "zh"; {language!r} was asked for.')
    whole = clean(spell_out_emoji(require_text(text)))
    reading = Reading(whole[:LONGEST])
    if len(whole) > LONGEST:
        reading.claim(LONGEST - 1, LONGEST, "left out", "long")
    reading.read()
    parts = tuple(reading.parts())
    return Need(
        reading.text,
        language or language_of(whole),
        reading.query(parts),
        tuple(merged(reading.limits)),
        reading.cheap,
        parts,
    )
