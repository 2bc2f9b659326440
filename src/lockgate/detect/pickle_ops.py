"""Follows a pickle opcode by opcode, without executing it, and says what it would import, call and build.

Source of the semantics: CPython's `Modules/_pickle.c` and the opcode descriptions of `pickletools`. Whatever cannot be
followed with certainty is a problem, because the real unpickler may have executed something by then.
"""

import contextlib
import struct
from typing import Literal

import msgspec

from lockgate.detect import npy
from lockgate.detect.pickle_dtype import holds_objects
from lockgate.detect.pickle_literals import (
    MAX_DECODED,
    Handler,
    binary_bytes,
    binary_float,
    binary_unicode,
    constant,
    escaped,
    float_text,
    index_line,
    int_text,
    long,
    name_line,
    number,
    old_string,
    quoted,
)
from lockgate.detect.pickle_machine import GlobalUse, Machine
from lockgate.detect.pickle_names import STORAGES
from lockgate.detect.pickle_values import OPAQUE, Blob, Collection, Global, Instance, Tuple, Value
from lockgate.detect.source import Cursor, FormatProblem, MalformedError, Memory, Source, Window

MAX_OPERATIONS = 20_000_000
MAX_NESTED = 4
HIGHEST_PROTOCOL = 5
TORCH_MAGIC = 0x1950A86A20F9469CFC6C
TORCH_VERSION = 1001
TORCH_STREAMS = 4
JOBLIB_ARRAY = "joblib.numpy_pickle.NumpyArrayWrapper"
MAX_PADDING = 16
_TRAILING = "There are bytes behind its end, which another reader may execute."

_U1 = struct.Struct("<B")
_U2 = struct.Struct("<H")
_U4 = struct.Struct("<I")
_U8 = struct.Struct("<Q")
_I4 = struct.Struct("<i")
_STOP = ord(".")
_FIRST = frozenset({b"c", b"(", b"]", b"}", b")", b"S", b"V"})


class PickleFacts(msgspec.Struct, frozen=True):
    """What one pickle would do.

    Attributes:
        member: Path inside the archive that holds it; empty for a file of its own.
        uses: Every name that it imports, each once, sorted.
        problems: What cannot be followed, or what no ordinary file does.
        complete: Whether it could be followed to its end.
        covered: How many bytes were followed or accounted for, from the first on.
    """

    member: str
    uses: tuple[GlobalUse, ...]
    problems: tuple[FormatProblem, ...]
    complete: bool
    covered: int = 0


def looks_like_pickle(head: bytes) -> bool:
    """Whether the first bytes are those of a pickle of protocol 2 or later."""
    return len(head) > 2 and head[0] == 0x80 and 2 <= head[1] <= HIGHEST_PROTOCOL  # noqa: PLR2004 - PROTO and its operand


def read_pickle(source: Source, *, member: str = "") -> PickleFacts:
    """Follow a pickle: a single stream, PyTorch's legacy sequence of streams, or joblib's stream with inline arrays.

    Args:
        source: The whole file or member.
        member: Its path inside an archive, for the facts.

    Returns:
        Facts, whatever the bytes are.
    """
    return _facts(source, member, 0)


def hidden_program(source: Source) -> str:
    """The refused names, joined, of a pickle where only data should be; empty where there is none.

    Args:
        source: Bytes that no loader of their own format takes for a pickle, but that somebody may load as one.
    """
    if not _could_be_pickle(source):
        return ""
    return ", ".join(_refused(_facts(source, "", 1)))


def _refused(facts: PickleFacts) -> list[str]:
    """Refused names that a pickle reaches; one that breaks off may mention any name but has called what it called."""
    return [use.name for use in facts.uses if use.refused and (facts.complete or use.how != "imported")]


def _facts(source: Source, member: str, depth: int) -> PickleFacts:
    uses: dict[str, GlobalUse] = {}
    problems: list[FormatProblem] = []
    cursor = Cursor(source)
    complete = False
    try:
        _follow_file(source, cursor, uses, problems, depth)
        complete = True
        if cursor.remaining:
            problems.append(FormatProblem("trailing-bytes", _TRAILING))
    except MalformedError as error:
        problems.append(FormatProblem(error.code, error.message))
    return PickleFacts(member, tuple(sorted(uses.values())), tuple(problems), complete, cursor.position)


def _follow_file(
    source: Source, cursor: Cursor, uses: dict[str, GlobalUse], problems: list[FormatProblem], depth: int
) -> None:
    first = _follow(Machine(source, cursor, uses, problems, _judge_nested, depth=depth))
    if first == TORCH_MAGIC and cursor.remaining:
        _follow_torch(source, cursor, uses, problems, depth)


def _follow(machine: Machine) -> Value:
    cursor = machine.cursor
    for _ in range(MAX_OPERATIONS):
        code = cursor.byte()
        if code == _STOP:
            return machine.finish()
        handler = _HANDLERS.get(code)
        if handler is None:
            raise MalformedError("opcode", "It holds a byte that is no pickle instruction.")
        handler(machine)
    raise MalformedError("operations", f"It has more than {MAX_OPERATIONS:,} instructions.")


def _follow_torch(
    source: Source, cursor: Cursor, uses: dict[str, GlobalUse], problems: list[FormatProblem], depth: int
) -> None:
    """The files of `torch.save` before version 1.6: magic number, version, system, object, storage keys, bytes."""
    stored: dict[str, tuple[str, int]] = {}
    result: Value = None
    for position in range(TORCH_STREAMS):
        machine = Machine(source, cursor, uses, problems, _judge_nested, depth=depth)
        result = _follow(machine)
        if position == 0 and result != TORCH_VERSION:
            raise MalformedError("torch-version", "It begins like a PyTorch file but has an unknown version.")
        stored.update(machine.stored)
    for key in (result.texts or ()) if isinstance(result, Collection) else ():
        kind, expected = stored.get(key, ("", -1))
        if cursor.number(_U8) != expected:
            raise MalformedError("torch-storage", "A tensor storage does not have the size that its tensor claims.")
        cursor.skip(expected * STORAGES[kind])


def _judge_nested(machine: Machine, blob: Blob, is_loaded: bool) -> None:  # noqa: FBT001 - the machine's protocol
    """Follow bytes in a pickle as a pickle of their own.

    Bytes that are loaded at once share the outer file's list of names. Others only count when they are a pickle that
    would do something refused, since somebody keeps them to load them later.
    """
    inner = _bytes_of(machine.source, blob)
    if is_loaded:
        if inner is None or machine.depth >= MAX_NESTED:
            raise MalformedError("nested-file", "It loads bytes that cannot be followed.")
        cursor = Cursor(inner)
        _follow_file(inner, cursor, machine.uses, machine.problems, machine.depth + 1)
        if cursor.remaining:
            machine.problem("trailing-bytes", _TRAILING)
    elif inner is not None and machine.depth < MAX_NESTED and _could_be_pickle(inner):
        names = _refused(_facts(inner, "", machine.depth + 1))
        if names:
            machine.problem("nested-pickle", f"Bytes in it are a pickle of their own that uses {', '.join(names)}.")


def _could_be_pickle(source: Source) -> bool:
    """Whether bytes begin like a pickle; one of protocol 0 or 1 has no magic bytes, and anything may follow its end."""
    head = source.read(0, 3)
    return looks_like_pickle(head) or head[:1] in _FIRST


def _bytes_of(source: Source, blob: Blob) -> Source | None:
    if blob.body is not None:
        return Memory(blob.body)
    if blob.start < 0 or (blob.coding and blob.size > MAX_DECODED):
        return None
    if not blob.coding:
        return Window(source, blob.start, blob.size)
    try:
        return Memory(source.read(blob.start, blob.size).decode(blob.coding).encode("latin-1"))
    except UnicodeError:
        return None


def _skip_array(machine: Machine, state: Value) -> None:
    """Pass over the bytes of an array that joblib writes between two instructions."""
    fields = (state.fields or {}) if isinstance(state, Collection) else {}
    kind, shape, subclass = fields.get("dtype"), fields.get("shape"), fields.get("subclass")
    code = kind.arguments[0] if isinstance(kind, Instance) and kind.name == "numpy.dtype" else None
    size = npy.item_size(code) if isinstance(code, str) else None
    if size is None or not isinstance(shape, Tuple):
        raise MalformedError("inline-array", "It holds an inline array of a type or shape that cannot be read.")
    if not isinstance(subclass, Global) or not subclass.name.startswith("numpy."):
        raise MalformedError("inline-array", "It holds an inline array of a class that is none of NumPy's.")
    if size == 0 or holds_objects(kind):
        _read_plainly(machine)
        _follow(Machine(machine.source, machine.cursor, machine.uses, machine.problems, _judge_nested, depth=1))
        return
    if fields.get("numpy_array_alignment_bytes") is None:
        _read_plainly(machine)
    else:
        padding = machine.cursor.byte()
        # A plain unpickler stops at the padding, because none of these bytes is an instruction.
        if not 1 <= padding <= MAX_PADDING or machine.cursor.take(padding) != b"\xff" * padding:
            raise MalformedError("inline-array", "The padding before an inline array is not joblib's.")
    for extent in shape.items:
        if not isinstance(extent, int) or extent < 0:
            raise MalformedError("inline-array", "The shape of an inline array is not a tuple of sizes.")
        size *= extent
    machine.cursor.skip(size)


def _read_plainly(machine: Machine) -> None:
    """Follow the bytes of an array as an unpickler would that knows nothing of joblib.

    Before version 1.2 joblib wrote no padding, so the two unpicklers part here. Bytes of real arrays soon make no sense
    as instructions; a program hidden in them makes enough to be found. Arrays of objects are pickles of their own to
    joblib and more of the same pickle to others, which count what they remember on.
    """
    if machine.depth:
        raise MalformedError("inline-array", "An inline array without padding lies in a nested pickle.")
    uses: dict[str, GlobalUse] = {}
    plain = Machine(machine.source, Cursor(machine.source, machine.cursor.position), uses, [], _judge_nested, depth=1)
    plain.stack, plain.marks, plain.memo = machine.stack.copy(), machine.marks.copy(), machine.memo.copy()
    plain.protocol, plain.is_trial = machine.protocol, True
    with contextlib.suppress(MalformedError):
        _follow(plain)
    # An array of objects takes its `dtype` from a module that it remembers, and a plain unpickler then looks for that
    # name in whatever it remembers there instead. It finds none and ends.
    first = next((use.name for use in uses.values() if use.refused), ".dtype")
    if not first.endswith(".dtype"):
        raise MalformedError("inline-array", "The bytes of an inline array are a program to a plain unpickler.")


def _build(machine: Machine) -> None:
    state = machine.pop()
    target = machine.top()
    machine.fill(target, state)
    if isinstance(target, Instance) and target.name == JOBLIB_ARRAY:
        _skip_array(machine, state)
        machine.pop()
        machine.push(Instance("numpy.ndarray"))


def _global(machine: Machine) -> None:
    module, name = name_line(machine), name_line(machine)
    machine.push(machine.import_name(module, name))


def _stack_global(machine: Machine) -> None:
    name, module = machine.pop(), machine.pop()
    machine.push(machine.import_name(module, name))


def _inst(machine: Machine) -> None:
    module, name = name_line(machine), name_line(machine)
    found = machine.import_name(module, name)
    machine.push_tuple(machine.pop_mark())
    machine.push(machine.call(found, machine.pop()))


def _obj(machine: Machine) -> None:
    given = machine.pop_mark()
    if not given:
        raise MalformedError("stack", "It makes an object without a class.")
    machine.push_tuple(given[1:])
    machine.push(machine.call(given[0], machine.pop()))


def _reduce(machine: Machine) -> None:
    arguments, function = machine.pop(), machine.pop()
    machine.push(machine.call(function, arguments))


def _newobj(machine: Machine) -> None:
    arguments, kind = machine.pop(), machine.pop()
    machine.push(machine.instantiate(kind, arguments))


def _newobj_ex(machine: Machine) -> None:
    options, arguments, kind = machine.pop(), machine.pop(), machine.pop()
    machine.push(machine.instantiate(kind, arguments, options))


def _persistent_text(_machine: Machine) -> None:
    # Neither PyTorch nor a plain unpickler accepts such a reference, so nothing behind it is ever reached.
    raise MalformedError("persistent-id", "It refers to something outside the pickle by a text.")


def _extension(layout: struct.Struct) -> Handler:
    def handle(machine: Machine) -> None:
        machine.cursor.number(layout)
        machine.problem("extension", "It refers to a class by a registered number, which cannot be resolved here.")
        machine.push(OPAQUE)

    return handle


def _out_of_band(_machine: Machine) -> None:
    raise MalformedError("buffer", "It expects buffers from outside the file.")


def _protocol(machine: Machine) -> None:
    machine.protocol = machine.cursor.byte()
    if machine.protocol > HIGHEST_PROTOCOL:
        raise MalformedError("protocol", "It has a protocol version that does not exist.")


def _frame(machine: Machine) -> None:
    if machine.cursor.number(_U8) > machine.cursor.remaining:
        raise MalformedError("truncated", "A frame claims to be longer than the file.")


def _setitem(machine: Machine) -> None:
    value, key = machine.pop(), machine.pop()
    machine.set_items(machine.top(), [key, value])


def _setitems(machine: Machine) -> None:
    items = machine.pop_mark()
    machine.set_items(machine.top(), items)


def _dict(machine: Machine) -> None:
    items = machine.pop_mark()
    machine.push(Collection("dict"))
    machine.set_items(machine.top(), items)


def _append(machine: Machine) -> None:
    item = machine.pop()
    machine.add_items(machine.top(), [item], frozenset({"list"}))


def _add_all(kind: Literal["list", "set"]) -> Handler:
    kinds = frozenset({kind})

    def handle(machine: Machine) -> None:
        items = machine.pop_mark()
        machine.add_items(machine.top(), items, kinds)

    return handle


def _last(count: int) -> Handler:
    def handle(machine: Machine) -> None:
        items = [machine.pop() for _ in range(count)]
        machine.push_tuple(items[::-1])

    return handle


_HANDLERS: dict[int, Handler] = {
    ord("("): Machine.mark,
    ord("0"): Machine.pop_any,
    ord("1"): lambda machine: machine.pop_mark().clear(),
    ord("2"): lambda machine: machine.push(machine.top()),
    ord("F"): float_text,
    ord("G"): binary_float,
    ord("I"): int_text,
    ord("J"): number(_I4),
    ord("K"): number(_U1),
    ord("L"): int_text,
    ord("M"): number(_U2),
    ord("N"): constant(None),
    ord("P"): _persistent_text,
    ord("Q"): lambda machine: machine.push(machine.persistent(machine.pop())),
    ord("R"): _reduce,
    ord("S"): quoted,
    ord("T"): old_string(_U4),
    ord("U"): old_string(_U1),
    ord("V"): escaped,
    ord("X"): binary_unicode(_U4),
    ord("B"): binary_bytes(_U4),
    ord("C"): binary_bytes(_U1),
    ord("a"): _append,
    ord("b"): _build,
    ord("c"): _global,
    ord("d"): _dict,
    ord("}"): lambda machine: machine.push(Collection("dict")),
    ord("e"): _add_all("list"),
    ord("g"): lambda machine: machine.recall(index_line(machine)),
    ord("h"): lambda machine: machine.recall(machine.cursor.byte()),
    ord("i"): _inst,
    ord("j"): lambda machine: machine.recall(machine.cursor.number(_U4)),
    ord("l"): lambda machine: machine.push_collection("list", machine.pop_mark()),
    ord("]"): lambda machine: machine.push(Collection("list")),
    ord("o"): _obj,
    ord("p"): lambda machine: machine.remember(index_line(machine)),
    ord("q"): lambda machine: machine.remember(machine.cursor.byte()),
    ord("r"): lambda machine: machine.remember(machine.cursor.number(_U4)),
    ord("s"): _setitem,
    ord("t"): lambda machine: machine.push_tuple(machine.pop_mark()),
    ord(")"): lambda machine: machine.push_tuple([]),
    ord("u"): _setitems,
    0x80: _protocol,
    0x81: _newobj,
    0x82: _extension(_U1),
    0x83: _extension(_U2),
    0x84: _extension(_I4),
    0x85: _last(1),
    0x86: _last(2),
    0x87: _last(3),
    0x88: constant(True),  # noqa: FBT003 - NEWTRUE
    0x89: constant(False),  # noqa: FBT003 - NEWFALSE
    0x8A: long(_U1),
    0x8B: long(_U4),
    0x8C: binary_unicode(_U1),
    0x8D: binary_unicode(_U8),
    0x8E: binary_bytes(_U8),
    0x8F: lambda machine: machine.push(Collection("set")),
    0x90: _add_all("set"),
    0x91: lambda machine: machine.push_collection("frozenset", machine.pop_mark()),
    0x92: _newobj_ex,
    0x93: _stack_global,
    0x94: lambda machine: machine.remember(len(machine.memo)),
    0x95: _frame,
    0x96: binary_bytes(_U8),
    0x97: _out_of_band,
    0x98: _out_of_band,
}
