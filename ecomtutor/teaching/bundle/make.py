"""Fill the folder: course, packages, models and data, decks, set-up; verified, then signed off."""

import errno
import json
import os
import shutil
import subprocess
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from ecomtutor.errors import EcomTutorError, MissingResource
from ecomtutor.resources import Resource, defaults
from ecomtutor.resources.cache import sha256_of
from ecomtutor.resources.sources import archive_by_pip
from ecomtutor.teaching.bundle.targets import Target
from ecomtutor.teaching.bundle.wheelhouse import Report, chosen, gather, pinned

SUMS = "SHA256SUMS"
_STICK = ("set_up.py", "set_up.sh", "set_up.bat")
_SPACE = 1_000_000_000  # bytes asked for before anything starts; one target needs about this


@dataclass(frozen=True)
class Bundle:
    """A finished bundle: its folder, what it is for, its files and bytes."""

    folder: Path
    targets: tuple[Target, ...]
    files: int
    size: int


def make_bundle(
    clone: Path,
    folder: Path,
    targets: Sequence[Target],
    *,
    resources: Iterable[Resource] | None = None,
    torch_index: str | None = None,
    report: Report = print,
) -> Bundle:
    """Make, or go on making, one folder that sets up laptops without a network.

    Args:
        clone: the course's git clone; its committed state is taken.
        folder: where the bundle grows. An interrupted run goes on where it stopped.
        targets: the kinds of laptop.
        resources: models and data; by default all that the lessons need.
        torch_index: one more package index, for torch without CUDA on Linux.
        report: called with each line that the teacher should see.

    Returns:
        What was made. Only then has the folder a ``SHA256SUMS``, which set-up asks for.

    Raises:
        EcomTutorError: no clone, a foreign folder, a full disk, no network, an incomplete set.
    """
    with _writing(folder):
        _open_folder(folder)
        commit = _course(clone, folder / "course.zip", report)
        for target in targets:
            gather(clone / "requirements.lock", target, folder / "wheels", torch_index, report)
        wheels = _list_wheels(clone / "requirements.lock", targets, folder)
        _resources(defaults() if resources is None else resources, folder / "resources", report)
        _slides(clone / "build" / "slides", folder / "slides", report)
        _stick(folder, targets, commit, wheels)
        count, size = _sign(folder)
    return Bundle(folder, tuple(targets), count, size)


@contextmanager
def _writing(folder: Path) -> Iterator[None]:
    try:
        yield
    except EcomTutorError:
        raise
    except OSError as error:
        full = error.errno == errno.ENOSPC
        why = "its disk is full; free some space" if full else f"it cannot be written ({error})"
        raise MissingResource(
            f"The bundle in {folder} is not finished: {why}, then run the same command again. "
            "What came so far is kept."
        ) from error


def _open_folder(folder: Path) -> None:
    """An empty folder, or one that an earlier run began; from now on it counts as unfinished."""
    begun = folder / ".bundle"
    if folder.exists() and any(folder.iterdir()) and not begun.is_file():
        raise EcomTutorError(f"{folder} holds other files. Name an empty folder: --out FOLDER")
    new = not folder.exists()
    folder.mkdir(parents=True, exist_ok=True)
    if (new or not begun.is_file()) and shutil.disk_usage(folder).free < _SPACE:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    (folder / SUMS).unlink(missing_ok=True)
    begun.touch()


def _course(clone: Path, path: Path, report: Report) -> str:
    """The committed state as a zip, and its commit."""
    commit = _git(clone, "rev-parse", "HEAD")
    if changed := _git(clone, "status", "--porcelain"):
        report(f"{len(changed.splitlines())} changes are not committed and stay out of the bundle")
    arriving = path.with_name(path.name + ".part")
    _git(clone, "archive", "--format=zip", f"--output={arriving.resolve()}", commit)
    os.replace(arriving, path)
    return commit


def _git(clone: Path, *words: str) -> str:
    try:
        run = subprocess.run(["git", "-C", str(clone), *words], capture_output=True, text=True)
    except FileNotFoundError as error:
        raise EcomTutorError("git is not installed; a bundle takes the committed state.") from error
    if run.returncode:
        if "No space left" in run.stderr:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        said = (run.stderr.strip().splitlines() or ["no message"])[0]
        raise EcomTutorError(f"{clone} gave no committed state ({said}): work from a git clone.")
    return run.stdout.strip()


def _list_wheels(lock: Path, targets: Sequence[Target], folder: Path) -> dict[str, list[str]]:
    (folder / "targets").mkdir(exist_ok=True)
    names = {}
    for target in targets:
        paths = chosen(lock, target, folder / "wheels")
        text = pinned(paths)
        (folder / "targets" / f"{target.name}.txt").write_text(text, encoding="utf-8")
        names[target.name] = [path.name for path in paths]
    _keep_only(folder / "wheels", {name for listed in names.values() for name in listed})
    return names


def _keep_only(folder: Path, wanted: set[str]) -> None:
    """Remove what an earlier lock or a killed run left."""
    for path in folder.iterdir():
        if path.is_dir():
            shutil.rmtree(path)
        elif path.name not in wanted:
            path.unlink()


def _resources(resources: Iterable[Resource], folder: Path, report: Report) -> None:
    folder.mkdir(exist_ok=True)
    wanted: set[str] = set()
    for resource in resources:
        report(f"{resource.name}: {resource.title}")
        wanted |= {archive_by_pip(archive, folder).name for archive in resource.archives}
    _keep_only(folder, wanted)


def _slides(built: Path, folder: Path, report: Report) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    if (built / "index.html").is_file():
        shutil.copytree(built, folder)
    else:
        report("no decks: run `make slides` first if they are to be on the stick")


def _stick(
    folder: Path, targets: Sequence[Target], commit: str, wheels: dict[str, list[str]]
) -> None:
    ours = files("ecomtutor.teaching.bundle") / "stick"
    for name in _STICK:
        (folder / name).write_bytes((ours / name).read_bytes())
    (folder / "set_up.sh").chmod(0o755)
    described = {"commit": commit, "targets": wheels}
    (folder / "bundle.json").write_text(json.dumps(described, indent=1), encoding="utf-8")
    kinds = "".join(f"  {t.platform}, Python {t.python}\n" for t in targets)
    text = (ours / "READ_ME.txt").read_text(encoding="utf-8")
    (folder / "READ_ME.txt").write_text(text.replace("{targets}", kinds), encoding="utf-8")


def _sign(folder: Path) -> tuple[int, int]:
    """Write the checksums of all files, last and in one step. Returns their number and bytes."""
    paths = sorted(p for p in folder.rglob("*") if p.is_file() and p.name != ".bundle")
    names = [path.relative_to(folder).as_posix() for path in paths]
    lines = [f"{sha256_of(path)}  {name}\n" for path, name in zip(paths, names, strict=True)]
    arriving = folder / f"{SUMS}.part"
    arriving.write_text("".join(lines), encoding="utf-8", newline="\n")
    os.replace(arriving, folder / SUMS)
    return len(paths), sum(path.stat().st_size for path in paths)
