"""LG-SUPPLY-101."""

from collections.abc import Iterator
from typing import ClassVar

from lockgate.core import Card, Check, Confidence, Finding, Location, Severity
from lockgate.supply.code.names import dotted
from lockgate.supply.code.subject import Call, CodeFile

_PICKLES = frozenset(
    {
        f"{module}.{name}"
        for module in ("pickle", "cPickle", "_pickle", "dill", "cloudpickle")
        for name in ("load", "loads")
    }
    | {"pickle.Unpickler", "dill.Unpickler", "joblib.load", "pandas.read_pickle", "numpy.lib.format.read_array_pickle"}
    | {"jsonpickle.decode", "jsonpickle.unpickler.decode", "shelve.open", "sklearn.externals.joblib.load"}
    | {"keras.config.enable_unsafe_deserialization", "tf.keras.config.enable_unsafe_deserialization"}
)
_YAML = frozenset({"yaml.load", "yaml.load_all", "yaml.unsafe_load", "yaml.unsafe_load_all", "yaml.full_load"})
_SAFE_LOADERS = frozenset({"SafeLoader", "CSafeLoader", "BaseLoader", "CBaseLoader"})
_SWITCHES = (
    ("load", "allow_pickle", True),
    ("load_model", "safe_mode", False),
    ("load", "trusted", True),
    ("loads", "trusted", True),
    ("load_local", "allow_dangerous_deserialization", True),
)


class UnsafeLoad(Check[CodeFile], frozen=True):
    """Finds calls that read a file in a way that lets the file run code.

    Why it matters:
        A pickle, a YAML document with object tags or a Keras lambda is a program. Whoever can replace the file runs
        code in the process that loads it, and models are files that come from strangers.

    Fails on:
        A checkpoint that may hold any object:

            import torch
            torch.load("model.pt", weights_only=False)

    Passes on:
        The same with tensors only:

            import torch
            torch.load("model.pt", weights_only=True)

    Limits:
        Sees calls by their imported names. `torch.load` without `weights_only` is reported, because releases before
        2.6 then run code. A pickle that the same expression has just written is not reported. Files are judged by
        `lockgate scan model`.
    """

    card: ClassVar[Card] = Card(
        id="LG-SUPPLY-101",
        title="Load that runs code from the file",
        severity=Severity.HIGH,
        confidence=Confidence.MEDIUM,
        maps=(
            "LLM03:2025",
            "ASI04:2026",
            "AML.T0010.003",
            "AML.T0011",
        ),
    )

    def inspect(self, subject: CodeFile) -> Iterator[Finding]:
        """Report every load that trusts its file."""
        for call in subject.calls:
            reason = _reason(call)
            if reason:
                yield self.finding(
                    f"{call.name} {reason}. Load a format without code, for instance safetensors or JSON.",
                    at=Location(subject.ref.uri, call.place, call.line),
                )


def _reason(call: Call) -> str:
    if call.name in _PICKLES:
        return "" if _just_written(call) else "runs code that a pickle holds"
    if call.name in _YAML:
        loader = call.argument("1", "Loader")
        safe = loader is not None and dotted(loader.value, {}).rpartition(".")[2] in _SAFE_LOADERS
        return "" if safe else "builds any object that a YAML document names"
    if call.name == "torch.load" and call.constant("weights_only") is not True:
        return "" if call.spreads else "runs code that a checkpoint holds, for want of weights_only=True"
    for last, keyword, value in _SWITCHES:
        if call.last == last and call.constant(keyword) is value:
            return f"runs code from the file because of {keyword}={value}"
    return ""


def _just_written(call: Call) -> bool:
    """`pickle.loads(pickle.dumps(value))` copies a value of this very process."""
    first = call.argument("0", "data")
    return first is not None and dotted(first.value, {}).endswith("dumps()")
