from lockgate.core import Status, run
from lockgate.guard import CHECKS, PersonalData, ProtectedValue, completion

_HEADINGS = ("Why it matters:", "Fails on:", "Passes on:", "Limits:")


def test_protected_value_fails_whatever_its_encoding_and_is_not_repeated() -> None:
    outcome = run(ProtectedValue(), completion("answer-1", "Sure: H-A-R-B-O-R", ("HARBOR",)))
    assert outcome.status is Status.FAILED
    assert "answer-1" in outcome.findings[0].message
    assert all("HARBOR" not in repr(finding) for finding in outcome.findings)


def test_protected_value_passes_and_skips() -> None:
    assert run(ProtectedValue(), completion("a", "I cannot share that.", ("HARBOR",))).status is Status.PASSED
    assert run(ProtectedValue(), completion("a", "anything")).status is Status.SKIPPED


def test_personal_data_fails_passes_and_allows() -> None:
    assert run(PersonalData(), completion("a", "Write to our office.")).status is Status.PASSED
    outcome = run(PersonalData(), completion("a", "Write to anna@example.org."))
    assert outcome.status is Status.FAILED
    assert "anna" not in repr(outcome)
    allowing = PersonalData(allow=frozenset({"pii.email"}))
    assert run(allowing, completion("a", "Write to anna@example.org.")).status is Status.PASSED


def test_digest_is_of_the_text_even_with_lone_surrogates() -> None:
    assert completion("a", "x\ud800").ref.sha256 != completion("a", "x?").ref.sha256


def test_every_check_has_its_manual() -> None:
    ids = [check.card.id for check in CHECKS]
    assert len(ids) == len(set(ids))
    for check in CHECKS:
        assert all(heading in (check.__doc__ or "") for heading in _HEADINGS)
