"""Llama: GPT's grown-up relative, of which SmolLM2 is a small one (lesson 05).

Touvron et al. (2023), “LLaMA: Open and Efficient Foundation Language Models”; heads that share keys
and values from Ainslie et al. (2023).
"""

from torch import Tensor, nn
from torch.nn import functional as F

from ecomtutor.transformer.blocks import (
    GatedFeedForward,
    KeyValueCache,
    MultiHeadAttention,
    Residual,
)
from ecomtutor.transformer.configs import LlamaConfig
from ecomtutor.transformer.doors import causal_window, check_tokens, token_positions
from ecomtutor.transformer.gpt import GptOutput
from ecomtutor.transformer.positions import Rotation, rotation
from ecomtutor.transformer.weights import Pretrained, initialise


class LlamaBlock(nn.Module):
    """“We normalize the input of each transformer sub-layer, instead of normalizing the output. We
    use the RMSNorm normalizing function.” Touvron et al. (2023), section 2.2
    """

    def __init__(self, config: LlamaConfig) -> None:
        super().__init__()
        self.attention = MultiHeadAttention(
            config.width, config.heads, key_value_heads=config.key_value_heads, bias=False
        )
        self.feed_forward = GatedFeedForward(config.width, config.inner)
        self.first = Residual(nn.RMSNorm(config.width, config.norm_epsilon), pre_norm=True)
        self.second = Residual(nn.RMSNorm(config.width, config.norm_epsilon), pre_norm=True)

    def forward(
        self,
        states: Tensor,
        turn: Rotation,
        mask: Tensor | None = None,
        *,
        cache: KeyValueCache | None = None,
        weights: bool = False,
    ) -> tuple[Tensor, Tensor | None]:
        """(batch, tokens, width) → the same, and the weights (batch, heads, tokens, keys)."""
        mixture, seen = self.attention(
            self.first.enter(states), mask=mask, cache=cache, turn=turn, weights=weights
        )
        states = self.first.leave(states, mixture)  # (batch, tokens, width)
        change = self.feed_forward(self.second.enter(states))  # (batch, tokens, width)
        return self.second.leave(states, change), seen


class Llama(Pretrained):
    """“We remove the absolute positional embeddings, and instead, add rotary positional embeddings
    (RoPE), […] at each layer of the network.” Touvron et al. (2023), section 2.2
    """

    CONFIG, ARCHITECTURE, PREFIX = LlamaConfig, "LlamaForCausalLM", "model."
    config: LlamaConfig
    NAMES = {
        "words": "model.embed_tokens",
        "blocks.{}.first.norm": "model.layers.{}.input_layernorm",
        "blocks.{}.attention.query": "model.layers.{}.self_attn.q_proj",
        "blocks.{}.attention.key": "model.layers.{}.self_attn.k_proj",
        "blocks.{}.attention.value": "model.layers.{}.self_attn.v_proj",
        "blocks.{}.attention.output": "model.layers.{}.self_attn.o_proj",
        "blocks.{}.second.norm": "model.layers.{}.post_attention_layernorm",
        "blocks.{}.feed_forward.gate": "model.layers.{}.mlp.gate_proj",
        "blocks.{}.feed_forward.expand": "model.layers.{}.mlp.up_proj",
        "blocks.{}.feed_forward.contract": "model.layers.{}.mlp.down_proj",
        "norm": "model.norm",
    }

    def __init__(self, config: LlamaConfig, seed: int | None = 0) -> None:
        super().__init__()
        self.config = config
        self.words = nn.Embedding(config.vocabulary, config.width)
        self.blocks = nn.ModuleList(LlamaBlock(config) for _ in range(config.layers))
        self.norm = nn.RMSNorm(config.width, config.norm_epsilon)
        initialise(self, seed)

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
        """Scores for the token after each token; arguments, output and errors as for `Gpt`."""
        past = cache[0].length if cache else 0
        check_tokens(token_ids, self.config.vocabulary, self.config.positions, attention_mask, past)
        mask = causal_window(past, token_ids.shape[1], attention_mask)
        positions = token_positions(past, token_ids, attention_mask)  # (batch or 1, tokens)
        turn = rotation(positions, self.config.head_width, self.config.rotary_base)
        states, seen = [self.words(token_ids)], []
        for layer, block in enumerate(self.blocks):
            state, weights = block(
                states[-1], turn, mask, cache=cache[layer] if cache else None, weights=attentions
            )
            states.append(state)  # (batch, tokens, width)
            if weights is not None:
                seen.append(weights)  # (batch, heads, tokens, past + tokens)
        states[-1] = hidden = self.norm(states[-1])  # (batch, tokens, width)
        logits = F.linear(hidden[:, -1:] if last_only else hidden, self.words.weight)  # tied
        return GptOutput(logits, hidden, tuple(states), tuple(seen))
