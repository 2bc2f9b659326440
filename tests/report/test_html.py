import html.parser
import re
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import lockgate.report
from lockgate.core import (
    Cause,
    Confidence,
    Decision,
    Finding,
    GateDecision,
    Hold,
    Location,
    Outcome,
    Severity,
    Stage,
    Status,
    SubjectRef,
    WaivedFinding,
)
from lockgate.report import (
    BenignTally,
    Comparison,
    EvidenceRow,
    MonitorView,
    RedteamView,
    RunReport,
    StageReport,
    Tally,
    to_html,
)

HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</style><script>alert(1)</script>",
    "{{ 7 * 7 }}{% include 'report.css' %}",
    "javascript:alert(1)",
    "safe\u202efdp.exe",
    "\x1b[2J\x00\ud800",
)


class Reader(html.parser.HTMLParser):
    """Collects what a browser would see."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def read(page: str) -> Reader:
    reader = Reader()
    reader.feed(page)
    return reader


def visible(report: RunReport) -> str:
    return " ".join(" ".join(read(to_html(report)).text).replace("\xa0", " ").split())


def filled_with(text: str) -> RunReport:
    """Build a run in which every text that comes from outside is `text`."""
    finding = Finding(text, Severity.HIGH, Confidence.LOW, text, Location(text, text, 3), text)
    waived = WaivedFinding(finding, text, text, text)
    holds = (Hold(Cause.FINDING, text, text, finding), Hold(Cause.UPSTREAM, text))
    gate = GateDecision(Stage.DATA, Decision.HELD, holds=holds, waived=(waived,), notes=(text,))
    outcomes = (
        Outcome(text, Status.FAILED, SubjectRef(text), (finding,)),
        Outcome(text, Status.ERRORED, SubjectRef(text), reason=text),
    )
    tally = Tally(attempts=1, successes=1)
    return RunReport(
        project=text,
        run=text,
        lockgate=text,
        started=text,
        finished=text,
        policy_sha256=text,
        stages=(StageReport(gate, outcomes, 1.0),),
        redteam=RedteamView(
            bare=tally,
            guarded=tally,
            families=(Comparison(text, tally, tally),),
            benign=BenignTally(attempts=1, blocked=0),
            corpus=text,
            corpus_sha256=text,
            complete=False,
        ),
        monitor=MonitorView(events=1, actions=((text, 1),), labels=((text, 1),), dropped=1),
        evidence=(EvidenceRow(seq=0, stage=text, predicate_type=text, sha256=text, keyid=text, role=text),),
        evidence_place=text,
        trust_note=text,
        checkpoint=text,
        endpoint=text,
        talk=text,
        report_place=text,
        commands=(text,),
    )


def test_the_page_needs_nothing_from_outside(held_report: RunReport, open_report: RunReport) -> None:
    for report in (held_report, open_report):
        page = read(to_html(report))
        assert not {"script", "iframe", "img", "object", "embed", "form", "base"} & set(page.tags)
        links = [value for key, value in page.attributes if key in {"src", "href", "xlink:href", "action"}]
        assert links == ["data:,"]
        assert not [key for key, _ in page.attributes if key.startswith("on")]
        assert "url(" not in to_html(report)
        assert "@import" not in to_html(report)


def test_the_page_forbids_scripts_and_requests(open_report: RunReport) -> None:
    page = to_html(open_report)
    assert page.startswith("<!doctype html>")
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', page)
    assert policy is not None
    assert policy[1].startswith("default-src 'none'; style-src 'unsafe-inline'; img-src data:;")


def test_every_gate_says_in_words_whether_it_is_open(held_report: RunReport) -> None:
    text = visible(held_report)
    for gate in ("Data HELD", "Train OPEN", "Supply HELD", "Red team OPEN", "Deploy HELD", "Monitor NOT RUN"):
        assert gate in text
    assert "HELD. 3 of 5 gates are held, data first." in text


def test_water_stands_up_to_the_first_gate_that_does_not_open(held_report: RunReport, open_report: RunReport) -> None:
    wide = to_html(held_report).count('class="hull"')
    assert wide == to_html(open_report).count('class="hull"') == 2
    assert to_html(open_report).count('class="leaf open"') == 12
    assert to_html(held_report).count('class="leaf held"') == 6
    assert to_html(held_report).count('class="leaf idle"') == 2


def test_a_finding_shows_place_fingerprint_effect_and_how_to_waive_it(held_report: RunReport) -> None:
    text = visible(held_report)
    found = held_report.stages[0].outcomes[1].findings[0]
    assert "knowledge/returns.md:41 (/heading/Refunds#hidden.tag) holds the gate" in text
    assert found.fingerprint in text
    assert "Accepted by release owner, until 2027-03-31: Style guide, reviewed by hand." in text
    assert "waivers: - finding:" in text
    assert "below the threshold" in text


def test_what_did_not_run_is_listed(held_report: RunReport) -> None:
    text = visible(held_report)
    assert "ERRORED LG-DATA-001 Data notes.txt notes.txt lies behind a symbolic link." in text
    assert "SKIPPED LG-TRAIN-003" in text


def test_the_attack_run_is_shown_before_and_after(held_report: RunReport) -> None:
    text = visible(held_report)
    assert "Without guard 43 % 26 of 60, 32 to 56 %" in text
    assert "With guard 1.7 % 1 of 60, 0.3 to 8.9 %" in text
    assert "encoding-obfuscation 0 of 10 0 of 10 NOT EXERCISED" in text
    assert "unseen 12 of 30 1 of 30" in text
    assert "1 of 60 were blocked: 1.7 %" in text
    assert 'x1="31.57%" x2="55.9%"' in to_html(held_report)


def test_the_evidence_names_digests_and_roles(held_report: RunReport) -> None:
    text = visible(held_report)
    assert "04ab" * 16 in text
    assert "signed by the approver key" in text
    assert "First use: signed and verified with keys of this machine." in text


def test_an_empty_run_is_a_page_too() -> None:
    text = visible(RunReport(project="p", run="r", lockgate="0", started="", finished=""))
    assert "HELD. No gate was decided." in text
    assert "No evidence was written." in text


def test_attempts_that_were_not_judged_are_said(held_report: RunReport) -> None:
    assert held_report.redteam is not None
    nothing = Tally(attempts=0, successes=0, errors=3, skipped=1)
    view = msgspec.structs.replace(held_report.redteam, guarded=nothing, paired=None)
    assert "With guard n/a 0 of 0, 0 to 100 %, 4 not judged" in visible(
        msgspec.structs.replace(held_report, redteam=view)
    )


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_stays_text(text: str) -> None:
    page = to_html(filled_with(text))
    page.encode("utf-8")
    reader = read(page)
    assert not {"script", "img", "iframe"} & set(reader.tags)
    assert not [key for key, _ in reader.attributes if key.startswith("on")]
    assert not set(page) & {"\u202e", "\x1b", "\x00"}


@settings(deadline=None, max_examples=50)
@given(st.text(st.characters(exclude_categories=()), max_size=80))
def test_any_text_leaves_the_page_as_it_is_built(text: str) -> None:
    assert read(to_html(filled_with(text))).tags == read(to_html(filled_with("x" if text else ""))).tags


def test_a_flood_is_bounded_and_counted() -> None:
    def flood(severity: Severity) -> tuple[Finding, ...]:
        return tuple(
            Finding("LG-X-001", severity, Confidence.HIGH, "x" * 10_000, Location("a", str(row)), f"{severity}{row}")
            for row in range(5_000)
        )

    findings = tuple(finding for severity in Severity for finding in flood(severity))
    errors = tuple(Outcome("LG-X-001", Status.ERRORED, SubjectRef(str(row)), reason="no") for row in range(5_000))
    failed = Outcome("LG-X-001", Status.FAILED, SubjectRef("a"), findings)
    last = findings[-1]
    holds = (Hold(Cause.FINDING, "m", "LG-X-001", last), *(Hold(Cause.ERRORED, "e") for _ in range(5_000)))
    stage = StageReport(GateDecision(Stage.DATA, Decision.HELD, holds=holds), (failed, *errors))
    report = RunReport(project="p", run="r", lockgate="0", started="", finished="", stages=(stage,))
    page = to_html(report)
    assert page.count("and 4,800 more findings in report.json") == 5
    assert "and 4800 more in report.json" in page
    assert len(page) < 3_000_000
    assert last.fingerprint in page


def test_every_colour_pair_reads_at_wcag_aa() -> None:
    css = (Path(lockgate.report.__file__).parent / "templates/report.css").read_text("utf-8")
    light, dark = re.findall(r":root \{(.*?)\}", css, flags=re.DOTALL)[:2]
    for block in (light, dark):
        colour = dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6});", block))
        pairs = [(text, ground) for text in ("ink", "soft") for ground in ("paper", "panel")]
        pairs += [(tone, ground) for tone in ("open", "held", "amber") for ground in ("paper", f"{tone}-wash")]
        for text, ground in pairs:
            assert contrast(colour[text], colour[ground]) >= 4.5, (text, ground)
        for shape in ("bare", "guarded", "beam", "whisker"):
            assert contrast(colour[shape], colour["paper"]) >= 3.0, shape


def contrast(first: str, second: str) -> float:
    """WCAG 2.2 contrast ratio of two colours."""
    low, high = sorted((luminance(first), luminance(second)))
    return (high + 0.05) / (low + 0.05)


def luminance(colour: str) -> float:
    channels = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
