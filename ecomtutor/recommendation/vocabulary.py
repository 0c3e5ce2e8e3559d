"""The words that the store's own pages use for attributes and their values."""

from collections import defaultdict
from functools import cache

import regex

from ecomtutor.datasets import store
from ecomtutor.recommendation.limits import COLOURS, Page

# Further names that shoppers use for attributes of the catalogue.
SYNONYMS: dict[str, str] = {
    "weight": r"weigh\w*|heav(?:y|ier)|light(?:er)?|重|轻",
    "net weight": r"净重|装|pack",
    "battery life": r"battery|playing time|run\s?time|last\w*|续航|电池|能用|待机",
    "noise": r"noise|loud\w*|quiet\w*|噪音|噪声|静音|分贝",
    "sleep noise": r"noise|quiet\w*|sleep\w*|噪音|噪声|静音|睡眠",
    "memory": r"ram|memory|内存|运存|运行",
    "storage": r"storage|ssd|disk|drive|存储|硬盘|储存|空间|手机|phone",
    "screen": r"screen|display|monitor|laptop|tablet|屏|显示器|平板",
    "room size": r"rooms?|living|bedroom|房间|客厅|卧室|覆盖",
    "coverage": r"cover\w*|mesh|router|wi-?fi|覆盖|路由",
    "thickness": r"thick\w*|thin\w*|mat|厚|薄|垫",
    "tip size": r"pens?|nib|tip|笔",
    "length": r"long\w*|length|cables?|leads?|长|线",
    "cable length": r"cables?|线",
    "width": r"wide\w*|narrow\w*|宽",
    "height": r"high\w*|tall\w*|高",
    "dimensions": r"deep\w*|depth|wide\w*|slim|深|宽|高",
    "diameter": r"diameter|pan|skillet|wok|锅|直径|口径",
    "capacity": r"capacity|litres?|容量|容积|升",
    "volume": r"volume|bottle|净含量|瓶|装",
    "baby weight": r"(?:kg|kilos?) bab(?:y|ies)|baby (?:is|of|weighs)|"
    r"(?:宝宝|孩子|小孩)(?:体重|有|重|是)?(?=[\d一二三四五六七八九十])",
    "paper weight": r"papers?|notebooks?|纸|本子",
    "fabric weight": r"fabric|cotton|t-?shirts?|克重|面料",
    "waterproof rating": r"waterproof(?: rating)?|jacket|tent|防水指数|静水压|冲锋衣|帐篷",
    "comfort temperature": r"sleeping bags?|睡袋|温标",
    "brightness": r"lumens?|bright\w*|流明|亮",
    "sweetness": r"sweet\w*|甜",
    "lens power": r"prescription|short-?sighted|myopi\w*|goggles|近视|泳镜",
    "shelf life": r"shelf life|保质期|keeps?",
    "age": r"age\w*|child\w*|kids?|old|孩|岁|儿童|小朋友",
    "suitable age": r"age\w*|bab(?:y|ies)|toddlers?|child\w*|old|宝宝|孩|月龄|岁",
    "level": r"books?|picture|书|绘本",
}
# Words that name an attribute where a number follows them at once: 防雨3000.
DIRECT: dict[str, str] = {
    "waterproof rating": "防雨|防水|静水压|hydrostatic head",
    "memory": r"\bram|运存",
    "battery life": r"\bbattery",
}
FEATURES: dict[str, str] = {
    "induction": r"induction(?:[ -](?:hobs?|cookers?|ready))?|电磁炉",
    "dishwasher safe": r"dishwashers?(?:[ -]safe|[ -]proof)?|洗碗机",
    "microwave safe": r"microwaves?(?:[ -]safe)?|微波炉",
    "delay timer": r"(?:delay )?timer|预约|定时",
    "temperature control": r"temperature control|控温|温控",
    "vegetarian": r"vegetarian|素食|吃素",
    "rinsable": r"rinsable|rinse[d]?|(?:全身)?水洗",
    "refillable": r"refillable|换芯",
    "magnetic": r"magnetic|磁吸",
    "reversible seat": r"reversible|two-way|双向",
}
MORE_IS_BETTER = frozenset((
    "battery life", "room size", "coverage", "suction", "clean air rate", "water resistance",
    "SPF", "sun protection", "waterproof rating", "Wi-Fi", "range", "load limit", "brightness",
    "light runtime", "ports", "read speed",
))  # fmt: skip
_LATIN = r"(?<!\\)[a-z]{2}"


@cache
def pages() -> list[Page]:
    """The store's products as limits read them, in the order of the catalogue."""
    return [Page(row) for row in store().products.to_dict("records")]


@cache
def attribute_names(language: str) -> dict[str, str]:
    """Attribute in English → its name in a language."""
    pairs = (
        zip(page.row["attributes_en"], page.row[f"attributes_{language}"], strict=True)
        for page in pages()
    )
    return {english: name for page in pairs for english, name in page}


@cache
def attributes_with(unit: str) -> tuple[str, ...]:
    """Attributes, in English, that the catalogue measures in a unit."""
    names = dict.fromkeys(
        name
        for page in pages()
        for name, found in page.measures.items()
        if any(interval.unit == unit for interval in found)
    )
    return tuple(names)


@cache
def unit_of(attribute: str) -> str:
    """The unit in which the catalogue measures an attribute; "" for one in words."""
    for page in pages():
        if attribute in page.measures:
            return page.measures[attribute][0].unit
    return ""


@cache
def own_name(attribute: str) -> "regex.Pattern[str]":
    """A pattern of the attribute's names on the pages, in both languages, and of few others."""
    chinese = regex.escape(attribute_names("zh")[attribute].lower())
    more = f"|{DIRECT[attribute]}" if attribute in DIRECT else ""
    return regex.compile(rf"\b{regex.escape(attribute.lower())}\b|{chinese}{more}")


@cache
def named_in() -> dict[str, "regex.Pattern[str]"]:
    """Attribute in English → a pattern of the names and words that shoppers use for it."""
    chinese = attribute_names("zh")
    patterns = {}
    for english, name in chinese.items():
        words = [rf"\b{regex.escape(english.lower())}\b", regex.escape(name.lower())]
        more = SYNONYMS.get(english)
        if more:
            latin = [part for part in _alternatives(more) if regex.search(_LATIN, part)]
            han = [part for part in _alternatives(more) if not regex.search(_LATIN, part)]
            words += [rf"\b(?:{part})\b" for part in latin] + han
        patterns[english] = regex.compile("|".join(words))
    return patterns


@cache
def value_words() -> dict[str, frozenset[str]]:
    """Words that attribute values are made of → the attributes: "cotton", "bluetooth", "纯棉".

    Colours are left out, and so are numbers: both have limits of their own.
    """
    found: dict[str, set[str]] = defaultdict(set)
    for page in pages():
        for side in ("en", "zh"):
            values = page.row[f"attributes_{side}"].values()
            for english, value in zip(page.row["attributes_en"], values, strict=True):
                if english not in ("colour", "author"):
                    for word in _parts(value.lower()):
                        found[word].add(english)
    return {word: frozenset(names) for word, names in found.items()}


@cache
def value_patterns() -> "tuple[regex.Pattern[str], regex.Pattern[str]]":
    """The value words as two patterns, Latin letters and Chinese; the longest wins."""
    latin = [word for word in value_words() if regex.search("[a-z]", word)]
    han = [word for word in value_words() if not regex.search("[a-z]", word)]
    return (
        regex.compile(r"(?<![a-z])(?P<word>\L<words>)(?:s|es|ed|en)?(?![a-z])", words=latin),
        regex.compile(r"(?P<word>\L<words>)", words=han),
    )


def _parts(value: str) -> list[str]:
    pieces = regex.split(r"[,，、；;()（）+/]|\band\b|\bwith\b|和|与", value)
    words = [regex.sub(r"^[\d.%\s–-]+|[\d.%\s–-]+$", "", piece).strip() for piece in pieces]
    return [
        word
        for word in words
        if len(word) >= (2 if regex.search(r"\p{Han}", word) else 3)
        and word not in _NOT_TOLD
        and not regex.search(r"\d", word)
        and word not in COLOURS
    ]


# Words of values that say nothing by themselves.
_NOT_TOLD = frozenset((
    "yes", "none", "min", "month", "months", "year", "years", "day", "days", "hours", "each",
    "people", "regular", "single", "double", "medium", "small", "large", "general", "readers",
    "all", "over", "bar", "water", "board", "film", "fridge", "room", "temperature",
    "分钟", "小时", "个月", "以上", "不限", "普通", "单层", "大众", "全年", "冷藏", "常温",
    "个月至次年", "黑色", "白色",
))  # fmt: skip


def _alternatives(pattern: str) -> list[str]:
    """The alternatives of a pattern at its top level."""
    parts, depth, current = [], 0, ""
    for character in pattern:
        depth += (character == "(") - (character == ")")
        if character == "|" and depth == 0:
            parts.append(current)
            current = ""
        else:
            current += character
    return [*parts, current]
