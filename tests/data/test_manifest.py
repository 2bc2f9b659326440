import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockgate.core import Severity, Status, SubjectRef
from lockgate.core.files import Snapshot, Unreadable
from lockgate.core.project import open_project
from lockgate.data import DataError, examine, parse_manifest, render_manifest

NAME = "MANIFEST.sha256"
CHECK = "LG-DATA-001"
DIGEST = "a" * 64

segments = st.text(st.characters(exclude_characters="/\\", exclude_categories=("C", "Z")), min_size=1, max_size=8)
paths = st.lists(segments.filter(lambda text: text not in {".", ".."}), min_size=1, max_size=4).map("/".join)
digests = st.text("0123456789abcdef", min_size=64, max_size=64)


@given(st.dictionaries(paths, digests, max_size=20))
def test_what_is_written_is_read_back(files: dict[str, str]) -> None:
    taken = Snapshot(tuple(SubjectRef(uri, digest) for uri, digest in files.items()), ())
    body = render_manifest(taken, NAME)
    assert {ref.uri: ref.sha256 for ref in parse_manifest(body).entries} == {
        uri: digest for uri, digest in files.items() if uri != NAME
    }
    assert body.splitlines() == sorted(body.splitlines(), key=lambda line: line[66:])


@given(st.binary(max_size=200) | st.text(max_size=200).map(lambda text: text.encode("utf-8", "replace")))
def test_any_bytes_are_facts_or_a_data_error(body: bytes) -> None:
    try:
        facts = parse_manifest(body)
    except DataError:
        return
    assert "".join(f"{ref.sha256}  {ref.uri}\n" for ref in facts.entries).encode() == body


def test_sha256sum_agrees(root: Path, seal: Callable[[], None]) -> None:
    (root / "with space and ü.txt").write_text("x")
    seal()
    done = subprocess.run(["sha256sum", "--check", "--strict", NAME], cwd=root, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (f"{DIGEST}  a\n{DIGEST}  a\n", "Line 2 .* an earlier line"),
        (f"{DIGEST}  /etc/passwd\n", "Line 1 .* absolute"),
        (f"{DIGEST}  ../a\n", "leaves the project"),
        (f"{DIGEST}  a/../b\n", "leaves the project"),
        (f"{DIGEST}  \n", "empty"),
        (f"{DIGEST}  ./a\n", "shortest form"),
        (f"{DIGEST}  a//b\n", "shortest form"),
        (f"{DIGEST}  a/\n", "shortest form"),
        (f"{DIGEST}  .\n", "shortest form"),
        (f"{DIGEST} *a\n", "64 lower-case hex digits and two spaces"),
        (f"{DIGEST.upper()}  a\n", "64 lower-case hex digits"),
        (f"{DIGEST[:-1]}  a\n", "64 lower-case hex digits"),
        (f"\\{DIGEST}  a\\\\b\n", "64 lower-case hex digits"),
        (f"{DIGEST}  a\r\n", "invisible character"),
        (f"{DIGEST}  a\\b\n", "backslash"),
        (f"{DIGEST}  a\u200bb\n", "invisible character"),
        (f"{DIGEST}  a", "Line 1 .* cut off"),
        ("\n", "64 lower-case hex digits"),
        (f"\ufeff{DIGEST}  a\n", "64 lower-case hex digits"),
    ],
)
def test_malformed_manifests_are_refused_with_their_line(body: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        parse_manifest(body.encode())


def test_bytes_that_are_not_utf_8_are_refused() -> None:
    with pytest.raises(DataError, match="Line 2 of the manifest is not UTF-8"):
        parse_manifest(f"{DIGEST}  a\n{DIGEST}  ".encode() + b"\xff\n")


def test_a_manifest_of_unreadable_or_unwritable_names_is_not_written() -> None:
    link = Unreadable(SubjectRef("link"), "link cannot be read.")
    with pytest.raises(DataError, match="link cannot be read"):
        render_manifest(Snapshot((), (link,)), NAME)
    for uri in ("a\nb", "a\\b", os.fsdecode(b"\xff")):
        with pytest.raises(DataError, match="holds a backslash"):
            render_manifest(Snapshot((SubjectRef(uri, DIGEST),), ()), NAME)


def test_an_untouched_project_passes(seal: Callable[[], None], examined: Callable[[], Any]) -> None:
    seal()
    result = examined()
    assert {outcome.status for outcome in result.outcomes.values()} == {Status.PASSED}
    assert NAME in {ref.uri for ref in result.examination.subjects}


def test_changed_missing_and_unlisted_files_are_found_at_their_place(
    root: Path, seal: Callable[[], None], examined: Callable[[], Any]
) -> None:
    seal()
    (root / "knowledge/hours.md").write_text("We open at ten.\n")
    (root / "prompts/tools.json").unlink()
    (root / "data/more.bin").write_text("new")
    found = examined().of(CHECK, NAME)
    assert found.status is Status.FAILED
    assert {finding.location.uri: finding.message.split()[1] for finding in found.findings} == {
        "knowledge/hours.md": "differs",
        "prompts/tools.json": "is",
        "data/more.bin": "is",
    }
    assert {finding.severity for finding in found.findings} == {Severity.CRITICAL}
    assert len({finding.fingerprint for finding in found.findings}) == 3


def test_a_missing_manifest_is_skipped_with_the_remedy(examined: Callable[[], Any]) -> None:
    outcome = examined().of(CHECK, NAME)
    assert outcome.status is Status.SKIPPED
    assert outcome.reason == "no manifest; run 'lockgate manifest DIR'"


@pytest.mark.parametrize("body", ["nonsense\n", f"{DIGEST}  {NAME}\n"])
def test_a_malformed_manifest_errs(root: Path, examined: Callable[[], Any], body: str) -> None:
    (root / NAME).write_text(body)
    assert examined().of(CHECK, NAME).status is Status.ERRORED


def test_a_link_in_the_project_errs_and_is_not_called_missing(
    root: Path, seal: Callable[[], None], examined: Callable[[], Any]
) -> None:
    seal()
    (root / "knowledge/hours.md").rename(root / "knowledge/real.md")
    (root / "knowledge/hours.md").symlink_to("real.md")
    result = examined()
    assert result.of(CHECK, "knowledge/hours.md").status is Status.ERRORED
    assert [finding.location.uri for finding in result.of(CHECK, NAME).findings] == ["knowledge/real.md"]


def test_a_manifest_that_is_a_link_errs(root: Path, seal: Callable[[], None], examined: Callable[[], Any]) -> None:
    seal()
    (root / NAME).rename(root / "real")
    (root / NAME).symlink_to("real")
    assert examined().of(CHECK, NAME).status is Status.ERRORED


def test_a_manifest_that_changed_since_the_run_started_errs(root: Path, seal: Callable[[], None]) -> None:
    seal()
    project = open_project(root)
    taken = project.snapshot()
    (root / NAME).write_text("")
    (root / "data/rows.jsonl").write_text("{}\n")
    outcomes = examine(project, taken, lambda _done, _total, _what: None).outcomes
    late = {outcome.subject.uri for outcome in outcomes if outcome.status is Status.ERRORED}
    assert late == {NAME, "data/rows.jsonl"}
    assert all("changed since the run started" in item.reason for item in outcomes if item.status is Status.ERRORED)
