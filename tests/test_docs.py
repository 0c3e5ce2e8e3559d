"""What the pages say can be done: blocks of Python run, commands are ones that exist.

Here a command is parsed by its own program with the very words of the page, and stopped where the
work would begin: training takes hours. tests/test_documented_commands.py runs them, made short.
"""

import argparse
import ast
import builtins
import importlib
import re
import runpy
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[1]
PAGES = [
    "README.md",
    "CONTRIBUTING.md",
    "data/README.md",
    "data/experiments/README.md",
    "slides/README.md",
    *(str(path.relative_to(ROOT)) for path in sorted(ROOT.glob("docs/*.md"))),
    *(str(path.relative_to(ROOT)) for path in sorted(ROOT.glob("data/models/*/README.md"))),
]
SHELLS = ("console", "bash", "sh")
# Programs of others, named with files or packages of their own; what can be checked is below.
OTHERS = (
    "git",
    "cd",
    "apt",
    "pip",
    "conda",
    "nbgrader",
    "jupyter",
    "py",
    "export",
    "sh",
    "sha256sum",
)


def blocks(page: str) -> Iterator[tuple[str, str]]:
    """Language and text of each fenced block."""
    text = (ROOT / page).read_text(encoding="utf-8")
    for found in re.finditer(r"^```(\w+)\n(.*?)^```", text, re.S | re.M):
        yield found[1], found[2]


def python_blocks() -> list[Any]:
    return [
        pytest.param(text, id=f"{page} {number}")
        for page in PAGES
        for number, (language, text) in enumerate(blocks(page))
        if language == "python"
    ]


def commands(page: str) -> list[str]:
    """The commands of a page: lines of its shell blocks, and those that its prose names."""
    text = (ROOT / page).read_text(encoding="utf-8")
    fenced = re.compile(r"^```.*?^```", re.S | re.M)
    lines = [
        line.removeprefix("$ ")
        for language, block in blocks(page)
        if language in SHELLS and "<<" not in block
        for line in re.sub(r"\\\n", "", block).splitlines()
    ]
    inline = re.findall(r"`([^`\n]+)`", fenced.sub("", text))
    starts = re.compile(r"(make|ecomtutor|python|\.venv/bin/\w+)\s+[^\s{]")
    lines += [code for code in inline if starts.match(code)]
    parts = [part for line in lines for part in re.split(r"\s&&\s", line)]
    return sorted({re.sub(r"\s+#.*", "", part).strip() for part in parts} - {""})


def all_commands() -> list[Any]:
    found = {command: page for page in PAGES for command in commands(page)}
    return [pytest.param(command, id=command) for command in sorted(found)]


@pytest.mark.parametrize("text", python_blocks())
def test_every_python_block_names_what_exists(text: str) -> None:
    tree = ast.parse(text)
    lines = [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
    assert lines, "a reader pastes the block into an empty cell: it brings its own imports"
    names: dict[str, Any] = {}
    exec(compile(ast.Module(lines, []), "block", "exec"), names)
    used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    made = {
        node.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    }
    assert used - made <= {*names, *dir(builtins)}


@pytest.mark.parametrize("text", python_blocks())
def test_every_python_block_runs(
    text: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from ecomtutor.recommendation import sequences

    short = partial(sequences.SequenceSettings, steps=2)  # one block trains, for minutes
    monkeypatch.setattr(sequences, "SequenceSettings", short)
    tree = ast.parse(text)
    last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
    names: dict[str, Any] = {}
    exec(compile(tree, "block", "exec"), names)
    if last is not None:  # what the reader's cell would show
        assert eval(compile(ast.Expression(last.value), "block", "eval"), names) is not None


@pytest.mark.parametrize("page", PAGES)
def test_every_shell_script_with_python_inside_runs(page: str) -> None:
    scripts = [text for language, text in blocks(page) if language in SHELLS and "<<" in text]
    for script in scripts:
        body = re.fullmatch(r"python - <<'EOF'\n(.*)\nEOF\n", script, re.S)
        assert body, f"only Python is written into a shell here, not {script[:60]!r}"
        done = subprocess.run(
            [sys.executable, "-c", body[1]], cwd=ROOT, capture_output=True, text=True, timeout=300
        )
        assert done.returncode == 0, done.stderr[-2000:]


class Understood(Exception):
    """A program read its arguments and would begin to work."""


@pytest.mark.parametrize("command", all_commands())
def test_every_command_is_one_that_its_program_takes(
    command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = shlex.split(command.replace("…", "x"))
    while words and re.fullmatch(r"[A-Z_]+=\S*", words[0]):  # settings before the program
        words = words[1:]
    program, rest = Path(words[0]).name, words[1:]
    if program == "make":
        made = subprocess.run(
            ["make", "--dry-run", *rest], cwd=ROOT, capture_output=True, text=True
        )
        assert made.returncode == 0, made.stderr
    elif program == "ecomtutor":
        understood(["-m", "ecomtutor.cli", *rest], monkeypatch)
    elif program.startswith("python"):
        understood(rest, monkeypatch)
    elif program in ("ruff", "mypy", "pytest"):
        assert shutil.which(program, path=str(Path(sys.executable).parent)), program
    else:
        assert program in OTHERS, f"{command}: nobody knows whether this works"
        named = [word for word in rest if re.search(r"\.(yml|lock|toml|sh|bat)$", word)]
        assert all((ROOT / word).is_file() for word in named), named


def understood(words: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Run a Python program up to where its own parser has accepted its arguments."""
    if words[:2] == ["-m", "pytest"]:
        assert all((ROOT / word).exists() for word in words[2:] if "/" in word), words
        return
    original = argparse.ArgumentParser.parse_known_args
    depth = 0

    def parse(parser: argparse.ArgumentParser, *args: Any, **how: Any) -> Any:
        nonlocal depth
        depth += 1
        namespace, unknown = original(parser, *args, **how)  # asks itself, for subcommands
        depth -= 1
        if depth:
            return namespace, unknown
        if unknown:
            parser.error(f"unrecognized arguments: {unknown}")
        raise Understood

    monkeypatch.setattr(argparse.ArgumentParser, "parse_known_args", parse)
    monkeypatch.chdir(ROOT)
    module, given = (words[1], words[2:]) if words[0] == "-m" else (words[0], words[1:])
    monkeypatch.setattr(sys, "argv", [module, *given])
    with pytest.raises(Understood):
        if module == "ecomtutor.cli":
            importlib.import_module(module).main()
        elif words[0] == "-m":
            runpy.run_module(module, run_name="__main__", alter_sys=True)
        else:
            monkeypatch.syspath_prepend(str((ROOT / module).parent))
            runpy.run_path(str(ROOT / module), run_name="__main__")


def recipes() -> list[Any]:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    table = text[text.index("## Recipes") : text.index("## Models and data")]
    first = [line.split("|")[1].strip() for line in table.splitlines() if line.startswith("| `")]
    return [pytest.param(re.findall(r"`([^`]+)`", cell)[0], id=cell) for cell in first]


# What stands in the place of "…", and what makes a row short.
MEANT = {
    "lime_text(text, classifier, split=…)": "lime_text(text, classifier, split=list, samples=64)",
    "counterfactual(model, household, product, …)": "counterfactual(model, household, product, "
    "'grocery')",
    "shap_partition(text, classifier)": "shap_partition(text, classifier, max_evals=40)",
}


AT_HAND: dict[str, Any] = {
    "layer": 1,
    "this": 5,
    "rather_than": 6,
    "tokens": ["好", "用", "好", "用"],
    "review": "房间很干净，服务也好",
    "text": "房间很干净，服务也好",
    "need": "headphones under 300 yuan",
    "passages": ["A coupon is valid for 14 days."],
    "answers": [0, 1] * 10,
    "truth": [0, 1] * 10,
}


class Given(dict[str, Any]):
    """What a recipe's reader has at hand, made when a name is asked for."""

    def __init__(self, recipe: str):
        super().__init__()
        self.recipe = recipe

    def __missing__(self, name: str) -> Any:
        if self.recipe.startswith(f"{name}."):
            *rooms, _ = self.recipe[: self.recipe.index("(")].split(".")
            path = ".".join(["ecomtutor", *(room for room in rooms if room.islower())])  # no class
            importlib.import_module(path)
            return importlib.import_module(f"ecomtutor.{name}")
        if name in vars(builtins):
            raise KeyError(name)  # list
        self[name] = AT_HAND[name] if name in AT_HAND else getattr(self, f"_{name}")()
        return self[name]

    def _model(self) -> Any:
        from ecomtutor import models, transformer

        if "query_key_value" in self.recipe:
            return models.load_encoder("en").model
        if "counterfactual" in self.recipe:
            from small_shop import small_shop

            from ecomtutor.recommendation import Ease

            return Ease().fit(small_shop())
        if "contrast" in self.recipe:
            return models.load_shop_gpt().model
        return transformer.Gpt.from_pretrained(ROOT / "data/models/shop-gpt-mini")

    def _tokenizer(self) -> Any:
        from ecomtutor import models

        return models.load_shop_gpt().tokenizer

    def _classifier(self) -> Any:
        from ecomtutor import finetuning

        return finetuning.load_classifier("zh")

    def _household(self) -> int:
        return int(self["model"].purchases.households[0])

    def _product(self) -> int:
        return int(self["model"].recommend(self["household"], 1).table["product_id"].iloc[0])

    def _q(self) -> Any:
        import torch

        return torch.randn(2, 4, 5, 8, generator=torch.Generator().manual_seed(0))

    _k = _v = _q

    def _mask(self) -> Any:
        import torch

        return torch.ones(5, 5, dtype=torch.bool)

    def _ids(self) -> Any:
        import torch

        return torch.tensor([[1, 2, 3]])

    def _weights(self) -> Any:
        import torch

        return torch.full((2, 3, 4, 4), 0.25)

    def _hidden(self) -> Any:
        import torch

        return torch.zeros(1, 5, 384)

    def _p(self) -> Any:
        sure = np.linspace(0.1, 0.9, 20)
        return sure if "threshold" in self.recipe else np.stack([sure, 1 - sure], axis=1)

    def _texts(self) -> Any:
        several = ["房间很干净，服务也好", "电池很差，屏幕也坏了"] * 10
        return several[:2] if "perplexity" in self.recipe else several

    def _labels(self) -> Any:
        both = ["positive", "negative"]
        return both if "noise" in self.recipe else both * 10

    def _question(self) -> str:
        return "退货要多久？" if '"zh"' in self.recipe else "how long is it valid?"


@pytest.mark.parametrize("recipe", recipes())
def test_every_recipe_runs(recipe: str) -> None:
    for said, meant in MEANT.items():
        recipe = recipe.replace(said, meant)
    assert eval(recipe, {}, Given(recipe)) is not None


def test_the_pages_do_have_commands_and_blocks() -> None:
    assert len(all_commands()) > 30
    assert len(python_blocks()) > 10
    assert len(recipes()) > 25
