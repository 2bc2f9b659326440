"""The guard's decision on one text or tool call."""

from enum import StrEnum

import msgspec


class Origin(StrEnum):
    """Where a text comes from: an imperative is normal from a user and suspicious in a document."""

    USER = "user"
    DOCUMENT = "document"
    TOOL = "tool"
    MODEL = "model"


class Action(StrEnum):
    """What happens to the text, from mildest to strictest."""

    ALLOW = "allow"
    REDACT = "redact"
    HOLD = "hold"
    BLOCK = "block"


class Span(msgspec.Struct, frozen=True, order=True):
    """A detector's match.

    Attributes:
        start: Offset of the first code point in the text that was inspected.
        end: Offset behind the last one.
        label: What it is, for instance `pii.email`, `secret.aws-access-key`, `injection.override`.
        score: How sure the detector is, 0 to 1.
    """

    start: int
    end: int
    label: str
    score: float = 1.0


class Reason(msgspec.Struct, frozen=True):
    """Why a verdict is not ALLOW: a span of the original text, and one sentence that does not quote it."""

    span: Span
    message: str


class Verdict(msgspec.Struct, frozen=True):
    """What the guard decided.

    Attributes:
        action: What must happen to the text.
        score: How likely the text is a prompt injection, 0 to 1, monotone.
        reasons: Why, in the order of the text.
        text: The text to use from here on: redacted where `action` is REDACT, empty where it is BLOCK or HOLD.
    """

    action: Action
    score: float
    reasons: tuple[Reason, ...]
    text: str
