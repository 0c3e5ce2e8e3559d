"""The project's files agree with each other, and nothing of one machine is in them."""

import importlib.metadata
import re
import subprocess
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
DIRECT = [
    Requirement(text)
    for text in [*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["dev"]]
]
LOCK = [
    Requirement(line)
    for line in (ROOT / "requirements.lock").read_text(encoding="utf-8").splitlines()
]
LOCKED = {canonicalize_name(r.name): r for r in LOCK if r.marker is None or r.marker.evaluate()}


def tracked() -> list[Path]:
    names = subprocess.run(
        ["git", "-C", str(ROOT), "ls-files", "-z"], capture_output=True, text=True, check=True
    ).stdout.split("\0")
    return [ROOT / name for name in names if name and (ROOT / name).is_file()]


def version_in(requirement: Requirement) -> str:
    (pin,) = requirement.specifier
    assert pin.operator == "==", requirement
    return pin.version


@pytest.mark.parametrize("direct", DIRECT, ids=lambda r: r.name)
def test_the_lock_has_every_direct_dependency(direct: Requirement) -> None:
    locked = LOCKED[canonicalize_name(direct.name)]
    assert direct.specifier.contains(version_in(locked)), f"{locked} against {direct}: make lock"


@pytest.mark.parametrize("locked", LOCKED.values(), ids=lambda r: r.name)
def test_the_environment_is_the_locked_one(locked: Requirement) -> None:
    installed = importlib.metadata.version(locked.name)
    assert installed.split("+")[0] == version_in(locked), "make setup"


def test_every_dependency_has_a_reason() -> None:
    lines = (ROOT / "pyproject.toml").read_text(encoding="utf-8").splitlines()
    for requirement in DIRECT:
        if requirement.name == "hatchling":  # shares the reason of the line above it
            continue
        (line,) = [x for x in lines if re.match(rf'\s+"{re.escape(requirement.name)}[=>]', x)]
        assert "# " in line, f"{requirement.name} has no reason"


def test_cuda_is_never_locked() -> None:
    assert not [r.name for r in LOCK if re.match("nvidia|cuda|triton", r.name)]


def test_conda_users_get_the_same_lock() -> None:
    text = (ROOT / "environment.yml").read_text(encoding="utf-8")
    assert "- -r requirements.lock" in text
    assert f"python{PROJECT['requires-python']}" in text
    assert not re.search(r"^\s+- \w+==", text, re.M), "versions belong in the lock alone"


def test_no_file_is_large_and_the_clone_is_light() -> None:
    sizes = {path: path.stat().st_size for path in tracked()}
    assert not [path.name for path, size in sizes.items() if size > 25e6]
    assert sum(sizes.values()) < 150e6


def test_nothing_of_one_machine_is_committed() -> None:
    home = re.compile("|".join(map(re.escape, {str(ROOT) + "/", str(Path.home()) + "/"})))
    texts = [p for p in tracked() if p.suffix in {".md", ".py", ".toml", ".yml", ".ipynb", ".lock"}]
    assert len(texts) > 20
    assert not [p.name for p in texts if home.search(p.read_text(encoding="utf-8"))]


def test_ci_calls_the_command_that_readme_gives() -> None:
    assert (ROOT / ".ci/run").read_text(encoding="utf-8").rstrip().endswith("exec make test")
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert "make lab" in readme and "make test" in readme


def make_targets() -> set[str]:
    return set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M))


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md", "slides/README.md"])
def test_every_make_command_in_the_pages_exists(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    code = "\n".join(re.findall(r"```.*?```|`[^`\n]+`", text, re.S))  # not "make sure" in prose
    named = set(re.findall(r"\bmake ([a-z]+)", code))
    assert named and named <= make_targets(), named - make_targets()


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md", "data/README.md"])
def test_every_relative_link_leads_somewhere(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    targets = re.findall(r"\]\((?!https?:|#)([^)#]+)", text)
    assert not [t for t in targets if not (ROOT / page).parent.joinpath(t).exists()]
