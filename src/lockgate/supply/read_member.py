"""Opens one member of an archive within the budget of its file."""

from lockgate.detect import archive
from lockgate.detect.archive import Member
from lockgate.detect.source import MalformedError, Source
from lockgate.supply.reading import At, Reading


def open_member(reading: Reading, source: Source, member: Member, at: At) -> Source | None:
    """A member's bytes, checked against its checksum and the budget; None where they are refused, which is noted.

    Args:
        reading: The file that is read.
        source: The archive.
        member: What to open.
        at: Where it lies.
    """
    try:
        if member.method != archive.STORED:
            reading.inflate(member.size)
        return archive.open_member(source, member)
    except MalformedError as error:
        reading.refuse(error, at, member.stored)
        return None
