"""What is explained: a score for rows of token ids, made from any model.

Each function here returns a `Score` for `Game`: a list of id rows in, an array (rows, outputs) out.
Classifiers already have one, `classifier.token_logits`; these are for generators and readers.
"""

from collections.abc import Iterator, Sequence
from inspect import signature
from typing import Any

import numpy as np

from ecomtutor.errors import EcomTutorError
from ecomtutor.interpretability.doors import whole
from ecomtutor.interpretability.game import Score

TOKENS_AT_ONCE = 2048


def probabilities(logits: Score, temperature: float = 1.0) -> Score:
    """A score of logits as one of probabilities: faithfulness curves are read in these."""

    if not 0 < temperature < np.inf:
        raise EcomTutorError(f"A temperature is above 0; {temperature} came.")

    def score(rows: list[np.ndarray]) -> np.ndarray:
        scaled = logits(rows) / temperature
        scaled = np.exp(scaled - scaled.max(axis=1, keepdims=True))
        chances: np.ndarray = scaled / scaled.sum(axis=1, keepdims=True)
        return chances

    return score


def next_token(model: Any, candidates: Sequence[int], *, bf16: bool = False) -> Score:
    """Log-probabilities of some next tokens after each row.

    Args:
        model: a causal language model of transformers, in evaluation mode.
        candidates: token ids; they are the outputs.
        bf16: half precision where the processor has it.

    Raises:
        EcomTutorError: no candidates, ids outside the vocabulary, or another kind of model.
    """
    columns = _token_ids(model, candidates)

    def score(rows: list[np.ndarray]) -> np.ndarray:
        return _last_log_probabilities(model, rows, bf16)[:, columns]

    return score


def contrast(model: Any, this: int, rather_than: int, *, bf16: bool = False) -> Score:
    """Why this next token rather than that one: the difference of their log-probabilities.

    What lifts both, such as grammar, falls out; what remains tells the two apart.

    Source:
        Yin and Neubig (2022), Interpreting Language Models with Contrastive Explanations.
    """
    both = next_token(model, [this, rather_than], bf16=bf16)

    def score(rows: list[np.ndarray]) -> np.ndarray:
        logs = both(rows)
        return logs[:, :1] - logs[:, 1:]

    return score


def continuation(model: Any, tokens: Sequence[int], *, bf16: bool = False) -> Score:
    """The log-probability that a generator goes on with these tokens, all of them in this order.

    With a policy and a question as the text it says which of their words carry an answer.
    """
    ending = _token_ids(model, tokens)

    def score(rows: list[np.ndarray]) -> np.ndarray:
        _require_rows(rows)
        longer = [np.concatenate([row, ending[:-1]]) for row in rows]
        totals = np.empty((len(rows), 1))
        for numbers, logs in _log_probabilities(model, longer, bf16, last=len(ending)):
            for i, of_row in zip(numbers, logs, strict=True):
                totals[i] = float(of_row[np.arange(len(ending)), ending].sum())
        return totals

    return score


def span(
    model: Any,
    start: int,
    end: int,
    segments: np.ndarray,
    rather_than: tuple[int, int] | None = None,
    *,
    bf16: bool = False,
) -> Score:
    """The score of an answer in a reader: its start logit plus its end logit.

    Hide by "mask" or "pad", not by "delete": the span has to stay at its place.

    Args:
        model: a question-answering model of transformers: start_logits and end_logits (1, tokens).
        start, end: token positions of the answer's first and last token.
        segments: token type of each position, (tokens,): question 0, passage 1.
        rather_than: another span's first and last token, whose score is taken off; (0, 0), [CLS]
            twice, is no answer.
        bf16: half precision where the processor has it.

    Raises:
        EcomTutorError: a span outside of the tokens; when scored, rows of another length, or a
            model that is no reader.
    """
    whole(start, "The answer's first token", 0, len(segments) - 1)
    whole(end, "The answer's last token", start, len(segments) - 1)
    other = rather_than
    if other is not None:
        whole(other[0], "The other answer's first token", 0, len(segments) - 1)
        whole(other[1], "The other answer's last token", other[0], len(segments) - 1)

    def score(rows: list[np.ndarray]) -> np.ndarray:
        import torch

        from ecomtutor.training import has_bf16

        if {len(row) for row in rows} != {len(segments)}:
            raise EcomTutorError(
                f"A span is scored at its place among {len(segments)} tokens; rows of other "
                "lengths came. Hide by 'mask' or 'pad'."
            )
        many = max(1, TOKENS_AT_ONCE // len(segments))
        kinds = torch.from_numpy(np.asarray(segments, dtype=np.int64))
        found = []
        for first in range(0, len(rows), many):
            ids = torch.from_numpy(np.stack(rows[first : first + many]))
            half = bf16 and has_bf16()
            with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16, enabled=half):
                out = model(input_ids=ids, token_type_ids=kinds.expand_as(ids))
            if not hasattr(out, "start_logits"):
                raise EcomTutorError(f"{type(model).__name__} is no reader: it marks no answers.")
            starts, ends = out.start_logits.float(), out.end_logits.float()  # (rows, tokens)
            worth = starts[:, start] + ends[:, end]
            if other is not None:
                worth = worth - starts[:, other[0]] - ends[:, other[1]]
            found.append(worth)
        values: np.ndarray = torch.cat(found)[:, None].numpy()
        return values

    return score


def _last_log_probabilities(model: Any, rows: list[np.ndarray], bf16: bool) -> np.ndarray:
    """Log-probabilities (rows, vocabulary) of the token after each row."""
    found = np.empty((len(rows), model.config.vocab_size), np.float32)
    for numbers, logs in _log_probabilities(model, rows, bf16, last=1):
        found[numbers] = np.stack([of_row[-1] for of_row in logs])
    return found


def _token_ids(model: Any, ids: Sequence[int]) -> np.ndarray:
    """The door for token ids that are outputs: (ids,), each in the model's vocabulary."""
    if not hasattr(getattr(model, "config", None), "vocab_size"):
        raise EcomTutorError(
            f"A causal language model of transformers is wanted; {type(model).__name__} came. "
            "load_generator(language).model is one."
        )
    found, words = np.asarray(ids), model.config.vocab_size
    if not (found.ndim == 1 and len(found) and found.dtype.kind in "iu"):
        raise EcomTutorError(
            f"A list of one token id or more is wanted; {ids!r:.60} came. With no tokens there is "
            "nothing to explain; tokenizer(text, add_special_tokens=False) gives a text's ids."
        )
    if found.min() < 0 or found.max() >= words:
        raise EcomTutorError(f"Token ids are 0 … {words - 1}; {found.tolist()!r:.60} came.")
    return found.astype(np.int64)


def _require_rows(rows: Sequence[np.ndarray]) -> None:
    if not len(rows) or min(map(len, rows)) == 0:
        raise EcomTutorError(
            "A generator goes on from one token or more; an empty row came. Where every unit may "
            "be taken out, hide by 'mask', which leaves the end-of-text token in its place."
        )


def _log_probabilities(
    model: Any, rows: list[np.ndarray], bf16: bool, last: int
) -> "Iterator[tuple[np.ndarray, list[np.ndarray]]]":
    """Rows' numbers, and for each row log-probabilities (last, vocabulary) after its last tokens.

    Batch by batch: those of all places of all rows would be gigabytes. Padding stands on the
    right, where a causal model cannot see it.

    Args:
        rows: each of `last` tokens or more.
    """
    import torch

    from ecomtutor.training import has_bf16

    _require_rows(rows)
    order, first = np.array(sorted(range(len(rows)), key=lambda i: -len(rows[i]))), 0
    # The head over the whole vocabulary is dear: only where it is asked for, if the model can.
    few = "logits_to_keep" in signature(model.forward).parameters
    while first < len(order):
        width = len(rows[order[first]])
        numbers = order[first : first + max(1, TOKENS_AT_ONCE // width)]
        ends = np.array([len(rows[i]) for i in numbers])
        ids = np.zeros((len(numbers), width), dtype=np.int64)
        for place, i in enumerate(numbers):
            ids[place, : ends[place]] = rows[i]
        places = ends[:, None] - np.arange(last, 0, -1)  # (rows, last)
        asked = np.unique(places)
        kept = {"logits_to_keep": torch.from_numpy(asked)} if few else {}
        half = bf16 and has_bf16()
        with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16, enabled=half):
            logits: torch.Tensor = model(input_ids=torch.from_numpy(ids), **kept).logits
        columns = torch.from_numpy(np.searchsorted(asked, places) if few else places)
        parts = (of_row[column] for of_row, column in zip(logits, columns, strict=True))
        yield numbers, [part.float().log_softmax(-1).numpy() for part in parts]
        first += len(numbers)
