"""Random people do random things to practices, allowed or not; after every step the base is as the table says.

`make test` walks the same short ways each time. `KB_TEST_RUNS=500 make test ARGS="-k random_people"` walks new ones.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import uuid
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from hypothesis.stateful import run_state_machine_as_test as run
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from kb.db import Database
from kb.models import AuditEntry, MailMessage, Practice, PracticeAuthor, Record, Revision, State, User
from kb.search import open_engine
from kb.services import accounts, catalogue, lifecycle, mending, moderation, practices, redaction
from kb.services.errors import Conflict, Invalid, NotAllowed, ServiceError
from kb.services.indexing import Indexer
from kb.services.locks import open_locks
from kb.services.naming import thesaurus
from kb.services.permissions import TRANSITIONS, Transition, can, public
from kb.services.query import CatalogueQuery
from kb.services.vocabularies import VocabularyCache
from tests import stack
from tests.conftest import configure
from tests.factories import CONTACT, document, organisation

RUNS = int(os.environ.get("KB_TEST_RUNS", "0"))
"""How many random walks to make instead of those of `make test`."""

PEOPLE = {"alice": "member", "carol": "member", "charlie": "member", "bob": "editor", "erin": "editor",
          "dora": "admin", "rita": "reader"}  # fmt: skip
"""Alice and Carol are of one organisation, Charlie is an outsider."""

EDITORS = ("bob", "erin", "dora")

TO_AUTHORS = {
    "mend": "practice-mended",
    "request-changes": "practice-changes-requested",
    "publish": "practice-published",
    "reject": "practice-rejected",
    "archive": "practice-archived",
    "unpublish": "practice-unpublished",
    "restore": "practice-published",
    "republish": "practice-published",
}
"""What whoever writes a practice is mailed about each step that somebody else makes."""

STEPS = ("submit", "withdraw", "take", "release", "hand-over", "request-changes", "reject", "publish", "redact",
         *lifecycle.STEPS)  # fmt: skip

MAY_STILL_BE_REFUSED: dict[str, type[ServiceError] | tuple[type[ServiceError], ...]] = {
    "submit": Invalid,  # what is missing
    "publish": NotAllowed,  # one's own
    "hand-over": Invalid,  # to who is no editor, or has it
    "redact": Conflict,  # a version redacted before
    "resume": Conflict,  # what was redacted
    "republish": (Conflict, NotAllowed),  # what was redacted; one's own
    "restore": NotAllowed,  # one's own
}
"""How a step may end that the table lets somebody make: the service knows more than the table."""


PUBLISHED = ("submit", "publish")

WAYS = (
    (), ("submit",), ("submit", "take"), ("submit", "request-changes"), ("submit", "reject"), PUBLISHED,
    (*PUBLISHED, "save"), (*PUBLISHED, "save", "submit"), (*PUBLISHED, "save", "submit", "take"),
    (*PUBLISHED, "archive"), (*PUBLISHED, "unpublish"), (*PUBLISHED, "save", "unpublish"),
    (*PUBLISHED, "save", "submit", "unpublish", "reject"),
)  # fmt: skip
"""How far a practice may have come when a walk begins."""


@dataclass
class Held:
    """What the test knows of one practice."""

    authors: list[str]
    state: State = State.DRAFT
    shown: str | None = None
    version: int = 0
    texts: list[tuple[int, str]] = field(default_factory=list)
    log: list[str] = field(default_factory=list)


class Life(RuleBasedStateMachine):
    """Up to three practices in a base of their own, with a real index."""

    origin: Path
    cache = VocabularyCache()

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="kb-life-", dir=self.origin.parent))
        config = configure(stack.copy(self.origin, self.folder / "data"))
        self.database = Database(config.database_url)
        self.engine = open_engine(config.search_url, config.index_dir)
        self.indexer = Indexer(self.database, self.engine, self.cache, open_locks(self.database, config.data_dir))
        with self.database.read() as session:
            self.vocabulary = self.cache.get(session)
        self.names = thesaurus(self.vocabulary)
        self.held: dict[uuid.UUID, Held] = {}
        self.mails: Counter[tuple[str, str]] = Counter()
        self.count = self.steps = 0

    def teardown(self) -> None:
        self.engine.close()
        self.database.close()
        shutil.rmtree(self.folder)

    # What people do

    @initialize(way=st.sampled_from(WAYS), shared=st.booleans())
    def begin(self, way: tuple[str, ...], shared: bool) -> None:
        """A practice of Alice's that has come some way already, and that Charlie writes too if it is `shared`."""
        self._start("alice")
        key = self._one(0)
        if shared:
            with self.database.write() as session:
                charlie = accounts.get(session, "charlie@example.org")
                session.add(PracticeAuthor(practice_id=key, user_id=charlie.id))
            self.held[key].authors.append("charlie")
        for what in way:
            if what == "save":
                self._save("alice", key, whole=True)
            else:
                self._step("alice" if what == "submit" else "bob", key, what)

    @precondition(lambda self: len(self.held) < 3)
    @rule(who=st.sampled_from(["carol", "charlie", "bob", "rita"]))
    def start(self, who: str) -> None:
        if who != "rita":
            self._start(who)
            return
        with pytest.raises(NotAllowed), self.database.write() as session:
            practices.start(session, accounts.get(session, "rita@example.org"), document(), dict(CONTACT))

    @rule(who=st.sampled_from([*PEOPLE]), which=st.integers(0, 2), odd=st.sampled_from(["", "", "", "half", "late"]))
    def save(self, who: str, which: int, odd: str) -> None:
        """Write something: `half` cannot be submitted, `late` was begun from an older text."""
        self._save(who, self._one(which), whole=odd != "half", late=odd == "late")

    @rule(who=st.sampled_from([*EDITORS]), which=st.integers(0, 2), late=st.booleans())
    def mend(self, who: str, which: int, late: bool) -> None:
        """An editor puts a word right in what waits for a decision."""
        key, text = self._one(which), self._text()

        def act(session: Session, actor: User, practice: Practice) -> None:
            seen = practice.revision_count - late
            mending.mend(session, actor, practice, self.vocabulary, {"title": text}, "A typo.", seen)

        if self._try(who, key, "mend", act, may_be_refused=Conflict if late else None):
            assert not late
            self.held[key].texts.append((self.held[key].texts[-1][0] + 1, text))
            self._noted(key, "practice.mend")
            self._expect_mail(who, self.held[key].authors, "mend")

    @rule(number=st.integers(0, 2**32))
    def step(self, number: int) -> None:
        """Make a step of the workflow: one time in five any, else one that the tables let somebody make.

        One time in ten it is made on a page that shows an older text. Chosen evenly, as hypothesis would not.
        """
        self.steps += 1
        dice = Random(number + self.steps)
        key = dice.choice([*self.held])
        with self.database.read() as session:
            practice = session.get_one(Practice, key)
            users = {name: accounts.get(session, f"{name}@example.org") for name in PEOPLE}
            may = [(what, name) for what in STEPS for name, user in users.items() if can(user, what, practice)]
        what = dice.choice([*STEPS] if dice.random() < 0.2 or not may else sorted({what for what, _ in may}))
        who = dice.choice([name for each, name in may if each == what] or [*PEOPLE])
        if what == "redact" and dice.random() < 0.8:
            return  # after it little can happen
        self._step(who, key, what, dice.choice(["rita", *EDITORS]), dice.random() < 0.1)

    # What is expected

    def _save(self, who: str, key: uuid.UUID, *, whole: bool, late: bool = False) -> None:
        text, held = self._text(), self.held[key]

        def act(session: Session, actor: User, practice: Practice) -> None:
            typed = document(title=text, summary="A summary." if whole else None)
            practices.save(session, actor, practice, typed, None, practice.revision_count - late)

        if not self._try(who, key, "edit", act, may_be_refused=Conflict if late else None):
            return
        assert not late
        held.texts.append((held.texts[-1][0] + 1, text))
        if held.state == State.PUBLISHED:
            held.state = State.DRAFT
            self._noted(key, "practice.start-update")
        self._noted(key, "practice.save")

    def _step(self, who: str, key: uuid.UUID, what: str, other: str = "", late: bool = False) -> None:
        held = self.held[key]
        with self.database.read() as session:
            row = _row(what, session.get_one(Practice, key))
        judged = what in ("take", "release", "hand-over", "request-changes", "reject", "publish")
        refusal = Conflict if late and judged else MAY_STILL_BE_REFUSED.get(what)

        def act(session: Session, actor: User, practice: Practice) -> None:
            seen = practice.revision_count - late
            deeds: dict[str, Callable[[], object]] = {
                "submit": lambda: practices.submit(session, actor, practice, self.vocabulary),
                "withdraw": lambda: practices.withdraw(session, actor, practice),
                "take": lambda: moderation.take(session, actor, practice, seen),
                "release": lambda: moderation.release(session, actor, practice, seen),
                "hand-over": lambda: moderation.hand_over(
                    session, actor, practice, accounts.get(session, f"{other}@example.org"), seen
                ),
                "request-changes": lambda: moderation.request_changes(session, actor, practice, "Why?", None, seen),
                "reject": lambda: moderation.reject(session, actor, practice, "Not here.", seen),
                "publish": lambda: moderation.publish(session, actor, practice, self.vocabulary, seen=seen),
                "redact": lambda: redaction.redact(session, actor, key, practice.version, "It named a child."),
            }
            if what in deeds:
                deeds[what]()
            else:
                lifecycle.STEPS[what](session, actor, practice, "For this reason.")

        if not self._try(who, key, what, act, may_be_refused=refusal):
            return
        assert row is not None, f"{what} from {held.state} stands in no row of the table"
        assert not (late and judged)
        held.state = row.target
        self._noted(key, f"practice.{what}")
        self._follow(key, what, held, row)
        self._expect_mail(who, held.authors, what, other)

    def _follow(self, key: uuid.UUID, what: str, held: Held, row: Transition) -> None:
        """What the step did to the texts and to what readers see."""
        with self.database.read() as session:
            practice = session.get_one(Practice, key)
            number = Revision.number == practice.revision_count
            newest = session.scalars(select(Revision).where(Revision.practice_id == key, number)).one()
        title = newest.document.get("title")
        if newest.number > held.texts[-1][0]:  # submitted, published, or the public version again
            held.texts.append((newest.number, str(title)))
        if what == "publish":
            held.shown, held.version = str(title), held.version + 1
        elif what in ("archive", "unpublish", "redact"):
            held.shown = None
        elif what in ("restore", "republish"):
            with self.database.read() as session:
                last = select(Revision).where(Revision.practice_id == key, Revision.version == held.version)
                held.shown = str(session.scalars(last).one().document["title"])
        if row.target == State.PUBLISHED:
            assert title == held.shown, "the working copy of a published practice is what readers see"

    def _expect_mail(self, who: str, authors: list[str], what: str, other: str = "") -> None:
        if what == "submit":
            self.mails.update(("practice-waiting", each) for each in EDITORS if each != who)
        elif what == "hand-over" and other != who:
            self.mails[("practice-handed-over", other)] += 1
        elif what in TO_AUTHORS:
            self.mails.update((TO_AUTHORS[what], each) for each in authors if each != who)

    @invariant()
    def no_practice_stands_elsewhere_than_the_table_led_it(self) -> None:
        with self.database.read() as session:
            for key, held in self.held.items():
                practice = session.get_one(Practice, key)
                assert (practice.state, practice.version) == (held.state, held.version)

    @invariant()
    def every_text_that_was_kept_is_in_its_revision_still(self) -> None:
        with self.database.read() as session:
            for key, held in self.held.items():
                revisions = {each.number: each for each in session.scalars(select(Revision)
                             .where(Revision.practice_id == key))}  # fmt: skip
                assert sorted(revisions) == list(range(1, session.get_one(Practice, key).revision_count + 1))
                for number, text in held.texts:
                    kept = revisions[number]
                    assert kept.redacted is not None or kept.document["title"] == text

    @invariant()
    def the_audit_log_has_one_entry_for_each_change_and_none_for_a_refusal(self) -> None:
        with self.database.read() as session:
            entries = session.execute(select(AuditEntry.object_id, AuditEntry.action)
                                      .where(AuditEntry.object_kind == "practice").order_by(AuditEntry.id))  # fmt: skip
            found: dict[str, list[str]] = {}
            for key, action in entries:
                found.setdefault(key, []).append(action)
        assert found == {str(key): held.log for key, held in self.held.items()}

    @invariant()
    def each_event_is_one_mail_to_each_whom_it_concerns(self) -> None:
        with self.database.read() as session:
            rows = session.execute(select(MailMessage.kind, MailMessage.address))
            assert Counter((kind, address.partition("@")[0]) for kind, address in rows) == +self.mails

    @invariant()
    def search_finds_exactly_what_is_public(self) -> None:
        assert self.indexer.drain()
        shown = {str(key): held.shown for key, held in self.held.items() if held.shown is not None}
        assert self.engine.ids() == shown.keys()
        with self.database.read() as session:
            assert session.scalar(select(func.count()).select_from(Record)) == len(shown)
            listed = catalogue.search(session, self.engine, self.vocabulary, CatalogueQuery(), 1, 20, "")
            assert {item.record["title"] for item in listed.full} == set(shown.values())
        for title in {*shown.values(), *(held.texts[-1][1] for held in self.held.values())}:
            asked = CatalogueQuery(q=title.split()[-1]).to_engine(self.names, 1, 20, facets=False)
            found = {hit.id for hit in self.engine.search(asked).hits}
            assert found == {key for key, public_title in shown.items() if public_title == title}

    # How it is done

    def _start(self, who: str) -> None:
        text = self._text()
        with self.database.write() as session:
            actor = accounts.get(session, f"{who}@example.org")
            key = practices.start(session, actor, document(title=text), dict(CONTACT)).id
        self.held[key] = Held([who], texts=[(1, text)], log=["practice.start"])

    def _try(
        self,
        who: str,
        key: uuid.UUID,
        what: str,
        act: Callable[[Session, User, Practice], None],
        may_be_refused: type[ServiceError] | tuple[type[ServiceError], ...] | None,
    ) -> bool:
        """Do something; whether it was done has to be what the tables say."""
        with self.database.read() as session:
            actor = accounts.get(session, f"{who}@example.org")
            allowed = can(actor, what, session.get_one(Practice, key))
        try:
            with self.database.write() as session:
                act(session, accounts.get(session, f"{who}@example.org"), session.get_one(Practice, key))
        except ServiceError as refused:
            assert not allowed or (may_be_refused is not None and isinstance(refused, may_be_refused)), (what, refused)
            return False
        assert allowed, f"{who} did {what} against the tables"
        return True

    def _noted(self, key: uuid.UUID, *actions: str) -> None:
        self.held[key].log += actions

    def _one(self, which: int) -> uuid.UUID:
        return list(self.held)[which % len(self.held)]

    def _text(self) -> str:
        """A title with a word that no other text has."""
        self.count += 1
        return f"Mentors x{self.count:04d}".translate(str.maketrans("0123456789", "bcdfghjklm"))


def _row(action: str, practice: Practice) -> Transition | None:
    """The row of the table that an action takes from where a practice stands, found without asking `transition`."""
    rows = [
        row
        for row in TRANSITIONS
        if row.action == action and practice.state in row.sources and (not row.public or public(practice) in row.public)
    ]
    assert len(rows) < 2
    return rows[0] if rows else None


@pytest.fixture(scope="module")
def peopled(bare_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A base with PEOPLE, whom nobody will ask for a password."""
    folder = stack.copy(bare_folder, tmp_path_factory.mktemp("life") / "data")
    database = Database(configure(folder).database_url)
    with database.write() as session:
        users = {name: accounts.add_user(session, f"{name}@example.org", role) for name, role in PEOPLE.items()}
        organisation(session, "Region of Example", users["alice"], users["carol"])
    with database.engine.connect() as connection:  # so that a copy of the one file is the whole database
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    database.close()
    return folder


def test_random_people_cannot_break_the_life_of_a_practice(peopled: Path) -> None:
    walks = settings(
        max_examples=RUNS or 40,
        phases=[Phase.generate] if not RUNS else [*Phase],
        stateful_step_count=60 if RUNS else 20,
        derandomize=not RUNS,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    run(type("Machine", (Life,), {"origin": peopled}), settings=walks)


def test_the_machine_knows_every_step_of_the_table() -> None:
    elsewhere = {"leave", "start-update", "merge", "unmerge"}
    assert {row.action for row in TRANSITIONS} - elsewhere == set(STEPS)
