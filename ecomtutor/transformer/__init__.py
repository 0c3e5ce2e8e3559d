"""The machines of lessons 02, 04 and 05, written to be read, and filled with real weights.

blocks, positions    heads, feed-forward, residual; sinusoids and rotations
encoder_decoder      the transformer of 2017
bert, gpt, llama     MiniLM and m3e-small; GPT-2; SmolLM2
weights, configs     Hugging Face folders, in and out
decoding             greedy, sample, beam
sizes                parameters by formula

    bert = transformer.Bert.from_pretrained("m3e")
    bert(token_ids, attention_mask=mask, attentions=True).attentions[layer]
"""

from ecomtutor.transformer.bert import Bert, BertOutput, BertWithHeads, PretrainingOutput
from ecomtutor.transformer.blocks import (
    DecoderBlock,
    EncoderBlock,
    FeedForward,
    GatedFeedForward,
    KeyValueCache,
    MultiHeadAttention,
    Residual,
    attend,
    gelu_tanh,
    layer_norm,
    rms_norm,
)
from ecomtutor.transformer.configs import (
    BertConfig,
    ConfigError,
    EncoderDecoderConfig,
    GptConfig,
    LlamaConfig,
)
from ecomtutor.transformer.decoding import (
    Beams,
    DecodingError,
    beam,
    greedy,
    keep_top_k,
    keep_top_p,
    penalise_repetition,
    sample,
)
from ecomtutor.transformer.doors import TokenError
from ecomtutor.transformer.encoder_decoder import EncoderDecoder, EncoderDecoderOutput
from ecomtutor.transformer.gpt import Gpt, GptOutput
from ecomtutor.transformer.llama import Llama, LlamaBlock
from ecomtutor.transformer.positions import (
    Rotation,
    SinusoidalPositions,
    rotate,
    rotation,
    sinusoidal_positions,
)
from ecomtutor.transformer.sizes import count_parameters
from ecomtutor.transformer.weights import WeightsError, initialise

__all__ = [
    "Beams",
    "Bert",
    "BertConfig",
    "BertOutput",
    "BertWithHeads",
    "ConfigError",
    "DecoderBlock",
    "DecodingError",
    "EncoderBlock",
    "EncoderDecoder",
    "EncoderDecoderConfig",
    "EncoderDecoderOutput",
    "FeedForward",
    "GatedFeedForward",
    "Gpt",
    "GptConfig",
    "GptOutput",
    "KeyValueCache",
    "Llama",
    "LlamaBlock",
    "LlamaConfig",
    "MultiHeadAttention",
    "PretrainingOutput",
    "Residual",
    "Rotation",
    "SinusoidalPositions",
    "TokenError",
    "WeightsError",
    "attend",
    "beam",
    "count_parameters",
    "gelu_tanh",
    "greedy",
    "initialise",
    "keep_top_k",
    "keep_top_p",
    "layer_norm",
    "penalise_repetition",
    "rms_norm",
    "rotate",
    "rotation",
    "sample",
    "sinusoidal_positions",
]
