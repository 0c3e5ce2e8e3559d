"""python -m ecomtutor.laboratory train planted-zh | evaluate planted-zh | scorecard | uniform"""

import argparse
from pathlib import Path

from ecomtutor.datasets.store import data_dir
from ecomtutor.laboratory.card import evaluate
from ecomtutor.laboratory.marking import FILE, measure, read, scorecard
from ecomtutor.laboratory.recipes import RECIPES, recipe_named, train_planted
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
    command = commands.add_parser("evaluate", help="print the figures of the model's card")
    command.add_argument("model", choices=list(RECIPES))
    command.add_argument("--folder", type=Path, help="a classifier elsewhere than in data/models")
    command = commands.add_parser("scorecard", help="print the score card of all methods")
    command.add_argument("--language", choices=("zh", "en"), help="both unless given")
    command.add_argument("--measure", action="store_true", help="score anew what is not yet there")
    command.add_argument("--texts", type=int, default=20, help="for each plant, with --measure")
    command.add_argument("--file", type=Path, default=data_dir() / "experiments" / FILE)
    command = commands.add_parser("uniform", help="train one whose attention cannot look")
    command.add_argument("--folder", type=Path, default=cache_dir() / "laboratory" / "uniform")
    command.add_argument("--file", type=Path, default=data_dir() / "experiments" / UNIFORM)
    given = parser.parse_args()
    if given.command == "train":
        folder = given.folder or cache_dir() / "laboratory" / given.model
        _, report = train_planted(recipe_named(given.model), folder)
        print(report)
    elif given.command == "evaluate":
        for line in evaluate(given.model, given.folder):
            print(line, flush=True)
    elif given.command == "uniform":
        print(measure_uniform(given.file, given.folder).round(3).to_string())
    else:
        _scorecard(given)


def _scorecard(given: argparse.Namespace) -> None:
    models = [name for name, made in RECIPES.items() if given.language in (None, made.language)]
    if given.measure:
        measure(models, given.texts, given.file)
    scores = read(given.file)
    for model in models:
        if model in set(scores["model"]):
            print(f"\n{model}")
            print(scorecard(scores, model).round(2).to_string())


if __name__ == "__main__":
    main()
