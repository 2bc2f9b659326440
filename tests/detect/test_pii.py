import time
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockgate.detect import find_pii
from lockgate.detect.pii import LONGEST
from lockgate.detect.pii_text import folded

_PIECES = (
    *(
        "Anna ",
        "Smith",
        "van der ",
        "Mr ",
        "Dear ",
        "Name: ",
        "Address: ",
        "phone ",
        "passport ",
        "ssn ",
        ", ",
        "\n",
        " ",
    ),
    *(
        "12",
        "4111 ",
        "Main Street ",
        "rue de la Paix ",
        "Goethestraße 5, ",
        "60313 ",
        "Via ",
        "@a.b",
        "\ud800",
        "A" * 60,
    ),
)


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
        ("tél. 06 12 34 56 78", "06 12 34 56 78", "phone"),
        ("06.12.34.56.78", "06.12.34.56.78", "phone"),
        ("Handy 0170/1234567", "0170/1234567", "phone"),
        ("(11) 91234-5678", "(11) 91234-5678", "phone"),
        ("mój telefon: 501 234 567", "501 234 567", "phone"),
        ("\uff0b49 30 1234567 now", "\uff0b49 30 1234567", "phone"),
        ("1-800-555-0199", "1-800-555-0199", "phone"),
        ("Passport no. C01X00T47", "C01X00T47", "passport"),
        ("Reisepass-Nr. C01X00T47", "C01X00T47", "passport"),
        ("driver's license D123-4567-8901", "D123-4567-8901", "driving-licence"),
        ("MRN: 00481516", "00481516", "medical-record"),
        ("Insurance ID: W123456789", "W123456789", "insurance"),
        ("Kennzeichen M-AB 1234", "M-AB 1234", "vehicle-plate"),
        ("client_ip=93.184.216.34 ok", "93.184.216.34", "ip-address"),
        ("MAC address 00:1B:44:11:3A:B7", "00:1B:44:11:3A:B7", "mac-address"),
        ("to 1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa", "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa", "wallet"),
        ("to 0x52908400098527886E0F7030069857D2E4169EE7", "0x52908400098527886E0F7030069857D2E4169EE7", "wallet"),
        ("I live at 12 Maple Street, Portland, OR 97201.", "12 Maple Street, Portland, OR 97201", "address"),
        ("Flat 3, 9 Abbey Road, London NW8 9AY", "Flat 3, 9 Abbey Road, London NW8 9AY", "address"),
        ("wohnt Goethestraße 5a, 60313 Frankfurt am Main", "Goethestraße 5a, 60313 Frankfurt am Main", "address"),
        ("12 bis rue de la Paix, 75002 Paris", "12 bis rue de la Paix, 75002 Paris", "address"),
        ("en Calle Mayor, 7, 28013 Madrid", "Calle Mayor, 7, 28013 Madrid", "address"),
        ("Via Roma 10, 20121 Milano (MI)", "Via Roma 10, 20121 Milano (MI)", "address"),
        ("Rua do Ouro, 88, 1100-060 Lisboa", "Rua do Ouro, 88, 1100-060 Lisboa", "address"),
        ("Keizersgracht 123, 1015 CJ Amsterdam", "Keizersgracht 123, 1015 CJ Amsterdam", "address"),
        ("ul. Długa 5/12, 31-147 Kraków", "ul. Długa 5/12, 31-147 Kraków", "address"),
        ("Storgatan 4, 111 22 Stockholm", "Storgatan 4, 111 22 Stockholm", "address"),
        ('{"address": "4 Privet Park, Reading RG1 1AA"}', "4 Privet Park, Reading RG1 1AA", "address"),
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
        "Order 07494-657-15, invoice no. 0161 496 0000, ref 09-62795-6324",
        "Spring 2024 and During 1920-21, Mount St. Helens erupted in 1980, via USB 3",
        "The address space is 48 bits; address: 0x7ffe0000",
        "Please confirm your address in the app or at a branch by 30 June, otherwise it is closed.",
        "BP 150/95 at 3, BP 128/80 at 9; Im Jahr 2190 ist alles anders",
        "Mo 09:00 Zahnarzt Dr. und NL91 INGX 0417 1643 00 als Gegenkonto",
        "caps 30 37 23 8 36 29 0 35 11 1",
        "Listen on 93.184.216.34:8080 and 00:1B:44:11:3A:B7",
        "passport control is closed, insurance is mandatory, the plate is hot",
        "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNb",
        "[NAME] lives at [ADDRESS], [PHONE], SSN [ID-NUMBER], Name: [ID-NUMBER]",
        "Tracking number 1Z 999 AA1 01 2345 6784, your parcel 0034 0434 1610 9402 7318 is in the depot.",
        "Serial: SN 0172 3345 8891; cost centre 0171 2200, project 0160-33421; Zeichnung 040/123456, Blatt 2 von 7",
        "Rights are restricted under clause 252.227-7013 of the rules; mail goes to Boston, MA 02110-1301.",
    ],
)
def test_other_numbers_are_left_alone(text: str) -> None:
    assert _found(text) == []


def test_placeholder_announces_nothing() -> None:
    assert _found("[PHONE] 20304050, [BIRTH-DATE] 12.03.1980") == []


@pytest.mark.parametrize(
    "unit",
    ["1 ", "a@", "Anna Smith ", "Mr Dr ", "Name: ", "phone 1", "12 Main St, ", "4111 ", "2024-", "A'", "[A] ", "é1 "],
)
def test_time_is_linear_in_hostile_text(unit: str) -> None:
    find_pii(unit)
    began = time.process_time()
    find_pii(unit * (60_000 // len(unit)))
    # Far above what a slow machine needs, far below what quadratic time would take.
    assert time.process_time() - began < 20


@given(st.lists(st.sampled_from(_PIECES), max_size=30).map("".join))
def test_matches_are_short_whatever_surrounds_them(text: str) -> None:
    assert all(span.end - span.start <= LONGEST for span in find_pii(text))


@given(st.text(alphabet=st.characters()))
def test_any_text_is_read_and_folding_keeps_offsets(text: str) -> None:
    assert len(folded(text)) == len(text)
    assert all(0 <= span.start < span.end <= len(text) for span in find_pii(text))


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


@pytest.mark.parametrize(
    "text",
    [
        "See Figure 3 Side View for the mounting holes.",
        "The 10 Minute Walk exercise helps with stress.",
        "Level 5 Boss Court is the hardest map in the game.",
        "Our 7 Star Court review got 120 comments.",
        "Section 9 Access Road design follows the 2019 rules.",
    ],
)
def test_a_number_before_an_ordinary_word_is_no_street(text: str) -> None:
    assert not find_pii(text)


@pytest.mark.parametrize(
    "text",
    [
        "She lives at 12 Garden View with two cats.",
        "12 Garden View",
        "Deliver to 3 Mill Court, please.",
        "Come to 7 Hill Way",
    ],
)
def test_a_street_named_by_an_ordinary_word_is_found_where_somebody_is_or_goes(text: str) -> None:
    assert {span.label for span in find_pii(text)} == {"pii.address"}
