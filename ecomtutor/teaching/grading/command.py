"""The words of `ecomtutor grade`. Nothing heavy is imported until it runs."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import Any

from ecomtutor.errors import EcomTutorError


def add_grade(commands: Any) -> None:
    """Add the command to the parser's subcommands."""
    grade = commands.add_parser("grade", help="grade a folder of submitted notebooks")
    grade.add_argument(
        "folder", nargs="?", type=Path, metavar="FOLDER", help="submissions, at any depth"
    )
    grade.add_argument(
        "--out", type=Path, default=Path("grades.csv"), metavar="FILE", help="default: grades.csv"
    )
    grade.add_argument("--lesson", default="", metavar="NN", help="all files are of this lesson")
    grade.add_argument(
        "--workers", type=int, default=2, metavar="N", help="sandboxes at a time; default 2"
    )
    grade.add_argument(
        "--patience", type=float, default=1.0, metavar="X", help="multiplies every time limit"
    )
    grade.add_argument(
        "--memory", type=int, default=1000, metavar="MB", help="for one answer; default 1000"
    )
    grade.add_argument("--retry", action="store_true", help="grade again what timed out or crashed")
    grade.add_argument(
        "--unsafe", action="store_true", help="no sandbox: only on a machine to throw away"
    )
    grade.add_argument(
        "--export-nbgrader", type=Path, metavar="DIR", help="write a course for nbgrader instead"
    )
    grade.set_defaults(run=_grade)


def _grade(arguments: argparse.Namespace) -> int:
    if arguments.export_nbgrader:
        from ecomtutor.teaching.grading.nbgrader import export_course

        for line in export_course(arguments.export_nbgrader, arguments.lesson):
            print(line)
        return 0
    if os.name != "posix":
        raise EcomTutorError(f"Grading needs Linux, for its sandbox; this is {sys.platform}.")
    _demand_sense(arguments)
    from tqdm import tqdm

    from ecomtutor.teaching.grading.confine import Limits
    from ecomtutor.teaching.grading.grade import Options, grade_folder

    options = Options(
        lesson=arguments.lesson.zfill(2) if arguments.lesson else "",
        workers=arguments.workers,
        limits=Limits(memory=arguments.memory * 1_000_000, patience=arguments.patience),
        unsafe=arguments.unsafe,
        retry=arguments.retry,
    )
    with tqdm(unit=" submissions", desc="Grading") as bar:

        def show(done: int, total: int) -> None:
            bar.total, bar.n = total, done
            bar.refresh()

        summary = grade_folder(arguments.folder, arguments.out, options, show)
    print(f"{summary}\nWritten to {arguments.out}.")
    return 0


def _demand_sense(arguments: argparse.Namespace) -> None:
    from ecomtutor.exercises.registry import load_lesson

    if arguments.folder is None:
        raise EcomTutorError("Which folder of submissions? ecomtutor grade FOLDER --out grades.csv")
    if arguments.workers < 1 or arguments.patience <= 0 or arguments.memory < 100:
        raise EcomTutorError("--workers is 1 or more, --patience above 0, --memory 100 or more.")
    if arguments.lesson:
        load_lesson(arguments.lesson)  # an unknown lesson raises, and names those there are
