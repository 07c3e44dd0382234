"""Files that people bring: tables, workbooks, JSON; what another installation says; what is uploaded; backups."""

from __future__ import annotations

import io
import json
import random
import shutil
import zipfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import Workbook

from bench.mutating import mutated
from kb.config import Config
from kb.db import Database
from kb.formats.json import NotJson
from kb.services import backup, harvest_reading, tables
from kb.services.archive import BadBackup
from kb.services.backup import Home
from kb.services.errors import ServiceError
from kb.services.examiner import main as examiner
from kb.services.examiner.refusing import Refused
from kb.services.fetching import Fetched
from kb.services.harvest_reading import Remote
from kb.services.importing import Aim, Importer
from kb.services.refusals import Refusal
from tests import factories, stack, uploads
from tests.conftest import configure
from tests.fuzz.strategies import TEXT, damaged, often
from tests.planted import planted
from tests.unit.services.backups import sealed

# Tables, workbooks, JSON


def workbook() -> bytes:
    """A workbook with every sheet that the import knows, and a practice in it."""
    rows = planted(74)[0].decode("utf-8-sig").splitlines()[:6]
    book = Workbook()
    sheet = book.active
    sheet.title = "practices"
    for row in rows:
        sheet.append(row.split(","))
    for name in ("sources", "partners", "indicators"):
        book.create_sheet(name).append(["practice", "title" if name == "sources" else "name", "url"])
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def loosened(data: bytes) -> bytes:
    """A workbook whose parts are not packed, so that a change in the file is one in its markup."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as new:
        for name in old.namelist():
            new.writestr(name, old.read(name))
    return out.getvalue()


RECORD = {**factories.document(), "contact": factories.CONTACT}
RECORDS = json.dumps([RECORD, {**RECORD, "title": "Another"}]).encode()
TABLE = planted(74)[0][:6000]
BOOK = workbook()
GOOD = (RECORDS, RECORDS[1:-1].replace(b"}, {", b"}\n{"), TABLE, TABLE.decode("utf-8-sig").encode("utf-16"), BOOK)


@pytest.fixture(scope="module")
def base(bare_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """A base with Alice."""
    folder = stack.copy(bare_folder, tmp_path_factory.mktemp("brought") / "data")
    database = Database(configure(folder).database_url)
    with database.write() as session:
        factories.person(session, "alice@example.org", "member")
    yield database
    database.close()


@pytest.fixture(scope="module")
def refused() -> list[Refusal]:
    """What an import refused."""
    return []


@pytest.fixture(scope="module")
def importers(base: Database, refused: list[Refusal]) -> dict[Aim, Importer]:
    """One for each thing that records may become."""
    return {aim: Importer(base, aim, "alice@example.org", refused.append) for aim in Aim}


@often(25)
@given(
    data=damaged(*GOOD, loosened(BOOK)) | st.binary(max_size=200),
    name=st.sampled_from(["a.csv", "a.xlsx", "a.json", "a.jsonl", "a"]), aim=st.sampled_from(Aim),
)  # fmt: skip
def test_a_file_of_records_is_read_and_what_is_wrong_in_it_is_said(
    importers: dict[Aim, Importer], refused: list[Refusal], data: bytes, name: str, aim: Aim
) -> None:
    refused.clear()
    try:
        outcome = importers[aim].run(lambda: tables.read(io.BytesIO(data), name, aim.needed), dry_run=True)
    except NotJson as error:
        assert str(error)
        return
    assert outcome.unfit or outcome.refused <= len(refused)
    assert all(each.reason for each in refused)


# Another installation


class Says:
    """Fetches the same answer from everywhere."""

    def __init__(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self._answer = (status, headers, body)

    def fetch(self, url: str, method: str = "GET", *, body: bool = True) -> Fetched:
        """Return the answer."""
        status, headers, said = self._answer
        return Fetched(url, status, headers, said if body else b"")


LIST = json.dumps({"total": 2, "items": [RECORD, {**RECORD, "title": "Another"}]}).encode()


@often(25)
@given(
    body=damaged(LIST) | st.binary(max_size=100), status=st.sampled_from([200, 200, 200, 404, 429, 500, 503]),
    kind=st.sampled_from(["application/json", "application/json; charset=utf-8", "text/html", ""]), wait=TEXT,
)  # fmt: skip
def test_whatever_another_installation_says_is_read_or_refused(body: bytes, status: int, kind: str, wait: str) -> None:
    headers = {"content-type": kind, "retry-after": wait}
    fetcher: Any = Says(status, headers, body)
    remote = Remote("https://example.org", fetcher, pause=lambda _seconds: None)
    read = 0
    try:
        for row in remote.records():
            read += 1
            assert row.place and (row.fault is None or str(row.fault))
            if read > 2 * harvest_reading.PER_PAGE:  # a total that is a lie would have it go on for long
                break
        remote.lists("a", "b")
    except ServiceError as error:
        assert str(error.message)


# Uploads

UPLOADS = {
    "image": (uploads.picture(), uploads.picture("PNG"), uploads.picture("WEBP"), uploads.located(6), uploads.moving()),
    "attachment": (uploads.pdf(), uploads.docx(), loosened(uploads.docx()), loosened(uploads.odt()),
                   uploads.pdf(b"/Names<</JavaScript 3 0 R>>")),
}  # fmt: skip


@often(30)
@given(upload=st.one_of(*(st.tuples(st.just(kind), damaged(*good)) for kind, good in UPLOADS.items())))
def test_a_file_that_was_damaged_is_taken_or_refused(
    tmp_path_factory: pytest.TempPathFactory, upload: tuple[str, bytes]
) -> None:
    kind, data = upload
    folder = tmp_path_factory.getbasetemp()
    source = folder / "damaged"
    source.write_bytes(data)
    try:
        said = examiner.found(kind, source, folder / "written")
    except Refused as refused:
        assert refused.code
    else:
        assert said["media_type"]


# Backups


class BackedUp:
    """An installation, and a backup of it, which is too long to be printed."""

    def __init__(self, home: Home, backup: bytes) -> None:
        self.home, self.backup = home, backup


@pytest.fixture(scope="module")
def backed_up(bare_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> BackedUp:
    """An installation, and a backup of it."""
    folder = stack.copy(bare_folder, tmp_path_factory.mktemp("backed-up") / "data")
    home = home_of(configure(folder))
    home.key.write_text("k" * 64)
    home.files.mkdir(exist_ok=True)
    (home.files / "ab").mkdir()
    (home.files / "ab" / "cd").write_bytes(uploads.pdf())
    path = folder.parent / "backup"
    backup.back_up(home, path)
    return BackedUp(home, path.read_bytes())


def home_of(config: Config) -> Home:
    assert config.database_path
    return Home(config.data_dir, config.database_path, config.files_dir, config.index_dir)


def standing(home: Home) -> dict[str, bytes]:
    """What an installation holds: the database, the key, the files."""
    held = [home.database, home.key, *sorted(home.files.rglob("*"))]
    return {str(path): path.read_bytes() for path in held if path.is_file()}


@often(12)
@given(seed=st.integers(0, 2**64), end=st.booleans(), seal=st.booleans())
def test_a_backup_that_was_damaged_is_refused_and_nothing_is_touched(
    backed_up: BackedUp, tmp_path_factory: pytest.TempPathFactory, seed: int, end: bool, seal: bool
) -> None:
    home, good = backed_up.home, backed_up.backup
    # A change in the packed database is what a checksum finds: the small parts around it are where a reader stumbles.
    kept, changed = (good[:-3000], good[-3000:]) if end else (b"", good)
    data = kept + mutated(random.Random(seed), changed, [good])
    path = tmp_path_factory.getbasetemp() / "damaged-backup"
    path.write_bytes(data)
    if seal and len(data) > 71:
        sealed(path)
    before = standing(home)
    try:
        backup.restore(home, path)
    except (BadBackup, ServiceError) as error:
        assert str(error.message)
        assert standing(home) == before
    else:
        assert seal or data == good
    finally:
        for left in home.folder.glob("before-restore-*"):
            shutil.rmtree(left)


@often(10)
@given(manifest=st.recursive(
    st.none() | st.booleans() | st.integers() | TEXT.map(lambda text: text.encode("utf-8", "replace").decode()),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
        st.sampled_from(["kind", "format", "release", "schema", "created", "rows", "members", "kb.sqlite", "bytes",
                         "sha256", "files/../x", "/etc/x"]), inner, max_size=5), max_leaves=12))  # fmt: skip
def test_a_manifest_that_says_anything_is_refused(
    backed_up: BackedUp, tmp_path_factory: pytest.TempPathFactory, manifest: Any
) -> None:
    home, good = backed_up.home, backed_up.backup
    with zipfile.ZipFile(io.BytesIO(good)) as archive:
        true = json.loads(archive.read("manifest.json"))
    path = tmp_path_factory.getbasetemp() / "said-backup"
    said = {**true, **manifest} if isinstance(manifest, dict) else manifest
    with zipfile.ZipFile(path, "w") as new:
        new.writestr("kb.sqlite", b"SQLite format 3\x00")
        new.writestr("manifest.json", json.dumps(said))
        new.comment = b" " * 71
    sealed(path)
    with pytest.raises(ServiceError):
        backup.restore(home, path)


def test_a_whole_backup_is_restored(backed_up: BackedUp, tmp_path: Path) -> None:
    home, good = backed_up.home, backed_up.backup
    (tmp_path / "good").write_bytes(good)
    _manifest, former = backup.restore(home, tmp_path / "good")
    with suppress(TypeError):
        shutil.rmtree(former)  # type: ignore[arg-type]
    assert standing(home)
