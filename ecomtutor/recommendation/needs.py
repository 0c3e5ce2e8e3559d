"""A need in a shopper's own words, English or Chinese, read against what the store's pages say.

read_need("我想买一款适合运动的蓝牙耳机，300元以内，IPX5以上防水")
read_need("waterproof running earphones under ¥300, not white")

A need has words, which a model may read, and limits, which a rule must keep. Each character of the
need ends up in exactly one part: a limit, the words to search for, something that was left out with
the reason, or a filler such as "I am looking for".
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Literal

import regex

from ecomtutor.errors import EcomTutorError
from ecomtutor.recommendation.limits import (
    COLOURS,
    CONCEPTS,
    ColourLimit,
    FeatureLimit,
    Limit,
    MeasureLimit,
    PriceLimit,
    WordLimit,
    merged,
    stem_pattern,
)
from ecomtutor.recommendation.measures import (
    ABOUT,
    OPEN,
    SAME,
    Interval,
    Number,
    letter_size,
    numbers,
    unit_at,
)
from ecomtutor.recommendation.vocabulary import (
    FEATURES,
    MORE_IS_BETTER,
    attributes_with,
    named_in,
    own_name,
    pages,
    unit_of,
    value_patterns,
    value_words,
)
from ecomtutor.text import clean, spell_out_emoji
from ecomtutor.text.checking import require_text

Role = Literal["limit", "wish", "query", "left out", "filler"]
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
class Part:
    """`text[start:end]` of a need, and what became of it; why, for what was left out."""

    start: int
    end: int
    role: Role
    why: str = ""


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
    reading = _Reading(whole[:LONGEST])
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


def language_of(text: str) -> str:
    """ "zh" if a text has as many Chinese characters as words in Latin letters, else "en"."""
    han = len(regex.findall(r"\p{Han}", text))
    return "zh" if han and han >= len(regex.findall(r"[a-z]+", text.lower())) else "en"


_END = r"[,，。;；!！?？、\n]"
_YUAN_BEFORE = r"(?:¥|￥|rmb|cny)\s*$"
_YUAN_AFTER = r"\s*(?:元钱?|块钱?|圆|rmb\b|cny\b|yuan\b|kuai\b|人民币|¥|￥)"
_FOREIGN = (
    r"(?:us|hk)?[$€£]\s*\d[\d,.]*(?:\s*(?:or less|or more))?"
    r"|[\d一二两三四五六七八九十百千万][\d,.一二两三四五六七八九十百千万]*\s*"
    r"(?:美元|美金|欧元|英镑|日元|港币|港元|dollars?\b|usd\b|euros?\b|eur\b|pounds?\b|bucks\b|hkd\b)"
)
_FOREIGN_LIMIT = r"(?:(?:under|below|up to|at most|over|around|about|less than)\s*)?"
_FOREIGN_AFTER = r"\s*(?:以内|以下|之内|左右|以上)?"

# What may stand before a number, the longer first, and what it makes of it.
_BEFORE: tuple[tuple[str, str], ...] = (
    (
        "max",
        r"(?:不要|别|不能|不得|不可|不)(?:要)?超过|不超|不高于|不大于|不多于|不重于|最多|至多|顶多|"
        r"最高|最贵|低于|少于|小于|轻于|不到|不足|预算|控制在|限价|≤|<=?|小于等于|no more than|"
        r"not more than|not over|not above|not exceeding|under|below|less than|fewer than|"
        r"(?:cheaper|lighter|smaller|shorter|thinner|narrower|quieter) than|at most|up to|"
        r"max(?:imum)?(?: of)?|within|down to|"
        r"(?:no|not|nothing) (?:heavier|longer|deeper|wider|thicker|bigger|larger|higher|taller|"
        r"louder|older|dearer|more expensive) than|budget(?: is| of|:)?|(?:can )?spend",
    ),
    (
        "min",
        r"至少|最少|起码|超过|不少于|不低于|不小于|不要低于|高于|大于|多于|重于|长于|≥|>=?|大于等于|"
        r"at least|no less than|not less than|not under|not below|no fewer than|over|above|"
        r"more than|starting (?:at|from)|min(?:imum)?(?: of)?|"
        r"(?:heavier|longer|larger|bigger|wider|thicker|higher|taller|greater|brighter) than",
    ),
    ("about", r"大约|大概|约|差不多|around|about|approximately|approx\.?|roughly|circa|~|≈|near"),
    ("range", r"between|from|在|从|价格|价位|price(?: of)?"),
)
_AFTER: tuple[tuple[str, str], ...] = (
    (
        "max",
        r"(?:及|或|或者)?以[内下里]|之内|之下|内(?!存)|封顶|不到|打住|"
        r"or (?:less|under|below|cheaper|lighter|fewer|thinner|smaller|shorter|quieter|lower)|"
        r"max(?:imum)?\b|tops\b|at (?:the )?most",
    ),
    (
        "min",
        r"(?:及|或|或者)?以上|起(?![床泡])|往上|起步|开外|\+(?!\d)|"
        r"or (?:more|over|above|longer|larger|higher|thicker|bigger|heavier|brighter|wider)|"
        r"and (?:up|above|over)|upwards|minimum\b|at least",
    ),
    ("about", r"左右|上下|附近|前后|出头|来块|ish\b|-ish\b|or so\b"),
    ("range", r"之间"),
)
_GAP_ZH = r"(?:[^\d\s,，。;；、一二两三四五六七八九十百千万]{0,4}?)"
_BEFORE_RE = [
    (
        kind,
        regex.compile(
            rf"(?:(?<![a-z])(?:{words})(?:\s+(?:about|around|a|the|of|only))?|"
            rf"(?:{'|'.join(w for w in words.split('|') if regex.search(r'[一-龥]', w))}|\0)"
            rf"{_GAP_ZH})\s*$"
        ),
    )
    for kind, words in _BEFORE
]
_AFTER_RE = [(kind, regex.compile(rf"\s*(?:{words})")) for kind, words in _AFTER]
_NOT_BEFORE = (
    r"(?:不要|别买|别要|别给我?|不买|不想要|不考虑|nothing|not|no|don'?t want(?: anything)?)\s*$"
)
_NOT_AFTER = r"\s*的?(?:就|都|我)?(?:不要|不考虑|不买|不看|免谈|就算了|不行)"
_SEPARATOR = r"\s*(?:-|–|—|~|～|到|至|\bto\b)\s*(?:¥|￥)?\s*"
_FUNCTION_WORD = (
    r"\s*(?:$|[^\w\s]|(?:please|and|or|but|with|without|for|if|that|which|not|no|in|is|it|as|"
    r"would|thanks?|only|total|altogether|each|including)\b)"
)
_COUNTERS = {
    "键": "keys", "页": "pages", "色": "colours", "双": "pairs", "张": "cards", "片": "count",
    "抽": "count", "个口": "port", "口(?!之)": "port", "个接口": "port", "接口": "port",
    "ports": "port",
    "port": "port",
}  # fmt: skip
_MEMORY_SIZES = frozenset((4, 6, 8, 12, 16, 24, 32, 64, 128, 256, 512, 1024))
_GIGABYTES = r"手机|电脑|内存|存储|硬盘|平板|笔记本|运存|phone|laptop|tablet|memory|ram|storage|ssd"


class _Reading:
    """One pass over a need; what a step has claimed, no later step reads again."""

    def __init__(self, text: str):
        self.text = text
        # Offsets must not move, and a few capitals become two characters in lower case.
        self.lower = "".join(c.lower() if len(c.lower()) == 1 else c for c in text)
        self.claimed: list[Part] = []
        self.limits: list[Limit] = []
        self.cheap = False

    def read(self) -> None:
        for step in (
            self._foreign_money, self._ratings, self._sizes, self._sets, self._quantities,
            self._cheap, self._left_open, self._ruled_out, self._ruled_out_behind, self._colours,
            self._features, self._wishes, self._fillers,
        ):  # fmt: skip
            step()

    def claim(self, start: int, end: int, role: Role, why: str = "") -> None:
        """Give a stretch a role; what is claimed already keeps its own."""
        for a, b in self._free(start, end):
            self.claimed.append(Part(a, b, role, why))

    def _free(self, start: int, end: int) -> list[tuple[int, int]]:
        pieces = [(start, end)] if start < end else []
        for part in self.claimed:
            pieces = [
                piece
                for a, b in pieces
                for piece in ((a, min(b, part.start)), (max(a, part.end), b))
                if piece[0] < piece[1]
            ]
        return sorted(set(pieces))

    def _is_free(self, start: int, end: int) -> bool:
        return self._free(start, end) == [(start, end)]

    def _finds(self, pattern: str) -> "Iterator[regex.Match[str]]":
        for match in regex.finditer(pattern, self.lower):
            if match.end() > match.start() and self._is_free(match.start(), match.end()):
                yield match

    def parts(self) -> list[Part]:
        """The whole text in order; what nobody claimed is the query."""
        rest = [Part(a, b, "query") for a, b in self._free(0, len(self.text))]
        return sorted([*self.claimed, *rest], key=lambda part: part.start)

    def query(self, parts: tuple[Part, ...]) -> str:
        """The words to search for, without stray signs."""
        kept = [self.text[p.start : p.end] if p.role in ("query", "wish") else " " for p in parts]
        words = regex.sub(r"[^\w\s+%/&.'’-]+|(?<!\w)[-.'’/&]+|[-.'’/&]+(?!\w)", " ", "".join(kept))
        words = regex.sub(r"(?<=\p{Han})\s+(?=\p{Han})|(?<!\w)的|的(?!\w)", " ", words)
        return " ".join(words.split())

    def _foreign_money(self) -> None:
        pattern = rf"{_FOREIGN_LIMIT}(?:{_FOREIGN}){_FOREIGN_AFTER}"
        for match in list(self._finds(pattern)):
            self.claim(match.start(), match.end(), "left out", "currency")

    def _ratings(self) -> None:
        """IPX5以上, IP67, SPF 50+, UPF50, Wi-Fi 7, pH 5.5: at least that, unless said otherwise."""
        kinds = {
            "IPX": (r"ip\s?[x\d]\s?(?P<n>\d)(?!\d)", "water resistance"),
            "SPF": (r"\bspf\s?(?P<n>\d{1,3})", "SPF"),
            "UPF": (r"\bupf\s?(?P<n>\d{1,3})", "sun protection"),
            "Wi-Fi": (r"\bwi-?\s?fi\s?(?P<n>\d)(?![\d.])", "Wi-Fi"),
            "pH": (r"\bph\s?值?\s?(?P<n>\d(?:\.\d)?)", "pH"),
        }
        for unit, (pattern, attribute) in kinds.items():
            for match in list(self._finds(pattern)):
                value = float(match["n"])
                kind, start, end = self._compared(match.start(), match.end())
                kind = "min" if kind == "bare" and attribute in MORE_IS_BETTER else kind
                start, end, kind = self._flipped(start, end, kind)
                low, high = _bounds(kind, value, value, 0.0)
                self._limit(
                    MeasureLimit((attribute,), Interval(low, high, unit), (1.0, unit)), start, end
                )

    def _sizes(self) -> None:
        """Size 42, EU 42, 42码; size L, XL码."""
        for match in list(self._finds(r"(?:\bsize\s?|\beu\s?)(\d{2})\b|(?<!\d)(\d{2})\s?码")):
            value = float(match[1] or match[2])
            limit = MeasureLimit(("sizes",), Interval(value, value, "size"), (1.0, "EU"))
            self._limit(limit, match.start(), match.end())
        letters = r"(?:\bsize\s?)(x{0,3}[sml])\b|(?<![a-z])(x{0,3}[sml]|[23]x[sl])\s?[码号]"
        for match in list(self._finds(letters)):
            size = letter_size(match[1] or match[2])
            if size and not regex.search(r"napp(?:y|ies)|diapers?|纸尿裤|尿不湿", self.lower):
                limit = MeasureLimit(("sizes",), size, (1.0, "letter"))
                self._limit(limit, match.start(), match.end())

    def _sets(self) -> None:
        """Set of 4, pack of 12, 三件装, 双人, a tent for four."""
        number = r"(?P<n>\d+|[一二两三四五六七八九十]+|one|two|three|four|five|six|seven|eight|ten)"
        patterns = (
            (
                rf"(?:set|pack|box)s? of {number}\b"
                rf"|{number}\s?(?:件|只|支|枚|条|个|块)(?:套|装)",
                ("pieces", "count", "packs", "pairs"),
            ),
            (
                r"\bfor (?P<n>[2-9]|two|three|four|five|six|eight)"
                r"(?=\s*(?:$|[,.;]|under|below|with|at|up to))"
                r"|(?P<n>[单双])人|(?P<n>[二两三四五六七八])口之家",
                ("serves", "sleeps"),
            ),
        )
        people = "人" if language_of(self.text) == "zh" else "people"
        for pattern, attributes in patterns:
            for match in list(self._finds(pattern)):
                value = {"单": 1.0, "双": 2.0}.get(match["n"]) or numbers(f" {match['n']}")[0].low
                unit, shown = ("people", people) if "sleeps" in attributes else ("pieces", "")
                wanted = Interval(value, value, unit)
                limit = MeasureLimit(attributes, wanted, (1.0, shown))
                self._limit(limit, match.start(), match.end())

    def _quantities(self) -> None:
        """Prices and measures: everything with a number."""
        found = [n for n in numbers(self.lower) if self._is_free(n.start, n.end)]
        done = -1
        for place, number in enumerate(found):
            if number.start >= done:
                following = found[place + 1] if place + 1 < len(found) else None
                done = max(done, self._quantity(number, following))

    def _quantity(self, number: Number, following: Number | None) -> int:
        """Read one number, or two that are a range. Returns where reading goes on."""
        low, high, start, end = number.low, number.high, number.start, number.end
        unit_from = number.end
        yuan = bool(regex.search(r"元|块", self.lower[start:end]))
        unit = None if yuan else self._unit(number)
        end = unit[0] if unit else end
        end += self.lower[end : end + 1] == "装"
        money = regex.match(_YUAN_AFTER, self.lower[end:]) if not unit else None
        if money:
            yuan, end = True, end + money.end()
        part, end = self._rest(end) if unit or yuan else (0.0, end)
        low, high = low + part, high + part
        second = self._second(start, end, following)
        if second and following:
            high, end = following.high, following.end
            if low < 10 <= high and self.lower[following.start - 1] != "-" and number.spelt:
                low *= 100 if high >= 100 else 1
            unit_from = unit_from if unit else following.end
            unit = unit or (None if yuan else self._unit(following))
            end = unit[0] if unit and unit[0] > end else end
            money = regex.match(_YUAN_AFTER, self.lower[end:]) if not unit else None
            yuan, end = (True, end + money.end()) if money else (yuan, end)
        sign = regex.search(_YUAN_BEFORE, self.lower[:start])
        if sign and not unit:
            yuan, start = True, sign.start()
        kind, start, end = self._compared(start, end)
        kind = "about" if kind == "range" and not second else kind
        kind = "range" if second or (number.vague and kind in ("bare", "about", "range")) else kind
        start, end, kind = self._flipped(start, end, kind)
        if not self._is_free(start, end):
            return end
        if unit:
            self._measure(unit, kind, low, high, start, end, unit_from)
        else:
            self._without_unit(number, yuan, kind, low, high, start, end)
        return end

    def _rest(self, end: int) -> tuple[float, int]:
        """What follows 米, 块 or another unit as a part of it: 一米五, 三块五, 两斤半."""
        half = regex.match("半", self.lower[end:])
        if half:
            return 0.5, end + 1
        match = regex.match(
            r"([一二三四五六七八九\d])(?![\d.十百千万元块克升寸])", self.lower[end:]
        )
        if match and self.lower[end - 1] in "米块":
            return numbers(f" {match[1]}")[0].low / 10, end + 1
        return 0.0, end

    def _second(self, start: int, end: int, following: Number | None) -> bool:
        """Whether the next number is the other end of a range."""
        if following is None:
            return False
        between = self.lower[end : following.start]
        if regex.fullmatch(_SEPARATOR, between):
            return True
        both = regex.fullmatch(r"\s*(?:and|和|与)\s*(?:¥|￥)?\s*", between)
        opened = regex.search(r"(?:between|在|介于)\s*(?:¥|￥)?\s*$", self.lower[:start])
        return bool(both and opened)

    def _unit(self, number: Number) -> tuple[int, str, float] | None:
        """The unit behind a number, with what only the rest of the need can tell."""
        end = number.end
        tail = self.lower[end : end + 4]
        gb = regex.match(r"\s?(gb?|tb?)(?![a-z/])", tail)
        stores = bool(regex.search(_GIGABYTES, self.lower))
        if gb and stores and gb[1] in ("g", "t"):
            if gb[1] == "t":
                return end + gb.end(), "GB", 1000.0
            if (
                number.low in _MEMORY_SIZES
                and (self.text[end + gb.end() - 1] == "G" or number.low > 5)
                and not (number.low < 6 and self.text[end + gb.end() - 1] == "G")
            ):
                return end + gb.end(), "GB", 1.0
        if gb and gb[1] == "g" and number.low < 6 and not number.spelt:
            return None  # 5G is a network
        counter = regex.match(
            r"\s*(" + "|".join(sorted(_COUNTERS, key=len, reverse=True)) + r")(?![a-z])",
            self.lower[end : end + 8],
        )
        if counter:
            name = _COUNTERS["口(?!之)" if counter[1] == "口" else counter[1]]
            few = number.low < (10 if name == "keys" else 2)  # 一键求救 counts nothing
            return None if few else (end + counter.end(), name, 1.0)
        noun = regex.match(r"\s+([a-z]+)", self.lower[end : end + 16])
        if noun and noun[1] in named_in() and attributes_with(noun[1]):
            return end + noun.end(), noun[1], 1.0
        unit = unit_at(self.lower, end)
        if unit and unit[1] == "°C" and regex.search(r"近视|泳镜|myopi|short-?sighted", self.lower):
            return unit[0], "D", 0.01
        if unit and unit[1] == "month" and number.low > 150:
            return None  # a year of the calendar
        return unit

    def _below_zero(self, end: int) -> bool:
        return bool(regex.search(r"(?:零下|minus\s|−|(?<![\d\w])-)\s*[\w.]+$", self.lower[:end]))

    def _compared(self, start: int, end: int) -> tuple[str, int, int]:
        """What stands before or behind a quantity, and where the whole then begins and ends."""
        lead = self._before(start)
        for kind, pattern in _AFTER_RE:
            match = pattern.match(self.lower, end)
            if match:
                return kind, lead[1] if lead else start, match.end()
        return (lead[0], lead[1], end) if lead else ("bare", start, end)

    def _before(self, start: int) -> tuple[str, int] | None:
        """What stands just before a quantity, and where it begins."""
        first = max(0, start - 40)
        found = [
            (first + match.start(), kind)
            for kind, pattern in _BEFORE_RE
            if (match := pattern.search(self.lower[first:start]))
            and not regex.search(_END, match[0])
        ]
        if not found:
            return None
        begin, kind = min(found)  # the longest: 不低于 holds 低于
        return kind, begin

    def _flipped(self, start: int, end: int, kind: str) -> tuple[int, int, str]:
        """Nothing over 500, 100以下的不要: the other side is wanted."""
        if kind not in ("max", "min"):
            return start, end, kind
        behind = regex.match(_NOT_AFTER, self.lower[end:])
        before = regex.search(_NOT_BEFORE, self.lower[:start])
        if not behind and not before:
            return start, end, kind
        start = before.start() if before else start
        end = end + behind.end() if behind else end
        return start, end, {"max": "min", "min": "max"}[kind]

    def _without_unit(
        self, number: Number, yuan: bool, kind: str, low: float, high: float, start: int, end: int
    ) -> None:
        """A price, an attribute named just before, or a number that nobody can use."""
        named = None if yuan else self._named_before(start)
        if named and unit_of(named[1]) not in ("", "min", "month"):
            self._attribute(named[1], kind, low, high, named[0], end)
            return
        if not yuan and not self._is_price(number, kind, high, start, end):
            return
        if yuan and kind == "bare" and high < 10 and regex.search("块", self.lower[start:end]):
            return  # 三块香皂
        round_sum = {"百": (100.0, 199.0), "千": (1000.0, 1999.0)}.get(self.lower[start])
        if kind == "bare" and round_sum and low == round_sum[0]:
            kind, (low, high) = "range", round_sum
        low, high = _bounds("about" if kind == "bare" else kind, low, high, ABOUT)
        self._limit(PriceLimit(max(0.0, low), high), start, end)

    def _is_price(self, number: Number, kind: str, high: float, start: int, end: int) -> bool:
        """Whether a number without a unit is meant in yuan; what is not may be left out."""
        if kind == "bare":
            return False
        if kind == "range" and number.start == start and not number.vague and high < 10:
            return False
        if number.vague or kind == "range":
            return high >= 10
        rest = self.lower[end:]
        zh_noun = regex.match(r"\s*\p{Han}", rest) and not regex.match(
            r"\s*(?:的|就|都|吧|呢|吗|了|左|上下|能|可|我|请|有|预|价|且|并|还|又|要|但|和|或)",
            rest,
        )
        suffixed = regex.search(r"[以之]?[内下里上]$|左右$|起$|封顶$|不到$", self.lower[start:end])
        plain = bool(regex.match(_FUNCTION_WORD, rest)) or (
            suffixed is not None or (bool(regex.match(r"\s*\p{Han}", rest)) and not zh_noun)
        )
        if plain or (kind == "max" and high >= 10 and not zh_noun):
            return True
        noun = regex.match(r"\s*(?:\p{Han}{1,2}|[a-z-]+)?", rest)
        self.claim(start, end + (noun.end() if noun else 0), "left out", "unknown unit")
        return False

    def _named_before(self, start: int) -> tuple[int, str] | None:
        """Where the name of an attribute begins that ends just before a number: 防水指数一万五."""
        clause = regex.split(_END, self.lower[:start])[-1]
        link = r"\s*(?:要|在|是|有|达到?|能|得|为|of|is|:|：)?\s*"
        names = [
            (match.start() - match.end(), match.start() + start - len(clause), name)
            for name in named_in()
            for match in own_name(name).finditer(clause)
            if len(match[0]) > 1 and regex.fullmatch(link, clause[match.end() :])
        ]
        return min(names)[1:] if names else None

    def _measure(
        self,
        unit: tuple[int, str, float],
        kind: str,
        low: float,
        high: float,
        start: int,
        end: int,
        number_end: int,
    ) -> None:
        """A quantity with a unit, for the attributes that the need names or all that have it."""
        _, name, factor = unit
        names = attributes_with(name)
        if not names:
            self.claim(start, end, "left out", "unknown unit")
            return
        if name == "g" and factor == 1 and self._speaks_of("paper weight", start, end):
            name, names = "g/m²", ("paper weight",)
        else:
            named = [n for n in names if self._speaks_of(n, start, end)]
            names = tuple(named) or ((names[0],) if len(names) == 1 else ())
        if self._below_zero(number_end):
            low, high = -high, -low
        if kind == "bare" and names and set(names) <= MORE_IS_BETTER:
            kind = "min"
        if kind == "bare" and names == ("comfort temperature",):
            kind = "max"
        spread = ABOUT if kind == "about" else SAME
        low, high = _bounds(kind, low * factor, high * factor, 0.0 if name == "month" else spread)
        before = self._named_before(start)
        start = before[0] if before and before[1] in names else start
        written = _written(self.lower[number_end : unit[0]], name, factor, self.text)
        self._limit(MeasureLimit(names, Interval(low, high, name), (factor, written)), start, end)

    def _attribute(
        self, name: str, kind: str, low: float, high: float, start: int, end: int
    ) -> None:
        unit = unit_of(name)
        kind = "min" if kind == "bare" and name in MORE_IS_BETTER else kind
        low, high = _bounds(kind, low, high, SAME)
        self._limit(MeasureLimit((name,), Interval(low, high, unit), (1.0, unit)), start, end)

    def _speaks_of(self, attribute: str, start: int, end: int) -> bool:
        """Whether the clause around a quantity, or else the whole need, names an attribute."""
        pattern = named_in()[attribute]
        first = max((m.end() for m in regex.finditer(_END, self.lower[:start])), default=0)
        last = regex.search(_END, self.lower[end:])
        clause = self.lower[first : end + last.start() if last else len(self.lower)]
        if pattern.search(clause):
            return True
        rivals = (n for n in attributes_with(unit_of(attribute)) if n != attribute)
        nearer = any(named_in()[name].search(clause) for name in rivals)
        return not nearer and bool(pattern.search(self.lower))

    def _left_open(self) -> None:
        """颜色不限, 不一定要白色, any colour, white is fine too: no limit."""
        patterns = (
            r"(?:颜色|品牌|牌子|价格|预算|款式|款|牌|产地)(?:都)?(?:不限|无所谓|随便|随意|都行|都可以|不要紧|不重要)",
            r"(?:不一定要?|不必|不非要|不非得)[^,，。;；!！?？]{1,12}",
            r"(?:没有)?[^,，。;；!！?？\s]{1,6}?(?:也行|也可以|也不是不行|也没关系|也能接受)",
            r"\bany (?:colou?r|brand|price|size)\b",
            r"(?:colou?r|brand|price) (?:does not|doesn'?t) matter",
            r"(?:don'?t|do not) (?:care|mind)(?: about| which)?(?: the)? [a-z]+",
            r"\bnot (?:necessarily|only|just|fussy|bothered|sure)(?: \w+){0,3}",
        )
        for pattern in patterns:
            for match in list(self._finds(pattern)):
                self.claim(match.start(), match.end(), "left out", "open")
        vague = r"\p{Han}{0,2}(?:别|不要|不用|不)太\p{Han}{1,2}|\bnot (?:too|so|very) [a-z]+"
        for match in list(self._finds(vague)):
            self.claim(match.start(), match.end(), "left out", "vague")

    def _ruled_out(self) -> None:
        """不要白色, not white or cream, without fragrance, 除了…, sugar-free."""
        pattern = (
            r"(?P<zh>不要有?|不想要|不想买|不需要|别要|别买|别给我?|别是|不能有|不能是|不含|不带|"
            r"不加|不喜欢|不是|(?<!有)没有|除了|排除|拒绝|讨厌|避免|去掉|不爱)"
            r"|(?P<en>\b(?:not|no|nor|without|w/o|except(?: for)?|excluding|other than|"
            r"allerg(?:ic|y) to|intolerant (?:to|of)|anything but|avoid|don'?t want|do not want|"
            r"doesn'?t|does not|isn'?t|aren'?t|don'?t like|hate|never)\b(?!\s+(?:more|less|over|under|above|below|later|idea|problem|matter)\b))"
        )
        for match in list(self._finds(pattern)):
            if not self._is_free(match.start(), match.end()):
                continue
            stop = self._scope(match.end(), chinese=bool(match["zh"]))
            if stop > match.end():
                self._rule_out(match.start(), match.end(), stop, chinese=bool(match["zh"]))
        for match in list(self._finds(r"\b([a-z]{3,})-free\b")):
            self.limits.append(WordLimit(match[1], wanted=False, strict=True))
            self.claim(match.start(), match.end(), "wish")
        nothing = r"无(?P<w>\p{Han}{1,4}?)(?=的|[,，。]|$|\p{Han}{2}(?:[,，。]|$))"
        for match in list(self._finds(nothing)):
            if match["w"] in value_words() or match["w"] in ("香精", "硅油", "酒精", "糖"):
                self.limits.append(WordLimit(match["w"], wanted=False, strict=True))
                self.claim(match.start(), match.end(), "wish")

    def _scope(self, start: int, chinese: bool) -> int:
        """Where a negation ends: at the clause's end, at what is claimed, at a turn of thought."""
        turn = (
            r"[,，。;；!！?？—\n]|但|而是|要(?!求)|最好|想|只要|就行|谢谢|请|都|[以之]外"
            if chinese
            else r"[,，。;；!！?？.—\n]|\b(?:but|with|for|please|that|which|because|if|only|just|"
            r"must|should|need|costing|in|at|and (?:under|below|at|with|not|no))\b"
        )
        start += len(regex.match(r"(?:\s*for\s)?", self.lower[start:])[0])
        match = regex.search(turn, self.lower[start:])
        stop = start + match.start() if match else len(self.lower)
        behind = regex.search("的", self.lower[start:stop]) if chinese else None
        if behind:  # 不含花生的油: the oil is wanted
            return self._listed(start + behind.end(), stop)
        taken = [part.start for part in self.claimed if start <= part.start < stop]
        stop = min([stop, *taken])
        listed = regex.match(r"\s*[,，]\s*", self.lower[stop:])
        if listed and not chinese and self._colour_list(start, stop):
            return self._scope(stop + listed.end(), chinese)
        return stop

    def _listed(self, end: int, stop: int) -> int:
        """Where 白色的、黑色的 ends: further things with 的 that a page knows are ruled out too."""
        more = regex.match(r"\s*(?:、|和|或者?|以及)\s*(\p{Han}{1,4}?)的", self.lower[end:])
        while more and _ruled_out(more[1]):
            end += more.end()
            more = regex.match(r"\s*(?:、|和|或者?|以及)\s*(\p{Han}{1,4}?)的", self.lower[end:])
        return min(end, max(stop, end))

    def _colour_list(self, start: int, stop: int) -> bool:
        """Not white, cream or beige: the comma goes on with the list."""
        after = regex.match(r"\s*,\s*(?:or |nor )?([a-z]+)", self.lower[stop:])
        return bool(after and _colour(after[1]) and _colour(self.lower[start:stop].strip()))

    def _rule_out(self, start: int, begin: int, stop: int, chinese: bool) -> None:
        """Each item of a negation becomes a limit; what no page says is left out."""
        scope = self.lower[begin:stop]
        if chinese and regex.match(r"不(?!锈)", scope):  # 不要不防水的
            self.claim(start, begin + 1, "filler")
            return
        doing = regex.match(r"without|no\b|w/o", self.lower[start:begin])
        joint = r"和|或者?|、|以及|,|\bor\b|\band\b|\bnor\b|/"
        edges = [0, *(edge for m in regex.finditer(joint, scope) for edge in m.span()), len(scope)]
        items = list(zip(edges[::2], edges[1::2], strict=True))
        read = [_ruled_out(scope[a:b]) for a, b in items]
        for (a, b), limit in zip(items, read, strict=True):
            if isinstance(limit, WordLimit) and not doing:
                limit = replace(limit, strict=True)
            if limit:
                self.limits.append(limit)
            elif any(read) and regex.search(r"\w", scope[a:b]):
                self.claim(begin + a, begin + b, "left out", "unknown word")
        self.claim(start, stop, *(("limit", "") if any(read) else ("left out", "unknown word")))

    def _ruled_out_behind(self) -> None:
        """黑色的不要, 白色除外, 对花生过敏."""
        pattern = (
            r"对?(?P<w>\p{Han}{1,4}?)的?(?:就|都|我)?"
            r"(?:不要|除外|不行|不考虑|就算了|免谈|以外|过敏)"
        )
        for match in list(self._finds(pattern)):
            limit = _ruled_out(match["w"])
            if limit:
                self._limit(limit, match.start(), match.end())

    def _colours(self) -> None:
        """A colour asked for; not in "green tea" or "red fuji", which are names."""
        for colour, (latin, han) in COLOURS.items():
            shade = r"(?:(?:light|dark|pale|deep|bright|off)[ -])?"
            for match in list(self._finds(rf"\b{shade}(?:{latin})\b(?!-)")):
                if not self._is_name(match.start(), match.end()):
                    self._colour_limit(colour, match.start(), match.end())
            named = rf"[深浅墨暗亮米]?(?:{han})色(?:的|款)?"
            pattern = rf"{named}|(?<!\p{{Han}})(?:{han})的|(?<=[要买是好])(?:{han})的"
            for match in list(self._finds(pattern)):
                self._colour_limit(colour, match.start(), match.end())

    def _colour_limit(self, colour: str, start: int, end: int) -> None:
        clause = regex.split(_END, self.lower[:start])[-1]
        soft = regex.search(r"最好|优先|尽量|prefer|ideally|would be nice", clause)
        self._limit(ColourLimit((colour,), strict=not soft), start, end)

    def _is_name(self, start: int, end: int) -> bool:
        """Whether a colour and its neighbour stand together in a title."""
        after = regex.match(r"[\s-]+([a-z]+)", self.lower[end:])
        before = regex.search(r"([a-z]+)[\s-]+$", self.lower[:start])
        word = self.lower[start:end]
        pairs = [rf"\b{word}[\s-]+{after[1]}"] if after else []
        pairs += [rf"\b{before[1]}[\s-]+{word}\b"] if before and len(before[1]) > 3 else []
        titles = (page.lines[0] for page in pages())
        return any(regex.search(pair, title) for title in titles for pair in pairs)

    def _features(self) -> None:
        """Dishwasher safe, 电磁炉: attributes that are yes or no."""
        for attribute, pattern in FEATURES.items():
            for match in list(self._finds(rf"(?<![a-z])(?:{pattern})(?![a-z])")):
                self.limits.append(FeatureLimit(attribute))
                self.claim(match.start(), match.end(), "wish")
                break

    def _wishes(self) -> None:
        """Words of attribute values: pages that say them come first; "must" makes them limits."""
        must = r"必须|一定要|只要|务必|\bmust\b|\bonly\b"
        for pattern in value_patterns():
            for match in pattern.finditer(self.lower):
                if self._is_free(match.start(), match.end()):
                    clause = regex.split(_END, self.lower[: match.start()])[-1]
                    strict = bool(regex.search(must, clause))
                    self.limits.append(WordLimit(match["word"], strict=strict))
                    self.claim(match.start(), match.end(), "wish")
        for name, (asked, _) in CONCEPTS.items():
            whole = r"(?<![a-z])(?:" + asked + r")(?![a-z])"
            if name not in ("fragrance", "spicy", "sour"):
                for match in list(self._finds(whole)):
                    self.limits.append(WordLimit(match[0].removesuffix("的")))
                    self.claim(match.start(), match.end(), "wish")

    def _cheap(self) -> None:
        pattern = (
            r"便宜(?:点|一点)?(?:的)?|实惠(?:的)?|平价(?:的)?|性价比高?(?:的)?|别太贵(?:的)?|不(?:要)?太?贵(?:的)?"
            r"|\b(?:cheap(?:er|est)?|affordable|inexpensive|low-?cost|(?:not )?too expensive)\b"
        )
        for match in list(self._finds(pattern)):
            self.cheap = True
            self.claim(match.start(), match.end(), "limit")

    def _fillers(self) -> None:
        pattern = (
            r"我?(?:想要?|需要|打算|准备|正在)(?:买|找|购买|入手|看看|挑)?(?=\p{Han})|帮(?:我|忙)(?:找|选|挑|推荐)?|"
            r"(?:给我)?推荐(?:一下)?|请问?|有没有|有什么|谢谢|麻烦|吗|呢|吧|"
            r"[一几两](?:款|个|台|双|件|条|部|只|本|把|瓶|盒|点|些)(?=\p{Han})|"
            r"最好(?:是|要)?|优先|但是?|而且|或者?|(?:能|可以)(?:用)?的|我要|要(?=\p{Han})"
            r"|\b(?:i(?:'m| am)? (?:looking|searching) for|"
            r"i(?:'d| would)? (?:like|want|need)(?: to (?:buy|find|get))?|"
            r"looking for|can you|could you|recommend|show me|find me|please|thanks?|thank you|"
            r"some|but|do you have|i want|costs?|priced|which|something)\b"
        )
        for match in list(self._finds(pattern)):
            self.claim(match.start(), match.end(), "filler")

    def _limit(self, limit: Limit, start: int, end: int) -> None:
        self.limits.append(limit)
        self.claim(start, end, "limit")


def _bounds(kind: str, low: float, high: float, spread: float) -> tuple[float, float]:
    """Low and high of what is wanted; -inf and inf where it is open."""
    if kind == "max":
        return -OPEN, high
    if kind == "min":
        return low, OPEN
    if kind in ("about", "bare") and low == high:
        return low - abs(low) * spread, high + abs(high) * spread
    return min(low, high), max(low, high)


def _written(text: str, name: str, factor: float, need: str) -> str:
    """The unit for the reader: as written, the common ones as the pages write them."""
    zh = language_of(need) == "zh"
    if name == "month":
        return ("岁" if zh else "years") if factor == 12 else ("个月" if zh else "months")
    if name == "inch" and not text.strip(" -").isalnum():
        return "英寸" if zh else "in"
    fixed = {"°C": "°C", "people": "人" if zh else "people", "GB": "TB" if factor > 1 else "GB",
             "W": "W", "dB": "dB", "Hz": "Hz", "mAh": "mAh"}  # fmt: skip
    return fixed.get(name, text.strip(" -"))


def _colour(words: str) -> str | None:
    """The colour that a word or two name, or None."""
    words = words.strip()
    for colour, (latin, han) in COLOURS.items():
        if regex.fullmatch(rf"(?:\w+ )?(?:{latin})", words):
            return colour
        if regex.fullmatch(rf"\p{{Han}}?(?:{han})色?", words) and not regex.search("[a-z]", words):
            return colour
    return None


def _ruled_out(item: str) -> Limit | None:
    """The limit that a ruled-out thing makes, or None if no page says such a thing."""
    trim = (
        r"^(?:\s|the|a|an|any|too|太|made of|of|for|have|has|be|是|有|用|to|it|in|含)+"
        r"(?=\s|\p{Han})"
        r"|\s*(?:ones?|things?|stuff|please|colou?red|colou?r)$|[的款类型质]+$"
    )
    words = item.strip(" .!?~“”\"'")
    for _ in range(2):
        words = regex.sub(trim, "", words).strip()
    if not words or len(words) > 24:
        return None
    colour = _colour(words)
    if colour:
        return ColourLimit((colour,), wanted=False)
    for attribute, pattern in FEATURES.items():
        if regex.fullmatch(pattern, words):
            return FeatureLimit(attribute, wanted=False)
    if any(regex.fullmatch(asked, words) for asked, _ in CONCEPTS.values()):
        return WordLimit(words, wanted=False, strict=True)
    told = _told(words)
    if told:
        return WordLimit(told, wanted=False, strict=True)
    limit = WordLimit(words, wanted=False, strict=True)
    said = any(limit.verdict(page, "en").met is not None for page in pages())
    # "Without washing" is what the shopper will do, not what the product is: no rule, a wish.
    doing = regex.fullmatch(r"[a-z]{3,}ing", words)
    return replace(limit, strict=not doing) if said else None


def _told(words: str) -> str | None:
    """The value word that a phrase begins with, unless a page says the whole phrase."""
    said = any(regex.search(stem_pattern(words), line) for page in pages() for line in page.lines)
    if said:
        return None
    inside = [match["word"] for pattern in value_patterns() for match in pattern.finditer(words)]
    return max(inside, key=len) if inside else None
