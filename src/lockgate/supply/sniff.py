"""Tells what a file is by its content; the suffix only decides how strictly the rest is treated."""

import codecs
from pathlib import PurePosixPath

from lockgate.detect import archive, gguf, npy, tar
from lockgate.detect.pickle_ops import looks_like_pickle
from lockgate.detect.safetensors_header import looks_like_safetensors
from lockgate.detect.source import Source
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
_UNSUPPORTED = (
    (b"\x89HDF\r\n\x1a\n", "an HDF5 file"),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive"),
    (b"Rar!\x1a\x07", "a RAR archive"),
    (b"\x1f\x8b", "gzip-compressed"),
    (b"BZh", "bzip2-compressed"),
    (b"\xfd7zXZ\x00", "xz-compressed"),
    (b"\x28\xb5\x2f\xfd", "Zstandard-compressed"),
    (b"\x7fELF", "a native program or library"),
    (b"MZ", "a native program or library"),
    (b"\xcf\xfa\xed\xfe", "a native program or library"),
)
_MEDIA = {
    ".png": b"\x89PNG\r\n\x1a\n",
    ".jpg": b"\xff\xd8\xff",
    ".jpeg": b"\xff\xd8\xff",
    ".webp": b"RIFF",
    ".gif": b"GIF8",
    ".pdf": b"%PDF-",
    ".woff2": b"wOF2",
}
_END_OF_ZIP = b"PK\x05\x06"


def sniff(source: Source, name: str) -> Format:
    """The format of a file by its first and last bytes."""
    head = source.read(0, HEAD)
    suffix = PurePosixPath(name).suffix.lower()
    magics: tuple[tuple[Format, bool], ...] = (
        ("gguf", head.startswith(gguf.MAGIC)),
        ("zip", archive.looks_like_zip(head)),
        ("npy", head.startswith(npy.MAGIC)),
        ("tar", tar.looks_like_tar(head)),
        ("pickle", looks_like_pickle(head)),
        ("safetensors", looks_like_safetensors(head, source.size)),
        # Zip readers start from the end, so a zip archive behind anything else is still one to them.
        ("zip", source.read(max(0, source.size - 22), 4) == _END_OF_ZIP),
        ("text", is_text(head, whole=source.size <= HEAD)),
        ("safetensors", suffix == ".safetensors"),
        ("media", suffix in _MEDIA and head.startswith(_MEDIA[suffix])),
    )
    for found, matches in magics:
        if matches:
            return found
    return "unknown"


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
