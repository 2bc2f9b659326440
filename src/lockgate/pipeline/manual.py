"""A check's manual page, made from its docstring, its card and its fields."""

import inspect
import textwrap

import msgspec

from lockgate.core.errors import ConfigError
from lockgate.pipeline.catalogs import AnyCheck, all_checks

HEADINGS = ("Why it matters", "Fails on", "Passes on", "Limits")


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """A manual page.

    Attributes:
        id: The check's id.
        title: What it finds.
        facts: Severity, confidence and the rest of the card, as pairs of name and value.
        summary: One sentence.
        sections: Heading and text, in the fixed order.
        fields: Configuration: name, type and default.
    """

    id: str
    title: str
    facts: tuple[tuple[str, str], ...]
    summary: str
    sections: tuple[tuple[str, str], ...]
    fields: tuple[tuple[str, str, str], ...]


def page(check_id: str) -> Page:
    """The page of one check.

    Raises:
        ConfigError: There is no such check.
    """
    checks = all_checks()
    check = checks.get(check_id.upper())
    if check is None:
        raise ConfigError(f"There is no check {check_id!r}.", remedy="'lockgate explain' lists all of them.")
    return _page(check)


def pages() -> tuple[Page, ...]:
    """The pages of all checks, sorted by id."""
    return tuple(_page(check) for check in all_checks().values())


def _page(check: AnyCheck) -> Page:
    card = check.card
    text = inspect.cleandoc(check.__doc__ or "")
    summary, _, rest = text.partition("\n\n")
    return Page(
        id=card.id,
        title=card.title,
        facts=(
            ("Severity", card.severity),
            ("Confidence", card.confidence),
            ("Cost", card.cost),
            ("Maps to", ", ".join(card.maps) or "-"),
            ("Since", card.since),
            ("Status", card.maturity),
        ),
        summary=summary.replace("\n", " "),
        sections=tuple(_sections(rest)),
        fields=tuple(_field(field) for field in msgspec.structs.fields(check)),
    )


def _sections(text: str) -> list[tuple[str, str]]:
    found: list[tuple[str, list[str]]] = []
    for line in text.splitlines():
        if line.endswith(":") and line[:-1] in HEADINGS:
            found.append((line[:-1], []))
        elif found:
            found[-1][1].append(line)
    return [(heading, inspect.cleandoc("\n" + "\n".join(lines)).strip()) for heading, lines in found]


def _field(field: msgspec.structs.FieldInfo) -> tuple[str, str, str]:
    kind = getattr(field.type, "__name__", None) or str(field.type)
    default = "required" if field.default is msgspec.NODEFAULT else repr(field.default)
    return field.name, kind, default


def as_text(shown: Page) -> str:
    """The page for a terminal."""
    lines = [f"{shown.id}  {shown.title}", "", *_wrap(shown.summary), ""]
    lines += [f"  {name:<11} {value}" for name, value in shown.facts]
    for heading, text in shown.sections:
        lines += ["", heading, *(f"  {line}".rstrip() for line in text.splitlines())]
    if shown.fields:
        lines += ["", "Settings", *(f"  {name}: {kind} = {default}" for name, kind, default in shown.fields)]
    return "\n".join(lines)


def as_markdown(shown: Page) -> str:
    """The page for the documentation site."""
    lines = [f"# {shown.id}: {shown.title}", "", shown.summary, "", "| | |", "|---|---|"]
    lines += [f"| {name} | {value} |" for name, value in shown.facts]
    for heading, text in shown.sections:
        lines += ["", f"## {heading}", "", text]
    if shown.fields:
        lines += ["", "## Settings", "", "| field | type | default |", "|---|---|---|"]
        lines += [f"| `{name}` | `{kind}` | `{default}` |" for name, kind, default in shown.fields]
    return "\n".join(lines) + "\n"


def _wrap(text: str) -> list[str]:
    return textwrap.wrap(text, 96)
