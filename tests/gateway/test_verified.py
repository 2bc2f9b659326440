import hashlib
import stat
from pathlib import Path

import pytest

from lockgate.gateway import GatewayError, verified_copy

BODY = b"GGUF" + bytes(range(256)) * 5000
SHA = hashlib.sha256(BODY).hexdigest()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "project/models").mkdir(parents=True)
    (tmp_path / "project/models/m.gguf").write_bytes(BODY)
    return tmp_path / "project"


def test_the_copy_is_the_approved_bytes_in_a_private_folder(root: Path, private_home: Path) -> None:
    path = verified_copy(root, "models/m.gguf", SHA)
    assert path == private_home / "models" / SHA
    assert path.read_bytes() == BODY
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    (root / "models/m.gguf").write_bytes(b"swapped")
    assert path.read_bytes() == BODY


def test_another_file_is_refused_and_leaves_nothing(root: Path, private_home: Path) -> None:
    with pytest.raises(GatewayError, match="not the file that was approved"):
        verified_copy(root, "models/m.gguf", "0" * 64)
    assert list((private_home / "models").iterdir()) == []


def test_an_existing_copy_is_used_again_only_while_it_is_right(root: Path) -> None:
    path = verified_copy(root, "models/m.gguf", SHA)
    first = path.stat().st_ino
    assert verified_copy(root, "models/m.gguf", SHA).stat().st_ino == first
    path.chmod(0o600)
    path.write_bytes(b"tampered")
    assert verified_copy(root, "models/m.gguf", SHA).read_bytes() == BODY


@pytest.mark.parametrize("uri", ["models/none.gguf", "../m.gguf", "models", "link.gguf"])
def test_what_is_no_file_of_the_project_is_refused(root: Path, uri: str) -> None:
    (root / "link.gguf").symlink_to(root / "models/m.gguf")
    with pytest.raises(GatewayError):
        verified_copy(root, uri, SHA)


def test_a_place_that_cannot_be_written_is_told(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOCKGATE_HOME", str(root / "models/m.gguf"))
    with pytest.raises(GatewayError, match="cannot be copied") as caught:
        verified_copy(root, "models/m.gguf", SHA)
    assert caught.value.remedy
