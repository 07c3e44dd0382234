"""Who may do what: one function, `can`, over one workflow table. Every other place asks here."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from kb.models import Practice, Role, State, User

_RANK = {Role.READER: 0, Role.MEMBER: 1, Role.EDITOR: 2, Role.ADMIN: 3}


class Who(StrEnum):
    """Who may make a transition: the practice's owner, or any editor."""

    OWNER = "owner"
    EDITOR = "editor"


@dataclass(frozen=True)
class Transition:
    """One step of the workflow: from any of `sources` to `target`, by `who`."""

    action: str
    sources: tuple[State, ...]
    target: State
    who: tuple[Who, ...]


TRANSITIONS = (
    Transition("submit", (State.DRAFT, State.CHANGES_REQUESTED), State.SUBMITTED, (Who.OWNER,)),
    Transition("withdraw", (State.SUBMITTED, State.CHANGES_REQUESTED), State.DRAFT, (Who.OWNER,)),
    Transition("take", (State.SUBMITTED,), State.IN_REVIEW, (Who.EDITOR,)),
    Transition("request-changes", (State.SUBMITTED, State.IN_REVIEW), State.CHANGES_REQUESTED, (Who.EDITOR,)),
    Transition("publish", (State.SUBMITTED, State.IN_REVIEW), State.PUBLISHED, (Who.EDITOR,)),
    Transition("start-update", (State.PUBLISHED,), State.DRAFT, (Who.OWNER,)),
)
"""The whole workflow. What is not in this table cannot happen."""

EDITABLE = (State.DRAFT, State.CHANGES_REQUESTED)
"""States in which the working copy may be written. A published one has to start an update first."""

SEEN_BY_EDITORS = (State.SUBMITTED, State.IN_REVIEW, State.CHANGES_REQUESTED, State.PUBLISHED)
"""States in which editors see the working copy. A draft is its author's own."""


def transition(action: str, state: State) -> Transition | None:
    """The step that `action` makes from `state`, or None where the workflow has none."""
    return next((each for each in TRANSITIONS if each.action == action and state in each.sources), None)


def at_least(user: User | None, role: Role) -> bool:
    """Whether someone is signed in, not disabled, and holds the role or a higher one."""
    return user is not None and user.active and _RANK[user.role] >= _RANK[role]


def owns(user: User | None, practice: Practice) -> bool:
    """Whether the practice is this person's own."""
    return at_least(user, Role.MEMBER) and user is not None and practice.owner_id == user.id


def can(user: User | None, action: str, practice: Practice | None = None) -> bool:
    """Whether a person (None: signed out) may do `action`, to `practice` where it concerns one.

    `action` is `write` (begin a practice), `review` (see the queue), `administer`, `see-contact`, `view` (read the
    working copy), `edit` (change it), or an action of the workflow table.
    """
    if practice is None:
        needed = {"write": Role.MEMBER, "review": Role.EDITOR, "administer": Role.ADMIN, "see-contact": Role.MEMBER}
        return action in needed and at_least(user, needed[action])
    if action == "view":
        return _is(user, Who.OWNER, practice) or (at_least(user, Role.EDITOR) and practice.state in SEEN_BY_EDITORS)
    if action == "edit":
        return can(user, "start-update", practice) or (practice.state in EDITABLE and _is(user, Who.OWNER, practice))
    step = transition(action, practice.state)
    return step is not None and any(_is(user, who, practice) for who in step.who)


def _is(user: User | None, who: Who, practice: Practice) -> bool:
    """Whether someone is the owner or an editor. The editors stand in as owner of a public practice without one."""
    if who == Who.EDITOR:
        return at_least(user, Role.EDITOR)
    return owns(user, practice) or (at_least(user, Role.EDITOR) and practice.owner_id is None and practice.version > 0)
