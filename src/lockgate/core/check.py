"""The one contract: a check is a frozen value with one pure method.

Example:
    >>> from lockgate.core import Card, Check, Confidence, Location, Severity, SubjectRef, Status, run
    >>> import msgspec
    >>> class Note(msgspec.Struct, frozen=True):
    ...     ref: SubjectRef
    ...     text: str
    >>> class Shouting(Check[Note], frozen=True):
    ...     '''Finds notes in capitals.'''
    ...     card = Card(id="LG-DEMO-001", title="Shouting", severity=Severity.LOW, confidence=Confidence.HIGH)
    ...     def inspect(self, subject):
    ...         if subject.text.isupper():
    ...             yield self.finding("The note is in capitals.", at=Location(subject.ref.uri))
    >>> run(Shouting(), Note(SubjectRef("note.txt"), "HELP")).status is Status.FAILED
    True
"""

import traceback
from collections.abc import Iterator
from enum import StrEnum
from typing import ClassVar, Generic, TypeVar

import msgspec

from lockgate.core.errors import CoreError, LockgateError, SkippedError
from lockgate.core.finding import Finding, Location, fingerprint
from lockgate.core.levels import Confidence, Severity
from lockgate.core.outcome import Outcome, Status
from lockgate.core.subject import Subject, SubjectRef

S_contra = TypeVar("S_contra", bound=Subject, contravariant=True)


class Maturity(StrEnum):
    """How settled a check is: an experimental one may change its findings in a minor version."""

    EXPERIMENTAL = "experimental"
    STABLE = "stable"


class Cost(StrEnum):
    """What a check costs, so that a policy can choose where to run it."""

    CHEAP = "cheap"
    MODERATE = "moderate"
    EXPENSIVE = "expensive"


class Card(msgspec.Struct, frozen=True, kw_only=True):
    """Fixed facts of a check.

    Attributes:
        id: `LG-<STAGE>-<number>`, never reused.
        title: What it finds, as a noun phrase.
        severity: How bad a finding is by default.
        confidence: How sure it is by default.
        cost: What running it costs.
        maps: Ids in public taxonomies with their year, for instance `LLM03:2025`, `ASI04:2026`, `AML.T0010`.
        since: Version of Lockgate that introduced it.
        maturity: Whether its findings may still change.
    """

    id: str
    title: str
    severity: Severity
    confidence: Confidence
    cost: Cost = Cost.CHEAP
    maps: tuple[str, ...] = ()
    since: str = "0.1.0"
    maturity: Maturity = Maturity.STABLE


class Check(msgspec.Struct, Generic[S_contra], frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Examines one kind of subject and yields findings.

    A subclass's docstring is its manual page, its fields are its configuration, `card` holds its fixed facts. `inspect`
    is pure: no I/O, no clock, no randomness, the same findings for the same facts.
    """

    card: ClassVar[Card]

    def inspect(self, subject: S_contra) -> Iterator[Finding]:
        """Yield what is wrong with `subject`; nothing when all is well.

        Raises:
            SkippedError: The check does not apply to this subject.
        """
        raise NotImplementedError

    def finding(
        self,
        message: str,
        *,
        at: Location,
        severity: Severity | None = None,
        confidence: Confidence | None = None,
    ) -> Finding:
        """Build a finding of this check.

        Args:
            message: One sentence for the reader. Never contains the matched secret or personal data.
            at: Where it lies; refused when it names no subject.
            severity: Overrides the card's.
            confidence: Overrides the card's.
        """
        if not at.uri:
            raise CoreError(f"{self.card.id} built a finding without a location.")
        return Finding(
            check=self.card.id,
            severity=severity or self.card.severity,
            confidence=confidence or self.card.confidence,
            message=message,
            location=at,
            fingerprint=fingerprint(self.card.id, at),
        )


def run(check: Check[S_contra], subject: S_contra) -> Outcome:
    """Run one check on one subject and give one outcome, whatever happens."""
    try:
        findings = tuple(check.inspect(subject))
    except SkippedError as skipped:
        return Outcome(check.card.id, Status.SKIPPED, subject.ref, reason=str(skipped))
    except Exception as error:  # noqa: BLE001 - a check that crashes is ERRORED, whatever it raised
        return Outcome(check.card.id, Status.ERRORED, subject.ref, reason=describe(error))
    return Outcome(check.card.id, Status.FAILED if findings else Status.PASSED, subject.ref, findings)


def errored(check: type[Check[S_contra]] | Check[S_contra], subject: SubjectRef, reason: str) -> Outcome:
    """The outcome of a check whose subject could not be read: ERRORED, which holds its gate."""
    return Outcome(check.card.id, Status.ERRORED, subject, reason=reason)


def skipped(check: type[Check[S_contra]] | Check[S_contra], subject: SubjectRef, reason: str) -> Outcome:
    """The outcome of a check that did not run, with the reason."""
    return Outcome(check.card.id, Status.SKIPPED, subject, reason=reason)


def describe(error: BaseException) -> str:
    """Say what went wrong without repeating data: foreign messages may quote what was being parsed."""
    if isinstance(error, LockgateError):
        return str(error)
    frames = traceback.extract_tb(error.__traceback__)
    return f"{type(error).__name__} in {frames[-1].name}" if frames else type(error).__name__
