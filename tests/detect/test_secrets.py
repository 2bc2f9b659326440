import base64
import random
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockgate.detect import find_secrets
from lockgate.detect.secret_formats import FORMATS

_WORD = string.ascii_letters + string.digits


def _random(alphabet: str, size: int) -> str:
    return "".join(random.Random(f"{alphabet}{size}").choices(alphabet, k=size))


_HEX = string.hexdigits.lower()[:16]
_BASE32 = string.ascii_uppercase + "234567"
_SAMPLES = {
    "aws-access-key": "AKIA" + _random(_BASE32, 16),
    "gcp-api-key": "AIza" + _random(_WORD, 35),
    "gcp-oauth-token": "ya29." + _random(_WORD, 60),
    "azure-client-secret": _random(_WORD, 3) + "8Q~" + _random(_WORD, 34),
    "github-token": "ghp_" + _random(_WORD, 36),
    "github-pat": "github_pat_" + _random(_WORD, 82),
    "gitlab-token": "glpat-" + _random(_WORD, 20),
    "slack-token": "xoxb-" + _random(string.digits, 12) + "-" + _random(_WORD, 24),
    "stripe-key": "sk_live_" + _random(_WORD, 24),
    "openai-key": "sk-proj-" + _random(_WORD, 64),
    "anthropic-key": "sk-ant-api03-" + _random(_WORD, 93),
    "huggingface-token": "hf_" + _random(string.ascii_letters, 34),
    "npm-token": "npm_" + _random(_WORD, 36),
    "pypi-token": "pypi-AgEIcHlwaS5vcmc" + _random(_WORD, 70),
    "sendgrid-key": "SG." + _random(_WORD, 22) + "." + _random(_WORD, 43),
    "databricks-token": "dapi" + _random(_HEX, 32),
    "digitalocean-token": "dop_v1_" + _random(_HEX, 64),
    "vault-token": "hvs." + _random(_WORD, 90),
    "twilio-key": "SK" + _random(_HEX, 32),
    "telegram-bot-token": _random("123456789", 10) + ":AA" + _random(_WORD, 33),
    "jwt": "eyJ" + _random(_WORD, 33) + ".eyJ" + _random(_WORD, 60) + "." + _random(_WORD, 43),
    "age-key": "AGE-SECRET-KEY-1" + _random(string.ascii_uppercase + string.digits, 58),
}


@pytest.mark.parametrize("kind", _SAMPLES)
def test_known_format_is_found_whole_wherever_it_stands(kind: str) -> None:
    key = _SAMPLES[kind]
    for before, after in (("", ""), ("Use ", " for it."), ("ключ=", "\n"), ('{"k": "', '"}')):
        text = before + key + after
        found = [text[span.start : span.end] for span in find_secrets(text)]
        assert any(key in value for value in found), (kind, before)


def test_at_least_forty_formats_with_unique_labels() -> None:
    labels = [known.label for known in FORMATS]
    assert len(labels) >= 40
    assert len(labels) == len(set(labels))


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ('DB_PASSWORD = "hunter2-Winter9"', "hunter2-Winter9"),
        ("api_key: 8fK2mQ9xLw4z", "8fK2mQ9xLw4z"),
        ("my password is Tr0ub4dor&3xyz", "Tr0ub4dor&3xyz"),
        ("mein Passwort ist Sommer!2024x", "Sommer!2024x"),
        ("postgres://app:s3cr3tpw@db.internal:5432/orders", "s3cr3tpw"),
        ("https://deploy:9dKw2LmX@git.example.net/repo", "9dKw2LmX"),
    ],
)
def test_assigned_values_and_passwords_in_addresses(text: str, secret: str) -> None:
    assert [text[span.start : span.end] for span in find_secrets(text)] == [secret]


@pytest.mark.parametrize(
    "text",
    [
        "AKIAIOSFODNN7EXAMPLE is in every tutorial",
        "api_key = <your-key>",
        "password: ${DB_PASSWORD}",
        "token = os.environ['TOKEN1']",
        "secret: the recipe of my grandmother",
        "The password must have 12 characters.",
        "ghp_" + "x" * 36,
        "https://user:password@localhost/",
        "commit 3f786850e387550fdab836ed7e6dc881de23001b",
        "An RSA key file begins with -----BEGIN RSA PRIVATE KEY----- and ends with the same dashes.",
    ],
)
def test_placeholders_and_prose_are_left_alone(text: str) -> None:
    assert find_secrets(text) == ()


def test_private_key_is_covered_from_its_first_to_its_last_dash() -> None:
    body = base64.encodebytes(bytes(range(256)) * 4).decode()
    key = f"-----BEGIN RSA PRIVATE KEY-----\n{body}-----END RSA PRIVATE KEY-----"
    text = f"Here it is:\n{key}\nBye."
    (span,) = find_secrets(text)
    assert text[span.start : span.end] == key


def test_private_key_without_its_end_is_still_found() -> None:
    text = "-----BEGIN PRIVATE KEY-----\n" + _random(_WORD, 64) + "\n" + _random(_WORD, 64)
    assert [span.label for span in find_secrets(text)] == ["secret.private-key"]


@given(st.text(), st.text())
def test_offsets_survive_any_surroundings(before: str, after: str) -> None:
    key = _SAMPLES["github-token"]
    text = f"{before} {key} {after}"
    assert any(text[span.start : span.end].startswith(key) for span in find_secrets(text))
