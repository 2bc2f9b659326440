# ruff: noqa: E501 - one row a format
"""Makes credentials of every format at run time, so that no source file holds anything that looks like one.

`TEMPLATES` is written from the issuers' documentation, apart from the patterns; formats without a template are drawn
from their pattern.
"""

import base64
import json
import random
import re
import string
import zlib
from collections.abc import Callable
from typing import Any

from lockgate.detect.secret_formats import FORMATS

_DIGITS = string.digits
_ALPHABETS = {
    "w": string.ascii_letters + _DIGITS,
    "s": string.ascii_letters + _DIGITS + "_-",
    "h": _DIGITS + "abcdef",
    "u": string.ascii_uppercase + _DIGITS,
    "l": string.ascii_lowercase + _DIGITS,
    "d": _DIGITS,
    "a": string.ascii_letters,
    "3": string.ascii_uppercase + "234567",
    "b": string.ascii_letters + _DIGITS + "+/",
}
_FIELD = re.compile(r"\{([wshuld3ab])([0-9]+)\}")

TEMPLATES: dict[str, tuple[str, ...]] = {
    "aws-access-key": ("AKIA{3}", "ASIA{3}"),
    "aws-secret-key": ("aws_secret_access_key = «{b40}»", "AWS_SECRET_ACCESS_KEY=«{b40}»"),
    "gcp-api-key": ("AIza{s35}",),
    "gcp-oauth-token": ("ya29.a0{s120}",),
    "gcp-client-secret": ("GOCSPX-{s28}",),
    "azure-storage-key": ("AccountKey=«{b86}==»",),
    "azure-client-secret": ("{w3}8Q~{w34}",),
    "azure-devops-pat": ("{w52}JQQJ99{w18}AZDO{w4}",),
    "openai-key": ("sk-{w20}T3BlbkFJ{w20}", "sk-{w48}"),
    "openai-project-key": ("sk-proj-{s74}T3BlbkFJ{s74}", "sk-proj-{w48}"),
    "openai-service-key": ("sk-svcacct-{s74}T3BlbkFJ{s74}",),
    "anthropic-key": ("sk-ant-api03-{s93}AA",),
    "anthropic-admin-key": ("sk-ant-admin01-{s93}AA",),
    "openrouter-key": ("sk-or-v1-{h64}",),
    "deepseek-key": ("sk-{h32}",),
    "huggingface-token": ("hf_{a34}",),
    "groq-key": ("gsk_{w52}",),
    "replicate-token": ("r8_{w37}",),
    "perplexity-key": ("pplx-{w48}",),
    "xai-key": ("xai-{w80}",),
    "langsmith-key": ("lsv2_pt_{h32}_{h10}",),
    "pinecone-key": ("pcsk_{w6}_{w63}",),
    "together-key": ("tgp_v1_{s43}",),
    "fireworks-key": ("fw_{w24}",),
    "elevenlabs-key": ("sk_{h48}",),
    "github-token": ("GITHUB",),
    "github-pat": ("github_pat_{w22}_{w59}",),
    "gitlab-token": ("glpat-{s20}",),
    "slack-bot-token": ("xoxb-{d12}-{d13}-{w24}",),
    "slack-user-token": ("xoxp-{d12}-{d12}-{d13}-{h32}",),
    "slack-app-token": ("xapp-1-A{u10}-{d13}-{h64}",),
    "slack-webhook": ("https://«hooks.slack.com/services/T{u8}/B{u10}/{w24}»",),
    "discord-webhook": ("https://«discord.com/api/webhooks/{d18}/{s68}»",),
    "discord-bot-token": ("MT{w24}.{s6}.{s38}",),
    "telegram-bot-token": ("7{d9}:AA{s33}",),
    "stripe-key": ("sk_live_{w24}", "rk_test_{w99}"),
    "stripe-webhook-secret": ("whsec_{w32}",),
    "square-token": ("sq0atp-{s22}", "sq0csp-{s43}"),
    "square-access-token": ("EAAA{s60}",),
    "paypal-token": ("access_token$production${l16}${h32}",),
    "shopify-token": ("shpat_{h32}",),
    "sendgrid-key": ("SG.{s22}.{s43}",),
    "mailgun-key": ("key-{h32}",),
    "mailchimp-key": ("{h32}-us12",),
    "twilio-key": ("SK{h32}",),
    "npm-token": ("NPM",),
    "pypi-token": ("PYPI",),
    "docker-token": ("dckr_pat_{s27}",),
    "databricks-token": ("dapi{h32}",),
    "digitalocean-token": ("dop_v1_{h64}",),
    "newrelic-key": ("NRAK-{u27}",),
    "sentry-organization-token": ("sntrys_eyJ{w120}_{w43}",),
    "grafana-service-token": ("glsa_{w32}_{h8}",),
    "vault-token": ("hvs.{s90}",),
    "terraform-token": ("{w14}.atlasv1.{s67}",),
    "pulumi-token": ("pul-{h40}",),
    "cloudflare-token": ("cfut_{w40}{h8}",),
    "heroku-key": ("HRKU-{h8}-{h4}-{h4}-{h4}-{h12}",),
    "netlify-token": ("nfp_{w36}",),
    "supabase-token": ("sbp_{h40}",),
    "planetscale-token": ("pscale_tkn_{s43}",),
    "neon-key": ("napi_{l64}",),
    "mongodb-atlas-secret": ("mdb_sa_sk_{s40}",),
    "airtable-token": ("pat{w14}.{h64}",),
    "notion-token": ("ntn_{d11}{w35}",),
    "linear-key": ("lin_api_{w40}",),
    "figma-token": ("figd_{s43}",),
    "asana-pat": ("2/1{d15}/1{d15}:{h32}",),
    "atlassian-token": ("ATATT3xFfGF0{s171}={u8}",),
    "onepassword-secret-key": ("A3-{u6}-{u11}-{u5}-{u5}-{u5}",),
    "doppler-token": ("dp.pt.{w43}",),
    "launchdarkly-key": ("sdk-{h8}-{h4}-{h4}-{h4}-{h12}",),
    "mapbox-secret-token": ("sk.eyJ{w86}.{s22}",),
    "jwt": ("JWT",),
    "database-url": ("postgresql://app:«{w16}»@db.internal:5432/orders", "redis://:«{w24}»@cache:6379/0", "mongodb+srv://svc:«{w14}»@c0.mongodb.net/x"),
    "url-password": ("https://deploy:«{w20}»@git.internal/repo.git",),
    "basic-auth": ("Basic «BASIC»",),
    "docker-auth": ('"auth": "«BASIC»"',),
    "npm-auth": ("_auth=«BASIC»",),
    "bearer": ("Authorization: Bearer «{w40}»",),
    "bearer-token": ("bearer «{w40}»",),
    "azure-sas": ("https://x.blob.core.windows.net/c?sv=2024-11-04&sig=«{w43}%3D»",),
    "otp-seed": ("otpauth://totp/Mail:anna?secret=«{3}{3}»&issuer=Mail",),
    "htpasswd-hash": ("anna:«$apr1${w8}${w22}»", "bob:«$2y$10${w53}»"),
    "session-cookie": ("Cookie: lang=en; sessionid=«{l32}»",),
    "session-id": ("PHPSESSID=«{l26}»",),
    "netrc-password": ("machine api.internal login bot password «{w14}»",),
    "pgpass-password": ("db.internal:5432:orders:app:«{w14}»",),
    "command-line-user": ("curl -u admin:«{w14}» https://x.internal/",),
    "command-line-password": ("mysql -h db -u root -p«{w14}» orders",),
    "oracle-url": ("jdbc:oracle:thin:app/«{w14}»@db:1521:x",),
    "sentry-dsn-secret": ("https://{h32}:«{h32}»@o1.ingest.sentry.io/4",),
    "rsa-key-xml": ("<RSAKeyValue><Modulus>{b60}</Modulus><D>«{b88}»</D></RSAKeyValue>",),
    "jwk-private-key": ('{"kty":"EC","crv":"P-256","d":"«{s43}»"}',),
    "gcp-service-account": ('"private_key_id": "«{h40}»"',),
    "google-signed-url": ("https://storage.googleapis.com/b/o?X-Goog-Signature=«{h128}»",),
    "mailchimp-oauth": ("mailchimp_token=«{h32}»",),
    "ethereum-private-key": ("private_key = «0x{h64}»",),
    "encoded-private-key": ("PEM64",),
    "azure-shared-key": ("SharedAccessKey=«{b43}=»",),
    "putty-private-mac": ("Private-MAC: «{h40}»",),

    "kubernetes-bootstrap-token": ("kubeadm join --token «{l6}.{l16}»",),
}  # fmt: skip
"""By format, without `secret.`. `{w24}` is 24 random letters and digits; a word in capitals is made by a function; `«»` mark the
secret where more stands around it."""


def make(name: str, source: random.Random) -> tuple[str, str]:
    """A credential of the format with whatever must stand around it, and the secret in it."""
    templates = TEMPLATES.get(name)
    text = fill(source.choice(templates), source) if templates else _drawn(_SOURCES[name], source)
    _, opening, rest = text.partition("«")
    secret = rest.partition("»")[0] if opening else text
    return text.replace("«", "").replace("»", ""), secret


def fill(template: str, source: random.Random) -> str:
    """A template with its fields drawn."""
    for word, build in _BUILDERS.items():
        template = template.replace(word, build(source)) if word in template else template
    template = template.replace("{3}", "{316}")
    return _FIELD.sub(lambda field: chars(field[1], int(field[2]), source), template)


def chars(alphabet: str, count: int, source: random.Random) -> str:
    """Random characters; letters of both cases and a digit among them where the alphabet has them."""
    while True:
        drawn = "".join(source.choices(_ALPHABETS[alphabet], k=count))
        if count < 20 or alphabet in "hd" or any(map(str.isdigit, drawn)) or alphabet == "a":
            return drawn


def github(source: random.Random, prefix: str = "ghp_") -> str:
    """A token with a valid sum."""
    body = chars("w", 30, source)
    number, digits = zlib.crc32(body.encode()), ""
    alphabet = string.digits + string.ascii_uppercase + string.ascii_lowercase
    while number:
        number, digit = divmod(number, 62)
        digits = alphabet[digit] + digits
    return prefix + body + digits.rjust(6, "0")


def _unpadded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def _jwt(source: random.Random) -> str:
    parts = ({"alg": "HS256", "typ": "JWT"}, {"sub": chars("d", 10, source), "iat": source.randrange(10**9, 2 * 10**9)})
    return ".".join((*(_unpadded(json.dumps(part).encode()) for part in parts), _unpadded(source.randbytes(32))))


def pem(source: random.Random, kind: str = "RSA ", size: int = 900) -> str:
    """A private key block with a random body."""
    body = base64.encodebytes(source.randbytes(size)).decode().replace("\n", "")
    lines = "\n".join(body[start : start + 64] for start in range(0, len(body), 64))
    name = f"{kind}PRIVATE KEY"
    return f"-----BEGIN {name}-----\n{lines}\n-----END {name}-----"


_BUILDERS: dict[str, Callable[[random.Random], str]] = {
    "GITHUB": github,
    "NPM": lambda source: github(source, "npm_"),
    "PYPI": lambda source: "pypi-" + _unpadded(b"\x02\x01\x08pypi.org\x00\x02" + source.randbytes(90)),
    "JWT": _jwt,
    "BASIC": lambda source: base64.b64encode(f"deploy:{chars('w', 16, source)}".encode()).decode(),
    "PEM64": lambda source: base64.b64encode(pem(source).encode()).decode(),
}
_ESCAPED_BASE64 = r"(?:[A-Za-z0-9+/]|\\/|%2[BbFf]|\\u002[BbFf])"
_SOURCES = {known.label.removeprefix("secret."): known.source for known in FORMATS}


def _drawn(source: str, randomness: random.Random) -> str:
    """A text that the pattern matches; repetitions without an end stop 12 after the least."""
    parser: Any = re._parser  # type: ignore[attr-defined]
    plain = source.replace(_ESCAPED_BASE64, "[A-Za-z0-9+/]").replace(r"\b", "")
    return _walk(parser.parse(plain), randomness)


def _walk(nodes: Any, source: random.Random) -> str:
    return "".join(_one(str(kind), argument, source) for kind, argument in nodes)


def _one(kind: str, argument: Any, source: random.Random) -> str:
    if kind == "LITERAL":
        return chr(argument)
    if kind == "IN":
        return _member(argument, source)
    if kind == "BRANCH":
        return _walk(source.choice(argument[1]), source)
    if kind == "SUBPATTERN":
        return _walk(argument[3], source)
    if kind == "MAX_REPEAT":
        least, most, inner = argument
        count = source.randint(least, min(int(most), least + 12))
        return "".join(_walk(inner, source) for _ in range(count))
    return ""


def _member(members: Any, source: random.Random) -> str:
    letters: list[str] = []
    for kind, argument in members:
        name = str(kind)
        letters += (
            map(chr, range(argument[0], argument[1] + 1))
            if name == "RANGE"
            else [chr(argument)]
            if name == "LITERAL"
            else [" "]
        )
    return source.choice(letters)
