"""The folder on a stick: complete, verified, resumable; it sets up without a network."""

import errno
import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pip
import pytest
import tiny_resources as tiny
from test_offline import ISOLATED, no_namespace

from ecomtutor.errors import EcomTutorError, MissingResource
from ecomtutor.teaching.bundle import make as making
from ecomtutor.teaching.bundle import wheelhouse
from ecomtutor.teaching.bundle.make import Bundle, make_bundle
from ecomtutor.teaching.bundle.targets import PLATFORMS, Target, this_machine

HERE = this_machine()
LOCK = "alpha==1.0\nbeta==1.0\nonly-there==1.0 ; sys_platform == 'win32'\n"
PROJECT = """[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]
[project]
name = "ecomtutor"
version = "1.0"
"""
# The smallest thing that pip can install in place.
BACKEND = """
import os, zipfile
def build_editable(folder, settings=None, metadata=None):
    name, info = "ecomtutor-1.0-py3-none-any.whl", "ecomtutor-1.0.dist-info/"
    with zipfile.ZipFile(os.path.join(folder, name), "w") as wheel:
        wheel.writestr("ecomtutor.pth", os.getcwd() + "\\n")
        text = "Metadata-Version: 2.1\\nName: ecomtutor\\nVersion: 1.0\\n"
        wheel.writestr(info + "METADATA", text)
        wheel.writestr(
            info + "WHEEL", "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n"
        )
        wheel.writestr(info + "RECORD", "")
    return name
"""
# Stands for the command line: it fails without the packages, and says how it was called.
CLI = """
import pathlib, sys
import alpha, beta
with (pathlib.Path(__file__).parents[1] / "calls.txt").open("a") as out:
    out.write(sys.argv[1] + "\\n")
    if sys.argv[1] == "fetch":
        assert sys.argv[2:4] == ["--all", "--source"]
        out.write(" ".join(p.name for p in pathlib.Path(sys.argv[4]).iterdir()) + "\\n")
"""


def git(folder: Path, *words: str) -> None:
    name = ["-c", "user.name=T", "-c", "user.email=t@example.org"]
    subprocess.run(["git", "-C", str(folder), *name, *words], check=True, capture_output=True)


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A git clone of a tiny course."""
    folder = tmp_path_factory.mktemp("clone")
    (folder / "ecomtutor").mkdir()
    texts = {
        "requirements.lock": LOCK,
        "pyproject.toml": PROJECT,
        "backend.py": BACKEND,
        "ecomtutor/__init__.py": "",
        "ecomtutor/cli.py": CLI,
        "notebooks 笔记.txt": "柚子",
    }
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")
    git(folder, "init", "--quiet")
    git(folder, "add", ".")
    git(folder, "commit", "--quiet", "-m", "a course")
    return folder


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Packages: one for everyone, one for each platform and one for Windows; and the real pip."""
    folder = tmp_path_factory.mktemp("index")
    for name in ("alpha", "beta"):
        tiny.wheel(folder, {f"{name}.py": b""}, name)
    plain = folder / "beta-1.0-py3-none-any.whl"
    for platform in ("linux-x86_64", "windows-x86_64", "macos-arm64"):
        tag = PLATFORMS[platform][-1]
        name = f"beta-1.0-cp3{HERE.minor}-cp3{HERE.minor}-{tag}.whl"
        (folder / name).write_bytes(plain.read_bytes())
    if HERE.platform == "linux-x86_64":
        plain.unlink()  # elsewhere the plain one has to do
    windows = tiny.wheel(folder, {"there.py": b""}, "only_there").filename
    (folder / windows).rename(folder / windows.replace("none-any", "none-win_amd64"))
    tiny.wheel(folder, tiny.FILES, "tiny")
    _pack_pip(folder)
    return folder


def _pack_pip(folder: Path) -> None:
    site = Path(pip.__file__).parents[1]
    roots = [site / "pip", site / f"pip-{pip.__version__}.dist-info"]
    with zipfile.ZipFile(folder / f"pip-{pip.__version__}-py3-none-any.whl", "w") as wheel:
        for path in (p for root in roots for p in sorted(root.rglob("*"))):
            if path.is_file() and path.suffix != ".pyc":
                wheel.write(path, path.relative_to(site).as_posix())


@pytest.fixture(autouse=True)
def only_the_index(index: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(index))
    monkeypatch.setenv("ECOMTUTOR_CACHE", str(tmp_path / "cache"))


def make(clone: Path, index: Path, folder: Path, *targets: Target) -> Bundle:
    resource = tiny.resource_of(tiny.archive_of(index / "tiny-1.0-py3-none-any.whl"))
    wanted = targets or (HERE,)
    return make_bundle(clone, folder, wanted, resources=[resource], report=lambda line: None)


@pytest.fixture(scope="module")
def made(clone: Path, index: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished bundle whose path has a space and Chinese characters; copy before you damage."""
    folder = tmp_path_factory.mktemp("stick") / "教室 stick"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PIP_CONFIG_FILE", os.devnull)
        patch.setenv("PIP_NO_INDEX", "1")
        patch.setenv("PIP_FIND_LINKS", str(index))
        make(clone, index, folder)
    return folder


@pytest.fixture
def copied(made: Path, tmp_path: Path) -> Path:
    subprocess.run(["cp", "-r", str(made), str(tmp_path / "copy")], check=True)
    return tmp_path / "copy"


def set_up(folder: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, str(folder / "set_up.py"), *words]
    return subprocess.run(command, capture_output=True, text=True)


def test_every_file_is_in_the_checksums_and_passes(made: Path) -> None:
    lines = (made / "SHA256SUMS").read_text("utf-8").splitlines()
    names = {line.split("  ", 1)[1] for line in lines}
    there = {p.relative_to(made).as_posix() for p in made.rglob("*") if p.is_file()}
    assert names == there - {"SHA256SUMS", ".bundle"}
    assert set_up(made, "--verify").stdout == f"{len(names)} files verified\n"
    if sys.platform == "linux":  # the file is in the form that sha256sum reads
        checked = subprocess.run(["sha256sum", "-c", "--quiet", "SHA256SUMS"], cwd=made)
        assert checked.returncode == 0


def test_it_lists_exactly_this_machines_wheels(made: Path) -> None:
    listed = (made / "targets" / f"{HERE.name}.txt").read_text().splitlines()
    assert [line.split("==")[0] for line in listed] == ["alpha", "beta", "pip"]
    assert all("--hash=sha256:" in line for line in listed)


@pytest.mark.parametrize(
    ("name", "damage", "message"),
    [
        ("wheels/alpha-1.0-py3-none-any.whl", lambda c: c[:-1], "damaged or cut short"),
        ("resources/tiny-1.0-py3-none-any.whl", lambda c: c[:99] + b"!" + c[100:], "damaged"),
        ("course.zip", None, "course.zip is missing"),
        ("SHA256SUMS", None, "never finished"),
        ("bundle.json", lambda c: c[:20], "damaged or cut short"),
    ],
)
def test_damage_is_found_before_anything_is_installed(copied, tmp_path, name, damage, message):
    path = copied / name
    if damage:
        path.write_bytes(damage(path.read_bytes()))
    else:
        path.unlink()
    assert message in set_up(copied, "--verify").stderr
    done = set_up(copied, "--to", str(tmp_path / "home"))
    assert done.returncode == 1 and "Traceback" not in done.stderr
    assert not (tmp_path / "home").exists()


def test_another_python_is_told_what_the_bundle_is_for(copied: Path) -> None:
    facts = json.loads((copied / "bundle.json").read_text())
    facts["targets"] = {"linux-x86_64-py3.99": []}
    (copied / "bundle.json").write_text(json.dumps(facts))
    done = set_up(copied, "--to", str(copied / "home"))
    assert (done.returncode, done.stdout) == (1, "")
    assert f"This is {HERE.name}; the bundle is for linux-x86_64-py3.99" in done.stderr


def test_set_up_keeps_out_of_a_folder_that_holds_other_files(made: Path, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("keep")
    done = set_up(made, "--to", str(tmp_path))
    assert done.returncode == 1 and "holds other files" in done.stderr
    assert (tmp_path / "mine.txt").read_text() == "keep"


def test_a_full_disk_leaves_no_finished_bundle_and_the_next_run_goes_on(
    clone: Path, index: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*arguments: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    out = tmp_path / "out"
    with monkeypatch.context() as patch:
        patch.setattr(making, "_resources", full)
        with pytest.raises(MissingResource, match="disk is full"):
            make(clone, index, out)
    assert not (out / "SHA256SUMS").exists()
    monkeypatch.setattr(wheelhouse, "_pip", lambda *a: pytest.fail("downloaded again"))
    assert make(clone, index, out).files > 0
    assert set_up(out, "--verify").returncode == 0


def test_what_a_killed_run_left_is_not_signed(clone: Path, index: Path, copied: Path) -> None:
    for name in ("wheels/.arriving/half.whl", "resources/arriving-x/half", "wheels/old-1.0.whl"):
        (copied / name).parent.mkdir(exist_ok=True)
        (copied / name).write_text("half")
    (copied / "wheels/old-1.0.whl").rename(copied / "wheels/old-1.0-py3-none-any.whl")
    make(clone, index, copied)
    signed = (copied / "SHA256SUMS").read_text()
    assert "half" not in signed and "old-1.0" not in signed
    assert set_up(copied, "--verify").returncode == 0


def test_a_wheel_that_arrives_cut_short_is_refused(tmp_path: Path, index: Path) -> None:
    path = tmp_path / "alpha-1.0-py3-none-any.whl"
    path.write_bytes((index / path.name).read_bytes()[:-30])
    with pytest.raises(MissingResource, match="arrived damaged"):
        wheelhouse._refuse_half(path)


def test_a_package_without_a_wheel_is_built_once_for_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = {
        "gamma-1.0/PKG-INFO": b"Metadata-Version: 2.1\nName: gamma\nVersion: 1.0\n",
        "gamma-1.0/pyproject.toml": PROJECT.replace(
            'name = "ecomtutor"', 'name = "gamma"'
        ).encode(),
        "gamma-1.0/backend.py": BACKEND.replace("ecomtutor", "gamma")
        .replace("build_editable(folder, settings=None,", "build_wheel(folder, settings=None,")
        .encode(),
    }
    (tmp_path / "index").mkdir()
    (tmp_path / "index" / "gamma-1.0.tar.gz").write_bytes(tiny.tar_gz(source))
    _pack_pip(tmp_path / "index")
    tiny.wheel(tmp_path / "index", {"alpha.py": b""}, "alpha")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "index"))
    lock = tmp_path / "lock"
    lock.write_text("gamma==1.0\nalpha==1.0\n")
    for target in (HERE, Target("windows-x86_64", HERE.python)):
        wheelhouse.gather(lock, target, tmp_path / "wheels", None, lambda line: None)
        names = [path.name for path in wheelhouse.chosen(lock, target, tmp_path / "wheels")]
        assert names[:2] == ["alpha-1.0-py3-none-any.whl", "gamma-1.0-py3-none-any.whl"]


def test_other_platforms_get_their_own_wheels_and_markers(
    clone: Path, index: Path, tmp_path: Path
) -> None:
    windows = Target("windows-x86_64", HERE.python)
    make(clone, index, tmp_path / "out", windows, Target("macos-arm64", HERE.python))
    targets = json.loads((tmp_path / "out" / "bundle.json").read_text())["targets"]
    listed = " ".join(targets[windows.name])
    assert "only_there-1.0" in listed and "win_amd64" in listed
    other = " ".join(targets[f"macos-arm64-py{HERE.python}"])
    assert "only_there" not in other and "macosx" in other and "win_amd64" not in other


def test_a_wheel_that_needs_another_is_named_with_the_way_out(tmp_path: Path) -> None:
    archive = tmp_path / "torch-1.0-py3-none-any.whl"
    metadata = (
        "Name: torch\nRequires-Dist: nvidia-x; sys_platform == 'linux'\n"
        "Requires-Dist: a; extra == 'e'\n"
    )
    with zipfile.ZipFile(archive, "w") as wheel:
        wheel.writestr("torch-1.0.dist-info/METADATA", metadata)
    assert wheelhouse._unmet([archive], Target("windows-x86_64", "3.11")) == []
    lock = tmp_path / "lock"
    lock.write_text("torch==1.0\n")
    with pytest.raises(EcomTutorError, match=r"nvidia-x \(for torch\).*whl/cpu"):
        wheelhouse.chosen(lock, Target("linux-x86_64", "3.11"), tmp_path)


def test_no_network_is_said_so(clone, index, tmp_path, monkeypatch) -> None:
    monkeypatch.delenv("PIP_NO_INDEX")
    monkeypatch.delenv("PIP_FIND_LINKS")
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    monkeypatch.setenv("PIP_TIMEOUT", "1")
    with pytest.raises(MissingResource, match="package index cannot be reached"):
        make(clone, index, tmp_path / "out")


def test_what_the_index_lacks_is_named(clone, index, tmp_path) -> None:
    with pytest.raises(MissingResource, match=r"beta==1\.0 has no wheel for linux-arm64"):
        make(clone, index, tmp_path / "out", Target("linux-arm64", HERE.python))


@pytest.mark.parametrize(
    ("platform", "python", "message"),
    [
        ("amiga", "3.11", "no platform 'amiga'.*linux-x86_64"),
        ("linux-x86_64", "3.10", "3.11 or newer"),
        ("linux-x86_64", "311", "3.11 or newer"),
    ],
)
def test_an_unknown_target_is_refused(platform: str, python: str, message: str) -> None:
    with pytest.raises(EcomTutorError, match=message):
        Target(platform, python)


def test_a_foreign_folder_and_a_folder_without_git_are_refused(index, clone, tmp_path) -> None:
    (tmp_path / "mine.txt").write_text("keep")
    with pytest.raises(EcomTutorError, match="holds other files"):
        make(clone, index, tmp_path)
    (tmp_path / "plain").mkdir()
    with pytest.raises(EcomTutorError, match="work from a git clone"):
        make(tmp_path / "plain", index, tmp_path / "out")


def test_it_sets_up_a_laptop_without_a_network_and_again(made: Path, tmp_path: Path) -> None:
    reason = no_namespace()
    if reason:
        pytest.skip(f"no empty network namespace here: {reason}")
    home = tmp_path / "我的 course"
    command = ["unshare", "--map-root-user", "--net", sys.executable, "-c", ISOLATED]
    command += [str(made / "set_up.py"), "--to", str(home)]
    first = subprocess.run(command, capture_output=True, text=True)
    assert first.returncode == 0, first.stdout + first.stderr
    assert (home / "notebooks 笔记.txt").read_text("utf-8") == "柚子"
    assert (home / ".venv" / "set-up").is_file()
    calls = (home / "calls.txt").read_text().splitlines()
    assert calls == ["fetch", "tiny-1.0-py3-none-any.whl", "doctor"]
    (home / "notebooks 笔记.txt").write_text("my own answer", "utf-8")
    second = subprocess.run(command, capture_output=True, text=True)
    assert second.returncode == 0, second.stdout + second.stderr
    assert (home / "notebooks 笔记.txt").read_text("utf-8") == "my own answer"
