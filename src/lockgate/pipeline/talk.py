"""The local API key of a project and the one line that talks to its endpoint."""

from pathlib import Path

from lockgate.core.files import CHUNK
from lockgate.core.home import home, write_private
from lockgate.core.project import Project
from lockgate.core.subject import sha256_hex
from lockgate.gateway import KeyStore, create

KEY_NAME = "local"


def local_key(project: Project) -> str:
    """The key with which this user talks to the endpoint on this machine, made on first use.

    It lies in `$LOCKGATE_HOME/api-keys`, readable by this user alone, so that it can be printed again; the project
    holds only its HMAC, as of every key.

    Raises:
        GatewayError: The file of keys or the pepper cannot be read or written.
    """
    path = _place(project)
    if path.is_file():
        with path.open("rb") as stream:
            stored = stream.read(CHUNK).decode("utf-8", "replace").strip()
        if KeyStore.open(project).verify(stored):
            return stored
    _, secret = create(project, KEY_NAME)
    write_private(path, f"{secret}\n".encode())
    return secret


def invitation(project: Project, *, command: str, shown_as: str, port: int = 8080) -> tuple[tuple[str, str], ...]:
    """How to serve the project and talk to it: labels and lines to copy.

    Args:
        project: The project.
        command: How the user calls `lockgate`.
        shown_as: The project folder as the user named it.
        port: The port to serve on.
    """
    key = local_key(project)
    return (
        ("serve", f"{command} serve {shown_as} --port {port}"),
        ("base_url", _base_url(port)),
        ("api_key", key),
        ("ask", question(project, key=key, port=port)),
    )


def question(project: Project, *, key: str = "$LOCKGATE_API_KEY", port: int = 8080) -> str:
    """A command line that asks the endpoint something and waits until it is up."""
    model = project.config.serve.model_name if project.config.serve else "assistant"
    body = f'{{"model": "{model}", "messages": [{{"role": "user", "content": "When do you open?"}}]}}'
    headers = f'-H "authorization: Bearer {key}" -H "content-type: application/json"'
    return f"curl -s --retry 9 --retry-connrefused {_base_url(port)}/chat/completions {headers} -d '{body}'"


def _base_url(port: int) -> str:
    return f"http://127.0.0.1:{port}/v1"


def _place(project: Project) -> Path:
    return home() / "api-keys" / sha256_hex(str(project.root).encode("utf-8", "surrogateescape"))[:32]
