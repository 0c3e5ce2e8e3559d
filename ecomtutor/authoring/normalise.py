"""From an edited lesson to the notebook that is committed: run, numbered, stable to the byte.

    python -m ecomtutor.authoring.normalise notebooks/01_attention_math.ipynb   run and tidy one
    python -m ecomtutor.authoring.normalise                                     … or all
    python -m ecomtutor.authoring.normalise --check                             change nothing
    python -m ecomtutor.authoring.normalise --text notebooks/01_attention_math.ipynb
    python -m ecomtutor.authoring.normalise --from notebooks/01_attention_math.py

`--text` writes the notebook as a percent script beside it, each cell with its id and metadata;
edit it (a new cell is `# %% [markdown] id="l01-new-cell"`), then `--from` makes the notebook of it
and runs it. A script that `jupytext --to py:percent` wrote works too: known cells keep their ids.
"""

import argparse
import copy
import json
import os
import re
import shutil
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import nbformat
from nbformat import NotebookNode

from ..errors import EcomTutorError
from .cells import id_problems, lesson_number
from .environment import kernel_environment
from .outputs import WIDGET_VIEW, Output, mask, merge_streams

CELL_TIMEOUT = 120
"""Seconds that one cell may take."""

_NOTEBOOK_METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
_VOLATILE_METADATA = {
    *("ExecuteTime", "collapsed", "colab", "execution", "heading_collapsed", "id", "outputId"),
    *("papermill", "pycharm", "scrolled", "trusted", "vscode", "widgets"),
}
_ANSI = re.compile(r"\x1b\[[0-9;]*m")


class NotebookRefused(EcomTutorError):
    """A notebook cannot be normalised; its file is as it was."""


def normalise(path: Path) -> dict[str, float]:
    """Executes a notebook and writes it back in its one committed form.

    Args:
        path: an .ipynb file named `NN_slug.ipynb`.

    Returns:
        Seconds that each code cell took, by cell id.

    Raises:
        NotebookRefused: an id is missing, repeated or random, or a cell fails; nothing is written.
    """
    before = _read_bytes(path)
    return _run_and_write(_notebook(path, before), path, before)


def normalise_text(script: Path) -> dict[str, float]:
    """Makes the notebook of a percent script, executes it and writes it beside the script.

    A cell takes the id that its marker names (`# %% id="l01-dot"`). If no marker names any, cells
    take the ids of the cells that jupytext matches to them in the notebook beside the script.

    Args:
        script: a .py file in jupytext's percent format, named `NN_slug.py`.

    Returns:
        Seconds that each code cell took, by cell id.

    Raises:
        NotebookRefused: as `normalise`; nothing is written.
    """
    import jupytext
    from jupytext.combine import combine_inputs_with_outputs

    text = _read_bytes(script).decode("utf-8")
    notebook = jupytext.reads(text, fmt="py:percent")
    path = script.with_suffix(".ipynb")
    before = path.read_bytes() if path.exists() else None
    # A script that names ids says all; guessing could hand the id of a removed cell to a new one.
    if before is not None and not any("id" in cell.metadata for cell in notebook.cells):
        old = _notebook(path, before)
        notebook = combine_inputs_with_outputs(notebook, old, fmt="py:percent")
    return _run_and_write(notebook, path, before)


def write_text(path: Path) -> Path:
    """Writes a notebook as a percent script that keeps ids, tags and nbgrader metadata.

    Args:
        path: an .ipynb file; it is not changed.

    Returns:
        The script, beside the notebook.

    Raises:
        NotebookRefused: the file is no notebook, or a script with other edits is in the way.
    """
    import jupytext

    notebook = _notebook(path, _read_bytes(path))
    for cell in notebook.cells:
        cell.metadata = {"id": cell.get("id", ""), **cell.metadata}
    script = path.with_suffix(".py")
    text = jupytext.writes(notebook, fmt="py:percent").encode("utf-8")
    if script.exists() and script.read_bytes() != text:
        raise NotebookRefused(
            f"{script} exists and differs from the notebook; run --from on it or remove it first."
        )
    write_atomically(script, text, before=None)
    return script


def tidy(notebook: NotebookNode) -> None:
    """Brings everything but the code's results into its one form, in place.

    Numbers code cells 1…n, merges stream chunks, masks what changes from run to run, and drops
    volatile metadata.

    Args:
        notebook: an executed nbformat 4 notebook.
    """
    notebook.update(nbformat=4, nbformat_minor=5)
    notebook["metadata"] = copy.deepcopy(_NOTEBOOK_METADATA)
    number = 0
    for cell in notebook["cells"]:
        cell["metadata"] = _lasting(cell["metadata"])
        if cell["cell_type"] == "code":
            number += 1
            cell["execution_count"] = number
            cell["outputs"] = [_tidy_output(o, number) for o in merge_streams(cell["outputs"])]


def _lasting(metadata: dict[str, Any]) -> dict[str, Any]:
    kept = {key: value for key, value in metadata.items() if key not in _VOLATILE_METADATA}
    if "jupyter" in kept:
        hidden = {key: v for key, v in kept["jupyter"].items() if key != "outputs_hidden"}
        kept["jupyter"] = hidden
    return {key: value for key, value in kept.items() if value not in ([], {})}


def _tidy_output(output: Output, number: int) -> Output:
    kind = output["output_type"]
    if kind == "stream":
        return {**output, "text": mask(output["text"])}
    if kind == "error":
        lines = [mask(entry) for entry in output["traceback"] if not _is_library_frame(entry)]
        return {**output, "evalue": mask(output["evalue"]), "traceback": lines}
    data = dict(output["data"])
    if len(data) > 1:
        data.pop(WIDGET_VIEW, None)
    tidied = {**output, "data": {name: _masked(value) for name, value in data.items()}}
    return {**tidied, "execution_count": number} if kind == "execute_result" else tidied


def _is_library_frame(entry: str) -> bool:
    # Such a frame shows a path and line numbers of the author's machine, and nothing of the cell.
    return _ANSI.sub("", entry).startswith("File ")


def _masked(value: Any) -> Any:
    if isinstance(value, str):
        return mask(value)
    return json.loads(mask(json.dumps(value, ensure_ascii=False)))


def to_bytes(notebook: NotebookNode) -> bytes:
    """The notebook as the file holds it: sorted keys, indent 1, UTF-8, a newline at the end."""
    text: str = nbformat.writes(nbformat.from_dict(notebook))
    return (text.rstrip("\n") + "\n").encode("utf-8")


def write_atomically(path: Path, content: bytes, before: bytes | None) -> None:
    """Replaces a file in one step, so that an interruption leaves the old one or the new one.

    Args:
        path: the file.
        content: what it shall hold.
        before: what it held when the work on it began; None to replace whatever is there.

    Raises:
        NotebookRefused: somebody changed the file in the meantime.
    """
    path = path.resolve()
    draft = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with draft.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        if path.exists():
            shutil.copymode(path, draft)
        if before is not None and path.read_bytes() != before:
            raise NotebookRefused(
                f"{path} was changed while it ran here. Your change is kept; run again."
            )
        os.replace(draft, path)
    finally:
        draft.unlink(missing_ok=True)


def _read_bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise NotebookRefused(f"cannot read {path}: {error.strerror}. Is the name right?") from None


def _notebook(path: Path, content: bytes) -> NotebookNode:
    """Parses without nbformat.read, which would give cells without an id a random one."""
    try:
        notebook = nbformat.reader.reads(content.decode("utf-8"))
        version, cells = notebook["nbformat"], notebook.get("cells", [])
        complete = all({"cell_type", "metadata", "source"} <= cell.keys() for cell in cells)
    except (ValueError, KeyError, TypeError, AttributeError, nbformat.ValidationError) as error:
        raise NotebookRefused(f"{path} is not a notebook ({error!r:.80}); restore it.") from None
    if version != 4 or not cells or not complete:
        raise NotebookRefused(f"{path} is not an nbformat 4 notebook with cells; restore it.")
    return notebook


def _run_and_write(notebook: NotebookNode, path: Path, before: bytes | None) -> dict[str, float]:
    _prepare(notebook, path)
    seconds = _execute(notebook, path)
    tidy(notebook)
    write_atomically(path, to_bytes(notebook), before)
    return seconds


def _prepare(notebook: NotebookNode, path: Path) -> None:
    """Takes over ids that an edited script names, and refuses what must not be run."""
    for cell in notebook["cells"]:
        if "id" in cell["metadata"]:
            cell["id"] = cell["metadata"].pop("id")
    lesson = lesson_number(path)
    if lesson is None:
        raise NotebookRefused(f"{path} is not named NN_slug.ipynb, such as 01_attention_math.ipynb")
    problems = [f"{cell} {problem}" for cell, problem in id_problems(notebook["cells"], lesson)]
    problems += [
        f"{cell.get('id')} is an empty code cell"
        for cell in notebook["cells"]
        if cell["cell_type"] == "code" and not cell["source"].strip()
    ]
    if problems:
        advice = (
            f'Name each cell: --text {path}, write `# %% id="l{lesson}-slug"`, then --from; '
            "remove empty cells."
        )
        raise NotebookRefused("\n".join([f"{path}:", *problems, advice]))
    notebook["nbformat_minor"] = 5
    try:
        nbformat.validate(notebook)
    except nbformat.ValidationError as error:
        raise NotebookRefused(f"{path} is not a valid notebook: {error.message}") from None


def _execute(notebook: NotebookNode, path: Path) -> dict[str, float]:
    """Runs all cells in a fresh kernel; outputs land in `notebook`, times are returned."""
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

    started: dict[str, float] = {}
    seconds: dict[str, float] = {}

    def start(cell: NotebookNode, cell_index: int) -> None:
        started[cell.id] = time.perf_counter()

    def stop(cell: NotebookNode, cell_index: int, execute_reply: object) -> None:
        seconds[cell.id] = time.perf_counter() - started[cell.id]

    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            cell.update(outputs=[], execution_count=None)
    client = NotebookClient(
        notebook,
        timeout=CELL_TIMEOUT,
        kernel_name="python3",
        extra_arguments=["--log-level=ERROR"],
        resources={"metadata": {"path": str(path.resolve().parent)}},
        coalesce_streams=False,
        record_timing=False,
        store_widget_state=False,
        skip_cells_with_tag="",
        on_cell_execute=start,
        on_cell_executed=stop,
    )
    with TemporaryDirectory(ignore_cleanup_errors=True) as data_folder:
        try:
            client.execute(env={**os.environ, **kernel_environment(data_folder)})
        except Exception as error:
            # On Ctrl-C nbclient ends the kernel, and fails over its absence in one of many ways.
            if getattr(client, "_async_cleanup_kernel_future", None) is not None:
                raise KeyboardInterrupt from None
            if not isinstance(error, CellExecutionError | CellTimeoutError | DeadKernelError):
                raise
            failed = next(cell for cell in notebook["cells"] if cell.get("id") == list(started)[-1])
            raise NotebookRefused(_failure(path, failed, error)) from None
    return seconds


def _failure(path: Path, cell: NotebookNode, error: Exception) -> str:
    reason = getattr(error, "traceback", "") or str(error)
    return (
        f"{path}: cell {cell['id']} failed, so the file is as it was.\n\n{cell['source']}\n\n"
        f"{reason}\nMend the cell, or tag it raises-exception if the lesson wants this error."
    )


def first_change(path: Path) -> str | None:
    """Says what `normalise` would change in a notebook beyond the results of its code.

    Args:
        path: an .ipynb file; it is neither executed nor changed.

    Returns:
        A line with the first change, or None if the file has its committed form.

    Raises:
        NotebookRefused: as `normalise`.
    """
    before = _read_bytes(path)
    notebook = _notebook(path, before)
    _prepare(notebook, path)
    tidy(notebook)
    after = to_bytes(notebook)
    if before == after:
        return None
    old, new = before.decode("utf-8").split("\n"), after.decode("utf-8").split("\n")
    pairs = enumerate(zip(old, new, strict=False), start=1)
    changed = next((place for place, pair in pairs if pair[0] != pair[1]), min(len(old), len(new)))
    lines = [" ".join(text[changed - 1 : changed]).strip()[:80] for text in (old, new)]
    return f"{path}:{changed}: {lines[0]!r} would become {lines[1]!r}"


def _report(path: Path, seconds: dict[str, float]) -> None:
    print(f"{path}: {sum(seconds.values()):.1f} s in {len(seconds)} cells")
    for cell in sorted(seconds, key=lambda name: seconds[name], reverse=True)[:3]:
        print(f"  {seconds[cell]:5.1f} s  {cell}")


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m ecomtutor.authoring.normalise",
        description="Execute notebooks and write them in their one committed form.",
    )
    parser.add_argument("paths", nargs="*", type=Path, help="default: notebooks/*.ipynb")
    mode = parser.add_mutually_exclusive_group()
    mode.add_argument("--check", action="store_true", help="execute and change nothing")
    mode.add_argument("--text", action="store_true", help="write each notebook as a script to edit")
    mode.add_argument(
        "--from", dest="script", action="store_true", help="the paths are edited .py scripts"
    )
    arguments = parser.parse_args(argv)
    if not arguments.paths:
        if arguments.script:
            parser.error("--from needs the scripts to read, such as notebooks/01_slug.py")
        arguments.paths = sorted(Path("notebooks").glob("*.ipynb"))
    if not arguments.paths:
        parser.error("no notebooks here: run in the project's root, or name the files")
    return arguments


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command line; returns 1 if a notebook was refused or would change, 130 on Ctrl-C."""
    arguments = _arguments(argv)
    failures = 0
    for path in arguments.paths:
        try:
            if arguments.check:
                change = first_change(path)
                print(change or f"{path}: as committed")
                failures += change is not None
            elif arguments.text:
                print(write_text(path))
            else:
                _report(path, normalise_text(path) if arguments.script else normalise(path))
        except NotebookRefused as error:
            print(error, file=sys.stderr)
            failures += 1
        except KeyboardInterrupt:
            print(f"interrupted: {path} and what follows are as they were", file=sys.stderr)
            return 130
    return min(failures, 1)


if __name__ == "__main__":
    sys.exit(main())
