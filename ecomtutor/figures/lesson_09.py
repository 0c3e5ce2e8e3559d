"""Figures of lesson 09, question answering. Each answers one question; the deck shows the same."""

from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING

from ecomtutor.figures.core import (
    BLUE,
    GREEN,
    INK,
    ORANGE,
    PURPLE,
    Figure,
    drawing,
    finish,
    ink_on,
    shade,
)

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

# The example of section 1: "7 days , Plus members 15 days".
TOKENS = ("7", "days", ",", "Plus", "members", "15", "days")
STARTS = (2.8, 0.1, -1.0, 0.3, -0.5, 3.0, 0.2)
ENDS = (0.4, 3.1, -1.0, -0.8, 0.1, 0.5, 2.6)
MOST = 3  # tokens of an answer there

ASKED = {
    "en": ("damaged-parcels", "How many pictures of the damage do you want?"),
    "zh": ("refund-timeline", "信用卡 退 最长"),
}
QUESTIONS = 60
PAGES = 3
WRONG, REFUSAL = 10, 1
WAYS = ("words", "meaning", "both", "taught", "learned")
OUTCOMES = ("right", "wrong words", "another page", "refused")
_LANGUAGES = {"en": "English", "zh": "Chinese"}
_LINES = {
    "words": (ORANGE, "--", "s", "words (BM25)"),
    "meaning": (GREEN, "-.", "^", "meaning (encoder)"),
    "both": (PURPLE, ":", "D", "both, fused by ranks"),
    "taught": (INK, "-", "v", "meaning, taught"),
    "learned": (BLUE, "-", "o", "words and taught, weighed"),
}
_SHOWN = 12  # tokens on each side of an answer


@cache
def asked(language: str) -> "pd.DataFrame":
    """Sixty questions, evenly over the test passages: the same ones throughout the lesson."""
    import numpy as np

    from ecomtutor.datasets import questions

    table = questions(language)
    table = table[table["split"] == "test"]
    places = np.linspace(0, len(table) - 1, QUESTIONS).round().astype(int)
    return table.iloc[places].reset_index(drop=True)


@cache
def ranks(language: str) -> "pd.DataFrame":
    """Where each way of retrieval puts the right page, from 1, for every test question."""
    import numpy as np
    import pandas as pd

    from ecomtutor.datasets import passages, questions
    from ecomtutor.embeddings import embed
    from ecomtutor.question_answering import fusion
    from ecomtutor.question_answering.question_encoder import load_question_encoder
    from ecomtutor.question_answering.retrieve import MeaningIndex, WordIndex, fuse

    pages, table = passages(language), questions(language)
    table = table[table["split"] == "test"]
    titles, texts = pages["title"].tolist(), pages["text"].tolist()
    together = [f"{title}\n{text}" for title, text in zip(titles, texts, strict=True)]
    words, meaning = WordIndex(together, language), MeaningIndex(titles, texts, language)
    number = {key: i for i, key in enumerate(pages["id"])}
    product, weights = (pages["kind"] == "product").to_numpy(float), fusion.load(language)
    said = table["question"].tolist()
    vectors = embed(said, language, progress=False)
    taught = load_question_encoder(language).vectors(said)
    rows = []
    for question, vector, new, key in zip(said, vectors, taught, table["passage_id"], strict=True):
        counted, (whole, part) = words.scores(question), meaning.compared(vector)
        by_page, by_part = meaning.compared(new)
        scores = {
            "words": counted,
            "meaning": (whole + part) / 2,
            "both": fuse(counted, whole, part),
            "taught": (by_page + by_part) / 2,
            "learned": fusion.features(counted, by_page, by_part, product) @ weights,
        }
        order = {way: np.argsort(-of, kind="stable") for way, of in scores.items()}
        rows.append({w: int(np.flatnonzero(o == number[key])[0]) + 1 for w, o in order.items()})
    return pd.DataFrame(rows)


@cache
def read_own(language: str, split: str = "test") -> "pd.DataFrame":
    """The reader on questions with their own page: its best span, and what it is worth.

    Of the test split the sixty of `asked`, of another split all. Columns beside the question's
    own: said (the best span, also where it would be refused), margin (over no answer), f1 and
    right (F1 of one half or more; never where the page has no answer).
    """
    from ecomtutor.datasets import questions
    from ecomtutor.metrics.spans import span_f1

    every = questions(language)
    table = asked(language) if split == "test" else every[every["split"] == split]
    table = table.reset_index(drop=True)
    answers = _answers(language, table["question"], _own_pages(language, table["passage_id"]))
    table["said"] = [answer.text for answer in answers]
    table["margin"] = [answer.margin for answer in answers]
    pairs = zip(table["said"], table["answers"], strict=True)
    table["f1"] = [span_f1(said, gold, language) if gold else 0.0 for said, gold in pairs]
    table["right"] = table["f1"] >= 0.5
    return table


@cache
def outcomes(language: str) -> "pd.DataFrame":
    """Retrieval, then reading, over all 312 pages: what becomes of the answerable of the sixty.

    A question that its own page leaves open may well have an answer on another page, so only
    answerable ones can be judged without a person.
    """
    from ecomtutor.metrics.spans import span_f1
    from ecomtutor.question_answering.reader import load_reader
    from ecomtutor.question_answering.retrieve import Retriever

    retriever, threshold = Retriever(language), load_reader(language).threshold
    table = asked(language)
    table = table[table["answerable"]].reset_index(drop=True)
    pages = [retriever.search(question, PAGES) for question in table["question"]]
    answers = _answers(language, table["question"], pages)
    found = [[page.id for page in some] for some in pages]
    table["found"] = [key in keys for key, keys in zip(table["passage_id"], found, strict=True)]
    table["page"] = [keys[a.passage or 0] for keys, a in zip(found, answers, strict=True)]
    table["said"] = [answer.text for answer in answers]
    table["margin"] = [answer.margin for answer in answers]
    rows = zip(table["said"], table["answers"], strict=True)
    table["f1"] = [span_f1(said, gold, language) for said, gold in rows]
    right = (table["f1"] >= 0.5).map({True: "right", False: "wrong words"})
    right = right.where((table["page"] == table["passage_id"]) | (right == "right"), "another page")
    table["outcome"] = right.where(table["margin"] >= threshold, "refused")
    return table


def span_sums() -> Figure:
    """Which spans may be an answer, and which of them is the best?"""
    import numpy as np

    starts, ends = np.array(STARTS), np.array(ENDS)
    with drawing(6.4, 4.1) as (fig, ax):
        grid = starts[:, None] + ends[None, :]  # (tokens, tokens)
        i, j = np.indices(grid.shape)
        may = (i <= j) & (j - i < MOST)
        for (row, column), value in np.ndenumerate(grid):
            colour = shade(max(0.0, value) / 7) if may[row, column] else "#e4e7eb"
            ax.add_patch(_box(column, row, colour))
            ink = ink_on(colour) if may[row, column] else "#52606d"
            ax.text(column, row, f"{value:.1f}", ha="center", va="center", color=ink, fontsize=9)
        best = divmod(int(np.where(may, grid, -np.inf).argmax()), len(TOKENS))
        lone = int(starts.argmax()), int(ends.argmax())
        for (row, column), colour, line in ((best, INK, "-"), (lone, ORANGE, "--")):
            ax.add_patch(_box(column, row, "none", colour, line))
        ax.set(xlabel="last token", ylabel="first token", xlim=(-0.5, 6.5), ylim=(6.5, -0.5))
        ax.set_xticks(range(len(TOKENS)), TOKENS)
        ax.set_yticks(range(len(TOKENS)), TOKENS)
        ax.tick_params(length=0)
        ax.spines[:].set_visible(False)
    return finish(
        fig,
        "Sums of start and end logit for every pair of seven tokens. Grey pairs are no spans: they "
        f"end before they start, or have more than {MOST} tokens. The best span, framed, is "
        f"“{TOKENS[best[0]]} {TOKENS[best[1]]}” with {grid[best]:.1f}; the two separate maxima "
        f"meet in a grey cell (dashed), first token “{TOKENS[lone[0]]}” of the second half, last "
        "token before it.",
    )


def _box(column: float, row: float, face: str, edge: str = "#ffffff", line: str = "-") -> "object":
    from matplotlib.patches import Rectangle

    width = 1.0 if edge == "#ffffff" else 2.6
    return Rectangle(
        (column - 0.5, row - 0.5), 1, 1, facecolor=face, edgecolor=edge, linewidth=width,
        linestyle=line, zorder=1 if edge == "#ffffff" else 3,
    )  # fmt: skip


def logits(language: str = "zh") -> Figure:
    """Where does the reader see a start, and where an end?"""
    from ecomtutor.datasets import passages
    from ecomtutor.question_answering.reader import load_reader
    from ecomtutor.question_answering.spans import best_spans, no_answer_score

    key, question = ASKED[language]
    text = passages(language).set_index("id").at[key, "text"]
    window, start, end = load_reader(language).logits(question, text)[0]
    best = best_spans(start, end, window.allowed)[0]
    last = window.first + len(window.offsets) - 1
    shown = range(max(window.first, best.start - _SHOWN), min(last, best.end + _SHOWN) + 1)
    numbers = [0, *shown]  # [CLS], a gap, and the tokens around the span
    places = [0, *range(2, len(shown) + 2)]
    labels = ["[CLS]", *(text[slice(*window.characters(i, i))] for i in shown)]
    with drawing(8.6, 3.5) as (fig, ax):
        ax.bar([x - 0.2 for x in places], start[numbers], 0.4, color=BLUE, label="start")
        ax.bar(
            [x + 0.2 for x in places], end[numbers], 0.4, color=ORANGE, label="end",
            hatch="///", edgecolor="white",
        )  # fmt: skip
        from_, to = (places[numbers.index(i, 1)] for i in (best.start, best.end))
        ax.axvspan(from_ - 0.5, to + 0.5, color="#d9e2ec", zorder=0)
        ax.axhline(0, color=INK, linewidth=0.8)
        ax.set_xticks(places, labels, rotation=60 if language == "en" else 0, fontsize=8.5)
        ax.set(ylabel="logit", xlabel="[CLS], and the page's tokens around the best span (shaded)")
        ax.legend(loc="lower right", bbox_to_anchor=(1, 1), ncols=2, frameon=False)
    said = text[slice(*window.characters(best.start, best.end))]
    nothing = no_answer_score(start, end)
    return finish(
        fig,
        f"Start and end logit of each token around the best span for “{question}”: “{said}”, where "
        f"the start logit is {start[best.start]:.1f} and the end logit {end[best.end]:.1f}; "
        f"[CLS], no answer, has {nothing:.1f} together.",
    )


def recall() -> Figure:
    """How often is the right page among the first k?"""
    said = []
    with drawing(8.2, 3.3, columns=2) as (fig, axes):
        for ax, language in zip(axes, _LANGUAGES, strict=True):
            table = ranks(language)
            for way in WAYS:
                colour, line, mark, name = _LINES[way]
                shares = [(table[way] <= k).mean() for k in range(1, 11)]
                ax.plot(range(1, 11), shares, line, color=colour, marker=mark, label=name)
                said.append(f"{_LANGUAGES[language]}, {name}: {shares[0]:.2f}, {shares[2]:.2f}")
            ax.set(title=f"{_LANGUAGES[language]}, {len(table)} questions", xlabel="first k pages")
            ax.set(ylabel="recall@k", ylim=(0.4, 1.02))
        axes[0].legend(loc="lower right", fontsize=9)
    return finish(fig, f"Recall at k = 1 … 10; at 1 and 3: {'; '.join(said)}.")


def cost(language: str = "en") -> Figure:
    """From which margin on should the desk answer?"""
    import numpy as np

    said = []
    with drawing(8.2, 3.4, columns=2) as (fig, axes):
        splits = (("validation", BLUE, "-"), ("test", ORANGE, "--"))
        for split, colour, line in splits:
            table = read_own(language, split)
            tried = np.append(np.sort(table["margin"].to_numpy()), table["margin"].max() + 0.1)
            costs = costs_of(table, tried)
            answered = [(table["margin"] >= t).mean() for t in tried[:-5]]
            right = [table.loc[table["margin"] >= t, "right"].mean() for t in tried[:-5]]
            best = int(costs.argmin())
            axes[0].plot(tried, costs, line, color=colour, label=split)
            axes[0].plot(tried[best], costs[best], "D", color=colour)
            axes[1].plot(answered, right, line, color=colour, label=split)
            said.append(f"{split} cheapest at {tried[best]:.1f} with {costs[best]:.2f} a question")
        axes[0].axhline(REFUSAL, color=INK, linewidth=1, linestyle=":")
        axes[0].set(xlabel="answer from this margin on", ylabel="mean cost of a question", ylim=0)
        axes[1].axhline(1 - REFUSAL / WRONG, color=INK, linewidth=1, linestyle=":")
        axes[1].set(xlabel="share of questions answered", ylabel="share of answers right")
        axes[1].set(xlim=(0, 1.02), ylim=(0, 1.02))
        axes[0].legend()
    return finish(
        fig,
        f"Left, cost against threshold in {_LANGUAGES[language]}: {'; '.join(said)}; always to a "
        f"person costs {REFUSAL} (dotted). Right, how many answers are right when more are given; "
        "dotted, the share from which an answer is worth its risk.",
    )


def costs_of(table: "pd.DataFrame", thresholds: "np.ndarray") -> "np.ndarray":
    """Mean cost of a question at each threshold: wrong answers cost 10, handing over costs 1.

    Args:
        table: of `read_own`.
        thresholds: margins from which on the span is said.
    """
    import numpy as np

    margin, right = table["margin"].to_numpy(), table["right"].to_numpy()
    said = margin[None, :] >= np.asarray(thresholds)[:, None]  # (thresholds, questions)
    found: np.ndarray = WRONG * (said & ~right).mean(axis=1) + REFUSAL * (~said).mean(axis=1)
    return found


def outcome_bars() -> Figure:
    """Where do answers get lost: at the pages, at the words, or at the threshold?"""
    looks = zip(OUTCOMES, (BLUE, ORANGE, PURPLE, "#9aa5b1"), ("", "///", "xx", ".."), strict=True)
    said = []
    tables = {language: outcomes(language) for language in _LANGUAGES}
    left = dict.fromkeys(tables, 0.0)
    with drawing(7.6, 2.2) as (fig, ax):
        for name, colour, hatch in looks:
            shares = {k: float((t["outcome"] == name).mean()) for k, t in tables.items()}
            ax.barh(
                list(_LANGUAGES.values()), list(shares.values()), left=list(left.values()),
                color=colour, hatch=hatch, edgecolor="white", label=name,
            )  # fmt: skip
            for row, language in enumerate(tables):
                if shares[language] > 0.05:
                    middle = left[language] + shares[language] / 2
                    box = {"facecolor": "white", "edgecolor": "none", "pad": 1.5}
                    ax.text(
                        middle, row, f"{shares[language]:.2f}", ha="center", va="center", bbox=box
                    )
                left[language] += shares[language]
            said.append(f"{name} {shares['en']:.2f} and {shares['zh']:.2f}")
        ax.set(xlabel="share of answerable questions", xlim=(0, 1))
        ax.invert_yaxis()
        ax.legend(ncols=4, loc="lower center", bbox_to_anchor=(0.5, 1.0), fontsize=9)
    return finish(fig, f"What became of the answerable questions, English and Chinese: "
                       f"{', '.join(said)}.")  # fmt: skip


def _own_pages(language: str, keys: "pd.Series") -> list:
    """Each question's page alone."""
    from types import SimpleNamespace

    from ecomtutor.datasets import passages

    place = passages(language).set_index("id")
    pages = {k: SimpleNamespace(title=r["title"], text=r["text"]) for k, r in place.iterrows()}
    return [[pages[key]] for key in keys]


def _answers(language: str, questions: "pd.Series", pages: list) -> list:
    """The reader's best spans in these pages, whatever its threshold, in fp32."""
    from ecomtutor.question_answering.reader import load_reader

    free = replace(load_reader(language), threshold=float("-inf"))
    return free.answer_all(questions.tolist(), pages, alternatives=0)
