"""The transfer check: could a practice work in another region? Questions from its own record, coded answers, a result.

Nothing here is stored or scored. The questions are made from the record alone, so that the same version always asks the
same. The answers are a short code that stands in an address. docs/transfer.md says how questions are made, and what
the check cannot do.
"""

from __future__ import annotations

import hashlib
import re
from base64 import b32encode
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import count

from kb.models import Level, Status
from kb.services.errors import N_, Invalid, Problem
from kb.services.record import Document
from kb.services.transfer_texts import about_law, about_staff, paragraphs, remaining, shortened

FORMAT = "1"
"""The first part of a code: how the rest is to be read."""

PARAGRAPHS = 7
"""Conditions, and difficulties, that are asked about each by itself; what goes beyond is asked about together."""

MOST = 30
"""Answers that a code holds: no practice asks more."""

STEPS = 80
"""Words of what was done that are cited."""

DAMAGED = N_(
    "The answers in this address cannot be read: a part of it is missing or was changed. Open the whole address again, "
    "or answer the questions anew."
)
NEWER = N_("The answers in this address were written by a newer version of this site. Answer the questions anew.")


class Answer(StrEnum):
    """What an official can answer, as it stands in a code."""

    YES = "y"
    PARTLY = "p"
    NO = "n"
    UNKNOWN = "d"


class Kind(StrEnum):
    """What a question is about, in the order in which they are asked: what can end the matter comes first."""

    COMPETENCE = "competence"
    LEVEL = "level"
    LAW = "law"
    LEAD = "lead"
    STEPS = "steps"
    MONEY = "money"
    PARTNERS = "partners"
    STAFF = "staff"
    GROUPS = "groups"
    LANGUAGE = "language"
    EVIDENCE = "evidence"
    CONDITION = "condition"
    DIFFICULTY = "difficulty"
    STOPPED = "stopped"


@dataclass(frozen=True)
class Question:
    """One question. `quote` is the record's own sentence or paragraph, in the record's language, if it is about one.

    `general`: the record says nothing about it, so it is asked as it would be of any practice.
    """

    id: str
    kind: Kind
    quote: str = ""
    general: bool = False

    @property
    def turned(self) -> bool:
        """Whether "no" is the good answer: nobody wants to meet a difficulty."""
        return self.kind == Kind.DIFFICULTY


@dataclass(frozen=True)
class Check:
    """What somebody answered: which version of the practice was asked about, for which region, and the answers by the
    questions' ids. `region` is a code, empty where none was named.
    """

    version: int
    region: str = ""
    answers: Mapping[str, Answer] = field(default_factory=dict)


@dataclass(frozen=True)
class Result:
    """What a check comes to, each question once.

    `spared` are difficulties that one would not meet, `unknown` holds also what was not answered, `left` is how many
    answers fit no question.
    """

    there: tuple[Question, ...]
    spared: tuple[Question, ...]
    partly: tuple[Question, ...]
    missing: tuple[Question, ...]
    unknown: tuple[Question, ...]
    left: int = 0

    @property
    def answered(self) -> int:
        """How many questions were answered with more than "I do not know"."""
        return len(self.there) + len(self.spared) + len(self.partly) + len(self.missing)

    @property
    def asked(self) -> int:
        """How many questions there are."""
        return self.answered + len(self.unknown)


# Questions


class _Asking:
    """Questions as they are put together: each gets an id of its own, which is that of what it asks about."""

    def __init__(self) -> None:
        self.questions: list[Question] = []
        self._taken: set[str] = set()

    def ask(self, kind: Kind, *facts: object, quote: str = "", general: bool = False) -> None:
        """Add a question about some facts of the record; where these change in a later version it is another one."""
        about = "\x1f".join([kind, quote, *map(str, facts)])
        key = next(key for n in count() if (key := _digest(f"{n}{about}", 4)) not in self._taken)
        self._taken.add(key)
        self.questions.append(Question(key, kind, quote, general))


def questions(record: Document) -> tuple[Question, ...]:
    """What to ask about a practice before another region takes it up, from its own record; at most MOST."""
    asking = _Asking()
    asking.ask(Kind.COMPETENCE, record["authority_role"], general=record["authority_role"] is None)
    if record["level"] != Level.REGIONAL:
        asking.ask(Kind.LEVEL, record["level"])
    law = about_law(record)
    asking.ask(Kind.LAW, quote=law, general=not law)
    lead = record["lead_organisation"] or {}
    asking.ask(Kind.LEAD, lead.get("name"), lead.get("type"), general=not lead)
    done = " ".join(paragraphs(record["actions"]))
    if done:
        asking.ask(Kind.STEPS, quote=shortened(done, STEPS))
    _means(asking, record, law)
    _texts(asking, record, law)
    return tuple(asking.questions)


def _means(asking: _Asking, record: Document, law: str) -> None:
    """Money, partners, people, language, evidence."""
    sources = sorted({each["source"] for each in record["funding"]})
    unpriced = record["budget_eur"] is None and not sources
    asking.ask(Kind.MONEY, record["budget_eur"], record["budget_year"], sources, general=unpriced)
    partners = [(each["name"], each["type"]) for each in record["partners"]]
    asking.ask(Kind.PARTNERS, partners, general=not partners)
    staff = about_staff(record, law)
    asking.ask(Kind.STAFF, quote=staff, general=not staff)
    if record["target_groups"]:
        asking.ask(Kind.GROUPS, sorted(record["target_groups"]))
    asking.ask(Kind.LANGUAGE, record["language"])
    asking.ask(Kind.EVIDENCE, record["evidence"], general=record["evidence"] is None)


def _texts(asking: _Asking, record: Document, law: str) -> None:
    """Conditions and difficulties, a paragraph or list item each."""
    for paragraph in _few(remaining(record["transferability"], [law])):
        asking.ask(Kind.CONDITION, quote=paragraph)
    for paragraph in _few(remaining(record["difficulties"], [law])):
        asking.ask(Kind.DIFFICULTY, quote=paragraph)
    if record["status"] == Status.DISCONTINUED:
        asking.ask(Kind.STOPPED)


def _few(parts: Sequence[str]) -> list[str]:
    """Paragraphs, no more than PARAGRAPHS: the last one takes in what goes beyond."""
    return [*parts[: PARAGRAPHS - 1], *([" ".join(parts[PARAGRAPHS - 1 :])] if len(parts) >= PARAGRAPHS else ())]


def general(asked: Iterable[Question]) -> list[Kind]:
    """What a practice says nothing about."""
    return list(dict.fromkeys(question.kind for question in asked if question.general))


# The code


_BODY = re.compile(r"1\.[0-9]{1,6}\.[A-Za-z0-9-]{1,64}\.(?:[a-z2-7]{4}[ypnd])*")
_ID = re.compile(r"[a-z2-7]{4}")


def encode(check: Check) -> str:
    """A check as a code for an address: format, version, region, answers, check digits, parted by dots.

    Of more than MOST answers the first are kept.
    """
    pairs = sorted(check.answers.items())[:MOST]
    body = ".".join(
        (FORMAT, str(check.version), check.region or "-", "".join(f"{key}{answer}" for key, answer in pairs))
    )
    return f"{body}.{_digest(body, 3)}"


def decode(code: str) -> Check:
    """The check that a code stands for. Raises Invalid for one that is damaged, or of a newer site."""
    text = code.strip().rstrip(".,;:!?)>]\"'")  # what a mail program takes into an address that ends a sentence
    body, _dot, digits = text.rpartition(".")
    parts = body.split(".")
    if digits != _digest(body, 3) or not parts[0]:
        raise Invalid([Problem.of("c", DAMAGED)])
    if parts[0] != FORMAT:
        raise Invalid([Problem.of("c", NEWER)])
    if not _BODY.fullmatch(body):
        raise Invalid([Problem.of("c", DAMAGED)])
    pairs = [parts[3][at : at + 5] for at in range(0, len(parts[3]), 5)]
    region = "" if parts[2] == "-" else parts[2]
    return Check(int(parts[1]), region, {pair[:4]: Answer(pair[4]) for pair in pairs})


def is_id(text: str) -> bool:
    """Whether a text may be the id of a question, of this version or another."""
    return _ID.fullmatch(text) is not None


def _digest(text: str, length: int) -> str:
    """A few letters and digits that stand for a text: no secret, only to tell one from another."""
    return b32encode(hashlib.sha256(text.encode("utf-8", "replace")).digest()).decode("ascii").lower()[:length]


# The result


def result(asked: Iterable[Question], check: Check) -> Result:
    """Sort questions by what was answered, each group in the order of the questions."""
    groups: dict[str, list[Question]] = {name: [] for name in ("there", "spared", "partly", "missing", "unknown")}
    known = set()
    for question in asked:
        known.add(question.id)
        groups[_group(question, check.answers.get(question.id, Answer.UNKNOWN))].append(question)
    there, spared, partly, missing, unknown = (tuple(group) for group in groups.values())
    return Result(there, spared, partly, missing, unknown, left=len(set(check.answers) - known))


def _group(question: Question, answer: Answer) -> str:
    """The group of a result that an answer puts a question into; a difficulty that one meets in part is one."""
    if question.turned and answer in (Answer.YES, Answer.PARTLY, Answer.NO):
        return "spared" if answer == Answer.NO else "missing"
    return {Answer.YES: "there", Answer.PARTLY: "partly", Answer.NO: "missing", Answer.UNKNOWN: "unknown"}[answer]
