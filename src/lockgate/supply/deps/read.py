"""Reads a file of dependencies by its name. Nothing is resolved, fetched or executed."""

import codecs
import posixpath
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import cast

import msgspec

from lockgate.core import ConfigError, CoreError, SubjectRef, strict_yaml
from lockgate.core.files import Content, read
from lockgate.supply.deps.dependency import Dependency, Listing, Role
from lockgate.supply.deps.entries import Json, UnreadableError, bounded, is_mapping, items, mapping, text
from lockgate.supply.deps.read_bun import read_bun
from lockgate.supply.deps.read_conda import read_conda_lock, read_environment, read_pixi
from lockgate.supply.deps.read_json import read_bill, read_package_lock, read_pipfile_lock
from lockgate.supply.deps.read_package_json import read_package_json
from lockgate.supply.deps.read_pnpm import read_pnpm
from lockgate.supply.deps.read_requirements import read_requirements
from lockgate.supply.deps.read_setup import read_setup_cfg, read_setup_py
from lockgate.supply.deps.read_toml import read_document, read_lock, read_pipfile, read_pylock, read_pyproject
from lockgate.supply.deps.read_yarn import read_yarn
from lockgate.supply.errors import SupplyError

MAX_BYTES = 32 << 20
MAX_TEXT_LOCK = 16 << 20
_LOCKS = {"uv.lock", "poetry.lock", "pdm.lock"}
_NPM = {"package-lock.json", "npm-shrinkwrap.json"}
_CONDA = {"environment.yml", "environment.yaml"}
_SCRIPTED = {"yarn.lock": read_yarn, "pnpm-lock.yaml": read_pnpm, "bun.lock": read_bun}
"""Lock files of JavaScript's other package managers."""
_CONDA_LOCKS = {"conda-lock.yml": read_conda_lock, "conda-lock.yaml": read_conda_lock, "pixi.lock": read_pixi}
_BINARY = "bun.lockb"
"""Not read, but it lists packages: overlooking it would pass it."""
_PACKAGE = "package.json"
_JAVASCRIPT = _NPM | _SCRIPTED.keys() | {_BINARY, _PACKAGE}
_SETUP = {"setup.py", "setup.cfg"}
_NAMES = _JAVASCRIPT | _LOCKS | _CONDA_LOCKS.keys() | _CONDA | _SETUP | {"pyproject.toml", "pipfile", "pipfile.lock"}

Load = Callable[[str], str]


class _Read(msgspec.Struct, frozen=True):
    """What the reader of a format found."""

    role: Role
    dependencies: tuple[Dependency, ...]
    unread: tuple[str, ...] = ()
    indexes: tuple[str, ...] = ()


def is_known(name: str) -> bool:
    """Whether a file of that name lists dependencies."""
    lowered = PurePosixPath(name).name.lower()
    return lowered in _NAMES or _is_pylock(lowered) or (_is_requirements(lowered) and "requirements" in name.lower())


def lists_python(listing: Listing) -> bool:
    """Whether a file of dependencies speaks of Python's libraries; `setup.py` may be a module like any other."""
    lowered = PurePosixPath(listing.ref.uri).name.lower()
    return lowered not in _JAVASCRIPT and (lowered not in _SETUP or bool(listing.dependencies or listing.unread))


def read_listing(root: Path, uri: str, *, name: str, role: Role | None = None) -> Listing:
    """Read one file of dependencies.

    Args:
        root: Folder that no file that it includes may lie outside of.
        uri: Its path below `root`.
        name: What to call it in findings.
        role: `bill` for a bill of materials; otherwise told by the name.

    Returns:
        What it lists. What could not be read stands in `unread`, which is never a pass.
    """
    try:
        content = read(root, uri, limit=MAX_BYTES)
    except CoreError as error:
        return Listing(ref=SubjectRef(name), role=role or "lock", unread=(str(error),))
    ref = SubjectRef(name, content.ref.sha256)
    included: dict[str, SubjectRef] = {}
    try:
        found = read_bytes(uri, content.body, _loader(root, included), role=role)
    except (UnreadableError, ConfigError) as error:
        return Listing(ref=ref, role=role or "lock", unread=(f"{name} cannot be read: {error}",))
    return Listing(
        ref=ref,
        role=found.role,
        dependencies=found.dependencies,
        indexes=found.indexes,
        unread=found.unread,
        included=tuple(included.values()),
    )


def _loader(root: Path, included: dict[str, SubjectRef]) -> Load:
    def load(uri: str) -> str:
        try:
            content: Content = read(root, uri, limit=MAX_BYTES)
            included[uri] = content.ref
            return _decoded(content.body)
        except (CoreError, UnicodeDecodeError) as error:
            raise UnreadableError("it is missing, outside of the folder, or no UTF-8") from error

    return load


def read_bytes(uri: str, body: bytes, load: Load, *, role: Role | None = None) -> _Read:
    """Read the content of a file of dependencies.

    Raises:
        UnreadableError: It is not in the format that its name announces.
        ConfigError: It is YAML that is refused.
    """
    name = posixpath.basename(uri).lower()
    if role != "bill" and name == _BINARY:
        raise UnreadableError(
            "it is Bun's binary format. Run 'bun install --save-text-lockfile', commit bun.lock, and delete this file"
        )
    try:
        if role == "bill":
            return _Read("bill", bounded(read_bill(_json(body))))
        if name in _CONDA:
            found, unread = read_environment(strict_yaml.load(body, name=posixpath.basename(uri)), uri, load)
            return _Read("declaration", bounded(found), tuple(unread))
        content = _decoded(body)
        if _is_requirements(name):
            stated = read_requirements(content, uri, load)
            return _Read(
                "requirements", bounded(stated.dependencies), tuple(stated.unread), tuple(dict.fromkeys(stated.indexes))
            )
        if name in _SETUP:
            found, unread = read_setup_py(content) if name == "setup.py" else read_setup_cfg(content, uri, load)
            return _Read("declaration", bounded(found), tuple(unread))
        return _structured(name, body, content)
    except UnicodeDecodeError as error:
        raise UnreadableError("it is no UTF-8") from error
    except (ValueError, RecursionError, msgspec.MsgspecError) as error:
        if isinstance(error, UnreadableError):
            raise
        raise UnreadableError("it is not in the format that its name announces") from error


def _decoded(body: bytes) -> str:
    """Text in UTF-8, or as its mark says: pip takes UTF-16 too, which shells of Windows write."""
    if body.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) and not body.startswith(codecs.BOM_UTF32_LE):
        return body.decode("utf-16")
    return body.decode("utf-8-sig")


def _structured(name: str, body: bytes, content: str) -> _Read:
    if (name in _SCRIPTED or name in _CONDA_LOCKS) and len(content) > MAX_TEXT_LOCK:
        raise UnreadableError(f"it is larger than {MAX_TEXT_LOCK:,} characters")
    if name in _JAVASCRIPT:
        return _javascript(name, body, content)
    if name in _CONDA_LOCKS:
        found, unread = _CONDA_LOCKS[name](content)
        return _Read("lock", bounded(found), tuple(unread))
    if name == "pipfile.lock":
        document = _json(body)
        sources = items(mapping(document.get("_meta")).get("sources"))
        indexes = tuple(text(mapping(item).get("name")) or "unnamed" for item in sources[1:])
        return _Read("lock", bounded(read_pipfile_lock(document)), indexes=indexes)
    document = read_document(content)
    if name in _LOCKS:
        return _Read("lock", bounded(read_lock(document)))
    if _is_pylock(name):
        return _Read("lock", bounded(read_pylock(document)))
    return _declared(name, document)


def _javascript(name: str, body: bytes, content: str) -> _Read:
    if name == _PACKAGE:
        # npm takes an empty object, and a mark of the encoding before it.
        return _Read("declaration", bounded(read_package_json(_object(content))))
    read_lines = _SCRIPTED.get(name)
    return _Read("lock", bounded(read_lines(content) if read_lines else read_package_lock(_json(body))))


def _declared(name: str, document: Json) -> _Read:
    if name == "pipfile":
        found, added = read_pipfile(document)
        return _Read("declaration", bounded(found), indexes=tuple(added))
    if name == "pyproject.toml":
        found, unread = read_pyproject(document)
        return _Read("declaration", bounded(found), tuple(unread))
    raise UnreadableError("its name is none of a file of dependencies")


def _json(body: bytes) -> Json:
    document = mapping(cast("object", msgspec.json.decode(body)))
    if not document:
        raise UnreadableError("it is no JSON object")
    return document


def _object(content: str) -> Json:
    document = cast("object", msgspec.json.decode(content))
    if not is_mapping(document):
        raise UnreadableError("it is no JSON object")
    return mapping(document)


def _is_pylock(name: str) -> bool:
    return name == "pylock.toml" or (name.startswith("pylock.") and name.endswith(".toml"))


def _is_requirements(name: str) -> bool:
    return name.endswith((".txt", ".in"))


def require_known(name: str) -> None:
    """Refuse a file that is named alone and whose name says nothing.

    Raises:
        SupplyError: It is no file of dependencies by its name.
    """
    if not (is_known(name) or _is_requirements(name.lower())):
        raise SupplyError(
            f"{name} is no file of dependencies by its name.",
            remedy="Name a requirements file, a lock file, pyproject.toml or environment.yml.",
        )
