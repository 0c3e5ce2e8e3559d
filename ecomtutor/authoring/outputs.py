"""Cell outputs without what changes from run to run: chunks, addresses, model ids, temp paths."""

import re
import tempfile
from collections.abc import Iterable
from typing import Any

Output = dict[str, Any]
"""One entry of a code cell's `outputs`, as nbformat 4 describes it."""

PICTURES = {"image/png", "image/jpeg", "image/gif", "image/svg+xml"}
PICTURE_IN_HTML = '<figure class="ecomtutor-picture"'
"""How our own pictures in HTML begin (`interpretability.rendering`); their numbers are in words."""
WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"

_TEMP_ROOTS = "|".join(
    [
        re.escape(tempfile.gettempdir()) + r"[\\/]",
        r"(?:/private)?/(?:tmp|var/tmp|var/folders)/",
        r"[A-Za-z]:\\[^\s\"'<>:]*\\Temp\\",
    ]
)
_MASKS = (
    (re.compile(r"(?<=\bat )0x[0-9a-fA-F]+"), "0x…"),
    (re.compile(r"(?<=IPY_MODEL_)[0-9a-f]{32}"), "…"),
    (re.compile(r"(model_id[\"']?\s*[:=]\s*[\"']?)[0-9a-f]{32}"), r"\1…"),
    # The colon ends a path so that "file.py:12: UserWarning" keeps its line number.
    (re.compile(rf"(?<![\w.])(?:{_TEMP_ROOTS})[^\s\"'<>:]+"), "/tmp/…"),
)


def mask(text: str) -> str:
    """Replaces memory addresses, widget model ids and temporary paths by fixed stand-ins."""
    for pattern, stand_in in _MASKS:
        text = pattern.sub(stand_in, text)
    return text


def merge_streams(outputs: Iterable[Output]) -> list[Output]:
    """Joins the chunks of one stream that no figure, table or error separates.

    How a kernel cuts its streams, and which of stdout and stderr arrives first, is chance; what
    was printed before and after a figure is not. So streams join between two other outputs only,
    stdout before stderr. Text that a carriage return or a backspace wrote over is dropped.

    Args:
        outputs: a code cell's outputs; left as they are.

    Returns:
        New list; outputs other than streams are the same objects.
    """
    merged: list[Output] = []
    streams: dict[str, Output] = {}
    for output in outputs:
        if output["output_type"] == "stream":
            stream = streams.setdefault(output["name"], type(output)(output, text=""))
            stream["text"] += output["text"]
        else:
            merged += [*_finished(streams), output]
            streams = {}
    return merged + _finished(streams)


def _finished(streams: dict[str, Output]) -> list[Output]:
    for stream in streams.values():
        stream["text"] = "\n".join(map(_as_a_screen_shows, stream["text"].split("\n")))
    return [streams[name] for name in sorted(streams, reverse=True) if streams[name]["text"]]


def _as_a_screen_shows(line: str) -> str:
    rewritten = [part for part in line.split("\r") if part]
    line = rewritten[-1] if rewritten else ""
    while "\b" in line:
        line = re.sub(r"^\x08+|[^\x08]\x08", "", line)
    return line
