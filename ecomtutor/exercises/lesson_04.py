"""Exercises and quiz of lesson 04, inside BERT."""

from __future__ import annotations

from typing import Any

from ecomtutor.exercises.checking import expect_function
from ecomtutor.exercises.registry import Exercise, Option, Question, WrongAnswer, changed

_EMBED = '''
def embed(token_ids, segment_ids, words, segments, positions):
    """ids (tokens,) and three tables (rows, width) -> (tokens, width)."""
    return words[token_ids] + segments[segment_ids] + positions[: len(token_ids)]
'''


def _check_embed(embed: Any) -> None:
    import torch

    generator = torch.Generator().manual_seed(4)
    words, segments, positions = (torch.randn(n, 6, generator=generator) for n in (12, 2, 16))
    token_ids = torch.tensor([2, 7, 7, 3, 5, 3])
    segment_ids = torch.tensor([0, 0, 0, 0, 1, 1])
    start = "The first token, [CLS], stands at position 0."
    expect_function(
        embed,
        lambda t, s, w, g, p: w[t] + g[s] + p[: len(t)],
        cases=[(token_ids, segment_ids, words, segments, positions)],
        mistakes=[
            (
                lambda t, s, w, g, p: w[t] + g[s],
                "The positions are missing: 不错 and 错不 would have the same two vectors.",
            ),
            (
                lambda t, s, w, g, p: w[t] + p[: len(t)],
                "The segments are missing: the model cannot tell the first text from the second.",
            ),
            (
                lambda t, s, w, g, p: w[t] + g[0] + p[: len(t)],
                "Every token gets segment 0 in your sum. Look the segment of each token up.",
            ),
            (
                lambda t, s, w, g, p: w[t] + g[s] + p[t],
                "You look positions up by token id. A position is where the token stands: 0, 1, 2.",
            ),
            (
                lambda t, s, w, g, p: w[t] + g[s] + p[1 : len(t) + 1],
                f"Your positions begin at 1. {start}",
            ),
            (
                lambda t, s, w, g, p: w[t] + g[s] + p[0],
                f"Every token gets position 0 in your sum. {start} The next one at 1.",
            ),
            (
                lambda t, s, w, g, p: (w[t] + g[s] + p[: len(t)]) / 3,
                "That is the mean of the three. BERT adds them; the norm comes later.",
            ),
            (
                lambda t, s, w, g, p: torch.cat([w[t], g[s], p[: len(t)]], dim=-1),
                "You put the three side by side, so the width is three times as large. Add them.",
            ),
        ],
    )


_SECOND_HALF = '''
def second_half(x, W1, b1, W2, b2, gain, shift):
    """x (tokens, width), W1 (inner, width), W2 (width, inner) -> (tokens, width)."""
    inner = torch.nn.functional.gelu(x @ W1.T + b1)
    change = inner @ W2.T + b2
    return torch.nn.functional.layer_norm(x + change, x.shape[-1:], gain, shift)
'''


def _half(activation: str = "gelu", order: str = "post", biases: bool = True) -> Any:
    """The second half of a layer with one likely mistake built in."""
    import torch
    from torch.nn import functional

    activations = {
        "gelu": functional.gelu,
        "tanh": lambda z: functional.gelu(z, approximate="tanh"),
        "relu": torch.relu,
        "none": lambda z: z,
    }

    def half(x: Any, W1: Any, b1: Any, W2: Any, b2: Any, gain: Any, shift: Any) -> Any:
        def norm(z: Any) -> Any:
            return functional.layer_norm(z, z.shape[-1:], gain, shift)

        def change(z: Any) -> Any:
            inner = activations[activation](z @ W1.T + biases * b1)
            return inner @ W2.T + biases * b2

        orders = {
            "post": lambda: norm(x + change(x)),
            "no residual": lambda: norm(change(x)),
            "no norm": lambda: x + change(x),
            "pre": lambda: x + change(norm(x)),
            "norm of the change": lambda: x + norm(change(x)),
            "bare norm": lambda: functional.layer_norm(x + change(x), x.shape[-1:]),
            "over tokens": lambda: norm_over_tokens(x + change(x)) * gain + shift,
        }
        return orders[order]()

    def norm_over_tokens(z: Any) -> Any:
        return (z - z.mean(0)) / (z.var(0, unbiased=False) + 1e-5).sqrt()

    return half


def _check_second_half(second_half: Any) -> None:
    import torch

    generator = torch.Generator().manual_seed(5)
    sizes = [(5, 8), (32, 8), (32,), (8, 32), (8,), (8,), (8,)]
    case = tuple(torch.randn(*size, generator=generator) for size in sizes)
    expect_function(
        second_half,
        _half(),
        cases=[case],
        abs=1e-5,
        mistakes=[
            (
                _half(order="no residual"),
                "The residual is missing: x itself must be added before the norm.",
            ),
            (_half(order="no norm"), "The norm is missing: the sum is not yet normalised."),
            (
                _half(order="pre"),
                "That is pre-norm, as in GPT-2. BERT adds first and normalises the sum.",
            ),
            (
                _half(order="norm of the change"),
                "You normalise the change alone and add x after it. BERT normalises the sum.",
            ),
            (
                _half(order="bare norm"),
                "The norm's learned gain and shift are not used in your function.",
            ),
            (
                _half(order="over tokens"),
                "Your norm runs over the tokens. Each token is normalised by itself, over width.",
            ),
            (_half("relu"), "BERT's activation is GELU. ReLU is that of the transformer of 2017."),
            (
                _half("none"),
                "Without an activation two linear layers are one linear layer: GELU belongs "
                "between them.",
            ),
            (
                _half("tanh"),
                "Close, but that is the tanh approximation of GELU, as in GPT-2. BERT's is exact.",
            ),
            (_half(biases=False), "The two biases, b1 and b2, are not added."),
        ],
    )


_HIDE = '''
def hide(ids, chosen, draw, mask_id, random_ids):
    """All (tokens,), draw in [0, 1) -> what the model sees, labels."""
    seen = torch.where(chosen & (draw < 0.8), mask_id, ids)
    swapped = chosen & (draw >= 0.8) & (draw < 0.9)
    seen = torch.where(swapped, random_ids, seen)
    labels = torch.where(chosen, ids, -100)
    return seen, labels
'''


def _hide(
    masked: float = 0.8, swapped: float = 0.9, everywhere: bool = False, labels: str = "chosen"
) -> Any:
    """The 80/10/10 rule with one likely mistake built in."""
    import torch

    def hide(ids: Any, chosen: Any, draw: Any, mask_id: Any, random_ids: Any) -> Any:
        where = chosen | True if everywhere else chosen
        seen = torch.where(where & (draw < masked), mask_id, ids)
        seen = torch.where(where & (draw >= masked) & (draw < swapped), random_ids, seen)
        answers = {
            "chosen": torch.where(chosen, ids, -100),
            "masked": torch.where(chosen & (draw < 0.8), ids, -100),
            "changed": torch.where(seen != ids, ids, -100),
            "all": ids,
            "seen": torch.where(chosen, seen, -100),
            "zero": torch.where(chosen, ids, 0),
            "flipped": torch.where(chosen, -100, ids),
        }
        return seen, answers[labels]

    return hide


def _check_hide(hide: Any) -> None:
    import torch

    generator = torch.Generator().manual_seed(6)
    ids = torch.randint(10, 60, (40,), generator=generator)
    chosen = torch.rand(40, generator=generator) < 0.5
    draw = torch.rand(40, generator=generator)
    random_ids = torch.randint(60, 90, (40,), generator=generator)
    kept = "Tokens that are asked but stay as they are"
    expect_function(
        hide,
        _hide(),
        cases=[(ids, chosen, draw, 4, random_ids)],
        mistakes=[
            (
                _hide(everywhere=True),
                "You hide tokens that were not chosen: combine every condition with chosen.",
            ),
            (
                _hide(masked=1.0),
                "All chosen tokens become [MASK] in your answer. That is 100/0/0: in use the model "
                "meets no [MASK], so a tenth is swapped and a tenth kept.",
            ),
            (
                _hide(swapped=1.0),
                "That is 80/20/0: where draw is 0.9 or more, the token stays as it is.",
            ),
            (
                _hide(masked=0.8, swapped=0.8),
                "That is 80/0/20: between 0.8 and 0.9 the token is swapped for the random one.",
            ),
            (
                _hide(masked=0.1, swapped=0.2),
                "You mask a tenth. [MASK] is for eight tenths: draw below 0.8.",
            ),
            (
                _hide(labels="masked"),
                f"{kept}, or were swapped, have no label in your answer: every chosen token is "
                "asked.",
            ),
            (
                _hide(labels="changed"),
                f"{kept} have no label in your answer: every chosen token is asked.",
            ),
            (
                _hide(labels="all"),
                "You ask for every token. The model would mostly learn to copy what it sees.",
            ),
            (
                _hide(labels="seen"),
                "Your labels are what the model sees: it would learn to answer [MASK]. The label "
                "is the original token.",
            ),
            (
                _hide(labels="zero"),
                "0 is a token, [PAD]. What is not asked is labelled -100, which no loss counts.",
            ),
            (
                _hide(labels="flipped"),
                "Your labels are upside down: you ask for the tokens that were not chosen.",
            ),
        ],
    )


_MLM_LOSS = '''
def mlm_loss(logits, labels):
    """logits (tokens, vocabulary), labels (tokens,), -100: not asked -> a number."""
    asked = labels != -100
    p = logits[asked].softmax(dim=-1)
    right = p[torch.arange(len(p)), labels[asked]]
    return -right.log().mean()
'''


def _check_mlm_loss(mlm_loss: Any) -> None:
    import torch
    from torch.nn.functional import cross_entropy

    generator = torch.Generator().manual_seed(7)
    logits = 3 * torch.randn(8, 150, generator=generator)
    labels = torch.tensor([-100, 31, -100, 7, -100, -100, 120, -100])

    def logs(x: Any, y: Any, dim: int = -1) -> Any:
        asked = y != -100
        return x.log_softmax(dim)[asked, y[asked]]

    expect_function(
        mlm_loss,
        cross_entropy,
        cases=[(logits, labels)],
        mistakes=[
            (lambda x, y: -logs(x, y).sum(), "That is the sum. The loss is the mean."),
            (
                lambda x, y: -logs(x, y).sum() / len(y),
                "You divide by all tokens. Only those that are asked count, in the sum and in the "
                "divisor.",
            ),
            (
                lambda x, y: -x.log_softmax(-1)[torch.arange(len(y)), y].mean(),
                "-100 went in as an index, and Python counted it from the end of the vocabulary. "
                "Leave out the places that are not asked.",
            ),
            (lambda x, y: logs(x, y).mean(), "The sign: log p is negative, a loss is not."),
            (
                lambda x, y: -logs(x, y).mean() / torch.tensor(2.0).log(),
                "That is in bits. The loss is counted with the natural logarithm, in nats.",
            ),
            (
                lambda x, y: -logs(x, y).exp().mean(),
                "The logarithm is missing: you averaged the probabilities.",
            ),
            (
                lambda x, y: -logs(x, y).exp().mean().log(),
                "You took the mean first and the logarithm after it. A token that is sure to be "
                "missed would hardly count: logarithm first, then the mean.",
            ),
            (
                lambda x, y: -x[y != -100, y[y != -100]].mean(),
                "These are logits, not probabilities: the softmax is missing.",
            ),
            (
                lambda x, y: -logs(x, y, dim=0).mean(),
                "Your softmax runs over the tokens. It must run over the vocabulary: dim=-1.",
            ),
        ],
    )


_PRETRAINING_LOSS = '''
def pretraining_loss(mlm_logits, labels, nsp_logits, follows):
    """(b, tokens, vocabulary), (b, tokens), (b, 2), boolean (b,) -> a number."""
    mlm = torch.nn.functional.cross_entropy(mlm_logits.flatten(0, 1), labels.flatten())
    nsp = torch.nn.functional.cross_entropy(nsp_logits, (~follows).long())
    return mlm + nsp
'''


def _check_pretraining_loss(pretraining_loss: Any) -> None:
    import torch
    from torch.nn.functional import cross_entropy

    generator = torch.Generator().manual_seed(8)
    mlm_logits = 2 * torch.randn(3, 6, 20, generator=generator)
    labels = torch.tensor([[-100, 3, 9, -100, 11, 7], [-100, 19, *[-100] * 4], [5, *[-100] * 5]])
    nsp_logits = 2 * torch.randn(3, 2, generator=generator)
    follows = torch.tensor([True, False, True])

    def mlm(x: Any, y: Any) -> Any:
        return cross_entropy(x.flatten(0, 1), y.flatten())

    def nsp(x: Any, f: Any, reduction: str = "mean") -> Any:
        return cross_entropy(x, (~f).long(), reduction=reduction)

    def row_means(x: Any, y: Any) -> Any:
        return torch.stack([mlm(x[i : i + 1], y[i : i + 1]) for i in range(len(x))]).mean()

    expect_function(
        pretraining_loss,
        lambda x, y, n, f: mlm(x, y) + nsp(n, f),
        cases=[(mlm_logits, labels, nsp_logits, follows)],
        mistakes=[
            (
                lambda x, y, n, f: mlm(x, y) + cross_entropy(n, f.long()),
                "Index 0 means “is the next one”. You gave the pairs that follow the index 1.",
            ),
            (
                lambda x, y, n, f: (mlm(x, y) + nsp(n, f)) / 2,
                "That is the mean of the two losses. The articles, and BERT, add them.",
            ),
            (lambda x, y, n, f: mlm(x, y), "Only the masked tokens count in yours: add NSP."),
            (lambda x, y, n, f: nsp(n, f), "Only the next sentence counts in yours: add MLM."),
            (
                lambda x, y, n, f: mlm(x, y) + nsp(n, f, "sum"),
                "You summed NSP over the pairs. It is a mean, so that a larger batch weighs alike.",
            ),
            (
                lambda x, y, n, f: row_means(x, y) + nsp(n, f),
                "You took the mean of each text first, and then the mean of those. All asked "
                "tokens of the batch count alike: flatten the batch.",
            ),
        ],
    )


EXERCISES = [
    Exercise(
        id="04.1",
        title="Three vectors become one",
        difficulty=1,
        importance=5,
        minutes=5,
        points=2,
        answer="embed",
        setup="import torch",
        stub='''
            def embed(token_ids, segment_ids, words, segments, positions):
                """ids (tokens,) and three tables (rows, width) -> (tokens, width)."""
                ...
        ''',
        solution=_EMBED,
        check=_check_embed,
        hints=[
            "table[ids] takes one row of the table for each id.",
            "The positions are not given as ids: they are 0, 1, 2 …, the first rows of the table.",
        ],
        wrong_answers=[
            WrongAnswer(
                changed(_EMBED, " + positions[: len(token_ids)]", ""), "positions are missing"
            ),
            WrongAnswer(changed(_EMBED, " + segments[segment_ids]", ""), "segments are missing"),
            WrongAnswer(changed(_EMBED, "[segment_ids]", "[0]"), "gets segment 0"),
            WrongAnswer(changed(_EMBED, "[: len(token_ids)]", "[token_ids]"), "by token id"),
            WrongAnswer(
                changed(_EMBED, "[: len(token_ids)]", "[1 : len(token_ids) + 1]"), "begin at 1"
            ),
            WrongAnswer(
                changed(
                    _EMBED,
                    "words[token_ids] + segments[segment_ids] + positions[: len(token_ids)]",
                    "torch.stack([words[token_ids], segments[segment_ids], "
                    "positions[: len(token_ids)]]).mean(dim=0)",
                ),
                "mean of the three",
            ),
            WrongAnswer(
                changed(
                    _EMBED,
                    "words[token_ids] + segments[segment_ids] + positions[: len(token_ids)]",
                    "torch.cat([words[token_ids], segments[segment_ids], "
                    "positions[: len(token_ids)]], dim=-1)",
                ),
                "side by side",
            ),
        ],
        praise="Word, segment, position: all that BERT knows of a text before its first layer.",
        explanation="Three rows of three tables, added number by number.",
    ),
    Exercise(
        id="04.2",
        title="The second half of a layer",
        difficulty=3,
        importance=5,
        minutes=8,
        points=3,
        answer="second_half",
        setup="import torch",
        stub='''
            def second_half(x, W1, b1, W2, b2, gain, shift):
                """x (tokens, width), W1 (inner, width), W2 (width, inner) -> (tokens, width)."""
                ...
        ''',
        solution=_SECOND_HALF,
        check=_check_second_half,
        hints=[
            "Widen, GELU, narrow: that is the change. What is added to it, and what comes last?",
            "nn.Linear keeps its matrix as (outputs, inputs): x @ W1.T + b1.",
            "torch.nn.functional.layer_norm(total, total.shape[-1:], gain, shift) is the norm.",
        ],
        wrong_answers=[
            WrongAnswer(changed(_SECOND_HALF, "x + change,", "change,"), "residual is missing"),
            WrongAnswer(
                changed(
                    _SECOND_HALF,
                    "torch.nn.functional.layer_norm(x + change, x.shape[-1:], gain, shift)",
                    "x + change",
                ),
                "norm is missing",
            ),
            WrongAnswer(
                "def second_half(x, W1, b1, W2, b2, gain, shift):\n"
                "    z = torch.nn.functional.layer_norm(x, x.shape[-1:], gain, shift)\n"
                "    return x + torch.nn.functional.gelu(z @ W1.T + b1) @ W2.T + b2",
                "pre-norm",
            ),
            WrongAnswer(
                changed(
                    _SECOND_HALF,
                    "torch.nn.functional.layer_norm(x + change, x.shape[-1:], gain, shift)",
                    "x + torch.nn.functional.layer_norm(change, x.shape[-1:], gain, shift)",
                ),
                "the change alone",
            ),
            WrongAnswer(changed(_SECOND_HALF, ", gain, shift)\n", ")\n"), "gain and shift"),
            WrongAnswer(
                changed(_SECOND_HALF, "functional.gelu", "functional.relu"), "ReLU is that"
            ),
            WrongAnswer(
                changed(_SECOND_HALF, "torch.nn.functional.gelu(x @ W1.T + b1)", "x @ W1.T + b1"),
                "one linear layer",
            ),
            WrongAnswer(
                changed(_SECOND_HALF, "W1.T + b1)", "W1.T + b1, approximate='tanh')"),
                "tanh approximation",
            ),
        ],
        praise="Two thirds of a layer's weights work in these three lines.",
        explanation="Post-norm: the norm stands after the addition, on the sum.",
    ),
    Exercise(
        id="04.3",
        title="Hide eight, swap one, keep one",
        difficulty=2,
        importance=5,
        minutes=8,
        points=3,
        answer="hide",
        setup="import torch",
        stub='''
            def hide(ids, chosen, draw, mask_id, random_ids):
                """All (tokens,), draw in [0, 1) -> what the model sees, labels."""
                ...
        ''',
        solution=_HIDE,
        check=_check_hide,
        hints=[
            "torch.where(condition, a, b) takes a where the condition holds and b elsewhere.",
            "Conditions join with & and need brackets: chosen & (draw < 0.8).",
            "The labels do not depend on draw: the original id where chosen, -100 elsewhere.",
        ],
        wrong_answers=[
            WrongAnswer(
                changed(_HIDE, "chosen & (draw < 0.8)", "draw < 0.8").replace(
                    "chosen & (draw >= 0.8)", "(draw >= 0.8)"
                ),
                "not chosen",
            ),
            WrongAnswer(
                "def hide(ids, chosen, draw, mask_id, random_ids):\n"
                "    return torch.where(chosen, mask_id, ids), torch.where(chosen, ids, -100)",
                "100/0/0",
            ),
            WrongAnswer(changed(_HIDE, " & (draw < 0.9)", ""), "80/20/0"),
            WrongAnswer(
                changed(_HIDE, "torch.where(swapped, random_ids, seen)", "seen"), "80/0/20"
            ),
            WrongAnswer(
                changed(
                    _HIDE, "torch.where(chosen, ids, -100)", "torch.where(seen != ids, ids, -100)"
                ),
                "every chosen token",
            ),
            WrongAnswer(
                changed(
                    _HIDE,
                    "torch.where(chosen, ids, -100)",
                    "torch.where(chosen & (draw < 0.8), ids, -100)",
                ),
                "or were swapped",
            ),
            WrongAnswer(changed(_HIDE, "torch.where(chosen, ids, -100)", "ids"), "every token"),
            WrongAnswer(
                changed(_HIDE, "torch.where(chosen, ids, -100)", "torch.where(chosen, seen, -100)"),
                "answer [MASK]",
            ),
            WrongAnswer(changed(_HIDE, "ids, -100)", "ids, 0)"), "[PAD]"),
        ],
        praise="The label is always the original, whatever the model gets to see.",
        explanation="What the model sees depends on the draw; what it is asked does not.",
    ),
    Exercise(
        id="04.4",
        title="The loss of a blank",
        difficulty=2,
        importance=5,
        minutes=8,
        points=3,
        answer="mlm_loss",
        setup="import torch",
        stub='''
            def mlm_loss(logits, labels):
                """logits (tokens, vocabulary), labels (tokens,), -100: not asked -> a number."""
                ...
        ''',
        solution=_MLM_LOSS,
        check=_check_mlm_loss,
        hints=[
            "Three steps: keep the places that are asked, softmax, minus log of the right token.",
            "p[torch.arange(len(p)), answers] takes one number from each row.",
        ],
        wrong_answers=[
            WrongAnswer(changed(_MLM_LOSS, ".log().mean()", ".log().sum()"), "That is the sum"),
            WrongAnswer(
                changed(_MLM_LOSS, ".log().mean()", ".log().sum() / len(labels)"), "all tokens"
            ),
            WrongAnswer(
                "def mlm_loss(logits, labels):\n"
                "    p = logits.softmax(dim=-1)\n"
                "    return -p[torch.arange(len(p)), labels].log().mean()",
                "from the end",
            ),
            WrongAnswer(changed(_MLM_LOSS, "-right", "right"), "The sign"),
            WrongAnswer(changed(_MLM_LOSS, "right.log()", "right.log2()"), "in bits"),
            WrongAnswer(changed(_MLM_LOSS, "right.log().mean()", "right.mean()"), "logarithm is"),
            WrongAnswer(changed(_MLM_LOSS, ".log().mean()", ".mean().log()"), "mean first"),
            WrongAnswer(
                "def mlm_loss(logits, labels):\n"
                "    asked = labels != -100\n"
                "    return -logits[asked, labels[asked]].mean()",
                "softmax is missing",
            ),
            WrongAnswer(
                "def mlm_loss(logits, labels):\n"
                "    asked = labels != -100\n"
                "    return -logits.softmax(dim=0)[asked, labels[asked]].log().mean()",
                "over the vocabulary",
            ),
        ],
        praise="Equal to PyTorch's cross_entropy, which does the same in one pass.",
        explanation="Mean surprise, −log p, over the places that are asked and no others.",
    ),
    Exercise(
        id="04.5",
        title="Both losses, added",
        difficulty=3,
        importance=4,
        minutes=8,
        points=3,
        answer="pretraining_loss",
        setup="import torch",
        stub='''
            def pretraining_loss(mlm_logits, labels, nsp_logits, follows):
                """(b, tokens, vocabulary), (b, tokens), (b, 2), boolean (b,) -> a number."""
                ...
        ''',
        solution=_PRETRAINING_LOSS,
        check=_check_pretraining_loss,
        hints=[
            "torch.nn.functional.cross_entropy(logits, labels) wants (places, classes) and "
            "(places,), and leaves out -100 by itself.",
            "mlm_logits.flatten(0, 1) makes one long list of places of the batch.",
            "Index 0 is “is the next”: where follows is True the class is 0.",
        ],
        wrong_answers=[
            WrongAnswer(changed(_PRETRAINING_LOSS, "(~follows)", "follows"), "is the next one"),
            WrongAnswer(changed(_PRETRAINING_LOSS, "mlm + nsp", "(mlm + nsp) / 2"), "add them"),
            WrongAnswer(changed(_PRETRAINING_LOSS, "mlm + nsp", "mlm"), "add NSP"),
            WrongAnswer(changed(_PRETRAINING_LOSS, "mlm + nsp", "nsp"), "add MLM"),
            WrongAnswer(
                changed(_PRETRAINING_LOSS, ".long())", ".long(), reduction='sum')"), "summed NSP"
            ),
            WrongAnswer(
                "def pretraining_loss(mlm_logits, labels, nsp_logits, follows):\n"
                "    loss = torch.nn.functional.cross_entropy\n"
                "    rows = [loss(x, y) for x, y in zip(mlm_logits, labels)]\n"
                "    return torch.stack(rows).mean() + loss(nsp_logits, (~follows).long())",
                "mean of each text first",
            ),
        ],
        praise="This is the loss that shop-bert-mini was trained with.",
        explanation="Two means, one sum; no weight between them, as in the paper.",
    ),
]

QUIZ = [
    Question(
        "What does [CLS] hold before the first layer?",
        options=[
            Option(
                "A summary of the text.",
                "Nothing has been read yet: each token's vector depends on itself alone.",
            ),
            Option(
                "The same vector for every text.",
                "Same word, same segment, same position. A probe on it cannot beat the majority.",
                right=True,
            ),
            Option(
                "Zeros, until the layers fill it.",
                "It has a learned word vector like every other token, and it is not zero.",
            ),
            Option(
                "The mean of the word vectors.",
                "That is mean pooling, which you compute yourself; [CLS] is a token.",
            ),
        ],
    ),
    Question(
        "Of 1,000 tokens, 150 are chosen. After the 80/10/10 rule, how many labels does the loss "
        "count, on average?",
        options=[
            Option("120", "120 become [MASK]; the swapped and the kept ones are asked as well."),
            Option("135", "The 15 that stay as they are must be predicted too."),
            Option("1,000", "Then the model would mostly copy; the other 850 are labelled -100."),
            Option("150", "Every chosen token is asked, whatever the model sees.", right=True),
        ],
    ),
    Question(
        "You load MiniLM with AutoModelForMaskedLM and ask for a masked word. It answers "
        "“suspension”. Why?",
        options=[
            Option(
                "The head is new and random: the file has none.",
                "The loading report says MISSING, and another seed gives another word.",
                right=True,
            ),
            Option(
                "MiniLM is too small to know English.",
                "Its encoder is fine. What turns a state into a word was never trained.",
            ),
            Option(
                "The word was masked with the wrong symbol.",
                "tokenizer.mask_token_id is right, and a wrong symbol would not change by seed.",
            ),
            Option(
                "The model stands in training mode.",
                "from_pretrained puts it in evaluation mode; dropout is off.",
            ),
        ],
    ),
    Question(
        "A fresh model with 5,000 tokens in its vocabulary begins its pre-training. What is its "
        "MLM loss, in nats?",
        options=[
            Option("About 0.7", "ln 2: that is what NSP starts from, with two answers."),
            Option(
                "About 8.5",
                "It holds all tokens for equally likely: −log(1/5000) = ln 5000 = 8.5.",
                right=True,
            ),
            Option("About 5,000", "A loss is a logarithm of a probability: −log(1/5000)."),
            Option(
                "About 12.3", "That is log₂ 5000, in bits; the loss uses the natural logarithm."
            ),
        ],
    ),
    Question(
        "In a padded batch the attention_mask is forgotten. What happens?",
        options=[
            Option(
                "The library raises an error.",
                "No error and no warning: without a mask all tokens count as real.",
            ),
            Option(
                "Nothing: [PAD] has the vector zero.",
                "In trained files it often is not zero, and position and segment are added to it.",
            ),
            Option(
                "Only the outputs at [PAD] change, and nobody reads them.",
                "Real tokens look at the padding, so their outputs change as well.",
            ),
            Option(
                "A short text gets another answer when a long one stands beside it.",
                "The longer the neighbour, the more padding the real tokens look at.",
                right=True,
            ),
        ],
    ),
    Question(
        "Which of these are true of a BERT layer?",
        options=[
            Option(
                "About two thirds of its weights are in the feed-forward part.",
                "8 · width² of 12 · width², with an inner width of four times the width.",
                right=True,
            ),
            Option(
                "The feed-forward part mixes tokens.",
                "It treats each token by itself. Only attention mixes tokens.",
            ),
            Option(
                "The norm stands after the addition.",
                "Post-norm: norm(x + change). GPT-2 has it before, pre-norm.",
                right=True,
            ),
            Option(
                "Each token may look at the tokens after it.",
                "There is no causal mask: BERT reads in both directions, so it needs blanks to "
                "learn from.",
                right=True,
            ),
        ],
        several=True,
    ),
]
