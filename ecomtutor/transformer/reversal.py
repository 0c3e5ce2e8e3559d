"""A task small enough to train in a lesson: read six characters, write them backwards (lesson 02).

The machine is trained on random characters only, and tried on real pieces of shop titles: what it
learns is where to look, not which words there are.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from ecomtutor.errors import EcomTutorError
from ecomtutor.transformer.encoder_decoder import EncoderDecoder

START = 0  # the id that stands before the first written character


@dataclass(frozen=True)
class Characters:
    """The characters of some words, in any script, numbered from 1; 0 is the start token."""

    known: tuple[str, ...]

    @classmethod
    def of(cls, words: Sequence[str]) -> "Characters":
        """All characters that occur in the words, sorted."""
        return cls(tuple(sorted(set("".join(words)))))

    @property
    def vocabulary(self) -> int:
        """How many ids there are, the start token among them."""
        return len(self.known) + 1

    def encode(self, words: Sequence[str]) -> Tensor:
        """Words of equal length → ids (words, characters).

        Raises:
            EcomTutorError: words of several lengths, or a character that is not known.
        """
        if len({len(word) for word in words}) != 1:
            raise EcomTutorError(f"Words of one length are needed; {list(words)[:5]} came.")
        number = {character: index for index, character in enumerate(self.known, start=1)}
        if strange := sorted(set("".join(words)) - number.keys()):
            raise EcomTutorError(f"These characters are not known: {' '.join(strange)}")
        return torch.tensor([[number[character] for character in word] for word in words])

    def decode(self, ids: Tensor) -> list[str]:
        """Ids (words, characters) → words; "_" for the start token."""
        letters = ("_", *self.known)
        return ["".join(letters[i] for i in row) for row in ids.tolist()]


def reversal_loss(model: EncoderDecoder, source: Tensor) -> Tensor:
    """Mean cross-entropy of writing each source backwards, all characters scored at once.

    Args:
        model: reads the source, and predicts each character from those before it.
        source: (batch, characters), ids.
    """
    target = source.flip(1)  # (batch, characters)
    start = torch.full_like(target[:, :1], START)  # (batch, 1)
    written = torch.cat([start, target[:, :-1]], dim=1)  # the target, one step to the right
    logits = model(source, written).logits  # (batch, characters, vocabulary)
    return F.cross_entropy(logits.flatten(0, 1), target.flatten())


@contextmanager
def _one_thread() -> Iterator[None]:
    """Matrices this small lose more by waiting for a second thread than they gain."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


@_one_thread()
def train_reversal(
    model: EncoderDecoder, steps: int = 400, batch: int = 128, length: int = 6, seed: int = 0
) -> list[float]:
    """Train on random characters by Adam, with a warm-up and a slow end; the loss of each step."""
    draw = torch.Generator().manual_seed(seed)
    optimizer = torch.optim.Adam(model.parameters())
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=3e-3, total_steps=steps)
    losses = []
    for _ in range(steps):
        source = torch.randint(1, model.config.vocabulary, (batch, length), generator=draw)
        loss = reversal_loss(model, source)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        losses.append(loss.item())
    return losses


def exact_match(model: EncoderDecoder, source: Tensor) -> float:
    """The share of sources that the model writes backwards without any mistake, step by step."""
    written = model.write(source, START, source.shape[1])  # (batch, characters)
    return (written == source.flip(1)).all(dim=1).float().mean().item()


def title_endings(titles: Sequence[str], length: int = 6) -> list[str]:
    """The last characters of each title, without spaces, each once, sorted.

    Raises:
        EcomTutorError: a title is shorter than that.
    """
    endings = {title.replace(" ", "")[-length:] for title in titles}
    if short := sorted(ending for ending in endings if len(ending) < length):
        raise EcomTutorError(f"Shorter than {length} characters: {short[:5]}")
    return sorted(endings)
