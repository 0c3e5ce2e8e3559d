"""The explorer of lesson 05: what temperature, top-k and top-p leave of the next token.

English is written by SmolLM2, Chinese by shop-gpt-mini; both run in this package's own classes.
"""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

from ecomtutor.errors import EcomTutorError
from ecomtutor.widgets.core import StaticAndLive

if TYPE_CHECKING:
    from torch import Tensor
    from transformers import PreTrainedTokenizerBase

    from ecomtutor.transformer.decoding import CausalModel

PROMPTS = {"en": "The sound is great but", "zh": "酒店的房间"}
NEW_TOKENS = {"en": 14, "zh": 24}
ROWS = 8
_LONGEST = 64  # tokens of prompt: enough for a few sentences, and quick

_TITLE = (
    "Decoding explorer: what a model would write next, what the settings leave of it, and one text "
    "drawn with them."
)
_HEAD = ("next token", "probability", "after the settings")


@dataclass(frozen=True)
class Settings:
    """The controls. top_k 0 and top_p 1 leave every token in; "" takes the language's prompt."""

    language: str = "en"
    prompt: str = ""
    temperature: float = 1.0
    top_k: int = 0
    top_p: float = 1.0
    seed: int = 0


SHOWN = {
    "as the model says": Settings(),
    "temperature 0.3": Settings(temperature=0.3),
    "temperature 1.5": Settings(temperature=1.5),
    "top-k 5": Settings(top_k=5),
    "top-p 0.8": Settings(top_p=0.8),
}


class NextToken(NamedTuple):
    """A candidate: its text, its probability, and what the settings make of it (0 if removed)."""

    text: str
    before: float
    after: float


@dataclass(frozen=True)
class Explored:
    """What the settings make of a prompt.

    tokens: the most probable ones. kept: how many tokens may still be drawn. held: the
    probability that they had together. continuation: what was drawn.
    """

    prompt: str
    tokens: tuple[NextToken, ...]
    kept: int
    vocabulary: int
    held: float
    continuation: str


class Writer(NamedTuple):
    """A model of ours with its tokenizer, and the ids that every text begins with."""

    tokenizer: PreTrainedTokenizerBase
    model: CausalModel
    start: tuple[int, ...]


def decoding_explorer() -> DecodingExplorer:
    """The explorer of lesson 05, to be shown as the last expression of a cell."""
    return DecodingExplorer()


@lru_cache(maxsize=64)
def explore(settings: Settings) -> Explored:
    """The next token's probabilities before and after the settings, and one continuation.

    Raises:
        EcomTutorError: an unknown language, a prompt that is too long, or a setting out of range.
        MissingResource: the model is not on this machine yet.
    """
    import torch

    from ecomtutor.transformer import sample

    writer, prompt = _writer(_known(settings.language)), _prompt(settings)
    ids = torch.tensor([[*writer.start, *_ids(writer.tokenizer, prompt)]])  # (1, tokens)
    written = sample(
        writer.model,
        ids,
        NEW_TOKENS[settings.language],
        seed=settings.seed,
        temperature=settings.temperature,
        top_k=settings.top_k or None,
        top_p=settings.top_p,
    )
    with torch.no_grad():
        logits = writer.model(ids, last_only=True).logits[0, -1]  # (vocabulary,)
    before, after = logits.softmax(dim=-1), _filtered(logits, settings).softmax(dim=-1)
    best = before.topk(min(ROWS, len(before))).indices.tolist()
    return Explored(
        prompt=prompt,
        tokens=tuple(
            NextToken(
                _visible(str(writer.tokenizer.decode([i]))), before[i].item(), after[i].item()
            )
            for i in best
        ),
        kept=int((after > 0).sum()),
        vocabulary=len(before),
        held=before[after > 0].sum().item(),
        continuation=str(
            writer.tokenizer.decode(written[0, ids.shape[1] :], skip_special_tokens=True)
        ),
    )


def what_it_shows(seen: Explored) -> str:
    """The one sentence that says what the reader sees now."""
    first = seen.tokens[0]
    if seen.kept == 1:
        return f"Only “{first.text}” is left: every seed writes the same next token."
    return (
        f"{seen.kept:,} of {seen.vocabulary:,} tokens are left, which held {seen.held:.2f} of the "
        f"probability; the first, “{first.text}”, goes from {first.before:.2f} to "
        f"{first.after:.2f}."
    )


class DecodingExplorer(StaticAndLive):
    """Controls over `explore` in a live notebook; elsewhere a table and texts in both languages."""

    def __repr__(self) -> str:
        parts = [_TITLE]
        for language in PROMPTS:
            seen = explore(replace(SHOWN["top-p 0.8"], language=language))
            parts.append(f"{seen.prompt} …   at top-p 0.8:\n{_text_table(seen)}")
            parts.append(what_it_shows(seen))
            parts.append("\n".join(f"{name:18}{text}" for name, text in _texts(language)))
        return "\n\n".join(parts)

    def _repr_html_(self) -> str:
        parts = [f"<p>{_TITLE}</p>"]
        for language in PROMPTS:
            seen = explore(replace(SHOWN["top-p 0.8"], language=language))
            rows = [[html.escape(name), html.escape(text)] for name, text in _texts(language)]
            parts.append(f"<p>{_marked(seen)} … at top-p 0.8:</p>{_table_html(seen)}")
            parts.append(f"<p>{html.escape(what_it_shows(seen))}</p>")
            parts.append(_html_table(("settings, seed 0", "continuation"), rows))
        return f"<section>{''.join(parts)}</section>"

    def widget(self) -> Any:
        """The controls above table and text, an `ipywidgets.VBox`."""
        from ipywidgets import HTML, HBox, Layout, VBox

        controls = _controls()
        view = HTML(as_html(explore(Settings())))

        def show(_: object) -> None:
            chosen = {name: control.value for name, control in controls.items()}
            try:
                view.value = as_html(explore(Settings(**chosen)))
            except EcomTutorError as error:
                view.value = f"<p>{html.escape(str(error))}</p>"

        for control in controls.values():
            control.observe(show, names="value")
        row = HBox(list(controls.values()), layout=Layout(flex_flow="row wrap"))
        return VBox([HTML(f"<p>{_TITLE}</p>"), row, view])


def as_html(seen: Explored) -> str:
    """Table, sentence and text, as HTML that needs no script and no style sheet."""
    return (
        f"{_table_html(seen)}<p>{html.escape(what_it_shows(seen))}</p>"
        f"<p>{_marked(seen)}<strong>{html.escape(_visible(seen.continuation))}</strong></p>"
    )


@cache
def _writer(language: str) -> Writer:
    from ecomtutor import models, transformer

    if language == "en":
        smollm2 = models.load_generator("en")
        return Writer(smollm2.tokenizer, transformer.Llama.from_pretrained("smollm2"), ())
    shop = models.load_shop_gpt()
    model = transformer.Gpt.from_pretrained(shop.located.folder)
    return Writer(shop.tokenizer, model, (shop.tokenizer.eos_token_id,))


def _known(language: str) -> str:
    if language not in PROMPTS:
        raise EcomTutorError(f"The language is one of {list(PROMPTS)}; {language!r} came.")
    return language


def _prompt(settings: Settings) -> str:
    return settings.prompt.strip() or PROMPTS[settings.language]


def _ids(tokenizer: PreTrainedTokenizerBase, prompt: str) -> list[int]:
    ids: list[int] = tokenizer(prompt)["input_ids"]
    if len(ids) > _LONGEST:
        raise EcomTutorError(f"A prompt has at most {_LONGEST} tokens here; {len(ids)} came.")
    return ids


def _filtered(logits: Tensor, settings: Settings) -> Tensor:
    """The logits that `sample` draws from: temperature, then top-k, then top-p."""
    from ecomtutor.transformer import keep_top_k, keep_top_p

    logits = logits / settings.temperature
    if settings.top_k:
        logits = keep_top_k(logits, settings.top_k)
    return keep_top_p(logits, settings.top_p)


def _controls() -> dict[str, Any]:
    """One control for each field of `Settings`, under its name."""
    from ipywidgets import Dropdown, FloatSlider, IntSlider, IntText, Text

    look: dict[str, Any] = {
        "style": {"description_width": "initial"},
        "layout": {"width": "24em", "margin": "0.2em 1.5em 0.2em 0"},
    }
    # A text costs a second: it is written when the reader lets go, not at every step of a slider.
    slow = look | {"continuous_update": False}
    languages = [("English: SmolLM2", "en"), ("中文: shop-gpt-mini", "zh")]
    controls = {
        "language": Dropdown(options=languages, description="Model", **look),
        "prompt": Text(description="Prompt", placeholder="empty: the example", **slow),
        "temperature": FloatSlider(min=0.1, max=2, step=0.1, description="Temperature", **slow),
        "top_k": IntSlider(min=0, max=50, description="Top-k (0: all)", **slow),
        "top_p": FloatSlider(min=0.05, max=1, step=0.05, description="Top-p", **slow),
        "seed": IntText(description="Seed", **look),
    }
    for name, control in controls.items():
        control.value = getattr(Settings(), name)
    return controls


def _texts(language: str) -> list[tuple[str, str]]:
    """What each of the shown settings writes."""
    return [
        (name, _visible(explore(replace(chosen, language=language)).continuation))
        for name, chosen in SHOWN.items()
    ]


def _visible(text: str) -> str:
    """A token's text with its space and line break shown; bytes of half a character are named."""
    if text.strip("\ufffd") == "" and text:
        return "(part of a character)"
    shown = text.replace("\n", "⏎").replace("\ufffd", "▯")
    return f"␣{shown[1:]}" if shown.startswith(" ") else shown


def _cells(seen: Explored) -> list[tuple[str, str, str]]:
    return [
        (token.text, f"{token.before:.3f}", f"{token.after:.3f}" if token.after else "–")
        for token in seen.tokens
    ]


def _text_table(seen: Explored) -> str:
    # Chinese characters are two columns wide: the token stands last, where nothing must line up.
    rows = [_HEAD, *_cells(seen)]
    return "\n".join(f"{before:>11}  {after:>18}  {text}" for text, before, after in rows)


def _table_html(seen: Explored) -> str:
    return _html_table(_HEAD, [[html.escape(cell) for cell in row] for row in _cells(seen)])


def _marked(seen: Explored) -> str:
    return html.escape(_visible(seen.prompt))


def _html_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    style = "padding:0.2em 0.8em;text-align:left"
    top = "".join(f'<th scope="col" style="{style}">{text}</th>' for text in head)
    body = "".join(
        "<tr>" + "".join(f'<td style="{style}">{cell}</td>' for cell in row) + "</tr>"
        for row in rows
    )
    return (
        '<table style="border-collapse:collapse;margin:0.5em 0;color:inherit">'
        f"<thead><tr>{top}</tr></thead><tbody>{body}</tbody></table>"
    )
