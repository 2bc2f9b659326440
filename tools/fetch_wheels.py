"""Downloads the wheels from which the pickle allow-lists were made, into a folder.

Run `python tools/fetch_wheels.py FOLDER [NAME==VERSION ...]`. Without names it takes the versions that the lists state.
Wheels are only downloaded, never installed; what lies in the folder already is not asked for again. Some of them are
large: all together several GB. Those with a label such as `+cpu` are not on PyPI: fetch them from their makers by hand.
"""

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LISTS = ROOT / "src/lockgate/detect/allow"
CURATED = Path(__file__).with_name("allow_curated.json")
PYTHONS = ("3.13", "3.12", "3.11", "3.10", "3.9")
"""Versions of Python to ask for: no release has wheels for all of them."""


def stated() -> list[str]:
    """`NAME==VERSION` of every wheel that the lists state, once each."""
    found: dict[str, None] = {}
    for rules in json.loads(CURATED.read_text("utf-8")):
        versions = json.loads((LISTS / f"{rules['framework']}.json").read_text("utf-8"))["versions"]
        found.update(dict.fromkeys(f"{name}=={version}" for name in rules["wheels"] for version in versions))
    return list(found)


def is_there(folder: Path, wanted: str) -> bool:
    name, _, version = wanted.partition("==")
    return any(folder.glob(f"{name.replace('-', '_')}-{version}-*.whl"))


def download(folder: Path, wanted: str) -> bool:
    """Ask for one wheel, with the newest Python first."""
    for python in PYTHONS:
        command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet", "download", wanted]
        command += ["--no-deps", "--only-binary=:all:", "--python-version", python, "--dest", str(folder)]
        if subprocess.run(command, check=False, capture_output=True).returncode == 0:
            return True
    return False


def main() -> int:
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    missing = []
    for wanted in sys.argv[2:] or stated():
        there = is_there(folder, wanted)
        print(f"{wanted}: {'there' if there else 'downloading'}", flush=True)
        if not there and not download(folder, wanted):
            missing.append(wanted)
    for wanted in missing:
        print(f"{wanted} could not be downloaded, so its list stays as it is. Put the wheel into {folder} by hand.")
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
