"""python -m ecomtutor.question_answering train | so-far | evaluate | fuse | retrieval | compare"""

import argparse
from collections.abc import Iterator
from pathlib import Path

MODELS = ("shop-reader-en", "shop-reader-zh")
ENCODERS = ("shop-question-encoder-en", "shop-question-encoder-zh")


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m ecomtutor.question_answering",
        description="Train a reader or a question encoder that the course ships, or measure.",
    )
    commands = parser.add_subparsers(dest="command", required=True)
    train = commands.add_parser("train", help="train a model; resumes where it was interrupted")
    so_far = commands.add_parser("so-far", help="make the reader of the best weights up to now")
    for command in (train, so_far):
        known = (*MODELS, *ENCODERS) if command is train else MODELS
        command.add_argument("model", choices=known)
        command.add_argument("--folder", type=Path, help="for checkpoints and the finished model")
    train.add_argument("--data", type=Path, help="the public sets; or set ECOMTUTOR_READER_DATA")
    train.add_argument("--minutes", type=float, help="pause after so long")
    train.add_argument("--device", default="cpu", help='"cuda" for a graphics card')
    evaluate = commands.add_parser("evaluate", help="print the figures of the reader's card")
    evaluate.add_argument("model", choices=MODELS)
    evaluate.add_argument("--folder", type=Path, help="a reader elsewhere than in data/models")
    evaluate.add_argument("--split", default="test", choices=("validation", "test"))
    evaluate.add_argument("--data", type=Path, help="the public sets, for their held-back tenth")
    fuse = commands.add_parser("fuse", help="learn how much each way of finding pages is worth")
    fuse.add_argument("--folder", type=Path, help="unless given, its place in data/models")
    retrieval = commands.add_parser("retrieval", help="print recall of the right passage")
    retrieval.add_argument("--split", default="test", choices=("train", "validation", "test"))
    compare = commands.add_parser("compare", help="extraction against generation; resumes")
    compare.add_argument("--file", type=Path, help="elsewhere than in data/experiments")
    for command in (evaluate, fuse, retrieval, compare):
        command.add_argument("--questions", type=int, help="of each kind, at most")
    given = parser.parse_args()
    if given.command == "fuse" and given.questions and not given.folder:
        parser.error("a shorter run would write over the shipped weights: name a --folder")
    if given.command == "compare" and given.questions and not given.file:
        parser.error("a shorter run would write over the shipped answers: name a --file")
    for line in _lines(given):
        print(line, flush=True)


def _lines(given: argparse.Namespace) -> Iterator[str]:
    from ecomtutor.question_answering import (
        card,
        comparing,
        fusion,
        question_encoder,
        training,
    )

    if given.command == "fuse":
        weights = {language: fusion.fit(language, given.questions) for language in ("en", "zh")}
        place = fusion.save(weights, given.folder)
        yield f"{weights}, saved in {place.parent.name}"
    elif given.command == "retrieval":
        yield from card.retrieval(given.split, given.questions)
    elif given.command == "compare":
        many = given.questions or comparing.MANY
        yield from comparing.lines(comparing.compare_answers(given.file, many))
    elif given.command == "evaluate":
        yield from card.evaluate(
            given.model, given.folder, given.split, given.data, given.questions
        )
    elif given.command == "so-far":
        yield f"saved in {training.reader_so_far(given.model, given.folder)}"
    elif given.model in ENCODERS:
        encoder = question_encoder.train_question_encoder(
            given.model, given.folder, minutes=given.minutes, device=given.device
        )
        place = question_encoder.folder_of(given.model, given.folder)
        yield (
            f"saved in {place / 'model'}"
            if encoder
            else f"paused; the same command goes on in {place}"
        )
    else:
        reader = training.train_reader(
            given.model,
            given.folder,
            data=given.data,
            minutes=given.minutes,
            device=given.device,
        )
        place = training.folder_of(given.model, given.folder)
        yield f"{'saved in' if reader else 'paused; the same command goes on in'} {place}"


if __name__ == "__main__":
    main()
