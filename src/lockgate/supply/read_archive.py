"""Reads what lies in zip and tar archives, member by member."""

from lockgate.detect import archive, tar
from lockgate.detect.archive import Member
from lockgate.detect.source import MalformedError, Source
from lockgate.supply.reading import MAX_DEPTH, At, Reading
from lockgate.supply.subject import Format

_TORCH_NOTES = frozenset({"version", "byteorder", ".format_version", ".storage_alignment", ".data/serialization_id"})
_KERAS = frozenset({"config.json", "metadata.json"})
_SKOPS = "schema.json"


def read_zip(reading: Reading, source: Source, at: At) -> Format:
    """Read a zip archive: a PyTorch one, or a plain one."""
    members = archive.read_zip(source)
    names = {item.name for item in members}
    if _SKOPS in names or names >= _KERAS:
        raise MalformedError("unsupported", "It is a Keras or skops archive, which this version cannot examine.")
    root = next((name.removesuffix("data.pkl") for name in sorted(names) if name.endswith("/data.pkl")), None)
    if root is None:
        read_members(reading, source, members, at)
        return "zip"
    if f"{root}constants.pkl" in names:
        # PyTorch decides by this member; the pickles in such an archive are programs for another machine.
        raise MalformedError("torchscript", "It holds TorchScript code, which this version cannot examine.")
    read_members(reading, source, members, at, raw=root)
    return "pytorch-zip"


def read_tar(reading: Reading, source: Source, at: At) -> Format:
    """Read a tar archive."""
    read_members(reading, source, tar.read_tar(source), at)
    return "tar"


def read_members(
    reading: Reading, source: Source, members: tuple[Member, ...], outer: At, *, raw: str | None = None
) -> None:
    """Read every member but those that are tensor bytes of a PyTorch archive whose root is `raw`."""
    if outer.depth >= MAX_DEPTH:
        raise MalformedError("depth", f"Archives nest more than {MAX_DEPTH} levels deep in it.")
    for item in members:
        at = At(item.name, f"{outer.member}/{item.name}" if outer.member else item.name, outer.depth + 1)
        try:
            body = open_member(reading, source, item)
        except MalformedError as error:
            reading.refuse(error, at, item.stored)
            continue
        if raw is None or not _is_raw(item.name, raw):
            reading.read(body, at)


def open_member(reading: Reading, source: Source, member: Member) -> Source:
    """A member's bytes, checked against its checksum and the budget.

    Raises:
        MalformedError: They do not inflate to what the archive says, or to too much.
    """
    if member.method != archive.STORED:
        reading.inflate(member.size)
    return archive.open_member(source, member)


def _is_raw(name: str, root: str) -> bool:
    """Whether a member of a PyTorch archive is tensor bytes or one of the fixed notes beside them."""
    inner = name.removeprefix(root) if name.startswith(root) else ""
    return inner in _TORCH_NOTES or (inner.startswith("data/") and inner[5:].isascii() and inner[5:].isdigit())
