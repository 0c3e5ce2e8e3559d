"""The network that is fine-tuned: an encoder, the mean of its tokens, one linear layer."""

import copy
import warnings
from typing import TYPE_CHECKING, Any

import torch
from transformers import PreTrainedConfig, PreTrainedModel
from transformers.modeling_outputs import SequenceClassifierOutput

from ecomtutor.errors import EcomTutorError

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

    from ecomtutor.models import Loaded


class EncoderWithHead(PreTrainedModel):
    """An encoder with a new head: the mean of its token vectors, through one linear layer.

    The mean is what MiniLM and m3e were trained for. BERT's own way, the vector of [CLS], throws
    that training away. A transformers model, so that transformers' tools take it: pipelines, peft.
    """

    config_class = PreTrainedConfig
    _supports_sdpa = True  # the encoder does

    def __init__(self, encoder: PreTrainedModel, classes: int, dropout: float = 0.1):
        super().__init__(encoder.config)
        self.encoder = encoder
        self.dropout = torch.nn.Dropout(dropout)
        self.classifier = torch.nn.Linear(encoder.config.hidden_size, classes)
        torch.nn.init.normal_(self.classifier.weight, std=0.02)
        torch.nn.init.zeros_(self.classifier.bias)

    def forward(
        self,
        input_ids: torch.Tensor | None = None,
        attention_mask: torch.Tensor | None = None,
        **how: Any,
    ) -> SequenceClassifierOutput:
        """Logits (texts, classes) of token ids (texts, tokens), or of `inputs_embeds`."""
        how.pop("return_dict", None)
        mean, out = self.pooled(input_ids, attention_mask, **how)  # (texts, width)
        return SequenceClassifierOutput(
            logits=self.classifier(self.dropout(mean)),  # (texts, classes)
            hidden_states=out.hidden_states,
            attentions=out.attentions,
        )

    def pooled(
        self, input_ids: torch.Tensor | None, attention_mask: torch.Tensor | None, **how: Any
    ) -> tuple[torch.Tensor, Any]:
        """The mean token vector (texts, width), and all that the encoder put out."""
        out = self.encoder(input_ids=input_ids, attention_mask=attention_mask, **how)
        return mean_of_tokens(out.last_hidden_state, attention_mask), out


def mean_of_tokens(hidden: torch.Tensor, attention_mask: torch.Tensor | None) -> torch.Tensor:
    """The mean over tokens that are no padding: (texts, tokens, width) → (texts, width)."""
    if attention_mask is None:
        return hidden.mean(dim=1)
    weights = attention_mask[:, :, None].to(hidden.dtype)  # (texts, tokens, 1)
    return (hidden * weights).sum(dim=1) / weights.sum(dim=1)


def with_head(
    loaded: "Loaded", labels: tuple[str, ...], *, dropout: float = 0.1, seed: int = 0
) -> EncoderWithHead:
    """A copy of a loaded encoder with an untrained head for these labels.

    Raises:
        EcomTutorError: the model is no encoder, for example a generator.
    """
    config = loaded.model.config
    if getattr(config, "is_encoder_decoder", False) or hasattr(loaded.model, "lm_head"):
        raise EcomTutorError(f"{loaded.name} is no encoder; take load_encoder('en') or ('zh').")
    encoder: Any = copy.deepcopy(loaded.model)
    encoder.set_attn_implementation("sdpa")
    if hasattr(encoder, "pooler"):
        encoder.pooler = None  # the mean takes its place
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = EncoderWithHead(encoder, len(labels), dropout)
    model.config = copy.deepcopy(config)
    model.config.num_labels = len(labels)
    model.config.id2label = dict(enumerate(labels))
    model.config.label2id = {label: i for i, label in enumerate(labels)}
    return model


def with_lora(model: EncoderWithHead, rank: int, seed: int = 0) -> Any:
    """Freeze the encoder, and give each of its linear layers two thin trainable matrices.

    W stays; W + (alpha / rank) · B A is used, with A (rank, in) and B (out, rank), alpha = 2 rank,
    B zero at first.

    Source:
        Hu et al. (2022), LoRA: Low-Rank Adaptation of Large Language Models.
    """
    from peft import LoraConfig, get_peft_model

    config = LoraConfig(
        r=rank,
        lora_alpha=2 * rank,
        target_modules="all-linear",
        exclude_modules=["classifier"],
        modules_to_save=["classifier"],
    )
    with torch.random.fork_rng(devices=[]), warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # peft and transformers between themselves
        torch.manual_seed(seed + 1)
        return get_peft_model(model, config)


def lower_case_where_needed(tokenizer: "PreTrainedTokenizerBase") -> "PreTrainedTokenizerBase":
    """A copy of the tokenizer that lowers letters, if its vocabulary knows no capitals.

    m3e-small comes so: "iPhone" is unknown to it, "iphone" is not. Offsets still count the
    characters of the original text.
    """
    from tokenizers import normalizers

    tokenizer = copy.deepcopy(tokenizer)
    special = set(tokenizer.all_special_tokens)
    ordinary = (word for word in tokenizer.get_vocab() if not word.startswith(("[", "<")))
    capitals = any(word != word.lower() for word in ordinary if word not in special)
    backend: Any = getattr(tokenizer, "backend_tokenizer", None)
    if not capitals and backend is not None:
        steps = [backend.normalizer] if backend.normalizer is not None else []
        backend.normalizer = normalizers.Sequence([*steps, normalizers.Lowercase()])
    return tokenizer
