"""Global summaries, on explanations whose means can be taken by hand."""

import numpy as np
import pytest

from ecomtutor.errors import EcomTutorError
from ecomtutor.interpretability import Explanation, Unit, Units
from ecomtutor.interpretability.summary import summarise


def explained(words: list[str], values: list[float], method: str = "Owen values") -> Explanation:
    units = tuple(Unit(word, i, i + 1, (i,)) for i, word in enumerate(words))
    table = np.stack([values, -np.array(values)], axis=1)
    found = Units("".join(words), np.arange(len(words)), units, 1, 0)
    zero, outputs = np.zeros(2), ("negative", "positive")
    return Explanation(found, table, zero, zero, method, 0, 0, True, outputs=outputs)


MANY = [
    explained(["书", "好", "好"], [0.0, -1.0, -3.0]),
    explained(["Good", "但", "慢"], [-2.0, 1.0, 4.0]),
    explained(["good", "但", "好"], [2.0, -1.0, -2.0]),
]


def test_strength_direction_and_counts_by_hand() -> None:
    table = summarise(MANY, "negative", at_least=2)
    assert table.index.tolist() == ["好", "good", "但"]
    assert table.loc["好"].tolist() == [2.0, -2.0, 0.0, 3, 2]
    assert table.loc["good"].tolist() == [2.0, 0.0, 0.5, 2, 2]  # strong, and no direction
    assert summarise(MANY, 1, at_least=1).loc["慢", "mean"] == -4.0


def test_only_words_of_enough_texts_and_explanations_of_one_kind() -> None:
    assert summarise(MANY, "negative", at_least=4).empty
    with pytest.raises(EcomTutorError, match="2 kinds came"):
        summarise([*MANY, explained(["好"], [1.0], "LIME")], "negative")
    with pytest.raises(EcomTutorError, match="0 kinds came"):
        summarise([], "negative")
