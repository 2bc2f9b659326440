"""What whoever edits a file of dependencies does to hide something in it, or to keep its reader busy."""

import time

import pytest

from lockgate.supply.deps.dependency import Dependency
from lockgate.supply.deps.entries import UnreadableError
from lockgate.supply.deps.named_file import another_file
from lockgate.supply.deps.read import read_bytes

SRI = "sha512-" + "A" * 86 + "=="
SHA = "a" * 64
HOSTED = "https://files.pythonhosted.org/packages/aa"


def no_include(uri: str) -> str:
    raise UnreadableError(uri)


def read(name: str, text: str) -> dict[str, Dependency]:
    return {item.name: item for item in read_bytes(name, text.encode(), no_include).dependencies}


def test_a_comment_of_bun_ends_where_a_line_of_javascript_does():
    packages = f'// a\r "evil": ["evil@1.0.0", "", {{}}, "{SRI}"],\n "fine": ["fine@1.0.0", "", {{}}, "{SRI}"]'
    lock = f'{{"lockfileVersion": 1, "packages": {{ {packages} }} }}'
    assert set(read("bun.lock", lock)) == {"evil", "fine"}
    with pytest.raises(UnreadableError):
        read("bun.lock", lock.replace("\r", "\u2028"))


@pytest.mark.parametrize(
    "resolution",
    [
        f"<<: {{type: git, repo: 'https://example.org/x', commit: a}}, integrity: {SRI}",
        f"integrity: {SRI}\u2028#, tarball: https://example.org/x.tgz\n      ",
        f"integrity: {SRI}\x85#, tarball: https://example.org/x.tgz\n      ",
    ],
)
def test_yaml_that_not_every_reader_takes_for_the_same_is_refused(resolution: str):
    lock = f"lockfileVersion: '9.0'\npackages:\n  fine@1.0.0:\n    resolution: {{{resolution}}}\n"
    with pytest.raises(UnreadableError):
        read("pnpm-lock.yaml", lock)


def test_npm_reads_the_older_part_of_a_lock_where_the_newer_is_null():
    lock = '{"lockfileVersion": 2, "packages": null, "dependencies": {"evil": {"version": "1.0.0"}}}'
    assert set(read("package-lock.json", lock)) == {"evil"}


@pytest.mark.parametrize("keys", ['"a@^1.0.0", "a@link:./x"', '"a@link:./x", "a@^1.0.0"'])
def test_a_folder_among_the_wishes_of_yarn_hides_no_package(keys: str):
    assert set(read("yarn.lock", f'# yarn lockfile v1\n{keys}:\n  version "1.0.0"\n')) == {"a"}


def test_setuptools_takes_dashes_for_underscores():
    assert set(read("setup.cfg", "[options]\ninstall-requires =\n  evil==1.0\n")) == {"evil"}
    with pytest.raises(UnreadableError):
        read("setup.cfg", "[options]\ninstall-requires = a\ninstall_requires = b\n")


def test_a_comment_in_setup_cfg_ends_where_setuptools_ends_it():
    hidden = "[metadata]\nname = app\n# why\r[options]\rinstall_requires =\r  evil==1.0\n"
    assert set(read("setup.cfg", hidden)) == {"evil"}


def test_a_setup_py_that_python_would_decode_otherwise_is_refused():
    hidden = "from setuptools import setup\nsetup(install_requires=['fine'])\n# +AAo-setup(install_requires=['evil'])\n"
    assert set(read("setup.py", hidden)) == {"fine"}
    assert set(read("setup.py", f"# -*- coding: latin-1 -*-\n{hidden}")) == {"fine"}
    with pytest.raises(UnreadableError, match="encoding"):
        read("setup.py", f"#!/usr/bin/python\n# -*- coding: utf-7 -*-\n{hidden}")


@pytest.mark.parametrize("end", ["\r", "\x0b", "\x0c", "\x85", "\u2028"])
def test_a_comment_in_requirements_ends_where_pip_ends_it(end: str):
    assert set(read("requirements.txt", f"fine==1.0 # why{end}evil==1.0\n")) == {"fine", "evil"}


def test_requirements_that_pip_would_decode_otherwise_are_unread():
    hidden = "# +AAo-evil==1.0\nfine==1.0\n"

    def unread(text: str) -> tuple[str, ...]:
        return read_bytes("requirements.txt", text.encode(), no_include).unread

    assert not unread(hidden)
    assert not unread(f"# -*- coding: latin-1 -*-\n{hidden}")
    assert not unread(f"# coding: utf-8\n# \u00c5\n{hidden}")
    assert unread(f"# -*- coding: utf-7 -*-\n{hidden}")
    assert unread(f"\n# coding=rot13\n{hidden}")
    assert unread(f"# coding: latin-1\n# \u00c5{hidden}")


@pytest.mark.parametrize("wishes", ["'evil==1.0'", "{evil: 1}", "[7]", "[{evil: 1}]"])
def test_wishes_of_conda_for_pip_that_cannot_be_read_are_told(wishes: str):
    found = read_bytes("environment.yml", f"dependencies:\n- pip: {wishes}\n".encode(), no_include)
    assert found.unread


def test_an_odd_space_hides_no_wish_and_no_address():
    environment = 'dependencies:\n- python\n- pip:\n  - "evil==1.0\\u00a0"\n'
    assert set(read("environment.yml", environment)) == {"evil"}
    piped = '{"_meta": {}, "default": {"a": {"file": "https://example.org/a.zip\\u00a0", "version": "==1.0"}}}'
    assert read("Pipfile.lock", piped)["a"].problem
    assert read("Pipfile", '[packages]\na = {version = "==1.0", file = "https://example.org/a.zip\u00a0"}\n')[
        "a"
    ].problem
    bun = f'["a@1.0.0", "https://example.org/a.tgz\\u00a0", {{}}, "{SRI}"]'
    assert read("bun.lock", f'{{"lockfileVersion": 1, "packages": {{"a": {bun}}}}}')["a"].problem


LOCKS = {
    "conda-lock.yml": "version: 1\npackage:\n- {{name: numpy, version: 2.0.0, manager: pip, url: '{url}', "
    "hash: {{sha256: {sha}}}}}\n",
    "pixi.lock": "version: 6\npackages:\n- {{pypi: '{url}', name: numpy, version: 2.0.0, sha256: {sha}}}\n",
    "uv.lock": '[[package]]\nname = "numpy"\nversion = "2.0.0"\nsource = {{ registry = "https://pypi.org/simple" }}\n'
    'wheels = [{{ url = "{url}", hash = "sha256:{sha}" }}]\n',
    "poetry.lock": '[[package]]\nname = "numpy"\nversion = "2.0.0"\n'
    'files = [{{ file = "{url}", hash = "sha256:{sha}" }}]\n',
    "pylock.toml": 'lock-version = "1.0"\n[[packages]]\nname = "numpy"\nversion = "2.0.0"\n'
    'wheels = [{{ url = "{url}", hashes = {{ sha256 = "{sha}" }} }}]\n',
}


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_that_names_another_librarys_file_or_another_release_is_told(name: str):
    def problem(file: str) -> str:
        [found] = read(name, LOCKS[name].format(url=f"{HOSTED}/{file}", sha=SHA)).values()
        return found.problem

    assert not problem("numpy-2.0.0-cp311-cp311-manylinux_2_17_x86_64.whl")
    assert problem("evil-2.0.0-py3-none-any.whl") == "It names a file of another library."
    assert problem("numpy-1.0-py3-none-any.whl") == "It names a file of another version."


@pytest.mark.parametrize(
    ("name", "version", "file"),
    [
        ("zope-interface", "5.0", "zope.interface-5.0.tar.gz"),
        ("foo", "1.0.post1", "foo-1.0-1.tar.gz"),
        ("torch", "2.9.1", "https://example.org/torch-2.9.1%2Bcpu-cp311-cp311-linux_x86_64.whl"),
        ("torch", "2.9.1+cu128", "torch-2.9.1+cu128-cp311-cp311-linux_x86_64.whl"),
        ("python-dateutil", "2.9.0.post0", "python-dateutil-2.9.0.post0.tar.gz"),
        ("a", "1.0", "https://example.org/simple/9f86d081"),
        ("pytz", "2024.1", "pytz-2024.1.tar.gz#sha256=1"),
        ("odd", "unknown", "odd-2.zip"),
    ],
)
def test_a_librarys_own_files_fit(name: str, version: str, file: str):
    told = another_file(name, version, (file,))
    assert told == ("It names a file of another version." if version == "unknown" else "")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("pyproject.toml", "a" + ".a" * 200_000 + " = 1"),
        ("uv.lock", '"\\"".' * 100_000 + "a = 1"),
        ("pylock.toml", "[" + "a . " * 100_000 + "a]"),
        ("pipfile", "''." * 100_000 + "a = 1"),
        ("setup.py", "a\n" * 4_000_000),
    ],
)
def test_files_that_would_keep_a_reader_busy_are_refused_at_once(name: str, text: str):
    started = time.process_time()
    with pytest.raises(UnreadableError):
        read(name, text)
    assert time.process_time() - started < 5  # minutes to hours before


def test_keys_and_texts_with_many_dots_are_read():
    lock = '[tool.a."b.c".d]\nx = "' + "a." * 500 + '"\ny.z = 1\n[project]\ndependencies = ["fine"]\n'
    assert set(read("pyproject.toml", lock)) == {"fine"}
