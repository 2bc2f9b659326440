"""Readers of zip archives with a description in JSON: Keras 3 and skops."""

from lockgate.detect.archive import Member
from lockgate.detect.keras_config import walk_keras
from lockgate.detect.part import Notes, read_part
from lockgate.detect.skops_schema import walk_skops
from lockgate.detect.source import MalformedError, Source
from lockgate.supply.read_member import open_member
from lockgate.supply.reading import At, Reading
from lockgate.supply.subject import Format

MAX_TEXT = 64 << 20
_ARRAYS = (".npy", ".npz")


def read_keras(reading: Reading, source: Source, members: tuple[Member, ...], at: At) -> Format:
    """Read a `.keras` archive: its description, its weights and its assets."""

    def walk(source: Source, notes: Notes) -> None:
        walk_keras(_text(source), notes)

    for member in members:
        inner = at.inside(member.name)
        body = open_member(reading, source, member, inner)
        if body is None:
            continue
        if member.name == "config.json":
            reading.add(read_part("keras", walk, body, member=inner.member), body.size)
        else:
            reading.read(body, inner)
    return "keras"


def read_skops(reading: Reading, source: Source, members: tuple[Member, ...], at: At) -> Format:
    """Read a skops archive: its schema, and its arrays."""

    def walk(source: Source, notes: Notes) -> None:
        walk_skops(_text(source), notes)

    for member in members:
        inner = at.inside(member.name)
        body = open_member(reading, source, member, inner)
        if body is None:
            continue
        if member.name == "schema.json":
            reading.add(read_part("skops", walk, body, member=inner.member), body.size)
        elif member.name.endswith(_ARRAYS) or member.name == "README.md":
            reading.read(body, inner)
        else:
            reading.read(body, inner)
            unexpected = MalformedError("member", "A skops archive holds something other than its schema and arrays.")
            reading.refuse(unexpected, inner, member.stored)
    return "skops"


def _text(source: Source) -> str:
    if source.size > MAX_TEXT:
        raise MalformedError("budget", f"A description is longer than {MAX_TEXT:,} bytes.")
    try:
        return source.read(0, source.size).decode("utf-8")
    except UnicodeDecodeError as error:
        raise MalformedError("encoding", "A description is not UTF-8.") from error
