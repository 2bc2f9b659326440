from collections.abc import Iterator
from typing import ClassVar

import msgspec
import pytest

from lockgate.core import (
    Card,
    Check,
    Confidence,
    CoreError,
    Finding,
    Location,
    Severity,
    SkippedError,
    Status,
    SubjectRef,
    describe,
    errored,
    run,
    sha256_hex,
    skipped,
)

CARD = Card(id="LG-DEMO-001", title="Demo", severity=Severity.MEDIUM, confidence=Confidence.HIGH)


class Note(msgspec.Struct, frozen=True):
    ref: SubjectRef
    text: str


NOTE = Note(SubjectRef("note.txt", sha256_hex(b"x")), "x")


class Reports(Check[Note], frozen=True):
    """Reports as often as it is told."""

    card: ClassVar[Card] = CARD
    times: int = 1

    def inspect(self, subject: Note) -> Iterator[Finding]:
        for index in range(self.times):
            yield self.finding("Found.", at=Location(subject.ref.uri, f"/{index}"), severity=Severity.LOW)


class Crashes(Check[Note], frozen=True):
    """Fails half way."""

    card: ClassVar[Card] = CARD

    def inspect(self, subject: Note) -> Iterator[Finding]:
        yield self.finding("Found before the crash.", at=Location(subject.ref.uri))
        raise ValueError("the secret is hunter2")


class Declines(Check[Note], frozen=True):
    """Does not apply."""

    card: ClassVar[Card] = CARD

    def inspect(self, subject: Note) -> Iterator[Finding]:
        raise SkippedError("not a note for me")


class Nowhere(Check[Note], frozen=True):
    """Forgets the location."""

    card: ClassVar[Card] = CARD

    def inspect(self, subject: Note) -> Iterator[Finding]:
        yield self.finding("Where?", at=Location(""))


class Unwritten(Check[Note], frozen=True):
    """Has no inspect."""

    card: ClassVar[Card] = CARD


def test_findings_fail_and_their_absence_passes():
    failed = run(Reports(times=2), NOTE)
    assert failed.status is Status.FAILED
    assert [finding.location.path for finding in failed.findings] == ["/0", "/1"]
    assert failed.findings[0].severity is Severity.LOW
    assert failed.findings[0].confidence is Confidence.HIGH
    assert run(Reports(times=0), NOTE).status is Status.PASSED


def test_a_crash_is_errored_and_repeats_no_data():
    outcome = run(Crashes(), NOTE)
    assert outcome.status is Status.ERRORED
    assert outcome.findings == ()
    assert outcome.reason == "ValueError in inspect"


def test_a_skip_carries_its_reason():
    outcome = run(Declines(), NOTE)
    assert (outcome.status, outcome.reason) == (Status.SKIPPED, "not a note for me")


def test_a_finding_needs_a_location():
    assert "without a location" in run(Nowhere(), NOTE).reason


def test_a_check_without_inspect_is_errored():
    assert run(Unwritten(), NOTE).status is Status.ERRORED


def test_a_check_refuses_fields_it_does_not_know():
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"tmies": 3}, Reports)


def test_unreadable_and_skipped_subjects_have_outcomes():
    assert errored(Reports, NOTE.ref, "gone").status is Status.ERRORED
    assert skipped(Reports(), NOTE.ref, "later").reason == "later"


def test_describe_names_our_errors_in_full_and_others_by_type():
    assert describe(CoreError("It broke.", remedy="Mend it.")) == "It broke. Mend it."
    assert describe(KeyError("hunter2")) == "KeyError"


def test_the_fingerprint_survives_moved_lines_and_changes_with_the_place():
    check = Reports()
    first = check.finding("a", at=Location("f", "/x", 1)).fingerprint
    assert first == check.finding("b", at=Location("f", "/x", 99)).fingerprint
    assert first != check.finding("a", at=Location("f", "/y", 1)).fingerprint
    assert first != check.finding("a", at=Location("g", "/x", 1)).fingerprint


def test_locations_read_naturally():
    assert str(Location("f")) == "f"
    assert str(Location("f", "/x", 3)) == "f:3 (/x)"


def test_levels_are_ordered():
    assert Severity.CRITICAL.reaches(Severity.HIGH)
    assert not Confidence.LOW.reaches(Confidence.MEDIUM)
