"""Train a tokenizer on the shop's own texts: WordPiece for the BERT, byte-level BPE for the GPT."""

import json
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from transformers import BertTokenizer, GPT2Tokenizer

END_OF_TEXT = "<|endoftext|>"
SPECIAL_TOKENS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")


def train_wordpiece(texts: Sequence[str], size: int, positions: int = 512) -> "BertTokenizer":
    """A WordPiece tokenizer that transformers loads as BERT's.

    Each Chinese character is a token of its own; Latin words are split into pieces. A character
    seen only once in `texts` becomes [UNK].

    Args:
        texts: the training texts.
        size: entries in the vocabulary, special tokens included.
        positions: the longest input of the model that will use it, in tokens.

    Source:
        Schuster and Nakajima (2012); Wu et al. (2016), Google's neural machine translation.
    """
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, trainers
    from transformers import BertTokenizer

    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    lowered = [tokenizer.normalizer.normalize_str(text) for text in texts]
    often = [c for c, count in Counter("".join(lowered)).items() if count > 1 and not c.isspace()]
    trainer = trainers.WordPieceTrainer(
        vocab_size=size,
        special_tokens=list(SPECIAL_TOKENS),
        limit_alphabet=len(often),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    return BertTokenizer(
        vocab=_by_rank(tokenizer.get_vocab()), do_lower_case=True, model_max_length=positions
    )


def train_byte_bpe(texts: Sequence[str], size: int, positions: int = 512) -> "GPT2Tokenizer":
    """A byte-level BPE tokenizer that transformers loads as GPT-2's: no text is unknown to it.

    One special token, `<|endoftext|>`, begins a text, ends it and fills a batch.

    Args:
        texts: the training texts.
        size: entries in the vocabulary: 256 bytes, the merges, one special token.
        positions: the longest input of the model that will use it, in tokens.

    Source:
        Sennrich et al. (2016), subword units; Radford et al. (2019), GPT-2.
    """
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers
    from transformers import GPT2Tokenizer

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    trainer = trainers.BpeTrainer(
        vocab_size=size,
        special_tokens=[END_OF_TEXT],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        min_frequency=2,
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    model = json.loads(tokenizer.to_str())["model"]
    # Pairs, as the class wants them; its annotation says lines of text.
    merges: Any = [tuple(pair) for pair in model["merges"]]
    return GPT2Tokenizer(
        vocab=_by_rank(model["vocab"]),
        merges=merges,
        pad_token=END_OF_TEXT,
        model_max_length=positions,
    )


def _by_rank(vocabulary: dict[str, int]) -> dict[str, int]:
    return dict(sorted(vocabulary.items(), key=lambda entry: entry[1]))
