"""Checks a bill of materials against the rules of CycloneDX that consumers stumble over, without the schema file.

The tests validate the same documents against the official schema; this runs at every `lockgate bom`, so that a wrong
document is never written.
"""

import uuid
from collections.abc import Iterator
from typing import cast

_TYPES = frozenset({"application", "library", "machine-learning-model", "data", "file"})
_DATA_TYPES = frozenset({"dataset", "definition", "configuration", "source-code", "other"})
_DIGITS = {"SHA-256": 64, "SHA-384": 96, "SHA-512": 128}
_HEX = "0123456789abcdef"


def problems_of(document: dict[str, object]) -> tuple[str, ...]:
    """What is wrong with a document; nothing when it may be written."""
    return tuple(_problems(document))


def _problems(document: dict[str, object]) -> Iterator[str]:
    if (document.get("bomFormat"), document.get("specVersion")) != ("CycloneDX", "1.6"):
        yield "It is no CycloneDX 1.6 document."
    if not _is_serial(str(document.get("serialNumber", ""))):
        yield "The serial number is no UUID."
    metadata = _mapping(document.get("metadata"))
    components = [*_nested(document.get("components"))]
    services = _items(document.get("services"))
    for component in (_mapping(metadata.get("component")), *components):
        yield from _component(component)
    refs = [str(item.get("bom-ref", "")) for item in (_mapping(metadata.get("component")), *components, *services)]
    if "" in refs or len(set(refs)) != len(refs):
        yield "A bom-ref is missing or used twice."
    for entry in _items(document.get("dependencies")):
        wanted = _texts(entry.get("dependsOn"))
        if wanted is None:
            yield "A dependency does not name what it depends on in a list of texts."
            continue
        if unknown := [name for name in (entry.get("ref"), *wanted) if name not in refs]:
            yield f"The dependencies name {unknown[0]!r}, which is not listed."
        if len(set(wanted)) != len(wanted):
            yield "A dependency is listed twice."


def _is_serial(text: str) -> bool:
    try:
        return f"urn:uuid:{uuid.UUID(text.removeprefix('urn:uuid:'))}" == text
    except ValueError:
        return False


def _component(component: dict[str, object]) -> Iterator[str]:
    name = component.get("name")
    if not _is_one_of(component.get("type"), _TYPES) or not isinstance(name, str) or not name:
        yield "A component has no name or an unknown type."
    if "modelCard" in component and component.get("type") != "machine-learning-model":
        yield f"{name} has a model card and is no model."
    if any(not _is_one_of(item.get("type"), _DATA_TYPES) for item in _items(component.get("data"))):
        yield f"{name} holds data of an unknown type."
    references = [inner for item in _items(component.get("externalReferences")) for inner in _items(item.get("hashes"))]
    for found in (*_items(component.get("hashes")), *references):
        content = str(found.get("content", ""))
        if len(content) != _DIGITS.get(str(found.get("alg"))) or content.strip(_HEX):
            yield f"{name} has a hash that is none."


def _nested(value: object) -> Iterator[dict[str, object]]:
    for item in _items(value):
        yield item
        yield from _items(item.get("components"))


def _is_one_of(value: object, known: frozenset[str]) -> bool:
    return isinstance(value, str) and value in known


def _texts(value: object) -> list[str] | None:
    """The texts of a list; None where it is no list of texts alone. One that is missing is empty."""
    items = cast("list[object]", value) if isinstance(value, list) else [] if value is None else [None]
    texts = [item for item in items if isinstance(item, str)]
    return texts if len(texts) == len(items) else None


def _mapping(value: object) -> dict[str, object]:
    return cast("dict[str, object]", value) if isinstance(value, dict) else {}


def _items(value: object) -> list[dict[str, object]]:
    return [_mapping(item) for item in cast("list[object]", value)] if isinstance(value, list) else []
