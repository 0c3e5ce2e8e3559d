"""From start and end logits to an answer: why the two are chosen together.

A reader gives each token two numbers: how well the answer could start there, and how well it could
end there. A span is as good as the sum of the two. Taking the best start and the best end for
themselves can give an end before its start, an answer inside the question, or a whole page.
"""

from dataclasses import dataclass

import numpy as np

from ecomtutor.errors import EcomTutorError


@dataclass(frozen=True)
class Span:
    """Token positions of an answer's first and last token, and its score."""

    start: int
    end: int
    score: float


def separate_argmax(start_logits: np.ndarray, end_logits: np.ndarray) -> tuple[int, int]:
    """The best start and the best end, each for itself: the mistake that lesson 09 begins with.

    Args:
        start_logits: (tokens,).
        end_logits: (tokens,).

    Returns:
        Two positions. Nothing keeps the second from lying before the first.
    """
    start_logits, end_logits = _checked(start_logits, end_logits)
    return int(start_logits.argmax()), int(end_logits.argmax())


def span_scores(
    start_logits: np.ndarray,
    end_logits: np.ndarray,
    allowed: np.ndarray,
    max_tokens: int = 40,
) -> np.ndarray:
    """The score of every span at once: start_logits[i] + end_logits[j], or -inf where none may be.

    Args:
        start_logits: (tokens,), one number a token.
        end_logits: (tokens,).
        allowed: (tokens,), true where an answer may lie: in the passage, not in the question, its
            title, [CLS], [SEP] or the padding.
        max_tokens: an answer's greatest length.

    Returns:
        (tokens, tokens): row i, column j is the span from token i to token j, both included.

    Raises:
        EcomTutorError: shapes that differ, or a length below 1.
    """
    start_logits, end_logits = _checked(start_logits, end_logits)
    allowed = np.asarray(allowed, dtype=bool)
    if allowed.shape != start_logits.shape or max_tokens < 1:
        raise EcomTutorError(
            f"allowed has one truth value a token and max_tokens is 1 or more; shapes "
            f"{allowed.shape} and {start_logits.shape} and max_tokens {max_tokens!r} came."
        )
    tokens = len(start_logits)
    sums = start_logits[:, None] + end_logits[None, :]  # (tokens, tokens)
    i, j = np.ogrid[:tokens, :tokens]  # (tokens, 1), (1, tokens)
    may = (i <= j) & (j - i < max_tokens) & allowed[:, None] & allowed[None, :]
    return np.where(may, sums, -np.inf)


def best_spans(
    start_logits: np.ndarray,
    end_logits: np.ndarray,
    allowed: np.ndarray,
    *,
    n: int = 1,
    max_tokens: int = 40,
) -> list[Span]:
    """The n best spans, best first: the joint argmax. Fewer where fewer are possible, or none.

    Args:
        start_logits: (tokens,).
        end_logits: (tokens,).
        allowed: (tokens,), true where an answer may lie.
        n: how many.
        max_tokens: an answer's greatest length.

    Raises:
        EcomTutorError: as `span_scores`, or n below 1.

    Source:
        Devlin et al. (2019), BERT, section 4.2.
    """
    if n < 1:
        raise EcomTutorError(f"One span or more can be asked for; n = {n!r} came.")
    scores = span_scores(start_logits, end_logits, allowed, max_tokens)
    flat = scores.ravel()  # (tokens * tokens,)
    n = min(n, int(np.isfinite(flat).sum()))
    if not n:
        return []
    worst = -np.partition(-flat, n - 1)[n - 1]  # the n-th best score
    good = np.flatnonzero(flat >= worst)  # n, or more where scores are equal
    ordered = good[np.argsort(-flat[good], kind="stable")[:n]]  # of equal ones the earlier
    places = zip(*np.unravel_index(ordered, scores.shape), strict=True)
    return [Span(int(i), int(j), float(scores[i, j])) for i, j in places]


def no_answer_score(start_logits: np.ndarray, end_logits: np.ndarray) -> float:
    """The score of answering nothing: the "span" from [CLS] to [CLS].

    Args:
        start_logits: (tokens,), [CLS] first.
        end_logits: (tokens,).

    Source:
        Devlin et al. (2019), BERT, section 4.3.
    """
    start_logits, end_logits = _checked(start_logits, end_logits)
    return float(start_logits[0] + end_logits[0])


def _checked(start: np.ndarray, end: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    start, end = np.asarray(start, dtype=np.float64), np.asarray(end, dtype=np.float64)
    if start.ndim != 1 or start.shape != end.shape or not len(start):
        raise EcomTutorError(
            "Start and end logits are two rows of one number a token, (tokens,) each; shapes "
            f"{start.shape} and {end.shape} came. Of a batch, take one row: logits[0]."
        )
    if np.isnan(start).any() or np.isnan(end).any():
        raise EcomTutorError("A logit is not a number (NaN): the model's weights are damaged.")
    return start, end
