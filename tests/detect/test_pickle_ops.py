"""The symbolic pickle machine: ordinary files pass, every trick fails, nothing is ever loaded."""

import collections
import contextlib
import datetime as dt
import io
import pickle
import pickletools
import struct
from _compat_pickle import IMPORT_MAPPING, NAME_MAPPING
from typing import Any, Self

import joblib
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.ensemble import RandomForestClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from lockgate.detect.pickle_ops import PickleFacts, read_pickle
from lockgate.detect.source import Memory

GLOBAL_SYSTEM = b"cposix\nsystem\n"
CALL = b"(S'echo gone'\ntR."


def read(body: bytes) -> PickleFacts:
    return read_pickle(Memory(body))


def refused(body: bytes) -> set[str]:
    facts = read(body)
    return {use.name for use in facts.uses if use.refused} | {problem.code for problem in facts.problems}


def _fitted() -> dict[str, Any]:
    rng = np.random.default_rng(0)
    rows, labels = rng.random((40, 3)), [0, 1] * 20
    return {
        "forest": RandomForestClassifier(3).fit(rows, labels),
        "neighbours": KNeighborsClassifier(algorithm="kd_tree").fit(rows, labels),
        "pipeline": make_pipeline(StandardScaler(), LogisticRegression()).fit(rows, labels),
        "text": TfidfVectorizer().fit(["one two", "two three"]),
    }


ORDINARY: dict[str, Any] = {
    "plain": {"a": [1, 2.5, None, True, "x", b"yy", (1, 2, 3, 4), {1}, frozenset([3]), 2**100, -5, bytearray(b"z")]},
    "array": np.arange(10.0),
    "objects": np.array([1, "a", None], dtype=object),
    "scalar": np.float32(3),
    "record": np.zeros(3, dtype=[("a", "i4"), ("b", "f8")]),
    "ordered": collections.OrderedDict(a=np.ones(2)),
    "default": collections.defaultdict(list, {1: [2]}),
    "deque": collections.deque([1, 2], 3),
    "counter": collections.Counter("abca"),
    "time": dt.datetime(2026, 1, 1, tzinfo=dt.UTC),
    "random": np.random.RandomState(1),
    "generator": np.random.default_rng(1),
    **_fitted(),
}


@pytest.mark.parametrize("protocol", range(6))
def test_ordinary_objects_pass_in_every_protocol(protocol: int) -> None:
    for name, value in ORDINARY.items():
        assert refused(pickle.dumps(value, protocol=protocol)) == set(), name


def test_joblib_files_with_inline_arrays_pass_and_end_where_they_end() -> None:
    stream = io.BytesIO()
    joblib.dump({"a": np.arange(1000.0), "o": np.array([{}, "x"], dtype=object), **_fitted()}, stream)
    facts = read(stream.getvalue())
    assert facts.complete
    assert refused(stream.getvalue()) == set()
    assert "trailing-bytes" in refused(stream.getvalue() + b".")


def test_bytes_of_an_inline_array_cannot_hide_a_program_from_a_plain_unpickler() -> None:
    stream = io.BytesIO()
    joblib.dump(np.frombuffer(GLOBAL_SYSTEM + CALL + b" " * 5, dtype=np.uint8), stream)
    body = stream.getvalue()
    at = body.index(b"\xff" + GLOBAL_SYSTEM)
    padding = len(body[:at]) - len(body[:at].rstrip(b"\xff")) + 1
    assert refused(body) == set()
    moved = body[: at - padding] + bytes([ord("N")]) + body[at - padding + 1 :]
    assert "inline-array" in refused(moved)


def _old_joblib(raw: bytes) -> bytes:
    """As joblib before version 1.2 wrote it: the array's bytes follow the wrapper without padding."""

    def text(value: str) -> bytes:
        return b"X" + struct.pack("<I", len(value)) + value.encode()

    fields = text("subclass") + b"cnumpy\nndarray\n" + text("shape") + b"K" + bytes([len(raw)]) + b"\x85"
    fields += text("order") + text("C") + text("allow_mmap") + b"\x88"
    fields += text("dtype") + b"cnumpy\ndtype\n" + text("u1") + b"K\x00K\x01\x87R"
    return b"\x80\x02cjoblib.numpy_pickle\nNumpyArrayWrapper\n)\x81}(" + fields + b"ub" + raw + b"."


def test_arrays_of_old_joblib_pass_unless_their_bytes_are_a_program_too() -> None:
    assert refused(_old_joblib(bytes(16))) == set()
    assert refused(_old_joblib(np.arange(8.0).tobytes())) == set()
    assert refused(_old_joblib(GLOBAL_SYSTEM + CALL)) == {"inline-array"}


def _legacy_torch(main: bytes, *, size: int = 4, keys: bytes = b"X\x01\x00\x00\x000") -> bytes:
    magic = pickle.dumps(0x1950A86A20F9469CFC6C, 2) + pickle.dumps(1001, 2)
    system = pickle.dumps({"protocol_version": 1001, "little_endian": True}, 2)
    return magic + system + main + b"\x80\x02](" + keys + b"e." + struct.pack("<q", size) + bytes(size * 4)


STATE = (
    b"\x80\x02X\x01\x00\x00\x00wctorch._utils\n_rebuild_tensor_v2\n((X\x07\x00\x00\x00storagectorch\nFloatStorage\n"
    b"X\x01\x00\x00\x000X\x03\x00\x00\x00cpuK\x04NtQK\x00K\x04\x85K\x01\x85\x89ccollections\nOrderedDict\n)RtR\x86."
)


def test_the_legacy_layout_of_torch_is_followed_to_its_last_storage() -> None:
    assert refused(_legacy_torch(STATE)) == set()
    assert refused(_legacy_torch(STATE) + b"x") == {"trailing-bytes"}
    assert refused(_legacy_torch(STATE, size=5)) == {"torch-storage"}
    assert refused(_legacy_torch(STATE)[:-1]) == {"truncated"}
    assert refused(_legacy_torch(STATE, keys=b"X\x01\x00\x00\x001")) == {"torch-storage"}
    assert "posix.system" in refused(_legacy_torch(GLOBAL_SYSTEM + CALL))


class _Reduce:
    def __init__(self, function: Any, *arguments: Any) -> None:
        self.made = (function, arguments)

    def __reduce__(self) -> tuple[Any, Any]:
        return self.made


PROGRAMS: dict[str, tuple[bytes, str]] = {
    "global": (GLOBAL_SYSTEM + CALL, "posix.system"),
    "inst": (b"(S'echo gone'\niposix\nsystem\n.", "posix.system"),
    "obj": (b"(" + GLOBAL_SYSTEM + b"S'echo gone'\no.", "posix.system"),
    "newobj": (b"\x80\x02" + GLOBAL_SYSTEM + b"S'x'\n\x85\x81.", "posix.system"),
    "newobj_ex": (b"\x80\x04" + GLOBAL_SYSTEM + b")}\x92.", "posix.system"),
    "only imported": (b"\x80\x04\x8c\x08builtins\x8c\x04eval\x93.", "builtins.eval"),
    "through the memo": (b"\x80\x04\x8c\x08builtins\x94\x8c\x04eval\x94h\x00h\x01\x93\x8c\x011\x85R.", "builtins.eval"),
    "through put and dup": (b"S'builtins'\np5\n0g5\n2p6\n0g6\nS'eval'\n\x93.", "builtins.eval"),
    "python 2 name": (b"c__builtin__\neval\n(S'1'\ntR.", "builtins.eval"),
    "python 2 module": (b"ccommands\ngetoutput\n(S'id'\ntR.", "subprocess.getoutput"),
    "as a default factory": (b"ccollections\ndefaultdict\n(" + GLOBAL_SYSTEM + b"tR.", "posix.system"),
    "as an attribute": (b"csklearn.pipeline\nPipeline\n)\x81}S'predict'\n" + GLOBAL_SYSTEM + b"sb.", "posix.system"),
    "half way": (GLOBAL_SYSTEM + CALL[:-1] + b"\xff", "posix.system"),
    "after a value": (b"N0" + GLOBAL_SYSTEM + CALL, "posix.system"),
    "storage loader": (b"ctorch.storage\n_load_from_bytes\n(C\x01xtR.", "opcode"),
    "name resolver": (pickle.dumps(_Reduce(pickle.loads, b"N.")), "_pickle.loads"),
    "attribute getter": (pickle.dumps(_Reduce(getattr, "", "join")), "builtins.getattr"),
    "scikit-learn's own imports": (b"csklearn.utils._testing\nTempMemmap\n)\x81.", "sklearn.utils._testing.TempMemmap"),
    "function in an estimator's module": (b"csklearn.pipeline\nclone\n(NtR.", "sklearn.pipeline.clone"),
    "estimator called": (b"csklearn.pipeline\nPipeline\n(NtR.", "sklearn.pipeline.Pipeline"),
    "build on a class": (b"csklearn.pipeline\nPipeline\n}S'fit'\nNsb.", "sklearn.pipeline.Pipeline"),
    "build on a function": (b"c_codecs\nencode\n}S'__code__'\nNsb.", "_codecs.encode"),
    "hook": (b"csklearn.pipeline\nPipeline\n)\x81}S'__setstate__'\nc_codecs\nencode\nsb.", "hook"),
    "hook in slots": (b"csklearn.pipeline\nPipeline\n)\x81N}S'__class__'\nNs\x86b.", "hook"),
    "result called": (b"ccollections\nOrderedDict\n)R)R.", "computed-call"),
    "extension": (b"\x80\x02\x82\x01)R.", "extension"),
    "dotted name": (b"\x80\x04\x8c\x07sklearn\x8c\x09os.system\x93.", "unresolved-name"),
    "computed name": (b"\x80\x04c_codecs\nencode\nS'posix'\nS'latin1'\n\x86RS'system'\n\x93.", "unresolved-name"),
    "escaped name": (b"S'posix'\nS'sy\\x73tem'\n\x93.", "unresolved-name"),
    "unicode name": (b"cpos\xc4\xb1x\nsystem\n.", "unresolved-name"),
    "persistent id": (b"S'evil'\nQ.", "persistent-id"),
    "persistent text": (b"Pevil\n.", "persistent-id"),
    "out of band": (b"\x80\x05\x97.", "buffer"),
    "memory": (b"cbuiltins\nbytearray\n(I999999999\ntR.", "builtins.bytearray"),
    "array memory": (
        b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(I99999999\ntC\x01btR.",
        "numpy.core.multiarray._reconstruct",
    ),
    "codec that is no literal": (b"c_codecs\nencode\n(S'x'\nC\x01xtR.", "_codecs.encode"),
    "codec": (b"c_codecs\nencode\n(S'x'\nS'zip'\ntR.", "_codecs.encode"),
    "trailing": (b"N." + GLOBAL_SYSTEM, "trailing-bytes"),
    "left behind": (b"NN.", "unclean-stack"),
    "mark left behind": (b"(N.", "unclean-stack"),
    "below the mark": (b"N(0" + b"0.", "stack"),
    "above the mark": (b"N(\x85.", "stack"),
    "unknown memo": (b"h\x07.", "memo"),
    "memo far away": (b"Nr\xff\xff\xff\x7f.", "memo"),
    "memo in words": (b"Np1_0\n.", "memo"),
    "unknown instruction": (b"\x80\x04\xfe.", "opcode"),
    "no end": (b"\x80\x04N", "truncated"),
    "empty": (b"", "truncated"),
    "future protocol": (b"\x80\x09N.", "protocol"),
    "lying frame": (b"\x80\x04\x95\xff\x00\x00\x00\x00\x00\x00\x00N.", "truncated"),
    "lying length": (b"X\xff\xff\xff\xffx.", "truncated"),
    "items of an estimator": (b"csklearn.pipeline\nPipeline\n)\x81NNs.", "items"),
    "append to a tensor": (b")Na.", "items"),
    "state of a list": (b"]}b.", "state"),
    "key without a value": (b"}(Nu.", "stack"),
    "unquoted text": (b"Sx\n.", "text"),
}  # fmt: skip


@pytest.mark.parametrize("name", PROGRAMS)
def test_every_trick_is_named(name: str) -> None:
    body, expected = PROGRAMS[name]
    assert expected in refused(body)


def test_a_pickle_inside_bytes_is_judged_whether_or_not_something_loads_it() -> None:
    inner = pickle.dumps(_Reduce(pickle.loads, b"N."))
    for protocol in range(6):
        assert refused(pickle.dumps({"blob": inner}, protocol)) == {"nested-pickle"}
        assert refused(pickle.dumps({"blob": pickle.dumps([1, "x"], 4)}, protocol)) == set()
    assert "_pickle.loads" in refused(pickle.dumps(_Reduce(pickle.loads, inner)))


def test_shared_tuples_that_expand_without_bound_are_refused() -> None:
    bomb = b"\x80\x04N" + b"".join(b"\x94h" + bytes([step]) + b"\x86" for step in range(60)) + b"."
    assert "expansion" in refused(bomb)


def test_deep_nesting_is_refused_without_a_deep_stack_of_our_own() -> None:
    assert "depth" in refused(b"N" + b"\x85" * 100_000 + b".")
    assert "stack" in refused(b"N" * 600_000 + b".")
    assert "mark" in refused(b"(" * 600_000 + b".")


def test_tensor_bytes_are_passed_over_and_never_read() -> None:
    class Counting(Memory):
        taken = 0

        def read(self, offset: int, length: int) -> bytes:
            found = super().read(offset, length)
            Counting.taken += len(found)
            return found

    assert read_pickle(Counting(pickle.dumps(np.zeros(4_000_000), protocol=4))).complete
    assert Counting.taken < 1_000_000


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=400))
def test_any_bytes_give_facts(body: bytes) -> None:
    facts = read(body)
    assert facts.complete or facts.problems


class _Stand:
    """Stands for every imported object, so that the real unpickler can run without importing anything."""

    def __new__(cls, *_: object, **__: object) -> Self:
        return object.__new__(cls)

    def __setstate__(self, state: object) -> None:
        pass

    def append(self, item: object) -> None:
        pass

    def __setitem__(self, key: object, value: object) -> None:
        pass


class _Recorder(pickle.Unpickler):
    def __init__(self, body: bytes) -> None:
        super().__init__(io.BytesIO(body))
        self.found: list[set[str]] = []

    def find_class(self, module: str, name: str) -> Any:
        mapped = NAME_MAPPING.get((module, name), (IMPORT_MAPPING.get(module, module), name))
        self.found.append({f"{module}.{name}", ".".join(mapped)})
        return _Stand

    def persistent_load(self, _key: object) -> Any:
        return _Stand()


SEEDS = [
    pickle.dumps(value, protocol=protocol)
    for value in (ORDINARY["plain"], ORDINARY["ordered"], np.ones(3), _fitted()["text"])
    for protocol in (0, 2, 4)
]


@settings(max_examples=300, deadline=None)
@given(st.sampled_from([*SEEDS, *(body for body, _ in PROGRAMS.values())]), st.data())
def test_mutated_pickles_give_facts(seed: bytes, data: st.DataObject) -> None:
    body = bytearray(seed)
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(body)))
        body[at : at + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
    facts = read(bytes(body))
    assert facts.complete or facts.problems
    if not refused(bytes(body)):
        # What passes here makes CPython import nothing unseen, though it may still stop with an error of its own.
        recorder = _Recorder(bytes(body))
        with contextlib.suppress(Exception):
            recorder.load()
        seen = {use.name for use in facts.uses}
        assert all(names & seen for names in recorder.found)


def test_the_comparison_sees_what_the_unpickler_imports() -> None:
    for seed in SEEDS:
        recorder = _Recorder(seed)
        recorder.load()
        assert len(recorder.found) >= len(read(seed).uses)
        assert all(names & {use.name for use in read(seed).uses} for names in recorder.found)


Plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.binary(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text("abc", max_size=5), inner, max_size=4)
        | st.tuples(inner, inner)
    ),
    max_leaves=12,
)


@settings(max_examples=150, deadline=None)
@given(Plain, st.integers(0, 5))
def test_plain_data_always_passes(value: object, protocol: int) -> None:
    body = pickle.dumps(value, protocol=protocol)
    assert refused(body) == set()
    assert refused(pickletools.optimize(body)) == set()
