# ruff: noqa: E501 - one row a format
"""The formats of credentials that can be told from other text, and how to tell quickly which of them a text may hold.

Prefixes, alphabets and lengths follow the issuers' documentation. A pass of a few RE2 sets over the text names the
formats whose cue it holds; only their patterns run. So a format costs next to nothing where it does not occur, and the
time is linear in the text whatever it holds.

Rows of the tables name alphabets: `<W>` letters and digits, `<S>` those with `_` and `-`, `<W2>` those with `-`, `<B>`
base64 also where URL- or JSON-escaped, `<U>` capitals and digits, `<L>` small letters and digits, `<H>` small
hexadecimal, `<X>` any hexadecimal, `<UUID>`.
"""

import functools
from typing import Literal

import msgspec
import re2

from lockgate.detect import secret_rows_ai, secret_rows_cloud, secret_rows_work
from lockgate.detect.linear import Pattern, pattern

Judge = Literal["key", "password", "value", "basic", "auth", "proof", "cookie"]


class SecretFormat(msgspec.Struct, frozen=True):
    """One kind of credential.

    Attributes:
        label: `secret.<issuer>-<kind>`.
        cue: What every match holds, as a pattern that is cheap to look for.
        source: Pattern on a projection; its last group is the secret.
        judge: What else the secret must be: `key`, no masked or documented one; `password`, no placeholder; `value`,
            random besides; `basic` and `auth`, base64 of a user and a password; `proof`, nothing.
        weak: The prefix is short, so that a value made of words is none.
        word: A match must begin where a word begins. It is not part of the pattern, so that RE2 may search for the
            prefix as a plain string.
        both_cases: Its alphabet has letters of both cases, so that a random value has both.
    """

    label: str
    cue: str
    source: str
    judge: Judge = "key"
    weak: bool = False
    word: bool = False
    both_cases: bool = False

    @property
    def pattern(self) -> Pattern:
        """The compiled pattern; compiled when it is first needed, since most formats never are."""
        return compiled(self.source)


@functools.cache
def compiled(source: str) -> Pattern:
    """Compile a pattern once."""
    return pattern(source)


_ALPHABETS = {
    "<W>": "[A-Za-z0-9]",
    "<W2>": "[A-Za-z0-9-]",
    "<S>": "[A-Za-z0-9_-]",
    "<U>": "[A-Z0-9]",
    "<L>": "[a-z0-9]",
    "<H>": "[a-f0-9]",
    "<X>": "[A-Fa-f0-9]",
    "<B>": r"(?:[A-Za-z0-9+/]|\\/|%2[BbFf]|\\u002[BbFf])",
    "<UUID>": "[A-Fa-f0-9]{8}-[A-Fa-f0-9]{4}-[A-Fa-f0-9]{4}-[A-Fa-f0-9]{4}-[A-Fa-f0-9]{12}",
}
_FEWEST = 6
_DISTINCT = 4
_MOST = 12

# Heads that begin with what any text may hold are found by what follows.
_CUES = {
    "azure-client-secret": "[0-9]Q~[A-Za-z0-9_~.-]{6}",
    "azure-devops-pat": "JQQJ99",
    "azure-identifiable-key": "JQQJ99",
    "azure-search-key": "AzSe<W>{6}",
    "azure-function-key": "AzFu<S>{8}",
    "azure-cache-key": "AzCa[A-P]<W>{5}=",
    "azure-registry-key": "[+]ACR[A-D]<W>{5}",
    "azure-storage-account-key": "[+]ASt",
    "azure-cosmos-key": "ACDb",
    "azure-batch-key": "[+]ABa",
    "azure-service-bus-key": "[+]ASb",
    "azure-event-hub-key": "[+]AEh",
    "azure-iot-key": "AIoT",
    "azure-api-management-key": "APIM",
    "terraform-token": "[.]atlasv1[.]",
    "ngrok-token": "_<W>{20}",
    "newrelic-license-key": "NRAL",
    "maxmind-key": "_mmk",
    "discord-bot-token": "[.]<S>{6}[.]<S>{12}",
    "telegram-bot-token": ":AA<S>{12}",
    "mailgun-signing-key": "-<H>{8}-<H>{8}",
    "mailchimp-key": "<H>-us[0-9]",
    "fal-key": "<X>:<H>{32}",
    "zhipu-key": "<H>{8}[.]<W>{16}",
    "ably-key": "[.]<S>{6}:<S>{12}",
    "airtable-token": "[.]<H>{64}",
    "lambda-labs-key": "_<H>{32}[.]",
    "openai-key": "sk-<W>{20}",
    "kubernetes-bootstrap-token": "token[ =]<L>{6}[.]<L>{16}",
    "adobe-client-secret": "p8e-",
    "slack-session-token": "xox[cd]-",
    "aws-bedrock-session-key": "bedrock-api-key-",
}  # fmt: skip
_WEAK = frozenset(
    ["anyscale-key", "beamer-key", "chromatic-token", "cockroachdb-key", "crates-token", "deno-token", "easypost-key", "fauna-key", "fireworks-key", "gocardless-token", "linear-webhook-secret", "mandrill-key", "modal-token", "mollie-key", "neon-password", "netlify-token", "ngrok-token", "notion-legacy-token", "prefect-key", "render-key", "resend-key", "sanity-token", "statsig-key", "vault-legacy-token", "voyage-key", "yandex-cloud-secret", "zhipu-key", "ably-key", "azure-client-secret", "discord-bot-token", "clickhouse-cloud-key", "alibaba-access-key", "tencent-secret-id", "mem0-key", "square-access-token", "flagsmith-key", "adobe-client-secret", "adobe-service-secret"]
) - {"anyscale-key"}  # fmt: skip


def _expanded(source: str) -> str:
    for name, alphabet in _ALPHABETS.items():
        source = source.replace(name, alphabet)
    return source


def _cue(head: str, tail: str) -> str:
    """The head and as much of what follows as makes a chance match rare."""
    if tail.startswith("<") and ">{" in tail and "<UUID>" not in tail[:6]:
        alphabet, _, count = tail.partition("{")
        least = int(count.partition("}")[0].partition(",")[0])
        return f"{head}{alphabet}{{{min(least, _MOST)}}}"
    return f"{head}[A-Za-z0-9._~+/%=$-]{{{_FEWEST}}}"


def _row(name: str, head: str, tail: str) -> SecretFormat:
    cue = _expanded(_CUES.get(name) or _cue(head, tail))
    mixed = "<W>" in tail or "<S>" in tail or "A-Za-z0-9" in tail
    weak = name in _WEAK
    # A head like `ghp_` before a value of mixed case is found behind a letter too: keys get glued to what precedes them.
    word = weak or not (mixed and len(head) >= _DISTINCT and head.endswith("_"))
    return SecretFormat(f"secret.{name}", cue, _expanded(head + tail), "key", weak, word=word, both_cases=mixed)


_USER = r"[^\s:/@\"'<>]{0,100}:([^\s/\"'<>]{3,200})@[A-Za-z0-9.\[-]"
_STORES = r"postgres(?:ql)?|mysql2?|mariadb|mongodb|rediss?|valkeys?|amqps?|mssql|sqlserver|oracle|clickhouse|nats|ldaps?|snowflake|cockroachdb|couchbases?|neo4j(?:\+s)?|bolt|kafka|mqtts?|cassandra|redshift|jdbc:[a-z0-9]+|db2|hive|presto|trino|teradata"
_WEB = (
    r"https?|wss?|ftps?|sftp|ssh|smtps?|imaps?|pop3s?|rtsp|rtmp|socks5h?|git(?:\+https?)?|vnc|rdp|smb|telnet|webdavs?"
)
_ADDRESS = r"://[^\s/@\"'<>]*:[^\s/\"'<>]*@"
_SESSION = r"(?:session(?:_?id|-token|token)?|sess(?:_?id)?|connect[.]sid|sid|phpsessid|jsessionid|asp[.]net_sessionid|laravel_session|[a-z_]{1,20}_session|auth_token|access_token|id_token|remember_(?:user_)?token|wordpress_logged_in_<H>{32}|[.]aspxauth|__secure-[a-z0-9._-]{1,40}|__host-[a-z0-9._-]{1,40}|jwt|sso_?token)"
_TOOLS = r"(?:curl|wget|https?ie|mysql(?:dump|admin|import)?|mariadb(?:-dump)?|sshpass|redis-cli|mongosh?|psql|docker login|helm registry login|az login|smbclient|ldapsearch|lftp|rabbitmqadmin|openssl|keytool)"

_SHAPED: tuple[tuple[str, str, str, Judge], ...] = (
    ("aws-secret-key", r"(?i)aws[a-z_ .-]{0,20}(?:secret|key)", r"(?i)aws[a-z_ .-]{0,20}(?:secret|key)[a-z_ .-]{0,20}(?:\\{0,3}[\"']|%22)?\s{0,3}(?:[:=]|%3[ad]|\bis\b)\s{0,3}(?:\\{0,3}[\"'`]|%22)?((?:<B>){40})(?:[^A-Za-z0-9+/]|$)", "key"),
    ("gcp-service-account", "private_key_id", r"private_key_id\\?\"\s*:\s*\\?\"([0-9a-f]{40})\b", "key"),
    ("azure-storage-key", "(?i)accountkey(?:=|%3d)", r"(?i)AccountKey(?:=|%3D)((?:<B>){86}(?:==|%3D%3D))", "key"),
    ("azure-shared-key", "(?i)sharedaccesskey(?:=|%3d)", r"(?i)SharedAccessKey(?:=|%3D)((?:<B>){42,44}(?:=|%3D){0,2})", "key"),
    ("azure-sas", "[?&;]sig=", r"(?:[?&;]|%26|u0026)sig=([A-Za-z0-9%+/]{40,}(?:=|%3D)?)", "key"),
    ("google-signed-url", "X-(?:Goog|Amz)-Signature", r"X-(?:Goog|Amz)-Signature(?:=|%3D)([a-f0-9]{64,})", "key"),
    ("mailchimp-oauth", "(?i)mailchimp", r"(?i)mailchimp[a-z_ .-]{0,30}[\"']?\s{0,3}[:=]\s{0,3}[\"']?([a-f0-9]{32})\b", "key"),
    ("jwt", "eyJ<S>{8}", r"\b(eyJ<S>{10,}[.]eyJ<S>{10,}(?:[.]<S>*)?)", "key"),
    ("jwe", "eyJ<S>{8}", r"\b(eyJ<S>{10,}[.]<S>*[.]<S>{8,}[.]<S>{8,}[.]<S>{8,})", "key"),
    ("database-url", _ADDRESS, rf"(?i)\b(?:{_STORES})(?:\+[a-z0-9]+)?://{_USER}", "password"),
    ("url-password", _ADDRESS, rf"(?i)\b(?:{_WEB})://{_USER}", "password"),
    ("oracle-url", r"(?i)oracle:thin:", r"(?i)oracle:thin:[^\s/@:]{1,60}/([^\s/@\"']{4,})@", "password"),
    ("sentry-dsn-secret", "@[a-z0-9.]*sentry", r"https?://<H>{32}:(<H>{32})@[a-z0-9.]*sentry", "proof"),
    ("basic-auth", r"(?i)basic\s", r"(?i)\bbasic\s+((?:<B>){10,}={0,2})", "basic"),
    ("bearer", r"(?i)(?:bearer|token|apikey|api-key|key|bot|ssws)\s", r"(?i)\bauthorization[\"']?\s*[:=,]\s*[\"']?(?:bearer|token|apikey|api-key|key|bot|ssws)\s+([a-z0-9._~+/=|:-]{12,})", "key"),
    ("bearer-token", r"(?i)bearer\s", r"(?i)\bbearer\s+([a-z0-9._~+/=|:-]{16,})", "value"),
    ("docker-auth", r"auth\\?\"\s*:", r"\bauth\\?\"\s*:\s*\\?\"((?:<B>){12,}={0,2})", "auth"),
    ("npm-auth", "_auth", r"\b_auth\s*=\s*[\"']?((?:<B>){12,}={0,2})", "auth"),
    ("encoded-private-key", "LS0tLS1CRUdJTi", r"(LS0tLS1CRUdJTi(?:BSU0EgUFJJVkFUR|BQUklWQVRF|BFQyBQUklWQVRF|BPUEVOU1NI|BFTkNSWVBURU|BEU0EgUFJJVkFUR|BQR1AgUFJJVkFUR)(?:<B>)*={0,2})", "proof"),
    ("age-key", "AGE-SECRET-KEY-", r"(AGE-SECRET-KEY-(?:PQ-)?1[0-9A-Z]{50,})", "key"),
    ("rsa-key-xml", "<D>", r"<D>\s*((?:<B>|\s){40,}={0,2})", "proof"),
    ("jwk-private-key", r"\"d\\?\"", r"\bd\\?\"\s*:\s*\\?\"(<S>{40,})\\?\"", "key"),
    ("putty-private-mac", "Private-MAC:", r"Private-MAC:\s*([a-f0-9]{40,64})", "proof"),
    ("extended-private-key", "[xyztuv]prv[1-9A-Za-z]", r"\b([xyztuv]prv[1-9A-HJ-NP-Za-km-z]{100,112})\b", "key"),
    ("nostr-private-key", "nsec1[a-z0-9]{12}", r"\b(nsec1[a-z0-9]{58})\b", "key"),
    ("ethereum-private-key", "(?i)priv(?:ate)?[_ -]?key", r"(?i)priv(?:ate)?[_ -]?key[\"']?\s{0,3}[:=]\s{0,3}[\"']?((?:0x)?[a-f0-9]{64})\b", "key"),
    ("otp-seed", "otpauth(?::|%3A)", r"otpauth(?::|%3A)[^\s\"']*?(?:[?&]|%3F|%26)secret(?:=|%3D)([A-Za-z2-7]{16,})", "key"),
    ("htpasswd-hash", r"[:$](?:apr1|2[abxy]|[156y]|argon2[id]{1,2})\$|\{SS?HA", r"(?:^|[\s\"'])[A-Za-z0-9_.@-]{1,64}:(\$(?:apr1|[156y]|2[abxy]|argon2[id]{1,2})\$[A-Za-z0-9./$=,+]{16,}|\{SS?HA(?:256|512)?\}[A-Za-z0-9+/]{20,}={0,2})", "proof"),
    ("django-password-hash", r"pbkdf2_sha(?:1|256)\$", r"(pbkdf2_sha(?:1|256)\$[0-9]{1,8}\$<W>{6,}\$[A-Za-z0-9+/]{20,}=?)", "proof"),
    ("django-secret-key", "django-insecure-", r"(django-insecure-[A-Za-z0-9!@#$%^&*()_=+-]{30,})", "proof"),
    ("netrc-password", r"(?i)(?:machine|login)\s", r"(?i)\blogin\s+[^\s]{1,100}\s+password\s+([^\s\"']{4,})", "password"),
    ("pgpass-password", r":(?:[0-9]{4,5}|\*):", r"(?:^|[\s\"'])[A-Za-z0-9.*-]{1,100}:(?:[0-9]{4,5}|\*):[^\s:/@\"']{1,60}:[^\s:/@\"']{1,60}:([^\s\"':]{6,})", "password"),
    ("session-cookie", r"(?i)cookie", rf"(?i)cookie[\"']?\s*[:=(,]\s*[^\n]{{0,200}}?\b{_SESSION}(?:=|%3D)([^;\s\"',&]{{16,}})", "cookie"),
    ("session-id", r"(?i)(?:session[a-z_-]{0,12}|sess|sess_?id|sid|token|auth|jwt|aspxauth)=", rf"(?i)\b{_SESSION}=([^;\s\"',&]{{20,}})", "value"),
    ("command-line-user", rf"(?i){_TOOLS}", rf"(?i)\b{_TOOLS}\b[^\n|]{{0,200}}?\s(?:-u|--user|-w)[ =]?[\"']?[^\s:\"'-][^\s:\"']{{0,60}}:([^\s\"':/][^\s\"':]{{3,}})", "password"),
    ("command-line-password", rf"(?i){_TOOLS}", rf"(?i)\b{_TOOLS}\b[^\n|]{{0,200}}?\s(?:-p|-a|--pass(?:word|in|out)?|--auth|--http-password|--token)(?:[ =]\s?(?:pass:)?)?(?:\"([^\"\n]{{4,100}})|'([^'\n]{{4,100}})|([^\s\"'$]{{4,}}))", "password"),
)  # fmt: skip


def _shaped(name: str, cue: str, source: str, judge: Judge) -> SecretFormat:
    bare = source.removeprefix(r"\b")
    word = bare != source and bare.startswith("(")
    return SecretFormat(f"secret.{name}", _expanded(cue), _expanded(bare if word else source), judge, word=word)


_BY_PREFIX = tuple(
    _row(*row) for row in sorted((*secret_rows_ai.ROWS, *secret_rows_cloud.ROWS, *secret_rows_work.ROWS))
)
_BY_SHAPE = tuple(_shaped(*row) for row in _SHAPED)

FORMATS: tuple[SecretFormat, ...] = (*_BY_PREFIX, *_BY_SHAPE)
"""Every format that can be told by itself. A format's label is unique."""

_SET_MEMORY = 32 << 20


class _CueSet:
    """Some formats' cues as one automaton."""

    def __init__(self, formats: tuple[SecretFormat, ...]) -> None:
        options = re2.Options()
        options.max_mem = _SET_MEMORY
        options.log_errors = False
        self._formats = formats
        self._set = re2.Set.SearchSet(options)
        for known in formats:
            self._set.Add(known.cue.encode("ascii"))
        self._set.Compile()

    def among(self, data: bytes) -> list[SecretFormat]:
        return [self._formats[index] for index in sorted(self._set.Match(data) or ())]


@functools.cache
def _cue_sets() -> tuple[_CueSet, ...]:
    # One automaton of all cues would have to tell apart every combination of half-read ones: in a text made of cues it
    # was seven times slower than four smaller ones, for 20 us saved on 4,000 ordinary characters.
    by_head = tuple(known for known in _BY_PREFIX if known.label.partition(".")[2] not in _CUES)
    by_middle = tuple(known for known in _BY_PREFIX if known.label.partition(".")[2] in _CUES)
    half = len(by_head) // 2
    return tuple(map(_CueSet, (by_head[:half], by_head[half:], by_middle, _BY_SHAPE)))


def possible(data: bytes) -> list[SecretFormat]:
    """The formats whose cue a projected text holds."""
    return [known for cues in _cue_sets() for known in cues.among(data)]
