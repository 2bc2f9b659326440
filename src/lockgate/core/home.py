"""Where Lockgate keeps what must lie outside the projects that it judges: keys, trust, verified models."""

import os
import secrets
from pathlib import Path

HOME_VARIABLE = "LOCKGATE_HOME"


def home() -> Path:
    """`$LOCKGATE_HOME`, else `$XDG_CONFIG_HOME/lockgate`, else `~/.config/lockgate`."""
    if chosen := os.environ.get(HOME_VARIABLE):
        return Path(chosen).expanduser()
    return Path(os.environ.get("XDG_CONFIG_HOME") or "~/.config").expanduser() / "lockgate"


def private_folder(folder: Path) -> Path:
    """Create `folder` readable by its owner alone, and return it."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


def write_private(path: Path, body: bytes) -> None:
    """Write a file that only its owner can read, whole or not at all (written beside it, synced, renamed)."""
    private_folder(path.parent)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}.tmp")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(body)
            stream.flush()
            os.fsync(stream.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
