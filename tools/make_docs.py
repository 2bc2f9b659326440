"""Writes what is generated under docs/: check pages, the coverage matrix and the JSON schemas.

Run `make docs`; `--check` only compares and exits 1 when something is out of date.
"""

import json
import sys
from pathlib import Path

import click

from lockgate import report
from lockgate.cli.entry import lockgate
from lockgate.core import config
from lockgate.pipeline import manual

DOCS = Path(__file__).resolve().parent.parent / "docs"


def main() -> int:
    stale = [path for path, text in generated().items() if not path.exists() or path.read_text("utf-8") != text]
    unknown = [path for path in (DOCS / "checks").glob("*.md") if path not in generated()]
    if "--check" in sys.argv:
        for path in (*stale, *unknown):
            print(f"{path.relative_to(DOCS.parent)} is out of date: run 'make docs' and commit.")
        return 1 if stale or unknown else 0
    for path in unknown:
        path.unlink()
    for path, text in generated().items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    print(f"Wrote {len(generated())} files under docs/.")
    return 0


def generated() -> dict[Path, str]:
    pages = manual.pages()
    files = {DOCS / "checks" / f"{page.id}.md": manual.as_markdown(page) for page in pages}
    files[DOCS / "checks" / "index.md"] = index(pages)
    files[DOCS / "coverage.md"] = coverage(pages)
    files[DOCS / "cli.md"] = command_line()
    files[DOCS / "lockgate.schema.json"] = json.dumps(config.schema(), indent=2, sort_keys=True) + "\n"
    files[DOCS / "report.schema.json"] = json.dumps(report.schema(), indent=2, sort_keys=True) + "\n"
    return files


def command_line() -> str:
    """What every command says about itself, at 80 columns."""
    lines = [
        "# Command line",
        "",
        "Exit codes of every command: **0** open or done, **1** held, blocked, failed, missing or not verified,",
        "**2** usage or internal error. Errors name the file and the remedy, on standard error; with `--json` as JSON",
        "on standard output too.",
        "`NO_COLOR` is respected. Nothing ever waits for an answer.",
    ]
    for path, command in walk("lockgate", lockgate):
        context = click.Context(
            command, info_name=path, max_content_width=80, terminal_width=80, help_option_names=["-h", "--help"]
        )
        lines += ["", f"## {path}", "", "```text", command.get_help(context).rstrip(), "```"]
    return "\n".join(lines) + "\n"


def walk(path: str, command: click.Command) -> list[tuple[str, click.Command]]:
    found = [(path, command)]
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            inner = command.get_command(context, name)
            found += walk(f"{path} {name}", inner) if inner else []
    return found


def index(pages: tuple[manual.Page, ...]) -> str:
    rows = [f"| [{page.id}]({page.id}.md) | {dict(page.facts)['Severity']} | {page.title} |" for page in pages]
    return "\n".join(["# Checks", "", "| id | severity | finds |", "|---|---|---|", *rows]) + "\n"


def coverage(pages: tuple[manual.Page, ...]) -> str:
    by_risk: dict[str, list[str]] = {}
    for page in pages:
        for risk in dict(page.facts)["Maps to"].split(", "):
            if risk != "-":
                by_risk.setdefault(risk, []).append(f"[{page.id}](checks/{page.id}.md)")
    rows = [f"| {risk} | {', '.join(ids)} |" for risk, ids in sorted(by_risk.items())]
    head = [
        "# Coverage by risk",
        "",
        "OWASP Top 10 for LLM applications (`LLM..:2025`), OWASP Top 10 for agentic applications (`ASI..:2026`) and",
        "MITRE ATLAS (`AML...`): which check speaks to which risk. A row is no promise of completeness.",
        "",
        "| risk | checks |",
        "|---|---|",
    ]
    return "\n".join([*head, *rows]) + "\n"


if __name__ == "__main__":
    sys.exit(main())
