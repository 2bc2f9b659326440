import pytest

from lockgate.detect import find_pii
from lockgate.detect.id_numbers import CHECKS
from lockgate.detect.id_numbers_base import luhn, verhoeff
from lockgate.detect.pii_numbers import ALONE, ANNOUNCED

# Made up, and confirmed by python-stdnum 2.2 where it knows the kind, else by a published sample.
_VALID = (
    ("pii.us-ssn", "877-28-9217"),
    ("pii.ca-sin", "185-171-089"),
    ("pii.mx-curp", "GOMC920315MJCNRL04"),
    ("pii.br-cpf", "271.221.844-20"),
    ("pii.br-cnpj", "47.989.972/0001-14"),
    ("pii.cl-rut", "05364167-9"),
    ("pii.ar-cuit", "20-35219671-2"),
    ("pii.gb-nhs", "973 650 6673"),
    ("pii.ie-pps", "2369209F"),
    ("pii.de-tax-id", "31608762955"),
    ("pii.fr-nir", "1 85 05 75 704 305 60"),
    ("pii.es-dni", "11728514D"),
    ("pii.it-fiscal-code", "HCBUGL81A22H505W"),
    ("pii.pt-nif", "213 252 252"),
    ("pii.nl-bsn", "948778325"),
    ("pii.be-nn", "89.01.17-004.04"),
    ("pii.pl-pesel", "98112795888"),
    ("pii.cz-rc", "890517/8909"),
    ("pii.se-personnummer", "19820415-6247"),
    ("pii.fi-hetu", "100182-467F"),
    ("pii.no-fnr", "130589 07353"),
    ("pii.dk-cpr", "190486-2432"),
    ("pii.ch-ahv", "756.1278.4899.64"),
    ("pii.at-svnr", "6461 100386"),
    ("pii.ro-cnp", "1880316128435"),
    ("pii.tr-tckn", "35272106174"),
    ("pii.il-id", "217841675"),
    ("pii.in-aadhaar", "4375 3444 4861"),
    ("pii.in-pan", "PYXPV6800Y"),
    ("pii.cn-ric", "110105196308012762"),
    ("pii.kr-rrn", "810113-1692209"),
    ("pii.au-tfn", "132 895 274"),
    ("pii.za-id", "8803175518082"),
    ("pii.th-id", "1528187428868"),
    ("pii.hr-oib", "23362309065"),
    ("pii.bg-egn", "8406177369"),
    ("pii.ee-lt-code", "38301149648"),
    ("pii.gr-amka", "15098424383"),
    ("pii.my-nric", "850515-56-6575"),
    ("pii.gb-nino", "AB 12 34 56 C"),
    ("pii.jp-my-number", "1234 5678 9018"),
    ("pii.sg-nric", "S1234567D"),
    ("pii.au-medicare", "2123 45670 1"),
    ("pii.card", "4111 1111 1111 1111"),
)
_UNCHECKED = {"pii.us-ssn", "pii.gb-nino", "pii.in-pan", "pii.dk-cpr", "pii.my-nric"}
_WORDS = {number.label: number.words.split("|")[0] for number in ANNOUNCED}


def _compact(number: str) -> str:
    return "".join(character for character in number if character.isalnum())


@pytest.mark.parametrize(("label", "number"), _VALID)
def test_valid_number_passes_its_check(label: str, number: str) -> None:
    assert CHECKS[label](_compact(number))


@pytest.mark.parametrize(("label", "number"), [row for row in _VALID if row[0] not in _UNCHECKED])
def test_most_slips_of_one_digit_are_seen(label: str, number: str) -> None:
    compact = _compact(number)
    slips = [
        compact[:index] + str((int(digit) + by) % 10) + compact[index + 1 :]
        for index, digit in enumerate(compact)
        if digit.isdecimal()
        for by in range(1, 10)
    ]
    assert sum(CHECKS[label](slip) for slip in slips) <= len(slips) * 0.2


@pytest.mark.parametrize(("label", "number"), _VALID)
def test_number_is_found_behind_its_word(label: str, number: str) -> None:
    text = f"{_WORDS.get(label, 'number')}: {number}, thank you"
    assert any(text[span.start : span.end] == number for span in find_pii(text))


def test_every_check_is_looked_for_and_tested() -> None:
    looked_for = {number.label for group in ALONE for number in group} | {number.label for number in ANNOUNCED}
    assert looked_for == set(CHECKS) == {label for label, _ in _VALID}


@pytest.mark.parametrize("label", ["pii.pl-pesel", "pii.de-tax-id", "pii.tr-tckn", "pii.nl-bsn", "pii.in-aadhaar"])
def test_digits_alone_are_no_identity(label: str) -> None:
    number = dict(_VALID)[label]
    assert all(span.label != label for span in find_pii(f"Batch {number} left the plant."))


def test_a_tax_id_repeats_exactly_one_digit() -> None:
    assert not CHECKS["pii.de-tax-id"]("11223456786")
    assert not CHECKS["pii.de-tax-id"]("12345678903")


def test_cards_need_an_issuer_and_more_than_one_digit() -> None:
    assert CHECKS["pii.card"]("378282246310005")
    assert not CHECKS["pii.card"]("0000000000000000")
    assert not CHECKS["pii.card"]("9999999999999995")


def test_luhn_and_verhoeff_on_textbook_numbers() -> None:
    assert luhn("79927398713")
    assert not luhn("79927398710")
    assert verhoeff("2363")
    assert not verhoeff("2364")
