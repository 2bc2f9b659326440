"""What the trust file demands besides a complete chain: each demand met and missed."""

import datetime as dt

import msgspec
import pytest

from lockgate.core import Check, Confidence, Finding, Location, Severity, Stage, Status, SubjectRef, run, sha256_hex
from lockgate.core.gate import WaivedFinding
from lockgate.deploy import Approval, Chain, Deployed, Lineage, Link, Release, SignedPath, examine_again
from lockgate.deploy.broken_lineage import BrokenLineage
from lockgate.deploy.few_approvals import FewApprovals
from lockgate.deploy.revoked_trust import RevokedTrust
from lockgate.deploy.rolled_back import RolledBack
from lockgate.deploy.stale_evidence import StaleEvidence
from lockgate.deploy.unacceptable_waiver import UnacceptableWaiver
from lockgate.deploy.unsigned_path import UnsignedPath
from lockgate.deploy.untrusted_policy import UntrustedPolicy
from lockgate.evidence import Demands, Revoked

NOW = dt.datetime(2026, 11, 22, 12, tzinfo=dt.UTC)
RESULT, DECISION, PROVENANCE = "https://example/result", "https://example/decision", "https://example/provenance"


def ref(uri: str) -> SubjectRef:
    return SubjectRef(uri, sha256_hex(uri.encode()))


ROWS, BASE, WEIGHTS, POLICY = ref("rows.jsonl"), ref("base.gguf"), ref("build/w.safetensors"), ref("lockgate.yaml")


def link(seq: int, stage: str, predicate: str, *subjects: SubjectRef, **more: object) -> Link:
    return Link(
        seq=seq, stage=stage, predicate=predicate, role="", keyid=predicate, sha256="0" * 64, subjects=subjects, **more
    )


GOOD = Chain(
    ref=SubjectRef("ledger.db", "1" * 64),
    problems=(),
    links=(
        link(0, "data", RESULT, ROWS, BASE),
        link(1, "data", DECISION, ROWS, opened=True, at=NOW - dt.timedelta(hours=1)),
        link(2, "train", PROVENANCE, WEIGHTS, materials=(ROWS, BASE)),
        link(3, "supply", RESULT, BASE, data_at=NOW - dt.timedelta(days=2)),
        link(4, "supply", DECISION, BASE, opened=True, at=NOW - dt.timedelta(hours=1)),
    ),
    required=(),
    deployed=(
        Deployed(ROWS, Stage.DATA),
        Deployed(POLICY, Stage.DATA),
        Deployed(BASE, Stage.SUPPLY),
        Deployed(WEIGHTS, Stage.TRAIN),
    ),
    policy=POLICY,
    policy_at_start=POLICY.sha256,
    trusted_policy=None,
    separate_roles=True,
    first_use=False,
    now=NOW,
    models=("base.gguf",),
)
REVIEWED = frozenset({ROWS, POLICY, BASE})


def changed(demands: Demands | None = None, **fields: object) -> Chain:
    return msgspec.structs.replace(GOOD, demands=demands or Demands(), **fields)


def messages(check: Check[Chain], chain: Chain) -> list[str]:
    outcome = run(check, chain)
    assert outcome.status in (Status.FAILED, Status.PASSED), outcome.reason
    return [finding.message for finding in outcome.findings]


def approval(key: str, subjects: frozenset[SubjectRef] = REVIEWED, policy: str = POLICY.sha256) -> Approval:
    return Approval(keyid=key, subjects=subjects, policy=policy)


def test_k_of_n_approvals_by_different_keys():
    two = Demands(approvals=2)
    assert messages(FewApprovals(), changed(two, approvals=(approval("a"), approval("b")))) == []
    assert messages(FewApprovals(), changed()) == []
    for approvals in (
        (),
        (approval("a"), approval("a")),
        (approval("a"), approval("b", REVIEWED - {BASE})),
        (approval("a"), approval("b", REVIEWED | {ref("gone.txt")})),
        (approval("a"), approval("b", policy="9" * 64)),
    ):
        [message] = messages(FewApprovals(), changed(two, approvals=approvals))
        assert message.startswith(f"{min(len(approvals), 1)} of 2 approvals cover these files")


def test_an_approval_of_a_revoked_key_does_not_count():
    chain = changed(Demands(approvals=1), approvals=(approval("a"),), revoked=Revoked(keys=("a",)))
    assert messages(FewApprovals(), chain)[0].startswith("0 of 1")


def test_an_approval_by_nobody_in_particular_is_mentioned():
    chain = changed(Demands(approvals=1), refused_approvals=1)
    assert "1 not signed by a trusted approver" in messages(FewApprovals(), chain)[0]


def test_old_decisions_are_found_and_fresh_ones_pass():
    assert messages(StaleEvidence(), changed(Demands(max_scan_age_hours=2))) == []
    found = messages(StaleEvidence(), changed(Demands(max_scan_age_hours=0.5)))
    assert [message.split()[1] for message in found] == ["data", "supply"]
    assert messages(StaleEvidence(), changed(Demands(max_scan_age_hours=0.5), now=None)) == []


def test_a_decision_from_the_future_is_not_fresh():
    later = changed(Demands(max_scan_age_hours=24), now=NOW - dt.timedelta(hours=3))
    assert len(messages(StaleEvidence(), later)) == 2


def test_vulnerability_data_must_be_stated_and_young():
    assert messages(StaleEvidence(), changed(Demands(max_vulnerability_data_age_days=3))) == []
    assert "is of 2026-11-20" in messages(StaleEvidence(), changed(Demands(max_vulnerability_data_age_days=1)))[0]
    silent = changed(Demands(max_vulnerability_data_age_days=1), links=GOOD.links[:3])
    assert messages(StaleEvidence(), silent) == ["No evidence says how old the vulnerability data was."]


def test_the_stricter_of_the_projects_limit_and_the_trust_files_counts():
    day, hour = dt.timedelta(days=1), dt.timedelta(hours=1)
    assert "is of 2026-11-20" in messages(StaleEvidence(), changed(max_data_age=day))[0]
    assert (
        "is of 2026-11-20"
        in messages(StaleEvidence(), changed(Demands(max_vulnerability_data_age_days=9), max_data_age=day))[0]
    )
    # A project without libraries has no vulnerability data; only the trust file demands some.
    assert messages(StaleEvidence(), changed(max_data_age=day, links=GOOD.links[:3])) == []
    assert len(messages(StaleEvidence(), changed(Demands(max_scan_age_hours=9), max_scan_age=hour / 2))) == 2
    assert messages(StaleEvidence(), changed(max_scan_age=2 * hour)) == []


def lineage(base: str = BASE.sha256, data: str = ROWS.sha256, model: str = "build") -> tuple[Lineage, ...]:
    return (Lineage(model=model, base=(base,), data=(data,)),)


def test_lineage_that_provenance_and_examinations_show_passes():
    assert messages(BrokenLineage(), changed(lineage=lineage())) == []
    assert messages(BrokenLineage(), changed(lineage=lineage(model=WEIGHTS.uri))) == []


def test_parents_and_data_that_provenance_does_not_name_are_found():
    assert "does not name the base model" in messages(BrokenLineage(), changed(lineage=lineage(base="9" * 64)))[0]
    assert "does not name the data set" in messages(BrokenLineage(), changed(lineage=lineage(data="9" * 64)))[0]


def test_a_model_without_provenance_has_no_lineage():
    assert "no provenance says" in messages(BrokenLineage(), changed(lineage=lineage(model="base.gguf")))[0]
    assert "no provenance says" in messages(BrokenLineage(), changed(lineage=lineage(model="nowhere")))[0]


def test_a_parent_that_supply_did_not_examine_is_found():
    found = messages(BrokenLineage(), changed(lineage=lineage(), links=GOOD.links[:3]))
    assert any("the supply stage did not examine the base model" in message for message in found)
    assert any("supply did not examine this model" in message for message in found)


def waiver(owner: str = "Ada", expires: str = "2026-12-01") -> WaivedFinding:
    finding = Finding("LG-DATA-004", Severity.HIGH, Confidence.HIGH, "m", Location("rows.jsonl"), "f" * 32)
    return WaivedFinding(finding, "reason", owner, expires)


@pytest.mark.parametrize(
    ("demands", "waived", "reason"),
    [
        (Demands(), waiver(), ""),
        (Demands(), waiver(expires="2026-11-22"), ""),
        (Demands(), waiver(expires="2026-11-21"), "expired on 2026-11-21"),
        (Demands(), waiver(expires="never"), "no date"),
        (Demands(), waiver(owner=" "), "no owner"),
        (Demands(max_waiver_days=30), waiver(), ""),
        (Demands(max_waiver_days=5), waiver(), "longer than the trust file allows"),
        (Demands(waiver_owners=("Ada",)), waiver(), ""),
        (Demands(waiver_owners=("Grace",)), waiver(), "owned by Ada"),
    ],
)
def test_waivers_have_limits(demands: Demands, waived: WaivedFinding, reason: str):
    links = (msgspec.structs.replace(GOOD.links[1], waived=(waived,)),)
    found = messages(UnacceptableWaiver(), changed(demands, links=links))
    assert len(found) == bool(reason)
    assert all(reason in message for message in found)
    assert messages(UnacceptableWaiver(), changed(demands, links=links, now=None)) == []


def release(number: int, subjects: frozenset[SubjectRef] = REVIEWED | {ref("build/old")}) -> Release:
    return Release(number=number, seq=3, subjects=subjects)


@pytest.mark.parametrize(
    ("number", "earlier", "lowest", "reason"),
    [
        (None, (), 0, ""),
        (1, (), 0, ""),
        (8, (release(7),), 8, ""),
        (7, (release(7),), 0, ""),
        (7, (release(7, frozenset({ROWS})),), 0, "approved before with other files"),
        (6, (release(7), release(5)), 0, "goes back behind release 7"),
        (None, (release(7),), 0, "no release number"),
        (None, (), 3, "no release number"),
        (2, (), 3, "below 3"),
    ],
)
def test_releases_only_go_forward(number: int | None, earlier: tuple[Release, ...], lowest: int, reason: str):
    found = messages(RolledBack(), changed(Demands(min_release=lowest), release=number, earlier=earlier))
    assert len(found) == bool(reason)
    assert all(reason in message for message in found)


def test_revoked_keys_and_digests_are_found_wherever_they_occur():
    assert messages(RevokedTrust(), changed(revoked=Revoked(keys=("other",), digests=("9" * 64,)))) == []
    [message] = messages(RevokedTrust(), changed(revoked=Revoked(keys=(PROVENANCE,))))
    assert "revoked, signed evidence of the train stage" in message
    [message] = messages(RevokedTrust(), changed(revoked=Revoked(digests=(BASE.sha256,))))
    assert message == "base.gguf was revoked by its digest."
    gone = changed(revoked=Revoked(digests=(ROWS.sha256,)), deployed=())
    assert messages(RevokedTrust(), gone) == ["rows.jsonl was revoked by its digest."]
    signed = (SignedPath(uri="base.gguf", keyid="maker"),)
    [message] = messages(RevokedTrust(), changed(revoked=Revoked(keys=("maker",)), signed=signed))
    assert "signed base.gguf" in message


def test_signatures_of_makers_are_demanded_and_judged():
    good, bad = SignedPath(uri="base.gguf", keyid="k"), SignedPath(uri="base.gguf", problems=("x was added.",))
    demands = Demands(signed=("base.gguf",))
    assert messages(UnsignedPath(), changed(demands, signed=(good,))) == []
    assert messages(UnsignedPath(), changed(signed=(bad,))) == ["base.gguf: x was added."]
    assert "must be signed by its maker" in messages(UnsignedPath(), changed(demands))[0]


def test_the_policy_has_the_name_and_version_that_trust_demands():
    demands = Demands(policy_id="boats", min_policy_version=3)
    assert messages(UntrustedPolicy(), changed(demands, policy_id="boats", policy_version=3)) == []
    found = messages(UntrustedPolicy(), changed(demands, policy_id="cars", policy_version=2))
    assert found == [
        "The policy calls itself 'cars'; the trust file demands 'boats'.",
        "The policy has version 2, below 3.",
    ]


def test_what_lasts_is_asked_again():
    outcomes = examine_again(changed(Demands(max_scan_age_hours=0.5, approvals=1)))
    failed = {outcome.check for outcome in outcomes if outcome.status is Status.FAILED}
    assert failed == {"LG-DEPLOY-007", "LG-DEPLOY-008"}
