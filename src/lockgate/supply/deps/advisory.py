"""Reads advisories in OSV's format (ossf.github.io/osv-schema) down to what matching needs."""

import datetime as dt
from collections.abc import Iterable, Iterator
from typing import Literal, cast

import msgspec

from lockgate.supply.deps.cvss import level_of, worst
from lockgate.supply.deps.dependency import Ecosystem, normal_name
from lockgate.supply.deps.versions import UnknownVersionError, order_key, same_key

MAX_SUMMARY = 200
EventKind = Literal["introduced", "fixed", "last_affected", "limit"]

_ECOSYSTEMS: dict[str, Ecosystem] = {"PyPI": "PyPI", "npm": "npm"}
_EVENTS: dict[str, EventKind] = {
    "introduced": "introduced",
    "fixed": "fixed",
    "last_affected": "last_affected",
    "limit": "limit",
}
# GitHub's word for the level between low and high.
_RATED = {"low": "low", "moderate": "medium", "medium": "medium", "high": "high", "critical": "critical"}

Event = tuple[EventKind, str]
Json = dict[str, object]


class AdvisoryError(ValueError):
    """Content that is no advisory in OSV's format."""


class Affected(msgspec.Struct, frozen=True, array_like=True):
    """What one advisory says about one package.

    Attributes:
        id: The advisory's id.
        aliases: Ids of the same vulnerability elsewhere.
        level: `low` to `critical`; empty where it is not rated.
        summary: One line.
        ranges: Events of each range of versions.
        versions: Versions that it lists, in the form of `same_key`, each between line breaks: one text is read from
            the database many times faster than a set of them. Ask with `lists`.
        every: It names neither versions nor ranges, so every version is affected.
        clear: False where a version in a range is none of its ecosystem.
    """

    id: str
    aliases: tuple[str, ...] = ()
    level: str = ""
    summary: str = ""
    ranges: tuple[tuple[Event, ...], ...] = ()
    versions: str = ""
    every: bool = False
    clear: bool = True

    def lists(self, version: str) -> bool:
        """Whether it lists a version, given in the form of `same_key`."""
        return f"\n{version}\n" in self.versions


class Advisory(msgspec.Struct, frozen=True):
    """One advisory.

    Attributes:
        id: Its id.
        modified: When it was last changed.
        withdrawn: Whether it was taken back.
        affected: What it says, by ecosystem and normal name. Of ecosystems that are not matched it says nothing.
    """

    id: str
    modified: dt.datetime
    withdrawn: bool
    affected: tuple[tuple[Ecosystem, str, Affected], ...]


def read_advisory(document: object) -> Advisory:
    """Read one advisory from parsed JSON or YAML.

    Raises:
        AdvisoryError: It is not in OSV's format.
    """
    facts = _mapping(document, "an advisory")
    name = _text(facts.get("id"), "id")
    modified = _moment(facts.get("modified"))
    merged: dict[tuple[Ecosystem, str], Affected] = {}
    for item in _list(facts.get("affected"), "affected"):
        entry = _mapping(item, "affected")
        package = _mapping(entry.get("package") or {}, "package")
        if not package:
            continue  # an entry about commits of a repository
        ecosystem = _ECOSYSTEMS.get(_text(package.get("ecosystem"), "ecosystem").partition(":")[0])
        if ecosystem is None:
            continue
        key = ecosystem, normal_name(ecosystem, _text(package.get("name"), "name"))
        found = _affected(facts, entry, ecosystem)
        merged[key] = _joined(merged[key], found) if key in merged else found
    withdrawn = facts.get("withdrawn") is not None
    return Advisory(name, modified, withdrawn, tuple((*key, found) for key, found in merged.items()))


def _affected(facts: Json, entry: Json, ecosystem: Ecosystem) -> Affected:
    stated = [_mapping(item, "range") for item in _list(entry.get("ranges"), "ranges")]
    ranges = tuple(tuple(_events(item)) for item in stated if str(item.get("type")) in {"ECOSYSTEM", "SEMVER"})
    listed = [_text(item, "version") for item in _list(entry.get("versions"), "versions")]
    summary = facts.get("summary")
    line = " ".join(summary.split())[:MAX_SUMMARY] if isinstance(summary, str) else ""
    return Affected(
        id=_text(facts.get("id"), "id"),
        aliases=tuple(_text(item, "alias") for item in _list(facts.get("aliases"), "aliases")),
        level=_level(facts, entry),
        summary="".join(char for char in line if char.isprintable()),
        ranges=ranges,
        versions=_lines(same_key(ecosystem, version) for version in listed),
        every=not stated and not listed,
        clear=all(_is_version(ecosystem, version) for events in ranges for _, version in events),
    )


def _lines(versions: Iterable[str]) -> str:
    listed = "\n".join(dict.fromkeys(versions))
    return f"\n{listed}\n" if listed else ""


def _joined(one: Affected, other: Affected) -> Affected:
    return Affected(
        id=one.id,
        aliases=one.aliases,
        level=worst([one.level, other.level]),
        summary=one.summary,
        ranges=one.ranges + other.ranges,
        versions=_lines(filter(None, (*one.versions.split("\n"), *other.versions.split("\n")))),
        every=one.every or other.every,
        clear=one.clear and other.clear,
    )


def _events(stated: Json) -> Iterator[Event]:
    for item in _list(stated.get("events"), "events"):
        for kind, version in _mapping(item, "event").items():
            known = _EVENTS.get(kind)
            if known is None:
                raise AdvisoryError("an event is of a kind that is not known")
            yield known, _text(version, "event")


def _is_version(ecosystem: Ecosystem, version: str) -> bool:
    try:
        return version in {"0", "*"} or bool(order_key(ecosystem, version))
    except UnknownVersionError:
        return False


def _level(facts: Json, entry: Json) -> str:
    vectors = [*_list(facts.get("severity"), "severity"), *_list(entry.get("severity"), "severity")]
    levels = [level_of(score) for item in vectors if isinstance(score := _mapping(item, "severity").get("score"), str)]
    for holder in (facts, entry):
        for section in (holder.get("database_specific"), holder.get("ecosystem_specific")):
            rated = cast("Json", section).get("severity") if isinstance(section, dict) else None
            levels.append(_RATED.get(rated.lower(), "") if isinstance(rated, str) else "")
    return worst(levels)


def _moment(value: object) -> dt.datetime:
    try:
        found = dt.datetime.fromisoformat(value) if isinstance(value, str) else value
    except ValueError:
        found = None
    if not isinstance(found, dt.datetime):
        raise AdvisoryError("'modified' is no time")
    return found if found.tzinfo else found.replace(tzinfo=dt.UTC)


def _mapping(value: object, what: str) -> Json:
    if not isinstance(value, dict):
        raise AdvisoryError(f"{what} is no mapping")
    return cast("Json", value)


def _list(value: object, what: str) -> list[object]:
    if value is None:
        return []
    if not isinstance(value, list):
        raise AdvisoryError(f"{what!r} is no list")
    return cast("list[object]", value)


def _text(value: object, what: str) -> str:
    if not isinstance(value, str) or not value or len(value) > 1000 or not value.isprintable():  # noqa: PLR2004 - far above any name
        raise AdvisoryError(f"{what!r} is no short text")
    return value
