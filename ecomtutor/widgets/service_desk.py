"""The service desk of lesson 09: a question, the passages found, the span, its rivals, and why.

It works on any retriever and reader with the course's doors, in English and in Chinese.
"""

from __future__ import annotations

import html
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from ecomtutor.errors import EcomTutorError
from ecomtutor.text.checking import require_text
from ecomtutor.widgets.core import StaticAndLive

if TYPE_CHECKING:
    from ecomtutor.interpretability import Explanation
    from ecomtutor.question_answering.reader import Answer, Candidate, Reader
    from ecomtutor.question_answering.retrieve import Passage, Retriever

WAYS = {
    "words and meaning": "learned",
    "both, fused by ranks": "both",
    "words alone": "words",
    "meaning, taught": "taught",
    "meaning alone": "meaning",
}
SIZES = (1, 3, 5)
METHODS = {
    "leave one out": "leave-one-out",
    "Owen values (takes seconds)": "owen",
    "none": "none",
}
LONGEST = 2000  # characters of a question
QUESTIONS = {
    "en": (
        "How many photos of a damaged parcel do you want?",
        "Do you deliver to the moon by Friday?",
    ),
    "zh": ("信用卡退款最长几天？", "周五之前能送到月球吗？"),
}
_AROUND = 110  # characters of a passage beside a span
_BEGINNING = 120  # characters of a passage without one

_TITLE = "Service desk: what was found, what was read, what else it could have said, and why."


@dataclass(frozen=True)
class Settings:
    """The controls. threshold is added to the reader's own: higher refuses more."""

    question: str
    way: str = "learned"
    k: int = 3
    threshold: float = 0.0
    method: str = "leave-one-out"


@dataclass(frozen=True)
class Served:
    """What the desk did with a question.

    shown is the span that is marked: the answer, or the best span where it was refused; None where
    there was none. explanation is of that span.
    """

    question: str
    passages: tuple[Passage, ...]
    answer: Answer
    threshold: float
    shown: Candidate | None
    explanation: Explanation | None


def service_desk(
    language: str = "en",
    questions: Sequence[str] = (),
    *,
    reader: Reader | None = None,
    retriever: Retriever | None = None,
) -> ServiceDesk:
    """The desk, to be shown as the last expression of a cell.

    Args:
        language: "en" or "zh".
        questions: those in the static view, the first one also at the start of the live view;
            unless given, one with an answer and one without.
        reader: unless given, the shipped one.
        retriever: unless given, over all policies and product pages.

    Raises:
        EcomTutorError: another language, or an empty question.
        MissingResource: the reader or its encoder is not on this machine.
    """
    from ecomtutor.question_answering.reader import load_reader
    from ecomtutor.question_answering.retrieve import Retriever

    if language not in QUESTIONS:
        raise EcomTutorError(f'The desk speaks "en" and "zh"; {language!r} was asked for.')
    asked = [require_text(question) for question in questions] or list(QUESTIONS[language])
    if empty := [question for question in asked if not question.strip()]:
        raise EcomTutorError(f"A question has words; {empty[0]!r} came.")
    return ServiceDesk(asked, reader or load_reader(language), retriever or Retriever(language))


class ServiceDesk(StaticAndLive):
    """Controls over retriever and reader in a live notebook; elsewhere the given questions."""

    def __init__(self, questions: Sequence[str], reader: Reader, retriever: Retriever) -> None:
        self.questions, self.reader, self.retriever = list(questions), reader, retriever
        self.serve = lru_cache(maxsize=64)(self._serve)

    def __repr__(self) -> str:
        return "\n\n".join([_TITLE, *map(as_text, self._static())])

    def _repr_html_(self) -> str:
        from ecomtutor.interpretability.rendering.picture import FAINT, paper

        line = f'<hr style="margin:12px 0;border:none;border-top:1px solid {FAINT}">'
        return paper(f"<div>{_TITLE}</div>{line.join(map(as_html, self._static()))}", _TITLE)

    def widget(self) -> Any:
        """The controls above the answer, an `ipywidgets.VBox`."""
        from ipywidgets import HTML, HBox, Layout, VBox

        controls = _controls(self.questions[0])
        view = HTML(self._page(Settings(self.questions[0])))

        def show(_: object) -> None:
            view.value = self._page(
                Settings(**{name: control.value for name, control in controls.items()})
            )

        for control in controls.values():
            control.observe(show, names="value")
        question, *others = controls.values()
        row = HBox(others, layout=Layout(flex_flow="row wrap"))
        return VBox([HTML(f"<p>{_TITLE}</p>"), question, row, view])

    def _page(self, chosen: Settings) -> str:
        """The live view, on the same light paper as the static one; what is refused is said."""
        from ecomtutor.interpretability.rendering.picture import paper

        try:
            return paper(as_html(self.serve(chosen)), _TITLE)
        except EcomTutorError as error:
            return paper(f"<p><strong>{html.escape(str(error))}</strong></p>", _TITLE)

    def _static(self) -> Iterator[Served]:
        return (self.serve(Settings(question)) for question in self.questions)

    def _serve(self, chosen: Settings) -> Served:
        """Retrieve, read, decide and explain as the controls ask.

        Raises:
            EcomTutorError: an empty question, more than `LONGEST` characters, an unknown way or
                method, k below one.
        """
        if len(require_text(chosen.question)) > LONGEST:
            raise EcomTutorError(
                f"Up to {LONGEST:,} characters fit here; {len(chosen.question):,} came. Shorten "
                "the question."
            )
        if chosen.method not in METHODS.values():
            raise EcomTutorError(
                f"method is one of {', '.join(METHODS.values())}; {chosen.method!r} came."
            )
        passages = tuple(self.retriever.search(chosen.question, chosen.k, chosen.way))
        # A copy with another threshold; both keep the tokens of passages in one place.
        threshold = self.reader.threshold + chosen.threshold
        reader = replace(self.reader, threshold=threshold)
        answer = reader.answer(chosen.question, list(passages))
        shown = _shown(answer)
        made = None
        if shown is not None and chosen.method != "none":
            made = _explained(reader, chosen, passages[shown.passage], shown)
        return Served(chosen.question, passages, answer, threshold, shown, made)


def what_it_says(seen: Served) -> str:
    """The one sentence above the rest: the answer and where it stands, or why there is none."""
    if not seen.passages:
        return "No answer: no passage shares a word with the question."
    if seen.shown is None:
        return "No answer: no passage has a span that could be one."
    margin = f"{seen.answer.margin:+.2f}".replace("-", "−")
    bar = f"{seen.threshold:+.2f}".replace("-", "−")
    if seen.answer:
        title = seen.passages[seen.shown.passage].title
        return f"“{seen.answer.text}”, from {title} (margin {margin}, at least {bar} is needed)."
    return (
        f"No answer: the best span, “{seen.shown.text}”, has margin {margin}, and at least {bar} "
        "is needed."
    )


def as_html(seen: Served) -> str:
    """The sentence, the passages with the span marked, the alternatives, and the explanation."""
    parts = [
        f'<p style="margin:10px 0 2px"><strong>{html.escape(_question(seen))}</strong><br>'
        f"{html.escape(what_it_says(seen))}</p>",
        _table("Passages, best first", ["", "passage", "what it says"], _passage_rows(seen)),
    ]
    if rivals := _rivals(seen):
        rows = [[html.escape(cell) for cell in row] for row in rivals]
        parts.append(_table("What else it could have said", ["span", "passage", "margin"], rows))
    if seen.explanation is not None:
        from ecomtutor.interpretability.rendering import heat_text

        parts.append(
            '<p style="margin:8px 0 0"><b>Which words carried it</b>: the question, the title and '
            f"the passage, a line each.</p>{heat_text(seen.explanation).html}"
        )
    return "".join(parts)


def as_text(seen: Served) -> str:
    """The same in lines of text."""
    lines = [_question(seen), what_it_says(seen)]
    for place, passage in enumerate(seen.passages):
        before, marked, after = _cut(seen, place)
        span = f"[{marked}]" if marked else ""
        lines.append(f"  {place + 1}. {passage.title}: {before}{span}{after}".replace("\n", " "))
    lines += [f"  or “{text}” ({title}, margin {margin})" for text, title, margin in _rivals(seen)]
    if seen.explanation is not None:
        lines.append(f"  carried by {_strongest(seen.explanation)}")
    return "\n".join(lines)


def _shown(answer: Answer) -> Candidate | None:
    from ecomtutor.question_answering.reader import Candidate

    if answer.passage is not None and answer.start is not None and answer.end is not None:
        place = answer.passage, answer.start, answer.end
        return Candidate(answer.text, *place, answer.score, answer.no_answer_score, answer.prior)
    return answer.alternatives[0] if answer.alternatives else None


def _explained(reader: Reader, chosen: Settings, passage: Passage, shown: Candidate) -> Explanation:
    from ecomtutor.question_answering.explain import explain_answer

    return explain_answer(reader, chosen.question, passage, shown, method=chosen.method)


def _question(seen: Served) -> str:
    asked = " ".join(seen.question.split())
    return asked if len(asked) <= 2 * _AROUND else asked[: 2 * _AROUND - 1] + "…"


def _cut(seen: Served, place: int) -> tuple[str, str, str]:
    """A passage before the span, the span, and after it; without one its beginning."""
    text = seen.passages[place].text
    if seen.shown is None or seen.shown.passage != place:
        return text[:_BEGINNING] + "…" * (len(text) > _BEGINNING), "", ""
    start, end = seen.shown.start, seen.shown.end
    left, right = max(0, start - _AROUND), min(len(text), end + _AROUND)
    before = "…" * (left > 0) + text[left:start]
    return before, text[start:end], text[end:right] + "…" * (right < len(text))


def _passage_rows(seen: Served) -> list[list[str]]:
    from ecomtutor.interpretability.rendering.picture import DOWN, GREY, UP, tint

    colour, line = (UP, "solid") if seen.answer else (DOWN, "dotted")
    style = f"background-color:{tint(colour, 0.3)};border-bottom:3px {line} {colour};color:inherit"
    rows = []
    for place, passage in enumerate(seen.passages):
        before, marked, after = map(html.escape, _cut(seen, place))
        said = "the answer" if seen.answer else "the best span, refused"
        span = f'<mark style="{style}" title="{said}">{marked}</mark>' if marked else ""
        text = f"{before}{span}{after}".replace("\n", "<br>")
        shade = text if marked else f'<span style="color:{GREY}">{text}</span>'
        rows.append([str(place + 1), html.escape(passage.title), shade])
    return rows


def _rivals(seen: Served) -> list[tuple[str, str, str]]:
    """Spans that came next: text, title of their passage, margin."""
    return [
        (
            each.text,
            seen.passages[each.passage].title,
            f"{each.margin:+.2f}".replace("-", "−"),
        )
        for each in seen.answer.alternatives
        if each != seen.shown
    ]


def _table(heading: str, head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    from ecomtutor.interpretability.rendering.picture import INK, PAPER

    if not rows:
        return ""
    cell = f'style="text-align:left;vertical-align:top;padding:3px 10px 3px 0;color:{INK}"'
    row = f'<tr style="background-color:{PAPER}">'
    top = "".join(f'<th scope="col" {cell}>{name}</th>' for name in head)
    body = "".join(
        row + "".join(f"<td {cell}>{text}</td>" for text in cells) + "</tr>" for cells in rows
    )
    return (
        f'<p style="margin:8px 0 0"><b>{heading}</b></p>'
        '<table style="font-size:13px;border:none;border-collapse:collapse;margin:0">'
        f"<thead>{row}{top}</tr></thead><tbody>{body}</tbody></table>"
    )


def _strongest(made: Explanation, most: int = 3) -> str:
    """The words that did most for the span, with their values."""
    best = [int(i) for i in made.ranking(0)[:most] if made.values[i, 0] > 0]
    said = [f"{made.units.texts[i]} {made.values[i, 0]:+.2f}" for i in best]
    return ", ".join(said) or "no word"


def _controls(question: str) -> dict[str, Any]:
    """One control for each field of `Settings`, under its name, in the order of the Tab key."""
    from ipywidgets import Dropdown, FloatSlider, Text

    look: dict[str, Any] = {"style": {"description_width": "6em"}}
    return {
        "question": Text(
            question,
            description="Question",
            placeholder="Type a question and press Enter.",
            continuous_update=False,
            layout={"width": "42em"},
            **look,
        ),
        "way": Dropdown(options=list(WAYS.items()), description="Found by", **look),
        "k": Dropdown(options=SIZES, value=3, description="Passages", **look),
        "threshold": FloatSlider(
            0.0,
            min=-10,
            max=10,
            step=0.5,
            description="Stricter by",
            continuous_update=False,
            **look,
        ),
        "method": Dropdown(options=list(METHODS.items()), description="Explained", **look),
    }
