r"""Lockgate beside other scanners of model files: the same files in the same run, and its speed beside plain SHA-256.

    python bench/supply_corpus/malicious.py bad
    python bench/supply_corpus/benign.py good
    python bench/supply.py --malicious bad --benign good/held-out \\
        --tool picklescan=ENV/bin/python --tool modelscan=ENV/bin/python ...

Each tool runs with the interpreter of its own environment, through its documented interface; one that is not named is
"not run". A file counts as refused if the tool says that it is unsafe or that it could not read it; what it skips or
calls safe counts as passed. modelaudit gets a minute for a file instead of its hour. `--speed MB` adds the timings.
"""

import argparse
import json
import os
import pickle
import platform
import resource
import struct
import subprocess
import sys
import tempfile
import time
import zipfile
from hashlib import sha256
from pathlib import Path
from typing import cast

from lockgate.supply.formats import read_model
from lockgate.supply.reader import Reader
from lockgate.supply.worker import Descriptor

TOOLS = ("picklescan", "picklescan strict", "modelscan", "fickling", "modelaudit")
DRIVERS = {
    "picklescan": """
import json, logging, sys
logging.disable(logging.CRITICAL)
from picklescan.scanner import scan_file_path
found = {}
for path in sys.stdin.read().split("\\0"):
    try:
        result = scan_file_path(path)
        found[path] = bool(result.scan_err or result.infected_files or (STRICT and result.suspicious_count))
    except Exception:
        found[path] = True
print(json.dumps(found))
""",
    "modelscan": """
import json, logging, sys
logging.disable(logging.CRITICAL)
from modelscan.modelscan import ModelScan
found = {}
for path in sys.stdin.read().split("\\0"):
    try:
        result = ModelScan().scan(path)
        found[path] = bool(result["issues"] or result["errors"])
    except Exception:
        found[path] = True
print(json.dumps(found))
""",
    "fickling": """
import json, logging, sys, warnings
logging.disable(logging.CRITICAL)
warnings.simplefilter("ignore")
from fickling.loader import scan_file
found = {}
for path in sys.stdin.read().split("\\0"):
    try:
        found[path] = not scan_file(path, graceful=True)
    except Exception:
        found[path] = True
print(json.dumps(found))
""",
    "modelaudit": """
import json, logging, sys
logging.disable(logging.CRITICAL)
from modelaudit.core import scan_model_directory_or_file
found = {}
for path in sys.stdin.read().split("\\0"):
    try:
        result = scan_model_directory_or_file(path, timeout=60)
        bad = {getattr(issue.severity, "value", issue.severity) for issue in result.issues}
        found[path] = bool(result.has_errors or not result.success or bad & {"critical", "warning"})
    except Exception:
        found[path] = True
print(json.dumps(found))
""",
}


def run_tool(name: str, python: str, paths: list[Path]) -> tuple[dict[str, bool], float]:
    """Which files a tool refuses, and the seconds that it took."""
    driver = DRIVERS[name.removesuffix(" strict")]
    program = f"STRICT = {name.endswith(' strict')}\n{driver}"
    start = time.perf_counter()
    done = subprocess.run(
        [python, "-c", program],
        input="\0".join(map(str, paths)),
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "NO_COLOR": "1", "PROMPTFOO_DISABLE_TELEMETRY": "1"},
    )
    seconds = time.perf_counter() - start
    lines = done.stdout.strip().splitlines()
    if done.returncode or not lines:
        print(f"{name} did not finish: {done.stderr[-300:]}", file=sys.stderr)
        return {}, seconds
    return cast("dict[str, bool]", json.loads(lines[-1])), seconds


def run_lockgate(folder: Path) -> tuple[dict[str, tuple[str, str]], float]:
    """Outcome and reasons for every file, and the seconds that it took."""
    start = time.perf_counter()
    command = [sys.executable, "-m", "lockgate", "scan", "model", "--json", "--fresh", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    seconds = time.perf_counter() - start
    if done.returncode not in {0, 1}:
        raise SystemExit(done.stderr or done.stdout)
    files = json.loads(done.stdout)["files"]
    told = {str(Path(row["path"]).resolve()): (row["outcome"], json.dumps(row["reasons"])) for row in files}
    return told, seconds


def compare(malicious: Path, benign: Path | None, tools: dict[str, str]) -> list[dict[str, object]]:
    manifest = json.loads((malicious / "manifest.json").read_text())
    bad = [(malicious / row["path"]).resolve() for row in manifest]
    good = sorted(path.resolve() for path in benign.rglob("*") if path.is_file()) if benign else []
    told, seconds = run_lockgate(malicious)
    told_good, more = run_lockgate(benign) if benign else ({}, 0.0)
    reasoned = sum(
        row["check"] in told[str(path)][1] and told[str(path)][0] == "failed"
        for row, path in zip(manifest, bad, strict=True)
    )
    rows: list[dict[str, object]] = [
        {
            "tool": "lockgate",
            "malicious refused": sum(told[str(path)][0] != "passed" for path in bad),
            "by the expected check": reasoned,
            "benign refused": sum(told_good.get(str(path), ("passed", ""))[0] != "passed" for path in good),
            "seconds": round(seconds + more, 1),
        }
    ]
    for name in TOOLS:
        python = tools.get(name.removesuffix(" strict"))
        if python is None:
            rows.append({"tool": name, "malicious refused": "not run"})
            continue
        found, took = run_tool(name, python, [*bad, *good])
        if not found:
            rows.append({"tool": name, "malicious refused": "did not finish", "seconds": round(took, 1)})
            continue
        rows.append(
            {
                "tool": name,
                "malicious refused": sum(found.get(str(path), False) for path in bad),
                "benign refused": sum(found.get(str(path), False) for path in good),
                "seconds": round(took, 1),
            }
        )
    print(f"{len(bad)} malicious and {len(good)} benign files\n")
    for row in rows:
        print("  ".join(f"{key}: {value}" for key, value in row.items()))
    return rows


def _large(folder: Path, megabytes: int) -> dict[str, Path]:
    """One large file of each format; the tensor bytes are random, written in steps."""
    size = megabytes << 20
    block = os.urandom(1 << 20)
    suffixes = {"safetensors": ".safetensors", "torch zip": ".pt", "GGUF": ".gguf", "raw pickle": ".pkl"}
    made = {name: folder / f"large{suffix}" for name, suffix in suffixes.items()}
    header = json.dumps({"w": {"dtype": "U8", "shape": [size], "data_offsets": [0, size]}}).encode()
    header += b" " * (-len(header) % 8)
    name = struct.pack("<Q", 1) + b"t"
    pair = struct.pack("<Q", 20) + b"general.architecture" + struct.pack("<IQ", 8, 5) + b"llama"
    gguf = struct.pack("<4sIQQ", b"GGUF", 3, 1, 1) + pair + name + struct.pack("<IQIQ", 1, size, 24, 0)
    array = b"\x80\x05}\x8c\x01w\x8e" + struct.pack("<Q", size)
    heads = {
        "safetensors": struct.pack("<Q", len(header)) + header,
        "GGUF": gguf + bytes(-len(gguf) % 32),
        "raw pickle": array,
    }
    for kind, head in heads.items():
        with made[kind].open("wb") as stream:
            stream.write(head)
            for _ in range(megabytes):
                stream.write(block)
            stream.write(b"s." if kind == "raw pickle" else b"")
    with zipfile.ZipFile(made["torch zip"], "w") as archive:
        archive.writestr("m/data.pkl", pickle.dumps({"epoch": 1}, protocol=2))
        with archive.open("m/data/0", "w", force_zip64=True) as member:
            for _ in range(megabytes):
                member.write(block)
        archive.writestr("m/version", "3\n")
    return made


def _plain(path: Path) -> float:
    start = time.perf_counter()
    digest = sha256()
    with path.open("rb") as stream:
        while part := stream.read(1 << 20):
            digest.update(part)
    return time.perf_counter() - start


def speed(megabytes: int) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = []
    with tempfile.TemporaryDirectory() as folder, Reader() as reader:
        for kind, path in _large(Path(folder), megabytes).items():
            reader.read(Path(folder), path.name)
            pairs = [(_plain(path), _timed(reader, path)) for _ in range(3)]
            plain, ours = min(one for one, _ in pairs), min(two for _, two in pairs)
            status = Path(f"/proc/{reader.process_id}/status").read_text()
            peak = next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM"))
            row = {"format": kind, "times plain SHA-256": round(plain / ours, 2), "worker's peak MB": int(peak) >> 10}
            rows.append({**row, "processor time of reading, of SHA-256's": round(_share(path), 2)})
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
    print(f"\n{megabytes} MB of each format; this process's peak {peak} MB\n")
    for row in rows:
        print("  ".join(f"{key}: {value}" for key, value in row.items()))
    return rows


def _share(path: Path) -> float:
    """Processor time of reading without hashing as a share of plain SHA-256's: what a second core has to do."""
    with path.open("rb") as stream:
        start = time.process_time()
        read_model(Descriptor(stream.fileno()), path.name)
        reading = time.process_time() - start
    start = time.process_time()
    _plain(path)
    return reading / (time.process_time() - start)


def _timed(reader: "Reader", path: Path) -> float:
    start = time.perf_counter()
    reader.read(path.parent, path.name)
    return time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description="Lockgate beside other scanners of model files.")
    parser.add_argument("--malicious", type=Path, help="folder that malicious.py wrote")
    parser.add_argument("--benign", type=Path, help="folder of benign files")
    parser.add_argument("--tool", action="append", default=[], help="NAME=PYTHON of a tool's own environment")
    parser.add_argument("--speed", type=int, help="megabytes of each large file")
    parser.add_argument("--json", type=Path, help="also write the figures to this file")
    chosen = parser.parse_args()
    tools = dict(item.split("=", 1) for item in chosen.tool)
    print(f"{platform.system()} {platform.machine()}, Python {platform.python_version()}\n")
    result = {
        "scanners": compare(chosen.malicious, chosen.benign, tools) if chosen.malicious else [],
        "speed": speed(chosen.speed) if chosen.speed else [],
    }
    if chosen.json:
        chosen.json.write_text(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
