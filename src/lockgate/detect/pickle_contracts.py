"""What a pickle may pass to the names that it may call: each contract admits what ordinary files pass and no more."""

from collections.abc import Callable

from lockgate.detect.pickle_names import CLASSES, CONTRACTS, REFERENCES
from lockgate.detect.pickle_values import Blob, Collection, Global, Instance, Opaque, Persistent, Tuple, Value

Arguments = tuple[Value, ...]
Contract = Callable[[Arguments], bool]

_ARRAYS = frozenset(
    f"numpy.{name}"
    for name in (
        *("ndarray", "matrix", "recarray", "rec.recarray", "ma.MaskedArray", "ma.core.MaskedArray"),
        *("chararray", "char.chararray", "core.defchararray.chararray", "matrixlib.defmatrix.matrix"),
    )
)
_FACTORIES = frozenset(
    {f"builtins.{name}" for name in ("list", "dict", "set", "int", "float", "str", "tuple")}
    | {f"collections.{name}" for name in ("OrderedDict", "Counter")}
)
_ZONES = frozenset({"zoneinfo.ZoneInfo"})
_RECORDS = frozenset({"numpy.record"})
_BLOCK_MAKERS = frozenset({"pandas.core.internals.blocks.new_block"})
_KEPT_CHECKS = frozenset({"sklearn.utils.validation.check_array"})
_CHECK_OPTIONS = frozenset({"dtype", "ensure_all_finite", "force_all_finite"})
_LAZY_METHODS = frozenset({"_lazy_load_hook", "_infer_parameters"})
_TENSOR_TYPES = frozenset({"torch.Tensor", "torch.nn.parameter.Parameter", "torch.nn.parameter.Buffer"})
_MAX_ITEMS = 1_000_000


def _is(value: Value, names: frozenset[str]) -> bool:
    return isinstance(value, Global) and value.name in names


def _plain(arguments: Arguments) -> bool:
    """No names among the arguments, at any depth of tuples."""
    return not any(
        isinstance(item, Global) or (isinstance(item, Tuple) and not _plain(item.items)) for item in arguments
    )


def _scalars(arguments: Arguments) -> bool:
    return all(item is None or isinstance(item, str | int | float | Blob | Opaque) for item in arguments)


def _values(arguments: Arguments) -> bool:
    """Plain values and names that are never called, also in tuples."""
    return all(
        _is(item, REFERENCES) or (isinstance(item, Tuple) and _values(item.items)) or _plain((item,))
        for item in arguments
    )


def _nothing(arguments: Arguments) -> bool:
    return not arguments


def _container(arguments: Arguments) -> bool:
    # Never a number or a lazy range: `bytearray(10**12)` is an attack on memory.
    return not arguments or (len(arguments) == 1 and isinstance(arguments[0], Tuple | Collection))


def _deque(arguments: Arguments) -> bool:
    return _container(arguments[:1]) and _scalars(arguments[1:])


def _encoded_text(arguments: Arguments) -> bool:
    return not arguments or (isinstance(arguments[0], str | Blob) and arguments[1:] in {(), ("latin-1",), ("latin1",)})


def _latin1(arguments: Arguments) -> bool:
    return len(arguments) == 2 and isinstance(arguments[0], str | Blob) and arguments[1] in {"latin1", "latin-1"}  # noqa: PLR2004 - text and codec


def _default_dict(arguments: Arguments) -> bool:
    return len(arguments) <= 1 and all(item is None or _is(item, _FACTORIES) for item in arguments)


def _reconstructor(arguments: Arguments) -> bool:
    if len(arguments) != 3:  # noqa: PLR2004 - class, base, state
        return False
    made, base, state = arguments
    if not isinstance(made, Global) or not isinstance(base, Global) or made.name not in CLASSES:
        return False
    return (base.name == "builtins.object" and state is None) or (
        base.name in {"builtins.dict", "builtins.list", "builtins.tuple"} and isinstance(state, Tuple | Collection)
    )


def _bound_method(arguments: Arguments) -> bool:
    """PyTorch's lazy layers keep two methods of their own, SciPy's interpolation one, a time zone its constructor."""
    if len(arguments) != 2:  # noqa: PLR2004 - object and name
        return False
    if isinstance(arguments[0], Global):
        is_zone = _is(arguments[0], _ZONES) and arguments[1] == "_unpickle"
        return is_zone or (_is(arguments[0], CLASSES) and f"{arguments[0].name}.{arguments[1]}" in REFERENCES)
    if not isinstance(arguments[0], Instance):
        return False
    return arguments[1] in _LAZY_METHODS and arguments[0].name.startswith("torch.nn.modules.")


def _empty_array(arguments: Arguments) -> bool:
    # The state that follows gives the real shape together with its bytes; a shape here would only reserve memory.
    if len(arguments) != 3 or not isinstance(arguments[1], Tuple):  # noqa: PLR2004 - class, shape, type code
        return False
    return _is(arguments[0], _ARRAYS) and arguments[1].items == (0,) and isinstance(arguments[2], Blob | str)


def _masked_array(arguments: Arguments) -> bool:
    if len(arguments) != 4 or not isinstance(arguments[2], Tuple):  # noqa: PLR2004 - two classes, shape, type code
        return False
    classes = _is(arguments[0], _ARRAYS) and _is(arguments[1], _ARRAYS)
    return classes and arguments[2].items == (0,) and isinstance(arguments[3], Blob | str)


def _data_type(arguments: Arguments) -> bool:
    named = bool(arguments) and (isinstance(arguments[0], str) or _is(arguments[0], _RECORDS))
    return named and _scalars(arguments[1:])


def _is_data_type(value: Value) -> bool:
    return isinstance(value, Instance) and value.name == "numpy.dtype"


def _array_scalar(arguments: Arguments) -> bool:
    return len(arguments) == 2 and _is_data_type(arguments[0]) and isinstance(arguments[1], Blob | Instance | str)  # noqa: PLR2004 - type and bytes


def _ufunc_name(arguments: Arguments) -> bool:
    """NumPy before 1.20 names a universal function by module and name, and imports it by them."""
    return all(isinstance(item, str) for item in arguments) and ".".join(map(str, arguments)) in REFERENCES


def _array_buffer(arguments: Arguments) -> bool:
    if len(arguments) not in {4, 5}:
        return False
    buffer, kind, shape, order, *axes = arguments
    good = isinstance(shape, Tuple) and isinstance(order, str) and all(isinstance(item, Tuple) for item in axes)
    return isinstance(buffer, Blob) and _is_data_type(kind) and good


def _bit_generator(arguments: Arguments) -> bool:
    return len(arguments) <= 2 and all(  # noqa: PLR2004 - generator and constructor
        isinstance(item, str | Instance) or (isinstance(item, Global) and item.name.startswith("numpy.random."))
        for item in arguments
    )


def _is_storage(value: Value) -> bool:
    return isinstance(value, Persistent) or (isinstance(value, Instance) and value.name.startswith("torch.storage."))


def _on_storage(arguments: Arguments) -> bool:
    return bool(arguments) and _is_storage(arguments[0]) and _values(arguments[1:])


def _on_tensor(arguments: Arguments) -> bool:
    return bool(arguments) and isinstance(arguments[0], Instance) and _plain(arguments[1:])


def _typed(arguments: Arguments) -> bool:
    """Sizes and flags with an element type; the sizes are bounded because some of these functions reserve memory."""
    items = [part for item in arguments for part in (item.items if isinstance(item, Tuple) else (item,))]
    return _values(arguments) and all(not isinstance(item, int) or abs(item) <= _MAX_ITEMS for item in items)


def _typed_tensor(arguments: Arguments) -> bool:
    """`_rebuild_from_type_v2(function, class, arguments, state)`: the inner call is held to its own contract."""
    if len(arguments) != 4 or not isinstance(arguments[2], Tuple) or not isinstance(arguments[0], Global):  # noqa: PLR2004 - see above
        return False
    rule = CONTRACTS.get(arguments[0].name, ("", ""))
    if rule[0] not in {"on_storage", "on_tensor", "typed"} or not _is(arguments[1], _TENSOR_TYPES):
        return False
    state = arguments[3]
    parts = state.items if isinstance(state, Tuple) else (state,)
    hooked = any(isinstance(part, Collection) and part.hooks for part in parts)
    return BY_NAME[rule[0]](arguments[2].items) and _plain((state,)) and not hooked


def _compiled(arguments: Arguments) -> bool:
    """Cython's unpickling functions get their own class, a checksum and a state."""
    return len(arguments) == 3 and _is(arguments[0], CLASSES) and _plain(arguments[1:])  # noqa: PLR2004 - see above


def _kept_call(arguments: Arguments) -> bool:
    """Calls that files keep: pandas 1.3 and 1.4 blocks of a frame, scikit-learn the check of its boosting's input."""
    return len(arguments) == 1 and _is(arguments[0], _BLOCK_MAKERS | _KEPT_CHECKS)


def makes_blocks(kept: Instance) -> bool:
    """Whether a kept call may be made while the file is loaded, as that of a block is."""
    return not kept.refused and bool(kept.arguments) and _is(kept.arguments[0], _BLOCK_MAKERS)


def is_kept_state(kept: Instance, state: Value) -> bool:
    """Whether a state leaves a kept call what it is: the same function, no arguments, and its usual options."""
    if not isinstance(state, Tuple) or len(state.items) != 4:  # noqa: PLR2004 - as `functools.partial` has it
        return False
    function, given, named, _ = state.items
    if not isinstance(given, Tuple) or given.items or not isinstance(named, Collection) or named.odd:
        return False
    fields = named.fields or {}
    if makes_blocks(kept):
        is_size = fields.keys() <= {"ndim"} and isinstance(fields.get("ndim"), int)
        return _is(function, _BLOCK_MAKERS) and is_size and named.weight <= 3  # noqa: PLR2004 - itself, a key, a value
    # Element types may be listed; they were judged when they were made.
    known = bool(fields) and fields.keys() <= _CHECK_OPTIONS
    return _is(function, _KEPT_CHECKS) and known and all(map(_is_check_option, fields.values()))


def _is_check_option(value: Value) -> bool:
    return isinstance(value, int | str | None) or (isinstance(value, Collection) and value.kind == "list")


def _class_only(arguments: Arguments) -> bool:
    return len(arguments) == 1 and _is(arguments[0], CLASSES)


def _class_and_fields(arguments: Arguments) -> bool:
    return len(arguments) == 2 and _is(arguments[0], CLASSES) and isinstance(arguments[1], Collection)  # noqa: PLR2004 - class and dict


def _nested_file(arguments: Arguments) -> bool:
    """The machine reads the bytes as a file of their own and judges what they do."""
    return len(arguments) == 1 and isinstance(arguments[0], Blob)


BY_NAME: dict[str, Contract] = {
    "array_buffer": _array_buffer,
    "array_scalar": _array_scalar,
    "bit_generator": _bit_generator,
    "bound_method": _bound_method,
    "class_and_fields": _class_and_fields,
    "class_only": _class_only,
    "compiled": _compiled,
    "container": _container,
    "data_type": _data_type,
    "default_dict": _default_dict,
    "deque": _deque,
    "empty_array": _empty_array,
    "encoded_text": _encoded_text,
    "kept_call": _kept_call,
    "latin1": _latin1,
    "masked_array": _masked_array,
    "nested_file": _nested_file,
    "nothing": _nothing,
    "on_storage": _on_storage,
    "on_tensor": _on_tensor,
    "plain": _plain,
    "reconstructor": _reconstructor,
    "scalars": _scalars,
    "typed": _typed,
    "typed_tensor": _typed_tensor,
    "ufunc_name": _ufunc_name,
    "values": _values,
}
"""Every contract that an allow-list may name."""
