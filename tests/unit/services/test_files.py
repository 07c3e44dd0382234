"""What is uploaded is looked into: good files are kept once, by their sum; of bad ones nothing is left."""

from __future__ import annotations

import errno
import hashlib
import io
import os
import stat
import sys
from pathlib import Path
from typing import IO, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from kb.models import Practice, PracticeFile, Role, StoredFile, User
from kb.services import accounts, files, practice_files, practices, scanning
from kb.services.errors import Conflict, Invalid, NotAllowed, NotFound, Unavailable
from kb.services.examiner import main as examiner
from kb.services.examiner.refusing import Refused
from kb.services.files import Kind, Store, Taken
from kb.services.practice_files import Words
from tests import factories, uploads

IMAGE = Words(alt="A red wall beside a blue one")


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "files")


@pytest.fixture
def alice(session: Session) -> User:
    return accounts.add_user(session, "alice@example.org", Role.MEMBER)


@pytest.fixture
def practice(session: Session, alice: User) -> Practice:
    return factories.draft(session, alice)


def left(store: Store) -> list[Path]:
    """Every file under the folder, finished or not."""
    return [path for path in store.folder.rglob("*") if path.is_file()]


def kept(store: Store, data: bytes, name: str = "photo.jpg", kind: Kind = "image") -> Taken:
    """What is found in a file, which is not kept."""
    with files.receive(store, io.BytesIO(data), name, kind) as taken:
        return taken


def add(
    session: Session, alice: User, store: Store, practice: Practice, data: bytes, name: str = "photo.jpg",
    kind: Kind = "image", words: Words = IMAGE,
) -> StoredFile:  # fmt: skip
    with files.receive(store, io.BytesIO(data), name, kind) as taken:
        return practice_files.add(session, alice, store, practice, kind, taken, words)


def written(store: Store, data: bytes) -> Image.Image:
    """A picture as it would be kept."""
    with files.receive(store, io.BytesIO(data), "photo", "image") as taken:
        return Image.open(io.BytesIO(taken.draft.read_bytes()))


# What is refused


@pytest.mark.parametrize("name", uploads.REFUSED)
def test_a_bad_file_is_refused_with_a_sentence_and_nothing_is_left(store: Store, name: str) -> None:
    data, kind, words = uploads.REFUSED[name]
    with pytest.raises(Invalid) as refused:
        kept(store, data, name, kind)  # type: ignore[arg-type]
    [problem] = refused.value.problems
    assert problem.field == "file" and words in str(problem.message) and f"“{name}”" in str(problem.message)
    assert str(problem.message).endswith(".") and left(store) == []


def test_reading_stops_where_a_file_is_too_large(store: Store) -> None:
    class Endless(io.RawIOBase):
        given = 0

        def read(self, size: int = -1) -> bytes:
            self.given += size
            return b"x" * size

    stream: Any = Endless()
    with pytest.raises(Invalid, match="the limit is 10 MB"), files.receive(store, stream, "x.pdf", "attachment"):
        pass
    assert stream.given < 12 * 1024**2 and left(store) == []


@pytest.mark.parametrize(
    "name", ["../../etc/passwd", r"C:\Users\alice\photo.jpg", "/tmp/x", "a\0b\r\n<b>.jpg", "é" * 300, ""]
)
def test_a_name_is_only_words(store: Store, name: str) -> None:
    taken = kept(store, uploads.picture(), name)
    assert taken.draft.parent == store.folder
    assert not set(taken.name) & set("/\\\0\r\n") and 1 <= len(taken.name) <= 100


@given(data=st.binary(max_size=300), head=st.sampled_from([
    b"", b"%PDF-1.4\n", b"PK\3\4", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"RIFF\0\0\0\0WEBPVP8 "]),
    kind=st.sampled_from(["image", "attachment"]))  # fmt: skip
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_bytes_are_refused_or_taken_and_never_crash(tmp_path: Path, data: bytes, head: bytes, kind: str) -> None:
    source = tmp_path / "any"
    source.write_bytes(head + data)
    try:
        said = examiner.found(kind, source, tmp_path / "out")
    except Refused as refused:
        assert refused.code
    else:
        assert said["media_type"]


@given(
    place=st.integers(0, 10**9), byte=st.integers(0, 255), which=st.sampled_from(["jpg", "png", "pdf", "docx", "odt"])
)
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_good_file_with_one_byte_changed_never_crashes(tmp_path: Path, place: int, byte: int, which: str) -> None:
    data = bytearray(GOOD[which])
    data[place % len(data)] = byte
    source = tmp_path / "any"
    source.write_bytes(data)
    try:
        examiner.found("image" if which in ("jpg", "png") else "attachment", source, tmp_path / "out")
    except Refused as refused:
        assert refused.code


GOOD = {"jpg": uploads.picture(), "png": uploads.picture("PNG"), "pdf": uploads.pdf(), "docx": uploads.docx(),
        "odt": uploads.odt()}  # fmt: skip


# What is taken


@pytest.mark.parametrize(("kind", "media_type"), [("JPEG", "image/jpeg"), ("PNG", "image/png"), ("WEBP", "image/webp")])
def test_a_picture_is_known_by_what_it_holds(store: Store, kind: str, media_type: str) -> None:
    taken = kept(store, uploads.picture(kind), "photo.exe")
    assert (taken.media_type, taken.width, taken.height) == (media_type, 60, 40)


@pytest.mark.parametrize(("data", "media_type"), [(uploads.pdf(), "application/pdf"), (uploads.docx(), uploads.DOCX),
                                                  (uploads.odt(), uploads.ODT)])  # fmt: skip
def test_a_document_is_known_by_what_it_holds_and_stays_as_it_is(store: Store, data: bytes, media_type: str) -> None:
    taken = kept(store, data, "photo.exe", "attachment")
    assert (taken.media_type, taken.sha256) == (media_type, hashlib.sha256(data).hexdigest())


def test_where_a_photograph_was_taken_and_by_whom_is_gone(store: Store) -> None:
    assert b"Alice Doe" in uploads.located() and Image.open(io.BytesIO(uploads.located())).getexif().get_ifd(0x8825)
    picture = written(store, uploads.located())
    assert not picture.getexif() and not set(picture.info) & {"exif", "comment", "icc_profile", "xmp", "photoshop"}


def test_a_photograph_stands_upright(store: Store) -> None:
    picture = written(store, uploads.located(orientation=6)).convert("RGB")
    assert picture.size == (40, 60)
    top, bottom = picture.getpixel((20, 5)), picture.getpixel((20, 55))
    assert top[0] > 200 > 60 > top[2] and bottom[2] > 200  # type: ignore[index]


def test_what_stands_behind_a_picture_is_gone(store: Store) -> None:
    with files.receive(store, io.BytesIO(uploads.picture() + uploads.HTML + uploads.docx()), "x", "image") as taken:
        data = taken.draft.read_bytes()
    assert b"script" not in data and b"PK\3\4" not in data and data.endswith(b"\xff\xd9")


def test_text_in_a_png_is_gone(store: Store) -> None:
    from PIL.PngImagePlugin import PngInfo

    info = PngInfo()
    info.add_text("Author", "Alice Doe")
    info.add_text("Comment", "<script>alert(1)</script>", zip=True)
    picture = written(store, uploads.picture("PNG", pnginfo=info))
    assert not getattr(picture, "text", {})


def test_a_large_picture_is_made_smaller(store: Store) -> None:
    assert written(store, uploads.picture(size=(4000, 1000))).size == (2400, 600)


@pytest.mark.parametrize("mode", ["L", "1", "P", "LA", "RGBA", "I;16"])
def test_a_png_of_any_mode_is_taken(store: Store, mode: str) -> None:
    image = Image.new(mode, (10, 10))
    out = io.BytesIO()
    image.save(out, "PNG")
    assert written(store, out.getvalue()).size == (10, 10)


def test_transparency_stays(store: Store) -> None:
    image = Image.new("RGBA", (10, 10), (255, 0, 0, 0))
    out = io.BytesIO()
    image.save(out, "PNG")
    assert written(store, out.getvalue()).convert("RGBA").getpixel((5, 5))[3] == 0  # type: ignore[index]


def test_colours_for_print_become_those_of_a_screen(store: Store) -> None:
    assert written(store, uploads.picture(mode="CMYK")).mode == "RGB"


# Keeping


def test_a_file_is_kept_under_its_sum_for_nobody_else_on_the_machine(
    session: Session, alice: User, store: Store, practice: Practice
) -> None:
    held = add(session, alice, store, practice, uploads.picture())
    [path] = left(store)
    assert path == store.folder / held.sha256[:2] / held.sha256[2:]
    assert hashlib.sha256(path.read_bytes()).hexdigest() == held.sha256
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == stat.S_IMODE(store.folder.stat().st_mode) == 0o700
    assert (held.bytes, held.width, held.height) == (path.stat().st_size, 60, 40)


def test_two_practices_share_one_file(session: Session, alice: User, store: Store, practice: Practice) -> None:
    other = factories.draft(session, alice, title="Another")
    first = add(session, alice, store, practice, uploads.pdf(), "a.pdf", "attachment")
    second = add(session, alice, store, other, uploads.pdf(), "b.pdf", "attachment")
    assert first is second and len(left(store)) == 1
    assert session.scalar(select(func.count()).select_from(PracticeFile)) == 2


def test_the_working_copy_shows_it_as_a_new_revision(
    session: Session, alice: User, store: Store, practice: Practice
) -> None:
    before = practice.revision_count
    held = add(session, alice, store, practice, uploads.picture(), words=Words.of("  A\nwall ", "Two  walls", "Sam"))
    assert practices.working_copy(session, practice)["images"] == [
        {"title": "A wall", "url": f"/files/{held.sha256}.jpg", "media_type": "image/jpeg", "bytes": held.bytes,
         "sha256": held.sha256, "alt": "Two walls", "credit": "Sam"}]  # fmt: skip
    assert practice.revision_count == before + 1


def test_a_document_without_a_title_bears_its_name(
    session: Session, alice: User, store: Store, practice: Practice
) -> None:
    add(session, alice, store, practice, uploads.pdf(), r"C:\docs\Final report.pdf", "attachment", Words())
    assert practices.working_copy(session, practice)["attachments"][0]["title"] == "Final report"


def test_an_image_needs_to_be_described(session: Session, alice: User, store: Store, practice: Practice) -> None:
    with pytest.raises(Invalid) as refused:
        add(session, alice, store, practice, uploads.picture(), words=Words(title="Wall"))
    assert [problem.field for problem in refused.value.problems] == ["alt"] and left(store) == []


def test_the_same_file_twice_is_refused(session: Session, alice: User, store: Store, practice: Practice) -> None:
    add(session, alice, store, practice, uploads.picture())
    with pytest.raises(Invalid, match="is here already"):
        add(session, alice, store, practice, uploads.picture())
    assert len(left(store)) == 1


def test_there_is_room_for_so_many(
    session: Session, alice: User, store: Store, practice: Practice, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(practice_files, "MOST", 1)
    add(session, alice, store, practice, uploads.picture())
    with pytest.raises(Conflict, match="room for 1"):
        add(session, alice, store, practice, uploads.picture("PNG"))


def test_nobody_else_brings_a_file(session: Session, store: Store, practice: Practice) -> None:
    charlie = accounts.add_user(session, "charlie@example.org", Role.MEMBER)
    with pytest.raises(NotAllowed):
        add(session, charlie, store, practice, uploads.picture())
    assert left(store) == []


def test_files_change_their_words_and_order_and_go(
    session: Session, alice: User, store: Store, practice: Practice
) -> None:
    sums = [add(session, alice, store, practice, uploads.picture(kind)).sha256 for kind in ("JPEG", "PNG", "WEBP")]

    def order() -> list[int]:
        return [sums.index(entry["sha256"]) for entry in practices.working_copy(session, practice)["images"]]

    practice_files.move(session, alice, practice, "image", sums[2], -1)
    assert order() == [0, 2, 1]
    practice_files.move(session, alice, practice, "image", sums[0], -1)
    assert order() == [0, 2, 1]
    practice_files.move(session, alice, practice, "image", sums[0], 1)
    assert order() == [2, 0, 1]
    practice_files.describe(session, alice, practice, "image", sums[0], Words(alt="New"))
    assert practices.working_copy(session, practice)["images"][1]["alt"] == "New"
    practice_files.remove(session, alice, practice, "image", sums[0])
    assert order() == [2, 1]
    with pytest.raises(NotFound):
        practice_files.remove(session, alice, practice, "image", sums[0])


# A disk that is full


@pytest.mark.parametrize("at", ["write", "mkdir", "replace"])
def test_a_full_disk_is_said_and_leaves_nothing(
    session: Session, alice: User, store: Store, practice: Practice, monkeypatch: pytest.MonkeyPatch, at: str
) -> None:
    def full(*_args: Any, **_options: Any) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    class FullFile(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            full()
            return b""

    stream: IO[bytes] = FullFile(uploads.picture()) if at == "write" else io.BytesIO(uploads.picture())
    if at == "replace":
        monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(Unavailable, match="no room"), files.receive(store, stream, "x", "image") as taken:
        if at == "mkdir":
            monkeypatch.setattr(Path, "mkdir", full)
        practice_files.add(session, alice, store, practice, "image", taken, IMAGE)
    assert left(store) == []
    assert session.scalar(select(func.count()).select_from(StoredFile)) == 0


# The virus scanner


def scanner(folder: Path, body: str) -> tuple[str, ...]:
    """A scanner's command that notes what it was given."""
    path = folder / "scanner.py"
    path.write_text(f"import sys, pathlib\npathlib.Path(r'{folder}/seen').write_text(repr(sys.argv[1:]))\n{body}\n")
    return (sys.executable, str(path), "--fast")


def test_a_clean_file_is_taken(tmp_path: Path) -> None:
    store = Store(
        tmp_path / "files", scanner(tmp_path, "assert pathlib.Path(sys.argv[-1]).read_bytes()[:4] == b'%PDF'")
    )
    assert kept(store, uploads.pdf(), "x; rm -rf $HOME.pdf", "attachment").media_type == "application/pdf"
    assert "--fast" in (tmp_path / "seen").read_text() and "rm -rf" not in (tmp_path / "seen").read_text()


def test_an_infected_file_is_refused(tmp_path: Path) -> None:
    store = Store(tmp_path / "files", scanner(tmp_path, "sys.exit(1)"))
    with pytest.raises(Invalid, match=r"something harmful in “x\.pdf”"):
        kept(store, uploads.pdf(), "x.pdf", "attachment")
    assert left(store) == []


@pytest.mark.parametrize("body", ["sys.exit(2)", "import os; os.kill(os.getpid(), 9)", "import time; time.sleep(60)"])
def test_a_scanner_that_does_not_answer_lets_nothing_in(
    tmp_path: Path, body: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scanning, "PATIENCE", 1.0)
    store = Store(tmp_path / "files", scanner(tmp_path, body))
    with pytest.raises(Unavailable, match="does not answer"):
        kept(store, uploads.pdf(), "x.pdf", "attachment")
    assert left(store) == []


def test_a_scanner_that_is_gone_lets_nothing_in(tmp_path: Path) -> None:
    with pytest.raises(Unavailable):
        kept(Store(tmp_path / "files", ("/nowhere/scanner",)), uploads.pdf(), "x.pdf", "attachment")
