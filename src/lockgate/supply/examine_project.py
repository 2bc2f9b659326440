"""Everything that the supply gate asks of a project: model files, libraries, code, secrets."""

import datetime as dt
from collections.abc import Callable, Iterator
from pathlib import PurePosixPath
from typing import Any

import msgspec

from lockgate.core import Check, Examination, Outcome, errored, skipped
from lockgate.core.config_supply import Part, UnmatchedLibrary
from lockgate.core.files import Snapshot, selects
from lockgate.core.project import IGNORED, Project
from lockgate.supply.allowed import digests
from lockgate.supply.code import CHECKS as CODE
from lockgate.supply.code import is_code, scan_entries
from lockgate.supply.code.secret_in_code import SecretInCode
from lockgate.supply.deps import CHECKS as DEPENDENCIES
from lockgate.supply.deps import ScanOptions, default_folder, examine_listings, statistics_of
from lockgate.supply.deps.dependency import normal_name
from lockgate.supply.deps.known_vulnerability import KnownVulnerability
from lockgate.supply.errors import SupplyError
from lockgate.supply.examine import examine_models
from lockgate.supply.external import examine_data_sets, examine_sources
from lockgate.supply.external.unreviewed_source import UnreviewedSource
from lockgate.supply.listing import Entry
from lockgate.supply.remembered import Remembered
from lockgate.supply.secrets import CHECKS as SECRETS
from lockgate.supply.secrets import Searcher, baseline_key, search_entries
from lockgate.supply.secrets.leaked_secret import LeakedSecret
from lockgate.supply.taken import Taken, taken_files
from lockgate.supply.unpinned_model import UnpinnedModel

Progress = Callable[[int, int, str], None]
AnyCheck = type[Check[Any]]
_NO_MODEL = (
    "no model file lies in the project. Put it there and pin it under 'models', or say why there is none under "
    "'supply: {absent: {models: ...}}'"
)
_PARTS: dict[Part, tuple[str, tuple[AnyCheck, ...]]] = {
    "models": ("model files", (UnpinnedModel,)),
    "vulnerabilities": ("known vulnerabilities of libraries", (KnownVulnerability,)),
    "dependencies": ("the examination of libraries", DEPENDENCIES),
    "code": ("the examination of code", CODE),
    "secrets": ("the search for secrets", SECRETS),
    "sources": ("reviews of third parties", (UnreviewedSource,)),
}


class Supplied(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a project's supplies.

    Attributes:
        examination: Everything that was examined. What is declared absent is SKIPPED, with the reason.
        statistics: Digests of the allow-lists, and which vulnerability data was used.
        absent: Ids of checks that may be SKIPPED, because that is declared.
        notes: What is declared, and why.
    """

    examination: Examination
    statistics: dict[str, object]
    absent: frozenset[str]
    notes: tuple[str, ...]


def examine_project(project: Project, taken: Snapshot, products: Snapshot, progress: Progress) -> Supplied:
    """Examine what a project is made of, and what its training job made.

    Args:
        project: The project.
        taken: Its files as they were when the run began. What has other bytes by now is ERRORED.
        products: The training job's products.
        progress: Called with how far it is, how far it goes, and the file that is looked at.
    """
    absent = project.config.supply.absent
    files = taken_files(project.root, taken, products)
    code = [entry for entry in files.entries if is_code(entry)]
    phases = _Phases(progress, len(files.entries), 1, len(code), len(files.entries))
    models = examine_models(project, taken, products, phases.next())
    found = [models.examination if models.examination.outcomes else _no_model(project)]
    statistics: dict[str, object] = {"allow_lists_sha256": digests()}
    libraries = phases.next()
    if "dependencies" not in absent:
        libraries(0, 1, "libraries")
        listed, database = examine_listings(files, project.policy, _options(project))
        found.append(listed)
        statistics |= statistics_of(database)
    judging = phases.next()
    if "code" not in absent:
        found.append(_code(files, code, "secrets" in absent, judging))
    if "secrets" not in absent:
        found.append(_secrets(project, taken, files, models.weights, phases.next()))
    found.append(examine_data_sets(project, files))
    if "sources" not in absent:
        found.append(examine_sources(project, files))
    progress(phases.total, phases.total, "")
    return Supplied(
        examination=Examination(
            tuple(sorted({ref for item in found for ref in item.subjects})),
            (*(outcome for item in found for outcome in item.outcomes), *_absences(project)),
        ),
        statistics=statistics,
        absent=frozenset(
            (
                *(check.card.id for part in absent for check in _PARTS[part][1]),
                *(KnownVulnerability.card.id for _ in _unmatched(project)),
            )
        ),
        notes=tuple(_notes(project)),
    )


def _notes(project: Project) -> Iterator[str]:
    for part, reason in sorted(project.config.supply.absent.items()):
        yield f"Declared absent: {_PARTS[part][0]} ({reason})"
    for item in _unmatched(project):
        yield f"Declared without a match with advisories until {item.until}: {item.name} ({item.why})"


class _Phases:
    """One progress over several examinations, each with the number of its files."""

    def __init__(self, progress: Progress, *sizes: int) -> None:
        self._progress = progress
        self._sizes = list(sizes)
        self._done = 0
        self.total = sum(sizes)

    def next(self) -> Progress:
        """The progress of the next examination, which may count in steps of its own."""
        start, size = self._done, self._sizes.pop(0)
        self._done += size

        def within(done: int, total: int, note: str) -> None:
            self._progress(start + done * size // max(total, 1), self.total, note)

        return within


def _absences(project: Project) -> Iterator[Outcome]:
    for part, reason in sorted(project.config.supply.absent.items()):
        # Model files are looked for all the same, and each library says by itself that it was not looked up.
        if part not in {"models", "vulnerabilities"}:
            for check in _PARTS[part][1]:
                yield skipped(check, project.policy, f"declared absent: {reason}")


def _no_model(project: Project) -> Examination:
    reason = project.config.supply.absent.get("models", "")
    return Examination(
        (), (skipped(UnpinnedModel, project.policy, f"declared absent: {reason}" if reason else _NO_MODEL),)
    )


def _unmatched(project: Project) -> tuple[UnmatchedLibrary, ...]:
    """The entries that still hold."""
    today = dt.datetime.now(dt.UTC).date()
    return tuple(item for item in project.config.supply.dependencies.unmatched if today <= item.until)


def _options(project: Project) -> ScanOptions:
    settings = project.config.supply
    reason = settings.absent.get("vulnerabilities", "")
    return ScanOptions(
        unmatched={
            name: f"declared unmatched until {item.until}: {item.why}"
            for item in _unmatched(project)
            for name in (normal_name("PyPI", item.name), normal_name("npm", item.name))
        },
        database=default_folder(),
        now=dt.datetime.now(dt.UTC),
        max_age=dt.timedelta(days=settings.dependencies.max_update_age_days),
        max_data_age=dt.timedelta(days=settings.dependencies.max_data_age_days),
        licences=frozenset(settings.dependencies.licences),
        absent=f"declared absent: {reason}" if reason else "",
    )


def _code(files: Taken, entries: list[Entry], alone: bool, progress: Progress) -> Examination:  # noqa: FBT001 - once
    with Remembered("code") as cache:
        scanned = scan_entries(entries, progress, cache=cache)
    outcomes = (outcome for item in scanned for outcome in files.judged(item.ref, item.outcomes))
    # The search for secrets looks into every file with the same detectors; each secret is then said once.
    kept = tuple(outcome for outcome in outcomes if alone or outcome.check != SecretInCode.card.id)
    return Examination(tuple(item.ref for item in scanned if item.ref.sha256), kept)


def _secrets(
    project: Project, taken: Snapshot, files: Taken, weights: frozenset[str], progress: Progress
) -> Examination:
    searched = weights | _examined_as_data(project, taken)
    entries = [entry for entry in files.entries if entry.shown not in searched]
    history = project.root if project.config.supply.history else None

    def left_out(path: str) -> bool:
        return path in weights or _is_ignored(project, path)

    try:
        key = baseline_key(None)
    except SupplyError as error:
        return Examination((), (errored(LeakedSecret, project.policy, str(error)),))
    with Remembered("secrets") as cache:
        searcher = Searcher(key, None, cache)
        found = search_entries(entries, progress, searcher, repository=history, left_out=left_out)
    here = [text for text in found.texts if text.ref.uri in files.digests]
    past = [text for text in found.texts if text.ref.uri not in files.digests]
    outcomes = [outcome for text in here for outcome in files.judged(text.ref, text.outcomes)]
    # What only the history holds is not deployed: it is judged, but is no subject of the evidence.
    outcomes += [outcome for text in past for outcome in text.outcomes]
    return Examination(tuple(text.ref for text in here if text.ref.sha256), tuple(outcomes))


def _is_ignored(project: Project, path: str) -> bool:
    """Whether the project leaves a path of the history out, with all that its folders hold."""
    ignored = (*IGNORED, *(name.rstrip("/") for name in project.config.ignore))
    places = (path, *(folder.as_posix() for folder in PurePosixPath(path).parents))
    return any(selects(pattern, place) for pattern in ignored for place in places)


def _examined_as_data(project: Project, taken: Snapshot) -> frozenset[str]:
    """What the data gate searches with the same detectors."""
    data, application = project.config.data, project.config.application
    if data is None:
        return frozenset()
    named = {application.system_prompt, application.tools}
    return frozenset((*project.matching(taken, (*data.rows, *data.documents)), *named))
