"""Progress is never lost: crashes, two notebooks at once, damaged files, full disks."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from ecomtutor.exercises import check, hint, progress, progress_file
from ecomtutor.exercises.progress_file import Record, progress_path, read_records, update_record
from ecomtutor.exercises.registry import UnknownExercise

DEMO = str(Path(__file__).parent / "demo_exercises")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    import ecomtutor.exercises as package

    monkeypatch.setenv("ECOMTUTOR_DATA", str(tmp_path / "data"))
    monkeypatch.setattr(package, "__path__", [*package.__path__, DEMO])
    monkeypatch.setattr(progress_file, "_unsaved", {})
    return tmp_path / "data"


def try_once(record: Record) -> None:
    record.tries += 1


def python(code: str, *arguments: str) -> subprocess.Popen[str]:
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    command = [sys.executable, "-c", code, *arguments]
    return subprocess.Popen(command, env=env, stderr=subprocess.PIPE, text=True)


def test_records_are_kept(folder: Path) -> None:
    assert read_records() == ({}, "")
    assert not folder.exists(), "reading alone leaves nothing behind"
    assert update_record("01.2", try_once) == ""
    assert update_record("01.2", try_once) == ""
    assert read_records() == ({"01.2": Record(tries=2)}, "")
    saved = json.loads(progress_path().read_text())
    assert saved["version"] == 1 and saved["exercises"]["01.2"]["tries"] == 2
    backup = json.loads((folder / "progress.json.bak").read_text())
    assert backup["exercises"]["01.2"]["tries"] == 1


def test_default_folder_and_override(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ECOMTUTOR_DATA", "~/here")
    assert progress_path() == Path.home() / "here" / "progress.json"
    monkeypatch.setenv("ECOMTUTOR_DATA", "")
    assert progress_path().parent.name == "ecomtutor"


DAMAGED = {
    "empty": b"",
    "half": b'{"version": 1, "exerc',
    "binary": b"\x00\xff\xfe" * 50,
    "a list": b"[1, 2]",
    "no version": b'{"exercises": {}}',
    "wrong kinds": b'{"version": 1, "exercises": {"01.1": {"tries": "many"}}}',
    "unknown field": b'{"version": 1, "exercises": {"01.1": {"stars": 3}}}',
    "deep": b"[" * 100_000,
}


@pytest.mark.parametrize("content", DAMAGED.values(), ids=DAMAGED)
def test_damaged_file_is_kept_aside_and_told_once(folder: Path, content: bytes) -> None:
    for _ in range(3):
        update_record("01.1", try_once)
    progress_path().write_bytes(content)
    records, note = read_records()
    assert records == {"01.1": Record(tries=2)}
    assert "damaged" in note and "progress.json.damaged-1" in note and "last good copy" in note
    assert (folder / "progress.json.damaged-1").read_bytes() == content
    assert read_records() == (records, "")

    progress_path().write_bytes(content)
    assert "progress.json.damaged-2" in update_record("01.1", try_once)
    assert update_record("01.1", try_once) == ""
    assert read_records()[0]["01.1"].tries == 4


def test_damaged_file_without_a_good_copy_starts_anew(folder: Path) -> None:
    folder.mkdir()
    progress_path().write_bytes(b"{")
    (folder / "progress.json.bak").write_bytes(b"also damaged")
    assert "starts anew" in update_record("01.1", try_once)
    assert read_records() == ({"01.1": Record(tries=1)}, "")


def test_file_of_a_newer_version_is_left_alone(folder: Path) -> None:
    folder.mkdir()
    newer = b'{"version": 2, "exercises": {"01.1": "all new"}}'
    progress_path().write_bytes(newer)
    assert "newer ecomtutor" in update_record("01.1", try_once)
    assert "newer ecomtutor" in read_records()[1]
    assert progress_path().read_bytes() == newer


KILLED = """
import os, signal, sys
from ecomtutor.exercises import progress_file
calls = 0
def deadly(function):
    def call(*arguments):
        global calls
        calls += 1
        if calls == int(sys.argv[1]):
            os.kill(os.getpid(), signal.SIGKILL)
        return function(*arguments)
    return call
os.fsync, os.replace = deadly(os.fsync), deadly(os.replace)
def three(record): record.tries = 3
progress_file.update_record("01.1", three)
"""


@pytest.mark.parametrize("damaged", [False, True])
@pytest.mark.parametrize("step", range(1, 10))
def test_a_kill_in_the_middle_of_a_write_loses_nothing(step: int, damaged: bool) -> None:
    update_record("01.1", try_once)
    update_record("01.1", try_once)
    if damaged:
        progress_path().write_bytes(b"{half")
    process = python(KILLED, str(step))
    process.communicate(timeout=30)
    steps = 8 if damaged else 4
    assert process.returncode == (-signal.SIGKILL if step <= steps else 0)
    tries = read_records()[0]["01.1"].tries
    assert tries in ((1, 3) if damaged else (2, 3))
    assert (tries == 3) >= (step > steps)
    assert update_record("01.1", try_once) == "", "the lock outlived its process"
    assert read_records()[0]["01.1"].tries == tries + 1


def test_four_processes_write_at_once() -> None:
    code = """
import sys
from ecomtutor.exercises.progress_file import update_record
def more(record): record.tries += 1
for turn in range(50):
    assert update_record("01.1", more) == ""
    assert update_record(f"01.{sys.argv[1]}", more) == "" or turn
"""
    processes = [python(code, str(number)) for number in (2, 3, 4, 5)]
    for process in processes:
        assert process.communicate(timeout=60)[1] == "" and process.returncode == 0
    tries = {name: record.tries for name, record in read_records()[0].items()}
    assert tries == {"01.1": 200, "01.2": 50, "01.3": 50, "01.4": 50, "01.5": 50}


def test_unwritable_folder_still_gives_a_verdict(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("ECOMTUTOR_DATA", str(tmp_path / "file"))
    check("99.1", answer=lambda numbers: [2 * number for number in numbers])
    said = capsys.readouterr().out.splitlines()
    assert said[0].startswith("✅ Exercise 99.1")
    assert len(said) == 2 and "Progress was not saved" in said[1] and "ECOMTUTOR_DATA" in said[1]
    for number in (1, 2, 2):
        hint("99.1")
        assert f"hint {number} of 2" in capsys.readouterr().out, "hints advance all the same"


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root writes anywhere")
def test_read_only_folder(folder: Path) -> None:
    update_record("01.1", try_once)
    folder.chmod(0o500)
    try:
        assert "Permission denied" in update_record("01.1", try_once)
        assert read_records()[0]["01.1"].tries == 2
    finally:
        folder.chmod(0o700)


def test_full_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    update_record("01.1", try_once)

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        assert "No space left on device" in update_record("01.1", try_once)
        assert "No space left on device" in update_record("01.2", try_once)
    assert json.loads(progress_path().read_text())["exercises"]["01.1"]["tries"] == 1
    assert read_records()[0] == {"01.1": Record(tries=2), "01.2": Record(tries=1)}
    assert update_record("01.1", try_once) == "", "there is room again: all is saved"
    monkeypatch.setattr(progress_file, "_unsaved", {})
    assert read_records()[0] == {"01.1": Record(tries=3), "01.2": Record(tries=1)}


def test_a_lock_held_by_another_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    from filelock import FileLock

    update_record("01.1", try_once)
    monkeypatch.setattr(progress_file, "_LOCK_SECONDS", 0.05)
    with FileLock(f"{progress_path()}.lock"):
        assert "another notebook holds the file" in update_record("01.1", try_once)
        assert read_records()[0]["01.1"].tries == 2


def test_tries_are_counted_only_when_judged() -> None:
    check("99.1", answer=...)
    check("99.1", answer=lambda numbers: numbers)
    check("99.1", answer=lambda numbers: [2 * number for number in numbers])
    check("99.1", answer=lambda numbers: numbers)
    assert read_records()[0] == {"99.1": Record(done=True, tries=3)}


def test_table_shows_what_is_done() -> None:
    check("99.1", answer=lambda numbers: [2 * number for number in numbers])
    check("99.2", answer=(10, {"ann", "bo"}))
    hint("99.2")
    table = progress("99")
    text = repr(table).splitlines()
    assert text[1].split() == ["99.1", "Doubled", "✅", "done", "1", "0", "of", "2", "1"]
    assert "❌ not yet" in text[2] and "1 of 2" in text[2] and "⬜ open" in text[3]
    assert text[-1] == "1 of 4 exercises done, 1 of 5 points."
    html = table._repr_html_()
    assert "Two &lt;names&gt;" in html and "1 of 4 exercises done" in html
    assert not any(word in html for word in ("<script", "color", "<names>"))
    assert html.count("style=") == html.count('style="text-align:left"') == 2 * 5  # words, 5 rows
    assert repr(progress(99)) == repr(table)
    assert {"98.1", "99.1"} <= set(repr(progress()).split())
    with pytest.raises(UnknownExercise, match="Lessons that have"):
        progress("77")


def test_a_broken_lesson_does_not_hide_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import ecomtutor.exercises as package

    (tmp_path / "lesson_96.py").write_text("EXERCISES = nonsense\n")
    monkeypatch.setattr(package, "__path__", [DEMO, str(tmp_path)])
    said = repr(progress())
    assert "99.1" in said and "lesson 96 do not load (NameError" in said
