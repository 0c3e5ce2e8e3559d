"""A BERT cross-encoder that reads a household's past and a product together, as a re-ranker.

A first recommender picks a hundred candidates; the cross-encoder reads each one beside the history
and puts them in order. Reading costs far more than adding up numbers: nobody reads a whole
catalogue for every household.

Source:
    Nogueira and Cho (2019), Passage Re-ranking with BERT; MacAvaney et al. (2020), Efficient
    Document Re-Ranking for Transformers by Precomputing Term Representations.
"""

from collections.abc import Iterator, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from ecomtutor.errors import EcomTutorError
from ecomtutor.recommendation.base import Recommender, best
from ecomtutor.recommendation.in_words import history_texts, products_with_past
from ecomtutor.recommendation.purchases import LAST_FIT_WEEK, Purchases

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedTokenizerBase

    from ecomtutor.finetuning import EncoderWithHead

NAME = "shop-cross-encoder"
HISTORY_TOKENS, PRODUCT_TOKENS = 56, 40
PRODUCTS_A_ROW = 8
ROWS_AT_ONCE = 16
TIE = 2e-6  # above the rounding of scores around 3, far below any difference that means something
BOUGHT = ("bought",)


class PairScorer:
    """Scores (history text, product text) with an encoder that reads both at once.

    A row is [CLS] history [SEP] product [SEP] product [SEP] … with up to eight products. Each
    product sees the history and itself, at every layer, and nothing of the other products, so its
    score is what it would be alone; the history is read once for all of them.

    Args:
        model: an encoder with a head of one output (the score) or two.
        tokenizer: the encoder's.
    """

    def __init__(self, model: "EncoderWithHead", tokenizer: "PreTrainedTokenizerBase"):
        self.model, self.tokenizer = model, tokenizer
        self._ids: dict[str, list[int]] = {}

    def score(
        self, histories: Sequence[str], products: Sequence[str], *, bf16: bool = False
    ) -> "np.ndarray[Any, Any]":
        """One score a pair, higher for likelier: (pairs,). Two outputs count as their difference.

        Args:
            histories, products: equally many texts; each distinct pair is read once. Tokens
                beyond `HISTORY_TOKENS` and `PRODUCT_TOKENS` are not read.
            bf16: half precision where the processor has it: faster, equal to about 0.02.

        Raises:
            EcomTutorError: single strings, or lists of different length.
        """
        logits = self.logits(histories, products, bf16=bf16)
        return logits[:, 0] if logits.shape[1] == 1 else logits[:, 1] - logits[:, 0]

    def logits(
        self, histories: Sequence[str], products: Sequence[str], *, bf16: bool = False
    ) -> "np.ndarray[Any, Any]":
        """The head's outputs, (pairs, outputs); arguments and errors as in `score`."""
        import torch

        _require_pairs(histories, products)
        found: dict[tuple[str, str], np.ndarray[Any, Any]] = {}
        self.model.eval()
        for rows in self._batches(histories, products):
            with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16, enabled=bf16):
                out = read(self.model, self.collate(rows)).float().numpy()
            for (history, texts), line in zip(rows, out, strict=True):
                found.update(zip(((history, text) for text in texts), line, strict=False))
        outputs = self.model.classifier.out_features
        pairs = [found[pair] for pair in zip(histories, products, strict=True)]
        return np.array(pairs, np.float32).reshape(-1, outputs)

    def collate(self, rows: "Sequence[tuple[str, Sequence[str]]]") -> "dict[str, torch.Tensor]":
        """Rows of a history and its products as one batch.

        Returns:
            input_ids, token_type_ids, position_ids, segments: (rows, tokens), where a segment is
            0 in the history, 1 … in its products and -1 in padding; attention_mask, True where
            a token may look: (rows, 1, tokens, tokens).
        """
        import torch

        packed = [self._pack(history, products) for history, products in rows]
        width = -(-max(part.shape[1] for part in packed) // 16) * 16
        batch = np.zeros((len(rows), 4, width), np.int64)
        batch[:, 3] = -1
        for line, part in zip(batch, packed, strict=True):
            line[:, : part.shape[1]] = part
        ids, types, positions, segments = torch.from_numpy(batch).unbind(dim=1)
        return {
            "input_ids": ids,
            "token_type_ids": types,
            "position_ids": positions,
            "segments": segments,
            "attention_mask": _sight(segments),
        }

    def _pack(self, history: str, products: Sequence[str]) -> "np.ndarray[Any, Any]":
        """Token ids, types, positions and segments of one row: (4, tokens)."""
        start, end = self.tokenizer.cls_token_id, self.tokenizer.sep_token_id
        first = [start, *self._tokens(history)[: HISTORY_TOKENS - 2], end]
        others = [[*self._tokens(text)[: PRODUCT_TOKENS - 1], end] for text in products]
        parts = [(first, 0, 0, 0)] + [
            (ids, 1, len(first), number) for number, ids in enumerate(others, start=1)
        ]
        blocks = [
            np.array([ids, [kind] * len(ids), range(at, at + len(ids)), [segment] * len(ids)])
            for ids, kind, at, segment in parts
        ]
        return np.concatenate(blocks, axis=1)

    def _tokens(self, text: str) -> list[int]:
        if text not in self._ids:
            self._ids[text] = self.tokenizer(text, add_special_tokens=False, verbose=False)[
                "input_ids"
            ]
        return self._ids[text]

    def _batches(
        self, histories: Sequence[str], products: Sequence[str]
    ) -> "Iterator[list[tuple[str, list[str]]]]":
        """Distinct pairs as rows of one history and up to eight products, like lengths together."""
        asked: dict[str, dict[str, None]] = {}
        for history, product in zip(histories, products, strict=True):
            asked.setdefault(history, {})[product] = None
        rows = []
        for history, texts in asked.items():
            ordered = sorted(texts, key=lambda text: len(self._tokens(text)))
            rows += [(history, ordered[i : i + PRODUCTS_A_ROW])
                     for i in range(0, len(ordered), PRODUCTS_A_ROW)]  # fmt: skip
        rows.sort(key=lambda row: sum(len(self._tokens(text)) for text in (row[0], *row[1])))
        for i in range(0, len(rows), ROWS_AT_ONCE):
            yield rows[i : i + ROWS_AT_ONCE]


def read(model: "EncoderWithHead", batch: "dict[str, torch.Tensor]") -> "torch.Tensor":
    """Logits of a `PairScorer.collate` batch: (rows, products, outputs).

    What the head sees of a product is the mean of its own token vectors, [SEP] included: they have
    looked at the history in every layer.
    """
    import torch

    hidden = model.encoder(
        input_ids=batch["input_ids"],
        token_type_ids=batch["token_type_ids"],
        position_ids=batch["position_ids"],
        attention_mask=batch["attention_mask"],
    ).last_hidden_state  # (rows, tokens, width)
    segments = batch["segments"]
    numbers = torch.arange(1, int(segments.max()) + 1)[None, :, None]
    own = (segments[:, None, :] == numbers).to(hidden.dtype)  # (rows, products, tokens)
    mean = own @ hidden / own.sum(dim=-1, keepdim=True).clamp(min=1)  # (rows, products, width)
    logits: torch.Tensor = model.classifier(model.dropout(mean))
    return logits


def _sight(segments: "torch.Tensor") -> "torch.Tensor":
    """Who may look at whom: all at the history, each product at itself; padding at itself."""
    import torch

    looks, seen = segments[:, :, None], segments[:, None, :]
    mask = ((seen == 0) | (seen == looks)) & (seen >= 0)
    return (mask | torch.eye(segments.shape[1], dtype=torch.bool))[:, None]


def untrained_cross_encoder(seed: int = 0) -> PairScorer:
    """MiniLM with a head of two outputs that nobody trained: its rankings are the seed's.

    What the web calls a "BERT similarity score" is often read off such a head. Lesson 08 shows that
    another seed gives another ranking.
    """
    from ecomtutor.finetuning import with_head
    from ecomtutor.models import load_encoder

    loaded = load_encoder("en")
    model = with_head(loaded, ("not bought", "bought"), seed=seed)
    return PairScorer(model.eval(), loaded.tokenizer)


@cache
def load_cross_encoder() -> PairScorer:
    """The cross-encoder that the course ships: data/models/shop-cross-encoder/README.md.

    Called twice, it returns the same object. It was trained on purchases of weeks 1–42.

    Raises:
        MissingResource: MiniLM is not on this machine yet, or data/models is not there.
    """
    from ecomtutor.datasets.store import data_dir
    from ecomtutor.finetuning import Classifier

    made = Classifier.load(data_dir() / "models" / NAME)
    return PairScorer(made.model, made.tokenizer)


class CrossEncoder(Recommender):
    """Puts the best candidates of another recommender into a new order by reading them.

    All other products follow below, in the first recommender's order.

    Args:
        first: picks the candidates; fitted with this one.
        candidates: how many are read for each household.
        share: weight of the cross-encoder's score beside the first recommender's, 0 … 1. Both
            are standardised over a household's candidates; of the first the logarithm is taken
            where it is positive everywhere, such as a frequency.
        new_only: candidates are only products that the household never bought: for discovery.
        scorer: another pair scorer than the shipped one.
        bf16: half precision where the processor has it.
    """

    name: ClassVar[str] = "cross-encoder"

    def __init__(
        self,
        first: Recommender,
        candidates: int = 100,
        *,
        share: float = 1.0,
        new_only: bool = False,
        scorer: PairScorer | None = None,
        bf16: bool = False,
    ):
        super().__init__()
        if candidates < 1 or not 0 <= share <= 1:
            raise EcomTutorError(
                "At least one candidate and a share between 0 and 1 were expected; "
                f"{candidates!r} and {share!r} came."
            )
        self.first, self.candidates, self.share = first, candidates, share
        self.new_only, self.scorer, self.bf16 = new_only, scorer, bf16

    def _learn(self, purchases: Purchases) -> None:
        if self.scorer is None and purchases.last_week < LAST_FIT_WEEK:
            raise EcomTutorError(
                f"{NAME} was trained on weeks 1–{LAST_FIT_WEEK}: what it says of week "
                f"{purchases.last_week} is hindsight. Fit on a later week, or give a scorer of "
                "your own."
            )
        self.first.fit(purchases)

    def score_histories(self, histories: Purchases) -> "np.ndarray[Any, Any]":
        """Candidates above all others, best read first: (households, products), float32."""
        scores, tops = self.choose(histories)
        return self.mix(scores, tops, self.read(histories, tops), self.share)

    def choose(self, histories: Purchases) -> "tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]":
        """The first recommender's scores (households, products) and its candidates.

        Candidates are positions, best first, -1 for none: (households, candidates).
        """
        scores = self.first.score_histories(histories)
        if self.new_only:
            scores = np.where(histories.counts().toarray() > 0, -np.inf, scores)
        return scores, best(scores, self.candidates)

    def read(
        self, histories: Purchases, tops: "np.ndarray[Any, Any]"
    ) -> "list[np.ndarray[Any, Any]]":
        """What the cross-encoder says of each household's candidates: the costly part."""
        past, with_past = history_texts(histories), products_with_past(histories)
        household, place = (tops >= 0).nonzero()
        product = tops[household, place]
        says = (self.scorer or load_cross_encoder()).score(
            [past[h] for h in household],
            [with_past(int(h), int(p)) for h, p in zip(household, product, strict=True)],
            bf16=self.bf16,
        )
        return np.split(says, np.searchsorted(household, np.arange(1, len(tops))))

    def mix(
        self,
        scores: "np.ndarray[Any, Any]",
        tops: "np.ndarray[Any, Any]",
        says: "list[np.ndarray[Any, Any]]",
        share: float,
    ) -> "np.ndarray[Any, Any]":
        """Both opinions in one score, from what `choose` and `read` returned."""
        return np.stack([
            _above(line, places[places >= 0], _mixed(line, places[places >= 0], said, share))
            for line, places, said in zip(scores, tops, says, strict=True)
        ])  # fmt: skip


def _mixed(
    scores: "np.ndarray[Any, Any]",
    places: "np.ndarray[Any, Any]",
    says: "np.ndarray[Any, Any]",
    share: float,
) -> "np.ndarray[Any, Any]":
    first = scores[places].astype(np.float64)
    if scores[np.isfinite(scores)].min(initial=np.inf) > 0:
        first = np.log(first)
    return (1 - share) * _standard(first) + share * _standard(says)


def _standard(values: "np.ndarray[Any, Any]") -> "np.ndarray[Any, Any]":
    """Mean 0 and deviation 1; all 0 where they are all equal."""
    if not len(values):
        return values.astype(np.float64)
    middle = values - values.mean(dtype=np.float64)
    spread = middle.std()
    return middle / spread if spread > 0 else middle


def _above(
    scores: "np.ndarray[Any, Any]", places: "np.ndarray[Any, Any]", mixed: "np.ndarray[Any, Any]"
) -> "np.ndarray[Any, Any]":
    """One household's scores: the candidates' mixed ones; all others below, in their old order."""
    order = np.argsort(-scores, kind="stable")
    below = np.empty(len(scores))
    below[order] = -np.arange(1, len(scores) + 1) / len(scores)
    out = np.where(np.isneginf(scores), -np.inf, mixed.min(initial=0.0) - 1 + below)
    # Texts that read alike score alike: then the first recommender's order holds.
    out[places] = mixed - TIE * np.arange(len(places))
    return out.astype(np.float32)


def _require_pairs(histories: Sequence[str], products: Sequence[str]) -> None:
    if isinstance(histories, str) or isinstance(products, str) or len(histories) != len(products):
        raise EcomTutorError(
            "Two lists of equally many texts were expected, score([history], [product]); "
            f"{type(histories).__name__} and {type(products).__name__} of "
            f"{len(histories)} and {len(products)} came."
        )
