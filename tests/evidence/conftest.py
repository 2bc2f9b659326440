"""A ledger of nine entries, remembered at every size, from which each test takes a copy to spoil."""

import datetime as dt
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from lockgate.core import (
    Decision,
    Examination,
    GateDecision,
    Outcome,
    Stage,
    Status,
    SubjectRef,
    sha256_hex,
)
from lockgate.evidence import (
    Ledger,
    Role,
    RunContext,
    SigningKey,
    Statement,
    Trust,
    first_use_trust,
    key_for,
    override_statement,
    provenance_statement,
    results_statement,
    sign,
    summary_statement,
)

NOW = dt.datetime(2026, 11, 3, 12, 0, 0, 250_000, tzinfo=dt.UTC)
POLICY = SubjectRef("lockgate.yaml", sha256_hex(b"policy"))


def ref(name: str) -> SubjectRef:
    return SubjectRef(name, sha256_hex(name.encode()))


def statement(number: int = 0) -> Statement:
    """One of the four kinds of statement, in turn, each about a subject of its own."""
    subject = ref(f"file-{number}.jsonl")
    if number % 4 == 0:
        found = Examination((subject,), (Outcome("LG-DATA-001", Status.PASSED, subject),))
        return results_statement(found, context=RunContext(stage=Stage.DATA, run=f"r{number}"), configuration=(POLICY,))
    if number % 4 == 1:
        return provenance_statement(
            (subject,),
            context=RunContext(stage=Stage.TRAIN, run=f"r{number}"),
            build_type="https://lockgate.dev/buildtypes/record/v1",
            external_parameters={"command": ["python", "train.py"]},
            internal_parameters={"isolation": "bubblewrap"},
            dependencies=(ref("rows.jsonl"),),
            builder_id="https://lockgate.dev/builders/local/v1",
            builder_version={"lockgate": "0.1.0"},
            started_on=NOW,
            finished_on=NOW,
            byproducts=(ref("log.txt"),),
        )
    if number % 4 == 2:
        return summary_statement(
            GateDecision(Stage.DEPLOY, Decision.OPEN),
            (subject,),
            context=RunContext(stage=Stage.DEPLOY, run=f"r{number}"),
            resource_uri="lockgate:assistant",
            policy=POLICY,
            inputs=(ref("entry-0"),),
            verifier_id="https://lockgate.dev/gate/v1",
            verifier_version={"lockgate": "0.1.0"},
            at=NOW,
        )
    return override_statement(
        (subject,),
        context=RunContext(stage=Stage.DEPLOY, run=f"r{number}"),
        mode="serve --observe",
        reason="Collecting traffic before the first release.",
        at=NOW,
        policy=POLICY,
        held=("redteam: too many successes",),
    )


class Sealed(msgspec.Struct, frozen=True):
    """Bytes of a good ledger's file and checkpoint at every size, with what verifies it."""

    key: SigningKey
    trust: Trust
    files: tuple[bytes, ...]
    checkpoints: tuple[bytes, ...]
    envelopes: tuple[bytes, ...]

    def __repr__(self) -> str:
        return "Sealed"

    def statement(self, number: int) -> Statement:
        return statement(number)

    def put(self, folder: Path, size: int = 9) -> Path:
        folder.mkdir(exist_ok=True)
        (folder / "ledger.db").write_bytes(self.files[size])
        return folder


@pytest.fixture(scope="session")
def sealed(tmp_path_factory: pytest.TempPathFactory) -> Sealed:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LOCKGATE_HOME", str(tmp_path_factory.mktemp("sealed-home")))
        key = key_for(Role.LOCAL)
        folder = tmp_path_factory.mktemp("sealed")
        envelopes = tuple(sign(statement(number).encode(), key) for number in range(9))
        with Ledger.open(folder, key) as ledger:
            files, checkpoints = [(folder / "ledger.db").read_bytes()], [ledger.checkpoint()]
            for envelope in envelopes:
                ledger.append(envelope)
                files.append((folder / "ledger.db").read_bytes())
                checkpoints.append(ledger.checkpoint())
        return Sealed(key, first_use_trust(), tuple(files), tuple(checkpoints), envelopes)


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "home"
    monkeypatch.setenv("LOCKGATE_HOME", str(folder))
    return folder


@pytest.fixture(name="statement")
def statement_fixture() -> Callable[[int], Statement]:
    return statement
