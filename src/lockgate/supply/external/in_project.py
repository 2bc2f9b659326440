"""Gathers what a project declares about others, and where it relies on them."""

import contextlib
import datetime as dt
import hashlib
import ipaddress
import re
from collections.abc import Iterator

import msgspec

from lockgate.core import CoreError, Examination, Outcome, SubjectRef, errored, run
from lockgate.core.config import Config
from lockgate.core.config_upstreams import EmbeddedUpstream
from lockgate.core.files import Content, read, relative
from lockgate.core.project import Project
from lockgate.supply.bom.code import Found, is_mcp_settings, read_code, read_mcp_settings
from lockgate.supply.external.subject import DataSetFacts, SourceFacts, Use
from lockgate.supply.external.unproven_data_set import UnprovenDataSet
from lockgate.supply.external.unreviewed_source import UnreviewedSource, host_of
from lockgate.supply.remembered import Remembered
from lockgate.supply.taken import Taken

_UNREAD = "It cannot be parsed, or changed since the run began, so what it relies on is not known."
_MAX_BYTES = 4 << 20
_KINDS = {"endpoint": "an endpoint in the code", "mcp-server": "an MCP server"}
HUB = "huggingface.co"
"""Where the loaders of these libraries look for a name such as `org/name`."""
_HUB_KINDS = {"model": "a model repository", "dataset": "a repository of data"}
_HUB_CALLS = (
    b"from_pretrained(",
    b"hf_hub_download(",
    b"snapshot_download(",
    b"SentenceTransformer(",
    b"load_dataset(",
)
_HUB_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*/[A-Za-z0-9][A-Za-z0-9._-]*")
# Names that RFC 2606 and RFC 6761 reserve, and those of networks of one's own.
_NO_THIRD_PARTY = ("example", "example.com", "example.net", "example.org", "invalid", "test", "localhost", "local")
_OWN = (*_NO_THIRD_PARTY, "internal", "home.arpa", "svc")


def examine_data_sets(project: Project, files: Taken) -> Examination:
    """Compare every declared data set with what lies in the project. Without one there is nothing to examine."""
    settings = project.config.supply
    outcomes: list[Outcome] = []
    for claim in settings.data_sets:
        try:
            folder = f"{relative(claim.path).as_posix()}/" if claim.path else ""
        except CoreError as error:
            outcomes.append(errored(UnprovenDataSet, project.policy, str(error)))
            continue
        listed = ((uri.removeprefix(folder), digest) for uri, digest in files.digests.items() if uri.startswith(folder))
        facts = DataSetFacts(
            ref=project.policy,
            claim=claim,
            licences=frozenset(settings.data_licences),
            present=dict(listed) if folder else {},
        )
        outcomes.append(run(UnprovenDataSet(), facts))
    return Examination((project.policy,) if outcomes else (), tuple(outcomes))


def examine_sources(project: Project, files: Taken) -> Examination:
    """Compare the inventory of third parties with what the project relies on. What cannot be parsed is ERRORED."""
    used: list[Use] = [*_declared(project.config, project.policy.uri)]
    unread: list[Outcome] = []
    with Remembered("sources") as cache:
        for uri in files.digests:
            if uri.endswith((".py", ".pyw", ".ipynb")) or is_mcp_settings(uri):
                try:
                    used += _in_file(files, uri, cache)
                except (CoreError, ValueError):
                    unread.append(errored(UnreviewedSource, SubjectRef(uri, files.digests[uri]), _UNREAD))
    foreign = tuple(sorted({use for use in used if is_third_party(use.host)}))
    listed = project.config.supply.sources
    if not foreign and not listed:
        return Examination((), tuple(unread))
    today = dt.datetime.now(dt.UTC).date()
    facts = SourceFacts(ref=project.policy, listed=listed, used=foreign, today=today)
    return Examination((project.policy,), (run(UnreviewedSource(), facts), *unread))


def is_third_party(host: str) -> bool:
    """Whether a host belongs to somebody else: neither this machine, nor a private network, nor a reserved name."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return "." in host and not any(host == name or host.endswith(f".{name}") for name in _OWN)
    return address.is_global


def _declared(config: Config, uri: str) -> Iterator[Use]:
    serve = config.serve
    for upstream in (serve.upstream, *serve.upstreams.values()) if serve else ():
        if upstream is not None and not isinstance(upstream, EmbeddedUpstream):
            yield Use(host_of(upstream.base_url), uri, 0, "an upstream")
    if serve and serve.moderation is not None:
        yield Use(host_of(serve.moderation.base_url), uri, 0, "the moderation endpoint")
    origins = [("the origin of a model", model.origin) for model in config.models]
    origins += [("the origin of a data set", item.origin) for item in config.supply.data_sets]
    for what, origin in origins:
        if "://" in origin:
            yield Use(host_of(origin), uri, 0, what)


def _in_file(files: Taken, uri: str, cache: Remembered) -> Iterator[Use]:
    content = read(files.root, uri, limit=_MAX_BYTES)
    if content.ref.sha256 != files.digests[uri]:
        raise CoreError(f"{uri} changed since the run began.")
    loads = any(call in content.body for call in _HUB_CALLS)
    for item in _found(content, cache):
        address = item.name.rpartition(" ")[2]
        if item.kind in _KINDS and "://" in address:
            yield Use(host_of(address), uri, item.line, _KINDS[item.kind])
        elif loads and item.kind in _HUB_KINDS and _HUB_NAME.fullmatch(item.name) and not _lies_there(files, item.name):
            yield Use(HUB, uri, item.line, _HUB_KINDS[item.kind])


def _found(content: Content, cache: Remembered) -> tuple[Found, ...]:
    uri, body = content.ref.uri, content.body
    if is_mcp_settings(uri):
        return read_mcp_settings(uri, body)
    key = hashlib.sha256(f"{content.ref.sha256}\0{uri.endswith('.ipynb')}".encode()).digest()
    with contextlib.suppress(msgspec.DecodeError, msgspec.ValidationError):
        if (kept := cache.find(key)) is not None:
            return msgspec.msgpack.decode(kept, type=tuple[Found, ...])
    found = read_code(uri, body)
    cache.keep(key, msgspec.msgpack.encode(found))
    return found


def _lies_there(files: Taken, name: str) -> bool:
    return any(uri == name or uri.startswith(f"{name}/") for uri in files.digests)
