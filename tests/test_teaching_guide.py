"""The instructor's pages hold: timetables add up, exercises exist, nothing comes early."""

import datetime
import json
import re
from pathlib import Path
from typing import Any

import pytest

from ecomtutor.authoring.decks import read_deck
from ecomtutor.exercises import registry

ROOT = Path(__file__).resolve().parents[1]
TEACHING = (ROOT / "docs" / "teaching.md").read_text("utf-8")
LESSONS = (ROOT / "docs" / "lessons.md").read_text("utf-8")
NOTEBOOKS = {p.stem[:2]: p for p in sorted((ROOT / "notebooks").glob("[0-9][0-9]_*.ipynb"))}
PARTS = ("Stress", "Misconceptions", "Board", "When late", "They will ask")


def opening(lesson: str) -> str:
    """The line of a lesson that names its minutes and its prerequisites."""
    cells = json.loads(NOTEBOOKS[lesson].read_text("utf-8"))["cells"]
    return re.search(r"\*\*(?:Time|Minutes).*", "".join(cells[0]["source"]))[0]


def minutes_of(lesson: str, how: str) -> float:
    if how == "whole":
        return float(re.search(r"\d+", opening(lesson))[0])
    return read_deck(ROOT / "slides" / f"{NOTEBOOKS[lesson].stem}.md").lecture_minutes


def needed_for(lesson: str) -> set[str]:
    """Lessons that a lesson names as prerequisites; "helps" and "neighbour" are not needs."""
    said = opening(lesson).split("Prerequisites", 1)[1]
    soft = re.compile("helps|neighbour|used as")
    firm = [part for part in re.split(r"[;.]", said) if not soft.search(part)]
    return {number for part in firm for number in re.findall(r"\b(\d\d)\b", part)} - {lesson}


def timetables() -> list[Any]:
    """Each timetable as rows of cells; a page's tables by their first column."""
    found = []
    for block in re.findall(r"(?:^\|.*\n)+", TEACHING, re.M):
        lines = [line.strip("|").split("|") for line in block.splitlines()]
        rows = [[cell.strip() for cell in line] for line in lines]
        if rows[0][0] in ("Starts", "Week"):
            found.append(rows)
    return found


DAYS = [table for table in timetables() if table[0][0] == "Starts"]
WEEKS = [table for table in timetables() if table[0][0] == "Week"]


def taught(rows: list[list[str]], what: int) -> list[tuple[str, str]]:
    return [
        (number, row[what + 1])
        for row in rows[2:]
        if row[what].startswith("Lesson")
        for number in re.findall(r"\d\d", row[what])
    ]


def test_there_are_one_day_two_days_and_six_weeks() -> None:
    assert len(DAYS) == 3 and len(WEEKS) == 1
    assert [row[0] for row in WEEKS[0][2:]] == [str(1 + i // 2) for i in range(12)]
    assert {lesson for lesson, _ in taught(WEEKS[0], 3)} == set(NOTEBOOKS)


@pytest.mark.parametrize("rows", DAYS, ids=["one day", "first of two", "second of two"])
def test_a_day_adds_up(rows: list[list[str]]) -> None:
    now = None
    for start, minutes, what, how in rows[2:]:
        begins = datetime.datetime.strptime(start, "%H:%M")
        assert now is None or begins == now, f"{what} starts at {start}, but it is {now:%H:%M}"
        now = begins + datetime.timedelta(minutes=int(minutes))
        for lesson in re.findall(r"Lessons? (\d\d)", what):
            assert 0 <= int(minutes) - minutes_of(lesson, how) <= 3, (what, how)
    assert rows[-1][2] == "End"


def test_a_meeting_holds_its_lessons() -> None:
    for _, _, minutes, what, how in WEEKS[0][2:]:
        lessons = re.findall(r"\d\d", what)
        assert int(minutes) == sum(minutes_of(lesson, how) for lesson in lessons) <= 95


def test_nothing_comes_before_what_it_needs_but_what_the_page_says() -> None:
    trusted = re.search(r"Taken on trust: (.*?)\. Say", TEACHING, re.S)[1]
    excused = {
        (need, after)
        for part in re.split(r",\s", trusted)
        for needs, after in [part.split(" before ")]
        for need in re.findall(r"\d\d", needs)
    }
    courses = {
        "one day": (taught(DAYS[0], 2), excused),
        "two days": (taught(DAYS[1], 2) + taught(DAYS[2], 2), set()),
        "six weeks": (taught(WEEKS[0], 3), set()),
    }
    for name, (lessons, allowed) in courses.items():
        done: set[str] = set()
        for lesson, _ in lessons:
            missing = needed_for(lesson) - done
            assert not {(need, lesson) for need in missing} - allowed, (name, lesson, missing)
            done.add(lesson)
    used = {
        (need, lesson)
        for i, (lesson, _) in enumerate(courses["one day"][0])
        for need in needed_for(lesson) - {before for before, _ in courses["one day"][0][:i]}
    }
    assert used == excused


def test_what_the_laptop_needs_is_what_the_lessons_take() -> None:
    """The table has every lesson, and the sentence about the laptop names its largest figures."""
    table = TEACHING.split("### What each lesson takes")[1].split("Printed by")[0]
    rows = re.findall(r"^\| (\d\d) \| ([\d.]+) \| (\d+) \|$", table, re.M)
    assert [number for number, _, _ in rows] == list(NOTEBOOKS)
    said = re.search(
        r"the largest lesson holds ([\d.]+) GB, the longest computes for (\d+) s", TEACHING
    )
    assert said, "the row about the laptop names the largest memory and the longest time"
    assert float(said[1]) == round(max(float(memory) for _, memory, _ in rows), 1)
    assert int(said[2]) == max(int(seconds) for _, _, seconds in rows)


@pytest.mark.parametrize("lesson", NOTEBOOKS)
def test_a_lesson_has_its_five_parts(lesson: str) -> None:
    page = section(lesson)
    places = [page.find(f"**{part}.**") for part in PARTS]
    assert all(place > 0 for place in places) and places == sorted(places), places
    for part, following in zip(places, [*places[1:], len(page)], strict=True):
        assert len(page[part:following].split()) >= 25, page[part : part + 60]


@pytest.mark.parametrize("lesson", NOTEBOOKS)
def test_misconceptions_are_those_of_the_exercises(lesson: str) -> None:
    page = section(lesson)
    exercises = {exercise.id: exercise for exercise in registry.load_lesson(lesson).exercises}
    named = set(re.findall(rf"\b{lesson}\.\d\b", page))
    assert named and named <= set(exercises), named - set(exercises)
    misconceptions = page.split("**Misconceptions.**")[1].split("**Board.**")[0]
    assert len(set(re.findall(rf"\b{lesson}\.\d\b", misconceptions))) >= min(3, len(exercises))


@pytest.mark.parametrize("page", ["docs/teaching.md", "docs/lessons.md"])
def test_links_lead_somewhere(page: str) -> None:
    text = (ROOT / page).read_text("utf-8")
    links = re.findall(r"\]\(([^)#]+)", text)
    assert links or page.endswith("lessons.md")
    for link in links:
        assert (ROOT / "docs" / link).resolve().exists(), link


def section(lesson: str) -> str:
    """A lesson's part of the page."""
    found = re.search(rf"^## {lesson} .*?(?=^## |\Z)", LESSONS, re.S | re.M)
    assert found, f"no section for lesson {lesson}"
    return found[0]
