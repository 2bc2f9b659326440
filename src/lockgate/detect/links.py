"""Finds links, images and forms that lead to hosts which nobody listed."""

from functools import lru_cache

import msgspec

from lockgate.core import Span
from lockgate.detect.destinations import ascii_host, bare, hosts, structural

LONGEST = 800
"""Characters that a link may span before its host is known."""


class HostList(msgspec.Struct, frozen=True):
    """Hosts that links may lead to.

    Attributes:
        exact: Host names and addresses.
        parents: Domains of which every subdomain is listed, with the leading dot.
    """

    exact: frozenset[str]
    parents: tuple[str, ...]

    def lists(self, host: str) -> bool:
        """Whether links to `host` are fine."""
        return host in self.exact or host.endswith(self.parents)


@lru_cache(maxsize=64)
def host_list(names: tuple[str, ...]) -> HostList:
    """Read a list: `example.org` stands for itself, `*.example.org` for every subdomain; also IP addresses."""
    exact = frozenset(ascii_host(name) for name in names if not name.startswith("*."))
    return HostList(exact, tuple(f".{ascii_host(name[2:])}" for name in names if name.startswith("*.")))


def find_links(text: str, allowed: HostList) -> tuple[Span, ...]:
    """Find addresses whose host is not listed: markdown, HTML, CSS, autolinks, references and running text.

    Links inside the same site and schemes without a host (`tel:`) are left alone.

    Returns:
        Sorted spans over the addresses, labelled `link.unlisted`.
    """
    return tuple(
        sorted(
            {
                Span(place.start, place.end, "link.unlisted")
                for found in (structural(text), bare(text))
                for place in found
                if any(not allowed.lists(host) for host in hosts(place.url))
            }
        )
    )
