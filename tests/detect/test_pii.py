from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockgate.detect import find_pii


def _found(text: str) -> list[tuple[str, str]]:
    return [(text[span.start : span.end], span.label.removeprefix("pii.")) for span in find_pii(text)]


@pytest.mark.parametrize(
    ("text", "value", "kind"),
    [
        ("Write to Anna.Meier+x@example.co.uk today", "Anna.Meier+x@example.co.uk", "email"),
        ("an müller@straße.de, danke", "müller@straße.de", "email"),
        ("call +49 30 1234567 now", "+49 30 1234567", "phone"),
        ("reach us at (212) 555-0187.", "(212) 555-0187", "phone"),
        ("Tel. 030 / 1234567", "030 / 1234567", "phone"),
        ("appelez le 01 42 68 53 00", "01 42 68 53 00", "phone"),
        ("IBAN DE89 3704 0044 0532 0130 00 please", "DE89 3704 0044 0532 0130 00", "iban"),
        ("gb82west12345698765432", "gb82west12345698765432", "iban"),
        ("card 4111 1111 1111 1111, exp 12/27", "4111 1111 1111 1111", "card"),
        ("in 2024 4111 1111 1111 1111 was used", "4111 1111 1111 1111", "card"),
        ("amex 378282246310005", "378282246310005", "card"),
        ("SSN 123-45-6789", "123-45-6789", "us-ssn"),
        ("my social security number 123456789", "123456789", "us-ssn"),
        ("DNI 12345678Z", "12345678Z", "es-dni"),
        ("NIE X1234567L", "X1234567L", "es-dni"),
        ("n° 2 69 05 49 588 157 80", "2 69 05 49 588 157 80", "fr-nir"),
        ("Steuer-ID 86095742719", "86095742719", "de-tax-id"),
        ("CF RSSMRA85T10A562S", "RSSMRA85T10A562S", "it-fiscal-code"),
        ("CPF 529.982.247-25", "529.982.247-25", "br-cpf"),
        ("Aadhaar: 2341 2341 2346", "2341 2341 2346", "in-aadhaar"),
        ("BSN 111222333", "111222333", "nl-bsn"),
        ("PESEL 44051401359", "44051401359", "pl-pesel"),
        ("she was born on 12 March 1984 in Rome", "12 March 1984", "birth-date"),
        ("geboren am 03.12.1984", "03.12.1984", "birth-date"),
        ("DOB: 1984-03-12", "1984-03-12", "birth-date"),
    ],
)
def test_value_is_found_whole(text: str, value: str, kind: str) -> None:
    assert (value, kind) in _found(text)


@pytest.mark.parametrize(
    "text",
    [
        "The server 192.168.100.12 runs build 2024-11-21 12:33:44.",
        "Order 123456789012 ships on 12 March 1984.",
        "card 4111 1111 1111 1112",
        "GB82 WEST 1234 5698 7654 33",
        "12345678A is a part number",
        "000-12-3456 and 666-12-3456",
        "Use @property and x@y",
        "version 1.2.3, 99 bottles, 1,234,567 people, pi 3.14159265358979",
        "PESEL 44051401358",
        "86095742719 without a cue",
        "isbn 978-3-16-148410-0",
    ],
)
def test_other_numbers_are_left_alone(text: str) -> None:
    assert _found(text) == []


@given(st.text(), st.text())
def test_surroundings_neither_hide_nor_shift_an_address(before: str, after: str) -> None:
    text = f"{before}\nanna@example.org\n{after}"
    assert any("anna@example.org" in text[span.start : span.end] for span in find_pii(text))


@given(st.text(alphabet="0123456789 -+().@aDE:/", max_size=300))
def test_spans_are_sorted_inside_the_text_and_not_nested(text: str) -> None:
    spans = find_pii(text)
    assert list(spans) == sorted(spans)
    assert all(0 <= span.start < span.end <= len(text) for span in spans)
    assert all(left.end < right.end for left, right in pairwise(spans))
