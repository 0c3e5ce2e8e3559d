"""A training loop that may be killed at any moment: the resumed curve continues exactly.

A step depends on three things only: the weights, the optimizer's averages, and the step's number,
from which batch, dropout and learning rate follow. A checkpoint holds these three in one file,
which appears whole or not at all.
"""

import json
import math
import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from ecomtutor.errors import EcomTutorError

if TYPE_CHECKING:
    import torch

    from ecomtutor.pretraining.batches import Batch

CHECKPOINT = "checkpoint.safetensors"
BEST = "best.safetensors"


@dataclass(frozen=True)
class Plan:
    """How to train: everything that the result depends on besides model and data."""

    steps: int
    peak_rate: float
    warmup: int
    weight_decay: float = 0.1
    clip: float = 1.0
    bf16: bool = False
    seed: int = 0
    save_every: int = 100
    validate_every: int = 500

    def rate(self, step: int) -> float:
        """Learning rate of a step: linear warm-up, then a cosine down to a hundredth of the peak.

        Source: Loshchilov and Hutter (2017), SGDR.
        """
        if step < self.warmup:
            return self.peak_rate * (step + 1) / self.warmup
        done = (step - self.warmup) / max(1, self.steps - self.warmup)
        return self.peak_rate * (0.01 + 0.99 * (1 + math.cos(math.pi * min(1.0, done))) / 2)


@dataclass
class Curve:
    """What a run has seen: the loss of each step, validation losses by step, seconds spent."""

    losses: list[float] = field(default_factory=list)
    validation: dict[int, float] = field(default_factory=dict)
    seconds: float = 0.0
    tokens: int = 0

    @property
    def step(self) -> int:
        """Steps done."""
        return len(self.losses)

    @property
    def best(self) -> tuple[int, float] | None:
        """Step and loss of the best validation, where there was one."""
        return min(self.validation.items(), key=lambda at: at[1]) if self.validation else None


def train(
    model: "torch.nn.Module",
    loss_of: "Callable[..., torch.Tensor]",
    batch_at: "Callable[[int], Batch]",
    plan: Plan,
    folder: Path,
    *,
    validate: "Callable[[torch.nn.Module], float] | None" = None,
    minutes: float | None = None,
    progress: bool = True,
) -> Curve:
    """Train until `plan.steps`, resuming from the checkpoint in `folder` where there is one.

    Args:
        model: changed in place; at the end it holds the weights that validated best.
        loss_of: `loss_of(model, batch)`, a scalar tensor.
        batch_at: the batch of a step, from its number alone.
        plan: the schedule; a checkpoint made under another plan is refused.
        folder: where checkpoints lie.
        validate: loss on held-out data; the weights with the lowest are kept.
        minutes: pause after so long; the next call goes on.
        progress: draw a progress bar.

    Returns:
        The curve from step 0 on, earlier runs included.

    Raises:
        EcomTutorError: the loss is not finite, or the checkpoint belongs to another plan.
    """
    import torch
    from tqdm import tqdm

    folder.mkdir(parents=True, exist_ok=True)
    optimizer = torch.optim.AdamW(_groups(model, plan), lr=plan.peak_rate, fused=True)
    curve = _resume(folder, model, optimizer, plan)
    started, spent_before = time.monotonic(), curve.seconds
    model.train()
    with tqdm(total=plan.steps, initial=curve.step, disable=not progress, mininterval=5) as bar:
        while curve.step < plan.steps:
            batch = batch_at(curve.step)
            curve.losses.append(_step(model, optimizer, loss_of, batch, plan, curve.step))
            curve.tokens += int((batch["labels"] != -100).sum())
            curve.seconds = spent_before + time.monotonic() - started
            bar.update()
            bar.set_postfix(loss=f"{sum(curve.losses[-50:]) / len(curve.losses[-50:]):.3f}")
            last = curve.step == plan.steps
            if validate and (last or curve.step % plan.validate_every == 0):
                _validated(validate, model, curve, folder)
            late = minutes is not None and time.monotonic() - started > 60 * minutes
            if last or late or curve.step % plan.save_every == 0:
                _save(folder, model, optimizer, plan, curve)
            if late:
                break
    if curve.best and curve.step == plan.steps:
        load_weights(model, folder / BEST)
    return curve


def load_weights(model: "torch.nn.Module", path: Path) -> None:
    """Copy the parameters in a checkpoint or a best-weights file into a model."""
    from safetensors import safe_open

    with safe_open(path, "pt") as file:
        _fill(model, file)


def _step(
    model: "torch.nn.Module",
    optimizer: "torch.optim.Optimizer",
    loss_of: "Callable[..., torch.Tensor]",
    batch: "Batch",
    plan: Plan,
    step: int,
) -> float:
    import torch

    for group in optimizer.param_groups:
        group["lr"] = plan.rate(step)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(plan.seed * 1_000_003 + step)  # dropout
        with torch.autocast("cpu", torch.bfloat16, enabled=plan.bf16):
            loss = loss_of(model, batch)
        loss.backward()
    if not torch.isfinite(loss):
        raise EcomTutorError(
            f"The loss of step {step} is {loss.item()}. Lower the peak rate, {plan.peak_rate}, or "
            "lengthen the warm-up; the last checkpoint is from before."
        )
    torch.nn.utils.clip_grad_norm_(model.parameters(), plan.clip)
    optimizer.step()
    optimizer.zero_grad(set_to_none=True)
    return float(loss.detach())


def _groups(model: "torch.nn.Module", plan: Plan) -> "list[dict[str, object]]":
    """Weight decay for matrices and tables only: a bias or a norm's gain has no reason to shrink."""
    parameters = list(model.parameters())
    return [
        {
            "params": [p for p in parameters if p.dim() >= 2],
            "weight_decay": plan.weight_decay,
        },
        {"params": [p for p in parameters if p.dim() < 2], "weight_decay": 0.0},
    ]


def _validated(
    validate: "Callable[[torch.nn.Module], float]",
    model: "torch.nn.Module",
    curve: Curve,
    folder: Path,
) -> None:
    """Measure, and keep the weights where they are the best so far."""
    model.eval()
    curve.validation[curve.step] = validate(model)
    model.train()
    if curve.best and curve.best[0] == curve.step:
        _write(folder / BEST, dict(model.named_parameters()), {"step": str(curve.step)})


def _save(
    folder: Path,
    model: "torch.nn.Module",
    optimizer: "torch.optim.Optimizer",
    plan: Plan,
    curve: Curve,
) -> None:
    tensors = dict(model.named_parameters())
    for name, parameter in model.named_parameters():
        for part, value in optimizer.state[parameter].items():
            tensors[f"{part}/{name}"] = value
    facts = {"plan": repr(plan), "curve": json.dumps(vars(curve))}
    _write(folder / CHECKPOINT, tensors, facts)


def _write(path: Path, tensors: "dict[str, torch.Tensor]", facts: dict[str, str]) -> None:
    """One safetensors file, complete under its name or not there: the rename is one operation."""
    from safetensors.torch import save_file

    unfinished = path.with_suffix(".unfinished")
    save_file({n: t.detach().contiguous() for n, t in tensors.items()}, unfinished, facts)
    os.replace(unfinished, path)


def _resume(
    folder: Path, model: "torch.nn.Module", optimizer: "torch.optim.Optimizer", plan: Plan
) -> Curve:
    """Fill model and optimizer from the checkpoint, if there is one; its curve, or a new one."""
    from safetensors import safe_open

    path = folder / CHECKPOINT
    if not path.exists():
        return Curve()
    with safe_open(path, "pt") as file:
        facts = file.metadata()
        if facts["plan"] != repr(plan):
            raise EcomTutorError(
                f"{path} was made under another plan:\n  {facts['plan']}\nnot\n  {plan!r}\n"
                "Take another folder, or delete that file to start anew."
            )
        _fill(model, file)
        for name, parameter in model.named_parameters():
            optimizer.state[parameter] = {
                part: file.get_tensor(f"{part}/{name}")
                for part in ("step", "exp_avg", "exp_avg_sq")
            }
    seen = json.loads(facts["curve"])
    seen["validation"] = {int(step): loss for step, loss in seen["validation"].items()}
    return Curve(**seen)


def _fill(model: "torch.nn.Module", file: object) -> None:
    import torch

    with torch.no_grad():
        for name, parameter in model.named_parameters():
            parameter.copy_(file.get_tensor(name))  # type: ignore[attr-defined]
