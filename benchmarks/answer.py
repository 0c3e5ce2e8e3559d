"""Our reader against the plain transformers way, in one run on the same weights and questions.

    python benchmarks/answer.py [en] [zh] [--questions 60] [--latency 30] [--small]

Each question of the test split is read in its three best passages. The plain way: one question and
passage at a time through the tokenizer with max_length 384, fixed padding and stride, and the
best allowed span of each window that comes back. Ours: `Reader.answer_all`, windows one
behind the other without padding. Both in 32 bits; ours also in bf16. An answer that differs
while the two margins are equal to 0.0001 is a float tie, and counted apart. Ratios are of wall
time, and in brackets of CPU time, which a busy machine disturbs less. Then the latency of one
question end to end, over all policies and product pages: retrieve and read three passages; the
median and the 90th percentile, of questions that were not asked before. Run alone. --small asks
two questions, to see that it runs.
"""

import argparse
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch

from ecomtutor.datasets import questions
from ecomtutor.question_answering.reader import MAX_ANSWER, Reader, bare_question, load_reader
from ecomtutor.question_answering.retrieve import Passage, Retriever
from ecomtutor.question_answering.spans import best_spans, no_answer_score

PASSAGES, TIE, TARGET, PATIENCE = 3, 1e-4, 4.0, 150.0  # spans' margins; times; milliseconds
SMALL = 2  # questions of a small run
Said = tuple[str, float]  # an answer, "" for a refusal, and the margin of the best span


def plain(reader: Reader, asked: Sequence[str], found: Sequence[Sequence[Passage]]) -> list[Said]:
    """Each question and each passage for itself, as the documentation's examples go."""
    said = []
    for question, passages in zip(asked, found, strict=True):
        best = ("", float("-inf"))
        for passage in passages:
            best = max(best, *plain_spans(reader, question, passage), key=lambda span: span[1])
        said.append(decided(*best, reader.threshold))
    return said


def plain_spans(reader: Reader, question: str, passage: Passage) -> list[Said]:
    """The best span of each window of one passage, with its margin over no answer."""
    tokenizer: Any = reader.tokenizer
    coded = tokenizer(
        bare_question(question) + tokenizer.sep_token + passage.title,
        passage.text,
        max_length=reader.max_tokens,
        stride=reader.stride,
        truncation="only_second",
        padding="max_length",
        return_overflowing_tokens=True,
        return_offsets_mapping=True,
        return_tensors="pt",
    )
    ids, mask = coded["input_ids"], coded["attention_mask"]  # (windows, 384) each
    ends = (ids == tokenizer.sep_token_id).long()
    kinds = ((ends.cumsum(1) - ends) > 0).long() * mask  # 1 from the title on, as it was trained
    spans = []
    for row in range(len(ids)):
        one = slice(row, row + 1)
        with torch.inference_mode():
            out = reader.model(
                input_ids=ids[one], attention_mask=mask[one], token_type_ids=kinds[one]
            )
        start, end = out.start_logits[0].numpy(), out.end_logits[0].numpy()
        offsets = coded["offset_mapping"][row].numpy()  # (tokens, 2)
        allowed = np.array([owner == 1 for owner in coded.sequence_ids(row)])
        for span in best_spans(start, end, allowed, max_tokens=MAX_ANSWER):
            text = passage.text[offsets[span.start, 0] : offsets[span.end, 1]]
            spans.append((text, span.score - no_answer_score(start, end)))
    return spans


def ours(
    reader: Reader, asked: Sequence[str], found: Sequence[Sequence[Passage]], bf16: bool = False
) -> list[Said]:
    """All questions at once."""
    answers = reader.answer_all(asked, found, bf16=bf16)
    return [(answer.text, answer.margin) for answer in answers]


def decided(text: str, margin: float, threshold: float) -> Said:
    """The span if its margin reaches the threshold, else a refusal."""
    return (text if margin >= threshold else "", margin)


def differences(one: Sequence[Said], other: Sequence[Said], tie: float = TIE) -> tuple[int, int]:
    """How many answers differ, float ties left out, and how many are float ties."""
    differ = ties = 0
    for (text, margin), (said, other_margin) in zip(one, other, strict=True):
        if text != said:
            equal = abs(margin - other_margin) <= tie
            ties, differ = ties + equal, differ + (not equal)
    return differ, ties


def timed(way: Callable[[], list[Said]]) -> tuple[list[Said], float, float]:
    """What it says, wall seconds and CPU seconds."""
    wall, cpu = time.perf_counter(), time.process_time()
    said = way()
    return said, time.perf_counter() - wall, time.process_time() - cpu


def compare(language: str, many: int) -> None:
    reader, retriever = load_reader(language), Retriever(language)
    table = questions(language)
    asked = table.loc[table["split"] == "test", "question"].head(many).tolist()
    # The plain way knows no prior: without it both say the same.
    pages = [retriever.search(question, PASSAGES) for question in asked]
    found = [[replace(page, prior=0.0) for page in some] for some in pages]
    ours(reader, asked[:2], found[:2], bf16=True)  # the first call of each kind compiles
    plain(reader, asked[:1], found[:1])
    expected, wall, cpu = timed(lambda: plain(reader, asked, found))
    print(f"{language}: {len(asked)} questions, {PASSAGES} passages each")
    print(f"  {'plain, 32 bits':16} {1000 * wall / len(asked):7.1f} ms a question")
    for name, half in (("ours, 32 bits", False), ("ours, bf16", True)):
        reader._pieces.clear()  # tokens that another way has made
        said, our_wall, our_cpu = timed(lambda half=half: ours(reader, asked, found, half))  # type: ignore[misc]
        differ, ties = differences(expected, said)
        apart = max(abs(a[1] - b[1]) for a, b in zip(expected, said, strict=True))
        print(
            f"  {name:16} {1000 * our_wall / len(asked):7.1f} ms a question   "
            f"{wall / our_wall:5.2f} x ({cpu / our_cpu:5.2f} x CPU), target {TARGET:.0f} x   "
            f"{differ} answers differ, {ties} float ties; margins apart by {apart:.1e} at most"
        )


def latency(language: str, many: int) -> None:
    """Milliseconds from a question to its answer, one question at a time."""
    reader, retriever = load_reader(language), Retriever(language)
    table = questions(language)
    *warm, last = table.loc[table["split"] == "test", "question"].tail(many + 1).tolist()
    reader.answer(last, retriever.search(last, PASSAGES), bf16=True)
    for name, half in (("32 bits", False), ("bf16", True)):
        spent = []
        for question in warm:
            start = time.perf_counter()
            reader.answer(question, retriever.search(question, PASSAGES), bf16=half)
            spent.append(1000 * (time.perf_counter() - start))
        high = float(np.percentile(spent, 90))
        print(
            f"  one question, {name:8} median {statistics.median(spent):6.1f} ms, 90th percentile "
            f"{high:6.1f} ms, target {PATIENCE:.0f} ms"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("languages", nargs="*", choices=["en", "zh", []], default=[])
    parser.add_argument("--questions", type=int, default=60)
    parser.add_argument("--latency", type=int, default=30)
    parser.add_argument(
        "--small", action="store_true", help="tiny sizes, to see that it runs: not a measurement"
    )
    given = parser.parse_args()
    if given.small:
        print("small: not a measurement")
        given.questions = given.latency = SMALL
    for language in given.languages or ("en", "zh"):
        compare(language, given.questions)
        latency(language, given.latency)


if __name__ == "__main__":
    main()
