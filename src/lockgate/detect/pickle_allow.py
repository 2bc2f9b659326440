"""What a pickle of weights, arrays or a fitted estimator may import and call. Everything else fails.

The lists are exact names. Only estimators and layers come by a pattern, and those may be made without arguments and
filled with state, never called. Each call is also held to the arguments that ordinary files give it.
"""

from collections.abc import Callable

import msgspec

from lockgate.detect.pickle_values import (
    Blob,
    Collection,
    Global,
    Instance,
    Opaque,
    Persistent,
    Tuple,
    Value,
)

Arguments = tuple[Value, ...]


class Rule(msgspec.Struct, frozen=True):
    """How one name may be called.

    Attributes:
        accepts: Whether these positional arguments are those of an ordinary file.
        makes: Class of the result, or empty if nothing may be done with it but storing it.
    """

    accepts: Callable[[Arguments], bool]
    makes: str = ""


def _plain(arguments: Arguments) -> bool:
    return not any(
        isinstance(item, Global) or (isinstance(item, Tuple) and not _plain(item.items)) for item in arguments
    )


def _scalars(arguments: Arguments) -> bool:
    return all(item is None or isinstance(item, str | int | float | Blob | Opaque) for item in arguments)


def _nothing(arguments: Arguments) -> bool:
    return not arguments


def _container(arguments: Arguments) -> bool:
    # Never a number or a lazy range: `bytearray(10**12)` is an attack on memory.
    return not arguments or (len(arguments) == 1 and isinstance(arguments[0], Tuple | Collection))


def _encoded_text(arguments: Arguments) -> bool:
    return not arguments or (isinstance(arguments[0], str | Blob) and arguments[1:] in {(), ("latin-1",), ("latin1",)})


def _latin1(arguments: Arguments) -> bool:
    return len(arguments) == 2 and isinstance(arguments[0], str | Blob) and arguments[1] in {"latin1", "latin-1"}  # noqa: PLR2004 - text and codec


def _default_dict(arguments: Arguments) -> bool:
    factories = {f"builtins.{name}" for name in ("list", "dict", "set", "int", "float", "str", "tuple")}
    return len(arguments) <= 1 and all(
        item is None or (isinstance(item, Global) and item.name in factories) for item in arguments
    )


def _reconstructor(arguments: Arguments) -> bool:
    if len(arguments) != 3:  # noqa: PLR2004 - class, base, state
        return False
    made, base, state = arguments
    if not isinstance(made, Global) or not isinstance(base, Global) or not instantiable(made.name, ()):
        return False
    return (base.name == "builtins.object" and state is None) or (
        base.name in {"builtins.dict", "builtins.list", "builtins.tuple"} and isinstance(state, Tuple | Collection)
    )


def _empty_array(arguments: Arguments) -> bool:
    # The state that follows gives the real shape together with its bytes; a shape here would only reserve memory.
    if len(arguments) != 3 or not isinstance(arguments[1], Tuple):  # noqa: PLR2004 - class, shape, type code
        return False
    made, shape, code = arguments[0], arguments[1], arguments[2]
    is_array = isinstance(made, Global) and made.name == "numpy.ndarray"
    return is_array and shape.items == (0,) and isinstance(code, Blob | str)


def _data_type(arguments: Arguments) -> bool:
    return bool(arguments) and isinstance(arguments[0], str) and _scalars(arguments[1:])


def _array_scalar(arguments: Arguments) -> bool:
    return len(arguments) == 2 and _is_data_type(arguments[0]) and isinstance(arguments[1], Blob | Instance | str)  # noqa: PLR2004 - type and bytes


def _array_buffer(arguments: Arguments) -> bool:
    if len(arguments) != 4:  # noqa: PLR2004 - buffer, type, shape, order
        return False
    buffer, kind, shape, order = arguments
    return isinstance(buffer, Blob) and _is_data_type(kind) and isinstance(shape, Tuple) and isinstance(order, str)


def _is_data_type(value: Value) -> bool:
    return isinstance(value, Instance) and value.name == "numpy.dtype"


def _bit_generator(arguments: Arguments) -> bool:
    return len(arguments) <= 2 and all(  # noqa: PLR2004 - generator and constructor
        isinstance(item, str | Instance) or (isinstance(item, Global) and item.name.startswith("numpy.random."))
        for item in arguments
    )


def _on_storage(arguments: Arguments) -> bool:
    return bool(arguments) and isinstance(arguments[0], Persistent) and _plain(arguments[1:])


def _on_tensor(arguments: Arguments) -> bool:
    return bool(arguments) and isinstance(arguments[0], Instance) and _plain(arguments[1:])


def _compiled(arguments: Arguments) -> bool:
    """Cython's unpickling functions get their own class, a checksum and a state."""
    return len(arguments) == 3 and _is_allowed_class(arguments[0]) and _plain(arguments[1:])  # noqa: PLR2004 - see above


def _class_only(arguments: Arguments) -> bool:
    return len(arguments) == 1 and _is_allowed_class(arguments[0])


def _is_allowed_class(value: Value) -> bool:
    return isinstance(value, Global) and may_reference(value.name) and value.name.rpartition(".")[2][:1].isupper()


_NUMPY_MULTIARRAY = ("numpy.core.multiarray", "numpy._core.multiarray")
_NUMPY_NUMERIC = ("numpy.core.numeric", "numpy._core.numeric")
_BIT_GENERATORS = {
    f"numpy.random.{module}.{name}"
    for module, name in (
        ("_mt19937", "MT19937"),
        ("_pcg64", "PCG64"),
        ("_pcg64", "PCG64DXSM"),
        ("_philox", "Philox"),
        ("_sfc64", "SFC64"),
    )
}
_SEED = "numpy.random.bit_generator"
_LOSSES = {
    *(f"sklearn._loss._loss.CyHalf{name}" for name in ("BinomialLoss", "SquaredError", "PoissonLoss", "GammaLoss")),
    *(f"sklearn._loss._loss.CyHalf{name}" for name in ("TweedieLoss", "TweedieLossIdentity", "MultinomialLoss")),
    *(f"sklearn._loss._loss.Cy{name}" for name in ("AbsoluteError", "PinballLoss", "HuberLoss", "ExponentialLoss")),
    *(f"sklearn.linear_model._sgd_fast.{name}" for name in ("Hinge", "SquaredHinge", "ModifiedHuber", "Log", "Huber")),
    *(f"sklearn.linear_model._sgd_fast.{name}" for name in ("EpsilonInsensitive", "SquaredEpsilonInsensitive")),
    "sklearn.linear_model._sgd_fast.SquaredLoss",
}
_SEARCH_TREES = {
    f"sklearn.{module}.newObj" for module in ("neighbors._kd_tree", "neighbors._ball_tree", "metrics._dist_metrics")
}

CALLABLES: dict[str, Rule] = {
    **{f"builtins.{name}": Rule(_container) for name in ("list", "dict", "tuple", "set", "frozenset")},
    "builtins.bytearray": Rule(_encoded_text),
    "builtins.bytes": Rule(_nothing),
    "builtins.complex": Rule(_scalars),
    "builtins.slice": Rule(_scalars),
    "_codecs.encode": Rule(_latin1),
    "copyreg._reconstructor": Rule(_reconstructor),
    "collections.OrderedDict": Rule(_container, "collections.OrderedDict"),
    "collections.Counter": Rule(_container, "collections.Counter"),
    "collections.defaultdict": Rule(_default_dict, "collections.defaultdict"),
    "collections.deque": Rule(lambda given: _container(given[:1]) and _scalars(given[1:]), "collections.deque"),
    **{f"datetime.{name}": Rule(_plain) for name in ("date", "datetime", "time", "timedelta", "timezone")},
    "decimal.Decimal": Rule(_scalars),
    **{f"{module}._reconstruct": Rule(_empty_array, "numpy.ndarray") for module in _NUMPY_MULTIARRAY},
    **{f"{module}.scalar": Rule(_array_scalar) for module in _NUMPY_MULTIARRAY},
    **{f"{module}._frombuffer": Rule(_array_buffer, "numpy.ndarray") for module in _NUMPY_NUMERIC},
    "numpy.dtype": Rule(_data_type, "numpy.dtype"),
    "numpy.random._pickle.__randomstate_ctor": Rule(_bit_generator, "numpy.random.RandomState"),
    "numpy.random._pickle.__generator_ctor": Rule(_bit_generator, "numpy.random.Generator"),
    "numpy.random._pickle.__bit_generator_ctor": Rule(_bit_generator, "numpy.random.BitGenerator"),
    "torch._utils._rebuild_tensor": Rule(_on_storage, "torch.Tensor"),
    "torch._utils._rebuild_tensor_v2": Rule(_on_storage, "torch.Tensor"),
    "torch._utils._rebuild_parameter": Rule(_on_tensor, "torch.Tensor"),
    "torch.Size": Rule(_container),
    "torch.device": Rule(_scalars),
    "sklearn.tree._tree.Tree": Rule(_plain, "sklearn.tree._tree.Tree"),
    "sklearn._loss.link.Interval": Rule(_plain, "sklearn._loss.link.Interval"),
    f"{_SEED}.__pyx_unpickle_SeedSequence": Rule(_compiled, f"{_SEED}.SeedSequence"),
    **{name: Rule(_scalars) for name in _LOSSES},
    **{name: Rule(_class_only, name) for name in _SEARCH_TREES},
}
"""Every name that a pickle may call, with the arguments it may get."""

BYTES = frozenset({"_codecs.encode", "builtins.bytes", "builtins.bytearray"})
"""Callables whose result is bytes, which protocols below 3 and 5 cannot write directly."""

REFERENCES: frozenset[str] = frozenset(
    {
        "numpy.ndarray",
        *_BIT_GENERATORS,
        f"{_SEED}.SeedSequence",
        *(f"builtins.{name}" for name in ("object", "int", "float", "str", "bool")),
        *(f"numpy.{name}" for name in ("bool_", "bool", "str_", "bytes_", "object_", "intp", "longdouble")),
        *(f"numpy.{kind}{bits}" for kind in ("int", "uint") for bits in (8, 16, 32, 64)),
        *(f"numpy.{name}" for name in ("float16", "float32", "float64", "complex64", "complex128", "datetime64")),
        *(f"numpy.{name}" for name in ("log", "log1p", "log2", "log10", "exp", "expm1", "sqrt", "square", "abs")),
        *(f"numpy.{name}" for name in ("mean", "median", "max", "min", "sum")),
        *(f"sklearn.feature_selection._univariate_selection.{name}" for name in ("chi2", "f_classif", "f_regression")),
        *(f"sklearn.cluster._kmeans._kmeans_single_{name}" for name in ("lloyd", "elkan")),
        *(f"torch.{name}" for name in ("float16", "float32", "float64", "bfloat16", "complex64", "complex128", "bool")),
        *(f"torch.{name}" for name in ("uint8", "int8", "int16", "int32", "int64", "strided", "half", "float", "long")),
    }
)
"""Names that a pickle may mention but never call."""

STORAGES: dict[str, int] = {
    "torch.FloatStorage": 4,
    "torch.DoubleStorage": 8,
    "torch.HalfStorage": 2,
    "torch.BFloat16Storage": 2,
    "torch.LongStorage": 8,
    "torch.IntStorage": 4,
    "torch.ShortStorage": 2,
    "torch.CharStorage": 1,
    "torch.ByteStorage": 1,
    "torch.BoolStorage": 1,
    "torch.ComplexFloatStorage": 8,
    "torch.ComplexDoubleStorage": 16,
    "torch.storage.UntypedStorage": 1,
}
"""PyTorch's storage classes with the bytes of one element."""

_MAPPINGS = frozenset({"collections.OrderedDict", "collections.Counter", "collections.defaultdict"})
_FILLED = frozenset(
    {
        "numpy.ndarray",
        "numpy.dtype",
        "numpy.random.RandomState",
        "numpy.random.Generator",
        "numpy.random.BitGenerator",
        "collections.OrderedDict",
        "sklearn.tree._tree.Tree",
        "sklearn._loss.link.Interval",
        "torch.Tensor",
        "numpy.random.bit_generator.SeedSequence",
        *_SEARCH_TREES,
    }
)
_ESTIMATOR_PACKAGES = frozenset(
    """
    _loss calibration cluster compose covariance cross_decomposition decomposition discriminant_analysis dummy
    ensemble feature_extraction feature_selection gaussian_process impute isotonic kernel_approximation
    kernel_ridge linear_model manifold mixture model_selection multiclass multioutput naive_bayes neighbors
    neural_network pipeline preprocessing random_projection semi_supervised svm tree
    """.split()  # noqa: SIM905 - a list of words reads best as one text
)
_OTHER_CLASSES = frozenset(
    {"joblib.numpy_pickle.NumpyArrayWrapper", "sklearn.utils._bunch.Bunch", "sklearn.utils.Bunch", "argparse.Namespace"}
)
_SPARSE = frozenset(f"{kind}_{what}" for kind in ("csr", "csc", "coo", "bsr", "dia") for what in ("matrix", "array"))
_BUNCHES = frozenset({"sklearn.utils._bunch.Bunch", "sklearn.utils.Bunch"})


def is_class(name: str) -> bool:
    """Whether `name` is a class that may be made without arguments: an estimator, a layer, a sparse matrix."""
    module, _, last = name.rpartition(".")
    parts = module.split(".")
    camel = last.lstrip("_")[:1].isupper() and "_" not in last.lstrip("_")
    if name in _OTHER_CLASSES:
        return True
    if parts[:2] == ["scipy", "sparse"]:
        return last in _SPARSE
    if module == "sklearn.metrics._dist_metrics":
        return camel and last.rstrip("0123456789").endswith("Distance")
    if parts[0] == "sklearn":
        return camel and len(parts) > 1 and parts[1] in _ESTIMATOR_PACKAGES and "externals" not in parts
    return camel and parts[:3] == ["torch", "nn", "modules"] and len(parts) == 4  # noqa: PLR2004 - torch.nn.modules.<file>


def may_reference(name: str) -> bool:
    """Whether a pickle may import `name` at all."""
    return name in CALLABLES or name in REFERENCES or name in STORAGES or is_class(name)


def instantiable(name: str, arguments: Arguments) -> bool:
    """Whether a pickle may make an object of the class `name` from `arguments` without calling its initialiser."""
    rule = CALLABLES.get(name)
    if rule is not None and rule.makes == name:
        return rule.accepts(arguments)
    return is_class(name) and not arguments


def may_fill(name: str) -> bool:
    """Whether a pickle may set the state of an object that `name` made."""
    return name in _FILLED or is_class(name)


def takes_items(name: str) -> bool:
    """Whether a pickle may set items of an object that `name` made, as if it were a dict."""
    return name in _MAPPINGS or name in _BUNCHES
