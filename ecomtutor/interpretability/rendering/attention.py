"""Attention as pictures: who looks at whom in one head, and all heads at once."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from ecomtutor.errors import EcomTutorError
from ecomtutor.interpretability.rendering.picture import (
    FAINT,
    GREY,
    INK,
    PAPER,
    UP,
    Picture,
    drawn,
    escaped,
    folded,
    painted,
    paper,
    tint,
    visible,
)

ROW, ACROSS = 20, 200  # pixels
MOST_BYTES = 1_000_000
MOST_LINES = 3000
_DECIMALS = 5
_LOOKS = ("first token", "itself", "the one before", "the one after", "last token")


def attention_arcs(
    weights: Any,
    tokens: Sequence[str],
    *,
    least: float = 0.1,
    only: "Sequence[int] | None" = None,
    title: str = "Attention",
) -> Picture:
    """Who looks at whom: the token that looks on the left, what it looks at on the right.

    The thicker and darker a line, the larger the weight; the thickest is the largest one.

    Args:
        weights: (tokens, tokens), at least zero: row i holds what token i looks at.
        tokens: their texts, special ones included.
        least: weights below this are not drawn; the table has the three largest of each token.
        only: numbers of the tokens whose looks are drawn; None: all.
        title: what is shown, such as "Layer 3, head 7".

    Raises:
        EcomTutorError: shapes that do not fit, negative or infinite weights, no such token, more
            lines than a picture holds.
    """
    grid = _weights(weights, tokens, 2)
    n = len(tokens)
    only = [only] if isinstance(only, int) else only
    looking = list(range(n)) if only is None else [int(i) for i in only]
    if any(not 0 <= i < n for i in looking):
        raise EcomTutorError(f"Tokens are numbered 0 … {n - 1}; {looking} came.")
    top = float(grid[looking].max(initial=0.0))
    lines = [(i, j) for i in looking for j in range(n) if grid[i, j] >= least and grid[i, j] > 0]
    if not least >= 0 or len(lines) > MOST_LINES:
        raise EcomTutorError(
            f"Weights of least={least:g} or more make {len(lines):,} lines, of which nobody sees "
            f"more than {MOST_LINES:,}. Give `least` a larger value, or some tokens as `only`."
        )
    curves = "".join(_line(i, j, grid[i, j] / top) for i, j in lines)
    picture = drawn(curves, ACROSS, n * ROW, "lines from each token to those that it looks at")
    said = f"{len(lines)} weights of {least:g} or more are drawn; the thickest is {top:.2f}."
    heading = f"<div><b>{escaped(title)}</b>: left looks at right. {said}</div>"
    rows = [[f"{i} {visible(tokens[i])}", _strongest(grid, tokens, i)] for i in looking]
    table = folded("The three largest weights of each token", ["token", "looks at"], rows)
    words = [f"{title}: what each token looks at most"]
    words += [_most(grid, tokens, i) for i in looking]
    body = heading + _columns(tokens, picture, set(looking)) + table
    return Picture(paper(body, f"{title}, {n} tokens"), "\n".join(words))


def head_grid(
    weights: Any,
    tokens: Sequence[str],
    *,
    layers: "Sequence[int] | None" = None,
    heads: "Sequence[int] | None" = None,
    title: str = "Attention of every head",
) -> Picture:
    """All heads at once, a layer a row: in each square, down who looks, across what it looks at.

    Weights are shown in 16 shades with equal steps of their square root, so that small ones are
    seen; in 4 shades where 16 would make more than a megabyte.

    Args:
        weights: (layers, heads, tokens, tokens), each at least zero and at most 1.
        tokens: their texts, special ones included.
        layers, heads: their numbers, where weights hold a part of a model's; None: from 0.
        title: what is shown.

    Raises:
        EcomTutorError: shapes that do not fit, weights outside 0 … 1, more than a megabyte.
    """
    grid = _weights(weights, tokens, 4)
    if grid.max() > 1 + 1e-4:
        raise EcomTutorError(f"Shades are for weights of 0 … 1; {grid.max():.3g} came.")
    down = _numbers(layers, grid.shape[0], "layers")
    across = _numbers(heads, grid.shape[1], "heads")
    looks = _looks(grid)
    table = _looks_table(looks, down, across)
    listed = " ".join(f"{i} {visible(token)}" for i, token in enumerate(tokens))
    below = f"{table}<details><summary>The {len(tokens)} tokens</summary>{listed}</details>"
    for shades in (16, 4):
        body = _grid(grid, down, across, shades, title) + below
        html = paper(body, f"{title}: {len(down)} layers of {len(across)} heads")
        if len(html.encode()) <= MOST_BYTES:
            break
    else:
        raise EcomTutorError(
            f"{grid.shape[0]} layers of {grid.shape[1]} heads on {len(tokens)} tokens make a "
            f"picture of {len(html.encode()) / 1e6:.1f} megabytes. Draw some of them: weights"
            "[4:8], layers=[4, 5, 6, 7]."
        )
    return Picture(html, _looks_words(looks, down, across, title))


def _weights(weights: Any, tokens: Sequence[str], dimensions: int) -> np.ndarray:
    if hasattr(weights, "detach"):
        weights = weights.detach().float().numpy()
    try:
        grid = np.asarray(weights, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise EcomTutorError(f"Attention weights are an array of numbers: {error}.") from error
    if not all(isinstance(token, str) for token in tokens):
        raise EcomTutorError("Tokens are texts: tokenizer.convert_ids_to_tokens(ids) makes them.")
    n = len(tokens)
    wanted = "(layers, heads, tokens, tokens)" if dimensions == 4 else "(tokens, tokens)"
    if grid.ndim != dimensions or grid.shape[-2:] != (n, n) or not grid.size:
        raise EcomTutorError(f"Weights {wanted} of {n} tokens are drawn; {grid.shape} came.")
    if not np.isfinite(grid).all() or grid.min() < 0:
        raise EcomTutorError("Attention weights are finite and at least 0; others came.")
    return grid


def _numbers(given: "Sequence[int] | None", count: int, what: str) -> list[int]:
    numbers = list(range(count)) if given is None else [int(i) for i in given]
    if len(numbers) != count:
        raise EcomTutorError(f"{count} {what} have {count} numbers; {len(numbers)} came.")
    return numbers


def _line(i: int, j: int, share: float) -> str:
    y, z = (i + 0.5) * ROW, (j + 0.5) * ROW
    bend = ACROSS // 2
    return (
        f'<path d="M0 {y:g}C{bend} {y:g} {bend} {z:g} {ACROSS} {z:g}" fill="none" stroke="{UP}" '
        f'stroke-width="{0.5 + 4 * share:.1f}" opacity="{0.25 + 0.75 * share:.2f}"/>'
    )


def _columns(tokens: Sequence[str], picture: str, looking: set[int]) -> str:
    cell = (
        f"height:{ROW}px;line-height:{ROW}px;padding:0 6px;font-size:13px;white-space:nowrap;"
        f"border:none;background-color:{PAPER};color:"
    )
    rows = []
    for i, token in enumerate(tokens):
        ink = INK if i in looking else GREY
        middle = (
            f'<td rowspan="{len(tokens)}" style="padding:0;border:none;line-height:0;'
            f'background-color:{PAPER};vertical-align:top">{picture}</td>'
        )
        label = visible(token, 16)
        rows.append(
            f'<tr style="background-color:{PAPER}">'
            f'<td style="{cell}{ink};text-align:right">{label}</td>{middle if i == 0 else ""}'
            f'<td style="{cell}{INK};text-align:left">{label}</td></tr>'
        )
    style = f"border-collapse:collapse;margin:6px 0;border:none;background-color:{PAPER}"
    return f'<table style="{style}"><tbody>{"".join(rows)}</tbody></table>'


def _order(row: np.ndarray) -> np.ndarray:
    """Places of the largest weights first; equal but for the last bits, the first one first."""
    return np.argsort(-row.round(5), kind="stable")


def _strongest(grid: np.ndarray, tokens: Sequence[str], i: int) -> str:
    return ", ".join(f"{j} {visible(tokens[j])} {grid[i, j]:.2f}" for j in _order(grid[i])[:3])


def _most(grid: np.ndarray, tokens: Sequence[str], i: int) -> str:
    j = int(_order(grid[i])[0])
    return f"{i} {tokens[i]} → {j} {tokens[j]} {grid[i, j]:.{_DECIMALS}f}"


def _grid(grid: np.ndarray, layers: list[int], heads: list[int], shades: int, title: str) -> str:
    pixels = int(np.clip(760 // len(heads), 56, 320))
    palette = [tint("#08306b", k / (shades - 1)) for k in range(shades)]
    levels = np.rint(np.sqrt(np.clip(grid, 0, 1)) * (shades - 1)).astype(np.uint8)
    cell = f"padding:1px;border:none;background-color:{PAPER};color:{INK};font-size:12px;"
    cell += "line-height:1;text-align:center"
    top = "".join(f'<th scope="col" style="{cell}">head {h}</th>' for h in heads)
    rows = [f'<tr style="background-color:{PAPER}"><th style="{cell}"></th>{top}</tr>']
    for layer, of_layer in zip(layers, levels, strict=True):
        squares = "".join(
            f'<td style="{cell};border:1px solid #c3cbd2">'
            f"{painted(square, palette, pixels, f'layer {layer}, head {head}')}</td>"
            for head, square in zip(heads, of_layer, strict=True)
        )
        name = f'<th scope="row" style="{cell};white-space:nowrap">layer {layer}</th>'
        rows.append(f'<tr style="background-color:{PAPER}">{name}{squares}</tr>')
    style = f"border-collapse:collapse;margin:6px 0;border:none;background-color:{PAPER}"
    return (
        f"<div><b>{escaped(title)}</b>. In each square, down: the token that looks; across: what "
        f'it looks at.</div><table style="{style}"><tbody>{"".join(rows)}</tbody></table>'
        f"<div>{_scale(palette)} &nbsp; {shades} shades, equal steps of the square root.</div>"
    )


def _scale(palette: list[str]) -> str:
    """Five shades with the weights that they stand for."""
    last = len(palette) - 1
    chosen = sorted({round(last * share) for share in (0, 0.25, 0.5, 0.75, 1)})
    return " ".join(
        f'<span style="background-color:{palette[k]};border:1px solid {FAINT};padding:0 9px">'
        f"</span> {(k / last) ** 2:.2f}"
        for k in chosen
    )


def _looks(grid: np.ndarray) -> np.ndarray:
    """Mean weight (layers, heads, 5) on the first token, itself, its neighbours, the last."""
    n = grid.shape[-1]
    itself = np.einsum("lhii->lhi", grid).mean(-1)
    before = np.einsum("lhii->lhi", grid[..., 1:, :-1]).sum(-1) / n
    after = np.einsum("lhii->lhi", grid[..., :-1, 1:]).sum(-1) / n
    first, last = grid[..., 0].mean(-1), grid[..., -1].mean(-1)
    return np.stack([first, itself, before, after, last], axis=-1)


def _looks_table(looks: np.ndarray, layers: list[int], heads: list[int]) -> str:
    rows = [
        [f"{layer}.{head}", *(f"{value:.2f}" for value in looks[i, j])]
        for i, layer in enumerate(layers)
        for j, head in enumerate(heads)
    ]
    return folded("Where each head looks, as mean weights", ["layer.head", *_LOOKS], rows)


def _looks_words(looks: np.ndarray, layers: list[int], heads: list[int], title: str) -> str:
    lines = [f"{title}: mean weights of each head on {', '.join(_LOOKS)}"]
    for i, layer in enumerate(layers):
        for j, head in enumerate(heads):
            numbers = "  ".join(f"{value:.{_DECIMALS}f}" for value in looks[i, j])
            lines.append(f"layer {layer} head {head}  {numbers}")
    return "\n".join(lines)
