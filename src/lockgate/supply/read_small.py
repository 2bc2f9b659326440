"""Readers of the formats that a small parser of our own takes apart: graphs, settings, templates, tokenizers."""

import json
from collections.abc import Callable
from typing import cast

import re2

from lockgate.detect import hdf5
from lockgate.detect.config_tree import walk_json, walk_yaml
from lockgate.detect.gguf import Template
from lockgate.detect.keras_config import walk_keras
from lockgate.detect.part import Mention, Notes, PartFacts, read_part
from lockgate.detect.protobuf import fields
from lockgate.detect.source import MalformedError, Source, Window
from lockgate.detect.xml_model import walk_xml
from lockgate.supply.chat_template import read_template
from lockgate.supply.reading import At, ReaderOf, Reading
from lockgate.supply.subject import Format

MAX_TEMPLATE = 256 << 10
MAX_CODE = 16 << 20
MAX_HEAD = 64 << 10
MAX_DESCRIPTION = 32 << 20
_METADATA, _BYTES = 5, 2
_DESCRIPTIONS = frozenset({"model_config", "training_config"})
Walk = Callable[[Source, Notes], None]
_RUNS_AT_START = re2.compile(rb"(?m)^import[ \t]")


def simple(kind: Format, walk: Walk) -> ReaderOf:
    """A reader of a format that is walked as a whole."""

    def read(reading: Reading, source: Source, at: At) -> Format:
        reading.add(read_part(kind, walk, source, member=at.member), source.size)
        return kind

    return read


def read_json(reading: Reading, source: Source, at: At) -> Format:
    """Read a JSON file, and the chat templates in it."""

    def walk(source: Source, notes: Notes) -> None:
        walk_json(source, notes, name=at.name)

    _describe(reading, source, at)
    return _settings(reading, source, at, read_part("config", walk, source, member=at.member))


def _describe(reading: Reading, source: Source, at: At) -> None:
    """Keras also writes a model's description to a JSON file of its own, and loads a model from that."""
    head = source.read(0, MAX_HEAD)
    if not head.lstrip().startswith(b"{") or source.size > MAX_DESCRIPTION or b'"class_name"' not in head:
        return

    def walk(source: Source, notes: Notes) -> None:
        text = source.read(0, source.size).decode("utf-8-sig", "replace")
        if _is_description(text):
            walk_keras(text, notes)

    facts = read_part("keras", walk, source, member=at.member)
    if facts.mentions or facts.problems:
        reading.add(facts, 0)


def _is_description(text: str) -> bool:
    try:
        tree: object = json.loads(text)
    except (ValueError, RecursionError):
        return False
    return isinstance(tree, dict) and {"class_name", "config"} <= cast("dict[str, object]", tree).keys()


def read_yaml(reading: Reading, source: Source, at: At) -> Format:
    """Read a YAML file, and the chat templates in it."""

    def walk(source: Source, notes: Notes) -> None:
        walk_yaml(source, notes, name=at.name)

    return _settings(reading, source, at, read_part("config", walk, source, member=at.member))


def read_xml(reading: Reading, source: Source, at: At) -> Format:
    """Read an XML file; one that is no model is text."""
    notes = Notes()
    kind = ""
    try:
        kind = walk_xml(source, notes)
    except MalformedError as error:
        notes.problem(error.code, error.message)
    found: Format = "openvino" if kind == "openvino" else "pmml" if kind == "pmml" else "text"
    facts = notes.facts(found if kind else "xml", at.member)
    if kind or facts.mentions or facts.problems:
        reading.add(facts, source.size)
    return found


def read_jinja(reading: Reading, source: Source, at: At) -> Format:
    """Read a file that is one chat template."""
    if source.size > MAX_TEMPLATE:
        raise MalformedError("budget", f"A chat template is longer than {MAX_TEMPLATE:,} bytes.")
    text = source.read(0, source.size).decode("utf-8", "replace")
    reading.templates.append(read_template(Template("chat_template", text), member=at.member))
    return "template"


def read_path_file(reading: Reading, source: Source, at: At) -> Format:
    """Read a `.pth` file that is text: Python runs each of its lines that begins with `import` when it starts."""
    if not _RUNS_AT_START.search(source.read(0, MAX_CODE)):
        raise MalformedError("unknown-format", "It is named like a model but holds text.")
    mention = Mention("code", "a path file whose lines Python runs when it starts", "")
    reading.add(PartFacts("code", at.member, (mention,)), source.size)
    return "code"


def read_native(reading: Reading, source: Source, at: At) -> Format:
    """Note a native program or library, or Java or Python byte code."""
    mention = Mention("code", "native or compiled code", "")
    reading.add(PartFacts("code", at.member, (mention,)), source.size)
    return "code"


def read_hdf5(reading: Reading, source: Source, at: At) -> Format:
    """Read an HDF5 file; where it is a Keras model, its description too."""

    def walk(source: Source, notes: Notes) -> None:
        tree = hdf5.read_hdf5(source)
        for place, what in tree.outside:
            message = f"It holds {_article(what)}, which a plain model does not need."
            notes.problem(what.replace(" ", "-"), message, place)
        for what in tree.unread:
            notes.problem("unsupported", f"It holds {what}, which this reader does not follow.")
        for attribute in tree.attributes:
            if attribute.name.rstrip("0123456789") not in _DESCRIPTIONS:
                continue
            if attribute.text:
                walk_keras(attribute.text, notes)
            else:
                notes.problem("unsupported", "It holds a model's description that is no text.", attribute.place)

    reading.add(read_part("hdf5", walk, source, member=at.member), source.size)
    return "hdf5"


def read_keras_metadata(reading: Reading, source: Source, at: At) -> Format:
    """Read the description that Keras 2 puts beside a SavedModel: objects with a type in JSON each."""

    def walk(source: Source, notes: Notes) -> None:
        for entry in fields(source):
            inner = Window(source, entry.start, entry.size)
            for field in fields(inner) if entry.wire == _BYTES else ():
                if field.number == _METADATA and field.wire == _BYTES:
                    walk_keras(inner.read(field.start, field.size).decode("utf-8", "replace"), notes)

    reading.add(read_part("keras", walk, source, member=at.member), source.size)
    return "keras-metadata"


def _article(what: str) -> str:
    return f"an {what}" if what[0] in "aeiou" else f"a {what}"


def _settings(reading: Reading, source: Source, at: At, facts: PartFacts) -> Format:
    templates = [mention for mention in facts.mentions if mention.kind == "template"]
    for mention in templates:
        key = mention.place.strip("/") or "chat_template"
        reading.templates.append(read_template(Template(key, mention.name), member=at.member))
    rest = tuple(mention for mention in facts.mentions if mention.kind != "template")
    reading.add(PartFacts(facts.format, facts.member, rest, facts.problems), source.size)
    return "config"
