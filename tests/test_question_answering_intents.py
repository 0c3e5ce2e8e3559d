"""What a customer wants: our own messages, an encoder against counted pieces, honestly."""

import pytest

from ecomtutor.errors import EcomTutorError
from ecomtutor.question_answering.intents import INTENTS, compare, intent_of, intents

LANGUAGES = pytest.mark.parametrize("language", ["en", "zh"])


@LANGUAGES
def test_every_intent_has_its_messages_and_no_message_stands_in_two_splits(language: str) -> None:
    table = intents(language)
    counts = table.groupby(["intent", "split"]).size()
    for intent in INTENTS:
        assert counts[intent, "train"] >= 60
        assert counts[intent, "validation"] + counts[intent, "test"] >= 20
    bare = table["text"].str.lower().str.replace(r"[\W_]+", "", regex=True)
    assert bare[bare != ""].is_unique and table["id"].is_unique
    assert set(table["split"]) == {"train", "validation", "test"}


@LANGUAGES
def test_the_encoder_beats_counted_pieces_on_unseen_messages(language: str) -> None:
    table = compare(language)
    assert table["frozen encoder"]["test"] >= 0.85
    assert table["frozen encoder"]["test"] > table["TF-IDF"]["test"]


@pytest.mark.parametrize(
    "language, message, intent",
    [
        ("en", "where is the parcel with my shoes", "order"),
        ("en", "I would like to send the lamp back", "return"),
        ("en", "this is a disgrace, you sent broken cups", "complaint"),
        ("en", "thank you so much", "small talk"),
        ("zh", "我的包裹到哪里了", "order"),
        ("zh", "这个锅我想退掉", "return"),
        ("zh", "太差劲了，寄来的杯子全是碎的", "complaint"),
        ("zh", "谢谢你啊", "small talk"),
        ("en", "which country has the most people", "small talk"),
        ("zh", "哪个国家人口最多", "small talk"),
        ("en", "🙂🙂", "small talk"),
        ("zh", "？？", "small talk"),
    ],
)
def test_plain_messages(language: str, message: str, intent: str) -> None:
    found = intent_of(message, language)
    assert found.name == intent and 0.2 < found.probability <= 1


def test_odd_messages_behave() -> None:
    for message in ("", "x" * 10_000, "<b>退货</b>", "耳机 for running"):
        assert intent_of(message, "zh").name in INTENTS
    with pytest.raises(EcomTutorError, match="Text was expected"):
        intent_of(None, "en")  # type: ignore[arg-type]
    with pytest.raises(EcomTutorError, match="speaks"):
        intents("fr")
