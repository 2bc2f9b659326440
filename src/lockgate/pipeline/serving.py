"""Serves an application that its deploy gate admits, or loudly one that it does not."""

import datetime as dt
import secrets
from collections.abc import Callable

from lockgate.core.event import Event, EventKind
from lockgate.core.project import Project
from lockgate.evidence import Ledger, Role, Trust, key_for
from lockgate.gateway import Running, read_application, run_server
from lockgate.monitor import EventStore, utc_now
from lockgate.pipeline.admission import Admission, admit
from lockgate.pipeline.errors import PipelineError
from lockgate.pipeline.notary import Notary

SERVE, OBSERVE = "serve", "serve-observe"


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
) -> None:
    """Serve until a signal ends it.

    With reasons in `admission` this is an override: it is signed into the ledger and recorded as an alert before the
    endpoint opens, and every event carries the source `serve-observe`.

    Raises:
        LockgateError: The override cannot be recorded, or the endpoint cannot start.
    """
    application = read_application(project)
    if admission.reasons:
        _record_override(project, trust, admission)
    elif changed := [ref.uri for ref in application.refs if ref not in admission.approved]:
        # These very bytes are served; the files may have been swapped since admission hashed them.
        raise PipelineError(f"{changed[0]} changed while the endpoint was starting.", remedy="Run the gates again.")
    source = OBSERVE if admission.reasons else SERVE
    run_server(project, port=port, source=source, on_ready=on_ready, application=application)


def _record_override(project: Project, trust: Trust, admission: Admission) -> None:
    now = dt.datetime.now(dt.UTC)
    with Ledger.open(project.state, key_for(Role.APPROVER)) as ledger:
        run = f"{now:%Y%m%dT%H%M%SZ}-{secrets.token_hex(3)}"
        Notary(project, ledger, trust, run).override("serve --observe", admission.reasons, now)
    with EventStore.open(project.state) as store:
        labels = ("serve.observe",)
        store.append(Event(id=run, at=utc_now(), kind=EventKind.ALERT, action="allow", labels=labels, source=OBSERVE))
