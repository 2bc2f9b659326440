"""How long a user waits before anything happens: `import lockgate`, `lockgate --help`, and the size of the wheel.

    .venv/bin/python bench/startup.py [--runs 15] [--json]

Each figure is the median of whole processes, bare Python beside it in turn, because machines are noisy.
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
COMMANDS = {
    "bare python": [sys.executable, "-c", "pass"],
    "import lockgate": [sys.executable, "-c", "import lockgate"],
    "lockgate --help": [sys.executable, "-m", "lockgate", "--help"],
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=15)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    times: dict[str, list[float]] = {name: [] for name in COMMANDS}
    for _ in range(arguments.runs + 1):
        for name, command in COMMANDS.items():
            began = time.perf_counter()
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
            times[name].append(1_000 * (time.perf_counter() - began))
    medians = {name: statistics.median(values[1:]) for name, values in times.items()}
    size = wheel_bytes()
    if arguments.json:
        print(json.dumps({"ms": medians, "wheel_bytes": size}))
        return
    print(
        f"{platform.machine()}, {os.cpu_count()} CPUs, Python {platform.python_version()}, {arguments.runs} runs each"
    )
    for name, value in medians.items():
        print(f"{name:<18}{value:>8.0f} ms")
    print(f"{'wheel':<18}{size / 1e6:>8.2f} MB")


def wheel_bytes() -> int:
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder]
        subprocess.run(command, check=True, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        return next(Path(folder).glob("*.whl")).stat().st_size


if __name__ == "__main__":
    main()
