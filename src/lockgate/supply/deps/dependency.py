"""What the dependency checks look at: one library as a file of dependencies states it."""

from typing import Literal

import msgspec
from packaging.utils import canonicalize_name

from lockgate.core.subject import SubjectRef

Ecosystem = Literal["PyPI", "npm"]
Origin = Literal["registry", "url", "vcs", "path"]
Role = Literal["lock", "requirements", "declaration", "bill"]
Artifact = Literal["wheel", "sdist", "other"]
Use = Literal["unknown", "imported", "through another", "not seen"]
PURL_TYPES: dict[str, Ecosystem] = {"pypi": "PyPI", "npm": "npm"}
"""Package URL types (github.com/package-url/purl-spec) of the ecosystems that are matched."""


class Dependency(msgspec.Struct, frozen=True, kw_only=True):
    """A library that an application needs.

    Attributes:
        ecosystem: OSV's name of the registry.
        name: Its normal name there; as it is written where it has none.
        version: The one version that will do; empty where the file leaves a choice.
        specifier: What the file says about versions.
        marker: The condition under which it is installed. It is examined whatever the condition.
        hashes: Digests that an installer compares, as `sha256:...`.
        repacked: Whether they are of an archive that the installer makes, not of what the registry hands out.
        bundled: Whether it comes inside of another package's archive, whose digest fixes it.
        origin: Where an installer gets it from.
        url: That place, without user, password and query, where it is no registry.
        fixed: Whether a digest or a full commit id fixes what is fetched from `url`.
        artifacts: What kinds of file the entry offers, where the file says so.
        development: Whether it is needed for development alone; None where the file does not say.
        runs_script: Whether the file says that installing it runs a program of its own.
        yanked: Why its makers withdrew the release or gave it up; empty if they did not, or the file does not say.
        licence: SPDX expression, where the file states one.
        requires: Normal names of what it needs, where the file says so.
        line: Line, 1-based, where it is known and lies in the file that was named.
        problem: Why the entry cannot be understood; empty if it can.
    """

    ecosystem: Ecosystem
    name: str
    version: str = ""
    specifier: str = ""
    marker: str = ""
    hashes: tuple[str, ...] = ()
    repacked: bool = False
    bundled: bool = False
    origin: Origin = "registry"
    url: str = ""
    fixed: bool = False
    artifacts: tuple[Artifact, ...] = ()
    development: bool | None = None
    runs_script: bool = False
    yanked: str = ""
    licence: str = ""
    requires: tuple[str, ...] = ()
    line: int | None = None
    problem: str = ""

    @property
    def shown(self) -> str:
        """Its name and version for a reader."""
        return f"{self.name} {self.version}".rstrip()


class Listing(msgspec.Struct, frozen=True, kw_only=True):
    """A file of dependencies, read.

    Attributes:
        ref: Its path as the user named it, and the digest of its bytes.
        role: Whether it fixes what is installed (`lock`), is what an installer is given (`requirements`), states
            wishes (`declaration`), or says what was deployed (`bill`).
        dependencies: Every library in it.
        indexes: Registries beside the usual one that the file names, without user and password.
        unread: Why parts of it, or files that it includes, could not be read.
        included: The files that it includes.
    """

    ref: SubjectRef
    role: Role
    dependencies: tuple[Dependency, ...] = ()
    indexes: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()
    included: tuple[SubjectRef, ...] = ()


class Weakness(msgspec.Struct, frozen=True, kw_only=True):
    """A published vulnerability that a dependency has: all advisories that describe the same one.

    Attributes:
        id: The id under which it is reported: its CVE, else the first of its ids.
        ids: All its ids.
        level: `low`, `medium`, `high`, `critical`, or empty where no advisory rates it.
        summary: One line about it; empty where there is none.
        repaired_in: The lowest version above this one that has the repair; empty where none is named.
        malicious: The release itself was made to do harm.
        sure: False where the advisory's versions could not be understood, so that it is taken to apply.
    """

    id: str
    ids: tuple[str, ...]
    level: str = ""
    summary: str = ""
    repaired_in: str = ""
    malicious: bool = False
    sure: bool = True


class DependencyFacts(msgspec.Struct, frozen=True, kw_only=True):
    """A dependency with all that is known about it.

    Attributes:
        ref: The file that states it.
        role: What kind of file that is.
        dependency: What it states.
        weaknesses: Its published vulnerabilities; None if they could not be looked up.
        why_unknown: Why they could not.
        absent: Whether they were not looked up because somebody declared so.
        any_hashed: Whether the same file states a digest for any dependency.
        use: Whether the application's code imports it.
    """

    ref: SubjectRef
    role: Role
    dependency: Dependency
    weaknesses: tuple[Weakness, ...] | None = None
    why_unknown: str = ""
    absent: bool = False
    any_hashed: bool = False
    use: Use = "unknown"


def normal_name(ecosystem: str, name: str) -> str:
    """The normal form of a name: PEP 503 for PyPI, lower case for npm."""
    return canonicalize_name(name) if ecosystem == "PyPI" else name.lower()
