"""An editor uploads a table, sees what would become of each row, and takes the good ones in once."""

from __future__ import annotations

import csv
import io
import os
import re
import threading
import uuid
from datetime import timedelta
from pathlib import Path

import openpyxl
import pytest
from sqlalchemy import func, select, update
from werkzeug.datastructures import FileStorage
from werkzeug.test import TestResponse

from kb.models import AuditEntry, Practice, Record, StagedImport, State
from kb.services import accounts, leaving, retention, staging, tables
from kb.services.publishing import now
from tests.conftest import Site, token
from tests.planted import cells, planted
from tests.web.test_files import post

FORM = "/admin/import"


def good(*titles: str) -> bytes:
    buffer = io.StringIO(newline="")
    rows = [{**cells(0), "title": title} for title in titles]
    writer = csv.DictWriter(buffer, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    return buffer.getvalue().encode()


def send(
    site: Site, data: bytes | None, name: str = "table.csv", aim: str = "submitted", who: str = "bob"
) -> TestResponse:
    client = site.client(who)
    fields = {"csrf_token": token(client, FORM), "aim": aim}
    form = {**fields, "file": FileStorage(io.BytesIO(data), name)} if data is not None else fields
    return post(client, FORM, form)


def uploaded(site: Site, data: bytes, name: str = "table.csv", aim: str = "submitted", who: str = "bob") -> str:
    answer = send(site, data, name, aim, who)
    assert answer.status_code == 302
    return str(answer.location)


def decide(site: Site, address: str, do: str = "take", who: str = "bob", **more: str) -> TestResponse:
    client = site.client(who)
    return client.post(address, data={"csrf_token": token(client, address), "do": do, **more})


def page(site: Site, address: str, who: str = "bob") -> str:
    return site.client(who).get(address).get_data(as_text=True)


def practices(site: Site) -> list[Practice]:
    with site.database.read() as session:
        return list(session.scalars(select(Practice).order_by(Practice.title)))


def folder(site: Site) -> Path:
    return staging.folder(site.config.shared_dir)


def held(site: Site) -> list[str]:
    return sorted(path.name for path in folder(site).iterdir())


def test_it_works(site: Site) -> None:
    address = uploaded(site, good("First house", "Second house"))
    assert "Take 2 practices in" in page(site, address)
    assert practices(site) == []
    decide(site, address)
    assert [(each.title, each.state) for each in practices(site)] == [
        ("First house", State.SUBMITTED), ("Second house", State.SUBMITTED),
    ]  # fmt: skip
    assert "2 practices are taken in" in page(site, address)


def test_drafts_are_the_editors_own(site: Site) -> None:
    decide(site, uploaded(site, b"title,language\nA house,en\n", aim="draft"))
    (practice,) = practices(site)
    with site.database.read() as session:
        assert (practice.state, practice.owner_id) == (State.DRAFT, accounts.get(session, "bob@example.org").id)


def test_everything_refused_is_listed_and_can_be_taken_away(site: Site) -> None:
    data, expected = planted(185)
    address = uploaded(site, data)
    html = page(site, address)
    assert "Take 148 practices in" in html
    assert re.findall(
        r'<td class="num" data-of="Row">(\d+)</td><td data-of="Column"><code translate="no">(\w+)</code>', html
    ) == [(str(each.row), each.column) for each in expected]
    table = site.client("bob").get(f"{address}/refused.csv").get_data(as_text=True).removeprefix("\ufeff")
    rows = list(csv.DictReader(io.StringIO(table)))
    assert [(row["row"], row["column"]) for row in rows] == [(str(each.row), each.column) for each in expected]
    assert all(each.reason in row["reason"] for each, row in zip(expected, rows, strict=True))


def test_a_refusal_names_the_practice_the_cell_and_what_stands_there(site: Site) -> None:
    address = uploaded(site, b"title,language,status\nA house,en,sleeping\n", aim="draft")
    html = page(site, address)
    assert "Nothing of this file can be taken in" in html and "Correct what is listed below" in html
    assert all(said in html for said in ("(C2)", ">A house<", ">sleeping<"))
    table = site.client("bob").get(f"{address}/refused.csv").get_data(as_text=True)
    assert "status,C2,A house,sleeping," in table


def test_the_same_table_in_a_second_file_is_told_and_left_out(site: Site) -> None:
    first = uploaded(site, good("A house"))
    assert ">Review queue</a>" not in page(site, first)
    decide(site, first)
    assert ">Review queue</a>" in page(site, first)
    html = page(site, uploaded(site, good("A house")))
    assert "It is here already: “A house”." in html and 'value="take"' not in html
    assert "Take 1 practice in" in page(site, uploaded(site, good("A house", "B house")))


def test_the_reasons_are_said_in_the_language_of_the_page(site: Site) -> None:
    address = uploaded(site, planted(37)[0])
    assert "Give the practice a title" not in page(site, f"{address}?lang=de")


def test_a_file_with_wrong_columns_is_named_and_cannot_be_taken(site: Site) -> None:
    address = uploaded(site, b"title,sumary\nA house,Words\n")
    html = page(site, address)
    assert "Nothing of this file can be taken in" in html and "Did you mean “summary”?" in html
    assert 'value="take"' not in html
    assert decide(site, address).status_code == 409


def test_json_and_workbooks_are_taken_too(site: Site) -> None:
    book, buffer = openpyxl.Workbook(), io.BytesIO()
    for row in csv.reader(io.StringIO(good("From a workbook").decode())):
        book.active.append(row)
    book.save(buffer)
    assert "Take 1 practice in" in page(site, uploaded(site, buffer.getvalue(), "book.xlsx"))
    assert "Take 1 practice in" in page(
        site, uploaded(site, b'[{"title": "A house", "language": "en"}]', "a.json", "draft")
    )
    assert "neither a JSON array" in page(site, uploaded(site, b"nothing", "a.json", "draft"))


def test_the_same_file_is_taken_once_from_two_windows(site: Site) -> None:
    address = uploaded(site, good("A house"))
    csrf = token(site.client("bob"), address)
    answers = [site.client("bob").post(address, data={"csrf_token": csrf, "do": "take"}) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [302, 409]
    assert "taken in already" in answers[1].get_data(as_text=True)
    assert len(practices(site)) == 1


def test_the_same_file_is_taken_once_by_two_at_the_same_moment(site: Site) -> None:
    staged_id = uuid.UUID(uploaded(site, good("A house")).rpartition("/")[2])
    with site.database.read() as session:
        staged, bob = session.get_one(StagedImport, staged_id), accounts.get(session, "bob@example.org")
    refused: list[Exception] = []

    def take() -> None:
        try:
            staging.take(site.database, folder(site), staged, bob, all_or_nothing=False)
        except staging.Conflict as conflict:
            refused.append(conflict)

    threads = [threading.Thread(target=take) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(practices(site)), len(refused)) == (1, 2)


def test_who_comes_after_the_file_is_gone_learns_that_it_was_taken(site: Site) -> None:
    staged_id = uuid.UUID(uploaded(site, good("A house")).rpartition("/")[2])
    with site.database.read() as session:
        seen_before, bob = session.get_one(StagedImport, staged_id), accounts.get(session, "bob@example.org")
    staging.take(site.database, folder(site), seen_before, bob, all_or_nothing=False)
    assert seen_before.taken is None
    with pytest.raises(staging.Conflict, match="taken in already"):
        staging.take(site.database, folder(site), seen_before, bob, all_or_nothing=False)


def test_all_or_none_takes_none_where_one_has_become_impossible(site: Site) -> None:
    record = {**cells(0), "slug": "a-house"}
    table = [list(record), list(record.values()), [*list(record.values())[:-1], "b-house"]]
    table[2][0] = "Another house"
    buffer = io.StringIO(newline="")
    csv.writer(buffer).writerows(table)
    first = uploaded(site, buffer.getvalue().encode(), aim="published", who="dora")
    decide(site, uploaded(site, good_published("b-house"), aim="published", who="dora"), who="dora")
    assert decide(site, first, who="dora", whole="y").status_code == 302
    assert [each.slug for each in practices(site)] == ["b-house"]
    assert "Nothing was taken in" in page(site, first, "dora")


def good_published(slug: str) -> bytes:
    record = {**cells(0), "slug": slug}
    buffer = io.StringIO(newline="")
    csv.writer(buffer).writerows([list(record), list(record.values())])
    return buffer.getvalue().encode()


def test_only_administrators_take_practices_in_as_published(site: Site) -> None:
    assert send(site, good_published("a-house"), aim="published").status_code == 422
    assert 'value="published"' not in page(site, FORM)
    decide(site, uploaded(site, good_published("a-house"), aim="published", who="dora"), who="dora")
    with site.database.read() as session:
        assert session.scalar(select(func.count()).select_from(Record)) == 1
        dora = accounts.get(session, "dora@example.org").id
        assert session.scalars(select(AuditEntry.user_id).where(AuditEntry.action == "practice.import")).all() == [dora]


def test_another_editor_does_not_see_the_file(site: Site) -> None:
    address = uploaded(site, good("A house"))
    assert [site.client("dora").get(f"{address}{end}").status_code for end in ("", "/refused.csv")] == [404, 404]


@pytest.mark.parametrize(("data", "said"), [(None, "Choose a file"), (b"", "The file is empty")])
def test_no_file_and_an_empty_one_are_said_on_the_form(site: Site, data: bytes | None, said: str) -> None:
    answer = send(site, data)
    assert answer.status_code == 422 and said in answer.get_data(as_text=True)


def test_a_file_that_is_too_large_is_told_its_limit(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(staging, "LARGEST", 1024**2)
    answer = send(site, b"x" * (1024**2 + 1))
    assert answer.status_code == 422 and "the limit is 1 MB" in answer.get_data(as_text=True)
    assert held(site) == []


def test_a_body_of_twenty_megabytes_is_let_in_for_editors(site: Site) -> None:
    address = uploaded(site, b"title,language\n" + (b" " * 1_000_000 + b"\n") * 20 + b"A house,en\n", aim="draft")
    assert "Take 1 practice in" in page(site, address)


def test_a_file_with_too_many_practices_is_refused_as_a_whole(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(staging, "MOST_ROWS", 2)
    html = page(site, uploaded(site, good("One house", "Two houses", "Three houses")))
    assert "more than 2 practices" in html and 'value="take"' not in html


def test_nobody_hoards_files(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(staging, "MOST_WAITING", 1)
    uploaded(site, good("A house"))
    assert send(site, good("B house")).status_code == 409
    assert len(held(site)) == 2  # the first, and what is known of it


def test_nobody_else_on_the_machine_reads_the_files(site: Site) -> None:
    uploaded(site, good("A house"))
    assert folder(site).stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in folder(site).iterdir()} == {0o600}


def test_a_file_that_is_thrown_away_is_gone(site: Site) -> None:
    address = uploaded(site, good("A house"))
    decide(site, address, "drop")
    assert held(site) == [] and practices(site) == []
    assert site.client("bob").get(address).status_code == 404


def test_a_file_goes_once_it_is_taken_and_what_is_known_of_it_after_a_week(site: Site) -> None:
    address = uploaded(site, good("A house"))
    decide(site, address)
    staged_id = address.rpartition("/")[2]
    assert held(site) == [f"{staged_id}.json", f"{staged_id}.taken.json"]
    with site.database.write() as session:
        session.execute(update(StagedImport).values(created=now() - timedelta(days=8)))
    with site.database.write() as session:
        assert retention.sweep(session, now()).imports == 1
    staging.sweep_folder(site.database, site.config.shared_dir, now() + timedelta(hours=1))
    assert held(site) == [] and len(practices(site)) == 1


def test_the_files_of_whoever_leaves_go_and_those_of_others_stay(site: Site) -> None:
    uploaded(site, good("A house"))
    kept = uploaded(site, good("B house"), who="dora").rpartition("/")[2]
    with site.database.write() as session:
        leaving.leave(session, accounts.get(session, "bob@example.org"))
    staging.sweep_folder(site.database, site.config.shared_dir, now() + timedelta(hours=1))
    assert held(site) == [kept, f"{kept}.json"]


def test_an_upload_that_is_on_its_way_is_not_swept(site: Site) -> None:
    folder(site).mkdir(mode=0o700, parents=True)
    (folder(site) / ".upload-1").write_bytes(b"half")
    assert staging.sweep_folder(site.database, site.config.shared_dir, now() - staging.GRACE) == 0
    os.utime(folder(site) / ".upload-1", (0, 0))
    assert staging.sweep_folder(site.database, site.config.shared_dir, now() - staging.GRACE) == 1


def test_an_import_that_was_interrupted_says_so_and_is_not_taken_again(site: Site) -> None:
    address = uploaded(site, good("A house"))
    with site.database.write() as session:
        session.execute(update(StagedImport).values(taken=now()))
    assert "is being taken in" in page(site, address)
    assert decide(site, address).status_code == 409


def test_uploading_and_taking_stand_in_the_audit_log(site: Site) -> None:
    decide(site, uploaded(site, planted(74)[0]))
    with site.database.read() as session:
        entries = session.scalars(select(AuditEntry).where(AuditEntry.object_kind == "import")).all()
    assert [each.action for each in entries] == ["import.upload", "import.take"]
    assert entries[1].detail == {"aim": "submitted", "taken": 37, "refused": 37}


# The template


@pytest.mark.parametrize("suffix", ["csv", "xlsx"])
def test_the_template_is_fit_to_be_imported_and_its_example_is_left_out(site: Site, suffix: str) -> None:
    data = site.client("alice").get(f"/import/template.{suffix}").data
    rows = list(tables.read(io.BytesIO(data), f"template.{suffix}", tables.NEEDED))
    assert [row.example for row in rows] == [True]
    html = page(site, uploaded(site, data, f"template.{suffix}"))
    assert "left out as examples" in html and 'value="take"' not in html


def test_the_examples_own_row_would_be_good_but_for_its_mark(site: Site) -> None:
    data = site.client("alice").get("/import/template.csv").data.replace(b"#example ", b"")
    assert "Take 1 practice in" in page(site, uploaded(site, data))


def test_the_workbook_offers_what_may_stand_in_a_column(site: Site) -> None:
    data = site.client("alice").get("/import/template.xlsx").data
    book = openpyxl.load_workbook(io.BytesIO(data))
    main = book["practices"]
    header = [cell.value for cell in main[1]]
    offered = {str(each.sqref).split(":")[0][:-1]: each.formula1 for each in main.data_validations.dataValidation}
    level = openpyxl.utils.get_column_letter(header.index("level") + 1)
    column = re.fullmatch(r"values!\$([A-Z]+)\$2:\$\1\$5", offered[level])
    assert column and [book["values"][f"{column[1]}{n}"].value for n in range(1, 6)] == [
        "level", "local", "regional", "cross-border", "national",
    ]  # fmt: skip


def test_the_workbook_explains_every_column_in_the_language_of_the_page(site: Site) -> None:
    said = {}
    for language in ("en", "de"):
        data = site.client("alice").get(f"/import/template.xlsx?lang={language}").data
        book = openpyxl.load_workbook(io.BytesIO(data))
        rows = list(book["codebook"].iter_rows(min_row=2, values_only=True))
        said[language] = [row[2] for row in rows]
        main = [cell.value for cell in book["practices"][1]]
        assert set(main) <= {row[1] for row in rows} and all(said[language])
        region = next(row[2] for row in rows if row[1] == "region_code")
        assert language != "en" or "only a national practice may leave it out" in region
        values = {book["values"].cell(1, n).value: book["values"].cell(2, n + 1).value for n in range(1, 30, 2)}
        said[f"{language} level"] = [values["level"]]
    assert said["en level"] != said["de level"]


def test_readers_get_no_template_and_there_are_two(site: Site) -> None:
    assert site.client("rita").get("/import/template.csv").status_code == 403
    assert site.client("alice").get("/import/template.ods").status_code == 404
