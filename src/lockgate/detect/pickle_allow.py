"""What a pickle of weights, arrays or a fitted model may import, make and call. Everything else fails.

The lists are exact names and data (`lockgate.detect.pickle_names`). A listed class may be made without its initialiser
and filled with state, never called; a listed reference may be mentioned, never called; a listed callable is held to the
arguments that ordinary files give it.
"""

import msgspec

from lockgate.detect.pickle_contracts import BY_NAME, Arguments, Contract
from lockgate.detect.pickle_names import CLASSES, CONTRACTS, MAPPINGS, REFERENCES, STORAGES


class Rule(msgspec.Struct, frozen=True):
    """How one name may be called.

    Attributes:
        accepts: Whether these positional arguments are those of an ordinary file.
        makes: Class of the result, or empty if nothing may be done with it but storing it.
    """

    accepts: Contract
    makes: str = ""


def _compiled_rule(name: str) -> tuple[str, Rule]:
    module, _, last = name.rpartition(".")
    return f"{module}.__pyx_unpickle_{last}", Rule(BY_NAME["compiled"], name)


CALLABLES: dict[str, Rule] = {
    **dict(
        _compiled_rule(name)
        for name in CLASSES
        if name.startswith(("sklearn.", "_loss.Cy")) and not name.endswith("Tree")
    ),
    **{
        name: Rule(BY_NAME["scalars"], name)
        for name in CLASSES
        if name.startswith(("sklearn._loss._loss.Cy", "_loss.Cy"))
    },
    **{name: Rule(BY_NAME["scalars"], name) for name in CLASSES if name.startswith("sklearn.linear_model._sgd_fast.")},
    **{name: Rule(BY_NAME[contract], makes) for name, (contract, makes) in CONTRACTS.items()},
}
"""Every name that a pickle may call, with the arguments it may get; Cython's functions follow their class."""

BYTES = frozenset({"_codecs.encode", "builtins.bytes", "builtins.bytearray"})
"""Callables whose result is bytes, which protocols below 3 and 5 cannot write directly."""

LOADERS = frozenset(name for name, (contract, _) in CONTRACTS.items() if contract == "nested_file")
"""Callables that load the bytes they get as a file."""

METHODS = frozenset(name for name in REFERENCES if name.rpartition(".")[0] in CLASSES)
"""References that are methods of a listed class: the only names that may have dots of their own."""

PARTIAL = "functools.partial"
"""What pandas 1.3 and 1.4 keep the blocks of a frame in: calls of one function, which nothing else may be."""

_MADE = frozenset(rule.makes for rule in CALLABLES.values() if rule.makes)
_NO_STATE = frozenset({"builtins.dict", "builtins.set", "collections.deque", "torch.storage.TypedStorage"})


def is_script_class(name: str) -> bool:
    """Whether `name` is a class that a TorchScript archive defines itself; Python cannot import one."""
    return name.startswith("__torch__.") and ":" not in name


def may_reference(name: str) -> bool:
    """Whether a pickle may import `name` at all."""
    known = name in CLASSES or name in CALLABLES or name in REFERENCES or name in STORAGES
    return known or is_script_class(name)


def instantiable(name: str, arguments: Arguments) -> bool:
    """Whether a pickle may make an object of the class `name` from `arguments` without calling its initialiser."""
    if (name in CLASSES or is_script_class(name)) and not arguments:
        return True
    rule = CALLABLES.get(name)
    return rule is not None and rule.makes == name and rule.accepts(arguments)


def may_fill(name: str) -> bool:
    """Whether a pickle may set the state of an object that `name` made."""
    return name in CLASSES or is_script_class(name) or (name in _MADE and name not in _NO_STATE)


def takes_items(name: str) -> bool:
    """Whether a pickle may set items of an object that `name` made, as if it were a dict."""
    return name in MAPPINGS
