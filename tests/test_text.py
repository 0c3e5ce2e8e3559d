"""Cleaning, words with offsets, and tokenizers equal to the real ones."""

import subprocess
import sys
from collections import Counter

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from ecomtutor import text as room
from ecomtutor.datasets import reviews, store
from ecomtutor.errors import EcomTutorError
from ecomtutor.models import load_encoder
from ecomtutor.text import (
    NEGATIONS,
    STOP_WORDS,
    Word,
    bpe,
    clean,
    content_words,
    encode_bpe,
    encode_wordpiece,
    from_visible_bytes,
    gaps,
    gpt_chunks,
    load_tokenizer,
    occurrence,
    oddities,
    pieces,
    separation,
    simplified,
    spell_out_emoji,
    token_positions,
    train_bpe,
    visible_bytes,
    words,
)

MIXED = "我买了Hushwave Jog 7运动耳机（3.5mm接口），真的很好！！！ Isn't it user-friendly? 👍🏽"


def texts(language, split="test"):
    table = reviews(language)
    return table.text[table.split == split].tolist()


def cut(text):
    return [word.text for word in words(text)]


@pytest.mark.parametrize(
    ("dirty", "mended"),
    [
        ("房&#38388;很小", "房间很小"),
        ("at&amp;t and &amp;#34;fast&amp;#34;", 'at&t and "fast"'),
        ("AT&T; &notes a&copy=1", "AT&T; &notes a&copy=1"),
        ("<b>Great</b><br/>sound", "Great sound"),
        ("看了<明朝那些事>，a<b", "看了<明朝那些事>，a<b"),
        ("６月２２日 ＩＰＸ７", "6月22日 IPX7"),
        ("很好，真的！…“好”", "很好，真的！…“好”"),
        ("當當網作為知名網店", "当当网作为知名网店"),
        ("a\u00a0\u3000b\u200bc\n d", "a bc d"),
        ("👍🏽 10℃", "👍🏽 10°C"),
        ("", ""),
    ],
)
def test_clean(dirty, mended):
    assert clean(dirty) == mended
    assert clean(mended) == mended


def test_simplifying_keeps_every_place_and_is_not_reversible():
    for text in texts("zh"):
        assert len(simplified(text)) == len(text)
    assert simplified("發貨") == "发货"
    assert simplified("頭髮") == "头发"
    assert simplified("the same") == "the same"


def test_emoji_are_spelt_out():
    assert spell_out_emoji("Great👍🏽 sound") == "Great thumbs up sign sound"
    assert spell_out_emoji("no  emoji") == "no  emoji"


def test_oddities_are_found_and_ordinary_reviews_have_none():
    assert oddities("房&#38388;０５") == ["HTML entity", "full-width letter or digit"]
    assert oddities("房间~{2;R*H%~}!!!!!!") == [
        "bytes read in the wrong encoding",
        "one sign six times or more",
    ]
    assert oddities("3.") == ["no Chinese and no English word"]
    assert oddities("性价比很高，OK！") == []


@pytest.mark.parametrize("function", [clean, words, simplified, gpt_chunks, content_words])
@pytest.mark.parametrize("wrong", [None, float("nan"), b"bytes", ["a", "list"]])
def test_a_missing_value_is_stopped_at_the_door(function, wrong):
    with pytest.raises(EcomTutorError, match=f"{type(wrong).__name__}.*dropna"):
        function(wrong)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("蓝牙耳机 IPX7 防水", ["蓝牙", "耳机", "IPX7", "防水"]),
        ("iPhone15Pro手机壳", ["iPhone15Pro", "手机", "壳"]),
        ("USB-C接口，3.5mm！", ["USB-C", "接口", "，", "3.5mm", "！"]),
        ("这件T恤很好看", ["这件", "T恤", "很", "好看"]),
        ("It isn't bad, 1,299 AT&T.", ["It", "isn't", "bad", ",", "1,299", "AT&T", "."]),
        ("good.Maybe", ["good", ".", "Maybe"]),
        ("好!!!。。", ["好", "!!!", "。。"]),
        ("好👍🏽👍🏽❤️", ["好", "👍🏽👍🏽", "❤️"]),
        ("Кофе café", ["Кофе", "café"]),
        (" \n\u200b ", []),
        ("", []),
    ],
)
def test_words(text, expected):
    assert cut(text) == expected


def test_signs_are_known():
    assert [word.text for word in words(MIXED) if word.is_sign] == [
        "（", "）", "，", "！！！", "?", "👍🏽",
    ]  # fmt: skip


def assert_all_belongs_somewhere_once(text):
    found = words(text)
    assert all(text[word.start : word.end] == word.text for word in found)
    spans = sorted([(word.start, word.end) for word in found] + gaps(text, found))
    assert [start for start, _ in spans] == [0, *(end for _, end in spans)][: len(spans)]
    assert (spans[-1][1] if spans else 0) == len(text)
    for start, end in gaps(text, found):
        assert not any(c.isalnum() or (c.isprintable() and c != " ") for c in text[start:end])


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_character_of_real_reviews_belongs_to_one_word_or_gap(language):
    for text in texts(language):
        assert_all_belongs_somewhere_once(text)


@given(st.text(alphabet=st.one_of(st.characters(codec="utf-8"), st.sampled_from("好a1.'-，👍🏽 "))))
def test_every_character_of_any_text_belongs_to_one_word_or_gap(text):
    assert_all_belongs_somewhere_once(text)


@pytest.mark.parametrize("name", room.TOKENIZERS)
def test_tokens_of_each_word_cover_it(name):
    found = words(MIXED)
    tokens = pieces(MIXED, name)
    positions = token_positions(found, [(piece.start, piece.end) for piece in tokens])
    for word, at in zip(found, positions, strict=True):
        assert at == list(range(at[0], at[-1] + 1))
        assert tokens[at[0]].start <= word.end and tokens[at[-1]].end >= word.end
        for i in at:
            assert tokens[i].start < word.end and tokens[i].end > word.start
    for i in set(range(len(tokens))).difference(*positions):  # byte-level BPE has a token " "
        assert MIXED[tokens[i].start : tokens[i].end].isspace()


def test_token_positions_by_hand():
    offsets = [(0, 0), (0, 1), (1, 3), (3, 4), (0, 0)]
    hand = [Word("ab", 0, 2), Word("c", 2, 3), Word("d", 3, 4), Word("cut off", 5, 12)]
    assert token_positions(hand, offsets) == [[1, 2], [2], [3], []]
    with pytest.raises(EcomTutorError, match="of one text, not of a batch"):
        token_positions(hand, [[(0, 1), (1, 2)]])
    with pytest.raises(EcomTutorError, match=r"\(3, 1\) came"):
        token_positions(hand, [(3, 1)])


def test_a_real_encoder_gives_the_offsets_that_are_asked_for():
    encoder = load_encoder("zh")
    offsets = encoder.tokenizer("防水耳机", return_offsets_mapping=True)["offset_mapping"]
    assert token_positions(words("防水耳机"), offsets) == [[1, 2], [3, 4]]


def test_stop_words_leave_negations_and_degrees():
    for language in ("en", "zh"):
        assert len(STOP_WORDS[language]) > 60
        assert not STOP_WORDS[language] & NEGATIONS[language]
    assert content_words("The sound is not good") == ["sound", "not", "good"]
    assert content_words("我觉得这个耳机不太舒服。") == ["觉得", "耳机", "不太", "舒服"]
    assert content_words("not good", drop=NEGATIONS["en"]) == ["good"]


def test_words_say_nothing_on_stderr_and_need_no_cache_file(tmp_path):
    code = "from ecomtutor.text import words; print(len(words('蓝牙耳机防水')))"
    result = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={"TMPDIR": str(tmp_path), "PATH": ""},
    )
    assert (result.stdout, result.stderr) == ("3\n", "")
    assert not list(tmp_path.iterdir())


def test_import_is_cheap():
    code = (
        "import sys, ecomtutor.text\n"
        "heavy = {'torch', 'transformers', 'tokenizers', 'jieba', 'opencc', 'pandas', 'numpy'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert result.stdout.strip() == "[]", result.stderr


@pytest.mark.parametrize(
    ("name", "lowercase", "language"),
    [("wordpiece-en", True, "en"), ("wordpiece-en", True, "zh"), ("wordpiece-zh", False, "zh")],
)
def test_wordpiece_equals_the_real_tokenizer_on_all_reviews_of_a_split(name, lowercase, language):
    vocabulary = load_tokenizer(name).get_vocab()
    for text in texts(language):
        theirs = [piece.token for piece in pieces(text, name)]
        assert encode_wordpiece(text, vocabulary, lowercase) == theirs


def test_wordpiece_by_hand():
    vocabulary = {"water", "##proof", "##pro", "##of", "w"}
    assert room.wordpiece("waterproof", vocabulary) == ["water", "##proof"]
    assert room.wordpiece("waterpool", vocabulary) == ["[UNK]"]
    assert room.wordpiece("w" * 101, vocabulary | {"##w"}) == ["[UNK]"]
    assert room.wordpiece("", vocabulary) == []


def test_chunks_and_visible_bytes_are_those_of_the_library():
    from tokenizers.pre_tokenizers import ByteLevel

    library = ByteLevel(add_prefix_space=False)
    for text in [*texts("zh")[:300], *texts("en")[:300], MIXED, "  two  spaces \n"]:
        chunks = gpt_chunks(text)
        assert "".join(chunks) == text
        assert [visible_bytes(c) for c in chunks] == [p for p, _ in library.pre_tokenize_str(text)]
        assert from_visible_bytes(visible_bytes(text)) == text
    assert from_visible_bytes(visible_bytes("好")[:2]) == "�"
    with pytest.raises(EcomTutorError, match="' ' stands for no byte"):
        from_visible_bytes("a b")


def library_bpe(counts, size):
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.train_from_iterator(counts, trainers.BpeTrainer(vocab_size=size, show_progress=False))
    return tokenizer


def shop_texts(column):
    return store().products[column].tolist()[:120]


@pytest.mark.parametrize("column", ["description_en", "description_zh"])
def test_bpe_learns_the_merges_of_the_library_and_cuts_alike(column):
    import json

    corpus = [*shop_texts(column), "!!!!!! ------ aaaa aaaaaa"]
    counts = Counter(visible_bytes(chunk) for text in corpus for chunk in gpt_chunks(text))
    theirs = library_bpe(corpus, 400 + len(set("".join(counts))))
    merges = train_bpe(counts, 400)
    assert merges == [tuple(m) for m in json.loads(theirs.to_str())["model"]["merges"]]
    for text in shop_texts(column)[:40]:
        assert encode_bpe(text, merges) == theirs.encode(text).tokens


def test_bpe_equals_smollm2_on_real_reviews():
    import json

    tokenizer = load_tokenizer("byte-bpe")
    merges = json.loads(tokenizer.to_str())["model"]["merges"]
    ranks = {tuple(merge): rank for rank, merge in enumerate(merges)}
    for text in [*texts("en")[:200], *texts("zh")[:100], MIXED]:
        assert encode_bpe(text, ranks) == [piece.token for piece in pieces(text, "byte-bpe")]


def test_bpe_by_hand():
    counts = {"low": 5, "lower": 2, "newest": 6, "widest": 3}
    merges = train_bpe(counts, 4)
    assert merges == [("e", "s"), ("es", "t"), ("l", "o"), ("lo", "w")]
    assert bpe("lowest", merges) == ["low", "est"]
    assert bpe("", merges) == []
    assert train_bpe({"ab": 1}, 10) == [("a", "b")]
    assert train_bpe({}, 3) == []


def test_unknown_tokenizers_are_refused():
    with pytest.raises(EcomTutorError, match="byte-bpe; 'gpt' was asked for"):
        load_tokenizer("gpt")


@pytest.mark.parametrize(
    ("language", "word", "sentences"),
    [
        ("en", "apple", ["An Apple phone.", "I ate an apple."]),
        ("zh", "苹果", ["吃苹果", "苹果手机"]),
    ],
)
def test_an_occurrence_is_static_below_and_contextual_above(language, word, sentences):
    encoder = load_encoder(language)
    one, two = (occurrence(encoder, sentence, word) for sentence in sentences)
    assert one.shape == (encoder.layers + 2, encoder.width)
    torch.testing.assert_close(one[0], two[0])
    assert torch.cosine_similarity(one[-1], two[-1], dim=0) < 0.95
    ids = encoder.tokenizer(word, add_special_tokens=False)["input_ids"]
    table = encoder.model.get_input_embeddings().weight
    torch.testing.assert_close(one[0], table[ids].mean(dim=0))
    with pytest.raises(EcomTutorError, match="'pear' does not stand in"):
        occurrence(encoder, sentences[0], "pear")


def test_separation():
    far = torch.tensor([[1.0, 0], [1, 0], [0, 1], [0, 1]])
    assert separation(far, "aabb") == pytest.approx(1.0)
    assert separation(torch.ones(4, 2), "aabb") == pytest.approx(0.0)
    assert separation(far, "abab") == pytest.approx(-0.5)
    for vectors, groups in ((far, "aab"), (far, "aaaa"), (far, "abcd")):
        with pytest.raises(EcomTutorError):
            separation(vectors, groups)
