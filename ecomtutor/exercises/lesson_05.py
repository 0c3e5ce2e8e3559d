"""Exercises and quiz of lesson 05, a GPT from the inside."""

from __future__ import annotations

import math
from typing import Any

from ecomtutor.exercises.checking import Wrong, beside, call, expect, expect_function
from ecomtutor.exercises.registry import Exercise, Option, Question, WrongAnswer, changed

_LOSS = '''
def next_token_loss(logits, token_ids):
    """logits (tokens, vocabulary), token_ids (tokens,) -> mean surprise in nats."""
    log_probabilities = logits[:-1].log_softmax(dim=-1)
    answers = token_ids[1:]
    return -log_probabilities[range(len(answers)), answers].mean()
'''


def _loss_variant(shift: str = "next", log: str = "nats", mean: str = "mean") -> Any:
    """A next-token loss with one likely mistake built in."""

    def next_token_loss(logits: Any, token_ids: Any) -> Any:
        scores, answers = {
            "next": (logits[:-1], token_ids[1:]),
            "none": (logits, token_ids),
            "back": (logits[1:], token_ids[:-1]),
            "wrap": (logits, token_ids.roll(-1)),
        }[shift]
        chosen = scores.log_softmax(dim=-1).gather(-1, answers[:, None])[:, 0]
        if log == "raw":
            chosen = scores.gather(-1, answers[:, None])[:, 0]
        if log == "mean first":
            return -chosen.exp().mean().log()
        if log == "bits":
            chosen = chosen / math.log(2)
        total = chosen.sum() if mean == "sum" else chosen.sum() / len(answers)
        if mean == "all":
            total = chosen.sum() / len(token_ids)
        return total if log == "sign" else -total

    return next_token_loss


def _check_next_token_loss(next_token_loss: Any) -> None:
    import torch

    generator = torch.Generator().manual_seed(5)
    short = 3 * torch.randn(5, 7, generator=generator), torch.tensor([3, 0, 6, 2, 2])
    longer = torch.randn(9, 4, generator=generator), torch.tensor([1, 2, 0, 3, 3, 1, 0, 0, 2])
    expect_function(
        next_token_loss,
        _loss_variant(),
        cases=[short, longer],
        mistakes=[
            (
                _loss_variant(shift="none"),
                "Nothing is shifted: you score each row against the token that the model has just "
                "read. Row t predicts token t + 1.",
            ),
            (
                _loss_variant(shift="back"),
                "You shifted the wrong way: row t + 1 is scored against token t, which it has "
                "already seen.",
            ),
            (
                _loss_variant(shift="wrap"),
                "Your shift wraps around: the last row is scored against the first token. Nobody "
                "knows what follows the last token, so drop that row.",
            ),
            (_loss_variant(log="sign"), "The sign: a loss is minus the log-probability."),
            (
                _loss_variant(log="bits"),
                "That is in bits, from log2. transformers and this course count in nats: log.",
            ),
            (
                _loss_variant(log="raw"),
                "These are logits, not log-probabilities: a log_softmax over dim=-1 is missing.",
            ),
            (
                _loss_variant(log="mean first"),
                "You took the mean of the probabilities and then the log. First the log of each, "
                "then the mean.",
            ),
            (_loss_variant(mean="sum"), "That is the sum over the tokens: take the mean."),
            (
                _loss_variant(mean="all"),
                "You divided by the number of tokens. One fewer is predicted: the first has no "
                "row before it.",
            ),
        ],
    )


_PERPLEXITY = '''
def perplexity(losses, lengths):
    """Mean loss of each review in nats, predicted tokens of each -> perplexity of them all."""
    total = sum(loss * length for loss, length in zip(losses, lengths, strict=True))
    return math.exp(total / sum(lengths))
'''


def _weighted(losses: Any, lengths: Any) -> float:
    pairs = zip(losses, lengths, strict=True)
    return sum(loss * length for loss, length in pairs) / sum(lengths)


def _check_perplexity(perplexity: Any) -> None:
    expect_function(
        perplexity,
        lambda losses, lengths: math.exp(_weighted(losses, lengths)),
        cases=[([2.0, 4.0, 3.0], [10, 30, 4]), ([1.5, 5.0], [99, 1]), ([3.0], [8])],
        mistakes=[
            (
                lambda losses, lengths: sum(map(math.exp, losses)) / len(losses),
                "You averaged perplexities. Average the losses, then take exp once: one odd review "
                "would rule your number.",
            ),
            (
                lambda losses, lengths: math.exp(sum(losses) / len(losses)),
                "Every review counts the same in yours. A review of thirty tokens holds thirty "
                "predictions: weight each loss by its length.",
            ),
            (
                lambda losses, lengths: _weighted([math.exp(x) for x in losses], lengths),
                "You averaged perplexities, weighted by length. Average the losses, then take exp.",
            ),
            (_weighted, "That is the mean loss in nats: perplexity is its exp."),
            (
                lambda losses, lengths: 2 ** _weighted(losses, lengths),
                "These losses are in nats, so the base is e, not 2: math.exp.",
            ),
            (
                lambda losses, lengths: math.exp(-_weighted(losses, lengths)),
                "That is below 1. A perplexity counts choices: exp of plus the loss.",
            ),
            (
                lambda losses, lengths: math.exp(sum(losses) / sum(lengths)),
                "You divided mean losses by the number of tokens. Turn each mean back into a sum "
                "first: loss · length.",
            ),
        ],
    )


_WRITE = '''
def write(next_scores, prompt, new_tokens, end_id):
    """next_scores(text) -> (vocabulary,). prompt: a list of ids -> prompt and what follows."""
    text = list(prompt)
    for _ in range(new_tokens):
        token = int(next_scores(text).argmax())
        text.append(token)
        if token == end_id:
            break
    return text
'''


def _table_model(seen: list[list[int]]) -> Any:
    """Scores that depend on the last two tokens; every text it is asked about goes to `seen`."""
    import torch

    def next_scores(text: Any) -> Any:
        seen.append([int(token) for token in text])
        before = int(text[-2]) if len(text) > 1 else 0
        scores = torch.full((7,), -2.0)
        scores[(2 * int(text[-1]) + before + 1) % 7] = 3.0
        scores[(int(text[-1]) + 3) % 7] = -5.0
        return scores

    return next_scores


def _check_write(write: Any) -> None:
    for prompt, new_tokens, end_id in (([1, 2], 4, 99), ([1, 2], 6, 1), ([5], 3, 99)):
        _check_written(write, prompt, new_tokens, end_id)


def _check_written(write: Any, prompt: list[int], new_tokens: int, end_id: int) -> None:
    expected = _written(prompt, new_tokens, end_id)
    came, seen = beside(_watched, write, prompt, new_tokens, end_id)
    if any(len(text) < len(prompt) for text in seen):
        raise Wrong(
            "You ask next_scores about less than the whole text. Without a cache the model knows "
            "only what you hand it: prompt and everything written so far."
        )
    came = came.tolist() if hasattr(came, "tolist") else came
    ended = end_id in expected[len(prompt) :]
    expect(
        came,
        expected,
        what=f"write(…, {prompt}, {new_tokens}, {end_id})",
        mistakes=[
            (expected[len(prompt) :], "Only the new tokens came back: return the prompt too."),
            (
                _written(prompt, new_tokens, None),
                "You went on after the end token. When it is chosen the text is finished.",
            ),
            (
                expected[:-1],
                "The end token is missing: append it, then stop."
                if ended
                else "One token is missing at the end: is the last one appended?",
            ),
            (
                _written(prompt, new_tokens + 1, end_id),
                "One token too many: new_tokens counts what is added, and nothing else.",
            ),
            (
                _written(prompt, new_tokens, end_id, "argmin"),
                "These are the least probable tokens: argmax.",
            ),
            (
                _written(prompt, max(0, new_tokens - len(prompt)), end_id),
                "new_tokens counts the tokens that are added; the prompt is not among them.",
            ),
        ],
    )


def _watched(write: Any, *arguments: Any) -> tuple[Any, list[list[int]]]:
    """What the reader's function writes, and the texts that it asked the model about."""
    seen: list[list[int]] = []
    return call(write, _table_model(seen), *arguments), seen


def _written(
    prompt: list[int], new_tokens: int, end_id: int | None, choose: str = "argmax"
) -> list[int]:
    next_scores, text = _table_model([]), list(prompt)
    for _ in range(new_tokens):
        text.append(int(getattr(next_scores(text), choose)()))
        if text[-1] == end_id:
            break
    return text


_NUCLEUS = '''
def nucleus(probabilities, p):
    """(vocabulary,) probabilities -> (vocabulary,) booleans: the fewest tokens that hold p."""
    ordered, places = probabilities.sort(descending=True)
    before = ordered.cumsum(dim=0) - ordered
    kept = torch.zeros_like(probabilities, dtype=torch.bool)
    kept[places] = before < p
    return kept
'''


def _nucleus_variant(rule: str = "before", descending: bool = True, place: bool = True) -> Any:
    """A nucleus with one likely mistake built in."""

    def nucleus(probabilities: Any, p: float) -> Any:
        import torch

        ordered, places = probabilities.sort(descending=descending)
        total = ordered.cumsum(dim=0)
        keep = {
            "before": total - ordered < p,
            "total": total <= p,
            "one more": torch.cat([torch.tensor([True, True]), total[:-2] < p])[: len(total)],
            "threshold": ordered >= p,
            "rest": ordered > 1 - p,
            "dropped": total - ordered >= p,
        }[rule]
        kept = torch.zeros_like(keep)
        kept[places] = keep
        return kept if place else keep

    return nucleus


def _check_nucleus(nucleus: Any) -> None:
    import torch

    flat = torch.tensor([0.10, 0.30, 0.05, 0.40, 0.15])
    long = torch.tensor([0.09, 0.3, 0.12, 0.105, 0.11, 0.095, 0.08, 0.1])
    sharp = torch.tensor([0.02, 0.03, 0.91, 0.04])
    right = _nucleus_variant()
    expect_function(
        nucleus,
        right,
        cases=[(long, 0.75), (flat, 0.8), (flat, 0.6), (sharp, 0.5), (flat, 0.2)],
        mistakes=[
            (
                _nucleus_variant("total"),
                "The token that crosses p is missing, so yours hold less than p, and sometimes "
                "nothing is left. Keep a token while what stands before it is below p.",
            ),
            (
                _nucleus_variant(place=False),
                "Your booleans are in the order of the sorted probabilities. Put them back: place "
                "i of the answer is about token i.",
            ),
            (
                _nucleus_variant(descending=False),
                "You began with the least probable tokens: sort with descending=True.",
            ),
            (
                _nucleus_variant("one more"),
                "One token too many: stop as soon as those kept hold p.",
            ),
            (
                _nucleus_variant("threshold"),
                "You compared single probabilities with p. It is their sum that must reach it.",
            ),
            (
                _nucleus_variant("rest"),
                "You compared single probabilities with 1 - p. It is their sum that must reach p.",
            ),
            (_nucleus_variant("dropped"), "Upside down: True means that the token is kept."),
            (
                lambda probabilities, p: probabilities * right(probabilities, p),
                "These are probabilities. Return booleans: True where the token is kept.",
            ),
            (
                lambda probabilities, p: right(probabilities, p).nonzero()[:, 0],
                "These are the places of the kept tokens. Return one boolean for each token.",
            ),
        ],
    )


_CACHE = '''
def cache_bytes(layers, key_value_heads, head_width, tokens, bytes_per_number=4):
    """Memory that the cache of one text takes."""
    numbers_per_token = 2 * layers * key_value_heads * head_width
    return numbers_per_token * tokens * bytes_per_number
'''


def _cache_variant(both: int = 2, unit: str = "bytes", power: int = 1, layered: bool = True) -> Any:
    """A count of the cache with one likely mistake built in."""

    def cache_bytes(
        layers: int, key_value_heads: int, head_width: int, tokens: int, bytes_per_number: int = 4
    ) -> float:
        numbers = both * (layers if layered else 1) * key_value_heads * head_width * tokens**power
        return (
            numbers * {"bytes": bytes_per_number, "numbers": 1, "bits": 8 * bytes_per_number}[unit]
        )

    return cache_bytes


def _check_cache_bytes(cache_bytes: Any) -> None:
    right = _cache_variant()
    expect_function(
        cache_bytes,
        right,
        cases=[(30, 3, 64, 8192), (4, 4, 64, 512, 2), (2, 1, 8, 1)],
        mistakes=[
            (_cache_variant(both=1), "Keys or values? Both are kept: there is a factor 2."),
            (
                _cache_variant(both=3),
                "Queries are not kept: a query is used once, by its own token. Keys and values: 2.",
            ),
            (
                _cache_variant(unit="numbers"),
                "That is how many numbers are kept. Each takes bytes_per_number bytes.",
            ),
            (_cache_variant(unit="bits"), "That is in bits: leave the factor 8 out."),
            (
                _cache_variant(power=2),
                "Yours grows with the square of the tokens. The table of weights does; the cache "
                "keeps one key and one value for each token.",
            ),
            (_cache_variant(layered=False), "Each layer keeps its own: multiply by the layers."),
            (
                lambda *sizes: right(*sizes) / 1e6,
                "That is in megabytes. Return bytes.",
            ),
            (
                lambda *sizes: right(*sizes) / 2**20,
                "That is in mebibytes. Return bytes.",
            ),
        ],
    )


_REPEATED = '''
def repeated_trigrams(tokens):
    """Share of the trigrams of a text that stood in it before, 0 to 1; 0 if it has none."""
    trigrams = [tuple(tokens[i : i + 3]) for i in range(len(tokens) - 2)]
    return 1 - len(set(trigrams)) / len(trigrams) if trigrams else 0.0
'''


def _grams(tokens: Any, n: int, step: int = 1) -> list[tuple[Any, ...]]:
    return [tuple(tokens[i : i + n]) for i in range(0, len(tokens) - n + 1, step)]


def _distinct(grams: list[Any]) -> float:
    return len(set(grams)) / len(grams)


def _twice(grams: list[Any]) -> list[Any]:
    return [gram for gram in grams if grams.count(gram) > 1]


def _check_repeated_trigrams(repeated_trigrams: Any) -> None:
    from ecomtutor.metrics import repeated_ngrams

    expect_function(
        repeated_trigrams,
        repeated_ngrams,
        cases=[
            ([1, 2, 3, 1, 2, 3, 1, 2, 3, 9],),
            ([4, 4, 4, 5, 4, 4, 4, 6],),
            ([1, 2, 3, 4, 5],),
            ([7, 7],),
        ],
        mistakes=[
            (
                lambda tokens: _distinct(_grams(tokens, 3)),
                "That is the share of distinct trigrams. Asked is the other part: 1 minus it.",
            ),
            (
                lambda tokens: len(_twice(_grams(tokens, 3))) / len(_grams(tokens, 3)),
                "You count every copy of a trigram that occurs twice. The first one repeats "
                "nothing: only what stood there before counts.",
            ),
            (
                lambda tokens: len(set(_twice(_grams(tokens, 3)))) / len(set(_grams(tokens, 3))),
                "You count kinds of trigrams: one that comes five times counts once in yours.",
            ),
            (
                lambda tokens: 1 - _distinct(_grams(tokens, 3, step=3)),
                "Your trigrams do not overlap. One begins at every token but the last two.",
            ),
            (
                lambda tokens: 1 - _distinct(_grams(tokens, 2)),
                "You took pairs. A trigram is three tokens.",
            ),
            (
                lambda tokens: 1 - _distinct(tokens),
                "You counted single tokens. Every language repeats 的 and the; three in a row tell "
                "more.",
            ),
            (
                lambda tokens: len(_grams(tokens, 3)) - len(set(_grams(tokens, 3))),
                "That is how many: give the share, divided by the number of trigrams.",
            ),
            (
                lambda tokens: (len(_grams(tokens, 3)) - len(set(_grams(tokens, 3)))) / len(tokens),
                "You divided by the number of tokens: there are two trigrams fewer than tokens.",
            ),
        ],
    )


EXERCISES = [
    Exercise(
        id="05.1",
        title="The loss of one review",
        difficulty=2,
        importance=5,
        minutes=8,
        points=3,
        answer="next_token_loss",
        setup="import torch",
        stub='''
            def next_token_loss(logits, token_ids):
                """logits (tokens, vocabulary), token_ids (tokens,) -> mean surprise in nats."""
                ...
        ''',
        solution=_LOSS,
        check=_check_next_token_loss,
        hints=[
            "Row t of the logits was made after reading token t. Which token is its answer?",
            "Four steps: logits[:-1], token_ids[1:], log_softmax, and from each row the number "
            "of its answer.",
            "`x[range(len(answers)), answers]` takes one number from each row; then -mean.",
        ],
        wrong_answers=[
            WrongAnswer(
                changed(_LOSS, "logits[:-1]", "logits").replace("token_ids[1:]", "token_ids"),
                "Nothing is shifted",
            ),
            WrongAnswer(
                changed(_LOSS, "logits[:-1]", "logits[1:]").replace("ids[1:]", "ids[:-1]"),
                "the wrong way",
            ),
            WrongAnswer(
                changed(_LOSS, "logits[:-1]", "logits").replace("ids[1:]", "ids.roll(-1)"),
                "wraps around",
            ),
            WrongAnswer(changed(_LOSS, "return -", "return "), "The sign"),
            WrongAnswer(
                changed(_LOSS, "answers].mean()", "answers].mean() / 0.6931472"), "in bits"
            ),
            WrongAnswer(changed(_LOSS, ".log_softmax(dim=-1)", ""), "not log-probabilities"),
            WrongAnswer(changed(_LOSS, ".mean()", ".sum()"), "sum over the tokens"),
            WrongAnswer(
                changed(_LOSS, ".mean()", ".sum() / len(token_ids)"), "One fewer is predicted"
            ),
            WrongAnswer(
                changed(_LOSS, "answers].mean()", "answers].exp().mean().log()"),
                "mean of the probabilities",
            ),
        ],
        praise="Each row is scored against the token that came next, and nothing else.",
        explanation="Row t has read tokens 0 to t: its answer is token t + 1. The last has none.",
    ),
    Exercise(
        id="05.2",
        title="One perplexity for many reviews",
        difficulty=2,
        importance=4,
        minutes=5,
        points=2,
        answer="perplexity",
        setup="import math",
        stub='''
            def perplexity(losses, lengths):
                """Mean loss of each review in nats, predicted tokens of each -> perplexity."""
                ...
        ''',
        solution=_PERPLEXITY,
        check=_check_perplexity,
        hints=[
            "What is the surprise of all tokens together? A mean times its count is a sum.",
            "Sum of loss · length, divided by the sum of the lengths, and exp of that.",
        ],
        wrong_answers=[
            WrongAnswer(
                "def perplexity(losses, lengths):\n"
                "    return sum(math.exp(x) for x in losses) / len(losses)",
                "averaged perplexities",
            ),
            WrongAnswer(
                "def perplexity(losses, lengths):\n    return math.exp(sum(losses) / len(losses))",
                "weight each loss",
            ),
            WrongAnswer(
                changed(_PERPLEXITY, "math.exp(total / sum(lengths))", "total / sum(lengths)"),
                "mean loss in nats",
            ),
            WrongAnswer(changed(_PERPLEXITY, "math.exp(", "2 ** ("), "base is e"),
            WrongAnswer(changed(_PERPLEXITY, "math.exp(", "math.exp(-"), "below 1"),
            WrongAnswer(changed(_PERPLEXITY, "loss * length", "loss"), "Turn each mean back"),
        ],
        praise="Every predicted token counts once, whatever review it stands in.",
        explanation="A mean over tokens is not a mean over reviews unless all are equally long.",
    ),
    Exercise(
        id="05.3",
        title="Write, greedily",
        difficulty=2,
        importance=5,
        minutes=8,
        points=3,
        answer="write",
        setup="import torch",
        stub='''
            def write(next_scores, prompt, new_tokens, end_id):
                """next_scores(text) -> (vocabulary,). prompt: list of ids -> prompt and rest."""
                ...
        ''',
        solution=_WRITE,
        check=_check_write,
        hints=[
            "A loop over new_tokens: next_scores of the whole text, argmax, append.",
            "Begin with text = list(prompt), so that the caller's list stays as it was.",
            "After appending: if the token is end_id, break.",
        ],
        wrong_answers=[
            WrongAnswer(changed(_WRITE, "return text", "return text[len(prompt):]"), "the prompt"),
            WrongAnswer(
                changed(_WRITE, "        if token == end_id:\n            break\n", ""),
                "after the end token",
            ),
            WrongAnswer(
                changed(
                    _WRITE,
                    "        text.append(token)\n        if token == end_id:\n            break\n",
                    "        if token == end_id:\n            break\n        text.append(token)\n",
                ),
                "end token is missing",
            ),
            WrongAnswer(
                changed(_WRITE, "int(next_scores(text)", "int(next_scores(text[-1:])"), "whole"
            ),
            WrongAnswer(changed(_WRITE, "argmax", "argmin"), "argmax"),
            WrongAnswer(changed(_WRITE, "text = list(prompt)", "text = prompt"), "changes"),
            WrongAnswer(changed(_WRITE, "range(new_tokens)", "range(new_tokens + 1)"), "too many"),
            WrongAnswer(
                changed(_WRITE, "range(new_tokens)", "range(new_tokens - len(prompt))"),
                "not among them",
            ),
        ],
        praise="That is the whole of greedy generation; everything else is speed.",
        explanation="The text grows by the token that was chosen, and is read again, whole.",
    ),
    Exercise(
        id="05.4",
        title="The nucleus",
        difficulty=3,
        importance=4,
        minutes=10,
        points=3,
        answer="nucleus",
        setup="import torch",
        stub='''
            def nucleus(probabilities, p):
                """(vocabulary,) probabilities -> (vocabulary,) booleans: fewest that hold p."""
                ...
        ''',
        solution=_NUCLEUS,
        check=_check_nucleus,
        hints=[
            "Sort with descending=True: you get the probabilities and their places.",
            "A token is kept while the sum of those before it is below p: "
            "ordered.cumsum(dim=0) - ordered.",
            "kept[places] = … writes answers of the sorted row back to their own places.",
        ],
        wrong_answers=[
            WrongAnswer(
                changed(
                    _NUCLEUS, "ordered.cumsum(dim=0) - ordered", "ordered.cumsum(dim=0)"
                ).replace("before < p", "before <= p"),
                "crosses p is missing",
            ),
            WrongAnswer(changed(_NUCLEUS, "kept[places]", "kept[:]"), "sorted probabilities"),
            WrongAnswer(changed(_NUCLEUS, "descending=True", ""), "descending=True"),
            WrongAnswer(
                "def nucleus(probabilities, p):\n    return probabilities >= p",
                "probabilities with p.",
            ),
            WrongAnswer(
                "def nucleus(probabilities, p):\n    return probabilities > 1 - p", "with 1 - p"
            ),
            WrongAnswer(changed(_NUCLEUS, "before < p", "before >= p"), "Upside down"),
            WrongAnswer(
                changed(_NUCLEUS, "return kept", "return kept.nonzero()[:, 0]"), "places of the"
            ),
            WrongAnswer(
                changed(_NUCLEUS, "return kept", "return probabilities * kept"), "Return booleans"
            ),
        ],
        praise="The most probable token always stays, however small p is.",
        explanation="A token stays as long as the more probable ones do not yet hold p.",
    ),
    Exercise(
        id="05.5",
        title="How large is the cache?",
        difficulty=1,
        importance=3,
        minutes=4,
        points=2,
        answer="cache_bytes",
        stub='''
            def cache_bytes(layers, key_value_heads, head_width, tokens, bytes_per_number=4):
                """Memory that the cache of one text takes."""
                ...
        ''',
        solution=_CACHE,
        check=_check_cache_bytes,
        hints=[
            "For one token, one layer, one head: a key and a value, each head_width numbers.",
            "2 · layers · heads · head_width numbers for each token, bytes_per_number bytes each.",
        ],
        wrong_answers=[
            WrongAnswer(changed(_CACHE, "2 * layers", "layers"), "Both are kept"),
            WrongAnswer(changed(_CACHE, "2 * layers", "3 * layers"), "Queries are not kept"),
            WrongAnswer(changed(_CACHE, " * bytes_per_number", ""), "how many numbers"),
            WrongAnswer(
                changed(_CACHE, "* tokens * bytes", "* tokens**2 * bytes"), "square of the tokens"
            ),
            WrongAnswer(changed(_CACHE, "2 * layers * ", "2 * "), "multiply by the layers"),
            WrongAnswer(
                changed(_CACHE, "tokens * bytes_per_number", "tokens * bytes_per_number / 1e6"),
                "megabytes",
            ),
        ],
        praise="SmolLM2 at its full 8,192 tokens: 377 MB in fp32, a third of what 9 heads take.",
        explanation="Three heads of keys and values serve nine of queries: the cache is a third.",
    ),
    Exercise(
        id="05.6",
        title="How often does a text repeat itself?",
        difficulty=2,
        importance=3,
        minutes=6,
        points=2,
        answer="repeated_trigrams",
        stub='''
            def repeated_trigrams(tokens):
                """Share of the trigrams that stood in the text before; 0 if it has none."""
                ...
        ''',
        solution=_REPEATED,
        check=_check_repeated_trigrams,
        hints=[
            "A trigram begins at every token but the last two: tuple(tokens[i : i + 3]).",
            "A set keeps each trigram once. How many of the list are not the first of their kind?",
        ],
        wrong_answers=[
            WrongAnswer(changed(_REPEATED, "1 - len(set", "len(set"), "distinct trigrams"),
            WrongAnswer(
                "def repeated_trigrams(tokens):\n"
                "    t = [tuple(tokens[i : i + 3]) for i in range(len(tokens) - 2)]\n"
                "    return sum(t.count(x) > 1 for x in t) / len(t)",
                "The first one repeats",
            ),
            WrongAnswer(
                changed(_REPEATED, "i : i + 3", "i : i + 2").replace("- 2", "- 1"), "pairs"
            ),
            WrongAnswer(
                changed(_REPEATED, "range(len(tokens) - 2)", "range(0, len(tokens) - 2, 3)"),
                "do not overlap",
            ),
            WrongAnswer(
                "def repeated_trigrams(tokens):\n    return 1 - len(set(tokens)) / len(tokens)",
                "single tokens",
            ),
            WrongAnswer(
                "def repeated_trigrams(tokens):\n"
                "    t = [tuple(tokens[i : i + 3]) for i in range(len(tokens) - 2)]\n"
                "    return len(t) - len(set(t))",
                "give the share",
            ),
            WrongAnswer(
                "def repeated_trigrams(tokens):\n"
                "    t = [tuple(tokens[i : i + 3]) for i in range(len(tokens) - 2)]\n"
                "    return (len(t) - len(set(t))) / len(tokens)",
                "two trigrams fewer",
            ),
        ],
        praise="A loop shows as a number near 1, in any language.",
        explanation="Whatever is not the first of its kind has stood there before.",
    ),
]

QUIZ = [
    Question(
        "A GPT reads ten tokens. You change the ninth. Which of its ten rows of logits change?",
        options=[
            Option(
                "All ten.",
                "So it is in BERT, where every token sees every other. Here a mask "
                "hides the future.",
            ),
            Option(
                "The ninth and the tenth.",
                "Row t sees tokens up to t: only these two see the ninth.",
                right=True,
            ),
            Option(
                "Only the tenth.",
                "The ninth row has read the ninth token too: it predicts the tenth.",
            ),
            Option("The first nine.", "That is the wrong half: the past does not see the future."),
        ],
    ),
    Question(
        "Model A has a perplexity of 30 per token, model B of 60, on the same reviews. They have "
        "different tokenizers. Which is better?",
        options=[
            Option(
                "Model A: its perplexity is lower.",
                "Not if A's tokens are shorter: three easy bytes make one hard character.",
            ),
            Option(
                "Model B: a larger vocabulary is harder.",
                "It is harder, but that alone does not make B better.",
            ),
            Option(
                "Nobody can say until both are counted per character.",
                "The total surprise over the same characters compares; per token it does not.",
                right=True,
            ),
        ],
    ),
    Question(
        "Which settings give the same text every time, whatever the seed? Choose all that do.",
        options=[
            Option("Greedy search", "It takes the largest logit: no dice.", right=True),
            Option("top_k=1 when sampling", "One token is left to draw from.", right=True),
            Option(
                "temperature=0.7 when sampling",
                "Sharper, but still drawn: another seed may give another text.",
            ),
            Option("Beam search with 4 beams", "It keeps the largest sums: no dice.", right=True),
        ],
        several=True,
    ),
    Question(
        "What does the KV cache change?",
        options=[
            Option(
                "The logits, slightly: old tokens are remembered roughly.",
                "They are the same up to rounding: no later token changes an old key or value.",
            ),
            Option(
                "Time for memory: old keys and values are kept instead of computed again.",
                "One token goes through the layers at each step instead of the whole text.",
                right=True,
            ),
            Option(
                "The quality: the model sees more of the text.",
                "It sees exactly the same text.",
            ),
            Option(
                "It stores questions and answers, so that a customer who asks again waits less.",
                "That is a cache of answers. This one holds keys and values of one text.",
            ),
        ],
    ),
    Question(
        "A colleague's service answers in fluent English that has nothing to do with the question. "
        "No error is in the log. What do you look at first?",
        options=[
            Option(
                "Whether the tokenizer belongs to the model: the perplexity of a plain sentence.",
                "Ids of another tokenizer are valid numbers. A perplexity above the size of the "
                "vocabulary gives them away.",
                right=True,
            ),
            Option(
                "The temperature: it must be too high.",
                "A high temperature breaks the grammar too. This is fluent.",
            ),
            Option(
                "The KV cache: it must hold another customer's text.",
                "Possible, and worse; but a loading mistake is far more common.",
            ),
        ],
    ),
    Question(
        "SmolLM2 names a delivery fee for Pomelo Street, and it is wrong. Why?",
        options=[
            Option(
                "The temperature was not 0.",
                "It was greedy, and just as wrong. Decoding chooses among what the model holds.",
            ),
            Option(
                "135 million parameters are too few for arithmetic.",
                "No arithmetic was needed. The fee stands in our policies, which it never saw.",
            ),
            Option(
                "Its perplexity on English is too high.",
                "A perfect model of English would still not know our fee.",
            ),
            Option(
                "It never read our policies; it continues with what is likely in such an answer.",
                "Likely is not true. Lesson 09 puts the policy into the prompt.",
                right=True,
            ),
        ],
    ),
]
