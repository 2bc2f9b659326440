"""What the endpoint serves: the application's prompt, what must never leave, and the guard that knows both."""

import msgspec

from lockgate.core import CoreError, SubjectRef
from lockgate.core.files import Content, read
from lockgate.core.project import Project
from lockgate.gateway.errors import GatewayError
from lockgate.guard import Guard

_MAX_BYTES = 1 << 20


class Application(msgspec.Struct, frozen=True):
    """The application's own files, read once.

    Attributes:
        system_prompt: Put before every conversation; empty for none.
        protected: Values that no answer may contain.
        cedar: Cedar policies that decide about requests; empty for none.
        refs: The files with the digests of the bytes that were read, so that a caller can compare them with evidence.
    """

    system_prompt: str
    protected: tuple[str, ...]
    refs: tuple[SubjectRef, ...]
    cedar: str = ""

    def __repr__(self) -> str:
        return f"Application(refs={self.refs!r})"


def read_application(project: Project) -> Application:
    """Read the system prompt, the protected values and the Cedar policies that `lockgate.yaml` names.

    Raises:
        GatewayError: A file cannot be read, is not UTF-8, or names nothing.
    """
    settings = project.config.application
    prompt = _read(project, settings.system_prompt)
    protected = _read(project, settings.protected)
    values = tuple(line.strip() for line in _text(protected).splitlines() if line.strip())
    if protected and not values:
        raise GatewayError(f"{protected.ref.uri} is empty.", remedy="Write one protected value a line, or drop it.")
    cedar = _read(project, project.config.serve.cedar if project.config.serve else "")
    refs = tuple(item.ref for item in (prompt, protected, cedar) if item)
    return Application(_text(prompt).strip(), values, refs, _text(cedar))


def build_guard(project: Project, application: Application | None = None) -> Guard:
    """The guard of a project: its sensitivity, its protected values and its system prompt.

    Args:
        project: The project.
        application: Its files, where they were read already.

    Raises:
        GatewayError: The files cannot be read.
    """
    known = application or read_application(project)
    return Guard(project.config.guard, known.protected, known.system_prompt)


def _read(project: Project, uri: str) -> Content | None:
    try:
        return read(project.root, uri, limit=_MAX_BYTES) if uri else None
    except CoreError as error:
        raise GatewayError(error.message, remedy=error.remedy) from error


def _text(content: Content | None) -> str:
    try:
        return content.body.decode("utf-8") if content else ""
    except UnicodeDecodeError as error:
        raise GatewayError(f"{content.ref.uri if content else ''} is not UTF-8.", remedy="Save as UTF-8.") from error
