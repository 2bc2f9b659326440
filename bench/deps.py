"""Prints what matching dependencies costs, how often names are taken for imitations, and what fuzzing found.

    python bench/deps.py [--fuzz 100000 | --large 250000]

The database is made up: 20,000 advisories about 6,000 packages, eight for each of the 300 dependencies, each with four
events and 60 listed versions, which is about what PyPI's busiest packages have. `--large` makes an archive like a dump
of all ecosystems: malicious releases of npm, kernels by commit, distributions, withdrawn ones, all types of ranges.
"""

import argparse
import datetime as dt
import hashlib
import json
import os
import platform
import random
import resource
import statistics
import tempfile
import time
import zipfile
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


def _dumped(number: int, draw: random.Random, python: list[str]) -> dict[str, object]:
    """One advisory of a dump of all ecosystems."""
    share = draw.random()
    fixed = f"{draw.randint(0, 5)}.{draw.randint(0, 9)}.{draw.randint(0, 9)}"
    events: list[dict[str, str]] = [{"introduced": "0"}, {"fixed": fixed}]
    ranges: list[dict[str, object]] = [{"type": "ECOSYSTEM", "events": events}]
    if share < 0.08:
        ranges.append({"type": "GIT", "repo": "https://example.org/x", "events": [{"introduced": "0"}]})
        ranges.append({"type": "ECOSYSTEM", "events": [{"introduced": "6.0"}, {"last_affected": "6.4"}]})
        affected = {"package": {"ecosystem": "PyPI", "name": draw.choice(python)}, "ranges": ranges}
        affected["versions"] = [
            f"{major}.{minor}.{patch}" for major in range(4) for minor in range(5) for patch in "012"
        ]
    elif share < 0.68:
        ranges = [{"type": "SEMVER", "events": events[: 1 if share < 0.6 else 2]}]
        affected = {"package": {"ecosystem": "npm", "name": f"package-{draw.randrange(140_000)}"}, "ranges": ranges}
    elif share < 0.8:
        affected = {"ranges": [{"type": "GIT", "repo": "https://example.org/k", "events": [{"introduced": "b" * 40}]}]}
        affected["versions"] = [f"v5.{minor}" for minor in range(60)]
    else:
        place = draw.choice(["Debian:12", "Go", "crates.io", "Maven", "Alpine:v3.19"])
        affected = {"package": {"ecosystem": place, "name": f"lib{draw.randrange(10_000)}"}, "ranges": ranges}
    found: dict[str, object] = {"id": f"GHSA-{number}", "aliases": [f"CVE-{number // 2}"], "affected": [affected]}
    found |= {"modified": f"2026-{draw.randint(1, 10):02d}-01T00:00:00Z", "details": "A long description. " * 60}
    return found | ({"withdrawn": "2026-01-01T00:00:00Z"} if draw.random() < 0.03 else {})


def large(folder: Path, count: int) -> None:
    draw = random.Random(7)
    known = sorted(known_names())
    with zipfile.ZipFile(folder / "all.zip", "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for number in range(count):
            python = known[:300] if number % 8 == 0 else known
            archive.writestr(f"{number}.json", json.dumps(_dumped(number, draw, python)))
    place = 'source = { registry = "https://pypi.org/simple" }'
    lock = "".join(
        f'[[package]]\nname = "{name}"\nversion = "{draw.randint(0, 6)}.1"\n{place}\n' for name in known[:300]
    )
    (folder / "uv.lock").write_text("version = 1\n" + lock, "utf-8")
    size = (folder / "all.zip").stat().st_size
    before = time.process_time()
    info = update(str(folder / "all.zip"), folder / "db", now=NOW, progress=lambda _: None)
    seconds, peak = time.process_time() - before, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
    written = (folder / "db/advisories.sqlite").stat().st_size
    print(
        f"db update: {count:,} advisories in {size / 1e6:.0f} MB, {info.advisories:,} kept, {written / 1e6:.0f} MB; ",
        end="",
    )
    print(f"{seconds:.1f} s of processor time, {peak} MB at its peak")
    options, times, found = ScanOptions(database=folder / "db", now=NOW), list[float](), 0
    for _ in range(ROUNDS):
        before = time.process_time()
        result = results_of(scan_dependencies((folder / "uv.lock",), options), started=NOW, seconds=0)
        times.append((time.process_time() - before) * 1000)
        found = sum(len(item.vulnerabilities) for item in result.dependencies)
    print(f"scan deps, 300 locked: {statistics.median(times):.0f} ms of processor time, {found:,} vulnerabilities")


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
    "package.json": b'{"dependencies": {"a": "^1.0.0", "b": "npm:c@1.0.0", "d": "git+https://h/x#v1"}}',
    "yarn.lock": b'# yarn lockfile v1\n\na@^1.0.0, a@1:\n  version "1.0.1"\n  resolved "https://h/a/-/a-1.0.1.tgz#0"\n',
    "pnpm-lock.yaml": b"lockfileVersion: '9.0'\npackages:\n  a@1.0.0:\n    resolution: {integrity: sha512-AA==}\n",
    "bun.lock": b'{"lockfileVersion": 1, "packages": {"a": ["a@1.0.0", "", {}, "sha512-AA=="],},}',
    "setup.py": b"from setuptools import setup\nR = ['a==1']\nsetup(install_requires=R, extras_require={'x': ['b']})\n",
    "setup.cfg": b"[options]\ninstall_requires =\n  a==1\n  b>=2; python_version<'4'\n",
    "Pipfile": b'[packages]\na = "==1"\nb = {git = "https://h/x", ref = "0"}\n',
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
    options.add_argument("--large", type=int, default=0, help="advisories in a dump of all ecosystems")
    chosen = options.parse_args()
    runs = chosen.fuzz
    print(f"Python {platform.python_version()}, {platform.machine()}, {os.cpu_count()} cores")
    if runs:
        fuzz(runs)
        return
    with tempfile.TemporaryDirectory() as folder:
        if chosen.large:
            large(Path(folder), chosen.large)
            return
        matching(Path(folder))
    names()


if __name__ == "__main__":
    main()
