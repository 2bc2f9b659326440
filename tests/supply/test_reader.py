"""The worker process: hostile files break it, never the run."""

import os
import signal
from pathlib import Path
from typing import Any

import pytest

from lockgate.core import CoreError, sha256_hex
from lockgate.supply import Reader, SupplyError


def test_one_worker_reads_many_files_and_the_digest_is_that_of_the_bytes(tmp_path: Path, build: Any) -> None:
    bodies = {f"{number}.gguf": build.gguf(count=8 * number, data=32 * number) for number in range(1, 6)}
    for name, body in bodies.items():
        (tmp_path / name).write_bytes(body)
    with Reader() as reader:
        for name, body in bodies.items():
            ref, size, facts = reader.read(tmp_path, name)
            assert (ref.sha256, size, facts.format) == (sha256_hex(body), len(body), "gguf")


def test_a_worker_that_dies_costs_one_file_and_the_next_one_is_read(tmp_path: Path, build: Any) -> None:
    (tmp_path / "a.gguf").write_bytes(build.gguf())
    with Reader() as reader:
        reader.read(tmp_path, "a.gguf")
        assert reader.process_id is not None
        os.kill(reader.process_id, signal.SIGKILL)
        with pytest.raises(SupplyError, match="cannot be examined"):
            reader.read(tmp_path, "a.gguf")
        assert reader.read(tmp_path, "a.gguf")[2].format == "gguf"


def test_a_file_that_takes_too_long_is_unreadable(tmp_path: Path) -> None:
    # Four million tuples in a row take longer to follow than the wall clock allows here.
    (tmp_path / "slow.pkl").write_bytes(b"\x80\x04" + b")0" * 4_000_000 + b"N.")
    with Reader(wall_s=1.5) as reader, pytest.raises(SupplyError, match="seconds"):
        reader.read(tmp_path, "slow.pkl")


def test_a_file_that_needs_too_much_memory_is_unreadable(tmp_path: Path) -> None:
    # Three instructions of one byte each keep a new container in the memo.
    (tmp_path / "wide.pkl").write_bytes(b"\x80\x04" + b"}\x940" * 800_000 + b"N.")
    with Reader(memory=160 << 20) as reader, pytest.raises(SupplyError, match="cannot be examined"):
        reader.read(tmp_path, "wide.pkl")


def test_the_worker_can_write_nothing_and_keeps_no_descriptor(tmp_path: Path, build: Any) -> None:
    (tmp_path / "a.gguf").write_bytes(build.gguf())
    with Reader() as reader:
        for _ in range(3):
            reader.read(tmp_path, "a.gguf")
        limits = Path(f"/proc/{reader.process_id}/limits").read_text()
        descriptors = list(Path(f"/proc/{reader.process_id}/fd").iterdir())
    assert "Max file size             0" in limits
    assert "Max core file size        0" in limits
    assert len(descriptors) <= 4


def test_links_are_not_followed(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("/etc/hostname")
    with Reader() as reader, pytest.raises(CoreError, match="symbolic link"):
        reader.read(tmp_path, "link")
