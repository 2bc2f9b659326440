"""What the person who approves a project writes: its integrity manifest."""

from pathlib import Path

from lockgate.core.errors import ConfigError
from lockgate.core.project import open_project
from lockgate.data.manifest import render_manifest


def write_manifest(folder: Path) -> tuple[Path, int]:
    """Write the manifest of the project in `folder`, whole or not at all.

    Returns:
        Its path and the number of files it lists.

    Raises:
        ConfigError: The project declares no data stage.
        LockgateError: A file cannot be read.
    """
    project = open_project(folder)
    if project.config.data is None:
        raise ConfigError("lockgate.yaml declares no data stage.", remedy="Add 'data: {}' to it.")
    path = project.root / project.config.data.manifest
    body = render_manifest(project.snapshot(), project.config.data.manifest)
    temporary = path.with_name(f".{path.name}.tmp")
    temporary.write_bytes(body)
    temporary.replace(path)
    return path, body.count(b"\n")
