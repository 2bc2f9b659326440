"""Statements say what happened in the standards' own words, and what did not run."""

import datetime as dt
import json
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockgate.core import (
    Cause,
    Decision,
    Examination,
    GateDecision,
    Hold,
    Outcome,
    Stage,
    Status,
    SubjectRef,
    sha256_hex,
)
from lockgate.evidence import (
    CheckResults,
    EvidenceError,
    Override,
    Provenance,
    Result,
    RunContext,
    Statement,
    VerificationSummary,
    parse_statement,
    provenance_statement,
    results_statement,
    summary_statement,
)

NOW = dt.datetime(2026, 11, 3, 13, 0, tzinfo=dt.timezone(dt.timedelta(hours=1)))
CONTEXT = RunContext(stage=Stage.DATA, run="run-1", version="0.1.0")
GOOD = SubjectRef("rows.jsonl", sha256_hex(b"rows"))
LOST = SubjectRef("locked.jsonl")
POLICY = SubjectRef("lockgate.yaml", sha256_hex(b"policy"))


def results(*outcomes: Outcome, subjects: tuple[SubjectRef, ...] = (GOOD,), **extra: dict[str, object]) -> Statement:
    return results_statement(Examination(subjects, outcomes), context=CONTEXT, configuration=(POLICY,), **extra)


def summary(decision: GateDecision, context: RunContext = CONTEXT) -> Statement:
    return summary_statement(
        decision,
        (GOOD,),
        context=context,
        resource_uri="lockgate:assistant",
        policy=POLICY,
        inputs=(GOOD,),
        verifier_id="https://lockgate.dev/gate/v1",
        verifier_version={"lockgate": "0.1.0"},
        at=NOW,
    )


def predicate(statement: Statement) -> CheckResults:
    assert isinstance(statement.predicate, CheckResults)
    return statement.predicate


def test_test_results_have_the_published_shape() -> None:
    written = json.loads(results(Outcome("LG-DATA-001", Status.PASSED, GOOD), statistics={"rate": 0.5}).encode())
    digest = {"sha256": sha256_hex(b"rows")}
    assert written == {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": "rows.jsonl", "digest": digest}],
        "predicateType": "https://in-toto.io/attestation/test-result/v0.1",
        "predicate": {
            "result": "PASSED",
            "configuration": [{"uri": "lockgate.yaml", "digest": {"sha256": POLICY.sha256}}],
            "passedTests": ["LG-DATA-001"],
            "warnedTests": [],
            "failedTests": [],
            "outcomes": [
                {
                    "check": "LG-DATA-001",
                    "status": "PASSED",
                    "subject": {"uri": "rows.jsonl", "sha256": digest["sha256"]},
                    "findings": [],
                    "reason": "",
                }
            ],
            "statistics": {"rate": 0.5},
            "lockgate": {"stage": "data", "run": "run-1", "version": "0.1.0"},
        },
    }


def test_provenance_has_the_published_shape(statement: Callable[[int], Statement]) -> None:
    written = json.loads(statement(1).encode())
    assert written["predicateType"] == "https://slsa.dev/provenance/v1"
    build, run = written["predicate"]["buildDefinition"], written["predicate"]["runDetails"]
    assert sorted(build) == ["buildType", "externalParameters", "internalParameters", "resolvedDependencies"]
    assert build["externalParameters"] == {"command": ["python", "train.py"]}
    assert sorted(build["resolvedDependencies"][0]) == ["digest", "uri"]
    assert sorted(run) == ["builder", "byproducts", "metadata"]
    assert run["builder"] == {"id": "https://lockgate.dev/builders/local/v1", "version": {"lockgate": "0.1.0"}}
    assert run["metadata"] == {
        "invocationId": "r1",
        "startedOn": "2026-11-03T12:00:00.250000Z",
        "finishedOn": "2026-11-03T12:00:00.250000Z",
    }


def test_a_gate_decision_has_the_published_shape_and_keeps_its_reasons() -> None:
    held = GateDecision(Stage.DATA, Decision.HELD, (Hold(Cause.FINDING, "rows.jsonl: a key"),))
    written = json.loads(summary(held).encode())
    assert written["predicateType"] == "https://slsa.dev/verification_summary/v1"
    said = written["predicate"]
    assert said["verificationResult"] == "FAILED"
    assert said["verifiedLevels"] == ["FAILED"]
    assert said["timeVerified"] == "2026-11-03T12:00:00Z"
    assert said["verifier"] == {"id": "https://lockgate.dev/gate/v1", "version": {"lockgate": "0.1.0"}}
    assert said["resourceUri"] == "lockgate:assistant"
    assert said["policy"] == {"uri": "lockgate.yaml", "digest": {"sha256": POLICY.sha256}}
    assert said["inputAttestations"][0]["digest"] == {"sha256": GOOD.sha256}
    assert said["decision"]["holds"][0]["message"] == "rows.jsonl: a key"
    opened = json.loads(summary(GateDecision(Stage.DATA, Decision.OPEN)).encode())["predicate"]
    assert (opened["verificationResult"], opened["verifiedLevels"]) == ("PASSED", ["LOCKGATE_DATA_GATE"])


def test_every_kind_comes_back_as_it_was_written(statement: Callable[[int], Statement]) -> None:
    kinds = [CheckResults, Provenance, VerificationSummary, Override]
    for number, kind in enumerate(kinds):
        made = statement(number)
        again = parse_statement(made.encode())
        assert again == made
        assert isinstance(again.predicate, kind)
        assert again.context.run == f"r{number}"


@pytest.mark.parametrize(
    ("statuses", "result"),
    [
        ((Status.PASSED,), Result.PASSED),
        ((Status.PASSED, Status.SKIPPED), Result.WARNED),
        ((Status.PASSED, Status.FAILED), Result.FAILED),
        ((Status.PASSED, Status.ERRORED), Result.FAILED),
        ((Status.SKIPPED,), Result.FAILED),
        ((), Result.FAILED),
    ],
)
def test_only_checks_that_ran_and_passed_make_a_pass(statuses: tuple[Status, ...], result: Result) -> None:
    outcomes = tuple(Outcome(f"LG-DATA-00{number}", status, GOOD) for number, status in enumerate(statuses))
    assert predicate(results(*outcomes)).result is result


def test_a_check_is_listed_by_its_worst_outcome() -> None:
    said = predicate(
        results(
            Outcome("A", Status.PASSED, GOOD),
            Outcome("B", Status.PASSED, GOOD),
            Outcome("B", Status.SKIPPED, GOOD, reason="binary"),
            Outcome("C", Status.PASSED, GOOD),
            Outcome("C", Status.ERRORED, LOST, reason="locked"),
            Outcome("D", Status.SKIPPED, GOOD, reason="absent"),
        )
    )
    assert (said.passed_tests, said.warned_tests, said.failed_tests) == (("A",), ("B",), ("C",))


def test_what_could_not_be_read_is_in_the_outcomes_and_not_a_subject() -> None:
    made = parse_statement(
        results(Outcome("A", Status.ERRORED, LOST, reason="permission denied"), subjects=(GOOD, LOST)).encode()
    )
    assert made.subjects == (GOOD,)
    assert predicate(made).outcomes[0].subject == LOST
    assert predicate(made).outcomes[0].reason == "permission denied"


def test_nothing_is_attested_about_nothing() -> None:
    with pytest.raises(EvidenceError, match="nothing to attest"):
        results(Outcome("A", Status.ERRORED, LOST), subjects=(LOST,))


def test_a_product_without_a_digest_is_refused() -> None:
    facts = {"external_parameters": {}, "internal_parameters": {}, "builder_id": "b", "builder_version": {}}
    for products, dependencies in [((LOST,), ()), ((GOOD,), (LOST,))]:
        with pytest.raises(EvidenceError, match=r"locked\.jsonl could not be read"):
            provenance_statement(
                products,
                context=CONTEXT,
                build_type="t",
                dependencies=dependencies,
                started_on=NOW,
                finished_on=NOW,
                **facts,
            )


def test_a_decision_belongs_to_its_own_stage() -> None:
    with pytest.raises(EvidenceError, match="deploy gate"):
        summary(GateDecision(Stage.DEPLOY, Decision.OPEN))


def test_a_time_needs_a_zone() -> None:
    with pytest.raises(EvidenceError, match="time zone"):
        provenance_statement(
            (GOOD,),
            context=CONTEXT,
            build_type="t",
            external_parameters={},
            internal_parameters={},
            dependencies=(),
            builder_id="b",
            builder_version={},
            started_on=dt.datetime(2026, 11, 3),  # noqa: DTZ001 - that is the point
            finished_on=NOW,
        )


@pytest.mark.parametrize("value", [object(), "\ud800", {1j: 1}])
def test_what_json_cannot_say_is_refused(value: object) -> None:
    with pytest.raises(EvidenceError, match="cannot be written as JSON"):
        results(Outcome("A", Status.PASSED, GOOD), statistics={"value": value}).encode()


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.text(), JSON, max_size=4))
def test_any_figures_are_written_in_one_way(figures: dict[str, object]) -> None:
    body = results(Outcome("A", Status.PASSED, GOOD), statistics=figures).encode()
    assert parse_statement(body).encode() == body


def spoiled(**fields: object) -> bytes:
    wire = json.loads(results(Outcome("A", Status.PASSED, GOOD)).encode()) | fields
    return json.dumps(wire, sort_keys=True, separators=(",", ":")).encode()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b"\xff",
        spoiled(extra=1),
        spoiled(_type="https://in-toto.io/Statement/v0.1"),
        spoiled(subject=[]),
        spoiled(subject=[{"name": "rows.jsonl", "digest": {"sha256": ""}}]),
        spoiled(subject=[{"name": "rows.jsonl", "digest": {"sha256": "0" * 64 + "\n"}}]),
        spoiled(subject=[{"name": "rows.jsonl", "digest": {"sha1": "0" * 40}}]),
        spoiled(predicateType="https://example.com/other/v1"),
        spoiled(predicateType="https://slsa.dev/provenance/v1"),
        spoiled(predicate={"result": "PASSED"}),
        spoiled() + b" ",
        spoiled().replace(b'"result":"PASSED"', b'"result":"FAILED","result":"PASSED"'),
        spoiled().replace(b'"reason":""', b'"reason":"","secret":1'),
        b'{"_type":' + b"[" * 100_000,
    ],
)
def test_other_statements_are_refused(body: bytes) -> None:
    with pytest.raises(EvidenceError):
        parse_statement(body)
