"""LG-SUPPLY-105."""

from collections.abc import Iterator
from typing import ClassVar

from lockgate.core import Card, Check, Confidence, Finding, Location, Severity
from lockgate.supply.code.subject import CodeFile, Origin

_METHODS = frozenset({"execute", "executemany", "executescript", "execute_sql", "run_sql", "raw"})
_FUNCTIONS = frozenset(
    {"sqlalchemy.text", "sqlalchemy.sql.text", "pandas.read_sql", "pandas.read_sql_query", "duckdb.sql"}
)


class QueriedAnswer(Check[CodeFile], frozen=True):
    """Finds a model's answer in the text of a database query.

    Why it matters:
        An answer in the text of a query can read, change or delete whatever the connection may. Whoever writes what
        the model reads writes the query.

    Fails on:
        An answer is the query:

            import openai, sqlite3
            sql = openai.OpenAI().responses.create(model="m", input="Write SQL.").output_text
            sqlite3.connect("x.db").execute(sql)

    Passes on:
        An answer is a parameter:

            import openai, sqlite3
            name = openai.OpenAI().responses.create(model="m", input="Which name?").output_text
            sqlite3.connect("x.db").execute("SELECT * FROM t WHERE name = ?", (name,))

    Limits:
        Looks at the text of the query, not at its parameters, and only inside one file. A read-only connection is not
        recognised.
    """

    card: ClassVar[Card] = Card(
        id="LG-SUPPLY-105",
        title="Model output that becomes part of a query",
        severity=Severity.HIGH,
        confidence=Confidence.MEDIUM,
        maps=(
            "LLM05:2025",
            "ASI02:2026",
            "AML.T0050",
        ),
    )

    def inspect(self, subject: CodeFile) -> Iterator[Finding]:
        """Report every way from an answer to the text of a query."""
        for call in subject.calls:
            argument = call.argument("0", "sql", "query", "statement", "operation")
            if (call.last in _METHODS or call.name in _FUNCTIONS) and argument and Origin.MODEL in argument.origins:
                yield self.finding(
                    f"{call.name} takes a query that a model wrote. Pass answers as parameters of a fixed query, "
                    "or allow single "
                    "read-only statements on listed tables.",
                    at=Location(subject.ref.uri, call.place, call.line),
                )
