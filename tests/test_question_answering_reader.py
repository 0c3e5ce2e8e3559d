"""The reader's doors and promises, on a tiny network of the test's own: no real model."""

import json
import sys
import warnings
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import torch
from tiny_reader import WORDS, tiny_encoder, tiny_reader

from ecomtutor.errors import DamagedResource, EcomTutorError, MissingResource
from ecomtutor.models import Loaded
from ecomtutor.question_answering import reader as room
from ecomtutor.question_answering.examples import Example
from ecomtutor.question_answering.model import span_loss, with_spans
from ecomtutor.question_answering.reader import (
    Reader,
    TruncatedQuestion,
    calibrated,
    load_reader,
)
from ecomtutor.question_answering.training import (
    ReadingBatches,
    Recipe,
    Row,
    Stage,
    as_tensors,
    fit_reader,
    rows_of,
)
from ecomtutor.question_answering.windows import pieces_of, windows


@pytest.fixture(scope="module")
def loaded() -> Loaded:
    return tiny_encoder()


@pytest.fixture(scope="module")
def reader(loaded: Loaded) -> Reader:
    return tiny_reader(loaded)


PASSAGE = "The coupon is valid for 14 days. A dress costs 120 yuan, and you can return it."


class Titled:
    def __init__(self, title: str, text: str):
        self.title, self.text = title, text


def _exact(answer, passages) -> None:
    """Every span is the very characters of its passage."""
    for span in [answer, *answer.alternatives]:
        if span.text:
            text = passages[span.passage]
            text = text if isinstance(text, str) else text.text
            assert text[span.start : span.end] == span.text


@pytest.mark.parametrize(
    "passage",
    [
        PASSAGE,
        "满减券领取后14天内有效，颜色是红。",
        "券 valid for 14 天 😀 <b>red</b>  &amp; blue\n\t价格：120元",
        "İstanbul’s ﬁne ＣＯＵＰＯＮ — 14\u00a0days\u200b",
    ],
)
def test_answers_are_exact_pieces_of_their_passage(reader: Reader, passage: str) -> None:
    for question in ("how long is it valid", "退货要多久？", "<p>how&nbsp;long</p> 😀"):
        answer = reader.answer(question, [passage, "return a dress"], alternatives=5)
        assert answer and answer.margin == answer.score - answer.no_answer_score
        _exact(answer, [passage, "return a dress"])


def test_alternatives_do_not_overlap_and_get_worse(reader: Reader) -> None:
    answer = reader.answer("how long", [PASSAGE], alternatives=4)
    spans = [answer, *answer.alternatives]
    assert len(spans) > 2
    assert all(a.margin >= b.margin for a, b in pairwise(spans))
    for i, one in enumerate(spans):
        assert all(one.end <= other.start or other.end <= one.start for other in spans[i + 1 :])


class Found(Titled):
    def __init__(self, title: str, text: str, prior: Any):
        super().__init__(title, text)
        self.prior = prior


def test_a_doubtful_passage_has_to_answer_better(reader: Reader) -> None:
    other = "Refund takes 20 days for a red card."
    plain = reader.answer("how long", [PASSAGE, other], alternatives=20)
    assert plain.prior == 0
    by_prior = {
        doubt: reader.answer("how long", [Found("", PASSAGE, -doubt), Found("", other, -1e-9)])
        for doubt in (0.0, 50.0)
    }
    assert by_prior[0.0].text == plain.text
    assert by_prior[50.0].passage == 1, "150 less than the other one"
    same = next(each for each in (plain, *plain.alternatives) if each.passage == 0)
    lower = reader.answer("how long", [Found("", PASSAGE, -2.0)])
    assert (lower.text, lower.score) == (same.text, same.score)
    assert lower.margin == pytest.approx(same.margin - 2 * room.PRIOR_WEIGHT)
    assert all(each.prior == lower.prior == -6 for each in lower.alternatives)
    strict = replace(reader, threshold=same.margin - 1)
    refused = strict.answer("how long", [Found("", PASSAGE, -2.0)])
    assert not refused and refused.margin == pytest.approx(lower.margin)
    for wrong in (0.5, float("nan"), float("-inf"), None, "high"):
        with pytest.raises(EcomTutorError, match="logarithm of a probability"):
            reader.answer("how long", [Found("", PASSAGE, wrong)])


def test_the_title_is_read_and_never_answered_from(reader: Reader) -> None:
    plain = reader.answer("how long", [PASSAGE])
    titled = reader.answer("how long", [Titled("the red dress", PASSAGE)])
    _exact(titled, [PASSAGE])
    assert titled.score != plain.score
    window = reader.logits("how long", Titled("the red dress", PASSAGE))[0][0]
    # [CLS] how long [SEP] the red dress [SEP] the coupon …
    assert window.first == 8 and not window.allowed[:8].any() and not window.allowed[-1]


def test_a_long_passage_is_read_to_its_end(reader: Reader) -> None:
    passage = "you can return it . " * 300 + "the coupon is valid for 14 days ."
    rows = reader.logits("how long", passage)
    assert len(rows) > 3
    assert max(len(window.ids) for window, _, _ in rows) <= reader.max_tokens
    assert rows[0][0].offsets[0, 0] == 0 and rows[-1][0].offsets[-1, 1] == len(passage)
    for (one, _, _), (other, _, _) in pairwise(rows):
        assert (one.offsets[-reader.stride :] == other.offsets[: reader.stride]).all()
    _exact(reader.answer("how long", [passage]), [passage])


def test_windows_are_the_tokenizers_own(loaded: Loaded) -> None:
    question, text = "how long is it valid ?", " ".join(WORDS * 20)
    tokenizer = loaded.tokenizer
    theirs = tokenizer(
        question,
        text,
        truncation="only_second",
        max_length=64,
        stride=20,
        return_overflowing_tokens=True,
        return_offsets_mapping=True,
    )
    cut = pieces_of([question, "", text], tokenizer)
    ours = list(windows(*cut, tokenizer, max_tokens=64, stride=20))
    assert [window.ids.tolist() for window in ours] == theirs["input_ids"]
    batch = as_tensors(ours, tokenizer.pad_token_id, multiple=1)
    for number, row in enumerate(theirs["token_type_ids"]):
        assert batch["token_type_ids"][number, : len(row)].tolist() == row
    assert [tuple(pair) for pair in ours[1].offsets] == theirs["offset_mapping"][1][
        ours[1].first : -1
    ]


def test_batches_change_nothing(reader: Reader) -> None:
    passages = [PASSAGE, "A dress costs 120 yuan.", "you can return it . " * 200]
    questions = ["how long is it valid", "price ?", "退货要多久"]
    together = reader.answer_all(questions, [passages] * 3)
    for question, answer in zip(questions, together, strict=True):
        alone = reader.answer(question, passages)
        assert (alone.text, alone.passage, alone.start) == (
            answer.text,
            answer.passage,
            answer.start,
        )
        assert alone.score == pytest.approx(answer.score, abs=1e-4)


def test_a_threshold_refuses_and_still_says_what_it_saw(loaded: Loaded, reader: Reader) -> None:
    strict = Reader(reader.model, loaded.tokenizer, "en", threshold=1e6)
    answer = strict.answer("how long", [PASSAGE])
    assert not answer and answer.text == ""
    assert (answer.passage, answer.start, answer.end) == (None, None, None)
    assert answer.alternatives[0].text == reader.answer("how long", [PASSAGE]).text
    assert answer.margin == answer.alternatives[0].margin


@pytest.mark.parametrize("question", ["", "   ", "\n\t"])
def test_an_empty_question_is_an_error(reader: Reader, question: str) -> None:
    with pytest.raises(EcomTutorError, match="The question is empty"):
        reader.answer(question, [PASSAGE])


@pytest.mark.parametrize("question", ["😀😀", "？！", "<br>", "..."])
def test_a_question_without_a_word_is_refused(reader: Reader, question: str) -> None:
    assert not reader.answer(question, [PASSAGE])


def test_ten_thousand_characters_are_read_at_both_ends(reader: Reader) -> None:
    with pytest.warns(TruncatedQuestion, match="first and last 32"):
        long = reader.answer("how long " + "red " * 2500 + "coupon valid ?", [PASSAGE])
    with pytest.warns(TruncatedQuestion):
        other = reader.answer("how long " + "red " * 2500 + "dress costs ?", [PASSAGE])
    _exact(long, [PASSAGE])
    assert long.score != other.score


def test_no_passages_and_empty_ones_are_refused(reader: Reader) -> None:
    for passages in ([], [""], ["  ", "\u200b"]):
        answer = reader.answer("how long", passages)
        assert not answer and answer.alternatives == ()


def test_other_doors(reader: Reader) -> None:
    with pytest.raises(EcomTutorError, match="None"):
        reader.answer(None, [PASSAGE])  # type: ignore[arg-type]
    with pytest.raises(EcomTutorError, match="Text was expected"):
        reader.answer("how long", [3.0])  # type: ignore[list-item]
    with pytest.raises(EcomTutorError, match="list of passages"):
        reader.answer("how long", PASSAGE)
    with pytest.raises(EcomTutorError, match="as many lists of passages"):
        reader.answer_all(["how long"], [])


EXAMPLES = [
    Example("how long is the coupon valid", "", PASSAGE, "14 days", 24, ("14 days",)),
    Example("price of the dress", "", PASSAGE, "120 yuan", 47, ("120 yuan",)),
    Example("refund takes how long", "card", PASSAGE),
]


def test_rows_mark_the_answer(loaded: Loaded) -> None:
    rows = rows_of(EXAMPLES, loaded.tokenizer)
    for example, row in zip(EXAMPLES, rows, strict=True):
        if example.start is None:
            assert (row.start, row.end) == (0, 0)
        else:
            first, last = row.window.characters(row.start, row.end)
            assert PASSAGE[first:last] == example.answer


def test_an_answer_cut_by_a_window_is_not_in_it(loaded: Loaded) -> None:
    text = "red " * 60 + "14 days " + "blue " * 60
    example = Example("how long", "", text, "14 days", 240, ("14 days",))
    rows = rows_of([example], loaded.tokenizer, max_tokens=40, stride=20)
    full = [row for row in rows if row.start]
    assert full
    for row in full:
        first, last = row.window.characters(row.start, row.end)
        assert text[first:last] == "14 days"


def test_batches_show_all_rows_equally_often(loaded: Loaded) -> None:
    rows = rows_of(EXAMPLES, loaded.tokenizer)
    batches = ReadingBatches([(rows, 2), (rows[:1], 0)], 0, batch_size=2, seed=3)
    assert batches.per_epoch == 1
    seen = [start for step in range(6) for start in batches(step)["starts"].tolist()]
    assert sorted(seen) == sorted([row.start for row in rows] * 4)
    again = ReadingBatches([(rows, 2), (rows[:1], 0)], 0, batch_size=2, seed=3)
    for step in (4, 1):
        for name, tensor in again(step).items():
            assert torch.equal(tensor, batches(step)[name])
    with pytest.raises(EcomTutorError, match="no question"):
        ReadingBatches([([], 5)], 0)


def test_the_loss_is_cross_entropy_over_open_places(loaded: Loaded, reader: Reader) -> None:
    rows: list[Row] = rows_of(EXAMPLES, loaded.tokenizer)
    batch = as_tensors([row.window for row in rows], 0) | {
        "starts": torch.tensor([row.start for row in rows]),
        "ends": torch.tensor([row.end for row in rows]),
    }
    with torch.no_grad():
        loss = span_loss(reader.model, batch)
    by_hand = []
    for row, example in zip(rows, EXAMPLES, strict=True):
        (window, start, end), *_ = reader.logits(
            example.question, Titled(example.title, example.text)
        )
        places = [0, *np.flatnonzero(window.allowed)]
        for logits, true in ((start, row.start), (end, row.end)):
            by_hand.append(np.log(np.exp(logits[places]).sum()) - logits[true])
    assert float(loss) == pytest.approx(np.mean(by_hand), abs=1e-4)


def _recipe(steps: int) -> Recipe:
    return Recipe(
        "en",
        (
            Stage("public", 4, 3e-3, (("public", 3),)),
            Stage("mix", steps, 3e-3, (("store", 6), ("public", 3)), validate_every=20),
        ),
        rank=8,
        batch_size=3,
    )


def test_training_learns_pauses_resumes_and_saves(loaded, tmp_path, monkeypatch) -> None:
    kinds = {"public": EXAMPLES, "store": EXAMPLES}
    how = {"progress": False}
    whole = fit_reader(_recipe(40), loaded, kinds, {"store": EXAMPLES}, tmp_path / "whole", **how)
    assert [whole.answer(e.question, [e]).text for e in EXAMPLES] == ["14 days", "120 yuan", ""]
    parts = tmp_path / "parts"
    for _ in range(6):  # four steps in the first stage, two in the second
        assert (
            fit_reader(_recipe(40), loaded, kinds, {"store": EXAMPLES}, parts, minutes=0, **how)
            is None
        )
    resumed = fit_reader(_recipe(40), loaded, kinds, {"store": EXAMPLES}, parts, **how)
    for name, tensor in whole.own_weights.items():
        assert torch.equal(tensor, resumed.own_weights[name])
    monkeypatch.setattr("ecomtutor.models.load_encoder", lambda language: loaded)
    again = Reader.load(tmp_path / "whole" / "model")
    assert again.answer(EXAMPLES[0].question, [EXAMPLES[0]]) == whole.answer(
        EXAMPLES[0].question, [EXAMPLES[0]]
    )
    assert again.threshold == whole.threshold


def test_the_threshold_is_where_f1_is_best(reader: Reader) -> None:
    free = [reader.answer(e.question, [e]) for e in EXAMPLES]
    # Its best guess is declared right for the first question; the others have no answer.
    text = free[0].text
    held_out = [
        Example(EXAMPLES[0].question, "", PASSAGE, text, PASSAGE.index(text), (text,)),
        Example(EXAMPLES[1].question, "", PASSAGE),
        Example(EXAMPLES[2].question, "card", PASSAGE),
    ]
    threshold = calibrated(reader, held_out).threshold
    margins = [answer.margin for answer in free]
    by_hand = max(sum([margins[0] >= t, margins[1] < t, margins[2] < t]) for t in [*margins, 1e9])
    found = sum([margins[0] >= threshold, margins[1] < threshold, margins[2] < threshold])
    assert found == by_hand


def test_damaged_and_missing_readers(loaded, tmp_path, monkeypatch) -> None:
    with pytest.raises(MissingResource, match=r"reader\.json"):
        Reader.load(tmp_path)
    monkeypatch.setattr("ecomtutor.models.load_encoder", lambda language: loaded)
    model = with_spans(loaded)
    torch.nn.init.normal_(model.span_head.weight)
    saved = Reader.of(model, loaded, "en", 4).save(tmp_path / "r")
    (saved / "reader.json").write_text(json.dumps({"language": "en"}))
    with pytest.raises(DamagedResource, match="does not fit"):
        Reader.load(saved)
    with pytest.raises(EcomTutorError, match="no difference"):
        Reader(model, loaded.tokenizer, "en").save(tmp_path / "s")


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_clone_without_weights_is_told_the_recipe(language, tmp_path, monkeypatch) -> None:
    # `datasets.store` names the function; the module is found by its full name.
    monkeypatch.setattr(sys.modules["ecomtutor.datasets.store"], "data_dir", lambda: tmp_path)
    load_reader.cache_clear()
    with pytest.raises(MissingResource, match=f"train shop-reader-{language}"):
        load_reader(language)
    load_reader.cache_clear()


@pytest.mark.parametrize("language", ["fr", None])
def test_other_languages_have_no_reader(language) -> None:
    with pytest.raises(EcomTutorError, match="'en' and for 'zh'"):
        load_reader(language)


def test_many_passages_do_not_fill_the_memory(reader: Reader, monkeypatch) -> None:
    monkeypatch.setattr(room, "_KEPT_PIECES", 5)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        answer = reader.answer("how long", [f"it costs {n} yuan" for n in range(20)])
    assert answer and len(reader._pieces) <= 5
