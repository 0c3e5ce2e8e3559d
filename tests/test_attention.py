"""The attention of lessons 01 and 02 against torch, against its own properties, and for real."""

import math
from functools import cache
from typing import NamedTuple

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.autograd.functional import jacobian

from ecomtutor import attention, models
from ecomtutor.attention import ShapeError
from ecomtutor.errors import EcomTutorError

TORCH = torch.nn.functional.scaled_dot_product_attention
TOLERANCE = {torch.float64: 1e-12, torch.float32: 1e-6, torch.float16: 5e-3, torch.bfloat16: 4e-2}
DTYPES = list(TOLERANCE)
SENTENCES = {
    "en": ["The sound is great but the battery is bad.", "Broken after a week."],
    "zh": ["音质很好，但是电池不耐用。", "用了一周就坏了。"],
}
property_test = settings(deadline=None, max_examples=60, derandomize=True)


class Case(NamedTuple):
    query: torch.Tensor
    key: torch.Tensor
    value: torch.Tensor
    mask: torch.Tensor | None


def uniform(generator, *shape, dtype=torch.float64):
    return (torch.rand(*shape, generator=generator, dtype=torch.float64) * 2 - 1).to(dtype)


@st.composite
def cases(draw, dtypes=(torch.float64,), masked=True):
    """Random queries, keys and values of random shapes, with any kind of mask."""
    small, width = st.integers(1, 8), st.integers(1, 64)
    leading = draw(st.lists(st.integers(1, 3), max_size=2))
    queries, keys, d_k, d_v = draw(st.tuples(small, small, width, width))
    dtype = draw(st.sampled_from(dtypes))
    generator = torch.Generator().manual_seed(draw(st.integers(0, 2**32)))
    kinds = ["none", "boolean", "additive", "causal", "padding"] if masked else ["none"]
    kind = draw(st.sampled_from(kinds))
    if kind == "causal":
        keys = queries
    tensors = [
        uniform(generator, *leading, *shape, dtype=dtype)
        for shape in ((queries, d_k), (keys, d_k), (keys, d_v))
    ]
    allowed = torch.rand(draw(st.sampled_from([1, queries])), keys, generator=generator) < 0.6
    mask = {
        "none": None,
        "boolean": allowed,
        "additive": uniform(generator, queries, keys, dtype=dtype).masked_fill(~allowed, -math.inf),
        "causal": attention.causal_mask(queries) if kind == "causal" else None,
        "padding": (torch.arange(keys) < draw(st.integers(0, keys)))[None],
    }[kind]
    return Case(*tensors, mask)


@property_test
@given(cases(dtypes=DTYPES))
def test_equals_torch(case):
    expected = TORCH(case.query, case.key, case.value, attn_mask=case.mask)
    output, weights = attention.scaled_dot_product_attention(*case)
    tolerance = TOLERANCE[case.query.dtype]
    torch.testing.assert_close(output, expected, rtol=tolerance, atol=tolerance)
    torch.testing.assert_close(weights @ case.value, output)


@property_test
@given(cases(dtypes=[torch.float32, torch.float64]), st.floats(0.01, 2))
def test_equals_torch_with_another_scale(case, scale):
    expected = TORCH(case.query, case.key, case.value, attn_mask=case.mask, scale=scale)
    output = attention.scaled_dot_product_attention(*case, scale=scale).output
    tolerance = 5 * TOLERANCE[case.query.dtype]  # scores are up to 16 times larger
    torch.testing.assert_close(output, expected, rtol=tolerance, atol=tolerance)


@property_test
@given(cases())
def test_rows_sum_to_one_or_to_zero_where_all_is_masked(case):
    weights = attention.scaled_dot_product_attention(*case).weights
    allowed = torch.ones_like(weights, dtype=torch.bool)
    if case.mask is not None:
        allowed &= case.mask if case.mask.dtype == torch.bool else case.mask > -math.inf
    assert weights[~allowed].count_nonzero() == 0
    assert (weights[allowed] > 0).all()
    torch.testing.assert_close(weights.sum(-1), allowed.any(-1).double())


def test_a_query_that_may_look_at_nothing_gets_zeros_and_finite_gradients():
    generator = torch.Generator().manual_seed(0)
    query, key, value = (uniform(generator, 3, 4).requires_grad_() for _ in range(3))
    allowed = torch.tensor([[True, True, False], [False, False, False], [True, True, True]])
    for mask in (allowed, torch.zeros(3, 3).double().masked_fill(~allowed, -math.inf)):
        output, weights = attention.scaled_dot_product_attention(query, key, value, mask)
        assert output[1].tolist() == [0.0] * 4
        assert weights[1].tolist() == [0.0] * 3
        ours = torch.autograd.grad(output.sin().sum(), (query, key, value))
        expected = TORCH(query, key, value, attn_mask=mask)
        theirs = torch.autograd.grad(expected.sin().sum(), (query, key, value))
        torch.testing.assert_close(ours, theirs)
        assert ours[0][1].tolist() == [0.0] * 4


@property_test
@given(cases(), st.randoms())
def test_the_order_of_keys_does_not_matter_and_that_of_queries_carries_over(case, random):
    output, weights = attention.scaled_dot_product_attention(*case)
    keys = random.sample(range(case.key.shape[-2]), case.key.shape[-2])
    queries = random.sample(range(case.query.shape[-2]), case.query.shape[-2])
    mask = case.mask
    if mask is not None:
        mask = mask.expand(len(queries), len(keys))[queries][:, keys]
    shuffled = attention.scaled_dot_product_attention(
        case.query[..., queries, :], case.key[..., keys, :], case.value[..., keys, :], mask
    )
    torch.testing.assert_close(shuffled.output, output[..., queries, :])
    torch.testing.assert_close(shuffled.weights, weights[..., queries, :][..., keys])


@property_test
@given(cases(masked=False))
def test_the_loop_equals_the_fast_version(case):
    matrices = [each.reshape(-1, *each.shape[-2:])[0] for each in case[:3]]
    fast, loop = (
        compute(*matrices)
        for compute in (attention.scaled_dot_product_attention, attention.attention_by_loop)
    )
    torch.testing.assert_close(loop.output, fast.output)
    torch.testing.assert_close(loop.weights, fast.weights)


def test_by_hand():
    # Scores 2·1/√4 = 1 and 0: weights e/(e+1) and 1/(e+1).
    query, key = torch.tensor([[2.0, 0, 0, 0]]), torch.tensor([[1.0, 0, 0, 0], [0, 1, 0, 0]])
    value = torch.tensor([[1.0], [0.0]])
    output, weights = attention.scaled_dot_product_attention(query, key, value)
    assert weights[0].tolist() == pytest.approx([0.7310586, 0.2689414])
    assert output.item() == pytest.approx(0.7310586)


@property_test
@given(st.lists(st.floats(-50, 50), min_size=1, max_size=8), st.floats(0.1, 10))
def test_softmax_equals_torch(scores, temperature):
    scores = torch.tensor(scores, dtype=torch.float64)
    expected = torch.softmax(scores / temperature, dim=-1)
    torch.testing.assert_close(attention.softmax(scores, temperature), expected)


def test_temperature_leads_from_argmax_to_uniform():
    scores = torch.tensor([1.0, 3.0, 2.0])
    assert attention.softmax(scores, 0.01).tolist() == pytest.approx([0, 1, 0])
    assert attention.softmax(scores, 1e6).tolist() == pytest.approx([1 / 3] * 3, abs=1e-5)


@pytest.mark.parametrize("offset", [1e4, -1e4])
def test_large_scores_do_not_overflow(offset):
    scores = torch.tensor([1.0, 3.0, 2.0]) + offset
    expected = torch.softmax(scores, dim=-1)
    torch.testing.assert_close(attention.softmax(scores), expected)
    assert attention.softmax(torch.tensor([1e4, -1e4, 0.0])).tolist() == [1.0, 0.0, 0.0]


@property_test
@given(st.lists(st.floats(-5, 5), min_size=1, max_size=6))
def test_softmax_jacobian_equals_autograd(scores):
    scores = torch.tensor(scores, dtype=torch.float64)
    ours = attention.softmax_jacobian(attention.softmax(scores))
    torch.testing.assert_close(ours, jacobian(attention.softmax, scores))


def test_softmax_jacobian_takes_batches_and_vanishes_at_one_hot():
    weights = attention.softmax(uniform(torch.Generator().manual_seed(1), 2, 3, 4))
    whole = attention.softmax_jacobian(weights)
    assert whole.shape == (2, 3, 4, 4)
    torch.testing.assert_close(whole[1, 2], attention.softmax_jacobian(weights[1, 2]))
    assert attention.softmax_jacobian(torch.tensor([0.0, 1.0])).count_nonzero() == 0


@property_test
@given(cases())
def test_entropy_lies_between_zero_and_that_of_equal_weights(case):
    weights = attention.scaled_dot_product_attention(*case).weights
    bits = attention.entropy(weights)
    assert bits.shape == weights.shape[:-1]
    assert (bits >= -1e-12).all()
    assert (bits <= math.log2(weights.shape[-1]) + 1e-12).all()


@pytest.mark.parametrize(
    ("weights", "bits"),
    [([1.0], 0), ([0, 1.0, 0], 0), ([0.0, 0.0], 0), ([0.25] * 4, 2), ([0.5, 0.25, 0.25], 1.5)],
)
def test_entropy_in_bits(weights, bits):
    measured = attention.entropy(torch.tensor(weights)).item()
    assert measured == pytest.approx(bits)
    assert not f"{measured:.2f}".startswith("-")


@property_test
@given(st.lists(st.integers(1, 3), max_size=2), st.integers(1, 5), st.integers(1, 4))
def test_split_and_merge_invert_each_other(leading, tokens, heads):
    width = 6 * heads
    states = torch.arange(math.prod(leading) * tokens * width).reshape(*leading, tokens, width)
    parts = attention.split_heads(states, heads)
    assert parts.shape == (*leading, heads, tokens, 6)
    assert torch.equal(parts[..., 0, :, :], states[..., :6])
    assert torch.equal(attention.merge_heads(parts), states)


def test_causal_mask():
    assert attention.causal_mask(3).tolist() == [
        [True, False, False],
        [True, True, False],
        [True, True, True],
    ]


def test_padding_mask_hides_padding_from_every_head_and_query():
    mask = attention.padding_mask(torch.tensor([[1, 1, 0], [1, 1, 1]]))
    assert mask.shape == (2, 1, 1, 3)
    masked = attention.apply_mask(torch.zeros(2, 4, 5, 3), mask)
    assert (masked[0, ..., 2] == -math.inf).all()
    assert (masked == -math.inf).sum() == 4 * 5


@cache
def real_attention(language):
    """A real model on a padded batch: its encoder, the padding mask and its outputs."""
    encoder = models.load_encoder(language)
    batch = encoder.tokenizer(SENTENCES[language], padding=True, return_tensors="pt")
    assert batch["attention_mask"].min() == 0
    with torch.no_grad():
        outputs = encoder.model(**batch, output_attentions=True, output_hidden_states=True)
    return encoder, attention.padding_mask(batch["attention_mask"]), outputs


@pytest.mark.parametrize("language", ["en", "zh"])
def test_recomputes_the_attention_of_every_layer_of_a_real_model(language):
    encoder, mask, outputs = real_attention(language)
    assert len(outputs.attentions) == encoder.layers
    for layer, expected in enumerate(outputs.attentions):
        with torch.no_grad():
            states = outputs.hidden_states[layer]
            query, key, value = attention.query_key_value(encoder.model, layer, states)
        assert query.shape == (2, encoder.heads, states.shape[1], encoder.head_width)
        weights = attention.scaled_dot_product_attention(query, key, value, mask).weights
        torch.testing.assert_close(weights, expected, rtol=0, atol=1e-5)


@pytest.mark.parametrize("layer", [-1, 6])
def test_names_the_layers_there_are(layer):
    encoder, _, outputs = real_attention("en")
    with pytest.raises(EcomTutorError, match=f"0 to 5; {layer} was asked for"):
        attention.query_key_value(encoder.model, layer, outputs.hidden_states[0])


def test_names_the_width_that_a_model_needs():
    encoder, _, _ = real_attention("en")
    with pytest.raises(ShapeError, match=r"end in 384; \(1, 2, 512\) came"):
        attention.query_key_value(encoder.model, 0, torch.zeros(1, 2, 512))


@pytest.mark.parametrize("temperature", [0, -0.5, math.nan, math.inf])
def test_refuses_a_temperature_that_is_not_positive_and_finite(temperature):
    with pytest.raises(EcomTutorError, match=f"{temperature!r} came"):
        attention.softmax(torch.zeros(3), temperature)


@pytest.mark.parametrize(
    ("query", "key", "value", "said"),
    [
        ((2, 3), (2, 4), (2, 4), r"\(2, 3\) and keys \(2, 4\)"),
        ((3,), (2, 3), (2, 3), r"\(3,\) and keys \(2, 3\)"),
        ((2, 0), (2, 0), (2, 3), r"\(2, 0\) and keys \(2, 0\)"),
        ((2, 1, 4), (3, 1, 4), (3, 1, 4), r"\(2, 1, 4\) and keys \(3, 1, 4\)"),
        ((2, 3), (2, 3), (5, 3), r"keys \(2, 3\) and values \(5, 3\)"),
        ((2, 3), (2, 3), (3,), r"keys \(2, 3\) and values \(3,\)"),
        ((1, 2, 3), (2, 2, 3), (3, 2, 3), r"keys \(2, 2, 3\) and values \(3, 2, 3\)"),
    ],
)
def test_says_which_shapes_do_not_fit(query, key, value, said):
    for compute in (attention.scaled_dot_product_attention, attention.attention_by_loop):
        with pytest.raises(ShapeError, match=said):
            compute(torch.zeros(query), torch.zeros(key), torch.zeros(value))


def test_the_loop_takes_no_batch():
    with pytest.raises(ShapeError, match=r"no batch; \(1, 2, 3\)"):
        attention.attention_by_loop(*[torch.zeros(1, 2, 3)] * 3)


@pytest.mark.parametrize("shape", [(3, 2), (2, 2, 3), (4,)])
def test_refuses_a_mask_of_another_shape(shape):
    with pytest.raises(ShapeError, match=rf"mask \({shape[0]}.*scores \(2, 3\)"):
        attention.apply_mask(torch.zeros(2, 3), torch.ones(shape, dtype=torch.bool))


def test_refuses_an_integer_mask():
    with pytest.raises(EcomTutorError, match=r"torch\.int64 came\. Try mask\.bool\(\)"):
        attention.apply_mask(torch.zeros(2, 3), torch.ones(2, 3, dtype=torch.int64))


def test_refuses_an_attention_mask_that_is_no_batch():
    with pytest.raises(ShapeError, match=r"\(3,\) came"):
        attention.padding_mask(torch.ones(3))


@pytest.mark.parametrize("heads", [5, 0])
def test_refuses_heads_that_do_not_share_the_width(heads):
    with pytest.raises(ShapeError, match=f"width of 12 .* {heads} heads"):
        attention.split_heads(torch.zeros(2, 12), heads)
