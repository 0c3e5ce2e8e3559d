"""The packages of a bundle: downloaded by pip, checked to be complete, listed with their hashes."""

import errno
import os
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterable, Sequence
from email.parser import HeaderParser
from pathlib import Path
from typing import TYPE_CHECKING

from ecomtutor.errors import EcomTutorError, MissingResource
from ecomtutor.resources.cache import sha256_of
from ecomtutor.teaching.bundle.targets import PLATFORMS, Target

if TYPE_CHECKING:
    from packaging.requirements import Requirement

Report = Callable[[str], None]
_BATCH = 16  # packages for one call of pip; what one call brought is kept when the next one stops
_UNREACHABLE = re.compile(
    r"NewConnectionError|ConnectTimeout|NameResolution|ProxyError|ReadTimeout"
)


def locked(lock: Path, target: Target) -> "list[Requirement]":
    """The lock's requirements that a target needs, markers taken off, and pip itself."""
    from packaging.requirements import Requirement

    wanted = [Requirement("pip>=25.3")]
    for line in lock.read_text(encoding="utf-8").splitlines():
        if line.strip():
            requirement = Requirement(line)
            if requirement.marker is None or requirement.marker.evaluate(target.markers()):
                requirement.marker = None
                wanted.append(requirement)
    return wanted


def wheel_for(requirement: "Requirement", target: Target, wheels: Path) -> Path | None:
    """The wheel in a folder that a target would install for a requirement, or None."""
    from packaging.utils import canonicalize_name, parse_wheel_filename

    ranks = {tag: rank for rank, tag in enumerate(target.tags())}
    found = []
    for path in wheels.glob("*.whl"):
        name, version, _, tags = parse_wheel_filename(path.name)
        fits = [ranks[tag] for tag in tags if tag in ranks]
        named = name == canonicalize_name(requirement.name)
        if named and fits and requirement.specifier.contains(version, prereleases=True):
            found.append((min(fits), path.name))
    return wheels / min(found)[1] if found else None


def gather(lock: Path, target: Target, wheels: Path, index: str | None, report: Report) -> None:
    """Bring every wheel that a target needs and that is not in the folder yet.

    Args:
        lock: requirements with exact versions and markers.
        target: the kind of laptop.
        wheels: the folder; whole wheels that an earlier run brought are kept.
        index: one more package index, such as PyTorch's with builds for the CPU.
        report: called with each line that the teacher should see.

    Raises:
        MissingResource: the index cannot be reached, the disk is full, or it has no wheel for a
            package and this machine cannot build one that runs everywhere.
    """
    wheels.mkdir(parents=True, exist_ok=True)
    missing = [r for r in locked(lock, target) if wheel_for(r, target, wheels) is None]
    for start in range(0, len(missing), _BATCH):
        report(f"{target.name}: {start} of {len(missing)} packages that were missing")
        _bring(missing[start : start + _BATCH], target, wheels, index)


def _bring(
    wanted: "Sequence[Requirement]", target: Target, wheels: Path, index: str | None
) -> None:
    """Download together; a package without a wheel is built here, then the rest is tried again."""
    rest = list(wanted)
    while rest and (said := _pip(_download(rest, target, index), wheels)) is not None:
        found = re.search(r"No matching distribution found for ([^\s=<>~!;]+)", said)
        lacking = [r for r in rest if found and r.name.lower() == found[1].lower()]
        if not lacking:
            raise MissingResource(f"pip did not bring the packages: {_last_line(said)}.")
        _build(lacking[0], target, wheels)
        rest.remove(lacking[0])


def _build(wanted: "Requirement", target: Target, wheels: Path) -> None:
    """Build a package of which no wheel is published; without machine code it runs everywhere."""
    said = _pip(["wheel", "--no-deps", str(wanted)], wheels)
    if said is not None or wheel_for(wanted, target, wheels) is None:
        why = _last_line(said or "what this machine built does not run there")
        raise MissingResource(f"{wanted} has no wheel for {target.name} ({why}).")


def _last_line(said: str) -> str:
    return (said.strip().splitlines() or ["pip said nothing"])[-1][:160]


def _download(wanted: "Iterable[Requirement]", target: Target, index: str | None) -> list[str]:
    words = ["download", "--no-deps", "--only-binary", ":all:", "--implementation", "cp"]
    words += ["--python-version", target.python]
    for tag in PLATFORMS[target.platform]:
        words += ["--platform", tag]
    words += ["--extra-index-url", index] if index else []
    return [*words, *map(str, wanted)]


def _pip(words: Sequence[str], wheels: Path) -> str | None:
    """Run pip into a folder of its own, and move in what came whole. Returns what it complained.

    Raises:
        MissingResource: when trying again with other words would not help.
    """
    arriving = wheels / ".arriving"
    shutil.rmtree(arriving, ignore_errors=True)
    arriving.mkdir()
    verb, *rest = words
    command = [sys.executable, "-m", "pip", verb, "--quiet", "--no-input", "--retries", "2"]
    command += ["--disable-pip-version-check"]
    command += ["--dest" if verb == "download" else "--wheel-dir", str(arriving), *rest]
    try:
        run = subprocess.run(command, capture_output=True, text=True, errors="replace")
        if run.returncode == 0:
            for path in arriving.glob("*.whl"):
                _refuse_half(path)
                os.replace(path, wheels / path.name)
            return None
    finally:
        shutil.rmtree(arriving, ignore_errors=True)
    if re.search(r"No space left|Errno 28", run.stderr):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    if _UNREACHABLE.search(run.stderr):
        raise MissingResource(
            "The package index cannot be reached. What came so far is kept: run again with a "
            "network, or set a mirror that you can reach (pip config set global.index-url …)."
        )
    return run.stderr or "pip failed without a word"


def _refuse_half(path: Path) -> None:
    try:
        with zipfile.ZipFile(path) as wheel:
            bad = wheel.testzip()
    except zipfile.BadZipFile as error:
        bad = str(error)
    if bad:
        raise MissingResource(f"{path.name} arrived damaged ({bad}). Run again.")


def chosen(lock: Path, target: Target, wheels: Path) -> list[Path]:
    """The wheels that a target installs, after a check that none of them needs another.

    Raises:
        EcomTutorError: naming each package that is wanted and is not there.
    """
    found = {str(r): wheel_for(r, target, wheels) for r in locked(lock, target)}
    absent = [name for name, path in found.items() if path is None]
    paths = [path for path in found.values() if path is not None]
    absent += _unmet(paths, target)
    if absent:
        advice = ""
        if any(re.search("nvidia|cuda|triton", name) for name in absent):
            advice = (
                " This torch is a build with CUDA: delete it from wheels/ and run again with "
                "--torch-index https://download.pytorch.org/whl/cpu"
            )
        raise EcomTutorError(f"The bundle lacks for {target.name}: {', '.join(absent)}.{advice}")
    return sorted(paths)


def _unmet(paths: Iterable[Path], target: Target) -> list[str]:
    """What the wheels require, on this target, beyond one another."""
    from packaging.requirements import Requirement
    from packaging.utils import canonicalize_name, parse_wheel_filename

    paths = list(paths)
    versions = {
        name: version for name, version, *_ in (parse_wheel_filename(p.name) for p in paths)
    }
    unmet = []
    for path in paths:
        for text in _requires(path):
            needed = Requirement(text)
            if needed.marker is not None and not needed.marker.evaluate(target.markers()):
                continue
            version = versions.get(canonicalize_name(needed.name))
            if version is None or not needed.specifier.contains(version, prereleases=True):
                unmet.append(f"{needed.name}{needed.specifier} (for {path.name.split('-')[0]})")
    return sorted(set(unmet))


def _requires(wheel: Path) -> list[str]:
    with zipfile.ZipFile(wheel) as archive:
        (name,) = [n for n in archive.namelist() if re.fullmatch(r"[^/]+\.dist-info/METADATA", n)]
        fields = HeaderParser().parsestr(archive.read(name).decode("utf-8", "replace"))
    return list(fields.get_all("Requires-Dist") or [])


def pinned(paths: Iterable[Path]) -> str:
    """A requirements file that takes exactly these wheels: name, version, SHA-256."""
    from packaging.utils import parse_wheel_filename

    lines = []
    for path in paths:
        name, version, *_ = parse_wheel_filename(path.name)
        lines.append(f"{name}=={version} --hash=sha256:{sha256_of(path)}")
    return "".join(f"{line}\n" for line in lines)
