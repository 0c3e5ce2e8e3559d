"""What lesson 08 stands on: a sample is measured like everybody, and its figures say what is so."""

import numpy as np
import pytest

from ecomtutor.errors import EcomTutorError
from ecomtutor.recommendation import (
    OwnFrequency,
    Popularity,
    evaluate,
    training_purchases,
)


def test_everybody_as_a_sample_gives_what_no_sample_gives() -> None:
    known = training_purchases(42)
    scores = Popularity().fit(known).score()
    assert evaluate(scores, "next", households=known.households) == evaluate(scores, "next")


def test_a_sample_is_judged_by_its_own_purchases() -> None:
    known = training_purchases(42)
    ids = known.households[[5, 17, 400]]
    model = OwnFrequency(26).fit(known)
    found = evaluate(model.score(ids), "next", households=ids)
    one_by_one = [
        evaluate(model.score([household]), "next", households=[household]) for household in ids
    ]
    bought = [each for each in one_by_one if not np.isnan(each["ndcg"])]
    assert found["ndcg"] == pytest.approx(np.mean([each["ndcg"] for each in bought]))
    assert found["novelty"] == pytest.approx(np.mean([each["novelty"] for each in one_by_one]))


def test_a_sample_has_known_households_and_a_row_for_each() -> None:
    known = training_purchases(42)
    with pytest.raises(EcomTutorError, match="no household 999999"):
        evaluate(np.zeros((1, 25_797), np.float32), "next", households=[999_999])
    for task in ("next", "discovery"):
        with pytest.raises(EcomTutorError, match="2 households"):
            evaluate(np.zeros((3, 25_797), np.float32), task, households=known.households[:2])
