"""The last two steps of the training, for `lockgate record`: the package's files from what was trained, calibrated.

Usage, in a project that holds `training`, `src`, `tools`, `corpus`, `packages`, `data` and `work`:
    lockgate record --input training ... --input work --output build -- python training/release.py
"""

import runpy
import shutil
import sys
import tempfile
from pathlib import Path

STEPS = (
    ("export", "--work", "{work}", "--package", "build"),
    ("calibrate", "--data", "data", "--package", "build"),
)


def main() -> None:
    """Run both; what they leave beside the package is thrown away."""
    # The isolated job finds the project's folders where it stands, and may write to its output and here only.
    sys.path[:0] = [".", "src", "packages/guard-model/src"]
    with tempfile.TemporaryDirectory() as folder:
        work = shutil.copytree("work", Path(folder) / "work")
        for step in STEPS:
            sys.argv = ["training", *(part.format(work=work) for part in step)]
            try:
                runpy.run_module("training", run_name="__main__")
            except SystemExit as end:
                if end.code:
                    raise


if __name__ == "__main__":
    main()
