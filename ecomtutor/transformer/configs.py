"""How large each machine is: our words for the sizes, and Hugging Face's words for the same.

    BertConfig(vocabulary=21128, width=512, layers=4, heads=8, inner=2048)       # m3e-small

Sizes are named as in `ecomtutor.models.Loaded`. `from_hugging_face` reads a config.json and refuses
a variant that these classes do not implement, where loading it would give other numbers in silence.
"""

from dataclasses import MISSING, dataclass, fields
from typing import Any, ClassVar, Self

from ecomtutor.attention import ShapeError
from ecomtutor.errors import EcomTutorError


class ConfigError(EcomTutorError):
    """Sizes that do not fit together, or a config.json of a model that is not implemented here."""


@dataclass(frozen=True)
class Config:
    """The sizes that every machine has, checked when they are given."""

    vocabulary: int
    width: int
    layers: int
    heads: int

    def __post_init__(self) -> None:
        for name in ("vocabulary", "width", "layers", "heads", "inner", "positions"):
            size = getattr(self, name)
            if not isinstance(size, int) or size < 1:
                raise ConfigError(f"{name} is a whole number above 0; {size!r} came.")
        if self.width % self.heads:
            raise ShapeError(f"A width of {self.width} cannot be shared by {self.heads} heads.")
        dropout = getattr(self, "dropout", 0)
        if not 0 <= dropout < 1:
            raise ConfigError(f"dropout is at least 0 and below 1; {dropout!r} came.")

    @property
    def head_width(self) -> int:
        """Length of a query or key vector in one head: d_k."""
        return self.width // self.heads


@dataclass(frozen=True)
class PretrainedConfig(Config):
    """Sizes that a config.json of Hugging Face can give, and be given."""

    _KEYS: ClassVar[dict[str, str]]  # our name of a size → the name in config.json
    _FIXED: ClassVar[dict[str, Any]]  # what our classes implement; absent means this too

    @classmethod
    def from_hugging_face(cls, settings: dict[str, Any]) -> Self:
        """Read the contents of a config.json.

        Raises:
            ConfigError: another kind of model, a variant not implemented here, or a size missing.
        """
        for key, expected in cls._FIXED.items():
            found = settings.get(key, expected)
            if found != expected:
                raise ConfigError(
                    f"{cls.__name__} implements {key} = {expected!r}; this folder has {found!r}."
                )
        sizes = {name: settings[key] for name, key in cls._KEYS.items() if key in settings}
        required = {each.name for each in fields(cls) if each.default is MISSING}
        if missing := sorted(cls._KEYS[name] for name in required - sizes.keys()):
            raise ConfigError(f"config.json does not say: {', '.join(missing)}.")
        return cls(**sizes)

    def to_hugging_face(self) -> dict[str, Any]:
        """The contents of a config.json, to be read by transformers."""
        return self._FIXED | {key: getattr(self, name) for name, key in self._KEYS.items()}


@dataclass(frozen=True)
class BertConfig(PretrainedConfig):
    """Sizes of a BERT. `inner` is the width inside the feed-forward network, usually 4 · width."""

    _KEYS = {
        "vocabulary": "vocab_size",
        "width": "hidden_size",
        "layers": "num_hidden_layers",
        "heads": "num_attention_heads",
        "inner": "intermediate_size",
        "positions": "max_position_embeddings",
        "segments": "type_vocab_size",
        "dropout": "hidden_dropout_prob",
        "norm_epsilon": "layer_norm_eps",
        "padding_id": "pad_token_id",
    }
    _FIXED = {
        "model_type": "bert",
        "hidden_act": "gelu",
        "position_embedding_type": "absolute",
        "tie_word_embeddings": True,
        "is_decoder": False,
        "add_cross_attention": False,
    }

    inner: int
    positions: int = 512
    segments: int = 2
    dropout: float = 0.1
    norm_epsilon: float = 1e-12
    padding_id: int = 0

    def to_hugging_face(self) -> dict[str, Any]:
        return super().to_hugging_face() | {"attention_probs_dropout_prob": self.dropout}


@dataclass(frozen=True)
class GptConfig(PretrainedConfig):
    """Sizes of a GPT-2. `inner` is 4 · width unless given; `end_id` marks the end of a text."""

    _KEYS = {
        "vocabulary": "vocab_size",
        "width": "n_embd",
        "layers": "n_layer",
        "heads": "n_head",
        "inner": "n_inner",
        "positions": "n_positions",
        "dropout": "resid_pdrop",
        "norm_epsilon": "layer_norm_epsilon",
        "end_id": "eos_token_id",
    }
    _FIXED = {
        "model_type": "gpt2",
        "activation_function": "gelu_new",
        "scale_attn_weights": True,
        "scale_attn_by_inverse_layer_idx": False,
        "add_cross_attention": False,
        "tie_word_embeddings": True,
    }

    inner: int = None  # type: ignore[assignment]  # filled in below
    positions: int = 1024
    dropout: float = 0.1
    norm_epsilon: float = 1e-5
    end_id: int | None = None

    def __post_init__(self) -> None:
        if self.inner is None:
            object.__setattr__(self, "inner", 4 * self.width)
        super().__post_init__()

    def to_hugging_face(self) -> dict[str, Any]:
        others = {"embd_pdrop": self.dropout, "attn_pdrop": self.dropout}
        return super().to_hugging_face() | others | {"bos_token_id": self.end_id}


@dataclass(frozen=True)
class LlamaConfig(PretrainedConfig):
    """Sizes of a Llama with tied output, such as SmolLM2; several heads share a key and value."""

    _KEYS = {
        "vocabulary": "vocab_size",
        "width": "hidden_size",
        "layers": "num_hidden_layers",
        "heads": "num_attention_heads",
        "key_value_heads": "num_key_value_heads",
        "inner": "intermediate_size",
        "positions": "max_position_embeddings",
        "rotary_base": "rope_theta",
        "norm_epsilon": "rms_norm_eps",
        "end_id": "eos_token_id",
    }
    _FIXED = {
        "model_type": "llama",
        "hidden_act": "silu",
        "attention_bias": False,
        "mlp_bias": False,
        "tie_word_embeddings": True,
        "rope_type": "default",
    }

    key_value_heads: int
    inner: int
    positions: int = 2048
    rotary_base: float = 10_000.0
    norm_epsilon: float = 1e-6
    end_id: int | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.key_value_heads < 1 or self.heads % self.key_value_heads:
            raise ShapeError(
                f"{self.heads} heads cannot share {self.key_value_heads} keys and values equally."
            )
        if self.head_width % 2:
            raise ShapeError(f"Rotary positions turn pairs; a head's width is {self.head_width}.")

    @classmethod
    def from_hugging_face(cls, settings: dict[str, Any]) -> Self:
        config = super().from_hugging_face(settings | settings.get("rope_parameters", {}))
        if settings.get("head_dim", config.head_width) != config.head_width:
            raise ConfigError(
                f"Here a head is width / heads = {config.head_width} wide; "
                f"this folder has head_dim = {settings['head_dim']}."
            )
        return config


@dataclass(frozen=True)
class EncoderDecoderConfig(Config):
    """Sizes of the encoder-decoder of 2017; `layers` in each of the two halves."""

    inner: int
    positions: int = 512
    dropout: float = 0.0
    pre_norm: bool = False
