"""A training loop that may be killed at any moment: the resumed curve continues exactly.

A step depends on three things only: the weights, the optimizer's averages, and the step's number,
from which batch, dropout and learning rate follow. A checkpoint holds these three in one file,
which appears whole or not at all.
"""

import json
import math
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ecomtutor.errors import EcomTutorError

if TYPE_CHECKING:
    import torch

Batch = dict[str, "torch.Tensor"]

CHECKPOINT = "checkpoint.safetensors"
BEST = "best.safetensors"


@dataclass(frozen=True)
class Plan:
    """How to train: everything that the result depends on besides model and data.

    peak_rate is AdamW's; where muon_rate is given, Muon with that peak trains the matrices inside
    the blocks, and AdamW the rest. Where patience is given, training stops after so many
    validations without a better one.
    """

    steps: int
    peak_rate: float
    warmup: int
    muon_rate: float | None = None
    weight_decay: float = 0.1
    clip: float = 1.0
    bf16: bool = False
    seed: int = 0
    save_every: int = 100
    validate_every: int = 500
    patience: int | None = None
    betas: tuple[float, float] = (0.9, 0.98)

    def rate(self, step: int) -> float:
        """AdamW's learning rate at a step: `peak_rate` times the share of the schedule."""
        return self.peak_rate * self.share(step)

    def share(self, step: int) -> float:
        """Share of the peak rate: linear warm-up, then a cosine down to a hundredth.

        Source: Loshchilov and Hutter (2017), SGDR.
        """
        if step < self.warmup:
            return (step + 1) / self.warmup
        done = (step - self.warmup) / max(1, self.steps - self.warmup)
        return 0.01 + 0.99 * (1 + math.cos(math.pi * min(1.0, done))) / 2


@dataclass
class Curve:
    """What a run has seen: the loss of each step, validations by step, seconds, targets."""

    losses: list[float] = field(default_factory=list)
    validation: dict[int, float] = field(default_factory=dict)
    seconds: float = 0.0
    targets: int = 0

    @property
    def step(self) -> int:
        """Steps done."""
        return len(self.losses)

    @property
    def best(self) -> tuple[int, float] | None:
        """Step and figure of the best validation, where there was one."""
        return min(self.validation.items(), key=lambda at: at[1]) if self.validation else None

    def finished(self, plan: Plan) -> bool:
        """Whether all steps are done, or the plan's patience is at its end."""
        since_best = sum(self.best is not None and step > self.best[0] for step in self.validation)
        return self.step >= plan.steps or (
            plan.patience is not None and since_best >= plan.patience
        )


def train(
    model: "torch.nn.Module",
    loss_of: "Callable[..., torch.Tensor]",
    batch_at: "Callable[[int], Batch]",
    plan: Plan,
    folder: Path,
    *,
    validate: "Callable[[torch.nn.Module], float] | None" = None,
    count: "Callable[[Batch], int] | None" = None,
    minutes: float | None = None,
    progress: bool = True,
    quantity: str = "loss",
) -> Curve:
    """Train until `plan.steps`, resuming from the checkpoint in `folder` where there is one.

    Args:
        model: changed in place, on the device where it lies; at the end it holds the weights that
            validated best. Parameters that do not require a gradient are neither trained nor saved.
        loss_of: `loss_of(model, batch)`, a scalar tensor.
        batch_at: the batch of a step, from its number alone.
        plan: the schedule; a checkpoint made under another plan is refused.
        folder: where checkpoints lie.
        validate: a figure on held-out data; the weights with the lowest are kept.
        count: how many answers a batch asks for; unless given, its labels other than -100.
        minutes: pause after so long; the next call goes on.
        progress: draw a progress bar.
        quantity: what the bar calls the figure of `validate`.

    Returns:
        The curve from step 0 on, earlier runs included.

    Raises:
        EcomTutorError: the loss is not finite, or the checkpoint belongs to another plan.
    """
    from tqdm import tqdm

    folder.mkdir(parents=True, exist_ok=True)
    optimizers = make_optimizers(model, plan)
    curve = _resume(folder, model, optimizers, plan)
    started, spent_before = time.monotonic(), curve.seconds
    model.train()
    with tqdm(total=plan.steps, initial=curve.step, disable=not progress, mininterval=5) as bar:
        while not curve.finished(plan):
            batch = batch_at(curve.step)
            curve.losses.append(_step(model, optimizers, loss_of, batch, plan, curve.step))
            curve.targets += (count or _labelled)(batch)
            curve.seconds = spent_before + time.monotonic() - started
            bar.update()
            if validate and (curve.step == plan.steps or curve.step % plan.validate_every == 0):
                _validated(validate, model, curve, folder)
            bar.set_postfix(_shown(curve, quantity), refresh=False)
            last = curve.finished(plan)
            late = minutes is not None and time.monotonic() - started > 60 * minutes
            if last or late or curve.step % plan.save_every == 0:
                _save(folder, model, optimizers, plan, curve)
            if late:
                break
    if curve.best and curve.finished(plan):
        load_weights(model, folder / BEST)
    return curve


def _labelled(batch: Batch) -> int:
    return int((batch["labels"] != -100).sum())


def _shown(curve: Curve, quantity: str) -> dict[str, str]:
    recent = curve.losses[-50:]
    shown = {"loss": f"{sum(recent) / len(recent):.3f}"}
    if curve.validation:
        shown[f"held-out {quantity}"] = f"{list(curve.validation.values())[-1]:.3f}"
    return shown


def has_bf16() -> bool:
    """Whether this processor multiplies bfloat16 itself; where not, it is slower than fp32."""
    import torch

    able = torch.cpu.get_capabilities()
    return any(able.get(name, False) for name in ("amx_bf16", "avx512_bf16", "bf16"))


def make_optimizers(model: "torch.nn.Module", plan: Plan) -> "list[torch.optim.Optimizer]":
    """AdamW; or Muon for the matrices inside the blocks, and AdamW for the rest.

    Muon's steps are as long on a small task as on a large one: a head with a task of its own, such
    as NSP, would walk at random under it.

    Weights decay in matrices and tables only: biases and gains have no reason to shrink.

    Source:
        Loshchilov and Hutter (2019), AdamW; Jordan et al. (2024), Muon: an update whose directions
        all have the same size, so that rare ones are learned as fast as common ones.
    """
    import torch

    inner = {
        layer.weight
        for name, layer in model.named_modules()
        if "blocks." in name and isinstance(layer, torch.nn.Linear)
    }
    trained = [p for p in model.parameters() if p.requires_grad]
    matrices = [p for p in trained if plan.muon_rate and p in inner]
    rest = [p for p in trained if not (plan.muon_rate and p in inner)]
    tables = [p for p in rest if p.dim() >= 2]
    vectors = [p for p in rest if p.dim() < 2]
    groups = [
        {"params": tables, "weight_decay": plan.weight_decay, "peak": plan.peak_rate},
        {"params": vectors, "weight_decay": 0.0, "peak": plan.peak_rate},
    ]
    optimizers: list[torch.optim.Optimizer] = [
        torch.optim.AdamW(groups, lr=plan.peak_rate, betas=plan.betas, fused=True)
    ]
    if plan.muon_rate:
        decay = plan.weight_decay
        group = {"params": matrices, "peak": plan.muon_rate}
        optimizers.append(torch.optim.Muon([group], lr=plan.muon_rate, weight_decay=decay))
    return optimizers


def load_weights(model: "torch.nn.Module", path: Path) -> None:
    """Copy the parameters in a checkpoint or a best-weights file into a model."""
    from safetensors import safe_open

    with safe_open(path, "pt") as file:
        _fill(model, file)


def _step(
    model: "torch.nn.Module",
    optimizers: "list[torch.optim.Optimizer]",
    loss_of: "Callable[..., torch.Tensor]",
    batch: "Batch",
    plan: Plan,
    step: int,
) -> float:
    import torch

    for optimizer in optimizers:
        for group in optimizer.param_groups:
            group["lr"] = group["peak"] * plan.share(step)
    device = next(model.parameters()).device
    batch = _moved(batch, device)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(plan.seed * 1_000_003 + step)  # dropout
        with torch.autocast(device.type, torch.bfloat16, enabled=plan.bf16):
            loss = loss_of(model, batch)
        loss.backward()
    if not torch.isfinite(loss):
        raise EcomTutorError(
            f"The loss of step {step} is {loss.item()}. Lower the peak rate, {plan.peak_rate}, or "
            "lengthen the warm-up; the last checkpoint is from before."
        )
    torch.nn.utils.clip_grad_norm_(model.parameters(), plan.clip)
    for optimizer in optimizers:
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
    return float(loss.detach())


def _moved(batch: Any, device: "torch.device") -> Any:
    """A batch on a device: a tensor, or a dictionary or tuple of such; the rest as it is."""
    import torch

    if isinstance(batch, torch.Tensor):
        return batch.to(device, non_blocking=True)
    if isinstance(batch, dict):
        return {name: _moved(part, device) for name, part in batch.items()}
    if isinstance(batch, tuple):
        parts = [_moved(part, device) for part in batch]
        return type(batch)(*parts) if hasattr(batch, "_fields") else tuple(parts)
    return batch


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
        _write(folder / BEST, _trained(model), {"step": str(curve.step)})


def _save(
    folder: Path,
    model: "torch.nn.Module",
    optimizers: "list[torch.optim.Optimizer]",
    plan: Plan,
    curve: Curve,
) -> None:
    tensors: dict[str, torch.Tensor] = dict(_trained(model))
    for name, parameter in _trained(model).items():
        for optimizer in optimizers:
            for part, value in optimizer.state.get(parameter, {}).items():
                tensors[f"{part}/{name}"] = value
    facts = {"plan": repr(plan), "curve": json.dumps(vars(curve))}
    _write(folder / CHECKPOINT, tensors, facts)


def _trained(model: "torch.nn.Module") -> "dict[str, torch.nn.Parameter]":
    return {name: p for name, p in model.named_parameters() if p.requires_grad}


def _write(path: Path, tensors: "Mapping[str, torch.Tensor]", facts: dict[str, str]) -> None:
    """One safetensors file, complete under its name or not there: the rename is one operation."""
    from safetensors.torch import save_file

    unfinished = path.with_suffix(".unfinished")
    save_file({n: t.detach().contiguous() for n, t in tensors.items()}, unfinished, facts)
    os.replace(unfinished, path)


def _resume(
    folder: Path, model: "torch.nn.Module", optimizers: "list[torch.optim.Optimizer]", plan: Plan
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
        for optimizer in optimizers:
            _fill_state(optimizer, model, file)
    seen = json.loads(facts["curve"])
    seen["validation"] = {int(step): loss for step, loss in seen["validation"].items()}
    return Curve(**seen)


def _fill_state(optimizer: "torch.optim.Optimizer", model: "torch.nn.Module", file: Any) -> None:
    owned = {id(p) for group in optimizer.param_groups for p in group["params"]}
    names = {name: p for name, p in model.named_parameters() if id(p) in owned}
    for key in file.keys():  # noqa: SIM118 (a file, not a dictionary)
        part, _, name = key.partition("/")
        if name in names:
            device = names[name].device
            optimizer.state[names[name]][part] = file.get_tensor(key).to(device)


def _fill(model: "torch.nn.Module", file: Any) -> None:
    import torch

    with torch.no_grad():
        for name, parameter in _trained(model).items():
            parameter.copy_(file.get_tensor(name))
