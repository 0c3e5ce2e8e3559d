"""python -m ecomtutor.recommendation train shop-ranker | … | measure llm | evaluate llm | …"""

import argparse
from pathlib import Path

from ecomtutor.recommendation.recipes import EVALUATIONS, MEASURES, RECIPES, call, train


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m ecomtutor.recommendation",
        description="Train a recommender that the course ships.",
    )
    commands = parser.add_subparsers(dest="command", required=True)
    command = commands.add_parser("train", help="from the purchases of weeks 1–45")
    command.add_argument("model", choices=RECIPES)
    command.add_argument("--folder", type=Path, help="unless given, its place in data/models")
    command = commands.add_parser("measure", help="write a file of data/experiments anew")
    command.add_argument("what", choices=MEASURES)
    command = commands.add_parser("evaluate", help="print the figures of a card or a file")
    command.add_argument("what", choices=EVALUATIONS)
    command.add_argument("--part", default="validation", choices=("validation", "test"))
    given = parser.parse_args()
    if given.command == "train":
        train(given.model, given.folder)
    elif given.command == "measure":
        call(MEASURES[given.what])
    else:
        for line in call(EVALUATIONS[given.what], given.part):
            print(line, flush=True)


if __name__ == "__main__":
    main()
