"""What a pre-trained model reached: perplexity, guesses at hidden tokens, next sentences."""

import math
import re
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ecomtutor.errors import EcomTutorError
from ecomtutor.pretraining.batches import CausalBatches, MaskedPairs, encode_sentences
from ecomtutor.pretraining.corpus import Document
from ecomtutor.pretraining.losses import causal_loss
from ecomtutor.pretraining.masking import IGNORED, choose_words

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

    from ecomtutor.pretraining.ngrams import Neighbours
    from ecomtutor.transformer import BertWithHeads, Gpt

_CHINESE = re.compile(r"[\u4e00-\u9fff]")


@dataclass(frozen=True)
class Perplexity:
    """How surprised a left-to-right model is by some texts; each text's end counts as one.

    nats: total surprise. tokens, characters: over how many, ends included.
    """

    nats: float
    tokens: int
    characters: int

    @property
    def per_token(self) -> float:
        """Comparable between models that share a tokenizer."""
        return math.exp(self.nats / self.tokens)

    @property
    def per_character(self) -> float:
        """Comparable between any two models of the same texts."""
        return math.exp(self.nats / self.characters)


def perplexity(
    model: "Gpt",
    tokenizer: "PreTrainedTokenizerBase",
    texts: Sequence[str],
    batch_tokens: int = 4096,
) -> Perplexity:
    """Perplexity of a causal model on texts, from `<|endoftext|>` to `<|endoftext|>`.

    Args:
        model: in evaluation mode.
        tokenizer: its own.
        texts: held-out ones, where the figure is to mean something.
        batch_tokens: tokens read at once.
    """
    import torch

    if not texts:
        raise EcomTutorError("Perplexity needs at least one text; none was given.")
    batches = CausalBatches(texts, tokenizer, tokens=batch_tokens, window=model.config.positions)
    nats, tokens = 0.0, 0
    with torch.no_grad():
        for batch in batches.epoch(0):
            asked = int((batch["labels"][:, 1:] != IGNORED).sum())
            nats += float(causal_loss(model, batch)) * asked
            tokens += asked
    return Perplexity(nats, tokens, sum(len(text) + 1 for text in texts))


@dataclass(frozen=True)
class Blank:
    """A text with hidden tokens: its ids, and the places that a model has to fill."""

    ids: tuple[int, ...]
    hidden: tuple[int, ...]

    @property
    def answers(self) -> list[int]:
        """The ids that were hidden."""
        return [self.ids[place] for place in self.hidden]

    @property
    def seen(self) -> list[int | None]:
        """The ids, None where hidden."""
        hidden = set(self.hidden)
        return [None if place in hidden else token for place, token in enumerate(self.ids)]


def single_blanks(
    texts: Sequence[str], tokenizer: "PreTrainedTokenizerBase", count: int = 2000, seed: int = 0
) -> list[Blank]:
    """Blanks with one Chinese character hidden and everything else in sight.

    Args:
        texts: where to hide.
        tokenizer: gives the tokens; texts are cut at its longest input.
        count: how many blanks.
        seed: chooses text and place, each Chinese character with equal chance.
    """
    import numpy as np

    ids = [tuple(s.ids.tolist()) for s in encode_sentences(texts, tokenizer)]
    room = tokenizer.model_max_length - 2
    pieces = [text[i : i + room] for text in ids for i in range(0, len(text), room)]
    chinese = {i for token, i in tokenizer.get_vocab().items() if _CHINESE.fullmatch(token)}
    places = [(n, p) for n, piece in enumerate(pieces) for p, i in enumerate(piece) if i in chinese]
    rng = np.random.default_rng(seed)
    chosen = rng.permutation(len(places))[:count]
    return [Blank(pieces[places[i][0]], (places[i][1],)) for i in chosen]


def word_blanks(
    texts: Sequence[str], tokenizer: "PreTrainedTokenizerBase", rate: float = 0.15, seed: int = 0
) -> list[Blank]:
    """Blanks as in training: whole words of any kind, signs too, hidden at the given rate."""
    import numpy as np

    rng = np.random.default_rng(seed)
    room = tokenizer.model_max_length - 2
    blanks = []
    for sentence in encode_sentences(texts, tokenizer):
        chosen = choose_words(sentence.words[None, :room], rate, rng)[0]
        if chosen.any():
            ids = tuple(sentence.ids[:room].tolist())
            blanks.append(Blank(ids, tuple(np.flatnonzero(chosen).tolist())))
    return blanks


@dataclass(frozen=True)
class HitRate:
    """Share of the hidden tokens that were the first guess, and among the first five."""

    top1: float
    top5: float
    count: int


def bert_hit_rate(
    model: "BertWithHeads",
    tokenizer: "PreTrainedTokenizerBase",
    blanks: Sequence[Blank],
    rows: int = 64,
) -> HitRate:
    """How often a masked language model fills the blanks rightly; hidden tokens become [MASK]."""
    guesses = [
        guess for batch in _grouped(blanks, rows) for guess in _fill(model, tokenizer, batch)
    ]
    answers = [a for batch in _grouped(blanks, rows) for blank in batch for a in blank.answers]
    return _hit_rate(guesses, answers)


def neighbours_hit_rate(model: "Neighbours", blanks: Sequence[Blank]) -> HitRate:
    """The same for the counting baseline."""
    guesses = [model.top(blank.seen, place) for blank in blanks for place in blank.hidden]
    return _hit_rate(guesses, [answer for blank in blanks for answer in blank.answers])


def next_sentence_accuracy(
    model: "BertWithHeads",
    documents: Sequence[Document],
    tokenizer: "PreTrainedTokenizerBase",
    epochs: int = 3,
    seed: int = 0,
) -> tuple[float, int]:
    """Share of unmasked held-out pairs judged rightly, and how many there were.

    About half of the pairs are true ones: a guess is right half of the time.
    """
    import torch

    batches = MaskedPairs(
        documents, tokenizer, tokens=4096, window=model.config.positions, seed=seed
    )
    right, count = 0, 0
    with torch.no_grad():
        for epoch in range(epochs):
            for batch in batches.epoch(epoch):
                asked = batch["next_labels"] != IGNORED
                original = torch.where(batch["labels"] != IGNORED, batch["labels"], batch["ids"])
                nothing = torch.zeros_like(original, dtype=torch.bool)
                outputs = model(original, batch["segments"], batch["mask"], predict_at=nothing)
                guess = outputs.nsp_logits.argmax(-1)
                right += int((guess == batch["next_labels"])[asked].sum())
                count += int(asked.sum())
    return right / count, count


def _grouped(blanks: Sequence[Blank], rows: int) -> Iterator[list[Blank]]:
    """Blanks of like length together, so that little is spent on padding."""
    ordered = sorted(blanks, key=lambda blank: len(blank.ids))
    for start in range(0, len(ordered), rows):
        yield ordered[start : start + rows]


def _fill(
    model: "BertWithHeads", tokenizer: "PreTrainedTokenizerBase", blanks: list[Blank]
) -> list[list[int]]:
    """The five likeliest ids for each hidden token, in reading order."""
    import torch

    width = max(len(blank.ids) for blank in blanks) + 2
    ids = torch.full((len(blanks), width), tokenizer.pad_token_id)
    asked = torch.zeros_like(ids, dtype=torch.bool)
    for row, blank in enumerate(blanks):
        framed = [tokenizer.cls_token_id, *blank.ids, tokenizer.sep_token_id]
        ids[row, : len(framed)] = torch.tensor(framed)
        asked[row, [place + 1 for place in blank.hidden]] = True
    real = (ids != tokenizer.pad_token_id).long()
    ids[asked] = tokenizer.mask_token_id
    with torch.no_grad():
        logits = model(ids, None, real, predict_at=asked).mlm_logits  # (places, vocabulary)
    logits[:, tokenizer.all_special_ids] = -math.inf
    return logits.topk(5).indices.tolist()


def _hit_rate(guesses: Sequence[Sequence[Hashable]], answers: Sequence[int]) -> HitRate:
    first = sum(guess[0] == answer for guess, answer in zip(guesses, answers, strict=True))
    among = sum(answer in guess[:5] for guess, answer in zip(guesses, answers, strict=True))
    return HitRate(first / len(answers), among / len(answers), len(answers))
