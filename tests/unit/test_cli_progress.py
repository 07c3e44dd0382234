"""Long work says how far it is: a bar on a terminal, plain lines elsewhere."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys

import pytest

from kb.cli import opening

WORK = """
from kb.cli import opening
list(opening.shown("Indexing")(range(2500), 2500))
"""


def test_on_a_terminal_there_is_a_bar_with_number_rest_and_rate() -> None:
    ours, theirs = pty.openpty()
    work = subprocess.Popen([sys.executable, "-c", WORK], stderr=theirs, env={**os.environ, "COLUMNS": "120"})
    os.close(theirs)
    said = b""
    try:
        while piece := os.read(ours, 1 << 16):
            said += piece
    except OSError:  # how a terminal says that nobody writes to it any more
        pass
    os.close(ours)
    assert work.wait() == 0
    lines = said.decode().replace("\r", "\n")
    assert re.search(r"Indexing +\[#+-+\] +[0-9]+/2500 .*[0-9,]+/s", lines)
    assert re.search(r"Indexing +\[#+\] +2500/2500 .*[0-9,]+/s", lines)


def test_elsewhere_there_are_plain_lines(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(opening, "LINE_EVERY", 0.0)
    assert list(opening.shown("Checking")(range(1500), 1500)) == list(range(1500))
    out, lines = capsys.readouterr()
    assert out == ""
    assert len(lines.splitlines()) == 1500
    assert re.fullmatch(r"Checking: 1,500 of 1,500, [0-9,]+ a second, 0 s to go", lines.splitlines()[-1])


def test_work_that_is_quickly_done_says_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    assert list(opening.shown("Checking")(range(10), 10)) == list(range(10))
    assert capsys.readouterr() == ("", "")
