"""A document or a prompt, read into passages."""

import msgspec

from lockgate.core import SubjectRef
from lockgate.core.files import Content
from lockgate.data import json_text
from lockgate.data.errors import DataError
from lockgate.data.passage import Kind, Passage, passages_of


class Document(msgspec.Struct, frozen=True):
    """A file of text that a model will read.

    Attributes:
        ref: The file.
        kind: A document, or a prompt that addresses a model on purpose.
        passages: All of its text.
    """

    ref: SubjectRef
    kind: Kind
    passages: tuple[Passage, ...]


def read_document(content: Content, kind: Kind) -> Document:
    """Read a document: UTF-8 text. Of a JSON file, its texts are read as well, because escapes hide characters.

    Args:
        content: The file's bytes.
        kind: What it is for.

    Raises:
        DataError: It is not UTF-8, is binary, or is called `.json` and is not JSON.
    """
    uri = content.ref.uri
    try:
        text = content.body.removeprefix(b"\xef\xbb\xbf").decode("utf-8")
    except UnicodeDecodeError as error:
        raise DataError(f"{uri} is not UTF-8 (byte {error.start}).", remedy="Save it as UTF-8.") from error
    if "\x00" in text:
        raise DataError(f"{uri} holds NUL bytes.", remedy="Name text files only in data.documents.")
    passages = passages_of("", 1, text, spread=True)
    if uri.lower().endswith(".json"):
        passages += _json_passages(uri, text)
    return Document(content.ref, kind, passages)


def _json_passages(uri: str, text: str) -> tuple[Passage, ...]:
    try:
        found = list(json_text.texts(json_text.parse(text)))
    except DataError as error:
        raise DataError(f"{uri} cannot be read. {error.message}", remedy="Correct the file.") from error
    return tuple(part for path, value in found for part in passages_of(path, 1, value, spread=False))
