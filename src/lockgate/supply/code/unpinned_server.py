"""LG-SUPPLY-111."""

from collections.abc import Iterator
from typing import ClassVar

from lockgate.core import Card, Check, Confidence, Finding, Location, Severity
from lockgate.detect.linear import pattern, project
from lockgate.supply.code.subject import CodeFile

_LAUNCHERS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("npx", ()),
    ("bunx", ()),
    ("pnpm", ("dlx",)),
    ("yarn", ("dlx",)),
    ("uvx", ()),
    ("uv", ("tool", "run")),
    ("pipx", ("run",)),
)
_PACKAGE = pattern(r"^@?[A-Za-z0-9][\w./@:=+~^\[\],-]*$")
_VERSION = pattern(r".@v?[0-9][\w.+-]*$|==[0-9][\w.+-]*$|^(?:\./|/)|@[0-9a-f]{40}$|#[0-9a-f]{40}$")
_DOCKER_OPTIONS = frozenset(
    {"-e", "--env", "-v", "--volume", "--mount", "-p", "--name", "--network", "--env-file", "-u"}
)


class UnpinnedServer(Check[CodeFile], frozen=True):
    """Finds MCP servers that are started from a package or image without a version.

    Why it matters:
        Such a command downloads the newest release at every start and runs it beside the agent, with its secrets. A
        release that was taken over yesterday runs today.

    Fails on:
        The newest release, whatever it is:

            server = {"command": "npx", "args": ["-y", "@example/mcp-server"]}

    Passes on:
        One release:

            server = {"command": "npx", "args": ["-y", "@example/mcp-server@1.4.2"]}

    Limits:
        Knows npx, bunx, pnpm dlx, uvx, uv tool run, pipx run and docker run with literal arguments. A version is no
        digest: the registry still decides what it holds.
    """

    card: ClassVar[Card] = Card(
        id="LG-SUPPLY-111",
        title="MCP server from an unpinned package",
        severity=Severity.HIGH,
        confidence=Confidence.HIGH,
        maps=(
            "LLM03:2025",
            "ASI04:2026",
            "AML.T0010.001",
        ),
    )

    def inspect(self, subject: CodeFile) -> Iterator[Finding]:
        """Report every server whose code may change overnight."""
        for launch in subject.launches:
            package = unpinned(launch.command, launch.arguments)
            if package:
                yield self.finding(
                    f"An MCP server is started from {package} without a version. Name one exact version or digest.",
                    at=Location(subject.ref.uri, launch.place, launch.line),
                )


def unpinned(command: str, arguments: tuple[str, ...]) -> str:
    """The package or image that a command runs without a version; empty where it has one or runs none."""
    program = command.replace("\\", "/").rpartition("/")[2].removesuffix(".exe").removesuffix(".cmd")
    words = list(arguments)
    for launcher, prefix in _LAUNCHERS:
        if program == launcher and words[: len(prefix)] == list(prefix):
            rest = words[len(prefix) :]
            package = _named(rest) or _first(rest)
            return "" if not _PACKAGE.match(project(package)) or _VERSION.search(project(package)) else package
    if program in {"docker", "podman"} and words[:1] == ["run"]:
        image = _first(words[1:], _DOCKER_OPTIONS)
        tag = image.rpartition("/")[2].partition(":")[2]
        return image if image and "@sha256:" not in image and tag in {"", "latest"} else ""
    return ""


def _named(words: list[str]) -> str:
    """The package that an option names: `uvx --from package program`."""
    for option in ("--from", "--package", "-p", "--spec"):
        if option in words[:-1]:
            return words[words.index(option) + 1]
    return ""


def _first(words: list[str], valued: frozenset[str] = frozenset({"--python", "--with", "--index"})) -> str:
    """The first word that is no option and no option's value."""
    skip = False
    for word in words:
        if skip or word.startswith("-"):
            skip = word in valued
            continue
        return word
    return ""
