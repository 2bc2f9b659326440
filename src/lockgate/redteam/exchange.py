"""Attacks in the formats of other tools: garak, PyRIT, promptfoo and spikee, read and written.

What one of them cannot say travels in a field of ours that they keep (`notes`, `metadata`), so that an export read back
is the same attack. Rows of theirs that no judge of ours could judge are left out and counted, never guessed.

Formats as of 2026: garak's `report.jsonl` (entries of type `attempt`) and `hitlog.jsonl`, PyRIT's seed datasets in YAML
(`seeds`, formerly `prompts`), promptfoo's test cases in YAML (`tests`) and its results in JSON, spikee's data sets,
instructions and results in JSON Lines.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import cast

import msgspec
import yaml

from lockgate.core import strict_yaml
from lockgate.core.errors import LockgateError
from lockgate.core.subject import sha256_hex
from lockgate.redteam.corpus import Attack
from lockgate.redteam.errors import RedteamError
from lockgate.redteam.goal import Goal, Leak, Say
from lockgate.redteam.message import Fetched, Prompt, typed

FORMATS = ("garak", "pyrit", "promptfoo", "spikee")
MAX_ROWS = 10_000
_OURS = "lockgate"
_MAPS = ("LLM01:2025", "AML.T0051")
_LONGEST = 20_000
_PYRIT_DEFAULTS = ("data_type", "harm_categories", "dataset_name", "seed_type", "is_objective")
_SPIKEE_TEXTS = ("content", "text", "input", "instruction")
_SPIKEE_PLACES = ("<INSTRUCTION>", "<PLACEHOLDER>")
_REFUSED_JUDGES = ("regex", "llm_judge")

Row = dict[str, object]


class Imported(msgspec.Struct, frozen=True):
    """What a file of another tool held.

    Attributes:
        attacks: What can be sent and judged.
        assumed: How many of them say nothing that decides about success; they take the goal that was given.
        left_out: Why rows were left out, with how many.
    """

    attacks: tuple[Attack, ...]
    assumed: int
    left_out: dict[str, int]


class _Kept(msgspec.Struct, frozen=True):
    """Our attack, word for word, inside another tool's row."""

    id: str
    family: str
    turns: tuple[str | Fetched, ...]
    goal: Goal
    maps: tuple[str, ...]


class _Found(msgspec.Struct, frozen=True):
    turns: tuple[Prompt, ...]
    family: str
    says: str = ""
    kept: object = None
    problem: str = ""


def import_attacks(body: bytes, source: str, *, goal: Goal | None = None) -> Imported:
    """Read attacks of another tool.

    Args:
        body: The file.
        source: `garak`, `pyrit`, `promptfoo` or `spikee`.
        goal: What counts as success where a row does not say it in a way that a judge of ours can read; by default a
            protected value or the system prompt.

    Raises:
        RedteamError: The format is unknown, or the file is not of it.
    """
    if source not in _READERS:
        raise RedteamError(f"The format {source!r} is not known.", remedy=f"Use one of {', '.join(FORMATS)}.")
    attacks: dict[str, Attack] = {}
    left_out: dict[str, int] = {}
    assumed = 0
    for number, found in enumerate(_READERS[source](body)):
        if number >= MAX_ROWS:
            raise RedteamError(f"The file holds more than {MAX_ROWS:,} rows.", remedy="Split it.")
        problem = found.problem or _problem(found)
        if problem:
            left_out[problem] = left_out.get(problem, 0) + 1
            continue
        attack = _attack(found, source, goal or Leak())
        if attack.id in attacks:
            left_out["it occurs twice"] = left_out.get("it occurs twice", 0) + 1
            continue
        assumed += not found.says and not found.kept
        attacks[attack.id] = attack
    return Imported(tuple(attacks.values()), assumed, left_out)


def export_attacks(attacks: Sequence[Attack], target: str) -> bytes:
    """Write attacks for another tool.

    Args:
        attacks: What to write.
        target: `garak`, `pyrit`, `promptfoo` or `spikee`.

    Raises:
        RedteamError: The format is unknown.
    """
    if target not in _WRITERS:
        raise RedteamError(f"The format {target!r} is not known.", remedy=f"Use one of {', '.join(FORMATS)}.")
    return _WRITERS[target](attacks)


def _problem(found: _Found) -> str:
    if not found.turns or not all(typed(turn).strip() for turn in found.turns):
        return "it holds no text"
    if len(found.turns) > 16 or any(len(typed(turn)) > _LONGEST for turn in found.turns):  # noqa: PLR2004 - the corpus'
        return "it is longer than a row of a corpus may be"
    if found.says and any(found.says.casefold() in typed(turn).casefold() for turn in found.turns):
        return "the text that it wants to hear is in its own prompt, so an echo would count"
    return ""


def _attack(found: _Found, source: str, goal: Goal) -> Attack:
    if found.kept is not None:
        try:
            kept = msgspec.convert(found.kept, _Kept)
            return Attack(id=kept.id, family=kept.family, turns=kept.turns, goal=kept.goal, maps=kept.maps, half="seen")
        except msgspec.ValidationError as error:
            raise RedteamError("A row's lockgate field is damaged.", remedy="Export it again.") from error
    digest = sha256_hex("\x00".join(typed(turn) for turn in found.turns).encode("utf-8", "surrogatepass"))
    return Attack(
        id=f"{source}-{digest[:16]}",
        family=_slug(found.family) or source,
        turns=found.turns,
        goal=Say(text=" ".join(found.says.split())) if found.says else goal,
        maps=_MAPS,
        half="seen",
    )


def _slug(text: str) -> str:
    return "-".join("".join(c if c.isascii() and c.isalnum() else " " for c in text.lower()).split())[:60].strip("-")


def _lines(body: bytes, source: str) -> Iterator[Row]:
    for number, line in enumerate(body.splitlines(), start=1):
        if not line.strip():
            continue
        try:
            row: object = msgspec.json.decode(line)
        except (msgspec.MsgspecError, RecursionError) as error:
            raise RedteamError(f"Line {number} is not JSON.", remedy=f"Give a file of {source}.") from error
        if not isinstance(row, dict):
            raise RedteamError(f"Line {number} is no JSON object.", remedy=f"Give a file of {source}.")
        yield cast("Row", row)


def _document(body: bytes, source: str, *keys: str, defaults: Sequence[str] = ()) -> Iterator[Row]:
    """The rows under the first of `keys`, with what the document says for all of them under `defaults`."""
    try:
        document = strict_yaml.load(body, name=source)
    except LockgateError as error:
        raise RedteamError(error.message, remedy=error.remedy) from error
    held = cast("Row", document) if isinstance(document, dict) else {keys[0]: document}
    rows = next((held[key] for key in keys if key in held), None)
    if rows is None and "redteam" in held:
        raise RedteamError(
            "The file says which attacks to make and holds none.",
            remedy="Run 'promptfoo redteam generate' and give the file that it writes.",
        )
    if not isinstance(rows, list) or not all(isinstance(row, dict | str) for row in cast("list[object]", rows)):
        raise RedteamError(f"The file holds no list {keys[0]!r}.", remedy=f"Give a file of {source}.")
    common = {key: held[key] for key in defaults if held.get(key) is not None}
    for row in cast("list[Row | str]", rows):
        yield common | ({"value": row} if isinstance(row, str) else row)


def _part(row: object, *keys: str) -> object:
    found = row
    for key in keys:
        found = _get(found, key)
    return found


def _get(found: object, key: str) -> object:
    return cast("Row", found).get(key) if isinstance(found, dict) else None


def _string(found: object) -> str:
    return found if isinstance(found, str) else ""


def _strings(found: object) -> list[str]:
    return [one for one in cast("list[object]", found) if isinstance(one, str)] if isinstance(found, list) else []


def _garak(body: bytes) -> Iterator[_Found]:
    for row in _lines(body, "garak"):
        # A log of hits has no types: every line is an attempt that got through.
        if row.get("entry_type", "attempt" if "attempt_id" in row else "") != "attempt":
            continue
        prompt = row.get("prompt")
        turns = _part(row, "prompt", "turns")
        if isinstance(turns, list):
            said = [
                _string(_part(cast("Row", turn), "content", "text"))
                for turn in cast("list[object]", turns)
                if isinstance(turn, dict) and cast("Row", turn).get("role") == "user"
            ]
        else:
            said = [_string(_part(row, "prompt", "text")) or _string(prompt)]
        targets = [*_strings(row.get("targets")), *_strings(_part(row, "notes", "triggers"))]
        yield _Found(
            tuple(said),
            _string(row.get("probe_classname")) or _string(row.get("probe")),
            says=targets[0] if targets else "",
            kept=_part(row, "notes", _OURS),
        )


def _pyrit(body: bytes) -> Iterator[_Found]:
    groups: dict[str, list[Row]] = {}
    for number, row in enumerate(_document(body, "PyRIT", "seeds", "prompts", defaults=_PYRIT_DEFAULTS)):
        named = _string(row.get("prompt_group_alias")) or _string(row.get("prompt_group_id"))
        groups.setdefault(named or f"\x00{number}", []).append(row)
    for rows in groups.values():
        prompts = [
            row
            for row in rows
            if not row.get("is_objective")
            and row.get("seed_type", "prompt") == "prompt"
            and (row.get("role") is None or row["role"] == "user")
        ]
        prompts.sort(key=_sequence)
        first = prompts[0] if prompts else rows[0]
        problem = "" if prompts else "it is an objective without a prompt"
        if any(row.get("data_type", "text") != "text" for row in prompts):
            problem = "it is no text"
        elif any(row.get("parameters") for row in prompts):
            problem = "it is a template that somebody has to fill in"
        harms = _strings(first.get("harm_categories"))
        kept = _string(_part(first, "metadata", _OURS))
        wanted = [text for row in rows for text in _expected(row)]
        yield _Found(
            tuple(_string(row.get("value")) for row in prompts),
            harms[0] if harms else _string(first.get("dataset_name")),
            says=wanted[0] if wanted else "",
            kept=_json(kept) if kept else None,
            problem=problem,
        )


def _expected(row: Row) -> Iterator[str]:
    """Texts that an answer must hold for success, of a seed's conditions."""
    conditions = row.get("conditions")
    for condition in cast("list[object]", conditions) if isinstance(conditions, list) else []:
        if _get(condition, "condition_type") == "output_matches":
            matcher = _get(condition, "matcher")
            if _get(matcher, "matcher_type") == "contains" and (text := _string(_get(matcher, "value")).strip()):
                yield text


def _sequence(row: Row) -> int:
    number = row.get("sequence", 0)
    return number if isinstance(number, int) else 0


def _json(text: str) -> object:
    try:
        return cast("object", msgspec.json.decode(text))
    except msgspec.MsgspecError:
        return text


def _promptfoo(body: bytes) -> Iterator[_Found]:
    for row in _promptfoo_rows(body):
        case = cast("Row", row["testCase"]) if isinstance(row.get("testCase"), dict) else row
        given = case.get("vars", row.get("vars"))
        texts = cast("Row", given) if isinstance(given, dict) else {}
        named = [key for key in ("prompt", "query", "question", "input", "message") if isinstance(texts.get(key), str)]
        only = next((one for one in texts.values() if isinstance(one, str)), "")
        # What was sent in the end is in the result: a strategy may have reworded what the test says.
        said = _conversation(row) or (
            _string(texts[named[0]]) if named else only or _string(_part(row, "prompt", "raw")),
        )
        # A test passes when the answer is harmless, so what it must not contain is what the attack wants to hear.
        checks = cast("list[object]", case["assert"]) if isinstance(case.get("assert"), list) else []
        wanted = [
            _string(cast("Row", check).get("value"))
            for check in checks
            if isinstance(check, dict) and _string(cast("Row", check).get("type")) in {"not-contains", "not-icontains"}
        ]
        metas = [_part(place, "metadata") for place in (case, row)]
        families = (_string(_get(meta, key)) for key in ("pluginId", "category") for meta in metas)
        kept = _get(metas[0], _OURS)
        yield _Found(said, next(filter(None, families), ""), says=wanted[0] if wanted else "", kept=kept)


def _promptfoo_rows(body: bytes) -> Iterator[Row]:
    """Test cases of a configuration, or the rows of a results file (`promptfoo eval --output results.json`)."""
    if not body.lstrip().startswith(b"{"):
        yield from _document(body, "promptfoo", "tests")
        return
    try:
        held: object = msgspec.json.decode(body)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise RedteamError("The file is not JSON.", remedy="Give a file of promptfoo.") from error
    # Since version 3 the rows are one level deeper, beside the evaluation's own facts.
    rows = next(
        (one for one in (_part(held, "results", "results"), _get(held, "results"), _get(held, "tests")) if one), None
    )
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in cast("list[object]", rows)):
        raise RedteamError("The file holds no list 'tests' or 'results'.", remedy="Give a file of promptfoo.")
    yield from cast("list[Row]", rows)


def _conversation(row: Row) -> tuple[str, ...]:
    """What the user said in a conversation that a strategy of several turns led."""
    said = _part(row, "response", "metadata", "messages")
    turns = cast("list[object]", said) if isinstance(said, list) else []
    return tuple(_string(_get(turn, "content")) for turn in turns if _get(turn, "role") == "user")


def _spikee(body: bytes) -> Iterator[_Found]:
    for row in _lines(body, "spikee"):
        # Data sets say `content`, formerly `text`, results `input`, instructions of a seed folder `instruction`.
        text = next(filter(None, (_string(row.get(key)) for key in _SPIKEE_TEXTS)), "")
        judge, argument = _string(row.get("judge_name")) or "canary", _string(row.get("judge_args"))
        says = argument if judge == "canary" else ""
        family = _string(row.get("instruction_type")) or _string(row.get("jailbreak_type"))
        problem = "its judge is a pattern or a model of its own" if judge.startswith(_REFUSED_JUDGES) else ""
        if any(place in text for place in _SPIKEE_PLACES):
            problem = "it is a template that somebody has to fill in"
        kept = row.get(_OURS)
        yield _Found((text,), family, says=says, kept=kept, problem="" if kept else problem)


def _kept(attack: Attack) -> Row:
    kept = _Kept(attack.id, attack.family, attack.turns, attack.goal, attack.maps)
    return cast("Row", msgspec.to_builtins(kept))


def _says(attack: Attack) -> str:
    return attack.goal.text if isinstance(attack.goal, Say) else ""


def _to_garak(attacks: Sequence[Attack]) -> bytes:
    return _as_lines(
        {
            "entry_type": "attempt",
            "seq": number,
            "status": 0,
            "probe_classname": f"lockgate.{attack.family}",
            "targets": [_says(attack)] if _says(attack) else [],
            "prompt": {"turns": [{"role": "user", "content": {"text": typed(turn)}} for turn in attack.turns]},
            "outputs": [],
            "detector_results": {},
            "goal": attack.family,
            "notes": {_OURS: _kept(attack)},
        }
        for number, attack in enumerate(attacks)
    )


def _to_pyrit(attacks: Sequence[Attack]) -> bytes:
    seeds: list[Row] = []
    for attack in attacks:
        for number, turn in enumerate(attack.turns):
            seed: Row = {
                "value": typed(turn),
                "data_type": "text",
                "seed_type": "prompt",
                "harm_categories": [attack.family],
                "prompt_group_alias": attack.id,
                "role": "user",
                "sequence": number,
            }
            # PyRIT's metadata holds texts and numbers alone.
            seeds.append(seed | ({} if number else {"metadata": {_OURS: json.dumps(_kept(attack))}}))
    return _as_yaml({"dataset_name": "lockgate", "seeds": seeds})


def _to_promptfoo(attacks: Sequence[Attack]) -> bytes:
    tests: list[Row] = []
    for attack in attacks:
        metadata: Row = {"pluginId": attack.family, _OURS: _kept(attack)}
        test: Row = {"vars": {"prompt": "\n\n".join(typed(turn) for turn in attack.turns)}, "metadata": metadata}
        tests.append(test | ({"assert": [{"type": "not-icontains", "value": _says(attack)}]} if _says(attack) else {}))
    return _as_yaml({"prompts": ["{{prompt}}"], "tests": tests})


def _to_spikee(attacks: Sequence[Attack]) -> bytes:
    return _as_lines(
        {
            "id": number,
            "long_id": attack.id,
            "content": "\n\n".join(typed(turn) for turn in attack.turns),
            "content_type": "text",
            "judge_name": "canary",
            "judge_args": _says(attack),
            "jailbreak_type": attack.family,
            "instruction_type": attack.family,
            _OURS: _kept(attack),
        }
        for number, attack in enumerate(attacks, start=1)
    )


def _as_lines(rows: Iterable[Row]) -> bytes:
    return b"".join(msgspec.json.encode(row) + b"\n" for row in rows)


def _as_yaml(document: Row) -> bytes:
    return yaml.safe_dump(document, allow_unicode=True, sort_keys=False, width=1 << 20).encode()


_READERS: dict[str, Callable[[bytes], Iterator[_Found]]] = {
    "garak": _garak,
    "pyrit": _pyrit,
    "promptfoo": _promptfoo,
    "spikee": _spikee,
}
_WRITERS: dict[str, Callable[[Sequence[Attack]], bytes]] = {
    "garak": _to_garak,
    "pyrit": _to_pyrit,
    "promptfoo": _to_promptfoo,
    "spikee": _to_spikee,
}
