import json
from pathlib import Path

import pytest

from lockgate.report import ReportError, RunReport, rules_of, write_reports


def test_every_format_is_written_for_its_owner_alone(held_report: RunReport, tmp_path: Path) -> None:
    folder = tmp_path / "state" / "report"
    paths = write_reports(held_report, folder)
    assert {key: path.name for key, path in paths.items()} == {
        "html": "report.html",
        "json": "report.json",
        "sarif": "report.sarif",
        "junit": "report.junit.xml",
    }
    assert folder.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in paths.values()} == {0o600}
    assert {path.name for path in folder.iterdir()} == {path.name for path in paths.values()}


def test_the_json_names_the_page_that_was_written(
    held_report: RunReport, open_report: RunReport, tmp_path: Path
) -> None:
    paths = write_reports(held_report, tmp_path / "a")
    assert json.loads(paths["json"].read_bytes())["report"] == str(paths["html"])
    paths = write_reports(open_report, tmp_path / "a")
    assert json.loads(paths["json"].read_bytes())["report"] == ".lockgate/report/report.html"


def test_a_folder_that_others_could_read_is_closed(held_report: RunReport, tmp_path: Path) -> None:
    folder = tmp_path / "report"
    folder.mkdir(mode=0o755)
    write_reports(held_report, folder)
    assert folder.stat().st_mode & 0o777 == 0o700


def test_a_place_that_cannot_be_written_says_what_to_do(held_report: RunReport, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ReportError, match="cannot be written") as caught:
        write_reports(held_report, tmp_path / "file" / "report")
    assert "another folder" in caught.value.remedy


def test_rules_come_from_cards_and_docstrings(held_report: RunReport) -> None:
    class Documented:
        """Finds it.

        Why it matters:
            It does.
        """

        card = held_report.rules[2].card

    class Undocumented:
        card = held_report.rules[0].card

    rules = rules_of([Documented(), Undocumented()])
    assert [rule.card.id for rule in rules] == ["LG-DATA-001", "LG-DATA-006"]
    assert rules[1].manual == "Finds it.\n\nWhy it matters:\n    It does."
