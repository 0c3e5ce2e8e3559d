"""A reader with random weights on a tiny network: no real model."""

import torch
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers
from transformers import BertConfig, BertModel, BertTokenizerFast

from ecomtutor.models import Loaded
from ecomtutor.question_answering.model import with_spans
from ecomtutor.question_answering.reader import Reader
from ecomtutor.resources import Located, Resource

SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
SAID = (
    "how long is the coupon valid for you can return a dress within days it costs yuan red blue "
    "14 30 7 20 50 120 price colour of . , ? ! refund takes parcel store card"
)
WORDS = SAID.split()
HAN = "满减券领取后十四天内有效退货要多久七日颜色是红蓝价格元，。？"


def tiny_encoder() -> Loaded:
    """A BERT of two layers of width 32 over some words and characters."""
    vocabulary = {token: i for i, token in enumerate([*SPECIAL, *WORDS, *dict.fromkeys(HAN)])}
    backend = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    backend.normalizer = normalizers.BertNormalizer(lowercase=True)
    backend.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer = BertTokenizerFast(tokenizer_object=backend)
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=len(vocabulary),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=512,
    )
    resource = Resource("tiny", "tiny", "a test's own", "none", (), ())
    return Loaded("tiny", tokenizer, BertModel(config).eval(), Located(resource, None, "", {}))


def tiny_reader(loaded: Loaded) -> Reader:
    """A reader with random weights that answers always."""
    torch.manual_seed(1)
    model = with_spans(loaded).eval()
    torch.nn.init.normal_(model.span_head.weight, std=0.5)
    return Reader(model, loaded.tokenizer, "en", threshold=float("-inf"))
