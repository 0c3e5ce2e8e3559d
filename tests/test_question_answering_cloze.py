"""Questions made from texts: the answer stands where it is said, and the question lacks it."""

import numpy as np
import pytest

from ecomtutor.question_answering.cloze import cloze_examples

TEXTS = {
    "en": (
        "The parcel reached our new depot in Leeds on 14 May. Each return costs exactly ¥12 for "
        "members of the club. Broken lamps are replaced within 3 working days of your letter.",
        "A quiet blender needs about 250 watts at full speed. Never wash its sharp blade in the "
        "machine because the seal will leak. The glass jug holds nearly 1.5 litres of soup.",
    ),
    "zh": (
        "退货寄到杭州仓库以后，三个工作日内退款到原来的账户。运费险最多赔付12元，超出的部分由买家自己承担。"
        "生鲜食品破损请在24小时之内拍照联系客服。",
        "这台破壁机的功率是250瓦，满速运转时声音很小。刀头锋利，千万不要放进洗碗机里清洗。玻璃杯的容量大约"
        "是1.5升，够四个人喝。",
    ),
}


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_answer_is_the_hole(language: str) -> None:
    texts = TEXTS[language]
    made = cloze_examples(texts, language, each=3, unanswerable=0.0)
    assert len(made) == 6
    for example in made:  # Example itself refuses an answer that is not at its place
        assert example.answer and example.text in texts
        assert example.answer.lower() not in example.question
    assert cloze_examples(texts, language, each=3, unanswerable=0.0) == made
    assert cloze_examples(texts, language, each=3, unanswerable=0.0, seed=1) != made


@pytest.mark.parametrize("language", ["en", "zh"])
def test_unanswerable_ones_are_put_to_another_text(language: str) -> None:
    texts = TEXTS[language]
    made = cloze_examples(texts, language, each=3, unanswerable=1.0)
    assert made and all(example.start is None for example in made)
    answerable = cloze_examples(texts, language, each=3, unanswerable=0.0)
    home = {example.question: example.text for example in answerable}
    moved = [example for example in made if example.question in home]
    assert moved and all(home[example.question] != example.text for example in moved)


def test_amounts_keep_their_currency() -> None:
    made = [
        example.answer
        for seed in range(40)
        for example in cloze_examples(TEXTS["en"], "en", each=3, unanswerable=0.0, seed=seed)
    ]
    with_12 = [answer for answer in made if answer.split()[0].endswith("12")]
    assert with_12 and all(answer.startswith("¥12") for answer in with_12)


def test_texts_without_sentences_enough_give_nothing() -> None:
    assert not cloze_examples(["", "Too short.", "One sentence with many words only."], "en")
    alone = cloze_examples(TEXTS["en"][:1], "en", unanswerable=1.0)
    assert alone and all(example.answer for example in alone), "there is no other text to ask"
    assert not cloze_examples(["😀😀😀。😀😀😀。", "？！。。"], "zh")


def test_half_of_the_holes_hold_numbers() -> None:
    made = cloze_examples(TEXTS["en"] * 60, "en", each=3, unanswerable=0.0)
    share = np.mean([any(c.isdigit() for c in example.answer) for example in made])
    assert 0.4 < share < 0.85
