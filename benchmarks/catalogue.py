"""A whole catalogue as vectors, and what it costs to search one: ours against the field's package.

    python benchmarks/catalogue.py [embedding] [index] [--peer FOLDER] [--small]

embedding: all product texts of the journeys, by `recommendation.embed` without its cache and by
sentence-transformers as a reader would call it, `SentenceTransformer(…).encode(texts)`, on the same
MiniLM. sentence-transformers is no dependency of the course. Put it beside:

    python -m pip install --no-deps --target build/peer sentence-transformers==6.2.0
    python benchmarks/catalogue.py --peer build/peer

It embeds every text, copies too, so a random sample of the texts shows its speed on all of them;
the two take turns. Two ratios: on the catalogue as it is, where most texts are copies, and on
distinct texts alone.

index: the cost of finding ten of 10^3 to 10^6 products for a household, by FAISS flat and HNSW, and
the share of the exact ten that HNSW finds. Vectors are the first 128 principal directions of
MiniLM's. Up to the 20,768 distinct texts of the journeys they are real. Beyond, each synthetic
product lies at a random place between two real ones of the same product category, with noise as
large as the nearest real neighbours are apart. Queries are the households' means.

Ratios are of wall time; in brackets of CPU time, which a busy machine disturbs less. Run alone.
--small takes few texts and small catalogues, without the package where it is not, to see that it
runs.
"""

import argparse
import statistics
import sys
import time
import warnings
from typing import Any

import numpy as np
import pandas as pd

from ecomtutor.datasets import journeys
from ecomtutor.embeddings import embed
from ecomtutor.models import load_encoder
from ecomtutor.recommendation import training_purchases
from ecomtutor.recommendation.nearest import flat_index, hnsw_index, nearest, recall
from ecomtutor.recommendation.purchases import product_texts

TURNS = 3
SAMPLE = 3000  # texts that the peer embeds in a turn
SMALL = 200  # texts of a small run; the peer embeds a quarter
SIZES = (1_000, 10_000, 100_000, 1_000_000)
WIDTH, QUERIES, K = 128, 500, 10
M, EF_CONSTRUCTION, EF_SEARCHES = 16, 64, (16, 64, 256)
HOW_TO = (
    "sentence-transformers is not here. Put it beside: python -m pip install --no-deps --target "
    "build/peer sentence-transformers==6.2.0; then add --peer build/peer"
)


class Watch:
    """Wall and CPU seconds of what ran in its `with` block."""

    def __enter__(self) -> "Watch":
        self.wall, self.cpu = time.perf_counter(), time.process_time()
        return self

    def __exit__(self, *_: object) -> None:
        self.wall, self.cpu = time.perf_counter() - self.wall, time.process_time() - self.cpu


def peer(folder: str | None) -> Any:
    """The package's model on the same weights: mean of the tokens, of length 1. None without it."""
    if folder:
        sys.path.append(folder)
    try:
        import sentence_transformers as st
        from sentence_transformers.sentence_transformer import modules
    except ImportError:
        return None
    print(f"sentence-transformers {st.__version__}")
    where = str(load_encoder("en").located.folder)
    words = modules.Transformer(where, max_seq_length=256)
    pooling = modules.Pooling(words.get_word_embedding_dimension(), pooling_mode="mean")
    return st.SentenceTransformer(modules=[words, pooling, modules.Normalize()], device="cpu")


def embedding(folder: str | None, small: bool) -> None:
    """Texts a second, ours and the peer's, and how far apart the vectors are."""
    texts = product_texts(journeys().products)
    distinct = list(dict.fromkeys(texts))
    print(f"{len(texts):,} product texts, {len(distinct):,} distinct")
    rng = np.random.default_rng(0)
    if small:
        texts = [texts[i] for i in rng.choice(len(texts), SMALL, replace=False)]
        distinct = list(dict.fromkeys(texts))
        print(f"  {len(texts):,} of them, {len(distinct):,} distinct")
    model = peer(folder)
    if model is None and not small:
        raise SystemExit(HOW_TO)
    size = SMALL // 4 if small else SAMPLE
    samples = {
        "as they are": [texts[i] for i in rng.choice(len(texts), size, replace=False)],
        "distinct": [distinct[i] for i in rng.choice(len(distinct), size, replace=False)],
    }
    if model is None:
        print("  sentence-transformers is not here: ours alone")
    else:
        model.encode(samples["distinct"][:64])
    speed: dict[str, list[tuple[float, float]]] = {}
    for turn in range(1 if small else TURNS):
        for name, sample in samples.items() if model is not None else ():
            with Watch() as watch:
                model.encode(sample)
            note(speed, f"theirs, {name}", len(sample), watch)
        # The whole catalogue in fp32 takes the longest and varies least: once is enough.
        for half in (True, False) if turn == 0 else (True,):
            with Watch() as watch:
                embed(texts, bf16=half, keep=False, progress=False)
            kind = "bf16" if half else "fp32"
            note(speed, f"ours {kind}, as they are", len(texts), watch)
            note(speed, f"ours {kind}, distinct", len(distinct), watch)
    for name, rates in speed.items():
        print(f"  {name:24} {statistics.median(r for r, _ in rates):8,.0f} texts/s")
    if model is None:
        return
    for name in samples:
        for kind in ("bf16", "fp32"):
            ours, theirs = speed[f"ours {kind}, {name}"], speed[f"theirs, {name}"]
            wall, cpu = (
                statistics.median(a[i] / b[i] for a, b in zip(ours, theirs, strict=False))
                for i in (0, 1)
            )
            print(f"  ours {kind} against theirs, {name:12} {wall:6.1f} x   ({cpu:5.1f} x CPU)")
    apart(model, samples["distinct"])


def note(speed: dict[str, Any], name: str, texts: int, watch: Watch) -> None:
    speed.setdefault(name, []).append((texts / watch.wall, texts / watch.cpu))


def apart(model: Any, sample: list[str]) -> None:
    """One minus the cosine between our vectors and the peer's: the largest and the mean."""
    theirs = model.encode(sample)
    theirs /= np.linalg.norm(theirs, axis=1, keepdims=True)
    for kind, half in (("bf16", True), ("fp32", False)):
        ours = embed(sample, bf16=half, keep=False, progress=False)
        error = 1 - (ours.astype(np.float64) * theirs).sum(axis=1)
        print(f"  cosine error {kind}: largest {error.max():.1e}, mean {error.mean():.1e}")


def index(small: bool) -> None:
    """Flat and HNSW on catalogues of growing size."""
    real, groups, queries = real_vectors(small)
    print(f"{len(real):,} real vectors, {len(queries)} households; m {M}, "
          f"ef_construction {EF_CONSTRUCTION}, k {K}")  # fmt: skip
    for size in SIZES[:2] if small else SIZES:
        vectors = catalogue_of(size, real, groups)
        kind = "real" if size <= len(real) else "synthetic beyond the real ones"
        with Watch() as watch:
            flat = flat_index(vectors)
            exact = nearest(flat, queries, K)[1]
        together = watch.wall / len(queries)
        with Watch() as watch:
            for query in queries[:50]:
                nearest(flat, query[None], K)
        print(f"{size:,} products ({kind})")
        print(f"  flat              {1e3 * watch.wall / 50:8.3f} ms a query, "
              f"{1e3 * together:.3f} ms in one batch, {vectors.nbytes / 1e6:,.0f} MB")  # fmt: skip
        del flat
        graph(vectors, queries, exact)


def graph(
    vectors: "np.ndarray[Any, Any]", queries: "np.ndarray[Any, Any]", exact: "np.ndarray[Any, Any]"
) -> None:
    """HNSW at several widths of search: time and recall."""
    with Watch() as watch:
        made = hnsw_index(vectors, M, EF_CONSTRUCTION, threads=None)
    size = vectors.nbytes + len(vectors) * M * 2 * 4
    print(f"  HNSW built in     {watch.wall:8.1f} s, about {size / 1e6:,.0f} MB")
    for width in EF_SEARCHES:
        made.hnsw.efSearch = width
        with Watch() as watch:
            for query in queries[:50]:
                nearest(made, query[None], K)
        found = nearest(made, queries, K)[1]
        print(f"  HNSW ef_search {width:3} {1e3 * watch.wall / 50:8.3f} ms a query, "
              f"recall@{K} {recall(found, exact):.3f}")  # fmt: skip


def real_vectors(small: bool) -> tuple[Any, Any, Any]:
    """Distinct product texts as vectors, their product categories, and the households."""
    table = journeys().products
    texts = np.array(product_texts(table))
    distinct, first = np.unique(texts, return_index=True)
    if small:
        chosen = np.random.default_rng(0).choice(len(distinct), SMALL, replace=False)
        distinct, first = distinct[chosen], first[chosen]
    vectors = embed(distinct.tolist(), bf16=True, keep=not small)
    groups = pd.factorize(table["product_category"].astype(object))[0][first]
    mean = vectors.mean(axis=0)
    _, sizes, directions = np.linalg.svd(vectors - mean, full_matrices=False)
    kept = (sizes[:WIDTH] ** 2).sum() / (sizes**2).sum()
    print(f"{WIDTH} of {vectors.shape[1]} directions keep {kept:.0%} of the variance")
    turn = directions[:WIDTH].T
    real = unit((vectors - mean) @ turn)
    known = training_purchases()
    place = {text: row for row, text in enumerate(distinct)}
    rows = np.array([place.get(text, -1) for text in known.products["text"]])
    counts = known.counts()[:, rows >= 0]
    households = counts @ real[rows[rows >= 0]]
    bought = np.flatnonzero(np.abs(households).sum(axis=1))
    chosen = np.random.default_rng(1).choice(bought, min(QUERIES, len(bought)), replace=False)
    return real, groups, unit(households[chosen])


def catalogue_of(size: int, real: Any, groups: Any) -> "np.ndarray[Any, Any]":
    """So many products: real ones, and beyond them synthetic ones between real neighbours."""
    rng = np.random.default_rng(2)
    if size <= len(real):
        return real[rng.choice(len(real), size, replace=False)]
    order = np.argsort(groups, kind="stable")
    bounds = np.flatnonzero(np.r_[True, groups[order][1:] != groups[order][:-1], True])
    group_of = np.searchsorted(bounds, np.arange(len(order)), side="right") - 1
    made = np.empty((size, real.shape[1]), dtype=np.float32)
    made[: len(real)] = real
    noise = spacing(real) / np.sqrt(real.shape[1])
    for start in range(len(real), size, 50_000):
        stop = min(start + 50_000, size)
        at = rng.integers(0, len(order), stop - start)
        low, high = bounds[group_of[at]], bounds[group_of[at] + 1]
        other = order[rng.integers(low, high)]
        share = rng.uniform(0, 1, (stop - start, 1)).astype(np.float32)
        mixed = share * real[order[at]] + (1 - share) * real[other]
        made[start:stop] = unit(mixed + noise * rng.standard_normal(mixed.shape, np.float32))
    return made


def spacing(real: Any) -> float:
    """How far a real vector is from its nearest neighbour, in the median."""
    cosine, _ = nearest(flat_index(real), real[:500], 2)
    return float(np.median(np.sqrt(np.maximum(2 - 2 * cosine[:, 1], 0))))


def unit(vectors: Any) -> Any:
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("part", nargs="*", choices=["embedding", "index", []], default=[])
    parser.add_argument("--peer", help="folder with sentence-transformers")
    parser.add_argument(
        "--small", action="store_true", help="tiny sizes, to see that it runs: not a measurement"
    )
    chosen = parser.parse_args()
    warnings.filterwarnings("ignore", category=FutureWarning)
    if chosen.small:
        print("small: not a measurement")
    parts = chosen.part or ["embedding", "index"]
    if "embedding" in parts:
        embedding(chosen.peer, chosen.small)
    if "index" in parts:
        index(chosen.small)


if __name__ == "__main__":
    main()
