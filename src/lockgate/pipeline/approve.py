"""What people who approve a project write: its integrity manifest, and signed approvals of a deployment."""

import datetime as dt
import secrets
from collections.abc import Iterator
from pathlib import Path

from lockgate.core.errors import ConfigError
from lockgate.core.gate import Stage
from lockgate.core.home import write_private
from lockgate.core.project import Project, open_project
from lockgate.data.manifest import render_manifest
from lockgate.evidence import (
    APPROVAL,
    EvidenceError,
    RunContext,
    Signer,
    Trust,
    approval_statement,
    open_envelope,
    parse_statement,
    sign,
    verify,
)
from lockgate.evidence.dsse import MAX_ENVELOPE
from lockgate.pipeline.errors import PipelineError

APPROVALS = "approvals"
"""Folder in the project's state where approvals wait for the next run to file them in the ledger."""
_MAX_WAITING = 256


def write_manifest(folder: Path) -> tuple[Path, int]:
    """Write the manifest of the project in `folder`, whole or not at all.

    Returns:
        Its path and the number of files it lists.

    Raises:
        ConfigError: The project declares no data stage.
        LockgateError: A file cannot be read.
    """
    project = open_project(folder)
    if project.config.data is None:
        raise ConfigError("lockgate.yaml declares no data stage.", remedy="Add 'data: {}' to it.")
    path = project.root / project.config.data.manifest
    body = render_manifest(project.snapshot(), project.config.data.manifest)
    temporary = path.with_name(f".{path.name}.tmp")
    temporary.write_bytes(body)
    temporary.replace(path)
    return path, body.count(b"\n")


def write_approval(project: Project, key: Signer, reason: str) -> tuple[Path, int]:
    """Sign that every file of the project, as it lies there now, may be deployed under its policy.

    What the training job makes is not part of it: provenance speaks for that.

    Args:
        project: The project.
        key: Who approves.
        reason: Why, in their words.

    Returns:
        The file that holds the approval until the next run, and the number of files approved.

    Raises:
        PipelineError: A file cannot be read.
    """
    taken = project.snapshot()
    for item in taken.unreadable:
        raise PipelineError(item.reason, remedy="Remove it or make it readable; what cannot be read is not approved.")
    if project.policy not in taken.files:
        raise PipelineError("lockgate.yaml changed while it was read.", remedy="Read it again, then approve.")
    now = dt.datetime.now(dt.UTC)
    run = f"{now:%Y%m%dT%H%M%SZ}-{secrets.token_hex(3)}"
    statement = approval_statement(
        taken.files, context=RunContext(stage=Stage.DEPLOY, run=run), reason=reason, at=now, policy=project.policy
    )
    path = project.state / APPROVALS / f"{run}-{key.public.keyid[:12]}.json"
    write_private(path, sign(statement.encode(), key))
    return path, len(taken.files)


def waiting_approvals(project: Project, trust: Trust) -> Iterator[tuple[Path, bytes]]:
    """Approvals that are not in the ledger yet: the file and its envelope, which is empty where trust forbids it."""
    folder = project.state / APPROVALS
    paths = sorted(folder.glob("*.json"))[:_MAX_WAITING] if folder.is_dir() else []
    for path in paths:
        yield path, _trusted(path, trust)


def _trusted(path: Path, trust: Trust) -> bytes:
    try:
        with path.open("rb") as stream:
            body = stream.read(MAX_ENVELOPE + 1)
        envelope = open_envelope(body)
        keyid = verify(envelope, trust.public_keys)
        kind = parse_statement(envelope.payload).predicate_type
    except (EvidenceError, OSError):
        return b""
    return body if kind == APPROVAL and trust.allows(keyid, APPROVAL) else b""
