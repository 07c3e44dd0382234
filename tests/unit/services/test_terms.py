"""Themes and target groups are added, edited, ordered and merged; what was merged is understood ever after."""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import delete, select

from kb.db import Database
from kb.models import AuditEntry, IndexOutbox, Practice, RecordTheme, Revision, TermSuccessor, Theme, User
from kb.search import open_engine
from kb.services import (
    accounts,
    consistency,
    differences,
    moderation,
    naming,
    practices,
    publishing,
    query,
    reviewing,
    seeding,
    terms,
    vocabularies,
)
from kb.services.checking import check
from kb.services.errors import Invalid, NotAllowed, NotFound
from kb.services.record import Document
from kb.services.terms import TARGET_GROUPS, THEMES, Wording
from tests import factories, stack
from tests.conftest import configure

NURSES = Wording("Care for the old", "Services for older people.", {"de": "Altenpflege"}, {"en": ["elder care"]})


@pytest.fixture
def dora(database: Database) -> User:
    with database.write() as session:
        return factories.person(session, "dora@example.org", "admin")


@pytest.fixture
def alice(database: Database) -> User:
    with database.write() as session:
        return factories.person(session, "alice@example.org", "member")


def published(database: Database, themes: list[str], **changes: object) -> uuid.UUID:
    with database.write() as session:
        return factories.published(session, themes=themes, **changes).id


def merge(database: Database, dora: User, slug: str, into: str, kind: terms.Kind = THEMES) -> int:
    with database.write() as session:
        return terms.merge(session, dora, kind, slug, into)


def shown(database: Database, practice_id: uuid.UUID) -> Document:
    with database.read() as session:
        record = publishing.public_records(session, [practice_id])[str(practice_id)]
        return publishing.as_document(record, "")


def test_a_term_gets_its_slug_from_the_english_label(database: Database, dora: User) -> None:
    with database.write() as session:
        assert terms.add(session, dora, THEMES, NURSES).slug == "care-for-the-old"
    with database.read() as session:
        found = vocabularies.load(session)
    assert list(found.themes)[-1] == "care-for-the-old"
    assert found.themes["care-for-the-old"].name("de") == "Altenpflege"


def test_a_slug_stays_when_the_label_changes(database: Database, dora: User) -> None:
    with database.write() as session:
        before = vocabularies.generation(session)
        terms.edit(session, dora, THEMES, "housing", Wording("Homes", "Where people live.", {"en": "Homes"}))
        assert vocabularies.generation(session) == before + 1
    with database.read() as session:
        assert vocabularies.load(session).themes["housing"].name("en") == "Homes"


def test_all_that_is_wrong_with_a_term_is_said(database: Database, dora: User) -> None:
    wrong = Wording(" ", "", {"de": "x" * 101}, {"fr": ["y" * 101], "it": [str(n) for n in range(101)]})
    with database.write() as session, pytest.raises(Invalid) as raised:
        terms.add(session, dora, THEMES, wrong)
    fields = {problem.field for problem in raised.value.problems}
    assert fields == {"label", "scope_note", "label-de", "synonyms-fr", "synonyms-it"}


def test_a_label_is_no_second_terms(database: Database, dora: User) -> None:
    with database.write() as session, pytest.raises(Invalid, match="Another term"):
        terms.add(session, dora, THEMES, Wording("HOUSING", "Again."))


def test_the_slug_of_a_merged_term_is_not_used_again(database: Database, dora: User) -> None:
    merge(database, dora, "housing", "health-and-wellbeing")
    with database.write() as session, pytest.raises(Invalid, match="taken, or was once"):
        terms.add(session, dora, THEMES, Wording("Housing", "Again."))


def test_synonyms_are_kept_once_and_without_the_label(database: Database, dora: User) -> None:
    wording = Wording(
        "Homes", "Where people live.", {}, {"en": ["Flats", " flats ", "homes", "", "Houses"], "de": [" "]}
    )
    with database.write() as session:
        assert terms.edit(session, dora, THEMES, "housing", wording).synonyms == {"en": ["Flats", "Houses"]}


@pytest.mark.parametrize(("place", "index"), [(1, 0), (3, 2), (999, -1)])
def test_a_term_moves_to_a_place(database: Database, dora: User, place: int, index: int) -> None:
    with database.write() as session:
        term = session.get_one(Theme, "housing")
        said = Wording(term.label, term.scope_note, term.labels, term.synonyms)
        terms.edit(session, dora, THEMES, "housing", said, place)
    with database.read() as session:
        assert list(vocabularies.load(session).themes)[index] == "housing"


def test_an_edit_that_changes_nothing_leaves_no_trace(database: Database, dora: User) -> None:
    with database.write() as session:
        term = session.get_one(Theme, "housing")
        before = vocabularies.generation(session)
        terms.edit(session, dora, THEMES, "housing", Wording(term.label, term.scope_note, term.labels, term.synonyms))
        assert vocabularies.generation(session) == before
        assert "housing" not in terms.edited(session, THEMES)


def test_only_administrators_touch_the_vocabularies(database: Database) -> None:
    with database.write() as session:
        bob = factories.person(session, "bob@example.org", "editor")
        with pytest.raises(NotAllowed):
            terms.add(session, bob, THEMES, NURSES)
        with pytest.raises(NotAllowed):
            terms.merge(session, bob, THEMES, "housing", "health-and-wellbeing")


# Merging


def test_practices_move_with_the_order_of_their_themes(database: Database, dora: User) -> None:
    primary = published(database, ["housing", "health-and-wellbeing", "labour-inclusion"])
    second = published(database, ["labour-inclusion", "housing"])
    both = published(database, ["health-and-wellbeing", "labour-inclusion", "housing"])
    other = published(database, ["labour-inclusion"])
    assert merge(database, dora, "housing", "health-and-wellbeing") == 3
    assert shown(database, primary)["themes"] == ["health-and-wellbeing", "labour-inclusion"]
    assert shown(database, second)["themes"] == ["labour-inclusion", "health-and-wellbeing"]
    assert shown(database, both)["themes"] == ["health-and-wellbeing", "labour-inclusion"]
    assert shown(database, other)["themes"] == ["labour-inclusion"]


def test_practices_that_move_are_looked_at_by_the_index(database: Database, dora: User) -> None:
    practice = published(database, ["housing"])
    published(database, ["health-and-wellbeing"])
    with database.write() as session:
        session.execute(delete(IndexOutbox))
    merge(database, dora, "housing", "health-and-wellbeing")
    with database.read() as session:
        assert session.scalars(select(IndexOutbox.practice_id)).all() == [practice]


def test_target_groups_merge_too(database: Database, dora: User) -> None:
    practice = published(database, ["housing"], target_groups=["migrant-workers", "refugees"])
    merge(database, dora, "migrant-workers", "refugees", TARGET_GROUPS)
    assert shown(database, practice)["target_groups"] == ["refugees"]
    with database.read() as session:
        found = vocabularies.load(session)
    assert found.current("target_groups", "migrant-workers") == "refugees"
    assert found.current("themes", "migrant-workers") == "migrant-workers"


def test_chains_of_merges_collapse(database: Database, dora: User) -> None:
    merge(database, dora, "housing", "health-and-wellbeing")
    merge(database, dora, "health-and-wellbeing", "labour-inclusion")
    with database.read() as session:
        found = session.execute(select(TermSuccessor.slug, TermSuccessor.successor)).all()
    assert sorted(map(tuple, found)) == [("health-and-wellbeing", "labour-inclusion"), ("housing", "labour-inclusion")]


def test_what_the_old_term_was_called_finds_the_new_one(database: Database, dora: User) -> None:
    merge(database, dora, "housing", "health-and-wellbeing")
    with database.read() as session:
        found = vocabularies.load(session)
    assert "Housing" in found.themes["health-and-wellbeing"].synonyms["en"]
    names = {
        name.text for name in naming.names(found) if name.facet == "theme" and name.value == "health-and-wellbeing"
    }
    assert {"Housing", "housing"} <= names


@pytest.mark.parametrize("into", ["housing", "nowhere", ""])
def test_a_term_is_merged_into_another_one_only(database: Database, dora: User, into: str) -> None:
    with database.write() as session, pytest.raises(Invalid, match="Choose the term"):
        terms.merge(session, dora, THEMES, "housing", into)


def test_an_unknown_term_is_not_found(database: Database, dora: User) -> None:
    with database.write() as session, pytest.raises(NotFound):
        terms.merge(session, dora, THEMES, "nowhere", "health-and-wellbeing")


def test_an_old_address_of_a_search_is_understood(database: Database, dora: User) -> None:
    merge(database, dora, "housing", "health-and-wellbeing")
    with database.read() as session:
        found = vocabularies.load(session)
    asked = query.parse([("theme", "housing"), ("drop", "theme:housing")], found, strict=True)
    assert asked.query.theme == ("health-and-wellbeing",) and asked.query.drop == ("theme:health-and-wellbeing",)
    assert not asked.canonical
    both = query.parse([("theme", "housing"), ("theme", "health-and-wellbeing")], found)
    assert both.query.theme == ("health-and-wellbeing",)


def test_a_draft_with_a_merged_theme_is_opened_and_submitted(database: Database, dora: User, alice: User) -> None:
    with database.write() as session:
        practice = factories.draft(session, session.get_one(User, alice.id), themes=["housing", "labour-inclusion"])
    merge(database, dora, "housing", "health-and-wellbeing")
    with database.write() as session:
        draft, author = session.get_one(Practice, practice.id), session.get_one(User, alice.id)
        assert practices.working_copy(session, draft)["themes"] == ["health-and-wellbeing", "labour-inclusion"]
        practices.submit(session, author, draft, vocabularies.load(session))
        newest = select(Revision.document).where(Revision.practice_id == practice.id).order_by(Revision.number.desc())
        documents = session.scalars(newest).all()
    assert [document["themes"][0] for document in documents] == ["health-and-wellbeing", "housing"], (
        "revisions stay as they were"
    )


def test_saving_an_untouched_draft_with_a_merged_theme_makes_no_revision(
    database: Database, dora: User, alice: User
) -> None:
    with database.write() as session:
        practice = factories.draft(session, session.get_one(User, alice.id), themes=["housing"])
    merge(database, dora, "housing", "health-and-wellbeing")
    with database.write() as session:
        draft, author = session.get_one(Practice, practice.id), session.get_one(User, alice.id)
        practices.save(session, author, draft, practices.working_copy(session, draft), None)
        assert draft.revision_count == 1


def test_a_submission_with_a_merged_theme_is_published(database: Database, dora: User, alice: User) -> None:
    with database.write() as session:
        practice = factories.submitted(session, session.get_one(User, alice.id), themes=["housing"])
    merge(database, dora, "housing", "health-and-wellbeing")
    with database.write() as session:
        sent = session.get_one(Practice, practice.id)
        moderation.publish(session, session.get_one(User, dora.id), sent, vocabularies.load(session))
    assert shown(database, practice.id)["themes"] == ["health-and-wellbeing"]


def test_an_update_shows_no_change_of_themes_after_a_merge(database: Database, dora: User, alice: User) -> None:
    with database.write() as session:
        practice = factories.published(session, session.get_one(User, alice.id), themes=["housing"])
    merge(database, dora, "housing", "health-and-wellbeing")
    with database.write() as session:
        found, author = session.get_one(Practice, practice.id), session.get_one(User, alice.id)
        changed = {**practices.working_copy(session, found), "place": "Ravenna"}
        practices.save(session, author, found, changed, None)
        base, _whole = reviewing.bases(session, author, found)
        assert differences.changed(base.document, practices.working_copy(session, found)) == ["place"]


def test_a_record_with_a_merged_theme_can_be_imported(database: Database, dora: User) -> None:
    merge(database, dora, "housing", "health-and-wellbeing")
    with database.read() as session:
        clean = check(factories.document(themes=["housing", "health-and-wellbeing"]), vocabularies.load(session))
    assert clean["themes"] == ["health-and-wellbeing"]


def test_a_merged_base_agrees_with_itself(peopled_folder: Path, tmp_path: Path) -> None:
    config = configure(stack.copy(peopled_folder, tmp_path / "data"))
    database = Database(config.database_url)
    with database.write() as session:
        dora, alice = accounts.get(session, "dora@example.org"), accounts.get(session, "alice@example.org")
        factories.published(session, themes=["housing"])
        factories.submitted(session, alice, themes=["housing"])
        session.execute(delete(IndexOutbox))
        terms.merge(session, dora, THEMES, "housing", "health-and-wellbeing")
    engine = open_engine(config.search_url, config.index_dir)
    faults = [fault for fault in consistency.faults(database, engine) if "search index" not in fault]
    engine.close()
    database.close()
    assert faults == []


def test_the_log_says_who_merged_what(database: Database, dora: User) -> None:
    merge(database, dora, "housing", "health-and-wellbeing")
    with database.read() as session:
        entry = session.scalars(select(AuditEntry).where(AuditEntry.action == "term.merge")).one()
    assert (entry.user_id, entry.object_kind, entry.object_id) == (dora.id, "theme", "housing")
    assert entry.detail == {"into": "health-and-wellbeing", "practices": 0}


# The seed


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A seed without practices, whose themes a new release may change."""
    yield shutil.copytree(seeding.FOLDER, tmp_path / "seed", ignore=shutil.ignore_patterns("practices"))


def release(folder: Path, before: str, after: str) -> None:
    path = folder / "themes.yaml"
    text = path.read_text(encoding="utf-8")
    assert before in text
    path.write_text(text.replace(before, after), encoding="utf-8")


def seeded(database: Database, folder: Path) -> vocabularies.Vocabulary:
    with database.write() as session:
        seeding.load_vocabularies(session, folder)
    with database.read() as session:
        return vocabularies.load(session)


def test_the_seed_leaves_an_edited_term_alone(database: Database, dora: User, folder: Path) -> None:
    with database.write() as session:
        terms.edit(session, dora, THEMES, "housing", Wording("Homes", "Where people live."))
    release(folder, "- brain gain\n", "- brain gain\n    - circulation of talent\n")
    found = seeded(database, folder)
    assert found.themes["housing"].label == "Homes"
    assert "circulation of talent" in found.themes["talent-attraction-and-retention"].synonyms["en"]


def test_the_seed_does_not_bring_back_a_merged_term(database: Database, dora: User, folder: Path) -> None:
    merge(database, dora, "housing", "health-and-wellbeing")
    found = seeded(database, folder)
    assert "housing" not in found.themes and "Housing" in found.themes["health-and-wellbeing"].synonyms["en"]


def test_a_new_term_of_the_seed_comes_last_and_the_order_stays(database: Database, dora: User, folder: Path) -> None:
    with database.write() as session:
        term = session.get_one(Theme, "housing")
        said = Wording(term.label, term.scope_note, term.labels, term.synonyms)
        terms.edit(session, dora, THEMES, "housing", said, 1)
    path = folder / "themes.yaml"
    entry = "- slug: sport\n  label: Sport\n  scope_note: Clubs.\n  labels: {en: Sport}\n  synonyms: {en: [football]}\n"
    path.write_text(entry + path.read_text(encoding="utf-8"), encoding="utf-8")
    order = list(seeded(database, folder).themes)
    assert order[0] == "housing" and order[-1] == "sport"


def test_seeding_again_changes_nothing(database: Database, folder: Path) -> None:
    with database.read() as session:
        before = vocabularies.generation(session)
    assert seeded(database, folder).generation == before


def test_a_seed_practice_whose_theme_was_merged_is_neither_refused_nor_renewed(
    database: Database, dora: User, folder: Path
) -> None:
    (folder / "practices").mkdir()
    shutil.copy(seeding.FOLDER / "practices" / "catalonia-acol-line.yaml", folder / "practices")
    with database.write() as session:
        assert seeding.seed(session, folder).added == 1
        primary = session.scalars(select(RecordTheme.theme).where(RecordTheme.position == 0)).one()
    merge(database, dora, primary, "housing")
    with database.write() as session:
        assert seeding.seed(session, folder) == seeding.Seeded(added=0, renewed=0, kept=1)
        assert session.scalars(select(RecordTheme.theme).where(RecordTheme.position == 0)).one() == "housing"
