"""Run the train checks on a recording."""

from collections.abc import Iterator

from lockgate.core import Examination, Outcome, SubjectRef, errored, run
from lockgate.core.files import Snapshot
from lockgate.core.project import Project
from lockgate.train.changed_input import ChangedInput
from lockgate.train.code_format import CodeFormatProduct
from lockgate.train.empty_output import EmptyOutput
from lockgate.train.failed_job import FailedJob
from lockgate.train.no_isolation import UnisolatedJob
from lockgate.train.recording import Recording
from lockgate.train.staging import Progress
from lockgate.train.subject import Material, Product


def examine(project: Project, recording: Recording, taken: Snapshot, progress: Progress) -> Examination:
    """Examine a recorded training job.

    Args:
        project: The project, for `train.require_isolation`.
        recording: The job's latest recording.
        taken: The files that the data gate examined.
        progress: Called with the number of steps done, the number of steps, and what is being done.

    Returns:
        The subjects are the job's materials and products; findings about the job itself name the settings file.
    """
    required = bool(project.config.train and project.config.train.require_isolation)
    progress(0, 1, "training record")
    outcomes = [run(FailedJob(), recording), run(UnisolatedJob(required=required), recording)]
    outcomes.append(run(EmptyOutput(), recording))
    outcomes += _materials(recording, taken)
    outcomes += _products(recording)
    progress(1, 1, "training record")
    subjects = {recording.policy, *recording.materials, *recording.products, *(item.ref for item in recording.refused)}
    return Examination(tuple(sorted(subjects)), tuple(outcomes))


def _materials(recording: Recording, taken: Snapshot) -> Iterator[Outcome]:
    examined = {ref.uri: ref.sha256 for ref in taken.files}
    changed = frozenset(recording.changed)
    check = ChangedInput()
    for ref in recording.materials:
        yield run(check, Material(ref, examined.get(ref.uri), ref.uri in changed))


def _products(recording: Recording) -> Iterator[Outcome]:
    formats = {item.uri: item.format for item in recording.code_formats}
    check = CodeFormatProduct()
    for ref in recording.products:
        yield run(check, Product(ref, formats.get(ref.uri, "")))
    for item in recording.refused:
        yield errored(check, SubjectRef(item.ref.uri), item.reason)
