"""The whole schema on one page: tables, enums, and the invariants of a row. Knows no Flask.

How a practice is kept:

* `Practice` is its identity and where it stands in the workflow. It is never deleted.
* `Revision` is a version that someone saved, submitted or published: the whole record as JSON, immutable. The newest is
  the working copy; a draft may hold anything that was typed, so only JSON can hold it.
* `Record` is the public version, typed and constrained, with its terms and regions beside it. A row is there exactly
  while the practice is public: whoever reads `records` cannot meet a draft.
"""

from __future__ import annotations

import uuid
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    CheckConstraint,
    Enum,
    ForeignKey,
    Index,
    MetaData,
    Numeric,
    String,
    Text,
    UniqueConstraint,
    false,
    text,
    true,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from kb.db import Base, UtcDateTime

EDITION = "2024"
"""The edition of NUTS that codes are read in."""

TITLE_LIMIT = 100
SLUG_LIMIT = 120
ADDRESS_LIMIT = 2000


class Role(StrEnum):
    """What a person may do, each role including those before it."""

    READER = "reader"
    MEMBER = "member"
    EDITOR = "editor"
    ADMIN = "admin"


class State(StrEnum):
    """Where the working copy of a practice stands. Whether readers see a version is another matter: see Record."""

    DRAFT = "draft"
    SUBMITTED = "submitted"
    IN_REVIEW = "in-review"
    CHANGES_REQUESTED = "changes-requested"
    PUBLISHED = "published"
    WITHDRAWN = "withdrawn"
    REJECTED = "rejected"
    ARCHIVED = "archived"


class RevisionKind(StrEnum):
    """Why a revision was made."""

    SAVED = "saved"
    SUBMITTED = "submitted"
    PUBLISHED = "published"


class Level(StrEnum):
    LOCAL = "local"
    REGIONAL = "regional"
    CROSS_BORDER = "cross-border"
    NATIONAL = "national"


class AuthorityRole(StrEnum):
    """The part that the regional authority plays."""

    LEADER = "leader"
    COORDINATOR = "coordinator"
    PARTNER = "partner"
    FUNDER = "funder"
    SUPPORTER = "supporter"
    ADVISER = "adviser"


class OrganisationType(StrEnum):
    REGIONAL_AUTHORITY = "regional-authority"
    LOCAL_AUTHORITY = "local-authority"
    AGENCY = "agency"
    NGO = "ngo"
    UNIVERSITY = "university"
    BUSINESS = "business"
    OTHER = "other"


class Status(StrEnum):
    """Where the practice itself stands. Discontinued is first-class: why it stopped is worth as much as a success."""

    PLANNED = "planned"
    PILOT = "pilot"
    RUNNING = "running"
    MAINSTREAMED = "mainstreamed"
    ENDED = "ended"
    DISCONTINUED = "discontinued"


class Evidence(StrEnum):
    """How well the results are known. NULL is "not reported"; NONE is "no evaluation was made"."""

    NONE = "none"
    MONITORING = "monitoring"
    SELF_EVALUATION = "self-evaluation"
    EXTERNAL_EVALUATION = "external-evaluation"
    COUNTERFACTUAL = "counterfactual"


class FundingSource(StrEnum):
    AMIF = "AMIF"
    ESF = "ESF"
    ERDF = "ERDF"
    INTERREG = "Interreg"
    ERASMUS = "Erasmus"
    OTHER_EU = "other-eu"
    NATIONAL = "national"
    REGIONAL = "regional"
    LOCAL = "local"
    PRIVATE = "private"
    OTHER = "other"


class RegionType(StrEnum):
    """Types of region that practices can be found by; the first three exclude each other."""

    URBAN = "urban"
    INTERMEDIATE = "intermediate"
    RURAL = "rural"
    MOUNTAIN = "mountain"
    COAST = "coast"
    BORDER = "border"


class Origin(StrEnum):
    """How a practice came here."""

    SEED = "seed"
    MEMBER = "member"
    IMPORT = "import"
    HARVEST = "harvest"


class Decision(StrEnum):
    """What a review ended in."""

    CHANGES_REQUESTED = "changes-requested"
    PUBLISHED = "published"
    REJECTED = "rejected"


class Form(StrEnum):
    """A form whose text is kept while it is being written."""

    PRACTICE = "practice"
    REVIEW = "review"


class Part(StrEnum):
    """What somebody is offered in a practice: to write it too, or to have it."""

    CO_AUTHOR = "co-author"
    OWNER = "owner"


class AdoptionStatus(StrEnum):
    """How far a region has come with a practice of another."""

    CONSIDERING = "considering"
    ADAPTING = "adapting"
    RUNNING = "running"
    STOPPED = "stopped"


class RegionMeasure(StrEnum):
    """A figure of a region that the operator may load from Eurostat's files.

    `POPULATION`: people on 1 January; `FOREIGN_SHARE`: per cent of them with the citizenship of another country.
    """

    POPULATION = "population"
    FOREIGN_SHARE = "foreign-share"


class Scope(StrEnum):
    """What a token of the API may do; the second includes the first. Publishing is in none."""

    DRAFT = "draft"
    SUBMIT = "submit"


class Frequency(StrEnum):
    """How often a saved search sends what is new."""

    DAILY = "daily"
    WEEKLY = "weekly"


class LinkPurpose(StrEnum):
    """What a one-time link opens."""

    FIRST_ADMIN = "first-admin"
    SIGN_IN = "sign-in"
    RESET = "reset"
    ADDRESS = "address"


def N_(text: str) -> str:
    """Mark a sentence for the translators."""
    return text


def personal(called: str, note: str) -> dict[str, Any]:
    """What `/privacy` says of a table: what it is called there, and what it holds about people and why.

    For a column the note alone counts. How long it is kept stands in kb/services/retention.py.
    """
    return {"info": {"called": called, "privacy": note}}


def _now() -> datetime:
    return datetime.now(UTC)


def choice(values: type[StrEnum]) -> Enum:
    """A text column that holds one of the enum's values, checked by the database itself."""
    return Enum(
        values,
        native_enum=False,
        create_constraint=True,
        length=32,
        name=values.__name__.lower(),
        values_callable=lambda members: [member.value for member in members],
    )


# People


class Organisation(Base):
    """A body whose members share its practices."""

    __tablename__ = "organisations"
    __table_args__ = personal(
        N_("Organisations"),
        N_(
            "Name, type, region and web address of a body whose members share its practices; its people are those "
            "whose account names it."
        ),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    name: Mapped[str] = mapped_column(String(200), unique=True)
    type: Mapped[OrganisationType | None] = mapped_column(choice(OrganisationType))
    region_code: Mapped[str | None] = mapped_column(ForeignKey("regions.code"))
    url: Mapped[str | None] = mapped_column(String(ADDRESS_LIMIT))
    created: Mapped[datetime] = mapped_column(UtcDateTime, default=_now)


class User(Base):
    """A person with an account. The address is kept in lower case.

    `confirmed`: when a mail to the address was answered. `deleted`: when the person left; then the row only says that
    somebody was here. `notify`: whether mail comes that is not about one's own practices. `totp_secret` (base32) is
    there while a second factor is set up; `totp_used` is the time step last used, which works no second time.
    """

    __tablename__ = "users"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    email: Mapped[str] = mapped_column(String(254), unique=True)
    name: Mapped[str] = mapped_column(String(200), default="")
    role: Mapped[Role] = mapped_column(choice(Role))
    region_code: Mapped[str | None] = mapped_column(ForeignKey("regions.code"))
    password_hash: Mapped[str | None] = mapped_column(String(255))
    active: Mapped[bool] = mapped_column(default=True)
    created: Mapped[datetime] = mapped_column(UtcDateTime, default=_now)
    organisation_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("organisations.id"), index=True)
    language: Mapped[str] = mapped_column(String(8), default="en", server_default="en")
    confirmed: Mapped[datetime | None] = mapped_column(UtcDateTime)
    deleted: Mapped[datetime | None] = mapped_column(UtcDateTime)
    notify: Mapped[bool] = mapped_column(default=True, server_default=true())
    totp_secret: Mapped[str | None] = mapped_column(
        String(64), **personal("", N_("The key of the second factor is kept as it is: the codes are computed from it."))
    )
    totp_used: Mapped[int | None]

    organisation: Mapped[Organisation | None] = relationship()

    __table_args__ = (
        CheckConstraint("email = lower(email)", name="email_lower"),
        personal(
            N_("Accounts"),
            N_(
                "Name, e-mail address, role, organisation, region, language, which mail is wanted, and when the "
                "account was made and its address confirmed: to sign in, and to say to colleagues and editors who "
                "wrote what. Of the password only a check value (Argon2) is kept."
            ),
        ),
    )


class RecoveryCode(Base):
    """A code that stands in once for a lost second factor; only its SHA-256 is kept."""

    __tablename__ = "recovery_codes"
    __table_args__ = personal(
        N_("Recovery codes of a second factor"),
        N_("Check values of the codes that stand in for a lost telephone, and when each was used."),
    )

    code_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    user_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    used: Mapped[datetime | None] = mapped_column(UtcDateTime)


class Invitation(Base):
    """An offer of an account. `accepted` says when its link was used, `withdrawn` when it was taken back."""

    __tablename__ = "invitations"
    __table_args__ = personal(
        N_("Invitations"),
        N_(
            "Name and e-mail address of whoever was invited, to which role, organisation and region, by whom, and "
            "whether it was accepted: so that the link in the mail can make the account."
        ),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    email: Mapped[str] = mapped_column(String(254), index=True)
    name: Mapped[str] = mapped_column(String(200), default="")
    role: Mapped[Role] = mapped_column(choice(Role))
    organisation_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("organisations.id"))
    region_code: Mapped[str | None] = mapped_column(ForeignKey("regions.code"))
    language: Mapped[str] = mapped_column(String(8), default="en")
    inviter_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("users.id"))
    user_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("users.id"))
    created: Mapped[datetime] = mapped_column(UtcDateTime, default=_now)
    expires: Mapped[datetime] = mapped_column(UtcDateTime)
    accepted: Mapped[datetime | None] = mapped_column(UtcDateTime)
    withdrawn: Mapped[datetime | None] = mapped_column(UtcDateTime)

    inviter: Mapped[User | None] = relationship(foreign_keys=inviter_id)
    organisation: Mapped[Organisation | None] = relationship()


class Registration(Base):
    """Somebody's wish for an account: confirmed by mail, then decided by an editor or administrator."""

    __tablename__ = "registrations"
    __table_args__ = personal(
        N_("Requests for an account"),
        N_(
            "Name, e-mail address, organisation, region and reason of whoever asks for an account, and a check "
            "value of the password: so that an editor can decide."
        ),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    email: Mapped[str] = mapped_column(String(254), index=True)
    name: Mapped[str] = mapped_column(String(200), default="")
    organisation: Mapped[str] = mapped_column(String(200), default="")
    region_code: Mapped[str | None] = mapped_column(ForeignKey("regions.code"))
    reason: Mapped[str] = mapped_column(Text, default="")
    language: Mapped[str] = mapped_column(String(8), default="en")
    password_hash: Mapped[str] = mapped_column(String(255))
    created: Mapped[datetime] = mapped_column(UtcDateTime, default=_now)
    expires: Mapped[datetime] = mapped_column(UtcDateTime)
    confirmed: Mapped[datetime | None] = mapped_column(UtcDateTime)
    accepted: Mapped[bool | None]
    decided: Mapped[datetime | None] = mapped_column(UtcDateTime)
    decider_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("users.id"))


class UserSession(Base):
    """Someone signed in on one browser. The cookie holds a token; only its SHA-256 is kept here.

    `agent` is what the browser calls itself, `seen` when it was last here, to the hour.
    """

    __tablename__ = "user_sessions"
    __table_args__ = personal(
        N_("Sessions"),
        N_(
            "Where somebody is signed in, since when, and in which hour they were last seen there: so that they can"
            " see it and end it."
        ),
    )

    token_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    user_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    created: Mapped[datetime] = mapped_column(UtcDateTime, default=_now)
    expires: Mapped[datetime] = mapped_column(UtcDateTime)
    agent: Mapped[str] = mapped_column(
        String(200),
        default="",
        server_default="",
        **personal("", N_("What the browser calls itself, so that its person knows it again; no network address.")),
    )
    seen: Mapped[datetime | None] = mapped_column(UtcDateTime)

    user: Mapped[User] = relationship()


class HalfSignIn(Base):
    """Somebody gave the right password and not yet the code of the second factor; the cookie holds a token.

    `code_of` is the fingerprint of the second factor that was asked for: another one since then ends the step.
    """

    __tablename__ = "half_sign_ins"
    __table_args__ = personal(
        N_("Sign-ins between password and code"),
        N_("Who gave the right password a moment ago and is asked for the code of the second factor."),
    )

    token_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    user_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    code_of: Mapped[str] = mapped_column(String(64), default="")
    created: Mapped[datetime] = mapped_column(UtcDateTime, default=_now)
    expires: Mapped[datetime] = mapped_column(UtcDateTime)


class OneTimeLink(Base):
    """A link that works once. Without a user it makes the first administrator. `email`: an address to be confirmed."""

    __tablename__ = "one_time_links"
    __table_args__ = personal(
        N_("One-time links"),
        N_("Check values of links that reset a password, confirm an address or sign in, and whether they were used."),
    )

    token_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    purpose: Mapped[LinkPurpose] = mapped_column(choice(LinkPurpose))
    user_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    created: Mapped[datetime] = mapped_column(UtcDateTime, default=_now)
    expires: Mapped[datetime] = mapped_column(UtcDateTime)
    used: Mapped[datetime | None] = mapped_column(UtcDateTime)
    email: Mapped[str | None] = mapped_column(String(254))


class ApiToken(Base):
    """A token with which a member submits through the API. Shown once; only its SHA-256 is kept.

    `hint` are its last signs, by which its person knows it again; `used` is the day on which it was last used.
    Without `expires` it holds until it is revoked.
    """

    __tablename__ = "api_tokens"
    __table_args__ = personal(
        N_("Tokens of the API"),
        N_(
            "A check value of each token with which somebody writes through the API, what it may do, how long it "
            "holds and on which day it was last used."
        ),
    )

    token_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    user_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    created: Mapped[datetime] = mapped_column(UtcDateTime, default=_now)
    name: Mapped[str] = mapped_column(String(100), default="", server_default="")
    hint: Mapped[str] = mapped_column(String(8), default="", server_default="")
    scope: Mapped[Scope] = mapped_column(choice(Scope), default=Scope.SUBMIT, server_default=Scope.SUBMIT.value)
    expires: Mapped[datetime | None] = mapped_column(UtcDateTime)
    used: Mapped[date | None]
    revoked: Mapped[datetime | None] = mapped_column(UtcDateTime)

    user: Mapped[User] = relationship()


class SavedSearch(Base):
    """A question that somebody keeps, and is told by mail what is new in its answer.

    `query` is the canonical string of its parameters, `checked` when it was last asked, `told` when a mail about it was
    last made, `stopped` when its mails were switched off.
    """

    __tablename__ = "saved_searches"
    __table_args__ = personal(
        N_("Saved searches"),
        N_("What somebody searches for again and again, and how often they are told what is new."),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    user_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    name: Mapped[str] = mapped_column(String(200))
    query: Mapped[str] = mapped_column(Text)
    frequency: Mapped[Frequency] = mapped_column(choice(Frequency), default=Frequency.WEEKLY)
    created: Mapped[datetime] = mapped_column(UtcDateTime, default=_now)
    checked: Mapped[datetime] = mapped_column(UtcDateTime, default=_now)
    told: Mapped[datetime | None] = mapped_column(UtcDateTime)
    stopped: Mapped[datetime | None] = mapped_column(UtcDateTime)

    user: Mapped[User] = relationship()


class SavedMatch(Base):
    """Which version of a practice a saved search has told of, or knew when it was saved."""

    __tablename__ = "saved_matches"

    search_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("saved_searches.id", ondelete="CASCADE"), primary_key=True)
    practice_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("practices.id"), primary_key=True)
    version: Mapped[int]


# Vocabularies


class Term:
    """What themes and target groups have in common: labels and synonyms in several languages."""

    slug: Mapped[str] = mapped_column(String(64), primary_key=True)
    position: Mapped[int]
    label: Mapped[str] = mapped_column(String(100))
    scope_note: Mapped[str] = mapped_column(Text)
    labels: Mapped[dict[str, str]] = mapped_column(JSON, default=dict)
    synonyms: Mapped[dict[str, list[str]]] = mapped_column(JSON, default=dict)


class TermSuccessor(Base):
    """A theme or target group that was merged into another: its address leads there, and it is understood."""

    __tablename__ = "term_successors"

    kind: Mapped[str] = mapped_column(String(16), primary_key=True)
    slug: Mapped[str] = mapped_column(String(64), primary_key=True)
    successor: Mapped[str] = mapped_column(String(64))


class Theme(Term, Base):
    """A subject that practices are found by."""

    __tablename__ = "themes"

    mappings: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)


class TargetGroup(Term, Base):
    """People whom practices are for."""

    __tablename__ = "target_groups"


class Region(Base):
    """A region of NUTS 2024, the United Kingdom's of NUTS 2021, or a local code (`x-gb-wales`). Level 0: a country.

    `synonyms` are further names, by the language of the name: other languages' names, short forms, places inside.
    """

    __tablename__ = "regions"

    code: Mapped[str] = mapped_column(String(64), primary_key=True)
    edition: Mapped[str] = mapped_column(String(8))
    level: Mapped[int]
    country: Mapped[str] = mapped_column(String(2), index=True)
    parent: Mapped[str | None] = mapped_column(ForeignKey("regions.code"), index=True)
    name_en: Mapped[str | None] = mapped_column(String(200))
    name_native: Mapped[str] = mapped_column(String(200))
    name_latin: Mapped[str] = mapped_column(String(200))
    synonyms: Mapped[dict[str, list[str]]] = mapped_column(JSON, default=dict, server_default=text("'{}'"))
    lon: Mapped[float | None]
    lat: Mapped[float | None]
    urban_type: Mapped[str | None] = mapped_column(String(16))
    mountain: Mapped[bool | None]
    coast: Mapped[bool | None]
    border: Mapped[bool | None]

    __table_args__ = (
        CheckConstraint("level BETWEEN 0 AND 3", name="level"),
        CheckConstraint("(level = 0) = (parent IS NULL)", name="parent"),
        CheckConstraint("urban_type IN ('urban', 'intermediate', 'rural')", name="urban_type"),
    )


class RegionSuccessor(Base):
    """A retired code and one region that took over; a code may have several rows."""

    __tablename__ = "region_successors"

    code: Mapped[str] = mapped_column(String(64), primary_key=True)
    successor: Mapped[str] = mapped_column(ForeignKey("regions.code"), primary_key=True)
    edition: Mapped[str] = mapped_column(String(8))


class RegionFigure(Base):
    """One figure of a region in a year, from a file of Eurostat that the operator loaded. `source` names the table."""

    __tablename__ = "region_figures"

    region_code: Mapped[str] = mapped_column(ForeignKey("regions.code"), primary_key=True)
    measure: Mapped[RegionMeasure] = mapped_column(choice(RegionMeasure), primary_key=True)
    year: Mapped[int]
    value: Mapped[float]
    source: Mapped[str] = mapped_column(String(100), default="")
    loaded: Mapped[datetime] = mapped_column(UtcDateTime, default=_now)


class Generation(Base):
    """A counter that moves when shared data changes, so that each process knows when its copy is stale."""

    __tablename__ = "generations"

    name: Mapped[str] = mapped_column(String(32), primary_key=True)
    value: Mapped[int] = mapped_column(default=0)


# Practices


class Practice(Base):
    """A practice: its identity and where its working copy stands in the workflow.

    `last_verified` and `review_due` are no part of a version: who confirms that a practice is still correct makes none.
    `reminded` is when its owner was last told that a review is due, `escalated` when the editors were.
    `merged_into_id`: it was the same as another practice, and its address leads there. `was_published` and
    `was_updated` keep the dates of the public version while it is archived or offline; `offline` is since when no list
    has it: a harvester is told so.
    """

    __tablename__ = "practices"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    slug: Mapped[str | None] = mapped_column(String(SLUG_LIMIT), unique=True)
    state: Mapped[State] = mapped_column(choice(State), default=State.DRAFT, index=True)
    title: Mapped[str] = mapped_column(Text, default="")
    owner_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("users.id"), index=True)
    organisation_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("organisations.id"), index=True)
    editor_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("users.id"))
    origin: Mapped[Origin] = mapped_column(choice(Origin), default=Origin.MEMBER)
    origin_url: Mapped[str | None] = mapped_column(String(ADDRESS_LIMIT))
    version: Mapped[int] = mapped_column(default=0)
    revision_count: Mapped[int] = mapped_column(default=0)
    created: Mapped[datetime] = mapped_column(UtcDateTime, default=_now)
    changed: Mapped[datetime] = mapped_column(UtcDateTime, default=_now)
    last_verified: Mapped[date | None]
    review_due: Mapped[date | None] = mapped_column(index=True)
    reminded: Mapped[datetime | None] = mapped_column(UtcDateTime)
    escalated: Mapped[datetime | None] = mapped_column(UtcDateTime)
    merged_into_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("practices.id"))
    was_published: Mapped[datetime | None] = mapped_column(UtcDateTime)
    was_updated: Mapped[datetime | None] = mapped_column(UtcDateTime)
    offline: Mapped[datetime | None] = mapped_column(UtcDateTime, index=True)

    owner: Mapped[User | None] = relationship(foreign_keys=owner_id)
    editor: Mapped[User | None] = relationship(foreign_keys=editor_id)
    record: Mapped[Record | None] = relationship(back_populates="practice", cascade="all, delete-orphan")
    contact: Mapped[Contact | None] = relationship(cascade="all, delete-orphan")
    authors: Mapped[list[PracticeAuthor]] = relationship(order_by="PracticeAuthor.added", cascade="all, delete-orphan")
    revisions: Mapped[list[Revision]] = relationship(
        back_populates="practice", order_by="Revision.number", lazy="write_only", passive_deletes=True
    )

    __table_args__ = (
        CheckConstraint("version >= 0", name="version"),
        CheckConstraint("version = 0 OR slug IS NOT NULL", name="published_has_slug"),
        CheckConstraint("state <> 'published' OR version > 0", name="published_has_version"),
        personal(
            N_("Practices"),
            N_("Who began a practice and which editor reads it: so that they find it and can go on."),
        ),
    )


class Revision(Base):
    """One saved, submitted or published version of a record, whole and immutable.

    `mended`: an editor put a small thing right in someone's submission; `note` tells its author what.
    "For ever" bends to law: where `redacted` is set, the document is empty and `redaction` says why.
    `fingerprint` is a checksum of what was saved, of kb/services/fingerprints.py; none where that is gone.
    """

    __tablename__ = "revisions"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    practice_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("practices.id"))
    number: Mapped[int]
    kind: Mapped[RevisionKind] = mapped_column(choice(RevisionKind))
    version: Mapped[int | None]
    document: Mapped[dict[str, Any]] = mapped_column(JSON)
    fingerprint: Mapped[str | None] = mapped_column(String(64))
    author_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("users.id"))
    note: Mapped[str | None] = mapped_column(Text)
    mended: Mapped[bool] = mapped_column(default=False, server_default=false())
    created: Mapped[datetime] = mapped_column(UtcDateTime, default=_now)
    redacted: Mapped[datetime | None] = mapped_column(UtcDateTime)
    redaction: Mapped[str | None] = mapped_column(Text)

    practice: Mapped[Practice] = relationship(back_populates="revisions")

    __table_args__ = (
        UniqueConstraint("practice_id", "number"),
        UniqueConstraint("practice_id", "version"),
        CheckConstraint("(kind = 'published') = (version IS NOT NULL)", name="published_has_version"),
        personal(
            N_("Versions of a practice"),
            N_(
                "The text of each version and draft, and who saved, submitted or published it: so that it can be "
                "seen how a practice came to say what it says. The text itself may name people."
            ),
        ),
    )


ADAPTING = "CAST(adapted_from AS VARCHAR) != '[]'"
"""Which public records say that they were adapted from others, as the index knows them."""


class Record(Base):
    """The public version of a practice: what readers, exports and the index see. No row, not public.

    `datestamp` is when this row was last written here, whatever the record says of itself: an import brings old dates,
    and whoever harvests what is new must not miss it.
    """

    __tablename__ = "records"

    practice_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("practices.id"), primary_key=True)
    title: Mapped[str] = mapped_column(String(TITLE_LIMIT))
    original_title: Mapped[str | None] = mapped_column(String(200))
    language: Mapped[str] = mapped_column(String(8))
    summary: Mapped[str] = mapped_column(Text)
    translations: Mapped[list[dict[str, Any]]] = mapped_column(JSON, default=list)
    country: Mapped[str] = mapped_column(String(2), index=True)
    region_code: Mapped[str | None] = mapped_column(ForeignKey("regions.code"))
    place: Mapped[str | None] = mapped_column(String(100))
    level: Mapped[Level] = mapped_column(choice(Level))
    authority_role: Mapped[AuthorityRole | None] = mapped_column(choice(AuthorityRole))
    lead_organisation_name: Mapped[str] = mapped_column(String(300))
    lead_organisation_type: Mapped[OrganisationType | None] = mapped_column(choice(OrganisationType))
    lead_organisation_url: Mapped[str | None] = mapped_column(String(ADDRESS_LIMIT))
    partners: Mapped[list[dict[str, Any]]] = mapped_column(JSON, default=list)
    start: Mapped[str | None] = mapped_column(String(7))
    end: Mapped[str | None] = mapped_column(String(7))
    start_min: Mapped[date | None]
    end_max: Mapped[date | None]
    status: Mapped[Status] = mapped_column(choice(Status))
    context: Mapped[str | None] = mapped_column(Text)
    objectives: Mapped[str | None] = mapped_column(Text)
    actions: Mapped[str] = mapped_column(Text)
    results: Mapped[str | None] = mapped_column(Text)
    difficulties: Mapped[str | None] = mapped_column(Text)
    lessons: Mapped[str | None] = mapped_column(Text)
    transferability: Mapped[str | None] = mapped_column(Text)
    evidence: Mapped[Evidence | None] = mapped_column(choice(Evidence))
    indicators: Mapped[list[dict[str, Any]]] = mapped_column(JSON, default=list)
    beneficiaries: Mapped[int | None] = mapped_column(BigInteger)
    budget_eur: Mapped[Decimal | None] = mapped_column(Numeric(14, 2))
    budget_year: Mapped[int | None]
    funding: Mapped[list[dict[str, Any]]] = mapped_column(JSON, default=list)
    links: Mapped[list[dict[str, Any]]] = mapped_column(JSON, default=list)
    sources: Mapped[list[dict[str, Any]]] = mapped_column(JSON, default=list)
    images: Mapped[list[dict[str, Any]]] = mapped_column(JSON, default=list)
    attachments: Mapped[list[dict[str, Any]]] = mapped_column(JSON, default=list)
    licence: Mapped[str] = mapped_column(String(32))
    attribution: Mapped[str] = mapped_column(Text)
    editor_note: Mapped[str | None] = mapped_column(Text)
    adapted_from: Mapped[list[dict[str, Any]]] = mapped_column(JSON, default=list)
    last_verified: Mapped[date | None]
    review_due: Mapped[date | None]
    completeness: Mapped[float]
    published: Mapped[datetime] = mapped_column(UtcDateTime)
    updated: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    datestamp: Mapped[datetime] = mapped_column(UtcDateTime, default=_now, server_default="1970-01-01 00:00:00")

    practice: Mapped[Practice] = relationship(back_populates="record")
    region: Mapped[Region | None] = relationship()
    themes: Mapped[list[RecordTheme]] = relationship(order_by="RecordTheme.position", cascade="all, delete-orphan")
    target_groups: Mapped[list[RecordTargetGroup]] = relationship(
        order_by="RecordTargetGroup.position", cascade="all, delete-orphan"
    )
    other_regions: Mapped[list[RecordRegion]] = relationship(
        order_by="RecordRegion.position", cascade="all, delete-orphan"
    )

    __table_args__ = (
        CheckConstraint("length(title) >= 3", name="title"),
        CheckConstraint("length(country) = 2 AND country = upper(country)", name="country"),
        CheckConstraint("region_code IS NOT NULL OR level = 'national'", name="region"),
        CheckConstraint("length(start) IN (4, 7)", name="start_partial"),
        CheckConstraint('length("end") IN (4, 7)', name="end_partial"),
        CheckConstraint("(start IS NULL) = (start_min IS NULL)", name="start_min"),
        CheckConstraint('("end" IS NULL) = (end_max IS NULL)', name="end_max"),
        CheckConstraint("start_min <= end_max", name="dates"),
        CheckConstraint("beneficiaries >= 0", name="beneficiaries"),
        CheckConstraint("budget_eur >= 0", name="budget_eur"),
        CheckConstraint("budget_year BETWEEN 1900 AND 2100", name="budget_year"),
        CheckConstraint("completeness BETWEEN 0 AND 1", name="completeness"),
        Index("ix_records_datestamp", "datestamp", "practice_id"),
        # The few that say what they were adapted from, found without reading all.
        Index("ix_records_adapting", "practice_id", sqlite_where=text(ADAPTING), postgresql_where=text(ADAPTING)),
    )


class RecordTheme(Base):
    """A theme of a public practice; position 0 is the primary one."""

    __tablename__ = "record_themes"

    practice_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("records.practice_id"), primary_key=True)
    theme: Mapped[str] = mapped_column(ForeignKey("themes.slug"), primary_key=True, index=True)
    position: Mapped[int]

    __table_args__ = (
        UniqueConstraint("practice_id", "position"),
        CheckConstraint("position BETWEEN 0 AND 4", name="position"),
    )


class RecordTargetGroup(Base):
    """A target group of a public practice."""

    __tablename__ = "record_target_groups"

    practice_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("records.practice_id"), primary_key=True)
    target_group: Mapped[str] = mapped_column(ForeignKey("target_groups.slug"), primary_key=True, index=True)
    position: Mapped[int]

    __table_args__ = (
        UniqueConstraint("practice_id", "position"),
        CheckConstraint("position BETWEEN 0 AND 4", name="position"),
    )


class RecordRegion(Base):
    """A further region of a public cross-border practice; the code is empty where a whole country is meant."""

    __tablename__ = "record_regions"

    practice_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("records.practice_id"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    country: Mapped[str] = mapped_column(String(2))
    region_code: Mapped[str | None] = mapped_column(ForeignKey("regions.code"), index=True)

    region: Mapped[Region | None] = relationship()


class Contact(Base):
    """Whom to write to about a practice. Kept outside revisions so that consent can be withdrawn; in no export.

    `given` and `withdrawn` say when consent to show the name was given, and taken back.
    """

    __tablename__ = "contacts"
    __table_args__ = personal(
        N_("Contacts of a practice"),
        N_(
            "Role, e-mail address and, with consent, the name of whom to write to, and when consent was given or "
            "withdrawn. Shown to signed-in members only, in no export and no search."
        ),
    )

    practice_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("practices.id"), primary_key=True)
    role: Mapped[str] = mapped_column(Text, default="")
    email: Mapped[str] = mapped_column(Text, default="")
    name: Mapped[str] = mapped_column(Text, default="")
    consent: Mapped[bool] = mapped_column(default=False)
    given: Mapped[datetime | None] = mapped_column(UtcDateTime)
    withdrawn: Mapped[datetime | None] = mapped_column(UtcDateTime)


class Review(Base):
    """An editor's answer to one submission."""

    __tablename__ = "reviews"
    __table_args__ = personal(
        N_("Reviews"),
        N_("Which editor answered a submission, and what they wrote to its author."),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    practice_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("practices.id"), index=True)
    revision_number: Mapped[int]
    editor_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("users.id"))
    decision: Mapped[Decision] = mapped_column(choice(Decision))
    message: Mapped[str] = mapped_column(Text, default="")
    checklist: Mapped[dict[str, bool]] = mapped_column(JSON, default=dict, server_default="{}")
    created: Mapped[datetime] = mapped_column(UtcDateTime, default=_now)

    editor: Mapped[User] = relationship()


class PracticeAuthor(Base):
    """Somebody who writes a practice beside its owner."""

    __tablename__ = "practice_authors"
    __table_args__ = personal(
        N_("Co-authors of a practice"), N_("Who may write a practice beside its owner, and since when.")
    )

    practice_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("practices.id"), primary_key=True)
    user_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True, index=True)
    added: Mapped[datetime] = mapped_column(UtcDateTime, default=_now)

    user: Mapped[User] = relationship()


class Offer(Base):
    """A part in a practice, offered by mail; whoever has an account at the address may take it while it holds.

    `stays`: the present owner goes on as co-author once somebody else is the owner.
    """

    __tablename__ = "offers"
    __table_args__ = personal(
        N_("Offers of a part in a practice"),
        N_("To which e-mail address somebody offered to write or to have a practice, and whether it was taken."),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    practice_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("practices.id"), index=True)
    part: Mapped[Part] = mapped_column(choice(Part))
    email: Mapped[str] = mapped_column(String(254))
    stays: Mapped[bool] = mapped_column(default=True, server_default=true())
    maker_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("users.id"))
    created: Mapped[datetime] = mapped_column(UtcDateTime, default=_now)
    expires: Mapped[datetime] = mapped_column(UtcDateTime)
    accepted: Mapped[datetime | None] = mapped_column(UtcDateTime)
    withdrawn: Mapped[datetime | None] = mapped_column(UtcDateTime)

    practice: Mapped[Practice] = relationship()
    maker: Mapped[User | None] = relationship()


class PreviewLink(Base):
    """A private look at a working copy for whoever has the link, until it expires or is taken back."""

    __tablename__ = "preview_links"
    __table_args__ = personal(
        N_("Private links to a draft"), N_("Who made a link to a draft, when, and how long it works.")
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    practice_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("practices.id"), index=True)
    maker_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("users.id"))
    created: Mapped[datetime] = mapped_column(UtcDateTime, default=_now)
    expires: Mapped[datetime] = mapped_column(UtcDateTime)
    withdrawn: Mapped[datetime | None] = mapped_column(UtcDateTime)

    practice: Mapped[Practice] = relationship()
    maker: Mapped[User | None] = relationship()


class Buffer(Base):
    """What somebody has typed into a form and not saved yet. Each autosave overwrites it; a save empties it.

    `pairs` are the form's fields as [name, value]; `seen` is the revision that the writing began from; `copy` is the
    name by which the browser window that wrote last calls its own copy.
    """

    __tablename__ = "buffers"
    __table_args__ = personal(
        N_("Text that is being written"),
        N_(
            "What somebody typed into the form of a practice or of a review and did not save yet, so that no word is "
            "lost."
        ),
    )

    practice_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("practices.id"), primary_key=True)
    user_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    form: Mapped[Form] = mapped_column(choice(Form), primary_key=True)
    seen: Mapped[int | None]
    copy: Mapped[str | None] = mapped_column(String(40))
    pairs: Mapped[list[list[str]]] = mapped_column(JSON, default=list)
    saved: Mapped[datetime] = mapped_column(UtcDateTime, default=_now)


class StoredFile(Base):
    """An image or an attachment, once, whatever practices show it; its bytes are in the files folder by their hash."""

    __tablename__ = "stored_files"
    __table_args__ = personal(
        N_("Images and attachments"), N_("Who uploaded a file, and when. A file may show people.")
    )

    sha256: Mapped[str] = mapped_column(String(64), primary_key=True)
    media_type: Mapped[str] = mapped_column(String(100))
    bytes: Mapped[int]
    width: Mapped[int | None]
    height: Mapped[int | None]
    uploader_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("users.id"))
    created: Mapped[datetime] = mapped_column(UtcDateTime, default=_now)


class PracticeFile(Base):
    """A file that was brought to a practice: who may see one of the two may see the other."""

    __tablename__ = "practice_files"

    practice_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("practices.id"), primary_key=True)
    sha256: Mapped[str] = mapped_column(ForeignKey("stored_files.sha256"), primary_key=True, index=True)
    added: Mapped[datetime] = mapped_column(UtcDateTime, default=_now)


class Comment(Base):
    """A word about one field of a submission, or an answer to it (`parent_id`). `resolved`: nothing is left to do."""

    __tablename__ = "comments"
    __table_args__ = personal(
        N_("Comments on fields"), N_("Who wrote what about which field of a submission, and who settled it.")
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    practice_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("practices.id"), index=True)
    review_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("reviews.id"))
    parent_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("comments.id"))
    revision_number: Mapped[int]
    field: Mapped[str] = mapped_column(String(64))
    body: Mapped[str] = mapped_column(Text)
    author_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("users.id"))
    created: Mapped[datetime] = mapped_column(UtcDateTime, default=_now)
    resolved: Mapped[datetime | None] = mapped_column(UtcDateTime)
    resolver_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("users.id"))

    author: Mapped[User | None] = relationship(foreign_keys=author_id)


class LastLook(Base):
    """Which revision of a submission an editor read last, and which `before` that: what is new to them came since."""

    __tablename__ = "last_looks"
    __table_args__ = personal(
        N_("What an editor has read"), N_("Which version of a submission an editor looked at last, and when.")
    )

    practice_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("practices.id"), primary_key=True)
    user_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    revision_number: Mapped[int]
    before: Mapped[int | None]
    looked: Mapped[datetime] = mapped_column(UtcDateTime, default=_now)


class Report(Base):
    """A reader says that something in a public practice is wrong, in one field of it (`field`) or anywhere.

    `email` and `language` are for the answer.
    """

    __tablename__ = "reports"
    __table_args__ = personal(
        N_("Reports of errors"),
        N_(
            "What a reader reported about a practice, the e-mail address if one was left for the answer, and the "
            "answer."
        ),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    practice_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("practices.id"), index=True)
    user_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("users.id"))
    email: Mapped[str] = mapped_column(String(254), default="")
    language: Mapped[str] = mapped_column(String(8), default="en")
    field: Mapped[str] = mapped_column(String(64), default="")
    body: Mapped[str] = mapped_column(Text)
    created: Mapped[datetime] = mapped_column(UtcDateTime, default=_now)
    closed: Mapped[datetime | None] = mapped_column(UtcDateTime)
    closer_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("users.id"))
    answer: Mapped[str] = mapped_column(Text, default="")

    practice: Mapped[Practice] = relationship()
    user: Mapped[User | None] = relationship(foreign_keys=user_id)
    closer: Mapped[User | None] = relationship(foreign_keys=closer_id)


class Claim(Base):
    """Somebody says that a practice without an owner is theirs to keep; an editor decides."""

    __tablename__ = "claims"
    __table_args__ = personal(
        N_("Claims of a practice"), N_("Who asked to be the owner of a practice, why, and what an editor decided.")
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    practice_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("practices.id"), index=True)
    user_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("users.id"))
    reason: Mapped[str] = mapped_column(Text)
    created: Mapped[datetime] = mapped_column(UtcDateTime, default=_now)
    accepted: Mapped[bool | None]
    decided: Mapped[datetime | None] = mapped_column(UtcDateTime)
    decider_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("users.id"))
    answer: Mapped[str] = mapped_column(Text, default="")

    practice: Mapped[Practice] = relationship()
    user: Mapped[User] = relationship(foreign_keys=user_id)
    decider: Mapped[User | None] = relationship(foreign_keys=decider_id)


class Adoption(Base):
    """A region that takes up a practice of another: "We are adapting this". Its owner or an editor confirms it.

    `changes` is what was changed; `own_id` the practice in this base that came of it. `accepted` is None while nobody
    has decided; only an accepted one that was not withdrawn is seen by readers. `contact_*` are shown as a practice's
    contact is: to signed-in members only, the name with consent, in no export.
    """

    __tablename__ = "adoptions"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    practice_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("practices.id"), index=True)
    region_code: Mapped[str] = mapped_column(ForeignKey("regions.code"), index=True)
    organisation: Mapped[str] = mapped_column(String(300), default="")
    status: Mapped[AdoptionStatus] = mapped_column(choice(AdoptionStatus))
    changes: Mapped[str] = mapped_column(Text, default="")
    own_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("practices.id"), index=True)
    user_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("users.id"), index=True)
    contact_role: Mapped[str] = mapped_column(Text, default="")
    contact_email: Mapped[str] = mapped_column(Text, default="")
    contact_name: Mapped[str] = mapped_column(Text, default="")
    contact_consent: Mapped[bool] = mapped_column(default=False, server_default=false())
    created: Mapped[datetime] = mapped_column(UtcDateTime, default=_now)
    changed: Mapped[datetime] = mapped_column(UtcDateTime, default=_now)
    accepted: Mapped[bool | None]
    decided: Mapped[datetime | None] = mapped_column(UtcDateTime)
    decider_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("users.id"))
    answer: Mapped[str] = mapped_column(Text, default="")
    withdrawn: Mapped[datetime | None] = mapped_column(UtcDateTime)

    practice: Mapped[Practice] = relationship(foreign_keys=practice_id)
    own: Mapped[Practice | None] = relationship(foreign_keys=own_id)
    region: Mapped[Region] = relationship()
    user: Mapped[User | None] = relationship(foreign_keys=user_id)
    decider: Mapped[User | None] = relationship(foreign_keys=decider_id)

    __table_args__ = (
        CheckConstraint("own_id IS NULL OR own_id <> practice_id", name="not_itself"),
        CheckConstraint("(accepted IS NULL) = (decided IS NULL)", name="decided"),
        # A region takes up a practice once at a time; what was refused or withdrawn may be said again.
        Index(
            "uq_adoptions_live",
            "practice_id",
            "region_code",
            unique=True,
            sqlite_where=text("withdrawn IS NULL AND accepted IS NOT FALSE"),
            postgresql_where=text("withdrawn IS NULL AND accepted IS NOT FALSE"),
        ),
        personal(
            N_("Adoptions"),
            N_(
                "Who said that their region takes up a practice, what it changed, whom to write to there (shown to "
                "signed-in members only, the name with consent, in no export), and who confirmed it."
            ),
        ),
    )


class ShortlistEntry(Base):
    """A practice that somebody keeps to compare it with others."""

    __tablename__ = "shortlist_entries"
    __table_args__ = personal(N_("Shortlists"), N_("Which practices somebody keeps to compare them."))

    user_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    practice_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("practices.id"), primary_key=True)
    added: Mapped[datetime] = mapped_column(UtcDateTime, default=_now)


class TransferCheck(Base):
    """How somebody answered whether a practice could work in a region. `answers` is the code of the address."""

    __tablename__ = "transfer_checks"
    __table_args__ = personal(
        N_("Transfer checks"),
        N_("What somebody answered, by choosing among answers, about whether a practice could work in a region."),
    )

    user_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    practice_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("practices.id"), primary_key=True)
    region_code: Mapped[str] = mapped_column(ForeignKey("regions.code"), primary_key=True)
    answers: Mapped[str] = mapped_column(String(200))
    changed: Mapped[datetime] = mapped_column(UtcDateTime, default=_now)

    practice: Mapped[Practice] = relationship()


class HarvestSource(Base):
    """Another installation whose practices are taken over, as drafts of `owner`. `ran` is when it was last asked."""

    __tablename__ = "harvest_sources"
    __table_args__ = personal(
        N_("Installations that practices are taken over from"), N_("In whose name drafts are made of them.")
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    url: Mapped[str] = mapped_column(String(ADDRESS_LIMIT), unique=True)
    owner_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("users.id"))
    created: Mapped[datetime] = mapped_column(UtcDateTime, default=_now)
    ran: Mapped[datetime | None] = mapped_column(UtcDateTime)
    error: Mapped[str] = mapped_column(Text, default="")

    owner: Mapped[User | None] = relationship()


class Harvested(Base):
    """A practice that came from another installation, where it is `remote_id`.

    `remote_version` and `remote_updated` are what was taken last, as revision `revision_number`: where the working
    copy is another by now, somebody wrote here. Then what comes next waits in `waiting`. `gone`: since when the other
    installation does not list it any more, `settled`: when somebody decided to keep it all the same.
    """

    __tablename__ = "harvested"

    practice_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("practices.id"), primary_key=True)
    source_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("harvest_sources.id"), index=True)
    remote_id: Mapped[str] = mapped_column(String(64))
    remote_slug: Mapped[str] = mapped_column(String(SLUG_LIMIT))
    remote_version: Mapped[int]
    remote_updated: Mapped[str] = mapped_column(String(32))
    revision_number: Mapped[int]
    waiting: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    gone: Mapped[datetime | None] = mapped_column(UtcDateTime)
    settled: Mapped[datetime | None] = mapped_column(UtcDateTime)
    changed: Mapped[datetime] = mapped_column(UtcDateTime, default=_now)

    practice: Mapped[Practice] = relationship()
    source: Mapped[HarvestSource] = relationship()

    __table_args__ = (UniqueConstraint("source_id", "remote_id"),)


class StagedImport(Base):
    """A file of records that an editor uploaded and looks at before it is taken in; its bytes lie in the data folder.

    `aim` is what the records are to become; `taken` is when they were.
    """

    __tablename__ = "staged_imports"
    __table_args__ = personal(
        N_("Files of an import"), N_("Who uploaded a file of practices to take them in, and when.")
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    user_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    filename: Mapped[str] = mapped_column(String(200))
    aim: Mapped[str] = mapped_column(String(16))
    bytes: Mapped[int]
    created: Mapped[datetime] = mapped_column(UtcDateTime, default=_now)
    taken: Mapped[datetime | None] = mapped_column(UtcDateTime)

    user: Mapped[User] = relationship()


class LinkCheck(Base):
    """Whether an address that practices name still answers. `succeeded` is when it last did."""

    __tablename__ = "link_checks"

    url: Mapped[str] = mapped_column(String(ADDRESS_LIMIT), primary_key=True)
    checked: Mapped[datetime] = mapped_column(UtcDateTime, default=_now)
    succeeded: Mapped[datetime | None] = mapped_column(UtcDateTime)
    status: Mapped[int | None]
    error: Mapped[str] = mapped_column(Text, default="")
    failures: Mapped[int] = mapped_column(default=0)


class MailText(Base):
    """The editors' own words for a kind of mail in a language, in place of the built-in ones."""

    __tablename__ = "mail_texts"
    __table_args__ = personal(N_("Texts of mail"), N_("Who changed the words of a kind of mail last."))

    kind: Mapped[str] = mapped_column(String(64), primary_key=True)
    language: Mapped[str] = mapped_column(String(8), primary_key=True)
    subject: Mapped[str] = mapped_column(Text)
    body: Mapped[str] = mapped_column(Text)
    changed: Mapped[datetime] = mapped_column(UtcDateTime, default=_now)
    changer_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("users.id"))


class AuditEntry(Base):
    """Who did what to what, and when. Rows are only ever added."""

    __tablename__ = "audit_entries"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    user_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("users.id"), index=True)
    action: Mapped[str] = mapped_column(String(64))
    object_kind: Mapped[str] = mapped_column(String(32))
    object_id: Mapped[str] = mapped_column(String(64))
    detail: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    created: Mapped[datetime] = mapped_column(UtcDateTime, default=_now)

    __table_args__ = (
        Index("ix_audit_entries_object", "object_kind", "object_id"),
        personal(
            N_("The audit log"),
            N_(
                "Who did what to what, and when, by the number of the account, without names or texts: so that it "
                "can be answered later who changed what. An entry cannot be changed or deleted."
            ),
        ),
    )


class MailMessage(Base):
    """A mail that is to go out, or went. `data` is what its text is made of; it is emptied once the mail is gone.

    `due` is when the next attempt may be made; `claimed` until when a process that is sending it has it to itself;
    `failed` when it was given up, `error` why the last attempt failed.
    """

    __tablename__ = "mail_messages"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    message_id: Mapped[str] = mapped_column(String(200), unique=True)
    kind: Mapped[str] = mapped_column(String(64))
    address: Mapped[str] = mapped_column(String(254))
    user_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("users.id"), index=True)
    language: Mapped[str] = mapped_column(String(8), default="en")
    data: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    created: Mapped[datetime] = mapped_column(UtcDateTime, default=_now)
    due: Mapped[datetime] = mapped_column(UtcDateTime, default=_now)
    attempts: Mapped[int] = mapped_column(default=0)
    claimed: Mapped[datetime | None] = mapped_column(UtcDateTime)
    sent: Mapped[datetime | None] = mapped_column(UtcDateTime)
    failed: Mapped[datetime | None] = mapped_column(UtcDateTime)
    error: Mapped[str] = mapped_column(Text, default="")

    __table_args__ = (
        Index("ix_mail_messages_waiting", "sent", "failed", "due"),
        personal(
            N_("Mail"),
            N_(
                "To which address a mail of which kind went, when, and why an attempt failed. Its text is deleted "
                "once it is sent."
            ),
        ),
    )


class IndexOutbox(Base):
    """A practice whose place in the search index is to be looked at again. Draining reads the state of that moment."""

    __tablename__ = "index_outbox"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    practice_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("practices.id"))


# Several machines


class LimitHit(Base):
    """Something that may be done so many times in a moving window of time; times are seconds since 1970.

    In use on PostgreSQL, where the table is unlogged. On SQLite it stays empty: hits lie in a file of their own.
    """

    __tablename__ = "limit_hits"
    __table_args__ = (Index("ix_limit_hits_key_at", "key", "at"),)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    key: Mapped[str] = mapped_column(String(64))
    at: Mapped[float]
    expires: Mapped[float] = mapped_column(index=True)
    amount: Mapped[int]


class LimitWindow(Base):
    """How often something was asked for in a minute that ends at `ends`. As `LimitHit`, on PostgreSQL alone."""

    __tablename__ = "limit_windows"

    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    ends: Mapped[float] = mapped_column(index=True)
    amount: Mapped[int]


class Job(Base):
    """When a job of the background was done last, by whichever machine: it is done once for all of them."""

    __tablename__ = "jobs"

    name: Mapped[str] = mapped_column(String(32), primary_key=True)
    done: Mapped[datetime] = mapped_column(UtcDateTime)


class Agreement(Base):
    """What every machine of an installation has to have alike, as the first one had it. In use on PostgreSQL."""

    __tablename__ = "agreements"

    name: Mapped[str] = mapped_column(String(32), primary_key=True)
    value: Mapped[str] = mapped_column(String(100))


def schema() -> MetaData:
    """Every table above, for migrations."""
    return Base.metadata
