"""Vectors of texts, the text tower, and the nearest of many vectors."""

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ecomtutor import embeddings
from ecomtutor.embeddings import embed
from ecomtutor.errors import EcomTutorError
from ecomtutor.models import load_encoder
from ecomtutor.recommendation.base import popularity
from ecomtutor.recommendation.nearest import flat_index, hnsw_index, nearest, recall
from ecomtutor.recommendation.purchases import Purchases
from ecomtutor.recommendation.text_towers import TextTower

TEXTS = ["running shoes", "蓝牙耳机", "", "milk, 1 gal, private brand", "a " * 40, "😀"]


def one_by_one(texts: list[str], language: str) -> "np.ndarray[Any, Any]":
    """The published way, a text at a time: mean of the last layer's tokens, of length 1."""
    import torch

    loaded = load_encoder(language)
    rows = []
    for text in texts:
        said = text.lower() if language == "zh" else text
        inputs = loaded.tokenizer(said, return_tensors="pt", truncation=True, max_length=256)
        with torch.no_grad():
            mean = loaded.model(**inputs).last_hidden_state[0].mean(dim=0)
        rows.append((mean / mean.norm()).numpy())
    return np.stack(rows)


@pytest.mark.parametrize(("language", "width"), [("en", 384), ("zh", 512)])
def test_vectors_equal_those_of_one_text_at_a_time(language: str, width: int) -> None:
    vectors = embed(TEXTS, language, keep=False)
    assert vectors.shape == (6, width) and vectors.dtype == np.float32
    np.testing.assert_allclose(vectors, one_by_one(TEXTS, language), atol=2e-5)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)


def test_half_precision_is_near() -> None:
    exact, half = embed(TEXTS, keep=False), embed(TEXTS, bf16=True, keep=False)
    assert (1 - (exact * half).sum(axis=1)).max() < 1e-3


def test_order_and_copies_do_not_matter() -> None:
    vectors = embed(["b c", "a", "b c", "a"], keep=False)
    assert (vectors[0] == vectors[2]).all() and (vectors[1] == vectors[3]).all()
    turned = embed(["a", "b c"], keep=False)
    np.testing.assert_allclose(turned[::-1], vectors[:2], atol=1e-6)


def test_chinese_text_is_read_in_lower_case() -> None:
    same = embed(["iPhone 手机壳", "iphone 手机壳"], "zh", keep=False)
    assert (same[0] == same[1]).all()


def test_no_text_gives_no_rows() -> None:
    assert embed([]).shape == (0, 384)


def test_a_text_that_is_cut_warns() -> None:
    with pytest.warns(UserWarning, match="1 of 2 texts are longer than 256 tokens"):
        vectors = embed(["word " * 400, "short"], keep=False)
    assert np.isfinite(vectors).all()


@pytest.mark.parametrize("bad", ["one text", [None], [3.5], [b"x"]])
def test_what_is_no_text_is_refused(bad: Any) -> None:
    with pytest.raises(EcomTutorError):
        embed(bad)
    with pytest.raises(EcomTutorError, match='"en" and "zh"'):
        embed(["a"], "fr")


class Counting:
    """An encoder that counts the texts it is given."""

    width, key, name, read = 4, "key", "tiny", 0

    def file_for(self, distinct: list[str]) -> Path:
        return embeddings._Encoder.file_for(self, distinct)  # type: ignore[arg-type]

    def vectors(self, distinct: list[str], progress: bool) -> "np.ndarray[Any, Any]":
        self.read += len(distinct)
        return np.eye(4, dtype=np.float32)[[len(text) % 4 for text in distinct]]


@pytest.fixture
def counting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Counting:
    encoder = Counting()
    monkeypatch.setenv("ECOMTUTOR_CACHE", str(tmp_path))
    monkeypatch.setattr(embeddings._Encoder, "of", staticmethod(lambda language, bf16: encoder))
    monkeypatch.setattr(embeddings, "WORTH_KEEPING", 2)
    return encoder


def kept(tmp_path: Path) -> list[Path]:
    return sorted((tmp_path / "embeddings").glob("*"))


def test_what_was_computed_is_kept(counting: Counting, tmp_path: Path) -> None:
    first = embed(["a", "bb", "a"])
    assert counting.read == 2 and len(kept(tmp_path)) == 1
    assert (embed(["bb", "a", "a"])[[1, 0, 2]] == first).all() and counting.read == 2
    embed(["a", "ccc"])  # another content, another file
    assert counting.read == 4 and len(kept(tmp_path)) == 2
    embed(["a", "bb"], keep=False)
    assert counting.read == 6
    counting.key = "other weights"
    embed(["a", "bb"])
    assert counting.read == 8


@pytest.mark.parametrize("damage", [b"", b"not numpy", None])
def test_a_damaged_file_is_made_again(
    damage: bytes | None, counting: Counting, tmp_path: Path
) -> None:
    expected = embed(["a", "bb"])
    (file,) = kept(tmp_path)
    content = file.read_bytes()
    file.write_bytes(content[:-7] if damage is None else damage)
    assert (embed(["a", "bb"]) == expected).all() and counting.read == 4
    assert file.read_bytes() == content


def test_zeros_in_the_cache_are_not_believed(counting: Counting, tmp_path: Path) -> None:
    expected = embed(["a", "bb"])
    np.save(kept(tmp_path)[0], np.zeros((2, 4), dtype=np.float32))
    assert (embed(["a", "bb"]) == expected).all()


def test_old_files_go_and_none_is_left_half_written(counting: Counting, tmp_path: Path) -> None:
    for number in range(embeddings.KEPT + 3):
        embed(["a", "b" * (number + 2)])
    assert len(kept(tmp_path)) == embeddings.KEPT
    assert all(path.suffix == ".npy" and not path.name.startswith(".") for path in kept(tmp_path))


def test_a_cache_that_cannot_be_written_does_no_harm(
    counting: Counting, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "embeddings").write_text("a file where the folder should be")
    assert embed(["a", "bb"]).shape == (2, 4)


# Nearest


@pytest.fixture(scope="module")
def vectors() -> "np.ndarray[Any, Any]":
    drawn = np.random.default_rng(0).normal(size=(2000, 16)).astype(np.float32)
    return drawn / np.linalg.norm(drawn, axis=1, keepdims=True)


def test_flat_is_numpy(vectors: "np.ndarray[Any, Any]") -> None:
    scores, positions = nearest(flat_index(vectors), vectors[:50], k=7)
    cosine = vectors[:50] @ vectors.T
    expected = np.argsort(-cosine, axis=1, kind="stable")[:, :7]
    assert (positions == expected).all()
    np.testing.assert_allclose(scores, np.take_along_axis(cosine, expected, axis=1), atol=1e-5)


def test_hnsw_finds_nearly_all_and_more_with_a_wider_search(
    vectors: "np.ndarray[Any, Any]",
) -> None:
    _, exact = nearest(flat_index(vectors), vectors[:200], k=10)
    found = {}
    for ef_search in (10, 200):
        index = hnsw_index(vectors, m=8, ef_construction=40, ef_search=ef_search)
        found[ef_search] = recall(nearest(index, vectors[:200], k=10)[1], exact)
    assert found[10] < found[200] and found[200] > 0.99


def test_hnsw_built_twice_is_the_same(vectors: "np.ndarray[Any, Any]") -> None:
    lists = [nearest(hnsw_index(vectors[:500]), vectors[:50], k=5)[1] for _ in range(2)]
    assert (lists[0] == lists[1]).all()


def test_recall_counts_shared_neighbours() -> None:
    assert recall(np.array([[1, 2], [3, -1]]), np.array([[2, 1], [3, 4]])) == 0.75
    with pytest.raises(EcomTutorError, match="one shape"):
        recall(np.zeros((1, 2)), np.zeros((2, 2)))


def test_doors_of_the_index(vectors: "np.ndarray[Any, Any]") -> None:
    index = flat_index(vectors[:5])
    for bad in (np.zeros(3), np.zeros((0, 4)), np.array([[np.nan, 1.0]])):
        with pytest.raises(EcomTutorError, match="finite numbers"):
            flat_index(bad)
    with pytest.raises(EcomTutorError, match="width"):
        nearest(index, np.ones((1, 3)))
    for k in (0, 6):
        with pytest.raises(EcomTutorError, match="size of the index"):
            nearest(index, vectors[:1], k=k)
    with pytest.raises(EcomTutorError, match="at least 1"):
        hnsw_index(vectors, m=0)


# The tower


def bought(pairs: list[tuple[int, int]], households: int, texts: list[str]) -> Purchases:
    """A small shop: (household, product) lines, one a day."""
    import pandas as pd

    lines = pd.DataFrame(pairs, columns=["household", "product"])
    lines = lines.assign(week=1, day=np.arange(len(lines), dtype="float32") / len(lines))
    products = pd.DataFrame({"product_id": 100 + np.arange(len(texts)), "text": texts})
    return Purchases(lines, 1 + np.arange(households), products, 2)


SHOP = [
    "dog food, dry, 20 lb", "dog food, dry, 20 lb", "dog toys", "cat food, canned", "red wine",
    "white wine, 750 ml", "bananas, tropical fruit",
]  # fmt: skip
LINES = [(0, 0), (0, 2), (1, 4), (2, 6), (2, 0), (2, 0), (1, 6), (0, 6)]


@pytest.fixture(scope="module")
def shop() -> Purchases:
    return bought(LINES, 4, SHOP)


@pytest.fixture(scope="module")
def tower(shop: Purchases) -> TextTower:
    return TextTower(popularity_weight=0, bf16=False).fit(shop)  # type: ignore[return-value]


def test_scores_are_inner_products_of_the_two_towers(shop: Purchases) -> None:
    tower = TextTower(popularity_weight=2, bf16=False)
    scores = tower.fit(shop).score()
    assert scores.shape == (4, 7) and scores.dtype == np.float32
    by_hand = tower.household_vectors(shop) @ tower.product_vectors.T
    np.testing.assert_allclose(scores, by_hand, atol=1e-5)
    _, positions = nearest(flat_index(tower.product_vectors), tower.household_vectors(shop), k=3)
    found = np.take_along_axis(scores, positions, axis=1)
    np.testing.assert_allclose(found, -np.sort(-scores, axis=1)[:, :3], atol=1e-5)


def test_a_household_is_the_mean_of_what_it_bought(tower: TextTower, shop: Purchases) -> None:
    vectors = tower.text_vectors[tower.text_of]
    expected = np.log(2) * (vectors[0] + vectors[2] + vectors[6])
    expected /= np.linalg.norm(expected)
    np.testing.assert_allclose(tower.household_vectors(shop)[0, :-1], expected, atol=1e-5)


def test_log_counts_half_life_and_idf_change_the_mean(shop: Purchases) -> None:
    vectors = {
        name: TextTower(popularity_weight=0, bf16=False, **settings).fit(shop).score()  # type: ignore[arg-type]
        for name, settings in {
            "log": {},
            "counts": {"log_counts": False},
            "recent": {"half_life_weeks": 0.05},
            "rare": {"idf": True},
        }.items()
    }
    household = 2  # bought bananas once and dog food twice
    assert vectors["counts"][household, 0] > vectors["log"][household, 0]
    assert vectors["rare"][household, 6] < vectors["log"][household, 6]
    assert not np.allclose(vectors["recent"], vectors["log"])


def test_what_reads_alike_comes_first(tower: TextTower) -> None:
    wine = tower.recommend(2, k=1, exclude="bought").table  # household 2 bought wine and bananas
    assert wine["text"][0] == "white wine, 750 ml"


def test_an_empty_history_is_what_is_popular(shop: Purchases) -> None:
    tower = TextTower(popularity_weight=1, bf16=False).fit(shop)
    scores = tower.score()[3]
    assert np.argmax(scores) == np.argmax(popularity(shop)) == 6
    recommended = tower.recommend(4, k=2)
    assert "empty" in recommended.note and recommended.table["product_id"][0] == 106


def test_a_product_that_nobody_bought_is_scored_by_its_text(
    tower: TextTower, shop: Purchases
) -> None:
    scores = tower.score_texts(shop, ["dog treats", "motor oil"])
    assert scores.shape == (4, 2) and scores[0, 0] > scores[0, 1]
    known = tower.score_texts(shop, SHOP)
    np.testing.assert_allclose(known, tower.score(), atol=1e-4)


def test_later_purchases_do_not_reach_it(shop: Purchases) -> None:
    whole = bought([*LINES, (3, 5), (0, 5)], 4, SHOP)
    whole.lines.loc[len(LINES) :, "week"] = 9
    early = whole.until(2)
    scores = TextTower(bf16=False).fit(early).score()
    np.testing.assert_allclose(scores, TextTower(bf16=False).fit(shop).score(), atol=1e-6)


def test_similar_products(tower: TextTower) -> None:
    similar = tower.similar_products(100, k=3)
    assert similar["text"][0] in ("dog toys", "cat food, canned")
    assert 101 not in set(similar["product_id"]) and similar["score"].is_monotonic_decreasing
    every = tower.similar_products(100, k=99, one_of_each_text=False)
    assert every["product_id"][0] == 101 and len(every) == 6
    with pytest.raises(EcomTutorError, match="no product 5"):
        tower.similar_products(5)
    with pytest.raises(EcomTutorError, match="at least 1"):
        tower.similar_products(100, k=0)


def test_doors_of_the_tower(shop: Purchases) -> None:
    with pytest.raises(EcomTutorError, match="Whitening"):
        TextTower(whitening=2)
    with pytest.raises(EcomTutorError, match="weight"):
        TextTower(popularity_weight=-1)
    with pytest.raises(EcomTutorError, match="learned nothing"):
        TextTower().score_texts(shop, ["a"])


@pytest.mark.parametrize("whitening", [None, 0.5, 1.0])
def test_whitening_keeps_unit_vectors(whitening: float | None, shop: Purchases) -> None:
    tower = TextTower(whitening=whitening, bf16=False)
    tower.fit(shop)
    np.testing.assert_allclose(np.linalg.norm(tower.text_vectors, axis=1), 1, atol=1e-4)


def test_the_package_imports_no_heavy_library() -> None:
    import subprocess
    import sys

    code = (
        "import sys, ecomtutor.recommendation;"
        "print([m for m in ('torch', 'faiss', 'implicit', 'lightgbm') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=os.environ
    )
    assert done.stdout.strip() == "[]"
