"""Every method against the truth that was planted, against chance, and against its own cost."""

import csv
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ecomtutor.datasets.store import data_dir
from ecomtutor.errors import EcomTutorError, MissingResource
from ecomtutor.interpretability import Game
from ecomtutor.interpretability.doors import whole
from ecomtutor.interpretability.faithfulness import falls, random_falls, stability
from ecomtutor.laboratory.methods import METHODS, Answer, Method
from ecomtutor.laboratory.plants import KINDS, Kind
from ecomtutor.laboratory.recipes import load_planted, recipe_named
from ecomtutor.laboratory.trials import Trial, verified

if TYPE_CHECKING:
    import pandas as pd

SEEDS = (0, 1, 2)
FILE = "explanation_scores.csv"


@dataclass(frozen=True)
class Mark:
    """How one method fared on one text.

    found1, found2  share of the first unit, of the first two, that belong to the cue; the mean
                    over seeds
    aopc            how far the forced label's probability falls while 1, 5, 10, 20, 50 % of the
                    units are hidden in the method's order, the mean
    chance          the same in random orders
    stable          rank agreement between seeds
    forwards, backwards, seconds   what one run costs; seconds of one processor core
    """

    model: str
    plant: str
    text: int
    units: int
    method: str
    found1: float
    found2: float
    aopc: float
    chance: float
    stable: float
    forwards: float
    backwards: float
    seconds: float


def mark(
    trial: Trial,
    method: Method,
    judge: Game,
    *,
    chance: float | None = None,
    model: str = "",
    text: int = 0,
) -> Mark:
    """One method on one trial, with each seed where seeds matter.

    Args:
        trial: a text in which the truth is known.
        method: a row of `METHODS`.
        judge: the game of the model's probabilities, which scores the ranking.
        chance: AOPC of random orders on this text, where it is known already.
        model, text: what the row is called.
    """
    started = time.process_time()
    answers = [method.run(trial, seed) for seed in (SEEDS if method.drawn else SEEDS[:1])]
    seconds = (time.process_time() - started) / len(answers)
    rankings = [np.argsort(-answer.values, kind="stable") for answer in answers]
    fallen = [falls(judge, ranking, trial.forced).mean() for ranking in rankings]
    if chance is None:
        chance = float(random_falls(judge, trial.forced).mean())
    return Mark(
        model=model,
        plant=trial.kind,
        text=text,
        units=len(trial.units),
        method=method.name,
        found1=float(np.mean([found(trial, ranking, 1) for ranking in rankings])),
        found2=float(np.mean([found(trial, ranking, 2) for ranking in rankings])),
        aopc=float(np.mean(fallen)),
        chance=chance,
        stable=_stable(answers),
        forwards=float(np.mean([answer.forwards for answer in answers])),
        backwards=float(np.mean([answer.backwards for answer in answers])),
        seconds=seconds,
    )


def found(trial: Trial, ranking: np.ndarray, many: int) -> float:
    """The share of the first so many units that belong to the cue: precision at `many`."""
    whole(many, "many", 1)
    return float(np.isin(ranking[:many], trial.cue).mean())


def _stable(answers: Sequence[Answer]) -> float:
    return stability([answer.values for answer in answers]) if len(answers) > 1 else 1.0


def mark_trials(
    model: str, kind: Kind, texts: int, skip: int = 0, methods: Sequence[str] | None = None
) -> Iterator[list[Mark]]:
    """The marks of each text from number `skip` on, of all methods that take a text so long.

    Args:
        model: a shipped planted classifier.
        kind: which plant.
        texts: how many trials altogether.
        skip: how many of them are done.
        methods: names in `METHODS`; unless given, all.
    """
    chosen = list(METHODS) if methods is None else list(methods)
    unknown = set(chosen) - set(METHODS)
    if unknown:
        raise EcomTutorError(f"There are {', '.join(METHODS)}; {min(unknown)!r} came.")
    if skip >= texts:
        return
    trials = verified(recipe_named(model).language, load_planted(model), kind, 3 * texts).trials
    for number in range(skip, min(texts, len(trials))):
        trial = replace(trials[number], bf16=True)
        judge = trial.game(chances=True)
        fit = [METHODS[name] for name in chosen if len(trial.units) <= METHODS[name].up_to]
        chance = float(random_falls(judge, trial.forced).mean())
        yield [
            mark(trial, method, judge, chance=chance, model=model, text=number) for method in fit
        ]


def measure(
    models: Sequence[str], texts: int, path: Path, methods: Sequence[str] | None = None
) -> None:
    """Score every method on every plant and write a row for each text; resumes where it stopped.

    Args:
        models, texts, methods: as in `mark_trials`.
        path: the file.
    """
    done = read(path) if path.is_file() else None
    path.parent.mkdir(parents=True, exist_ok=True)
    for model in models:
        for kind in KINDS:
            there = 0
            if done is not None:
                mine = done[(done["model"] == model) & (done["plant"] == kind)]
                there = int(mine["text"].max()) + 1 if len(mine) else 0
            for rows in mark_trials(model, kind, texts, there, methods):
                _append(path, rows)


def _append(path: Path, rows: Sequence[Mark]) -> None:
    """One text's rows at once, so that an interrupt leaves no text half done."""
    new = not path.is_file()
    with path.open("a", encoding="utf-8", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        if new:
            table.writerow([field.name for field in fields(Mark)])
        for row in rows:
            values = asdict(row).values()
            table.writerow([f"{v:.4g}" if isinstance(v, float) else v for v in values])


def read(path: Path | None = None) -> "pd.DataFrame":
    """The shipped scores, a row for each text and method, or those of another file.

    Raises:
        MissingResource: the file is not there.
    """
    import pandas as pd

    path = path or data_dir() / "experiments" / FILE
    if not path.is_file():
        raise MissingResource(
            f"{path.name} is not there: python -m ecomtutor.laboratory scorecard --measure"
        )
    scores = pd.read_csv(path)
    lacks = {field.name for field in fields(Mark)} - set(scores)
    if lacks:
        raise EcomTutorError(f"{path.name} is no score card: it lacks the column {min(lacks)!r}.")
    return scores


def scorecard(scores: "pd.DataFrame", model: str) -> "pd.DataFrame":
    """The score card of one model: a row for each method, the mean over texts.

    Columns: precision ("one", at 1; "both" and "either", at 2), AOPC above chance over all plants,
    stability, cost in forward passes (a backward pass counts two), seconds, and how many texts.

    Raises:
        EcomTutorError: the model was not measured.
    """
    import pandas as pd

    mine = scores[scores["model"] == model]
    if mine.empty:
        raise EcomTutorError(
            f"{model!r} was not measured; there are {', '.join(scores['model'].unique())}."
        )
    mine = mine.assign(
        gain=mine["aopc"] - mine["chance"], cost=mine["forwards"] + 2 * mine["backwards"]
    )
    by = mine.groupby("method", sort=False)
    at = {"one": "found1", "both": "found2", "either": "found2"}
    found = {
        kind: mine[mine["plant"] == kind].groupby("method")[column].mean()
        for kind, column in at.items()
    }
    table = pd.DataFrame(
        {**found, **by[["gain", "stable", "cost", "seconds"]].mean(), "texts": by.size()}
    )
    order = [name for name in METHODS if name in table.index]
    return table.loc[order]
