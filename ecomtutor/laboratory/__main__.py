"""python -m ecomtutor.laboratory train planted-zh | evaluate planted-zh | scorecard | uniform"""

import argparse
from dataclasses import replace
from pathlib import Path

from ecomtutor.datasets.store import data_dir
from ecomtutor.laboratory.card import evaluate
from ecomtutor.laboratory.marking import FILE, measure, read, scorecard
from ecomtutor.laboratory.recipes import RECIPES, Recipe, recipe_named, train_planted
from ecomtutor.laboratory.without_attention import FILE as UNIFORM
from ecomtutor.laboratory.without_attention import measure_uniform
from ecomtutor.resources import cache_dir


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m ecomtutor.laboratory",
        description="Classifiers with a planted shortcut, and how methods fare on them.",
    )
    commands = parser.add_subparsers(dest="command", required=True)
    command = commands.add_parser("train", help="train one; resumes where it was interrupted")
    command.add_argument("model", choices=list(RECIPES))
    command.add_argument("--folder", type=Path, help="for checkpoints and the finished model")
    command.add_argument("--texts", type=int, help="learn from so many; unless given, the recipe's")
    command.add_argument("--minutes", type=float, help="pause after so long")
    command = commands.add_parser("evaluate", help="print the figures of the model's card")
    command.add_argument("model", choices=list(RECIPES))
    command.add_argument("--folder", type=Path, help="a classifier elsewhere than in data/models")
    command.add_argument("--texts", type=int, help="of each kind, at most")
    command = commands.add_parser("scorecard", help="print the score card of all methods")
    command.add_argument("--language", choices=("zh", "en"), help="both unless given")
    command.add_argument("--measure", action="store_true", help="score anew what is not yet there")
    command.add_argument("--texts", type=int, default=20, help="for each plant, with --measure")
    command.add_argument("--methods", nargs="*", help="with --measure; all unless given")
    command.add_argument("--file", type=Path, help="elsewhere than in data/experiments")
    command = commands.add_parser("uniform", help="train one whose attention cannot look")
    command.add_argument("--folder", type=Path, default=cache_dir() / "laboratory" / "uniform")
    command.add_argument("--file", type=Path, help="elsewhere than in data/experiments")
    command.add_argument("--texts", type=int, help="learn from so many; unless given, the recipe's")
    given = parser.parse_args()
    shorter = getattr(given, "methods", None) or (given.command == "uniform" and given.texts)
    if shorter and not given.file:
        parser.error("a shorter run would write among the shipped figures: name a --file")
    if given.command == "train":
        name = f"{given.model}-{given.texts}" if given.texts else given.model
        folder = given.folder or cache_dir() / "laboratory" / name
        _, report = train_planted(_shorter(given.model, given.texts), folder, minutes=given.minutes)
        print(report if report.finished else f"{report}\npaused; the same command goes on")
    elif given.command == "evaluate":
        for line in evaluate(given.model, given.folder, given.texts):
            print(line, flush=True)
    elif given.command == "uniform":
        recipe = _shorter("planted-zh", given.texts)
        file = given.file or data_dir() / "experiments" / UNIFORM
        table = measure_uniform(file, given.folder, recipe, given.texts)
        print(table.round(3).to_string())
    else:
        _scorecard(given)


def _shorter(name: str, texts: int | None) -> Recipe:
    """The recipe, with fewer texts where so many are asked for; a tenth as many choose."""
    made = recipe_named(name)
    return replace(made, texts=texts, validation=max(8, texts // 10)) if texts else made


def _scorecard(given: argparse.Namespace) -> None:
    models = [name for name, made in RECIPES.items() if given.language in (None, made.language)]
    file = given.file or data_dir() / "experiments" / FILE
    if given.measure:
        measure(models, given.texts, file, given.methods)
    scores = read(file)
    for model in models:
        if model in set(scores["model"]):
            print(f"\n{model}")
            print(scorecard(scores, model).round(2).to_string())


if __name__ == "__main__":
    main()
