"""What the files in `deploy/` name exists: settings, commands, paths, units. What cannot be run is read."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from kb.cli import main
from kb.config import SETTINGS, load
from tests import postgres, stack

ROOT = Path(__file__).parents[1]
DEPLOY = ROOT / "deploy"
UNITS = sorted((DEPLOY / "systemd").iterdir())
NAMES = {setting.name for setting in SETTINGS}
PLACE = "/srv/practices/app/"
"""Where the files say that a checkout of this repository lies."""


def settings_of(text: str) -> dict[str, str]:
    """The settings in a file of environment variables, those behind a # included."""
    found = re.findall(r"^#?((?:KB_\w+|PORT))=(.*)$", text, re.MULTILINE)
    return {name: value.strip('"') for name, value in found}


EXAMPLE = settings_of((DEPLOY / "practices.env.example").read_text(encoding="utf-8"))
COMPOSE: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))


def test_each_setting_of_the_example_is_one() -> None:
    assert EXAMPLE.keys() <= NAMES
    assert {"KB_BASE_URL", "KB_SECRET_KEY", "KB_DATABASE_URL", "KB_SEARCH_URL", "KB_FILES_DIR"} <= EXAMPLE.keys()


@pytest.mark.parametrize("several", [False, True], ids=["one machine", "several"])
def test_the_values_of_the_example_are_taken(tmp_path: Path, several: bool) -> None:
    text = (DEPLOY / "practices.env.example").read_text(encoding="utf-8")
    values = settings_of(text if several else re.sub(r"^#.*", "", text, flags=re.MULTILINE))
    config = load({**values, "KB_DATA_DIR": str(tmp_path)})
    assert (config.secure, config.trusted_proxies) == (True, 1)
    assert config.database_url.startswith("postgresql" if several else "sqlite")


# systemd


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_what_a_unit_names_is_here(unit: Path) -> None:
    text = unit.read_text(encoding="utf-8")
    assert text.startswith(f"# /etc/systemd/system/{unit.name}")
    for path in re.findall(rf"{PLACE}([\w./-]+)", text):
        assert (ROOT / path).exists() or path in (".git", ".venv/bin/python"), path
    for command in re.findall(r"-m kb ([a-z-]+)", text):
        assert command in main.commands


def test_each_timer_has_its_service() -> None:
    timers = [unit for unit in UNITS if unit.suffix == ".timer"]
    assert timers
    assert [unit.name for unit in timers if not unit.with_suffix(".service").exists()] == []


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed (systemd).")
def test_systemd_finds_no_fault_with_the_units(tmp_path: Path) -> None:
    for unit in UNITS:
        text = unit.read_text(encoding="utf-8").replace(f"{PLACE}.venv/bin/python", sys.executable)
        (tmp_path / unit.name).write_text(re.sub(rf"{PLACE}deploy", str(DEPLOY), text), encoding="utf-8")
    command = ["systemd-analyze", "verify", "--man=no", *(str(tmp_path / unit.name) for unit in UNITS)]
    done = subprocess.run(command, capture_output=True, text=True)
    ours = [line for line in done.stderr.splitlines() if "practices" in line]
    assert (done.returncode, ours) == (0, [])


# Programs


@pytest.mark.parametrize("name", ["back-up", "practices"])
def test_a_program_can_be_run_and_read_by_a_shell(name: str) -> None:
    path = DEPLOY / name
    assert os.access(path, os.X_OK)
    subprocess.run(["sh", "-n", str(path)], check=True)


def test_the_backup_of_a_night_is_tried_and_takes_the_place_of_old_ones(bare_folder: Path, tmp_path: Path) -> None:
    folder, backups = stack.copy(bare_folder, tmp_path / "data"), tmp_path / "backups"
    backups.mkdir()
    for name, days in (("old.backup", 40), ("young.backup", 3), ("old.txt", 40)):
        (backups / name).touch()
        subprocess.run(["touch", "-d", f"{days} days ago", str(backups / name)], check=True)
    env = {**os.environ, **stack.environment(folder), "KB_DATA_DIR": str(folder), "PYTHON": sys.executable}
    env["KB_SECRET_KEY"] = "k" * 40
    done = subprocess.run([DEPLOY / "back-up", backups], env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    left = sorted(path.name for path in backups.iterdir())
    assert len(left) == 3 and left[1:] == ["old.txt", "young.backup"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\d\.backup", left[0])


@pytest.mark.skipif(
    postgres.available() is not None or shutil.which("pg_dump") is None,
    reason=postgres.available() or "pg_dump is not installed (on Debian: apt-get install postgresql-client).",
)
def test_the_backup_of_a_night_holds_a_database_of_postgresql_and_the_files(tmp_path: Path) -> None:
    (tmp_path / "files").mkdir()
    (tmp_path / "files" / "one").write_bytes(b"uploaded")
    (tmp_path / "backups").mkdir()
    with postgres.cluster() as server:
        env = {**os.environ, "KB_DATABASE_URL": server.create("site"), "KB_FILES_DIR": str(tmp_path / "files")}
        env |= {"PYTHON": sys.executable, "KB_DATA_DIR": str(tmp_path / "data"), "KB_SECRET_KEY": "k" * 40}
        subprocess.run([sys.executable, "-m", "kb", "init"], env=env, check=True, capture_output=True)
        done = subprocess.run([DEPLOY / "back-up", tmp_path / "backups"], env=env, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        dump, packed = sorted((tmp_path / "backups").iterdir())
        place = ["--host", str(server.folder), "--username", postgres.SUPERUSER, "--dbname", "other"]
        server.create("other")
        subprocess.run(["pg_restore", "--exit-on-error", *place, str(dump)], check=True, capture_output=True)
        tables = "SELECT count(*) FROM information_schema.tables WHERE table_schema = 'public'"
        counted = subprocess.run(
            ["psql", "--tuples-only", *place, "--command", tables], check=True, capture_output=True, text=True
        )
        assert int(counted.stdout) > 20
    assert "./one" in subprocess.run(["tar", "-tzf", packed], capture_output=True, text=True).stdout
    assert dump.stat().st_mode & 0o77 == packed.stat().st_mode & 0o77 == 0


def test_a_night_without_a_good_backup_leaves_the_old_ones(tmp_path: Path) -> None:
    (tmp_path / "old.backup").touch()
    subprocess.run(["touch", "-d", "40 days ago", str(tmp_path / "old.backup")], check=True)
    env = {**os.environ, "PYTHON": "false"}
    assert subprocess.run([DEPLOY / "back-up", tmp_path], env=env).returncode != 0
    assert (tmp_path / "old.backup").exists()


# Containers


def test_what_the_containerfile_copies_and_runs_is_here() -> None:
    text = (DEPLOY / "Containerfile").read_text(encoding="utf-8")
    assert text.startswith("# NOT RUN")
    copied = [name for line in re.findall(r"^COPY (?!--from)(.+)", text, re.MULTILINE) for name in line.split()[:-1]]
    assert copied and [name for name in copied if not (ROOT / name).exists()] == []
    assert set(re.findall(r"\b(KB_\w+)=", text)) <= NAMES
    assert re.search(r'^CMD \["(\w+)"\]', text, re.MULTILINE)[1] in main.commands  # type: ignore[index]
    assert "USER practices" in text and "HEALTHCHECK" in text


def test_all_that_running_needs_goes_into_the_container() -> None:
    text = (DEPLOY / "Containerfile").read_text(encoding="utf-8")
    hidden = (ROOT / ".containerignore").read_text(encoding="utf-8").split()
    for name in ("kb", "seed", "requirements.txt", "requirements-scale.txt"):
        assert re.search(rf"^COPY .*\b{re.escape(name)}\b", text, re.MULTILINE) and name not in hidden


def test_what_the_compose_file_names_is_here() -> None:
    services = COMPOSE["services"]
    text = (DEPLOY / "compose.yaml").read_text(encoding="utf-8")
    assert text.startswith("# NOT RUN")
    secrets = settings_of((DEPLOY / "containers.env.example").read_text().replace("\n", "\nKB_")).keys()
    assert {f"KB_{name}" for name in re.findall(r"\$\{(\w+)\}", text)} <= secrets
    for name in ("web1", "web2"):
        assert services[name]["environment"].keys() <= NAMES
        assert (DEPLOY / services[name]["build"]["context"] / services[name]["build"]["dockerfile"]).exists()
    for volume in services["nginx"]["volumes"]:
        source = volume.split(":")[0]
        assert not source.startswith("./") or (DEPLOY / source).exists()


def test_nginx_and_the_web_servers_of_the_compose_file_agree_on_their_names() -> None:
    upstream = (DEPLOY / "nginx" / "upstream-several-machines.conf").read_text(encoding="utf-8")
    named = re.findall(r"server ([\w.]+):8000", upstream)
    known = [alias for name in ("web1", "web2") for alias in COMPOSE["services"][name]["networks"]["inside"]["aliases"]]
    assert named == known
    assert ".internal" in COMPOSE["services"]["web1"]["environment"]["KB_TRUSTED_HOSTS"]


def test_the_nodes_of_the_compose_file_are_those_that_are_asked() -> None:
    nodes = [each.split(":") for each in COMPOSE["configs"]["nodes"]["content"].split(",")]
    services = [COMPOSE["services"][f"search{number}"] for number in (1, 2, 3)]
    assert [each[0] for each in nodes] == [each["networks"]["inside"]["ipv4_address"] for each in services]
    asked = COMPOSE["services"]["web1"]["environment"]["KB_SEARCH_URL"]
    assert asked.endswith("@" + ",".join(f"{each[0]}:{each[2]}" for each in nodes) + "/practices")


def test_every_file_of_the_folder_stands_in_its_readme() -> None:
    text = (DEPLOY / "README.md").read_text(encoding="utf-8")
    names = [path.name for path in DEPLOY.iterdir() if path.is_file() and path.name != "README.md"]
    assert [name for name in names if f"`{name}`" not in text] == []
    assert all(path.suffix in (".socket", ".service", ".timer") for path in UNITS)


# Documents


@pytest.mark.parametrize("name", ["docs/operations.md", "docs/capacity.md", "deploy/README.md"])
def test_every_link_leads_somewhere(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        path, _, part = target.partition("#")
        page = (ROOT / name).parent / path if path else ROOT / name
        assert page.exists(), target
        assert not part or part in headings(page.read_text(encoding="utf-8")), target


def headings(text: str) -> set[str]:
    """What the headings of a page are called in links to it."""
    found = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w -]", "", each).strip().lower().replace(" ", "-") for each in found}


def test_the_operator_is_told_of_commands_and_settings_that_exist() -> None:
    text = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    assert set(re.findall(r"\b(KB_[A-Z_]+)\b", text)) <= NAMES
    assert set(re.findall(r"(?:-m kb|`practices) ([a-z-]+)", text)) <= main.commands.keys()
    for path in re.findall(r"`?deploy/([\w./-]+)`", text):
        assert (DEPLOY / path).exists(), path


def test_no_gap_was_left() -> None:
    for name in ("operations", "capacity"):
        assert "@@" not in (ROOT / "docs" / f"{name}.md").read_text(encoding="utf-8")
