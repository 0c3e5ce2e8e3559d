"""Names in running text: brands, people, places, companies, product codes, addresses on the web.

No list knows every name. In English a capital letter tells, in Chinese a foreign spelling, a form
of address, an ending such as 公司, a title in 《》, or jieba's dictionary of places, companies and
people. When in doubt, it is a name: then the passage must have it.
"""

import unicodedata
from collections.abc import Collection
from functools import cache
from typing import Any

import regex

from ecomtutor.text.checking import require_text

ADDRESS = regex.compile(
    r"(?:https?|ftp|javascript|data|file):[^\s<>)\]，。；、]+|www\.[^\s<>)\]，。；、]+"
    r"|[\w.+-]+@[\w-]+(?:\.[\w-]+)+"
    r"|(?<![\w.])(?:[A-Za-z][\w-]*\.)+(?:com|cn|net|org|io|shop|top|xyz|example|test|info|cc|me|ru)"
    r"(?:/[^\s<>)\]，。；、]*)?(?![A-Za-z])",
    regex.IGNORECASE,
)
_CODE = regex.compile(
    r"(?<![A-Za-z\d])(?=[A-Za-z-]*\d)(?=[\d-]*[A-Za-z])[A-Za-z\d]+(?:-[A-Za-z\d]+)*"
)
_LATIN = regex.compile(r"[\p{Latin}][\p{Latin}\p{M}'’&.]*(?:-[\p{Latin}]+)*")
_HAN = regex.compile(r"\p{Han}")
_I = ("i", "i'm", "i'll", "i've", "i'd")
_STARTS_WITH = (
    "a about above after all allow also although an and another any anyone are as ask at "
    "based because before below both but buy by call can cancel cannot check choose claim "
    "click contact coupons customers delivery do does don't each either every everyone few "
    "first for free from get go has have he hello her here hi his how however i i'd i'll i'm "
    "i've if in is it it's items its just let many may members money more most my neither no "
    "none not note nothing of on once one only open or orders our parcels pay people please "
    "points press products refunds returns see select she should since so some sorry standard "
    "tap thank thanks that that's the their them then there there's these they this those to "
    "under unless until up use we we'll we're what when where which while who why with within "
    "without yes you you'll you're your "
)
_STARTS = frozenset(_STARTS_WITH.split())
_SENTENCE = regex.compile(r"(?:^|[.!?:;\n•*“\"'(\[]\s*|\s[-–—]\s*)$")
# What shoppers and shops name most, and jieba's dictionary lacks or takes for other things.
_KNOWN_HAN = (
    "顺丰|京东|淘宝|天猫|拼多多|美团|饿了么|抖音|快手|小红书|支付宝|微信|花呗|白条|苏宁|唯品会|"
    "中通|圆通|申通|韵达|极兔|菜鸟|华为|小米|苹果手机|三星|联想|索尼|耐克|阿迪达斯|百度|腾讯|"
    "阿里巴巴"
)
_SURNAMES = (
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘于蒋蔡"
    "余杜叶程苏魏吕丁任沈姚卢姜崔钟谭陆汪范金石廖贾夏韦付方白邹孟熊秦邱江尹薛闫段雷侯"
    "龙史陶黎贺顾毛郝龚邵万钱严覃武戴莫孔向汤"
)
_HAN_NAMES = regex.compile(
    rf"[{_SURNAMES}](?=先生|女士|小姐|经理|老师|师傅)"
    r"|《[^》]{1,40}》"
    rf"|{_KNOWN_HAN}"
)
_HAN_ENDING = r"公司|集团|银行|大学|医院|速运"
_NAME_TAGS = ("ns", "nt", "nrt", "nrfg")
# Entries of jieba's dictionary that carry such a tag and are everyday words of a shop.
_EVERYDAY_WORDS = (
    "蓝牙 上门 东西 深度 城市 包邮 之日起 日志 偏远地区 海关 加油站 台风 六楼 家里人 县城 乡镇 "
    "大陆 全国 中国大陆 国内 国外 门店 店铺 平台 商城 仓库 本地 当地 外地 市区 小区 学校 银行 "
    "公司"
)
_EVERYDAY = frozenset(_EVERYDAY_WORDS.split())


def names(text: str, known: Collection[str] = ()) -> list[str]:
    """The names of a text, each once, in the order in which they are found.

    Args:
        text: in English, Chinese or both.
        known: names that count however they are written, for example the catalogue's brands.

    Raises:
        EcomTutorError: something other than text came.
    """
    text = unicodedata.normalize("NFKC", require_text(text))
    found = [match[0] for match in ADDRESS.finditer(text)]
    text = ADDRESS.sub(" ", text)
    found += [name for name in known if _word(name).search(text)]
    found += [match[0] for match in _CODE.finditer(text) if not _is_measure(match[0])]
    text = _CODE.sub(" ", text)
    if _HAN.search(text):
        found += [w for w in _latin(text) if len(w) > 1]
        found += _han_names(text)
    else:
        found += _english_names(text)
    return list(dict.fromkeys(found))


def has_name(passage: str, name: str) -> bool:
    """Whether a passage has a name, as a word of its own, with a capital where the name has one.

    In Chinese text, and for codes and addresses, case does not count.
    """
    passage = unicodedata.normalize("NFKC", passage)
    if _HAN.search(name):
        return name.strip("《》") in passage
    loose = bool(_HAN.search(passage)) or any(c.isdigit() or c in "/@" for c in name)
    match = _word(name).search(passage) if loose or name.islower() else _exact(name).search(passage)
    return bool(match)


def _english_names(text: str) -> list[str]:
    """Words with a capital, unless a sentence begins there with a word that begins many."""
    found = []
    for match in _LATIN.finditer(text):
        word = regex.sub(r"['’]s?$", "", match[0].strip(".'’&"))
        if not any(c.isupper() for c in word) or word.lower() in (
            "i",
            "i'm",
            "i'll",
            "i've",
            "i'd",
        ):
            continue
        starts = bool(_SENTENCE.search(text[: match.start()]))
        if starts and word.lower() in _STARTS and word[1:].islower() | (len(word) == 1):
            continue
        found.append(word)
    return found


def _latin(text: str) -> list[str]:
    return [match[0].strip(".'’&") for match in _LATIN.finditer(text)]


def _han_names(text: str) -> list[str]:
    found = [match[0] for match in _HAN_NAMES.finditer(text)]
    for word, tag in _tagged(text):
        named = tag in _NAME_TAGS or bool(regex.search(rf"\p{{Han}}{{2}}(?:{_HAN_ENDING})$", word))
        if named and len(word) > 1 and word not in _EVERYDAY:
            found.append(word)
    return found


def _tagged(text: str) -> list[tuple[str, str]]:
    """jieba's words with their tags; no guessing of unknown words, which invents names."""
    return [(pair.word, pair.flag) for pair in _tagger().cut(text, HMM=False)]


@cache
def _tagger() -> Any:
    from jieba import posseg

    from ecomtutor.text.segmentation import _jieba

    return posseg.POSTokenizer(_jieba())


def _is_measure(code: str) -> bool:
    from ecomtutor.question_answering.quantities import UNITS

    units = "|".join(UNITS.values())
    return bool(regex.fullmatch(rf"\d+(?:{units}|st|nd|rd|th|am|pm)|\d+s", code))


@cache
def _word(name: str) -> "regex.Pattern[str]":
    return regex.compile(_edges(name), regex.IGNORECASE)


@cache
def _exact(name: str) -> "regex.Pattern[str]":
    return regex.compile(_edges(name))


def _edges(name: str) -> str:
    return rf"(?<![A-Za-z\d]){regex.escape(name)}(?:['’]?s)?(?![A-Za-z\d])"
