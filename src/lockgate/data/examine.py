"""Read what the settings name and run the data checks on it."""

from collections.abc import Callable, Iterator

import msgspec

from lockgate.core import (
    Check,
    CoreError,
    Examination,
    LockgateError,
    Outcome,
    SubjectRef,
    errored,
    run,
    skipped,
)
from lockgate.core.config import DataConfig
from lockgate.core.files import Content, Snapshot, read
from lockgate.core.project import Project
from lockgate.data import manifest
from lockgate.data.broken_row import BrokenRow
from lockgate.data.document import read_document
from lockgate.data.errors import DataError
from lockgate.data.hidden_instruction import HiddenInstruction
from lockgate.data.judged_document import AttackInDocument, Judge, JudgedDocument
from lockgate.data.manifest import Listing, parse_manifest
from lockgate.data.manifest_mismatch import ManifestMismatch
from lockgate.data.passage import Kind, TextSubject
from lockgate.data.personal_data import PersonalDataInRow
from lockgate.data.repeated_row import RepeatedRow
from lockgate.data.row_file import RowFile, read_rows
from lockgate.data.secret import SecretInData

Progress = Callable[[int, int, str], None]

_ROW_CHECKS: tuple[Check[RowFile], ...] = (
    SecretInData(),
    PersonalDataInRow(),
    HiddenInstruction(),
    BrokenRow(),
    RepeatedRow(),
)
_DOCUMENT_CHECKS: tuple[Check[TextSubject], ...] = (SecretInData(), HiddenInstruction())


class _Task(msgspec.Struct, frozen=True):
    """A file to examine, or a pattern that names none."""

    uri: str
    kind: Kind
    exists: bool = True


def examine(project: Project, taken: Snapshot, progress: Progress, judge: Judge | None = None) -> Examination:
    """Examine a project's manifest, training rows, documents and prompts.

    Args:
        project: The project; without a `data` section nothing is examined.
        taken: The project's files when the run started. A file that has other bytes by now is ERRORED.
        progress: Called with the number of files done, the number of files, and the file being examined.
        judge: Says what in a document reads like an attack, unless `data.guard` is off; None leaves that out.

    Returns:
        The subjects are all files of the project, because the manifest speaks about all of them.
    """
    config = project.config.data
    if config is None:
        return Examination((), ())
    tasks = tuple(_tasks(project, config, taken))
    progress(0, len(tasks) + 1, config.manifest)
    outcomes = list(_manifest(project, config.manifest, taken))
    for number, task in enumerate(tasks, start=1):
        progress(number, len(tasks) + 1, task.uri)
        outcomes += _outcomes(project, config, taken, task, judge if config.guard else None)
    progress(len(tasks) + 1, len(tasks) + 1, config.manifest)
    subjects = (*taken.files, *(item.ref for item in taken.unreadable))
    return Examination(tuple(sorted(subjects)), tuple(outcomes))


def _tasks(project: Project, config: DataConfig, taken: Snapshot) -> Iterator[_Task]:
    application = project.config.application
    prompts = tuple(uri for uri in (application.system_prompt, application.tools) if uri)
    for kind, patterns in ((Kind.ROWS, config.rows), (Kind.DOCUMENT, config.documents)):
        uris: set[str] = set()
        for pattern in patterns:
            matched = project.matching(taken, (pattern,))
            if not matched:
                yield _Task(pattern, kind, exists=False)
            uris.update(matched)
        for uri in sorted(uris):
            yield _Task(uri, Kind.PROMPT if kind is Kind.DOCUMENT and uri in prompts else kind)
    listed = project.matching(taken, config.documents)
    yield from (_Task(uri, Kind.PROMPT) for uri in prompts if uri not in listed)


def _manifest(project: Project, name: str, taken: Snapshot) -> Iterator[Outcome]:
    check = ManifestMismatch()
    for item in taken.unreadable:
        yield errored(check, item.ref, item.reason)
    if taken.digest_of(name) is None:
        if not any(item.ref.uri == name for item in taken.unreadable):
            yield skipped(check, SubjectRef(name), "no manifest; run 'lockgate manifest DIR'")
        return
    try:
        content = _read(project, name, taken, limit=manifest.MAX_BYTES)
        listed = parse_manifest(content.body).entries
        if any(ref.uri == name for ref in listed):
            raise DataError(f"{name} lists itself.", remedy="Run 'lockgate manifest DIR' after a review.")
    except LockgateError as error:
        yield errored(check, SubjectRef(name), str(error))
        return
    present = tuple(ref for ref in taken.files if ref.uri != name)
    unreadable = tuple(item.ref.uri for item in taken.unreadable)
    yield run(check, Listing(content.ref, listed, present, unreadable))


def _outcomes(project: Project, config: DataConfig, taken: Snapshot, task: _Task, judge: Judge | None) -> list[Outcome]:
    if not task.exists:
        section = "rows" if task.kind is Kind.ROWS else "documents"
        return _errored(task, f"{section}: pattern {task.uri} matches no file. Correct or remove it")
    try:
        content = _read(project, task.uri, taken, limit=config.max_bytes)
        if task.kind is Kind.ROWS:
            rows = read_rows(content, config.fields)
            return [run(check, rows) for check in _ROW_CHECKS]
        document = read_document(content, task.kind)
    except LockgateError as error:
        return _errored(task, str(error))
    outcomes = [run(check, document) for check in _DOCUMENT_CHECKS]
    if judge and task.kind is Kind.DOCUMENT:
        outcomes.append(run(AttackInDocument(), JudgedDocument(document, judge)))
    return outcomes


def _errored(task: _Task, reason: str) -> list[Outcome]:
    checks: tuple[Check[RowFile], ...] = _ROW_CHECKS if task.kind is Kind.ROWS else _DOCUMENT_CHECKS
    return [errored(check, SubjectRef(task.uri), reason) for check in checks]


def _read(project: Project, uri: str, taken: Snapshot, *, limit: int) -> Content:
    content = read(project.root, uri, limit=limit)
    if content.ref.sha256 != taken.digest_of(uri):
        raise CoreError(f"{uri} changed since the run started.", remedy="Run again when nothing writes to the project.")
    return content
