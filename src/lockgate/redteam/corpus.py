"""The attacks and the harmless conversations, read strictly: a row that is not understood stops the run."""

import hashlib
from collections.abc import Iterable, Iterator
from importlib.resources import files as package_files
from pathlib import Path
from typing import Annotated, Literal, TypeAlias, TypeVar

import msgspec
from msgspec import Meta

from lockgate import __version__
from lockgate.core.errors import CoreError
from lockgate.core.files import read, relative
from lockgate.redteam.errors import RedteamError
from lockgate.redteam.goal import Goal, Say
from lockgate.redteam.message import Fetched, Prompt, typed

BUILTIN = "builtin"
MAX_BYTES = 8 << 20
MAX_ROWS = 10_000

Half: TypeAlias = Literal["seen", "unseen"]
_Name = Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9-]{0,63}\Z")]
_Said = Annotated[str, Meta(pattern=r"\S", max_length=20_000)]
_Turns = Annotated[tuple[_Said, ...], Meta(min_length=1, max_length=16)]
_Prompts = Annotated[tuple[_Said | Fetched, ...], Meta(min_length=1, max_length=16)]
_TaxonomyId = Annotated[str, Meta(pattern=r"^(LLM\d\d:\d{4}|ASI\d\d:\d{4}|AML\.T\d{4}(\.\d{3})?)\Z")]


class _AttackRow(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    id: _Name
    family: _Name
    turns: _Prompts
    goal: Goal
    maps: Annotated[tuple[_TaxonomyId, ...], Meta(min_length=1)]


class _BenignRow(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    id: _Name
    turns: _Turns
    kind: _Name


class Attack(msgspec.Struct, frozen=True, kw_only=True):
    """One attack.

    Attributes:
        id: Unique in the corpus.
        family: What kind of attack it is.
        turns: The user's messages, each sent after the reply to the one before.
        goal: What counts as success.
        maps: OWASP and ATLAS ids.
        half: `seen` by whoever tunes the guard, or `unseen`.
        converter: What disguises its wording; empty for none.
        strategy: Who decides what comes next; empty where the turns say it all.
        tools: Names of the tools that the target is offered.
        target: `application`, or `obedient`: the scripted target that does whatever it is told.
        payload: The part of the last message that an adaptive strategy rewrites; empty for all of it.
        tries: Most messages that an adaptive strategy sends.
        control: It shows how often the goal is reached by chance, and is in no count of attacks.
    """

    id: str
    family: str
    turns: tuple[Prompt, ...]
    goal: Goal
    maps: tuple[str, ...]
    half: Half
    converter: str = ""
    strategy: str = ""
    tools: tuple[str, ...] = ()
    target: Literal["application", "obedient"] = "application"
    payload: str = ""
    tries: int = 25
    control: bool = False


class Benign(msgspec.Struct, frozen=True, kw_only=True):
    """One harmless conversation, which a guard must let pass.

    Attributes:
        id: Unique in the corpus.
        turns: The user's messages.
        kind: What makes it a fair test.
        half: `seen` by whoever tunes the guard, or `unseen`.
    """

    id: str
    turns: tuple[str, ...]
    kind: str
    half: Half


class Corpus(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that is sent.

    Attributes:
        version: Lockgate's version for the bundled corpus, `own` or `own-<number>` for a folder of the project.
        sha256: Digest over the names, lengths and bytes of its files in alphabetical order.
        attacks: In the order of the files.
        benign: In the order of the files.
    """

    version: str
    sha256: str
    attacks: tuple[Attack, ...]
    benign: tuple[Benign, ...]


class Entry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One row that somebody accepted.

    Attributes:
        id: The row's id.
        source: Digest of the file that it came from.
        reviewer: Who read it.
        accepted: The day, ISO 8601.
    """

    id: str
    source: str
    reviewer: str
    accepted: str


class CorpusLedger(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`corpus.json` of a folder: which version its rows are, and who accepted them.

    Attributes:
        version: Counts up with every change.
        sha256: Digest of the rows; see `digest_of`.
        entries: What was accepted, oldest first.
    """

    version: int
    sha256: str
    entries: tuple[Entry, ...]


LEDGER = "corpus.json"
_HALVES: tuple[Half, ...] = ("seen", "unseen")
_NAMES = frozenset(f"{kind}_{half}.jsonl" for kind in ("attacks", "benign") for half in _HALVES)


def load(source: str = BUILTIN, *, root: Path | None = None) -> Corpus:
    """Read a corpus.

    Args:
        source: `builtin`, or a folder relative to `root` with files named `attacks_seen.jsonl`,
            `attacks_unseen.jsonl`, `benign_seen.jsonl`, `benign_unseen.jsonl`, of which one with attacks must exist.
        root: The project folder; the current one by default.

    Raises:
        RedteamError: A file cannot be read, a row is malformed (with its line), an id occurs twice, the text that an
            attack wants to hear is in its own prompts, or there is no attack at all.
    """
    bodies = _builtin() if source == BUILTIN else _folder(source, root or Path())
    digest = digest_of(bodies)
    attacks = tuple(attack for half in _HALVES for attack in _attacks(bodies, half))
    benign = tuple(row for half in _HALVES for row in _benign(bodies, half))
    if not attacks:
        raise RedteamError(f"The corpus {source!r} holds no attack.", remedy="Add attacks_seen.jsonl to its folder.")
    _refuse_repeated(item.id for item in (*attacks, *benign))
    return Corpus(
        version=__version__ if source == BUILTIN else _version(source, root or Path(), digest),
        sha256=digest,
        attacks=attacks,
        benign=benign,
    )


def load_folder(folder: Path) -> Corpus:
    """Read the corpus of a folder, wherever it lies; see `load`."""
    return load(folder.name, root=folder.absolute().parent)


def digest_of(bodies: dict[str, bytes]) -> str:
    """SHA-256 over the names, lengths and bytes of a corpus' files in alphabetical order."""
    digest = hashlib.sha256()
    for name in sorted(bodies):
        digest.update(f"{name}\x00{len(bodies[name])}\x00".encode())
        digest.update(bodies[name])
    return digest.hexdigest()


def _version(source: str, root: Path, digest: str) -> str:
    if not (root / relative(source) / LEDGER).exists():
        return "own"
    try:
        body = read(root, f"{source}/{LEDGER}", limit=MAX_BYTES).body
        ledger = msgspec.json.decode(body, type=CorpusLedger)
    except CoreError as error:
        raise RedteamError(error.message, remedy=error.remedy) from error
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise RedteamError(f"{source}/{LEDGER} is damaged.", remedy="Restore it.") from error
    if ledger.sha256 != digest:
        raise RedteamError(
            f"The rows of {source!r} are not those of its version {ledger.version}.",
            remedy="Restore them, or add rows with 'lockgate redteam add'.",
        )
    return f"own-{ledger.version}"


def _builtin() -> dict[str, bytes]:
    folder = package_files("lockgate.redteam") / "corpus"
    return {name: (folder / name).read_bytes() for name in sorted(_NAMES)}


def _folder(source: str, root: Path) -> dict[str, bytes]:
    try:
        names = sorted(entry.name for entry in (root / relative(source)).iterdir() if entry.name.endswith(".jsonl"))
        if unknown := [name for name in names if name not in _NAMES]:
            raise RedteamError(
                f"{source}/{unknown[0]} is not a file of a corpus.",
                remedy=f"Name it one of {', '.join(sorted(_NAMES))}.",
            )
        return {name: read(root, f"{source}/{name}", limit=MAX_BYTES).body for name in names}
    except CoreError as error:
        raise RedteamError(error.message, remedy=error.remedy) from error
    except OSError as error:
        raise RedteamError(
            f"The corpus folder {source!r} cannot be listed.", remedy="Correct redteam.corpus in lockgate.yaml."
        ) from error


def _attacks(bodies: dict[str, bytes], half: Half) -> Iterator[Attack]:
    name = f"attacks_{half}.jsonl"
    for line, row in _rows(name, bodies.get(name, b""), _AttackRow):
        if isinstance(row.goal, Say) and any(row.goal.text.casefold() in typed(turn).casefold() for turn in row.turns):
            raise RedteamError(
                f"{name} line {line}: the text of the goal is in a prompt, so an echo would count as success.",
                remedy="Make the target derive the text.",
            )
        yield Attack(id=row.id, family=row.family, turns=row.turns, goal=row.goal, maps=row.maps, half=half)


def _benign(bodies: dict[str, bytes], half: Half) -> Iterator[Benign]:
    name = f"benign_{half}.jsonl"
    for _, row in _rows(name, bodies.get(name, b""), _BenignRow):
        yield Benign(id=row.id, turns=row.turns, kind=row.kind, half=half)


_Row = TypeVar("_Row", _AttackRow, _BenignRow)


def _rows(name: str, body: bytes, kind: type[_Row]) -> Iterator[tuple[int, _Row]]:
    decoder = msgspec.json.Decoder(kind)
    for line, raw in enumerate(body.removesuffix(b"\n").split(b"\n") if body else (), start=1):
        if line > MAX_ROWS:
            raise RedteamError(f"{name} holds more than {MAX_ROWS:,} rows.", remedy="Split the corpus.")
        try:
            yield line, decoder.decode(raw)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            raise RedteamError(f"{name} line {line}: {_problem(error)}.", remedy="Correct that row.") from error


def _problem(error: Exception) -> str:
    if isinstance(error, msgspec.ValidationError):
        return str(error)
    return "not a JSON object in UTF-8"


def _refuse_repeated(ids: Iterable[str]) -> None:
    seen: set[str] = set()
    for name in ids:
        if name in seen:
            raise RedteamError(f"The id {name!r} occurs twice in the corpus.", remedy="Give every row its own id.")
        seen.add(name)
