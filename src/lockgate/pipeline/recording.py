"""Records one training command on its own, outside a run."""

import datetime as dt
import secrets
from collections.abc import Sequence

import msgspec

from lockgate import train
from lockgate.core.errors import ConfigError
from lockgate.core.files import Snapshot
from lockgate.core.project import Project
from lockgate.core.subject import SubjectRef
from lockgate.evidence import PROVENANCE, Ledger, Role, Trust, key_for, verify_ledger
from lockgate.pipeline.lock import exclusive
from lockgate.pipeline.notary import Notary, Signed

DEFAULT_TIMEOUT_S = 600


class Recorded(msgspec.Struct, frozen=True):
    """A recording and its signed provenance, which is None when nothing was produced."""

    recording: train.Recording
    entry: Signed | None


def record_command(
    project: Project,
    trust: Trust,
    *,
    command: Sequence[str],
    inputs: Sequence[str],
    output: str | None,
    timeout_s: int | None,
) -> Recorded:
    """Run a command isolated, record it and append its provenance to the ledger.

    What is empty or None comes from the `train` section of the settings.

    Raises:
        LockgateError: Neither the call nor the settings name a command and an output, or the command cannot be run.
    """
    job = project.config.train
    chosen, folder = tuple(command) or (job.command if job else ()), output or (job.output if job else "")
    if not chosen or not folder:
        remedy = "Give '--output FOLDER -- COMMAND', or declare 'train' in lockgate.yaml."
        raise ConfigError("There is no command or no output folder to record.", remedy=remedy)
    with exclusive(project.state), Ledger.open(project.state, key_for(Role.APPROVER)) as ledger:
        taken = project.snapshot()
        made = _made_before(project, trust)
        recording = train.record(
            project,
            command=chosen,
            inputs=tuple(inputs) or (job.inputs if job else ()),
            output=folder,
            timeout_s=timeout_s or (job.timeout_s if job else DEFAULT_TIMEOUT_S),
            taken=Snapshot(tuple(ref for ref in taken.files if ref not in made), taken.unreadable),
            progress=_ignore,
        )
        run = f"{dt.datetime.now(dt.UTC):%Y%m%dT%H%M%SZ}-{secrets.token_hex(3)}"
        return Recorded(recording, Notary(project, ledger, trust, run).provenance(recording))


def _made_before(project: Project, trust: Trust) -> frozenset[SubjectRef]:
    """What earlier recordings produced: a job may replace it, and nothing else of the project."""
    entries = verify_ledger(project.state, trust).entries
    return frozenset(ref for entry in entries if entry.predicate_type == PROVENANCE for ref in entry.subjects)


def _ignore(done: int, total: int, note: str) -> None:
    """The command prints for itself."""
