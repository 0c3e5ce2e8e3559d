"""Text before the model: cleaning, words in two languages, and the pieces that tokenizers cut.

    clean(text)               what a page, a keyboard and a wrong setting left behind, mended
    words(text)               words of English, Chinese or both, with exact character offsets
    token_positions(…)        which tokens of a model carry which word
    train_bpe, wordpiece      the two ways to cut words into pieces, written to be read
    load_tokenizer(name)      the real ones, without their models

Offsets count the characters of the very text that was given: clean first, then cut.
"""

from ecomtutor.text.cleaning import ODDITIES, clean, oddities, simplified, spell_out_emoji
from ecomtutor.text.segmentation import Word, gaps, token_positions, words
from ecomtutor.text.stop_words import NEGATIONS, STOP_WORDS, content_words
from ecomtutor.text.subwords import (
    bert_words,
    bpe,
    encode_bpe,
    encode_wordpiece,
    from_visible_bytes,
    gpt_chunks,
    train_bpe,
    visible_bytes,
    wordpiece,
)
from ecomtutor.text.tokenizers import TOKENIZERS, Piece, load_tokenizer, pieces
from ecomtutor.text.vectors import occurrence, separation

__all__ = [
    "NEGATIONS",
    "ODDITIES",
    "STOP_WORDS",
    "TOKENIZERS",
    "Piece",
    "Word",
    "bert_words",
    "bpe",
    "clean",
    "content_words",
    "encode_bpe",
    "encode_wordpiece",
    "from_visible_bytes",
    "gaps",
    "gpt_chunks",
    "load_tokenizer",
    "occurrence",
    "oddities",
    "pieces",
    "separation",
    "simplified",
    "spell_out_emoji",
    "token_positions",
    "train_bpe",
    "visible_bytes",
    "wordpiece",
    "words",
]
