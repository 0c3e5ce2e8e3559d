"""The question encoder: its loss, batches, files and doors; the shipped ones on real pages."""

import numpy as np
import pytest
import torch
from tiny_reader import WORDS, tiny_encoder

from ecomtutor.datasets import questions
from ecomtutor.embeddings import embed
from ecomtutor.errors import DamagedResource, EcomTutorError, MissingResource
from ecomtutor.models import Loaded, load_encoder
from ecomtutor.question_answering import question_encoder as room
from ecomtutor.question_answering.fusion import features, fitted
from ecomtutor.question_answering.question_encoder import (
    QuestionBatches,
    QuestionEncoder,
    QuestionTower,
    Recipe,
    Shelf,
    fit_question_encoder,
    load_question_encoder,
    question_loss,
)
from ecomtutor.question_answering.retrieve import Retriever, sentences

SMALL = Recipe("en", steps=30, peak_rate=3e-3, batch_size=6, rank=8, weights=(0.0, 8.0, 8.0))


@pytest.fixture(scope="module")
def loaded() -> Loaded:
    return tiny_encoder()


class Few:
    """Shelves that lie ready."""

    def __init__(self, *some: Shelf):
        self.some, self.sizes = some, [len(shelf.questions) for shelf in some]

    def __getitem__(self, number: int) -> Shelf:
        return self.some[number]


def _shelf(loaded: Loaded, seed: int = 0) -> Shelf:
    """Twelve questions about three pages of two sentences, whose vectors mean nothing."""
    dice = np.random.default_rng(seed)
    width = loaded.model.config.hidden_size
    vectors = dice.normal(size=(9, width)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    first = len(loaded.tokenizer) - len(WORDS)
    right = np.arange(12) % 3
    return Shelf(
        questions=[
            np.array([2, first + page, first + 3 + n % 5, 3]) for n, page in enumerate(right)
        ],
        right=right,
        words=dice.normal(size=(12, 3)).astype(np.float32),
        whole=vectors[:3],
        parts=vectors[3:],
        page_of=np.repeat(np.arange(3), 2),
    )


def test_the_loss_is_the_surprise_at_the_right_page(loaded: Loaded) -> None:
    made = Recipe("en", weights=(0.5, 2.0, 3.0), batch_size=5)
    shelf = _shelf(loaded)
    batch = QuestionBatches(Few(shelf), made, loaded.tokenizer.pad_token_id)(3)
    tower = QuestionTower(loaded).eval()
    asked = tower(batch["input_ids"], batch["attention_mask"]).detach().numpy()
    assert np.linalg.norm(asked, axis=1) == pytest.approx(np.ones(5), abs=1e-5)
    expected = []
    for vector, words, right in zip(asked, batch["words"].numpy(), batch["right"], strict=True):
        scores = [
            0.5 * words[page]
            + 2 * vector @ shelf.whole[page]
            + 3 * max(vector @ shelf.parts[2 * page], vector @ shelf.parts[2 * page + 1])
            for page in range(3)
        ]
        expected.append(np.log(np.exp(scores).sum()) - scores[right])
    assert question_loss(tower, batch).item() == pytest.approx(np.mean(expected), rel=1e-4)


def test_a_step_s_batch_depends_on_the_step_alone(loaded: Loaded) -> None:
    some = Few(_shelf(loaded, 0), _shelf(loaded, 1))
    one, other = (QuestionBatches(some, SMALL, 0) for _ in range(2))
    other(7)
    for step in (0, 1, 7):
        assert all(torch.equal(one(step)[name], other(step)[name]) for name in one(step))
    assert not torch.equal(one(0)["words"], one(1)["words"])
    with pytest.raises(EcomTutorError, match="no shelf"):
        QuestionBatches(Few(), SMALL, 0)


def test_it_learns_pauses_resumes_and_is_loaded_as_it_was_saved(
    loaded: Loaded, tmp_path, monkeypatch
) -> None:
    monkeypatch.setattr("ecomtutor.models.load_encoder", lambda language: loaded)
    some = Few(_shelf(loaded))
    batch = QuestionBatches(some, SMALL, 0)(0)
    before = question_loss(QuestionTower(loaded).eval(), batch).item()
    whole = fit_question_encoder(SMALL, loaded, some, tmp_path / "whole", progress=False)
    assert whole is not None
    assert whole.own_weights and not any("embeddings" in name for name in whole.own_weights)
    assert question_loss(whole.tower, batch).item() < 0.7 * before
    paused = fit_question_encoder(SMALL, loaded, some, tmp_path / "parts", 0, progress=False)
    assert paused is None and not (tmp_path / "parts" / "model").exists()
    parts = fit_question_encoder(SMALL, loaded, some, tmp_path / "parts", progress=False)
    assert parts is not None
    asked = ["coupon valid", "return the red dress now", "coupon valid"]
    found = QuestionEncoder.load(tmp_path / "whole" / "model").vectors(asked)
    assert np.array_equal(found, whole.vectors(asked))
    assert found == pytest.approx(parts.vectors(asked), abs=1e-5)
    assert found.dtype == np.float32 and np.linalg.norm(found, axis=1) == pytest.approx(1, abs=1e-5)


def test_the_packed_pass_and_the_plain_one_agree(loaded: Loaded, monkeypatch) -> None:
    encoder = QuestionEncoder.of(QuestionTower(loaded), loaded, SMALL)
    asked = ["coupon", "return the red dress now", "a dress", "valid 14 days"]
    fast = encoder.vectors(asked)
    monkeypatch.setattr(room, "packed", lambda *given: None)
    assert fast == pytest.approx(encoder.vectors(asked), abs=1e-5)
    assert encoder.vectors([]).shape == (0, loaded.model.config.hidden_size)


def test_words_and_places_stay_where_they_were(loaded: Loaded) -> None:
    free = {name for name, p in QuestionTower(loaded).named_parameters() if p.requires_grad}
    assert free and not any("embeddings" in name for name in free)


def test_doors(loaded: Loaded, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr("ecomtutor.models.load_encoder", lambda language: loaded)
    encoder = QuestionEncoder.of(QuestionTower(loaded), loaded, SMALL)
    with pytest.raises(EcomTutorError, match="list of questions"):
        encoder.vectors("where is it?")
    for wrong in (None, 3, float("nan")):
        with pytest.raises(EcomTutorError):
            encoder.vectors(["where", wrong])  # type: ignore[list-item]
    with pytest.raises(EcomTutorError, match="'fr'"):
        load_question_encoder("fr")
    with pytest.raises(EcomTutorError, match="shop-question-encoder-en and"):
        room.train_question_encoder("shop-reader-en")
    with pytest.raises(MissingResource, match="train shop-question-encoder-en"):
        QuestionEncoder.load(tmp_path / "shop-question-encoder-en")
    place = encoder.save(tmp_path / "saved")
    for card in ('{"tongue": "en"}', '["en"]', "{"):
        (place / room.CARD).write_text(card, "utf-8")
        with pytest.raises(DamagedResource, match="does not fit"):
            QuestionEncoder.load(place)
    encoder.save(place)
    (place / room.WEIGHTS).write_bytes(b"version https://git-lfs.example")
    with pytest.raises(DamagedResource, match="does not fit"):
        QuestionEncoder.load(place)


def test_of_a_long_question_both_ends_are_read(loaded: Loaded) -> None:
    encoder = QuestionEncoder.of(QuestionTower(loaded), loaded, SMALL)
    middle = "red blue " * 200
    one, other, end = encoder.vectors([
        f"coupon {middle}refund",
        f"coupon {middle}{middle}refund",
        f"coupon {middle}parcel",
    ])  # fmt: skip
    assert one == pytest.approx(other, abs=1e-5)
    assert np.abs(one - end).max() > 1e-4


@pytest.mark.parametrize("language", ["en", "zh"])
def test_it_learns_from_other_shops_only_and_by_writer(language: str) -> None:
    shelves = room.Shelves(language, load_encoder(language).tokenizer)
    tables = shelves._tables
    assert len(tables) >= 8 and sum(shelves.sizes) > 15_000
    pages = [set(table["passage_id"]) for table in tables]
    assert all(len(keys) >= room.FEWEST_PAGES for keys in pages)
    writers = {key: room._writer(key) for key in set().union(*pages)}
    assert all({writers[key] for key in keys} == {writers[next(iter(keys))]} for keys in pages)
    assert not any(key.startswith(room.NO_WRITER) for key in writers)
    together = set(writers)
    assert len(together) == sum(map(len, pages)), "a page stands on one shelf"
    assert {key[:4] for key in together} == {"else"}
    assert not together & set(Retriever(language).passages["id"])


@pytest.mark.filterwarnings("ignore:.*the rest of them was not read")
def test_a_shelf_s_questions_point_at_their_own_pages() -> None:
    shelves = room.Shelves("en", load_encoder("en").tokenizer)
    number = int(np.argmin(shelves.sizes))
    table, shelf = shelves._tables[number], shelves[number]
    assert shelves[number] is shelf and len(shelf.questions) == len(table) == len(shelf.right)
    assert len(shelf.whole) == table["passage_id"].nunique() == len(set(shelf.page_of))
    assert shelf.words.std(axis=1).max() == pytest.approx(1, abs=1e-3)
    for row in (0, 7, len(table) - 1):
        page = table["text"].iloc[row]
        whole = embed([table["title"].iloc[row] + "\n" + page], "en", keep=False)[0]
        assert shelf.whole[shelf.right[row]] == pytest.approx(whole, abs=1e-4)
        first = sentences(page, "en")[0]
        part = embed([f"{table['title'].iloc[row]}. {first}"], "en", keep=False)[0]
        mine = shelf.parts[shelf.page_of == shelf.right[row]]
        assert mine[0] == pytest.approx(part, abs=1e-4)
    assert shelf.words.mean(axis=1) == pytest.approx(np.zeros(len(table)), abs=1e-4)


# It learned beside BM25, so the fusion is where it has to help: recall at 1, 3 and 5 of the
# training questions, which the weights fit, and of the validation questions, which nothing fits.
@pytest.mark.parametrize("language", ["en", "zh"])
def test_fused_with_words_taught_questions_find_more_than_plain_ones(language: str) -> None:
    shop, table = Retriever(language), questions(language)
    table = table[table["split"] != "test"]
    number = {key: i for i, key in enumerate(shop.passages["id"])}
    right = table["passage_id"].map(number).to_numpy()
    train = (table["split"] == "train").to_numpy()
    words, meaning = shop._index("words"), shop._index("meaning")
    product = (shop.passages["kind"] == "product").to_numpy(float)
    said = table["question"].tolist()
    counted = [words.scores(question) for question in said]
    found = {}
    for name, vectors in {
        "plain": embed(said, language, keep=False, progress=False),
        "taught": load_question_encoder(language).vectors(said),
    }.items():
        pairs = zip(counted, vectors, strict=True)
        rows = np.stack([features(c, *meaning.compared(v), product) for c, v in pairs])
        scores = rows @ fitted(rows[train], right[train])
        places = (scores > scores[np.arange(len(right)), right][:, None]).sum(axis=1)
        found[name] = np.array(
            [[(places[w] < k).mean() for k in (1, 3, 5)] for w in (train, ~train)]
        )
    assert found["taught"].sum() > found["plain"].sum() + 0.02
    assert (found["taught"][:, 1] >= found["plain"][:, 1]).all(), found
