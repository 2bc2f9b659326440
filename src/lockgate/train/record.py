"""Runs the declared training job on a private copy of its inputs and records what went in and what came out."""

import datetime as dt
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath

import msgspec

from lockgate.core import SubjectRef
from lockgate.core.config import CONFIG_NAME, Config
from lockgate.core.files import Snapshot, Unreadable, snapshot
from lockgate.core.home import private_folder
from lockgate.core.project import Project
from lockgate.train.code_version import code_version
from lockgate.train.environment import describe_environment
from lockgate.train.errors import TrainError
from lockgate.train.job_log import job_log
from lockgate.train.process import run_process
from lockgate.train.products import code_formats
from lockgate.train.recording import CodeFormat, Recording
from lockgate.train.sandbox import find_sandbox, invocation
from lockgate.train.staging import Progress, changed_since, copy, folder_of, inputs_of, require_declared


class _Job(msgspec.Struct, frozen=True, kw_only=True):
    """A declared job after its declaration was checked."""

    command: tuple[str, ...]
    inputs: tuple[str, ...]
    files: tuple[str, ...]
    output: PurePosixPath
    timeout_s: int


class _Collected(msgspec.Struct, frozen=True):
    """What the job left in its output folder."""

    products: tuple[SubjectRef, ...] = ()
    formats: tuple[CodeFormat, ...] = ()
    refused: tuple[Unreadable, ...] = ()


def record(
    project: Project,
    *,
    command: Sequence[str],
    inputs: Sequence[str],
    output: str,
    timeout_s: int,
    taken: Snapshot,
    progress: Progress,
) -> Recording:
    """Run a training job and record it.

    The job runs in a copy of the project that holds its inputs and an empty output folder, nothing else. When it
    succeeds, the output folder is replaced as a whole by what it wrote; otherwise the old one stays as it is.

    Args:
        project: The project.
        command: Program and arguments; `python` is the running interpreter. No shell is involved.
        inputs: Files and folders of the project that it may read.
        output: The one folder of the project that it may write.
        timeout_s: Seconds after which it is stopped.
        taken: The project's files, which `inputs` are looked up in.
        progress: Called with the number of steps done, the number of steps, and what is being done.

    Returns:
        The recording, also of a job that failed: its `problems` say why.

    Raises:
        TrainError: The declaration cannot be followed, or the program cannot be started.
        CoreError: An input changed or became unreadable while it was copied.
    """
    folder = folder_of(output, inputs, _not_replaceable(project.config, taken))
    _require_plain(project.root, folder)
    files = inputs_of(inputs, taken)
    require_declared(command, files, taken)
    job = _Job(command=tuple(command), inputs=tuple(inputs), files=files, output=folder, timeout_s=timeout_s)
    private_folder(project.state)
    with tempfile.TemporaryDirectory(prefix="recording-", dir=project.state, ignore_cleanup_errors=True) as work:
        return _run(project, job, Path(work), progress)


def _run(project: Project, job: _Job, work: Path, progress: Progress) -> Recording:
    staged, scratch, kept = work / "project", work / "scratch", work / "kept"
    for folder in (staged, scratch, kept / job.output):
        folder.mkdir(parents=True)
    materials = copy(project.root, job.files, staged, progress)
    (staged / job.output).mkdir(parents=True)
    sandbox = find_sandbox()
    start = invocation(sandbox, job.command, staged=staged, output=job.output.as_posix(), scratch=scratch)
    progress(0, 1, " ".join(job.command))
    started = _now()
    ended = run_process(start, timeout_s=job.timeout_s)
    finished = _now()
    collected = _collect(staged, kept, job.output, progress) if ended.exit_code == 0 else _Collected()
    if collected.products:
        _replace(project.root / job.output, by=kept / job.output, spare=work / "replaced")
    return Recording(
        policy=project.policy,
        command=job.command,
        inputs=job.inputs,
        output=job.output.as_posix(),
        timeout_s=job.timeout_s,
        exit_code=ended.exit_code,
        started=started,
        finished=finished,
        sandbox=sandbox.kind,
        sandbox_reason=sandbox.reason,
        materials=materials,
        changed=changed_since(staged, materials),
        products=collected.products,
        code_formats=collected.formats,
        refused=collected.refused,
        environment=describe_environment(start.environment),
        code=code_version(project.root, staged, materials),
        log=job_log(ended),
    )


def _collect(staged: Path, kept: Path, output: PurePosixPath, progress: Progress) -> _Collected:
    written = snapshot(staged / output, ignore=frozenset())
    if written.unreadable:
        return _Collected(refused=tuple(_below(output, item) for item in written.unreadable))
    products = copy(staged, [(output / ref.uri).as_posix() for ref in written.files], kept, progress)
    return _Collected(products, code_formats(kept, products))


def _below(output: PurePosixPath, item: Unreadable) -> Unreadable:
    uri = (output / item.ref.uri).as_posix()
    return Unreadable(SubjectRef(uri), f"The job wrote {uri}, which cannot be kept: {item.reason}")


def _not_replaceable(config: Config, taken: Snapshot) -> Iterator[str]:
    # The snapshot leaves out what the settings call the output, so what they name elsewhere is checked on its own.
    yield CONFIG_NAME
    yield from (ref.uri for ref in taken.files)
    yield from (model.path for model in config.models)
    application = config.application
    declared = (application.system_prompt, application.protected, application.tools)
    yield from (uri for uri in (*declared, config.data.manifest if config.data else "") if uri)


def _require_plain(root: Path, folder: PurePosixPath) -> None:
    for part in (*reversed(folder.parents), folder):
        path = root / part
        if path.is_symlink() or (path.exists() and not path.is_dir()):
            raise TrainError(f"The output {part} is not a plain folder.", remedy="Remove it, or choose another folder.")


def _replace(folder: Path, *, by: Path, spare: Path) -> None:
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        if folder.exists():
            folder.rename(spare)
        try:
            by.rename(folder)
        except OSError:
            if spare.exists():
                spare.rename(folder)
            raise
    except OSError as error:
        why = (error.strerror or type(error).__name__).lower()
        raise TrainError(
            f"The output {folder.name} cannot be replaced: {why}.",
            remedy="It must be writable and on the same file system as the project.",
        ) from error


def _now() -> str:
    return dt.datetime.now(dt.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
