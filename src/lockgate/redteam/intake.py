"""How a transcript becomes an entry of the corpus: redacted, compared with what is there, proposed, and accepted.

A corpus folder keeps `corpus.json` beside its rows: a version, the digest of the rows, and who accepted what. Rows that
were changed without it are refused when the corpus is read.
"""

import datetime as dt
from pathlib import Path
from typing import Annotated, cast

import msgspec
from msgspec import Meta

from lockgate.core.errors import CoreError
from lockgate.core.files import read
from lockgate.core.subject import sha256_hex
from lockgate.core.verdict import Span
from lockgate.detect.pii import find_pii
from lockgate.detect.secrets import find_secrets
from lockgate.redteam.corpus import LEDGER, Attack, CorpusLedger, Entry, digest_of, load_folder
from lockgate.redteam.disclosure import discloses
from lockgate.redteam.errors import RedteamError
from lockgate.redteam.families import FAMILIES
from lockgate.redteam.goal import Goal, Say
from lockgate.redteam.message import typed

REVIEW = "review"
ALIKE = 0.8
_MAX_BYTES = 1 << 20
_SHINGLE = 5
_ROWS = "attacks_seen.jsonl"
_Reviewer = Annotated[str, Meta(pattern=r"\S", max_length=200)]


class Proposal(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A redacted transcript that waits for somebody to read it.

    Attributes:
        id: Its name in the corpus.
        family: What kind of attack it is.
        turns: The user's messages, without personal data, credentials and protected values.
        goal: What counts as success.
        maps: OWASP and ATLAS ids.
        source: Digest of the file that it came from.
    """

    id: str
    family: str
    turns: tuple[str, ...]
    goal: Goal
    maps: tuple[str, ...]
    source: str


def propose(body: bytes, *, family: str, goal: Goal, folder: Path, protected: tuple[str, ...] = ()) -> Proposal:
    """Make a proposal of a transcript and put it into the folder's `review`.

    A transcript is JSON with `turns` (each with `prompt`), or `messages` as OpenAI writes them.

    Args:
        body: The transcript.
        family: What kind of attack it is.
        goal: What counts as success.
        folder: The corpus.
        protected: Values that no corpus may hold.

    Raises:
        RedteamError: It is no transcript, it still discloses something after redaction, an echo of it would count as
            success, it is like an attack that is there, or the folder cannot be written.
    """
    turns = tuple(_clean(text, protected) for text in _prompts(body))
    if any(discloses("\n".join(turns), [value]) for value in protected):
        raise RedteamError("The transcript holds a protected value in a code.", remedy="Remove it by hand.")
    if isinstance(goal, Say) and any(goal.text.casefold() in text.casefold() for text in turns):
        raise RedteamError("An echo of the prompt would count as success.", remedy="Choose another goal.")
    if twin := _twin(turns, folder):
        raise RedteamError(f"The corpus holds {twin}, which is like it.", remedy="Nothing needs to be added.")
    maps = next((known.maps for known in FAMILIES if known.id == family), ("LLM01:2025", "AML.T0051"))
    digest = sha256_hex("\x00".join(turns).encode("utf-8", "surrogatepass"))
    found = Proposal(
        id=f"{family[:40]}-{digest[:12]}", family=family, turns=turns, goal=goal, maps=maps, source=sha256_hex(body)
    )
    _write(folder / REVIEW / f"{found.id}.json", msgspec.json.format(msgspec.json.encode(found), indent=2))
    return found


def accept(name: str, *, reviewer: _Reviewer, folder: Path) -> CorpusLedger:
    """Take a proposal that somebody read into the corpus, as a new version.

    Args:
        name: The proposal's id.
        reviewer: Who read it.
        folder: The corpus.

    Raises:
        RedteamError: There is no such proposal, the reviewer has no name, the corpus was changed by hand, or it cannot
            be written.
    """
    if not reviewer.strip():
        raise RedteamError("A proposal is accepted by somebody.", remedy="Name the reviewer.")
    try:
        body = read(folder, f"{REVIEW}/{name}.json", limit=_MAX_BYTES).body
        found = msgspec.json.decode(body, type=Proposal)
    except (CoreError, msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise RedteamError(f"There is no proposal {name!r}.", remedy=f"Look into {REVIEW} in the corpus.") from error
    if any(item.id == found.id for item in _attacks(folder)):
        raise RedteamError(f"The corpus holds {found.id} already.", remedy="Remove the proposal.")
    today = dt.datetime.now(dt.UTC).date().isoformat()
    entry = Entry(id=found.id, source=found.source, reviewer=reviewer.strip(), accepted=today)
    ledger = append([row_of(found)], [entry], folder)
    (folder / REVIEW / f"{name}.json").unlink()
    return ledger


def append(rows: list[bytes], entries: list[Entry], folder: Path) -> CorpusLedger:
    """Add rows to a corpus, as its next version.

    Raises:
        RedteamError: The corpus was changed by hand, or it cannot be written.
    """
    earlier = _ledger(folder)
    before = (folder / _ROWS).read_bytes() if (folder / _ROWS).is_file() else b""
    joined = before + (b"\n" if before and not before.endswith(b"\n") else b"") + b"".join(row + b"\n" for row in rows)
    _write(folder / _ROWS, joined)
    ledger = CorpusLedger(
        version=earlier.version + 1, sha256=digest_of(_bodies(folder)), entries=(*earlier.entries, *entries)
    )
    _write(folder / LEDGER, msgspec.json.format(msgspec.json.encode(ledger), indent=2))
    return ledger


def row_of(attack: Attack | Proposal) -> bytes:
    """An attack, or the proposal of one, as a row of a corpus."""
    row = {"id": attack.id, "family": attack.family, "turns": attack.turns, "goal": attack.goal, "maps": attack.maps}
    return msgspec.json.encode(row)


def twins(attacks: tuple[Attack, ...], folder: Path) -> frozenset[str]:
    """Ids of the attacks that are like one that the corpus holds."""
    return frozenset(item.id for item in attacks if _twin(tuple(typed(turn) for turn in item.turns), folder))


def _ledger(folder: Path) -> CorpusLedger:
    if (folder / _ROWS).is_file():
        load_folder(folder)
    if not (folder / LEDGER).is_file():
        return CorpusLedger(version=0, sha256="", entries=())
    return msgspec.json.decode((folder / LEDGER).read_bytes(), type=CorpusLedger)


def _bodies(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.glob("*.jsonl"))}


def _attacks(folder: Path) -> tuple[Attack, ...]:
    return load_folder(folder).attacks if any(folder.glob("attacks_*.jsonl")) else ()


def _prompts(body: bytes) -> list[str]:
    try:
        found: object = msgspec.json.decode(body)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise RedteamError("The transcript is not JSON.", remedy="Give 'turns' or 'messages'.") from error
    given = cast("dict[str, object]", found) if isinstance(found, dict) else {}
    rows = given.get("turns") or given.get("messages") or given.get("prompts")
    texts: list[str] = []
    for row in cast("list[object]", rows) if isinstance(rows, list) else []:
        one = cast("dict[str, object]", row) if isinstance(row, dict) else {"prompt": row}
        text = one.get("prompt") or (_said(one.get("content")) if one.get("role") == "user" else None)
        if isinstance(text, str) and text.strip():
            texts.append(text)
    if not texts:
        raise RedteamError("The transcript holds no message of a user.", remedy="Give 'turns' or 'messages'.")
    return texts


def _said(content: object) -> object:
    """A message's text, also where it comes in parts. Parts without text, such as pictures, cannot be sent again."""
    if not isinstance(content, list):
        return content
    parts = [cast("dict[str, object]", part) for part in cast("list[object]", content) if isinstance(part, dict)]
    return "\n".join(text for part in parts if isinstance(text := part.get("text"), str))


def _clean(text: str, protected: tuple[str, ...]) -> str:
    for value in protected:
        text = text.replace(value, "[PROTECTED]")
    for _ in range(4):
        spans = sorted((*find_pii(text), *find_secrets(text)))
        if not spans:
            break
        text = _replaced(text, spans)
    return text


def _replaced(text: str, spans: list[Span]) -> str:
    pieces: list[str] = []
    done = 0
    for span in spans:
        if span.start >= done:
            pieces += [text[done : span.start], f"[{span.label.rpartition('.')[2].upper()}]"]
        done = max(done, span.end)
    return "".join((*pieces, text[done:]))


def _twin(turns: tuple[str, ...], folder: Path) -> str:
    wanted = _shingles(" ".join(turns))
    known = [(item.id, " ".join(typed(turn) for turn in item.turns)) for item in _attacks(folder)]
    for family in FAMILIES:
        known += [(f"{family.id}-s{place + 1:02d}", seed.payload) for place, seed in enumerate(family.seeds)]
    for name, text in known:
        other = _shingles(text)
        if len(wanted & other) >= ALIKE * len(wanted | other):
            return name
    return ""


def _shingles(text: str) -> set[str]:
    plain = " ".join("".join(c if c.isalnum() else " " for c in text.casefold()).split())
    return {plain[place : place + _SHINGLE] for place in range(max(1, len(plain) - _SHINGLE + 1))}


def _write(path: Path, body: bytes) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = path.with_name(f".{path.name}.new")
        fresh.write_bytes(body)
        fresh.replace(path)
    except OSError as error:
        raise RedteamError(f"{path.name} cannot be written.", remedy="Give this user permission.") from error
