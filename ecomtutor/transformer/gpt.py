"""GPT-2: read from left to right and predict the next token (lesson 05).

Radford et al. (2019), “Language Models are Unsupervised Multitask Learners”.
"""

import math
from typing import NamedTuple

from torch import Tensor, nn
from torch.nn import functional as F

from ecomtutor.transformer.blocks import EncoderBlock, KeyValueCache, gelu_tanh
from ecomtutor.transformer.configs import GptConfig
from ecomtutor.transformer.doors import causal_window, check_tokens, token_positions
from ecomtutor.transformer.weights import Pretrained, initialise


class GptOutput(NamedTuple):
    """What a left-to-right model makes of a batch.

    logits: (batch, tokens, vocabulary): at each token, scores for the one that follows it.
    hidden: (batch, tokens, width), the last states, normalised.
    states: layers + 1 tensors (batch, tokens, width): the embeddings, then after each block; the
        last one is `hidden`.
    attentions: for each layer (batch, heads, tokens, keys), where they were asked for; or ().
    """

    logits: Tensor
    hidden: Tensor
    states: tuple[Tensor, ...]
    attentions: tuple[Tensor, ...]


class Gpt(Pretrained):
    """“Layer normalization was moved to the input of each sub-block [and] an additional layer
    normalization was added after the final self-attention block.” Radford et al. (2019), 2.3
    """

    CONFIG, ARCHITECTURE, PREFIX = GptConfig, "GPT2LMHeadModel", "transformer."
    INPUT_FIRST = True
    config: GptConfig
    NAMES = {
        "words": "transformer.wte",
        "positions": "transformer.wpe",
        "blocks.{}.first.norm": "transformer.h.{}.ln_1",
        "blocks.{}.attention.query": "transformer.h.{}.attn.c_attn",
        "blocks.{}.attention.key": "transformer.h.{}.attn.c_attn",
        "blocks.{}.attention.value": "transformer.h.{}.attn.c_attn",
        "blocks.{}.attention.output": "transformer.h.{}.attn.c_proj",
        "blocks.{}.second.norm": "transformer.h.{}.ln_2",
        "blocks.{}.feed_forward.expand": "transformer.h.{}.mlp.c_fc",
        "blocks.{}.feed_forward.contract": "transformer.h.{}.mlp.c_proj",
        "norm": "transformer.ln_f",
    }

    def __init__(self, config: GptConfig, seed: int | None = 0) -> None:
        super().__init__()
        self.config = config
        self.words = nn.Embedding(config.vocabulary, config.width)
        self.positions = nn.Embedding(config.positions, config.width)
        self.dropout = nn.Dropout(config.dropout)
        self.blocks = nn.ModuleList(
            EncoderBlock(
                config.width,
                config.heads,
                config.inner,
                dropout=config.dropout,
                pre_norm=True,
                activation=gelu_tanh,
                epsilon=config.norm_epsilon,
            )
            for _ in range(config.layers)
        )
        self.norm = nn.LayerNorm(config.width, config.norm_epsilon)
        initialise(self, seed)
        if seed is not None:
            self._shrink_residuals()

    def new_cache(self) -> list[KeyValueCache]:
        """An empty cache, one for each layer; `forward` fills it."""
        return [KeyValueCache() for _ in self.blocks]

    def forward(
        self,
        token_ids: Tensor,
        attention_mask: Tensor | None = None,
        cache: list[KeyValueCache] | None = None,
        *,
        attentions: bool = False,
        last_only: bool = False,
    ) -> GptOutput:
        """Scores for the token after each token.

        Args:
            token_ids: (batch, tokens); with a cache only those that it has not seen.
            attention_mask: (batch, past + tokens), 1 for a real token, 0 for padding.
            cache: of `new_cache`, extended here.
            attentions: return the attention weights too.
            last_only: logits (batch, 1, vocabulary) of the last token alone: writing needs no more.

        Raises:
            TokenError, ShapeError: see `check_tokens`.
        """
        past = cache[0].length if cache else 0
        check_tokens(token_ids, self.config.vocabulary, self.config.positions, attention_mask, past)
        mask = causal_window(past, token_ids.shape[1], attention_mask)
        positions = self.positions(token_positions(past, token_ids, attention_mask))
        states, seen = [self.dropout(self.words(token_ids) + positions)], []
        for layer, block in enumerate(self.blocks):
            state, weights = block(
                states[-1], mask, cache=cache[layer] if cache else None, weights=attentions
            )
            states.append(state)  # (batch, tokens, width)
            if weights is not None:
                seen.append(weights)  # (batch, heads, tokens, past + tokens)
        states[-1] = hidden = self.norm(states[-1])  # (batch, tokens, width)
        logits = F.linear(hidden[:, -1:] if last_only else hidden, self.words.weight)  # tied
        return GptOutput(logits, hidden, tuple(states), tuple(seen))

    def _shrink_residuals(self) -> None:
        # "We scale the weights of residual layers at initialization by a factor of 1/√N" (2.3):
        # 2 · layers changes are added up, and their sum should not grow with the depth.
        for name, parameter in self.named_parameters():
            if name.endswith(("attention.output.weight", "feed_forward.contract.weight")):
                parameter.data /= math.sqrt(2 * self.config.layers)
