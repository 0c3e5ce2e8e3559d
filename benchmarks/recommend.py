"""All recommenders and the packages that shops install, on the same split, in one run.

    python benchmarks/recommend.py [NAME …] [--write]

Each one runs in a process of its own: seconds to fit on weeks 1–45, seconds to score all
households × all products, the most memory that the process held, and on the test weeks NDCG,
recall, hit rate, reciprocal rank, coverage and novelty at 10 for both tasks. The peers are
implicit's models with their defaults, on counts, and the text tower as plain
sentence-transformers with FAISS (left out where `sentence_transformers` cannot be imported; put it
on PYTHONPATH as benchmarks/catalogue.py says). Shipped weights are loaded: their cards say how long
they trained. The text tower takes its vectors from the cache where they are. What reads a text for
every pair, the cross-encoder, and the language model are measured on samples of households, on
their cards. --write keeps the rows in data/experiments. Run alone.
"""

import argparse
import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

import numpy as np

from ecomtutor.datasets.store import data_dir
from ecomtutor.metrics.ranking import ranking_metrics
from ecomtutor.recommendation import (
    OwnFrequency,
    Popularity,
    Recommender,
    best,
    evaluate,
    popularity,
    training_purchases,
    wanted,
)

TASKS = ("next", "discovery")
SEED = 0


def ours() -> dict[str, Callable[[], Recommender]]:
    """Name → a recommender that has not learned yet."""
    from ecomtutor.recommendation.factors import ALS, BPR
    from ecomtutor.recommendation.neighbours import AssociationRules, Ease, ItemKNN
    from ecomtutor.recommendation.text_towers import TextTower

    return {
        "popularity": Popularity,
        "own frequency": OwnFrequency,
        "own frequency, decayed": lambda: OwnFrequency(17),
        "item-kNN": ItemKNN,
        "association rules": AssociationRules,
        "ALS": ALS,
        "BPR": BPR,
        "EASE": Ease,
        "text tower": TextTower,
    }


def shipped() -> dict[str, Callable[[], Recommender]]:
    """Name → a recommender with shipped weights."""
    from ecomtutor.recommendation.hybrid import load_hybrid
    from ecomtutor.recommendation.sequences import load_sequence_recommender

    return {
        "sequence transformer": load_sequence_recommender,
        "hybrid, next": lambda: load_hybrid("next"),
        "hybrid, discovery": lambda: load_hybrid("discovery"),
    }


def peer_factors(kind: str) -> tuple[float, float, dict[str, np.ndarray]]:
    """implicit's model with its defaults: seconds to fit, seconds to score, lists by task."""
    import implicit
    from scipy.sparse import csr_matrix
    from threadpoolctl import threadpool_limits

    matrix = csr_matrix(training_purchases().counts())
    model = {
        "ALS": lambda: implicit.als.AlternatingLeastSquares(random_state=SEED),
        "BPR": lambda: implicit.bpr.BayesianPersonalizedRanking(random_state=SEED),
        "item-kNN": lambda: implicit.nearest_neighbours.CosineRecommender(),
    }[kind]()
    with threadpool_limits(1, "blas"):
        start = time.perf_counter()
        model.fit(matrix, show_progress=False)
        fitted = time.perf_counter()
        everybody, lists = np.arange(matrix.shape[0]), {}
        for task in TASKS:
            lists[task], _ = model.recommend(
                everybody, matrix, N=10, filter_already_liked_items=task == "discovery"
            )
        scored = (time.perf_counter() - fitted) / len(TASKS)
    return fitted - start, scored, lists


def peer_text_tower() -> tuple[float, float, dict[str, np.ndarray]]:
    """Product texts by sentence-transformers, the mean of a history looked up in FAISS."""
    import faiss
    from sentence_transformers import SentenceTransformer

    from ecomtutor.models import load_encoder

    known = training_purchases()
    counts = known.counts()
    start = time.perf_counter()
    encoder = SentenceTransformer(str(load_encoder("en").located.folder), device="cpu")
    vectors = encoder.encode(list(known.products["text"]), normalize_embeddings=True)
    index = faiss.IndexFlatIP(vectors.shape[1])
    index.add(vectors)
    fitted = time.perf_counter()
    households = np.asarray(counts @ vectors, dtype=np.float32)
    _, found = index.search(households, 2000)
    lists = {"next": found[:, :10], "discovery": np.full((len(found), 10), -1)}
    for row, products in enumerate(found):
        bought = counts.indices[counts.indptr[row] : counts.indptr[row + 1]]
        new = products[~np.isin(products, bought)][:10]
        lists["discovery"][row, : len(new)] = new
    return fitted - start, time.perf_counter() - fitted, lists


def measured(name: str) -> dict[str, Any]:
    """Everything about one recommender."""
    row: dict[str, Any] = {"model": name}
    if name.startswith("peer: "):
        kind = name.removeprefix("peer: ")
        how = peer_text_tower() if kind == "text tower" else peer_factors(kind)
        row["fit_seconds"], row["score_seconds"], lists = how
        bought = popularity(training_purchases())
        for task in TASKS:
            row[task] = ranking_metrics(lists[task], wanted(task, "test"), bought)
    else:
        known = training_purchases()
        start = time.perf_counter()
        model = ours()[name]().fit(known) if name in ours() else shipped()[name]()
        row["fit_seconds"] = time.perf_counter() - start
        start = time.perf_counter()
        scores = model.score()
        best(scores, 10)
        row["score_seconds"] = time.perf_counter() - start
        for task in TASKS:
            row[task] = evaluate(scores, task, "test")
    kilobytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    row["peak_gigabytes"] = kilobytes / 1024**2
    return row


def flat(row: dict[str, Any]) -> dict[str, Any]:
    """One level: next_ndcg, discovery_ndcg, …"""
    out = {name: value for name, value in row.items() if name not in TASKS}
    for task in TASKS:
        out |= {f"{task}_{measure}": value for measure, value in row[task].items()}
    return out


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    parser.add_argument("--write", action="store_true")
    given = parser.parse_args()
    if given.one:
        print(json.dumps(measured(given.one), default=float))
        return
    peers = ["peer: item-kNN", "peer: ALS", "peer: BPR"]
    if find_spec("sentence_transformers"):
        peers.append("peer: text tower")
    rows = []
    print(f"{'':24} {'NDCG@10':>16} {'fit':>8} {'score':>8} {'memory':>8}")
    print(f"{'':24} {'next':>7} {'discov.':>8}")
    for name in given.names or [*peers, *ours(), *shipped()]:
        command = [sys.executable, "-W", "ignore", __file__, "--one", name]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            print(f"{name:24} failed: {done.stderr.strip().splitlines()[-1]}")
            continue
        row = json.loads(done.stdout.splitlines()[-1])
        rows.append(flat(row))
        print(
            f"{name:24} {row['next']['ndcg']:7.3f} {row['discovery']['ndcg']:8.3f} "
            f"{row['fit_seconds']:7.1f}s {row['score_seconds']:7.1f}s "
            f"{row['peak_gigabytes']:5.1f} GB",
            flush=True,
        )
    if given.write:
        import pandas as pd

        file = data_dir() / "experiments" / "recommenders.csv"
        kept = pd.read_csv(file) if file.is_file() else pd.DataFrame(columns=["model"])
        kept = kept[~kept["model"].isin([row["model"] for row in rows])]
        pd.concat([kept, pd.DataFrame(rows).round(4)]).to_csv(file, index=False)


if __name__ == "__main__":
    main()
