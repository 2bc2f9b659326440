"""Who signed and who was expected, letter by letter."""

import datetime as dt
from collections.abc import Callable

import pytest
from asn1crypto import core
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.x509.oid import ObjectIdentifier
from hypothesis import given
from hypothesis import strategies as st

from lockgate.core.errors import ConfigError
from lockgate.evidence import EvidenceError
from lockgate.evidence.signing import Expected, Who
from lockgate.evidence.signing.identity import signer_of
from support.sigstore_instance import ISSUER, WORKFLOW, new_key, utf8_string

ADDRESS = "releases@acme.example"
TAGS = "https://github.com/acme/models/.github/workflows/release.yml@refs/tags/*"
OIDS = "1.3.6.1.4.1.57264.1."


def who(name: str, issuer: str = ISSUER) -> Who:
    return Who(identity=name, issuer=issuer)


def expected(identity: str = "", pattern: str = "", issuer: str = ISSUER) -> Expected:
    return Expected.of(identity=identity, pattern=pattern, issuer=issuer)


@pytest.mark.parametrize("name", [ADDRESS, WORKFLOW])
@pytest.mark.parametrize(
    "change",
    [
        lambda name: name + ".evil.example",
        lambda name: "x" + name,
        lambda name: name + "/",
        lambda name: name + " ",
        lambda name: name + "\n",
        lambda name: name + "\0",
        lambda name: name[:-1],
        lambda name: name.upper(),
        lambda name: name.replace("a", "а", 1),  # noqa: RUF001 - Cyrillic, which is the point
        lambda name: name.replace("m", "m\u200b", 1),
        lambda name: name.replace("e", "e\u0301", 1),
        lambda name: name.replace("acme", "ac%6de"),
        lambda _name: "",
        lambda _name: "*",
    ],
)
def test_a_name_is_that_name_and_no_other_that_looks_like_it(name: str, change: Callable[[str], str]):
    assert expected(name).fits(who(name))
    assert not expected(name).fits(who(change(name)))
    assert not expected(change(name) or "x").fits(who(name))


@pytest.mark.parametrize(
    "issuer", [ISSUER + "/", ISSUER.replace("https", "http"), ISSUER.upper(), "", ISSUER + ".evil"]
)
def test_the_issuer_is_part_of_who_it_is(issuer: str):
    assert not expected(ADDRESS).fits(who(ADDRESS, issuer))
    assert not expected(pattern="*@acme.example").fits(who(ADDRESS, issuer))


def test_a_star_in_a_whole_name_means_itself():
    assert not expected("*@acme.example").fits(who(ADDRESS))
    assert expected("*@acme.example").fits(who("*@acme.example"))


def test_a_star_in_a_pattern_stands_for_one_plain_word():
    assert expected(pattern=TAGS).fits(who(WORKFLOW))
    assert expected(pattern="*@acme.example").fits(who(ADDRESS))
    for other in (
        TAGS.replace("*", ""),
        TAGS.replace("*", "v1/../../heads/main"),
        TAGS.replace("*", "v1@refs"),
        TAGS.replace("*", "v1\n"),
        TAGS.replace("*", "ｖ1"),  # noqa: RUF001 - a wide letter
        TAGS.replace("*", "v1%2F"),
        WORKFLOW.replace("github.com", "githubXcom"),
        WORKFLOW.replace("acme", "acme-evil"),
        f"https://evil.example/?{WORKFLOW}",
        f"evil+{WORKFLOW}",
        f"{WORKFLOW}#evil/",
    ):
        assert not expected(pattern=TAGS).fits(who(other)), other
    assert not expected(pattern="*@acme.example").fits(who("a@evil.example@acme.example"))
    assert not expected(pattern="*@acme.example").fits(who("a@acmeXexample"))


@given(name=st.text(max_size=40) | st.from_regex(r"[a-z.@/*-]{0,30}", fullmatch=True))
def test_a_pattern_fits_only_what_has_its_words(name: str):
    fits = expected(pattern="a*b*@acme.example").fits(who(name))
    plain = name.endswith("@acme.example") and name.startswith("a") and "b" in name[2:]
    assert not fits or (plain and name.isascii() and name.count("@") == 1)


@pytest.mark.parametrize(
    "pattern",
    ["*", "**", "a*", "*@*", "*@*.example", "https://*", "https://*/x", "*://host/x", "https://host*", "://h/*", "a@"],
)
def test_a_pattern_that_leaves_open_where_names_come_from_is_refused(pattern: str):
    with pytest.raises(ConfigError, match="leaves open who may sign"):
        expected(pattern=pattern)


def test_who_may_sign_is_said_in_one_way():
    for given_ in ({}, {"identity": "a", "pattern": "*@b"}, {"identity": "a", "issuer": ""}):
        with pytest.raises(ConfigError, match="is not said"):
            expected(**given_)


def test_a_look_alike_shows_in_a_message():
    assert str(who("аcme")) == r"'\u0430cme' of 'https://issuer.example.com'"  # noqa: RUF001
    assert str(expected("аcme")) == r"'\u0430cme' of 'https://issuer.example.com'"  # noqa: RUF001
    assert str(Who(keyid="0123456789abcdef", identity="a")) == "'a' with key 0123456789ab"
    assert str(Who(keyid="0123456789abcdef")) == "key 0123456789ab"


def certificate(names: list[x509.GeneralName] | None, extensions: dict[str, bytes]) -> x509.Certificate:
    key, now = new_key(), dt.datetime.now(dt.UTC)
    builder = (
        x509.CertificateBuilder().subject_name(x509.Name([])).issuer_name(x509.Name([])).public_key(key.public_key())
    )
    builder = builder.serial_number(1).not_valid_before(now).not_valid_after(now)
    if names is not None:
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=True)
    for number, value in extensions.items():
        unknown = x509.UnrecognizedExtension(ObjectIdentifier(OIDS + number), value)
        builder = builder.add_extension(unknown, critical=False)
    return builder.sign(key, hashes.SHA256())


NEW = {"8": utf8_string(ISSUER)}
MAIL = [x509.RFC822Name(ADDRESS)]


@pytest.mark.parametrize("issuer", [NEW, {"1": ISSUER.encode()}, NEW | {"1": ISSUER.encode(), "2": b"push"}])
def test_a_certificate_names_its_signer_and_the_issuer(issuer: dict[str, bytes]):
    assert signer_of(certificate(MAIL, issuer)) == who(ADDRESS)
    assert signer_of(certificate([x509.UniformResourceIdentifier(WORKFLOW)], issuer)) == who(WORKFLOW)
    user = x509.OtherName(ObjectIdentifier(OIDS + "7"), utf8_string("sam!example.com"))
    assert signer_of(certificate([user], issuer)) == who("sam!example.com")


@pytest.mark.parametrize(
    ("names", "extensions", "reason"),
    [
        (None, NEW, "names nobody"),
        ([], NEW, "does not name one signer"),
        ([*MAIL, x509.RFC822Name("other@acme.example")], NEW, "does not name one signer"),
        ([x509.DNSName("acme.example")], NEW, "does not name one signer"),
        ([x509.OtherName(ObjectIdentifier("1.2.3"), utf8_string("sam"))], NEW, "does not name one signer"),
        ([x509.OtherName(ObjectIdentifier(OIDS + "7"), core.Integer(7).dump())], NEW, "unknown form"),
        (MAIL, {}, "does not name one issuer"),
        (MAIL, NEW | {"1": b"https://other.example.com"}, "does not name one issuer"),
        (MAIL, {"1": b"\xff"}, "unknown form"),
        (MAIL, {"8": ISSUER.encode()}, "unknown form"),
        (MAIL, {"8": utf8_string(ISSUER) + b"\0"}, "unknown form"),
        (MAIL, {"8": b"\x0c\x01\xff"}, "unknown form"),
    ],
)
def test_a_certificate_that_names_somebody_unclearly_names_nobody(
    names: list[x509.GeneralName] | None, extensions: dict[str, bytes], reason: str
):
    with pytest.raises(EvidenceError, match=reason):
        signer_of(certificate(names, extensions))
