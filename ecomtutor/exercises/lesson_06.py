"""Exercises and quiz of lesson 06, attention visualisation."""

from __future__ import annotations

from typing import Any

from ecomtutor.exercises.checking import expect_function
from ecomtutor.exercises.registry import Exercise, Option, Question, WrongAnswer, changed

_PREVIOUS = '''
def previous_share(weights):
    """How much of its attention a token gives to the one before it, on average."""
    n = len(weights)
    return sum(weights[i, i - 1] for i in range(1, n)) / (n - 1)
'''


def _rows(tokens: int, heads: tuple[int, ...] = (), seed: int = 0) -> Any:
    """Made-up attention: rows of positive numbers that sum to one."""
    import numpy as np

    return np.random.default_rng(seed).dirichlet(np.ones(tokens), size=(*heads, tokens))


def _check_previous(previous_share: Any) -> None:
    import numpy as np

    def before(weights: Any) -> Any:
        return np.diagonal(weights, -1)

    expect_function(
        previous_share,
        lambda weights: float(before(weights).mean()),
        cases=[(_rows(5),), (np.eye(6, k=-1) + np.eye(6) * ([1] + [0] * 5),), (_rows(3, seed=1),)],
        mistakes=[
            (
                lambda weights: float(np.diagonal(weights, 1).mean()),
                "That is the next token's share. Row i looks, column j is looked at: the token "
                "before i stands in weights[i, i - 1].",
            ),
            (
                lambda weights: float(np.diagonal(weights).mean()),
                "That is what tokens give to themselves: weights[i, i].",
            ),
            (
                lambda weights: float(before(weights).sum()),
                "That is the sum. Divide by the number of tokens that have one before them.",
            ),
            (
                lambda weights: float(before(weights).sum() / len(weights)),
                "You divide by all tokens. The first one has none before it: divide by n - 1.",
            ),
            (
                lambda weights: float(np.mean([weights[i, i - 1] for i in range(len(weights))])),
                "Your loop begins with token 0, and weights[0, -1] is its look at the last token: "
                "Python counts -1 from the end. Begin with token 1.",
            ),
            (
                lambda weights: float(
                    sum(weights[i, i - 1] for i in range(len(weights))) / (len(weights) - 1)
                ),
                "You divide by n - 1, and yet your loop begins with token 0: weights[0, -1] is its "
                "look at the last token, since Python counts -1 from the end. Begin with token 1.",
            ),
            (
                lambda weights: float(before(weights).sum() / weights.size),
                "You take the mean over the whole table, zeros included. Take it over the tokens "
                "that have one before them: n - 1 numbers.",
            ),
            (
                lambda weights: float(before(weights)[:-1].mean()),
                "You leave [SEP] out, the last token. [CLS] and [SEP] count here like any other.",
            ),
            (
                lambda weights: float(before(weights)[1:-1].mean()),
                "You leave looks at [CLS] or from [SEP] out. Both count here like any other token.",
            ),
        ],
    )


_ARRIVES = '''
def what_arrives(weights, vectors):
    """Share of each token in what arrives: weight times length of its vector; rows sum to one."""
    lengths = np.linalg.norm(vectors, axis=-1)
    carried = weights * lengths
    return carried / carried.sum(axis=-1, keepdims=True)
'''


def _check_arrives(what_arrives: Any) -> None:
    import numpy as np

    def shares(carried: Any, axis: int | None = -1) -> Any:
        return carried / carried.sum(axis=axis, keepdims=True)

    def length(vectors: Any) -> Any:
        return np.linalg.norm(vectors, axis=-1)

    rng = np.random.default_rng(3)
    expect_function(
        what_arrives,
        lambda weights, vectors: shares(weights * length(vectors)),
        cases=[
            (_rows(4), rng.normal(size=(4, 3))),
            (np.array([[0.9, 0.1], [0.5, 0.5]]), np.array([[0.1, 0.0], [3.0, 4.0]])),
            (_rows(6, seed=2), rng.normal(size=(6, 2)) * np.arange(1, 7)[:, None]),
        ],
        mistakes=[
            (
                lambda weights, vectors: shares(weights * length(vectors)[:, None]),
                "Your shares are the weights again: lengths are missing or cancel out. Each column "
                "needs the length of its own vector, the token looked at: not one length for all "
                "(axis is missing), not that of the token that looks ([:, None]).",
            ),
            (
                lambda weights, vectors: weights * length(vectors),
                "These are amounts. Divide each row by its sum, so that they are shares.",
            ),
            (
                lambda weights, vectors: shares(weights * length(vectors), axis=0),
                "Your columns sum to one. Each token that looks has a row: rows sum to one.",
            ),
            (
                lambda weights, vectors: shares(weights * length(vectors) ** 2),
                "You multiply by the squared length: take the root (np.linalg.norm).",
            ),
            (
                lambda weights, vectors: shares(weights * vectors.sum(axis=-1)),
                "You add the numbers of a vector up: plus and minus cancel. Its length is the root "
                "of the sum of squares.",
            ),
            (
                lambda weights, vectors: (
                    weights * length(vectors) / (weights * length(vectors)).sum(axis=-1)
                ),
                "You divide column j by the sum of row j: numpy lays (tokens,) along the columns. "
                "keepdims=True keeps the sums beside their rows.",
            ),
            (
                lambda weights, vectors: shares(weights * length(vectors), axis=None),
                "Your whole table sums to one. Each token that looks has a row of its own: divide "
                "each row by its sum.",
            ),
            (
                lambda weights, vectors: shares(weights * np.abs(vectors).sum(axis=-1)),
                "You add up absolute values. The length of a vector is the root of the sum of "
                "squares (np.linalg.norm).",
            ),
            (
                lambda weights, vectors: weights @ vectors,
                "That is the vector that arrives. Asked is the share of each token in it: a length "
                "for each token, before anything is added up.",
            ),
        ],
    )


_ROLLOUT = '''
def rollout(weights):
    """From which words each token's vector comes, after all layers."""
    flow = np.eye(weights.shape[-1])
    for layer in weights:
        mixed = 0.5 * np.eye(len(flow)) + 0.5 * layer.mean(axis=0)
        flow = mixed @ flow
    return flow
'''


def _check_rollout(rollout: Any) -> None:
    import numpy as np

    def rolled(
        join: Any = lambda mixed, flow: mixed @ flow,
        residual: float = 0.5,
        over_heads: Any = lambda layer: layer.mean(axis=0),
    ) -> Any:
        def roll(weights: Any) -> Any:
            flow = np.eye(weights.shape[-1])
            for layer in weights:
                mixed = residual * np.eye(len(flow)) + (1 - residual) * over_heads(layer)
                flow = join(mixed, flow)
            return flow

        return roll

    look = np.array([[1.0, 0.0], [1.0, 0.0]])
    expect_function(
        rollout,
        rolled(),
        cases=[
            (_rows(4, (3, 2)),),
            (np.stack([look, np.eye(2)])[:, None],),
            (_rows(5, (2, 4), seed=5),),
        ],
        mistakes=[
            (
                rolled(join=lambda mixed, flow: flow @ mixed),
                "The layers are multiplied in the wrong order. The last layer looks at what the "
                "layers before it have made: its matrix stands on the left.",
            ),
            (
                rolled(residual=0.0),
                "The residual path is missing: half of each vector goes past attention unchanged, "
                "an identity matrix.",
            ),
            (
                rolled(over_heads=lambda layer: layer.sum(axis=0)),
                "You add the heads up, and rows no longer sum to one. Take their mean.",
            ),
            (
                rolled(join=lambda mixed, flow: mixed * flow),
                "You multiply entry by entry. Paths through a token in the middle are summed: that "
                "is the matrix product, @.",
            ),
            (
                lambda weights: weights.mean(axis=(0, 1)),
                "That is the mean over layers. Rollout multiplies them: each layer looks at the "
                "tokens as the one before left them.",
            ),
            (
                lambda weights: rolled()(weights) * 2.0 ** len(weights),
                "Your rows sum to more than one: half of each vector passes, half comes by "
                "attention. Take 0.5 of each.",
            ),
            (
                lambda weights: rolled()(weights.swapaxes(0, 1)),
                "You average over layers and multiply heads. The first axis is the layers: "
                "average weights[layer] over its heads.",
            ),
            (
                lambda weights: np.stack([rolled()(weights[: i + 1]) for i in range(len(weights))]),
                "That is one table for each layer. Give the last.",
            ),
            (
                rolled(
                    residual=0.5,
                    join=lambda mixed, flow: mixed @ flow + (np.eye(len(flow)) - flow) / 2,
                ),
                "Your residual path adds the identity anew in each layer. What passes by is half "
                "of the flow so far: (0.5 · I + 0.5 · A) @ flow.",
            ),
            (
                lambda weights: rolled()(weights[1:]) @ weights[0].mean(axis=0),
                "Your first layer has no residual path. Begin with the identity, and treat all "
                "layers alike.",
            ),
            (
                lambda weights: rolled()(weights[-1:]),
                "That is the last layer alone. Begin with the identity, and multiply all layers.",
            ),
        ],
    )


_WIDTH = '''
def width(weights, mask):
    """At how many tokens a head looks: exp of the mean entropy of the rows that are no padding."""
    rows = weights[mask == 1]
    logs = np.log(np.where(rows > 0, rows, 1.0))
    return np.exp(-(rows * logs).sum(axis=-1).mean())
'''


def _check_width(width: Any) -> None:
    import numpy as np

    def entropies(weights: Any) -> Any:
        return -(weights * np.log(np.where(weights > 0, weights, 1.0))).sum(axis=-1)

    def padded(tokens: int, real: int, seed: int) -> Any:
        weights = np.zeros((tokens, tokens))
        weights[:, :real] = np.random.default_rng(seed).dirichlet(np.ones(real), size=tokens)
        weights[real:, :real] = 1 / real
        return weights, (np.arange(tokens) < real).astype(int)

    # As in a real batch nobody looks at padding, so cutting its columns off is right as well.
    sure = np.array([[1.0, 0, 0, 0], [0.5, 0.5, 0, 0], [0.5, 0.5, 0, 0], [0.5, 0.5, 0, 0]])
    expect_function(
        width,
        lambda weights, mask: float(np.exp(entropies(weights[mask == 1]).mean())),
        cases=[padded(7, 4, 0), (sure, np.array([1, 1, 0, 0])), padded(5, 5, 2)],
        mistakes=[
            (
                lambda weights, mask: float(np.exp(entropies(weights).mean())),
                "Rows of padding count in yours. Nobody reads them: keep the rows where mask is 1.",
            ),
            (
                lambda weights, mask: float(entropies(weights[mask == 1]).mean()),
                "That is the entropy itself. exp makes a number of tokens of it.",
            ),
            (
                lambda weights, mask: float(np.exp(-entropies(weights[mask == 1]).mean())),
                "The sign is missing: a · ln(a) is negative, entropy is minus its sum.",
            ),
            (
                lambda weights, mask: float(np.exp(entropies(weights[mask == 1])).mean()),
                "You take exp of each row and then the mean. Asked is exp of the mean entropy.",
            ),
            (
                lambda weights, mask: float(
                    np.exp(entropies(weights[mask == 1]).mean() / np.log(2))
                ),
                "Logarithm to base 2 and exp do not belong together: use np.log.",
            ),
            (
                lambda weights, mask: float(np.exp((entropies(weights) * mask).mean())),
                "Rows of padding add nothing to your sum, but they count in its mean. Divide by "
                "the number of real rows.",
            ),
            (
                lambda weights, mask: float(np.exp(entropies(weights[mask]).mean())),
                "The mask holds numbers, so weights[mask] fetches rows 0 and 1 again and again. "
                "Compare first: weights[mask == 1].",
            ),
            (
                lambda weights, mask: float("nan"),
                "0 · ln(0) is nan in numpy and 0 in an entropy: give the logarithm a 1 where the "
                "weight is 0.",
            ),
        ],
    )


EXERCISES = [
    Exercise(
        id="06.1",
        title="A measure for one kind of head",
        difficulty=1,
        importance=5,
        minutes=6,
        points=2,
        answer="previous_share",
        setup="import numpy as np",
        stub='''
            def previous_share(weights):
                """How much of its attention a token gives to the one before it, on average."""
                ...
        ''',
        solution=_PREVIOUS,
        check=_check_previous,
        hints=[
            "Row i is the token that looks, column j the one that is looked at. Where in row i "
            "stands the token before i?",
            "`sum(weights[i, i - 1] for i in range(1, n))`. How many tokens have one before them?",
        ],
        wrong_answers=[
            WrongAnswer(changed(_PREVIOUS, "weights[i, i - 1]", "weights[i - 1, i]"), "next token"),
            WrongAnswer(
                changed(_PREVIOUS, "weights[i, i - 1]", "weights[i - 1, i - 1]")
                .replace("range(1, n)", "range(1, n + 1)")
                .replace("(n - 1)", "n"),
                "to themselves",
            ),
            WrongAnswer(changed(_PREVIOUS, " / (n - 1)", ""), "That is the sum"),
            WrongAnswer(changed(_PREVIOUS, "/ (n - 1)", "/ n"), "divide by n - 1"),
            WrongAnswer(
                changed(changed(_PREVIOUS, "range(1, n)", "range(n)"), "/ (n - 1)", "/ n"),
                "counts -1 from the end",
            ),
            WrongAnswer(changed(_PREVIOUS, "range(1, n)", "range(n)"), "Begin with token 1"),
            WrongAnswer(
                "def previous_share(weights):\n"
                "    return (weights * np.eye(len(weights), k=-1)).mean()",
                "zeros included",
            ),
            WrongAnswer(
                "def previous_share(weights):\n    return np.diagonal(weights, -1)[:-1].mean()",
                "leave [SEP] out",
            ),
        ],
        praise='Equal to heads.share(weights, patterns["previous"]), which leaves out [CLS] and '
        "[SEP].",
        explanation="The token before i stands in weights[i, i - 1]; n - 1 tokens have one.",
    ),
    Exercise(
        id="06.2",
        title="What arrives",
        difficulty=2,
        importance=5,
        minutes=8,
        points=3,
        answer="what_arrives",
        setup="import numpy as np",
        stub='''
            def what_arrives(weights, vectors):
                """Share of each token in what arrives: weight times length; rows sum to one."""
                ...
        ''',
        solution=_ARRIVES,
        check=_check_arrives,
        hints=[
            "Each vector has a length: np.linalg.norm(vectors, axis=-1), shape (tokens,). To which "
            "side of the table does it belong, to the token that looks or the one looked at?",
            "`weights * lengths` multiplies each column by its token's length. Then divide each "
            "row by its sum; keepdims=True keeps the shapes right.",
        ],
        wrong_answers=[
            WrongAnswer(
                changed(_ARRIVES, "weights * lengths", "weights * lengths[:, None]"),
                "missing or cancel out",
            ),
            WrongAnswer(
                changed(_ARRIVES, "np.linalg.norm(vectors, axis=-1)", "np.linalg.norm(vectors)"),
                "axis is missing",
            ),
            WrongAnswer(changed(_ARRIVES, ", keepdims=True", ""), "keepdims=True keeps the sums"),
            WrongAnswer(
                changed(_ARRIVES, "carried.sum(axis=-1, keepdims=True)", "carried.sum()"),
                "whole table sums to one",
            ),
            WrongAnswer(
                changed(
                    _ARRIVES, "np.linalg.norm(vectors, axis=-1)", "np.abs(vectors).sum(axis=-1)"
                ),
                "absolute values",
            ),
            WrongAnswer(
                "def what_arrives(weights, vectors):\n    return weights @ vectors",
                "vector that arrives",
            ),
            WrongAnswer(
                changed(_ARRIVES, "carried / carried.sum(axis=-1, keepdims=True)", "carried"),
                "These are amounts",
            ),
            WrongAnswer(
                changed(_ARRIVES, "carried.sum(axis=-1, keepdims=True)", "carried.sum(axis=0)"),
                "columns sum to one",
            ),
            WrongAnswer(
                changed(
                    _ARRIVES, "np.linalg.norm(vectors, axis=-1)", "(vectors ** 2).sum(axis=-1)"
                ),
                "squared length",
            ),
            WrongAnswer(
                changed(_ARRIVES, "np.linalg.norm(vectors, axis=-1)", "vectors.sum(axis=-1)"),
                "plus and minus cancel",
            ),
        ],
        praise="A heavy weight on a short vector carries little: that is most of what [CLS] gets.",
        explanation="Attention adds weight times vector, so what arrives is weight times length.",
    ),
    Exercise(
        id="06.3",
        title="How widely does a head look?",
        difficulty=3,
        importance=3,
        minutes=8,
        points=3,
        answer="width",
        setup="import numpy as np",
        stub='''
            def width(weights, mask):
                """At how many tokens a head looks: exp of the mean entropy of the unpadded rows."""
                ...
        ''',
        solution=_WIDTH,
        check=_check_width,
        hints=[
            "`weights[mask == 1]` keeps the rows of real tokens. The entropy of a row is "
            "- Σ a · ln a.",
            "np.log(0) is -inf, and 0 · -inf is nan: `np.log(np.where(rows > 0, rows, 1.0))` is 0 "
            "there. Mean over rows first, exp last.",
        ],
        wrong_answers=[
            WrongAnswer(changed(_WIDTH, "weights[mask == 1]", "weights"), "Rows of padding"),
            WrongAnswer(
                changed(
                    _WIDTH,
                    "np.exp(-(rows * logs).sum(axis=-1).mean())",
                    "-(rows * logs).sum(axis=-1).mean()",
                ),
                "entropy itself",
            ),
            WrongAnswer(changed(_WIDTH, "np.exp(-(rows", "np.exp((rows"), "sign is missing"),
            WrongAnswer(
                changed(
                    _WIDTH,
                    "np.exp(-(rows * logs).sum(axis=-1).mean())",
                    "np.exp(-(rows * logs).sum(axis=-1)).mean()",
                ),
                "exp of each row",
            ),
            WrongAnswer(changed(_WIDTH, "np.log(", "np.log2("), "base 2"),
            WrongAnswer(changed(_WIDTH, "weights[mask == 1]", "weights[mask]"), "Compare first"),
            WrongAnswer(
                changed(_WIDTH, "weights[mask == 1]", "weights * mask[:, None]"),
                "count in its mean",
            ),
            WrongAnswer(
                "def width(weights, mask):\n"
                "    rows = weights[mask == 1]\n"
                "    return np.exp(-(rows * np.log(rows)).sum(axis=-1).mean())",
                "0 · ln(0)",
            ),
        ],
        praise="1 is a head that looks at one token; as many as there are tokens, one that looks "
        "at all alike.",
        explanation="Entropy of the real rows, mean, exp; zero weights add nothing.",
    ),
    Exercise(
        id="06.4",
        title="Rollout",
        difficulty=3,
        importance=4,
        minutes=9,
        points=4,
        answer="rollout",
        setup="import numpy as np",
        stub='''
            def rollout(weights):
                """From which words each token's vector comes, after all layers."""
                ...
        ''',
        solution=_ROLLOUT,
        check=_check_rollout,
        hints=[
            "Begin with np.eye(tokens): before the first layer each token is its own word. Each "
            "layer of weights, (heads, tokens, tokens), is averaged over its heads.",
            "One layer: `mixed = 0.5 * np.eye(n) + 0.5 * layer.mean(axis=0)`. The layer looks at "
            "what was made so far, so `flow = mixed @ flow` and not the other way round.",
        ],
        wrong_answers=[
            WrongAnswer(changed(_ROLLOUT, "mixed @ flow", "flow @ mixed"), "wrong order"),
            WrongAnswer(
                changed(_ROLLOUT, "0.5 * np.eye(len(flow)) + 0.5 * layer", "layer"),
                "residual path is missing",
            ),
            WrongAnswer(changed(_ROLLOUT, "layer.mean", "layer.sum"), "add the heads up"),
            WrongAnswer(changed(_ROLLOUT, "mixed @ flow", "mixed * flow"), "entry by entry"),
            WrongAnswer(
                changed(
                    _ROLLOUT, "0.5 * np.eye(len(flow)) + 0.5 * layer", "np.eye(len(flow)) + layer"
                ),
                "sum to more than one",
            ),
            WrongAnswer(
                changed(
                    changed(_ROLLOUT, "layer in weights", "layer in weights.mean(axis=0)"),
                    "layer.mean(axis=0)",
                    "layer",
                ),
                "average over layers",
            ),
            WrongAnswer(
                changed(
                    changed(
                        _ROLLOUT, "mixed @ flow", "0.5 * np.eye(len(flow)) + 0.5 * mixed @ flow"
                    ),
                    "0.5 * np.eye(len(flow)) + 0.5 * layer.mean(axis=0)",
                    "layer.mean(axis=0)",
                ),
                "identity anew",
            ),
            WrongAnswer(
                changed(
                    changed(_ROLLOUT, "np.eye(weights.shape[-1])", "weights[0].mean(axis=0)"),
                    "layer in weights",
                    "layer in weights[1:]",
                ),
                "first layer has no residual",
            ),
            WrongAnswer(
                changed(_ROLLOUT, "layer in weights", "layer in weights[-1:]"), "last layer alone"
            ),
            WrongAnswer(
                changed(
                    changed(
                        changed(_ROLLOUT, "    flow = np", "    every = []\n    flow = np"),
                        "mixed @ flow",
                        "mixed @ flow\n        every.append(flow)",
                    ),
                    "return flow",
                    "return np.stack(every)",
                ),
                "Give the last",
            ),
            WrongAnswer(
                "def rollout(weights):\n    return weights.mean(axis=(0, 1))", "mean over layers"
            ),
        ],
        praise="Equal to interpretability.rollout(weights)[-1].",
        explanation="Mean over heads, half of it residual, one matrix product for each layer.",
    ),
]

QUIZ = [
    Question(
        "`attentions[3][0, 5, 7, 2]` is 0.6. What does it say?",
        [
            Option(
                "In layer 3, head 5, token 7 gives 0.6 of its attention to token 2.",
                "Layer, text, head, the token that looks, the token looked at. Layers, heads and "
                "tokens are counted from 0.",
                right=True,
            ),
            Option(
                "In layer 3, head 5, token 2 gives 0.6 of its attention to token 7.",
                "Rows look, columns are looked at. Rows sum to one, columns need not: that is how "
                "to tell them apart.",
            ),
            Option(
                "In layer 5, head 3, token 7 gives 0.6 of its attention to token 2.",
                "The list is over layers; heads are the second dimension of its tensors.",
            ),
            Option(
                "Token 2 is 60 % of the reason for the model's answer.",
                "A weight says where one head of one layer looked. What follows for the answer "
                "goes through vectors, heads, layers and the classifier.",
            ),
        ],
    ),
    Question(
        "[CLS] gets half of a layer's attention, and hardly more of what arrives than by chance. "
        "How can that be?",
        [
            Option(
                "The measurement is wrong: rows of attention sum to one.",
                "They do. What arrives is weight times vector, and vectors have lengths.",
            ),
            Option(
                "[CLS] holds the meaning of the whole sentence.",
                "Then much would arrive from it. These encoders pool the mean of all tokens and "
                "never trained [CLS] for that.",
            ),
            Option(
                "Its value vector is short: heads look there when they have nothing to fetch.",
                "A row must sum to one, so a head without a task needs a place that does no harm.",
                right=True,
            ),
            Option(
                "Softmax prefers the first token.",
                "Softmax does not know where a score stands; the scores were learned.",
            ),
        ],
    ),
    Question(
        "A head gives brand names five times their fair share. What would show that it is a brand "
        "head, and not a head for important nouns?",
        [
            Option(
                "A picture of one review in which it looks at the brand.",
                "One picture can be chosen. Among 72 heads there is one for every story.",
            ),
            Option(
                "A larger share: ten times would prove it.",
                "A head for nouns could reach that too. The size does not say what else it looks "
                "at.",
            ),
            Option(
                "That another layer has such a head as well.",
                "Then there are two heads whose kind is unknown.",
            ),
            Option(
                "Reviews that did not choose it, and the same measure on words such as screen.",
                "Fresh reviews guard against the best of 72 by luck, control words against another "
                "explanation.",
                right=True,
            ),
        ],
    ),
    Question(
        "Half of the heads can go and accuracy hardly moves. Which conclusions hold?",
        [
            Option(
                "A picture of one of those heads explains nothing about this classifier's answers.",
                "It is drawn, it has a pattern, and the answers do not need it.",
                right=True,
            ),
            Option(
                "The model should have been built with half of the heads.",
                "Known after training. A smaller model trained from the start is another question.",
            ),
            Option(
                "Which heads go matters: in another order the fall comes earlier.",
                "That is what the curves show, and why importance is measured first.",
                right=True,
            ),
            Option(
                "Masked heads make the model faster.",
                "A head multiplied by zero is still computed. Speed needs smaller matrices.",
            ),
        ],
        several=True,
    ),
    Question(
        "A generator gives 60 % of its attention to the first token of every prompt. You put "
        "another word there. What happens?",
        [
            Option(
                "The share stays about the same: it is the place that is looked at.",
                "Measured in section 8. A causal model needs a place that every token can see, and "
                "only the first one is.",
                right=True,
            ),
            Option(
                "The share falls: the old word was important.",
                "That is the story which the picture tells. The measurement tells another.",
            ),
            Option(
                "The share moves to wherever the old word now stands.",
                "It would, if the word were looked at.",
            ),
        ],
    ),
    Question(
        "You read `outputs[-1]` of an encoder to get its attention. What do you get?",
        [
            Option(
                "Always the last layer's attention weights.",
                "`outputs.attentions[-1]` is that. A position in a tuple depends on what else was "
                "asked for.",
            ),
            Option(
                "Whatever stands last in the output this time.",
                "Hidden states, a pooled vector, attentions: depending on model and arguments. "
                "Read fields by their names.",
                right=True,
            ),
            Option(
                "An error, since outputs have no order.",
                "They have one, and that is why the mistake is silent.",
            ),
        ],
    ),
]
