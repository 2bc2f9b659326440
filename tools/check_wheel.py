"""Builds both wheels and fails when one is too large, lacks a data file or holds one that it should not."""

import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import NamedTuple


class Package(NamedTuple):
    """A wheel to build: where, its module, how many bytes it stays below, and what it must hold."""

    folder: str
    module: str
    limit: int
    needed: tuple[str, ...]


PACKAGES = (
    Package(
        ".",
        "lockgate",
        3_000_000,
        (
            "py.typed",
            "pipeline/templates/lockgate.yaml.j2",
            "redteam/corpus/attacks_seen.jsonl",
            "detect/pii_words.txt",
            "detect/english.txt",
        ),
    ),
    Package(
        "packages/guard-model",
        "lockgate_guard_model",
        45_000_000,
        ("settings.json", "linear.npy", "encoder.onnx", "pieces.model", "embeddings.npy"),
    ),
)


def main() -> int:
    wrong = [f"{package.module}: {fault}" for package in PACKAGES for fault in check(package)]
    print(*wrong, sep="\n", end="\n" if wrong else "")
    return 1 if wrong else 0


def check(package: Package) -> list[str]:
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd=package.folder)
        [wheel] = Path(folder).glob("*.whl")
        size, names = wheel.stat().st_size, set(zipfile.ZipFile(wheel).namelist())
    print(f"{wheel.name}: {size:,} bytes, {len(names)} files.")
    wrong = [f"lacks {name}" for name in package.needed if f"{package.module}/{name}" not in names]
    wrong += [f"holds {name}" for name in names if not name.startswith((f"{package.module}/", f"{package.module}-"))]
    return [*wrong, *([f"is {size:,} bytes, not below {package.limit:,}"] if size >= package.limit else [])]


if __name__ == "__main__":
    sys.exit(main())
