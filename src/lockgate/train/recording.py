"""What is known about one run of a training job, frozen and ready to be stored as JSON."""

from typing import Literal

import msgspec

from lockgate.core import SubjectRef
from lockgate.core.files import Unreadable

Isolation = Literal["bubblewrap", "none"]


class Distribution(msgspec.Struct, frozen=True, order=True):
    """An installed Python distribution.

    Attributes:
        name: Its name, normalised as PEP 503 says.
        version: Its version.
    """

    name: str
    version: str


class Environment(msgspec.Struct, frozen=True):
    """What the job ran on.

    Attributes:
        python: Implementation and version of the interpreter that `python` names inside the job.
        platform: Operating system and machine type.
        distributions: What that interpreter can import, sorted.
        variables: Names of the environment variables that the job was given, sorted. Their values are Lockgate's own.
    """

    python: str
    platform: str
    distributions: tuple[Distribution, ...]
    variables: tuple[str, ...]


class CodeVersion(msgspec.Struct, frozen=True):
    """The commit of the repository around the project.

    Attributes:
        commit: Full object id of `HEAD`.
        dirty: Whether some input of the job differs, byte for byte, from that commit or is not in it.
    """

    commit: str
    dirty: bool


class CodeFormat(msgspec.Struct, frozen=True):
    """A product whose format can run code when it is loaded.

    Attributes:
        uri: The product.
        format: Name of the format, told by content first and by extension second.
    """

    uri: str
    format: str


class JobLog(msgspec.Struct, frozen=True):
    """What the job printed.

    Attributes:
        sha256: Digest of everything it wrote to standard output and standard error.
        size: Bytes of the same.
        tail: The end of it for display: printable text, secrets replaced by `[SECRET]`.
    """

    sha256: str
    size: int
    tail: str


class Recording(msgspec.Struct, frozen=True, kw_only=True):
    """One run of a training job.

    Attributes:
        policy: The settings file that declares the job, by digest.
        command: Program and arguments as declared.
        inputs: Files and folders as declared.
        output: The output folder as declared.
        timeout_s: Seconds that it was allowed.
        exit_code: Its exit status, 128 + signal when a signal ended it, None when it was stopped at the timeout.
        started: UTC, ISO 8601.
        finished: UTC, ISO 8601.
        sandbox: How it was isolated.
        sandbox_reason: Why it was not.
        materials: The exact bytes that it could read, by digest.
        changed: URIs of materials that no longer had these bytes when the job ended.
        products: The files of the output folder, by digest. Empty unless the output was kept.
        code_formats: Products that can run code when they are loaded.
        refused: Entries of the output that are no plain files; any of them keeps the old output in place.
        environment: What it ran on.
        code: Commit of the repository, None when there is none or git is not installed.
        log: What it printed.
    """

    policy: SubjectRef
    command: tuple[str, ...]
    inputs: tuple[str, ...]
    output: str
    timeout_s: int
    exit_code: int | None
    started: str
    finished: str
    sandbox: Isolation
    sandbox_reason: str
    materials: tuple[SubjectRef, ...]
    changed: tuple[str, ...]
    products: tuple[SubjectRef, ...]
    code_formats: tuple[CodeFormat, ...]
    refused: tuple[Unreadable, ...]
    environment: Environment
    code: CodeVersion | None
    log: JobLog

    @property
    def ref(self) -> SubjectRef:
        """The settings file, which is where a finding about the job itself lies."""
        return self.policy

    @property
    def timed_out(self) -> bool:
        """Whether it was stopped because its time was up."""
        return self.exit_code is None

    @property
    def kept(self) -> bool:
        """Whether the new output replaced the old one."""
        return bool(self.products)

    @property
    def problems(self) -> tuple[str, ...]:
        """Why the new output was not kept, one sentence each; empty when it was."""
        if self.kept:
            return ()
        if self.timed_out:
            return (f"The job was stopped after {self.timeout_s:,} s.",)
        if self.exit_code:
            return (f"The job ended with exit code {self.exit_code}.",)
        return tuple(item.reason for item in self.refused) or (f"The job wrote nothing to {self.output}.",)
