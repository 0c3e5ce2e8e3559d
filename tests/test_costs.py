"""Operations and memory by formula, against torch's own counter and the real tensors."""

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from ecomtutor.errors import EcomTutorError
from ecomtutor.transformer import Bert, BertConfig
from ecomtutor.transformer.costs import attention_map_bytes, count_operations

SIZES = BertConfig(vocabulary=50, width=24, layers=3, heads=4, inner=40, positions=64)


@pytest.mark.parametrize(("tokens", "batch"), [(1, 1), (7, 1), (64, 5)])
def test_operations_are_those_that_torch_counts(tokens, batch):
    model = Bert(SIZES).eval()
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        model(torch.ones(batch, tokens, dtype=torch.long), attentions=True)
    assert sum(count_operations(SIZES, tokens, batch).values()) == counter.get_total_flops()


def test_only_the_maps_grow_with_the_square():
    once, twice = count_operations(SIZES, 20), count_operations(SIZES, 40)
    growth = {part: twice[part] / once[part] for part in once}
    assert growth == {"projections": 2, "attention maps": 4, "feed-forward": 2, "pooler": 1}


def test_map_bytes_are_those_of_the_tensors():
    with torch.no_grad():
        maps = Bert(SIZES).eval()(torch.ones(5, 9, dtype=torch.long), attentions=True).attentions
    assert attention_map_bytes(SIZES, 9, batch=5) == sum(m.nbytes for m in maps)
    assert attention_map_bytes(SIZES, 9, 5, "bfloat16") * 2 == attention_map_bytes(SIZES, 9, 5)


def test_bad_sizes_are_refused():
    with pytest.raises(EcomTutorError, match="At least 1 token"):
        count_operations(SIZES, 0)
    with pytest.raises(EcomTutorError, match="At least 1 token"):
        attention_map_bytes(SIZES, 8, batch=0)
    with pytest.raises(EcomTutorError, match="float64"):
        attention_map_bytes(SIZES, 8, dtype="float64")
