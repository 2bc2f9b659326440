"""Files of dependencies, as their tools write them and as strangers bend them."""

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lockgate.core import ConfigError
from lockgate.supply.deps.dependency import Dependency
from lockgate.supply.deps.entries import UnreadableError
from lockgate.supply.deps.read import is_known, read_bytes, read_listing

SHA = "a" * 64
COMMIT = "b" * 40


def no_include(uri: str) -> str:
    raise UnreadableError(uri)


def read(name: str, text: str) -> dict[str, Dependency]:
    return {item.name: item for item in read_bytes(name, text.encode(), no_include).dependencies}


def test_requirements_with_hashes_markers_and_references():
    found = read_bytes(
        "requirements.txt",
        f"""# comment
Torch[cuda] == 2.9.1 ; python_version > "3.10" \\
    --hash=sha256:{SHA} \\
    --hash=md5:{"c" * 32}
numpy>=2  # a wish
exact===1.0
tools @ git+https://user:secret@example.org/tools.git@{COMMIT}
loose @ git+https://example.org/loose.git@main
file @ https://example.org/file-1.0.zip#sha256={SHA}
-e ./local
-e .[all]
https://example.org/thing-1.0-py3-none-any.whl
what is this
""".encode(),
        no_include,
    )
    items = {item.name: item for item in found.dependencies}
    torch = items["torch"]
    assert (torch.version, torch.hashes, torch.line) == ("2.9.1", (f"sha256:{SHA}",), 2)
    assert "python_version" in torch.marker
    assert items["numpy"].version == ""
    assert items["exact"].version == "1.0"
    assert (items["tools"].origin, items["tools"].fixed, items["loose"].fixed) == ("vcs", True, False)
    assert "secret" not in str(found)
    assert (items["file"].origin, items["file"].fixed) == ("url", True)
    assert items["local"].origin == "path"
    assert (items["thing"].origin, items["thing"].fixed) == ("url", False)
    assert [item.problem for item in found.dependencies if item.problem] == [
        "It is no requirement as PEP 508 defines it."
    ]


def test_included_files_are_read_once_contained_and_pinned_by_constraints(tmp_path: Path):
    (tmp_path / "requirements").mkdir()
    (tmp_path / "requirements/base.txt").write_text("numpy\n-r base.txt\n")
    (tmp_path / "limits.txt").write_text("numpy==2.3.0\nunused==1\n")
    (tmp_path / "requirements.txt").write_text(
        "-r requirements/base.txt\n-c limits.txt\n-r ../outside.txt\n--unknown x\n"
    )
    found = read_listing(tmp_path, "requirements.txt", name="requirements.txt")
    assert [(item.name, item.version, item.line) for item in found.dependencies] == [("numpy", "2.3.0", None)]
    assert {ref.uri for ref in found.included} == {"requirements/base.txt", "limits.txt"}
    assert len(found.unread) == 3


def test_added_registries_and_packages_from_source_are_told():
    option = "--extra-" + "index-url"
    found = read_bytes(
        "requirements.txt", f"{option} https://u:p@own.example/simple\n--no-binary :all:\na==1\n".encode(), no_include
    )
    assert found.indexes == ("https://own.example/simple",)
    assert found.dependencies[0].artifacts == ("sdist",)


UV = f"""version = 1
[[package]]
name = "app"
version = "0.1"
source = {{ editable = "." }}
[[package]]
name = "Torch"
version = "2.9.1"
source = {{ registry = "https://pypi.org/simple" }}
dependencies = [{{ name = "numpy" }}]
wheels = [{{ url = "https://files.example/torch-2.9.1-py3-none-any.whl", hash = "sha256:{SHA}" }}]
[[package]]
name = "old"
version = "1.0"
sdist = {{ url = "https://files.example/old-1.0.tar.gz", hash = "sha256:{SHA}" }}
[[package]]
name = "side"
version = "1.0"
source = {{ git = "https://example.org/side?rev=main#{COMMIT}" }}
"""
POETRY = f"""[[package]]
name = "torch"
version = "2.9.1"
files = [{{file = "torch-2.9.1.tar.gz", hash = "sha256:{SHA}"}}]
[package.dependencies]
numpy = "*"
[[package]]
name = "side"
version = "1.0"
[package.source]
type = "git"
url = "https://example.org/side"
reference = "main"
resolved_reference = "{COMMIT}"
[metadata]
lock-version = "2.1"
"""
PYLOCK = f"""lock-version = "1.0"
created-by = "uv"
[[packages]]
name = "torch"
version = "2.9.1"
wheels = [{{ name = "torch-2.9.1-py3-none-any.whl", hashes = {{ sha256 = "{SHA}" }} }}]
[[packages]]
name = "side"
vcs = {{ type = "git", url = "https://example.org/side", commit-id = "{COMMIT}" }}
[[packages]]
name = "web"
archive = {{ url = "https://example.org/web.zip", hashes = {{ sha256 = "{SHA}" }} }}
"""
PIPFILE = json.dumps(
    {
        "_meta": {"sources": [{"name": "pypi"}, {"name": "own"}]},
        "default": {"Torch": {"version": "==2.9.1", "hashes": [f"sha256:{SHA}"]}, "wild": {"version": "*"}},
        "develop": {"side": {"git": "https://example.org/side", "ref": COMMIT}},
    }
)
NPM = json.dumps(
    {
        "lockfileVersion": 3,
        "packages": {
            "": {"name": "app"},
            "node_modules/@scope/lib": {
                "version": "1.2.3",
                "resolved": "https://registry.npmjs.org/@scope/lib/-/lib-1.2.3.tgz",
                "integrity": "sha512-" + "A" * 86 + "==",
                "license": "MIT",
                "hasInstallScript": True,
            },
            "node_modules/a/node_modules/b": {"version": "2.0.0", "deprecated": "no longer supported"},
            "node_modules/alias": {"name": "real", "version": "3.0.0"},
            "node_modules/linked": {"link": True, "resolved": "packages/linked"},
            "node_modules/git": {"version": "1.0.0", "resolved": f"git+ssh://git@example.org/git.git#{COMMIT}"},
        },
    }
)


def test_uv_lock():
    found = read("uv.lock", UV)
    assert set(found) == {"torch", "old", "side"}
    assert found["torch"].hashes == (f"sha256:{SHA}",)
    assert (found["torch"].artifacts, found["old"].artifacts) == (("wheel",), ("sdist",))
    assert found["torch"].requires == ("numpy",)
    assert (found["side"].origin, found["side"].fixed, found["side"].url) == ("vcs", True, "https://example.org/side")


def test_poetry_lock_pylock_and_pipfile_lock():
    poetry, pylock, pipfile = (
        read("poetry.lock", POETRY),
        read("pylock.dev.toml", PYLOCK),
        read("Pipfile.lock", PIPFILE),
    )
    for found in (poetry, pylock, pipfile):
        assert (found["torch"].version, found["torch"].hashes) == ("2.9.1", (f"sha256:{SHA}",))
        assert (found["side"].origin, found["side"].fixed) == ("vcs", True)
    assert (pylock["web"].origin, pylock["web"].fixed) == ("url", True)
    assert pipfile["wild"].version == ""
    assert read_bytes("Pipfile.lock", PIPFILE.encode(), no_include).indexes == ("own",)


def test_package_lock_of_every_version():
    found = read("package-lock.json", NPM)
    assert set(found) == {"@scope/lib", "b", "real", "git"}
    lib = found["@scope/lib"]
    assert (lib.ecosystem, lib.licence, lib.runs_script) == ("npm", "MIT", True)
    assert lib.hashes == ("sha512:" + "0" * 128,)
    assert found["b"].yanked
    assert (found["git"].origin, found["git"].fixed) == ("vcs", True)
    first = {
        "lockfileVersion": 1,
        "dependencies": {
            "a": {"version": "1.0.0", "requires": {"c": "^1"}, "dependencies": {"b": {"version": "npm:real@2.0.0"}}}
        },
    }
    assert {name: item.version for name, item in read("package-lock.json", json.dumps(first)).items()} == {
        "a": "1.0.0",
        "real": "2.0.0",
    }


def test_pyproject_and_conda_state_wishes():
    text = (
        '[project]\ndependencies = ["torch==2.9.1", "numpy>=2"]\ndynamic = ["optional-dependencies"]\n'
        '[build-system]\nrequires = ["hatchling"]\n[dependency-groups]\ndev = ["pytest", {include-group = "x"}]\n'
        '[tool.poetry.dependencies]\npython = "^3.11"\nhttpx = "^0.27"\nfixed = "==1.0"\n'
    )
    found = read_bytes("pyproject.toml", text.encode(), no_include)
    assert {item.name: item.version for item in found.dependencies} == {
        "torch": "2.9.1",
        "numpy": "",
        "hatchling": "",
        "pytest": "",
        "httpx": "",
        "fixed": "1.0",
    }
    assert found.role == "declaration"
    assert found.unread == ("'optional-dependencies' is computed when the project is built",)
    conda = read_bytes(
        "environment.yml", b"dependencies:\n- python=3.11\n- pip\n- scipy=1.14\n- pip:\n  - torch==2.9.1\n", no_include
    )
    assert [(item.name, item.version) for item in conda.dependencies] == [("torch", "2.9.1")]
    assert conda.unread == ("1 packages of conda are not matched with advisories, scipy first",)


def test_a_bill_gives_its_packages_also_nested_ones():
    bill = {
        "bomFormat": "CycloneDX",
        "components": [
            {
                "type": "library",
                "purl": "pkg:npm/%40scope/lib@1.0.0",
                "components": [{"purl": "pkg:pypi/Torch@2.9.1%2Bcu128"}],
            },
            {"type": "machine-learning-model"},
            {"type": "library", "name": "nameless"},
        ],
    }
    found = read_bytes("bom.json", json.dumps(bill).encode(), no_include, role="bill").dependencies
    assert [(item.name, item.version) for item in found] == [
        ("@scope/lib", "1.0.0"),
        ("torch", "2.9.1+cu128"),
        ("nameless", ""),
    ]
    assert found[2].problem


def test_a_component_whose_type_is_no_text_is_no_library():
    bill = {"bomFormat": "CycloneDX", "components": [{"type": ["library"]}, {"purl": "pkg:pypi/torch@2.9.1"}]}
    found = read_bytes("bom.json", json.dumps(bill).encode(), no_include, role="bill").dependencies
    assert [item.name for item in found] == ["torch"]


BROKEN = {
    "requirements.txt": b"\xfftorch",
    "yarn.lock": b"# a comment\n",
    "pnpm-lock.yaml": b"lockfileVersion: '10.0'\n",
    "bun.lock": b'{"lockfileVersion": 1, "packages": {"a": [], "a": []}}',
    "bun.lockb": b"#!/usr/bin/env bun\nbun-lockfile-format-v0\n",
    "conda-lock.yml": b"version: 1\n",
    "pixi.lock": b"version: 6\npackages: {}\n",
    "uv.lock": b"version = 1\n[[package",
    "poetry.lock": b"x = 1",
    "pylock.toml": b'lock-version = "9.0"',
    "Pipfile.lock": b"[]",
    "package-lock.json": b"[" * 100_000,
    "environment.yml": b"a: &a [*a]",
    "pyproject.toml": b"a" + b".a" * 5_000 + b" = [" + b"[" * 5_000,
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_file_is_unread_and_not_empty(name: str, tmp_path: Path):
    (tmp_path / name).write_bytes(BROKEN[name])
    found = read_listing(tmp_path, name, name=name)
    assert found.unread
    assert not found.dependencies


def test_requirements_in_utf16_are_read_as_pip_reads_them(tmp_path: Path):
    (tmp_path / "requirements.txt").write_bytes("torch==2.9.1\r\nnumpy==2.0\r\n".encode("utf-16"))
    found = read_listing(tmp_path, "requirements.txt", name="requirements.txt")
    assert [(item.name, item.version) for item in found.dependencies] == [("torch", "2.9.1"), ("numpy", "2.0")]


def test_packages_of_other_ecosystems_in_a_bill_are_not_overlooked():
    components = [
        {"type": "library", "name": "openssl", "purl": "pkg:deb/debian/openssl@3"},
        {"type": "machine-learning-model", "name": "m", "purl": "pkg:huggingface/a/m@1"},
    ]
    bill = {"bomFormat": "CycloneDX", "components": components}
    [found] = read_bytes("bom.json", json.dumps(bill).encode(), no_include, role="bill").dependencies
    assert "pkg:deb" in found.problem


def test_a_missing_file_and_a_link_are_unread(tmp_path: Path):
    (tmp_path / "poetry.lock").symlink_to("elsewhere")
    assert read_listing(tmp_path, "uv.lock", name="uv.lock").unread
    assert read_listing(tmp_path, "poetry.lock", name="poetry.lock").unread


def test_files_are_known_by_their_names():
    assert all(
        map(
            is_known,
            ["uv.lock", "a/requirements-dev.txt", "requirements/base.in", "pylock.gpu.toml", "package-lock.json"],
        )
    )
    assert not any(map(is_known, ["notes.txt", "package.xml", "lock.toml"]))


SEEDS = {
    "requirements.txt": f"torch==2.9.1 --hash=sha256:{SHA}\n-e git+https://h/x.git#egg=x\n"
    "numpy>=2; python_version<'4'\n",
    "uv.lock": UV,
    "poetry.lock": POETRY,
    "pylock.toml": PYLOCK,
    "Pipfile.lock": PIPFILE,
    "package-lock.json": NPM,
    "environment.yml": "dependencies:\n- pip:\n  - torch==2.9.1\n",
    "pyproject.toml": '[project]\ndependencies = ["torch==2.9.1"]\n',
}


@pytest.mark.parametrize("name", SEEDS)
@settings(max_examples=150)
@given(st.data())
def test_damaged_files_are_read_or_refused(name: str, data: st.DataObject):
    body = bytearray(SEEDS[name].encode())
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, max(0, len(body) - 1)))
        body[at : at + data.draw(st.integers(0, 6))] = data.draw(
            st.binary(max_size=6) | st.sampled_from([b"[", b"{", b'"', b"\\\n", b"-r ", b"@", b"://", b"null", b"1"])
        )
    try:
        found = read_bytes(name, bytes(body), no_include)
    except (UnreadableError, ConfigError):
        return
    assert all(item.name for item in found.dependencies)
