"""Exercises and quiz of lesson 01, attention by hand."""

from __future__ import annotations

import math
from typing import Any

from ecomtutor.exercises.checking import expect, expect_function
from ecomtutor.exercises.registry import Exercise, Option, Question, WrongAnswer, changed

_BATTERY = "battery_weights = [0.2447, 0.6652, 0.0900]"


def _check_battery_weights(weights: Any) -> None:
    if hasattr(weights, "tolist"):  # a tensor or an array is as good as a list
        weights = weights.tolist()
    expect(
        list(weights) if isinstance(weights, tuple) else weights,
        [0.2447, 0.6652, 0.0900],
        what="battery_weights",
        rel=0,
        abs=6e-3,
        mistakes=[
            ([0.1173, 0.8668, 0.0159], "These are the weights of unscaled scores: divide by √4."),
            (
                [0.3072, 0.5065, 0.1863],
                "You divided by d_k = 4 instead of √d_k = 2, so the weights come out too flat.",
            ),
            ([1.0, 2.0, 0.0], "These are the scaled scores: the softmax is still to come."),
            ([2.0, 4.0, 0.0], "These are the raw scores: scale them, then take the softmax."),
            (
                [1 / 3, 2 / 3, 0.0],
                "You divided each score by the sum of the scores. Softmax takes exp first, so "
                "that even a score of 0 keeps some weight.",
            ),
            (
                [0.1065, 0.7870, 0.1065],
                "That is the column: who looks at battery. Asked was the row: where battery looks.",
            ),
            (
                [0.7054, 0.0351, 0.2595],
                "That is the row of great. Asked is where battery looks: the last row.",
            ),
            (
                [0.1554, 0.4223, 0.4223],
                "The last number of battery's query is -1, not 1: with its own key, "
                "1·2 + 2·0 + 0·0 + (-1)·2 = 0.",
            ),
            ([24.47, 66.52, 9.00], "These are percentages: give weights between 0 and 1."),
            ([2.718, 7.389, 1.0], "These are the exponentials: divide each by their sum."),
        ],
    )


_SOFTMAX_ROWS = '''
def softmax_rows(scores, temperature=1.0):
    """(rows, columns) of scores in, weights out: each row sums to 1."""
    scores = scores / temperature
    shifted = scores - scores.max(dim=-1, keepdim=True).values
    exponentials = shifted.exp()
    return exponentials / exponentials.sum(dim=-1, keepdim=True)
'''


def _check_softmax_rows(softmax_rows: Any) -> None:
    import torch

    from ecomtutor.attention import softmax

    small = torch.tensor([[3.0, 0.0, 2.0], [1.0, 2.0, 0.0]])
    large = torch.tensor([[1000.0, 1001.0, 999.0]])
    mixed = torch.tensor([[1000.0, 1001.0, 999.0], [0.0, 1.0, 2.0]])
    one_sum = "All your weights together sum to 1; each row alone should. Sum over dim=-1."

    def exponentials(case: Any, shift: bool = False) -> Any:
        scores = case[0] / (case[1] if len(case) > 1 else 1.0)
        return (scores - shift * scores.amax(dim=-1, keepdim=True)).exp()

    expect_function(
        softmax_rows,
        softmax,
        cases=[(small,), (small, 0.5), (large,), (mixed,)],
        mistakes=[
            (
                lambda scores, temperature=1.0: (scores / temperature).softmax(dim=0),
                "Your columns sum to 1, not your rows: over which dimension does the sum run?",
            ),
            (
                lambda scores, temperature=1.0: (scores * temperature).softmax(dim=-1),
                "You multiply by the temperature. A low temperature must sharpen: divide by it.",
            ),
            (
                lambda scores, temperature=1.0: scores.softmax(dim=-1),
                "The temperature changes nothing in your function: is it used before exp?",
            ),
            (
                lambda *case: exponentials(case) / exponentials(case).sum(-1, keepdim=True),
                "exp(1000) overflows to inf and inf / inf is nan: subtract each row's largest "
                "score before exp.",
            ),
            (
                lambda *case: (whole := (case[0] - case[0].max()).exp()) / whole.sum(-1, True),
                "One row of large scores ruins the others: you subtract the largest score of the "
                "whole matrix. Each row needs its own.",
            ),
            (
                lambda *case: exponentials(case, True),
                "These are the exponentials: divide each row by its sum.",
            ),
            (
                lambda *case: exponentials(case),
                "These are the exponentials: divide each row by its sum.",
            ),
            (lambda *case: exponentials(case) / exponentials(case).sum(), one_sum),
            (
                lambda *case: exponentials(case, True) / exponentials(case, True).sum(),
                one_sum,
            ),
        ],
    )


_ATTEND = '''
def attend(query, key, value, mask):
    """query (n, d_k), key (m, d_k), value (m, d_v), mask (n, m) -> (n, d_v)."""
    scores = query @ key.T / math.sqrt(query.shape[-1])
    scores = scores.masked_fill(~mask, -math.inf)
    weights = scores.softmax(dim=-1)
    return weights @ value
'''


def _attention_variant(
    scale: str = "root", dim: int = -1, masking: str = "before", mix: str = "value"
) -> Any:
    """An attention with one likely mistake built in."""

    def attend(query: Any, key: Any, value: Any, mask: Any) -> Any:
        d_k, d_v = query.shape[-1], value.shape[-1]
        divisor = {"root": math.sqrt(d_k), "none": 1.0, "d": d_k, "two": 2.0}
        divisor |= {"tokens": math.sqrt(len(key)), "values": math.sqrt(d_v)}
        scores = query @ key.T / divisor[scale]
        blocked = {"inverted": mask, "none": mask & False}.get(masking, ~mask)
        if masking == "added":
            scores = scores + mask
        if masking in ("before", "inverted", "none"):
            scores = scores.masked_fill(blocked, -math.inf)
        if masking == "zero":
            scores = scores.masked_fill(blocked, 0.0)
        weights = scores.softmax(dim=dim)
        if masking == "after":
            weights = weights.masked_fill(blocked, 0.0)
        if mix == "weights":
            return weights
        return weights @ (value if mix == "value" else key)

    return attend


def _check_attend(attend: Any) -> None:
    import torch

    generator = torch.Generator().manual_seed(1)
    query, key, value = (torch.randn(5, 16, generator=generator) for _ in range(3))
    other_keys, other_values = (
        torch.randn(7, 16, generator=generator),
        torch.rand(7, 9, generator=generator),
    )
    everyone = torch.ones(5, 5, dtype=torch.bool)
    expect_function(
        attend,
        _attention_variant(),
        cases=[
            (query, key, value, everyone),
            (query, key, value, everyone.tril()),
            (query, other_keys, other_values, torch.ones(5, 7, dtype=torch.bool)),
        ],
        rel=1e-4,
        abs=1e-5,
        mistakes=[
            (_attention_variant(scale="none"), "The scores are not divided by √d_k."),
            (
                _attention_variant(scale="d"),
                "You divide by d_k. The spread of a dot product grows with the root of d_k.",
            ),
            (
                _attention_variant(scale="tokens"),
                "You divide by the root of the number of tokens; d_k is query.shape[-1].",
            ),
            (
                _attention_variant(scale="two"),
                "You divide by 2. That was √4; these vectors have 16 numbers: √d_k.",
            ),
            (
                _attention_variant(scale="values"),
                "You take d_k from the values. It is the length of a query: query.shape[-1].",
            ),
            (
                _attention_variant(dim=0),
                "Your softmax runs down the columns, over the queries. Each query shares its "
                "weight among the keys: dim=-1.",
            ),
            (
                _attention_variant(masking="inverted"),
                "Your mask is upside down: True means that the query may look, so fill where "
                "the mask is False.",
            ),
            (
                _attention_variant(masking="added"),
                "You add the mask to the scores: True counts as 1 and False as 0, so a masked key "
                "loses a little and keeps weight. Set its score to -inf.",
            ),
            (_attention_variant(masking="none"), "The mask is not used: a query sees the future."),
            (
                _attention_variant(masking="after"),
                "You set weights to 0 after the softmax, so the rows no longer sum to 1. Set "
                "scores to -inf before it.",
            ),
            (
                _attention_variant(masking="zero"),
                "You set masked scores to 0, but exp(0) is 1: the masked key still gets weight.",
            ),
            (_attention_variant(mix="key"), "You mixed the keys. The output is made of values."),
            (
                _attention_variant(mix="weights"),
                "These are the weights. The output mixes the values with them: weights @ value.",
            ),
        ],
    )


_DECODER_MASK = '''
def decoder_mask(attention_mask):
    """attention_mask (batch, tokens) -> boolean (batch, 1, tokens, tokens)."""
    tokens = attention_mask.shape[1]
    causal = torch.ones(tokens, tokens, dtype=torch.bool).tril()
    return causal & attention_mask.bool()[:, None, None, :]
'''


def _check_decoder_mask(decoder_mask: Any) -> None:
    import torch

    from ecomtutor.attention import causal_mask, padding_mask

    def causal(attention_mask: Any) -> Any:
        return causal_mask(attention_mask.shape[1])

    batch = torch.tensor([[1, 1, 1, 0], [1, 1, 1, 1]])
    padded_left = torch.tensor([[0, 1, 1], [1, 1, 1], [0, 0, 1]])
    expect_function(
        decoder_mask,
        lambda mask: causal(mask) & padding_mask(mask),
        cases=[(padded_left,), (batch,)],
        mistakes=[
            (
                lambda mask: causal(mask).T & padding_mask(mask),
                "Your triangle lies above the diagonal: tokens see the future and not the past.",
            ),
            (
                lambda mask: causal(mask) | padding_mask(mask),
                "You joined the two masks with or: one permission is enough in yours, both are "
                "needed. Use &.",
            ),
            (
                lambda mask: causal(mask).tril(-1) & padding_mask(mask),
                "A token may look at itself: the diagonal belongs to the mask.",
            ),
            (
                lambda mask: ~(causal(mask) & padding_mask(mask)),
                "Your mask is upside down: True means that the token may look.",
            ),
            (
                lambda mask: causal(mask) & padding_mask(mask) & mask.bool()[:, None, :, None],
                "The columns are right, but you blocked the rows of padding tokens too. Leave "
                "the rows: what padding itself looks at is never used.",
            ),
            (
                lambda mask: causal(mask) & mask.bool()[:, None, :, None],
                "You blocked the rows of padding tokens. What must be blocked are their columns: "
                "nobody may look at padding.",
            ),
            (
                lambda mask: padding_mask(mask).expand(-1, -1, mask.shape[1], -1),
                "The future is visible in your mask: the causal half is missing.",
            ),
            (
                lambda mask: causal(mask) & mask.bool()[:, None, :],
                "The dimension for the heads is missing: the shape is (batch, 1, tokens, tokens).",
            ),
            (
                lambda mask: (causal(mask) & padding_mask(mask)).int(),
                "The mask holds numbers. Give booleans: a float or integer mask would be added to "
                "the scores.",
            ),
            (
                lambda mask: causal(mask).expand(len(mask), 1, -1, -1),
                "Padding is still visible in your mask: attention_mask is not used.",
            ),
        ],
    )


_PREVIOUS = '''
def previous_token_share(weights):
    """weights (heads, tokens, tokens) -> (heads,): mean weight on the token before."""
    return weights.diagonal(offset=-1, dim1=-2, dim2=-1).mean(dim=-1)
'''


def _check_previous_token_share(previous_token_share: Any) -> None:
    import torch

    generator = torch.Generator().manual_seed(2)
    weights = torch.randn(3, 6, 6, generator=generator).softmax(dim=-1)
    longer = torch.randn(2, 9, 9, generator=generator).softmax(dim=-1)

    def share(offset: int) -> Any:
        return lambda w: w.diagonal(offset, -2, -1).mean(dim=-1)

    expect_function(
        previous_token_share,
        share(-1),
        cases=[(weights,), (longer,)],
        mistakes=[
            (
                share(1),
                "That is the weight on the next token. Row i is the token that looks, so the one "
                "before it is column i - 1: offset=-1.",
            ),
            (
                lambda w: torch.stack([w[:, i, i - 1] for i in range(w.shape[-1])]).mean(0),
                "Your loop starts at token 0, which has nobody before it: index -1 is the last "
                "token. Start at 1.",
            ),
            (
                lambda w: (w.argmax(-1) == torch.arange(w.shape[-1]) - 1)[:, 1:].float().mean(-1),
                "You count how often the previous token wins. Asked is the mean of the weight.",
            ),
            (
                lambda w: w.diagonal(-1, -2, -1).mean(dim=-1).tolist(),
                "A list came: give a tensor with one number for each head.",
            ),
            (share(0), "That is the weight that tokens give themselves: the main diagonal."),
            (
                lambda w: w.diagonal(-1, -2, -1).sum(dim=-1) / w.shape[-1],
                "You divided by the number of tokens. The first token has nobody before it, so "
                "there is one pair less.",
            ),
            (
                lambda w: w.diagonal(-1, -2, -1).mean(),
                "You averaged the heads together: keep one number for each head.",
            ),
            (
                lambda w: w.diagonal(-1, 0, 1).mean(dim=-1),
                "Your diagonal runs over heads and tokens. The two token dimensions are the last "
                "two: dim1=-2, dim2=-1.",
            ),
            (
                lambda w: w.diagonal(-1, -2, -1).sum(dim=-1),
                "You summed the weights: a mean divides by the number of pairs.",
            ),
        ],
    )


EXERCISES = [
    Exercise(
        id="01.1",
        title="Where does battery look?",
        difficulty=1,
        importance=5,
        minutes=6,
        points=2,
        answer="battery_weights",
        stub="battery_weights = ...",
        solution=_BATTERY,
        check=_check_battery_weights,
        hints=[
            "Multiply the query of battery, [1, 2, 0, -1], with each key, number by number, and "
            "add up. That gives three raw scores.",
            "The raw scores are 2, 4 and 0. Divide by √4, take exp of each, and divide by the sum "
            "of the three.",
        ],
        wrong_answers=[
            WrongAnswer("battery_weights = [0.117, 0.867, 0.016]", "unscaled scores"),
            WrongAnswer("battery_weights = [0.307, 0.506, 0.186]", "instead of √d_k"),
            WrongAnswer("battery_weights = [1, 2, 0]", "the softmax is still to come"),
            WrongAnswer("battery_weights = [2, 4, 0]", "raw scores"),
            WrongAnswer("battery_weights = [0.333, 0.667, 0]", "takes exp first"),
            WrongAnswer("battery_weights = [0.107, 0.787, 0.107]", "That is the column"),
        ],
        praise="battery gives great 0.67 of its weight: bad, which fits, is not in the toy.",
        explanation="Scores 2, 4, 0; halved 1, 2, 0; exp 2.72, 7.39, 1.00; divided by their sum.",
    ),
    Exercise(
        id="01.2",
        title="Softmax that survives a score of 1000",
        difficulty=2,
        importance=5,
        minutes=10,
        points=3,
        answer="softmax_rows",
        setup="import torch",
        stub='''
            def softmax_rows(scores, temperature=1.0):
                """(rows, columns) of scores in, weights out: each row sums to 1."""
                ...
        ''',
        solution=_SOFTMAX_ROWS,
        check=_check_softmax_rows,
        hints=[
            "Three steps: divide by the temperature, take exp, divide by the sum of the row.",
            "`x.sum(dim=-1, keepdim=True)` keeps a column, so that each row is divided by its sum.",
            "A constant taken from every score of a row changes no weight: take the row's largest, "
            "scores.amax(dim=-1, keepdim=True).",
        ],
        wrong_answers=[
            WrongAnswer(
                "def softmax_rows(scores, temperature=1.0):\n"
                "    return (scores / temperature).softmax(dim=0)",
                "columns sum to 1",
            ),
            WrongAnswer(
                changed(_SOFTMAX_ROWS, "scores / temperature", "scores * temperature"),
                "divide by it",
            ),
            WrongAnswer(
                changed(_SOFTMAX_ROWS, "scores / temperature", "scores"), "changes nothing"
            ),
            WrongAnswer(
                changed(_SOFTMAX_ROWS, " - scores.max(dim=-1, keepdim=True).values", ""),
                "overflows",
            ),
            WrongAnswer(
                changed(
                    _SOFTMAX_ROWS, "exponentials.sum(dim=-1, keepdim=True)", "exponentials.sum()"
                ),
                "each row alone",
            ),
            WrongAnswer(
                changed(_SOFTMAX_ROWS, "scores.max(dim=-1, keepdim=True).values", "scores.max()"),
                "Each row needs its own",
            ),
            WrongAnswer(
                changed(_SOFTMAX_ROWS, " / exponentials.sum(dim=-1, keepdim=True)", ""),
                "divide each row by its sum",
            ),
        ],
        praise="Rows sum to 1, temperature works, and a score of 1000 does no harm.",
        explanation="A constant taken from every score of a row cancels in the ratio.",
    ),
    Exercise(
        id="01.3",
        title="Attention with a mask, from memory",
        difficulty=3,
        importance=5,
        minutes=12,
        points=4,
        answer="attend",
        setup="import math\nimport torch",
        stub='''
            def attend(query, key, value, mask):
                """query (n, d_k), key (m, d_k), value (m, d_v), mask (n, m) -> (n, d_v)."""
                ...
        ''',
        solution=_ATTEND,
        check=_check_attend,
        hints=[
            "Four lines: scores, mask, softmax, mixture. Write the shape behind each.",
            "scores (n, m) are query @ key.T / math.sqrt(d_k), with d_k = query.shape[-1].",
            "scores.masked_fill(~mask, -math.inf) makes exp give exactly 0 where looking is "
            "forbidden.",
        ],
        wrong_answers=[
            WrongAnswer(
                changed(_ATTEND, " / math.sqrt(query.shape[-1])", ""), "not divided by √d_k"
            ),
            WrongAnswer(
                changed(_ATTEND, "math.sqrt(query.shape[-1])", "query.shape[-1]"), "divide by d_k"
            ),
            WrongAnswer(
                changed(_ATTEND, "math.sqrt(query.shape[-1])", "math.sqrt(len(key))"),
                "number of tokens",
            ),
            WrongAnswer(changed(_ATTEND, "softmax(dim=-1)", "softmax(dim=0)"), "down the columns"),
            WrongAnswer(changed(_ATTEND, "masked_fill(~mask", "masked_fill(mask"), "upside down"),
            WrongAnswer(
                changed(_ATTEND, "scores.masked_fill(~mask, -math.inf)", "scores"),
                "The mask is not used",
            ),
            WrongAnswer(changed(_ATTEND, "~mask, -math.inf", "~mask, 0.0"), "still gets weight"),
            WrongAnswer(
                "def attend(query, key, value, mask):\n"
                "    weights = (query @ key.T / math.sqrt(query.shape[-1])).softmax(dim=-1)\n"
                "    return weights.masked_fill(~mask, 0.0) @ value",
                "no longer sum to 1",
            ),
            WrongAnswer(changed(_ATTEND, "weights @ value", "weights @ key"), "mixed the keys"),
            WrongAnswer(changed(_ATTEND, "weights @ value", "weights"), "These are the weights"),
            WrongAnswer(
                changed(_ATTEND, "math.sqrt(query.shape[-1])", "math.sqrt(value.shape[-1])"),
                "from the values",
            ),
            WrongAnswer(changed(_ATTEND, "math.sqrt(query.shape[-1])", "2"), "That was √4"),
            WrongAnswer(
                changed(_ATTEND, "scores.masked_fill(~mask, -math.inf)", "scores + mask"),
                "You add the mask",
            ),
        ],
        praise="This is the function inside every model of the course.",
        explanation="Only -inf before the softmax keeps the rows summing to 1.",
    ),
    Exercise(
        id="01.4",
        title="A decoder's mask for a padded batch",
        difficulty=3,
        importance=4,
        minutes=8,
        points=3,
        answer="decoder_mask",
        setup="import torch",
        stub='''
            def decoder_mask(attention_mask):
                """attention_mask (batch, tokens) -> boolean (batch, 1, tokens, tokens)."""
                ...
        ''',
        solution=_DECODER_MASK,
        check=_check_decoder_mask,
        hints=[
            "Two permissions are needed: not in the future, and not padding.",
            "The causal half is torch.ones(tokens, tokens, dtype=torch.bool).tril(). The padding "
            "half must block whole columns, for every query: which of its dimensions are 1?",
            "causal is (tokens, tokens); attention_mask.bool()[:, None, None, :] is (batch, 1, 1, "
            "tokens). Broadcasting joins them with &.",
        ],
        wrong_answers=[
            WrongAnswer(changed(_DECODER_MASK, ".tril()", ".triu()"), "above the diagonal"),
            WrongAnswer(changed(_DECODER_MASK, ".tril()", ".tril(-1)"), "look at itself"),
            WrongAnswer(changed(_DECODER_MASK, ".tril()", ""), "causal half is missing"),
            WrongAnswer(
                changed(_DECODER_MASK, "return causal &", "return ~causal |").replace(
                    "attention_mask.bool()", "~attention_mask.bool()"
                ),
                "upside down",
            ),
            WrongAnswer(
                changed(
                    _DECODER_MASK,
                    "return causal",
                    "return attention_mask.bool()[:, None, :, None] & causal",
                ),
                "rows of padding tokens too",
            ),
            WrongAnswer(changed(_DECODER_MASK, "causal & ", "causal | "), "both are needed"),
            WrongAnswer(
                changed(_DECODER_MASK, "[:, None, None, :]", "[:, None, :, None]"),
                "blocked the rows",
            ),
            WrongAnswer(
                changed(_DECODER_MASK, "[:, None, None, :]", "[:, None, :]"),
                "dimension for the heads",
            ),
            WrongAnswer(
                changed(
                    _DECODER_MASK,
                    "causal & attention_mask.bool()[:, None, None, :]",
                    "(causal & attention_mask.bool()[:, None, None, :]).int()",
                ),
                "holds numbers",
            ),
            WrongAnswer(
                changed(
                    _DECODER_MASK,
                    "causal & attention_mask.bool()[:, None, None, :]",
                    "causal.expand(len(attention_mask), 1, tokens, tokens)",
                ),
                "Padding is still visible",
            ),
        ],
        praise="One mask for all heads: past and real tokens only.",
        explanation="The padding sits on the key side: its columns are blocked for every query.",
    ),
    Exercise(
        id="01.5",
        title="Measure a head instead of staring at it",
        difficulty=2,
        importance=4,
        minutes=7,
        points=3,
        answer="previous_token_share",
        setup="import torch",
        stub='''
            def previous_token_share(weights):
                """weights (heads, tokens, tokens) -> (heads,): mean weight on the token before."""
                ...
        ''',
        solution=_PREVIOUS,
        check=_check_previous_token_share,
        hints=[
            "Row i, column i - 1 holds what token i gives to the token before it: a diagonal.",
            "A loop will do: weights[:, i, i - 1] for i from 1, stacked and averaged. Or one call "
            "of tensor.diagonal.",
            "tensor.diagonal(offset=-1, dim1=-2, dim2=-1) gives (heads, tokens - 1).",
        ],
        wrong_answers=[
            WrongAnswer(changed(_PREVIOUS, "offset=-1", "offset=1"), "on the next token"),
            WrongAnswer(changed(_PREVIOUS, "offset=-1", "offset=0"), "give themselves"),
            WrongAnswer(
                "def previous_token_share(weights):\n"
                "    n = weights.shape[-1]\n"
                "    return torch.stack([weights[:, i, i - 1] for i in range(n)]).mean(dim=0)",
                "Your loop starts at token 0",
            ),
            WrongAnswer(
                changed(_PREVIOUS, ".mean(dim=-1)", ".mean(dim=-1).tolist()"), "A list came"
            ),
            WrongAnswer(
                changed(_PREVIOUS, ".mean(dim=-1)", ".sum(dim=-1) / weights.shape[-1]"),
                "one pair less",
            ),
            WrongAnswer(changed(_PREVIOUS, ".mean(dim=-1)", ".mean()"), "one number for each head"),
            WrongAnswer(changed(_PREVIOUS, "dim1=-2, dim2=-1", "dim1=0, dim2=1"), "the last two"),
            WrongAnswer(changed(_PREVIOUS, ".mean(dim=-1)", ".sum(dim=-1)"), "summed the weights"),
        ],
        praise="A number for each head. Try it on outputs.attentions[0][0]: head 2 stands out.",
        explanation="A head's pattern is a statistic of its weights; lesson 06 builds on this.",
    ),
]

QUIZ = [
    Question(
        "Queries and keys have independent entries with mean 0 and variance 1. What is the "
        "standard deviation of q · k when d_k = 64?",
        options=[
            Option("1", "That is the spread after division by √d_k, which is why it is done."),
            Option("64", "64 is the variance: one for each of the 64 products that are added."),
            Option("8", "Variances of the 64 products add up to 64, and √64 = 8.", right=True),
            Option("4096", "Variances add; they are not multiplied."),
        ],
    ),
    Question(
        "You forget √d_k where d_k = 1024, and train. What goes wrong first?",
        options=[
            Option(
                "The rows of the weights no longer sum to 1.",
                "Softmax makes every row sum to 1, whatever the scores are.",
            ),
            Option(
                "Most weights are nearly 0 or 1, and little gradient is left for the scores.",
                "Large scores saturate the softmax, and its Jacobian w_i(δ_ij - w_j) goes to 0.",
                right=True,
            ),
            Option("The output has the wrong shape.", "A number that divides changes no shape."),
            Option(
                "Nothing: the model learns smaller queries and keys.",
                "Shrinking them needs a gradient, and that is just what is missing.",
            ),
        ],
    ),
    Question(
        "Why are masked scores set to -inf before the softmax, and not to 0?",
        options=[
            Option(
                "Because exp(0) = 1, so a score of 0 would still get weight.",
                "exp(-inf) = 0 exactly, and the rest of the row still sums to 1.",
                right=True,
            ),
            Option("Because 0 would give NaN.", "NaN comes from a row that is -inf throughout."),
            Option(
                "Because -inf is faster.", "Speed does not depend on the value that is filled in."
            ),
            Option(
                "There is no difference: the softmax makes both small.",
                "There is: a score of 0 beats every negative score in the row.",
            ),
        ],
    ),
    Question(
        "The output of attention for one token is …",
        options=[
            Option(
                "the value of the key with the largest weight.",
                "Only where that key has all the weight; in general all allowed values mix.",
            ),
            Option(
                "a weighted sum of the keys.",
                "Keys only decide the weights. What is carried over are the values.",
            ),
            Option(
                "a probability for each word of the vocabulary.", "That is a model's last layer."
            ),
            Option(
                "a mixture of all values that it may look at.",
                "weights @ value: the weights say how much of each value.",
                right=True,
            ),
        ],
    ),
    Question(
        "In a Chinese review, one head gives 0.99 of each character's weight to the character "
        "before it. What may you conclude?",
        options=[
            Option(
                "That the model decides by the character before.",
                "One head of one layer moves information; what the decision uses is not shown.",
            ),
            Option(
                "That this head passes on what stands one place to the left.",
                "That much the weights say. Whether it matters is measured in lesson 12.",
                right=True,
            ),
            Option(
                "That Chinese is read from left to right.",
                "An encoder sees all tokens at once; other heads look ahead.",
            ),
            Option(
                "That the head is broken and can be removed.",
                "Perhaps it can; only measuring the loss without it would tell.",
            ),
        ],
    ),
]
