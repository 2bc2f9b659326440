"""Walks models that are XML: PMML and OpenVINO's intermediate representation. Entities and document types are refused.

Source: PMML 4.4 (Extension and Apply elements), OpenVINO IR 10 and 11 (layer types and the operator set of each layer).
"""

from xml.parsers import expat

from lockgate.detect.part import Notes
from lockgate.detect.source import BUFFER, MalformedError, Source

MAX_XML = 512 << 20
MAX_DEPTH = 512
MAX_NAME = 256
_REACHES = ("java.", "javax.", "runtime", "script", "http:", "https:", "file:", "exec")
_SCRIPTS = frozenset({"x-script", "script", "javascript", "x-java"})


def walk_xml(source: Source, notes: Notes) -> str:
    """Note what an XML model names, and give its kind: `openvino`, `pmml` or empty for XML that is no model.

    Raises:
        MalformedError: It is not well-formed, defines entities, nests too deeply or is too large.
    """
    if source.size > MAX_XML:
        raise MalformedError("budget", f"It is an XML file of more than {MAX_XML:,} bytes.")
    walk = _Walk(notes)
    parser = expat.ParserCreate()
    parser.StartElementHandler = walk.start
    parser.EndElementHandler = walk.end
    parser.StartDoctypeDeclHandler = walk.refuse
    parser.EntityDeclHandler = walk.refuse
    parser.ProcessingInstructionHandler = walk.instruction
    try:
        for offset in range(0, source.size, 16 * BUFFER):
            parser.Parse(source.read(offset, 16 * BUFFER), False)  # noqa: FBT003 - expat's signature
        parser.Parse(b"", True)  # noqa: FBT003 - same
    except expat.ExpatError as error:
        raise MalformedError("xml", "It is not well-formed XML.") from error
    return walk.kind


class _Walk:
    """Notes layers, functions and extensions."""

    def __init__(self, notes: Notes) -> None:
        self._notes = notes
        self._depth = 0
        self.kind = ""

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise MalformedError("depth", "Its elements nest too deeply.")
        local = tag.rpartition(":")[2]
        if self._depth == 1:
            self.kind = {"net": "openvino", "PMML": "pmml"}.get(local, "")
        if not self.kind and local.lower() == "script":
            self._notes.mention("code", "a script in a drawing or page", "script")
        elif self.kind == "openvino":
            self._openvino(local, attributes)
        elif self.kind == "pmml":
            self._pmml(local, attributes)

    def end(self, _tag: str) -> None:
        self._depth -= 1

    def refuse(self, *_declared: object) -> None:
        raise MalformedError("entities", "It declares a document type or entities, which can read files and multiply.")

    def instruction(self, target: str, _data: str) -> None:
        if target.lower() == "xml-stylesheet":
            self._notes.mention("code", "a style sheet that a reader would run", "xml-stylesheet")

    def _openvino(self, tag: str, attributes: dict[str, str]) -> None:
        if tag == "layer":
            domain = attributes.get("version") or "opset1"
            self._notes.mention("operator", f"openvino.{domain}:{attributes.get('type', '')}"[:MAX_NAME], "layer")
        elif tag in {"extension", "extensions", "library"}:
            self._notes.mention("code", f"an element {tag}", tag)

    def _pmml(self, tag: str, attributes: dict[str, str]) -> None:
        if tag == "Apply":
            self._notes.mention("function", attributes.get("function", "")[:MAX_NAME], "Apply")
        elif tag == "DefineFunction":
            self._notes.mention("function", f"local:{attributes.get('name', '')}"[:MAX_NAME], "DefineFunction")
        elif tag == "Extension":
            said = " ".join(attributes.get(key, "") for key in ("name", "extender", "value")).lower()
            if any(word in said for word in _REACHES):
                self._notes.mention("code", f"an extension {attributes.get('name', '')}"[:MAX_NAME], "Extension")
        elif tag.lower() in _SCRIPTS:
            self._notes.mention("code", f"an element {tag}"[:MAX_NAME], tag)
        elif tag == "TableLocator":
            self._notes.mention("code", "a table that lies elsewhere", tag)
