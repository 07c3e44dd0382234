"""docs/security.md promises nothing that is not there: every file and test that it names exists, no row lacks."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
DOC = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")

LEVEL_1 = {
    "V1": "2.1 2.2 2.3 2.4 2.5 3.1 3.2 5.1",
    "V2": "1.1 2.1 2.2 3.1",
    "V3": "2.1 2.2 3.1 4.1 4.2 5.1 5.2 5.3",
    "V4": "1.1 4.1",
    "V5": "2.1 2.2 3.1 3.2",
    "V6": "1.1 2.1 2.2 2.3 2.4 2.5 2.6 2.7 2.8 3.1 3.2 4.1 4.2",
    "V7": "2.1 2.2 2.3 2.4 4.1 4.2",
    "V8": "1.1 2.1 2.2 3.1",
    "V9": "1.1 1.2 1.3 2.1",
    "V10": "4.1 4.2 4.3 4.4 4.5",
    "V11": "3.1 3.2 4.1",
    "V12": "1.1 2.1 2.2",
    "V13": "4.1",
    "V14": "2.1 3.1",
    "V15": "1.1 2.1 3.1",
}
"""The requirements of level 1, from the standard's own list (OWASP ASVS 5.0.0, English, as CSV)."""

STATES = {"met", "in part", "not met", "none", "operator"}

NAMED = sorted(set(re.findall(r"`((?:kb|tests|bench|scripts|docs)/[\w./-]+(?:::\w+)?)`", DOC)))


def test_it_names_what_it_speaks_of() -> None:
    assert len(NAMED) > 150


@pytest.mark.parametrize("document", ["docs/security.md", "SECURITY.md", "docs/licences.md"])
def test_every_link_leads_somewhere(document: str) -> None:
    path = ROOT / document
    links = re.findall(r"\]\(([^)#:]+)\)", path.read_text(encoding="utf-8"))
    assert [link for link in links if not (path.parent / link).exists()] == []


def test_every_file_and_test_that_is_named_exists() -> None:
    missing, tests = [], {}
    for name in NAMED:
        path, _, function = name.partition("::")
        if not (ROOT / path).is_file():
            missing.append(name)
        elif function:
            if path not in tests:
                tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
                tests[path] = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
            if function not in tests[path]:
                missing.append(name)
    assert missing == []


def test_every_requirement_of_level_1_has_a_row() -> None:
    wanted = {f"{chapter}.{number}" for chapter, numbers in LEVEL_1.items() for number in numbers.split()}
    assert len(wanted) == 70
    rows = DOC.split("### Level 1")[1].split("### Level 2")[0]
    assert wanted - set(re.findall(r"V\d+\.\d+\.\d+", rows)) == set()


def test_every_row_says_how_it_stands_and_what_is_met_says_where() -> None:
    rows = re.findall(r"^\| V[\d., –V]+ \| [^|]+ \| ([^|]+) \| (.+) \|$", DOC, re.M)
    assert len(rows) == len(re.findall(r"^\| V\d", DOC, re.M)) > 120
    assert {state for state, _ in rows} <= STATES
