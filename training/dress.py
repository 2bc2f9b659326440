"""Puts a text into the forms that people and programs give it, which change nothing of what it asks for.

Lists, quotation marks, code fences, values of JSON, comments, log lines, a greeting before it or thanks behind it: a
model that has seen attacks mostly bare takes such a dress for a sign of harmlessness, or of the opposite.
"""

import json
import random
import re
from collections.abc import Callable
from typing import TypeAlias

_Dress: TypeAlias = Callable[[str, random.Random], str]

LONGEST = 400
"""Characters of a text that is dressed; a longer one would lose its end in a window."""

_SENTENCE_END = re.compile(r"(?<=[.!?])\s+")
_LETTERS = re.compile(r"\w+")
_AROUND = (
    *(('"', '"'), ("'", "'"), ("“", "”"), ("«", "»"), ("(", ")"), ("[", "]"), ("<<", ">>"), ("{{", "}}")),
    *(("**", "**"), ("*", "*"), ("__", "__"), ("~~", "~~"), ("`", "`")),
    *(("<p>", "</p>"), ("<b>", "</b>"), ("<li>", "</li>"), ("<div>", "</div>"), ("<message>", "</message>")),
    *(("<input>", "</input>"), ("<data>\n", "\n</data>"), ("<td>", "</td>"), ('<span class="t">', "</span>")),
    *(("/* ", " */"), ("<!-- ", " -->"), ('"""', '"""'), ("---\n", "\n---"), ("=== ", " ==="), ("\n\n\n", "\n\n")),
)
_LANGUAGES = ("", "", "", "text", "txt", "python", "bash", "sh", "json", "yaml", "markdown", "html", "sql", "js")
_INTRODUCTIONS = ("", "", "", "Input:\n", "This is the text:\n", "Here:\n\n", "log:\n", "Ausgabe:\n", "Texto:\n")
_LINES = ("- ", "* ", "• ", "> ", "# ", "// ", "| ", "  ", "-- ", ">> ", "; ", "%% ")
_NUMBERS = ("{}. ", "{}) ", "({}) ", "Step {}: ", "{}: ")
# fmt: off
_KEYS = (
    "message", "text", "content", "note", "q", "input", "description", "body", "comment", "value", "prompt", "title",
)
# fmt: on
_PROGRAMS = (
    "print({})",
    "x = {}",
    "console.log({});",
    "echo {}",
    "INSERT INTO notes VALUES (7, {});",
    "return {}",
    "- name: {}",
    "msg={} status=200",
    "2026-03-02 10:11:12 INFO {}",
    "id,note\n1,{}\n2,ok",
    "| 12 | {} | open |",
    "assert f() == {}",
    "git commit -m {}",
    "text: {}",
)
# fmt: off
_BEFORE = (
    "Hi there, hope you are having a good day.", "Hello!", "Hey,", "Good morning.", "Dear team,", "Quick one:", "So,",
    "Sorry to bother you again.", "ok", "Thanks for that.", "Just wondering:", "New question.", "FYI:", "User:", "Q:",
    "Customer:", "Subject: question\n\n", "Re: your message\n", "Hallo,", "Guten Tag,", "Hola,", "Bonjour,",
    "Buongiorno,", "Olá,", "Привет!", "你好。", "こんにちは。", "Cześć,", "Merhaba,", "Hej!", "Ahoj,", "नमस्ते,",
)
_BEHIND = (
    "Thank you so much for your help, have a nice day.", "Thanks!", "thx", "Best regards, Kim", "Please and thank you.",
    "Cheers", "Let me know.", "Is that ok?", "Sent from my phone", "🙏", "🙂🙂", "!!!", "???", "...", "Danke!",
    "Gracias.", "Merci d'avance.", "Grazie mille", "Obrigado!", "Спасибо!", "谢谢", "ありがとう。", "Dzięki!",
    "Teşekkürler", "धन्यवाद",
)
# fmt: on
_BETWEEN = (", ", "... ", " / ", " | ", " 🙂 ", "\n", ". ", " * ", "; ", "_", "-", ".", "  ", "\t")
_WORD_MARKS = ("*", "**", "_", "'", '"', "`", "~")


def dressed(text: str, draw: random.Random) -> str:
    """`text` in one of twelve kinds of dress."""
    which = draw.random()
    return next(dress for bound, dress in _DRESSES if which < bound)(text, draw)


def _around(text: str, draw: random.Random) -> str:
    before, behind = draw.choice(_AROUND)
    return before + text + behind


def _fenced(text: str, draw: random.Random) -> str:
    """A block of code, with or without a language and a word of introduction."""
    fence = draw.choice(("```", "```", "```", "~~~"))
    return f"{draw.choice(_INTRODUCTIONS)}{fence}{draw.choice(_LANGUAGES)}\n{text}\n{fence}"


def _lines(text: str, draw: random.Random) -> str:
    """Every sentence, or every line, begins like an item of a list, a quotation or a comment."""
    parts = _SENTENCE_END.split(text) if draw.random() < 0.6 else text.split("\n")
    mark = draw.choice(_LINES)
    return "\n".join(mark + part for part in parts)


def _numbered(text: str, draw: random.Random) -> str:
    form = draw.choice(_NUMBERS)
    return "\n".join(form.format(number) + part for number, part in enumerate(_SENTENCE_END.split(text), 1))


def _object(text: str, draw: random.Random) -> str:
    """A value of JSON, alone or among others."""
    value: dict[str, object] = {draw.choice(_KEYS): text}
    if draw.random() < 0.5:
        value = {"id": draw.randrange(1, 9999), **value}
    if draw.random() < 0.3:
        value["lang"] = draw.choice(("en", "de", "fr"))
    return json.dumps(value, ensure_ascii=draw.random() < 0.2, indent=draw.choice((None, None, 2)))


def _program(text: str, draw: random.Random) -> str:
    """A string in a line of code, a log, a table or a configuration."""
    shown = json.dumps(text, ensure_ascii=False) if draw.random() < 0.7 else text
    return draw.choice(_PROGRAMS).format(shown)


def _opened(text: str, draw: random.Random) -> str:
    return draw.choice(_BEFORE) + draw.choice((" ", " ", "\n", "\n\n")) + text


def _closed(text: str, draw: random.Random) -> str:
    return text + draw.choice((" ", " ", "\n", "\n\n")) + draw.choice(_BEHIND)


def _opened_and_closed(text: str, draw: random.Random) -> str:
    return _closed(_opened(text, draw), draw)


def _between(text: str, draw: random.Random) -> str:
    return draw.choice(_BETWEEN).join(text.split())


def _marked_words(text: str, draw: random.Random) -> str:
    mark, share = draw.choice(_WORD_MARKS), draw.choice((0.3, 1.0))
    return _LETTERS.sub(lambda word: f"{mark}{word[0]}{mark}" if draw.random() < share else word[0], text)


def _run_together(text: str, draw: random.Random) -> str:
    words = text.split()
    return "".join(word[:1].upper() + word[1:] for word in words) if draw.random() < 0.5 else "".join(words)


_DRESSES: tuple[tuple[float, _Dress], ...] = (
    (0.15, _around),
    (0.27, _fenced),
    (0.41, _lines),
    (0.49, _numbered),
    (0.57, _object),
    (0.65, _program),
    (0.73, _opened),
    (0.81, _closed),
    (0.85, _opened_and_closed),
    (0.91, _between),
    (0.95, _marked_words),
    (1.00, _run_together),
)
