"""Who may do what: one function, `can`, over tables. Every other place asks here.

docs/permissions.md is made from these tables by `python -m scripts.permissions`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from kb.models import Practice, Role, State, User

_RANK = {Role.READER: 0, Role.MEMBER: 1, Role.EDITOR: 2, Role.ADMIN: 3}


class Who(StrEnum):
    """Whom a rule lets do something; each of the last three includes those before it, the first is for a practice."""

    OWNER = "owner"
    MEMBER = "member"
    EDITOR = "editor"
    ADMIN = "administrator"


_ROLE = {Who.MEMBER: Role.MEMBER, Who.EDITOR: Role.EDITOR, Who.ADMIN: Role.ADMIN}


@dataclass(frozen=True)
class Action:
    """Something that moves no practice to another state, and what it means.

    `states` are those of a practice's working copy in which it may be done; without any it concerns the whole site.
    """

    name: str
    who: Who
    meaning: str
    states: tuple[State, ...] = ()


@dataclass(frozen=True)
class Transition:
    """One step of the workflow: from any of `sources` to `target`, by `who`, and what it means."""

    action: str
    sources: tuple[State, ...]
    target: State
    who: tuple[Who, ...]
    meaning: str


EDITABLE = (State.DRAFT, State.CHANGES_REQUESTED)
"""States in which the working copy may be written. A published one starts an update by that."""

SEEN_BY_EDITORS = (State.SUBMITTED, State.IN_REVIEW, State.CHANGES_REQUESTED, State.PUBLISHED)
"""States in which editors see the working copy. A draft is its author's and the author's colleagues' own."""

ACTIONS = (
    Action("write", Who.MEMBER, "Begin a practice, on the site, through the API or by an import"),
    Action("see-contact", Who.MEMBER, "See whom to write to about a public practice"),
    Action("review", Who.EDITOR, "See the queue of submissions, write what only editors write"),
    Action("invite", Who.EDITOR, "Invite readers and members, decide who registers"),
    Action("invite-editors", Who.ADMIN, "Invite editors and administrators"),
    Action("administer", Who.ADMIN, "Manage people, organisations and vocabularies; read the mail and the audit log"),
    Action("view", Who.OWNER, "Read the working copy, its contact and the editors' answers", tuple(State)),
    Action("view", Who.EDITOR, "Read the working copy, its contact and the editors' answers", SEEN_BY_EDITORS),
    Action("edit", Who.OWNER, "Change the working copy and the contact", (*EDITABLE, State.PUBLISHED)),
    Action("comment", Who.OWNER, "Answer the editors' questions on fields", (State.DRAFT, *SEEN_BY_EDITORS)),
    Action("comment", Who.EDITOR, "Answer, settle and reopen questions on fields", SEEN_BY_EDITORS),
    Action("mend", Who.EDITOR, "Mend the text of a submission, with a note to its author",
           (State.SUBMITTED, State.IN_REVIEW)),
)
"""What may be done beside the workflow. What is not in this table or the next cannot be done."""

TRANSITIONS = (
    Transition("submit", EDITABLE, State.SUBMITTED, (Who.OWNER,), "Send the working copy to the editors"),
    Transition("withdraw", (State.SUBMITTED, State.CHANGES_REQUESTED), State.DRAFT, (Who.OWNER,),
               "Take a submission back to go on writing"),
    Transition("take", (State.SUBMITTED,), State.IN_REVIEW, (Who.EDITOR,), "Begin a review"),
    Transition("request-changes", (State.SUBMITTED, State.IN_REVIEW), State.CHANGES_REQUESTED, (Who.EDITOR,),
               "Give a submission back with what is to be changed"),
    Transition("publish", (State.SUBMITTED, State.IN_REVIEW), State.PUBLISHED, (Who.EDITOR,),
               "Make a submission public; one's own only where there is no other editor"),
    Transition("start-update", (State.PUBLISHED,), State.DRAFT, (Who.OWNER,),
               "Change a public practice; readers see the old version until the new one is published"),
    Transition("leave", EDITABLE, State.WITHDRAWN, (Who.OWNER,),
               "Delete one's account: what was never public and nobody shares is emptied"),
    Transition("redact", (*EDITABLE, State.SUBMITTED, State.IN_REVIEW, State.PUBLISHED), State.WITHDRAWN, (Who.ADMIN,),
               "Remove the text of the public version for good; the practice goes offline"),
)  # fmt: skip
"""The whole workflow. What is not in this table cannot happen."""


def transition(action: str, state: State) -> Transition | None:
    """The step that `action` makes from `state`, or None where the workflow has none."""
    return next((each for each in TRANSITIONS if each.action == action and state in each.sources), None)


def at_least(user: User | None, role: Role) -> bool:
    """Whether someone is signed in, not disabled, and holds the role or a higher one."""
    return user is not None and user.active and _RANK[user.role] >= _RANK[role]


def owns(user: User | None, practice: Practice) -> bool:
    """Whether the practice is this person's own, or was written for the organisation that they belong to.

    A reader owns nothing, whatever they wrote before.
    """
    if user is None or not at_least(user, Role.MEMBER):
        return False
    shared = practice.organisation_id is not None and practice.organisation_id == user.organisation_id
    return shared or (practice.owner_id is not None and practice.owner_id == user.id)


def can(user: User | None, action: str, practice: Practice | None = None) -> bool:
    """Whether a person (None: signed out) may do an action of the tables, to `practice` where it concerns one."""
    if practice is None:
        return any(each.name == action and not each.states and at_least(user, _ROLE[each.who]) for each in ACTIONS)
    step = transition(action, practice.state)
    who = [each.who for each in ACTIONS if each.name == action and practice.state in each.states]
    return any(_is(user, each, practice) for each in (*who, *(step.who if step else ())))


def _is(user: User | None, who: Who, practice: Practice) -> bool:
    """Whether a rule means someone. The editors stand in as owner of a public practice without one."""
    if who == Who.OWNER:
        orphan = practice.owner_id is None and practice.version > 0
        return owns(user, practice) or (orphan and at_least(user, Role.EDITOR))
    return at_least(user, _ROLE[who])
