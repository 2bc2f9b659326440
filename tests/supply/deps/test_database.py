"""The local database: whole or not at all, from sources that may be hostile."""

import contextlib
import datetime as dt
import http.server
import io
import json
import stat
import threading
import zipfile
from collections.abc import Generator
from pathlib import Path
from typing import Any, ClassVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lockgate.supply.deps import Database, DatabaseInfo, update
from lockgate.supply.deps.advisory_source import ZipAdvisories
from lockgate.supply.deps.database import FILE_NAME
from lockgate.supply.errors import SupplyError

NOW = dt.datetime(2026, 11, 1, tzinfo=dt.UTC)


def advisory(number: int = 1, modified: str = "2026-10-01T00:00:00Z", **more: Any) -> bytes:
    events = [{"introduced": "0"}, {"fixed": "2.6.0"}]
    affected = {"package": {"ecosystem": "PyPI", "name": "torch"}, "ranges": [{"type": "ECOSYSTEM", "events": events}]}
    return json.dumps({"id": f"GHSA-{number}", "modified": modified, "affected": [affected], **more}).encode()


def archive(members: dict[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as made:
        for name, body in members.items():
            made.writestr(name, body)
    return stream.getvalue()


def build(folder: Path, source: bytes | Path, **options: Any) -> DatabaseInfo:
    path = source
    if isinstance(source, bytes):
        path = folder / "all.zip"
        path.write_bytes(source)
    return update(str(path), folder / "db", now=options.pop("now", NOW), progress=lambda _: None, **options)


def test_a_zip_and_a_folder_of_json_and_yaml_give_the_same_matches(tmp_path: Path):
    info = build(tmp_path, archive({"GHSA-1.json": advisory(), "sub/GHSA-2.json": advisory(2), "README.md": b"x"}))
    assert (info.advisories, info.packages, info.source) == (2, 1, "all.zip")
    assert info.data_at == dt.datetime(2026, 10, 1, tzinfo=dt.UTC)
    with Database(tmp_path / "db") as database:
        assert [item.id for item in database.affected("PyPI", "torch")] == ["GHSA-1", "GHSA-2"]
        assert database.affected("PyPI", "numpy") == []
        assert database.info == info
    folder = tmp_path / "advisories"
    (folder / "vulns").mkdir(parents=True)
    (folder / "vulns/PYSEC-1.yaml").write_text(
        "id: PYSEC-1\nmodified: 2026-10-02T00:00:00Z\n"
        "affected:\n- package: {ecosystem: PyPI, name: torch}\n  versions: ['1.0']\n"
    )
    assert build(tmp_path, folder).advisories == 1
    assert stat.S_IMODE((tmp_path / "db" / FILE_NAME).stat().st_mode) == 0o600
    assert [path.name for path in (tmp_path / "db").iterdir()] == [FILE_NAME]


def test_withdrawn_advisories_do_not_match_and_times_to_come_do_not_count(tmp_path: Path):
    members = {
        "1.json": advisory(),
        "2.json": advisory(2, modified="2099-01-01T00:00:00Z"),
        "3.json": advisory(3, withdrawn="2026-01-01T00:00:00Z"),
    }
    info = build(tmp_path, archive(members))
    assert (info.advisories, info.withdrawn, info.data_at.year) == (2, 1, 2026)


@pytest.mark.parametrize(
    "members",
    [
        {},
        {"1.json": b"{}"},
        {"1.json": advisory(), "2.json": b"[1"},
        {"1.json": advisory(affected=[])},
        {"a.yaml": b"a: &a [*a]"},
    ],
)
def test_what_cannot_be_read_as_a_whole_changes_nothing(tmp_path: Path, members: dict[str, bytes]):
    build(tmp_path, archive({"1.json": advisory()}))
    before = (tmp_path / "db" / FILE_NAME).read_bytes()
    with pytest.raises(SupplyError):
        build(tmp_path, archive(members))
    assert (tmp_path / "db" / FILE_NAME).read_bytes() == before
    assert len(list((tmp_path / "db").iterdir())) == 1


def test_data_from_the_future_alone_has_no_age(tmp_path: Path):
    with pytest.raises(SupplyError, match="dated in the future"):
        build(tmp_path, archive({"GHSA-1.json": advisory(modified="2099-01-01T00:00:00Z")}))


def test_older_data_and_another_digest_are_refused(tmp_path: Path):
    build(tmp_path, archive({"1.json": advisory()}))
    older = archive({"1.json": advisory(modified="2025-01-01T00:00:00Z")})
    with pytest.raises(SupplyError, match="before the data that is there"):
        build(tmp_path, older)
    assert build(tmp_path, older, older=True).data_at.year == 2025
    with pytest.raises(SupplyError, match="not the expected one"):
        build(tmp_path, archive({"1.json": advisory()}), sha256="0" * 64)


def link() -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as made:
        info = zipfile.ZipInfo("1.json")
        info.external_attr = (stat.S_IFLNK | 0o777) << 16
        made.writestr(info, "/etc/passwd")
    return stream.getvalue()


def twice() -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as made:
        made.writestr("1.json", advisory())
        with pytest.warns(UserWarning, match="Duplicate"):
            made.writestr("1.json", advisory(2))
    return stream.getvalue()


@pytest.mark.parametrize(
    "make",
    [
        lambda: archive({"../1.json": advisory()}),
        lambda: archive({"/1.json": advisory()}),
        lambda: archive({"1.json": b" " * (8 << 20)}),
        link,
        twice,
        lambda: b"PK",
        lambda: archive({"1.json": advisory()})[:-30],
    ],
)
def test_hostile_archives_are_refused(tmp_path: Path, make: Any):
    with pytest.raises(SupplyError):
        build(tmp_path, make())


def test_a_link_in_a_folder_is_refused(tmp_path: Path):
    (tmp_path / "advisories").mkdir()
    (tmp_path / "advisories/1.json").symlink_to("/etc/passwd")
    with pytest.raises(SupplyError):
        build(tmp_path, tmp_path / "advisories")


@pytest.mark.parametrize(
    "url",
    ["http://example.org/all.zip", "file:///etc/passwd", "ftp://example.org/x", "https://", "http://[::x/all.zip"],
)
def test_only_https_is_fetched(tmp_path: Path, url: str):
    with pytest.raises(SupplyError, match="https"):
        update(url, tmp_path, now=NOW, progress=lambda _: None)


class _Handler(http.server.BaseHTTPRequestHandler):
    body: ClassVar[bytes] = b""

    def do_GET(self) -> None:
        if self.path == "/away":
            self.send_response(302)
            self.send_header("Location", "http://example.org/all.zip")
            self.end_headers()
            return
        self.send_response(200 if self.path.startswith("/all.zip") else 404)
        self.end_headers()
        self.wfile.write(self.body)

    def log_message(self, *args: object) -> None:
        return


@contextlib.contextmanager
def serving(body: bytes) -> Generator[str]:
    _Handler.body = body
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def test_a_mirror_on_this_machine_is_fetched_and_redirects_stay_safe(tmp_path: Path):
    with serving(archive({"1.json": advisory()})) as base:
        info = update(f"{base}/all.zip?token=secret", tmp_path, now=NOW, progress=lambda _: None)
        assert info.advisories == 1
        assert "secret" not in info.source
        for path in ("/away", "/missing"):
            with pytest.raises(SupplyError):
                update(base + path, tmp_path, now=NOW, progress=lambda _: None)


@pytest.mark.parametrize("body", [b"", b"SQLite format 3\x00" + b"\xff" * 4096, b"text"])
def test_a_damaged_database_is_an_error(tmp_path: Path, body: bytes):
    with pytest.raises(SupplyError):
        Database(tmp_path)
    (tmp_path / FILE_NAME).write_bytes(body)
    with pytest.raises(SupplyError):
        Database(tmp_path)


SEED = archive({"1.json": advisory(), "2.json": advisory(2)})


@settings(max_examples=200)
@given(st.lists(st.tuples(st.integers(0, len(SEED) - 1), st.integers(0, 255)), min_size=1, max_size=4))
def test_damaged_archives_are_read_or_refused(changes: list[tuple[int, int]]):
    body = bytearray(SEED)
    for at, value in changes:
        body[at] = value
    with contextlib.suppress(SupplyError):
        for name, content in ZipAdvisories(io.BytesIO(bytes(body)), "all.zip").items():
            assert name
            assert len(content) <= 1 << 20
