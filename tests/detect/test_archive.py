"""Archives: one reading for every reader, or refused."""

import bz2
import gzip
import io
import lzma
import struct
import tarfile
import tracemalloc
import warnings
import zipfile
import zlib

import numpy as np
import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from lockgate.detect.archive import looks_like_zip, open_member, read_zip, safe_name
from lockgate.detect.compressed import read_compressed, sniff_compression
from lockgate.detect.npy import item_size, read_npy
from lockgate.detect.sevenzip import read_7z
from lockgate.detect.source import Cursor, MalformedError, Memory, Window
from lockgate.detect.tar import read_tar

MEMBERS = {"a/one.txt": b"hello " * 50, "b.bin": bytes(range(256)), "ä.txt": b"x"}


def zipped(members: dict[str, bytes] | None = None, method: int = zipfile.ZIP_DEFLATED, **options: object) -> bytes:
    stream = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(stream, "w") as archive:
        warnings.simplefilter("ignore")
        archive.comment = options.get("comment", b"")  # type: ignore[assignment]
        for name, body in (MEMBERS if members is None else members).items():
            info = zipfile.ZipInfo(name)
            info.external_attr = int(options.get("mode", 0o100644)) << 16  # type: ignore[call-overload]
            info.extra = options.get("extra", b"")  # type: ignore[assignment]
            archive.writestr(info, body, compress_type=method)
    return stream.getvalue()


def streamed(members: dict[str, bytes]) -> bytes:
    """As a writer without seeking produces it: sizes behind the bytes."""

    class Pipe(io.RawIOBase):
        def __init__(self) -> None:
            self.parts: list[bytes] = []

        def writable(self) -> bool:
            return True

        def write(self, body: bytes) -> int:  # type: ignore[override]
            self.parts.append(bytes(body))
            return len(body)

    pipe = Pipe()
    with zipfile.ZipFile(pipe, "w") as archive:
        for name, body in members.items():
            archive.writestr(zipfile.ZipInfo(name), body)
    return b"".join(pipe.parts)


def contents(body: bytes) -> dict[str, bytes]:
    source = Memory(body)
    found = {}
    for member in read_zip(source):
        opened = open_member(source, member)
        found[member.name] = opened.read(0, opened.size)
    return found


def code(body: bytes) -> str:
    with pytest.raises(MalformedError) as caught:
        contents(body)
    return caught.value.code


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_ordinary_zip_archives_are_read_as_written(method: int) -> None:
    assert contents(zipped(method=method)) == MEMBERS
    assert contents(streamed({"a.txt": b"hello"})) == {"a.txt": b"hello"}
    assert contents(zipped({"folder/": b"", "folder/x": b"1"}, zipfile.ZIP_STORED)) == {"folder/x": b"1"}
    assert contents(zipped({})) == {}


def test_arrays_with_wide_size_fields_are_read() -> None:
    stream = io.BytesIO()
    np.savez(stream, a=np.arange(5), b=np.ones(3))
    assert set(contents(stream.getvalue())) == {"a.npy", "b.npy"}


def _wide(body: bytes) -> bytes:
    """Adds the ZIP64 end that PyTorch always writes."""
    end = len(body) - 22
    _, _, _, _, count, size, start, _ = struct.unpack("<IHHHHIIH", body[end:])
    record = struct.pack("<IQHHIIQQQQ", 0x06064B50, 44, 45, 45, 0, 0, count, count, size, start)
    return body[:end] + record + struct.pack("<IIQI", 0x07064B50, 0, end, 1) + body[end:]


def test_the_wide_directory_end_is_read_and_must_agree() -> None:
    good = _wide(zipped())
    assert contents(good) == MEMBERS
    at = good.index(b"PK\x06\x06")
    for offset in (24, 32, 40, 48):
        bad = bytearray(good)
        bad[at + offset] ^= 1
        assert code(bytes(bad)) == "directory"


def test_every_ambiguity_is_refused() -> None:
    good = zipped(method=zipfile.ZIP_STORED)
    assert code(b"x" + good) in {"directory", "gap"}
    assert code(good + b"x") == "suffix"
    assert code(zipped(comment=b"hello")) == "suffix"
    assert code(good.replace(b"b.bin", b"c.bin", 1)) == "local-header"
    assert (
        code(good[: good.index(b"PK\x01\x02")].replace(b"hello", b"HELLO", 1) + good[good.index(b"PK\x01\x02") :])
        == "crc"
    )
    assert code(zipped({"a": b"1", "A": b"2"})) == "duplicate-member"
    assert code(good[:60]) in {"suffix", "truncated"}
    assert code(b"") == "truncated"
    assert code(zipped(mode=0o120777)) == "member-type"
    assert code(zipped(extra=struct.pack("<HH", 0x7075, 4) + b"abcd")) == "extra"
    assert code(zipped(extra=struct.pack("<HH", 1, 40))) == "extra"
    assert code(zipped({"a": b"x" * 20_000_000})) == "ratio"
    assert code(zipped(method=zipfile.ZIP_BZIP2)) == "compression"


def test_bytes_between_members_are_refused() -> None:
    body = zipped({"a": b"1"}, zipfile.ZIP_STORED)
    directory = body.index(b"PK\x01\x02")
    moved = bytearray(body[:directory] + b"hidden" + body[directory:])
    moved[-6:-2] = struct.pack("<I", directory + 6)
    assert code(bytes(moved)) == "gap"


def test_encrypted_members_are_refused() -> None:
    body = bytearray(zipped({"a": b"1"}, zipfile.ZIP_STORED))
    body[6] |= 1
    body[body.index(b"PK\x01\x02") + 8] |= 1
    assert code(bytes(body)) == "encrypted"


def test_a_member_that_inflates_to_more_than_it_says_is_refused() -> None:
    body = bytearray(zipped({"a": b"hello world" * 9}))
    for at in (22, body.index(b"PK\x01\x02") + 24):
        body[at : at + 4] = struct.pack("<I", 10)
    assert code(bytes(body)) == "inflate"


@pytest.mark.parametrize(
    "name", ["../x", "/x", "a/../../x", "a\\b", "C:x", "a\nb", "a\x1b", "", "./a", "a//b", "x" * 2000]
)
def test_names_that_mean_different_things_are_refused(name: str) -> None:
    with pytest.raises(MalformedError):
        safe_name(name)


def tarred(entries: list[tarfile.TarInfo], form: int = tarfile.PAX_FORMAT) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=form) as archive:
        for entry in entries:
            archive.addfile(entry, io.BytesIO(b"x" * entry.size))
    return stream.getvalue()


def info(name: str, kind: bytes = tarfile.REGTYPE, size: int = 3, **fields: object) -> tarfile.TarInfo:
    made = tarfile.TarInfo(name)
    made.type, made.size = kind, size if kind == tarfile.REGTYPE else 0
    for field, value in fields.items():
        setattr(made, field, value)
    return made


def test_ordinary_tar_archives_are_read_as_written() -> None:
    body = tarred([info("d", tarfile.DIRTYPE), info("d/one", mtime=1.5), info("ä" * 90, size=600)])
    members = read_tar(Memory(body))
    assert [(member.name, member.size) for member in members] == [("d/one", 3), ("ä" * 90, 600)]
    assert Window(Memory(body), members[1].start, members[1].size).read(0, 9) == b"x" * 9
    assert [member.name for member in read_tar(Memory(tarred([info("old")], tarfile.GNU_FORMAT)))] == ["old"]


def test_a_folder_packed_as_itself_is_read_without_the_step_that_goes_nowhere() -> None:
    body = tarred([info("./", tarfile.DIRTYPE), info("./d", tarfile.DIRTYPE), info("./d/one"), info("./two")])
    assert [member.name for member in read_tar(Memory(body))] == ["d/one", "two"]
    for names in (("./a", "a"), ("././a",), ("./../a",)):
        with pytest.raises(MalformedError):
            read_tar(Memory(tarred([info(name) for name in names])))


@pytest.mark.parametrize(
    ("entries", "expected"),
    [
        ([info("a", tarfile.SYMTYPE, linkname="/etc/passwd")], "member-type"),
        ([info("a", tarfile.LNKTYPE, linkname="b")], "member-type"),
        ([info("a", tarfile.CHRTYPE)], "member-type"),
        ([info("a", tarfile.FIFOTYPE)], "member-type"),
        ([info("../a")], "member-name"),
        ([info("/a")], "member-name"),
        ([info("a"), info("A")], "duplicate-member"),
        ([info("a", pax_headers={"size": "9"})], "pax"),
        ([info("a", pax_headers={"GNU.sparse.name": "b"})], "pax"),
    ],
)
def test_tar_members_that_reach_outside_are_refused(entries: list[tarfile.TarInfo], expected: str) -> None:
    with pytest.raises(MalformedError) as caught:
        read_tar(Memory(tarred(entries)))
    assert caught.value.code == expected


def test_broken_tar_archives_are_refused() -> None:
    good = tarred([info("a")])
    for body in (b"", good[:512], good[:-1], good + b"x" * 512, good[:100] + b"9" + good[101:], b"\xff" + good[1:]):
        with pytest.raises(MalformedError):
            read_tar(Memory(body))


def test_array_headers_must_match_their_bytes() -> None:
    stream = io.BytesIO()
    np.save(stream, np.zeros((2, 3), dtype="<f4"))
    good = stream.getvalue()
    facts = read_npy(Memory(good))
    assert (facts.item_size, facts.count) == (4, 6)
    for body in (
        b"",
        good[:-1],
        good + b"x",
        b"\x93NUMPY\x09\x00" + good[8:],
        good.replace(b"'<f4'", b"'<q4'"),
        good[:20],
    ):
        with pytest.raises(MalformedError):
            read_npy(Memory(body))
    assert [item_size(kind) for kind in ("<f8", "|O", "<U3", "|b1", "<M8[ns]", "nonsense", "<f")] == [
        8,
        0,
        12,
        1,
        8,
        None,
        None,
    ]


def test_a_cursor_never_reads_past_its_source() -> None:
    cursor = Cursor(Window(Memory(bytes(range(100))), 10, 5))
    assert cursor.take(2) == b"\x0a\x0b"
    with pytest.raises(MalformedError):
        cursor.take(4)
    with pytest.raises(MalformedError):
        cursor.skip(4)
    with pytest.raises(MalformedError):
        cursor.line(3)
    assert cursor.remaining == 3


@settings(max_examples=250, deadline=None)
@given(st.sampled_from([zipped(), _wide(zipped()), streamed({"a": b"hello"})]), st.data())
def test_a_mutated_zip_is_refused_or_read_as_python_reads_it(seed: bytes, data: st.DataObject) -> None:
    body = bytearray(seed)
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(body) - 1))
        body[at : at + data.draw(st.integers(0, 4))] = data.draw(st.binary(max_size=4))
    try:
        found = contents(bytes(body))
    except MalformedError:
        return
    with zipfile.ZipFile(io.BytesIO(bytes(body))) as archive:
        assert {name: archive.read(name) for name in archive.namelist() if not name.endswith("/")} == found


@settings(max_examples=250, deadline=None)
@given(st.data())
def test_a_mutated_tar_is_refused_or_read_as_python_reads_it(data: st.DataObject) -> None:
    body = bytearray(tarred([info("d", tarfile.DIRTYPE), info("d/one", mtime=1.5), info("two", size=600)]))
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(body) - 1))
        body[at] = data.draw(st.integers(0, 255))
    try:
        members = read_tar(Memory(bytes(body)))
    except MalformedError:
        return
    with tarfile.open(fileobj=io.BytesIO(bytes(body))) as archive:
        read = [(item.name.removeprefix("./"), item.size) for item in archive if item.isfile()]
        assert read == [(member.name, member.size) for member in members]


@settings(max_examples=200, deadline=None)
@given(
    st.binary(max_size=300).flatmap(
        lambda rest: st.sampled_from([rest, b"PK\x03\x04" + rest, b"\x93NUMPY\x01\x00" + rest])
    )
)
def test_any_bytes_are_read_or_refused(body: bytes) -> None:
    assert isinstance(looks_like_zip(body), bool)
    for reader in (read_zip, read_tar, read_npy):
        with pytest.raises(MalformedError):
            reader(Memory(body))


def _stated_size(body: bytes, size: int) -> bytes:
    """The same with the size in its header, as the LZMA SDK writes it."""
    return body[:5] + size.to_bytes(8, "little") + body[13:]


COMPRESSED = {
    "gzip": gzip.compress(b"hello " * 1000, mtime=0),
    "zlib": zlib.compress(b"hello " * 1000, 3),
    "bzip2": bz2.compress(b"hello " * 1000),
    "xz": lzma.compress(b"hello " * 1000),
    "lzma": lzma.compress(b"hello " * 1000, lzma.FORMAT_ALONE),
    "lzma of a stated size": _stated_size(lzma.compress(b"hello " * 1000, lzma.FORMAT_ALONE), 6000),
    "zstd": zstandard.compress(b"hello " * 1000),
}


@pytest.mark.parametrize("kind", COMPRESSED)
def test_a_compressed_stream_is_one_stream_from_the_first_byte_to_the_last(kind: str) -> None:
    body = COMPRESSED[kind]
    at = 4 if kind == "zstd" else len(body) // 2
    assert sniff_compression(body) == kind.partition(" ")[0]
    inflated = read_compressed(Memory(body))
    assert inflated.read(0, inflated.size) == b"hello " * 1000
    for bad, expected in (
        (body + b"x", {"suffix"}),
        (body + body, {"suffix"}),
        (body[:-6], {"truncated"}),
        (body[:at] + b"\xff\xff\xff" + body[at + 3 :], {"inflate", "truncated", "suffix", "compression", "budget"}),
    ):
        with pytest.raises(MalformedError) as caught:
            read_compressed(Memory(bad))
        assert caught.value.code in expected


def test_text_is_not_taken_for_a_compressed_stream() -> None:
    for text in (b"x^2 + y^2 = z^2, as everybody knows", b"BZh1 is how it begins", b"(\xb5/", b""):
        assert sniff_compression(text) is None


def test_a_compression_bomb_costs_neither_memory_nor_a_pass() -> None:
    bomb = zlib.compress(bytes(300 << 20), 9)
    tracemalloc.start()
    inflated = read_compressed(Memory(bomb))
    assert (inflated.size, inflated.read(250 << 20, 3)) == (300 << 20, bytes(3))
    assert inflated.read(5, 2) == bytes(2)
    assert tracemalloc.get_traced_memory()[1] < 120 << 20
    tracemalloc.stop()
    with pytest.raises(MalformedError) as caught:
        read_compressed(Memory(bomb), most=1 << 20)
    assert caught.value.code == "budget"


def seven_zip(body: bytes, method: bytes, properties: bytes, packed: bytes, name: str = "m/data.pkl") -> bytes:
    """A 7-Zip archive of one file, assembled by hand."""

    def number(value: int) -> bytes:
        return bytes([value]) if value < 0x80 else b"\xc0" + struct.pack("<H", value)

    coder = bytes([len(method) | (0x20 if properties else 0)]) + method
    coder += number(len(properties)) + properties if properties else b""
    names = b"\x00" + name.encode("utf-16-le") + b"\x00\x00"
    crc = b"\x0a\x01" + struct.pack("<I", zlib.crc32(body))
    header = b"\x01\x04\x06\x00\x01\x09" + number(len(packed)) + b"\x00\x07\x0b\x01\x00\x01" + coder
    header += b"\x0c" + number(len(body)) + crc + b"\x00\x00\x05\x01\x11" + number(len(names)) + names + b"\x00\x00"
    start = struct.pack("<QQI", len(packed), len(header), zlib.crc32(header))
    return b"7z\xbc\xaf\x27\x1c\x00\x04" + struct.pack("<I", zlib.crc32(start)) + start + packed + header


LZMA2 = [{"id": lzma.FILTER_LZMA2, "dict_size": 1 << 16}]


@pytest.mark.parametrize(
    ("method", "properties", "packed"),
    [
        (b"\x00", b"", b"hello " * 30),
        (b"\x21", b"\x18", lzma.compress(b"hello " * 30, lzma.FORMAT_RAW, filters=LZMA2)),
        (b"\x04\x02\x02", b"", bz2.compress(b"hello " * 30)),
        (b"\x04\x01\x08", b"", zlib.compress(b"hello " * 30)[2:-4]),
    ],
)
def test_seven_zip_archives_are_read_byte_by_byte(method: bytes, properties: bytes, packed: bytes) -> None:
    good = seven_zip(b"hello " * 30, method, properties, packed)
    assert [(item.name, item.body) for item in read_7z(Memory(good))] == [("m/data.pkl", b"hello " * 30)]
    for bad in (good + b"x", good[:-1], good[:40] + b"\xff" + good[41:], b"8" + good[1:]):
        with pytest.raises(MalformedError):
            read_7z(Memory(bad))


@pytest.mark.parametrize(
    ("method", "properties", "name", "expected"),
    [
        (b"\x06\xf1\x07\x01", b"", "a", "encrypted"),
        (b"\x03\x04\x01", b"", "a", "unsupported"),
        (b"\x03\x03\x01\x03", bytes(4), "a", "unsupported"),
        (b"\x03\x01\x01", b"\x5d\xff\xff\xff\xff", "a", "budget"),
        (b"\x21", b"\x30", "a", "inflate"),
        (b"\x00", b"", "../a", "member-name"),
    ],
)
def test_seven_zip_archives_that_cannot_be_followed_are_refused(
    method: bytes, properties: bytes, name: str, expected: str
) -> None:
    with pytest.raises(MalformedError) as caught:
        read_7z(Memory(seven_zip(b"hello", method, properties, b"hello", name)))
    assert caught.value.code == expected
