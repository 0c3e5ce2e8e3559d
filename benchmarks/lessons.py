"""What each lesson takes of a laptop: memory at its highest, and seconds of one processor core.

    python benchmarks/lessons.py [00 01 …] [--kept] [--small]

Each notebook runs from top to bottom in a fresh kernel, one after the other, into nothing: no file
is changed. Its cache holds models and data and nothing that an earlier lesson computed, so this is
a first run. The memory is that of the kernel and its children together, looked at every 20 ms, or
the kernel's own high-water mark where the system tells it and it is higher; pages that two
processes share count twice. The seconds are CPU seconds, user and system, children included:
another program on the machine changes them little, and they are not what a clock shows. With
OMP_NUM_THREADS=1 they are about the wall time of one idle core. --kept: with this machine's cache,
as when a lesson is run again. --small: one lesson, a short one, to see that it runs.
"""

import argparse
import os
import re
import tempfile
import threading
from pathlib import Path
from typing import Any

import nbformat
import psutil
from nbclient import NotebookClient

from ecomtutor.authoring.environment import kernel_environment
from ecomtutor.resources import cache_dir, defaults, find

ROOT = Path(__file__).resolve().parents[1]
EVERY = 0.02  # seconds between two looks at the memory
CELL_TIMEOUT = 600
SMALL = "01"


class Gauge(threading.Thread):
    """Looks at a process and its children until it is stopped: peak bytes, and CPU seconds."""

    def __init__(self, pid: int):
        super().__init__(daemon=True)
        self.process, self.stopped = psutil.Process(pid), threading.Event()
        self.peak, self.cpu = 0, 0.0

    def run(self) -> None:
        while not self.stopped.wait(EVERY):
            self.look()

    def look(self) -> None:
        try:
            family = [self.process, *self.process.children(recursive=True)]
        except psutil.NoSuchProcess:
            return
        held, spent = 0, 0.0
        for member in family:
            try:
                times = member.cpu_times()
                held += member.memory_info().rss
            except (psutil.NoSuchProcess, psutil.AccessDenied):
                continue  # a child that ended between two looks: its parent has its seconds
            spent += times.user + times.system
            spent += getattr(times, "children_user", 0) + getattr(times, "children_system", 0)
        self.peak, self.cpu = max(self.peak, held), max(self.cpu, spent)

    def finish(self) -> None:
        """The last look, while the kernel still lives."""
        self.stopped.set()
        self.join()
        self.look()
        self.peak = max(self.peak, high_water_mark(self.process.pid))


def high_water_mark(pid: int) -> int:
    """The most that a process itself has held, in bytes; 0 where the system does not tell."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    return int(found[1]) * 1024 if found else 0


def fresh_cache(folder: Path) -> Path:
    """A cache with links to the models and data that are here, and nothing else."""
    for resource in defaults():
        located = find(resource)
        if located is None:
            raise SystemExit(f"{resource.name} is not in {cache_dir().name}: ecomtutor fetch --all")
        (folder / located.folder.name).symlink_to(located.folder, target_is_directory=True)
    return folder


def measured(path: Path, kept: bool) -> Gauge:
    """A lesson from its first cell to its last; what it took."""
    notebook = nbformat.read(path, as_version=4)
    gauges: list[Gauge] = []

    def begin(**_: Any) -> None:
        if not gauges:
            gauges.append(Gauge(client.km.provisioner.pid))
            gauges[0].start()

    client = NotebookClient(
        notebook,
        timeout=CELL_TIMEOUT,
        kernel_name="python3",
        extra_arguments=["--log-level=ERROR"],
        resources={"metadata": {"path": str(path.parent)}},
        on_cell_start=begin,
        on_notebook_complete=lambda **_: gauges[0].finish(),
    )
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as made:
        progress, cache = Path(made) / "progress", Path(made) / "cache"
        progress.mkdir()
        cache.mkdir()
        own = {} if kept else {"ECOMTUTOR_CACHE": str(fresh_cache(cache))}
        client.execute(env={**os.environ, **kernel_environment(progress), **own})
    return gauges[0]


def main() -> None:
    lessons = {path.name[:2]: path for path in sorted((ROOT / "notebooks").glob("*.ipynb"))}
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("lessons", nargs="*", choices=[*lessons, []], default=[], metavar="NN")
    parser.add_argument("--kept", action="store_true", help="with this machine's cache")
    parser.add_argument("--small", action="store_true", help=f"only lesson {SMALL}: it runs")
    given = parser.parse_args()
    if given.small:
        print("small: not a measurement")
    threads = os.environ.get("OMP_NUM_THREADS", "all")
    print(f"{psutil.cpu_count()} cores, OMP_NUM_THREADS {threads}, models and data there")
    print("| Lesson | Memory at its highest, GB | CPU seconds |\n|---|---|---|")
    for number in [SMALL] if given.small else given.lessons or list(lessons):
        took = measured(lessons[number], given.kept)
        print(f"| {number} | {took.peak / 1e9:.2f} | {took.cpu:.0f} |", flush=True)


if __name__ == "__main__":
    main()
