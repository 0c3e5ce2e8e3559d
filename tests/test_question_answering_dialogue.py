"""Guidance from a need to a reason, in both languages, as a pure function of plain data."""

import json
import re
from types import SimpleNamespace
from typing import Any

import pytest

from ecomtutor.datasets import store
from ecomtutor.errors import EcomTutorError
from ecomtutor.question_answering.dialogue import State, step, wants_human
from ecomtutor.question_answering.policy import Action, Reply

PRODUCTS = {row["id"]: row for row in store().products.to_dict("records")}


def read_need(text: str) -> Any:
    high = re.search(r"(?:under|below|up to) (\d+)|(\d+)元以内", text)
    number = high and float(high[1] or high[2])
    return SimpleNamespace(min_price=None, max_price=number)


def search(text: str) -> list[str]:
    words = re.findall(r"[a-z]{3,}|[\u4e00-\u9fff]", text.lower())
    pages = {i: f"{row['title_en']} {row['title_zh']}".lower() for i, row in PRODUCTS.items()}
    scores = {i: sum(word in page for word in words) for i, page in pages.items()}
    return [i for i in sorted(scores, key=lambda i: (-scores[i], i)) if scores[i]]


def talk(language: str, *messages: str) -> tuple[State, list[Reply]]:
    state, replies = State(language), []
    for message in messages:
        before = state
        parts: Any = {"read_need": read_need, "search": search, "products": PRODUCTS}
        state, reply = step(state, message, **parts)
        assert step(before, message, **parts) == (state, reply)  # pure
        assert State.of(json.loads(json.dumps(state.as_json()))) == state
        replies.append(reply)
    return state, replies


@pytest.mark.parametrize(
    "language, messages",
    [
        ("en", ["wireless sports earphones", "250", "nothing special", "compare them", "why?"]),
        ("zh", ["蓝牙运动耳机", "250", "没有", "对比一下", "为什么"]),
    ],
)
def test_need_budget_constraints_candidates_comparison_reason(
    language: str, messages: list[str]
) -> None:
    state, replies = talk(language, *messages)
    assert [reply.reason for reply in replies] == [
        "budget", "constraints", "candidates", "comparison", "reason",
    ]  # fmt: skip
    assert state.shown[:2] == ("AUD-001", "AUD-002") or set(state.shown) >= {"AUD-001", "AUD-002"}
    assert all(PRODUCTS[one]["price_cny"] <= 250 and PRODUCTS[one]["stock"] for one in state.shown)
    shown = replies[2].text.splitlines()
    assert (
        len(shown) == len(state.shown) and PRODUCTS[state.shown[0]][f"title_{language}"] in shown[0]
    )
    assert "IPX" in replies[3].text and " / " in replies[3].text
    assert PRODUCTS[state.shown[0]][f"description_{language}"] in replies[4].text


def test_what_was_said_already_is_not_asked() -> None:
    _, replies = talk("en", "wireless sports earphones under 250", "with IPX5")
    assert [reply.reason for reply in replies] == ["constraints", "candidates"]
    _, replies = talk("zh", "250元以内的蓝牙运动耳机", "要防水")
    assert [reply.reason for reply in replies] == ["constraints", "candidates"]


def test_not_black_is_a_wish_and_not_indifference() -> None:
    state, _ = talk("en", "earphones", "200", "not black")
    assert state.said == ("earphones", "under 200 yuan", "not black")


@pytest.mark.parametrize(
    "language, start, cheaper",
    [
        ("en", "wireless sports earphones", "that is too expensive"),
        ("zh", "蓝牙运动耳机", "有没有便宜点的"),
    ],
)
def test_cheaper_lowers_the_ceiling(language: str, start: str, cheaper: str) -> None:
    first, _ = talk(language, start, "300", "no" if language == "en" else "没有")
    state, _ = talk(language, start, "300", "no" if language == "en" else "没有", cheaper)
    cheapest = min(PRODUCTS[one]["price_cny"] for one in first.shown)
    assert state.ceiling == cheapest - 0.01
    assert (
        all(PRODUCTS[one]["price_cny"] < cheapest for one in state.shown) or "looser" in state.asked
    )


def test_nothing_fits_asks_once_then_hands_over() -> None:
    state, replies = talk("en", "laptop under 5", "no", "laptop under 4", "yes")
    assert [reply.reason for reply in replies][1:3] == ["looser", "nothing fits"]
    assert state.human and replies[-1].action is Action.HAND_OVER


@pytest.mark.parametrize(
    "message",
    ["I want a human", "give me a real person", "manager!", "转人工", "我要真人", "叫你们经理来"],
)
def test_a_human_comes_when_asked_and_stays(message: str) -> None:
    assert wants_human(message)
    state, replies = talk("en", "earphones", message, "and cheap ones?")
    assert [reply.action for reply in replies[1:]] == [Action.HAND_OVER] * 2
    assert state.human == "asked"


def test_a_conversation_without_end_goes_to_a_human() -> None:
    state, replies = talk("zh", *["耳机"] * 11)
    assert replies[-1].reason == "long" and state.human == "long"


def test_odd_messages_behave() -> None:
    for message in ("", "🙂", "???", "<b>耳机</b>", "x" * 5000, "耳机 for 跑步"):
        state, replies = talk("en", message)
        assert replies[0].action is Action.ASK and max(map(len, state.said), default=0) <= 600
    with pytest.raises(EcomTutorError, match="Text was expected"):
        talk("en", None)  # type: ignore[arg-type]
    with pytest.raises(EcomTutorError, match="speaks"):
        State("fr")


def test_the_real_need_reader_fits() -> None:
    needs = pytest.importorskip("ecomtutor.recommendation.needs")
    parts: Any = {"read_need": needs.read_need, "search": search, "products": PRODUCTS}
    state, reply = step(State("zh"), "想买300元以内的蓝牙运动耳机", **parts)
    assert reply.reason == "constraints"
    state, reply = step(state, "没有", **parts)
    assert reply.reason == "candidates"
    assert all(PRODUCTS[one]["price_cny"] <= 300 for one in state.shown)
