"""Every command that the pages name is run, as it stands there, with words that make it short.

Run for real, in a scratch folder and with a cache of their own (links to the models, nothing of the
user's is touched):

- each script of benchmarks/ with `--small`: the same code on tiny sizes;
- each `python -m ecomtutor.…`: evaluations of a few texts, trainings of a few steps. A training is
  paused after its first step and called again: it has to go on from there and to finish; where
  one code makes several models, one of them is paused. The two readers go on and do not finish:
  their recipe ends with validations of minutes. The ranker cannot pause;
- `ecomtutor` doctor, fetch, lab (JupyterLab says its version and ends), grade (where bubblewrap is)
  and the export for nbgrader;
- git, make and ruff in a clone of this repository, without making its environment again.

Only parsed, by tests/test_docs.py, is what `ONLY_PARSED` lists with the reason. A command that
neither a row of `RUNS` nor this list knows fails.
"""

import csv
import gzip
import json
import os
import re
import runpy
import shlex
import shutil
import subprocess
import sys
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from test_docs import all_commands

from ecomtutor.errors import EcomTutorError
from ecomtutor.resources import defaults, find

ROOT = Path(__file__).resolve().parents[1]
BIN = Path(sys.executable).parent

ONLY_PARSED = {
    r"make test": "it is the suite that runs this file",
    r"make nbtest": "the other half of the suite: every notebook, nine minutes",
    r"python -m pytest tests/test_store\.py": "a part of the suite",
    r"make lock": "asks the package index for newer versions and would change the lock",
    r"ecomtutor bundle --out \S+": "downloads 1 GB; tests/test_bundle.py does it in small",
    r"nbgrader \w+ lesson-00": "not in the environment; tests/test_grading_nbgrader.py runs it",
}


@dataclass(frozen=True)
class Run:
    """How a command is run: {scratch} is an empty folder.

    command  a pattern for the whole of it
    more     words that make it short
    shows    a pattern in what it prints
    then     words in place of `more` for a second call, which has to go on where the first paused
    finally_ a pattern in what the second prints
    pauses   part of the commands that are called twice; the others, which run the same code for
             another model, are only called with `then`
    """

    command: str
    more: str = ""
    shows: str = ""
    then: str = ""
    finally_: str = ""
    pauses: str = ""


PAUSED = "paused; the same command goes on"
RUNS = [
    Run(r"python benchmarks/recommend\.py --write", "--small --file {scratch}/rows.csv", r"\d GB"),
    Run(r"python benchmarks/recommend\.py.*", "--small", r"\d\.\d{3} .*\d GB"),
    Run(r"python benchmarks/(answer|explain|finetune|generate|pretrain)\.py.*", "--small",
        r"\d x|ratio +\d|\d x smaller"),
    Run(r"python benchmarks/catalogue\.py.*", "--small", r"recall@10 \d"),
    Run(r"python benchmarks/lessons\.py", "--small", r"^\| 01 \| \d"),
    Run(r"python -m ecomtutor\.pretraining shop-\S+", "--folder {scratch} --steps 2 --minutes 0",
        r"^1 steps", "--folder {scratch} --steps 2", r"^2 steps", "shop-gpt"),
    Run(r"python -m ecomtutor\.pretraining evaluate \S+", "--texts 12", r"top-5|per token"),
    Run(r"python -m ecomtutor\.finetuning shop-\S+", "--folder {scratch} --texts 40 --minutes 0",
        PAUSED, "--folder {scratch} --texts 40", r"accuracy +0\.\d", "shop-sentiment-en"),
    Run(r"python -m ecomtutor\.finetuning evaluate \S+ --file \S+", "", r"60 distinct reviews"),
    Run(r"python -m ecomtutor\.finetuning evaluate \S+", "--texts 30", r"calibration error 0\.\d"),
    Run(r"python -m ecomtutor\.finetuning curves", "--file {scratch}/curves.csv --points 3",
        r"(Point.*\n){3}", "--file {scratch}/curves.csv --points 1", r"^Point\(method='frozen'"),
    Run(r"python -m ecomtutor\.laboratory train \S+", "--folder {scratch} --texts 48 --minutes 0",
        PAUSED, "--folder {scratch} --texts 48", r"accuracy +0\.\d", "planted-en"),
    Run(r"python -m ecomtutor\.laboratory evaluate \S+", "--texts 8", r"flip with the cue"),
    Run(r"python -m ecomtutor\.laboratory scorecard", "", r"planted-zh[\s\S]*Owen values"),
    Run(r"python -m ecomtutor\.laboratory scorecard --measure.*", "--texts 1 --language en "
        "--file {scratch}/scores.csv --methods occlusion 'gradient × input'", r"occlusion +\d"),
    Run(r"python -m ecomtutor\.laboratory uniform",
        "--texts 32 --folder {scratch} --file {scratch}/uniform.csv", r"all weights equal +\d"),
    Run(r"python -m ecomtutor\.recommendation train shop-ranker",
        "--steps 2 --households 40 --folder {scratch}", "^trained"),
    Run(r"python -m ecomtutor\.recommendation train \S+",
        "--steps 2 --households 60 --folder {scratch} --minutes 0", PAUSED,
        "--steps 2 --households 60 --folder {scratch}", "^trained"),
    Run(r"python -m ecomtutor\.recommendation evaluate \S+", "--households 3", r"NDCG@10 \d"),
    Run(r"python -m ecomtutor\.recommendation measure llm",
        "--customers 1 --file {scratch}/needs.csv", r"^3 rows"),
    Run(r".*python -m ecomtutor\.question_answering train \S+",
        "--folder {scratch}/run --minutes 0", PAUSED.split(";")[0],
        "--folder {scratch}/run --minutes 0", PAUSED.split(";")[0], "shop-reader-en"),
    Run(r".*python -m ecomtutor\.question_answering evaluate \S+", "--questions 4",
        r"right passage given[\s\S]*public, held back"),
    Run(r"python -m ecomtutor\.question_answering fuse", "--folder {scratch} --questions 6",
        r"'words': .*saved in"),
    Run(r"python -m ecomtutor\.question_answering retrieval", "--questions 3", r"recall@3 \d"),
    Run(r"python -m ecomtutor\.question_answering compare",
        "--file {scratch}/compared.csv --questions 2", r"^2 questions"),
    Run(r"python -m ecomtutor\.authoring\.decks slides/\S+", "--out {scratch}", r"^1 decks"),
    Run(r"python -m ecomtutor\.authoring\.decks --(layout|pdf)",
        "--out {scratch} slides/00_start_here.md", r"^1 decks"),
    Run(r"python -m ecomtutor\.authoring\.lint \S+"),
    Run(r"(\.venv/bin/)?ecomtutor doctor", "", "cache"),
    Run(r"ecomtutor fetch( .*)?", "", "ready|is here|gemma was left out"),
    Run(r"ecomtutor lab", "--version", r"^\d+\.\d+\.\d+"),
    Run(r"ecomtutor grade( submissions --out grades\.csv)?", "", "Written to grades.csv"),
    Run(r"ecomtutor grade --export-nbgrader course", "--lesson 00", "course"),
]  # fmt: skip
IN_A_CLONE = {
    r"git clone <this repository>": "",
    r"cd ecomtutor": "",
    r"make help": "",
    r"make setup": "",
    r"make lab( .*)?": "LAB_ARGS=--version",
    r"make bench": "BENCH_ARGS=--small",
    r"make slides": "DECK_ARGS=slides/00_start_here.md",
    r"make text N=01": "",
    r"make fromtext N=01": "",
    r"make lesson N=01": "",
    r"\.venv/bin/ruff .*": "",
}


def run_of(command: str) -> Run | None:
    """The first row whose pattern is the whole command."""
    return next((run for run in RUNS if re.fullmatch(run.command, command)), None)


def known(patterns: Any, command: str) -> str | None:
    """The first pattern that is the whole command."""
    return next((pattern for pattern in patterns if re.fullmatch(pattern, command)), None)


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache with links to the models and data, and to the vectors that are already there.

    On a machine that has never searched the shop's pages, the first command that does embeds them.
    """
    folder = tmp_path_factory.mktemp("cache")
    (folder / "embeddings").mkdir()
    for resource in defaults():
        located = find(resource)
        assert located is not None, f"{resource.name} is not here: make setup"
        (folder / located.folder.name).symlink_to(located.folder, target_is_directory=True)
        for kept in (located.folder.parent / "embeddings").glob("*.npy"):
            if not (folder / "embeddings" / kept.name).exists():
                (folder / "embeddings" / kept.name).symlink_to(kept)
    return folder


@pytest.fixture(scope="module")
def public(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Stands for the public sets, in their formats: a reader's training cannot do without them."""
    folder = tmp_path_factory.mktemp("public")
    reviews = [f"The battery of this phone lasts {n} hours. I like it." for n in range(40)]
    head = ("question", "review", "human_ans_spans", "human_ans_indices")
    with gzip.open(folder / "subjqa_electronics_train.csv.gz", "wt", newline="") as file:
        table = csv.writer(file)
        table.writerow(head)
        for review in reviews:
            answer = re.search(r"\d+ hours", review)
            assert answer
            table.writerow(["How long does it last?", review, answer[0], str(answer.span())])
    for name in ("cmrc2018_dev", "drcd_dev", "drcd_test"):
        texts = [f"{name}的电池可以用{n}个小时。" for n in range(20)]
        paragraphs = [
            {"context": text, "qas": [{"question": "电池可以用多久？", "answers": [
                {"text": text[text.index("用") + 1 : -1], "answer_start": text.index("用") + 1}]}]}
            for text in texts
        ]  # fmt: skip
        with gzip.open(folder / f"{name}.json.gz", "wt", encoding="utf-8") as file:
            json.dump({"data": [{"paragraphs": paragraphs}]}, file)
    return folder


@pytest.fixture
def scratch(
    command: str, tmp_path: Path, cache: Path, public: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Path]:
    """An empty folder; everything that a command could keep elsewhere is kept out of the user's."""
    monkeypatch.setenv("ECOMTUTOR_CACHE", str(cache))
    monkeypatch.setenv("ECOMTUTOR_DATA", str(tmp_path / "progress"))
    monkeypatch.setenv("ECOMTUTOR_READER_DATA", str(public))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    before = written(command)
    yield tmp_path
    assert written(command) == before, "a command wrote into the repository"


def written(command: str) -> dict[str, int]:
    """When what the command would write on its own was last written: its model, kept figures."""
    folders = [ROOT / "data" / "experiments"]
    folders += [path for path in (ROOT / "data" / "models").iterdir() if path.name in command]
    files = [path for folder in folders for path in folder.iterdir() if path.suffix != ".md"]
    return {str(path): path.stat().st_mtime_ns for path in files}


@pytest.mark.parametrize("command", all_commands())
def test_every_command_is_run_or_on_the_list(command: str) -> None:
    places = [run_of(command) is not None, known(IN_A_CLONE, command), known(ONLY_PARSED, command)]
    assert sum(map(bool, places)) == 1, f"{command!r}: nobody runs it; add it to RUNS"


def test_no_row_is_left_over() -> None:
    named = [param.values[0] for param in all_commands()]
    for pattern in (*(run.command for run in RUNS), *IN_A_CLONE, *ONLY_PARSED):
        assert known([pattern], "") is None and any(re.fullmatch(pattern, c) for c in named), (
            pattern
        )


def to_run() -> list[Any]:
    return [param for param in all_commands() if run_of(param.values[0]) is not None]


@pytest.mark.parametrize("command", to_run())
def test_the_command_runs(
    command: str,
    scratch: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    run = run_of(command)
    assert run is not None
    twice = bool(run.then) and run.pauses in command
    if twice or not run.then:
        out, _ = called(command, run.more, scratch, monkeypatch, capfd)
        assert re.search(run.shows, out, re.M), out[-2000:]
        assert ("--small" in run.more) == ("small: not a measurement" in out)
    if run.then:
        out, said = called(command, run.then, scratch, monkeypatch, capfd)
        assert re.search(run.finally_, out, re.M), out[-2000:]
        if twice and "--minutes" in run.more:
            # The bar of a training that goes on begins where the first call stopped.
            assert re.search(r"\| 1/\d+ \[00:00<", said), said[-2000:]


def called(
    command: str,
    more: str,
    scratch: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> tuple[str, str]:
    """What a command prints and complains of; it has to end with 0."""
    words = shlex.split(command.replace("NN_slug", "01_attention_math"))
    while re.fullmatch(r"[A-Z_]+=\S*", words[0]):  # a setting, which the fixture has made
        words = words[1:]
    program, *words = [*words, *shlex.split(more.format(scratch=scratch))]
    if words[:1] == ["-m"]:
        monkeypatch.chdir(ROOT)
        code = inside(words[1], words[2:], monkeypatch)
        captured = capfd.readouterr()
        out, said = captured.out, captured.err
    else:
        program = Path(program).name
        if program == "ecomtutor":
            words = prepared(words, scratch)
        start = ["-m", "ecomtutor.cli"] if program == "ecomtutor" else []
        done = subprocess.run(
            [sys.executable, *start, *words],
            cwd=scratch if start else ROOT,
            env={**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            timeout=900,  # of a machine that does much else; alone they take seconds
        )
        code, out, said = done.returncode, done.stdout, done.stderr
    if code == 3 and "--pdf" in words and not shutil.which("chromium"):
        pytest.skip("no Chromium: the pages are built, their PDFs are not")
    assert code == 0, f"{out[-1500:]}\n{said[-1500:]}"
    return out, said


def inside(module: str, words: list[str], monkeypatch: pytest.MonkeyPatch) -> int:
    """`python -m module words`, in this process: torch and the models are loaded once for all."""
    monkeypatch.setattr(sys, "argv", [module, *words])
    try:
        with warnings.catch_warnings():
            runpy.run_module(module, run_name="__main__", alter_sys=True)
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    return 0


def prepared(words: list[str], scratch: Path) -> list[str]:
    """What a command of the shell needs beside it: submissions to grade, a folder with packages."""
    if words[0] == "grade" and "--export-nbgrader" not in words:
        if shutil.which("bwrap") is None:
            pytest.skip("no bubblewrap: `ecomtutor grade` refuses, tests/test_grading.py shows it")
        (scratch / "submissions").mkdir()
        shutil.copy(ROOT / "notebooks" / "00_start_here.ipynb", scratch / "submissions")
        words = words if "submissions" in words else [*words, "submissions"]
    if "--layout" in words and not shutil.which("chromium"):
        pytest.skip("no Chromium to ask what overflows")
    return [str(scratch) if word == "FOLDER" else word for word in words]


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`git clone <this repository>` and `cd ecomtutor`, with the working tree's files laid over it.

    The environment is the one that runs this test: `make` finds its stamp there.
    """
    if not (ROOT / ".git").exists() or shutil.which("git") is None:
        pytest.skip("this is no clone: the course was unpacked from an archive")
    if not (ROOT / ".venv" / "set-up").is_file():
        pytest.skip("the environment was not made by `make setup`")
    folder = tmp_path_factory.mktemp("clone") / "ecomtutor"
    subprocess.run(["git", "clone", "--quiet", str(ROOT), str(folder)], check=True)
    listed = subprocess.run(
        ["git", "-C", str(ROOT), "ls-files", "-z"], check=True, capture_output=True, text=True
    )
    for name in filter(None, listed.stdout.split("\0")):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
    (folder / ".venv").symlink_to(ROOT / ".venv", target_is_directory=True)
    return folder


def in_a_clone() -> list[Any]:
    """The commands that change the repository, `make text` before `make fromtext`."""
    found = [param for param in all_commands() if known(IN_A_CLONE, param.values[0])]
    return sorted(found, key=lambda param: param.values[0].replace("fromtext", "textfrom"))


@pytest.mark.parametrize("command", in_a_clone())
def test_the_command_runs_in_a_clone(command: str, clone: Path, scratch: Path) -> None:
    if command.startswith(("git", "cd")):
        assert (clone / "ecomtutor" / "cli.py").is_file()
        return
    words = [*shlex.split(command), *shlex.split(IN_A_CLONE[known(IN_A_CLONE, command) or ""])]
    if words[0] == "make":  # -o: the stamp counts as older than what it was made from
        words = ["make", "-o", ".venv/set-up", *words[1:]]
    done = subprocess.run(
        words,
        cwd=clone,
        env={**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(clone)},
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, f"{done.stdout[-2000:]}\n{done.stderr[-2000:]}"
    if "text" in command:
        assert (clone / "notebooks" / "01_attention_math.py").is_file() == ("from" not in command)


@pytest.mark.parametrize(
    "words",
    [
        "recommendation measure llm --customers 1",
        "question_answering fuse --questions 2",
        "question_answering compare --questions 2",
        "laboratory uniform --texts 8",
        "laboratory scorecard --measure --methods occlusion",
    ],
)
def test_a_short_run_does_not_write_over_what_ships(
    words: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    module, *rest = words.split()
    assert inside(f"ecomtutor.{module}", rest, monkeypatch) == 2
    assert "a shorter run would write" in capsys.readouterr().err


def test_a_short_training_needs_a_folder_and_the_ranker_cannot_pause(tmp_path: Path) -> None:
    from ecomtutor.recommendation.recipes import train

    with pytest.raises(EcomTutorError, match="would write over the shipped shop-sasrec"):
        train("shop-sasrec", steps=2)
    with pytest.raises(EcomTutorError, match="cannot pause"):
        train("shop-ranker", tmp_path, minutes=1)


def test_a_small_benchmark_does_not_write_into_the_figures() -> None:
    command = [sys.executable, "benchmarks/recommend.py", "--small", "--write"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 2 and "name a --file" in done.stderr
