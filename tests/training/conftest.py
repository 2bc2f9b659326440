import sys
from pathlib import Path

import pytest

# The commands under training/ and tools/ are run from the root of a checkout and are no installed packages.
sys.path.append(str(Path(__file__).resolve().parents[2]))


@pytest.fixture
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, size in (("PUBLIC", 60), ("COMPOSED", 200), ("OWN", 30)):
        monkeypatch.setattr(f"training.compose.{name}", size)
