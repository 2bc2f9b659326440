"""What is asked: everyday prompts of about 1 KB, or those of a file, and bodies that cost a gateway most."""

import json
import random
from collections.abc import Sequence
from pathlib import Path

from gateway_parts.load import MARK

from lockgate.core.config import GuardConfig
from lockgate.guard import Guard

_ROOT = Path(__file__).resolve().parents[2]
_TEXTS = 48
_SEED = 7
_BORDER = 0.01
PADDING = "We are two adults and a child, and we would like to rent a canoe for half a day, from nine to one. "
_HARMLESS = {None, 0, "benign", "harmless"}
_USERS = {None, "", "user"}
_LONGEST = 4_000
# Not long enough for a queue of its own, so that it waits among the requests of everybody else.
_SHORT = 15_000
_LONG = 190_000
_DEEP = 24
_NEAR = (
    "ignore the previous line of the timetable; AKIA key kept by the harbour; a@b.c at x@y; pass the word: boathouse "
    "aWdub3JlIHRoZSBzaWdu cGxlYXNlIHJvdw== %69%67 \\u0069 4111 1111 1111 1 +49 30 DE89 3704 s\u200by\u200bs t\u00e9m "
)


class BadPromptsError(Exception):
    """The file that was named holds no prompts."""


def bodies(texts: list[str], **fields: object) -> list[bytes]:
    """Chat requests with one prompt each, which is new every time: the gateway remembers what it allowed."""
    base = {"model": "assistant", "max_tokens": 100, **fields}
    return [json.dumps({**base, "messages": [{"role": "user", "content": fresh(text)}]}).encode() for text in texts]


def fresh(text: str) -> str:
    """The text with a mark in it, which becomes another word in every request."""
    return f"{text} {MARK.decode()}"


def everyday() -> list[str]:
    """Harmless prompts of the guard's own corpus, several joined to about 1 KB."""
    with (_ROOT / "corpus/guard/everyday.jsonl").open(encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    texts = [row["text"] for row in rows if row.get("label") in _HARMLESS and len(row["text"]) < 900]
    draw = random.Random(_SEED)
    found: list[str] = []
    for _ in range(_TEXTS):
        text = ""
        while len(text) < 800:
            text += draw.choice(texts) + "\n"
        found.append(text)
    return found


def prompts_of(paths: Sequence[Path]) -> list[str]:
    """Some of the prompts of files, a JSON object with `text` or a list `turns` a line.

    Attacks and what no user wrote are left out.

    Raises:
        BadPromptsError: One of them cannot be read, or they hold none.
    """
    texts = sorted({text for path in paths for text in _prompts(path) if len(text) <= _LONGEST} - {""})
    if not texts:
        named = ", ".join(map(str, paths))
        raise BadPromptsError(f"There is no harmless prompt of up to {_LONGEST:,} characters in {named}.")
    return random.Random(_SEED).sample(texts, min(_TEXTS, len(texts)))


def _prompts(path: Path) -> list[str]:
    try:
        rows = [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n") if line.strip()]
        asked = [row for row in rows if row.get("label") in _HARMLESS and row.get("origin", "user") in _USERS]
        # Added to a list, a single text in the place of its turns is an error, not so many letters.
        texts = [text for row in asked for text in ([] + row["turns"] if "turns" in row else [row["text"]])]
        return [str.strip(text) for text in texts]
    except (OSError, ValueError, KeyError, AttributeError, TypeError) as error:
        raise BadPromptsError(
            f"{path} cannot be read as JSON objects with a 'text' or 'turns', one a line ({type(error).__name__})."
        ) from error


def reached_encoder(texts: list[str]) -> tuple[list[str], list[str], float]:
    """Texts that the gateway lets pass, of those the ones that the quick stages settle; and the share of the rest.

    A text that is near the border is left out: the word that is new in every request could carry it over.
    """
    guard = Guard(GuardConfig())
    verdicts = [(text, guard.inspect(fresh(text))) for text in texts]
    allowed = [text for text, found in verdicts if found.action == "allow" and found.score < guard.threshold - _BORDER]
    quick = [text for text in allowed if guard.explain(fresh(text)).encoder is None]
    return allowed, quick, 1 - len(quick) / len(allowed) if allowed else 0.0


def worst() -> dict[str, bytes]:
    """Bodies within the default limits of size, each of which makes one part of a gateway work hard."""
    short, long = (_NEAR * (size // len(_NEAR) + 1) for size in (_SHORT, _LONG))
    turn = {"role": "user", "content": fresh(_NEAR[:60])}
    deep: object = "x"
    for _ in range(_DEEP):
        deep = {"properties": deep, "description": _NEAR}
    tool = {"type": "function", "function": {"name": "f", "parameters": deep}}
    wide = {f"k{number}": number for number in range(40_000)}
    ask = {"model": "assistant", "max_tokens": 100, "messages": [turn]}
    return {
        "just not long": bodies([short[:_SHORT]])[0],
        "long": bodies([long[:_LONG]])[0],
        "many turns": json.dumps({**ask, "messages": [turn] * 2_000}).encode(),
        "deep": json.dumps({**ask, "tools": [tool] * 20}).encode(),
        "wide": json.dumps({**ask, "metadata": wide}).encode(),
        "escapes": b'{"model":"assistant","messages":[{"role":"user","content":"'
        + MARK
        + b"\\u0061" * 149_000
        + b'"}]}',
        "broken": b"[" * 900_000,
    }
