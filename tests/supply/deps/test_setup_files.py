"""What `setup.py`, `setup.cfg` and a `Pipfile` ask for; a `setup.py` is parsed and never run."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lockgate.supply.deps.entries import UnreadableError
from lockgate.supply.deps.read import lists_python, read_bytes, read_listing


def no_include(uri: str) -> str:
    raise UnreadableError(uri)


def read(name: str, text: str) -> tuple[dict[str, str], tuple[str, ...]]:
    found = read_bytes(name, text.encode(), no_include)
    assert found.role == "declaration"
    return {item.name: item.version or item.specifier for item in found.dependencies}, found.unread


def test_lists_of_a_setup_py_are_read():
    text = """
from setuptools import setup as make
BASE = ["torch==2.9.1", 'numpy>=2; python_version > "3.10"']
MORE = ("httpx",)
make(
    name="app",
    install_requires=BASE + list_of if False else BASE + ["rich"],
)
"""
    assert read("setup.py", text) == ({}, ("'install_requires' is computed when the project is built",))
    text = text.replace("BASE + list_of if False else BASE + ", "BASE + [*()] + ").replace("[*()]", "list(MORE)")
    assert read("setup.py", text)[1] == ("'install_requires' is computed when the project is built",)
    text = text.replace("list(MORE)", "MORE").replace(
        "name=", "extras_require={'dev': ['pytest>=8'], 'x': 'a\\nb'}, name="
    )
    assert read("setup.py", text) == (
        {"torch": "2.9.1", "numpy": ">=2", "httpx": "", "rich": "", "pytest": ">=8", "a": "", "b": ""},
        (),
    )


@pytest.mark.parametrize(
    "text",
    [
        "import setuptools\nsetuptools.setup(install_requires=open('r.txt').read().split())",
        "from setuptools import setup\nsetup(**settings)",
        "from setuptools import setup\nrequires = ['a']\nrequires.append('b')\nsetup(install_requires=requires)",
        "from setuptools import setup\nrequires = ['a']\nrequires += ['b']\nsetup(install_requires=requires)",
        "from setuptools import setup\nsetup(extras_require={'a': ['b'], **more})",
        "import setuptools\ntry:\n from app import r\nexcept E:\n r = ['a']\nsetuptools.setup(install_requires=r)",
        "from setuptools import setup\nr = ['a']\ndef r(): pass\nsetup(install_requires=r)",
        "from setuptools import setup\nrun = setup\nrun(install_requires=['a'])",
        "from setuptools import setup\nrun = setup\nsetup(name='x')\nrun(install_requires=['a'])",
        "__import__('setuptools').__dict__['setup'](install_requires=['a'])",
        "from setuptools import setup\na0 = ['x']\n"
        + "".join(f"a{n + 1} = a{n} + a{n}\n" for n in range(40))
        + "setup(install_requires=a40)",
        "from setuptools import setup\na = b\nb = a\nsetup(install_requires=a)",
    ],
)
def test_what_a_setup_py_computes_is_not_overlooked(text: str):
    assert read("setup.py", text)[1]


def test_a_module_named_setup_asks_for_nothing_and_states_no_libraries(tmp_path: Path):
    (tmp_path / "setup.py").write_text("def setup_logging():\n    plugin.setup(1)\n")
    found = read_listing(tmp_path, "setup.py", name="setup.py")
    assert not found.dependencies
    assert not found.unread
    assert not lists_python(found)


def test_setup_cfg_with_extras_and_files(tmp_path: Path):
    (tmp_path / "setup.cfg").write_text(
        "[metadata]\nname = app\n[options]\ninstall_requires =\n    torch==2.9.1\n    numpy>=2  # a wish\n"
        "tests_require = attr: app.TESTS\nsetup_requires = file: base.txt\n"
        "[options.extras_require]\ndev =\n    pytest\n"
    )
    (tmp_path / "base.txt").write_text("wheel==0.45\n")
    found = read_listing(tmp_path, "setup.cfg", name="setup.cfg")
    assert {item.name: item.version for item in found.dependencies} == {
        "torch": "2.9.1",
        "numpy": "",
        "wheel": "0.45",
        "pytest": "",
    }
    assert found.unread == ("'tests_require' is computed when the project is built",)
    assert [ref.uri for ref in found.included] == ["base.txt"]


def test_a_pipfile_states_wishes():
    text = (
        '[[source]]\nname = "pypi"\n[[source]]\nname = "own"\n[packages]\ntorch = "==2.9.1"\nhttpx = "*"\n'
        'side = {git = "https://example.org/side.git", ref = "main"}\n'
        '[dev-packages]\npytest = ">=8"\n[requires]\npython_version = "3.11"\n'
    )
    found = read_bytes("Pipfile", text.encode(), no_include)
    assert {item.name: item.version for item in found.dependencies} == {
        "torch": "2.9.1",
        "httpx": "",
        "side": "",
        "pytest": "",
    }
    assert (found.role, found.indexes) == ("declaration", ("own",))


def test_folders_of_the_project_in_lock_files_are_no_libraries():
    uv = '[[package]]\nname = "sub"\nversion = "1"\nsource = { directory = "sub" }\n'
    uv += '[[package]]\nname = "up"\nversion = "1"\nsource = { directory = "../up" }\n'
    pylock = 'lock-version = "1.0"\n[[packages]]\nname = "sub"\ndirectory = { path = "sub", editable = true }\n'
    assert [item.name for item in read_bytes("uv.lock", uv.encode(), no_include).dependencies] == ["up"]
    assert read_bytes("pylock.toml", pylock.encode(), no_include).dependencies == ()


def test_a_place_that_cannot_be_shown_is_no_registry():
    uv = '[[package]]\nname = "a"\nversion = "1"\nsource = { git = "https://e.example/\\u0007" }\n'
    [found] = read_bytes("uv.lock", uv.encode(), no_include).dependencies
    assert found.problem


SEEDS = {
    "setup.py": "from setuptools import setup\nR = ['a==1']\n"
    "setup(install_requires=R + ['b'], extras_require={'x': ['c']})\n",
    "setup.cfg": "[options]\ninstall_requires =\n  a==1\n  b\n[options.extras_require]\nx = c\n",
    "Pipfile": '[packages]\na = "==1"\nb = {version = "*", extras = ["x"]}\n',
}


@pytest.mark.parametrize("name", SEEDS)
@settings(max_examples=200, deadline=None)
@given(st.data())
def test_damaged_files_are_read_or_refused(name: str, data: st.DataObject):
    body = bytearray(SEEDS[name].encode())
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(body) - 1))
        body[at : at + data.draw(st.integers(0, 6))] = data.draw(
            st.binary(max_size=6)
            | st.sampled_from([b"[", b"(", b"'", b"\n", b" ", b"=", b"**", b"attr:", b"file:", b"%("])
        )
    try:
        found = read_bytes(name, bytes(body), no_include)
    except UnreadableError:
        return
    assert all(item.name for item in found.dependencies)
