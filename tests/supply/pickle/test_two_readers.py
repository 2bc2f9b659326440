"""Programs that one unpickler runs and another does not see, and what older libraries write that looks like one."""

import struct
from collections.abc import Callable

import pytest

from supply.files import attribute, hdf5, zipped

Judge = Callable[[bytes, str], tuple[str, set[str]]]
PICKLE, MALFORMED = "LG-SUPPLY-003", "LG-SUPPLY-012"


def short(text: str) -> bytes:
    return b"\x8c" + bytes([len(text)]) + text.encode()


def name(module: str, last: str) -> bytes:
    return short(module) + short(last) + b"\x93"


RUN = name("posix", "system") + short("echo gone") + b"\x85R"
DOTTED = b"\x80\x04" + name("sklearn", "os.system") + short("echo gone") + b"\x85R."
COMPUTED = b"\x80\x04" + short("posix") + b"S'sy\\x73tem'\n\x93" + short("echo gone") + b"\x85R."


def of_objects(inner: bytes, before: bytes = b"") -> bytes:
    """A joblib file with an array of objects, whose elements are a pickle between two instructions of the outer one."""
    kind = (
        name("numpy", "dtype") + short("O8") + b"\x89\x88\x87R(K\x03" + short("|") + b"NNN" + b"J\xff\xff\xff\xff" * 2
    )
    fields = short("subclass") + name("numpy", "ndarray") + short("shape") + b"K\x01\x85" + short("order") + short("C")
    fields += short("dtype") + kind + b"K?tb" + short("allow_mmap") + b"\x89"
    array = name("joblib.numpy_pickle", "NumpyArrayWrapper") + b")\x81}(" + fields + b"ub"
    return b"\x80\x04" + before + array + inner + b"."


def of_numbers(kind: bytes, body: bytes, shape: bytes, more: bytes = b"") -> bytes:
    """A joblib file with an array of plain numbers between two instructions."""
    fields = short("subclass") + name("numpy", "ndarray") + short("shape") + shape + short("order") + short("C")
    fields += short("dtype") + kind + short("allow_mmap") + b"\x89" + more
    return b"\x80\x04" + name("joblib.numpy_pickle", "NumpyArrayWrapper") + b")\x81}(" + fields + b"ub" + body + b"."


def data_type(
    code: str, fields: bytes = b"NN", flags: bytes = b"K\x00", size: bytes = b"J\xff\xff\xff\xff" * 2
) -> bytes:
    made = name("numpy", "dtype") + short(code) + b"\x89\x88\x87R"
    return made + b"(K\x03" + short("|") + b"N" + fields + size + flags + b"tb"


OBJECTS = data_type("O8", flags=b"K?")
ONE_OBJECT = b"(" + short("a") + b"t}" + short("a") + OBJECTS + b"K\x00\x86s"
UNALIGNED = short("numpy_array_alignment_bytes") + b"N"
PROGRAM = b"\x80\x04" + RUN + b"."


@pytest.mark.parametrize("more", [b"", UNALIGNED], ids=["no padding stated", "none wanted"])
def test_bytes_of_an_array_without_padding_are_no_program(judge: Judge, more: bytes) -> None:
    shape = b"K" + bytes([len(PROGRAM)]) + b"\x85"
    assert judge(of_numbers(data_type("u1"), bytes(len(PROGRAM)), shape, more), "m.joblib")[1] == set()
    assert judge(of_numbers(data_type("u1"), PROGRAM, shape, more), "m.joblib")[1] == {PICKLE}


@pytest.mark.parametrize(
    "kind",
    [
        data_type(f"V{len(PROGRAM)}", ONE_OBJECT, b"K\x1b", b"K" + bytes([len(PROGRAM)]) + b"K\x01"),
        data_type(f"V{len(PROGRAM)}", ONE_OBJECT, b"K\x00", b"K" + bytes([len(PROGRAM)]) + b"K\x01"),
        data_type("u1", flags=b"K\x01"),
    ],
    ids=["an object among its fields", "the same, denied", "flags alone"],
)
def test_an_element_type_does_not_hide_that_it_holds_objects(judge: Judge, kind: bytes) -> None:
    assert judge(of_numbers(kind, PROGRAM, b"K\x01\x85", UNALIGNED), "m.joblib")[1] == {PICKLE}


def test_bytes_are_not_taken_for_addresses_of_objects(judge: Judge) -> None:
    empty = (
        b"\x80\x04" + name("numpy.core.multiarray", "_reconstruct") + name("numpy", "ndarray") + b"K\x00\x85C\x01b\x87R"
    )

    def array(kind: bytes, content: bytes) -> bytes:
        return empty + b"(K\x01K\x01\x85" + kind + b"\x89" + content + b"tb."

    assert judge(array(OBJECTS, b"](Ne"), "m.pkl")[1] == set()
    assert judge(array(data_type("O8", flags=b"K\x00"), b"C\x08" + bytes(8)), "m.pkl")[1] == {PICKLE}


def test_an_array_of_objects_means_the_same_to_every_unpickler(judge: Judge) -> None:
    """The inner pickle recalls what it remembered itself, or what the outer one did, depending on who reads it."""
    inner = (
        b"\x80\x04"
        + short("decimal")
        + b"\x94"
        + short("Decimal")
        + b"\x940"
        + b"0h\x00h\x01\x93"
        + short("1")
        + b"\x85R."
    )
    assert judge(of_objects(inner), "m.joblib") == ("pickle", set())
    before = short("subprocess") + b"\x94" + short("getoutput") + b"\x9400"
    assert judge(of_objects(inner, before), "m.joblib") == ("pickle", {PICKLE})


@pytest.mark.parametrize("program", [DOTTED, COMPUTED])
def test_names_with_dots_and_computed_names_hide_nowhere(judge: Judge, program: bytes) -> None:
    plain = {"m/data.pkl": b"\x80\x02}.", "m/version": b"3\n"}
    assert judge(zipped({**plain, "m/data/0": program}), "m.pt")[1] == {PICKLE}
    inner = b"\x80\x04}" + short("a") + b"C" + bytes([len(program)]) + program + b"s."
    assert judge(inner, "m.pkl")[1] == {PICKLE}


def test_a_program_inside_bytes_that_breaks_off_after_its_call_is_found(judge: Judge) -> None:
    inner = b"\x80\x04" + RUN + b"\xff\xff"
    assert judge(b"\x80\x04C" + bytes([len(inner)]) + inner + b".", "m.pkl")[1] == {PICKLE}


def test_bytes_behind_a_program_without_magic_do_not_hide_it(judge: Judge) -> None:
    text = "cposix\nsystem\n(S'echo gone'\ntR.x"
    assert judge(hdf5({"TITLE": text}), "m.h5")[1] == {MALFORMED}
    assert attribute("TITLE", text).endswith(b"x")


@pytest.mark.parametrize(
    "steps",
    [b"}b}b", b"}\x94bh\x00" + short("__setstate__") + name("numpy", "mean") + b"s0"],
    ids=["state set twice", "state changed after it was set"],
)
def test_state_is_set_once(judge: Judge, steps: bytes) -> None:
    made = b"\x80\x04" + name("sklearn.pipeline", "Pipeline") + b")\x81"
    assert judge(made + b"}b.", "m.pkl")[1] == set()
    assert judge(made + steps + b".", "m.pkl")[1] == {PICKLE}


BLOCK = name("pandas.core.internals.blocks", "new_block")
PARTIAL = b"\x80\x04" + name("functools", "partial") + BLOCK + b"\x85R"
DIMENSIONS = b"}" + short("ndim") + b"K\x02s"
INTERPOLATION = b"\x80\x04" + name("scipy.interpolate._interpolate", "interp1d")


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (PARTIAL + b"(" + BLOCK + b")" + DIMENSIONS + b"Ntb](K\x01e" + b"N\x86R.", set[str]()),
        (PARTIAL + b"(" + name("numpy", "mean") + b")" + DIMENSIONS + b"Ntb.", {PICKLE}),
        (PARTIAL + b"(" + BLOCK + b"K\x01\x85" + DIMENSIONS + b"Ntb.", {PICKLE}),
        (PARTIAL + b"(" + BLOCK + b")}" + short("placement") + b"K\x02sNtb.", {PICKLE}),
        (PARTIAL.replace(BLOCK, name("numpy", "mean")) + b".", {PICKLE}),
        (b"\x80\x04" + name("scipy.interpolate._interpolate", "interp1d._call_linear_np") + b".", set[str]()),
        (b"\x80\x04" + name("scipy.interpolate._interpolate", "interp1d.__init__") + b".", {PICKLE}),
        (b"\x80\x04" + name("builtins", "getattr") + INTERPOLATION[2:] + short("_call_linear") + b"\x86R.", set[str]()),
        (b"\x80\x04" + name("builtins", "getattr") + INTERPOLATION[2:] + short("__init__") + b"\x86R.", {PICKLE}),
        (b"\x80\x04" + name("numpy.core", "_ufunc_reconstruct") + short("numpy.core._multiarray_umath") + short("log1p")
         + b"\x86R.", set[str]()),
        (b"\x80\x04" + name("numpy.core", "_ufunc_reconstruct") + short("posix") + short("system") + b"\x86R.",
         {PICKLE}),
        (b"\x80\x04" + name("_loss", "CyHalfBinomialLoss") + b".", set[str]()),
        (b"\x80\x04" + name("_loss", "system") + b".", {PICKLE}),
        (b"\x80\x04" + name("pathlib._local", "PosixPath") + short("a") + b"\x85R.", set[str]()),
        (b"\x80\x04" + name("ipaddress", "IPv4Address") + b"J" + struct.pack("<i", 5) + b"\x85R.", set[str]()),
    ],
)  # fmt: skip
def test_what_older_libraries_write_passes_and_its_imitations_do_not(
    judge: Judge, body: bytes, expected: set[str]
) -> None:
    assert judge(body, "m.pkl")[1] == expected
