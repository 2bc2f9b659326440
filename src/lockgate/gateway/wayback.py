"""What was changed in a request on its way out and is changed back in its answer."""

from typing import cast

import msgspec

from lockgate.gateway.request import Json
from lockgate.guard import Mode, Prompt, RestoringStream, Vault


class WayBack(msgspec.Struct, frozen=True):
    """How to read an answer to a request that was changed.

    Attributes:
        marks: Characters that were put into texts from elsewhere; in an answer they mean nothing.
        vault: What the tokens in the request stand for; None where nothing is turned back.
    """

    marks: dict[int, None] = {}
    vault: Vault | None = None

    def unmark(self, text: str) -> str:
        """A piece of the answer as the guard shall see it."""
        return text.translate(self.marks) if self.marks else text

    def restore(self, text: str) -> str:
        """A text of the answer, which the guard has let pass, with values for tokens."""
        return self.vault.restore(text) if self.vault else text

    def restore_json(self, text: str) -> str:
        """The same for a text that holds JSON, whose strings stay strings whatever the values hold."""
        if self.vault is None or self.vault.restore(text) == text:
            return text
        try:
            document: object = msgspec.json.decode(text)
        except msgspec.DecodeError:
            return text
        return msgspec.json.encode(_restored(document, self.vault)).decode()

    def stream(self) -> RestoringStream | None:
        """Turns tokens back in an answer that comes in pieces; None where there is nothing to turn back."""
        return RestoringStream(self.vault) if self.vault else None


UNCHANGED = WayBack()


def isolate_results(messages: list[Json], system_prompt: str, mode: Mode) -> tuple[str, dict[int, None]]:
    """Enclose the results of tools, in place, in boundaries drawn for them.

    Args:
        messages: Turns in the shape of chat completions.
        system_prompt: The application's prompt.
        mode: `delimit`, `datamark` or `encode`.

    Returns:
        The system prompt with a notice about each boundary, and the characters that mark them.

    Raises:
        GuardError: A text leaves no mark, so it cannot be set apart.
    """
    results = [message for message in messages if message["role"] == "tool"]
    if not results:
        return system_prompt, {}
    prompt = Prompt(system_prompt)
    for message in results:
        identifier = cast("str", message["tool_call_id"])
        prompt.add_untrusted(cast("str", message["content"]), "tool result", mode, tool_call_id=identifier)
    first, *wrapped = prompt.messages()
    for message, turn in zip(results, wrapped, strict=True):
        message["content"] = turn["content"]
    return cast("str", first["content"]), {ord(spot.mark): None for spot in prompt.spotlights if spot.mark}


def _restored(value: object, vault: Vault) -> object:
    match value:
        case str():
            return vault.restore(value)
        case list():
            return [_restored(item, vault) for item in cast("list[object]", value)]
        case dict():
            return {
                vault.restore(key): _restored(item, vault) for key, item in cast("dict[str, object]", value).items()
            }
        case _:
            return value
