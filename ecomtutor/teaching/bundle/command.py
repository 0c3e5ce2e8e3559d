"""``ecomtutor bundle``: the folder on a stick that sets up a class."""

import argparse
import sys
import time
from pathlib import Path
from typing import Any


def add_bundle(commands: Any) -> None:
    """Add the command to the parser's subcommands."""
    bundle = commands.add_parser("bundle", help="one folder that sets up laptops without a network")
    bundle.add_argument("--out", type=Path, required=True, metavar="FOLDER", help="empty, or begun")
    bundle.add_argument(
        "--platform",
        action="append",
        metavar="NAME",
        help="linux-x86_64, linux-arm64, macos-arm64, macos-x86_64 or windows-x86_64; may be given "
        "several times; default: this machine",
    )
    bundle.add_argument(
        "--python", action="append", metavar="3.N", help="Python of the laptops; default: this one"
    )
    bundle.add_argument(
        "--torch-index", metavar="URL", help="on Linux: https://download.pytorch.org/whl/cpu"
    )
    bundle.set_defaults(run=_bundle)


def _bundle(arguments: argparse.Namespace) -> int:
    from ecomtutor.teaching.bundle.make import make_bundle
    from ecomtutor.teaching.bundle.targets import Target, this_machine

    platforms = arguments.platform or [this_machine().platform]
    pythons = arguments.python or [f"{sys.version_info.major}.{sys.version_info.minor}"]
    wanted = {(p, v): Target(p, v) for p in platforms for v in pythons}
    start, clone = time.monotonic(), Path(__file__).resolve().parents[3]
    made = make_bundle(
        clone, arguments.out, list(wanted.values()), torch_index=arguments.torch_index
    )
    seconds = time.monotonic() - start
    print(
        f"{made.folder}: {made.files} files, {made.size / 1e9:.2f} GB, for "
        f"{', '.join(t.name for t in made.targets)}; {seconds:.0f} s. "
        "Try it on one laptop before class: sh set_up.sh"
    )
    return 0
