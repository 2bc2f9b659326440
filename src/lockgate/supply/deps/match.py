"""Matches a version with advisories: OSV's rules (ossf.github.io/osv-schema/#evaluation) in the registry's order."""

from collections.abc import Iterable
from itertools import pairwise

from lockgate.supply.deps.advisory import Affected, Event
from lockgate.supply.deps.cvss import worst
from lockgate.supply.deps.dependency import Weakness
from lockgate.supply.deps.versions import Key, UnknownVersionError, order_key, same_key

# At one version a repair comes before a new beginning, and that before an end that includes the version.
_ORDER = {"fixed": 0, "introduced": 1, "last_affected": 2, "limit": 3}
_LOWEST: Key = ()
_HIGHEST = "*"


def is_affected(ecosystem: str, version: str, events: tuple[Event, ...]) -> bool:
    """Whether a version lies in a range.

    A pre-release of the repaired version counts as affected, and a local label does not count.

    Raises:
        UnknownVersionError: The version, or one in the range, is none of this ecosystem.
    """
    here = order_key(ecosystem, version)
    limits = [item for kind, item in events if kind == "limit" and item != _HIGHEST]
    if limits and not any(here < order_key(ecosystem, item) for item in limits):
        return False
    placed = [(_place(ecosystem, kind, item), _ORDER[kind], kind) for kind, item in events if kind != "limit"]
    found = False
    for at, _, kind in sorted(placed):
        if kind == "introduced" and at <= here:
            found = True
        elif (kind == "fixed" and at <= here) or (kind == "last_affected" and at < here):
            found = False
    return found


def weaknesses(ecosystem: str, version: str, affected: Iterable[Affected]) -> tuple[Weakness, ...]:
    """The vulnerabilities of a version; advisories that are aliases of one another count as one.

    Raises:
        UnknownVersionError: The version is none of this ecosystem.
    """
    order_key(ecosystem, version)
    hits = [(item, sure) for item in affected if (sure := _applies(ecosystem, version, item)) is not None]
    return tuple(sorted((_weakness(ecosystem, version, group) for group in _groups(hits)), key=lambda item: item.id))


def _applies(ecosystem: str, version: str, item: Affected) -> bool | None:
    """True if it applies, False if it cannot be told (so it is taken to), None if it does not."""
    if item.every or item.lists(same_key(ecosystem, version)):
        return True
    # Ranges of commits alone leave neither versions nor ranges that could be compared.
    if not item.clear or not (item.ranges or item.versions):
        return False
    return True if any(is_affected(ecosystem, version, events) for events in item.ranges) else None


def _groups(hits: list[tuple[Affected, bool]]) -> list[list[tuple[Affected, bool]]]:
    """Hits that share an id, directly or through others."""
    parent: dict[str, str] = {}

    def root(name: str) -> str:
        while parent.setdefault(name, name) != name:
            parent[name] = parent[parent[name]]
            name = parent[name]
        return name

    for item, _ in hits:
        for one, other in pairwise((item.id, *item.aliases)):
            parent[root(other)] = root(one)
    groups: dict[str, list[tuple[Affected, bool]]] = {}
    for item, sure in hits:
        groups.setdefault(root(item.id), []).append((item, sure))
    return list(groups.values())


def _weakness(ecosystem: str, version: str, group: list[tuple[Affected, bool]]) -> Weakness:
    ids = sorted({name for item, _ in group for name in (item.id, *item.aliases)})
    repairs = {end for item, _ in group for events in item.ranges for kind, end in events if kind == "fixed"}
    return Weakness(
        id=next((name for name in ids if name.startswith("CVE-")), min(item.id for item, _ in group)),
        ids=tuple(ids),
        level=worst([item.level for item, _ in group]),
        summary=next((item.summary for item, _ in sorted(group, key=lambda hit: hit[0].id) if item.summary), ""),
        repaired_in=_next_repair(ecosystem, version, repairs),
        malicious=any(name.startswith("MAL-") for name in ids),
        sure=any(sure for _, sure in group),
    )


def _next_repair(ecosystem: str, version: str, repairs: set[str]) -> str:
    here, above = order_key(ecosystem, version), list[tuple[Key, str]]()
    for repair in repairs:
        try:
            at = order_key(ecosystem, repair)
        except UnknownVersionError:
            continue
        if at > here:
            above.append((at, repair))
    return min(above)[1] if above else ""


def _place(ecosystem: str, kind: str, version: str) -> Key:
    # Only as a beginning does 0 mean "before every version".
    return _LOWEST if version == "0" and kind == "introduced" else order_key(ecosystem, version)
