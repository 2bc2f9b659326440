import io

import msgspec
import pytest
from rich.console import Console

from lockgate.core import (
    Cause,
    Confidence,
    Decision,
    Finding,
    GateDecision,
    Hold,
    Location,
    Severity,
    Stage,
)
from lockgate.report import LiveBoard, RunReport, StageReport, Tally, print_summary, to_html


def printed(report: RunReport, *, width: int = 80, terminal: bool = False) -> str:
    stream = io.StringIO()
    colours = "standard" if terminal else None
    print_summary(Console(file=stream, width=width, force_terminal=terminal, color_system=colours), report)
    return stream.getvalue()


def flat(text: str) -> str:
    return " ".join(text.split())


def test_a_held_gate_names_file_place_and_reason(held_report: RunReport) -> None:
    text = flat(printed(held_report))
    assert "data HELD 3 reasons, 6 outcomes, 1 waived" in text
    assert "critical data/faq.jsonl The file changed since the manifest was written." in text
    assert "high knowledge/returns.md:41 (/heading/Refunds#hidden.tag)" in text
    assert "missing The ledger holds no trusted evidence" in text
    assert "train OPEN" in text
    assert "Declared absent: the model is used as it comes." in text
    assert text.endswith("HELD 3 of 5 gates are held, data first. 1 min 17 s")


def test_the_attack_run_is_summed_up_with_intervals(held_report: RunReport) -> None:
    text = flat(printed(held_report))
    assert "without guard 43 % 26 of 60, 95 % interval 32 to 56 %" in text
    assert "with guard 1.7 % 1 of 60, 95 % interval 0.3 to 8.9 %" in text
    assert "harmless prompts blocked: 1 of 60 (0.3 to 8.9 %)" in text
    assert "NOT EXERCISED encoding-obfuscation" in text


def test_partial_figures_are_called_partial(held_report: RunReport) -> None:
    assert held_report.redteam is not None
    view = msgspec.structs.replace(
        held_report.redteam, complete=False, bare=Tally(attempts=5, successes=1, errors=2, skipped=1)
    )
    text = flat(printed(msgspec.structs.replace(held_report, redteam=view)))
    assert "these figures are partial" in text
    assert "3 not judged" in text


def test_everything_fits_80_columns_except_what_one_copies(open_report: RunReport, held_report: RunReport) -> None:
    lines = (printed(open_report) + printed(held_report)).splitlines()
    assert [line for line in lines if len(line) > 80] == [f"  try it     {open_report.talk}"]


def test_places_and_the_endpoint_are_printed(open_report: RunReport) -> None:
    text = flat(printed(open_report))
    assert "evidence 5 signed entries in .lockgate/ledger.db" in text
    assert "report .lockgate/report/report.html" in text
    assert "endpoint http://127.0.0.1:8080/v1" in text
    assert text.endswith("OPEN All 6 gates are open. 1 min 17 s")


def test_a_held_application_offers_no_endpoint(held_report: RunReport, open_report: RunReport) -> None:
    held = msgspec.structs.replace(held_report, endpoint=open_report.endpoint, talk=open_report.talk)
    assert open_report.endpoint in printed(open_report)
    assert open_report.endpoint in to_html(open_report)
    assert open_report.endpoint not in printed(held)
    assert open_report.endpoint not in to_html(held)


def test_long_lists_end_with_a_count() -> None:
    holds = tuple(Hold(Cause.SKIPPED, f"reason {number}") for number in range(12))
    stage = StageReport(GateDecision(Stage.DATA, Decision.HELD, holds=holds))
    text = printed(RunReport(project="p", run="r", lockgate="0", started="", finished="", stages=(stage,)))
    assert "reason 4" in text
    assert "reason 5" not in text
    assert "and 7 more in the report" in text


@pytest.mark.parametrize(
    "hostile", ["\x1b[2J\x1b[31mOPEN", "[bold green]OPEN[/]", "a\nOPEN  All gates", ":boom:\u202e"]
)
def test_names_and_messages_cannot_drive_the_terminal(hostile: str) -> None:
    finding = Finding(hostile, Severity.HIGH, Confidence.HIGH, hostile, Location(hostile, hostile), hostile)
    holds = (Hold(Cause.FINDING, hostile, hostile, finding), Hold(Cause.ERRORED, hostile))
    stage = StageReport(GateDecision(Stage.DATA, Decision.HELD, holds=holds, notes=(hostile,)))
    report = RunReport(
        project=hostile,
        run=hostile,
        lockgate="0",
        started="",
        finished="",
        stages=(stage,),
        trust_note=hostile,
        evidence_place=hostile,
        talk=hostile,
    )
    text = printed(report)
    assert not set(text) & {"\x1b", "\u202e"}
    assert not [line for line in text.splitlines() if line.startswith("OPEN")]
    if hostile.startswith("[bold"):
        assert hostile in text


def test_colour_is_left_out_where_it_is_not_wanted(held_report: RunReport, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "\x1b[" in printed(held_report, terminal=True)
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b[3" not in printed(held_report, terminal=True)


def board(*, terminal: bool) -> tuple[LiveBoard, io.StringIO]:
    stream = io.StringIO()
    return LiveBoard(Console(file=stream, width=80, force_terminal=terminal)), stream


def test_a_log_gets_one_line_for_each_event(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lockgate.report.live.QUIET_S", 0.0)
    live, stream = board(terminal=False)
    with live:
        live.stage_started(Stage.REDTEAM)
        for done in range(61):
            live.progress(Stage.REDTEAM, done, 60, f"attack \x1b[2J{done}")
        live.gate_decided(GateDecision(Stage.REDTEAM, Decision.HELD, holds=(Hold(Cause.SKIPPED, "no"),)))
        live.gate_decided(GateDecision(Stage.MONITOR, Decision.OPEN, notes=("Declared absent: none.",)))
    lines = stream.getvalue().splitlines()
    assert lines[0] == "redteam  started"
    assert lines[1] == "redteam  0/60 attack <U+001B>[2J0"
    assert lines[-3] == "redteam  60/60 attack <U+001B>[2J60"
    assert lines[-2:] == ["redteam  HELD 1 reason", "monitor  OPEN Declared absent: none."]
    assert len(lines) == 14


def test_a_log_is_not_filled_by_what_takes_a_moment() -> None:
    live, stream = board(terminal=False)
    with live:
        live.stage_started(Stage.DATA)
        for done in range(61):
            live.progress(Stage.DATA, done, 60, "file")
    assert stream.getvalue().splitlines() == ["data     started"]


def test_an_unknown_total_is_not_a_flood() -> None:
    live, stream = board(terminal=False)
    for done in range(1_000):
        live.progress(Stage.DATA, done, 0, "file")
    assert stream.getvalue() == ""


def test_a_terminal_gets_a_table_that_ends_with_the_decision() -> None:
    live, stream = board(terminal=True)
    with live:
        live.stage_started(Stage.DATA)
        live.progress(Stage.DATA, 3, 6, "[red]data/faq.jsonl\x1b[2J" + "x" * 500)
        live.gate_decided(GateDecision(Stage.DATA, Decision.OPEN))
        live.stage_started(Stage.TRAIN)
        live.progress(Stage.TRAIN, 9, 6, "more than all")
    text = stream.getvalue()
    assert "OPEN" in text
    assert "running" in text
    assert "waiting" in text
    assert "\x1b[2J" not in text


def test_the_terminal_is_given_back_when_the_run_breaks_off() -> None:
    live, stream = board(terminal=True)

    def break_off() -> None:
        with live:
            live.stage_started(Stage.DATA)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        break_off()
    assert stream.getvalue().rstrip().endswith("\x1b[?25h")
