"""Guide a customer to a product: need, budget, constraints, candidates, comparison, reason.

One pure function: `step(state, message, …) → (state, reply)`. The state is plain data, so a
conversation can be kept, replayed and tested. The customer's words go into the search and nowhere
else: whatever is said comes from the catalogue or is one of the desk's own sentences.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Protocol

import regex

from ecomtutor.errors import EcomTutorError
from ecomtutor.question_answering.policy import LANGUAGES, Reply, ask, hand_over, show
from ecomtutor.text.checking import require_text

SHOWN, MOST_TURNS, MOST_SAID = 3, 10, 600

_HUMAN = regex.compile(
    r"\b(?:human|real person|colleague|somebody real|manager|supervisor|agent|representative)\b"
    r"|人工|真人|客服(?:人员|电话)|经理|转接",
    regex.IGNORECASE,
)
_COMPARE = regex.compile(
    r"\bcompar|\bdiffer|\bversus\b|\bvs\b|对比|比较一?下|比一比|区别|差别", regex.IGNORECASE
)
_WHY = regex.compile(
    r"\bwhy\b|\breason|\bwhich (?:one )?(?:would|do|should)|为什么|理由|选哪|哪个好",
    regex.IGNORECASE,
)
_CHEAPER = regex.compile(
    r"\bcheaper\b|\btoo (?:expensive|dear)\b|\bless money\b|便宜|太贵|贵了", regex.IGNORECASE
)
_NO_MATTER = regex.compile(
    r"(?:no|nope|none|nothing|any(?:thing)?|whatever|not really|(?:it )?doesn['’]t matter"
    r"|no (?:limit|idea|budget|preference)|i don['’]t (?:know|mind|care))"
    r"(?:,? (?:thanks?|thank you|else|really|special))*"
    r"|(?:没有|没了|没啥|没什么|不限|随便|都行|都可以|无所谓|不知道)"
    r"(?:特别|要求|了|的|吧|啊|呢)*",
    regex.IGNORECASE,
)


class Need(Protocol):
    """What a need reader returns, for example `recommendation.needs.read_need`."""

    @property
    def min_price(self) -> float | None: ...

    @property
    def max_price(self) -> float | None: ...


ReadNeed = Callable[[str], Need]
Search = Callable[[str], Sequence[str]]  # a need in words → product ids, best first
Catalogue = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True)
class State:
    """A conversation so far; `asdict` and `State.of` turn it to JSON and back.

    said: the customer's wishes. asked: questions that were put. shown: products, best first.
    ceiling: a price that "cheaper" set. human: why a human took over, "" while nobody did.
    """

    language: str
    said: tuple[str, ...] = ()
    asked: tuple[str, ...] = ()
    shown: tuple[str, ...] = ()
    ceiling: float | None = None
    turns: int = 0
    human: str = ""

    def __post_init__(self) -> None:
        if self.language not in LANGUAGES:
            raise EcomTutorError(f'The shop speaks "en" and "zh"; {self.language!r} came.')

    @classmethod
    def of(cls, kept: Mapping[str, Any]) -> "State":
        """The state that `asdict` wrote, read back from JSON."""
        lists = {name: tuple(kept[name]) for name in ("said", "asked", "shown")}
        return cls(**{**kept, **lists})

    def as_json(self) -> dict[str, Any]:
        """Plain data."""
        return asdict(self)


def wants_human(message: str) -> bool:
    """Whether a message asks for a person."""
    return bool(_HUMAN.search(message))


def step(
    state: State, message: str, *, read_need: ReadNeed, search: Search, products: Catalogue
) -> tuple[State, Reply]:
    """One turn of the guidance.

    Args:
        state: `State("en")` at the beginning.
        message: the customer's.
        read_need: all wishes in words → a need with its prices.
        search: all wishes in words → product ids, best first.
        products: id → row of `store().products`.

    Returns:
        The new state, and one of the desk's four actions. The same arguments give the same.

    Raises:
        EcomTutorError: something other than text came.
    """
    message = require_text(message).strip()[:MOST_SAID]
    state = replace(state, turns=state.turns + 1)
    if state.human or wants_human(message):
        return _to_human(state, state.human or "asked")
    if state.turns > MOST_TURNS:
        return _to_human(state, "long")
    if state.shown and (told := _about_shown(state, message, products)):
        return state, told
    if not any(character.isalnum() for character in message):
        return state, ask("need", state.language)
    state = _heard(state, message, products)
    need = read_need(_wish(state))
    if question := _open_question(state, need):
        return replace(state, asked=(*state.asked, question)), ask(question, state.language)
    return _candidates(state, need, search, products)


def _about_shown(state: State, message: str, products: Catalogue) -> Reply | None:
    """A comparison or a reason, where the message asks for one."""
    if _COMPARE.search(message) and len(state.shown) > 1:
        return show(state.shown, products, state.language, "comparison")
    if _WHY.search(message):
        return show(state.shown, products, state.language, "reason")
    return None


def _heard(state: State, message: str, products: Catalogue) -> State:
    """The state with the message's wish; "no matter" and "cheaper" are no words to search for."""
    if state.shown and _CHEAPER.search(message):
        cheapest = min(float(products[one]["price_cny"]) for one in state.shown)
        return replace(state, ceiling=cheapest - 0.01)
    if state.asked and _NO_MATTER.fullmatch(message.rstrip(".!。！~ ")):
        return state
    return replace(state, said=(*state.said, _money(message, state)))


def _money(message: str, state: State) -> str:
    """A bare number after the question about the budget is a price in yuan."""
    if (
        state.asked
        and state.asked[-1] == "budget"
        and regex.fullmatch(r"\D{0,12}\d+\D{0,3}", message)
    ):
        number = regex.search(r"\d+", message)
        if number:
            return f"{number[0]}元以内" if state.language == "zh" else f"under {number[0]} yuan"
    return message


def _open_question(state: State, need: Need) -> str:
    """The next thing to ask, each once: budget, then constraints; "" when it is time to show."""
    if "budget" not in state.asked and need.min_price is None and need.max_price is None:
        return "budget"
    if "constraints" not in state.asked and len(state.said) < 3 and not state.shown:
        return "constraints"
    return ""


def _candidates(
    state: State, need: Need, search: Search, products: Catalogue
) -> tuple[State, Reply]:
    """The best three within the budget and in stock; or a wish to drop; or a human."""
    limits = [price for price in (need.max_price, state.ceiling) if price is not None]
    high, low = min(limits, default=float("inf")), need.min_price or 0.0
    fitting = [
        one
        for one in dict.fromkeys(search(_wish(state)))
        if one in products
        and low <= float(products[one]["price_cny"]) <= high
        and products[one]["stock"] > 0
    ][:SHOWN]
    if fitting:
        state = replace(state, shown=tuple(fitting))
        return state, show(fitting, products, state.language)
    if "looser" in state.asked:
        return _to_human(state, "nothing fits")
    state = replace(state, asked=(*state.asked, "looser"), said=state.said[:1], ceiling=None)
    return state, ask("looser", state.language)


def _to_human(state: State, why: str) -> tuple[State, Reply]:
    return replace(state, human=why), hand_over(why, state.language)


def _wish(state: State) -> str:
    return ("，" if state.language == "zh" else ", ").join(state.said)
