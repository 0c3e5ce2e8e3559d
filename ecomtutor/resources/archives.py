"""Take single files out of wheels (zip) and source archives (tar.gz), trusting nothing in them."""

import errno
import tarfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO

from ecomtutor.errors import DamagedResource, EcomTutorError
from ecomtutor.resources.cache import sha256_of
from ecomtutor.resources.catalogue import Member


def unpack(archive: Path, members: tuple[Member, ...], into: Path) -> None:
    """Write each member into the folder `into` and verify it.

    Raises:
        DamagedResource: the archive cannot be read, has an entry that points outside of it, or a
            member is missing or has other bytes, or more of them, than the catalogue promises.
    """
    for member in members:
        target = into / member.filename
        try:
            with _open_member(archive, member.path) as stream, target.open("wb") as out:
                _copy(stream, out, member)
        except EcomTutorError:
            raise
        except Exception as error:  # zipfile and tarfile raise a dozen unrelated types
            if isinstance(error, OSError) and error.errno not in {None, errno.EINVAL}:
                raise  # the disk's fault, not the archive's
            raise DamagedResource(
                f"{archive.name} cannot be unpacked ({type(error).__name__}: {error}). "
                "It may have been cut short: fetch it again."
            ) from error
        verify(target, member.sha256)


def verify(path: Path, sha256: str) -> None:
    """Raise `DamagedResource` unless the file has the promised SHA-256."""
    found = sha256_of(path)
    if found != sha256:
        raise DamagedResource(
            f"{path.name} has SHA-256 {found[:12]}… where {sha256[:12]}… was expected "
            f"({path.stat().st_size:,} bytes came). The file was refused."
        )


def _copy(stream: IO[bytes], out: IO[bytes], member: Member) -> None:
    """Copy at most the promised bytes: a few kilobytes of zip can hold terabytes of zeros."""
    left = member.size
    while block := stream.read(min(left + 1, 1 << 20)):
        left -= len(block)
        if left < 0:
            raise DamagedResource(
                f"{member.filename} is larger than the {member.size:,} bytes that the catalogue "
                "promises. It was refused."
            )
        out.write(block)


@contextmanager
def _open_member(archive: Path | IO[bytes], path: str) -> Iterator[IO[bytes]]:
    """Open `path` in a zip or tar.gz; `outer.tar.gz!inner` goes through an archive inside it."""
    outer, _, inner = path.partition("!")
    with (_in_zip if _is_zip(archive) else _in_tar)(archive, outer) as stream:
        if not inner:
            yield stream
            return
        with _open_member(stream, inner) as nested:
            yield nested


@contextmanager
def _in_zip(archive: Path | IO[bytes], name: str) -> Iterator[IO[bytes]]:
    with zipfile.ZipFile(archive) as bundle:
        _refuse_escapes(bundle.namelist(), archive)
        with bundle.open(name) as stream:
            yield stream


@contextmanager
def _in_tar(archive: Path | IO[bytes], name: str) -> Iterator[IO[bytes]]:
    with (
        tarfile.open(archive, "r:gz")
        if isinstance(archive, Path)
        else tarfile.open(fileobj=archive, mode="r:gz")
    ) as bundle:
        _refuse_escapes(bundle.getnames(), archive)
        entry = bundle.getmember(name)
        # A link would be followed silently to some other entry of the archive.
        stream = bundle.extractfile(entry) if entry.isreg() else None
        if stream is None:
            raise KeyError(f"{name} is not an ordinary file")
        with stream:
            yield stream


def _is_zip(archive: Path | IO[bytes]) -> bool:
    return isinstance(archive, Path) and archive.suffix in {".whl", ".zip"}


def _refuse_escapes(names: list[str], archive: Path | IO[bytes]) -> None:
    """An entry with `..`, an absolute path or a drive letter makes the whole archive suspect."""
    for name in names:
        path = PurePosixPath(name.replace("\\", "/"))
        if path.is_absolute() or ".." in path.parts or name[1:2] == ":":
            label = archive.name if isinstance(archive, Path) else "the inner archive"
            raise DamagedResource(
                f"{label} has an entry that points outside of it ({name!r}). It was refused."
            )
