"""Fails unless every branch of the layers that everything rests on is covered by a test."""

import json
import subprocess
import sys

LAYERS = ("core", "policy", "evidence")
WHOLE = 100


def main() -> int:
    command = [sys.executable, "-m", "coverage", "json", "-q", "-o", "-"]
    report = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    short = {
        name: facts["missing_lines"] + facts["missing_branches"]
        for name, facts in report["files"].items()
        if any(f"lockgate/{layer}/" in name for layer in LAYERS) and facts["summary"]["percent_covered"] < WHOLE
    }
    for name, missing in short.items():
        print(f"{name}: not covered: {missing}")
    if not short:
        print(f"Every branch of {', '.join(LAYERS)} is covered.")
    return 1 if short else 0


if __name__ == "__main__":
    sys.exit(main())
