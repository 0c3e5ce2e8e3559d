"""The explorer of lesson 04: hide one token of a review, and see what shop-bert-mini fills in."""

from __future__ import annotations

import html
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from ecomtutor.errors import EcomTutorError
from ecomtutor.widgets.core import StaticAndLive

# From the held-out reviews: the model was never trained on them.
EXAMPLES = (
    "酒店位置不错,不过靠近马路有点吵闹,因为窗户不是双层的",
    "两个星期了,书还没送到,我倒有点不高兴了",
    "3、散热好，连续长时间使用温度也不高",
)
LONGEST = 200
GUESSES = 5

_TITLE = (
    "Fill-in explorer: one token is hidden, the rest is read. Shade and number of a token: the "
    "probability that shop-bert-mini gives to it when it alone is hidden."
)


@dataclass(frozen=True)
class Settings:
    """The controls: a text, and the place of the token that is hidden, counted from 1."""

    text: str = EXAMPLES[0]
    place: int = 6


@dataclass(frozen=True)
class Explored:
    """What the model holds for likely.

    tokens: of the text, without special tokens.
    shares: for each token its probability when it alone is hidden.
    place: of the hidden token, counted from 0.
    guesses: the five likeliest tokens for that place, with their probabilities.
    """

    tokens: tuple[str, ...]
    shares: tuple[float, ...]
    place: int
    guesses: tuple[tuple[str, float], ...]

    @property
    def answer(self) -> str:
        """The token that is hidden."""
        return self.tokens[self.place]

    @property
    def rank(self) -> int | None:
        """1 where the first guess is right, None where none of the five is."""
        tokens = [token for token, _ in self.guesses]
        return tokens.index(self.answer) + 1 if self.answer in tokens else None


def fill_in_explorer() -> FillInExplorer:
    """The explorer of lesson 04, to be shown as the last expression of a cell."""
    return FillInExplorer()


def explore(settings: Settings) -> Explored:
    """The guesses for the hidden token, and the probability of every token when it is hidden.

    A place beyond the end means the last token.

    Raises:
        EcomTutorError: nothing to hide, a text longer than `LONGEST`, or a place below 1.
        MissingResource: data/models is not beside the package.
    """
    if len(settings.text) > LONGEST:
        raise EcomTutorError(
            f"Up to {LONGEST} characters fit here; {len(settings.text):,} came. Shorten the text."
        )
    if settings.place < 1:
        raise EcomTutorError(f"Tokens are counted from 1; place {settings.place} was given.")
    tokens, shares, guesses = _read(settings.text)
    if not tokens:
        raise EcomTutorError("There is nothing to hide: type a text.")
    place = min(settings.place, len(tokens)) - 1
    return Explored(tokens, shares, place, guesses[place])


@lru_cache(maxsize=8)
def _read(text: str) -> tuple[tuple[str, ...], tuple[float, ...], tuple[Any, ...]]:
    """For each token of a text: itself, its probability when hidden, the guesses for its place."""
    import torch

    from ecomtutor import models

    shop = models.load_shop_bert()
    ids = shop.tokenizer(text, return_tensors="pt")["input_ids"][0]  # (tokens + 2,)
    inner = torch.arange(1, len(ids) - 1)
    if not len(inner):
        return (), (), ()
    hidden = ids.repeat(len(inner), 1)  # one row for each token that is hidden
    hidden[torch.arange(len(inner)), inner] = shop.tokenizer.mask_token_id
    with torch.no_grad():
        logits = shop.model(hidden).prediction_logits[torch.arange(len(inner)), inner]
    shares = logits.softmax(dim=-1)  # (tokens, vocabulary)
    best = shares.topk(GUESSES)
    guesses = tuple(
        tuple(zip(shop.tokenizer.convert_ids_to_tokens(row.tolist()), p.tolist(), strict=True))
        for row, p in zip(best.indices, best.values, strict=True)
    )
    own = shares[torch.arange(len(inner)), ids[inner]]
    return (
        tuple(shop.tokenizer.convert_ids_to_tokens(ids[inner].tolist())),
        tuple(own.tolist()),
        guesses,
    )


def what_it_shows(seen: Explored) -> str:
    """The one sentence that says what the reader sees now."""
    first, share = seen.guesses[0]
    if seen.rank == 1:
        return f"Right: it says {first}, with a probability of {share:.2f}."
    sure = "It is sure and wrong" if share > 0.5 else "Wrong"
    if seen.rank is None:
        return f"{sure}: it says {first} ({share:.2f}); {seen.answer} is not among the five."
    return f"{sure}: it says {first} ({share:.2f}); {seen.answer} comes at place {seen.rank}."


class FillInExplorer(StaticAndLive):
    """Controls over `explore` in a live notebook; elsewhere the examples, all tokens in turn."""

    def __repr__(self) -> str:
        blocks = [_TITLE]
        for text in EXAMPLES:
            seen = explore(Settings(text))
            pairs = zip(seen.tokens, seen.shares, strict=True)
            blocks.append("  ".join(f"{token} {share:.2f}" for token, share in pairs))
        seen = explore(Settings())
        guesses = "  ".join(f"{token} {share:.2f}" for token, share in seen.guesses)
        return "\n\n".join([*blocks, f"{_asked(seen)} {guesses}", what_it_shows(seen)])

    def _repr_html_(self) -> str:
        others = "".join(
            f"<div>{_boxes(explore(Settings(text)), None)}</div>" for text in EXAMPLES[1:]
        )
        return f"<section><p>{_TITLE}</p>{as_html(explore(Settings()))}{others}</section>"

    def widget(self) -> Any:
        """The controls above the view, an `ipywidgets.VBox`."""
        from ipywidgets import HTML, Combobox, IntSlider, VBox

        look: dict[str, Any] = {"style": {"description_width": "8em"}, "layout": {"width": "46em"}}
        start = Settings()
        # Read when the box is left: a half-typed text would pull the hidden place to its end.
        text = Combobox(
            value=start.text,
            options=EXAMPLES,
            description="Text",
            continuous_update=False,
            **look,
        )
        last = len(explore(start).tokens)
        place = IntSlider(value=start.place, min=1, max=last, description="Hide token", **look)
        view = HTML(as_html(explore(start)))

        def show(_: object) -> None:
            try:
                seen = explore(Settings(text.value, place.value))
            except EcomTutorError as error:
                view.value = f"<p><strong>{html.escape(str(error))}</strong></p>"
                return
            place.max = len(seen.tokens)
            view.value = as_html(seen)

        text.observe(show, names="value")
        place.observe(show, names="value")
        return VBox([HTML(f"<p>{_TITLE}</p>"), text, place, view])


def as_html(seen: Explored) -> str:
    """The tokens as boxes, the five guesses and the sentence, without script or style sheet."""
    rows = "".join(
        f'<tr><td style="padding:0.2em 1em">{html.escape(token)}</td>'
        f'<td style="padding:0.2em 1em">{share:.2f}</td></tr>'
        for token, share in seen.guesses
    )
    head = "".join(
        f'<th scope="col" style="padding:0.2em 1em">{name}</th>'
        for name in ("guess", "probability")
    )
    return (
        f"<div>{_boxes(seen, seen.place)}</div><p>{html.escape(_asked(seen))}</p>"
        '<table style="border-collapse:collapse;color:inherit"><thead>'
        f"<tr>{head}</tr></thead>"
        f"<tbody>{rows}</tbody></table><p><strong>{html.escape(what_it_shows(seen))}</strong></p>"
    )


def _asked(seen: Explored) -> str:
    return f"Token {seen.place + 1} of {len(seen.tokens)}, {seen.answer}, is hidden. Guesses:"


def _boxes(seen: Explored, hidden: int | None) -> str:
    return "".join(
        _box(token, share, place == hidden)
        for place, (token, share) in enumerate(zip(seen.tokens, seen.shares, strict=True))
    )


def _box(token: str, share: float, hidden: bool) -> str:
    """One token; background and ink are both set, so that it reads in any theme."""
    from ecomtutor.figures.core import ink_on, shade

    paper = shade(share)
    style = (
        "display:inline-block;border-radius:4px;margin:2px;padding:2px 6px;text-align:center;"
        f"line-height:1.4;background-color:{paper};color:{ink_on(paper)};"
        f"border:{'3px double #d55e00' if hidden else '1px solid #8894a0'}"
    )
    return f'<span style="{style}"><b>{html.escape(token)}</b><br><small>{share:.2f}</small></span>'
