"""What the course weighs: cost of the import, size on disk, time to load the models.

    python benchmarks/footprint.py [--small]

Run it alone on the machine. Times are medians of fresh processes. --small starts each once and
loads one model, to see that it runs.
"""

import argparse
import statistics
import subprocess
import sys
import time
from pathlib import Path

from ecomtutor.resources import cache_dir, defaults, find

ROOT = Path(__file__).resolve().parents[1]


def median_seconds(code: str, runs: int) -> float:
    """Median wall time of a fresh Python that runs `code`."""
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        subprocess.run([sys.executable, "-c", code], check=True)
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def megabytes(folder: Path) -> float:
    """Size of all files below a folder, in MB."""
    return (
        sum(p.stat().st_size for p in folder.rglob("*") if p.is_file() and not p.is_symlink()) / 1e6
    )


def load_seconds(call: str, runs: int) -> float:
    """Median time of a load call inside a fresh process, torch and transformers imported before."""
    code = (
        "import time, torch, transformers; from transformers import AutoModel, AutoTokenizer;"
        "from ecomtutor import models; t = time.perf_counter();"
        f"models.{call}; print(time.perf_counter() - t)"
    )
    command = [sys.executable, "-c", code]
    return statistics.median(
        float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
        for _ in range(runs)
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--small", action="store_true", help="tiny sizes, to see that it runs: not a measurement"
    )
    small = parser.parse_args().small
    if small:
        print("small: not a measurement")
    bare = median_seconds("pass", 1 if small else 15)
    ours = median_seconds("import ecomtutor", 1 if small else 15)
    print(f"import ecomtutor        {ours - bare:6.3f} s above bare Python ({bare:.3f} s)")
    calls = ("load_encoder('en')", "load_encoder('zh')", "load_generator('en')")
    for call in calls[:1] if small else calls:
        print(f"{call:23} {load_seconds(call, 1 if small else 3):6.2f} s")
    print(f"environment (.venv)     {megabytes(Path(sys.prefix)):6,.0f} MB")
    print(f"models and data (cache) {megabytes(cache_dir()):6,.0f} MB")
    download = sum(r.download_size for r in defaults()) / 1e6
    missing = [r.name for r in defaults() if find(r) is None]
    print(
        f"download for the cache  {download:6,.0f} MB" + (f", missing: {missing}" * bool(missing))
    )
    print(f"clone (.git and files)  {clone_megabytes():6,.1f} MB")


def clone_megabytes() -> float:
    """Size of the tracked files and of git's own folder."""
    tracked = subprocess.run(
        ["git", "-C", str(ROOT), "ls-files", "-z"], check=True, capture_output=True, text=True
    ).stdout.split("\0")
    files = sum((ROOT / name).stat().st_size for name in tracked if (ROOT / name).is_file())
    return files / 1e6 + megabytes(ROOT / ".git")


if __name__ == "__main__":
    main()
