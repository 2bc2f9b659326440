"""The state of the symbolic pickle machine: stack, marks and memo as CPython's unpickler keeps them, and its judgement.

Nothing is imported, called or built. A value that would come from a refused call is opaque from then on.
"""

from _compat_pickle import IMPORT_MAPPING, NAME_MAPPING
from collections.abc import Callable
from typing import Literal

import msgspec

from lockgate.detect import pickle_allow
from lockgate.detect.pickle_contracts import is_kept_state, makes_blocks
from lockgate.detect.pickle_dtype import DATA_TYPE, set_type
from lockgate.detect.pickle_values import (
    MAX_DEPTH,
    MAX_WEIGHT,
    OPAQUE,
    Blob,
    Collection,
    Global,
    Instance,
    Opaque,
    Persistent,
    Tuple,
    Value,
    expanded,
    is_module,
    is_storage,
    measure,
    tuple_of,
)
from lockgate.detect.source import MAX_PROBLEMS, Cursor, FormatProblem, MalformedError, Source

MAX_NAMES = 1_000
MAX_NAME = 256
MEMO_GAP = 65_536
MAX_STACK = 500_000
MAX_FIELDS = 64
MIN_NESTED = 8
FIX_IMPORTS_BELOW = 3
_PLAIN_NAMES = frozenset({"__networkx_cache__"})
"""Names of attributes that are spelled like those of Python, and are none."""

How = Literal["imported", "built", "called"]
Nested = Callable[["Machine", Blob, bool], None]
RANK: dict[How, int] = {"imported": 0, "built": 1, "called": 2}
"""How strong a use is, from mentioning a name to calling it."""


class GlobalUse(msgspec.Struct, frozen=True, order=True):
    """A name that a pickle imports.

    Attributes:
        name: `module.name`, with Python 2 names mapped to today's.
        how: The strongest thing done with it.
        refused: Why that is refused; empty where it is what ordinary files do.
    """

    name: str
    how: How
    refused: str = ""


class Machine:
    """One run over one pickle stream.

    Args:
        source: The file.
        cursor: Where the stream begins; it is left behind the STOP.
        uses: Names found so far, shared by the streams of one file.
        problems: Problems found so far, shared likewise.
        nested: Judges bytes as a pickle of their own; told whether they are loaded at once.
        depth: How many pickles this one is nested in.
    """

    def __init__(
        self,
        source: Source,
        cursor: Cursor,
        uses: dict[str, GlobalUse],
        problems: list[FormatProblem],
        nested: Nested,
        *,
        depth: int = 0,
    ) -> None:
        self.source = source
        self.cursor = cursor
        self.nested = nested
        self.uses = uses
        self.problems = problems
        self.depth = depth
        self.stack: list[Value] = []
        self.marks: list[int] = []
        self.memo: dict[int, Value] = {}
        self.protocol = 0
        self.stored: dict[str, tuple[str, int]] = {}
        self.grew_late = False
        self.is_trial = False

    def problem(self, code: str, message: str) -> None:
        """Note a problem once."""
        found = FormatProblem(code, message)
        if found not in self.problems and len(self.problems) < MAX_PROBLEMS:
            self.problems.append(found)

    def push(self, value: Value) -> None:
        """Put `value` on the stack."""
        if len(self.stack) >= MAX_STACK:
            raise MalformedError("stack", f"It keeps more than {MAX_STACK:,} values waiting, which no writer does.")
        self.stack.append(value)

    def mark(self) -> None:
        """Set a mark on the stack."""
        if len(self.marks) >= MAX_STACK:
            raise MalformedError("mark", f"It sets more than {MAX_STACK:,} marks, which no writer does.")
        self.marks.append(len(self.stack))

    def pop(self) -> Value:
        """Take the topmost value; what lies below the last mark is out of reach, as in CPython."""
        if len(self.stack) <= self._fence():
            raise _underflow()
        return self.stack.pop()

    def top(self) -> Value:
        """The topmost value."""
        if len(self.stack) <= self._fence():
            raise _underflow()
        return self.stack[-1]

    def pop_mark(self) -> list[Value]:
        """Take everything above the last mark, and the mark."""
        if not self.marks:
            raise MalformedError("mark", "It looks for a mark that was never set.")
        start = self.marks.pop()
        taken = self.stack[start:]
        del self.stack[start:]
        return taken

    def pop_any(self) -> None:
        """Take the topmost value, or the mark if that is on top."""
        if self.marks and self.marks[-1] == len(self.stack):
            self.marks.pop()
        else:
            self.pop()

    def remember(self, index: int) -> None:
        """Keep the topmost value in the memo."""
        if index > len(self.memo) + MEMO_GAP:
            raise MalformedError("memo", "It numbers a remembered value far beyond the ones it has.")
        self.memo[index] = self.top()

    def recall(self, index: int) -> None:
        """Put a remembered value on the stack."""
        if index not in self.memo:
            raise MalformedError("memo", "It asks for a remembered value that does not exist.")
        self.push(self.memo[index])

    def push_tuple(self, items: list[Value]) -> None:
        """Put a tuple on the stack."""
        made = tuple_of(items)
        self._bound(made.weight, made.depth)
        self.push(made)

    def push_collection(self, kind: str, items: list[Value]) -> None:
        """Put a list, set or frozenset on the stack."""
        made = Collection(kind)
        self.grow(made, items)
        self.push(made)

    def grow(self, target: Collection | Instance, items: list[Value]) -> None:
        """Count `items` into a container."""
        weight, depth, holders = measure(items)
        self.grew_late = self.grew_late or target.held
        target.weight += weight
        target.depth = max(target.depth, 1 + depth)
        if holders:
            if target.children is None:
                target.children = []
            target.children += holders
        self._bound(target.weight, target.depth)

    def finish(self) -> Value:
        """Take the result; nothing else may be left."""
        result = self.pop()
        if self.stack or self.marks:
            self.problem("unclean-stack", "It leaves values behind that its writer would not have left.")
        if self.grew_late:
            self._bound(expanded(result), 0)
        return result

    def import_name(self, module: Value, name: Value) -> Global:
        """Resolve a name as the unpickler would and judge it."""
        if not isinstance(module, str | Blob | Opaque) or not isinstance(name, str | Blob | Opaque):
            raise MalformedError("unresolved-name", "It imports something whose name is no text.")
        if isinstance(module, str) and isinstance(name, str) and f"{module}.{name}" in pickle_allow.METHODS:
            return Global(f"{module}.{name}")
        if not isinstance(module, str) or not isinstance(name, str) or not _is_plain(module, name):
            self.problem("unresolved-name", "It imports a name that is not a plain identifier written in the file.")
            found = Global(_odd_name(module, name))
            self._use(found, "imported", "is no plain name")
            return found
        if self.protocol < FIX_IMPORTS_BELOW:
            module, name = NAME_MAPPING.get((module, name), (IMPORT_MAPPING.get(module, module), name))
        found = Global(f"{module}.{name}")
        allowed = pickle_allow.may_reference(found.name)
        self._use(found, "imported", "" if allowed else "is not on the list of names that model files use")
        return found

    def call(self, function: Value, arguments: Value, options: Value = None) -> Value:
        """Judge a call and give what it would return."""
        if not isinstance(function, Global):
            kept = function if isinstance(function, Instance) and function.name == pickle_allow.PARTIAL else None
            if kept is None or not makes_blocks(kept):
                self.problem("computed-call", "It calls an object that it computed itself.")
            return OPAQUE
        rule = pickle_allow.CALLABLES.get(function.name)
        given = _positional(arguments, options)
        if rule is None or given is None or not rule.accepts(given):
            what = "is called, which no model file needs" if rule is None else "is called with unusual arguments"
            self._use(function, "called", what)
            return Instance(function.name, refused=True)
        self._use(function, "called", "")
        if function.name == "copyreg._reconstructor" and isinstance(given[0], Global):
            return Instance(given[0].name)
        if function.name == "builtins.getattr" and isinstance(given[0], Global):
            return Global(f"{given[0].name}.{given[1]}")
        if function.name in pickle_allow.BYTES:
            return self._bytes_of(given)
        if function.name in pickle_allow.LOADERS and isinstance(given[0], Blob):
            self.nested(self, given[0], True)  # noqa: FBT003 - loaded at once
        return Instance(rule.makes, given) if rule.makes else OPAQUE

    def instantiate(self, kind: Value, arguments: Value, options: Value = None) -> Value:
        """Judge the making of an object without its initialiser and give it."""
        if not isinstance(kind, Global):
            self.problem("computed-call", "It makes an object of a class that it computed itself.")
            return OPAQUE
        given = _positional(arguments, options)
        if given is None or not pickle_allow.instantiable(kind.name, given):
            self._use(kind, "built", "is made into an object, which no model file needs")
            return Instance(kind.name, refused=True)
        self._use(kind, "built", "")
        return Instance(kind.name, given)

    def fill(self, target: Value, state: Value) -> None:
        """Judge the setting of an object's state."""
        if isinstance(target, Global):
            self._use(target, "built", "has its attributes overwritten")
        elif not isinstance(target, Instance) or not (target.refused or pickle_allow.may_fill(target.name)):
            self.problem("state", "It sets the state of an object that takes none in an ordinary file.")
        else:
            self.grow(target, [state])
            if target.filled:
                self.problem("state", "It sets the state of an object twice, which no writer does.")
            if target.name == DATA_TYPE and not set_type(target, state):
                self.problem("state", "It gives an element type a state that contradicts itself.")
            if target.name == pickle_allow.PARTIAL and not is_kept_state(target, state):
                self.problem("state", "It changes what a kept call calls.")
            target.filled = not self.is_trial
        parts = state.items if isinstance(state, Tuple) else (state,)
        for part in parts:
            if isinstance(part, Collection):
                part.spent = part.spent or not self.is_trial
                if part.hooks:
                    self.problem("hook", "It sets an attribute that changes how Python treats the object.")
        hidden = isinstance(state, Opaque | Global | Persistent) or (isinstance(state, Instance) and not state.refused)
        if hidden or (isinstance(state, Collection) and state.odd):
            self.problem("state", "It sets attributes whose names cannot be read from the file.")

    def set_items(self, target: Value, items: list[Value]) -> None:
        """Judge the setting of keys and values."""
        if len(items) % 2:
            raise MalformedError("stack", "It sets a key without a value.")
        if isinstance(target, Collection) and target.kind == "dict":
            self.grow(target, items)
            _note_fields(target, items)
            if target.spent:
                self.problem("state", "It changes the state of an object after it was set, which no writer does.")
        elif isinstance(target, Instance) and (target.refused or pickle_allow.takes_items(target.name)):
            self.grow(target, items)
        else:
            self.problem("items", "It sets items of an object that takes none in an ordinary file.")

    def add_items(self, target: Value, items: list[Value], kinds: frozenset[str]) -> None:
        """Judge the adding of items to a list or set."""
        if isinstance(target, Collection) and target.kind in kinds:
            self.grow(target, items)
            texts = [item for item in items if isinstance(item, str)]
            target.texts = [*target.texts, *texts] if target.texts else texts
        elif isinstance(target, Instance) and (target.refused or target.name == "collections.deque"):
            self.grow(target, items)
        else:
            self.problem("items", "It adds items to an object that takes none in an ordinary file.")

    def persistent(self, key: Value) -> Value:
        """Judge a reference to something kept outside the pickle: PyTorch's tensor storages and layer classes."""
        module = is_module(key)
        if module is not None:
            return module
        storage = is_storage(key)
        if storage is None or storage.kind not in pickle_allow.STORAGES:
            self.problem("persistent-id", "It refers to something outside the pickle that is no tensor storage.")
            return OPAQUE
        self.stored[storage.key] = (storage.kind, storage.count)
        return storage

    def _bytes_of(self, given: tuple[Value, ...]) -> Value:
        text = given[0] if given else ""
        if isinstance(text, str):
            made = Blob(len(text), body=text.encode("latin-1", "replace"))
        else:
            made = Blob(text.size, text.start, text.coding) if isinstance(text, Blob) else Blob(0)
        if made.size >= MIN_NESTED:
            self.nested(self, made, False)  # noqa: FBT003 - not loaded, only kept
        return made

    def _fence(self) -> int:
        return self.marks[-1] if self.marks else 0

    def _bound(self, weight: int, depth: int) -> None:
        if weight > MAX_WEIGHT:
            raise MalformedError("expansion", "Written out, its shared values would fill any memory.")
        if depth > MAX_DEPTH:
            raise MalformedError("depth", f"Its values nest more than {MAX_DEPTH} levels deep.")

    def _use(self, found: Global, how: How, refused: str) -> None:
        if not found.name:
            return
        known = self.uses.get(found.name)
        if known is None and len(self.uses) >= MAX_NAMES:
            raise MalformedError("names", f"It imports more than {MAX_NAMES:,} names.")
        if known is None or (bool(refused), RANK[how]) > (bool(known.refused), RANK[known.how]):
            self.uses[found.name] = GlobalUse(found.name, how, refused)


def _note_fields(target: Collection, items: list[Value]) -> None:
    if target.fields is None:
        target.fields = {}
    for key, value in zip(items[::2], items[1::2], strict=True):
        if isinstance(key, str):
            target.hooks = target.hooks or _is_hook(key)
            if len(target.fields) < MAX_FIELDS:
                target.fields[key] = value
        else:
            target.odd = target.odd or not isinstance(key, int)


def _is_hook(name: str) -> bool:
    """Whether Python or its unpickler may look for `name` by itself; all such names begin and end alike."""
    return name.startswith("__") and name.endswith("__") and name not in _PLAIN_NAMES


def _is_plain(module: str, name: str) -> bool:
    if len(module) + len(name) > MAX_NAME or not (module + name).isascii():
        return False
    return name.isidentifier() and all(part.isidentifier() for part in module.split("."))


def _odd_name(module: Value, name: Value) -> str:
    """How a name is shown that is no plain one: nothing of what makes no sense, so that random bytes are no names."""
    if not isinstance(module, str) or not isinstance(name, str):
        return "(a computed name)"
    whole = f"{module}.{name}"
    is_dotted = len(whole) <= MAX_NAME and whole.isascii() and all(part.isidentifier() for part in whole.split("."))
    # The colon keeps it apart from every name that a list holds.
    return f"{module}:{name}" if is_dotted else ""


def _positional(arguments: Value, options: Value) -> tuple[Value, ...] | None:
    """The positional arguments, or None where there are keyword arguments or no tuple to read them from."""
    if not isinstance(arguments, Tuple) or not (
        options is None or (isinstance(options, Collection) and options.kind == "dict" and options.weight == 1)
    ):
        return None
    return arguments.items


def _underflow() -> MalformedError:
    return MalformedError("stack", "It takes more values from the stack than there are.")
