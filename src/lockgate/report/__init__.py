"""Says what a run found: on the terminal, as a page, and for programs (JSON, SARIF, JUnit)."""

from lockgate.report.errors import ReportError
from lockgate.report.html import to_html
from lockgate.report.json_report import schema, to_json
from lockgate.report.junit import to_junit
from lockgate.report.live import LiveBoard
from lockgate.report.model import (
    BenignTally,
    Comparison,
    EvidenceRow,
    MonitorView,
    Paired,
    Percentiles,
    RedteamView,
    Rule,
    RunReport,
    StageReport,
    Tally,
    rules_of,
)
from lockgate.report.sarif import to_sarif
from lockgate.report.shown import counted, name, shown
from lockgate.report.text import print_summary
from lockgate.report.write import write_reports

__all__ = [
    "BenignTally",
    "Comparison",
    "EvidenceRow",
    "LiveBoard",
    "MonitorView",
    "Paired",
    "Percentiles",
    "RedteamView",
    "ReportError",
    "Rule",
    "RunReport",
    "StageReport",
    "Tally",
    "counted",
    "name",
    "print_summary",
    "rules_of",
    "schema",
    "shown",
    "to_html",
    "to_json",
    "to_junit",
    "to_sarif",
    "write_reports",
]
