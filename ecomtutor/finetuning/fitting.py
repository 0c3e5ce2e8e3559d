"""Fit a classifier on an encoder: all of it, a thin adapter (LoRA), or only the head (frozen)."""

import tempfile
import time
import warnings
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import torch

from ecomtutor.datasets.reviews import same_text_key
from ecomtutor.errors import EcomTutorError
from ecomtutor.finetuning.batches import TrainingBatches
from ecomtutor.finetuning.classifier import Classifier, on_base
from ecomtutor.finetuning.difference import difference
from ecomtutor.finetuning.examples import Examples, class_weights, examples
from ecomtutor.finetuning.frozen import fit_head
from ecomtutor.finetuning.model import lower_case_where_needed, with_head, with_lora
from ecomtutor.finetuning.report import Cost, FitReport, report_on
from ecomtutor.training import Curve, Plan, has_bf16, train

if TYPE_CHECKING:
    from ecomtutor.models import Loaded

Method = Literal["full", "lora", "frozen"]
PEAK_RATES = {"full": 5e-5, "lora": 5e-4}


class LeakedTexts(UserWarning):
    """Texts stand in training and in validation: the validation accuracy is partly memory."""


@dataclass(frozen=True)
class Settings:
    """How to train.

    epochs             how often each text is seen
    peak_rate          AdamW's learning rate at its peak; unless given, 5e-5 (full) or 5e-4 (lora)
    batch_size         texts in a batch
    max_tokens         longer texts are cut
    mask_share         up to this share of the words is hidden in half of the training texts
    class_weights      None, "balanced", or a weight for each label
    smoothing          label smoothing: this much of each answer is spread over all classes
    patience           stop after so many validations without a better one; None: never
    validations        how often an epoch is validated
    lora_rank          width of LoRA's matrices
    train_embeddings   with "full": train the token vectors too; most of them occur too rarely
    bf16               half precision in matrix products; unless given, where the processor has it
    """

    epochs: float = 2
    peak_rate: float | None = None
    batch_size: int = 32
    max_tokens: int = 128
    mask_share: float = 0.0
    class_weights: "str | Mapping[str, float] | None" = None
    smoothing: float = 0.0
    dropout: float = 0.1
    weight_decay: float = 0.01
    warmup: float = 0.1
    clip: float = 1.0
    patience: int | None = 3
    validations: int = 2
    lora_rank: int = 16
    train_embeddings: bool = False
    bf16: bool | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        bounds = {
            "epochs": (0, 1000),
            "batch_size": (1, 4096),
            "max_tokens": (8, 512),
            "mask_share": (0, 1),
            "smoothing": (0, 1),
            "dropout": (0, 1),
            "lora_rank": (1, 512),
            "validations": (1, 1000),
        }
        for name, (low, high) in bounds.items():
            value = getattr(self, name)
            if not low <= value <= high or (name == "epochs" and value == 0):
                raise EcomTutorError(f"{name} lies between {low} and {high}; {value!r} came.")


def fit_classifier(
    texts: Sequence[str],
    labels: Any,
    *,
    encoder: "str | Loaded",
    validation: tuple[Sequence[str], Any] | None = None,
    method: Method = "full",
    settings: Settings | None = None,
    names: Sequence[str] | None = None,
    folder: Path | str | None = None,
    minutes: float | None = None,
    progress: bool = True,
) -> tuple[Classifier, FitReport]:
    """Teach an encoder to tell labels apart.

    Args:
        texts: training texts; empty ones are allowed, long ones are cut at `max_tokens`.
        labels: a name for each text, or probabilities of shape (texts, classes) with `names`.
        encoder: "en", "zh", or what `load_encoder` returned.
        validation: texts and labels that training does not see. They stop it early, choose its
            best moment and set the temperature; without them the last weights are taken.
        method: "full" trains all weights; "lora" thin matrices beside each linear layer; "frozen"
            only the head, on features computed once.
        settings: `Settings(...)`.
        names: the labels in the order of the classes; unless given, those that occur, sorted.
        folder: for checkpoints. The same call on the same folder resumes where it was stopped.
        minutes: pause after so long; needs a folder. The next call goes on.
        progress: draw a progress bar.

    Returns:
        The classifier, and a report: curves, metrics, confusion, calibration and cost.

    Raises:
        LabelError: labels that nothing can be learned from.
        EcomTutorError: settings out of bounds, an unknown method, a checkpoint of another run.

    Warns:
        LeakedTexts: a text stands in training and in validation.
    """
    settings = settings or Settings()
    given = examples(texts, labels, names)
    held_out = examples(*validation, given.labels, classes=1) if validation else None
    if held_out:
        _warn_of_leaks(given, held_out)
    loaded = _encoder(encoder)
    base = encoder if isinstance(encoder, str) else None
    started, finished = time.perf_counter(), True
    if method == "frozen":
        classifier, curve = fit_head(given, loaded, base, settings), Curve()
    elif method in PEAK_RATES:
        with _checkpoints(folder, minutes) as place:
            classifier, curve, finished = _fit_network(
                given, held_out, loaded, base, method, settings, Path(place), minutes, progress
            )
    else:
        raise EcomTutorError(f"method is 'full', 'lora' or 'frozen'; {method!r} came.")
    seconds = curve.seconds or time.perf_counter() - started
    cost = Cost(seconds, curve.targets or len(given), _trained(classifier, method))
    return classifier, replace(report_on(classifier, held_out, curve, cost), finished=finished)


def _fit_network(
    given: Examples,
    held_out: Examples | None,
    loaded: "Loaded",
    base: str | None,
    method: Method,
    settings: Settings,
    folder: Path,
    minutes: float | None,
    progress: bool,
) -> tuple[Classifier, Curve, bool]:
    tokenizer = lower_case_where_needed(loaded.tokenizer)
    model: Any = with_head(loaded, given.labels, dropout=settings.dropout, seed=settings.seed)
    model.encoder.get_input_embeddings().requires_grad_(settings.train_embeddings)
    if method == "lora":
        model = with_lora(model, settings.lora_rank, seed=settings.seed)
    batches = TrainingBatches(
        given,
        tokenizer,
        batch_size=settings.batch_size,
        max_tokens=settings.max_tokens,
        mask_share=settings.mask_share,
        seed=settings.seed,
    )
    plan = plan_of(settings, method, batches.per_epoch)
    curve = train(
        model,
        _loss_of(class_weights(given, settings.class_weights), settings.smoothing),
        batches,
        plan,
        folder,
        validate=_error_on(held_out, tokenizer, settings) if held_out else None,
        count=lambda batch: len(batch["targets"]),
        minutes=minutes,
        progress=progress,
        quantity="error",
    )
    made = _finished(model, tokenizer, loaded, base, settings)
    return made, curve, curve.finished(plan)


def plan_of(settings: Settings, method: Method, per_epoch: int) -> Plan:
    """The training loop's plan: steps, rates and when to look at the validation texts."""
    steps = max(1, round(settings.epochs * per_epoch))
    return Plan(
        steps=steps,
        peak_rate=settings.peak_rate or PEAK_RATES[method],
        warmup=max(1, round(settings.warmup * steps)),
        weight_decay=settings.weight_decay,
        clip=settings.clip,
        bf16=has_bf16() if settings.bf16 is None else settings.bf16,
        seed=settings.seed,
        save_every=max(1, min(200, per_epoch // settings.validations)),
        validate_every=max(1, per_epoch // settings.validations),
        patience=settings.patience,
        betas=(0.9, 0.999),
    )


def _loss_of(weights: "np.ndarray | None", smoothing: float) -> Any:
    weight = None if weights is None else torch.from_numpy(weights)

    def loss_of(model: Any, batch: dict[str, torch.Tensor]) -> torch.Tensor:
        out = model(input_ids=batch["input_ids"], attention_mask=batch["attention_mask"])
        return torch.nn.functional.cross_entropy(
            out.logits.float(), batch["targets"], weight=weight, label_smoothing=smoothing
        )

    return loss_of


def _error_on(held_out: Examples, tokenizer: Any, settings: Settings) -> Any:
    """The share of validation texts that a model gets wrong; a tie is broken by its surprise."""

    def error(model: Any) -> float:
        judged = Classifier(model, tokenizer, held_out.labels, max_tokens=settings.max_tokens)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            chances = judged.predict_proba(held_out.texts, bf16=settings.bf16 is not False)
        right = chances[np.arange(len(held_out)), held_out.answers]
        wrong = float((chances.argmax(axis=1) != held_out.answers).mean())
        return wrong - 1e-6 * float(np.log(np.maximum(right, 1e-12)).mean())

    return error


def _finished(
    model: Any, tokenizer: Any, loaded: "Loaded", base: str | None, settings: Settings
) -> Classifier:
    """The trained network as a classifier: what LoRA learned as a difference, else all weights."""
    lora = hasattr(model, "merge_and_unload")
    model = model.merge_and_unload() if lora else model
    labels = tuple(model.config.id2label.values())
    if not lora or base is None:
        return Classifier(model.eval(), tokenizer, labels)
    small = difference(model, with_head(loaded, labels), settings.lora_rank)
    return on_base(weights=small, base=base, labels=labels)


def _encoder(encoder: "str | Loaded") -> "Loaded":
    from ecomtutor.models import Loaded, load_encoder

    return encoder if isinstance(encoder, Loaded) else load_encoder(encoder)


def _checkpoints(folder: Path | str | None, minutes: float | None) -> Any:
    if folder is None and minutes is not None:
        raise EcomTutorError("To pause after some minutes and go on later, give a folder.")
    return nullcontext(folder) if folder else tempfile.TemporaryDirectory()


def _trained(classifier: Classifier, method: Method) -> int:
    """How many numbers were trained."""
    if method == "full" or not classifier.own_weights:
        return sum(p.numel() for p in classifier.model.parameters() if p.requires_grad)
    return sum(tensor.numel() for tensor in classifier.own_weights.values())


def _warn_of_leaks(given: Examples, held_out: Examples) -> None:
    known = {same_text_key(text) for text in given.texts}
    leaked = sum(same_text_key(text) in known for text in held_out.texts)
    if leaked:
        warnings.warn(
            f"{leaked} of {len(held_out)} validation texts stand in training too, up to spaces and "
            "punctuation. Their accuracy is memory: split by text, as `reviews()` does.",
            LeakedTexts,
            stacklevel=3,
        )
