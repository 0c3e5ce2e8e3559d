"""A transformer over weekly baskets: the SASRec family, from the blocks of lesson 02.

SASRec (Kang and McAuley, 2018) reads what somebody bought, one product after the other, and scores
what comes next. Here a position is a week's basket, a set; what comes next is a set too. Two more
things a shop knows stand beside the taste that the transformer reads: how a product sells at the
moment, and how often the household itself has bought it.
"""

import json
import tempfile
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import asdict, dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ecomtutor.errors import EcomTutorError
from ecomtutor.interpretability.doors import whole
from ecomtutor.recommendation.base import Recommender
from ecomtutor.recommendation.product_weeks import RETURNS, SALES, ProductWeeks, product_weeks
from ecomtutor.recommendation.purchases import Purchases, training_purchases
from ecomtutor.recommendation.week_baskets import (
    BUCKETS,
    HABITS,
    Answers,
    Questions,
    Sequences,
    WeekBaskets,
    questions_of,
    sequences_of,
)
from ecomtutor.training import Plan, has_bf16, train
from ecomtutor.transformer import EncoderBlock

NAME = "shop-sasrec"
CHUNK = 256  # households scored at a time
NEVER = -1e9
IN_VECTORS = ("project.weight", "kind.weight", "category.weight")  # not saved by themselves


@dataclass(frozen=True)
class SequenceSettings:
    """Everything that a sequence transformer is made of.

    width, layers, heads   of the transformer; the feed-forward part is four times as wide
    dropout, hide          share of states set to zero; share of past products left out (training)
    support                a product's vector counts n/(n + support) with n buyers
    folds                  groups of households; each trains on vectors made by the other groups
    horizon                weeks after a moment whose purchases are to be predicted
    first_week             no moment earlier than the end of this week is trained on
    households, moments    in a step: households, and weeks at which each is asked
    evenness               0: every purchase counts the same; 1: every household
    belief                 share of the taste that counts when new products are scored: the best of
                           25,797 guesses is above all the luckiest, and ten are shown
    """

    width: int = 64
    layers: int = 2
    heads: int = 4
    dropout: float = 0.3
    hide: float = 0.2
    support: float = 20.0
    folds: int = 5
    horizon: int = 3
    first_week: int = 6
    households: int = 64
    moments: int = 4
    evenness: float = 0.5
    belief: float = 0.6
    steps: int = 600
    peak_rate: float = 2e-3
    weight_decay: float = 0.05
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("width", "layers", "heads", "horizon", "first_week", "households", "moments"):
            whole(getattr(self, name), name, 1)
        whole(self.steps, "steps", 1)
        whole(self.folds, "folds", 2)
        whole(self.seed, "seed")
        for name in ("dropout", "hide", "evenness", "belief"):
            if not 0 <= getattr(self, name) <= (0.5 if name in ("dropout", "hide") else 1):
                raise EcomTutorError(f"{name} is a share; {getattr(self, name)!r} came.")
        if self.width % self.heads:
            raise EcomTutorError(f"A width of {self.width} cannot be shared by {self.heads} heads.")

    def plan(self) -> Plan:
        """How the training loop goes through it."""
        return Plan(
            steps=self.steps,
            peak_rate=self.peak_rate,
            warmup=min(50, max(1, self.steps // 10)),
            weight_decay=self.weight_decay,
            bf16=has_bf16(),
            seed=self.seed,
        )


class BasketEmbedding(nn.Module):
    """A basket is a set: the sum of its products' vectors, which no order can change, with the
    weeks since the basket before and its size beside it."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.gap, self.size = nn.Embedding(BUCKETS, width), nn.Embedding(BUCKETS, width)

    def forward(self, vectors: Tensor, sequences: Sequences) -> Tensor:
        """Product vectors (products, width) → the padded baskets (households, longest, width)."""
        households, longest = sequences.real.shape
        summed = F.embedding_bag(
            sequences.product,
            vectors,
            sequences.first,
            mode="sum",
            per_sample_weights=sequences.weight,
        )  # (baskets, width): divided by √(number of products)
        baskets = self.norm(summed) + self.gap(sequences.gap) + self.size(sequences.size)
        table = baskets.new_zeros(households * longest, baskets.shape[1])
        table = table.index_copy(0, sequences.cell, baskets)  # (households · longest, width)
        return table.view(households, longest, -1)  # (households, longest, width)


class Forgetting(nn.Module):
    """“ALiBi … biases query-key attention scores with a penalty that is proportional to their
    distance.” Press et al. (2022). Here the distance is in weeks, and every head learns how fast
    it forgets. What is later than the query is forbidden.
    """

    def __init__(self, heads: int) -> None:
        super().__init__()
        self.pace = nn.Parameter(torch.linspace(-4, -1, heads))  # (heads,)

    def forward(self, sequences: Sequences) -> Tensor:
        """What is added to the scores of attention: (households, heads, queries, keys)."""
        week, real = sequences.week, sequences.real  # (households, longest)
        age = (week[:, :, None] - week[:, None, :]).clamp(min=0)  # (households, queries, keys)
        penalty = -F.softplus(self.pace)[:, None, None] * age[:, None]  # (…, heads, …)
        longest = real.shape[1]
        past = torch.ones(longest, longest, dtype=torch.bool).tril()  # (queries, keys)
        itself = torch.eye(longest, dtype=torch.bool)  # padding looks at itself, and at nothing
        allowed = (past & real[:, None, :]) | itself  # (households, queries, keys)
        return penalty.masked_fill(~allowed[:, None], NEVER)

    def half_lives(self) -> list[float]:
        """Weeks after which each head's attention to a basket has halved, all else equal."""
        return (np.log(2) / F.softplus(self.pace)).tolist()


class Market(nn.Module):
    """What sells at the moment, whoever comes: sales features of each product, and a few curves
    over them, since the rare and the common do not follow one line."""

    CURVES = 8

    def __init__(self) -> None:
        super().__init__()
        self.curves = nn.Linear(SALES + RETURNS, self.CURVES)
        self.weights = nn.Linear(SALES + self.CURVES, 1, bias=False)
        self.trust = nn.Linear(SALES + self.CURVES, 1)

    def forward(self, sales: Tensor, returns: Tensor) -> tuple[Tensor, Tensor]:
        """From (SALES, products) and (RETURNS, products): each product's score, (products, 1), and
        how far its vector is trusted, 0 … 2, (products, 1)."""
        known = torch.cat([sales / 3, returns]).T  # (products, SALES + RETURNS)
        curves = F.gelu(2 * self.curves(known))  # (products, CURVES)
        features = torch.cat([sales.T, curves], dim=1)  # (products, SALES + CURVES)
        return 5 * self.weights(features), 2 * torch.sigmoid(self.trust(features))


class Habit(nn.Module):
    """How much a product that the household has bought before is to be expected again: its decayed
    frequency, corrected by a small network that sees dates, sales and whether buyers come back."""

    def __init__(self, inner: int = 32) -> None:
        super().__init__()
        self.expand = nn.Linear(HABITS + SALES + RETURNS, inner)
        self.contract = nn.Linear(inner, 1)
        self.taste = nn.Parameter(torch.tensor(0.5))  # how much taste still says

    def forward(self, habit: Tensor, sales: Tensor, returns: Tensor, taste: Tensor) -> Tensor:
        """Scores (pairs,) of pairs bought before, from (pairs, …) features and (pairs,) taste."""
        seen = torch.cat([habit, sales / 3, returns], dim=1)  # (pairs, features)
        corrected = 2 * self.contract(F.gelu(self.expand(seen)))[:, 0]  # (pairs,)
        # 4, and the frequency with a half-life of 16 weeks: where an untrained network starts.
        return 4 + habit[:, 2] + corrected + self.taste * taste


class Scores(NamedTuple):
    """What a model says of each question and product.

    table: (questions, products), as if all were new to the household.
    habit: (pairs,), instead of that for what the household has bought before.
    """

    table: Tensor
    habit: Tensor


class BasketTransformer(nn.Module):
    """“At each time step, SASRec seeks to identify which items are ‘relevant’ from a user's action
    history.” Kang and McAuley (2018): blocks of lesson 02 that look back, never ahead."""

    def __init__(self, width: int, layers: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.baskets = BasketEmbedding(width)
        self.blocks = nn.ModuleList(
            EncoderBlock(width, heads, 4 * width, dropout=dropout, pre_norm=True)
            for _ in range(layers)
        )
        for block in self.blocks:
            # Dropout of attention weights would cost a third of a step.
            block.attention.dropout = 0.0  # type: ignore[union-attr]
        self.forgetting = nn.ModuleList(Forgetting(heads) for _ in range(layers))
        self.norm, self.dropout = nn.LayerNorm(width), nn.Dropout(dropout)

    def forward(self, vectors: Tensor, sequences: Sequences) -> Tensor:
        """What each household is like after each basket: (households, longest, width)."""
        states = self.dropout(self.baskets(vectors, sequences))  # (households, longest, width)
        for block, forgetting in zip(self.blocks, self.forgetting, strict=True):
            states, _ = block(states, forgetting(sequences))  # (households, longest, width)
        return self.norm(states)


class SequenceTransformer(nn.Module):
    """Scores of all products: the market, and a household's taste times each product's vector; for
    what it has bought before, its habit. Input and output share the product vectors.

    Args:
        starts: (folds + 1, products, width), fixed; row -1 made by all households, row k by all
            but fold k.
        kinds, categories: (products,), numbers of each product's type and category.
    """

    starts: Tensor
    kinds: Tensor
    categories: Tensor

    def __init__(
        self, settings: SequenceSettings, starts: Tensor, kinds: Tensor, categories: Tensor
    ) -> None:
        super().__init__()
        width, self.belief = settings.width, settings.belief
        for name, fixed in (("starts", starts), ("kinds", kinds), ("categories", categories)):
            self.register_buffer(name, fixed, persistent=False)
        self.project = nn.Linear(width, width, bias=False)
        self.kind = nn.Embedding(int(kinds.max()) + 1, width)
        self.category = nn.Embedding(int(categories.max()) + 1, width)
        self.reader = BasketTransformer(width, settings.layers, settings.heads, settings.dropout)
        self.wait, self.dropout = nn.Embedding(BUCKETS, width), nn.Dropout(settings.dropout)
        self.taste = nn.Linear(width, width, bias=False)
        self.market, self.habit = Market(), Habit()
        _begin(self, settings.seed)

    def vectors(self, fold: int = -1) -> Tensor:
        """One vector for each product: (products, width)."""
        own = self.project(self.starts[fold])  # (products, width)
        return own + self.kind(self.kinds) + self.category(self.categories)

    def tastes(self, sequences: Sequences, questions: Questions, vectors: Tensor) -> Tensor:
        """What the household looks for at each moment: (questions, width)."""
        states = self.reader(vectors, sequences).flatten(0, 1)  # (households · longest, width)
        asked = states[questions.cell] + self.wait(questions.wait)  # (questions, width)
        tastes: Tensor = self.taste(self.dropout(asked))  # (questions, width)
        return tastes

    def forward(
        self, sequences: Sequences, questions: Questions, statistics: ProductWeeks, vectors: Tensor
    ) -> Scores:
        """Scores for each question, week by week: a week has its own market."""
        tastes = self.tastes(sequences, questions, vectors)  # (questions, width)
        belief = 1.0 if self.training else self.belief
        tables, habits = [], []
        for week, asked, pairs in _by_week(questions):
            sales, returns = statistics.at(week)  # (SALES, products), (RETURNS, products)
            market, trust = self.market(sales, returns)  # (products, 1) each
            offers, taste = vectors * trust, tastes[asked]  # (products, width), (n, width)
            asks = torch.cat([belief * taste, taste.new_ones(len(taste), 1)], dim=1)
            tables.append(asks @ torch.cat([offers, market], dim=1).T)  # (n, products)
            row, product = questions.row[pairs] - asked.start, questions.product[pairs]  # (pairs,)
            liked = (taste[row] * offers[product]).sum(dim=1)  # (pairs,)
            known = questions.habit[pairs], sales[:, product].T, returns[:, product].T
            habits.append(self.habit(*known, liked))  # (pairs,)
        return Scores(torch.cat(tables), torch.cat(habits))


def _by_week(questions: Questions) -> Iterator[tuple[int, slice, slice]]:
    """Each week that is asked about, its questions and the pairs of these."""
    stops = np.cumsum([0, *(count for _, count in questions.weeks)])
    pairs = np.searchsorted(questions.row.numpy(), stops)
    for (week, _), asked, bought in zip(
        questions.weeks, pairwise(stops), pairwise(pairs), strict=True
    ):
        yield week, slice(*map(int, asked)), slice(*map(int, bought))


def _begin(model: SequenceTransformer, seed: int) -> None:
    """Untrained it knows the market and no taste: a start from which little can go wrong."""
    generator = torch.Generator().manual_seed(seed)
    for name, parameter in model.named_parameters():
        if parameter.dim() > 1:
            table = isinstance(model.get_submodule(name.removesuffix(".weight")), nn.Embedding)
            spread = 0.02 if table else parameter.shape[1] ** -0.5
            nn.init.normal_(parameter, std=spread, generator=generator)
        elif name.endswith("bias"):
            nn.init.zeros_(parameter)
    for silent in (
        model.kind,
        model.category,
        model.taste,
        model.market.trust,
        model.habit.contract,
    ):
        nn.init.zeros_(silent.weight)
    with torch.no_grad():
        weights = torch.zeros(SALES + Market.CURVES)
        weights[2:SALES] = torch.tensor([0.35, 0.25, 0.4]) / 5  # first purchases, not all
        model.market.weights.weight.copy_(weights[None])


def sequence_loss(
    scores: Scores, questions: Questions, answers: Answers, evenness: float
) -> Tensor:
    """Two cross-entropies over the whole catalogue: of everything that was bought, and of what was
    new, among what is new.

    Softmax over all products, not over sampled ones: a catalogue of this size can afford it, and
    sampled negatives make a model overconfident (Petrov and Macdonald, 2023).
    """
    row, count = questions.row, len(scores.table)
    new_only = scores.table.index_put((row, questions.product), scores.table.new_tensor(NEVER))
    total_new = new_only.logsumexp(dim=1)  # (questions,)
    total = torch.logaddexp(total_new, _logsumexp_by_row(scores.habit, row, count))
    is_new = answers.pair < 0  # (answers,)
    score = scores.table[answers.row, answers.product]  # (answers,)
    score = torch.where(is_new, score, scores.habit[answers.pair.clamp(min=0)])
    all_bought = _mean_by_row(total[answers.row] - score, answers.row, count, evenness)
    rows, surprise = answers.row[is_new], (total_new[answers.row] - score)[is_new]
    return all_bought + _mean_by_row(surprise, rows, count, evenness)


def _logsumexp_by_row(values: Tensor, row: Tensor, rows: int) -> Tensor:
    """log Σ exp of the values of each row: (values,) → (rows,)."""
    top = values.detach().new_full((rows,), NEVER).scatter_reduce(0, row, values.detach(), "amax")
    sums = values.new_zeros(rows).index_add(0, row, (values - top[row]).exp())
    return (sums + 1e-9).log() + top


def _mean_by_row(values: Tensor, row: Tensor, rows: int, evenness: float) -> Tensor:
    """Mean of the values (values,); a row with n of them weighs n^(1 - evenness)."""
    count = values.new_zeros(rows).index_add(0, row, torch.ones_like(values))
    weight = count.clamp(min=1) ** -evenness  # (rows,)
    return (values * weight[row]).sum() / (count * weight).sum().clamp(min=1e-9)


class Batch(NamedTuple):
    """One step's work; `fold` is the group that its households belong to."""

    sequences: Sequences
    questions: Questions
    answers: Answers
    fold: int


class Batches:
    """The batch of each step, from its number alone, so that training can stop and go on."""

    def __init__(
        self, purchases: Purchases, settings: SequenceSettings, fold: "np.ndarray"
    ) -> None:
        self.baskets, self.settings = WeekBaskets.of(purchases), settings
        last = purchases.last_week - settings.horizon
        if last < settings.first_week:
            raise EcomTutorError(
                f"A sequence model needs purchases of {settings.first_week + settings.horizon} "
                f"weeks or more; they end with week {purchases.last_week}."
            )
        self.weeks = np.arange(settings.first_week, last + 1)
        self.products = len(purchases.products)
        shoppers = np.flatnonzero(np.diff(self.baskets.start))
        self.groups = [shoppers[fold[shoppers] == k] for k in range(settings.folds)]
        if not all(len(group) for group in self.groups):
            raise EcomTutorError(
                f"{len(shoppers)} households do not fill {settings.folds} folds. Give more of them."
            )

    def __call__(self, step: int) -> Batch:
        s = self.settings
        dice = np.random.default_rng((s.seed, step))
        group, fold = self.groups[step % s.folds], step % s.folds
        who = np.sort(dice.choice(group, min(s.households, len(group)), replace=False))
        weeks = np.sort(dice.choice(self.weeks, min(s.moments, len(self.weeks)), replace=False))
        sequences = sequences_of(self.baskets, who, int(weeks[-1]), s.hide, dice)
        asked = questions_of(self.baskets, who, weeks.tolist(), self.products, s.horizon)
        return Batch(sequences, *asked, fold)


class SequenceRecommender(Recommender):
    """What a household will want next, read by a transformer from its weeks of baskets.

    Args:
        settings: see `SequenceSettings`.
        folder: for checkpoints. A fit on the same folder resumes where it was stopped.
        minutes: pause after so long (needs a folder); the next fit goes on.
        progress: draw a progress bar.
    """

    name: ClassVar[str] = "sequence transformer"

    def __init__(
        self,
        settings: SequenceSettings | None = None,
        folder: Path | str | None = None,
        minutes: float | None = None,
        progress: bool = True,
    ):
        super().__init__()
        if folder is None and minutes is not None:
            raise EcomTutorError("To pause after some minutes and go on later, give a folder.")
        self.settings = settings or SequenceSettings()
        self.folder, self.minutes, self.progress = folder, minutes, progress

    def _learn(self, purchases: Purchases) -> None:
        settings = self.settings
        fold = np.random.default_rng(settings.seed).permutation(len(purchases.households))
        fold %= settings.folds
        batches = Batches(purchases, settings, fold)
        self.statistics = product_weeks(purchases)
        starts = product_vectors(purchases, settings, fold)
        model = SequenceTransformer(settings, starts, *_groups_of(purchases))
        with nullcontext(self.folder) if self.folder else tempfile.TemporaryDirectory() as place:
            _same_run(Path(place), purchases, settings)
            self.curve = train(
                model,
                self._loss,
                batches,  # type: ignore[arg-type]  # a named tuple, not a dictionary
                settings.plan(),
                Path(place),
                count=lambda batch: len(batch.answers.row),  # type: ignore[attr-defined]
                minutes=self.minutes,
                progress=self.progress,
            )
        self._use(model)

    def _loss(self, model: SequenceTransformer, batch: Batch) -> Tensor:
        vectors = model.vectors(batch.fold)
        scores = model(batch.sequences, batch.questions, self.statistics, vectors)
        return sequence_loss(scores, batch.questions, batch.answers, self.settings.evenness)

    @torch.no_grad()
    def _use(self, model: SequenceTransformer, vectors: Tensor | None = None) -> None:
        self.model = model.eval()
        self.product_vectors = model.vectors() if vectors is None else vectors

    @torch.no_grad()
    def score_histories(self, histories: Purchases) -> "np.ndarray[Any, Any]":
        """Scores of all products, bought before or not: (households, products), float32.

        They are logarithms of chances, up to a constant of each household. One without a purchase
        gets what sells at the moment.
        """
        week, baskets = histories.last_week, WeekBaskets.of(histories)
        market, _ = self.model.market(*self.statistics.at(week))  # (products, 1)
        table = np.tile(market.numpy().T, (len(histories.households), 1))
        for first in range(0, len(table), CHUNK):
            who = np.arange(first, min(first + CHUNK, len(table)))
            questions, _ = questions_of(baskets, who, [week], table.shape[1])
            if not len(questions.household):
                continue
            sequences = sequences_of(baskets, who, week)
            scores = self.model(sequences, questions, self.statistics, self.product_vectors)
            scores.table[questions.row, questions.product] = scores.habit
            table[first + questions.household.numpy()] = scores.table.numpy()
        return table

    def save(self, folder: Path) -> None:
        """Weights in half precision and config.json; the purchases themselves stay outside."""
        from safetensors.torch import save_file

        folder.mkdir(parents=True, exist_ok=True)
        weights = dict(self.model.named_parameters()) | {"vectors": self.product_vectors}
        for part in IN_VECTORS:
            del weights[part]
        half = {name: each.detach().half().contiguous() for name, each in weights.items()}
        save_file(half, folder / "model.safetensors")
        config = {
            "last_week": self.purchases.last_week,
            "products": len(self.purchases.products),
            "settings": asdict(self.settings),
        }
        (folder / "config.json").write_text(json.dumps(config, indent=1) + "\n", encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> "SequenceRecommender":
        """What `save` wrote. The purchases of its weeks are read, and counted anew.

        Raises:
            EcomTutorError: it was made for another catalogue.
            MissingResource: no weights in the folder.
        """
        from safetensors.torch import load_file

        from ecomtutor.errors import MissingResource

        if not (folder / "model.safetensors").is_file():
            raise MissingResource(
                f"{folder.name} has no weights. Work from a full clone, or make them: "
                f"python -m ecomtutor.recommendation train {folder.name}"
            )
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        purchases = training_purchases(config["last_week"])
        if len(purchases.products) != config["products"]:
            raise EcomTutorError(
                f"{folder.name} knows {config['products']:,} products; the catalogue has "
                f"{len(purchases.products):,}. Train it anew."
            )
        made = cls(SequenceSettings(**config["settings"]))
        stored = load_file(folder / "model.safetensors")
        weights = {name: each.float() for name, each in stored.items()}
        nothing, none = torch.zeros(1, 1, made.settings.width), torch.zeros(1, dtype=torch.long)
        model = SequenceTransformer(made.settings, nothing, none, none)
        vectors = weights.pop("vectors")
        found = model.load_state_dict(weights, strict=False)
        if set(found.missing_keys) != set(IN_VECTORS) or found.unexpected_keys:
            raise EcomTutorError(
                f"{folder.name} is no sequence transformer of this version: {found}"
            )
        made.statistics, made._purchases = product_weeks(purchases), purchases
        made._use(model, vectors)
        return made


def product_vectors(
    purchases: Purchases, settings: SequenceSettings, fold: "np.ndarray[Any, Any]"
) -> Tensor:
    """Where the product vectors start: each fold's without that fold's households.

    ALS describes the households; a product is then what its buyers have in common, by least
    squares. Trained on vectors that its own later purchases helped to make, a household would look
    easier to predict than it is, above all where a product has few buyers.

    Returns:
        (folds + 1, products, width); the last one made by all households. Vectors of length one,
        centred, shorter where a product has few buyers.
    """
    from ecomtutor.recommendation.factors import ALS

    people = ALS(factors=settings.width, seed=settings.seed).fit(purchases).vectors(purchases)
    counts = purchases.counts()
    counts.data = np.log1p(counts.data)
    made = [_vectors(counts, people, fold != k, settings.support) for k in range(settings.folds)]
    made.append(_vectors(counts, people, fold >= 0, settings.support))
    centre, spread = made[-1][1], made[-1][2]
    return torch.from_numpy(
        np.stack([(unit - centre) * share / spread for unit, _, _, share in made]).astype(
            np.float32
        )
    )


def _vectors(
    counts: Any, people: "np.ndarray[Any, Any]", chosen: "np.ndarray[Any, Any]", support: float
) -> tuple["np.ndarray[Any, Any]", ...]:
    """Directions (products, width) by the chosen households, their centre and spread, and what
    each product's counts, (products, 1)."""
    of, bought = people[chosen], counts[chosen]
    gram = of.T @ of  # (width, width)
    gram += 0.01 * np.trace(gram) / len(gram) * np.eye(len(gram))
    vectors = np.linalg.solve(gram, (bought.T @ of).T).T  # (products, width)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True) + 1e-6
    buyers = np.asarray(bought.sign().sum(axis=0)).ravel()[:, None]  # (products, 1)
    centre = (vectors * buyers).sum(axis=0) / max(buyers.sum(), 1)
    share = buyers / (buyers + support)
    spread = np.sqrt(np.square((vectors - centre) * share).mean()) + 1e-9
    return vectors, centre, spread, share


def _groups_of(purchases: Purchases) -> list[Tensor]:
    """Numbers of each product's type and category; 0 where the catalogue gives none."""
    return [
        torch.from_numpy(
            purchases.products[column].astype("category").cat.codes.to_numpy().astype(np.int64) + 1
        )
        for column in ("product_type", "product_category")
    ]


def _same_run(folder: Path, purchases: Purchases, settings: SequenceSettings) -> None:
    """Write down what a folder's checkpoints were made from, or compare: the loop does not know."""
    facts = [repr(settings), purchases.last_week, len(purchases.lines), len(purchases.households)]
    path = folder / "run.json"
    if path.exists() and (found := json.loads(path.read_text(encoding="utf-8"))) != facts:
        raise EcomTutorError(
            f"{folder} holds a run with {found}, not {facts}. Take another folder, or delete it."
        )
    folder.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(facts), encoding="utf-8")


@cache
def load_sequence_recommender() -> SequenceRecommender:
    """The sequence transformer that the course ships: data/models/shop-sasrec/README.md.

    Called twice, it returns the same object. It learned from weeks 1–45; for a choice on the
    validation weeks, fit one on `training_purchases(42)`.

    Raises:
        MissingResource: data/models is not beside the package.
    """
    from ecomtutor.datasets.store import data_dir

    return SequenceRecommender.load(data_dir() / "models" / NAME)


def train_shipped(
    folder: Path,
    *,
    steps: int | None = None,
    households: int | None = None,
    minutes: float | None = None,
) -> bool:
    """Make shop-sasrec: weeks 1–45, the default settings; goes on where it was interrupted.

    Args:
        folder: for the finished model; checkpoints lie in the cache.
        steps, households: a shorter run, from the first so many households.
        minutes: pause after so long.

    Returns:
        Whether it is finished, and saved.
    """
    from ecomtutor.resources import cache_dir

    settings = SequenceSettings(steps=steps) if steps else SequenceSettings()
    shorter = "".join(f"-{many}" for many in (steps, households) if many)
    made = SequenceRecommender(
        settings, folder=cache_dir() / "recommendation" / f"{NAME}{shorter}", minutes=minutes
    )
    known = training_purchases()
    made.fit(known.block(0, households) if households else known)
    finished = made.curve.finished(settings.plan())
    if finished:
        made.save(folder)
    return finished
