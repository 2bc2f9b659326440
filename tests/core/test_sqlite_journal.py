import os
from pathlib import Path

import pytest

from lockgate.core.sqlite_journal import names_super_journal

MAGIC = bytes.fromhex("d9d505f920a163d7")


def test_a_journal_that_names_a_file_to_delete_is_recognised(tmp_path: Path):
    database = tmp_path / "x.db"
    assert not names_super_journal(database)
    journal = tmp_path / "x.db-journal"
    journal.write_bytes(b"")
    assert not names_super_journal(database)
    journal.write_bytes(b"\x00" * 512)
    assert not names_super_journal(database)
    journal.write_bytes(b"\x00" * 512 + MAGIC)
    assert names_super_journal(database)


def test_a_linked_journal_is_refused(tmp_path: Path):
    os.symlink("elsewhere", tmp_path / "x.db-journal")  # noqa: PTH211 - a link that leads nowhere
    with pytest.raises(OSError, match="symbolic"):
        names_super_journal(tmp_path / "x.db")
