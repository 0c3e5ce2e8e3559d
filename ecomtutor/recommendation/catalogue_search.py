"""A need in free text over the store's catalogue: read, searched, and answered with reasons.

found = CatalogueSearch().search("waterproof running earphones under ¥300, not white")

A model of text finds what the words are about, and cannot count: to it ¥300 and ¥3,000 are nearly
the same. So the words are searched by vectors and letters, and the limits are kept by rules.
"""

import html
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from ecomtutor.embeddings import embed
from ecomtutor.errors import EcomTutorError
from ecomtutor.recommendation.limits import Limit, Page, PriceLimit, rules_out, satisfied
from ecomtutor.recommendation.needs import Need, language_of, read_need
from ecomtutor.recommendation.vocabulary import pages

if TYPE_CHECKING:
    import pandas as pd

SoldOut = Literal["exclude", "flag"]

# Chosen on the needs of the split "dev", see `search_quality`.
WORDS = 1.0  # weight of the match of letters beside that of vectors
WISHES = 0.1  # for a page that says all that was mentioned in passing
CHEAP = 0.1  # for the cheapest, where cheap was asked for
NEAR = 0.5  # of the way from an ordinary page to the best one: what is below is something else

SURE = {"en": 0.4, "zh": 0.72}  # cosine that every need of "dev" reaches and other shops' do not


@dataclass(frozen=True)
class Found:
    """What the shop has for a need.

    need      what was understood; `need.in_words()` says it
    table     rank, product_id, title, price_cny, stock, score, reasons; best first
    note      what a shopper should know: limits that nothing meets, what is sold out; "" if nothing
    relaxed   True where no product meets all limits, and the nearest are shown instead
    """

    need: Need
    table: "pd.DataFrame"
    note: str = ""
    relaxed: bool = False

    def __len__(self) -> int:
        return len(self.table)

    def _repr_html_(self) -> str:
        note = f"<p>{html.escape(self.note)}</p>" if self.note else ""
        said = html.escape(self.need.in_words())
        return f"<p>{said}</p>{note}{self.table.to_html(index=False)}"


class CatalogueSearch:
    """Searches the store by needs in English and Chinese.

    Args:
        language: in which titles and reasons are given, "en" or "zh"; None: that of the need.
        words: weight of the match of letters (TF-IDF) beside that of vectors.
        dense: whether vectors are used at all; without them no model is needed.
        keep_limits: whether limits are kept, or everything is left to the words.

    Raises:
        EcomTutorError: another language, or neither words nor vectors.
    """

    def __init__(
        self,
        language: str | None = None,
        words: float = WORDS,
        dense: bool = True,
        keep_limits: bool = True,
    ):
        if language not in (None, "en", "zh"):
            raise EcomTutorError(f'The catalogue is in "en" and "zh"; {language!r} came.')
        if not words >= 0 or not (words or dense):
            raise EcomTutorError(f"Search by words (weight at least 0), vectors or both; {words}.")
        self.language, self.words, self.dense = language, words, dense
        self.keep_limits = keep_limits

    def search(self, need: "str | Need", k: int = 10, sold_out: SoldOut = "exclude") -> Found:
        """The k products that suit a need best, with reasons.

        Args:
            need: what the shopper typed, or what `read_need` made of it.
            k: how many at most. Fewer come where fewer are about the need and meet its limits.
            sold_out: leave out what is sold out, or show it with its reason; either way the note
                says so.

        Raises:
            EcomTutorError: k below one, or a need without a word or number in a script that the
                shop reads.
        """
        if not isinstance(k, int | np.integer) or k < 1:
            raise EcomTutorError(f"k is a whole number of at least 1; {k!r} came.")
        if sold_out not in ("exclude", "flag"):
            raise EcomTutorError(f'sold_out is "exclude" or "flag"; {sold_out!r} came.')
        need = read_need(need, self.language) if isinstance(need, str) else need
        _require_something(need)
        about = self.relevance(need)
        meets = self._meets(need)  # (products,)
        known = not need.query or not self.dense or self._closest(need) >= SURE[_side(need)]
        near = _near(about) if known else np.ones(len(about), dtype=bool)
        stocked = np.array([page.row["stock"] > 0 for page in pages()])
        shown = stocked if sold_out == "exclude" else np.ones(len(stocked), dtype=bool)
        fits = near & meets
        relaxed = not (fits & shown).any()
        unmet = _unmet(need) if relaxed and self.keep_limits else np.zeros(len(about))
        pool = near & shown if relaxed else fits & shown
        prices = np.array([page.price for page in pages()])
        if need.cheap:
            about = about + CHEAP * _cheapness(prices, pool)
        order = np.lexsort((prices, -about.round(9), unmet))
        order = order[pool[order]][:k]
        least = about[order].min() if len(order) else -np.inf
        out = fits & ~stocked & (about >= least)
        gone = [pages()[at] for at in np.flatnonzero(out)]
        note = _note(need, relaxed and self.keep_limits, gone, self._shown_in(need), known)
        return Found(need, self._table(need, order, about), note, bool(relaxed))

    def relevance(self, need: Need) -> "np.ndarray[Any, Any]":
        """How much each product is about the words of a need: (products,)."""
        side = _side(need)
        scores = np.zeros(len(pages()))
        if need.query and self.dense:
            scores += _vectors(side) @ embed([need.query], side, progress=False)[0]
        if need.query and self.words:
            model, table = _letters(side)
            scores += self.words * (table @ model.transform([need.query]).T).toarray()[:, 0]
        wishes = [limit for limit in need.limits if not limit.strict or rules_out(limit)]
        if wishes and self.keep_limits:
            met = [[limit.verdict(page, side).met is True for limit in wishes] for page in pages()]
            scores += WISHES * np.mean(met, axis=1)
        return scores

    def _closest(self, need: Need) -> float:
        """The cosine of the nearest page to the words of a need."""
        side = _side(need)
        return float((_vectors(side) @ embed([need.query], side, progress=False)[0]).max())

    def _meets(self, need: Need) -> "np.ndarray[Any, Any]":
        if not self.keep_limits:
            return np.ones(len(pages()), dtype=bool)
        return np.array(
            [all(satisfied(limit, page) for limit in need.limits) for page in pages()], dtype=bool
        )

    def _shown_in(self, need: Need) -> str:
        return self.language or need.language

    def _table(
        self, need: Need, order: "np.ndarray[Any, Any]", about: "np.ndarray[Any, Any]"
    ) -> "pd.DataFrame":
        import pandas as pd

        side = self._shown_in(need)
        chosen = [pages()[at] for at in order]
        return pd.DataFrame(
            {
                "rank": np.arange(1, len(order) + 1),
                "product_id": [page.row["id"] for page in chosen],
                "title": [page.row[f"title_{side}"] for page in chosen],
                "price_cny": [page.price for page in chosen],
                "stock": [page.row["stock"] for page in chosen],
                "score": about[order].round(3),
                "reasons": ["; ".join(reasons(need, page, side)) for page in chosen],
            }
        )


def reasons(need: Need, page: Page, language: str) -> list[str]:
    """What a page says to each limit of a need: "¥149 ≤ ¥300 ✓"."""
    said = [str(limit.verdict(page, language)) for limit in need.limits]
    if not page.row["stock"]:
        said.append("已售罄 ✗" if language == "zh" else "sold out ✗")
    return said


def page_text(page: Page, language: str) -> str:
    """What of a page is searched: its title and its attributes."""
    between = ", " if language == "en" else "，"
    facts = between.join(f"{n} {v}" for n, v in page.row[f"attributes_{language}"].items())
    return f"{page.row[f'title_{language}']}. {facts}"


@cache
def _vectors(language: str) -> "np.ndarray[Any, Any]":
    texts = [page_text(page, language) for page in pages()]
    # Some three seconds, once for each language: a bar would only flash in the lesson.
    return embed(texts, language, progress=False)


@cache
def _letters(language: str) -> tuple[Any, Any]:
    """TF-IDF of runs of letters: one to three characters in Chinese, three to five in English."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    zh = language == "zh"
    model = TfidfVectorizer(
        analyzer="char" if zh else "char_wb",
        ngram_range=(1, 3) if zh else (3, 5),
        sublinear_tf=True,
    )
    return model, model.fit_transform([page_text(page, language) for page in pages()])


def _near(about: "np.ndarray[Any, Any]") -> "np.ndarray[Any, Any]":
    """Which products are about the need at all: well above the ordinary one. (products,)."""
    ordinary = np.median(about)
    return about - ordinary >= NEAR * (about.max() - ordinary)


def _cheapness(
    prices: "np.ndarray[Any, Any]", pool: "np.ndarray[Any, Any]"
) -> "np.ndarray[Any, Any]":
    """1 for the cheapest of the pool, 0 for the dearest: (products,)."""
    place = np.searchsorted(np.sort(prices[pool]), prices)
    return 1 - np.minimum(place / max(1, pool.sum() - 1), 1)


def _unmet(need: Need) -> "np.ndarray[Any, Any]":
    """How many limits each page misses; a price far beyond counts more: (products,)."""
    return np.array([sum(_misses(limit, page) for limit in need.limits) for page in pages()])


def _misses(limit: Limit, page: Page) -> float:
    if satisfied(limit, page):
        return 0.0
    if isinstance(limit, PriceLimit):
        beyond = page.price / limit.high if page.price > limit.high else limit.low / page.price
        return min(1.5, 0.5 + beyond / 4)  # a little over costs less than another kind of thing
    return 1.0


def _side(need: Need) -> str:
    """The language whose pages are searched."""
    return language_of(need.query or need.text)


def _note(need: Need, relaxed: bool, gone: list[Page], language: str, known: bool) -> str:
    zh = language == "zh"
    notes = []
    if not known:
        notes.append(
            "店里好像没有这类商品，下面只是字面上最接近的。"
            if zh
            else "The shop seems to have nothing of the kind; these only read most alike."
        )
    if not need.query:
        notes.append(
            "没有可搜索的词，便宜的在前。" if zh else "No words to search for: cheapest first."
        )
    if relaxed:
        limits = [limit.in_words(language) for limit in need.limits if limit.strict]
        said = ("；" if zh else "; ").join(limits)
        notes.append(
            f"没有商品同时满足：{said}。下面是最接近的，✗ 处没有满足。"
            if zh
            else f"Nothing here meets all of: {said}. These come nearest; ✗ says what each misses."
        )
    if gone:
        titles = ("；" if zh else "; ").join(page.row[f"title_{language}"] for page in gone[:3])
        notes.append(f"合适但已售罄：{titles}。" if zh else f"Would suit, but sold out: {titles}.")
    if need.query and language_of(need.query) != language:
        notes.append(
            "需求是英文，按英文页面搜索。"
            if zh
            else "The need is in Chinese: the Chinese pages were searched."
        )
    return "".join(notes) if zh else " ".join(notes)


def _require_something(need: Need) -> None:
    import regex

    if not need.text.strip():
        raise EcomTutorError(
            'The need is empty. Say what you look for, such as "蓝牙耳机 300元以内".'
        )
    if not regex.search(r"[a-zA-Z\d]|\p{Han}", need.text):
        raise EcomTutorError(
            f"Needs are read in English and Chinese; {need.text!r:.40} has no word of either. "
            'Say what you look for in words, such as "running earphones".'
        )
