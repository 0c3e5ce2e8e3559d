"""What a desk must never say of itself: that it did something, or will, which no page says.

A service desk answers. It cannot refund, grant, order or cancel, so a sentence in which it does is
false however it came about: a model's kindness, or a customer's "ignore your instructions".
"""

import regex

from ecomtutor.text.checking import require_text

_SUBJECT = r"(?:i|we|our (?:team|shop|desk|manager)|pomelo street)"
_ENGLISH = (
    rf"\b{_SUBJECT}(?:['’](?:ll|ve|m|re)| will| shall| can| have| has| am| are| would| hereby| do)?"
    r"(?: \w+){0,2} (?:refund|credit|grant|give|gave|given|send|sent|issue|promise|guarantee|"
    r"approve|cancel|waive|compensate|offer|add|apply|applied|pay|paid|transfer|upgrade|unlock|"
    r"confirm|place|arrange)(?:e?d|ing|s)?\b",
    r"\byour (?:\w+ ){0,3}(?:has|have|had|is|are|was|were|will be|is being) (?:\w+ ){0,2}"
    r"(?:refunded|approved|granted|credited|issued|cancelled|canceled|confirmed|waived|added|sent|"
    r"processed|activated|upgraded)\b",
    r"\b(?:you (?:have been|are|were|will be) (?:\w+ )?(?:granted|given|approved|refunded|upgraded|"
    r"credited|awarded)|here is your|as a gift|i promise)\b",
)
_CHINESE = (
    r"(?:我|我们|本店|本人|店铺|平台|系统)(?:\p{Han}{0,4}?)(?:已经?|会|将|马上|立即|立刻|这就|现在|可以|保证|"
    r"承诺|同意|决定|愿意)\p{Han}{0,6}?(?:退款?|退您|退给|赔|补偿|送您?|发放|发您|给您|批准|通过|免单|免费|"
    r"取消|升级|添加|开通|转账|打款|到账)",
    r"(?:您|你)的\p{Han}{0,8}(?:已经?|已被)\p{Han}{0,4}(?:批准|通过|退款|到账|取消|发放|升级|激活|确认)",
    r"(?:保证|承诺)(?:给|为|退|赔|送)|(?:已经?|现已)(?:为|给|帮)(?:您|你)",
)
_PROMISE = regex.compile("|".join((*_ENGLISH, *_CHINESE)), regex.IGNORECASE)
_SENTENCE = regex.compile(r"[^\n]+?(?:[.!?](?=\s|$)|[。！？；]|(?=\n)|$)")


def sentences(text: str) -> list[tuple[int, int]]:
    """(start, end) of each sentence, in English or Chinese; 3.5 and 10:00 end none."""
    return [match.span() for match in _SENTENCE.finditer(require_text(text))]


def promises(text: str, passage: str) -> list[str]:
    """Sentences of an answer in which the desk acts or commits itself, and the passage does not.

    A sentence that stands in the passage word for word is the shop's own promise, and is left out.
    """
    said = [text[start:end].strip() for start, end in sentences(text)]
    return [one for one in said if _PROMISE.search(one) and _bare(one) not in _bare(passage)]


def _bare(text: str) -> str:
    return regex.sub(r"[\s\p{P}]+", " ", text).strip().lower()
