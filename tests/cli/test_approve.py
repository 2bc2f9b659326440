"""`lockgate approve` as its user sees it."""

from pathlib import Path

import pytest

from lockgate.cli import main
from lockgate.evidence import APPROVAL, Role, key_for, open_envelope, parse_statement, verify


def call(*arguments: str | Path) -> int:
    with pytest.raises(SystemExit) as left:
        main([str(argument) for argument in arguments])
    return int(left.value.code or 0)


def test_an_approval_names_every_file_and_waits_for_the_next_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setenv("LOCKGATE_HOME", str(tmp_path / "home"))
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "lockgate.yaml").write_text("version: 1\nproject: demo\ndata: {}\n", "utf-8")
    (folder / "prompt.md").write_text("Be kind.", "utf-8")
    assert call("approve", folder, "--reason", "Read.") == 0
    assert "Approved 2 files" in capsys.readouterr().out
    [waiting] = (folder / ".lockgate/approvals").iterdir()
    envelope = open_envelope(waiting.read_bytes())
    assert verify(envelope, [key_for(Role.APPROVER).public])
    statement = parse_statement(envelope.payload)
    assert statement.predicate_type == APPROVAL
    assert [ref.uri for ref in statement.subjects] == ["lockgate.yaml", "prompt.md"]
    (folder / "link").symlink_to(folder / "prompt.md")
    assert call("approve", folder) == 2
    assert "link" in capsys.readouterr().err
