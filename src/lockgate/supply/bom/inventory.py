"""Walks a folder once and sorts what it finds: models, data, prompts, libraries, AI components in code."""

from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath
from typing import TypeVar

import msgspec

from lockgate.core.config import CONFIG_NAME
from lockgate.core.config_supply import DataSetConfig, SourceConfig
from lockgate.core.errors import CoreError
from lockgate.core.files import open_regular, read
from lockgate.core.project import IGNORED, Project, open_project
from lockgate.core.subject import SubjectRef
from lockgate.evidence.signing import hash_path
from lockgate.evidence.signing.statement import under
from lockgate.supply.bom import code, dependencies
from lockgate.supply.bom.card import ModelCard
from lockgate.supply.bom.snapshot import MAX_BYTES, NAMES, read_snapshot
from lockgate.supply.bom.weights import read_weights
from lockgate.supply.deps.read import read_listing

T = TypeVar("T")
WEIGHTS = (
    ".gguf", ".safetensors", ".onnx", ".pt", ".pth", ".ckpt", ".bin", ".pkl", ".pickle", ".joblib", ".h5", ".hdf5",
    ".keras", ".tflite", ".npz", ".skops", ".mlmodel", ".llamafile", ".pb",
)  # fmt: skip
DATA = (".jsonl", ".csv", ".tsv", ".parquet", ".arrow", ".feather", ".ndjson", ".jsonl.gz", ".csv.gz")
PROMPTS = (".prompt", ".prompty", ".prompt.md", ".j2", ".jinja", ".jinja2")
_MAX_CODE = 64 << 20
LEFT_OUT = (*sorted(IGNORED), ".venv", "venv", "node_modules", ".tox", ".mypy_cache", ".ruff_cache", ".pytest_cache")


class Model(msgspec.Struct, frozen=True, kw_only=True):
    """A model that lies in the folder.

    Attributes:
        uri: Its file, or the folder of its files.
        files: Its weights, by digest.
        card: What its files and settings say.
        origin: Package URL, where `lockgate.yaml` states one.
        parents: Digests of its base models, as `lockgate.yaml` states them.
    """

    uri: str
    files: tuple[SubjectRef, ...]
    card: ModelCard
    origin: str = ""
    parents: tuple[str, ...] = ()


class Inventory(msgspec.Struct, frozen=True, kw_only=True):
    """What a bill of materials lists.

    Attributes:
        name: The application.
        models: Models in the folder.
        data: Data sets.
        prompts: Prompts and tool definitions that are files of their own.
        libraries: Libraries that lock files and requirements name.
        found: AI components that code and settings name.
        external: Data sets from outside, as `lockgate.yaml` declares them.
        sources: Third parties, likewise.
        trained: Products of the training job and what went in, as `lockgate.yaml` declares.
        unread: What should have been read and could not, each with the reason.
    """

    name: str
    models: tuple[Model, ...]
    data: tuple[SubjectRef, ...]
    prompts: tuple[SubjectRef, ...]
    libraries: tuple[dependencies.Library, ...]
    found: tuple[code.Found, ...]
    external: tuple[DataSetConfig, ...]
    sources: tuple[SourceConfig, ...]
    trained: tuple[str, tuple[str, ...]] | None
    unread: tuple[str, ...]


def take_inventory(root: Path) -> Inventory:
    """Look through a folder.

    Raises:
        LockgateError: There is nothing to look at, or its `lockgate.yaml` cannot be understood.
    """
    project = open_project(root) if (root / CONFIG_NAME).is_file() else None
    chosen = tuple(name.rstrip("/") for name in project.config.ignore) if project else ()
    hashed = hash_path(root, leave_out=(*LEFT_OUT, *chosen))
    files = {uri: digest for uri, digest in sorted(hashed.digests.items()) if not _cached(uri)}
    unread = list(hashed.unreadable.values())
    names = _application(project)
    prompts = {uri for uri in files if uri in names or _is_prompt(uri)}
    data = {uri for uri in files if uri.lower().endswith(DATA)} - prompts
    job = project.config.train if project else None
    return Inventory(
        name=project.config.project if project else root.resolve().name,
        models=tuple(_models(root, files, project, unread)),
        data=tuple(SubjectRef(uri, files[uri]) for uri in sorted(data)),
        prompts=tuple(SubjectRef(uri, files[uri]) for uri in sorted(prompts)),
        libraries=tuple(_libraries(root, files, unread)),
        found=(
            *_gather(root, files, unread, lambda uri: uri.endswith((".py", ".ipynb")), code.read_code),
            *_gather(root, files, unread, code.is_mcp_settings, code.read_mcp_settings),
        ),
        external=project.config.supply.data_sets if project else (),
        sources=project.config.supply.sources if project else (),
        trained=(job.output.rstrip("/"), job.inputs) if job else None,
        unread=tuple(unread),
    )


def _application(project: Project | None) -> set[str]:
    if project is None:
        return set()
    application = project.config.application
    return {uri for uri in (application.system_prompt, application.tools) if uri}


def _cached(uri: str) -> bool:
    return "__pycache__" in PurePosixPath(uri).parts


def _is_prompt(uri: str) -> bool:
    path = PurePosixPath(uri.lower())
    in_folder = "prompts" in path.parts[:-1] and path.suffix in {".md", ".txt", ".yaml", ".yml", ".json"}
    return uri.lower().endswith(PROMPTS) or in_folder


def _models(root: Path, files: dict[str, str], project: Project | None, unread: list[str]) -> list[Model]:
    folders: dict[str, list[str]] = {}
    for uri in files:
        if uri.lower().endswith(WEIGHTS):
            folders.setdefault(PurePosixPath(uri).parent.as_posix(), []).append(uri)
    pinned = {model.path: model for model in project.config.models} if project else {}
    models: list[Model] = []
    for folder, uris in sorted(folders.items()):
        around = _around(root, folder, files, unread)
        # A folder with a configuration is one model, however many files hold its weights.
        groups = [uris] if around and len(uris) > 1 else [[uri] for uri in uris]
        for group in groups:
            card = _weights_card(root, group, unread).completed(read_snapshot(around))
            pin = pinned.get(group[0])
            if pin and pin.licence:
                card = msgspec.structs.replace(card, licence=pin.licence)
            uri = folder if len(group) > 1 else group[0]
            models.append(
                Model(
                    uri=uri,
                    files=tuple(SubjectRef(uri, files[uri]) for uri in group),
                    card=card,
                    origin=pin.origin if pin else "",
                    parents=_parents(uri, project),
                )
            )
    return models


def _parents(uri: str, project: Project | None) -> tuple[str, ...]:
    declared = project.config.deploy.lineage if project else ()
    return tuple(base for item in declared if under(uri, (item.model.rstrip("/"),)) for base in item.base)


def _around(root: Path, folder: str, files: dict[str, str], unread: list[str]) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    for name in NAMES:
        uri = name if folder == "." else f"{folder}/{name}"
        if uri in files and (body := _read(root, uri, MAX_BYTES, unread)) is not None:
            found[name] = body
    # The README of a whole project speaks of the project, not of one model in it.
    return {} if set(found) == {"README.md"} and not found["README.md"].startswith(b"---\n") else found


def _weights_card(root: Path, uris: list[str], unread: list[str]) -> ModelCard:
    cards: list[ModelCard] = []
    for uri in uris:
        try:
            with open_regular(root, uri) as stream:
                cards.append(read_weights(stream, (root / uri).stat().st_size))
        except (CoreError, OSError) as error:
            unread.append(f"{uri} cannot be read: {type(error).__name__}.")
    total = sum(card.parameters for card in cards)
    first = next((card for card in cards if card.architecture), cards[0] if cards else ModelCard())
    return msgspec.structs.replace(first, parameters=total)


def _libraries(root: Path, files: dict[str, str], unread: list[str]) -> Iterator[dependencies.Library]:
    for uri in filter(dependencies.is_dependency_file, files):
        listing = read_listing(root, uri, name=uri)
        unread += listing.unread
        unread += sorted({f"{uri}: {item.problem}" for item in listing.dependencies if item.problem})
        yield from dependencies.libraries_of(uri, listing.dependencies)


def _gather(
    root: Path,
    files: dict[str, str],
    unread: list[str],
    wanted: Callable[[str], bool],
    look: Callable[[str, bytes], tuple[T, ...]],
) -> tuple[T, ...]:
    found: list[T] = []
    for uri in files:
        if wanted(uri) and (body := _read(root, uri, _MAX_CODE, unread)) is not None:
            try:
                found += look(uri, body)
            except ValueError:
                unread.append(f"{uri} cannot be parsed, so what it names is not listed.")
    return tuple(found)


def _read(root: Path, uri: str, limit: int, unread: list[str]) -> bytes | None:
    try:
        return read(root, uri, limit=limit).body
    except CoreError as error:
        unread.append(str(error))
        return None
