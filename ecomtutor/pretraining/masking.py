"""Masked language modelling: choose whole words, then hide them by the 80/10/10 rule."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ecomtutor.errors import EcomTutorError

if TYPE_CHECKING:
    import numpy as np
    from transformers import PreTrainedTokenizerBase

IGNORED = -100  # a label that no loss counts, as in PyTorch's cross-entropy
NO_WORD = -1  # the word number of a special token


@dataclass(frozen=True)
class Vocabulary:
    """What masking needs to know of a tokenizer."""

    size: int
    mask_id: int
    special_ids: frozenset[int]

    @classmethod
    def of(cls, tokenizer: "PreTrainedTokenizerBase") -> "Vocabulary":
        """Read it from a tokenizer."""
        return cls(len(tokenizer), tokenizer.mask_token_id, frozenset(tokenizer.all_special_ids))

    @property
    def ordinary_ids(self) -> "np.ndarray":
        """Every id that stands for text."""
        import numpy as np

        return np.array([i for i in range(self.size) if i not in self.special_ids])


def choose_words(words: "np.ndarray", rate: float, rng: "np.random.Generator") -> "np.ndarray":
    """Which tokens to predict: each word is taken whole, or not at all, with probability `rate`.

    Args:
        words: (batch, tokens) the number of each token's word, `NO_WORD` at special tokens and
            padding. The same number in two rows is two words.
        rate: expected share of the words, 0 to 1.
        rng: the source of chance.

    Returns:
        (batch, tokens) booleans.

    Source:
        Cui et al. (2021), Pre-training with whole word masking for Chinese BERT.
    """
    import numpy as np

    if not 0 < rate < 1:
        raise EcomTutorError(f"The masking rate is a share between 0 and 1; {rate!r} was given.")
    draws = rng.random((len(words), words.max(initial=0) + 1))  # (batch, words)
    return (np.take_along_axis(draws, np.maximum(words, 0), axis=1) < rate) & (words != NO_WORD)


def hide(
    ids: "np.ndarray", chosen: "np.ndarray", vocabulary: Vocabulary, rng: "np.random.Generator"
) -> "tuple[np.ndarray, np.ndarray]":
    """Of the chosen tokens, 80 % become [MASK], 10 % a random token, 10 % stay as they are.

    Args:
        ids: (batch, tokens) token ids.
        chosen: (batch, tokens) booleans: the tokens to predict.
        vocabulary: of the tokenizer that made `ids`.
        rng: the source of chance.

    Returns:
        Two (batch, tokens) arrays: what the model sees, and the labels, -100 where nothing is
        asked.

    Source:
        Devlin et al. (2019), BERT, section 3.1 and appendix A.
    """
    import numpy as np

    draw = rng.random(ids.shape)
    random_ids = rng.choice(vocabulary.ordinary_ids, ids.shape)
    seen = np.where(chosen & (draw < 0.8), vocabulary.mask_id, ids)
    seen = np.where(chosen & (draw >= 0.8) & (draw < 0.9), random_ids, seen)
    return seen, np.where(chosen, ids, IGNORED)
