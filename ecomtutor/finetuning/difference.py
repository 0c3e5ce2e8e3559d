"""What a fit learned, written small: the difference to the encoder that it began with."""

from collections.abc import Sequence

import torch

from ecomtutor.errors import DamagedResource

UP, DOWN, SCALE = "/up", "/down", "/scale"


def difference(
    fitted: torch.nn.Module, fresh: torch.nn.Module, rank: int
) -> dict[str, torch.Tensor]:
    """The changed weights of a model in half precision; of each matrix, the change at this rank.

    A matrix W of the encoder becomes two thin ones with up @ down ≈ W_fitted - W_fresh, the best
    of that rank. What LoRA of the same rank learned is kept whole that way; of full fine-tuning
    the small directions are left out. Vectors and the head are stored as they are.

    Source:
        Eckart and Young (1936) for the best approximation; Hu et al. (2022), LoRA, for the form.
    """
    start = dict(fresh.named_parameters())
    small: dict[str, torch.Tensor] = {}
    for name, tensor in fitted.named_parameters():
        change = (tensor - start[name]).detach().float()
        if name.startswith("classifier"):
            small[name] = tensor.detach().half()
        elif not change.any():
            continue
        elif tensor.dim() < 2:
            small[name] = tensor.detach().half()
        else:
            left, sizes, right = torch.linalg.svd(change, full_matrices=False)
            root = sizes[:rank].sqrt()
            small[name + UP] = (left[:, :rank] * root).half().contiguous()  # (out, rank)
            small[name + DOWN] = (root[:, None] * right[:rank]).half().contiguous()  # (rank, in)
    return small


def apply_difference(model: torch.nn.Module, small: dict[str, torch.Tensor]) -> None:
    """Give a fresh model what `difference` stored; the model is changed in place.

    Raises:
        DamagedResource: the weights belong to another model.
    """
    parameters = dict(model.named_parameters())
    used = set()
    with torch.no_grad():
        for name, parameter in parameters.items():
            if name in small:
                parameter.copy_(small[name].float())
                used.add(name)
            elif name + UP in small:
                parameter.add_(small[name + UP].float() @ small[name + DOWN].float())
                used.update((name + UP, name + DOWN))
    if used != set(small):
        raise DamagedResource(
            f"{len(set(small) - used)} of {len(small)} weights belong to another model, such as "
            f"{min(set(small) - used)}."
        )


def in_bytes(small: dict[str, torch.Tensor], levels: int = 15) -> dict[str, torch.Tensor]:
    """The thin matrices of a `difference` as integers from -levels to levels, one to a byte.

    A byte has room for 127; of fewer levels whatever compresses, git for one, keeps fewer bits.
    Both readers found as much on held-out questions with 7 levels as with 127.

    Each direction, a column of up or a row of down, has a scale of its own, because strong and weak
    directions differ by orders of magnitude. What is no thin matrix stays as it is.
    """
    stored: dict[str, torch.Tensor] = {}
    for name, tensor in small.items():
        if not name.endswith((UP, DOWN)):
            stored[name] = tensor
            continue
        scale = tensor.float().abs().amax(dim=_along(name), keepdim=True).clamp(min=1e-12) / levels
        stored[name] = (tensor.float() / scale).round().to(torch.int8)
        stored[name + SCALE] = scale
    return stored


def from_bytes(stored: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """What `in_bytes` stored, as `apply_difference` takes it; other weights pass through.

    Raises:
        DamagedResource: integers without their scale.
    """
    small: dict[str, torch.Tensor] = {}
    for name, tensor in stored.items():
        if tensor.dtype is torch.int8:
            if name + SCALE not in stored:
                raise DamagedResource(f"{name} came without its scale, {name + SCALE}.")
            small[name] = tensor.float() * stored[name + SCALE]
        elif not name.endswith(SCALE):
            small[name] = tensor
    return small


def _along(name: str) -> int:
    """The dimension along which one direction lies."""
    return 0 if name.endswith(UP) else 1


def average(models: Sequence[torch.nn.Module]) -> torch.nn.Module:
    """One model with the mean of the weights of models that began with the same encoder.

    The first model is changed in place and returned. It costs as much to run as one of them.

    Source:
        Wortsman et al. (2022), Model soups.
    """
    everything = [dict(model.named_parameters()) for model in models]
    with torch.no_grad():
        for name, parameter in everything[0].items():
            parameter.copy_(torch.stack([those[name] for those in everything]).mean(dim=0))
    return models[0]
