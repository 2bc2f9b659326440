# ruff: noqa: E501 - one row a shape
"""Finds code that does harm where it is pasted: a command line, a database console, an interpreter.

Shapes are narrow on purpose. Removing a build folder, deleting rows by a condition, or evaluating a constant is everyday
work; running what the network sends, wiping a system or a whole table, and evaluating what a stranger typed is not.
"""

from lockgate.core import Span
from lockgate.detect.linear import pattern, project

LONGEST = 700
"""Characters that a match may span."""

_FETCH = r"(?:curl|wget|fetch|aria2c|lynx|http|iwr|irm|invoke-webrequest|invoke-restmethod)(?:\.exe)?"
_SHELL = r"(?:/(?:usr/)?(?:local/)?bin/)?(?:env\s{1,4})?(?:(?:ba|z|da|k|fi|a)?sh|python[0-9.]{0,5}|perl|ruby|node|php|osascript|pwsh|powershell)\b"
_PLACE = r"(?:/|~/?|/\*|~/\*|\*|\$\{?HOME\}?/?\*?|/(?:etc|usr|var|home|boot|bin|sbin|lib|lib64|opt|root|dev|sys|proc|srv)/?\*?|[a-z]:[\\/]{1,2}\*?|%(?:systemroot|userprofile|systemdrive)%[\\/]?\*?)"
_END = r"[\"']?(?:\s|$|[;&|)`]|[.,:!?](?:\s|$))"
_INPUT = (
    r"(?:f[\"']|input\s?\(|request\b|req\.|sys\.argv|os\.environ|params\b|user_?input|base64|requests\.|urllib|urlopen|codecs\.|zlib\.|marshal\."
    r"|bytes\.fromhex|compile\s?\(|__import__|atob\s?\(|location\.|\$_|unescape\s?\(|decodeURIComponent\s?\()"
)
_SHAPES = (
    # curl https://... | sh, sh -c "$(curl ...)", bash <(wget ...), eval `curl ...`
    ("code.shell", pattern(rf"(?i)\b{_FETCH}\s[^\n|;]{{0,300}}\|\s{{0,8}}(?:sudo\s{{1,4}}(?:-[a-z]{{1,4}}\s{{1,4}}){{0,3}})?{_SHELL}")),
    ("code.shell", pattern(rf"(?i)\b(?:{_SHELL}|eval|source|\.)\s[^\n|;]{{0,40}}(?:\$\(|<\(|`)\s{{0,4}}{_FETCH}\s[^\n)`]{{1,300}}[)`]?")),
    ("code.shell", pattern(rf"(?i)\bbase64\s{{1,4}}(?:-d|-D|--decode)\b[^\n|;]{{0,100}}\|\s{{0,8}}(?:sudo\s{{1,4}})?{_SHELL}")),
    ("code.shell", pattern(r"/dev/(?:tcp|udp)/[A-Za-z0-9_.$:{}-]{1,80}/[0-9$]")),
    ("code.shell", pattern(r"\b(?:nc|ncat|netcat)(?:\.exe)?\s[^\n|;]{0,80}\s?-[a-z]{0,4}[ec]\s{1,4}\S{0,12}(?:sh|cmd)\b")),
    # rm -rf /, mkfs on a device, dd over a disk, a fork bomb, format c:
    ("code.destructive", pattern(rf"(?i)\brm\s{{1,4}}(?:-{{1,2}}[a-z-]{{1,20}}\s{{1,4}}){{0,4}}-(?:[a-z]{{0,6}}r[a-z]{{0,6}}|-recursive)\s{{1,4}}(?:-{{1,2}}[a-z-]{{1,20}}\s{{1,4}}){{0,4}}[\"']?{_PLACE}{_END}")),
    ("code.destructive", pattern(r"(?i)\bmkfs(?:\.[a-z0-9]{2,8})?\s[^\n;|]{0,60}/dev/[a-z]")),
    ("code.destructive", pattern(r"(?i)\bdd\s[^\n;|]{0,120}\bof=/dev/(?:[shv]d[a-z]|nvme|mmcblk|disk|xvd)")),
    ("code.destructive", pattern(r"(?i)>\s{0,4}/dev/(?:[shv]d[a-z]|nvme|mmcblk|xvd)[a-z0-9]{0,6}\b")),
    ("code.destructive", pattern(r":\s{0,4}\(\s{0,4}\)\s{0,4}\{\s{0,4}:\s{0,4}\|\s{0,4}:\s{0,4}&\s{0,4}\}\s{0,4};\s{0,4}:")),
    ("code.destructive", pattern(rf"(?i)\bch(?:mod|own)\s{{1,4}}(?:-[a-z]{{1,6}}\s{{1,4}}){{0,3}}-?[a-z]{{0,4}}R[a-z]{{0,4}}\s{{1,4}}\S{{1,30}}\s{{1,4}}/{_END}|\bchmod\s{{1,4}}-R\s{{1,4}}0?777\s{{1,4}}/{_END}")),
    ("code.destructive", pattern(rf"(?i)\b(?:del|erase|rd|rmdir)(?:\s{{1,4}}/[a-z]){{1,4}}\s{{1,4}}[\"']?{_PLACE}{_END}|\bformat\s{{1,4}}[a-z]:\s{{1,4}}/[a-z]")),
    ("code.destructive", pattern(rf"(?i)\bremove-item\b[^\n;|]{{0,60}}-recurse\b[^\n;|]{{0,60}}\s[\"']?{_PLACE}{_END}|\bremove-item\s{{1,4}}[\"']?{_PLACE}[\"']?\s[^\n;|]{{0,60}}-recurse\b")),
    ("code.destructive", pattern(r"(?i)\bvssadmin\s{1,4}delete\s{1,4}shadows|\bshutil\.rmtree\(\s{0,4}[\"'](?:/|~)[\"']")),
    # DROP and TRUNCATE as statements, DELETE and UPDATE of every row
    ("code.sql", pattern(r"(?i)\bdrop\s{1,4}(?:table|database|schema)\s{1,4}(?:if\s{1,4}exists\s{1,4})?[\w.\"`\[\]]{1,80}(?:\s{1,4}(?:cascade|restrict))?\s{0,4};")),
    ("code.sql", pattern(r"\bDROP\s{1,4}(?:TABLE|DATABASE|SCHEMA)\s{1,4}(?:IF\s{1,4}EXISTS\s{1,4})?[\w.\"`\[\]]{1,80}")),
    ("code.sql", pattern(r"(?i)\btruncate\s{1,4}table\s{1,4}[\w.\"`\[\]]{1,80}\s{0,4};|\bTRUNCATE\s{1,4}TABLE\s{1,4}[\w.\"`\[\]]{1,80}")),
    ("code.sql", pattern(r"(?i)\bdelete\s{1,4}from\s{1,4}[\w.\"`\[\]]{1,80}\s{0,4}(?:;|--|where\s{1,4}(?:1\s{0,4}=\s{0,4}1|true)\b)")),
    # eval and exec of input, shells built from strings
    ("code.eval", pattern(rf"\b(?:eval|exec|assert|Function|execScript)\s{{0,4}}\(\s{{0,4}}(?:[\w.]{{1,40}}\(\s{{0,4}}){{0,3}}{_INPUT}")),
    ("code.eval", pattern(rf"\b(?:os\.(?:system|popen)|commands\.getoutput|(?:child_process\.)?execSync|child_process\.exec|shell_exec|passthru|popen|system)\s{{0,4}}\(\s{{0,4}}{_INPUT}")),
    ("code.eval", pattern(r"\bos\.(?:system|popen)\(\s{0,4}[\"'][^\"'\n]{0,200}[\"']\s{0,4}(?:\+|%|\.format\()")),
    ("code.eval", pattern(rf"\bsubprocess\.\w{{2,12}}\(\s{{0,4}}(?:{_INPUT}|[\"'][^\"'\n]{{0,200}}[\"']\s{{0,4}}(?:\+|%|\.format\())[^\n]{{0,200}}shell\s{{0,4}}=\s{{0,4}}True")),
    ("code.eval", pattern(r"__import__\(\s{0,4}[\"'](?:os|subprocess|pty)[\"']\s{0,4}\)\.(?:system|popen|spawn|run|call|exec)")),
    ("code.eval", pattern(rf"\b(?:pickle|cPickle|dill|marshal|jsonpickle)\.(?:loads?|decode)\(\s{{0,4}}(?:[\w.]{{1,40}}\(\s{{0,4}}){{0,2}}{_INPUT}")),
    # download cradles and encoded commands
    ("code.powershell", pattern(r"(?i)\b(?:iex|invoke-expression)\b[\s(&{\"']{1,12}(?:\(?new-object|iwr\b|irm\b|invoke-webrequest|invoke-restmethod|curl\b|wget\b|\[)")),
    ("code.powershell", pattern(r"(?i)(?:\b(?:iwr|irm|invoke-webrequest|invoke-restmethod|curl|wget)\b|\.download(?:string|data)\()[^\n;]{0,300}\|\s{0,8}(?:iex|invoke-expression)\b")),
    ("code.powershell", pattern(r"(?i)\bpowershell(?:\.exe)?\s[^\n]{0,150}-e(?:nc|ncodedcommand|c)?\s{1,4}[\"']?[A-Za-z0-9+/]{20,300}={0,2}")),
    ("code.powershell", pattern(r"(?i)\b(?:mshta(?:\.exe)?\s{1,4}[\"']?(?:https?|vbscript|javascript):|regsvr32(?:\.exe)?\s[^\n]{0,60}/i:https?:|certutil(?:\.exe)?\s[^\n]{0,40}-urlcache\s[^\n]{0,60}https?:|bitsadmin(?:\.exe)?\s[^\n]{0,60}/transfer\s[^\n]{0,80}https?:)")),
)  # fmt: skip
_UPDATE = pattern(r"(?i)\bupdate\s{1,4}[\w.\"`\[\]]{1,80}\s{1,4}set\s{1,4}[\w.\"`\[\]]{1,80}\s{0,4}=[^;]{1,400};")
_WHERE = pattern(r"(?i)\bwhere\b")


def find_executable(text: str) -> tuple[Span, ...]:
    """Find commands and code that harm whoever runs them as they stand.

    Returns:
        Sorted spans labelled `code.shell`, `code.destructive`, `code.sql`, `code.eval` or `code.powershell`.
    """
    data = project(text)
    found = {match.span(): label for label, shape in _SHAPES for match in shape.finditer(data)}
    found.update(
        (match.span(), "code.sql")
        for match in _UPDATE.finditer(data)
        if not _WHERE.search(data, match.start(), match.end())
    )
    return tuple(sorted(Span(start, _end(text, start, end), label) for (start, end), label in found.items()))


def _end(text: str, start: int, end: int) -> int:
    """Without what only shows that the command ends there."""
    return start + len(text[start:end].rstrip(" \t\r\n;&|`.,:!?"))
