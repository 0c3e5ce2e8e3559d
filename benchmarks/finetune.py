"""Fine-tuning and inference throughput, against transformers' Trainer and pipeline.

    python benchmarks/finetune.py [train] [infer] [--small]

train: `transformers.Trainer` with its defaults (batches of 8 in random order, 32-bit floats)
and ours, the same model, reviews and epochs; reviews per second, and accuracy on the test split.
infer: `pipeline("text-classification")` and ours on 2,000 published reviews in their published
order, duplicates and lengths as they are; texts per second, and the largest difference. Run alone.
--small takes a few reviews, to see that it runs.
"""

import argparse
import tempfile
import time
import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import transformers

from ecomtutor.datasets import raw_reviews
from ecomtutor.finetuning import Settings, fit_classifier, load_classifier, with_head
from ecomtutor.finetuning.model import lower_case_where_needed
from ecomtutor.finetuning.recipes import LABELS, chinese
from ecomtutor.models import load_encoder

EPOCHS, MAX_TOKENS = 1, 128


@dataclass(frozen=True)
class Sizes:
    """Reviews to train on, reviews of the test split (None: all), reviews to classify."""

    trained: int = 2000
    tested: int | None = None
    inferred: int = 2000


SMALL = Sizes(trained=16, tested=32, inferred=16)


class ForTrainer(torch.nn.Module):
    """The same network; the Trainer wants the loss from the model itself."""

    def __init__(self, model: Any):
        super().__init__()
        self.model = model

    def forward(self, labels: Any = None, **inputs: Any) -> dict[str, Any]:
        inputs.pop("token_type_ids", None)
        logits = self.model(**inputs).logits
        return {"loss": torch.nn.functional.cross_entropy(logits, labels), "logits": logits}


def train_by_trainer(texts: list[str], answers: list[int]) -> tuple[Any, float]:
    loaded = load_encoder("zh")
    tokenizer = lower_case_where_needed(loaded.tokenizer)
    model = with_head(loaded, LABELS)
    encoded = tokenizer(texts, truncation=True, max_length=MAX_TOKENS)
    rows = [
        {"input_ids": ids, "attention_mask": mask, "labels": answer}
        for ids, mask, answer in zip(
            encoded["input_ids"], encoded["attention_mask"], answers, strict=True
        )
    ]
    with tempfile.TemporaryDirectory() as folder:
        trainer = transformers.Trainer(
            model=ForTrainer(model),
            args=transformers.TrainingArguments(
                folder,
                num_train_epochs=EPOCHS,
                report_to=[],
                save_strategy="no",
                use_cpu=True,
                remove_unused_columns=False,
                disable_tqdm=True,
                logging_strategy="no",
            ),
            train_dataset=rows,
            data_collator=transformers.DataCollatorWithPadding(tokenizer),
        )
        start = time.perf_counter()
        trainer.train()
    return model.eval(), time.perf_counter() - start


def compare_training(sizes: Sizes) -> None:
    train, test = chinese("train"), chinese("test")
    chosen = np.random.default_rng(0).permutation(len(train))[: sizes.trained]
    texts = [train.texts[i] for i in chosen]
    answers = train.answers[chosen].tolist()
    names = [LABELS[i] for i in answers]
    settings = Settings(epochs=EPOCHS, batch_size=8, max_tokens=MAX_TOKENS, train_embeddings=True)
    start = time.perf_counter()
    ours, _ = fit_classifier(
        texts, names, encoder="zh", settings=settings, names=LABELS, progress=False
    )
    seconds = time.perf_counter() - start
    model, theirs = train_by_trainer(texts, answers)
    accuracy = {}
    for name, network in (("ours", ours.model), ("Trainer", model)):
        ours.model = network
        said = ours.logits(test.texts[: sizes.tested]).argmax(1)
        accuracy[name] = float((said == test.answers[: sizes.tested]).mean())
    for name, spent in (("Trainer", theirs), ("ours", seconds)):
        speed = sizes.trained * EPOCHS / spent
        print(
            f"{name:8} {speed:6.1f} reviews/s   ratio {theirs / spent:.2f}   "
            f"test accuracy {accuracy[name]:.3f}"
        )


def compare_inference(many: int) -> None:
    classifier = load_classifier("zh")
    classifier.temperature = 1.0
    everything = raw_reviews("zh")["text"].tolist()
    place = np.random.default_rng(0).integers(len(everything) - many)
    texts = everything[place : place + many]
    warnings.simplefilter("ignore")
    pipe = transformers.pipeline(
        "text-classification",
        model=classifier.model,
        tokenizer=classifier.tokenizer,
        top_k=None,
        truncation=True,
        max_length=classifier.max_tokens,
    )
    start = time.perf_counter()
    said = pipe(texts)
    theirs = time.perf_counter() - start
    expected = np.array(
        [[{p["label"]: p["score"] for p in parts}[n] for n in LABELS] for parts in said]
    )
    print(f"pipeline      {many / theirs:7.1f} texts/s   {len(set(texts))} of {many} distinct")
    for name, bf16 in (("ours, 32 bits", False), ("ours, bf16", True)):
        start = time.perf_counter()
        chances = classifier.predict_proba(texts, bf16=bf16)
        spent = time.perf_counter() - start
        print(
            f"{name:13} {many / spent:7.1f} texts/s   ratio {theirs / spent:.2f}   "
            f"largest difference {np.abs(chances - expected).max():.1e}"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", choices=["train", "infer", []], default=[])
    parser.add_argument(
        "--small", action="store_true", help="tiny sizes, to see that it runs: not a measurement"
    )
    given = parser.parse_args()
    sizes, parts = SMALL if given.small else Sizes(), given.parts or ["train", "infer"]
    transformers.logging.set_verbosity_error()
    print("small: not a measurement" if given.small else f"{torch.get_num_threads()} threads")
    if "train" in parts:
        compare_training(sizes)
    if "infer" in parts:
        compare_inference(sizes.inferred)


if __name__ == "__main__":
    main()
