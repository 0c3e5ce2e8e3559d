"""BERT: read a whole text at once; a state for each token and one for the text (lesson 04).

Devlin et al. (2019), “BERT: Pre-training of Deep Bidirectional Transformers for Language
Understanding”.
"""

from pathlib import Path
from typing import NamedTuple, Self

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ecomtutor.attention import ShapeError, padding_mask
from ecomtutor.transformer.blocks import EncoderBlock
from ecomtutor.transformer.configs import BertConfig
from ecomtutor.transformer.doors import TokenError, check_tokens
from ecomtutor.transformer.weights import Pretrained, WeightsError, initialise

_BERT_NAMES = {
    "words": "embeddings.word_embeddings",
    "segments": "embeddings.token_type_embeddings",
    "positions": "embeddings.position_embeddings",
    "norm": "embeddings.LayerNorm",
    "blocks.{}.attention.query": "encoder.layer.{}.attention.self.query",
    "blocks.{}.attention.key": "encoder.layer.{}.attention.self.key",
    "blocks.{}.attention.value": "encoder.layer.{}.attention.self.value",
    "blocks.{}.attention.output": "encoder.layer.{}.attention.output.dense",
    "blocks.{}.first.norm": "encoder.layer.{}.attention.output.LayerNorm",
    "blocks.{}.feed_forward.expand": "encoder.layer.{}.intermediate.dense",
    "blocks.{}.feed_forward.contract": "encoder.layer.{}.output.dense",
    "blocks.{}.second.norm": "encoder.layer.{}.output.LayerNorm",
    "pooler": "pooler.dense",
}
_HEAD_NAMES = {
    "mlm.dense": "cls.predictions.transform.dense",
    "mlm.norm": "cls.predictions.transform.LayerNorm",
    "mlm": "cls.predictions",
    "nsp": "cls.seq_relationship",
}


class BertOutput(NamedTuple):
    """What BERT makes of a batch.

    hidden: (batch, tokens, width), the last state of each token.
    pooled: (batch, width), the state of [CLS] through one more layer.
    states: layers + 1 tensors (batch, tokens, width): the embeddings, then after each block.
    attentions: for each layer (batch, heads, tokens, tokens), where they were asked for; or ().
    """

    hidden: Tensor
    pooled: Tensor
    states: tuple[Tensor, ...]
    attentions: tuple[Tensor, ...]


class Bert(Pretrained):
    """“For a given token, its input representation is constructed by summing the corresponding
    token, segment, and position embeddings.” Devlin et al. (2019), section 3
    """

    CONFIG, ARCHITECTURE, PREFIX, NAMES = BertConfig, "BertModel", "bert.", _BERT_NAMES
    config: BertConfig

    def __init__(self, config: BertConfig, seed: int | None = 0) -> None:
        super().__init__()
        self.config = config
        self.words = nn.Embedding(config.vocabulary, config.width)
        self.segments = nn.Embedding(config.segments, config.width)
        self.positions = nn.Embedding(config.positions, config.width)
        self.norm = nn.LayerNorm(config.width, config.norm_epsilon)
        self.dropout = nn.Dropout(config.dropout)
        sizes = (config.width, config.heads, config.inner)
        self.blocks = nn.ModuleList(
            EncoderBlock(*sizes, dropout=config.dropout, epsilon=config.norm_epsilon)
            for _ in range(config.layers)
        )
        self.pooler = nn.Linear(config.width, config.width)
        initialise(self, seed)

    def embed(self, token_ids: Tensor, segment_ids: Tensor) -> Tensor:
        """(batch, tokens) ids → (batch, tokens, width): word + segment + position, normalised."""
        positions = torch.arange(token_ids.shape[1], device=token_ids.device)  # (tokens,)
        total = self.words(token_ids) + self.segments(segment_ids) + self.positions(positions)
        return self.dropout(self.norm(total))

    def forward(
        self,
        token_ids: Tensor,
        segment_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        *,
        attentions: bool = False,
    ) -> BertOutput:
        """Read a batch of texts, or of pairs of texts.

        Args:
            token_ids: (batch, tokens).
            segment_ids: (batch, tokens), 0 for the first text and 1 for the second; all 0 unless
                given. A tokenizer calls them token_type_ids.
            attention_mask: (batch, tokens), 1 for a real token, 0 for padding.
            attentions: return the attention weights too; slower, the fused kernel keeps none.

        Raises:
            TokenError, ShapeError: see `check_tokens`.
        """
        self._check(token_ids, segment_ids, attention_mask)
        segment_ids = torch.zeros_like(token_ids) if segment_ids is None else segment_ids
        mask = None if attention_mask is None else padding_mask(attention_mask)
        states, seen = [self.embed(token_ids, segment_ids)], list[Tensor]()
        for block in self.blocks:
            state, weights = block(states[-1], mask, weights=attentions)
            states.append(state)  # (batch, tokens, width)
            if weights is not None:
                seen.append(weights)  # (batch, heads, tokens, tokens)
        pooled = self.pooler(states[-1][:, 0]).tanh()  # (batch, width): [CLS] comes first
        return BertOutput(states[-1], pooled, tuple(states), tuple(seen))

    def _check(self, token_ids: Tensor, segment_ids: Tensor | None, mask: Tensor | None) -> None:
        check_tokens(token_ids, self.config.vocabulary, self.config.positions, mask)
        if segment_ids is None:
            return
        if segment_ids.shape != token_ids.shape:
            raise ShapeError(
                f"There is one segment for each token: {tuple(token_ids.shape)} tokens and "
                f"{tuple(segment_ids.shape)} segments came."
            )
        if segment_ids.min() < 0 or segment_ids.max() >= self.config.segments:
            raise TokenError(f"Segments are 0 to {self.config.segments - 1}.")


class MaskedLanguageHead(nn.Module):
    """“The final hidden vectors corresponding to the mask tokens are fed into an output softmax
    over the vocabulary, as in a standard LM.” Devlin et al. (2019), section 3.1

    The word table is its last layer (tied), so that only the bias over the vocabulary is its own.
    """

    def __init__(self, config: BertConfig) -> None:
        super().__init__()
        self.dense = nn.Linear(config.width, config.width)
        self.norm = nn.LayerNorm(config.width, config.norm_epsilon)
        self.bias = nn.Parameter(torch.zeros(config.vocabulary))

    def forward(self, states: Tensor, words: Tensor) -> Tensor:
        """(…, width) and the table (vocabulary, width) → logits (…, vocabulary)."""
        return F.linear(self.norm(F.gelu(self.dense(states))), words, self.bias)


class PretrainingOutput(NamedTuple):
    """What BERT answers while it is pre-trained.

    mlm_logits: (batch, tokens, vocabulary), or (places, vocabulary) for the places asked for.
    nsp_logits: (batch, 2): index 0 for “is the next sentence”, 1 for “is not”.
    encoded: the states below the heads.
    """

    mlm_logits: Tensor
    nsp_logits: Tensor
    encoded: BertOutput


class BertWithHeads(Pretrained):
    """BERT with the two heads of its pre-training: masked words and next sentence.

    “The training loss is the sum of the mean masked LM likelihood and the mean next sentence
    prediction likelihood.” Devlin et al. (2019), appendix A.2
    """

    CONFIG, ARCHITECTURE, PREFIX = BertConfig, "BertForPreTraining", "bert."
    NAMES = {f"bert.{ours}": f"bert.{theirs}" for ours, theirs in _BERT_NAMES.items()} | _HEAD_NAMES
    config: BertConfig

    def __init__(self, config: BertConfig, seed: int | None = 0) -> None:
        super().__init__()
        self.config = config
        self.bert = Bert(config, seed=None)
        self.mlm = MaskedLanguageHead(config)
        self.nsp = nn.Linear(config.width, 2)
        initialise(self, seed)

    @classmethod
    def from_pretrained(cls, source: str | Path, fresh_heads: bool = False, seed: int = 0) -> Self:
        """As for every model; MiniLM and m3e-small come without heads, and raise.

        Args:
            source: a folder or a name in the catalogue.
            fresh_heads: take only the encoder from the file, and start the heads from the seed:
                they know nothing until they are trained.
            seed: for fresh heads.
        """
        if fresh_heads:
            encoder = Bert.from_pretrained(source)
            model = cls(encoder.config, seed)
            model.bert = encoder
            return model.eval()
        try:
            return super().from_pretrained(source)
        except WeightsError as error:
            raise WeightsError(
                f"{error} For an encoder without heads: Bert.from_pretrained(source), or "
                "fresh_heads=True here, and train them."
            ) from error

    def forward(
        self,
        token_ids: Tensor,
        segment_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        *,
        predict_at: Tensor | None = None,
        attentions: bool = False,
    ) -> PretrainingOutput:
        """Fill the masked places, and say whether the second text follows the first.

        Args:
            token_ids, segment_ids, attention_mask, attentions: as for `Bert`.
            predict_at: (batch, tokens), True at the places to predict; everywhere unless given.
                Training needs 15 % of the places, and the vocabulary is the dear part.
        """
        encoded = self.bert(token_ids, segment_ids, attention_mask, attentions=attentions)
        states = encoded.hidden if predict_at is None else encoded.hidden[predict_at.bool()]
        mlm_logits = self.mlm(states, self.bert.words.weight)  # (…, vocabulary)
        return PretrainingOutput(mlm_logits, self.nsp(encoded.pooled), encoded)
