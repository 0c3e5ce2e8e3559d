"""Matrix products on one thread."""

from typing import Any


def one_thread() -> Any:
    """A context in which BLAS runs on one thread: the same last digits on any number of cores.

    implicit runs threads of its own, and warns of a slow-down where OpenBLAS does so too.
    """
    from threadpoolctl import threadpool_limits

    return threadpool_limits(1, "blas")
