"""`package.json`, alone and beside a lock file."""

import datetime as dt
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockgate.core import Severity, Status
from lockgate.supply.bom.dependencies import is_dependency_file
from lockgate.supply.deps.dependency import Dependency
from lockgate.supply.deps.entries import UnreadableError
from lockgate.supply.deps.read import is_known, read_bytes
from lockgate.supply.deps.scan import DependencyScan, ScanOptions, merged, scan_dependencies

COMMIT = "0123456789abcdef0123456789abcdef01234567"
NOW = dt.datetime(2026, 11, 1, tzinfo=dt.UTC)


def no_include(uri: str) -> str:
    raise AssertionError(uri)


def read(document: object) -> dict[str, Dependency]:
    found = read_bytes("web/package.json", json.dumps(document).encode(), no_include)
    assert found.role == "declaration"
    return {item.name: item for item in found.dependencies}


def wish(stated: object) -> Dependency:
    [found] = read({"dependencies": {"left-pad": stated}}).values()
    return found


def scan(folder: Path) -> DependencyScan:
    return scan_dependencies((folder,), ScanOptions(database=folder / "none", now=NOW))


def reported(folder: Path, check: str) -> list[str]:
    return [
        finding.message
        for listing in scan(folder).listings
        for outcome in merged(listing)
        if outcome.check == check
        for finding in outcome.findings
    ]


def npm_lock(**packages: dict[str, object]) -> str:
    entries = {f"node_modules/{name.replace('_', '-')}": facts for name, facts in packages.items()}
    return json.dumps({"lockfileVersion": 3, "packages": {"": {}, **entries}})


def test_it_is_a_file_of_dependencies_and_no_source_for_a_bill_of_what_is_installed():
    assert is_known("web/package.json")
    assert not is_dependency_file("web/package.json")


@pytest.mark.parametrize("stated", ["1.3.0", "=1.3.0", "v1.3.0", " 1.3.0 "])
def test_a_version_alone_is_exact_as_npm_takes_it(stated: str):
    assert wish(stated).version == "1.3.0"


@pytest.mark.parametrize("stated", ["^1.3.0", "~1.3", "1.x", "*", "", "latest", ">=1 <2", "1.2.3 || 2.0.0", "catalog:"])
def test_ranges_and_tags_leave_the_version_open(stated: str):
    found = wish(stated)
    assert (found.version, found.specifier, found.origin, found.problem) == ("", stated, "registry", "")


def test_every_section_is_read_and_tells_what_is_for_development_alone():
    found = read(
        {
            "dependencies": {"openai": "^4.0.0", "both": "1.0.0"},
            "devDependencies": {"vite": "5.4.0"},
            "optionalDependencies": {"fsevents": "2.3.3", "both": "2.0.0"},
            "peerDependencies": {"react": ">=18", "vue": "3"},
            "peerDependenciesMeta": {"vue": {"optional": True}},
            "bundleDependencies": ["openai"],
        }
    )
    assert found.keys() == {"openai", "both", "vite", "fsevents", "react"}
    assert found["both"].version == "2.0.0"
    assert [name for name, item in found.items() if item.development] == ["vite"]


@pytest.mark.parametrize(
    ("stated", "name", "version"),
    [("npm:evil-pad@1.0.0", "evil-pad", "1.0.0"), ("npm:@evil/pad@^1", "@evil/pad", ""), ("npm:evil", "evil", "")],
)
def test_an_alias_is_the_package_that_it_stands_for(stated: str, name: str, version: str):
    found = wish(stated)
    assert (found.name, found.version, found.problem) == (name, version, "")


@pytest.mark.parametrize(
    ("stated", "origin", "fixed"),
    [
        ("github:user/pad", "vcs", False),
        ("user/pad#main", "vcs", False),
        (f"user/pad#{COMMIT}", "vcs", True),
        ("gist:11081aaa281", "vcs", False),
        ("git+ssh://git@github.com/user/pad.git#semver:^1", "vcs", False),
        ("git@github.com:user/pad.git", "vcs", False),
        ("https://example.org/pad.tgz", "url", False),
        ("file:../pad", "path", False),
        ("link:../pad", "path", False),
        ("/opt/pad", "path", False),
        ("file:pad-1.0.0.tgz", "path", False),
    ],
)
def test_addresses_are_told_from_versions(stated: str, origin: str, *, fixed: bool):
    found = wish(stated)
    assert (found.origin, found.fixed, found.version, found.problem) == (origin, fixed, "", "")


@pytest.mark.parametrize("stated", ["workspace:*", "file:./packages/pad", "link:packages/pad", "./packages/pad"])
def test_parts_of_the_project_are_left_out(stated: str):
    assert not read({"dependencies": {"left-pad": stated}})


@pytest.mark.parametrize("stated", [7, None, ["1.0.0"], {"version": "1"}, "1.0.0\x1b[2J", "9" * 9000])
def test_what_cannot_be_read_is_not_overlooked(stated: object):
    assert wish(stated).problem


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"null", b'{"dependencies": ["x"]}', b'{"dependencies": "x"}', b"{'a': 1}"]
)
def test_what_is_no_package_json_is_said(body: bytes):
    with pytest.raises(UnreadableError):
        read_bytes("package.json", body, no_include)


@pytest.mark.parametrize("body", [b"{}", b"\xef\xbb\xbf{}", b'{"type": "module", "dependencies": []}'])
def test_one_that_asks_for_nothing_is_fine(body: bytes, tmp_path: Path):
    assert read_bytes("package.json", body, no_include).dependencies == ()
    (tmp_path / "package.json").write_bytes(body)
    statuses = {outcome.status for listing in scan(tmp_path).listings for outcome in merged(listing)}
    assert statuses == {Status.PASSED}


def test_without_a_lock_file_nothing_is_passed(tmp_path: Path):
    (tmp_path / "package.json").write_text('{"dependencies": {"openai": "^4.0.0"}}')
    [listing] = scan(tmp_path).listings
    told = {outcome.check: outcome for outcome in merged(listing)}
    assert told["LG-SUPPLY-040"].status is Status.ERRORED
    [finding] = told["LG-SUPPLY-041"].findings
    assert finding.severity is Severity.LOW
    assert "State one, or use a lock file." in finding.message


@pytest.mark.parametrize("place", ["", "web"])
def test_a_lock_file_beside_it_or_above_answers(tmp_path: Path, place: str):
    (tmp_path / "web").mkdir()
    wishes = {"openai": "^4.0.0", "pad": "user/pad#main", "added-later": "1.x"}
    (tmp_path / "web" / "package.json").write_text(
        json.dumps({"dependencies": wishes, "peerDependencies": {"never-installed": "*"}})
    )
    (tmp_path / place / "package-lock.json").write_text(
        npm_lock(openai={"version": "4.1.0"}, pad={"resolved": f"git+ssh://git@github.com/user/pad.git#{COMMIT}"})
    )
    [unpinned] = reported(tmp_path, "LG-SUPPLY-041")
    assert "added-later" in unpinned
    assert not reported(tmp_path, "LG-SUPPLY-044")
    reasons = [
        outcome.reason
        for listing in scan(tmp_path).listings
        if listing.listing.ref.uri.endswith("package.json")
        for outcome in merged(listing)
    ]
    assert not [reason for reason in reasons if "never-installed" in reason or "openai" in reason]


LOCKED_PLACES = (
    f"git+ssh://git@github.com/user/pad.git#{COMMIT}",
    f"https://codeload.github.com/user/pad/tar.gz/{COMMIT}",
)


@pytest.mark.parametrize("resolved", LOCKED_PLACES)
@pytest.mark.parametrize(
    ("wish", "answered"),
    [
        ("user/pad", True),
        ("github:user/pad#main", True),
        ("git@github.com:user/pad.git", True),
        ("git+https://GitHub.com/user/pad.git#v1", True),
        ("mallory/pad", False),
        ("git+https://example.org/user/pad.git", False),
        ("git@example.org:user/pad.git", False),
        ("https://github.com.example.org/user/pad", False),
    ],
)
def test_a_lock_file_answers_for_the_place_that_is_asked_for_alone(
    tmp_path: Path, wish: str, resolved: str, *, answered: bool
):
    (tmp_path / "package.json").write_text(json.dumps({"dependencies": {"pad": wish}}))
    (tmp_path / "package-lock.json").write_text(npm_lock(pad={"resolved": resolved}))
    assert len(reported(tmp_path, "LG-SUPPLY-044")) == (not answered)


def test_a_lock_file_of_another_folder_does_not_answer(tmp_path: Path):
    for name in ("web", "api"):
        (tmp_path / name).mkdir()
    (tmp_path / "web" / "package.json").write_text('{"dependencies": {"openai": "^4", "pad": "user/pad"}}')
    (tmp_path / "api" / "package-lock.json").write_text(
        npm_lock(openai={"version": "4.1.0"}, pad={"resolved": f"git+ssh://git@github.com/user/pad.git#{COMMIT}"})
    )
    assert len(reported(tmp_path, "LG-SUPPLY-041")) == 1
    assert len(reported(tmp_path, "LG-SUPPLY-044")) == 1


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.floats()
    | st.text(max_size=12)
    | st.sampled_from(["^1", "npm:", "npm:@", "file:", "a/b", "#"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
)


@given(st.dictionaries(st.sampled_from(["dependencies", "devDependencies", "peerDependencies", "name"]), JSON))
def test_any_document_is_read_or_refused(document: dict[str, object]):
    asked = {name for part, names in document.items() if part != "name" and isinstance(names, dict) for name in names}
    try:
        found = read_bytes("package.json", json.dumps(document).encode(), no_include).dependencies
    except UnreadableError:
        return
    assert len(found) <= len(asked)
    assert all(item.problem or item.name.isprintable() for item in found)
