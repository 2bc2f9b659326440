"""Writes every format into one private folder."""

from pathlib import Path
from typing import Final

import msgspec

from lockgate.core.home import private_folder, write_private
from lockgate.report.errors import ReportError
from lockgate.report.html import to_html
from lockgate.report.json_report import to_json
from lockgate.report.junit import to_junit
from lockgate.report.model import RunReport
from lockgate.report.sarif import to_sarif

HTML: Final = "report.html"
JSON: Final = "report.json"
SARIF: Final = "report.sarif"
JUNIT: Final = "report.junit.xml"


def write_reports(report: RunReport, folder: Path) -> dict[str, Path]:
    """Write `report.html`, `report.json`, `report.sarif` and `report.junit.xml`.

    Every file is written whole or not at all and is readable by its owner alone (0600, folder 0700).

    Args:
        report: The run. Where it does not say where its page lies, the page written here is named.
        folder: Created when missing.

    Returns:
        Path of each file by format: `html`, `json`, `sarif`, `junit`.

    Raises:
        ReportError: The folder cannot be written.
    """
    if not report.report_place:
        report = msgspec.structs.replace(report, report_place=str(folder / HTML))
    bodies = {
        HTML: to_html(report).encode("utf-8"),
        JSON: to_json(report),
        SARIF: to_sarif(report),
        JUNIT: to_junit(report),
    }
    try:
        private_folder(folder).chmod(0o700)
        for file_name, body in bodies.items():
            write_private(folder / file_name, body)
    except OSError as error:
        why = (error.strerror or type(error).__name__).lower()
        raise ReportError(
            f"The report cannot be written to {folder}: {why}.", remedy="Free space there or name another folder."
        ) from error
    return {"html": folder / HTML, "json": folder / JSON, "sarif": folder / SARIF, "junit": folder / JUNIT}
