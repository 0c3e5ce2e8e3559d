"""The sandbox around the server: bubblewrap's namespaces, a file system to read and one scratch."""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from ecomtutor.errors import EcomTutorError
from ecomtutor.teaching.grading.confine import has_filter

SCRATCH = "/scratch"
_SCRATCH_BYTES = 64 * 1024 * 1024
_SYSTEM = ("/usr", "/lib", "/lib64", "/lib32", "/bin", "/sbin")
_SETTINGS = (
    "/etc/ld.so.cache",
    "/etc/ld.so.conf",
    "/etc/ld.so.conf.d",
    "/etc/alternatives",
    "/etc/fonts",
    "/etc/localtime",
)


class NoSandbox(EcomTutorError):
    """This machine cannot shut answers in."""


def demand_sandbox() -> None:
    """Raise unless answers can be shut in here.

    Raises:
        NoSandbox: with the reason and the way out.
    """
    reason = _missing()
    if reason:
        raise NoSandbox(
            f"{reason} Answers are programs of strangers: without a sandbox they can read your "
            "files, use your network and delete what you can delete. Grade on a Linux machine with "
            "bubblewrap (Debian, Ubuntu: apt install bubblewrap), or, in a virtual machine that "
            "you can throw away, add --unsafe."
        )


@functools.cache
def _missing() -> str:
    """Why there is no sandbox here; "" when there is one."""
    if sys.platform != "linux":
        return f"The sandbox needs Linux; this is {sys.platform}."
    if not has_filter():
        return f"The sandbox's system call filter is not written for {os.uname().machine}."
    program = shutil.which("bwrap")
    if program is None:
        return "bubblewrap (the program bwrap) is not installed."
    trial = [program, *_walls(), *_system(), "--tmpfs", SCRATCH, "--", "/usr/bin/env", "true"]
    try:
        done = subprocess.run(trial, capture_output=True, text=True, timeout=30)
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"bubblewrap does not start ({error})."
    if done.returncode:
        said = (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]
        return f"bubblewrap cannot make namespaces here ({said[:150]})."
    return ""


def sandboxed(command: Sequence[str], hidden: Sequence[Path]) -> list[str]:
    """The command with bubblewrap around it.

    Args:
        command: the program and its arguments.
        hidden: folders that must not be seen, even where they lie inside one that is.

    Returns:
        A command that sees the system's programs, Python, this package, its data and the fetched
        models, all read-only, and one empty scratch folder in memory; no network, no other process.
    """
    shown = [path.resolve() for path in _shown()]
    binds = [word for path in shown for word in ("--ro-bind", str(path), str(path))]
    masks = [
        word
        for path in hidden
        if any(path.resolve().is_relative_to(each) for each in [*shown, *map(Path, _SYSTEM)])
        for word in ("--tmpfs", str(path.resolve()), "--remount-ro", str(path.resolve()))
    ]
    scratch = ("--size", str(_SCRATCH_BYTES), "--tmpfs", SCRATCH, "--chdir", "/")
    return [
        shutil.which("bwrap") or "bwrap",
        *_walls(),
        *_system(),
        *binds,
        *_links(),
        *masks,
        *scratch,
        "--remount-ro",
        "/",
        "--",
        *command,
    ]


def environment(scratch: str) -> dict[str, str]:
    """The whole environment of the server: nothing of the teacher's own gets in."""
    from ecomtutor.resources import cache_dir

    package = Path(__file__).resolve().parents[2]
    return {
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "PYTHONPATH": str(package.parent),
        "HOME": scratch,
        "TMPDIR": scratch,
        "USER": "reader",
        "LOGNAME": "reader",
        "LANG": "C.UTF-8",
        "ECOMTUTOR_CACHE": str(cache_dir()),
        "ECOMTUTOR_DATA": f"{scratch}/progress",
        "HF_HUB_OFFLINE": "1",
        "TRANSFORMERS_OFFLINE": "1",
        "MPLBACKEND": "Agg",
        # One thread: a process with more cannot be forked safely, and the workers share the cores.
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "MKL_NUM_THREADS": "1",
        "TOKENIZERS_PARALLELISM": "false",
        "PYTHONHASHSEED": "0",
        "PYTHONDONTWRITEBYTECODE": "1",
    }


def _walls() -> list[str]:
    words = ["--unshare-all", "--die-with-parent", "--new-session", "--cap-drop", "ALL"]
    words += ["--uid", "1000", "--gid", "1000", "--hostname", "grading"]
    # Root's own files stay root's to write, whatever else is taken away: settings in /proc too.
    words += ["--proc", "/proc", "--remount-ro", "/proc"]
    return [*words, "--dev", "/dev", "--remount-ro", "/dev"]


def _system() -> list[str]:
    words = []
    for name in _SYSTEM:
        path = Path(name)
        if path.is_symlink():  # /bin -> usr/bin, as on most systems today
            words += ["--symlink", os.readlink(name), name]
        elif path.is_dir():
            words += ["--ro-bind", name, name]
    return words + [word for name in _SETTINGS for word in ("--ro-bind-try", name, name)]


def _shown() -> Iterator[Path]:
    """Folders beyond the system's that the server has to read."""
    from ecomtutor.datasets.store import data_dir
    from ecomtutor.resources import cache_dir

    package = Path(__file__).resolve().parents[2]
    prefixes = {Path(sys.prefix), Path(sys.base_prefix)}
    for path in [*sorted(prefixes), package, data_dir(), cache_dir()]:
        if path.is_dir() and path.resolve() not in (Path("/usr"), Path("/"), Path.home()):
            yield path


def _links() -> list[str]:
    """The interpreter's own path, where it leads through links outside of what is shown."""
    words = []
    for path in {Path(sys.prefix), Path(sys.base_prefix)}:
        if path.is_dir() and path.resolve() != path and path not in (Path("/usr"), Path("/")):
            words += ["--ro-bind", str(path.resolve()), str(path)]
    return words
