"""Where links and images of a text lead, read as a browser reads them (WHATWG URL, CommonMark, HTML).

A browser undoes HTML entities, drops tabs and line feeds, takes a backslash for a slash, and believes what stands
behind the last "@".
"""

import html
import unicodedata
from collections.abc import Iterator
from urllib.parse import unquote

import msgspec

from lockgate.detect.linear import pattern, project

_REST = r"[^\s<>]{1,500}"
_VALUE = r"(\"[^\"]{0,500}\"?|'[^']{0,500}'?|[^\s\"'<>`]{1,500})"
_ATTRIBUTES = (
    "href|src|srcset|action|formaction|poster|data|background|cite|ping|xlink:href|longdesc|codebase|manifest|content"
)
# Each with what every match holds, so that most texts need no search.
_PLACES = (
    # Markdown: inline, reference, autolink.
    (b"](", pattern(r"\]\(\s{0,20}(<[^<>\n]{0,500}>?|[^\s()<>](?:[^\s)<>]{0,499}))")),
    (b"]:", pattern(rf"(?m)^[ \t>]{{0,8}}\[[^\]\n]{{1,200}}\]:\s{{0,20}}(<[^<>\n]{{0,500}}>?|{_REST})")),
    (b"<", pattern(r"<([A-Za-z][A-Za-z0-9+.-]{1,31}:[^\s<>]{0,500})>")),
    # HTML, quoted or not, and CSS.
    (b"=", pattern(rf"(?i)[\s\"'/](?:{_ATTRIBUTES})\s{{0,10}}=\s{{0,10}}{_VALUE}")),
    (b"=", pattern(r"(?i)[\s\"'/]srcset\s{0,10}=[^<>]{0,300},\s{0,10}([^\s\"'<>,]{1,400})")),
    (b"(", pattern(r"(?i)\burl\(\s{0,10}(\"[^\"]{0,500}\"?|'[^']{0,500}'?|[^\s\"'()<>]{1,500})")),
)
_BARE = pattern(
    r"(?i)(?:[a-z][a-z0-9+.-]{1,15}:[/\\]{2,8}|\bwww[0-9]{0,3}\.)(?:[^\s<>\"'`\[\]{}|^@]{0,200}@)?(?:\[[0-9a-f:.]{2,45}\])?"
    r"[^\s<>\"'`\[\]{}|^]*"
)
# Without a scheme, only what renderers make a link of, and no endings that are file names or name spaces of code.
_SCHEMELESS = pattern(
    r"(?i)(?:^|[^a-z0-9@._/\\:\x1a-])((?:[a-z0-9][a-z0-9-]{0,62}\.){1,6}"
    r"(?:(?:com|org|ru|cn|xyz|top|site|online|shop|club|icu)(?:[/?#:][^\s<>\"'`\[\]{}|^]*)?"
    r"|(?:net|io|ai|app|dev|info|biz|link|click|live|page|me|co|tv|de|uk|fr|nl|eu|us|in|jp|br|it|es|ch|at)/[^\s<>\"'`\[\]{}|^]*))"
    r"(?:$|[^a-z0-9@_.-]|\.(?:$|[^a-z0-9]))"
)
_SCHEME = pattern(r"(?i)^([a-z][a-z0-9+.-]{0,31}):")
_SPECIAL = frozenset({"http", "https", "ws", "wss", "ftp"})
_IGNORED = str.maketrans("", "", "\t\n\r")
_DOTS = str.maketrans("\u3002\uff0e\uff61", "...")
_CONTROLS = "".join(map(chr, range(33)))
_TRAILING = ".,;:!?)*_~\\"


class Destination(msgspec.Struct, frozen=True):
    """A place that a link, an image or a form leads to.

    Attributes:
        start: Offset of its first character.
        end: Offset behind its last one.
        url: As a browser reads it, with its scheme if it has one.
        loose: It stands in running text; only software that makes links of addresses follows it.
    """

    start: int
    end: int
    url: str
    loose: bool = False


def structural(text: str) -> Iterator[Destination]:
    """Destinations that markdown, HTML or CSS names as such."""
    data = project(text)
    for needed, shape in _PLACES:
        for match in shape.finditer(data) if needed in data else ():
            start, end = match.span(1)
            raw = text[start:end].strip("\"'<>")
            yield Destination(start, end, _read(raw))


def bare(text: str) -> Iterator[Destination]:
    """Addresses in running text, with a scheme, with `www.`, or of a kind that chat programs make links of."""
    data = project(text)
    for shape, group in ((_BARE, 0), (_SCHEMELESS, 1)):
        for match in shape.finditer(data):
            start, end = match.span(group)
            raw = _without_sentence(text[start:end])
            if raw:
                url = raw if group == 0 and ":" in raw[:17] and not raw.lower().startswith("www") else f"//{raw}"
                yield Destination(start, start + len(raw), _read(url), loose=True)


def scheme(url: str) -> str:
    """The scheme of `url` in lower case, empty where it has none."""
    match = _SCHEME.match(project(url))
    return url[: match.end(1)].lower() if match else ""


def hosts(url: str) -> tuple[str, ...]:
    """Every host that some reader of `url` would take for its host, in ASCII (IDNA); none where it is relative.

    Readers disagree on backslashes, so there may be two.
    """
    name = scheme(url)
    rest = url[len(name) + 1 :] if name else url
    if name == "mailto":
        return (_host(rest.partition("?")[0]),)
    slashed = rest.replace("\\", "/")
    if name not in _SPECIAL and not slashed.startswith("//"):
        return ()
    # A browser skips any number of slashes, save in a scheme that is not the web's, where the host may be empty.
    foreign = name and name not in _SPECIAL
    readings = (slashed[2:],) if foreign else (slashed.lstrip("/"), rest.lstrip("/\\"))
    return tuple(dict.fromkeys(host for reading in readings if (host := _host(_authority(reading)))))


def ascii_host(name: str) -> str:
    """A host name as it is compared: NFKC, lower case, IDNA, without the final dot; as it is where IDNA refuses it."""
    folded = unicodedata.normalize("NFKC", name).translate(_DOTS).lower().removesuffix(".")
    try:
        return folded if folded.isascii() else folded.encode("idna").decode("ascii")
    except UnicodeError:
        return folded


def _read(raw: str) -> str:
    return html.unescape(raw).strip(_CONTROLS).translate(_IGNORED)


def _authority(rest: str) -> str:
    ends = [place for character in "/?#" if (place := rest.find(character)) >= 0]
    return rest[: min(ends, default=len(rest))]


def _host(authority: str) -> str:
    host = unquote(authority.rpartition("@")[2])
    if host.startswith("["):
        return host.partition("]")[0].lower() + "]"
    return ascii_host(host.partition(":")[0])


def _without_sentence(raw: str) -> str:
    """An address in running text up to punctuation that belongs to the sentence."""
    for index, character in enumerate(raw):
        if not character.isascii() and unicodedata.category(character)[0] in "PZC":
            raw = raw[:index]
            break
    return raw.rstrip(_TRAILING)
