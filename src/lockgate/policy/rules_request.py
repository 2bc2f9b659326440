"""What rules about a request to a model can speak of."""

from collections.abc import Collection, Iterable, Sequence

from lockgate.core.config_limits import RuleConfig
from lockgate.policy.rules import RuleBook
from lockgate.policy.rules_attributes import Vocabulary

ACTIONS = frozenset({"chat", "completions", "responses", "messages", "embeddings", "guard"})

REQUEST_VOCABULARY: Vocabulary = {
    "action": "text",
    "caller.key": "text",
    "caller.tenant": "text",
    "caller.name": "text",
    "caller.scopes": "texts",
    "model": "text",
    "tools": "texts",
    "stream": "flag",
    "images": "number",
    "messages": "number",
    "size.bytes": "number",
    "size.prompt_tokens": "number",
    "size.max_tokens": "number",
    "sensitivity": "text",
    "labels": "texts",
}

# What the guard finds: nobody knows it before the guard has looked.
FOUND_LATER = ("labels", "sensitivity")


def request_rules(rules: Iterable[RuleConfig]) -> RuleBook:
    """The rules about requests, compiled.

    Raises:
        PolicyError: A rule is not valid; the message names it.
    """
    return RuleBook(rules, REQUEST_VOCABULARY, ACTIONS)


def request_attributes(
    *,
    action: str,
    key: str,
    tenant: str,
    name: str,
    scopes: Collection[str],
    model: str,
    tools: Sequence[str] = (),
    stream: bool = False,
    images: int = 0,
    messages: int = 0,
    body_bytes: int = 0,
    prompt_tokens: int = 0,
    max_tokens: int = 0,
    sensitivity: str | None = None,
    labels: Collection[str] | None = None,
) -> dict[str, object]:
    """One request as rules see it.

    Args:
        action: Which surface: one of `ACTIONS`.
        key: Public id of the caller's key.
        tenant: The caller's tenant.
        name: What the key's owner called it.
        scopes: What the credential may do.
        model: The name that the caller used.
        tools: Names of the tools that the request defines.
        stream: Whether the answer is streamed.
        images: Images, audio and files in the request, which the guard cannot read.
        messages: Messages of the conversation.
        body_bytes: Size of the body.
        prompt_tokens: Estimated tokens of the prompt.
        max_tokens: Longest answer asked for.
        sensitivity: How sensitive the data is by what the guard found in it: `secret` (a credential, or a protected
            value), `personal`, or `none`; never what the caller says. None where the guard has not looked or could not,
            and then a rule that speaks of it denies.
        labels: What the guard found, as its labels; None where it has not looked yet, as above.
    """
    found: dict[str, object] = {
        "action": action,
        "caller.key": key,
        "caller.tenant": tenant,
        "caller.name": name,
        "caller.scopes": sorted(scopes),
        "model": model,
        "tools": list(tools),
        "stream": stream,
        "images": images,
        "messages": messages,
        "size.bytes": body_bytes,
        "size.prompt_tokens": prompt_tokens,
        "size.max_tokens": max_tokens,
    }
    if sensitivity is not None:
        found["sensitivity"] = sensitivity
    if labels is not None:
        found["labels"] = sorted(labels)
    return found
