"""Judges the state that a pickle gives to an element type of NumPy: whether its items are objects.

NumPy believes the flags in that state. Flags that hide objects make it take bytes of the file for addresses; flags that
claim them make joblib load the bytes of an array as a pickle.
"""

from lockgate.detect.pickle_values import Collection, Instance, Tuple, Value

DATA_TYPE = "numpy.dtype"
_SIZES = frozenset({8, 9})
_SUBTYPE, _FIELDS, _FLAGS = 2, 4, 7
_OBJECTS = 3
"""Flags of a type whose items are counted references and are pickled as a list."""


def holds_objects(kind: Value) -> bool:
    """Whether the items of an element type are objects, by its code or by its state."""
    if not isinstance(kind, Instance) or kind.name != DATA_TYPE:
        return False
    code = kind.arguments[0] if kind.arguments else None
    return kind.objects or (isinstance(code, str) and "O" in code)


def set_type(target: Instance, state: Value) -> bool:
    """Note whether an element type holds objects after it got this state; false where the state contradicts itself."""
    if not isinstance(state, Tuple) or len(state.items) not in _SIZES:
        return False
    flags = state.items[_FLAGS]
    expected = holds_objects(target) or any(map(holds_objects, _parts(state)))
    target.objects = expected
    return isinstance(flags, int) and flags & _OBJECTS == (_OBJECTS if expected else 0)


def _parts(state: Tuple) -> list[Value]:
    """The element types that a structured type or one with a shape of its own is made of."""
    found: list[Value] = []
    subtype, fields = state.items[_SUBTYPE], state.items[_FIELDS]
    if isinstance(subtype, Tuple):
        found += subtype.items
    for part in (fields.children or ()) if isinstance(fields, Collection) else ():
        if isinstance(part, Tuple):
            found += part.items
    return found
