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


def invitation(project: Project, *, shown_as: str, port: int = 8080) -> str:
    """A command line that talks to the served endpoint."""
    model = project.config.serve.model_name if project.config.serve else "assistant"
    return (
        f"lockgate serve {shown_as} --port {port} &  "
        f"curl -s http://127.0.0.1:{port}/v1/chat/completions -H 'authorization: Bearer {local_key(project)}' "
        f"-H 'content-type: application/json' "
        f"""-d '{{"model": "{model}", "messages": [{{"role": "user", "content": "When do you open?"}}]}}'"""
    )


def _place(project: Project) -> Path:
    return home() / "api-keys" / sha256_hex(str(project.root).encode("utf-8", "surrogateescape"))[:32]
