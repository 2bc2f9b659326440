import msgspec
import pytest

from lockgate.core import Check, Severity, Stage, Status, SubjectRef, run, sha256_hex
from lockgate.deploy import CHECKS, Chain, Deployed, Link, Requirement, examine
from lockgate.deploy.broken_ledger import BrokenLedger
from lockgate.deploy.missing_link import MissingLink
from lockgate.deploy.out_of_order import OutOfOrder
from lockgate.deploy.shared_key import SharedKey
from lockgate.deploy.uncovered_file import UncoveredFile
from lockgate.deploy.untrusted_policy import UntrustedPolicy

RESULT, DECISION, PROVENANCE = "https://example/result", "https://example/decision", "https://example/provenance"


def ref(uri: str, content: str = "") -> SubjectRef:
    return SubjectRef(uri, sha256_hex((content or uri).encode()))


ROWS, MODEL, WEIGHTS, POLICY = ref("rows.jsonl"), ref("model.gguf"), ref("build/w.safetensors"), ref("lockgate.yaml")


def link(seq: int, stage: str, predicate: str, *subjects: SubjectRef, **more: object) -> Link:
    role = {RESULT: "scanner", DECISION: "approver", PROVENANCE: "builder"}[predicate]
    if predicate == DECISION:
        more.setdefault("opened", True)
    return Link(
        seq=seq, stage=stage, predicate=predicate, role=role, keyid=role, sha256="0" * 64, subjects=subjects, **more
    )


LINKS = (
    link(0, "data", RESULT, ROWS),
    link(1, "data", DECISION, ROWS),
    link(2, "train", PROVENANCE, WEIGHTS, materials=(ROWS,)),
    link(3, "train", DECISION, WEIGHTS),
    link(4, "supply", RESULT, MODEL),
    link(5, "supply", DECISION, MODEL),
)
GOOD = Chain(
    ref=SubjectRef("ledger.db", "1" * 64),
    problems=(),
    links=LINKS,
    required=(
        Requirement(Stage.DATA, DECISION, "decision"),
        Requirement(Stage.TRAIN, PROVENANCE, "provenance"),
        Requirement(Stage.SUPPLY, RESULT, "scan result"),
    ),
    deployed=(Deployed(ROWS, Stage.DATA), Deployed(WEIGHTS, Stage.TRAIN), Deployed(MODEL, Stage.SUPPLY)),
    policy=POLICY,
    policy_at_start=POLICY.sha256,
    trusted_policy=None,
    separate_roles=True,
    first_use=False,
)


def changed(**fields: object) -> Chain:
    return msgspec.structs.replace(GOOD, **fields)


def messages(check: Check[Chain], chain: Chain) -> list[str]:
    outcome = run(check, chain)
    assert outcome.status in (Status.FAILED, Status.PASSED), outcome.reason
    return [finding.message for finding in outcome.findings]


def test_a_complete_chain_passes_every_check():
    examination = examine(GOOD)
    assert [outcome.status for outcome in examination.outcomes] == [Status.PASSED] * len(CHECKS)
    assert set(examination.subjects) == {ROWS, WEIGHTS, MODEL}


def test_a_broken_ledger_is_reported_problem_by_problem():
    assert messages(BrokenLedger(), changed(problems=("Entry 3 does not verify.", "The root differs."))) == [
        "Entry 3 does not verify.",
        "The root differs.",
    ]


@pytest.mark.parametrize(("gone", "stage"), [(1, "data"), (2, "train"), (4, "supply")])
def test_the_missing_link_is_named(gone: int, stage: str):
    [message] = messages(MissingLink(), changed(links=LINKS[:gone] + LINKS[gone + 1 :]))
    assert f"The {stage} stage has no trusted" in message


def test_a_held_gate_is_a_missing_link_even_after_an_open_one():
    held = (*LINKS, link(6, "data", DECISION, ROWS, opened=False))
    assert messages(MissingLink(), changed(links=held)) == [
        "Earlier gates are HELD, as the ledger says: data (entry 6)."
    ]


def test_a_swapped_model_is_found_by_its_digest():
    swapped = Deployed(ref("model.gguf", "other bytes"), Stage.SUPPLY)
    [message] = messages(UncoveredFile(), changed(deployed=(*GOOD.deployed[:2], swapped)))
    assert message.startswith("model.gguf changed after it was examined")


def test_a_file_that_appeared_or_disappeared_is_found():
    extra = Deployed(ref("extra.pkl"), Stage.DATA)
    assert "extra.pkl was never examined" in messages(UncoveredFile(), changed(deployed=(*GOOD.deployed, extra)))[0]
    assert "model.gguf was examined and has since disappeared." in messages(
        UncoveredFile(), changed(deployed=GOOD.deployed[:2])
    )


def test_evidence_of_the_wrong_stage_covers_nothing():
    wrong = (*LINKS[:4], link(4, "data", RESULT, MODEL), link(5, "data", DECISION, MODEL))
    assert len(messages(UncoveredFile(), changed(links=wrong))) == 1


def test_subjects_that_are_no_files_cannot_disappear():
    attacked = link(6, "redteam", RESULT, SubjectRef("redteam:run", "2" * 64))
    assert messages(UncoveredFile(), changed(links=(*LINKS, attacked))) == []


def test_training_before_the_data_gate_is_out_of_order():
    early = (link(0, "train", PROVENANCE, WEIGHTS, materials=(ROWS,)), link(1, "train", DECISION, WEIGHTS))
    late = (link(2, "data", RESULT, ROWS), link(3, "data", DECISION, ROWS))
    [message] = messages(OutOfOrder(), changed(links=(*early, *late)))
    assert "before the data gate was decided" in message


def test_a_material_that_data_never_examined_is_found():
    other = link(2, "train", PROVENANCE, WEIGHTS, materials=(ref("rows.jsonl", "swapped"),))
    [message] = messages(OutOfOrder(), changed(links=(*LINKS[:2], other, *LINKS[3:])))
    assert message.startswith("rows.jsonl went into the training job")


def test_one_key_in_two_roles_is_high_only_where_trust_separates_roles():
    shared = tuple(msgspec.structs.replace(item, keyid="one") for item in LINKS)
    [finding] = run(SharedKey(), changed(links=shared)).findings
    assert finding.severity is Severity.HIGH
    [finding] = run(SharedKey(), changed(links=shared, separate_roles=False)).findings
    assert finding.severity is Severity.INFO


def test_a_policy_other_than_the_pinned_one_is_found():
    assert messages(UntrustedPolicy(), changed(trusted_policy=POLICY.sha256)) == []
    assert "trust file pins" in messages(UntrustedPolicy(), changed(trusted_policy="9" * 64))[0]
    assert "changed while the run" in messages(UntrustedPolicy(), changed(policy_at_start="9" * 64))[0]
