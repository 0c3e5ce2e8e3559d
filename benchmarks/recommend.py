"""All recommenders and the packages that shops install, on the same split, in one run.

    python benchmarks/recommend.py [NAME …] [--write] [--file FILE] [--small]

Each one runs in a process of its own: seconds to fit on weeks 1–45, seconds to score all
households × all products, the most memory that the process held, and on the test weeks NDCG,
recall, hit rate, reciprocal rank, coverage and novelty at 10 for both tasks. The peers are
implicit's models with their defaults, on counts, and the text tower as plain
sentence-transformers with FAISS (left out where `sentence_transformers` cannot be imported; put it
on PYTHONPATH as benchmarks/catalogue.py says). Shipped weights are loaded: their cards say how long
they trained. The text tower takes its vectors from the cache where they are. What reads a text for
every pair, the cross-encoder, and the language model are measured on samples of households, on
their cards. --write keeps the rows in data/experiments, or in FILE. Run alone. --small has forty
households and, unless named, three recommenders, to see that it runs.
"""

import argparse
import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from ecomtutor.datasets.store import data_dir
from ecomtutor.metrics.ranking import ranking_metrics
from ecomtutor.recommendation import (
    OwnFrequency,
    Popularity,
    Purchases,
    Recommender,
    best,
    evaluate,
    popularity,
    training_purchases,
    wanted,
)

TASKS = ("next", "discovery")
SEED = 0
SMALL, OF_THEM = 40, ("peer: item-kNN", "own frequency", "sequence transformer")


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


def purchases(small: bool) -> Purchases:
    """Weeks 1–45: of all households, or of a few."""
    known = training_purchases()
    return known.block(0, SMALL) if small else known


def shipped(known: Purchases) -> dict[str, Callable[[], Recommender]]:
    """Name → a recommender with shipped weights, which listens to these purchases."""
    from ecomtutor.recommendation.hybrid import load_hybrid
    from ecomtutor.recommendation.sequences import load_sequence_recommender

    return {
        "sequence transformer": load_sequence_recommender,
        "hybrid, next": lambda: load_hybrid("next", known),
        "hybrid, discovery": lambda: load_hybrid("discovery", known),
    }


def peer_factors(kind: str, known: Purchases) -> tuple[float, float, dict[str, np.ndarray]]:
    """implicit's model with its defaults: seconds to fit, seconds to score, lists by task."""
    import implicit
    from scipy.sparse import csr_matrix
    from threadpoolctl import threadpool_limits

    matrix = csr_matrix(known.counts())
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


def peer_text_tower(known: Purchases) -> tuple[float, float, dict[str, np.ndarray]]:
    """Product texts by sentence-transformers, the mean of a history looked up in FAISS."""
    import faiss
    from sentence_transformers import SentenceTransformer

    from ecomtutor.models import load_encoder

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


def measured(name: str, small: bool) -> dict[str, Any]:
    """Everything about one recommender."""
    row: dict[str, Any] = {"model": name}
    known = purchases(small)
    if name.startswith("peer: "):
        kind = name.removeprefix("peer: ")
        how = peer_text_tower(known) if kind == "text tower" else peer_factors(kind, known)
        row["fit_seconds"], row["score_seconds"], lists = how
        bought = popularity(training_purchases())
        for task in TASKS:
            truth = wanted(task, "test")[: len(known.households)]
            row[task] = ranking_metrics(lists[task], truth, bought)
    else:
        start = time.perf_counter()
        model = ours()[name]().fit(known) if name in ours() else shipped(known)[name]()
        row["fit_seconds"] = time.perf_counter() - start
        start = time.perf_counter()
        scores = model.score(known.households.tolist() if small else None)
        best(scores, 10)
        row["score_seconds"] = time.perf_counter() - start
        for task in TASKS:
            row[task] = evaluate(
                scores, task, "test", households=known.households if small else None
            )
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
    parser.add_argument("--write", action="store_true", help="keep the rows")
    parser.add_argument("--file", type=Path, help="unless given, recommenders.csv in the data")
    parser.add_argument(
        "--small", action="store_true", help="tiny sizes, to see that it runs: not a measurement"
    )
    given = parser.parse_args()
    if given.one:
        print(json.dumps(measured(given.one, given.small), default=float))
        return
    if given.small and given.write and not given.file:
        parser.error("a small run is no measurement: name a --file to write it to")
    if given.small:
        print("small: not a measurement")
    rows, failed = [], []
    print(f"{'':24} {'NDCG@10':>16} {'fit':>8} {'score':>8} {'memory':>8}")
    print(f"{'':24} {'next':>7} {'discov.':>8}")
    for name in given.names or (OF_THEM if given.small else everybody()):
        command = [sys.executable, "-W", "ignore", __file__, "--one", name]
        command += ["--small"] if given.small else []
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            print(f"{name:24} failed: {done.stderr.strip().splitlines()[-1]}")
            failed.append(name)
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
        keep(rows, given.file or data_dir() / "experiments" / "recommenders.csv")
    if failed:
        raise SystemExit(f"failed: {', '.join(failed)}")


def everybody() -> list[str]:
    """All names, in the order of the table."""
    peers = ["peer: item-kNN", "peer: ALS", "peer: BPR"]
    if find_spec("sentence_transformers"):
        peers.append("peer: text tower")
    return [*peers, *ours(), *shipped(training_purchases())]


def keep(rows: list[dict[str, Any]], file: Path) -> None:
    """Write the rows; those of other recommenders stay."""
    import pandas as pd

    kept = pd.read_csv(file) if file.is_file() else pd.DataFrame(columns=["model"])
    kept = kept[~kept["model"].isin([row["model"] for row in rows])]
    pd.concat([kept, pd.DataFrame(rows).round(4)]).to_csv(file, index=False)


if __name__ == "__main__":
    main()
