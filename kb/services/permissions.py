"""Who may do what: one function, `can`, over tables. Every other place asks here.

docs/permissions.md is made from these tables by `python -m scripts.permissions`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from kb.models import Practice, Role, State, User

_RANK = {Role.READER: 0, Role.MEMBER: 1, Role.EDITOR: 2, Role.ADMIN: 3}


class Public(StrEnum):
    """Whether readers see a version of a practice, which is another matter than where its working copy stands."""

    NEVER = "never public"
    BEFORE = "public before"
    NOW = "public"


OFFLINE = (Public.NEVER, Public.BEFORE)
"""Readers see nothing of it now."""


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
    `public` says what readers have to see of it for that; empty, it does not matter.
    """

    name: str
    who: Who
    meaning: str
    states: tuple[State, ...] = ()
    public: tuple[Public, ...] = ()

    def holds(self, practice: Practice) -> bool:
        """Whether it may be done to a practice as that stands."""
        return practice.state in self.states and (not self.public or public(practice) in self.public)


@dataclass(frozen=True)
class Transition:
    """One step of the workflow: from any of `sources` to `target`, by `who`, and what it means.

    `public` says what readers have to see of the practice for that; empty, it does not matter.
    """

    action: str
    sources: tuple[State, ...]
    target: State
    who: tuple[Who, ...]
    meaning: str
    public: tuple[Public, ...] = ()

    def holds(self, practice: Practice) -> bool:
        """Whether the step starts from where a practice stands."""
        return practice.state in self.sources and (not self.public or public(practice) in self.public)


EDITABLE = (State.DRAFT, State.CHANGES_REQUESTED)
"""States in which the working copy may be written. A published one starts an update by that."""

WAITING = (State.SUBMITTED, State.IN_REVIEW)
"""States in which a submission waits for an editor."""

IN_WORK = (*EDITABLE, *WAITING)
"""States in which somebody is at the working copy."""

SEEN_BY_EDITORS = (*WAITING, State.CHANGES_REQUESTED, State.PUBLISHED, State.REJECTED, State.ARCHIVED)
"""States in which editors see the working copy. A draft is its author's and the author's colleagues' own."""

ACTIONS = (
    Action("write", Who.MEMBER, "Begin a practice, on the site, through the API or by an import"),
    Action("see-contact", Who.MEMBER, "See whom to write to about a public practice"),
    Action("adopt", Who.MEMBER, "Say that a region takes up a public practice, change that and withdraw it"),
    Action("end-adoption", Who.EDITOR, "Take away what somebody said of a region that takes a practice up"),
    Action("review", Who.EDITOR, "See the queue of submissions, write what only editors write"),
    Action("import", Who.EDITOR, "Take in a file of practices on the site, as drafts or submissions of one's own"),
    Action("import-published", Who.ADMIN, "Take in a file of practices on the site as published ones"),
    Action("invite", Who.EDITOR, "Invite readers and members, decide who registers"),
    Action("invite-editors", Who.ADMIN, "Invite editors and administrators"),
    Action("administer", Who.ADMIN, "Manage people, organisations and vocabularies; read the mail and the audit log"),
    Action("view", Who.OWNER, "Read the working copy, its contact and the editors' answers", tuple(State)),
    Action("view", Who.EDITOR, "Read the working copy, its contact and the editors' answers", SEEN_BY_EDITORS),
    Action("edit", Who.OWNER, "Change the working copy and the contact", (*EDITABLE, State.PUBLISHED)),
    Action("share", Who.OWNER, "Offer others to write it too, see who does", tuple(State)),
    Action("show", Who.OWNER, "Make private links to the working copy, and end them", tuple(State)),
    Action("show", Who.EDITOR, "Make private links to the working copy, and end them", SEEN_BY_EDITORS),
    Action("verify", Who.OWNER, "Say that the public version is still correct", tuple(State), (Public.NOW,)),
    Action("verify", Who.EDITOR, "Say that the public version is still correct", tuple(State), (Public.NOW,)),
    Action("decide-adoption", Who.OWNER, "Confirm or refuse that a region takes it up", tuple(State), (Public.NOW,)),
    Action("decide-adoption", Who.EDITOR, "Confirm or refuse that a region takes it up", tuple(State), (Public.NOW,)),
    Action("comment", Who.OWNER, "Answer the editors' questions on fields", (State.DRAFT, *SEEN_BY_EDITORS)),
    Action("comment", Who.EDITOR, "Answer, settle and reopen questions on fields", SEEN_BY_EDITORS),
    Action(
        "mend",
        Who.EDITOR,
        "Mend the text of a submission, with a note to its author",
        (State.SUBMITTED, State.IN_REVIEW),
    ),
)
"""What may be done beside the workflow. What is not in this table or the next cannot be done."""

TRANSITIONS = (
    Transition("submit", EDITABLE, State.SUBMITTED, (Who.OWNER,), "Send the working copy to the editors"),
    Transition("withdraw", (State.SUBMITTED, State.CHANGES_REQUESTED), State.DRAFT, (Who.OWNER,),
               "Take a submission back to go on writing"),
    Transition("abandon", (*EDITABLE, State.SUBMITTED), State.WITHDRAWN, (Who.OWNER,),
               "Put a draft away; nothing of it is lost", OFFLINE),
    Transition("resume", (State.WITHDRAWN, State.REJECTED), State.DRAFT, (Who.OWNER,),
               "Go on with what was put away, rejected or taken offline, unless its text was removed"),
    Transition("discard-update", EDITABLE, State.PUBLISHED, (Who.OWNER,),
               "Give an update up; the working copy is the public version again", (Public.NOW,)),
    Transition("take", (State.SUBMITTED,), State.IN_REVIEW, (Who.EDITOR,), "Begin a review"),
    Transition("release", (State.IN_REVIEW,), State.SUBMITTED, (Who.EDITOR,), "Put a review back into the queue"),
    Transition("hand-over", (State.IN_REVIEW,), State.IN_REVIEW, (Who.EDITOR,), "Give a review to another editor"),
    Transition("request-changes", WAITING, State.CHANGES_REQUESTED, (Who.EDITOR,),
               "Give a submission back with what is to be changed"),
    Transition("reject", WAITING, State.REJECTED, (Who.EDITOR,), "Turn a submission down and say why", OFFLINE),
    Transition("reject", WAITING, State.PUBLISHED, (Who.EDITOR,),
               "Turn an update down and say why; the working copy is the public version again", (Public.NOW,)),
    Transition("publish", WAITING, State.PUBLISHED, (Who.EDITOR,),
               "Make a submission public; one's own only where there is no other editor"),
    Transition("start-update", (State.PUBLISHED,), State.DRAFT, (Who.OWNER,),
               "Change a public practice; readers see the old version until the new one is published"),
    Transition("archive", (State.PUBLISHED,), State.ARCHIVED, (Who.EDITOR,),
               "Say that it is no longer maintained: its page stays, lists and search leave it out"),
    Transition("restore", (State.ARCHIVED,), State.PUBLISHED, (Who.EDITOR,), "Take it out of the archive"),
    Transition("unpublish", (State.PUBLISHED, State.ARCHIVED), State.WITHDRAWN, (Who.EDITOR,),
               "Take it offline at once and say why; its pages answer no more"),
    *(Transition("unpublish", (state,), state, (Who.EDITOR,),
                 "Take it offline at once and say why; the update that is being written stays", (Public.NOW,))
      for state in IN_WORK),
    Transition("republish", (State.WITHDRAWN,), State.PUBLISHED, (Who.EDITOR,),
               "Put it online again as it was, in the same version", (Public.BEFORE,)),
    Transition("merge", (State.PUBLISHED,), State.ARCHIVED, (Who.EDITOR,),
               "Merge it into another practice: its address leads there"),
    Transition("unmerge", (State.ARCHIVED, State.WITHDRAWN), State.PUBLISHED, (Who.EDITOR,),
               "Undo a merge: it is online again as it was", (Public.BEFORE,)),
    Transition("leave", EDITABLE, State.WITHDRAWN, (Who.OWNER,),
               "Delete one's account: what was never public and nobody shares is emptied", OFFLINE),
    Transition("leave", EDITABLE, State.PUBLISHED, (Who.OWNER,),
               "Delete one's account: an update that nobody shares is emptied, the public version stays",
               (Public.NOW,)),
    Transition("redact", tuple(State), State.WITHDRAWN, (Who.ADMIN,),
               "Remove the text of the newest version for good; the practice goes offline",
               (Public.BEFORE, Public.NOW)),
)  # fmt: skip
"""The whole workflow. What is not in this table cannot happen."""


def public(practice: Practice) -> Public:
    """Whether readers see a version of a practice, once did, or never."""
    if practice.record is not None:
        return Public.NOW
    return Public.BEFORE if practice.version else Public.NEVER


def transition(action: str, practice: Practice) -> Transition | None:
    """The step that `action` makes from where a practice stands, or None where the workflow has none."""
    return next((each for each in TRANSITIONS if each.action == action and each.holds(practice)), None)


def at_least(user: User | None, role: Role) -> bool:
    """Whether someone is signed in, not disabled, and holds the role or a higher one."""
    return user is not None and user.active and _RANK[user.role] >= _RANK[role]


def owns(user: User | None, practice: Practice) -> bool:
    """Whether the practice is this person's own, as owner or co-author, or their organisation's.

    A reader owns nothing, whatever they wrote before.
    """
    if user is None or not at_least(user, Role.MEMBER):
        return False
    shared = practice.organisation_id is not None and practice.organisation_id == user.organisation_id
    return shared or practice.owner_id == user.id or writes(user, practice)


def writes(user: User, practice: Practice) -> bool:
    """Whether somebody was made co-author of a practice."""
    return any(each.user_id == user.id for each in practice.authors)


def holds(user: User | None, practice: Practice) -> bool:
    """Whether it is this person's to give a practice away: its owner's alone, or an editor's where it has none."""
    if practice.owner_id is None:
        return at_least(user, Role.EDITOR) and can(user, "view", practice)
    return user is not None and at_least(user, Role.MEMBER) and practice.owner_id == user.id


def can(user: User | None, action: str, practice: Practice | None = None) -> bool:
    """Whether a person (None: signed out) may do an action of the tables, to `practice` where it concerns one."""
    if practice is None:
        return any(each.name == action and not each.states and at_least(user, _ROLE[each.who]) for each in ACTIONS)
    step = transition(action, practice)
    who = [each.who for each in ACTIONS if each.name == action and each.holds(practice)]
    if any(_is(user, each, practice, practice.state) for each in who):
        return True
    return step is not None and any(_is(user, each, practice, step.target) for each in step.who)


def entitled(user: User | None, action: str, practice: Practice) -> bool:
    """Whether a step would be this person's to make, if the practice stood where the step starts from."""
    return any(
        _is(user, who, practice, each.target) for each in TRANSITIONS if each.action == action for who in each.who
    )


def _is(user: User | None, who: Who, practice: Practice, target: State) -> bool:
    """Whether a rule means someone, where the practice stands in `target` afterwards."""
    if who == Who.OWNER:
        return owns(user, practice) or (at_least(user, Role.EDITOR) and _orphan(practice, target))
    return at_least(user, _ROLE[who])


def _orphan(practice: Practice, target: State) -> bool:
    """Whether the editors stand in as owner: of a practice without one that was public, or that was sent to them.

    What was never public does not go where they would not see it any more: nobody could take it up again.
    """
    seen = practice.state in SEEN_BY_EDITORS and target in SEEN_BY_EDITORS
    return practice.owner_id is None and (practice.version > 0 or seen)
