"""What reading a text costs: operations and memory, by formula (lesson 02).

`count_parameters` says how large a model is; this says what it does with a text of n tokens. One
multiplication and one addition are two operations, as in the literature. Norms, activations and
the softmax are left out: they are below one per cent.
"""

from ecomtutor.errors import EcomTutorError
from ecomtutor.transformer.configs import BertConfig

_BYTES = {"float32": 4, "bfloat16": 2, "float16": 2}


def count_operations(config: BertConfig, tokens: int, batch: int = 1) -> dict[str, int]:
    """Operations of one pass of a `Bert`, part by part; `sum(parts.values())` is the whole.

    Only "attention maps" grows with the square of the length: each token meets each token, once in
    QKᵀ and once when the values are mixed. All else is paid token by token.

    Args:
        config: sizes of the model.
        tokens: length of each text.
        batch: how many texts.

    Raises:
        EcomTutorError: no token, or no text.
    """
    _check(tokens, batch)
    width, inner, layers = config.width, config.inner, config.layers
    return {
        "projections": batch * layers * 2 * tokens * 4 * width**2,  # query, key, value, output
        "attention maps": batch * layers * 2 * 2 * tokens**2 * width,  # QKᵀ, and weights @ V
        "feed-forward": batch * layers * 2 * tokens * 2 * width * inner,
        "pooler": batch * 2 * width**2,
    }


def attention_map_bytes(
    config: BertConfig, tokens: int, batch: int = 1, dtype: str = "float32"
) -> int:
    """Bytes of all attention weights of a pass, if all are kept: layers · heads · n² numbers.

    Kept they are where weights are asked for, and in training without a fused kernel.

    Raises:
        EcomTutorError: no token, no text, or an unknown type of number.
    """
    _check(tokens, batch)
    if dtype not in _BYTES:
        raise EcomTutorError(f"dtype is one of {', '.join(_BYTES)}; {dtype!r} came.")
    return batch * config.layers * config.heads * tokens**2 * _BYTES[dtype]


def _check(tokens: int, batch: int) -> None:
    if tokens < 1 or batch < 1:
        raise EcomTutorError(f"At least 1 token and 1 text; {tokens} and {batch} came.")
