"""How good recommended lists are: the field's measures at k, by ir_measures, and three of reach.

NDCG, recall, hit rate and reciprocal rank say whether the household bought what it was shown.
Coverage, novelty and the share of new products say what kind of list it was.
"""

from typing import TYPE_CHECKING, Any

import numpy as np

from ecomtutor.errors import EcomTutorError

if TYPE_CHECKING:
    import pandas as pd
    from scipy.sparse import csr_array


def ranking_by_household(
    lists: "np.ndarray[Any, Any]", wanted: "csr_array", k: int = 10
) -> "pd.DataFrame":
    """NDCG, recall, hit rate and reciprocal rank at k of each household that bought anything.

    Args:
        lists: positions of recommended products, best first, -1 for none: (households, ≥ k).
        wanted: (households, products), nonzero where the household bought.
        k: how many of each list count.

    Returns:
        A table with one row a household (its position is the index): ndcg, recall, hit, rr.

    Raises:
        EcomTutorError: lists of another number of households, or shorter than k.

    Source: Järvelin and Kekäläinen (2002); computed by ir_measures (MacAvaney and others, 2022).
    """
    import ir_measures
    import pandas as pd
    from ir_measures import RR, R, Success, nDCG

    if lists.shape[0] != wanted.shape[0] or lists.shape[1] < k:
        raise EcomTutorError(
            f"Lists of {wanted.shape[0]} households with at least {k} products were expected; "
            f"{lists.shape} came."
        )
    names = {nDCG @ k: "ndcg", R @ k: "recall", Success @ k: "hit", RR @ k: "rr"}
    household, place = (lists[:, :k] >= 0).nonzero()
    run = _frame(household, lists[household, place], "score", k - place.astype(float))
    true = wanted.tocoo()
    judged = _frame(true.row, true.col, "relevance", np.ones(true.nnz, dtype=int))
    found = [(int(m.query_id), names[m.measure], m.value)
             for m in ir_measures.iter_calc(list(names), judged, run)]  # fmt: skip
    table = pd.DataFrame(found, columns=["household", "measure", "value"])
    wide = table.pivot(index="household", columns="measure", values="value")
    return wide.reindex(np.unique(true.row), fill_value=0.0)[list(names.values())]


def ranking_metrics(
    lists: "np.ndarray[Any, Any]",
    wanted: "csr_array",
    buyers: "np.ndarray[Any, Any]",
    k: int = 10,
    households: int | None = None,
) -> dict[str, float]:
    """The means over households, and what the lists reach.

    Args:
        buyers: (products,) how many households had bought each product before: for novelty.
        households: how many those buyers were counted among; None: as many as there are lists.

    Returns:
        ndcg, recall, hit, rr: means over households that bought anything in the weeks to predict;
        coverage: share of the catalogue that stands in any list; novelty: mean surprise of a
        recommended product in bits, -log2 of the share of households that had bought it.
    """
    table = ranking_by_household(lists, wanted, k)
    shown = lists[:, :k][lists[:, :k] >= 0]
    everybody = wanted.shape[0] if households is None else households
    share = (buyers + 1) / (everybody + 1)  # never bought: finite surprise
    return {
        **table.mean().to_dict(),
        "coverage": len(np.unique(shown)) / wanted.shape[1],
        "novelty": float(-np.log2(share[shown]).mean()),
    }


def _frame(
    household: "np.ndarray[Any, Any]", product: "np.ndarray[Any, Any]", column: str, values: Any
) -> "pd.DataFrame":
    import pandas as pd

    return pd.DataFrame(
        {"query_id": household.astype(str), "doc_id": product.astype(str), column: values}
    )
