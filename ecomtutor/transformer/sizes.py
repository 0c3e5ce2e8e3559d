"""How many numbers a machine holds, part by part, by formula (lesson 02)."""

from ecomtutor.transformer.configs import (
    BertConfig,
    Config,
    ConfigError,
    EncoderDecoderConfig,
    GptConfig,
    LlamaConfig,
)


def count_parameters(config: Config, heads: bool = False) -> dict[str, int]:
    """The parameters of each part; `sum(parts.values())` is the whole model.

    Args:
        config: of a Bert, Gpt, Llama or EncoderDecoder.
        heads: count the two heads of `BertWithHeads` as well.

    Returns:
        Part → number. Tied output layers are not counted again.
    """
    match config:
        case BertConfig():
            return _bert(config) | (_bert_heads(config) if heads else {})
        case GptConfig():
            return _gpt(config)
        case LlamaConfig():
            return _llama(config)
        case EncoderDecoderConfig():
            return _encoder_decoder(config)
    raise ConfigError(f"No formula for {type(config).__name__}.")


def _linear(inputs: int, outputs: int) -> int:
    return inputs * outputs + outputs  # a weight for each pair, a bias for each output


def _attention(width: int) -> int:
    return 4 * _linear(width, width)  # query, key, value, output; the number of heads cancels out


def _feed_forward(width: int, inner: int) -> int:
    return _linear(width, inner) + _linear(inner, width)


def _norm(width: int) -> int:
    return 2 * width  # a gain and a shift for each coordinate


def _bert(c: BertConfig) -> dict[str, int]:
    return {
        "word table": c.vocabulary * c.width,
        "segment table": c.segments * c.width,
        "position table": c.positions * c.width,
        "attention": c.layers * _attention(c.width),
        "feed-forward": c.layers * _feed_forward(c.width, c.inner),
        "norms": (1 + 2 * c.layers) * _norm(c.width),  # after the embeddings, and after each change
        "pooler": _linear(c.width, c.width),
    }


def _bert_heads(c: BertConfig) -> dict[str, int]:
    return {
        "MLM head": _linear(c.width, c.width) + _norm(c.width) + c.vocabulary,
        "NSP head": _linear(c.width, 2),
    }


def _gpt(c: GptConfig) -> dict[str, int]:
    return {
        "word table": c.vocabulary * c.width,
        "position table": c.positions * c.width,
        "attention": c.layers * _attention(c.width),
        "feed-forward": c.layers * _feed_forward(c.width, c.inner),
        "norms": (2 * c.layers + 1) * _norm(c.width),  # before each change, and at the end
    }


def _llama(c: LlamaConfig) -> dict[str, int]:
    shared = c.key_value_heads * c.head_width  # width of all keys together, and of all values
    return {
        "word table": c.vocabulary * c.width,
        "attention": c.layers * (2 * c.width * c.width + 2 * c.width * shared),  # no biases
        "feed-forward": c.layers * 3 * c.width * c.inner,  # gate, expand, contract
        "norms": (2 * c.layers + 1) * c.width,  # a gain, no shift
    }


def _encoder_decoder(c: EncoderDecoderConfig) -> dict[str, int]:
    final = 2 if c.pre_norm else 0  # one more norm at the end of each half
    return {
        "word table": c.vocabulary * c.width,  # sinusoids have no parameters
        "self-attention": 2 * c.layers * _attention(c.width),
        "cross-attention": c.layers * _attention(c.width),
        "feed-forward": 2 * c.layers * _feed_forward(c.width, c.inner),
        "norms": ((2 + 3) * c.layers + final) * _norm(c.width),
    }
