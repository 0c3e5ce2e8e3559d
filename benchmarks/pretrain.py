"""Pre-training throughput: our trainer against a plain transformers training loop.

    python benchmarks/pretrain.py [--small]

All train the same architecture on the same reviews with about the same number of real tokens a
step, dropout 0.1. The plain loop is what a tutorial shows: rows in random order, padded to the
longest of the batch, logits at every place, 32-bit floats, AdamW. Reviews differ in length a
hundredfold, so most of what it computes is padding; a second plain loop is therefore served our
length buckets. Ours adds logits only where they are asked for, the fused AdamW, and bfloat16 where
the processor has it. Runs alternate; medians of real tokens per second are compared. Run it alone.
--small takes few texts and one step, to see that it runs.
"""

import argparse
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch

from ecomtutor.pretraining import (
    CausalBatches,
    MaskedPairs,
    causal_loss,
    corpus,
    masked_and_next_loss,
    train_byte_bpe,
    train_wordpiece,
)
from ecomtutor.training import Plan, has_bf16, train
from ecomtutor.transformer import BertConfig, BertWithHeads, Gpt, GptConfig


@dataclass(frozen=True)
class Sizes:
    """Steps of a run, rounds after the first, tokens of a batch, documents (None: all of them)."""

    steps: int = 6
    rounds: int = 3
    tokens: int = 2048
    documents: int | None = None


SMALL = Sizes(steps=1, rounds=1, tokens=128, documents=200)


def real_tokens(batch: dict[str, Any], kind: str) -> int:
    """Tokens of a batch that are not padding."""
    return int((batch["labels"] != -100).sum() if kind == "gpt" else batch["mask"].sum())


def random_order(batches: Any, kind: str, sizes: Sizes) -> list[dict[str, Any]]:
    """The same rows as tutorials serve them: as many as make a batch on average, any lengths."""
    rows = batches.rows if kind == "gpt" else batches.pairs(0)
    lengths = [len(row if kind == "gpt" else row.ids) for row in rows]
    each = max(1, round(sizes.tokens / statistics.mean(lengths)))
    rng = np.random.default_rng(0)
    order = rng.permutation(len(rows))
    chosen = [[rows[i] for i in order[n * each : (n + 1) * each]] for n in range(sizes.steps)]
    if kind == "gpt":
        return [batches.collate(part) for part in chosen]
    return [batches.collate(part, rng) for part in chosen]


def plain_loop(model: torch.nn.Module, batches: list[dict[str, Any]], kind: str) -> float:
    """Tokens per second of transformers' model in a loop without any of our savings."""
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    model.train()
    start = time.perf_counter()
    for batch in batches:
        inputs = {"input_ids": batch["ids"], "labels": batch["labels"]}
        if kind == "bert":
            inputs |= {
                "token_type_ids": batch["segments"],
                "attention_mask": batch["mask"],
                "next_sentence_label": batch["next_labels"],
            }
        loss = model(**inputs).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
    seconds = time.perf_counter() - start
    return sum(real_tokens(batch, kind) for batch in batches) / seconds


def ours(model: torch.nn.Module, batches: Any, kind: str, steps: int, bf16: bool) -> float:
    """Tokens per second of our trainer, its checkpoint included."""
    counted = sum(real_tokens(batches(step), kind) for step in range(steps))
    loss = causal_loss if kind == "gpt" else masked_and_next_loss
    with TemporaryDirectory() as folder:
        plan = Plan(steps=steps, peak_rate=1e-3, warmup=2, save_every=steps, bf16=bf16)
        curve = train(model, loss, batches, plan, Path(folder), progress=False)
    return counted / curve.seconds


def models(kind: str, vocabulary: int, folder: Path) -> tuple[Any, Any]:
    """Ours, and transformers' with the same weights."""
    import transformers

    if kind == "gpt":
        model: Any = Gpt(GptConfig(vocabulary, 256, 4, 4, positions=512, end_id=0))
    else:
        model = BertWithHeads(BertConfig(vocabulary, 256, 4, 4, 1024))
    model.save_pretrained(folder)
    theirs = {"gpt": "GPT2LMHeadModel", "bert": "BertForPreTraining"}[kind]
    return model, getattr(transformers, theirs).from_pretrained(folder)


def compare(kind: str, sizes: Sizes) -> None:
    documents = corpus("train")[: sizes.documents]
    texts = [document.text for document in documents]
    if kind == "gpt":
        tokenizer: Any = train_byte_bpe(texts, 4000)
        batches: Any = CausalBatches(texts, tokenizer, tokens=sizes.tokens)
    else:
        tokenizer = train_wordpiece(texts, 6000)
        batches = MaskedPairs(documents, tokenizer, tokens=sizes.tokens)
    with TemporaryDirectory() as folder:
        mine, theirs = models(kind, len(tokenizer), Path(folder))
    shuffled = random_order(batches, kind, sizes)
    bucketed = [batches(step) for step in range(sizes.steps)]
    runs: dict[str, Callable[[], float]] = {
        "plain transformers": lambda: plain_loop(theirs, shuffled, kind),
        "plain, our buckets": lambda: plain_loop(theirs, bucketed, kind),
        "ours, 32 bits": lambda: ours(mine, batches, kind, sizes.steps, False),
    }
    if has_bf16():
        runs["ours, bfloat16"] = lambda: ours(mine, batches, kind, sizes.steps, True)
    speeds: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(sizes.rounds + 1):
        for name, run in runs.items():
            speeds[name].append(run())
    medians = {name: statistics.median(values[1:]) for name, values in speeds.items()}
    for name, speed in medians.items():
        ratio = speed / medians["plain transformers"]
        print(f"{kind:5} {name:20} {speed:8,.0f} tokens/s   ratio {ratio:.2f}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--small", action="store_true", help="tiny sizes, to see that it runs: not a measurement"
    )
    small = parser.parse_args().small
    sizes = SMALL if small else Sizes()
    runs = f"medians of {sizes.rounds} runs of {sizes.steps} steps"
    print("small: not a measurement" if small else f"{torch.get_num_threads()} threads, {runs}")
    for each in ("gpt", "bert"):
        compare(each, sizes)


if __name__ == "__main__":
    main()
