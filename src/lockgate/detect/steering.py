# ruff: noqa: E501 - one row a shape
"""Finds text that steers a model behind its user's back, where only the frame of a conversation is expected.

A chat template's own text is markup, a default system prompt and the description of tools. Orders to keep silent, to send
something somewhere, to advertise, or to drop rules have no place in it, however politely they are worded. Far too
strict for ordinary prompts, so nothing but templates is judged with it.
"""

from lockgate.core import Span
from lockgate.detect.linear import pattern, project

_TOLD = r"(?:mention|tell|reveal|disclos\w{1,4}|inform|admit|explain|notify|report|acknowledg\w{1,4}|warn|alert|let\s\S{1,12}\sknow|say\swhy|show)"
_WHAT = (
    r"(?:this|that|it|them|anyone|anybody|(?:the|an?)\suser|users|why|instruction\w{0,2}|prompt|rule\w?|sponsor\w{0,6})"
)
_DATA = r"(?:user'?s?\b|conversation|chat\shistory|message\w?|data|credential\w?|passwords?|api\skeys?|secrets?|tokens?|e-?mail\saddress\w{0,2}|personal|history|input)"
_RULES = r"(?:instruction\w?|guideline\w?|rules?|polic\w{1,3}|filter\w?|safety|restriction\w?|question|safeguard\w?|guardrail\w?|system\sprompt|request)"
_WHEN = r"(?:if|when(?:ever)?|every\stime|each\stime|in\severy|in\seach|in\sall|always|as\ssoon\sas|for\severy|for\sany|once)"
_STEER = r"(?:recommend|promote|advertis\w{1,3}|endorse|praise|visit|go\sto|click|include\sthe\slink|add\s(?:a|the|this)\s(?:line|link|url|code|import)|insert|append|prepend|say\s(?:that\s)?there\s(?:is|are)|claim|buy|purchase|invest|enter\s\S{1,12}\s(?:credential|password|card)|download|install|vote)"
_SHAPES = tuple(
    (label, pattern(f"(?i){shape}"))
    for label, shape in (
        ("steering.secrecy", rf"\b(?:do\snot|don'?t|never|must\snot|should\snot|without)\s(?:\w{{1,12}}\s){{0,3}}{_TOLD}(?:ing)?\b[^.\n]{{0,40}}\b{_WHAT}\b"),
        ("steering.secrecy", r"\b(?:secretly|silently|covertly|surreptitiously|stealthily|discreetly|unnoticed|exfiltrat\w{1,4}|without\s(?:the\suser'?s?|their|any\w{0,3})\s(?:knowledge|consent|notic\w{1,3}|mention\w{0,3}))\b"),
        ("steering.secrecy", r"\bwithout\s(?:mentioning|telling|saying|explaining|asking|informing)\b|\bhidden\s(?:html|link|image|text|instruction|tag|message)"),
        ("steering.rules", rf"\b(?:ignore|disregard|forget|bypass|circumvent|skip|drop|set\saside|stop\sfollowing|override\s(?:all|any|your|previous))\b[^.\n]{{0,50}}\b{_RULES}"),
        ("steering.rules", r"\bnever\srefuse|\bno\s(?:restrictions|limits|limitations|filters|rules)\b|\bunrestricted\b|\bdeveloper\smode|\bjailbr\w{2,8}|\bcomply\swith\s(?:all|every|any)|\bpretend\s(?:that|to\sbe\sunable|all)|\bsystem\soverride|\bobey\sonly"),
        ("steering.advice", rf"\b{_WHEN}\b[^.\n]{{0,90}}\b{_STEER}\b"),
        ("steering.advice", rf"\b{_STEER}\b[^.\n]{{0,70}}\b(?:best\sinvestment|in\s(?:every|each|all)\s(?:of\syour\s)?(?:answer|response|repl)\w{{0,3}}|regardless|no\smatter)"),
        ("steering.sending", rf"\b(?:send|forward|upload|transmit|e-?mail|leak|post|exfiltrate|submit)\b[^.\n]{{0,60}}\b{_DATA}[^.\n]{{0,60}}\b(?:to|at|via|into)\b"),
        ("steering.sending", r"\b(?:append|include|add|embed|put|encode)\w{0,3}\b[^.\n]{0,60}\b(?:api\skeys?|credentials?|passwords?|secrets|chat\shistory|the\sconversation|user'?s\s\w{1,12})\b"),
        ("steering.sabotage", r"\b(?:insert|add|introduc\w{1,3}|plant|hide|leave|put|embed|writ\w{1,3}|generat\w{1,3})\b[^.\n]{0,60}\b(?:back\s?doors?|vulnerabilit\w{1,3}|malware|malicious\s\w{1,12}|exploitable\s\w{1,12}|(?:subtle|hidden|deliberate|intentional)\s(?:bug|error|flaw|mistake|weakness)\w{0,2})\b"),
        ("steering.sabotage", r"\bnever\s(?:reveal|mention|report|point\sout|disclose|flag)\b[^.\n]{0,40}\b(?:vulnerabilit\w{1,3}|back\s?doors?|flaws?|bugs|risks?|side\seffects)\b|\b(?:give|provide|return)\b[^.\n]{0,30}\b(?:wrong|false|incorrect|misleading)\s(?:answer|advice|information|result)\w{0,2}\b"),
        ("steering.address", r"\bhttps?://[a-z0-9.-]{3,80}|\bwww\.[a-z0-9-]{2,40}\.[a-z]{2,10}|\b[a-z0-9._%+-]{1,40}@[a-z0-9-]{1,40}(?:\.[a-z0-9-]{1,30}){0,3}\.[a-z]{2,10}\b|<(?:script|iframe|img)\b"),
    )
)  # fmt: skip
_KNOWN_ADDRESSES = (b"http://json-schema.org", b"https://json-schema.org", b"http://www.w3.org", b"https://www.w3.org")


def find_steering(text: str) -> tuple[Span, ...]:
    """Find orders behind the user's back.

    Args:
        text: What a chat template can put into a prompt.

    Returns:
        Sorted spans labelled `steering.secrecy`, `steering.rules`, `steering.advice`, `steering.sending`,
        `steering.sabotage` or `steering.address`.
    """
    data = project(text)
    found: set[Span] = set()
    for label, shape in _SHAPES:
        for match in shape.finditer(data):
            start, end = match.span()
            if not data[start:end].lower().startswith(_KNOWN_ADDRESSES):
                found.add(Span(start, end, label))
    return tuple(sorted(found))
