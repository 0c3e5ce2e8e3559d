"""Every number and every name of an answer stands in the passage, or the span is said instead."""

import random
import re
from fractions import Fraction

import pytest

from ecomtutor.datasets import passages, questions
from ecomtutor.errors import EcomTutorError
from ecomtutor.question_answering.grounded import claims, grounded_or_span, unsupported
from ecomtutor.question_answering.names import names
from ecomtutor.question_answering.quantities import english_number, han_number, quantities

LANGUAGES = pytest.mark.parametrize("language", ["en", "zh"])
EN = (
    "Sending headphones back\nReturn the Hushwave Jog 4 within 7 days of signing. The refund of "
    "¥1,299.50 takes 3–5 working days by Alipay. Gold members pay 15% less until 24 October 2025. "
    "Call 400-000-1234 between 9:00 and 21:00; two coupons, IPX5, 5 g, 16 GB, "
    "pomelo-street.example."
)
ZH = (
    "七天无理由退货\nHushwave Jog 4 耳机签收后7天内可退，满199减20，退款1299.5元，"
    "支付宝3至5个工作日到账。"
    "金柚会员打八五折，2025年10月24日截止，上午9点到晚上9点致电400-000-1234，杭州仓发货，"
    "每单限用两张券，半年内保修，逾期收百分之十五，双倍积分。"
)


@pytest.mark.parametrize(
    "text, kind, value",
    [
        ("¥20", "yuan", 20),
        ("20 yuan", "yuan", 20),
        ("RMB 20", "yuan", 20),
        ("二十元", "yuan", 20),
        ("２０元", "yuan", 20),
        ("20块钱", "yuan", 20),
        ("三万元", "yuan", 30000),
        ("3万元", "yuan", 30000),
        ("$20", "dollar", 20),
        ("20美元", "dollar", 20),
        ("1,299.50 yuan", "yuan", Fraction(2599, 2)),
        ("ten per cent", "%", 10),
        ("10%", "%", 10),
        ("百分之十", "%", 10),
        ("三成", "%", 30),
        ("九折", "折", 9),
        ("八五折", "折", Fraction(17, 2)),
        ("85折", "折", Fraction(17, 2)),
        ("7 days", "day", 7),
        ("seven days", "day", 7),
        ("seven full days", "day", 7),
        ("七天", "day", 7),
        ("within a week", "week", 1),
        ("两周", "week", 2),
        ("三个月", "month", 3),
        ("twenty-five days", "day", 25),
        ("三个工作日", "working day", 3),
        ("半年", "year", Fraction(1, 2)),
        ("3 business days", "working day", 3),
        ("一个半小时", "hour", Fraction(3, 2)),
        ("两天半", "day", Fraction(5, 2)),
        ("双倍", "times", 2),
        ("five hundred points", "points", 500),
        ("500积分", "points", 500),
        ("16GB", "gb", 16),
        ("2.5 kg", "kg", Fraction(5, 2)),
        ("5斤", "jin", 5),
        ("26cm", "cm", 26),
        ("only one coupon", "", 1),
        ("限一张", "count", 1),
        ("a hundred and five", "", 105),
        ("half the price", "", Fraction(1, 2)),
        ("10:00", "time", 600),
        ("10 am", "time", 600),
        ("9 p.m.", "time", 1260),
        ("上午10点", "time", 600),
        ("晚上9点", "time", 1260),
        ("下午3点半", "time", 930),
        ("noon", "time", 720),
        ("24 October 2025", "date", (2025, 10, 24)),
        ("October 24", "date", (None, 10, 24)),
        ("2025-10-24", "date", (2025, 10, 24)),
        ("2025年10月24日", "date", (2025, 10, 24)),
        ("五月三日", "date", (None, 5, 3)),
        ("until May", "date", (None, 5, None)),
        ("12月", "date", (None, 12, None)),
    ],
)
def test_a_number_is_read_with_what_it_counts(text: str, kind: str, value: object) -> None:
    assert [(q.kind, q.value) for q in quantities(text)] == [(kind, value)]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "?!🙂",
        "One of them is yours.",
        "May I return it?",
        "我们一起看一下",
        "十分满意",
        "万一坏了",
        "一般都可以",
        "5G 4K",
        "一个订单",
        "He marched on.",
    ],
)
def test_what_only_looks_like_a_number_is_none(text: str) -> None:
    assert quantities(text) == []


def test_every_number_of_a_range_or_list_has_its_unit() -> None:
    for text in ("3, 5 or 7 days", "3–5 or 7 days", "3、5或7天", "3 to 5 and 7 days"):
        assert [q.kind for q in quantities(text)] == ["day"] * 3, text


def test_numerals_in_words_are_read() -> None:
    numbers = {"two hundred and fifty": 250, "a dozen": 12, "three thousand and one": 3001}
    assert {text: english_number(text) for text in numbers} == numbers
    numerals = {
        "二百五十": 250,
        "一百零五": 105,
        "两": 2,
        "十二": 12,
        "一万二千": 12000,
        "三亿": 3 * 10**8,
    }
    assert {text: han_number(text) for text in numerals} == numerals


@pytest.mark.parametrize(
    "answer",
    [
        "Within seven days.",
        "You have 7 days.",
        "The refund is 1299.5 yuan.",
        "3 to 5 working days",
        "Five working days at most.",
        "Yes, the Hushwave Jog 4.",
        "Until 24 Oct 2025",
        "On October 24.",
        "15 percent less.",
        "Call 400-000-1234 before 9 pm.",
        "Two coupons.",
        "It has IPX5 and 16GB.",
        "See pomelo-street.example.",
        "Alipay takes 3–5 business days.",
        "",
        "No.",
    ],
)
def test_english_answers_that_the_passage_supports(answer: str) -> None:
    assert unsupported(answer, EN) == []


@pytest.mark.parametrize(
    "answer, missing",
    [
        ("Within 8 days.", "8 days"),
        ("Within ¥7.", "¥7"),
        ("Within two weeks.", "two weeks"),
        ("The refund is ¥1,299.", "¥1,299"),
        ("$1,299.50", "$1,299.50"),
        ("You pay 16% less.", "16%"),
        ("Until 24 October 2026.", "24 October 2026"),
        ("Until November.", "November"),
        ("Refunded in 3 days.", "3 days"),
        ("Call before 10 pm.", "10 pm"),
        ("Three coupons.", "Three"),
        ("It has IPX7.", "IPX7"),
        ("32 GB", "32 GB"),
        ("The Jog 5.", "5"),
        ("Hushwave and Sony.", "Sony"),
        ("Amazon pays.", "Amazon"),
        ("Ask John.", "John"),
        ("Yes, by PayPal.", "PayPal"),
        ("Call 400-000-9999.", "400-000-9999"),
        ("See http://evil.example/x", "http://evil.example/x"),
        ("Write to a@evil.com", "a@evil.com"),
        ("Use code FREE100.", "FREE100"),
        ("You get double.", "double"),
        ("You have a month, in a week.", "a week"),
        ("Half the price.", "Half"),
    ],
)
def test_english_answers_that_it_does_not(answer: str, missing: str) -> None:
    assert any(missing in claim.text or claim.text in missing for claim in unsupported(answer, EN))


@pytest.mark.parametrize(
    "answer",
    [
        "七天内可以退。",
        "7天",
        "退款1,299.5元。",
        "三到五个工作日",
        "打八五折",
        "85折",
        "Hushwave Jog 4可以退",
        "到10月24日为止",
        "上午九点",
        "21:00之前致电",
        "支付宝",
        "限两张",
        "满199元减20元",
        "半年",
        "15%",
        "两倍积分",
        "从杭州发货",
        "可以",
        "",
        "hushwave 的耳机",
    ],
)
def test_chinese_answers_that_the_passage_supports(answer: str) -> None:
    assert unsupported(answer, ZH) == []


@pytest.mark.parametrize(
    "answer, missing",
    [
        ("八天内可以退。", "八天"),
        ("7元", "7元"),
        ("退1299元", "1299元"),
        ("三天到账", "三天"),
        ("三个月内保修", "三个月"),
        ("打九折", "九折"),
        ("Hushwave Jog 7可以退", "7"),
        ("Sony耳机", "Sony"),
        ("到11月24日为止", "11月24日"),
        ("上午8点", "上午8点"),
        ("微信到账", "微信"),
        ("从广州发货", "广州"),
        ("限三张", "三张"),
        ("满299减20", "299"),
        ("百分之二十", "百分之二十"),
        ("三倍积分", "三倍"),
        ("顺丰送货", "顺丰"),
        ("联系王经理", "王"),
        ("见《夜渡》", "《夜渡》"),
        ("优惠码FREE100", "FREE100"),
        ("请访问 www.evil.com", "www.evil.com"),
        ("招商银行退款", "招商银行"),
        ("一周内可退", "一周"),
        ("赔您五百元", "五百元"),
        ("２００元", "200元"),
    ],
)
def test_chinese_answers_that_it_does_not(answer: str, missing: str) -> None:
    assert any(missing in claim.text or claim.text in missing for claim in unsupported(answer, ZH))


@LANGUAGES
def test_the_shops_own_answers_are_supported_and_changed_ones_are_not(language: str) -> None:
    source = passages(language).set_index("id")
    table = questions(language)
    table = table[table["answerable"] & table["answers"].str[0].str.contains(r"\d")].iloc[::4]
    draw, changed, caught = random.Random(0), 0, 0
    for row in table.itertuples():
        page = "\n".join(source.loc[row.passage_id, ["title", "text"]])
        answer = row.answers[0]
        assert unsupported(answer, page) == [], (row.id, answer)
        number = draw.choice(list(re.finditer(r"\d+", answer)))
        wrong = f"{answer[: number.start()]}{int(number[0]) + 1013}{answer[number.end() :]}"
        changed += 1
        caught += bool(unsupported(wrong, page))
    assert changed > 50 and caught == changed


def test_names_begin_sentences_too() -> None:
    assert names("Merchants can call. Sony pays. You wait.") == ["Merchants", "Sony"]
    assert names("the paper otter pen", known=["Paper Otter"]) == ["Paper Otter"]
    assert names("不行") == [] and names("") == []


def test_without_support_the_span_is_said() -> None:
    span = "within 7 days of signing"
    kept = grounded_or_span("You have seven days.", EN, span)
    assert (kept.text, kept.kept, kept.unsupported) == ("You have seven days.", True, ())
    replaced = grounded_or_span("You have nine days.", EN, span)
    assert (replaced.text, replaced.kept) == (span, False)
    assert [claim.text for claim in replaced.unsupported] == ["nine days"]
    assert grounded_or_span("  ", EN, span).text == span


def test_a_span_from_elsewhere_is_refused_at_the_door() -> None:
    for span in ("within 9 days", "", "  "):
        with pytest.raises(EcomTutorError, match="does not stand in the passage"):
            grounded_or_span("Yes.", EN, span)
    with pytest.raises(EcomTutorError, match="Text was expected"):
        claims(None)  # type: ignore[arg-type]


def test_long_and_odd_texts_behave() -> None:
    assert len(unsupported("¥77 " * 2000, EN)) == 2000
    assert unsupported("🙂！？…" * 300, ZH) == []
