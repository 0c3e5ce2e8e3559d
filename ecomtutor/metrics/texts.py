"""Numbers that say how good a text is, where counting can say it."""

from collections.abc import Hashable, Sequence

from ecomtutor.errors import EcomTutorError


def repeated_ngrams(tokens: Sequence[Hashable], n: int = 3) -> float:
    """The share of a text's n-grams that stood in it before: 0 never repeats, near 1 is a loop.

    Args:
        tokens: a text as token ids, words or characters.
        n: how many neighbouring tokens make an n-gram.

    Returns:
        1 - distinct n-grams / n-grams; 0.0 for a text shorter than n.

    Raises:
        EcomTutorError: n below 1.

    Source:
        seq-rep-n of Welleck et al. (2020), Neural Text Generation with Unlikelihood Training.
    """
    if n < 1:
        raise EcomTutorError(f"An n-gram has one token or more; n = {n!r} was given.")
    ngrams = [tuple(tokens[i : i + n]) for i in range(len(tokens) - n + 1)]
    return 1 - len(set(ngrams)) / len(ngrams) if ngrams else 0.0
