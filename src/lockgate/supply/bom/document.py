"""Writes an inventory as a CycloneDX 1.6 bill of materials (ML-BOM). Source: ECMA-424, cyclonedx.org/docs/1.6/json."""

import datetime as dt
import uuid
from collections.abc import Iterable

import msgspec

from lockgate import __version__
from lockgate.core.subject import SubjectRef, sha256_hex
from lockgate.supply.bom.card import ModelCard
from lockgate.supply.bom.code import Found
from lockgate.supply.bom.declared import external_data, third_parties
from lockgate.supply.bom.dependencies import Library
from lockgate.supply.bom.inventory import Inventory, Model
from lockgate.supply.bom.licences import licence_id

JsonObject = dict[str, object]
SPEC_VERSION = "1.6"
ROOT = "application"
_NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "https://lockgate.dev/bom")


def to_cyclonedx(inventory: Inventory, *, at: dt.datetime | None) -> JsonObject:
    """Build the document.

    Args:
        inventory: What it lists.
        at: When it was taken, UTC. None makes it reproducible: no time, and a serial number from the content.
    """
    models = [_model(model, inventory) for model in inventory.models]
    remote = _remote_models(inventory.found)
    data = [_file(ref, "dataset") for ref in inventory.data] + [_file(ref, "definition") for ref in inventory.prompts]
    named = _named_data(inventory.found)
    libraries = _libraries(inventory.libraries)
    components = [*models, *remote, *data, *named, *external_data(inventory.external), *libraries]
    services = [*_services(inventory.found), *third_parties(inventory.sources)]
    document: JsonObject = {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": SPEC_VERSION,
        "version": 1,
        "metadata": _metadata(inventory, at),
        "components": components,
        "services": services,
        "dependencies": _dependencies(inventory, components, services),
        "compositions": [{"aggregate": "incomplete" if inventory.unread else "unknown", "assemblies": [ROOT]}],
    }
    serial = uuid.uuid4() if at else uuid.uuid5(_NAMESPACE, sha256_hex(msgspec.json.encode(document, order="sorted")))
    return {**document, "serialNumber": f"urn:uuid:{serial}"}


def _metadata(inventory: Inventory, at: dt.datetime | None) -> JsonObject:
    tool = {"type": "application", "name": "lockgate", "version": __version__}
    metadata: JsonObject = {
        "tools": {"components": [tool]},
        "component": {"type": "application", "bom-ref": ROOT, "name": inventory.name},
    }
    if at:
        metadata["timestamp"] = at.astimezone(dt.UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    if inventory.unread:
        metadata["properties"] = _properties(("lockgate:unread", reason) for reason in inventory.unread)
    return metadata


def _model(model: Model, inventory: Inventory) -> JsonObject:
    card = model.card
    component: JsonObject = {
        "type": "machine-learning-model",
        "bom-ref": _ref("model", model.uri),
        "name": card.name or model.uri,
        "modelCard": _card(card),
        "properties": _properties([("lockgate:path", model.uri)]),
    }
    if len(model.files) == 1:
        component["hashes"] = _hashes(model.files[0])
    else:
        component["components"] = [
            {"type": "file", "bom-ref": _ref("file", ref.uri), "name": ref.uri, "hashes": _hashes(ref)}
            for ref in model.files
        ]
    if card.licence:
        component["licenses"] = [{"license": _licence(card.licence)}]
    if model.origin.startswith("pkg:"):
        component["purl"] = model.origin
    if ancestors := _ancestors(model, inventory):
        component["pedigree"] = {"ancestors": ancestors}
    return component


def _card(card: ModelCard) -> JsonObject:
    stated = (
        ("task", card.task),
        ("architectureFamily", card.family or card.architecture),
        ("modelArchitecture", card.architecture),
    )
    parameters: JsonObject = {name: value for name, value in stated if value}
    if card.datasets:
        parameters["datasets"] = [{"type": "dataset", "name": name} for name in card.datasets]
    facts = [
        ("lockgate:quantisation", card.quantisation),
        ("lockgate:parameters", str(card.parameters) if card.parameters else ""),
        *(("lockgate:language", language) for language in card.languages),
    ]
    document: JsonObject = {"modelParameters": parameters}
    if kept := _properties((name, value) for name, value in facts if value):
        document["properties"] = kept
    return document


def _ancestors(model: Model, inventory: Inventory) -> list[JsonObject]:
    present = {other.files[0].sha256: other for other in inventory.models if len(other.files) == 1}
    by_name = {name: other for other in present.values() for name in (other.uri, other.card.name) if name}
    named = [(name, by_name[name].files[0].sha256 if name in by_name else "") for name in model.card.base]
    known = {digest for _, digest in named}
    declared = [
        (present[digest].card.name or present[digest].uri if digest in present else f"sha256:{digest}", digest)
        for digest in model.parents
        if digest not in known
    ]
    return [_ancestor(name, digest) for name, digest in (*named, *declared)]


def _ancestor(name: str, digest: str) -> JsonObject:
    ancestor: JsonObject = {"type": "machine-learning-model", "name": name}
    return {**ancestor, "hashes": _hashes(SubjectRef(name, digest))} if digest else ancestor


def _remote_models(found: Iterable[Found]) -> list[JsonObject]:
    return [
        {
            "type": "machine-learning-model",
            "bom-ref": _ref("named-model", name),
            "name": name,
            "evidence": {"occurrences": _occurrences(places)},
        }
        for name, places in _grouped(found, "model").items()
    ]


def _named_data(found: Iterable[Found]) -> list[JsonObject]:
    datasets: list[JsonObject] = [
        {
            "type": "data",
            "bom-ref": _ref("named-data", name),
            "name": name,
            "data": [{"type": "dataset", "name": name}],
            "evidence": {"occurrences": _occurrences(places)},
        }
        for name, places in _grouped(found, "dataset").items()
    ]
    prompts: list[JsonObject] = [
        {
            "type": "data",
            "bom-ref": _ref("prompt", f"{item.uri}:{item.name}:{item.sha256}"),
            "name": f"{item.uri}: {item.name}",
            "data": [{"type": "definition", "name": item.name}],
            "hashes": [{"alg": "SHA-256", "content": item.sha256}],
            "properties": _properties([("lockgate:kind", "prompt")]),
            "evidence": {"occurrences": _occurrences([item])},
        }
        for item in {(entry.uri, entry.name, entry.sha256): entry for entry in found if entry.kind == "prompt"}.values()
    ]
    return [*datasets, *prompts]


def _services(found: Iterable[Found]) -> list[JsonObject]:
    services: list[JsonObject] = []
    for kind in ("endpoint", "mcp-server"):
        for name, places in _grouped(found, kind).items():
            where = [(f"lockgate:{kind}", f"{item.uri}:{item.line}") for item in places]
            service: JsonObject = {"bom-ref": _ref(kind, name), "name": name, "properties": _properties(where)}
            url = name.rpartition(" ")[2]
            if "://" in url:
                service["endpoints"] = [url]
            services.append(service)
    return services


def _file(ref: SubjectRef, kind: str) -> JsonObject:
    return {
        "type": "data",
        "bom-ref": _ref(kind, ref.uri),
        "name": ref.uri,
        "hashes": _hashes(ref),
        "data": [
            {"type": kind, "name": ref.uri, "contents": {"properties": _properties([("lockgate:path", ref.uri)])}}
        ],
        "properties": _properties([("lockgate:kind", "prompt" if kind == "definition" else "data")]),
    }


def _libraries(libraries: Iterable[Library]) -> list[JsonObject]:
    merged: dict[str, list[Library]] = {}
    for library in libraries:
        merged.setdefault(library.purl, []).append(library)
    components: list[JsonObject] = []
    for purl, same in sorted(merged.items()):
        component: JsonObject = {"type": "library", "bom-ref": purl, "name": same[0].name, "purl": purl}
        if same[0].version:
            component["version"] = same[0].version
        # The hashes are those of the files that may be installed, so they belong to the distribution, not to one file.
        hashes = sorted({item for library in same for item in library.hashes})
        if hashes:
            listed = [{"alg": kind, "content": digits} for kind, digits in hashes]
            component["externalReferences"] = [{"type": "distribution", "url": purl, "hashes": listed}]
        component["properties"] = _properties(("lockgate:source", library.source) for library in same)
        components.append(component)
    return components


def _dependencies(inventory: Inventory, components: list[JsonObject], services: list[JsonObject]) -> list[JsonObject]:
    refs = [str(item["bom-ref"]) for item in (*components, *services)]
    graph: list[JsonObject] = [{"ref": ROOT, "dependsOn": refs}]
    for model in inventory.models:
        wanted = [
            _ref("model", other.uri)
            for other in inventory.models
            if other is not model and {other.uri, other.card.name} & set(model.card.base)
        ]
        if inventory.trained and _inside(model.uri, inventory.trained[0]):
            wanted += [
                _ref("dataset", ref.uri)
                for ref in inventory.data
                if any(_inside(ref.uri, folder) for folder in inventory.trained[1])
            ]
        if wanted:
            graph.append({"ref": _ref("model", model.uri), "dependsOn": list(dict.fromkeys(wanted))})
    return graph


def _inside(uri: str, folder: str) -> bool:
    return uri == folder or uri.startswith(f"{folder.rstrip('/')}/")


def _grouped(found: Iterable[Found], kind: str) -> dict[str, list[Found]]:
    groups: dict[str, list[Found]] = {}
    for item in found:
        if item.kind == kind:
            groups.setdefault(item.name, []).append(item)
    return groups


def _occurrences(places: Iterable[Found]) -> list[JsonObject]:
    return [{"location": item.uri, "line": item.line} for item in places]


def _hashes(ref: SubjectRef) -> list[JsonObject]:
    return [{"alg": "SHA-256", "content": ref.sha256}]


def _licence(stated: str) -> JsonObject:
    known = licence_id(stated)
    return {"id": known} if known else {"name": stated}


def _properties(pairs: Iterable[tuple[str, str]]) -> list[JsonObject]:
    return [{"name": name, "value": value} for name, value in dict.fromkeys(pairs)]


def _ref(kind: str, name: str) -> str:
    return f"{kind}:{name}"
