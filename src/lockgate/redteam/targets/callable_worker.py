"""Calls a Python function for the red team, in a process of its own that can be ended.

Started as a script: `python callable_worker.py MODULE FUNCTION [numbers]`.
One JSON object a line comes in, one goes out. What
the function prints goes to standard error, so it cannot be taken for an answer.
"""

import asyncio
import importlib
import inspect
import json
import os
import sys
from collections.abc import Callable
from typing import Any, TextIO

NUMBERS = "numbers"


def load(module: str, name: str) -> Callable[[list[dict[str, Any]]], object]:
    """The function, by the names of its module and of itself (dots lead into objects)."""
    found: Any = importlib.import_module(module)
    for part in name.split("."):
        found = getattr(found, part)
    if not callable(found):
        raise TypeError(name)
    return found


def shaped(result: object) -> dict[str, Any]:
    """What a function returned, as an answer: a text, or `content` with `tool_calls` of `name` and `arguments`.

    A call may also be nested in `function`, as OpenAI words it, and the object may be a message of its client.
    """
    if isinstance(result, str):
        return {"text": result}
    if callable(dump := getattr(result, "model_dump", None)):
        result = dump()
    if isinstance(result, dict):
        given: dict[str, Any] = result  # pyright: ignore[reportUnknownVariableType] - a stranger's object, checked below
        calls = [
            {"name": str(call["name"]), "arguments": _text(call.get("arguments", {}))}
            for call in (one.get("function") or one for one in given.get("tool_calls") or ())
        ]
        return {"text": _said(given.get("content")), "calls": calls}
    raise TypeError("neither a text nor an object with 'content'")


def _said(content: object) -> str:
    """The text of `content`, also where it comes in parts. What is no text cannot be judged."""
    if content is None or isinstance(content, str):
        return content or ""
    texts: list[Any] = [_part(part) for part in content] if isinstance(content, list) else [None]  # pyright: ignore[reportUnknownVariableType] - a stranger's object, checked below
    if all(isinstance(text, str) for text in texts):
        return "".join(texts)
    raise TypeError("'content' is neither a text nor a list of parts with 'text'")


def _part(part: Any) -> object:
    given: dict[str, Any] = part if isinstance(part, dict) else {"text": part}  # pyright: ignore[reportUnknownVariableType] - same
    return given.get("text", given.get("refusal"))


def _text(arguments: object) -> str:
    return arguments if isinstance(arguments, str) else json.dumps(arguments)


def numbered(result: object) -> dict[str, Any]:
    """What a function returned, where a number is an answer, too: also one of NumPy's."""
    if hasattr(result, "__float__"):
        return {"text": repr(float(result))}  # pyright: ignore[reportArgumentType] - it has just been looked for
    return shaped(result)


def serve(
    function: Callable[[list[dict[str, Any]]], object],
    answers: TextIO,
    shape: Callable[[object], dict[str, Any]] = shaped,
) -> None:
    """Answer line by line until the input ends."""
    for line in sys.stdin:
        try:
            result = function(json.loads(line)["messages"])
            if inspect.isawaitable(result):
                result = asyncio.run(_finish(result))
            said = shape(result)
        except Exception as error:  # noqa: BLE001 - whatever a stranger's function raises is an answer that is missing
            said = {"error": type(error).__name__}
        answers.write(json.dumps(said) + "\n")
        answers.flush()


async def _finish(result: Any) -> object:
    return await result


def main() -> None:
    """Load the function, say so, and serve."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    sys.path.insert(0, os.getcwd())  # noqa: PTH109 - pathlib costs start-up time here
    try:
        function = load(sys.argv[1], sys.argv[2])
    except Exception as error:  # noqa: BLE001 - importing a stranger's module may raise anything
        answers.write(json.dumps({"error": type(error).__name__}) + "\n")
        answers.flush()
        return
    answers.write(json.dumps({"text": "ready"}) + "\n")
    answers.flush()
    serve(function, answers, numbered if sys.argv[3:] == [NUMBERS] else shaped)


if __name__ == "__main__":
    main()
