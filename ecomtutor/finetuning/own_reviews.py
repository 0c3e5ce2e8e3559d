"""A shipped classifier on a file of your own reviews: does it hold there, with which threshold?"""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ecomtutor.errors import EcomTutorError, MissingResource
from ecomtutor.finetuning.classifier import Classifier
from ecomtutor.finetuning.examples import Examples, LabelError, examples
from ecomtutor.metrics import calibration_error, classification_metrics

if TYPE_CHECKING:
    import pandas as pd

TEXTS = ("text", "review", "sentence")  # what the column of reviews may be called
_SAME = {"0": "negative", "1": "positive", "neg": "negative", "pos": "positive"}


def read_reviews(path: Path | str, labels: tuple[str, ...] = ("negative", "positive")) -> Examples:
    """Labelled reviews of a CSV file, or of a file with one JSON object a line.

    Args:
        path: with a column `text` (or `review`, `sentence`) and a column `label`: negative or
            positive in any case, neg or pos, or 0 or 1.
        labels: their names, in the classifier's order.

    Returns:
        Each text once, in the file's order.

    Raises:
        MissingResource: no such file.
        EcomTutorError: no table, or columns that are missing.
        LabelError: other labels, or one alone; a text that comes with both.
    """
    import pandas as pd

    path = Path(path)
    if not path.is_file():
        raise MissingResource(f"There is no file {path.name} there. Give a CSV or a .jsonl file.")
    lines = path.suffix in (".json", ".jsonl")
    try:
        table = pd.read_json(path, lines=True, dtype=False) if lines else _csv(path)
    except (ValueError, UnicodeDecodeError) as error:
        raise EcomTutorError(
            f"{path.name} cannot be read as {'JSON lines' if lines else 'CSV'} in UTF-8: "
            f"{error!s:.120}"
        ) from error
    column = next((name for name in TEXTS if name in table), None)
    if column is None or "label" not in table:
        raise EcomTutorError(
            f"{path.name} has the columns {', '.join(map(str, table.columns))}; wanted are `label` "
            f"and one of {', '.join(TEXTS)}."
        )
    said = table["label"].astype(str).str.strip().str.lower()
    table = pd.DataFrame({"text": table[column], "label": said.replace(_SAME)})
    table = table.drop_duplicates()
    both = table["text"].duplicated()
    if both.any():
        raise LabelError(f"{table['text'][both].iloc[0]!r:.60} comes with two labels: keep one.")
    return examples(table["text"].tolist(), table["label"].tolist(), labels)


def judge(classifier: Classifier, given: Examples) -> Iterator[str]:
    """Lines: how many it calls right, of which kind the mistakes are, and the best threshold."""
    chances = classifier.predict_proba(given.texts)
    names = [given.labels[i] for i in given.answers]
    overall = classification_metrics(names, chances, given.labels).loc["all"]
    bad, praise = given.labels
    good = given.answers == 1
    said = chances[:, 1] >= 0.5
    yield (
        f"{len(given):,} distinct reviews, {good.mean():.0%} {praise}: accuracy "
        f"{overall['accuracy']:.3f}   F1 {overall['f1']:.3f}   ROC area {overall['roc_auc']:.3f}   "
        f"calibration error {calibration_error(chances, given.answers):.3f}"
    )
    yield (
        f"  {int((good & ~said).sum())} {praise} ones called {bad}, "
        f"{int((~good & said).sum())} {bad} ones called {praise}"
    )
    # Between neighbouring probabilities; praise from the threshold on.
    order = np.sort(chances[:, 1])
    cuts = np.concatenate([[0.0], (order[1:] + order[:-1]) / 2, [1.0]])
    right = np.array([((chances[:, 1] >= cut) == good).mean() for cut in cuts])
    best = cuts[right == right.max()]
    nearest = best[np.abs(best - 0.5).argmin()]
    yield (
        f"  with {praise} from {nearest:.2f} on instead of 0.50: {right.max():.3f} on these same "
        "reviews, so a little flattered"
    )


def _csv(path: Path) -> "pd.DataFrame":
    import pandas as pd

    return pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8-sig")
