"""Builds the wheel and fails when it is 3 MB or larger, lacks a data file or holds one that it should not."""

import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

LIMIT = 3_000_000
NEEDED = (
    "lockgate/py.typed",
    "lockgate/pipeline/templates/lockgate.yaml.j2",
    "lockgate/redteam/corpus/attacks_seen.jsonl",
)


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        [wheel] = Path(folder).glob("*.whl")
        size, names = wheel.stat().st_size, set(zipfile.ZipFile(wheel).namelist())
    wrong = [f"lacks {name}" for name in NEEDED if name not in names]
    wrong += [f"holds {name}" for name in names if not name.startswith(("lockgate/", "lockgate-"))]
    wrong += [f"is {size:,} bytes, more than {LIMIT:,}"] if size >= LIMIT else []
    print(f"{wheel.name}: {size:,} bytes, {len(names)} files.", *wrong, sep="\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
