"""A question encoder: the shop's encoder, taught to send a question to where its page lies.

An encoder that was trained on likeness puts "the parcel came crushed" near "the parcel came". What
a shop needs near it is the page that helps. Only the question's vector learns to move: pages keep
theirs, so that nothing computed for them is lost, and a step of training reads 64 short questions
and no page.

It learns from the practice questions about other shops' pages: among the pages of one writer, which
is this question's? No page of this shop takes part, neither as the right one nor as a wrong one.

Source:
    Karpukhin et al. (2020), Dense Passage Retrieval, for two encoders and the loss over pages.
"""

import copy
import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from ecomtutor.datasets.questions import ELSEWHERE
from ecomtutor.errors import DamagedResource, EcomTutorError, MissingResource
from ecomtutor.finetuning.difference import apply_difference, difference, from_bytes, in_bytes
from ecomtutor.finetuning.model import lower_case_where_needed
from ecomtutor.finetuning.packed import packed
from ecomtutor.question_answering.retrieve import MeaningIndex, WordIndex
from ecomtutor.text.checking import require_text
from ecomtutor.training import Curve, Plan, has_bf16, pad, train

if TYPE_CHECKING:
    import pandas as pd

    from ecomtutor.models import Loaded

CARD, WEIGHTS = "encoder.json", "model.safetensors"
SHIPPED = {"en": "shop-question-encoder-en", "zh": "shop-question-encoder-zh"}
MAX_TOKENS = 128  # of a question; of a longer one the first and the last 64 are read
FEWEST_PAGES = 20  # a writer with fewer is left out: the right page is too easy to find
NO_WRITER = "else2-"  # the second round of practice, whose ids do not say who wrote a page


@dataclass(frozen=True)
class Recipe:
    """Everything that a shipped question encoder is made of.

    weights are what BM25 (standardised within a question), the cosine with the page and the highest
    with one of its sentences count for while it learns: it need not learn what words find already.
    """

    language: str
    steps: int = 2000
    peak_rate: float = 1e-4
    batch_size: int = 64
    rank: int = 64
    weights: tuple[float, float, float] = (0.6, 12.0, 15.0)
    seed: int = 0


RECIPES = {name: Recipe(language) for language, name in SHIPPED.items()}


class QuestionTower(torch.nn.Module):
    """An encoder whose layers may move, and whose vectors of words and places may not."""

    def __init__(self, loaded: "Loaded"):
        super().__init__()
        encoder: Any = copy.deepcopy(loaded.model)
        encoder.set_attn_implementation("sdpa")
        encoder.pooler = None
        encoder.embeddings.requires_grad_(False)
        self.encoder = encoder

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        """Unit vectors (questions, width) of token ids (questions, tokens)."""
        states = self.encoder(input_ids=input_ids, attention_mask=attention_mask)
        total = (states.last_hidden_state.float() * attention_mask[:, :, None]).sum(dim=1)
        return torch.nn.functional.normalize(total, dim=-1)


@dataclass
class QuestionEncoder:
    """Questions as vectors, to be compared with the plain encoder's vectors of pages."""

    tower: QuestionTower
    tokenizer: Any
    language: str
    own_weights: dict[str, torch.Tensor]

    def vectors(self, questions: Sequence[str]) -> np.ndarray:
        """(questions, width): float32, each of length 1; of a long question both ends are read.

        Raises:
            EcomTutorError: one text instead of a list, or something that is not text.
        """
        if isinstance(questions, str):
            raise EcomTutorError(
                f"A list of questions was expected; one text came. Write [{questions!r:.40}]."
            )
        if not len(questions):
            return np.zeros((0, self.tower.encoder.config.hidden_size), dtype=np.float32)
        rows = _ids([require_text(question) for question in questions], self.tokenizer)
        fast = packed(self.tower, QuestionTower, torch.float32)
        with torch.inference_mode():
            if fast is None:
                found = self.tower(**_padded(rows, self.tokenizer.pad_token_id))
            else:
                found = torch.nn.functional.normalize(fast.means(rows), dim=-1)
        vectors: np.ndarray = found.numpy()
        return vectors

    def save(self, folder: Path | str) -> Path:
        """Write the difference to the plain encoder into a folder."""
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        save_file(self.own_weights, folder / WEIGHTS)
        (folder / CARD).write_text(json.dumps({"language": self.language}) + "\n", "utf-8")
        return folder

    @classmethod
    def load(cls, folder: Path | str) -> "QuestionEncoder":
        """The question encoder that `save` wrote; its vectors are identical.

        Raises:
            MissingResource: none lies there, or the plain encoder is not on this machine.
            DamagedResource: its files do not belong together.
        """
        from ecomtutor.models import load_encoder

        folder = Path(folder)
        if not ((folder / CARD).is_file() and (folder / WEIGHTS).is_file()):
            raise MissingResource(
                f"There is no question encoder in the folder {folder.name}: {CARD} and {WEIGHTS} "
                "are wanted. Work from a full clone; where that has none, make them: "
                f"python -m ecomtutor.question_answering train {folder.name}, then copy the folder "
                f"`model` that it names to data/models/{folder.name}."
            )
        try:
            language = json.loads((folder / CARD).read_text("utf-8"))["language"]
            return cls._on(load_encoder(language), load_file(folder / WEIGHTS), language)
        except (KeyError, TypeError, RuntimeError, ValueError, SafetensorError) as error:
            raise DamagedResource(
                f"{WEIGHTS} does not fit {CARD} beside it: {error!s:.200}"
            ) from error

    @classmethod
    def of(cls, tower: QuestionTower, loaded: "Loaded", made: Recipe) -> "QuestionEncoder":
        """A trained tower: what it learned is cut to the recipe's rank, and kept in bytes."""
        small = in_bytes(difference(tower, QuestionTower(loaded), made.rank))
        return cls._on(loaded, small, made.language)

    @classmethod
    def _on(
        cls, loaded: "Loaded", weights: dict[str, torch.Tensor], language: str
    ) -> "QuestionEncoder":
        tower = QuestionTower(loaded)
        apply_difference(tower, from_bytes(weights))
        return cls(tower.eval(), lower_case_where_needed(loaded.tokenizer), language, weights)


@cache
def load_question_encoder(language: str) -> QuestionEncoder:
    """The shipped question encoder for "en" (on MiniLM) or "zh" (on m3e-small).

    Called twice, it returns the same object. Card: data/models/shop-question-encoder-en/README.md.

    Raises:
        EcomTutorError: another language.
        MissingResource: its weights or the plain encoder are not on this machine.
    """
    from ecomtutor.datasets.store import data_dir

    if language not in SHIPPED:
        raise EcomTutorError(f"There are question encoders for 'en', 'zh'; {language!r} came.")
    return QuestionEncoder.load(data_dir() / "models" / SHIPPED[language])


@dataclass(frozen=True)
class Shelf:
    """One writer's pages and the questions about them.

    questions are token ids. right numbers each question's page, (questions,); words is BM25,
    standardised within a question, (questions, pages). whole (pages, width) and parts
    (sentences, width) are vectors; page_of says whose each sentence is, (sentences,).
    """

    questions: list[np.ndarray]
    right: np.ndarray
    words: np.ndarray
    whole: np.ndarray
    parts: np.ndarray
    page_of: np.ndarray


class Shelves:
    """The other shops' practice questions, a shelf for each writer; made when it is first taken.

    Args:
        language: "en" or "zh".
        tokenizer: makes the questions' tokens.
    """

    def __init__(self, language: str, tokenizer: Any):
        from ecomtutor.datasets import practice

        table = practice(language)
        keys = table["passage_id"]
        table = table[keys.str.startswith(ELSEWHERE) & ~keys.str.startswith(NO_WRITER)]
        of_writer = table.groupby(table["passage_id"].map(_writer), sort=True)
        self._tables = [
            each for _, each in of_writer if each["passage_id"].nunique() >= FEWEST_PAGES
        ]
        self._language, self._tokenizer = language, tokenizer
        self._made: dict[int, Shelf] = {}
        self.sizes = [len(each) for each in self._tables]  # questions

    def __getitem__(self, number: int) -> Shelf:
        if number not in self._made:
            self._made[number] = _shelf(self._tables[number], self._language, self._tokenizer)
        return self._made[number]


def question_loss(tower: Any, batch: dict[str, torch.Tensor]) -> torch.Tensor:
    """How surprised the tower is by the right pages: mean cross-entropy over the shelf's pages.

    Args:
        tower: gives unit vectors (questions, width).
        batch: input_ids, attention_mask (questions, tokens); right (questions,); words
            (questions, pages); whole (pages, width), parts (sentences, width), page_of
            (sentences,); weights (3,).
    """
    asked = tower(batch["input_ids"], batch["attention_mask"]).float()  # (questions, width)
    with torch.autocast(asked.device.type, enabled=False):
        whole = asked @ batch["whole"].T
        parts = asked @ batch["parts"].T  # (questions, sentences)
    owner = batch["page_of"].expand_as(parts)
    sentence = torch.full_like(whole, -1).scatter_reduce(1, owner, parts, "amax")
    weights = batch["weights"]
    scores = weights[0] * batch["words"] + weights[1] * whole + weights[2] * sentence
    return torch.nn.functional.cross_entropy(scores, batch["right"])


class QuestionBatches:
    """Batches of one shelf's questions each: `batches(step)` is the same for the same step."""

    def __init__(self, some: Shelves, made: Recipe, filler: int):
        if not some.sizes:
            raise EcomTutorError("There is no shelf of pages to learn from.")
        self.shelves, self.made, self.filler = some, made, filler
        self.share = np.array(some.sizes) / sum(some.sizes)

    def __call__(self, step: int) -> dict[str, torch.Tensor]:
        """A step's batch, as `question_loss` takes it."""
        dice = np.random.default_rng((self.made.seed, step))
        shelf = self.shelves[int(dice.choice(len(self.share), p=self.share))]
        size = min(self.made.batch_size, len(shelf.questions))
        rows = dice.choice(len(shelf.questions), size, replace=False)
        chosen = {
            "right": shelf.right[rows],
            "words": shelf.words[rows],
            "whole": shelf.whole,
            "parts": shelf.parts,
            "page_of": shelf.page_of,
            "weights": np.array(self.made.weights, dtype=np.float32),
        }
        asked = _padded([shelf.questions[i] for i in rows], self.filler)
        return asked | {name: torch.from_numpy(array) for name, array in chosen.items()}


def train_question_encoder(
    name: str, folder: Path | None = None, *, minutes: float | None = None, device: str = "cpu"
) -> QuestionEncoder | None:
    """Train a shipped question encoder and save it in `folder/model`; resumes where it stopped.

    Args:
        name: "shop-question-encoder-en" or "shop-question-encoder-zh".
        folder: for checkpoints and the encoder; unless given, in the course's cache.
        minutes: pause after so long; the next call goes on.
        device: where to train: "cpu", or "cuda" for a graphics card.

    Returns:
        The encoder, or None if it paused.

    Raises:
        EcomTutorError: no such recipe.
        MissingResource: the plain encoder is not there.
    """
    from ecomtutor.models import load_encoder

    if name not in RECIPES:
        raise EcomTutorError(f"There are recipes for {' and '.join(RECIPES)}; not for {name!r}.")
    made = RECIPES[name]
    loaded = load_encoder(made.language)
    tokenizer = lower_case_where_needed(loaded.tokenizer)
    some = Shelves(made.language, tokenizer)
    return fit_question_encoder(made, loaded, some, folder_of(name, folder), minutes, device)


def fit_question_encoder(
    made: Recipe,
    loaded: "Loaded",
    some: Shelves,
    folder: Path,
    minutes: float | None = None,
    device: str = "cpu",
    progress: bool = True,
) -> QuestionEncoder | None:
    """Go through a recipe's steps on some shelves; then cut and save."""
    tower = QuestionTower(loaded).to(device)
    plan = plan_of(made)
    batches = QuestionBatches(some, made, loaded.tokenizer.pad_token_id)
    curve: Curve = train(
        tower,
        question_loss,
        batches,
        plan,
        folder,
        count=lambda batch: len(batch["right"]),
        minutes=minutes,
        progress=progress,
    )
    if not curve.finished(plan):
        return None
    encoder = QuestionEncoder.of(tower.cpu(), loaded, made)
    encoder.save(folder / "model")
    return encoder


def plan_of(made: Recipe) -> Plan:
    """The training loop's plan: nothing is validated, the last weights are taken."""
    return Plan(
        steps=made.steps,
        peak_rate=made.peak_rate,
        warmup=max(1, made.steps // 10),
        weight_decay=0.01,
        bf16=has_bf16(),
        seed=made.seed,
        save_every=min(100, made.steps),
        validate_every=made.steps + 1,
        betas=(0.9, 0.999),
    )


def folder_of(name: str, folder: Path | None = None) -> Path:
    """Where a run keeps its checkpoints: the folder given, or one in the course's cache."""
    from ecomtutor.resources import cache_dir

    return folder or cache_dir() / "question_answering" / name


def _writer(passage_id: str) -> str:
    """Who wrote a practice page: "else4-2-017" is of "else4-2", "else-bike-repair" of "else"."""
    parts = passage_id.split("-")
    return "-".join(parts[:2]) if parts[0][-1:].isdigit() and len(parts) > 2 else parts[0]


def _shelf(table: "pd.DataFrame", language: str, tokenizer: Any) -> Shelf:
    pages = table.drop_duplicates("passage_id")
    number = {key: i for i, key in enumerate(pages["passage_id"])}
    asked = table["question"].tolist()
    texts = (pages["title"] + "\n" + pages["text"]).tolist()
    index = WordIndex(texts, language)
    words = np.stack([index.scores(question) for question in asked])
    spread = np.maximum(words.std(axis=1, keepdims=True), 1e-9)
    meaning = MeaningIndex(pages["title"].tolist(), pages["text"].tolist(), language, keep=False)
    counts = np.diff([*meaning.first, len(meaning.parts)])
    return Shelf(
        questions=_ids(asked, tokenizer),
        right=table["passage_id"].map(number).to_numpy(),
        words=((words - words.mean(axis=1, keepdims=True)) / spread).astype(np.float32),
        whole=meaning.passages,
        parts=meaning.parts,
        page_of=np.repeat(np.arange(len(pages)), counts),
    )


def _ids(questions: Sequence[str], tokenizer: Any) -> list[np.ndarray]:
    rows, half = tokenizer(list(questions), verbose=False)["input_ids"], MAX_TOKENS // 2
    return [np.array(r if len(r) <= MAX_TOKENS else [*r[:half], *r[-half:]]) for r in rows]


def _padded(rows: Sequence[np.ndarray], filler: int) -> dict[str, torch.Tensor]:
    """Token ids as input_ids and attention_mask, (questions, tokens) each."""
    ids = torch.from_numpy(pad(rows, filler, 8))
    real = np.arange(ids.shape[1]) < np.array([len(row) for row in rows])[:, None]
    return {"input_ids": ids, "attention_mask": torch.from_numpy(real.astype(np.int64))}
