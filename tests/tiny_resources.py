"""Tiny packages and resources of our own, and a package index that misbehaves when told to."""

import hashlib
import http.server
import io
import os
import pickle
import subprocess
import sys
import tarfile
import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from ecomtutor.resources import Archive, Member, Resource

ROOT = Path(__file__).resolve().parents[1]
TEXT = "很好 very good\n".encode() * 50
WEIGHTS = os.urandom(300_000)


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def wheel(folder: Path, files: dict[str, bytes], package: str = "tiny") -> Archive:
    """A wheel that pip accepts, with our files in it."""
    info = f"{package}-1.0.dist-info"
    entries = {
        **files,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n".encode(),
        f"{info}/WHEEL": b"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/RECORD": b"",
    }
    path = folder / f"{package}-1.0-py3-none-any.whl"
    folder.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as bundle:
        for name, content in entries.items():
            bundle.writestr(name, content)
    return archive_of(path, package)


def sdist(folder: Path, files: dict[str, bytes], setup: str = "", package: str = "tiny") -> Archive:
    """A source archive whose set-up script is `setup`; pip runs it to learn the metadata."""
    top = f"{package}-1.0"
    hooks = (
        "import os\n"
        "def prepare_metadata_for_build_wheel(directory, settings=None):\n"
        f"    info = '{top}.dist-info'\n"
        "    os.makedirs(os.path.join(directory, info))\n"
        "    with open(os.path.join(directory, info, 'METADATA'), 'w') as out:\n"
        f"        out.write('Metadata-Version: 2.1\\nName: {package}\\nVersion: 1.0\\n')\n"
        "    return info\n"
        "def build_wheel(*arguments): raise NotImplementedError\n"
        "def build_sdist(*arguments): raise NotImplementedError\n"
    )
    project = "[build-system]\nrequires = []\nbuild-backend = 'setup'\nbackend-path = ['.']\n"
    entries = {
        **files,
        "setup.py": (setup + "\n" + hooks).encode(),
        "pyproject.toml": project.encode(),
        "PKG-INFO": f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n".encode(),
    }
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{top}.tar.gz"
    path.write_bytes(tar_gz({f"{top}/{name}": content for name, content in entries.items()}))
    return archive_of(path, package)


def tar_gz(files: dict[str, bytes], *links: tuple[str, str]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as bundle:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            bundle.addfile(entry, io.BytesIO(content))
        for name, target in links:
            entry = tarfile.TarInfo(name)
            entry.type, entry.linkname = tarfile.SYMTYPE, target
            bundle.addfile(entry)
    return buffer.getvalue()


def archive_of(path: Path, package: str = "tiny") -> Archive:
    content = path.read_bytes()
    return Archive(package, "1.0", path.name, sha256(content), len(content))


def member(path: str, content: bytes, on_hub: str | None = None) -> Member:
    return Member(path, sha256(content), len(content), on_hub)


def resource_of(*archives: Archive, **changes: Any) -> Resource:
    """A resource of two files: a text, and weights."""
    plain = Resource(
        name="tiny",
        title="Tiny",
        purpose="a test",
        licence="MIT",
        archives=archives,
        members=(member("tiny/words.txt", TEXT), member("tiny/model.bin", WEIGHTS)),
    )
    return replace(plain, **changes)


FILES = {"tiny/words.txt": TEXT, "tiny/model.bin": WEIGHTS}


def snapshot(folder: Path) -> dict[str, tuple[int, int, int]]:
    """Every path below `folder` with what would change if anyone touched it."""
    return {
        str(path.relative_to(folder)): (
            path.stat().st_ino,
            path.stat().st_mtime_ns,
            path.stat().st_size,
        )
        for path in sorted(folder.rglob("*"))
    }


_CHILD = """
import pathlib, pickle, sys, time
from ecomtutor.resources import archives, fetch, sources
resource = pickle.loads(pathlib.Path(sys.argv[1]).read_bytes())
fetching = sys.modules["ecomtutor.resources.fetch"]
def stall(*arguments):
    print("stalled", flush=True)
    time.sleep(60)
def half_and_stall(stream, out, member):
    out.write(stream.read(10))
    out.flush()
    stall()
exec(sys.argv[2])
print("source:", fetch(resource).source, flush=True)
"""


def child(resource: Resource, folder: Path, hook: str = "") -> "subprocess.Popen[str]":
    """Another process that fetches `resource`; `hook` is run in it first, for example to stall."""
    pickled = folder / "resource.pickle"
    pickled.write_bytes(pickle.dumps(resource))
    return subprocess.Popen(
        [sys.executable, "-c", _CHILD, str(pickled), hook],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


class Index:
    """A package index on this machine. `behaviour` is "serve", "stall" or "cut" (half a file)."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.behaviour = "serve"
        self.downloads = 0
        self.half_sent = threading.Event()
        self.go_on = threading.Event()
        self.url = ""

    def answer(self, handler: http.server.BaseHTTPRequestHandler) -> None:
        name = handler.path.strip("/").split("/")[-1]
        if handler.path.startswith("/simple/"):
            links = "".join(
                f'<a href="/files/{p.name}">{p.name}</a>' for p in self.folder.iterdir()
            )
            self._send(handler, f"<!DOCTYPE html><html><body>{links}</body></html>".encode())
            return
        self.downloads += 1
        content = (self.folder / name).read_bytes()
        if self.behaviour == "serve":
            self._send(handler, content, "application/octet-stream")
            return
        self._send(handler, content[: len(content) // 2], "application/octet-stream", len(content))
        self.half_sent.set()
        if self.behaviour == "stall":
            self.go_on.wait(30)

    @staticmethod
    def _send(handler: Any, content: bytes, kind: str = "text/html", size: int = 0) -> None:
        handler.send_response(200)
        handler.send_header("Content-Type", kind)
        handler.send_header("Content-Length", str(size or len(content)))
        handler.end_headers()
        handler.wfile.write(content)
        handler.wfile.flush()


@contextmanager
def serving(folder: Path) -> Iterator[Index]:
    index = Index(folder)

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            index.answer(self)

        def log_message(self, *arguments: object) -> None:
            """Say nothing."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    index.url = f"http://127.0.0.1:{server.server_address[1]}/simple/"
    try:
        yield index
    finally:
        index.go_on.set()
        server.shutdown()
        server.server_close()
        thread.join()
