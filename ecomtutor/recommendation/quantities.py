"""The numbers of a need: prices, measures, ratings, sizes."""

import regex

from ecomtutor.recommendation.claims import CLAUSE_END, Claims, language_of
from ecomtutor.recommendation.limits import MeasureLimit, PriceLimit
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
    MORE_IS_BETTER,
    attributes_with,
    named_in,
    own_name,
    unit_of,
)

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


class Quantities(Claims):
    """Reads everything with a number, and claims it."""

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
            and not regex.search(CLAUSE_END, match[0])
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
        clause = regex.split(CLAUSE_END, self.lower[:start])[-1]
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
        first = max((m.end() for m in regex.finditer(CLAUSE_END, self.lower[:start])), default=0)
        last = regex.search(CLAUSE_END, self.lower[end:])
        clause = self.lower[first : end + last.start() if last else len(self.lower)]
        if pattern.search(clause):
            return True
        rivals = (n for n in attributes_with(unit_of(attribute)) if n != attribute)
        nearer = any(named_in()[name].search(clause) for name in rivals)
        return not nearer and bool(pattern.search(self.lower))


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
