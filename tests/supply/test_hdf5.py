"""HDF5 files whose links and attributes are stored densely or in ways that hide them."""

import json
import struct
from collections.abc import Callable

import pytest

from lockgate.detect.hdf5 import read_hdf5
from lockgate.detect.source import Memory
from supply.files import DenseFile, attribute, hard_link, hdf5, link, message

Judge = Callable[[bytes, str], tuple[str, set[str]]]
CLASS, MALFORMED, OPAQUE = "LG-SUPPLY-010", "LG-SUPPLY-012", "LG-SUPPLY-006"
LAMBDA = json.dumps({"class_name": "Lambda", "config": {}})
EVIL = b"\x80\x04\x8c\x05posix\x8c\x06system\x93\x8c\x09echo gone\x85R."


@pytest.mark.parametrize("count", [1, 40, 47, 300, 700])
def test_densely_stored_attributes_and_links_are_read_whole(judge: Judge, count: int) -> None:
    texts = {f"attribute {number}": f"text {number}" for number in range(count)}
    links = [hard_link(f"{number:04d}", 48) for number in range(count)]
    body = bytes(DenseFile(links, [attribute(name, text) for name, text in texts.items()]).body)
    assert {item.name: item.text for item in read_hdf5(Memory(body)).attributes} == texts
    assert judge(body, "m.h5") == ("hdf5", set())


@pytest.mark.parametrize("place", [0, 150, 299])
@pytest.mark.parametrize("kind", [1, 64])
def test_links_that_lead_away_are_found_wherever_the_heap_keeps_them(judge: Judge, kind: int, place: int) -> None:
    links = [hard_link(f"{number:04d}", 48) for number in range(300)]
    links[place] = link(kind, "w", b"\0/etc/passwd\0x\0")
    assert judge(bytes(DenseFile(links).body), "m.h5") == ("hdf5", {MALFORMED})


@pytest.mark.parametrize("padding", [0, 2000])
def test_a_description_among_many_attributes_is_read(judge: Judge, padding: int) -> None:
    # With padding the attribute is larger than the heap's blocks take, and lies elsewhere.
    texts = [attribute(f"a{number}", "b") for number in range(100)]
    body = DenseFile([], [*texts, attribute("model_config", LAMBDA + " " * padding)]).body
    assert judge(bytes(body), "m.h5") == ("hdf5", {CLASS})


def test_a_compressed_heap_is_not_passed(judge: Judge) -> None:
    assert judge(bytes(DenseFile([hard_link("a", 48)], filters=8).body), "m.h5") == ("hdf5", {f"{OPAQUE}?"})


@pytest.mark.parametrize("magic", [b"FRHP", b"FHDB", b"FHIB", b"BTHD", b"BTIN", b"BTLF"])
def test_a_broken_heap_or_index_fails(judge: Judge, magic: bytes) -> None:
    body = bytes(DenseFile([hard_link(f"{number:04d}", 48) for number in range(300)]).body)
    assert magic in body
    assert judge(body.replace(magic, b"NONE"), "m.h5") == ("hdf5", {MALFORMED})


def test_a_name_of_a_type_does_not_hide_a_description(judge: Judge) -> None:
    """Its type is not in the attribute but in an object, and the attribute only points there."""
    text = LAMBDA.encode()
    kind = struct.pack("<BBBBI", 0x13, 0, 0, 0, len(text))
    plain = hdf5({})
    named = b"OHDR" + struct.pack("<BBI", 2, 2, len(kind) + 4) + message(3, kind) + bytes(4)
    for pointer, expected in ((struct.pack("<BBQ", 3, 2, 0), CLASS), (struct.pack("<BBQ", 3, 1, 0), f"{OPAQUE}?")):
        size = len(plain) + 4 + len(pointer) + 13 + 4 + 9 + len(text)
        where = pointer[:2] + struct.pack("<Q", size) if expected == CLASS else pointer
        body = struct.pack("<BBHHHB", 3, 1, 13, len(where), 4, 0) + b"model_config\0" + where
        body += struct.pack("<BBBB", 2, 0, 0, 0) + text
        file = hdf5({}, more=message(12, body))
        assert len(file) == size
        whole = file[:28] + struct.pack("<Q", size + len(named)) + file[36:] + named
        assert judge(whole, "m.h5") == ("hdf5", {expected})


def test_a_count_of_messages_that_is_too_low_hides_nothing(judge: Judge) -> None:
    """The library reads all messages of an older header, whatever number it states."""
    text = attribute("model_config", LAMBDA)
    text += bytes(-len(text) % 8)
    messages = struct.pack("<HHBxxx", 12, len(text), 0) + text

    def older(count: int) -> bytes:
        root = struct.pack("<BBHIIxxxx", 1, 0, count, 1, len(messages)) + messages
        file = hdf5({})
        return file[:28] + struct.pack("<Q", 48 + len(root)) + file[36:48] + root

    assert judge(older(1), "m.h5") == ("hdf5", {CLASS})
    assert judge(older(0), "m.h5") == ("hdf5", {MALFORMED})


def test_a_description_that_is_no_text_is_not_passed(judge: Judge) -> None:
    kind, space = struct.pack("<BBBBI", 0x10, 0, 0, 0, 4), struct.pack("<BBBB", 2, 0, 0, 0)
    body = struct.pack("<BBHHHB", 3, 0, 13, len(kind), len(space), 0) + b"model_config\0" + kind + space + bytes(4)
    assert judge(hdf5({}, more=message(12, body)), "m.h5") == ("hdf5", {f"{OPAQUE}?"})


def test_pickles_in_data_and_in_global_heaps_are_found(judge: Judge) -> None:
    compact = message(8, struct.pack("<BBH", 3, 0, len(EVIL)) + EVIL)
    assert judge(hdf5({}, more=compact), "m.h5") == ("hdf5", {MALFORMED})
    sequence = message(3, struct.pack("<BBBBI", 0x19, 0, 0, 0, 16) + struct.pack("<BBBBI", 0x10, 0, 0, 0, 1))
    for content, expected in ((EVIL, {MALFORMED}), (b"\x80\x04N.", set[str]())):
        entry = struct.pack("<HHIQ", 1, 1, 0, len(content)) + content + bytes(-len(content) % 8)
        heap = b"GCOL\1\0\0\0" + struct.pack("<Q", 32 + len(entry)) + entry + bytes(16)
        whole = hdf5({}, more=sequence) + heap
        whole = whole[:28] + struct.pack("<Q", len(whole)) + whole[36:]
        assert judge(whole, "m.h5") == ("hdf5", expected)
