"""The two models that the course ships, each made by one command.

python -m ecomtutor.pretraining shop-bert-mini
python -m ecomtutor.pretraining shop-gpt-mini
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ecomtutor.errors import EcomTutorError
from ecomtutor.pretraining.corpus import Document, corpus
from ecomtutor.training import Curve, Plan, has_bf16, train

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedTokenizerBase

    from ecomtutor.pretraining.batches import CausalBatches, MaskedPairs
    from ecomtutor.transformer import BertWithHeads, Gpt

WIDTH, LAYERS, HEADS, POSITIONS = 256, 4, 4, 512
MASKING_RATE = 0.2  # more than BERT's 0.15: a third more lessons from each costly step
WHOLE_WORDS = 0.3  # in the other pairs single tokens are hidden: see MaskedPairs
BATCH_TOKENS = 2048
VALIDATION_SHARE = 5  # every fifth validation review is enough to choose by


@dataclass(frozen=True)
class Stage:
    """A part of the training: its plan, the tokens of a batch, and dropout everywhere."""

    plan: Plan
    tokens: int = BATCH_TOKENS
    dropout: float = 0.0


@dataclass(frozen=True)
class Recipe:
    """Everything that one shipped model is made of.

    build makes the untrained model; batches cuts documents; loss_of is the objective. Each stage
    goes on from the best weights of the one before.
    """

    name: str
    vocabulary: int
    stages: tuple[Stage, ...]
    train_tokenizer: "Callable[[list[str], int], PreTrainedTokenizerBase]"
    build: "Callable[[PreTrainedTokenizerBase, Any, int], BertWithHeads | Gpt]"
    batches: "Callable[..., CausalBatches | MaskedPairs]"
    loss_of: "Callable[..., torch.Tensor]"


def recipe(name: str) -> Recipe:
    """The recipe of "shop-bert-mini" or "shop-gpt-mini"."""
    recipes = {"shop-bert-mini": _bert_recipe, "shop-gpt-mini": _gpt_recipe}
    if name not in recipes:
        raise EcomTutorError(f"There are recipes for {' and '.join(recipes)}; not for {name!r}.")
    return recipes[name]()


def pretrain(
    name: str,
    *,
    steps: int | None = None,
    minutes: float | None = None,
    folder: Path | None = None,
    compiled: bool = False,
    device: str = "cpu",
) -> Curve:
    """Train a model by its recipe, from its last checkpoint on, and save it when it is finished.

    Args:
        name: "shop-bert-mini" or "shop-gpt-mini".
        steps: another length of each stage than the recipe's, with the schedule stretched to it.
        minutes: pause after so long; call again to go on.
        folder: where checkpoints, tokenizer and, in `model/`, the finished weights go; unless
            given, a folder in the cache, one for each length.
        compiled: let torch compile the blocks: half as fast again where there is a C++ compiler.
            The figures then differ by rounding.
        device: where to train: "cpu", or "cuda" for a graphics card.

    Returns:
        The curve of the last stage that was begun.
    """
    from ecomtutor.resources import cache_dir

    made = recipe(name)
    stages = [replace(s, plan=replace(s.plan, steps=steps or s.plan.steps)) for s in made.stages]
    length = "+".join(str(stage.plan.steps) for stage in stages)
    folder = folder or cache_dir() / "pretraining" / f"{name}-{length}"
    tokenizer = _tokenizer(made, folder)
    texts, until = corpus("train"), time.monotonic() + 60 * (minutes or 0)
    first = made.batches(texts, tokenizer, tokens=BATCH_TOKENS, seed=stages[0].plan.seed)
    model: Any = made.build(tokenizer, first, stages[0].plan.seed).to(device)
    if compiled:
        for block in _blocks(model):
            block.compile(dynamic=True)
    validate = _validation(made, tokenizer, device)
    for number, stage in enumerate(stages, 1):
        _drop(model, stage.dropout)
        batches = made.batches(texts, tokenizer, tokens=stage.tokens, seed=stage.plan.seed)
        curve = train(
            model,
            made.loss_of,
            batches,
            stage.plan,
            folder / f"stage-{number}",
            validate=validate,
            minutes=None if minutes is None else max(0.0, until - time.monotonic()) / 60,
        )
        if not curve.finished(stage.plan):
            return curve
    save(model.cpu(), tokenizer, folder / "model")
    return curve


def _drop(model: "torch.nn.Module", share: float) -> None:
    """Set every dropout of a model, that of attention weights included."""
    import torch

    module: Any
    for module in model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = share
        elif isinstance(getattr(module, "dropout", None), float):
            module.dropout = share


def save(model: "BertWithHeads | Gpt", tokenizer: "PreTrainedTokenizerBase", folder: Path) -> None:
    """Write config, half-precision weights and tokenizer as transformers reads them."""
    import torch

    model.save_pretrained(folder, dtype=torch.float16)
    tokenizer.save_pretrained(folder)


def _bert_recipe() -> Recipe:
    from ecomtutor.pretraining.batches import MaskedPairs
    from ecomtutor.pretraining.losses import masked_and_next_loss
    from ecomtutor.pretraining.tokenizers import train_wordpiece

    def batches(documents: list[Document], tokenizer: Any, **how: Any) -> MaskedPairs:
        return MaskedPairs(
            documents,
            tokenizer,
            rate=MASKING_RATE,
            whole_words=WHOLE_WORDS,
            window=POSITIONS,
            **how,
        )

    words = Plan(
        steps=2500,
        peak_rate=4e-3,
        muon_rate=0.01,
        warmup=60,
        weight_decay=0.05,
        bf16=has_bf16(),
        save_every=50,
        validate_every=250,
    )
    # Muon's long steps teach words fast and lose NSP. AdamW finds it, with more pairs in a batch.
    pairs = Plan(
        steps=5000,
        peak_rate=5e-4,
        warmup=250,
        weight_decay=0.05,
        bf16=has_bf16(),
        save_every=50,
        validate_every=250,
    )
    stages = (Stage(words), Stage(pairs, tokens=4 * BATCH_TOKENS, dropout=0.1))
    return Recipe(
        "shop-bert-mini", 6000, stages, train_wordpiece, _bert, batches, masked_and_next_loss
    )


def _gpt_recipe() -> Recipe:
    from ecomtutor.pretraining.batches import CausalBatches
    from ecomtutor.pretraining.losses import causal_loss
    from ecomtutor.pretraining.tokenizers import train_byte_bpe

    def batches(documents: list[Document], tokenizer: Any, **how: Any) -> CausalBatches:
        texts = [document.text for document in documents]
        return CausalBatches(texts, tokenizer, window=POSITIONS, **how)

    plan = Plan(
        steps=1500,
        peak_rate=5e-3,
        muon_rate=0.02,
        warmup=50,
        weight_decay=0.1,
        bf16=has_bf16(),
        save_every=50,
        validate_every=200,
    )
    stages = (Stage(plan, dropout=0.1),)
    return Recipe("shop-gpt-mini", 4000, stages, train_byte_bpe, _gpt, batches, causal_loss)


def _bert(tokenizer: "PreTrainedTokenizerBase", batches: Any, seed: int) -> "BertWithHeads":
    from ecomtutor.pretraining.starts import start_near
    from ecomtutor.transformer import BertConfig, BertWithHeads

    config = BertConfig(
        len(tokenizer), WIDTH, LAYERS, HEADS, 4 * WIDTH, positions=POSITIONS, dropout=0.0
    )
    model = BertWithHeads(config, seed)
    start_near(model, batches)
    return model


def _gpt(tokenizer: "PreTrainedTokenizerBase", batches: Any, seed: int) -> "Gpt":
    from ecomtutor.transformer import Gpt, GptConfig

    config = GptConfig(
        len(tokenizer),
        WIDTH,
        LAYERS,
        HEADS,
        positions=POSITIONS,
        dropout=0.1,
        end_id=tokenizer.eos_token_id,
    )
    return Gpt(config, seed)


def _blocks(model: Any) -> "list[torch.nn.Module]":
    return list(getattr(model, "bert", model).blocks)


def _tokenizer(made: Recipe, folder: Path) -> "PreTrainedTokenizerBase":
    """The tokenizer kept with the checkpoints, or a fresh one trained on the training texts."""
    from transformers import AutoTokenizer

    if not (folder / "tokenizer.json").exists():
        texts = [document.text for document in corpus("train")]
        made.train_tokenizer(texts, made.vocabulary).save_pretrained(folder)
    return AutoTokenizer.from_pretrained(folder)


def _validation(
    made: Recipe, tokenizer: "PreTrainedTokenizerBase", device: str
) -> "Callable[[torch.nn.Module], float]":
    """Mean loss over the same held-out review batches, and the same masks, each time."""
    import torch

    held_out = [d for d in corpus("validation") if d.shelf == "review"][::VALIDATION_SHARE]
    batches = [
        {name: tensor.to(device) for name, tensor in batch.items()}
        for batch in made.batches(held_out, tokenizer, tokens=BATCH_TOKENS, seed=1).epoch(0)
    ]
    half = has_bf16()

    def validate(model: "torch.nn.Module") -> float:
        with torch.no_grad(), torch.autocast(device, torch.bfloat16, enabled=half):
            return sum(float(made.loss_of(model, batch)) for batch in batches) / len(batches)

    return validate
