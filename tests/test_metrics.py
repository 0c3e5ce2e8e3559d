"""Text metrics: values that can be counted on paper."""

import pytest

from ecomtutor.errors import EcomTutorError
from ecomtutor.metrics import repeated_ngrams


@pytest.mark.parametrize(
    ("tokens", "n", "expected"),
    [
        ("abcdef", 3, 0.0),  # abc bcd cde def
        ("abcabc", 3, 1 / 4),  # abc bca cab abc: the last one stood there before
        ("aaaaaa", 3, 3 / 4),
        ([7, 8, 7, 8, 7], 2, 2 / 4),
        ("ab", 3, 0.0),
        ("", 1, 0.0),
    ],
)
def test_counted_on_paper(tokens, n, expected):
    assert repeated_ngrams(tokens, n) == pytest.approx(expected)


def test_an_n_gram_of_nothing_is_refused():
    with pytest.raises(EcomTutorError, match="n = 0"):
        repeated_ngrams("abc", 0)
