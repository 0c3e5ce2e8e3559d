"""Stop words in both languages: frequent words that say little of what a text is about.

Each group has its reason. What turns a meaning round or measures it is not here: not, never,
without, 不, 没, 别 decide between praise and complaint, and so do very, too, only, 很, 太, 才.
"""

from collections.abc import Iterable

from ecomtutor.text.segmentation import words

_ENGLISH = {
    "point at what other words name": "a an the this that these those",
    "stand for people and things": (
        "i me my mine myself you your yours he him his she her hers it its itself we us our ours "
        "they them their theirs who which what"
    ),
    "only carry tense": (
        "am is are was were be been being have has had having do does did doing will would shall"
    ),
    "join": "and or if then than so as because while when where",
    "place in time and space": (
        "of at by for with about into to from in on up over under again there here"
    ),
    "are left over from contractions": "i'm i've i'd i'll it's that's you're we're they're",
}
_CHINESE = {
    "mark grammar": "的 地 得 了 着 过 所 之 们",
    "stand for people and things": (
        "我 你 您 他 她 它 我们 你们 他们 她们 它们 自己 大家 这 那 这个 那个 这些 那些 这里 那里 "
        "这样 那样 什么"
    ),
    "join": "和 与 及 跟 并 而 而且 或 或者 因为 所以 如果 就 也 都 又 还 则",
    "place in time and space": "在 从 到 向 于 对 对于 关于 把 被 给 由 以 为 上 下 里 中",
    "only say that something is": "是 有 会 要",
    "colour the tone": "吧 呢 啊 呀 哦 嘛 吗 啦 哈",
    "count nothing in particular": "一 一个 个 一些 些 一下 一种 种 本 款 件",
}

_NO_ENGLISH = (
    "no not nor never none nothing without hardly cannot isn't wasn't aren't don't doesn't didn't "
    "can't couldn't won't wouldn't"
)
_NO_CHINESE = "不 没 没有 别 无 非 未 不是 不会 不能 不要 不好 不行 不够 从不 毫无"

STOP_WORDS: dict[str, frozenset[str]] = {
    "en": frozenset(" ".join(_ENGLISH.values()).split()),
    "zh": frozenset(" ".join(_CHINESE.values()).split()),
}
NEGATIONS: dict[str, frozenset[str]] = {
    "en": frozenset(_NO_ENGLISH.split()),
    "zh": frozenset(_NO_CHINESE.split()),
}


def content_words(text: str, drop: Iterable[str] = ()) -> list[str]:
    """The words of a text in lower case, without signs and without stop words of either language.

    Args:
        text: in any language.
        drop: more words to leave out, in lower case.

    Raises:
        EcomTutorError: something other than text came.
    """
    unwanted = STOP_WORDS["en"] | STOP_WORDS["zh"] | set(drop)
    spelt = [word.text.lower().replace("’", "'") for word in words(text) if not word.is_sign]
    return [word for word in spelt if word not in unwanted]
