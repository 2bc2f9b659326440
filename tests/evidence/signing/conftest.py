"""A Sigstore instance of the tests' own, and a folder that somebody signed through it."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lockgate.evidence.signing import Expected, KeylessTrust, Trusted, TrustRoot, Verification, seal_path, verify_path
from support.sigstore_instance import ISSUER, WORKFLOW, Instance

FILES = {"weights.bin": b"weights", "sub/config.json": b"{}", ".gitignore": b"*.pyc"}


@pytest.fixture(scope="session")
def instance() -> Instance:
    return Instance()


@pytest.fixture(scope="session")
def root(instance: Instance) -> TrustRoot:
    return TrustRoot.parse(json.dumps(instance.trusted_root()).encode(), name="trusted_root.json")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, body in FILES.items():
        (tmp_path / "model" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "model" / name).write_bytes(body)
    return tmp_path / "model"


@pytest.fixture(scope="session")
def payload(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The statement about a folder with FILES in it."""
    made = tmp_path_factory.mktemp("signed") / "model"
    for name, body in FILES.items():
        (made / name).parent.mkdir(parents=True, exist_ok=True)
        (made / name).write_bytes(body)
    return seal_path(made, lambda statement: statement, signature=made / "model.sig")[0]


@pytest.fixture
def trusted(root: TrustRoot) -> Trusted:
    return Trusted(keyless=KeylessTrust(root, (Expected(WORKFLOW, ISSUER),)))


@pytest.fixture
def reason(folder: Path, trusted: Trusted) -> Callable[..., str]:
    """Why a bundle over the folder does not verify; empty where it does."""

    def call(wire: dict[str, Any] | bytes, whom: Trusted = trusted) -> str:
        body = wire if isinstance(wire, bytes) else json.dumps(wire).encode()
        found: Verification = verify_path(folder, body, whom, signature=folder / "model.sig")
        return "\n".join(item.message for item in found.differences)

    return call
