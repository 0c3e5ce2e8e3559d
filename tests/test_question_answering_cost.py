"""The cost of 1,000 questions, against sums done by hand."""

from typing import Any

import pytest

from ecomtutor.errors import EcomTutorError
from ecomtutor.question_answering.cost import break_even, hosted_cost, local_cost


def test_a_machine_paid_while_it_works() -> None:
    """1,000 × 0.36 s = 360 s, a tenth of an hour."""
    cost = local_cost(0.36, 0.10)
    assert cost.total == pytest.approx(0.01) and cost.idle == 0


def test_a_machine_that_always_runs_costs_what_it_costs() -> None:
    """2,000 questions a day: half a day's price for 1,000, however fast each is answered."""
    for seconds in (0.01, 1.0):
        assert local_cost(seconds, 0.10, a_day=2000).total == pytest.approx(1.2)
    assert local_cost(0.36, 0.10, a_day=2000).working == pytest.approx(0.01)
    full = local_cost(8.64, 0.10, a_day=10_000)
    assert full.idle == pytest.approx(0, abs=1e-12)


def test_a_hosted_model_is_paid_by_the_token() -> None:
    """300 in at 2 a million, 50 out at 8: 0.0006 + 0.0004 a call."""
    assert hosted_cost(300, 50, 2.0, 8.0).total == pytest.approx(1.0)
    assert hosted_cost(300, 50, 2.0, 8.0, calls=1.5).total == pytest.approx(1.5)
    assert hosted_cost(0, 0, 2.0, 8.0).total == 0


def test_where_the_two_meet() -> None:
    hosted = hosted_cost(300, 50, 2.0, 8.0)
    meet = break_even(0.10, hosted)
    assert meet == pytest.approx(2400)
    assert local_cost(0.1, 0.10, a_day=meet).total == pytest.approx(hosted.total)
    assert local_cost(0.1, 0.10, a_day=2 * meet).total < hosted.total
    assert break_even(0.10, hosted, seconds=60) == float("inf")
    assert break_even(0.10, hosted_cost(1, 1, 0, 0)) == float("inf")


@pytest.mark.parametrize("wrong", [-1, float("nan"), float("inf"), "3", None, True])
def test_what_is_no_price_is_told(wrong: Any) -> None:
    for ask in (
        lambda: local_cost(wrong, 1.0),
        lambda: local_cost(1.0, wrong),
        lambda: hosted_cost(1, wrong, 1, 1),
        lambda: hosted_cost(1, 1, 1, wrong),
        lambda: break_even(wrong, hosted_cost(1, 1, 1, 1)),
    ):
        with pytest.raises(EcomTutorError, match="is a number from 0 on"):
            ask()


def test_a_machine_cannot_answer_more_than_a_day_holds() -> None:
    with pytest.raises(EcomTutorError, match="it can answer 86,400"):
        local_cost(1.0, 0.1, a_day=100_000)
    with pytest.raises(EcomTutorError, match="0 questions a day"):
        local_cost(1.0, 0.1, a_day=0)
