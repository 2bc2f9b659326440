# ruff: noqa: E501 - one row a format
"""The formats of credentials that name their issuer, as a table.

Prefixes and lengths follow the issuers' own documentation. A trigger is a lower-case literal that every match holds: a
plain substring search for it decides whether the pattern runs at all. Group 1, where there is one, is the secret.
"""

import msgspec

from lockgate.detect.linear import Pattern, pattern


class SecretFormat(msgspec.Struct, frozen=True):
    """One issuer's credential.

    Attributes:
        label: `secret.<issuer>-<kind>`.
        triggers: Lower-case literals, one of which is in every match.
        pattern: Compiled pattern on a projection.
        entropy: Least Shannon entropy, in bits a character, of the secret. Zero where the format alone is proof.
    """

    label: str
    triggers: tuple[bytes, ...]
    pattern: Pattern
    entropy: float = 2.5


_TABLE: tuple[tuple[str, str, str], ...] = (
    ("aws-access-key", "akia asia abia acca", r"\b(?:AKIA|ASIA|ABIA|ACCA)[A-Z2-7]{16}\b"),
    ("aws-secret-key", "aws", r"(?i)\baws[a-z_ .-]{0,20}(?:secret|key)[a-z_ .-]{0,20}[\"']?\s*[:=]\s*[\"']?([a-z0-9/+]{40})\b"),
    ("aws-bedrock-key", "absk", r"\bABSK[A-Za-z0-9+/]{100,}={0,2}"),
    ("gcp-api-key", "aiza", r"\bAIza[0-9A-Za-z_-]{35}"),
    ("gcp-oauth-token", "ya29.", r"\bya29\.[0-9A-Za-z_-]{20,}"),
    ("gcp-client-secret", "gocspx-", r"\bGOCSPX-[0-9A-Za-z_-]{28}"),
    ("gcp-service-account", "private_key_id", r"\"private_key_id\"\s*:\s*\"([0-9a-f]{40})\""),
    ("azure-storage-key", "accountkey=", r"(?i)AccountKey=([A-Za-z0-9+/]{86}==)"),
    ("azure-shared-key", "sharedaccesskey=", r"(?i)SharedAccessKey=([A-Za-z0-9+/]{43}=)"),
    ("azure-sas", "sig=", r"[?&]sig=([A-Za-z0-9%+/]{40,}(?:=|%3D)?)"),
    ("azure-client-secret", "q~", r"\b[A-Za-z0-9_~.-]{3}[0-9]Q~[A-Za-z0-9_~.-]{31,34}"),
    ("github-token", "ghp_ gho_ ghu_ ghs_ ghr_", r"\bgh[pousr]_[A-Za-z0-9]{36,}"),
    ("github-pat", "github_pat_", r"\bgithub_pat_[A-Za-z0-9_]{59,}"),
    ("gitlab-token", "glpat- glptt- gldt- glrt- glcbt- glsoat-", r"\bgl(?:pat|ptt|dt|rt|cbt|soat)-[A-Za-z0-9_.-]{20,}"),
    ("bitbucket-token", "atbb", r"\bATBB[A-Za-z0-9]{28,}"),
    ("atlassian-token", "atatt3", r"\bATATT3[A-Za-z0-9_=-]{50,}"),
    ("slack-token", "xoxb- xoxp- xoxa- xoxr- xoxs- xoxe-", r"\bxox[abeprs]-[A-Za-z0-9-]{10,}"),
    ("slack-app-token", "xapp-", r"\bxapp-[0-9]-[A-Z0-9]+-[0-9]+-[a-z0-9]{20,}"),
    ("slack-webhook", "hooks.slack.com", r"hooks\.slack\.com/(?:services|workflows)/[A-Za-z0-9+/]{30,}"),
    ("discord-webhook", "/api/webhooks/", r"discord(?:app)?\.com/api/webhooks/[0-9]{15,20}/[A-Za-z0-9_-]{40,}"),
    ("discord-bot-token", ".", r"\b[MNO][A-Za-z0-9_-]{23,25}\.[A-Za-z0-9_-]{6}\.[A-Za-z0-9_-]{27,38}\b"),
    ("telegram-bot-token", ":aa", r"\b[0-9]{8,10}:AA[A-Za-z0-9_-]{33}"),
    ("stripe-key", "_live_ _test_", r"\b[rs]k_(?:live|test)_[A-Za-z0-9]{16,}"),
    ("stripe-webhook-secret", "whsec_", r"\bwhsec_[A-Za-z0-9+/]{24,}={0,2}"),
    ("square-token", "sq0", r"\bsq0(?:atp|csp)-[A-Za-z0-9_-]{22,}"),
    ("shopify-token", "shpat_ shpca_ shppa_ shpss_", r"\bshp(?:at|ca|pa|ss)_[a-fA-F0-9]{32}"),
    ("openai-key", "sk-", r"\bsk-(?:(?:proj|svcacct|admin|None)-[A-Za-z0-9_-]{40,}|[A-Za-z0-9]{48})"),
    ("anthropic-key", "sk-ant-", r"\bsk-ant-[a-z0-9]+-[A-Za-z0-9_-]{40,}"),
    ("openrouter-key", "sk-or-", r"\bsk-or-v1-[a-f0-9]{64}"),
    ("huggingface-token", "hf_ api_org_", r"\b(?:hf_|api_org_)[A-Za-z0-9]{34,}"),
    ("groq-key", "gsk_", r"\bgsk_[A-Za-z0-9]{50,}"),
    ("replicate-token", "r8_", r"\br8_[A-Za-z0-9]{37}"),
    ("perplexity-key", "pplx-", r"\bpplx-[A-Za-z0-9]{48}"),
    ("xai-key", "xai-", r"\bxai-[A-Za-z0-9]{70,}"),
    ("langsmith-key", "lsv2_", r"\blsv2_(?:pt|sk)_[a-f0-9]{32}_[a-f0-9]{10}"),
    ("npm-token", "npm_", r"\bnpm_[A-Za-z0-9]{36}"),
    ("pypi-token", "pypi-ageichlwas5vcmc", r"\bpypi-AgEIcHlwaS5vcmc[A-Za-z0-9_-]{50,}"),
    ("rubygems-key", "rubygems_", r"\brubygems_[a-f0-9]{48}"),
    ("docker-token", "dckr_pat_ dckr_oat_", r"\bdckr_[po]at_[A-Za-z0-9_-]{24,}"),
    ("databricks-token", "dapi", r"\bdapi[a-f0-9]{32}(?:-[0-9])?"),
    ("digitalocean-token", "_v1_", r"\bdo[oprt]_v1_[a-f0-9]{64}"),
    ("sendgrid-key", "sg.", r"\bSG\.[A-Za-z0-9_-]{16,32}\.[A-Za-z0-9_-]{16,64}"),
    ("mailgun-key", "key-", r"\bkey-[a-f0-9]{32}\b"),
    ("mailchimp-key", "-us", r"\b[a-f0-9]{32}-us[0-9]{1,2}\b"),
    ("twilio-key", "sk", r"\bSK[a-f0-9]{32}\b"),
    ("newrelic-key", "nrak-", r"\bNRAK-[A-Z0-9]{27}"),
    ("grafana-token", "glc_ glsa_", r"\bgl(?:c_[A-Za-z0-9+/]{32,}={0,2}|sa_[A-Za-z0-9]{32}_[a-f0-9]{8})"),
    ("vault-token", "hvs. hvb. hvr.", r"\bhv[sbr]\.[A-Za-z0-9_-]{24,}"),
    ("terraform-token", ".atlasv1.", r"\b[A-Za-z0-9]{14}\.atlasv1\.[A-Za-z0-9_=-]{60,}"),
    ("doppler-token", "dp.", r"\bdp\.(?:pt|st|ct|sa|scim|audit)\.[A-Za-z0-9_.-]{40,}"),
    ("pulumi-token", "pul-", r"\bpul-[a-f0-9]{40}"),
    ("postman-key", "pmak-", r"\bPMAK-[a-f0-9]{24}-[a-f0-9]{34}"),
    ("sentry-token", "sntrys_ sntryu_", r"\bsntry[su]_[A-Za-z0-9+/=_-]{40,}"),
    ("supabase-token", "sbp_", r"\bsbp_[a-f0-9]{40}"),
    ("airtable-token", "pat", r"\bpat[A-Za-z0-9]{14}\.[a-f0-9]{64}"),
    ("notion-token", "ntn_ secret_", r"\b(?:ntn_|secret_)[A-Za-z0-9]{43,}"),
    ("linear-key", "lin_api_", r"\blin_api_[A-Za-z0-9]{40}"),
    ("figma-token", "figd_", r"\bfigd_[A-Za-z0-9_-]{40,}"),
    ("age-key", "age-secret-key-", r"\bAGE-SECRET-KEY-1[0-9A-Z]{58}"),
    ("jwt", "eyj", r"\beyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{16,}"),
    ("bearer", "bearer basic", r"(?i)\bauthorization[\"']?\s*[:=]\s*[\"']?(?:bearer|basic)\s+([a-z0-9._~+/=-]{16,})"),
)  # fmt: skip

_CREDENTIALS = r"[^\s:/@\"'<>]{1,100}:([^\s/@\"'<>]{3,200})@[A-Za-z0-9.\[-]"
_STORES = r"postgres(?:ql)?|mysql|mariadb|mongodb|rediss?|amqps?|mssql|oracle|clickhouse|nats|ldaps?"

FORMATS: tuple[SecretFormat, ...] = (
    *(SecretFormat(f"secret.{name}", tuple(t.encode() for t in words.split()), pattern(body)) for name, words, body in _TABLE),
    SecretFormat("secret.database-url", (b"://",), pattern(rf"(?i)\b(?:{_STORES})(?:\+[a-z0-9]+)?://{_CREDENTIALS}"), 0.0),
    SecretFormat("secret.url-password", (b"://",), pattern(rf"(?i)\b(?:https?|ftps?|ssh|smtps?|imaps?)://{_CREDENTIALS}"), 0.0),
)  # fmt: skip
"""Every format that names its issuer. A format's label is unique."""
