"""How the shipped cross-encoder learned: a household's past, what it bought then, and what not.

python -m ecomtutor.recommendation train shop-cross-encoder
"""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ecomtutor.recommendation.base import Recommender, best, popularity
from ecomtutor.recommendation.baselines import OwnFrequency
from ecomtutor.recommendation.cross_encoder import (
    BOUGHT,
    NAME,
    PRODUCTS_A_ROW,
    PairScorer,
    read,
)
from ecomtutor.recommendation.in_words import history_texts, products_with_past
from ecomtutor.recommendation.purchases import LAST_FIT_WEEK, Purchases, training_purchases

if TYPE_CHECKING:
    import torch

    from ecomtutor.finetuning import Classifier


@dataclass(frozen=True)
class Settings:
    """Everything that the weights depend on.

    Weeks 1 … `cut` are the past; weeks up to `until` say what was bought then. Batches hold
    `batch_size` rows of eight products. Every `held_out`-th household only validates. Where
    `households` is given, only the first so many are there.
    """

    cut: int = 34
    until: int = LAST_FIT_WEEK
    steps: int = 200
    batch_size: int = 16
    peak_rate: float = 5e-4
    warmup: int = 20
    rank: int = 16
    held_out: int = 12
    validation_rows: int = 200
    seed: int = 0
    households: int | None = None

    def purchases(self, week: int) -> Purchases:
        """What was bought up to a week."""
        known = training_purchases(week)
        return known.block(0, self.households) if self.households else known


@dataclass(frozen=True)
class Row:
    """A household and eight products, of which the first `bought` were bought later."""

    household: int
    products: tuple[int, ...]
    bought: int


def training_rows(settings: Settings) -> tuple[list[Row], list[Row]]:
    """Rows to learn from and to validate on, shuffled; households stand on one side only.

    Negatives come from where a re-ranker meets them: among the candidates of the first stage
    that were not bought (hard ones), for what households buy again and for what is new to them.
    Positives of these rows are candidates too: else "is no candidate" would be a sign of being
    bought. A third kind of row has any purchase against products drawn by popularity.
    """
    from ecomtutor.recommendation.factors import ALS

    past = settings.purchases(settings.cut)
    later = settings.purchases(settings.until).between(settings.cut + 1, settings.until)
    bought = later.counts().toarray() > 0
    known = np.diff(past.counts().indptr) >= 10
    households = np.flatnonzero(bought.any(axis=1) & known).tolist()
    dice = np.random.default_rng(settings.seed)
    again = _candidates(OwnFrequency(26), past, new_only=False, many=100)
    new = _candidates(ALS(), past, new_only=True, many=200)
    rows = [
        row
        for household in households
        for row in (
            _hard(household, again[household], bought[household], 3, dice),
            _hard(household, new[household], bought[household], 2, dice),
            _popular(household, bought[household], _chances(past), dice),
        )
        if row is not None
    ]
    rows = [rows[i] for i in dice.permutation(len(rows))]
    apart = set(households[:: settings.held_out])
    held_out = [row for row in rows if row.household in apart]
    return [row for row in rows if row.household not in apart], held_out


def _candidates(
    first: Recommender, past: Purchases, new_only: bool, many: int
) -> "np.ndarray[Any, Any]":
    scores = first.fit(past).score()
    if new_only:
        scores[past.counts().toarray() > 0] = -np.inf
    return best(scores, many)


def _hard(
    household: int, places: Any, bought: Any, positives: int, dice: np.random.Generator
) -> Row | None:
    """Candidates that were bought, against candidates that were not; None if there are none."""
    places = places[places >= 0]
    taken, left = places[bought[places]], places[~bought[places]]
    many = min(len(taken), positives)
    if not many or len(left) < PRODUCTS_A_ROW - many:
        return None
    chosen = [
        *dice.choice(taken, many, replace=False),
        *dice.choice(left, PRODUCTS_A_ROW - many, replace=False),
    ]
    return Row(household, tuple(map(int, chosen)), many)


def _popular(household: int, bought: Any, chances: Any, dice: np.random.Generator) -> Row:
    """One product that was bought, against products drawn by their popularity."""
    drawn = dict.fromkeys(dice.choice(len(chances), 8 * PRODUCTS_A_ROW, p=chances).tolist())
    left = [product for product in drawn if not bought[product]][: PRODUCTS_A_ROW - 1]
    return Row(household, (int(dice.choice(np.flatnonzero(bought))), *left), 1)


def _chances(past: Purchases) -> "np.ndarray[Any, Any]":
    weights = np.sqrt(popularity(past).astype(np.float64))
    chances: np.ndarray[Any, Any] = weights / weights.sum()
    return chances


class RowBatches:
    """Rows as batches: `batches(step)` depends on the seed and the step alone."""

    def __init__(self, rows: list[Row], past: Purchases, scorer: PairScorer, settings: Settings):
        self.rows, self.scorer, self.settings = rows, scorer, settings
        self.histories, self.text = history_texts(past), products_with_past(past)

    def __call__(self, step: int) -> "dict[str, torch.Tensor]":
        """A step's batch: `PairScorer.collate` and how many of each row were bought."""
        size = self.settings.batch_size
        epoch, place = divmod(step, max(1, len(self.rows) // size))
        order = np.random.default_rng((self.settings.seed, epoch)).permutation(len(self.rows))
        return self.batch([self.rows[i] for i in order[place * size : (place + 1) * size]])

    def batch(self, rows: list[Row]) -> "dict[str, torch.Tensor]":
        """These rows as one batch."""
        import torch

        texts = [
            (self.histories[row.household], [self.text(row.household, p) for p in row.products])
            for row in rows
        ]
        return {
            **self.scorer.collate(texts),
            "bought": torch.tensor([row.bought for row in rows]),
        }


def listwise_loss(scores: "torch.Tensor", bought: "torch.Tensor") -> "torch.Tensor":
    """The surprise at each bought product among the row's others that were not bought; the mean.

    Args:
        scores: (rows, products), the bought ones first.
        bought: (rows,) how many they are.

    Source:
        Cao et al. (2007), Learning to Rank: from Pairwise to Listwise Approach; sampled as in
        Jean et al. (2015).
    """
    import torch

    true = torch.arange(scores.shape[1])[None] < bought[:, None]  # (rows, products)
    others = torch.logsumexp(scores.masked_fill(true, -torch.inf), dim=1, keepdim=True)
    surprise = torch.logaddexp(scores, others) - scores
    return surprise[true].mean()


def train_cross_encoder(
    folder: Path | str,
    settings: Settings | None = None,
    *,
    minutes: float | None = None,
    progress: bool = True,
) -> "Classifier | None":
    """LoRA on MiniLM, by `settings`; saved in `folder/model`. Resumes where it was stopped.

    Args:
        folder: for checkpoints and the model.
        settings: unless given, those of the shipped weights.
        minutes: pause after so long; the next call goes on.
        progress: draw a progress bar.

    Returns:
        The model as `Classifier.load(folder / "model")` reads it: one output, "bought". None if it
        paused.
    """
    from ecomtutor.finetuning import with_head, with_lora
    from ecomtutor.finetuning.classifier import on_base
    from ecomtutor.finetuning.difference import difference
    from ecomtutor.models import load_encoder
    from ecomtutor.training import Plan, has_bf16, train

    settings, folder = settings or Settings(), Path(folder)
    loaded = load_encoder("en")
    model = with_head(loaded, BOUGHT, seed=settings.seed)
    _attend_without_dropout(model)
    scorer = PairScorer(model, loaded.tokenizer)
    learn, held_out = training_rows(settings)
    past = settings.purchases(settings.cut)
    batches = RowBatches(learn, past, scorer, settings)
    adapted = with_lora(model, settings.rank, seed=settings.seed)
    plan = Plan(
        steps=settings.steps,
        peak_rate=settings.peak_rate,
        warmup=settings.warmup,
        weight_decay=0.01,
        bf16=has_bf16(),
        seed=settings.seed,
        save_every=20,
        validate_every=max(1, settings.steps // 4),
        betas=(0.9, 0.999),
    )
    curve = train(
        adapted,
        _loss,
        batches,
        plan,
        folder,
        validate=_validation(held_out[: settings.validation_rows], batches, plan.bf16),
        count=lambda batch: int(batch["bought"].sum()),
        minutes=minutes,
        progress=progress,
    )
    if not curve.finished(plan):
        return None
    fresh = with_head(loaded, BOUGHT, seed=settings.seed)
    small = difference(adapted.merge_and_unload(), fresh, settings.rank)
    made = on_base(weights=small, base="en", labels=BOUGHT)
    made.save(folder / "model")
    return made


def _attend_without_dropout(model: Any) -> None:
    """No dropout on attention weights: it keeps the processor from its fast attention.

    A step costs 3.5 instead of 5.5 seconds of one core, and a third of the memory.
    """
    for module in model.encoder.modules():
        if hasattr(module, "query"):
            module.dropout.p = 0.0


def train_shipped(
    folder: Path,
    *,
    steps: int | None = None,
    households: int | None = None,
    minutes: float | None = None,
) -> bool:
    """The shipped cross-encoder; checkpoints lie in the cache, the finished model in `folder`.

    Args:
        folder: for the finished model.
        steps, households: a shorter run, from the first so many households.
        minutes: pause after so long.

    Returns:
        Whether it is finished, and saved.
    """
    from ecomtutor.resources import cache_dir

    settings = replace(Settings(), steps=steps or Settings.steps, households=households)
    shorter = "".join(f"-{many}" for many in (steps, households) if many)
    checkpoints = cache_dir() / "recommendation" / f"{NAME}{shorter}"
    made = train_cross_encoder(checkpoints, settings, minutes=minutes)
    if made is not None:
        made.save(folder)
    return made is not None


def _loss(model: Any, batch: "dict[str, torch.Tensor]") -> "torch.Tensor":
    plain = model.get_base_model() if hasattr(model, "get_base_model") else model
    return listwise_loss(read(plain, batch).squeeze(-1).float(), batch["bought"])


def _validation(rows: list[Row], batches: RowBatches, bf16: bool) -> Any:
    """The mean loss on rows of households that are not learned from."""
    size = batches.settings.batch_size

    def loss(model: Any) -> float:
        import torch

        model.eval()
        with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16, enabled=bf16):
            parts = [batches.batch(rows[i : i + size]) for i in range(0, len(rows), size)]
            losses = [float(_loss(model, part)) for part in parts]
        model.train()
        return float(np.mean(losses))

    return loss
