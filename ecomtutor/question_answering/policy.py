"""What the desk may do: four actions, whatever anybody writes.

The desk answers from a passage of the shop's own, shows products of the catalogue, asks one of its
own questions, or hands over to a human. There is no fifth: it holds no function that refunds,
grants, orders or tells a secret, so no text can call one. `permitted` checks each reply before it
leaves, by what it says and not by what was asked; nobody has to recognise an attack.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import regex

from ecomtutor.errors import EcomTutorError
from ecomtutor.question_answering.grounded import unsupported
from ecomtutor.question_answering.names import ADDRESS
from ecomtutor.question_answering.promises import promises

LANGUAGES = ("en", "zh")
_NUMBER = {"en": "¥{:g}", "zh": "{:g}元"}


class Action(StrEnum):
    """Everything that the desk can do."""

    ANSWER = "answer from a passage"
    SHOW = "show candidates"
    ASK = "ask back"
    HAND_OVER = "hand over to a human"


ASKS = {
    "help": (
        "Hello! I can look up our policies and products, or help you choose. What is it about?",
        "您好！我可以查店里的规则和商品，也可以帮您挑选。请问想了解什么？",
    ),
    "need": ("What are you looking for, and for whom?", "您想买什么，给谁用？"),
    "budget": ("About how much would you like to spend?", "预算大概多少？"),
    "constraints": (
        "Is there anything it must have, or must not have?",
        "有什么必须有，或者一定不要的吗？",
    ),
    "looser": (
        "Nothing in the catalogue fits all of that. Which wish could be dropped?",
        "没有完全符合的商品。哪一条可以放宽？",
    ),
}
HANDS = {
    "asked": ("I am handing you over to a colleague.", "马上为您转人工客服。"),
    "complaint": (
        "I am sorry. A colleague will look at this; please keep photos and the order number ready.",
        "很抱歉。这件事由人工客服处理，请准备好照片和订单号。",
    ),
    "order": (
        "I cannot see orders. A colleague can; please have the order number ready.",
        "我看不到订单，由人工客服为您查询，请准备好订单号。",
    ),
    "unsure": (
        "Our pages do not tell me, so I would rather not guess. A colleague will answer.",
        "店里的页面没有写明，我不乱猜，由人工客服回答您。",
    ),
    "nothing fits": (
        "I found nothing that fits. A colleague knows the stock better.",
        "没有找到合适的，人工客服更了解库存。",
    ),
    "long": ("Let a colleague go on from here.", "接下来由人工客服为您服务。"),
    "not permitted": ("A colleague will answer this.", "这个问题由人工客服回答。"),
}


@dataclass(frozen=True)
class Reply:
    """What the desk does and says.

    sources: ids of the cited passage or of the shown products. reason: for a question or a
    hand-over, its key in `ASKS` or `HANDS`; for products "candidates", "comparison" or "reason".
    """

    action: Action
    text: str
    sources: tuple[str, ...] = ()
    reason: str = ""


def ask(what: str, language: str) -> Reply:
    """One of the desk's own questions."""
    return Reply(Action.ASK, ASKS[what][LANGUAGES.index(language)], (), what)


def hand_over(why: str, language: str) -> Reply:
    """To a human, with the reason."""
    return Reply(Action.HAND_OVER, HANDS[why][LANGUAGES.index(language)], (), why)


def show(
    ids: Sequence[str], products: Mapping[str, Mapping[str, Any]], language: str,
    how: str = "candidates",
) -> Reply:  # fmt: skip
    """Products in the catalogue's own words: a line each, a comparison, or the reason for one.

    Args:
        ids: products, best first.
        products: id → row of `store().products`.
        language: "en" or "zh".
        how: "candidates", "comparison" (attributes that all have) or "reason" (the first one).

    Raises:
        EcomTutorError: an id that the catalogue does not have.
    """
    unknown = [one for one in ids if one not in products]
    if unknown or not ids:
        raise EcomTutorError(f"The catalogue has no product {unknown[:3]}; ids come from a search.")
    rows = [products[one] for one in (ids[:1] if how == "reason" else ids)]
    lines = [f"{row[f'title_{language}']} · {_price(row, language)}" for row in rows]
    if how == "comparison":
        shared = [a for a in rows[0][f"attributes_{language}"]
                  if all(a in row[f"attributes_{language}"] for row in rows)]  # fmt: skip
        for attribute in shared:
            values = " / ".join(row[f"attributes_{language}"][attribute] for row in rows)
            lines.append(f"{attribute}: {values}")
    if how == "reason":
        lines.append(str(rows[0][f"description_{language}"]))
        lines += [f"{name}: {value}" for name, value in rows[0][f"attributes_{language}"].items()]
    return Reply(Action.SHOW, "\n".join(lines), tuple(ids), how)


def permitted(
    reply: Reply,
    pages: Mapping[str, tuple[str, str]],
    products: Mapping[str, Mapping[str, Any]],
    language: str,
) -> Reply:
    """The reply itself if the desk may say it; else a hand-over. The last gate, for every reply.

    Args:
        reply: from any part of the desk, a language model's included.
        pages: id → (title, text) of the shop's own pages; customers' reviews are none.
        products: id → row of the catalogue.
        language: "en" or "zh".
    """
    allowed = {
        Action.ASK: lambda: reply == ask(reply.reason, language),
        Action.HAND_OVER: lambda: reply == hand_over(reply.reason, language),
        Action.SHOW: lambda: reply == show(reply.sources, products, language, reply.reason),
        Action.ANSWER: lambda: _stands(reply, pages, brands(products)),
    }
    try:
        fine = allowed[reply.action]()
    except (KeyError, EcomTutorError):
        fine = False
    return reply if fine else hand_over("not permitted", language)


def brands(products: Mapping[str, Mapping[str, Any]]) -> frozenset[str]:
    """The catalogue's brand names: names wherever they stand, also in small letters."""
    return frozenset(row["brand"] for row in products.values() if row.get("brand"))


def _stands(reply: Reply, pages: Mapping[str, tuple[str, str]], known: Collection[str]) -> bool:
    """An answer is the words of one page, or says no number, name, address or promise beyond it."""
    if len(reply.sources) != 1 or not reply.text.strip():
        return False
    title, text = pages[reply.sources[0]]
    page = f"{title}\n{text}"
    foreign = [m[0] for m in ADDRESS.finditer(reply.text) if "pomelo-street.example" not in m[0]]
    if foreign or any(mark in reply.text for mark in ("<", "](", "```", '{"')):
        return False
    return _quotes(reply.text, text) or not (
        unsupported(reply.text, page, known) or promises(reply.text, page)
    )


def _quotes(said: str, text: str) -> bool:
    """Whether a page says this word for word, no number cut: the 1 of 15 is no quotation."""
    before = r"(?<![\d.,])" if said[0].isdigit() else ""
    after = r"(?![\d]|[.,]\d)" if said[-1].isdigit() else ""
    return bool(regex.search(before + regex.escape(said) + after, text))


def _price(row: Mapping[str, Any], language: str) -> str:
    return _NUMBER[language].format(row["price_cny"])
