"""What 1,000 questions cost: a machine of one's own by the hour, or a hosted model by the token.

Arithmetic alone: seconds, tokens and prices are arguments. Prices change; the two named here are
round assumptions to calculate with, not offers.
"""

from dataclasses import dataclass

import numpy as np

from ecomtutor.errors import EcomTutorError

MANY = 1000  # questions
# Assumptions of lesson 09, in one currency: look up your own before you decide.
EXAMPLE_HOUR = 0.10  # two cores for an hour
EXAMPLE_MILLION_IN, EXAMPLE_MILLION_OUT = 0.50, 1.50  # tokens read, tokens written


@dataclass(frozen=True)
class Cost:
    """What 1,000 questions cost: a part that is paid whatever happens, and one for each question.

    idle is what a machine costs while nobody asks, for as long as 1,000 questions take to come in;
    0 where one pays by the question.
    """

    what: str
    working: float
    idle: float = 0.0

    @property
    def total(self) -> float:
        """Both together."""
        return self.working + self.idle


def local_cost(
    seconds: float, hour: float, a_day: float | None = None, what: str = "local"
) -> Cost:
    """What 1,000 questions cost on a machine paid by the hour.

    Args:
        seconds: one question on that machine, retrieval and reading or writing together.
        hour: the machine's price for an hour.
        a_day: questions that come in a day to a machine that is never switched off; None: it is
            paid only while it answers.
        what: a name for the table.

    Raises:
        EcomTutorError: numbers below 0, or more questions in a day than the machine can answer.
    """
    seconds, hour = _number(seconds, "seconds"), _number(hour, "hour")
    working = MANY * seconds * hour / 3600
    if a_day is None:
        return Cost(what, working)
    a_day = _number(a_day, "a_day")
    if not a_day or a_day * seconds > 86_400:
        most = f"; it can answer {86_400 / seconds:,.0f}" if a_day else ""
        raise EcomTutorError(f"{a_day:,.0f} questions a day cannot come to this machine{most}.")
    return Cost(what, working, MANY / a_day * 24 * hour - working)


def hosted_cost(
    tokens_in: float,
    tokens_out: float,
    million_in: float,
    million_out: float,
    calls: float = 1.0,
    what: str = "hosted",
) -> Cost:
    """What 1,000 questions cost with a model that is paid by the token.

    Args:
        tokens_in: what one call reads: instructions, example, passages and question.
        tokens_out: what it writes.
        million_in, million_out: prices of a million tokens.
        calls: calls for a question, 1.02 where one in fifty is tried again.
        what: a name for the table.

    Raises:
        EcomTutorError: numbers below 0.
    """
    read = _number(tokens_in, "tokens_in") * _number(million_in, "million_in")
    written = _number(tokens_out, "tokens_out") * _number(million_out, "million_out")
    return Cost(what, MANY * _number(calls, "calls") * (read + written) / 1_000_000)


def break_even(hour: float, each: Cost, seconds: float = 0.0) -> float:
    """Questions a day from which a machine that always runs is cheaper than paying for each.

    Args:
        hour: the machine's price for an hour; it runs all day.
        each: what 1,000 questions cost otherwise.
        seconds: what one question takes on the machine; a day of it has an end.

    Returns:
        Questions a day; infinity where the machine cannot answer so many, or the other is free.
    """
    a_day = 24 * _number(hour, "hour")
    if not each.total:
        return float("inf")
    questions = a_day / (each.total / MANY)
    return questions if questions * _number(seconds, "seconds") <= 86_400 else float("inf")


def _number(value: float, name: str) -> float:
    given = isinstance(value, int | float | np.number) and not isinstance(value, bool)
    if not given or not np.isfinite(value) or value < 0:
        raise EcomTutorError(f"{name} is a number from 0 on; {value!r} came.")
    return float(value)
