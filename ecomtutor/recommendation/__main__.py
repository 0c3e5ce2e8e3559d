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
    command.add_argument("--steps", type=int, help="another length than the recipe's")
    command.add_argument("--households", type=int, help="learn from so many; unless given, all")
    command.add_argument("--minutes", type=float, help="pause after so long")
    command = commands.add_parser("measure", help="write a file of data/experiments anew")
    command.add_argument("what", choices=MEASURES)
    command.add_argument("--file", type=Path, help="elsewhere than in data/experiments")
    command.add_argument("--customers", type=int, help="of each kind, at most")
    command = commands.add_parser("evaluate", help="print the figures of a card or a file")
    command.add_argument("what", choices=EVALUATIONS)
    command.add_argument("--part", default="validation", choices=("validation", "test"))
    command.add_argument("--households", type=int, help="in the sample; unless given, the card's")
    given = parser.parse_args()
    if given.command == "measure" and given.customers and not given.file:
        parser.error("a shorter run would write over the shipped file: name a --file")
    if given.command == "train":
        finished = train(
            given.model,
            given.folder,
            steps=given.steps,
            households=given.households,
            minutes=given.minutes,
        )
        print("trained" if finished else "paused; the same command goes on")
    elif given.command == "measure":
        table = call(MEASURES[given.what], given.file, given.customers)
        print(f"{len(table)} rows written")
    else:
        how = {"households": given.households} if given.households else {}
        for line in call(EVALUATIONS[given.what], given.part, **how):
            print(line, flush=True)


if __name__ == "__main__":
    main()
