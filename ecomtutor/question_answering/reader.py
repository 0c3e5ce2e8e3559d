"""A reader: a question and passages in, an exact piece of one of them out, or a refusal."""

import json
import re
import warnings
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from ecomtutor.errors import DamagedResource, EcomTutorError, MissingResource
from ecomtutor.finetuning.batches import padded
from ecomtutor.finetuning.difference import apply_difference, difference, from_bytes, in_bytes
from ecomtutor.finetuning.model import lower_case_where_needed
from ecomtutor.finetuning.packed import TOKENS_AT_ONCE, packed
from ecomtutor.question_answering.model import EncoderWithSpans, with_spans
from ecomtutor.question_answering.spans import best_spans, no_answer_score
from ecomtutor.question_answering.windows import (
    MAX_QUESTION,
    MAX_TOKENS,
    STRIDE,
    Pieces,
    Window,
    pieces_of,
    windows,
)
from ecomtutor.text import clean
from ecomtutor.text.checking import require_text
from ecomtutor.training import has_bf16

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

    from ecomtutor.models import Loaded
    from ecomtutor.question_answering.examples import Example

CARD, WEIGHTS = "reader.json", "model.safetensors"
SHIPPED = {"en": "shop-reader-en", "zh": "shop-reader-zh"}
MAX_ANSWER = 32  # tokens; the store's longest answer has 23
# How much a passage's prior counts beside logits. Of 0 to 6, F1 from three retrieved pages rises up
# to about 3 and then levels off: on the shop's validation questions, and on those of other shops
# that are held back from the readers (which the question encoder had learned from).
PRIOR_WEIGHT = 3.0
_SPANS_A_WINDOW = 20
_KEPT_PIECES = 1024  # passages whose tokens are kept


class TruncatedQuestion(UserWarning):
    """A question was longer than the reader looks at: its beginning and its end were read."""


class HasText(Protocol):
    """A passage with a title, such as `retrieve.Passage`.

    It may have a `prior` besides: the logarithm of how probable it is that this is the right
    passage, 0 where it is certain.
    """

    @property
    def title(self) -> str: ...

    @property
    def text(self) -> str: ...


@dataclass(frozen=True)
class Candidate:
    """A span that might be the answer: `text` is characters start to end of that passage.

    passage numbers the passages as they were given, from 0. score is its start logit plus its end
    logit, no_answer_score that of [CLS] in the same window; margin is the first less the second.
    prior is PRIOR_WEIGHT times the passage's own, 0 where it has none; it lowers the margin.
    """

    text: str
    passage: int
    start: int
    end: int
    score: float
    no_answer_score: float
    prior: float = 0.0

    @property
    def margin(self) -> float:
        """How much better the span is than no answer; this is comparable between windows."""
        return self.score - self.no_answer_score + self.prior


@dataclass(frozen=True)
class Answer:
    """What the reader says. Where it refuses, text is "" and there is no passage, start or end.

    Else `passages[passage]`'s characters start to end are the text itself. score, no_answer_score
    and prior are those of the best span, also where it was refused, so that one sees by how
    much; -inf and 0 where there was no span. alternatives are the next best that do not overlap a
    better one; after a refusal the best one is among them.
    """

    text: str
    passage: int | None
    start: int | None
    end: int | None
    score: float
    no_answer_score: float
    alternatives: tuple[Candidate, ...] = ()
    prior: float = 0.0

    def __bool__(self) -> bool:
        return bool(self.text)

    @property
    def margin(self) -> float:
        """How much better the best span was than no answer, less where its passage is doubtful."""
        return self.score - self.no_answer_score + self.prior


NOTHING = Answer("", None, None, None, float("-inf"), 0.0)


@dataclass
class Reader:
    """Finds answers in passages.

    language says which encoder own_weights are the difference to. An answer is given where its
    margin over no answer reaches threshold.
    """

    model: Any
    tokenizer: "PreTrainedTokenizerBase"
    language: str
    threshold: float = 0.0
    max_tokens: int = MAX_TOKENS
    stride: int = STRIDE
    own_weights: dict[str, torch.Tensor] = field(default_factory=dict, repr=False)
    _pieces: "OrderedDict[str, Pieces]" = field(default_factory=OrderedDict, repr=False)

    def answer(
        self,
        question: str,
        passages: "Sequence[str | HasText]",
        *,
        alternatives: int = 3,
        bf16: bool = False,
    ) -> Answer:
        """The answer to a question, from one of the passages, or a refusal.

        Args:
            question: HTML is taken out; of a very long one the beginning and the end are read.
            passages: texts, or passages with a title, which is read but never answered from. Long
                ones are read in windows. Without passages it refuses. Of passages from a retriever
                that says how probable each is (`prior`), a doubtful one has to answer better.
            alternatives: how many other spans to give.
            bf16: half precision where the processor has it.

        Raises:
            EcomTutorError: an empty question, or something that is not text.

        Warns:
            TruncatedQuestion: the question has more than 64 tokens.
        """
        return self.answer_all([question], [passages], alternatives=alternatives, bf16=bf16)[0]

    def answer_all(
        self,
        questions: Sequence[str],
        passages: "Sequence[Sequence[str | HasText]]",
        *,
        alternatives: int = 3,
        bf16: bool = False,
    ) -> list[Answer]:
        """Many questions at once, each with its own passages: windows of like length together."""
        if isinstance(questions, str) or len(questions) != len(passages):
            raise EcomTutorError(
                "A list of questions and as many lists of passages are wanted; for one question "
                "use answer(question, passages)."
            )
        if any(isinstance(some, str) for some in passages):
            raise EcomTutorError("A list of passages is wanted; one text came. Write [text].")
        asked = [bare_question(question) for question in questions]
        given = [[title_and_text(passage) for passage in some] for some in passages]
        priors = [[PRIOR_WEIGHT * _prior(passage) for passage in some] for some in passages]
        some, owners = self._windows(asked, given)
        found: list[list[Candidate]] = [[] for _ in questions]
        for number, start, end in self._logits(some, bf16):
            question, passage = owners[number]
            text = given[question][passage][1]
            prior = priors[question][passage]
            found[question] += _candidates(some[number], start, end, passage, text, prior)
        return [self._decided(candidates, alternatives) for candidates in found]

    def logits(
        self, question: str, passage: "str | HasText", *, bf16: bool = False
    ) -> list[tuple[Window, np.ndarray, np.ndarray]]:
        """Each window of a passage with its start and end logits, (tokens,) each."""
        some, _ = self._windows([bare_question(question)], [[title_and_text(passage)]])
        rows = sorted(self._logits(some, bf16), key=lambda row: row[0])
        return [(some[number], start, end) for number, start, end in rows]

    def save(self, folder: Path | str) -> Path:
        """Write the difference to the encoder and the settings into a folder."""
        if not self.own_weights:
            raise EcomTutorError(
                "This reader has no difference to an encoder to save; make it with Reader.of."
            )
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        facts = {name: getattr(self, name) for name in _FACTS}
        save_file(self.own_weights, folder / WEIGHTS)
        (folder / CARD).write_text(json.dumps(facts, indent=2) + "\n", "utf-8")
        return folder

    @classmethod
    def load(cls, folder: Path | str) -> "Reader":
        """The reader that `save` wrote; its answers are identical.

        Raises:
            MissingResource: no reader lies there, or its encoder is not on this machine.
            DamagedResource: its files do not belong together.
        """
        folder = Path(folder)
        if not ((folder / CARD).is_file() and (folder / WEIGHTS).is_file()):
            raise MissingResource(
                f"There is no reader in the folder {folder.name}: {CARD} and {WEIGHTS} are wanted. "
                "Give the folder that `reader.save(folder)` wrote."
            )
        from ecomtutor.models import load_encoder

        try:
            facts = json.loads((folder / CARD).read_text("utf-8"))
            facts = {name: facts[name] for name in _FACTS}
            weights = load_file(folder / WEIGHTS)
            loaded = load_encoder(facts["language"])
            return cls._on(loaded, weights, **facts)
        except (KeyError, TypeError, RuntimeError, ValueError, SafetensorError) as error:
            raise DamagedResource(
                f"{WEIGHTS} does not fit {CARD} beside it: {error!s:.200}"
            ) from error

    @classmethod
    def of(cls, model: Any, loaded: "Loaded", language: str, rank: int) -> "Reader":
        """A trained network as a reader: what it learned is cut to a rank, and kept in bytes."""
        small = in_bytes(difference(model, with_spans(loaded), rank))
        return cls._on(loaded, small, language=language)

    @classmethod
    def _on(cls, loaded: "Loaded", weights: dict[str, torch.Tensor], **facts: Any) -> "Reader":
        model = with_spans(loaded)
        apply_difference(model, from_bytes(weights))
        tokenizer = lower_case_where_needed(loaded.tokenizer)
        return cls(model.eval(), tokenizer, own_weights=weights, **facts)

    def _windows(
        self, asked: list[str], given: list[list[tuple[str, str]]]
    ) -> tuple[list[Window], list[tuple[int, int]]]:
        """All windows, and of each the numbers of its question and its passage."""
        some: list[Window] = []
        owners: list[tuple[int, int]] = []
        of_questions = pieces_of(asked, self.tokenizer)
        _warn_of_cuts([len(pieces.ids) for pieces in of_questions])
        self._remember([text for passages in given for pair in passages for text in pair])
        for q, (question, passages) in enumerate(zip(of_questions, given, strict=True)):
            for p, (title, text) in enumerate(passages):
                pair = self._pieces[title], self._pieces[text]
                if len(pair[1].ids) and asked[q]:
                    cut = list(
                        windows(
                            question,
                            *pair,
                            self.tokenizer,
                            max_tokens=self.max_tokens,
                            stride=self.stride,
                        )
                    )
                    some += cut
                    owners += [(q, p)] * len(cut)
        while len(self._pieces) > _KEPT_PIECES:
            self._pieces.popitem(last=False)
        return some, owners

    def _remember(self, texts: list[str]) -> None:
        """The tokens of passages: customers ask about the same ones again and again."""
        new = [text for text in dict.fromkeys(texts) if text not in self._pieces]
        self._pieces.update(zip(new, pieces_of(new, self.tokenizer), strict=True))
        for text in texts:
            self._pieces.move_to_end(text)

    def _logits(
        self, some: list[Window], bf16: bool
    ) -> Iterator[tuple[int, np.ndarray, np.ndarray]]:
        """Numbers of windows with their start and end logits, (tokens,) each."""
        order = sorted(range(len(some)), key=lambda i: -len(some[i].ids))
        first = 0
        while first < len(order):
            numbers = order[first : first + max(1, TOKENS_AT_ONCE // len(some[order[first]].ids))]
            rows = [some[i].ids for i in numbers]
            starts_and_ends = self.read(rows, [some[i].segments for i in numbers], bf16=bf16)
            for i, of_window in zip(numbers, starts_and_ends, strict=True):
                yield i, of_window[:, 0], of_window[:, 1]
            first += len(numbers)

    def read(
        self, rows: Sequence[np.ndarray], segments: Sequence[np.ndarray], *, bf16: bool = False
    ) -> list[np.ndarray]:
        """The start and end logit of each token, (tokens, 2), of rows that are token ids already.

        Args:
            rows: each (tokens,), with [CLS] and [SEP]; of any lengths. All are read at once.
            segments: of each token, 0 before the first [SEP] and there, 1 after it.
            bf16: half precision where the processor has it.

        Raises:
            EcomTutorError: rows and segments of different lengths.
        """
        if [len(row) for row in rows] != [len(row) for row in segments]:
            raise EcomTutorError("A segment for each token is wanted: rows as long as segments.")
        if not len(rows):
            return []
        half = bf16 and has_bf16()
        fast = packed(self.model, EncoderWithSpans, torch.bfloat16 if half else torch.float32)
        if fast is None:
            return self._plainly(rows, segments, half)
        with torch.inference_mode():
            logits = self.model.span_head(fast(rows, segments))  # (tokens of all rows, 2)
        return [part.numpy() for part in logits.split([len(row) for row in rows])]

    def _plainly(
        self, rows: Sequence[np.ndarray], segments: Sequence[np.ndarray], half: bool
    ) -> list[np.ndarray]:
        """The same by the model's own forward pass, whatever the model is."""
        device = self.model.device
        ids, mask = padded(rows, self.tokenizer.pad_token_id)
        kinds, _ = padded(segments, 0)
        ids, mask, kinds = (tensor.to(device) for tensor in (ids, mask, kinds))
        with torch.inference_mode(), torch.autocast(device.type, torch.bfloat16, enabled=half):
            out = self.model(input_ids=ids, attention_mask=mask, token_type_ids=kinds)
        both = torch.stack([out.start_logits, out.end_logits], dim=-1).float().cpu().numpy()
        return [of_row[: len(row)] for of_row, row in zip(both, rows, strict=True)]

    def _decided(self, candidates: list[Candidate], alternatives: int) -> Answer:
        """The best span if it beats no answer by the threshold, and the next best."""
        kept: list[Candidate] = []
        for candidate in sorted(candidates, key=lambda c: (-c.margin, c.passage, c.start)):
            if len(kept) > alternatives:
                break
            if not any(_overlap(candidate, better) for better in kept):
                kept.append(candidate)
        if not kept:
            return NOTHING
        best = kept[0]
        if best.margin < self.threshold:
            others = tuple(kept[:alternatives])
            return replace(
                NOTHING,
                score=best.score,
                no_answer_score=best.no_answer_score,
                alternatives=others,
                prior=best.prior,
            )
        return Answer(
            best.text,
            best.passage,
            best.start,
            best.end,
            best.score,
            best.no_answer_score,
            tuple(kept[1:]),
            best.prior,
        )


_FACTS = ("language", "threshold", "max_tokens", "stride")


@cache
def load_reader(language: str) -> Reader:
    """The shipped reader for "en" (on MiniLM) or "zh" (on m3e-small).

    Called twice, it returns the same object. Its card: data/models/shop-reader-en/README.md.

    Raises:
        EcomTutorError: another language.
        MissingResource: its weights or the encoder are not on this machine; the message says how to
            make or fetch them.
    """
    from ecomtutor.datasets.store import data_dir

    if not isinstance(language, str) or language not in SHIPPED:
        raise EcomTutorError(f"There is a reader for 'en' and for 'zh'; {language!r} came.")
    name = SHIPPED[language]
    folder = data_dir() / "models" / name
    if not (folder / WEIGHTS).is_file():
        raise MissingResource(
            f"data/models/{name} has no weights. Work from a full clone; where that has none, make "
            f"them: python -m ecomtutor.question_answering train {name}, then copy the folder "
            f"`model` that it names to data/models/{name}."
        )
    return Reader.load(folder)


def calibrated(reader: Reader, held_out: "Sequence[Example]", *, bf16: bool = False) -> Reader:
    """The reader with the threshold under which held-out questions are answered best (F1).

    Args:
        reader: its threshold does not matter.
        held_out: questions with their passages, with answers and without.
        bf16: half precision where the processor has it.
    """
    best, _ = _best_threshold(reader, held_out, bf16)
    return replace(reader, threshold=best)


def reading_error(
    network: Any,
    tokenizer: "PreTrainedTokenizerBase",
    held_out: "Sequence[Example]",
    language: str,
) -> float:
    """1 - F1 on held-out questions under the best threshold: what training minimises over time."""
    reader = Reader(network, tokenizer, language)
    return 1 - _best_threshold(reader, held_out, bf16=True)[1]


def _best_threshold(
    reader: Reader, held_out: "Sequence[Example]", bf16: bool
) -> tuple[float, float]:
    """The threshold with the best F1 over all questions, and that F1."""
    from ecomtutor.metrics.spans import span_f1

    every = replace(reader, threshold=float("-inf")).answer_all(
        [example.question for example in held_out],
        [[example] for example in held_out],
        alternatives=0,
        bf16=bf16,
    )
    margins = np.array([answer.margin for answer in every])
    answered = np.array(
        [
            span_f1(answer.text, example.accepted, reader.language)
            for answer, example in zip(every, held_out, strict=True)
        ]
    )
    refused = np.array([float(not example.accepted) for example in held_out])
    order = np.argsort(margins)
    # With the first i of the order refused and the rest answered, for i = 0 … n.
    totals = np.concatenate([[0.0], np.cumsum(refused[order])]) + np.concatenate(
        [np.cumsum(answered[order][::-1])[::-1], [0.0]]
    )
    edges = np.concatenate([[margins.min() - 1], margins[order], [margins.max() + 1]])
    i = int(totals.argmax())
    return float((edges[i] + edges[i + 1]) / 2), float(totals[i] / len(held_out))


def bare_question(question: object) -> str:
    """A question without HTML; "" if it has neither letter nor digit, so that it is refused."""
    said = require_text(question)
    if not said.strip():
        raise EcomTutorError(
            "The question is empty. Ask in words, for example: how do I return it?"
        )
    bare = clean(re.sub(r"<[^<>]{1,300}>", " ", said))
    return bare if any(character.isalnum() for character in bare) else ""


def title_and_text(passage: "str | HasText") -> tuple[str, str]:
    """A passage's title, "" where it has none, and its text."""
    if isinstance(passage, str):
        return "", passage
    if not hasattr(passage, "text"):
        require_text(passage)
    return require_text(getattr(passage, "title", "")), require_text(passage.text)


def _prior(passage: "str | HasText") -> float:
    """The logarithm of how probable a passage is; 0 where nobody said."""
    prior = getattr(passage, "prior", 0.0)
    if not isinstance(prior, (int, float, np.floating)) or not float("-inf") < prior <= 0:
        raise EcomTutorError(
            f"A passage's prior is the finite logarithm of a probability, 0 or below; {prior!r} "
            "came."
        )
    return float(prior)


def _candidates(
    window: Window,
    start: np.ndarray,
    end: np.ndarray,
    passage: int,
    text: str,
    prior: float,
) -> Iterator[Candidate]:
    nothing = no_answer_score(start, end)
    for span in best_spans(start, end, window.allowed, n=_SPANS_A_WINDOW, max_tokens=MAX_ANSWER):
        first, last = window.characters(span.start, span.end)
        if first < last:
            yield Candidate(text[first:last], passage, first, last, span.score, nothing, prior)


def _overlap(one: Candidate, other: Candidate) -> bool:
    return one.passage == other.passage and one.start < other.end and other.start < one.end


def _warn_of_cuts(lengths: list[int]) -> None:
    long = [n for n in lengths if n > MAX_QUESTION]
    if long:
        warnings.warn(
            f"{len(long)} of {len(lengths)} questions have more than {MAX_QUESTION} tokens (up to "
            f"{max(long)}); their first and last {MAX_QUESTION // 2} were read.",
            TruncatedQuestion,
            stacklevel=5,
        )
