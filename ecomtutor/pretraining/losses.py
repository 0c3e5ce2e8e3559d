"""The two objectives: next token, and masked tokens plus next sentence. All in nats."""

from typing import TYPE_CHECKING

from ecomtutor.pretraining.masking import IGNORED

if TYPE_CHECKING:
    import torch

    from ecomtutor.pretraining.batches import Batch
    from ecomtutor.transformer import BertWithHeads, Gpt


def causal_loss(model: "Gpt", batch: "Batch") -> "torch.Tensor":
    """Mean surprise at each next token: position t predicts the token at t + 1.

    Args:
        model: gives logits (batch, tokens, vocabulary).
        batch: ids and labels, (batch, tokens); label -100 is not counted.
    """
    from torch.nn.functional import cross_entropy

    logits = model(batch["ids"]).logits[:, :-1]  # (batch, tokens - 1, vocabulary)
    return cross_entropy(
        logits.flatten(0, 1).float(), batch["labels"][:, 1:].flatten(), ignore_index=IGNORED
    )


def masked_and_next_loss(model: "BertWithHeads", batch: "Batch") -> "torch.Tensor":
    """The pre-training loss of BERT: MLM + NSP, both as mean cross-entropy.

    Only the places that are asked for go through the vocabulary: with 15 % of them masked, the
    costliest layer of a small model does a seventh of the work, and the loss is the same.

    Args:
        model: with both heads.
        batch: see `MaskedPairs.collate`.

    Source:
        Devlin et al. (2019), BERT, appendix A.2: "the sum of the mean masked LM likelihood and
        the mean next sentence prediction likelihood".
    """
    mlm, nsp = masked_and_next_losses(model, batch)
    return mlm + nsp


def masked_and_next_losses(
    model: "BertWithHeads", batch: "Batch"
) -> "tuple[torch.Tensor, torch.Tensor]":
    """The two terms of `masked_and_next_loss`, MLM and NSP, separately."""
    from torch.nn.functional import cross_entropy

    asked = batch["labels"] != IGNORED  # (batch, tokens)
    outputs = model(batch["ids"], batch["segments"], batch["mask"], predict_at=asked)
    mlm = cross_entropy(outputs.mlm_logits.float(), batch["labels"][asked])
    nsp = cross_entropy(outputs.nsp_logits.float(), batch["next_labels"], ignore_index=IGNORED)
    return mlm, nsp
