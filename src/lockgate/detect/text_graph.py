"""Walks graphs and server settings in protocol-buffer text form: TensorFlow (`.pbtxt`), Caffe (`.prototxt`), Triton.

Source: the text format of protocol buffers. Only what names an operator, a layer or a library is looked at; the text is
split into tokens, so that comments and quoted texts cannot hide or fake a field.
"""

import re2

from lockgate.detect.part import Notes
from lockgate.detect.source import MalformedError, Source

MAX_TEXT = 64 << 20
MAX_NAME = 256
SUFFIXES = frozenset({".pbtxt", ".prototxt", ".textproto", ".txtpb"})
_TOKEN = re2.compile(
    rb'"(?:[^"\\\n]|\\[^\n])*"|\'(?:[^\'\\\n]|\\[^\n])*\'|#[^\n]*|[A-Za-z_][A-Za-z0-9_.]*|[{}<>:\[\],;]|[^\s"\'#{}<>:\[\],;]+'
)
_PYTHON_LAYER = b"python_param"
_LIBRARY = b"op_library_filename"
_BACKEND = b"backend"


def walk_text_graph(source: Source, notes: Notes) -> None:
    """Note every operator as `tensorflow:Name`, and what loads Python code or a library.

    Raises:
        MalformedError: It is too large.
    """
    if source.size > MAX_TEXT:
        raise MalformedError("budget", f"It is a text graph of more than {MAX_TEXT:,} bytes.")
    used: dict[str, str] = {}
    defined: set[str] = set()
    field, around, opened = b"", b"", b""
    for match in _TOKEN.finditer(source.read(0, source.size)):
        token = match.group() or b""
        if token[:1] == b"#" or token in {b":", b"[", b",", b";"}:
            continue
        if token in {b"{", b"<"}:
            around, opened = opened, field
        elif token[:1] in {b'"', b"'"}:
            _text(field, opened or around, token[1:-1].decode("utf-8", "replace")[:MAX_NAME], notes, (used, defined))
        else:
            field = token
            if token == _PYTHON_LAYER:
                notes.mention("code", "a layer in Python", "python_param")
    for name in used:
        notes.mention("operator", f"{'local' if name in defined else 'tensorflow'}:{name}", "op")


def _text(field: bytes, message: bytes, text: str, notes: Notes, found: tuple[dict[str, str], set[str]]) -> None:
    used, defined = found
    if field == b"op":
        used[text] = text
    elif field == b"name" and message == b"signature":
        defined.add(text)
    elif field == _LIBRARY:
        notes.mention("code", f"a library: {text}", "op_library_filename")
    elif field == _BACKEND and text == "python":
        notes.mention("code", "a server's Python backend", "backend")
