"""Takes parsed files of strangers apart without trusting a shape, and reads single requirements (PEP 508)."""

import itertools
from collections.abc import Iterable
from typing import TypeGuard

from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import SpecifierSet

from lockgate.supply.address import bare_url
from lockgate.supply.deps.dependency import Artifact, Dependency, Origin, normal_name

MAX_ENTRIES = 50_000
MAX_LINE = 8_000
_STRONG = {"sha256": 64, "sha384": 96, "sha512": 128}
_VCS = ("git+", "hg+", "svn+", "bzr+")
_FULL_COMMITS = (40, 64)
_ARCHIVES = (".whl", ".zip", ".tar", ".tgz", ".tar.gz", ".tar.bz2", ".tar.xz", ".egg")
_HEX = frozenset("0123456789abcdef")
_NAME_ENDS = frozenset("=<>~![;")

Json = dict[str, object]


class UnreadableError(ValueError):
    """A file, or a part of one, that is not in the format that its name announces. The text names no content."""


def mapping(value: object) -> Json:
    """The value if it is a mapping with names as keys, else an empty one."""
    return {key: item for key, item in value.items() if isinstance(key, str)} if is_mapping(value) else {}


def is_list(value: object) -> TypeGuard[list[object]]:
    """Whether the value is a list."""
    return isinstance(value, list)


def is_mapping(value: object) -> TypeGuard[dict[object, object]]:
    """Whether the value is a mapping."""
    return isinstance(value, dict)


def items(value: object) -> list[object]:
    """The value if it is a list, else an empty one."""
    return value if is_list(value) else []


def whole_mapping(holder: Json, name: str) -> Json:
    """The mapping of that name, empty if there is none: what it lists must not get lost because it is something else.

    Raises:
        UnreadableError: It is no mapping.
    """
    value = holder.get(name)
    if value is not None and not is_mapping(value):
        raise UnreadableError(f"its '{name}' is no mapping")
    return mapping(value)


def whole_list(holder: Json, name: str) -> list[object]:
    """The list of that name, empty if there is none.

    Raises:
        UnreadableError: It is no list.
    """
    value = holder.get(name)
    if value is not None and not is_list(value):
        raise UnreadableError(f"its '{name}' is no list")
    return items(value)


def text(value: object) -> str:
    """The value if it is printable text of a bounded length, else nothing."""
    return value if isinstance(value, str) and len(value) <= MAX_LINE and value.isprintable() else ""


def bounded(found: Iterable[Dependency]) -> tuple[Dependency, ...]:
    """The dependencies of one file.

    Raises:
        UnreadableError: There are more than 50,000.
    """
    kept: list[Dependency] = []
    for item in found:
        kept.append(item)
        if len(kept) > MAX_ENTRIES:
            raise UnreadableError(f"it lists more than {MAX_ENTRIES:,} libraries")
    return tuple(kept)


def strong(hashes: Iterable[str]) -> tuple[str, ...]:
    """Those of some `algorithm:digits` that an attacker cannot forge: SHA-2 in full length."""
    found = dict.fromkeys(item.strip().lower() for item in hashes)
    return tuple(item for item in found if _is_strong(*item.partition(":")[::2]))


def _is_strong(kind: str, digits: str) -> bool:
    return len(digits) == _STRONG.get(kind) and _HEX.issuperset(digits)


def artifact(name: str) -> Artifact:
    """What kind of file an installer would fetch, by its name."""
    lowered = name.lower()
    if lowered.endswith(".whl"):
        return "wheel"
    return "sdist" if lowered.endswith((".tar.gz", ".zip", ".tar.bz2", ".tgz", ".tar.xz")) else "other"


def origin_of(url: str) -> Origin:
    """Where a reference leads."""
    if url.startswith(_VCS):
        return "vcs"
    return "url" if "://" in url and not url.startswith("file:") else "path"


def shown_url(url: str) -> str:
    """A reference without user, password, query and fragment."""
    return bare_url(url.partition("+")[2] if url.startswith(_VCS) else url)


def is_own_folder(path: str) -> bool:
    """Whether a path means a folder below the lock file: a part of the project, whose code is examined there."""
    stated = path.partition("#")[0].partition("::")[0]
    return not (stated.startswith(("/", "~", "\\")) or ".." in stated or ":" in stated or stated.endswith(_ARCHIVES))


def is_fixed(url: str) -> bool:
    """Whether a reference itself says what is fetched: a digest in its fragment, or a full commit id."""
    place, _, fragment = url.partition("#")
    if origin_of(url) == "vcs":
        return is_commit(place.rpartition("@")[2])
    return bool(strong(part.replace("=", ":", 1) for part in fragment.split("&")))


def is_commit(reference: str) -> bool:
    """Whether a reference is a full commit id, which no one can move."""
    return len(reference) in _FULL_COMMITS and _HEX.issuperset(reference)


def exact(specifier: SpecifierSet) -> str:
    """The one version that a specifier allows; empty if there may be several."""
    for item in specifier:
        if item.operator == "===" or (item.operator == "==" and not item.version.endswith(".*")):
            return item.version
    return ""


def requirement(stated: str, *, line: int | None = None, hashes: tuple[str, ...] = ()) -> Dependency:
    """Read one requirement. One that is none becomes a dependency with a `problem`, so that it is not overlooked."""
    try:
        found = Requirement(stated)
    except (InvalidRequirement, RecursionError, ValueError):
        return unknown(stated, line=line)
    url = found.url or ""
    return Dependency(
        ecosystem="PyPI",
        name=normal_name("PyPI", found.name),
        version="" if url else exact(found.specifier),
        specifier=str(found.specifier),
        marker=str(found.marker or ""),
        hashes=hashes,
        origin=origin_of(url) if url else "registry",
        url=shown_url(url),
        fixed=bool(url) and (is_fixed(url) or (bool(hashes) and origin_of(url) == "url")),
        artifacts=(artifact(url.partition("#")[0]),) if url and origin_of(url) == "url" else (),
        line=line,
    )


def unknown(stated: str, *, line: int | None = None) -> Dependency:
    """A dependency that cannot be understood."""
    name = "".join(itertools.takewhile(_NAME_ENDS.isdisjoint, stated)).strip()
    shown = name if name and len(name) <= 100 and name.isprintable() and " " not in name else "?"  # noqa: PLR2004 - no name is longer
    shown = "?" if "://" in shown or "@" in shown else shown
    return Dependency(ecosystem="PyPI", name=shown, line=line, problem="It is no requirement as PEP 508 defines it.")
