"""Where resources lie on this machine: one finished folder for each, or none.

    <cache>/minilm-5e0c2f1a/          a finished resource: its files and resource.json
    <cache>/.downloads/               archives on their way; kept until the resource is finished
    <cache>/.staging/                 a resource being unpacked; renamed in one step when finished
    <cache>/.rejected/                files that had the wrong bytes, kept for a look
    <cache>/.locks/                   one lock for each resource: two processes never collide

A folder appears under its final name only when every file in it is verified, so a process that is
killed at any moment leaves either the finished resource or none.
"""

import hashlib
import json
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from ecomtutor.errors import MissingResource
from ecomtutor.resources.catalogue import Resource

MANIFEST = "resource.json"
_LAYOUT = 1  # raise when the form of a finished folder changes


@dataclass(frozen=True)
class Located:
    """A finished resource: where it lies, where it came from, and the files that it has."""

    resource: Resource
    folder: Path
    source: str
    files: dict[str, dict[str, int | str]]

    @property
    def size(self) -> int:
        """Bytes on the disk, all files together."""
        return sum(int(facts["size"]) for facts in self.files.values())

    def path(self, filename: str) -> Path:
        """The path of one of its files; an unknown name raises with the names there are."""
        if filename not in self.files:
            raise MissingResource(
                f"{self.resource.name} has no file {filename!r}. It has: {', '.join(self.files)}."
            )
        return self.folder / filename

    def damaged_files(self) -> list[str]:
        """Files whose bytes are no longer those that were verified. Reads every byte."""
        return [
            name
            for name, facts in self.files.items()
            if not (self.folder / name).is_file()
            or sha256_of(self.folder / name) != facts["sha256"]
        ]


def cache_dir() -> Path:
    """The cache folder: `ECOMTUTOR_CACHE` where it is set, else the platform's user cache."""
    from platformdirs import user_cache_dir

    chosen = os.environ.get("ECOMTUTOR_CACHE")
    return Path(chosen).expanduser() if chosen else Path(user_cache_dir("ecomtutor", False))


def folder_of(resource: Resource) -> Path:
    """Where the finished resource lies, or would lie. Other bytes mean another folder."""
    promise = json.dumps([_LAYOUT, resource.conversion, [m.sha256 for m in resource.members]])
    return cache_dir() / f"{resource.name}-{hashlib.sha256(promise.encode()).hexdigest()[:8]}"


def find(resource: Resource) -> Located | None:
    """The finished resource, or None where it is absent or a file is missing or cut short."""
    folder = folder_of(resource)
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        source, files = manifest["source"], manifest["files"]
        whole = all((folder / n).stat().st_size == facts["size"] for n, facts in files.items())
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
    return Located(resource, folder, source, files) if files and whole else None


def locate(resource: Resource) -> Located:
    """The finished resource, or `MissingResource` with the command that brings it."""
    found = find(resource)
    if found is None:
        raise MissingResource(
            f"{resource.title} is not on this machine (looked in {folder_of(resource).name} under "
            f"the cache folder). Bring it once, with a network: ecomtutor fetch {resource.name}"
        )
    return found


def discard(located: Located) -> None:
    """Remove a finished resource, so that the next fetch brings it anew."""
    (located.folder / MANIFEST).unlink(missing_ok=True)  # first: half removed must not look whole
    shutil.rmtree(located.folder, ignore_errors=True)


def write_manifest(folder: Path, resource: Resource, source: str) -> None:
    """Record, last of all, what stands in `folder` and where it came from."""
    files = {
        path.name: {"sha256": sha256_of(path), "size": path.stat().st_size}
        for path in sorted(folder.iterdir())
        if path.is_file() and path.name != MANIFEST
    }
    manifest = {"name": resource.name, "source": source, "files": files}
    (folder / MANIFEST).write_text(json.dumps(manifest, indent=1), encoding="utf-8")


def sha256_of(path: Path) -> str:
    """SHA-256 of a file, as hexadecimal text."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
