"""Weights that come from Hugging Face folders and go back to them: config.json and safetensors.

Each model carries a table from the names of its parts to theirs; a `{}` stands for the layer. No
model class of transformers takes part.
"""

import json
import re
from pathlib import Path
from typing import ClassVar, Self

import torch
from torch import Tensor, nn

from ecomtutor.errors import EcomTutorError, MissingResource
from ecomtutor.resources import CATALOGUE, locate
from ecomtutor.transformer.configs import PretrainedConfig

_CONFIG, _WEIGHTS = "config.json", "model.safetensors"


class WeightsError(EcomTutorError):
    """A weight file that does not hold what the model needs."""


class Pretrained(nn.Module):
    """A model that can be filled from a Hugging Face folder, and saved as one."""

    CONFIG: ClassVar[type[PretrainedConfig]]
    ARCHITECTURE: ClassVar[str]  # the class of transformers that reads what we save
    PREFIX: ClassVar[str] = ""  # what their names may or may not begin with
    NAMES: ClassVar[dict[str, str]]  # our part → theirs; several of ours may share one of theirs
    INPUT_FIRST: ClassVar[bool] = False  # projections stored as (inputs, outputs), as GPT-2 does

    config: PretrainedConfig

    @classmethod
    def from_pretrained(cls, source: str | Path) -> Self:
        """The model with the weights of a folder, in evaluation mode and 32-bit floats.

        Args:
            source: a folder with config.json and model.safetensors, or a name in the catalogue of
                resources: "minilm", "m3e", "smollm2".

        Raises:
            MissingResource: no such folder or resource on this machine.
            ConfigError: the folder holds another kind of model.
            WeightsError: a weight that this model needs is missing or has another shape.
        """
        folder = folder_of(source)
        settings = json.loads((folder / _CONFIG).read_text(encoding="utf-8"))
        config = cls.CONFIG.from_hugging_face(settings)
        with torch.device("meta"):  # shapes only: the numbers come from the file
            model = cls(config, seed=None)
        model.load_state_dict(model._from_hugging_face(read_weights(folder)), assign=True)
        return model.eval()

    def save_pretrained(self, folder: str | Path, dtype: torch.dtype | None = None) -> None:
        """Write config.json and model.safetensors, for `from_pretrained` of ours or transformers.

        Args:
            folder: made where it is missing.
            dtype: for example `torch.float16`, half the size; as the model is, unless given.
        """
        from safetensors.torch import save_file

        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        weights = {
            name: tensor.to("cpu", dtype or tensor.dtype, copy=True).contiguous()
            for name, tensor in self.to_hugging_face().items()
        }
        kind = str(next(iter(weights.values())).dtype).removeprefix("torch.")
        settings = self.config.to_hugging_face()
        settings |= {"architectures": [self.ARCHITECTURE], "dtype": kind}
        text = json.dumps(settings, indent=2, sort_keys=True)
        (folder / _CONFIG).write_text(text + "\n", encoding="utf-8")
        save_file(weights, folder / _WEIGHTS, metadata={"format": "pt"})

    def to_hugging_face(self) -> dict[str, Tensor]:
        """All weights under the names and in the shapes of transformers."""
        shares: dict[str, list[Tensor]] = {}
        for name, tensor in self.named_parameters():
            shares.setdefault(self._theirs(name), []).append(self._turned(name, tensor.detach()))
        return {name: torch.cat(parts, dim=-1) for name, parts in shares.items()}

    def _from_hugging_face(self, weights: dict[str, Tensor]) -> dict[str, Tensor]:
        weights = {name.removeprefix(self.PREFIX): tensor for name, tensor in weights.items()}
        shares: dict[str, list[str]] = {}
        for name, _ in self.named_parameters():
            shares.setdefault(self._theirs(name).removeprefix(self.PREFIX), []).append(name)
        if missing := sorted(shares.keys() - weights.keys()):
            raise WeightsError(
                f"{type(self).__name__} needs {len(shares)} tensors; {len(missing)} of them are "
                f"not in the file, for example {missing[0]}."
            )
        ours: dict[str, Tensor] = {}
        for theirs, names in shares.items():
            parts = weights[theirs].float().chunk(len(names), dim=-1)
            ours |= {
                name: self._turned(name, part).contiguous()
                for name, part in zip(names, parts, strict=True)
            }
        self._check_shapes(ours)
        return ours

    def _check_shapes(self, weights: dict[str, Tensor]) -> None:
        for name, parameter in self.named_parameters():
            if weights[name].shape != parameter.shape:
                raise WeightsError(
                    f"{self._theirs(name)} in the file gives {tuple(weights[name].shape)}; "
                    f"config.json asks for {tuple(parameter.shape)}."
                )

    def _theirs(self, name: str) -> str:
        part, _, kind = name.rpartition(".")  # "blocks.3.attention.query", "weight"
        layer = re.search(r"\.(\d+)\.", part)
        pattern = self.NAMES[re.sub(r"\.\d+\.", ".{}.", part)]
        return f"{pattern.format(layer[1]) if layer else pattern}.{kind}"

    def _turned(self, name: str, tensor: Tensor) -> Tensor:
        projection = name.startswith("blocks.") and tensor.dim() == 2
        return tensor.T if self.INPUT_FIRST and projection else tensor


def folder_of(source: str | Path) -> Path:
    """The folder of a model: a catalogue name's in the cache, or the folder itself.

    Raises:
        MissingResource: it is not there, or lacks config.json or model.safetensors.
    """
    if isinstance(source, str) and source in CATALOGUE:
        return locate(CATALOGUE[source]).folder
    folder = Path(source)
    if absent := [name for name in (_CONFIG, _WEIGHTS) if not (folder / name).is_file()]:
        raise MissingResource(
            f"No {' and no '.join(absent)} in {folder}. Give the folder of a model, or a name in "
            f"the catalogue: {', '.join(map(repr, CATALOGUE))}."
        )
    return folder


def read_weights(folder: Path) -> dict[str, Tensor]:
    """Every tensor of a folder's model.safetensors, under its name there.

    Raises:
        WeightsError: the file is damaged.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        return load_file(folder / _WEIGHTS)
    except SafetensorError as error:
        raise WeightsError(f"{folder / _WEIGHTS} cannot be read: {error}.") from error


def initialise(model: nn.Module, seed: int | None, spread: float = 0.02) -> None:
    """Fresh weights: N(0, spread²) for tables and projections, 0 for biases; gains stay 1.

    Args:
        model: any of this room.
        seed: the same seed gives the same weights; None leaves them, to be filled from a file.
        spread: standard deviation; 0.02 in BERT and GPT-2 alike.
    """
    if seed is None:
        return
    generator = torch.Generator().manual_seed(seed)
    for name, parameter in model.named_parameters():
        if parameter.dim() > 1:
            nn.init.normal_(parameter, std=spread, generator=generator)
        elif name.endswith("bias"):
            nn.init.zeros_(parameter)
