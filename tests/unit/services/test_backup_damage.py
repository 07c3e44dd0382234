"""A backup that is not what was written, or not ours, is refused, and nothing is touched."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import random
import zipfile
from pathlib import Path

import pytest

from kb.services import archive, backup
from kb.services.archive import BadBackup, Manifest
from kb.services.backup import Home, back_up, restore
from kb.services.occupancy import using
from tests import stack
from tests.unit.services.backups import contents, publish, rewritten, sealed

pytestmark = stack.sqlite_only("A backup of SQLite is a copy of its file; that of PostgreSQL has tests of its own.")


def test_a_backup_is_tried_without_touching_anything(home: Home, tmp_path: Path) -> None:
    manifest = back_up(home, tmp_path / "b1")
    before = contents(home.folder)
    with using(home.folder):  # a server runs
        assert backup.check(tmp_path / "b1") == manifest
    assert contents(home.folder) == before


def test_a_backup_with_another_database_inside_does_not_pass(home: Home, tmp_path: Path) -> None:
    back_up(home, tmp_path / "b1")
    publish(home, "Third practice")
    back_up(home, tmp_path / "b3")
    with zipfile.ZipFile(tmp_path / "b3") as other:
        database = other.read("kb.sqlite")
    with zipfile.ZipFile(tmp_path / "b1") as inside:
        manifest = json.loads(inside.read("manifest.json"))
    manifest["members"]["kb.sqlite"] = {"bytes": len(database), "sha256": hashlib.sha256(database).hexdigest()}
    raw = {"kb.sqlite": database, "manifest.json": json.dumps(manifest).encode()}
    with pytest.raises(BadBackup, match="not the one"):
        backup.check(rewritten(tmp_path / "b1", tmp_path / "b2", **raw))


def test_a_backup_that_lacks_a_file_unknown_to_its_manifest_is_refused(home: Home, tmp_path: Path) -> None:
    manifest = back_up(home, tmp_path / "b1")
    members = {name: each for name, each in manifest.members.items() if not name.startswith("files/")}
    said = json.dumps(
        {"kind": archive.KIND, "format": 1, **dataclasses.asdict(dataclasses.replace(manifest, members=members))}
    )
    with zipfile.ZipFile(tmp_path / "b1") as old, zipfile.ZipFile(tmp_path / "b2", "w") as new:
        for name in members:
            new.writestr(name, old.read(name))
        new.writestr("manifest.json", said)
        new.comment = b" " * 71
    sealed(tmp_path / "b2")
    with pytest.raises(BadBackup, match="lacks 1 files"):
        restore(home, tmp_path / "b2")


def test_a_flipped_bit_anywhere_is_refused_and_nothing_touched(home: Home, tmp_path: Path) -> None:
    back_up(home, tmp_path / "b1")
    before = contents(home.folder)
    raw = (tmp_path / "b1").read_bytes()
    chance = random.Random(1)
    places = [0, 10, len(raw) // 2, len(raw) - 1, len(raw) - 72, *(chance.randrange(len(raw)) for _ in range(20))]
    for place in places:
        bad = bytearray(raw)
        bad[place] ^= 1 << chance.randrange(8)
        (tmp_path / "bad").write_bytes(bad)
        with pytest.raises(BadBackup):
            restore(home, tmp_path / "bad")
    assert contents(home.folder) == before


@pytest.mark.parametrize("length", [0, 1, 70, 71, 5000, -1])
def test_a_file_that_was_cut_off_is_refused(home: Home, tmp_path: Path, length: int) -> None:
    back_up(home, tmp_path / "b1")
    (tmp_path / "bad").write_bytes((tmp_path / "b1").read_bytes()[:length])
    with pytest.raises(BadBackup):
        restore(home, tmp_path / "bad")


def test_another_zip_is_refused(home: Home, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "other.zip", "w") as other:
        other.writestr("kb.sqlite", b"x" * 1000)
    with pytest.raises(BadBackup, match="seal"):
        restore(home, tmp_path / "other.zip")


@pytest.mark.parametrize(
    "name", ["files/../../escaped", "/etc/escaped", "..\\escaped", "files/.hidden", "secret.key/x"]
)
def test_a_name_that_leads_elsewhere_is_refused(home: Home, tmp_path: Path, name: str) -> None:
    evil = tmp_path / "evil"
    (tmp_path / "source").write_bytes(b"evil")
    member = archive.Member(4, hashlib.sha256(b"evil").hexdigest())
    manifest = Manifest("0.1.0", "0001", "2026-01-01T00:00:00Z", {}, {"kb.sqlite": member, name: member})
    with zipfile.ZipFile(evil, "w") as made:
        for each in manifest.members:
            made.writestr(each, b"evil")
        made.writestr("manifest.json", json.dumps({"kind": archive.KIND, "format": 1, **dataclasses.asdict(manifest)}))
        made.comment = b" " * 71
    sealed(evil)
    before = contents(home.folder)
    with pytest.raises(BadBackup):
        restore(home, evil)
    assert contents(home.folder) == before


def test_a_member_that_the_manifest_does_not_name_is_refused(home: Home, tmp_path: Path) -> None:
    back_up(home, tmp_path / "b1")
    with pytest.raises(BadBackup):
        restore(home, rewritten(tmp_path / "b1", tmp_path / "b2", **{"files/ab/more": b"x"}))


def test_a_member_that_begins_before_the_file_is_refused(home: Home, tmp_path: Path) -> None:
    back_up(home, tmp_path / "b1")
    data = (tmp_path / "b1").read_bytes()
    place = data.rindex(b"PK\x03\x04")  # of the manifest, which can be read; the first member cannot
    (tmp_path / "b2").write_bytes(data[: place - 10] + data[place:])
    sealed(tmp_path / "b2")
    with pytest.raises(BadBackup):
        restore(home, tmp_path / "b2")


def test_a_manifest_that_begins_before_the_file_is_refused(home: Home, tmp_path: Path) -> None:
    back_up(home, tmp_path / "b1")
    data = bytearray((tmp_path / "b1").read_bytes())
    place = data.rindex(b"PK\x05\x06") + 16  # says where the list of members begins, from which all places are counted
    data[place : place + 4] = (int.from_bytes(data[place : place + 4], "little") + 10**8).to_bytes(4, "little")
    (tmp_path / "b2").write_bytes(data)
    sealed(tmp_path / "b2")
    with pytest.raises(BadBackup):
        restore(home, tmp_path / "b2")


@pytest.mark.parametrize("manifest", [b"[]", b"{", b'{"kind": "else"}', b'{"kind": 1, "format": 1}'])
def test_a_manifest_of_something_else_is_refused(home: Home, tmp_path: Path, manifest: bytes) -> None:
    back_up(home, tmp_path / "b1")
    with pytest.raises(BadBackup):
        restore(home, rewritten(tmp_path / "b1", tmp_path / "b2", **{"manifest.json": manifest}))


def test_the_format_of_a_later_release_is_refused(home: Home, tmp_path: Path) -> None:
    back_up(home, tmp_path / "b1")
    with zipfile.ZipFile(tmp_path / "b1") as inside:
        manifest = inside.read("manifest.json").replace(b'"format": 1', b'"format": 2')
    with pytest.raises(BadBackup, match="later release"):
        restore(home, rewritten(tmp_path / "b1", tmp_path / "b2", **{"manifest.json": manifest}))
