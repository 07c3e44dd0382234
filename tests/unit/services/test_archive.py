"""The file of a backup: no byte of it can change unseen, and what is inside is read with little trust."""

from __future__ import annotations

import dataclasses
import hashlib
import io
import json
import struct
import zipfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.services import archive
from kb.services.archive import BadBackup, Manifest
from tests import stack

pytestmark = stack.sqlite_only("A backup of SQLite is a copy of its file; that of PostgreSQL has tests of its own.")

SEAL = len("sha256:") + 64

MEMBERS = {"kb.sqlite": b"a database, " * 60, "secret.key": b"k" * 64, "files/ab/cd": bytes(range(256))}


def written(folder: Path) -> bytes:
    """A small backup, as the software writes one."""
    sources = {}
    for n, (name, content) in enumerate(MEMBERS.items()):
        sources[name] = folder / str(n)
        sources[name].write_bytes(content)
    file = io.BytesIO()
    archive.write(file, Manifest("0.1.0", "0001", "2026-01-01T00:00:00Z", {"practices": 2}, {}, ["f" * 64]), sources)
    return file.getvalue()


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return written(tmp_path_factory.mktemp("archive"))


def looked_at(raw: bytes, folder: Path) -> Manifest:
    """What a check does: seal, manifest, every member."""
    file = io.BytesIO(raw)
    manifest = archive.verify(file)
    archive.unpack(file, manifest, folder, wanted=())
    return manifest


def regions(raw: bytes) -> dict[str, range]:
    """Where in a backup its parts are: what zip writes around a member, the member, the ends, the seal."""
    found: dict[str, range] = {}
    with zipfile.ZipFile(io.BytesIO(raw)) as inside:
        for info in inside.infolist():
            name_length, extra = struct.unpack_from("<HH", raw, info.header_offset + 26)
            data = info.header_offset + 30 + name_length + extra
            found[f"header of {info.filename}"] = range(info.header_offset, info.header_offset + 30)
            found[f"name of {info.filename}"] = range(info.header_offset + 30, data)
            found[f"data of {info.filename}"] = range(data, data + info.compress_size)
        found["directory"] = range(inside.start_dir, len(raw) - SEAL - 22)
    found["end of the directory"] = range(len(raw) - SEAL - 22, len(raw) - SEAL)
    found["seal"] = range(len(raw) - SEAL, len(raw))
    return found


def resealed(raw: bytes) -> bytes:
    """A backup changed by somebody who knows how it is sealed."""
    return raw[:-SEAL] + b"sha256:" + hashlib.sha256(raw[:-SEAL]).hexdigest().encode()


def made(inside: list[tuple[str, bytes]], compression: int = zipfile.ZIP_DEFLATED, **changes: Any) -> bytes:
    """A backup made by hand of these members, its manifest naming them; `changes` put other things into that."""
    named = {name: archive.Member(len(each), hashlib.sha256(each).hexdigest()) for name, each in inside}
    manifest = dataclasses.asdict(Manifest("0.1.0", "0001", "2026-01-01T00:00:00Z", {}, named, []))
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", compression) as packed:
        for name, content in inside:
            packed.writestr(name, content)
        packed.writestr("manifest.json", json.dumps({"kind": archive.KIND, "format": 1, **manifest, **changes}))
        packed.comment = b" " * SEAL
    return resealed(file.getvalue())


def test_what_was_written_is_sound(good: bytes, tmp_path: Path) -> None:
    manifest = looked_at(good, tmp_path)
    assert set(manifest.members) == set(MEMBERS) and manifest.lacking == ["f" * 64]
    assert list(tmp_path.iterdir()) == []


def test_the_regions_are_the_whole_file(good: bytes) -> None:
    covered = {place for region in regions(good).values() for place in region}
    # between a member and the next is what zip notes behind it, of known length
    assert len(good) - len(covered) <= 24 * (len(MEMBERS) + 1)


def test_no_byte_can_change_unseen(good: bytes) -> None:
    """Every byte, one by one: not only the data."""
    for place in range(len(good)):
        bad = bytearray(good)
        bad[place] ^= 1 << place % 8
        with pytest.raises(BadBackup):
            archive.verify(io.BytesIO(bad))


@given(data=st.data())
def test_no_region_can_be_overwritten_unseen(good: bytes, data: st.DataObject) -> None:
    held = regions(good)
    region = held[data.draw(st.sampled_from(sorted(name for name in held if held[name])))]
    start = data.draw(st.integers(region.start, region.stop - 1))
    other = data.draw(st.binary(min_size=1, max_size=region.stop - start))
    bad = good[:start] + other + good[start + len(other) :]
    if bad == good:
        return
    with pytest.raises(BadBackup):
        archive.verify(io.BytesIO(bad))


def test_no_end_can_be_cut_off_and_no_byte_put_behind(good: bytes) -> None:
    for length in range(len(good)):
        with pytest.raises(BadBackup):
            archive.verify(io.BytesIO(good[:length]))
    for more in (b"\0", b" ", b"\n", good, good[-SEAL:], b"0" * 70000):
        with pytest.raises(BadBackup):
            archive.verify(io.BytesIO(good + more))
        with pytest.raises(BadBackup):
            archive.verify(io.BytesIO(more + good))


# By somebody who can seal


def test_two_members_of_one_name_are_refused(tmp_path: Path) -> None:
    for name in ("kb.sqlite", "files/ab/cd", "manifest.json"):
        with pytest.warns(UserWarning, match="Duplicate name"):
            raw = made([("kb.sqlite", b"one"), ("files/ab/cd", b"two"), (name, b"other")])
        with pytest.raises(BadBackup):
            looked_at(raw, tmp_path)


def test_members_that_changed_places_are_refused(tmp_path: Path) -> None:
    one, two = hashlib.sha256(b"one").hexdigest(), hashlib.sha256(b"two").hexdigest()
    members = {"kb.sqlite": {"bytes": 3, "sha256": two}, "files/ab/cd": {"bytes": 3, "sha256": one}}
    raw = made([("kb.sqlite", b"one"), ("files/ab/cd", b"two")], members=members)
    with pytest.raises(BadBackup, match="damaged"):
        looked_at(raw, tmp_path)


@pytest.mark.parametrize(
    "changes",
    [{"members": None}, {"members": {"kb.sqlite": {"bytes": "3", "sha256": "x"}}}, {"members": {"kb.sqlite": 3}},
     {"rows": {"practices": "two"}}, {"rows": []}, {"release": None}, {"schema": 1}, {"created": {}}, {"lacking": 3},
     {"lacking": [1]}, {"members": {"kb.sqlite": {"bytes": -1, "sha256": ""}}}],
    ids=str,
)  # fmt: skip
def test_a_manifest_that_says_nonsense_is_refused(tmp_path: Path, changes: dict[str, Any]) -> None:
    with pytest.raises(BadBackup):
        looked_at(made([("kb.sqlite", b"one")], **changes), tmp_path)


@pytest.mark.parametrize("compression", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_what_is_packed_in_another_way_is_refused(tmp_path: Path, compression: int) -> None:
    with pytest.raises(BadBackup):
        looked_at(made([("kb.sqlite", b"one" * 100)], compression), tmp_path)


def test_a_manifest_too_long_for_the_memory_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "_MANIFEST_LIMIT", 100)
    with pytest.raises(BadBackup, match="manifest"):
        looked_at(made([("kb.sqlite", b"one")]), tmp_path)


@given(data=st.data())
def test_a_damaged_archive_that_is_sealed_anew_is_refused_in_a_sentence_or_holds_the_same(
    good: bytes, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    """Behind the seal stand the checksums: what zip makes of a changed archive is the same, or is refused."""
    bad = bytearray(good)
    for _ in range(data.draw(st.integers(1, 3))):
        bad[data.draw(st.integers(0, len(good) - SEAL - 1))] = data.draw(st.integers(0, 255))
    folder = tmp_path_factory.mktemp("unpacked")
    file = io.BytesIO(resealed(bytes(bad)))
    try:
        manifest = archive.verify(file)
        archive.unpack(file, manifest, folder)
    except BadBackup:
        return
    for name, member in manifest.members.items():
        content = (folder / name).read_bytes()
        assert (len(content), hashlib.sha256(content).hexdigest()) == (member.bytes, member.sha256)


def test_reading_says_in_a_sentence_that_a_member_is_damaged(good: bytes, tmp_path: Path) -> None:
    place = regions(good)["data of files/ab/cd"]
    bad = bytearray(good)
    bad[place.start : place.stop] = bytes(len(place))
    with pytest.raises(BadBackup, match="files/ab/cd"):
        looked_at(resealed(bytes(bad)), tmp_path)
