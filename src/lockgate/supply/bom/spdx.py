"""Writes an inventory as an SPDX 2.3 document in JSON. Source: ISO/IEC 5962, spdx.github.io/spdx-spec/v2.3."""

import datetime as dt
import uuid
from collections.abc import Iterable

import msgspec

from lockgate import __version__
from lockgate.core.subject import SubjectRef, sha256_hex
from lockgate.supply.bom.code import Found
from lockgate.supply.bom.dependencies import Library
from lockgate.supply.bom.inventory import Inventory, Model
from lockgate.supply.bom.licences import licence_id

JsonObject = dict[str, object]
DOCUMENT = "SPDXRef-DOCUMENT"
NOTHING = "NOASSERTION"
_NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "https://lockgate.dev/spdx")
# The format demands a time; a document that is to be the same every time has the earliest there is.
_NO_TIME = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_NAMED = {
    "model": "a model that the code names",
    "dataset": "a data set that the code names",
    "endpoint": "an endpoint",
    "mcp-server": "an MCP server",
}


def to_spdx(inventory: Inventory, *, at: dt.datetime | None) -> JsonObject:
    """Build the document: one package for everything that the inventory lists, and how they belong together.

    Args:
        inventory: What it lists.
        at: When it was taken, UTC. None makes it reproducible.
    """
    writing = _Writing(inventory)
    content: JsonObject = {
        "packages": writing.packages,
        "relationships": writing.relationships,
        "hasExtractedLicensingInfos": writing.licences,
    }
    random, digest = uuid.uuid4(), sha256_hex(msgspec.json.encode(content, order="sorted"))
    number = random if at else uuid.uuid5(_NAMESPACE, digest)
    document: JsonObject = {
        "spdxVersion": "SPDX-2.3",
        "dataLicense": "CC0-1.0",
        "SPDXID": DOCUMENT,
        "name": inventory.name,
        "documentNamespace": f"https://lockgate.dev/spdx/{number}",
        "creationInfo": {
            "created": (at or _NO_TIME).astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "creators": [f"Tool: lockgate-{__version__}"],
        },
        **content,
    }
    if inventory.unread:
        document["comment"] = "Incomplete. " + " ".join(inventory.unread)
    return document


class _Writing:
    """A document under way: ids are given out in order, so that no two are alike."""

    def __init__(self, inventory: Inventory) -> None:
        self.packages: list[JsonObject] = []
        self.relationships: list[JsonObject] = []
        self.licences: list[JsonObject] = []
        self._application = self._package(inventory.name, "APPLICATION")
        self._relate(DOCUMENT, "DESCRIBES", self._application)
        models = [(model, self._model(model)) for model in inventory.models]
        data = [(ref, self._file(ref, "data")) for ref in inventory.data]
        for ref in inventory.prompts:
            self._file(ref, "a prompt or tool definition")
        for claim in inventory.external:
            comment = f"A data set from {claim.origin}"
            outside = self._package(claim.name, "OTHER", version=claim.revision, licence=claim.licence, comment=comment)
            self._relate(self._application, "DEPENDS_ON", outside)
        self._libraries(inventory.libraries)
        self._named(inventory.found)
        for source in inventory.sources:
            until = source.reviewed_until.isoformat() if source.reviewed_until else "never"
            comment = f"A third party ({source.kind}) at {source.address}. Reviewed until: {until}."
            self._relate(self._application, "DEPENDS_ON", self._package(source.name, "OTHER", comment=comment))
        self._origins(inventory, models, data)

    def _package(
        self,
        called: str,
        purpose: str,
        *,
        version: str = "",
        sha256: str = "",
        licence: str = "",
        purl: str = "",
        comment: str = "",
    ) -> str:
        number = f"SPDXRef-{len(self.packages) + 1}"
        package: JsonObject = {
            "SPDXID": number,
            "name": called,
            "downloadLocation": NOTHING,
            "filesAnalyzed": False,
            "licenseConcluded": NOTHING,
            "licenseDeclared": self._licence(licence),
            "copyrightText": NOTHING,
            "primaryPackagePurpose": purpose,
        }
        if version:
            package["versionInfo"] = version
        if sha256:
            package["checksums"] = [{"algorithm": "SHA256", "checksumValue": sha256}]
        if purl:
            reference = {"referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl", "referenceLocator": purl}
            package["externalRefs"] = [reference]
        if comment:
            package["comment"] = comment
        self.packages.append(package)
        return number

    def _relate(self, one: str, how: str, other: str) -> None:
        self.relationships.append({"spdxElementId": one, "relationshipType": how, "relatedSpdxElement": other})

    def _licence(self, stated: str) -> str:
        if not stated:
            return NOTHING
        if known := licence_id(stated):
            return known
        number = f"LicenseRef-{sha256_hex(stated.encode('utf-8', 'surrogatepass'))[:16]}"
        if all(item["licenseId"] != number for item in self.licences):
            text = f"Stated as: {stated}"
            self.licences.append({"licenseId": number, "extractedText": text, "name": stated})
        return number

    def _model(self, model: Model) -> str:
        card = model.card
        facts = (
            ("architecture", card.architecture),
            ("task", card.task),
            ("quantisation", card.quantisation),
            ("parameters", str(card.parameters) if card.parameters else ""),
            ("data sets", ", ".join(card.datasets)),
        )
        said = "; ".join(f"{what}: {value}" for what, value in facts if value)
        number = self._package(
            card.name or model.uri,
            "OTHER",
            sha256=model.files[0].sha256 if len(model.files) == 1 else "",
            licence=card.licence,
            purl=model.origin if model.origin.startswith("pkg:") else "",
            comment=f"A machine-learning model in {model.uri}. {said}".strip(),
        )
        self._relate(self._application, "CONTAINS", number)
        for ref in model.files if len(model.files) > 1 else ():
            part = self._package(ref.uri, "FILE", sha256=ref.sha256, comment="Weights of a model")
            self._relate(number, "CONTAINS", part)
        return number

    def _file(self, ref: SubjectRef, kind: str) -> str:
        number = self._package(ref.uri, "FILE", sha256=ref.sha256, comment=f"It holds {kind}.")
        self._relate(self._application, "CONTAINS", number)
        return number

    def _libraries(self, libraries: Iterable[Library]) -> None:
        merged = {library.purl: library for library in libraries}
        for purl, library in sorted(merged.items()):
            number = self._package(library.name, "LIBRARY", version=library.version, purl=purl)
            self._relate(self._application, "DEPENDS_ON", number)

    def _named(self, found: Iterable[Found]) -> None:
        places: dict[tuple[str, str], list[str]] = {}
        for item in found:
            if item.kind in _NAMED:
                places.setdefault((item.kind, item.name), []).append(f"{item.uri}:{item.line}")
        for (kind, called), where in sorted(places.items()):
            comment = f"It is {_NAMED[kind]}: {', '.join(where)}."
            self._relate(self._application, "DEPENDS_ON", self._package(called, "OTHER", comment=comment))

    def _origins(
        self, inventory: Inventory, models: list[tuple[Model, str]], data: list[tuple[SubjectRef, str]]
    ) -> None:
        """Tie models to their parents and, where the training job made them, to what went in."""
        by_digest = {model.files[0].sha256: number for model, number in models if len(model.files) == 1}
        by_name = {called: number for model, number in models for called in (model.uri, model.card.name) if called}
        for model, number in models:
            parents = [by_digest.get(digest, "") for digest in model.parents]
            parents += [by_name.get(called, "") for called in model.card.base]
            for parent in dict.fromkeys(parents):
                if parent and parent != number:
                    self._relate(number, "DESCENDANT_OF", parent)
            if inventory.trained and _inside(model.uri, inventory.trained[0]):
                for ref, row in data:
                    if any(_inside(ref.uri, folder) for folder in inventory.trained[1]):
                        self._relate(number, "GENERATED_FROM", row)


def _inside(uri: str, folder: str) -> bool:
    return uri == folder or uri.startswith(f"{folder.rstrip('/')}/")
