"""The benchmark of the readers compares like with like: its plain way on a tiny reader."""

import importlib.util
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tiny_reader import WORDS, tiny_encoder, tiny_reader

from ecomtutor.question_answering.reader import Reader
from ecomtutor.question_answering.retrieve import Passage

FILE = Path(__file__).parents[1] / "benchmarks" / "answer.py"
SHORT = Passage(
    "a", "store coupon", "The coupon is valid for 14 days. A dress costs 120 yuan.", 1.0
)
LONG = Passage("b", "red dress", " ".join(WORDS * 2), 1.0)
HAN = Passage("c", "满减券", "满减券领取后十四天内有效，退货七日。", 1.0)


@pytest.fixture(scope="module")
def benchmark() -> Any:
    spec = importlib.util.spec_from_file_location("benchmark_answer", FILE)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def reader() -> Reader:
    return replace(tiny_reader(tiny_encoder()), max_tokens=48, stride=8)


def test_both_ways_say_the_same(benchmark: Any, reader: Reader) -> None:
    """Passages of one window and of several, with titles, in two scripts, some refused."""
    asked = ["how long is it valid?", "red dress price?", "满减券多久有效？"]
    found = [[SHORT, LONG], [LONG], [HAN, SHORT]]
    assert len(reader.logits(asked[1], LONG)) > 1
    answering = replace(reader, threshold=-100.0)
    plain = benchmark.plain(answering, asked, found)
    ours = benchmark.ours(answering, asked, found)
    assert all(text for text, _ in plain)
    assert [text for text, _ in plain] == [text for text, _ in ours]
    for (_, one), (_, other) in zip(plain, ours, strict=True):
        assert one == pytest.approx(other, abs=1e-4)
    between = sorted(margin for _, margin in plain)[1]
    strict = replace(reader, threshold=between)
    assert benchmark.differences(
        benchmark.plain(strict, asked, found), benchmark.ours(strict, asked, found)
    )[0] == 0  # fmt: skip


def test_differences_leave_out_float_ties(benchmark: Any) -> None:
    one = [("a", 1.0), ("b", 1.0), ("c", 1.0), ("", -1.0)]
    other = [("a", 2.0), ("x", 1.00001), ("y", 1.5), ("", -1.0)]
    assert benchmark.differences(one, other) == (1, 1)
    assert benchmark.differences(one, one) == (0, 0)


def test_a_span_below_the_threshold_is_refused(benchmark: Any) -> None:
    assert benchmark.decided("14 days", 1.0, 1.0) == ("14 days", 1.0)
    assert benchmark.decided("14 days", 0.9, 1.0) == ("", 0.9)
