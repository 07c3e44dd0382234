"""The rules of the house, held by tests: one direction of imports, no overgrown file, one reader of the environment."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tokenize
from pathlib import Path

import pytest

from kb.models import schema
from kb.services.record import KEYS

ROOT = Path(__file__).parents[1]
MODULES = sorted((ROOT / "kb").rglob("*.py"))
SHORT = [path for path in MODULES if path.name != "models.py" and "migrations" not in path.parts]
"""Files that must stay short: the schema and the migrations may be long."""

PYTHON = sorted(path for folder in ("kb", "bench", "scripts", "tests") for path in (ROOT / folder).rglob("*.py"))

EXPLAINED = re.compile(r"# noqa: [A-Z]+\d+(, [A-Z]+\d+)* (\(\w.*\)|- \w.*)")
"""How a rule of the linter is left aside: by its name, and with the reason."""


def test_imports_go_one_way() -> None:
    done = subprocess.run(
        [str(Path(sys.executable).with_name("lint-imports"))], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("path", SHORT, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_file_is_overgrown(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 400


@pytest.mark.parametrize("path", SHORT, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_function_is_over_40_lines_and_no_view_over_25(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    lengths = {f: (f.end_lineno or f.lineno) - f.lineno + 1 for f in functions}
    assert not [f.name for f, length in lengths.items() if length > (25 if is_view(f) else 40)]


def is_view(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Whether an address leads to it: `@bp.get(…)` stands above."""
    calls = [each.func for each in function.decorator_list if isinstance(each, ast.Call)]
    return any(isinstance(call, ast.Attribute) and call.attr in ("get", "post", "route") for call in calls)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_import_hides_in_a_function(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    hidden = [node.lineno for f in functions for node in ast.walk(f) if isinstance(node, ast.Import | ast.ImportFrom)]
    assert not hidden


def test_only_config_reads_the_environment() -> None:
    readers = [path.name for path in MODULES if "os.environ" in path.read_text(encoding="utf-8")]
    assert readers == ["config.py"]


def test_every_public_function_says_what_it_does() -> None:
    silent = []
    for path in MODULES:
        if "migrations" in path.parts:
            continue
        tree = ast.parse(path.read_text(encoding="utf-8"))
        silent += [
            f"{path.name}:{node.name}"
            for node in tree.body
            if isinstance(node, ast.FunctionDef) and not node.name.startswith("_") and not ast.get_docstring(node)
        ]
    assert not silent


def test_every_plain_key_of_the_record_is_a_column_of_the_same_name() -> None:
    columns = set(schema().tables["records"].columns.keys())
    elsewhere = {"id", "slug", "version", "origin", "url", "region", "other_regions", "lead_organisation", "themes",
                 "target_groups"}  # fmt: skip
    assert set(KEYS) - elsewhere <= columns


def test_no_template_holds_inline_style_or_script() -> None:
    for path in (ROOT / "kb" / "templates").rglob("*.html"):
        text = path.read_text(encoding="utf-8")
        assert " style=" not in text and "<style" not in text and " onclick" not in text, path
        assert "<script>" not in text, path


def test_no_rule_of_the_linter_is_left_aside_without_a_reason() -> None:
    silent = []
    for path in PYTHON:
        if b"noqa" not in path.read_bytes():
            continue
        with path.open("rb") as file:
            comments = [each for each in tokenize.tokenize(file.readline) if each.type == tokenize.COMMENT]
        silent += [
            f"{path.relative_to(ROOT)}:{each.start[0]}"
            for each in comments
            if "noqa" in each.string and not EXPLAINED.fullmatch(each.string)
        ]
    assert silent == []


@pytest.mark.parametrize("path", sorted((ROOT / "kb" / "static").glob("*.js")), ids=lambda path: path.name)
def test_no_script_writes_markup_or_runs_text(path: Path) -> None:
    writing = r"\b(?:innerHTML|outerHTML|insertAdjacentHTML|createContextualFragment|srcdoc|document\.write)"
    running = r"\b(?:eval|Function)\(|set(?:Timeout|Interval)\(\s*[\"'`]|javascript:|\bpostMessage\b|\bimport\("
    assert re.findall(f"{writing}|{running}", path.read_text(encoding="utf-8")) == []
