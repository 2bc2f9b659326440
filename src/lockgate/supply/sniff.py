"""Tells what a file is by its content; the suffix only decides how strictly the rest is treated."""

import codecs
from collections.abc import Callable
from pathlib import PurePosixPath

from lockgate.detect import archive, gguf, hdf5, npy, sevenzip, tar
from lockgate.detect.compressed import sniff_compression
from lockgate.detect.coreml_model import looks_like_blobs, looks_like_coreml
from lockgate.detect.event_records import looks_like_events
from lockgate.detect.onnx_graph import looks_like_onnx
from lockgate.detect.pickle_ops import looks_like_pickle
from lockgate.detect.r_data import looks_like_r_data
from lockgate.detect.safetensors_header import looks_like_safetensors
from lockgate.detect.sentencepiece_model import looks_like_sentencepiece
from lockgate.detect.source import Source
from lockgate.detect.tensorflow_graph import looks_like_graph, looks_like_meta_graph, looks_like_saved_model
from lockgate.detect.tensorflow_index import looks_like_fingerprint, looks_like_index
from lockgate.detect.text_graph import SUFFIXES as TEXT_GRAPHS
from lockgate.detect.tflite_graph import looks_like_tflite
from lockgate.detect.ubjson_tree import looks_like_ubjson
from lockgate.supply.subject import Format

HEAD = 64 << 10
MODEL_SUFFIXES = frozenset(
    """
    .7z .bin .bz2 .caffemodel .ckpt .dill .ggml .gguf .gz .h5 .hdf5 .joblib .keras .mar .mlmodel .nemo .npy
    .npz .onnx .pb .pickle .pkl .pmml .pt .pth .ptl .rar .safetensors .skops .tar .tflite .tgz .torch .xz .zip
    .zst
    """.split()  # noqa: SIM905 - a list of words reads best as one text
)
PICKLE_SUFFIXES = frozenset(".bin .ckpt .dill .joblib .pickle .pkl .pt .pth .torch".split())  # noqa: SIM905 - same
NO_MAGIC = frozenset({"text", "media", "unknown"})
CODE_SUFFIXES = frozenset(
    """
    .apk .bash .bat .c .cc .class .cmd .com .command .cpp .cu .cuh .cxx .deb .desktop .dll .dylib .egg .exe .fish .go
    .hta .ipynb .jar .js .jse .ksh .lnk .lua .mjs .msi .node .php .pl .ps1 .psd1 .psm1 .py .pyc .pyd .pyo .pyw .pyx .r
    .rb .rpm .rs .scr .sh .so .tcl .vbe .vbs .wasm .whl .wsf .zsh
    """.split()  # noqa: SIM905 - a list of words reads best as one text
)
_UNSUPPORTED = (
    (b"Rar!\x1a\x07", "a RAR archive"),
    (b"MSCF", "a cabinet archive"),
    (b"CBM1", "a CatBoost model of its own format (save it as JSON or ONNX)"),
    (b"MATLAB 5.0 MAT", "a MATLAB file before version 7.3 (save it with '-v7.3', or as .npz)"),
)
_NATIVE = (
    b"\x7fELF",
    b"MZ",
    b"\xcf\xfa\xed\xfe",
    b"\xce\xfa\xed\xfe",
    b"\xca\xfe\xba\xbe",
    b"\x00asm",
    b"!<arch>\n",
    b"dex\n",
)
_BYTE_CODE = b"\r\n\x00\x00\x00\x00"
_USER_BLOCKS = (0, 512, 1024, 2048, 4096, 8192, 16_384, 32_768)
_BY_SUFFIX: dict[str, Format] = {
    ".safetensors": "safetensors",
    ".msgpack": "msgpack",
    ".onnx": "onnx",
    ".tflite": "tflite",
    ".h5": "hdf5",
    ".hdf5": "hdf5",
    ".gguf": "gguf",
}
_KERAS_METADATA = "keras_metadata.pb"
_JSON_STARTS = (b"{", b"[")
_TEXT_FORMATS: dict[str, Format] = {
    ".json": "json",
    ".yaml": "yaml",
    ".yml": "yaml",
    ".jinja": "jinja",
    ".jinja2": "jinja",
    ".j2": "jinja",
    ".xml": "xml",
    ".svg": "xml",
    ".pmml": "xml",
    ".pth": "path-file",
    **dict.fromkeys(TEXT_GRAPHS, "text-graph"),
}
_MEDIA = {
    ".png": b"\x89PNG\r\n\x1a\n",
    ".jpg": b"\xff\xd8\xff",
    ".jpeg": b"\xff\xd8\xff",
    ".webp": b"RIFF",
    ".wav": b"RIFF",
    ".flac": b"fLaC",
    ".ogg": b"OggS",
    ".mp3": b"ID3",
    ".gif": b"GIF8",
    ".pdf": b"%PDF-",
    ".woff2": b"wOF2",
}
_PRINTED = frozenset(b"\t\n\r\x0b\x0c\x1b\x08")
_END_OF_ZIP = b"PK\x05\x06"


def sniff(source: Source, name: str) -> Format:
    """The format of a file by its first and last bytes."""
    head = source.read(0, HEAD)
    magics: tuple[tuple[Format, bool], ...] = (
        ("gguf", head.startswith(gguf.MAGIC)),
        ("zip", archive.looks_like_zip(head)),
        ("npy", head.startswith(npy.MAGIC)),
        ("tar", tar.looks_like_tar(head)),
        ("tflite", looks_like_tflite(head)),
        ("hdf5", any(head[at : at + 8] == hdf5.MAGIC for at in _USER_BLOCKS)),
        ("pickle", looks_like_pickle(head)),
        ("safetensors", looks_like_safetensors(head, source.size)),
        # Zip readers start from the end, so a zip archive behind anything else is still one to them.
        ("zip", source.read(max(0, source.size - 22), 4) == _END_OF_ZIP),
        ("7z", head.startswith(sevenzip.MAGIC)),
        ("compressed", sniff_compression(head) is not None),
        ("r-data", looks_like_r_data(head)),
        ("blobs", looks_like_blobs(head)),
        ("ubjson", looks_like_ubjson(head)),
        ("events", looks_like_events(head)),
        ("tensorflow-index", looks_like_index(source)),
        ("native", head.startswith(_NATIVE) or head[2:8] == _BYTE_CODE),
    )
    found: Format | None = next((found for found, matches in magics if matches), None)
    return found or _without_magic(source, head, name)


def _without_magic(source: Source, head: bytes, name: str) -> Format:
    """Text, formats that only the shape of their bytes gives away, and what is left."""
    suffix = PurePosixPath(name).suffix.lower()
    text = is_text(head, whole=source.size <= HEAD)
    if text and not _has_control(head):
        return _text_format(head, name, suffix)
    if PurePosixPath(name).name == _KERAS_METADATA:
        return "keras-metadata"
    graph = _protobuf(source)
    if graph is None and text:
        return _text_format(head, name, suffix)
    if graph is not None or suffix in _BY_SUFFIX:
        return graph or _BY_SUFFIX[suffix]
    return "media" if suffix in _MEDIA and head.startswith(_MEDIA[suffix]) else "unknown"


def _protobuf(source: Source) -> Format | None:
    """Formats without magic bytes, told apart by the fields of their outermost message."""
    shapes: tuple[tuple[Format, Callable[[Source], bool]], ...] = (
        ("onnx", looks_like_onnx),
        ("tensorflow", looks_like_saved_model),
        ("tensorflow-fingerprint", looks_like_fingerprint),
        ("coreml", looks_like_coreml),
        ("sentencepiece", looks_like_sentencepiece),
        ("tensorflow", looks_like_meta_graph),
        ("tensorflow", looks_like_graph),
    )
    return next((found for found, looks in shapes if looks(source)), None)


def _text_format(head: bytes, name: str, suffix: str) -> Format:
    if suffix in _TEXT_FORMATS:
        return _TEXT_FORMATS[suffix]
    if PurePosixPath(name).name == "MLmodel":
        return "yaml"
    # Blobs of a repository have no suffix, so what looks like JSON there is read as such.
    start = head.lstrip()[:1]
    if not suffix and start in _JSON_STARTS:
        return "json"
    return "xml" if head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<?xml") else "text"


def _has_control(head: bytes) -> bool:
    return any(sign < 32 and sign not in _PRINTED for sign in head)  # noqa: PLR2004 - the first printable sign


def is_text(head: bytes, *, whole: bool) -> bool:
    """Whether the first bytes are UTF-8 text without NUL; `whole` says that they are the entire file."""
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head, final=whole)
    except UnicodeDecodeError:
        return False
    return b"\x00" not in head


def why_unknown(source: Source, found: Format) -> str:
    """One sentence that says why a file named like a model cannot be examined."""
    if not source.size:
        return "It is named like a model but is empty."
    if found == "text":
        return "It is named like a model but holds text, perhaps a pointer to the real file."
    head = source.read(0, 16)
    kind = next((kind for magic, kind in _UNSUPPORTED if head.startswith(magic)), "")
    return f"It is {kind}, which cannot be examined." if kind else "It is a binary file of no known format."
