"""A project: a folder with a `lockgate.yaml`."""

from pathlib import Path

import msgspec

from lockgate.core import strict_yaml
from lockgate.core.config import CONFIG_NAME, Config, parse
from lockgate.core.errors import ConfigError, CoreError
from lockgate.core.files import Snapshot, read, selects, snapshot
from lockgate.core.subject import SubjectRef

STATE_NAME = ".lockgate"
IGNORED = frozenset({".git", STATE_NAME})


class Project(msgspec.Struct, frozen=True):
    """A project folder at the moment it was opened.

    Attributes:
        root: Absolute path of the folder.
        config: Its settings.
        policy: Name and digest of the settings file, which is also the policy.
    """

    root: Path
    config: Config
    policy: SubjectRef

    @property
    def state(self) -> Path:
        """Folder for the ledger, events and reports, created with mode 0700 by whoever writes first."""
        return self.root / STATE_NAME

    def snapshot(self) -> Snapshot:
        """Hash every file now, without Lockgate's own state, version control, what is ignored and the job's output."""
        produced = {self.config.train.output.rstrip("/")} if self.config.train else set[str]()
        chosen = {name.rstrip("/") for name in self.config.ignore}
        return snapshot(self.root, ignore=IGNORED | produced | chosen)

    def products(self) -> Snapshot:
        """Hash every file of the training job's output folder now."""
        if not self.config.train or not (self.root / self.config.train.output).is_dir():
            return Snapshot((), ())
        output = self.config.train.output.rstrip("/")
        found = snapshot(self.root / output, ignore=frozenset())
        return Snapshot(
            tuple(SubjectRef(f"{output}/{ref.uri}", ref.sha256) for ref in found.files),
            tuple(
                msgspec.structs.replace(item, ref=SubjectRef(f"{output}/{item.ref.uri}")) for item in found.unreadable
            ),
        )

    def matching(self, taken: Snapshot, patterns: tuple[str, ...]) -> tuple[str, ...]:
        """URIs of everything in `taken`, readable or not, that one of the glob `patterns` selects, sorted."""
        uris = [ref.uri for ref in taken.files] + [item.ref.uri for item in taken.unreadable]
        return tuple(sorted(uri for uri in uris if any(selects(pattern, uri) for pattern in patterns)))


def open_project(root: Path) -> Project:
    """Open a project folder.

    Raises:
        ConfigError: The folder or its `lockgate.yaml` is missing or cannot be read or understood.
    """
    folder = root.resolve()
    if not folder.is_dir():
        raise ConfigError(f"{root} is not a folder.", remedy="Name the folder that holds lockgate.yaml.")
    try:
        content = read(folder, CONFIG_NAME, limit=strict_yaml.MAX_BYTES)
    except CoreError as error:
        raise ConfigError(error.message, remedy=f"Run 'lockgate init {root}' to write one.") from error
    return Project(folder, parse(strict_yaml.load(content.body, name=CONFIG_NAME)), content.ref)
