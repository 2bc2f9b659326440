# ruff: noqa: E501 - one case a row
import base64
import json
import random
import string
import time
from pathlib import Path

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from detect import secret_samples
from lockgate.detect import find_secrets
from lockgate.detect.secret_checksums import aws_account, certain
from lockgate.detect.secret_formats import FORMATS
from lockgate.detect.secret_vendors import LABELS

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


_NAMES = [known.label.removeprefix("secret.") for known in FORMATS]
_KEYS = [name for name in _NAMES if "«" not in "".join(secret_samples.TEMPLATES.get(name, ()))]


def _covered(text: str, secret: str) -> bool:
    start = text.index(secret)
    return any(span.start <= start and start + len(secret) <= span.end for span in find_secrets(text))


def test_every_format_has_one_label_and_a_line_in_the_manual() -> None:
    labels = [known.label for known in FORMATS] + list(LABELS)
    page = (Path(__file__).resolve().parents[2] / "docs" / "secrets.md").read_text("utf-8")
    assert len(FORMATS) >= 200
    assert len(labels) == len(set(labels))
    assert [label for label in labels if f"`{label.removeprefix('secret.')}`" not in page] == []


@pytest.mark.parametrize("name", _NAMES)
def test_every_format_is_covered_whole(name: str) -> None:
    source = random.Random(name)
    for _ in range(3):
        written, secret = secret_samples.make(name, source)
        assert _covered(f"Here it is:\n{written}\nKeep it to yourself.", secret)


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from(_KEYS),
    st.integers(0, 10**9),
    st.sampled_from(["", " ", "=", '"', "(", "x%3D", "x\\n", "ключ ", "\x1b[32m", "> ", ":", "\\u0022", "'", ","]),
    st.sampled_from(["", " ", '"', ")", "%26a", "\\n", ".", ",", " ключ", "'", "\r\n", "<"]),
)
def test_a_key_is_covered_whole_wherever_it_is_planted(name: str, seed: int, before: str, after: str) -> None:
    written, secret = secret_samples.make(name, random.Random(seed))
    # A drawn key may by chance be made of words or lack a letter case.
    assume(_covered(written, secret))
    assert _covered(before + written + after, secret)


@pytest.mark.parametrize(
    "name", ["github-token", "openai-project-key", "anthropic-key", "stripe-key", "jwt", "vault-token"]
)
@pytest.mark.parametrize("join", ["\\\n", "\\\r\n    ", '" + "', '"\n    "', "' . '", "=\n"])
def test_a_key_in_two_pieces_is_covered_whole(name: str, join: str) -> None:
    key, _ = secret_samples.make(name, random.Random(name))
    pieces = key[:20], key[20:]
    text = f"run({join.join(pieces)}) at once"
    (span,) = find_secrets(text)
    assert text[span.start : span.end] == join.join(pieces)


def test_escaped_and_encoded_values_are_covered_whole() -> None:
    key = "0123Ab+/" + _random(_WORD, 70) + "/+Cd4567=="
    for written in (key, key.replace("/", "\\/"), key.replace("+", "%2B").replace("/", "%2F").replace("=", "%3D")):
        text = f"AccountName=a;AccountKey={written};Suffix=b"
        assert _covered(text, written.removesuffix("=="))
    inner = json.dumps({"password": "hunter2-Winter9"})
    assert _covered(json.dumps({"body": inner}), "hunter2-Winter9")


def test_a_checksum_that_fails_lowers_the_score_and_no_more() -> None:
    source = random.Random(1)
    good = secret_samples.github(source)
    bad = good[:-1] + ("a" if good[-1] != "a" else "b")
    assert certain("secret.github-token", good.encode())
    assert find_secrets(good)[0].score > 0.9 > find_secrets(bad)[0].score
    assert find_secrets(bad)[0].end == len(bad)


def test_account_of_an_aws_key() -> None:
    # 40 bits of account, shifted by 7 into the first six of ten bytes.
    account = 123456789012
    body = base64.b32encode(((account << 7) | 1 << 47).to_bytes(6, "big") + bytes(4)).decode()
    assert aws_account(f"AKIA{body}".encode()) == f"{account:012}"


_HOSTILE = [
    "token=", "password: ", "sk-", "ghp_", 'api_key="', "://a:b@", "bearer ", "eyJabcdefghijk.", "-----BEGIN PRIVATE KEY-----", "abcdef\\\n", "%2B",
    "curl -u a:b ", "cookie: session=", "token=a1b2c3d4 ", '\\"', "password for the ", "PuTTY-User-Key-File-2: ", "密码", "login a password b1c2 ", "/", "A1",
]  # fmt: skip


@pytest.mark.parametrize("unit", _HOSTILE)
def test_time_grows_with_the_size_and_no_faster(unit: str) -> None:
    def seconds(size: int) -> float:
        text = (unit * (size // len(unit) + 1))[:size]
        began = time.process_time()
        find_secrets(text)
        return time.process_time() - began

    seconds(1_000)
    small = min(seconds(20_000) for _ in range(3))
    large = min(seconds(200_000) for _ in range(2))
    # Ten times the text; a square would take a hundred times as long.
    assert large < 50 * max(small, 0.002)


@settings(max_examples=200, deadline=None)
@given(st.text(st.characters(codec=None), max_size=400))
def test_any_text_is_read(text: str) -> None:
    for span in find_secrets(text):
        assert 0 <= span.start < span.end <= len(text)


_PIECES = st.sampled_from(
    [
        '"',
        "'",
        "\\",
        "\n",
        "=",
        ":",
        "%2",
        "%3D",
        "\ud800",
        "password",
        "token",
        "пароль",
        "eyJ",
        "sk-",
        "://",
        "@",
        "a1B2",
        " ",
        "`",
    ]
)


@settings(max_examples=200, deadline=None)
@given(st.lists(_PIECES, max_size=30).map("".join))
def test_any_mix_of_cues_is_read(text: str) -> None:
    for span in find_secrets(text):
        assert 0 <= span.start < span.end <= len(text)


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ('DB_PASSWORD = "hunter2-Winter9"', "hunter2-Winter9"),
        ("api_key: 8fK2mQ9xLw4z", "8fK2mQ9xLw4z"),
        ("my password is Tr0ub4dor&3xyz", "Tr0ub4dor&3xyz"),
        ("mein Passwort ist Sommer!2024x", "Sommer!2024x"),
        ("postgres://app:s3cr3tpw@db.internal:5432/orders", "s3cr3tpw"),
        ("https://deploy:9dKw2LmX@git.example.net/repo", "9dKw2LmX"),
        ('{"client_secret": "q8Zt4Lw0Rk2Vx7"}', "q8Zt4Lw0Rk2Vx7"),
        ("mysqladmin --password Xk29_vLq0 ping", "Xk29_vLq0"),
        ("Server=db;Password=Xk29_vLq0;Encrypt=true", "Xk29_vLq0"),
        ("<password>Xk29_vLq0</password>", "Xk29_vLq0"),
        ("- name: DB_PASSWORD\n  value: Xk29_vLq0", "Xk29_vLq0"),
        ("пароль от базы: Xk29_vLq0", "Xk29_vLq0"),
        ("密码是Xk29_vLq0", "Xk29_vLq0"),
        ("le mot de passe est Xk29_vLq0", "Xk29_vLq0"),
        ('password: str = "Xk29_vLq0"', "Xk29_vLq0"),
        (r'password = "Xk29\"vLq0"', r"Xk29\"vLq0"),
        ("HEROKU_API_KEY=1b9d6bcd-bbfd-4b2d-9b5d-ab8dfbbd4bed", "1b9d6bcd-bbfd-4b2d-9b5d-ab8dfbbd4bed"),
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
        "request 1b9d6bcd-bbfd-4b2d-9b5d-ab8dfbbd4bed took 12 ms",
        "resolved js-tokens-4.0.0.tgz#3f786850e387550fdab836ed7e6dc881de23001b",
        "eos_token_id=50256, max_tokens=4096, tokenizer: gpt2-xl-1558M",
        "secretName: app-tls-2",
        "The token is base64-encoded.",
        "password = get_password(user1)",
        "Passwort vergessen? Es muss 12 Zeichen haben.",
        "amqp://guest:guest@localhost:5672/",
        "curl -u username:password https://api.example.org/",
        "sk-your-api-key-here-0123456789abcdef0123456789",
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJl3dIeudNqd0DPMRD6OIh65 anna@laptop",
        "-----BEGIN CERTIFICATE-----\nMIIDdzCCAl+gAwIBAgIEAgAAuTANBgkqhkiG\n-----END CERTIFICATE-----",
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


def test_a_key_that_is_glued_to_a_word_is_found() -> None:
    key = "ghp_a1B2c3D4e5F6g7H8i9J0a1B2c3D4e5F6g7H8i9J0"
    for text in (f"anna@example.org{key}", f"token{key}", f"x{key}"):
        assert [text[span.start : span.end] for span in find_secrets(text)] == [key]
    assert find_secrets("the_length_ghp_of_the_following_words_is_not_important_here_at_all") == ()
