"""Reads what lies in zip and tar archives, member by member."""

import re2

from lockgate.detect import archive, tar
from lockgate.detect.archive import Member
from lockgate.detect.part import Mention, PartFacts
from lockgate.detect.pickle_ops import hidden_program, read_pickle
from lockgate.detect.source import MalformedError, Source
from lockgate.supply.read_container import read_script_member
from lockgate.supply.read_keras import read_keras, read_skops
from lockgate.supply.read_member import open_member
from lockgate.supply.reading import MAX_DEPTH, At, Reading
from lockgate.supply.subject import Format

_TORCH_NOTES = frozenset({"version", "byteorder", ".format_version", ".storage_alignment", ".data/serialization_id"})
_TENSORS = frozenset({"data", "constants", "traced_inputs"})
_KERAS = frozenset({"config.json", "metadata.json"})
_SKOPS = "schema.json"
_ELF = b"\x7fELF"
_EXPORTED = re2.compile(rb"data/(?:weights/weight|constants/tensor)_\d{1,6}")


def read_zip(reading: Reading, source: Source, at: At) -> Format:
    """Read a zip archive: a PyTorch one, or a plain one."""
    members = archive.read_zip(source)
    names = {item.name for item in members}
    if names >= _KERAS:
        return read_keras(reading, source, members, at)
    if _SKOPS in names:
        return read_skops(reading, source, members, at)
    root = next((name.removesuffix("data.pkl") for name in sorted(names) if name.endswith("/data.pkl")), None)
    if root is None:
        exported = next(
            (name.removesuffix("archive_format") for name in names if name.endswith("/archive_format")), None
        )
        read_members(reading, source, members, at, raw=exported)
        return "zip"
    if f"{root}constants.pkl" in names:
        # PyTorch decides by this member.
        read_members(reading, source, members, at, raw=root)
        return "torchscript"
    read_members(reading, source, members, at, raw=root)
    return "pytorch-zip"


def read_tar(reading: Reading, source: Source, at: At) -> Format:
    """Read a tar archive."""
    read_members(reading, source, tar.read_tar(source), at)
    return "tar"


def read_members(
    reading: Reading, source: Source, members: tuple[Member, ...], outer: At, *, raw: str | None = None
) -> None:
    """Read every member; of the tensor bytes of a PyTorch archive whose root is `raw`, only what a program would be."""
    if outer.depth >= MAX_DEPTH:
        raise MalformedError("depth", f"Archives nest more than {MAX_DEPTH} levels deep in it.")
    for item in members:
        at = outer.inside(item.name)
        body = open_member(reading, source, item, at)
        if body is not None and raw is not None and _is_script(item.name, raw):
            read_script_member(reading, body, at)
        elif body is not None and raw is not None and _is_raw(item.name, raw):
            _read_raw(reading, body, at)
        elif body is not None:
            reading.read(body, at)


def _read_raw(reading: Reading, source: Source, at: At) -> None:
    """Look for a program where tensor bytes should be; real tensors make no sense as one within a few bytes."""
    if hidden_program(source):
        reading.pickles.append(read_pickle(source, member=at.member))
    if source.read(0, len(_ELF)) == _ELF:
        mention = Mention("code", "native or compiled code", "")
        reading.add(PartFacts("code", at.member, (mention,)), source.size)


def _is_raw(name: str, root: str) -> bool:
    """Whether a member of a PyTorch archive is tensor bytes or one of the fixed notes beside them."""
    inner = name.removeprefix(root) if name.startswith(root) else ""
    folder, _, number = inner.partition("/")
    if _EXPORTED.fullmatch(inner.encode()):
        return True
    return inner in _TORCH_NOTES or (folder in _TENSORS and number.isascii() and number.isdigit())


def _is_script(name: str, root: str) -> bool:
    """Whether a member of a PyTorch archive is TorchScript code."""
    return name.startswith(f"{root}code/") and name.endswith(".py")
