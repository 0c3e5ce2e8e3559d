"""python -m ecomtutor.recommendation train shop-ranker | …"""

import argparse
from pathlib import Path

from ecomtutor.recommendation.recipes import RECIPES, train


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m ecomtutor.recommendation",
        description="Train a recommender that the course ships.",
    )
    commands = parser.add_subparsers(dest="command", required=True)
    command = commands.add_parser("train", help="from the purchases of weeks 1–45")
    command.add_argument("model", choices=RECIPES)
    command.add_argument("--folder", type=Path, help="unless given, its place in data/models")
    given = parser.parse_args()
    train(given.model, given.folder)


if __name__ == "__main__":
    main()
