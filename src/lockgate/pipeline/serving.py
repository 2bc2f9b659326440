"""Serves an application that its deploy gate admits, or loudly one that it does not."""

import datetime as dt
import secrets
from collections.abc import Callable

from lockgate.core.event import Event, EventKind
from lockgate.core.project import Project, open_project
from lockgate.evidence import Ledger, Role, Trust, key_for
from lockgate.gateway import Application, Running, read_application, run_server
from lockgate.monitor import EventStore, utc_now
from lockgate.pipeline.admission import Admission, admit
from lockgate.pipeline.errors import PipelineError
from lockgate.pipeline.notary import Notary

SERVE, OBSERVE = "serve", "serve-observe"
_FAIL_OPEN = "serve.fail_open"


def consider(project: Project, trust: Trust) -> Admission:
    """Whether the application may be served; see `admit`."""
    return admit(project, trust)


def serve(
    project: Project,
    trust: Trust,
    admission: Admission,
    *,
    port: int,
    on_ready: Callable[[Running], None],
    workers: int = 1,
    admin_port: int | None = None,
    on_reload: Callable[[str], None] | None = None,
) -> None:
    """Serve until a signal ends it.

    With reasons in `admission` this is an override: it is signed into the ledger and recorded as an alert before the
    endpoint opens, and every event carries the source `serve-observe`. A guard that fails open is signed and recorded
    in the same way. SIGHUP reads the project again; it must be admitted as it was at the start, or what was served
    stays.

    Args:
        project: The project.
        trust: Who may approve it.
        admission: What `consider` said.
        port: The port; 0 for a free one.
        on_ready: Called once the endpoint answers.
        workers: Processes that answer.
        admin_port: Port of the admin plane; 0 for a free one, None for no admin plane.
        on_reload: Told after each reload: nothing where it worked, else why the old settings stay.

    Raises:
        LockgateError: The override cannot be recorded, or the endpoint cannot start.
    """
    observed = bool(admission.reasons)

    def read_again() -> tuple[Project, Application]:
        now = open_project(project.root)
        return now, _admitted(now, trust, consider(now, trust), observed=observed)

    run_server(
        project,
        port=port,
        source=OBSERVE if observed else SERVE,
        on_ready=on_ready,
        application=_admitted(project, trust, admission, observed=observed),
        workers=workers,
        admin_port=admin_port,
        read_again=read_again,
        on_reload=on_reload,
    )


def _admitted(project: Project, trust: Trust, admission: Admission, *, observed: bool) -> Application:
    """The application's files as admission saw them.

    Raises:
        LockgateError: It is not admitted, or its files changed in between.
    """
    application = read_application(project)
    if surfaces := project.config.serve.fail_open if project.config.serve else ():
        held = (f"What the guard cannot judge travels all the same: {', '.join(surfaces)}.",)
        _record_override(project, trust, _FAIL_OPEN, "The settings say so.", held)
    if admission.reasons and observed:
        reason = "Started by hand to observe; nothing was approved."
        _record_override(project, trust, "serve --observe", reason, admission.reasons)
    elif admission.reasons:
        raise PipelineError(
            f"The deploy gate does not admit what lies there now: {admission.reasons[0]}", remedy="Run the gates again."
        )
    elif changed := [ref.uri for ref in application.refs if ref not in admission.approved]:
        # These very bytes are served; the files may have been swapped since admission hashed them.
        raise PipelineError(f"{changed[0]} changed while the endpoint was starting.", remedy="Run the gates again.")
    return application


def _record_override(project: Project, trust: Trust, mode: str, reason: str, held: tuple[str, ...]) -> None:
    now = dt.datetime.now(dt.UTC)
    with Ledger.open(project.state, key_for(Role.APPROVER)) as ledger:
        run = f"{now:%Y%m%dT%H%M%SZ}-{secrets.token_hex(3)}"
        Notary(project, ledger, trust, run).override(mode, reason, held, now)
    with EventStore.open(project.state) as store:
        source, label = (OBSERVE, "serve.observe") if mode != _FAIL_OPEN else (SERVE, _FAIL_OPEN)
        store.append(Event(id=run, at=utc_now(), kind=EventKind.ALERT, action="allow", labels=(label,), source=source))
