"""python -m ecomtutor.finetuning shop-sentiment-zh | shop-sentiment-en | evaluate … | curves"""

import argparse
from pathlib import Path

from ecomtutor.datasets.store import data_dir
from ecomtutor.finetuning.card import evaluate
from ecomtutor.finetuning.classifier import Classifier
from ecomtutor.finetuning.curves import measure_curves
from ecomtutor.finetuning.own_reviews import judge, read_reviews
from ecomtutor.finetuning.recipes import recipe, train_shipped
from ecomtutor.finetuning.shipped import load_classifier

MODELS = ("shop-sentiment-zh", "shop-sentiment-en")


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m ecomtutor.finetuning",
        description="Train a classifier that the course ships, or measure.",
    )
    commands = parser.add_subparsers(dest="command", required=True)
    for name in MODELS:
        command = commands.add_parser(name, help="train it; resumes where it was interrupted")
        command.add_argument("--folder", type=Path, help="for checkpoints and the finished model")
        command.add_argument("--texts", type=int, help="learn from so many; unless given, from all")
        command.add_argument("--minutes", type=float, help="pause after so long")
    command = commands.add_parser("evaluate", help="print the figures of the model's card")
    command.add_argument("model", choices=MODELS)
    command.add_argument("--folder", type=Path, help="a classifier elsewhere than in data/models")
    command.add_argument("--split", default="test", choices=("validation", "test"))
    command.add_argument("--texts", type=int, help="held out and for the baselines: so many each")
    command.add_argument(
        "--file", type=Path, help="your own reviews instead: CSV or JSON lines, text and label"
    )
    command = commands.add_parser("curves", help="fit the points of the learning curves")
    command.add_argument(
        "--file", type=Path, default=data_dir() / "experiments" / "learning_curves.csv"
    )
    command.add_argument("--points", type=int, help="stop after so many; called again, it goes on")
    given = parser.parse_args()
    if given.command == "evaluate" and given.file:
        classifier = (
            Classifier.load(given.folder)
            if given.folder
            else load_classifier(recipe(given.model).language)
        )
        print("\n".join(judge(classifier, read_reviews(given.file, classifier.labels))))
    elif given.command == "evaluate":
        for line in evaluate(given.model, given.folder, given.split, given.texts):
            print(line, flush=True)
    elif given.command == "curves":
        measure_curves(given.file, given.points)
    else:
        made, reports = train_shipped(
            given.command, given.folder, texts=given.texts, minutes=given.minutes
        )
        print("\n".join(map(str, reports)))
        if made is None:
            print("paused; the same command goes on")


if __name__ == "__main__":
    main()
