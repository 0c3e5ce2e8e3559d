"""The baselines: what counting alone predicts, forwards and with both neighbours in sight."""

from collections import Counter
from collections.abc import Hashable, Sequence
from functools import cached_property
from math import exp, log

from ecomtutor.errors import EcomTutorError

Symbol = Hashable
START, END = "<start>", "<end>"


class KneserNey:
    """Interpolated Kneser-Ney: “how many different contexts has it followed?” below the top.

    Every order lends a discount to the next lower one; the lowest lends to the uniform
    distribution, so that a symbol never seen has a small probability too.

    Args:
        sequences: texts (characters) or lists of token ids.
        order: symbols in an n-gram, 1 and up; 1 is the smoothed unigram model.
        vocabulary: how many symbols there are, for the uniform distribution. Unless given, those
            seen, the end and one for all others: an unseen symbol then costs too little.

    Source:
        Kneser and Ney (1995); Chen and Goodman (1999), section 2.7: discount n1 / (n1 + 2 n2).
    """

    def __init__(
        self, sequences: Sequence[Sequence[Symbol]], order: int, vocabulary: int | None = None
    ):
        if order < 1:
            raise EcomTutorError(f"An n-gram has one symbol or more; order {order} was given.")
        self.order = order
        top = Counter(gram for text in sequences for gram in self._grams(text))
        self.counts = self._lower_orders(top)
        self.discounts = [_discount(table) for table in self.counts]
        self.vocabulary = vocabulary or len(self.counts[0]) + 1

    def probability(self, symbol: Symbol, context: Sequence[Symbol]) -> float:
        """P(symbol | the last order - 1 symbols of `context`)."""
        result = 1 / self.vocabulary
        for length in range(min(len(context), self.order - 1) + 1):
            history = tuple(context[len(context) - length :])
            total, different = self._totals[length].get(history, (0, 0))
            if total:
                discount = self.discounts[length]
                seen = max(self.counts[length].get((*history, symbol), 0) - discount, 0.0)
                result = seen / total + discount * different / total * result
        return result

    def surprise(self, text: Sequence[Symbol]) -> float:
        """Nats for a whole text, its end included: minus the log of its probability."""
        framed = [START] * (self.order - 1) + list(text) + [END]
        return -sum(
            log(self.probability(framed[i], framed[i - self.order + 1 : i]))
            for i in range(self.order - 1, len(framed))
        )

    def perplexity(self, texts: Sequence[Sequence[Symbol]]) -> float:
        """Perplexity per symbol, each text's end counted as one symbol."""
        return exp(sum(map(self.surprise, texts)) / sum(len(text) + 1 for text in texts))

    def followers(self, context: Symbol) -> Counter[Symbol]:
        """What has been seen right after a symbol, with how many different symbols before it."""
        return self._followers.get(context, Counter())

    def _grams(self, text: Sequence[Symbol]) -> "list[tuple[Symbol, ...]]":
        framed = [START] * (self.order - 1) + list(text) + [END]
        return [tuple(framed[i : i + self.order]) for i in range(len(framed) - self.order + 1)]

    def _lower_orders(
        self, top: "Counter[tuple[Symbol, ...]]"
    ) -> "list[Counter[tuple[Symbol, ...]]]":
        """Below the top an n-gram counts once for each different symbol before it."""
        counts = [top]
        while len(counts) < self.order:
            counts.append(Counter(gram[1:] for gram in counts[-1]))
        return counts[::-1]

    @cached_property
    def _totals(self) -> "list[dict[tuple[Symbol, ...], tuple[int, int]]]":
        """For each length of history: its total count, and how many symbols follow it."""
        tables = []
        for table in self.counts:
            totals: dict[tuple[Symbol, ...], tuple[int, int]] = {}
            for gram, count in table.items():
                total, different = totals.get(gram[:-1], (0, 0))
                totals[gram[:-1]] = total + count, different + 1
            tables.append(totals)
        return tables

    @cached_property
    def _followers(self) -> "dict[Symbol, Counter[Symbol]]":
        following: dict[Symbol, Counter[Symbol]] = {}
        for (before, after), count in self.counts[1].items():
            following.setdefault(before, Counter())[after] += count
        return following


class Neighbours:
    """Guess a hidden symbol from the symbols around it, by counting.

    A candidate's score is the probability of every n-gram that contains it. With order 1 the
    guess is always the most frequent symbols; with 2 it sees one neighbour on each side; with 3,
    two on each side. A symbol hidden beside it (None) is not seen: the n-grams over it are left
    out.

    Args:
        sequences: training texts as token ids.
        order: of the n-grams, 1, 2 or 3.
    """

    def __init__(self, sequences: Sequence[Sequence[Symbol]], order: int, candidates: int = 200):
        self.model = KneserNey(sequences, order)
        counts = Counter(symbol for text in sequences for symbol in text)
        self.frequent = [symbol for symbol, _ in counts.most_common(candidates)]
        self.backwards = (
            KneserNey([list(text)[::-1] for text in sequences], 2) if order > 1 else None
        )
        self.candidates = candidates

    def top(self, text: "Sequence[Symbol | None]", place: int, count: int = 5) -> list[Symbol]:
        """The `count` likeliest symbols for `text[place]`, best first; None is a hidden symbol."""
        if self.backwards is None:
            return self.frequent[:count]
        span = self.model.order - 1
        framed = [START] * span + list(text) + [END] + [None] * span
        here = place + span
        possible = dict.fromkeys(self.frequent)
        for model, beside in ((self.model, framed[here - 1]), (self.backwards, framed[here + 1])):
            beside = START if model is self.backwards and beside == END else beside
            possible.update(
                dict.fromkeys(dict(model.followers(beside).most_common(self.candidates)))
            )
        possible.pop(END, None)
        score = {symbol: self._score(framed, here, symbol) for symbol in possible}
        return sorted(score, key=score.__getitem__, reverse=True)[:count]

    def _score(self, framed: "list[Symbol | None]", here: int, symbol: Symbol) -> float:
        filled = [*framed[:here], symbol, *framed[here + 1 :]]
        score = 0.0
        for i in range(here, min(here + self.model.order, len(filled))):
            if filled[i] is None:
                continue
            context: list[Symbol] = []
            for before in reversed(filled[max(0, i - self.model.order + 1) : i]):
                if before is None:
                    break
                context.insert(0, before)
            score += log(self.model.probability(filled[i], context))
        return score


def _discount(table: "Counter[tuple[Symbol, ...]]") -> float:
    once = sum(count == 1 for count in table.values())
    twice = sum(count == 2 for count in table.values())
    return once / (once + 2 * twice) if once and twice else 0.5
