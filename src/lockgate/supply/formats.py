"""Tells what a file is by its content and reads everything in it that could be a model. Runs in the worker process."""

import codecs
from collections.abc import Callable
from pathlib import PurePosixPath

from lockgate.detect import archive, gguf, npy, tar
from lockgate.detect.archive import Member
from lockgate.detect.gguf import GgufFacts
from lockgate.detect.pickle_ops import PickleFacts, looks_like_pickle, read_pickle
from lockgate.detect.safetensors_header import SafetensorsFacts, looks_like_safetensors, read_safetensors
from lockgate.detect.source import MAX_PROBLEMS, FormatProblem, MalformedError, Source, Window
from lockgate.supply.chat_template import TemplateFacts, read_template
from lockgate.supply.subject import Format, ModelFacts

HEAD = 64 << 10
MAX_DEPTH = 3
MAX_INFLATED = 512 << 20
MODEL_SUFFIXES = frozenset(
    """
    .7z .bin .bz2 .caffemodel .ckpt .dill .ggml .gguf .gz .h5 .hdf5 .joblib .keras .mar .mlmodel .nemo .npy
    .npz .onnx .pb .pickle .pkl .pmml .pt .pth .ptl .rar .safetensors .skops .tar .tflite .tgz .torch .xz .zip
    .zst
    """.split()  # noqa: SIM905 - a list of words reads best as one text
)
PICKLE_SUFFIXES = frozenset(".bin .ckpt .dill .joblib .pickle .pkl .pt .pth .torch".split())  # noqa: SIM905 - same
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
    ".pdf": b"%PDF-",
    ".woff2": b"wOF2",
}
_TORCH_NOTES = frozenset({"version", "byteorder", ".format_version", ".storage_alignment", ".data/serialization_id"})
_KERAS = frozenset({"config.json", "metadata.json"})
_SKOPS = "schema.json"
_NO_MAGIC = frozenset({"text", "media", "unknown"})
_END_OF_ZIP = b"PK\x05\x06"


def read_model(source: Source, name: str) -> ModelFacts:
    """Read a file.

    Args:
        source: Its bytes.
        name: Its path; the suffix only decides how strictly a file without a known format is treated.

    Returns:
        Facts, whatever the bytes are.
    """
    reading = _Reading()
    found = reading.read(source, name, "", 0)
    return ModelFacts(
        found,
        tuple(reading.pickles),
        tuple(reading.ggufs),
        tuple(reading.safetensors),
        tuple(reading.templates),
        tuple(reading.problems[:MAX_PROBLEMS]),
    )


class _Reading:
    """Everything found in one file, across the members of its archives."""

    def __init__(self) -> None:
        self.pickles: list[PickleFacts] = []
        self.ggufs: list[GgufFacts] = []
        self.safetensors: list[SafetensorsFacts] = []
        self.templates: list[TemplateFacts] = []
        self.problems: list[FormatProblem] = []
        self._inflated = 0
        self._readers: dict[Format, Callable[[Source, str, int], Format]] = {
            "pickle": self._pickle,
            "npy": self._npy,
            "gguf": self._gguf,
            "safetensors": self._safetensors,
            "zip": self._zip,
            "tar": self._tar,
        }

    def read(self, source: Source, name: str, member: str, depth: int) -> Format:
        """Read a file or a member and give its format."""
        found = _sniff(source, name)
        acts = found != "pickle" and self._acts_as_pickle(source, name, member, found)
        if found in _NO_MAGIC:
            if acts:
                return "pickle"
            if found == "unknown" or PurePosixPath(name).suffix.lower() in MODEL_SUFFIXES:
                self.problems.append(FormatProblem("unknown-format", _why_unknown(source, found), member))
                return "unknown"
            return found
        try:
            return self._readers[found](source, member, depth)
        except MalformedError as error:
            self.problems.append(FormatProblem(error.code, error.message, member))
            return found

    def _acts_as_pickle(self, source: Source, name: str, member: str, found: Format) -> bool:
        """Whether an unpickler would get somewhere with these bytes, whatever else they are.

        Pickles of protocols 0 and 1 have no magic bytes, and a file can be a valid model in one format and a program in
        this one. In every other file an unpickler stops at the first few bytes.
        """
        facts = read_pickle(source, member=member)
        acts = any(use.how != "imported" for use in facts.uses) or (facts.complete and bool(facts.uses))
        plain = found == "unknown" or (found == "text" and PurePosixPath(name).suffix.lower() in PICKLE_SUFFIXES)
        if acts or (facts.complete and plain):
            self.pickles.append(facts)
            return True
        return False

    def _pickle(self, source: Source, member: str, _depth: int) -> Format:
        self.pickles.append(read_pickle(source, member=member))
        return "pickle"

    def _npy(self, source: Source, member: str, _depth: int) -> Format:
        facts = npy.read_npy(source)
        if not facts.item_size:
            self._pickle(Window(source, facts.start, source.size - facts.start), member, 0)
        return "npy"

    def _gguf(self, source: Source, member: str, _depth: int) -> Format:
        facts = gguf.read_gguf(source, member=member)
        self.ggufs.append(facts)
        self.templates += [read_template(template, member=member) for template in facts.templates]
        return "gguf"

    def _safetensors(self, source: Source, member: str, _depth: int) -> Format:
        self.safetensors.append(read_safetensors(source, member=member))
        return "safetensors"

    def _zip(self, source: Source, member: str, depth: int) -> Format:
        members = archive.read_zip(source)
        names = {item.name for item in members}
        if _SKOPS in names or names >= _KERAS:
            raise MalformedError("unsupported", "It is a Keras or skops archive, which this version cannot examine.")
        root = next((name.removesuffix("data.pkl") for name in sorted(names) if name.endswith("/data.pkl")), None)
        if root is None:
            self._members(source, members, member, depth)
            return "zip"
        if f"{root}constants.pkl" in names:
            # PyTorch decides by this member; the pickles in such an archive are programs for another machine.
            raise MalformedError("torchscript", "It holds TorchScript code, which this version cannot examine.")
        self._members(source, members, member, depth, raw=root)
        return "pytorch-zip"

    def _tar(self, source: Source, member: str, depth: int) -> Format:
        self._members(source, tar.read_tar(source), member, depth)
        return "tar"

    def _members(
        self, source: Source, members: tuple[Member, ...], outer: str, depth: int, *, raw: str | None = None
    ) -> None:
        if depth >= MAX_DEPTH:
            raise MalformedError("depth", f"Archives nest more than {MAX_DEPTH} levels deep in it.")
        for item in members:
            place = f"{outer}/{item.name}" if outer else item.name
            try:
                body = self._open(source, item)
            except MalformedError as error:
                self.problems.append(FormatProblem(error.code, error.message, place))
                continue
            if raw is None or not _is_raw(item.name, raw):
                self.read(body, item.name, place, depth + 1)

    def _open(self, source: Source, member: Member) -> Source:
        if member.method != archive.STORED:
            self._inflated += member.size
        if self._inflated > MAX_INFLATED:
            raise MalformedError("size", f"Its members inflate to more than {MAX_INFLATED:,} bytes.")
        return archive.open_member(source, member)


def _sniff(source: Source, name: str) -> Format:
    head = source.read(0, HEAD)
    magics: tuple[tuple[Format, bool], ...] = (
        ("gguf", head.startswith(gguf.MAGIC)),
        ("zip", archive.looks_like_zip(head)),
        ("npy", head.startswith(npy.MAGIC)),
        ("tar", tar.looks_like_tar(head)),
        ("pickle", looks_like_pickle(head)),
        ("safetensors", looks_like_safetensors(head, source.size)),
        # Zip readers start from the end, so a zip archive behind anything else is still one to them.
        ("zip", source.read(max(0, source.size - 22), 4) == _END_OF_ZIP),
        ("text", _is_text(head, whole=source.size <= HEAD)),
    )
    for found, matches in magics:
        if matches:
            return found
    suffix = PurePosixPath(name).suffix.lower()
    if suffix == ".safetensors":
        return "safetensors"
    return "media" if suffix in _MEDIA and head.startswith(_MEDIA[suffix]) else "unknown"


def _is_text(head: bytes, *, whole: bool) -> bool:
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head, final=whole)
    except UnicodeDecodeError:
        return False
    return b"\x00" not in head


def _why_unknown(source: Source, found: Format) -> str:
    if not source.size:
        return "It is named like a model but is empty."
    if found == "text":
        return "It is named like a model but holds text, perhaps a pointer to the real file."
    head = source.read(0, 16)
    kind = next((kind for magic, kind in _UNSUPPORTED if head.startswith(magic)), "")
    return f"It is {kind}, which cannot be examined." if kind else "It is a binary file of no known format."


def _is_raw(name: str, root: str) -> bool:
    """Whether a member of a PyTorch archive is tensor bytes or one of the fixed notes beside them."""
    inner = name.removeprefix(root) if name.startswith(root) else ""
    return inner in _TORCH_NOTES or (inner.startswith("data/") and inner[5:].isascii() and inner[5:].isdigit())
