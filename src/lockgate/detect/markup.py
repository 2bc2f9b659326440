# ruff: noqa: E501 - one row a shape
"""Finds markup that acts when an answer is rendered as HTML or markdown (OWASP LLM05:2025)."""

from lockgate.core import Span
from lockgate.detect.destinations import Destination, scheme, structural
from lockgate.detect.linear import pattern, project

LONGEST = 800
"""Characters that a match may span."""

_EVENTS = (
    "abort|after|animation|auxclick|before|begin|blur|cancel|canplay|change|click|close|contextmenu|copy|cuechange|cut"
    "|dblclick|drag|drop|durationchange|emptied|end|error|focus|formdata|fullscreen|gotpointer|hashchange|input|invalid"
    "|key|languagechange|load|lostpointer|message|mouse|offline|online|page|paste|pause|play|pointer|popstate|progress"
    "|ratechange|readystatechange|repeat|reset|resize|scroll|search|securitypolicy|seek|select|show|slotchange|stalled"
    "|storage|submit|suspend|timeupdate|toggle|touch|transition|unhandledrejection|unload|volumechange|waiting|webkit|wheel"
)
_SHAPES = (
    ("markup.script", pattern(r"(?i)<script(?:$|>|[\s/][^<>]{0,400}>?)")),
    ("markup.handler", pattern(rf"(?i)[\s\"'/]on(?:{_EVENTS})[a-z]{{0,20}}\s{{0,8}}=\s{{0,8}}(?:\"[^\"]{{1,400}}\"?|'[^']{{1,400}}'?|[a-z0-9_&][^\s\"'<>]{{1,400}})")),
    ("markup.frame", pattern(r"(?i)<(?:i?frame|frameset|object|embed|applet|portal|fencedframe)(?:$|>|[\s/][^<>]{0,400}>?)")),
    ("markup.frame", pattern(r"(?i)[\s\"'/]srcdoc\s{0,8}=\s{0,8}(?:\"[^\"]{0,400}\"?|'[^']{0,400}'?)")),
    ("markup.form", pattern(r"(?i)<(?:form|isindex)(?:[\s/][^<>]{0,400})?>|[\s\"'/]formaction\s{0,8}=\s{0,8}[^\s<>]{1,400}")),
    ("markup.meta", pattern(r"(?i)<meta[\s/][^<>]{0,200}http-equiv[^<>]{0,400}>?")),
    ("markup.meta", pattern(r"(?i)<base[\s/][^<>]{0,200}\bhref[^<>]{0,400}>?|<link[\s/][^<>]{0,200}\bhref[^<>]{0,400}>?|<\?xml-stylesheet[^<>]{0,400}>?")),
    ("markup.style", pattern(r"(?i)<style(?:[\s/][^<>]{0,400})?>")),
    ("markup.style", pattern(r"(?i)[\s\"'/]style\s{0,8}=\s{0,8}(?:\"[^\"]{0,300}|'[^']{0,300})(?:url\s{0,4}\(|expression\s{0,4}\(|-moz-binding|behavior\s{0,4}:|@import|image-set\s{0,4}\()[^<>\"']{0,300}")),
    ("markup.style", pattern(r"(?i)@import\s{1,10}(?:url\()?[\"']?(?:https?:|//)[^\s;\"')]{1,400}")),
    ("markup.style", pattern(r"(?i)\[[a-z-]{1,30}\s{0,4}[\^$*|~]=[^\]\n]{0,60}\][^{}\n]{0,60}\{[^{}]{0,200}url\s{0,4}\([^{})]{0,200}\)?")),
    ("markup.svg", pattern(r"(?i)<(?:[a-z]{1,10}:)?(?:foreignobject|use[\s/][^<>]{0,200}href|(?:animate[a-z]{0,10}|set)[\s/][^<>]{0,200}attributename\s{0,4}=\s{0,4}[\"']?(?:on|(?:xlink:)?href))[^<>]{0,400}>?")),
)  # fmt: skip
_ACTIVE_SCHEMES = frozenset({"javascript", "vbscript", "livescript", "data", "blob", "filesystem", "view-source"})
_PICTURES = ("data:image/png", "data:image/jpeg", "data:image/gif", "data:image/webp", "data:image/avif")


def find_markup(text: str) -> tuple[Span, ...]:
    """Find markup that runs code, loads a page or style, sends a form or redirects.

    Plain tags, tables, images and drawings are left alone. Code fences make no difference: which renderer keeps them
    shut is not known here.

    Returns:
        Sorted spans labelled `markup.script`, `.handler`, `.frame`, `.form`, `.meta`, `.style`, `.svg` or `.url`.
    """
    data = project(text)
    found = {Span(*match.span(), label) for label, shape in _SHAPES for match in shape.finditer(data)}
    found.update(Span(place.start, place.end, "markup.url") for place in structural(text) if _is_active(place))
    return tuple(sorted(found))


def _is_active(place: Destination) -> bool:
    return scheme(place.url) in _ACTIVE_SCHEMES and not place.url.lower().startswith(_PICTURES)
