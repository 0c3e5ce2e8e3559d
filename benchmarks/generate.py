"""How fast our GPT and Llama write, against transformers' `generate` on the same weights.

    python benchmarks/generate.py [rounds] [--small]

Greedy, one text, 32-bit floats, no end token: both write the same tokens, which is checked. The two
take turns within one process; a ratio is the median over the rounds of their ratio in one round.
Run it alone on the machine: other work slows the two unequally. --small writes a few tokens once,
to see that it runs.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch
import transformers

from ecomtutor.resources import CATALOGUE, locate
from ecomtutor.transformer import Gpt, GptConfig, Llama, greedy

SHIPPED = Path(__file__).resolve().parents[1] / "data" / "models" / "shop-gpt-mini"
SIZE_OF_SHIPPED = GptConfig(
    vocabulary=6000, width=256, layers=4, heads=4, positions=512, dropout=0.0, end_id=0
)
PROMPT = 16


@dataclass(frozen=True)
class Sizes:
    """Tokens to write after the prompt, and the positions at which a token's cost is taken."""

    new_tokens: int = 96
    lengths: tuple[int, ...] = (1, 8, 32, 64, 128, 256, 512)


SMALL = Sizes(new_tokens=4, lengths=(1, 8))


def seconds(work: Callable[[], Any]) -> float:
    """Wall time of one call."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def taking_turns(
    ours: Callable[[], Any], theirs: Callable[[], Any], rounds: int
) -> tuple[float, float, float]:
    """Median seconds of ours, of theirs, and the median of theirs / ours; each leads in turn."""
    pairs = []
    for each in range(rounds):
        first, second = (ours, theirs) if each % 2 else (theirs, ours)
        times = {first: seconds(first)}
        times[second] = seconds(second)
        pairs.append((times[ours], times[theirs]))
    mine, others = zip(*pairs, strict=True)
    ratio = statistics.median(other / own for own, other in pairs)
    return statistics.median(mine), statistics.median(others), ratio


def against_generate(name: str, ours: Any, theirs: Any, rounds: int, many: int) -> None:
    """One row: tokens per second of both, and the ratio."""
    generator = torch.Generator().manual_seed(0)
    ids = torch.randint(1, ours.config.vocabulary, (1, PROMPT), generator=generator)
    theirs.generation_config.eos_token_id = None

    def write() -> torch.Tensor:
        return greedy(ours, ids, many, end_id=-1)

    def generate() -> torch.Tensor:
        return theirs.generate(
            ids,
            attention_mask=torch.ones_like(ids),
            max_new_tokens=many,
            do_sample=False,
            pad_token_id=0,
        )

    same = torch.equal(write(), generate())  # also the warm-up
    own, other, ratio = taking_turns(write, generate, rounds)
    print(
        f"{name:28} ours {many / own:7.1f} tokens/s   transformers {many / other:7.1f}"
        f"   ratio {ratio:5.2f}   {'same tokens' if same else 'OTHER TOKENS'}"
    )


@torch.no_grad()
def cost_of_a_token(model: Any, rounds: int, lengths: Sequence[int]) -> None:
    """A table: milliseconds for the next token after so many, with the cache and without."""
    ids = torch.randint(1, model.config.vocabulary, (1, max(lengths)))
    print("\nposition   with cache   without    ms for the token at this position, median")
    for length in lengths:
        with_cache, without = [], []
        for _ in range(rounds):
            cache = model.new_cache()
            if length > 1:
                model(ids[:, : length - 1], cache=cache, last_only=True)
            step = partial(model, ids[:, length - 1 : length], cache=cache, last_only=True)
            with_cache.append(1e3 * seconds(step))
            without.append(1e3 * seconds(partial(model, ids[:, :length], last_only=True)))
        medians = statistics.median(with_cache), statistics.median(without)
        print(f"{length:8}   {medians[0]:10.2f}   {medians[1]:7.2f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("rounds", nargs="?", type=int, default=9)
    parser.add_argument(
        "--small", action="store_true", help="tiny sizes, to see that it runs: not a measurement"
    )
    given = parser.parse_args()
    sizes, rounds = (SMALL, 1) if given.small else (Sizes(), given.rounds)
    if given.small:
        print("small: not a measurement")
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    load = transformers.AutoModelForCausalLM.from_pretrained
    versions = f"torch {torch.__version__}, transformers {transformers.__version__}"
    print(f"{versions}, {torch.get_num_threads()} threads, {rounds} rounds")
    with tempfile.TemporaryDirectory() as made:
        if not SHIPPED.exists():
            Gpt(SIZE_OF_SHIPPED).save_pretrained(made)
        folder = SHIPPED if SHIPPED.exists() else Path(made)
        gpt = Gpt.from_pretrained(folder)
        name = "shop-gpt-mini" if SHIPPED.exists() else "a random GPT of its size"
        against_generate(
            name, gpt, load(folder, dtype=torch.float32).eval(), rounds, sizes.new_tokens
        )
    smollm2 = locate(CATALOGUE["smollm2"]).folder
    theirs = load(smollm2, dtype=torch.float32).eval()
    fewer = 1 if given.small else max(3, rounds // 3)
    ours = Llama.from_pretrained("smollm2")
    against_generate("SmolLM2-135M", ours, theirs, fewer, sizes.new_tokens)
    cost_of_a_token(gpt, rounds, sizes.lengths)


if __name__ == "__main__":
    main()
