"""The documents and the program say the same: no setting, command or address is undocumented."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from kb.cli import main
from kb.config import SETTINGS
from kb.services.query import KNOWN
from tests.conftest import Site

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
ADDRESSES = (ROOT / "docs" / "addresses.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: setting.name)
def test_every_setting_stands_in_the_readme(setting: object) -> None:
    name, default, meaning = setting  # type: ignore[misc]
    assert f"| `{name}` | {default} | {meaning} |" in README


def test_every_command_stands_in_the_readme() -> None:
    commands = []
    for name, command in main.commands.items():
        inner = getattr(command, "commands", None)
        commands += [f"{name} {each}" for each in inner] if inner else [name]
    assert [name for name in commands if f"| `{name}" not in README] == []


def test_every_address_stands_in_their_table(reading_site: Site) -> None:
    rules = {re.sub(r"<\w+:", "<", rule.rule) for rule in reading_site.app.url_map.iter_rules()}
    assert sorted(rule for rule in rules if f"| `{rule}` |" not in ADDRESSES and "static" not in rule) == []


@pytest.mark.parametrize("name", KNOWN)
def test_every_parameter_of_a_list_stands_below_it(name: str) -> None:
    assert f"`{name}`" in ADDRESSES


def test_the_readme_has_the_two_commands_and_a_picture_that_exists() -> None:
    assert "make run" in README and "make test" in README
    picture = re.search(r"!\[[^\]]+\]\(([^)]+)\)", README)
    assert picture and (ROOT / picture.group(1)).stat().st_size > 10_000


def test_no_gap_was_left_in_the_readme() -> None:
    assert "@@" not in README and "TODO" not in README
