"""The values of `shap.Explainer(pipeline)` on a text, to the digit, with fewer and larger batches.

The package shap asks the pipeline for six texts at a time and the pipeline computes them one by
one. Which six come next depends on the answers, so they cannot simply be put together. Here the
same order is replayed against a memory of answers; whenever one is missing, the groups next in
line are computed along with it, because their turn almost always comes.
"""

import heapq
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from ecomtutor.errors import EcomTutorError
from ecomtutor.interpretability.explanation import Explanation
from ecomtutor.interpretability.game import Count, Score
from ecomtutor.interpretability.scores import probabilities
from ecomtutor.interpretability.shap_text import ShapText, shap_text, shap_tree

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

    from ecomtutor.finetuning import Classifier

TOKENS_AHEAD, GROUPS_AHEAD = 2048, 24  # more groups of short texts: some never get their turn


def shap_partition(
    text: str,
    classifier: "Classifier",
    max_evals: int = 500,
    *,
    batch_size: int = 5,
    seed: int = 0,
    bf16: bool = False,
) -> Explanation:
    """What shap's partition explainer says of a text, equal to 1e-5 in 32 bits.

    The same as

        pipe = transformers.pipeline("text-classification", classifier.model,
                                     tokenizer=classifier.tokenizer, top_k=None)
        numpy.random.seed(seed)
        shap.Explainer(pipe)([text], max_evals=max_evals)

    of probabilities without temperature; tokens are hidden in the string, which is tokenised again.

    Args:
        text: at most `classifier.max_tokens` tokens long.
        classifier: anything with `tokenizer`, `token_logits(rows)`, `labels` and `max_tokens`.
        max_evals: shap's budget; what it does not reach is shared evenly, see `resolved`.
        batch_size: shap's for texts is 5; it changes the order once the budget ends the work.
        seed: of numpy's global random state, which decides ties in shap.
        bf16: half precision: much faster, equal to about 0.01.

    Returns:
        Units are all tokens, [CLS] and [SEP] too: shap gives those credit when its budget ends.
        `values` equals shap's `.values[0]`, `base` its `.base_values[0]`.

    Raises:
        EcomTutorError: an empty or too long text, or a budget below 3.

    Source:
        Lundberg and Lee (2017); the package shap 0.51.0, explainers.Partition and maskers.Text.
    """
    return replay(
        shap_text(text, classifier.tokenizer, classifier.max_tokens),
        classifier.tokenizer,
        probabilities(lambda rows: classifier.token_logits(rows, bf16=bf16)),
        max_evals,
        batch_size=batch_size,
        seed=seed,
        outputs=classifier.labels,
    )


def replay(
    text: ShapText,
    tokenizer: "PreTrainedTokenizerBase",
    score: Score,
    max_evals: int = 500,
    *,
    batch_size: int = 5,
    seed: int = 0,
    outputs: tuple[str, ...] = (),
) -> Explanation:
    """`shap_partition` for any score of token-id rows, (rows, outputs)."""
    if max_evals < 3 or batch_size < 1:
        raise EcomTutorError(
            f"max_evals ≥ 3 and batch_size ≥ 1 are wanted; {max_evals} and {batch_size} came."
        )
    answers = _Answers(text, tokenizer, score)
    tree = _Tree.of(text)
    everything = np.ones(len(text), dtype=bool)
    base, full = answers.of([~everything, everything])
    credit, spent = _walk(tree, answers, base, full, max_evals - 2, batch_size, seed)
    values, whole = tree.handed_down(credit)
    return Explanation(
        text.units,
        values,
        base,
        full,
        "shap's partition explainer",
        spent + 2,
        answers.count.made,
        adds_up=True,
        resolved=int(whole.sum()),
        settings={"max_evals": max_evals, "batch_size": batch_size, "seed": seed},
        outputs=outputs,
    )


@dataclass(frozen=True)
class _Tree:
    """Shap's tree of a text: nodes 0 … tokens - 1 are the tokens, the others have two children.

    children (nodes, 2), -1 at tokens; below (nodes, tokens) says which tokens belong to a node.
    """

    children: np.ndarray
    below: np.ndarray

    @classmethod
    def of(cls, text: ShapText) -> "_Tree":
        rows, n = shap_tree(text.segments, text.separator), len(text)
        below = np.concatenate([np.eye(n, dtype=bool), np.zeros((len(rows), n), dtype=bool)])
        for i, (left, right, _) in enumerate(rows):
            below[n + i] = below[left] | below[right]
        children = np.concatenate([np.full((n, 2), -1), rows[:, :2]])
        return cls(children, below)

    def is_token(self, node: int) -> bool:
        return bool(self.children[node, 0] < 0)

    def handed_down(self, credit: "_Credit") -> tuple[np.ndarray, np.ndarray]:
        """Values (tokens, outputs), groups' credit spread evenly; and who had no share."""
        shared = credit.of_node / self.below.sum(axis=1, keepdims=True)
        whole = np.logical_not(self.below[credit.open_nodes].any(axis=0))
        return self.below.T.astype(float) @ shared, whole


@dataclass
class _Credit:
    """Credit (nodes, outputs) that was given to nodes, and the groups that were never split."""

    of_node: np.ndarray
    open_nodes: list[int] = field(default_factory=list)


@dataclass(frozen=True)
class _Group:
    """A node in one context: worths (outputs,) without and with it, and the context's weight."""

    node: int
    context: np.ndarray
    before: np.ndarray
    after: np.ndarray
    weight: float

    @property
    def credit(self) -> np.ndarray:
        credit: np.ndarray = (self.after - self.before) * self.weight
        return credit


def _walk(
    tree: _Tree,
    answers: "_Answers",
    base: np.ndarray,
    full: np.ndarray,
    budget: int,
    batch_size: int,
    seed: int,
) -> tuple[_Credit, int]:
    """Split groups in shap's order, largest stake first, until none is left or the budget ends."""
    dice = np.random.RandomState(seed)  # the generator that numpy.random.seed sets
    credit = _Credit(np.zeros((len(tree.below), len(base))))
    root = _Group(len(tree.below) - 1, np.zeros(tree.below.shape[1], dtype=bool), base, full, 1.0)
    queue: list[tuple[float, float, _Group]] = [(0.0, 0.0, root)]
    spent = 0
    while queue and spent < budget:
        turn: list[_Group] = []
        while queue and 2 * len(turn) < batch_size and spent + 2 * len(turn) < budget:
            group = heapq.heappop(queue)[2]
            if tree.is_token(group.node):
                credit.of_node[group.node] += group.credit
            else:
                turn.append(group)
        spent += 2 * len(turn)
        answers.look_ahead(tree, turn, queue, (budget - spent) // 2)
        for group in turn:
            for half in _halves(tree, answers, group):
                stake = float(np.abs(half.after - half.before).max()) * half.weight
                heapq.heappush(queue, (-stake, dice.randn(), half))
    for _, _, group in queue:
        credit.of_node[group.node] += group.credit
        if not tree.is_token(group.node):
            credit.open_nodes.append(group.node)
    return credit, spent


def _with_one_half(tree: _Tree, group: _Group) -> list[np.ndarray]:
    """The group's context with its left half there, and with its right half there."""
    return [group.context | tree.below[child] for child in tree.children[group.node]]


def _halves(tree: _Tree, answers: "_Answers", group: _Group) -> list[_Group]:
    """Both halves, first without the other one there, then with it."""
    left, right = tree.children[group.node]
    with_left, with_right = _with_one_half(tree, group)
    one, other = answers.of([with_left, with_right])
    weight = group.weight / 2
    return [
        _Group(left, group.context, group.before, one, weight),
        _Group(right, group.context, group.before, other, weight),
        _Group(left, with_right, other, group.after, weight),
        _Group(right, with_left, one, group.after, weight),
    ]


class _Answers:
    """Scores of coalitions of tokens; each distinct row of ids is computed once."""

    def __init__(self, text: ShapText, tokenizer: "PreTrainedTokenizerBase", score: Score):
        self.text, self.tokenizer, self.score = text, tokenizer, score
        self.count = Count()
        self._known: dict[bytes, np.ndarray] = {}  # by coalition
        self._rows: dict[bytes, np.ndarray] = {}  # by token ids

    def of(self, coalitions: list[np.ndarray]) -> np.ndarray:
        """Scores (coalitions, outputs)."""
        self.count.asked += len(coalitions)
        missing = {c.tobytes(): c for c in coalitions if c.tobytes() not in self._known}
        if missing:
            strings = [self.text.shown(c) for c in missing.values()]
            encoded = self.tokenizer(strings, verbose=False)["input_ids"]
            rows = {np.array(ids, dtype=np.int64).tobytes(): ids for ids in encoded}
            new = {key: ids for key, ids in rows.items() if key not in self._rows}
            if new:
                scores = self.score([np.array(ids, dtype=np.int64) for ids in new.values()])
                self.count.made += len(new)
                self._rows |= dict(zip(new, np.asarray(scores, dtype=np.float64), strict=True))
            for key, ids in zip(missing, encoded, strict=True):
                self._known[key] = self._rows[np.array(ids, dtype=np.int64).tobytes()]
        return np.stack([self._known[c.tobytes()] for c in coalitions])

    def look_ahead(
        self,
        tree: _Tree,
        turn: list[_Group],
        queue: list[tuple[float, float, _Group]],
        more: int,
    ) -> None:
        """If this turn needs the model, compute the groups that stand next in line with it."""
        needed = [c for group in turn for c in _with_one_half(tree, group)]
        if all(c.tobytes() in self._known for c in needed):
            return
        room = max(0, min(TOKENS_AHEAD // len(self.text) // 2, GROUPS_AHEAD) - len(turn))
        waiting = [g for _, _, g in heapq.nsmallest(4 * room, queue) if not tree.is_token(g.node)]
        for group in waiting[: min(room, more)]:
            needed += _with_one_half(tree, group)
        self.of(needed)
