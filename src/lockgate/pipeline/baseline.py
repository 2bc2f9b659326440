"""Signed baselines of the red team: what an earlier run withstood, in an envelope that a trusted key has made."""

from pathlib import Path

import msgspec

from lockgate.core.errors import CoreError
from lockgate.core.files import read
from lockgate.core.home import write_private
from lockgate.evidence import TEST_RESULT, EvidenceError, Role, first_use_trust, key_for, open_envelope, sign, verify
from lockgate.pipeline.errors import PipelineError
from lockgate.redteam import Baseline, RedteamResult, baseline_of

_MAX_BYTES = 16 << 20
_TYPE = "https://in-toto.io/Statement/v1"
_PREDICATE = "https://lockgate.dev/redteam-baseline/v1"


class _Subject(msgspec.Struct, frozen=True):
    name: str
    digest: dict[str, str]


class _Statement(msgspec.Struct, frozen=True, rename={"type": "_type", "predicate_type": "predicateType"}):
    type: str
    subject: tuple[_Subject, ...]
    predicate_type: str
    predicate: Baseline


def write_baseline(path: Path, result: RedteamResult) -> None:
    """Sign a complete run with this machine's scanner key, so that later runs can be compared with it.

    Args:
        path: The file.
        result: The run.

    Raises:
        RedteamError: The run is not complete.
        PipelineError: The file cannot be written.
    """
    baseline = baseline_of(result)
    subject = _Subject("redteam:corpus", {"sha256": result.corpus.sha256})
    statement = _Statement(_TYPE, (subject,), _PREDICATE, baseline)
    try:
        write_private(path, sign(msgspec.json.encode(statement, order="sorted"), key_for(Role.SCANNER)))
    except OSError as error:
        raise PipelineError(f"{path} cannot be written.", remedy="Name a place that you may write.") from error


def read_baseline(path: Path) -> Baseline:
    """Read a baseline and check that a key of this machine signed it which may sign results of scans.

    Args:
        path: The file.

    Raises:
        PipelineError: It cannot be read, is signed by a stranger or by nobody, or is no baseline.
    """
    # Whoever may sign the results of scans may sign what later ones are compared with.
    keys = [item.public for item in first_use_trust().keys if TEST_RESULT in item.predicates]
    try:
        envelope = open_envelope(read(path.absolute().parent, path.name, limit=_MAX_BYTES).body)
        verify(envelope, keys)
        statement = msgspec.json.decode(envelope.payload, type=_Statement)
    except (CoreError, EvidenceError) as error:
        raise PipelineError(
            f"The baseline {path.name}: {error.message}", remedy="Write one with --write-baseline."
        ) from error
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise PipelineError(f"{path.name} is no baseline.", remedy="Write one with --write-baseline.") from error
    if (statement.type, statement.predicate_type) != (_TYPE, _PREDICATE):
        raise PipelineError(
            f"{path.name} is a statement about something else.", remedy="Write one with --write-baseline."
        )
    return statement.predicate
