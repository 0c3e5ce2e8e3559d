"""Texts as vectors, many at a time: each distinct text once, with others of its length."""

import hashlib
import os
import warnings
from collections.abc import Iterator, Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ecomtutor.errors import EcomTutorError
from ecomtutor.text.checking import require_text

if TYPE_CHECKING:
    import torch

    from ecomtutor.models import Loaded

MAX_TOKENS = {"en": 256, "zh": 512}  # what the models were published with
TOKENS_A_BATCH = 4096
PATIENCE = 2.0  # seconds before a bar is drawn
WORTH_KEEPING = 200  # distinct texts; fewer are quicker computed than looked for
KEPT = 12  # files; the oldest go


def embed(
    texts: Sequence[str],
    language: str = "en",
    *,
    bf16: bool = False,
    keep: bool = True,
    progress: bool = True,
) -> "np.ndarray[Any, Any]":
    """The vectors of texts: MiniLM for English, m3e-small for Chinese, the mean of all tokens.

    The same vectors as sentence-transformers makes, up to rounding. What is computed once is kept
    in the cache folder (`ECOMTUTOR_CACHE`), under a name made from the texts and the weights.

    Args:
        texts: any texts; a long one is cut at the model's limit, with a warning.
        language: "en" or "zh". Chinese text goes in in lower case, as m3e-small was trained.
        bf16: half precision where the processor has it: nearly twice as fast, cosine error below
            0.001. Elsewhere nothing changes.
        keep: look into the cache and write to it; only for `WORTH_KEEPING` distinct texts or more.
        progress: a bar if it takes longer than two seconds.

    Returns:
        (texts, 384) for English, (texts, 512) for Chinese: float32, each of length 1.

    Raises:
        EcomTutorError: another language, or something that is not text.
        MissingResource: the model is not on this machine yet.

    Source:
        Reimers and Gurevych (2019), Sentence-BERT, EMNLP.
    """
    if isinstance(texts, str):
        raise EcomTutorError(f"A list of texts was expected; one text came. Write [{texts!r:.40}].")
    if language not in MAX_TOKENS:
        raise EcomTutorError(f'There are encoders for "en" and "zh"; {language!r} was asked for.')
    said = [_as_trained(require_text(text), language) for text in texts]
    distinct = sorted(set(said))
    place = {text: row for row, text in enumerate(distinct)}
    encoder = _Encoder.of(language, bf16)
    file = encoder.file_for(distinct) if keep and len(distinct) >= WORTH_KEEPING else None
    vectors = _read(file, (len(distinct), encoder.width))
    if vectors is None:
        vectors = encoder.vectors(distinct, progress)
        _write(file, vectors)
    rows: np.ndarray[Any, Any] = vectors[[place[text] for text in said]]
    return rows


class _Encoder:
    """A model that reads batches, and what its vectors depend on."""

    def __init__(self, loaded: "Loaded", language: str, half: bool):
        import copy

        import torch

        model: Any = copy.deepcopy(loaded.model)  # the lessons' own returns its attentions
        model.set_attn_implementation("sdpa")
        model.pooler = None
        self.model = model.to(torch.bfloat16 if half else torch.float32).eval()
        self.tokenizer, self.width = loaded.tokenizer, loaded.width
        self.limit = MAX_TOKENS[language]
        weights = loaded.located.files["model.safetensors"]["sha256"]
        self.key = f"1 {weights} {self.limit} {'bf16' if half else 'fp32'}"
        self.name = loaded.name

    @staticmethod
    def of(language: str, bf16: bool) -> "_Encoder":
        from ecomtutor.training import has_bf16

        return _encoder(language, bf16 and has_bf16())

    def file_for(self, distinct: list[str]) -> Path:
        """Where the vectors of these texts are kept: a name that changes with any of them."""
        from ecomtutor.resources import cache_dir

        content = hashlib.sha256(self.key.encode())
        for text in distinct:
            coded = text.encode("utf-8", "surrogatepass")
            content.update(f"{len(coded)} ".encode() + coded)
        return cache_dir() / "embeddings" / f"{self.name}-{content.hexdigest()[:20]}.npy"

    def vectors(self, distinct: list[str], progress: bool) -> "np.ndarray[Any, Any]":
        """Unit vectors of distinct texts: (texts, width)."""
        from tqdm.auto import tqdm

        rows = self._tokens(distinct)
        out = np.zeros((len(rows), self.width), dtype=np.float32)
        with tqdm(
            total=len(rows), unit="text", delay=PATIENCE, leave=False, disable=not progress
        ) as bar:
            for numbers in _batches([len(row) for row in rows]):
                out[numbers] = self._forward([rows[i] for i in numbers])
                bar.update(len(numbers))
        return out

    def _tokens(self, texts: list[str]) -> list[list[int]]:
        if not texts:
            return []
        rows: list[list[int]] = self.tokenizer(texts, verbose=False)["input_ids"]
        long = sum(len(row) > self.limit for row in rows)
        if long:
            warnings.warn(
                f"{long} of {len(rows)} texts are longer than {self.limit} tokens; the rest of "
                "them was not read.",
                stacklevel=4,
            )
        end = self.tokenizer.sep_token_id
        return [row if len(row) <= self.limit else [*row[: self.limit - 1], end] for row in rows]

    def _forward(self, rows: list[list[int]]) -> "np.ndarray[Any, Any]":
        import torch

        lengths = torch.tensor([len(row) for row in rows])
        width = int(lengths.max())
        filler = self.tokenizer.pad_token_id
        ids = torch.tensor([row + [filler] * (width - len(row)) for row in rows])
        mask = torch.arange(width)[None] < lengths[:, None]  # (texts, tokens)
        padded = not bool(mask.all())
        with torch.inference_mode():
            states = self.model(input_ids=ids, attention_mask=mask.long() if padded else None)
            return _mean(states.last_hidden_state.float(), mask)


@cache
def _encoder(language: str, half: bool) -> _Encoder:
    from ecomtutor.models import load_encoder

    return _Encoder(load_encoder(language), language, half)


def _mean(states: "torch.Tensor", mask: "torch.Tensor") -> "np.ndarray[Any, Any]":
    """Mean over the tokens of each text, of length 1: (texts, width)."""
    import torch

    total = (states * mask[:, :, None]).sum(dim=1)  # a unit vector needs no division
    unit: np.ndarray[Any, Any] = torch.nn.functional.normalize(total, dim=-1).numpy()
    return unit


def _as_trained(text: str, language: str) -> str:
    return text.lower() if language == "zh" else text


def _batches(lengths: Sequence[int]) -> "Iterator[np.ndarray[Any, Any]]":
    """Numbers of texts of one length, longest first; long texts share steps of eight tokens."""
    widths = np.array([n if n <= 40 else -(-n // 8) * 8 for n in lengths], dtype=int)
    for width in np.unique(widths)[::-1]:
        numbers = np.flatnonzero(widths == width)
        size = max(1, TOKENS_A_BATCH // width)
        yield from (numbers[i : i + size] for i in range(0, len(numbers), size))


def _read(file: Path | None, shape: tuple[int, int]) -> "np.ndarray[Any, Any] | None":
    """Kept vectors, or None where there are none that can be trusted."""
    if file is None or not file.is_file():
        return None
    try:
        vectors: np.ndarray[Any, Any] = np.load(file, allow_pickle=False)
    except (OSError, ValueError, EOFError):
        return None
    whole = vectors.shape == shape and vectors.dtype == np.float32
    if not whole or not np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-3):
        return None
    with suppress(OSError):
        os.utime(file)  # used just now: the oldest go first
    return vectors


def _write(file: Path | None, vectors: "np.ndarray[Any, Any]") -> None:
    """Keep vectors under their name in one step; a cache that cannot be written keeps nothing."""
    if file is None:
        return
    part = file.with_name(f".{file.name}.{os.getpid()}")
    with suppress(OSError):
        file.parent.mkdir(parents=True, exist_ok=True)
        with part.open("wb") as out:
            np.save(out, vectors, allow_pickle=False)
        os.replace(part, file)
        kept = sorted(file.parent.glob("*.npy"), key=lambda path: path.stat().st_mtime)
        for old in kept[:-KEPT]:
            old.unlink(missing_ok=True)
    with suppress(OSError):
        part.unlink(missing_ok=True)
