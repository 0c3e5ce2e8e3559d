"""Pre-train a small BERT (MLM + NSP) and a small GPT (next token) on the shop's own texts.

corpus        documents of a split, and their sentences
tokenizers    WordPiece and byte-level BPE from scratch
masking       whole words, then 80/10/10
batches       sentence pairs and texts as batches that depend on their number alone
losses        next token; MLM + NSP
starts        where a small BERT begins
ngrams        the baselines: Kneser-Ney, and guessing from the neighbours
evaluate      perplexity, hit rates, next sentences
recipes       the two models that the course ships: python -m ecomtutor.pretraining shop-gpt-mini
report        the figures on their cards: python -m ecomtutor.pretraining evaluate shop-gpt-mini
"""

from ecomtutor.pretraining.batches import (
    CausalBatches,
    MaskedPairs,
    Pair,
    encode_sentences,
    word_numbers,
)
from ecomtutor.pretraining.corpus import Document, corpus, one_line, review_texts, sentences
from ecomtutor.pretraining.evaluate import (
    Blank,
    HitRate,
    Perplexity,
    bert_hit_rate,
    neighbours_hit_rate,
    next_sentence_accuracy,
    perplexity,
    single_blanks,
    word_blanks,
)
from ecomtutor.pretraining.losses import (
    causal_loss,
    masked_and_next_loss,
    masked_and_next_losses,
)
from ecomtutor.pretraining.masking import IGNORED, NO_WORD, Vocabulary, choose_words, hide
from ecomtutor.pretraining.ngrams import KneserNey, Neighbours
from ecomtutor.pretraining.recipes import Recipe, pretrain, recipe
from ecomtutor.pretraining.report import report, shipped
from ecomtutor.pretraining.starts import neighbour_heads, start_near
from ecomtutor.pretraining.tokenizers import train_byte_bpe, train_wordpiece

__all__ = [
    "IGNORED",
    "NO_WORD",
    "Blank",
    "CausalBatches",
    "Document",
    "HitRate",
    "KneserNey",
    "MaskedPairs",
    "Neighbours",
    "Pair",
    "Perplexity",
    "Recipe",
    "Vocabulary",
    "bert_hit_rate",
    "causal_loss",
    "choose_words",
    "corpus",
    "encode_sentences",
    "hide",
    "masked_and_next_loss",
    "masked_and_next_losses",
    "neighbour_heads",
    "neighbours_hit_rate",
    "next_sentence_accuracy",
    "one_line",
    "perplexity",
    "pretrain",
    "recipe",
    "report",
    "review_texts",
    "sentences",
    "shipped",
    "single_blanks",
    "start_near",
    "train_byte_bpe",
    "train_wordpiece",
    "word_blanks",
    "word_numbers",
]
