"""Lock files of Yarn, pnpm, Bun, conda-lock and pixi, in the shapes that these tools write."""

import datetime as dt
import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lockgate.supply.bom.dependencies import read_dependencies
from lockgate.supply.deps import ScanOptions, results_of, scan_dependencies, update
from lockgate.supply.deps.dependency import Dependency
from lockgate.supply.deps.entries import UnreadableError
from lockgate.supply.deps.lock_yaml import documents
from lockgate.supply.deps.read import read_bytes, read_listing

NOW = dt.datetime(2026, 11, 1, tzinfo=dt.UTC)
SRI = "sha512-" + "A" * 86 + "=="
DIGEST = "sha512:" + "0" * 128
COMMIT = "b" * 40
SHA = "a" * 64

FOLDER = Path(__file__).parent / "locks"
CLASSIC = (FOLDER / "yarn-1.lock").read_text()
BERRY = (FOLDER / "yarn-4.lock").read_text()
PNPM_5 = (FOLDER / "pnpm-5.yaml").read_text()
PNPM_6 = (FOLDER / "pnpm-6.yaml").read_text()
PNPM_9 = (FOLDER / "pnpm-9.yaml").read_text()
BUN = (FOLDER / "bun-1.jsonc").read_text()
CONDA_LOCK = (FOLDER / "conda-lock-1.yml").read_text()
PIXI = (FOLDER / "pixi-6.yml").read_text()
PIXI_5 = (FOLDER / "pixi-5.yml").read_text()
LOCKS = {
    "yarn.lock": (CLASSIC, BERRY),
    "pnpm-lock.yaml": (PNPM_5, PNPM_6, PNPM_9),
    "bun.lock": (BUN,),
    "conda-lock.yml": (CONDA_LOCK,),
    "pixi.lock": (PIXI, PIXI_5),
}


def no_include(uri: str) -> str:
    raise UnreadableError(uri)


def read(name: str, text: str) -> dict[str, Dependency]:
    return {item.name: item for item in read_bytes(name, text.encode(), no_include).dependencies}


def test_yarn_1():
    found = read("yarn.lock", CLASSIC)
    assert set(found) == {"@babel/runtime", "is-number", "js-tokens", "packed", "side", "loose-envify"}
    runtime = found["@babel/runtime"]
    assert (runtime.ecosystem, runtime.version, runtime.hashes) == ("npm", "7.29.14", (DIGEST,))
    assert found["js-tokens"].hashes == ()
    assert (found["packed"].origin, found["side"].origin, found["side"].fixed) == ("path", "vcs", True)
    assert found["loose-envify"].requires == ("@babel/runtime", "js-tokens")


def test_yarn_of_today():
    found = read("yarn.lock", BERRY)
    assert set(found) == {"@esbuild/linux-x64", "is-number", "archived", "side", "typescript", "odd"}
    assert (found["is-number"].version, found["is-number"].hashes) == ("7.10", ("sha512:" + "c" * 128,))
    assert (found["archived"].origin, found["archived"].url) == ("url", "https://example.org/archived.tgz")
    assert (found["side"].origin, found["side"].fixed) == ("vcs", True)
    assert (found["typescript"].origin, found["typescript"].version) == ("registry", "5.4.5")
    assert found["odd"].problem


def test_what_yarn_packs_again_is_no_digest_of_the_package_in_a_bill():
    [item] = [item for item in read_dependencies("yarn.lock", BERRY.encode()) if item.name == "is-number"]
    assert item.hashes == ()


def test_a_missing_digest_is_usual_where_yarn_runs_on_another_kind_of_machine(tmp_path: Path):
    (tmp_path / "yarn.lock").write_text(BERRY.replace(f"  checksum: 10c0/{'c' * 128}\n", ""))
    scan = scan_dependencies((tmp_path / "yarn.lock",), ScanOptions(database=database(tmp_path), now=NOW))
    results = {item.name: item for item in results_of(scan, started=NOW, seconds=0.0).dependencies}
    assert results["@esbuild/linux-x64"].outcome == "passed"
    assert results["is-number"].outcome == "failed"


def test_pnpm_5():
    found = read("pnpm-lock.yaml", PNPM_5)
    assert set(found) == {"@scope/lib", "esbuild", "is-number", "react-dom", "side"}
    assert (found["@scope/lib"].version, found["react-dom"].version) == ("1.10.0", "18.3.1")
    assert found["react-dom"].requires == ("@scope/lib",)
    assert (found["esbuild"].development, found["esbuild"].runs_script) == (True, True)
    assert found["is-number"].yanked == "Use another. Or none."
    assert (found["side"].origin, found["side"].fixed, found["side"].version) == ("url", True, "1.0.0")
    assert not any(item.problem for item in found.values())


def test_pnpm_6():
    found = read("pnpm-lock.yaml", PNPM_6)
    assert set(found) == {"is-number", "react-dom", "elsewhere"}
    assert (found["react-dom"].version, found["react-dom"].development) == ("18.3.1", True)
    assert found["elsewhere"].origin == "path"
    assert not any(item.problem for item in found.values())


def test_pnpm_9_in_two_documents_and_what_no_entry_describes():
    found = read("pnpm-lock.yaml", PNPM_9)
    assert set(found) == {"pnpm", "@scope/lib", "is-number", "react-dom", "side", "node", "hidden"}
    assert (found["@scope/lib"].origin, found["@scope/lib"].version) == ("registry", "1.10.0")
    assert found["react-dom"].requires == ("@scope/lib",)
    assert (found["side"].origin, found["side"].fixed, found["side"].version) == ("vcs", True, "1.0.0")
    assert {name for name, item in found.items() if item.problem} == {"node", "hidden"}


def test_bun():
    found = read("bun.lock", BUN)
    assert set(found) == {"@scope/lib", "is-number", "inside", "private", "side", "web"}
    assert (found["@scope/lib"].version, found["@scope/lib"].hashes) == ("1.10.0", (DIGEST,))
    assert found["inside"].bundled
    assert (found["private"].origin, found["web"].origin, found["web"].fixed) == ("registry", "url", True)
    assert found["web"].url == "https://example.org/web,]}.tgz"
    assert (found["side"].origin, found["side"].fixed) == ("vcs", True)


def test_an_address_in_the_registry_gives_the_version_that_bun_leaves_out():
    place = "https://registry.npmjs.org/@scope/is-odd/-/is-odd-3.0.1.tgz"
    lock = {"lockfileVersion": 1, "packages": {"@scope/is-odd": [f"@scope/is-odd@{place}", {}, SRI]}}
    found = read("bun.lock", json.dumps(lock))["@scope/is-odd"]
    assert (found.origin, found.version, found.problem) == ("registry", "3.0.1", "")


def test_the_binary_lock_of_bun_says_what_to_do():
    with pytest.raises(UnreadableError, match="save-text-lockfile"):
        read_bytes("bun.lockb", b"\x00", no_include)


def test_conda_lock_gives_what_pip_installs():
    found = read_bytes("conda-lock.yml", CONDA_LOCK.encode(), no_include)
    torch, private = found.dependencies
    assert (torch.name, torch.version, torch.hashes) == ("torch", "2.10", (f"sha256:{SHA}",))
    assert (torch.origin, torch.development, torch.requires) == ("registry", True, ("sympy",))
    assert (private.origin, private.fixed) == ("url", False)
    assert found.unread == ("1 packages of conda are not matched with advisories, numpy first",)


def test_pixi_gives_what_pip_installs_and_packages_of_the_same_name():
    found = read_bytes("pixi.lock", PIXI.encode(), no_include)
    named = {item.name: item for item in found.dependencies}
    assert set(named) == {"numpy", "torch", "hidden"}
    assert (named["numpy"].version, named["torch"].version) == ("2.0.0", "2.10")
    assert named["hidden"].problem
    assert found.unread == ("2 packages of conda are not matched with advisories, curl first",)
    assert [item.name for item in read_bytes("pixi.lock", PIXI_5.encode(), no_include).dependencies] == ["torch"]


ANOTHER = {
    "yarn.lock": CLASSIC.replace("js-tokens/-/js-tokens-4.0.0.tgz", "evil/-/evil-4.0.0.tgz"),
    "pnpm-lock.yaml": PNPM_9.replace("lib-1.10.0.tgz", "lib-1.9.0.tgz"),
    "bun.lock": BUN.replace("private/-/private-2.0.0", "private/-/evil-2.0.0"),
    "package-lock.json": json.dumps(
        {
            "lockfileVersion": 3,
            "packages": {
                "node_modules/a": {
                    "version": "1.0.0",
                    "resolved": "https://registry.npmjs.org/b/-/b-1.0.0.tgz",
                    "integrity": SRI,
                }
            },
        }
    ),
}


@pytest.mark.parametrize("name", ANOTHER)
def test_an_address_of_another_package_than_the_entry_says_is_told(name: str):
    problems = {item.problem for item in read(name, ANOTHER[name]).values()}
    assert problems & {"Its address is that of another package.", "Its address is that of another version."}


def test_an_address_that_cannot_be_shown_is_no_missing_one():
    lock = {
        "lockfileVersion": 3,
        "packages": {"node_modules/a": {"version": "1.0.0", "resolved": "https://e.example/\t"}},
    }
    assert read("package-lock.json", json.dumps(lock))["a"].problem


def database(folder: Path) -> Path:
    events = [{"introduced": "0"}, {"fixed": "8.0.0"}]
    affected = {"package": {"ecosystem": "npm", "name": "is-number"}, "ranges": [{"type": "SEMVER", "events": events}]}
    advisory = {"id": "EXAMPLE-1", "modified": "2026-10-01T00:00:00Z", "affected": [affected]}
    (folder / "advisories").mkdir()
    (folder / "advisories/1.json").write_text(json.dumps(advisory))
    update(str(folder / "advisories"), folder / "db", now=NOW, progress=lambda _: None)
    return folder / "db"


def test_a_vulnerable_package_of_a_frontend_is_found(tmp_path: Path):
    (tmp_path / "web").mkdir()
    (tmp_path / "web/pnpm-lock.yaml").write_text(PNPM_6)
    scan = scan_dependencies((tmp_path / "web",), ScanOptions(database=database(tmp_path), now=NOW))
    results = {item.name: item for item in results_of(scan, started=NOW, seconds=0.0).dependencies}
    assert results["is-number"].vulnerabilities[0].repaired_in == "8.0.0"
    assert (results["react-dom"].outcome, results["react-dom"].development) == ("passed", True)


YAML_REFUSED = [
    "a: &x 1\nb: *x\n",
    "a: !!python/object/apply:os.system [x]\n",
    "a: 1\na: 2\n",
    "[a]: 1\n",
    "a:\n" + "".join(" " * depth + "a:\n" for depth in range(1, 60)),
    "[" * 5_000,
    "--- 1\n" * 9,
    "a: [",
    "a: \x01",
]


@pytest.mark.parametrize("text", YAML_REFUSED)
def test_yaml_that_no_package_manager_writes_is_refused(text: str):
    with pytest.raises(UnreadableError):
        documents(text)


@given(
    st.recursive(
        st.text(st.characters(codec="ascii", exclude_categories=["Cc"])),
        lambda inner: st.lists(inner) | st.dictionaries(st.text("abc:-"), inner),
        max_leaves=20,
    )
)
def test_yaml_is_read_as_text(value: object):
    assert documents(json.dumps(value)) == [value]


SEEDS = [(name, text) for name, texts in LOCKS.items() for text in texts]
JUNK = [
    b"[",
    b"{",
    b'"',
    b"'",
    b"\n",
    b"  ",
    b":",
    b"@",
    b"://",
    b"null",
    b"1",
    b"- ",
    b"#",
    b"&a",
    b"*a",
    b"/*",
    b",",
    b"_",
]


@pytest.mark.parametrize(("name", "text"), SEEDS)
@settings(max_examples=150, deadline=None)
@given(st.data())
def test_damaged_locks_are_read_or_refused(name: str, text: str, data: st.DataObject):
    body = bytearray(text.encode())
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(body) - 1))
        body[at : at + data.draw(st.integers(0, 6))] = data.draw(st.binary(max_size=6) | st.sampled_from(JUNK))
    try:
        found = read_bytes(name, bytes(body), no_include)
    except UnreadableError:
        return
    assert all(item.name for item in found.dependencies)


@pytest.mark.parametrize("name", LOCKS)
@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=300) | st.text(max_size=300).map(str.encode))
def test_any_bytes_are_read_or_refused(name: str, body: bytes):
    try:
        read_bytes(name, body, no_include)
    except UnreadableError:
        return


NAMES = st.from_regex(r"(@[a-z]{1,5}/)?[a-z][a-z0-9.-]{0,9}", fullmatch=True)
VERSIONS = st.from_regex(r"[0-9]{1,2}\.[0-9]{1,2}\.[0-9]{1,2}(-[a-z]{1,4}\.[0-9])?", fullmatch=True)


def written(name: str, packages: dict[str, str]) -> str:
    """The same packages in one of the formats."""
    if name == "yarn.lock":
        return "# yarn lockfile v1\n\n" + "".join(
            f'"{package}@^1":\n  version "{version}"\n  integrity {SRI}\n\n' for package, version in packages.items()
        )
    if name == "berry":
        return "__metadata:\n  version: 8\n\n" + "".join(
            f'"{package}@npm:^1":\n  version: {version}\n  resolution: "{package}@npm:{version}"\n\n'
            for package, version in packages.items()
        )
    if name == "bun.lock":
        listed = {package: [f"{package}@{version}", "", {}, SRI] for package, version in packages.items()}
        return json.dumps({"lockfileVersion": 1, "packages": listed})
    form = {"5.4": "/{}/{}", "6.0": "/{}@{}", "9.0": "{}@{}"}[name]
    entries = {
        form.format(package, version): {"resolution": {"integrity": SRI}} for package, version in packages.items()
    }
    return json.dumps({"lockfileVersion": name, "packages": entries})


@pytest.mark.parametrize("form", ["yarn.lock", "berry", "bun.lock", "5.4", "6.0", "9.0"])
@settings(max_examples=50, deadline=None)
@given(packages=st.dictionaries(NAMES, VERSIONS, max_size=5))
def test_no_package_gets_lost(form: str, packages: dict[str, str]):
    name = {"berry": "yarn.lock"}.get(form, form if form.endswith(".lock") else "pnpm-lock.yaml")
    found = read_bytes(name, written(form, packages).encode(), no_include).dependencies
    assert {item.name: item.version for item in found} == packages
    assert not any(item.problem for item in found)


def test_a_large_lock_is_read_whole(tmp_path: Path):
    packages = {f"package-{number}": "1.0.0" for number in range(3_000)}
    (tmp_path / "pnpm-lock.yaml").write_text(written("9.0", packages))
    assert len(read_listing(tmp_path, "pnpm-lock.yaml", name="pnpm-lock.yaml").dependencies) == 3_000
