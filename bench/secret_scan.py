"""How many secrets are found, whole, and how many clean texts are flagged; beside it the peers that are installed.

    .venv/bin/python bench/secret_scan.py [--set A|B] [--each 3] [--misses] [--json]
        [--detect-secrets PYTHON] [--gitleaks PROGRAM]

Every format is made at run time, with valid sums, in two sets of contexts: patterns are tuned on set A, set B is for
the report. `--misses` works on set A only. A peer runs in its own environment: `--detect-secrets` names that Python,
`--gitleaks` the program.
"""

import argparse
import json
import os
import platform
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "detect"))

import secret_contexts
import secret_samples

from lockgate.detect import find_secrets
from lockgate.detect.secret_formats import FORMATS
from lockgate.detect.secret_vendors import LABELS

Case = tuple[str, str, str]  # kind, text, secret; the secret is empty in a clean text
_PEER = """
import json, sys
from detect_secrets import SecretsCollection
from detect_secrets.settings import default_settings
folder, count = sys.argv[1], int(sys.argv[2])
with default_settings():
    for number in range(count):
        found = SecretsCollection()
        found.scan_file(f"{folder}/{number}.txt")
        print(json.dumps(sorted({secret.secret_value for _, secret in found})))
"""


def cases(name: str, each: int) -> list[Case]:
    source = random.Random(f"set {name}")
    return [*_formats(name, each, source), *_values(name, each, source), *_clean(name, each, source)]


def _formats(name: str, each: int, source: random.Random) -> list[Case]:
    found: list[Case] = []
    for label in (known.label.removeprefix("secret.") for known in FORMATS):
        for number in range(each):
            text, secret = secret_samples.make(label, source)
            if text == secret and len(secret) < 400:
                build = source.choice(
                    (
                        *secret_contexts.PLANTED[name],
                        *(secret_contexts.SPLIT[name] if number == 0 and len(secret) > 30 else ()),
                    )
                )
                found.append(("format", build(text), secret))
            else:
                found.append(("format", f"See below.\n{text}\n", secret))
    return found


def _values(name: str, each: int, source: random.Random) -> list[Case]:
    found: list[Case] = []
    for context in secret_contexts.NAMED[name]:
        for _ in range(each * 4):
            secret = (secret_contexts.password if _is_password(context) else secret_contexts.token)(source)
            found.append(("assigned", context.replace("{{", "{").replace("}}", "}").replace("{v}", secret), secret))
    for vendor in (label.removeprefix("secret.").removesuffix("-credential") for label in LABELS):
        secret = secret_contexts.token(source)
        found.append(("vendor", f"{vendor.upper()}_API_KEY={secret}", secret))
    for kind in ("", "RSA ", "EC ", "OPENSSH ", "ENCRYPTED "):
        for build in secret_contexts.BLOCKS[name]:
            secret = secret_samples.pem(source, kind)
            found.append(("block", build(secret), secret))
    return found


def _is_password(context: str) -> bool:
    lowered = context.lower()
    return not any(word in lowered for word in ("key", "token", "secret", "schlüssel", "clave", "密钥"))


def _clean(name: str, each: int, source: random.Random) -> list[Case]:
    return [("clean", text, "") for _ in range(each) for text in secret_contexts.clean(name, source)]


def covered(text: str, secret: str, values: list[tuple[int, int]]) -> bool:
    """Whether every letter and digit of the secret's first and last line, and what lies between, is inside a span."""
    lines = secret.splitlines()
    pieces = [lines[0], lines[-1]] if len(lines) > 1 else [secret]
    inside = bytearray(len(text))
    for start, end in values:
        inside[start:end] = b"\1" * (end - start)
    for piece in pieces:
        start = text.find(piece)
        if start < 0:  # escaped or split: every stretch of it that is left
            return all(_stretch_covered(text, part, inside) for part in _stretches(text, piece))
        if not all(inside[start : start + len(piece)]):
            return False
    return True


def _stretches(text: str, secret: str) -> list[str]:
    """The longest stretches of a secret that the text holds."""
    found: list[str] = []
    start = 0
    while start < len(secret):
        end = len(secret)
        while end > start + 1 and secret[start:end] not in text:
            end -= 1
        if end - start >= 3:
            found.append(secret[start:end])
        start = end
    return found


def _stretch_covered(text: str, part: str, inside: bytearray) -> bool:
    start = text.find(part)
    return start < 0 or all(inside[start : start + len(part)])


def measure(
    rows: list[Case], scan: Callable[[list[str]], list[list[tuple[int, int]]]]
) -> dict[str, float | dict[str, float]]:
    found = scan([text for _, text, _ in rows])
    hit: dict[str, list[bool]] = {}
    whole: list[bool] = []
    flagged = [bool(spans) for (kind, _, _), spans in zip(rows, found, strict=True) if kind == "clean"]
    for (kind, text, secret), spans in zip(rows, found, strict=True):
        if kind != "clean":
            hit.setdefault(kind, []).append(bool(spans))
            whole.append(covered(text, secret, spans))
    every = [one for ones in hit.values() for one in ones]
    return {
        "secrets": len(every),
        "recall": statistics.mean(every),
        "whole": statistics.mean(whole),
        "clean": len(flagged),
        "flagged": sum(flagged),
        "by kind": {kind: statistics.mean(ones) for kind, ones in hit.items()},
    }


def ours(texts: list[str]) -> list[list[tuple[int, int]]]:
    return [[(span.start, span.end) for span in find_secrets(text)] for text in texts]


def detect_secrets(python: str) -> Callable[[list[str]], list[list[tuple[int, int]]]]:
    def scan(texts: list[str]) -> list[list[tuple[int, int]]]:
        with tempfile.TemporaryDirectory() as folder:
            for number, text in enumerate(texts):
                Path(folder, f"{number}.txt").write_text(text, "utf-8")
            command = [python, "-c", _PEER, folder, str(len(texts))]
            done = subprocess.run(command, capture_output=True, text=True, check=True)
        return [_places(text, json.loads(line)) for text, line in zip(texts, done.stdout.splitlines(), strict=True)]

    return scan


def gitleaks(program: str) -> Callable[[list[str]], list[list[tuple[int, int]]]]:
    def scan(texts: list[str]) -> list[list[tuple[int, int]]]:
        with tempfile.TemporaryDirectory() as folder:
            for number, text in enumerate(texts):
                Path(folder, f"{number}.txt").write_text(text, "utf-8")
            report = Path(folder, "report.json")
            command = [
                program,
                "dir",
                folder,
                "--report-path",
                str(report),
                "--report-format",
                "json",
                "--exit-code",
                "0",
                "--no-banner",
            ]
            subprocess.run(command, check=True, capture_output=True)
            values: dict[int, list[str]] = {}
            for row in json.loads(report.read_text("utf-8")):
                values.setdefault(int(Path(row["File"]).stem), []).append(row["Secret"])
        return [_places(text, values.get(number, [])) for number, text in enumerate(texts)]

    return scan


def _places(text: str, values: list[str]) -> list[tuple[int, int]]:
    return [(start, start + len(value)) for value in values if value and (start := max(0, text.find(value))) >= 0]


def speed() -> dict[str, float]:
    folder = Path(__file__).resolve().parents[1]
    prose = "".join(path.read_text("utf-8") for path in sorted((folder / "docs" / "stages").glob("*.md"))) * 9
    code = "".join(path.read_text("utf-8") for path in sorted((folder / "src" / "lockgate" / "gateway").glob("*.py")))
    figures: dict[str, float] = {}
    for size in (1_000, 4_000):
        texts = [body[start : start + size] for body in (prose, code) for start in range(0, 100_000, 10_000)]
        ours(texts)
        rounds: list[float] = []
        for _ in range(15):
            began = time.perf_counter()
            ours(texts)
            rounds.append((time.perf_counter() - began) / len(texts) * 1e6)
        figures[f"us at {size:,} characters"] = statistics.median(rounds)
    for name, unit in {
        "token=": "token=",
        "sk-": "sk-",
        "password: a1b2 ": "password: a1b2 ",
        "every cue": _every_cue(),
    }.items():
        text = (unit * (1_000_000 // len(unit) + 1))[:1_000_000]
        began = time.perf_counter()
        find_secrets(text)
        figures[f"ms for 1 MB of {name!r}"] = (time.perf_counter() - began) * 1e3
    return figures


def _every_cue() -> str:
    source = random.Random(1)
    heads = [secret_samples.make(known.label.removeprefix("secret."), source)[0][:9] for known in FORMATS]
    return " ".join(source.sample(heads, len(heads)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--set", choices=("A", "B"), default="B")
    parser.add_argument("--each", type=int, default=3)
    parser.add_argument("--misses", action="store_true")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--detect-secrets", metavar="PYTHON")
    parser.add_argument("--gitleaks", metavar="PROGRAM", default=shutil.which("gitleaks"))
    arguments = parser.parse_args()
    rows = cases("A" if arguments.misses else arguments.set, arguments.each)
    if arguments.misses:
        misses(rows)
        return
    peers = {
        "lockgate": ours,
        "detect-secrets": detect_secrets(arguments.detect_secrets) if arguments.detect_secrets else None,
        "gitleaks": gitleaks(arguments.gitleaks) if arguments.gitleaks else None,
    }
    results = {name: measure(rows, scan) if scan else None for name, scan in peers.items()}
    figures = speed()
    if arguments.json:
        print(json.dumps({"set": arguments.set, "results": results, "speed": figures}))
        return
    print(f"{platform.machine()}, {os.cpu_count()} CPUs, Python {platform.python_version()}")
    print(f"{len(FORMATS)} formats, {len(LABELS)} issuers by name, set {arguments.set}")
    print(f"{'':<16}{'secrets':>9}{'found':>9}{'whole':>9}{'clean':>9}{'flagged':>9}")
    for name, row in results.items():
        if row is None:
            print(f"{name:<16}{'not run':>9}")
            continue
        print(
            f"{name:<16}{row['secrets']:>9}{row['recall']:>9.1%}{row['whole']:>9.1%}{row['clean']:>9}{row['flagged']:>9}"
        )
        print("".join(f"  {kind} {share:.1%}" for kind, share in row["by kind"].items()))  # type: ignore[union-attr]
    for name, value in figures.items():
        print(f"{name:<40}{value:>9.0f}")


def misses(rows: list[Case]) -> None:
    for kind, text, secret in rows:
        spans = [(span.start, span.end, span.label) for span in find_secrets(text)]
        if (kind == "clean") == bool(spans) or (secret and not covered(text, secret, [span[:2] for span in spans])):
            print(kind, "|", repr(text[:240]), "|", [(text[start:end][:80], label) for start, end, label in spans])


if __name__ == "__main__":
    main()
