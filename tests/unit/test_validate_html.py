"""Validating HTML: what is not done is not said to be done."""

from __future__ import annotations

from pathlib import Path

import pytest

from scripts import validate_html


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without npx and Java."""
    monkeypatch.setattr(validate_html.shutil, "which", lambda _name: None)


@pytest.mark.usefixtures("bare")
def test_without_the_checker_it_fails(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert validate_html.main(tmp_path) == 2
    assert "HTML was not validated: npx and java is missing here." in capsys.readouterr().out


@pytest.mark.usefixtures("bare")
def test_whoever_knows_may_do_without_it(tmp_path: Path) -> None:
    assert validate_html.main(tmp_path, may_skip=True) == 0
