"""One word, many sentences: its static vector, and the vectors that a model makes of it."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ecomtutor.errors import EcomTutorError
from ecomtutor.text.checking import require_text
from ecomtutor.text.segmentation import Word, token_positions

if TYPE_CHECKING:
    from torch import Tensor

    from ecomtutor.models import Loaded


def occurrence(encoder: "Loaded", text: str, word: str) -> "Tensor":
    """The vector of a word in a text, before the model and after each of its layers.

    Args:
        encoder: from `models.load_encoder`.
        text: a sentence.
        word: a part of the sentence, in its first place; upper and lower case are the same.

    Returns:
        (layers + 2, width), the mean over the word's tokens. Row 0 is the static vector, from the
        table of input embeddings; row 1 adds position and norm; the last row is the last layer.

    Raises:
        EcomTutorError: the word does not stand in the text.
    """
    import torch

    place = require_text(text).lower().find(word.lower())
    if place < 0 or not word:
        raise EcomTutorError(f"{word!r} does not stand in {text!r:.60}.")
    inputs = encoder.tokenizer(text, return_tensors="pt", return_offsets_mapping=True)
    offsets = inputs.pop("offset_mapping")[0].tolist()
    (at,) = token_positions([Word(word, place, place + len(word))], offsets)
    with torch.no_grad():
        static = encoder.model.get_input_embeddings()(inputs["input_ids"])  # (1, tokens, width)
        states = encoder.model(**inputs, output_hidden_states=True).hidden_states
    return torch.stack([layer[0, at].mean(dim=0) for layer in (static, *states)])


def separation(vectors: "Tensor", groups: Sequence[object]) -> float:
    """How far groups of vectors stand apart: mean cosine within groups, minus that across them.

    Args:
        vectors: (n, width).
        groups: for each vector its group; at least two groups, and two vectors in one of them.

    Returns:
        0 where the groups cannot be told apart, at most 2.

    Raises:
        EcomTutorError: not one group for each vector, or no pair within or across groups.
    """
    import torch

    if len(vectors) != len(groups):
        raise EcomTutorError(f"{len(vectors)} vectors came with {len(groups)} groups.")
    unit = torch.nn.functional.normalize(vectors, dim=-1)
    cosine = unit @ unit.T  # (n, n)
    same = torch.tensor([[a == b for b in groups] for a in groups])
    within = same & ~torch.eye(len(groups), dtype=torch.bool)
    if not within.any() or same.all():
        raise EcomTutorError("Two groups are needed, and one of them with two vectors or more.")
    return (cosine[within].mean() - cosine[~same].mean()).item()
