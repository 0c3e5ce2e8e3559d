"""Quantities as shops write them: numbers in digits and in words, units, ranges, ratings, sizes.

Everything becomes an `Interval` in one unit: "IPX5", "6–11 kg", "S–XXL", "三百多块", "2 TB". A need
asks for an interval, a product has one, and they agree where the two overlap.
"""

import math
from dataclasses import dataclass, replace

import regex

OPEN = math.inf
ABOUT = 0.2  # "around 300" is 240 to 360
SAME = 0.02  # "27 inch" finds 27.2


@dataclass(frozen=True)
class Interval:
    """From low to high, both included, in a unit such as "g" or "IPX"."""

    low: float
    high: float
    unit: str

    def meets(self, other: "Interval") -> bool:
        """Whether the two have the unit and a value in common."""
        return self.unit == other.unit and self.low <= other.high and other.low <= self.high


# Unit as written → (unit in which we count, how many of it). Longer spellings stand first.
_UNITS: tuple[tuple[str, str, float], ...] = (
    (r"g\s*/\s*m(?:²|2)|gsm", "g/m²", 1),
    (r"m(?:³|3)\s*/\s*h", "m³/h", 1),
    (r"mb\s*/\s*s", "MB/s", 1),
    (r"gbps", "Mbps", 1000),
    (r"mbps", "Mbps", 1),
    (r"kwh", "kWh", 1),
    (r"mah|毫安时?", "mAh", 1),
    (r"kg|kilograms?|kilos?|公斤|千克", "g", 1000),
    (r"斤", "g", 500),
    (r"grams?|g|克", "g", 1),
    (r"square\s+met(?:re|er)s?|sq\.?\s*m|m(?:²|2)|平方米?|平米|平(?![板底装])", "m²", 1),
    (r"millimet(?:re|er)s?|mm|毫米", "mm", 1),
    (r"centimet(?:re|er)s?|cm|厘米|公分", "mm", 10),
    (r"ml|millilit(?:re|er)s?|毫升", "ml", 1),
    (r"months?(?:[\s-]old)?|个月(?:大)?", "month", 1),
    (r"minutes?|mins?|分钟", "min", 1),
    (r"hours?|hrs?|h|个?小时|个?钟头", "min", 60),
    (r"days?|天", "day", 1),
    (r"(?:years?|yrs?)(?:[\s-]old)?|周?岁|年", "month", 12),
    (r"inch(?:es)?|英寸|寸|″|”|\"", "inch", 1),
    (r"met(?:re|er)s?|m|米", "mm", 1000),
    (r"lit(?:re|er)s?|l|升", "ml", 1000),
    (r"gb", "GB", 1),
    (r"tb", "GB", 1000),
    (r"watts?|w|瓦", "W", 1),
    (r"db|decibels?|分贝", "dB", 1),
    (r"hz|赫兹?", "Hz", 1),
    (r"dpi", "dpi", 1),
    (r"rpm|转(?:/分)?", "rpm", 1),
    (r"kpa", "kPa", 1),
    (r"ω|ohms?|欧姆?", "Ω", 1),
    (r"lm|lumens?|流明", "lm", 1),
    (r"°\s*brix", "°Brix", 1),
    (r"°\s*c|℃|degrees?(?:\s+celsius)?|摄氏度|度", "°C", 1),
    (r"%", "%", 1),
    (r"ppm", "ppm", 1),
    (r"bar", "bar", 1),
    (r"hrc", "HRC", 1),
    (r"momme|姆米", "momme", 1),
    (r"tog", "tog", 1),
    (r"people|persons?|(?:个)?人", "people", 1),
)


def _ends(spelt: str) -> str:
    """A unit in letters ends where the word does; a sign or a Chinese one ends by itself."""
    return "" if spelt[-1] in ("%", '"') else "(?![a-z])"


_UNIT = regex.compile(
    r"[\s-]*(?:"
    + "|".join(f"(?P<u{i}>(?:{spelt})){_ends(spelt)}" for i, (spelt, _, _) in enumerate(_UNITS))
    + ")"
)
_DIGITS = dict(zip("零〇一二两三四五六七八九", (0, 0, 1, 2, 2, 3, 4, 5, 6, 7, 8, 9), strict=True))
_POWERS = {"十": 10, "百": 100, "千": 1000, "万": 10_000, "k": 1000, "w": 10_000}
_UP_TO_19 = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten",
    "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen",
    "nineteen",
)  # fmt: skip
_TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_WORDS = {word: n for n, word in enumerate(_UP_TO_19)} | {
    word: 10 * n for n, word in enumerate(_TENS, start=2)
}
_WORD = "|".join(sorted(_WORDS, key=len, reverse=True))
_TIMES = {"hundred": 100, "thousand": 1000}

NUMBER = regex.compile(
    r"(?P<few>几|数|a\s+few\s|a\s+couple\s+(?:of\s)?)\s*(?P<few_of>十|百|千|万|hundred|thousand)"
    r"|(?P<a>[一二两三四五六七八九])(?P<b>[二两三四五六七八九])(?P<ab_of>[十百千万])"
    r"|(?P<tens>[一二两三四五六七八九]?十)几"
    r"|(?<![a-z\d]|\d[.,]|[a-z]-)(?P<digits>\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?)"
    r"(?:\s*(?P<scale>[百千万]|k(?![a-z\d])|hundred\b|thousand\b))?"
    r"|(?P<zh>[零〇一二两三四五六七八九十百千万]+(?:点[零〇一二三四五六七八九]+)?)"
    rf"|\b(?P<en>(?:(?:a|{_WORD})(?:[\s-]+(?:and\s+)?(?:{_WORD}|hundred|thousand))*))\b"
)


@dataclass(frozen=True)
class Number:
    """A number in a text: `text[start:end]`, its value, or low … high where it is vague."""

    start: int
    end: int
    low: float
    high: float
    spelt: bool  # written in words

    @property
    def vague(self) -> bool:
        return self.low != self.high


def numbers(text: str) -> list[Number]:
    """The numbers of a lower-case text, in digits or words, Chinese or English.

    A number that is part of a name (iphone15, a5, tb-80) is none. 两三百 is 200 to 300, 三百多 is
    300 to 399, 十几 is 11 to 19, 几百 is 200 to 999, 一百五 is 150, 1.2k is 1200.
    """
    found = []
    for match in NUMBER.finditer(text):
        values = _values(match)
        if values is None:
            continue
        low, high = values
        number = Number(match.start(), match.end(), low, high, match["digits"] is None)
        found.append(_more(text, number))
    return found


def _values(match: "regex.Match[str]") -> tuple[float, float] | None:
    if match["few"]:
        size = _POWERS.get(match["few_of"]) or _TIMES[match["few_of"]]
        couple = "couple" in match["few"]
        return 2 * size, 3 * size if couple else 10 * size - 1
    if match["a"]:
        low, high = _DIGITS[match["a"]], _DIGITS[match["b"]]
        size = _POWERS[match["ab_of"]]
        return (low * size, high * size) if low < high else None
    if match["tens"]:
        ten = chinese_number(match["tens"])
        return ten + 1, ten + 9
    if match["digits"]:
        value = float(match["digits"].replace(",", ""))
        scale = match["scale"] or ""
        value *= _POWERS.get(scale) or _TIMES.get(scale, 1)
    elif match["zh"]:
        value = chinese_number(match["zh"])
    else:
        value = english_number(match["en"])
        if math.isnan(value):
            return None
    return value, value


def _more(text: str, number: Number) -> Number:
    """三百多: up to the next round number. The sign stands before or behind 块."""
    after = regex.match(r"\s*(?:元|块钱?)?\s*多", text[number.end : number.end + 8])
    if not after or number.vague or number.low < 10:
        return number
    unit = 10 ** (len(str(int(number.low))) - len(str(int(number.low)).rstrip("0")) or 0)
    return replace(
        number, end=number.end + after.end(), high=number.low + max(unit, 10) - 1
    )  # 多 behind 块 takes the currency along: `currency_in` looks into the span


def chinese_number(numeral: str) -> float:
    """二十五 is 25, 一百五 is 150, 两千五 is 2500, 百 alone is 100, 八五 read by digits is 85."""
    whole, _, fraction = numeral.partition("点")
    total, section, digit, last = 0.0, 0.0, None, 1.0
    for character in whole:
        if character in _DIGITS:
            digit = (digit or 0) * 10 + _DIGITS[character]
            last = 10.0 if character in "零〇" else last
            continue
        power = _POWERS[character]
        if power == 10_000:
            total += (section + (digit or 0) or 1) * power
            section = 0.0
        else:
            section += (1 if digit is None else digit) * power
        digit, last = None, float(power)
    shorthand = last / 10 if last >= 100 and digit is not None and digit < 10 else 1
    total += section + (digit or 0) * shorthand
    digits = "".join(str(_DIGITS[character]) for character in fraction)
    return total + (float(f"0.{digits}") if digits else 0.0)


def english_number(words: str) -> float:
    """two hundred and fifty is 250; not a number ("a" alone): nan."""
    total, section, seen = 0.0, 0.0, False
    for word in regex.findall("[a-z]+", words):
        if word in _TIMES:
            section = (section or 1) * _TIMES[word]
            seen = True
            if word == "thousand":
                total, section = total + section, 0.0
        elif word in _WORDS:
            section, seen = section + _WORDS[word], True
    return total + section if seen else math.nan


def unit_at(text: str, start: int) -> tuple[int, str, float] | None:
    """The unit that begins at a place of a lower-case text: where it ends, unit, factor."""
    match = _UNIT.match(text, start, min(len(text), start + 24))
    if not match:
        return None
    name = match.lastgroup or ""
    _, unit, factor = _UNITS[int(name[1:])]
    return match.end(), unit, factor


_LETTERS = {"xs": 1, "s": 2, "m": 3, "l": 4, "xl": 5, "xxl": 6, "xxxl": 7}
LETTERS = {place: letter.upper() for letter, place in _LETTERS.items()}
_RANGE = r"\s*(?:–|-|—|~|to|至|到)\s*"
_RATING = {"ipx": "IPX", "spf": "SPF", "upf": "UPF", "wi-fi": "Wi-Fi", "ph": "pH"}
RATINGS = frozenset(_RATING.values())


def letter_size(letters: str) -> Interval | None:
    """XS … XXXL as numbers, so that S–XXL can hold an M."""
    place = _LETTERS.get(letters.lower().replace("2x", "xx").replace("3x", "xxx"))
    return Interval(place, place, "letter") if place else None


def intervals(name: str, value: str) -> list[Interval]:
    """What the value of a catalogue attribute says in numbers, none for words.

    Args:
        name: the attribute in English; "sizes" and "ages" are read as such.
        value: its value in English, for example "EU 36–39 / 40–44" or "6 years and over".
    """
    text = value.lower().replace("−", "-")
    if name == "network":  # 4G is no weight
        return []
    if name == "ports":
        counts = [float(n) for n in regex.findall(r"(\d+)\s*×", text)]
        return [Interval(sum(counts), sum(counts), "port")] if counts else []
    rated = _rated(name, text)
    if rated:
        return rated
    if name == "sizes" or regex.fullmatch(r"(?:x*[sml])(?:–x*[sml])?", text):
        return _sizes(text)
    return _quantities(name, text)


def _rated(name: str, text: str) -> list[Interval]:
    match = regex.fullmatch(r"(ipx|spf|upf|wi-fi|ph)\s*(\d+(?:\.\d+)?)\+?", f"{text}")
    if match:
        return [Interval(float(match[2]), float(match[2]), _RATING[match[1]])]
    bare = regex.fullmatch(r"(\d+(?:\.\d+)?)\+?", text)
    if bare and name.lower() in _RATING:
        return [Interval(float(bare[1]), float(bare[1]), _RATING[name.lower()])]
    return []


def _sizes(text: str) -> list[Interval]:
    found = []
    for part in text.replace("eu", "").split("/"):
        ends = regex.split(_RANGE, part.strip())
        if all(end.strip().isdigit() for end in ends):
            found.append(Interval(float(ends[0]), float(ends[-1]), "size"))
        elif all(end.strip() in _LETTERS for end in ends):
            low, high = _LETTERS[ends[0].strip()], _LETTERS[ends[-1].strip()]
            found.append(Interval(low, high, "letter"))
    return found


def _quantities(name: str, text: str) -> list[Interval]:
    """Numbers with units; a number without one takes the next unit to its right, or the name."""
    pattern = rf"(-?\d+(?:\.\d+)?)(?:{_RANGE}(-?\d+(?:\.\d+)?))?"
    found: list[Interval] = []
    waiting: list[tuple[float, float]] = []
    for match in regex.finditer(pattern, text):
        low, high = sorted(float(n) for n in (match[1], match[2] or match[1]))
        unit = unit_at(text.replace(" in", " inch"), match.end())
        waiting.append((low, high))
        if unit:
            _, kind, factor = unit
            found += [_scaled(text, a, b, kind, factor) for a, b in waiting]
            waiting = []
    if text.startswith("ages ") and waiting:
        return [Interval(12 * a, 12 * b + 11, "month") for a, b in waiting]
    if name == "lens power":
        return [Interval(min(map(abs, pair)), max(map(abs, pair)), "D") for pair in waiting]
    bare = "people" if name == "sleeps" else name
    return found + [Interval(a, b, bare) for a, b in waiting]


def _scaled(text: str, low: float, high: float, kind: str, factor: float) -> Interval:
    if kind == "month" and factor == 12:
        high += 11 / 12  # a child of nine is nine for a year
        high = OPEN if "over" in text else high
    return Interval(low * factor, high * factor, kind)
