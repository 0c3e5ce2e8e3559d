"""Our machines against torch's, against transformers', and filled with the real weights."""

import json
import math
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from torch import Tensor, nn
from torch.nn import functional as F

from ecomtutor import models, transformer
from ecomtutor.attention import ShapeError, causal_mask
from ecomtutor.errors import EcomTutorError, MissingResource
from ecomtutor.transformer import (
    Bert,
    BertConfig,
    BertWithHeads,
    ConfigError,
    DecoderBlock,
    DecodingError,
    EncoderBlock,
    EncoderDecoder,
    EncoderDecoderConfig,
    Gpt,
    GptConfig,
    Llama,
    LlamaConfig,
    MultiHeadAttention,
    TokenError,
    WeightsError,
    beam,
    count_parameters,
    greedy,
    sample,
)

SHIPPED_GPT = Path(__file__).resolve().parents[1] / "data" / "models" / "shop-gpt-mini"
BERT = BertConfig(vocabulary=60, width=24, layers=2, heads=3, inner=40, positions=32)
GPT = GptConfig(vocabulary=60, width=24, layers=2, heads=3, positions=32, end_id=0)
LLAMA = LlamaConfig(
    vocabulary=60, width=24, layers=2, heads=6, key_value_heads=2, inner=40, positions=32, end_id=0
)
LONG = {"en": "The sound is great but the battery is bad. ", "zh": "音质很好，但是电池不耐用。"}
TEXTS = {
    "en": [LONG["en"] * 80, "Broken", "", "蓝牙耳机 IPX7 防水"],
    "zh": [LONG["zh"] * 60, "坏", "", "蓝牙耳机 IPX7 waterproof"],
}


@pytest.fixture(autouse=True)
def without_gradients() -> Any:
    with torch.no_grad():
        yield


@pytest.fixture(scope="module", autouse=True)
def quiet() -> Any:
    """No loading reports; one thread, for models so small that a second only waits."""
    level, threads = transformers.logging.get_verbosity(), torch.get_num_threads()
    torch.set_num_threads(1)
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    yield
    transformers.logging.set_verbosity(level)
    transformers.logging.enable_progress_bar()
    torch.set_num_threads(threads)


def close(ours: Tensor, theirs: Tensor, tolerance: float = 1e-5) -> None:
    torch.testing.assert_close(ours, theirs, rtol=0, atol=tolerance)


def random_ids(rows: int, tokens: int, seed: int = 0, vocabulary: int = 60) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(1, vocabulary, (rows, tokens), generator=generator)


def lively(model: nn.Module, spread: float = 0.3) -> Any:
    """Every parameter random, gains and biases too: at 1 and 0 they would hide a mistake."""
    generator = torch.Generator().manual_seed(1)
    for parameter in model.parameters():
        parameter.data += torch.randn(parameter.shape, generator=generator) * spread
    return model.eval()


# The parts


def test_norms_equal_torch() -> None:
    states, gain, shift = torch.randn(2, 5, 8) * 3 + 1, torch.randn(8), torch.randn(8)
    close(
        transformer.layer_norm(states, gain, shift), F.layer_norm(states, (8,), gain, shift), 1e-6
    )
    close(transformer.rms_norm(states, gain), F.rms_norm(states, (8,), gain, 1e-6), 1e-6)


def test_sinusoids_are_those_of_the_paper() -> None:
    table = transformer.sinusoidal_positions(40, 6)
    for position, pair in ((0, 0), (7, 1), (39, 2)):
        angle = position / 10_000 ** (2 * pair / 6)
        assert table[position, 2 * pair].item() == pytest.approx(math.sin(angle), abs=1e-5)
        assert table[position, 2 * pair + 1].item() == pytest.approx(math.cos(angle), abs=1e-5)
    with pytest.raises(ShapeError, match="pairs; a width of 5"):
        transformer.sinusoidal_positions(4, 5)


def test_rotated_scores_depend_on_the_distance_alone() -> None:
    query, key = torch.randn(1, 1, 1, 8), torch.randn(1, 1, 1, 8)

    def score(at: int, of: int) -> float:
        turned = (
            transformer.rotate(states, transformer.rotation(torch.tensor([[place]]), 8, 100.0))
            for states, place in ((query, at), (key, of))
        )
        first, second = turned
        return float((first * second).sum())

    assert score(9, 4) == pytest.approx(score(25, 20), abs=1e-5)
    assert abs(score(9, 4) - score(9, 5)) > 1e-3
    assert score(0, 0) == pytest.approx(float((query * key).sum()), abs=1e-6)


@pytest.mark.parametrize("shared", [1, 3], ids=["each its own keys", "three share"])
@pytest.mark.parametrize("masked", [False, True])
def test_the_fused_attention_equals_lesson_01(shared: int, masked: bool) -> None:
    query, key, value = (torch.randn(2, heads, 5, 4) for heads in (6, 6 // shared, 6 // shared))
    mask = causal_mask(5) if masked else None
    fused, nothing = transformer.attend(query, key, value, mask)
    written_out, weights = transformer.attend(query, key, value, mask, weights=True)
    assert nothing is None and weights is not None
    assert weights.shape == (2, 6, 5, 5)
    close(fused, written_out, 1e-6)


def in_projection(attention: MultiHeadAttention) -> tuple[Tensor, Tensor]:
    parts: list[Any] = [attention.query, attention.key, attention.value]
    return torch.cat([p.weight for p in parts]), torch.cat([p.bias for p in parts])


def copy_into(theirs: Any, ours: MultiHeadAttention) -> None:
    weight, bias = in_projection(ours)
    theirs.in_proj_weight.copy_(weight)
    theirs.in_proj_bias.copy_(bias)
    theirs.out_proj.load_state_dict(ours.output.state_dict())


def test_multi_head_attention_equals_torch() -> None:
    ours = lively(MultiHeadAttention(24, 3))
    theirs = nn.MultiheadAttention(24, 3, batch_first=True).eval()
    copy_into(theirs, ours)
    states, memory = torch.randn(2, 5, 24), torch.randn(2, 7, 24)
    mask = torch.ones(5, 7, dtype=torch.bool).tril(2)
    output, weights = ours(states, memory, mask, weights=True)
    expected = theirs(states, memory, memory, attn_mask=~mask, average_attn_weights=False)
    close(output, expected[0])
    close(weights, expected[1], 1e-6)


@pytest.mark.parametrize("pre_norm", [False, True], ids=["post-norm", "pre-norm"])
def test_blocks_equal_torch(pre_norm: bool) -> None:
    style: dict[str, Any] = {"dropout": 0.0, "norm_first": pre_norm, "batch_first": True}
    states, memory, mask = torch.randn(2, 5, 24), torch.randn(2, 7, 24), causal_mask(5)

    encoder = lively(EncoderBlock(24, 3, 40, pre_norm=pre_norm, activation=F.relu))
    layer = nn.TransformerEncoderLayer(24, 3, 40, **style).train()  # train: no fused shortcut
    copy_into(layer.self_attn, encoder.attention)
    pairs = [("expand", "linear1"), ("contract", "linear2")]
    for part, name in pairs:
        getattr(layer, name).load_state_dict(getattr(encoder.feed_forward, part).state_dict())
    for part, name in (("first", "norm1"), ("second", "norm2")):
        getattr(layer, name).load_state_dict(getattr(encoder, part).norm.state_dict())
    close(encoder(states, mask)[0], layer(states, src_mask=~mask))

    decoder = lively(DecoderBlock(24, 3, 40, pre_norm=pre_norm))
    layer = nn.TransformerDecoderLayer(24, 3, 40, **style).train()
    copy_into(layer.self_attn, decoder.attention)
    copy_into(layer.multihead_attn, decoder.cross_attention)
    for part, name in pairs:
        getattr(layer, name).load_state_dict(getattr(decoder.feed_forward, part).state_dict())
    for part, name in (("first", "norm1"), ("second", "norm2"), ("third", "norm3")):
        getattr(layer, name).load_state_dict(getattr(decoder, part).norm.state_dict())
    close(decoder(states, memory, mask)[0], layer(states, memory, tgt_mask=~mask))


# The encoder-decoder of lesson 02

COPY = EncoderDecoderConfig(vocabulary=12, width=32, layers=1, heads=4, inner=64, positions=16)


@pytest.mark.parametrize("pre_norm", [False, True])
def test_the_encoder_decoder_learns_to_copy(pre_norm: bool) -> None:
    config = EncoderDecoderConfig(**{**vars(COPY), "pre_norm": pre_norm})
    model = EncoderDecoder(config, seed=0)
    optimiser = torch.optim.Adam(model.parameters(), lr=5e-3)
    with torch.enable_grad():
        for step in range(250):
            source = random_ids(32, 5, seed=step, vocabulary=12)
            target = F.pad(source, (1, 0))[:, :-1]  # 0 starts it
            logits = model(source, target).logits
            loss = F.cross_entropy(logits.flatten(0, 1), source.flatten())
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
    unseen = random_ids(50, 5, seed=10_000, vocabulary=12)
    copied = (model.eval().write(unseen, start_id=0, new_tokens=5) == unseen).float().mean()
    assert copied > 0.9  # by chance: 1 in 11


def test_the_decoder_looks_neither_ahead_nor_at_padding() -> None:
    model = lively(EncoderDecoder(COPY))
    source, target = random_ids(2, 6, vocabulary=12), random_ids(2, 5, seed=1, vocabulary=12)
    mask = torch.tensor([[1, 1, 1, 1, 0, 0], [1, 1, 1, 1, 1, 1]])
    before = model(source, target, mask, attentions=True)
    assert before.attentions[0].shape == (2, 4, 5, 6)
    assert (before.attentions[0][0, :, :, 4:] == 0).all()
    other_target, other_source = target.clone(), source.clone()
    other_target[:, 3] = (target[:, 3] + 1) % 12
    other_source[0, 5] = (source[0, 5] + 1) % 12
    after = model(other_source, other_target, mask).logits
    close(after[:, :3], before.logits[:, :3])
    assert (after[:, 3:] - before.logits[:, 3:]).abs().max() > 1e-2


# The real encoders


@cache
def both_encoders(language: str) -> tuple[Any, Any, Any]:
    reference = models.load_encoder(language)
    batch = reference.tokenizer(
        TEXTS[language], padding=True, truncation=True, max_length=512, return_tensors="pt"
    )
    with torch.no_grad():
        theirs = reference.model(**batch, output_attentions=True, output_hidden_states=True)
    return batch, theirs, Bert.from_pretrained(reference.name)


@pytest.mark.parametrize("language", TEXTS)
def test_bert_reproduces_the_real_encoders(language: str) -> None:
    batch, theirs, bert = both_encoders(language)
    assert batch["input_ids"].shape[1] == 512
    assert batch["attention_mask"].sum(dim=1).tolist()[:3] == [512, 3, 2]  # "" is [CLS] [SEP]
    inputs = batch["input_ids"], batch["token_type_ids"], batch["attention_mask"]
    ours, fused = bert(*inputs, attentions=True), bert(*inputs)
    real = batch["attention_mask"].bool()
    assert fused.attentions == ()
    for output in (ours, fused):
        close(output.hidden[real], theirs.last_hidden_state[real])
        close(output.pooled, theirs.pooler_output)
        for state, expected in zip(output.states, theirs.hidden_states, strict=True):
            close(state[real], expected[real])
    for weights, expected in zip(ours.attentions, theirs.attentions, strict=True):
        close(weights.transpose(1, 2)[real], expected.transpose(1, 2)[real])


@pytest.mark.parametrize("language", TEXTS)
def test_a_text_alone_gives_what_it_gives_in_a_batch(language: str) -> None:
    batch, theirs, bert = both_encoders(language)
    for row in range(1, 4):
        tokens = int(batch["attention_mask"][row].sum())
        alone = bert(batch["input_ids"][row : row + 1, :tokens])
        close(alone.hidden[0], theirs.last_hidden_state[row, :tokens])


def test_the_rest_is_rounding() -> None:
    batch, _, _ = both_encoders("en")
    ids, mask = batch["input_ids"][1:, :12], batch["attention_mask"][1:, :12]
    theirs = transformers.BertModel.from_pretrained(
        models.load_encoder("en").located.folder, dtype=torch.float64
    )
    ours = Bert.from_pretrained("minilm").double()
    expected = theirs(ids, attention_mask=mask).last_hidden_state
    close(ours(ids, None, mask).hidden[mask.bool()], expected[mask.bool()], 1e-12)


def test_segments_are_counted() -> None:
    ours = Bert.from_pretrained("minilm")
    theirs = models.load_encoder("en")
    batch = theirs.tokenizer("Is it waterproof?", "Yes, IPX7.", return_tensors="pt")
    assert batch["token_type_ids"].max() == 1
    output = ours(batch["input_ids"], batch["token_type_ids"])
    close(output.hidden, theirs.model(**batch).last_hidden_state)
    assert (ours(batch["input_ids"]).hidden - output.hidden).abs().max() > 0.01


def test_encoders_without_heads_say_so() -> None:
    with pytest.raises(WeightsError, match=r"cls\.predictions.*Bert\.from_pretrained.*fresh_heads"):
        BertWithHeads.from_pretrained("m3e")
    first, again = (BertWithHeads.from_pretrained("m3e", fresh_heads=True, seed=3) for _ in "ab")
    ids = torch.tensor([[101, 2523, 1962, 102]])
    output = first(ids)
    close(output.encoded.hidden, Bert.from_pretrained("m3e")(ids).hidden, 1e-6)
    assert output.mlm_logits.shape == (1, 4, 21128)
    assert torch.equal(output.mlm_logits, again(ids).mlm_logits)


# Hugging Face folders, in and out


def their_gpt() -> Any:
    config = transformers.GPT2Config(
        vocab_size=60, n_embd=24, n_layer=2, n_head=3, n_positions=32, bos_token_id=0,
        eos_token_id=0,
    )  # fmt: skip
    return lively(transformers.GPT2LMHeadModel(config), 0.1)


def their_bert() -> Any:
    config = transformers.BertConfig(
        vocab_size=60, hidden_size=24, num_hidden_layers=2, num_attention_heads=3,
        intermediate_size=40, max_position_embeddings=32,
    )  # fmt: skip
    return lively(transformers.BertForPreTraining(config), 0.1)


def their_llama() -> Any:
    config = transformers.LlamaConfig(
        vocab_size=60, hidden_size=24, num_hidden_layers=2, num_attention_heads=6,
        num_key_value_heads=2, intermediate_size=40, max_position_embeddings=32,
        tie_word_embeddings=True, rope_parameters={"rope_type": "default", "rope_theta": 500.0},
        bos_token_id=0, eos_token_id=0,
    )  # fmt: skip
    return lively(transformers.LlamaForCausalLM(config), 0.1)


def test_gpt_reproduces_transformers(tmp_path: Path) -> None:
    theirs = their_gpt()
    theirs.set_attn_implementation("eager")
    theirs.save_pretrained(tmp_path)
    ours = Gpt.from_pretrained(tmp_path)
    assert ours.config == GPT
    for ids in (random_ids(3, 9), random_ids(1, 1), random_ids(2, 32)):
        expected = theirs(ids, output_attentions=True, output_hidden_states=True)
        output = ours(ids, attentions=True)
        close(output.logits, expected.logits)
        close(ours(ids).logits, expected.logits)
        close(ours(ids, last_only=True).logits, expected.logits[:, -1:])
        for pairs in (
            zip(output.attentions, expected.attentions, strict=True),
            zip(output.states, expected.hidden_states, strict=True),
        ):
            for one, other in pairs:
                close(one, other)


def test_gpt_with_padding_on_either_side(tmp_path: Path) -> None:
    theirs = their_gpt()
    theirs.save_pretrained(tmp_path)
    ours = Gpt.from_pretrained(tmp_path)
    ids = random_ids(1, 6)
    alone = ours(ids).logits
    for left, right in ((0, 3), (3, 0)):
        padded = F.pad(ids, (left, right))
        mask = F.pad(torch.ones_like(ids), (left, right))
        close(ours(padded, mask).logits[:, left : left + 6], alone)
        positions = (mask.cumsum(-1) - 1).clamp(min=0)
        expected = theirs(padded, attention_mask=mask, position_ids=positions).logits
        close(ours(padded, mask).logits[mask.bool()], expected[mask.bool()])


def test_llama_reproduces_transformers(tmp_path: Path) -> None:
    theirs = their_llama()
    theirs.save_pretrained(tmp_path)
    ours = Llama.from_pretrained(tmp_path)
    assert ours.config.rotary_base == 500 and ours.config.key_value_heads == 2
    for ids in (random_ids(3, 9), random_ids(1, 1), random_ids(2, 32)):
        close(ours(ids).logits, theirs(ids).logits)
        close(ours(ids, attentions=True).logits, theirs(ids).logits)


@pytest.mark.parametrize(
    ("ours", "config", "their_class"),
    [
        (BertWithHeads, BERT, transformers.BertForPreTraining),
        (Bert, BERT, transformers.BertModel),
        (Gpt, GPT, transformers.GPT2LMHeadModel),
        (Llama, LLAMA, transformers.LlamaForCausalLM),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_what_we_save_loads_in_transformers_and_here(
    ours: Any, config: Any, their_class: Any, tmp_path: Path
) -> None:
    model = lively(ours(config, seed=5), 0.1)
    model.save_pretrained(tmp_path / "new" / "folder")
    theirs, report = their_class.from_pretrained(
        tmp_path / "new" / "folder", output_loading_info=True
    )
    assert not any(report.values()), report
    ids, mask = random_ids(2, 9), torch.ones(2, 9, dtype=torch.long)
    expected, again = theirs.eval()(ids), ours.from_pretrained(tmp_path / "new" / "folder")
    assert again.config == config and not again.training
    if isinstance(model, BertWithHeads):
        segments = (torch.arange(9) > 4).long().expand(2, 9)
        expected = theirs(ids, token_type_ids=segments, attention_mask=mask)
        output = model(ids, segments, mask)
        close(output.mlm_logits, expected.prediction_logits)
        close(output.nsp_logits, expected.seq_relationship_logits)
    elif isinstance(model, Bert):
        close(model(ids).pooled, expected.pooler_output)
    else:
        close(model(ids).logits, expected.logits)
    for name, tensor in again.state_dict().items():
        assert torch.equal(tensor, model.state_dict()[name]), name


def test_bert_with_heads_reads_transformers_and_predicts_where_asked(tmp_path: Path) -> None:
    theirs = their_bert()
    theirs.save_pretrained(tmp_path)
    ours = BertWithHeads.from_pretrained(tmp_path)
    ids, places = random_ids(3, 8), random_ids(3, 8, seed=2) > 45
    expected = theirs(ids)
    output = ours(ids)
    close(output.mlm_logits, expected.prediction_logits)
    close(output.nsp_logits, expected.seq_relationship_logits)
    close(ours(ids, predict_at=places).mlm_logits, expected.prediction_logits[places])
    close(Bert.from_pretrained(tmp_path)(ids).hidden, output.encoded.hidden, 1e-7)


def test_half_precision_is_saved_at_half_the_size(tmp_path: Path) -> None:
    model = Gpt(GPT)
    model.save_pretrained(tmp_path / "full")
    model.save_pretrained(tmp_path / "half", dtype=torch.float16)
    sizes = [(tmp_path / each / "model.safetensors").stat().st_size for each in ("full", "half")]
    assert sizes[1] < 0.6 * sizes[0]
    assert next(model.parameters()).dtype == torch.float32  # the model itself is left alone
    again = Gpt.from_pretrained(tmp_path / "half")
    close(again(random_ids(1, 5)).logits, model.eval()(random_ids(1, 5)).logits, 1e-3)


@pytest.mark.skipif(not SHIPPED_GPT.exists(), reason="shop-gpt-mini is not shipped yet")
def test_the_shipped_gpt_is_reproduced() -> None:
    theirs = transformers.GPT2LMHeadModel.from_pretrained(SHIPPED_GPT, dtype=torch.float32).eval()
    ours = Gpt.from_pretrained(SHIPPED_GPT)
    for tokens in (1, 40, ours.config.positions):
        ids = random_ids(2, tokens, vocabulary=ours.config.vocabulary)
        close(ours(ids).logits, theirs(ids).logits)


# SmolLM2


def test_llama_is_smollm2() -> None:
    loaded = models.load_generator("en")
    theirs, ours = loaded.model, Llama.from_pretrained("smollm2")
    assert sum(count_parameters(ours.config).values()) == sum(p.numel() for p in ours.parameters())
    for text in ("A wireless headphone", "蓝牙耳机 IPX7 防水"):
        ids = loaded.tokenizer(text, return_tensors="pt")["input_ids"]
        close(ours(ids).logits, theirs(ids).logits, 1e-3)
    expected = theirs.generate(ids, max_new_tokens=8, do_sample=False)
    assert torch.equal(greedy(ours, ids, 8), expected)


# Causality and the cache


def causal_models() -> list[Any]:
    return [lively(Gpt(GPT), 0.1), lively(Llama(LLAMA), 0.1)]


CAUSAL = pytest.mark.parametrize("model", causal_models(), ids=["Gpt", "Llama"])


@CAUSAL
@pytest.mark.parametrize("weights", [False, True])
def test_a_later_token_changes_nothing_before_it(model: Any, weights: bool) -> None:
    ids = random_ids(2, 12)
    before = model(ids, attentions=weights).logits
    for changed in (1, 6, 11):
        other = ids.clone()
        other[:, changed] = other[:, changed] % 58 + 1
        after = model(other, attentions=weights).logits
        assert torch.equal(after[:, :changed], before[:, :changed])
        assert (after[:, changed:] - before[:, changed:]).abs().amax(dim=-1).min() > 1e-4


@pytest.mark.parametrize("kind", ["Gpt", "Llama"])
def test_the_cache_gives_the_same_logits_up_to_512_tokens(kind: str) -> None:
    long: Any = {"positions": 512}
    model = (
        lively(Gpt(GptConfig(**{**vars(GPT), **long})), 0.1)
        if kind == "Gpt"
        else lively(Llama(LlamaConfig(**{**vars(LLAMA), **long})), 0.1)
    )
    ids = random_ids(1, 512)
    whole, cache, pieces = model(ids).logits, model.new_cache(), []
    steps = [*[1] * 200, 3, 100, *[1] * 209]  # one at a time, and several at once
    assert sum(steps) == 512
    for start, step in zip(torch.tensor([0, *steps]).cumsum(0).tolist(), steps, strict=False):
        pieces.append(model(ids[:, start : start + step], cache=cache).logits)
        assert cache[0].length == start + step
    close(torch.cat(pieces, dim=1), whole)
    with pytest.raises(TokenError, match="512 positions; 513 tokens"):
        model(ids[:, :1], cache=cache)


# Decoding, token by token as transformers


@pytest.fixture(params=[their_gpt, their_llama], ids=["Gpt", "Llama"])
def pair(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Any, Any]:
    theirs = request.param()
    theirs.save_pretrained(tmp_path)
    return theirs, (Gpt if request.param is their_gpt else Llama).from_pretrained(tmp_path)


def generate(
    model: Any, ids: Tensor, new_tokens: int, end_id: int | None = None, **how: Any
) -> Any:
    how = {"do_sample": False, **how}
    model.generation_config.eos_token_id = end_id
    return model.generate(ids, max_new_tokens=new_tokens, pad_token_id=end_id or 0, **how)


@pytest.mark.parametrize("use_cache", [True, False])
def test_greedy_is_generate(pair: Any, use_cache: bool) -> None:
    theirs, ours = pair
    for seed in range(2):
        ids = random_ids(3, 4, seed)
        expected = generate(theirs, ids, 12)
        assert torch.equal(greedy(ours, ids, 12, end_id=-1, use_cache=use_cache), expected)
        end = int(expected[0, 9])  # a token that comes up: the text must stop there
        expected = generate(theirs, ids, 12, end)
        assert torch.equal(greedy(ours, ids, 12, end_id=end, use_cache=use_cache), expected)
        assert (expected[0, 10:] == end).all()
    expected = generate(theirs, ids, 12, repetition_penalty=1.7)
    assert torch.equal(greedy(ours, ids, 12, end_id=-1, repetition_penalty=1.7), expected)


@pytest.mark.parametrize("use_cache", [True, False])
def test_prompts_of_different_length_in_one_batch(pair: Any, use_cache: bool) -> None:
    theirs, ours = pair
    ids = random_ids(2, 6)
    mask = torch.tensor([[0, 0, 1, 1, 1, 1], [1, 1, 1, 1, 1, 1]])
    expected = generate(theirs, ids, 10, attention_mask=mask)
    output = greedy(ours, ids, 10, attention_mask=mask, end_id=-1, use_cache=use_cache)
    assert torch.equal(output, expected)
    alone = greedy(ours, ids[:1, 2:], 10, end_id=-1)
    assert torch.equal(output[:1, 2:], alone)


@pytest.mark.parametrize(
    "how",
    [
        {},
        {"temperature": 0.5},
        {"top_k": 5},
        {"top_p": 0.8},
        {"temperature": 1.7, "top_k": 20, "top_p": 0.6, "repetition_penalty": 1.3},
    ],
    ids=lambda how: " ".join(how) or "plain",
)
def test_sampling_is_generate_given_the_seed(pair: Any, how: dict[str, Any]) -> None:
    theirs, ours = pair
    ids = random_ids(3, 4)
    for seed in range(2):
        torch.manual_seed(seed)
        expected = generate(theirs, ids, 10, do_sample=True, **{"top_k": 0, **how})
        assert torch.equal(sample(ours, ids, 10, seed=seed, end_id=-1, **how), expected)
    torch.manual_seed(1)
    end = int(expected[0, 8])
    expected = generate(theirs, ids, 10, end, do_sample=True, **{"top_k": 0, **how})
    assert torch.equal(sample(ours, ids, 10, seed=1, end_id=end, **how), expected)


@pytest.mark.parametrize("beams", [1, 2, 4])
@pytest.mark.parametrize("length_penalty", [0.0, 1.0, 2.0])
def test_beam_search_is_generate(pair: Any, beams: int, length_penalty: float) -> None:
    theirs, ours = pair
    for seed in range(2):
        ids = random_ids(1, 4, seed)
        ends = [None, *generate(theirs, ids, 5)[0, -2:].tolist()]
        for end in ends:
            expected = generate(
                theirs, ids, 8, end, num_beams=beams, num_return_sequences=beams,
                length_penalty=length_penalty, return_dict_in_generate=True, output_scores=True,
            )  # fmt: skip
            found = beam(
                ours, ids, 8, beams=beams, length_penalty=length_penalty,
                end_id=-1 if end is None else end,
            )  # fmt: skip
            assert torch.equal(found.token_ids, expected.sequences)
            if beams > 1:  # with one beam, generate searches greedily and gives no score
                close(found.scores, expected.sequences_scores, 1e-4)


def test_filters_by_hand() -> None:
    logits = torch.tensor([[4.0, 3.0, 2.0, 1.0]]).log()  # probabilities .4 .3 .2 .1
    kept = lambda filtered: (filtered > -torch.inf).sum().item()  # noqa: E731
    assert kept(transformer.keep_top_k(logits, 2)) == 2
    assert kept(transformer.keep_top_k(logits, 99)) == 4
    assert [kept(transformer.keep_top_p(logits, p)) for p in (0.01, 0.39, 0.45, 0.75, 1)] == [
        1, 1, 2, 3, 4
    ]  # fmt: skip
    changed = transformer.penalise_repetition(
        torch.tensor([[2.0, -2.0, 1.0]]), torch.tensor([[0, 1]]), 2
    )
    assert changed.tolist() == [[1.0, -4.0, 1.0]]


# Parameters by formula


@pytest.mark.parametrize(
    ("model", "config", "heads"),
    [
        (Bert, BERT, False),
        (BertWithHeads, BERT, True),
        (Gpt, GPT, False),
        (Llama, LLAMA, False),
        (EncoderDecoder, COPY, False),
        (EncoderDecoder, EncoderDecoderConfig(9, 8, 3, 2, inner=10, pre_norm=True), False),
    ],
)
def test_parameters_by_formula(model: Any, config: Any, heads: bool) -> None:
    parts = count_parameters(config, heads=heads)
    assert all(number > 0 for number in parts.values())
    assert sum(parts.values()) == sum(p.numel() for p in model(config).parameters())


def test_the_real_encoders_have_as_many_parameters_as_the_formula_says() -> None:
    for language in TEXTS:
        reference = models.load_encoder(language)
        settings = json.loads((reference.located.folder / "config.json").read_text())
        parts = count_parameters(BertConfig.from_hugging_face(settings))
        assert sum(parts.values()) == reference.model.num_parameters()


# Seeds and training


@pytest.mark.parametrize(
    ("model", "config"), [(BertWithHeads, BERT), (Gpt, GPT), (Llama, LLAMA), (EncoderDecoder, COPY)]
)
def test_the_seed_alone_decides_the_weights(model: Any, config: Any) -> None:
    torch.manual_seed(1)
    first = model(config, seed=4).state_dict()
    torch.manual_seed(2)
    second, other = model(config, seed=4).state_dict(), model(config, seed=5).state_dict()
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert any(not torch.equal(first[name], other[name]) for name in first)


def test_fresh_weights_are_those_of_the_papers() -> None:
    wide = GptConfig(vocabulary=500, width=128, layers=8, heads=4, positions=64)
    state = Gpt(wide).state_dict()
    assert state["words.weight"].std().item() == pytest.approx(0.02, rel=0.05)
    assert state["blocks.3.attention.query.weight"].std().item() == pytest.approx(0.02, rel=0.05)
    shrunk = state["blocks.3.feed_forward.contract.weight"].std().item()
    assert shrunk == pytest.approx(0.02 / 4, rel=0.05)  # √(2 · 8 layers) = 4
    assert (state["blocks.0.first.norm.weight"] == 1).all()
    assert (state["blocks.0.attention.key.bias"] == 0).all()


@pytest.mark.parametrize(("model", "config"), [(BertWithHeads, BERT), (Gpt, GPT)])
def test_gradients_equal_those_of_transformers(model: Any, config: Any, tmp_path: Path) -> None:
    ours = lively(model(config), 0.1)
    ours.save_pretrained(tmp_path)
    ids, labels = random_ids(2, 9), random_ids(2, 9, seed=1)
    with torch.enable_grad():
        if model is Gpt:
            theirs: Any = transformers.GPT2LMHeadModel.from_pretrained(tmp_path).eval()
            loss = F.cross_entropy(ours(ids).logits[:, :-1].flatten(0, 1), ids[:, 1:].flatten())
            expected = theirs(ids, labels=ids).loss
        else:
            theirs = transformers.BertForPreTraining.from_pretrained(tmp_path).eval()
            follows = torch.tensor([0, 1])
            output = ours(ids)
            loss = F.cross_entropy(output.mlm_logits.flatten(0, 1), labels.flatten())
            loss = loss + F.cross_entropy(output.nsp_logits, follows)
            expected = theirs(ids, labels=labels, next_sentence_label=follows).loss
        close(loss, expected)
        loss.backward()
        expected.backward()
    gradients = {name: p.grad for name, p in theirs.named_parameters()}
    table = next(
        name for name in gradients if name.endswith(("wte.weight", "word_embeddings.weight"))
    )
    used = ids.unique()  # row 0 is padding in transformers: never trained there
    assert ours.get_submodule("words" if model is Gpt else "bert.words").weight.grad is not None
    mine = ours.get_submodule("words" if model is Gpt else "bert.words").weight.grad
    close(mine[used], gradients[table][used])


def test_dropout_works_in_training_only() -> None:
    for model, ids in ((Bert(BERT), random_ids(1, 8)), (Gpt(GPT), random_ids(1, 8))):
        assert model.training
        for weights in (False, True):
            first, second = (model(ids, attentions=weights).hidden for _ in range(2))
            assert not torch.equal(first, second)
        model.eval()
        assert torch.equal(model(ids).hidden, model(ids).hidden)


# Errors at the door

BAD_INPUT: list[tuple[Callable[[], Any], type[EcomTutorError], str]] = [
    (lambda: Bert(BERT)(random_ids(1, 33)), TokenError, "32 positions; 33 tokens"),
    (lambda: Gpt(GPT)(random_ids(1, 33)), TokenError, "max_length=32"),
    (lambda: Llama(LLAMA)(random_ids(1, 33)), TokenError, "32 positions"),
    (lambda: Bert(BERT)(torch.tensor([[60]])), TokenError, "ids 0 to 59; 60 to 60 came"),
    (lambda: Gpt(GPT)(torch.tensor([[-1, 3]])), TokenError, "-1 to 3 came"),
    (lambda: Gpt(GPT)(torch.ones(1, 3)), TokenError, "whole numbers; torch.float32"),
    (lambda: Gpt(GPT)(torch.ones(3, dtype=torch.long)), ShapeError, r"\(batch, tokens\); \(3,\)"),
    (lambda: Gpt(GPT)(torch.ones(1, 0, dtype=torch.long)), ShapeError, r"\(1, 0\)"),
    (
        lambda: Bert(BERT)(random_ids(1, 4), None, torch.ones(1, 5)),
        ShapeError,
        r"\(1, 4\).*\(1, 5\)",
    ),
    (lambda: Bert(BERT)(random_ids(1, 4), torch.zeros(1, 3).long()), ShapeError, "3"),
    (lambda: Bert(BERT)(random_ids(1, 4), torch.full((1, 4), 2)), TokenError, "0 to 1"),
    (lambda: MultiHeadAttention(10, 3), ShapeError, "width of 10, 3 heads"),
    (lambda: MultiHeadAttention(12, 4, key_value_heads=3), ShapeError, "3 heads of keys"),
    (lambda: BertConfig(60, 10, 2, 3, inner=20), ShapeError, "width of 10.*3 heads"),
    (lambda: BertConfig(0, 12, 2, 3, inner=20), ConfigError, "vocabulary is a whole number"),
    (lambda: BertConfig(60, 12, 2, 3, inner=20, dropout=1.0), ConfigError, "dropout.*1.0 came"),
    (lambda: LlamaConfig(60, 12, 2, 4, key_value_heads=3, inner=20), ShapeError, "4 heads"),
    (lambda: LlamaConfig(60, 12, 2, 4, key_value_heads=2, inner=20), ShapeError, "pairs"),
    (lambda: greedy(Gpt(GPT), random_ids(1, 30), 3), TokenError, "at most 2 new tokens"),
    (lambda: greedy(Gpt(GPT), random_ids(1, 3), 0), DecodingError, "At least one"),
    (lambda: sample(Gpt(GPT), random_ids(1, 3), 1, seed=0, temperature=0), DecodingError, "greedy"),
    (lambda: sample(Gpt(GPT), random_ids(1, 3), 1, seed=0, top_k=0), DecodingError, "at least 1"),
    (lambda: sample(Gpt(GPT), random_ids(1, 3), 1, seed=0, top_p=1.1), DecodingError, "at most 1"),
    (lambda: beam(Gpt(GPT), random_ids(2, 3), 1, beams=2), ShapeError, "One prompt"),
    (lambda: beam(Gpt(GPT), random_ids(1, 3), 1, beams=31), DecodingError, "1 to 30"),
    (lambda: beam(Gpt(GPT), random_ids(1, 3), 1, beams=0), DecodingError, "0 came"),
    (lambda: Bert.from_pretrained("no-such-folder"), MissingResource, "config.json.*'minilm'"),
    (lambda: Gpt.from_pretrained("minilm"), ConfigError, "'gpt2'; this folder has 'bert'"),
]


@pytest.mark.parametrize(("call", "error", "message"), BAD_INPUT)
def test_bad_input_is_refused_at_the_door(
    call: Callable[[], Any], error: type[EcomTutorError], message: str
) -> None:
    with pytest.raises(error, match=message):
        call()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"activation_function": "relu"}, "activation_function = 'gelu_new'.*'relu'"),
        ({"tie_word_embeddings": False}, "tie_word_embeddings"),
        ({"n_layer": 3}, "12 of them are not in the file, for example h.2"),
        ({"n_inner": 20}, r"gives \(96, 24\); config.json asks for \(20, 24\)"),
    ],
)
def test_a_folder_that_is_another_model_is_refused(
    change: dict[str, Any], message: str, tmp_path: Path
) -> None:
    Gpt(GPT).save_pretrained(tmp_path)
    path = tmp_path / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(EcomTutorError, match=message):
        Gpt.from_pretrained(tmp_path)


def test_a_damaged_file_or_a_missing_size_is_refused(tmp_path: Path) -> None:
    Gpt(GPT).save_pretrained(tmp_path)
    path = tmp_path / "config.json"
    settings = json.loads(path.read_text())
    del settings["n_embd"]
    path.write_text(json.dumps(settings))
    with pytest.raises(ConfigError, match="does not say: n_embd"):
        Gpt.from_pretrained(tmp_path)
    Gpt(GPT).save_pretrained(tmp_path)
    (tmp_path / "model.safetensors").write_bytes(b"not weights")
    with pytest.raises(WeightsError, match="cannot be read"):
        Gpt.from_pretrained(tmp_path)
