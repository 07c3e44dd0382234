"""`python -m bench` begins in a process of its own, whatever tests import of one another."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path


def test_it_lists_its_commands() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "bench", "--help"], cwd=Path(__file__).parents[3], capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "failover" in done.stdout
