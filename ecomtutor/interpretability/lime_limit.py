"""What LIME tends to when it may draw without end, in closed form: no sample, no seed.

A text has n words, and the model answers 1 while p of them are all there, 0 else: one word
(a linear model), two ("not" and "good"), more (a rule). Sums of such rules make any model of the
words, and what LIME tends to for a sum is the sum of what it tends to for its rules.
"""

import math

import numpy as np

from ecomtutor.errors import EcomTutorError


def together_there(n: int, kernel_width: float = 0.25) -> np.ndarray:
    """a[p], for p from 0 to n: the mean over LIME's draws of nearness × (p given words are there).

    Hiding k of n words, p given ones all stay with probability C(n - p, k) / C(n, k); k is 1 to n
    alike, and the nearness of a text with k words hidden is lime's kernel.
    """
    if n < 1 or kernel_width <= 0:
        raise EcomTutorError(f"n ≥ 1 and kernel_width > 0 are wanted; {n} and {kernel_width} came.")
    hidden = np.arange(1, n + 1)
    distance = 1 - np.sqrt(1 - hidden / n)
    near = np.exp(-(distance**2) / (2 * kernel_width**2))
    stay = [[math.comb(n - p, k) / math.comb(n, k) for k in hidden] for p in range(n + 1)]
    moments: np.ndarray = np.array(stay) @ near / n
    return moments


def lime_limit(n: int, together: int, kernel_width: float = 0.25) -> tuple[float, float]:
    """The weights that LIME tends to for "1 while these `together` of n words are all there".

    Weighted least squares needs only means, variances and covariances of "word is there". By
    symmetry all words have the same, so the n × n system has a closed solution.

    Args:
        n: words of the text.
        together: how many of them the rule wants, 1 to n.
        kernel_width: as in `lime`.

    Returns:
        The weight of each word of the rule, and that of each other word (0.0 if there is none).
        For one word alone 1 and 0; for more the others get some too, although they do nothing;
        for all n words 0, because no draw has them all.

    Raises:
        EcomTutorError: a rule of none or of more words than there are; too narrow a kernel.

    Source:
        Mardaoui and Garreau (2021), An Analysis of LIME for Text Data; solved anew here by the
        centred normal equations.
    """
    if not 1 <= together <= n:
        raise EcomTutorError(f"A rule is about 1 … {n} of {n} words; {together} came.")
    a = together_there(n, kernel_width)
    mean = a[1] / a[0]
    rule = a[together] / a[0]
    of_member = rule * (1 - mean)  # covariance of the rule with one of its own words
    of_other = a[together + 1] / a[0] - mean * rule if together < n else 0.0
    if n == 1:
        return 1.0, 0.0
    variance, shared = mean - mean**2, a[2] / a[0] - mean**2
    apart = variance - shared
    total = together * of_member + (n - together) * of_other
    if apart + n * shared < 1e-12 * apart:
        raise EcomTutorError(
            f"At a kernel width of {kernel_width} only texts with one of {n} words hidden count: "
            "their number of words never varies. Give a larger width."
        )
    common = shared * total / (apart + n * shared)
    other = (of_other - common) / apart if together < n else 0.0
    return float((of_member - common) / apart), float(other)
