"""How accuracy grows with labelled reviews: full, LoRA and frozen, and counted characters."""

import csv
import time
import warnings
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ecomtutor.datasets.store import data_dir
from ecomtutor.errors import MissingResource
from ecomtutor.finetuning.baselines import tfidf_classifier
from ecomtutor.finetuning.classifier import TruncatedText
from ecomtutor.finetuning.examples import Examples
from ecomtutor.finetuning.fitting import Method, Settings, fit_classifier

if TYPE_CHECKING:
    import pandas as pd

# Reviews, how often each is seen, and how many draws of them: small draws differ more.
SIZES = {100: (10, 3), 300: (4, 3), 1000: (2, 3), 3000: (1, 2), 8000: (1, 2)}
METHODS: tuple[Method, ...] = ("frozen", "lora", "full")


@dataclass(frozen=True)
class Point:
    """One fit: how, on how many reviews, which draw, how it did on validation, how long it took."""

    method: str
    reviews: int
    seed: int
    accuracy: float
    seconds: float


def learning_curves() -> "pd.DataFrame":
    """The shipped results: method, reviews, seed, accuracy, seconds.

    Accuracy is that on every second review of the validation split.

    Made by `python -m ecomtutor.finetuning curves`.

    Raises:
        MissingResource: data/experiments is not beside the package.
    """
    import pandas as pd

    path = data_dir() / "experiments" / "learning_curves.csv"
    if not path.is_file():
        raise MissingResource(
            f"data/experiments/{path.name} is missing. Work from a full clone, or make it: "
            "python -m ecomtutor.finetuning curves"
        )
    return pd.read_csv(path)


def measure_curves(path: Path, points: int | None = None) -> None:
    """Fit all points that the file does not hold yet, and add each as soon as it is there.

    Args:
        path: the file.
        points: stop after so many new ones; the next call goes on.
    """
    from ecomtutor.finetuning.recipes import chinese

    train, everything = chinese("train"), chinese("validation")
    held_out = Examples(everything.texts[::2], everything.targets[::2], everything.labels)
    fields = list(Point.__dataclass_fields__)
    done = set()
    if path.is_file():
        with path.open(encoding="utf-8", newline="") as file:
            done = {(r["method"], int(r["reviews"]), int(r["seed"])) for r in csv.DictReader(file)}
    else:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(",".join(fields) + "\n", encoding="utf-8")
    for method, count, seed in [point for point in _wanted() if point not in done][:points]:
        point = _fit(method, count, seed, train, held_out)
        with path.open("a", encoding="utf-8", newline="") as file:
            csv.DictWriter(file, fields, lineterminator="\n").writerow(asdict(point))
        print(point, flush=True)


def _wanted() -> Iterator[tuple[str, int, int]]:
    for count, (_, seeds) in SIZES.items():
        for method in ("tf-idf", *METHODS):
            for seed in range(seeds):
                yield method, count, seed


def _fit(method: str, count: int, seed: int, train: Examples, held_out: Examples) -> Point:
    drawn = np.random.default_rng(seed).permutation(len(train))[:count]
    texts = [train.texts[i] for i in drawn]
    names = [train.labels[i] for i in train.answers[drawn]]
    truth = [held_out.labels[i] for i in held_out.answers]
    started = time.perf_counter()
    if method == "tf-idf":
        fitted = tfidf_classifier().fit(texts, names)
        seconds = time.perf_counter() - started
        return Point(
            method, count, seed, _round(fitted.score(held_out.texts, truth)), _round(seconds)
        )
    settings = Settings(epochs=SIZES[count][0], max_tokens=64, batch_size=16, seed=seed)
    chosen: Method = method  # type: ignore[assignment]
    classifier, report = fit_classifier(
        texts,
        names,
        encoder="zh",
        method=chosen,
        settings=settings,
        names=train.labels,
        progress=False,
    )
    classifier.max_tokens = 128
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", TruncatedText)
        said = classifier.predict(held_out.texts, bf16=True)
    hits = np.mean([a == b for a, b in zip(said, truth, strict=True)])
    return Point(method, count, seed, _round(float(hits)), _round(report.cost.seconds))


def _round(value: float) -> float:
    return round(float(value), 4)
