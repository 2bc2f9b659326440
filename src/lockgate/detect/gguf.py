"""Reads the header of a GGUF file (versions 2 and 3, little-endian) and checks every count, offset and type in it.

Source: the GGUF description of the ggml project and the layout rules of llama.cpp's loader. Tensor bytes are not read.
"""

import struct

import msgspec

from lockgate.detect.source import MAX_PROBLEMS, Cursor, FormatProblem, MalformedError, Source

MAGIC = b"GGUF"
MAX_KEYS = 65_536
MAX_TENSORS = 200_000
MAX_ARRAY = 16_000_000
MAX_NAME = 64
MAX_KEY = 1024
MAX_TEMPLATE = 256 << 10
MAX_TEMPLATES = 16
MAX_DIMENSIONS = 4
MIN_ALIGNMENT = 8
MAX_ALIGNMENT = 1 << 20
DEFAULT_ALIGNMENT = 32

_U32 = struct.Struct("<I")
_U64 = struct.Struct("<Q")
_UINT32 = 4
_BOOL = 7
_STRING = 8
_ARRAY = 9
_SCALARS = {0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8}
_ALIGNMENT_KEY = "general.alignment"

BLOCKS: dict[int, tuple[int, int]] = {
    0: (1, 4),
    1: (1, 2),
    2: (32, 18),
    3: (32, 20),
    6: (32, 22),
    7: (32, 24),
    8: (32, 34),
    9: (32, 36),
    10: (256, 84),
    11: (256, 110),
    12: (256, 144),
    13: (256, 176),
    14: (256, 210),
    15: (256, 292),
    16: (256, 66),
    17: (256, 74),
    18: (256, 98),
    19: (256, 50),
    20: (32, 18),
    21: (256, 110),
    22: (256, 82),
    23: (256, 136),
    24: (1, 1),
    25: (1, 2),
    26: (1, 4),
    27: (1, 8),
    28: (1, 8),
    29: (256, 56),
    30: (1, 2),
    34: (256, 54),
    35: (256, 66),
    39: (32, 17),
    40: (64, 36),
    41: (128, 18),
}
"""Tensor types by number: values in a block, bytes of a block. Types that ggml has withdrawn are missing on purpose."""


class Template(msgspec.Struct, frozen=True):
    """A chat template that the file carries.

    Attributes:
        key: The metadata key that holds it.
        text: The Jinja source.
    """

    key: str
    text: str


class GgufFacts(msgspec.Struct, frozen=True):
    """What a GGUF header says.

    Attributes:
        member: Path inside the archive that holds the file; empty for a file of its own.
        version: Version of the format, 0 if it could not be read.
        tensors: How many tensors were read.
        templates: The chat templates.
        problems: How it breaks the format.
    """

    member: str
    version: int
    tensors: int
    templates: tuple[Template, ...]
    problems: tuple[FormatProblem, ...]


class _Header:
    """Everything gathered while a header is read, so that a break in the middle keeps what came before."""

    def __init__(self) -> None:
        self.version = 0
        self.alignment = DEFAULT_ALIGNMENT
        self.tensors = 0
        self.data = 0
        self.end = 0
        self.keys: set[str] = set()
        self.names: set[str] = set()
        self.templates: list[Template] = []
        self.problems: list[FormatProblem] = []

    def template(self, key: str, text: str) -> None:
        if len(self.templates) >= MAX_TEMPLATES:
            raise MalformedError("count", f"It carries more than {MAX_TEMPLATES} chat templates.")
        self.templates.append(Template(key, text))

    def problem(self, code: str, message: str, place: str = "") -> None:
        if len(self.problems) < MAX_PROBLEMS:
            self.problems.append(FormatProblem(code, message, place))


def read_gguf(source: Source, *, member: str = "") -> GgufFacts:
    """Read the header of a GGUF file.

    Args:
        source: The whole file.
        member: Its path inside an archive, for the facts.

    Returns:
        Facts, whatever the bytes are: what breaks the format is in `problems`.
    """
    header = _Header()
    try:
        cursor = Cursor(source)
        _read(cursor, header)
        _check_end(header, cursor.position, source)
    except MalformedError as error:
        header.problem(error.code, error.message)
    return GgufFacts(member, header.version, header.tensors, tuple(header.templates), tuple(header.problems))


def _read(cursor: Cursor, header: _Header) -> None:
    if cursor.take(4) != MAGIC:
        raise MalformedError("magic", "It does not begin with GGUF's magic bytes.")
    header.version = cursor.number(_U32)
    if header.version not in {2, 3}:
        raise MalformedError("version", "Its version or byte order is none that this reader knows (2 and 3).")
    tensors, keys = cursor.number(_U64), cursor.number(_U64)
    if tensors > MAX_TENSORS or keys > MAX_KEYS:
        raise MalformedError("count", "It claims more tensors or metadata keys than any real model has.")
    for _ in range(keys):
        _read_pair(cursor, header)
    for _ in range(tensors):
        _read_tensor(cursor, header)


def _read_pair(cursor: Cursor, header: _Header) -> None:
    key = _text(cursor, MAX_KEY, "key")
    if key in header.keys:
        header.problem("duplicate-key", "A metadata key occurs twice, so two readers can disagree.", f"key/{key}")
    header.keys.add(key)
    kind = cursor.number(_U32)
    if key == _ALIGNMENT_KEY:
        header.alignment = _alignment(cursor, kind)
    elif kind == _STRING and "chat_template" in key:
        header.template(key, _text(cursor, MAX_TEMPLATE, "template"))
    else:
        _skip_value(cursor, header, kind, is_template="chat_template" in key, depth=0)


def _alignment(cursor: Cursor, kind: int) -> int:
    value = cursor.number(_U32) if kind == _UINT32 else 0
    if not MIN_ALIGNMENT <= value <= MAX_ALIGNMENT or value & (value - 1):
        raise MalformedError("alignment", "The alignment is not a power of two between 8 and 1,048,576.")
    return value


def _skip_value(cursor: Cursor, header: _Header, kind: int, *, is_template: bool, depth: int) -> None:
    if kind in _SCALARS:
        if kind != _BOOL:
            cursor.skip(_SCALARS[kind])
        elif cursor.take(1) not in {b"\x00", b"\x01"}:
            raise MalformedError("bool", "A truth value is neither 0 nor 1.")
    elif kind == _STRING:
        cursor.skip(cursor.number(_U64))
    elif kind == _ARRAY and depth < 2:  # noqa: PLR2004 - deeper nesting occurs in no real model
        _skip_array(cursor, header, is_template=is_template, depth=depth)
    else:
        raise MalformedError("type", "A metadata value has a type that the format does not know.")


def _skip_array(cursor: Cursor, header: _Header, *, is_template: bool, depth: int) -> None:
    kind, count = cursor.number(_U32), cursor.number(_U64)
    if count > MAX_ARRAY:
        raise MalformedError("count", f"An array claims more than {MAX_ARRAY:,} entries.")
    if is_template and kind == _STRING:
        for _ in range(count):
            _name_or_template(cursor, header)
    elif kind in _SCALARS:
        cursor.skip(count * _SCALARS[kind])
    elif kind == _STRING:
        for _ in range(count):
            cursor.skip(cursor.number(_U64))
    else:
        for _ in range(count):
            _skip_value(cursor, header, kind, is_template=is_template, depth=depth + 1)


def _name_or_template(cursor: Cursor, header: _Header) -> None:
    """An entry of a list of templates: the name of one that has a key of its own, or the template itself."""
    text = _text(cursor, MAX_TEMPLATE, "template")
    if "{{" in text or "{%" in text:
        header.template("chat_templates", text)


def _text(cursor: Cursor, limit: int, what: str) -> str:
    length = cursor.number(_U64)
    if length > limit:
        raise MalformedError("length", f"A {what} is longer than {limit:,} bytes.")
    try:
        return cursor.take(length).decode("utf-8")
    except UnicodeDecodeError as error:
        raise MalformedError("encoding", f"A {what} is not UTF-8.") from error


def _read_tensor(cursor: Cursor, header: _Header) -> None:
    name = _text(cursor, MAX_KEY, "tensor name")
    place = f"tensor/{name[:MAX_NAME]}"
    if len(name.encode()) > MAX_NAME:
        header.problem("name", f"A tensor's name is longer than {MAX_NAME} bytes.", place)
    if name in header.names:
        header.problem("duplicate-tensor", "Two tensors have the same name, so two readers can disagree.", place)
    header.names.add(name)
    size = _tensor_size(cursor)
    offset = cursor.number(_U64)
    if offset != header.data:
        header.problem("offset", "A tensor does not begin where the one before it ends.", place)
    header.end = header.data + size
    header.data += -(-size // header.alignment) * header.alignment
    header.tensors += 1


def _tensor_size(cursor: Cursor) -> int:
    dimensions = cursor.number(_U32)
    if not 0 < dimensions <= MAX_DIMENSIONS:
        raise MalformedError("dimensions", f"A tensor does not have one to {MAX_DIMENSIONS} dimensions.")
    counts = [cursor.number(_U64) for _ in range(dimensions)]
    block = BLOCKS.get(cursor.number(_U32))
    if block is None:
        raise MalformedError("tensor-type", "A tensor has a type that the format does not know.")
    values = 1
    for count in counts:
        values *= count
        if not 0 < values < 1 << 63:
            raise MalformedError("size", "A tensor is empty or its size does not fit 63 bits.")
    if counts[0] % block[0]:
        raise MalformedError("size", "A tensor's rows do not fill whole blocks of its type.")
    return values // block[0] * block[1]


def _check_end(header: _Header, position: int, source: Source) -> None:
    size, start = source.size, -(-position // header.alignment) * header.alignment
    if not header.tensors:
        # Writers pad a vocabulary alone, too; only zeros are padding.
        padded = size <= start and not any(source.read(position, size - position))
        start = start if padded else position
    if size > start + header.data:
        header.problem("trailing", "There are bytes behind the last tensor that belong to none.")
    elif header.tensors and size < start + header.end:
        header.problem("size", "The tensors need more bytes than the file has.")
