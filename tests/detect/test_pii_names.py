import pytest

from lockgate.detect import find_pii


def _names(text: str) -> list[str]:
    return [text[span.start : span.end] for span in find_pii(text) if span.label == "pii.name"]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("We met Charlotte Okonkwo at noon.", ["Charlotte Okonkwo"]),
        ("Max van der Linden and María José García López", ["Max van der Linden", "María José García López"]),
        ("the desk of John Q. Adams", ["John Q. Adams"]),
        ("Dear Ms Thistlethwaite,", ["Thistlethwaite"]),
        ("Sehr geehrter Herr von Üxküll,", ["von Üxküll"]),
        ("Madame Lévêque a appelé", ["Lévêque"]),
        ("Il sig. D'Angelo ha scritto", ["D'Angelo"]),
        ("Szanowna Pani Brzęczyszczykiewicz", ["Brzęczyszczykiewicz"]),
        ("Hi Xanthippe,\nwelcome", ["Xanthippe"]),
        ("Cześć Łukasz,", ["Łukasz"]),
        ("See you then.\n\nKind regards,\nTamsin", ["Tamsin"]),
        ("Mit freundlichen Grüßen\nHeike Brandt\n", ["Heike Brandt"]),
        ("my name is maria kowalska and i forgot my password", ["maria kowalska"]),
        ("je m'appelle Loïc Le Goff.", ["Loïc Le Goff"]),
        ("Patient: Zyx Wvutsrq", ["Zyx Wvutsrq"]),
        ("Name: Delgado, Marisol", ["Delgado, Marisol"]),
        ('{"firstName": "Anouk", "last_name": "Hoekstra"}', ["Anouk", "Hoekstra"]),
        ("Imię i nazwisko: ZBIGNIEW ZAWADZKI", ["ZBIGNIEW ZAWADZKI"]),
        ("id,first,last\n7,Callum,Hargreaves,x", ["Callum,Hargreaves"]),
        ("[12:03] Gemma: on my way", ["Gemma"]),
        ("Contact: Rosalind Vaughn. Rosalind is in.", ["Rosalind Vaughn", "Rosalind"]),
        ("Yesterday Michael Brown's car broke down", ["Michael Brown"]),
    ],
)
def test_name_is_found_whole(text: str, names: list[str]) -> None:
    assert _names(text) == names


@pytest.mark.parametrize(
    "text",
    [
        "Dear Customer, Dear Sir or Madam, Hello World! Hi Team,",
        "Best regards,\nThe Support Team",
        "Goldman Sachs, Wells Fargo, Johnson & Johnson and Mercedes Benz report today.",
        "12 rue Victor Hugo is closed; Lake Harriet and Santa Barbara are open.",
        "Victoria Station, Charlotte Airport, Madison County, the Washington Post",
        "name: Build And Test\nuser: admin\nauthor: unknown",
        "May is warm, Will he come? Mark this. Rose and Iris bloom in April.",
        "Paris and Florence are in Europe, Jordan is not.",
        "Patient presents with cough. Customer wants a refund.",
        "Monday Morning News, Summer Sale, Open Source Software",
        'class Widget(Base): name: str = "Default Widget"',
        "def reply(text: str, caller: Optional[Union] = None) -> Answer",
    ],
)
def test_other_capitalised_words_are_left_alone(text: str) -> None:
    assert _names(text) == []


def test_a_part_far_from_its_name_is_left_alone() -> None:
    text = "Rosalind Vaughn called." + " It rained." * 40 + " Rosalind left."
    assert _names(text) == ["Rosalind Vaughn"]
