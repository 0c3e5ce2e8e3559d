"""The command line, as a reader uses it: on a good machine, an empty one and a broken one."""

import os
import re
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
import tiny_resources as tiny
from tiny_resources import FILES

from ecomtutor import __version__, cli
from ecomtutor.errors import EcomTutorError
from ecomtutor.resources import CATALOGUE, Resource, catalogue, defaults, fetch, find

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(autouse=True)
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty cache, no progress, and a pip that sees one local folder."""
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "index"))
    monkeypatch.setenv("ECOMTUTOR_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("ECOMTUTOR_DATA", str(tmp_path / "data"))


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Resource]:
    """A catalogue of three: two defaults, in a local index, and gemma, on request."""
    entries = {}
    for name in ("one", "two", "gemma"):
        plain = tiny.resource_of(tiny.wheel(tmp_path / "index", FILES, name))
        entries[name] = replace(plain, name=name)
    entries["gemma"] = replace(
        entries["gemma"], default=False, licence="Gemma Terms", note="By this you accept the terms."
    )
    monkeypatch.setattr(catalogue, "CATALOGUE", entries)
    monkeypatch.setattr(cli, "CATALOGUE", entries)
    monkeypatch.setattr(cli, "_import_failures", dict)
    for name in entries:  # the fetched font is looked for by name
        assert find(entries[name]) is None
    monkeypatch.setattr(cli, "_chinese_font", lambda: "not looked for")
    return entries


@pytest.fixture
def fetched(small: dict[str, Resource], tmp_path: Path) -> dict[str, Resource]:
    """The small catalogue with its defaults on this machine."""
    for resource in (small["one"], small["two"]):
        fetch(resource, str(tmp_path / "index"), lambda line: None)
    return small


def _run(*words: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "ecomtutor.cli", *words],
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
        capture_output=True,
        text=True,
        timeout=120,
    )


def test_version() -> None:
    result = _run("--version")
    assert (result.returncode, result.stdout) == (0, f"ecomtutor {__version__}\n")


@pytest.mark.parametrize("words", [[], ["nosuch"], ["fetch", "--nosuch"]])
def test_wrong_usage_exits_with_2(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        cli.main(words)
    assert caught.value.code == 2
    assert "usage: ecomtutor" in capsys.readouterr().err


@pytest.mark.parametrize("words", [["fetch"], ["fetch", "--all"]])
def test_fetch_brings_the_defaults_and_says_what_was_left_out(
    words: list[str], small: dict[str, Resource], capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(words) == 0
    out = capsys.readouterr().out.splitlines()
    assert re.fullmatch(r"one +0\.3 MB  ready  pip one==1\.0", out[0])
    assert re.fullmatch(r"two +0\.3 MB  ready  pip two==1\.0", out[1])
    assert out[2].startswith("gemma was left out") and out[2].endswith("ecomtutor fetch gemma")
    assert len(out) == 3
    assert find(small["gemma"]) is None


def test_fetch_again_is_instant_and_one_line_each(
    fetched: dict[str, Resource], capsys: pytest.CaptureFixture[str]
) -> None:
    started = time.perf_counter()
    assert cli.main(["fetch"]) == 0
    assert time.perf_counter() - started < 1
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == ["one", "two", "gemma"]


def test_fetch_by_name_shows_the_terms(
    small: dict[str, Resource], capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["fetch", "gemma", "gemma"]) == 0
    out = capsys.readouterr().out.splitlines()
    assert out[0] == "gemma: By this you accept the terms."
    assert "ready  pip gemma==1.0" in out[1]
    assert len(out) == 2
    assert find(small["one"]) is None


def test_fetch_goes_on_after_a_failure_and_sums_up(
    small: dict[str, Resource], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "index" / small["one"].archives[0].filename).unlink()
    assert cli.main(["fetch", "--source", "pip"]) == 1
    said = capsys.readouterr()
    assert "two" in said.out and "ready" in said.out
    assert "one: pip did not work" in said.out
    lines = said.err.strip().splitlines()
    assert any(line.startswith("error: one could not be fetched") for line in lines)
    assert lines[-1] == "1 of 2 are ready. To try the others again: ecomtutor fetch one"
    assert "Traceback" not in said.err


def test_fetch_from_a_folder(
    small: dict[str, Resource], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["fetch", "one", "--source", str(tmp_path / "index")]) == 0
    assert "ready  folder, packages" in capsys.readouterr().out


def test_fetch_of_an_unknown_name_fetches_nothing(
    small: dict[str, Resource], capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["fetch", "one", "nosuch"]) == 1
    error = capsys.readouterr().err
    assert error.startswith("error: There is no resource 'nosuch'")
    assert error.count("\n") == 1
    assert find(small["one"]) is None


def test_doctor_on_an_empty_machine_names_the_command(
    small: dict[str, Resource], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert cli.main(["doctor"]) == 1
    out = capsys.readouterr().out
    assert re.search(r"one +! absent +\d", out)
    assert re.search(r"gemma +absent, optional", out)
    assert "  ecomtutor fetch one two\n" in out
    assert f"{tmp_path / 'cache'} (not there yet)" in out
    assert str(tmp_path / "data" / "progress.json") in out
    assert not (tmp_path / "cache").exists()  # it looks, and touches nothing


def test_doctor_on_a_good_machine(
    fetched: dict[str, Resource],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(cli, "_packages", lambda: iter([("torch", "2.13.0", "fits ==2.13.0")]))
    assert cli.main(["doctor"]) == 0
    out = capsys.readouterr().out
    assert re.search(r"one +ready +0\.3 MB  MIT +folder, packages", out)
    assert "Nothing to mend in what was checked (resources: sizes only" in out
    assert cli.main(["doctor", "--verify"]) == 0
    out = capsys.readouterr().out
    assert re.search(r"one +verified", out)
    assert "every byte" in out


def test_doctor_finds_a_changed_byte_and_its_command_mends_it(
    fetched: dict[str, Resource],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(cli, "_packages", lambda: iter([("torch", "2.13.0", "fits ==2.13.0")]))
    located = find(fetched["two"])
    assert located is not None
    weights = located.path("model.bin")
    content = weights.read_bytes()
    weights.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    assert cli.main(["doctor"]) == 0  # it does not claim to have read the bytes
    assert "sizes only" in capsys.readouterr().out
    assert cli.main(["doctor", "--verify"]) == 1
    out = capsys.readouterr().out
    assert re.search(r"two +! damaged: model\.bin", out)
    assert "  ecomtutor fetch two\n" in out
    assert cli.main(["fetch", "two"]) == 0
    assert "two: damaged; it is fetched again." in capsys.readouterr().out
    assert weights.read_bytes() == content
    assert cli.main(["doctor", "--verify"]) == 0


def test_doctor_calls_half_a_resource_damaged(
    fetched: dict[str, Resource], capsys: pytest.CaptureFixture[str]
) -> None:
    located = find(fetched["one"])
    assert located is not None
    located.path("words.txt").unlink()
    assert cli.main(["doctor"]) == 1
    assert re.search(r"one +! damaged: incomplete", capsys.readouterr().out)
    assert cli.main(["fetch"]) == 0


def test_doctor_says_what_may_be_deleted(
    small: dict[str, Resource], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rejected = tmp_path / "cache" / ".rejected"
    rejected.mkdir(parents=True)
    (rejected / "bad.whl").write_bytes(b"x" * 2_000_000)
    cli.main(["doctor"])
    assert f"2.0 MB in {rejected}; may be deleted" in capsys.readouterr().out


def test_doctor_compares_versions_with_the_pins(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = ["pytest>=8", "ruff==0.0.1", "nosuch-package>=1", 'mypy>=99; extra == "dev"']
    monkeypatch.setattr(cli, "_requirements", lambda: lines)
    monkeypatch.setattr(cli, "_import_failures", lambda: {"pytest": "ImportError: no good"})
    rows = {name: (found, remark) for name, found, remark in cli._packages()}
    assert rows["pytest"][1] == "! cannot be imported: ImportError: no good"
    assert rows["ruff"][1] == "! needed: ==0.0.1"
    assert rows["nosuch-package"] == ("missing", "! needed: >=1")
    assert "mypy" not in rows  # an extra that nobody asked for
    monkeypatch.setattr(cli, "_import_failures", dict)
    assert next(cli._packages())[2] == "fits >=8"


def test_doctor_knows_our_requirements() -> None:
    names = {re.split(r"[<>=\[ ]", line)[0] for line in cli._requirements()}
    assert {"torch", "transformers", "pandas", "jupyterlab"} <= names


@pytest.mark.parametrize("fault", ["raise OSError('a DLL is broken')", "import os; os.abort()"])
def test_doctor_and_fetch_work_when_torch_is_broken(fault: str, tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    broken.mkdir()
    for name in cli._IMPORTED:  # light stand-ins, so that nothing real is loaded
        (broken / f"{name}.py").write_text(fault if name == "torch" else "", encoding="utf-8")
    path = os.pathsep.join([str(broken), str(ROOT)])
    result = _run("doctor", PYTHONPATH=path)
    assert result.returncode == 1  # the cache is empty
    assert re.search(r"torch +\S+ +! cannot be imported: (OSError: a DLL is broken|exit code -6)",
                     result.stdout)  # fmt: skip
    assert "-m pip install" in result.stdout
    assert "Traceback" not in result.stdout + result.stderr


def test_doctor_reads_this_machine(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(cli, "_import_failures", dict)
    cli.main(["doctor"])
    out = capsys.readouterr().out
    for resource in CATALOGUE.values():
        assert resource.name in out and resource.licence in out
    for fact in ("Python", "cores", "memory", "free disk", "cache", "progress", "Chinese font"):
        assert fact in out
    assert f"ecomtutor fetch {' '.join(r.name for r in defaults())}" in out


def test_progress_prints_the_table(capsys: pytest.CaptureFixture[str]) -> None:
    from ecomtutor.exercises import progress

    assert cli.main(["progress"]) == 0
    assert capsys.readouterr().out.strip() == str(progress()).strip()


@pytest.mark.parametrize(
    ("raised", "code", "said"),
    [
        (KeyboardInterrupt(), 130, "\nStopped. What was finished before is kept.\n"),
        (EcomTutorError("no such thing"), 1, "error: no such thing\n"),
        (ImportError("No module named 'x'"), 1, "error: No module named 'x'. Install"),
    ],
)
def test_errors_are_one_line_and_a_code(
    raised: BaseException,
    code: int,
    said: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def fail(*_: object) -> None:
        raise raised

    monkeypatch.setattr(cli, "_state", fail)
    monkeypatch.setattr(cli, "_import_failures", dict)
    assert cli.main(["doctor"]) == code
    error = capsys.readouterr().err
    assert error.startswith(said)
    assert error.strip().count("\n") == 0


def test_lab_opens_jupyterlab_on_lesson_00(monkeypatch: pytest.MonkeyPatch) -> None:
    called: list[tuple[list[str], dict[str, str]]] = []
    monkeypatch.delenv("OMP_WAIT_POLICY", raising=False)
    monkeypatch.setattr(cli, "find", lambda resource: resource)
    monkeypatch.setattr(
        cli.subprocess, "call", lambda command, env: called.append((command, env)) or 0
    )
    assert cli.main(["lab", "--no-browser"]) == 0
    command, environment = called[0]
    assert command[1:5] == ["-m", "jupyter", "lab", "--no-browser"]
    assert Path(command[-1]).name == "00_start_here.ipynb" and Path(command[-1]).is_file()
    assert environment["OMP_WAIT_POLICY"] == "PASSIVE"


def test_lab_does_not_open_a_lesson_whose_data_are_missing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(resource: Resource, source: str | None) -> None:
        raise cli.EcomTutorError(f"{resource.name} could not be fetched")

    monkeypatch.setattr(cli, "find", lambda resource: None)
    monkeypatch.setattr(cli, "fetch", fail)
    monkeypatch.setattr(cli.subprocess, "call", lambda command, env: pytest.fail("it opened"))
    assert cli.main(["lab"]) == 1
    assert capsys.readouterr().err.count("could not be fetched") == len(defaults())
