"""A trap in SQLite files that strangers may write: a rollback journal that names a file to delete."""

import os
from pathlib import Path

_SUPER_JOURNAL_MAGIC = bytes.fromhex("d9d505f920a163d7")


def names_super_journal(database: Path) -> bool:
    """Whether the rollback journal beside `database` names a super-journal.

    SQLite deletes the file that such a record names when it plays the journal back. Ours never has one
    (https://www.sqlite.org/fileformat2.html#the_rollback_journal).

    Raises:
        OSError: The journal cannot be read, or is a link.
    """
    journal = database.with_name(f"{database.name}-journal")
    try:
        descriptor = os.open(journal, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except FileNotFoundError:
        return False
    try:
        length = len(_SUPER_JOURNAL_MAGIC)
        tail = os.pread(descriptor, length, max(0, os.fstat(descriptor).st_size - length))
    finally:
        os.close(descriptor)
    return tail == _SUPER_JOURNAL_MAGIC
