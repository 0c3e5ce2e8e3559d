"""What a fit learned, written small: the difference to the encoder that it began with."""

from collections.abc import Sequence

import torch

from ecomtutor.errors import DamagedResource

UP, DOWN = "/up", "/down"


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
