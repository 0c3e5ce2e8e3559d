"""Exercises and quiz of lesson 02, the transformer block."""

from __future__ import annotations

from typing import Any

from ecomtutor.exercises.checking import expect, expect_function
from ecomtutor.exercises.registry import Exercise, Option, Question, WrongAnswer, changed

_SPLIT = '''
def split_into_heads(states, heads):
    """states (tokens, width) -> (heads, tokens, width / heads)."""
    tokens, width = states.shape
    return states.reshape(tokens, heads, width // heads).transpose(0, 1)
'''


def _check_split_into_heads(split_into_heads: Any) -> None:
    import torch

    states = torch.arange(24.0).reshape(3, 8)

    def parts(s: Any, heads: int) -> Any:
        return s.reshape(len(s), heads, -1)

    expect_function(
        split_into_heads,
        lambda s, heads: parts(s, heads).transpose(0, 1),
        cases=[(states, 2), (states, 4), (states, 1)],
        mistakes=[
            (
                lambda s, heads: s.reshape(heads, len(s), -1),
                "Your heads hold pieces of several tokens: a plain reshape cuts across them. "
                "Split the width first, then swap two dimensions.",
            ),
            (
                parts,
                "The heads stand second, behind the tokens: two dimensions are to be swapped.",
            ),
            (
                lambda s, heads: s.reshape(len(s), -1, heads).permute(2, 0, 1),
                "Each of your heads takes every so-many-th number. A head takes a slice of "
                "neighbours: which of the two new dimensions comes first?",
            ),
            (
                lambda s, heads: parts(s, heads).permute(1, 2, 0),
                "Tokens and numbers are swapped inside each head: the shape is (heads, tokens, d).",
            ),
            (
                lambda s, heads: parts(s, s.shape[1] // heads).transpose(0, 1),
                "You took the number of heads for the width of a head: there are `heads` slices.",
            ),
        ],
    )


_NORM = '''
def layer_norm(states, gain, shift, epsilon):
    """states (tokens, width), gain and shift (width,) -> (tokens, width)."""
    mean = states.mean(dim=-1, keepdim=True)
    variance = ((states - mean) ** 2).mean(dim=-1, keepdim=True)
    return (states - mean) / (variance + epsilon).sqrt() * gain + shift
'''


def _norm(dim: Any = -1, less: int = 0, inside: bool = True, centre: bool = True) -> Any:
    """A layer norm with one likely mistake built in."""

    def norm(states: Any, gain: Any, shift: Any, epsilon: float) -> Any:
        centred = states - states.mean(dim=dim, keepdim=True)
        count = states.numel() if isinstance(dim, tuple) else states.shape[dim]
        variance = centred.square().sum(dim=dim, keepdim=True) / (count - less)
        spread = (variance + epsilon).sqrt() if inside else variance.sqrt() + epsilon
        return (centred if centre else states) / spread * gain + shift

    return norm


def _check_layer_norm(layer_norm: Any) -> None:
    import torch

    draw = torch.Generator().manual_seed(3)
    states = 2 * torch.randn(3, 6, generator=draw) + 1
    gain, shift = torch.rand(6, generator=draw) + 0.5, torch.randn(6, generator=draw)
    expect_function(
        layer_norm,
        _norm(),
        cases=[(states, gain, shift, 0.2)],
        mistakes=[
            (
                _norm(dim=0),
                "You normalise over the tokens. Each token is normalised alone, over its own "
                "numbers: dim=-1.",
            ),
            (
                _norm(dim=(0, 1)),
                "You use one mean and one spread for all tokens together: each has its own.",
            ),
            (
                _norm(less=1),
                "Your variance divides by width - 1, as torch's var() and std() do. LayerNorm "
                "divides by width.",
            ),
            (
                _norm(inside=False),
                "Your epsilon is added to the standard deviation. It belongs under the root, "
                "beside the variance.",
            ),
            (
                lambda s, gain, shift, epsilon: _norm(less=1, inside=False)(
                    s, gain, shift, epsilon
                ),
                "Two things: std() divides by width - 1, and epsilon belongs under the root.",
            ),
            (
                _norm(centre=False),
                "You divide by the spread but keep the mean: subtract it above the line too.",
            ),
            (
                lambda s, gain, shift, epsilon: _norm()(s, 1.0, 0.0, epsilon),
                "gain and shift are not used: they are what the norm has learned.",
            ),
            (
                lambda s, gain, shift, epsilon: (_norm()(s, 1.0, 0.0, epsilon) + shift) * gain,
                "First the gain, then the shift: yours multiplies the shift too.",
            ),
            (
                lambda s, gain, shift, epsilon: (
                    (s - s.mean(-1, keepdim=True))
                    / (s.var(-1, keepdim=True, correction=0) + epsilon)
                    * gain
                    + shift
                ),
                "You divide by the variance. Its root is what has the size of the numbers.",
            ),
        ],
    )


_BLOCK = '''
def pre_norm_block(states, attention, feed_forward, norm_1, norm_2):
    """states (tokens, width) -> the same shape; the rest are functions of states."""
    states = states + attention(norm_1(states))
    return states + feed_forward(norm_2(states))
'''


def _check_pre_norm_block(pre_norm_block: Any) -> None:
    import torch

    states = torch.randn(4, 6, generator=torch.Generator().manual_seed(4)) * 2 + 0.5

    def attention(s: Any) -> Any:
        return s.cumsum(dim=0).tanh()

    def feed_forward(s: Any) -> Any:
        return s.square() / 2 + 0.3

    def norm_1(s: Any) -> Any:
        return torch.nn.functional.layer_norm(s, s.shape[-1:])

    def norm_2(s: Any) -> Any:
        return 0.5 * norm_1(s) + 0.1

    def right(s: Any, a: Any, f: Any, n: Any, m: Any) -> Any:
        s = s + a(n(s))
        return s + f(m(s))

    def post(s: Any, a: Any, f: Any, n: Any, m: Any) -> Any:
        s = n(s + a(s))
        return m(s + f(s))

    def from_normed(s: Any, a: Any, f: Any, n: Any, m: Any) -> Any:
        s = n(s) + a(n(s))
        return m(s) + f(m(s))

    def from_start(s: Any, a: Any, f: Any, n: Any, m: Any) -> Any:
        return s + f(m(s + a(n(s))))

    expect_function(
        pre_norm_block,
        right,
        cases=[(states, attention, feed_forward, norm_1, norm_2)],
        mistakes=[
            (
                post,
                "That is post-norm, the block of 2017 and of BERT: yours normalises the sum. "
                "Pre-norm normalises what enters the sub-layer and leaves the sum alone.",
            ),
            (
                from_normed,
                "You add the change to the normalised states. The residual path must carry the "
                "states themselves, untouched.",
            ),
            (
                from_start,
                "Your second sum starts from the states that entered the block, so what attention "
                "wrote is lost. Add to the states after attention.",
            ),
            (
                lambda s, a, f, n, m: f(m(s + a(n(s)))),
                "The feed-forward network has no residual: its output replaces the states.",
            ),
            (
                lambda s, a, f, n, m: a(n(s)) + f(m(a(n(s)))),
                "Attention has no residual: its output replaces the states.",
            ),
            (
                lambda s, a, f, n, m: f(m(a(n(s)))),
                "There is no residual at all: each sub-layer replaces the states.",
            ),
            (
                lambda s, a, f, n, m: (s + a(n(s))) + f(s + a(n(s))),
                "The second norm is missing: feed_forward must see normalised states.",
            ),
            (
                lambda s, a, f, n, m: right(s, a, f, n, n),
                "You used norm_1 twice: each sub-layer has a norm of its own.",
            ),
            (
                lambda s, a, f, n, m: s + a(n(s)) + f(m(s)),
                "Both sub-layers read the same states here, side by side. feed_forward must read "
                "what attention has already written.",
            ),
            (
                lambda s, a, f, n, m: (s + n(a(s))) + m(f(s + n(a(s)))),
                "You normalise what comes out of each sub-layer. Pre-norm normalises what goes in.",
            ),
        ],
    )


_SHIFT = '''
def decoder_input(target, start):
    """target (batch, n) of ids -> (batch, n): what is read before each is written."""
    first = torch.full_like(target[:, :1], start)
    return torch.cat([first, target[:, :-1]], dim=1)
'''


def _check_decoder_input(decoder_input: Any) -> None:
    import torch

    target = torch.tensor([[5, 6, 7, 8], [3, 1, 4, 2]])

    def start_row(t: Any, start: int) -> Any:
        return torch.full_like(t[:, :1], start)

    expect_function(
        decoder_input,
        lambda t, start: torch.cat([start_row(t, start), t[:, :-1]], dim=1),
        cases=[(target, 0), (target, 9)],
        mistakes=[
            (
                lambda t, start: t,
                "The decoder sees the very character that it must predict: it would only learn to "
                "copy its input. Shift by one step.",
            ),
            (
                lambda t, start: torch.cat([t[:, 1:], start_row(t, start)], dim=1),
                "You shifted to the left: the decoder sees the character after the one that it "
                "must predict.",
            ),
            (
                lambda t, start: torch.cat([start_row(t, start), t], dim=1),
                "Yours is one step longer than the target: the last character is never read, "
                "because nothing is written after it.",
            ),
            (
                lambda t, start: torch.cat([start_row(t, start), t[:, 1:]], dim=1),
                "You replaced the first character by the start token. Nothing moved: position 1 "
                "still sees what it must predict.",
            ),
            (
                lambda t, start: t.roll(1, dims=1),
                "roll brings the last character to the front: the decoder sees the end of the "
                "answer before it begins.",
            ),
            (
                lambda t, start: torch.cat([torch.zeros_like(t[:, :1]), t[:, :-1]], dim=1),
                "The first token is always 0 in yours: use `start`.",
            ),
            (
                lambda t, start: torch.cat([torch.full_like(t[:1], start), t[:-1]], dim=0),
                "You shifted the batch: each row got the answer of another review. Tokens are "
                "dimension 1.",
            ),
        ],
    )


_COUNT = '''
def encoder_layer_parameters(width, inner):
    """Weights and biases of one encoder block: attention, feed-forward, two norms."""
    attention = 4 * (width * width + width)
    feed_forward = (width * inner + inner) + (inner * width + width)
    norms = 2 * 2 * width
    return attention + feed_forward + norms
'''


def _layer(attention: int = 4, bias: int = 1, feed_forward: int = 2, norms: int = 2) -> Any:
    """A count with one likely mistake built in."""

    def count(width: int, inner: int) -> int:
        first, second = width * inner + bias * inner, inner * width + bias * width
        networks = {0: 0, 1: first, 2: first + second}[feed_forward]
        return attention * (width * width + bias * width) + networks + norms * 2 * width

    return count


def _check_encoder_layer_parameters(encoder_layer_parameters: Any) -> None:
    expect_function(
        encoder_layer_parameters,
        _layer(),
        cases=[(384, 1536), (512, 2048), (10, 7)],
        mistakes=[
            (_layer(bias=0), "The biases are missing: one number for each output of a matrix."),
            (
                _layer(attention=3),
                "Attention has four matrices: query, key, value, and the output that brings the "
                "heads together.",
            ),
            (_layer(feed_forward=1), "The feed-forward network goes back too: inner → width."),
            (_layer(feed_forward=0), "The feed-forward network is missing."),
            (_layer(norms=0), "The two norms are missing: each has a gain and a shift."),
            (_layer(norms=1), "There are two norms, and each has a gain and a shift: 4 · width."),
            (
                lambda width, inner: _layer()(width, 4 * width),
                "You took inner = 4 · width. It often is; use the argument.",
            ),
            (
                lambda width, inner: 12 * width * width,
                "12 · width² is the rule of thumb for inner = 4 · width, without biases and norms. "
                "Here the exact number is asked.",
            ),
        ],
    )


_MEMORY = "map_mebibytes = 6 * 12 * 32 * 512**2 * 4 / 2**20"


def _check_map_mebibytes(map_mebibytes: Any) -> None:
    expect(
        map_mebibytes,
        2304.0,
        what="map_mebibytes",
        rel=2e-3,
        mistakes=[
            (72.0, "That is one review. There are 32 in the batch."),
            (192.0, "The heads are missing: each of the 12 has a map of its own."),
            (384.0, "That is one layer. There are six."),
            (576.0, "That counts numbers, not bytes: one takes 4 bytes in 32 bits."),
            (4.5, "A map has a row and a column for each token: 512 × 512 numbers, not 512."),
            (2415.919104, "Those are megabytes of 10⁶ bytes. A mebibyte has 2²⁰."),
            (2415919104, "Those are bytes: divide by 2²⁰."),
            (2.25, "Those are gibibytes (2³⁰ bytes): asked were mebibytes."),
            (2359296.0, "Those are kibibytes: divide by 1024 once more."),
        ],
    )


EXERCISES = [
    Exercise(
        id="02.1",
        title="Split the heads",
        difficulty=2,
        importance=5,
        minutes=8,
        points=3,
        answer="split_into_heads",
        setup="import torch",
        stub='''
            def split_into_heads(states, heads):
                """states (tokens, width) -> (heads, tokens, width / heads)."""
                ...
        ''',
        solution=_SPLIT,
        check=_check_split_into_heads,
        hints=[
            "Two steps. First cut the width into (heads, width / heads), then bring heads forward.",
            "reshape(tokens, heads, width // heads) keeps each token together; transpose(0, 1) "
            "swaps the first two dimensions.",
        ],
        wrong_answers=[
            WrongAnswer(
                "def split_into_heads(states, heads):\n"
                "    return states.reshape(heads, states.shape[0], -1)",
                "pieces of several tokens",
            ),
            WrongAnswer(
                changed(_SPLIT, ".transpose(0, 1)", ""), "two dimensions are to be swapped"
            ),
            WrongAnswer(
                "def split_into_heads(states, heads):\n"
                "    tokens, width = states.shape\n"
                "    return states.reshape(tokens, width // heads, heads).permute(2, 0, 1)",
                "slice of neighbours",
            ),
            WrongAnswer(
                changed(_SPLIT, ".transpose(0, 1)", ".permute(1, 2, 0)"), "inside each head"
            ),
            WrongAnswer(
                changed(_SPLIT, "heads, width // heads", "width // heads, heads"),
                "for the width of a head",
            ),
        ],
        praise="Each head has its own slice of every token, and no token was torn.",
        explanation="A reshape never moves numbers; only the transpose brings the heads forward.",
    ),
    Exercise(
        id="02.2",
        title="LayerNorm by hand",
        difficulty=2,
        importance=4,
        minutes=8,
        points=3,
        answer="layer_norm",
        setup="import torch",
        stub='''
            def layer_norm(states, gain, shift, epsilon):
                """states (tokens, width), gain and shift (width,) -> (tokens, width)."""
                ...
        ''',
        solution=_NORM,
        check=_check_layer_norm,
        hints=[
            "For each token alone: subtract its mean, divide by its standard deviation.",
            "The variance is the mean of the squared differences (divide by width), and epsilon "
            "is added to it before the root.",
            "mean(dim=-1, keepdim=True) gives one number for each token; gain and shift come last.",
        ],
        wrong_answers=[
            WrongAnswer(
                "def layer_norm(states, gain, shift, epsilon):\n"
                "    mean = states.mean(dim=0, keepdim=True)\n"
                "    variance = ((states - mean) ** 2).mean(dim=0, keepdim=True)\n"
                "    return (states - mean) / (variance + epsilon).sqrt() * gain + shift",
                "over the tokens",
            ),
            WrongAnswer(
                "def layer_norm(states, gain, shift, epsilon):\n"
                "    mean, variance = states.mean(), states.var(correction=0)\n"
                "    return (states - mean) / (variance + epsilon).sqrt() * gain + shift",
                "all tokens together",
            ),
            WrongAnswer(
                changed(
                    _NORM,
                    "((states - mean) ** 2).mean(dim=-1, keepdim=True)",
                    "states.var(dim=-1, keepdim=True)",
                ),
                "width - 1",
            ),
            WrongAnswer(
                changed(_NORM, "(variance + epsilon).sqrt()", "(variance.sqrt() + epsilon)"),
                "under the root",
            ),
            WrongAnswer(
                "def layer_norm(states, gain, shift, epsilon):\n"
                "    mean, std = states.mean(-1, keepdim=True), states.std(-1, keepdim=True)\n"
                "    return (states - mean) / (std + epsilon) * gain + shift",
                "Two things",
            ),
            WrongAnswer(changed(_NORM, "return (states - mean)", "return states"), "keep the mean"),
            WrongAnswer(changed(_NORM, " * gain + shift", ""), "not used"),
            WrongAnswer(
                changed(
                    _NORM,
                    "(states - mean) / (variance + epsilon).sqrt() * gain + shift",
                    "((states - mean) / (variance + epsilon).sqrt() + shift) * gain",
                ),
                "multiplies the shift",
            ),
            WrongAnswer(changed(_NORM, ".sqrt()", ""), "divide by the variance"),
        ],
        praise="Each token has mean 0 and spread 1, then its learned gain and shift.",
        explanation="nn.LayerNorm does this over the last dimension: by token, never by batch.",
    ),
    Exercise(
        id="02.3",
        title="A pre-norm block in two lines",
        difficulty=3,
        importance=5,
        minutes=8,
        points=3,
        answer="pre_norm_block",
        setup="import torch",
        stub='''
            def pre_norm_block(states, attention, feed_forward, norm_1, norm_2):
                """states (tokens, width) -> the same shape; the rest are functions of states."""
                ...
        ''',
        solution=_BLOCK,
        check=_check_pre_norm_block,
        hints=[
            "states + change(norm(states)), once for attention, once for the feed-forward network.",
            "The second line starts from the result of the first.",
        ],
        wrong_answers=[
            WrongAnswer(
                "def pre_norm_block(states, attention, feed_forward, norm_1, norm_2):\n"
                "    states = norm_1(states + attention(states))\n"
                "    return norm_2(states + feed_forward(states))",
                "That is post-norm",
            ),
            WrongAnswer(
                "def pre_norm_block(states, attention, feed_forward, norm_1, norm_2):\n"
                "    states = norm_1(states)\n"
                "    states = states + attention(states)\n"
                "    states = norm_2(states)\n"
                "    return states + feed_forward(states)",
                "residual path must carry",
            ),
            WrongAnswer(
                "def pre_norm_block(states, attention, feed_forward, norm_1, norm_2):\n"
                "    middle = states + attention(norm_1(states))\n"
                "    return states + feed_forward(norm_2(middle))",
                "wrote is lost",
            ),
            WrongAnswer(
                changed(_BLOCK, "return states + feed_forward", "return feed_forward"),
                "feed-forward network has no residual",
            ),
            WrongAnswer(
                changed(_BLOCK, "states = states + attention", "states = attention"),
                "Attention has no residual",
            ),
            WrongAnswer(
                changed(_BLOCK, "feed_forward(norm_2(states))", "feed_forward(states)"),
                "second norm is missing",
            ),
            WrongAnswer(changed(_BLOCK, "norm_2(states)", "norm_1(states)"), "norm_1 twice"),
            WrongAnswer(
                "def pre_norm_block(states, attention, feed_forward, norm_1, norm_2):\n"
                "    return states + attention(norm_1(states)) + feed_forward(norm_2(states))",
                "side by side",
            ),
            WrongAnswer(
                "def pre_norm_block(states, attention, feed_forward, norm_1, norm_2):\n"
                "    states = states + norm_1(attention(states))\n"
                "    return states + norm_2(feed_forward(states))",
                "what comes out",
            ),
        ],
        praise="The block of GPT-2 and of every large model since.",
        explanation="Nothing stands on the path of the sum, so a gradient passes it unchanged.",
    ),
    Exercise(
        id="02.4",
        title="What the decoder has already read",
        difficulty=2,
        importance=4,
        minutes=7,
        points=3,
        answer="decoder_input",
        setup="import torch",
        stub='''
            def decoder_input(target, start):
                """target (batch, n) of ids -> (batch, n): what is read before each is written."""
                ...
        ''',
        solution=_SHIFT,
        check=_check_decoder_input,
        hints=[
            "When it writes the first character it has read only the start token; when it writes "
            "the second, the start token and the first character.",
            "Drop the last character, and put the start token in front of each row.",
        ],
        wrong_answers=[
            WrongAnswer("def decoder_input(target, start):\n    return target", "copy its input"),
            WrongAnswer(
                changed(
                    _SHIFT,
                    "torch.cat([first, target[:, :-1]], dim=1)",
                    "torch.cat([target[:, 1:], first], dim=1)",
                ),
                "to the left",
            ),
            WrongAnswer(changed(_SHIFT, "target[:, :-1]]", "target]"), "one step longer"),
            WrongAnswer(changed(_SHIFT, "target[:, :-1]]", "target[:, 1:]]"), "Nothing moved"),
            WrongAnswer(
                "def decoder_input(target, start):\n    return target.roll(1, dims=1)",
                "end of the answer",
            ),
            WrongAnswer(
                changed(_SHIFT, "torch.full_like(target[:, :1], start)", "0 * target[:, :1]"),
                "always 0",
            ),
            WrongAnswer(
                "def decoder_input(target, start):\n"
                "    first = torch.full_like(target[:1], start)\n"
                "    return torch.cat([first, target[:-1]], dim=0)",
                "shifted the batch",
            ),
        ],
        praise="One pass trains all steps at once, and no step sees its own answer.",
        explanation="This is teacher forcing: the right past, shifted by one, under a causal mask.",
    ),
    Exercise(
        id="02.5",
        title="Count the parameters of a block",
        difficulty=2,
        importance=4,
        minutes=7,
        points=3,
        answer="encoder_layer_parameters",
        stub='''
            def encoder_layer_parameters(width, inner):
                """Weights and biases of one encoder block: attention, feed-forward, two norms."""
                ...
        ''',
        solution=_COUNT,
        check=_check_encoder_layer_parameters,
        hints=[
            "A linear layer from a to b has a · b weights and b biases.",
            "Four linear layers width → width, one width → inner, one inner → width, and for each "
            "of two norms a gain and a shift of length width.",
        ],
        wrong_answers=[
            WrongAnswer(
                "def encoder_layer_parameters(width, inner):\n"
                "    return 4 * width**2 + 2 * width * inner + 4 * width",
                "biases are missing",
            ),
            WrongAnswer(changed(_COUNT, "4 * (width * width", "3 * (width * width"), "four matric"),
            WrongAnswer(changed(_COUNT, " + (inner * width + width)", ""), "goes back too"),
            WrongAnswer(changed(_COUNT, "attention + feed_forward", "attention"), "is missing"),
            WrongAnswer(changed(_COUNT, "feed_forward + norms", "feed_forward"), "norms are miss"),
            WrongAnswer(changed(_COUNT, "2 * 2 * width", "2 * width"), "There are two norms"),
            WrongAnswer(
                "def encoder_layer_parameters(width, inner):\n    return 12 * width**2",
                "rule of thumb",
            ),
        ],
        praise="1,774,464 for MiniLM's blocks, and the heads do not appear in the formula.",
        explanation="Heads share the width, so their number cancels out.",
    ),
    Exercise(
        id="02.6",
        title="Memory for a batch",
        difficulty=1,
        importance=4,
        minutes=4,
        points=2,
        answer="map_mebibytes",
        stub="map_mebibytes = ...",
        solution=_MEMORY,
        check=_check_map_mebibytes,
        hints=[
            "One map has 512 × 512 numbers. How many maps are there in all?",
            "layers · heads · batch · tokens² · bytes, divided by 2²⁰.",
        ],
        wrong_answers=[
            WrongAnswer("map_mebibytes = 6 * 12 * 512**2 * 4 / 2**20", "one review"),
            WrongAnswer("map_mebibytes = 6 * 32 * 512**2 * 4 / 2**20", "heads are missing"),
            WrongAnswer("map_mebibytes = 12 * 32 * 512**2 * 4 / 2**20", "one layer"),
            WrongAnswer("map_mebibytes = 6 * 12 * 32 * 512**2 / 2**20", "not bytes"),
            WrongAnswer("map_mebibytes = 6 * 12 * 32 * 512 * 4 / 2**20", "not 512"),
            WrongAnswer("map_mebibytes = 6 * 12 * 32 * 512**2 * 4 / 1e6", "megabytes"),
            WrongAnswer("map_mebibytes = 6 * 12 * 32 * 512**2 * 4", "Those are bytes"),
        ],
        praise="2.25 GiB, more than 26 times the weights of the model: keep no maps in training.",
        explanation="6 layers · 12 heads · 32 reviews · 512² numbers · 4 bytes = 2304 · 2²⁰.",
    ),
]

QUIZ = [
    Question(
        "A layer of width 384 gets 24 heads instead of 12. What happens to its parameters?",
        options=[
            Option("They double.", "Each head gets narrower: 24 slices of 16 instead of 12 of 32."),
            Option(
                "They stay the same.",
                "The four matrices are 384 × 384 whatever the number of heads: heads are slices.",
                right=True,
            ),
            Option("They halve.", "The matrices keep their size; only the slices get narrower."),
            Option(
                "They grow with the square of the number of heads.",
                "What grows with the heads is the number of attention maps, not of parameters.",
            ),
        ],
    ),
    Question(
        "An encoder without any position information reads “battery great, sound bad” and “sound "
        "great, battery bad”. What differs?",
        options=[
            Option(
                "The vector of [CLS].",
                "It mixes the same values with the same weights: it is the same vector.",
            ),
            Option(
                "The vectors of sound and battery change places, with other values.",
                "Each word sees the same set of words in both texts, so its vector is the same.",
            ),
            Option(
                "Only the order of the output vectors.",
                "Attention treats its input as a bag; the outputs are permuted like the inputs.",
                right=True,
            ),
            Option(
                "Nothing would differ with positions either.",
                "With positions each word sees where the others stand, and the vectors differ.",
            ),
        ],
    ),
    Question(
        "What does the residual connection do for a deep stack?",
        several=True,
        options=[
            Option(
                "A gradient reaches the first block undamped.",
                "The derivative of x + f(x) is 1 + f′(x): one path leads through the 1.",
                right=True,
            ),
            Option(
                "A block need only write a change.",
                "It adds to what is there; a block that writes zero does no harm.",
                right=True,
            ),
            Option(
                "It keeps the size of the states at 1.",
                "On the contrary, sums grow. Keeping the size is the norm's work.",
            ),
            Option("It saves parameters.", "An addition has none, and takes none away."),
        ],
    ),
    Question(
        "In cross-attention, where do queries, keys and values come from?",
        options=[
            Option(
                "Queries from the written text, keys and values from the text that is read.",
                "The decoder asks, the encoder's memory answers.",
                right=True,
            ),
            Option(
                "Queries from the text that is read, keys and values from the written text.",
                "Then each read token would get an answer, and the written ones none.",
            ),
            Option(
                "All three from the text that is written.", "That is the decoder's self-attention."
            ),
            Option(
                "All three from the text that is read.", "That is the encoder's self-attention."
            ),
        ],
    ),
    Question(
        "A decoder's loss falls close to zero within minutes, on validation texts too, and "
        "what it writes is rubbish. What do you look at first?",
        options=[
            Option(
                "The learning rate.", "A loss near zero says that the optimiser did its work well."
            ),
            Option(
                "Overfitting.",
                "Then the validation loss would be high. Here it is low as well.",
            ),
            Option(
                "The sampling temperature.",
                "A model that has learned its task writes well with the plain largest score.",
            ),
            Option(
                "The causal mask.",
                "Without it each step can read its own answer, in validation too. Only writing, "
                "where no answer exists, shows it.",
                right=True,
            ),
        ],
    ),
    Question(
        "MiniLM reads 512 tokens instead of 256. What happens to the whole work?",
        options=[
            Option(
                "It doubles.",
                "The matrix products double; the attention maps take four times the work.",
            ),
            Option(
                "It grows to a little more than double.",
                "The maps are 10 % of the work at 256 tokens; only they grow fourfold.",
                right=True,
            ),
            Option(
                "It grows fourfold.",
                "Only the attention maps do; at this length most of the work is matrix products.",
            ),
            Option(
                "It grows eightfold.", "Nothing in a transformer grows with the cube of the length."
            ),
        ],
    ),
]
