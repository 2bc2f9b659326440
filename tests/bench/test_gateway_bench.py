"""The gateway's bench runs, and says what outside scripts read from it."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

BENCH = Path(__file__).resolve().parents[2] / "bench"

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


def run(*options: str) -> dict[str, Any]:
    command = [sys.executable, str(BENCH / "gateway.py"), "--json", *options]
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=300)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_it_prints_the_figures_by_the_names_that_are_promised() -> None:
    found = run("--requests", "8", "--rounds", "1", "--connections", "2", "--streams", "4", "--soak", "10")
    names = ["passthrough", "gateway_linear", "gateway_quick", "gateway_full"]
    assert list(found["cpu_us"]) == [*names, "litellm", "nginx"]
    assert found["cpu_us"]["litellm"] == "not run"
    assert all(found["cpu_us"][name] > 0 for name in names)
    assert set(found["ttft_ms"]) >= {"direct", "passthrough", "gateway"}
    assert found["concurrent_streams"]["streams"] == 4
    assert len(found["soak"]["rss_mb"]) == len(found["soak"]["descriptors"]) == 11


def test_what_lasts_can_be_asked_for_alone() -> None:
    found = run("--no-cost", "--streams", "4", "--connections", "2")
    assert set(found["cpu_us"].values()) == {"not run"}
    assert (found["concurrent_streams"]["streams"], found["concurrent_streams"]["errors"]) == (4, 0)
    assert "abuse" not in found
