"""Settings: working defaults, and one sentence that names the setting for a value that cannot be used."""

from __future__ import annotations

import stat
import threading
from pathlib import Path

import pytest

from kb.config import LANGUAGES, SETTINGS, Config, SettingError, load


def load_with(folder: Path, **env: str) -> Config:
    return load({"KB_DATA_DIR": str(folder), **env})


def test_the_defaults_work(tmp_path: Path) -> None:
    config = load_with(tmp_path / "data")
    assert (config.port, config.workers, config.limits) == (8000, 2, True)
    assert config.base_url == "http://127.0.0.1:8000"
    assert config.database_path == tmp_path / "data" / "kb.sqlite"
    assert config.files_dir == tmp_path / "data" / "files"
    assert config.index_dir == tmp_path / "data" / "index"
    assert config.trusted_hosts == ("127.0.0.1", "localhost", "[::1]")
    assert (config.languages, config.secure) == (LANGUAGES, False)


def test_the_data_folder_is_made_for_its_owner_alone(tmp_path: Path) -> None:
    load_with(tmp_path / "a" / "b")
    assert stat.S_IMODE((tmp_path / "a" / "b").stat().st_mode) == 0o700


def test_the_key_is_made_once_for_its_owner_alone(tmp_path: Path) -> None:
    key = load_with(tmp_path).secret_key
    assert len(key) >= 32
    assert stat.S_IMODE((tmp_path / "secret.key").stat().st_mode) == 0o600
    assert load_with(tmp_path).secret_key == key


def test_processes_that_start_at_once_have_one_key(tmp_path: Path) -> None:
    keys: list[str] = []
    threads = [threading.Thread(target=lambda: keys.append(load_with(tmp_path).secret_key)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(keys) == 8
    assert len(set(keys)) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["secret.key"]


def test_the_key_shows_in_no_trace(tmp_path: Path) -> None:
    config = load_with(tmp_path, KB_SECRET_KEY="s" * 40)
    assert "s" * 40 not in repr(config)


def test_the_password_of_the_database_shows_in_no_trace(tmp_path: Path) -> None:
    assert "secret" not in repr(load_with(tmp_path, KB_DATABASE_URL="postgresql+psycopg://kb:secret@db/kb"))


def test_an_empty_variable_means_the_default(tmp_path: Path) -> None:
    empty = {setting.name: "" for setting in SETTINGS if setting.name != "KB_DATA_DIR"}
    assert load_with(tmp_path, **empty) == load_with(tmp_path)


def test_an_https_address_is_secure(tmp_path: Path) -> None:
    config = load_with(tmp_path, KB_BASE_URL="https://practices.example.eu/")
    assert config.secure
    assert config.base_url == "https://practices.example.eu"
    assert config.trusted_hosts[0] == "practices.example.eu"


def test_lists_are_parted_by_commas(tmp_path: Path) -> None:
    config = load_with(tmp_path, KB_TRUSTED_HOSTS="a.example, b.example", KB_LANGUAGES="it, en")
    assert config.trusted_hosts == ("a.example", "b.example")
    assert config.languages == ("it", "en")


def test_a_server_database_has_no_file(tmp_path: Path) -> None:
    assert load_with(tmp_path, KB_DATABASE_URL="postgresql+psycopg://kb@db/kb").database_path is None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "http"),
        ("PORT", "70000"),
        ("PORT", "-1"),
        ("PORT", "８０００"),
        ("KB_WORKERS", "0"),
        ("KB_WORKERS", "1.5"),
        ("KB_BASE_URL", "practices.example.eu"),
        ("KB_BASE_URL", "ftp://practices.example.eu"),
        ("KB_BASE_URL", "https://practices.example.eu/path"),
        ("KB_BASE_URL", "https://practices.example.eu/?q=1"),
        ("KB_DATABASE_URL", "mysql://kb@db/kb"),
        ("KB_SEARCH_URL", "typesense://search"),
        ("KB_SEARCH_URL", "https://key@search:8108/practices"),
        ("KB_SEARCH_URL", "typesense:key@search"),
        ("KB_SECRET_KEY", "short"),
        ("KB_LANGUAGES", "en,xx"),
        ("KB_LANGUAGES", ","),
        ("KB_LIMITS", "no"),
        ("KB_MAIL_URL", "mail.example.org"),
        ("KB_MAIL_URL", "smtp://"),
        ("KB_MAIL_URL", "smtp://host:port"),
        ("KB_MAIL_URL", "file:mail"),
        ("KB_MAIL_FROM", "nobody"),
        ("KB_MAIL_FROM", "Me <me@example.org>"),
        ("KB_OPEN_REGISTRATION", "yes"),
        ("KB_SECOND_FACTOR", "on"),
        ("KB_TRUSTED_PROXIES", "all"),
        ("KB_LOG", "xml"),
        ("KB_DATABASE_POOL", "1"),
        ("KB_DATABASE_TIMEOUT", "-1"),
        ("KB_SLOW_MS", "0.5"),
        ("KB_METRICS_TOKEN", "short"),
        ("KB_METRICS_TOKEN", "a token with blanks"),
    ],
)
def test_a_value_that_cannot_be_used_is_refused_by_name(tmp_path: Path, name: str, value: str) -> None:
    with pytest.raises(SettingError) as refused:
        load_with(tmp_path, **{name: value})
    sentence = str(refused.value)
    assert name in sentence
    assert sentence.endswith(".")
    assert "\n" not in sentence


def test_a_data_folder_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("")
    with pytest.raises(SettingError, match="KB_DATA_DIR"):
        load_with(tmp_path / "data")


def test_a_key_that_others_may_read_is_refused(tmp_path: Path) -> None:
    load_with(tmp_path)
    (tmp_path / "secret.key").chmod(0o644)
    with pytest.raises(SettingError, match="0600"):
        load_with(tmp_path)


def test_a_damaged_key_is_refused(tmp_path: Path) -> None:
    load_with(tmp_path)
    (tmp_path / "secret.key").write_text("x")
    with pytest.raises(SettingError, match="damaged"):
        load_with(tmp_path)


def test_a_folder_that_cannot_be_made_is_refused() -> None:
    with pytest.raises(SettingError, match="KB_DATA_DIR"):
        load_with(Path("/proc/no/such/data"))


@pytest.mark.parametrize(
    ("text", "allowed", "refused"),
    [
        ("", (), ("127.0.0.1", "kb.lan")),
        ("off", (), ("127.0.0.1", "kb.lan")),
        ("on", ("127.0.0.1", "kb.lan"), ()),
        ("KB.lan, 10.0.0.5,[::1]", ("kb.lan", "Kb.LAN", "10.0.0.5", "::1"), ("127.0.0.1", "other.lan")),
    ],
)
def test_the_local_network_is_harvested_only_where_it_is_allowed(
    tmp_path: Path, text: str, allowed: tuple[str, ...], refused: tuple[str, ...]
) -> None:
    config = load_with(tmp_path, KB_HARVEST_LOCAL=text)
    assert all(config.may_harvest_locally(host) for host in allowed)
    assert not any(config.may_harvest_locally(host) for host in refused)


@pytest.mark.parametrize("text", ["yes please", "http://kb.lan", "kb.lan:8000", ","])
def test_hosts_that_are_none_are_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(SettingError, match="KB_HARVEST_LOCAL"):
        load_with(tmp_path, KB_HARVEST_LOCAL=text)
