"""A fitted classifier: texts in, probabilities out; saved and loaded without a difference."""

import json
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from safetensors.torch import load_file, save_file

from ecomtutor.errors import DamagedResource, MissingResource
from ecomtutor.finetuning.batches import encode, padded
from ecomtutor.finetuning.difference import apply_difference
from ecomtutor.finetuning.examples import require_texts
from ecomtutor.finetuning.model import EncoderWithHead, lower_case_where_needed, with_head
from ecomtutor.finetuning.packed import TOKENS_AT_ONCE as PACKED_AT_ONCE
from ecomtutor.finetuning.packed import packed
from ecomtutor.metrics import with_temperature
from ecomtutor.training import has_bf16

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

CARD, WEIGHTS = "classifier.json", "model.safetensors"
TOKENS_AT_ONCE = 4096


class TruncatedText(UserWarning):
    """Texts were longer than the model reads; the warning says how many tokens were left out."""


@dataclass
class Classifier:
    """Predicts a label, and a probability for each label, from text.

    labels names the columns of `predict_proba`. temperature divides the logits, so that
    probabilities are as large as they are right. base is the encoder in the catalogue, "en" or
    "zh", to which own_weights are the difference; None where all weights are the model's own.
    lowers says whether letters are lowered where the encoder's vocabulary has no capitals.
    """

    model: EncoderWithHead
    tokenizer: "PreTrainedTokenizerBase"
    labels: tuple[str, ...]
    temperature: float = 1.0
    max_tokens: int = 512
    base: str | None = None
    lowers: bool = True
    own_weights: dict[str, torch.Tensor] = field(default_factory=dict, repr=False)

    def predict(self, texts: Sequence[str], *, bf16: bool = False) -> list[str]:
        """The likeliest label of each text."""
        return [self.labels[i] for i in self.predict_proba(texts, bf16=bf16).argmax(axis=1)]

    def predict_proba(self, texts: Sequence[str], *, bf16: bool = False) -> np.ndarray:
        """Probabilities of shape (texts, classes); each row sums to one.

        Args:
            texts: a list; each distinct text is computed once. Empty texts are allowed.
            bf16: half precision where the processor has it: faster, equal to about 0.01.

        Raises:
            EcomTutorError: a single string, or something other than text in the list.

        Warns:
            TruncatedText: texts are longer than `max_tokens` tokens; the rest of them is not read.
        """
        return with_temperature(self.logits(texts, bf16=bf16), self.temperature)

    def logits(self, texts: Sequence[str], *, bf16: bool = False) -> np.ndarray:
        """The head's outputs before temperature and softmax, shape (texts, classes)."""
        return self._each(texts, bf16, head=True)

    def features(self, texts: Sequence[str], *, bf16: bool = False) -> np.ndarray:
        """What the head sees: the mean of each text's token vectors, shape (texts, width)."""
        return self._each(texts, bf16, head=False)

    def token_logits(self, rows: Sequence[np.ndarray], *, bf16: bool = False) -> np.ndarray:
        """Logits (rows, classes) of texts that are token ids already: what explanations ask for.

        Args:
            rows: each (tokens,), special tokens included, of any lengths; not changed.
            bf16: as in `predict_proba`.
        """
        rows = list(rows)
        if not rows:
            return np.empty((0, len(self.labels)), np.float32)
        return self._of_rows(rows, bf16, head=True)

    def _each(self, texts: Sequence[str], bf16: bool, head: bool) -> np.ndarray:
        """One row for each text; each distinct text is computed once, with others of its length."""
        texts = require_texts(texts)
        place = {text: i for i, text in enumerate(dict.fromkeys(texts))}
        # An empty list gives no rows, but as wide ones as any other.
        rows, lost = encode(list(place) or [""], self.tokenizer, self.max_tokens)
        _warn_of_cuts([lost[place[text]] for text in texts], self.max_tokens)
        return self._of_rows(rows, bf16, head)[[place[text] for text in texts]]

    def _of_rows(self, rows: list[np.ndarray], bf16: bool, head: bool) -> np.ndarray:
        """Logits, or what the head sees, of token-id rows; rows of like length go together."""
        half = bf16 and has_bf16()
        fast = packed(self.model, EncoderWithHead, torch.bfloat16 if half else torch.float32)
        batches = _in_batches(rows, TOKENS_AT_ONCE if fast is None else PACKED_AT_ONCE)
        found = []
        for numbers in batches:
            part = [rows[i] for i in numbers]
            if fast is None:
                found.append(self._plainly(part, half, head))
            else:
                with torch.inference_mode():
                    mean = fast.means(part)
                    found.append((self.model.classifier(mean) if head else mean).numpy())
        values = np.concatenate(found)
        return values[np.argsort(np.concatenate(batches))]

    def _plainly(self, rows: list[np.ndarray], half: bool, head: bool) -> np.ndarray:
        """The same by the model's own forward pass, whatever the model is."""
        # One text under many masks: all rows are equally long, and padding is wasted work.
        alike = len(rows) > 1 and len({len(row) for row in rows}) == 1
        ids, mask = padded(rows, self.tokenizer.pad_token_id, 1 if alike else 8)
        with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16, enabled=half):
            if head:
                values = self.model(input_ids=ids, attention_mask=mask).logits
            else:
                values = self.model.pooled(ids, mask)[0]
        return np.asarray(values.float().numpy())

    def save(self, folder: Path | str) -> Path:
        """Write the classifier into a folder: what it learned, its labels and its tokenizer.

        On an encoder of the catalogue, LoRA and frozen fits store the difference to it alone, a
        few megabytes or kilobytes; the tokenizer is then the encoder's, as `lowers` says.
        """
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        facts = {
            "labels": list(self.labels),
            "temperature": self.temperature,
            "max_tokens": self.max_tokens,
            "base": self.base,
            "lowers": self.lowers,
        }
        save_file(self.own_weights or _weights(self.model), folder / WEIGHTS)
        if self.base is None:
            self.model.config.save_pretrained(folder)
            self.tokenizer.save_pretrained(folder)
        (folder / CARD).write_text(json.dumps(facts, indent=2, ensure_ascii=False) + "\n", "utf-8")
        return folder

    @classmethod
    def load(cls, folder: Path | str) -> "Classifier":
        """The classifier that `save` wrote; its probabilities are identical.

        Raises:
            MissingResource: no classifier lies there, or its encoder is not on this machine.
            DamagedResource: its files do not belong together.
        """
        folder = Path(folder)
        if not (folder / CARD).is_file():
            there = "a folder without" if folder.is_dir() else "no folder, so no"
            raise MissingResource(
                f"{folder} is {there} {CARD}. Give the folder that `classifier.save(folder)` wrote "
                f"(looked from {Path.cwd().name}/)."
            )
        facts = json.loads((folder / CARD).read_text("utf-8"))
        facts["labels"] = tuple(facts["labels"])
        weights = load_file(folder / WEIGHTS)
        try:
            if facts["base"]:
                return on_base(weights=weights, **facts)
            return _whole(folder, weights, facts)
        except (KeyError, RuntimeError) as error:
            raise DamagedResource(
                f"{folder / WEIGHTS} does not fit {CARD} beside it: {error!s:.200}"
            ) from error


def on_base(
    *, weights: dict[str, torch.Tensor], base: str, labels: tuple[str, ...], **facts: Any
) -> Classifier:
    """An encoder of the catalogue with what a fit learned on it."""
    from ecomtutor.models import load_encoder

    loaded = load_encoder(base)
    model = with_head(loaded, labels)
    apply_difference(model, weights)
    lowers = facts.get("lowers", True)
    tokenizer = lower_case_where_needed(loaded.tokenizer) if lowers else loaded.tokenizer
    return Classifier(model.eval(), tokenizer, labels, base=base, own_weights=weights, **facts)


def _whole(folder: Path, weights: dict[str, torch.Tensor], facts: dict[str, Any]) -> Classifier:
    from transformers import AutoConfig, AutoModel, AutoTokenizer

    config = AutoConfig.from_pretrained(folder)
    encoder = AutoModel.from_config(config, attn_implementation="sdpa")
    if hasattr(encoder, "pooler"):
        encoder.pooler = None
    model = EncoderWithHead(encoder, len(facts["labels"]))
    model.load_state_dict(weights)
    tokenizer: PreTrainedTokenizerBase = AutoTokenizer.from_pretrained(folder)
    if facts["lowers"]:  # transformers does not keep what was added to the normalizer
        tokenizer = lower_case_where_needed(tokenizer)
    return Classifier(model.eval(), tokenizer, **facts)


def _weights(model: torch.nn.Module) -> dict[str, torch.Tensor]:
    return {name: tensor.contiguous() for name, tensor in model.state_dict().items()}


def _in_batches(rows: list[np.ndarray], tokens: int) -> list[np.ndarray]:
    """Numbers of rows, longest first, in batches of about so many tokens with padding."""
    order = sorted(range(len(rows)), key=lambda i: -len(rows[i]))
    batches, start = [], 0
    while start < len(order):
        many = max(1, tokens // len(rows[order[start]]))
        batches.append(np.array(order[start : start + many]))
        start += many
    return batches


def _warn_of_cuts(lost: list[int], max_tokens: int) -> None:
    cut = [n for n in lost if n]
    if cut:
        warnings.warn(
            f"{len(cut)} of {len(lost)} texts are longer than {max_tokens} tokens; "
            f"{sum(cut)} tokens at their ends were not read.",
            TruncatedText,
            stacklevel=4,
        )
