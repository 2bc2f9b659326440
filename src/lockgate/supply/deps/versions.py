"""Orders versions as their registries do: PEP 440 for PyPI (by `packaging`), Semantic Versioning 2.0.0 for npm."""

from functools import lru_cache

from packaging.utils import canonicalize_version
from packaging.version import InvalidVersion, Version

MAX_LENGTH = 200
_FIELDS = 3

Key = tuple[object, ...]


class UnknownVersionError(ValueError):
    """A version that its registry's rules do not describe."""


@lru_cache(maxsize=65_536)
def order_key(ecosystem: str, version: str) -> Key:
    """A key that orders versions of one ecosystem.

    A local label (`2.9.1+cu128`) does not count, as in the specifiers of PEP 440: it names a build of that version.

    Raises:
        UnknownVersionError: It is no version there.
    """
    if not 0 < len(version) <= MAX_LENGTH or not version.isascii():
        raise UnknownVersionError(version[:MAX_LENGTH])
    if ecosystem == "PyPI":
        return _pep440(version)
    return _semver(version)


@lru_cache(maxsize=65_536)
def same_key(ecosystem: str, version: str) -> str:
    """The form in which equal versions are the same text; as it is written where it is no version."""
    if ecosystem != "PyPI" or len(version) > MAX_LENGTH:
        return version.removeprefix("v").removeprefix("=").partition("+")[0]
    try:
        return canonicalize_version(Version(version).public)
    except InvalidVersion:
        return version


def _pep440(version: str) -> Key:
    try:
        found = Version(version)
    except InvalidVersion as error:
        raise UnknownVersionError(version) from error
    release = found.release
    while len(release) > 1 and not release[-1]:
        release = release[:-1]
    # The order of PEP 440 as plain tuples, which compare several times faster than objects. A development release
    # without more comes before pre-releases, those before the release, and that before its post-releases.
    if found.pre is not None:
        stage: Key = (0, *found.pre)
    else:
        stage = (-1,) if found.post is None and found.dev is not None else (1,)
    development = (1, 0) if found.dev is None else (0, found.dev)
    return (found.epoch, release, stage, -1 if found.post is None else found.post, development)


def _semver(version: str) -> Key:
    stated = version.removeprefix("v").removeprefix("=").partition("+")[0]
    release, dash, before = stated.partition("-")
    numbers = [_number(part, version) for part in release.split(".")]
    fields = before.split(".") if dash else []
    if len(numbers) > _FIELDS or (dash and len(numbers) < _FIELDS) or any(not _is_identifier(part) for part in fields):
        raise UnknownVersionError(version)
    numbers += [0] * (_FIELDS - len(numbers))
    # Section 11: a release follows its pre-releases; numbers come before words, fewer fields before more.
    return (*numbers, 0 if dash else 1, tuple(_identifier(part) for part in fields))


def _number(part: str, version: str) -> int:
    if not part.isdigit():
        raise UnknownVersionError(version)
    return int(part)


def _is_identifier(part: str) -> bool:
    return bool(part) and part.replace("-", "a").isalnum()


def _identifier(part: str) -> tuple[int, int, str]:
    return (0, int(part), "") if part.isdigit() else (1, 0, part)
