"""python -m ecomtutor.pretraining shop-bert-mini | shop-gpt-mini | evaluate <model>"""

import argparse
from pathlib import Path

from ecomtutor.pretraining.recipes import pretrain
from ecomtutor.pretraining.report import report

MODELS = ("shop-bert-mini", "shop-gpt-mini")


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m ecomtutor.pretraining",
        description="Pre-train a model that the course ships, or print its held-out figures.",
    )
    commands = parser.add_subparsers(dest="command", required=True)
    for name in MODELS:
        command = commands.add_parser(name, help="train it; resumes where it was interrupted")
        command.add_argument("--steps", type=int, help="another length than the recipe's")
        command.add_argument("--minutes", type=float, help="pause after so many minutes")
        command.add_argument("--folder", type=Path, help="for checkpoints and the finished model")
        command.add_argument("--device", default="cpu", help="cuda: on a graphics card")
        command.add_argument("--compile", action="store_true", help="needs a C++ compiler")
    command = commands.add_parser("evaluate", help="print the figures of the model's card")
    command.add_argument("model", choices=MODELS)
    command.add_argument("--folder", type=Path, help="weights elsewhere than in data/models")
    command.add_argument("--texts", type=int, help="held out and for the baselines: so many each")
    given = parser.parse_args()
    if given.command == "evaluate":
        for line in report(given.model, given.folder, texts=given.texts):
            print(line, flush=True)
        return
    curve = pretrain(
        given.command,
        steps=given.steps,
        minutes=given.minutes,
        folder=given.folder,
        compiled=given.compile,
        device=given.device,
    )
    print(f"{curve.step} steps, {curve.targets:,} tokens asked, {curve.seconds / 60:.1f} minutes")
    print("validation:", {step: round(loss, 4) for step, loss in curve.validation.items()})


if __name__ == "__main__":
    main()
