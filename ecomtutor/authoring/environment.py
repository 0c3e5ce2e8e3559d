"""The environment in which a lesson's kernel runs, the same for the author and for the tests."""

import os
from pathlib import Path


def kernel_environment(data_folder: Path | str) -> dict[str, str]:
    """Variables that make a run repeatable and keep it away from the author's own progress.

    Args:
        data_folder: an empty folder that stands in for the reader's data folder.

    Returns:
        Variables to lay over `os.environ` before the kernel starts.
    """
    return {
        "ECOMTUTOR_DATA": os.fspath(data_folder),
        "ECOMTUTOR_GRADING": "0",
        "HF_HUB_OFFLINE": "1",
        # torch's threads sleep while they wait for each other. Where they spin, as by default, and
        # another program has one of the cores, a small step takes twenty times as long.
        "OMP_WAIT_POLICY": "PASSIVE",
        "TRANSFORMERS_OFFLINE": "1",
        "PYTHONHASHSEED": "0",
    }
