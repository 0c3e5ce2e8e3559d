"""The nearest of many vectors, by FAISS: exactly (flat), or nearly and much faster (HNSW).

FAISS and torch bring an OpenMP runtime each. They take turns here, and FAISS gets as many threads
as torch has. On Linux the idle threads of one can still spin beside the other:
`OMP_WAIT_POLICY=PASSIVE`, set before Python starts, ends that. On macOS two runtimes in one process
abort or crash (faiss-wheels issue 73); there FAISS gets one thread and leave to load its own.
"""

import os
import sys
from functools import cache
from typing import Any

import numpy as np

from ecomtutor.errors import EcomTutorError


def flat_index(vectors: "np.ndarray[Any, Any]") -> Any:
    """An index that compares a query with every vector: exact, inner product.

    Args:
        vectors: (products, dim), of length 1 where the inner product shall be the cosine.

    Raises:
        EcomTutorError: not a table of finite numbers.
    """
    vectors = _checked(vectors)
    index = _faiss().IndexFlatIP(vectors.shape[1])
    index.add(vectors)
    return index


def hnsw_index(
    vectors: "np.ndarray[Any, Any]",
    m: int = 32,
    ef_construction: int = 100,
    ef_search: int = 64,
    threads: int | None = 1,
) -> Any:
    """An index that walks a graph of neighbours: hierarchical navigable small world.

    Args:
        vectors: (products, dim), of length 1.
        m: neighbours of a vector in the graph; more: better recall, more memory (about 8 · m bytes
            a vector), slower building.
        ef_construction: how many candidates are looked at when a vector is put in.
        ef_search: how many when one is looked for; at least k. More: better recall, slower.
        threads: for building. With one the graph is the same each time; None: all there are.

    Raises:
        EcomTutorError: not a table of finite numbers, or settings below 1.

    Source:
        Malkov and Yashunin (2020), IEEE TPAMI 42(4); the implementation is FAISS'.
    """
    if min(m, ef_construction, ef_search) < 1:
        raise EcomTutorError(
            f"m, ef_construction and ef_search are at least 1; "
            f"{(m, ef_construction, ef_search)} came."
        )
    vectors, faiss = _checked(vectors), _faiss()
    index = faiss.IndexHNSWFlat(vectors.shape[1], m, faiss.METRIC_INNER_PRODUCT)
    index.hnsw.efConstruction, index.hnsw.efSearch = ef_construction, ef_search
    before = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(threads or before)
    try:
        index.add(vectors)
    finally:
        faiss.omp_set_num_threads(before)
    return index


def nearest(
    index: Any, queries: "np.ndarray[Any, Any]", k: int = 10
) -> "tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]":
    """The k nearest vectors of each query, nearest first.

    Args:
        index: from `flat_index` or `hnsw_index`.
        queries: (queries, dim).
        k: how many; at most as many as the index holds.

    Returns:
        Scores, float32, and positions, int64, both (queries, k); -1 where HNSW found no more.

    Raises:
        EcomTutorError: queries of another width, or k below 1 or above the size of the index.
    """
    queries = _checked(queries)
    if queries.shape[1] != index.d:
        raise EcomTutorError(
            f"The index holds vectors of width {index.d}; queries of width {queries.shape[1]} came."
        )
    if not 1 <= k <= index.ntotal:
        raise EcomTutorError(f"k is 1 … {index.ntotal}, the size of the index; {k!r} came.")
    _faiss().omp_set_num_threads(_threads())
    scores, positions = index.search(queries, k)
    return scores, positions


def recall(found: "np.ndarray[Any, Any]", exact: "np.ndarray[Any, Any]") -> float:
    """The share of the exact neighbours that were found: 0 … 1.

    Args:
        found, exact: positions, (queries, k) each.
    """
    if found.shape != exact.shape:
        raise EcomTutorError(f"Two lists of one shape were expected; {found.shape}, {exact.shape}.")
    hits = [len(np.intersect1d(a, b)) for a, b in zip(found, exact, strict=True)]
    return float(np.sum(hits) / exact.size)


def _checked(vectors: "np.ndarray[Any, Any]") -> "np.ndarray[Any, Any]":
    vectors = np.ascontiguousarray(vectors, dtype=np.float32)
    if vectors.ndim != 2 or not vectors.size or not np.isfinite(vectors).all():
        raise EcomTutorError(
            f"A table (vectors, dim) of finite numbers was expected; {vectors.shape} came"
            + ("." if vectors.ndim != 2 or not vectors.size else ", with values that are not.")
        )
    return vectors


def _threads() -> int:
    """As many as torch has; one on macOS, where its threads crash beside torch's."""
    if sys.platform == "darwin":
        return 1
    torch = sys.modules.get("torch")
    return int(torch.get_num_threads()) if torch else _own_threads()


@cache
def _own_threads() -> int:
    return int(_faiss().omp_get_max_threads())


@cache
def _faiss() -> Any:
    if sys.platform == "darwin":
        os.environ.setdefault("KMP_DUPLICATE_LIB_OK", "TRUE")
    import faiss

    if sys.platform == "darwin":
        faiss.omp_set_num_threads(1)
    return faiss
