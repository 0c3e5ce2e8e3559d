"""Explanations, ours against the packages that shops install, in one run on one classifier.

    python benchmarks/explain.py [shap] [lime] [attention] [curve] [--small]

shap: `shap.Explainer(pipeline)` and `shap_partition` on reviews of three lengths, the same
evaluations; the largest difference, in 32 bits and in bf16. lime: `lime_text` at 5,000 samples,
given a pipeline and given our batched classifier, and ours. attention: bytes of a view of 12
layers of 12 heads on 128 tokens, BertViz' and ours. curve: time and evaluations of Owen values
against the length of the text. Ratios are medians of runs that take turns; of wall time, and in
brackets of CPU time, which a busy machine disturbs less. Run alone, on the Chinese classifier.
--small takes short texts and few evaluations, to see that it runs.
"""

import argparse
import statistics
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jieba
import numpy as np
import torch
import transformers

from ecomtutor.datasets import reviews
from ecomtutor.finetuning import Classifier, load_classifier
from ecomtutor.interpretability import explain
from ecomtutor.interpretability.lime_parity import lime_text
from ecomtutor.interpretability.rendering import head_grid
from ecomtutor.interpretability.shap_parity import shap_partition
from ecomtutor.models import load_encoder

WORDS = 15


@dataclass(frozen=True)
class Sizes:
    """Turns; evaluations of shap and samples of lime; lengths of the texts.

    characters of the reviews for shap, tokens of the texts for the curve and of the attention view
    """

    runs: int = 3
    evaluations: int = 500
    samples: int = 5000
    characters: tuple[int, ...] = (20, 40, 110)
    tokens: tuple[int, ...] = (10, 20, 50, 100, 200, 500)
    viewed: int = 128


SMALL = Sizes(1, evaluations=40, samples=60, characters=(20,), tokens=(10, 20), viewed=16)


class Watch:
    """Wall and CPU seconds of what ran in its `with` block."""

    def __enter__(self) -> "Watch":
        self.wall, self.cpu = time.perf_counter(), time.process_time()
        return self

    def __exit__(self, *_: object) -> None:
        self.wall, self.cpu = time.perf_counter() - self.wall, time.process_time() - self.cpu


def in_turns(
    ways: dict[str, Callable[[], Any]], runs: int
) -> tuple[dict[str, list[Watch]], dict[str, Any]]:
    """Each way so many times, one after the other; what it took each time, and its last answer."""
    spent: dict[str, list[Watch]] = {name: [] for name in ways}
    answers = {}
    for _ in range(runs):
        for name, way in ways.items():
            with Watch() as watch:
                answers[name] = way()
            spent[name].append(watch)
    return spent, answers


def compared(spent: dict[str, list[Watch]], peer: str, name: str) -> str:
    """Seconds, and how many times faster than the peer: wall, and CPU in brackets."""
    seconds = statistics.median(w.wall for w in spent[name])
    wall, cpu = (
        statistics.median(
            getattr(theirs, kind) / getattr(ours, kind)
            for theirs, ours in zip(spent[peer], spent[name], strict=True)
        )
        for kind in ("wall", "cpu")
    )
    return f"{name:26} {seconds:7.2f} s   {wall:5.2f} x   ({cpu:5.2f} x CPU)"


def review_of(characters: int) -> str:
    """A review of the test split of about so many characters."""
    table = reviews("zh")
    texts = table[table["split"] == "test"]["text"]
    return str(texts.iloc[(texts.str.len() - characters).abs().to_numpy().argmin()])


def review_of_words(words: int) -> str:
    """A review of the test split that jieba and lime cut into so many distinct words."""
    table = reviews("zh")
    for text in table[table["split"] == "test"]["text"]:
        if len(set(jieba.lcut(text))) == words:
            return str(text)
    raise SystemExit(f"no review of {words} words")


def pipeline_of(classifier: Classifier) -> Any:
    return transformers.pipeline(
        "text-classification",
        model=classifier.model,
        tokenizer=classifier.tokenizer,
        top_k=None,
        truncation=True,
        max_length=classifier.max_tokens,
    )


def compare_shap(classifier: Classifier, sizes: Sizes) -> None:
    import shap

    pipe = pipeline_of(classifier)

    def theirs(text: str) -> Any:
        np.random.seed(0)
        return shap.Explainer(pipe)([text], max_evals=sizes.evaluations, silent=True)

    theirs("很好")  # the first call compiles
    for text in map(review_of, sizes.characters):
        spent, answers = in_turns(
            {
                "shap.Explainer(pipeline)": lambda text=text: theirs(text),
                "ours, 32 bits": lambda text=text: shap_partition(
                    text, classifier, sizes.evaluations
                ),
                "ours, bf16": lambda text=text: shap_partition(
                    text, classifier, sizes.evaluations, bf16=True
                ),
            },
            sizes.runs,
        )
        peer, exact, _ = answers
        expected = answers[peer].values[0]
        print(
            f"{len(text)} characters, {len(expected)} tokens; {answers[exact].asked} evaluations "
            f"asked, {answers[exact].made} rows scored, {answers[exact].resolved} tokens resolved"
        )
        print(" ", compared(spent, peer, peer))
        for name in (exact, "ours, bf16"):
            apart = np.abs(answers[name].values - expected).max()
            print(" ", compared(spent, peer, name), f"  largest difference {apart:.1e}")


def compare_lime(classifier: Classifier, sizes: Sizes) -> None:
    from lime.lime_text import LimeTextExplainer

    classifier.temperature = 1.0  # the pipeline knows of none
    pipe, text = pipeline_of(classifier), review_of_words(WORDS)

    def by_pipeline(texts: list[str]) -> np.ndarray:
        said = [{part["label"]: part["score"] for part in parts} for parts in pipe(texts)]
        return np.array([[one[name] for name in classifier.labels] for one in said])

    def theirs(predict: Callable[[list[str]], np.ndarray]) -> Any:
        explainer = LimeTextExplainer(split_expression=jieba.lcut, random_state=0)
        return explainer.explain_instance(text, predict, labels=(1,), num_samples=sizes.samples)

    def ours(bf16: bool) -> Any:
        return lime_text(text, classifier, sizes.samples, split=jieba.lcut, bf16=bf16)

    peer = "lime with a pipeline"
    spent, answers = in_turns(
        {
            peer: lambda: theirs(by_pipeline),
            "lime with our batches": lambda: theirs(classifier.predict_proba),
            "ours, 32 bits": lambda: ours(False),
            "ours, bf16": lambda: ours(True),
        },
        sizes.runs,
    )
    weights = dict(answers[peer].as_map()[1])
    expected = np.array([weights.get(i, 0.0) for i in range(len(answers["ours, bf16"].units))])
    made = answers["ours, bf16"].made
    said = f"{len(text)} characters, {len(expected)} words"
    print(f"{said}; {sizes.samples} samples, {made} rows scored")
    for name in spent:
        apart = ""
        if name.startswith("ours"):
            difference = np.abs(answers[name].values[:, 1] - expected).max()
            apart = f"  largest difference {difference:.1e}"
        print(" ", compared(spent, peer, name), apart)


def compare_attention(_: Classifier, sizes: Sizes) -> None:
    from bertviz import head_view

    loaded, layers = load_encoder("en"), []
    text = " ".join(reviews("en")["text"].head(60))
    encoded = loaded.tokenizer(text, verbose=False)["input_ids"]
    many = sizes.viewed
    for start in (0, many):  # MiniLM has 6 layers: of two texts they are 12
        ids = torch.tensor([encoded[start : start + many]])
        with torch.inference_mode():
            layers += loaded.model(input_ids=ids, output_attentions=True).attentions
    tokens = loaded.tokenizer.convert_ids_to_tokens(encoded[:many])
    weights = torch.stack(layers)[:, 0]  # (layers, heads, tokens, tokens)
    theirs = len(head_view(tuple(layers), tokens, html_action="return").data.encode())
    ours = len(head_grid(weights, tokens).html.encode())
    print(f"attention of {tuple(weights.shape)}, layers, heads, tokens, tokens")
    print(f"  BertViz {theirs:13,} bytes")
    print(f"  ours    {ours:13,} bytes   {theirs / ours:.0f} x smaller")


def curve(classifier: Classifier, sizes: Sizes) -> None:
    """Owen values of tokens with a budget, and what all of them would ask for."""
    text = "".join(reviews("zh")["text"].head(40))
    print(f"Owen values of tokens, a budget of {sizes.evaluations} rows")
    print("tokens   asked  scored  resolved   32 bits      bf16   asked without a budget")
    for tokens in sizes.tokens:
        cut = _first_tokens(text, classifier, tokens)
        seconds = []
        for bf16 in (False, True):
            with Watch() as watch:
                made = explain(
                    cut, classifier, "owen", "token", bf16=bf16, budget=sizes.evaluations
                )
            seconds.append(watch.wall)
        n = len(made.units)
        print(
            f"{len(made.units.ids):6} {made.asked:7} {made.made:7} {made.resolved:4} of {n:3} "
            f"{seconds[0]:7.2f} s {seconds[1]:7.2f} s   about {2 * (n * n - 1) // 3:,}"
        )


def _first_tokens(text: str, classifier: Classifier, tokens: int) -> str:
    """The beginning of a text that makes so many tokens, special ones included."""
    places = classifier.tokenizer(text, return_offsets_mapping=True, verbose=False)
    return text[: places["offset_mapping"][tokens - 2][1]]


def main() -> None:
    parts = {"shap": compare_shap, "lime": compare_lime, "attention": compare_attention,
             "curve": curve}  # fmt: skip
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", choices=[*parts, []], default=[])
    parser.add_argument(
        "--small", action="store_true", help="tiny sizes, to see that it runs: not a measurement"
    )
    given = parser.parse_args()
    sizes = SMALL if given.small else Sizes()
    warnings.simplefilter("ignore")
    transformers.logging.set_verbosity(50)  # pipelines do not know our class, and say so
    jieba.setLogLevel("ERROR")
    print("small: not a measurement" if given.small else f"{torch.get_num_threads()} threads")
    classifier = load_classifier("zh")
    classifier.token_logits([np.arange(100, 140)] * 8)  # the first call prepares the libraries
    classifier.token_logits([np.arange(100, 140)] * 8, bf16=True)
    for name in given.parts or parts:
        parts[name](classifier, sizes)


if __name__ == "__main__":
    main()
