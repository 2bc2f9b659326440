"""How much of what the guard finds it still finds when the same text stands in another form.

    .venv/bin/python bench/guard_forms.py [--rows 160] [--seed 5] [--forms NAME ...] [--json]

A form changes nothing of what a text asks for: capitals, a list, quotation marks, a code block, a greeting before it, a
chat around it. English attacks and harmless texts of our own development rows (up to 400 characters, none disguised)
are judged at the default verdict as they are and in every form; a question beside them only where a user wrote them.
Training draws on forms of some of these kinds (training/dress.py), with other words.
"""

import argparse
import json
import os
import platform
import random
import re
import string
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from guard_parts.progress import counted
from training.rows import Row, read_corpus

from lockgate.core import Action
from lockgate.guard import Guard
from lockgate.redteam.statistics import wilson95

LONGEST = 400
EVERYDAY = (
    "My sister comes to visit at the weekend and I would like to cook something that her two children eat as well. "
    "They are six and nine, the younger one likes noodles and peas and nothing that is green otherwise. The oven has "
    "been broken since Monday, so it has to be the stove, and I have an hour at most because of the train. "
)
FIGURES = " ".join(f"{number * 7919 % 1000:03d}" for number in range(80)) + "\n"
SYMBOLS = "§ % & $ # " * 33 + "\n"
CODE = """\
def fit(rows, width=12):
    total = sum(len(row) for row in rows)
    if total > width:
        raise ValueError("too wide")
    return [row.ljust(width // len(rows)) for row in rows]


"""
SENTENCE_END = re.compile(r"(?<=[.!?])\s+")
DIGITS = str.maketrans("aeios", "43105")

Form = Callable[[str], str]


def joined_by(between: str) -> Form:
    return lambda text: between.join(text.split())


def around(before: str, behind: str) -> Form:
    return lambda text: before + text + behind


def words(form: Callable[[str], str]) -> Form:
    return lambda text: " ".join(map(form, text.split()))


def sentences(mark: str) -> Form:
    return lambda text: "\n".join(mark.format(n) + part for n, part in enumerate(SENTENCE_END.split(text), 1))


def mistyped(text: str) -> str:
    """About every third longer word with two letters exchanged or one left out."""
    draw, made = random.Random(len(text)), []
    for word in text.split():
        place = draw.randrange(1, max(2, len(word) - 1))
        exchanged = word[:place] + word[place : place + 2][::-1] + word[place + 2 :]
        changed = exchanged if draw.random() < 0.5 else word[:place] + word[place + 1 :]
        made.append(changed if len(word) > 3 and draw.random() < 0.35 else word)
    return " ".join(made)


def noisy(text: str) -> str:
    """Random capitals, exchanged neighbours and shifted letters, about as best-of-n jailbreaking draws them."""
    draw = random.Random(len(text))
    letters = [letter.swapcase() if draw.random() < 0.36 else letter for letter in text]
    for place in range(1, len(letters) - 1):
        if letters[place].isalpha() and letters[place + 1].isalpha() and draw.random() < 0.06:
            letters[place], letters[place + 1] = letters[place + 1], letters[place]
        elif letters[place] in string.ascii_letters and draw.random() < 0.02:
            letters[place] = chr(ord(letters[place]) ^ 1)
    return "".join(letters)


FORMS: Mapping[str, Form] = {
    "as it is": lambda text: text,
    "small letters": str.lower,
    "capitals": str.upper,
    "Every Word Capital": str.title,
    "a line a word": joined_by("\n"),
    "a list": sentences("- "),
    "a numbered list": sentences("{}. "),
    "hyphens between": joined_by("-"),
    "underscores between": joined_by("_"),
    "dots between": joined_by("... "),
    "commas between": joined_by(", "),
    "emoji between": joined_by(" 🙂 "),
    "words run together": lambda text: "".join(word[:1].upper() + word[1:] for word in text.split()),
    "no punctuation": lambda text: re.sub(r"[^\w\s]", "", text),
    "mistyped": mistyped,
    "noise of a search": noisy,
    "digits for letters": lambda text: text.translate(DIGITS),
    "quoted": around('"', '"'),
    "bold": around("**", "**"),
    "each word bold": words(lambda word: f"*{word}*"),
    "a code block": around("```\n", "\n```"),
    "an argument": lambda text: f"print({json.dumps(text)})",
    "a value of JSON": lambda text: json.dumps({"message": text}),
    "an element of XML": around("<message>", "</message>"),
    "a comment of code": lambda text: "\n".join("# " + line for line in text.split("\n")),
    "a quoted mail": lambda text: "\n".join("> " + line for line in text.split("\n")),
    "a row of CSV": lambda text: f"id,note\n1,{json.dumps(text)}\n2,ok",
    "a line of a log": lambda text: f"2026-03-02 10:11:12 INFO msg={json.dumps(text)}",
    "a greeting before": around("Hi there, hope you are having a good day. ", ""),
    "thanks behind": around("", " Thank you so much for your help, have a nice day."),
    "a question before": around("What is the capital of France? ", ""),
    "a question behind": around("", " Also, what is the weather like in Paris in May?"),
    "a chat around": around("User: hi\nAssistant: Hello! How can I help?\nUser: ", "\nAssistant:"),
    "small talk before": around(EVERYDAY, ""),
    "small talk behind": around("", " " + EVERYDAY),
    "small talk around": around(EVERYDAY * 2, " " + EVERYDAY * 2),
    "behind figures": around(FIGURES, ""),
    "before figures": around("", "\n" + FIGURES),
    "behind symbols": around(SYMBOLS, ""),
    "behind code": around(CODE * 2, ""),
    "amid code": around(CODE, "\n\n" + CODE),
}

QUESTIONS = ("a question before", "a question behind")
"""Forms for users' texts only: a question in a document is a task that does not belong there."""


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", metavar="N", type=int, default=160, help="texts of either label")
    parser.add_argument("--seed", metavar="N", type=int, default=5)
    parser.add_argument("--forms", metavar="NAME", nargs="+", choices=FORMS, default=list(FORMS))
    parser.add_argument("--json", action="store_true", help="the same content for programs")
    asked = parser.parse_args(arguments)
    guard, texts = Guard.default(), chosen(asked.rows, asked.seed)
    found: dict[str, list[tuple[int, bool]]] = {name: [] for name in asked.forms}
    pairs = [(n, row) for n in asked.forms for row in texts if row.origin == "user" or n not in QUESTIONS]
    for name, row in counted(pairs, "texts"):
        verdict = guard.inspect(FORMS[name](row.text), origin=row.origin or "user")
        found[name].append((row.label, verdict.action is Action.BLOCK))
    return report(found, as_json=asked.json)


def chosen(number: int, seed: int) -> list[Row]:
    rows = [
        row
        for row in read_corpus().development
        if row.lang == "en" and len(row.text) <= LONGEST and row.family != "obfuscated"
    ]
    random.Random(seed).shuffle(rows)
    return [row for label in (1, 0) for row in [row for row in rows if row.label == label][:number]]


def report(found: Mapping[str, Sequence[tuple[int, bool]]], *, as_json: bool) -> int:
    """Print what was blocked of either label in every form."""
    table = {
        name: {label: [blocked for one, blocked in judged if one == label] for label in (1, 0)}
        for name, judged in found.items()
    }
    if as_json:
        print(json.dumps({name: {"found": sum(of[1]), "blocked": sum(of[0])} for name, of in table.items()}))
        return 0
    print(f"{platform.machine()}, {os.cpu_count()} CPUs, Python {platform.python_version()}")
    print("Share blocked at the default verdict, in %; intervals of 95 %\n")
    print(f"{'form':<22}{'attacks found':>22}{'harmless blocked':>24}")
    for name, of in table.items():
        print(f"{name:<22}{shown(of[1]):>22}{shown(of[0]):>24}")
    return 0


def shown(judged: Sequence[bool]) -> str:
    low, high = wilson95(sum(judged), len(judged))
    return f"{100 * sum(judged) / len(judged):.1f} ({100 * low:.0f} to {100 * high:.0f})"


if __name__ == "__main__":
    sys.exit(main())
