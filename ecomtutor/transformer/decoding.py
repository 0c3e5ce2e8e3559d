"""From scores to text: greedy, sampled and beam search (lesson 05).

Each gives the tokens that transformers' `generate` gives with the same settings, sampling included:
there `torch.manual_seed(seed)` stands before the call, and `top_k=0` switches off its default.
"""

from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from ecomtutor.attention import ShapeError
from ecomtutor.errors import EcomTutorError
from ecomtutor.transformer.blocks import KeyValueCache
from ecomtutor.transformer.doors import TokenError
from ecomtutor.transformer.gpt import GptOutput


class DecodingError(EcomTutorError):
    """A setting of the decoding that makes no sense: a temperature of 0, no beams, p above 1."""


class CausalModel(Protocol):
    """What decoding needs of a model: `Gpt` and `Llama` have it."""

    config: Any

    def new_cache(self) -> list[KeyValueCache]:
        """An empty cache."""

    def __call__(
        self,
        token_ids: Tensor,
        attention_mask: Tensor | None = None,
        cache: list[KeyValueCache] | None = None,
        *,
        last_only: bool = False,
    ) -> GptOutput:
        """Scores for the next token."""


def keep_top_k(logits: Tensor, k: int) -> Tensor:
    """The k largest logits of each row, -inf elsewhere: Fan et al. (2018). Ties all stay.

    Args:
        logits: (…, vocabulary).
        k: at least 1; more than the vocabulary keeps everything.
    """
    if k < 1:
        raise DecodingError(f"top_k is at least 1; {k!r} came. Leave it out to keep every token.")
    smallest_kept = logits.topk(min(k, logits.shape[-1])).values[..., -1:]  # (…, 1)
    return logits.masked_fill(logits < smallest_kept, -torch.inf)


def keep_top_p(logits: Tensor, p: float) -> Tensor:
    """The fewest tokens that hold the probability p, -inf elsewhere: Holtzman et al. (2020).

    Args:
        logits: (…, vocabulary).
        p: above 0, at most 1. The most probable token always stays.
    """
    if not 0 < p <= 1:
        raise DecodingError(f"top_p is above 0 and at most 1; {p!r} came.")
    if p == 1:
        return logits
    ascending, order = logits.sort(dim=-1)  # (…, vocabulary)
    tail = ascending.softmax(dim=-1).cumsum(dim=-1)  # what each token and all weaker ones hold
    drop = tail <= 1 - p
    drop[..., -1] = False
    return logits.masked_fill(drop.scatter(-1, order, drop), -torch.inf)


def penalise_repetition(logits: Tensor, token_ids: Tensor, penalty: float) -> Tensor:
    """Make tokens that the text already holds less likely: Keskar et al. (2019), section 4.1.

    Args:
        logits: (batch, vocabulary).
        token_ids: (batch, tokens), the text so far.
        penalty: positive logits are divided by it, negative ones multiplied; 1 changes nothing.
    """
    if penalty <= 0:
        raise DecodingError(f"A repetition penalty is above 0; {penalty!r} came.")
    used = logits.gather(-1, token_ids)  # (batch, tokens)
    used = torch.where(used < 0, used * penalty, used / penalty)
    return logits.scatter(-1, token_ids, used)


def greedy(
    model: CausalModel,
    token_ids: Tensor,
    new_tokens: int,
    *,
    attention_mask: Tensor | None = None,
    end_id: int | None = None,
    repetition_penalty: float = 1.0,
    use_cache: bool = True,
) -> Tensor:
    """Append the most probable token, again and again.

    Args:
        model: a `Gpt` or `Llama`.
        token_ids: (batch, tokens), the prompts; shorter ones padded on the left.
        new_tokens: at most so many are added.
        attention_mask: (batch, tokens), 0 for the padding on the left.
        end_id: a text that reaches it is finished, and filled up with it; the model's unless given.
            -1 is no token: every text gets all its new tokens.
        repetition_penalty: see `penalise_repetition`.
        use_cache: False computes the whole text anew for each token, to compare the cost.

    Returns:
        (batch, tokens + at most new_tokens), the prompts included.

    Raises:
        TokenError: more tokens than the model has positions for.
    """

    def choose(logits: Tensor, text: Tensor) -> Tensor:
        return _penalised(logits, text, repetition_penalty).argmax(dim=-1)

    return _write(model, token_ids, new_tokens, choose, attention_mask, end_id, use_cache)


def sample(
    model: CausalModel,
    token_ids: Tensor,
    new_tokens: int,
    *,
    seed: int,
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
    attention_mask: Tensor | None = None,
    end_id: int | None = None,
    repetition_penalty: float = 1.0,
    use_cache: bool = True,
) -> Tensor:
    """Append a token drawn by its probability, again and again.

    Args:
        seed: the same seed draws the same text. To draw several texts from one prompt, repeat it:
            `token_ids.repeat(5, 1)`.
        temperature: below 1 sharpens the probabilities, above 1 flattens them.
        top_k: keep only the k most probable tokens.
        top_p: then keep only the most probable tokens that together hold p.
        model, token_ids, new_tokens, attention_mask, end_id, repetition_penalty, use_cache: as for
            `greedy`.

    Returns:
        (batch, tokens + at most new_tokens), the prompts included.

    Raises:
        DecodingError: a setting out of range.
        TokenError: more tokens than the model has positions for.
    """
    if temperature <= 0:
        raise DecodingError(f"A temperature is above 0; {temperature!r} came. For 0 use greedy.")
    generator = torch.Generator(token_ids.device).manual_seed(seed)

    def choose(logits: Tensor, text: Tensor) -> Tensor:
        logits = _penalised(logits, text, repetition_penalty) / temperature
        logits = logits if top_k is None else keep_top_k(logits, top_k)
        logits = logits if top_p is None else keep_top_p(logits, top_p)
        return logits.softmax(dim=-1).multinomial(1, generator=generator)[:, 0]  # (batch,)

    return _write(model, token_ids, new_tokens, choose, attention_mask, end_id, use_cache)


@torch.no_grad()
def _write(
    model: CausalModel,
    token_ids: Tensor,
    new_tokens: int,
    choose: Callable[[Tensor, Tensor], Tensor],
    attention_mask: Tensor | None,
    end_id: int | None,
    use_cache: bool,
) -> Tensor:
    """The loop of `greedy` and `sample`: scores, a choice, one more token; until all have ended."""
    _check_room(model, token_ids, new_tokens)
    end_id = model.config.end_id if end_id is None else end_id
    cache = model.new_cache() if use_cache else None
    unread = text = token_ids  # (batch, tokens)
    ended = torch.zeros(len(text), dtype=torch.bool, device=text.device)
    for _ in range(new_tokens):
        logits = model(unread, attention_mask, cache, last_only=True).logits[:, -1]
        chosen = choose(logits, text)  # (batch,)
        if end_id is not None:
            chosen = chosen.masked_fill(ended, end_id)
            ended |= chosen == end_id
        text = torch.cat([text, chosen[:, None]], dim=1)
        if ended.all():
            break
        unread = chosen[:, None] if use_cache else text
        if attention_mask is not None:
            attention_mask = torch.cat([attention_mask, torch.ones_like(chosen[:, None])], dim=1)
    return text


class Beams(NamedTuple):
    """The texts that a beam search found, best first.

    token_ids: (texts, tokens), prompt included; shorter texts are filled with the end token.
    scores: (texts,), mean log-probability of a new token, or what the length penalty makes of it.
    """

    token_ids: Tensor
    scores: Tensor


@torch.no_grad()
def beam(
    model: CausalModel,
    token_ids: Tensor,
    new_tokens: int,
    *,
    beams: int,
    length_penalty: float = 1.0,
    end_id: int | None = None,
) -> Beams:
    """Keep the most probable texts alive, and return the best that ended.

    Args:
        model: a `Gpt` or `Llama`.
        token_ids: (1, tokens), one prompt.
        new_tokens: at most so many are added.
        beams: how many texts are kept at each step, and returned.
        length_penalty: a score is the sum of log-probabilities / (new tokens)^length_penalty.
        end_id: as for `greedy`.

    Raises:
        DecodingError: no beams, or so many that the vocabulary cannot fill them.
        ShapeError: several prompts.
        TokenError: more tokens than the model has positions for.
    """
    _check_beams(model, token_ids, beams)
    _check_room(model, token_ids, new_tokens)
    end_id = model.config.end_id if end_id is None else end_id
    cache, unread = model.new_cache(), token_ids
    alive = Beams(token_ids, torch.zeros(1, device=token_ids.device))  # sums, not yet means
    ended: list[tuple[float, Tensor]] = []  # score and text, best first
    for written in range(1, new_tokens + 1):
        logits = model(unread, cache=cache, last_only=True).logits[:, -1]  # (alive, vocabulary)
        # Twice as many as beams: even if each could end here, as many again go on.
        longer, rows = _longer_texts(alive, logits, 2 * beams)
        ends = longer.token_ids[:, -1] == (-1 if end_id is None else end_id)  # (2 · beams,)
        if written == new_tokens:
            ends = torch.ones_like(ends)
        means = longer.scores / written**length_penalty  # (2 · beams,)
        new = [(float(means[i]), longer.token_ids[i]) for i in range(beams) if ends[i]]
        ended = sorted(ended + new, key=lambda text: -text[0])[:beams]
        on = (~ends).nonzero()[:beams, 0]  # the best that go on
        if not len(on) or (len(ended) == beams and means[on[0]] <= ended[-1][0]):
            break
        alive = Beams(longer.token_ids[on], longer.scores[on])
        unread = alive.token_ids[:, -1:]
        for layer in cache:
            layer.reorder(rows[on])
    scores, texts = zip(*ended, strict=True)
    fill = 0 if end_id is None else end_id
    return Beams(
        pad_sequence(list(texts), batch_first=True, padding_value=fill), torch.tensor(scores)
    )


def _longer_texts(alive: Beams, logits: Tensor, count: int) -> tuple[Beams, Tensor]:
    """The best texts that are one token longer, and the row of `alive` that each comes from."""
    totals = alive.scores[:, None] + logits.log_softmax(dim=-1)  # (alive, vocabulary)
    scores, places = totals.flatten().topk(count)  # (count,)
    rows, chosen = places // logits.shape[-1], places % logits.shape[-1]
    return Beams(torch.cat([alive.token_ids[rows], chosen[:, None]], dim=1), scores), rows


def _penalised(logits: Tensor, text: Tensor, penalty: float) -> Tensor:
    return logits if penalty == 1 else penalise_repetition(logits, text, penalty)


def _check_room(model: CausalModel, token_ids: Tensor, new_tokens: int) -> None:
    if new_tokens < 1:
        raise DecodingError(f"At least one new token is written; {new_tokens!r} were asked for.")
    room = model.config.positions - token_ids.shape[-1]
    if new_tokens > room:
        raise TokenError(
            f"{token_ids.shape[-1]} tokens of prompt and {new_tokens} new ones came; the model has "
            f"{model.config.positions} positions. Ask for at most {max(room, 0)} new tokens."
        )


def _check_beams(model: CausalModel, token_ids: Tensor, beams: int) -> None:
    if len(token_ids) != 1:
        raise ShapeError(f"One prompt, (1, tokens), at a time; {tuple(token_ids.shape)} came.")
    if not 1 <= 2 * beams <= model.config.vocabulary:
        raise DecodingError(
            f"Beams are 1 to {model.config.vocabulary // 2}, half the vocabulary; {beams!r} came."
        )
