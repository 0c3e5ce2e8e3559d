"""The transformer of 2017: an encoder that reads, a decoder that writes (lesson 02)."""

import math
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ecomtutor.attention import causal_mask, padding_mask
from ecomtutor.transformer.blocks import DecoderBlock, EncoderBlock
from ecomtutor.transformer.configs import EncoderDecoderConfig
from ecomtutor.transformer.doors import check_tokens
from ecomtutor.transformer.positions import SinusoidalPositions
from ecomtutor.transformer.weights import initialise


class EncoderDecoderOutput(NamedTuple):
    """What the decoder answers.

    logits: (batch, target, vocabulary): at each written token, scores for the one after it.
    attentions: for each layer (batch, heads, target, source): what is read while writing, where
        it was asked for; or ().
    """

    logits: Tensor
    attentions: tuple[Tensor, ...]


class EncoderDecoder(nn.Module):
    """“The encoder maps an input sequence of symbol representations to a sequence of continuous
    representations z. Given z, the decoder then generates an output sequence of symbols one element
    at a time.” Vaswani et al. (2017), section 3
    """

    def __init__(self, config: EncoderDecoderConfig, seed: int = 0) -> None:
        super().__init__()
        self.config = config
        self.words = nn.Embedding(config.vocabulary, config.width)
        self.positions = SinusoidalPositions(config.positions, config.width)
        self.dropout = nn.Dropout(config.dropout)
        sizes = (config.width, config.heads, config.inner)
        self.encoder = nn.ModuleList(
            EncoderBlock(
                *sizes, dropout=config.dropout, pre_norm=config.pre_norm, activation=F.relu
            )
            for _ in range(config.layers)
        )
        self.decoder = nn.ModuleList(
            DecoderBlock(*sizes, dropout=config.dropout, pre_norm=config.pre_norm)
            for _ in range(config.layers)
        )
        # Pre-norm leaves the last sum as it is; it is normalised once more before it is read.
        self.read_norm, self.write_norm = (
            nn.LayerNorm(config.width) if config.pre_norm else nn.Identity() for _ in range(2)
        )
        initialise(self, seed, spread=config.width**-0.5)  # words · √width then spread by 1

    def embed(self, token_ids: Tensor) -> Tensor:
        """(batch, tokens) ids → (batch, tokens, width): words · √width + positions."""
        check_tokens(token_ids, self.config.vocabulary, self.config.positions)
        places = torch.arange(token_ids.shape[1], device=token_ids.device)  # (tokens,)
        words = self.words(token_ids) * math.sqrt(self.config.width)
        return self.dropout(words + self.positions(places))

    def encode(self, source_ids: Tensor, source_mask: Tensor | None = None) -> Tensor:
        """Read: (batch, source) ids → memory (batch, source, width)."""
        states = self.embed(source_ids)
        for block in self.encoder:
            states, _ = block(states, source_mask)
        return self.read_norm(states)

    def decode(
        self,
        target_ids: Tensor,
        memory: Tensor,
        source_mask: Tensor | None = None,
        *,
        attentions: bool = False,
    ) -> EncoderDecoderOutput:
        """Write: (batch, target) ids so far and the memory → scores for each next token."""
        states, seen = self.embed(target_ids), []
        mask = causal_mask(target_ids.shape[1]).to(target_ids.device)  # (target, target)
        for block in self.decoder:
            states, weights = block(states, memory, mask, source_mask, weights=attentions)
            if weights is not None:
                seen.append(weights)  # (batch, heads, target, source)
        logits = F.linear(self.write_norm(states), self.words.weight)  # tied to the word table
        return EncoderDecoderOutput(logits, tuple(seen))

    def forward(
        self,
        source_ids: Tensor,
        target_ids: Tensor,
        attention_mask: Tensor | None = None,
        *,
        attentions: bool = False,
    ) -> EncoderDecoderOutput:
        """Read a source and score a target, all its tokens at once.

        Args:
            source_ids: (batch, source).
            target_ids: (batch, target), beginning with a start token.
            attention_mask: (batch, source), 1 for a real token, 0 for padding.
            attentions: return the cross-attention too.
        """
        mask = None if attention_mask is None else padding_mask(attention_mask)
        memory = self.encode(source_ids, mask)  # (batch, source, width)
        return self.decode(target_ids, memory, mask, attentions=attentions)

    @torch.no_grad()
    def write(self, source_ids: Tensor, start_id: int, new_tokens: int) -> Tensor:
        """Write greedily after the start token: (batch, source) ids → (batch, new_tokens)."""
        memory = self.encode(source_ids)
        target = torch.full_like(source_ids[:, :1], start_id)  # (batch, 1)
        for _ in range(new_tokens):
            best = self.decode(target, memory).logits[:, -1:].argmax(dim=-1)  # (batch, 1)
            target = torch.cat([target, best], dim=1)
        return target[:, 1:]
