import os
import socket
from pathlib import Path

import pytest

from lockgate.core import CoreError, SubjectRef, sha256_hex
from lockgate.core.files import MAX_FILES, Snapshot, digest, named_path, open_regular, read, relative, snapshot


def test_reads_and_hashes_the_same_bytes(tmp_path: Path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a/b.txt").write_bytes(b"water")
    content = read(tmp_path, "a/b.txt", limit=5)
    assert content.body == b"water"
    assert content.ref == SubjectRef("a/b.txt", sha256_hex(b"water")) == digest(tmp_path, "a/b.txt")


def test_refuses_more_than_the_limit(tmp_path: Path):
    (tmp_path / "big").write_bytes(b"123456")
    with pytest.raises(CoreError, match="larger than 5 bytes"):
        read(tmp_path, "big", limit=5)


@pytest.mark.parametrize("uri", ["", "/etc/passwd", "../x", "a/../../x", "a\x00b"])
def test_paths_stay_inside(uri: str):
    with pytest.raises(CoreError, match="not a path inside"):
        relative(uri)


@pytest.mark.parametrize("uri", ["link", "folder-link/target", "missing", "folder", "fifo", "locked"])
def test_only_plain_readable_files_are_read(tmp_path: Path, uri: str, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder/target").write_text("x")
    (tmp_path / "link").symlink_to("folder/target")
    (tmp_path / "folder-link").symlink_to("folder")
    (tmp_path / "locked").write_text("x")
    os.mkfifo(tmp_path / "fifo")
    if uri == "locked":  # root reads everything, so the refusal comes from the call itself
        real = os.open

        def refuse(path: str, flags: int, *args: int, dir_fd: int | None = None) -> int:
            if path == "locked":
                raise PermissionError(13, "Permission denied")
            return real(path, flags, *args, dir_fd=dir_fd)

        monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(CoreError, match=uri.split("/", maxsplit=1)[0]) as caught:
        digest(tmp_path, uri)
    assert caught.value.remedy


def test_an_input_output_error_is_named(tmp_path: Path):
    with pytest.raises(CoreError, match="file name too long"):
        digest(tmp_path, "x" * 300)
    with pytest.raises(CoreError, match="does not exist"):
        digest(tmp_path / "nowhere", "x")


def test_a_file_that_changes_while_open_is_refused(tmp_path: Path):
    path = tmp_path / "moving"
    path.write_text("before")
    with pytest.raises(CoreError, match="changed while"), open_regular(tmp_path, "moving") as stream:  # noqa: PT012
        stream.read()
        path.write_text("after, and longer")


def test_a_snapshot_names_everything_it_could_not_read(tmp_path: Path):
    for folder in ("kept/inner", ".git", "kept/.git", "kept/__pycache__", "build/out", "kept/build/out"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "file").write_text(folder)
    (tmp_path / "kept/link").symlink_to("inner/file")
    (tmp_path / "kept/loop").symlink_to("..")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "kept/socket"))
        taken = snapshot(tmp_path, ignore=frozenset({".git", "build/out", "**/__pycache__"}))
    assert [ref.uri for ref in taken.files] == ["kept/.git/file", "kept/build/out/file", "kept/inner/file"]
    assert [item.ref.uri for item in taken.unreadable] == ["kept/link", "kept/loop", "kept/socket"]
    assert taken.digest_of("kept/inner/file") == sha256_hex(b"kept/inner")
    assert taken.digest_of("kept/link") is None


def test_a_name_that_would_drive_a_terminal_is_unreadable(tmp_path: Path):
    (tmp_path / "a\x1b[2J").write_text("x")
    [item] = snapshot(tmp_path, ignore=frozenset()).unreadable
    assert item.ref.uri == "'a\\x1b[2J'"


def test_ignored_files_are_left_out(tmp_path: Path):
    (tmp_path / "a").write_text("a")
    (tmp_path / "b").write_text("b")
    assert [ref.uri for ref in snapshot(tmp_path, ignore=frozenset({"a"})).files] == ["b"]


def test_a_folder_that_cannot_be_listed_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "closed").mkdir()
    real = os.scandir

    def refuse(path: str) -> object:
        if str(path).endswith("closed"):
            raise PermissionError(13, "Permission denied", str(path))
        return real(path)

    monkeypatch.setattr(os, "scandir", refuse)
    taken = snapshot(tmp_path, ignore=frozenset())
    assert [item.ref.uri for item in taken.unreadable] == ["closed"]
    assert "cannot be listed" in taken.unreadable[0].reason


def test_a_snapshot_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("lockgate.core.files.MAX_FILES", 2)
    for name in "abc":
        (tmp_path / name).write_text(name)
    with pytest.raises(CoreError, match="more than 2 files"):
        snapshot(tmp_path, ignore=frozenset())
    assert MAX_FILES == 100_000


def test_an_empty_snapshot_knows_nothing():
    assert Snapshot((), ()).digest_of("x") is None


def test_a_file_that_settings_name_may_lie_at_home_anywhere_or_in_the_project(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("HOME", "/people/ann")
    names = {
        "~/ca.pem": Path("/people/ann/ca.pem"),
        "/etc/ca.pem": Path("/etc/ca.pem"),
        "tls/ca.pem": tmp_path / "tls/ca.pem",
        "~nobody-of-that-name/ca.pem": tmp_path / "~nobody-of-that-name/ca.pem",
    }
    assert {name: named_path(tmp_path, name) for name in names} == names
