"""Run the supply checks on every model file of a project."""

import datetime as dt
from collections.abc import Callable, Iterator
from pathlib import PurePosixPath

import msgspec

from lockgate.core import Check, CoreError, Examination, Outcome, SubjectRef, errored, run
from lockgate.core.files import Snapshot
from lockgate.core.project import Project
from lockgate.supply.bundled_code import BundledCode
from lockgate.supply.changed_model import ChangedModel
from lockgate.supply.errors import SupplyError
from lockgate.supply.escaping_path import EscapingPath
from lockgate.supply.malformed_part import MalformedPart
from lockgate.supply.malformed_safetensors import MalformedSafetensors
from lockgate.supply.opaque_model import OpaqueModel
from lockgate.supply.pickle_code import PickleCode
from lockgate.supply.reader import Reader
from lockgate.supply.remote_code import RemoteCode
from lockgate.supply.subject import ModelFacts, ModelFile, Place
from lockgate.supply.unlisted_class import UnlistedClass
from lockgate.supply.unlisted_operator import UnlistedOperator
from lockgate.supply.unpinned_model import UnpinnedModel
from lockgate.supply.unsafe_gguf import UnsafeGguf
from lockgate.supply.wrong_suffix import WrongSuffix

Progress = Callable[[int, int, str], None]
_NO_MODELS = frozenset({"text", "media"})
_SETTINGS = frozenset({"config", "template"})
_WEIGHTS = frozenset(
    """
    blobs coreml gguf hdf5 keras msgpack npy onnx pickle pytorch-zip safetensors sentencepiece skops tensorflow
    tensorflow-index tflite torchscript ubjson weights
    """.split()  # noqa: SIM905 - a list of words reads best as one text
)
_MODEL_CHECKS: tuple[Check[ModelFile], ...] = (PickleCode(), UnsafeGguf(), MalformedSafetensors(), OpaqueModel())


class _Target(msgspec.Struct, frozen=True):
    """A file to examine, with what is known about it beforehand."""

    uri: str
    place: Place
    expected: str | None
    pins: tuple[str, ...]
    unreadable: str = ""


def examine(project: Project, taken: Snapshot, products: Snapshot, progress: Progress) -> Examination:
    """Examine every model file of a project and of its training job's products; see `examine_models`."""
    return examine_models(project, taken, products, progress).examination


class ExaminedModels(msgspec.Struct, frozen=True):
    """What came of the model files.

    Attributes:
        examination: All of them.
        weights: Those that consist of numbers, in which no text is to be searched.
    """

    examination: Examination
    weights: frozenset[str]


def examine_models(project: Project, taken: Snapshot, products: Snapshot, progress: Progress) -> ExaminedModels:
    """Examine every model file of a project and of its training job's products.

    Args:
        project: The project, for the pinned models.
        taken: The project's files as they were when the run began.
        products: The training job's products.
        progress: Called with the number of files done, the number of files, and the file that is looked at.

    Returns:
        The subjects are all model files. Text and media files are read too, to be sure that they are nothing else, but
        are no subjects. A pinned file that is missing, and any file that cannot be read or is not what `taken` says,
        is ERRORED.
    """
    targets = _targets(project, taken, products)
    pickle = PickleCode(allow=project.config.supply.pickle_names, today=dt.datetime.now(dt.UTC).date())
    subjects: list[SubjectRef] = []
    outcomes: list[Outcome] = []
    weights: set[str] = set()
    with Reader() as reader:
        for done, target in enumerate(targets):
            progress(done, len(targets), target.uri)
            examined = _examine(project, reader, target, pickle)
            if examined is not None:
                subjects.append(examined[0])
                outcomes += examined[1]
                weights |= {target.uri} if examined[2] in _WEIGHTS else set()
    progress(len(targets), len(targets), "model files")
    return ExaminedModels(Examination(tuple(sorted(subjects)), tuple(outcomes)), frozenset(weights))


def outcomes_of(model: ModelFile, pickle: PickleCode | None = None) -> list[Outcome]:
    """Run the checks that have something to look at in one file; `pickle` judges pickles, by default by our lists."""
    return [run(check, model) for check in _applicable(model, pickle or PickleCode())]


def _targets(project: Project, taken: Snapshot, products: Snapshot) -> list[_Target]:
    pins: dict[str, tuple[str, ...]] = {}
    for model in project.config.models:
        uri = str(PurePosixPath(model.path))
        pins[uri] = (*pins.get(uri, ()), model.sha256)
    targets: dict[str, _Target] = {}
    places: tuple[tuple[Place, Snapshot], ...] = (("project", taken), ("product", products))
    for place, snapshot in places:
        for ref in snapshot.files:
            targets[ref.uri] = _Target(ref.uri, place, ref.sha256, pins.get(ref.uri, ()))
        for item in snapshot.unreadable:
            targets[item.ref.uri] = _Target(item.ref.uri, place, None, pins.get(item.ref.uri, ()), item.reason)
    for uri, digests in pins.items():
        targets.setdefault(uri, _Target(uri, "project", None, digests))
    return [targets[uri] for uri in sorted(targets)]


def _examine(
    project: Project, reader: Reader, target: _Target, pickle: PickleCode
) -> tuple[SubjectRef, list[Outcome], str] | None:
    """The subject, its outcomes and its format, or None for a file that is no model."""
    try:
        ref, size, facts = _read(project, reader, target)
    except (CoreError, SupplyError) as error:
        return _held(target, str(error))
    pinned = next(iter(target.pins), None)
    if facts.format in _NO_MODELS and pinned is None:
        return None
    model = ModelFile(ref, size, target.place, pinned, facts)
    if facts.format in _SETTINGS and pinned is None:
        checks = tuple(_settings_checks(model))
        return (ref, [run(check, model) for check in checks], facts.format) if checks else None
    return ref, outcomes_of(model, pickle), facts.format


def _read(project: Project, reader: Reader, target: _Target) -> tuple[SubjectRef, int, ModelFacts]:
    if len(set(target.pins)) > 1:
        raise SupplyError(f"lockgate.yaml pins {target.uri} with two different digests.", remedy="Keep one of them.")
    if target.unreadable:
        raise SupplyError(target.unreadable)
    found = reader.read(project.root, target.uri)
    if target.expected is None:
        raise SupplyError(f"{target.uri} was not there when the run began.", remedy="Run again.")
    if target.expected != found[0].sha256:
        remedy = "Let its writer finish, then run again."
        raise SupplyError(f"{target.uri} changed since the run began.", remedy=remedy)
    return found


def _held(target: _Target, reason: str) -> tuple[SubjectRef, list[Outcome], str]:
    ref = SubjectRef(target.uri)
    checks: list[Check[ModelFile]] = [*([ChangedModel()] if target.pins else []), *_MODEL_CHECKS]
    return ref, [errored(check, ref, reason) for check in checks], "unknown"


def _applicable(model: ModelFile, pickle: PickleCode) -> Iterator[Check[ModelFile]]:
    """The checks that have something to look at in this file, so that a pass means that something was examined."""
    if model.pinned is not None:
        yield ChangedModel()
    if model.place == "project":
        yield UnpinnedModel()
    if model.facts.pickles:
        yield pickle
    if model.facts.ggufs or model.facts.templates:
        yield UnsafeGguf()
    if model.facts.safetensors:
        yield MalformedSafetensors()
    yield from _part_checks(model)
    yield OpaqueModel()


def _settings_checks(model: ModelFile) -> Iterator[Check[ModelFile]]:
    """A project has settings of its own: only what loads a stranger's code or speaks to a model is judged there."""
    if any(part.mentions for part in model.facts.parts):
        yield RemoteCode()
        yield EscapingPath()
    if model.facts.templates and (model.facts.format == "config" or "chat_template" in model.ref.uri):
        yield UnsafeGguf()


def _part_checks(model: ModelFile) -> Iterator[Check[ModelFile]]:
    if model.facts.parts:
        yield RemoteCode()
        yield EscapingPath()
        yield UnlistedOperator()
        yield UnlistedClass()
        yield MalformedPart()
    if model.facts.parts or model.place == "scan":
        yield BundledCode()
    if model.place == "scan":
        yield WrongSuffix()
