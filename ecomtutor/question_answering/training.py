"""Train a reader: first on public questions, then on shops' own among them.

The vectors of words and places stay as they are: that leaves what a reader learns, the layers,
small enough to ship. Full MiniLM has 22.7 million weights, of which 11.9 are such vectors; the
layers' difference at rank 192 is 8.0 million numbers, 8 MB in bytes. For m3e-small rank 256 keeps
9.4 of 12.6 million, 10 MB.
"""

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from ecomtutor.errors import EcomTutorError, MissingResource
from ecomtutor.finetuning.difference import average
from ecomtutor.question_answering.augmenting import reordered, unanswered
from ecomtutor.question_answering.cloze import cloze_examples
from ecomtutor.question_answering.examples import (
    Example,
    further_examples,
    page_examples,
    practice_examples,
    public_examples,
    store_examples,
    wrong_passages,
)
from ecomtutor.question_answering.model import EncoderWithSpans, span_loss, with_spans
from ecomtutor.question_answering.windows import Window, pieces_of, windows
from ecomtutor.training import Curve, Plan, has_bf16, load_weights, pad, train
from ecomtutor.training.loop import BEST

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

    from ecomtutor.models import Loaded
    from ecomtutor.question_answering.reader import Reader

# A window without its passage's answer is one more question without an answer; some are enough.
_EMPTY_WINDOWS = 0.3


@dataclass(frozen=True)
class Stage:
    """A part of the training: steps, AdamW's peak rate, and windows of each kind in an epoch.

    Kinds: "cloze" (texts that ask about themselves), "public" (the public sets), "store" (the
    store's train questions), "practice" (more of them, and other shops'), "wrong" (both with a
    passage that does not answer), "pages" (made from product pages), "further" (the later rounds of
    other shops' questions), "reordered" and "unanswered" (all of these with their passages'
    sentences shuffled, and without the one that answers). One that has fewer windows is repeated;
    of one that has more, others come each epoch. Cloze and public windows are narrower.
    judged_by says by which held-out questions the best moment is chosen: the store's validation
    questions, or these and the passages held back from the later rounds.
    """

    name: str
    steps: int
    peak_rate: float
    mix: tuple[tuple[str, int], ...]
    validate_every: int = 0  # never: the last weights are taken
    judged_by: tuple[str, ...] = ("store",)


@dataclass(frozen=True)
class Recipe:
    """Everything that a shipped reader is made of.

    rank is what is kept of each matrix's change. The last stage runs `averaged` times from the same
    start, each with a seed of its own; the reader is the mean of what they end with.
    """

    language: str
    stages: tuple[Stage, ...]
    rank: int
    batch_size: int = 64
    seed: int = 0
    averaged: int = 3


_CLOZE = Stage("cloze", 1500, 2e-4, (("cloze", 16000),))
_ALL = (
    ("store", 700),
    ("practice", 4000),
    ("further", 11000),
    ("reordered", 3500),
    ("unanswered", 2000),
    ("wrong", 1500),
    ("pages", 500),
    ("public", 800),
)
_LAST = Stage("all", 3000, 2e-4, _ALL, validate_every=250, judged_by=("store", "further"))
RECIPES = {
    "shop-reader-en": Recipe(
        "en",
        (_CLOZE, Stage("public", 400, 2e-4, (("public", 7000),)), _LAST),
        rank=192,
    ),
    "shop-reader-zh": Recipe(
        "zh",
        (_CLOZE, Stage("public", 1500, 2e-4, (("public", 11000),)), _LAST),
        rank=256,
    ),
}


@dataclass(frozen=True)
class Row:
    """A window and the token positions of its answer, 0 and 0 where there is none."""

    window: Window
    start: int = 0
    end: int = 0


class ReadingBatches:
    """Batches of windows of like length: `batches(step)` is the same for the same seed and step.

    Args:
        kinds: rows of each kind, and how many of them an epoch shows.
        filler: the padding's token id.
        batch_size: windows in a batch.
        seed: chooses and shuffles.
    """

    def __init__(
        self,
        kinds: Sequence[tuple[Sequence[Row], int]],
        filler: int,
        *,
        batch_size: int = 16,
        seed: int = 0,
    ):
        if not any(rows and many for rows, many in kinds):
            raise EcomTutorError("There is no question to train on.")
        self.kinds, self.filler = kinds, filler
        self.batch_size, self.seed = batch_size, seed
        self.per_epoch = -(-sum(many for rows, many in kinds if rows) // batch_size)
        self._epoch, self._batches = -1, list[list[Row]]()

    def __call__(self, step: int) -> dict[str, torch.Tensor]:
        """A step's batch, as `span_loss` takes it."""
        epoch, place = divmod(step, self.per_epoch)
        if epoch != self._epoch:
            self._batches, self._epoch = self._of(epoch), epoch
        rows = self._batches[place]
        return as_tensors([row.window for row in rows], self.filler) | {
            "starts": torch.tensor([row.start for row in rows]),
            "ends": torch.tensor([row.end for row in rows]),
        }

    def _of(self, epoch: int) -> list[list[Row]]:
        dice = np.random.default_rng((self.seed, epoch))
        chosen: list[Row] = []
        for number, (rows, many) in enumerate(self.kinds):
            # The next `many` of an endless row of shuffles: all are seen equally often.
            first = epoch * many
            for turn in range(first // max(1, len(rows)), -(-(first + many) // max(1, len(rows)))):
                order = np.random.default_rng((self.seed, number, turn, 7)).permutation(len(rows))
                low = max(0, first - turn * len(rows))
                chosen += [rows[i] for i in order[low : first + many - turn * len(rows)]]
        lengths = np.array([len(row.window.ids) for row in chosen])
        order = np.argsort(lengths * dice.uniform(0.9, 1.1, len(lengths)))
        batches = np.split(order, range(self.batch_size, len(order), self.batch_size))
        return [[chosen[i] for i in batches[b]] for b in dice.permutation(len(batches))]


def as_tensors(some: Sequence[Window], filler: int, multiple: int = 8) -> dict[str, torch.Tensor]:
    """Windows as input_ids, attention_mask, token_type_ids and allowed, each (windows, tokens)."""
    lengths = np.array([len(window.ids) for window in some])
    ids = torch.from_numpy(pad([window.ids for window in some], filler, multiple))
    places = np.arange(ids.shape[1])
    real = places < lengths[:, None]  # (windows, tokens)
    second = real & (places >= np.array([[window.segment_from] for window in some]))
    allowed = pad([window.allowed for window in some], False, multiple)
    return {
        "input_ids": ids,
        "attention_mask": torch.from_numpy(real.astype(np.int64)),
        "token_type_ids": torch.from_numpy(second.astype(np.int64)),
        "allowed": torch.from_numpy(allowed),
    }


def rows_of(
    given: Sequence[Example],
    tokenizer: "PreTrainedTokenizerBase",
    *,
    max_tokens: int = 384,
    stride: int = 128,
    seed: int = 0,
) -> list[Row]:
    """Examples as windows with their answers' places.

    A long text gives the windows that hold the answer, and now and then one that does not. Of a
    text without an answer one window is taken.
    """
    dice = np.random.default_rng(seed)
    asked = pieces_of([example.question for example in given], tokenizer)
    titles = pieces_of([example.title for example in given], tokenizer)
    texts = list(dict.fromkeys(example.text for example in given))
    cut = dict(zip(texts, pieces_of(texts, tokenizer), strict=True))
    found = []
    for example, question, title in zip(given, asked, titles, strict=True):
        parts = list(
            windows(
                question, title, cut[example.text], tokenizer, max_tokens=max_tokens, stride=stride
            )
        )
        full: list[Row] = []
        empty: list[Row] = []
        for window in parts:
            at = _place(example, window)
            (full if at else empty).append(Row(window, *at) if at else Row(window))
        found += full
        if empty and (example.start is None or (full and dice.random() < _EMPTY_WINDOWS)):
            found.append(empty[int(dice.integers(len(empty)))])
    return found


def _place(example: Example, window: Window) -> tuple[int, int] | None:
    if example.start is None:
        return None
    return window.tokens(example.start, example.start + len(example.answer))


def train_reader(
    name: str,
    folder: Path | None = None,
    *,
    data: Path | None = None,
    minutes: float | None = None,
    device: str = "cpu",
) -> "Reader | None":
    """Train a shipped reader by its recipe and save it in `folder/model`; resumes where it stopped.

    Args:
        name: "shop-reader-en" or "shop-reader-zh".
        folder: for checkpoints and the reader; unless given, in the course's cache.
        data: the public sets; unless given, ECOMTUTOR_READER_DATA names their folder.
        minutes: pause after so long; the next call goes on.
        device: where to train: "cpu", or "cuda" for a graphics card.

    Returns:
        The reader, or None if it paused.

    Raises:
        EcomTutorError: no such recipe.
        MissingResource: the public sets or the encoder are not there.
    """
    from ecomtutor.models import load_encoder

    made = recipe(name)
    loaded = load_encoder(made.language)
    return fit_reader(
        made,
        loaded,
        kinds_of(made.language, data),
        held_out_examples(made.language),
        folder_of(name, folder),
        minutes=minutes,
        device=device,
    )


def reader_so_far(name: str, folder: Path | None = None) -> Path:
    """The reader of an unfinished run's best weights, in `folder/so-far`; the run can go on.

    Raises:
        EcomTutorError: no such recipe.
        MissingResource: the run has validated nothing yet.
    """
    from ecomtutor.models import load_encoder
    from ecomtutor.question_answering.reader import Reader, calibrated

    made, folder = recipe(name), folder_of(name, folder)
    found = [folder / stage.name / BEST for stage in made.stages]
    best = [path for path in found if path.is_file()]
    if not best:
        raise MissingResource(f"{folder.name} has no validated weights yet: train a while longer.")
    loaded = load_encoder(made.language)
    model = trainable(loaded)
    load_weights(model, best[-1])
    reader = Reader.of(model, loaded, made.language, made.rank)
    held_out = [e for some in held_out_examples(made.language).values() for e in some]
    return calibrated(reader, held_out).save(folder / "so-far")


def folder_of(name: str, folder: Path | None = None) -> Path:
    """Where a run keeps its checkpoints: the folder given, or one in the course's cache."""
    from ecomtutor.resources import cache_dir

    return folder or cache_dir() / "question_answering" / name


def recipe(name: str) -> Recipe:
    """The recipe of "shop-reader-en" or "shop-reader-zh"."""
    if name not in RECIPES:
        raise EcomTutorError(f"There are recipes for {' and '.join(RECIPES)}; not for {name!r}.")
    return RECIPES[name]


def held_out_examples(language: str) -> dict[str, list[Example]]:
    """What chooses the moment and the threshold, by kind; no reader learns from it."""
    return {
        "store": store_examples(language, "validation"),
        "further": further_examples(language, held_back=True),
    }


def kinds_of(language: str, data: Path | None = None) -> dict[str, list[Example]]:
    """What a reader learns from, by kind."""
    own, practice = store_examples(language, "train"), practice_examples(language)
    further = further_examples(language)
    public = public_examples(language, data)
    shop = dict.fromkeys(example.text for example in own)
    return {
        "cloze": cloze_examples(list(shop), language, each=12)
        + cloze_examples(list(dict.fromkeys(example.text for example in public)), language),
        "public": public,
        "store": own,
        "practice": practice,
        "wrong": wrong_passages(own + practice, language),
        "pages": page_examples(language),
        "further": further,
        "reordered": reordered(own + practice + further, language),
        "unanswered": unanswered(own + practice + further, language),
    }


def fit_reader(
    made: Recipe,
    loaded: "Loaded",
    kinds: dict[str, list[Example]],
    held_out: Mapping[str, Sequence[Example]],
    folder: Path,
    *,
    minutes: float | None = None,
    progress: bool = True,
    device: str = "cpu",
) -> "Reader | None":
    """Go through a recipe's stages, each with its checkpoint; then cut, calibrate and save.

    Args:
        made: the recipe.
        loaded: the encoder that it begins with.
        kinds: examples of each kind.
        held_out: validation questions by kind: those that a stage is judged by choose its moment,
            all of them the threshold.
        folder: for checkpoints, and the reader in `folder/model`.
        minutes: pause after so long.
        progress: draw a bar.
        device: where to train; the reader is on the processor again.
    """
    from ecomtutor.finetuning.model import lower_case_where_needed
    from ecomtutor.question_answering.reader import Reader, calibrated

    tokenizer = lower_case_where_needed(loaded.tokenizer)
    model: Any = trainable(loaded)
    model.to(device)
    rows = {
        kind: rows_of(some, tokenizer, max_tokens=256, stride=64)
        if kind in ("cloze", "public")
        else rows_of(some, tokenizer)
        for kind, some in kinds.items()
    }

    def fitted(network: EncoderWithSpans, stage: Stage, how: Recipe, name: str) -> bool:
        judges = [example for kind in stage.judged_by for example in held_out[kind]]
        curve = fit_stage(
            network, stage, how, rows, tokenizer, judges, folder / name, minutes, progress
        )
        return curve.finished(plan_of(stage, how, how.stages.index(stage)))

    if not all(fitted(model, stage, made, stage.name) for stage in made.stages[:-1]):
        return None
    runs = []
    for how, name in last_runs(made):
        runs.append(copy.deepcopy(model))
        if not fitted(runs[-1], made.stages[-1], how, name):
            return None
    reader = Reader.of(average(runs).cpu(), loaded, made.language, made.rank)
    reader = calibrated(reader, [example for some in held_out.values() for example in some])
    reader.save(folder / "model")
    return reader


def last_runs(made: Recipe) -> list[tuple[Recipe, str]]:
    """The runs of the last stage: the recipe with a seed of their own, and their folder's name."""
    last = made.stages[-1].name
    return [
        (replace(made, seed=made.seed + 100 * k), f"{last}-{k}" if k else last)
        for k in range(made.averaged)
    ]


def trainable(loaded: "Loaded") -> EncoderWithSpans:
    """The network with its layers free and its vectors of words and places frozen.

    Attention weights are not dropped: on a processor that rules out the fused attention, and
    costs a fifth of the time.
    """
    model = with_spans(loaded)
    for module in model.modules():
        if isinstance(getattr(module, "query", None), torch.nn.Linear):
            module.dropout = torch.nn.Dropout(0.0)
    embeddings: Any = model.encoder.embeddings
    embeddings.word_embeddings.requires_grad_(False)
    embeddings.position_embeddings.requires_grad_(False)
    return model


def plan_of(stage: Stage, made: Recipe, number: int) -> Plan:
    """The training loop's plan of a stage."""
    return Plan(
        steps=stage.steps,
        peak_rate=stage.peak_rate,
        warmup=max(1, stage.steps // 10),
        weight_decay=0.01,
        bf16=has_bf16(),
        seed=made.seed + number,
        save_every=min(50, stage.steps),
        validate_every=stage.validate_every or stage.steps + 1,
        betas=(0.9, 0.999),
    )


def fit_stage(
    model: EncoderWithSpans,
    stage: Stage,
    made: Recipe,
    rows: dict[str, list[Row]],
    tokenizer: "PreTrainedTokenizerBase",
    held_out: Sequence[Example],
    folder: Path,
    minutes: float | None = None,
    progress: bool = True,
) -> Curve:
    """One stage, from its checkpoint if there is one."""
    from ecomtutor.question_answering.reader import reading_error

    number = made.stages.index(stage)
    batches = ReadingBatches(
        [(rows[kind], many) for kind, many in stage.mix],
        tokenizer.pad_token_id,
        batch_size=made.batch_size,
        seed=made.seed,
    )

    def validate(network: torch.nn.Module) -> float:
        return reading_error(network, tokenizer, held_out, made.language)

    return train(
        model,
        span_loss,
        batches,
        plan_of(stage, made, number),
        folder,
        validate=validate if stage.validate_every else None,
        count=lambda batch: len(batch["starts"]),
        minutes=minutes,
        progress=progress,
        quantity="1 - F1",
    )
