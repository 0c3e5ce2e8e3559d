"""The figures on a shipped model's card, as lines of text: its scores beside the baselines'."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ecomtutor.pretraining.corpus import corpus, review_texts
from ecomtutor.pretraining.evaluate import (
    HitRate,
    bert_hit_rate,
    neighbours_hit_rate,
    next_sentence_accuracy,
    perplexity,
    single_blanks,
    word_blanks,
)
from ecomtutor.pretraining.ngrams import KneserNey, Neighbours

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

    from ecomtutor.transformer import Gpt

SAMPLES = ("酒店", "这本书", "电脑", "服务", "")


def report(
    name: str, folder: Path | None = None, split: str = "test", texts: int | None = None
) -> Iterator[str]:
    """The card's figures, one line at a time, measured now on held-out reviews.

    Args:
        name: "shop-bert-mini" or "shop-gpt-mini".
        folder: where the weights are, unless in `data/models/`.
        split: "test" for the card; "validation" while a recipe is being chosen.
        texts: so many held-out texts, and as many for the baselines; unless given, all.
    """
    from transformers import AutoTokenizer

    folder = folder or shipped(name)
    tokenizer: Any = AutoTokenizer.from_pretrained(folder)
    return (_bert_lines if "bert" in name else _gpt_lines)(folder, tokenizer, split, texts)


def shipped(name: str) -> Path:
    """The folder of a model that the course ships."""
    from ecomtutor.datasets.store import data_dir

    return data_dir() / "models" / name


def _gpt_lines(
    folder: Path, tokenizer: "PreTrainedTokenizerBase", split: str, many: int | None
) -> Iterator[str]:
    from ecomtutor.transformer import Gpt

    model = Gpt.from_pretrained(folder)
    texts, train = review_texts(split)[:many], review_texts("train")[:many]
    yield f"Perplexity per character on {len(texts):,} {split} reviews, ends included"
    for order, label in ((1, "unigram"), (3, "3-gram, Kneser-Ney"), (5, "5-gram, Kneser-Ney")):
        yield f"  {label:22} {KneserNey(train, order).perplexity(texts):8.1f}"
    found = perplexity(model, tokenizer, texts)
    yield f"  {'shop-gpt-mini':22} {found.per_character:8.1f}   (per token {found.per_token:.1f})"
    yield from _store_lines(model, tokenizer, split, many)
    yield "Samples (temperature 0.8, top-k 20, seeds 0, 1, 2)"
    for start in SAMPLES:
        for seed in range(3):
            yield f"  [{start}]{write(model, tokenizer, start, seed)}"


def _store_lines(
    model: "Gpt", tokenizer: "PreTrainedTokenizerBase", split: str, many: int | None
) -> Iterator[str]:
    documents = corpus(split)
    for shelf in ("store zh", "store en"):
        texts = [document.text for document in documents if document.shelf == shelf][:many]
        found = perplexity(model, tokenizer, texts)
        yield f"  {shelf + ' texts':22} {found.per_character:8.1f}   ({len(texts)} held out)"


def write(model: "Gpt", tokenizer: "PreTrainedTokenizerBase", start: str, seed: int) -> str:
    """What the model writes after `start`, up to 60 tokens, drawn from its 20 likeliest."""
    import torch

    from ecomtutor.transformer import sample

    ids = torch.tensor([[tokenizer.eos_token_id, *tokenizer(start)["input_ids"]]])
    written = sample(model, ids, 60, seed=seed, temperature=0.8, top_k=20)
    return str(tokenizer.decode(written[0, ids.shape[1] :], skip_special_tokens=True))


def _bert_lines(
    folder: Path, tokenizer: "PreTrainedTokenizerBase", split: str, many: int | None
) -> Iterator[str]:
    from ecomtutor.transformer import BertWithHeads

    model = BertWithHeads.from_pretrained(folder)
    texts, train = review_texts(split)[:many], review_texts("train")[:many]
    encoded = tokenizer(train, add_special_tokens=False, verbose=False)["input_ids"]
    settings = {
        "one Chinese character hidden": single_blanks(texts, tokenizer),
        "15 % of the words hidden": word_blanks(texts[::5], tokenizer),
    }
    baselines = {
        "most frequent": Neighbours(encoded, 1),
        "2-grams, both sides": Neighbours(encoded, 2),
        "3-grams, both sides": Neighbours(encoded, 3),
    }
    for setting, blanks in settings.items():
        yield f"{split} reviews, {setting}"
        for label, baseline in baselines.items():
            yield _hit_line(label, neighbours_hit_rate(baseline, blanks))
        yield _hit_line("shop-bert-mini", bert_hit_rate(model, tokenizer, blanks))
    reviews = [document for document in corpus(split) if document.shelf == "review"][:many]
    accuracy, count = next_sentence_accuracy(model, reviews, tokenizer)
    yield f"Next sentence: {accuracy:.1%} of {count:,} {split} pairs (a guess: 50 %)"


def _hit_line(label: str, rate: HitRate) -> str:
    return f"  {label:22} top-1 {rate.top1:6.1%}   top-5 {rate.top5:6.1%}   ({rate.count:,} places)"
