"""Set the course up on this laptop from the folder of this file. Standard library only, no network.

python3 set_up.py [--to FOLDER]     verify, unpack, install, check; again to go on
python3 set_up.py --verify          compare every file of the bundle with SHA256SUMS
"""

import argparse
import hashlib
import json
import os
import platform
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

HERE = Path(__file__).resolve().parent


class Stop(Exception):
    """What went wrong and what to do; shown without a traceback."""


def main():
    parser = argparse.ArgumentParser(description="Set up the course without a network.")
    parser.add_argument("--to", type=Path, default=Path.home() / "ecomtutor-course")
    parser.add_argument("--verify", action="store_true", help="only compare every byte")
    parser.add_argument("--fits", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    try:
        if options.fits:
            return 0 if target()[0] in facts()["targets"] else 1
        if options.verify:
            print(f"{verify(sums())} files verified")
            return 0
        set_up(options.to.expanduser().resolve())
    except Stop as problem:
        print(f"error: {problem}", file=sys.stderr)
        return 1
    except OSError as problem:
        print(f"error: {problem}. Is the disk full, or the stick out? Run again.", file=sys.stderr)
        return 1
    return 0


def target():
    """This laptop in the bundle's words, and its Python."""
    systems = {"Linux": "linux", "Darwin": "macos", "Windows": "windows"}
    machine = platform.machine().lower()
    machine = {"amd64": "x86_64", "aarch64": "arm64"}.get(machine, machine)
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    system = systems.get(platform.system(), platform.system())
    return f"{system}-{machine}-py{python}", python


def facts():
    try:
        return json.loads((HERE / "bundle.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise Stop(f"{HERE} is not a finished bundle: run `ecomtutor bundle` again.") from None


def sums():
    """Relative path → SHA-256, as the bundle promises."""
    try:
        lines = (HERE / "SHA256SUMS").read_text(encoding="utf-8").splitlines()
    except OSError:
        raise Stop("SHA256SUMS is missing: the bundle was never finished.") from None
    return {name: digest for digest, name in (line.split("  ", 1) for line in lines)}


def verify(promised):
    for done, (name, digest) in enumerate(promised.items(), start=1):
        path, found = HERE / name, hashlib.sha256()
        if not path.is_file():
            raise Stop(f"{name} is missing from the bundle. Copy the folder again.")
        with path.open("rb") as stream:
            while block := stream.read(1 << 20):
                found.update(block)
        if found.hexdigest() != digest:
            raise Stop(f"{name} is damaged or cut short. Copy the folder again.")
        if sys.stdout.isatty():
            print(f"\rverifying {done} of {len(promised)}", end="", flush=True)
    return len(promised)


def set_up(home):
    name, python = target()
    known = facts()["targets"]
    if name not in known:
        raise Stop(
            f"This is {name}; the bundle is for {', '.join(known)}. Use a Python of that version, "
            f"or make the bundle with --platform {name.rsplit('-', 1)[0]} --python {python}."
        )
    wheels = set(known[name])
    promised = sums()
    ours = {n: s for n, s in promised.items() if not n.startswith("wheels/") or n[7:] in wheels}
    print(f"[1/5] verifying {len(ours)} files of the bundle …", flush=True)
    verify(ours)
    print(f"[2/5] unpacking the course into {home} …", flush=True)
    unpack(home)
    print("[3/5] installing the packages (minutes) …", flush=True)
    install(home, name, wheels)
    print("[4/5] models and data …", flush=True)
    run(
        home,
        interpreter(home),
        "-m",
        "ecomtutor.cli",
        "fetch",
        "--all",
        "--source",
        HERE / "resources",
    )
    print("[5/5] looking at the result …", flush=True)
    run(home, interpreter(home), "-m", "ecomtutor.cli", "doctor")
    (home / ".venv" / "set-up").touch()  # the stamp that `make lab` looks for
    print(f"Ready. Every day:\n  {interpreter(home)} -m ecomtutor.cli lab")


def unpack(home):
    """The clone; one that this set-up unpacked before is kept, with the learner's work in it."""
    if (home / ".from-bundle").is_file():
        return
    if home.exists() and any(home.iterdir()):
        raise Stop(f"{home} holds other files. Name an empty folder: --to FOLDER")
    half = home.with_name(home.name + ".part")
    shutil.rmtree(half, ignore_errors=True)
    with zipfile.ZipFile(HERE / "course.zip") as archive:
        archive.extractall(half)
    (half / ".from-bundle").write_text(facts()["commit"], encoding="utf-8")
    if home.exists():
        home.rmdir()
    os.replace(half, home)


def interpreter(home):
    return home / ".venv" / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def install(home, name, wheels):
    """Exactly the bundle's wheels, by hash. pip runs from its own wheel: no ensurepip is needed."""
    (pip,) = (HERE / "wheels" / wheel for wheel in wheels if wheel.startswith("pip-"))
    if not interpreter(home).is_file():
        run(home, sys.executable, "-m", "venv", "--without-pip", home / ".venv")
    offline = ["install", "--quiet", "--no-index", "--no-deps", "--no-input", "--no-cache-dir"]
    listed = ["--require-hashes", "--find-links", HERE / "wheels"]
    listed += ["-r", HERE / "targets" / f"{name}.txt"]
    run(home, interpreter(home), pip / "pip", *offline, *listed)
    build = ["--no-build-isolation", "--editable", home]
    run(home, interpreter(home), "-m", "pip", *offline, *build)


def run(home, *words):
    """Run a step with no settings of this laptop's pip, and stop at its failure.

    It runs in the course's folder: Python would import a package that lies in the current one.
    """
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("PIP_", "PYTHON"))}
    kept.update(PIP_CONFIG_FILE=os.devnull, PIP_DISABLE_PIP_VERSION_CHECK="1", PYTHONUTF8="1")
    code = subprocess.call([str(word) for word in words], env=kept, cwd=home)
    if code:
        step = " ".join(str(word) for word in words[:4])
        raise Stop(f"`{step} …` ended with {code}; its message stands above. Mend it, run again.")


if __name__ == "__main__":
    sys.exit(main())
