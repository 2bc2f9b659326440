# ruff: noqa: E501 - one row a shape
"""What fills the slots of a template, drawn from a pool of one language and country."""

import random
import re
import string
from collections.abc import Callable
from dataclasses import dataclass, field

from lockgate.detect.id_numbers import CHECKS

TRIES = 20_000
PERSONAL = frozenset(
    [
        "name",
        "given",
        "family",
        "reversed",
        "capitals",
        "email",
        "phone",
        "address",
        "iban",
        "card",
        "id",
        "birth",
        "passport",
        "licence",
        "record",
        "insurance",
        "plate",
        "ip",
        "wallet",
    ]
)
# '#' is a digit, '@' a capital letter, '%' a digit of the day or month that stays below 13, '?' a base-58 character.
SHAPES = {
    "us-ssn": ("###-##-####",),
    "ca-sin": ("### ### ###", "###-###-###"),
    "mx-curp": ("@E@@8405%2HDF@@R0#", "GOMC920315MJCNRL0#"),
    "br-cpf": ("###.###.###-##",),
    "br-cnpj": ("##.###.###/0001-##",),
    "cl-rut": ("##.###.###-#", "########-#"),
    "ar-cuit": ("20-########-#", "27-########-#"),
    "gb-nino": ("AB ## ## ## C", "JG######A"),
    "gb-nhs": ("### ### ####",),
    "ie-pps": ("#######@",),
    "de-tax-id": ("## ### ### ###", "###########"),
    "fr-nir": ("1 8# 0# 75 ### ### ##", "28#0#31######02"),
    "es-dni": ("########@", "X#######@"),
    "it-fiscal-code": ("@@@@@@8#A2#H50#@", "@@@@@@7#T4#F20#@"),
    "pt-nif": ("2########", "2## ### ###"),
    "nl-bsn": ("#########",),
    "be-nn": ("8#.0#.1#-###.##",),
    "pl-pesel": ("8#0#1######", "9#1%2######"),
    "cz-rc": ("8#0#1#/####", "8#5#1#/####"),
    "se-personnummer": ("198#0#1#-####", "8#0#1#-####"),
    "fi-hetu": ("1#0#8#-###@", "1#0#8#-####"),
    "no-fnr": ("1#0#8######", "1#0#8# #####"),
    "dk-cpr": ("1#0#8#-####",),
    "ch-ahv": ("756.####.####.##",),
    "at-svnr": ("#### 1#0#8#",),
    "ro-cnp": ("18#0#1#12####",),
    "tr-tckn": ("###########",),
    "il-id": ("#########",),
    "in-aadhaar": ("#### #### ####",),
    "in-pan": ("@@@P@####@",),
    "cn-ric": ("11010519#####1####",),
    "kr-rrn": ("8#0#1#-1######",),
    "jp-my-number": ("#### #### ####",),
    "au-tfn": ("### ### ###",),
    "za-id": ("8#0#1#5###08#",),
    "sg-nric": ("S8######@",),
}
IBANS = {
    "DE": "DE" + "#" * 20, "FR": "FR" + "#" * 25, "ES": "ES" + "#" * 22, "IT": "IT##@" + "#" * 22, "NL": "NL##@@@@" + "#" * 10,
    "GB": "GB##@@@@" + "#" * 14, "PL": "PL" + "#" * 26, "PT": "PT" + "#" * 23, "SE": "SE" + "#" * 22, "TR": "TR" + "#" * 24,
}  # fmt: skip
BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"


@dataclass(frozen=True)
class Pool:
    """What people of one country are called and how they write.

    `addresses` and `phones` are shapes ('#' is a digit) with the slots {street}, {city}; `ids` pairs a kind with the
    words before its value; `birth` holds strftime patterns.
    """

    given: str
    family: str
    streets: str
    cities: str
    addresses: tuple[str, ...]
    phones: tuple[str, ...]
    birth: tuple[str, ...]
    ids: tuple[tuple[str, str], ...]
    iban: str = "DE"
    domains: str = "example.org example.com mail.example"


@dataclass
class Document:
    """One generated text and its personal values as (start, end, kind)."""

    text: str
    values: list[tuple[int, int, str]] = field(default_factory=list[tuple[int, int, str]])


class Writer:
    """Fills templates; the same seed gives the same documents."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)
        self._plain: dict[str, Callable[[], str]] = {
            "order": lambda: self.digits(self.rng.choice(("########", "##-#####-####", "4500######", "2026-######"))),
            "sku": lambda: self.digits(self.rng.choice(("@@-####-@", "@@@####", "###-@@@-##", "#####.###.##"))),
            "amount": lambda: self.digits(self.rng.choice(("##.##", "1,###.00", "###,##", "#.###,##", "12 ###"))),
            "n": lambda: str(self.rng.randint(2, 980)),
            "date": lambda: self.day((2024, 2026), ("%Y-%m-%d", "%d.%m.%Y", "%d/%m/%Y", "%B %d, %Y", "%d %b %Y")),
            "time": lambda: f"{self.rng.randint(0, 23):02}:{self.rng.randint(0, 59):02}",
            "hex": lambda: "".join(self.rng.choices("0123456789abcdef", k=12)),
        }

    def fill(self, template: str, pool: Pool) -> Document:
        """Write one document; the name, given name and e-mail address within it belong to one person."""
        given, family = self.rng.choice(pool.given.split(",")).strip(), self.rng.choice(pool.family.split(",")).strip()
        document = Document("")
        for index, part in enumerate(re.split(r"\{([a-z]+)\}", template)):
            if index % 2 == 0:
                document.text += part
                continue
            if part == "id":
                kind, cue = self.rng.choice(pool.ids)
                document.text += cue
                value = self.number(kind)
            else:
                kind, value = part, self.value(part, pool, given, family)
            if part in PERSONAL:
                kind = "name" if part in {"given", "family", "reversed", "capitals"} else kind
                document.values.append((len(document.text), len(document.text) + len(value), kind))
            document.text += value
        return document

    def value(self, slot: str, pool: Pool, given: str, family: str) -> str:
        """One value for a slot."""
        makers: dict[str, Callable[[], str]] = {
            **self._plain,
            "name": lambda: f"{given} {family}",
            "given": lambda: given,
            "family": lambda: family,
            "reversed": lambda: f"{family}, {given}",
            "capitals": f"{given} {family}".upper,
            "email": lambda: self.email(given, family, pool),
            "phone": lambda: self.digits(self.rng.choice(pool.phones)),
            "address": lambda: self.address(pool),
            "iban": lambda: self.account(pool.iban),
            "card": self.card,
            "birth": lambda: self.day((1942, 2006), pool.birth),
            "passport": lambda: self.digits(self.rng.choice(("@########", "#########", "@@#######", "C01X@##@#"))),
            "licence": lambda: self.digits(self.rng.choice(("@#######", "@###-####-####", "@@@##########"))),
            "record": lambda: self.digits(self.rng.choice(("#######", "########", "##-##-##"))),
            "insurance": lambda: self.digits(self.rng.choice(("@#########", "@@@-###-######", "#########@"))),
            "plate": lambda: self.digits(self.rng.choice(("#@@@###", "M-@@ ####", "@@##-@@@", "@@-###-@@"))),
            "ip": lambda: (
                f"{self.rng.choice((81, 93, 146, 188))}.{'.'.join(str(self.rng.randint(1, 254)) for _ in 'abc')}"
            ),
            "wallet": lambda: "0x" + "".join(self.rng.choices("0123456789abcdefABCDEF", k=40)),
        }
        return makers[slot]()

    def digits(self, shape: str) -> str:
        """A shape with its places filled."""
        places = {"#": string.digits, "@": "ABCDEFGHJKLMNPRSTUVWXYZ", "%": "012", "?": BASE58}
        return "".join(self.rng.choice(places.get(character, character)) for character in shape)

    def number(self, kind: str) -> str:
        """A national number with valid check digits, found by trying."""
        check = CHECKS[f"pii.{kind}"]
        for _ in range(TRIES):
            value = self.digits(self.rng.choice(SHAPES[kind]))
            if check("".join(character for character in value if character.isalnum())):
                return value
        raise LookupError(kind)

    def account(self, country: str) -> str:
        """An IBAN, in groups of four as often as not."""
        body = self.digits(IBANS[country])[4:]
        rest = int("".join(str(int(character, 36)) for character in f"{body}{country}00")) % 97
        value = f"{country}{98 - rest:02}{body}"
        return " ".join(value[i : i + 4] for i in range(0, len(value), 4)) if self.rng.random() < 0.6 else value

    def card(self) -> str:
        """A payment card number."""
        while True:
            value = self.digits(self.rng.choice(("4###############", "52##############", "37#############")))
            if CHECKS["pii.card"](value):
                break
        style = self.rng.choice(("", " ", "-")) if len(value) == 16 else ""
        return style.join(value[i : i + 4] for i in range(0, 16, 4))

    def address(self, pool: Pool) -> str:
        """A postal address of the pool's country."""
        shape = self.rng.choice(pool.addresses)
        number = str(self.rng.randint(1, 240))
        shape = self.digits(shape.replace("{n}", number))
        street = self.rng.choice(pool.streets.split(",")).strip()
        return shape.replace("{street}", street).replace("{city}", self.rng.choice(pool.cities.split(",")).strip())

    def email(self, given: str, family: str, pool: Pool) -> str:
        """An e-mail address in ASCII."""
        first, last = ("".join(c for c in name.lower() if c.isascii() and c.isalnum()) for name in (given, family))
        local = self.rng.choice((f"{first}.{last}", f"{first[:1]}{last}", f"{first}{self.rng.randint(60, 99)}"))
        return f"{local}@{self.rng.choice(pool.domains.split())}"

    def day(self, years: tuple[int, int], patterns: tuple[str, ...]) -> str:
        """A date between two years."""
        year, month, day = self.rng.randint(*years), self.rng.randint(1, 12), self.rng.randint(1, 28)
        months = [
            "January",
            "February",
            "March",
            "April",
            "May",
            "June",
            "July",
            "August",
            "September",
            "October",
            "November",
            "December",
        ]
        pattern = self.rng.choice(patterns)
        named = pattern.replace("%B", months[month - 1]).replace("%b", months[month - 1][:3])
        return named.replace("%Y", str(year)).replace("%m", f"{month:02}").replace("%d", f"{day:02}")
