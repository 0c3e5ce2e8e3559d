"""The explorer of lesson 03: a text of the reader's, and the pieces that real tokenizers cut."""

from __future__ import annotations

import html
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ecomtutor.errors import EcomTutorError
from ecomtutor.widgets.core import StaticAndLive

if TYPE_CHECKING:
    from ecomtutor.text import Piece

NAMES = {
    "wordpiece-en": "WordPiece, English (MiniLM)",
    "wordpiece-zh": "WordPiece, Chinese (m3e-small)",
    "byte-bpe": "BPE over bytes (SmolLM2)",
}
EXAMPLES = (
    "Bluetooth earphones, IPX7 waterproof",
    "蓝牙耳机，防水",
    "蓝牙耳机 IPX7 防水",
)
LONGEST = 1000
POSITIONS = 512
_UNKNOWN = "[UNK]"

_TITLE = "Tokenizer explorer: what does a model see of a text? Each box is one token."


@dataclass(frozen=True)
class Settings:
    """The controls: a text, a name of NAMES, and whether the text is put in lower case first."""

    text: str = EXAMPLES[-1]
    tokenizer: str = "wordpiece-zh"
    lowercase: bool = False


@dataclass(frozen=True)
class Explored:
    """The text as the tokenizer got it, and its pieces without special tokens."""

    text: str
    pieces: tuple[Piece, ...]

    @property
    def unknown(self) -> int:
        """How many pieces stand for something that the vocabulary does not have."""
        return sum(piece.token == _UNKNOWN for piece in self.pieces)

    @property
    def broken(self) -> int:
        """How many characters are spread over more than one piece, as bytes."""
        whole = [i for piece in self.pieces for i in range(piece.start, piece.end)]
        return sum(whole.count(i) > 1 for i in set(whole))


def tokenizer_explorer() -> TokenizerExplorer:
    """The explorer of lesson 03, to be shown as the last expression of a cell."""
    return TokenizerExplorer()


def explore(settings: Settings) -> Explored:
    """The pieces of a text.

    Raises:
        EcomTutorError: an unknown tokenizer, or a text longer than `LONGEST` characters.
        MissingResource: the tokenizer's model is not on this machine yet.
    """
    from ecomtutor.text import pieces

    if len(settings.text) > LONGEST:
        raise EcomTutorError(
            f"Up to {LONGEST:,} characters fit here; {len(settings.text):,} came. Shorten the text."
        )
    text = settings.text.lower() if settings.lowercase else settings.text
    return Explored(text, tuple(pieces(text, settings.tokenizer)))


def what_it_shows(seen: Explored) -> str:
    """The one sentence that says what the reader sees now."""
    if not seen.pieces:
        return "Nothing to cut: type a text."
    if seen.unknown:
        are = "is" if seen.unknown == 1 else "are"
        return (
            f"{seen.unknown} of {len(seen.pieces)} tokens {are} unknown: whatever stood there, the "
            "model sees the same [UNK]."
        )
    if seen.broken:
        return (
            f"Nothing is unknown, but {_counted(seen.broken, 'character')} had to be broken into "
            "bytes: the text costs more tokens, and no single one of them means anything."
        )
    return (
        f"Nothing is unknown and no character is broken: {len(seen.text) / len(seen.pieces):.1f} "
        "characters to a token."
    )


class TokenizerExplorer(StaticAndLive):
    """Controls over `explore` in a live notebook; elsewhere a table of examples and one text."""

    def __repr__(self) -> str:
        seen = explore(Settings())
        rows = [" | ".join(row) for row in _summary()]
        tokens = "  ".join(f"{piece.token} {piece.start}–{piece.end}" for piece in seen.pieces)
        return "\n\n".join([_TITLE, "\n".join(rows), tokens, _facts(seen), what_it_shows(seen)])

    def _repr_html_(self) -> str:
        default = Settings()
        shown = f"{html.escape(default.text)}, cut by {NAMES[default.tokenizer]}:"
        return (
            f"<section><p>{_TITLE}</p>{_table(_summary())}<p>{shown}</p>"
            f"{as_html(explore(default))}</section>"
        )

    def widget(self) -> Any:
        """The controls above the pieces, an `ipywidgets.VBox`."""
        from ipywidgets import HTML, VBox

        controls = _controls()
        view = HTML(as_html(explore(Settings())))

        def show(_: object) -> None:
            chosen = {name: control.value for name, control in controls.items()}
            try:
                view.value = as_html(explore(Settings(**chosen)))
            except EcomTutorError as error:
                view.value = f"<p><strong>{html.escape(str(error))}</strong></p>"

        for control in controls.values():
            control.observe(show, names="value")
        return VBox([HTML(f"<p>{_TITLE}</p>"), *controls.values(), view])


def as_html(seen: Explored) -> str:
    """The pieces as boxes with the characters that they cover, the counts and the sentence."""
    boxes = "".join(_box(seen.text, piece) for piece in seen.pieces)
    return f"<div>{boxes}</div><p>{_facts(seen)}</p><p><strong>{what_it_shows(seen)}</strong></p>"


def _box(text: str, piece: Piece) -> str:
    style = (
        "display:inline-block;border:1px solid currentColor;border-radius:4px;margin:2px;"
        "padding:2px 6px;text-align:center;line-height:1.4"
    )
    if piece.token == _UNKNOWN:  # both colours are set, so that it reads in any theme
        style += ";background-color:#b5362c;color:#ffffff"
    covered = text[piece.start : piece.end].replace(" ", "␣")
    below = f"{html.escape(covered)} {piece.start}–{piece.end}"
    return (
        f'<span style="{style}"><b>{html.escape(piece.token)}</b><br>'
        f'<small title="number {piece.id}">{below}</small></span>'
    )


def _controls() -> dict[str, Any]:
    """One control for each field of `Settings`, under its name."""
    from ipywidgets import Checkbox, Dropdown, Textarea

    look: dict[str, Any] = {"style": {"description_width": "8em"}, "layout": {"width": "42em"}}
    default = Settings()
    return {
        "text": Textarea(value=default.text, description="Text", rows=3, **look),
        "tokenizer": Dropdown(
            options=[(label, name) for name, label in NAMES.items()],
            value=default.tokenizer,
            description="Tokenizer",
            **look,
        ),
        "lowercase": Checkbox(value=default.lowercase, description="Lower case first", **look),
    }


def _facts(seen: Explored) -> str:
    size = len(seen.text.encode("utf-8"))
    return (
        f"{_counted(len(seen.text), 'character')}, {_counted(size, 'byte')}, "
        f"{_counted(len(seen.pieces), 'token')} of the {POSITIONS} that MiniLM and m3e-small can "
        f"take, {seen.unknown} unknown."
    )


def _counted(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def _summary() -> list[list[str]]:
    rows = [["text", "characters", *NAMES.values()]]
    for text in EXAMPLES:
        seen = [explore(Settings(text, name)) for name in NAMES]
        rows.append([text, str(len(text)), *map(_tokens, seen)])
    return rows


def _tokens(seen: Explored) -> str:
    unknown = f", {seen.unknown} unknown" if seen.unknown else ""
    return f"{_counted(len(seen.pieces), 'token')}{unknown}"


def _table(rows: list[list[str]]) -> str:
    style = 'style="padding:0.2em 0.7em;text-align:left"'
    head = "".join(f'<th scope="col" {style}>{cell}</th>' for cell in rows[0])
    body = "".join(
        "<tr>" + "".join(f"<td {style}>{html.escape(cell)}</td>" for cell in row) + "</tr>"
        for row in rows[1:]
    )
    return (
        '<table style="border-collapse:collapse;margin:0.5em 0;color:inherit">'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    )
