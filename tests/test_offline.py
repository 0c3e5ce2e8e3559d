"""After set-up nothing touches the network: a whole lesson runs where there is none."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]

# Inside the new namespace not even the loopback device is up, and the kernel needs that one.
# 0x8914 and 0x1 are Linux's SIOCSIFFLAGS and IFF_UP.
ISOLATED = """
import fcntl, os, socket, struct, sys
with socket.socket() as s:
    fcntl.ioctl(s, 0x8914, struct.pack("16sH14s", b"lo", 0x1, b""))
with socket.socket() as s:
    assert s.connect_ex(("192.0.2.1", 80)) != 0, "the network is reachable"
os.execv(sys.executable, [sys.executable, *sys.argv[1:]])
"""


def isolated(*arguments: str) -> "subprocess.CompletedProcess[str]":
    command = ["unshare", "--map-root-user", "--net", sys.executable, "-c", ISOLATED, *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True)


def no_namespace() -> str:
    """Why this system cannot make an empty network namespace, or nothing."""
    if shutil.which("unshare") is None:
        return "unshare is not installed"
    made = isolated("-c", "pass")
    return "" if made.returncode == 0 else (made.stderr.strip() or "unshare failed")


@pytest.fixture(scope="module")
def _namespace() -> None:
    reason = no_namespace()
    if reason:
        pytest.skip(f"no empty network namespace here: {reason}")


@pytest.mark.usefixtures("_namespace")
def test_lesson_01_runs_without_a_network() -> None:
    compared = ["--nbval", "--nbval-cell-timeout=120", "notebooks/01_attention_math.ipynb"]
    done = isolated("-m", "pytest", *compared)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-1000:]
    assert " passed" in done.stdout


@pytest.mark.usefixtures("_namespace")
def test_the_namespace_is_really_empty() -> None:
    reach = "import socket; s = socket.socket(); print(s.connect_ex(('192.0.2.1', 80)))"
    assert isolated("-c", reach).stdout.strip() not in ("", "0")
