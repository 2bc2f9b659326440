"""Turns CVSS vectors into the level that their score has (FIRST: CVSS v3.1 and v4.0 specifications)."""

import math

LEVELS = ("", "low", "medium", "high", "critical")
_MAX_LENGTH = 500
_V3 = {
    "AV": {"N": 0.85, "A": 0.62, "L": 0.55, "P": 0.2},
    "AC": {"L": 0.77, "H": 0.44},
    "UI": {"N": 0.85, "R": 0.62},
    "C": {"H": 0.56, "L": 0.22, "N": 0.0},
    "I": {"H": 0.56, "L": 0.22, "N": 0.0},
    "A": {"H": 0.56, "L": 0.22, "N": 0.0},
}
_V3_PRIVILEGES = {"U": {"N": 0.85, "L": 0.62, "H": 0.27}, "C": {"N": 0.85, "L": 0.68, "H": 0.5}}
# Rating of the highest score in each equivalence class of CVSS v4.0: by the levels of the first three groups, then in
# the order of the last three (the sixth group has one level where the third has its lowest).
_V4 = {
    "000": "ccccccccchchcchhhm",
    "001": "ccccchcchhhmhhhhmm",
    "002": "chhhmmmml",
    "010": "ccccchccchhhchhhhm",
    "011": "ccchhhchhhhmhhhmml",
    "012": "hhmhmlmll",
    "100": "ccchchchhhhmhhhmmm",
    "101": "chhhhmhhhmmmhmmmml",
    "102": "hhmmmlmll",
    "110": "cchhhhchhmmmhmmmml",
    "111": "hhhmmmhmmmmlmmmlll",
    "112": "hmlmlllll",
    "200": "chhhhmhhhmmlhmmmml",
    "201": "hhhmmmhmmmmlmlllll",
    "202": "mmlmlllll",
    "210": "hhhmmmhmmmmlmmmlll",
    "211": "hmmmmlmmmlllmlllll",
    "212": "mllllllll",
}
_LOWEST_THIRD = 2
_WORDS = {"c": "critical", "h": "high", "m": "medium", "l": "low"}
_V4_BASE = ("AV", "AC", "AT", "PR", "UI", "VC", "VI", "VA", "SC", "SI", "SA")


def level_of(vector: str) -> str:
    """The level of a vector; empty for no impact, and for what is no vector of version 3 or 4.

    The base metrics count, and the exploit maturity of version 4. A level of version 4 is that of the highest score in
    the vector's equivalence class, so it may be one too high and is never too low.
    """
    head, *parts = vector[:_MAX_LENGTH].split("/")
    metrics = dict(part.split(":", 1) for part in parts if ":" in part)
    try:
        if head in {"CVSS:3.0", "CVSS:3.1"}:
            return _rating(_score3(metrics))
        return _level4(metrics) if head == "CVSS:4.0" else ""
    except KeyError:
        return ""


def worst(levels: list[str]) -> str:
    """The highest of some levels; empty if there is none."""
    return max((level for level in levels if level in LEVELS), key=LEVELS.index, default="")


def _score3(found: dict[str, str]) -> float:
    scope = found["S"]
    impact = 1 - math.prod(1 - _V3[name][found[name]] for name in ("C", "I", "A"))
    wider = 7.52 * (impact - 0.029) - 3.25 * (impact - 0.02) ** 15
    total = wider if scope == "C" else 6.42 * impact
    ease = 8.22 * math.prod(_V3[name][found[name]] for name in ("AV", "AC", "UI")) * _V3_PRIVILEGES[scope][found["PR"]]
    if total <= 0:
        return 0.0
    return math.ceil(round(min((total + ease) * (1.08 if scope == "C" else 1), 10) * 10, 4)) / 10


def _rating(score: float) -> str:
    steps = ((9.0, "critical"), (7.0, "high"), (4.0, "medium"), (0.1, "low"))
    return next((level for least, level in steps if score >= least), "")


def _level4(found: dict[str, str]) -> str:
    base = {name: found[name] for name in _V4_BASE}
    if all(base[name] == "N" for name in ("VC", "VI", "VA", "SC", "SI", "SA")):
        return ""
    fourth = 0 if "S" in {base["SI"], base["SA"]} else 1 if "H" in {base["SC"], base["SI"], base["SA"]} else 2
    fifth = {"X": 0, "A": 0, "P": 1, "U": 2}[found.get("E", "X")]
    # Without environmental metrics every requirement counts as high.
    sixth = 0 if "H" in {base["VC"], base["VI"], base["VA"]} else 1
    first, second, third = _first(base), int(base["AC"] != "L" or base["AT"] != "N"), _third(base)
    row = _V4[f"{first}{second}{third}"]
    place = fourth * 3 + fifth if third == _LOWEST_THIRD else (fourth * 3 + fifth) * 2 + sixth
    return _WORDS[row[place]]


def _first(base: dict[str, str]) -> int:
    easy = (base["AV"] == "N", base["PR"] == "N", base["UI"] == "N")
    if all(easy):
        return 0
    return 1 if any(easy) and base["AV"] != "P" else 2


def _third(base: dict[str, str]) -> int:
    if base["VC"] == base["VI"] == "H":
        return 0
    return 1 if "H" in {base["VC"], base["VI"], base["VA"]} else 2
