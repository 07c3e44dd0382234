"""The command `export`, by the ending of the file, and back again by `import`."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest

from tests import stack
from tests.unit.test_cli import Run, runner


@pytest.fixture(scope="module")
def export_folder(seeded_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the seed in `data`, which no test changes."""
    folder = tmp_path_factory.mktemp("export")
    stack.copy(seeded_folder, folder / "data")
    return folder


@pytest.fixture(scope="module")
def seeded(export_folder: Path) -> Run:
    return runner(export_folder / "data")


@pytest.mark.parametrize("ending", ["csv", "xlsx"])
def test_a_file_of_each_kind_comes_back_as_it_was(seeded: Run, bare_folder: Path, tmp_path: Path, ending: str) -> None:
    path, other = tmp_path / f"all.{ending}", runner(stack.copy(bare_folder, tmp_path / "other"))
    assert seeded("export", path).stdout == f"Wrote 120 practices to {path}.\n"
    assert other("import", path, "--as", "published").stdout.startswith("120 added")
    assert json.loads(other("export", "-").stdout) == json.loads(seeded("export", "-").stdout)


def test_a_zip_is_a_snapshot(seeded: Run, tmp_path: Path) -> None:
    path = tmp_path / "all.zip"
    assert seeded("export", path).stdout == f"Wrote 120 practices to {path}.\n"
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        assert {"README.txt", "datapackage.json", "SHA256SUMS", "data/versions.jsonl"} <= set(archive.namelist())
