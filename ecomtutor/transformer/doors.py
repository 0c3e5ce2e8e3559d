"""What enters a model is checked here, once, with a message that says what to do."""

import torch
from torch import Tensor

from ecomtutor.attention import ShapeError, causal_mask, padding_mask
from ecomtutor.errors import EcomTutorError


class TokenError(EcomTutorError):
    """Token ids that the model does not know, or more of them than it has positions for."""


def check_tokens(
    token_ids: Tensor,
    vocabulary: int,
    positions: int,
    attention_mask: Tensor | None = None,
    past: int = 0,
) -> None:
    """Refuse what the model would answer with an index error or, worse, with numbers.

    Args:
        token_ids: (batch, tokens), whole numbers from 0 to vocabulary - 1.
        vocabulary: how many tokens the model knows.
        positions: the longest text it can read.
        attention_mask: (batch, past + tokens), where there is one.
        past: tokens already in the cache.

    Raises:
        TokenError: an id out of range, or too many tokens.
        ShapeError: not (batch, tokens), no token at all, or a mask of another shape.
    """
    if token_ids.dim() != 2 or not token_ids.numel():
        raise ShapeError(f"Token ids are (batch, tokens); {tuple(token_ids.shape)} came.")
    if token_ids.dtype not in (torch.int64, torch.int32):
        raise TokenError(f"Token ids are whole numbers; {token_ids.dtype} came. Try ids.long().")
    smallest, largest = (int(extreme) for extreme in token_ids.aminmax())
    if smallest < 0 or largest >= vocabulary:
        raise TokenError(
            f"This model knows the ids 0 to {vocabulary - 1}; {smallest} to {largest} came. "
            "Does the tokenizer belong to the model?"
        )
    tokens = past + token_ids.shape[1]
    if tokens > positions:
        raise TokenError(
            f"This model has {positions} positions; {tokens} tokens came. Cut the text: "
            f"tokenizer(text, truncation=True, max_length={positions})."
        )
    if attention_mask is not None and attention_mask.shape != (len(token_ids), tokens):
        raise ShapeError(
            f"The attention mask is (batch, tokens) = {(len(token_ids), tokens)}, the tokens in "
            f"the cache among them; {tuple(attention_mask.shape)} came."
        )


def causal_window(past: int, tokens: int, attention_mask: Tensor | None) -> Tensor | None:
    """What `tokens` new tokens after `past` old ones may look at: those before, no padding.

    Returns:
        (tokens, past + tokens), with an attention mask (batch, 1, tokens, past + tokens); None
        where everything may be seen.
    """
    window = causal_mask(past + tokens)[past:] if tokens > 1 else None
    if attention_mask is None:
        return window
    real = padding_mask(attention_mask)  # (batch, 1, 1, past + tokens)
    return real if window is None else real & window.to(real.device)


def token_positions(past: int, token_ids: Tensor, attention_mask: Tensor | None) -> Tensor:
    """(batch or 1, tokens): where each token stands, counted from the first real one.

    Padding before a text, which a batch of prompts needs, must not push the text along.
    """
    tokens = token_ids.shape[1]
    if attention_mask is None:
        return torch.arange(past, past + tokens, device=token_ids.device)[None]
    counted = attention_mask.long().cumsum(dim=-1) - 1  # (batch, past + tokens)
    return counted.clamp(min=0)[:, past:]
