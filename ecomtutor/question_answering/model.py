"""The reader's network: an encoder and two numbers for each token."""

import copy
from typing import TYPE_CHECKING, Any

import torch
from transformers import PreTrainedConfig, PreTrainedModel
from transformers.modeling_outputs import QuestionAnsweringModelOutput

from ecomtutor.errors import EcomTutorError

if TYPE_CHECKING:
    from ecomtutor.models import Loaded


class EncoderWithSpans(PreTrainedModel):
    """An encoder with a span head: one linear layer that gives each token a start and an end logit.

    A transformers model with the outputs of its question-answering models.
    """

    config_class = PreTrainedConfig
    _supports_sdpa = True  # the encoder does

    def __init__(self, encoder: PreTrainedModel, dropout: float = 0.1):
        super().__init__(encoder.config)
        self.encoder = encoder
        self.dropout = torch.nn.Dropout(dropout)
        self.span_head = torch.nn.Linear(encoder.config.hidden_size, 2)
        # From zero it begins by finding every span equally good, the same one for every seed.
        torch.nn.init.zeros_(self.span_head.weight)
        torch.nn.init.zeros_(self.span_head.bias)

    def forward(
        self,
        input_ids: torch.Tensor | None = None,
        attention_mask: torch.Tensor | None = None,
        token_type_ids: torch.Tensor | None = None,
        **how: Any,
    ) -> QuestionAnsweringModelOutput:
        """start_logits and end_logits (windows, tokens) of token ids (windows, tokens)."""
        how.pop("return_dict", None)
        out = self.encoder(
            input_ids=input_ids,
            attention_mask=attention_mask,
            token_type_ids=token_type_ids,
            **how,
        )
        logits = self.span_head(self.dropout(out.last_hidden_state))  # (windows, tokens, 2)
        start, end = logits.unbind(dim=-1)  # (windows, tokens) each
        return QuestionAnsweringModelOutput(
            start_logits=start,
            end_logits=end,
            hidden_states=out.hidden_states,
            attentions=out.attentions,
        )


def with_spans(loaded: "Loaded", *, dropout: float = 0.1) -> EncoderWithSpans:
    """A copy of a loaded encoder with an untrained span head.

    Raises:
        EcomTutorError: the model is no encoder, for example a generator.
    """
    if getattr(loaded.model.config, "is_encoder_decoder", False) or hasattr(
        loaded.model, "lm_head"
    ):
        raise EcomTutorError(f"{loaded.name} is no encoder; take load_encoder('en') or ('zh').")
    encoder: Any = copy.deepcopy(loaded.model)
    encoder.set_attn_implementation("sdpa")
    if hasattr(encoder, "pooler"):
        encoder.pooler = None
    return EncoderWithSpans(encoder, dropout)


def span_loss(model: Any, batch: dict[str, torch.Tensor]) -> torch.Tensor:
    """How surprised the reader is by the true start and the true end: mean cross-entropy.

    Args:
        model: gives start_logits and end_logits (windows, tokens).
        batch: input_ids, attention_mask, token_type_ids, allowed (windows, tokens), and starts,
            ends (windows,): token positions, 0 ([CLS]) where there is no answer.

    Places where no answer may lie take no part: the network need not learn what the search forbids.
    """
    names = ("input_ids", "attention_mask", "token_type_ids")
    out = model(**{name: batch[name] for name in names})
    closed = ~batch["allowed"]
    closed[:, 0] = False  # [CLS]: no answer
    losses = [
        torch.nn.functional.cross_entropy(
            logits.float().masked_fill(closed, float("-inf")), batch[name]
        )
        for logits, name in ((out.start_logits, "starts"), (out.end_logits, "ends"))
    ]
    return (losses[0] + losses[1]) / 2
