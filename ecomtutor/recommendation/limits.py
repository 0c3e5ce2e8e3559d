"""What a product must be or must not be, and how a product page answers."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import regex

from ecomtutor.recommendation.measures import LETTERS, OPEN, RATINGS, Interval, intervals

# Shades by the colour that a shopper would say. A shade of two words goes by its last one.
COLOURS: dict[str, tuple[str, str]] = {
    "white": (r"white|cream|ivory", "白"),
    "black": ("black", "黑"),
    "grey": (r"gr[ae]y|graphite|charcoal", "灰"),
    "silver": ("silver", "银"),
    "gold": ("gold", "金"),
    "red": (r"red|terracotta", "红"),
    "orange": (r"orange|terracotta", "橙"),
    "yellow": ("yellow", "黄"),
    "green": (r"green|olive|celadon", r"绿|青瓷"),
    "blue": (r"blue|navy|indigo", r"蓝|藏青"),
    "purple": (r"purple|lilac|plum|violet", "紫"),
    "pink": ("pink", "粉"),
    "brown": (r"brown|khaki", r"棕|卡其|咖啡色|褐"),
    "beige": (r"beige|sand|oat(?:meal)?|champagne|khaki", r"米色|沙色|燕麦|香槟|卡其"),
    "transparent": (r"clear|transparent|translucent", r"透明|半透"),
}
COLOURS_ZH = {
    "white": "白色", "black": "黑色", "grey": "灰色", "silver": "银色", "gold": "金色",
    "red": "红色", "orange": "橙色", "yellow": "黄色", "green": "绿色", "blue": "蓝色",
    "purple": "紫色", "pink": "粉色", "brown": "棕色", "beige": "米色", "transparent": "透明",
}  # fmt: skip
_COLOUR_OF = ("colour", "ink colour", "shade")
_DENIES = r"(?:\b(?:no|not|without|non-?|does not)|不含|不加|不添加|不|无|非|免)\s?$"
_NONE = r"(?:no|none|无|否|unscented|decaffeinated|无香|低因)"

# What shoppers call by one word and pages by several: (as asked, as written on pages).
CONCEPTS: dict[str, tuple[str, str]] = {
    "wireless": (r"wireless|cordless|无线", r"wireless|cordless|bluetooth|2\.4 ghz|无线|蓝牙"),
    "wired": (
        r"wired|corded|cables?|有线",
        r"(?<!less )\bwired|corded|mm cable|usb-c cable\b|有线",
    ),
    "wood": (r"wood(?:en)?|木头?(?:制|质|的)?", r"wood|beech|birch|lime-wood|walnut|木"),
    "leather": (r"leather|真?皮(?:革|质|的)?", r"leather|cowhide|牛皮"),
    "plastic": (r"plastic|塑料", r"plastic|\bPP\b|\bABS\b|塑料"),
    "synthetic": (r"synthetics?|化纤|涤纶", r"synthetic|polyester|化纤|聚酯"),
    "waterproof": (
        r"water[- ]?(?:proof|resistant)|防水",
        r"water-?proof|ipx[4-9]|water resistance|splash-proof|防水",
    ),
    "sour": (r"sour|tart|酸", r"\btart\b|sour|酸甜"),
    "spicy": (r"spicy|hot|辣", r"spiciness|辣度"),
    "fragrance": (
        r"fragrance|perfume|scent(?:ed)?|香(?:精|味)",
        r"^(?:fragrance|scent|香精|香型): (?!none|unscented|无)",
    ),
}


@dataclass(frozen=True)
class Page:
    """A product of the store as limits read it."""

    row: Mapping[str, Any] = field(repr=False)

    @property
    def price(self) -> float:
        """In yuan."""
        return float(self.row["price_cny"])

    @cached_property
    def measures(self) -> dict[str, list[Interval]]:
        """Attribute in English → what it says in numbers."""
        read = {name: intervals(name, value) for name, value in self.row["attributes_en"].items()}
        return {name: found for name, found in read.items() if found}

    @cached_property
    def lines(self) -> list[str]:
        """Titles and "attribute: value" of both languages, in lower case."""
        facts = [
            f"{name}: {value}"
            for side in ("en", "zh")
            for name, value in self.row[f"attributes_{side}"].items()
        ]
        return [line.lower() for line in (self.row["title_en"], self.row["title_zh"], *facts)]

    @cached_property
    def prose(self) -> str:
        """Everything on the page, descriptions too, in lower case."""
        texts = (self.row["description_en"], self.row["description_zh"])
        return "\n".join([*self.lines, *texts]).lower()

    def attribute(self, name: str, language: str) -> tuple[str, str]:
        """Name and value of an attribute, given in English, in a language."""
        place = list(self.row["attributes_en"]).index(name)
        named, value = list(self.row[f"attributes_{language}"].items())[place]
        return str(named), str(value)


@dataclass(frozen=True)
class Verdict:
    """What a page says to a limit: yes, no, or nothing (None); and in words."""

    met: bool | None
    words: str

    def __str__(self) -> str:
        return f"{self.words} {({True: '✓', False: '✗', None: '?'})[self.met]}"


@dataclass(frozen=True)
class PriceLimit:
    """Between two prices in yuan; one of them may be open."""

    low: float = 0.0
    high: float = OPEN
    strict = True

    def verdict(self, page: Page, language: str) -> Verdict:
        """¥149 ≤ ¥300 ✓"""
        met = self.low <= page.price <= self.high
        return Verdict(met, _compared(page.price, self.low, self.high, "¥"))

    def in_words(self, language: str) -> str:
        """price at most ¥300"""
        name = "价格" if language == "zh" else "price"
        return f"{name} {_span(self.low, self.high, language, '¥')}"


@dataclass(frozen=True)
class MeasureLimit:
    """A quantity, rating or size: one of these attributes must overlap the interval.

    Args:
        attributes: their names in English; () for every attribute with that unit.
        wanted: what is asked for; open at an end where the need is.
        shown: factor and unit for the reader: 2 kg rather than 2000 g.
    """

    attributes: tuple[str, ...]
    wanted: Interval
    shown: tuple[float, str] = (1.0, "")
    strict = True

    def verdict(self, page: Page, language: str) -> Verdict:
        """water resistance IPX5 ≥ IPX5 ✓"""
        said = [
            (name, interval)
            for name, found in page.measures.items()
            for interval in found
            if interval.unit == self.wanted.unit
            and (name in self.attributes or not self.attributes)
        ]
        if not said:
            return Verdict(None, f"{self.in_words(language)}: {_unsaid(language)}")
        name, _ = next((pair for pair in said if pair[1].meets(self.wanted)), said[0])
        met = any(interval.meets(self.wanted) for _, interval in said)
        named, value = page.attribute(name, language)
        return Verdict(met, f"{named} {value} ({self._span(language)})")

    def in_words(self, language: str) -> str:
        """battery life at least 40 h"""
        return f"{self._name(language)} {self._span(language)}".strip()

    def _span(self, language: str) -> str:
        factor, unit = self.shown
        low, high = self.wanted.low / factor, self.wanted.high / factor
        if unit == "letter":
            return LETTERS[int(low)]
        if unit in RATINGS or unit == "EU":
            return _span(low, high, language, before=unit if unit == "IPX" else f"{unit} ")
        return _span(low, high, language, after=f" {unit}" if unit else "")

    def _name(self, language: str) -> str:
        from ecomtutor.recommendation.vocabulary import attribute_names

        names = attribute_names(language)
        return "/".join(names[name] for name in self.attributes[:2] if name in names)


@dataclass(frozen=True)
class WordLimit:
    """A word that the page must or must not say; concepts stand for several words.

    strict is False for what a shopper mentions in passing: pages that say it come first.
    """

    word: str
    wanted: bool = True
    strict: bool = False

    def verdict(self, page: Page, language: str) -> Verdict:
        """“cotton” ✓; without “sulphate”: said so ✓"""
        says, denies = self._says(page), self._denies(page)
        if self.wanted:
            met: bool | None = True if says else False if denies else None
            return Verdict(met, f"“{self.word}”")
        if says or denies:
            return Verdict(not says, self.in_words(language))
        other = self._other(page, language)
        return Verdict(
            True if other else None, f"{self.in_words(language)}: {other or _unsaid(language)}"
        )

    def _other(self, page: Page, language: str) -> str:
        """What the page says instead: allergens soy, sesame, where peanuts are ruled out."""
        from ecomtutor.recommendation.vocabulary import value_words

        kinds = value_words().get(self.word) or value_words().get(self.word.removesuffix("s"))
        for name in sorted(kinds or ()):
            if name in page.row["attributes_en"]:
                return " ".join(page.attribute(name, language))
        return ""

    def in_words(self, language: str) -> str:
        """without “peanut”"""
        if self.wanted:
            return f"“{self.word}”"
        return f"不要“{self.word}”" if language == "zh" else f"without “{self.word}”"

    def _says(self, page: Page) -> bool:
        for name, (asked, written) in CONCEPTS.items():
            if name == self.word or regex.fullmatch(asked, self.word):
                return any(regex.search(written, line) for line in page.lines)
        return any(self._said_in(line) for line in page.lines)

    def _said_in(self, line: str) -> bool:
        """Said, and not as none: fragrance: none, sulphate-free, 无硫酸盐 do not count."""
        name, _, value = line.partition(": ")
        if value and regex.search(self._pattern, name):
            return not regex.match(_NONE, value)
        return any(not _denied(line, match) for match in regex.finditer(self._pattern, line))

    def _denies(self, page: Page) -> bool:
        for line in page.lines:
            name, _, value = line.partition(": ")
            if value and regex.search(self._pattern, name) and regex.match(_NONE, value):
                return True
        return any(_denied(page.prose, m) for m in regex.finditer(self._pattern, page.prose))

    @cached_property
    def _pattern(self) -> str:
        return stem_pattern(self.word)


@dataclass(frozen=True)
class ColourLimit:
    """Colours by the words that shoppers use; shades count, and one of several is enough."""

    colours: tuple[str, ...]
    wanted: bool = True
    strict: bool = True

    def verdict(self, page: Page, language: str) -> Verdict:
        """colour dark blue, not white ✓"""
        facts = [page.attribute(n, language) for n in _COLOUR_OF if n in page.row["attributes_en"]]
        if not facts:
            return Verdict(None, f"{self.in_words(language)}: {_unsaid(language)}")
        english = " ".join(page.row["attributes_en"].get(name, "") for name in _COLOUR_OF)
        shades = regex.split(r",\s*", english.lower())
        has = any(is_colour(shade, colour) for shade in shades for colour in self.colours)
        named, value = facts[0]
        return Verdict(has == self.wanted, f"{named} {value} ({self.in_words(language)})")

    def in_words(self, language: str) -> str:
        """not white"""
        if language == "zh":
            named = "或".join(COLOURS_ZH[colour] for colour in self.colours)
            return named if self.wanted else f"不要{named}"
        named = " or ".join(self.colours)
        return named if self.wanted else f"not {named}"


@dataclass(frozen=True)
class FeatureLimit:
    """An attribute that is yes or no, such as "dishwasher safe"."""

    attribute: str
    wanted: bool = True
    strict = True

    def verdict(self, page: Page, language: str) -> Verdict:
        """dishwasher safe: yes ✓"""
        value = page.row["attributes_en"].get(self.attribute)
        if value is None:
            return Verdict(None, f"{self.in_words(language)}: {_unsaid(language)}")
        has = not regex.match(_NONE, value)
        named, shown = page.attribute(self.attribute, language)
        return Verdict(has == self.wanted, f"{named}: {shown}")

    def in_words(self, language: str) -> str:
        """not magnetic"""
        from ecomtutor.recommendation.vocabulary import attribute_names

        name = attribute_names(language).get(self.attribute, self.attribute)
        return name if self.wanted else ("不要" if language == "zh" else "not ") + name


Limit = PriceLimit | MeasureLimit | WordLimit | ColourLimit | FeatureLimit


def satisfied(limit: Limit, page: Page) -> bool:
    """Whether a page may be shown under a limit.

    What is asked for must be said by the page; what is ruled out must not be. A page that says
    nothing about a thing ruled out may be shown, and its reasons say that it says nothing.
    """
    if not limit.strict:
        return True
    met = limit.verdict(page, "en").met
    return met is not False if rules_out(limit) else met is True


def rules_out(limit: Limit) -> bool:
    """Whether a limit says what a product must not be."""
    return not isinstance(limit, PriceLimit | MeasureLimit) and not limit.wanted


def is_colour(shade: str, colour: str) -> bool:
    """Whether a shade in English or Chinese goes by a colour: "slate blue" is blue, not grey."""
    latin, han = COLOURS[colour]
    last = shade.split()[-1] if shade.split() else ""
    if regex.fullmatch(rf"(?:.*-)?(?:{latin})", last):
        return True
    return bool(regex.search(han, shade))


def stem_pattern(word: str) -> str:
    """A pattern for an English word in its forms, or a Chinese word as it is."""
    word = word.lower().strip()
    if not regex.search("[a-z]", word):
        return regex.escape(word)
    single = word[:-1] if word.endswith("s") and len(word) > 3 else word
    stem = regex.sub(r"(?:ing|ed|e)$", "", single)
    stem = stem if len(stem) >= 4 else single
    return rf"(?<![a-z]){regex.escape(stem)}(?:e?[sd]|e|ed|y|ings?|e?rs?|en)?(?![a-z])"


def _denied(line: str, match: "regex.Match[str]") -> bool:
    """Whether the words around a match take it back: no …, …-free, 无…, 不含…."""
    before, after = line[max(0, match.start() - 9) : match.start()], line[match.end() :][:6]
    return bool(regex.search(_DENIES, before) or regex.match(r"-free|\s?free\b", after))


def _unsaid(language: str) -> str:
    return "页面没有写" if language == "zh" else "the page does not say"


def _compared(value: float, low: float, high: float, sign: str) -> str:
    shown = f"{sign}{_short(value)}"
    if value > high:
        return f"{shown} > {sign}{_short(high)}"
    if value < low:
        return f"{shown} < {sign}{_short(low)}"
    left = f"{sign}{_short(low)} ≤ " if low > 0 else ""
    right = f" ≤ {sign}{_short(high)}" if high < OPEN else ""
    return f"{left}{shown}{right}"


def _span(low: float, high: float, language: str, before: str = "", after: str = "") -> str:
    """at least 5 kg, at most ¥300, 200 to 300 W, 14 inch; after stands behind each number."""
    zh = language == "zh"
    a, b = f"{before}{_short(low)}{after}", f"{before}{_short(high)}{after}"
    if high == OPEN:
        return f"{'至少' if zh else 'at least'} {a}" if low > 0 else ""
    if low == -OPEN or (low == 0 and before == "¥"):
        return f"{'不超过' if zh else 'at most'} {b}"
    if high - low <= 0.05 * abs(high):  # what was asked for, give or take the last digit
        return f"{before}{_short(round((low + high) / 2, 4))}{after}"
    return f"{a} {'到' if zh else 'to'} {b}"


def _short(value: float) -> str:
    if abs(value) == OPEN:
        return "∞"
    return f"{value:,.0f}" if value == round(value) else f"{value:,.2f}".rstrip("0")


def merged(limits: Iterable[Limit]) -> list[Limit]:
    """Price limits drawn into one, colours asked for into one, the others once each, in order."""
    kept: list[Limit] = []
    low, high = 0.0, OPEN
    for limit in limits:
        if isinstance(limit, PriceLimit):
            low, high = max(low, limit.low), min(high, limit.high)
        elif isinstance(limit, ColourLimit) and _joined(kept, limit):
            continue
        elif limit not in kept:
            kept.append(limit)
    price: list[Limit] = [PriceLimit(low, high)] if low > 0 or high < OPEN else []
    return price + kept


def _joined(kept: list[Limit], limit: ColourLimit) -> bool:
    """Put a colour to those asked for (or ruled out) before: 蓝色或者绿色."""
    for place, other in enumerate(kept):
        if isinstance(other, ColourLimit) and other.wanted == limit.wanted:
            colours = tuple(dict.fromkeys(other.colours + limit.colours))
            kept[place] = ColourLimit(colours, limit.wanted, other.strict and limit.strict)
            return True
    return False
