"""LaTeX formulas as MathML, which browsers draw without a script or a font from the web."""

from __future__ import annotations

import re

from ecomtutor.authoring.decks.source import DeckError

# latex2mathml 3.81 drops an environment that it does not know and keeps its content.
_ENVIRONMENTS = frozenset(
    {"align", "align*", "array", "cases", "split", "matrix", "smallmatrix"}
    | {f"{fence}matrix" for fence in "pbBvV"}
)
_ENVIRONMENT = re.compile(r"\\begin\{([^}]*)\}")
_BRACE = re.compile(r"(?<!\\)(?:\\\\)*([{}])")
# As an operator a name would be set apart from its own bracket: softmax (x).
_NAME = re.compile(r"<mo>([A-Za-z]{2,})</mo>")
_UNKNOWN = re.compile(r">(\\[A-Za-z]+|&)<")


def to_mathml(latex: str, *, display: bool) -> str:
    r"""Turn a formula into MathML, refusing what the converter would silently spoil.

    Args:
        latex: the text between the dollar signs, for example ``\frac{a}{b}``.
        display: True for a formula on its own line, False for one inside a sentence.

    Returns:
        A ``<math>`` element.

    Raises:
        DeckError: for unbalanced braces, an unknown command or environment, a stray ``&``,
            or anything that latex2mathml refuses.
    """
    from latex2mathml.converter import convert

    _check_source(latex)
    try:
        mathml = convert(latex, display="block" if display else "inline")
    except Exception as error:  # its error classes share no base below Exception
        raise _broken(latex, str(error) or type(error).__name__) from error
    if unknown := _UNKNOWN.search(mathml):
        what = "`&` outside of align* or a matrix" if unknown[1] == "&" else unknown[1]
        raise _broken(latex, f"unknown {what}")
    return _NAME.sub(r"<mi>\1</mi>", mathml)


def _check_source(latex: str) -> None:
    depth = 0
    for brace in _BRACE.findall(latex):
        depth += 1 if brace == "{" else -1
        if depth < 0:
            break
    if depth:
        raise _broken(latex, "the braces { } do not match")
    for name in _ENVIRONMENT.findall(latex):
        if name not in _ENVIRONMENTS:
            known = ", ".join(sorted(_ENVIRONMENTS))
            raise _broken(latex, f"unknown environment {name!r}; use one of {known}")


def _broken(latex: str, reason: str) -> DeckError:
    return DeckError(f"broken formula `{latex.strip()}`: {reason}")
