"""Which passages could answer: by words (BM25), by meaning (an encoder), and by both.

BM25 needs the customer's own words in the passage; an encoder also finds "crushed" for "damaged",
and confuses one threshold coupon with another. Fused by their ranks they are better than either:
recall@3 on the training questions, which nothing there was fitted to beyond one constant, is 0.89
in English (words 0.76) and 0.93 in Chinese (words 0.89). Four weights that were learned from these
questions are better still; `python -m ecomtutor.question_answering retrieval` prints by how much.
"""

import re
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ecomtutor.embeddings import embed
from ecomtutor.errors import EcomTutorError
from ecomtutor.question_answering import fusion
from ecomtutor.text import STOP_WORDS, words
from ecomtutor.text.checking import require_text

if TYPE_CHECKING:
    import pandas as pd

LONGEST = 2000  # characters of a question that are looked at, half at each end
# Reciprocal rank fusion's constant: its paper takes 60 for long lists. On the store's 637 English
# training questions recall@3 is 0.876 with 60 and 0.892 with 10.
_FUSED_FROM = 10
_SENTENCE = {"en": r"(?<=[.!?])\s+(?=[A-Z¥0-9])", "zh": r"(?<=[。！？；])"}
_JOINED = {"en": ". ", "zh": "。"}
WAYS = ("words", "meaning", "both", "taught", "learned")


@dataclass(frozen=True)
class Passage:
    """A passage that was found: where it comes from, its text, and how well it fits.

    prior is the logarithm of how probable it is that this is the right page, among all. Only the
    way that was fitted to say so, "learned", knows; elsewhere it is 0: a reader then takes no
    account of it.
    """

    id: str
    title: str
    text: str
    score: float
    prior: float = 0.0


def terms(text: str, language: str) -> list[str]:
    """What BM25 counts, in lower case.

    English: the runs of four letters of each word, stop words left out, so that "refunded" and
    "refnud" still meet "refund" half way. Chinese: jieba's words without stop words, and each pair
    of neighbouring characters, so that another cut of the same words still meets.

    Raises:
        EcomTutorError: something other than text, or another language.
    """
    _require_language(language)
    found = [
        word.text.lower().replace("’", "'")
        for word in words(require_text(text))
        if not word.is_sign
    ]
    kept = [word for word in found if word not in STOP_WORDS[language]]
    if language == "en":
        return [run for word in kept for run in _fours(word)]
    runs = "".join(c if "\u4e00" <= c <= "\u9fff" else " " for c in text).split()
    return kept + [run[i : i + 2] for run in runs for i in range(len(run) - 1)]


class WordIndex:
    """BM25 over some texts.

    Source:
        Robertson and Zaragoza (2009), The Probabilistic Relevance Framework: BM25 and Beyond; by
        bm25s (Lù, 2024), with k1 = 1.5 and b = 0.75.
    """

    def __init__(self, texts: Sequence[str], language: str):
        import bm25s

        self.language, self.size = language, len(texts)
        counted = [terms(text, language) for text in texts]
        if not any(counted):
            raise EcomTutorError("None of the texts has a word to look for.")
        self.known = {term for row in counted for term in row}
        self.index = bm25s.BM25(k1=1.5, b=0.75)
        self.index.index(counted, show_progress=False)

    def scores(self, question: str) -> np.ndarray:
        """(texts,): 0 where no word of the question stands."""
        asked = [term for term in terms(question, self.language) if term in self.known]
        if not asked:
            return np.zeros(self.size)
        found: np.ndarray = self.index.get_scores(asked)
        return found

    def search(self, question: str, k: int) -> list[tuple[int, float]]:
        """The k best texts' numbers and scores, best first; only texts that share a word."""
        scores = self.scores(question)
        best = np.argsort(-scores, kind="stable")[:k]
        return [(int(i), float(scores[i])) for i in best if scores[i] > 0]


class MeaningIndex:
    """Cosines of text vectors, MiniLM's for English and m3e-small's for Chinese.

    A question is compared with each whole passage and with each of its sentences, where a detail
    stands out; each sentence is read under its title.

    Source:
        Reimers and Gurevych (2019), Sentence-BERT.
    """

    def __init__(
        self, titles: Sequence[str], texts: Sequence[str], language: str, *, keep: bool = True
    ):
        self.language = language
        whole = [f"{title}\n{text}" for title, text in zip(titles, texts, strict=True)]
        cut = [sentences(text, language) for text in texts]
        self.first = np.cumsum([0, *(len(some) for some in cut)])[:-1]  # each passage's first
        parts = [
            f"{title}{_JOINED[language]}{part}"
            for title, some in zip(titles, cut, strict=True)
            for part in some
        ]
        if any(not some for some in cut):
            raise EcomTutorError("A passage without a sentence has no meaning to look for.")
        with warnings.catch_warnings():
            # The end of a long passage is cut from `whole`; it is read among the sentences.
            warnings.filterwarnings("ignore", message=".*the rest of them was not read")
            vectors = embed([*whole, *parts], language, keep=keep, progress=False)
        self.passages, self.parts = vectors[: len(whole)], vectors[len(whole) :]

    def both(self, question: str) -> tuple[np.ndarray, np.ndarray]:
        """(passages,) each: the cosine with the passage, and the highest with a sentence of it."""
        return self.compared(embed([question], self.language, progress=False)[0])

    def compared(self, asked: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The same for a question's vector (width,): many questions are embedded faster at once."""
        whole, parts = (_cosines(vectors, asked) for vectors in (self.passages, self.parts))
        return whole, np.maximum.reduceat(parts, self.first)

    def scores(self, question: str) -> np.ndarray:
        """(passages,): the mean of both cosines."""
        whole, part = self.both(question)
        return (whole + part) / 2


def fuse(*rankings: np.ndarray, constant: int = _FUSED_FROM) -> np.ndarray:
    """Reciprocal rank fusion: each ranking gives 1 / (constant + rank), and these are added.

    Scores of different kinds cannot be added; ranks can.

    Args:
        rankings: scores (texts,) of each way; equal scores share a rank.
        constant: how little the first places stand out.

    Returns:
        (texts,): higher is better.

    Source:
        Cormack, Clarke and Büttcher (2009), Reciprocal Rank Fusion.
    """
    if not rankings or len({len(scores) for scores in rankings}) > 1:
        raise EcomTutorError("Rankings of the same texts are fused: one or more, of one length.")
    total = np.zeros(len(rankings[0]))
    for scores in rankings:
        above = np.searchsorted(np.sort(-scores), -scores, side="left")  # texts above each
        total += 1 / (constant + above + 1)
    return total


class Retriever:
    """Finds the shop's passages for a question: policies and product pages, all 312.

    Args:
        language: "en" or "zh".

    Raises:
        EcomTutorError: another language.
        MissingResource: the encoder is not on this machine yet, when meaning is first asked for;
            or, for "taught" and "learned", the question encoder or the weights.
    """

    def __init__(self, language: str):
        from ecomtutor.datasets import passages

        _require_language(language)
        self.language = language
        self.passages: pd.DataFrame = passages(language)
        # A product page does not repeat its product's name.
        self.texts = (self.passages["title"] + "\n" + self.passages["text"]).tolist()
        self._indices: dict[str, Any] = {}

    def search(self, question: str, k: int = 3, way: str = "learned") -> list[Passage]:
        """The k best passages, best first.

        Args:
            question: of a long one, the first and last 1,000 characters are looked at, by the
                question encoder the first and last 64 tokens.
            k: how many; fewer come back where `way` is "words" and fewer share one.
            way: "words" (BM25), "meaning" (encoder), "both" (fused by ranks), "taught" (the
                question encoder that learned from other shops) or "learned" ("words" and "taught"
                fused by weights).

        Raises:
            EcomTutorError: an empty question, k below 1, another way.
        """
        scores = self.scores(question, way)
        if not isinstance(k, int) or k < 1:
            raise EcomTutorError(f"One passage or more can be asked for; k = {k!r} came.")
        best = np.argsort(-scores, kind="stable")[:k]
        rows = self.passages.iloc[[i for i in best if way != "words" or scores[i] > 0]]
        priors = _log_shares(scores)[best] if way == "learned" else np.zeros(len(best))
        found = zip(rows["id"], rows["title"], rows["text"], scores[best], priors, strict=False)
        return [
            Passage(key, title, text, float(score), float(prior))
            for key, title, text, score, prior in found
        ]

    def scores(self, question: str, way: str = "learned") -> np.ndarray:
        """(passages,): how well each passage fits; comparable within one question only."""
        question = _looked_at(question)
        if way not in WAYS:
            raise EcomTutorError(f"way is one of {', '.join(WAYS)}; {way!r} came.")
        if way in ("words", "meaning"):
            found: np.ndarray = self._index(way).scores(question)
            return found
        if way == "both":
            words = self._index("words").scores(question)
            return fuse(words, *self._index("meaning").both(question))
        if way == "taught":
            whole, sentence = self._taught(question)
            return (whole + sentence) / 2
        learned: np.ndarray = self.features(question) @ fusion.load(self.language)
        return learned

    def features(self, question: str) -> np.ndarray:
        """(passages, 4): what the learned fusion judges by, see `fusion.features`."""
        words = self._index("words").scores(question)
        whole, sentence = self._taught(question)
        product = (self.passages["kind"] == "product").to_numpy(float)
        return fusion.features(words, whole, sentence, product)

    def _taught(self, question: str) -> tuple[np.ndarray, np.ndarray]:
        """`MeaningIndex.both` with the question's vector by the shop's question encoder."""
        from ecomtutor.question_answering.question_encoder import load_question_encoder

        asked = load_question_encoder(self.language).vectors([question])[0]
        return self._index("meaning").compared(asked)

    def _index(self, way: str) -> Any:
        if way not in self._indices:
            titles, texts = self.passages["title"].tolist(), self.passages["text"].tolist()
            self._indices[way] = (
                WordIndex(self.texts, self.language)
                if way == "words"
                else MeaningIndex(titles, texts, self.language)
            )
        return self._indices[way]


def recall_at(
    language: str,
    split: str = "validation",
    way: str = "learned",
    *,
    answerable_only: bool = False,
    many: int | None = None,
) -> dict[int, float]:
    """How often the right passage is among the first 1, 3 and 5, over all questions of a split.

    Questions without an answer count too, unless only answerable ones are wanted: their passage is
    the one that they are about, though another may be as near. `many` takes only the first so many.

    Raises:
        EcomTutorError: another language, split or way.
    """
    from ecomtutor.datasets import questions

    table = questions(language)
    table = table[(table["split"] == split) & (table["answerable"] | (not answerable_only))][:many]
    if table.empty:
        raise EcomTutorError(f"split is 'train', 'validation' or 'test'; {split!r} came.")
    retriever = Retriever(language)
    number = {key: i for i, key in enumerate(retriever.passages["id"])}
    ranks = []
    for question, key in zip(table["question"], table["passage_id"], strict=True):
        scores = retriever.scores(question, way)
        order = np.argsort(-scores, kind="stable")
        ranks.append(int(np.flatnonzero(order == number[key])[0]))
    return {k: float(np.mean(np.array(ranks) < k)) for k in (1, 3, 5)}


def _fours(word: str) -> list[str]:
    """The runs of four letters of a word with its edges marked: _ref, refu, efun, fund, und_."""
    marked = f"_{word}_"
    return [marked[i : i + 4] for i in range(max(1, len(marked) - 3))]


def sentences(text: str, language: str) -> list[str]:
    """A passage's sentences and lines; empty ones are left out."""
    parts = [part for line in text.split("\n") for part in re.split(_SENTENCE[language], line)]
    return [part for part in parts if part.strip()]


def _log_shares(scores: np.ndarray) -> np.ndarray:
    """Scores as logarithms of probabilities that add up to 1: what the fusion was fitted by."""
    shifted = scores - scores.max()
    shares: np.ndarray = np.minimum(shifted - np.log(np.exp(shifted).sum()), 0)
    return shares


def _cosines(vectors: np.ndarray, asked: np.ndarray) -> np.ndarray:
    """vectors @ asked, by numpy's own loop.

    The threads of numpy's `@` spin for a while after it, and take the processor away from PyTorch's
    just when the reader begins.
    """
    found: np.ndarray = np.einsum("tw,w->t", vectors, asked)
    return found


def _looked_at(question: object) -> str:
    said = require_text(question).strip()
    if not said:
        raise EcomTutorError(
            "The question is empty. Ask in words, for example: how do I return it?"
        )
    if len(said) <= LONGEST:
        return said
    return f"{said[: LONGEST // 2]} {said[-LONGEST // 2 :]}"


def _require_language(language: object) -> None:
    if language not in ("en", "zh"):
        raise EcomTutorError(f'The shop speaks "en" and "zh"; {language!r} was asked for.')
