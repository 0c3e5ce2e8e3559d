"""Numbers in running text, English and Chinese, with what they count: ¥20, 三天, ten per cent."""

import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction

import regex

from ecomtutor.text.checking import require_text

Value = Fraction | tuple[int | None, int, int | None]

# Kind → how it is written after the number. Letters that differ in case differ in meaning: 5 g, 5G.
UNITS: dict[str, str] = {
    "yuan": r"yuan|rmb|RMB|CNY|元|块钱?|人民币",
    "dollar": r"dollars?|USD|美元|美金",
    "euro": r"euros?|EUR|欧元",
    "%": r"%|per ?cent|个百分点",
    "折": r"折",
    "second": r"seconds?|秒钟?",
    "minute": r"minutes?|mins?|分钟",
    "hour": r"hours?|hrs?|h|个?小时|个?钟头",
    "working day": r"(?:working|business) days?|个?工作日",
    "day": r"days?|天|日(?!元)",
    "week": r"weeks?|周(?!年)|个?星期|个?礼拜",
    "month": r"months?|个月",
    "quarter": r"quarters?|个?季度",
    "year": r"years?|年|周年",
    "years old": r"years? old|周?岁",
    "times": r"times|fold|倍",
    "occasions": r"次|回",
    "points": r"points?|积分|分(?![钟之])",
    "kg": r"kg|KG|kilo(?:gram)?s?|公斤|千克",
    "g": r"g|grams?|克",
    "jin": r"斤",
    "l": r"l|L|lit(?:re|er)s?|升",
    "ml": r"ml|mL|毫升",
    "km": r"km|kilomet(?:re|er)s?|公里|千米",
    "m": r"m|met(?:re|er)s?|米",
    "cm": r"cm|centimet(?:re|er)s?|厘米",
    "mm": r"mm|毫米",
    "inch": r"inch(?:es)?|英?寸",
    "gb": r"GB|gb",
    "tb": r"TB",
    "w": r"W|watts?|瓦",
    "mah": r"mAh|毫安时?",
    "hz": r"Hz|赫兹",
    "db": r"dB|分贝",
    "°c": r"°C|℃|摄氏度",
    "word": r"(?:English |Chinese )?(?:words|characters)|个?(?:汉字|单词|字)",
    "count": r"[个件张台副只把条种位名人家款份套单笔瓶盒包袋双部本段页组]"
    r"(?!月|小时|星期|季度|钟头)",
}
_UNIT = "|".join(f"(?P<u{i}>{pattern})" for i, pattern in enumerate(UNITS.values()))
_KINDS = list(UNITS)
_MONEY = {"¥": "yuan", "￥": "yuan", "RMB": "yuan", "CNY": "yuan", "$": "dollar", "€": "euro"}

_ONES = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
]
_TENS = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
_WORDS: dict[str, int] = {word: i for i, word in enumerate(_ONES)}
_WORDS |= {word: 10 * i for i, word in enumerate(_TENS, start=2)}
_SCALES = {"dozen": 12, "hundred": 100, "thousand": 1000, "million": 10**6}
_SPOKEN: dict[str, Fraction] = {"half": Fraction(1, 2), "twice": Fraction(2), "double": Fraction(2)}
_SPOKEN["triple"] = Fraction(3)
_ENGLISH = "|".join(sorted([*_WORDS, *_SCALES], key=len, reverse=True))
_HAN_DIGITS = {c: i for i, c in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2}
_HAN_SCALES = {"十": 10, "百": 100, "千": 1000, "万": 10**4, "亿": 10**8}
_HAN = "[零〇一二两三四五六七八九十百千万亿]"

_MONTHS = "january february march april may june july august september october november december"
_MONTH = "|".join(f"{m.title()}|{m[:3].title()}\\b\\.?" for m in _MONTHS.split())
_DAY = r"(?P<d>[12]\d|3[01]|0?[1-9])"
_DATES = (
    r"(?P<y>\d{4})[-/.](?P<m>1[0-2]|0?[1-9])[-/.]" + _DAY + r"(?!\d)",
    rf"(?<!\d){_DAY}(?:st|nd|rd|th)? (?:of )?(?P<name>{_MONTH})(?:,? (?P<y>\d{{4}}))?(?!\w)",
    rf"(?<!\w)(?P<name>{_MONTH}) {_DAY}(?:st|nd|rd|th)?(?:,? (?P<y>\d{{4}}))?(?!\w)",
    rf"(?<!\w)(?P<name>{_MONTH}),? (?P<y>\d{{4}})(?!\d)",
    rf"(?:(?P<y>\d{{4}})年)?(?P<m>1[0-2]|0?[1-9])月(?:份|{_DAY}[日号])?",
    rf"(?P<hm>{_HAN}{{1,2}})月(?:份|(?P<hd>{_HAN}{{1,3}})[日号])",
    r"(?<=\b(?:in|until|by|since|from|of|to|between|early|late|mid|and|every|next|last|each) )"
    rf"(?P<name>{_MONTH})(?!\w)",
)
_CLOCKS = (
    r"(?<!\d)(?P<h>2[0-4]|[01]?\d):(?P<min>[0-5]\d)(?!\d) ?(?P<half>(?i:[ap])\.?(?i:m)\b\.?)?",
    r"(?<!\d)(?P<h>1[0-2]|[1-9]) ?(?P<half>(?i:[ap])\.?(?i:m)\b\.?)",
    rf"(?P<half>凌晨|早上|上午|中午|下午|傍晚|晚上)?(?P<h>2[0-4]|1?\d|{_HAN}{{1,3}})点(?!数)"
    rf"(?:(?P<min>[0-5]\d|{_HAN}{{2,3}})分|(?P<minute>半))?(?:钟|整)?",
    r"\b(?P<noon>noon|midnight)\b",
)
_NUMBER = r"\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?"
_HEDGE = r"(?:full |whole |calendar |natural |more |整|个?自然)"
_LINK = r"\s*(?:[-–—~～×x、,/]|to|or|and|至|到|或者?)\s*"


@dataclass(frozen=True)
class Quantity:
    """A number as it stands in a text, and what it counts.

    kind is a key of `UNITS`, "date", "time" (minutes since midnight) or "" where the text names no
    unit that this module knows. A date's value is (year, month, day); what is not said is None.
    """

    text: str
    kind: str
    value: Value

    def stands_for(self, other: "Quantity") -> bool:
        """Whether this one, from a passage, supports the other, from an answer.

        Equal numbers of one kind; a date also by one that says more. Nothing is converted: 48
        hours are not two days, and a number without a unit is not supported by one with a unit.
        """
        if self.kind == other.kind == "date":
            pairs = zip(self.value, other.value, strict=True)  # type: ignore[arg-type]
            return all(theirs is None or ours == theirs for ours, theirs in pairs)
        if self.value != other.value or "date" in (self.kind, other.kind):
            return False
        loose = {"", "count"}
        return self.kind == other.kind or {self.kind, other.kind} <= loose


def quantities(text: str) -> list[Quantity]:
    """Every number of a text, in order of its kind: dates, times, then all others.

    Digits, thousands separators, full-width digits, English number words, Chinese numerals, 折,
    百分之, ranges ("5–7 days": both are days), dates and times of day. "One" and 一 count only
    where they measure ("one day", "only one coupon", 限一张), not where they are an article.

    Raises:
        EcomTutorError: something other than text came.
    """
    found, _ = take_quantities(require_text(text))
    return found


def take_quantities(text: str) -> tuple[list[Quantity], str]:
    """The quantities of a text, and the text with blanks in their places (NFKC-normalised)."""
    text = unicodedata.normalize("NFKC", text)
    found: list[Quantity] = []
    for pattern, read in _READERS:
        spans = []
        for match in regex.finditer(pattern, text):
            quantity = read(match)
            if quantity:
                found.append(quantity)
                spans.append(match.span())
        for start, end in spans:
            text = text[:start] + " " * (end - start) + text[end:]
    rest, others = _plain(text)
    return found + others, rest


def _date(match: "regex.Match[str]") -> Quantity | None:
    said = match.groupdict()
    if said.get("name"):
        month = 1 + [m[:3] for m in _MONTHS.split()].index(said["name"].lower()[:3])
    else:
        month = int(said["m"]) if said.get("m") else int(han_number(said["hm"]) or 0)
    day = int(said["d"]) if said.get("d") else None
    if said.get("hd"):
        day = int(han_number(said["hd"]) or 0)
    year = int(said["y"]) if said.get("y") else None
    return Quantity(match[0].strip(), "date", (year, month, day))


def _clock(match: "regex.Match[str]") -> Quantity | None:
    said = match.groupdict()
    if said.get("noon"):
        return Quantity(match[0], "time", Fraction(720 if said["noon"] == "noon" else 0))
    hour, half = _int(said["h"]), (said.get("half") or "").lower()
    afternoon = half.startswith("p") or half in ("下午", "傍晚", "晚上")
    hour = hour % 12 if half.startswith("a") else hour
    hour = hour % 12 + 12 if afternoon and hour != 24 else hour
    minute = 30 if said.get("minute") else _int(said.get("min") or "0")
    return Quantity(match[0].strip(), "time", Fraction(60 * hour + minute))


def _han_percent(match: "regex.Match[str]") -> Quantity | None:
    if match["tenths"]:
        return Quantity(match[0], "%", Fraction(10 * _int(match["tenths"])))
    number = match["han"]
    return Quantity(match[0], "%", Fraction(number) if number[0].isdigit() else _han(number))


def _rest_of_price(match: "regex.Match[str]") -> Quantity | None:
    return Quantity(match[0], "yuan", Fraction(match["n"].replace(",", "")))


_READERS: list[tuple[str, Callable[["regex.Match[str]"], Quantity | None]]] = [
    *((pattern, _date) for pattern in _DATES),
    *((pattern, _clock) for pattern in _CLOCKS),
    (rf"百分之(?P<han>{_NUMBER}|{_HAN}+)(?P<tenths>)|(?P<tenths>[一二两三四五六七八九\d])成(?![功为员立交本])",
     _han_percent),
    (rf"(?<=[满减立返])(?P<n>{_NUMBER})(?![\d.]|\s*(?:{_UNIT}))", _rest_of_price),
]  # fmt: skip

_ARTICLE = (
    r"(?<=\b(?:only|exactly|just|at most|up to|least|single) |限[领用购]?|只能?|仅|最多|至少|共)"
)
_A_WHILE = (
    r"(?<=\b(?:within|for|in|after|takes?|lasts?|about|another|have|has|gets?) )"
    r"an?(?= (?:hour|day|week|month|year)\b)"
)
_PLAIN = regex.compile(
    rf"(?P<money>[¥￥$€]|\b(?:RMB|CNY) ?)?\s?(?<![A-Za-z\d.])(?P<n>{_NUMBER})"
    r"(?:st|nd|rd|th)?(?P<scale>[万亿千](?![克米瓦赫卡]))?(?P<half>个半)?"
    rf"|(?<![\w-])(?P<w>(?:(?:a|half a) )?(?:{_ENGLISH})(?:(?:[ -]| and )(?:{_ENGLISH}))*)(?![\w])"
    rf"|(?<![\w])(?P<s>half|twice|double|triple)(?!\w)"
    rf"|(?P<a>{_A_WHILE})"
    rf"|(?P<han>(?!万一){_HAN}+)(?P<half>个半)?|(?P<ban>半|双(?=倍))",
    regex.IGNORECASE,
)
_AFTER = regex.compile(rf"(?:[ -]?{_HEDGE}*(?:{_UNIT})(?![A-Za-z\d]))(?P<more>半)?")


def _plain(text: str) -> tuple[str, list[Quantity]]:
    """All numbers that are neither dates nor times, and the text without them."""
    raw = list(_numbers(text))
    found: list[Quantity] = []
    for place, (start, end, value, kind) in enumerate(raw):
        later = place
        # In "5–7 days" and "3, 5 or 7 days" every number takes the unit of the last.
        while not kind and later + 1 < len(raw):
            between = text[raw[later][1] : raw[later + 1][0]]
            if not regex.fullmatch(_LINK, between):
                break
            later += 1
            kind = raw[later][3]
        value = value / 10 if kind == "折" and value >= 10 else value
        found.append(Quantity(text[start:end].strip(), kind, value))
    for start, end, _, _ in raw:
        text = text[:start] + " " * (end - start) + text[end:]
    return text, found


def _numbers(text: str) -> Iterator[tuple[int, int, Fraction, str]]:
    """(start, end, value, kind) of each number; kind is "" where no unit follows."""
    for match in _PLAIN.finditer(text):
        value, after = _value(match), _AFTER.match(text, match.end())
        kind = _MONEY.get((match["money"] or "").strip().upper(), "")
        if not kind and after:
            kind = next(_KINDS[i] for i in range(len(_KINDS)) if after[f"u{i}"])
        end = after.end() if after else match.end()
        if match["s"] and match["s"].lower() != "half":
            kind = kind or "times"
        if value is None or not _measures(text, match, kind):
            continue
        if after and after["more"]:
            value += Fraction(1, 2)
        if not after and regex.match(r"[A-Za-z]", text[end : end + 1]) and match["n"]:
            continue  # 5G, 4K: the name of a thing
        yield match.start(), end, value, kind


def _value(match: "regex.Match[str]") -> Fraction | None:
    more = Fraction(1, 2) if match["half"] else Fraction(0)
    if match["n"]:
        scale = _HAN_SCALES.get(match["scale"] or "", 1)
        return Fraction(match["n"].replace(",", "")) * scale + more
    if match["w"]:
        return english_number(match["w"])
    if match["s"]:
        return _SPOKEN[match["s"].lower()]
    if match["a"]:
        return Fraction(1)
    if match["ban"]:
        return Fraction(2) if match["ban"] == "双" else Fraction(1, 2)
    value = han_number(match["han"])
    return None if value is None else value + more


def _measures(text: str, match: "regex.Match[str]", kind: str) -> bool:
    """Whether a number word says how many: 三天 does, 一起 and "one of them" do not."""
    if match["n"] or match["a"] or match["s"]:
        return True
    if match["ban"]:
        return bool(kind) and kind != "count"
    word = (match["w"] or match["han"]).lower()
    if word in ("one", "一"):
        limited = regex.search(_ARTICLE + r"$", text[: match.start()], regex.IGNORECASE)
        return kind not in ("", "count", "occasions", "word", "points") or bool(limited)
    if match["w"]:
        return True
    if word == "十" and kind == "points":
        return False  # 十分: very
    return bool(kind) or (len(word) > 1 and any(c in _HAN_SCALES for c in word))


def english_number(words: str) -> Fraction | None:
    """ "two hundred and fifty" → 250, "a dozen" → 12; None for what is no number."""
    total, part = 0, 0
    said = [w for w in regex.split(r"[ -]+", words.lower()) if w not in ("and", "a", "half")]
    for word in said:
        if word in _WORDS:
            part += _WORDS[word]
        elif word in _SCALES:
            part = max(part, 1) * _SCALES[word]
            if word in ("thousand", "million"):
                total, part = total + part, 0
        else:
            return None
    value = Fraction(total + part)
    return value / 2 if words.lower().startswith("half a ") else value


def han_number(numeral: str) -> Fraction | None:
    """二百五十 → 250, 两 → 2, 八五 → 85, 一万二 → 10,002's common reading 12,000 is not guessed."""
    if not numeral or any(c not in _HAN_DIGITS and c not in _HAN_SCALES for c in numeral):
        return None
    if all(c in _HAN_DIGITS for c in numeral):
        return Fraction(int("".join(str(_HAN_DIGITS[c]) for c in numeral)))
    total, section, digit = 0, 0, 0
    for c in numeral:
        if c in _HAN_DIGITS:
            digit = _HAN_DIGITS[c]
        elif _HAN_SCALES[c] >= 10**4:
            total, section, digit = (total + section + digit or 1) * _HAN_SCALES[c], 0, 0
        else:
            section, digit = section + (digit or 1) * _HAN_SCALES[c], 0
    return Fraction(total + section + digit)


def _han(numeral: str) -> Fraction:
    return han_number(numeral) or Fraction(0)


def _int(text: str) -> int:
    return int(text) if text.isdigit() else int(_han(text))
