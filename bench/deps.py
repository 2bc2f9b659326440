"""Prints what matching dependencies costs, how often names are taken for imitations, and what fuzzing found.

    python bench/deps.py [--fuzz 100000]

The database is made up: 20,000 advisories about 6,000 packages, eight for each of the 300 dependencies, each with four
events and 60 listed versions, which is about what PyPI's busiest packages have.
"""

import argparse
import datetime as dt
import hashlib
import json
import os
import platform
import random
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Literal

from fuzzing import feed

from lockgate.core import ConfigError
from lockgate.supply.deps import Database, ScanOptions, results_of, scan_dependencies, update
from lockgate.supply.deps.advisory import AdvisoryError, read_advisory
from lockgate.supply.deps.entries import UnreadableError
from lockgate.supply.deps.match import weaknesses
from lockgate.supply.deps.name_confusion import imitated, known_names
from lockgate.supply.deps.read import read_bytes
from lockgate.supply.deps.versions import order_key, same_key

NOW = dt.datetime(2026, 11, 1, tzinfo=dt.UTC)
ROUNDS = 7
SHA = "a" * 64


def make(folder: Path) -> Path:
    draw = random.Random(7)
    names = sorted(known_names())[:4700] + [f"package-{number}" for number in range(1300)]
    source = folder / "advisories"
    source.mkdir()
    locked = names[:300]
    targets = locked * 8 + draw.choices(names[300:], k=20_000 - 8 * 300)
    for number, name in enumerate(targets):
        major = draw.randint(0, 5)
        events = [
            {"introduced": "0"},
            {"fixed": f"{major}.2.{draw.randint(1, 9)}"},
            {"introduced": f"{major + 1}.0"},
            {"fixed": f"{major + 1}.3"},
        ]
        versions = [f"{major}.{minor}.{patch}" for minor in range(6) for patch in range(10)]
        affected = {
            "package": {"ecosystem": "PyPI", "name": name},
            "versions": versions,
            "ranges": [{"type": "ECOSYSTEM", "events": events}],
        }
        document = {
            "id": f"GHSA-{number}",
            "aliases": [f"CVE-{number // 2}"],
            "modified": "2026-10-01T00:00:00Z",
            "affected": [affected],
        }
        (source / f"{number}.json").write_text(json.dumps(document), "utf-8")
    lock = "".join(
        f'[[package]]\nname = "{name}"\nversion = "{draw.randint(0, 6)}.{draw.randint(0, 6)}.{draw.randint(0, 9)}"\n'
        f'source = {{ registry = "https://pypi.org/simple" }}\nwheels = [\n'
        + "".join(
            f'    {{ url = "https://files.example/{name}-{part}.whl", hash = "sha256:{SHA}", size = 1 }},\n'
            for part in range(8)
        )
        + "]\n"
        for name in locked
    )
    (folder / "uv.lock").write_text("version = 1\n" + lock, "utf-8")
    return source


def clear() -> None:
    order_key.cache_clear()
    same_key.cache_clear()


def median_ms(work: Callable[[], object], before: Callable[[], object] = lambda: None) -> float:
    times: list[float] = []
    for _ in range(ROUNDS):
        before()
        began = time.perf_counter()
        work()
        times.append((time.perf_counter() - began) * 1000)
    return statistics.median(times)


def matching(folder: Path) -> None:
    source = make(folder)
    began = time.perf_counter()
    info = update(str(source), folder / "db", now=NOW, progress=lambda _: None)
    size = (folder / "db/advisories.sqlite").stat().st_size
    print(f"db update: {info.advisories:,} advisories, {time.perf_counter() - began:.1f} s, {size / 1e6:.1f} MB")
    body = (folder / "uv.lock").read_bytes()
    listed = read_bytes("uv.lock", body, str).dependencies
    hits = 0

    def match() -> None:
        nonlocal hits
        with Database(folder / "db") as database:
            found = [(item, database.affected(item.ecosystem, item.name)) for item in listed]
            hits = sum(len(weaknesses(item.ecosystem, item.version, affected)) for item, affected in found)

    options = ScanOptions(database=folder / "db", now=NOW)

    def whole() -> None:
        results_of(scan_dependencies((folder / "uv.lock",), options), started=NOW, seconds=0)

    match()
    digest = bytes(10_000_000)
    rows: dict[str, tuple[float, str]] = {
        "matching 300 locked dependencies, warm": (median_ms(match), f"{hits:,} vulnerabilities"),
        "the same without remembered versions": (median_ms(match, clear), ""),
        "reading that uv.lock": (median_ms(lambda: read_bytes("uv.lock", body, str)), f"{len(body) / 1e3:,.0f} kB"),
        "whole scan with all checks and the report, warm": (median_ms(whole), ""),
        "sha256 of 10 MB, for comparison": (median_ms(lambda: hashlib.sha256(digest)), ""),
    }
    for name, (milliseconds, note) in rows.items():
        print(f"{name:<50} {milliseconds:7.1f} ms  {note}")


def names() -> None:
    known = known_names()
    began = time.perf_counter()
    hits = [name for name in known if imitated(name, known - {name})]
    each = (time.perf_counter() - began) / len(known) * 1e6
    reported = f"{len(hits)} of {len(known):,} known packages would be reported if the list did not know them"
    print(f"names: {reported} ({each:.0f} us a name)")


SEEDS: dict[str, bytes] = {
    "requirements.txt": b"torch==2 --hash=sha256:%b \\\n -c x\n-e git+https://h/x#egg=x\nnumpy>=2; a<'4'\n"
    % SHA.encode(),
    "uv.lock": b'[[package]]\nname = "a"\nversion = "1"\nsdist = { url = "a.zip", hash = "sha256:%b" }\n'
    % SHA.encode(),
    "poetry.lock": b'[[package]]\nname = "a"\nversion = "1"\n[package.source]\ntype = "git"\nurl = "https://h/x"\n',
    "pylock.toml": b'lock-version = "1.0"\n[[packages]]\nname = "a"\nvcs = { url = "https://h/x", commit-id = "b" }\n',
    "Pipfile.lock": b'{"_meta": {"sources": [{}]}, "default": {"a": {"version": "==1", "hashes": ["sha256:0"]}}}',
    "pyproject.toml": b'[project]\ndependencies = ["a==1"]\n[tool.poetry.dependencies]\nb = "^1"\n',
    "environment.yml": b"dependencies:\n- a=1\n- pip:\n  - torch==2.9.1\n",
    "package-lock.json": b'{"lockfileVersion": 3, "packages": {"node_modules/a": {"version": "1.0", "license": "X"}}}',
}
BILL = b'{"bomFormat": "CycloneDX", "components": [{"purl": "pkg:pypi/a@1", "components": [{"type": "library"}]}]}'
EVENTS = b'[{"introduced": "0"}, {"fixed": "2"}]'
PACKAGE = b'{"ecosystem": "PyPI", "name": "a"}'
AFFECTED = b'{"package": %b, "versions": ["1"], "ranges": [{"type": "ECOSYSTEM", "events": %b}]}' % (PACKAGE, EVENTS)
ADVISORY = b'{"id": "A", "modified": "2026-01-01T00:00:00Z", "aliases": ["B"], "affected": [%b]}' % AFFECTED


def refuse(uri: str) -> str:
    raise UnreadableError(uri)


def advised(body: bytes) -> str:
    try:
        document = json.loads(body)
    except ValueError:
        return "no JSON"
    try:
        found = read_advisory(document)
    except AdvisoryError:
        return "refused"
    for ecosystem, _, item in found.affected:
        weaknesses(ecosystem, "1.5.0", [item])
    return "read"


def listed(name: str, role: Literal["bill"] | None = None) -> Callable[[bytes], str]:
    def call(body: bytes) -> str:
        try:
            read_bytes(name, body, refuse, role=role)
        except (UnreadableError, ConfigError):
            return "refused"
        return "read"

    return call


def fuzz(runs: int) -> None:
    for name, seed in SEEDS.items():
        feed(name, seed, listed(name), runs)
    feed("CycloneDX", BILL, listed("bom.json", "bill"), runs)
    feed("advisory", ADVISORY, advised, runs)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--fuzz", type=int, default=0, help="damaged inputs for each reader")
    runs = options.parse_args().fuzz
    print(f"Python {platform.python_version()}, {platform.machine()}, {os.cpu_count()} cores")
    if runs:
        fuzz(runs)
        return
    with tempfile.TemporaryDirectory() as folder:
        matching(Path(folder))
    names()


if __name__ == "__main__":
    main()
