"""What is installed: pinned with hashes, no more than is imported, under licences that let the whole be passed on."""

from __future__ import annotations

import ast
import importlib.metadata
import re
import sys
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import pytest

from scripts import licences
from scripts.licences import Pin, normal, pins, taken

ROOT = Path(__file__).parents[1]
FILES = ("requirements.txt", "requirements-dev.txt")

UNSEEN = {"pystemmer"}
"""In requirements.in though no file of kb/ imports it: snowballstemmer does, where it is there."""


def _pins(name: str) -> list[Pin]:
    return pins((ROOT / name).read_text(encoding="utf-8"))


def _asked(name: str) -> set[str]:
    """The packages that a file of wishes names."""
    lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
    return {normal(re.split(r"[\s\[<>=#;]", line)[0]) for line in lines if line and line[0] not in "#-"}


def _imported(folder: str) -> set[str]:
    """The packages that the files of a folder import, by the names under which they are installed."""
    modules: set[str] = set()
    for path in (ROOT / folder).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                modules |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
                modules.add(node.module.split(".")[0])
    modules -= {*sys.stdlib_module_names, "kb", "bench", "scripts", "tests"}
    return {normal(_installed()[module][0]) for module in modules}


@cache
def _installed() -> Mapping[str, list[str]]:
    """By the names of modules, the packages that bring them."""
    return importlib.metadata.packages_distributions()


def test_what_runs_asks_for_what_it_imports_and_for_nothing_else() -> None:
    assert _asked("requirements.in") == _imported("kb") | UNSEEN


@pytest.mark.parametrize("folder", ["tests", "bench", "scripts"])
def test_tests_and_benchmarks_ask_for_what_they_import(folder: str) -> None:
    asked = _asked("requirements.in") | _asked("requirements-dev.in") | _asked("requirements-scale.in")
    assert _imported(folder) - asked == set()


@pytest.mark.parametrize("name", FILES)
def test_every_package_is_pinned_to_one_version_with_hashes(name: str) -> None:
    lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
    for number, line in enumerate(lines):
        if not line.startswith((" ", "#")):
            assert re.fullmatch(r"[a-z0-9.-]+==[\w.!+]+( ; [^#]+)? \\", line), line
            assert re.match(r"    --hash=sha256:[0-9a-f]{64}", lines[number + 1]), f"{line} has no hash"


def test_make_installs_nothing_whose_hash_is_not_known() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    commands = [line for line in makefile.splitlines() if "-m pip" in line]
    assert commands and all("install --require-hashes" in line for line in commands)


@pytest.mark.parametrize("name", [*FILES, "requirements.in", "requirements-dev.in"])
def test_no_file_names_where_packages_come_from(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    assert re.findall(r"://|--(?:extra-)?index|--find-links|--trusted", text) == []


def test_every_wish_is_pinned() -> None:
    assert _asked("requirements.in") - {pin.name for pin in _pins("requirements.txt")} == set()
    assert _asked("requirements-dev.in") - {pin.name for pin in _pins("requirements-dev.txt")} == set()


def test_tests_run_with_the_very_packages_that_the_site_runs_with() -> None:
    blocks = [re.split(r"\n(?=\w)", (ROOT / name).read_text(encoding="utf-8")) for name in FILES]
    running, testing = (
        {block.split(" ")[0]: set(re.findall("sha256:.{64}", block)) for block in each} for each in blocks
    )
    assert {pin: testing.get(pin) for pin in running} == running


def test_the_page_of_licences_says_what_the_installed_packages_say() -> None:
    assert licences.PAGE.read_text(encoding="utf-8") == licences.page(), "run `make licences`"


@pytest.mark.parametrize("pin", _pins("requirements.txt"), ids=lambda pin: pin.name)
def test_every_package_has_a_licence_under_which_it_may_be_passed_on(pin: Pin) -> None:
    row = re.search(rf"^\| {pin.name} \| {re.escape(pin.version)} \| (.+?) \|", licences.PAGE.read_text("utf-8"), re.M)
    assert row and taken(row.group(1))


@pytest.mark.parametrize(
    "hindering", ["AGPL-3.0-only", "GPL-3.0-or-later", "MIT AND GPL-2.0-only", "SSPL-1.0", "BUSL-1.1"]
)
def test_a_licence_that_hinders_is_seen(hindering: str) -> None:
    assert not taken(hindering)


def test_every_package_that_is_asked_for_has_a_reason_of_its_own() -> None:
    assert set(licences.REASONS) == _asked("requirements.in")
